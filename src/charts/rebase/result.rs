//! What a search for new phases comes to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Note;

/// A centre line and its limits at one row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The centre line.
    pub center: f64,
    /// The lower control limit.
    pub lcl: f64,
    /// The upper control limit.
    pub ucl: f64,
}

/// A new phase that is proposed, with its evidence. What a method does not state is none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// The row of the first point of the new phase.
    pub starts_at: usize,
    /// Change point: the first row of a 90% interval for that row.
    pub from: Option<usize>,
    /// Change point: the last row of that interval.
    pub to: Option<usize>,
    /// Points that the level before rests on.
    pub n_before: usize,
    /// Points that the level after rests on.
    pub n_after: usize,
    /// The level before: a mean, or the median of a fixed run.
    pub before: f64,
    /// The level after.
    pub after: f64,
    /// After minus before.
    pub estimate: f64,
    /// Change point: the lower end of a 90% interval for the step that allows for the search of its place; none where the
    /// values do not vary within the levels.
    pub lo: Option<f64>,
    /// Change point: its upper end.
    pub hi: Option<f64>,
    /// Change point: how often a stable series of as many points has as clear a step anywhere.
    pub p: Option<f64>,
    /// Change point: the autocorrelation of the ranks that was allowed for.
    pub phi: Option<f64>,
    /// Change point: the standard deviation of the points before.
    pub sd_before: Option<f64>,
    /// Change point: the standard deviation of the points after.
    pub sd_after: Option<f64>,
    /// Change point: twice the log-likelihood by which a step beats a straight line, less ln n.
    pub step_over_line: Option<f64>,
    /// Stable shift: the last phase's limits at `starts_at`.
    pub limits_before: Option<Limits>,
    /// Stable shift: the new phase's limits there.
    pub limits_after: Option<Limits>,
}

impl Proposal {
    /// Two levels and where they meet; nothing else is stated yet.
    pub(super) fn new(starts_at: usize, before: f64, after: f64) -> Self {
        Self {
            starts_at,
            from: None,
            to: None,
            n_before: 0,
            n_after: 0,
            before,
            after,
            estimate: after - before,
            lo: None,
            hi: None,
            p: None,
            phi: None,
            sd_before: None,
            sd_after: None,
            step_over_line: None,
            limits_before: None,
            limits_after: None,
        }
    }
}

/// Why a candidate was proposed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DecisionCode {
    /// It is proposed.
    Proposed,
    /// Change point: a stable series shows as much too often.
    NotSignificant,
    /// Change point: not significant any more between the neighbours that were found.
    NotSustained,
    /// Change point: a straight line explains it better.
    Trend,
    /// Stable shift: a shift back to the last level within the candidate period.
    OppositeShift,
    /// Stable shift: the run at the end of the candidate period may yet become a shift back.
    OpenRun,
    /// Stable shift, fixed run: no further shift.
    NoShift,
    /// Too few points are left for a phase.
    TooFewPoints,
    /// The values are all the same.
    NoVariation,
    /// Stable shift: no limits could be computed for the period.
    NoLimits,
}

impl DecisionCode {
    /// The code, as in JSON and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::NotSignificant => "not_significant",
            Self::NotSustained => "not_sustained",
            Self::Trend => "trend",
            Self::OppositeShift => "opposite_shift",
            Self::OpenRun => "open_run",
            Self::NoShift => "no_shift",
            Self::TooFewPoints => "too_few_points",
            Self::NoVariation => "no_variation",
            Self::NoLimits => "no_limits",
        }
    }
}

/// One candidate that was looked at, or the end of the search.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The row of the candidate, or from which on there was none; none for the series as a whole.
    pub row: Option<usize>,
    /// What was decided, and why.
    pub code: DecisionCode,
    /// Change point: how often a stable series of as many points has as clear a step anywhere.
    pub p: Option<f64>,
    /// Change point: twice the log-likelihood by which a step (or all levels together, where one line does as well as
    /// all of them) beats a straight line, less ln n for each parameter more.
    pub step_over_line: Option<f64>,
}

impl Decision {
    pub(super) fn new(row: Option<usize>, code: DecisionCode) -> Self {
        Self { row, code, p: None, step_over_line: None }
    }
}

/// The proposals for one series, every candidate that was looked at, and caveats.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rebase {
    /// The proposals, in the order of time.
    pub proposals: Vec<Proposal>,
    /// Every candidate, in the order in which the method meets them (change points: of time).
    pub log: Vec<Decision>,
    /// Caveats.
    pub notes: Vec<Note>,
}

impl Rebase {
    /// Nothing is proposed, for one reason.
    pub(super) fn without(reason: Decision) -> Self {
        Self { log: vec![reason], ..Self::default() }
    }
}
