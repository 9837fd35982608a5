//! The conditions of every unit: the means of what is adjusted for, and its size.

use faer::{Mat, Side};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::input::BrightInput;
use crate::mixed::Covariate;
use crate::{Error, Result};

/// One condition over all units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Condition {
    /// The term: a covariate, or a category of one.
    pub name: String,
    /// The mean of every unit's rows, in the order of the units.
    pub means: Vec<f64>,
    /// Their standard deviation over units, less what comes of drawing few students: the unit of distances.
    pub spread: f64,
}

/// The share of a condition's spread that is kept at least, whatever sampling explains of it.
const LEAST_SPREAD: f64 = 0.25;
/// How far the correlations of conditions are drawn towards none, so that no direction is stretched without end.
const TOWARDS_NONE: f64 = 0.1;
/// More directions than this are no neighbourhood: the widest are kept.
const MOST_AXES: usize = 8;

/// The conditions that differ between units: all that is adjusted for and every further context.
pub(crate) fn conditions(input: &BrightInput, unit_of_row: &[u32], sizes: &[f64]) -> Vec<Condition> {
    let mut found = Vec::new();
    let mut add = |name: String, values: &mut dyn Iterator<Item = f64>| {
        found.extend(condition(name, values, unit_of_row, sizes));
    };
    for covariate in input.adjust.iter().chain(input.context) {
        match *covariate {
            Covariate::Numeric { name, values } => add(name.to_owned(), &mut values.iter().copied()),
            Covariate::Categorical { name, codes, levels } => {
                for (level, label) in (0_u32..).zip(levels).skip(1) {
                    add(format!("{name}{label}"), &mut codes.iter().map(|c| f64::from(u8::from(*c == level))));
                }
            }
        }
    }
    found
}

fn condition(
    name: String,
    values: &mut dyn Iterator<Item = f64>,
    unit_of_row: &[u32],
    sizes: &[f64],
) -> Option<Condition> {
    let mut sums = vec![(0.0, 0.0); sizes.len()];
    let mut shift = None;
    for (unit, value) in unit_of_row.iter().zip(values) {
        // Squares about the first value keep their digits.
        let value = value - *shift.get_or_insert(value);
        if let Some(sum) = sums.get_mut(*unit as usize) {
            sum.0 += value;
            sum.1 += value * value;
        }
    }
    let shift = shift?;
    let (mut squares, mut freedom) = (0.0, 0.0);
    for ((sum, square), n) in sums.iter().zip(sizes) {
        squares += square - sum * sum / n;
        freedom += n - 1.0;
    }
    let means: Vec<f64> = sums.iter().zip(sizes).map(|((sum, _), n)| sum / n).collect();
    let variance = variance(&means);
    if variance.is_nan() || variance.sqrt() <= 1e-9 * shift.abs().max(1e-300) {
        return None;
    }
    let within = if freedom > 0.0 { squares.max(0.0) / freedom } else { 0.0 };
    let sampling = within * sizes.iter().map(|n| 1.0 / n).sum::<f64>() / sizes.len() as f64;
    let spread = (variance - sampling).max(LEAST_SPREAD * LEAST_SPREAD * variance).sqrt();
    Some(Condition { name, means: means.iter().map(|m| m + shift).collect(), spread })
}

/// The conditions and the logarithm of the size, each about its mean in units of its spread, unit by unit.
pub(crate) fn standardised(conditions: &[Condition], sizes: &[f64]) -> Vec<Vec<f64>> {
    let logs: Vec<f64> = sizes.iter().map(|n| n.ln()).collect();
    let size = variance(&logs).sqrt();
    let mut columns: Vec<Vec<f64>> = conditions.iter().map(|c| centred(&c.means, c.spread)).collect();
    if size > 1e-9 {
        columns.push(centred(&logs, size));
    }
    columns
}

/// Coordinates in which plain distance is Mahalanobis distance: unit after unit, and how many there are of each.
///
/// The correlations are shrunken by a tenth, so that two conditions that say nearly the same count once and a
/// direction in which units hardly differ is not blown up.
pub(crate) fn whitened(columns: &[Vec<f64>]) -> Result<(Vec<f64>, usize)> {
    let (q, n) = (columns.len(), columns.first().map_or(0, Vec::len));
    let product = |i: usize, j: usize| -> f64 {
        match (columns.get(i), columns.get(j)) {
            (Some(a), Some(b)) => a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / n as f64,
            _ => 0.0,
        }
    };
    let moments = Mat::from_fn(q, q, |i, j| product(i, j) * if i == j { 1.0 } else { 1.0 - TOWARDS_NONE });
    let eigen = moments.self_adjoint_eigen(Side::Lower).map_err(|_| Error::Numerical {
        what: "distances between units".into(),
        problem: "the correlations of the conditions have no axes".into(),
    })?;
    let axes = q.min(MOST_AXES);
    let mut found = vec![0.0; n * axes];
    for axis in 0..axes {
        // The widest last.
        let k = q - axes + axis;
        let scale = 1.0 / eigen.S()[k].max(1e-12).sqrt();
        for (i, column) in columns.iter().enumerate() {
            let weight = eigen.U()[(i, k)] * scale;
            for (row, value) in found.chunks_exact_mut(axes).zip(column) {
                if let Some(cell) = row.get_mut(axis) {
                    *cell += weight * value;
                }
            }
        }
    }
    Ok((found, axes))
}

pub(crate) fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let center = values.iter().sum::<f64>() / n;
    values.iter().map(|v| (v - center).powi(2)).sum::<f64>() / n
}

fn centred(values: &[f64], scale: f64) -> Vec<f64> {
    let center = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|v| (v - center) / scale).collect()
}
