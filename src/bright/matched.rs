//! The second route: every unit against those under the most similar conditions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::peers::LEAST_PEERS;
use crate::stats::normal_table::Phi;

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

/// One unit's adjusted mean less what its peers' say: c = r - sum l `r_k`; v = s^2 + sum l^2 `s_k`^2.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contrast {
    n: usize,
    c: f64,
    v: f64,
    /// The sum of l^2.
    squares: f64,
}

impl Contrast {
    /// Of the unit at a position with its weighted peers; `means` are adjusted means of all units with their sampling
    /// variances, `None` where the question is not asked. Raw means instead would be invalid: what is left of the
    /// conditions would count as the unit's own.
    pub(super) fn new(unit: usize, peers: &[(u32, f64)], means: &[Option<(f64, f64)>]) -> Option<Self> {
        let of = |unit: usize| means.get(unit).copied().flatten();
        let (r, s2) = of(unit)?;
        let known = || peers.iter().filter_map(|(peer, l)| of(*peer as usize).map(|(r, s2)| (*l, r, s2)));
        let (n, total) = known().fold((0, 0.0), |(n, total), (l, ..)| (n + 1, total + l));
        if n < LEAST_PEERS || total < 0.5 {
            return None;
        }
        let (mut c, mut v, mut squares) = (r, s2, 0.0);
        for (l, r, s2) in known() {
            let l = l / total;
            c -= l * r;
            v += l * l * s2;
            squares += l * l;
        }
        Some(Self { n, c, v, squares })
    }
}

/// What the contrasts say, shrunken by how much they vary.
///
/// tau^2 = max(0, sum(c^2 - v)/sum(1 + sum l^2)); V = v + tau^2 sum l^2; rho = tau^2/(tau^2 + V);
/// P = Phi(rho c / sqrt(tau^2 (1 - rho))).
pub(super) fn shrunken(contrasts: &[Option<Contrast>], threshold: f64) -> Vec<Option<Matched>> {
    let (excess, scale) =
        contrasts.iter().flatten().fold((0.0, 0.0), |(e, s), x| (e + x.c * x.c - x.v, s + 1.0 + x.squares));
    let tau2: f64 = if scale > 0.0 { (excess / scale).max(0.0) } else { 0.0 };
    let phi = Phi::new();
    contrasts
        .iter()
        .map(|contrast| {
            let Contrast { n, c, v, squares } = (*contrast)?;
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
