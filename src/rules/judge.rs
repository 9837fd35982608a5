//! Judging the points of one phase by a rule set.

use super::rule::{Flags, Rule, Ties};
use super::rule_set::RuleSet;
use super::signal::{Signal, Signals};
use super::stretches::{alternating, hugging, runs_of, trend};
use super::tables::RuleTables;
use super::windows::{avoiding, zone};
use crate::stats::runs::{RunCounts, Side, count_runs};
use crate::{Error, Result};

/// The points of one phase that have a value and are not excluded, in the order of time; four slices of one length.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// The values, in their own unit.
    pub value: &'a [f64],
    /// The side of the centre line on which each lies.
    pub side: &'a [Side],
    /// How many sigmas each lies above the centre line ([`sigmas_off`]); NaN where there is no sigma.
    pub z: &'a [f64],
    /// Above the upper limit, below the lower limit, or [`Side::On`] within the limits or where there are none.
    pub beyond: &'a [Side],
}

/// How many sigmas a value lies above the centre line: (`value` - `center`) / `sigma`.
///
/// A value on the line lies 0 sigmas off also where sigma is 0, as in a constant series; NaN where sigma is NaN.
///
/// ```
/// use brightspot::rules::sigmas_off;
/// assert_eq!((sigmas_off(7.0, 4.0, 1.5), sigmas_off(4.0, 4.0, 0.0)), (2.0, 0.0));
/// assert!(sigmas_off(4.0, 4.0, f64::NAN).is_nan());
/// ```
pub fn sigmas_off(value: f64, center: f64, sigma: f64) -> f64 {
    let distance = value - center;
    if distance == 0.0 && sigma == 0.0 { 0.0 } else { distance / sigma }
}

impl Line<'_> {
    fn check(&self, n_signals: usize) -> Result<()> {
        let n = self.value.len();
        for (what, length) in
            [("sides", self.side.len()), ("z", self.z.len()), ("beyond", self.beyond.len()), ("signals", n_signals)]
        {
            if length != n {
                return Err(Error::option(
                    what,
                    format!("{length} entries"),
                    format!("one for each of the {n} points"),
                ));
            }
        }
        Ok(())
    }
}

impl RuleSet {
    /// Judges the points of one phase: writes to each the signals it carries, and gives those of the phase.
    ///
    /// A point keeps all of its signals; there is no precedence. The phase's signals are those of its points: what is a
    /// pattern of the whole phase (too few crossings, too few or too many runs) is carried by every point that is not on
    /// the centre line. A phase knows nothing of others, and patterns do not run across phases.
    ///
    /// * `line`: the points that count.
    /// * `signals`: one for each point; what it held before is lost.
    /// * `tables`: limits that have been computed before, for any series and any set.
    ///
    /// Linear in the number of points times rules, but for limits that are not yet in the tables; allocates nothing
    /// else.
    ///
    /// # Missing values
    /// Points without a value are not part of a line. A NaN in `z` lies in no zone.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] if the slices differ in length. The set is taken as valid ([`RuleSet::validate`]).
    ///
    /// # Notes
    /// The chart that is judged notes `rules_not_applicable` where [`RuleSet::is_applicable`] says no.
    ///
    /// References: [`RuleSet::NAMES`].
    ///
    /// ```
    /// use brightspot::rules::{Line, RuleSet, RuleTables, Signals};
    /// use brightspot::stats::runs::Side;
    ///
    /// let value = [5.0, 4.0, 9.5, 3.0, 9.2];
    /// let z = value.map(|value| (value - 5.0) / 2.0);
    /// let line = Line { value: &value, side: &z.map(|z| Side::of(z, 0.0)), z: &z, beyond: &[Side::On; 5] };
    /// let mut signals = [Signals::NONE; 5];
    /// RuleSet::named("western_electric")?.judge(&line, &mut signals, &mut RuleTables::default())?;
    /// assert_eq!(signals[4].codes().collect::<Vec<_>>(), ["two_of_three"]);
    /// assert!(signals[..4].iter().all(|signals| signals.is_empty()));
    /// # Ok::<(), brightspot::Error>(())
    /// ```
    pub fn judge(&self, line: &Line<'_>, signals: &mut [Signals], tables: &mut RuleTables) -> Result<Signals> {
        line.check(signals.len())?;
        signals.fill(Signals::NONE);
        let mut counts = None;
        for rule in &self.rules {
            match *rule {
                Rule::BeyondLimits {} => {
                    mark_off(line.beyond, Signal::BeyondLimits, signals);
                }
                Rule::Shift { length, on_center, flags } => {
                    runs_of(line.side, (length, on_center, flags), Signal::Shift, signals);
                }
                Rule::Trend { length, ties, flags } => trend(line.value, length, ties, flags, signals),
                Rule::Hugging { length, sigmas, flags } => hugging(line.z, length, sigmas, flags, signals),
                Rule::Alternating { length, flags } => alternating(line.value, length, flags, signals),
                Rule::Zone { .. } => zone(line, rule, signals),
                Rule::Avoiding { length, sigmas, both_sides, flags } => {
                    avoiding(line.z, length, sigmas, both_sides, flags, signals);
                }
                Rule::LongestRun {}
                | Rule::FewCrossings {}
                | Rule::BestBox {}
                | Rule::CutBox {}
                | Rule::FewRuns { .. }
                | Rule::ManyRuns { .. } => {
                    let counts = *counts.get_or_insert_with(|| count_runs(line.side));
                    runs(rule, counts, line.side, signals, tables);
                }
            }
        }
        Ok(signals.iter().fold(Signals::NONE, |all, one| all.union(*one)))
    }
}

/// A rule on the longest run and on the number of runs.
fn runs(rule: &Rule, counts: RunCounts, sides: &[Side], signals: &mut [Signals], tables: &mut RuleTables) {
    let n = counts.n_above + counts.n_below;
    if n == 0 {
        return;
    }
    let (n_runs, n_crossings) = (counts.n_crossings + 1, counts.n_crossings);
    let (longest_run_max, broken) = match *rule {
        Rule::LongestRun {} => (Some(tables.anhoej(n).longest_run_max), None),
        Rule::FewCrossings {} => {
            (None, (n_crossings < tables.anhoej(n).n_crossings_min).then_some(Signal::FewCrossings))
        }
        Rule::BestBox {} | Rule::CutBox {} => {
            let limits = if matches!(rule, Rule::BestBox {}) { tables.best_box(n) } else { tables.cut_box(n) };
            let Some(limits) = limits else { return };
            let is_few = n_crossings < limits.n_crossings_min;
            (Some(limits.longest_run_max_at(n_crossings)), is_few.then_some(Signal::FewCrossings))
        }
        Rule::FewRuns { prob } => (None, (n_runs < tables.n_runs(n, prob).0).then_some(Signal::FewRuns)),
        Rule::ManyRuns { prob } => (None, (n_runs > tables.n_runs(n, prob).1).then_some(Signal::ManyRuns)),
        _ => return,
    };
    if let Some(longest) = longest_run_max.filter(|longest| counts.longest_run > *longest) {
        runs_of(sides, (longest + 1, Ties::Skip, Flags::All), Signal::LongestRun, signals);
    }
    if let Some(signal) = broken {
        mark_off(sides, signal, signals);
    }
}

/// Marks the points that do not lie on the line, or not within the limits.
fn mark_off(sides: &[Side], signal: Signal, signals: &mut [Signals]) {
    for (point, side) in signals.iter_mut().zip(sides) {
        if *side != Side::On {
            point.insert(signal);
        }
    }
}
