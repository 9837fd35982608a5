//! The difference of two rates, with an interval put together from the intervals of the two.

use super::standard::garwood;
use super::step::LEVEL;
use super::tally::Tally;
use crate::Result;

/// Rate after minus rate before, with its 90% interval: (estimate, lo, hi).
///
/// With r and (l, u) the rate and Garwood's interval of each phase, from counts and exposures divided by `inflation`:
///
/// ```text
/// lo = d - sqrt[(r1 - l1)^2 + (u0 - r0)^2],  hi = d + sqrt[(u1 - r1)^2 + (r0 - l0)^2]
/// ```
///
/// # Arguments
/// `before`, `after`: events over exposure. `inflation`: how many times larger than Poisson's the variance is, at least 1.
///
/// # Errors
/// [`crate::Error::InvalidValue`] for counts below 0 or an exposure of 0 or less.
///
/// # Reference
/// Zou & Donner (2008), Statistics in Medicine 27:1693; Garwood (1936), Biometrika 28:437.
///
/// ```
/// use brightspot::stats::{rate_difference::rate_difference, tally::Tally};
///
/// let (estimate, lo, hi) = rate_difference(Tally::new(60.0, 1.0), Tally::new(42.0, 1.0), 1.0)?;
/// assert!(estimate == -18.0 && lo < -30.0 && hi < 0.0);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn rate_difference(before: Tally, after: Tally, inflation: f64) -> Result<(f64, f64, f64)> {
    let effective = |one: Tally| Tally::new(one.numerator / inflation, one.denominator / inflation);
    let (lo_before, hi_before) = garwood(effective(before), LEVEL)?;
    let (lo_after, hi_after) = garwood(effective(after), LEVEL)?;
    let (before, after) = (before.rate(), after.rate());
    let estimate = after - before;
    let lo = estimate - (after - lo_after).hypot(hi_before - before);
    let hi = estimate + (hi_after - after).hypot(before - lo_before);
    Ok((estimate, lo, hi))
}
