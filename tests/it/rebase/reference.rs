//! Stable shifts against autospc, fixed runs against runcharter: every cell of their outputs.

use std::collections::BTreeMap;

use brightspot::charts::rebase::{
    DecisionCode, Limits, Rebase, RebaseMethod, RebaseSpec, RunSide, StableShift, individuals, propose, stable_shift,
};
use brightspot::stats::summary::median;
use serde_json::Value;

use crate::chart_reference::{Row, csv, reference};

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
