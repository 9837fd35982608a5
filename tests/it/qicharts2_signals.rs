//! Every case of qicharts2 through the whole engine: what its runs analysis counts, and what it calls a signal.
// Helpers outside of a test function are test code too.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, clippy::cast_possible_truncation)]

use brightspot::charts::{Baseline, Chart, ChartEngine, ChartInput, ChartKind, ChartSpec, LimitSpec, Phase};
use brightspot::rules::{RuleSet, Signal};
use serde_json::Value;

use crate::chart_reference::{Facet, Row, chart_cases, csv, facets};
use crate::limits::qicharts2::{columns, known, spec as limits};

/// Cases in which the counts differ on purpose, each with a test of its own.
const DEPARTURES: [&str; 3] = [
    // A known centre is not transformed there, but brought back; the count of a row without a denominator enters the
    // centre there (both in `limits::qicharts2`); infinity is a value there (`run_chart`).
    "cabg_death_t_fixedcl",
    "edge_zero_denominator_nonzero_numerator_p",
    "edge_inf_run",
];

/// Points outside the limits, where there are limits, and the runs rules that the case asks for.
fn spec(case: &Value, limits: LimitSpec) -> ChartSpec {
    let runs = match case["args"]["method"].as_str() {
        Some("bestbox") => "best_box",
        Some("cutbox") => "cut_box",
        _ => "anhoej",
    };
    let mut names = if limits.kind.has_limits() { vec!["shewhart"] } else { vec![] };
    names.extend(limits.kind.has_runs().then_some(runs));
    let sets: Vec<RuleSet> = names.into_iter().map(|name| RuleSet::named(name).unwrap()).collect();
    ChartSpec { limits, rules: RuleSet::union(&sets).unwrap() }
}

fn drawn(case: &Value, facet: &Facet, spec: &ChartSpec) -> Chart {
    let all = columns(spec.limits.kind, facet);
    let excluded = facet.excluded(case);
    // With phases a freeze is ignored there.
    let freeze = if case["args"]["part"].is_null() { case["args"]["freeze"].as_u64() } else { None };
    let baseline = freeze.map_or(Baseline::All, |n| Baseline::First(n as usize));
    let known = known(case);
    let phases: Vec<Phase<'_>> =
        facet.parts(case).into_iter().map(|rows| Phase { known, ..Phase::new(rows, baseline) }).collect();
    let input = ChartInput {
        value: &all.value,
        size: &all.size,
        spread: &all.spread,
        is_excluded: &excluded,
        phases: &phases,
        ..ChartInput::default()
    };
    ChartEngine::new(spec.clone()).unwrap().chart(&input).unwrap()
}

/// What differs from the reference in one row, in words.
fn differences(case: &Value, kind: ChartKind, chart: &Chart, at: usize, row: &Row) -> Vec<String> {
    let phase = chart.phases.iter().find(|phase| phase.rows.contains(&at)).unwrap();
    let mut found = Vec::new();
    let mut compare = |column: &str, ours: String, theirs: String| {
        if ours != theirs {
            found.push(format!("{column} {ours} for {theirs}"));
        }
    };
    let number = |count: Option<usize>| count.map_or("none".to_owned(), |count| count.to_string());
    compare("n.obs", phase.n_obs.to_string(), number(row.int("n.obs")));
    // Runs of moving ranges are counted there and never a signal; here they are not counted.
    if kind.has_runs() {
        compare("n.useful", phase.n_useful.to_string(), number(row.int("n.useful")));
        compare("longest.run", number(phase.longest_run), number(row.int("longest.run")));
        compare("n.crossings", number(phase.n_crossings), number(row.int("n.crossings")));
        let is_of_runs = |signal| matches!(signal, Signal::LongestRun | Signal::FewCrossings);
        let has_runs_signal = phase.signals.iter().any(is_of_runs);
        compare("runs.signal", has_runs_signal.to_string(), row.is_true("runs.signal").to_string());
    } else {
        assert!(!row.is_true("runs.signal"));
    }
    // With a box, the limits of Anhoej's rules stand there beside its decision.
    if kind.has_runs() && case["args"]["method"].is_null() {
        compare("longest.run.max", number(phase.longest_run_max), number(row.int("longest.run.max")));
        compare("n.crossings.min", number(phase.n_crossings_min), number(row.int("n.crossings.min")));
    }
    // A point that does not count is outside the limits there, and carries no signal here.
    let is_beyond = chart.signals[at].contains(Signal::BeyondLimits);
    let theirs = row.is_true("sigma.signal") && row.is_true("include");
    compare("sigma.signal", is_beyond.to_string(), theirs.to_string());
    found
}

#[test]
fn every_case_of_every_kind() {
    let Some(cases) = chart_cases("index_qicharts2.json") else { return };
    let (mut n_cases, mut n_rows, mut n_signals) = (0, 0, 0);
    let mut wrong: Vec<String> = vec![];
    for case in cases.iter().filter(|case| case["error"].is_null()) {
        let id = case["id"].as_str().unwrap();
        n_cases += 1;
        let limits = limits(case);
        let spec = spec(case, limits);
        let expected = csv(&["charts", case["output"].as_str().unwrap()]).unwrap();
        for facet in facets(case) {
            let chart = drawn(case, &facet, &spec);
            for (at, row) in facet.rows_of(&expected).into_iter().enumerate() {
                n_rows += 1;
                n_signals += usize::from(row.is_true("runs.signal"));
                let found = differences(case, limits.kind, &chart, at, row);
                if !found.is_empty() && !DEPARTURES.contains(&id) {
                    wrong.push(format!("{id} {} row {at}: {}", facet.name, found.join(", ")));
                }
            }
        }
    }
    println!("{n_cases} cases, {n_rows} rows, {n_signals} in a phase with a runs signal");
    println!("{}", wrong.join("\n"));
    assert!(wrong.is_empty());
}
