//! Classes that try the change against those that do not.

use brightspot::NoteCode;
use brightspot::cycle::{Analysis, Comparison, Plan, Signal, Study};
use brightspot::measure::{Measure, Point, Series, StudentValue};
use brightspot::stats::class_contrast::{Pair, class_contrast, within_slope};

use super::{has, near, plan, studied, week};

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
pub(super) fn five_classes() -> Vec<StudentValue> {
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

pub(super) fn with_classes(students: Vec<StudentValue>) -> Series {
    let points = students.iter().filter(|row| row.is_treated && row.student.as_deref() == Some("0-0"));
    let points = points.map(|row| Point { time: row.time, value: row.value, size: None });
    let series = Series::new(points).unwrap();
    Series { students, ..series }
}

pub(super) fn class_plan() -> Plan {
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
