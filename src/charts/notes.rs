//! Caveats on a chart, gathered while its phases are computed.

use super::judged::ChartPoint;
use super::kind::ChartKind;
use super::limits::LinesSummary;
use crate::{Note, NoteCode};

/// A centre line that rests on fewer values than this is noted (Perla, Provost & Murray 2011, BMJ Qual. Saf. 20:46:
/// at least 10 points for a run chart's median).
pub const MIN_BASELINE: usize = 10;

/// More than this share of a phase's values on the centre line is noted.
const MANY_TIES: f64 = 0.2;

/// Fewer values than this say nothing about autocorrelation.
const MIN_AUTOCORRELATION: usize = 10;

/// A rule set that signals on more stable charts than this, and limits that a later point leaves as often, are noted.
const OFTEN: f64 = 0.10;

/// The one-sided 5% point of the standard normal: a lag-1 autocorrelation of independent values has a standard error of
/// about 1/sqrt(n) (Bartlett 1946).
const AUTOCORRELATION_Z: f64 = 1.645;

/// What the notes of a chart are made of.
#[derive(Debug, Default)]
pub(super) struct Caveats {
    n_missing: usize,
    pub(super) n_short_phases: usize,
    pub(super) n_without_baseline: usize,
    pub(super) is_simulated: bool,
    /// The largest probability of a phase that signals although chance often does as much.
    not_rare: Option<f64>,
    smallest_baseline: Option<usize>,
    most_ties: Option<f64>,
    /// The largest share of stable charts on which the rule set signals, of phases that signal.
    false_signals: Option<f64>,
    /// The largest probability of a false point beyond limits after a baseline.
    estimated_limits: Option<f64>,
    overdispersion: Option<f64>,
    underdispersion: Option<f64>,
    not_applicable: Option<f64>,
    /// The one value there is so far, or `None` once two differ.
    constant: Option<f64>,
    n_values: usize,
    products: f64,
    squares: f64,
}

impl Caveats {
    /// Of a chart with these values, before any phase.
    pub(super) fn of(values: &[f64]) -> Self {
        Self { n_missing: values.iter().filter(|value| !value.is_finite()).count(), ..Self::default() }
    }

    /// Whether all values are the same.
    pub(super) fn see_values(&mut self, values: impl Iterator<Item = f64>) {
        for value in values {
            if self.n_values == 0 {
                self.constant = Some(value);
            } else if self.constant != Some(value) {
                self.constant = None;
            }
            self.n_values += 1;
        }
    }

    /// Adds the phase to the lag-1 autocorrelation. Residuals are from the mean of the baseline and of what follows it
    /// apart, or a shift between them would pass for autocorrelation; a gap between two rows breaks the pair.
    pub(super) fn see_residuals(&mut self, points: &[ChartPoint]) {
        // Means are taken about the first value, so that equal values have residuals of exactly zero.
        let origin = points.first().map_or(0.0, |point| point.value);
        let mean_of = |is_baseline: bool| {
            let (sum, n) = points
                .iter()
                .filter(|point| point.is_baseline == is_baseline)
                .fold((0.0, 0_usize), |(sum, n), point| (sum + (point.value - origin), n + 1));
            sum / n as f64
        };
        let (base, later) = (mean_of(true), mean_of(false));
        let residual = |point: &ChartPoint| point.value - origin - if point.is_baseline { base } else { later };
        self.squares += points.iter().map(|point| residual(point).powi(2)).sum::<f64>();
        self.products += points
            .iter()
            .zip(points.iter().skip(1))
            .filter(|(one, next)| one.row + 1 == next.row)
            .map(|(one, next)| residual(one) * residual(next))
            .sum::<f64>();
    }

    /// How many values the phase's centre line rests on.
    pub(super) fn see_baseline(&mut self, n_values: usize) {
        self.smallest_baseline = Some(self.smallest_baseline.map_or(n_values, |least| least.min(n_values)));
    }

    /// How many of the phase's values lie on its centre line.
    pub(super) fn see_ties(&mut self, n_ties: usize, n_values: usize) {
        let share = n_ties as f64 / n_values as f64;
        if n_ties > 1 && share > MANY_TIES {
            keep_larger(&mut self.most_ties, share);
        }
    }

    /// A phase in which the rules signal and chance does as much with this probability.
    pub(super) fn see_not_rare(&mut self, prob: f64) {
        keep_larger(&mut self.not_rare, prob);
    }

    /// How often a stable chart signals by the rules that signal here.
    pub(super) fn see_false_signals(&mut self, prob: f64) {
        if prob > OFTEN {
            keep_larger(&mut self.false_signals, prob);
        }
    }

    /// How often a later point lies beyond limits that a baseline as short as this one has made.
    pub(super) fn see_estimated_limits(&mut self, prob: Option<f64>) {
        if let Some(prob) = prob.filter(|prob| *prob > OFTEN) {
            keep_larger(&mut self.estimated_limits, prob);
        }
    }

    /// A rule of the set has no limits for so many points.
    pub(super) fn see_not_applicable(&mut self, n_useful: usize) {
        keep_larger(&mut self.not_applicable, n_useful as f64);
    }

    /// Whether counts scatter more, or less, than their own law allows. A chart that allows for it needs no note of the
    /// first.
    pub(super) fn see_dispersion(&mut self, kind: ChartKind, summary: &LinesSummary) {
        let Some(dispersion) = summary.dispersion else { return };
        if summary.is_overdispersed && !matches!(kind, ChartKind::Pp | ChartKind::Up) {
            keep_larger(&mut self.overdispersion, dispersion);
        }
        if summary.is_underdispersed {
            keep_larger(&mut self.underdispersion, dispersion);
        }
    }

    /// Adds the notes, in the order of their codes.
    pub(super) fn tell(&self, notes: &mut Vec<Note>) {
        let mut add = |code, count: usize, value: Option<f64>| {
            if count > 0 {
                notes.push(Note { value, ..Note::new(code, count) });
            }
        };
        let is_constant = self.n_values > 1 && self.constant.is_some();
        let short = self.smallest_baseline.filter(|least| *least < MIN_BASELINE).map(|least| least as f64);
        let correlation = self.autocorrelation();
        add(NoteCode::MissingValue, self.n_missing, None);
        add(NoteCode::ShortBaseline, usize::from(short.is_some()), short);
        add(NoteCode::BaselineLongerThanPhase, self.n_short_phases, None);
        add(NoteCode::NoBaseline, self.n_without_baseline, None);
        add(NoteCode::Autocorrelation, usize::from(correlation.is_some()), correlation);
        // In a constant series every value ties, and that is said better by the next note.
        add(NoteCode::TiesAtCenter, usize::from(self.most_ties.is_some() && !is_constant), self.most_ties);
        add(NoteCode::ConstantSeries, usize::from(is_constant), None);
        let mut add_value = |code, value: Option<f64>| add(code, usize::from(value.is_some()), value);
        add_value(NoteCode::Overdispersion, self.overdispersion);
        add_value(NoteCode::Underdispersion, self.underdispersion);
        add_value(NoteCode::EstimatedLimits, self.estimated_limits);
        add_value(NoteCode::RulesNotApplicable, self.not_applicable);
        add_value(NoteCode::FrequentFalseSignals, self.false_signals);
        add(NoteCode::SignalNotRare, usize::from(self.not_rare.is_some()), self.not_rare);
        add(NoteCode::SimulatedProbability, usize::from(self.is_simulated), None);
    }

    /// The estimate, where there are enough values and it is larger than chance would make it.
    fn autocorrelation(&self) -> Option<f64> {
        let estimate = self.products / self.squares;
        let bound = AUTOCORRELATION_Z / (self.n_values as f64).sqrt();
        // Without variation the estimate is NaN, which is above nothing.
        (self.n_values >= MIN_AUTOCORRELATION && estimate > bound).then_some(estimate)
    }
}

/// Keeps the larger of what was seen before and now.
fn keep_larger(so_far: &mut Option<f64>, value: f64) {
    *so_far = Some(so_far.map_or(value, |most| most.max(value)));
}
