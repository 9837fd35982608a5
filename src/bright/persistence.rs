//! Does it last? The probability that a unit exceeds the threshold in most of its periods.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats::normal::density;
use crate::stats::normal_table::Phi;

/// Below this share of the unit's variance, that of its periods is none: all its periods are alike.
const NO_PERIODS: f64 = 1e-4;
/// The quadrature over the unit's effect ends here; in steps of standard deviations.
const ENDS: f64 = 6.0;
const COARSEST: f64 = 0.5;
const FINEST: f64 = 0.01;
/// A trapezoid of half the narrowest transition errs by less than 1e-4.
const PER_TRANSITION: f64 = 0.5;
/// Below this (in standard deviations of a period) the rest of T moves a period's probability by less than 1e-4.
const STILL: f64 = 0.02;
/// Nodes and weights of Gauss-Hermite quadrature with nine points against the standard normal (Abramowitz & Stegun 1964,
/// table 25.10, rescaled), for what is around the unit.
const INNER: [(f64, f64); 9] = [
    (-4.512_745_863_399_783, 2.234_584_400_774_66e-5),
    (-3.205_429_002_856_47, 2.789_141_321_231_77e-3),
    (-2.076_847_978_677_83, 4.991_640_676_521_79e-2),
    (-1.023_255_663_789_133, 0.244_097_502_894_939_4),
    (0.0, 0.406_349_206_349_206_3),
    (1.023_255_663_789_133, 0.244_097_502_894_939_4),
    (2.076_847_978_677_83, 4.991_640_676_521_79e-2),
    (3.205_429_002_856_47, 2.789_141_321_231_77e-3),
    (4.512_745_863_399_783, 2.234_584_400_774_66e-5),
];

/// What lasts, over all units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Persistence {
    /// Units with enough periods to ask.
    pub n_units: usize,
    /// The number of them expected to exceed the threshold in enough of their periods, against peers.
    pub expected: f64,
    /// The number that would if nothing lasted: the same differences, drawn anew in every period.
    pub by_chance: f64,
    /// As `expected`, against all units.
    pub expected_overall: f64,
    /// As `by_chance`, against all units.
    pub by_chance_overall: f64,
}

/// One unit in one period.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct PeriodRow {
    /// The position of the unit among the units.
    pub unit: usize,
    /// The code of the period.
    pub period: u32,
    /// Rows.
    pub n: usize,
    /// The unit's effect in that period against peers, shrunken; units of the outcome.
    pub effect: f64,
    /// The standard deviation of its prediction error.
    pub sd: f64,
    /// The probability that it exceeds the threshold.
    pub prob_exceeds: f64,
}

/// One period of a unit: rows, and the mean of y - X beta.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) period: u32,
    pub(crate) n: f64,
    pub(crate) residual: f64,
}

/// What is known of a unit: its effect, and the total of it and what is around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) effect: f64,
    pub(crate) variance: f64,
    pub(crate) total: f64,
    pub(crate) total_variance: f64,
    pub(crate) covariance: f64,
}

/// Variances of the unit in one period beyond the unit, and of rows; and of the unit itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) unit: f64,
    pub(crate) period: f64,
    pub(crate) row: f64,
}

/// The periods that must exceed the threshold out of m, where none is given: two of three.
pub(crate) fn usual(m: usize) -> usize {
    (2 * m).div_ceil(3)
}

/// The effect of a unit in one period, and the standard deviation of its prediction error.
///
/// With l = v n/(sigma^2 + v n), v the variance of periods: `b_t` given b, T and the data has mean b + l (r - T) and variance
/// v (1 - l), r the period's mean residual.
pub(crate) fn in_period(known: &Known, cell: &Cell, spread: &Spread) -> (f64, f64) {
    let l = share(cell, spread);
    let variance = known.variance + l * l * known.total_variance - 2.0 * l * known.covariance;
    (known.effect + l * (cell.residual - known.total), (variance + spread.period * (1.0 - l)).max(0.0).sqrt())
}

fn share(cell: &Cell, spread: &Spread) -> f64 {
    let signal = spread.period * cell.n;
    if signal > 0.0 { signal / (spread.row + signal) } else { 0.0 }
}

/// P(the effect exceeds the threshold in at least `k` of the unit's periods).
///
/// Periods are independent given (b, T) and their own data, so that the number of them above is Poisson-binomial; it is
/// integrated over the joint law of b and T. With U = b - L T, L the mean of the periods' l, the periods depend on T
/// beyond U only as far as their l differ: U is integrated by trapezoid, T given U by nine Gauss-Hermite nodes. (Within no
/// group T is b itself, and U alone is left.)
pub(crate) fn prob_at_least(k: usize, known: &Known, cells: &[Cell], spread: &Spread, threshold: f64) -> f64 {
    let phi = Phi::new();
    if spread.period <= NO_PERIODS * spread.unit {
        return phi.exceeds(known.effect, known.variance.max(0.0).sqrt(), threshold);
    }
    let l: Vec<f64> = cells.iter().map(|cell| share(cell, spread)).collect();
    let mean_l = l.iter().sum::<f64>() / l.len().max(1) as f64;
    let center = known.effect - mean_l * known.total;
    let variance = known.variance + mean_l * mean_l * known.total_variance - 2.0 * mean_l * known.covariance;
    let sd = variance.max(0.0).sqrt();
    let joint = known.covariance - mean_l * known.total_variance;
    // T given U.
    let slope = if variance > 0.0 { joint / variance } else { 0.0 };
    let rest = (known.total_variance - slope * joint).max(0.0).sqrt();
    // mean of period t = center + l r - (l - L) E T + z sd (1 - (l - L) slope) - (l - L) rest e, in its own sd.
    let lines: Vec<[f64; 3]> = l
        .iter()
        .zip(cells)
        .map(|(l, cell)| {
            let noise = (spread.period * (1.0 - l)).sqrt();
            let off = l - mean_l;
            let level = center + l * cell.residual - off * known.total - threshold;
            [level / noise, sd * (1.0 - off * slope) / noise, -off * rest / noise]
        })
        .collect();
    let steepest = lines.iter().map(|[_, by_u, _]| by_u.abs()).fold(0.0, f64::max);
    let step = (PER_TRANSITION / steepest).clamp(FINEST, COARSEST);
    let inner = if lines.iter().all(|[_, _, by_t]| by_t.abs() < STILL) { &[(0.0, 1.0)][..] } else { &INNER[..] };
    #[allow(clippy::cast_possible_truncation)] // at most 600
    let half = (ENDS / step).ceil() as i32;
    let (mut found, mut all) = (0.0, 0.0);
    let mut counts = Vec::with_capacity(k + 1);
    for i in -half..=half {
        let z = f64::from(i) * step;
        let weight = density(z);
        all += weight;
        for &(e, w) in inner {
            let probabilities = lines.iter().map(|[level, by_u, by_t]| phi.cdf(level + by_u * z + by_t * e));
            found += weight * w * at_least(k, probabilities, &mut counts);
        }
    }
    (found / all).clamp(0.0, 1.0)
}

/// P(at least k of independent events happen): the Poisson-binomial tail.
fn at_least(k: usize, probabilities: impl Iterator<Item = f64>, counts: &mut Vec<f64>) -> f64 {
    // counts[i] = P(i so far) for i < k; the last cell holds "k or more".
    counts.clear();
    counts.resize(k + 1, 0.0);
    if let Some(none) = counts.first_mut() {
        *none = 1.0;
    }
    for p in probabilities {
        let mut carried = 0.0;
        for (i, cell) in counts.iter_mut().enumerate() {
            let moved = if i == k { 0.0 } else { *cell * p };
            *cell += carried - moved;
            carried = moved;
        }
    }
    counts.last().copied().unwrap_or(1.0)
}

/// The number of units that would exceed the threshold in enough of their periods if every period were drawn anew.
pub(crate) fn by_chance(counts: impl Iterator<Item = (usize, usize)>, sd: f64, threshold: f64) -> f64 {
    let p = Phi::new().exceeds(0.0, sd, threshold);
    let mut scratch = Vec::new();
    counts.map(|(k, m)| at_least(k, std::iter::repeat_n(p, m), &mut scratch)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::StandardNormal;

    fn simulated(k: usize, known: &Known, cells: &[Cell], spread: &Spread, threshold: f64) -> f64 {
        let rng = &mut ChaCha8Rng::seed_from_u64(8);
        let draws = 400_000;
        let mut normal = || rng.sample::<f64, _>(StandardNormal);
        let sd_b = known.variance.sqrt();
        let slope = known.covariance / known.variance;
        let rest = (known.total_variance - slope * known.covariance).max(0.0).sqrt();
        let hits = (0..draws)
            .filter(|_| {
                let z = normal();
                let b = known.effect + sd_b * z;
                let total = known.total + slope * (b - known.effect) + rest * normal();
                let above = cells.iter().filter(|cell| {
                    let l = share(cell, spread);
                    b + l * (cell.residual - total) + (spread.period * (1.0 - l)).sqrt() * normal() > threshold
                });
                above.count() >= k
            })
            .count();
        hits as f64 / f64::from(draws)
    }

    #[test]
    fn exact_probabilities_agree_with_draws() {
        let cells = |ns: &[f64]| -> Vec<Cell> {
            ns.iter().zip(0..).map(|(n, i)| Cell { period: i, n: *n, residual: 0.1 + 0.2 * f64::from(i % 3) }).collect()
        };
        let mut worst = 0.0_f64;
        for period in [0.05, 0.002] {
            for ns in [&[20.0, 20.0, 20.0][..], &[3.0, 30.0, 80.0]] {
                let spread = Spread { unit: 0.04, period, row: 1.0 };
                let cells = cells(ns);
                for known in [
                    // Within no group: T is b.
                    Known { effect: 0.2, variance: 0.02, total: 0.2, total_variance: 0.02, covariance: 0.02 },
                    // Within a group that is poorly known.
                    Known { effect: 0.15, variance: 0.025, total: 0.4, total_variance: 0.03, covariance: 0.008 },
                    Known { effect: 0.15, variance: 0.025, total: -0.1, total_variance: 0.02, covariance: -0.005 },
                ] {
                    let k = usual(ns.len());
                    let exact = prob_at_least(k, &known, &cells, &spread, 0.1);
                    worst = worst.max((exact - simulated(k, &known, &cells, &spread, 0.1)).abs());
                }
            }
        }
        // Draws err by .0008.
        assert!(worst < 0.003, "{worst}");
    }

    #[test]
    fn nearly_equal_periods_are_one() {
        let known = Known { effect: 0.2, variance: 0.01, total: 0.2, total_variance: 0.01, covariance: 0.01 };
        let cells: Vec<Cell> = (0..3).map(|period| Cell { period, n: 20.0, residual: 0.3 }).collect();
        let at = |period: f64| prob_at_least(2, &known, &cells, &Spread { unit: 0.04, period, row: 1.0 }, 0.1);
        let limit = Phi::new().cdf(1.0);
        assert!((at(0.0) - limit).abs() < 1e-12);
        assert!((at(1e-5) - limit).abs() < 0.003, "{}", at(1e-5));
        assert!((at(3e-5) - at(4.1e-6)).abs() < 0.01);
    }

    #[test]
    fn two_of_three() {
        assert_eq!([1, 2, 3, 4, 5, 6].map(usual), [1, 2, 2, 3, 4, 4]);
        let mut scratch = Vec::new();
        let p = at_least(2, [0.5, 0.2, 0.7].into_iter(), &mut scratch);
        // .5*.2*.3 + .5*.8*.7 + .5*.2*.7 + .5*.2*.7
        assert!((p - (0.03 + 0.28 + 0.07 + 0.07)).abs() < 1e-15);
        assert!((at_least(0, [0.1].into_iter(), &mut scratch) - 1.0).abs() < 1e-15);
        assert!((by_chance([(2, 3)].into_iter(), 1.0, 0.0) - 0.5).abs() < 1e-12);
    }
}
