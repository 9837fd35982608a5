//! The ratio of two rates of rare events, from the gaps between them.

use super::beta;
use super::rates::RateChange;
use super::step::{ALPHA, require_points};
use super::tally::Spread;
use super::totals::RateRatio;
use crate::{Error, Result};

/// The ratio of the rates of rare events in two phases, from what passed until each event.
///
/// Every point is one event, and its value what passed until it: opportunities (the event's own among them) or time. The
/// rate of a phase is the reciprocal of its mean value. If events are rare and come at a constant rate, the share of all
/// that passed which lies after the change is a Beta variable; with G0, G1 the sums, residuals r = g / (mean of the
/// phase) - 1, whose mean square is 1 for independent waits, and v, e, phi* as in [`super::step::step`], computed on r:
///
/// ```text
/// F = max(1, sum r^2/(N - 2)) k2,  k2 = [v/e (N - 2)]/(1/b + 1/n)
/// p_above = P(B <= G1/(G0 + G1)),  p_below = P(B >= G1/(G0 + G1)),  B ~ Beta(n/F, b/F)
/// RR = (n/G1)/(b/G0), from q/(1 - q) G0/G1 at the 5% and 95% points q of B
/// ```
///
/// # Arguments
/// `before`, `after`: what passed until each event, above 0, each phase in the order of time.
///
/// # Missing values
/// None are allowed: leave missing points out.
///
/// # Errors
/// [`Error::TooFew`] with fewer than 3 events in a phase; [`Error::InvalidValue`] for a value of 0 or less, or not finite.
///
/// # Notes
/// Opportunities that are not rare vary less than waiting times do (their dispersion is 1 - rate), so that the interval
/// is then wider than it need be.
///
/// # Reference
/// Cox (1953), Biometrika 40:354 (the ratio of two rates from fixed numbers of events); dispersion and autocorrelation as
/// in [`super::rates::rates_by_period`].
///
/// ```
/// use brightspot::stats::gaps::gaps_between_events;
///
/// let before = [12.0, 30.0, 7.0, 21.0, 15.0, 9.0, 26.0, 18.0];
/// let after = [60.0, 95.0, 44.0, 120.0, 71.0, 88.0];
/// let found = gaps_between_events(&before, &after)?;
/// assert!((found.ratio.estimate - (6.0 / 478.0) / (8.0 / 138.0)).abs() < 1e-12);
/// assert!(found.ratio.hi < 1.0);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn gaps_between_events(before: &[f64], after: &[f64]) -> Result<RateChange> {
    require_points("the ratio of two rates of rare events", before.len(), after.len())?;
    if let Some(gap) = before.iter().chain(after).find(|gap| !(**gap > 0.0 && gap.is_finite())) {
        return Err(Error::InvalidValue {
            what: "the gaps between events".into(),
            found: format!("{gap} among them"),
            remedy: "give what passed until each event, above 0, and leave missing points out".into(),
        });
    }
    let (b, n) = (before.len() as f64, after.len() as f64);
    let (passed_before, passed_after) = (before.iter().sum::<f64>(), after.iter().sum::<f64>());
    let residual = |total: f64, count: f64| move |gap: &f64| gap * count / total - 1.0;
    let residuals: Vec<f64> =
        before.iter().map(residual(passed_before, b)).chain(after.iter().map(residual(passed_after, n))).collect();
    let spread = Spread::of(&residuals, before.len(), after.len());
    let (events_before, events_after) = (b / spread.inflation, n / spread.inflation);
    let passed = passed_before + passed_after;
    let ratio_at = |prob: f64| {
        let share = beta::quantile(prob, events_after, events_before);
        share / (1.0 - share) * passed_before / passed_after
    };
    let ratio = RateRatio {
        estimate: (n / passed_after) / (b / passed_before),
        lo: ratio_at(ALPHA),
        hi: ratio_at(1.0 - ALPHA),
        p_above: beta::cdf(events_after, events_before, passed_after / passed),
        p_below: beta::cdf(events_before, events_after, passed_before / passed),
        before: b / passed_before,
        after: n / passed_after,
        inflation: spread.inflation,
        // Gaps may be as long or as short as they like.
        p_smallest: 0.0,
    };
    Ok(RateChange { ratio, spread, n_before: before.len(), n_after: after.len() })
}
