//! Adaptive shrinkage: the distribution of true effects from noisy estimates, without taking it to be normal.

use super::estimates::{binned, validate};
use super::normal_table::Phi;
use crate::Result;

/// A law of effects g = `pi_0` (exactly zero) + sum over k of `pi_k` N(0, `sd_k`^2), fitted to estimates with known
/// standard errors.
#[derive(Debug, Clone, PartialEq)]
pub struct Ash {
    /// Standard deviations of the parts; the first is 0.
    pub sds: Vec<f64>,
    /// Their shares, which sum to 1.
    pub shares: Vec<f64>,
    /// Rounds of expectation and maximisation.
    pub n_rounds: usize,
}

/// What is known of one effect under the fitted law.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Local {
    /// P(effect > threshold).
    pub above: f64,
    /// P(effect = 0): the local false discovery rate.
    pub null: f64,
    /// The probability that the better guess of its sign is wrong: the local false sign rate, zero counting as wrong.
    pub sign_error: f64,
}

/// Counts added to the part at zero, so that effects are called real only on evidence (Stephens 2017, sec. 2.1).
const NULL_PENALTY: f64 = 10.0;
const MOST_ROUNDS: usize = 2_000;
/// Shares that move by less than this in a round have settled.
const SETTLED: f64 = 1e-5;
impl Ash {
    /// Fits the shares by expectation and maximisation of the penalised likelihood.
    ///
    /// b ~ N(effect, s^2), effect ~ g; the grid of standard deviations runs by factors of sqrt(2) from a tenth of the
    /// smallest standard error to 2 sqrt(max(b^2 - s^2)). The estimates must be raw: shrunken ones would be shrunk
    /// twice. More than 2,000 estimates are binned: standard errors within 5% and sizes within a tenth of a standard
    /// error count as one, with the mean squares of both, so that what is lost is of second order.
    ///
    /// # Errors
    /// [`Error::TooFew`](crate::Error::TooFew) without an estimate; [`Error::InvalidValue`](crate::Error::InvalidValue) for different lengths, estimates that are not
    /// finite, or standard errors that are not positive.
    ///
    /// # Reference
    /// Stephens (2017, Biostatistics 18:275, doi:10.1093/biostatistics/kxw041).
    ///
    /// ```
    /// use brightspot::stats::ash::Ash;
    /// let ash = Ash::fit(&[0.1, -0.2, 0.1, 6.0, -0.1, 0.2], &[1.0; 6])?;
    /// // The unusual one stands out less than its own estimate says.
    /// assert!(ash.prob_exceeds(6.0, 1.0, 0.0) > 0.9);
    /// assert!(ash.prob_exceeds(0.2, 1.0, 0.0) < 0.5);
    /// # Ok::<(), brightspot::Error>(())
    /// ```
    pub fn fit(estimates: &[f64], errors: &[f64]) -> Result<Self> {
        validate(estimates, errors)?;
        let sds = grid(estimates, errors);
        // All parts of the law are centred at zero, so that a sign decides nothing.
        let bins = binned(estimates, errors, f64::abs);
        let likelihood: Vec<f64> = bins.iter().flat_map(|bin| relative_likelihoods(&sds, bin.b2, bin.s2)).collect();
        let mut shares = vec![1.0 / sds.len() as f64; sds.len()];
        let mut n_rounds = 0;
        while n_rounds < MOST_ROUNDS {
            n_rounds += 1;
            let mut counts = vec![0.0; sds.len()];
            for (row, bin) in likelihood.chunks_exact(sds.len()).zip(&bins) {
                let total: f64 = row.iter().zip(&shares).map(|(l, p)| l * p).sum();
                let weight = bin.n / total;
                for (count, l) in counts.iter_mut().zip(row) {
                    *count += l * weight;
                }
            }
            for (count, p) in counts.iter_mut().zip(&shares) {
                *count *= p;
            }
            if let Some(null) = counts.first_mut() {
                *null += NULL_PENALTY;
            }
            let all: f64 = counts.iter().sum();
            let moved = shares.iter().zip(&counts).map(|(p, c)| (p - c / all).abs()).fold(0.0, f64::max);
            shares = counts.iter().map(|c| c / all).collect();
            if moved < SETTLED {
                break;
            }
        }
        Ok(Self { sds, shares, n_rounds })
    }

    /// P(effect > threshold | estimate), threshold >= 0.
    pub fn prob_exceeds(&self, estimate: f64, error: f64, threshold: f64) -> f64 {
        self.local(estimate, error, threshold).above
    }

    /// What is known of an effect after its estimate: above and below the threshold, exactly zero.
    pub fn local(&self, estimate: f64, error: f64, threshold: f64) -> Local {
        let phi = Phi::new();
        let likelihoods = relative_likelihoods(&self.sds, estimate * estimate, error * error);
        let mut found = Local { above: 0.0, null: 0.0, sign_error: 0.0 };
        let (mut positive, mut negative, mut all) = (0.0, 0.0, 0.0);
        for ((l, share), sd) in likelihoods.iter().zip(&self.shares).zip(&self.sds) {
            let weight = share * l;
            all += weight;
            if *sd > 0.0 {
                let shrink = sd * sd / (sd * sd + error * error);
                let (mean, sd) = (shrink * estimate, shrink.sqrt() * error);
                found.above += weight * phi.exceeds(mean, sd, threshold);
                positive += weight * phi.exceeds(mean, sd, 0.0);
                negative += weight * phi.exceeds(-mean, sd, 0.0);
            } else {
                found.null += weight;
            }
        }
        found.above /= all;
        found.null /= all;
        found.sign_error = 1.0 - (positive / all).max(negative / all);
        found
    }

    /// The share of effects that are exactly zero.
    pub fn null_share(&self) -> f64 {
        self.shares.first().copied().unwrap_or(f64::NAN)
    }
}

fn grid(estimates: &[f64], errors: &[f64]) -> Vec<f64> {
    let smallest = errors.iter().copied().fold(f64::INFINITY, f64::min) / 10.0;
    let excess = estimates.iter().zip(errors).map(|(b, s)| b * b - s * s).fold(0.0, f64::max);
    // Without any excess a few small parts remain, so that the shares have something to move between.
    let largest = if excess > 0.0 { 2.0 * excess.sqrt() } else { 8.0 * smallest };
    let mut sds = vec![0.0];
    let mut sd = smallest;
    while sd < largest {
        sds.push(sd);
        sd *= std::f64::consts::SQRT_2;
    }
    sds.push(sd);
    sds
}

/// The densities of an estimate (by its square and that of its error) under each part, divided by the largest: they
/// would underflow otherwise.
pub(super) fn relative_likelihoods(sds: &[f64], b2: f64, s2: f64) -> Vec<f64> {
    let mut logs: Vec<f64> = sds
        .iter()
        .map(|sd| {
            let variance = sd * sd + s2;
            -0.5 * (variance.ln() + b2 / variance)
        })
        .collect();
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for value in &mut logs {
        *value = (*value - largest).exp();
    }
    logs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::normal::{prob_exceeds, quantile};

    #[test]
    fn nothing_but_noise_gives_zero() {
        let b: Vec<f64> = (1..400).map(|i| quantile(f64::from(i) / 400.0)).collect();
        let ash = Ash::fit(&b, &vec![1.0; b.len()]).unwrap();
        let spread: f64 = ash.sds.iter().zip(&ash.shares).map(|(s, p)| s * s * p).sum();
        assert!(spread < 0.02, "{spread}");
        assert!((ash.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn normal_effects_are_recovered_and_scaling_scales() {
        // Estimates at the quantiles of N(0, 3^2 + 1).
        let b: Vec<f64> = (1..1000).map(|i| 10_f64.sqrt() * quantile(f64::from(i) / 1000.0)).collect();
        let ash = Ash::fit(&b, &vec![1.0; b.len()]).unwrap();
        let spread: f64 = ash.sds.iter().zip(&ash.shares).map(|(s, p)| s * s * p).sum();
        assert!((spread - 9.0).abs() < 0.5, "{spread}");
        // Near the posterior under the normal prior: mean .9 b, variance .9.
        for x in [-3.0, 2.0, 3.0, 6.0] {
            let normal = prob_exceeds(0.9 * x, 0.9_f64.sqrt(), 1.0);
            let found = ash.prob_exceeds(x, 1.0, 1.0);
            assert!((found - normal).abs() < 0.06, "{x}: {found} {normal}");
        }
        // Near zero the penalty doubts that there is any effect at all.
        assert!(ash.prob_exceeds(0.5, 1.0, 1.0) < prob_exceeds(0.45, 0.9_f64.sqrt(), 1.0));
        let tens: Vec<f64> = b.iter().map(|b| 10.0 * b).collect();
        let scaled = Ash::fit(&tens, &vec![10.0; b.len()]).unwrap();
        assert!((scaled.prob_exceeds(30.0, 10.0, 10.0) - ash.prob_exceeds(3.0, 1.0, 1.0)).abs() < 1e-6);
    }

    #[test]
    fn bins_lose_nothing_that_matters() {
        // 2,400 estimates with errors that differ threefold, a tenth of them far out.
        let n = 2_400_u32;
        let s: Vec<f64> = (0..n).map(|i| 0.5 + f64::from(i * 31 % 97) / 97.0).collect();
        let b: Vec<f64> = (0..n)
            .zip(&s)
            .map(|(i, s)| {
                let z = quantile((f64::from(i * 1_013 % n) + 0.5) / f64::from(n));
                s * z + if i % 10 == 0 { 2.5 } else { 0.0 }
            })
            .collect();
        let whole = Ash::fit(&b, &s).unwrap();
        // The same law from every estimate by itself.
        let sds = whole.sds.clone();
        let rows: Vec<Vec<f64>> = b.iter().zip(&s).map(|(b, s)| relative_likelihoods(&sds, b * b, s * s)).collect();
        let mut shares = vec![1.0 / sds.len() as f64; sds.len()];
        for _ in 0..whole.n_rounds {
            let mut counts = vec![0.0; sds.len()];
            for row in &rows {
                let total: f64 = row.iter().zip(&shares).map(|(l, p)| l * p).sum();
                for ((count, l), p) in counts.iter_mut().zip(row).zip(&shares) {
                    *count += l * p / total;
                }
            }
            counts[0] += NULL_PENALTY;
            let all: f64 = counts.iter().sum();
            shares = counts.iter().map(|c| c / all).collect();
        }
        let exact = Ash { sds, shares, n_rounds: whole.n_rounds };
        for (b, s) in b.iter().zip(&s) {
            let (x, y) = (whole.prob_exceeds(*b, *s, 0.2), exact.prob_exceeds(*b, *s, 0.2));
            assert!((x - y).abs() < 0.01, "{b} {s}: {x} {y}");
        }
        let found = exact.local(3.0, 0.5, 0.2);
        assert!(found.null >= 0.0 && found.sign_error >= found.null && found.above <= 1.0 - found.null);
    }

    #[test]
    fn what_is_no_estimate_is_an_error() {
        assert_eq!(Ash::fit(&[], &[]).unwrap_err().code(), "too_few");
        for (b, s) in [(&[1.0][..], &[][..]), (&[1.0], &[0.0]), (&[f64::NAN], &[1.0])] {
            assert_eq!(Ash::fit(b, s).unwrap_err().code(), "invalid_value");
        }
    }
}
