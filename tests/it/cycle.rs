//! The study of a cycle and its states: verdicts, predictions, guards, caveats, and the invariants of a study.

// Helpers of tests: a panic is a failed test.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_wrap)]

use std::collections::BTreeMap;

use brightspot::cycle::{
    Analysis, Choice, Comparison, Cycle, Doing, Event, Fidelity, Guard, GuardFinding, Move, Plan, Prediction,
    PredictionFinding, ProcessFinding, Reason, Selection, Side, Signal, State, Study, StudyContext, margin_notes,
    study,
};
use brightspot::measure::{Direction, Measure, Point, Series};
use brightspot::record::{Record, Stamp, parse_timestamp};
use brightspot::{Error, Note, NoteCode};
use jiff::civil::{Date, date};
use proptest::prelude::*;

pub(crate) type Data = BTreeMap<String, Series>;

const BASELINE: [Date; 2] = [date(2026, 8, 3), date(2026, 9, 27)];
const TEST: [Date; 2] = [date(2026, 9, 28), date(2026, 11, 8)];
const AS_OF: Date = date(2026, 11, 20);

/// 8 weeks of baseline, 6 weeks of test.
const BEFORE: [f64; 8] = [61., 64., 62., 63., 60., 62., 63., 61.];
const HIGHER: [f64; 6] = [66., 68., 65., 67., 69., 67.];
const LEVEL: [f64; 6] = [62., 63., 61., 62., 64., 60.];
const LOWER: [f64; 6] = [57., 58., 56., 57., 59., 56.];

pub(crate) fn stamp(at: &str) -> Stamp {
    Stamp::new("Ms. Rivera", parse_timestamp(at).unwrap())
}

fn week(i: usize) -> Date {
    BASELINE[0] + jiff::Span::new().days(7 * i as i64)
}

pub(crate) fn weekly(values: &[f64]) -> Series {
    Series::of(values.iter().enumerate().map(|(i, &value)| (week(i), value))).unwrap()
}

fn joined(before: &[f64], after: &[f64]) -> Series {
    weekly(&[before, after].concat())
}

pub(crate) fn plan() -> Plan {
    Plan {
        predictions: vec![Prediction::new("score").at_least(3.0).believed(0.7)],
        ..Plan::new("Scores rise by 3 points", "Begin with a worked example", Measure::new("score"), BASELINE, TEST)
    }
}

pub(crate) fn data(after: &[f64]) -> Data {
    Data::from([("score".to_owned(), joined(&BEFORE, after))])
}

/// Locked before the data and carried out as planned.
fn fair(doing: &Doing) -> StudyContext<'_> {
    StudyContext {
        locked_at: Some(parse_timestamp("2026-09-27").unwrap()),
        doing: Some(doing),
        ..StudyContext::new(AS_OF)
    }
}

fn fully() -> Doing {
    Doing::new(Fidelity::Fully)
}

pub(crate) fn studied(plan: &Plan, data: &Data) -> Study {
    study(plan, data, &fair(&fully())).unwrap()
}

fn codes(notes: &[Note]) -> Vec<NoteCode> {
    notes.iter().map(|note| note.code).collect()
}

fn with_direction(direction: Direction) -> Plan {
    let mut plan = plan();
    plan.outcome.direction = direction;
    plan.predictions = vec![Prediction { direction: Some(Side::Improve), ..Prediction::new("score") }];
    plan
}

#[test]
fn the_verdict_follows_the_interval_and_the_direction() {
    for (after, up, down) in [
        (HIGHER, Signal::Improved, Signal::Worsened),
        (LEVEL, Signal::NoSignal, Signal::NoSignal),
        (LOWER, Signal::Worsened, Signal::Improved),
    ] {
        assert_eq!(studied(&with_direction(Direction::Up), &data(&after)).signal, up);
        assert_eq!(studied(&with_direction(Direction::Down), &data(&after)).signal, down);
    }
    let found = studied(&plan(), &data(&HIGHER));
    // Means 62 and 67.
    assert_eq!(found.outcome.effect, Some(5.0));
    assert_eq!((found.outcome.n_before, found.outcome.n_after), (8, 6));
    assert_eq!(found.recommendation, Choice::Adopt);
    assert_eq!(found.reasons, [Reason::ConfirmedHere]);
    assert_eq!(codes(&found.caveats), [NoteCode::NoComparisonGroup, NoteCode::NoGuards, NoteCode::NoProcessMeasure]);
    assert_eq!(found.engine_version, env!("CARGO_PKG_VERSION"));
    // A fall keeps its sign, whichever way is better.
    assert!(studied(&with_direction(Direction::Down), &data(&LOWER)).outcome.effect.unwrap() < 0.0);
}

#[test]
fn what_stands_against_a_verdict() {
    let insufficient = |plan: &Plan, data: &Data, context: &StudyContext<'_>, code: NoteCode| {
        let found = study(plan, data, context).unwrap();
        assert_eq!(found.signal, Signal::Insufficient, "{code:?}");
        assert!(codes(&found.caveats).contains(&code), "{code:?}: {:?}", found.caveats);
        assert_eq!(found.prediction, PredictionFinding::Undecided);
        assert_eq!(found.recommendation, Choice::ContinueTest);
        assert_eq!(found.reasons, [Reason::InsufficientEvidence]);
        found
    };
    let doing = fully();
    // The day before the window ends: a second look at the same test is not to be had.
    let open = StudyContext { as_of: date(2026, 11, 7), ..fair(&doing) };
    let interim = insufficient(&plan(), &data(&HIGHER), &open, NoteCode::Interim);
    assert_eq!(interim.prediction_checks[0].is_hit, None);
    assert_eq!(interim.prediction_checks[0].brier, None);
    let last_day = StudyContext { as_of: TEST[1], ..fair(&doing) };
    assert_eq!(study(&plan(), &data(&HIGHER), &last_day).unwrap().signal, Signal::Improved);

    // While the window is open nobody need have reported; afterwards the idea is untested.
    let unreported = |as_of| {
        let context = StudyContext { as_of, doing: None, ..fair(&doing) };
        let found = study(&plan(), &data(&HIGHER), &context).unwrap();
        (found.recommendation, found.reasons)
    };
    assert_eq!(unreported(date(2026, 11, 7)), (Choice::ContinueTest, vec![Reason::Interim]));
    assert_eq!(unreported(AS_OF), (Choice::Adapt, vec![Reason::UntestedIdea]));

    insufficient(&plan(), &data(&HIGHER[..2]), &fair(&doing), NoteCode::TooFewPoints);
    let flat = Data::from([("score".to_owned(), joined(&[0.1; 8], &[0.7; 6]))]);
    let found = insufficient(&plan(), &flat, &fair(&doing), NoteCode::ZeroVariance);
    assert!((found.outcome.effect.unwrap() - 0.6).abs() < 1e-12);
    assert_eq!(found.outcome.lo, None);
    insufficient(&plan(), &Data::new(), &fair(&doing), NoteCode::NoSeries);

    let rising = [58., 59., 60., 61., 62., 63., 64., 65.];
    let drift = Data::from([("score".to_owned(), joined(&rising, &HIGHER))]);
    let found = insufficient(&plan(), &drift, &fair(&doing), NoteCode::UnstableBaseline);
    // Eight values in rising order: 1 of 8! orders.
    assert!((found.outcome.baseline_trend_p.unwrap() - 1.0 / 40_320.0).abs() < 1e-12);
    // A drift towards worse makes an improvement no likelier.
    let falling = [65., 63., 64., 61., 62., 59., 60., 58.];
    let sinking = Data::from([("score".to_owned(), joined(&falling, &[80., 82., 81., 83., 80., 82.]))]);
    assert_eq!(studied(&plan(), &sinking).signal, Signal::Improved);

    // Two levels, the higher first: no drift towards better, but 1 crossing, as in 2 of the 70 orders of 4 above and 4 below.
    let two_levels = [65.0, 65.5, 64.5, 65.2, 58.0, 58.5, 57.5, 58.2];
    let stepped = Data::from([("score".to_owned(), joined(&two_levels, &[80., 82., 81., 83., 80., 82.]))]);
    let found = insufficient(&plan(), &stepped, &fair(&doing), NoteCode::UnstableBaseline);
    assert!((found.outcome.baseline_prob_runs.unwrap() - 2.0 / 70.0).abs() < 1e-12);
    assert!(found.outcome.baseline_trend_p.unwrap() > 0.9);

    let mut neutral = with_direction(Direction::Neutral);
    neutral.predictions = vec![Prediction::new("score").at_least(3.0)];
    insufficient(&neutral, &data(&HIGHER), &fair(&doing), NoteCode::NoDirection);
}

#[test]
fn few_points_are_judged_and_noted() {
    let few = Data::from([("score".to_owned(), joined(&[], &[]))]);
    assert_eq!(studied(&plan(), &few).signal, Signal::Insufficient);
    let points = (3..8).map(|i| (week(i), BEFORE[i])).chain((8..14).map(|i| (week(i), HIGHER[i - 8])));
    let few = Data::from([("score".to_owned(), Series::of(points).unwrap())]);
    let found = studied(&plan(), &few);
    assert_eq!(found.signal, Signal::Improved);
    assert_eq!(found.outcome.n_before, 5);
    let note = found.caveats.iter().find(|note| note.code == NoteCode::FewPoints).unwrap();
    assert_eq!((note.count, note.at.as_str()), (5, "score"));
}

#[test]
fn predictions_are_checked_against_the_change() {
    let check = |prediction: Prediction, after: &[f64]| {
        let plan = Plan { predictions: vec![prediction], ..plan() };
        studied(&plan, &data(after)).prediction_checks[0].clone()
    };
    let predicted = |at_least: f64| Prediction::new("score").at_least(at_least).believed(0.7);
    // The change is 5 with an interval of about 3.5 to 6.5.
    let (lo, hi) = {
        let found = studied(&plan(), &data(&HIGHER)).outcome;
        (found.lo.unwrap(), found.hi.unwrap())
    };
    assert!(3.0 < lo && lo < 4.5 && 5.5 < hi && hi < 7.0, "{lo} {hi}");

    let sure = check(predicted(3.0), &HIGHER);
    assert_eq!((sure.finding, sure.is_certain, sure.is_hit), (PredictionFinding::Met, true, Some(true)));
    assert!((sure.brier.unwrap() - 0.09).abs() < 1e-12);
    let just = check(predicted(5.0), &HIGHER);
    assert_eq!((just.finding, just.is_certain), (PredictionFinding::Met, false));
    let short = check(predicted(5.5), &HIGHER);
    assert_eq!((short.finding, short.is_hit), (PredictionFinding::Undecided, Some(false)));
    assert!((short.brier.unwrap() - 0.49).abs() < 1e-12, "the undecided count too");
    assert_eq!(check(predicted(7.0), &HIGHER).finding, PredictionFinding::NotMet);
    assert_eq!(check(Prediction::new("score").at_most(2.0), &HIGHER).finding, PredictionFinding::NotMet);
    let between = Prediction { between: Some([3.0, 7.0]), ..Prediction::new("score") };
    assert!(check(between, &HIGHER).is_certain);
    let improve = Prediction { direction: Some(Side::Improve), ..Prediction::new("score") };
    assert_eq!(check(improve.clone(), &HIGHER).finding, PredictionFinding::Met);
    assert_eq!(check(improve, &LOWER).finding, PredictionFinding::NotMet);
    let no_worse = Prediction { no_worse_than: Some(2.0), ..Prediction::new("score") };
    assert_eq!(check(no_worse.clone(), &LEVEL).finding, PredictionFinding::Met);
    assert_eq!(check(no_worse, &LOWER).finding, PredictionFinding::NotMet);

    // Several: the worst.
    let plan = Plan { predictions: vec![predicted(3.0), predicted(5.5)], ..plan() };
    let found = studied(&plan, &data(&HIGHER));
    assert_eq!(found.prediction, PredictionFinding::Undecided);
    assert_eq!((found.recommendation, found.reasons[0]), (Choice::Adapt, Reason::LessThanPredicted));
}

pub(crate) fn guarded(margins: &[f64]) -> Plan {
    let guards = margins.iter().enumerate().map(|(i, &m)| Guard::new(Measure::new(format!("guard {i}")), m)).collect();
    Plan { guards, ..plan() }
}

fn guarded_data(afters: &[[f64; 6]]) -> Data {
    let mut all = data(&HIGHER);
    for (i, after) in afters.iter().enumerate() {
        all.insert(format!("guard {i}"), joined(&BEFORE, after));
    }
    all
}

#[test]
fn guards_must_be_shown_not_to_be_worse() {
    let found = studied(&guarded(&[3.0]), &guarded_data(&[LEVEL]));
    assert_eq!(found.guards, GuardFinding::NotWorse);
    assert_eq!(found.recommendation, Choice::Adopt);
    assert!(!codes(&found.caveats).contains(&NoteCode::NoGuards));

    // "No significant harm" is not "not worse": the same data with a margin that they cannot rule out.
    let found = studied(&guarded(&[1.0]), &guarded_data(&[LEVEL]));
    assert_eq!(found.guards, GuardFinding::CannotTell);
    assert_eq!((found.recommendation, found.reasons.as_slice()), (Choice::Adapt, &[Reason::GuardUnknown][..]));
    assert!(codes(&found.caveats).contains(&NoteCode::MarginTooSmall));

    let found = studied(&guarded(&[1.0]), &guarded_data(&[LOWER]));
    assert_eq!(found.guards, GuardFinding::Harmed);
    assert_eq!((found.recommendation, found.reasons[0]), (Choice::Adapt, Reason::BenefitWithHarm));

    // A loss that is real but within the margin does not matter.
    let found = studied(&guarded(&[9.0]), &guarded_data(&[LOWER]));
    assert_eq!((found.guards, found.guard_checks[0].study.signal), (GuardFinding::NotWorse, Signal::Worsened));

    // Several: the worst; a guard without data cannot be told.
    let found = studied(&guarded(&[3.0, 1.0, 3.0]), &guarded_data(&[LEVEL, LOWER]));
    let each: Vec<GuardFinding> = found.guard_checks.iter().map(|check| check.finding).collect();
    assert_eq!(each, [GuardFinding::NotWorse, GuardFinding::Harmed, GuardFinding::CannotTell]);
    assert_eq!(found.guards, GuardFinding::Harmed);
}

/// One guard with a raw p between .05 / 3 and .05 is harm alone, and possible harm among three.
#[test]
fn harm_is_adjusted_for_the_number_of_guards() {
    let slightly = [61., 60., 60., 61.5, 60., 60.5];
    let alone = studied(&guarded(&[0.1]), &guarded_data(&[slightly]));
    let p = alone.guard_checks[0].p_worse.unwrap();
    assert!(p > 0.05 / 3.0 && p < 0.05, "{p}");
    assert_eq!(alone.guards, GuardFinding::Harmed);

    let among = studied(&guarded(&[0.1, 5.0, 5.0]), &guarded_data(&[slightly, LEVEL, LEVEL]));
    assert_eq!(among.guards, GuardFinding::CannotTell);
    assert!((among.guard_checks[0].p_worse_adjusted.unwrap() - 3.0 * p).abs() < 1e-12);
    let note = among.caveats.iter().find(|note| note.code == NoteCode::PossibleHarm).unwrap();
    assert_eq!((note.at.as_str(), note.value), ("guard 0", Some(p)));
}

/// A baseline that rose hides harm rather than feigning it, so harm still shows; "not worse" does not.
#[test]
fn an_unstable_baseline_does_not_hide_harm() {
    let rising = [58., 59., 60., 61., 62., 63., 64., 65.];
    let mut all = data(&HIGHER);
    all.insert("guard 0".into(), joined(&rising, &[50., 51., 49., 50., 52., 50.]));
    assert_eq!(studied(&guarded(&[1.0]), &all).guards, GuardFinding::Harmed);
    all.insert("guard 0".into(), joined(&rising, &[66., 67., 65., 66., 68., 66.]));
    assert_eq!(studied(&guarded(&[1.0]), &all).guards, GuardFinding::CannotTell);
    // While the window is open there is no verdict on harm, only a note.
    all.insert("guard 0".into(), joined(&BEFORE, &LOWER));
    let doing = fully();
    let open = StudyContext { as_of: date(2026, 11, 7), ..fair(&doing) };
    let found = study(&guarded(&[1.0]), &all, &open).unwrap();
    assert_eq!(found.guards, GuardFinding::CannotTell);
    assert!(codes(&found.caveats).contains(&NoteCode::PossibleHarm));
}

#[test]
fn process_measures_tell_a_doubtful_theory_from_a_missing_mechanism() {
    let with = |afters: &[Option<[f64; 6]>]| {
        let process = (0..afters.len()).map(|i| Measure::new(format!("process {i}"))).collect();
        let mut all = data(&LEVEL);
        for (i, after) in afters.iter().enumerate() {
            if let Some(after) = after {
                all.insert(format!("process {i}"), joined(&BEFORE, after));
            }
        }
        let found = studied(&Plan { process, ..plan() }, &all);
        (found.process, found.reasons[0])
    };
    assert_eq!(with(&[]), (ProcessFinding::NotMeasured, Reason::NoMechanismYet));
    assert_eq!(with(&[None]), (ProcessFinding::NotMeasured, Reason::NoMechanismYet));
    assert_eq!(with(&[Some(HIGHER)]), (ProcessFinding::Improved, Reason::DriverMovedOutcomeDidNot));
    assert_eq!(with(&[Some(HIGHER), None]), (ProcessFinding::Improved, Reason::DriverMovedOutcomeDidNot));
    assert_eq!(with(&[Some(HIGHER), Some(LEVEL)]), (ProcessFinding::NotImproved, Reason::NoMechanismYet));
}

#[test]
fn a_lag_that_the_test_does_not_reach() {
    let late = |lag_days| studied(&Plan { lag_days, ..plan() }, &data(&LEVEL)).reasons[0];
    // The window runs from day 0 to day 41.
    assert_eq!(late(41), Reason::NoMechanismYet);
    assert_eq!(late(42), Reason::TooEarly);
}

#[test]
fn only_fair_tries_count() {
    let big = Plan { predictions: vec![Prediction::new("score").at_least(8.0)], ..plan() };
    let doing = fully();
    let first = study(&big, &data(&LEVEL), &fair(&doing)).unwrap();
    assert_eq!((first.n_tries, first.prediction), (1, PredictionFinding::NotMet));
    assert_eq!(first.reasons, [Reason::NoMechanismYet]);

    let after = |earlier: &[Study]| {
        let found = study(&big, &data(&LEVEL), &StudyContext { earlier, ..fair(&doing) }).unwrap();
        (found.n_tries, found.recommendation, found.reasons[0])
    };
    assert_eq!(after(std::slice::from_ref(&first)), (2, Choice::Abandon, Reason::TriedFairly));
    // A try that did not rule the prediction out: adapt, not abandon.
    let open = Study { prediction: PredictionFinding::Undecided, ..first.clone() };
    assert_eq!(after(std::slice::from_ref(&open)), (2, Choice::Adapt, Reason::Underpowered));
    assert_eq!(after(&[first.clone(), open]), (3, Choice::Adapt, Reason::Underpowered));
    // Tries that were no fair tries.
    for unfair in [
        Study { fidelity: Fidelity::Partly, ..first.clone() },
        Study { signal: Signal::Insufficient, ..first.clone() },
        Study { is_preregistered: false, ..first.clone() },
        Study { has_lag_elapsed: false, ..first.clone() },
    ] {
        assert_eq!(after(&[unfair]), (1, Choice::Adapt, Reason::NoMechanismYet));
    }
    // The present one must be a fair try as well.
    let partly = Doing::new(Fidelity::Partly);
    let context = StudyContext { earlier: std::slice::from_ref(&first), ..fair(&partly) };
    let found = study(&big, &data(&LEVEL), &context).unwrap();
    assert_eq!((found.n_tries, found.reasons[0]), (1, Reason::NoMechanismYet));
}

#[test]
fn a_plan_locked_after_the_data_is_exploration() {
    let doing = fully();
    let locked = |at: &str| {
        let context = StudyContext { locked_at: Some(parse_timestamp(at).unwrap()), ..fair(&doing) };
        study(&plan(), &data(&HIGHER), &context).unwrap()
    };
    // The first point of the test window is of 28 September.
    assert!(locked("2026-09-28T15:00:00Z").is_preregistered);
    let late = locked("2026-09-29");
    assert_eq!((late.is_preregistered, late.recommendation), (false, Choice::ContinueTest));
    assert_eq!(late.reasons, [Reason::NotPreregistered]);
    assert!(codes(&late.caveats).contains(&NoteCode::NotPreregistered));
    let never = study(&plan(), &data(&HIGHER), &StudyContext::new(AS_OF)).unwrap();
    assert_eq!(never.reasons, [Reason::NotPreregistered]);
    assert_eq!(never.signal, Signal::Improved, "the findings are still shown");
}

#[test]
fn what_cannot_be_studied() {
    let doing = fully();
    let code = |plan: &Plan, data: &Data| study(plan, data, &fair(&doing)).unwrap_err().code();
    let mut stranger = data(&HIGHER);
    stranger.insert("scores".into(), weekly(&BEFORE));
    assert_eq!(code(&plan(), &stranger), "invalid_option");
    let overlap = Plan { baseline: [BASELINE[0], TEST[0]], ..plan() };
    assert_eq!(code(&overlap, &data(&HIGHER)), "invalid_record");
    let mut twice = data(&HIGHER);
    let series = twice.get_mut("score").unwrap();
    series.points.push(series.points[0]);
    assert_eq!(code(&plan(), &twice), "duplicate_times");
}

// The invariants of a study.

fn bytes(study: &Study) -> String {
    serde_json::to_string(study).unwrap()
}

#[test]
fn same_in_same_out_and_back() {
    let plan = guarded(&[3.0]);
    let data = guarded_data(&[LEVEL]);
    let found = studied(&plan, &data);
    assert_eq!(bytes(&found), bytes(&studied(&plan, &data)));
    let back: Study = serde_json::from_str(&bytes(&found)).unwrap();
    assert_eq!(back, found);
    assert_eq!(bytes(&back), bytes(&found));
    // From the record alone: its points give the same study again.
    let again: Data = std::iter::once(&back.outcome)
        .chain(back.guard_checks.iter().map(|check| &check.study))
        .map(|study| (study.measure.clone(), Series::new(study.points.clone()).unwrap()))
        .collect();
    assert_eq!(bytes(&studied(&plan, &again)), bytes(&found));
}

#[test]
fn later_data_leave_no_trace() {
    let found = studied(&plan(), &data(&HIGHER));
    let mut more = [HIGHER.to_vec(), vec![10., 20., 30., 500., 7.]].concat();
    assert_eq!(bytes(&studied(&plan(), &data(&more))), bytes(&found), "after the test window");
    more[4] = f64::MAX / 4.0;
    let doing = fully();
    let early = StudyContext { as_of: week(11), ..fair(&doing) };
    let one = study(&plan(), &data(&HIGHER[..4]), &early).unwrap();
    assert_eq!(bytes(&study(&plan(), &data(&more), &early).unwrap()), bytes(&one), "after the date of the study");
}

#[test]
fn points_between_the_windows_are_shown_and_not_judged() {
    let gap = Plan { test: [week(10), TEST[1]], ..plan() };
    let found = studied(&gap, &data(&HIGHER));
    assert_eq!((found.outcome.n_before, found.outcome.n_after, found.outcome.points.len()), (8, 4, 14));
    let note = found.caveats.iter().find(|note| note.code == NoteCode::OutsideWindows).unwrap();
    assert_eq!(note.count, 2);
}

#[test]
fn rows_that_gave_no_point_are_counted() {
    let mut short = data(&HIGHER);
    short.get_mut("score").unwrap().n_left_out = 3;
    let found = studied(&plan(), &short);
    let notes: Vec<_> = found.caveats.iter().filter(|note| note.code == NoteCode::NoPoint).collect();
    assert_eq!(notes.len(), 1);
    assert_eq!((notes[0].count, notes[0].at.as_str(), found.outcome.n_left_out), (3, "score", 3));
    assert_eq!(found.signal, studied(&plan(), &data(&HIGHER)).signal);
}

#[test]
fn unequal_sizes_are_noted() {
    let mut sized = data(&HIGHER);
    for (point, size) in sized.get_mut("score").unwrap().points.iter_mut().zip([20., 30., 25., 90.].iter().cycle()) {
        point.size = Some(*size);
    }
    let found = studied(&plan(), &sized);
    let note = found.caveats.iter().find(|note| note.code == NoteCode::UnequalSizes).unwrap();
    assert_eq!(note.value, Some(4.5));
    assert_ne!(found.inputs_hash, studied(&plan(), &data(&HIGHER)).inputs_hash);
}

fn verdicts(study: &Study) -> (Signal, PredictionFinding, GuardFinding, ProcessFinding, Choice, Vec<Reason>) {
    (study.signal, study.prediction, study.guards, study.process, study.recommendation, study.reasons.clone())
}

fn map(data: &Data, change: impl Fn(f64) -> f64) -> Data {
    let mapped = |series: &Series| {
        let points = series.points.iter().map(|point| Point { value: change(point.value), ..*point });
        Series::new(points).unwrap()
    };
    data.iter().map(|(name, series)| (name.clone(), mapped(series))).collect()
}

proptest! {
    #[test]
    fn units_signs_and_the_order_of_rows_change_no_verdict(
        before in prop::collection::vec(-3.0..3.0_f64, 8),
        after in prop::collection::vec(-3.0..6.0_f64, 6),
        guard in prop::collection::vec(-4.0..3.0_f64, 14),
        at_least in -1.0..4.0_f64,
        margin in 0.0..4.0_f64,
        scale in 0.1..20.0_f64,
        shift in -20.0..20.0_f64,
    ) {
        let with = |scale: f64, direction: Direction| {
            let measure = |name: &str| Measure { direction, ..Measure::new(name) };
            let prediction = Prediction::new("score");
            let region = if direction == Direction::Up {
                prediction.at_least(at_least * scale)
            } else {
                prediction.at_most(-at_least * scale)
            };
            Plan {
                predictions: vec![region],
                guards: vec![Guard::new(measure("guard"), margin * scale)],
                ..Plan::new("Aim", "Change", measure("score"), BASELINE, TEST)
            }
        };
        let data = Data::from([
            ("score".to_owned(), joined(&before, &after)),
            ("guard".to_owned(), weekly(&guard)),
        ]);
        let up = with(1.0, Direction::Up);
        let found = studied(&up, &data);
        let scaled = studied(&with(scale, Direction::Up), &map(&data, |v| scale * v + shift));
        prop_assert_eq!(verdicts(&scaled), verdicts(&found));
        let mirrored = studied(&with(1.0, Direction::Down), &map(&data, |v| -v));
        prop_assert_eq!(verdicts(&mirrored), verdicts(&found));
        let mut reversed = data.clone();
        for series in reversed.values_mut() {
            series.points.reverse();
        }
        prop_assert_eq!(bytes(&studied(&up, &reversed)), bytes(&found));
    }
}

// The lock.

#[test]
fn the_lock_lists_all_that_is_missing() {
    assert!(plan().lockable().is_empty());
    let bad = Plan {
        process: vec![Measure { direction: Direction::Neutral, ..Measure::new("score") }],
        predictions: vec![
            Prediction::new("fluency").at_least(1.0),
            Prediction { by: Some(date(2027, 1, 1)), ..Prediction::new("score").at_least(1.0) },
        ],
        baseline: [date(2026, 10, 10), date(2026, 9, 1)],
        test: [date(2026, 9, 1), date(2026, 11, 1)],
        ..plan()
    };
    let missing = bad.lockable();
    for part in [
        "the baseline window ends (2026-09-01) before it begins (2026-10-10)",
        "the baseline ends on 2026-09-01, not before the test window begins (2026-09-01)",
        "two measures are called \"score\"",
        "measure \"score\" has no good side",
        "the prediction is about \"fluency\", but the plan's measures are \"score\", \"score\"",
        "is for 2027-01-01, outside of the test window",
    ] {
        assert!(missing.iter().any(|line| line.contains(part)), "{part:?} is not in {missing:#?}");
    }
    assert_eq!(missing.len(), 6, "{missing:#?}");
    let hopeless = Plan {
        predictions: vec![Prediction::new("score").at_least(3.0), Prediction::new("score").at_most(1.0)],
        comparison: Some(Comparison::new(["5a"])),
        selection: Some(Selection::worst()),
        lag_days: 42,
        analysis: Analysis::Rates,
        test: [date(2026, 9, 28), date(2026, 9, 29)],
        process: vec![Measure::new("routine")],
        ..plan()
    };
    let missing = hopeless.lockable();
    for part in [
        "two predictions about \"score\" exclude each other",
        "tried in one class",
        "chosen because their figures were bad",
        "expected to show after 42 days, but the test window ends after 1",
        "analysis \"rates\" of \"score\" needs an outcome with kind=\"rate\" or \"count\"",
        "the test window has 2 day(s), but \"routine\" needs points on 3 dates",
    ] {
        assert!(missing.iter().any(|line| line.contains(part)), "{part:?} is not in {missing:#?}");
    }
    assert_eq!(missing.len(), 6, "{missing:#?}");
    let none = Plan { predictions: vec![], ..plan() };
    let (mut cycle, _) = Cycle::draft("a", none, &stamp("2026-09-01")).unwrap();
    let before = cycle.clone();
    let error = cycle.lock(&stamp("2026-09-02")).unwrap_err();
    assert!(matches!(&error, Error::PlanNotLockable { missing } if missing.len() == 1), "{error}");
    assert_eq!(cycle, before, "a refused move changes nothing");
}

#[test]
fn the_lock_settles_the_analysis_and_the_hash() {
    let (mut cycle, _) = Cycle::draft("a", plan(), &stamp("2026-09-01")).unwrap();
    assert_eq!(cycle.plan.analysis, Analysis::Auto);
    let draft_hash = cycle.plan.hash().unwrap();
    cycle.lock(&stamp("2026-09-02")).unwrap();
    assert_eq!(cycle.plan.analysis, Analysis::Series);
    assert_eq!(cycle.plan_hash.as_deref(), Some(draft_hash.as_str()));
    let other = Plan { predictions: vec![Prediction::new("score").at_least(3.5).believed(0.7)], ..plan() };
    assert_ne!(other.hash().unwrap(), draft_hash);
    // What is said beside it does not change it.
    cycle.amend("Room 4 joins a week later", &stamp("2026-09-28T23:00:00Z")).unwrap();
    cycle.start(&stamp("2026-09-28")).unwrap();
    cycle.amend("Room 5 was closed for a day", &stamp("2026-09-29")).unwrap();
    assert_eq!(cycle.plan.hash().unwrap(), draft_hash);
    assert_eq!(cycle.amendments.iter().map(|a| a.is_after_data).collect::<Vec<_>>(), [false, true]);
    cycle.study(&data(&HIGHER), AS_OF, &[], "", &stamp("2026-11-20")).unwrap();
    let note = cycle.studies[0].caveats.iter().find(|note| note.code == NoteCode::AmendedAfterData).unwrap();
    assert_eq!(note.count, 1);
    assert_eq!(cycle.studies[0].plan_hash, draft_hash);
}

#[test]
fn a_margin_that_cannot_be_shown_is_known_before_the_lock() {
    // The baseline has s = sqrt(12 / 7), so 3 standard errors are 3 sqrt(12 / 56) = 1.389.
    let before = Data::from([("guard 0".to_owned(), weekly(&BEFORE))]);
    let notes = margin_notes(&guarded(&[1.3]), &before, date(2026, 9, 27));
    assert_eq!(codes(&notes), [NoteCode::MarginTooSmall]);
    assert!((notes[0].value.unwrap() - 3.0 * (12.0_f64 / 56.0).sqrt()).abs() < 1e-12);
    assert!(margin_notes(&guarded(&[1.4]), &before, date(2026, 9, 27)).is_empty());
}

// The states.

#[test]
fn a_choice_other_than_the_recommended_needs_a_reason() {
    let (mut cycle, _) = Cycle::draft("a", plan(), &stamp("2026-09-01")).unwrap();
    cycle.lock(&stamp("2026-09-02")).unwrap();
    cycle.start(&stamp("2026-09-28")).unwrap();
    cycle.do_(fully(), &stamp("2026-11-08")).unwrap();
    cycle.study(&data(&HIGHER), AS_OF, &[], "Worked examples help", &stamp("2026-11-20")).unwrap();
    assert_eq!(cycle.studies[0].recommendation, Choice::Adopt);
    assert_eq!(cycle.studies[0].learned, "Worked examples help");
    let error = cycle.decide(Choice::Abandon, "  ", &stamp("2026-11-21")).unwrap_err();
    assert!(error.to_string().contains("the study recommends adopt and the team chose abandon: say why"), "{error}");
    assert_eq!(cycle.state, State::Studied);
    cycle.decide(Choice::Abandon, "No teacher wants it", &stamp("2026-11-21")).unwrap();
    let decision = cycle.decision.as_ref().unwrap();
    assert!(decision.is_override && decision.validate().is_ok());
    assert_eq!((decision.chosen, decision.recommended), (Choice::Abandon, Choice::Adopt));
    let error = cycle.cancel("Too late", &stamp("2026-11-22")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cycle \"a\" is decided, so it cannot cancel; from here it can make no move: this state is final"
    );
}

#[test]
fn a_stale_reader_is_told() {
    let (mut cycle, _) = Cycle::draft("a", plan(), &stamp("2026-09-01")).unwrap();
    cycle.lock(&stamp("2026-09-02").expecting(1)).unwrap();
    let error = cycle.start(&stamp("2026-09-28").expecting(1)).unwrap_err();
    assert!(matches!(error, Error::Conflict { expected: 1, found: 2, .. }), "{error}");
    assert!(cycle.start(&stamp("2026-09-28").expecting(2)).is_ok());
}

#[test]
fn tries_of_the_same_idea() {
    let cycle = |id: &str, change: &str, practice: Option<&str>| {
        let plan = Plan { change: change.into(), practice: practice.map(str::to_owned), ..plan() };
        Cycle::draft(id, plan, &stamp("2026-09-01")).unwrap().0
    };
    let one = cycle("a", "Worked example", None);
    assert!(one.tries_same_idea_as(&cycle("b", "Worked example ", None)));
    assert!(!one.tries_same_idea_as(&cycle("b", "Exit ticket", None)));
    assert!(!one.tries_same_idea_as(&cycle("b", "Worked example", Some("p1"))));
    assert!(cycle("a", "x", Some("p1")).tries_same_idea_as(&cycle("b", "y", Some("p1"))));
}

/// Makes a move; what it says does not matter here.
fn attempt(cycle: &mut Cycle, action: Move, stamp: &Stamp) -> brightspot::Result<Event> {
    match action {
        Move::Lock => cycle.lock(stamp),
        Move::Start => cycle.start(stamp),
        Move::Do => cycle.do_(Doing::new(Fidelity::Partly), stamp),
        Move::Study => cycle.study(&data(&LEVEL), AS_OF, &[], "", stamp),
        Move::Decide => cycle.decide(Choice::Adapt, "because", stamp),
        Move::Amend => cycle.amend("a note", stamp),
        Move::Cancel => cycle.cancel("no time", stamp),
    }
}

#[cfg(feature = "journal")]
/// The same move as the journal's tests make, on a cycle without a journal.
pub(crate) fn attempt_as_journal(cycle: &mut Cycle, action: Move) {
    let at = stamp("2026-09-02");
    match action {
        Move::Do => cycle.do_(fully(), &at).unwrap(),
        other => attempt(cycle, other, &at).unwrap(),
    };
}

pub(crate) fn moves() -> impl Strategy<Value = Vec<Move>> {
    prop::collection::vec(prop::sample::select(Move::ALL), 0..16)
}

proptest! {
    #[test]
    fn only_legal_moves_change_a_cycle(moves in moves()) {
        let at = stamp("2026-09-01");
        let (mut cycle, first) = Cycle::draft("a", plan(), &at).unwrap();
        let mut events = vec![first];
        for action in moves {
            let before = cycle.clone();
            match (before.state.after(action), attempt(&mut cycle, action, &at)) {
                (Some(state), Ok(event)) => {
                    prop_assert_eq!(cycle.state, state);
                    prop_assert_eq!(cycle.version, before.version + 1);
                    events.push(event);
                }
                (None, Err(Error::IllegalTransition { legal, .. })) => {
                    let expected: Vec<String> = before.state.moves().map(|m| m.to_string()).collect();
                    prop_assert_eq!(legal, expected);
                    prop_assert_eq!(&cycle, &before);
                }
                (expected, found) => prop_assert!(false, "{:?} from {:?}: {:?}, {:?}", action, before.state, expected, found),
            }
        }
        let folded = Cycle::fold("a", events.iter().map(|event| (event, &at))).unwrap();
        prop_assert_eq!(&folded, &cycle);
        let back: Cycle = serde_json::from_str(&serde_json::to_string(&cycle).unwrap()).unwrap();
        prop_assert_eq!(back, cycle);
    }
}
