//! The second route: every unit against those under the most similar conditions.

use faer::{Mat, Side, linalg::solvers::Solve};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::conditions::{standardised, whitened};
use super::spec::BrightSpec;
use super::spots::BrightSpots;
use crate::stats::nearest::Nearest;
use crate::stats::normal_table::Phi;
use crate::{Error, Result};

/// With fewer units under like conditions nothing is said.
const LEAST_PEERS: usize = 10;
/// Added to the squares of the local slopes, in squared standard deviations: peers that hardly differ have no slope.
const RIDGE: f64 = 0.1;

/// A unit under the conditions of another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Peer {
    /// Its position among the units.
    pub unit: usize,
    /// How far its conditions are, in standard deviations of a condition between units (root mean square).
    pub distance: f64,
    /// What it counts for in the comparison; the weights of all peers sum to 1.
    pub weight: f64,
}

/// A unit against its peers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Matched {
    /// How many peers it has.
    pub n_peers: usize,
    /// Its adjusted mean less that of its peers at its own conditions, not shrunken.
    pub difference: f64,
    /// The standard error of that difference: what chance, and the peers' own differences, put into it.
    pub error: f64,
    /// The probability that it is above its peers.
    pub prob_above: f64,
    /// The probability that it is so by more than the threshold.
    pub prob_exceeds: f64,
}

/// The peers of every unit, with their weights; none where there are too few.
pub(crate) struct Neighbours(Vec<Vec<(u32, f64)>>);

/// Finds the nearest units and the weights with which they tell what is usual at the unit's own conditions.
///
/// Distances are Mahalanobis's over the units' mean conditions and the log of their size; a peer is no farther than the
/// caliper. The weights are those of a local linear regression at the unit's own conditions, which takes out what the
/// peers' conditions still differ by (Abadie & Imbens 2011, J. Bus. Econ. Stat. 29:1).
pub(crate) fn neighbours(
    places: &(Vec<f64>, usize),
    is_told: &[bool],
    spec: &BrightSpec,
    pause: &dyn Fn(usize, usize) -> Result<()>,
) -> Result<Neighbours> {
    let (points, dim) = (&places.0, places.1);
    let told: Vec<u32> = (0..).zip(is_told).filter(|(_, told)| **told).map(|(unit, _)| unit).collect();
    let place = |unit: u32| points.get(unit as usize * dim..(unit as usize + 1) * dim).unwrap_or_default();
    let own: Vec<f64> = told.iter().flat_map(|unit| place(*unit).iter().copied()).collect();
    let tree = Nearest::new(&own, dim);
    let most = spec.caliper * spec.caliper * dim as f64;
    let mut found = vec![Vec::new(); is_told.len()];
    let mut near = Vec::new();
    for (position, (unit, at)) in told.iter().zip(own.chunks_exact(dim)).enumerate() {
        if position % 4096 == 0 {
            pause(position, told.len())?;
        }
        #[allow(clippy::cast_possible_truncation)] // a position among units, which are counted in 32 bits
        tree.near(at, position as u32, spec.n_peers, most, &mut near);
        if near.len() < LEAST_PEERS {
            continue;
        }
        let peers: Vec<u32> = near.iter().filter_map(|(_, i)| told.get(*i as usize).copied()).collect();
        let rows: Vec<&[f64]> = peers.iter().map(|peer| place(*peer)).collect();
        if let Some(cell) = found.get_mut(*unit as usize) {
            *cell = peers.iter().copied().zip(weights(&rows, at)?).collect();
        }
    }
    Ok(Neighbours(found))
}

/// The weights of a local linear regression at one point; they sum to 1.
fn weights(rows: &[&[f64]], at: &[f64]) -> Result<Vec<f64>> {
    let q = at.len() + 1;
    let value = |row: &[f64], i: usize| match i.checked_sub(1) {
        None => 1.0,
        Some(i) => row.get(i).copied().unwrap_or(0.0) - at.get(i).copied().unwrap_or(0.0),
    };
    let mut normal = Mat::<f64>::zeros(q, q);
    for row in rows {
        for i in 0..q {
            for j in 0..=i {
                normal[(i, j)] += value(row, i) * value(row, j);
            }
        }
    }
    for i in 1..q {
        normal[(i, i)] += RIDGE;
    }
    let factor = normal.llt(Side::Lower).map_err(|_| Error::Numerical {
        what: "the comparison with peers".into(),
        problem: "no local regression".into(),
    })?;
    let mut first = Mat::<f64>::zeros(q, 1);
    first[(0, 0)] = 1.0;
    let solved = factor.solve(&first);
    Ok(rows.iter().map(|row| (0..q).map(|i| solved[(i, 0)] * value(row, i)).sum()).collect())
}

/// Every unit's adjusted mean against what its peers' say, shrunken by how much such differences vary.
///
/// c = r - sum l `r_k`; v = s^2 + sum l^2 `s_k`^2; tau^2 = max(0, sum(c^2 - v)/sum(1 + sum l^2)); V = v + tau^2 sum l^2;
/// rho = tau^2/(tau^2 + V); P = Phi(rho c / sqrt(tau^2 (1 - rho))). Raw means instead of adjusted ones would be invalid: what
/// is left of the conditions would count as the unit's own.
///
/// `means` are adjusted means with their sampling variances; `None` where the question is not asked.
pub(crate) fn against(neighbours: &Neighbours, means: &[Option<(f64, f64)>], threshold: f64) -> Vec<Option<Matched>> {
    struct Contrast {
        n: usize,
        c: f64,
        v: f64,
        squares: f64,
    }
    let contrasts: Vec<Option<Contrast>> = means
        .iter()
        .zip(&neighbours.0)
        .map(|(mean, peers)| {
            let (r, s2) = (*mean)?;
            let known: Vec<(f64, f64, f64)> = peers
                .iter()
                .filter_map(|(peer, l)| means.get(*peer as usize).copied().flatten().map(|(r, s2)| (*l, r, s2)))
                .collect();
            let total: f64 = known.iter().map(|(l, ..)| l).sum();
            if known.len() < LEAST_PEERS || total < 0.5 {
                return None;
            }
            let (mut c, mut v, mut squares) = (r, s2, 0.0);
            for (l, r, s2) in &known {
                let l = l / total;
                c -= l * r;
                v += l * l * s2;
                squares += l * l;
            }
            Some(Contrast { n: known.len(), c, v, squares })
        })
        .collect();
    let (excess, scale) =
        contrasts.iter().flatten().fold((0.0, 0.0), |(e, s), x| (e + x.c * x.c - x.v, s + 1.0 + x.squares));
    let tau2: f64 = if scale > 0.0 { (excess / scale).max(0.0) } else { 0.0 };
    let phi = Phi::new();
    contrasts
        .into_iter()
        .map(|contrast| {
            let Contrast { n, c, v, squares } = contrast?;
            let variance = v + tau2 * squares;
            let rho = if tau2 > 0.0 { tau2 / (tau2 + variance) } else { 0.0 };
            let (mean, sd) = (rho * c, (tau2 * (1.0 - rho)).sqrt());
            // Without any difference between units every probability of being above is a half.
            let prob_above = if sd > 0.0 { phi.exceeds(mean, sd, 0.0) } else { 0.5 };
            let prob_exceeds = phi.exceeds(mean, sd, threshold);
            Some(Matched { n_peers: n, difference: c, error: variance.sqrt(), prob_above, prob_exceeds })
        })
        .collect()
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
        let places = whitened(&standardised(&self.conditions, &sizes))?;
        let (points, dim) = (&places.0, places.1);
        let told: Vec<usize> =
            (0..self.units.len()).filter(|i| self.units.get(*i).is_some_and(|u| u.has_min_n)).collect();
        let place = |unit: usize| points.get(unit * dim..(unit + 1) * dim).unwrap_or_default();
        let own: Vec<f64> = told.iter().flat_map(|unit| place(*unit).iter().copied()).collect();
        let at = place(position);
        let mut near = Vec::new();
        let itself = u32::try_from(told.partition_point(|unit| *unit < position)).unwrap_or(u32::MAX);
        let most = self.spec.caliper * self.spec.caliper * dim as f64;
        Nearest::new(&own, dim).near(at, itself, self.spec.n_peers, most, &mut near);
        if near.len() < LEAST_PEERS {
            return Ok(Vec::new());
        }
        let peers: Vec<usize> = near.iter().filter_map(|(_, i)| told.get(*i as usize).copied()).collect();
        let rows: Vec<&[f64]> = peers.iter().map(|peer| place(*peer)).collect();
        let found = peers.iter().zip(&near).zip(weights(&rows, at)?);
        Ok(found
            .map(|((unit, (square, _)), weight)| Peer { unit: *unit, distance: (square / dim as f64).sqrt(), weight })
            .collect())
    }
}
