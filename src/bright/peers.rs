//! Which units work under the most similar conditions, and what each counts for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::conditions::{Condition, standardised, whitened};
use super::result::BrightSpots;
use super::spec::BrightSpec;
use crate::stats::nearest::Nearest;
use crate::stats::quantile_regression::dot;
use crate::{Error, Result};

/// With fewer units under like conditions nothing is said.
pub(super) const LEAST_PEERS: usize = 10;
/// Added to the squares of the local slopes, in squared standard deviations: peers that hardly differ have no slope.
const RIDGE: f64 = 0.1;

/// A unit under the conditions of another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Peer {
    /// Its position among the units.
    pub unit: usize,
    /// How far its conditions and its size are: Mahalanobis's distance over the root of the number of directions, so that
    /// a peer one standard deviation between units off in each of them is at 1.
    pub distance: f64,
    /// What it counts for in the comparison; the weights of all peers sum to 1.
    pub weight: f64,
}

/// Where units stand by their conditions.
///
/// Distances are Mahalanobis's over the units' mean conditions and the log of their size; a peer is no farther than the
/// caliper. The weights are those of a local linear regression at the unit's own conditions, which takes out what the
/// peers' conditions still differ by (Abadie & Imbens 2011, J. Bus. Econ. Stat. 29:1).
pub(super) struct Neighbourhood {
    /// The units that may be peers, upwards, and their coordinates one after the other.
    units: Vec<u32>,
    points: Vec<f64>,
    dim: usize,
    nearest: Nearest,
    n_peers: usize,
    /// The square of the caliper, in the distance between two points.
    most: f64,
}

/// The peers of one unit; what is held for the next is used again.
#[derive(Default)]
pub(super) struct Found {
    near: Vec<(f64, u32)>,
    /// The peers' positions among all units, the nearest first, with their weights.
    pub(super) peers: Vec<(u32, f64)>,
    /// 1 and how far each peer is in every direction, peer after peer.
    rows: Vec<f64>,
    normal: Vec<f64>,
    solved: Vec<f64>,
}

impl Neighbourhood {
    /// The units of `sizes` rows for which `is_told` holds.
    pub(super) fn new(conditions: &[Condition], sizes: &[f64], is_told: &[bool], spec: &BrightSpec) -> Result<Self> {
        let (points, dim) = whitened(&standardised(conditions, sizes))?;
        let told = points.chunks_exact(dim.max(1)).zip(is_told).zip(0..).filter(|((_, told), _)| **told);
        let (mut units, mut own) = (Vec::new(), Vec::new());
        for ((point, _), unit) in told {
            units.push(unit);
            own.extend_from_slice(point);
        }
        Ok(Self {
            units,
            nearest: Nearest::new(&own, dim),
            points: own,
            dim,
            n_peers: spec.n_peers,
            most: spec.caliper * spec.caliper * dim as f64,
        })
    }

    /// Visits every unit that has enough peers, with them.
    pub(super) fn each(
        &self,
        pause: &dyn Fn(usize, usize) -> Result<()>,
        mut visit: impl FnMut(usize, &[(u32, f64)]),
    ) -> Result<()> {
        let mut found = Found::default();
        let mut before: Option<&[f64]> = None;
        for (done, &place) in self.nearest.order().iter().enumerate() {
            if done % 4096 == 0 {
                pause(done, self.units.len())?;
            }
            // The peers of the unit before, and that unit itself, are as far as that at the most: a bound from the start.
            let at = self.point(place);
            let farthest = found.near.last().filter(|_| found.near.len() == self.n_peers);
            let most = farthest.zip(before).map_or(self.most, |((square, _), before)| {
                let apart: f64 = at.iter().zip(before).map(|(a, b)| (a - b) * (a - b)).sum();
                ((square.sqrt() + apart.sqrt()).powi(2) * (1.0 + 1e-9)).min(self.most)
            });
            before = Some(at);
            if let Some(unit) = self.units.get(place as usize)
                && self.find(place, most, &mut found)?
            {
                visit(*unit as usize, &found.peers);
            }
        }
        Ok(())
    }

    /// The coordinates of the unit at a place among `units`.
    fn point(&self, place: u32) -> &[f64] {
        self.points.get(place as usize * self.dim..).and_then(|p| p.get(..self.dim)).unwrap_or_default()
    }

    /// Whether the unit at a place among `units` has enough peers, none beyond a squared distance of `most`.
    fn find(&self, place: u32, most: f64, found: &mut Found) -> Result<bool> {
        let at = self.point(place);
        self.nearest.near(at, place, self.n_peers, most, &mut found.near);
        found.peers.clear();
        if found.near.len() < LEAST_PEERS {
            return Ok(false);
        }
        found.rows.clear();
        for &(_, peer) in &found.near {
            found.rows.push(1.0);
            found.rows.extend(self.point(peer).iter().zip(at).map(|(a, b)| a - b));
            found.peers.extend(self.units.get(peer as usize).map(|unit| (*unit, 0.0)));
        }
        found.weigh(self.dim + 1)?;
        Ok(true)
    }
}

impl Found {
    /// The weights of a local linear regression at the unit's own conditions; they sum to 1.
    fn weigh(&mut self, q: usize) -> Result<()> {
        self.normal.clear();
        self.normal.resize(q * q, 0.0);
        for row in self.rows.chunks_exact(q) {
            for (i, (cells, a)) in self.normal.chunks_exact_mut(q).zip(row).enumerate() {
                // The lower triangle is all that is read.
                cells.iter_mut().zip(row).take(i + 1).for_each(|(cell, b)| *cell += a * b);
            }
        }
        self.normal.iter_mut().step_by(q + 1).skip(1).for_each(|cell| *cell += RIDGE);
        first_of_inverse(&mut self.normal, q, &mut self.solved).ok_or_else(|| Error::Numerical {
            what: "the comparison with peers".into(),
            problem: "no local regression".into(),
        })?;
        for ((_, weight), row) in self.peers.iter_mut().zip(self.rows.chunks_exact(q)) {
            *weight = dot(&self.solved, row);
        }
        Ok(())
    }
}

/// The first column of the inverse of a positive definite matrix of `q` rows, of which the lower triangle is read and
/// becomes its Cholesky factor. It is tiny, and asked for once a unit: what is allocated elsewhere takes longer.
fn first_of_inverse(matrix: &mut [f64], q: usize, found: &mut Vec<f64>) -> Option<()> {
    found.clear();
    for i in 0..q {
        let (above, rest) = matrix.split_at_mut_checked(i * q)?;
        let row = rest.get_mut(..=i)?;
        for (j, line) in above.chunks_exact(q).enumerate() {
            let (own, cells) = row.split_at_mut_checked(j)?;
            let (cell, pivot) = (cells.first_mut()?, line.get(j)?);
            *cell = (*cell - dot(own, line)) / pivot;
        }
        let (pivot, own) = row.split_last_mut()?;
        let rest = *pivot - dot(own, own);
        if rest.partial_cmp(&0.0) != Some(std::cmp::Ordering::Greater) {
            return None;
        }
        *pivot = rest.sqrt();
        // L z = (1, 0, ... 0).
        let unit = if i == 0 { 1.0 } else { 0.0 };
        found.push((unit - dot(own, found)) / *pivot);
    }
    // L'w = z, from the end.
    for i in (0..q).rev() {
        let (own, known) = found.split_at_mut_checked(i + 1)?;
        let column = matrix.chunks_exact(q).skip(i + 1).map(|line| line.get(i).copied().unwrap_or(f64::NAN));
        let sum: f64 = column.zip(known.iter()).map(|(l, w)| l * w).sum();
        let cell = own.last_mut()?;
        *cell = (*cell - sum) / matrix.get(i * q + i)?;
    }
    Some(())
}

impl BrightSpots {
    /// The units under the conditions of one of them, the nearest first; empty where there are too few within the
    /// caliper, or no conditions at all.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] when there is no such unit.
    pub fn peers(&self, position: usize) -> Result<Vec<Peer>> {
        let unit = self.unit(position)?;
        if !unit.has_min_n || self.conditions.is_empty() {
            return Ok(Vec::new());
        }
        let sizes: Vec<f64> = self.units.iter().map(|u| u.n as f64).collect();
        let is_told: Vec<bool> = self.units.iter().map(|u| u.has_min_n).collect();
        let neighbourhood = Neighbourhood::new(&self.conditions, &sizes, &is_told, &self.spec)?;
        let place = neighbourhood.units.partition_point(|unit| (*unit as usize) < position);
        let mut found = Found::default();
        neighbourhood.find(u32::try_from(place).unwrap_or(u32::MAX), neighbourhood.most, &mut found)?;
        let directions = neighbourhood.dim as f64;
        let distances = found.near.iter().map(|(square, _)| (square / directions).sqrt());
        let peers = found.peers.iter().zip(distances);
        Ok(peers.map(|(&(unit, weight), distance)| Peer { unit: unit as usize, distance, weight }).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_column_of_an_inverse() {
        // [[4, 2, 1], [2, 3, 0], [1, 0, 2]] has the determinant 13; cofactors of the first row: 6, -4, -3.
        let mut found = vec![];
        // What stands above the diagonal is not read.
        let mut matrix = [4.0, 9.0, 9.0, 2.0, 3.0, 9.0, 1.0, 0.0, 2.0];
        first_of_inverse(&mut matrix, 3, &mut found).unwrap();
        for (found, expected) in found.iter().zip([6.0, -4.0, -3.0]) {
            assert!((found - expected / 13.0).abs() < 1e-15, "{found}");
        }
        assert!(first_of_inverse(&mut [1.0, 0.0, 2.0, 4.0], 2, &mut found).is_none());
    }
}
