//! From frames to the series of a plan's measures.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use polars::prelude::*;

use super::columns::{column, flags, floats, labels};
use super::time::Times;
use crate::cycle::{Comparison, Plan};
use crate::measure::{Candidate, Kind, Measure, Row, Series, StudentValue};
use crate::{Error, Result};

/// The data of a plan.
#[derive(Debug, Clone)]
pub enum PlanFrames {
    /// A frame for each measure, by its name.
    Each(Vec<(String, DataFrame)>),
    /// One frame for all measures: a column tells them apart (`Measure::measure`), or each has columns of its own.
    One(DataFrame),
}

/// The series of a plan's measures as a study on `as_of` reads them: one point a date, rows of one date combined as each
/// measure says. Rows dated later, or after the test window, are not read, so that they cannot be counted as left out.
///
/// # Errors
/// For columns that are missing or of the wrong type, and frames of measures that the plan does not have.
pub fn plan_series(plan: &Plan, frames: &PlanFrames, as_of: Date) -> Result<BTreeMap<String, Series>> {
    let last = as_of.min(plan.test[1]);
    match frames {
        PlanFrames::Each(frames) => frames
            .iter()
            .map(|(name, df)| {
                let measure = plan.measure(name).ok_or_else(|| {
                    let names: Vec<_> = plan.measures().map(|measure| format!("{:?}", measure.name)).collect();
                    Error::option("frames", format!("{name:?}"), format!("a measure of the plan: {}", names.join(", ")))
                })?;
                Ok((name.clone(), series(plan, measure, df, last)?))
            })
            .collect(),
        PlanFrames::One(df) => plan
            .measures()
            .map(|measure| Ok((measure.name.clone(), series(plan, measure, &rows_of(measure, df)?, last)?)))
            .collect(),
    }
}

/// The rows of one measure: those that bear its name, or all where no column tells measures apart.
fn rows_of(measure: &Measure, df: &DataFrame) -> Result<DataFrame> {
    if df.get_column_index(&measure.measure).is_none() {
        return Ok(df.clone());
    }
    let mine: BooleanChunked =
        labels(df, &measure.measure)?.iter().map(|name| Some(name.as_deref() == Some(measure.name.as_str()))).collect();
    Ok(df.filter(&mine)?)
}

/// One row of a measure's data, with what the plan may need to know of it.
#[derive(Debug, Clone)]
struct Given {
    row: Row,
    student: Option<String>,
    class: Option<String>,
    is_treated: bool,
    prior: Option<f64>,
    unit: Option<String>,
}

fn series(plan: &Plan, measure: &Measure, df: &DataFrame, last: Date) -> Result<Series> {
    let given: Vec<Given> =
        rows(plan, measure, df)?.into_iter().filter(|one| one.row.time.is_none_or(|time| time <= last)).collect();
    let is_chosen = |one: &Given| match (&plan.selection, &one.unit) {
        (Some(selection), Some(unit)) => selection.chosen.contains(unit),
        _ => true,
    };
    // What is drawn, and for all measures but the outcome what is judged: the chosen units, the classes that try it.
    let own = given.iter().filter(|one| one.is_treated && is_chosen(one)).map(|one| one.row);
    let series = measure.series(own)?;
    if measure.name != plan.outcome.name {
        return Ok(series);
    }
    // Where classes are compared, those that were not chosen are there to compare with; a row without a class is not.
    let has_classes = plan.comparison.is_some();
    let counts = |one: &&Given| if has_classes { one.class.is_some() } else { is_chosen(one) };
    let students = given.iter().filter(counts).filter_map(|one| student_value(measure, one)).collect();
    Ok(Series { students, candidates: candidates(measure, &given)?, ..series })
}

/// The series of every unit among which some were chosen.
fn candidates(measure: &Measure, given: &[Given]) -> Result<Vec<Candidate>> {
    let mut units: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    for one in given {
        if let Some(unit) = one.unit.as_deref().filter(|unit| !unit.is_empty()) {
            units.entry(unit).or_default().push(one.row);
        }
    }
    units
        .into_iter()
        .map(|(unit, rows)| {
            measure.series(rows).map(|series| Candidate { unit: unit.to_owned(), points: series.points })
        })
        .collect()
}

/// A row as the value of one student, where classes or clumps of one student's counts are to be seen.
fn student_value(measure: &Measure, given: &Given) -> Option<StudentValue> {
    if given.student.is_none() && given.class.is_none() {
        return None;
    }
    let value = match (measure.kind, given.row.size) {
        // Counts of one student stay counts: it is they that come in clumps.
        (Kind::Proportion | Kind::Rate, size) if given.class.is_some() => {
            given.row.value? / size.filter(|&size| size > 0.0)? * measure.per
        }
        _ => given.row.value?,
    };
    Some(StudentValue {
        time: given.row.time?,
        class: given.class.clone().unwrap_or_default(),
        is_treated: given.is_treated,
        student: given.student.clone(),
        value,
        prior: given.prior,
    })
}

fn rows(plan: &Plan, measure: &Measure, df: &DataFrame) -> Result<Vec<Given>> {
    column(df, &measure.value)?;
    column(df, &measure.time)?;
    let is_outcome = measure.name == plan.outcome.name;
    let names = |name: Option<&String>, is_needed: bool| match name {
        Some(name) if is_needed || df.get_column_index(name).is_some() => labels(df, name),
        _ => Ok(vec![]),
    };
    let dates = Times::new(df, &measure.time)?.dates()?;
    let values = floats(df, &measure.value)?;
    let sizes = measure.size.as_ref().map_or(Ok(vec![]), |name| floats(df, name))?;
    let students = names(measure.student.as_ref(), true)?;
    let comparison = plan.comparison.as_ref();
    let classes = names(comparison.map(|one| &one.group), is_outcome)?;
    let treated = comparison.map_or(Ok(vec![]), |one| treated(one, df, &classes, is_outcome))?;
    let priors = match comparison.and_then(|one| one.prior.as_ref()).filter(|_| is_outcome) {
        Some(name) => floats(df, name)?,
        None => vec![],
    };
    let units = names(plan.selection.as_ref().and_then(|one| one.unit.as_ref()), is_outcome)?;
    if let Some((selection, unit)) = plan.selection.as_ref().and_then(|one| Some((one, one.unit.as_ref()?))) {
        refuse_unknown("Plan.selection.chosen", &selection.chosen, unit, &units)?;
    }
    let number = |values: &[f64], row: usize| values.get(row).copied().filter(|value| value.is_finite());
    let label = |labels: &[Option<String>], row: usize| labels.get(row).cloned().flatten();
    Ok(dates
        .into_iter()
        .enumerate()
        .map(|(row, time)| Given {
            row: Row { time, value: number(&values, row), size: number(&sizes, row) },
            student: label(&students, row),
            class: label(&classes, row),
            is_treated: treated.get(row).copied().unwrap_or(true),
            prior: number(&priors, row),
            // A row of nobody's is not of the chosen ones.
            unit: label(&units, row).or_else(|| (!units.is_empty()).then(String::new)),
        })
        .collect())
}

/// Which rows are of classes that try the change; empty where the data do not tell classes apart.
fn treated(comparison: &Comparison, df: &DataFrame, classes: &[Option<String>], is_outcome: bool) -> Result<Vec<bool>> {
    match &comparison.treated_column {
        Some(name) if is_outcome || df.get_column_index(name).is_some() => {
            let found = column(df, name)?;
            if found.dtype().is_bool() {
                flags(df, name)
            } else {
                Ok(floats(df, name)?.iter().map(|&x| x > 0.0).collect())
            }
        }
        Some(_) => Ok(vec![]),
        None => {
            if is_outcome {
                refuse_unknown("Plan.comparison.treated", &comparison.treated, &comparison.group, classes)?;
            }
            Ok(classes
                .iter()
                .map(|class| class.as_ref().is_some_and(|class| comparison.treated.contains(class)))
                .collect())
        }
    }
}

/// Names of which the data know none, though they know others, are misspelt.
fn refuse_unknown(option: &str, named: &[String], column: &str, labels: &[Option<String>]) -> Result<()> {
    let found: BTreeSet<&String> = labels.iter().flatten().collect();
    if found.is_empty() || named.iter().any(|name| found.contains(name)) {
        return Ok(());
    }
    let examples: Vec<String> = found.iter().take(5).map(|name| format!("{name:?}")).collect();
    Err(Error::option(
        option,
        format!("{named:?}"),
        format!("names of column {column:?}, such as {}", examples.join(", ")),
    ))
}
