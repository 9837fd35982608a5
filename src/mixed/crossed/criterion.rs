//! The criterion of crossed factors at one point, with its derivatives.

// Indices come from the pattern they were built with.
#![allow(clippy::indexing_slicing, clippy::needless_range_loop)]

use faer::Mat;

use super::Crossed;
use crate::Result;
use crate::mixed::criterion::{Evaluation, Problem, rank_one};
use crate::mixed::factor::{Factor, Pattern};
use crate::mixed::fit::Method;

/// t times the weight of a unit that stands for 0 in a derivative: the error of the derivative is of this order.
const NEARLY_ZERO: f64 = 1e-8;

/// The criterion at one point, and the factor behind it.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) point: Evaluation,
    pub(crate) factor: Factor,
    /// sqrt(t) of the units of R; d of those of E, and the t of E.
    pub(crate) s: Vec<f64>,
    pub(crate) d: Vec<f64>,
    pub(crate) t: f64,
    /// t z'V^-1 A of the units of R, row by row.
    pub(crate) gamma: Vec<f64>,
}

impl Crossed {
    /// Where B has entries.
    pub(super) fn pattern(&self) -> Pattern {
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
                let mut matrix = self.spare.take(q);
                let mut column = vec![0.0; q];
                for j in 0..q {
                    column[j..].fill(0.0);
                    if s[j] > 0.0 {
                        self.add_column(j, kappa, &mut column);
                    }
                    for ((cell, value), s_i) in matrix.col_mut(j).iter_mut().zip(&column).zip(s).skip(j) {
                        *cell = s[j] * s_i * value;
                    }
                    matrix[(j, j)] += 1.0;
                }
                Factor::dense(matrix)
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

    /// The criterion at t, and nothing else.
    pub(crate) fn evaluate(&self, problem: &Problem, t: &[f64], method: Method) -> Result<Evaluation> {
        let state = self.state(problem, t, method)?;
        state.factor.put_into(&self.spare);
        Ok(state.point)
    }

    /// The criterion at t, with its factor.
    pub(crate) fn state(&self, problem: &Problem, t: &[f64], method: Method) -> Result<State> {
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
    pub(super) fn remainder(&self, state: &State, row: usize, into: &mut [f64]) {
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
    pub(super) fn scaled_weights(&self, s: &[f64]) -> Vec<f64> {
        self.lists.columns.iter().zip(&self.weights).map(|(&c, w)| w * s[c as usize]).collect()
    }

    /// The criterion at t and its derivative by every t.
    pub(crate) fn gradient(&self, problem: &Problem, t: &[f64], method: Method) -> Result<(f64, Vec<f64>)> {
        // On the boundary the derivative is taken just inside of it, and the criterion brought back by it.
        let inside: Vec<f64> = t.iter().zip(&self.scale).map(|(t, scale)| t.max(NEARLY_ZERO / scale)).collect();
        let state = self.state(problem, &inside, method)?;
        let inverse = state.factor.inverse(&self.spare)?;
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
        inverse.put_into(&self.spare);
        state.factor.put_into(&self.spare);
        Ok((state.point.deviance - back, slopes))
    }
}
