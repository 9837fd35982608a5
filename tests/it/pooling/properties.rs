//! What must hold of any effects.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

use brightspot::stats::pooling::{Finding, Interval, Method, PoolSpec, Prediction, pool, summarise};
use brightspot::{Error, NoteCode};
use proptest::prelude::*;

const METHODS: [Method; 9] =
    [Method::Dl, Method::Pm, Method::He, Method::Ml, Method::Reml, Method::Hs, Method::Sj, Method::Eb, Method::Ee];

fn effects() -> impl Strategy<Value = Vec<(f64, f64)>> {
    proptest::collection::vec((-2.0..2.0_f64, 0.01..1.0_f64), 3..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn order_shift_and_scale_do_what_they_should(rows in effects(), shift in -3.0..3.0_f64, scale in 0.2..5.0_f64) {
        let (y, v): (Vec<f64>, Vec<f64>) = rows.iter().copied().unzip();
        for method in METHODS {
            let spec = PoolSpec { method, prediction: Prediction::Plugin, ..PoolSpec::default() };
            let plain = summarise(&y, &v, &spec).unwrap();
            let reversed: (Vec<f64>, Vec<f64>) = rows.iter().rev().copied().unzip();
            let back = summarise(&reversed.0, &reversed.1, &spec).unwrap();
            let moved: Vec<f64> = y.iter().map(|y| scale * y + shift).collect();
            let wider: Vec<f64> = v.iter().map(|v| scale * scale * v).collect();
            let other = summarise(&moved, &wider, &spec).unwrap();
            let tolerance = 1e-6 * scale.max(1.0) * scale.max(1.0);
            prop_assert!((back.estimate - plain.estimate).abs() < 1e-7 && (back.tau2 - plain.tau2).abs() < 1e-6);
            prop_assert!((other.estimate - (scale * plain.estimate + shift)).abs() < tolerance, "{method:?}");
            prop_assert!((other.tau2 - scale * scale * plain.tau2).abs() < tolerance, "{method:?}");
            prop_assert!((other.i2 - plain.i2).abs() < 1e-6);
            prop_assert!(plain.lo < plain.estimate && plain.estimate < plain.hi && (0.0..=1.0).contains(&plain.i2));
        }
    }

    #[test]
    fn the_safe_interval_is_never_narrower_than_either(rows in effects()) {
        let (y, v): (Vec<f64>, Vec<f64>) = rows.iter().copied().unzip();
        let width = |interval| {
            let s = summarise(&y, &v, &PoolSpec { interval, prediction: Prediction::Plugin, ..PoolSpec::default() }).unwrap();
            s.hi - s.lo
        };
        let safe = width(Interval::Hksj);
        prop_assert!(safe >= width(Interval::HksjPlain) - 1e-12 && safe >= width(Interval::Z) - 1e-12);
    }

    #[test]
    fn restricted_likelihood_is_at_its_maximum(rows in effects()) {
        let (y, v): (Vec<f64>, Vec<f64>) = rows.iter().copied().unzip();
        let spec = PoolSpec { prediction: Prediction::Plugin, ..PoolSpec::default() };
        let found = summarise(&y, &v, &spec).unwrap().tau2;
        let criterion = |t: f64| {
            let w: Vec<f64> = v.iter().map(|v| 1.0 / (v + t)).collect();
            let total: f64 = w.iter().sum();
            let mu = w.iter().zip(&y).map(|(w, y)| w * y).sum::<f64>() / total;
            let q: f64 = w.iter().zip(&y).map(|(w, y)| w * (y - mu).powi(2)).sum();
            w.iter().map(|w| w.ln()).sum::<f64>() - total.ln() - q
        };
        for factor in [0.9, 0.99, 1.01, 1.1] {
            prop_assert!(criterion(found * factor) <= criterion(found) + 1e-10);
        }
    }
}

#[test]
fn one_and_two_sites_are_shown_and_not_pooled() {
    let spec = PoolSpec::default();
    let one = pool(&[0.3], &[0.01], &spec).unwrap();
    assert_eq!((one.finding, one.summary, one.sites.len()), (Finding::OneSite, None, 1));
    assert!((one.sites[0].hi - 0.3 - 1.959_963_984_540_054 * 0.1).abs() < 1e-12);
    let two = pool(&[0.3, 0.2], &[0.01, 0.02], &spec).unwrap();
    assert_eq!((two.finding, two.summary), (Finding::TwoSites, None));
    assert_eq!(two.notes[0].code, NoteCode::TooFewSites);
    assert!(matches!(pool(&[], &[], &spec), Err(Error::TooFew { .. })));
}

#[test]
fn findings_follow_the_intervals() {
    let finding = |y: &[f64], spec: &PoolSpec| pool(y, &vec![0.01; y.len()], spec).unwrap().finding;
    let up = PoolSpec::default();
    let down = PoolSpec { is_higher_better: false, ..up };
    let all = [0.9, 1.0, 1.1, 1.0, 0.95, 1.05, 0.98, 1.02];
    let mixed = [0.1, 0.9, 1.4, 0.2, 0.8, 1.2, -0.2, 0.6];
    let none = [0.1, -0.1, 0.05, -0.05];
    assert_eq!(finding(&all, &up), Finding::LikelyToHelp);
    assert_eq!(finding(&all, &down), Finding::LikelyToHarm);
    assert_eq!(finding(&mixed, &up), Finding::WorksOnAverage);
    assert_eq!(finding(&mixed, &down), Finding::HarmsOnAverage);
    assert_eq!(finding(&none, &up), Finding::NotDistinguishable);
    // Taken as equal, sites say nothing of a new one.
    let equal = PoolSpec { method: Method::Ee, ..up };
    let pooled = pool(&all, &[0.01; 8], &equal).unwrap();
    assert_eq!((pooled.finding, pooled.summary.unwrap().prediction), (Finding::WorksOnAverage, None));
    assert!(pooled.notes.iter().any(|note| note.code == NoteCode::EqualEffectsAssumed));
}

#[test]
fn equal_effects_have_no_spread_between_them() {
    for method in METHODS {
        let found = summarise(&[0.5; 4], &[0.02; 4], &PoolSpec { method, ..PoolSpec::default() }).unwrap();
        assert!(found.tau2.abs() < 1e-15 && (found.estimate - 0.5).abs() < 1e-15 && found.i2.abs() < 1e-15);
        assert!((found.se - (0.02_f64 / 4.0).sqrt()).abs() < 1e-12);
    }
}

/// Where tau^2 is small beside the sampling variances, its score is known to fewer digits than it has itself.
#[test]
fn the_maximum_is_found_where_sites_hardly_differ() {
    use rand::{RngExt, SeedableRng};
    use rand_distr::{Distribution, StandardNormal};
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(8);
    let mut n_inside = 0;
    for _ in 0..4_000 {
        let v: Vec<f64> = (0..8).map(|_| 0.01 * 8.0_f64.powf(rng.random::<f64>())).collect();
        let mut draw = || -> f64 { StandardNormal.sample(&mut rng) };
        let y: Vec<f64> = v.iter().map(|v| 0.2 + v.sqrt() * draw()).collect();
        let spec = PoolSpec { interval: Interval::Z, prediction: Prediction::Plugin, ..PoolSpec::default() };
        let tau2 = summarise(&y, &v, &spec).unwrap().tau2;
        // The derivative of the restricted likelihood, times two: nothing, or falling where tau^2 is 0.
        let w: Vec<f64> = v.iter().map(|v| 1.0 / (v + tau2)).collect();
        let total: f64 = w.iter().sum();
        let mu = w.iter().zip(&y).map(|(w, y)| w * y).sum::<f64>() / total;
        let score: f64 = w.iter().zip(&y).map(|(w, y)| w * w * (y - mu).powi(2) - w + w * w / total).sum();
        assert!(if tau2 > 0.0 { score.abs() < 1e-9 * total } else { score < 1e-9 * total }, "{tau2} {score}");
        n_inside += u32::from(tau2 > 0.0);
    }
    assert!(n_inside > 1_000, "{n_inside}");
}

#[test]
fn what_cannot_be_pooled_is_said() {
    let spec = PoolSpec::default();
    for (y, v, code) in [
        (vec![0.1, f64::NAN], vec![0.1, 0.1], "invalid_value"),
        (vec![0.1, 0.2], vec![0.1, 0.0], "invalid_value"),
        (vec![0.1, 0.2], vec![0.1], "invalid_value"),
    ] {
        assert_eq!(pool(&y, &v, &spec).unwrap_err().code(), code);
    }
    assert_eq!(pool(&[0.1], &[0.1], &PoolSpec { level: 1.0, ..spec }).unwrap_err().code(), "invalid_option");
}

#[test]
fn the_confidence_distribution_agrees_with_draws_from_it() {
    use rand::SeedableRng;
    use rand_distr::{ChiSquared, Distribution, StandardNormal, StudentT};
    let (y, v) = ([0.42, 0.05, 0.31, 0.66, -0.12], [0.02, 0.04, 0.015, 0.05, 0.03]);
    let (lo, hi) = summarise(&y, &v, &PoolSpec::default()).unwrap().prediction.unwrap();
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
    let (chi, t) = (ChiSquared::new(4.0).unwrap(), StudentT::new(4.0).unwrap());
    let q_at = |tau2: f64| {
        let w: Vec<f64> = v.iter().map(|v| 1.0 / (v + tau2)).collect();
        let total: f64 = w.iter().sum();
        let mu = w.iter().zip(&y).map(|(w, y)| w * y).sum::<f64>() / total;
        (w.iter().zip(&y).map(|(w, y)| w * (y - mu).powi(2)).sum::<f64>(), mu, total)
    };
    let n = 20_000;
    let (mut below, mut above) = (0.0, 0.0);
    for _ in 0..n {
        let target: f64 = chi.sample(&mut rng);
        let (mut from, mut to) = (0.0, 1e4);
        for _ in 0..45 {
            let middle = f64::midpoint(from, to);
            if q_at(middle).0 > target { from = middle } else { to = middle }
        }
        let (q, mu, total) = q_at(from);
        let se = ((q / 4.0).max(1.0) / total).sqrt();
        let z: f64 = StandardNormal.sample(&mut rng);
        let theta = mu - t.sample(&mut rng) * se + z * from.sqrt();
        below += f64::from(u8::from(theta < lo));
        above += f64::from(u8::from(theta > hi));
    }
    // Four standard errors of a simulated 2.5% with 20,000 draws are .0044.
    let n = f64::from(n);
    assert!((below / n - 0.025_f64).abs() < 0.0044 && (above / n - 0.025_f64).abs() < 0.0044, "{below} {above}");
}
