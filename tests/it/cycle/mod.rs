//! The study of a cycle and its states: verdicts, predictions, guards, caveats, and the invariants of a study.

// Helpers of tests: a panic is a failed test.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_wrap)]

mod lock;
mod properties;
mod states;
mod study;

use brightspot::cycle::{Doing, Fidelity, Guard, Plan, Prediction, Side, Study, StudyContext, study};
use brightspot::measure::{Direction, Measure, Series};
use brightspot::record::{Stamp, parse_timestamp};
use brightspot::{Note, NoteCode};
use jiff::civil::{Date, date};
use std::collections::BTreeMap;

#[cfg(feature = "journal")]
pub(crate) use states::{attempt_as_journal, moves};

pub(crate) type Data = BTreeMap<String, Series>;

const BASELINE: [Date; 2] = [date(2026, 8, 3), date(2026, 9, 27)];
const TEST: [Date; 2] = [date(2026, 9, 28), date(2026, 11, 8)];
const AS_OF: Date = date(2026, 11, 20);

/// 8 weeks of baseline, 6 weeks of test.
const BEFORE: [f64; 8] = [61., 64., 62., 63., 60., 62., 63., 61.];
const HIGHER: [f64; 6] = [66., 68., 65., 67., 69., 67.];
const LEVEL: [f64; 6] = [62., 63., 61., 62., 64., 60.];
const LOWER: [f64; 6] = [57., 58., 56., 57., 59., 56.];

pub(crate) fn stamp(at: &str) -> Stamp {
    Stamp::new("Ms. Rivera", parse_timestamp(at).unwrap())
}

fn week(i: usize) -> Date {
    BASELINE[0] + jiff::Span::new().days(7 * i as i64)
}

pub(crate) fn weekly(values: &[f64]) -> Series {
    Series::of(values.iter().enumerate().map(|(i, &value)| (week(i), value))).unwrap()
}

fn joined(before: &[f64], after: &[f64]) -> Series {
    weekly(&[before, after].concat())
}

pub(crate) fn plan() -> Plan {
    Plan {
        predictions: vec![Prediction::new("score").at_least(3.0).believed(0.7)],
        ..Plan::new("Scores rise by 3 points", "Begin with a worked example", Measure::new("score"), BASELINE, TEST)
    }
}

pub(crate) fn data(after: &[f64]) -> Data {
    Data::from([("score".to_owned(), joined(&BEFORE, after))])
}

/// Locked before the data and carried out as planned.
fn fair(doing: &Doing) -> StudyContext<'_> {
    StudyContext {
        locked_at: Some(parse_timestamp("2026-09-27").unwrap()),
        doing: Some(doing),
        ..StudyContext::new(AS_OF)
    }
}

fn fully() -> Doing {
    Doing::new(Fidelity::Fully)
}

pub(crate) fn studied(plan: &Plan, data: &Data) -> Study {
    study(plan, data, &fair(&fully())).unwrap()
}

fn codes(notes: &[Note]) -> Vec<NoteCode> {
    notes.iter().map(|note| note.code).collect()
}

fn with_direction(direction: Direction) -> Plan {
    let mut plan = plan();
    plan.outcome.direction = direction;
    plan.predictions = vec![Prediction { direction: Some(Side::Improve), ..Prediction::new("score") }];
    plan
}

pub(crate) fn guarded(margins: &[f64]) -> Plan {
    let guards = margins.iter().enumerate().map(|(i, &m)| Guard::new(Measure::new(format!("guard {i}")), m)).collect();
    Plan { guards, ..plan() }
}

fn guarded_data(afters: &[[f64; 6]]) -> Data {
    let mut all = data(&HIGHER);
    for (i, after) in afters.iter().enumerate() {
        all.insert(format!("guard {i}"), joined(&BEFORE, after));
    }
    all
}
