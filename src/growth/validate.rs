//! Whether a table that was kept can place anybody.

use super::model::{GrowthModel, PriorBasis, QUANTILES};
use crate::{Error, Result};

impl GrowthModel {
    /// Whether it is whole: 100 rising quantiles with a finite coefficient for every column, knots that rise between their
    /// boundaries.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`] with the place of what is wrong.
    pub fn validate(&self) -> Result<()> {
        let wrong =
            |path: String, problem: String| Err(Error::InvalidRecord { record: "GrowthModel".into(), path, problem });
        if self.priors.is_empty() {
            return wrong("priors".into(), "is empty: a table needs a prior score".into());
        }
        for (place, basis) in self.priors.iter().enumerate() {
            if !basis.rises() {
                let found = format!("{:?} within {:?}", basis.knots, basis.boundaries);
                return wrong(
                    format!("priors.{place}.knots"),
                    format!("must rise between the boundaries, but is {found}"),
                );
            }
        }
        let found = self.quantiles.len();
        if found != QUANTILES {
            return wrong("quantiles".into(), format!("must be {QUANTILES}, but there are {found}"));
        }
        let width = 1 + self.priors.iter().map(PriorBasis::width).sum::<usize>();
        let mut last = 0.0;
        for (place, quantile) in self.quantiles.iter().enumerate() {
            let at = |field: &str| format!("quantiles.{place}.{field}");
            if quantile.tau.partial_cmp(&last) != Some(std::cmp::Ordering::Greater) || quantile.tau >= 1.0 {
                return wrong(at("tau"), format!("must rise between 0 and 1, but {} follows {last}", quantile.tau));
            }
            last = quantile.tau;
            let found = quantile.coefficients.len();
            if found != width {
                return wrong(
                    at("coefficients"),
                    format!("must be {width}, as the priors and their knots say, but is {found}"),
                );
            }
            if let Some(value) = quantile.coefficients.iter().find(|value| !value.is_finite()) {
                return wrong(at("coefficients"), format!("must be finite, but one is {value}"));
            }
        }
        Ok(())
    }
}
