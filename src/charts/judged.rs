//! One phase through its limits and its rules: what the engine does with data and the law of a stable process with draws.

use super::engine::ChartSpec;
use super::limits::{Known, LimitRows, Lines, LinesSummary, lines};
use crate::Result;
use crate::rules::{Line, RuleTables, RunLimits, Signals, signal_sides};
use crate::stats::runs::Side;

/// One point of a phase that has a value and is not excluded.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChartPoint {
    /// Its row in the phase.
    pub(super) row: usize,
    /// What is drawn there.
    pub(super) value: f64,
    pub(super) is_baseline: bool,
}

/// What came of a phase as a whole; its points and lines stay in the [`Bench`].
#[derive(Debug, Clone)]
pub(super) struct Judged {
    /// Rows that are not excluded.
    pub(super) n_obs: usize,
    pub(super) has_center: bool,
    pub(super) summary: LinesSummary,
    pub(super) signals: Signals,
}

/// Buffers that are used from phase to phase.
#[derive(Debug, Default)]
pub(super) struct Bench {
    pub(super) lines: Lines,
    pub(super) points: Vec<ChartPoint>,
    /// Of each point: on which side of the centre line, how far in sigmas, beyond which limit, with which signals.
    pub(super) sides: Vec<Side>,
    pub(super) z: Vec<f64>,
    pub(super) beyond: Vec<Side>,
    pub(super) marks: Vec<Signals>,
    values: Vec<f64>,
    tables: RuleTables,
}

impl Bench {
    pub(super) fn judge(&mut self, spec: &ChartSpec, rows: &LimitRows<'_>, known: &Known) -> Result<Judged> {
        let summary = lines(&spec.limits, rows, known, &mut self.lines)?;
        let n_obs = self.gather(rows);
        self.marks.clear();
        self.marks.resize(self.points.len(), Signals::NONE);
        let line = Line { value: &self.values, side: &self.sides, z: &self.z, beyond: &self.beyond };
        // Without a centre line there is nothing to judge by.
        let has_center = self.lines.center.iter().any(|center| center.is_finite());
        let signals =
            if has_center { spec.rules.judge(&line, &mut self.marks, &mut self.tables)? } else { Signals::NONE };
        Ok(Judged { n_obs, has_center, summary, signals })
    }

    /// The side that each point's signals point to.
    pub(super) fn signal_sides(&self, sides: &mut Vec<Side>) {
        let line = Line { value: &self.values, side: &self.sides, z: &self.z, beyond: &self.beyond };
        signal_sides(&line, &self.marks, sides);
    }

    /// The longest run and the fewest crossings that are no signal.
    pub(super) fn run_limits(&mut self, spec: &ChartSpec, n_useful: usize) -> Option<RunLimits> {
        spec.rules.run_limits(n_useful, &mut self.tables)
    }

    /// The largest distance from the centre line, in sigmas.
    pub(super) fn farthest(&self) -> Option<f64> {
        self.z.iter().filter(|z| z.is_finite()).map(|z| z.abs()).max_by(f64::total_cmp)
    }

    fn gather(&mut self, rows: &LimitRows<'_>) -> usize {
        self.points.clear();
        self.sides.clear();
        self.z.clear();
        self.beyond.clear();
        self.values.clear();
        let mut n_obs = 0;
        let at = |values: &[f64], row: usize| values.get(row).copied().unwrap_or(f64::NAN);
        for (row, &value) in self.lines.drawn.iter().enumerate() {
            if rows.is_excluded.get(row).copied().unwrap_or(false) {
                continue;
            }
            n_obs += 1;
            if !value.is_finite() {
                continue;
            }
            let is_baseline = rows.is_baseline.get(row).copied().unwrap_or(true);
            self.points.push(ChartPoint { row, value, is_baseline });
            self.values.push(value);
            self.sides.push(Side::of(value, at(&self.lines.center, row)));
            self.z.push(at(&self.lines.z, row));
            self.beyond.push(if value > at(&self.lines.ucl, row) {
                Side::Above
            } else if value < at(&self.lines.lcl, row) || at(&self.lines.lower, row) < at(&self.lines.lcl, row) {
                Side::Below
            } else {
                Side::On
            });
        }
        n_obs
    }
}
