//! What codes stand for: parts are merged by their labels, never by their codes.

use serde::{Deserialize, Serialize};

use super::moments::{Block, Moments};
use crate::{Error, Result};

/// The values that the codes of one column stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labels {
    /// What the column is called.
    pub column: String,
    /// The factor of which these are the units.
    pub factor: String,
    /// The kind of value, in the caller's words: only labels of one kind are the same.
    pub kind: String,
    /// The label of every code.
    pub labels: Vec<String>,
}

impl Moments {
    /// The same moments with the labels of every column of codes, in the order in which the codes were given.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for another number of columns than the random parts have, and for codes without a label.
    pub fn with_labels(mut self, labels: Vec<Labels>) -> Result<Self> {
        if labels.len() != self.n_levels() {
            return Err(Error::InvalidValue {
                what: "the labels of the units".into(),
                found: format!("{} columns of labels for {} factors", labels.len(), self.n_levels()),
                remedy: "give the labels of every factor".into(),
            });
        }
        for (level, labels) in self.levels().zip(&labels) {
            if let Some(code) = level.codes.iter().find(|c| **c as usize >= labels.labels.len()) {
                return Err(Error::InvalidValue {
                    what: format!("the labels of {:?}", labels.column),
                    found: format!("{} labels, but the code {code}", labels.labels.len()),
                    remedy: "give every code a label".into(),
                });
            }
        }
        self.labels = labels;
        Ok(self)
    }

    /// What the codes of every column stand for; empty where nothing was said.
    pub fn labels(&self) -> &[Labels] {
        &self.labels
    }

    /// Both parts with codes that mean the same.
    pub(super) fn with_shared_labels(&self, other: &Self) -> (Self, Self) {
        let (mut first, mut second) = (self.clone(), other.clone());
        let mut column = 0;
        for (a, b) in first.blocks.iter_mut().zip(&mut second.blocks) {
            for level in 0..a.levels.len() {
                if let (Some(mine), Some(theirs)) = (self.labels.get(column), other.labels.get(column)) {
                    let (shared, to_first, to_second) = union(mine, theirs);
                    recode(a, level, &to_first);
                    recode(b, level, &to_second);
                    if let Some(cell) = first.labels.get_mut(column) {
                        *cell = shared;
                    }
                }
                column += 1;
            }
        }
        second.labels.clone_from(&first.labels);
        (first, second)
    }
}

fn recode(block: &mut Block, level: usize, to: &[u32]) {
    if let Some(level) = block.levels.get_mut(level) {
        for code in &mut level.codes {
            *code = to.get(*code as usize).copied().unwrap_or(u32::MAX);
        }
    }
}

/// The labels of both: whole numbers in their order, else by bytes; with the new codes of each.
fn union(a: &Labels, b: &Labels) -> (Labels, Vec<u32>, Vec<u32>) {
    let mut all: Vec<&String> = a.labels.iter().chain(&b.labels).collect();
    if all.iter().all(|l| l.parse::<i128>().is_ok()) {
        // "01" and "1" are the same number, and two labels.
        all.sort_by(|x, y| x.parse::<i128>().ok().cmp(&y.parse::<i128>().ok()).then_with(|| x.cmp(y)));
    } else {
        all.sort();
    }
    all.dedup();
    let place: std::collections::HashMap<&String, u32> = all.iter().copied().zip(0..).collect();
    let to = |l: &Labels| l.labels.iter().map(|l| place.get(l).copied().unwrap_or(u32::MAX)).collect();
    let shared = Labels { labels: all.iter().map(|l| (*l).clone()).collect(), ..a.clone() };
    (shared, to(a), to(b))
}
