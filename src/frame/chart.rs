//! Charts over time, frame to frame: any number of them in one call.

use polars::prelude::*;
use polars_core::runtime::RAYON;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::chart_tables::{Drawn, Layout, RESERVED, tables};
use super::columns::check_keys;
use super::given::Givens;
use super::groups::Groups;
use super::phases::{Baseline, BaselineRule, Directions, Phases, Splits};
use super::points::{PointColumns, Points, Scalar};
use super::reading::{Aggregate, Reading, Spread};
use super::time::Times;
use crate::charts::{
    ChartEngine, ChartInput, ChartKind, ChartSpec, Convention, LimitSpec, Screening, SigmaEstimator, SizeRole,
    Spread as SubgroupSpread,
};
use crate::record::plainly;
use crate::rules::RuleSet;
use crate::{Error, Note, NoteCode, Result};

/// What limits may allow for beyond the data they were estimated from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllowFor {
    /// That a frozen baseline is itself an estimate.
    Baseline,
    /// That values are like their neighbours.
    Autocorrelation,
}

/// What is asked of a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChartRequest {
    /// The kind of chart.
    pub kind: ChartKind,
    /// The column of values; with `size` the numerator.
    pub value: String,
    /// The column of times.
    pub time: String,
    /// The columns that tell charts apart.
    #[serde(default)]
    pub by: Vec<String>,
    /// The column of denominators, or of the sizes of subgroups.
    #[serde(default)]
    pub size: Option<String>,
    /// The column of the spread within subgroups, where these arrive as one row each.
    #[serde(default)]
    pub spread: Option<String>,
    /// Which points make centre and limits; all of the phase where not given.
    #[serde(default)]
    pub baseline: Option<Baseline>,
    /// Where a chart starts anew.
    #[serde(default)]
    pub phases: Option<Phases>,
    /// A boolean column of points that are drawn and not counted.
    #[serde(default)]
    pub exclude: Option<String>,
    /// What the measure should reach.
    #[serde(default)]
    pub target: Option<Scalar>,
    /// "up", "down", "neutral", or a column that holds one of them.
    #[serde(default = "up")]
    pub direction: String,
    /// What to do with several rows of one time.
    #[serde(default)]
    pub aggregate: Option<Aggregate>,
    /// The rule sets, by name or as data, all of whose rules apply; the kind's own where none is given.
    #[serde(default)]
    pub rules: Vec<serde_json::Value>,
    /// Whose constants.
    #[serde(default)]
    pub convention: Convention,
    /// Whether moving ranges beyond their limit are left out; the convention's own where not given.
    #[serde(default)]
    pub screening: Option<Screening>,
    /// How many standard errors from the centre the limits lie.
    #[serde(default = "three")]
    pub sigmas: f64,
    /// A centre line that is known from elsewhere.
    #[serde(default)]
    pub center: Option<Scalar>,
    /// A standard deviation that is known from elsewhere.
    #[serde(default)]
    pub sigma: Option<Scalar>,
    /// A lower limit of one's own.
    #[serde(default)]
    pub lcl: Option<Scalar>,
    /// An upper limit of one's own.
    #[serde(default)]
    pub ucl: Option<Scalar>,
    /// What the limits allow for.
    #[serde(default)]
    pub allow_for: Vec<AllowFor>,
    /// What sigma is estimated from; the kind's own where not given.
    #[serde(default)]
    pub estimator: Option<SigmaEstimator>,
    /// The weight of the newest value (EWMA); 0.2 where not given.
    #[serde(default)]
    pub weight: Option<f64>,
    /// The slack in sigma (CUSUM); 0.5 where not given.
    #[serde(default)]
    pub reference: Option<f64>,
    /// The decision interval in sigma (CUSUM); 5 where not given.
    #[serde(default)]
    pub decision: Option<f64>,
}

fn up() -> String {
    "up".into()
}

fn three() -> f64 {
    3.0
}

impl ChartRequest {
    /// A chart of one column against another; everything else at its default.
    pub fn new(kind: ChartKind, value: &str, time: &str) -> Self {
        Self {
            kind,
            value: value.into(),
            time: time.into(),
            by: vec![],
            size: None,
            spread: None,
            baseline: None,
            phases: None,
            exclude: None,
            target: None,
            direction: up(),
            aggregate: None,
            rules: vec![],
            convention: Convention::default(),
            screening: None,
            sigmas: three(),
            center: None,
            sigma: None,
            lcl: None,
            ucl: None,
            allow_for: vec![],
            estimator: None,
            weight: None,
            reference: None,
            decision: None,
        }
    }

    /// What the core is asked for.
    ///
    /// # Errors
    /// For rule sets that do not exist, and options that the kind does not take.
    pub fn spec(&self) -> Result<ChartSpec> {
        let usual = ChartSpec::new(self.kind);
        let mut limits = LimitSpec {
            convention: self.convention,
            screening: self.screening,
            sigmas: self.sigmas,
            widen: self.allow_for.contains(&AllowFor::Baseline),
            adjust: self.allow_for.contains(&AllowFor::Autocorrelation),
            estimator: self.estimator,
            ..usual.limits
        };
        limits.weight = self.weight.unwrap_or(limits.weight);
        limits.reference = self.reference.unwrap_or(limits.reference);
        limits.decision = self.decision.unwrap_or(limits.decision);
        let rules = self.rules.iter().map(rule_set).collect::<Result<Vec<_>>>()?;
        let rules = if rules.is_empty() { usual.rules } else { RuleSet::union(&rules)? };
        let spec = ChartSpec { limits, rules };
        spec.validate()?;
        Ok(spec)
    }

    /// How rows become points.
    fn reading(&self) -> Result<Reading> {
        let kind = self.kind;
        let is_missing = match kind.size() {
            SizeRole::Required => self.size.is_none(),
            SizeRole::Subgroup => self.spread.is_some() && self.size.is_none(),
            SizeRole::Never | SizeRole::Optional => false,
        };
        let is_left_over = match kind.size() {
            SizeRole::Never => self.size.is_some(),
            SizeRole::Subgroup => self.size.is_some() && self.spread.is_none(),
            SizeRole::Required | SizeRole::Optional => false,
        };
        let wrong = |option: &str, allowed: &str| {
            let found = if option == "size" { self.size.as_deref() } else { self.spread.as_deref() };
            let found = found.map_or_else(|| "None".to_owned(), |name| format!("{name:?}"));
            Err(Error::option(option, found, format!("{allowed} for kind=\"{}\"", kind.as_str())))
        };
        if is_missing && !kind.is_proportion() {
            return wrong("size", "the column of denominators");
        }
        if is_left_over {
            return wrong("size", "left out, or given together with spread,");
        }
        if self.spread.is_some() && kind.size() != SizeRole::Subgroup {
            return wrong("spread", "left out");
        }
        let is_range = self.spec()?.limits.spread() == Some(SubgroupSpread::Range);
        let spread = if is_range { Spread::Range } else { Spread::Deviation };
        Ok(match kind {
            ChartKind::Xbar | ChartKind::R | ChartKind::S => Reading::Subgroup(spread),
            ChartKind::P | ChartKind::Pp | ChartKind::Np => Reading::Share,
            ChartKind::U | ChartKind::Up | ChartKind::C => Reading::Count,
            ChartKind::G | ChartKind::T => Reading::Between,
            _ => Reading::Value,
        })
    }
}

/// A rule set by its name, or as data.
///
/// # Errors
/// For a name that no rule set has, and data that are none.
pub fn rule_set(given: &serde_json::Value) -> Result<RuleSet> {
    if let Some(name) = given.as_str() {
        return RuleSet::named(name);
    }
    let rules: RuleSet = serde_path_to_error::deserialize(given)
        .map_err(|error| Error::option("rules", given, plainly(&error.to_string())))?;
    rules.validate()?;
    Ok(rules)
}

/// What comes of it.
#[derive(Debug, Clone)]
pub struct ChartTables {
    /// One row per point.
    pub points: DataFrame,
    /// One row per chart and phase.
    pub summary: DataFrame,
    /// One row per chart, phase and kind of signal.
    pub signals: DataFrame,
    /// Caveats, summed over the charts.
    pub notes: Vec<Note>,
}

/// Charts between two looks at whether the caller wants to stop.
const BLOCK: usize = 20_000;

/// Draw any number of charts: [`ChartEngine`] on every group of the frame, in parallel.
///
/// `progress` is told how many charts are done, of how many, and stops the work by returning an error. Where there are
/// several charts, `q_value` is the Benjamini-Hochberg adjusted probability that a stable process looks at least as odd.
///
/// # Errors
/// For columns that are missing or of the wrong type, repeated times without an `aggregate`, counts that cannot be, and
/// options that do not fit the data; see [`crate::Error`].
///
/// # References
/// As [`ChartEngine::chart`]; Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57:289.
///
/// # Examples
/// ```
/// use brightspot::charts::ChartKind;
/// use brightspot::frame::{Baseline, ChartRequest, chart};
/// use polars::prelude::*;
///
/// let frame = df!(
///     "week" => (1..=20).collect::<Vec<i32>>(),
///     "score" => [61, 64, 60, 63, 65, 62, 59, 64, 61, 63, 66, 68, 67, 70, 66, 69, 71, 68, 70, 69],
/// )?;
/// let request =
///     ChartRequest { baseline: Some(Baseline::Count(10)), ..ChartRequest::new(ChartKind::Run, "score", "week") };
/// let tables = chart(&frame, &request, &|_, _| Ok(()))?;
/// assert_eq!(tables.summary.column("center")?.f64()?.get(0), Some(62.5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn chart(
    df: &DataFrame,
    request: &ChartRequest,
    progress: &(dyn Fn(usize, usize) -> Result<()> + Sync),
) -> Result<ChartTables> {
    check_keys(df, "by", &request.by, RESERVED)?;
    let spec = request.spec()?;
    let times = Times::new(df, &request.time)?;
    let columns = PointColumns {
        reading: request.reading()?,
        value: &request.value,
        size: request.size.as_deref(),
        spread: request.spread.as_deref(),
        exclude: request.exclude.as_deref(),
        target: request.target.as_ref(),
        baseline: match &request.baseline {
            Some(Baseline::Column(name)) => Some(name),
            _ => None,
        },
        aggregate: request.aggregate,
    };
    let groups = Groups::new(df, &request.by)?;
    let points = Points::new(df, &groups, &times, &columns)?;
    let context = Context {
        spec: &spec,
        directions: Directions::new(df, &request.direction)?,
        splits: Splits::new(df, request.phases.as_ref(), &times)?,
        baseline: BaselineRule::new(request.baseline.as_ref(), &times)?,
        givens: Givens::new(df, request)?,
        points: &points,
        times: &times,
    };
    context.splits.check(&points)?;

    let total = points.charts.len();
    let mut drawn: Vec<Drawn> = Vec::with_capacity(total);
    for block in points.charts.chunks(BLOCK) {
        progress(drawn.len(), total)?;
        let some: Vec<Result<Drawn>> = RAYON.install(|| {
            block
                .par_iter()
                .with_min_len(512)
                .map_init(Worker::default, |worker, rows| worker.draw(&context, rows.clone()))
                .collect()
        });
        for one in some {
            drawn.push(one?);
        }
    }
    progress(total, total)?;
    let mut notes = points.notes.clone();
    add_up(&mut notes, drawn.iter().flat_map(|one| &one.chart.notes));
    notes.extend(many_charts(&drawn));
    let layout =
        Layout { by: &request.by, time: &request.time, kind: request.kind, has_target: request.target.is_some() };
    let tables = tables(df, &layout, &points, &drawn)?;
    Ok(ChartTables { points: tables.points, summary: tables.summary, signals: tables.signals, notes })
}

/// From this many charts on, some signal by chance alone.
const MANY_CHARTS: usize = 20;

/// How many of the charts would signal if all were stable.
fn many_charts(drawn: &[Drawn]) -> Option<Note> {
    let rates = drawn.iter().flat_map(|one| &one.chart.phases).filter_map(|phase| phase.prob_false_signal);
    let expected = rates.sum::<f64>().round();
    (drawn.len() >= MANY_CHARTS).then(|| Note::new(NoteCode::ManyCharts, drawn.len()).with_value(expected))
}

/// What all charts of one call share.
struct Context<'a> {
    spec: &'a ChartSpec,
    directions: Directions,
    splits: Splits,
    baseline: BaselineRule,
    givens: Givens,
    points: &'a Points,
    times: &'a Times,
}

/// What one thread keeps from chart to chart.
#[derive(Default)]
struct Worker {
    engine: Option<ChartEngine>,
    steps: Vec<f64>,
}

impl Worker {
    fn draw(&mut self, context: &Context<'_>, rows: std::ops::Range<usize>) -> Result<Drawn> {
        let Context { points, splits, baseline, .. } = context;
        let keys = points.key.get(rows.clone()).unwrap_or(&[]);
        let split = splits.of(points, rows.clone(), keys);
        let flags = baseline.flags(points, rows.clone(), keys);
        let ranges: Vec<_> = split.iter().map(|(_, range)| range.clone()).collect();
        let mut phases = baseline.phases(&ranges, &flags);
        context.givens.put(points, rows.clone(), &mut phases)?;
        let kind = context.spec.limits.kind;
        let value = if matches!(kind.size(), SizeRole::Required) { &points.numerator } else { &points.value };
        let size: &[f64] =
            if matches!(kind.size(), SizeRole::Required | SizeRole::Subgroup) { &points.denominator } else { &[] };
        let input = ChartInput {
            value: value.get(rows.clone()).unwrap_or(&[]),
            size: size.get(rows.clone()).unwrap_or(&[]),
            spread: points.spread.get(rows.clone()).unwrap_or(&[]),
            is_excluded: points.is_excluded.get(rows.clone()).unwrap_or(&[]),
            phases: &phases,
            direction: context.directions.of(points, rows.clone())?,
            target: points.target.get(rows).unwrap_or(&[]),
        };
        let engine = match &mut self.engine {
            Some(engine) => engine,
            none => none.insert(ChartEngine::new(context.spec.clone())?),
        };
        let mut chart = engine.chart(&input)?;
        if context.times.has_gaps(keys, &mut self.steps) {
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
pub(super) fn add_up<'a>(notes: &mut Vec<Note>, more: impl Iterator<Item = &'a Note>) {
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
