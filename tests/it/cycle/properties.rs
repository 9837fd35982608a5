//! The invariants of a study: the same data give the same study, whatever the units, signs and order.

use brightspot::NoteCode;
use brightspot::cycle::{
    Choice, Guard, GuardFinding, Plan, Prediction, PredictionFinding, ProcessFinding, Reason, Signal, Study,
    StudyContext, study,
};
use brightspot::measure::{Direction, Measure, Point, Series};
use proptest::prelude::*;

use super::{
    BASELINE, Data, HIGHER, LEVEL, TEST, data, fair, fully, guarded, guarded_data, joined, plan, studied, week, weekly,
};

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
