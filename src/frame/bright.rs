//! Bright spots, frame to frame.

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::bright_tables::{self as tables, Keys};
use super::columns::{check_keys, column, floats};
use super::factors::{Codes, MISSING, ModelData};
use crate::bright::{
    BrightInput, BrightSpec, BrightSpots, Explanation, Factor, Guard, UnitMoments, guarded_bright_spots as core,
};
use crate::{Error, Note, NoteCode, Result};

/// What is asked of a search for bright spots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrightRequest {
    /// The column of outcomes; higher is better.
    pub outcome: String,
    /// The column that names the units.
    pub unit: String,
    /// The columns of the groups around the units, outermost first.
    #[serde(default)]
    pub within: Vec<String>,
    /// The columns of the conditions that are adjusted for.
    #[serde(default)]
    pub adjust: Vec<String>,
    /// The column of periods.
    #[serde(default)]
    pub period: Option<String>,
    /// Further measures that must not be worse.
    #[serde(default)]
    pub guards: Vec<GuardRequest>,
    /// The criteria.
    #[serde(default)]
    pub spec: BrightSpec,
}

/// A measure that must not be worse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardRequest {
    /// The column; higher is better.
    pub column: String,
    /// How much worse is tolerated; none: a tenth of its standard deviation.
    #[serde(default)]
    pub margin: Option<f64>,
}

/// What was found, with its labels.
#[derive(Debug, Clone)]
pub struct BrightTables {
    spots: BrightSpots,
    moments: UnitMoments,
    within: Vec<Codes>,
    unit: Codes,
    period: Option<Codes>,
    notes: Vec<Note>,
}

/// Look for bright spots in a frame: [`core`] on its rows.
///
/// Rows with a missing value in any column of the model are left out and counted.
///
/// # Errors
/// For columns that are missing or of the wrong type, and criteria out of range.
pub fn bright_spots(
    df: &DataFrame,
    request: &BrightRequest,
    progress: &dyn Fn(usize, usize) -> Result<()>,
) -> Result<BrightTables> {
    let keys: Vec<String> = request.within.iter().chain([&request.unit]).cloned().collect();
    check_keys(df, "within", &request.within, tables::RESERVED)?;
    check_keys(df, "unit", std::slice::from_ref(&request.unit), tables::RESERVED)?;
    check_parts(request)?;
    let factors: Vec<String> = keys.iter().chain(&request.period).cloned().collect();
    let fixed: Vec<String> =
        request.adjust.iter().filter(|name| Some(*name) != request.period.as_ref()).cloned().collect();
    let mut notes = missing_by_unit(df, request, &fixed)?;
    let guards = guard_columns(df, request)?;
    let data = ModelData::new(df, &request.outcome, &fixed, &factors)?;
    let guards = kept_rows(df, request, &fixed, &factors, guards, data.y.len())?;
    progress(0, 1)?;
    let labels: Vec<Vec<String>> = data.factors.iter().map(Codes::labels).collect::<Result<_>>()?;
    let named: Vec<Factor<'_>> = data
        .factors
        .iter()
        .zip(&labels)
        .map(|(codes, labels)| Factor { name: &codes.name, codes: &codes.of_row, labels })
        .collect();
    let (around, rest) = named.split_at(request.within.len());
    let (Some(&unit), period) = (rest.first(), rest.get(1).copied()) else {
        return Err(Error::option("unit", "none", "a column"));
    };
    let covariates = data.covariates();
    let input = BrightInput { outcome: &data.y, adjust: &covariates, unit, within: around, period, context: &[] };
    let guards: Vec<Guard<'_>> = request
        .guards
        .iter()
        .zip(&guards)
        .map(|(guard, values)| Guard { name: &guard.column, values, margin: guard.margin })
        .collect();
    let spots = core(&input, &guards, &request.spec, progress)?;
    let moments = UnitMoments::new(&input, &spots)?;
    notes.splice(0..0, data.notes.iter().cloned());
    notes.extend(spots.notes.iter().cloned());
    let mut codes = data.factors.into_iter();
    let within = codes.by_ref().take(request.within.len()).collect();
    let Some(unit) = codes.next() else { return Err(Error::option("unit", "none", "a column")) };
    let period = codes.next();
    Ok(BrightTables { spots, moments, within, unit, period, notes })
}

/// Columns in which a value is missing more often in some units than in others, beyond chance (Pearson's chi-square, p
/// below .001): what is left of a unit is then not what it was.
fn missing_by_unit(df: &DataFrame, request: &BrightRequest, fixed: &[String]) -> Result<Vec<Note>> {
    const SURE: f64 = 0.001;
    let mut units: Option<Codes> = None;
    let mut notes = vec![];
    for name in std::iter::once(&request.outcome).chain(fixed) {
        let values = column(df, name)?.as_materialized_series();
        let missing: Vec<bool> = if values.dtype().is_float() {
            floats(df, name)?.iter().map(|v| !v.is_finite()).collect()
        } else if values.null_count() > 0 {
            values.is_null().iter().map(|v| v.unwrap_or(true)).collect()
        } else {
            continue;
        };
        let total = missing.iter().filter(|m| **m).count();
        if total == 0 || total == missing.len() {
            continue;
        }
        let codes = match units.take() {
            Some(codes) => codes,
            None => Codes::new(df, &request.unit)?,
        };
        let mut counts = vec![(0.0_f64, 0.0_f64); codes.keys.len()];
        for (unit, missing) in codes.of_row.iter().zip(&missing) {
            if let Some(cell) = counts.get_mut(*unit as usize) {
                cell.0 += 1.0;
                cell.1 += f64::from(u8::from(*missing));
            }
        }
        units = Some(codes);
        counts.retain(|(n, _)| *n > 0.0);
        let (all, lost) = counts.iter().fold((0.0, 0.0), |(a, b), (n, m)| (a + n, b + m));
        let share = lost / all;
        let square: f64 = counts.iter().map(|(n, m)| (m - n * share).powi(2) / (n * share * (1.0 - share))).sum();
        let freedom = counts.len() as f64 - 1.0;
        if freedom < 1.0 || !(share > 0.0 && share < 1.0) {
            continue;
        }
        // Wilson & Hilferty (1931, PNAS 17:684): the cube root of a chi-square over its freedom is nearly normal.
        let z = ((square / freedom).cbrt() - 1.0 + 2.0 / (9.0 * freedom)) / (2.0 / (9.0 * freedom)).sqrt();
        if crate::stats::normal::cdf(-z) < SURE {
            let most = counts.iter().filter(|(n, m)| m / n > 0.5 && m / n >= 2.0 * share).count();
            notes.push(Note::new(NoteCode::MissingByUnit, most).with_value(share).at(name.as_str()));
        }
    }
    Ok(notes)
}

/// The guards' columns; a column that already plays a part is no guard.
fn guard_columns(df: &DataFrame, request: &BrightRequest) -> Result<Vec<Vec<f64>>> {
    for (position, guard) in request.guards.iter().enumerate() {
        let name = &guard.column;
        let is_taken = *name == request.outcome || *name == request.unit || request.within.contains(name);
        let is_twice = request.guards.iter().take(position).any(|other| other.column == *name);
        if is_taken || is_twice || request.adjust.contains(name) || request.period.as_ref() == Some(name) {
            return Err(Error::option("guards", format!("{name:?}"), "made of columns that play no other part"));
        }
    }
    request.guards.iter().map(|guard| floats(df, &guard.column)).collect()
}

/// The guards in the rows that the outcome's model keeps.
fn kept_rows(
    df: &DataFrame,
    request: &BrightRequest,
    fixed: &[String],
    factors: &[String],
    guards: Vec<Vec<f64>>,
    n_kept: usize,
) -> Result<Vec<Vec<f64>>> {
    if guards.is_empty() || n_kept == df.height() {
        return Ok(guards);
    }
    let mut kept = vec![true; df.height()];
    for name in std::iter::once(&request.outcome).chain(fixed) {
        let series = column(df, name)?;
        if series.dtype().is_primitive_numeric() {
            for (keep, value) in kept.iter_mut().zip(floats(df, name)?) {
                *keep &= value.is_finite();
            }
        } else {
            for (keep, missing) in kept.iter_mut().zip(series.as_materialized_series().is_null().iter()) {
                *keep &= missing == Some(false);
            }
        }
    }
    for name in factors {
        for (keep, code) in kept.iter_mut().zip(Codes::new(df, name)?.of_row) {
            *keep &= code != MISSING;
        }
    }
    let only = |values: Vec<f64>| values.into_iter().zip(&kept).filter(|(_, keep)| **keep).map(|(v, _)| v).collect();
    Ok(guards.into_iter().map(only).collect())
}

/// A column plays one part: a unit that is also a condition would be compared with itself.
fn check_parts(request: &BrightRequest) -> Result<()> {
    if request.within.contains(&request.unit) {
        return Err(Error::option(
            "unit",
            format!("{:?}", request.unit),
            "a column that is not in `within`: units and groups are different columns",
        ));
    }
    let is_taken = |name: &String| *name == request.unit || request.within.contains(name);
    if let Some(name) = request.adjust.iter().find(|name| is_taken(name)) {
        return Err(Error::option(
            "adjust",
            format!("{name:?}"),
            "made of columns that are neither the unit nor its groups",
        ));
    }
    if let Some(name) = request.period.as_ref().filter(|name| is_taken(name)) {
        return Err(Error::option(
            "period",
            format!("{name:?}"),
            "a column that is neither the unit nor one of its groups",
        ));
    }
    Ok(())
}

impl BrightTables {
    /// What the core found.
    pub fn spots(&self) -> &BrightSpots {
        &self.spots
    }

    /// What a search for practices needs of the rows.
    pub(super) fn moments(&self) -> &UnitMoments {
        &self.moments
    }

    /// Caveats: rows left out, then those of the search.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// One row per unit.
    ///
    /// # Errors
    /// None in practice.
    pub fn units(&self) -> Result<DataFrame> {
        tables::units(&self.spots, &self.keys())
    }

    /// Ordinary units to visit as well: the columns that name them, n, and `matched_to`, the candidate whose conditions
    /// each shares.
    ///
    /// # Errors
    /// None in practice.
    pub fn typical(&self) -> Result<DataFrame> {
        tables::typical(&self.spots, &self.keys())
    }

    /// One row per unit and period: n, effect, sd, `prob_exceeds`.
    ///
    /// # Errors
    /// None in practice.
    pub fn periods(&self) -> Result<DataFrame> {
        tables::periods(&self.spots, &self.keys())
    }

    /// One row per unit: the answer by other methods.
    ///
    /// # Errors
    /// None in practice.
    pub fn checks(&self) -> Result<DataFrame> {
        tables::checks(&self.spots, &self.keys())
    }

    /// One row per condition: the candidates against the others.
    ///
    /// # Errors
    /// None in practice.
    pub fn balance(&self) -> Result<DataFrame> {
        tables::balance(&self.spots)
    }

    /// The units under the conditions of one of them, the nearest first.
    ///
    /// # Errors
    /// As [`Self::explain`].
    pub fn peers(&self, unit: &str, within: &[String]) -> Result<DataFrame> {
        tables::peers(&self.spots, &self.keys(), self.position(unit, within)?)
    }

    /// What is found about one unit. `within` names its group, where the label of the unit occurs in several.
    ///
    /// # Errors
    /// Where no unit, or more than one, bears the name.
    pub fn explain(&self, unit: &str, within: &[String]) -> Result<Explanation> {
        self.spots.explain(self.position(unit, within)?)
    }

    fn position(&self, unit: &str, within: &[String]) -> Result<usize> {
        let mut found = self
            .spots
            .units
            .iter()
            .enumerate()
            .filter(|(_, row)| row.label == unit && (within.is_empty() || row.within_labels.as_slice() == within));
        match (found.next(), found.next()) {
            (Some((position, _)), None) => Ok(position),
            (None, _) => Err(Error::option(
                &self.unit.name,
                format!("{unit:?}"),
                format!("one of the {} units in .units", self.spots.units.len()),
            )),
            (Some((_, a)), Some((_, b))) => Err(Error::option(
                &self.unit.name,
                format!("{unit:?}"),
                format!(
                    "the name of one unit; it occurs in {:?} and in {:?}: give `within` too",
                    a.within_labels, b.within_labels
                ),
            )),
        }
    }

    fn keys(&self) -> Keys<'_> {
        Keys { within: &self.within, unit: &self.unit, period: self.period.as_ref() }
    }
}
