//! How centre lines and limits are computed: everything that can be chosen, each with one default.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::choices::{Convention, Screening, SigmaEstimator, Spread};
use crate::charts::ChartKind;
use crate::{Error, Result};

/// Limits lie three standard deviations from the centre (Shewhart 1931).
pub const SIGMAS: f64 = 3.0;
/// The weight of the newest value in a moving average (Lucas & Saccucci 1990: .05 to .25 for small shifts).
pub const EWMA_WEIGHT: f64 = 0.2;
/// Half of the shift that a cumulative sum is to find, in sigmas (Montgomery 2013, 9.1.3).
pub const CUSUM_REFERENCE: f64 = 0.5;
/// The sum at which a shift is called, in sigmas: with the reference above 465 points pass before a false call.
pub const CUSUM_DECISION: f64 = 5.0;

/// How a chart's centre line and limits are computed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitSpec {
    /// The kind of chart.
    pub kind: ChartKind,
    /// Whose constants and customs are followed.
    #[serde(default)]
    pub convention: Convention,
    /// What is done with moving ranges that are beyond their limit; none for the convention's custom.
    #[serde(default)]
    pub screening: Option<Screening>,
    /// How many standard deviations the limits lie from the centre.
    #[serde(default = "sigmas")]
    pub sigmas: f64,
    /// Whether limits of rows after the baseline allow for the baseline's own uncertainty.
    #[serde(default)]
    pub widen: bool,
    /// Whether limits allow for the autocorrelation of the baseline.
    #[serde(default)]
    pub adjust: bool,
    /// What sigma is estimated from; none for the kind's own.
    #[serde(default)]
    pub estimator: Option<SigmaEstimator>,
    /// The weight of the newest value in a moving average, above 0 and at most 1.
    #[serde(default = "weight")]
    pub weight: f64,
    /// What a cumulative sum allows each value, in sigmas.
    #[serde(default = "reference")]
    pub reference: f64,
    /// The limit of a cumulative sum, in sigmas.
    #[serde(default = "decision")]
    pub decision: f64,
}

fn sigmas() -> f64 {
    SIGMAS
}
fn weight() -> f64 {
    EWMA_WEIGHT
}
fn reference() -> f64 {
    CUSUM_REFERENCE
}
fn decision() -> f64 {
    CUSUM_DECISION
}

impl LimitSpec {
    /// The defaults for a kind of chart.
    pub fn new(kind: ChartKind) -> Self {
        Self {
            kind,
            convention: Convention::Exact,
            screening: None,
            sigmas: SIGMAS,
            widen: false,
            adjust: false,
            estimator: None,
            weight: EWMA_WEIGHT,
            reference: CUSUM_REFERENCE,
            decision: CUSUM_DECISION,
        }
    }

    /// What is done with moving ranges beyond their limit, the convention's custom included.
    pub fn screening(&self) -> Screening {
        let has_ranges = self.kind.has_moving_ranges() && self.estimator() == Some(SigmaEstimator::MovingRange);
        let custom = match self.convention {
            Convention::Qicharts2 | Convention::Nhs if has_ranges => Screening::Once,
            _ => Screening::Off,
        };
        self.screening.unwrap_or(custom)
    }

    /// What sigma is estimated from; none for kinds whose sigma follows from the centre.
    pub fn estimator(&self) -> Option<SigmaEstimator> {
        self.estimator.or_else(|| estimators(self.kind).first().copied())
    }

    /// What the engine must compute of each subgroup beside its mean; none for kinds without subgroups.
    pub fn spread(&self) -> Option<Spread> {
        match (self.kind, self.estimator()?) {
            (ChartKind::R, _) | (ChartKind::Xbar, SigmaEstimator::MeanRange | SigmaEstimator::WeightedRange) => {
                Some(Spread::Range)
            }
            (ChartKind::Xbar | ChartKind::S, _) => Some(Spread::Sd),
            _ => None,
        }
    }

    /// Whether every option is one that the kind of chart takes, and possible.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] that names the option, what was given, and what would be right.
    pub fn validate(&self) -> Result<()> {
        let kind = self.kind;
        let number = |option: &str, value: f64, is_taken: bool, default: f64, is_possible: bool, allowed: &str| {
            if !is_taken && value.total_cmp(&default).is_ne() {
                let allowed = format!("left out: kind {:?} does not take it", kind.as_str());
                return Err(Error::option(option, value, allowed));
            }
            if is_possible { Ok(()) } else { Err(Error::option(option, value, allowed)) }
        };
        let is_shewhart = kind.has_limits() && kind != ChartKind::Cusum;
        let is_above = |value: f64| value > 0.0 && value.is_finite();
        number("sigmas", self.sigmas, is_shewhart, SIGMAS, is_above(self.sigmas), "a number above 0")?;
        let is_weight = self.weight > 0.0 && self.weight <= 1.0;
        number("weight", self.weight, kind == ChartKind::Ewma, EWMA_WEIGHT, is_weight, "above 0 and at most 1")?;
        let (is_sum, is_reference) = (kind == ChartKind::Cusum, self.reference >= 0.0 && self.reference.is_finite());
        number("reference", self.reference, is_sum, CUSUM_REFERENCE, is_reference, "0 or more")?;
        number("decision", self.decision, is_sum, CUSUM_DECISION, is_above(self.decision), "a number above 0")?;
        self.validate_convention()?;
        self.validate_estimate()?;
        self.validate_width("widen", self.widen, &WIDENED)?;
        self.validate_width("adjust", self.adjust, &ADJUSTED)
    }

    fn validate_convention(&self) -> Result<()> {
        use ChartKind::{Cusum, Ewma, I, Np, R};
        let has = match (self.convention, self.kind) {
            (Convention::Exact, _) => true,
            (Convention::Nhs, kind) => kind == I,
            (Convention::Qicharts2, kind) => !matches!(kind, R | Np | Cusum | Ewma),
        };
        if has {
            return Ok(());
        }
        let given = format!("{:?}", self.convention.as_str());
        let allowed = format!("\"exact\": that convention has no kind {:?}", self.kind.as_str());
        Err(Error::option("convention", given, allowed))
    }

    fn validate_estimate(&self) -> Result<()> {
        let name = self.kind.as_str();
        if let Some(estimator) = self.estimator {
            let given = format!("{:?}", estimator.as_str());
            let taken = estimators(self.kind);
            if !taken.contains(&estimator) {
                let words: Vec<String> = taken.iter().map(|one| format!("{:?}", one.as_str())).collect();
                let allowed = if words.is_empty() {
                    format!("left out: the sigma of kind {name:?} follows from its centre")
                } else {
                    format!("one of {} for kind {name:?}", words.join(", "))
                };
                return Err(Error::option("estimator", given, allowed));
            }
            if self.convention != Convention::Exact && matches!(self.kind, ChartKind::Xbar | ChartKind::S) {
                let allowed = format!("left out: convention {:?} has its own", self.convention.as_str());
                return Err(Error::option("estimator", given, allowed));
            }
        }
        match self.screening {
            None | Some(Screening::Off) => Ok(()),
            Some(screening) => {
                let given = format!("{:?}", screening.as_str());
                if !self.kind.has_moving_ranges() {
                    let allowed =
                        format!("\"off\": the limits of kind {name:?} rest on no moving ranges of its points");
                    return Err(Error::option("screening", given, allowed));
                }
                if self.estimator() == Some(SigmaEstimator::Sd) {
                    return Err(Error::option("screening", given, "\"off\" where the estimator is \"sd\""));
                }
                Ok(())
            }
        }
    }

    fn validate_width(&self, option: &str, is_set: bool, takers: &[(ChartKind, &str)]) -> Result<()> {
        let refused = |allowed: String| Err(Error::option(option, true, allowed));
        if !is_set {
            return Ok(());
        }
        if let Some((_, reason)) = takers.iter().find(|(kind, _)| *kind == self.kind) {
            return refused(format!("false for kind {:?}: {reason}", self.kind.as_str()));
        }
        if self.convention != Convention::Exact {
            return refused(format!("false: convention {:?} has no such limits", self.convention.as_str()));
        }
        if option == "adjust" && self.estimator() == Some(SigmaEstimator::Sd) {
            return refused("false: the estimator \"sd\" holds the autocorrelation already".into());
        }
        Ok(())
    }
}

/// The estimators that a kind of chart takes, its own first.
fn estimators(kind: ChartKind) -> &'static [SigmaEstimator] {
    use SigmaEstimator::{MeanRange, MeanSd, MovingRange, PooledSd, Sd, WeightedRange, WeightedSd};
    match kind {
        ChartKind::I | ChartKind::Pp | ChartKind::Up | ChartKind::T => &[MovingRange, Sd],
        ChartKind::Mr | ChartKind::Ip | ChartKind::Cusum | ChartKind::Ewma => &[MovingRange],
        ChartKind::Xbar => &[PooledSd, MeanSd, WeightedSd, MeanRange, WeightedRange],
        ChartKind::S => &[PooledSd, MeanSd, WeightedSd],
        ChartKind::R => &[MeanRange, WeightedRange],
        _ => &[],
    }
}

/// Kinds whose limits cannot be widened, and why.
const WIDENED: [(ChartKind, &str); 6] = [
    (ChartKind::Run, "it has no limits"),
    (ChartKind::Mr, "a later moving range has no normal law"),
    (ChartKind::R, "a later range has no normal law"),
    (ChartKind::S, "a later standard deviation has no normal law"),
    (ChartKind::G, "a count between events has no normal law"),
    (ChartKind::Cusum, "a later sum has no normal law"),
];

/// Kinds whose limits cannot be adjusted, and why.
const ADJUSTED: [(ChartKind, &str); 11] = [
    (ChartKind::Run, "it has no limits"),
    (ChartKind::Mr, OWN_SIGMA),
    (ChartKind::Xbar, OWN_SIGMA),
    (ChartKind::R, OWN_SIGMA),
    (ChartKind::S, OWN_SIGMA),
    (ChartKind::P, "its sigma follows from its centre; take \"pp\""),
    (ChartKind::U, "its sigma follows from its centre; take \"up\""),
    (ChartKind::C, "its sigma follows from its centre; take \"up\""),
    (ChartKind::Np, "its sigma follows from its centre; take \"pp\""),
    (ChartKind::G, "its sigma follows from its centre; take \"t\" with times"),
    (ChartKind::Cusum, "autocorrelated values have other limits than sums of independent ones; take \"ewma\""),
];

const OWN_SIGMA: &str = "its sigma is the scatter at one time, which no autocorrelation touches";
