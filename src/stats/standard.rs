//! A proportion or a rate against a standard: the exact tails, and the intervals that are their duals.

use serde::{Deserialize, Serialize};
use statrs::function::gamma::{gamma_lr, gamma_ur};

use super::beta;
use super::step::LEVEL;
use super::student::chi_square_quantile;
use super::tally::Tally;
use crate::{Error, Result};

/// What was observed against what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AgainstStandard {
    /// The proportion or the rate that was observed.
    pub observed: f64,
    /// Lower end of its 90% interval.
    pub lo: f64,
    /// Upper end of its 90% interval.
    pub hi: f64,
    /// What it was held against.
    pub standard: f64,
    /// One-sided p of more than the standard: P(X >= x) if the standard were met exactly.
    pub p_above: f64,
    /// One-sided p of less than the standard: P(X <= x) if the standard were met exactly.
    pub p_below: f64,
    /// The smallest p that so many trials could have given, in the direction where it is smaller: above .05 nothing could
    /// have been shown.
    pub p_smallest: f64,
}

/// A proportion against a standard, by the exact binomial tails.
///
/// ```text
/// P(X >= x) = I_p(x, n - x + 1),  P(X <= x) = I_(1-p)(n - x, x + 1),  p the standard
/// ```
///
/// with the 90% interval of Clopper and Pearson.
///
/// # Arguments
/// `counted`: successes over trials; `standard`: the proportion it should be, between 0 and 1, both excluded.
///
/// # Missing values
/// None are allowed.
///
/// # Errors
/// [`Error::InvalidValue`] for impossible counts, [`Error::InvalidOption`] for an impossible standard.
///
/// # Notes
/// Trials are taken as independent (`independence_assumed`).
///
/// # Reference
/// Etchells & Woodcock (2018), BMJ Qual. Saf. 27:61 (small samples against a standard); Clopper & Pearson (1934),
/// Biometrika 26:404.
///
/// ```
/// use brightspot::stats::standard::proportion_against;
/// use brightspot::stats::tally::Tally;
///
/// // 6 of 12 lessons, where 80% is the standard.
/// let found = proportion_against(Tally::new(6.0, 12.0), 0.8)?;
/// assert!((found.p_below - 0.0194).abs() < 5e-5);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn proportion_against(counted: Tally, standard: f64) -> Result<AgainstStandard> {
    if !(standard > 0.0 && standard < 1.0) {
        return Err(Error::option("standard", standard, "a proportion between 0 and 1, both excluded"));
    }
    let (lo, hi) = clopper_pearson(counted, LEVEL)?;
    let (x, n) = (counted.numerator, counted.denominator);
    Ok(AgainstStandard {
        observed: counted.rate(),
        lo,
        hi,
        standard,
        p_above: beta::cdf(x, n - x + 1.0, standard),
        p_below: beta::cdf(n - x, x + 1.0, 1.0 - standard),
        p_smallest: standard.min(1.0 - standard).powf(n),
    })
}

/// A rate against a standard, by the exact tails of the Poisson distribution.
///
/// With x events where m = standard times exposure are expected, `P(X >= x) = P(x, m)` and `P(X <= x) = Q(x + 1, m)` (the
/// regularised incomplete gamma functions), and Garwood's 90% interval.
///
/// # Arguments
/// `counted`: events over exposure; `standard`: the rate it should be, per unit of exposure, above 0.
///
/// # Missing values
/// None are allowed.
///
/// # Errors
/// [`Error::InvalidValue`] for impossible counts, [`Error::InvalidOption`] for an impossible standard.
///
/// # Notes
/// Events are taken as independent (`independence_assumed`).
///
/// # Reference
/// Garwood (1936), Biometrika 28:437.
///
/// ```
/// use brightspot::stats::standard::rate_against;
/// use brightspot::stats::tally::Tally;
///
/// // No event where 3 are expected: exp(-3).
/// let found = rate_against(Tally::new(0.0, 1500.0), 0.002)?;
/// assert!((found.p_below - (-3.0_f64).exp()).abs() < 1e-12);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn rate_against(counted: Tally, standard: f64) -> Result<AgainstStandard> {
    if !(standard > 0.0 && standard.is_finite()) {
        return Err(Error::option("standard", standard, "a rate above 0"));
    }
    let (lo, hi) = garwood(counted, LEVEL)?;
    let x = counted.numerator;
    let expected = standard * counted.denominator;
    Ok(AgainstStandard {
        observed: counted.rate(),
        lo,
        hi,
        standard,
        p_above: if x > 0.0 { gamma_lr(x, expected) } else { 1.0 },
        p_below: gamma_ur(x + 1.0, expected),
        // However few are expected, there may be many.
        p_smallest: 0.0,
    })
}

/// The exact interval of a proportion that covers it with at least the probability `level`.
///
/// `BetaInv(a; x, n - x + 1)` to `BetaInv(1 - a; x + 1, n - x)` with a = (1 - level)/2: 0 at the lower end if there is no
/// success, 1 at the upper if there is no failure.
///
/// # Errors
/// [`Error::InvalidValue`] for counts below 0 or above their trials; [`Error::InvalidOption`] for a level that is not
/// between 0 and 1.
///
/// # Reference
/// Clopper & Pearson (1934), Biometrika 26:404.
///
/// ```
/// use brightspot::stats::{standard::clopper_pearson, tally::Tally};
/// // Nothing in 10: the upper end is 1 - .05^(1/10).
/// let (lo, hi) = clopper_pearson(Tally::new(0.0, 10.0), 0.9)?;
/// assert!(lo == 0.0 && (hi - (1.0 - 0.05_f64.powf(0.1))).abs() < 1e-12);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn clopper_pearson(counted: Tally, level: f64) -> Result<(f64, f64)> {
    counted.require_share("the successes and trials")?;
    let tail = tail_of(level)?;
    let (x, n) = (counted.numerator, counted.denominator);
    Ok((beta::quantile(tail, x, n - x + 1.0), beta::quantile(1.0 - tail, x + 1.0, n - x)))
}

/// The exact interval of a rate that covers it with at least the probability `level`.
///
/// `GammaInv(a; x)` to `GammaInv(1 - a; x + 1)`, each over the exposure, with a = (1 - level)/2; 0 at the lower end if
/// there is no event.
///
/// # Errors
/// [`Error::InvalidValue`] for counts below 0 or an exposure of 0 or less; [`Error::InvalidOption`] for a level that is
/// not between 0 and 1.
///
/// # Reference
/// Garwood (1936), Biometrika 28:437.
///
/// ```
/// use brightspot::stats::{standard::garwood, tally::Tally};
/// // Nothing in 100 days: "the rule of three" at 95%, one-sided.
/// let (lo, hi) = garwood(Tally::new(0.0, 100.0), 0.9)?;
/// assert!(lo == 0.0 && (hi - 0.029_957).abs() < 1e-6);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn garwood(counted: Tally, level: f64) -> Result<(f64, f64)> {
    counted.require("the events and the exposure")?;
    let tail = tail_of(level)?;
    let x = counted.numerator;
    let lo = if x > 0.0 { gamma_quantile(tail, x) } else { 0.0 };
    Ok((lo / counted.denominator, gamma_quantile(1.0 - tail, x + 1.0) / counted.denominator))
}

fn tail_of(level: f64) -> Result<f64> {
    if level > 0.0 && level < 1.0 {
        return Ok((1.0 - level) / 2.0);
    }
    Err(Error::option("level", level, "between 0 and 1, both excluded"))
}

/// Twice a gamma variable is chi-square on twice its shape.
fn gamma_quantile(p: f64, shape: f64) -> f64 {
    chi_square_quantile(p, 2.0 * shape) / 2.0
}
