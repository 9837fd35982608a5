//! What the model says about every unit, on the scale of the link.

use faer::Mat;

use super::data::GlmmData;
use super::fit::GlmmFit;
use super::laplace::{Evaluation, Mode};
use super::nest::Solution;
use crate::{Error, Result};

/// One unit of a factor, on the scale of the link: differences of log odds, or of logarithms of rates.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct GlmmEffect {
    /// The codes of the unit and of those around it, outermost first.
    pub path: Vec<u32>,
    /// Rows in the unit.
    pub n: f64,
    /// The unit's own effect, against the other units of the same parent: the mode given the data.
    pub effect: f64,
    /// Its conditional standard deviation, coefficients and variances taken as known (lme4's `condVar`).
    pub sd_conditional: f64,
    /// The standard deviation that allows for the estimated coefficients.
    pub sd: f64,
    /// 1 - sd^2 / variance of the factor, within \[0, 1\]; 0 where that variance is zero.
    pub reliability: f64,
    /// The unit's effect together with those of everything around it: against all units.
    pub effect_overall: f64,
    /// The standard deviation of `effect_overall`.
    pub sd_overall: f64,
    /// 1 - `sd_overall`^2 / sum of the variances of the factor and of those around it, within \[0, 1\].
    pub reliability_overall: f64,
}

/// What is kept of a level.
#[derive(Debug, Clone)]
pub(super) struct LevelEffects {
    effects: Vec<GlmmEffect>,
}

impl LevelEffects {
    /// The variance of an effect adds c'Var(beta)c to the conditional one, c = -d b / d beta at the mode (Booth & Hobert
    /// 1998, J. Am. Stat. Assoc. 93:262, the part of the coefficients).
    pub(super) fn of(
        data: &GlmmData,
        t: &[f64],
        mode: &Mode,
        point: &Evaluation,
        answers: &[Solution],
        covariance: &Mat<f64>,
    ) -> Vec<Self> {
        let nest = &data.nest;
        let variances = nest.variances(&point.eliminated, t);
        let mut totals: Vec<Vec<f64>> = vec![];
        let mut total_slopes: Vec<Vec<f64>> = vec![];
        let (mut found, mut spread) = (vec![], 0.0);
        let p = answers.len();
        for (level, ((groups, own), (v, &t))) in
            nest.levels.iter().zip(&mode.own).zip(variances.iter().zip(t)).enumerate()
        {
            spread += t;
            let (mut total, mut slopes) = (Vec::with_capacity(own.len()), Vec::with_capacity(own.len() * p));
            let mut effects = Vec::with_capacity(own.len());
            for (group, (&b, &parent)) in own.iter().zip(&groups.parents).enumerate() {
                let parent = parent as usize;
                let at = |values: &[f64], i: usize| values.get(i).copied().unwrap_or(0.0);
                let score = |a: &Solution| a.score.get(level).map_or(0.0, |s| at(s, group));
                let own_slope: Vec<f64> = answers.iter().map(|a| t * score(a)).collect();
                let around = total_slopes.last().map(Vec::as_slice).unwrap_or_default();
                let all_slope: Vec<f64> =
                    own_slope.iter().enumerate().map(|(k, s)| s + at(around, parent * p + k)).collect();
                let overall = b + totals.last().map_or(0.0, |above: &Vec<f64>| at(above, parent));
                let variance = at(&v.own, group) + quadratic(covariance, &own_slope);
                let variance_overall = at(&v.total, group) + quadratic(covariance, &all_slope);
                effects.push(GlmmEffect {
                    path: nest.path(level, group),
                    n: at(&groups.n, group),
                    effect: b,
                    sd_conditional: at(&v.own, group).max(0.0).sqrt(),
                    sd: variance.max(0.0).sqrt(),
                    reliability: reliability(variance, t),
                    effect_overall: overall,
                    sd_overall: variance_overall.max(0.0).sqrt(),
                    reliability_overall: reliability(variance_overall, spread),
                });
                total.push(overall);
                slopes.extend(all_slope);
            }
            totals.push(total);
            total_slopes.push(slopes);
            found.push(Self { effects });
        }
        found
    }
}

impl GlmmFit {
    /// The units of a factor (0 is the outermost), in the order of their codes.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] when there is no such factor.
    pub fn effects(&self, level: usize) -> Result<&[GlmmEffect]> {
        self.levels.get(level).map(|l| l.effects.as_slice()).ok_or_else(|| {
            Error::option("factor", level, format!("one of the {} factors, counted from 0", self.levels.len()))
        })
    }
}

fn quadratic(m: &Mat<f64>, c: &[f64]) -> f64 {
    let row = |i: usize| c.iter().enumerate().map(|(j, c)| m[(i, j)] * c).sum::<f64>();
    c.iter().enumerate().map(|(i, c)| c * row(i)).sum()
}

fn reliability(variance: f64, spread: f64) -> f64 {
    if spread > 0.0 { (1.0 - variance / spread).clamp(0.0, 1.0) } else { 0.0 }
}
