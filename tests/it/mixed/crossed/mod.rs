//! Crossed factors, multiple membership and weights against dense linear algebra.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::float_cmp,
    clippy::type_complexity,
    clippy::unnecessary_wraps,
    clippy::cast_possible_wrap
)] // helpers of tests

mod coverage;
mod dense;
pub(super) mod sample;
mod search;

use brightspot::mixed::{Design, Fit, Members, Method, Moments, Random, Route, fit, fit_while};
use sample::{Part, Sample, Shape, sample};

use super::close;

#[test]
fn the_route_is_said() {
    let route = |shapes: &[Shape]| fit(&sample(7, 80, shapes, false).moments(), Method::Reml).unwrap().route;
    assert_eq!(route(&[Shape::Nested(4, 3)]), Route::ClosedForm);
    assert_eq!(route(&[Shape::One(4), Shape::One(3)]), Route::Dense);
    assert_eq!(route(&[Shape::Members(5)]), Route::Dense);
}

#[test]
fn weights_count_as_repeated_rows_do_for_the_effects() {
    // A weight of 2 is two rows of the same value, but for the residual variance.
    let s = sample(3, 40, &[Shape::One(5)], false);
    let twice: Vec<usize> = (0..40).chain((0..40).filter(|i| i % 3 == 0)).collect();
    let repeated = Fit::at(&s.moments_of(&twice), &[0.6], Method::Reml).unwrap();
    let weights = (0..40).map(|i| if i % 3 == 0 { 2.0 } else { 1.0 }).collect();
    let weighted = Fit::at(&Sample { weights: Some(weights), ..s }.moments(), &[0.6], Method::Reml).unwrap();
    for (a, b) in repeated.effects(0).unwrap().iter().zip(weighted.effects(0).unwrap()) {
        close(a.effect, b.effect, 1e-10, "effect");
        close(a.sd / repeated.sigma, b.sd / weighted.sigma, 1e-10, "sd");
    }
}

#[test]
fn what_is_no_weight_or_membership_is_named() {
    let design = Design::new(3, &[]).unwrap();
    let y = [1.0, 2.0, 4.0];
    let of = |random: &[Random], weights: Option<&[f64]>| Moments::of_model(&design, &y, random, weights);
    let nested = [Random::Nested(&[&[0, 0, 1]])];
    for (weights, part) in
        [(vec![1.0, -1.0, 1.0], "-1 in row 1"), (vec![1.0, 1.0, f64::NAN], "NaN in row 2"), (vec![1.0], "1 rows")]
    {
        let error = of(&nested, Some(&weights)).unwrap_err();
        assert_eq!(error.code(), "invalid_value");
        assert!(error.to_string().contains(part), "{error}");
    }
    assert_eq!(of(&nested, Some(&[0.0; 3])).unwrap_err().code(), "too_few");
    assert_eq!(of(&nested, Some(&[1.0, 0.0, 2.0])).unwrap().n_obs(), 2);
    let members = |codes: &[&[u32]], weights: &[&[f64]], normalize: bool| {
        of(&[Random::Members(Members { codes, weights, normalize })], None)
    };
    let none = Members::NONE;
    for (codes, weights, part) in [
        (vec![0, 1, 0], vec![1.0, 0.5, 0.9], "sum to 0.5; rows 1, 2"),
        (vec![0, none, 0], vec![1.0, 1.0, 1.0], "without a unit; rows 1"),
        (vec![0, 1, 0], vec![1.0, -1.0, 1.0], "a weight of -1"),
    ] {
        let error = members(&[&codes], &[&weights], false).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
    assert_eq!(members(&[&[0, 1, 0]], &[], false).unwrap_err().code(), "invalid_value");
    // Normalised, shares of any size do; a row without any is still an error.
    let places: [&[u32]; 2] = [&[0, 1, 0], &[1, none, 1]];
    let halves = members(&places, &[&[1.0, 7.0, 2.0], &[1.0, 0.0, 2.0]], true).unwrap();
    let plain = members(&places, &[&[0.5, 1.0, 0.5], &[0.5, 0.0, 0.5]], false).unwrap();
    assert_eq!(halves, plain);
    assert!(members(&[&[0, 1, 0]], &[&[1.0, 0.0, 1.0]], true).is_err());
}

#[test]
fn a_fit_stops_when_it_is_told_to() {
    let moments = sample(5, 80, &[Shape::One(6), Shape::One(5)], false).moments();
    let count = std::cell::Cell::new(0);
    let stop_after = |n: i32| {
        count.set(0);
        fit_while(&moments, Method::Reml, &|| {
            count.set(count.get() + 1);
            if count.get() > n { Err(brightspot::Error::Interrupted) } else { Ok(()) }
        })
    };
    for n in [0, 1, 10, 40] {
        assert_eq!(stop_after(n).unwrap_err().code(), "interrupted", "{n}");
        assert!(count.get() <= n + 1, "{n}");
    }
    assert_eq!(stop_after(100_000).unwrap().n_evaluations as i32, count.get());
}

#[test]
fn the_second_order_deviation_is_that_of_prasad_and_rao() {
    // Nested error model with one factor, X-free form of g3 (Prasad & Rao 1990): with psi = (t), b = t r / (1 + t n) and
    // Var(r) = sigma^2 n (1 + t n), g3 = sigma^2 n / (1 + t n)^3 Var(t).
    let s = sample(21, 60, &[Shape::One(8)], true);
    let moments = s.moments();
    let found = fit(&moments, Method::Reml).unwrap();
    let t = found.theta[0] * found.theta[0];
    let g3 = found.second_order(&moments).unwrap();
    let at = |t: f64| Fit::at(&moments, &[t.sqrt()], Method::Reml).unwrap().criterion;
    let e = 1e-2 * t;
    let second =
        (-at(t - 2.0 * e) + 16.0 * at(t - e) - 30.0 * at(t) + 16.0 * at(t + e) - at(t + 2.0 * e)) / (12.0 * e * e);
    let weights = s.weights.as_ref().unwrap();
    let Part::Nested(levels) = &s.parts[0] else { unreachable!() };
    for (unit, g3) in found.effects(0).unwrap().iter().zip(&g3[0]) {
        let n: f64 = (0..60).filter(|&i| levels[0][i] == unit.path[0]).map(|i| weights[i]).sum();
        let expected = found.sigma.powi(2) * n / (1.0 + t * n).powi(3) * 2.0 / second;
        close(*g3, expected, 1e-3 * expected, "g3");
    }
    // By finite differences of the effects' own linear form, where factors cross: E[(db/dt)(db/dt)'] over y.
    let moments = sample(22, 70, &[Shape::Nested(4, 3), Shape::One(5)], false).moments();
    let found = fit(&moments, Method::Reml).unwrap();
    for (level, g3) in found.second_order(&moments).unwrap().iter().enumerate() {
        for (effect, g3) in found.effects(level).unwrap().iter().zip(g3) {
            if found.theta[level] == 0.0 {
                assert!(g3.is_nan());
            } else {
                assert!(*g3 > 0.0 && *g3 < effect.sd.powi(2), "{level}: {g3}");
            }
        }
    }
    assert_eq!(fit(&moments, Method::Ml).unwrap().second_order(&moments).unwrap_err().code(), "invalid_option");
}

#[test]
fn units_one_to_one_are_said_to_be_confounded() {
    let s = sample(31, 60, &[Shape::One(6)], false);
    let Part::Nested(levels) = &s.parts[0] else { unreachable!() };
    let renamed: Vec<u32> = levels[0].iter().map(|u| 10 - u).collect();
    let design = Design::new(60, &[]).unwrap();
    let (first, second): ([&[u32]; 1], [&[u32]; 1]) = ([&levels[0]], [&renamed]);
    let of = |random: &[Random]| fit(&Moments::of_model(&design, &s.y, random, None).unwrap(), Method::Reml).unwrap();
    let (both, one) = (of(&[Random::Nested(&first), Random::Nested(&second)]), of(&[Random::Nested(&first)]));
    close(both.criterion, one.criterion, 1e-9, "criterion");
    assert_eq!(both.theta[1], 0.0);
    assert!(both.notes.iter().any(|n| n.code.as_str() == "confounded_levels" && n.at == "level 1"));
}
