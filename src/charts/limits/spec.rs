//! How centre lines and limits are computed: everything that can be chosen, each with one default.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::charts::ChartKind;
use crate::stats::constants::{D2_OF_TWO, range_moments};
use crate::{Error, Result};

/// Limits lie three standard deviations from the centre (Shewhart 1931).
pub const SIGMAS: f64 = 3.0;
/// The weight of the newest value in a moving average (Lucas & Saccucci 1990: .05 to .25 for small shifts).
pub const EWMA_WEIGHT: f64 = 0.2;
/// Half of the shift that a cumulative sum is to find, in sigmas (Montgomery 2013, 9.1.3).
pub const CUSUM_REFERENCE: f64 = 0.5;
/// The sum at which a shift is called, in sigmas: with the reference above 465 points pass before a false call.
pub const CUSUM_DECISION: f64 = 5.0;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $option:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every one there is, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word, as in JSON and in arguments.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(word: &str) -> Result<Self> {
                let named = Self::ALL.iter().find(|one| one.as_str() == word);
                named.copied().ok_or_else(|| {
                    let words: Vec<String> = Self::ALL.iter().map(|one| format!("{:?}", one.as_str())).collect();
                    Error::option($option, format!("{word:?}"), format!("one of {}", words.join(", ")))
                })
            }
        }
    };
}

words! {
    /// Whose constants and customs are followed.
    Convention, "convention" {
        /// Exact constants, no screening, unbiased estimates.
        Exact = "exact",
        /// As qicharts2 computes: 1.128 and 3.267, moving ranges screened once, Montgomery's rules for subgroups.
        Qicharts2 = "qicharts2",
        /// As the NHS's "Making data count" computes: the mean and 2.66 mean moving ranges, screened once at 3.267.
        Nhs = "nhs",
    }
}

#[allow(clippy::derivable_impls)] // the variants are made by a macro
impl Default for Convention {
    fn default() -> Self {
        Self::Exact
    }
}

words! {
    /// Whether moving ranges that are themselves beyond their limit are left out of the estimate of sigma.
    Screening, "screening" {
        /// All count.
        Off = "off",
        /// Those at or above the limit are left out once (Nelson 1982, J. Qual. Technol. 14:172).
        Once = "once",
        /// Again, until none is above the limit of those that are left.
        Repeated = "repeated",
    }
}

words! {
    /// What sigma is estimated from.
    SigmaEstimator, "estimator" {
        /// The mean moving range over d2.
        MovingRange = "moving_range",
        /// The standard deviation of all baseline values over c4: for rows without an order, as it takes a shift or a
        /// trend for scatter.
        Sd = "sd",
        /// The mean of the subgroups' ranges, each over its d2 (UWAVE-R).
        MeanRange = "mean_range",
        /// The mean of the subgroups' standard deviations, each over its c4 (UWAVE-SD).
        MeanSd = "mean_sd",
        /// Their mean weighted by precision, from ranges (MVLUE-R; Burr 1969, J. Qual. Technol. 1:163).
        WeightedRange = "weighted_range",
        /// Their mean weighted by precision, from standard deviations (MVLUE-SD).
        WeightedSd = "weighted_sd",
        /// The root of the pooled variance over c4 of its degrees of freedom plus one (RMSDF).
        PooledSd = "pooled_sd",
    }
}

/// What the spread of a subgroup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Spread {
    /// Its standard deviation (divisor n - 1).
    Sd,
    /// Its range.
    Range,
}

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
                let allowed = format!("left out: a {} chart does not take it", kind.as_str());
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
        use ChartKind::{C, Cusum, Ewma, G, I, Ip, Mr, Np, P, Pp, R, Run, S, T, U, Up, Xbar};
        let has = match (self.convention, self.kind) {
            (Convention::Exact, _) | (Convention::Nhs, I) => true,
            (Convention::Nhs, _) | (Convention::Qicharts2, R | Np | Cusum | Ewma) => false,
            (Convention::Qicharts2, Run | I | Mr | Ip | Xbar | S | P | Pp | U | Up | C | G | T) => true,
        };
        if has {
            return Ok(());
        }
        let given = format!("{:?}", self.convention.as_str());
        let allowed = format!("\"exact\" for a {} chart, which that convention does not have", self.kind.as_str());
        Err(Error::option("convention", given, allowed))
    }

    fn validate_estimate(&self) -> Result<()> {
        let name = self.kind.as_str();
        if let Some(estimator) = self.estimator {
            let given = format!("{:?}", estimator.as_str());
            let taken = estimators(self.kind);
            if !taken.contains(&estimator) {
                let allowed = match taken {
                    [] => format!("left out: the sigma of a {name} chart follows from its centre"),
                    _ => {
                        let words: Vec<String> = taken.iter().map(|one| format!("{:?}", one.as_str())).collect();
                        format!("one of {} for a {name} chart", words.join(", "))
                    }
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
                        format!("\"off\": the limits of a {name} chart rest on no moving ranges of its points");
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
            return refused(format!("false for a {} chart: {reason}", self.kind.as_str()));
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

impl Convention {
    /// How a mean moving range becomes sigma: multiplied by this.
    pub(super) fn per_range(self) -> f64 {
        match self {
            Self::Exact => 1.0 / D2_OF_TWO,
            Self::Qicharts2 => 1.0 / 1.128,
            Self::Nhs => 2.66 / 3.0,
        }
    }

    /// A moving range of this many mean moving ranges lies at its own upper limit.
    pub(super) fn screening_limit(self, kind: ChartKind) -> f64 {
        match (self, kind) {
            (Self::Exact, _) => 1.0 + SIGMAS * range_moments(2).d3 / D2_OF_TWO,
            (Self::Qicharts2, ChartKind::Ip) => 3.2665,
            (Self::Qicharts2 | Self::Nhs, _) => 3.267,
        }
    }
}

/// What the user knows: each replaces what would be estimated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Known {
    /// The centre line, in the unit of what is drawn; of a cusum the target.
    pub center: Option<f64>,
    /// The standard deviation of single values (of an I prime chart, of a value with denominator 1).
    pub sigma: Option<f64>,
    /// The lower control limit, in the unit of what is drawn.
    pub lcl: Option<f64>,
    /// The upper control limit, in the unit of what is drawn.
    pub ucl: Option<f64>,
}

impl Known {
    /// Whether the kind of chart takes what is given, and whether it is possible.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] that names what was given, and what would be right.
    pub fn validate(&self, kind: ChartKind) -> Result<()> {
        let name = kind.as_str();
        for (option, given) in [("known_center", self.center), ("known_lcl", self.lcl), ("known_ucl", self.ucl)] {
            match given {
                Some(value) if !value.is_finite() => return Err(Error::option(option, value, "a finite number")),
                _ => {}
            }
        }
        if let Some(center) = self.center {
            let is_share = matches!(kind, ChartKind::P | ChartKind::Pp);
            if is_share && !(0.0..=1.0).contains(&center) {
                return Err(Error::option("known_center", center, format!("from 0 to 1 in a {name} chart")));
            }
            if kind.is_never_negative() && center < 0.0 {
                return Err(Error::option("known_center", center, format!("0 or more in a {name} chart")));
            }
        }
        if let Some(sigma) = self.sigma {
            if !kind.takes_sigma() {
                let allowed = format!("left out: a {name} chart has no standard deviation of its own");
                return Err(Error::option("known_sigma", sigma, allowed));
            }
            if !(sigma > 0.0 && sigma.is_finite()) {
                return Err(Error::option("known_sigma", sigma, "a number above 0"));
            }
        }
        if let Some(limit) = self.lcl.or(self.ucl) {
            if matches!(kind, ChartKind::Run | ChartKind::Cusum) {
                let allowed = if kind == ChartKind::Run { "it has none" } else { "they follow from `decision`" };
                return Err(Error::option("known limits", limit, format!("left out in a {name} chart: {allowed}")));
            }
        }
        let in_order = |low: Option<f64>, high: Option<f64>| match (low, high) {
            (Some(low), Some(high)) => low <= high,
            _ => true,
        };
        if !(in_order(self.lcl, self.ucl) && in_order(self.lcl, self.center) && in_order(self.center, self.ucl)) {
            let given = [self.lcl, self.center, self.ucl].map(|one| one.map_or("-".into(), |value| value.to_string()));
            return Err(Error::option(
                "known limits",
                given.join(", "),
                "lower limit, centre, upper limit in this order",
            ));
        }
        Ok(())
    }
}
