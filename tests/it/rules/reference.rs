//! Against `NHSRplotthedots`, qcc and qicharts2, cell by cell; each is given the reference's own line and limits.

use std::collections::BTreeMap;

use brightspot::measure::Direction;
use brightspot::rules::{Assurance, RuleSet, Signal, Signals, Variation, assurance, signal_sides, variation};
use brightspot::stats::runs::Side;
use serde_json::Value;

use super::Points;
use crate::chart_reference::{Row, csv, reference};

fn cases(index: &str) -> Option<Vec<Value>> {
    let path = reference()?.join("charts").join(index);
    Some(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
}

fn table(case: &Value, column: &str) -> Vec<Row> {
    csv(&["charts", case[column].as_str().unwrap()]).unwrap()
}

// --- NHSRplotthedots -------------------------------------------------------------------------------------------------

/// The one type that the reference gives a point, by its precedence: beyond, trend, two of three, shift.
fn special_cause_type(signals: Signals, side: Side, points_to: Side) -> String {
    let above = if side == Side::Above { "Above" } else { "Below" };
    if signals.contains(Signal::BeyondLimits) {
        format!("{above} {}", if side == Side::Above { "UCL" } else { "LCL" })
    } else if signals.contains(Signal::Trend) {
        format!("7 Point Trend ({}creasing)", if points_to == Side::Above { "In" } else { "De" })
    } else if signals.contains(Signal::TwoOfThree) {
        format!("2 in 3 {above} CL")
    } else if signals.contains(Signal::Shift) {
        format!("7 Points {above} CL")
    } else {
        "Common Cause".into()
    }
}

fn point_type(variation: Variation) -> &'static str {
    match variation {
        Variation::ImprovementHigh | Variation::ImprovementLow => "special_cause_improvement",
        Variation::ConcernHigh | Variation::ConcernLow => "special_cause_concern",
        Variation::NeutralHigh => "special_cause_neutral_high",
        Variation::NeutralLow => "special_cause_neutral_low",
        Variation::CommonCause => "common_cause",
    }
}

fn assurance_type(assurance: Assurance) -> &'static str {
    match assurance {
        Assurance::Passing => "consistent_pass",
        Assurance::Failing => "consistent_fail",
        Assurance::Inconsistent => "inconsistent",
    }
}

#[test]
fn nhs_rules_match_plotthedots() {
    let Some(cases) = cases("index_nhsrplotthedots.json") else { return };
    let nhs = RuleSet::named("nhs").unwrap();
    let (mut n_points, mut n_special, mut n_phases, mut n_assured) = (0, 0, 0, 0);
    for case in &cases {
        let id = case["id"].as_str().unwrap();
        let direction = match case["args"]["improvement_direction"].as_str() {
            Some("decrease") => Direction::Down,
            Some("neutral") => Direction::Neutral,
            _ => Direction::Up,
        };
        // Rebase groups stand alone, and so do facets; both are in order in the file.
        let mut phases: BTreeMap<(String, usize), Vec<Row>> = BTreeMap::new();
        for row in table(case, "output") {
            let key = (row.text("f").unwrap().to_owned(), row.int("rebase_group").unwrap());
            phases.entry(key).or_default().push(row);
        }
        let summary = table(case, "summary");
        assert_eq!(summary.len(), phases.len(), "{id}");
        for (expected, ((facet, group), rows)) in summary.iter().zip(&phases) {
            assert!(expected.text("f").is_none_or(|name| name == facet), "{id}");
            let mut points = Points::default();
            for row in rows {
                if let Some(value) = row.float("y") {
                    let [center, lcl, ucl] = ["mean_col", "lpl", "upl"].map(|name| row.float(name).unwrap());
                    points.push(value, center, lcl, ucl);
                }
            }
            let (signals, _) = points.judged(&nhs);
            let mut sides = Vec::new();
            signal_sides(&points.line(), &signals, &mut sides);
            let mut at = 0;
            for row in rows {
                let (mut cause, mut kind) = ("Common Cause".to_owned(), Variation::CommonCause);
                if row.float("y").is_some() {
                    cause = special_cause_type(signals[at], points.side[at], sides[at]);
                    kind = Variation::of_side(direction, sides[at]);
                    at += 1;
                }
                let place = format!("{id} {facet} {group} {:?}", row.text("x"));
                assert_eq!(Some(cause.as_str()), row.text("special_cause_type"), "{place}");
                assert_eq!(Some(point_type(kind)), row.text("point_type"), "{place}");
                n_points += 1;
                n_special += usize::from(kind != Variation::CommonCause);
            }
            let found = variation(&points.line(), &signals, direction);
            assert_eq!(
                Some(point_type(found)),
                expected.text("variation_type").or(Some("common_cause")),
                "{id} {facet}"
            );
            n_phases += 1;
            let last = rows.last().unwrap();
            if let Some(expected) = expected.text("assurance_type") {
                let [lcl, ucl, target] = ["lpl", "upl", "target"].map(|name| last.float(name).unwrap());
                let found = assurance(lcl, ucl, target, direction).unwrap();
                assert_eq!(assurance_type(found), expected, "{id} {facet}");
                n_assured += 1;
            }
        }
    }
    println!("{n_points} points, {n_special} special; {n_phases} phases, {n_assured} with a target");
    assert!(n_points == 1694 && n_special == 407 && n_phases == 64 && n_assured == 37);
}

// --- qcc -------------------------------------------------------------------------------------------------------------

/// Where limits differ from point to point, qcc holds all points of a window against the limits of its last one. This is
/// that: `count` of `of` points beyond so many sigmas by the last point's line and sigma, the last one among them.
fn zone_by_the_last_limits(rows: &[Row], (count, of, sigmas): (usize, usize, f64)) -> Vec<bool> {
    let cell = |row: &Row, column| row.float(column).unwrap();
    let ends = rows.windows(of).map(|window| {
        let last = window.last().unwrap();
        let (center, sigma) = (cell(last, "center"), (cell(last, "ucl") - cell(last, "center")) / 3.0);
        [1.0, -1.0].into_iter().any(|sign| {
            let is_in = |row: &Row| sign * (cell(row, "statistic") - center) / sigma > sigmas;
            is_in(last) && window.iter().filter(|row| is_in(row)).count() >= count
        })
    });
    std::iter::repeat_n(false, (of - 1).min(rows.len())).chain(ends).collect()
}

#[test]
fn western_electric_and_nelson_match_qcc() {
    let Some(cases) = cases("index_qcc.json") else { return };
    let columns = [
        ("western_electric", "W1", Signal::BeyondLimits),
        ("western_electric", "W2", Signal::TwoOfThree),
        ("western_electric", "W3", Signal::FourOfFive),
        ("western_electric", "W4", Signal::Shift),
        ("nelson", "W1", Signal::BeyondLimits),
        ("nelson", "N2", Signal::Shift),
        ("nelson", "N3", Signal::Trend),
        ("nelson", "N4", Signal::Alternating),
        ("nelson", "N5", Signal::TwoOfThree),
        ("nelson", "N6", Signal::FourOfFive),
        ("nelson", "N7", Signal::Hugging),
        ("nelson", "N8", Signal::Avoiding),
        ("shewhart", "W1", Signal::BeyondLimits),
    ];
    let (mut n_cells, mut n_flags, mut n_departures) = (0, BTreeMap::new(), 0);
    for case in &cases {
        let rows = table(case, "output");
        let has_one_limit = rows.windows(2).all(|pair| pair[0].text("ucl") == pair[1].text("ucl"));
        let mut points = Points::default();
        for row in &rows {
            let [value, center, lcl, ucl] = ["statistic", "center", "lcl", "ucl"].map(|name| row.float(name).unwrap());
            points.push(value, center, lcl, ucl);
        }
        for set in ["western_electric", "nelson", "shewhart"] {
            let (signals, _) = points.judged(&RuleSet::named(set).unwrap());
            for (_, column, signal) in columns.iter().filter(|(of, _, _)| *of == set) {
                let window = match signal {
                    Signal::TwoOfThree => Some((2, 3, 2.0)),
                    Signal::FourOfFive => Some((4, 5, 1.0)),
                    _ => None,
                };
                let theirs = window.map(|window| zone_by_the_last_limits(&rows, window));
                for (i, (row, signals)) in rows.iter().zip(&signals).enumerate() {
                    let is_flagged = row.float(column).unwrap() == 1.0;
                    let place = format!("{} {set} {column} {:?}", case["id"], row.text("i"));
                    if let Some(theirs) = theirs.as_ref().filter(|_| !has_one_limit) {
                        assert_eq!(theirs[i], is_flagged, "{place}");
                        n_departures += usize::from(signals.contains(*signal) != is_flagged);
                    } else {
                        assert_eq!(signals.contains(*signal), is_flagged, "{place}");
                    }
                    n_cells += 1;
                    *n_flags.entry((set, column)).or_insert(0) += u32::from(is_flagged);
                }
            }
        }
    }
    println!("{} charts, {n_cells} cells, flags {n_flags:?}, {n_departures} by the last limits", cases.len());
    assert!(cases.len() == 50 && n_flags.values().all(|n| *n > 10) && n_departures == 28, "{n_flags:?}");
}

// --- qicharts2 -------------------------------------------------------------------------------------------------------

/// Outside of n = 10..100 the reference judges by Anhøj's rules, with a message; here the boxes go on.
#[test]
fn boxes_match_qicharts2() {
    let Some(cases) = cases("index_qicharts2.json") else { return };
    let (mut n_within, mut n_outside) = (0, 0);
    for case in &cases {
        let set = match case["args"]["method"].as_str() {
            Some("bestbox") => "best_box",
            Some("cutbox") => "cut_box",
            _ => continue,
        };
        let rows = table(case, "output");
        let mut points = Points::default();
        for row in &rows {
            if let Some(value) = row.float("y") {
                points.push(value, row.float("cl").unwrap(), f64::NAN, f64::NAN);
            }
        }
        let has_signal = |set: &str| !points.judged(&RuleSet::named(set).unwrap()).1.is_empty();
        let (expected, n) = (rows[0].is_true("runs.signal"), rows[0].int("n.useful").unwrap());
        if (10..=100).contains(&n) {
            assert_eq!(has_signal(set), expected, "{}", case["id"]);
            n_within += 1;
        } else {
            assert_eq!(has_signal("anhoej"), expected, "{}", case["id"]);
            n_outside += 1;
        }
    }
    println!("{n_within} within 10..100, {n_outside} outside");
    assert!(n_within >= 12 && n_outside >= 1, "{n_within} {n_outside}");
}
