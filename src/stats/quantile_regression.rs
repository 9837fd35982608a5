//! Linear models of conditional quantiles.

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};

use crate::{Error, Result};

/// Rows of a design with their outcomes: `x` row after row, `width` columns.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// The design.
    pub x: &'a [f64],
    /// Its number of columns.
    pub width: usize,
    /// The outcomes.
    pub y: &'a [f64],
}

/// How far a step goes towards the boundary.
const DAMPING: f64 = 0.9995;
/// The gap between the two problems, relative to the loss, at which both are solved.
const GAP: f64 = 1e-11;
/// Below this share of the gap at the start a step that does not halve it meets nothing but rounding.
const NEAR: f64 = 1e-8;
/// How far from the boundary a row starts, in mean absolute residuals: nearer, the first steps only lead away from it.
const START: f64 = 0.1;
/// A dozen steps are the rule; some dozens in the far tails of many rows.
const MOST_STEPS: usize = 200;

/// Coefficients b that minimise the check loss `sum rho(y - x b)`, `rho(r) = r (tau - [r < 0])`.
///
/// By the interior-point method of Frisch and Newton with Mehrotra's corrector (Portnoy & Koenker 1997, Stat. Sci. 12:279;
/// Koenker & Bassett 1978, Econometrica 46:33), each step one weighted least squares. The solution is then moved to the
/// nearest vertex, where as many rows as there are columns are fitted exactly, if that loses nothing. Where several
/// solutions have the same loss, one of them is returned.
///
/// # Errors
/// [`Error::InvalidOption`] for a tau outside (0, 1); [`Error::Numerical`] if columns are combinations of each other.
///
/// ```
/// use brightspot::stats::quantile_regression::{Rows, fit};
/// // The median of five numbers.
/// let b = fit(&Rows { x: &[1.0; 5], width: 1, y: &[3.0, 9.0, 1.0, 4.0, 100.0] }, 0.5)?;
/// assert!((b[0] - 4.0).abs() < 1e-12);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn fit(rows: &Rows<'_>, tau: f64) -> Result<Vec<f64>> {
    if !(tau > 0.0 && tau < 1.0) {
        return Err(Error::option("tau", tau, "between 0 and 1, both excluded"));
    }
    let inner = Inner::new(rows, tau)?.solve()?;
    Ok(match vertex(rows, &inner) {
        Some(corner) if check_loss(rows, &corner, tau) <= check_loss(rows, &inner, tau) * (1.0 + 1e-12) => corner,
        _ => inner,
    })
}

/// The check loss of coefficients.
pub fn check_loss(rows: &Rows<'_>, b: &[f64], tau: f64) -> f64 {
    rows.pairs().map(|(x, y)| y - dot(x, b)).map(|r| if r < 0.0 { (tau - 1.0) * r } else { tau * r }).sum()
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl Rows<'_> {
    fn pairs(&self) -> impl Iterator<Item = (&[f64], f64)> {
        self.x.chunks_exact(self.width).zip(self.y.iter().copied())
    }
}

/// What is carried from step to step: the dual variables of every row.
struct Inner<'a> {
    rows: &'a Rows<'a>,
    tau: f64,
    /// Of the outcomes, so that the gap is in units of their spread.
    scale: f64,
    /// Between 0 and 1, with x and s their distances from both.
    x: Vec<f64>,
    s: Vec<f64>,
    z: Vec<f64>,
    w: Vec<f64>,
    b: Vec<f64>,
}

/// A step of every variable.
struct Step {
    b: Vec<f64>,
    x: Vec<f64>,
    z: Vec<f64>,
    w: Vec<f64>,
}

impl<'a> Inner<'a> {
    fn new(rows: &'a Rows<'a>, tau: f64) -> Result<Self> {
        let n = rows.y.len();
        let center = rows.y.iter().sum::<f64>() / n as f64;
        let spread = (rows.y.iter().map(|y| (y - center).powi(2)).sum::<f64>() / n as f64).sqrt();
        let scale = if spread > 0.0 { spread } else { 1.0 };
        let normal = Normal::new(rows, &vec![1.0; n])?;
        let scaled: Vec<f64> = rows.y.iter().map(|y| y / scale).collect();
        let b = normal.solve(rows, &scaled);
        let residual = |(x, y): (&[f64], f64)| {
            // On the boundary a variable would never move.
            let r = dot(x, &b) - y / scale;
            if r == 0.0 { 0.001 } else { r }
        };
        let r: Vec<f64> = rows.pairs().map(residual).collect();
        let apart = (START * r.iter().map(|r| r.abs()).sum::<f64>() / n as f64).max(1e-10);
        Ok(Self {
            rows,
            tau,
            scale,
            x: vec![1.0 - tau; n],
            s: vec![tau; n],
            z: r.iter().map(|r| r.max(0.0) + apart).collect(),
            w: r.iter().map(|r| (-r).max(0.0) + apart).collect(),
            b,
        })
    }

    /// The complementarity of both problems: zero at the solution.
    fn gap(&self) -> f64 {
        dot(&self.z, &self.x) + dot(&self.w, &self.s)
    }

    fn solve(mut self) -> Result<Vec<f64>> {
        let at_start = self.gap().max(f64::MIN_POSITIVE);
        let mut before = f64::INFINITY;
        for _ in 0..MOST_STEPS {
            let gap = self.gap();
            if gap <= GAP * at_start || (gap <= NEAR * at_start && gap > 0.5 * before) {
                break;
            }
            before = gap;
            let Ok((step, primal, dual)) = self.step() else {
                // Weights of so unlike sizes that nothing more can be had: what there is is close.
                if gap <= 1e-6 * at_start {
                    break;
                }
                return Err(singular());
            };
            let walk = |at: &mut [f64], by: &[f64], share: f64| {
                at.iter_mut().zip(by).for_each(|(at, by)| *at += share * by);
            };
            walk(&mut self.x, &step.x, primal);
            walk(&mut self.s, &step.x, -primal);
            walk(&mut self.b, &step.b, dual);
            walk(&mut self.z, &step.z, dual);
            walk(&mut self.w, &step.w, dual);
        }
        Ok(self.b.iter().map(|b| b * self.scale).collect())
    }

    /// The step, and how much of it to take in x and in the others.
    fn step(&self) -> Result<(Step, f64, f64)> {
        let n = self.x.len();
        let each = |f: &dyn Fn(f64, f64, f64, f64) -> f64| -> Vec<f64> {
            let (a, b) = (self.x.iter().zip(&self.s), self.z.iter().zip(&self.w));
            a.zip(b).map(|((x, s), (z, w))| f(*x, *s, *z, *w)).collect()
        };
        let q = each(&|x, s, z, w| 1.0 / (z / x + w / s));
        // Both residuals are kept: what is infeasible of the dual is brought in as well.
        let infeasible: Vec<f64> = self
            .rows
            .pairs()
            .zip(self.z.iter().zip(&self.w))
            .map(|((row, y), (z, w))| dot(row, &self.b) - y / self.scale - (z - w))
            .collect();
        let normal = Normal::new(self.rows, &q)?;
        let target: Vec<f64> = {
            let mut sums = vec![0.0; self.rows.width];
            for ((row, _), x) in self.rows.pairs().zip(&self.x) {
                sums.iter_mut().zip(row).for_each(|(sum, cell)| *sum += cell * ((1.0 - self.tau) - x));
            }
            sums
        };
        // z + dz - (w + dw) = x'b + x'db - y, with x dz + z dx = m - x z (- dx dz) and the mirror of it.
        let solve = |mz: &[f64], mw: &[f64]| -> Step {
            let v: Vec<f64> = (0..n)
                .map(|i| {
                    let at = |values: &[f64]| values.get(i).copied().unwrap_or(0.0);
                    at(mz) / at(&self.x) - at(mw) / at(&self.s) - at(&self.z) + at(&self.w) - at(&infeasible)
                })
                .collect();
            // dx = q (v - x'db) and X'dx = target.
            let weighted: Vec<f64> = v.iter().zip(&q).map(|(v, q)| v * q).collect();
            let db = normal.solve_with(self.rows, &weighted, &target);
            let dx: Vec<f64> =
                self.rows.pairs().zip(v.iter().zip(&q)).map(|((row, _), (v, q))| q * (v - dot(row, &db))).collect();
            let dz = each_with(mz, &self.x, &self.z, &dx, 1.0);
            let dw = each_with(mw, &self.s, &self.w, &dx, -1.0);
            Step { b: db, x: dx, z: dz, w: dw }
        };
        let zero = vec![0.0; n];
        let predictor = solve(&zero, &zero);
        let (primal, dual) = self.shares(&predictor);
        let gap = self.gap();
        let ahead: f64 = (0..n)
            .map(|i| {
                let at = |values: &[f64]| values.get(i).copied().unwrap_or(0.0);
                let (dx, dz, dw) = (primal * at(&predictor.x), dual * at(&predictor.z), dual * at(&predictor.w));
                (at(&self.z) + dz) * (at(&self.x) + dx) + (at(&self.w) + dw) * (at(&self.s) - dx)
            })
            .sum();
        let mu = (ahead / gap).powi(3) * gap / (2.0 * n as f64);
        let product =
            |a: &[f64], b: &[f64], sign: f64| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| mu - sign * a * b).collect() };
        let corrector = solve(&product(&predictor.x, &predictor.z, 1.0), &product(&predictor.x, &predictor.w, -1.0));
        let (primal, dual) = self.shares(&corrector);
        Ok((corrector, primal, dual))
    }

    /// How much of a step stays inside.
    fn shares(&self, step: &Step) -> (f64, f64) {
        let most = |at: &[f64], by: &[f64], sign: f64| {
            at.iter()
                .zip(by)
                .filter(|(_, by)| sign * **by < 0.0)
                .map(|(at, by)| -at / (sign * by))
                .fold(f64::INFINITY, f64::min)
        };
        let primal = most(&self.x, &step.x, 1.0).min(most(&self.s, &step.x, -1.0));
        let dual = most(&self.z, &step.z, 1.0).min(most(&self.w, &step.w, 1.0));
        ((DAMPING * primal).min(1.0), (DAMPING * dual).min(1.0))
    }
}

/// d multiplier = (m - multiplier * distance - multiplier * d distance) / distance.
fn each_with(m: &[f64], distance: &[f64], multiplier: &[f64], dx: &[f64], sign: f64) -> Vec<f64> {
    m.iter()
        .zip(distance)
        .zip(multiplier.iter().zip(dx))
        .map(|((m, distance), (multiplier, dx))| (m - multiplier * sign * dx) / distance - multiplier)
        .collect()
}

/// The factor of X'QX.
struct Normal(faer::linalg::solvers::Llt<f64>);

impl Normal {
    fn new(rows: &Rows<'_>, q: &[f64]) -> Result<Self> {
        let p = rows.width;
        let mut sums = vec![0.0; p * p];
        for ((row, _), q) in rows.pairs().zip(q) {
            for (i, (cells, a)) in sums.chunks_exact_mut(p).zip(row).enumerate() {
                let weighted = q * a;
                // The lower triangle is all that is read.
                cells.iter_mut().zip(row).take(i + 1).for_each(|(cell, b)| *cell += weighted * b);
            }
        }
        let matrix = Mat::from_fn(p, p, |i, j| sums.get(i * p + j).copied().unwrap_or(f64::NAN));
        Ok(Self(matrix.llt(Side::Lower).map_err(|_| singular())?))
    }

    /// Least squares with weights of 1.
    fn solve(&self, rows: &Rows<'_>, y: &[f64]) -> Vec<f64> {
        self.solve_with(rows, y, &vec![0.0; rows.width])
    }

    /// The solution for X'v - less.
    fn solve_with(&self, rows: &Rows<'_>, v: &[f64], less: &[f64]) -> Vec<f64> {
        let mut sums: Vec<f64> = less.iter().map(|less| -less).collect();
        for ((row, _), v) in rows.pairs().zip(v) {
            sums.iter_mut().zip(row).for_each(|(sum, cell)| *sum += cell * v);
        }
        let right = Mat::from_fn(rows.width, 1, |i, _| sums.get(i).copied().unwrap_or(f64::NAN));
        let solved = self.0.solve(&right);
        (0..rows.width).map(|i| solved[(i, 0)]).collect()
    }
}

fn singular() -> Error {
    Error::Numerical {
        what: "a quantile regression".into(),
        problem: "some columns are combinations of others; use fewer knots".into(),
    }
}

/// The coefficients that fit exactly the rows which `b` fits best, as many as there are columns and independent.
fn vertex(rows: &Rows<'_>, b: &[f64]) -> Option<Vec<f64>> {
    let p = rows.width;
    let mut order: Vec<(f64, usize)> =
        rows.pairs().map(|(x, y)| (y - dot(x, b)).abs()).enumerate().map(|(row, r)| (r, row)).collect();
    let near = (20 * p).min(order.len());
    order.select_nth_unstable_by(near.checked_sub(1)?, |a, b| a.0.total_cmp(&b.0));
    order.truncate(near);
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut chosen, mut directions): (Vec<usize>, Vec<Vec<f64>>) = (vec![], vec![]);
    for (_, row) in order {
        let x = rows.x.get(row * p..(row + 1) * p)?;
        let mut rest = x.to_vec();
        for direction in &directions {
            let along = dot(&rest, direction);
            rest.iter_mut().zip(direction).for_each(|(rest, d)| *rest -= along * d);
        }
        let length = dot(&rest, &rest).sqrt();
        if length > 1e-8 * dot(x, x).sqrt() {
            directions.push(rest.iter().map(|rest| rest / length).collect());
            chosen.push(row);
        }
        if chosen.len() == p {
            break;
        }
    }
    if chosen.len() < p {
        return None;
    }
    let cell = |i: usize, j: usize| chosen.get(i).and_then(|row| rows.x.get(row * p + j)).copied().unwrap_or(f64::NAN);
    let right = Mat::from_fn(p, 1, |i, _| chosen.get(i).and_then(|row| rows.y.get(*row)).copied().unwrap_or(f64::NAN));
    let solved = Mat::from_fn(p, p, cell).partial_piv_lu().solve(&right);
    let found: Vec<f64> = (0..p).map(|i| solved[(i, 0)]).collect();
    found.iter().all(|b| b.is_finite()).then_some(found)
}
