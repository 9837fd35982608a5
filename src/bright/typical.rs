//! Ordinary units under like conditions: what a bright spot does means little unless ordinary ones do not do it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::conditions::{Condition, standardised};
use super::result::UnitRow;
use super::spec::{MOST_TYPICAL, TYPICAL_BAND, TYPICAL_PER_CANDIDATE};

/// An ordinary unit to be visited beside a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Typical {
    /// Its position among the units.
    pub unit: usize,
    /// The position of the candidate whose conditions it shares.
    pub matched_to: usize,
}

/// For each candidate in turn, the nearest ordinary units that are not taken yet.
///
/// Ordinary: enough rows, a candidate of neither question, and an expected percentile between .35 and .65. Near: in the
/// units' means of the conditions and the log of their size, each in units of its spread.
pub(crate) fn typical_units(conditions: &[Condition], units: &[UnitRow], candidates: &[usize]) -> Vec<Typical> {
    let sizes: Vec<f64> = units.iter().map(|u| u.n as f64).collect();
    let contexts = standardised(conditions, &sizes);
    let ordinary = |(_, unit): &(usize, &UnitRow)| {
        unit.has_min_n
            && !unit.peers.is_candidate
            && !unit.overall.is_candidate
            && TYPICAL_BAND.contains(&unit.peers.expected_percentile)
    };
    let mut pool: Vec<usize> = units.iter().enumerate().filter(ordinary).map(|(i, _)| i).collect();
    let mut found = Vec::new();
    for &candidate in candidates {
        for _ in 0..TYPICAL_PER_CANDIDATE.min(MOST_TYPICAL - found.len()) {
            let distance = |unit: usize| -> f64 {
                contexts
                    .iter()
                    .map(|c| (c.get(unit).copied().unwrap_or(0.0) - c.get(candidate).copied().unwrap_or(0.0)).powi(2))
                    .sum()
            };
            let nearest = pool
                .iter()
                .enumerate()
                .map(|(place, &unit)| (distance(unit), place))
                .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let Some((_, place)) = nearest else { return found };
            found.push(Typical { unit: pool.remove(place), matched_to: candidate });
        }
    }
    found
}
