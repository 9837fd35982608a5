//! Mixed models: nested, crossed, shared; against dense algebra, lme4, print, and planted truth.

mod crossed;
pub(crate) mod lme4;
mod moments;
mod nested;
mod nist;

use brightspot::mixed::{Fit, Method, Moments};

pub(crate) fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found} instead of {expected}");
}

/// A plain search by halving steps along every axis, from several starts.
pub(crate) fn slow_minimum(moments: &Moments, method: Method, starts: &[f64], least_step: f64) -> f64 {
    let value = |t: &[f64]| Fit::at(moments, t, method).map_or(f64::INFINITY, |f| f.criterion);
    let mut best = f64::INFINITY;
    for &start in starts {
        let mut theta = vec![start; moments.n_levels()];
        let (mut here, mut step) = (value(&theta), 0.5);
        while step > least_step {
            let mut moved = false;
            for level in 0..theta.len() {
                for sign in [-1.0, 1.0] {
                    let mut next = theta.clone();
                    if let Some(part) = next.get_mut(level) {
                        *part = (*part + sign * step).max(0.0);
                    }
                    let there = value(&next);
                    if there < here {
                        (theta, here, moved) = (next, there, true);
                    }
                }
            }
            if !moved {
                step *= 0.5;
            }
        }
        best = best.min(here);
    }
    best
}
