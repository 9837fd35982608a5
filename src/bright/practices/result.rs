//! What is found about practices.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spec::PracticeSpec;
use crate::Note;
use crate::bright::result::BrightSpots;
use crate::stats::summary::mean;

/// What is found about a practice: at most that it is worth a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PracticeFinding {
    /// Units that use it do better than like units that do not, by more than luck explains: a hypothesis to test.
    Suspected,
    /// The same, but not without one of the periods.
    OnePeriod,
    /// Nothing tells users from others, which does not show that it is no use.
    NotDistinguishable,
    /// Too few units, in too few groups, are known to use it or not to use it.
    Insufficient,
}

impl PracticeFinding {
    /// The code, as in JSON and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Suspected => "suspected",
            Self::OnePeriod => "one_period",
            Self::NotDistinguishable => "not_distinguishable",
            Self::Insufficient => "insufficient",
        }
    }
}

/// The association of a practice in and without one period, at the variances of all periods.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PracticePeriod {
    /// The period.
    pub period: String,
    /// The estimate from its rows alone; `None` where users and others are not both there.
    pub estimate: Option<f64>,
    /// Its standard error.
    pub se: Option<f64>,
    /// The estimate from all rows but its own.
    pub without: Option<f64>,
}

/// One practice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct PracticeRow {
    /// What it is called.
    pub practice: String,
    /// Units that use it.
    pub n_users: usize,
    /// Units that do not.
    pub n_others: usize,
    /// Units of which it is not known: left out.
    pub n_unknown: usize,
    /// Groups with a unit that uses it; without groups, 1 where any does.
    pub n_groups: usize,
    /// Groups with units of both kinds: what is compared within a group comes from these.
    pub n_groups_both: usize,
    /// The mean fidelity of those who use it.
    pub mean_use: Option<f64>,
    /// By how much users' rows are above those of others under the same conditions, for use in full; outcome's unit.
    /// This and all that follow from it are `None` where the finding is `insufficient`.
    pub estimate: Option<f64>,
    /// Its standard error.
    pub se: Option<f64>,
    /// The degrees of freedom of that error.
    pub df: Option<f64>,
    /// One-sided: the chance of an estimate as high or higher if users were no different.
    pub p_value: Option<f64>,
    /// The estimate, shrunken by what all practices show.
    pub shrunken: Option<f64>,
    /// The lower end of its 95% interval.
    pub lo: Option<f64>,
    /// The upper end of its 95% interval.
    pub hi: Option<f64>,
    /// The probability that users are above others.
    pub prob_positive: Option<f64>,
    /// The expected share of false ones among the practices at least as probable.
    pub q_value: Option<f64>,
    /// Benjamini and Hochberg's q-value of `p_value`.
    pub q_value_bh: Option<f64>,
    /// Candidates of the search whose use is known.
    pub n_bright: usize,
    /// The share of them that use it.
    pub share_bright: Option<f64>,
    /// Ordinary units under like conditions whose use is known.
    pub n_typical: usize,
    /// The share of them that use it.
    pub share_typical: Option<f64>,
    /// By period, where there are several.
    pub periods: Vec<PracticePeriod>,
    /// Whether the sign stays whichever period is left out; `None` with fewer than two periods.
    pub is_stable: Option<bool>,
    /// Practices that go together with it so closely that nothing here tells them apart.
    pub inseparable_from: Vec<String>,
    /// Whether it is worth a test.
    pub is_candidate: bool,
    /// What is found.
    pub finding: PracticeFinding,
}

/// What is found about all practices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Practices {
    /// The criteria.
    pub spec: PracticeSpec,
    /// One row per practice, in the order of their names: no ranking.
    pub rows: Vec<PracticeRow>,
    /// Positions in `rows` of those worth a test.
    pub candidates: Vec<usize>,
    /// The expected share of false ones among them; `None` without one.
    pub false_share: Option<f64>,
    /// What was adjusted for.
    pub adjusted_for: Vec<String>,
    /// Caveats.
    pub notes: Vec<Note>,
}

impl Practices {
    pub(super) fn new(spots: &BrightSpots, spec: &PracticeSpec, rows: Vec<PracticeRow>, notes: Vec<Note>) -> Self {
        let candidates: Vec<usize> =
            rows.iter().enumerate().filter(|(_, row)| row.is_candidate).map(|(k, _)| k).collect();
        let doubts: Vec<f64> =
            rows.iter().filter(|row| row.is_candidate).filter_map(|row| Some(1.0 - row.prob_positive?)).collect();
        Self {
            spec: spec.clone(),
            candidates,
            false_share: mean(&doubts),
            adjusted_for: spots.adjusted_for.clone(),
            rows,
            notes,
        }
    }
}
