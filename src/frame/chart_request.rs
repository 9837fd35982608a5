//! What is asked of a chart, as it arrives from outside.

use serde::{Deserialize, Serialize};

use super::phases::{Baseline, Phases};
use super::points::Scalar;
use super::reading::{Aggregate, Reading, Spread};
use crate::charts::{
    ChartKind, ChartSpec, Convention, LimitSpec, Screening, SigmaEstimator, SizeRole, Spread as SubgroupSpread,
};
use crate::record::plainly;
use crate::rules::RuleSet;
use crate::{Error, Result};

/// What limits may allow for beyond the data they were estimated from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllowFor {
    /// That a frozen baseline is itself an estimate.
    Baseline,
    /// That values are like their neighbours.
    Autocorrelation,
}

/// What is asked of a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChartRequest {
    /// The kind of chart.
    pub kind: ChartKind,
    /// The column of values; with `size` the numerator.
    pub value: String,
    /// The column of times.
    pub time: String,
    /// The columns that tell charts apart.
    #[serde(default)]
    pub by: Vec<String>,
    /// The column of denominators, or of the sizes of subgroups.
    #[serde(default)]
    pub size: Option<String>,
    /// The column of the spread within subgroups, where these arrive as one row each.
    #[serde(default)]
    pub spread: Option<String>,
    /// Which points make centre and limits; all of the phase where not given.
    #[serde(default)]
    pub baseline: Option<Baseline>,
    /// Where a chart starts anew.
    #[serde(default)]
    pub phases: Option<Phases>,
    /// A boolean column of points that are drawn and not counted.
    #[serde(default)]
    pub exclude: Option<String>,
    /// What the measure should reach.
    #[serde(default)]
    pub target: Option<Scalar>,
    /// "up", "down", "neutral", or a column that holds one of them.
    #[serde(default = "up")]
    pub direction: String,
    /// What to do with several rows of one time.
    #[serde(default)]
    pub aggregate: Option<Aggregate>,
    /// The rule sets, by name or as data, all of whose rules apply; the kind's own where none is given.
    #[serde(default)]
    pub rules: Vec<serde_json::Value>,
    /// Whose constants.
    #[serde(default)]
    pub convention: Convention,
    /// Whether moving ranges beyond their limit are left out; the convention's own where not given.
    #[serde(default)]
    pub screening: Option<Screening>,
    /// How many standard errors from the centre the limits lie.
    #[serde(default = "three")]
    pub sigmas: f64,
    /// A centre line that is known from elsewhere.
    #[serde(default)]
    pub center: Option<Scalar>,
    /// A standard deviation that is known from elsewhere.
    #[serde(default)]
    pub sigma: Option<Scalar>,
    /// A lower limit of one's own.
    #[serde(default)]
    pub lcl: Option<Scalar>,
    /// An upper limit of one's own.
    #[serde(default)]
    pub ucl: Option<Scalar>,
    /// What the limits allow for.
    #[serde(default)]
    pub allow_for: Vec<AllowFor>,
    /// What sigma is estimated from; the kind's own where not given.
    #[serde(default)]
    pub estimator: Option<SigmaEstimator>,
    /// The weight of the newest value (EWMA); 0.2 where not given.
    #[serde(default)]
    pub weight: Option<f64>,
    /// The slack in sigma (CUSUM); 0.5 where not given.
    #[serde(default)]
    pub reference: Option<f64>,
    /// The decision interval in sigma (CUSUM); 5 where not given.
    #[serde(default)]
    pub decision: Option<f64>,
}

fn up() -> String {
    "up".into()
}

fn three() -> f64 {
    3.0
}

impl ChartRequest {
    /// A chart of one column against another; everything else at its default.
    pub fn new(kind: ChartKind, value: &str, time: &str) -> Self {
        Self {
            kind,
            value: value.into(),
            time: time.into(),
            by: vec![],
            size: None,
            spread: None,
            baseline: None,
            phases: None,
            exclude: None,
            target: None,
            direction: up(),
            aggregate: None,
            rules: vec![],
            convention: Convention::default(),
            screening: None,
            sigmas: three(),
            center: None,
            sigma: None,
            lcl: None,
            ucl: None,
            allow_for: vec![],
            estimator: None,
            weight: None,
            reference: None,
            decision: None,
        }
    }

    /// What the core is asked for.
    ///
    /// # Errors
    /// For rule sets that do not exist, and options that the kind does not take.
    pub fn spec(&self) -> Result<ChartSpec> {
        let usual = ChartSpec::new(self.kind);
        let mut limits = LimitSpec {
            convention: self.convention,
            screening: self.screening,
            sigmas: self.sigmas,
            widen: self.allow_for.contains(&AllowFor::Baseline),
            adjust: self.allow_for.contains(&AllowFor::Autocorrelation),
            estimator: self.estimator,
            ..usual.limits
        };
        limits.weight = self.weight.unwrap_or(limits.weight);
        limits.reference = self.reference.unwrap_or(limits.reference);
        limits.decision = self.decision.unwrap_or(limits.decision);
        let rules = self.rules.iter().map(rule_set).collect::<Result<Vec<_>>>()?;
        let rules = if rules.is_empty() { usual.rules } else { RuleSet::union(&rules)? };
        let spec = ChartSpec { limits, rules };
        spec.validate()?;
        Ok(spec)
    }

    /// How rows become points.
    pub(super) fn reading(&self) -> Result<Reading> {
        let kind = self.kind;
        let is_missing = match kind.size() {
            SizeRole::Required => self.size.is_none(),
            SizeRole::Subgroup => self.spread.is_some() && self.size.is_none(),
            SizeRole::Never | SizeRole::Optional => false,
        };
        let is_left_over = match kind.size() {
            SizeRole::Never => self.size.is_some(),
            SizeRole::Subgroup => self.size.is_some() && self.spread.is_none(),
            SizeRole::Required | SizeRole::Optional => false,
        };
        let wrong = |option: &str, allowed: &str| {
            let found = if option == "size" { self.size.as_deref() } else { self.spread.as_deref() };
            let found = found.map_or_else(|| "None".to_owned(), |name| format!("{name:?}"));
            Err(Error::option(option, found, format!("{allowed} for kind=\"{}\"", kind.as_str())))
        };
        if is_missing && !kind.is_proportion() {
            return wrong("size", "the column of denominators");
        }
        if is_left_over {
            return wrong("size", "left out, or given together with spread,");
        }
        if self.spread.is_some() && kind.size() != SizeRole::Subgroup {
            return wrong("spread", "left out");
        }
        let is_range = self.spec()?.limits.spread() == Some(SubgroupSpread::Range);
        let spread = if is_range { Spread::Range } else { Spread::Deviation };
        Ok(match kind {
            ChartKind::Xbar | ChartKind::R | ChartKind::S => Reading::Subgroup(spread),
            ChartKind::P | ChartKind::Pp | ChartKind::Np => Reading::Share,
            ChartKind::U | ChartKind::Up | ChartKind::C => Reading::Count,
            ChartKind::G | ChartKind::T => Reading::Between,
            _ => Reading::Value,
        })
    }
}

/// A rule set by its name, or as data.
///
/// # Errors
/// For a name that no rule set has, and data that are none.
pub fn rule_set(given: &serde_json::Value) -> Result<RuleSet> {
    if let Some(name) = given.as_str() {
        return RuleSet::named(name);
    }
    let rules: RuleSet = serde_path_to_error::deserialize(given)
        .map_err(|error| Error::option("rules", given, plainly(&error.to_string())))?;
    rules.validate()?;
    Ok(rules)
}
