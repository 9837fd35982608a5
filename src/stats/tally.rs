//! Counts over denominators, period by period: what proportions, rates and gaps between events share.

use serde::{Deserialize, Serialize};

use super::step::{PhaseLaw, autocorrelation};
use crate::{Error, Result};

/// What was counted in one period, over what it was counted in: events over exposure, or successes over trials.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// The count. It need not be whole.
    pub numerator: f64,
    /// Trials, or the exposure in any unit (students, student-days, periods).
    pub denominator: f64,
}

impl Tally {
    /// `numerator` over `denominator`.
    pub fn new(numerator: f64, denominator: f64) -> Self {
        Self { numerator, denominator }
    }

    /// The sum of numerators over the sum of denominators: periods are never averaged.
    pub fn total(periods: &[Self]) -> Self {
        let sum = |part: fn(&Self) -> f64| periods.iter().map(part).sum();
        Self { numerator: sum(|one| one.numerator), denominator: sum(|one| one.denominator) }
    }

    /// Count per unit of the denominator.
    pub fn rate(self) -> f64 {
        self.numerator / self.denominator
    }

    /// Refuses a count below 0, a denominator of 0 or less, and anything not finite.
    pub(crate) fn require(self, what: &str) -> Result<()> {
        if self.numerator >= 0.0 && self.denominator > 0.0 && (self.numerator + self.denominator).is_finite() {
            return Ok(());
        }
        Err(Error::InvalidValue {
            what: what.into(),
            found: format!("{} over {}", self.numerator, self.denominator),
            remedy: "give counts of 0 or more over denominators above 0, and leave periods without them out".into(),
        })
    }

    /// The same, and refuses a count above its denominator.
    pub(crate) fn require_share(self, what: &str) -> Result<()> {
        self.require(what)?;
        if self.numerator <= self.denominator {
            return Ok(());
        }
        Err(Error::InvalidValue {
            what: what.into(),
            found: format!("{} of {}", self.numerator, self.denominator),
            remedy: "a part is at most the whole: correct the data, or take the counts as a rate".into(),
        })
    }
}

/// How much more than chance the periods of two phases vary, and how alike neighbours are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The mean square of the standardised residuals: 1 where periods vary as independent trials, events or waits do.
    pub dispersion: f64,
    /// F: by how much the information in the counts is divided. At least 1, for overdispersion and autocorrelation.
    pub inflation: f64,
    /// The first-order autocorrelation that was allowed for.
    pub phi: f64,
    /// The first-order autocorrelation of the standardised residuals, as it was found.
    pub phi_raw: f64,
    /// Effective degrees of freedom.
    pub df: f64,
}

impl Spread {
    /// Of the standardised residuals of `n_before` and `n_after` periods, each about its own phase, in the order of time:
    /// `F = max(1, sum r^2 / (N - 2)) k2` with `k2 = [v/e (N - 2)] / (1/b + 1/n)` as in [`super::step::step`].
    pub(crate) fn of(residuals: &[f64], n_before: usize, n_after: usize) -> Self {
        let (phi_raw, phi) = autocorrelation(residuals);
        let law = PhaseLaw::new(n_before, n_after, phi);
        let dispersion = residuals.iter().map(|r| r * r).sum::<f64>() / (residuals.len() as f64 - 2.0);
        let inflation = dispersion.max(1.0) * law.inflation_of_estimate();
        Self { dispersion, inflation, phi, phi_raw, df: law.df() }
    }

    /// Of Pearson's residuals (x - m)/sqrt(V), m the period's share of its phase's total and V = `variance(m, rate)`;
    /// 0 where V is.
    pub(crate) fn of_counts(before: &[Tally], after: &[Tally], variance: impl Fn(f64, f64) -> f64) -> Self {
        let residuals: Vec<f64> = [before, after]
            .iter()
            .flat_map(|phase| {
                let rate = Tally::total(phase).rate();
                phase.iter().map(move |one| (one, rate))
            })
            .map(|(one, rate)| {
                let expected = one.denominator * rate;
                let variance = variance(expected, rate);
                if variance > 0.0 { (one.numerator - expected) / variance.sqrt() } else { 0.0 }
            })
            .collect();
        Self::of(&residuals, before.len(), after.len())
    }
}
