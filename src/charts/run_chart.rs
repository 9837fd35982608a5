//! Run charts: values about a median, with rules for runs and the exact probability of what was seen.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::notes::{Caveats, ChartPoint};
use super::phase::{Baseline, Phase, validate_phases};
use crate::measure::Direction;
use crate::rules::{Meaning, RunLimits, RunRules, Signal, Signals};
use crate::stats::runs::{RunCounts, RunLaw, RunLaws, Side, count_runs_against};
use crate::stats::summary::median;
use crate::{Error, Note, Result};

/// A signal that chance alone shows more often than this is noted.
const RARE: f64 = 0.05;

/// How run charts are judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunChartSpec {
    /// The rules for runs.
    pub rules: RunRules,
}

/// One chart's rows, in the order of time.
#[derive(Debug, Clone, Copy)]
pub struct RunChartInput<'a> {
    /// The values; NaN where there is none (an infinite value counts as none).
    pub value: &'a [f64],
    /// Rows that are drawn and not judged, one flag a row; empty for none.
    pub is_excluded: &'a [bool],
    /// Consecutive ranges that cover all rows.
    pub phases: &'a [Phase<'a>],
    /// Which way is better.
    pub direction: Direction,
}

/// What a probability of runs takes the centre line to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProbBasis {
    /// Known beforehand.
    Known,
    /// The median of the same points.
    SamePoints,
    /// The median of the first points, with those after it judged too.
    Frozen,
    /// The median of points that are not the first: simulated with a fixed seed.
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

/// One phase of a run chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PhaseResult {
    /// The rows of the chart that belong to it.
    pub rows: Range<usize>,
    /// Rows that are not excluded, those without a value among them.
    pub n_obs: usize,
    /// Points that have a value and do not lie on the centre line.
    pub n_useful: usize,
    /// Values that the centre line rests on.
    pub n_baseline: usize,
    /// The centre line; none without a baseline value.
    pub center: Option<f64>,
    /// Points of the longest run; none without a useful point, as all that follow.
    pub longest_run: Option<usize>,
    /// The longest run that is no signal.
    pub longest_run_max: Option<usize>,
    /// How often the series crosses the centre line.
    pub n_crossings: Option<usize>,
    /// The fewest crossings that are no signal.
    pub n_crossings_min: Option<usize>,
    /// How often a stable process shows at least as much.
    pub prob_runs: Option<f64>,
    /// What that probability rests on.
    pub prob_basis: Option<ProbBasis>,
    /// Whether a rule is broken.
    pub has_signal: bool,
    /// Which.
    pub signals: Signals,
    /// What it means: see [`RunChartEngine::chart`].
    pub meaning: Meaning,
}

/// A run chart: its phases, and for every row what is drawn there.
#[derive(Debug, Clone, PartialEq)]
pub struct RunChart {
    /// The phases, in order.
    pub phases: Vec<PhaseResult>,
    /// The centre line at each row; NaN where there is none.
    pub center: Vec<f64>,
    /// Whether each row is of its phase's baseline.
    pub is_baseline: Vec<bool>,
    /// The signals that each row carries.
    pub signals: Vec<Signals>,
    /// What each row's signals mean; [`Meaning::None`] for a row without.
    pub meaning: Vec<Meaning>,
    /// Caveats, with counts for this one chart.
    pub notes: Vec<Note>,
}

/// Computes run charts; keeps the laws of runs it has needed, so that many charts cost little more than their medians.
#[derive(Debug, Default)]
pub struct RunChartEngine {
    laws: RunLaws,
    /// Limits by number of useful points, for the rules they were computed under.
    limits: Vec<Option<(RunRules, RunLimits)>>,
    points: Vec<ChartPoint>,
    useful: Vec<Useful>,
    values: Vec<f64>,
    sides: Vec<Side>,
    is_baseline: Vec<bool>,
}

/// A point that does not lie on the centre line.
#[derive(Debug, Clone, Copy)]
struct Useful {
    row: usize,
    side: Side,
    is_later: bool,
}

impl RunChartEngine {
    /// An engine that has computed nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The run chart of one series.
    ///
    /// In each phase the centre line is the median of the baseline rows that have a value and are not excluded. Runs
    /// are counted over all rows of the phase that have a value, are not excluded and do not lie on the line, also
    /// when the line rests on a part of them. A row in a run that is too long carries `longest_run`; too few crossings
    /// are a pattern of the whole phase, so every useful row carries `few_crossings`. A row's meaning follows the side
    /// it lies on.
    ///
    /// A phase is named by where it ended: its meaning is that of the side on which most useful points of its later
    /// half lie (of the points after a frozen baseline, if there are any, else of all), because a series that shifted
    /// spends its earlier half on the other side. Equal halves, and a neutral direction, give [`Meaning::Neutral`].
    ///
    /// `prob_runs` follows the origin of the line ([`ProbBasis`]). After a frozen baseline a point on the line is not
    /// dropped there but counted against a shift ([`count_runs_against`]), unlike in the counts that the rules judge.
    ///
    /// # Missing values
    /// A NaN or infinite value keeps its row, counts in `n_obs`, and takes no other part.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] if `is_excluded` is not as long as `value`, if the phases do not cover the rows in
    /// order, or if a baseline or known centre is impossible.
    ///
    /// # Notes
    /// `missing_value`, `short_baseline`, `baseline_longer_than_phase`, `no_baseline`, `autocorrelation`,
    /// `ties_at_center`, `constant_series`, `signal_not_rare`, `simulated_probability`.
    ///
    /// References: Perla, Provost & Murray (2011), BMJ Qual. Saf. 20:46; Anhøj & Olesen (2014), PLOS ONE 9(11) e113825.
    ///
    /// ```
    /// use brightspot::charts::{Baseline, Phase, RunChartEngine, RunChartInput, RunChartSpec};
    /// use brightspot::measure::Direction;
    ///
    /// let value = [3.0, 5.0, 4.0, 6.0, 2.0, 5.0, 3.0, 6.0, 4.0, 5.0, 8.0, 9.0, 7.0, 8.0, 9.0, 7.0, 8.0, 9.0, 8.0, 7.0];
    /// let phases = [Phase::new(0..20, Baseline::First(10))];
    /// let input = RunChartInput { value: &value, is_excluded: &[], phases: &phases, direction: Direction::Up };
    /// let chart = RunChartEngine::new().chart(&RunChartSpec::default(), &input)?;
    /// let phase = &chart.phases[0];
    /// assert_eq!(phase.center, Some(4.5));
    /// assert_eq!(phase.longest_run, Some(11));
    /// assert!(phase.has_signal && phase.prob_runs.unwrap() < 0.05);
    /// assert_eq!(phase.meaning.as_str(), "improvement");
    /// # Ok::<(), brightspot::Error>(())
    /// ```
    pub fn chart(&mut self, spec: &RunChartSpec, input: &RunChartInput<'_>) -> Result<RunChart> {
        let n_rows = input.value.len();
        if !input.is_excluded.is_empty() && input.is_excluded.len() != n_rows {
            let allowed = format!("one flag for each of the {n_rows} rows, or empty");
            return Err(Error::option("exclude", format!("{} flags", input.is_excluded.len()), allowed));
        }
        validate_phases(input.phases, n_rows)?;
        let mut chart = RunChart {
            phases: Vec::with_capacity(input.phases.len()),
            center: Vec::with_capacity(n_rows),
            is_baseline: Vec::with_capacity(n_rows),
            signals: vec![Signals::NONE; n_rows],
            meaning: vec![Meaning::None; n_rows],
            notes: Vec::new(),
        };
        let mut caveats = Caveats::of(input.value);
        for phase in input.phases {
            let result = self.phase(*spec, input, phase, &mut caveats);
            let center = result.center.unwrap_or(f64::NAN);
            chart.center.extend(std::iter::repeat_n(center, phase.rows.len()));
            chart.is_baseline.extend((0..phase.rows.len()).map(|index| phase.is_baseline(index)));
            if result.has_signal {
                self.mark(&result, input.direction, &mut chart);
            }
            chart.phases.push(result);
        }
        chart.notes = caveats.notes();
        Ok(chart)
    }

    /// One phase; leaves its useful points in the workspace.
    fn phase(
        &mut self,
        spec: RunChartSpec,
        input: &RunChartInput<'_>,
        phase: &Phase<'_>,
        caveats: &mut Caveats,
    ) -> PhaseResult {
        let n_obs = self.gather(input, phase);
        let (center, n_baseline) = self.center(phase);
        let n_later = self.points.iter().filter(|point| !point.is_baseline).count();
        self.find_useful(center, phase.known_center.is_none() && n_later > 0);
        let mut result = PhaseResult {
            rows: phase.rows.clone(),
            n_obs,
            n_useful: self.useful.len(),
            n_baseline,
            center,
            longest_run: None,
            longest_run_max: None,
            n_crossings: None,
            n_crossings_min: None,
            prob_runs: None,
            prob_basis: None,
            has_signal: false,
            signals: Signals::NONE,
            meaning: Meaning::None,
        };
        caveats.see_values(&self.points);
        if matches!(phase.baseline, Baseline::First(n) if n > phase.rows.len()) && !phase.rows.is_empty() {
            caveats.n_short_phases += 1;
        }
        if center.is_none() {
            caveats.n_without_baseline += usize::from(!phase.rows.is_empty());
            return result;
        }
        if phase.known_center.is_none() {
            caveats.see_baseline(n_baseline);
        }
        caveats.see_ties(self.points.len() - self.useful.len(), self.points.len());
        let Some(limits) = self.limits(spec.rules, self.useful.len()) else { return result };
        let counts = self.counts();
        for (signal, is_broken) in [
            (Signal::LongestRun, counts.longest_run > limits.longest_run_max),
            (Signal::FewCrossings, counts.n_crossings < limits.n_crossings_min),
        ] {
            if is_broken {
                result.signals.insert(signal);
            }
        }
        let (prob, basis) = self.prob_runs(phase, center, counts, n_baseline);
        result.longest_run = Some(counts.longest_run);
        result.longest_run_max = Some(limits.longest_run_max);
        result.n_crossings = Some(counts.n_crossings);
        result.n_crossings_min = Some(limits.n_crossings_min);
        result.prob_runs = Some(prob);
        result.prob_basis = Some(basis);
        result.has_signal = !result.signals.is_empty();
        caveats.is_simulated |= basis == ProbBasis::Simulated;
        if result.has_signal {
            result.meaning = Meaning::of_side(input.direction, self.side_at_the_end());
            if prob > RARE {
                caveats.see_not_rare(prob);
            }
        }
        result
    }

    /// Gathers the phase's values that count; gives the number of rows that are not excluded.
    fn gather(&mut self, input: &RunChartInput<'_>, phase: &Phase<'_>) -> usize {
        self.points.clear();
        let mut n_obs = 0;
        let values = input.value.get(phase.rows.clone()).unwrap_or(&[]);
        for (index, (row, &value)) in phase.rows.clone().zip(values).enumerate() {
            if input.is_excluded.get(row).copied().unwrap_or(false) {
                continue;
            }
            n_obs += 1;
            if value.is_finite() {
                self.points.push(ChartPoint { row, value, is_baseline: phase.is_baseline(index) });
            }
        }
        n_obs
    }

    /// The phase's centre line, and how many values its baseline has.
    fn center(&mut self, phase: &Phase<'_>) -> (Option<f64>, usize) {
        self.values.clear();
        self.values.extend(self.points.iter().filter(|point| point.is_baseline).map(|point| point.value));
        let n_baseline = self.values.len();
        (phase.known_center.or_else(|| median(&mut self.values)), n_baseline)
    }

    fn find_useful(&mut self, center: Option<f64>, is_frozen: bool) {
        self.useful.clear();
        let Some(center) = center else { return };
        let last_baseline = self.points.iter().rev().find(|point| point.is_baseline).map_or(0, |point| point.row);
        self.useful.extend(self.points.iter().filter_map(|point| {
            let side = Side::of(point.value, center);
            let is_later = is_frozen && point.row > last_baseline;
            (side != Side::On).then_some(Useful { row: point.row, side, is_later })
        }));
    }

    fn limits(&mut self, rules: RunRules, n_useful: usize) -> Option<RunLimits> {
        if n_useful >= self.limits.len() {
            self.limits.resize(n_useful + 1, None);
        }
        let slot = self.limits.get_mut(n_useful)?;
        match slot {
            Some((under, limits)) if *under == rules => Some(*limits),
            _ => {
                *slot = rules.limits(n_useful).map(|limits| (rules, limits));
                slot.map(|(_, limits)| limits)
            }
        }
    }

    fn counts(&mut self) -> RunCounts {
        self.sides.clear();
        self.sides.extend(self.useful.iter().map(|point| point.side));
        // Nothing lies on the line here, so this is also the plain count.
        count_runs_against(&self.sides)
    }

    /// The exact probability of the phase's runs, by where its line comes from.
    fn prob_runs(
        &mut self,
        phase: &Phase<'_>,
        center: Option<f64>,
        counts: RunCounts,
        n_baseline: usize,
    ) -> (f64, ProbBasis) {
        let (longest, crossings) = (counts.longest_run, counts.n_crossings);
        if phase.known_center.is_some() {
            let law = RunLaw::Known { n_useful: self.useful.len() };
            return (self.laws.prob_runs(law, longest, crossings), ProbBasis::Known);
        }
        let n_after = self.points.len() - n_baseline;
        if n_after == 0 {
            let law = RunLaw::SamePoints { n_above: counts.n_above, n_below: counts.n_below };
            return (self.laws.prob_runs(law, longest, crossings), ProbBasis::SamePoints);
        }
        let center = center.unwrap_or(f64::NAN);
        let side_of = |point: &ChartPoint| Side::of(point.value, center);
        if self.points.iter().take(n_baseline).all(|point| point.is_baseline) {
            self.sides.clear();
            self.sides.extend(self.points.iter().take(n_baseline).map(side_of).filter(|side| *side != Side::On));
            let base_above = self.sides.iter().filter(|side| **side == Side::Above).count();
            let base_below = self.sides.len() - base_above;
            let law = RunLaw::FrozenWhole { base_above, base_below, n_baseline, n_after };
            if !law.is_simulated() {
                self.sides.extend(self.points.iter().skip(n_baseline).map(side_of));
                let against = count_runs_against(&self.sides);
                let prob = self.laws.prob_runs(law, against.longest_run, against.n_crossings);
                return (prob, ProbBasis::Frozen);
            }
        }
        // In the draws one baseline value is the median where their number is odd; here it is the first that ties.
        let mut n_dropped = 0;
        self.sides.clear();
        for point in &self.points {
            let side = side_of(point);
            if side == Side::On && point.is_baseline && n_dropped < n_baseline % 2 {
                n_dropped += 1;
            } else {
                self.sides.push(side);
            }
        }
        let against = count_runs_against(&self.sides);
        self.is_baseline.clear();
        self.is_baseline.extend(self.points.iter().map(|point| point.is_baseline));
        let prob = self.laws.prob_runs_simulated(&self.is_baseline, against.longest_run, against.n_crossings);
        (prob, ProbBasis::Simulated)
    }

    /// The sum of signs over the later half of the points that count for the meaning of a phase.
    fn side_at_the_end(&self) -> f64 {
        let n_later = self.useful.iter().filter(|point| point.is_later).count();
        let n = if n_later > 0 { n_later } else { self.useful.len() };
        self.useful.iter().rev().take(n.div_ceil(2)).map(|point| point.side.sign()).sum()
    }

    /// Puts a phase's signals on its rows.
    fn mark(&self, result: &PhaseResult, direction: Direction, chart: &mut RunChart) {
        let longest_allowed = result.longest_run_max.unwrap_or(usize::MAX);
        let is_sparse = result.signals.contains(Signal::FewCrossings);
        for run in self.useful.chunk_by(|one, next| one.side == next.side) {
            let mut signals = Signals::NONE;
            if run.len() > longest_allowed {
                signals.insert(Signal::LongestRun);
            }
            if is_sparse {
                signals.insert(Signal::FewCrossings);
            }
            if signals.is_empty() {
                continue;
            }
            for point in run {
                if let Some(cell) = chart.signals.get_mut(point.row) {
                    *cell = signals;
                }
                if let Some(cell) = chart.meaning.get_mut(point.row) {
                    *cell = Meaning::of_side(direction, point.side.sign());
                }
            }
        }
    }
}
