//! From rows to points: the input policy that all charts share.
//!
//! | what arrives | what happens |
//! |---|---|
//! | a row without a time | left out, counted (`missing_time`) |
//! | a missing value (null or NaN) | keeps its row, is not counted (`missing_value`) |
//! | an infinite value | treated as missing, counted (`infinite_value`) |
//! | a denominator that is missing, zero or negative | no value, counted (`invalid_denominator`) |
//! | a count above its denominator | kept, counted (`exceeded_denominator`): right for a rate, wrong for a proportion |
//! | times out of order | sorted, counted (`sorted_by_time`) |
//! | a number that looks like a code for "missing" (-999) | kept, counted (`sentinel`) |
//! | a time that repeats within a chart | an error that names it, or combined as asked (`aggregated`) |

use std::ops::Range;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::columns::{flags, floats};
use super::groups::Groups;
use super::time::Times;
use crate::stats::summary::{median, n_sentinels};
use crate::{Error, Note, NoteCode, Result};

/// How rows of one chart with the same time are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// Their mean; with a denominator, numerators and denominators are summed.
    Mean,
    /// Their median.
    Median,
    /// Their sum; with a denominator, numerators and denominators are summed.
    Sum,
}

/// A number, or the name of a column that holds it row by row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// The same for every row.
    Number(f64),
    /// A column.
    Column(String),
}

/// Which columns make the points.
#[derive(Debug)]
pub(super) struct PointColumns<'a> {
    pub(super) value: &'a str,
    pub(super) size: Option<&'a str>,
    pub(super) exclude: Option<&'a str>,
    pub(super) target: Option<&'a Scalar>,
    /// A boolean column that marks the baseline.
    pub(super) baseline: Option<&'a str>,
    pub(super) aggregate: Option<Aggregate>,
}

/// The points of all charts, chart after chart, each in the order of time.
#[derive(Debug, Default)]
pub(super) struct Points {
    /// The (first) row of the input that each point comes from.
    pub(super) row: Vec<IdxSize>,
    pub(super) key: Vec<i64>,
    /// What is drawn; NaN where there is no value.
    pub(super) value: Vec<f64>,
    pub(super) numerator: Vec<f64>,
    pub(super) denominator: Vec<f64>,
    pub(super) target: Vec<f64>,
    pub(super) is_excluded: Vec<bool>,
    pub(super) is_baseline: Vec<bool>,
    /// The points of each chart.
    pub(super) charts: Vec<Range<usize>>,
    pub(super) notes: Vec<Note>,
}

/// One row's share of a point.
struct Rows {
    value: Vec<f64>,
    size: Vec<f64>,
    exclude: Vec<bool>,
    target: Vec<f64>,
    baseline: Vec<bool>,
}

impl Points {
    pub(super) fn new(df: &DataFrame, groups: &Groups, times: &Times, columns: &PointColumns<'_>) -> Result<Self> {
        if columns.size.is_some() && columns.aggregate == Some(Aggregate::Median) {
            return Err(Error::option(
                "aggregate",
                "\"median\"",
                "\"mean\" or \"sum\" when size is given: numerators and denominators are summed",
            ));
        }
        let rows = Rows {
            value: floats(df, columns.value)?,
            size: columns.size.map_or(Ok(vec![]), |name| floats(df, name))?,
            exclude: columns.exclude.map_or(Ok(vec![]), |name| flags(df, name))?,
            target: match columns.target {
                Some(Scalar::Column(name)) => floats(df, name)?,
                _ => vec![],
            },
            baseline: columns.baseline.map_or(Ok(vec![]), |name| flags(df, name))?,
        };
        let mut points = Self::default();
        let mut count = Counts::default();
        let mut order: Vec<(i64, IdxSize)> = Vec::new();
        let mut repeated: Vec<(IdxSize, i64)> = Vec::new();
        let mut n_repeated = 0;
        for group in groups.iter() {
            order.clear();
            order.extend(group.iter().filter_map(|&row| Some((key_at(times, row)?, row))));
            count.missing_time += group.len() - order.len();
            if !order.is_sorted() {
                // Rows of one time keep the order of the input: the key is (time, row).
                order.sort_unstable();
                count.unsorted += 1;
            }
            let start = points.row.len();
            for same in order.chunk_by(|a, b| a.0 == b.0) {
                let Some(&(key, first)) = same.first() else { continue };
                if same.len() > 1 {
                    if columns.aggregate.is_none() {
                        n_repeated += 1;
                        if repeated.len() < 3 {
                            repeated.push((first, key));
                        }
                        continue;
                    }
                    count.combined += same.len();
                }
                points.push(&rows, same, key, first, columns, &mut count);
            }
            points.charts.push(start..points.row.len());
        }
        if n_repeated > 0 {
            let examples = repeated.iter().map(|&(_, key)| times.describe(key)).collect();
            return Err(Error::DuplicateTimes { n: n_repeated, examples });
        }
        if let Some(Scalar::Number(target)) = columns.target {
            points.target = vec![*target; points.row.len()];
        }
        points.notes = count.into_notes();
        points.notes.extend(sentinel_note(&rows.value, ""));
        Ok(points)
    }

    fn push(
        &mut self,
        rows: &Rows,
        same: &[(i64, IdxSize)],
        key: i64,
        first: IdxSize,
        columns: &PointColumns<'_>,
        count: &mut Counts,
    ) {
        let is_excluded = same.iter().all(|&(_, row)| flag_at(&rows.exclude, row));
        // An excluded row takes no part in a point that other rows make.
        let used = || same.iter().map(|&(_, row)| row).filter(|&row| is_excluded || !flag_at(&rows.exclude, row));
        let mut combine = |values: &[f64], how: Aggregate| {
            let mut present: Vec<f64> = Vec::with_capacity(same.len());
            for value in used().map(|row| float_at(values, row)) {
                if value.is_infinite() {
                    count.infinite += 1;
                } else if !value.is_nan() {
                    present.push(value);
                }
            }
            match (how, present.len()) {
                (_, 0) => f64::NAN,
                (Aggregate::Sum, _) => present.iter().sum(),
                (Aggregate::Mean, n) => present.iter().sum::<f64>() / n as f64,
                (Aggregate::Median, _) => median(&mut present).unwrap_or(f64::NAN),
            }
        };
        if columns.size.is_some() {
            // Both or neither: a numerator without its denominator would distort a sum.
            let mut numerator = 0.0;
            let mut denominator = 0.0;
            let mut n_whole = 0;
            for row in used() {
                let (top, bottom) = (float_at(&rows.value, row), float_at(&rows.size, row));
                if top.is_infinite() || bottom.is_infinite() {
                    count.infinite += 1;
                } else if !top.is_nan() && !bottom.is_nan() {
                    numerator += top;
                    denominator += bottom;
                    n_whole += 1;
                } else if !top.is_nan() {
                    count.invalid_denominator += 1;
                }
            }
            let (numerator, denominator) = if n_whole == 0 { (f64::NAN, f64::NAN) } else { (numerator, denominator) };
            let is_valid = denominator > 0.0;
            if n_whole > 0 && !is_valid {
                count.invalid_denominator += 1;
            }
            if is_valid && numerator > denominator {
                count.exceeded += 1;
            }
            self.numerator.push(numerator);
            self.denominator.push(denominator);
            self.value.push(if is_valid { numerator / denominator } else { f64::NAN });
        } else {
            self.value.push(combine(&rows.value, columns.aggregate.unwrap_or(Aggregate::Mean)));
        }
        if self.value.last().is_some_and(|value| value.is_nan()) {
            count.missing_value += 1;
        }
        if !rows.target.is_empty() {
            self.target.push(float_at(&rows.target, first));
        }
        self.is_excluded.push(is_excluded && !rows.exclude.is_empty());
        if !rows.baseline.is_empty() {
            self.is_baseline.push(same.iter().any(|&(_, row)| flag_at(&rows.baseline, row)));
        }
        self.key.push(key);
        self.row.push(first);
    }
}

/// Codes for "missing" that came as numbers: kept, because only the user knows, and counted.
pub(super) fn sentinel_note(values: &[f64], column: &str) -> Option<Note> {
    let n = n_sentinels(values);
    (n > 0).then(|| Note::new(NoteCode::Sentinel, n).at(column))
}

#[derive(Default)]
struct Counts {
    missing_time: usize,
    missing_value: usize,
    infinite: usize,
    invalid_denominator: usize,
    exceeded: usize,
    unsorted: usize,
    combined: usize,
}

impl Counts {
    fn into_notes(self) -> Vec<Note> {
        [
            (NoteCode::MissingTime, self.missing_time),
            (NoteCode::MissingValue, self.missing_value),
            (NoteCode::InfiniteValue, self.infinite),
            (NoteCode::InvalidDenominator, self.invalid_denominator),
            (NoteCode::ExceededDenominator, self.exceeded),
            (NoteCode::SortedByTime, self.unsorted),
            (NoteCode::Aggregated, self.combined),
        ]
        .into_iter()
        .filter(|&(_, n)| n > 0)
        .map(|(code, n)| Note::new(code, n))
        .collect()
    }
}

fn key_at(times: &Times, row: IdxSize) -> Option<i64> {
    times.keys().get(row as usize).copied().flatten()
}

fn float_at(values: &[f64], row: IdxSize) -> f64 {
    values.get(row as usize).copied().unwrap_or(f64::NAN)
}

fn flag_at(values: &[bool], row: IdxSize) -> bool {
    values.get(row as usize).copied().unwrap_or(false)
}
