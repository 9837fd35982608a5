//! A measure of one unit over time.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Candidate, StudentValue};
use crate::{Error, Result};

/// One point of a series: a value on a date, with its denominator where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// The date the value stands for.
    pub time: Date,
    /// The value, in the measure's own unit (a proportion is 0 to 1).
    pub value: f64,
    /// How many observations (students, lessons, student-days) the value rests on, where that is known.
    #[serde(default)]
    pub size: Option<f64>,
}

/// A measure of one unit over time, in the order of time, one point a date, all values finite.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// The points, in the order of time.
    pub points: Vec<Point>,
    /// Rows of the input that gave no point (no date, no value, no denominator).
    #[serde(default)]
    pub n_left_out: usize,
    /// Rows of the input that were combined with others of the same date.
    #[serde(default)]
    pub n_combined: usize,
    /// The students behind the points, where classes are compared; in any order.
    #[serde(default)]
    pub students: Vec<StudentValue>,
    /// All units among which those of this series were chosen, these included; in any order.
    #[serde(default)]
    pub candidates: Vec<Candidate>,
}

impl Series {
    /// A series from points in any order: sorted by date, points whose value is not finite left out and counted.
    ///
    /// # Errors
    /// [`Error::DuplicateTimes`] where a date occurs more than once.
    pub fn new(points: impl IntoIterator<Item = Point>) -> Result<Self> {
        let mut n_left_out = 0;
        let mut kept: Vec<Point> = points
            .into_iter()
            .filter(|point| {
                let is_finite = point.value.is_finite();
                n_left_out += usize::from(!is_finite);
                is_finite
            })
            .collect();
        kept.sort_by_key(|point| point.time);
        let repeated: Vec<String> = kept
            .chunk_by(|a, b| a.time == b.time)
            .filter_map(|group| if let [first, _, ..] = group { Some(first.time.to_string()) } else { None })
            .collect();
        if !repeated.is_empty() {
            let n = repeated.len();
            return Err(Error::DuplicateTimes { n, examples: repeated.into_iter().take(3).collect() });
        }
        Ok(Self { points: kept, n_left_out, ..Self::default() })
    }

    /// A series without denominators, from dates and values.
    ///
    /// # Errors
    /// As [`Series::new`].
    pub fn of(values: impl IntoIterator<Item = (Date, f64)>) -> Result<Self> {
        Self::new(values.into_iter().map(|(time, value)| Point { time, value, size: None }))
    }

    /// Whether it holds nothing at all.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty() && self.students.is_empty()
    }

    /// The points dated from `from` to `to`, both included, in the order of time.
    pub fn points_between(&self, [from, to]: [Date; 2]) -> impl Iterator<Item = &Point> {
        self.points.iter().filter(move |point| (from..=to).contains(&point.time))
    }

    /// The values dated from `from` to `to`, both included, in the order of time.
    pub fn values_between(&self, window: [Date; 2]) -> Vec<f64> {
        self.points_between(window).map(|point| point.value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_finite_and_one_a_date() {
        let day = |d| Date::constant(2026, 9, d);
        let series = Series::of([(day(3), 3.0), (day(1), 1.0), (day(2), f64::NAN)]).unwrap();
        assert_eq!(series.points.iter().map(|p| p.value).collect::<Vec<_>>(), [1.0, 3.0]);
        assert_eq!(series.n_left_out, 1);
        assert_eq!(series.values_between([day(2), day(3)]), [3.0]);
        assert_eq!(Series::of([(day(1), 1.0), (day(1), 2.0)]).unwrap_err().code(), "duplicate_times");
    }
}
