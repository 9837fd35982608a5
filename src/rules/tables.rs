//! Limits by number of points, computed when first asked for and kept.

use std::collections::HashMap;

use super::anhoej::{longest_run_max, n_crossings_min};
use super::runs_table::n_runs_limits;
use crate::stats::runs::{RunLaws, RunLimits, best_box, cut_box};

/// What rules have had to compute, by number of points: one for each thread that judges many series.
///
/// Nothing is shared and nothing is global; judging the ten thousandth series of 36 points then costs look-ups.
#[derive(Debug, Default)]
pub struct RuleTables {
    laws: RunLaws,
    anhoej: HashMap<usize, RunLimits>,
    best: HashMap<usize, Option<RunLimits>>,
    cut: HashMap<usize, Option<RunLimits>>,
    /// Fewest and most runs, by number of points and the bits of the tail's probability.
    runs: HashMap<(usize, u64), (usize, usize)>,
}

impl RuleTables {
    pub(super) fn anhoej(&mut self, n: usize) -> RunLimits {
        *self.anhoej.entry(n).or_insert_with(|| RunLimits::new(longest_run_max(n), n_crossings_min(n)))
    }

    pub(super) fn best_box(&mut self, n: usize) -> Option<RunLimits> {
        *self.best.entry(n).or_insert_with(|| best_box(n))
    }

    pub(super) fn cut_box(&mut self, n: usize) -> Option<RunLimits> {
        *self.cut.entry(n).or_insert_with(|| cut_box(n))
    }

    pub(super) fn n_runs(&mut self, n: usize, prob: f64) -> (usize, usize) {
        let laws = &mut self.laws;
        *self.runs.entry((n, prob.to_bits())).or_insert_with(|| n_runs_limits(laws, n, prob))
    }
}
