//! The ratio of two rates from two totals: the exact conditional test, and the core of the comparison by period.

use serde::{Deserialize, Serialize};

use super::beta;
use super::step::ALPHA;
use super::tally::Tally;
use crate::{Error, Result};

/// The ratio of two rates, after over before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RateRatio {
    /// Rate after over rate before; infinite with no event before.
    pub estimate: f64,
    /// Lower end of the 90% interval; 0 with no event after.
    pub lo: f64,
    /// Upper end of the 90% interval; infinite with no event before.
    pub hi: f64,
    /// One-sided p of a higher rate after.
    pub p_above: f64,
    /// One-sided p of a lower rate after.
    pub p_below: f64,
    /// The rate before.
    pub before: f64,
    /// The rate after.
    pub after: f64,
    /// F: by how much the information in the counts was divided; 1 for independent events.
    pub inflation: f64,
    /// The smallest p that so many events could have given, in the direction where it is smaller: above .05 nothing
    /// could have been shown.
    pub p_smallest: f64,
}

/// The ratio of the rates of two totals, by the exact conditional test.
///
/// Given the number of events in all, those after are binomial with probability pi = e1/(e0 + e1) if the rates are equal:
///
/// ```text
/// P(X1 >= x1) = I_pi(x1/F, x0/F + 1),   P(X1 <= x1) = I_(1-pi)(x0/F, x1/F + 1)
/// pi_lo = BetaInv(.05; x1/F, x0/F + 1), pi_hi = BetaInv(.95; x1/F + 1, x0/F)
/// RR = pi/(1 - pi) e0/e1
/// ```
///
/// with F = `clumping`: 1 for independent events, and then the test is the exact binomial.
///
/// # Arguments
/// `before`, `after`: events over exposure (equal spans of time: 1 and 1). `clumping`: how many times larger than a
/// Poisson count's the variance of a total is, at least 1; see [`clumping`] for counts by student.
///
/// # Missing values
/// None are allowed.
///
/// # Errors
/// [`Error::InvalidValue`] for counts below 0, exposures of 0 or less, and with no event at all;
/// [`Error::InvalidOption`] for a clumping below 1.
///
/// # Notes
/// It assumes independence (`independence_assumed`): two totals cannot tell how much periods vary. With counts by period
/// use [`super::rates::rates_by_period`].
///
/// # Reference
/// Przyborowski & Wilenski (1940), Biometrika 31:313.
///
/// ```
/// use brightspot::stats::tally::Tally;
/// use brightspot::stats::totals::two_totals;
///
/// let found = two_totals(Tally::new(60.0, 1.0), Tally::new(42.0, 1.0), 1.0)?;
/// assert_eq!(found.estimate, 0.7);
/// assert!((found.p_below - 0.046).abs() < 0.0005 && found.hi < 1.0);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn two_totals(before: Tally, after: Tally, clumping: f64) -> Result<RateRatio> {
    before.require("the total before the change")?;
    after.require("the total after the change")?;
    require_events(before.numerator + after.numerator)?;
    if !(clumping >= 1.0 && clumping.is_finite()) {
        return Err(Error::option("clumping", clumping, "a number of at least 1"));
    }
    Ok(conditional(before, after, clumping))
}

/// How clumped events are that come several to a student: `max(1, sum x^2 / sum x)` over the counts x by student.
///
/// A total of clumps of size x has the variance sum x^2 where independent events have sum x. Give it to [`two_totals`].
///
/// # Errors
/// [`Error::InvalidValue`] for a count below 0 or not finite.
///
/// ```
/// use brightspot::stats::totals::clumping;
///
/// // Two students with 5 events each and five with 1: (2 * 25 + 5)/15.
/// let found = clumping(&[5.0, 5.0, 1.0, 1.0, 1.0, 1.0, 1.0])?;
/// assert!((found - 55.0 / 15.0).abs() < 1e-12);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn clumping(counts: &[f64]) -> Result<f64> {
    if let Some(count) = counts.iter().find(|count| !(**count >= 0.0 && count.is_finite())) {
        return Err(Error::InvalidValue {
            what: "the counts by student".into(),
            found: format!("{count} among them"),
            remedy: "give counts of 0 or more".into(),
        });
    }
    let events: f64 = counts.iter().sum();
    let squares: f64 = counts.iter().map(|count| count * count).sum();
    Ok(if events > 0.0 { (squares / events).max(1.0) } else { 1.0 })
}

/// Refuses data without a single event: no rate ratio exists.
pub(crate) fn require_events(n_events: f64) -> Result<()> {
    if n_events > 0.0 {
        return Ok(());
    }
    Err(Error::InvalidValue {
        what: "the events before and after the change".into(),
        found: "none".into(),
        remedy: "collect data until there are events: a ratio of two rates of 0 does not exist".into(),
    })
}

/// The conditional comparison with the counts divided by `inflation`.
pub(crate) fn conditional(before: Tally, after: Tally, inflation: f64) -> RateRatio {
    let (x0, x1) = (before.numerator / inflation, after.numerator / inflation);
    let share_before = before.denominator / (before.denominator + after.denominator);
    let share_after = after.denominator / (before.denominator + after.denominator);
    let exposures = before.denominator / after.denominator;
    let ratio_of = |share: f64| share / (1.0 - share) * exposures;
    let n_events = x0 + x1;
    RateRatio {
        estimate: after.rate() / before.rate(),
        lo: ratio_of(beta::quantile(ALPHA, x1, x0 + 1.0)),
        hi: ratio_of(beta::quantile(1.0 - ALPHA, x1 + 1.0, x0)),
        p_above: beta::cdf(x1, x0 + 1.0, share_after),
        p_below: beta::cdf(x0, x1 + 1.0, share_before),
        before: before.rate(),
        after: after.rate(),
        inflation,
        p_smallest: share_before.min(share_after).powf(n_events),
    }
}
