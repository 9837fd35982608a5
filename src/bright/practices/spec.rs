//! When a practice is worth a test: the criteria, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Practices whose use goes together more closely than this (correlation over units) cannot be told apart: the error of
/// either, given the other, is then 1.7 times as large (1/sqrt(1 - .8^2)) and more.
pub(crate) const INSEPARABLE: f64 = 0.80;
/// With fewer practices than this the law of their effects is mostly the prior's, and the result says so.
pub(crate) const FEW_PRACTICES: usize = 5;
/// The interval of a shrunken association.
pub(crate) const INTERVAL: (f64, f64) = (0.025, 0.975);

/// One practice, and how far every unit uses it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PracticeUse {
    /// What it is called.
    pub name: String,
    /// By unit, in the order of [`super::super::BrightSpots::units`]: 0 not used, 1 used (in full), between them the
    /// fidelity with which it is used; `None` where nobody knows.
    pub dose: Vec<Option<f64>>,
}

/// The criteria for practices.
///
/// ```
/// use brightspot::bright::PracticeSpec;
/// assert!(PracticeSpec::default().validate().is_ok());
/// assert_eq!(PracticeSpec { fdr: 0.0, ..Default::default() }.validate().unwrap_err().code(), "invalid_option");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PracticeSpec {
    /// The expected share of false ones among the practices named, at most.
    pub fdr: f64,
    /// The probability that users do better, at least.
    pub min_prob: f64,
    /// Units that use a practice, and units that do not, at least; with fewer nothing is said about it.
    pub min_units: usize,
    /// Groups with a unit that uses it, at least (where units stand in groups): what one school does says nothing.
    pub min_groups: usize,
}

impl Default for PracticeSpec {
    fn default() -> Self {
        Self { fdr: 0.10, min_prob: 0.80, min_units: 5, min_groups: 3 }
    }
}

impl PracticeSpec {
    /// Checks every criterion.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for the first that is out of range.
    pub fn validate(&self) -> Result<()> {
        for (option, value) in [("fdr", self.fdr), ("min_prob", self.min_prob)] {
            if !(value > 0.0 && value < 1.0) {
                return Err(Error::option(option, value, "between 0 and 1"));
            }
        }
        for (option, value, least) in [("min_units", self.min_units, 2), ("min_groups", self.min_groups, 1)] {
            if value < least {
                return Err(Error::option(option, value, format!("at least {least}")));
            }
        }
        Ok(())
    }
}
