//! The verdict on one measure: what its data say about the change, and why they may not say it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::chosen::{Remedy, remedy, without_regression};
use super::classes::compare_classes;
use super::estimate::{Found, are_totals, compare};
use super::notes::Notes;
use super::{Analysis, ClassStudy, Plan, RegressionToMean, Signal};
use crate::charts::{Baseline, ChartEngine, ChartInput, ChartKind, ChartSpec, Phase};
use crate::measure::{Candidate, Direction, Measure, Point, Series, StudentValue};
use crate::record::hash_of;
use crate::stats::step::{ALPHA, N_MIN, STABLE_FROM, UNEQUAL_SIZES};
use crate::stats::totals::clumping;
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
    /// way is better). Against a standard: what was observed minus the standard. Of classes: what those that try the change
    /// gained beyond the others. Of units chosen because they were bad: what is left after `regression`.
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
    /// How much more than chance the dates vary: 1 where counts vary as independent events do.
    #[serde(default)]
    pub dispersion: Option<f64>,
    /// Rate after over rate before; none where there was no event before.
    #[serde(default)]
    pub ratio: Option<f64>,
    /// Lower end of the 90% interval of the ratio.
    #[serde(default)]
    pub ratio_lo: Option<f64>,
    /// Upper end of the 90% interval of the ratio; none where it has no upper end.
    #[serde(default)]
    pub ratio_hi: Option<f64>,
    /// What it was held against, where the measure has a standard.
    #[serde(default)]
    pub standard: Option<f64>,
    /// What the units were expected to do by themselves, where they were chosen because they were bad.
    #[serde(default)]
    pub regression: Option<RegressionToMean>,
    /// The classes that were compared, by name.
    #[serde(default)]
    pub classes: Vec<ClassStudy>,
    /// Mean of the baseline.
    pub mean_before: Option<f64>,
    /// Mean of the test window.
    pub mean_after: Option<f64>,
    /// Points in the baseline (that count).
    pub n_before: usize,
    /// Points in the test window. Where classes are compared, the points are those of the classes that try the change.
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
    /// The hash of students and candidates, where any were read.
    pub(crate) finer_hash: Option<String>,
}

/// Judges one measure of the plan on the points dated up to `as_of` and up to the end of the test window; later points
/// leave no trace.
pub(crate) fn judge(plan: &Plan, measure: &Measure, given: Option<&Series>, as_of: Date) -> Result<Judged> {
    let method = plan.analysis_of(measure);
    let series = cut(given, as_of.min(plan.test[1]))?;
    let mut notes = Notes::new(&measure.name);
    let n_left_out = given.map_or(0, |series| series.n_left_out);
    note_the_data(plan, measure, &series, n_left_out, given.is_none_or(Series::is_empty), as_of, &mut notes);

    let remedy = remedy(plan, measure, method, &series, &mut notes);
    let baseline = if let Remedy::From(day) = remedy { [day, plan.baseline[1]] } else { plan.baseline };
    let points = |window: [Date; 2]| series.points_between(window).copied().collect::<Vec<Point>>();
    let (before, after) = (points(baseline), points(plan.test));
    let are_classes = matches!(method, Analysis::Ancova | Analysis::DifferenceInDifferences);
    let (found, classes) = if are_classes {
        compare_classes(plan, method, &series.students, baseline[0], &mut notes)?
    } else {
        note_the_numbers(method, &before, &after, as_of < plan.test[1], !series.points.is_empty(), &mut notes);
        (compare(method, measure, &before, &after, clumps(plan, method, &series)?, &mut notes)?, vec![])
    };
    let n_against_besides_baseline = notes.n_against;
    let has_baseline = !are_classes && method != Analysis::Standard;
    let values: Vec<f64> = if has_baseline { before.iter().map(|point| point.value).collect() } else { vec![] };
    let (baseline_trend_p, baseline_prob_runs) = stability(&values, measure.direction, &mut notes)?;
    let is_unstable_only = n_against_besides_baseline == 0 && notes.n_against > 0;
    if has_baseline && (N_MIN..STABLE_FROM).contains(&before.len()) {
        notes.add(NoteCode::FewPoints, before.len(), None);
    }
    let n_outside = series.points.len() - points(plan.baseline).len() - after.len();
    if n_outside > 0 {
        notes.add(NoteCode::OutsideWindows, n_outside, None);
    }
    if method == Analysis::Series {
        unequal_sizes(plan, &series, &mut notes);
    }
    let finer_hash = finer_hash(&series)?;
    let mut study = MeasureStudy {
        n_before: if has_baseline {
            before.len()
        } else if are_classes {
            points(baseline).len()
        } else {
            0
        },
        n_after: after.len(),
        n_left_out,
        baseline_trend_p,
        baseline_prob_runs,
        classes,
        points: series.points,
        ..described(measure, method)
    };
    fill(&mut study, measure.direction, &found, &remedy, &mut notes)?;
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
    Ok(Judged { study, notes: notes.found, is_unstable_only, finer_hash })
}

/// The data as far as they may be read.
fn cut(given: Option<&Series>, last: Date) -> Result<Series> {
    let Some(given) = given else { return Ok(Series::default()) };
    let points = |points: &[Point]| points.iter().copied().filter(|point| point.time <= last).collect::<Vec<_>>();
    let mut candidates: Vec<Candidate> = given.candidates.clone();
    for candidate in &mut candidates {
        candidate.points = Series::new(points(&candidate.points))?.points;
    }
    candidates.sort_by(|a, b| a.unit.cmp(&b.unit));
    let students: Vec<StudentValue> = given.students.iter().filter(|row| row.time <= last).cloned().collect();
    Ok(Series { students, candidates, ..Series::new(points(&given.points))? })
}

/// What stands against a verdict whatever the route, and rows that were left out.
fn note_the_data(
    plan: &Plan,
    measure: &Measure,
    series: &Series,
    n_left_out: usize,
    is_empty: bool,
    as_of: Date,
    notes: &mut Notes<'_>,
) {
    debug_assert!(!is_empty || series.points.is_empty());
    if is_empty {
        notes.against(NoteCode::NoSeries, 0, None);
    }
    if n_left_out > 0 {
        notes.add(NoteCode::NoPoint, n_left_out, None);
    }
    if measure.direction == Direction::Neutral {
        notes.against(NoteCode::NoDirection, 0, None);
    }
    if as_of < plan.test[1] {
        notes.against(NoteCode::Interim, 0, None);
    }
}

/// Too few points in a window.
fn note_the_numbers(
    method: Analysis,
    before: &[Point],
    after: &[Point],
    is_open: bool,
    has_points: bool,
    notes: &mut Notes<'_>,
) {
    let shortest = if is_open { before.len() } else { before.len().min(after.len()) };
    let is_enough = shortest >= N_MIN || are_totals(method, before.len(), after.len()) || method == Analysis::Standard;
    if !is_enough && has_points {
        notes.against(NoteCode::TooFewPoints, shortest, None);
    }
}

/// How clumped the counts are, where rows have students; 1 where that is not known.
fn clumps(plan: &Plan, method: Analysis, series: &Series) -> Result<f64> {
    if !matches!(method, Analysis::Rates | Analysis::TwoTotals) {
        return Ok(1.0);
    }
    let mut counts: BTreeMap<(bool, &str), f64> = BTreeMap::new();
    for row in &series.students {
        let is_within = |[from, to]: [Date; 2]| (from..=to).contains(&row.time);
        if let Some(student) = row.student.as_deref().filter(|_| is_within(plan.baseline) || is_within(plan.test)) {
            *counts.entry((is_within(plan.test), student)).or_default() += row.value;
        }
    }
    clumping(&counts.into_values().collect::<Vec<_>>())
}

type StudentRow<'a> = (Date, &'a str, bool, Option<&'a str>, f64, Option<f64>);

fn student_row(one: &StudentValue) -> StudentRow<'_> {
    (one.time, one.class.as_str(), one.is_treated, one.student.as_deref(), one.value, one.prior)
}

/// The hash of what is finer than points, in an order of its own.
fn finer_hash(series: &Series) -> Result<Option<String>> {
    if series.students.is_empty() && series.candidates.is_empty() {
        return Ok(None);
    }
    let mut rows: Vec<StudentRow<'_>> = series.students.iter().map(student_row).collect();
    rows.sort_by(|a, b| {
        let (prior_a, prior_b) = (a.5.unwrap_or(f64::NAN), b.5.unwrap_or(f64::NAN));
        let names = (a.0, a.1, a.2, a.3).cmp(&(b.0, b.1, b.2, b.3));
        names.then(a.4.total_cmp(&b.4)).then(prior_a.total_cmp(&prior_b))
    });
    hash_of(&(rows, &series.candidates)).map(Some)
}

/// A study of a measure that says what it is, and nothing yet of what was found.
fn described(measure: &Measure, method: Analysis) -> MeasureStudy {
    MeasureStudy {
        measure: measure.name.clone(),
        version: measure.version,
        direction: measure.direction,
        unit_of_value: measure.unit_of_value.clone(),
        method,
        signal: Signal::Insufficient,
        effect: None,
        lo: None,
        hi: None,
        se: None,
        df: None,
        p_better: None,
        p_worse: None,
        phi: None,
        dispersion: None,
        ratio: None,
        ratio_lo: None,
        ratio_hi: None,
        standard: measure.standard.filter(|_| method == Analysis::Standard),
        regression: None,
        classes: vec![],
        mean_before: None,
        mean_after: None,
        n_before: 0,
        n_after: 0,
        n_left_out: 0,
        baseline_trend_p: None,
        baseline_prob_runs: None,
        points: vec![],
    }
}

/// Puts the numbers of a route into the study, less the regression to the mean where it was estimated.
fn fill(
    study: &mut MeasureStudy,
    direction: Direction,
    found: &Found,
    remedy: &Remedy,
    notes: &mut Notes<'_>,
) -> Result<()> {
    study.mean_before = found.before;
    study.mean_after = found.after;
    if study.classes.is_empty() {
        // Where no error can be given, the difference of the levels is still told.
        study.effect = found.after.zip(found.before).map(|(after, before)| after - before);
    }
    let Some(mut estimate) = found.estimate else { return Ok(()) };
    if let (Remedy::Estimated(all), Some(before)) = (remedy, found.before) {
        let (net, regression) = without_regression(estimate, all, before, direction, notes)?;
        estimate = net;
        study.regression = Some(regression);
    }
    let better = |up: f64, down: f64| match direction {
        Direction::Up => Some(up),
        Direction::Down => Some(down),
        Direction::Neutral => None,
    };
    study.effect = Some(estimate.effect);
    study.lo = Some(estimate.lo);
    study.hi = Some(estimate.hi);
    study.se = estimate.se;
    study.df = estimate.df;
    study.p_better = better(estimate.p_above, estimate.p_below);
    study.p_worse = better(estimate.p_below, estimate.p_above);
    study.phi = estimate.phi;
    study.dispersion = estimate.dispersion;
    // JSON has no infinity.
    let finite = |i: usize| estimate.ratio.and_then(|ratio| ratio.get(i).copied()).filter(|x| x.is_finite());
    (study.ratio, study.ratio_lo, study.ratio_hi) = (finite(0), finite(1), finite(2));
    Ok(())
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
