//! Practices that bright rooms share, frame to frame.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::bright::BrightTables;
use super::build::{counts, flags, numbers, texts};
use super::columns::{column, floats, labels};
use crate::bright::{Combine, PracticeRow, PracticeSpec, Practices, UseRows, practices as core};
use crate::{Error, Note, NoteCode, Result};

/// What is asked of a search for practices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PracticeRequest {
    /// The column that names the units.
    pub unit: String,
    /// The column that names the practices.
    pub practice: String,
    /// The column of yes and no, where there is one.
    #[serde(default, rename = "use")]
    pub is_used: Option<String>,
    /// The column of fidelity, 0 to 1, where there is one.
    #[serde(default)]
    pub fidelity: Option<String>,
    /// What rows of one unit and practice that differ are together.
    #[serde(default)]
    pub combine: Option<Combine>,
    /// The criteria.
    #[serde(default)]
    pub spec: PracticeSpec,
}

/// What was found about practices.
#[derive(Debug, Clone)]
pub struct PracticeTables {
    found: Practices,
    notes: Vec<Note>,
}

/// Look for practices that the bright units of a search share: [`core`] on rows of uses.
///
/// Columns of `uses` that bear the names of the groups of the search tell apart units of the same name.
///
/// # Errors
/// For columns that are missing or of the wrong type, a column of yes and no that nobody named, rows that contradict
/// each other, units of which not one was in the search, and criteria out of range.
pub fn practices(bright: &BrightTables, uses: &DataFrame, request: &PracticeRequest) -> Result<PracticeTables> {
    if request.is_used.is_none() {
        check_flags(bright, uses, request)?;
    }
    let mut notes = Vec::new();
    let unit = units(bright, uses, request, &mut notes)?;
    let named = labels(uses, &request.practice)?;
    let names: BTreeSet<&String> = named.iter().flatten().collect();
    let code: BTreeMap<&String, u32> = names.iter().copied().zip(0..).collect();
    let names: Vec<String> = names.into_iter().cloned().collect();
    let practice: Vec<Option<u32>> = named.iter().map(|n| code.get(n.as_ref()?).copied()).collect();
    let is_used = request.is_used.as_ref().map(|name| yes_or_no(uses, name)).transpose()?;
    let fidelity = request.fidelity.as_ref().map(|name| floats(uses, name)).transpose()?;
    let fidelity: Option<Vec<Option<f64>>> =
        fidelity.map(|values| values.into_iter().map(|v| (!v.is_nan()).then_some(v)).collect());
    let rows = UseRows {
        unit: &unit,
        practice: &practice,
        practices: &names,
        is_used: is_used.as_deref(),
        fidelity: fidelity.as_deref(),
    };
    let (of_units, caveats) = rows.uses(bright.spots().units.len(), request.combine)?;
    let found = core(bright.spots(), bright.moments(), &of_units, &request.spec)?;
    notes.extend(caveats);
    notes.extend(found.notes.iter().cloned());
    Ok(PracticeTables { found, notes })
}

/// The position of every row's unit in the search; `None` for units that it did not have, which are counted.
fn units(
    bright: &BrightTables,
    uses: &DataFrame,
    request: &PracticeRequest,
    notes: &mut Vec<Note>,
) -> Result<Vec<Option<usize>>> {
    let spots = bright.spots();
    let named = labels(uses, &request.unit)?;
    let is_there = |name: &String| uses.get_column_index(name).is_some();
    let groups: Vec<&String> = spots.within_names.iter().filter(|name| is_there(name)).collect();
    let of_row: Vec<Vec<Option<String>>> = groups.iter().map(|name| labels(uses, name)).collect::<Result<_>>()?;
    let mut places: BTreeMap<Vec<&str>, Option<usize>> = BTreeMap::new();
    for (position, row) in spots.units.iter().enumerate() {
        let within = spots.within_names.iter().zip(&row.within_labels).filter(|(name, _)| groups.contains(name));
        let key: Vec<&str> = within.map(|(_, label)| label.as_str()).chain([row.label.as_str()]).collect();
        places.entry(key).and_modify(|place| *place = None).or_insert(Some(position));
    }
    let mut unmatched: BTreeSet<Vec<&str>> = BTreeSet::new();
    let mut found = Vec::with_capacity(named.len());
    let mut n_unnamed = 0;
    for (row, name) in named.iter().enumerate() {
        let labels = of_row.iter().map(|labels| labels.get(row)).chain([Some(name)]);
        let Some(key) = labels.map(|label| label?.as_deref()).collect::<Option<Vec<&str>>>() else {
            n_unnamed += 1;
            found.push(None);
            continue;
        };
        match places.get(&key) {
            Some(Some(position)) => found.push(Some(*position)),
            Some(None) => {
                let missing: Vec<&String> = spots.within_names.iter().filter(|n| !groups.contains(n)).collect();
                return Err(Error::InvalidValue {
                    what: format!("the unit {:?} in the table of uses", key.last().unwrap_or(&"")),
                    found: "a name that several groups have".into(),
                    remedy: format!("give the table the columns {missing:?} too"),
                });
            }
            None => {
                unmatched.insert(key);
                found.push(None);
            }
        }
    }
    if found.iter().all(Option::is_none) && !unmatched.is_empty() {
        let example = |key: Option<&Vec<&str>>| key.map_or_else(String::new, |k| format!("{:?}", k.join(", ")));
        return Err(Error::InvalidValue {
            what: "the units in the table of uses".into(),
            found: format!("none that was searched (for example {})", example(unmatched.first())),
            remedy: format!("name them as the search does (for example {})", example(places.keys().next())),
        });
    }
    if n_unnamed > 0 {
        notes.push(Note::new(NoteCode::RowsLeftOut, n_unnamed).at(request.unit.clone()));
    }
    if !unmatched.is_empty() {
        notes.push(Note::new(NoteCode::UnmatchedUnits, unmatched.len()));
    }
    Ok(found)
}

/// Without a column of yes and no every row counts as a use, so that one that is there and not named would be read as
/// its opposite wherever it says no.
fn check_flags(bright: &BrightTables, uses: &DataFrame, request: &PracticeRequest) -> Result<()> {
    let named = [Some(&request.unit), Some(&request.practice), request.fidelity.as_ref()];
    let groups = &bright.spots().within_names;
    let is_named = |name: &String| named.contains(&Some(name)) || groups.contains(name);
    let mut found = Vec::new();
    for column in uses.columns() {
        let name = column.name().to_string();
        if let Some(n_others) = n_not_yes(column).filter(|n| *n > 0 && !is_named(&name)) {
            found.push((name, n_others));
        }
    }
    let Some((name, n_others)) = found.first() else { return Ok(()) };
    let names: Vec<&String> = found.iter().map(|(name, _)| name).collect();
    Err(Error::InvalidValue {
        what: format!("the table of uses, of which every row would count as a use ({} in all)", uses.height()),
        found: format!(
            "a column of yes and no that is not named, {names:?}; {name:?} says no, or nothing, in {n_others}"
        ),
        remedy: format!("give use={name:?} if it says whether the practice is used, and leave it out if it does not"),
    })
}

/// In how many rows a column whose values are yes and no, in any spelling, does not say yes; `None` of other columns.
fn n_not_yes(column: &Column) -> Option<usize> {
    let series = column.as_materialized_series();
    let is_yes: Vec<Option<bool>> = if let Ok(values) = series.bool() {
        values.iter().collect()
    } else if let Ok(values) = series.str() {
        values.iter().map(|text| yes_in_words(text.unwrap_or_default())).collect::<std::result::Result<_, _>>().ok()?
    } else if column.dtype().is_primitive_numeric() {
        let values = series.cast(&DataType::Float64).ok()?;
        let values = values.f64().ok()?;
        values.iter().map(|value| one_or_zero(value.unwrap_or(f64::NAN))).collect::<std::result::Result<_, _>>().ok()?
    } else {
        return None;
    };
    let is_known = is_yes.iter().any(Option::is_some);
    is_known.then(|| is_yes.iter().filter(|yes| **yes != Some(true)).count())
}

/// Yes and no as people write them, nothing where the cell is empty; other words come back.
fn yes_in_words(text: &str) -> std::result::Result<Option<bool>, String> {
    match text.trim().to_lowercase().as_str() {
        "yes" | "y" | "true" | "t" | "1" => Ok(Some(true)),
        "no" | "n" | "false" | "f" | "0" => Ok(Some(false)),
        "" => Ok(None),
        other => Err(other.into()),
    }
}

/// 1 as yes, 0 as no, NaN as nothing; other numbers come back.
fn one_or_zero(value: f64) -> std::result::Result<Option<bool>, f64> {
    match value {
        v if v.is_nan() => Ok(None),
        0.0 => Ok(Some(false)),
        1.0 => Ok(Some(true)),
        v => Err(v),
    }
}

/// A column of true and false, or of 1 and 0; null stays `None`.
fn yes_or_no(uses: &DataFrame, name: &str) -> Result<Vec<Option<bool>>> {
    let found = column(uses, name)?;
    if let Ok(values) = found.as_materialized_series().bool() {
        return Ok(values.iter().collect());
    }
    let wrong = |found: String| Error::ColumnType {
        column: name.into(),
        expected: "true and false, or 1 and 0".into(),
        found,
        remedy: "make it boolean, for example with a comparison".into(),
    };
    if !found.dtype().is_primitive_numeric() && !found.dtype().is_null() {
        return Err(wrong(found.dtype().to_string()));
    }
    let one = |value: f64| one_or_zero(value).map_err(|other| wrong(other.to_string()));
    floats(uses, name)?.into_iter().map(one).collect()
}

impl PracticeTables {
    /// What the core found.
    pub fn found(&self) -> &Practices {
        &self.found
    }

    /// Caveats: of the rows, then of the search.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// One row per practice, in the order of their names.
    ///
    /// # Errors
    /// None in practice.
    pub fn table(&self) -> Result<DataFrame> {
        let rows = &self.found.rows;
        let mut columns = vec![texts("practice", rows.iter().map(|row| Some(row.practice.as_str())))];
        let mut count = |name: &str, get: fn(&PracticeRow) -> usize| {
            columns.push(counts(name, rows.iter().map(|row| Some(get(row)))));
        };
        count("n_users", |r| r.n_users);
        count("n_others", |r| r.n_others);
        count("n_unknown", |r| r.n_unknown);
        count("n_groups", |r| r.n_groups);
        count("n_groups_both", |r| r.n_groups_both);
        let mut number = |name: &str, get: fn(&PracticeRow) -> Option<f64>| {
            columns.push(numbers(name, rows.iter().map(get)));
        };
        number("mean_use", |r| r.mean_use);
        number("estimate", |r| r.estimate);
        number("se", |r| r.se);
        number("df", |r| r.df);
        number("p_value", |r| r.p_value);
        number("shrunken", |r| r.shrunken);
        number("lo", |r| r.lo);
        number("hi", |r| r.hi);
        number("prob_positive", |r| r.prob_positive);
        number("q_value", |r| r.q_value);
        number("q_value_bh", |r| r.q_value_bh);
        columns.push(counts("n_bright", rows.iter().map(|row| Some(row.n_bright))));
        columns.push(numbers("share_bright", rows.iter().map(|row| row.share_bright)));
        columns.push(counts("n_typical", rows.iter().map(|row| Some(row.n_typical))));
        columns.push(numbers("share_typical", rows.iter().map(|row| row.share_typical)));
        columns.push(flags("is_stable", rows.iter().map(|row| row.is_stable)));
        columns.push(texts_of("inseparable_from", rows.iter().map(|row| row.inseparable_from.as_slice())));
        columns.push(flags("is_candidate", rows.iter().map(|row| Some(row.is_candidate))));
        columns.push(texts("finding", rows.iter().map(|row| Some(row.finding.as_str()))));
        Ok(DataFrame::new(rows.len(), columns)?)
    }

    /// One row per practice and period: the estimate from it alone, and that without it.
    ///
    /// # Errors
    /// None in practice.
    pub fn by_period(&self) -> Result<DataFrame> {
        let rows: Vec<_> =
            self.found.rows.iter().flat_map(|row| row.periods.iter().map(|p| (row.practice.as_str(), p))).collect();
        let columns = vec![
            texts("practice", rows.iter().map(|(name, _)| Some(*name))),
            texts("period", rows.iter().map(|(_, p)| Some(p.period.as_str()))),
            numbers("estimate", rows.iter().map(|(_, p)| p.estimate)),
            numbers("se", rows.iter().map(|(_, p)| p.se)),
            numbers("estimate_without", rows.iter().map(|(_, p)| p.without)),
        ];
        Ok(DataFrame::new(rows.len(), columns)?)
    }
}

/// A column of lists of text.
fn texts_of<'a>(name: &str, lists: impl ExactSizeIterator<Item = &'a [String]>) -> Column {
    let mut column = ListStringChunkedBuilder::new(name.into(), lists.len(), lists.len());
    for list in lists {
        column.append_values_iter(list.iter().map(String::as_str));
    }
    column.finish().into_column()
}
