//! The rows of a generalised linear mixed model, laid out group by group.

use super::family::Family;
use crate::mixed::basis::Basis;
use crate::mixed::design::{Design, check_finite, check_rows};
use crate::mixed::nest::Nest;
use crate::{Error, Result};

/// Rows of counts with their design, in the order of their groups.
#[derive(Debug, Clone)]
pub struct GlmmData {
    pub(super) family: Family,
    pub(super) terms: Vec<String>,
    pub(super) basis: Basis,
    pub(super) nest: Nest,
    /// Where the rows of every innermost group begin, with the end.
    pub(super) starts: Vec<usize>,
    /// X in the basis, row by row.
    pub(super) x: Vec<f64>,
    pub(super) y: Vec<f64>,
    /// Trials (1 for counts).
    pub(super) size: Vec<f64>,
    /// The logarithm of the exposure.
    pub(super) offset: Vec<f64>,
    /// Twice minus the log-likelihood that no parameter moves.
    pub(super) constant: f64,
}

impl GlmmData {
    /// Rows with counts `y`; `size` holds the trials of every row (binomial; none means 1) or its exposure (Poisson; none
    /// means 1); `levels` the codes of the grouping factors, outermost first. A group is its whole path. No value may be
    /// missing.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for columns of different lengths, counts that are no whole numbers >= 0 or exceed their
    /// trials, sizes that are not above 0, and outcomes that are all alike (no success, or nothing else);
    /// [`Error::TooFew`] without rows, without a factor, or with no more rows than fixed terms.
    pub fn new(design: &Design, family: Family, y: &[f64], size: Option<&[f64]>, levels: &[&[u32]]) -> Result<Self> {
        let n_rows = design.n_rows();
        check_rows("outcome", y.len(), n_rows)?;
        check_finite("outcome", y)?;
        for codes in levels {
            check_rows("grouping factor", codes.len(), n_rows)?;
        }
        if levels.is_empty() || n_rows == 0 {
            return Err(Error::TooFew {
                what: "a mixed model".into(),
                needed: "1 row and 1 grouping factor".into(),
                found: 0,
                remedy: "name the factor whose units differ, and check which rows were left out".into(),
            });
        }
        let ones = vec![1.0; n_rows];
        let size = match size {
            None => ones.as_slice(),
            Some(size) => {
                check_rows("size", size.len(), n_rows)?;
                size
            }
        };
        check_counts(family, y, size)?;
        let basis = Basis::of_design(design);
        if n_rows <= basis.n_terms() {
            return Err(Error::TooFew {
                what: "a mixed model".into(),
                needed: format!("{} rows (one more than its fixed terms)", basis.n_terms() + 1),
                found: n_rows,
                remedy: "leave out covariates or add rows".into(),
            });
        }
        let (nest, order, starts) = Nest::new(levels, n_rows);
        let p = basis.n_terms();
        let mut x = vec![0.0; n_rows * p];
        for (line, &row) in x.chunks_exact_mut(p).zip(&order) {
            basis.row(design, row as usize, line);
        }
        let gather = |values: &[f64]| -> Vec<f64> {
            order.iter().map(|&r| values.get(r as usize).copied().unwrap_or(f64::NAN)).collect()
        };
        let is_binomial = family == Family::Binomial;
        let (trials, exposure) = if is_binomial { (size, ones.as_slice()) } else { (ones.as_slice(), size) };
        Ok(Self {
            family,
            terms: design.terms().to_vec(),
            basis,
            nest,
            starts,
            x,
            y: gather(y),
            size: gather(trials),
            offset: gather(exposure).into_iter().map(f64::ln).collect(),
            constant: 2.0 * y.iter().zip(trials).map(|(&y, &n)| family.constant(y, n)).sum::<f64>(),
        })
    }

    /// The number of rows.
    pub fn n_obs(&self) -> usize {
        self.y.len()
    }

    /// Fixed terms that can be told apart.
    pub(super) fn n_terms(&self) -> usize {
        self.basis.n_terms()
    }

    /// The share of successes, or the rate.
    pub(super) fn crude(&self) -> f64 {
        let exposure: f64 = match self.family {
            Family::Binomial => self.size.iter().sum(),
            Family::Poisson => self.offset.iter().map(|o| o.exp()).sum(),
        };
        self.y.iter().sum::<f64>() / exposure
    }
}

/// Counts are whole numbers within their trials, not all of them none and not all of them everything.
fn check_counts(family: Family, y: &[f64], size: &[f64]) -> Result<()> {
    let wrong = |what: &str, found: String, remedy: &str| {
        Err(Error::InvalidValue { what: what.into(), found, remedy: remedy.into() })
    };
    for (row, (&y, &size)) in y.iter().zip(size).enumerate() {
        if !(size > 0.0 && size.is_finite()) {
            return match family {
                Family::Binomial => wrong("size", format!("{size} in row {row}"), "give every row 1 trial or more"),
                Family::Poisson => {
                    wrong("exposure", format!("{size} in row {row}"), "give every row an exposure above 0")
                }
            };
        }
        let remedy = match family {
            Family::Binomial => "give the number of successes, 0 or 1 where there is no size",
            Family::Poisson => "give counts, whole numbers of 0 or more",
        };
        if y < 0.0 || y.fract() != 0.0 {
            return wrong("the outcome", format!("{y} in row {row}"), remedy);
        }
        if family == Family::Binomial && y > size {
            return wrong("the outcome", format!("{y} of {size} in row {row}"), remedy);
        }
        if family == Family::Binomial && size.fract() != 0.0 {
            return wrong("size", format!("{size} in row {row}"), "give whole numbers of trials");
        }
    }
    let is_none = y.iter().all(|y| *y == 0.0);
    let is_all = family == Family::Binomial && y.iter().zip(size).all(|(y, size)| y >= size);
    if is_none || is_all {
        let found = if is_none { "0 in every row" } else { "every trial a success" };
        return wrong(
            "the outcome",
            found.into(),
            "an outcome without variation has no model; choose one that differs",
        );
    }
    Ok(())
}
