//! The contrast of a chart: which rows, which method, which notes.

use brightspot::charts::{ChartKind, Contrast, ContrastInput, ContrastMethod, Shape, contrast, contrast_with_standard};
use brightspot::stats::step::step;
use brightspot::{NoteCode, Result};

const NAN: f64 = f64::NAN;

fn rows(n_before: usize, n_after: usize) -> (Vec<bool>, Vec<bool>) {
    let n = n_before + n_after;
    ((0..n).map(|row| row < n_before).collect(), (0..n).map(|row| row >= n_before).collect())
}

fn of(shape: Shape, n_before: usize, value: &[f64], size: &[f64]) -> Result<Contrast> {
    let (is_before, is_after) = rows(n_before, value.len() - n_before);
    contrast(shape, &ContrastInput { value, size, is_before: &is_before, is_after: &is_after })
}

fn codes(found: &Contrast) -> Vec<&'static str> {
    found.notes.iter().map(|note| note.code.as_str()).collect()
}

const LEVELS: [f64; 14] = [5.0, 7.0, 6.0, 4.0, 6.0, 5.0, 7.0, 6.0, 9.0, 11.0, 8.0, 10.0, 9.0, 12.0];

#[test]
fn a_mean_is_the_step() {
    let found = of(Shape::Mean, 8, &LEVELS, &[]).unwrap();
    let expected = step(&LEVELS[..8], &LEVELS[8..]).unwrap();
    assert_eq!(found.method, ContrastMethod::Step);
    assert_eq!((found.n_before, found.n_after), (8, 6));
    assert_eq!((found.estimate, found.lo, found.hi), (Some(expected.estimate), Some(expected.lo), Some(expected.hi)));
    assert_eq!((found.before, found.after), (Some(5.75), Some(59.0 / 6.0)));
    assert_eq!((found.phi, found.dispersion), (Some(expected.phi), None));
    assert_eq!(found.excludes_no_change(), Some(true));
    assert!((found.level - 0.9).abs() < 1e-15 && found.notes.is_empty());
}

#[test]
fn each_shape_has_its_method() {
    let size = [20.0; 14];
    for (shape, size, method, none) in [
        (Shape::Median, &[][..], ContrastMethod::MedianShift, 0.0),
        (Shape::Proportion, &size[..], ContrastMethod::ProportionsByPeriod, 0.0),
        (Shape::Rate, &[][..], ContrastMethod::RatesByPeriod, 1.0),
        (Shape::Rate, &size[..], ContrastMethod::RatesByPeriod, 1.0),
        (Shape::Gap, &[][..], ContrastMethod::GapsBetweenEvents, 1.0),
    ] {
        let found = of(shape, 8, &LEVELS, size).unwrap();
        assert_eq!(found.method, method);
        let (estimate, lo, hi) = (found.estimate.unwrap(), found.lo.unwrap(), found.hi.unwrap());
        assert!(lo < estimate && estimate < hi);
        // More cases between events are a lower rate.
        let is_above = estimate > none;
        assert_eq!(is_above, shape != Shape::Gap, "{shape:?}");
        assert_eq!(found.dispersion.is_some(), shape != Shape::Median);
    }
    let exposed = of(Shape::Rate, 8, &LEVELS, &[1.0; 14]).unwrap();
    assert_eq!(of(Shape::Rate, 8, &LEVELS, &[]).unwrap(), exposed);
    // The event's own case counts: 8 events in 46 + 8 cases.
    assert!((of(Shape::Gap, 8, &LEVELS, &[]).unwrap().before.unwrap() - 8.0 / 54.0).abs() < 1e-15);
}

#[test]
fn every_kind_of_chart_has_a_shape() {
    for kind in ChartKind::ALL {
        assert!(Shape::of_chart(kind.as_str()).is_ok(), "{kind:?}");
    }
    for (kind, shape) in [("run", Shape::Median), ("xbar", Shape::Mean), ("t", Shape::Mean), ("np", Shape::Proportion)]
    {
        assert_eq!(Shape::of_chart(kind).unwrap(), shape);
    }
    assert_eq!((Shape::of_chart("c").unwrap(), Shape::of_chart("g").unwrap()), (Shape::Rate, Shape::Gap));
    assert_eq!(Shape::of_chart("I").unwrap_err().code(), "invalid_option");
}

#[test]
fn too_little_is_a_finding() {
    for shape in [Shape::Mean, Shape::Median, Shape::Rate, Shape::Gap] {
        let found = of(shape, 2, &LEVELS, &[]).unwrap();
        assert_eq!(codes(&found), ["too_few_points"]);
        assert_eq!(found.notes[0].count, 2);
        assert_eq!((found.estimate, found.p_above, found.excludes_no_change()), (None, None, None));
        assert!(found.before.is_some() && found.after.is_some());
        let found = of(shape, 14, &LEVELS, &[]).unwrap();
        assert_eq!((codes(&found), found.after), (vec!["too_few_points"], None));
    }
    for (shape, value) in [
        (Shape::Mean, 3.0),
        (Shape::Median, 3.0),
        (Shape::Rate, 0.0),
        (Shape::Proportion, 0.0),
        (Shape::Proportion, 9.0),
    ] {
        let found = of(shape, 8, &[value; 14], &[9.0; 14]).unwrap();
        assert_eq!((codes(&found), found.estimate), (vec!["zero_variance"], None), "{shape:?}");
    }
    // All gaps alike are still waits of which the mean is not known exactly.
    assert!(of(Shape::Gap, 8, &[3.0; 14], &[]).unwrap().hi.unwrap() > 1.5);
}

#[test]
fn what_stands_against_the_numbers() {
    let found = of(Shape::Median, 3, &LEVELS[5..11], &[]).unwrap();
    assert_eq!(codes(&found), ["powerless", "few_points"]);
    assert_eq!((found.lo, found.hi), (Some(f64::NEG_INFINITY), Some(f64::INFINITY)));
    let slow = [1.0, 2.0, 3.0, 4.0, 5.0, 4.0, 3.0, 2.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    for shape in [Shape::Mean, Shape::Median, Shape::Rate, Shape::Proportion] {
        assert_eq!(codes(&of(shape, 8, &slow, &[9.0; 14]).unwrap()), ["strong_autocorrelation"], "{shape:?}");
    }
    let totals = of(Shape::Rate, 1, &[60.0, 42.0], &[]).unwrap();
    assert_eq!((totals.method, codes(&totals)), (ContrastMethod::TwoTotals, vec!["independence_assumed"]));
    assert!((totals.p_below.unwrap() - 0.046).abs() < 0.0005);
    let few = of(Shape::Rate, 1, &[3.0, 1.0], &[]).unwrap();
    assert_eq!(codes(&few), ["powerless", "independence_assumed"]);
    assert!((few.notes[0].value.unwrap() - 1.0 / 16.0).abs() < 1e-15);
    // Two periods on one side are neither totals nor a series.
    assert_eq!(codes(&of(Shape::Rate, 1, &[60.0, 42.0, 40.0], &[]).unwrap()), ["too_few_points"]);
    let weights = [10.0, 10.0, 40.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, NAN];
    let found = of(Shape::Mean, 8, &LEVELS, &weights).unwrap();
    assert_eq!(codes(&found), ["unequal_sizes"]);
    assert_eq!((found.notes[0].count, found.notes[0].value), (13, Some(4.0)));
    assert_eq!(found.estimate, of(Shape::Mean, 8, &LEVELS, &[]).unwrap().estimate);
}

#[test]
fn rows_that_cannot_be_used_are_counted() {
    let mut value = LEVELS.to_vec();
    let mut size = vec![20.0; 14];
    value[2] = NAN;
    value[9] = f64::INFINITY;
    size[10] = 0.0;
    size[11] = NAN;
    size[12] = -4.0;
    let found = of(Shape::Rate, 8, &value, &size).unwrap();
    assert_eq!((found.n_before, found.n_after), (7, 2));
    assert_eq!(codes(&found), ["too_few_points", "missing_value", "infinite_value", "invalid_denominator"]);
    assert_eq!(found.notes.iter().map(|note| note.count).collect::<Vec<_>>(), [2, 1, 1, 3]);
    // Rows of neither phase are not looked at, and leave no gap.
    let (value, is_before, is_after) = (
        [5.0, NAN, 7.0, 6.0, -3.0, 9.0, 11.0, 8.0],
        [true, false, true, true, false, false, false, false],
        [false, false, false, false, false, true, true, true],
    );
    let input = ContrastInput { value: &value, size: &[], is_before: &is_before, is_after: &is_after };
    let found = contrast(Shape::Rate, &input).unwrap();
    assert_eq!(found, of(Shape::Rate, 3, &[5.0, 7.0, 6.0, 9.0, 11.0, 8.0], &[]).unwrap());
    assert_eq!(found.notes[0].code, NoteCode::FewPoints);
}

#[test]
fn impossible_input_is_refused() {
    let code = |found: Result<Contrast>| found.unwrap_err().code();
    assert_eq!(code(of(Shape::Proportion, 8, &LEVELS, &[])), "invalid_option");
    assert_eq!(code(of(Shape::Mean, 8, &LEVELS, &[1.0; 3])), "invalid_option");
    assert_eq!(code(of(Shape::Proportion, 8, &LEVELS, &[11.0; 14])), "invalid_value");
    let mut below = LEVELS;
    below[3] = -1.0;
    for shape in [Shape::Proportion, Shape::Rate, Shape::Gap] {
        assert_eq!(code(of(shape, 8, &below, &[20.0; 14])), "invalid_value", "{shape:?}");
    }
    assert!(of(Shape::Mean, 8, &below, &[]).is_ok());
    let (is_before, is_after) = rows(8, 6);
    let with = |is_before: &[bool], is_after: &[bool]| {
        contrast(Shape::Mean, &ContrastInput { value: &LEVELS, size: &[], is_before, is_after })
    };
    assert_eq!(code(with(&is_before[1..], &is_after)), "invalid_option");
    assert_eq!(code(with(&is_before, &[true; 14])), "invalid_option");
    let (odd, even): (Vec<bool>, Vec<bool>) = (0..14).map(|row| (row % 2 == 1, row % 2 == 0)).unzip();
    assert_eq!(code(with(&odd, &even)), "invalid_option");
    let standard = |shape, standard| {
        contrast_with_standard(
            shape,
            standard,
            &ContrastInput { value: &LEVELS, size: &[20.0; 14], is_before: &is_before, is_after: &is_after },
        )
    };
    for (shape, number) in
        [(Shape::Mean, 5.0), (Shape::Gap, 5.0), (Shape::Proportion, 1.0), (Shape::Proportion, NAN), (Shape::Rate, 0.0)]
    {
        assert_eq!(code(standard(shape, number)), "invalid_option", "{shape:?} {number}");
    }
}

#[test]
fn against_a_standard() {
    let (is_before, is_after) = rows(8, 6);
    let of = |shape, standard| {
        let input = ContrastInput { value: &LEVELS, size: &[20.0; 14], is_before: &is_before, is_after: &is_after };
        contrast_with_standard(shape, standard, &input).unwrap()
    };
    // 59 of 120, and .49 a unit.
    let found = of(Shape::Proportion, 0.4);
    assert_eq!((found.method, found.n_before, found.n_after), (ContrastMethod::ProportionAgainst, 0, 6));
    assert_eq!((found.before, found.after), (Some(0.4), Some(59.0 / 120.0)));
    assert!(found.lo.unwrap() > 0.0 && found.p_above.unwrap() < 0.05);
    assert_eq!(codes(&found), ["independence_assumed"]);
    let found = of(Shape::Rate, 0.8);
    assert!((found.estimate.unwrap() - 59.0 / 120.0 / 0.8).abs() < 1e-12);
    assert!(found.hi.unwrap() < 1.0 && found.p_below.unwrap() < 0.05);
    // 3 of 3 against 80%: .8^3 = .512.
    let input = ContrastInput { value: &[3.0], size: &[3.0], is_before: &[false], is_after: &[true] };
    let found = contrast_with_standard(Shape::Proportion, 0.8, &input).unwrap();
    assert!((found.p_above.unwrap() - 0.512).abs() < 1e-12);
    assert!(!codes(&found).contains(&"powerless"), "none of 3 would have p = .008");
    let found = contrast_with_standard(Shape::Proportion, 0.5, &input).unwrap();
    assert_eq!(codes(&found), ["independence_assumed", "powerless"]);
    let none = ContrastInput { is_after: &[false], ..input };
    assert_eq!(codes(&contrast_with_standard(Shape::Proportion, 0.5, &none).unwrap()), ["too_few_points"]);
}

#[test]
fn a_contrast_is_data() {
    let found = of(Shape::Rate, 8, &LEVELS, &[]).unwrap();
    let written = serde_json::to_string(&found).unwrap();
    assert!(written.contains("\"method\":\"rates_by_period\""));
    assert_eq!(serde_json::from_str::<Contrast>(&written).unwrap(), found);
}
