//! New phases as proposals: against autospc and runcharter cell by cell, by hand, and by properties.

// Helpers of tests: a panic is a failed test.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::float_cmp)]

use std::cell::RefCell;
use std::collections::BTreeMap;

use brightspot::charts::rebase::{
    Decision, DecisionCode, Limits, Rebase, RebaseEngine, RebaseMethod, RebaseSpec, RunSide, StableShift, individuals,
    propose, stable_shift,
};
use brightspot::stats::step::step;
use brightspot::stats::summary::median;
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use serde_json::Value;

use crate::chart_reference::{Row, csv, reference};

thread_local! {
    static ENGINE: RefCell<RebaseEngine> = RefCell::new(RebaseEngine::new());
}

/// With the laws that the thread has simulated so far.
fn proposed(values: &[f64], is_excluded: &[bool], spec: &RebaseSpec) -> Rebase {
    ENGINE.with_borrow_mut(|engine| engine.propose(values, is_excluded, spec)).unwrap()
}

fn change_points(values: &[f64]) -> Rebase {
    proposed(values, &[], &RebaseSpec::default())
}

fn codes(rebase: &Rebase) -> Vec<DecisionCode> {
    rebase.log.iter().map(|decision| decision.code).collect()
}

fn noise(seed: u64, n: usize) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| rng.sample(StandardNormal)).collect()
}

fn stepped(seed: u64, levels: &[(usize, f64)]) -> Vec<f64> {
    let level = levels.iter().flat_map(|&(n, level)| std::iter::repeat_n(level, n));
    let n = levels.iter().map(|(n, _)| n).sum();
    noise(seed, n).into_iter().zip(level).map(|(value, level)| value + level).collect()
}

fn index(name: &str) -> Option<Vec<Value>> {
    let text = std::fs::read_to_string(reference()?.join("charts").join(name)).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

// --- autospc ---------------------------------------------------------------------------------------------------------

/// The limits of autospc's charts. C' is C with the individuals chart's width; P steps with the denominator.
fn limits_of(chart: &str, y: &[f64], size: &[f64], basis: &[usize], drawn: &[usize]) -> Option<Vec<Limits>> {
    let sum = |of: &[f64]| basis.iter().map(|&row| of[row]).sum::<f64>();
    let center = sum(y) / basis.len() as f64;
    let everywhere = |limits: Limits| vec![limits; drawn.len()];
    let around = |center: f64, width: f64| Limits { center, lcl: (center - width).max(0.0), ucl: center + width };
    match chart {
        "XMR" => individuals(y, basis).map(everywhere),
        "C'" => individuals(y, basis).map(|limits| everywhere(Limits { lcl: limits.lcl.max(0.0), ..limits })),
        "C" => Some(everywhere(around(center, 3.0 * center.sqrt()))),
        "P" => {
            let p = basis.iter().map(|&row| y[row] / 100.0 * size[row]).sum::<f64>() / sum(size);
            Some(drawn.iter().map(|&row| around(100.0 * p, 300.0 * (p * (1.0 - p) / size[row]).sqrt())).collect())
        }
        other => panic!("no such chart: {other}"),
    }
}

fn as_autospc(case: &Value) -> StableShift {
    let rows = csv(&["charts", case["input"].as_str().unwrap()]).unwrap();
    let column = |name: &str| rows.iter().map(|row| row.float(name).unwrap_or(f64::NAN)).collect::<Vec<f64>>();
    let (mut y, size, chart) = (column("y"), column("n"), case["chart"].as_str().unwrap());
    if chart == "P" {
        y.iter_mut().zip(&size).for_each(|(y, n)| *y *= 100.0 / n);
    }
    let usual = RebaseSpec::of(RebaseMethod::StableShift);
    let period_min = case["args"]["period_min"].as_u64().map_or(usual.period_min, |n| usize::try_from(n).unwrap());
    let spec = RebaseSpec { period_min, ..usual };
    stable_shift(&y, &[], &spec, |basis, drawn| limits_of(chart, &y, &size, basis, drawn)).unwrap()
}

/// The decisions that autospc's log states: in each cell steps of two digits, a branch of two, and what was found.
fn decisions(rows: &[Row]) -> Vec<(usize, DecisionCode)> {
    let mut decisions = vec![];
    for (row, cells) in rows.iter().enumerate() {
        let mut found = "";
        for entry in cells.text("log").unwrap_or_default().split(';') {
            match entry.get(..4) {
                Some("0600") => found = &entry[4..],
                Some("0700") => decisions.push((row, DecisionCode::Proposed)),
                Some("0710") if found.starts_with('1') => decisions.push((row, DecisionCode::OppositeShift)),
                Some("0710") => decisions.push((row, DecisionCode::OpenRun)),
                Some("0410" | "0610") => decisions.push((row, DecisionCode::TooFewPoints)),
                Some("0510") => decisions.push((row, DecisionCode::NoShift)),
                _ => {}
            }
        }
    }
    decisions
}

#[test]
fn stable_shifts_are_those_of_autospc() {
    let Some(cases) = index("index_autospc.json") else { return };
    assert_eq!(cases.len(), 8);
    let mut n_periods = 0;
    for case in &cases {
        let found = as_autospc(case);
        let expected = csv(&["charts", case["output"].as_str().unwrap()]).unwrap();
        let mut row = 0;
        for (number, period) in found.periods.iter().enumerate() {
            for (index, limits) in period.limits.iter().enumerate() {
                let cells = &expected[row];
                assert_eq!(period.rows[index], row);
                for (name, value) in [("cl", limits.center), ("lcl", limits.lcl), ("ucl", limits.ucl)] {
                    let there = cells.float(name).unwrap();
                    let is_close = (value - there).abs() <= 1e-9 * there.abs().max(1e-3);
                    assert!(is_close, "{}, row {row}, {name}: {value}, {there}", case["id"]);
                }
                let is_calculation = index < period.n_calculation;
                let words = if is_calculation { "calculation" } else { "display" };
                assert_eq!(cells.text("periodType"), Some(words), "{}, row {row}", case["id"]);
                let is_excluded = is_calculation.then(|| period.excluded.contains(&row));
                assert_eq!(cells.text("excluded").map(|text| text == "TRUE"), is_excluded, "{}, row {row}", case["id"]);
                assert_eq!(cells.is_true("breakPoint"), number > 0 && index == 0, "{}, row {row}", case["id"]);
                row += 1;
            }
        }
        assert_eq!(row, expected.len());
        let log: Vec<_> = found.log.iter().map(|decision| (decision.row.unwrap(), decision.code)).collect();
        assert_eq!(log, decisions(&expected), "{}", case["id"]);
        n_periods += found.periods.len();
    }
    assert_eq!(n_periods, 12);
}

/// Steps of 30, each clear of the other, with a repeating pattern as noise.
fn pattern(levels: &[(usize, f64)]) -> Vec<f64> {
    let level = levels.iter().flat_map(|&(n, level)| std::iter::repeat_n(level, n));
    level.zip([0.0, 2.0, 1.0, 3.0, -1.0].into_iter().cycle()).map(|(level, noise)| level + noise).collect()
}

fn shifts(values: &[f64], spec: RebaseSpec) -> Rebase {
    propose(values, &[], &RebaseSpec { method: RebaseMethod::StableShift, ..spec }).unwrap()
}

fn short_periods() -> RebaseSpec {
    RebaseSpec { period_min: 12, ..RebaseSpec::of(RebaseMethod::StableShift) }
}

#[test]
fn a_shift_that_goes_back_is_refused() {
    // Up for 9 points, then down again within the 12 of the candidate period, for long enough to be a shift back.
    let values = pattern(&[(15, 10.0), (9, 30.0), (16, 10.0)]);
    let found = shifts(&values, short_periods());
    assert!(found.proposals.is_empty(), "{found:?}");
    assert_eq!(found.log[0].row, Some(15));
    assert_eq!(found.log[0].code, DecisionCode::OppositeShift);
}

#[test]
fn a_run_that_may_yet_go_back_is_waited_for() {
    // The candidate period ends in three low points, with which the data end too.
    let values = pattern(&[(15, 10.0), (9, 30.0), (3, 10.0)]);
    let found = shifts(&values, short_periods());
    assert_eq!(codes(&found)[0], DecisionCode::OpenRun);
    assert!(found.proposals.is_empty());
    let hasty = shifts(&values, RebaseSpec { no_regrets: false, ..short_periods() });
    assert_eq!(hasty.proposals.len(), 1);
    let proposal = &hasty.proposals[0];
    // Three low points lie outside of the limits and are left out of them.
    assert_eq!((proposal.starts_at, proposal.n_after), (15, 9));
    let (before, after) = (proposal.limits_before.unwrap(), proposal.limits_after.unwrap());
    assert_eq!((before.center, after.center), (proposal.before, proposal.after));
    assert!(proposal.p.is_none() && proposal.from.is_none() && proposal.lo.is_none());
}

#[test]
fn limits_of_any_kind_serve_a_stable_shift() {
    let values = pattern(&[(15, 10.0), (15, 30.0)]);
    let fixed = |_: &[usize], drawn: &[usize]| Some(vec![Limits { center: 20.0, lcl: 0.0, ucl: 40.0 }; drawn.len()]);
    let found = stable_shift(&values, &[], &short_periods(), fixed).unwrap();
    // About a line that never moves the new period is one long run.
    assert_eq!(found.periods.len(), 2);
    let none = stable_shift(&values, &[], &short_periods(), |_, _| None).unwrap();
    assert_eq!((none.periods.len(), none.log[0].code), (0, DecisionCode::NoLimits));
    let error = stable_shift(&values, &[], &RebaseSpec::default(), fixed).unwrap_err();
    assert_eq!(error.code(), "invalid_option");
}

// --- runcharter ------------------------------------------------------------------------------------------------------

/// (start, end, extended to) of a line, and the line.
type Line = (String, String, String, f64);

fn lines(dates: &[String], y: &[f64], found: &Rebase, baseline: usize, last_date: &str) -> Vec<Line> {
    let mut base = y[..baseline].to_vec();
    let mut lines = vec![(dates[0].clone(), dates[baseline - 1].clone(), String::new(), median(&mut base).unwrap())];
    for proposal in &found.proposals {
        let start = dates[proposal.starts_at].clone();
        // The run's last point: those on the old line are skipped.
        let run = (proposal.starts_at..y.len()).filter(|&row| y[row] != proposal.before);
        let end = dates[run.take(proposal.n_after).last().unwrap()].clone();
        lines.last_mut().unwrap().2.clone_from(&start);
        assert_eq!(lines.last().unwrap().3, proposal.before);
        lines.push((start, end, String::new(), proposal.after));
    }
    last_date.clone_into(&mut lines.last_mut().unwrap().2);
    lines
}

#[test]
fn fixed_runs_are_those_of_runcharter() {
    let Some(cases) = index("index_runcharter.json") else { return };
    assert_eq!(cases.len(), 9);
    for case in &cases {
        let file = case["input"].as_str().unwrap().split(' ').next().unwrap();
        let (group, date) = if file.contains("hai") { ("f", "x") } else { ("grp", "date") };
        let mut groups: BTreeMap<String, Vec<(String, f64)>> = BTreeMap::new();
        for row in csv(&["charts", file]).unwrap() {
            let point = (row.text(date).unwrap().to_owned(), row.float("y").unwrap());
            groups.entry(row.text(group).unwrap().to_owned()).or_default().push(point);
        }
        let number = |name: &str| usize::try_from(case[name].as_u64().unwrap()).unwrap();
        let side = serde_json::from_value::<RunSide>(case["direction"].clone()).unwrap();
        let (baseline, run_length) = (number("med_rows"), number("runlength"));
        let spec = RebaseSpec { baseline, run_length, side, ..RebaseSpec::of(RebaseMethod::FixedRun) };
        let last_date = groups.values().flatten().map(|(date, _)| date.clone()).max().unwrap();
        let mut here = vec![];
        for (name, mut points) in groups {
            points.sort_by(|one, other| one.0.cmp(&other.0));
            let (dates, y): (Vec<String>, Vec<f64>) = points.into_iter().unzip();
            let found = propose(&y, &[], &spec).unwrap();
            here.extend(lines(&dates, &y, &found, baseline, &last_date).into_iter().map(|line| (name.clone(), line)));
        }
        let mut there: Vec<_> = csv(&["charts", case["output"].as_str().unwrap()])
            .unwrap()
            .iter()
            .map(|row| {
                let text = |name: &str| row.text(name).unwrap().to_owned();
                let line = (text("start_date"), text("end_date"), text("extend_to"), row.float("median").unwrap());
                (text("grp"), line)
            })
            .collect();
        there.sort_by(|one, other| (&one.0, &one.1.0).cmp(&(&other.0, &other.1.0)));
        assert_eq!(here, there, "{}", case["id"]);
    }
}

#[test]
fn points_on_the_line_are_skipped_in_a_fixed_run() {
    let spec = RebaseSpec { baseline: 3, run_length: 3, ..RebaseSpec::of(RebaseMethod::FixedRun) };
    let found = propose(&[1.0, 5.0, 9.0, 6.0, 5.0, 7.0, 8.0, 1.0], &[], &spec).unwrap();
    let proposal = &found.proposals[0];
    assert_eq!((proposal.starts_at, proposal.before, proposal.after, proposal.n_before), (3, 5.0, 7.0, 3));
    assert_eq!(codes(&found), [DecisionCode::Proposed, DecisionCode::TooFewPoints]);
    let below = propose(&[1.0, 5.0, 9.0, 6.0, 5.0, 7.0, 8.0, 1.0], &[], &RebaseSpec { side: RunSide::Below, ..spec });
    assert_eq!(codes(&below.unwrap()), [DecisionCode::NoShift]);
}

// --- Change points, by hand ------------------------------------------------------------------------------------------

#[test]
fn two_copies_with_a_clear_step_meet_at_the_step() {
    for (seed, n) in [(1, 12), (2, 18), (3, 40), (4, 250)] {
        let one = noise(seed, n);
        let two: Vec<f64> = one.iter().copied().chain(one.iter().map(|value| value + 6.0)).collect();
        let found = change_points(&two);
        assert_eq!(found.proposals.len(), 1, "{n}: {found:?}");
        let proposal = &found.proposals[0];
        assert_eq!(proposal.starts_at, n);
        assert!((proposal.estimate - 6.0).abs() < 1e-9);
        assert!(proposal.p.unwrap() < 0.001 && proposal.lo.unwrap() > 4.0 && proposal.hi.unwrap() < 8.0);
        assert!(proposal.from.unwrap() <= n && proposal.to.unwrap() >= n);
        assert!((proposal.sd_before.unwrap() - proposal.sd_after.unwrap()).abs() < 1e-9);
        let known = step(&two[..n], &two[n..]).unwrap();
        assert_eq!((proposal.lo, proposal.hi), (Some(known.lo), Some(known.hi)));
        assert!(found.log.iter().any(|decision| decision.code == DecisionCode::Proposed && decision.row == Some(n)));
    }
}

#[test]
fn levels_that_come_and_go_are_all_found() {
    let found = change_points(&stepped(5, &[(20, 0.0), (20, 5.0), (20, 0.0), (20, -5.0)]));
    let starts: Vec<usize> = found.proposals.iter().map(|proposal| proposal.starts_at).collect();
    assert_eq!(starts, [20, 40, 60]);
    assert!(found.proposals.iter().all(|proposal| (proposal.n_before, proposal.n_after) == (20, 20)));
}

#[test]
fn a_wild_point_is_no_phase() {
    let (mut n_tries, mut n_more) = (0, 0);
    for seed in 0..40 {
        let values = noise(seed, 36);
        let quiet = change_points(&values).proposals.len();
        for place in [0, 7, 8, 17, 27, 35] {
            let [far, farther] = [20.0, 1e6].map(|height| {
                let mut values = values.clone();
                values[place] += height;
                change_points(&values)
            });
            // How far makes no difference.
            let probs = |found: &Rebase| found.log.iter().map(|decision| decision.p).collect::<Vec<_>>();
            assert_eq!(probs(&far), probs(&farther), "{seed} {place}");
            n_tries += 1;
            n_more += usize::from(far.proposals.len() > quiet);
        }
    }
    // One point in 36 may tip what was nearly significant without it.
    assert!(n_more * 50 <= n_tries, "{n_more} of {n_tries}");
}

#[test]
fn a_wild_point_hides_no_step() {
    let mut values = stepped(3, &[(18, 0.0), (18, 4.0)]);
    let clean = change_points(&values);
    values[25] = 1e6;
    let found = change_points(&values);
    assert_eq!((clean.proposals.len(), found.proposals.len()), (1, 1), "{found:?}");
    assert_eq!(clean.proposals[0].starts_at, found.proposals[0].starts_at);
}

#[test]
fn a_steady_trend_is_noted_and_no_step() {
    let values: Vec<f64> = noise(8, 60).iter().zip(0..).map(|(value, t)| value + 0.15 * f64::from(t)).collect();
    let found = change_points(&values);
    assert!(found.proposals.is_empty(), "{found:?}");
    let note = found.notes.iter().find(|note| note.code.as_str() == "steady_trend").unwrap();
    assert!((note.value.unwrap() - 0.15).abs() < 0.03, "{note:?}");
    assert!(note.message().starts_with("1 chart with a steady drift (0.1"), "{}", note.message());
    let stable = change_points(&noise(8, 60));
    assert!(stable.notes.is_empty(), "{stable:?}");
}

#[test]
fn a_drift_that_looks_like_a_step_is_logged_as_a_trend() {
    // The best cut of a slow drift is significant, and a line describes it better.
    let found = |seed| {
        let values: Vec<f64> = noise(seed, 60).iter().zip(0..).map(|(value, t)| value + 0.04 * f64::from(t)).collect();
        change_points(&values)
    };
    let trends: Vec<Rebase> = (0..40).map(found).filter(|found| codes(found).contains(&DecisionCode::Trend)).collect();
    assert!(trends.len() >= 15, "{}", trends.len());
    for found in trends {
        let trend = found.log.iter().find(|decision| decision.code == DecisionCode::Trend).unwrap();
        assert!(trend.p.unwrap() <= 0.05 && trend.step_over_line.unwrap() <= 0.0);
        assert!(found.notes.iter().any(|note| note.code.as_str() == "steady_trend"));
    }
}

#[test]
fn a_stair_is_steps_and_not_a_trend() {
    let found = change_points(&stepped(9, &[(20, 0.0), (20, 7.0), (20, 14.0)]));
    let starts: Vec<usize> = found.proposals.iter().map(|proposal| proposal.starts_at).collect();
    assert_eq!(starts, [20, 40], "{found:?}");
}

#[test]
fn a_strong_autocorrelation_is_said() {
    // A step of 12 in a series whose neighbours correlate by .7.
    let mut last = 0.0;
    let values: Vec<f64> = noise(10, 60)
        .iter()
        .zip(0..)
        .map(|(shock, t)| {
            last = 0.7 * last + 0.7 * shock;
            last + if t < 30 { 0.0 } else { 12.0 }
        })
        .collect();
    let found = change_points(&values);
    let step = found.proposals.iter().find(|proposal| proposal.starts_at == 30).unwrap();
    let strongest = found.proposals.iter().map(|proposal| proposal.phi.unwrap()).fold(0.0, f64::max);
    assert!(step.estimate > 9.0 && strongest >= 0.5, "{found:?}");
    let note = found.notes.iter().find(|note| note.code.as_str() == "strong_autocorrelation").unwrap();
    assert_eq!(note.value, Some(strongest));
}

#[test]
fn too_little_is_a_finding() {
    let nothing = |values: &[f64]| {
        let found = change_points(values);
        assert!(found.proposals.is_empty());
        codes(&found)
    };
    assert_eq!(nothing(&[]), [DecisionCode::TooFewPoints]);
    assert_eq!(nothing(&noise(1, 15)), [DecisionCode::TooFewPoints]);
    assert_eq!(nothing(&[f64::NAN; 30]), [DecisionCode::TooFewPoints]);
    assert_eq!(nothing(&[0.1; 30]), [DecisionCode::NoVariation]);
    for method in [RebaseMethod::StableShift, RebaseMethod::FixedRun] {
        let found = propose(&[0.1; 60], &[], &RebaseSpec::of(method)).unwrap();
        assert!(found.proposals.is_empty(), "{found:?}");
        let short = propose(&noise(1, 12), &[], &RebaseSpec::of(method)).unwrap();
        assert_eq!(codes(&short), [DecisionCode::TooFewPoints]);
    }
}

#[test]
fn constant_levels_are_proposed_without_an_interval_of_their_step() {
    let values: Vec<f64> = [[0.1; 10], [0.7; 10]].concat();
    let found = change_points(&values);
    let proposal = &found.proposals[0];
    assert_eq!((proposal.starts_at, proposal.from, proposal.to), (10, Some(10), Some(10)));
    assert!((proposal.estimate - 0.6).abs() < 1e-12 && proposal.lo.is_none() && proposal.p.unwrap() < 1e-4);
    assert!(found.notes.iter().any(|note| note.code.as_str() == "zero_variance"));
}

#[test]
fn a_very_long_series_is_searched_too() {
    let found = change_points(&stepped(11, &[(600, 0.0), (600, 1.0)]));
    assert_eq!(found.proposals.len(), 1, "{found:?}");
    assert!(found.proposals[0].from.unwrap() <= 600 && found.proposals[0].to.unwrap() >= 600);
}

#[test]
fn impossible_options_are_refused() {
    let refused = |spec: RebaseSpec| propose(&noise(1, 40), &[], &spec).unwrap_err();
    let usual = RebaseSpec::default();
    for spec in [
        RebaseSpec { alpha: 0.0, ..usual },
        RebaseSpec { alpha: 1.0, ..usual },
        RebaseSpec { alpha: f64::NAN, ..usual },
        RebaseSpec { min_length: 3, ..usual },
        RebaseSpec { period_min: 1, ..RebaseSpec::of(RebaseMethod::StableShift) },
        RebaseSpec { shift_length: 1, ..RebaseSpec::of(RebaseMethod::StableShift) },
        RebaseSpec { baseline: 0, ..RebaseSpec::of(RebaseMethod::FixedRun) },
        RebaseSpec { run_length: 1, ..RebaseSpec::of(RebaseMethod::FixedRun) },
        RebaseSpec { run_length: 8, ..usual },
        RebaseSpec { alpha: 0.01, ..RebaseSpec::of(RebaseMethod::FixedRun) },
    ] {
        assert_eq!(refused(spec).code(), "invalid_option", "{spec:?}");
    }
    assert_eq!(
        refused(RebaseSpec { run_length: 8, ..usual }).to_string(),
        "method \"change_point\" = an option that it does not take is not possible: it must be given alpha and \
         min_length only; leave the other options at their defaults"
    );
    let error = propose(&[1.0, 2.0], &[true], &usual).unwrap_err();
    assert_eq!(
        error.to_string(),
        "exclude = 1 flags is not possible: it must be one flag for each of the 2 rows, or empty"
    );
    assert_eq!("fixed_run".parse::<RebaseMethod>().unwrap(), RebaseMethod::FixedRun);
    assert_eq!("fixed".parse::<RebaseMethod>().unwrap_err().code(), "invalid_option");
}

#[test]
fn a_spec_and_a_result_survive_json() {
    let spec: RebaseSpec = serde_json::from_str("{\"method\": \"stable_shift\", \"period_min\": 12}").unwrap();
    assert_eq!((spec.method, spec.period_min, spec.shift_length), (RebaseMethod::StableShift, 12, 8));
    assert!(serde_json::from_str::<RebaseSpec>("{\"length\": 12}").is_err());
    let found = change_points(&stepped(12, &[(20, 0.0), (20, 4.0)]));
    assert_eq!(serde_json::from_str::<Rebase>(&serde_json::to_string(&found).unwrap()).unwrap(), found);
    for decision in &found.log {
        assert_eq!(serde_json::to_value(decision.code).unwrap(), decision.code.as_str());
    }
}

// --- Properties ------------------------------------------------------------------------------------------------------

/// A series of two or three levels, or one.
fn any_series() -> impl Strategy<Value = Vec<f64>> {
    let level = (4_usize..30, -4.0_f64..4.0);
    (0_u64..10_000, prop::collection::vec(level, 1..4)).prop_map(|(seed, levels)| stepped(seed, &levels))
}

/// Places, and what does not depend on the unit.
fn places(found: &Rebase) -> Vec<(usize, Option<usize>, Option<usize>)> {
    found.proposals.iter().map(|proposal| (proposal.starts_at, proposal.from, proposal.to)).collect()
}

fn logged(found: &Rebase) -> Vec<(Option<usize>, DecisionCode)> {
    found.log.iter().map(|decision| (decision.row, decision.code)).collect()
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-7 * (1.0 + one.abs().max(other.abs()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn unit_origin_and_sign_make_no_difference(values in any_series(), scale in 0.1_f64..10.0, shift in -50.0_f64..50.0) {
        for method in [RebaseMethod::ChangePoint, RebaseMethod::StableShift, RebaseMethod::FixedRun] {
            let spec = RebaseSpec::of(method);
            let found = proposed(&values, &[], &spec);
            for scale in [scale, -scale] {
                let moved: Vec<f64> = values.iter().map(|value| value * scale + shift).collect();
                let again = proposed(&moved, &[], &spec);
                prop_assert_eq!(places(&found), places(&again));
                prop_assert_eq!(logged(&found), logged(&again));
                for (one, other) in found.proposals.iter().zip(&again.proposals) {
                    prop_assert!(close(one.estimate * scale, other.estimate));
                    prop_assert!(close(one.before * scale + shift, other.before));
                    let (lo, hi) = if scale < 0.0 { (one.hi, one.lo) } else { (one.lo, one.hi) };
                    prop_assert!(lo.is_none_or(|lo| close(lo * scale, other.lo.unwrap())));
                    prop_assert!(hi.is_none_or(|hi| close(hi * scale, other.hi.unwrap())));
                    prop_assert!(one.p.is_none_or(|p| (p - other.p.unwrap()).abs() < 1e-3));
                }
            }
        }
    }

    #[test]
    fn backwards_in_time_the_places_are_mirrored(values in any_series()) {
        let found = proposed(&values, &[], &RebaseSpec::default());
        let reversed: Vec<f64> = values.iter().rev().copied().collect();
        let again = proposed(&reversed, &[], &RebaseSpec::default());
        let n = values.len();
        let mut mirrored: Vec<_> = places(&again)
            .into_iter()
            .map(|(at, from, to)| (n - at, to.map(|to| n - to), from.map(|from| n - from)))
            .collect();
        mirrored.reverse();
        prop_assert_eq!(places(&found), mirrored);
        for (one, other) in found.proposals.iter().zip(again.proposals.iter().rev()) {
            prop_assert!(close(one.estimate, -other.estimate) && close(one.before, other.after));
        }
    }

    #[test]
    fn an_excluded_point_is_as_if_absent(values in any_series(), flags in prop::collection::vec(0_u8..4, 90)) {
        let is_excluded: Vec<bool> = flags[..values.len()].iter().map(|flag| *flag == 0).collect();
        let kept: Vec<usize> = (0..values.len()).filter(|&row| !is_excluded[row]).collect();
        let rest: Vec<f64> = kept.iter().map(|&row| values[row]).collect();
        let with_gaps: Vec<f64> =
            values.iter().zip(&is_excluded).map(|(value, out)| if *out { f64::NAN } else { *value }).collect();
        for method in [RebaseMethod::ChangePoint, RebaseMethod::StableShift, RebaseMethod::FixedRun] {
            let spec = RebaseSpec::of(method);
            let found = proposed(&values, &is_excluded, &spec);
            let short = proposed(&rest, &[], &spec);
            let placed: Vec<_> = places(&short)
                .into_iter()
                .map(|(at, from, to)| (kept[at], from.map(|from| kept[from]), to.map(|to| kept[to])))
                .collect();
            prop_assert_eq!(places(&found), placed);
            let gaps = proposed(&with_gaps, &[], &spec);
            prop_assert_eq!(&gaps.proposals, &found.proposals);
            prop_assert_eq!(gaps.notes.iter().any(|note| note.code.as_str() == "missing_value"), is_excluded.contains(&true));
        }
    }

    #[test]
    fn what_is_proposed_is_possible(values in any_series(), alpha in 0.01_f64..0.5, min_length in prop::sample::select(vec![4_usize, 11])) {
        let spec = RebaseSpec { alpha, min_length, ..RebaseSpec::default() };
        let found = proposed(&values, &[], &spec);
        let mut last = 0;
        for proposal in &found.proposals {
            prop_assert!(proposal.starts_at >= last + min_length);
            prop_assert!(proposal.starts_at + min_length <= values.len());
            prop_assert!(proposal.p.unwrap() <= alpha && proposal.step_over_line.unwrap() > 0.0);
            prop_assert!(proposal.from.unwrap() <= proposal.starts_at && proposal.starts_at <= proposal.to.unwrap());
            prop_assert!(proposal.lo.unwrap() <= proposal.estimate && proposal.estimate <= proposal.hi.unwrap());
            last = proposal.starts_at;
        }
        let n_logged = found.log.iter().filter(|decision| decision.code == DecisionCode::Proposed).count();
        prop_assert_eq!(n_logged, found.proposals.len());
        let is_reasoned = |decision: &Decision| decision.row.is_none() == decision.p.is_none();
        prop_assert!(found.log.iter().all(is_reasoned) && !found.log.is_empty());
    }
}
