//! How large the next test should be: the table of sizes, chains of cycles, and steps on evidence only.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use brightspot::NoteCode;
use brightspot::cycle::{
    Belief, Choice, Cycle, Doing, FailureCost, Fidelity, Outlook, Plan, Ramp, RampReason, Readiness, Scale, Steps,
    TestSize, ramp, size_of_test,
};

use crate::cycle::{data, plan, stamp};

/// Weeks of a test that rise by 5 points, and that stay.
const HIGHER: [f64; 6] = [66., 68., 65., 67., 69., 67.];
const LEVEL: [f64; 6] = [62., 63., 61., 62., 64., 60.];

fn cycle(id: &str, plan: Plan, after: &[f64], chosen: Choice) -> Cycle {
    let (mut cycle, _) = Cycle::draft(id, plan, &stamp("2026-09-20")).unwrap();
    cycle.lock(&stamp("2026-09-21")).unwrap();
    cycle.start(&stamp("2026-09-28")).unwrap();
    cycle.do_(Doing::new(Fidelity::Fully), &stamp("2026-11-08")).unwrap();
    cycle.study(&data(after), jiff::civil::date(2026, 11, 20), &[], "", &stamp("2026-11-20")).unwrap();
    let is_override = cycle.studies[0].recommendation != chosen;
    cycle.decide(chosen, if is_override { "we want to" } else { "" }, &stamp("2026-11-21")).unwrap();
    cycle
}

fn at(scale: u32, grade: &str) -> Plan {
    Plan { scale, context: BTreeMap::from([("grade".to_owned(), grade.to_owned())]), ..plan() }
}

fn confirmed(id: &str, scale: u32, grade: &str) -> Cycle {
    let cycle = cycle(id, at(scale, grade), &HIGHER, Choice::Adopt);
    assert_eq!(cycle.decision.as_ref().unwrap().recommended, Choice::Adopt);
    cycle
}

fn of(cycles: &[Cycle], outlook: Option<Outlook>) -> Ramp {
    ramp(cycles, &cycles[0].id, &Steps::default(), None, outlook).unwrap()
}

#[test]
fn more_belief_smaller_cost_or_more_readiness_never_make_a_test_smaller() {
    let mut n = 0;
    for &belief in Belief::ALL {
        for &cost in FailureCost::ALL {
            for &readiness in Readiness::ALL {
                let size = size_of_test(belief, cost, readiness);
                for &b in Belief::ALL.iter().filter(|b| **b >= belief) {
                    for &c in FailureCost::ALL.iter().filter(|c| **c >= cost) {
                        for &r in Readiness::ALL.iter().filter(|r| **r >= readiness) {
                            assert!(size_of_test(b, c, r) >= size, "{belief} {cost} {readiness} -> {b} {c} {r}");
                            n += 1;
                        }
                    }
                }
            }
        }
    }
    // 3 ordered pairs of two codes, twice, and 6 of three.
    assert_eq!(n, 3 * 3 * 6);
}

#[test]
fn the_table_of_sizes_is_langleys() {
    use TestSize::{Implement, Large, Small, VerySmall};
    let row = |belief, cost| Readiness::ALL.iter().map(|r| size_of_test(belief, cost, *r)).collect::<Vec<_>>();
    assert_eq!(row(Belief::Low, FailureCost::Large), [VerySmall, VerySmall, VerySmall]);
    assert_eq!(row(Belief::Low, FailureCost::Small), [VerySmall, VerySmall, Small]);
    assert_eq!(row(Belief::High, FailureCost::Large), [VerySmall, Small, Large]);
    assert_eq!(row(Belief::High, FailureCost::Small), [Small, Large, Implement]);
}

#[test]
fn a_ramp_goes_up_on_evidence_and_only_then() {
    let (draft, _) = Cycle::draft("a", at(1, "5"), &stamp("2026-09-20")).unwrap();
    let begun = of(&[draft], None);
    assert_eq!((begun.next, begun.reason), (Some(Scale::Places(1)), RampReason::Begin));

    for (scale, next) in [(1, Scale::Places(3)), (3, Scale::Places(5)), (4, Scale::Places(5)), (25, Scale::All)] {
        let found = of(&[confirmed("a", scale, "5")], None);
        assert_eq!((found.next, found.reason), (Some(next), RampReason::StepUp), "{scale}");
        assert_eq!(found.confirmed_at, Some(scale));
    }
    let adapted = of(&[cycle("a", at(3, "5"), &LEVEL, Choice::Adapt)], None);
    assert_eq!((adapted.next, adapted.reason), (Some(Scale::Places(3)), RampReason::SameScale));
    let stopped = of(&[cycle("a", at(3, "5"), &LEVEL, Choice::Abandon)], None);
    assert_eq!((stopped.next, stopped.reason), (None, RampReason::Stopped));

    // Adopted against the study: people may, but it opens no larger scale.
    let willed = of(&[cycle("a", at(3, "5"), &LEVEL, Choice::Adopt)], None);
    assert_eq!((willed.next, willed.reason), (Some(Scale::Places(3)), RampReason::SameScale));
    assert!(willed.notes.iter().any(|note| note.code == NoteCode::AdoptedAgainstEvidence));
    assert_eq!(willed.confirmed_at, None);
}

#[test]
fn a_known_number_of_places_ends_the_ramp() {
    let cycles = [confirmed("a", 5, "5")];
    let among = |n| ramp(&cycles, "a", &Steps::default(), Some(n), None).unwrap();
    assert_eq!(among(20).next, Some(Scale::All));
    assert_eq!(among(40).next, Some(Scale::Places(25)));
    assert_eq!((among(5).next, among(5).reason), (None, RampReason::Finished));
}

#[test]
fn a_chain_holds_what_tests_the_same_idea_or_follows_it() {
    let first = confirmed("a", 1, "5");
    let follows = |id: &str, change: &str, of: &str| {
        cycle(id, Plan { change: change.into(), follows: Some(of.into()), ..at(3, "5") }, &LEVEL, Choice::Adapt)
    };
    let adapted = follows("b", "Begin with two worked examples", "a");
    let again = follows("c", "Begin with three", "b");
    let other = cycle("x", Plan { change: "Homework club".into(), ..at(1, "5") }, &LEVEL, Choice::Adapt);
    let all = [again, other, first, adapted];
    for id in ["a", "b", "c"] {
        let found = ramp(&all, id, &Steps::default(), None, None).unwrap();
        assert_eq!(found.cycles.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    }
    assert_eq!(ramp(&all, "x", &Steps::default(), None, None).unwrap().cycles.len(), 1);
    assert_eq!(ramp(&all, "y", &Steps::default(), None, None).unwrap_err().code(), "not_found");
}

#[test]
fn contexts_are_counted_apart_from_scale_and_make_belief() {
    let one = of(&[confirmed("a", 1, "5"), confirmed("b", 3, "5")], None);
    assert_eq!(one.belief, Belief::Low);
    let two = of(&[confirmed("a", 1, "5"), confirmed("b", 1, "4")], None);
    assert_eq!(two.belief, Belief::High);
    assert_eq!(two.confirmed_contexts["grade"].iter().collect::<Vec<_>>(), ["4", "5"]);
    // A new context at the same scale is no step up.
    assert_eq!(two.confirmed_at, Some(1));
    // What was abandoned since takes the belief back.
    let stopped =
        of(&[confirmed("a", 1, "5"), confirmed("b", 1, "4"), cycle("c", at(3, "6"), &LEVEL, Choice::Abandon)], None);
    assert_eq!(stopped.belief, Belief::Low);
}

#[test]
fn an_outlook_holds_a_step_back_and_never_pushes_it() {
    let cycles = [confirmed("a", 5, "5"), confirmed("b", 5, "4")];
    let outlook = |cost_of_failure, readiness| Some(Outlook { belief: None, cost_of_failure, readiness });
    let held = of(&cycles, outlook(FailureCost::Large, Readiness::NotReady));
    assert_eq!((held.next, held.reason), (Some(Scale::Places(1)), RampReason::HeldBack));
    assert_eq!(held.test_size, Some(TestSize::VerySmall));
    // The table would say "implement"; the evidence says 25.
    let free = of(&cycles, outlook(FailureCost::Small, Readiness::Ready));
    assert_eq!((free.next, free.reason), (Some(Scale::Places(25)), RampReason::StepUp));
    assert_eq!(free.test_size, Some(TestSize::Implement));
}

#[test]
fn a_skipped_step_is_noted() {
    let codes = |cycles: &[Cycle]| of(cycles, None).notes.iter().map(|n| (n.code, n.count)).collect::<Vec<_>>();
    assert_eq!(codes(&[confirmed("a", 25, "5")]), [(NoteCode::SkippedStep, 1)]);
    assert_eq!(codes(&[confirmed("a", 1, "5"), confirmed("b", 3, "5"), confirmed("c", 5, "5")]), []);
}
