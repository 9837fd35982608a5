//! What is kept of the rows of a search: cross products by unit and period.

use std::cmp::Ordering;

use crate::bright::cells::Places;
use crate::bright::input::BrightInput;
use crate::bright::model::covariates;
use crate::bright::result::{BrightSpots, UnitRow};
use crate::mixed::{Design, Fit, GroupedMoments, Method, fit};
use crate::{Error, Result};

/// What the search for practices needs of the rows in which bright spots were found: the cross products of every unit
/// in every period. The rows themselves can be forgotten.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitMoments {
    cells: GroupedMoments,
    /// How many factors the model of the search has.
    n_levels: usize,
    /// The labels of the periods; empty where there is none or only one.
    pub(super) periods: Vec<String>,
    /// The unit of every cell, by position in the search.
    unit_of_cell: Vec<usize>,
    pub(super) period_of_cell: Vec<u32>,
}

impl UnitMoments {
    /// The cross products behind a search.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] when `spots` were not found in these rows.
    pub fn new(input: &BrightInput, spots: &BrightSpots) -> Result<Self> {
        input.check()?;
        let has_periods = spots.units.iter().any(|unit| unit.n_periods.is_some());
        let period = input.period.filter(|_| has_periods);
        let mut levels: Vec<&[u32]> = input.within.iter().chain([&input.unit]).map(|f| f.codes).collect();
        let depth = levels.len();
        let places = Places::new(&levels, period.map(|p| p.codes));
        if period.is_some() {
            levels.push(places.cell_of_row());
        }
        let design = Design::new(input.n_rows(), &covariates(input.adjust, period))?;
        let cells = GroupedMoments::new(&design, input.outcome, &levels)?;
        let unit_of = |path: &[u32]| -> Option<usize> {
            let path = path.get(..depth)?;
            let place = |unit: &UnitRow| -> Ordering {
                unit.within.iter().chain([&unit.unit]).copied().cmp(path.iter().copied())
            };
            spots.units.binary_search_by(place).ok()
        };
        let unit_of_cell: Option<Vec<usize>> = cells.paths().map(unit_of).collect();
        let unit_of_cell = unit_of_cell.ok_or_else(|| Error::InvalidValue {
            what: "the rows behind a search for bright spots".into(),
            found: "a unit that the search did not have".into(),
            remedy: "give the rows that were searched".into(),
        })?;
        // A cell stands for the period that its rows bear.
        let mut periods = vec![0; cells.n_groups()];
        for (cell, code) in places.cell_of_row().iter().zip(period.map_or(&[][..], |p| p.codes)) {
            if let Some(place) = periods.get_mut(*cell as usize) {
                *place = *code;
            }
        }
        let period_of =
            |path: &[u32]| path.get(depth).and_then(|cell| periods.get(*cell as usize)).copied().unwrap_or(0);
        let period_of_cell = cells.paths().map(period_of).collect();
        let periods = period.map_or_else(Vec::new, |p| p.labels.to_vec());
        Ok(Self { cells, n_levels: spots.model.variances.len(), periods, unit_of_cell, period_of_cell })
    }

    /// The value of every cell's unit.
    pub(super) fn by_cell(&self, of_unit: &[Option<f64>]) -> Vec<Option<f64>> {
        self.unit_of_cell.iter().map(|&unit| of_unit.get(unit).copied().flatten()).collect()
    }

    /// Fits the model of the search with a further covariate to the cells whose value is known: anew, or at given
    /// standard deviation ratios. `None` where that is too little for a model.
    pub(super) fn estimate(&self, values: &[Option<f64>], theta: Option<&[f64]>) -> Result<Option<Estimate>> {
        /// No covariate of a user's is called so.
        const TERM: &str = "(use)";
        let is_kept: Vec<bool> = values.iter().map(Option::is_some).collect();
        if !is_kept.contains(&true) {
            return Ok(None);
        }
        let values: Vec<f64> = values.iter().map(|v| v.unwrap_or(f64::NAN)).collect();
        let moments = self.cells.moments(self.n_levels, &is_kept, &[(TERM, &values)])?;
        let fitted = match theta {
            Some(theta) => Fit::at(&moments, theta, Method::Reml),
            None => fit(&moments, Method::Reml),
        };
        let fitted = match fitted {
            Err(Error::TooFew { .. } | Error::InvalidValue { .. }) => return Ok(None),
            other => other?,
        };
        let Some(term) = fitted.terms.iter().position(|t| t == TERM) else { return Ok(None) };
        let (Some(&value), Some(&se)) = (fitted.beta.get(term), fitted.se.get(term)) else { return Ok(None) };
        if !(se > 0.0 && se.is_finite() && value.is_finite()) {
            return Ok(None);
        }
        let df = if theta.is_none() { fitted.freedom(&moments, term)? } else { None };
        Ok(Some(Estimate { value, se, df, theta: fitted.theta }))
    }
}

/// The coefficient of a covariate of units.
pub(super) struct Estimate {
    pub(super) value: f64,
    pub(super) se: f64,
    pub(super) df: Option<f64>,
    pub(super) theta: Vec<f64>,
}
