//! Mixed models: nested, crossed, shared; against dense algebra, lme4, print, and planted truth.

mod crossed;
pub(crate) mod lme4;
mod moments;
mod nested;
mod nist;

pub(crate) fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found} instead of {expected}");
}
