//! Drift value added: what a teacher's other years say about this one, when teachers change over the years.
//!
//! Chetty, Friedman & Rockoff (2014), Measuring the impacts of teachers I, American Economic Review 104(9): 2593-2632,
//! section II and online appendix A. A year close by says more than one long ago, and a class of many more than one of
//! few; how much is told by the covariances between the years of the same teachers. The year itself is left out, so that
//! what is predicted and what it is held against share no student.

mod classes;
mod covariances;
mod predict;
mod residuals;

use crate::mixed::{Covariate, Design};
use crate::{Error, Note, NoteCode, Result};

/// So many pairs are needed before a covariance is taken as known.
pub const FEW_PAIRS: usize = 10;

/// Years further apart are no years but dates.
const MOST_YEARS: u64 = 200;

/// Students with their teachers and years. Rows with a missing value are left out beforehand.
#[derive(Debug, Clone, Copy)]
pub struct DriftInput<'a> {
    /// The outcome of every student.
    pub outcome: &'a [f64],
    /// The teacher of every student, as a code.
    pub teacher: &'a [u32],
    /// The year of every student; a distance of one is a year.
    pub year: &'a [i64],
    /// The class of every student within the teacher's year; without it a teacher has one class a year.
    pub classroom: Option<&'a [u32]>,
    /// What is adjusted for.
    pub covariates: &'a [Covariate<'a>],
}

/// The variances that the outcome is made of, after adjustment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Components {
    /// Of all that is left after adjustment.
    pub total: f64,
    /// Of students within a class.
    pub student: f64,
    /// Of teachers within one year.
    pub teacher: f64,
    /// Of classes beyond their teacher.
    pub class: f64,
}

/// How alike two years of the same teachers are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lag {
    /// How many years lie between them; 0 for the year itself.
    pub lag: usize,
    /// The covariance that predictions use.
    pub covariance: f64,
    /// What share of a teacher's advantage is left after so many years; none where it cannot be told.
    pub correlation: Option<f64>,
    /// On how many pairs of years (for 0: of classes in one year) it rests.
    pub n_pairs: usize,
}

/// One year of one teacher.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TeacherYear {
    /// The teacher's code.
    pub teacher: u32,
    /// The year.
    pub year: i64,
    /// How many students.
    pub n: usize,
    /// How far the classes' students lie above expectation, on average; precise classes count more.
    pub mean: f64,
    /// What the teacher's other years predict for this one.
    pub prediction: Option<f64>,
    /// The standard deviation of the teacher's true advantage in this year about the prediction.
    pub sd: Option<f64>,
    /// From how many other years.
    pub n_years: usize,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// The terms that are adjusted for and their coefficients; none for a term that was dropped.
    pub coefficients: Vec<(String, Option<f64>)>,
    /// The variances.
    pub components: Components,
    /// The covariances by lag, from 0 on, up to the longest distance there is or the last that is kept apart.
    pub lags: Vec<Lag>,
    /// One row per teacher and year, in their order.
    pub rows: Vec<TeacherYear>,
    /// Caveats.
    pub notes: Vec<Note>,
}

/// Value added with drift; covariances more than `last_lag` years apart are taken as that of `last_lag`.
///
/// # Errors
/// For columns of unequal length, a `last_lag` of 0, classes without two students, and fewer than [`FEW_PAIRS`] pairs of
/// years of the same teachers at every distance.
pub fn value_added(input: &DriftInput<'_>, last_lag: usize) -> Result<Drift> {
    if last_lag == 0 {
        return Err(Error::option("lags", "0", "1 or more"));
    }
    let design = Design::new(input.outcome.len(), input.covariates)?;
    check(input)?;
    let left = residuals::residuals(input.outcome, input.teacher, &design)?;
    let mut notes = left.notes;
    let classes = classes::classes(input, &left.values);
    let n_terms = left.coefficients.iter().filter(|(_, value)| value.is_some()).count();
    let (total, student) = classes::within(&left.values, &classes, n_terms)?;
    let found = covariances::covariances(&classes, total, student, last_lag)?;
    notes.extend(found.notes);
    let rows = predict::predict(&found.years, &found.lags);
    if rows.iter().all(|row| row.prediction.is_none()) {
        notes.push(Note::new(NoteCode::Singular, 0));
    }
    let n_single = rows.iter().filter(|row| row.n_years == 0).count();
    if n_single > 0 {
        notes.push(Note::new(NoteCode::SingleYear, n_single));
    }
    Ok(Drift { coefficients: left.coefficients, components: found.components, lags: found.lags, rows, notes })
}

fn check(input: &DriftInput<'_>) -> Result<()> {
    let n = input.outcome.len();
    crate::mixed::check_finite("outcome", input.outcome)?;
    crate::mixed::check_rows("teacher", input.teacher.len(), n)?;
    crate::mixed::check_rows("year", input.year.len(), n)?;
    input.classroom.map_or(Ok(()), |classroom| crate::mixed::check_rows("classroom", classroom.len(), n))?;
    let (first, last) = (input.year.iter().min().copied(), input.year.iter().max().copied());
    match first.zip(last).filter(|(first, last)| last.abs_diff(*first) > MOST_YEARS) {
        None => Ok(()),
        Some((first, last)) => Err(Error::InvalidValue {
            what: "the years".into(),
            found: format!("{first} to {last}"),
            remedy: "number them so that a distance of one is a year".into(),
        }),
    }
}
