//! What the choice of the units leaves of a comparison: allowed for, put off to later points, or in its way.

use jiff::civil::Date;

use super::estimate::Estimate;
use super::notes::Notes;
use super::plan::days_between;
use super::{Analysis, ChosenBecause, Plan, RegressionToMean};
use crate::measure::{Direction, Measure, Series};
use crate::stats::regression::{Candidates, candidates};
use crate::stats::step::N_MIN;
use crate::{NoteCode, Result};

/// How the choice of the units is dealt with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Remedy {
    /// It has nothing to do with the figures.
    None,
    /// Regression to the mean is estimated from all candidates and taken off.
    Estimated(Candidates),
    /// Only baseline points from this day on count.
    From(Date),
}

/// What to do about the choice of the units, for the outcome; `series` ends where the study does.
pub(super) fn remedy(
    plan: &Plan,
    measure: &Measure,
    method: Analysis,
    series: &Series,
    notes: &mut Notes<'_>,
) -> Remedy {
    let is_by_lot = plan.comparison.as_ref().is_some_and(|comparison| comparison.by_lot);
    let Some(selection) = plan
        .selection
        .as_ref()
        .filter(|one| one.chosen_because == ChosenBecause::Worst)
        .filter(|_| measure.name == plan.outcome.name && method != Analysis::Standard && !is_by_lot)
    else {
        return Remedy::None;
    };
    let [from, to] = plan.baseline;
    if selection.on.is_some_and(|on| on < from) {
        return Remedy::None;
    }
    let are_classes = matches!(method, Analysis::Ancova | Analysis::DifferenceInDifferences);
    let has_prior = plan.comparison.as_ref().is_some_and(|comparison| comparison.prior.is_some());
    let baselines: Vec<Vec<f64>> =
        series.candidates.iter().map(|one| values_between(one.points.iter(), [from, to])).collect();
    let all = candidates(&baselines.iter().map(Vec::as_slice).collect::<Vec<_>>());
    if let Some(all) = all.filter(|_| !are_classes) {
        return Remedy::Estimated(all);
    }
    let later = selection.on.filter(|&on| on < to && days_between(on, to) > 0).and_then(|on| on.tomorrow().ok());
    // A column of earlier scores has no dates: they may be the very ones by which the classes were chosen.
    if let Some(later) = later.filter(|_| !(are_classes && has_prior)) {
        let n = if are_classes {
            series.students.iter().filter(|row| (later..=to).contains(&row.time)).count()
        } else {
            series.points_between([later, to]).count()
        };
        if n >= if are_classes { 1 } else { N_MIN } {
            notes.add(NoteCode::BaselineAfterChoice, n, None);
            return Remedy::From(later);
        }
    }
    notes.against(NoteCode::SelectedExtreme, 0, None);
    Remedy::None
}

fn values_between<'a>(points: impl Iterator<Item = &'a crate::measure::Point>, [from, to]: [Date; 2]) -> Vec<f64> {
    points.filter(|point| (from..=to).contains(&point.time)).map(|point| point.value).collect()
}

/// The estimate less the regression to the mean that was to be expected. It is never counted in the change's favour: a
/// unit that lay on the good side of the others is expected to do nothing.
pub(super) fn without_regression(
    estimate: Estimate,
    all: &Candidates,
    before: f64,
    direction: Direction,
    notes: &mut Notes<'_>,
) -> Result<(Estimate, RegressionToMean)> {
    let regression = all.regression(before);
    let is_for_the_better = regression.expected * direction.sign() > 0.0;
    let expected = if is_for_the_better { regression.expected } else { 0.0 };
    let told = RegressionToMean {
        expected,
        se: regression.variance.sqrt(),
        lasting: all.lambda,
        mean_of_all: all.mean,
        n_units: all.n_units,
    };
    notes.add(NoteCode::RegressionToMean, all.n_units, Some(expected));
    Ok((estimate.less(expected, regression.variance)?, told))
}
