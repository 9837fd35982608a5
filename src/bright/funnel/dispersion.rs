//! How much more units scatter than their sizes explain.

use serde::Serialize;

use super::{Overdispersion, Trim};
use crate::stats::summary::quantile;

/// The scatter of the units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Dispersion {
    /// The mean square of z after trimming: 1 where sizes explain all of the scatter.
    pub phi: f64,
    /// The variance between units, on the scale of comparison.
    pub tau2: f64,
    /// How many units it rests on.
    pub n_used: usize,
    /// Whether phi is beyond 1 + 2 sqrt(2/I): twice its standard error under chance alone.
    pub is_overdispersed: bool,
}

impl Dispersion {
    /// From z and s of every unit (Spiegelhalter 2005, Stat. Med. 24:1185, section 4; `DerSimonian` & Laird 1986).
    pub(super) fn of(z: &[f64], se: &[f64], trim: Trim, share: f64) -> Self {
        let kept: Vec<(f64, f64)> = match trim {
            Trim::Winsorise => winsorised(z, share).into_iter().zip(se.iter().copied()).collect(),
            Trim::Truncate => truncated(z, share).into_iter().filter_map(|i| Some((*z.get(i)?, *se.get(i)?))).collect(),
        };
        let n = kept.len() as f64;
        let phi = kept.iter().map(|(z, _)| z * z).sum::<f64>() / n;
        let (w, w2) = kept.iter().fold((0.0, 0.0), |(w, w2), (_, s)| (w + s.powi(-2), w2 + s.powi(-4)));
        let tau2 = ((n * phi - (n - 1.0)) / (w - w2 / w)).max(0.0);
        Self {
            phi,
            // One unit has no scatter.
            tau2: if kept.len() > 1 { tau2 } else { 0.0 },
            n_used: kept.len(),
            is_overdispersed: phi > 1.0 + 2.0 * (2.0 / n).sqrt(),
        }
    }

    /// A unit's standard error with what is allowed for.
    pub(super) fn adjusted(&self, se: f64, how: Overdispersion) -> f64 {
        match how {
            Overdispersion::Additive => (se * se + self.tau2).sqrt(),
            Overdispersion::Multiplicative if self.is_overdispersed => se * self.phi.max(1.0).sqrt(),
            Overdispersion::Multiplicative | Overdispersion::None => se,
        }
    }
}

/// Values beyond the quantiles of either share (Hyndman & Fan's type 7, R's default), drawn in to them.
fn winsorised(z: &[f64], share: f64) -> Vec<f64> {
    let mut sorted = z.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (quantile(&sorted, share), quantile(&sorted, 1.0 - share));
    z.iter().map(|z| z.clamp(low, high)).collect()
}

/// The units whose rank does not fall into the first or last of the 1/share equal parts.
fn truncated(z: &[f64], share: f64) -> Vec<usize> {
    if share <= 0.0 {
        return (0..z.len()).collect();
    }
    let mut order: Vec<(usize, f64)> = z.iter().copied().enumerate().collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let parts = (1.0 / share).round();
    order
        .iter()
        .enumerate()
        .filter(|(rank, _)| {
            let part = ((rank + 1) as f64 * parts / (z.len() + 1) as f64).floor();
            part > 0.0 && part < parts - 1.0
        })
        .map(|(_, (unit, _))| *unit)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_are_drawn_in_to_the_type_7_quantiles() {
        // R: quantile(c(1, 2, 3, 4, 100), c(.1, .9)) is 1.4 and 61.6.
        assert!(
            winsorised(&[3.0, 100.0, 1.0, 2.0, 4.0], 0.1)
                .iter()
                .zip([3.0, 61.6, 1.4, 2.0, 4.0])
                .all(|(a, b)| (a - b).abs() < 1e-12)
        );
    }

    #[test]
    fn whole_tenths_are_left_out() {
        let z: Vec<f64> = (1..=19).rev().map(f64::from).collect();
        // floor(rank * 10 / 20) is 0 for rank 1 and 9 for ranks 18 and 19.
        assert_eq!(truncated(&z, 0.1).len(), 16);
        assert!(!truncated(&z, 0.1).contains(&0) && !truncated(&z, 0.1).contains(&18));
    }

    #[test]
    fn no_more_scatter_than_chance_gives_no_variance() {
        let d = Dispersion::of(&[0.5, -0.5, 0.2, -0.2], &[0.1; 4], Trim::Winsorise, 0.1);
        assert!(d.tau2 == 0.0 && !d.is_overdispersed && d.phi < 1.0);
        assert!((d.adjusted(0.1, Overdispersion::Additive) - 0.1).abs() < 1e-15);
    }
}
