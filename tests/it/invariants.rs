//! The invariants of a cycle, by number, for every route of a study at once.
//!
//! 1 the lock and the hash; 2 purity; 3 nothing after the date of the study is read; 4 nothing after the test window; 5
//! units and signs; 6 the order of rows and names; 10 there and back; 11 the table (`decision.rs`). A newer schema and
//! unknown fields in a stored event are in `journal.rs`; 7, 8, 9 and 12 are not about cycles.

// Helpers of tests: a panic is a failed test.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_wrap)]

use brightspot::cycle::{
    Analysis, Choice, Comparison, Cycle, Doing, Fidelity, Guard, Plan, Prediction, Selection, Side, Study,
    StudyContext, study,
};
use brightspot::measure::{Candidate, Direction, Kind, Measure, Point, Series, StudentValue};
use brightspot::record::parse_timestamp;
use jiff::civil::{Date, date};
use proptest::prelude::*;

use crate::cycle::{Data, stamp};

const START: Date = date(2026, 8, 3);
const AS_OF: Date = date(2026, 11, 20);

fn week(i: usize) -> Date {
    START + jiff::Span::new().days(7 * i as i64)
}

/// A plan and data for one of the routes.
#[derive(Debug, Clone)]
struct Case {
    plan: Plan,
    data: Data,
}

fn plan(outcome: Measure) -> Plan {
    Plan {
        predictions: vec![Prediction { direction: Some(Side::Improve), ..Prediction::new("m").believed(0.6) }],
        guards: vec![Guard::new(Measure::new("guard"), 1.0)],
        process: vec![Measure { size: Some("n".into()), kind: Kind::Proportion, ..Measure::new("process") }],
        ..Plan::new("Aim", "Change", outcome, [week(0), week(7)], [week(8), week(13)])
    }
}

fn series(values: impl IntoIterator<Item = (f64, Option<f64>)>) -> Series {
    Series::new(values.into_iter().enumerate().map(|(i, (value, size))| Point { time: week(i), value, size })).unwrap()
}

/// One case for each route, made of the same 14 numbers between 0 and 1, and of 7 further numbers for classes.
fn cases(draws: &[f64], classes: &[f64]) -> Vec<Case> {
    let of = |kind, size: bool| Measure { kind, size: size.then(|| "n".into()), ..Measure::new("m") };
    let plain = || series(draws.iter().map(|u| (10.0 * u, None)));
    let counts = |per: f64| series(draws.iter().map(|u| ((20.0 * u).floor() / 20.0 * per, Some(20.0))));
    let students: Vec<StudentValue> = classes
        .iter()
        .enumerate()
        .flat_map(|(c, shift)| {
            draws.iter().enumerate().map(move |(i, u)| StudentValue {
                time: week(if i < 7 { 1 } else { 9 }),
                class: format!("class {c}"),
                is_treated: c < 3,
                student: Some(format!("{c}-{}", i % 7)),
                value: 10.0 * u + if i < 7 { 0.0 } else { 3.0 * shift },
                prior: None,
            })
        })
        .collect();
    let candidates: Vec<Candidate> = classes
        .iter()
        .enumerate()
        .map(|(c, shift)| Candidate {
            unit: format!("unit {c}"),
            points: series(draws.iter().map(|u| (10.0 * u + 2.0 * shift, None))).points,
        })
        .collect();
    let selection = Selection { unit: Some("unit".into()), chosen: vec!["unit 0".into()], ..Selection::worst() };
    let paired = Measure { student: Some("student".into()), ..Measure::new("m") };
    let comparison = Some(Comparison::new(["class 0", "class 1", "class 2"]));
    let with_classes = Plan { comparison, ..plan(paired) };
    let routes = [
        (plan(Measure::new("m")), plain()),
        (plan(of(Kind::Proportion, true)), counts(1.0)),
        (plan(Measure { per: 100.0, ..of(Kind::Rate, true) }), counts(100.0)),
        (plan(Measure { standard: Some(0.5), ..of(Kind::Proportion, true) }), counts(1.0)),
        (with_classes.clone(), Series { students: students.clone(), ..plain() }),
        (Plan { analysis: Analysis::DifferenceInDifferences, ..with_classes }, Series { students, ..plain() }),
        (Plan { selection: Some(selection), ..plan(Measure::new("m")) }, Series { candidates, ..plain() }),
    ];
    let others = || [("guard".to_owned(), plain()), ("process".to_owned(), counts(1.0))];
    routes
        .into_iter()
        .map(|(plan, outcome)| Case { plan, data: others().into_iter().chain([("m".to_owned(), outcome)]).collect() })
        .collect()
}

fn studied_on(case: &Case, as_of: Date) -> Study {
    let doing = Doing::new(Fidelity::Fully);
    let context = StudyContext {
        locked_at: Some(parse_timestamp("2026-08-01").unwrap()),
        doing: Some(&doing),
        ..StudyContext::new(as_of)
    };
    study(&case.plan, &case.data, &context).unwrap()
}

fn studied(case: &Case) -> Study {
    studied_on(case, AS_OF)
}

fn bytes(study: &Study) -> String {
    serde_json::to_string(study).unwrap()
}

fn verdicts(found: &Study) -> String {
    let guards: Vec<_> = found.guard_checks.iter().map(|check| check.finding).collect();
    format!("{:?}", (found.signal, found.prediction, guards, found.process, found.recommendation, &found.reasons))
}

fn each(case: &Case, change: impl Fn(&mut Series)) -> Case {
    let mut case = case.clone();
    case.data.values_mut().for_each(change);
    case
}

fn with_values(case: &Case, change: impl Fn(f64) -> f64) -> Case {
    each(case, |series| {
        series.points.iter_mut().for_each(|point| point.value = change(point.value));
        series.students.iter_mut().for_each(|row| row.value = change(row.value));
        for candidate in &mut series.candidates {
            candidate.points.iter_mut().for_each(|point| point.value = change(point.value));
        }
    })
}

/// Points, students and candidates of a later week, as wild as can be.
fn with_later(case: &Case, i: usize) -> Case {
    each(case, |series| {
        let wild = Point { time: week(i), value: 1.0, size: Some(900.0) };
        series.points.push(wild);
        let later =
            series.students.iter().take(3).cloned().map(|row| StudentValue { time: week(i), value: 1e6, ..row });
        let later: Vec<StudentValue> = later.collect();
        series.students.extend(later);
        series.candidates.iter_mut().for_each(|candidate| candidate.points.push(wild));
    })
}

fn numbers() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    (prop::collection::vec(0.0..1.0_f64, 14), prop::collection::vec(0.0..1.0_f64, 7))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// 2: same in, same out, to the last byte. 10: there and back is the same record.
    #[test]
    fn i02_i10_pure_and_there_and_back((draws, classes) in numbers()) {
        for case in cases(&draws, &classes) {
            let found = studied(&case);
            prop_assert_eq!(bytes(&found), bytes(&studied(&case)));
            let back: Study = serde_json::from_str(&bytes(&found)).unwrap();
            prop_assert_eq!(&back, &found);
            prop_assert_eq!(bytes(&back), bytes(&found));
            let plan: Plan = serde_json::from_str(&serde_json::to_string(&case.plan).unwrap()).unwrap();
            prop_assert_eq!(plan, case.plan);
        }
    }

    /// 3: data after the date of the study are never read. 4: points after the test window change nothing.
    #[test]
    fn i03_i04_later_data_leave_no_trace((draws, classes) in numbers()) {
        for case in cases(&draws, &classes) {
            prop_assert_eq!(bytes(&studied(&with_later(&case, 14))), bytes(&studied(&case)));
            let early = week(10);
            let known = each(&case, |series| {
                series.points.retain(|point| point.time <= early);
                series.candidates.iter_mut().for_each(|one| one.points.retain(|point| point.time <= early));
            });
            prop_assert_eq!(bytes(&studied_on(&with_later(&case, 11), early)), bytes(&studied_on(&known, early)));
        }
    }

    /// 5: units and signs change no verdict (counts have neither).
    #[test]
    fn i05_units_and_signs((draws, classes) in numbers(), scale in 0.1..20.0_f64, shift in -20.0..20.0_f64) {
        for case in cases(&draws, &classes) {
            let is_measured = case.plan.outcome.kind == Kind::Mean;
            let mut case = Case { plan: Plan { process: vec![], ..case.plan }, data: case.data };
            case.data.remove("process");
            if !is_measured {
                continue;
            }
            let found = studied(&case);
            let mut scaled = with_values(&case, |value| scale * value + shift);
            scaled.plan.guards[0].margin *= scale;
            prop_assert_eq!(verdicts(&studied(&scaled)), verdicts(&found));
            let mut mirrored = with_values(&case, |value| -value);
            mirrored.plan.outcome.direction = Direction::Down;
            mirrored.plan.guards[0].measure.direction = Direction::Down;
            prop_assert_eq!(verdicts(&studied(&mirrored)), verdicts(&found));
        }
    }

    /// 5, for a rate: another "per" changes no verdict.
    #[test]
    fn i05_a_rate_per_more((draws, classes) in numbers()) {
        let case = &cases(&draws, &classes)[2];
        let mut other = case.clone();
        other.plan.outcome.per = 1000.0;
        other.data.get_mut("m").unwrap().points.iter_mut().for_each(|point| point.value *= 10.0);
        prop_assert_eq!(verdicts(&studied(&other)), verdicts(&studied(case)));
    }

    /// 6: the order of rows changes no byte.
    #[test]
    fn i06_the_order_of_rows((draws, classes) in numbers()) {
        for case in cases(&draws, &classes) {
            let turned = each(&case, |series| {
                series.points.reverse();
                series.students.reverse();
                series.candidates.reverse();
                series.candidates.iter_mut().for_each(|one| one.points.reverse());
            });
            prop_assert_eq!(bytes(&studied(&turned)), bytes(&studied(&case)));
        }
    }

    /// 6: names of students and units change no verdict.
    #[test]
    fn i06_names((draws, classes) in numbers()) {
        for case in cases(&draws, &classes) {
            let renamed = each(&case, |series| {
                for row in &mut series.students {
                    row.student = row.student.as_ref().map(|id| format!("x{}", id.chars().rev().collect::<String>()));
                    row.class = format!("{}", 9 - row.class.bytes().last().unwrap() % 10);
                }
                series.candidates.iter_mut().enumerate().for_each(|(i, one)| one.unit = format!("{}", 9 - i));
            });
            prop_assert_eq!(verdicts(&studied(&renamed)), verdicts(&studied(&case)));
        }
    }

    /// 1: after the lock the hash never changes, whatever happens to the cycle; older studies stay.
    #[test]
    fn i01_the_hash_and_the_studies_stay((draws, classes) in numbers()) {
        for case in cases(&draws, &classes).into_iter().take(6) {
            let (mut cycle, _) = Cycle::draft("a", case.plan.clone(), &stamp("2026-08-01")).unwrap();
            cycle.lock(&stamp("2026-08-02")).unwrap();
            let hash = cycle.plan_hash.clone().unwrap();
            cycle.start(&stamp("2026-09-28")).unwrap();
            cycle.amend("A day was lost", &stamp("2026-10-05")).unwrap();
            cycle.do_(Doing::new(Fidelity::Fully), &stamp("2026-11-08")).unwrap();
            cycle.study(&case.data, week(9), &[], "", &stamp("2026-10-12")).unwrap();
            let first = bytes(&cycle.studies[0]);
            cycle.study(&case.data, AS_OF, &[], "", &stamp("2026-11-20")).unwrap();
            cycle.decide(Choice::Adapt, "because", &stamp("2026-11-21")).unwrap();
            prop_assert_eq!(cycle.plan.hash().unwrap(), hash.clone());
            prop_assert_eq!(bytes(&cycle.studies[0]), first);
            prop_assert_eq!(cycle.studies.len(), 2);
            prop_assert!(cycle.studies.iter().all(|one| one.plan_hash == hash));
            prop_assert!(cycle.amendments[0].is_after_data);
        }
    }
}
