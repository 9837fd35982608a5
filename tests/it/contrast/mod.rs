//! Before against after, for each shape of data: against reference numbers, by invariances, and by simulation.

mod chart;
mod golden;
mod properties;
mod simulation;

use brightspot::stats::tally::Tally;

/// Counts over denominators, pair by pair.
pub(super) fn tallies(numerators: &[f64], denominators: &[f64]) -> Vec<Tally> {
    numerators.iter().zip(denominators).map(|(&x, &n)| Tally::new(x, n)).collect()
}

/// Counts that share a denominator.
pub(super) fn over(numerators: &[f64], denominator: f64) -> Vec<Tally> {
    numerators.iter().map(|&x| Tally::new(x, denominator)).collect()
}
