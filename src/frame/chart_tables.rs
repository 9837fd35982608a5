//! The tables that charts give: one row per point, one per chart and phase, one per kind of signal.

use std::borrow::Cow;
use std::ops::Range;

use polars::prelude::*;

use super::build::{all_flags, all_numbers, counts, few_words, flags, numbers, texts};
use super::points::Points;
use super::sheet::Sheet;
use crate::Result;
use crate::charts::{ChartKind, PhaseResult, ProbBasis};
use crate::rules::{Assurance, Meaning, Signal, Signals};
use crate::stats::multiplicity::{Adjustment, adjust};

/// The columns that results add; a `by` column may not bear one of their names.
pub(super) const RESERVED: &[&str] = &[
    "time",
    "value",
    "observed",
    "value_lower",
    "numerator",
    "denominator",
    "n",
    "spread",
    "center",
    "lcl",
    "ucl",
    "phase",
    "is_baseline",
    "is_excluded",
    "target",
    "signals",
    "meaning",
    "n_obs",
    "n_useful",
    "n_baseline",
    "sigma",
    "dispersion",
    "longest_run",
    "longest_run_max",
    "n_crossings",
    "n_crossings_min",
    "prob_runs",
    "prob_basis",
    "n_beyond_limits",
    "prob_beyond",
    "has_signal",
    "prob_false_signal",
    "variation",
    "assurance",
    "q_value",
    "signal",
    "n_points",
    "first",
    "last",
];

/// Which columns of the input stand in the tables.
pub(super) struct Layout<'a> {
    pub(super) by: &'a [String],
    pub(super) time: &'a str,
    pub(super) kind: ChartKind,
    pub(super) has_target: bool,
}

/// The three of them.
pub(super) struct Tables {
    pub(super) points: DataFrame,
    pub(super) summary: DataFrame,
    pub(super) signals: DataFrame,
}

/// One phase of one chart, with where its chart starts among all points.
pub(super) struct Found<'a> {
    pub(super) start: usize,
    /// The row of the input that says which chart it is.
    pub(super) row: IdxSize,
    pub(super) name: Cow<'a, str>,
    pub(super) result: PhaseResult,
}

impl Found<'_> {
    /// Its points among all points.
    fn points(&self) -> Range<usize> {
        self.start + self.result.rows.start..self.start + self.result.rows.end
    }

    /// The points of the phase that carry a signal: the first, the last, how many.
    fn span(&self, sheet: &Sheet, signal: Signal) -> Option<(Range<usize>, usize)> {
        let points = self.points();
        let marks = sheet.signals.get(points.clone())?;
        let carries = |signals: &Signals| signals.contains(signal);
        let first = points.start + marks.iter().position(carries)?;
        let last = points.start + marks.iter().rposition(carries)?;
        Some((first..last, marks.iter().filter(|signals| carries(signals)).count()))
    }
}

pub(super) fn tables(
    df: &DataFrame,
    layout: &Layout<'_>,
    points: Points,
    sheet: Sheet,
    found: Vec<Found<'_>>,
) -> Result<Tables> {
    let signals = signal_table(df, layout, &points, &sheet, &found)?;
    let summary = summary_table(df, layout, points.charts.len() > 1, &found)?;
    Ok(Tables { points: point_table(df, layout, points, sheet, found)?, summary, signals })
}

/// What was computed becomes the table's own, column by column; what no column needs is let go first.
fn point_table(
    df: &DataFrame,
    layout: &Layout<'_>,
    points: Points,
    sheet: Sheet,
    found: Vec<Found<'_>>,
) -> Result<DataFrame> {
    let height = points.row.len();
    let phase = phases(height, &found);
    drop(found);
    let rows = Rows::new(df, &points.row);
    let mut columns = rows.keys(layout.by)?;
    columns.push(rows.times(layout, "time")?);
    drop((rows, points.row, points.key));
    if layout.kind.draws_values() {
        columns.push(all_numbers("value", points.value));
    } else {
        columns.push(all_numbers("value", sheet.drawn));
        if layout.kind.draws_other() {
            columns.push(all_numbers("observed", points.value));
        }
    }
    if layout.kind == ChartKind::Cusum {
        columns.push(all_numbers("value_lower", sheet.lower));
    }
    if !points.numerator.is_empty() {
        columns.push(all_numbers("numerator", points.numerator));
        columns.push(all_numbers("denominator", points.denominator));
    } else if !points.spread.is_empty() {
        columns.push(all_numbers("n", points.denominator));
        columns.push(all_numbers("spread", points.spread));
    }
    columns.push(all_numbers("center", sheet.center));
    for (name, limit) in [("lcl", sheet.lcl), ("ucl", sheet.ucl)] {
        columns.push(if layout.kind.has_limits() {
            all_numbers(name, limit)
        } else {
            Float64Chunked::full_null(name.into(), height).into_column()
        });
    }
    columns.push(phase);
    columns.push(all_flags("is_baseline", &sheet.is_baseline));
    columns.push(all_flags("is_excluded", &points.is_excluded));
    if layout.has_target {
        columns.push(all_numbers("target", points.target));
    }
    columns.push(lists("signals", height, sheet.signals.iter()));
    let words: Vec<&str> = Meaning::ALL.iter().map(|meaning| meaning.as_str()).collect();
    columns.push(few_words("meaning", &words, sheet.meaning.iter().map(|meaning| *meaning as usize))?);
    Ok(DataFrame::new(height, columns)?)
}

/// The name of each point's phase.
fn phases(height: usize, found: &[Found<'_>]) -> Column {
    let first = found.first().map_or("", |one| &*one.name);
    if found.iter().all(|one| one.name == first) {
        return StringChunked::full("phase".into(), first, height).into_column();
    }
    let mut phase = StringChunkedBuilder::new("phase".into(), height);
    for one in found {
        for _ in one.points() {
            phase.append_value(&one.name);
        }
    }
    phase.finish().into_column()
}

fn summary_table(df: &DataFrame, layout: &Layout<'_>, is_of_many: bool, found: &[Found<'_>]) -> Result<DataFrame> {
    let results = || found.iter().map(|one| &one.result);
    let rows: Vec<IdxSize> = found.iter().map(|one| one.row).collect();
    let mut columns = Rows::new(df, &rows).keys(layout.by)?;
    columns.push(texts("phase", found.iter().map(|one| Some(&*one.name))));
    columns.push(counts("n_obs", results().map(|r| Some(r.n_obs))));
    columns.push(counts("n_useful", results().map(|r| Some(r.n_useful))));
    columns.push(counts("n_baseline", results().map(|r| Some(r.n_baseline))));
    columns.push(numbers("center", results().map(|r| r.center)));
    columns.push(numbers("sigma", results().map(|r| r.sigma)));
    columns.push(numbers("dispersion", results().map(|r| r.dispersion)));
    columns.push(counts("longest_run", results().map(|r| r.longest_run)));
    columns.push(counts("longest_run_max", results().map(|r| r.longest_run_max)));
    columns.push(counts("n_crossings", results().map(|r| r.n_crossings)));
    columns.push(counts("n_crossings_min", results().map(|r| r.n_crossings_min)));
    columns.push(numbers("prob_runs", results().map(|r| r.prob_runs)));
    columns.push(texts("prob_basis", results().map(|r| r.prob_basis.map(ProbBasis::as_str))));
    columns.push(counts("n_beyond_limits", results().map(|r| r.n_beyond_limits)));
    columns.push(numbers("prob_beyond", results().map(|r| r.prob_beyond)));
    columns.push(flags("has_signal", results().map(|r| Some(r.has_signal))));
    columns.push(lists("signals", found.len(), results().map(|r| &r.signals)));
    columns.push(texts("meaning", results().map(|r| Some(r.meaning.as_str()))));
    columns.push(numbers("prob_false_signal", results().map(|r| r.prob_false_signal)));
    columns.push(texts("variation", results().map(|r| Some(r.variation.as_str()))));
    columns.push(texts("assurance", results().map(|r| r.assurance.map(Assurance::as_str))));
    if is_of_many {
        columns.push(numbers("q_value", q_values(found)?.into_iter()));
    }
    Ok(DataFrame::new(found.len(), columns)?)
}

/// How often a chart that looks at least as odd would be a false alarm among those called so; none without a probability.
fn q_values(found: &[Found<'_>]) -> Result<Vec<Option<f64>>> {
    let known: Vec<f64> = found.iter().filter_map(|one| one.result.prob_chart).collect();
    let mut adjusted = adjust(&known, Adjustment::BenjaminiHochberg)?.into_iter();
    Ok(found.iter().map(|one| one.result.prob_chart.and_then(|_| adjusted.next())).collect())
}

/// A phase, its signal, from which to which point, on how many of them, and how often a stable process shows it.
type SignalRow<'a> = (&'a Found<'a>, Signal, Range<usize>, usize, Option<f64>);

fn signal_table(
    df: &DataFrame,
    layout: &Layout<'_>,
    points: &Points,
    sheet: &Sheet,
    found: &[Found<'_>],
) -> Result<DataFrame> {
    let mut rows: Vec<SignalRow<'_>> = vec![];
    for one in found {
        let mut probs = one.result.prob_of_signals.iter().copied();
        for signal in one.result.signals.iter() {
            let prob = probs.next();
            if let Some((span, n)) = one.span(sheet, signal) {
                rows.push((one, signal, span, n, prob));
            }
        }
    }
    let row_at = |point: usize| points.row.get(point).copied().unwrap_or_default();
    let of = |place: fn(&Range<usize>) -> usize| rows.iter().map(|row| row_at(place(&row.2))).collect::<Vec<_>>();
    let charts: Vec<IdxSize> = rows.iter().map(|row| row.0.row).collect();
    let mut columns = Rows::new(df, &charts).keys(layout.by)?;
    columns.push(texts("phase", rows.iter().map(|row| Some(&*row.0.name))));
    columns.push(texts("signal", rows.iter().map(|row| Some(row.1.as_str()))));
    columns.push(counts("n_points", rows.iter().map(|row| Some(row.3))));
    columns.push(Rows::new(df, &of(|span| span.start)).times(layout, "first")?);
    columns.push(Rows::new(df, &of(|span| span.end)).times(layout, "last")?);
    columns.push(texts(
        "meaning",
        rows.iter().map(|(_, _, span, ..)| sheet.meaning.get(span.end).map(|meaning| meaning.as_str())),
    ));
    columns.push(numbers("prob_false_signal", rows.iter().map(|row| row.4)));
    Ok(DataFrame::new(rows.len(), columns)?)
}

fn lists<'a>(name: &str, height: usize, sets: impl Iterator<Item = &'a Signals>) -> Column {
    let mut signals = ListStringChunkedBuilder::new(name.into(), height, height / 4);
    for set in sets {
        signals.append_values_iter(set.codes());
    }
    signals.finish().into_column()
}

/// Rows of the input, by their place.
struct Rows<'a> {
    df: &'a DataFrame,
    index: IdxCa,
    /// Whether they are all rows in the order of the input: columns then go out as they came.
    is_all: bool,
}

impl<'a> Rows<'a> {
    fn new(df: &'a DataFrame, rows: &[IdxSize]) -> Self {
        let is_all = rows.len() == df.height() && rows.iter().zip(0..).all(|(row, place)| *row == place);
        let index = IdxCa::from_slice(PlSmallStr::EMPTY, if is_all { &[] } else { rows });
        Self { df, index, is_all }
    }

    fn of(&self, column: &str) -> Result<Column> {
        let column = self.df.column(column)?;
        Ok(if self.is_all { column.clone() } else { column.take(&self.index)? })
    }

    fn keys(&self, by: &[String]) -> Result<Vec<Column>> {
        by.iter().map(|name| self.of(name)).collect()
    }

    fn times(&self, layout: &Layout<'_>, name: &str) -> Result<Column> {
        let mut time = self.of(layout.time)?;
        time.rename(name.into());
        Ok(time)
    }
}
