//! The synthetic district as data frames.

use polars::prelude::*;

use crate::synthetic::{Column, District};
use crate::{Error, Result};

impl District {
    /// Its tables as data frames, each with its name; see [`District::tables`].
    ///
    /// # Errors
    /// None in practice: the columns of a table are of one length.
    pub fn frames(&self) -> Result<Vec<(&'static str, DataFrame)>> {
        self.tables()
            .into_iter()
            .map(|table| {
                let height = table.n_rows();
                let columns = table.columns.into_iter().map(|(name, column)| series(name, column).map(Into::into));
                Ok((table.name, DataFrame::new(height, columns.collect::<Result<_>>()?)?))
            })
            .collect()
    }
}

fn series(name: &str, column: Column) -> Result<Series> {
    let name = PlSmallStr::from(name);
    Ok(match column {
        Column::Str(values) => Series::new(name, values),
        Column::OptStr(values) => Series::new(name, values),
        Column::F64(values) => Series::new(name, values),
        Column::OptF64(values) => Series::new(name, values),
        Column::I64(values) => Series::new(name, values),
        Column::OptI64(values) => Series::new(name, values),
        Column::Bool(values) => Series::new(name, values),
        Column::OptBool(values) => Series::new(name, values),
        Column::Date(values) => dates(name, values.into_iter().map(Some))?,
        Column::OptDate(values) => dates(name, values)?,
    })
}

fn dates(name: PlSmallStr, values: impl IntoIterator<Item = Option<jiff::civil::Date>>) -> Result<Series> {
    let days: Vec<Option<i32>> = values
        .into_iter()
        .map(|date| date.map(|date| i32::try_from(super::time::days(date))).transpose())
        .collect::<std::result::Result<_, _>>()
        .map_err(|e| Error::Numerical { what: "a date".into(), problem: e.to_string() })?;
    Ok(Series::new(name, days).cast(&DataType::Date)?)
}
