//! Bright spots, frame to frame.

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::build::{counts, flags, numbers, texts};
use super::columns::check_keys;
use super::factors::{Codes, ModelData};
use crate::bright::{
    Answer, BrightInput, BrightSpec, BrightSpots, Explanation, Factor, UnitMoments, UnitRow, bright_spots as core,
};
use crate::{Error, Note, Result};

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
    /// The criteria.
    #[serde(default)]
    pub spec: BrightSpec,
}

/// What was found, with its labels.
#[derive(Debug, Clone)]
pub struct BrightTables {
    spots: BrightSpots,
    moments: UnitMoments,
    within: Vec<Codes>,
    unit: Codes,
    notes: Vec<Note>,
}

/// The columns that the table of units adds; a column of units or groups may not bear one of their names.
const RESERVED: &[&str] = &[
    "n",
    "n_periods",
    "raw",
    "effect",
    "sd",
    "reliability",
    "lo",
    "hi",
    "effect_overall",
    "sd_overall",
    "reliability_overall",
    "lo_overall",
    "hi_overall",
    "prob_exceeds",
    "prob_exceeds_overall",
    "expected_percentile",
    "expected_percentile_overall",
    "q_value",
    "q_value_overall",
    "has_min_n",
    "has_peers",
    "is_in_fdr_set",
    "has_prob",
    "is_consistent",
    "is_candidate",
    "is_candidate_overall",
    "finding",
    "finding_overall",
    "matched_to",
];

/// Look for bright spots in a frame: [`core`] on its rows.
///
/// Rows with a missing value in any column of the model are left out and counted.
///
/// # Errors
/// For columns that are missing or of the wrong type, and criteria out of range.
pub fn bright_spots(df: &DataFrame, request: &BrightRequest) -> Result<BrightTables> {
    let keys: Vec<String> = request.within.iter().chain([&request.unit]).cloned().collect();
    check_keys(df, "within", &request.within, RESERVED)?;
    check_keys(df, "unit", std::slice::from_ref(&request.unit), RESERVED)?;
    check_parts(request)?;
    let factors: Vec<String> = keys.iter().chain(&request.period).cloned().collect();
    let fixed: Vec<String> =
        request.adjust.iter().filter(|name| Some(*name) != request.period.as_ref()).cloned().collect();
    let data = ModelData::new(df, &request.outcome, &fixed, &factors)?;
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
    let spots = core(&input, &request.spec)?;
    let moments = UnitMoments::new(&input, &spots)?;
    let notes = data.notes.iter().chain(&spots.notes).cloned().collect();
    let mut codes = data.factors.into_iter();
    let within = codes.by_ref().take(request.within.len()).collect();
    let Some(unit) = codes.next() else { return Err(Error::option("unit", "none", "a column")) };
    Ok(BrightTables { spots, moments, within, unit, notes })
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
        let rows = &self.spots.units;
        let mut columns = self.keys(rows.iter())?;
        columns.push(counts("n", rows.iter().map(|row| Some(row.n))));
        columns.push(counts("n_periods", rows.iter().map(|row| row.n_periods)));
        columns.push(numbers("raw", rows.iter().map(|row| Some(row.raw))));
        let mut answer = |name: &str, get: fn(&Answer) -> Option<f64>| {
            columns.push(numbers(name, rows.iter().map(|row| get(&row.peers))));
        };
        answer("effect", |a| Some(a.effect));
        answer("sd", |a| Some(a.sd));
        answer("reliability", |a| Some(a.reliability));
        answer("lo", |a| Some(a.lo));
        answer("hi", |a| Some(a.hi));
        let mut overall = |name: &str, get: fn(&Answer) -> Option<f64>| {
            columns.push(numbers(name, rows.iter().map(|row| get(&row.overall))));
        };
        overall("effect_overall", |a| Some(a.effect));
        overall("sd_overall", |a| Some(a.sd));
        overall("reliability_overall", |a| Some(a.reliability));
        overall("lo_overall", |a| Some(a.lo));
        overall("hi_overall", |a| Some(a.hi));
        for (name, get) in [
            ("prob_exceeds", (|a: &Answer| Some(a.prob_exceeds)) as fn(&Answer) -> Option<f64>),
            ("expected_percentile", |a| Some(a.expected_percentile)),
            ("q_value", |a| a.q_value),
        ] {
            columns.push(numbers(name, rows.iter().map(|row| get(&row.peers))));
            columns.push(numbers(&format!("{name}_overall"), rows.iter().map(|row| get(&row.overall))));
        }
        columns.push(flags("has_min_n", rows.iter().map(|row| Some(row.has_min_n))));
        columns.push(flags("has_peers", rows.iter().map(|row| Some(row.has_peers))));
        columns.push(flags("is_in_fdr_set", rows.iter().map(|row| Some(row.peers.is_in_fdr_set))));
        columns.push(flags("has_prob", rows.iter().map(|row| Some(row.peers.has_prob))));
        columns.push(flags("is_consistent", rows.iter().map(|row| row.peers.is_consistent)));
        columns.push(flags("is_candidate", rows.iter().map(|row| Some(row.peers.is_candidate))));
        columns.push(flags("is_candidate_overall", rows.iter().map(|row| Some(row.overall.is_candidate))));
        columns.push(texts("finding", rows.iter().map(|row| Some(row.peers.finding.as_str()))));
        columns.push(texts("finding_overall", rows.iter().map(|row| Some(row.overall.finding.as_str()))));
        Ok(DataFrame::new(rows.len(), columns)?)
    }

    /// Ordinary units to visit as well: the columns that name them, n, and `matched_to`, the candidate whose conditions
    /// each shares.
    ///
    /// # Errors
    /// None in practice.
    pub fn typical(&self) -> Result<DataFrame> {
        let pairs: Vec<(&UnitRow, &UnitRow)> = self
            .spots
            .typical
            .iter()
            .filter_map(|pair| Some((self.spots.units.get(pair.unit)?, self.spots.units.get(pair.matched_to)?)))
            .collect();
        let mut columns = self.keys(pairs.iter().map(|(unit, _)| *unit))?;
        columns.push(counts("n", pairs.iter().map(|(unit, _)| Some(unit.n))));
        let mut matched = self.unit.gather(pairs.iter().map(|(_, candidate)| candidate.unit))?;
        matched.rename("matched_to".into());
        columns.push(matched);
        Ok(DataFrame::new(pairs.len(), columns)?)
    }

    /// What is found about one unit. `within` names its group, where the label of the unit occurs in several.
    ///
    /// # Errors
    /// Where no unit, or more than one, bears the name.
    pub fn explain(&self, unit: &str, within: &[String]) -> Result<Explanation> {
        let mut found = self
            .spots
            .units
            .iter()
            .enumerate()
            .filter(|(_, row)| row.label == unit && (within.is_empty() || row.within_labels.as_slice() == within));
        match (found.next(), found.next()) {
            (Some((position, _)), None) => self.spots.explain(position),
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

    fn keys<'a>(&self, rows: impl Iterator<Item = &'a UnitRow> + Clone) -> Result<Vec<Column>> {
        let mut columns = vec![];
        for (position, codes) in self.within.iter().enumerate() {
            let mut column = codes.gather(rows.clone().map(|row| row.within.get(position).copied().unwrap_or(0)))?;
            column.rename(codes.name.as_str().into());
            columns.push(column);
        }
        let mut column = self.unit.gather(rows.map(|row| row.unit))?;
        column.rename(self.unit.name.as_str().into());
        columns.push(column);
        Ok(columns)
    }
}
