//! The verdict of a study, and what stands against it: predictions, guards, process measures, caveats.

use brightspot::NoteCode;
use brightspot::cycle::{
    Choice, Doing, Fidelity, GuardFinding, Plan, Prediction, PredictionFinding, ProcessFinding, Reason, Side, Signal,
    Study, StudyContext, study,
};
use brightspot::measure::{Direction, Measure, Series};
use brightspot::record::parse_timestamp;
use jiff::civil::date;

use super::{
    AS_OF, BASELINE, BEFORE, Data, HIGHER, LEVEL, LOWER, TEST, codes, data, fair, fully, guarded, guarded_data, joined,
    plan, studied, week, weekly, with_direction,
};

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
