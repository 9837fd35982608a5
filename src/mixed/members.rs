//! Multiple membership: a row that belongs to several units by shares (two teachers in one room, a move in mid-year).

use super::design::check_rows;
use crate::{Error, Result};

/// Which units every row belongs to, and by how much: `z_i` = sum over places l of `w_il` `e(unit_il)`.
///
/// Browne, Goldstein & Rasbash (2001, Stat. Modelling 1:103) for the model.
#[derive(Debug, Clone, Copy)]
pub struct Members<'a> {
    /// One slice per place, one code per row; [`Members::NONE`] where the place is empty.
    pub codes: &'a [&'a [u32]],
    /// The weights, in the same places; they must sum to 1 in every row.
    pub weights: &'a [&'a [f64]],
    /// Divide the weights of every row by their sum first.
    pub normalize: bool,
}

/// The shares of all rows: row i has the entries from `starts[i]` to `starts[i + 1]`.
pub(super) struct Shares {
    starts: Vec<usize>,
    entries: Vec<(u32, f64)>,
}

/// Weights of a row may miss 1 by as much as this: thirds are written with some digits only.
const SUM_TOLERANCE: f64 = 1e-6;
/// So many rows are named in an error.
const NAMED: usize = 5;

impl Members<'_> {
    /// The code of an empty place, whose weight must be 0.
    pub const NONE: u32 = u32::MAX;

    /// Whether the weights of the rows that count can be used.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] naming the rows whose weights are no shares.
    pub fn check(&self, n_rows: usize, counts: impl Fn(usize) -> bool) -> Result<()> {
        self.shares(n_rows, counts).map(drop)
    }

    /// The shares of the rows that count; the others have none.
    pub(super) fn shares(&self, n_rows: usize, counts: impl Fn(usize) -> bool) -> Result<Shares> {
        if self.codes.is_empty() || self.codes.len() != self.weights.len() {
            return Err(Error::InvalidValue {
                what: "a membership".into(),
                found: format!("{} columns of units and {} of weights", self.codes.len(), self.weights.len()),
                remedy: "give one column of weights for each column of units".into(),
            });
        }
        for (codes, weights) in self.codes.iter().zip(self.weights) {
            check_rows("units of a membership", codes.len(), n_rows)?;
            check_rows("weights of a membership", weights.len(), n_rows)?;
        }
        let mut shares = Shares { starts: Vec::with_capacity(n_rows + 1), entries: Vec::new() };
        shares.starts.push(0);
        let mut faulty: Vec<(usize, String)> = Vec::new();
        for row in 0..n_rows {
            let from = shares.entries.len();
            if counts(row)
                && let Err(problem) = self.row(row, &mut shares.entries)
            {
                faulty.push((row, problem));
            }
            merge_repeats(&mut shares.entries, from);
            shares.starts.push(shares.entries.len());
        }
        if let Some((_, problem)) = faulty.first() {
            let rows: Vec<String> = faulty.iter().take(NAMED).map(|(row, _)| row.to_string()).collect();
            let more = if faulty.len() > NAMED { format!(" and {} more", faulty.len() - NAMED) } else { String::new() };
            return Err(Error::InvalidValue {
                what: "the weights of a membership".into(),
                found: format!("{problem}; rows {}{more}", rows.join(", ")),
                remedy: "make the weights of every row sum to 1, or let them be normalised (normalize)".into(),
            });
        }
        Ok(shares)
    }

    fn row(&self, row: usize, entries: &mut Vec<(u32, f64)>) -> std::result::Result<(), String> {
        let from = entries.len();
        let mut sum = 0.0;
        for (codes, weights) in self.codes.iter().zip(self.weights) {
            let (code, weight) =
                (codes.get(row).copied().unwrap_or(Self::NONE), weights.get(row).copied().unwrap_or(f64::NAN));
            if !weight.is_finite() || weight < 0.0 {
                return Err(format!("a weight of {weight}"));
            }
            if weight > 0.0 {
                if code == Self::NONE {
                    return Err(format!("a weight of {weight} without a unit"));
                }
                entries.push((code, weight));
                sum += weight;
            }
        }
        if self.normalize && sum > 0.0 {
            for (_, weight) in entries.iter_mut().skip(from) {
                *weight /= sum;
            }
        } else if (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(format!("weights that sum to {sum}"));
        }
        Ok(())
    }
}

/// One unit named twice in a row is one membership.
fn merge_repeats(entries: &mut Vec<(u32, f64)>, from: usize) {
    if let Some(row) = entries.get_mut(from..) {
        row.sort_unstable_by_key(|e| e.0);
    }
    let mut merged: Vec<(u32, f64)> = Vec::new();
    for &(code, weight) in entries.get(from..).unwrap_or_default() {
        match merged.last_mut() {
            Some(last) if last.0 == code => last.1 += weight,
            _ => merged.push((code, weight)),
        }
    }
    entries.truncate(from);
    entries.extend(merged);
}

impl Shares {
    /// The units of a row with their shares.
    pub(super) fn of(&self, row: usize) -> &[(u32, f64)] {
        let at = |i: usize| self.starts.get(i).copied().unwrap_or(0);
        self.entries.get(at(row)..at(row + 1)).unwrap_or_default()
    }

    /// Numbers the units from 0 in the order of their codes; returns the codes.
    pub(super) fn renumber(&mut self) -> Vec<u32> {
        let mut codes: Vec<u32> = self.entries.iter().map(|e| e.0).collect();
        codes.sort_unstable();
        codes.dedup();
        for entry in &mut self.entries {
            entry.0 = u32::try_from(codes.partition_point(|c| *c < entry.0)).unwrap_or(u32::MAX);
        }
        codes
    }
}
