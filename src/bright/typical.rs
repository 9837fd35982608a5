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
    let coordinates = |unit: usize| contexts.iter().map(move |c| c.get(unit).copied().unwrap_or(0.0));
    // The ordinary units, and where they stand: side by side, as all are looked at for every one that is found.
    let pool: Vec<usize> = units.iter().enumerate().filter(ordinary).map(|(i, _)| i).collect();
    let points: Vec<f64> = pool.iter().flat_map(|unit| coordinates(*unit)).collect();
    let mut is_taken = vec![false; pool.len()];
    let mut found = Vec::new();
    for &candidate in candidates {
        let at: Vec<f64> = coordinates(candidate).collect();
        for _ in 0..TYPICAL_PER_CANDIDATE.min(MOST_TYPICAL - found.len()) {
            let distance = |place: usize| -> f64 {
                let point = points.get(place * at.len()..(place + 1) * at.len()).unwrap_or_default();
                point.iter().zip(&at).map(|(a, b)| (a - b).powi(2)).sum()
            };
            let nearest = (0..pool.len())
                .zip(&is_taken)
                .filter(|(_, taken)| !**taken)
                .map(|(place, _)| (distance(place), place))
                .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let Some((_, place)) = nearest else { return found };
            if let (Some(taken), Some(&unit)) = (is_taken.get_mut(place), pool.get(place)) {
                *taken = true;
                found.push(Typical { unit, matched_to: candidate });
            }
        }
        if found.len() >= MOST_TYPICAL {
            break;
        }
    }
    found
}
