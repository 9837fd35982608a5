//! Moving ranges: sigma from neighbours, which a shift or a trend between them hardly touches.

use std::f64::consts::FRAC_PI_2;

use super::choices::Screening;
use super::rows::LimitRows;

/// Two values of the baseline that follow one another.
#[derive(Debug, Clone, Copy)]
struct Pair {
    /// Their absolute difference.
    range: f64,
    /// The row of the first.
    from: usize,
    /// The row of the second.
    to: usize,
}

/// Pairs of neighbours among the rows that count. An excluded row is bridged: what lies on its two sides are neighbours.
/// A row without a value, or outside of the baseline, separates.
fn pairs<'r>(rows: &'r LimitRows<'_>, values: &'r [f64]) -> impl Iterator<Item = Pair> + 'r {
    let mut before: Option<(usize, f64)> = None;
    values.iter().enumerate().filter_map(move |(row, value)| {
        if rows.is_excluded(row) {
            return None;
        }
        let this = (rows.is_baseline(row) && value.is_finite()).then_some((row, *value));
        let (from, first) = std::mem::replace(&mut before, this)?;
        let (to, second) = this?;
        Some(Pair { range: (second - first).abs(), from, to })
    })
}

/// An estimate of sigma from moving ranges.
#[derive(Debug, Clone, Copy)]
pub(super) struct RangeSigma {
    /// The estimate.
    pub(super) sigma: f64,
    /// Its squared coefficient of variation for independent normal values.
    pub(super) cv2: f64,
    /// Ranges that it is the mean of.
    pub(super) n: usize,
    /// Ranges that were left out.
    pub(super) n_screened: usize,
}

/// How ranges become sigma.
#[derive(Debug, Clone, Copy)]
pub(super) struct RangeRule {
    /// What a range is multiplied by.
    pub(super) per_range: f64,
    /// What is done with large ones.
    pub(super) screening: Screening,
    /// How many mean ranges are too large.
    pub(super) limit: f64,
}

/// Sigma by the mean of `values`' moving ranges; none without two neighbours.
///
/// With `is_weighted` the variance of a value is sigma^2 over its row's size, and each range is brought to size 1:
///
/// ```text
/// s_i = |y_i - y_(i-1)| sqrt(pi / 2) / sqrt(1/n_i + 1/n_(i-1))
/// ```
///
/// The variance of the mean follows from that of |Z|, pi/2 - 1 in units of its squared mean, and from the covariance of
/// ranges that share a value, whose differences correlate by rho:
///
/// ```text
/// cov = sqrt(1 - rho^2) + rho asin(rho) - 1,  rho = -1/2 where sizes are equal: sqrt(3)/2 + pi/12 - 1
/// ```
///
/// References: Taylor (2017), Statistical Process Control for I' charts; Cryer & Ryan (1990), J. Qual. Technol. 22:187
/// (the variance of a mean moving range).
pub(super) fn range_sigma(
    rows: &LimitRows<'_>,
    values: &[f64],
    is_weighted: bool,
    rule: RangeRule,
) -> Option<RangeSigma> {
    let variance = |row: usize| if is_weighted { 1.0 / rows.size(row) } else { 1.0 };
    // Equal variances of 1 each give back the plain range.
    let sigmas = || {
        pairs(rows, values).map(|pair| {
            let width = if is_weighted { (0.5 * (variance(pair.from) + variance(pair.to))).sqrt() } else { 1.0 };
            (pair, pair.range * rule.per_range / width)
        })
    };
    let mean = |most: f64| {
        let (sum, n) =
            sigmas().filter(|(_, sigma)| *sigma < most).fold((0.0, 0_usize), |(sum, n), (_, one)| (sum + one, n + 1));
        (sum / n as f64, n)
    };
    let mut most = f64::INFINITY;
    let (mut sigma, n_pairs) = mean(most);
    let mut n_left = n_pairs;
    if n_pairs == 0 {
        return None;
    }
    // Ranges that are all zero are none of them too large.
    while rule.screening != Screening::Off && sigma > 0.0 {
        most = rule.limit * sigma;
        let (screened, n) = mean(most);
        let is_done = n == n_left || rule.screening == Screening::Once;
        (sigma, n_left) = (screened, n);
        if is_done {
            break;
        }
    }
    let mut covariance = 0.0;
    let mut last: Option<Pair> = None;
    for (pair, _) in sigmas().filter(|(_, sigma)| *sigma < most) {
        if let Some(before) = last.filter(|before| before.to == pair.from) {
            covariance += if is_weighted {
                let shared = variance(pair.from);
                let outer = (variance(before.from) + shared) * (shared + variance(pair.to));
                covariance_of(-shared / outer.sqrt())
            } else {
                NEIGHBOURS
            };
        }
        last = Some(pair);
    }
    let n = n_left as f64;
    let cv2 = (n * (FRAC_PI_2 - 1.0) + 2.0 * covariance) / (n * n);
    Some(RangeSigma { sigma, cv2, n: n_left, n_screened: n_pairs - n_left })
}

/// The covariance of |X| and |Y| over the product of their means, for normal X and Y of mean 0 with correlation `rho`.
fn covariance_of(rho: f64) -> f64 {
    (1.0 - rho * rho).sqrt() + rho * rho.asin() - 1.0
}

/// The same for rho = -1/2: sqrt(3)/2 + pi/12 - 1.
const NEIGHBOURS: f64 = 0.866_025_403_784_438_6 + std::f64::consts::PI / 12.0 - 1.0;

/// The sum of products of neighbouring residuals over the sum of their squares: lag-1 autocorrelation as it is found; none
/// without variation. `residual` is asked for rows that count and have a value.
pub(super) fn autocorrelation(
    rows: &LimitRows<'_>,
    values: &[f64],
    residual: impl Fn(usize, f64) -> f64,
) -> Option<f64> {
    let at = |row: usize| values.get(row).map_or(0.0, |value| residual(row, *value));
    let products: f64 = pairs(rows, values).map(|pair| at(pair.from) * at(pair.to)).sum();
    let squares: f64 = values
        .iter()
        .enumerate()
        .filter(|(row, value)| rows.counts(*row) && value.is_finite())
        .map(|(row, value)| residual(row, *value).powi(2))
        .sum();
    (squares > 0.0).then_some(products / squares)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(values: &[f64], rows: &LimitRows<'_>) -> Option<RangeSigma> {
        range_sigma(rows, values, false, RangeRule { per_range: 1.0, screening: Screening::Off, limit: 3.267 })
    }

    #[test]
    fn what_separates_and_what_is_bridged() {
        let values = [1.0, 2.0, 5.0, f64::NAN, 7.0, 11.0];
        let is = |rows: &LimitRows<'_>, mean: f64| {
            assert!((estimate(&values, rows).unwrap().sigma - mean).abs() < 1e-15);
        };
        let rows = LimitRows { value: &values, ..LimitRows::default() };
        is(&rows, (1.0 + 3.0 + 4.0) / 3.0);
        // Without the third row 2 is followed by nothing; without the second 1 is followed by 5.
        let excluded = [false, true, false, false, false, false];
        let rows = LimitRows { is_excluded: &excluded, ..rows };
        is(&rows, 4.0);
        let excluded = [false, false, false, true, false, false];
        let rows = LimitRows { is_excluded: &excluded, ..rows };
        is(&rows, (1.0 + 3.0 + 2.0 + 4.0) / 4.0);
        let baseline = [true, true, false, false, true, true];
        let rows = LimitRows { is_baseline: &baseline, is_excluded: &[], ..rows };
        is(&rows, 2.5);
        let rows = LimitRows { is_baseline: &[true, false, true, false, true, false], ..rows };
        assert!(estimate(&values, &rows).is_none());
    }

    #[test]
    fn one_range_is_a_chi_with_one_degree_of_freedom() {
        let values = [1.0, 2.0];
        let rows = LimitRows { value: &values, ..LimitRows::default() };
        let found = estimate(&values, &rows).unwrap();
        assert!((crate::stats::constants::equivalent_df(found.cv2) - 1.0).abs() < 1e-9);
        assert!((covariance_of(-0.5) - NEIGHBOURS).abs() < 1e-15);
    }
}
