//! The routes by which a cycle is judged, each against numbers from elsewhere; and what a study makes of them.

// Helpers of tests: a panic is a failed test.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_wrap,
    clippy::needless_for_each,
    clippy::float_cmp,
    clippy::unnecessary_wraps,
    clippy::doc_markdown
)]

use brightspot::NoteCode;
use brightspot::cycle::{
    Analysis, Choice, ChosenBecause, Comparison, Cycle, Doing, Fidelity, FidelityRule, Plan, Prediction,
    PredictionFinding, Reason, Selection, Signal, Study, StudyContext, study,
};
use brightspot::measure::{Candidate, Direction, Kind, Measure, Point, Series, StudentValue};
use brightspot::record::{Record, parse_timestamp};
use brightspot::stats::class_contrast::{Pair, class_contrast, within_slope};
use brightspot::stats::rate_difference::rate_difference;
use brightspot::stats::regression::candidates;
use brightspot::stats::tally::Tally;
use jiff::civil::{Date, date};

use crate::cycle::{Data, stamp};

const BASELINE: [Date; 2] = [date(2026, 8, 3), date(2026, 9, 27)];
const TEST: [Date; 2] = [date(2026, 9, 28), date(2026, 11, 8)];

fn week(i: usize) -> Date {
    BASELINE[0] + jiff::Span::new().days(7 * i as i64)
}

fn plan(outcome: Measure) -> Plan {
    let prediction = Prediction { direction: Some(brightspot::cycle::Side::Improve), ..Prediction::new("m") };
    Plan { predictions: vec![prediction], ..Plan::new("Aim", "Change", outcome, BASELINE, TEST) }
}

fn measure(kind: Kind, direction: Direction) -> Measure {
    let size = matches!(kind, Kind::Proportion | Kind::Rate).then(|| "n".to_owned());
    Measure { kind, direction, size, ..Measure::new("m") }
}

fn studied(plan: &Plan, series: Series) -> Study {
    let doing = Doing::new(Fidelity::Fully);
    let context = StudyContext {
        locked_at: Some(parse_timestamp("2026-09-27").unwrap()),
        doing: Some(&doing),
        ..StudyContext::new(date(2026, 11, 20))
    };
    study(plan, &Data::from([("m".to_owned(), series)]), &context).unwrap()
}

fn has(study: &Study, code: NoteCode) -> bool {
    study.caveats.iter().any(|note| note.code == code)
}

/// Counts over denominators by week, as the data of a measure arrive.
fn counted(kind: Kind, per: f64, rows: &[(usize, f64, f64)]) -> Series {
    let value = |x: f64, n: f64| match kind {
        Kind::Count => x,
        _ => x / n * per,
    };
    Series::new(rows.iter().map(|&(i, x, n)| Point { time: week(i), value: value(x, n), size: Some(n) })).unwrap()
}

#[track_caller]
fn near(found: Option<f64>, expected: f64, tolerance: f64) {
    let found = found.unwrap();
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}

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

/// By hand the variances are 1 and 2/3, so that SE^2 = 1/3 + 1/6; Bell & McCaffrey's degrees of freedom of 3 and 4 classes
/// are 49/11; qt and pt of R 4.2.2.
#[test]
fn classes_by_hand() {
    let found = class_contrast(&[5.0, 7.0, 6.0], &[1.0, 3.0, 2.0, 2.0]).unwrap();
    assert!((found.se - 0.5_f64.sqrt()).abs() < 1e-12);
    assert!((found.df - 49.0 / 11.0).abs() < 1e-12);
    near(Some(found.lo), 2.535_685_067_88, 1e-8);
    near(Some(found.hi), 5.464_314_932_12, 1e-8);
    near(Some(found.p_above), 0.001_730_689_335_32, 1e-10);
    assert_eq!(class_contrast(&[5.0], &[1.0, 3.0, 2.0]).unwrap_err().code(), "too_few");
    assert_eq!(class_contrast(&[5.0, 5.0], &[1.0, 1.0, 1.0]).unwrap_err().code(), "invalid_value");
    let pair = |before: f64, after: f64| Pair { before, after };
    assert_eq!(within_slope(&[&[pair(1.0, 1.0)], &[pair(5.0, 9.0)]]), None);
}

/// Three classes that try the change and four that do not, four students each, made with rnorm and rounded. R 4.2.2: the slope of
/// lm(y ~ x + factor(class)), the standard error of t.test(A[1:3], A[4:7]) of the class means less slope times score
/// before, with qt(.95, 49/11); and the same of the mean gains.
#[test]
fn two_stages_as_in_r() {
    let x = [
        69.3, 41.4, 45.4, 47.7, 44.2, 44.4, 58.0, 51.1, 54.2, 70.5, 55.9, 74.7, 72.3, 56.6, 69.2, 57.7, 47.8, 52.5,
        55.0, 62.9, 62.7, 61.6, 66.4, 44.9, 67.2, 58.5, 63.0, 61.7,
    ];
    let y = [
        54.4, 37.7, 38.2, 46.1, 45.0, 44.4, 52.6, 47.2, 55.3, 58.3, 51.9, 66.9, 63.7, 45.0, 55.5, 43.3, 42.0, 45.3,
        54.1, 56.5, 54.6, 57.2, 55.7, 41.7, 59.6, 58.9, 58.1, 56.2,
    ];
    let pairs: Vec<Pair> = x.iter().zip(&y).map(|(&before, &after)| Pair { before, after }).collect();
    near(within_slope(&pairs.chunks(4).collect::<Vec<_>>()), 0.691_303_571_139, 1e-11);
    let students: Vec<StudentValue> = pairs
        .iter()
        .enumerate()
        .map(|(i, pair)| StudentValue {
            time: week(9),
            class: format!("{}", i / 4),
            is_treated: i < 12,
            student: None,
            value: pair.after,
            prior: Some(pair.before),
        })
        .collect();
    let comparison = Comparison { prior: Some("x".into()), ..Comparison::new(["0", "1", "2"]) };
    let plan = Plan { comparison: Some(comparison), ..plan(Measure::new("m")) };
    let found = studied(&plan, Series { students: students.clone(), ..Series::default() }).outcome;
    near(found.effect, 0.511_698_807_996, 1e-10);
    near(found.lo, -3.976_970_441_12, 1e-7);
    near(found.hi, 5.000_368_057_11, 1e-7);
    near(found.df, 49.0 / 11.0, 1e-12);
    near(found.se, 2.167_544_969_27, 1e-10);
    let gains = Plan { analysis: Analysis::DifferenceInDifferences, ..plan };
    let found = studied(&gains, Series { students, ..Series::default() }).outcome;
    near(found.effect, 2.1375, 1e-10);
    near(found.lo, -2.521_657_924_48, 1e-7);
}

/// Two classes that try the change and three that do not, three students each: the slope within classes is .5, and the
/// treated gain 4 beyond what scores before explain.
fn five_classes() -> Vec<StudentValue> {
    let mut rows = vec![];
    for (c, (name, is_treated, level, shift)) in [
        ("a", true, 50.0, 4.5),
        ("b", true, 54.0, 3.5),
        ("c", false, 52.0, 0.5),
        ("d", false, 58.0, -0.5),
        ("e", false, 60.0, 0.0),
    ]
    .into_iter()
    .enumerate()
    {
        for (s, x) in [-2.0, 0.0, 2.0].into_iter().enumerate() {
            let row = |time, value| StudentValue {
                time,
                class: name.to_owned(),
                is_treated,
                student: Some(format!("{c}-{s}")),
                value,
                prior: None,
            };
            rows.push(row(week(1), level + x));
            rows.push(row(week(9), 20.0 + 0.5 * (level + x) + shift));
        }
    }
    rows
}

fn with_classes(students: Vec<StudentValue>) -> Series {
    let points = students.iter().filter(|row| row.is_treated && row.student.as_deref() == Some("0-0"));
    let points = points.map(|row| Point { time: row.time, value: row.value, size: None });
    let series = Series::new(points).unwrap();
    Series { students, ..series }
}

fn class_plan() -> Plan {
    let outcome = Measure { student: Some("student".into()), ..Measure::new("m") };
    Plan { comparison: Some(Comparison::new(["a", "b"])), ..plan(outcome) }
}

#[test]
fn classes_with_a_comparison() {
    let found = studied(&class_plan(), with_classes(five_classes()));
    assert_eq!((found.outcome.method, found.signal), (Analysis::Ancova, Signal::Improved));
    // Values after what scores explain: 4.5 and 3.5 against .5, -.5 and 0.
    near(found.outcome.effect, 4.0, 1e-12);
    near(found.outcome.se, (0.5_f64 / 2.0 + 0.25 / 3.0).sqrt(), 1e-12);
    assert_eq!(
        found.outcome.classes.iter().map(|class| class.name.as_str()).collect::<Vec<_>>(),
        ["a", "b", "c", "d", "e"]
    );
    near(Some(found.outcome.classes[0].value - found.outcome.classes[4].value), 4.5, 1e-12);
    assert!(has(&found, NoteCode::NotByLot) && !has(&found, NoteCode::NoComparisonGroup));

    // Gains: 20 - .5 level + shift, of the treated (50, 54) and the others (52, 58, 60).
    let gains = Plan { analysis: Analysis::DifferenceInDifferences, ..class_plan() };
    let gained = studied(&gains, with_classes(five_classes()));
    let expected = (-0.5 * 52.0 + 4.0) - (-0.5 * (52.0 + 58.0 + 60.0) / 3.0);
    near(gained.outcome.effect, expected, 1e-12);
    // Without ids the same means, for the same students are there before and after.
    let mut unnamed = five_classes();
    unnamed.iter_mut().for_each(|row| row.student = None);
    let plain = Plan { comparison: Some(Comparison::new(["a", "b"])), ..plan(Measure::new("m")) };
    assert_eq!(plain.clone().resolved().analysis, Analysis::DifferenceInDifferences);
    let series = Series { students: unnamed, ..with_classes(five_classes()) };
    near(studied(&plain, series).outcome.effect, expected, 1e-12);

    // Scores from before in the same row give the same as those of the baseline.
    let mut priors: Vec<StudentValue> = vec![];
    for pair in five_classes().chunks(2) {
        priors.push(StudentValue { prior: Some(pair[0].value), student: None, ..pair[1].clone() });
    }
    let comparison = Comparison { prior: Some("prior".into()), ..Comparison::new(["a", "b"]) };
    let by_column = Plan { comparison: Some(comparison), ..plan(Measure::new("m")) };
    let with_priors = studied(&by_column, Series { students: priors, ..with_classes(five_classes()) });
    near(with_priors.outcome.effect, 4.0, 1e-12);

    // Randomised: nothing else may be the cause.
    let comparison = Comparison { by_lot: true, ..Comparison::new(["a", "b"]) };
    let lot = studied(&Plan { comparison: Some(comparison), ..class_plan() }, with_classes(five_classes()));
    assert!(!has(&lot, NoteCode::NotByLot) && !has(&lot, NoteCode::NoComparisonGroup));
}

#[test]
fn classes_that_cannot_be_judged() {
    let without = |names: &[&str]| -> Study {
        let rows = five_classes().into_iter().filter(|row| !names.contains(&row.class.as_str())).collect();
        studied(&class_plan(), with_classes(rows))
    };
    for names in [&["b"][..], &["e"], &["a", "b"]] {
        let found = without(names);
        assert_eq!((found.signal, found.outcome.effect), (Signal::Insufficient, None));
        assert!(has(&found, NoteCode::FewClasses));
    }
    // A student without a score before, and one who was in both kinds of classes.
    let mut rows = five_classes();
    rows.remove(0);
    rows.push(StudentValue { class: "a".into(), is_treated: true, ..rows.last().unwrap().clone() });
    let found = studied(&class_plan(), with_classes(rows));
    assert!(has(&found, NoteCode::UnpairedStudents) && has(&found, NoteCode::InBothGroups));
    assert_eq!(found.outcome.classes.iter().map(|class| class.n).collect::<Vec<_>>(), [2, 3, 3, 3, 2]);
    // No classes in the data at all.
    assert_eq!(studied(&class_plan(), Series::default()).signal, Signal::Insufficient);
}

/// Relabelling and reordering change no verdict; the order of rows changes no byte.
#[test]
fn names_and_order_decide_nothing() {
    let found = studied(&class_plan(), with_classes(five_classes()));
    let mut reversed = five_classes();
    reversed.reverse();
    let again = studied(&class_plan(), with_classes(reversed));
    assert_eq!(serde_json::to_string(&again).unwrap(), serde_json::to_string(&found).unwrap());
    let renamed: Vec<StudentValue> = five_classes()
        .into_iter()
        .map(|row| StudentValue {
            class: format!("{}!", row.class.bytes().map(|b| char::from(b'z' - (b - b'a'))).collect::<String>()),
            student: row.student.map(|id| id.chars().rev().collect()),
            ..row
        })
        .collect();
    let points = with_classes(five_classes()).points;
    let other = studied(&class_plan(), Series { students: renamed, points, ..Series::default() });
    assert_eq!(other.signal, found.signal);
    near(other.outcome.effect, found.outcome.effect.unwrap(), 1e-12);
    near(other.outcome.lo, found.outcome.lo.unwrap(), 1e-12);
}

// Units that were chosen because they were bad.

/// Twelve teams with levels around 60; the worst, team 0, is the one that is studied.
fn twelve() -> Vec<Candidate> {
    let levels = [54.0, 60.0, 61.0, 59.0, 62.0, 58.0, 63.0, 57.0, 60.5, 61.5, 59.5, 64.5];
    let noise = [1.0, -1.5, 0.5, 1.5, -0.5, -1.0, 1.2, -1.2];
    let team = |(i, level): (usize, f64)| Candidate {
        unit: format!("team {i}"),
        points: (0..8)
            .map(|t| Point { time: week(t), value: level + 2.0 * noise[(t * 3 + i) % 8], size: None })
            .collect(),
    };
    levels.into_iter().enumerate().map(team).collect()
}

fn chosen(after: f64) -> Series {
    let candidates = twelve();
    let later =
        (8..14).map(|t| Point { time: week(t), value: after + if t % 2 == 0 { 0.5 } else { -0.5 }, size: None });
    let points = candidates[0].points.iter().copied().chain(later);
    let series = Series::new(points).unwrap();
    Series { candidates, ..series }
}

fn worst() -> Selection {
    Selection { unit: Some("team".into()), chosen: vec!["team 0".into()], ..Selection::worst() }
}

#[test]
fn regression_to_the_mean_is_taken_off() {
    let outcome = Measure::new("m");
    let plan = Plan { selection: Some(worst()), ..plan(outcome.clone()) };
    let series = chosen(60.0);
    let baselines: Vec<Vec<f64>> = twelve().iter().map(|one| one.points.iter().map(|p| p.value).collect()).collect();
    let all = candidates(&baselines.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
    let found = studied(&plan, series.clone());
    let regression = found.outcome.regression.as_ref().unwrap();
    near(Some(regression.expected), (1.0 - all.lambda) * (all.mean - 54.0), 1e-9);
    assert!(regression.expected > 0.1 && regression.n_units == 12 && all.lambda > 0.5 && all.lambda < 1.0);
    near(found.outcome.effect, 6.0 - regression.expected, 1e-9);
    let naive = studied(&Plan { selection: None, ..plan.clone() }, series.clone());
    near(naive.outcome.effect, 6.0, 1e-9);
    assert!(found.outcome.se.unwrap() > naive.outcome.se.unwrap() && naive.outcome.regression.is_none());
    let note = found.caveats.iter().find(|note| note.code == NoteCode::RegressionToMean).unwrap();
    assert_eq!((note.count, note.value), (12, Some(regression.expected)));
    // The other way round: a bad unit is a high one where lower is better, and nothing is ever added.
    let down = Plan { outcome: Measure { direction: Direction::Down, ..outcome }, ..plan.clone() };
    let fallen = studied(&down, series.clone());
    near(fallen.outcome.effect, 6.0, 1e-9);
    assert_eq!(fallen.outcome.regression.unwrap().expected, 0.0);

    // Not chosen for the figures: nothing is taken off.
    let other = Selection { chosen_because: ChosenBecause::Other, ..worst() };
    near(studied(&Plan { selection: Some(other), ..plan.clone() }, series.clone()).outcome.effect, 6.0, 1e-9);
    // Too few candidates, and no date: no verdict.
    let few = Series { candidates: twelve()[..4].to_vec(), ..series.clone() };
    let blind = studied(&plan, few.clone());
    assert!(blind.signal == Signal::Insufficient && has(&blind, NoteCode::SelectedExtreme));
    // Chosen in the middle of the baseline: the weeks after the choice count.
    let dated = Plan { selection: Some(Selection { on: Some(week(3)), ..worst() }), ..plan.clone() };
    let later = studied(&dated, few.clone());
    assert!(later.signal != Signal::Insufficient && has(&later, NoteCode::BaselineAfterChoice));
    assert_eq!(later.outcome.n_before, 4);
    // Chosen before the baseline began: all of it counts.
    let early = Plan { selection: Some(Selection { on: Some(date(2026, 7, 1)), ..worst() }), ..plan };
    let all = studied(&early, few);
    assert_eq!((all.outcome.n_before, all.outcome.regression), (8, None));
}

#[test]
fn chosen_classes_need_scores_from_after_the_choice() {
    let bad = |on| Plan { selection: Some(Selection { on, ..Selection::worst() }), ..class_plan() };
    let found = studied(&bad(None), with_classes(five_classes()));
    assert!(found.signal == Signal::Insufficient && has(&found, NoteCode::SelectedExtreme));
    let found = studied(&bad(Some(week(0))), with_classes(five_classes()));
    assert!(found.signal == Signal::Improved && has(&found, NoteCode::BaselineAfterChoice));
    let lot = Comparison { by_lot: true, ..Comparison::new(["a", "b"]) };
    let drawn = Plan { comparison: Some(lot), ..bad(None) };
    assert_eq!(studied(&drawn, with_classes(five_classes())).signal, Signal::Improved);
}

// What was done.

#[test]
fn fidelity_by_checklist() {
    let rule = FidelityRule::default();
    let doing = |as_planned, items: &[(&str, f64)]| Doing {
        checklist: items.iter().map(|&(item, share)| (item.to_owned(), share)).collect(),
        ..Doing::new(as_planned)
    };
    for (share, expected) in [
        (1.0, Fidelity::Fully),
        (0.8, Fidelity::Fully),
        (0.79, Fidelity::Partly),
        (0.6, Fidelity::Partly),
        (0.5, Fidelity::NotDone),
    ] {
        assert_eq!(doing(Fidelity::Unknown, &[("a", share)]).carried_out(&rule), expected);
    }
    // The mean of the items; the lesser of word and score.
    let two = doing(Fidelity::Fully, &[("a", 1.0), ("b", 0.5)]);
    assert_eq!((two.score(), two.carried_out(&rule)), (Some(0.75), Fidelity::Partly));
    assert_eq!(doing(Fidelity::Partly, &[("a", 1.0)]).carried_out(&rule), Fidelity::Partly);
    assert_eq!(Doing::new(Fidelity::Fully).carried_out(&rule), Fidelity::Fully);
    assert!(doing(Fidelity::Unknown, &[("a", 1.5)]).validate().is_err());
    assert!(FidelityRule { fully: 0.5, partly: 0.6 }.validate().is_err());

    let plan = Plan { checklist: vec!["a".into(), "b".into(), "c".into()], ..plan(Measure::new("m")) };
    let context = StudyContext { doing: Some(&two), ..StudyContext::new(date(2026, 11, 20)) };
    let found = study(&plan, &Data::new(), &context).unwrap();
    assert_eq!((found.fidelity, found.fidelity_score), (Fidelity::Partly, Some(0.75)));
    assert!(has(&found, NoteCode::FidelityByScore));
    let note = found.caveats.iter().find(|note| note.code == NoteCode::ChecklistIncomplete).unwrap();
    assert_eq!(note.count, 1);
}

/// The lock settles how the outcome is judged, by the shape of its data, and stores it.
#[test]
fn the_lock_settles_the_route() {
    for (outcome, expected) in [
        (Measure::new("m"), Analysis::Series),
        (measure(Kind::Median, Direction::Up), Analysis::Series),
        (measure(Kind::Proportion, Direction::Up), Analysis::Proportions),
        (measure(Kind::Rate, Direction::Up), Analysis::Rates),
        (measure(Kind::Count, Direction::Up), Analysis::Rates),
        (Measure { standard: Some(0.8), ..measure(Kind::Proportion, Direction::Up) }, Analysis::Standard),
    ] {
        let (mut cycle, _) = Cycle::draft("a", plan(outcome), &stamp("2026-08-01")).unwrap();
        let hash = cycle.plan.hash().unwrap();
        cycle.lock(&stamp("2026-08-02")).unwrap();
        assert_eq!(cycle.plan.analysis, expected);
        assert_eq!(cycle.plan.hash().unwrap(), hash);
    }
    assert_eq!(class_plan().resolved().analysis, Analysis::Ancova);
    // An explicit choice stays.
    let series = Plan { analysis: Analysis::Series, ..plan(measure(Kind::Rate, Direction::Up)) };
    assert_eq!(series.resolved().analysis, Analysis::Series);
}
