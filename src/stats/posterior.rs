//! What is known of one effect after its estimate, under a law of effects fitted to all of them.

use super::ash::{Ash, relative_likelihoods};
use super::normal::prob_exceeds;

/// A mixture of normal laws, some of which may be points: the law of one effect given its estimate.
#[derive(Debug, Clone, PartialEq)]
pub struct Posterior {
    /// Share, mean and standard deviation of every part; the shares sum to 1.
    pub parts: Vec<(f64, f64, f64)>,
}

impl Ash {
    /// The law of the effect behind an estimate: each part of the law of effects shrinks it by its own variance.
    ///
    /// ```
    /// use brightspot::stats::ash::Ash;
    /// let ash = Ash { sds: vec![0.0, 3.0], shares: vec![0.5, 0.5], n_rounds: 0 };
    /// let posterior = ash.posterior(2.0, 1.0);
    /// assert!(posterior.mean() > 0.0 && posterior.mean() < 1.8);
    /// assert_eq!(posterior.quantile(0.025), 0.0); // the point at zero holds more than that
    /// ```
    pub fn posterior(&self, estimate: f64, error: f64) -> Posterior {
        let weights: Vec<f64> = relative_likelihoods(&self.sds, estimate * estimate, error * error)
            .iter()
            .zip(&self.shares)
            .map(|(l, s)| l * s)
            .collect();
        let all: f64 = weights.iter().sum();
        let part = |(weight, sd): (&f64, &f64)| {
            let shrink = sd * sd / (sd * sd + error * error);
            (weight / all, shrink * estimate + 0.0, shrink.sqrt() * error)
        };
        Posterior { parts: weights.iter().zip(&self.sds).map(part).collect() }
    }
}

impl Posterior {
    /// The mean.
    pub fn mean(&self) -> f64 {
        self.parts.iter().map(|(share, mean, _)| share * mean).sum()
    }

    /// P(effect > threshold).
    pub fn prob_exceeds(&self, threshold: f64) -> f64 {
        self.parts.iter().map(|(share, mean, sd)| share * prob_exceeds(*mean, *sd, threshold)).sum()
    }

    /// The smallest value that the effect stays at or below with probability `p`.
    pub fn quantile(&self, p: f64) -> f64 {
        const HALVINGS: usize = 200;
        /// Nothing of a part lies further than this many of its standard deviations from its mean.
        const FAR: f64 = 40.0;
        let low = self.parts.iter().map(|(_, m, s)| m - FAR * s).fold(f64::INFINITY, f64::min);
        let high = self.parts.iter().map(|(_, m, s)| m + FAR * s).fold(f64::NEG_INFINITY, f64::max);
        let below = |x: f64| 1.0 - self.prob_exceeds(x);
        // A point is met exactly, not approached from below.
        for (_, point, _) in self.parts.iter().filter(|(_, _, sd)| *sd == 0.0) {
            let before: f64 = self.parts.iter().map(|(share, mean, sd)| share * prob_below(*mean, *sd, *point)).sum();
            if (before..=below(*point)).contains(&p) {
                return *point + 0.0; // no negative zero
            }
        }
        let (mut low, mut high) = (low, high);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if middle <= low || middle >= high {
                break;
            }
            if below(middle) >= p {
                high = middle;
            } else {
                low = middle;
            }
        }
        high
    }
}

/// P(X < threshold): what [`prob_exceeds`] leaves, less the point itself.
fn prob_below(mean: f64, sd: f64, threshold: f64) -> f64 {
    prob_exceeds(-mean, sd, -threshold)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_normal_part_is_the_textbook() {
        let ash = Ash { sds: vec![0.0, 2.0], shares: vec![0.0, 1.0], n_rounds: 0 };
        let posterior = ash.posterior(5.0, 1.0);
        assert!((posterior.mean() - 4.0).abs() < 1e-12);
        let half = 1.959_963_984_540_054 * 0.8_f64.sqrt();
        assert!((posterior.quantile(0.025) - (4.0 - half)).abs() < 1e-9);
        assert!((posterior.quantile(0.975) - (4.0 + half)).abs() < 1e-9);
        assert!((posterior.prob_exceeds(4.0) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn probabilities_agree_with_those_of_the_law() {
        let estimates = [0.1, -0.4, 2.5, 0.3, -0.2, 4.0];
        let ash = Ash::fit(&estimates, &[1.0; 6]).unwrap();
        for (x, threshold) in [(2.5, 0.0), (4.0, 1.0), (-0.4, 0.0)] {
            let posterior = ash.posterior(x, 1.0);
            assert!((posterior.prob_exceeds(threshold) - ash.prob_exceeds(x, 1.0, threshold)).abs() < 1e-12);
            for p in [0.025, 0.5, 0.975] {
                let q = posterior.quantile(p);
                assert!(1.0 - posterior.prob_exceeds(q) >= p - 1e-12, "{q}");
                assert!(1.0 - posterior.prob_exceeds(q - 1e-6) <= p + 1e-5, "{q}");
            }
        }
    }
}
