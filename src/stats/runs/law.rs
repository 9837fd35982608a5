//! The laws of the longest run and the crossings, and a store of what has been computed from them.

use std::collections::HashMap;
use std::sync::Arc;

use super::boxes::RunLimits;
use super::simulated::{Middle, SimulatedLaw};
use super::table::LawTable;
use crate::stats::shared::Shared;

/// Longest stretch (of useful baseline points, or of later points) for which [`RunLaw::FrozenWhole`] is exact.
///
/// Beyond it the scaled counts leave the range of a double; the probability is then simulated.
pub const MAX_JOINED: usize = 1000;

/// Where the centre line comes from, and so how a stable process scatters its points about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunLaw {
    /// The centre line is known: each of `n_useful` points (none on the line) falls on either side like a fair coin.
    Known {
        /// Points that are not on the line.
        n_useful: usize,
    },
    /// The centre line is the median of the same points: given how many lie above and below, all orders are equally
    /// likely. Exact with ties and with an odd number of points.
    SamePoints {
        /// Points above the line.
        n_above: usize,
        /// Points below it.
        n_below: usize,
    },
    /// Only the points after a baseline, about the baseline's frozen median: given how many lie above, all orders are
    /// equally likely, and their number is beta-binomial (`n_after`; (b+1)/2, (b+1)/2).
    FrozenAfter {
        /// Values the median was taken of (b).
        n_baseline: usize,
        /// Later points, those on the line included.
        n_after: usize,
    },
    /// The baseline, in a random order of its points above and below, then the points after it.
    FrozenWhole {
        /// Baseline points above the line.
        base_above: usize,
        /// Baseline points below it.
        base_below: usize,
        /// Values the median was taken of, those on the line included (b).
        n_baseline: usize,
        /// Later points, those on the line included.
        n_after: usize,
    },
}

impl RunLaw {
    /// Whether the probability is simulated (with a fixed seed), the series being too long for the exact law.
    pub fn is_simulated(self) -> bool {
        matches!(self.canonical(), Self::FrozenWhole { base_above, base_below, n_after, .. }
            if base_above + base_below > MAX_JOINED || n_after > MAX_JOINED)
    }

    /// The same law by its simplest name, so that it is computed once.
    fn canonical(self) -> Self {
        match self {
            Self::FrozenWhole { base_above, base_below, n_after: 0, .. } => {
                Self::SamePoints { n_above: base_above, n_below: base_below }.canonical()
            }
            Self::FrozenWhole { base_above: 0, base_below: 0, n_baseline, n_after } => {
                Self::FrozenAfter { n_baseline, n_after }
            }
            // Which side is called above makes no difference.
            Self::FrozenWhole { base_above, base_below, n_baseline, n_after } => Self::FrozenWhole {
                base_above: base_above.max(base_below),
                base_below: base_above.min(base_below),
                n_baseline,
                n_after,
            },
            Self::SamePoints { n_above, n_below } => {
                Self::SamePoints { n_above: n_above.max(n_below), n_below: n_above.min(n_below) }
            }
            other => other,
        }
    }
}

/// A law, and what was observed: the longest run and the crossings.
type Question = (RunLaw, usize, usize);

/// Which points make the centre line, and what it is of them.
type Drawing = (Vec<bool>, Middle);

static ANSWERS: Shared<Question, f64> = Shared::new(200_000);
static SIMULATED: Shared<Drawing, Arc<SimulatedLaw>> = Shared::new(1_000);

/// Exact laws of runs, each computed when first asked for and kept.
///
/// One per thread, so that thousands of charts of the same length cost a look-up each; what one has answered is known to
/// the next.
///
/// ```
/// use brightspot::stats::runs::{RunLaw, RunLaws};
/// let mut laws = RunLaws::default();
/// // Twelve points about their own median, in two runs of six.
/// let p = laws.prob_runs(RunLaw::SamePoints { n_above: 6, n_below: 6 }, 6, 1);
/// assert!((p - 2.0 / 924.0).abs() < 1e-15);
/// ```
#[derive(Debug, Default)]
pub struct RunLaws {
    tables: HashMap<RunLaw, LawTable>,
    answers: HashMap<Question, f64>,
    simulated: HashMap<Drawing, Arc<SimulatedLaw>>,
}

impl RunLaws {
    /// How often a stable process shows at least as much: P(T <= t), T = min(P(L >= l), P(C <= c)).
    ///
    /// L is the longest run and C the number of crossings; t is T at what was observed, and the probability is taken
    /// under their joint law, so it is right for both looked at together. It is two-sided by nature: a run may be long
    /// on either side.
    ///
    /// * `longest_run`, `n_crossings`: what was observed, from [`super::count_runs`]; for the two frozen laws the later
    ///   points are counted by [`super::count_runs_against`].
    ///
    /// Counts that the law cannot produce have probability 0; a law of no points gives 1. For
    /// [`RunLaw::FrozenWhole`] the error is below 1e-13 absolute, for the others below 1e-10 relative.
    pub fn prob_runs(&mut self, law: RunLaw, longest_run: usize, n_crossings: usize) -> f64 {
        let law = law.canonical();
        let key = (law, longest_run, n_crossings);
        if let Some(prob) = self.answers.get(&key) {
            return *prob;
        }
        let prob = ANSWERS.get(key, || match self.law(law) {
            Law::Exact(table) => table.prob_runs(longest_run, n_crossings),
            Law::Simulated(simulated) => simulated.prob_runs(longest_run, n_crossings),
        });
        self.answers.insert(key, prob);
        prob
    }

    /// [`Self::prob_runs`] where no closed form exists: the baseline is not the first part of the series, or the line is its
    /// mean.
    ///
    /// [`super::N_DRAWS`] series of independent normal values are drawn from a fixed seed, each with the median (or mean) of its own
    /// baseline; the answer is (1 + the number of draws that show at least as much) / (1 + draws). In draws a
    /// baseline value that is itself the median is dropped, as it must be from what was observed.
    ///
    /// * `is_baseline`: in the order of time, for each point that counts, whether it is of the baseline.
    ///
    /// Without a baseline point there is no centre line, and the answer is 1.
    pub fn prob_runs_simulated(
        &mut self,
        is_baseline: &[bool],
        middle: Middle,
        longest_run: usize,
        n_crossings: usize,
    ) -> f64 {
        self.simulated(is_baseline, middle).prob_runs(longest_run, n_crossings)
    }

    /// P(L >= `longest_run`): how often a stable process has a run as long as that.
    pub fn prob_longest_run(&mut self, law: RunLaw, longest_run: usize) -> f64 {
        match self.law(law.canonical()) {
            Law::Exact(table) => table.prob_longest_run(longest_run),
            Law::Simulated(simulated) => simulated.share(|(l, _)| l >= longest_run),
        }
    }

    /// P(C <= `n_crossings`): how often a stable process crosses its centre line no more than that.
    pub fn prob_crossings(&mut self, law: RunLaw, n_crossings: usize) -> f64 {
        match self.law(law.canonical()) {
            Law::Exact(table) => table.prob_runs_at_most(n_crossings + 1),
            Law::Simulated(simulated) => simulated.share(|(_, c)| c <= n_crossings),
        }
    }

    /// How often a rule signals on a stable process: P(L > `longest_run_max` or C < `n_crossings_min`).
    pub fn false_signal(&mut self, law: RunLaw, longest_run_max: usize, n_crossings_min: usize) -> f64 {
        match self.law(law.canonical()) {
            Law::Exact(table) => table.prob_either(longest_run_max + 1, n_crossings_min),
            Law::Simulated(simulated) => simulated.share(|(l, c)| l > longest_run_max || c < n_crossings_min),
        }
    }

    /// How often limits that may lack a corner are broken on a stable process; without points never.
    ///
    /// The error is below 1e-12 absolute.
    ///
    /// ```
    /// use brightspot::stats::runs::{RunLaw, RunLaws, best_box};
    /// // Twelve points about a known line: a longer run than 6, or fewer crossings than 3.
    /// let prob = RunLaws::default().false_signal_of(RunLaw::Known { n_useful: 12 }, &best_box(12).unwrap());
    /// assert!((prob - 0.0674).abs() < 5e-5);
    /// ```
    pub fn false_signal_of(&mut self, law: RunLaw, limits: &RunLimits) -> f64 {
        match self.law(law.canonical()) {
            Law::Exact(table) => table.prob_outside(limits),
            Law::Simulated(simulated) => simulated.share(|(l, c)| limits.has_signal(l, c)),
        }
    }

    /// The size of the test that claims a shift where [`Self::prob_runs`] is at most `alpha`: how often it does so on a
    /// stable process. It is the largest probability at or below `alpha` that can occur.
    pub fn size(&mut self, law: RunLaw, alpha: f64) -> f64 {
        match self.law(law.canonical()) {
            Law::Exact(table) => table.size(alpha),
            Law::Simulated(simulated) => simulated.size(alpha),
        }
    }

    fn law(&mut self, law: RunLaw) -> Law<'_> {
        match law {
            RunLaw::FrozenWhole { n_baseline, n_after, .. } if law.is_simulated() => {
                let is_baseline: Vec<bool> = (0..n_baseline + n_after).map(|row| row < n_baseline).collect();
                Law::Simulated(self.simulated(&is_baseline, Middle::Median))
            }
            _ => Law::Exact(self.tables.entry(law).or_insert_with(|| LawTable::new(law))),
        }
    }

    fn simulated(&mut self, is_baseline: &[bool], middle: Middle) -> &SimulatedLaw {
        let key = (is_baseline.to_vec(), middle);
        self.simulated
            .entry(key)
            .or_insert_with_key(|key| SIMULATED.get(key.clone(), || Arc::new(SimulatedLaw::draw(is_baseline, middle))))
    }
}

enum Law<'a> {
    Exact(&'a mut LawTable),
    Simulated(&'a SimulatedLaw),
}
