//! What the solution says about every unit of crossed factors.

// Indices come from the pattern they were built with.
#![allow(clippy::indexing_slicing)]

use faer::Mat;

use super::{Crossed, State, index};
use crate::Result;
use crate::mixed::factor::{Inverse, Lists};

/// One unit's share of the solution.
pub(crate) struct Unit {
    pub(crate) own: Vec<f64>,
    pub(crate) total: Vec<f64>,
    pub(crate) variance: f64,
    pub(crate) total_variance: f64,
    pub(crate) mean: Vec<f64>,
}

impl Crossed {
    /// For every unit of a level: t z'V^-1 A, that of its sum with the units around, and both conditional variances in
    /// units of sigma^2; then z'V^-1 A / weight.
    pub(crate) fn units(&self, state: &State, inverse: &Inverse, level: usize) -> Result<Vec<Unit>> {
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
    pub(crate) fn difference(&self, state: &State, level: usize, first: usize, second: usize) -> Result<f64> {
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
