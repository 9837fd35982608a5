//! What a model of nested factors says about every unit.

use faer::Mat;

use super::nest::{Nest, Solution, Variances};

/// One unit of a factor among factors nested in each other.
///
/// In units of the outcome; of a logistic or Poisson model on the scale of the link (log odds, logarithms of rates).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NestedEffect {
    /// The codes of the unit and of those around it, outermost first.
    pub path: Vec<u32>,
    /// Rows in the unit.
    pub n: f64,
    /// The unit's own effect, against the other units of the same parent.
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

/// What the effects are made of.
pub(super) struct Parts<'a> {
    pub(super) nest: &'a Nest,
    /// Variances of the levels, in units of `sigma2`.
    pub(super) t: &'a [f64],
    pub(super) sigma2: f64,
    /// Effects by level.
    pub(super) own: &'a [Vec<f64>],
    /// Variances given the data, in units of `sigma2`.
    pub(super) variances: &'a [Variances],
    /// How the effects answer to every coefficient.
    pub(super) answers: &'a [Solution],
    /// The covariance of the coefficients.
    pub(super) covariance: &'a Mat<f64>,
}

impl Parts<'_> {
    /// The units of every level: c'Var(beta)c, c = -d b / d beta, is added to the conditional variance (Henderson 1975,
    /// Biometrics 31:423; at a mode Booth & Hobert 1998, J. Am. Stat. Assoc. 93:262, the part of the coefficients).
    pub(super) fn effects(&self) -> Vec<Vec<NestedEffect>> {
        let at = |values: &[f64], i: usize| values.get(i).copied().unwrap_or(0.0);
        let p = self.answers.len();
        let (mut totals, mut slopes): (Vec<f64>, Vec<f64>) = (vec![], vec![]);
        let (mut found, mut spread) = (vec![], 0.0);
        for (level, ((groups, own), (v, &t))) in
            self.nest.levels.iter().zip(self.own).zip(self.variances.iter().zip(self.t)).enumerate()
        {
            spread += self.sigma2 * t;
            let mut effects = Vec::with_capacity(own.len());
            let (mut total, mut slope) = (Vec::with_capacity(own.len()), Vec::with_capacity(own.len() * p));
            for (group, (&b, &parent)) in own.iter().zip(&groups.parents).enumerate() {
                let parent = parent as usize;
                let score = |a: &Solution| a.score.get(level).map_or(0.0, |s| at(s, group));
                let own_slope: Vec<f64> = self.answers.iter().map(|a| t * score(a)).collect();
                let all_slope = own_slope.iter().enumerate().map(|(k, s)| s + at(&slopes, parent * p + k));
                let all_slope: Vec<f64> = all_slope.collect();
                let overall = b + at(&totals, parent);
                let conditional = self.sigma2 * at(&v.own, group);
                let variance = conditional + quadratic(self.covariance, &own_slope);
                let variance_overall = self.sigma2 * at(&v.total, group) + quadratic(self.covariance, &all_slope);
                effects.push(NestedEffect {
                    path: self.nest.path(level, group),
                    n: at(&groups.n, group),
                    effect: b,
                    sd_conditional: conditional.max(0.0).sqrt(),
                    sd: variance.max(0.0).sqrt(),
                    reliability: reliability(variance, self.sigma2 * t),
                    effect_overall: overall,
                    sd_overall: variance_overall.max(0.0).sqrt(),
                    reliability_overall: reliability(variance_overall, spread),
                });
                total.push(overall);
                slope.extend(all_slope);
            }
            (totals, slopes) = (total, slope);
            found.push(effects);
        }
        found
    }
}

fn quadratic(m: &Mat<f64>, c: &[f64]) -> f64 {
    let row = |i: usize| c.iter().enumerate().map(|(j, c)| m[(i, j)] * c).sum::<f64>();
    c.iter().enumerate().map(|(i, c)| c * row(i)).sum()
}

fn reliability(variance: f64, spread: f64) -> f64 {
    if spread > 0.0 { (1.0 - variance / spread).clamp(0.0, 1.0) } else { 0.0 }
}
