//! What a chart comes to in one word: the icons for variation and for assurance (NHS England, Making Data Count).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::judge::Line;
use super::signal::{Signal, Signals};
use crate::measure::Direction;
use crate::stats::runs::Side;

/// Whether a stable process would meet its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Assurance {
    /// The target lies beyond the limit on the bad side: the process meets it as a rule.
    Passing,
    /// The target lies beyond the limit on the good side: the process fails it as a rule.
    Failing,
    /// The target lies within the limits: met at times and failed at times.
    Inconsistent,
}

impl Assurance {
    /// The code, as in JSON and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passing => "passing",
            Self::Failing => "failing",
            Self::Inconsistent => "inconsistent",
        }
    }
}

/// What the last point of a chart shows: a signal on the good or on the bad side, high or low, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Variation {
    /// A signal above the line, or rising, where higher is better.
    ImprovementHigh,
    /// A signal below the line, or falling, where lower is better.
    ImprovementLow,
    /// A signal above the line, or rising, where lower is better.
    ConcernHigh,
    /// A signal below the line, or falling, where higher is better.
    ConcernLow,
    /// A signal above the line, or rising, of a measure without a good side.
    NeutralHigh,
    /// A signal below the line, or falling, of a measure without a good side.
    NeutralLow,
    /// No signal at the last point.
    CommonCause,
}

impl Variation {
    /// The variation of a signal that points to one side; [`Side::On`] points to none.
    pub fn of_side(direction: Direction, side: Side) -> Self {
        match (direction, side) {
            (_, Side::On) => Self::CommonCause,
            (Direction::Up, Side::Above) => Self::ImprovementHigh,
            (Direction::Up, Side::Below) => Self::ConcernLow,
            (Direction::Down, Side::Above) => Self::ConcernHigh,
            (Direction::Down, Side::Below) => Self::ImprovementLow,
            (Direction::Neutral, Side::Above) => Self::NeutralHigh,
            (Direction::Neutral, Side::Below) => Self::NeutralLow,
        }
    }

    /// The code, as in JSON and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ImprovementHigh => "improvement_high",
            Self::ImprovementLow => "improvement_low",
            Self::ConcernHigh => "concern_high",
            Self::ConcernLow => "concern_low",
            Self::NeutralHigh => "neutral_high",
            Self::NeutralLow => "neutral_low",
            Self::CommonCause => "common_cause",
        }
    }
}

/// Whether the process would meet its target, were it to go on as it is: the target against the limits.
///
/// Passing or failing if the target lies strictly beyond a limit, inconsistent if it lies within or on one. Where higher
/// is better, a target above the upper limit is failed and one below the lower limit is met; where lower is better, the
/// other way round.
///
/// * `lcl`, `ucl`: the limits of the chart's last row, in the unit of the values; NaN where there is none.
/// * `target`: in the same unit; NaN for none.
///
/// None without a target, for a measure without a good side, and where the limit that would decide is missing.
///
/// Reference: NHS England, Making Data Count; as `NHSRplotthedots` 0.2.2.
///
/// ```
/// use brightspot::measure::Direction;
/// use brightspot::rules::{Assurance, assurance};
/// assert_eq!(assurance(10.0, 20.0, 25.0, Direction::Up), Some(Assurance::Failing));
/// assert_eq!(assurance(10.0, 20.0, 25.0, Direction::Down), Some(Assurance::Passing));
/// assert_eq!(assurance(10.0, 20.0, 20.0, Direction::Up), Some(Assurance::Inconsistent));
/// assert_eq!(assurance(10.0, 20.0, 25.0, Direction::Neutral), None);
/// ```
pub fn assurance(lcl: f64, ucl: f64, target: f64, direction: Direction) -> Option<Assurance> {
    let is_good_above = match direction {
        Direction::Up => true,
        Direction::Down => false,
        Direction::Neutral => return None,
    };
    if target > ucl {
        Some(if is_good_above { Assurance::Failing } else { Assurance::Passing })
    } else if target < lcl {
        Some(if is_good_above { Assurance::Passing } else { Assurance::Failing })
    } else {
        (target >= lcl && target <= ucl).then_some(Assurance::Inconsistent)
    }
}

/// What the last point of a chart shows.
///
/// The last point's signals decide, and nothing before it: with none it is common cause. High or low is the side that
/// its signals point to, as [`signal_sides`] has it.
///
/// * `line`: the points of the chart's last phase.
/// * `signals`: what [`super::RuleSet::judge`] wrote for them.
///
/// Common cause also where the signals point to no side, which takes a series with no point off its centre line.
///
/// Reference: NHS England, Making Data Count; as `NHSRplotthedots` 0.2.2.
///
/// ```
/// use brightspot::measure::Direction;
/// use brightspot::rules::{Line, RuleSet, RuleTables, Signals, Variation, variation};
/// use brightspot::stats::runs::Side;
///
/// let value = [4.0, 6.0, 4.0, 6.0, 8.0];
/// let side = value.map(|value| Side::of(value, 5.0));
/// let beyond = [Side::On, Side::On, Side::On, Side::On, Side::Above];
/// let line = Line { value: &value, side: &side, z: &[f64::NAN; 5], beyond: &beyond };
/// let mut signals = [Signals::NONE; 5];
/// RuleSet::named("nhs")?.judge(&line, &mut signals, &mut RuleTables::default())?;
/// assert_eq!(variation(&line, &signals, Direction::Down), Variation::ConcernHigh);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn variation(line: &Line<'_>, signals: &[Signals], direction: Direction) -> Variation {
    match signals.last() {
        Some(last) if !last.is_empty() => {
            let mut sides = Vec::new();
            signal_sides(line, signals, &mut sides);
            Variation::of_side(direction, sides.last().copied().unwrap_or(Side::On))
        }
        _ => Variation::CommonCause,
    }
}

/// The side that each point's signals point to: what a signal is good or bad by.
///
/// A point beyond a limit points to its own side. Else a point of a trend points to where the trend goes, whatever side
/// it lies on, and where one trend ends and the next begins to where the next one goes. Any other point with a signal
/// points to its own side, and a point on the centre line to that of the last point before it that is not. Points
/// without a signal are [`Side::On`].
///
/// * `line`, `signals`: as judged.
/// * `sides`: becomes one entry for each point.
///
/// Reference: as the colours in `NHSRplotthedots` 0.2.2.
///
/// ```
/// use brightspot::rules::{Line, Signal, Signals, signal_sides};
/// use brightspot::stats::runs::Side;
///
/// // Below the line and rising.
/// let value = [1.0, 2.0, 3.0];
/// let line = Line { value: &value, side: &[Side::Below; 3], z: &[f64::NAN; 3], beyond: &[Side::On; 3] };
/// let trend: Signals = [Signal::Trend].into_iter().collect();
/// let mut sides = Vec::new();
/// signal_sides(&line, &[trend; 3], &mut sides);
/// assert_eq!(sides, [Side::Above; 3]);
/// ```
pub fn signal_sides(line: &Line<'_>, signals: &[Signals], sides: &mut Vec<Side>) {
    // First, from the end, where trends go from each point; then, from the start, the rest.
    sides.clear();
    let mut ahead = Side::On;
    let mut later: Option<(f64, bool)> = None;
    for (value, signals) in line.value.iter().zip(signals).rev() {
        let is_in = signals.contains(Signal::Trend);
        match later {
            Some((next, true)) if is_in => {
                let step = Side::of(next, *value);
                ahead = if step == Side::On { ahead } else { step };
            }
            _ => ahead = Side::On,
        }
        sides.push(ahead);
        later = Some((*value, is_in));
    }
    sides.reverse();
    let (mut behind, mut last_side, mut before) = (Side::On, Side::On, f64::NAN);
    let points = line.value.iter().zip(line.side).zip(line.beyond).zip(signals);
    for (goes_to, (((value, side), beyond), signals)) in sides.iter_mut().zip(points) {
        let step = Side::of(*value, before);
        behind = if step == Side::On { behind } else { step };
        last_side = if *side == Side::On { last_side } else { *side };
        before = *value;
        *goes_to = if signals.is_empty() {
            Side::On
        } else if signals.contains(Signal::BeyondLimits) {
            *beyond
        } else if signals.contains(Signal::Trend) {
            if *goes_to == Side::On { behind } else { *goes_to }
        } else {
            last_side
        };
    }
}
