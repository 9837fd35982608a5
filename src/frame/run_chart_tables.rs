//! The tables that run charts give: one row per point, one per chart and phase.

use polars::prelude::*;

use super::build::{counts, flags, numbers, texts};
use super::points::Points;

use crate::Result;
use crate::charts::{PhaseResult, ProbBasis, RunChart};

/// The columns that results add; a `by` column may not bear one of their names.
pub(super) const RESERVED: &[&str] = &[
    "time",
    "value",
    "numerator",
    "denominator",
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
    "longest_run",
    "longest_run_max",
    "n_crossings",
    "n_crossings_min",
    "prob_runs",
    "prob_basis",
    "n_beyond_limits",
    "has_signal",
    "q_value",
];

/// A chart with the names of its phases.
pub(super) struct Drawn {
    pub(super) chart: RunChart,
    pub(super) phases: Vec<String>,
}

/// Which columns of the input stand in the tables.
pub(super) struct Layout<'a> {
    pub(super) by: &'a [String],
    pub(super) time: &'a str,
    pub(super) has_size: bool,
    pub(super) has_target: bool,
}

pub(super) fn tables(
    df: &DataFrame,
    layout: &Layout<'_>,
    points: &Points,
    drawn: &[Drawn],
) -> Result<(DataFrame, DataFrame)> {
    Ok((point_table(df, layout, points, drawn)?, summary_table(df, layout, points, drawn)?))
}

fn point_table(df: &DataFrame, layout: &Layout<'_>, points: &Points, drawn: &[Drawn]) -> Result<DataFrame> {
    let height = points.row.len();
    let mut columns = keys(df, layout.by, &points.row)?;
    let mut time = df.column(layout.time)?.take(&index(&points.row))?;
    time.rename("time".into());
    columns.push(time);
    columns.push(numbers("value", points.value.iter().copied().map(Some)));
    if layout.has_size {
        columns.push(numbers("numerator", points.numerator.iter().copied().map(Some)));
        columns.push(numbers("denominator", points.denominator.iter().copied().map(Some)));
    }
    columns.push(numbers("center", drawn.iter().flat_map(|one| one.chart.center.iter().copied().map(Some))));
    // A run chart has no limits; the columns are there so that tables of all kinds of chart stack.
    columns.push(Column::full_null("lcl".into(), height, &DataType::Float64));
    columns.push(Column::full_null("ucl".into(), height, &DataType::Float64));
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
        columns.push(numbers("target", points.target.iter().copied().map(Some)));
    }
    let mut signals = ListStringChunkedBuilder::new("signals".into(), height, height / 4);
    for set in drawn.iter().flat_map(|one| &one.chart.signals) {
        signals.append_values_iter(set.codes());
    }
    columns.push(signals.finish().into_column());
    columns.push(texts("meaning", drawn.iter().flat_map(|one| one.chart.meaning.iter().map(|m| Some(m.as_str())))));
    Ok(DataFrame::new(height, columns)?)
}

fn summary_table(df: &DataFrame, layout: &Layout<'_>, points: &Points, drawn: &[Drawn]) -> Result<DataFrame> {
    // Charts without any point (no row had a time) have no row here either.
    let rows: Vec<(IdxSize, &str, &PhaseResult)> = drawn
        .iter()
        .zip(&points.charts)
        .flat_map(|(one, chart)| {
            let first = points.row.get(chart.start).copied();
            one.phases
                .iter()
                .zip(&one.chart.phases)
                .filter_map(move |(name, result)| Some((first.filter(|_| !chart.is_empty())?, name.as_str(), result)))
        })
        .collect();
    let results = || rows.iter().map(|(_, _, result)| *result);
    let first: Vec<IdxSize> = rows.iter().map(|(row, _, _)| *row).collect();
    let mut columns = keys(df, layout.by, &first)?;
    columns.push(texts("phase", rows.iter().map(|(_, name, _)| Some(*name))));
    columns.push(counts("n_obs", results().map(|r| Some(r.n_obs))));
    columns.push(counts("n_useful", results().map(|r| Some(r.n_useful))));
    columns.push(numbers("center", results().map(|r| r.center)));
    columns.push(counts("longest_run", results().map(|r| r.longest_run)));
    columns.push(counts("longest_run_max", results().map(|r| r.longest_run_max)));
    columns.push(counts("n_crossings", results().map(|r| r.n_crossings)));
    columns.push(counts("n_crossings_min", results().map(|r| r.n_crossings_min)));
    columns.push(numbers("prob_runs", results().map(|r| r.prob_runs)));
    columns.push(texts("prob_basis", results().map(|r| r.prob_basis.map(ProbBasis::as_str))));
    columns.push(Column::full_null("n_beyond_limits".into(), rows.len(), &DataType::Int64));
    columns.push(flags("has_signal", results().map(|r| Some(r.has_signal))));
    columns.push(texts("meaning", results().map(|r| Some(r.meaning.as_str()))));
    Ok(DataFrame::new(rows.len(), columns)?)
}

fn index(rows: &[IdxSize]) -> IdxCa {
    IdxCa::from_slice(PlSmallStr::EMPTY, rows)
}

fn keys(df: &DataFrame, by: &[String], rows: &[IdxSize]) -> Result<Vec<Column>> {
    let rows = index(rows);
    by.iter().map(|name| Ok(df.column(name)?.take(&rows)?)).collect()
}
