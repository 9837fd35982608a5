//! The law of runs by simulation, for baselines that are not the first part of a series.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::counts::{Side, count_runs_against};
use crate::stats::summary::{mean, median};

/// How many series are drawn: the standard error of a probability of .05 is then .0015.
pub const N_DRAWS: u32 = 20_000;

/// One seed for all, so that the same chart always gets the same answer.
const SEED: u64 = 0x6272_6967_6874;

/// How often each (longest run, crossings) came up.
#[derive(Debug)]
pub(super) struct SimulatedLaw {
    /// Each pair that came up, with the number of draws.
    pairs: Vec<(Pair, u32)>,
    /// Draws with a longest run of at least l.
    at_least: Vec<u32>,
    /// Draws with at most c crossings.
    at_most: Vec<u32>,
}

/// What a simulated centre line is of its baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Middle {
    /// The median: distribution-free.
    Median,
    /// The mean, of normal values.
    Mean,
}

/// (longest run, crossings).
type Pair = (usize, usize);

impl SimulatedLaw {
    pub(super) fn draw(is_baseline: &[bool], middle: Middle) -> Self {
        let n = is_baseline.len();
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let mut pairs: BTreeMap<Pair, u32> = BTreeMap::new();
        let mut values = vec![0.0_f64; n];
        let (mut base, mut sides) = (Vec::with_capacity(n), Vec::with_capacity(n));
        for _ in 0..N_DRAWS {
            values.fill_with(|| rng.sample(StandardNormal));
            base.clear();
            base.extend(
                values.iter().zip(is_baseline).filter(|(_, is_baseline)| **is_baseline).map(|(value, _)| *value),
            );
            let center = match middle {
                Middle::Median => median(&mut base),
                Middle::Mean => mean(&base),
            };
            let Some(center) = center else { break };
            sides.clear();
            // Only an odd baseline's own median can tie here.
            sides.extend(values.iter().map(|value| Side::of(*value, center)).filter(|side| *side != Side::On));
            let counts = count_runs_against(&sides);
            *pairs.entry((counts.longest_run, counts.n_crossings)).or_default() += 1;
        }
        let mut at_least = vec![0; n + 2];
        let mut at_most = vec![0; n + 1];
        for (&(l, c), &draws) in &pairs {
            at_least.iter_mut().take(l + 1).for_each(|count| *count += draws);
            at_most.iter_mut().skip(c).for_each(|count| *count += draws);
        }
        Self { pairs: pairs.into_iter().collect(), at_least, at_most }
    }

    /// P(T <= t), as [`super::RunLaws::prob_runs_simulated`] defines it.
    pub(super) fn prob_runs(&self, longest_run: usize, n_crossings: usize) -> f64 {
        let t = self.rarer((longest_run, n_crossings));
        self.share(|pair| self.rarer(pair) <= t)
    }

    /// The share of draws for which `is_so`, the series that was observed counted among them.
    pub(super) fn share(&self, is_so: impl Fn(Pair) -> bool) -> f64 {
        if self.pairs.is_empty() {
            return 1.0;
        }
        let draws: u32 = self.pairs.iter().filter(|(pair, _)| is_so(*pair)).map(|(_, draws)| draws).sum();
        f64::from(draws + 1) / f64::from(N_DRAWS + 1)
    }

    /// The largest P(T <= t) that is at most `alpha`.
    pub(super) fn size(&self, alpha: f64) -> f64 {
        self.pairs.iter().map(|((l, c), _)| self.prob_runs(*l, *c)).filter(|prob| *prob <= alpha).fold(0.0, f64::max)
    }

    /// The smaller of the two tails, in draws.
    fn rarer(&self, (longest_run, n_crossings): Pair) -> u32 {
        let long = self.at_least.get(longest_run).copied().unwrap_or(0);
        let few = self.at_most.get(n_crossings).copied().unwrap_or(N_DRAWS);
        long.min(few)
    }
}
