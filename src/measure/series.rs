//! A measure of one unit over time.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
}
