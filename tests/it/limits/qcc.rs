//! Every file of qcc and of the NHS's package, and the tables of constants.

use std::collections::BTreeMap;

use brightspot::charts::{ChartKind, Convention, Known, LimitRows, LimitSpec, Screening, SigmaEstimator, Spread};
use brightspot::stats::constants::{c4, c5, range_moments};
use serde_json::Value;

use super::{NONE, close, drawn};
use crate::chart_reference::{Row, chart_cases, csv};

/// qcc's own d2 and d3, which are rounded: d2 to three decimals, d3 to seven digits.
fn rounded() -> BTreeMap<usize, (f64, f64)> {
    let rows = csv(&["charts", "constants_qcc_d2_d3.csv"]).unwrap();
    rows.iter().map(|row| (row.int("n").unwrap(), (row.float("d2").unwrap(), row.float("d3").unwrap()))).collect()
}

#[test]
fn constants() {
    let Some(rows) = csv(&["charts", "constants_qicharts2.csv"]) else { return };
    for row in &rows {
        let (n, at) = (row.float("n").unwrap(), |column: &str| row.float(column).unwrap());
        // There c4 comes from a difference of log gammas, which costs three digits at 1000.
        close(c4(n), at("c4"), 1e-12, "c4");
        // sqrt(1 - c4^2) loses as many again.
        close(c5(n), at("c5"), 1e-8, "c5");
        close(3.0 / (c4(n) * n.sqrt()), at("A3"), 1e-12, "A3");
        close((1.0 - 3.0 * c5(n) / c4(n)).max(0.0), at("B3"), 1e-8, "B3");
        close(1.0 + 3.0 * c5(n) / c4(n), at("B4"), 1e-9, "B4");
    }
    assert_eq!(rows.len(), 999);
    for (n, (d2, d3)) in rounded() {
        let exact = range_moments(n);
        assert!((exact.d2 - d2).abs() <= 0.5001e-3, "{n}: {} {d2}", exact.d2);
        // Its d3 was integrated too coarsely: off by 8e-7 at two values (sqrt(2 - 4 / pi) = .8525025, there .8525033) and
        // by 1.2e-5 at 25.
        assert!((exact.d3 - d3).abs() <= 1.3e-5, "{n}: {} {d3}", exact.d3);
    }
    // Harter (1960), Ann. Math. Stat. 31:1122, table 1, as in ASTM STP 15D.
    let printed = [
        (2, 1.128_379, 0.852_502),
        (3, 1.692_569, 0.888_368),
        (4, 2.058_751, 0.879_808),
        (5, 2.325_929, 0.864_082),
        (6, 2.534_413, 0.848_040),
        (7, 2.704_357, 0.833_205),
        (8, 2.847_201, 0.819_831),
        (9, 2.970_026, 0.807_834),
        (10, 3.077_505, 0.797_051),
    ];
    for (n, d2, d3) in printed {
        let exact = range_moments(n);
        assert!((exact.d2 - d2).abs() < 0.6e-6 && (exact.d3 - d3).abs() < 0.6e-6, "{n}");
    }
}

/// The rows of a case's output, and its values.
fn output(case: &Value) -> Vec<Row> {
    csv(&["charts", case["output"].as_str().unwrap()]).unwrap()
}

fn input(case: &Value) -> Vec<Row> {
    csv(&["charts", case["input"].as_str().unwrap()]).unwrap()
}

#[test]
fn qcc_single_values_and_counts() {
    let Some(cases) = chart_cases("index_qcc.json") else { return };
    let mut n_cases = 0;
    for case in cases.iter().filter(|case| !matches!(case["type"].as_str().unwrap(), "xbar" | "R" | "S")) {
        n_cases += 1;
        let id = case["id"].as_str().unwrap();
        let value: Vec<f64> = input(case).iter().map(|row| row.float("y").unwrap_or(f64::NAN)).collect();
        let sizes: Vec<f64> = case["args"]["sizes"]
            .as_array()
            .map(|sizes| sizes.iter().map(|size| size.as_f64().unwrap()).collect())
            .unwrap_or_default();
        let has_sd = case["args"]["std.dev"] == "SD";
        let (kind, spec) = match case["type"].as_str().unwrap() {
            "xbar.one" => {
                let spec = LimitSpec::new(ChartKind::I);
                let by_ranges = LimitSpec {
                    convention: Convention::Qicharts2, // 1.128, as here
                    screening: Some(Screening::Off),
                    ..spec
                };
                let by_sd = LimitSpec { estimator: Some(SigmaEstimator::Sd), ..spec };
                (ChartKind::I, if has_sd { by_sd } else { by_ranges })
            }
            word => {
                let kind: ChartKind = word.parse().unwrap();
                (kind, LimitSpec::new(kind))
            }
        };
        let size: &[f64] = if matches!(kind, ChartKind::I | ChartKind::C) { &[] } else { &sizes };
        let (lines, summary) = drawn(&spec, &LimitRows { value: &value, size, ..LimitRows::default() }, &NONE);
        let rows = output(case);
        assert_eq!(rows.len(), value.len(), "{id}");
        for (at, row) in rows.iter().enumerate() {
            let same = |ours: f64, column: &str| {
                close(ours, row.float(column).unwrap_or(f64::NAN), 1e-9, &format!("{id} row {at} {column}"));
            };
            same(lines.drawn[at], "statistic");
            same(lines.center[at], "center");
            same(lines.lcl[at], "lcl");
            same(lines.ucl[at], "ucl");
            let level = summary.level.unwrap();
            same(
                match kind {
                    ChartKind::I => summary.sigma.unwrap(),
                    ChartKind::P => (level * (1.0 - level) / sizes[at]).sqrt(),
                    ChartKind::Np => (sizes[at] * level * (1.0 - level)).sqrt(),
                    _ => level.sqrt(),
                },
                "std_dev",
            );
        }
    }
    assert_eq!(n_cases, 28);
}

/// No spread is below 0.
fn lines_least(kind: ChartKind) -> f64 {
    if kind == ChartKind::Xbar { f64::NEG_INFINITY } else { 0.0 }
}

/// A subgroup: size, mean, standard deviation, range.
fn subgroups(case: &Value) -> [Vec<f64>; 4] {
    let mut groups: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for row in input(case) {
        groups.entry(row.int("x").unwrap() as u64).or_default().push(row.float("y").unwrap());
    }
    let column = |of: &dyn Fn(&[f64]) -> f64| groups.values().map(|group| of(group)).collect::<Vec<f64>>();
    let mean = |group: &[f64]| group.iter().sum::<f64>() / group.len() as f64;
    [
        column(&|group| group.len() as f64),
        column(&mean),
        column(&|group| {
            let squares: f64 = group.iter().map(|value| (value - mean(group)).powi(2)).sum();
            (squares / (group.len() as f64 - 1.0)).sqrt()
        }),
        column(&|group| {
            group.iter().copied().fold(f64::MIN, f64::max) - group.iter().copied().fold(f64::MAX, f64::min)
        }),
    ]
}

/// Sigma, centre and limits of all subgroup charts. Ranges are scaled by exact d2 over rounded d2, which makes the estimates
/// comparable to the last digit; only the weights of MVLUE-R still differ by the rounding (relative 2e-5).
#[test]
fn qcc_subgroups() {
    let Some(cases) = chart_cases("index_qcc.json") else { return };
    let constants = rounded();
    let mut n_cases = 0;
    for case in cases.iter().filter(|case| matches!(case["type"].as_str().unwrap(), "xbar" | "R" | "S")) {
        n_cases += 1;
        let id = case["id"].as_str().unwrap();
        let (kind, default) = match case["type"].as_str().unwrap() {
            "xbar" => (ChartKind::Xbar, "UWAVE-R"),
            "S" => (ChartKind::S, "UWAVE-SD"),
            _ => (ChartKind::R, "UWAVE-R"),
        };
        let estimator = match case["args"]["std.dev"].as_str().unwrap_or(default) {
            "UWAVE-R" => SigmaEstimator::MeanRange,
            "UWAVE-SD" => SigmaEstimator::MeanSd,
            "MVLUE-R" => SigmaEstimator::WeightedRange,
            "MVLUE-SD" => SigmaEstimator::WeightedSd,
            _ => SigmaEstimator::PooledSd,
        };
        let spec = LimitSpec { estimator: Some(estimator), ..LimitSpec::new(kind) };
        let [size, mean, sd, range] = subgroups(case);
        let scaled: Vec<f64> = size
            .iter()
            .zip(&range)
            .map(|(n, range)| range * range_moments(*n as usize).d2 / constants[&(*n as usize)].0)
            .collect();
        let spread = if spec.spread() == Some(Spread::Range) { &scaled } else { &sd };
        let rows = LimitRows { value: &mean, size: &size, spread, ..LimitRows::default() };
        let (lines, summary) = drawn(&spec, &rows, &NONE);
        let expected = output(case);
        let sigma = summary.sigma.unwrap();
        // Their weights (d2/d3)^2 are rounded as well: one formula, with their constants and with exact ones.
        let weighted_range = |constants: &dyn Fn(usize) -> (f64, f64)| {
            let (mut sum, mut total) = (0.0, 0.0);
            for (n, scaled) in size.iter().zip(&scaled) {
                let (d2, d3) = constants(*n as usize);
                let sigma = scaled / range_moments(*n as usize).d2;
                sum += (d2 / d3).powi(2) * sigma;
                total += (d2 / d3).powi(2);
            }
            sum / total
        };
        let std_dev = expected[0].float("std_dev").unwrap();
        let mut tolerance = 1e-9;
        if estimator == SigmaEstimator::WeightedRange {
            tolerance = 2e-5;
            close(weighted_range(&|n| constants[&n]), std_dev, 1e-9, id);
            close(weighted_range(&|n| (range_moments(n).d2, range_moments(n).d3)), sigma, 1e-12, id);
        }
        close(sigma, std_dev, tolerance, id);
        // The centre of a spread chart there is the mean weighted by size, at every row alike. Here it is what a spread of
        // the row's size is on average; told that other centre, and sigma, the limits are theirs.
        let drawn_spread = if kind == ChartKind::R { &range } else { &sd };
        let weighted =
            size.iter().zip(drawn_spread).map(|(n, spread)| n * spread).sum::<f64>() / size.iter().sum::<f64>();
        let told = if kind == ChartKind::Xbar {
            lines.clone()
        } else {
            let known = Known { center: Some(weighted), sigma: Some(sigma), ..NONE };
            drawn(&spec, &LimitRows { spread: drawn_spread, ..rows }, &known).0
        };
        for (at, row) in expected.iter().enumerate() {
            let n = size[at] as usize;
            let place = format!("{id} row {at}");
            close(told.drawn[at], row.float("statistic").unwrap(), 1e-9, &place);
            close(told.center[at], row.float("center").unwrap(), 1e-9, &place);
            // Their limits of ranges, with their d3.
            let rough = if kind == ChartKind::R { 3.0 * sigma * (constants[&n].1 - range_moments(n).d3) } else { 0.0 };
            close((told.lcl[at] - rough).max(lines_least(kind)), row.float("lcl").unwrap(), tolerance, &place);
            close(told.ucl[at] + rough, row.float("ucl").unwrap(), tolerance, &place);
            let (average, deviation) = match kind {
                ChartKind::R => (range_moments(n).d2, range_moments(n).d3),
                _ => (c4(size[at]), c5(size[at])),
            };
            if kind != ChartKind::Xbar {
                close(lines.center[at], average * sigma, 1e-12, &place);
                close(lines.ucl[at], (average + 3.0 * deviation) * sigma, 1e-12, &place);
                close(lines.lcl[at], ((average - 3.0 * deviation) * sigma).max(0.0), 1e-12, &place);
            }
        }
    }
    assert_eq!(n_cases, 22);
}

/// The rows of an NHS case, by facet and by rebase.
#[test]
fn making_data_count() {
    let Some(cases) = chart_cases("index_nhsrplotthedots.json") else { return };
    let (mut n_phases, mut n_rows) = (0, 0);
    for case in &cases {
        let id = case["id"].as_str().unwrap();
        let args = &case["args"];
        let mut spec = LimitSpec { convention: Convention::Nhs, ..LimitSpec::new(ChartKind::I) };
        if args["screen_outliers"] == false {
            spec.screening = Some(Screening::Off);
        }
        let mut phases: BTreeMap<(String, String), Vec<Row>> = BTreeMap::new();
        for row in output(case) {
            let key = (row.text("f").unwrap().to_owned(), row.text("rebase_group").unwrap().to_owned());
            phases.entry(key).or_default().push(row);
        }
        // The output's own phases are those that the arguments ask for.
        let n_rebases = match &args["rebase"] {
            Value::Null => 0,
            Value::Object(by_facet) => by_facet.values().map(|dates| dates.as_array().map_or(1, Vec::len)).sum(),
            _ => 1,
        };
        let n_facets = phases.keys().map(|key| &key.0).collect::<std::collections::BTreeSet<_>>().len();
        assert_eq!(phases.len(), n_facets + n_rebases, "{id}");
        for (key, rows) in phases {
            n_phases += 1;
            let value: Vec<f64> = rows.iter().map(|row| row.float("y").unwrap_or(f64::NAN)).collect();
            let n_fixed = args["fix_after_n_points"].as_u64().map_or(value.len(), |n| n as usize);
            let baseline = super::first(n_fixed, value.len());
            let rows_in = LimitRows { value: &value, is_baseline: &baseline, ..LimitRows::default() };
            let (lines, summary) = drawn(&spec, &rows_in, &NONE);
            for (at, row) in rows.iter().enumerate() {
                n_rows += 1;
                let place = format!("{id} {key:?} row {at}");
                close(lines.center[at], row.float("mean_col").unwrap_or(f64::NAN), 1e-9, &place);
                close(lines.lcl[at], row.float("lpl").unwrap_or(f64::NAN), 1e-9, &place);
                close(lines.ucl[at], row.float("upl").unwrap_or(f64::NAN), 1e-9, &place);
                let is_outside = value[at] > lines.ucl[at] || value[at] < lines.lcl[at];
                assert_eq!(is_outside, row.is_true("outside_limits"), "{place}");
                let is_near = lines.z[at].abs() > 2.0 && !is_outside;
                assert_eq!(is_near, row.is_true("close_to_limits"), "{place} z = {}", lines.z[at]);
            }
            assert_eq!(summary.n_baseline, value.iter().take(n_fixed).filter(|y| !y.is_nan()).count(), "{id}");
        }
    }
    println!("{} cases, {n_phases} phases, {n_rows} rows", cases.len());
    assert!(cases.len() == 25 && n_phases > 60);
}
