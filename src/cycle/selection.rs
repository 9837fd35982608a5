//! How the units of a test were chosen, and what they would have done by themselves.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codes::define_codes;
use crate::Result;
use crate::record::{Record, invalid};

define_codes! {
    /// Why these units and no others.
    ChosenBecause {
        /// Because their figures were bad: they would have come back in part by themselves.
        Worst = "worst",
        /// For another reason, which has nothing to do with the figures of the baseline (volunteers, a lot).
        Other = "other",
    }
}

/// How the units of a test were chosen.
///
/// What was chosen because it was bad comes back in part by itself. The study allows for it: estimated from all units
/// among which the choice was made, or by counting only baseline points after the day of the choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Why these units.
    pub chosen_because: ChosenBecause,
    /// The chosen units, as they stand in the column `unit`; all units in the data of the outcome are candidates.
    #[serde(default)]
    pub chosen: Vec<String>,
    /// The column with the units, in the data of the outcome.
    #[serde(default)]
    pub unit: Option<String>,
    /// The day of the choice.
    #[serde(default)]
    pub on: Option<Date>,
}

impl Selection {
    /// Chosen because their figures were bad.
    pub fn worst() -> Self {
        Self { chosen_because: ChosenBecause::Worst, chosen: vec![], unit: None, on: None }
    }
}

impl Record for Selection {
    const KIND: &'static str = "Selection";

    fn validate(&self) -> Result<()> {
        if self.unit.is_some() == self.chosen.is_empty() {
            let problem =
                "and `unit` belong together: the column with the candidate units, and which of them were chosen";
            return Err(invalid(Self::KIND, "chosen", problem));
        }
        if self.unit.as_ref().is_some_and(|unit| unit.trim().is_empty()) {
            return Err(invalid(Self::KIND, "unit", "must not be empty"));
        }
        Ok(())
    }
}

/// What the chosen units were expected to do by themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegressionToMean {
    /// The expected change, in the measure's unit and with its own sign; `effect` is what is left after it.
    pub expected: f64,
    /// Its standard error.
    pub se: f64,
    /// The share of the differences between units that lasts.
    pub lasting: f64,
    /// Mean of all candidates in the baseline.
    pub mean_of_all: f64,
    /// How many candidates there were.
    pub n_units: usize,
}

impl Record for RegressionToMean {
    const KIND: &'static str = "RegressionToMean";

    fn validate(&self) -> Result<()> {
        Ok(())
    }
}
