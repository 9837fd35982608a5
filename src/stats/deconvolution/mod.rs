//! Empirical Bayes deconvolution: a smooth distribution of true effects from noisy estimates, which may be skewed or have
//! several peaks; and how well it is known.

mod basis;
mod fit;
mod posterior;

use basis::{FUNCTIONS, basis, knots};
use fit::Problem;

use super::estimates::{Bin, binned, validate};
use super::normal_table::Phi;
use super::summary::median;
use crate::{Error, Result};

pub use posterior::{Posterior, Uncertain};

/// A smooth law of effects: a density that is constant within each of many cells of equal width, with the logarithm of a natural
/// cubic spline, fitted to estimates with known standard errors.
#[derive(Debug, Clone, PartialEq)]
pub struct Deconvolution {
    /// The ends of the cells, upwards.
    pub edges: Vec<f64>,
    /// The share of effects in each cell; they sum to 1.
    pub shares: Vec<f64>,
    /// The logarithm of the estimates' likelihood under it.
    pub log_likelihood: f64,
    /// Pairs of laws on either side of it along independent directions, each `sqrt(5)` standard deviations off: averages over all
    /// of them are exact to the third order for coefficients that are normal about those fitted.
    around: [[Vec<f64>; 2]; FUNCTIONS],
    bins: Vec<Bin>,
}

/// Estimates it takes.
const LEAST: usize = 20;
/// Cells per standard error, and their number.
const CELLS_PER_ERROR: f64 = 4.0;
const FEWEST_CELLS: f64 = 60.0;
const MOST_CELLS: f64 = 240.0;
/// The law reaches so many errors beyond the smallest and the largest estimate.
const BEYOND: f64 = 2.0;
/// Estimates farther out than this many standard deviations take no part.
const FAR: f64 = 8.0;

impl Deconvolution {
    /// Fits the density by maximum penalised likelihood.
    ///
    /// b ~ N(effect, s^2), effect ~ g, log g = q'a: five natural cubic splines, of mean square 1 from two errors below the
    /// smallest to two above the largest estimate, with knots halfway between equal distances and equal numbers of estimates; penalty |a|.
    /// Estimates farther than 8 (robust) standard deviations from the median are left out: the law says nothing of them.
    /// More than 2,000 estimates are binned: standard errors within 5% and estimates within a tenth of a standard error count as
    /// one.
    ///
    /// # Errors
    /// [`Error::TooFew`] with fewer than 20 estimates; [`Error::InvalidValue`] for different lengths, estimates that are
    /// not finite, standard errors that are not positive, or estimates that are all the same; [`Error::Numerical`] where no
    /// maximum is found.
    ///
    /// # Reference
    /// Efron (2016, Biometrika 103:1, doi:10.1093/biomet/asv068), eq. 13-25; Narasimhan & Efron (2020, J. Stat. Softw. 94(11)).
    ///
    /// ```
    /// use brightspot::stats::deconvolution::Deconvolution;
    /// let estimates: Vec<f64> = (0..40).map(|i| if i < 30 { -1.0 } else { 3.0 } + f64::from(i % 10) / 5.0).collect();
    /// let law = Deconvolution::fit(&estimates, &[0.5; 40])?;
    /// let above = law.posterior(3.5, 0.5).unwrap().prob_exceeds(2.0);
    /// assert!(above.value > 0.95 && above.least > 0.8);
    /// assert!(law.posterior(30.0, 0.5).is_none());
    /// # Ok::<(), brightspot::Error>(())
    /// ```
    pub fn fit(estimates: &[f64], errors: &[f64]) -> Result<Self> {
        validate(estimates, errors)?;
        if estimates.len() < LEAST {
            return Err(Error::TooFew {
                what: "a smooth distribution of effects".into(),
                needed: format!("{LEAST} estimates"),
                found: estimates.len(),
                remedy: "take the effects to be normal".into(),
            });
        }
        let near = near(estimates, median(&mut errors.to_vec()).unwrap_or(f64::NAN));
        let (estimates, errors): (Vec<f64>, Vec<f64>) =
            estimates.iter().copied().zip(errors.iter().copied()).filter(|(b, _)| near.contains(b)).unzip();
        let low = estimates.iter().copied().fold(f64::INFINITY, f64::min);
        let high = estimates.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if high <= low {
            return Err(Error::InvalidValue {
                what: "estimates of effects".into(),
                found: format!("{} estimates that are all {low}", estimates.len()),
                remedy: "give estimates that differ".into(),
            });
        }
        let error = median(&mut errors.clone()).unwrap_or(f64::NAN);
        // The truth behind the largest estimate may be larger still.
        let (low, width) = (low - BEYOND * error, high - low + 2.0 * BEYOND * error);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 60 and 240
        let n_cells = (CELLS_PER_ERROR * width / error).ceil().clamp(FEWEST_CELLS, MOST_CELLS) as usize;
        let edge = |i: usize| low + width * i as f64 / n_cells as f64;
        let edges: Vec<f64> = (0..=n_cells).map(edge).collect();
        let middles: Vec<f64> = edges.windows(2).map(|ends| ends.iter().sum::<f64>() / 2.0).collect();
        let bins = binned(&estimates, &errors, |b| b);
        let mut likelihood = Vec::with_capacity(bins.len() * n_cells);
        for bin in &bins {
            likelihood.extend(within(&edges, bin.b, bin.s2.sqrt()));
        }
        let problem = Problem {
            likelihood,
            counts: bins.iter().map(|bin| bin.n).collect(),
            functions: basis(&middles, &knots(&estimates)),
        };
        let fitted = problem.fit(normal_start(&problem, &middles, &bins))?;
        // The law of an estimate has the density sum over cells of share/width P(cell | estimate).
        let n: f64 = bins.iter().map(|bin| bin.n).sum();
        let log_likelihood = fitted.log_likelihood - n * (width / n_cells as f64).ln();
        let away = |k: usize, side: f64| {
            let step = side * (FUNCTIONS as f64).sqrt();
            let off = fitted.off.get(k).copied().unwrap_or_default();
            problem.shares(&std::array::from_fn(|l| {
                fitted.at.get(l).zip(off.get(l)).map_or(f64::NAN, |(a, off)| a + step * off)
            }))
        };
        let around = std::array::from_fn(|k| [away(k, 1.0), away(k, -1.0)]);
        Ok(Self { shares: problem.shares(&fitted.at), edges, log_likelihood, around, bins })
    }

    /// Twice the logarithm of how much more likely the estimates are under this law than under effects that are normal with mean 0
    /// and this variance.
    ///
    /// Where the effects are normal it is some 2, and above 7.8 in fewer than 5 of 100 sets of units: the chi-square of the three
    /// coefficients that are left, less the penalty.
    pub fn gain_over_normal(&self, variance: f64) -> f64 {
        let normal = |bin: &Bin| {
            let all = variance + bin.s2;
            -0.5 * bin.n * ((std::f64::consts::TAU * all).ln() + bin.b * bin.b / all)
        };
        2.0 * (self.log_likelihood - self.bins.iter().map(normal).sum::<f64>())
    }

    /// What is known of an effect after its estimate; `None` where the law says nothing of it: far outside of what it was fitted to.
    pub fn posterior(&self, estimate: f64, error: f64) -> Option<Posterior<'_>> {
        let ends = self.edges.first().zip(self.edges.last());
        ends.is_some_and(|(low, high)| (*low..=*high).contains(&estimate))
            .then(|| Posterior::new(self, estimate, error))
    }
}

/// What is no farther from the median than [`FAR`] times the estimates' spread, or their error where that is larger: one estimate
/// far from all others would leave few cells, and no bend of the law, to the others.
fn near(estimates: &[f64], error: f64) -> std::ops::RangeInclusive<f64> {
    let center = median(&mut estimates.to_vec()).unwrap_or(f64::NAN);
    let mut distances: Vec<f64> = estimates.iter().map(|b| (b - center).abs()).collect();
    // The median distance of normal estimates is .6745 of their standard deviation.
    let spread = (median(&mut distances).unwrap_or(f64::NAN) / 0.6745).max(error);
    center - FAR * spread..=center + FAR * spread
}

/// The probability of each cell under N(b, s^2).
fn within(edges: &[f64], b: f64, s: f64) -> impl Iterator<Item = f64> {
    let phi = Phi::new();
    let below = move |edge: &f64| phi.cdf((edge - b) / s);
    let mut last = edges.first().map_or(0.0, below);
    edges.iter().skip(1).map(move |edge| {
        let next = below(edge);
        let share = next - last;
        last = next;
        share.max(0.0)
    })
}

/// The coefficients of the normal law with the variance that the estimates have beyond their errors.
fn normal_start(problem: &Problem, middles: &[f64], bins: &[Bin]) -> [f64; FUNCTIONS] {
    let n: f64 = bins.iter().map(|bin| bin.n).sum();
    let average = |of: &dyn Fn(&Bin) -> f64| bins.iter().map(|bin| bin.n * of(bin)).sum::<f64>() / n;
    let (mean, noise) = (average(&|bin| bin.b), average(&|bin| bin.s2));
    // Where nothing but noise is seen, a narrow law.
    let variance = (average(&|bin| bin.b2) - mean * mean - noise).max(0.1 * noise);
    std::array::from_fn(|k| {
        let log = |x: f64| -0.5 * (x - mean).powi(2) / variance;
        let products = middles.iter().zip(&problem.functions).filter_map(|(x, row)| Some(log(*x) * row.get(k)?));
        products.sum::<f64>() / middles.len() as f64
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::normal::{prob_exceeds, quantile};

    /// 120 effects, a sixth of them far below, with errors of .2 to .5.
    fn example() -> (Vec<f64>, Vec<f64>) {
        let score = |i: u32, by: u32| quantile((f64::from(i * by % 120) + 0.5) / 120.0);
        (0..120)
            .map(|i| {
                let effect = if i % 6 == 0 { -1.2 + 0.5 * score(i, 37) } else { 0.3 + 0.25 * score(i, 37) };
                let error = 0.2 + 0.1 * f64::from(i % 4);
                (effect + error * score(i, 71), error)
            })
            .unzip()
    }

    /// Unit, threshold, P, the least P, interval.
    type Expected = (usize, f64, f64, f64, (f64, f64));
    const EXPECTED: [Expected; 4] = [
        (1, 0.1, 0.810_111_820, 0.720_606_276, (-0.161_024_728, 0.682_683_709)),
        (103, 0.5, 0.567_980_282, 0.448_535_900, (0.062_926_978, 1.127_961_943)),
        (0, -1.0, 0.0, 0.0, (-3.343_835_889, -2.551_072_839)),
        (50, 0.1, 0.823_530_674, 0.729_080_050, (-0.193_059_172, 0.767_712_293)),
    ];

    #[test]
    fn agrees_with_another_way_to_the_same_maximum() {
        // scipy 1.16: cardinal natural splines (CubicSpline), orthogonal by singular values, BFGS and Nelder-Mead from six
        // starts to one maximum, curvature by differences of the fourth order, quantiles by bisection.
        let (estimates, errors) = example();
        let law = Deconvolution::fit(&estimates, &errors).unwrap();
        assert_eq!(law.shares.len(), 66);
        assert!((law.log_likelihood - -116.808_693_778_331_7).abs() < 1e-5, "{}", law.log_likelihood);
        for (unit, threshold, value, least, (low, high)) in EXPECTED {
            let posterior = law.posterior(estimates[unit], errors[unit]).unwrap();
            let found = posterior.prob_exceeds(threshold);
            assert!((found.value - value).abs() < 1e-5, "{unit}: {}", found.value);
            assert!((found.least - least).abs() < 1e-4, "{unit}: {}", found.least);
            let interval = posterior.interval(0.95);
            assert!((interval.0 - low).abs() < 1e-4 && (interval.1 - high).abs() < 1e-4, "{unit}: {interval:?}");
        }
    }

    #[test]
    fn units_and_directions_decide_nothing() {
        let (estimates, errors) = example();
        let law = Deconvolution::fit(&estimates, &errors).unwrap();
        let moved: Vec<f64> = estimates.iter().map(|b| 100.0 - 50.0 * b).collect();
        let wider: Vec<f64> = errors.iter().map(|s| 50.0 * s).collect();
        let mirrored = Deconvolution::fit(&moved, &wider).unwrap();
        for (a, b) in law.shares.iter().zip(mirrored.shares.iter().rev()) {
            assert!((a - b).abs() < 1e-6);
        }
        for unit in [0, 17, 50] {
            let (one, other) = (
                law.posterior(estimates[unit], errors[unit]).unwrap(),
                mirrored.posterior(moved[unit], wider[unit]).unwrap(),
            );
            let (p, q) = (one.prob_exceeds(0.1), other.prob_exceeds(95.0));
            assert!((p.value - (1.0 - q.value)).abs() < 1e-6 && p.least <= p.value && q.least <= q.value);
            let (a, b) = (one.interval(0.95), other.interval(0.95));
            assert!((a.0 - (100.0 - b.1) / 50.0).abs() < 1e-5 && (a.1 - (100.0 - b.0) / 50.0).abs() < 1e-5);
        }
        // Every estimate twice is more evidence for the same law, and order is nothing.
        let twice: Vec<f64> = estimates.iter().rev().chain(&estimates).copied().collect();
        let errors_twice: Vec<f64> = errors.iter().rev().chain(&errors).copied().collect();
        let surer = Deconvolution::fit(&twice, &errors_twice).unwrap();
        let (once, twice) =
            (law.posterior(0.4, 0.3).unwrap().prob_exceeds(0.1), surer.posterior(0.4, 0.3).unwrap().prob_exceeds(0.1));
        assert!(
            (once.value - twice.value).abs() < 0.03 && twice.value - twice.least < 0.85 * (once.value - once.least),
            "{once:?} {twice:?}"
        );
    }

    #[test]
    fn normal_effects_are_recovered_and_bins_lose_nothing_that_matters() {
        // Estimates at the quantiles of N(0, 3^2 + 1), few and many.
        let at = |n: u32| (0..n).map(move |i| 10_f64.sqrt() * quantile((f64::from(i) + 0.5) / f64::from(n)));
        for n in [500, 5_000] {
            let estimates: Vec<f64> = at(n).collect();
            let law = Deconvolution::fit(&estimates, &vec![1.0; estimates.len()]).unwrap();
            assert!((law.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!(law.gain_over_normal(9.0) < 2.0, "{}", law.gain_over_normal(9.0));
            assert!(law.gain_over_normal(2.0) > 50.0);
            for x in [-3.0, 0.5, 3.0, 6.0] {
                let normal = prob_exceeds(0.9 * x, 0.9_f64.sqrt(), 1.0);
                let posterior = law.posterior(x, 1.0).unwrap();
                assert!((posterior.prob_exceeds(1.0).value - normal).abs() < 0.02, "{n} {x}");
                let (low, high) = posterior.interval(0.95);
                let half = 1.96 * 0.9_f64.sqrt();
                assert!((low - (0.9 * x - half)).abs() < 0.15 && (high - (0.9 * x + half)).abs() < 0.15, "{n} {x}");
            }
        }
    }

    #[test]
    fn exact_estimates_stay_what_they_are() {
        // Errors a thousandth of a cell: the posterior is the estimate.
        let estimates: Vec<f64> = (0..200).map(|i| f64::from(i * 37 % 200)).collect();
        let law = Deconvolution::fit(&estimates, &[1e-3; 200]).unwrap();
        let (low, high) = law.posterior(50.0, 1e-3).unwrap().interval(0.95);
        assert!((low - 49.998).abs() < 1e-4 && (high - 50.002).abs() < 1e-4, "{low} {high}");
        assert!((law.posterior(50.0, 1e-3).unwrap().prob_exceeds(50.0).value - 0.5).abs() < 1e-3);
    }

    #[test]
    fn one_far_out_leaves_the_law_of_the_others_alone() {
        let (estimates, errors) = example();
        let law = Deconvolution::fit(&estimates, &errors).unwrap();
        for far in [-500.0, 50.0, 1e9] {
            let with: Vec<f64> = estimates.iter().copied().chain([far]).collect();
            let errors: Vec<f64> = errors.iter().copied().chain([0.3]).collect();
            let other = Deconvolution::fit(&with, &errors).unwrap();
            assert_eq!(other.shares, law.shares);
            assert!(other.posterior(far, 0.3).is_none());
        }
    }

    #[test]
    fn what_cannot_be_fitted_is_an_error() {
        assert_eq!(Deconvolution::fit(&[1.0; 5], &[1.0; 5]).unwrap_err().code(), "too_few");
        assert_eq!(Deconvolution::fit(&[1.0; 30], &[1.0; 30]).unwrap_err().code(), "invalid_value");
        assert_eq!(Deconvolution::fit(&[1.0; 30], &[0.0; 30]).unwrap_err().code(), "invalid_value");
    }
}
