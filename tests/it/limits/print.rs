//! Montgomery (2013), Introduction to Statistical Quality Control, 7th ed.: what is printed there, to the digits printed.

use brightspot::charts::{ChartKind, Convention, Known, LimitRows, LimitSpec};

use super::{NONE, drawn, first, plain};

#[track_caller]
fn printed(ours: f64, theirs: f64, digits: i32) {
    let half = 0.51 * 10.0_f64.powi(-digits);
    assert!((ours - theirs).abs() <= half, "{ours} is printed as {theirs}");
}

/// Table 9.1: 20 values of a normal process with mean 10 and deviation 1, then 10 with mean 11.
const SHIFTED: [f64; 30] = [
    9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34, 9.03, 11.47, 10.51, 9.40, 10.08, 9.37, 10.62,
    10.31, 8.52, 10.84, 10.90, 9.33, 12.29, 11.50, 10.60, 11.08, 10.38, 11.62, 11.31, 10.52,
];

const TARGET: Known = Known { center: Some(10.0), sigma: Some(1.0), ..NONE };

/// Example 9.1, table 9.2: k = .5, h = 5.
#[test]
fn tabular_cusum() {
    let above = [
        0.0, 0.0, 0.0, 1.16, 2.82, 2.50, 0.04, 1.00, 0.0, 0.0, 0.0, 0.97, 0.98, 0.0, 0.0, 0.0, 0.12, 0.0, 0.0, 0.34,
        0.74, 0.0, 1.79, 2.79, 2.89, 3.47, 3.35, 4.47, 5.28, 5.30,
    ];
    let below = [
        0.05, 1.56, 1.77, 0.0, 0.0, 0.0, 1.46, 0.0, 0.30, 0.0, 0.47, 0.0, 0.0, 0.10, 0.0, 0.13, 0.0, 0.0, 0.98, 0.0,
        0.0, 0.17, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
    ];
    let rows = LimitRows { value: &SHIFTED, ..LimitRows::default() };
    let (lines, summary) = drawn(&LimitSpec::new(ChartKind::Cusum), &rows, &TARGET);
    for row in 0..30 {
        printed(lines.drawn[row], above[row], 2);
        printed(lines.lower[row], -below[row], 2);
        assert_eq!((lines.center[row], lines.lcl[row], lines.ucl[row]), (0.0, -5.0, 5.0));
    }
    assert_eq!((summary.level, summary.sigma, summary.df), (Some(10.0), Some(1.0), None));
    // The shift after value 20 is called at value 29.
    assert_eq!(lines.drawn.iter().position(|sum| *sum > 5.0), Some(28));
}

/// Example 9.2, table 9.10: lambda = .1, L = 2.7.
#[test]
fn moving_average() {
    let average = [
        9.945, 9.7495, 9.70355, 9.8992, 10.1253, 10.1307, 9.92167, 10.0755, 9.98796, 10.0232, 9.92384, 10.0785,
        10.1216, 10.0495, 10.0525, 9.98426, 10.0478, 10.074, 9.91864, 10.0108, 10.0997, 10.0227, 10.2495, 10.3745,
        10.3971, 10.4654, 10.4568, 10.5731, 10.6468, 10.6341,
    ];
    let spec = LimitSpec { weight: 0.1, sigmas: 2.7, ..LimitSpec::new(ChartKind::Ewma) };
    let rows = LimitRows { value: &SHIFTED, ..LimitRows::default() };
    let (lines, _) = drawn(&spec, &rows, &TARGET);
    for (ours, theirs) in lines.drawn.iter().zip(average) {
        printed(*ours, theirs, if theirs < 10.0 { 5 } else { 4 });
    }
    // The first two limits, and those they settle at.
    for (row, low, high) in [(0, 9.73, 10.27), (1, 9.64, 10.36), (29, 9.38, 10.62)] {
        printed(lines.lcl[row], low, 2);
        printed(lines.ucl[row], high, 2);
    }
    assert!(lines.drawn[28] > lines.ucl[28] && lines.z[28] > 2.7 && lines.z[27] < 2.7);
}

/// Example 6.5: 20 costs of processing loans; individuals and moving ranges.
#[test]
fn individuals() {
    let cost = [
        310.0, 288.0, 297.0, 298.0, 307.0, 303.0, 294.0, 297.0, 308.0, 306.0, 294.0, 299.0, 297.0, 299.0, 314.0, 295.0,
        293.0, 306.0, 301.0, 304.0,
    ];
    let rows = LimitRows { value: &cost, ..LimitRows::default() };
    let rounded = |kind| LimitSpec {
        convention: Convention::Qicharts2,
        screening: Some(brightspot::charts::Screening::Off).filter(|_| kind == ChartKind::I),
        ..LimitSpec::new(kind)
    };
    let (i, _) = drawn(&rounded(ChartKind::I), &rows, &NONE);
    printed(i.center[0], 300.5, 1);
    printed(i.ucl[0], 321.22, 2);
    printed(i.lcl[0], 279.78, 2);
    let (mr, _) = drawn(&rounded(ChartKind::Mr), &rows, &NONE);
    printed(mr.center[0], 7.79, 2);
    printed(mr.ucl[0], 25.45, 2);
    assert!(mr.drawn[0].is_nan() && mr.drawn[1] == 22.0 && mr.lcl[0] == 0.0);
    // Exact constants: 3 / d2 is 2.65868, and 1 + 3 d3 / d2 is 3.26653.
    let (exact, summary) = plain(ChartKind::I, &cost);
    let mean_range = 148.0 / 19.0;
    assert!((exact.ucl[0] - (300.5 + 2.658_680_776_4 * mean_range)).abs() < 1e-8);
    assert!((summary.sigma.unwrap() - mean_range / 1.128_379_167_1).abs() < 1e-9);
    let (exact, _) = plain(ChartKind::Mr, &cost);
    assert!((exact.ucl[0] - 3.266_531_919_3 * mean_range).abs() < 1e-8);
}

/// Example 7.1: cans of orange juice, 30 samples of 50; samples 15 and 23 are then left out.
#[test]
fn proportions() {
    let defective = [
        12.0, 15.0, 8.0, 10.0, 4.0, 7.0, 16.0, 9.0, 14.0, 10.0, 5.0, 6.0, 17.0, 12.0, 22.0, 8.0, 10.0, 5.0, 13.0, 11.0,
        20.0, 18.0, 24.0, 15.0, 9.0, 12.0, 7.0, 13.0, 9.0, 6.0,
    ];
    let size = [50.0; 30];
    let rows = LimitRows { value: &defective, size: &size, ..LimitRows::default() };
    let spec = LimitSpec::new(ChartKind::P);
    let (lines, _) = drawn(&spec, &rows, &NONE);
    for (ours, theirs) in [(lines.center[0], 0.2313), (lines.ucl[0], 0.4102), (lines.lcl[0], 0.0524)] {
        printed(ours, theirs, 4);
    }
    let outside: Vec<usize> = (0..30).filter(|row| lines.drawn[*row] > lines.ucl[*row]).collect();
    assert_eq!(outside, [14, 22]);
    let excluded: Vec<bool> = (0..30).map(|row| outside.contains(&row)).collect();
    let (lines, _) = drawn(&spec, &LimitRows { is_excluded: &excluded, ..rows }, &NONE);
    for (ours, theirs) in [(lines.center[0], 0.2150), (lines.ucl[0], 0.3893), (lines.lcl[0], 0.0407)] {
        printed(ours, theirs, 4);
    }
    // The same chart in counts.
    let (counts, _) = drawn(&LimitSpec::new(ChartKind::Np), &rows, &NONE);
    printed(counts.center[0], 50.0 * 0.2313, 2);
}

/// Example 7.3: nonconformities in 26 samples of 100 printed circuit boards; samples 6 and 20 are then left out.
#[test]
fn counts() {
    let found = [
        21.0, 24.0, 16.0, 12.0, 15.0, 5.0, 28.0, 20.0, 31.0, 25.0, 20.0, 24.0, 16.0, 19.0, 10.0, 17.0, 13.0, 22.0,
        18.0, 39.0, 30.0, 24.0, 16.0, 19.0, 17.0, 15.0,
    ];
    let (lines, _) = plain(ChartKind::C, &found);
    for (ours, theirs) in [(lines.center[0], 19.85), (lines.ucl[0], 33.21), (lines.lcl[0], 6.48)] {
        // 33.22 is printed, of a rounded centre.
        assert!((ours - theirs).abs() < 0.006, "{ours} {theirs}");
    }
    let excluded: Vec<bool> = (0..26).map(|row| row == 5 || row == 19).collect();
    let rows = LimitRows { value: &found, is_excluded: &excluded, ..LimitRows::default() };
    let (lines, _) = drawn(&LimitSpec::new(ChartKind::C), &rows, &NONE);
    for (ours, theirs) in [(lines.center[0], 19.67), (lines.ucl[0], 32.97), (lines.lcl[0], 6.36)] {
        printed(ours, theirs, 2);
    }
}

/// A frozen baseline: the lines of later rows are those of the first.
#[test]
fn a_frozen_average_goes_on() {
    let spec = LimitSpec { weight: 0.1, ..LimitSpec::new(ChartKind::Ewma) };
    let baseline = first(20, 30);
    let rows = LimitRows { value: &SHIFTED, is_baseline: &baseline, ..LimitRows::default() };
    let (lines, summary) = drawn(&spec, &rows, &NONE);
    let (alone, of_alone) = plain(ChartKind::I, &SHIFTED[..20]);
    assert_eq!((summary.center, summary.sigma), (of_alone.center, of_alone.sigma));
    assert_eq!(lines.center[29], alone.center[0]);
}
