//! Where a unit stands among all, when none is known exactly.

use super::normal::gauss_hermite;
use super::normal_table::Phi;
use crate::Result;

/// Where every unit stands, in the order of the input.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Standing {
    /// The expected share of units that it stands above, between 0 and 1.
    pub expected_percentile: Vec<f64>,
    /// The probability that it is among the top share.
    pub prob_top: Vec<f64>,
    /// Effects whose spread and shape are those of the true effects: for histograms, and each no worse than need be.
    pub triple_goal: Vec<f64>,
    /// Whether expected percentiles were computed on a grid instead of pair by pair.
    pub is_approximate: bool,
}

/// Up to this many units every pair is compared.
pub const MOST_EXACT: usize = 5_000;
/// Points of the grid, the derivative being known at each: what remains is the error of the quadrature, a tenth of a
/// rank at most where it was compared with pairs. Fewer units are given more points, at the same cost.
const LEAST_POINTS: usize = 512;
const MOST_POINTS: usize = 4_096;
const CELLS: usize = 20_000_000;
const NODES: usize = 21;
/// The grid ends this many standard deviations beyond the outermost units: less than 1e-7 of a unit lies outside.
const ENDS: f64 = 5.5;
/// Beyond this many standard deviations less than 1e-9 of a unit is left.
const REACH: f64 = 6.0;

/// Where units stand among all.
///
/// `E[pct_j] = (1/J) sum over k of Phi((m_j - m_k)/sqrt(s_j^2 + s_k^2))`, with 1/2 for k = j and for two units known
/// exactly and equal; the expected rank from below is J times this, plus 1/2. Above [`MOST_EXACT`] units the mean of
/// `Phi((x - m_k)/s_k)` over k, the distribution function F of all effects, is laid out on a grid and integrated by
/// 21-point Gauss-Hermite quadrature over each unit. The top share g begins at the x with F(x) = 1 - g, and a unit is in
/// it with probability `Phi((m_j - x)/s_j)`. Triple-goal estimates are the quantiles of F at (2 k - 1)/(2 J), given out
/// in the order of the expected percentiles.
///
/// # Arguments
/// `means` and `sds`: one per unit, in one unit of measurement. `top`: the share, within (0, 1).
///
/// # Errors
/// [`crate::Error::Numerical`] if the quadrature cannot be set up.
///
/// # Reference
/// Laird & Louis (1989, J. Educ. Stat. 14:29); Lin, Louis, Paddock & Ridgeway (2006, Bayesian Anal. 1:915) for the top
/// share; Shen & Louis (1998, JRSS B 60:455) for triple-goal estimates.
///
/// ```
/// let found = brightspot::stats::standing::standing(&[0.0, 1.0], &[0.6, 0.8], 0.5)?;
/// // Phi(1/1) = .8413 for the second against the first.
/// assert!((found.expected_percentile[1] - (0.841_344_746 + 0.5) / 2.0).abs() < 1e-9);
/// // Both medians meet at the x with Phi(x/.6) + Phi((x - 1)/.8) = 1: x = .6/1.4.
/// assert!((found.prob_top[0] - 0.237_525).abs() < 1e-5);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn standing(means: &[f64], sds: &[f64], top: f64) -> Result<Standing> {
    let is_approximate = means.len() > MOST_EXACT;
    let Some(law) = Law::new(means, sds) else {
        let n = means.len();
        return Ok(Standing {
            expected_percentile: vec![0.5; n],
            prob_top: vec![top; n],
            triple_goal: means.to_vec(),
            is_approximate,
        });
    };
    let expected_percentile = if is_approximate { law.percentiles(means, sds)? } else { pairwise(means, sds) };
    let phi = Phi::new();
    let start = law.quantile(1.0 - top);
    let prob_top = means.iter().zip(sds).map(|(m, s)| phi.exceeds(*m, *s, start)).collect();
    let mut order: Vec<(usize, f64)> = expected_percentile.iter().copied().enumerate().collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let mut triple_goal = vec![0.0; means.len()];
    for (k, (unit, _)) in order.into_iter().enumerate() {
        if let Some(cell) = triple_goal.get_mut(unit) {
            *cell = law.quantile((2.0 * k as f64 + 1.0) / (2.0 * means.len() as f64));
        }
    }
    Ok(Standing { expected_percentile, prob_top, triple_goal, is_approximate })
}

fn pairwise(means: &[f64], sds: &[f64]) -> Vec<f64> {
    let phi = Phi::new();
    let units: Vec<(f64, f64)> = means.iter().zip(sds).map(|(m, s)| (*m, s * s)).collect();
    let mut above = vec![0.5; units.len()];
    for (j, &(m, v)) in units.iter().enumerate() {
        let mut own = 0.0;
        for (&(other, w), cell) in units.iter().zip(&mut above).take(j) {
            let p = if m.total_cmp(&other).is_eq() { 0.5 } else { phi.exceeds(m - other, (v + w).sqrt(), 0.0) };
            own += p;
            *cell += 1.0 - p;
        }
        if let Some(cell) = above.get_mut(j) {
            *cell += own;
        }
    }
    let n = units.len() as f64;
    above.into_iter().map(|a| a / n).collect()
}

/// The distribution function of all effects on a grid, with its derivative times the width of a cell.
struct Law {
    lo: f64,
    width: f64,
    grid: Vec<(f64, f64)>,
}

impl Law {
    /// `None` where all units are the same and known exactly.
    fn new(means: &[f64], sds: &[f64]) -> Option<Self> {
        let ends = means.iter().zip(sds).map(|(m, s)| (m - ENDS * s, m + ENDS * s));
        let (lo, hi) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), (l, h)| (a.min(l), b.max(h)));
        if hi.partial_cmp(&lo) != Some(std::cmp::Ordering::Greater) {
            return None;
        }
        let points = (CELLS / means.len().max(1)).clamp(LEAST_POINTS, MOST_POINTS);
        let width = (hi - lo) / (points - 1) as f64;
        let n = means.len() as f64;
        let phi = Phi::new();
        let mut grid = vec![(0.0, 0.0); points];
        // Units that lie wholly below a point, counted from that point on.
        let mut passed = vec![0.0; points + 1];
        for (m, s) in means.iter().zip(sds) {
            // A unit known more exactly than the grid can show is spread over a cell.
            let s = s.max(width);
            let place = |x: f64| ((x - lo) / width).clamp(0.0, points as f64);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 0 and the number of points
            let (first, end) = (place(m - REACH * s).ceil() as usize, place(m + REACH * s).ceil() as usize);
            let cells = grid.get_mut(first..end).unwrap_or_default();
            let (step, mut z) = (width / s, (lo + width * first as f64 - m) / s);
            for cell in cells {
                cell.0 += phi.cdf(z);
                cell.1 += super::normal::density(z) * step;
                z += step;
            }
            if let Some(cell) = passed.get_mut(end) {
                *cell += 1.0;
            }
        }
        let mut below = 0.0;
        for (cell, more) in grid.iter_mut().zip(&passed) {
            below += more;
            *cell = ((cell.0 + below) / n, cell.1 / n);
        }
        Some(Self { lo, width, grid })
    }

    fn cell(&self, place: f64) -> (usize, (f64, f64), (f64, f64)) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 0 and the number of points
        let cell = (place.floor() as usize).min(self.grid.len().saturating_sub(2));
        let at = |i: usize| self.grid.get(i).copied().unwrap_or_default();
        (cell, at(cell), at(cell + 1))
    }

    fn at(&self, x: f64) -> f64 {
        let place = ((x - self.lo) / self.width).clamp(0.0, (self.grid.len() - 1) as f64);
        let (cell, a, b) = self.cell(place);
        hermite(a, b, place - cell as f64)
    }

    /// The x with F(x) = p.
    fn quantile(&self, p: f64) -> f64 {
        let after = self.grid.partition_point(|(f, _)| *f < p).clamp(1, self.grid.len() - 1);
        let (cell, a, b) = self.cell((after - 1) as f64);
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..40 {
            let middle = 0.5 * (low + high);
            if hermite(a, b, middle) < p {
                low = middle;
            } else {
                high = middle;
            }
        }
        self.lo + self.width * (cell as f64 + 0.5 * (low + high))
    }

    fn percentiles(&self, means: &[f64], sds: &[f64]) -> Result<Vec<f64>> {
        let nodes = gauss_hermite(NODES)?;
        Ok(means.iter().zip(sds).map(|(m, s)| nodes.iter().map(|(z, w)| w * self.at(m + s * z)).sum()).collect())
    }
}

/// Cubic Hermite interpolation between two values with their derivatives.
fn hermite(a: (f64, f64), b: (f64, f64), u: f64) -> f64 {
    let rise = b.0 - a.0;
    a.0 + u * (a.1 + u * (3.0 * rise - 2.0 * a.1 - b.1 + u * (a.1 + b.1 - 2.0 * rise)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::normal::{cdf, prob_exceeds, quantile};

    #[test]
    fn percentiles_average_to_a_half_and_keep_order() {
        let means: Vec<f64> = (0..40).map(|i| f64::from(i * i % 17)).collect();
        let sds: Vec<f64> = (0..40).map(|i| 0.5 + f64::from(i % 5)).collect();
        let p = standing(&means, &sds, 0.1).unwrap().expected_percentile;
        assert!((p.iter().sum::<f64>() / 40.0 - 0.5).abs() < 1e-12);
        // Mirroring the effects mirrors the percentiles.
        let mirror: Vec<f64> = means.iter().map(|m| -m).collect();
        for (a, b) in p.iter().zip(standing(&mirror, &sds, 0.1).unwrap().expected_percentile) {
            assert!((a + b - 1.0).abs() < 1e-12);
        }
        // Known exactly: ranks, and equal units share theirs.
        let p = standing(&[1.0, 3.0, 1.0], &[0.0; 3], 0.1).unwrap().expected_percentile;
        for (a, b) in p.iter().zip([1.0 / 3.0, 2.5 / 3.0, 1.0 / 3.0]) {
            assert!((a - b).abs() < 1e-15);
        }
    }

    #[test]
    #[allow(clippy::print_stdout)] // says that it was skipped
    fn reference_ranks_are_reproduced() {
        let Some(folder) = std::env::var_os("BRIGHTSPOT_REFERENCE").map(std::path::PathBuf::from) else {
            println!("skipped: BRIGHTSPOT_REFERENCE is not set");
            return;
        };
        let mut n_compared = 0;
        for case in ["dyestuff", "exam_single", "exam_cov", "hsb82", "chem97_single", "star_single"] {
            let path = folder.join("bright-spots").join(format!("{case}.ranef.csv"));
            let Ok(text) = std::fs::read_to_string(&path) else {
                println!("skipped: {} is absent", path.display());
                continue;
            };
            // term, column, level, blup, cond_sd, pev_sd, p_gt_0, exp_rank.
            let rows: Vec<Vec<f64>> = text
                .lines()
                .skip(1)
                .map(|l| l.split(',').skip(3).map(|v| v.trim_matches('"').parse().unwrap_or(f64::NAN)).collect())
                .collect();
            let column = |k: usize| rows.iter().map(|r| r[k]).collect::<Vec<f64>>();
            let p = standing(&column(0), &column(1), 0.1).unwrap().expected_percentile;
            for ((p, rank), (b, (s, above))) in
                p.iter().zip(column(4)).zip(column(0).iter().zip(column(1).iter().zip(column(3))))
            {
                let found = p * rows.len() as f64 + 0.5;
                assert!((found - rank).abs() < 1e-9 * rank, "{case}: {found} {rank}");
                let found = prob_exceeds(*b, *s, 0.0);
                // Ten digits are what the error function gives.
                assert!((found - above).abs() < 1e-10, "{case}: {found} {above}");
                n_compared += 1;
            }
        }
        assert!(n_compared == 0 || n_compared > 2000, "{n_compared} compared");
    }

    #[test]
    fn the_grid_agrees_with_pairs() {
        let n = 1500;
        let means: Vec<f64> = (0..n).map(|i| 2.0 * quantile((f64::from(i) + 0.5) / f64::from(n))).collect();
        let sds: Vec<f64> = (0..n).map(|i| 0.3 + 0.1 * f64::from(i % 17)).collect();
        let law = Law::new(&means, &sds).unwrap();
        let (exact, grid) = (pairwise(&means, &sds), law.percentiles(&means, &sds).unwrap());
        let worst = exact.iter().zip(&grid).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst * f64::from(n) < 0.1, "{worst}");
    }

    #[test]
    fn the_top_share_and_the_spread_are_those_of_all_effects() {
        let n = 400;
        let means: Vec<f64> = (0..n).map(|i| 1.5 * quantile((f64::from(i) + 0.5) / f64::from(n))).collect();
        let sds: Vec<f64> = (0..n).map(|i| 0.4 + 0.1 * f64::from(i % 7)).collect();
        let found = standing(&means, &sds, 0.2).unwrap();
        // On average a fifth is in the top fifth.
        assert!((found.prob_top.iter().sum::<f64>() / f64::from(n) - 0.2).abs() < 1e-9);
        // Quantiles of the law, by its definition.
        for k in [0, 57, 399] {
            let mut sorted = found.triple_goal.clone();
            sorted.sort_by(f64::total_cmp);
            let f: f64 = means.iter().zip(&sds).map(|(m, s)| cdf((sorted[k] - m) / s)).sum::<f64>() / f64::from(n);
            assert!((f - (2.0 * k as f64 + 1.0) / f64::from(2 * n)).abs() < 1e-8, "{k}: {f}");
        }
        // Their variance is that of shrunken means plus what is unknown of each: neither too small nor too large.
        let variance = |v: &[f64]| {
            let mean = v.iter().sum::<f64>() / v.len() as f64;
            v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / v.len() as f64
        };
        let unknown = sds.iter().map(|s| s * s).sum::<f64>() / f64::from(n);
        let ratio = variance(&found.triple_goal) / (variance(&means) + unknown);
        assert!((ratio - 1.0).abs() < 0.01, "{ratio}");
        // Known exactly: the effects themselves, and no doubt about the top.
        let exact = standing(&means, &vec![0.0; 400], 0.1).unwrap();
        assert!(means.iter().zip(&exact.triple_goal).all(|(a, b)| (a - b).abs() < 0.02));
        assert_eq!(exact.prob_top.iter().filter(|p| **p > 0.5).count(), 40);
    }
}
