//! Units that were chosen because they were bad: what comes back by itself.

use brightspot::NoteCode;
use brightspot::cycle::{ChosenBecause, Comparison, Plan, Selection, Signal};
use brightspot::measure::{Candidate, Direction, Measure, Point, Series};
use brightspot::stats::regression::candidates;
use jiff::civil::date;

use super::classes::{class_plan, five_classes, with_classes};
use super::{has, near, plan, studied, week};

/// Twelve teams with levels around 60; the worst, team 0, is the one that is studied.
fn twelve() -> Vec<Candidate> {
    let levels = [54.0, 60.0, 61.0, 59.0, 62.0, 58.0, 63.0, 57.0, 60.5, 61.5, 59.5, 64.5];
    let noise = [1.0, -1.5, 0.5, 1.5, -0.5, -1.0, 1.2, -1.2];
    let team = |(i, level): (usize, f64)| Candidate {
        unit: format!("team {i}"),
        points: (0..8)
            .map(|t| Point { time: week(t), value: level + 2.0 * noise[(t * 3 + i) % 8], size: None })
            .collect(),
    };
    levels.into_iter().enumerate().map(team).collect()
}

fn chosen(after: f64) -> Series {
    let candidates = twelve();
    let later =
        (8..14).map(|t| Point { time: week(t), value: after + if t % 2 == 0 { 0.5 } else { -0.5 }, size: None });
    let points = candidates[0].points.iter().copied().chain(later);
    let series = Series::new(points).unwrap();
    Series { candidates, ..series }
}

fn worst() -> Selection {
    Selection { unit: Some("team".into()), chosen: vec!["team 0".into()], ..Selection::worst() }
}

#[test]
fn regression_to_the_mean_is_taken_off() {
    let outcome = Measure::new("m");
    let plan = Plan { selection: Some(worst()), ..plan(outcome.clone()) };
    let series = chosen(60.0);
    let baselines: Vec<Vec<f64>> = twelve().iter().map(|one| one.points.iter().map(|p| p.value).collect()).collect();
    let all = candidates(&baselines.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
    let found = studied(&plan, series.clone());
    let regression = found.outcome.regression.as_ref().unwrap();
    near(Some(regression.expected), (1.0 - all.lambda) * (all.mean - 54.0), 1e-9);
    assert!(regression.expected > 0.1 && regression.n_units == 12 && all.lambda > 0.5 && all.lambda < 1.0);
    near(found.outcome.effect, 6.0 - regression.expected, 1e-9);
    let naive = studied(&Plan { selection: None, ..plan.clone() }, series.clone());
    near(naive.outcome.effect, 6.0, 1e-9);
    assert!(found.outcome.se.unwrap() > naive.outcome.se.unwrap() && naive.outcome.regression.is_none());
    let note = found.caveats.iter().find(|note| note.code == NoteCode::RegressionToMean).unwrap();
    assert_eq!((note.count, note.value), (12, Some(regression.expected)));
    // The other way round: a bad unit is a high one where lower is better, and nothing is ever added.
    let down = Plan { outcome: Measure { direction: Direction::Down, ..outcome }, ..plan.clone() };
    let fallen = studied(&down, series.clone());
    near(fallen.outcome.effect, 6.0, 1e-9);
    assert_eq!(fallen.outcome.regression.unwrap().expected, 0.0);

    // Not chosen for the figures: nothing is taken off.
    let other = Selection { chosen_because: ChosenBecause::Other, ..worst() };
    near(studied(&Plan { selection: Some(other), ..plan.clone() }, series.clone()).outcome.effect, 6.0, 1e-9);
    // Too few candidates, and no date: no verdict.
    let few = Series { candidates: twelve()[..4].to_vec(), ..series.clone() };
    let blind = studied(&plan, few.clone());
    assert!(blind.signal == Signal::Insufficient && has(&blind, NoteCode::SelectedExtreme));
    // Chosen in the middle of the baseline: the weeks after the choice count.
    let dated = Plan { selection: Some(Selection { on: Some(week(3)), ..worst() }), ..plan.clone() };
    let later = studied(&dated, few.clone());
    assert!(later.signal != Signal::Insufficient && has(&later, NoteCode::BaselineAfterChoice));
    assert_eq!(later.outcome.n_before, 4);
    // Chosen before the baseline began: all of it counts.
    let early = Plan { selection: Some(Selection { on: Some(date(2026, 7, 1)), ..worst() }), ..plan };
    let all = studied(&early, few);
    assert_eq!((all.outcome.n_before, all.outcome.regression), (8, None));
}

#[test]
fn chosen_classes_need_scores_from_after_the_choice() {
    let bad = |on| Plan { selection: Some(Selection { on, ..Selection::worst() }), ..class_plan() };
    let found = studied(&bad(None), with_classes(five_classes()));
    assert!(found.signal == Signal::Insufficient && has(&found, NoteCode::SelectedExtreme));
    let found = studied(&bad(Some(week(0))), with_classes(five_classes()));
    assert!(found.signal == Signal::Improved && has(&found, NoteCode::BaselineAfterChoice));
    let lot = Comparison { by_lot: true, ..Comparison::new(["a", "b"]) };
    let drawn = Plan { comparison: Some(lot), ..bad(None) };
    assert_eq!(studied(&drawn, with_classes(five_classes())).signal, Signal::Improved);
}
