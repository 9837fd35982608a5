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

use std::sync::Arc;

use faer::Mat;

use super::criterion::{Evaluation, Problem, rank_one};
use super::factor::{Factor, Inverse, Lists, Pattern, Symbolic};
use super::fit::Method;
use super::moments::summed;
use crate::Result;

/// Fewer units than this are factored densely whatever their pattern.
const DENSE_UNITS: usize = 3_000;
/// Denser than this, a matrix is factored densely whatever its size.
const DENSE_SHARE: f64 = 0.3;
/// t times the weight of a unit that stands for 0 in a derivative: the error of the derivative is of this order.
const NEARLY_ZERO: f64 = 1e-8;

/// What does not change with t.
#[derive(Debug)]
pub(super) struct Crossed {
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
}

/// The criterion at one point, and the factor behind it.
#[derive(Debug)]
pub(super) struct State {
    pub(super) point: Evaluation,
    pub(super) factor: Factor,
    /// sqrt(t) of the units of R; d of those of E, and the t of E.
    pub(super) s: Vec<f64>,
    pub(super) d: Vec<f64>,
    pub(super) t: f64,
    /// t z'V^-1 A of the units of R, row by row.
    pub(super) gamma: Vec<f64>,
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

    /// Where B has entries.
    fn pattern(&self) -> Pattern {
        let q = self.n_rest();
        let mut pattern = Pattern { starts: vec![0], rows: vec![] };
        let mut seen = vec![usize::MAX; q];
        for j in 0..q {
            let from = pattern.rows.len();
            let mut see = |i: usize, rows: &mut Vec<usize>| {
                if seen[i] != j {
                    seen[i] = j;
                    rows.push(i);
                }
            };
            see(j, &mut pattern.rows);
            for e in self.base.starts[j]..self.base.starts[j + 1] {
                see(self.base.rows[e], &mut pattern.rows);
            }
            for &(row, e) in &self.by_column.1[self.by_column.0[j]..self.by_column.0[j + 1]] {
                for &column in &self.lists.columns[e..self.lists.starts[row as usize + 1]] {
                    see(column as usize, &mut pattern.rows);
                }
            }
            pattern.rows[from..].sort_unstable();
            pattern.starts.push(pattern.rows.len());
        }
        pattern
    }

    /// Adds column j of P to `column`, the rows from j on.
    #[inline]
    fn add_column(&self, j: usize, kappa: &[f64], column: &mut [f64]) {
        for e in self.base.starts[j]..self.base.starts[j + 1] {
            column[self.base.rows[e]] += self.base_values[e];
        }
        for &(row, e) in &self.by_column.1[self.by_column.0[j]..self.by_column.0[j + 1]] {
            let row = row as usize;
            let scale = kappa[row] * self.weights[e];
            let range = e..self.lists.starts[row + 1];
            for (&i, w) in self.lists.columns[range.clone()].iter().zip(&self.weights[range]) {
                column[i as usize] -= scale * w;
            }
        }
    }

    fn factor(&self, s: &[f64], kappa: &[f64]) -> Result<Factor> {
        let q = self.n_rest();
        match &self.storage {
            None => {
                let mut matrix = Mat::<f64>::zeros(q, q);
                let mut column = vec![0.0; q];
                for j in 0..q {
                    if s[j] > 0.0 {
                        column[j..].fill(0.0);
                        self.add_column(j, kappa, &mut column);
                        for ((cell, value), s_i) in matrix.col_mut(j).iter_mut().zip(&column).zip(s).skip(j) {
                            *cell = s[j] * s_i * value;
                        }
                    }
                    matrix[(j, j)] += 1.0;
                }
                Factor::dense(&matrix)
            }
            Some(symbolic) => {
                let pattern = symbolic.pattern();
                let mut values = vec![0.0; pattern.rows.len()];
                let mut column = vec![0.0; q];
                for j in 0..q {
                    self.add_column(j, kappa, &mut column);
                    let places = pattern.starts[j]..pattern.starts[j + 1];
                    for (&i, value) in pattern.rows[places.clone()].iter().zip(&mut values[places]) {
                        *value = s[j] * s[i] * column[i] + f64::from(u8::from(i == j));
                        column[i] = 0.0;
                    }
                }
                Factor::sparse(symbolic, &values)
            }
        }
    }

    /// The criterion at t.
    pub(super) fn state(&self, problem: &Problem, t: &[f64], method: Method) -> Result<State> {
        let (q, width) = (self.n_rest(), self.width);
        let s: Vec<f64> = self.level_of.iter().map(|&l| t[l].sqrt()).collect();
        let own = self.eliminated.map_or(0.0, |l| t[l]);
        let d: Vec<f64> = self.sums.chunks_exact(width).map(|row| 1.0 + own * row[0]).collect();
        let kappa: Vec<f64> = d.iter().map(|d| own / d).collect();
        let factor = self.factor(&s, &kappa)?;
        let mut m = problem.gram.clone();
        let mut log_det = factor.log_det()?;
        let mut right = self.rest_sums.clone();
        for (row, sums) in self.sums.chunks_exact(width).enumerate() {
            log_det += d[row].ln();
            rank_one(&mut m, sums, -kappa[row]);
            for e in self.lists.range(row) {
                let scale = kappa[row] * self.weights[e];
                let line = &mut right[self.lists.columns[e] as usize * width..][..width];
                for (cell, value) in line.iter_mut().zip(sums) {
                    *cell -= scale * value;
                }
            }
        }
        let solution = factor.solve(&Mat::from_fn(q, width, |i, k| s[i] * right[i * width + k]))?;
        let gamma: Vec<f64> =
            (0..q).flat_map(|i| (0..width).map(move |k| (i, k))).map(|(i, k)| s[i] * solution[(i, k)]).collect();
        for (line, own) in right.chunks_exact(width).zip(gamma.chunks_exact(width)) {
            for (cells, a) in m.chunks_exact_mut(width).zip(line) {
                for (cell, b) in cells.iter_mut().zip(own) {
                    *cell -= a * b;
                }
            }
        }
        let point = problem.profile(&m, log_det, method)?;
        Ok(State { point, factor, s, d, t: own, gamma })
    }

    /// `S_g` - `c_g` G of a unit of E: divided by d it is z'V^-1 A.
    fn remainder(&self, state: &State, row: usize, into: &mut [f64]) {
        let width = self.width;
        into.copy_from_slice(&self.sums[row * width..][..width]);
        for e in self.lists.range(row) {
            let gamma = &state.gamma[self.lists.columns[e] as usize * width..][..width];
            for (cell, value) in into.iter_mut().zip(gamma) {
                *cell -= self.weights[e] * value;
            }
        }
    }

    /// c s of the entries of C.
    fn scaled_weights(&self, s: &[f64]) -> Vec<f64> {
        self.lists.columns.iter().zip(&self.weights).map(|(&c, w)| w * s[c as usize]).collect()
    }

    /// The criterion at t and its derivative by every t.
    pub(super) fn gradient(&self, problem: &Problem, t: &[f64], method: Method) -> Result<(f64, Vec<f64>)> {
        // On the boundary the derivative is taken just inside of it, and the criterion brought back by it.
        let inside: Vec<f64> = t.iter().zip(&self.scale).map(|(t, scale)| t.max(NEARLY_ZERO / scale)).collect();
        let state = self.state(problem, &inside, method)?;
        let inverse = state.factor.inverse()?;
        let width = self.width;
        let mut h = vec![0.0; t.len()];
        let mut q = vec![vec![0.0; width * width]; t.len()];
        for ((level, inverse), gamma) in
            self.level_of.iter().zip(inverse.diagonal()?).zip(state.gamma.chunks_exact(width))
        {
            let t = inside[*level];
            h[*level] += (1.0 - inverse) / t;
            rank_one(&mut q[*level], gamma, 1.0 / (t * t));
        }
        if let Some(level) = self.eliminated {
            let forms = inverse.forms(&self.lists, &self.scaled_weights(&state.s))?;
            let mut u = vec![0.0; width];
            for (row, (form, d)) in forms.iter().zip(&state.d).enumerate() {
                h[level] += self.sums[row * width] / d - form / (d * d);
                self.remainder(&state, row, &mut u);
                rank_one(&mut q[level], &u, 1.0 / (d * d));
            }
        }
        let slopes: Vec<f64> = h.iter().zip(&q).map(|(h, q)| state.point.slope(*h, q, method)).collect();
        let back: f64 = inside.iter().zip(t).zip(&slopes).map(|((inside, t), s)| (inside - t) * s).sum();
        Ok((state.point.deviance - back, slopes))
    }

    /// For every unit of a level: t z'V^-1 A, that of its sum with the units around, and both conditional variances in
    /// units of sigma^2; then z'V^-1 A / weight.
    pub(super) fn units(&self, state: &State, inverse: &Inverse, level: usize) -> Result<Vec<Unit>> {
        let width = self.width;
        let gamma = |column: u32| &state.gamma[column as usize * width..][..width];
        let sum_around = |mut next: Option<u32>, total: &mut [f64]| {
            let mut columns = vec![];
            while let Some(column) = next {
                total.iter_mut().zip(gamma(column)).for_each(|(sum, value)| *sum += value);
                columns.push(column);
                next = self.around[column as usize];
            }
            columns
        };
        let Some(offset) = self.offsets[level] else {
            return self.eliminated_units(state, inverse, sum_around);
        };
        let n = self.level_of.iter().filter(|l| **l == level).count();
        let mut lists = Lists { starts: vec![0], columns: vec![] };
        let mut units = Vec::with_capacity(n);
        let remainders = self.remainders(state);
        let diagonal = inverse.diagonal()?;
        for unit in offset..offset + n {
            let own = gamma(index(unit)).to_vec();
            let mut total = own.clone();
            let columns = sum_around(self.around[unit], &mut total);
            lists.columns.push(index(unit));
            lists.columns.extend(columns);
            let from = lists.starts[lists.starts.len() - 1];
            lists.columns[from..].sort_unstable();
            lists.starts.push(lists.columns.len());
            let weight = self.rest_sums[unit * width];
            let mean = remainders[unit * width..][..width].iter().map(|m| m / weight).collect();
            let variance = state.s[unit] * state.s[unit] * diagonal[unit];
            units.push(Unit { own, total, variance, total_variance: variance, mean });
        }
        if self.around[offset].is_some() {
            let coefficients: Vec<f64> = lists.columns.iter().map(|&c| state.s[c as usize]).collect();
            for (unit, form) in units.iter_mut().zip(inverse.forms(&lists, &coefficients)?) {
                unit.total_variance = form;
            }
        }
        Ok(units)
    }

    fn eliminated_units(
        &self,
        state: &State,
        inverse: &Inverse,
        sum_around: impl Fn(Option<u32>, &mut [f64]) -> Vec<u32>,
    ) -> Result<Vec<Unit>> {
        let width = self.width;
        let own_forms = inverse.forms(&self.lists, &self.scaled_weights(&state.s))?;
        let kappa = |row: usize| state.t / state.d[row];
        let mut coefficients = vec![0.0; self.weights.len()];
        let mut units = Vec::with_capacity(self.lists.len());
        for row in 0..self.lists.len() {
            let mut own = vec![0.0; width];
            self.remainder(state, row, &mut own);
            let weight = self.sums[row * width];
            let mean = own.iter().map(|r| r / (state.d[row] * weight)).collect();
            for value in &mut own {
                *value *= kappa(row);
            }
            let mut total = own.clone();
            let columns = sum_around(self.around_eliminated[row], &mut total);
            for e in self.lists.range(row) {
                let column = self.lists.columns[e];
                let one = f64::from(u8::from(columns.contains(&column)));
                coefficients[e] = state.s[column as usize] * (one - kappa(row) * self.weights[e]);
            }
            let variance = kappa(row) + kappa(row) * kappa(row) * own_forms[row];
            units.push(Unit { own, total, variance, total_variance: variance, mean });
        }
        if self.around_eliminated.first().is_some_and(Option::is_some) {
            for (row, form) in inverse.forms(&self.lists, &coefficients)?.into_iter().enumerate() {
                units[row].total_variance = kappa(row) + form;
            }
        }
        Ok(units)
    }

    /// z'V^-1 A of all units of R, without dividing by t: `Z_R`'W (A - `Z_R` G - `Z_E` `G_E`).
    fn remainders(&self, state: &State) -> Vec<f64> {
        let width = self.width;
        let mut rest = self.rest_sums.clone();
        let mut take = |to: usize, weight: f64, values: &[f64]| {
            for (cell, value) in rest[to * width..][..width].iter_mut().zip(values) {
                *cell -= weight * value;
            }
        };
        for j in 0..self.n_rest() {
            for e in self.base.starts[j]..self.base.starts[j + 1] {
                let (i, w) = (self.base.rows[e], self.base_values[e]);
                take(i, w, &state.gamma[j * width..][..width]);
                if i != j {
                    take(j, w, &state.gamma[i * width..][..width]);
                }
            }
        }
        let mut own = vec![0.0; width];
        for row in 0..self.lists.len() {
            self.remainder(state, row, &mut own);
            let kappa = state.t / state.d[row];
            for e in self.lists.range(row) {
                take(self.lists.columns[e] as usize, kappa * self.weights[e], &own);
            }
        }
        rest
    }

    /// The conditional variance of the difference between two units of a level, in units of sigma^2.
    pub(super) fn difference(&self, state: &State, level: usize, first: usize, second: usize) -> Result<f64> {
        if first == second {
            return Ok(0.0);
        }
        let mut right = Mat::<f64>::zeros(self.n_rest(), 1);
        let mut own = 0.0;
        for (unit, sign) in [(first, 1.0), (second, -1.0)] {
            if let Some(offset) = self.offsets[level] {
                right[(offset + unit, 0)] += sign * state.s[offset + unit];
            } else {
                let kappa = state.t / state.d[unit];
                own += kappa;
                for e in self.lists.range(unit) {
                    let column = self.lists.columns[e] as usize;
                    right[(column, 0)] -= sign * kappa * self.weights[e] * state.s[column];
                }
            }
        }
        let solution = state.factor.solve(&right)?;
        Ok(own + (right.transpose() * solution)[(0, 0)])
    }
}

/// One unit's share of the solution.
pub(super) struct Unit {
    pub(super) own: Vec<f64>,
    pub(super) total: Vec<f64>,
    pub(super) variance: f64,
    pub(super) total_variance: f64,
    pub(super) mean: Vec<f64>,
}

fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// The weights that the units of the eliminated factor share with those of R, row by row.
fn shared_with_eliminated(problem: &Problem, part: Option<usize>, lines: &[Lists]) -> (Lists, Vec<f64>) {
    let Some(part) = part else { return (Lists { starts: vec![0], columns: vec![] }, vec![]) };
    let width = problem.width();
    let n = lines[part].len();
    let mut entries: Vec<(u32, u32, f64)> = Vec::new();
    for unit in 0..n {
        let weight = problem.parts[part].sums[unit * width];
        for &column in &lines[part].columns[lines[part].range(unit)] {
            entries.push((index(unit), column, weight));
        }
    }
    for pairs in problem.pairs.iter().filter(|p| p.first != p.second) {
        if pairs.first == part || pairs.second == part {
            let other = if pairs.first == part { pairs.second } else { pairs.first };
            for &(i, j, w) in &pairs.entries {
                let (unit, over) = if pairs.first == part { (i, j) } else { (j, i) };
                for &column in &lines[other].columns[lines[other].range(over as usize)] {
                    entries.push((unit, column, w));
                }
            }
        }
    }
    let entries = summed(entries);
    let mut lists = Lists { starts: vec![0], columns: entries.iter().map(|e| e.1).collect() };
    let mut at = 0;
    for unit in 0..n {
        while entries.get(at).is_some_and(|e| e.0 as usize == unit) {
            at += 1;
        }
        lists.starts.push(at);
    }
    (lists, entries.iter().map(|e| e.2).collect())
}

/// The lower triangle of `Z_R`'W `Z_R`.
fn base(problem: &Problem, lines: &[Lists], q: usize) -> (Pattern, Vec<f64>) {
    let width = problem.width();
    // Column first, so that sorting brings the columns together.
    let mut entries: Vec<(u32, u32, f64)> = Vec::new();
    for (k, part) in problem.parts.iter().enumerate().filter(|(_, p)| !p.is_membership) {
        for unit in 0..lines[k].len() {
            let weight = part.sums[unit * width];
            let line = &lines[k].columns[lines[k].range(unit)];
            for (place, &j) in line.iter().enumerate() {
                entries.extend(line[place..].iter().map(|&i| (j, i, weight)));
            }
        }
    }
    for pairs in problem.pairs {
        for &(first, second, w) in &pairs.entries {
            for &a in &lines[pairs.first].columns[lines[pairs.first].range(first as usize)] {
                for &b in &lines[pairs.second].columns[lines[pairs.second].range(second as usize)] {
                    entries.push((a.min(b), a.max(b), w));
                }
            }
        }
    }
    let entries = summed(entries);
    let mut pattern = Pattern { starts: vec![0], rows: entries.iter().map(|e| e.1 as usize).collect() };
    let mut at = 0;
    for column in 0..q {
        while entries.get(at).is_some_and(|e| e.0 as usize == column) {
            at += 1;
        }
        pattern.starts.push(at);
    }
    (pattern, entries.iter().map(|e| e.2).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mixed::{Design, Moments, Random};

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
                let (i, j) = (a.factor.inverse().unwrap(), b.factor.inverse().unwrap());
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
