//! How often stable charts signal: what is stated beside every signal, against simulations by other programs.
// Helpers of tests: a panic is a failed test.
#![allow(clippy::unwrap_used)]

use brightspot::charts::{ChartKind, ChartSpec, LimitSpec, Screening, false_signals};
use brightspot::rules::RuleSet;

fn stated(rules: &str, n: usize, baseline: Option<usize>) -> f64 {
    let rules = RuleSet::named(rules).unwrap();
    let kind = if rules.needs_limits() { ChartKind::I } else { ChartKind::Run };
    false_signals(&ChartSpec { rules, ..ChartSpec::new(kind) }, n, baseline).unwrap().any
}

/// Shares of 20,000 series each, drawn and judged in numpy: standard error at most .0035, beside .0035 of our own draws.
#[test]
fn whole_rule_sets_cry_wolf_as_often_as_stated() {
    for (rules, shares) in [
        ("anhoej", [0.013, 0.031, 0.041, 0.043]),
        ("ihi", [0.133, 0.376, 0.561, 0.795]),
        ("shewhart", [0.026, 0.062, 0.087, 0.146]),
        ("western_electric", [0.052, 0.156, 0.246, 0.410]),
        ("nelson", [0.064, 0.200, 0.310, 0.503]),
    ] {
        for (n, share) in [12, 24, 36, 60].into_iter().zip(shares) {
            let found = stated(rules, n, None);
            assert!((found - share).abs() < 0.018, "{rules} {n}: {found} {share}");
        }
    }
}

/// The NHS rules with its screening.
#[test]
fn screening_raises_the_rate() {
    for (n, share) in [(12, 0.072), (24, 0.194), (36, 0.287), (60, 0.466)] {
        let limits = LimitSpec { screening: Some(Screening::Once), ..LimitSpec::new(ChartKind::I) };
        let spec = ChartSpec { limits, rules: RuleSet::named("nhs").unwrap() };
        let found = false_signals(&spec, n, None).unwrap().any;
        assert!((found - share).abs() < 0.018, "{n}: {found} {share}");
        assert!(stated("nhs", n, None) < found);
    }
}

/// Anhøj's rules on the whole chart about a frozen median (numpy, 20,000 series). The averaged median of an even baseline
/// lies a little below the exact form.
#[test]
fn a_frozen_baseline_has_its_own_rate() {
    for (b, n, share) in [(8, 20, 0.116), (12, 24, 0.080), (12, 36, 0.149), (20, 36, 0.085), (24, 48, 0.080)] {
        let found = stated("anhoej", n, Some(b));
        assert!((found - share).abs() < 0.015, "{b} {n}: {found} {share}");
    }
}

#[test]
fn lengths_and_baselines_that_cannot_be_are_refused() {
    for (n, baseline) in [(1, None), (12, Some(0)), (12, Some(13))] {
        assert!(false_signals(&ChartSpec::new(ChartKind::Run), n, baseline).is_err(), "{n} {baseline:?}");
    }
}
