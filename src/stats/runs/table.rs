//! One law, tabulated: the marginal tails of runs and crossings, and the joint probabilities made from them.

use std::f64::consts::LN_2;

use super::boxes::RunLimits;
use super::compositions::{LnFactorials, ln_beta_binomial, sweep_long_shares};
use super::joined::Joined;
use super::law::RunLaw;

/// Tail probabilities this close to each other, relatively, are the same number computed in two ways.
const SAME: f64 = 1e-9;

/// A law with what has been computed of it.
#[derive(Debug)]
pub(super) struct LawTable {
    n: usize,
    model: Model,
    ln_factorials: LnFactorials,
    /// P(number of runs <= r), r = 0 ..= n.
    runs_at_most: Vec<f64>,
    /// P(longest run >= l), l = 0 ..= n + 1, where it has been asked for.
    longest_at_least: Vec<Option<f64>>,
}

#[derive(Debug)]
enum Model {
    /// n fair coins.
    Coin,
    /// All orders of a above and n - a below equally likely, with a probability for each a.
    Orders(Vec<(usize, f64)>),
    /// Two such stretches, one after the other.
    Joined(Joined),
}

impl LawTable {
    pub(super) fn new(law: RunLaw) -> Self {
        let (n, model) = match law {
            RunLaw::Known { n_useful } => (n_useful, Model::Coin),
            RunLaw::SamePoints { n_above, n_below } => (n_above + n_below, Model::Orders(vec![(n_above, 1.0)])),
            RunLaw::FrozenAfter { n_baseline, n_after } => {
                (n_after, Model::Orders(frozen_counts(n_baseline, n_after).into_iter().enumerate().collect()))
            }
            RunLaw::FrozenWhole { base_above, base_below, n_baseline, n_after } => {
                let after = frozen_counts(n_baseline, n_after);
                (base_above + base_below + n_after, Model::Joined(Joined::new((base_above, base_below), after)))
            }
        };
        let mut table = Self {
            n,
            model,
            ln_factorials: LnFactorials::up_to(n),
            runs_at_most: Vec::new(),
            longest_at_least: vec![None; n + 2],
        };
        table.runs_at_most = table.tabulate_runs();
        table
    }

    /// P(number of runs <= `r`).
    pub(super) fn prob_runs_at_most(&self, r: usize) -> f64 {
        self.runs_at_most.get(r).copied().unwrap_or(1.0)
    }

    /// P(longest run >= `l`).
    pub(super) fn prob_longest_run(&mut self, l: usize) -> f64 {
        match self.longest_at_least.get(l) {
            None => 0.0,
            Some(Some(prob)) => *prob,
            Some(None) => {
                let prob = self.prob_either(l, 0);
                if let Some(slot) = self.longest_at_least.get_mut(l) {
                    *slot = Some(prob);
                }
                prob
            }
        }
    }

    /// P(T <= t) for T = min(P(L >= l), P(C <= c)) and t its value at what was observed.
    pub(super) fn prob_runs(&mut self, longest_run: usize, n_crossings: usize) -> f64 {
        if self.n == 0 {
            return 1.0;
        }
        let t = self.prob_longest_run(longest_run).min(self.prob_runs_at_most(n_crossings + 1));
        // Two tails that are the same fraction may differ in their last digits, and both must count.
        let t = t * (1.0 + SAME);
        if t >= 1.0 {
            return 1.0;
        }
        let l_star = self.shortest_run_as_rare(longest_run, t);
        let r_star = self.runs_at_most.partition_point(|prob| *prob <= t).saturating_sub(1);
        self.prob_either(l_star, r_star)
    }

    /// The smallest l with P(L >= l) <= t, searched from a first guess outwards, since each probability costs a sweep.
    fn shortest_run_as_rare(&mut self, guess: usize, t: f64) -> usize {
        // P(L >= 0) = 1 > t, and P(L >= n + 1) = 0 <= t.
        let (mut too_common, mut rare) = (0, self.n + 1);
        let mut at = guess.clamp(1, self.n + 1);
        let mut step = 1;
        while rare - too_common > 1 {
            if self.prob_longest_run(at) <= t {
                rare = at;
                at = at.saturating_sub(step);
            } else {
                too_common = at;
                at += step;
            }
            step *= 2;
            if at <= too_common || at >= rare {
                at = usize::midpoint(too_common, rare);
            }
        }
        rare
    }

    /// The largest P(T <= t) that is at most `alpha`.
    pub(super) fn size(&mut self, alpha: f64) -> f64 {
        if self.n == 0 {
            return 0.0;
        }
        let mut thresholds: Vec<f64> = (1..=self.n).map(|l| self.prob_longest_run(l)).collect();
        thresholds.extend_from_slice(&self.runs_at_most);
        // P(T <= t) is at least t where t is a marginal tail, so larger thresholds cannot qualify.
        thresholds.retain(|t| *t <= alpha);
        thresholds
            .into_iter()
            .map(|t| {
                let t = t * (1.0 + SAME);
                let l_star = self.shortest_run_as_rare(1, t);
                let r_star = self.runs_at_most.partition_point(|prob| *prob <= t).saturating_sub(1);
                self.prob_either(l_star, r_star)
            })
            .filter(|prob| *prob <= alpha)
            .fold(0.0, f64::max)
    }

    /// P(longest run >= `l` or number of runs <= `r_max`).
    pub(super) fn prob_either(&self, l: usize, r_max: usize) -> f64 {
        let few = self.prob_runs_at_most(r_max);
        if l == 0 || (l == 1 && self.n > 0) {
            return 1.0;
        }
        if l > self.n {
            return few;
        }
        let prob = match &self.model {
            Model::Coin => {
                let mut long = 0.0;
                sweep_long_shares(self.n, self.n, l - 1, |r, _, column| {
                    if r > r_max {
                        long += self.coin_runs(r) * column.get(self.n).copied().unwrap_or(0.0);
                    }
                });
                few + long
            }
            Model::Orders(counts) => few + self.long_in_orders(counts, l, r_max),
            // A difference from 1 there; what is known to be part of it is a better floor than 0.
            Model::Joined(joined) => (1.0 - joined.prob_short_and_many(l - 1, r_max + 1)).max(few),
        };
        prob.min(1.0)
    }

    /// P(a limit is broken).
    pub(super) fn prob_outside(&self, limits: &RunLimits) -> f64 {
        if self.n == 0 {
            return 0.0;
        }
        // P(L > l, C >= c), with c crossings in c + 1 runs.
        let long_with = |l: usize, c: usize| match c {
            c if c >= self.n => 0.0,
            c => self.prob_either(l + 1, c) - self.prob_runs_at_most(c),
        };
        let few = self.prob_runs_at_most(limits.n_crossings_min);
        let long: f64 = limits.steps().map(|(from, to, l)| long_with(l, from) - long_with(l, to)).sum();
        (few + long).clamp(0.0, 1.0)
    }

    /// P(longest run >= l and number of runs > `r_max`) for random orders.
    fn long_in_orders(&self, counts: &[(usize, f64)], l: usize, r_max: usize) -> f64 {
        let s_max = counts.iter().map(|(a, _)| *a.max(&(self.n - a))).max().unwrap_or(0);
        let k_max = counts.iter().map(|(a, _)| *a.min(&(self.n - a)) + 1).max().unwrap_or(0);
        let mut long = 0.0;
        sweep_long_shares(s_max, k_max, l - 1, |k, previous, column| {
            let share = |of: &[f64], s: usize| of.get(s).copied().unwrap_or(0.0);
            for &(a, weight) in counts {
                let c = self.n - a;
                if a.min(c) + 1 < k {
                    continue;
                }
                // 2k runs: k above and k below, either first; 2k - 1 runs: one more on the side that starts and ends.
                if 2 * k > r_max {
                    let either = any_of(share(column, a), share(column, c));
                    long += weight * 2.0 * self.orders(a, k, k) * either;
                }
                if 2 * k - 1 > r_max {
                    let above = any_of(share(column, a), share(previous, c));
                    let below = any_of(share(previous, a), share(column, c));
                    long += weight * (self.orders(a, k, k - 1) * above + self.orders(a, k - 1, k) * below);
                }
            }
        });
        long
    }

    /// The share of orders of `a` above and n - a below with so many runs above and so many below, one side first.
    fn orders(&self, a: usize, runs_above: usize, runs_below: usize) -> f64 {
        let c = self.n - a;
        let ln = self.ln_factorials.compositions(a, runs_above) + self.ln_factorials.compositions(c, runs_below)
            - self.ln_factorials.choose(self.n, a);
        ln.exp()
    }

    /// P(r runs) of n fair coins.
    fn coin_runs(&self, r: usize) -> f64 {
        (self.ln_factorials.compositions(self.n, r) - self.n.saturating_sub(1) as f64 * LN_2).exp()
    }

    fn tabulate_runs(&self) -> Vec<f64> {
        let n = self.n;
        let mut exactly = match &self.model {
            Model::Coin => (0..=n).map(|r| self.coin_runs(r)).collect(),
            Model::Orders(counts) => {
                let mut exactly = vec![0.0; n + 1];
                for &(a, weight) in counts {
                    for (r, prob) in exactly.iter_mut().enumerate().take(2 * a.min(n - a) + 2) {
                        *prob += weight * order_runs(&self.ln_factorials, a, n - a, r);
                    }
                }
                exactly
            }
            Model::Joined(joined) => joined.prob_runs_exactly(),
        };
        let mut sum = 0.0;
        for prob in &mut exactly {
            sum += *prob;
            *prob = sum.min(1.0);
        }
        // The whole is 1, which a sum of rounded parts may miss.
        if let Some(whole) = exactly.last_mut() {
            *whole = 1.0;
        }
        exactly
    }
}

/// P(r runs) in a random order of `a` above and `c` below (Wald & Wolfowitz 1940).
pub(super) fn order_runs(ln_factorials: &LnFactorials, a: usize, c: usize, r: usize) -> f64 {
    let total = ln_factorials.choose(a + c, a);
    let orders =
        |above, below| (ln_factorials.compositions(a, above) + ln_factorials.compositions(c, below) - total).exp();
    match (r, r % 2) {
        (0, _) => orders(0, 0),
        (_, 0) => 2.0 * orders(r / 2, r / 2),
        _ => orders(r / 2 + 1, r / 2) + orders(r / 2, r / 2 + 1),
    }
}

/// P(a of n later points above a frozen median of b values), a = 0 ..= n: BetaBinomial(n, (b+1)/2, (b+1)/2).
fn frozen_counts(n_baseline: usize, n_after: usize) -> Vec<f64> {
    let ln_factorials = LnFactorials::up_to(n_after);
    let shape = f64::midpoint(n_baseline as f64, 1.0);
    (0..=n_after).map(|a| ln_beta_binomial(&ln_factorials, n_after, a, (shape, shape)).exp()).collect()
}

/// P(A or B) of independent events, without cancellation.
fn any_of(a: f64, b: f64) -> f64 {
    a + (1.0 - a) * b
}
