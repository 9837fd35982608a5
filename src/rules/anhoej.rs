//! Anhøj's rules: how long a run may be, and how few crossings there may be, before a series is called unstable.

use statrs::distribution::{Binomial, DiscreteCDF};

/// How far the longest run may exceed its typical length, log2 n (Schilling 2012).
const LONGEST_RUN_MARGIN: usize = 3;

/// How improbable too few crossings are for a fair coin (Chen 2010).
const CROSSINGS_PROB: f64 = 0.05;

/// The longest run that is still no signal: round(log2 n) + 3.
///
/// * `n_useful`: points that are not on the centre line; with none the limit is 0.
///
/// References: Schilling (2012), Math. Mag. 85:141; Anhøj & Olesen (2014), PLOS ONE 9(11) e113825.
///
/// ```
/// assert_eq!(brightspot::rules::longest_run_max(24), 8);
/// ```
pub fn longest_run_max(n_useful: usize) -> usize {
    // round(log2 n) = floor(log2(2 n^2) / 2), in whole numbers.
    let twice_square = (n_useful as u128).saturating_mul(n_useful as u128).saturating_mul(2);
    twice_square.checked_ilog2().map_or(0, |log| log as usize / 2 + LONGEST_RUN_MARGIN)
}

/// The fewest crossings that are still no signal: the 5% quantile of Binomial(n - 1, 1/2).
///
/// * `n_useful`: points that are not on the centre line; with fewer than two the limit is 0.
///
/// References: Chen (2010), Model Assist. Stat. Appl. 5:73; Anhøj & Olesen (2014), PLOS ONE 9(11) e113825.
///
/// ```
/// assert_eq!(brightspot::rules::n_crossings_min(24), 8);
/// ```
pub fn n_crossings_min(n_useful: usize) -> usize {
    // One half is a probability, so there is always such a law.
    Binomial::new(0.5, n_useful.saturating_sub(1) as u64)
        .map_or(0, |crossings| usize::try_from(crossings.inverse_cdf(CROSSINGS_PROB)).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The quantile in whole numbers: the smallest c with 20 x (C(m,0) + ... + C(m,c)) >= 2^m, m = n - 1.
    #[test]
    fn crossings_by_counting() {
        for n in 1..=100_u32 {
            let m = u128::from(n - 1);
            let (mut c, mut choose, mut sum) = (0_u128, 1_u128, 1_u128);
            while 20 * sum < 1 << m {
                choose = choose * (m - c) / (c + 1);
                c += 1;
                sum += choose;
            }
            assert_eq!(n_crossings_min(n as usize) as u128, c, "{n}");
        }
        assert_eq!((longest_run_max(0), n_crossings_min(0)), (0, 0));
    }

    #[test]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 0 and 17
    fn rounding_agrees_with_logarithms() {
        for n in 1..100_000_usize {
            assert_eq!(longest_run_max(n), (n as f64).log2().round() as usize + 3, "{n}");
        }
    }
}
