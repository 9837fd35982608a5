//! Students placed by a fitted table.

use super::GrowthModel;
use super::model::design_row;
use crate::stats::quantile_regression::dot;
use crate::{Error, Result};

/// Where students stand, in the order given.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// The growth percentile, 1 to 99; `None` where a score is missing.
    pub percentile: Vec<Option<u32>>,
    /// The score that half of all students with the same prior scores exceed.
    pub median: Vec<f64>,
    /// How many students have a prior score beyond the boundaries.
    pub n_outside: usize,
    /// How many students' quantiles crossed and were put in order.
    pub n_crossed: usize,
}

impl GrowthModel {
    /// The growth percentile of students: how many of the 100 conditional quantiles, put in order, lie below the score, and
    /// 1 for none, 99 for all of them.
    ///
    /// Quantiles are fitted one by one and may cross where students are few; sorting them is at least as near the truth
    /// (Chernozhukov, Fernández-Val & Galichon 2010, Econometrica 78:1093). They are compared to five decimals.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for another number of prior scores than the table has; [`Error::InvalidRecord`] for a table that is
    /// not whole ([`GrowthModel::validate`]).
    pub fn place(&self, outcome: &[f64], priors: &[&[f64]]) -> Result<Placed> {
        if priors.len() != self.priors.len() || priors.iter().any(|prior| prior.len() != outcome.len()) {
            return Err(Error::InvalidValue {
                what: "the prior scores".into(),
                found: format!("{} columns for {} students", priors.len(), outcome.len()),
                remedy: format!("give the {} that the table was fitted to, one score each", self.priors.len()),
            });
        }
        self.validate()?;
        let mut placed =
            Placed { percentile: Vec::with_capacity(outcome.len()), median: vec![], n_outside: 0, n_crossed: 0 };
        let mut x = Vec::new();
        for (row, &score) in outcome.iter().enumerate() {
            let scores: Vec<f64> = priors.iter().map(|prior| prior.get(row).copied().unwrap_or(f64::NAN)).collect();
            if !scores.iter().all(|score| score.is_finite()) {
                placed.percentile.push(None);
                placed.median.push(f64::NAN);
                continue;
            }
            x.clear();
            design_row(&self.priors, scores.iter().copied(), &mut x);
            let mut quantiles: Vec<f64> = self.quantiles.iter().map(|q| dot(&x, &q.coefficients)).collect();
            placed.n_crossed += usize::from(!quantiles.is_sorted());
            quantiles.sort_by(f64::total_cmp);
            let is_outside =
                |(basis, score): (&super::PriorBasis, &f64)| *score < basis.boundaries.0 || *score > basis.boundaries.1;
            placed.n_outside += usize::from(self.priors.iter().zip(&scores).any(is_outside));
            // A score that a quantile was fitted to exactly is not above it: without rounding both, chance would decide.
            let rounded = |value: f64| (value * 1e5).round();
            let below = quantiles.iter().filter(|q| rounded(**q) < rounded(score)).count();
            let middle = quantiles.len() / 2;
            let around = |i: usize| quantiles.get(i).copied().unwrap_or(f64::NAN);
            placed.median.push(f64::midpoint(around(middle.saturating_sub(1)), around(middle)));
            // At most 100 quantiles.
            let whole = u32::try_from(below).unwrap_or(99).clamp(1, 99);
            placed.percentile.push(score.is_finite().then_some(whole));
        }
        Ok(placed)
    }
}
