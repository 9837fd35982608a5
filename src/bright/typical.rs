//! Ordinary units under like conditions: what a bright spot does means little unless ordinary ones do not do it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::input::BrightInput;
use super::model::Model;
use super::spec::{MOST_TYPICAL, TYPICAL_BAND, TYPICAL_PER_CANDIDATE};
use super::spots::UnitRow;
use crate::mixed::Covariate;

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
/// units' means of the conditions and the log of their size, each divided by its standard deviation over units.
pub(crate) fn typical_units(
    input: &BrightInput,
    model: &Model,
    units: &[UnitRow],
    candidates: &[usize],
) -> Vec<Typical> {
    let contexts = contexts(input, model, units);
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

/// Unit-level conditions, standardised over units; a condition that does not differ is left out.
fn contexts(input: &BrightInput, model: &Model, units: &[UnitRow]) -> Vec<Vec<f64>> {
    let mean_of = |values: &mut dyn Iterator<Item = f64>| {
        let mut means = vec![0.0; units.len()];
        for (unit, value) in model.unit_of_row.iter().zip(values) {
            if let Some(sum) = means.get_mut(*unit as usize) {
                *sum += value;
            }
        }
        for (mean, unit) in means.iter_mut().zip(units) {
            *mean /= unit.n as f64;
        }
        means
    };
    let mut columns = vec![units.iter().map(|u| (u.n as f64).ln()).collect::<Vec<f64>>()];
    for covariate in input.adjust.iter().chain(input.context) {
        match *covariate {
            Covariate::Numeric { values, .. } => columns.push(mean_of(&mut values.iter().copied())),
            Covariate::Categorical { codes, levels, .. } => {
                for (level, _) in (0_u32..).zip(levels).skip(1) {
                    columns.push(mean_of(&mut codes.iter().map(|c| f64::from(u8::from(*c == level)))));
                }
            }
        }
    }
    columns.into_iter().filter_map(standardised).collect()
}

fn standardised(mut column: Vec<f64>) -> Option<Vec<f64>> {
    let n = column.len() as f64;
    let center = column.iter().sum::<f64>() / n;
    let sd = (column.iter().map(|v| (v - center).powi(2)).sum::<f64>() / n).sqrt();
    if sd.is_nan() || sd <= 1e-12 * center.abs() {
        return None;
    }
    for value in &mut column {
        *value = (*value - center) / sd;
    }
    Some(column)
}
