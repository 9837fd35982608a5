//! A practice: something people do, described so that others can do it, and who has taken it up.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codes::define_codes;
use crate::Result;
use crate::record::{Record, invalid, within};

define_codes! {
    /// Where a practice was first suspected.
    OriginKind {
        /// Rooms that do better under the same conditions use it more.
        Data = "data",
        /// Somebody believes in it.
        Person = "person",
    }
}

/// Where a practice comes from. What became of practices from data and from people can be compared later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Data or a person.
    #[serde(default = "person")]
    pub kind: OriginKind,
    /// Who suspected it, or which analysis.
    #[serde(default)]
    pub source: String,
    /// The outcome with which it is associated.
    #[serde(default)]
    pub outcome: String,
    /// What the association is adjusted for.
    #[serde(default)]
    pub adjusted_for: Vec<String>,
    /// The finding of the analysis.
    #[serde(default)]
    pub finding: String,
    /// Units that used it.
    #[serde(default)]
    pub n_users: Option<u32>,
    /// Units that did not.
    #[serde(default)]
    pub n_others: Option<u32>,
    /// By how much users were above others under the same conditions, in the outcome's unit.
    #[serde(default)]
    pub estimate: Option<f64>,
    /// Its standard error.
    #[serde(default)]
    pub se: Option<f64>,
    /// The probability that users are above others.
    #[serde(default)]
    pub prob_positive: Option<f64>,
    /// The expected share of false ones among practices at least as probable.
    #[serde(default)]
    pub q_value: Option<f64>,
    /// The share of bright rooms that used it.
    #[serde(default)]
    pub share_bright: Option<f64>,
    /// The share of matched ordinary rooms that used it.
    #[serde(default)]
    pub share_typical: Option<f64>,
}

fn person() -> OriginKind {
    OriginKind::Person
}

impl Default for Origin {
    fn default() -> Self {
        Self {
            kind: person(),
            source: String::new(),
            outcome: String::new(),
            adjusted_for: vec![],
            finding: String::new(),
            n_users: None,
            n_others: None,
            estimate: None,
            se: None,
            prob_positive: None,
            q_value: None,
            share_bright: None,
            share_typical: None,
        }
    }
}

impl Record for Origin {
    const KIND: &'static str = "Origin";

    fn validate(&self) -> Result<()> {
        if self.kind == OriginKind::Data && self.outcome.trim().is_empty() {
            return Err(invalid(Self::KIND, "outcome", "must name the outcome in which the data showed it"));
        }
        for (path, value) in [("estimate", self.estimate), ("se", self.se)] {
            if value.is_some_and(|v| !v.is_finite()) {
                return Err(invalid(Self::KIND, path, "must be a number"));
            }
            if value.is_some() && self.kind == OriginKind::Person {
                return Err(invalid(Self::KIND, path, "comes from data: say kind = \"data\", or leave it out"));
            }
        }
        let shares = [
            ("prob_positive", self.prob_positive),
            ("q_value", self.q_value),
            ("share_bright", self.share_bright),
            ("share_typical", self.share_typical),
        ];
        for (path, value) in shares {
            if value.is_some_and(|v| !(0.0..=1.0).contains(&v)) {
                return Err(invalid(Self::KIND, path, "is a share: between 0 and 1"));
            }
        }
        Ok(())
    }
}

/// Why a practice is no longer worked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retirement {
    /// Why.
    pub reason: String,
    /// From which day on.
    pub on: Date,
    /// Who says so.
    #[serde(default)]
    pub by: String,
}

impl Record for Retirement {
    const KIND: &'static str = "Retirement";

    fn validate(&self) -> Result<()> {
        if self.reason.trim().is_empty() {
            return Err(invalid(Self::KIND, "reason", "must say why the practice is retired"));
        }
        Ok(())
    }
}

/// Something people do, described so that others can do it. How far it has come is computed from its cycles and its
/// adoptions, never stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Practice {
    /// What it is called; the plans of its cycles name it so.
    pub title: String,
    /// What people do, in a few sentences.
    #[serde(default)]
    pub what: String,
    /// What must be there for it to be this practice.
    #[serde(default)]
    pub active_ingredients: Vec<String>,
    /// What is easily taken for it and is not.
    #[serde(default)]
    pub not_this: Vec<String>,
    /// The items of the checklist by which an observer tells how faithfully it is used.
    #[serde(default)]
    pub fidelity: Vec<String>,
    /// Where it comes from.
    #[serde(default)]
    pub origin: Origin,
    /// The conditions in which it was seen or is meant ("grade": "5").
    #[serde(default)]
    pub contexts: Vec<BTreeMap<String, String>>,
    /// Who it was learned from; cycles of this person or team do not count as those of others.
    #[serde(default)]
    pub originator: String,
    /// Whether the originator agrees to be named where the practice is shared.
    #[serde(default)]
    pub consent: bool,
    /// Why and since when it is no longer worked on.
    #[serde(default)]
    pub retired: Option<Retirement>,
}

impl Practice {
    /// A practice that somebody suspects, not yet described.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            what: String::new(),
            active_ingredients: vec![],
            not_this: vec![],
            fidelity: vec![],
            origin: Origin::default(),
            contexts: vec![],
            originator: String::new(),
            consent: false,
            retired: None,
        }
    }

    /// Whether somebody who writes this title means this practice.
    pub(super) fn is_called(&self, title: &str) -> bool {
        title.trim() == self.title.trim()
    }
}

impl Record for Practice {
    const KIND: &'static str = "Practice";

    fn validate(&self) -> Result<()> {
        if self.title.trim().is_empty() {
            return Err(invalid(Self::KIND, "title", "must not be empty"));
        }
        let lists = [
            ("active_ingredients", &self.active_ingredients),
            ("not_this", &self.not_this),
            ("fidelity", &self.fidelity),
        ];
        for (path, list) in lists {
            if let Some(place) = list.iter().position(|item| item.trim().is_empty()) {
                return Err(invalid(Self::KIND, &format!("{path}[{place}]"), "must not be empty"));
            }
        }
        if self.consent && self.originator.trim().is_empty() {
            return Err(invalid(Self::KIND, "consent", "is that of the originator: name him or her"));
        }
        within(Self::KIND, "origin", self.origin.validate())?;
        within(Self::KIND, "retired", self.retired.as_ref().map_or(Ok(()), Record::validate))
    }
}

/// A place that was offered a practice, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Adoption {
    /// The classroom, team or school.
    pub unit: String,
    /// The day on which it was offered.
    pub offered: Date,
    /// The title of the practice; to be given where adoptions of several practices lie together, as in a journal.
    #[serde(default)]
    pub practice: Option<String>,
    /// The first day on which it was used.
    #[serde(default)]
    pub tried: Option<Date>,
    /// The last day on which it was seen in use.
    #[serde(default)]
    pub last_seen: Option<Date>,
    /// The day on which it was given up.
    #[serde(default)]
    pub stopped: Option<Date>,
    /// The conditions there.
    #[serde(default)]
    pub context: BTreeMap<String, String>,
}

impl Record for Adoption {
    const KIND: &'static str = "Adoption";

    fn validate(&self) -> Result<()> {
        if self.unit.trim().is_empty() {
            return Err(invalid(Self::KIND, "unit", "must name the place"));
        }
        if self.practice.as_ref().is_some_and(|title| title.trim().is_empty()) {
            return Err(invalid(Self::KIND, "practice", "must not be empty; leave it out where there is one alone"));
        }
        if self.tried.is_some_and(|day| day < self.offered) {
            return Err(invalid(Self::KIND, "tried", "must not be before the day on which it was offered"));
        }
        for (path, day) in [("last_seen", self.last_seen), ("stopped", self.stopped)] {
            match (day, self.tried) {
                (Some(_), None) => return Err(invalid(Self::KIND, path, "needs the day on which it was first tried")),
                (Some(day), Some(tried)) if day < tried => {
                    return Err(invalid(Self::KIND, path, "must not be before the day on which it was first tried"));
                }
                _ => {}
            }
        }
        if let (Some(seen), Some(stopped)) = (self.last_seen, self.stopped)
            && seen > stopped
        {
            return Err(invalid(Self::KIND, "last_seen", "must not be after the day on which it was given up"));
        }
        Ok(())
    }
}
