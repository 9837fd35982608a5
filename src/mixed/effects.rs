//! What the model says about every unit: predicted effects and how far off they may be.

use super::criterion::{Evaluation, Part, Problem, Step, Upward, dot, quadratic};
use super::crossed::{Crossed, State, Unit};
use super::fit::Fit;
use super::moments::{Level, path};
use crate::{Error, Result};

/// One unit of a factor.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Effect {
    /// The codes of the unit and of those around it, outermost first.
    pub path: Vec<u32>,
    /// Its position among the units of the factor around it: the index in that factor's effects (0 for the outermost).
    pub parent: usize,
    /// Rows in the unit.
    pub n: f64,
    /// The unit's own effect: against the other units of the same parent, in units of the outcome.
    pub effect: f64,
    /// Its conditional standard deviation, beta taken as known (lme4's `condVar`).
    pub sd_conditional: f64,
    /// The standard deviation of its prediction error, beta estimated (Henderson 1975).
    pub sd: f64,
    /// 1 - sd^2 / variance of the factor, within \[0, 1\]; 0 where that variance is zero.
    pub reliability: f64,
    /// The unit's effect together with those of everything around it: against all units.
    pub effect_overall: f64,
    /// The standard deviation of the prediction error of `effect_overall`.
    pub sd_overall: f64,
    /// 1 - `sd_overall`^2 / sum of the variances of the factor and of those around it, within \[0, 1\].
    pub reliability_overall: f64,
    /// The unit's mean of y - X beta, weighting the groups inside of it by their precision (NaN without a row).
    pub residual: f64,
}

/// A difference between two units of one factor.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Contrast {
    /// First minus second.
    pub difference: f64,
    /// The standard deviation of its prediction error.
    pub sd: f64,
}

/// What is kept of every group of a level.
#[derive(Debug, Clone, Default)]
pub(super) struct LevelEffects {
    layout: Level,
    own: Vec<f64>,
    total: Vec<f64>,
    /// sigma^2 times the conditional variance of the own effect, and of the total.
    own_variance: Vec<f64>,
    total_variance: Vec<f64>,
    /// Coefficients of the own effect in the shifted X, group by group: c'Var(beta)c is what estimating beta adds.
    own_c: Vec<f64>,
    /// c'Var(beta)c of the own effect and of the total.
    own_fixed: Vec<f64>,
    total_fixed: Vec<f64>,
    d: Vec<f64>,
    residual: Vec<f64>,
    /// t times (1/d), and t a/d, come from these.
    a: Vec<f64>,
    t: f64,
    /// How many levels stand around it.
    depth: usize,
}

/// A solved model of crossed factors: what a contrast asks of.
#[derive(Debug)]
pub(crate) struct Solved {
    pub(super) crossed: Crossed,
    pub(super) state: State,
}

impl LevelEffects {
    pub(super) fn of_nested(part: &Part, upward: &Upward, t: &[f64], point: &Evaluation) -> Vec<Self> {
        let covariance = scaled(&point.inverse, point.sigma2);
        let mut levels: Vec<Self> =
            part.levels.iter().zip(t).map(|(l, &t)| Self { layout: l.clone(), t, ..Self::default() }).collect();
        for (depth, level) in levels.iter_mut().enumerate() {
            level.depth = depth;
        }
        part.descend(upward, t, |step| {
            if let Some(level) = levels.get_mut(step.level) {
                level.push(step, point, &covariance);
            }
        });
        levels
    }

    pub(super) fn of_crossed(problem: &Problem, solved: &Solved, t: &[f64]) -> Result<Vec<Self>> {
        let Solved { crossed, state } = solved;
        let inverse = state.factor.inverse(&crossed.spare)?;
        let covariance = scaled(&state.point.inverse, state.point.sigma2);
        let mut levels = Vec::with_capacity(t.len());
        for part in &problem.parts {
            for (depth, layout) in part.levels.iter().enumerate() {
                let level = part.offset + depth;
                let t = t.get(level).copied().unwrap_or(0.0);
                let mut own = Self { layout: layout.clone(), t, depth, ..Self::default() };
                for unit in crossed.units(state, &inverse, level)? {
                    own.push_unit(&unit, &state.point, &covariance);
                }
                levels.push(own);
            }
        }
        Ok(levels)
    }

    fn push_unit(&mut self, unit: &Unit, point: &Evaluation, covariance: &[f64]) {
        let p = unit.own.len() - 1;
        // point.beta ends with -1, so that the product is X beta - y.
        let (own, total) = (-dot(&unit.own, &point.beta), -dot(&unit.total, &point.beta));
        let c = unit.own.get(..p).unwrap_or_default();
        self.own_c.extend_from_slice(c);
        self.own_fixed.push(quadratic(covariance, c));
        self.total_fixed.push(quadratic(covariance, unit.total.get(..p).unwrap_or_default()));
        self.own.push(own);
        self.total.push(total);
        self.own_variance.push(point.sigma2 * unit.variance);
        self.total_variance.push(point.sigma2 * unit.total_variance);
        // What the rows say once the effects of the other factors are taken off.
        self.residual.push(total - dot(&unit.mean, &point.beta));
    }

    fn push(&mut self, step: &Step, point: &Evaluation, covariance: &[f64]) {
        debug_assert_eq!(step.group, self.own.len());
        let p = step.u.len() - 1;
        // point.beta ends with -1, so that the product is X beta - y.
        let own = -self.t * dot(step.u, &point.beta);
        let total = -dot(step.total, &point.beta);
        let from = self.own_c.len();
        self.own_c.extend(step.u.iter().take(p).map(|u| self.t * u));
        let c = self.own_c.get(from..).unwrap_or_default();
        self.own_fixed.push(quadratic(covariance, c));
        self.total_fixed.push(quadratic(covariance, step.total.get(..p).unwrap_or_default()));
        self.own.push(own);
        self.total.push(total);
        self.own_variance.push(point.sigma2 * step.own);
        self.total_variance.push(point.sigma2 * step.w);
        self.d.push(step.d);
        self.a.push(step.a);
        // u = (C - a B)/d and total = B + t u, so C/a = total + u/a: what the rows say, without shrinking.
        let residual = -dot(step.u, &point.beta) / step.a + total;
        self.residual.push(residual);
    }
}

impl Fit {
    /// The units of a factor (0 is the outermost), in the order of their codes.
    ///
    /// b = (t/d)(r - a B), B the effects around it, in closed form for any depth of nesting (Robinson 1991, Stat. Sci.
    /// 6:15); the prediction-error variance adds c'Var(beta)c to the conditional variance.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] when there is no such factor.
    pub fn effects(&self, level: usize) -> Result<Vec<Effect>> {
        let data = self.level(level)?;
        let around = level - data.depth..=level;
        let layouts: Vec<&Level> =
            self.levels.get(around.clone()).unwrap_or_default().iter().map(|l| &l.layout).collect();
        let own_spread = self.variances.get(level).copied().unwrap_or(0.0);
        let spread: f64 = self.variances.get(around).unwrap_or_default().iter().sum();
        let at = |values: &[f64], group: usize| values.get(group).copied().unwrap_or(f64::NAN);
        let effect = |group: usize| {
            let own = at(&data.own_variance, group);
            let variance = own + at(&data.own_fixed, group);
            let variance_overall = at(&data.total_variance, group) + at(&data.total_fixed, group);
            Effect {
                path: path(&layouts, group),
                parent: data.layout.parents.get(group).copied().unwrap_or(0) as usize,
                n: at(&data.layout.n, group),
                effect: at(&data.own, group),
                sd_conditional: own.max(0.0).sqrt(),
                sd: variance.max(0.0).sqrt(),
                reliability: reliability(variance, own_spread),
                effect_overall: at(&data.total, group),
                sd_overall: variance_overall.max(0.0).sqrt(),
                reliability_overall: reliability(variance_overall, spread),
                residual: at(&data.residual, group),
            }
        };
        Ok((0..data.own.len()).map(effect).collect())
    }

    /// The difference between two units of a factor, by their position in [`Fit::effects`].
    ///
    /// Var = conditional variance of the difference (units of one parent share what is not known about it) +
    /// (c1 - c2)'Var(beta)(c1 - c2).
    ///
    /// # Errors
    /// [`Error::InvalidOption`] when there is no such factor or unit.
    pub fn contrast(&self, level: usize, first: usize, second: usize) -> Result<Contrast> {
        let data = self.level(level)?;
        let get = |values: &[f64], unit: usize| {
            values.get(unit).copied().ok_or_else(|| {
                Error::option("unit", unit, format!("one of the {} units, counted from 0", data.own.len()))
            })
        };
        let difference = get(&data.own, first)? - get(&data.own, second)?;
        let p = self.terms.len();
        let c = |unit: usize| data.own_c.iter().skip(unit * p).take(p);
        let c: Vec<f64> = c(first).zip(c(second)).map(|(a, b)| a - b).collect();
        let fixed = quadratic(&self.covariance, &c);
        if let Some(solved) = &self.solved {
            let conditional = solved.crossed.difference(&solved.state, level, first, second)?;
            let variance = self.sigma * self.sigma * conditional + fixed;
            return Ok(Contrast { difference, sd: variance.max(0.0).sqrt() });
        }
        let shared = if first == second {
            get(&data.own_variance, first)?
        } else {
            // What is unknown about the parents reaches the two with the factors -t a/d.
            let reach = |unit| Ok::<f64, Error>(data.t * get(&data.a, unit)? / get(&data.d, unit)?);
            let parent = |unit: usize| data.layout.parents.get(unit).copied().unwrap_or(0) as usize;
            let above = level.checked_sub(1).map_or(0.0, |l| self.shared_variance(l, parent(first), parent(second)));
            reach(first)? * reach(second)? * above
        };
        let variance = get(&data.own_variance, first)? + get(&data.own_variance, second)? - 2.0 * shared + fixed;
        Ok(Contrast { difference, sd: variance.max(0.0).sqrt() })
    }

    /// The conditional covariance of the total effects of two units of a level.
    fn shared_variance(&self, level: usize, first: usize, second: usize) -> f64 {
        let Some(data) = self.levels.get(level) else { return 0.0 };
        if first == second {
            return data.total_variance.get(first).copied().unwrap_or(0.0);
        }
        let d = |unit: usize| data.d.get(unit).copied().unwrap_or(1.0);
        let parent = |unit: usize| data.layout.parents.get(unit).copied().unwrap_or(0) as usize;
        level.checked_sub(1).map_or(0.0, |l| self.shared_variance(l, parent(first), parent(second)))
            / (d(first) * d(second))
    }

    fn level(&self, level: usize) -> Result<&LevelEffects> {
        self.levels.get(level).ok_or_else(|| {
            Error::option("factor", level, format!("one of the {} factors, counted from 0", self.levels.len()))
        })
    }
}

fn scaled(matrix: &[f64], by: f64) -> Vec<f64> {
    matrix.iter().map(|v| v * by).collect()
}

fn reliability(variance: f64, spread: f64) -> f64 {
    if spread > 0.0 { (1.0 - variance / spread).clamp(0.0, 1.0) } else { 0.0 }
}
