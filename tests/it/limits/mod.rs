//! Centre lines and limits: against qicharts2, qcc and the NHS's package, against print, by hand, by properties, and by
//! planted truth.
// Helpers outside of a test function are test code too.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::float_cmp,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::panic,
    // Printed numbers are not those of the standard library.
    clippy::approx_constant,
    // What is missing is neither more nor less.
    clippy::neg_cmp_op_on_partial_ord
)]

mod by_hand;
mod print;
mod properties;
mod qcc;
pub(crate) mod qicharts2;
mod simulated;

use brightspot::charts::{ChartKind, Known, LimitRows, LimitSpec, Lines, LinesSummary, limit_lines};

pub(crate) const NONE: Known = Known { center: None, sigma: None, lcl: None, ucl: None };

/// The lines of one phase.
pub(crate) fn drawn(spec: &LimitSpec, rows: &LimitRows<'_>, known: &Known) -> (Lines, LinesSummary) {
    let mut out = Lines::default();
    let summary = limit_lines(spec, rows, known, &mut out).unwrap();
    (out, summary)
}

/// The lines of values alone, by the defaults.
pub(crate) fn plain(kind: ChartKind, value: &[f64]) -> (Lines, LinesSummary) {
    drawn(&LimitSpec::new(kind), &LimitRows { value, ..LimitRows::default() }, &NONE)
}

/// Flags for the first `n` of `len` rows.
pub(crate) fn first(n: usize, len: usize) -> Vec<bool> {
    (0..len).map(|row| row < n).collect()
}

/// Equal to `tolerance`, relative to the larger of both; what is missing in one is missing in the other.
#[track_caller]
pub(crate) fn close(ours: f64, theirs: f64, tolerance: f64, place: &str) {
    let is_close = (ours.is_nan() && theirs.is_nan())
        || ours == theirs
        || (ours - theirs).abs() <= tolerance * ours.abs().max(theirs.abs());
    assert!(is_close, "{place}: {ours} {theirs}");
}
