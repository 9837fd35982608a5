//! The verdict on one measure: what its data say about the change, and why they may not say it.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Analysis, Plan, Signal};
use crate::charts::{Baseline, ChartEngine, ChartInput, ChartKind, ChartSpec, Phase};
use crate::measure::{Direction, Measure, Point, Series};
use crate::stats::step::{ALPHA, N_MIN, STABLE_FROM, STRONG_PHI, UNEQUAL_SIZES, is_constant, step};
use crate::stats::summary::mean;
use crate::stats::trend::mann_kendall;
use crate::{Error, Note, NoteCode, Result};

/// What the data say about one measure, with everything needed to draw it and to compute it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasureStudy {
    /// The name of the measure.
    pub measure: String,
    /// The version of its definition.
    pub version: u32,
    /// Which way is better.
    pub direction: Direction,
    /// The unit of the values.
    #[serde(default)]
    pub unit_of_value: String,
    /// How the data were judged.
    pub method: Analysis,
    /// What they say.
    pub signal: Signal,
    /// The change: mean of the test window minus mean of the baseline, with its own sign (a fall is negative, whichever
    /// way is better).
    pub effect: Option<f64>,
    /// Lower end of the 90% interval of the change.
    pub lo: Option<f64>,
    /// Upper end of the 90% interval of the change.
    pub hi: Option<f64>,
    /// Standard error of the change.
    pub se: Option<f64>,
    /// Effective degrees of freedom.
    pub df: Option<f64>,
    /// One-sided p of a change for the better.
    pub p_better: Option<f64>,
    /// One-sided p of a change for the worse.
    pub p_worse: Option<f64>,
    /// The autocorrelation that was allowed for.
    pub phi: Option<f64>,
    /// Mean of the baseline.
    pub mean_before: Option<f64>,
    /// Mean of the test window.
    pub mean_after: Option<f64>,
    /// Points in the baseline.
    pub n_before: usize,
    /// Points in the test window.
    pub n_after: usize,
    /// Rows that gave no point: without a date, a value or a needed denominator.
    #[serde(default)]
    pub n_left_out: usize,
    /// One-sided p (Mann-Kendall) of a drift of the baseline towards better; asked from 8 points on.
    pub baseline_trend_p: Option<f64>,
    /// Probability, for a stable process, of runs as long or crossings as few as the baseline's; asked from 8 points on.
    pub baseline_prob_runs: Option<f64>,
    /// The points up to the end of the test window (or up to `as_of`, if that is earlier), those outside of the windows
    /// included.
    pub points: Vec<Point>,
}

impl MeasureStudy {
    /// The change with its interval, turned so that better is positive; `None` without an estimate or a direction.
    pub fn signed(&self) -> Option<(f64, f64, f64)> {
        let (effect, lo, hi) = (self.effect?, self.lo?, self.hi?);
        match self.direction {
            Direction::Up => Some((effect, lo, hi)),
            Direction::Down => Some((-effect, -hi, -lo)),
            Direction::Neutral => None,
        }
    }
}

/// The measure, judged, with the notes that belong to it (each placed at the measure's name).
pub(crate) struct Judged {
    pub(crate) study: MeasureStudy,
    pub(crate) notes: Vec<Note>,
    /// Whether the only thing against a verdict is an unstable baseline: harm can still be seen then.
    pub(crate) is_unstable_only: bool,
}

/// Judges one measure of the plan on the points dated up to `as_of` and up to the end of the test window; later points
/// leave no trace.
pub(crate) fn judge(plan: &Plan, measure: &Measure, given_series: Option<&Series>, as_of: Date) -> Result<Judged> {
    let is_open = as_of < plan.test[1];
    let cut = as_of.min(plan.test[1]);
    let given = given_series.map_or(&[][..], |series| &series.points);
    let series = Series::new(given.iter().copied().filter(|point| point.time <= cut))?;
    let before = series.values_between(plan.baseline);
    let after = series.values_between(plan.test);
    let mut notes = Notes { at: &measure.name, found: vec![], n_against: 0 };

    if given.is_empty() {
        notes.against(NoteCode::NoSeries, 0, None);
    }
    let n_left_out = given_series.map_or(0, |series| series.n_left_out);
    if n_left_out > 0 {
        notes.add(NoteCode::NoPoint, n_left_out, None);
    }
    if measure.direction == Direction::Neutral {
        notes.against(NoteCode::NoDirection, 0, None);
    }
    if is_open {
        notes.against(NoteCode::Interim, 0, None);
    }
    let shortest = if is_open { before.len() } else { before.len().min(after.len()) };
    if shortest < N_MIN && !given.is_empty() {
        notes.against(NoteCode::TooFewPoints, shortest, None);
    }
    let has_enough = before.len().min(after.len()) >= N_MIN;
    let is_flat = has_enough && is_constant(&before) && is_constant(&after);
    if is_flat {
        notes.against(NoteCode::ZeroVariance, 0, None);
    }
    let estimate = if has_enough && !is_flat { Some(step(&before, &after)?) } else { None };
    let n_against_besides_baseline = notes.n_against;
    let (baseline_trend_p, baseline_prob_runs) = stability(&before, measure.direction, &mut notes)?;
    let is_unstable_only = n_against_besides_baseline == 0 && notes.n_against > 0;

    if (N_MIN..STABLE_FROM).contains(&before.len()) {
        notes.add(NoteCode::FewPoints, before.len(), None);
    }
    if let Some(phi) = estimate.map(|found| found.phi).filter(|&phi| phi >= STRONG_PHI) {
        notes.add(NoteCode::StrongAutocorrelation, 1, Some(phi));
    }
    let n_outside = series.points.len() - before.len() - after.len();
    if n_outside > 0 {
        notes.add(NoteCode::OutsideWindows, n_outside, None);
    }
    unequal_sizes(plan, &series, &mut notes);

    let better = |up: Option<f64>, down: Option<f64>| match measure.direction {
        Direction::Up => up,
        Direction::Down => down,
        Direction::Neutral => None,
    };
    let (p_above, p_below) = (estimate.map(|found| found.p_above), estimate.map(|found| found.p_below));
    let (mean_before, mean_after) = (mean(&before), mean(&after));
    let mut study = MeasureStudy {
        measure: measure.name.clone(),
        version: measure.version,
        direction: measure.direction,
        unit_of_value: measure.unit_of_value.clone(),
        method: Analysis::Series,
        signal: Signal::Insufficient,
        effect: mean_after.zip(mean_before).map(|(after, before)| after - before),
        lo: estimate.map(|found| found.lo),
        hi: estimate.map(|found| found.hi),
        se: estimate.map(|found| found.se),
        df: estimate.map(|found| found.df),
        p_better: better(p_above, p_below),
        p_worse: better(p_below, p_above),
        phi: estimate.map(|found| found.phi),
        mean_before,
        mean_after,
        n_before: before.len(),
        n_after: after.len(),
        n_left_out,
        baseline_trend_p,
        baseline_prob_runs,
        points: series.points,
    };
    if notes.n_against == 0 {
        study.signal = match study.signed() {
            Some((_, lo, _)) if lo > 0.0 => Signal::Improved,
            Some((_, _, hi)) if hi < 0.0 => Signal::Worsened,
            Some(_) => Signal::NoSignal,
            None => {
                let problem = "an estimate was expected".to_owned();
                return Err(Error::Numerical { what: format!("the change of {:?}", measure.name), problem });
            }
        };
    }
    Ok(Judged { study, notes: notes.found, is_unstable_only })
}

/// Notes of one measure, counting those that stand against a verdict.
struct Notes<'a> {
    at: &'a str,
    found: Vec<Note>,
    n_against: usize,
}

impl Notes<'_> {
    fn add(&mut self, code: NoteCode, count: usize, value: Option<f64>) {
        self.found.push(Note { value, ..Note::new(code, count).at(self.at) });
    }

    fn against(&mut self, code: NoteCode, count: usize, value: Option<f64>) {
        self.n_against += 1;
        self.add(code, count, value);
    }
}

/// A baseline that was already on the move makes any later point look like a change: a drift of .05 standard deviations
/// a period gives 9% false improvements with 8 points before and 6 after, 16% with 12 after.
fn stability(before: &[f64], direction: Direction, notes: &mut Notes<'_>) -> Result<(Option<f64>, Option<f64>)> {
    if before.len() < STABLE_FROM {
        return Ok((None, None));
    }
    let prob_runs = prob_runs_of(before)?;
    let trend = mann_kendall(before);
    let towards_better = match direction {
        Direction::Up => Some(trend.p_rising),
        Direction::Down => Some(trend.p_falling),
        Direction::Neutral => None,
    };
    let smallest = towards_better.into_iter().chain(prob_runs).fold(f64::INFINITY, f64::min);
    if smallest <= ALPHA {
        notes.against(NoteCode::UnstableBaseline, before.len(), Some(smallest));
    }
    Ok((towards_better, prob_runs))
}

/// How often a stable process shows runs as long, or crossings as few, as the baseline about its own median.
fn prob_runs_of(before: &[f64]) -> Result<Option<f64>> {
    let phases = [Phase::new(0..before.len(), Baseline::All)];
    let input = ChartInput { value: before, phases: &phases, direction: Direction::Neutral, ..ChartInput::default() };
    let chart = ChartEngine::new(ChartSpec::new(ChartKind::Run))?.chart(&input)?;
    Ok(chart.phases.first().and_then(|phase| phase.prob_runs))
}

fn unequal_sizes(plan: &Plan, series: &Series, notes: &mut Notes<'_>) {
    let sizes: Vec<f64> = series
        .points
        .iter()
        .filter(|point| [plan.baseline, plan.test].iter().any(|[from, to]| (*from..=*to).contains(&point.time)))
        .filter_map(|point| point.size)
        .collect();
    let smallest = sizes.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = sizes.iter().copied().fold(0.0, f64::max);
    let ratio = largest / smallest;
    if ratio.is_finite() && ratio > UNEQUAL_SIZES {
        notes.add(NoteCode::UnequalSizes, sizes.len(), Some(ratio));
    }
}
