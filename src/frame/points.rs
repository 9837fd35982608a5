//! From rows to points: the input policy that all charts share.
//!
//! | what arrives | what happens |
//! |---|---|
//! | a row without a time | left out, counted (`missing_time`) |
//! | a missing value (null or NaN) | keeps its row, is not counted (`missing_value`) |
//! | an infinite value | treated as missing, counted (`infinite_value`) |
//! | a denominator that is missing, zero or negative | no value, counted (`invalid_denominator`) |
//! | a count above its denominator | kept, counted (`exceeded_denominator`); in a chart of proportions an error that says when |
//! | a negative count, a negative time between events | an error that says when |
//! | counts that are not whole | kept, counted (`fractional_count`) |
//! | percentages among shares (94 beside .93) | kept, counted (`mixed_scales`) |
//! | times out of order | sorted, counted (`sorted_by_time`) |
//! | a number that looks like a code for "missing" (-999) | kept, counted (`sentinel`) |
//! | a time that repeats within a chart | an error that names it, or combined as asked (`aggregated`); measurements of one subgroup belong together |

use std::ops::Range;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::groups::Groups;
use super::reading::{Aggregate, Maker, Reading, Rows, flag_at, float_at};
use super::time::Times;
use crate::stats::summary::{mixes_scales, n_sentinels};
use crate::{Error, Note, NoteCode, Result};

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
#[derive(Debug, Default)]
pub(super) struct PointColumns<'a> {
    pub(super) reading: Reading,
    pub(super) value: &'a str,
    pub(super) size: Option<&'a str>,
    /// The spread within each subgroup, where subgroups arrive as one row each.
    pub(super) spread: Option<&'a str>,
    pub(super) exclude: Option<&'a str>,
    pub(super) target: Option<&'a Scalar>,
    /// A boolean column that marks the baseline.
    pub(super) baseline: Option<&'a str>,
    pub(super) aggregate: Option<Aggregate>,
}

impl PointColumns<'_> {
    /// Whether a point is a numerator over its denominator.
    fn makes_ratios(&self) -> bool {
        match self.reading {
            Reading::Subgroup(_) => false,
            Reading::Share => true,
            Reading::Value | Reading::Count | Reading::Between => self.size.is_some(),
        }
    }
}

/// The points of all charts, chart after chart, each in the order of time.
#[derive(Debug, Default)]
pub(super) struct Points {
    /// The (first) row of the input that each point comes from.
    pub(super) row: Vec<IdxSize>,
    pub(super) key: Vec<i64>,
    /// What was measured; NaN where there is no value.
    pub(super) value: Vec<f64>,
    /// Of a ratio; empty without one.
    pub(super) numerator: Vec<f64>,
    /// Of a ratio, or the size of each subgroup; empty without either.
    pub(super) denominator: Vec<f64>,
    /// Within each subgroup; empty without subgroups.
    pub(super) spread: Vec<f64>,
    pub(super) target: Vec<f64>,
    pub(super) is_excluded: Vec<bool>,
    pub(super) is_baseline: Vec<bool>,
    /// The points of each chart.
    pub(super) charts: Vec<Range<usize>>,
    pub(super) notes: Vec<Note>,
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
        let rows = Rows::new(df, columns)?;
        let combines = columns.aggregate.is_some() || columns.reading.combines(columns);
        let mut points = if combines { Self::default() } else { Self::with_room(df.height(), columns) };
        let mut maker = Maker::new(&rows, columns);
        let mut order: Vec<(i64, IdxSize)> = Vec::new();
        let mut repeated: Vec<(IdxSize, i64)> = Vec::new();
        let (mut n_repeated, mut n_mixed) = (0, 0);
        for group in groups.iter() {
            order.clear();
            order.extend(group.iter().filter_map(|&row| Some((times.at(row)?, row))));
            maker.counts.missing_time += group.len() - order.len();
            if !order.is_sorted() {
                // Rows of one time keep the order of the input: the key is (time, row).
                order.sort_unstable();
                maker.counts.unsorted += 1;
            }
            let start = points.row.len();
            for same in order.chunk_by(|a, b| a.0 == b.0) {
                let Some(&(key, first)) = same.first() else { continue };
                if same.len() > 1 {
                    if !combines {
                        n_repeated += 1;
                        if repeated.len() < 3 {
                            repeated.push((first, key));
                        }
                        continue;
                    }
                    // The rows of a subgroup are what the chart is of; elsewhere it is worth saying.
                    maker.counts.combined += if columns.aggregate.is_some() { same.len() } else { 0 };
                }
                points.push(&rows, &mut maker, same, key, first, columns);
            }
            n_mixed += usize::from(mixes_scales(points.value.get(start..).unwrap_or(&[])));
            points.charts.push(start..points.row.len());
        }
        if n_repeated > 0 {
            let examples = repeated.iter().map(|&(_, key)| times.describe(key)).collect();
            return Err(Error::DuplicateTimes { n: n_repeated, examples });
        }
        if let Some(Scalar::Number(target)) = columns.target {
            points.target = vec![*target; points.row.len()];
        }
        points.notes = maker.counts.into_notes(columns.reading, |key| times.describe(key))?;
        points.notes.extend(sentinel_note(&rows.value, ""));
        points.notes.extend((n_mixed > 0).then(|| Note::new(NoteCode::MixedScales, n_mixed)));
        Ok(points)
    }

    /// Without points, but with room for so many.
    fn with_room(n: usize, columns: &PointColumns<'_>) -> Self {
        let of = |has: bool| Vec::with_capacity(if has { n } else { 0 });
        let is_subgroup = matches!(columns.reading, Reading::Subgroup(_));
        Self {
            row: Vec::with_capacity(n),
            key: Vec::with_capacity(n),
            value: of(true),
            numerator: of(columns.makes_ratios()),
            denominator: of(columns.makes_ratios() || is_subgroup),
            spread: of(is_subgroup),
            is_excluded: Vec::with_capacity(n),
            ..Self::default()
        }
    }

    /// The times of a chart's points.
    pub(super) fn keys(&self, rows: Range<usize>) -> &[i64] {
        self.key.get(rows).unwrap_or(&[])
    }

    fn push(
        &mut self,
        rows: &Rows,
        maker: &mut Maker<'_>,
        same: &[(i64, IdxSize)],
        key: i64,
        first: IdxSize,
        columns: &PointColumns<'_>,
    ) {
        let made = maker.make(same, key);
        self.value.push(made.value);
        match columns.reading {
            Reading::Subgroup(_) => {
                self.denominator.push(made.denominator);
                self.spread.push(made.spread);
            }
            _ if columns.makes_ratios() => {
                self.numerator.push(made.numerator);
                self.denominator.push(made.denominator);
            }
            _ => {}
        }
        if !rows.target.is_empty() {
            self.target.push(float_at(&rows.target, first));
        }
        self.is_excluded.push(rows.are_excluded(same) && !rows.exclude.is_empty());
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
