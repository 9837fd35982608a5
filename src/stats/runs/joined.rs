//! Two stretches about one line: a baseline in random order, then what came after its median was frozen.
//!
//! A run may span the boundary, so each stretch is tabulated by the length of the run it has at the boundary and by its
//! number of runs. Counts of compositions of s are carried times 2^-s, which keeps them within a double up to
//! [`super::MAX_JOINED`] points a stretch.

use std::f64::consts::LN_2;

use super::compositions::{LnFactorials, sweep_long_shares};
use super::table::order_runs;

#[derive(Debug)]
pub(super) struct Joined {
    /// Baseline points above and below; not both 0.
    base: (usize, usize),
    /// P(a of the n later points are above), a = 0 ..= n; the same from either end.
    after: Vec<f64>,
    ln_factorials: LnFactorials,
}

/// A table with rows of equal length.
struct Grid {
    width: usize,
    cells: Vec<f64>,
}

impl Grid {
    fn zeros(height: usize, width: usize) -> Self {
        Self { width, cells: vec![0.0; height * width] }
    }

    /// The row; empty where there is none.
    fn row(&self, row: usize) -> &[f64] {
        self.cells.get(row * self.width..(row + 1) * self.width).unwrap_or(&[])
    }

    fn row_mut(&mut self, row: usize) -> &mut [f64] {
        self.cells.get_mut(row * self.width..(row + 1) * self.width).unwrap_or(&mut [])
    }

    /// The cell; 0 outside of the table.
    fn get(&self, row: usize, column: usize) -> f64 {
        self.row(row).get(column).copied().unwrap_or(0.0)
    }
}

impl Joined {
    pub(super) fn new(base: (usize, usize), after: Vec<f64>) -> Self {
        let ln_factorials = LnFactorials::up_to((base.0 + base.1).max(after.len()));
        Self { base, after, ln_factorials }
    }

    fn n_after(&self) -> usize {
        self.after.len().saturating_sub(1)
    }

    /// P(r runs in all), r = 0 ..= n. The side on which the later points start is a fair coin, whatever came before,
    /// so the two stretches merge a run half of the time.
    pub(super) fn prob_runs_exactly(&self) -> Vec<f64> {
        let (above, below) = self.base;
        let (n_base, n_after) = (above + below, self.n_after());
        let mut after = vec![0.0; n_after + 1];
        for (a, weight) in self.after.iter().enumerate() {
            for (r, prob) in after.iter_mut().enumerate() {
                *prob += weight * order_runs(&self.ln_factorials, a, n_after - a, r);
            }
        }
        let mut exactly = vec![0.0; n_base + n_after + 1];
        for r1 in 1..=n_base {
            let first = order_runs(&self.ln_factorials, above, below, r1);
            for (r2, second) in after.iter().enumerate().skip(1) {
                let half = 0.5 * first * second;
                for r in [r1 + r2 - 1, r1 + r2] {
                    if let Some(prob) = exactly.get_mut(r) {
                        *prob += half;
                    }
                }
            }
        }
        exactly
    }

    /// P(longest run <= `limit` and number of runs >= `r_min`).
    pub(super) fn prob_short_and_many(&self, limit: usize, r_min: usize) -> f64 {
        let short = self.short_compositions(limit);
        let starts = self.later_starts(&short, limit);
        let n_starts = limit.min(self.n_after());
        let mut prob = 0.0;
        for (own, other) in [self.base, (self.base.1, self.base.0)] {
            let ends = base_ends(&self.ln_factorials, &short, own, other, limit);
            for j in 1..=limit.min(own) {
                for (r1, &end) in ends.row(j).iter().enumerate() {
                    // The later points start on the other side, or on the same side and lengthen the last run.
                    let apart = starts.get(n_starts, r_min.saturating_sub(r1));
                    let merged = starts.get(n_starts.min(limit - j), (r_min + 1).saturating_sub(r1));
                    prob += end * (apart + merged);
                }
            }
        }
        prob
    }

    /// Cell (s, k): the number of compositions of s into k parts, none longer than `limit`, times 2^-s.
    fn short_compositions(&self, limit: usize) -> Grid {
        let n_after = self.n_after();
        let s_max = n_after.max(self.base.0).max(self.base.1);
        let k_max = (n_after / 2).max(self.base.0.min(self.base.1)) + 1;
        let mut short = Grid::zeros(s_max + 1, k_max + 1);
        if let Some(empty) = short.row_mut(0).first_mut() {
            *empty = 1.0;
        }
        sweep_long_shares(s_max, k_max, limit, |k, _, column| {
            for (s, long) in column.iter().enumerate().skip(k) {
                let all = (self.ln_factorials.compositions(s, k) - s as f64 * LN_2).exp();
                if let Some(cell) = short.row_mut(s).get_mut(k) {
                    *cell = all * (1.0 - long);
                }
            }
        });
        short
    }

    /// Cell (i, r): P(the later points start with a run of at most i on a given side, have at least r runs, and none
    /// longer than `limit`).
    fn later_starts(&self, short: &Grid, limit: usize) -> Grid {
        let n = self.n_after();
        let longest = limit.min(n);
        // One column more than there can be runs, for "at least n + 1".
        let mut starts = Grid::zeros(longest + 1, n + 2);
        for (a, prob) in self.after.iter().enumerate().skip(1) {
            let weight = (prob.ln() - self.ln_factorials.choose(n, a) + n as f64 * LN_2).exp();
            for i in 1..=longest.min(a) {
                let scale = weight * 0.5_f64.powi(i32::try_from(i).unwrap_or(i32::MAX));
                add_alternations(starts.row_mut(i), short.row(a - i), short.row(n - a), scale);
            }
        }
        for i in 1..=longest {
            let mut at_least = 0.0;
            for cell in starts.row_mut(i).iter_mut().rev() {
                at_least += *cell;
                *cell = at_least;
            }
            let shorter = starts.row(i - 1).to_vec();
            starts.row_mut(i).iter_mut().zip(shorter).for_each(|(cell, before)| *cell += before);
        }
        starts
    }
}

/// Cell (j, r): P(the baseline ends with a run of j on its own side, has r runs, and none longer than `limit`).
fn base_ends(ln_factorials: &LnFactorials, short: &Grid, own: usize, other: usize, limit: usize) -> Grid {
    let n = own + other;
    let longest = limit.min(own);
    let mut ends = Grid::zeros(longest + 1, n + 1);
    let weight = (n as f64 * LN_2 - ln_factorials.choose(n, own)).exp();
    for j in 1..=longest {
        let scale = weight * 0.5_f64.powi(i32::try_from(j).unwrap_or(i32::MAX));
        add_alternations(ends.row_mut(j), short.row(own - j), short.row(other), scale);
    }
    ends
}

/// Adds to cell r of `by_runs` what has r runs when the run at the boundary is on the one side: `rest[k - 1]` of that
/// side make k runs with it, and `opposite[k - 1]` or `opposite[k]` of the other side alternate with them.
fn add_alternations(by_runs: &mut [f64], rest: &[f64], opposite: &[f64], scale: f64) {
    let next = opposite.iter().skip(1).copied().chain(std::iter::once(0.0));
    let pairs = by_runs.get_mut(1..).unwrap_or(&mut []).chunks_mut(2);
    for (((own, fewer), as_many), pair) in rest.iter().zip(opposite).zip(next).zip(pairs) {
        for (cell, others) in pair.iter_mut().zip([fewer, &as_many]) {
            *cell += scale * own * others;
        }
    }
}
