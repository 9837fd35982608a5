//! Run charts, frame to frame: any number of them in one call.

use std::collections::BTreeMap;
use std::ops::Range;

use polars::prelude::*;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::columns::{check_keys, column, labels};
use super::groups::Groups;
use super::points::{Aggregate, PointColumns, Points, Scalar};
use super::time::{TimeValue, Times};
use crate::charts::run_chart as core;
use crate::measure::Direction;
use crate::rules::{Meaning, RunRules};
use crate::{Error, Note, NoteCode, Result};

/// Which points make the centre line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Baseline {
    /// The first so many points of each phase.
    Count(usize),
    /// The points between two times, both inclusive.
    Dates(TimeValue, TimeValue),
    /// The points where a boolean column is true.
    Column(String),
}

/// Where a chart starts anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phases {
    /// After the n-th point, for each of these n.
    After(Vec<usize>),
    /// Names with the first time of each; what comes before is called "before".
    Starts(Vec<(String, TimeValue)>),
    /// Where the label in a column changes.
    Column(String),
}

/// What is asked of a run chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunChartRequest {
    /// The column of values; with `size` the numerator.
    pub value: String,
    /// The column of times.
    pub time: String,
    /// The columns that tell charts apart.
    #[serde(default)]
    pub by: Vec<String>,
    /// The column of denominators.
    #[serde(default)]
    pub size: Option<String>,
    /// Which points make the centre line; all of the phase where not given.
    #[serde(default)]
    pub baseline: Option<Baseline>,
    /// Where a chart starts anew.
    #[serde(default)]
    pub phases: Option<Phases>,
    /// A boolean column of points that are drawn and not counted.
    #[serde(default)]
    pub exclude: Option<String>,
    /// A line to compare with.
    #[serde(default)]
    pub target: Option<Scalar>,
    /// "up", "down", "neutral", or a column that holds one of them.
    #[serde(default = "up")]
    pub direction: String,
    /// What to do with several rows of one time.
    #[serde(default)]
    pub aggregate: Option<Aggregate>,
    /// The rule set.
    #[serde(default)]
    pub rules: RunRules,
}

fn up() -> String {
    "up".into()
}

impl RunChartRequest {
    /// A run chart of one column against another; everything else at its default.
    pub fn new(value: &str, time: &str) -> Self {
        Self {
            value: value.into(),
            time: time.into(),
            by: vec![],
            size: None,
            baseline: None,
            phases: None,
            exclude: None,
            target: None,
            direction: up(),
            aggregate: None,
            rules: RunRules::default(),
        }
    }
}

/// What comes of it.
#[derive(Debug, Clone)]
pub struct RunChartTables {
    /// One row per point.
    pub points: DataFrame,
    /// One row per chart and phase.
    pub summary: DataFrame,
    /// Caveats, summed over the charts.
    pub notes: Vec<Note>,
}

/// The columns that results add; a `by` column may not bear one of their names.
const RESERVED: &[&str] = &[
    "time", "value", "numerator", "denominator", "center", "lcl", "ucl", "phase", "is_baseline", "is_excluded", "target",
    "signals", "meaning", "n_obs", "n_useful", "longest_run", "longest_run_max", "n_crossings", "n_crossings_min",
    "prob_runs", "prob_basis", "n_beyond_limits", "has_signal", "q_value",
];
