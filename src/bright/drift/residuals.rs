//! What is left of the outcome when the covariates are taken away and the teachers are not.

use std::collections::BTreeMap;

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};

use crate::mixed::Design;
use crate::stats::summary::mean;
use crate::{Error, Note, NoteCode, Result};

/// Residuals about their mean, and the coefficients they were made with.
pub(super) struct Residuals {
    pub(super) values: Vec<f64>,
    pub(super) coefficients: Vec<(String, Option<f64>)>,
    pub(super) notes: Vec<Note>,
}

/// A column whose squares within teachers fall below this share of its own is a combination of others.
const DEPENDENT: f64 = 1e-10;

/// Coefficients come from differences within teachers (teacher fixed effects), so that where students with an advantage
/// have better teachers, these do not lose it to the covariate (appendix A, step 1). The teachers' part stays in.
pub(super) fn residuals(outcome: &[f64], teacher: &[u32], design: &Design<'_>) -> Result<Residuals> {
    let y = within(outcome, teacher);
    let terms = design.terms().iter().skip(1);
    let columns: Vec<Vec<f64>> =
        design.columns().iter().map(|column| (0..design.n_rows()).map(|row| column.at(row)).collect()).collect();
    let mut notes = vec![];
    // The columns that are kept, and an orthogonal basis of them to tell whether the next adds anything.
    let mut kept: Vec<(usize, Vec<f64>)> = vec![];
    let mut basis: Vec<Vec<f64>> = vec![];
    for (place, (column, term)) in columns.iter().zip(terms.clone()).enumerate() {
        let x = within(column, teacher);
        let mut rest = x.clone();
        for other in &basis {
            let slope = dot(&rest, other) / dot(other, other);
            rest.iter_mut().zip(other).for_each(|(value, other)| *value -= slope * other);
        }
        let center = mean(column).unwrap_or(0.0);
        let spread: f64 = column.iter().map(|value| (value - center).powi(2)).sum();
        let left = dot(&rest, &rest);
        if left <= DEPENDENT * spread || left <= DEPENDENT.powi(2) * dot(column, column) {
            notes.push(Note::new(NoteCode::RankDeficient, 1).at(term));
        } else {
            kept.push((place, x));
            basis.push(rest);
        }
    }
    let slopes = solve(&kept.iter().map(|(_, x)| x.as_slice()).collect::<Vec<_>>(), &y)?;
    let mut values = outcome.to_vec();
    let mut coefficients: Vec<(String, Option<f64>)> = terms.map(|term| (term.clone(), None)).collect();
    for ((place, _), slope) in kept.iter().zip(slopes) {
        if let (Some(entry), Some(column)) = (coefficients.get_mut(*place), columns.get(*place)) {
            entry.1 = Some(slope);
            values.iter_mut().zip(column).for_each(|(value, x)| *value -= slope * x);
        }
    }
    let center = mean(&values).unwrap_or(0.0);
    for value in &mut values {
        *value -= center;
    }
    Ok(Residuals { values, coefficients, notes })
}

/// Differences from the teacher's mean.
fn within(values: &[f64], teacher: &[u32]) -> Vec<f64> {
    let mut sums: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for (value, code) in values.iter().zip(teacher) {
        let sum = sums.entry(*code).or_default();
        sum.0 += value;
        sum.1 += 1.0;
    }
    let center = |code| sums.get(code).map_or(0.0, |(sum, n)| sum / n);
    values.iter().zip(teacher).map(|(value, code)| value - center(code)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Least squares; the columns are scaled to length 1 for the sake of accuracy.
fn solve(columns: &[&[f64]], y: &[f64]) -> Result<Vec<f64>> {
    let k = columns.len();
    if k == 0 {
        return Ok(vec![]);
    }
    let lengths: Vec<f64> = columns.iter().map(|x| dot(x, x).sqrt()).collect();
    let at = |list: &[f64], place: usize| list.get(place).copied().unwrap_or(1.0);
    let column = |place: usize| columns.get(place).copied().unwrap_or(&[]);
    let cross = Mat::from_fn(k, k, |i, j| dot(column(i), column(j)) / (at(&lengths, i) * at(&lengths, j)));
    let right = Mat::from_fn(k, 1, |i, _| dot(column(i), y) / at(&lengths, i));
    let factor = cross.llt(Side::Lower).map_err(|error| Error::Numerical {
        what: "the adjustment for covariates".into(),
        problem: format!("{error:?}"),
    })?;
    let scaled = factor.solve(&right);
    Ok(scaled.col(0).iter().zip(&lengths).map(|(slope, length)| slope / length).collect())
}
