//! A new median wherever a run of fixed length lies on one side of the last one.

use super::{Decision, DecisionCode, Points, Proposal, Rebase, RebaseSpec, RunSide};
use crate::stats::runs::Side;
use crate::stats::summary::median;

/// The rule of runcharter 0.2.0: the first line is the median of the first `baseline` points; the
/// first later run of `run_length` points on the right side, points on the line skipped, gives the next line, its own
/// median; the search goes on after the run's last point.
pub(super) fn search(points: &Points, spec: &RebaseSpec) -> Rebase {
    let mut rebase = Rebase::default();
    if points.len() < spec.baseline + spec.run_length {
        return Rebase::without(Decision::new(None, DecisionCode::TooFewPoints));
    }
    let mut base: Vec<f64> = points.y.iter().take(spec.baseline).copied().collect();
    let (mut next, mut n_before) = (spec.baseline, base.len());
    let Some(mut center) = median(&mut base) else { return rebase };
    while let Some(run) = first_run(points, next, center, spec) {
        let mut values: Vec<f64> = run.iter().filter_map(|&point| points.y.get(point)).copied().collect();
        let (Some(&first), Some(&last)) = (run.first(), run.last()) else { break };
        let (Some(after), Some(row)) = (median(&mut values), points.row(first)) else { break };
        let proposal = Proposal::new(row, center, after);
        rebase.proposals.push(Proposal { n_before, n_after: run.len(), ..proposal });
        rebase.log.push(Decision::new(Some(row), DecisionCode::Proposed));
        (center, next, n_before) = (after, last + 1, run.len());
    }
    let is_short = points.len() - next < spec.run_length;
    let code = if is_short { DecisionCode::TooFewPoints } else { DecisionCode::NoShift };
    rebase.log.push(Decision::new(points.row(next), code));
    rebase
}

/// The points of the first run that is long enough, from a point on.
fn first_run(points: &Points, from: usize, center: f64, spec: &RebaseSpec) -> Option<Vec<usize>> {
    let is_wanted = |side: Side| match spec.side {
        RunSide::Above => side == Side::Above,
        RunSide::Below => side == Side::Below,
        RunSide::Both => side != Side::On,
    };
    let mut run = Vec::with_capacity(spec.run_length);
    let mut current = Side::On;
    for (point, &value) in points.y.iter().enumerate().skip(from) {
        let side = Points::side(value, center);
        if side == Side::On {
            continue;
        }
        if side != current {
            run.clear();
            current = side;
        }
        if is_wanted(side) {
            run.push(point);
        }
        if run.len() == spec.run_length {
            return Some(run);
        }
    }
    None
}
