//! How often a stable process signals: the law of a chart on which nothing happens.
//!
//! For rules of runs about a median the probability is exact. For everything else series are drawn with a fixed seed from
//! the process that the kind of chart assumes (normal, binomial, Poisson, geometric, exponential), each is given its own
//! centre and limits exactly as data are, and the rules judge it. Points are independent in all of it.

use std::collections::HashMap;
use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, ChiSquared, Distribution, Exp1, Geometric, Poisson, StandardNormal};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::engine::ChartSpec;
use super::judged::Bench;
use super::kind::ChartKind;
use super::limits::{Known, LimitRows, Spread};
use crate::rules::{Rule, RuleTables, Signal, Signals};
use crate::stats::runs::{RunLaw, RunLaws};
use crate::stats::shared::Shared;
use crate::{Error, Result};

/// Points drawn for one law; long charts get fewer series.
const N_POINTS: usize = 720_000;
const MIN_DRAWS: usize = 2_000;
const MAX_DRAWS: usize = 20_000;

/// One seed for all, so that the same chart always gets the same answer.
const SEED: u64 = 0x7374_6162_6c65;

/// Expected counts are rounded to steps of this factor, so that many charts share a law.
const STEP: f64 = 1.3;

/// Sizes of samples are rounded to steps of this factor.
const SIZE_STEP: f64 = 1.3;

/// From this expected count on, counts are as good as normal.
const MANY: f64 = 60.0;

/// As many draws must lie at or beyond a distance for their share to be its probability.
const TAIL_DRAWS: usize = 20;

/// What the values of a stable chart are drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Process {
    /// Independent normal values.
    Normal,
    /// Subgroups of so many independent normal values.
    Subgroups(usize),
    /// Successes out of so many; the rarer of the two outcomes is expected [`STEP`] ^ `step` times.
    Binomial { size: usize, step: i32 },
    /// Events, [`STEP`] ^ `step` of them expected.
    Poisson { step: i32 },
    /// Cases between events, [`STEP`] ^ `step` of them expected.
    Geometric { step: i32 },
    /// Times between events.
    Exponential,
}

impl Process {
    /// What a chart of this kind assumes. `level`: the mean, proportion or rate; `size`: the mean denominator or subgroup.
    pub(super) fn of(kind: ChartKind, level: f64, size: f64) -> Self {
        match kind {
            ChartKind::Xbar | ChartKind::R | ChartKind::S => Self::Subgroups(whole(size).clamp(2, 100)),
            ChartKind::P | ChartKind::Pp | ChartKind::Np => {
                let rarer = level.min(1.0 - level) * size;
                if rarer >= MANY {
                    return Self::Binomial { size: 400, step: step(MANY) };
                }
                // Sizes in coarse steps too.
                let rounded = SIZE_STEP.powf((size.max(1.0).ln() / SIZE_STEP.ln()).round());
                Self::Binomial { size: whole(rounded.max(2.0 * rarer).ceil()), step: step(rarer) }
            }
            ChartKind::U | ChartKind::Up => Self::Poisson { step: step(level * size) },
            ChartKind::C => Self::Poisson { step: step(level) },
            ChartKind::G => Self::Geometric { step: step(level) },
            ChartKind::T => Self::Exponential,
            ChartKind::Run | ChartKind::I | ChartKind::Mr | ChartKind::Ip | ChartKind::Ewma | ChartKind::Cusum => {
                Self::Normal
            }
        }
    }
}

impl Process {
    /// What a chart of this kind assumes when nothing is known of it: many counts, subgroups of five.
    fn usual(kind: ChartKind) -> Self {
        let (level, size) = if kind.is_proportion() { (0.5, 1e3) } else { (1e3, 5.0) };
        Self::of(kind, level, size)
    }
}

/// The power of [`STEP`] that is nearest to an expected count.
#[allow(clippy::cast_possible_truncation)] // within +-30
fn step(mean: f64) -> i32 {
    (mean.clamp(0.05, MANY).ln() / STEP.ln()).round() as i32
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 1 and a million
fn whole(size: f64) -> usize {
    size.clamp(1.0, 1e6).round() as usize
}

/// Which points centre and limits rest on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Pattern {
    /// The first so many of all.
    First { b: usize, n: usize },
    /// Others: one flag a point.
    Flags(Vec<bool>),
}

impl Pattern {
    pub(super) fn of(is_baseline: impl Iterator<Item = bool> + Clone) -> Self {
        let (n, b) = (is_baseline.clone().count(), is_baseline.clone().filter(|is| *is).count());
        if is_baseline.clone().take(b).all(|is| is) { Self::First { b, n } } else { Self::Flags(is_baseline.collect()) }
    }

    fn flags(&self) -> Vec<bool> {
        match self {
            Self::First { b, n } => (0..*n).map(|row| row < *b).collect(),
            Self::Flags(flags) => flags.clone(),
        }
    }
}

/// The chart whose law is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    pub(super) process: Process,
    pub(super) baseline: Pattern,
    pub(super) is_center_known: bool,
    pub(super) is_sigma_known: bool,
}

/// How often a stable chart signals, and how far out its farthest point lies.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StableLaw {
    /// The probability of any signal of the rule set.
    pub any: f64,
    /// The probability of each signal, by its place in [`Signal::ALL`].
    by_signal: Vec<f64>,
    /// The probability that a point after the baseline lies beyond the limits; none where all points are of it.
    pub later_beyond: Option<f64>,
    /// Whether the probabilities are exact; else they are simulated.
    pub is_exact: bool,
    /// Largest distances from the centre, in sigmas, in order; empty where the chart has none.
    farthest: Vec<f64>,
    df: Option<f64>,
}

impl StableLaw {
    /// The probability of one kind of signal.
    pub(super) fn of(&self, signal: Signal) -> f64 {
        self.by_signal.get(signal as usize).copied().unwrap_or(0.0)
    }

    /// How often a stable chart has a point at least as far out.
    ///
    /// Beyond what the draws can tell, their tail is continued as that of Student's t on the degrees of freedom of the
    /// estimated sigma: for a point of the baseline itself, which cannot lie so far out, that is careful.
    pub(super) fn prob_beyond(&self, distance: f64) -> Option<f64> {
        let n = self.farthest.len();
        let last = *self.farthest.get(n.checked_sub(TAIL_DRAWS)?)?;
        let n_beyond = n - self.farthest.partition_point(|&one| one < distance);
        if n_beyond >= TAIL_DRAWS || distance <= last {
            return Some(n_beyond.max(TAIL_DRAWS) as f64 / n as f64);
        }
        let tail = |z: f64| match self.df.and_then(|df| StudentsT::new(0.0, 1.0, df).ok()) {
            Some(law) => law.sf(z),
            None => Normal::standard().sf(z),
        };
        Some(TAIL_DRAWS as f64 / n as f64 * (tail(distance) / tail(last)))
    }
}

/// Laws by specification and shape: a law costs some hundredths of a second.
static LAWS: Shared<(String, Shape), Option<Arc<StableLaw>>> = Shared::new(20_000);

/// The laws that one engine has needed.
#[derive(Debug, Default)]
pub(super) struct StableLaws {
    known: HashMap<Shape, Option<Arc<StableLaw>>>,
}

impl StableLaws {
    /// The law of a chart of this shape under `spec`, which is the same at every call; none where the limits cannot be
    /// computed for such a chart.
    pub(super) fn law(&mut self, spec: &ChartSpec, shape: Shape) -> Option<Arc<StableLaw>> {
        if let Some(law) = self.known.get(&shape) {
            return law.clone();
        }
        let name = serde_json::to_string(spec).unwrap_or_default();
        let law = LAWS.get((name, shape.clone()), || find(spec, &shape).ok().map(Arc::new));
        self.known.insert(shape, law.clone());
        law
    }
}

/// The law, exact where it can be.
fn find(spec: &ChartSpec, shape: &Shape) -> Result<StableLaw> {
    match exact(spec, shape) {
        Some(law) => Ok(law),
        None => simulated(spec, shape),
    }
}

/// Rules of runs on a run chart whose baseline comes first.
fn exact(spec: &ChartSpec, shape: &Shape) -> Option<StableLaw> {
    if spec.limits.kind != ChartKind::Run {
        return None;
    }
    let Pattern::First { b, n } = shape.baseline else { return None };
    let law = if shape.is_center_known {
        RunLaw::Known { n_useful: n }
    } else if b == n {
        RunLaw::SamePoints { n_above: n / 2, n_below: n / 2 }
    } else {
        RunLaw::FrozenWhole { base_above: b / 2, base_below: b / 2, n_baseline: b, n_after: n - b }
    };
    if law.is_simulated() {
        return None;
    }
    if !spec
        .rules
        .rules
        .iter()
        .all(|rule| matches!(rule, Rule::LongestRun {} | Rule::FewCrossings {} | Rule::BestBox {} | Rule::CutBox {}))
    {
        return None;
    }
    // An odd number of baseline points has its median among them, on the line.
    let n_useful = n - if shape.is_center_known { 0 } else { b % 2 };
    let limits = spec.rules.run_limits(n_useful, &mut RuleTables::default())?;
    let mut laws = RunLaws::default();
    let mut by_signal = vec![0.0; Signal::ALL.len()];
    for (signal, prob) in [
        (Signal::LongestRun, laws.prob_longest_run(law, limits.longest_run_max + 1)),
        (
            Signal::FewCrossings,
            limits.n_crossings_min.checked_sub(1).map_or(0.0, |most| laws.prob_crossings(law, most)),
        ),
    ] {
        if let Some(cell) = by_signal.get_mut(signal as usize) {
            *cell = prob;
        }
    }
    let any = laws.false_signal_of(law, &limits);
    Some(StableLaw { any, by_signal, later_beyond: None, is_exact: true, farthest: vec![], df: None })
}

fn simulated(spec: &ChartSpec, shape: &Shape) -> Result<StableLaw> {
    let is_baseline = shape.baseline.flags();
    let n = is_baseline.len();
    let n_draws = (N_POINTS / n.max(1)).clamp(MIN_DRAWS, MAX_DRAWS);
    let mut source = Source::new(shape.process, spec, n);
    let known = source.known(shape);
    let mut bench = Bench::default();
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut counts = vec![0_usize; Signal::ALL.len()];
    let (mut n_any, mut n_later, mut df) = (0_usize, 0_usize, None);
    let mut farthest = Vec::with_capacity(n_draws);
    for _ in 0..n_draws {
        source.draw(&mut rng);
        let rows = LimitRows {
            value: &source.value,
            size: &source.size,
            spread: &source.spread,
            is_excluded: &[],
            is_baseline: &is_baseline,
        };
        let judged = bench.judge(spec, &rows, &known)?;
        n_any += usize::from(!judged.signals.is_empty());
        for signal in judged.signals.iter() {
            if let Some(count) = counts.get_mut(signal as usize) {
                *count += 1;
            }
        }
        let is_later = |(mark, point): (&Signals, &super::judged::ChartPoint)| {
            !point.is_baseline && mark.contains(Signal::BeyondLimits)
        };
        n_later += usize::from(bench.marks.iter().zip(&bench.points).any(is_later));
        farthest.extend(bench.farthest());
        df = judged.summary.df;
    }
    farthest.sort_unstable_by(f64::total_cmp);
    let share = |count: usize| count as f64 / n_draws as f64;
    let has_later = is_baseline.iter().any(|is_baseline| !is_baseline);
    Ok(StableLaw {
        any: share(n_any),
        by_signal: counts.into_iter().map(share).collect(),
        later_beyond: (has_later && spec.limits.kind.has_limits()).then(|| share(n_later)),
        is_exact: false,
        farthest,
        df,
    })
}

/// Draws the rows of a stable chart.
struct Source {
    process: Process,
    takes_range: bool,
    value: Vec<f64>,
    size: Vec<f64>,
    spread: Vec<f64>,
}

impl Source {
    fn new(process: Process, spec: &ChartSpec, n: usize) -> Self {
        let (size, spread) = match process {
            Process::Normal if spec.limits.kind == ChartKind::Ip => (vec![1.0; n], vec![]),
            Process::Subgroups(m) => (vec![m as f64; n], vec![0.0; n]),
            Process::Binomial { size, .. } => (vec![size as f64; n], vec![]),
            Process::Poisson { .. } if spec.limits.kind != ChartKind::C => (vec![1.0; n], vec![]),
            _ => (vec![], vec![]),
        };
        let takes_range = spec.limits.spread() == Some(Spread::Range);
        Self { process, takes_range, value: vec![0.0; n], size, spread }
    }

    /// What is known of the chart, on the scale of the draws.
    fn known(&self, shape: &Shape) -> Known {
        let center = match self.process {
            Process::Normal | Process::Subgroups(_) => 0.0,
            Process::Binomial { size, step } => mean_of(step) / size as f64,
            Process::Poisson { step } | Process::Geometric { step } => mean_of(step),
            Process::Exponential => 1.0,
        };
        Known {
            center: shape.is_center_known.then_some(center),
            sigma: shape.is_sigma_known.then_some(1.0),
            ..Known::default()
        }
    }

    fn draw(&mut self, rng: &mut ChaCha8Rng) {
        match self.process {
            Process::Normal => self.value.fill_with(|| rng.sample(StandardNormal)),
            Process::Exponential => self.value.fill_with(|| rng.sample(Exp1)),
            Process::Subgroups(m) if self.takes_range => {
                for (value, spread) in self.value.iter_mut().zip(&mut self.spread) {
                    let (mut sum, mut low, mut high) = (0.0, f64::INFINITY, f64::NEG_INFINITY);
                    for _ in 0..m {
                        let one: f64 = rng.sample(StandardNormal);
                        (sum, low, high) = (sum + one, low.min(one), high.max(one));
                    }
                    (*value, *spread) = (sum / m as f64, high - low);
                }
            }
            // The mean and the standard deviation of normal values are independent, and their laws known.
            Process::Subgroups(m) => {
                let df = (m - 1) as f64;
                if let Ok(squares) = ChiSquared::new(df) {
                    for (value, spread) in self.value.iter_mut().zip(&mut self.spread) {
                        let mean: f64 = rng.sample(StandardNormal);
                        *value = mean / (m as f64).sqrt();
                        *spread = (squares.sample(rng) / df).sqrt();
                    }
                }
            }
            Process::Binomial { size, step } => {
                if let Ok(law) = Binomial::new(size as u64, (mean_of(step) / size as f64).min(0.5)) {
                    self.value.fill_with(|| law.sample(rng) as f64);
                }
            }
            Process::Poisson { step } => {
                if let Ok(law) = Poisson::new(mean_of(step)) {
                    self.value.fill_with(|| law.sample(rng));
                }
            }
            Process::Geometric { step } => {
                // As many cases without the event before the first one with it.
                if let Ok(law) = Geometric::new(1.0 / (1.0 + mean_of(step))) {
                    self.value.fill_with(|| law.sample(rng) as f64);
                }
            }
        }
    }
}

fn mean_of(step: i32) -> f64 {
    STEP.powi(step)
}

/// How often a stable chart signals by a rule set.
#[derive(Debug, Clone, PartialEq)]
pub struct FalseSignals {
    /// The probability of any signal.
    pub any: f64,
    /// The probability of each signal that the rule set can give.
    pub by_signal: Vec<(Signal, f64)>,
    /// Whether they are exact; else simulated with a fixed seed.
    pub is_exact: bool,
}

/// How often a stable chart of `n` points signals, its first `baseline` points making centre and limits.
///
/// A rule set that needs no limits is judged on a run chart. Values are independent and normal (subgroups of five; counts
/// of which many are expected).
///
/// * `n`: points, at least 2; `baseline`: none for all of them.
///
/// # Errors
/// [`crate::Error::InvalidOption`] for fewer points than 2, a baseline that is longer, and what [`ChartSpec::validate`] refuses.
///
/// ```
/// use brightspot::charts::{ChartKind, ChartSpec, false_signals};
/// use brightspot::rules::RuleSet;
///
/// let ihi = ChartSpec { rules: RuleSet::named("ihi")?, ..ChartSpec::new(ChartKind::Run) };
/// assert!((false_signals(&ihi, 36, None)?.any - 0.56).abs() < 0.015);
/// let anhoej = false_signals(&ChartSpec::new(ChartKind::Run), 36, None)?;
/// assert!(anhoej.is_exact && (anhoej.any - 0.0425).abs() < 5e-5);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn false_signals(spec: &ChartSpec, n: usize, baseline: Option<usize>) -> Result<FalseSignals> {
    spec.validate()?;
    if n < 2 {
        return Err(Error::option("n", n, "2 points or more"));
    }
    let b = baseline.unwrap_or(n);
    if b == 0 || b > n {
        return Err(Error::option("baseline", b, format!("from 1 to n, which is {n}")));
    }
    let shape = Shape {
        process: Process::usual(spec.limits.kind),
        baseline: Pattern::First { b, n },
        is_center_known: false,
        is_sigma_known: false,
    };
    let law = find(spec, &shape)?;
    let by_signal =
        Signal::ALL.iter().map(|signal| (*signal, law.of(*signal))).filter(|(_, prob)| *prob > 0.0).collect();
    Ok(FalseSignals { any: law.any, by_signal, is_exact: law.is_exact })
}
