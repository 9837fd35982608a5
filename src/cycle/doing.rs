//! What was done: whether the change was carried out, and what was seen on the way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Fidelity;
use crate::Result;
use crate::record::{Record, invalid};

/// What was done, and what was seen while doing it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Doing {
    /// Whether the change was carried out as planned.
    #[serde(default = "unknown")]
    pub as_planned: Fidelity,
    /// The share of the planned steps that were carried out, from 0 to 1, where it was counted.
    #[serde(default)]
    pub fidelity: Option<f64>,
    /// What was observed.
    #[serde(default)]
    pub observations: Vec<String>,
    /// What nobody expected.
    #[serde(default)]
    pub surprises: Vec<String>,
}

fn unknown() -> Fidelity {
    Fidelity::Unknown
}

impl Doing {
    /// A report that says only whether the change was carried out as planned.
    pub fn new(as_planned: Fidelity) -> Self {
        Self { as_planned, fidelity: None, observations: vec![], surprises: vec![] }
    }
}

impl Record for Doing {
    const KIND: &'static str = "Doing";

    fn validate(&self) -> Result<()> {
        match self.fidelity {
            Some(share) if !(0.0..=1.0).contains(&share) => {
                Err(invalid(Self::KIND, "fidelity", "is a share of the planned steps: between 0 and 1"))
            }
            Some(share) if share > 0.0 && self.as_planned == Fidelity::NotDone => Err(invalid(
                Self::KIND,
                "fidelity",
                "is above 0, yet as_planned says \"not_done\": correct one of them",
            )),
            Some(share) if share == 0.0 && self.as_planned == Fidelity::Fully => {
                Err(invalid(Self::KIND, "fidelity", "is 0, yet as_planned says \"fully\": correct one of them"))
            }
            _ => Ok(()),
        }
    }
}
