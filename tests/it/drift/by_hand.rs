//! Panels small enough to reckon with a pencil, and what cannot be judged.

use brightspot::NoteCode;

use super::*;

/// Ten teachers, two years, two students a class that lie 1 above and 1 below their class's mean: 1 for five of the
/// teachers and -1 for the others.
fn tiny() -> Panel {
    let mut panel = Panel::default();
    for teacher in 0..10 {
        for year in 0..2 {
            for side in [-1.0, 1.0] {
                panel.outcome.push(if teacher < 5 { 1.0 } else { -1.0 } + side);
                panel.prior.push(0.0);
                panel.teacher.push(teacher);
                panel.year.push(year);
                panel.classroom.push(0);
            }
        }
    }
    panel
}

#[test]
fn a_tiny_panel() {
    let found = tiny().found();
    // 40 students, half 0 and half of size 2: squares 80 over 39. Within 20 classes 40 over 20.
    let components = found.components;
    assert!((components.total - 80.0 / 39.0).abs() < 1e-12);
    assert!((components.student - 2.0).abs() < 1e-12);
    // Both years alike: covariance 1, which with one lag stands for the year itself; nothing is left for the class.
    assert!((components.teacher - 1.0).abs() < 1e-12);
    assert!(components.class.abs() < 1e-12);
    // psi = 1/(1 + 2/2) = 1/2, of a mean of 1; the variance left is 1 - 1/2.
    for row in &found.rows {
        let sign = if row.teacher < 5 { 1.0 } else { -1.0 };
        assert!((row.mean - sign).abs() < 1e-12);
        assert!((row.prediction.unwrap() - sign / 2.0).abs() < 1e-12);
        assert!((row.sd.unwrap().powi(2) - 0.5).abs() < 1e-12);
        assert_eq!((row.n, row.n_years), (2, 1));
    }
    let lags: Vec<_> = found.lags.iter().map(|lag| (lag.lag, lag.n_pairs)).collect();
    assert_eq!(lags, [(0, 0), (1, 10)]);
    // That the advantage lasts is then an assumption and no finding.
    assert_eq!([found.lags[0].correlation, found.lags[1].correlation], [Some(1.0), None]);
    assert!(found.notes.iter().any(|note| note.code == NoteCode::FadingUnknown));
    // The covariate is the same for all: dropped, and said so.
    assert_eq!(found.coefficients, [("prior".to_owned(), None)]);
    assert!(found.notes.iter().any(|note| note.code == NoteCode::RankDeficient && note.at == "prior"));
}

#[test]
fn a_teacher_seen_once_has_no_prediction() {
    let mut panel = tiny();
    for side in [-1.0, 1.0] {
        panel.outcome.push(side);
        panel.prior.push(0.0);
        panel.teacher.push(99);
        panel.year.push(1);
        panel.classroom.push(0);
    }
    let found = panel.found();
    let last = found.rows.last().unwrap();
    assert_eq!((last.teacher, last.prediction, last.sd, last.n_years), (99, None, None, 0));
    let note = found.notes.iter().find(|note| note.code == NoteCode::SingleYear).unwrap();
    assert_eq!(note.count, 1);
    assert!(note.message().starts_with("1 teacher seen in one year only"), "{}", note.message());
}

#[test]
fn teachers_that_do_not_differ_have_no_prediction() {
    let mut panel = tiny();
    // The second year turns every teacher round: the covariance is negative.
    for (value, (year, teacher)) in panel.outcome.iter_mut().zip(panel.year.iter().zip(&panel.teacher)) {
        if *year == 1 {
            *value -= if *teacher < 5 { 2.0 } else { -2.0 };
        }
    }
    let found = panel.found();
    assert!(found.components.teacher.abs() < f64::EPSILON);
    assert!(found.rows.iter().all(|row| row.prediction.is_none() && row.sd.is_none()));
    assert!(found.lags.iter().all(|lag| lag.correlation.is_none()));
    assert!(found.notes.iter().any(|note| note.code == NoteCode::Singular));
}

#[test]
fn what_cannot_be_judged_is_an_error() {
    let panel = tiny();
    let code = |panel: &Panel, lags| value_added(&panel.input(&[]), lags).unwrap_err();
    assert_eq!(code(&panel, 0).code(), "invalid_option");
    let one_year = Panel { year: vec![2020; 40], ..panel.clone() };
    assert!(code(&one_year, 7).to_string().contains("two years"));
    let dates = Panel { year: panel.year.iter().map(|year| 20_200_101 + year * 10_000).collect(), ..panel.clone() };
    assert!(code(&dates, 7).to_string().contains("20200101 to 20210101"));
    let single = Panel { classroom: (0..40).collect(), ..panel.clone() };
    assert_eq!(code(&single, 7).code(), "too_few");
    let short = Panel { year: vec![2020], ..panel.clone() };
    assert_eq!(code(&short, 7).code(), "invalid_value");
    let constant = Panel { outcome: vec![1.0; 40], ..panel };
    assert!(code(&constant, 7).to_string().contains("no variation within classes"));
    assert_eq!(value_added(&Panel::default().input(&[]), 7).unwrap_err().code(), "too_few");
}
