//! Proportions, rates and totals, over time and against a standard.

use brightspot::NoteCode;
use brightspot::cycle::{Analysis, Choice, Plan, PredictionFinding, Reason, Signal};
use brightspot::measure::{Direction, Kind, Measure, Series, StudentValue};
use brightspot::stats::rate_difference::rate_difference;
use brightspot::stats::tally::Tally;

use super::{counted, has, measure, near, plan, studied, week};

/// Etchells & Woodcock 2018: 6 of 12 against 80% and 3 of 6 against 90%. R 4.2.2: pbinom(6, 12, .8) and
/// pbinom(3, 6, .9); the ends of 6 of 12 from binom.test(6, 12, conf.level = .9).
#[test]
fn a_small_sample_against_a_standard() {
    let against = |standard: f64| Measure { standard: Some(standard), ..measure(Kind::Proportion, Direction::Up) };
    let lessons = |x: f64, n: f64| counted(Kind::Proportion, 1.0, &[(8, x / 2.0, n / 2.0), (9, x / 2.0, n / 2.0)]);
    let found = studied(&plan(against(0.8)), lessons(6.0, 12.0));
    assert_eq!((found.outcome.method, found.signal), (Analysis::Standard, Signal::Worsened));
    near(found.outcome.p_worse, 0.019_405_279_23, 1e-11);
    near(found.outcome.effect, -0.3, 1e-12);
    near(found.outcome.lo, 0.245_299_801_3 - 0.8, 1e-9);
    near(found.outcome.hi, 0.754_700_198_7 - 0.8, 1e-9);
    assert!(has(&found, NoteCode::IndependenceAssumed));
    // Short of the standard is not worse than before: nothing to abandon at the first try.
    assert_eq!((found.recommendation, found.reasons[0]), (Choice::Adapt, Reason::NoMechanismYet));
    near(studied(&plan(against(0.9)), lessons(3.0, 6.0)).outcome.p_worse, 0.015_85, 1e-12);
    // 12 of 12 is beyond 70% (.7^12 = .0138), 2 of 2 could not have shown anything (.8^2).
    let beyond = studied(&plan(against(0.7)), lessons(12.0, 12.0));
    assert_eq!((beyond.signal, beyond.prediction), (Signal::Improved, PredictionFinding::Met));
    near(beyond.outcome.p_better, 0.7_f64.powi(12), 1e-12);
    let nothing = studied(&plan(against(0.6)), lessons(2.0, 2.0));
    assert_eq!(nothing.signal, Signal::Insufficient);
    assert!(has(&nothing, NoteCode::Powerless));
    assert_eq!(studied(&plan(against(0.8)), Series::default()).signal, Signal::Insufficient);
    // A rate: no event where 3 were to be expected.
    let rate = Measure { standard: Some(2.0), per: 1000.0, ..measure(Kind::Rate, Direction::Down) };
    let found = studied(&plan(rate), counted(Kind::Rate, 1000.0, &[(8, 0.0, 700.0), (9, 0.0, 800.0)]));
    near(found.outcome.p_better, (-3.0_f64).exp(), 1e-12);
    near(found.outcome.effect, -2.0, 1e-12);
    assert_eq!(found.signal, Signal::Improved);
}

/// One-sided p of the exact conditional test, 40 to 28 .091, 60 to 42 .046, 80 to 56 .024: pbinom(28, 68, .5) and so on
/// (R 4.2.2).
#[test]
fn two_totals_of_incidents() {
    for (before, after, p, signal) in [
        (40.0, 28.0, 0.090_905_027_27, Signal::NoSignal),
        (60.0, 42.0, 0.045_918_839_13, Signal::Improved),
        (80.0, 56.0, 0.024_091_347_97, Signal::Improved),
    ] {
        let outcome = measure(Kind::Count, Direction::Down);
        let found = studied(&plan(outcome.clone()), counted(Kind::Count, 1.0, &[(0, before, 1.0), (8, after, 1.0)]));
        assert_eq!((found.outcome.method, found.signal), (Analysis::Rates, signal));
        near(found.outcome.p_better, p, 1e-11);
        near(found.outcome.ratio, 0.7, 1e-12);
        assert!(has(&found, NoteCode::IndependenceAssumed));
        // The same totals over several weeks, when two totals were asked for.
        let half = counted(Kind::Count, 1.0, &[(0, before / 2.0, 1.0), (1, before / 2.0, 1.0), (8, after, 2.0)]);
        let asked = Plan { analysis: Analysis::TwoTotals, ..plan(outcome) };
        assert_eq!(studied(&asked, half).outcome.method, Analysis::TwoTotals);
    }
    // As a rate, over twice the exposure: pbinom(56, 96, 2/3).
    let rate = Measure { per: 100.0, ..measure(Kind::Rate, Direction::Down) };
    let found = studied(&plan(rate), counted(Kind::Rate, 100.0, &[(0, 40.0, 500.0), (8, 56.0, 1000.0)]));
    near(found.outcome.p_better, 0.053_985_271_396_5, 1e-11);
    near(found.outcome.effect, 5.6 - 8.0, 1e-12);
    near(found.outcome.mean_before, 8.0, 1e-12);
    // No event at all is a finding.
    let none = studied(
        &plan(measure(Kind::Count, Direction::Down)),
        counted(Kind::Count, 1.0, &[(0, 0.0, 1.0), (8, 0.0, 1.0)]),
    );
    assert_eq!(none.signal, Signal::Insufficient);
    assert!(has(&none, NoteCode::ZeroVariance));
    // One event and none: .5 is the least p there could be.
    let one = studied(
        &plan(measure(Kind::Count, Direction::Down)),
        counted(Kind::Count, 1.0, &[(0, 1.0, 1.0), (8, 0.0, 1.0)]),
    );
    assert!(one.signal == Signal::Insufficient && has(&one, NoteCode::Powerless));
}

/// Incidents that come several to a student count for less: F = sum x^2 / sum x.
#[test]
fn clumps_of_incidents() {
    let outcome = Measure { student: Some("id".into()), ..measure(Kind::Count, Direction::Down) };
    let mut series = counted(Kind::Count, 1.0, &[(0, 60.0, 1.0), (8, 42.0, 1.0)]);
    let of = |i: usize, student: String, value: f64| StudentValue {
        time: week(i),
        class: String::new(),
        is_treated: true,
        student: Some(student),
        value,
        prior: None,
    };
    // Every student with 3 incidents: F = 3, so that the test is that of 20 to 14.
    series.students =
        (0..20).map(|i| of(0, format!("a{i}"), 3.0)).chain((0..14).map(|i| of(8, format!("b{i}"), 3.0))).collect();
    let found = studied(&plan(outcome), series);
    assert_eq!(found.signal, Signal::NoSignal);
    // R 4.2.2: pbinom(14, 34, .5).
    near(found.outcome.p_better, 0.195_764_152_6, 1e-9);
    near(found.outcome.ratio, 0.7, 1e-12);
    assert!(!has(&found, NoteCode::IndependenceAssumed));
}

/// The verdict is that of the contrast of a chart: the same functions stand behind both.
#[test]
fn proportions_and_rates_by_date() {
    use brightspot::charts::{ContrastInput, Shape, contrast};
    let before = [(30., 60.), (33., 60.), (28., 60.), (31., 60.), (35., 60.), (30., 60.), (29., 60.), (32., 60.)];
    let after = [(44., 60.), (41., 60.), (46., 60.), (43., 60.), (42., 60.), (45., 60.)];
    let rows: Vec<(usize, f64, f64)> = before.iter().chain(&after).enumerate().map(|(i, &(x, n))| (i, x, n)).collect();
    let (value, size): (Vec<f64>, Vec<f64>) = rows.iter().map(|&(_, x, n)| (x, n)).unzip();
    let is_before: Vec<bool> = (0..14).map(|i| i < 8).collect();
    let is_after: Vec<bool> = (0..14).map(|i| i >= 8).collect();
    let input = ContrastInput { value: &value, size: &size, is_before: &is_before, is_after: &is_after };

    let chart = contrast(Shape::Proportion, &input).unwrap();
    let found = studied(&plan(measure(Kind::Proportion, Direction::Up)), counted(Kind::Proportion, 1.0, &rows));
    assert_eq!((found.outcome.method, found.signal), (Analysis::Proportions, Signal::Improved));
    near(found.outcome.lo, chart.lo.unwrap(), 1e-12);
    near(found.outcome.hi, chart.hi.unwrap(), 1e-12);
    near(found.outcome.p_better, chart.p_above.unwrap(), 1e-12);
    near(found.outcome.effect, 261.0 / 360.0 - 248.0 / 480.0, 1e-12);

    let chart = contrast(Shape::Rate, &input).unwrap();
    let rate = Measure { per: 1000.0, ..measure(Kind::Rate, Direction::Down) };
    let found = studied(&plan(rate), counted(Kind::Rate, 1000.0, &rows));
    assert_eq!(found.signal, Signal::Worsened);
    near(found.outcome.ratio_lo, chart.lo.unwrap(), 1e-12);
    near(found.outcome.ratio_hi, chart.hi.unwrap(), 1e-12);
    near(found.outcome.p_worse, chart.p_above.unwrap(), 1e-12);
    near(found.outcome.effect, 1000.0 * (261.0 / 360.0 - 248.0 / 480.0), 1e-9);
    assert!(found.outcome.lo.unwrap() > 0.0);
}

/// Zou & Donner's interval from Garwood's two, by hand: qchisq(c(.05, .95), c(120, 122))/2 and qchisq(c(.05, .95), c(84,
/// 86))/2 in R 4.2.2.
#[test]
fn the_difference_of_two_rates() {
    let ((lo60, hi60), (lo42, hi42)) = ((47.852_318_52_f64, 74.389_631_15), (31.938_130_72_f64, 54.323_946_49_f64));
    let (d, lo, hi) = rate_difference(Tally::new(60.0, 1.0), Tally::new(42.0, 1.0), 1.0).unwrap();
    assert!((d + 18.0).abs() < 1e-12);
    let (a, b) = (-18.0 - (42.0 - lo42).hypot(hi60 - 60.0), -18.0 + (hi42 - 42.0).hypot(60.0 - lo60));
    // Eight decimals were printed.
    assert!((lo - a).abs() < 1e-7 && (hi - b).abs() < 1e-7, "{lo} {a} {hi} {b}");
}
