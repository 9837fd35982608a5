//! What was done: whether the change was carried out, and what was seen on the way.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Fidelity;
use crate::Result;
use crate::record::{Record, invalid};

/// From which share of the plan on a change counts as carried out.
///
/// Reference: Durlak & `DuPre` (2008), American Journal of Community Psychology 41:327: effects have been found from about
/// 60% on, and few studies reach more than 80%.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FidelityRule {
    /// From this share on it was carried out as planned.
    #[serde(default = "fully")]
    pub fully: f64,
    /// From this share on it was carried out in part; below, the idea was not tested.
    #[serde(default = "partly")]
    pub partly: f64,
}

fn fully() -> f64 {
    0.8
}

fn partly() -> f64 {
    0.6
}

impl Default for FidelityRule {
    fn default() -> Self {
        Self { fully: fully(), partly: partly() }
    }
}

impl FidelityRule {
    fn judge(&self, score: f64) -> Fidelity {
        if score >= self.fully {
            Fidelity::Fully
        } else if score >= self.partly {
            Fidelity::Partly
        } else {
            Fidelity::NotDone
        }
    }
}

impl Record for FidelityRule {
    const KIND: &'static str = "FidelityRule";

    fn validate(&self) -> Result<()> {
        let is_ordered = 0.0 < self.partly && self.partly <= self.fully && self.fully <= 1.0;
        if is_ordered { Ok(()) } else { Err(invalid(Self::KIND, "", "needs 0 < partly <= fully <= 1")) }
    }
}

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
    /// The plan's checklist: for each item the share of occasions on which it was seen, from 0 to 1 (1 or 0 where it was
    /// looked at once).
    #[serde(default)]
    pub checklist: BTreeMap<String, f64>,
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
        Self { as_planned, fidelity: None, checklist: BTreeMap::new(), observations: vec![], surprises: vec![] }
    }

    /// The share of the plan that was carried out: as it was counted, or the mean of the checklist's items.
    pub fn score(&self) -> Option<f64> {
        let items = self.checklist.len() as f64;
        self.fidelity.or_else(|| (items > 0.0).then(|| self.checklist.values().sum::<f64>() / items))
    }

    /// Whether the change was carried out, by what the team says and by the score: where they disagree, the lesser of
    /// the two.
    pub fn carried_out(&self, rule: &FidelityRule) -> Fidelity {
        let extent = |fidelity| match fidelity {
            Fidelity::NotDone => 0,
            Fidelity::Partly => 1,
            Fidelity::Fully => 2,
            Fidelity::Unknown => 3,
        };
        let by_score = self.score().map_or(Fidelity::Unknown, |score| rule.judge(score));
        if extent(by_score) < extent(self.as_planned) { by_score } else { self.as_planned }
    }
}

impl Record for Doing {
    const KIND: &'static str = "Doing";

    fn validate(&self) -> Result<()> {
        for (item, share) in &self.checklist {
            if !(0.0..=1.0).contains(share) {
                let path = format!("checklist[{item:?}]");
                return Err(invalid(
                    Self::KIND,
                    &path,
                    "is the share of occasions on which it was seen: between 0 and 1",
                ));
            }
        }
        match self.fidelity {
            Some(share) if !(0.0..=1.0).contains(&share) => {
                Err(invalid(Self::KIND, "fidelity", "is a share of the planned steps: between 0 and 1"))
            }
            Some(share) if share == 0.0 && self.as_planned == Fidelity::Fully => {
                Err(invalid(Self::KIND, "fidelity", "is 0, yet as_planned says \"fully\": correct one of them"))
            }
            _ => Ok(()),
        }
    }
}
