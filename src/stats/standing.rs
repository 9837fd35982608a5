//! Where a unit stands among all, when none is known exactly.

use super::normal::{cdf, density, gauss_hermite, prob_exceeds};
use crate::Result;

/// Expected percentiles, and whether a grid was used.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// In the order of the input, between 0 and 1.
    pub expected_percentile: Vec<f64>,
    /// Whether they were computed on a grid instead of pair by pair.
    pub is_approximate: bool,
}

/// Up to this many units every pair is compared.
pub const MOST_EXACT: usize = 5_000;
/// Points of the grid, the derivative being known at each: what remains is the error of the quadrature, a tenth of a
/// rank at most where it was compared with pairs.
const GRID_POINTS: u32 = 512;
const NODES: usize = 21;
/// The grid ends this many standard deviations beyond the outermost units: less than 1e-7 of a unit lies outside.
const ENDS: f64 = 5.5;
/// Beyond this many standard deviations there is nothing (the outermost of the 21 nodes lies at 7.85).
const REACH: f64 = 8.0;

/// The expected share of units that a unit stands above, itself counting half.
///
/// `E[pct_j] = (1/J) sum over k of Phi((m_j - m_k)/sqrt(s_j^2 + s_k^2))`, with 1/2 for k = j and for two units known
/// exactly and equal; the expected rank from below is J times this, plus 1/2. Above [`MOST_EXACT`] units the mean of
/// `Phi((x - m_k)/s_k)` over k is laid out on a grid and integrated by 21-point Gauss-Hermite quadrature over each unit.
///
/// # Arguments
/// `means` and `sds`: one per unit, in one unit of measurement.
///
/// # Errors
/// [`crate::Error::Numerical`] if the quadrature cannot be set up.
///
/// # Reference
/// Laird & Louis (1989, J. Educ. Stat. 14:29); Lin, Louis, Paddock & Ridgeway (2006, Bayesian Anal. 1:915).
///
/// ```
/// let standing = brightspot::stats::standing::expected_percentiles(&[0.0, 1.0], &[0.6, 0.8])?;
/// // Phi(1/1) = .8413 for the second against the first.
/// assert!((standing.expected_percentile[1] - (0.841_344_746 + 0.5) / 2.0).abs() < 1e-9);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn expected_percentiles(means: &[f64], sds: &[f64]) -> Result<Standing> {
    if means.len() <= MOST_EXACT {
        return Ok(Standing { expected_percentile: pairwise(means, sds), is_approximate: false });
    }
    Ok(Standing { expected_percentile: on_grid(means, sds)?, is_approximate: true })
}

fn pairwise(means: &[f64], sds: &[f64]) -> Vec<f64> {
    let units: Vec<(f64, f64)> = means.iter().zip(sds).map(|(m, s)| (*m, s * s)).collect();
    let mut above = vec![0.5; units.len()];
    for (j, &(m, v)) in units.iter().enumerate() {
        let mut own = 0.0;
        for (&(other, w), cell) in units.iter().zip(&mut above).take(j) {
            let p = if m.total_cmp(&other).is_eq() { 0.5 } else { prob_exceeds(m - other, (v + w).sqrt(), 0.0) };
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

fn on_grid(means: &[f64], sds: &[f64]) -> Result<Vec<f64>> {
    let ends = means.iter().zip(sds).map(|(m, s)| (m - ENDS * s, m + ENDS * s));
    let (lo, hi) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), (l, h)| (a.min(l), b.max(h)));
    if hi <= lo {
        return Ok(vec![0.5; means.len()]);
    }
    let width = (hi - lo) / f64::from(GRID_POINTS - 1);
    let n = means.len() as f64;
    // The mean distribution function and its derivative times the width of a cell.
    let grid: Vec<(f64, f64)> = (0..GRID_POINTS)
        .map(|i| {
            let x = lo + width * f64::from(i);
            let (mut f, mut slope) = (0.0, 0.0);
            for (m, s) in means.iter().zip(sds) {
                // A unit known more exactly than the grid can show is spread over a cell.
                let s = s.max(width);
                let z = (x - m) / s;
                if z > REACH {
                    f += 1.0;
                } else if z > -REACH {
                    f += cdf(z);
                    slope += density(z) / s;
                }
            }
            (f / n, slope / n * width)
        })
        .collect();
    let at = |x: f64| {
        let place = ((x - lo) / width).clamp(0.0, f64::from(GRID_POINTS - 1));
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 0 and the number of points
        let cell = (place.floor() as usize).min(GRID_POINTS as usize - 2);
        let u = place - cell as f64;
        let (a, b) = (grid.get(cell).copied().unwrap_or_default(), grid.get(cell + 1).copied().unwrap_or_default());
        // Cubic Hermite interpolation.
        let (u2, u3) = (u * u, u * u * u);
        (2.0 * u3 - 3.0 * u2 + 1.0) * a.0 + (u3 - 2.0 * u2 + u) * a.1 + (3.0 * u2 - 2.0 * u3) * b.0 + (u3 - u2) * b.1
    };
    let nodes = gauss_hermite(NODES)?;
    Ok(means.iter().zip(sds).map(|(m, s)| nodes.iter().map(|(z, w)| w * at(m + s * z)).sum()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::normal::quantile;

    #[test]
    fn percentiles_average_to_a_half_and_keep_order() {
        let means: Vec<f64> = (0..40).map(|i| f64::from(i * i % 17)).collect();
        let sds: Vec<f64> = (0..40).map(|i| 0.5 + f64::from(i % 5)).collect();
        let p = expected_percentiles(&means, &sds).unwrap().expected_percentile;
        assert!((p.iter().sum::<f64>() / 40.0 - 0.5).abs() < 1e-12);
        // Mirroring the effects mirrors the percentiles.
        let mirror: Vec<f64> = means.iter().map(|m| -m).collect();
        for (a, b) in p.iter().zip(expected_percentiles(&mirror, &sds).unwrap().expected_percentile) {
            assert!((a + b - 1.0).abs() < 1e-12);
        }
        // Known exactly: ranks, and equal units share theirs.
        let p = expected_percentiles(&[1.0, 3.0, 1.0], &[0.0; 3]).unwrap().expected_percentile;
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
            let p = expected_percentiles(&column(0), &column(1)).unwrap().expected_percentile;
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
        let (exact, grid) = (pairwise(&means, &sds), on_grid(&means, &sds).unwrap());
        let worst = exact.iter().zip(&grid).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst * f64::from(n) < 0.1, "{worst}");
    }
}
