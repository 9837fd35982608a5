//! Change points by hand, and what is refused.

use brightspot::charts::rebase::{DecisionCode, Rebase, RebaseMethod, RebaseSpec, propose};
use brightspot::stats::step::step;

use super::{change_points, codes, noise, stepped};

#[test]
fn two_copies_with_a_clear_step_meet_at_the_step() {
    for (seed, n) in [(1, 12), (2, 18), (3, 40), (4, 250)] {
        let one = noise(seed, n);
        let two: Vec<f64> = one.iter().copied().chain(one.iter().map(|value| value + 6.0)).collect();
        let found = change_points(&two);
        assert_eq!(found.proposals.len(), 1, "{n}: {found:?}");
        let proposal = &found.proposals[0];
        assert_eq!(proposal.starts_at, n);
        assert!((proposal.estimate - 6.0).abs() < 1e-9);
        assert!(proposal.p.unwrap() < 0.001 && proposal.lo.unwrap() > 3.5 && proposal.hi.unwrap() < 8.5);
        assert!(proposal.from.unwrap() <= n && proposal.to.unwrap() >= n);
        assert!((proposal.sd_before.unwrap() - proposal.sd_after.unwrap()).abs() < 1e-9);
        let known = step(&two[..n], &two[n..]).unwrap();
        // Wider than that of a step whose place is known, and about the same middle.
        assert!(proposal.lo.unwrap() < known.lo && proposal.hi.unwrap() > known.hi);
        assert!((f64::midpoint(proposal.lo.unwrap(), proposal.hi.unwrap()) - known.estimate).abs() < 1e-9);
        assert!(found.log.iter().any(|decision| decision.code == DecisionCode::Proposed && decision.row == Some(n)));
    }
}

#[test]
fn levels_that_come_and_go_are_all_found() {
    let found = change_points(&stepped(5, &[(20, 0.0), (20, 5.0), (20, 0.0), (20, -5.0)]));
    let starts: Vec<usize> = found.proposals.iter().map(|proposal| proposal.starts_at).collect();
    assert_eq!(starts, [20, 40, 60]);
    assert!(found.proposals.iter().all(|proposal| (proposal.n_before, proposal.n_after) == (20, 20)));
}

#[test]
fn a_wild_point_is_no_phase() {
    let (mut n_tries, mut n_more) = (0, 0);
    for seed in 0..40 {
        let values = noise(seed, 36);
        let quiet = change_points(&values).proposals.len();
        for place in [0, 7, 8, 17, 27, 35] {
            let [far, farther] = [20.0, 1e6].map(|height| {
                let mut values = values.clone();
                values[place] += height;
                change_points(&values)
            });
            // How far makes no difference.
            let probs = |found: &Rebase| found.log.iter().map(|decision| decision.p).collect::<Vec<_>>();
            assert_eq!(probs(&far), probs(&farther), "{seed} {place}");
            n_tries += 1;
            n_more += usize::from(far.proposals.len() > quiet);
        }
    }
    // One point in 36 may tip what was nearly significant without it.
    assert!(n_more * 50 <= n_tries, "{n_more} of {n_tries}");
}

#[test]
fn a_wild_point_hides_no_step() {
    let mut values = stepped(3, &[(18, 0.0), (18, 4.0)]);
    let clean = change_points(&values);
    values[25] = 1e6;
    let found = change_points(&values);
    assert_eq!((clean.proposals.len(), found.proposals.len()), (1, 1), "{found:?}");
    assert_eq!(clean.proposals[0].starts_at, found.proposals[0].starts_at);
}

#[test]
fn a_steady_trend_is_noted_and_no_step() {
    let values: Vec<f64> = noise(8, 60).iter().zip(0..).map(|(value, t)| value + 0.15 * f64::from(t)).collect();
    let found = change_points(&values);
    assert!(found.proposals.is_empty(), "{found:?}");
    let note = found.notes.iter().find(|note| note.code.as_str() == "steady_trend").unwrap();
    assert!((note.value.unwrap() - 0.15).abs() < 0.03, "{note:?}");
    assert!(note.message().starts_with("1 chart with a steady drift (0.1"), "{}", note.message());
    let stable = change_points(&noise(8, 60));
    assert!(stable.notes.is_empty(), "{stable:?}");
}

#[test]
fn a_drift_that_looks_like_a_step_is_logged_as_a_trend() {
    // The best cut of a slow drift is significant, and a line describes it better.
    let found = |seed| {
        let values: Vec<f64> = noise(seed, 60).iter().zip(0..).map(|(value, t)| value + 0.04 * f64::from(t)).collect();
        change_points(&values)
    };
    let trends: Vec<Rebase> = (0..40).map(found).filter(|found| codes(found).contains(&DecisionCode::Trend)).collect();
    assert!(trends.len() >= 15, "{}", trends.len());
    for found in trends {
        let trend = found.log.iter().find(|decision| decision.code == DecisionCode::Trend).unwrap();
        assert!(trend.p.unwrap() <= 0.05 && trend.step_over_line.unwrap() <= 0.0);
        assert!(found.notes.iter().any(|note| note.code.as_str() == "steady_trend"));
    }
}

#[test]
fn a_stair_is_steps_and_not_a_trend() {
    let found = change_points(&stepped(9, &[(20, 0.0), (20, 7.0), (20, 14.0)]));
    let starts: Vec<usize> = found.proposals.iter().map(|proposal| proposal.starts_at).collect();
    assert_eq!(starts, [20, 40], "{found:?}");
}

#[test]
fn a_strong_autocorrelation_is_said() {
    // A step of 12 in a series whose neighbours correlate by .7.
    let mut last = 0.0;
    let values: Vec<f64> = noise(10, 60)
        .iter()
        .zip(0..)
        .map(|(shock, t)| {
            last = 0.7 * last + 0.7 * shock;
            last + if t < 30 { 0.0 } else { 12.0 }
        })
        .collect();
    let found = change_points(&values);
    let step = found.proposals.iter().find(|proposal| proposal.starts_at == 30).unwrap();
    let strongest = found.proposals.iter().map(|proposal| proposal.phi.unwrap()).fold(0.0, f64::max);
    assert!(step.estimate > 9.0 && strongest >= 0.5, "{found:?}");
    let note = found.notes.iter().find(|note| note.code.as_str() == "strong_autocorrelation").unwrap();
    assert_eq!(note.value, Some(strongest));
}

#[test]
fn too_little_is_a_finding() {
    let nothing = |values: &[f64]| {
        let found = change_points(values);
        assert!(found.proposals.is_empty());
        codes(&found)
    };
    assert_eq!(nothing(&[]), [DecisionCode::TooFewPoints]);
    assert_eq!(nothing(&noise(1, 15)), [DecisionCode::TooFewPoints]);
    assert_eq!(nothing(&[f64::NAN; 30]), [DecisionCode::TooFewPoints]);
    assert_eq!(nothing(&[0.1; 30]), [DecisionCode::NoVariation]);
    for method in [RebaseMethod::StableShift, RebaseMethod::FixedRun] {
        let found = propose(&[0.1; 60], &[], &RebaseSpec::of(method)).unwrap();
        assert!(found.proposals.is_empty(), "{found:?}");
        let short = propose(&noise(1, 12), &[], &RebaseSpec::of(method)).unwrap();
        assert_eq!(codes(&short), [DecisionCode::TooFewPoints]);
    }
}

#[test]
fn constant_levels_are_proposed_without_an_interval_of_their_step() {
    let values: Vec<f64> = [[0.1; 10], [0.7; 10]].concat();
    let found = change_points(&values);
    let proposal = &found.proposals[0];
    assert_eq!((proposal.starts_at, proposal.from, proposal.to), (10, Some(10), Some(10)));
    assert!((proposal.estimate - 0.6).abs() < 1e-12 && proposal.lo.is_none() && proposal.p.unwrap() < 1e-4);
    assert!(found.notes.iter().any(|note| note.code.as_str() == "zero_variance"));
}

#[test]
fn a_very_long_series_is_searched_too() {
    let found = change_points(&stepped(11, &[(600, 0.0), (600, 1.0)]));
    assert_eq!(found.proposals.len(), 1, "{found:?}");
    assert!(found.proposals[0].from.unwrap() <= 600 && found.proposals[0].to.unwrap() >= 600);
}

#[test]
fn impossible_options_are_refused() {
    let refused = |spec: RebaseSpec| propose(&noise(1, 40), &[], &spec).unwrap_err();
    let usual = RebaseSpec::default();
    for spec in [
        RebaseSpec { alpha: 0.0, ..usual },
        RebaseSpec { alpha: 1.0, ..usual },
        RebaseSpec { alpha: f64::NAN, ..usual },
        RebaseSpec { min_length: 3, ..usual },
        RebaseSpec { period_min: 1, ..RebaseSpec::of(RebaseMethod::StableShift) },
        RebaseSpec { shift_length: 1, ..RebaseSpec::of(RebaseMethod::StableShift) },
        RebaseSpec { baseline: 0, ..RebaseSpec::of(RebaseMethod::FixedRun) },
        RebaseSpec { run_length: 1, ..RebaseSpec::of(RebaseMethod::FixedRun) },
        RebaseSpec { run_length: 8, ..usual },
        RebaseSpec { alpha: 0.01, ..RebaseSpec::of(RebaseMethod::FixedRun) },
    ] {
        assert_eq!(refused(spec).code(), "invalid_option", "{spec:?}");
    }
    assert_eq!(
        refused(RebaseSpec { run_length: 8, ..usual }).to_string(),
        "method \"change_point\" = an option that it does not take is not possible: it must be given alpha and \
         min_length only; leave the other options at their defaults"
    );
    let error = propose(&[1.0, 2.0], &[true], &usual).unwrap_err();
    assert_eq!(
        error.to_string(),
        "exclude = 1 flags is not possible: it must be one flag for each of the 2 rows, or empty"
    );
    assert_eq!("fixed_run".parse::<RebaseMethod>().unwrap(), RebaseMethod::FixedRun);
    assert_eq!("fixed".parse::<RebaseMethod>().unwrap_err().code(), "invalid_option");
}

#[test]
fn a_spec_and_a_result_survive_json() {
    let spec: RebaseSpec = serde_json::from_str("{\"method\": \"stable_shift\", \"period_min\": 12}").unwrap();
    assert_eq!((spec.method, spec.period_min, spec.shift_length), (RebaseMethod::StableShift, 12, 8));
    assert!(serde_json::from_str::<RebaseSpec>("{\"length\": 12}").is_err());
    let found = change_points(&stepped(12, &[(20, 0.0), (20, 4.0)]));
    assert_eq!(serde_json::from_str::<Rebase>(&serde_json::to_string(&found).unwrap()).unwrap(), found);
    for decision in &found.log {
        assert_eq!(serde_json::to_value(decision.code).unwrap(), decision.code.as_str());
    }
}
