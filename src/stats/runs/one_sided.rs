//! One-sided probabilities of what comes after a frozen median.

use super::compositions::{LnFactorials, ln_beta_binomial, sweep_long_shares};
use crate::{Error, Result};

/// The Beta law of the probability that a later point lies above the (upper) middle value of `b` baseline values.
///
/// The middle value is the order statistic m = floor(b/2) + 1, so its rank probability is Beta(m, b - m + 1) and what
/// lies above it Beta(b - m + 1, m), whatever the (continuous) distribution of the values. With an even `b` the mean
/// of the two middle values would not be free of that distribution; the upper one is, and errs on the careful side.
fn above_middle(n_baseline: usize) -> Result<(f64, f64)> {
    if n_baseline == 0 {
        return Err(Error::option("n_baseline", 0, "at least 1: there is no median of nothing"));
    }
    let middle = n_baseline / 2 + 1;
    Ok(((n_baseline - middle + 1) as f64, middle as f64))
}

/// The probability that a stable process puts `n_above` or more of `n_after` later points above a frozen median.
///
/// P(A >= k) with A ~ BetaBinomial(n; b - m + 1, m), m = floor(b/2) + 1: the median test. For an even number of
/// baseline values "above" means above the upper of the two middle values; "below" is the mirror image.
///
/// * `n_baseline`: how many values the median was taken of; `n_after`: how many independent values followed.
/// * `n_above`: how many of them were strictly above. A value equal to the median counts as not above.
///
/// # Errors
/// [`Error::InvalidOption`] if there is no baseline value.
///
/// Reference: Mathisen (1943), Ann. Math. Stat. 14:188.
///
/// ```
/// let p = brightspot::stats::runs::prob_count_above(5, 4, 4)?;
/// assert!((p - 0.1190476190).abs() < 1e-9);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn prob_count_above(n_baseline: usize, n_after: usize, n_above: usize) -> Result<f64> {
    let above = above_middle(n_baseline)?;
    let ln_factorials = LnFactorials::up_to(n_after);
    let sum: f64 = (n_above..=n_after).map(|i| ln_beta_binomial(&ln_factorials, n_after, i, above).exp()).sum();
    Ok(if n_above == 0 { 1.0 } else { sum.min(1.0) })
}

/// The probability that a stable process puts `run_length` or more points in a row above a frozen median.
///
/// Sum over the number c of later points not above, c ~ BetaBinomial(n; m, b - m + 1), of the share of orders in which
/// one of the c + 1 gaps holds `run_length` or more points above. That share is a count of compositions of n + 1 into
/// c + 1 parts. For an even baseline see [`prob_count_above`].
///
/// * `n_baseline`: how many values the median was taken of; `n_after`: how many independent values followed.
/// * `run_length`: points in a row strictly above. A value equal to the median ends the run.
///
/// # Errors
/// [`Error::InvalidOption`] if there is no baseline value.
///
/// Reference: Mathisen (1943), Ann. Math. Stat. 14:188, for the mixture; Mood (1940), Ann. Math. Stat. 11:367, for the
/// runs.
///
/// ```
/// let p = brightspot::stats::runs::prob_run_above(5, 6, 4)?;
/// assert!((p - 0.1904761905).abs() < 1e-9);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn prob_run_above(n_baseline: usize, n_after: usize, run_length: usize) -> Result<f64> {
    let (above, below) = above_middle(n_baseline)?;
    if run_length == 0 {
        return Ok(1.0);
    }
    let ln_factorials = LnFactorials::up_to(n_after);
    let mut sum = 0.0;
    sweep_long_shares(n_after + 1, n_after + 1, run_length, |parts, _, column| {
        let n_below = parts - 1;
        let weight = ln_beta_binomial(&ln_factorials, n_after, n_below, (below, above)).exp();
        sum += weight * column.get(n_after + 1).copied().unwrap_or(0.0);
    });
    Ok(sum.min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::float_cmp)] // 0 and 1 are meant exactly
    fn edges() {
        assert_eq!(prob_run_above(0, 5, 2).unwrap_err().code(), "invalid_option");
        assert_eq!(prob_count_above(7, 5, 0).unwrap(), 1.0);
        assert_eq!(prob_count_above(7, 5, 6).unwrap(), 0.0);
        assert_eq!(prob_run_above(7, 5, 0).unwrap(), 1.0);
        assert_eq!(prob_run_above(7, 5, 6).unwrap(), 0.0);
        assert_eq!(prob_run_above(7, 0, 1).unwrap(), 0.0);
        // All n above, as a run and as a count: the same event.
        let (run, count) = (prob_run_above(12, 9, 9).unwrap(), prob_count_above(12, 9, 9).unwrap());
        assert!((run - count).abs() < 1e-14);
    }
}
