//! What not knowing the variances adds to the prediction error: it matters where a factor has few units.
//!
//! b is linear in y at given t; with `a_g` = `delta_fg` z - `t_f` `Z_g` `Z_g`'V^-1 z for a unit z of factor f,
//! d b / d `t_g` = `a_g`'V^-1 (y - X beta), so that g3 = sum over g, h of Var(t)_gh `a_g`'V^-1 `a_h` sigma^2, and the mean squared
//! error of prediction is estimated by g1 + g2 + 2 g3 (Prasad & Rao 1990, J. Am. Stat. Assoc. 85:163; Datta & Lahiri
//! 2000, Stat. Sinica 10:613, for REML). Var(t) is twice the inverse of the criterion's second derivatives.

use faer::linalg::solvers::{DenseSolveCore, Solve};
use faer::{Mat, Side};

use super::criterion::Problem;
use super::fit::{Fit, Method};
use super::moments::Moments;
use crate::{Error, Result};

/// Laying out all units is for small problems; with more units than this the correction is far below rounding of a
/// report anyway.
const MOST_UNITS: usize = 2_000;

impl Fit {
    /// g3 of every unit, factor by factor: add twice of it to `sd` squared. NaN for a factor whose variance is zero.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for maximum likelihood and for more than 2,000 units, [`Error::Numerical`] where the
    /// criterion has no second derivatives.
    #[allow(clippy::indexing_slicing)] // every index is below the number of units
    pub fn second_order(&self, moments: &Moments) -> Result<Vec<Vec<f64>>> {
        if self.method != Method::Reml {
            return Err(Error::option("sd", "second_order", "used with method = \"reml\": its theory is that of REML"));
        }
        let problem = Problem::new(moments)?;
        let groups = problem.n_groups();
        let q: usize = groups.iter().sum();
        if q > MOST_UNITS {
            let allowed = format!("used with up to {MOST_UNITS} units ({q} here): it matters with fewer than 30");
            return Err(Error::option("sd", "second_order", allowed));
        }
        let t: Vec<f64> = self.theta.iter().map(|t| t * t).collect();
        let free: Vec<usize> = (0..t.len()).filter(|l| t[*l] > 0.0).collect();
        let spread = self.variance_of_t(moments, &free)?;
        let starts: Vec<usize> = groups.iter().scan(0, |at, n| Some(std::mem::replace(at, *at + n))).collect();
        let range = |level: usize| starts[level]..starts[level] + groups[level];
        let h = between_units(&problem, &t, q)?;
        let mut found: Vec<Vec<f64>> = groups.iter().map(|n| vec![f64::NAN; *n]).collect();
        for &f in &free {
            for u in range(f) {
                // H_ug H_gh for every pair of factors is taken from the row of u.
                let mut g3 = 0.0;
                for (a, &g) in free.iter().enumerate() {
                    for (b, &k) in free.iter().enumerate() {
                        let square = |level: usize| range(level).map(|v| h[(u, v)] * h[(v, u)]).sum::<f64>();
                        let mut form = 0.0;
                        if g == f && k == f {
                            form += h[(u, u)];
                        }
                        if g == f {
                            form -= t[f] * square(k);
                        }
                        if k == f {
                            form -= t[f] * square(g);
                        }
                        let across: f64 =
                            range(g).map(|v| h[(u, v)] * range(k).map(|w| h[(v, w)] * h[(w, u)]).sum::<f64>()).sum();
                        form += t[f] * t[f] * across;
                        g3 += spread[(a, b)] * form;
                    }
                }
                found[f][u - starts[f]] = self.sigma * self.sigma * g3;
            }
        }
        Ok(found)
    }

    /// Var(t) of the factors with t > 0, from differences of the gradient.
    #[allow(clippy::indexing_slicing)] // `free` are levels
    fn variance_of_t(&self, moments: &Moments, free: &[usize]) -> Result<Mat<f64>> {
        const DIFFERENCE: f64 = 1e-4;
        let mut columns = Vec::with_capacity(free.len());
        for &level in free {
            let gradient = |by: f64| {
                let mut theta = self.theta.clone();
                theta[level] *= (1.0 + by).sqrt();
                Fit::gradient_at(moments, &theta, self.method).map(|(_, g)| g)
            };
            let (up, down) = (gradient(DIFFERENCE)?, gradient(-DIFFERENCE)?);
            let width = 2.0 * DIFFERENCE * self.theta[level] * self.theta[level];
            columns.push(free.iter().map(|&l| (up[l] - down[l]) / width).collect::<Vec<f64>>());
        }
        let hessian = Mat::from_fn(free.len(), free.len(), |i, j| f64::midpoint(columns[j][i], columns[i][j]));
        let llt = hessian.llt(Side::Lower).map_err(|_| Error::Numerical {
            what: "the variance of the estimated variances".into(),
            problem: "theta is not a minimum of the criterion: fit before asking".into(),
        })?;
        let inverse = llt.inverse();
        Ok(Mat::from_fn(free.len(), free.len(), |i, j| 2.0 * inverse[(i, j)]))
    }
}

/// Z'V^-1 Z of all units, laid out in full: K - K s (I + s K s)^-1 s K with K = Z'WZ.
#[allow(clippy::indexing_slicing)] // every index is below `q`
fn between_units(problem: &Problem, t: &[f64], q: usize) -> Result<Mat<f64>> {
    let width = problem.width();
    let mut k = Mat::<f64>::zeros(q, q);
    let mut offset = 0;
    // The units, over all levels, that an innermost unit of every part stands for.
    let mut lines: Vec<Vec<Vec<usize>>> = Vec::new();
    for part in &problem.parts {
        let mut starts = Vec::new();
        for level in part.levels.iter() {
            starts.push(offset);
            offset += level.codes.len();
        }
        let innermost = part.levels.last().map_or(0, |l| l.codes.len());
        let line = |unit: usize| {
            let mut at = unit;
            let mut line = Vec::new();
            for (level, start) in part.levels.iter().zip(&starts).rev() {
                line.push(start + at);
                at = level.parents[at] as usize;
            }
            line
        };
        let own: Vec<Vec<usize>> = (0..innermost).map(line).collect();
        if !part.is_membership {
            for (line, row) in own.iter().zip(part.sums.chunks_exact(width)) {
                for &a in line {
                    for &b in line {
                        k[(a, b)] += row[0];
                    }
                }
            }
        }
        lines.push(own);
    }
    for pairs in problem.pairs {
        for &(i, j, w) in &pairs.entries {
            for &a in &lines[pairs.first][i as usize] {
                for &b in &lines[pairs.second][j as usize] {
                    k[(a, b)] += w;
                    if a != b {
                        k[(b, a)] += w;
                    }
                }
            }
        }
    }
    let s: Vec<f64> = t.iter().zip(problem.n_groups()).flat_map(|(t, n)| std::iter::repeat_n(t.sqrt(), n)).collect();
    let inner = Mat::from_fn(q, q, |i, j| s[i] * k[(i, j)] * s[j] + f64::from(u8::from(i == j)));
    let right = Mat::from_fn(q, q, |i, j| s[i] * k[(i, j)]);
    let llt = inner.llt(Side::Lower).map_err(|_| Error::Numerical {
        what: "the second-order deviation".into(),
        problem: "a matrix is not positive definite".into(),
    })?;
    let solution = llt.solve(&right);
    Ok(&k - right.transpose() * &solution)
}
