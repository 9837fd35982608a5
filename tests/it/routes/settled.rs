//! What settles a study beforehand or beside its data: the checklist of what was done, and the lock.

use brightspot::NoteCode;
use brightspot::cycle::{Analysis, Cycle, Doing, Fidelity, FidelityRule, Plan, StudyContext, study};
use brightspot::measure::{Direction, Kind, Measure};
use brightspot::record::Record;
use jiff::civil::date;

use super::classes::class_plan;
use super::{has, measure, plan};
use crate::cycle::{Data, stamp};

#[test]
fn fidelity_by_checklist() {
    let rule = FidelityRule::default();
    let doing = |as_planned, items: &[(&str, f64)]| Doing {
        checklist: items.iter().map(|&(item, share)| (item.to_owned(), share)).collect(),
        ..Doing::new(as_planned)
    };
    for (share, expected) in [
        (1.0, Fidelity::Fully),
        (0.8, Fidelity::Fully),
        (0.79, Fidelity::Partly),
        (0.6, Fidelity::Partly),
        (0.5, Fidelity::NotDone),
    ] {
        assert_eq!(doing(Fidelity::Unknown, &[("a", share)]).carried_out(&rule), expected);
    }
    // The mean of the items; the lesser of word and score.
    let two = doing(Fidelity::Fully, &[("a", 1.0), ("b", 0.5)]);
    assert_eq!((two.score(), two.carried_out(&rule)), (Some(0.75), Fidelity::Partly));
    assert_eq!(doing(Fidelity::Partly, &[("a", 1.0)]).carried_out(&rule), Fidelity::Partly);
    assert_eq!(Doing::new(Fidelity::Fully).carried_out(&rule), Fidelity::Fully);
    assert!(doing(Fidelity::Unknown, &[("a", 1.5)]).validate().is_err());
    assert!(FidelityRule { fully: 0.5, partly: 0.6 }.validate().is_err());

    let plan = Plan { checklist: vec!["a".into(), "b".into(), "c".into()], ..plan(Measure::new("m")) };
    let context = StudyContext { doing: Some(&two), ..StudyContext::new(date(2026, 11, 20)) };
    let found = study(&plan, &Data::new(), &context).unwrap();
    assert_eq!((found.fidelity, found.fidelity_score), (Fidelity::Partly, Some(0.75)));
    assert!(has(&found, NoteCode::FidelityByScore));
    let note = found.caveats.iter().find(|note| note.code == NoteCode::ChecklistIncomplete).unwrap();
    assert_eq!(note.count, 1);
}

/// The lock settles how the outcome is judged, by the shape of its data, and stores it.
#[test]
fn the_lock_settles_the_route() {
    for (outcome, expected) in [
        (Measure::new("m"), Analysis::Series),
        (measure(Kind::Median, Direction::Up), Analysis::Series),
        (measure(Kind::Proportion, Direction::Up), Analysis::Proportions),
        (measure(Kind::Rate, Direction::Up), Analysis::Rates),
        (measure(Kind::Count, Direction::Up), Analysis::Rates),
        (Measure { standard: Some(0.8), ..measure(Kind::Proportion, Direction::Up) }, Analysis::Standard),
    ] {
        let (mut cycle, _) = Cycle::draft("a", plan(outcome), &stamp("2026-08-01")).unwrap();
        let hash = cycle.plan.hash().unwrap();
        cycle.lock(&stamp("2026-08-02")).unwrap();
        assert_eq!(cycle.plan.analysis, expected);
        assert_eq!(cycle.plan.hash().unwrap(), hash);
    }
    assert_eq!(class_plan().resolved().analysis, Analysis::Ancova);
    // An explicit choice stays.
    let series = Plan { analysis: Analysis::Series, ..plan(measure(Kind::Rate, Direction::Up)) };
    assert_eq!(series.resolved().analysis, Analysis::Series);
}
