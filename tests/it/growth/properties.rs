//! What must hold of any scores.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

use brightspot::growth::{GrowthModel, GrowthSpec, fit};
use brightspot::stats::quantile_regression::{self, Rows};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

fn students(n: usize, seed: u64) -> (Vec<f64>, Vec<f64>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
    (0..n)
        .map(|_| {
            let prior = normal();
            // More spread among those who start low.
            (0.7 * prior + (0.8 - 0.15 * prior.clamp(-2.0, 2.0)) * normal(), prior)
        })
        .unzip()
}

fn fitted(y: &[f64], prior: &[f64]) -> GrowthModel {
    fit(("y", y), &[("prior", prior)], &GrowthSpec::default(), &|_, _| Ok(())).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_vertex_is_better(y in proptest::collection::vec(-5.0..5.0_f64, 8..14), tau in 0.05..0.95_f64) {
        // All lines through two points, one of which is optimal (Koenker 2005, Quantile Regression, theorem 2.1).
        let x: Vec<f64> = (0..y.len()).flat_map(|i| [1.0, (i as f64 * 0.7).sin()]).collect();
        let rows = Rows { x: &x, width: 2, y: &y };
        let found = quantile_regression::check_loss(&rows, &quantile_regression::fit(&rows, tau).unwrap(), tau);
        let mut best = f64::INFINITY;
        for i in 0..y.len() {
            for j in 0..i {
                let (a, b) = (x[2 * i + 1], x[2 * j + 1]);
                let slope = (y[i] - y[j]) / (a - b);
                best = best.min(quantile_regression::check_loss(&rows, &[y[i] - slope * a, slope], tau));
            }
        }
        prop_assert!(found <= best * (1.0 + 1e-9) && found >= best * (1.0 - 1e-9), "{found} {best}");
    }
}

#[test]
fn percentiles_are_even_at_every_start() {
    let (y, prior) = students(2_000, 3);
    let placed = fitted(&y, &prior).place(&y, &[&prior]).unwrap();
    for start in [-1.0, 0.0, 1.0] {
        let group: Vec<f64> = placed
            .percentile
            .iter()
            .zip(&prior)
            .filter(|(_, prior)| (*prior - start).abs() < 0.5)
            .map(|(found, _)| f64::from(found.unwrap()))
            .collect();
        let mean = group.iter().sum::<f64>() / group.len() as f64;
        let low = group.iter().filter(|p| **p <= 25.0).count() as f64 / group.len() as f64;
        // Three standard errors with some 500 students: 3.9 percentiles, .058.
        assert!((mean - 50.0).abs() < 3.9 && (low - 0.25).abs() < 0.058, "{start}: {mean} {low}");
    }
}

#[test]
fn shift_and_scale_of_scores_change_nothing() {
    let (y, prior) = students(200, 5);
    let plain = fitted(&y, &prior).place(&y, &[&prior]).unwrap();
    let moved: Vec<f64> = y.iter().map(|y| 500.0 + 40.0 * y).collect();
    let start: Vec<f64> = prior.iter().map(|p| 480.0 + 35.0 * p).collect();
    let other = fitted(&moved, &start).place(&moved, &[&start]).unwrap();
    let gap = |a: &Option<u32>, b: &Option<u32>| a.unwrap().abs_diff(b.unwrap());
    assert!(plain.percentile.iter().zip(&other.percentile).all(|(a, b)| gap(a, b) <= 1));
}

#[test]
fn the_table_survives_and_places_new_students() {
    let (y, prior) = students(200, 7);
    let model = fitted(&y, &prior);
    let text = serde_json::to_string(&model).unwrap();
    let again: GrowthModel = serde_json::from_str(&text).unwrap();
    assert_eq!(again, model);
    let placed = again.place(&[-9.0, 9.0, f64::NAN, 0.0], &[&[0.0, 0.0, 0.0, 50.0]]).unwrap();
    assert_eq!(placed.percentile[..3], [Some(1), Some(99), None]);
    assert_eq!(placed.n_outside, 1);
    assert!((placed.median[0]).abs() < 0.3);
    assert_eq!(again.place(&[1.0], &[]).unwrap_err().code(), "invalid_value");
}

#[test]
fn two_prior_scores_and_work_that_is_stopped() {
    let (y, a) = students(300, 9);
    let (b, _) = students(300, 10);
    let priors: [(&str, &[f64]); 2] = [("a", &a), ("b", &b)];
    let spec = GrowthSpec { knot_shares: vec![0.5], ..GrowthSpec::default() };
    let model = fit(("y", &y), &priors, &spec, &|_, _| Ok(())).unwrap();
    assert_eq!(model.quantiles[0].coefficients.len(), 9);
    let stop = |done: usize, _| if done == 3 { Err(brightspot::Error::Interrupted) } else { Ok(()) };
    assert_eq!(fit(("y", &y), &priors, &spec, &stop).unwrap_err().code(), "interrupted");
}

#[test]
fn what_cannot_be_fitted_is_said() {
    let (y, prior) = students(100, 11);
    let code = |y: &[f64], prior: &[f64], spec: &GrowthSpec| {
        fit(("y", y), &[("p", prior)], spec, &|_, _| Ok(())).unwrap_err().code()
    };
    let spec = GrowthSpec::default();
    assert_eq!(code(&y[..20], &prior[..20], &spec), "too_few");
    assert_eq!(code(&y, &[1.0; 100], &spec), "invalid_value");
    assert_eq!(code(&y, &prior[..50], &spec), "invalid_value");
    let knots = GrowthSpec { knots: Some(vec![vec![0.5, 0.2]]), ..spec };
    assert_eq!(code(&y, &prior, &knots), "invalid_option");
    assert_eq!(fit(("y", &y), &[], &GrowthSpec::default(), &|_, _| Ok(())).unwrap_err().code(), "invalid_option");
}
