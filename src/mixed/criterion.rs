//! The profiled criterion and its gradient, linear in the number of groups.
//!
//! With t = theta^2 at a level and (a, C) the sums 1'V^-1 1 and A'V^-1 1 of a group given all levels inside of it
//! (innermost: its rows and the sums of A), d = 1 + t a, log|V| gains log d, M = A'V^-1 A loses (t/d) C C', and the
//! parent receives (a/d, C/d). Downwards, u = z'V^-1 A = (C - a B)/d with B the sum of t u over the ancestors,
//! h = z'V^-1 z = (a/d)(1 - (a/d) w) with w the conditional variance of the ancestors' sum in units of sigma^2. Then
//! d dev/d t = sum h - tr(Mxx^-1 Q) - v'Q v/sigma^2 (without the trace for ML), Q = sum u u', v = (-beta, 1): no
//! division by t, so it holds on the boundary as well.
//!
//! Bates, Maechler, Bolker & Walker (2015, J. Stat. Softw. 67(1), eq. 33-42) for the profiled criteria; Henderson
//! (1975, Biometrics 31:423) for what stands below them.

use std::borrow::Cow;

use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::{Mat, Par, Side};

use super::fit::Method;
use super::moments::{Level, Moments, Pairs};
use crate::{Error, Result};

/// The part of the moments that a fit uses: columns of full rank, then y.
pub(crate) struct Problem<'m> {
    pub(crate) n_obs: f64,
    log_weights: f64,
    /// Fixed terms, the intercept included.
    pub(crate) n_terms: usize,
    pub(crate) gram: Vec<f64>,
    pub(crate) parts: Vec<Part<'m>>,
    pub(crate) pairs: &'m [Pairs],
    /// Which terms of the moments are kept, in order.
    pub(crate) kept: Vec<usize>,
    pub(crate) dropped: Vec<usize>,
}

/// One random part of a problem: nested levels, or a membership.
#[derive(Clone)]
pub(crate) struct Part<'m> {
    pub(crate) levels: Cow<'m, [Level]>,
    pub(crate) sums: Cow<'m, [f64]>,
    pub(crate) is_membership: bool,
    /// Where its first level stands among all.
    pub(crate) offset: usize,
    width: usize,
}

/// The criterion at one point, with what it is made of.
#[derive(Debug)]
pub(crate) struct Evaluation {
    pub(crate) deviance: f64,
    pub(crate) sigma2: f64,
    /// Coefficients of \[1, x - shift\], followed by -1: applied to u, minus what remains of y.
    pub(crate) beta: Vec<f64>,
    /// (X'V^-1 X)^-1, row by row, in the same basis.
    pub(crate) inverse: Vec<f64>,
}

/// What one group gives on the way down.
pub(crate) struct Step<'a> {
    pub(crate) level: usize,
    pub(crate) group: usize,
    /// z'V^-1 A.
    pub(crate) u: &'a [f64],
    /// z'V^-1 z.
    pub(crate) h: f64,
    /// The sum of t u over the group and its ancestors.
    pub(crate) total: &'a [f64],
    /// The conditional variance of that sum's true counterpart, in units of sigma^2.
    pub(crate) w: f64,
    /// The conditional variance of the group's own effect, in units of sigma^2.
    pub(crate) own: f64,
    /// d = 1 + t a, and a.
    pub(crate) d: f64,
    pub(crate) a: f64,
}

/// (a, C) of every group of every level but the innermost, M and log|V|.
pub(crate) struct Upward {
    rows: Vec<Vec<f64>>,
    pub(crate) m: Vec<f64>,
    pub(crate) log_det: f64,
}

impl<'m> Problem<'m> {
    pub(crate) fn new(moments: &'m Moments) -> Result<Self> {
        let (kept, dropped, leaves_some) = full_rank(moments);
        let n_terms = kept.len();
        if moments.n_obs <= n_terms {
            return Err(Error::TooFew {
                what: "a mixed model".into(),
                needed: format!("{} rows (one more than its fixed terms)", n_terms + 1),
                found: moments.n_obs,
                remedy: "leave out covariates or add rows".into(),
            });
        }
        if !leaves_some {
            return Err(Error::InvalidValue {
                what: "the outcome".into(),
                found: "no variation beyond the fixed terms".into(),
                remedy: "check that the outcome is not constant and not among the covariates".into(),
            });
        }
        let width = moments.width();
        let columns: Vec<usize> = kept.iter().copied().chain([width - 1]).collect();
        let pick = |row: &[f64]| -> Vec<f64> { columns.iter().filter_map(|&c| row.get(c).copied()).collect() };
        let gram = columns
            .iter()
            .flat_map(|&c| moments.gram.chunks_exact(width).nth(c).map(pick).unwrap_or_default())
            .collect();
        let mut offset = 0;
        let parts = moments.blocks.iter().map(|block| {
            let sums = if dropped.is_empty() {
                Cow::Borrowed(block.sums.as_slice())
            } else {
                Cow::Owned(block.sums.chunks_exact(width).flat_map(pick).collect())
            };
            let levels = Cow::Borrowed(block.levels.as_slice());
            let part = Part { levels, sums, is_membership: block.is_membership, offset, width: columns.len() };
            offset += block.levels.len();
            part
        });
        Ok(Self {
            n_obs: moments.n_obs as f64,
            log_weights: moments.log_weights,
            n_terms,
            gram,
            parts: parts.collect(),
            pairs: &moments.pairs,
            kept,
            dropped,
        })
    }

    /// How many units the factors have, in the order of theta.
    pub(crate) fn n_groups(&self) -> Vec<usize> {
        self.parts.iter().flat_map(|p| p.levels.iter().map(|l| l.codes.len())).collect()
    }

    /// The only nested part that holds all of these levels, where there is one.
    pub(crate) fn part_of(&self, mut levels: impl Iterator<Item = usize>) -> Option<&Part<'m>> {
        let first = levels.next();
        let holds = |part: &&Part, level: usize| (part.offset..part.offset + part.levels.len()).contains(&level);
        let part = match first {
            Some(level) => self.parts.iter().find(|p| holds(p, level)),
            None => self.parts.iter().find(|p| !p.is_membership),
        };
        part.filter(|p| !p.is_membership && levels.all(|l| holds(p, l)))
    }

    pub(crate) fn width(&self) -> usize {
        self.n_terms + 1
    }

    /// The criterion from M = A'V^-1 A and log|V| (that of W = 1).
    pub(crate) fn profile(&self, m: &[f64], log_det: f64, method: Method) -> Result<Evaluation> {
        let (p, width) = (self.n_terms, self.width());
        let log_det = log_det - self.log_weights;
        let cross = Mat::from_fn(width, width, |i, j| m.get(i * width + j).copied().unwrap_or(f64::NAN));
        let failed = |problem: &str| Error::Numerical { what: "the criterion".into(), problem: problem.into() };
        if m.iter().any(|v| !v.is_finite()) {
            return Err(failed("the cross products are not finite"));
        }
        let llt = cross.llt(Side::Lower).map_err(|_| failed("the cross products are not positive definite"))?;
        let factor = llt.L();
        let l_xx = factor.submatrix(0, 0, p, p);
        let r2 = factor[(p, p)] * factor[(p, p)];
        let freedom = match method {
            Method::Reml => self.n_obs - p as f64,
            Method::Ml => self.n_obs,
        };
        let mut beta = Mat::from_fn(p, 1, |k, _| factor[(p, k)]);
        solve_upper_triangular_in_place(l_xx.transpose(), beta.as_mut(), Par::Seq);
        let mut half = Mat::<f64>::identity(p, p);
        solve_lower_triangular_in_place(l_xx, half.as_mut(), Par::Seq);
        let inverse = half.transpose() * &half;
        let log_det_x: f64 = (0..p).map(|k| 2.0 * factor[(k, k)].ln()).sum();
        let fit = freedom * (1.0 + (2.0 * std::f64::consts::PI * r2 / freedom).ln());
        let deviance = match method {
            Method::Reml => log_det + log_det_x + fit,
            Method::Ml => log_det + fit,
        };
        if !deviance.is_finite() {
            return Err(failed("the fixed terms leave nothing of the outcome"));
        }
        Ok(Evaluation {
            deviance,
            sigma2: r2 / freedom,
            beta: (0..p).map(|k| beta[(k, 0)]).chain([-1.0]).collect(),
            inverse: (0..p).flat_map(|i| (0..p).map(move |j| (i, j))).map(|(i, j)| inverse[(i, j)]).collect(),
        })
    }
}

/// So many groups are summed before their sum joins that of all.
const SUMMED: usize = 128;

impl Part<'_> {
    fn rows<'a>(&'a self, upward: &'a Upward, level: usize) -> &'a [f64] {
        upward.rows.get(level).map_or(&self.sums, Vec::as_slice)
    }

    /// Eliminates the levels from the innermost outwards.
    pub(crate) fn ascend(&self, gram: &[f64], t: &[f64]) -> Upward {
        let width = self.width;
        let mut m = gram.to_vec();
        let (mut first, mut some) = (vec![0.0; width], vec![0.0; m.len()]);
        let mut log_det = 0.0;
        let mut below: Option<Vec<f64>> = None;
        let mut rows: Vec<Vec<f64>> = Vec::new();
        for (depth, (level, &t)) in self.levels.iter().zip(t).enumerate().rev() {
            let outer = depth.checked_sub(1).and_then(|d| self.levels.get(d)).map_or(0, |l| l.codes.len());
            let mut above = vec![0.0; outer * width];
            let here = below.as_deref().unwrap_or(&self.sums);
            // Some groups at a time, and the sums of those: one long sum rounds more than a search can bear.
            for (here, parents) in here.chunks(SUMMED * width).zip(level.parents.chunks(SUMMED)) {
                some.fill(0.0);
                let mut some_log_det = 0.0;
                for (row, &parent) in here.chunks_exact(width).zip(parents) {
                    let d = 1.0 + t * row.first().copied().unwrap_or(0.0);
                    if t > 0.0 {
                        some_log_det += d.ln();
                        rank_one(&mut some, row, -t / d);
                    }
                    let from = parent as usize * width;
                    let target =
                        if depth == 0 { Some(first.as_mut_slice()) } else { above.get_mut(from..from + width) };
                    if let Some(target) = target {
                        add_scaled(target, row, 1.0 / d);
                    }
                }
                add_scaled(&mut m, &some, 1.0);
                log_det += some_log_det;
            }
            rows.extend(below.replace(above));
        }
        // `rows` was gathered from the second innermost level outwards; the last `below` is empty.
        rows.reverse();
        take_means(&mut m, &first);
        Upward { rows, m, log_det }
    }

    /// Visits every group from the outermost level inwards.
    pub(crate) fn descend(&self, upward: &Upward, t: &[f64], mut visit: impl FnMut(&Step)) {
        let width = self.width;
        let mut outer: (Vec<f64>, Vec<f64>) = (vec![0.0; width], vec![0.0]);
        let mut u = vec![0.0; width];
        let mut total = vec![0.0; width];
        for (depth, (level, &t)) in self.levels.iter().zip(t).enumerate() {
            let is_innermost = depth + 1 == self.levels.len();
            let room = if is_innermost { 0 } else { level.codes.len() };
            let mut here: (Vec<f64>, Vec<f64>) = (Vec::with_capacity(room * width), Vec::with_capacity(room));
            let rows = self.rows(upward, depth);
            for (group, (row, &parent)) in rows.chunks_exact(width).zip(&level.parents).enumerate() {
                let a = row.first().copied().unwrap_or(0.0);
                let d = 1.0 + t * a;
                let share = a / d;
                let w_above = outer.1.get(parent as usize).copied().unwrap_or(0.0);
                let above = outer.0.get(parent as usize * width..).unwrap_or_default();
                let scale = 1.0 / d;
                for (((u, total), &c), &b) in u.iter_mut().zip(&mut total).zip(row).zip(above) {
                    *u = (c - a * b) * scale;
                    *total = b + t * *u;
                }
                let h = share * (1.0 - share * w_above);
                let w = t * scale + w_above * scale * scale;
                let own = t * scale + (t * share) * (t * share) * w_above;
                visit(&Step { level: depth, group, u: &u, h, total: &total, w, own, d, a });
                if !is_innermost {
                    here.0.extend_from_slice(&total);
                    here.1.push(w);
                }
            }
            outer = here;
        }
    }

    /// The same part with one of its levels alone.
    pub(crate) fn alone(&self, level: usize) -> Self {
        let mut group: Vec<u32> = (0..).take(self.levels.last().map_or(0, |l| l.codes.len())).collect();
        for inner in self.levels.iter().skip(level + 1).rev() {
            for g in &mut group {
                *g = inner.parents.get(*g as usize).copied().unwrap_or(0);
            }
        }
        let mut own = self.levels.get(level).cloned().unwrap_or_default();
        own.parents = vec![0; own.codes.len()];
        let mut sums = vec![0.0; own.codes.len() * self.width];
        for (row, &g) in self.sums.chunks_exact(self.width).zip(&group) {
            let from = g as usize * self.width;
            for (sum, value) in sums.get_mut(from..from + self.width).unwrap_or_default().iter_mut().zip(row) {
                *sum += value;
            }
        }
        Self { levels: vec![own].into(), sums: sums.into(), is_membership: false, offset: 0, width: self.width }
    }
}

impl Evaluation {
    /// The derivative of the criterion by t of a factor, from the sums over its units of h = z'V^-1 z and of u u'.
    pub(crate) fn slope(&self, h: f64, q: &[f64], method: Method) -> f64 {
        let width = self.beta.len();
        let trace: f64 = match method {
            Method::Ml => 0.0,
            Method::Reml => q
                .chunks_exact(width)
                .zip(self.inverse.chunks_exact(width - 1))
                .map(|(q, inverse)| q.iter().zip(inverse).map(|(a, b)| a * b).sum::<f64>())
                .sum(),
        };
        h - trace - quadratic(q, &self.beta) / self.sigma2
    }
}

/// sum += scale values.
#[inline]
pub(crate) fn add_scaled(sum: &mut [f64], values: &[f64], scale: f64) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum += scale * value;
    }
}

/// Puts 1'V^-1 A, the sum of the outermost C/d, in its place in M: no cancellation, where gram - sum (t/d) C C' has much
/// for large t.
pub(crate) fn take_means(m: &mut [f64], means: &[f64]) {
    m.iter_mut().zip(means).for_each(|(cell, value)| *cell = *value);
    for (cell, value) in m.iter_mut().step_by(means.len()).zip(means) {
        *cell = *value;
    }
}

/// m += scale row row'.
#[inline]
pub(crate) fn rank_one(m: &mut [f64], row: &[f64], scale: f64) {
    for (line, &a) in m.chunks_exact_mut(row.len()).zip(row) {
        let a = scale * a;
        for (cell, &b) in line.iter_mut().zip(row) {
            *cell += a * b;
        }
    }
}

#[inline]
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// c'C c for a square matrix laid out row by row.
#[inline]
pub(crate) fn quadratic(matrix: &[f64], c: &[f64]) -> f64 {
    if c.is_empty() { 0.0 } else { matrix.chunks_exact(c.len()).zip(c).map(|(row, c_i)| c_i * dot(row, c)).sum() }
}

/// A pivot below this share of its column's own sum of squares counts as nothing left (a multiple correlation beyond
/// 1 - 5e-13: what R's default tolerance of 1e-7 on lengths allows, less what squaring costs).
const RANK_TOLERANCE: f64 = 1e-12;
/// A column whose values differ by less than this share of their size is a constant.
const CONSTANT_TOLERANCE: f64 = 1e-24;

/// An outcome of which the fixed terms leave a smaller share than this is reproduced to rounding.
const EXACT_TOLERANCE: f64 = 1e-14;

/// The terms that are not combinations of those before them, the others, and whether they leave anything of y.
#[allow(clippy::indexing_slicing)] // every index is below `width`, and `g` has `width` squared cells
fn full_rank(moments: &Moments) -> (Vec<usize>, Vec<usize>, bool) {
    let width = moments.width();
    let n = moments.gram.first().copied().unwrap_or(0.0);
    let mut g = moments.gram.clone();
    let (mut kept, mut dropped, mut leaves_some) = (Vec::new(), Vec::new(), false);
    for k in 0..width {
        let own = moments.gram[k * width + k];
        let level = if k == 0 { 0.0 } else { n * moments.shift[k - 1] * moments.shift[k - 1] };
        let pivot = g[k * width + k];
        let is_free = own > CONSTANT_TOLERANCE * (own + level) && pivot > RANK_TOLERANCE * own;
        if k + 1 == width {
            // y may be fitted closely; only an exact fit has no likelihood.
            leaves_some = own > CONSTANT_TOLERANCE * (own + level) && pivot > EXACT_TOLERANCE * own;
        } else if is_free {
            kept.push(k);
            for i in k + 1..width {
                let factor = g[i * width + k] / pivot;
                for j in k + 1..width {
                    g[i * width + j] -= factor * g[k * width + j];
                }
            }
        } else {
            dropped.push(k);
        }
    }
    (kept, dropped, leaves_some)
}
