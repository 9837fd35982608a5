//! Classes and the years of teachers that they add up to.

use super::DriftInput;
use crate::{Error, Result};

/// One class of one teacher in one year.
#[derive(Debug, Clone, Copy)]
pub(super) struct Class {
    pub(super) teacher: u32,
    pub(super) year: i64,
    pub(super) n: f64,
    pub(super) mean: f64,
    /// Squares about the class's mean.
    squares: f64,
}

/// One teacher in one year, its classes weighted.
#[derive(Debug, Clone, Copy)]
pub(super) struct YearMean {
    pub(super) teacher: u32,
    pub(super) year: i64,
    pub(super) n: f64,
    pub(super) mean: f64,
    /// The sum of the classes' weights: the precision of the mean, where weights are precisions.
    pub(super) weight: f64,
}

/// The classes, in the order of teachers and years.
pub(super) fn classes(input: &DriftInput<'_>, residuals: &[f64]) -> Vec<Class> {
    let mut rows: Vec<(u32, i64, u32, f64)> = (input.teacher.iter().zip(input.year).zip(residuals))
        .enumerate()
        .map(|(row, ((teacher, year), value))| {
            let classroom = input.classroom.and_then(|codes| codes.get(row)).copied().unwrap_or(0);
            (*teacher, *year, classroom, *value)
        })
        .collect();
    // By value as well, so that sums do not hang on the order of the rows.
    rows.sort_by(|a, b| (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)).then(a.3.total_cmp(&b.3)));
    rows.chunk_by(|a, b| (a.0, a.1, a.2) == (b.0, b.1, b.2))
        .filter_map(|rows| {
            let &(teacher, year, ..) = rows.first()?;
            let n = rows.len() as f64;
            let mean = rows.iter().map(|row| row.3).sum::<f64>() / n;
            let squares = rows.iter().map(|row| (row.3 - mean).powi(2)).sum();
            Some(Class { teacher, year, n, mean, squares })
        })
        .collect()
}

/// The variance of all residuals, and that of students within classes, with the degrees of freedom that covariates take.
pub(super) fn within(residuals: &[f64], classes: &[Class], n_terms: usize) -> Result<(f64, f64)> {
    let n = residuals.len() as f64;
    let df = n - classes.len() as f64 - n_terms as f64;
    if df < 1.0 {
        return Err(Error::TooFew {
            what: "the variance within classes".into(),
            needed: format!("{} students", classes.len() + n_terms + 1),
            found: residuals.len(),
            remedy: "give one row per student, several to a class, or adjust for less".into(),
        });
    }
    let total = residuals.iter().map(|value| value * value).sum::<f64>() / (n - 1.0 - n_terms as f64);
    Ok((total, classes.iter().map(|class| class.squares).sum::<f64>() / df))
}

/// Teachers' years: means of their classes with the weight that each class is given.
pub(super) fn years(classes: &[Class], weight: impl Fn(&Class) -> f64) -> Vec<YearMean> {
    classes
        .chunk_by(|a, b| (a.teacher, a.year) == (b.teacher, b.year))
        .filter_map(|group| {
            let first = group.first()?;
            let total: f64 = group.iter().map(&weight).sum();
            let mean = group.iter().map(|class| weight(class) * class.mean).sum::<f64>() / total;
            let n = group.iter().map(|class| class.n).sum();
            Some(YearMean { teacher: first.teacher, year: first.year, n, mean, weight: total })
        })
        .collect()
}
