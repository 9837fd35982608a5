//! The analysis of variance of one factor, from its sums.

use super::moments::Moments;
use crate::{Error, Result};

/// A one-way analysis of variance.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct OneWay {
    /// The sum of squares between units: sum over units of n (mean - overall mean)^2.
    pub between: f64,
    /// The sum of squares within units.
    pub within: f64,
    /// Units less one.
    pub df_between: usize,
    /// Rows less units.
    pub df_within: usize,
    /// The ratio of the mean squares.
    pub f: f64,
}

impl Moments {
    /// The analysis of variance of the outcome by the innermost units of a random part (counted from 0), whatever the
    /// covariates; weighted where the rows are.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a part that is not there or a membership, [`Error::TooFew`] with one unit or with as
    /// many units as rows.
    pub fn one_way(&self, part: usize) -> Result<OneWay> {
        let block = self.blocks.get(part).filter(|b| !b.is_membership);
        let block = block.ok_or_else(|| Error::option("part", part, "a random part of nested factors"))?;
        let width = self.width();
        let units = block.sums.len() / width;
        if units < 2 || units >= self.n_obs {
            return Err(Error::TooFew {
                what: "an analysis of variance".into(),
                needed: "2 units, and one with 2 rows".into(),
                found: units,
                remedy: "give the factor whose units hold several rows".into(),
            });
        }
        let at = |values: &[f64], place: usize| values.get(place).copied().unwrap_or(f64::NAN);
        let (total, weight) = (at(&self.gram, width - 1), at(&self.gram, 0));
        let mean = total / weight;
        let between: f64 = block
            .sums
            .chunks_exact(width)
            .map(|s| {
                let n = at(s, 0);
                let apart = at(s, width - 1) / n - mean;
                n * apart * apart
            })
            .sum();
        let about_mean = at(&self.gram, width * width - 1) - total * mean;
        let (within, df_between, df_within) = (about_mean - between, units - 1, self.n_obs - units);
        let f = (between / df_between as f64) / (within / df_within as f64);
        Ok(OneWay { between, within, df_between, df_within, f })
    }
}
