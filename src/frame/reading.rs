//! How the rows of one chart and time become one point: a value, a ratio, or a subgroup with its spread.

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::columns::{flags, floats};
use super::points::{PointColumns, Scalar};
use crate::stats::summary::{mean, median, standard_deviation};
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

/// What the values are, and so what can be wrong with them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Reading {
    /// Measurements; over a denominator where there is one.
    #[default]
    Value,
    /// A number of events, over an exposure where there is one.
    Count,
    /// A number of units out of all; each row is one unit where there is no denominator.
    Share,
    /// A time, or a number of cases, between two events.
    Between,
    /// The rows of one time are measurements of one subgroup.
    Subgroup(Spread),
}

/// How the spread within a subgroup is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spread {
    /// The standard deviation.
    Deviation,
    /// The largest less the smallest.
    Range,
}

impl Reading {
    /// Whether rows of one time belong together by the nature of the chart, so that nobody need ask for it.
    pub(super) fn combines(self, columns: &PointColumns<'_>) -> bool {
        match self {
            Self::Subgroup(_) => columns.spread.is_none(),
            Self::Share => columns.size.is_none(),
            Self::Value | Self::Count | Self::Between => false,
        }
    }

    fn what(self) -> &'static str {
        if self == Self::Between { "the values between events" } else { "the counts" }
    }
}

/// What one point is made of; NaN where there is none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made {
    pub(super) value: f64,
    pub(super) numerator: f64,
    pub(super) denominator: f64,
    pub(super) spread: f64,
}

impl Made {
    const NONE: Self = Self { value: f64::NAN, numerator: f64::NAN, denominator: f64::NAN, spread: f64::NAN };
}

/// The columns that points are made of, read.
pub(super) struct Rows {
    pub(super) value: Vec<f64>,
    pub(super) size: Vec<f64>,
    pub(super) spread: Vec<f64>,
    pub(super) exclude: Vec<bool>,
    pub(super) target: Vec<f64>,
    pub(super) baseline: Vec<bool>,
}

impl Rows {
    pub(super) fn new(df: &DataFrame, columns: &PointColumns<'_>) -> Result<Self> {
        let optional = |name: Option<&str>| name.map_or(Ok(vec![]), |name| floats(df, name));
        let optional_flags = |name: Option<&str>| name.map_or(Ok(vec![]), |name| flags(df, name));
        Ok(Self {
            value: floats(df, columns.value)?,
            size: optional(columns.size)?,
            spread: optional(columns.spread)?,
            exclude: optional_flags(columns.exclude)?,
            target: match columns.target {
                Some(Scalar::Column(name)) => floats(df, name)?,
                _ => vec![],
            },
            baseline: optional_flags(columns.baseline)?,
        })
    }

    /// Whether all of these rows are excluded. An excluded row takes no part in a point that other rows make.
    pub(super) fn are_excluded(&self, same: &[(i64, IdxSize)]) -> bool {
        same.iter().all(|&(_, row)| flag_at(&self.exclude, row))
    }
}

/// Makes one point after another; keeps its buffer and counts what it meets.
pub(super) struct Maker<'a> {
    rows: &'a Rows,
    reading: Reading,
    aggregate: Aggregate,
    present: Vec<f64>,
    pub(super) counts: Counts,
}

impl<'a> Maker<'a> {
    pub(super) fn new(rows: &'a Rows, columns: &PointColumns<'_>) -> Self {
        let aggregate = columns.aggregate.unwrap_or(Aggregate::Mean);
        Self { rows, reading: columns.reading, aggregate, present: vec![], counts: Counts::default() }
    }

    /// The point of the rows of one time.
    pub(super) fn make(&mut self, same: &[(i64, IdxSize)], key: i64) -> Made {
        let is_excluded = self.rows.are_excluded(same);
        let rows = self.rows;
        let used = || same.iter().map(|&(_, row)| row).filter(move |&row| is_excluded || !flag_at(&rows.exclude, row));
        let made = match self.reading {
            Reading::Subgroup(_) if !rows.spread.is_empty() => self.summarised(used()),
            Reading::Subgroup(spread) => self.subgroup(used(), spread),
            _ if !rows.size.is_empty() => self.ratio(used()),
            Reading::Share => {
                self.gather(used());
                self.over(self.present.iter().sum(), self.present.len() as f64)
            }
            _ => {
                self.gather(used());
                Made { value: self.combined(), ..Made::NONE }
            }
        };
        self.check(made, key);
        if made.value.is_nan() {
            self.counts.missing_value += 1;
        }
        made
    }

    fn gather(&mut self, used: impl Iterator<Item = IdxSize>) {
        self.present.clear();
        for value in used.map(|row| float_at(&self.rows.value, row)) {
            if value.is_infinite() {
                self.counts.infinite += 1;
            } else if !value.is_nan() {
                self.present.push(value);
            }
        }
    }

    fn combined(&mut self) -> f64 {
        match (self.aggregate, self.present.as_slice()) {
            (_, []) => f64::NAN,
            (_, [only]) => *only,
            (Aggregate::Sum, all) => all.iter().sum(),
            (Aggregate::Mean, all) => mean(all).unwrap_or(f64::NAN),
            (Aggregate::Median, _) => median(&mut self.present).unwrap_or(f64::NAN),
        }
    }

    fn subgroup(&mut self, used: impl Iterator<Item = IdxSize>, spread: Spread) -> Made {
        self.gather(used);
        let Some(value) = mean(&self.present) else { return Made::NONE };
        let spread = match spread {
            // One measurement has no spread.
            Spread::Deviation => standard_deviation(&self.present).unwrap_or(f64::NAN),
            Spread::Range if self.present.len() < 2 => f64::NAN,
            Spread::Range => {
                let (low, high) = self
                    .present
                    .iter()
                    .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)));
                high - low
            }
        };
        Made { value, denominator: self.present.len() as f64, spread, ..Made::NONE }
    }

    /// A subgroup that arrives as mean, size and spread in one row.
    fn summarised(&mut self, used: impl Iterator<Item = IdxSize>) -> Made {
        let Some(row) = used.last() else { return Made::NONE };
        let (value, size) = (float_at(&self.rows.value, row), float_at(&self.rows.size, row));
        let spread = float_at(&self.rows.spread, row);
        if value.is_infinite() || size.is_infinite() || spread.is_infinite() {
            self.counts.infinite += 1;
            return Made::NONE;
        }
        if size.is_nan() || size < 1.0 || spread < 0.0 {
            self.counts.invalid_denominator += usize::from(!value.is_nan());
            return Made::NONE;
        }
        Made { value, denominator: size, spread, ..Made::NONE }
    }

    /// Sums of numerators and denominators. Both or neither: a numerator without its denominator would distort a sum.
    fn ratio(&mut self, used: impl Iterator<Item = IdxSize>) -> Made {
        let (mut numerator, mut denominator, mut n_whole) = (0.0, 0.0, 0_usize);
        for row in used {
            let (top, bottom) = (float_at(&self.rows.value, row), float_at(&self.rows.size, row));
            if top.is_infinite() || bottom.is_infinite() {
                self.counts.infinite += 1;
            } else if !top.is_nan() && !bottom.is_nan() {
                numerator += top;
                denominator += bottom;
                n_whole += 1;
            } else if !top.is_nan() {
                self.counts.invalid_denominator += 1;
            }
        }
        if n_whole == 0 { Made::NONE } else { self.over(numerator, denominator) }
    }

    fn over(&mut self, numerator: f64, denominator: f64) -> Made {
        let is_valid = denominator > 0.0;
        if !is_valid {
            self.counts.invalid_denominator += usize::from(!self.rows.size.is_empty());
            return Made { numerator, denominator, ..Made::NONE };
        }
        Made { value: numerator / denominator, numerator, denominator, spread: f64::NAN }
    }

    /// What cannot be is refused once all of it is known; what is merely odd is counted.
    fn check(&mut self, made: Made, key: i64) {
        let count = if made.numerator.is_nan() { made.value } else { made.numerator };
        let is_above = made.numerator > made.denominator && made.denominator > 0.0;
        match self.reading {
            Reading::Value => self.counts.exceeded += usize::from(is_above),
            Reading::Subgroup(_) => {}
            Reading::Count | Reading::Share | Reading::Between => {
                if count < 0.0 {
                    self.counts.negative.get_or_insert((0, count, key)).0 += 1;
                }
                if self.reading != Reading::Between && count.is_finite() && count.fract() != 0.0 {
                    self.counts.fractional += 1;
                }
                if is_above && self.reading == Reading::Share {
                    self.counts.impossible.get_or_insert((0, made.numerator, made.denominator, key)).0 += 1;
                }
            }
        }
    }
}

/// What was met on the way.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) missing_time: usize,
    pub(super) unsorted: usize,
    pub(super) combined: usize,
    missing_value: usize,
    infinite: usize,
    invalid_denominator: usize,
    exceeded: usize,
    fractional: usize,
    /// How many, and the first: value, key.
    negative: Option<(usize, f64, i64)>,
    /// How many, and the first: numerator, denominator, key.
    impossible: Option<(usize, f64, f64, i64)>,
}

impl Counts {
    /// The notes, or the error that the values call for; `describe` says a time in words.
    pub(super) fn into_notes(self, reading: Reading, describe: impl Fn(i64) -> String) -> Result<Vec<Note>> {
        if let Some((n, value, key)) = self.negative {
            return Err(Error::InvalidValue {
                what: reading.what().into(),
                found: format!("{n} below zero (the first is {value}, at {})", describe(key)),
                remedy: "correct them, or make them null".into(),
            });
        }
        if let Some((n, numerator, denominator, key)) = self.impossible {
            return Err(Error::InvalidValue {
                what: "the counts of a proportion".into(),
                found: format!(
                    "{n} above their denominator (the first is {numerator} of {denominator}, at {})",
                    describe(key)
                ),
                remedy: "correct them, or use kind=\"u\" if they are events and not units".into(),
            });
        }
        Ok([
            (NoteCode::MissingTime, self.missing_time),
            (NoteCode::MissingValue, self.missing_value),
            (NoteCode::InfiniteValue, self.infinite),
            (NoteCode::InvalidDenominator, self.invalid_denominator),
            (NoteCode::ExceededDenominator, self.exceeded),
            (NoteCode::FractionalCount, self.fractional),
            (NoteCode::SortedByTime, self.unsorted),
            (NoteCode::Aggregated, self.combined),
        ]
        .into_iter()
        .filter(|&(_, n)| n > 0)
        .map(|(code, n)| Note::new(code, n))
        .collect())
    }
}

pub(super) fn float_at(values: &[f64], row: IdxSize) -> f64 {
    values.get(row as usize).copied().unwrap_or(f64::NAN)
}

pub(super) fn flag_at(values: &[bool], row: IdxSize) -> bool {
    values.get(row as usize).copied().unwrap_or(false)
}
