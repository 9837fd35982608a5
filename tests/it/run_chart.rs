//! Run charts: against qicharts2 cell by cell, by hand, and by properties.
// Helpers outside of a test function are test code too.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::float_cmp,
    clippy::cast_possible_truncation
)]

use brightspot::charts::{Baseline, Phase, ProbBasis, RunChart, RunChartEngine, RunChartInput, RunChartSpec};
use brightspot::measure::Direction;
use brightspot::rules::{Meaning, Signal, Signals};
use brightspot::stats::runs::{RunLaw, RunLaws};
use brightspot::{Error, NoteCode};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson};
use serde_json::Value;

use crate::chart_reference::{Facet, chart_cases, csv, facets};

fn chart_of(value: &[f64], excluded: &[bool], phases: &[Phase<'_>], direction: Direction) -> RunChart {
    let input = RunChartInput { value, is_excluded: excluded, phases, direction };
    RunChartEngine::new().chart(&RunChartSpec::default(), &input).unwrap()
}

fn whole(value: &[f64]) -> RunChart {
    chart_of(value, &[], &[Phase::new(0..value.len(), Baseline::All)], Direction::Up)
}

fn frozen(value: &[f64], n: usize) -> RunChart {
    chart_of(value, &[], &[Phase::new(0..value.len(), Baseline::First(n))], Direction::Up)
}

fn codes(chart: &RunChart) -> Vec<&'static str> {
    chart.notes.iter().map(|note| note.code.as_str()).collect()
}

// --- qicharts2 -------------------------------------------------------------------------------------------------------

/// What a case asks for, of the arguments that exist here. `target` draws a line and changes nothing else.
const ARGUMENTS: [&str; 5] = ["freeze", "part", "exclude", "multiply", "target"];

/// Cases in which the result differs on purpose, each with its own test or reason.
const DEPARTURES: [&str; 1] = [
    // An infinite value is no measurement: it is missing here, and a point above the centre line there.
    "edge_inf_run",
];

fn computed(case: &Value, facet: &Facet) -> RunChart {
    let baseline = case["args"]["freeze"].as_u64().map_or(Baseline::All, |n| Baseline::First(n as usize));
    let phases: Vec<Phase<'_>> = facet.parts(case).into_iter().map(|rows| Phase::new(rows, baseline)).collect();
    chart_of(&facet.y, &facet.excluded(case), &phases, Direction::Up)
}

#[test]
fn qicharts2_cell_by_cell() {
    let Some(cases) = chart_cases("index_qicharts2.json") else { return };
    let (mut n_cases, mut n_cells) = (0, 0);
    for case in cases.iter().filter(|case| case["chart"] == "run" && case["column_args"].is_null()) {
        let id = case["id"].as_str().unwrap();
        let is_known =
            case["args"].as_object().is_none_or(|args| args.keys().all(|key| ARGUMENTS.contains(&key.as_str())));
        if !is_known || DEPARTURES.contains(&id) {
            continue;
        }
        n_cases += 1;
        let expected = csv(&["charts", case["output"].as_str().unwrap()]).unwrap();
        let multiply = case["args"]["multiply"].as_f64().unwrap_or(1.0);
        for facet in facets(case) {
            let chart = computed(case, &facet);
            for (row, at) in facet.rows_of(&expected).iter().zip(0..) {
                let place = format!("{id} {} row {at}", facet.name);
                let phase = chart.phases.iter().find(|phase| phase.rows.contains(&at)).unwrap();
                n_cells += 1;
                let same = |ours: f64, column: &str| {
                    let theirs = row.float(column).filter(|number| number.is_finite()).unwrap_or(f64::NAN);
                    let is_same = (ours - theirs).abs() <= 1e-12 * theirs.abs() || (ours.is_nan() && theirs.is_nan());
                    assert!(is_same, "{place} {column}: {ours} {theirs}");
                };
                same(facet.y[at] * multiply, "y");
                same(chart.center[at] * multiply, "cl");
                assert_eq!(Some(phase.n_obs), row.int("n.obs"), "{place}");
                assert_eq!(Some(phase.n_useful), row.int("n.useful"), "{place}");
                assert_eq!(phase.longest_run, row.int("longest.run"), "{place}");
                assert_eq!(phase.longest_run_max, row.int("longest.run.max"), "{place}");
                assert_eq!(phase.n_crossings, row.int("n.crossings"), "{place}");
                assert_eq!(phase.n_crossings_min, row.int("n.crossings.min"), "{place}");
                assert_eq!(phase.has_signal, row.is_true("runs.signal"), "{place}");
                assert_eq!(chart.is_baseline[at], row.is_true("baseline"), "{place}");
            }
        }
    }
    println!("{n_cases} cases, {n_cells} rows");
    assert!(n_cases >= 29, "{n_cases}");
}

/// qicharts2 takes the infinite value for a point above the line: 12 useful points about 2.5. Here 11 values remain,
/// 1 2 3 4 2 1 5 3 2 1 4, whose median is 2; eight of them lie off it.
#[test]
fn an_infinite_value_is_missing() {
    let value = [1.0, 2.0, f64::INFINITY, 3.0, 4.0, 2.0, 1.0, 5.0, 3.0, 2.0, 1.0, 4.0];
    let chart = whole(&value);
    let phase = &chart.phases[0];
    assert_eq!((phase.n_obs, phase.n_useful, phase.center), (12, 8, Some(2.0)));
    assert_eq!((phase.longest_run, phase.n_crossings), (Some(2), Some(5)));
    assert_eq!(codes(&chart), ["missing_value", "ties_at_center"]);
}

// --- By hand ---------------------------------------------------------------------------------------------------------

#[test]
fn a_shift_is_found_and_named_by_where_it_ended() {
    let value: Vec<f64> = (0..24).map(|i| f64::from(i % 3) + if i < 12 { 0.0 } else { 10.0 }).collect();
    let up = frozen(&value, 12);
    let phase = &up.phases[0];
    assert_eq!((phase.center, phase.n_baseline, phase.n_useful), (Some(1.0), 12, 20));
    assert_eq!((phase.longest_run, phase.longest_run_max), (Some(13), Some(7)));
    assert!(phase.has_signal && phase.signals.contains(Signal::LongestRun));
    assert_eq!((phase.meaning, phase.prob_basis), (Meaning::Improvement, Some(ProbBasis::Frozen)));
    assert!(phase.prob_runs.unwrap() < 0.01);
    // The last run starts at row 11 (value 2, above 1); rows before it carry no long run.
    assert!(up.signals[11].contains(Signal::LongestRun) && !up.signals[9].contains(Signal::LongestRun));
    assert_eq!(up.signals[10], Signals::NONE, "a row on the line carries nothing");

    let phases = [Phase::new(0..24, Baseline::First(12))];
    let down = chart_of(&value, &[], &phases, Direction::Down);
    assert_eq!(down.phases[0].meaning, Meaning::Deterioration);
    let neutral = chart_of(&value, &[], &phases, Direction::Neutral);
    assert_eq!(neutral.phases[0].meaning, Meaning::Neutral);
    // About its own median the series lies on both sides alike, and yet it ended above.
    assert_eq!(whole(&value).phases[0].meaning, Meaning::Improvement);
    assert_eq!(whole(&value).meaning[0], Meaning::Deterioration);
}

#[test]
fn too_few_crossings_are_carried_by_every_useful_row() {
    // 1 1 1 1 1 1 then 2s: two runs of six about 1.5, one crossing where three are the fewest allowed among 12.
    let value: Vec<f64> = (0..12).map(|i| if i < 6 { 1.0 } else { 2.0 }).collect();
    let chart = whole(&value);
    let phase = &chart.phases[0];
    assert_eq!((phase.n_crossings, phase.n_crossings_min), (Some(1), Some(3)));
    assert_eq!(phase.signals.codes().collect::<Vec<_>>(), ["few_crossings"]);
    assert!(chart.signals.iter().all(|signals| signals.contains(Signal::FewCrossings)));
    assert!((phase.prob_runs.unwrap() - 2.0 / 924.0).abs() < 1e-15);
    assert_eq!(phase.prob_basis, Some(ProbBasis::SamePoints));
}

#[test]
fn phases_stand_alone() {
    let value = [1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 11.0, 12.0, 13.0, f64::NAN];
    let phases = [Phase::new(0..5, Baseline::First(3)), Phase::new(5..10, Baseline::All)];
    let chart = chart_of(&value, &[], &phases, Direction::Up);
    assert_eq!(chart.center, [2.0, 2.0, 2.0, 2.0, 2.0, 11.5, 11.5, 11.5, 11.5, 11.5]);
    assert_eq!(chart.is_baseline[..5], [true, true, true, false, false]);
    assert_eq!(chart.phases[1].n_obs, 5);
    assert_eq!(codes(&chart), ["missing_value", "short_baseline"]);
    assert_eq!(chart.notes[1].value, Some(3.0));
}

#[test]
fn a_known_center_is_a_fair_coin() {
    let value = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 0.0];
    let phases = [Phase::new(0..8, Baseline::All).with_known_center(0.5)];
    let chart = chart_of(&value, &[], &phases, Direction::Up);
    let phase = &chart.phases[0];
    assert_eq!((phase.center, phase.prob_basis), (Some(0.5), Some(ProbBasis::Known)));
    assert_eq!((phase.longest_run, phase.n_crossings), (Some(7), Some(1)));
    // P(L >= 7) = 6/256 < P(C <= 1) = 16/256, so as rare: the two series of 8 alike, and the four of 7 and 1.
    assert!((phase.prob_runs.unwrap() - 6.0 / 256.0).abs() < 1e-15);
    assert!(!codes(&chart).contains(&"short_baseline"));
}

/// After a frozen median a tie counts against a shift, though the rules' own count drops it.
#[test]
fn ties_after_a_frozen_baseline_count_against() {
    let base = [1.0, 3.0, 1.0, 3.0, 1.0, 3.0, 1.0, 3.0];
    let with_ties = [&base[..], &[3.0, 3.0, 2.0, 3.0, 3.0, 2.0, 3.0, 3.0]].concat();
    let chart = frozen(&with_ties, 8);
    let phase = &chart.phases[0];
    assert_eq!((phase.n_useful, phase.longest_run), (14, Some(7)));
    let law = RunLaw::FrozenWhole { base_above: 4, base_below: 4, n_baseline: 8, n_after: 8 };
    // Runs of 3, 2 and 2 above; each tie crosses twice, after the 7 crossings of the baseline.
    let expected = RunLaws::default().prob_runs(law, 3, 11);
    assert_eq!(phase.prob_runs, Some(expected));
}

#[test]
fn a_baseline_in_the_middle_is_simulated_and_said() {
    let value: Vec<f64> = (0..30).map(|i| f64::from((i * 7) % 11) + if i > 20 { 20.0 } else { 0.0 }).collect();
    let flags: Vec<bool> = (0..30).map(|row| (5..17).contains(&row)).collect();
    let phases = [Phase::new(0..30, Baseline::Rows(&flags))];
    let chart = chart_of(&value, &[], &phases, Direction::Up);
    assert_eq!(chart.phases[0].prob_basis, Some(ProbBasis::Simulated));
    assert!(chart.phases[0].prob_runs.unwrap() < 0.05);
    assert!(codes(&chart).contains(&"simulated_probability"));
    assert_eq!(chart, chart_of(&value, &[], &phases, Direction::Up), "the seed is fixed");
    // The same rows as a prefix have a closed form.
    let first: Vec<bool> = (0..30).map(|row| row < 12).collect();
    let masked = chart_of(&value, &[], &[Phase::new(0..30, Baseline::Rows(&first))], Direction::Up);
    assert_eq!(masked.phases, frozen(&value, 12).phases);
}

#[test]
fn nothing_to_judge_is_no_signal() {
    let empty = whole(&[]);
    assert_eq!((empty.phases[0].center, empty.phases[0].has_signal), (None, false));
    assert!(empty.notes.is_empty());
    let missing = whole(&[f64::NAN; 5]);
    assert_eq!((missing.phases[0].n_obs, missing.phases[0].center, missing.phases[0].prob_runs), (5, None, None));
    assert_eq!(codes(&missing), ["missing_value", "no_baseline"]);
    assert_eq!(missing.notes[0].count, 5);
    let constant = whole(&[0.1; 20]);
    assert_eq!((constant.phases[0].n_useful, constant.phases[0].longest_run_max), (0, None));
    assert_eq!(codes(&constant), ["constant_series"]);
    let long_baseline = frozen(&[1.0, 2.0, 4.0, 3.0], 9);
    assert_eq!(long_baseline.phases[0].prob_basis, Some(ProbBasis::SamePoints));
    assert_eq!(codes(&long_baseline), ["short_baseline", "baseline_longer_than_phase"]);
    let excluded = chart_of(&[1.0, 2.0], &[true, true], &[Phase::new(0..2, Baseline::All)], Direction::Up);
    assert_eq!((excluded.phases[0].n_obs, codes(&excluded)), (0, vec!["no_baseline"]));
}

#[test]
fn autocorrelation_is_noted_and_a_shift_is_not_taken_for_it() {
    let has_note = |chart: &RunChart| chart.notes.iter().any(|note| note.code == NoteCode::Autocorrelation);
    let wave: Vec<f64> = (0..40).map(|i| (f64::from(i) / 4.0).sin()).collect();
    assert!(has_note(&whole(&wave)));
    let alternating: Vec<f64> = (0..40).map(|i| f64::from(i % 2)).collect();
    assert!(!has_note(&whole(&alternating)));
    let step: Vec<f64> = (0..40).map(|i| f64::from(i % 2) + if i < 20 { 0.0 } else { 9.0 }).collect();
    assert!(has_note(&whole(&step)));
    assert!(!has_note(&frozen(&step, 20)));
    // 1 2 3 ... 10: r1 = 0.7, the textbook value for a line of ten.
    let line: Vec<f64> = (1..=10).map(f64::from).collect();
    let chart = whole(&line);
    let note = chart.notes.iter().find(|note| note.code == NoteCode::Autocorrelation).unwrap();
    assert!((note.value.unwrap() - 0.7).abs() < 1e-12);
}

#[test]
fn a_signal_that_chance_often_shows_is_noted() {
    // Anhøj's rule on a frozen whole chart signals more often than 1 in 20 (8 points, then 12).
    let value = [1.0, 9.0, 2.0, 8.0, 3.0, 7.0, 4.0, 6.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 1.0, 9.0, 1.0, 9.0, 1.0];
    let chart = frozen(&value, 8);
    let phase = &chart.phases[0];
    assert!(phase.has_signal, "{phase:?}");
    let prob = phase.prob_runs.unwrap();
    assert_eq!(codes(&chart).contains(&"signal_not_rare"), prob > 0.05, "{prob}");
    assert!(prob > 0.05, "{prob}");
}

#[test]
fn impossible_arguments_are_refused() {
    let refused = |value: &[f64], excluded: &[bool], phases: &[Phase<'_>]| -> Error {
        let input = RunChartInput { value, is_excluded: excluded, phases, direction: Direction::Up };
        RunChartEngine::new().chart(&RunChartSpec::default(), &input).unwrap_err()
    };
    let value = [1.0, 2.0, 3.0];
    let all = Baseline::All;
    let phases: Vec<Vec<Phase<'_>>> = vec![
        vec![],
        vec![Phase::new(0..2, all)],
        vec![Phase::new(0..4, all)],
        vec![Phase::new(1..3, all)],
        vec![Phase::new(0..2, all), Phase::new(1..3, all)],
        vec![Phase::new(0..2, all), Phase::new(std::ops::Range { start: 2, end: 1 }, all)],
        vec![Phase::new(0..3, Baseline::First(0))],
        vec![Phase::new(0..3, Baseline::Rows(&[true]))],
        vec![Phase::new(0..3, all).with_known_center(f64::NAN)],
    ];
    for phases in &phases {
        assert_eq!(refused(&value, &[], phases).code(), "invalid_option", "{phases:?}");
    }
    let error = refused(&value, &[true], &[Phase::new(0..3, all)]);
    assert_eq!(
        error.to_string(),
        "exclude = 1 flags is not possible: it must be one flag for each of the 3 rows, or empty"
    );
}

// --- Properties ------------------------------------------------------------------------------------------------------

/// Values with ties, gaps and huge numbers.
fn any_values() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        6 => (-5_i32..6).prop_map(f64::from),
        2 => -1e6_f64..1e6,
        1 => Just(f64::NAN),
        1 => prop::num::f64::ANY,
    ];
    prop::collection::vec(value, 0..50)
}

/// Small whole numbers, so that shifting and scaling them is exact.
fn whole_values() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![9 => (-8_i32..9).prop_map(f64::from), 1 => Just(f64::NAN)];
    prop::collection::vec(value, 1..50)
}

/// What does not depend on the unit of the values.
fn pattern(chart: &RunChart) -> impl PartialEq + std::fmt::Debug + use<> {
    let phases: Vec<_> = chart
        .phases
        .iter()
        .map(|phase| {
            (
                (phase.n_obs, phase.n_useful, phase.n_baseline),
                (phase.longest_run, phase.longest_run_max, phase.n_crossings, phase.n_crossings_min),
                (phase.prob_runs, phase.prob_basis, phase.signals),
            )
        })
        .collect();
    (phases, chart.signals.clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_input_panics(values in any_values(), excluded in prop::collection::vec(any::<bool>(), 50),
                       flags in prop::collection::vec(any::<bool>(), 50), cut in 0_usize..50, n in 1_usize..60) {
        let rows = values.len();
        let cut = cut.min(rows);
        let phases = [Phase::new(0..cut, Baseline::First(n)), Phase::new(cut..rows, Baseline::Rows(&flags[cut..rows]))];
        let chart = chart_of(&values, &excluded[..rows], &phases, Direction::Down);
        prop_assert_eq!(chart.center.len(), rows);
        prop_assert_eq!(chart.signals.len(), rows);
        for phase in &chart.phases {
            prop_assert_eq!(phase.prob_runs.is_some(), phase.n_useful > 0);
            prop_assert!(phase.prob_runs.is_none_or(|prob| (0.0..=1.0).contains(&prob)));
            prop_assert_eq!(phase.has_signal, phase.meaning != Meaning::None);
            for row in phase.rows.clone() {
                prop_assert_eq!(chart.signals[row].is_empty(), chart.meaning[row] == Meaning::None);
                prop_assert!(chart.signals[row].is_empty() || phase.has_signal);
                prop_assert!(!excluded[row] || chart.signals[row].is_empty());
            }
        }
    }

    #[test]
    fn unit_and_origin_make_no_difference(values in whole_values(), n in 1_usize..50) {
        let moved: Vec<f64> = values.iter().map(|value| value * 4.0 - 64.0).collect();
        let (before, after) = (frozen(&values, n), frozen(&moved, n));
        prop_assert_eq!(pattern(&before), pattern(&after));
        prop_assert_eq!(&before.meaning, &after.meaning);
        prop_assert_eq!(codes(&before), codes(&after));
        for (one, other) in before.center.iter().zip(&after.center) {
            prop_assert!(one.is_nan() && other.is_nan() || one * 4.0 - 64.0 == *other);
        }
    }

    #[test]
    fn a_mirror_turns_the_meaning(values in whole_values(), n in 1_usize..50) {
        let mirrored: Vec<f64> = values.iter().map(|value| -value).collect();
        let phases = [Phase::new(0..values.len(), Baseline::First(n))];
        let up = chart_of(&values, &[], &phases, Direction::Up);
        let mirror = chart_of(&mirrored, &[], &phases, Direction::Up);
        prop_assert_eq!(pattern(&up), pattern(&mirror));
        let turned = |meaning: Meaning| match meaning {
            Meaning::Improvement => Meaning::Deterioration,
            Meaning::Deterioration => Meaning::Improvement,
            other => other,
        };
        prop_assert_eq!(up.phases[0].meaning, turned(mirror.phases[0].meaning));
        prop_assert_eq!(&up.meaning, &mirror.meaning.iter().map(|meaning| turned(*meaning)).collect::<Vec<_>>());
        let down = chart_of(&mirrored, &[], &phases, Direction::Down);
        prop_assert_eq!(&up.meaning, &down.meaning);
    }

    #[test]
    fn later_points_do_not_move_a_frozen_line(values in whole_values(), n in 1_usize..50, by in 1_i32..9) {
        let n = n.min(values.len());
        let mut changed = values.clone();
        changed[n..].iter_mut().for_each(|value| *value += f64::from(by));
        let (before, after) = (frozen(&values, n), frozen(&changed, n));
        prop_assert_eq!(before.phases[0].center, after.phases[0].center);
    }

    #[test]
    fn time_reversed_keeps_runs_and_crossings(values in whole_values()) {
        let reversed: Vec<f64> = values.iter().rev().copied().collect();
        let (before, after) = (whole(&values), whole(&reversed));
        let counts = |chart: &RunChart| {
            let phase = &chart.phases[0];
            (phase.longest_run, phase.n_crossings, phase.prob_runs, phase.center, phase.has_signal)
        };
        prop_assert_eq!(counts(&before), counts(&after));
    }

    #[test]
    fn excluding_is_leaving_out_but_for_the_row(values in whole_values(), keys in prop::collection::vec(any::<bool>(), 50)) {
        let n = values.len();
        let excluded = &keys[..n];
        let kept: Vec<f64> =
            values.iter().zip(excluded).filter(|(_, is_out)| !**is_out).map(|(value, _)| *value).collect();
        let phases = [Phase::new(0..n, Baseline::All)];
        let mut with = chart_of(&values, excluded, &phases, Direction::Up).phases.remove(0);
        let without = whole(&kept).phases.remove(0);
        with.rows = without.rows.clone();
        prop_assert_eq!(with, without);
    }
}

/// How often a stable series of Poisson(0.7) counts, most of them ties, has a probability of at most .05.
fn poisson_size(b: usize, n: usize, n_series: u32) -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let poisson = Poisson::new(0.7).unwrap();
    let mut engine = RunChartEngine::new();
    let phases = [Phase::new(0..b + n, Baseline::First(b))];
    let mut n_rare = 0;
    for _ in 0..n_series {
        let value: Vec<f64> = (0..b + n).map(|_| poisson.sample(&mut rng)).collect();
        let input = RunChartInput { value: &value, is_excluded: &[], phases: &phases, direction: Direction::Up };
        let chart = engine.chart(&RunChartSpec::default(), &input).unwrap();
        n_rare += u32::from(chart.phases[0].prob_runs.is_some_and(|prob| prob <= 0.05));
    }
    f64::from(n_rare) / f64::from(n_series)
}

#[test]
fn ties_do_not_make_rare_what_is_not() {
    for (b, n) in [(8, 12), (9, 12)] {
        let size = poisson_size(b, n, 5_000);
        assert!(size < 0.05, "({b},{n}): {size}");
    }
}

#[test]
#[ignore = "simulation"]
fn ties_do_not_make_rare_what_is_not_at_length() {
    for (b, n) in [(8, 12), (9, 12), (12, 12), (12, 24), (24, 24), (11, 36)] {
        let size = poisson_size(b, n, 100_000);
        println!("({b},{n}): {size}");
        assert!(size < 0.05, "({b},{n}): {size}");
    }
}

/// What 10,000 charts of 36 points cost; to be read, not asserted.
#[test]
#[ignore = "timing"]
fn timing() {
    let mut engine = RunChartEngine::new();
    let mut state = 1_u64;
    let values: Vec<f64> = (0..360_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64
        })
        .collect();
    for baseline in [Baseline::All, Baseline::First(12)] {
        let start = std::time::Instant::now();
        let phases = [Phase::new(0..36, baseline)];
        let n_signals = values
            .chunks(36)
            .filter(|value| {
                let input = RunChartInput { value, is_excluded: &[], phases: &phases, direction: Direction::Up };
                engine.chart(&RunChartSpec::default(), &input).unwrap().phases[0].has_signal
            })
            .count();
        println!("{baseline:?}: {:?}, {n_signals} signals", start.elapsed());
    }
}
