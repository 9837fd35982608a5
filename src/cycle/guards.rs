//! Guards: is a loss as large as the margin ruled out, or has harm been done?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::verdict::Judged;
use super::{GuardFinding, MeasureStudy, Signal};
use crate::stats::step::ALPHA;
use crate::{Note, NoteCode};

/// What the data say about one guard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuardCheck {
    /// Whether it stayed within its margin.
    pub finding: GuardFinding,
    /// The margin: the largest loss that would not matter.
    pub margin: f64,
    /// One-sided p of a loss.
    pub p_worse: Option<f64>,
    /// The same, adjusted for the number of guards (Holm).
    pub p_worse_adjusted: Option<f64>,
    /// The measure's own study.
    pub study: MeasureStudy,
}

/// Judges the guards together.
///
/// "All guards are not worse" is an intersection-union claim, so each is tested at its own level: `not_worse` iff the lower end of
/// the 90% interval (better is positive) lies above minus the margin (Berger 1982, Technometrics 24:295). `harmed` iff not that, and the Holm-adjusted one-sided
/// p of a loss is at most .05 (Holm 1979, Scandinavian Journal of Statistics 6:65). A measure without a verdict cannot
/// be `not_worse`; it can still be `harmed` where an unstable baseline is all that stands against it, for a drift
/// towards better hides harm rather than feigning it.
pub(crate) fn check_guards(judged: Vec<(Judged, f64)>) -> (Vec<GuardCheck>, Vec<Note>) {
    // An open window gives no p: looking early and often would find harm that is not there.
    let p: Vec<Option<f64>> = judged.iter().map(|(one, _)| one.study.p_worse.filter(|_| may_harm(one))).collect();
    let adjusted = holm(&p);
    let mut notes = vec![];
    let checks = judged
        .into_iter()
        .zip(adjusted)
        .map(|((one, margin), p_worse_adjusted)| {
            let is_not_worse =
                one.study.signal != Signal::Insufficient && one.study.signed().is_some_and(|(_, lo, _)| lo > -margin);
            let finding = if is_not_worse {
                GuardFinding::NotWorse
            } else if p_worse_adjusted.is_some_and(|p| p <= ALPHA) {
                GuardFinding::Harmed
            } else {
                GuardFinding::CannotTell
            };
            let name = one.study.measure.clone();
            let p_worse = one.study.p_worse;
            notes.extend(one.notes);
            if let Some(p) = p_worse.filter(|&p| p <= ALPHA && finding == GuardFinding::CannotTell) {
                notes.push(Note::new(NoteCode::PossibleHarm, 1).with_value(p).at(name));
            }
            GuardCheck { finding, margin, p_worse, p_worse_adjusted, study: one.study }
        })
        .collect();
    (checks, notes)
}

fn may_harm(one: &Judged) -> bool {
    one.study.signal != Signal::Insufficient || one.is_unstable_only
}

/// The worst of the findings; `not_worse` if there are none.
pub(crate) fn worst(checks: &[GuardCheck]) -> GuardFinding {
    let severity = |finding: GuardFinding| match finding {
        GuardFinding::NotWorse => 0,
        GuardFinding::CannotTell => 1,
        GuardFinding::Harmed => 2,
    };
    checks.iter().map(|check| check.finding).max_by_key(|&finding| severity(finding)).unwrap_or(GuardFinding::NotWorse)
}

/// Holm's step-down adjustment: the i-th smallest of m p-values times m - i + 1, made monotone, at most 1.
fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> = p.iter().enumerate().filter_map(|(i, p)| p.map(|p| (i, p))).collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut adjusted = vec![None; p.len()];
    let mut so_far = 0.0_f64;
    let mut remaining = order.len();
    for (i, p) in order {
        so_far = so_far.max((p * remaining as f64).min(1.0));
        if let Some(slot) = adjusted.get_mut(i) {
            *slot = Some(so_far);
        }
        remaining -= 1;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The classic worked example: .01, .04, .03, .005 become .03, .06, .06, .02 (R's p.adjust gives the same).
    #[test]
    fn holm_as_in_the_textbook() {
        let adjusted = holm(&[Some(0.01), Some(0.04), None, Some(0.03), Some(0.005)]);
        let expected = [Some(0.03), Some(0.06), None, Some(0.06), Some(0.02)];
        for (found, expected) in adjusted.iter().zip(expected) {
            match (found, expected) {
                (Some(found), Some(expected)) => assert!((found - expected).abs() < 1e-12),
                (found, expected) => assert_eq!(*found, expected),
            }
        }
        assert_eq!(holm(&[Some(0.6), Some(0.7)]), [Some(1.0), Some(1.0)]);
        assert!(holm(&[]).is_empty());
    }
}
