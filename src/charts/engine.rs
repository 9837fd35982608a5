//! One chart: its phases, and for every row what is drawn there and what it signals.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::judged::{Bench, Judged};
use super::kind::ChartKind;
use super::limits::{LimitRows, LimitSpec};
use super::notes::Caveats;
use super::phase::{Baseline, Phase, validate_phases};
use super::runs::{Origin, ProbBasis, Runs};
use super::stable::{Pattern, Process, Shape, StableLaws};
use crate::measure::Direction;
use crate::rules::{Assurance, Meaning, Rule, RuleSet, Signal, Signals, Variation, assurance};
use crate::stats::runs::{Middle, Side, count_runs};
use crate::{Error, Note, Result};

/// A signal that chance alone shows more often than this is noted.
const RARE: f64 = 0.05;

/// How a chart is computed and judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChartSpec {
    /// The kind of chart, and how its centre line and limits are found.
    pub limits: LimitSpec,
    /// The rules that tell signals from noise.
    pub rules: RuleSet,
}

impl ChartSpec {
    /// A chart of this kind with its usual rules: Anhøj's for a run chart, points beyond the limits for all others.
    pub fn new(kind: ChartKind) -> Self {
        let rules = if kind == ChartKind::Run {
            RuleSet::default()
        } else {
            RuleSet { name: "shewhart".into(), rules: vec![Rule::BeyondLimits {}] }
        };
        Self { limits: LimitSpec::new(kind), rules }
    }

    /// Whether it can be computed.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for options that the kind does not take, and rules that it has no lines for.
    pub fn validate(&self) -> Result<()> {
        self.limits.validate()?;
        self.rules.validate()?;
        if self.rules.needs_limits() && !self.limits.kind.has_limits() {
            return Err(Error::option(
                "rules",
                format!("{:?}", self.rules.name),
                "rules for runs: a run chart has no limits that a point could lie beyond",
            ));
        }
        Ok(())
    }
}

/// One chart's rows, in the order of time; the slices are those of [`LimitRows`], for all phases together.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChartInput<'a> {
    /// The values, or the numerators of p, p', np, u, u' and I' charts; NaN where there is none.
    pub value: &'a [f64],
    /// Denominators or sizes of subgroups; empty where the kind takes none.
    pub size: &'a [f64],
    /// The spread within subgroups; empty where the kind takes none.
    pub spread: &'a [f64],
    /// Rows that are drawn and not judged, one flag a row; empty for none.
    pub is_excluded: &'a [bool],
    /// Consecutive ranges that cover all rows.
    pub phases: &'a [Phase<'a>],
    /// Which way is better.
    pub direction: Direction,
    /// What the measure should reach, row by row; NaN for none, empty for none at all.
    pub target: &'a [f64],
}

/// One phase of a chart.
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
    /// The standard deviation that the limits rest on; none where the kind has none of its own.
    pub sigma: Option<f64>,
    /// How many times wider the points scatter than their counts alone would (Laney's sigma-z); none for other kinds.
    pub dispersion: Option<f64>,
    /// Points of the longest run; none without a useful point.
    pub longest_run: Option<usize>,
    /// The longest run that is no signal; none where no rule asks.
    pub longest_run_max: Option<usize>,
    /// How often the series crosses the centre line.
    pub n_crossings: Option<usize>,
    /// The fewest crossings that are no signal; none where no rule asks.
    pub n_crossings_min: Option<usize>,
    /// How often a stable process shows at least as much, of the longest run and the crossings together.
    pub prob_runs: Option<f64>,
    /// What that probability rests on.
    pub prob_basis: Option<ProbBasis>,
    /// Points beyond the limits; none without limits.
    pub n_beyond_limits: Option<usize>,
    /// How often a stable process has a point at least as far out.
    pub prob_beyond: Option<f64>,
    /// How often a stable process looks at least as odd, by runs or by distance: the p-value for screening many charts.
    pub prob_chart: Option<f64>,
    /// Whether a rule is broken.
    pub has_signal: bool,
    /// Which.
    pub signals: Signals,
    /// What it means: see [`ChartEngine::chart`].
    pub meaning: Meaning,
    /// How often a stable process of this length and baseline shows any signal of the rule set.
    pub prob_false_signal: Option<f64>,
    /// How often it shows each of `signals`.
    pub prob_of_signals: Vec<f64>,
    /// What the last point says.
    pub variation: Variation,
    /// The target against the limits of the last point; none without either.
    pub assurance: Option<Assurance>,
}

/// A chart: its phases, and for every row what is drawn there.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chart {
    /// The phases, in order.
    pub phases: Vec<PhaseResult>,
    /// What is drawn at each row; NaN where there is nothing.
    pub drawn: Vec<f64>,
    /// The lower of two lines (CUSUM); empty for other kinds.
    pub lower: Vec<f64>,
    /// The centre line at each row; NaN where there is none.
    pub center: Vec<f64>,
    /// The lower limit at each row; NaN where there is none.
    pub lcl: Vec<f64>,
    /// The upper limit at each row; NaN where there is none.
    pub ucl: Vec<f64>,
    /// Whether each row is of its phase's baseline.
    pub is_baseline: Vec<bool>,
    /// The signals that each row carries.
    pub signals: Vec<Signals>,
    /// What each row's signals mean; [`Meaning::None`] for a row without.
    pub meaning: Vec<Meaning>,
    /// Caveats, with counts for this one chart.
    pub notes: Vec<Note>,
}

impl Chart {
    /// Room for so many rows, without phases, lines, signals and notes.
    fn clear(&mut self, n_rows: usize) {
        let Self { phases, drawn, lower, center, lcl, ucl, is_baseline, signals, meaning, notes } = self;
        phases.clear();
        for line in [drawn, lower, center, lcl, ucl] {
            line.clear();
        }
        is_baseline.clear();
        signals.clear();
        signals.resize(n_rows, Signals::NONE);
        meaning.clear();
        meaning.resize(n_rows, Meaning::None);
        notes.clear();
    }
}

/// Computes charts of one specification; keeps the laws it has needed, so that many charts cost little more than their
/// lines.
#[derive(Debug)]
pub struct ChartEngine {
    spec: ChartSpec,
    bench: Bench,
    runs: Runs,
    stable: StableLaws,
    is_baseline: Vec<bool>,
    useful: Vec<Side>,
    /// The side that each point's signals point to.
    heads: Vec<Side>,
}

impl ChartEngine {
    /// An engine that has computed nothing yet.
    ///
    /// # Errors
    /// As [`ChartSpec::validate`].
    pub fn new(spec: ChartSpec) -> Result<Self> {
        spec.validate()?;
        Ok(Self {
            spec,
            bench: Bench::default(),
            runs: Runs::default(),
            stable: StableLaws::default(),
            is_baseline: vec![],
            useful: vec![],
            heads: vec![],
        })
    }

    /// The chart of one series.
    ///
    /// In each phase centre and limits rest on the baseline rows that have a value and are not excluded; rules judge all
    /// rows of the phase that have a value and are not excluded. A row carries the signals that it takes part in; a
    /// pattern of the whole phase (too few crossings) is carried by every useful row. A row's meaning follows the side it
    /// lies on, that of a trend its direction.
    ///
    /// A phase is named by where it ended. Where it signals by runs, its meaning is that of the side on which most useful
    /// points of its later half lie (of the points after a frozen baseline, if there are any, else of all), because a
    /// series that shifted spends its earlier half on the other side; else it is that of the last point that signals.
    /// Equal halves, a neutral direction and charts of spread give [`Meaning::Neutral`].
    ///
    /// `prob_runs` follows the origin of the line ([`ProbBasis`]). After a frozen baseline a point on the line is not
    /// dropped there but counted against a shift, unlike in the counts that the rules judge. `prob_false_signal` and
    /// `prob_beyond` take the points as independent and from the process that the kind of chart assumes.
    ///
    /// # Missing values
    /// A NaN or infinite value keeps its row, counts in `n_obs`, and takes no other part.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] if a slice is not as long as `value`, if the phases do not cover the rows in order, or if
    /// a baseline or something known is impossible.
    ///
    /// # Notes
    /// `missing_value`, `short_baseline`, `baseline_longer_than_phase`, `no_baseline`, `autocorrelation`,
    /// `ties_at_center`, `constant_series`, `overdispersion`, `underdispersion`, `estimated_limits`, `signal_not_rare`,
    /// `frequent_false_signals`, `rules_not_applicable`,
    /// `simulated_probability`.
    ///
    /// References: Perla, Provost & Murray (2011), BMJ Qual. Saf. 20:46; Anhøj & Olesen (2014), PLOS ONE 9(11) e113825;
    /// Montgomery (2009), Introduction to Statistical Quality Control, 6th ed.
    ///
    /// ```
    /// use brightspot::charts::{Baseline, ChartEngine, ChartInput, ChartKind, ChartSpec, Phase};
    ///
    /// let value = [3.0, 5.0, 4.0, 6.0, 2.0, 5.0, 3.0, 6.0, 4.0, 5.0, 8.0, 9.0, 7.0, 8.0, 9.0, 7.0, 8.0, 9.0, 8.0, 7.0];
    /// let phases = [Phase::new(0..20, Baseline::First(10))];
    /// let input = ChartInput { value: &value, phases: &phases, ..ChartInput::default() };
    /// let chart = ChartEngine::new(ChartSpec::new(ChartKind::Run))?.chart(&input)?;
    /// let phase = &chart.phases[0];
    /// assert_eq!(phase.center, Some(4.5));
    /// assert_eq!(phase.longest_run, Some(11));
    /// assert!(phase.has_signal && phase.prob_runs.unwrap() < 0.05);
    /// assert_eq!(phase.meaning.as_str(), "improvement");
    /// # Ok::<(), brightspot::Error>(())
    /// ```
    pub fn chart(&mut self, input: &ChartInput<'_>) -> Result<Chart> {
        let mut chart = Chart::default();
        self.chart_into(input, &mut chart)?;
        Ok(chart)
    }

    /// [`Self::chart`] into a chart whose room is used again: what it held is lost, also where there is an error.
    ///
    /// # Errors
    /// As [`Self::chart`].
    pub fn chart_into(&mut self, input: &ChartInput<'_>, chart: &mut Chart) -> Result<()> {
        let n_rows = input.value.len();
        for (option, found) in [
            ("exclude", input.is_excluded.len()),
            ("size", input.size.len()),
            ("spread", input.spread.len()),
            ("target", input.target.len()),
        ] {
            if found != 0 && found != n_rows {
                let allowed = format!("one entry for each of the {n_rows} rows, or none at all");
                return Err(Error::option(option, format!("{found} entries"), allowed));
            }
        }
        validate_phases(input.phases, n_rows)?;
        chart.clear(n_rows);
        let mut caveats = Caveats::of(input.value);
        for phase in input.phases {
            let result = self.phase(input, phase, &mut caveats)?;
            let lines = &self.bench.lines;
            chart.drawn.extend_from_slice(&lines.drawn);
            if self.spec.limits.kind == ChartKind::Cusum {
                chart.lower.extend_from_slice(&lines.lower);
            }
            chart.center.extend_from_slice(&lines.center);
            chart.lcl.extend_from_slice(&lines.lcl);
            chart.ucl.extend_from_slice(&lines.ucl);
            chart.is_baseline.extend_from_slice(&self.is_baseline);
            self.mark(phase, input.direction, chart);
            chart.phases.push(result);
        }
        caveats.tell(&mut chart.notes);
        Ok(())
    }

    /// One phase; leaves its points and lines on the bench.
    fn phase(&mut self, input: &ChartInput<'_>, phase: &Phase<'_>, caveats: &mut Caveats) -> Result<PhaseResult> {
        let kind = self.spec.limits.kind;
        self.is_baseline.clear();
        self.is_baseline.extend((0..phase.rows.len()).map(|index| phase.is_baseline(index)));
        let rows = LimitRows {
            value: part(input.value, &phase.rows),
            size: part(input.size, &phase.rows),
            spread: part(input.spread, &phase.rows),
            is_excluded: part(input.is_excluded, &phase.rows),
            is_baseline: &self.is_baseline,
        };
        let size = part(input.size, &phase.rows);
        let Judged { n_obs, has_center, summary, signals } = self.bench.judge(&self.spec, &rows, &phase.known)?;
        let points = &self.bench.points;
        self.useful.clear();
        self.useful.extend(self.bench.sides.iter().copied().filter(|side| *side != Side::On));
        let n_useful = if has_center { self.useful.len() } else { 0 };
        self.bench.signal_sides(&mut self.heads);
        let is_short = matches!(phase.baseline, Baseline::First(n) if n > phase.rows.len());
        caveats.n_short_phases += usize::from(is_short && !phase.rows.is_empty());
        if kind.has_runs() {
            caveats.see_values(points.iter().map(|point| point.value));
            caveats.see_residuals(points);
        } else {
            // Ranges, averages and sums of one number are one number too, and their first points may be missing.
            let is_judged = |row: &usize| !rows.is_excluded.get(*row).copied().unwrap_or(false);
            let values = (0..rows.value.len()).filter(is_judged).filter_map(|row| rows.value.get(row).copied());
            caveats.see_values(values.filter(|value| value.is_finite()));
        }
        let has_limits =
            kind.has_limits() && self.bench.lines.ucl.iter().chain(&self.bench.lines.lcl).any(|l| l.is_finite());
        let mut result = PhaseResult {
            rows: phase.rows.clone(),
            n_obs,
            n_useful,
            n_baseline: summary.n_baseline,
            // Where the line steps with the size of the rows, it is that of the last.
            center: summary
                .center
                .or_else(|| self.bench.lines.center.iter().rev().copied().find(|line| line.is_finite())),
            sigma: summary.sigma,
            dispersion: summary.dispersion,
            longest_run: None,
            longest_run_max: None,
            n_crossings: None,
            n_crossings_min: None,
            prob_runs: None,
            prob_basis: None,
            n_beyond_limits: has_limits.then(|| self.bench.beyond.iter().filter(|side| **side != Side::On).count()),
            prob_beyond: None,
            prob_chart: None,
            has_signal: !signals.is_empty(),
            signals,
            meaning: Meaning::None,
            prob_false_signal: None,
            prob_of_signals: vec![],
            variation: Variation::CommonCause,
            assurance: None,
        };
        if !has_center {
            caveats.n_without_baseline += usize::from(!phase.rows.is_empty());
            return Ok(result);
        }
        if phase.known.center.is_none() {
            caveats.see_baseline(summary.n_baseline);
        }
        if kind.has_runs() {
            caveats.see_ties(points.len() - n_useful, points.len());
        }
        self.judge_runs(phase, &mut result, caveats);
        let process = Process::of(kind, summary.level.unwrap_or(0.0), self.mean_size(size));
        self.judge_against_chance(phase, process, &mut result, caveats);
        caveats.see_dispersion(kind, &summary);
        if result.has_signal {
            result.meaning = self.meaning_of_phase(&result, input.direction);
        }
        self.judge_the_end(input, phase, &mut result);
        Ok(result)
    }

    fn judge_runs(&mut self, phase: &Phase<'_>, result: &mut PhaseResult, caveats: &mut Caveats) {
        let kind = self.spec.limits.kind;
        if result.n_useful == 0 || !kind.has_runs() {
            return;
        }
        let counts = count_runs(&self.useful);
        result.longest_run = Some(counts.longest_run);
        result.n_crossings = Some(counts.n_crossings);
        if !self.spec.rules.is_applicable(result.n_useful) {
            caveats.see_not_applicable(result.n_useful);
        }
        if let Some(limits) = self.bench.run_limits(&self.spec, result.n_useful) {
            result.longest_run_max = Some(limits.longest_run_max);
            result.n_crossings_min = Some(limits.n_crossings_min);
        }
        let origin = Origin {
            is_known: phase.known.center.is_some(),
            middle: if kind.is_about_median() { Middle::Median } else { Middle::Mean },
            n_baseline: result.n_baseline,
        };
        let (prob, basis) = self.runs.prob(&self.bench.points, &self.bench.sides, counts, origin);
        result.prob_runs = Some(prob);
        result.prob_basis = Some(basis);
        caveats.is_simulated |= basis == ProbBasis::Simulated && kind == ChartKind::Run;
        // Other rules have signals that this probability says nothing about.
        let is_of_runs = |signal| matches!(signal, Signal::LongestRun | Signal::FewCrossings);
        if result.has_signal && result.signals.iter().all(is_of_runs) && prob > RARE {
            caveats.see_not_rare(prob);
        }
    }

    /// How often a stable process would show such signals, and a point as far out.
    fn judge_against_chance(
        &mut self,
        phase: &Phase<'_>,
        process: Process,
        result: &mut PhaseResult,
        caveats: &mut Caveats,
    ) {
        if self.bench.points.len() < 2 {
            return;
        }
        let own_limits = phase.known.lcl.is_some() || phase.known.ucl.is_some();
        let shape = Shape {
            process,
            baseline: Pattern::of(self.bench.points.iter().map(|point| point.is_baseline)),
            is_center_known: phase.known.center.is_some(),
            is_sigma_known: phase.known.sigma.is_some(),
        };
        // Limits that someone set by hand have no law.
        let law = if own_limits { None } else { self.stable.law(&self.spec, shape) };
        if let Some(law) = &law {
            result.prob_false_signal = Some(law.any);
            result.prob_of_signals = result.signals.iter().map(|signal| law.of(signal)).collect();
            result.prob_beyond = self.bench.farthest().and_then(|distance| law.prob_beyond(distance));
            if result.has_signal {
                caveats.see_false_signals(law.any);
            }
            caveats.see_estimated_limits(law.later_beyond);
        }
        result.prob_chart = match (result.prob_runs, result.prob_beyond) {
            // Two looks at one chart.
            (Some(runs), Some(beyond)) => Some((2.0 * runs.min(beyond)).min(1.0)),
            (one, other) => one.or(other),
        };
    }

    /// What the last point says, and the target against its limits.
    fn judge_the_end(&self, input: &ChartInput<'_>, phase: &Phase<'_>, result: &mut PhaseResult) {
        let Some(last) = self.bench.points.len().checked_sub(1) else { return };
        let Some(point) = self.bench.points.get(last) else { return };
        let direction = self.direction(input.direction);
        result.variation = Variation::of_side(direction, self.heads.get(last).copied().unwrap_or(Side::On));
        let lines = &self.bench.lines;
        let at = |values: &[f64]| values.get(point.row).copied().unwrap_or(f64::NAN);
        let target = input.target.get(phase.rows.start + point.row).copied().unwrap_or(f64::NAN);
        result.assurance = assurance(at(&lines.lcl), at(&lines.ucl), target, direction);
    }

    /// The mean denominator, or the mean size of subgroups, of the points that count; 1 without.
    fn mean_size(&self, size: &[f64]) -> f64 {
        let sizes = || self.bench.points.iter().filter_map(|point| size.get(point.row)).filter(|size| size.is_finite());
        let n = sizes().count();
        if n == 0 { 1.0 } else { sizes().sum::<f64>() / n as f64 }
    }

    /// A chart of spread has no good side of its own: less spread is not better teaching.
    fn direction(&self, given: Direction) -> Direction {
        if self.spec.limits.kind.is_of_spread() { Direction::Neutral } else { given }
    }

    fn meaning_of_phase(&self, result: &PhaseResult, direction: Direction) -> Meaning {
        let direction = self.direction(direction);
        if result.signals.iter().any(is_of_the_phase) {
            return Meaning::of_side(direction, self.side_at_the_end());
        }
        let last = self.heads.iter().zip(&self.bench.marks).rev().find(|(_, signals)| !signals.is_empty());
        last.map_or(Meaning::Neutral, |(side, _)| Meaning::of_side(direction, side.sign()))
    }

    /// The sum of signs over the later half of the points that count for the meaning of a phase.
    fn side_at_the_end(&self) -> f64 {
        let points = || self.bench.points.iter().zip(&self.bench.sides).filter(|(_, side)| **side != Side::On);
        let last_baseline = self.bench.points.iter().rposition(|point| point.is_baseline);
        let row_of = |place: usize| self.bench.points.get(place).map_or(0, |point| point.row);
        let after = last_baseline.map_or(0, row_of);
        let n_later = points().filter(|(point, _)| point.row > after).count();
        let n = if n_later > 0 { n_later } else { self.useful.len() };
        self.useful.iter().rev().take(n.div_ceil(2)).map(|side| side.sign()).sum()
    }

    /// Puts the signals of the bench's points on their rows.
    fn mark(&self, phase: &Phase<'_>, direction: Direction, chart: &mut Chart) {
        let direction = self.direction(direction);
        for ((point, signals), head) in self.bench.points.iter().zip(&self.bench.marks).zip(&self.heads) {
            if signals.is_empty() {
                continue;
            }
            let row = phase.rows.start + point.row;
            if let Some(cell) = chart.signals.get_mut(row) {
                *cell = *signals;
            }
            if let Some(cell) = chart.meaning.get_mut(row) {
                *cell = Meaning::of_side(direction, head.sign());
            }
        }
    }
}

/// Whether a signal is of the series rather than of a point: a run, or how often it crosses its line.
fn is_of_the_phase(signal: Signal) -> bool {
    matches!(signal, Signal::LongestRun | Signal::FewCrossings | Signal::Shift | Signal::FewRuns | Signal::ManyRuns)
}

fn part<'a, T>(slice: &'a [T], rows: &Range<usize>) -> &'a [T] {
    slice.get(rows.clone()).unwrap_or(&[])
}
