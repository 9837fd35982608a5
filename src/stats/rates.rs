//! The ratio of two rates from counts by period.

use serde::{Deserialize, Serialize};

use super::step::require_points;
use super::tally::{Spread, Tally};
use super::totals::{RateRatio, conditional, require_events};
use crate::Result;

/// The change of a rate between two phases of a series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RateChange {
    /// The ratio of the rates, with its interval.
    pub ratio: RateRatio,
    /// How the periods vary.
    pub spread: Spread,
    /// Periods before.
    pub n_before: usize,
    /// Periods after.
    pub n_after: usize,
}

/// The ratio of the rates of two phases of counts by period, with an interval that allows for overdispersion and
/// autocorrelation.
///
/// With X0, X1 events over the exposures e0, e1, Pearson's residuals r = (x - m)/sqrt(m) from each phase's own rate, and
/// v, e, phi* as in [`super::step::step`], computed on r:
///
/// ```text
/// F = max(1, sum r^2/(N - 2)) k2,  k2 = [v/e (N - 2)]/(1/b + 1/n)
/// p_above = I_pi(X1/F, X0/F + 1),  p_below = I_(1-pi)(X0/F, X1/F + 1),  pi = e1/(e0 + e1)
/// pi_lo = BetaInv(.05; X1/F, X0/F + 1),  pi_hi = BetaInv(.95; X1/F + 1, X0/F)
/// RR = pi/(1 - pi) e0/e1
/// ```
///
/// # Arguments
/// `before`, `after`: events over exposure, one for each period, each phase in the order of time. Where every period is
/// as long and as full as the others the exposure is 1.
///
/// # Missing values
/// None are allowed: leave missing periods out.
///
/// # Errors
/// [`crate::Error::TooFew`] with fewer than 3 periods in a phase; [`crate::Error::InvalidValue`] for counts below 0,
/// exposures of 0 or less, and with no event at all.
///
/// # Reference
/// Przyborowski & Wilenski (1940), Biometrika 31:313 (the conditional test); Wedderburn (1974), Biometrika 61:439
/// (dispersion); Zwiers & von Storch (1995), Journal of Climate 8:336 (autocorrelation).
///
/// ```
/// use brightspot::stats::rates::rates_by_period;
/// use brightspot::stats::tally::Tally;
///
/// let weeks = |counts: &[f64]| counts.iter().map(|&x| Tally::new(x, 500.0)).collect::<Vec<_>>();
/// let before = weeks(&[9.0, 12.0, 8.0, 11.0, 10.0, 13.0, 9.0, 10.0]);
/// let after = weeks(&[5.0, 4.0, 6.0, 3.0, 5.0, 4.0]);
/// let found = rates_by_period(&before, &after)?;
/// assert!((found.ratio.estimate - (27.0 / 6.0) / (82.0 / 8.0)).abs() < 1e-12);
/// assert!(found.ratio.hi < 1.0);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn rates_by_period(before: &[Tally], after: &[Tally]) -> Result<RateChange> {
    require_points("the ratio of two rates", before.len(), after.len())?;
    for period in before.iter().chain(after) {
        period.require("the counts by period")?;
    }
    let (total_before, total_after) = (Tally::total(before), Tally::total(after));
    require_events(total_before.numerator + total_after.numerator)?;
    let spread = Spread::of_counts(before, after, |expected, _| expected);
    let ratio = conditional(total_before, total_after, spread.inflation);
    Ok(RateChange { ratio, spread, n_before: before.len(), n_after: after.len() })
}
