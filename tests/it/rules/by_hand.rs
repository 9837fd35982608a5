//! Each rule with each of its options on series that can be judged by eye.

use brightspot::Error;
use brightspot::rules::{
    Flags, Line, Rule, RuleSet, RuleTables, Signal, Signals, Ties, longest_run_max, n_crossings_min, n_runs_max,
    n_runs_min, sigmas_off,
};
use brightspot::stats::runs::{MAX_BOX, RunLimits, best_box};

use super::Points;

/// One character a point: `x` for a point that carries a signal, `.` for one that does not.
fn picture(points: &Points, rule: Rule) -> String {
    let rules = RuleSet { name: "one".into(), rules: vec![rule] };
    rules.validate().unwrap();
    let (signals, all) = points.judged(&rules);
    assert_eq!(all.is_empty(), signals.iter().all(|signals| signals.is_empty()));
    signals.iter().map(|signals| if signals.is_empty() { '.' } else { 'x' }).collect()
}

/// Digits about a line of 5 with sigma 1.
fn digits(digits: &str) -> Points {
    let values: Vec<f64> = digits.chars().map(|digit| f64::from(digit.to_digit(10).unwrap())).collect();
    Points::about(&values, 5.0, 1.0)
}

#[test]
fn beyond_limits_is_strict() {
    assert_eq!(picture(&digits("5829185"), Rule::BeyondLimits {}), "...xx..");
    let no_limits = Points { z: vec![f64::NAN; 2], beyond: vec![brightspot::stats::runs::Side::On; 2], ..digits("91") };
    let nelson = RuleSet::named("nelson").unwrap();
    assert!(no_limits.judged(&nelson).1.is_empty());
}

#[test]
fn shift() {
    use {Flags::*, Ties::*};
    let of = |on_center, flags| Rule::Shift { length: 4, on_center, flags };
    for (series, on_center, flags, expected) in [
        ("4666646", Skip, All, ".xxxx.."),
        ("4666646", Skip, Completing, "....x.."),
        ("466666", Break, Completing, "....xx"),
        // A point on the line.
        ("4665664", Skip, All, ".xx.xx."),
        ("4665664", Skip, Completing, ".....x."),
        ("4665664", Break, All, "......."),
        ("4665664", Count, All, ".xxxxx."),
        ("4665664", Count, Completing, "....xx."),
        ("5566655", Count, All, "..xxxxx"),
        ("5566655", Skip, All, "......."),
        ("4455544", Count, Completing, "...xxxx"),
        // Below, and no more than there is.
        ("6444", Break, All, "...."),
        ("64444", Break, All, ".xxxx"),
        ("4444466666", Skip, All, "xxxxxxxxxx"),
        ("5555", Count, All, "...."),
        ("", Skip, All, ""),
    ] {
        assert_eq!(picture(&digits(series), of(on_center, flags)), expected, "{series} {on_center:?} {flags:?}");
    }
}

#[test]
fn trend() {
    use {Flags::*, Ties::*};
    let of = |ties, flags| Rule::Trend { length: 4, ties, flags };
    for (series, ties, flags, expected) in [
        ("2345", Break, All, "xxxx"),
        ("234", Break, All, "..."),
        ("5432", Break, Completing, "...x"),
        ("23456", Break, Completing, "...xx"),
        ("123454321", Break, All, "xxxxxxxxx"),
        ("123454321", Break, Completing, "...xx..xx"),
        ("12343434", Break, All, "xxxx...."),
        // Repeated values.
        ("123345", Break, All, "......"),
        ("1233456", Break, All, "...xxxx"),
        ("12334", Skip, All, "xxx.x"),
        ("12334", Skip, Completing, "....x"),
        ("11234", Skip, All, "x.xxx"),
        ("12344", Skip, All, "xxxx."),
        ("12334", Count, All, "xxxxx"),
        ("12334", Count, Completing, "...xx"),
        ("11234", Count, All, "xxxxx"),
        // A plateau at the turn belongs to both.
        ("123443210", Skip, All, "xxxx.xxxx"),
        ("12443", Count, All, "xxxx."),
        ("1244321", Count, Completing, "...x.xx"),
        ("3333", Count, All, "...."),
        ("33334", Count, All, "xxxxx"),
        ("", Skip, All, ""),
    ] {
        assert_eq!(picture(&digits(series), of(ties, flags)), expected, "{series} {ties:?} {flags:?}");
    }
}

#[test]
fn zone() {
    let of = |is_one_sided, counts_beyond_limits, ends_in_zone, flags| Rule::Zone {
        count: 2,
        of: 3,
        sigmas: 1.0,
        is_one_sided,
        counts_beyond_limits,
        ends_in_zone,
        flags,
    };
    let (all, last) = (Flags::All, Flags::Completing);
    for (series, rule, expected) in [
        // 6 lies on the edge of the zone and so outside of it.
        ("5675675", of(false, true, true, last), "......."),
        ("5757555", of(false, true, true, last), "...x..."),
        ("5757555", of(false, true, true, all), ".x.x..."),
        ("5775555", of(false, true, true, last), "..x...."),
        ("5775555", of(false, true, false, last), "..xx..."),
        ("7755555", of(false, true, true, all), "......."),
        ("7755555", of(false, true, false, all), "xx....."),
        ("5777555", of(false, true, true, all), ".xxx..."),
        // Sides do not add up.
        ("5737355", of(false, true, true, all), ".xxxx.."),
        ("5735555", of(false, true, true, all), "......."),
        // All three on one side.
        ("5737375", of(true, true, true, all), "......."),
        ("5767555", of(true, true, true, all), ".x.x..."),
        ("5757555", of(true, true, true, all), "......."),
        // Beyond the limits is beyond the zone too, unless that does not count.
        ("5967555", of(true, true, true, all), ".x.x..."),
        ("5967555", of(true, false, true, all), "......."),
        ("5977555", of(true, false, true, all), "..xx..."),
    ] {
        assert_eq!(picture(&digits(series), rule), expected, "{series} {rule:?}");
    }
    let codes = |count, of| {
        let rule = Rule::Zone {
            count,
            of,
            sigmas: 1.0,
            is_one_sided: false,
            counts_beyond_limits: true,
            ends_in_zone: true,
            flags: Flags::All,
        };
        let rules = RuleSet { name: "one".into(), rules: vec![rule] };
        digits("77777777").judged(&rules).1.codes().collect::<Vec<_>>()
    };
    assert_eq!((codes(2, 3), codes(4, 5), codes(3, 4)), (vec!["two_of_three"], vec!["four_of_five"], vec!["zone"]));
}

#[test]
fn hugging_avoiding_alternating() {
    use Flags::*;
    let hugging = |flags| Rule::Hugging { length: 4, sigmas: 1.0, flags };
    assert_eq!(picture(&digits("75645564"), hugging(All)), ".xxxxxxx");
    assert_eq!(picture(&digits("75645574"), hugging(Completing)), "....xx..");
    let avoiding = |both_sides, flags| Rule::Avoiding { length: 4, sigmas: 1.0, both_sides, flags };
    assert_eq!(picture(&digits("67373776"), avoiding(true, All)), ".xxxxxx.");
    assert_eq!(picture(&digits("67373776"), avoiding(true, Completing)), "....xxx.");
    assert_eq!(picture(&digits("67377777"), avoiding(true, All)), ".xxxxx..");
    assert_eq!(picture(&digits("67377777"), avoiding(false, All)), ".xxxxxxx");
    assert_eq!(picture(&digits("7777"), avoiding(true, All)), "....");
    assert_eq!(picture(&digits("7777"), avoiding(false, Completing)), "...x");
    let alternating = |flags| Rule::Alternating { length: 4, flags };
    assert_eq!(picture(&digits("1232123"), alternating(All)), ".......");
    assert_eq!(picture(&digits("12323454"), alternating(All)), ".xxxx...");
    assert_eq!(picture(&digits("1232343"), alternating(Completing)), "....x..");
    assert_eq!(picture(&digits("1232323"), alternating(Completing)), "....xxx");
    assert_eq!(picture(&digits("1213"), alternating(All)), "xxxx");
    assert_eq!(picture(&digits("12133"), alternating(All)), "xxxx.");
    assert_eq!(picture(&digits("1211212"), alternating(All)), "...xxxx");
}

#[test]
fn runs() {
    // Twelve points, two runs of six: one crossing where three are the fewest, no run above seven.
    let two = digits("444444666666");
    assert_eq!(picture(&two, Rule::FewCrossings {}), "x".repeat(12));
    assert_eq!(picture(&two, Rule::LongestRun {}), ".".repeat(12));
    assert_eq!(picture(&digits("44454445544466"), Rule::LongestRun {}), "xxx.xxx..xxx..");
    assert_eq!(picture(&two, Rule::FewRuns { prob: 0.025 }), "x".repeat(12));
    assert_eq!(picture(&digits("464646464646"), Rule::ManyRuns { prob: 0.025 }), "x".repeat(12));
    assert_eq!(picture(&digits("4646464646455"), Rule::ManyRuns { prob: 0.025 }), "xxxxxxxxxxx..");
    assert_eq!(picture(&digits("446466464464"), Rule::ManyRuns { prob: 0.025 }), ".".repeat(12));
    // Too few points for a number of runs to be rare.
    assert_eq!(picture(&digits("666"), Rule::FewRuns { prob: 0.025 }), "...");
    assert_eq!(picture(&digits("66666666"), Rule::FewRuns { prob: 0.025 }), ".".repeat(8));
    assert_eq!(picture(&digits("666664444"), Rule::FewRuns { prob: 0.025 }), "x".repeat(9));
    // Ten points: the best box allows a run of six, the cut box only five with two crossings.
    let six = digits("4666666444");
    assert_eq!(picture(&six, Rule::BestBox {}), "..........");
    assert_eq!(picture(&six, Rule::CutBox {}), ".xxxxxx...");
    assert_eq!(picture(&digits("4666666464"), Rule::CutBox {}), "..........");
    for rule in [Rule::LongestRun {}, Rule::FewCrossings {}, Rule::BestBox {}, Rule::FewRuns { prob: 0.4 }] {
        assert_eq!(picture(&digits("555"), rule), "...");
    }
}

/// The figures that charts show beside what they find.
#[test]
fn run_limits() {
    let mut tables = RuleTables::default();
    let mut of = |name: &str, n| RuleSet::named(name).unwrap().run_limits(n, &mut tables);
    for n in [1, 12, 24, 100] {
        assert_eq!(of("anhoej", n), Some(RunLimits::new(longest_run_max(n), n_crossings_min(n))));
        assert_eq!(of("ihi", n).map(|limits| limits.n_crossings_min), Some(n_runs_min(n, 0.025) - 1));
    }
    assert_eq!(of("best_box", 24), best_box(24));
    assert_eq!(of("cut_box", 24).unwrap().longest_run_max_at(6), 6);
    assert_eq!((of("anhoej", 0), of("nhs", 24), of("western_electric", 24)), (None, None, None));
    assert_eq!(n_runs_max(24, 0.025), 18);
    // The stricter of two sets.
    let both = RuleSet::union(&[RuleSet::named("anhoej").unwrap(), RuleSet::named("best_box").unwrap()]).unwrap();
    assert_eq!(both.run_limits(24, &mut tables), Some(RunLimits::new(7, 8)));
    // Too long for a box: said, and not judged by something else.
    let best = RuleSet::named("best_box").unwrap();
    assert!(best.is_applicable(MAX_BOX) && !best.is_applicable(MAX_BOX + 1) && both.is_applicable(24));
    assert!(RuleSet::named("nelson").unwrap().is_applicable(usize::MAX));
    assert_eq!(best.run_limits(MAX_BOX + 1, &mut tables), None);
    let long = Points::about(&vec![6.0; MAX_BOX + 1], 5.0, 1.0);
    assert!(long.judged(&best).1.is_empty() && !long.judged(&both).1.is_empty());
}

/// A point keeps all of its signals.
#[test]
fn signals_add_up() {
    let (signals, all) = digits("4567899").judged(&RuleSet::named("nhs").unwrap());
    let codes = |signals: Signals| signals.codes().collect::<Vec<_>>();
    assert_eq!(codes(all), ["beyond_limits"]);
    assert_eq!(codes(signals[5]), ["beyond_limits"]);
    let union = RuleSet::union(&[RuleSet::named("nhs").unwrap(), RuleSet::named("ihi").unwrap()]).unwrap();
    let (signals, _) = digits("4567899").judged(&union);
    assert_eq!(codes(signals[5]), ["beyond_limits", "trend"]);
    assert_eq!(codes(signals[6]), ["beyond_limits"]);
    assert!(signals[5].contains(Signal::Trend));
}

#[test]
fn needs_limits() {
    for (name, needs) in ["anhoej", "best_box", "cut_box", "ihi"]
        .map(|name| (name, false))
        .into_iter()
        .chain(["nhs", "shewhart", "western_electric", "nelson"].map(|name| (name, true)))
    {
        assert_eq!(RuleSet::named(name).unwrap().needs_limits(), needs, "{name}");
        assert!(RuleSet::NAMES.contains(&name));
    }
    assert_eq!(RuleSet::NAMES.len(), 8);
    assert_eq!(RuleSet::default(), "anhoej".parse().unwrap());
}

#[test]
fn a_set_is_its_json() {
    for name in RuleSet::NAMES {
        let set = RuleSet::named(name).unwrap();
        set.validate().unwrap();
        let json = serde_json::to_string(&set).unwrap();
        assert_eq!(serde_json::from_str::<RuleSet>(&json).unwrap(), set, "{json}");
    }
    // Defaults are those of the sources.
    let read = |json: &str| serde_json::from_str::<Rule>(json).unwrap();
    assert_eq!(read(r#"{"rule": "hugging"}"#), Rule::Hugging { length: 15, sigmas: 1.0, flags: Flags::All });
    assert_eq!(read(r#"{"rule": "alternating"}"#), Rule::Alternating { length: 14, flags: Flags::All });
    assert_eq!(read(r#"{"rule": "few_runs"}"#), Rule::FewRuns { prob: 0.025 });
    assert_eq!(
        read(r#"{"rule": "trend", "length": 5}"#),
        Rule::Trend { length: 5, ties: Ties::Skip, flags: Flags::All }
    );
    let avoiding = Rule::Avoiding { length: 8, sigmas: 1.0, both_sides: true, flags: Flags::Completing };
    assert_eq!(read(r#"{"rule": "avoiding", "flags": "completing"}"#), avoiding);
    assert!(RuleSet::named("nelson").unwrap().rules.contains(&avoiding));
    for wrong in [
        r#"{"rule": "shift"}"#,
        r#"{"rule": "shift", "length": 6, "lenght": 7}"#,
        r#"{"rule": "longest_run", "length": 6}"#,
        r#"{"rule": "astronomical"}"#,
        r#"{"rule": "shift", "length": -1}"#,
        r#"{"length": 6}"#,
    ] {
        assert!(serde_json::from_str::<Rule>(wrong).is_err(), "{wrong}");
    }
    assert!(serde_json::from_str::<RuleSet>(r#"{"name": "a", "rules": [], "more": 1}"#).is_err());
    let schema = serde_json::to_string(&schemars::schema_for!(RuleSet)).unwrap();
    assert!(schema.contains("counts_beyond_limits") && !schema.contains("western"));
}

#[test]
fn impossible_sets_are_refused() {
    let refused = |rules: &str| {
        let set: RuleSet = serde_json::from_str(&format!(r#"{{"name": "ours", "rules": {rules}}}"#)).unwrap();
        set.validate().unwrap_err().to_string()
    };
    for (rules, message) in [
        ("[]", "RuleSet.rules: must hold at least one rule"),
        (r#"[{"rule": "shift", "length": 1}]"#, "RuleSet.rules[0].length: must be 2 or more, not 1"),
        (
            r#"[{"rule": "beyond_limits"}, {"rule": "trend", "length": 2}]"#,
            "RuleSet.rules[1].length: must be 3 or more, not 2",
        ),
        (
            r#"[{"rule": "zone", "count": 4, "of": 3, "sigmas": 2}]"#,
            "RuleSet.rules[0].count: must not exceed the window of 3, but is 4",
        ),
        (r#"[{"rule": "zone", "count": 0, "of": 3, "sigmas": 2}]"#, "RuleSet.rules[0].count: must be 1 or more, not 0"),
        (
            r#"[{"rule": "zone", "count": 2, "of": 3, "sigmas": -1}]"#,
            "RuleSet.rules[0].sigmas: must be a number above 0, not -1",
        ),
        (r#"[{"rule": "few_runs", "prob": 0.5}]"#, "RuleSet.rules[0].prob: must be above 0 and below 0.5, not 0.5"),
        (
            r#"[{"rule": "cut_box"}, {"rule": "best_box"}, {"rule": "cut_box"}]"#,
            "RuleSet.rules[2]: is the same as rules[0]; leave one of them out",
        ),
    ] {
        assert_eq!(refused(rules), message);
    }
    let nameless = RuleSet { name: " ".into(), ..RuleSet::default() };
    assert_eq!(nameless.validate().unwrap_err().to_string(), "RuleSet.name: must not be empty");
    assert_eq!(RuleSet::union(&[]).unwrap_err().code(), "invalid_record");
    assert_eq!(RuleSet::named("Anhoej").unwrap_err().code(), "invalid_option");
    let points = digits("12");
    let line = Line { z: &[0.0], ..points.line() };
    let error: Error =
        RuleSet::default().judge(&line, &mut [Signals::NONE; 2], &mut RuleTables::default()).unwrap_err();
    assert_eq!(error.to_string(), "z = 1 entries is not possible: it must be one for each of the 2 points");
    assert_eq!(sigmas_off(5.0, 4.0, 0.0), f64::INFINITY);
}
