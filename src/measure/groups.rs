//! Data finer than a series: students in classes, and the units among which one was chosen.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Point;

/// One value of one student, in a class in which the change is tried or in one that it is compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StudentValue {
    /// The date of the value.
    pub time: Date,
    /// The class.
    pub class: String,
    /// Whether the change is tried in this class.
    pub is_treated: bool,
    /// Which student, so that values before and after can be joined; without it classes are compared as they are.
    #[serde(default)]
    pub student: Option<String>,
    /// The value.
    pub value: f64,
    /// The student's score from before, where it stands in the same row.
    #[serde(default)]
    pub prior: Option<f64>,
}

/// The series of one of the units among which some were chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The unit.
    pub unit: String,
    /// Its points, in the order of time.
    pub points: Vec<Point>,
}
