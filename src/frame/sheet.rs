//! What is drawn at the points of all charts, column by column: threads write side by side, and the columns go out as they
//! are.

use crate::charts::{Chart, ChartKind};
use crate::rules::{Meaning, Signals};

/// One entry a point in each column; a column that the kind of chart does not have is empty.
pub(super) struct Sheet {
    /// Where something else is drawn than the value of the point.
    pub(super) drawn: Vec<f64>,
    pub(super) lower: Vec<f64>,
    pub(super) center: Vec<f64>,
    pub(super) lcl: Vec<f64>,
    pub(super) ucl: Vec<f64>,
    pub(super) is_baseline: Vec<bool>,
    pub(super) signals: Vec<Signals>,
    pub(super) meaning: Vec<Meaning>,
}

impl Sheet {
    pub(super) fn new(n_points: usize, kind: ChartKind) -> Self {
        let where_it = |has: bool| vec![f64::NAN; if has { n_points } else { 0 }];
        Self {
            drawn: where_it(!kind.draws_values()),
            lower: where_it(kind == ChartKind::Cusum),
            center: where_it(true),
            lcl: where_it(kind.has_limits()),
            ucl: where_it(kind.has_limits()),
            is_baseline: vec![false; n_points],
            signals: vec![Signals::NONE; n_points],
            meaning: vec![Meaning::None; n_points],
        }
    }

    /// All of it, to be written.
    pub(super) fn whole(&mut self) -> Part<'_> {
        Part {
            drawn: &mut self.drawn,
            lower: &mut self.lower,
            center: &mut self.center,
            lcl: &mut self.lcl,
            ucl: &mut self.ucl,
            is_baseline: &mut self.is_baseline,
            signals: &mut self.signals,
            meaning: &mut self.meaning,
        }
    }
}

/// The rest of a sheet that is not yet written.
pub(super) struct Part<'a> {
    drawn: &'a mut [f64],
    lower: &'a mut [f64],
    center: &'a mut [f64],
    lcl: &'a mut [f64],
    ucl: &'a mut [f64],
    is_baseline: &'a mut [bool],
    signals: &'a mut [Signals],
    meaning: &'a mut [Meaning],
}

impl<'a> Part<'a> {
    /// The next so many points, as a part of their own.
    pub(super) fn take(&mut self, n_points: usize) -> Part<'a> {
        Part {
            drawn: next(&mut self.drawn, n_points),
            lower: next(&mut self.lower, n_points),
            center: next(&mut self.center, n_points),
            lcl: next(&mut self.lcl, n_points),
            ucl: next(&mut self.ucl, n_points),
            is_baseline: next(&mut self.is_baseline, n_points),
            signals: next(&mut self.signals, n_points),
            meaning: next(&mut self.meaning, n_points),
        }
    }

    /// Writes the next chart.
    pub(super) fn put(&mut self, chart: &Chart) {
        let part = self.take(chart.center.len());
        write(part.drawn, &chart.drawn);
        write(part.lower, &chart.lower);
        write(part.center, &chart.center);
        write(part.lcl, &chart.lcl);
        write(part.ucl, &chart.ucl);
        write(part.is_baseline, &chart.is_baseline);
        write(part.signals, &chart.signals);
        write(part.meaning, &chart.meaning);
    }
}

/// Splits off the first entries; of a column that is not kept, none.
#[allow(clippy::mut_mut)] // what is left is itself a slice to write to
fn next<'a, T>(rest: &mut &'a mut [T], n: usize) -> &'a mut [T] {
    let all = std::mem::take(rest);
    let (first, others) = all.split_at_mut(n.min(all.len()));
    *rest = others;
    first
}

fn write<T: Copy>(cells: &mut [T], values: &[T]) {
    if cells.len() == values.len() {
        cells.copy_from_slice(values);
    }
}
