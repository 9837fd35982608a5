//! From frames to the series of a plan's measures.

use std::collections::BTreeMap;

use jiff::civil::Date;
use polars::prelude::*;

use super::columns::{column, floats, labels};
use super::time::Times;
use crate::cycle::Plan;
use crate::measure::{Measure, Row, Series};
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
                Ok((name.clone(), series(measure, df, last)?))
            })
            .collect(),
        PlanFrames::One(df) => plan
            .measures()
            .map(|measure| Ok((measure.name.clone(), series(measure, &rows_of(measure, df)?, last)?)))
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

fn series(measure: &Measure, df: &DataFrame, last: Date) -> Result<Series> {
    column(df, &measure.value)?;
    column(df, &measure.time)?;
    let dates = Times::new(df, &measure.time)?.dates()?;
    let values = floats(df, &measure.value)?;
    let sizes = measure.size.as_ref().map(|name| floats(df, name)).transpose()?;
    let rows = dates.into_iter().zip(values).enumerate().map(|(row, (time, value))| Row {
        time,
        value: Some(value).filter(|value| value.is_finite()),
        size: sizes.as_ref().and_then(|sizes| sizes.get(row)).copied().filter(|size| size.is_finite()),
    });
    measure.series(rows.filter(|row| row.time.is_none_or(|time| time <= last)))
}
