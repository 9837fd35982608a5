//! What a caller knows of each chart beforehand: its centre line, its standard deviation, its limits.

use std::ops::Range;

use polars::prelude::*;

use super::chart_request::ChartRequest;
use super::columns::floats;
use super::points::{Points, Scalar};
use crate::charts::Phase;
use crate::{Error, Result};

/// One of them: the same for all charts, or from a column.
enum Given {
    All(f64),
    Rows { option: &'static str, column: String, values: Vec<f64> },
}

/// All of them, each where it was given.
pub(super) struct Givens {
    center: Option<Given>,
    sigma: Option<Given>,
    lcl: Option<Given>,
    ucl: Option<Given>,
}

impl Givens {
    pub(super) fn new(df: &DataFrame, request: &ChartRequest) -> Result<Self> {
        let read = |option: &'static str, given: &Option<Scalar>| -> Result<Option<Given>> {
            match given {
                None => Ok(None),
                Some(Scalar::Number(number)) => Ok(Some(Given::All(*number))),
                Some(Scalar::Column(column)) => {
                    Ok(Some(Given::Rows { option, column: column.clone(), values: floats(df, column)? }))
                }
            }
        };
        Ok(Self {
            center: read("center", &request.center)?,
            sigma: read("sigma", &request.sigma)?,
            lcl: read("lcl", &request.lcl)?,
            ucl: read("ucl", &request.ucl)?,
        })
    }

    /// Puts what is known into the phases of the chart with these points.
    pub(super) fn put(&self, points: &Points, rows: Range<usize>, phases: &mut [Phase<'_>]) -> Result<()> {
        for phase in phases {
            let own = rows.start + phase.rows.start..rows.start + phase.rows.end;
            let of = |given: &Option<Given>| given.as_ref().map_or(Ok(None), |given| given.of(points, own.clone()));
            phase.known.center = of(&self.center)?;
            phase.known.sigma = of(&self.sigma)?;
            phase.known.lcl = of(&self.lcl)?;
            phase.known.ucl = of(&self.ucl)?;
        }
        Ok(())
    }
}

impl Given {
    /// The one value of a phase: rows without one are passed over, two different ones are an error.
    fn of(&self, points: &Points, rows: Range<usize>) -> Result<Option<f64>> {
        let (option, column, values) = match self {
            Self::All(value) => return Ok(Some(*value)),
            Self::Rows { option, column, values } => (option, column, values),
        };
        let mut found: Option<f64> = None;
        for &row in points.row.get(rows).unwrap_or(&[]) {
            let value = values.get(row as usize).copied().unwrap_or(f64::NAN);
            match found {
                _ if value.is_nan() => {}
                Some(earlier) if earlier.total_cmp(&value).is_ne() => {
                    return Err(Error::InvalidValue {
                        what: format!("column {column:?}, given as {option}"),
                        found: format!("{earlier} and {value} within one phase"),
                        remedy: "give each phase one value, or tell the charts apart with `by`".into(),
                    });
                }
                _ => found = Some(value),
            }
        }
        Ok(found)
    }
}
