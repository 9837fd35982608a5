//! The study of a cycle: four separate findings, a recommendation, and what may not be concluded. Pure: the same plan,
//! data and dates give the same study, to the last byte.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::guards::{GuardCheck, check_guards, worst};
use super::lock::refuse_contradictions;
use super::plan::days_between;
use super::predictions::{PredictionCheck, check_prediction, worst_prediction};
use super::recommend::{Findings, Tries, recommend};
use super::verdict::{Judged, judge};
use super::{
    Amendment, Analysis, Choice, Doing, Fidelity, GuardFinding, MeasureStudy, Plan, PredictionFinding, ProcessFinding,
    Reason, Signal,
};
use crate::measure::{Measure, Point, Series};
use crate::record::{Record, date_of, hash_of};
use crate::{Error, Note, NoteCode, Result};

/// What a study found: the findings, the recommendation, the caveats, and all that is needed to compute it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Study {
    /// The date of the study: no later data were read.
    pub as_of: Date,
    /// The signal of the outcome.
    pub signal: Signal,
    /// The worst of the predictions.
    pub prediction: PredictionFinding,
    /// Whether the change was carried out as planned: by the team's word and by the checklist, the lesser of the two.
    pub fidelity: Fidelity,
    /// The share of the plan that was carried out, where it was counted.
    #[serde(default)]
    pub fidelity_score: Option<f64>,
    /// The worst of the guards; `not_worse` if there are none, with a caveat.
    pub guards: GuardFinding,
    /// The process measures.
    pub process: ProcessFinding,
    /// What the findings allow; people decide.
    pub recommendation: Choice,
    /// Why; the first reason is the one that decides.
    pub reasons: Vec<Reason>,
    /// What may not be concluded, and why; `at` names the measure.
    pub caveats: Vec<Note>,
    /// What the team learned, in its own words.
    #[serde(default)]
    pub learned: String,
    /// The outcome in detail.
    pub outcome: MeasureStudy,
    /// The process measures in detail.
    pub process_checks: Vec<MeasureStudy>,
    /// The guards in detail.
    pub guard_checks: Vec<GuardCheck>,
    /// The predictions in detail.
    pub prediction_checks: Vec<PredictionCheck>,
    /// The plan that was studied, as it was locked: with it a study can be read, drawn and computed again on its own.
    pub plan: Plan,
    /// Whether the plan was locked before any point of the test window.
    pub is_preregistered: bool,
    /// Whether the test lasted until the change could be expected to show.
    pub has_lag_elapsed: bool,
    /// Fair tries of the same idea, this one included if it is one.
    pub n_tries: u32,
    /// SHA-256 of the plan.
    pub plan_hash: String,
    /// SHA-256 of the points that were read.
    pub inputs_hash: String,
    /// The version of brightspot that computed the study.
    pub engine_version: String,
}

impl Study {
    /// Whether this was a fair try of the idea: locked before the data, carried out as planned, long enough, with a
    /// verdict.
    pub fn is_fair_try(&self) -> bool {
        self.is_preregistered
            && self.fidelity == Fidelity::Fully
            && self.has_lag_elapsed
            && self.signal != Signal::Insufficient
    }
}

impl Record for Study {
    const KIND: &'static str = "Study";

    fn validate(&self) -> Result<()> {
        Ok(())
    }
}

/// What a study needs beside the plan and the data.
#[derive(Debug, Clone)]
pub struct StudyContext<'a> {
    /// The date of the study: later data are not read.
    pub as_of: Date,
    /// When the plan was locked, if it was.
    pub locked_at: Option<Timestamp>,
    /// What was done, if anybody said.
    pub doing: Option<&'a Doing>,
    /// Amendments to the locked plan.
    pub amendments: &'a [Amendment],
    /// The last study of each earlier try of the same idea.
    pub earlier: &'a [Study],
    /// What the team learned, in its own words.
    pub learned: String,
}

impl StudyContext<'_> {
    /// A study on this date of a plan that was never locked: exploration.
    pub fn new(as_of: Date) -> Self {
        Self { as_of, locked_at: None, doing: None, amendments: &[], earlier: &[], learned: String::new() }
    }
}

/// Studies a plan: judges every measure, checks predictions and guards, and recommends what to do.
///
/// The verdict on a measure compares the points of the test window with those of the baseline
/// ([`crate::stats::step::step`]): `improved` or `worsened` if the whole 90% interval lies on one side of 0, else
/// `no_signal`. It is `insufficient` while the test window is open, with fewer than 3 points in a window, without
/// variation, with an unstable baseline (8 or more points that drift towards better, or whose runs are too long), without
/// data, or for a measure without a direction.
///
/// # Arguments
/// `series`: the data by the name of the measure. Points after `as_of` or after the test window are never read, and
/// leave no trace in the study.
///
/// # Missing values
/// Rows that gave no point on the way into the series (`Series::n_left_out`) are counted in `no_point`. A planned measure without data is `insufficient`, with a note.
///
/// # Errors
/// [`Error::InvalidRecord`] for a plan that breaks its own rules; [`Error::InvalidOption`] for data of a measure that
/// the plan does not know; [`Error::DuplicateTimes`] for several points on one date.
///
/// # Notes
/// In `caveats`: `no_comparison_group` (always: the design has none), `no_guards`, `no_process_measure`,
/// `not_preregistered`, `amended_after_data`, and for each measure `interim`, `too_few_points`, `few_points`,
/// `zero_variance`, `unstable_baseline`, `strong_autocorrelation`, `outside_windows`, `unequal_sizes`, `no_series`,
/// `no_point`,
/// `no_direction`, `possible_harm`, `margin_too_small`.
pub fn study(plan: &Plan, series: &BTreeMap<String, Series>, context: &StudyContext<'_>) -> Result<Study> {
    plan.validate()?;
    refuse_contradictions(plan)?;
    refuse_strangers(plan, series)?;
    let judge_one =
        |measure: &Measure| -> Result<Judged> { judge(plan, measure, series.get(&measure.name), context.as_of) };

    let outcome = judge_one(&plan.outcome)?;
    let process: Vec<Judged> = plan.process.iter().map(judge_one).collect::<Result<_>>()?;
    let guards: Vec<(Judged, f64)> =
        plan.guards.iter().map(|guard| Ok((judge_one(&guard.measure)?, guard.margin))).collect::<Result<_>>()?;

    let mut caveats = without_comparison(plan).into_iter().map(|code| Note::new(code, 0)).collect::<Vec<_>>();
    let is_preregistered = is_preregistered(plan, series, context);
    if !is_preregistered {
        caveats.push(Note::new(NoteCode::NotPreregistered, 0));
    }
    let n_late = context.amendments.iter().filter(|amendment| amendment.is_after_data).count();
    if n_late > 0 {
        caveats.push(Note::new(NoteCode::AmendedAfterData, n_late));
    }
    if plan.guards.is_empty() {
        caveats.push(Note::new(NoteCode::NoGuards, 0));
    }
    if plan.process.is_empty() {
        caveats.push(Note::new(NoteCode::NoProcessMeasure, 0));
    }
    caveats.extend(context.doing.map_or(vec![], |doing| fidelity_notes(plan, doing)));
    caveats.extend(outcome.notes.iter().cloned());
    caveats.extend(process.iter().flat_map(|one| one.notes.iter().cloned()));
    let (guard_checks, guard_notes) = check_guards(guards);
    caveats.extend(guard_notes);
    caveats.extend(margin_notes(plan, series, context.as_of));

    let finer: Vec<String> =
        std::iter::once(&outcome).chain(&process).filter_map(|one| one.finer_hash.clone()).collect();
    let outcome = outcome.study;
    let process_checks: Vec<MeasureStudy> = process.into_iter().map(|one| one.study).collect();
    let studies: Vec<&MeasureStudy> =
        std::iter::once(&outcome).chain(&process_checks).chain(guard_checks.iter().map(|check| &check.study)).collect();
    let is_closed = context.as_of >= plan.test[1];
    let prediction_checks: Vec<PredictionCheck> = plan
        .predictions
        .iter()
        .map(|prediction| {
            let found = studies.iter().copied().find(|study| study.measure == prediction.measure);
            check_prediction(prediction, found, is_closed)
        })
        .collect();

    let fidelity = context.doing.map_or(Fidelity::Unknown, |doing| doing.carried_out(&plan.fidelity_rule()));
    let has_lag_elapsed = days_between(plan.test[0], context.as_of.min(plan.test[1])) >= i64::from(plan.lag_days);
    let findings = Findings {
        is_preregistered,
        is_open: !is_closed,
        fidelity,
        outcome: for_the_table(&outcome),
        prediction: worst_prediction(&prediction_checks),
        guards: worst(&guard_checks),
        process: process_finding(&process_checks),
        has_lag_elapsed,
        tries: Tries::Few,
    };
    let inputs_hash = inputs_hash(&studies, &finer)?;
    let mut study = Study {
        as_of: context.as_of,
        signal: outcome.signal,
        prediction: findings.prediction,
        fidelity,
        fidelity_score: context.doing.and_then(Doing::score),
        guards: findings.guards,
        process: findings.process,
        recommendation: Choice::ContinueTest,
        reasons: vec![],
        caveats,
        learned: context.learned.clone(),
        outcome,
        process_checks,
        guard_checks,
        prediction_checks,
        plan: plan.clone(),
        is_preregistered,
        has_lag_elapsed,
        n_tries: 0,
        plan_hash: plan.hash()?,
        inputs_hash,
        engine_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let (n_tries, tries) = count_tries(plan, context.earlier, &study);
    let recommendation = recommend(Findings { tries, ..findings });
    study.n_tries = n_tries;
    study.recommendation = recommendation.choice;
    study.reasons = recommendation.reasons;
    Ok(study)
}

fn refuse_strangers(plan: &Plan, series: &BTreeMap<String, Series>) -> Result<()> {
    match series.keys().find(|name| plan.measure(name).is_none()) {
        None => Ok(()),
        Some(name) => {
            let names: Vec<_> = plan.measures().map(|measure| format!("{:?}", measure.name)).collect();
            Err(Error::option("series", format!("{name:?}"), format!("a measure of the plan: {}", names.join(", "))))
        }
    }
}

/// Locked before any point of the test window that the study reads was dated.
fn is_preregistered(plan: &Plan, series: &BTreeMap<String, Series>, context: &StudyContext<'_>) -> bool {
    let Some(locked_on) = context.locked_at.map(date_of) else { return false };
    let [from, to] = plan.test;
    let to = to.min(context.as_of);
    series
        .values()
        .flat_map(|series| &series.points)
        .all(|point| !(from..=to).contains(&point.time) || point.time >= locked_on)
}

/// Improved only if no process measure that could be judged failed to improve: a driver that moved in one measure and
/// not in another has not clearly moved.
fn process_finding(checks: &[MeasureStudy]) -> ProcessFinding {
    let mut judged =
        checks.iter().map(|check| check.signal).filter(|&signal| signal != Signal::Insufficient).peekable();
    if judged.peek().is_none() {
        ProcessFinding::NotMeasured
    } else if judged.all(|signal| signal == Signal::Improved) {
        ProcessFinding::Improved
    } else {
        ProcessFinding::NotImproved
    }
}

fn count_tries(plan: &Plan, earlier: &[Study], this: &Study) -> (u32, Tries) {
    let fair: Vec<&Study> = earlier.iter().filter(|study| study.is_fair_try()).collect();
    let n = fair.len() + usize::from(this.is_fair_try());
    let n = u32::try_from(n).unwrap_or(u32::MAX);
    let tries = if n < plan.fair_tries {
        Tries::Few
    } else if fair.iter().all(|study| study.prediction == PredictionFinding::NotMet) {
        Tries::EnoughAllMissed
    } else {
        Tries::Enough
    };
    (n, tries)
}

fn inputs_hash(studies: &[&MeasureStudy], finer: &[String]) -> Result<String> {
    let inputs: BTreeMap<&str, &[Point]> =
        studies.iter().map(|study| (study.measure.as_str(), study.points.as_slice())).collect();
    if finer.is_empty() { hash_of(&inputs) } else { hash_of(&(inputs, finer)) }
}

/// What is missing for saying that the change was the cause; nothing where a lot decided which classes try it.
fn without_comparison(plan: &Plan) -> Option<NoteCode> {
    match (&plan.comparison, plan.analysis_of(&plan.outcome)) {
        (Some(comparison), Analysis::Ancova | Analysis::DifferenceInDifferences) => {
            (!comparison.by_lot).then_some(NoteCode::NotByLot)
        }
        _ => Some(NoteCode::NoComparisonGroup),
    }
}

/// The signal as the table takes it: what falls short of a standard has not got worse by the change. It has not reached
/// what it should, and is abandoned only after fair tries.
fn for_the_table(outcome: &MeasureStudy) -> Signal {
    match outcome.signal {
        Signal::Worsened if outcome.standard.is_some() => Signal::NoSignal,
        signal => signal,
    }
}

fn fidelity_notes(plan: &Plan, doing: &Doing) -> Vec<Note> {
    let mut notes = vec![];
    let is_less = doing.as_planned != Fidelity::Unknown && doing.carried_out(&plan.fidelity_rule()) != doing.as_planned;
    if let Some(score) = doing.score().filter(|_| is_less) {
        notes.push(Note::new(NoteCode::FidelityByScore, 0).with_value(score));
    }
    let n_missing = plan.checklist.iter().filter(|item| !doing.checklist.contains_key(*item)).count();
    if n_missing > 0 && !doing.checklist.is_empty() {
        notes.push(Note::new(NoteCode::ChecklistIncomplete, n_missing));
    }
    notes
}

/// Warnings about guards whose margin is less than 3 standard errors of the baseline mean: "not worse" can hardly be
/// shown for them. To be read before the lock, when the margin can still be chosen; a study repeats them.
///
/// The standard error is the plain one, s / sqrt(b), which is too small for an autocorrelated series: the warning errs
/// on the side of silence.
pub fn margin_notes(plan: &Plan, series: &BTreeMap<String, Series>, as_of: Date) -> Vec<Note> {
    let [from, to] = plan.baseline;
    plan.guards
        .iter()
        .filter_map(|guard| {
            let mut values = series.get(&guard.measure.name)?.values_between([from, to.min(as_of)]);
            // Sums depend on the order in their last bit; a study must not depend on the order of its rows.
            values.sort_by(f64::total_cmp);
            let n = values.len() as f64;
            if values.len() < 2 {
                return None;
            }
            let mean = values.iter().sum::<f64>() / n;
            let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
            let limit = 3.0 * (variance / n).sqrt();
            (guard.margin < limit)
                .then(|| Note::new(NoteCode::MarginTooSmall, 1).with_value(limit).at(guard.measure.name.clone()))
        })
        .collect()
}
