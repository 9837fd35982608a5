//! Crossed factors and multiple membership: the largest factor is eliminated by its diagonal, the others by Cholesky.
//!
//! With E the eliminated factor (units g, sums `n_g` and `S_g`, d = 1 + t n, kappa = t/d), R all other units, C the weights
//! that units of E and R share, and s the square roots of t of the units of R:
//! P = `Z_R`'V_E^-1 `Z_R` = `Z_R`'W `Z_R` - C'kappa C, B = I + s P s = L L', log|V| = sum log d + log|B|,
//! G = s B^-1 s (`S_R` - C'kappa `S_E`), M = A'WA - `S_E`'kappa `S_E` - (`S_R` - C'kappa `S_E`)'G. Then t z'V^-1 A is the row of G
//! for a unit of R, and kappa (`S_g` - `c_g` G) for one of E; the conditional variances, in units of sigma^2, are
//! s^2 (B^-1)_rr and kappa + kappa^2 `c_g` (s B^-1 s) `c_g`'. Nothing else about B^-1 is needed, and those of its entries
//! lie where its sparse factor has places. Levels around E are units of R like any others.
//!
//! Bates et al. (2015, J. Stat. Softw. 67(1), section 3); Henderson (1975, Biometrics 31:423).

// Indices come from the pattern they were built with.
#![allow(clippy::indexing_slicing, clippy::needless_range_loop, clippy::needless_for_each)]

mod criterion;
mod shared;
mod units;

use std::sync::Arc;

pub(crate) use criterion::State;
pub(crate) use units::Unit;

use super::criterion::Problem;
use super::factor::{Lists, Pattern, Symbolic};
use super::spare::Spare;
use crate::Result;
use shared::{base, shared_with_eliminated};

/// Fewer units than this are factored densely whatever their pattern.
const DENSE_UNITS: usize = 3_000;
/// Denser than this, a matrix is factored densely whatever its size.
const DENSE_SHARE: f64 = 0.3;

/// What does not change with t.
#[derive(Debug)]
pub(crate) struct Crossed {
    /// The eliminated factor: its level, the sums of its units, the weights they share with the units of R.
    pub(super) eliminated: Option<usize>,
    sums: Vec<f64>,
    pub(super) lists: Lists,
    weights: Vec<f64>,
    by_column: (Vec<usize>, Vec<(u32, usize)>),
    /// Where the units of every level begin in R.
    pub(super) offsets: Vec<Option<usize>>,
    /// The level of every unit of R, and its sums.
    level_of: Vec<usize>,
    pub(super) rest_sums: Vec<f64>,
    /// The unit of R around each unit of R, and around each unit of E.
    pub(super) around: Vec<Option<u32>>,
    pub(super) around_eliminated: Vec<Option<u32>>,
    /// The lower triangle of `Z_R`'W `Z_R`.
    base: Pattern,
    base_values: Vec<f64>,
    storage: Option<Arc<Symbolic>>,
    width: usize,
    /// The mean weight of a unit, level by level.
    scale: Vec<f64>,
    pub(super) spare: Spare,
}

impl Crossed {
    pub(super) fn new(problem: &Problem) -> Result<Self> {
        let width = problem.width();
        let groups = problem.n_groups();
        let largest = problem
            .parts
            .iter()
            .enumerate()
            .filter(|(_, p)| !p.is_membership)
            .max_by_key(|(k, p)| (p.levels.last().map_or(0, |l| l.codes.len()), usize::MAX - k));
        let eliminated = largest.map(|(_, p)| p.offset + p.levels.len() - 1);
        let mut offsets = vec![None; groups.len()];
        let mut level_of = Vec::new();
        for (level, &n) in groups.iter().enumerate() {
            if Some(level) != eliminated {
                offsets[level] = Some(level_of.len());
                level_of.extend(std::iter::repeat_n(level, n));
            }
        }
        let q = level_of.len();
        let (mut around, mut rest_sums) = (vec![None; q], vec![0.0; q * width]);
        let mut around_eliminated = Vec::new();
        // The units of R that every innermost unit of every part stands for: itself, unless eliminated, and those around.
        let mut lines: Vec<Lists> = Vec::new();
        for part in &problem.parts {
            for (depth, level) in part.levels.iter().enumerate() {
                let outer = depth.checked_sub(1).and_then(|d| offsets[part.offset + d]);
                let parent = |unit: usize| outer.map(|o| index(o) + level.parents[unit]);
                match offsets[part.offset + depth] {
                    Some(own) => (0..level.codes.len()).for_each(|unit| around[own + unit] = parent(unit)),
                    None => around_eliminated = (0..level.codes.len()).map(parent).collect(),
                }
            }
            let innermost = part.offset + part.levels.len() - 1;
            let mut line = Lists { starts: vec![0], columns: vec![] };
            for unit in 0..groups[innermost] {
                let mut next = match offsets[innermost] {
                    Some(own) => Some(index(own + unit)),
                    None => around_eliminated[unit],
                };
                let from = line.columns.len();
                while let Some(column) = next {
                    line.columns.push(column);
                    for (sum, value) in rest_sums[column as usize * width..][..width]
                        .iter_mut()
                        .zip(&part.sums[unit * width..][..width])
                    {
                        *sum += value;
                    }
                    next = around[column as usize];
                }
                line.columns[from..].sort_unstable();
                line.starts.push(line.columns.len());
            }
            lines.push(line);
        }
        let eliminated_part = largest.map(|(k, _)| k);
        let (lists, weights) = shared_with_eliminated(problem, eliminated_part, &lines);
        let (base, base_values) = base(problem, &lines, q);
        let sums = eliminated_part.map(|k| problem.parts[k].sums.to_vec()).unwrap_or_default();
        let scale = groups.iter().map(|&n| problem.gram[0] / n as f64).collect();
        let by_column = lists.by_column(q);
        let mut crossed = Self {
            eliminated,
            sums,
            lists,
            weights,
            by_column,
            offsets,
            level_of,
            rest_sums,
            around,
            around_eliminated,
            base,
            base_values,
            storage: None,
            width,
            scale,
            spare: Spare::default(),
        };
        if q >= DENSE_UNITS {
            let pattern = crossed.pattern();
            let share = pattern.rows.len() as f64 / (0.5 * q as f64 * (q as f64 + 1.0));
            if share <= DENSE_SHARE {
                crossed.storage = Some(Symbolic::new(pattern)?);
            }
        }
        Ok(crossed)
    }

    /// The same, factored sparsely whatever its size: what a test compares.
    #[cfg(test)]
    pub(super) fn sparse(problem: &Problem) -> Result<Self> {
        let mut crossed = Self::new(problem)?;
        crossed.storage = Some(Symbolic::new(crossed.pattern())?);
        Ok(crossed)
    }

    pub(super) fn is_dense(&self) -> bool {
        self.storage.is_none()
    }

    fn n_rest(&self) -> usize {
        self.level_of.len()
    }
}

fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mixed::{Design, Method, Moments, Random};

    #[test]
    fn the_sparse_route_is_the_dense_one() {
        // Students in schools by teachers, drawn by a rule that leaves most pairs empty.
        let n = 240_u32;
        let student: Vec<u32> = (0..n).map(|i| i % 60).collect();
        let teacher: Vec<u32> = (0..n).map(|i| (i * 7 + i / 60 * 3) % 25).collect();
        let school: Vec<u32> = teacher.iter().map(|t| t % 5).collect();
        let y: Vec<f64> = (0..n).map(|i| f64::from(i * 37 % 101) / 20.0 + f64::from(i % 60 % 7)).collect();
        let x: Vec<f64> = (0..n).map(|i| f64::from(i * 53 % 97)).collect();
        let design = Design::new(y.len(), &[crate::mixed::Covariate::Numeric { name: "x", values: &x }]).unwrap();
        let random = [Random::Nested(&[&student]), Random::Nested(&[&school, &teacher])];
        let moments = Moments::of_model(&design, &y, &random, None).unwrap();
        let problem = Problem::new(&moments).unwrap();
        let (dense, sparse) = (Crossed::new(&problem).unwrap(), Crossed::sparse(&problem).unwrap());
        assert!(dense.is_dense() && !sparse.is_dense());
        for t in [[0.5, 0.2, 0.3], [0.0, 0.4, 0.1], [0.3, 0.0, 0.7]] {
            for method in [Method::Reml, Method::Ml] {
                let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9 * (1.0 + b.abs()), "{a} {b}");
                let (a, b) =
                    (dense.gradient(&problem, &t, method).unwrap(), sparse.gradient(&problem, &t, method).unwrap());
                close(a.0, b.0);
                // At t = 0 the derivative is a difference of nearly equal numbers over a tiny one.
                let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-6 * (1.0 + b.abs()), "{a} {b}");
                a.1.iter().zip(&b.1).for_each(|(a, b)| near(*a, *b));
                let (a, b) = (dense.state(&problem, &t, method).unwrap(), sparse.state(&problem, &t, method).unwrap());
                let (i, j) = (a.factor.inverse(&dense.spare).unwrap(), b.factor.inverse(&sparse.spare).unwrap());
                for level in 0..3 {
                    let both = (dense.units(&a, &i, level).unwrap(), sparse.units(&b, &j, level).unwrap());
                    for (a, b) in both.0.iter().zip(&both.1) {
                        close(a.variance, b.variance);
                        close(a.total_variance, b.total_variance);
                        a.own.iter().zip(&b.own).for_each(|(a, b)| close(*a, *b));
                        a.mean.iter().zip(&b.mean).for_each(|(a, b)| close(*a, *b));
                    }
                    close(dense.difference(&a, level, 0, 3).unwrap(), sparse.difference(&b, level, 0, 3).unwrap());
                }
            }
        }
    }
}
