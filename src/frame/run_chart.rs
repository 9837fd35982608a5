//! Run charts, frame to frame: any number of them in one call.

use polars::prelude::*;
use polars_core::runtime::RAYON;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::columns::check_keys;
use super::groups::Groups;
use super::phases::{Baseline, BaselineRule, Directions, Phases, Splits};
use super::points::{Aggregate, PointColumns, Points, Scalar};
use super::run_chart_tables::{Drawn, Layout, RESERVED, tables};
use super::time::Times;
use crate::charts::{RunChartEngine, RunChartInput, RunChartSpec};
use crate::rules::RunRules;
use crate::{Note, NoteCode, Result};

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

/// Charts between two looks at whether the caller wants to stop.
const BLOCK: usize = 20_000;

/// Draw any number of run charts: [`RunChartEngine`] on every group of the frame, in parallel.
///
/// `progress` is told how many charts are done, of how many, and stops the work by returning an error.
///
/// # Errors
/// For columns that are missing or of the wrong type, repeated times without an `aggregate`, and options that do not fit
/// the data; see [`crate::Error`].
///
/// # References
/// Anhøj & Olesen (2014), `PLoS ONE` 9(11): e113825.
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
    check_keys(df, "by", &request.by, RESERVED)?;
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
    let splits = Splits::new(df, request.phases.as_ref(), &times)?;
    let baseline = BaselineRule::new(request.baseline.as_ref(), &times)?;
    let groups = Groups::new(df, &request.by)?;
    let points = Points::new(df, &groups, &times, &columns)?;
    splits.check(&points)?;

    let total = points.charts.len();
    let mut drawn: Vec<Drawn> = Vec::with_capacity(total);
    for block in points.charts.chunks(BLOCK) {
        progress(drawn.len(), total)?;
        let some: Vec<Result<Drawn>> = RAYON.install(|| {
            block
                .par_iter()
                .with_min_len(512)
                .map_init(Worker::default, |worker, chart| {
                    worker.draw(chart.clone(), request.rules, &points, &times, &splits, &baseline, &directions)
                })
                .collect()
        });
        for one in some {
            drawn.push(one?);
        }
    }
    progress(total, total)?;
    let mut notes = points.notes.clone();
    add_up(&mut notes, drawn.iter().flat_map(|one| &one.chart.notes));
    let layout = Layout {
        by: &request.by,
        time: &request.time,
        has_size: request.size.is_some(),
        has_target: request.target.is_some(),
    };
    let (points, summary) = tables(df, &layout, &points, &drawn)?;
    Ok(RunChartTables { points, summary, notes })
}

/// What one thread keeps from chart to chart.
#[derive(Default)]
struct Worker {
    engine: RunChartEngine,
    steps: Vec<f64>,
}

impl Worker {
    #[allow(clippy::too_many_arguments)] // All of it is read-only context of one call.
    fn draw(
        &mut self,
        rows: std::ops::Range<usize>,
        rules: RunRules,
        points: &Points,
        times: &Times,
        splits: &Splits,
        baseline: &BaselineRule,
        directions: &Directions,
    ) -> Result<Drawn> {
        let keys = points.key.get(rows.clone()).unwrap_or(&[]);
        let split = splits.of(points, rows.clone(), keys);
        let flags = baseline.flags(points, rows.clone(), keys);
        let ranges: Vec<_> = split.iter().map(|(_, range)| range.clone()).collect();
        let phases = baseline.phases(&ranges, &flags);
        let input = RunChartInput {
            value: points.value.get(rows.clone()).unwrap_or(&[]),
            is_excluded: points.is_excluded.get(rows.clone()).unwrap_or(&[]),
            phases: &phases,
            direction: directions.of(points, rows)?,
        };
        let mut chart = self.engine.chart(&RunChartSpec { rules }, &input)?;
        if times.has_gaps(keys, &mut self.steps) {
            chart.notes.push(Note::new(NoteCode::Gaps, 1));
        }
        if splits.lacks_a_phase(&split) {
            chart.notes.push(Note::new(NoteCode::EmptyPhase, 1));
        }
        // Values without a number were counted as points came in.
        chart.notes.retain(|note| note.code != NoteCode::MissingValue);
        Ok(Drawn { chart, phases: split.into_iter().map(|(name, _)| name).collect() })
    }
}

/// Notes of one code become one, with the counts summed and the value of the first kept where it is alone.
fn add_up<'a>(notes: &mut Vec<Note>, more: impl Iterator<Item = &'a Note>) {
    for note in more {
        match notes.iter_mut().find(|there| there.code == note.code && there.at == note.at) {
            Some(there) => {
                there.count += note.count;
                there.value = None;
            }
            None => notes.push(note.clone()),
        }
    }
}
