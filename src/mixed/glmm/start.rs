//! Where the search begins: effects and coefficients together, variances from the effects' own spread.

use faer::Mat;

use super::data::GlmmData;
use super::family::Family;
use super::laplace::{Mode, Pass, between, penalty};
use crate::mixed::algebra::inverse;
use crate::mixed::nest::Eliminated;

/// Variances, coefficients and effects near the maximum, and X'V^-1 X there.
#[derive(Debug, Clone)]
pub(super) struct Start {
    pub(super) t: Vec<f64>,
    pub(super) beta: Vec<f64>,
    pub(super) mode: Mode,
    pub(super) information: Mat<f64>,
}

/// A standard deviation of a half on the scale of the predictor: where nothing is known yet.
const FIRST_VARIANCE: f64 = 0.25;
const MOST_STEPS: usize = 25;
/// A predictor farther from zero than this is left to the search proper.
const FARTHEST: f64 = 15.0;
/// Steps and variances that move by less than this need no better start.
const NEAR: f64 = 0.05;

impl GlmmData {
    /// Penalised quasi-likelihood, with the variances of Schall (1991, Biometrika 78:719): the sum of the squared effects
    /// over their effective number.
    pub(super) fn start(&self, is_fixed: &[bool]) -> Option<Start> {
        let crude = self.crude();
        let intercept = match self.family {
            Family::Binomial => (crude / (1.0 - crude)).ln(),
            Family::Poisson => crude.ln(),
        };
        let mut beta = vec![0.0; self.n_terms()];
        if let Some(cell) = beta.first_mut() {
            *cell = intercept;
        }
        let mut t: Vec<f64> = is_fixed.iter().map(|fixed| if *fixed { 0.0 } else { FIRST_VARIANCE }).collect();
        let mut mode = Mode::zero(self);
        let mut information = None;
        for _ in 0..MOST_STEPS {
            let fixed = self.fixed_part(&beta);
            // Where a coefficient has no bound there is no better start to be had.
            if information.is_some() && fixed.iter().any(|eta| eta.abs() > FARTHEST) {
                break;
            }
            let pass = self.pass(&fixed, &mode.total);
            let eliminated = self.nest.eliminate(&pass.weight, &t);
            let alone = self.nest_step(&eliminated, &t, &pass, &mode);
            let (info, answers) = self.information(&t, &mode, &fixed);
            let score = self.score(&fixed, &mode.total, &alone.1);
            let Some(inner) = inverse(&info) else {
                information = information.or(Some(info));
                break;
            };
            let step = inner * Mat::from_fn(score.len(), 1, |i, _| score.get(i).copied().unwrap_or(0.0));
            let length = (step.transpose() * &info * &step)[(0, 0)];
            // The effects give way to the coefficients.
            let (mut own, mut total) = alone;
            for (k, answer) in answers.iter().enumerate() {
                for ((own, score), t) in own.iter_mut().zip(&answer.score).zip(&t) {
                    own.iter_mut().zip(score).for_each(|(b, s)| *b -= t * s * step[(k, 0)]);
                }
                total.iter_mut().zip(&answer.total).for_each(|(b, s)| *b -= s * step[(k, 0)]);
            }
            let before = pass.loss + penalty(&t, &mode.own);
            let (from, from_beta) = (mode.clone(), beta.clone());
            let mut share = 1.0;
            loop {
                mode = between(&from, &own, &total, share);
                beta = from_beta.iter().enumerate().map(|(k, b)| b + share * step[(k, 0)]).collect();
                let fixed = self.fixed_part(&beta);
                let after = self.pass(&fixed, &mode.total).loss + penalty(&t, &mode.own);
                let is_near = fixed.iter().all(|eta| eta.abs() < 4.0 * FARTHEST);
                if is_near && (after <= before + 1e-9 * before.abs() || share < 1e-3) {
                    break;
                }
                share *= 0.5;
                if share < 1e-12 {
                    return None;
                }
            }
            let moved = self.spread(&mut t, &mode, &eliminated, is_fixed);
            information = Some(info);
            if length < NEAR && moved < NEAR {
                break;
            }
        }
        Some(Start { t, beta, mode, information: information? })
    }

    fn nest_step(&self, eliminated: &Eliminated, t: &[f64], pass: &Pass, mode: &Mode) -> (Vec<Vec<f64>>, Vec<f64>) {
        let solved = self.newton(eliminated, t, pass, &mode.total);
        let own = solved.score.iter().zip(t).map(|(s, t)| s.iter().map(|s| s * t).collect()).collect();
        (own, solved.total)
    }

    /// X'(y - mu - W (B' - B)), B' the effects after their own step.
    fn score(&self, fixed: &[f64], total: &[f64], target: &[f64]) -> Vec<f64> {
        let p = self.n_terms();
        let mut sums = vec![0.0; p];
        for ((rows, &b), &to) in self.groups().zip(total).zip(target) {
            for i in rows {
                let (Some(&eta), Some(&y), Some(&size)) = (fixed.get(i), self.y.get(i), self.size.get(i)) else {
                    continue;
                };
                let row = self.family.at(eta + b, y, size);
                let value = y - row.mean - row.weight * (to - b);
                for (sum, x) in sums.iter_mut().zip(self.x.get(i * p..(i + 1) * p).unwrap_or_default()) {
                    *sum += value * x;
                }
            }
        }
        sums
    }

    /// Variances from the effects; how far (in logarithms) the farthest moved.
    fn spread(&self, t: &mut [f64], mode: &Mode, eliminated: &Eliminated, is_fixed: &[bool]) -> f64 {
        let variances = self.nest.variances(eliminated, t);
        let mut farthest = 0.0_f64;
        for (((t, own), v), _) in
            t.iter_mut().zip(&mode.own).zip(&variances).zip(is_fixed).filter(|(_, fixed)| !**fixed)
        {
            let effective: f64 = v.own.iter().map(|v| (1.0 - v / *t).max(0.0)).sum();
            let sum: f64 = own.iter().map(|b| b * b).sum();
            let next = (sum / effective.max(1e-12)).clamp(*t / 8.0, *t * 8.0).clamp(1e-6, 25.0);
            farthest = farthest.max((next / *t).ln().abs());
            *t = next;
        }
        farthest
    }
}
