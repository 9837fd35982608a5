//! What pooling says of each site: how far its effect is shrunken, and how much the whole rests on it.

use super::heterogeneity::Effects;
use super::summary::{Summary, summarise_effects};
use super::{Interval, PoolSpec};
use crate::Result;

/// One site.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SiteRow {
    /// Its effect.
    pub effect: f64,
    /// Its sampling variance.
    pub variance: f64,
    /// The interval of its own effect alone.
    pub lo: f64,
    /// The upper end.
    pub hi: f64,
    /// Its share of the pooled estimate; `None` where nothing is pooled.
    pub weight: Option<f64>,
    /// Its effect drawn towards the mean by what it may owe to chance: the best linear unbiased prediction.
    pub shrunken: Option<f64>,
    /// The standard error of that.
    pub shrunken_se: Option<f64>,
    /// The pooled estimate without it.
    pub estimate_without: Option<f64>,
    /// Its standard error.
    pub se_without: Option<f64>,
    /// The variance between the other sites.
    pub tau2_without: Option<f64>,
}

/// The rows of all sites.
///
/// With l = tau^2/(tau^2 + v): `shrunken = l y + (1 - l) mu`, `se^2 = l v + (1 - l)^2 se(mu)^2`
/// (Raudenbush & Bryk 1985, JEBS 10:75).
pub(super) fn rows(effects: Effects<'_>, summary: Option<&Summary>, spec: &PoolSpec) -> Result<Vec<SiteRow>> {
    let half = Interval::Z.quantile(1.0 - spec.tail(), 0.0);
    effects
        .rows()
        .enumerate()
        .map(|(site, (y, v))| {
            let mut row = SiteRow {
                effect: y,
                variance: v,
                lo: y - half * v.sqrt(),
                hi: y + half * v.sqrt(),
                weight: None,
                shrunken: None,
                shrunken_se: None,
                estimate_without: None,
                se_without: None,
                tau2_without: None,
            };
            let Some(summary) = summary else { return Ok(row) };
            let share = summary.tau2 / (summary.tau2 + v);
            row.weight = Some(1.0 / (v + summary.tau2) / effects.at(summary.tau2).w);
            row.shrunken = Some(share * y + (1.0 - share) * summary.estimate);
            row.shrunken_se = Some((share * v + ((1.0 - share) * summary.se).powi(2)).sqrt());
            if effects.y.len() > 2 {
                let (others, variances): (Vec<f64>, Vec<f64>) =
                    effects.rows().enumerate().filter(|(i, _)| *i != site).map(|(_, pair)| pair).unzip();
                let without = summarise_effects(Effects { y: &others, v: &variances }, spec)?;
                row.estimate_without = Some(without.estimate);
                row.se_without = Some(without.se);
                row.tau2_without = Some(without.tau2);
            }
            Ok(row)
        })
        .collect()
}
