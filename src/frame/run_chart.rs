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

/// Draw any number of run charts: [`core`] on every group of the frame, in parallel.
///
/// `progress` is told how many charts are done, of how many, and stops the work by returning an error.
///
/// # Errors
/// For columns that are missing or of the wrong type, repeated times without an `aggregate`, and options that do not fit
/// the data; see [`Error`].
///
/// # References
/// Anhøj & Olesen (2014), PLoS ONE 9(11): e113825.
///
/// # Examples
/// ```
/// use brightspot::frame::{Baseline, RunChartRequest, run_chart};
/// use polars::prelude::*;
///
/// let frame = df!(
///     "week" => (1..=20).collect::<Vec<i32>>(),
///     "score" => [61, 64, 60, 63, 65, 62, 59, 64, 61, 63, 66, 68, 67, 70, 66, 69, 71, 68, 70, 69],
/// )?;
/// let request = RunChartRequest { baseline: Some(Baseline::Count(10)), ..RunChartRequest::new("score", "week") };
/// let chart = run_chart(&frame, &request, &|_, _| Ok(()))?;
/// assert_eq!(chart.summary.column("center")?.f64()?.get(0), Some(62.5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn run_chart(
    df: &DataFrame,
    request: &RunChartRequest,
    progress: &(dyn Fn(usize, usize) -> Result<()> + Sync),
) -> Result<RunChartTables> {
    check_keys(df, &request.by, RESERVED)?;
    let times = Times::new(df, &request.time)?;
    let columns = PointColumns {
        value: &request.value,
        size: request.size.as_deref(),
        exclude: request.exclude.as_deref(),
        target: request.target.as_ref(),
        baseline: match &request.baseline {
            Some(Baseline::Column(name)) => Some(name),
            _ => None,
        },
        aggregate: request.aggregate,
    };
    let directions = Directions::new(df, &request.direction)?;
    let splits = Splits::new(df, request, &times)?;
    let groups = Groups::new(df, &request.by)?;
    let points = Points::new(df, &groups, &times, &columns)?;
    let baseline = BaselineRule::new(request, &times)?;

    /// Charts between two looks at whether the caller wants to stop.
    const BLOCK: usize = 20_000;
    let total = points.charts.len();
    let mut charts: Vec<Drawn> = Vec::with_capacity(total);
    for block in points.charts.chunks(BLOCK) {
        progress(charts.len(), total)?;
        let drawn: Result<Vec<Vec<Drawn>>> = polars::prelude::RAYON.install(|| {
            block
                .par_chunks(256)
                .map(|some| {
                    let mut worker = Worker::default();
                    some.iter()
                        .map(|chart| worker.draw(chart, &points, &times, &splits, &baseline, &directions, request))
                        .collect()
                })
                .collect()
        });
        charts.extend(drawn?.into_iter().flatten());
    }
    progress(total, total)?;
    tables(df, request, &points, &charts, &splits)
}
