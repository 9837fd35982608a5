//! The lock: what is missing is listed, and what is settled stays.

use brightspot::cycle::{Analysis, Comparison, Cycle, Plan, Prediction, Selection, margin_notes};
use brightspot::measure::{Direction, Measure};
use brightspot::{Error, NoteCode};
use jiff::civil::date;

use super::{AS_OF, BEFORE, Data, HIGHER, codes, data, guarded, plan, stamp, weekly};

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
