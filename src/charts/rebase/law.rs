//! How large the best cut of a stable series is by chance: simulated, because the place of the cut is searched for.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::split::{self, Ranker};
use crate::stats::step::{PHI_MAX, PHI_MIN};

/// Series drawn for a law: the standard error of a probability of .05 is then .0015.
pub const N_DRAWS: usize = 20_000;

/// Series up to this length are compared with the full number of draws; of longer ones fewer are drawn, so that a law
/// costs no more, but at least [`N_DRAWS_MIN`] (a standard error of .007 at .05).
pub const FULL_DRAWS_UP_TO: usize = 500;

/// Fewest series drawn for a law.
pub const N_DRAWS_MIN: usize = 999;

/// One seed for all, so that the same series always gets the same answer.
const SEED: u64 = 0x7265_6261_7365;

/// Steps of autocorrelation for which laws are drawn; between them probabilities are interpolated on a log scale.
const N_STEPS: usize = 6;

/// Laws of the largest t over all cuts, by length, fewest points on a side, and step of autocorrelation.
#[derive(Debug, Default)]
pub(super) struct SplitLaws {
    /// Each law's draws in ascending order.
    laws: BTreeMap<(usize, usize, usize), Vec<f32>>,
}

impl SplitLaws {
    /// P(T >= t) over all cuts of a stable normal series of `n` points whose neighbours correlate by `phi`.
    pub(super) fn prob(&mut self, n: usize, min_length: usize, phi: f64, t: f64) -> f64 {
        // The observed series is counted among the draws.
        let tail = |draws: &[f32]| {
            let n_below = draws.partition_point(|drawn| f64::from(*drawn) < t);
            ((draws.len() - n_below + 1) as f64 / (draws.len() + 1) as f64).ln()
        };
        self.between(n, min_length, phi, tail).exp()
    }

    /// The t that such a series exceeds with probability `p`.
    pub(super) fn quantile(&mut self, n: usize, min_length: usize, phi: f64, p: f64) -> f64 {
        let quantile = |draws: &[f32]| {
            // A share of the draws.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let index = (draws.len() as f64 * (1.0 - p)) as usize;
            draws.get(index).or(draws.last()).map_or(f64::INFINITY, |drawn| f64::from(*drawn))
        };
        self.between(n, min_length, phi, quantile)
    }

    /// A figure of the two laws whose autocorrelations enclose `phi`, interpolated.
    fn between(&mut self, n: usize, min_length: usize, phi: f64, figure: impl Fn(&[f32]) -> f64) -> f64 {
        let at = ((phi - PHI_MIN) / (PHI_MAX - PHI_MIN) * N_STEPS as f64).clamp(0.0, N_STEPS as f64);
        // Between 0 and the number of steps after the clamp.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let below = (at as usize).min(N_STEPS - 1);
        let share = at - below as f64;
        let lower = figure(self.draws(n, min_length, below));
        if share <= 0.0 { lower } else { lower * (1.0 - share) + figure(self.draws(n, min_length, below + 1)) * share }
    }

    fn draws(&mut self, n: usize, min_length: usize, step: usize) -> &[f32] {
        let n = length_of_law(n);
        self.laws.entry((n, min_length, step)).or_insert_with(|| draw(n, min_length, step))
    }
}

/// Up to 32 points each length has its own law; longer ones are rounded up to one of sixteen lengths in each octave. A longer series has more cuts, so the law that stands in is never too lenient.
fn length_of_law(n: usize) -> usize {
    if n <= 32 { n } else { n.next_multiple_of(1 << (n.ilog2() - 4)) }
}

fn draw(n: usize, min_length: usize, step: usize) -> Vec<f32> {
    let phi = PHI_MIN + (PHI_MAX - PHI_MIN) * step as f64 / N_STEPS as f64;
    let innovation = (1.0 - phi * phi).sqrt();
    let n_draws = (N_DRAWS * FULL_DRAWS_UP_TO / n.max(FULL_DRAWS_UP_TO)).max(N_DRAWS_MIN);
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let (mut y, mut ranker) = (vec![0.0; n], Ranker::default());
    let mut draws: Vec<f32> = (0..n_draws)
        .filter_map(|_| {
            let mut last: f64 = rng.sample(StandardNormal);
            for value in &mut y {
                let shock: f64 = rng.sample(StandardNormal);
                last = phi * last + innovation * shock;
                *value = last;
            }
            // Compared with probabilities of three digits.
            #[allow(clippy::cast_possible_truncation)]
            split::best(ranker.ranks(&y), min_length).map(|split| split.t as f32)
        })
        .collect();
    draws.sort_unstable_by(f32::total_cmp);
    draws
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_rounded_up() {
        assert_eq!([16, 32, 33, 36, 63, 65, 128, 129, 500].map(length_of_law), [16, 32, 34, 36, 64, 68, 128, 136, 512]);
    }

    #[test]
    fn probabilities_fall_with_t_and_rise_with_autocorrelation() {
        let mut laws = SplitLaws::default();
        let probs: Vec<f64> = [0.0, 1.0, 2.0, 3.0, 4.0].map(|t| laws.prob(24, 8, 0.3, t)).to_vec();
        assert!(probs.windows(2).all(|pair| pair[0] > pair[1]), "{probs:?}");
        assert!((probs[0] - 1.0).abs() < 1e-12);
        assert!((laws.prob(24, 8, 0.3, f64::INFINITY) - 1.0 / 20_001.0).abs() < 1e-15);
        let by_phi: Vec<f64> = [0.3, 0.35, 0.4, 0.55, 0.9].map(|phi| laws.prob(24, 8, phi, 3.0)).to_vec();
        assert!(by_phi.windows(2).all(|pair| pair[0] < pair[1]), "{by_phi:?}");
    }

    #[test]
    fn a_quantile_has_its_probability() {
        let mut laws = SplitLaws::default();
        for phi in [0.3, 0.43, 0.9] {
            let t = laws.quantile(20, 8, phi, 0.1);
            assert!((laws.prob(20, 8, phi, t) - 0.1).abs() < 0.005, "{phi} {t}");
        }
    }

    /// With one admissible cut there is no search, and t is nearly Student's with the degrees of freedom of the step;
    /// the estimate of the autocorrelation, and its floor, cost the difference.
    #[test]
    fn a_search_makes_large_t_common() {
        let mut laws = SplitLaws::default();
        let (one, many) = (laws.prob(24, 12, 0.3, 2.5), laws.prob(24, 4, 0.3, 2.5));
        assert!(one < 0.04 && many > 2.0 * one, "{one} {many}");
    }
}
