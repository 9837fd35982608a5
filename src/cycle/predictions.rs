//! Did the predictions come true?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MeasureStudy, Prediction, PredictionFinding, Signal};

/// A prediction, checked against what was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PredictionCheck {
    /// The prediction.
    pub prediction: Prediction,
    /// Whether it came true.
    pub finding: PredictionFinding,
    /// Whether the whole 90% interval of the change lies in the predicted region.
    pub is_certain: bool,
    /// Whether the change itself lies in the region; empty without a change to compare or while the window is open.
    pub is_hit: Option<bool>,
    /// (belief - hit)^2: 0 for a sure and right prediction, 1 for a sure and wrong one.
    pub brier: Option<f64>,
    /// The change.
    pub effect: Option<f64>,
    /// Lower end of its 90% interval.
    pub lo: Option<f64>,
    /// Upper end of its 90% interval.
    pub hi: Option<f64>,
}

/// Checks one prediction: `met` if the change lies in the region, `not_met` if its interval has nothing in common with
/// the region, `undecided` otherwise and wherever the measure has no verdict.
///
/// The hit, and with it Brier's score, is taken from the change alone and from every prediction that can be measured:
/// leaving out the undecided would bias the score.
pub(crate) fn check_prediction(
    prediction: &Prediction,
    found: Option<&MeasureStudy>,
    is_closed: bool,
) -> PredictionCheck {
    let region = found.and_then(|study| prediction.region(study.direction));
    let effect = found.and_then(|study| study.effect);
    let interval = found.and_then(|study| study.lo.zip(study.hi));
    let is_hit = region.zip(effect).filter(|_| is_closed).map(|(region, effect)| region.contains(effect));
    let has_verdict = found.is_some_and(|study| study.signal != Signal::Insufficient);
    let (finding, is_certain) = match (region, interval, is_hit) {
        (Some(region), Some((lo, hi)), Some(is_hit)) if has_verdict => {
            let finding = if is_hit {
                PredictionFinding::Met
            } else if region.is_apart_from(lo, hi) {
                PredictionFinding::NotMet
            } else {
                PredictionFinding::Undecided
            };
            (finding, region.contains(lo) && region.contains(hi))
        }
        _ => (PredictionFinding::Undecided, false),
    };
    let brier = prediction.belief.zip(is_hit).map(|(belief, is_hit)| (belief - f64::from(u8::from(is_hit))).powi(2));
    PredictionCheck {
        prediction: prediction.clone(),
        finding,
        is_certain,
        is_hit,
        brier,
        effect,
        lo: interval.map(|(lo, _)| lo),
        hi: interval.map(|(_, hi)| hi),
    }
}

/// The worst of the predictions: missed, then undecided, then met; undecided if there are none.
pub(crate) fn worst_prediction(checks: &[PredictionCheck]) -> PredictionFinding {
    let severity = |finding: PredictionFinding| match finding {
        PredictionFinding::Met => 0,
        PredictionFinding::Undecided => 1,
        PredictionFinding::NotMet => 2,
    };
    checks
        .iter()
        .map(|check| check.finding)
        .max_by_key(|&finding| severity(finding))
        .unwrap_or(PredictionFinding::Undecided)
}
