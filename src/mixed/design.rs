//! The fixed part of a model: which columns stand in X, and what they are called.

use std::collections::BTreeSet;

use crate::{Error, Result};

/// A plain input to the fixed part of a model.
#[derive(Debug, Clone, Copy)]
pub enum Covariate<'a> {
    /// A number per row, entering linearly.
    Numeric {
        /// What the term is called.
        name: &'a str,
        /// One value per row.
        values: &'a [f64],
    },
    /// A category per row, coded by treatment contrasts: an indicator for every level but the first.
    Categorical {
        /// What the covariate is called; a term bears this name followed by its level.
        name: &'a str,
        /// One index into `levels` per row.
        codes: &'a [u32],
        /// The levels, the reference first: in sort order, or in the category's own order.
        levels: &'a [String],
    },
}

impl Covariate<'_> {
    /// What the covariate is called.
    pub fn name(&self) -> &str {
        match self {
            Self::Numeric { name, .. } | Self::Categorical { name, .. } => name,
        }
    }

    /// How many rows it has.
    pub fn n_rows(&self) -> usize {
        match self {
            Self::Numeric { values, .. } => values.len(),
            Self::Categorical { codes, .. } => codes.len(),
        }
    }
}

/// One column of X besides the intercept, read row by row: an indicator is never laid out in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column<'a> {
    Numeric(&'a [f64]),
    Indicator { codes: &'a [u32], level: u32 },
}

impl Column<'_> {
    /// The sum over all rows.
    pub(crate) fn sum(&self) -> f64 {
        match *self {
            Self::Numeric(values) => sum(values),
            Self::Indicator { codes, level } => codes.iter().filter(|&&c| c == level).count() as f64,
        }
    }

    pub(crate) fn is_numeric(&self) -> bool {
        matches!(self, Self::Numeric(_))
    }

    #[inline]
    pub(crate) fn at(&self, row: usize) -> f64 {
        match *self {
            Self::Numeric(values) => values.get(row).copied().unwrap_or(f64::NAN),
            Self::Indicator { codes, level } => f64::from(u8::from(codes.get(row) == Some(&level))),
        }
    }
}

/// The sum of many values, as several sums side by side.
fn sum(values: &[f64]) -> f64 {
    let (parts, rest) = values.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for part in parts {
        sums.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
    }
    sums.iter().chain(rest).sum()
}

/// The fixed part of a model: an intercept, then one column per number and per level but the first of every category.
///
/// Terms are named as in R's model matrix, without backticks: `(Intercept)`, `prior`, `frlyes`. Every level that is
/// given gets its column, so that parts of one data set have the same columns and can be merged; a level without a
/// row gives a column of zeros, which the fit drops with a note.
///
/// ```
/// use brightspot::mixed::{Covariate, Design};
///
/// let levels = ["no".to_owned(), "yes".to_owned()];
/// let design = Design::new(3, &[
///     Covariate::Numeric { name: "prior", values: &[1.0, 2.0, 3.0] },
///     Covariate::Categorical { name: "frl", codes: &[0, 1, 0], levels: &levels },
/// ])?;
/// assert_eq!(design.terms(), ["(Intercept)", "prior", "frlyes"]);
/// # Ok::<(), brightspot::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Design<'a> {
    n_rows: usize,
    terms: Vec<String>,
    columns: Vec<Column<'a>>,
}

impl<'a> Design<'a> {
    /// The name of the first term.
    pub const INTERCEPT: &'static str = "(Intercept)";

    /// The design of `n_rows` rows. Rows with a missing value are removed by the caller beforehand.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] when a covariate has another number of rows, a value that is not finite, a code without
    /// a level, or the name of another term.
    pub fn new(n_rows: usize, covariates: &[Covariate<'a>]) -> Result<Self> {
        let mut terms = vec![Self::INTERCEPT.to_owned()];
        let mut columns = Vec::new();
        for covariate in covariates {
            check_rows(covariate.name(), covariate.n_rows(), n_rows)?;
            match *covariate {
                Covariate::Numeric { name, values } => {
                    check_finite(name, values)?;
                    terms.push(name.to_owned());
                    columns.push(Column::Numeric(values));
                }
                Covariate::Categorical { name, codes, levels } => {
                    if let Some((row, code)) = codes.iter().enumerate().find(|(_, c)| **c as usize >= levels.len()) {
                        return Err(Error::InvalidValue {
                            what: format!("the codes of {name:?}"),
                            found: format!("{code} in row {row}, but there are {} levels", levels.len()),
                            remedy: "give every code a level".into(),
                        });
                    }
                    for (level, label) in (0_u32..).zip(levels).skip(1) {
                        terms.push(format!("{name}{label}"));
                        columns.push(Column::Indicator { codes, level });
                    }
                }
            }
        }
        let distinct: BTreeSet<&String> = terms.iter().collect();
        if distinct.len() < terms.len() {
            return Err(Error::InvalidValue {
                what: "the names of the fixed terms".into(),
                found: format!("{terms:?}"),
                remedy: "give every covariate a name of its own".into(),
            });
        }
        Ok(Self { n_rows, terms, columns })
    }

    /// The names of the terms, the intercept first.
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    /// How many rows it has.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    pub(crate) fn columns(&self) -> &[Column<'a>] {
        &self.columns
    }
}

/// Labels as codes into their distinct values in sort order (by bytes, the same on every machine).
///
/// ```
/// let (codes, levels) = brightspot::mixed::encode(["b", "a", "b"]);
/// assert_eq!((codes, levels), (vec![1, 0, 1], vec!["a".to_owned(), "b".to_owned()]));
/// ```
pub fn encode<'l>(labels: impl IntoIterator<Item = &'l str>) -> (Vec<u32>, Vec<String>) {
    let labels: Vec<&str> = labels.into_iter().collect();
    let levels: Vec<&str> = labels.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let code = |label: &&str| u32::try_from(levels.partition_point(|l| l < label)).unwrap_or(u32::MAX);
    (labels.iter().map(code).collect(), levels.iter().map(|l| (*l).to_owned()).collect())
}

pub(crate) fn check_rows(name: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::InvalidValue {
        what: format!("the column {name:?}"),
        found: format!("{found} rows where there are {expected}"),
        remedy: "give columns of one length".into(),
    })
}

/// Whether all values are finite, many of them at a time.
pub(crate) fn all_finite(values: &[f64]) -> bool {
    values.chunks(1024).all(|some| some.iter().fold(true, |all, v| all & v.is_finite()))
}

pub(crate) fn check_finite(name: &str, values: &[f64]) -> Result<()> {
    if all_finite(values) {
        return Ok(());
    }
    match values.iter().enumerate().find(|(_, v)| !v.is_finite()) {
        None => Ok(()),
        Some((row, value)) => Err(Error::InvalidValue {
            what: format!("the column {name:?}"),
            found: format!("{value} in row {row}"),
            remedy: "leave out rows with a missing value before the fit".into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_stand_in_a_design_is_named() {
        let levels = ["a".to_owned()];
        for (covariate, part) in [
            (Covariate::Numeric { name: "x", values: &[1.0] }, "1 rows where there are 2"),
            (Covariate::Numeric { name: "x", values: &[1.0, f64::NAN] }, "NaN in row 1"),
            (Covariate::Numeric { name: "(Intercept)", values: &[1.0, 2.0] }, "name of its own"),
            (Covariate::Categorical { name: "g", codes: &[0, 1], levels: &levels }, "1 in row 1"),
        ] {
            let error = Design::new(2, &[covariate]).unwrap_err();
            assert_eq!(error.code(), "invalid_value");
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
