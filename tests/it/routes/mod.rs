//! The routes by which a cycle is judged, each against numbers from elsewhere; and what a study makes of them.

// Helpers of tests: a panic is a failed test.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_wrap,
    clippy::needless_for_each,
    clippy::float_cmp,
    clippy::unnecessary_wraps,
    clippy::doc_markdown
)]

mod chosen;
mod classes;
mod counts;
mod settled;

use crate::cycle::Data;
use brightspot::NoteCode;
use brightspot::cycle::{Doing, Fidelity, Plan, Prediction, Study, StudyContext, study};
use brightspot::measure::{Direction, Kind, Measure, Point, Series};
use brightspot::record::parse_timestamp;
use jiff::civil::{Date, date};

const BASELINE: [Date; 2] = [date(2026, 8, 3), date(2026, 9, 27)];
const TEST: [Date; 2] = [date(2026, 9, 28), date(2026, 11, 8)];

fn week(i: usize) -> Date {
    BASELINE[0] + jiff::Span::new().days(7 * i as i64)
}

fn plan(outcome: Measure) -> Plan {
    let prediction = Prediction { direction: Some(brightspot::cycle::Side::Improve), ..Prediction::new("m") };
    Plan { predictions: vec![prediction], ..Plan::new("Aim", "Change", outcome, BASELINE, TEST) }
}

fn measure(kind: Kind, direction: Direction) -> Measure {
    let size = matches!(kind, Kind::Proportion | Kind::Rate).then(|| "n".to_owned());
    Measure { kind, direction, size, ..Measure::new("m") }
}

fn studied(plan: &Plan, series: Series) -> Study {
    let doing = Doing::new(Fidelity::Fully);
    let context = StudyContext {
        locked_at: Some(parse_timestamp("2026-09-27").unwrap()),
        doing: Some(&doing),
        ..StudyContext::new(date(2026, 11, 20))
    };
    study(plan, &Data::from([("m".to_owned(), series)]), &context).unwrap()
}

fn has(study: &Study, code: NoteCode) -> bool {
    study.caveats.iter().any(|note| note.code == code)
}

/// Counts over denominators by week, as the data of a measure arrive.
fn counted(kind: Kind, per: f64, rows: &[(usize, f64, f64)]) -> Series {
    let value = |x: f64, n: f64| match kind {
        Kind::Count => x,
        _ => x / n * per,
    };
    Series::new(rows.iter().map(|&(i, x, n)| Point { time: week(i), value: value(x, n), size: Some(n) })).unwrap()
}

#[track_caller]
fn near(found: Option<f64>, expected: f64, tolerance: f64) {
    let found = found.unwrap();
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}
