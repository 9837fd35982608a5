//! Rule sets: against reference software, by hand, by properties.
// Helpers outside of a test function are test code too.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::float_cmp,
    clippy::cast_possible_truncation
)]

mod boxes;
mod by_hand;
mod icons;
mod properties;
mod reference;

use brightspot::rules::{Line, RuleSet, RuleTables, Signals, sigmas_off};
use brightspot::stats::runs::Side;

/// The points of a phase with what a line needs.
#[derive(Debug, Clone, Default)]
struct Points {
    value: Vec<f64>,
    side: Vec<Side>,
    z: Vec<f64>,
    beyond: Vec<Side>,
}

impl Points {
    /// Values about a line with limits three sigmas off.
    fn about(values: &[f64], center: f64, sigma: f64) -> Self {
        let mut points = Self::default();
        for value in values {
            points.push(*value, center, center - 3.0 * sigma, center + 3.0 * sigma);
        }
        points
    }

    fn push(&mut self, value: f64, center: f64, lcl: f64, ucl: f64) {
        self.value.push(value);
        self.side.push(Side::of(value, center));
        self.z.push(sigmas_off(value, center, (ucl - center) / 3.0));
        self.beyond.push(match (value > ucl, value < lcl) {
            (true, _) => Side::Above,
            (_, true) => Side::Below,
            _ => Side::On,
        });
    }

    fn line(&self) -> Line<'_> {
        Line { value: &self.value, side: &self.side, z: &self.z, beyond: &self.beyond }
    }

    /// (each point's signals, the phase's).
    fn judged(&self, rules: &RuleSet) -> (Vec<Signals>, Signals) {
        let mut signals = vec![Signals::NONE; self.value.len()];
        let all = rules.judge(&self.line(), &mut signals, &mut RuleTables::default()).unwrap();
        (signals, all)
    }
}
