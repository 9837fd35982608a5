//! What must not matter, and what must.

use proptest::prelude::*;
use rand::seq::SliceRandom;

use super::*;

fn panel() -> Panel {
    planted(40, 5, 2, 3)
}

fn ordered(panel: &Panel, order: &[usize]) -> Panel {
    fn take<T: Copy>(values: &[T], order: &[usize]) -> Vec<T> {
        order.iter().map(|&row| values[row]).collect()
    }
    Panel {
        outcome: take(&panel.outcome, order),
        prior: take(&panel.prior, order),
        teacher: take(&panel.teacher, order),
        year: take(&panel.year, order),
        classroom: take(&panel.classroom, order),
        truth: vec![],
    }
}

/// Every number of a row, for comparison.
fn numbers(found: &Drift) -> Vec<f64> {
    let rows = found.rows.iter().flat_map(|row| [row.mean, row.prediction.unwrap_or(0.0), row.sd.unwrap_or(0.0)]);
    rows.collect()
}

fn alike(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn the_order_of_rows_does_not_matter(seed in 0_u64..1000) {
        let panel = panel();
        let mut order: Vec<usize> = (0..panel.outcome.len()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        prop_assert!(alike(&numbers(&panel.found()), &numbers(&ordered(&panel, &order).found())));
    }

    #[test]
    fn shift_and_scale(shift in -50.0_f64..50.0, scale in 0.1_f64..20.0, slope in -2.0_f64..2.0) {
        let before = panel();
        let mut after = before.clone();
        for (value, prior) in after.outcome.iter_mut().zip(&before.prior) {
            *value = shift + scale * (*value + slope * prior);
        }
        after.year.iter_mut().for_each(|year| *year -= 7);
        let (a, b) = (before.found(), after.found());
        let expected: Vec<f64> = numbers(&a).iter().map(|value| value * scale).collect();
        prop_assert!(alike(&expected, &numbers(&b)));
        for (a, b) in a.lags.iter().zip(&b.lags) {
            prop_assert!((a.covariance * scale * scale - b.covariance).abs() < 1e-8);
            prop_assert!((a.correlation.unwrap() - b.correlation.unwrap()).abs() < 1e-8);
        }
    }
}

#[test]
fn names_do_not_matter() {
    let before = panel();
    let mut after = before.clone();
    after.teacher.iter_mut().for_each(|teacher| *teacher = 1000 - *teacher);
    after.classroom.iter_mut().for_each(|classroom| *classroom = 1 - *classroom);
    let (a, mut b) = (before.found(), after.found());
    b.rows.sort_by_key(|row| (1000 - row.teacher, row.year));
    assert!(alike(&numbers(&a), &numbers(&b)));
}

#[test]
fn a_year_does_not_speak_for_itself() {
    // The students of one year of one teacher gain: that year's prediction moves by what covariances and the grand mean
    // move, the other years' by much more.
    let before = planted(400, 5, 1, 4);
    let mut after = before.clone();
    let (teacher, year) = (before.teacher[0], before.year[0]);
    for (row, value) in after.outcome.iter_mut().enumerate() {
        *value += if (before.teacher[row], before.year[row]) == (teacher, year) { 0.5 } else { 0.0 };
    }
    let (a, b) = (before.found(), after.found());
    let moved = |place: usize| (b.rows[place].prediction.unwrap() - a.rows[place].prediction.unwrap()).abs();
    assert_eq!((a.rows[0].teacher, a.rows[1].teacher, a.rows[0].year), (teacher, teacher, year));
    assert!(moved(0) < 0.02 && moved(1) > 0.1, "{} {}", moved(0), moved(1));
}

#[test]
fn lags_beyond_the_last_are_the_last() {
    let panel = planted(200, 6, 2, 5);
    let (short, long) = (panel.with_lags(2), panel.found());
    assert_eq!((short.lags.len(), long.lags.len()), (3, 6));
    assert!(short.lags[..3].iter().zip(&long.lags).all(|(a, b)| (a.covariance - b.covariance).abs() < 1e-12));
    assert!(short.rows.iter().zip(&long.rows).any(|(a, b)| a.prediction != b.prediction));
}
