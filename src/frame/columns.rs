//! Single columns: found by name, checked by type, read into slices.

use polars::prelude::*;

use crate::{Error, Result};

/// The column of this name, or an error that names the nearest.
pub(super) fn column<'a>(df: &'a DataFrame, name: &str) -> Result<&'a Column> {
    df.column(name).map_err(|_| Error::ColumnMissing { column: name.into(), available: names(df) })
}

pub(super) fn names(df: &DataFrame) -> Vec<String> {
    df.get_column_names().iter().map(ToString::to_string).collect()
}

/// A numeric column as floats; null becomes NaN.
pub(super) fn floats(df: &DataFrame, name: &str) -> Result<Vec<f64>> {
    let found = column(df, name)?;
    let dtype = found.dtype();
    if !(dtype.is_primitive_numeric() || dtype.is_bool() || dtype.is_null()) {
        return Err(not_numeric(found));
    }
    let cast = found.as_materialized_series().cast(&DataType::Float64)?;
    Ok(cast.f64()?.iter().map(|value| value.unwrap_or(f64::NAN)).collect())
}

/// Numbers of a column: those of the frame itself where none is missing, else a copy with NaN for null.
#[derive(Debug)]
pub(super) enum Numbers {
    Shared(Float64Chunked),
    Owned(Vec<f64>),
}

impl std::ops::Deref for Numbers {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        match self {
            Self::Shared(values) => values.cont_slice().unwrap_or_default(),
            Self::Owned(values) => values,
        }
    }
}

impl Numbers {
    /// Only these rows.
    pub(super) fn retain(&mut self, kept: &[bool]) {
        *self = Self::Owned(self.iter().zip(kept).filter(|(_, kept)| **kept).map(|(v, _)| *v).collect());
    }
}

/// A numeric column, without a copy where it can be; null becomes NaN.
pub(super) fn numbers(df: &DataFrame, name: &str) -> Result<Numbers> {
    let found = column(df, name)?.as_materialized_series();
    if let Ok(values) = found.f64()
        && values.null_count() == 0
    {
        let values = values.rechunk().into_owned();
        if values.cont_slice().is_ok() {
            return Ok(Numbers::Shared(values));
        }
    }
    Ok(Numbers::Owned(floats(df, name)?))
}

fn not_numeric(found: &Column) -> Error {
    let series = found.as_materialized_series();
    let sample = match series.str() {
        // Show what is not a number: "91%", "*", "n<10" tell at once what has to be cleaned.
        Ok(texts) => {
            let odd: Vec<_> = texts
                .iter()
                .flatten()
                .filter(|t| t.trim().parse::<f64>().is_err())
                .take(3)
                .map(|t| format!("{t:?}"))
                .collect();
            if odd.is_empty() {
                " (numbers written as text)".into()
            } else {
                format!(" (for example {})", odd.join(", "))
            }
        }
        Err(_) => String::new(),
    };
    Error::ColumnType {
        column: found.name().to_string(),
        expected: "numbers".into(),
        found: format!("{}{sample}", found.dtype()),
        remedy: "turn it into numbers first, with null where there is no value".into(),
    }
}

/// A boolean column; null is false.
pub(super) fn flags(df: &DataFrame, name: &str) -> Result<Vec<bool>> {
    let found = column(df, name)?;
    let series = found.as_materialized_series();
    let Ok(values) = series.bool() else {
        return Err(Error::ColumnType {
            column: name.into(),
            expected: "true and false".into(),
            found: found.dtype().to_string(),
            remedy: "make it boolean, for example with a comparison".into(),
        });
    };
    Ok(values.iter().map(|value| value.unwrap_or(false)).collect())
}

/// Any column as text labels; null stays `None`.
pub(super) fn labels(df: &DataFrame, name: &str) -> Result<Vec<Option<String>>> {
    let cast = column(df, name)?.as_materialized_series().cast(&DataType::String)?;
    Ok(cast.str()?.iter().map(|value| value.map(str::to_owned)).collect())
}

/// Columns that name groups must be of a kind that can be compared and sorted.
pub(super) fn check_keys(df: &DataFrame, option: &str, names: &[String], reserved: &[&str]) -> Result<()> {
    for (position, name) in names.iter().enumerate() {
        let found = column(df, name)?;
        if reserved.contains(&name.as_str()) {
            return Err(Error::ColumnClash { column: name.clone() });
        }
        if names.iter().take(position).any(|earlier| earlier == name) {
            return Err(Error::option(option, format!("{names:?}"), "a list of different columns"));
        }
        if found.dtype().is_nested() {
            return Err(Error::ColumnType {
                column: name.clone(),
                expected: "names, numbers or dates that tell groups apart".into(),
                found: found.dtype().to_string(),
                remedy: "take one field of it".into(),
            });
        }
    }
    Ok(())
}
