//! From a suspicion to the usual way of working: every gate, every state, and nothing in a drawer.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

use std::collections::BTreeMap;

use brightspot::cycle::{
    Adoption, Choice, Cycle, Doing, Fidelity, GATES, Gate, Guard, Plan, Practice, PracticeRules, PracticeStanding,
    PracticeState, Prediction, Retirement, practice_life, practice_state,
};
use brightspot::measure::{Measure, Series};
use brightspot::record::{Record, Stamp, parse_timestamp};
use jiff::Span;
use jiff::civil::{Date, date};
use proptest::prelude::*;

/// What a cycle of the tests is made of.
#[derive(Clone)]
struct Made {
    team: &'static str,
    grade: &'static str,
    /// The change of the outcome, and of the guard measure.
    gain: f64,
    guard: f64,
    chosen: Choice,
    /// How many days after the first possible day it is decided.
    after: i32,
    measure: &'static str,
}

const GOOD: Made =
    Made { team: "PLC 1", grade: "5", gain: 4.0, guard: 0.0, chosen: Choice::Adopt, after: 0, measure: "exit ticket" };

const FIRST: Date = date(2026, 1, 5);

fn day(after: i32) -> Date {
    FIRST + Span::new().days(98 + i64::from(after))
}

fn stamp(on: Date, by: &str) -> Stamp {
    Stamp::new(by, parse_timestamp(&on.to_string()).unwrap())
}

/// Eight weeks before, six after, with the same small waves.
fn weekly(gain: f64) -> Series {
    let waves = [0.6, -0.4, 0.2, -0.6, 0.5, -0.3, 0.1, -0.1, 0.4, -0.5, 0.3, -0.2, 0.6, -0.6];
    let points = (0..14_i64).zip(waves);
    Series::of(
        points
            .map(|(week, wave)| (FIRST + Span::new().days(7 * week), 60.0 + wave + if week >= 8 { gain } else { 0.0 })),
    )
    .unwrap()
}

fn cycle(id: usize, made: &Made) -> Cycle {
    let on = day(made.after);
    let plan = Plan {
        predictions: vec![Prediction::new(made.measure).at_least(2.0).believed(0.7)],
        guards: vec![Guard::new(Measure::new("fluency"), 2.0)],
        practice: Some("retrieval".into()),
        team: made.team.into(),
        context: BTreeMap::from([("grade".to_owned(), made.grade.to_owned())]),
        ..Plan::new(
            "Exit tickets rise",
            "Retrieval at the start",
            Measure::new(made.measure),
            [FIRST, FIRST + Span::new().days(55)],
            [FIRST + Span::new().days(56), FIRST + Span::new().days(97)],
        )
    };
    let (mut cycle, _) = Cycle::draft(&format!("c{id}"), plan, &stamp(FIRST, "Kim")).unwrap();
    cycle.lock(&stamp(FIRST, "Kim")).unwrap();
    cycle.start(&stamp(FIRST + Span::new().days(56), "Kim")).unwrap();
    cycle.do_(Doing::new(Fidelity::Fully), &stamp(on, "Kim")).unwrap();
    let data =
        BTreeMap::from([(made.measure.to_owned(), weekly(made.gain)), ("fluency".to_owned(), weekly(made.guard))]);
    cycle.study(&data, on, &[], "", &stamp(on, "Kim")).unwrap();
    cycle.decide(made.chosen, "we say so", &stamp(on, "Kim")).unwrap();
    cycle
}

fn cycles(made: &[Made]) -> Vec<Cycle> {
    made.iter().enumerate().map(|(id, made)| cycle(id, made)).collect()
}

fn described() -> Practice {
    Practice {
        what: "Three questions from last week, answered on paper, then checked.".into(),
        active_ingredients: vec!["from memory".into(), "checked at once".into()],
        not_this: vec!["a graded quiz".into()],
        fidelity: vec!["Books are closed.".into()],
        originator: "Ms. Rivera".into(),
        ..Practice::new("retrieval")
    }
}

/// Three teams in two grades, all better.
fn three() -> Vec<Made> {
    vec![
        GOOD,
        Made { team: "PLC 2", gain: 3.5, after: 1, ..GOOD },
        Made { team: "PLC 3", grade: "4", gain: 4.5, after: 2, ..GOOD },
    ]
}

fn standing(practice: &Practice, cycles: &[Cycle], adoptions: &[Adoption], as_of: Date) -> PracticeStanding {
    practice_state(practice, cycles, adoptions, &PracticeRules::default(), as_of).unwrap()
}

fn late() -> Date {
    day(300)
}

fn adoption(unit: &str, tried: Option<i32>, last_seen: Option<i32>) -> Adoption {
    Adoption {
        unit: unit.into(),
        offered: day(10),
        practice: None,
        tried: tried.map(day),
        last_seen: last_seen.map(day),
        stopped: None,
        context: BTreeMap::new(),
    }
}

fn failed(standing: &PracticeStanding) -> Vec<Gate> {
    standing.gates.iter().filter(|g| !g.is_passed).map(|g| g.gate).collect()
}

#[test]
fn every_state_is_reached_in_its_turn_and_says_what_is_missing() {
    let suspected = Practice::new("retrieval");
    let found = standing(&suspected, &[], &[], late());
    assert_eq!((found.state, found.missing.len()), (PracticeState::Suspected, 4));
    let practice = described();
    let found = standing(&practice, &[], &[], late());
    assert_eq!((found.state, found.missing.len()), (PracticeState::Described, 1));
    let all = cycles(&three());
    let found = standing(&practice, &all[..1], &[], late());
    assert_eq!(found.state, PracticeState::Testing);
    assert!(found.missing[0].starts_with("1 of 3 closed cycles"), "{:?}", found.missing);
    let found = standing(&practice, &all, &[], late());
    assert_eq!((found.state, found.n_closed, found.n_adopt), (PracticeState::Confirmed, 3, 3));
    assert!((found.estimate.unwrap() - 4.0).abs() < 0.05 && found.lo.unwrap() > 0.0);
    assert_eq!(found.adopters, ["PLC 1", "PLC 2", "PLC 3"]);
    assert_eq!(found.contexts, ["grade 4", "grade 5"]);
    assert_eq!(found.missing.len(), 2, "{:?}", found.missing);

    // Spreading needs consent to the name, or no name.
    let offered = [adoption("R1", Some(20), None)];
    assert_eq!(standing(&practice, &all, &offered, late()).state, PracticeState::Confirmed);
    let practice = Practice { consent: true, ..practice };
    assert_eq!(standing(&practice, &all, &offered, late()).state, PracticeState::Spreading);
    let nameless = Practice { consent: false, originator: String::new(), ..practice.clone() };
    assert_eq!(standing(&nameless, &all, &offered, late()).state, PracticeState::Spreading);

    // Standard: four of five keep it after 60 days, for a term.
    let mut kept: Vec<Adoption> =
        ["R1", "R2", "R3", "R4"].iter().map(|unit| adoption(unit, Some(20), Some(90))).collect();
    kept.push(adoption("R5", Some(20), Some(30)));
    let found = standing(&practice, &all, &kept, late());
    assert_eq!((found.state, found.n_due, found.n_kept), (PracticeState::Standard, 5, 4));
    assert!(found.missing.is_empty() && failed(&found).is_empty());
    assert_eq!(standing(&practice, &all, &kept[..4], late()).state, PracticeState::Spreading);
    assert_eq!(standing(&practice, &all, &kept, day(100)).state, PracticeState::Spreading, "no term yet");
    kept[0].last_seen = None;
    assert_eq!(standing(&practice, &all, &kept, late()).state, PracticeState::Spreading, "three of five keep it");

    let retirement = Retirement { reason: "Replaced".into(), on: day(200), by: String::new() };
    let retired = Practice { retired: Some(retirement), ..practice };
    assert_eq!(standing(&retired, &all, &kept, day(199)).state, PracticeState::Spreading);
    assert_eq!(standing(&retired, &all, &kept, day(200)).state, PracticeState::Retired);
}

#[test]
fn every_closed_cycle_counts() {
    let practice = described();
    let mut made = three();
    // Two that were abandoned without a gain widen the interval beyond nothing, whatever the other three say.
    let drawer = |after| Made { gain: -6.0, chosen: Choice::Abandon, after, ..GOOD };
    made.extend([drawer(3), drawer(4)]);
    let all = cycles(&made);
    let found = standing(&practice, &all, &[], late());
    assert_eq!((found.n_closed, found.n_adopt, found.n_abandon), (5, 3, 2));
    assert_eq!(found.state, PracticeState::Testing);
    assert_eq!(failed(&found)[0], Gate::Benefit);
    // They did not exist yet on the day after the third.
    let found = standing(&practice, &all, &[], day(2));
    assert_eq!((found.state, found.n_closed), (PracticeState::Confirmed, 3));
    // A cycle of another practice, and one that names none, are not its own.
    let mut foreign = cycles(&[Made { gain: -6.0, chosen: Choice::Abandon, ..GOOD }]);
    foreign[0].plan.practice = None;
    foreign.extend(cycles(&three()));
    assert_eq!(standing(&practice, &foreign, &[], late()).n_closed, 3);
}

#[test]
fn each_gate_of_confirmation_alone_keeps_it_in_testing() {
    let practice = described();
    let with = |change: &dyn Fn(&mut Vec<Made>)| {
        let mut made = three();
        change(&mut made);
        let found = standing(&practice, &cycles(&made), &[], late());
        (found.state, failed(&found).into_iter().filter(|g| confirms(*g)).collect::<Vec<_>>())
    };
    assert_eq!(with(&|_| {}), (PracticeState::Confirmed, vec![]));
    let only = |gate| (PracticeState::Testing, vec![gate]);
    assert_eq!(with(&|m| m.iter_mut().for_each(|m| m.grade = "5")), only(Gate::Contexts));
    assert_eq!(with(&|m| m[0].guard = -8.0), only(Gate::NoHarm));
    assert_eq!(with(&|m| m[0].measure = "unit test"), only(Gate::SharedMeasure));
    assert_eq!(
        with(&|m| {
            m[0].team = "ms. rivera ";
            m[1].team = "Ms. Rivera";
        }),
        only(Gate::OtherAdopters)
    );
    assert_eq!(
        with(&|m| {
            m[0].gain = -3.0;
            m[0].chosen = Choice::Adapt;
            m.push(Made { after: 3, ..GOOD });
        }),
        only(Gate::Benefit)
    );
    assert_eq!(with(&|m| m.retain(|one| one.after != 0)).1, [Gate::ClosedCycles, Gate::Benefit]);
}

fn confirms(gate: Gate) -> bool {
    GATES.contains(&(PracticeState::Confirmed, gate))
}

#[test]
fn failing_under_new_conditions_is_back_to_testing_until_adopted_there() {
    let practice = described();
    let rules = PracticeRules::default();
    let mut made = three();
    made.extend((0..6).map(|k| Made { after: 3 + k, ..GOOD }));
    made.push(Made { grade: "K", gain: -0.4, chosen: Choice::Abandon, after: 20, ..GOOD });
    let all = cycles(&made);
    assert_eq!(standing(&practice, &all, &[], day(19)).state, PracticeState::Confirmed);
    let found = standing(&practice, &all, &[], day(20));
    assert_eq!((found.state, found.failed_contexts.as_slice()), (PracticeState::Testing, &["grade K".to_owned()][..]));
    assert!(found.lo.unwrap() > 0.0, "all together still show a benefit");
    assert!(found.missing[0].ends_with("grade K"), "{:?}", found.missing);
    // Adopted there later.
    made.push(Made { grade: "K", after: 30, ..GOOD });
    assert_eq!(standing(&practice, &cycles(&made), &[], late()).state, PracticeState::Confirmed);
    // The same failure under conditions in which it had worked is no new condition.
    let place = made.len() - 2;
    made.truncate(place + 1);
    made[place].grade = "4";
    assert_eq!(standing(&practice, &cycles(&made), &[], late()).state, PracticeState::Confirmed);
    // The order in which cycles are given decides nothing.
    let mut turned = cycles(&made);
    turned.reverse();
    assert_eq!(
        practice_state(&practice, &turned, &[], &rules, late()).unwrap(),
        practice_state(&practice, &cycles(&made), &[], &rules, late()).unwrap()
    );
}

#[test]
fn a_recent_failure_is_no_standard() {
    let practice = Practice { consent: true, ..described() };
    let mut made = three();
    made.extend((0..6).map(|k| Made { after: 3 + k, ..GOOD }));
    made.push(Made { gain: -0.4, chosen: Choice::Abandon, after: 250, ..GOOD });
    let kept: Vec<Adoption> = (0..5).map(|k| adoption(&format!("R{k}"), Some(20), Some(90))).collect();
    let all = cycles(&made);
    assert_eq!(standing(&practice, &all, &kept, day(249)).state, PracticeState::Standard);
    let found = standing(&practice, &all, &kept, day(250));
    assert_eq!((found.state, failed(&found)), (PracticeState::Spreading, vec![Gate::OutcomeHolds]));
    assert_eq!(standing(&practice, &all, &kept, day(400)).state, PracticeState::Standard, "a term later");
}

#[test]
fn gates_stand_in_the_order_of_the_states_and_each_says_what_it_lacks() {
    assert!(GATES.is_sorted_by_key(|(state, _)| *state));
    let mut gates: Vec<Gate> = GATES.iter().map(|(_, gate)| *gate).collect();
    gates.sort();
    gates.dedup();
    assert_eq!((gates.len(), gates.as_slice()), (GATES.len(), Gate::ALL));
    let found = standing(&Practice { originator: "Kim".into(), ..Practice::new("x") }, &[], &[], late());
    let passed: Vec<Gate> = found.gates.iter().filter(|g| g.is_passed).map(|g| g.gate).collect();
    assert_eq!(passed, [Gate::SharedMeasure, Gate::NoHarm, Gate::HoldsElsewhere, Gate::OutcomeHolds]);
    assert!(found.gates.iter().all(|g| g.is_passed == g.missing.is_empty()));
}

#[test]
fn records_keep_their_own_rules() {
    let refused = |practice: Practice| practice.validate().unwrap_err().to_string();
    assert!(refused(Practice::new(" ")).contains("title"));
    assert!(refused(Practice { fidelity: vec!["a".into(), " ".into()], ..described() }).contains("fidelity[1]"));
    assert!(refused(Practice { consent: true, ..Practice::new("x") }).contains("consent"));
    let mut from_data = Practice::new("x");
    from_data.origin = serde_json::from_str("{\"kind\": \"data\"}").unwrap();
    assert!(refused(from_data.clone()).contains("origin.outcome"));
    from_data.origin.outcome = "math".into();
    from_data.origin.q_value = Some(1.2);
    assert!(refused(from_data.clone()).contains("origin.q_value"));
    from_data.origin.q_value = Some(0.2);
    assert!(from_data.validate().is_ok());
    let mut believed = Practice::new("x");
    believed.origin.estimate = Some(1.0);
    assert!(refused(believed).contains("comes from data"));
    for (tried, seen, stopped, path) in [
        (Some(5), None, None, "tried"),
        (None, Some(20), None, "last_seen"),
        (Some(20), Some(15), None, "last_seen"),
        (Some(20), None, Some(15), "stopped"),
        (Some(20), Some(30), Some(25), "last_seen"),
    ] {
        let one = Adoption { stopped: stopped.map(day), ..adoption("R", tried, seen) };
        assert!(one.validate().unwrap_err().to_string().contains(path), "{path}");
    }
    let rules = PracticeRules { closed_cycles: 2, ..PracticeRules::default() };
    assert_eq!(practice_state(&described(), &[], &[], &rules, late()).unwrap_err().code(), "invalid_record");
    let text = serde_json::to_string(&described()).unwrap();
    assert_eq!(serde_json::from_str::<Practice>(&text).unwrap(), described());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A further cycle that fails never brings a practice further.
    #[test]
    fn a_failure_never_helps(n in 0_usize..5, grade in 0_usize..3, gain in -8.0_f64..-3.0) {
        let practice = described();
        let mut made: Vec<Made> = three().into_iter().cycle().take(n).collect();
        for (place, one) in made.iter_mut().enumerate() {
            one.after = i32::try_from(place).unwrap();
        }
        let before = standing(&practice, &cycles(&made), &[], late()).state;
        made.push(Made { grade: ["5", "4", "K"][grade], gain, chosen: Choice::Abandon, after: 20, ..GOOD });
        let after = standing(&practice, &cycles(&made), &[], late()).state;
        prop_assert!(after <= before.max(PracticeState::Testing), "{before} -> {after}");
    }
}

/// The steps tell the same as asking on the days themselves, and no cycle is left out of them.
#[test]
fn the_steps_are_the_states_of_the_days() {
    let fails = Made { team: "PLC 4", grade: "3", gain: -6.0, chosen: Choice::Abandon, after: 20, ..GOOD };
    let all = cycles(&[three(), vec![fails]].concat());
    let tried: Vec<Adoption> = (0..5).map(|k| adoption(&format!("Room {k}"), Some(12 + k), Some(90 + k))).collect();
    let practice = Practice { consent: true, ..described() };
    let told = standing(&practice, &all, &tried, late());
    // Each step's own day, the day before it, and days between.
    let edges = told.steps.iter().flat_map(|step| [step.since, step.since - Span::new().days(1)]);
    let between = (1..9).map(|k| FIRST + Span::new().days(45 * k));
    for day in edges.chain(between).filter(|day| (told.steps[0].since..=late()).contains(day)) {
        let in_force = told.steps.iter().rfind(|step| step.since <= day).unwrap().state;
        assert_eq!(standing(&practice, &all, &tried, day).state, in_force, "{day}");
    }
    let counts: Vec<(&str, &str)> = told.cycles.iter().map(|one| (one.by.as_str(), one.counts.as_str())).collect();
    assert_eq!(counts, [("PLC 1", "for"), ("PLC 2", "for"), ("PLC 3", "for"), ("PLC 4", "against")]);
}

/// Each day is judged by the version of the record that held then.
#[test]
fn a_revised_record_counts_from_its_day_on() {
    let bare = Practice::new("retrieval");
    let versions = [(day(0), bare), (day(30), described())];
    let found = practice_life(&versions, &[], &[], &PracticeRules::default(), day(60)).unwrap();
    let steps: Vec<_> = found.steps.iter().map(|step| (step.state, step.since)).collect();
    assert_eq!(steps, [(PracticeState::Suspected, day(0)), (PracticeState::Described, day(30))]);
    let error = practice_life(&[], &[], &[], &PracticeRules::default(), day(0)).unwrap_err();
    assert_eq!(error.code(), "too_few");
}
