//! The profiled criterion of a model with slopes and its gradient, linear in the number of units.
//!
//! For a unit with G = Z'Z and B = Z'A: U = I + Lambda'G Lambda = L L', R = L^-1 Lambda'B; log|V| gains 2 log|L| and
//! M = A'V^-1 A loses R'R (Bates, Maechler, Bolker & Walker 2015, J. Stat. Softw. 67(1), eq. 33-42). With
//! u = Z'V^-1 A = B - G Lambda L'^-1 R, H = Z'V^-1 Z, S = Lambda Lambda' and v = (-beta, 1),
//! d dev = tr(Gamma dS), Gamma = sum H - sum ux Mxx^-1 ux' - sum (u v)(u v)'/sigma^2 (without the middle for ML). S is
//! a minimum over all covariance matrices only if Gamma S = 0 and Gamma has no negative eigenvalue, on the boundary too.

use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::{Mat, Par, Side};

use super::moments::{SlopeMoments, outer};
use crate::mixed::Method;
use crate::mixed::basis::Basis;
use crate::{Error, Result};

/// The moments in a basis that a search likes: kept fixed terms, then y; slopes about 0 and of size 1.
pub(super) struct Problem {
    pub(super) n_obs: f64,
    pub(super) basis: Basis,
    /// What takes a unit's intercept and slopes to those of this basis, and back.
    pub(super) into: Mat<f64>,
    pub(super) back: Mat<f64>,
    /// [x, y]'[x, y].
    gram: Vec<f64>,
    /// Z'Z and Z'[x, y] of every unit.
    g: Vec<f64>,
    b: Vec<f64>,
    pub(super) n_groups: usize,
}

/// The criterion at one Lambda, with what it is made of.
pub(super) struct Evaluation {
    pub(super) deviance: f64,
    pub(super) sigma2: f64,
    pub(super) beta: Vec<f64>,
    /// (X'V^-1 X)^-1.
    pub(super) inverse: Mat<f64>,
    /// d dev = tr(Gamma dS).
    pub(super) gamma: Mat<f64>,
}

/// An outcome of which the fixed terms leave a smaller share than this is reproduced to rounding.
const EXACT_TOLERANCE: f64 = 1e-14;

impl Problem {
    pub(super) fn new(moments: &SlopeMoments) -> Result<Self> {
        let (width, p) = (moments.width(), moments.terms.len());
        let at = |values: &[f64], i: usize| values.get(i).copied().unwrap_or(f64::NAN);
        let x_gram: Vec<f64> =
            moments.gram.chunks_exact(width).take(p).flat_map(|r| r.iter().take(p).copied()).collect();
        let basis = Basis::of_gram(&x_gram, moments.shift.get(..p - 1).unwrap_or_default());
        let n_terms = basis.n_terms();
        if moments.n_obs <= n_terms {
            return Err(Error::TooFew {
                what: "a mixed model".into(),
                needed: format!("{} rows (one more than its fixed terms)", n_terms + 1),
                found: moments.n_obs,
                remedy: "leave out covariates or add rows".into(),
            });
        }
        let n = moments.n_obs as f64;
        let columns: Vec<usize> = basis.kept.iter().copied().chain([width - 1]).collect();
        let scale: Vec<f64> = basis.scale.iter().copied().chain([1.0]).collect();
        // The covariates of the slopes in units of their standard deviation.
        let (mut z_scale, mut z_shift) = (vec![1.0], vec![0.0]);
        for (&place, name) in moments.places.iter().zip(&moments.columns).skip(1) {
            let (own, shift) = (at(&moments.gram, place * width + place), at(&moments.shift, place - 1));
            if own.is_nan() || own <= 1e-24 * (own + n * shift * shift) {
                return Err(Error::InvalidValue {
                    what: format!("the slope of {name:?}"),
                    found: "a covariate without variation".into(),
                    remedy: "take it out of the slopes".into(),
                });
            }
            z_scale.push((own / n).sqrt());
            z_shift.push(shift);
        }
        let k = z_scale.len();
        let (mut g, mut b) = (vec![], vec![]);
        for block in moments.sums.chunks_exact(moments.size()) {
            for (line, sz) in block.chunks_exact(width).zip(&z_scale) {
                g.extend(moments.places.iter().zip(&z_scale).map(|(&c, s)| at(line, c) / (s * sz)));
                b.extend(columns.iter().zip(&scale).map(|(&c, s)| at(line, c) / (s * sz)));
            }
        }
        let gram = columns
            .iter()
            .zip(&scale)
            .flat_map(|(&r, sr)| columns.iter().zip(&scale).map(move |(&c, sc)| (r * width + c, sr * sc)))
            .map(|(cell, s)| at(&moments.gram, cell) / s)
            .collect();
        let into = Mat::from_fn(k, k, |i, j| match (i, j) {
            _ if i == j => at(&z_scale, i),
            (0, j) => at(&z_shift, j),
            _ => 0.0,
        });
        let back = Mat::from_fn(k, k, |i, j| match (i, j) {
            _ if i == j => 1.0 / at(&z_scale, i),
            (0, j) => -at(&z_shift, j) / at(&z_scale, j),
            _ => 0.0,
        });
        Ok(Self { n_obs: n, basis, into, back, gram, g, b, n_groups: moments.codes.len() })
    }

    /// Columns of Z.
    pub(super) fn n_slopes(&self) -> usize {
        self.into.nrows()
    }

    /// Fixed terms and y.
    pub(super) fn width(&self) -> usize {
        self.basis.n_terms() + 1
    }

    /// G and B of every unit.
    pub(super) fn units(&self) -> impl Iterator<Item = (&[f64], &[f64])> {
        let k = self.n_slopes();
        self.g.chunks_exact(k * k).zip(self.b.chunks_exact(k * self.width()))
    }

    /// The criterion at Lambda (any square root of S, in this basis).
    pub(super) fn evaluate(&self, lambda: &Mat<f64>, method: Method) -> Result<Evaluation> {
        let (k, width) = (self.n_slopes(), self.width());
        let mut unit = Unit::new(lambda, width);
        let (mut m, mut log_det) = (self.gram.clone(), 0.0);
        let mut first = vec![0.0; width];
        let mut h = vec![0.0; k * k];
        let mut q = vec![vec![0.0; width * width]; k * k];
        for (g, b) in self.units() {
            log_det += unit.eliminate(g, b);
            for line in unit.r.chunks_exact(width) {
                for (row, &a) in m.chunks_exact_mut(width).zip(line) {
                    for (cell, &b) in row.iter_mut().zip(line) {
                        *cell -= a * b;
                    }
                }
            }
            unit.outward(g, b);
            for (sum, value) in first.iter_mut().zip(&unit.u) {
                *sum += value;
            }
            for (sum, value) in h.iter_mut().zip(&unit.h) {
                *sum += value;
            }
            for (place, cell) in q.iter_mut().enumerate() {
                // Symmetric in (i, j) once both sides are summed with the same weights.
                let (i, j) = (place / k, place % k);
                let mut lines = unit.u.chunks_exact(width);
                if i <= j
                    && let (Some(a), Some(b)) = (unit.u.chunks_exact(width).nth(i), lines.nth(j))
                {
                    outer(cell, a, b);
                }
            }
        }
        // 1'V^-1 A is a sum of u: no cancellation, where A'A - sum R'R has much for a large variance.
        for ((cell, value), row) in (0..width).zip(&first).zip(0..) {
            for place in [cell, row * width] {
                if let Some(slot) = m.get_mut(place) {
                    *slot = *value;
                }
            }
        }
        self.profile(&m, log_det, &h, &q, method)
    }

    fn profile(&self, m: &[f64], log_det: f64, h: &[f64], q: &[Vec<f64>], method: Method) -> Result<Evaluation> {
        let (k, width) = (self.n_slopes(), self.width());
        let p = width - 1;
        let failed = |problem: &str| Error::Numerical { what: "the criterion".into(), problem: problem.into() };
        let square = |m: &[f64], n: usize| Mat::from_fn(n, n, |i, j| m.get(i * n + j).copied().unwrap_or(f64::NAN));
        if m.iter().any(|v| !v.is_finite()) {
            return Err(failed("the cross products are not finite"));
        }
        let llt =
            square(m, width).llt(Side::Lower).map_err(|_| failed("the cross products are not positive definite"))?;
        let factor = llt.L();
        let l_xx = factor.submatrix(0, 0, p, p);
        let r2 = factor[(p, p)] * factor[(p, p)];
        let total = self.gram.last().copied().unwrap_or(0.0);
        if r2.is_nan() || r2 <= EXACT_TOLERANCE * total {
            return Err(Error::InvalidValue {
                what: "the outcome".into(),
                found: "no variation beyond the fixed terms and the slopes".into(),
                remedy: "check that the outcome is not constant and not among the covariates".into(),
            });
        }
        let freedom = match method {
            Method::Reml => self.n_obs - p as f64,
            Method::Ml => self.n_obs,
        };
        let mut beta = Mat::from_fn(p, 1, |k, _| factor[(p, k)]);
        solve_upper_triangular_in_place(l_xx.transpose(), beta.as_mut(), Par::Seq);
        let mut half = Mat::<f64>::identity(p, p);
        solve_lower_triangular_in_place(l_xx, half.as_mut(), Par::Seq);
        let inverse = half.transpose() * &half;
        let sigma2 = r2 / freedom;
        let log_det_x: f64 = (0..p).map(|k| 2.0 * factor[(k, k)].ln()).sum::<f64>()
            + self.basis.scale.iter().map(|s| 2.0 * s.ln()).sum::<f64>();
        let fit = freedom * (1.0 + (2.0 * std::f64::consts::PI * sigma2).ln());
        let deviance = match method {
            Method::Reml => log_det + log_det_x + fit,
            Method::Ml => log_det + fit,
        };
        let v = Mat::from_fn(width, 1, |i, _| if i == p { 1.0 } else { -beta[(i, 0)] });
        let mut gamma = square(h, k);
        for (cell, q) in q.iter().enumerate() {
            let (i, j) = (cell / k, cell % k);
            if i > j {
                continue;
            }
            let q = square(q, width);
            let trace: f64 = match method {
                Method::Ml => 0.0,
                Method::Reml => (0..p).map(|a| (0..p).map(|b| inverse[(a, b)] * q[(b, a)]).sum::<f64>()).sum(),
            };
            let loss = trace + (v.transpose() * &q * &v)[(0, 0)] / sigma2;
            gamma[(i, j)] -= loss;
            if i != j {
                gamma[(j, i)] -= loss;
            }
        }
        let beta = (0..p).map(|i| beta[(i, 0)]).collect();
        Ok(Evaluation { deviance, sigma2, beta, inverse, gamma })
    }
}

/// Room for the algebra of one unit: k by k and k by width, row by row.
pub(super) struct Unit {
    k: usize,
    width: usize,
    lambda: Vec<f64>,
    /// G Lambda, then what remains of it.
    gl: Vec<f64>,
    /// The lower Cholesky factor of I + Lambda'G Lambda.
    factor: Vec<f64>,
    /// L^-1 Lambda'B.
    pub(super) r: Vec<f64>,
    /// L^-1 Lambda'G.
    lg: Vec<f64>,
    /// Z'V^-1 A and Z'V^-1 Z.
    pub(super) u: Vec<f64>,
    pub(super) h: Vec<f64>,
}

#[allow(clippy::indexing_slicing)] // every index is below k or width, and the blocks are made of that many cells
impl Unit {
    pub(super) fn new(lambda: &Mat<f64>, width: usize) -> Self {
        let k = lambda.nrows();
        let square = vec![0.0; k * k];
        Self {
            k,
            width,
            lambda: (0..k * k).map(|c| lambda[(c / k, c % k)]).collect(),
            gl: square.clone(),
            factor: square.clone(),
            r: vec![0.0; k * width],
            lg: square.clone(),
            u: vec![0.0; k * width],
            h: square,
        }
    }

    /// L and R of a unit; the logarithm of |I + Lambda'G Lambda|.
    pub(super) fn eliminate(&mut self, g: &[f64], b: &[f64]) -> f64 {
        let (k, width) = (self.k, self.width);
        for i in 0..k {
            for j in 0..k {
                self.gl[i * k + j] = (0..k).map(|c| g[i * k + c] * self.lambda[c * k + j]).sum();
            }
        }
        let mut log_det = 0.0;
        for i in 0..k {
            for j in 0..=i {
                let inner: f64 = (0..k).map(|c| self.lambda[c * k + i] * self.gl[c * k + j]).sum();
                let known: f64 = (0..j).map(|c| self.factor[i * k + c] * self.factor[j * k + c]).sum();
                let rest = inner - known;
                self.factor[i * k + j] = if i == j { (1.0 + rest).sqrt() } else { rest / self.factor[j * k + j] };
            }
            log_det += 2.0 * self.factor[i * k + i].ln();
        }
        transposed_times(&self.lambda, b, &mut self.r, k, width);
        forward(&self.factor, &mut self.r, k, width);
        log_det
    }

    /// u and H of the unit that was eliminated last.
    pub(super) fn outward(&mut self, g: &[f64], b: &[f64]) {
        let (k, width) = (self.k, self.width);
        transposed_times(&self.lambda, g, &mut self.lg, k, k);
        forward(&self.factor, &mut self.lg, k, k);
        for i in 0..k {
            for j in 0..width {
                let taken: f64 = (0..k).map(|c| self.lg[c * k + i] * self.r[c * width + j]).sum();
                self.u[i * width + j] = b[i * width + j] - taken;
            }
            for j in 0..k {
                let taken: f64 = (0..k).map(|c| self.lg[c * k + i] * self.lg[c * k + j]).sum();
                self.h[i * k + j] = g[i * k + j] - taken;
            }
        }
    }

    /// Lambda L'^-1, whose square is the conditional covariance in units of sigma^2, and which takes R to effects.
    pub(super) fn root(&self) -> Mat<f64> {
        let k = self.k;
        // The rows of L^-1 Lambda' are its columns.
        let mut half = vec![0.0; k * k];
        for i in 0..k {
            for j in 0..k {
                half[i * k + j] = self.lambda[j * k + i];
            }
        }
        forward(&self.factor, &mut half, k, k);
        Mat::from_fn(k, k, |i, j| half[j * k + i])
    }
}

/// out = left' right, left k by k, right k by n.
#[allow(clippy::indexing_slicing)] // as above
fn transposed_times(left: &[f64], right: &[f64], out: &mut [f64], k: usize, n: usize) {
    for i in 0..k {
        for j in 0..n {
            out[i * n + j] = (0..k).map(|c| left[c * k + i] * right[c * n + j]).sum();
        }
    }
}

/// block = L^-1 block, k by n.
#[allow(clippy::indexing_slicing)] // as above
fn forward(factor: &[f64], block: &mut [f64], k: usize, n: usize) {
    for i in 0..k {
        for j in 0..n {
            let known: f64 = (0..i).map(|c| factor[i * k + c] * block[c * n + j]).sum();
            block[i * n + j] = (block[i * n + j] - known) / factor[i * k + i];
        }
    }
}
