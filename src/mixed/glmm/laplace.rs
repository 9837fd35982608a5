//! Laplace's approximation to the likelihood, and its gradient.
//!
//! With b at the maximum of l(y | b) - sum b^2/(2 t) (penalised iteratively reweighted least squares), W the weights
//! and V = Z'WZ + T^-1: dev = -2 l + sum b^2/t + log|I + T Z'WZ| (Bates et al., lme4; Breslow & Clayton 1993, J. Am.
//! Stat. Assoc. 88:9, eq. 2-5). The mode moves with the parameters and W with the mode, so with h the conditional
//! variance of a row's total effect, q = h dW/d eta, and B(q) the effects that solve V b = Z'q:
//! d dev/d beta = X'(-2 (y - mu) + q - W B(q)), d dev/d t = sum over groups of h - s^2 + s s(q), s = b/t the
//! scores: no division by t, so the derivative at a variance of zero is right as well.

use faer::Mat;

use super::data::GlmmData;
use crate::mixed::nest::{Eliminated, Level, Solution};

/// The sums of one pass over the rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Pass {
    /// Twice the sum of the losses.
    pub(super) loss: f64,
    /// By innermost group: residuals, weights and their derivatives.
    residual: Vec<f64>,
    pub(super) weight: Vec<f64>,
    bend: Vec<f64>,
}

/// The mode of the effects, from which the next search begins.
#[derive(Debug, Clone, Default)]
pub(super) struct Mode {
    /// Effects by level.
    pub(super) own: Vec<Vec<f64>>,
    /// Their sum by innermost group.
    pub(super) total: Vec<f64>,
}

/// The deviance at one point, with what its gradient and the effects need.
#[derive(Debug, Clone)]
pub(super) struct Evaluation {
    pub(super) deviance: f64,
    pub(super) eliminated: Eliminated,
    pub(super) scores: Vec<Vec<f64>>,
    bend: Vec<f64>,
}

/// Weighted distance between two steps (squared) at which the mode is found: it then errs by the square of this.
const CLOSE: f64 = 1e-17;
const MOST_STEPS: usize = 60;
/// A predictor beyond this is a probability of 0 or 1 to all digits, and a count beyond imagination.
const LARGEST_PREDICTOR: f64 = 200.0;
/// Products up to this are far from overflow.
const LARGEST_PRODUCT: f64 = 1e200;

impl Mode {
    pub(super) fn zero(data: &GlmmData) -> Self {
        let own: Vec<Vec<f64>> = data.nest.levels.iter().map(|l| vec![0.0; l.codes.len()]).collect();
        let total = own.last().cloned().unwrap_or_default();
        Self { own, total }
    }
}

impl GlmmData {
    /// The part of the predictor that is the same for all effects.
    pub(super) fn fixed_part(&self, beta: &[f64]) -> Vec<f64> {
        self.x
            .chunks_exact(self.n_terms())
            .zip(&self.offset)
            .map(|(x, offset)| offset + x.iter().zip(beta).map(|(x, b)| x * b).sum::<f64>())
            .collect()
    }

    /// The rows of every innermost group: its position, and where its rows are.
    pub(super) fn groups(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        self.starts.windows(2).map(|pair| match pair {
            [from, to] => *from..*to,
            _ => 0..0,
        })
    }

    pub(super) fn pass(&self, fixed: &[f64], total: &[f64]) -> Pass {
        let mut found = Pass {
            loss: 0.0,
            residual: Vec::with_capacity(total.len()),
            weight: Vec::with_capacity(total.len()),
            bend: Vec::with_capacity(total.len()),
        };
        for (rows, &b) in self.groups().zip(total) {
            let (mut loss, mut residual, mut weight, mut bend) = (0.0, 0.0, 0.0, 0.0);
            let mut rest = 1.0;
            let columns = (fixed.get(rows.clone()), self.y.get(rows.clone()), self.size.get(rows.clone()));
            if let (Some(fixed), Some(y), Some(size)) = columns {
                for ((eta, &y), &size) in fixed.iter().zip(y).zip(size) {
                    let row = self.family.at(eta + b, y, size);
                    loss += row.loss;
                    if size <= 1.0 {
                        // At most 2 a row.
                        rest *= row.rest;
                        if rest > LARGEST_PRODUCT {
                            loss += rest.ln();
                            rest = 1.0;
                        }
                    } else {
                        loss += size * row.rest.ln();
                    }
                    residual += y - row.mean;
                    weight += row.weight;
                    bend += row.bend;
                }
            }
            found.loss += 2.0 * (loss + rest.ln());
            found.residual.push(residual);
            found.weight.push(weight);
            found.bend.push(bend);
        }
        found
    }

    /// The deviance at variances `t` and coefficients `beta` (in the basis), from `mode` and leaving the mode there.
    pub(super) fn evaluate(&self, t: &[f64], beta: &[f64], mode: &mut Mode) -> Option<(Evaluation, Vec<f64>)> {
        let fixed = self.fixed_part(beta);
        if fixed.iter().any(|eta| eta.is_nan() || eta.abs() > LARGEST_PREDICTOR) {
            return None;
        }
        clear_zeros(t, mode, &self.nest.levels);
        let mut pass = self.pass(&fixed, &mode.total);
        let mut penalised = pass.loss + penalty(t, &mode.own);
        if !penalised.is_finite() {
            *mode = Mode::zero(self);
            pass = self.pass(&fixed, &mode.total);
            penalised = pass.loss;
        }
        for _ in 0..MOST_STEPS {
            let eliminated = self.nest.eliminate(&pass.weight, t);
            let solved = self.newton(&eliminated, t, &pass, &mode.total);
            let target: Vec<Vec<f64>> =
                solved.score.iter().zip(t).map(|(s, t)| s.iter().map(|s| s * t).collect()).collect();
            let distance = Self::distance(t, &pass.weight, &target, &solved.total, mode);
            if !distance.is_finite() {
                return None;
            }
            if distance < CLOSE {
                let deviance = penalised + eliminated.log_det + self.constant;
                return deviance
                    .is_finite()
                    .then_some((Evaluation { deviance, eliminated, scores: solved.score, bend: pass.bend }, fixed));
            }
            let from = mode.clone();
            let mut share = 1.0;
            loop {
                *mode = between(&from, &target, &solved.total, share);
                let next = self.pass(&fixed, &mode.total);
                let value = next.loss + penalty(t, &mode.own);
                // Near the mode a step that wins nothing to rounding is a good one.
                if value <= penalised + 1e-12 * penalised.abs() {
                    (pass, penalised) = (next, value);
                    break;
                }
                share *= 0.5;
                if share < 1e-10 {
                    return None;
                }
            }
        }
        None
    }

    /// The next step: weighted least squares for the effects.
    pub(super) fn newton(&self, eliminated: &Eliminated, t: &[f64], pass: &Pass, total: &[f64]) -> Solution {
        let c: Vec<f64> = pass.residual.iter().zip(&pass.weight).zip(total).map(|((r, w), b)| r + w * b).collect();
        self.nest.solve(eliminated, t, &c)
    }

    /// How far a step goes: the square of its length in the metric of the curvature.
    fn distance(t: &[f64], weight: &[f64], target: &[Vec<f64>], total: &[f64], mode: &Mode) -> f64 {
        let rows: f64 = weight.iter().zip(total).zip(&mode.total).map(|((w, a), b)| w * (a - b) * (a - b)).sum();
        let own = t.iter().zip(target).zip(&mode.own).filter(|((t, _), _)| **t > 0.0);
        rows + own.map(|((t, a), b)| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>() / t).sum::<f64>()
    }

    /// The derivatives by every t, then by every coefficient.
    pub(super) fn gradient(&self, t: &[f64], mode: &Mode, fixed: &[f64], point: &Evaluation) -> Vec<f64> {
        let variances = self.nest.variances(&point.eliminated, t);
        let inner = variances.last().map(|v| v.total.as_slice()).unwrap_or_default();
        let q: Vec<f64> = point.bend.iter().zip(inner).map(|(bend, h)| h * bend).collect();
        let solved = self.nest.solve(&point.eliminated, t, &q);
        let by_t = variances
            .iter()
            .zip(&point.scores)
            .zip(&solved.score)
            .map(|((v, s), sq)| v.h.iter().zip(s).zip(sq).map(|((h, s), sq)| h - s * s + s * sq).sum::<f64>());
        let mut slopes: Vec<f64> = by_t.collect();
        let p = self.n_terms();
        let mut by_beta = vec![0.0; p];
        for ((rows, &b), (&h, &bq)) in self.groups().zip(&mode.total).zip(inner.iter().zip(&solved.total)) {
            for i in rows {
                let (Some(&eta), Some(&y), Some(&size)) = (fixed.get(i), self.y.get(i), self.size.get(i)) else {
                    continue;
                };
                let row = self.family.at(eta + b, y, size);
                let value = -2.0 * (y - row.mean) + h * row.bend - row.weight * bq;
                for (sum, x) in by_beta.iter_mut().zip(self.x.get(i * p..(i + 1) * p).unwrap_or_default()) {
                    *sum += value * x;
                }
            }
        }
        slopes.extend(by_beta);
        slopes
    }

    /// X'V^-1 X, and how every effect answers to every coefficient (d b / d beta), term by term.
    pub(super) fn information(&self, t: &[f64], mode: &Mode, fixed: &[f64]) -> (Mat<f64>, Vec<Solution>) {
        let p = self.n_terms();
        let n_groups = mode.total.len();
        let mut sums = vec![vec![0.0; n_groups]; p];
        let mut weights = vec![0.0; n_groups];
        let mut gram = vec![0.0; p * p];
        let mut line = vec![0.0; p];
        for ((group, rows), &b) in self.groups().enumerate().zip(&mode.total) {
            line.fill(0.0);
            let mut total = 0.0;
            for i in rows {
                let (Some(&eta), Some(&y), Some(&size)) = (fixed.get(i), self.y.get(i), self.size.get(i)) else {
                    continue;
                };
                let w = self.family.at(eta + b, y, size).weight;
                let x = self.x.get(i * p..(i + 1) * p).unwrap_or_default();
                total += w;
                for ((cells, sum), &a) in gram.chunks_exact_mut(p).zip(&mut line).zip(x) {
                    let wa = w * a;
                    *sum += wa;
                    for (cell, &b) in cells.iter_mut().zip(x) {
                        *cell += wa * b;
                    }
                }
            }
            for (column, &sum) in sums.iter_mut().zip(&line) {
                if let Some(cell) = column.get_mut(group) {
                    *cell = sum;
                }
            }
            if let Some(cell) = weights.get_mut(group) {
                *cell = total;
            }
        }
        let eliminated = self.nest.eliminate(&weights, t);
        let answers: Vec<Solution> = sums.iter().map(|c| self.nest.solve(&eliminated, t, c)).collect();
        let cell = |i: usize, j: usize| {
            let taken = sums
                .get(i)
                .zip(answers.get(j))
                .map_or(f64::NAN, |(c, s)| c.iter().zip(&s.total).map(|(c, b)| c * b).sum());
            gram.get(i * p + j).copied().unwrap_or(f64::NAN) - taken
        };
        (Mat::from_fn(p, p, |i, j| f64::midpoint(cell(i, j), cell(j, i))), answers)
    }
}

pub(super) fn penalty(t: &[f64], own: &[Vec<f64>]) -> f64 {
    let parts = t.iter().zip(own).filter(|(t, _)| **t > 0.0);
    parts.map(|(t, b)| b.iter().map(|b| b * b).sum::<f64>() / t).sum()
}

pub(super) fn between(from: &Mode, target: &[Vec<f64>], total: &[f64], share: f64) -> Mode {
    let mix = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + share * (b - a)).collect::<Vec<f64>>();
    Mode { own: from.own.iter().zip(target).map(|(a, b)| mix(a, b)).collect(), total: mix(&from.total, total) }
}

/// Effects of a level without variance are zero: take what an earlier point left there out of the totals.
fn clear_zeros(t: &[f64], mode: &mut Mode, levels: &[Level]) {
    let is_stale = t.iter().zip(&mode.own).any(|(t, b)| *t == 0.0 && b.iter().any(|b| *b != 0.0));
    if !is_stale {
        return;
    }
    let mut around = vec![0.0];
    for ((t, own), level) in t.iter().zip(&mut mode.own).zip(levels) {
        if *t == 0.0 {
            own.fill(0.0);
        }
        around = own
            .iter()
            .zip(&level.parents)
            .map(|(b, &parent)| b + around.get(parent as usize).copied().unwrap_or(0.0))
            .collect();
    }
    mode.total = around;
}
