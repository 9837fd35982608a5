//! The runs of one phase about its centre line, and how often chance does as much.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::judged::ChartPoint;
use crate::stats::runs::{Middle, RunCounts, RunLaw, RunLaws, Side, count_runs_against};

/// What a probability of runs takes the centre line to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProbBasis {
    /// Known beforehand.
    Known,
    /// The median, or the mean, of the same points.
    SamePoints,
    /// The median of the first points, with those after it judged too.
    Frozen,
    /// The mean of the first points, or the median of points that are not the first: simulated with a fixed seed.
    Simulated,
}

impl ProbBasis {
    /// The code, as in JSON and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::SamePoints => "same_points",
            Self::Frozen => "frozen",
            Self::Simulated => "simulated",
        }
    }
}

/// Where the centre line of a phase comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub(super) is_known: bool,
    pub(super) middle: Middle,
    /// How many of the points the line rests on.
    pub(super) n_baseline: usize,
}

/// Computes probabilities of runs; keeps the laws it has needed.
#[derive(Debug, Default)]
pub(super) struct Runs {
    laws: RunLaws,
    sides: Vec<Side>,
    is_baseline: Vec<bool>,
}

impl Runs {
    /// The probability that a stable process shows at least as much, by where its line comes from.
    ///
    /// * `sides`: of each point, on which side of the line it lies; as long as `points`.
    ///
    /// About the points' own mean the law is the same as about their median: whatever symmetric rule makes the line, given
    /// how many points lie above it, every order of them is equally likely.
    pub(super) fn prob(
        &mut self,
        points: &[ChartPoint],
        sides: &[Side],
        counts: RunCounts,
        origin: Origin,
    ) -> (f64, ProbBasis) {
        let (longest, crossings) = (counts.longest_run, counts.n_crossings);
        if origin.is_known {
            let law = RunLaw::Known { n_useful: counts.n_above + counts.n_below };
            return (self.laws.prob_runs(law, longest, crossings), ProbBasis::Known);
        }
        let n_after = points.len() - origin.n_baseline;
        if n_after == 0 {
            let law = RunLaw::SamePoints { n_above: counts.n_above, n_below: counts.n_below };
            return (self.laws.prob_runs(law, longest, crossings), ProbBasis::SamePoints);
        }
        let is_first = points.iter().take(origin.n_baseline).all(|point| point.is_baseline);
        let exact = is_first && origin.middle == Middle::Median;
        if let Some(prob) = exact.then(|| self.prob_frozen(sides, origin.n_baseline, n_after)).flatten() {
            return (prob, ProbBasis::Frozen);
        }
        // In the draws one baseline value is the median where their number is odd; here it is the first that ties.
        let n_ties = if origin.middle == Middle::Median { origin.n_baseline % 2 } else { 0 };
        let mut n_dropped = 0;
        self.sides.clear();
        for (point, &side) in points.iter().zip(sides) {
            if side == Side::On && point.is_baseline && n_dropped < n_ties {
                n_dropped += 1;
            } else {
                self.sides.push(side);
            }
        }
        let against = count_runs_against(&self.sides);
        self.is_baseline.clear();
        self.is_baseline.extend(points.iter().map(|point| point.is_baseline));
        let prob =
            self.laws.prob_runs_simulated(&self.is_baseline, origin.middle, against.longest_run, against.n_crossings);
        (prob, ProbBasis::Simulated)
    }

    /// About the median of the first points; none where the series is too long for the exact law.
    fn prob_frozen(&mut self, sides: &[Side], n_baseline: usize, n_after: usize) -> Option<f64> {
        self.sides.clear();
        self.sides.extend(sides.iter().take(n_baseline).copied().filter(|side| *side != Side::On));
        let base_above = self.sides.iter().filter(|side| **side == Side::Above).count();
        let base_below = self.sides.len() - base_above;
        let law = RunLaw::FrozenWhole { base_above, base_below, n_baseline, n_after };
        if law.is_simulated() {
            return None;
        }
        self.sides.extend(sides.iter().skip(n_baseline));
        let against = count_runs_against(&self.sides);
        Some(self.laws.prob_runs(law, against.longest_run, against.n_crossings))
    }
}
