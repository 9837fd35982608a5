//! Student growth percentiles, frame to frame.

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::build::{counts, numbers};
use super::columns::{check_keys, floats};
use super::factors::{Codes, MISSING};
use super::points::sentinel_note;
use crate::growth::{GrowthModel, GrowthSpec, fit};
use crate::stats::summary::{mean, median};
use crate::{Error, Note, NoteCode, Result};

/// What is asked of growth percentiles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrowthRequest {
    /// The column of scores whose growth is judged.
    pub outcome: String,
    /// The columns of prior scores.
    pub priors: Vec<String>,
    /// The column that names the units.
    #[serde(default)]
    pub unit: Option<String>,
    /// Units with fewer students have no median.
    #[serde(default)]
    pub min_n: usize,
    /// How the table is fitted.
    #[serde(default)]
    pub spec: GrowthSpec,
    /// A table that was fitted before: students are placed by it and nothing is fitted.
    #[serde(default)]
    pub model: Option<GrowthModel>,
}

/// Students and units placed.
#[derive(Debug, Clone)]
pub struct GrowthTables {
    /// The table that placed them.
    pub model: GrowthModel,
    /// One row per row of the input, in its order.
    pub students: DataFrame,
    /// One row per unit; without columns where no unit was named.
    pub units: DataFrame,
    /// Caveats.
    pub notes: Vec<Note>,
}

const RESERVED: &[&str] = &["percentile", "typical_score", "n", "median_percentile", "mean_percentile"];

/// Growth percentiles of a frame: a table fitted to the rows where all scores are there, or one given, and every student
/// placed by it.
///
/// # Errors
/// For columns that are missing or of the wrong type, too few students, knots out of order, a table of other scores.
pub fn growth_percentiles(
    df: &DataFrame,
    request: &GrowthRequest,
    progress: &dyn Fn(usize, usize) -> Result<()>,
) -> Result<GrowthTables> {
    let keys: Vec<String> = request.priors.iter().chain([&request.outcome]).chain(&request.unit).cloned().collect();
    check_keys(df, "priors", &keys, RESERVED)?;
    let outcome = floats(df, &request.outcome)?;
    let priors: Vec<Vec<f64>> = request.priors.iter().map(|name| floats(df, name)).collect::<Result<_>>()?;
    let whole: Vec<usize> = (0..df.height())
        .filter(|&row| [&outcome].into_iter().chain(&priors).all(|c| c.get(row).is_some_and(|v| v.is_finite())))
        .collect();
    let mut notes = Vec::new();
    if whole.len() < df.height() {
        notes.push(Note::new(NoteCode::RowsLeftOut, df.height() - whole.len()));
    }
    for (name, values) in request.priors.iter().zip(&priors).chain([(&request.outcome, &outcome)]) {
        notes.extend(sentinel_note(values, name));
    }
    let model = if let Some(model) = &request.model {
        let names: Vec<&String> = model.priors.iter().map(|prior| &prior.name).collect();
        if names != request.priors.iter().collect::<Vec<_>>() {
            let allowed = format!("{names:?}, as in the model");
            return Err(Error::option("priors", format!("{:?}", request.priors), allowed));
        }
        if model.outcome != request.outcome {
            return Err(Error::option("outcome", &request.outcome, format!("{:?}, as in the model", model.outcome)));
        }
        model.clone()
    } else {
        let of = |values: &[f64]| whole.iter().filter_map(|&row| values.get(row).copied()).collect::<Vec<f64>>();
        let kept: Vec<Vec<f64>> = priors.iter().map(|prior| of(prior)).collect();
        let named: Vec<(&str, &[f64])> =
            request.priors.iter().map(String::as_str).zip(kept.iter().map(Vec::as_slice)).collect();
        fit((&request.outcome, &of(&outcome)), &named, &request.spec, progress)?
    };
    let placed = model.place(&outcome, &priors.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
    for (code, n) in [(NoteCode::OutsideBoundaries, placed.n_outside), (NoteCode::CrossedQuantiles, placed.n_crossed)] {
        notes.extend((n > 0).then(|| Note::new(code, n)));
    }
    let percentiles = || placed.percentile.iter().map(|percentile| percentile.map(|p| p as usize));
    let mut students = df.select(&keys)?.into_columns();
    students.push(counts("percentile", percentiles()));
    students.push(numbers("typical_score", placed.median.iter().map(|median| Some(*median))));
    let students = DataFrame::new(df.height(), students)?;
    let units = match &request.unit {
        None => DataFrame::empty(),
        Some(unit) => {
            let (table, n_small) = by_unit(&Codes::new(df, unit)?, percentiles(), request.min_n)?;
            notes.extend((n_small > 0).then(|| Note::new(NoteCode::SmallUnits, n_small)));
            table
        }
    };
    Ok(GrowthTables { model, students, units, notes })
}

/// The median and the mean percentile of every unit, in the order of their names, and how many have too few students.
fn by_unit(unit: &Codes, percentiles: impl Iterator<Item = Option<usize>>, min_n: usize) -> Result<(DataFrame, usize)> {
    let mut found: Vec<Vec<f64>> = vec![vec![]; unit.keys.len()];
    for (&code, percentile) in unit.of_row.iter().zip(percentiles) {
        if let (true, Some(percentile), Some(list)) = (code != MISSING, percentile, found.get_mut(code as usize)) {
            list.push(percentile as f64);
        }
    }
    let is_enough = |list: &&Vec<f64>| list.len() >= min_n.max(1);
    let mut key = unit.gather((0..).take(found.len()))?;
    key.rename(unit.name.as_str().into());
    let columns = vec![
        key,
        counts("n", found.iter().map(|list| Some(list.len()))),
        numbers(
            "median_percentile",
            found.iter().map(|list| Some(list).filter(is_enough).and_then(|l| median(&mut l.clone()))),
        ),
        numbers("mean_percentile", found.iter().map(|list| Some(list).filter(is_enough).and_then(|l| mean(l)))),
    ];
    let n_small = found.iter().filter(|list| !is_enough(list)).count();
    Ok((DataFrame::new(found.len(), columns)?, n_small))
}
