//! The difference of two proportions from counts by period.

use serde::{Deserialize, Serialize};

use super::step::{require_points, upper_quantile};
use super::student;
use super::tally::{Spread, Tally};
use crate::{Error, Result};

/// The change of a proportion between two phases of a series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ProportionChange {
    /// Proportion after minus proportion before.
    pub estimate: f64,
    /// The middle of the interval before it is cut at -1 and 1: the difference of the proportions with a success and a
    /// failure added to each phase.
    pub middle: f64,
    /// The standard error of `middle`.
    pub se: f64,
    /// Lower end of the 90% interval.
    pub lo: f64,
    /// Upper end of the 90% interval.
    pub hi: f64,
    /// The proportion before: successes over trials.
    pub before: f64,
    /// The proportion after.
    pub after: f64,
    /// One-sided p of a higher proportion after.
    pub p_above: f64,
    /// One-sided p of a lower proportion after.
    pub p_below: f64,
    /// How the periods vary; its `df` are those of the interval.
    pub spread: Spread,
    /// Periods before.
    pub n_before: usize,
    /// Periods after.
    pub n_after: usize,
}

/// The difference of the proportions of two phases of counts by period, with an interval that allows for overdispersion
/// and autocorrelation.
///
/// With Pearson's residuals r from each phase's own proportion, v, e, phi*, nu as in [`super::step::step`], computed on
/// r, and X successes of N trials in a phase:
///
/// ```text
/// F = max(1, sum r^2/(b + n - 2)) k2,  k2 = [v/e (b + n - 2)]/(1/b + 1/n)
/// p~ = (X/F + 1)/(N/F + 2) in each phase,  SE^2 = sum over both of p~ (1 - p~)/(N/F + 2)
/// p~1 - p~0 -+ t SE, with Student's t on nu degrees of freedom
/// ```
///
/// that is the interval of Agresti & Caffo on the effective counts. With many trials it is the familiar
/// p1 - p0 -+ t sqrt(F (p0 q0/N0 + p1 q1/N1)); with few successes that one is far too sure (a short phase in which
/// nothing happened has no variance at all).
///
/// # Arguments
/// `before`, `after`: successes over trials, one for each period, each phase in the order of time.
///
/// # Missing values
/// None are allowed: leave missing periods out.
///
/// # Errors
/// [`Error::TooFew`] with fewer than 3 periods in a phase; [`Error::InvalidValue`] for counts below 0 or above their
/// trials, trials of 0 or less, and where all trials have the same outcome.
///
/// # Reference
/// Agresti & Caffo (2000), The American Statistician 54:280; Wedderburn (1974), Biometrika 61:439 (dispersion); Zwiers &
/// von Storch (1995), Journal of Climate 8:336 (autocorrelation).
///
/// ```
/// use brightspot::stats::proportions::proportions_by_period;
/// use brightspot::stats::tally::Tally;
///
/// let weeks = |counts: &[f64]| counts.iter().map(|&x| Tally::new(x, 60.0)).collect::<Vec<_>>();
/// let before = weeks(&[30.0, 33.0, 28.0, 31.0, 35.0, 30.0, 29.0, 32.0]);
/// let after = weeks(&[44.0, 41.0, 46.0, 43.0, 42.0, 45.0]);
/// let found = proportions_by_period(&before, &after)?;
/// assert!((found.estimate - (261.0 / 360.0 - 248.0 / 480.0)).abs() < 1e-12);
/// assert!(found.lo > 0.1 && found.p_above < 0.001);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn proportions_by_period(before: &[Tally], after: &[Tally]) -> Result<ProportionChange> {
    require_points("the difference of two proportions", before.len(), after.len())?;
    for period in before.iter().chain(after) {
        period.require_share("the counts by period")?;
    }
    let (total_before, total_after) = (Tally::total(before), Tally::total(after));
    if !has_both_outcomes(total_before, total_after) {
        return Err(Error::InvalidValue {
            what: "the counts before and after the change".into(),
            found: "the same outcome in all trials".into(),
            remedy: "collect data until both outcomes occur: no error of the difference can be estimated".into(),
        });
    }
    let spread = Spread::of_counts(before, after, |expected, proportion| expected * (1.0 - proportion));
    let (p0, variance0) = careful(total_before, spread.inflation);
    let (p1, variance1) = careful(total_after, spread.inflation);
    let middle = p1 - p0;
    let se = (variance0 + variance1).sqrt();
    let half_width = upper_quantile(spread.df)? * se;
    if !(se > 0.0 && half_width.is_finite()) {
        let what = "the standard error of a difference of proportions".into();
        return Err(Error::Numerical { what, problem: format!("se = {se}") });
    }
    Ok(ProportionChange {
        estimate: total_after.rate() - total_before.rate(),
        middle,
        se,
        lo: (middle - half_width).max(-1.0),
        hi: (middle + half_width).min(1.0),
        before: total_before.rate(),
        after: total_after.rate(),
        p_above: student::above(middle / se, spread.df),
        p_below: student::above(-middle / se, spread.df),
        spread,
        n_before: before.len(),
        n_after: after.len(),
    })
}

/// Whether there is a success and a failure in all.
pub(crate) fn has_both_outcomes(before: Tally, after: Tally) -> bool {
    let successes = before.numerator + after.numerator;
    successes > 0.0 && successes < before.denominator + after.denominator
}

/// The proportion with a success and a failure added to what counts of the phase, and its variance.
fn careful(total: Tally, inflation: f64) -> (f64, f64) {
    let n = total.denominator / inflation + 2.0;
    let p = (total.numerator / inflation + 1.0) / n;
    (p, p * (1.0 - p) / n)
}
