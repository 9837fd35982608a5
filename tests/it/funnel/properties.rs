//! What must hold of any units, and where others err.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

use brightspot::NoteCode;
use brightspot::bright::funnel::{Funnel, FunnelInput, FunnelSpec, Kind, Overdispersion, funnel};
use proptest::prelude::*;

fn made(value: &[f64], size: &[f64], spec: &FunnelSpec) -> Funnel {
    funnel(&FunnelInput { value, size, sd: None }, spec).unwrap()
}

fn counts() -> impl Strategy<Value = Vec<(f64, f64)>> {
    proptest::collection::vec((5_u32..300, 0.05..0.95_f64), 4..30)
        .prop_map(|rows| rows.into_iter().map(|(n, p)| ((f64::from(n) * p).round(), f64::from(n))).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn limits_hold_the_target_and_grow_with_the_level(rows in counts(), how in 0..3_usize) {
        let (value, size): (Vec<f64>, Vec<f64>) = rows.iter().copied().unzip();
        let overdispersion = [Overdispersion::Additive, Overdispersion::Multiplicative, Overdispersion::None][how];
        let levels = vec![0.5, 0.8, 0.9, 0.95, 0.998];
        let found = made(&value, &size, &FunnelSpec { overdispersion, levels, ..FunnelSpec::default() });
        for unit in &found.units {
            for pair in unit.bounds.windows(2) {
                prop_assert!(pair[1].0.lo <= pair[0].0.lo + 1e-12 && pair[0].0.hi <= pair[1].0.hi + 1e-12);
                // Outside of the wide limits is outside of the narrow ones.
                prop_assert!(!pair[1].1 || pair[0].1);
            }
            let (bounds, _) = unit.bounds[3];
            prop_assert!(0.0 <= bounds.lo && bounds.lo <= found.target && found.target <= bounds.hi && bounds.hi <= 1.0);
            prop_assert!((0.0..=1.0).contains(&unit.p) && unit.q_value >= unit.p - 1e-12);
        }
    }

    #[test]
    fn order_does_not_matter(rows in counts()) {
        let (value, size): (Vec<f64>, Vec<f64>) = rows.iter().copied().unzip();
        let (v2, s2): (Vec<f64>, Vec<f64>) = rows.iter().rev().copied().unzip();
        let (a, b) = (made(&value, &size, &FunnelSpec::default()), made(&v2, &s2, &FunnelSpec::default()));
        prop_assert!((a.dispersion.tau2 - b.dispersion.tau2).abs() < 1e-12);
        for (x, y) in a.units.iter().zip(b.units.iter().rev()) {
            prop_assert!((x.z_adjusted - y.z_adjusted).abs() < 1e-10);
        }
    }
}

/// Squared without a bound, the lower limit of a small unit rises again below zero: sin(-a)^2 = sin(a)^2.
#[test]
fn an_angle_is_bounded_before_it_comes_back() {
    let (value, size) = ([0.0, 1.0, 30.0, 3.0, 50.0, 1.0], [3.0, 4.0, 400.0, 60.0, 500.0, 2.0]);
    let found = made(&value, &size, &FunnelSpec::default());
    assert!(found.units[0].bounds[0].0.lo == 0.0 && found.units[0].bounds[1].0.lo == 0.0);
    let low: Vec<f64> = found.curve.iter().map(|point| point.bounds[0].lo).collect();
    assert!(low.windows(2).all(|pair| pair[0] <= pair[1] + 1e-12), "the lower limit rises with the size");
    assert!(found.curve.windows(2).all(|p| p[1].bounds[1].hi <= p[0].bounds[1].hi + 1e-12));
}

#[test]
fn any_level_can_be_asked_for() {
    let spec = FunnelSpec { levels: vec![0.9], ..FunnelSpec::default() };
    let found = made(&[40.0, 50.0, 30.0], &[80.0, 90.0, 70.0], &spec);
    // tau2 is 0 here: z = 1.6448536 of the angle.
    let angle = (120.0_f64 / 240.0).sqrt().asin();
    let expected = (angle + 1.644_853_626_951_472_7 * 0.5 / 80.0_f64.sqrt()).sin().powi(2);
    assert!((found.units[0].bounds[0].0.hi - expected).abs() < 1e-10 && found.dispersion.tau2 == 0.0);
}

#[test]
fn exact_limits_and_exact_p_agree() {
    // A share lies outside of the 95% limits only if its exact two-sided p is below .05 (interpolation is within one count).
    let size: Vec<f64> = vec![40.0; 41];
    let value: Vec<f64> = (0..=40).map(f64::from).collect();
    let spec = FunnelSpec { overdispersion: Overdispersion::None, target: Some(0.5), ..FunnelSpec::default() };
    for unit in made(&value, &size, &spec).units {
        assert!(!unit.bounds[0].1 || unit.p < 0.1, "{} {}", unit.shown, unit.p);
        assert!(unit.bounds[0].1 || unit.p > 0.025);
    }
}

#[test]
fn a_zero_count_has_its_place_on_the_root_scale_and_none_on_the_log_scale() {
    let (value, size) = ([0.0, 5.0, 9.0], [2.0, 5.0, 8.0]);
    let ratio = FunnelSpec { kind: Kind::Ratio, ..FunnelSpec::default() };
    let found = made(&value, &size, &ratio);
    assert!((found.units[0].z + 2.0 * 2.0_f64.sqrt()).abs() < 1e-12);
    let log = FunnelSpec { kind: Kind::RatioLog, ..ratio };
    let refused = funnel(&FunnelInput { value: &value, size: &size, sd: None }, &log).unwrap_err();
    assert!(refused.to_string().contains("kind=\"ratio\""), "{refused}");
}

#[test]
fn two_counts_are_compared_by_their_ratio() {
    let spec = FunnelSpec { kind: Kind::CountRatio, overdispersion: Overdispersion::None, ..FunnelSpec::default() };
    let found = made(&[10.0, 30.0, 20.0], &[20.0, 20.0, 20.0], &spec);
    assert!((found.target - 1.0).abs() < 1e-12);
    let s2 = 10.0 / 10.5_f64.powi(2) + 20.0 / 20.5_f64.powi(2);
    assert!((found.units[0].z - (10.5_f64 / 20.5).ln() / s2.sqrt()).abs() < 1e-12);
}

#[test]
fn what_cannot_be_is_refused() {
    let spec = FunnelSpec::default();
    let refused = |value: &[f64], size: &[f64], spec: &FunnelSpec| {
        funnel(&FunnelInput { value, size, sd: None }, spec).unwrap_err().code()
    };
    assert_eq!(refused(&[5.0], &[4.0], &spec), "invalid_value");
    assert_eq!(refused(&[-1.0], &[4.0], &spec), "invalid_value");
    assert_eq!(refused(&[1.0], &[0.0], &spec), "invalid_value");
    assert_eq!(refused(&[], &[], &spec), "too_few");
    assert_eq!(refused(&[1.0], &[4.0], &FunnelSpec { levels: vec![1.0], ..spec.clone() }), "invalid_option");
    assert_eq!(refused(&[1.0], &[4.0], &FunnelSpec { levels: vec![], ..spec.clone() }), "invalid_option");
    assert_eq!(refused(&[1.0], &[4.0], &FunnelSpec { kind: Kind::Mean, ..spec.clone() }), "invalid_option");
    assert_eq!(refused(&[1.0], &[4.0], &FunnelSpec { target: Some(1.2), ..spec }), "invalid_option");
}

#[test]
fn notes_say_what_is_doubtful() {
    let value: Vec<f64> = (0..20).map(|i| if i % 2 == 0 { 20.0 } else { 80.0 }).collect();
    let found = made(&value, &[100.0; 20], &FunnelSpec::default());
    assert!(found.dispersion.is_overdispersed);
    assert!(found.notes.iter().any(|note| note.code == NoteCode::OverdispersedUnits));
    assert!(found.units.iter().all(|unit| !unit.bounds[0].1), "allowed for, none is unusual");
    let small = made(&[1.0, 2.0, 40.0], &[4.0, 4.0, 90.0], &FunnelSpec::default());
    assert_eq!(small.notes.iter().find(|note| note.code == NoteCode::SmallSizes).unwrap().count, 2);
}
