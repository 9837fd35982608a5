//! Stable shifts and fixed runs by hand.

use brightspot::charts::rebase::{
    DecisionCode, Limits, Rebase, RebaseMethod, RebaseSpec, RunSide, propose, stable_shift,
};

use super::codes;

/// Levels that are clear of one another, with a repeating pattern as noise.
fn pattern(levels: &[(usize, f64)]) -> Vec<f64> {
    let level = levels.iter().flat_map(|&(n, level)| std::iter::repeat_n(level, n));
    level.zip([0.0, 2.0, 1.0, 3.0, -1.0].into_iter().cycle()).map(|(level, noise)| level + noise).collect()
}

fn shifts(values: &[f64], spec: RebaseSpec) -> Rebase {
    propose(values, &[], &RebaseSpec { method: RebaseMethod::StableShift, ..spec }).unwrap()
}

fn short_periods() -> RebaseSpec {
    RebaseSpec { period_min: 12, ..RebaseSpec::of(RebaseMethod::StableShift) }
}

#[test]
fn a_shift_that_goes_back_is_refused() {
    // Up for 9 points, then down again within the 12 of the candidate period, for long enough to be a shift back.
    let values = pattern(&[(15, 10.0), (9, 30.0), (16, 10.0)]);
    let found = shifts(&values, short_periods());
    assert!(found.proposals.is_empty(), "{found:?}");
    assert_eq!(found.log[0].row, Some(15));
    assert_eq!(found.log[0].code, DecisionCode::OppositeShift);
}

#[test]
fn a_run_that_may_yet_go_back_is_waited_for() {
    // The candidate period ends in three low points, with which the data end too.
    let values = pattern(&[(15, 10.0), (9, 30.0), (3, 10.0)]);
    let found = shifts(&values, short_periods());
    assert_eq!(codes(&found)[0], DecisionCode::OpenRun);
    assert!(found.proposals.is_empty());
    let hasty = shifts(&values, RebaseSpec { no_regrets: false, ..short_periods() });
    assert_eq!(hasty.proposals.len(), 1);
    let proposal = &hasty.proposals[0];
    // Three low points lie outside of the limits and are left out of them.
    assert_eq!((proposal.starts_at, proposal.n_after), (15, 9));
    let (before, after) = (proposal.limits_before.unwrap(), proposal.limits_after.unwrap());
    assert_eq!((before.center, after.center), (proposal.before, proposal.after));
    assert!(proposal.p.is_none() && proposal.from.is_none() && proposal.lo.is_none());
}

#[test]
fn limits_of_any_kind_serve_a_stable_shift() {
    let values = pattern(&[(15, 10.0), (15, 30.0)]);
    let fixed = |_: &[usize], drawn: &[usize]| Some(vec![Limits { center: 20.0, lcl: 0.0, ucl: 40.0 }; drawn.len()]);
    let found = stable_shift(&values, &[], &short_periods(), fixed).unwrap();
    // About a line that never moves the new period is one long run.
    assert_eq!(found.periods.len(), 2);
    let none = stable_shift(&values, &[], &short_periods(), |_, _| None).unwrap();
    assert_eq!((none.periods.len(), none.log[0].code), (0, DecisionCode::NoLimits));
    let error = stable_shift(&values, &[], &RebaseSpec::default(), fixed).unwrap_err();
    assert_eq!(error.code(), "invalid_option");
}

#[test]
fn points_on_the_line_are_skipped_in_a_fixed_run() {
    let spec = RebaseSpec { baseline: 3, run_length: 3, ..RebaseSpec::of(RebaseMethod::FixedRun) };
    let found = propose(&[1.0, 5.0, 9.0, 6.0, 5.0, 7.0, 8.0, 1.0], &[], &spec).unwrap();
    let proposal = &found.proposals[0];
    assert_eq!((proposal.starts_at, proposal.before, proposal.after, proposal.n_before), (3, 5.0, 7.0, 3));
    assert_eq!(codes(&found), [DecisionCode::Proposed, DecisionCode::TooFewPoints]);
    let below = propose(&[1.0, 5.0, 9.0, 6.0, 5.0, 7.0, 8.0, 1.0], &[], &RebaseSpec { side: RunSide::Below, ..spec });
    assert_eq!(codes(&below.unwrap()), [DecisionCode::NoShift]);
}
