//! The rows that bright spots are looked for in.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::mixed::Covariate;
use crate::{Error, Result};

/// A grouping column: codes into labels.
#[derive(Debug, Clone, Copy)]
pub struct Factor<'a> {
    /// What the column is called.
    pub name: &'a str,
    /// One index into `labels` per row.
    pub codes: &'a [u32],
    /// The labels.
    pub labels: &'a [String],
}

impl Factor<'_> {
    pub(crate) fn label(&self, code: u32) -> String {
        self.labels.get(code as usize).cloned().unwrap_or_else(|| code.to_string())
    }
}

/// Rows without a missing value: one per student (and period, and measurement).
#[derive(Debug, Clone, Copy)]
pub struct BrightInput<'a> {
    /// The outcome; higher is better (give the negative of one where lower is).
    pub outcome: &'a [f64],
    /// The conditions that are adjusted for.
    pub adjust: &'a [Covariate<'a>],
    /// Who may be a bright spot. A label that occurs in two groups of `within` is two units.
    pub unit: Factor<'a>,
    /// The groups around the units, outermost first; empty to compare with all units only.
    pub within: &'a [Factor<'a>],
    /// The period of every row, where there are several: the unit's effect is then what lasts over them.
    pub period: Option<Factor<'a>>,
    /// Further conditions in which ordinary units to visit should be like the candidates, besides those adjusted for.
    pub context: &'a [Covariate<'a>],
}

impl BrightInput<'_> {
    pub(crate) fn n_rows(&self) -> usize {
        self.outcome.len()
    }

    /// The columns besides those which the design checks.
    pub(crate) fn check(&self) -> Result<()> {
        for factor in self.within.iter().chain([&self.unit]).chain(&self.period) {
            if factor.codes.len() != self.n_rows() {
                return Err(Error::InvalidValue {
                    what: format!("the column {:?}", factor.name),
                    found: format!("{} rows where there are {}", factor.codes.len(), self.n_rows()),
                    remedy: "give columns of one length".into(),
                });
            }
            if let Some(code) = factor.codes.iter().find(|c| **c as usize >= factor.labels.len()) {
                return Err(Error::InvalidValue {
                    what: format!("the codes of {:?}", factor.name),
                    found: format!("{code}, but there are {} labels", factor.labels.len()),
                    remedy: "give every code a label".into(),
                });
            }
        }
        self.check_variation()
    }

    /// Figures of units, repeated for every student, would pass for students who are all alike.
    fn check_variation(&self) -> Result<()> {
        let mut first: HashMap<Vec<u32>, f64> = HashMap::new();
        let mut is_repeated = false;
        for (row, value) in self.outcome.iter().enumerate() {
            let cell = self.within.iter().chain([&self.unit]).chain(&self.period);
            let cell = cell.map(|factor| factor.codes.get(row).copied().unwrap_or_default()).collect();
            match first.entry(cell) {
                Entry::Vacant(place) => {
                    place.insert(*value);
                }
                Entry::Occupied(place) if place.get().to_bits() == value.to_bits() => is_repeated = true,
                Entry::Occupied(_) => return Ok(()),
            }
        }
        // A single cell, and an outcome that is the same for all, are told of by the model.
        if !is_repeated || first.values().all(|value| self.outcome.first() == Some(value)) {
            return Ok(());
        }
        Err(Error::InvalidValue {
            what: "the outcome".into(),
            found: format!("the same for all rows of each {}, in every one of them", self.unit.name),
            remedy: "give one row per student with the student's own outcome, or one row for each mean".into(),
        })
    }
}
