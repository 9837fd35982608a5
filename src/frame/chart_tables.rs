//! The tables that charts give: one row per point, one per chart and phase, one per kind of signal.

use std::ops::Range;

use polars::prelude::*;

use super::build::{counts, flags, numbers, texts};
use super::points::Points;
use crate::Result;
use crate::charts::{Chart, ChartKind, PhaseResult, ProbBasis};
use crate::rules::{Assurance, Signal, Signals};
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

/// A chart with the names of its phases.
pub(super) struct Drawn {
    pub(super) chart: Chart,
    pub(super) phases: Vec<String>,
}

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
#[derive(Clone, Copy)]
struct Found<'a> {
    start: usize,
    /// The row of the input that says which chart it is.
    row: IdxSize,
    name: &'a str,
    chart: &'a Chart,
    result: &'a PhaseResult,
}

impl Found<'_> {
    /// The points of the phase that carry a signal: the first, the last, how many.
    fn span(&self, signal: Signal) -> Option<(Range<usize>, usize)> {
        let rows = self.result.rows.clone();
        let marks = self.chart.signals.get(rows.clone())?;
        let carries = |signals: &Signals| signals.contains(signal);
        let first = rows.start + marks.iter().position(carries)?;
        let last = rows.start + marks.iter().rposition(carries)?;
        Some((self.start + first..self.start + last, marks.iter().filter(|signals| carries(signals)).count()))
    }
}

pub(super) fn tables(df: &DataFrame, layout: &Layout<'_>, points: &Points, drawn: &[Drawn]) -> Result<Tables> {
    // Charts without any point (no row had a time) have no row here either.
    let found: Vec<Found<'_>> = drawn
        .iter()
        .zip(&points.charts)
        .filter_map(|(one, rows)| Some((one, rows, *points.row.get(rows.start).filter(|_| !rows.is_empty())?)))
        .flat_map(|(one, rows, row)| {
            one.phases.iter().zip(&one.chart.phases).map(move |(name, result)| Found {
                start: rows.start,
                row,
                name,
                chart: &one.chart,
                result,
            })
        })
        .collect();
    Ok(Tables {
        points: point_table(df, layout, points, drawn)?,
        summary: summary_table(df, layout, points, &found)?,
        signals: signal_table(df, layout, points, &found)?,
    })
}

fn point_table(df: &DataFrame, layout: &Layout<'_>, points: &Points, drawn: &[Drawn]) -> Result<DataFrame> {
    let height = points.row.len();
    let mut columns = keys(df, layout.by, &points.row)?;
    columns.push(times(df, layout, "time", &points.row)?);
    let all = |name: &str, of: fn(&Chart) -> &[f64]| {
        numbers(name, drawn.iter().flat_map(|one| of(&one.chart).iter().copied().map(Some)))
    };
    let own = |name: &str, values: &[f64]| numbers(name, values.iter().copied().map(Some));
    columns.push(all("value", |chart| &chart.drawn));
    if layout.kind.draws_other() {
        columns.push(own("observed", &points.value));
    }
    if layout.kind == ChartKind::Cusum {
        columns.push(all("value_lower", |chart| &chart.lower));
    }
    if !points.numerator.is_empty() {
        columns.push(own("numerator", &points.numerator));
        columns.push(own("denominator", &points.denominator));
    }
    if !points.spread.is_empty() {
        columns.push(own("n", &points.denominator));
        columns.push(own("spread", &points.spread));
    }
    columns.push(all("center", |chart| &chart.center));
    columns.push(all("lcl", |chart| &chart.lcl));
    columns.push(all("ucl", |chart| &chart.ucl));
    let mut phase = StringChunkedBuilder::new("phase".into(), height);
    for one in drawn {
        for (name, result) in one.phases.iter().zip(&one.chart.phases) {
            for _ in result.rows.clone() {
                phase.append_value(name);
            }
        }
    }
    columns.push(phase.finish().into_column());
    columns.push(flags("is_baseline", drawn.iter().flat_map(|one| one.chart.is_baseline.iter().copied().map(Some))));
    columns.push(flags("is_excluded", points.is_excluded.iter().copied().map(Some)));
    if layout.has_target {
        columns.push(own("target", &points.target));
    }
    columns.push(lists("signals", height, drawn.iter().flat_map(|one| &one.chart.signals)));
    columns.push(texts("meaning", drawn.iter().flat_map(|one| one.chart.meaning.iter().map(|m| Some(m.as_str())))));
    Ok(DataFrame::new(height, columns)?)
}

fn summary_table(df: &DataFrame, layout: &Layout<'_>, points: &Points, found: &[Found<'_>]) -> Result<DataFrame> {
    let results = || found.iter().map(|one| one.result);
    let rows: Vec<IdxSize> = found.iter().map(|one| one.row).collect();
    let mut columns = keys(df, layout.by, &rows)?;
    columns.push(texts("phase", found.iter().map(|one| Some(one.name))));
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
    if points.charts.len() > 1 {
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
type SignalRow<'a> = (Found<'a>, Signal, Range<usize>, usize, Option<f64>);

fn signal_table(df: &DataFrame, layout: &Layout<'_>, points: &Points, found: &[Found<'_>]) -> Result<DataFrame> {
    let mut rows: Vec<SignalRow<'_>> = vec![];
    for one in found {
        let mut probs = one.result.prob_of_signals.iter().copied();
        for signal in one.result.signals.iter() {
            let prob = probs.next();
            if let Some((span, n)) = one.span(signal) {
                rows.push((*one, signal, span, n, prob));
            }
        }
    }
    let row_at = |point: usize| points.row.get(point).copied().unwrap_or_default();
    let of = |place: fn(&Range<usize>) -> usize| rows.iter().map(|row| row_at(place(&row.2))).collect::<Vec<_>>();
    let charts: Vec<IdxSize> = rows.iter().map(|row| row.0.row).collect();
    let mut columns = keys(df, layout.by, &charts)?;
    columns.push(texts("phase", rows.iter().map(|row| Some(row.0.name))));
    columns.push(texts("signal", rows.iter().map(|row| Some(row.1.as_str()))));
    columns.push(counts("n_points", rows.iter().map(|row| Some(row.3))));
    columns.push(times(df, layout, "first", &of(|span| span.start))?);
    columns.push(times(df, layout, "last", &of(|span| span.end))?);
    columns.push(texts(
        "meaning",
        rows.iter()
            .map(|(one, _, span, ..)| one.chart.meaning.get(span.end - one.start).map(|meaning| meaning.as_str())),
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

fn times(df: &DataFrame, layout: &Layout<'_>, name: &str, rows: &[IdxSize]) -> Result<Column> {
    let mut time = df.column(layout.time)?.take(&index(rows))?;
    time.rename(name.into());
    Ok(time)
}

fn index(rows: &[IdxSize]) -> IdxCa {
    IdxCa::from_slice(PlSmallStr::EMPTY, rows)
}

fn keys(df: &DataFrame, by: &[String], rows: &[IdxSize]) -> Result<Vec<Column>> {
    let rows = index(rows);
    by.iter().map(|name| Ok(df.column(name)?.take(&rows)?)).collect()
}
