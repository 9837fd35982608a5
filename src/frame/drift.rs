//! Drift value added, frame to frame.

use std::collections::BTreeMap;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::build::{counts, numbers};
use super::columns::check_keys;
use super::factors::{Codes, ModelData};
use crate::bright::drift::{Drift, DriftInput, value_added as core};
use crate::{Error, Note, Result};

/// What is asked of value added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriftRequest {
    /// The column of scores.
    pub outcome: String,
    /// The column that names the teachers.
    pub teacher: String,
    /// The column of years: whole numbers, or names in the order of time, one for each year.
    pub year: String,
    /// The column that names classes; without it a teacher has one class a year.
    #[serde(default)]
    pub classroom: Option<String>,
    /// The columns that are adjusted for.
    #[serde(default)]
    pub adjust: Vec<String>,
    /// Years further apart are taken to be as alike as these.
    pub lags: usize,
}

/// Value added with its labels.
#[derive(Debug, Clone)]
pub struct DriftTables {
    found: Drift,
    teacher: Codes,
    year: Codes,
    /// The code of every year.
    codes: BTreeMap<i64, u32>,
    notes: Vec<Note>,
}

const RESERVED: &[&str] = &["n", "mean_residual", "prediction", "sd", "n_years"];

/// Value added of the teachers of a frame: [`core`] on the rows where nothing is missing.
///
/// # Errors
/// For columns that are missing or of the wrong type, years that are no whole numbers, and too few teachers or years.
pub fn value_added(df: &DataFrame, request: &DriftRequest) -> Result<DriftTables> {
    let mut keys = vec![request.teacher.clone(), request.year.clone()];
    check_keys(df, "teacher", &keys, RESERVED)?;
    keys.extend(request.classroom.clone());
    let data = ModelData::new(df, &request.outcome, &request.adjust, &keys)?;
    let mut factors = data.factors.iter();
    let (Some(teacher), Some(year)) = (factors.next(), factors.next()) else {
        return Err(Error::Numerical { what: "the factors".into(), problem: "not found".into() });
    };
    let values = years(year)?;
    let of_row: Vec<i64> =
        year.of_row.iter().map(|code| values.get(*code as usize).copied().unwrap_or_default()).collect();
    let covariates = data.covariates();
    let found = core(
        &DriftInput {
            outcome: &data.y,
            teacher: &teacher.of_row,
            year: &of_row,
            classroom: factors.next().map(|codes| codes.of_row.as_slice()),
            covariates: &covariates,
        },
        request.lags,
    )?;
    let notes = data.notes.iter().chain(&found.notes).cloned().collect();
    let codes = values.into_iter().zip(0..).collect();
    Ok(DriftTables { found, teacher: teacher.clone(), year: year.clone(), codes, notes })
}

/// Every distinct year as a number: its own where it is one, or its place in the order of names.
fn years(year: &Codes) -> Result<Vec<i64>> {
    if !year.keys.dtype().is_primitive_numeric() {
        return Ok((0..).take(year.keys.len()).collect());
    }
    let found = year.keys.cast(&DataType::Float64)?;
    let whole = |value: f64| (value.fract() == 0.0 && value.abs() < 1e9).then_some(value);
    #[allow(clippy::cast_possible_truncation)] // A whole number below 1e9.
    let values: Option<Vec<i64>> =
        found.f64()?.iter().map(|value| value.and_then(whole).map(|value| value as i64)).collect();
    values.ok_or_else(|| Error::ColumnType {
        column: year.name.clone(),
        expected: "years as whole numbers, or as names in the order of time".into(),
        found: found.dtype().to_string(),
        remedy: "number the years so that a distance of one is a year".into(),
    })
}

impl DriftTables {
    /// What the core found.
    pub fn found(&self) -> &Drift {
        &self.found
    }

    /// Caveats.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// One row per teacher and year, in the order of their names: it is no ranking.
    ///
    /// # Errors
    /// None in practice.
    pub fn teachers(&self) -> Result<DataFrame> {
        let rows = &self.found.rows;
        let mut teacher = self.teacher.gather(rows.iter().map(|row| row.teacher))?;
        teacher.rename(self.teacher.name.as_str().into());
        let mut year =
            self.year.gather(rows.iter().map(|row| self.codes.get(&row.year).copied().unwrap_or_default()))?;
        year.rename(self.year.name.as_str().into());
        let columns = vec![
            teacher,
            year,
            counts("n", rows.iter().map(|row| Some(row.n))),
            numbers("mean_residual", rows.iter().map(|row| Some(row.mean))),
            numbers("prediction", rows.iter().map(|row| row.prediction)),
            numbers("sd", rows.iter().map(|row| row.sd)),
            counts("n_years", rows.iter().map(|row| Some(row.n_years))),
        ];
        Ok(DataFrame::new(rows.len(), columns)?)
    }

    /// One row per distance between two years, from 0 on.
    ///
    /// # Errors
    /// None in practice.
    pub fn autocovariance(&self) -> Result<DataFrame> {
        let lags = &self.found.lags;
        let columns = vec![
            counts("lag", lags.iter().map(|lag| Some(lag.lag))),
            numbers("covariance", lags.iter().map(|lag| Some(lag.covariance))),
            numbers("correlation", lags.iter().map(|lag| lag.correlation)),
            counts("n_pairs", lags.iter().map(|lag| Some(lag.n_pairs))),
        ];
        Ok(DataFrame::new(lags.len(), columns)?)
    }
}
