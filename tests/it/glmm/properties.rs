//! Against integration, differences and algebra written out; what must not matter; what cannot be fitted.
#![allow(clippy::print_stdout, clippy::needless_range_loop)] // helpers of tests

use brightspot::mixed::{Family, GlmmFit};
use proptest::prelude::*;

use super::lme4::cbpp;
use super::{Column, Rows, on, own};
use crate::mixed::close;

/// The log-likelihood of a row.
fn log_density(family: Family, y: f64, size: f64, eta: f64) -> f64 {
    let factorial = |n: f64| (1..=n as u64).map(|i| (i as f64).ln()).sum::<f64>();
    match family {
        Family::Binomial => {
            let p = 1.0 / (1.0 + (-eta).exp());
            factorial(size) - factorial(y) - factorial(size - y) + y * p.ln() + (size - y) * (1.0 - p).ln()
        }
        Family::Poisson => {
            let mean = size * eta.exp();
            y * mean.ln() - mean - factorial(y)
        }
    }
}

/// -2 log of the integral over one factor's effects: exactly (trapezoid over 12 standard deviations of the posterior), and by
/// Laplace's approximation with the maximum from bisection of differences.
fn integrated(rows: &Rows, eta: &[f64], theta: f64) -> (f64, f64) {
    let (mut exact, mut laplace) = (0.0, 0.0);
    let groups = *rows.levels[0].iter().max().unwrap();
    for group in 0..=groups {
        let of: Vec<usize> = (0..rows.y.len()).filter(|i| rows.levels[0][*i] == group).collect();
        if of.is_empty() {
            continue;
        }
        let size = |i: usize| rows.size.as_ref().map_or(1.0, |s| s[i]);
        let log = |u: f64| {
            of.iter().map(|&i| log_density(rows.family, rows.y[i], size(i), eta[i] + theta * u)).sum::<f64>()
                - 0.5 * u * u
                - 0.5 * (2.0 * std::f64::consts::PI).ln()
        };
        let slope = |u: f64| (log(u + 1e-5) - log(u - 1e-5)) / 2e-5;
        let (mut low, mut high) = (-12.0, 12.0);
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if slope(middle) > 0.0 { low = middle } else { high = middle }
        }
        let mode = f64::midpoint(low, high);
        let bend = -(log(mode + 1e-3) - 2.0 * log(mode) + log(mode - 1e-3)) / 1e-6;
        laplace += -2.0 * (log(mode) + 0.5 * (2.0 * std::f64::consts::PI / bend).ln());
        let step = 0.02 / bend.sqrt();
        let sum: f64 = (-600..=600).map(|k| (log(mode + f64::from(k) * step) - log(mode)).exp()).sum();
        exact += -2.0 * (log(mode) + (sum * step).ln());
    }
    (exact, laplace)
}

#[test]
fn the_criterion_is_laplaces_and_near_the_integral() {
    for (rows, theta, allowed) in [(cbpp(), 0.7, 0.7), (own("passed"), 0.8, 0.6), (own("referrals"), 0.5, 0.1)] {
        let data = rows.data().unwrap();
        let fit = super::fitted(&data);
        let beta = fit.beta.clone();
        let eta: Vec<f64> = (0..rows.y.len())
            .map(|i| {
                let mut eta = beta[0];
                let mut k = 1;
                for column in &rows.fixed {
                    match column {
                        Column::Number(_, values) => {
                            eta += beta[k] * values[i];
                            k += 1;
                        }
                        Column::Category(_, codes, levels) => {
                            if codes[i] > 0 {
                                eta += beta[k + codes[i] as usize - 1];
                            }
                            k += levels.len() - 1;
                        }
                    }
                }
                eta
            })
            .collect();
        let (exact, laplace) = integrated(&rows, &eta, theta);
        let found = GlmmFit::at(&data, &[theta], &beta).unwrap().criterion;
        println!("{found:.6}: Laplace {laplace:.6}, integral {exact:.6}");
        // The second difference of the brute-force side has five digits.
        close(found, laplace, 1e-5 * found, "Laplace");
        close(found, exact, allowed, "integral");
    }
}

prop_compose! {
    fn counts()(
        rows in prop::collection::vec((0_u32..3, 0_u32..3, -2.0..2.0_f64, 0_u32..7, 1_u32..7), 24..60),
        theta in prop::collection::vec(0.0..1.2_f64, 2),
        beta in prop::collection::vec(-1.0..1.0_f64, 2),
        is_poisson in any::<bool>(),
    ) -> (Rows, Vec<f64>, Vec<f64>) {
        let family = if is_poisson { Family::Poisson } else { Family::Binomial };
        let size: Vec<f64> = rows.iter().map(|r| f64::from(r.4)).collect();
        let mut y: Vec<f64> =
            rows.iter().map(|r| f64::from(if is_poisson { r.3 } else { r.3.min(r.4) })).collect();
        // Not all alike.
        (y[0], y[1]) = (0.0, 1.0);
        let size = size.iter().enumerate().map(|(i, s)| if i == 0 { 2.0 } else { *s }).collect();
        let levels = vec![rows.iter().map(|r| r.0).collect(), rows.iter().map(|r| r.1).collect()];
        let x = rows.iter().map(|r| r.2 + 30.0).collect();
        let rows = Rows { family, fixed: vec![Column::Number("x".into(), x)], y, size: Some(size), levels, labels: vec![] };
        (rows, theta, vec![beta[0] - 30.0 * beta[1], beta[1]])
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_gradient_is_that_of_the_criterion((rows, theta, beta) in counts()) {
        let data = rows.data().unwrap();
        let (value, gradient) = GlmmFit::gradient_at(&data, &theta, &beta).unwrap();
        close(GlmmFit::at(&data, &theta, &beta).unwrap().criterion, value, 1e-9 * value, "value");
        let at = |t: &[f64], b: &[f64]| {
            GlmmFit::at(&data, &t.iter().map(|t| t.sqrt()).collect::<Vec<_>>(), b).unwrap().criterion
        };
        let t: Vec<f64> = theta.iter().map(|t| t * t).collect();
        for k in 0..2 {
            let near = |by: f64| { let mut t = t.clone(); t[k] += by; t };
            let step = 1e-5;
            // One-sided near the boundary, where no variance is below zero.
            let expected = if t[k] > 2.0 * step {
                (at(&near(step), &beta) - at(&near(-step), &beta)) / (2.0 * step)
            } else {
                (4.0 * at(&near(step), &beta) - at(&near(2.0 * step), &beta) - 3.0 * at(&t, &beta)) / (2.0 * step)
            };
            close(gradient[k], expected, 1e-4 * (1.0 + expected.abs()), "by a variance");
            let near = |by: f64| { let mut b = beta.clone(); b[k] += by; b };
            let expected = (at(&t, &near(1e-6)) - at(&t, &near(-1e-6))) / 2e-6;
            close(gradient[2 + k], expected, 1e-4 * (10.0 + expected.abs()), "by a coefficient");
        }
    }

    #[test]
    fn order_and_labels_do_not_matter((rows, ..) in counts()) {
        let base = rows.fit();
        prop_assert!(base.beta.iter().chain(&base.se).chain(&base.theta).all(|v| v.is_finite()), "{base:?}");
        let turn = |v: &[f64]| v.iter().rev().copied().collect::<Vec<_>>();
        let relabel = |v: &[u32]| v.iter().rev().map(|c| 50 - 9 * c).collect::<Vec<_>>();
        let fixed = rows.fixed.iter().map(|c| match c {
            Column::Number(name, values) => Column::Number(name.clone(), turn(values)),
            Column::Category(name, codes, levels) => Column::Category(name.clone(), codes.clone(), levels.clone()),
        });
        let other = Rows {
            family: rows.family,
            fixed: fixed.collect(),
            y: turn(&rows.y),
            size: rows.size.as_deref().map(turn),
            levels: rows.levels.iter().map(|l| relabel(l)).collect(),
            labels: vec![],
        }
        .fit();
        close(other.criterion, base.criterion, 1e-6, "criterion");
        if base.has_converged && other.has_converged {
            for k in 0..2 {
                close(other.beta[k], base.beta[k], 1e-2 * (base.se[k] + 1e-6), "beta");
            }
        }
    }
}

#[test]
fn trials_may_be_rows_or_counts() {
    // Every animal a row of its own: the same parameters, another constant.
    let grouped = cbpp();
    let mut rows = Rows { size: None, y: vec![], fixed: vec![], levels: vec![vec![]], ..cbpp() };
    let Column::Category(name, codes, levels) = &grouped.fixed[0] else { panic!("one category") };
    let mut periods = vec![];
    for i in 0..grouped.y.len() {
        let size = grouped.size.as_ref().unwrap()[i];
        for animal in 0..size as usize {
            rows.y.push(f64::from(u8::from((animal as f64) < grouped.y[i])));
            rows.levels[0].push(grouped.levels[0][i]);
            periods.push(codes[i]);
        }
    }
    rows.fixed.push(Column::Category(name.clone(), periods, levels.clone()));
    let (one, many) = (grouped.fit(), rows.fit());
    close(one.theta[0], many.theta[0], 1e-5, "theta");
    for k in 0..4 {
        close(one.beta[k], many.beta[k], 1e-5, "beta");
        close(one.se[k], many.se[k], 1e-5, "se");
    }
    for (a, b) in one.effects(0).unwrap().iter().zip(many.effects(0).unwrap()) {
        close(a.effect, b.effect, 1e-5, "effect");
        close(a.sd, b.sd, 1e-5, "sd");
    }
}

#[test]
fn without_differences_the_coefficients_are_those_of_a_plain_regression() {
    // A 2 by 2 table has its logistic regression in closed form; the classes hold the same rows each.
    let (mut y, mut x, mut class) = (vec![], vec![], vec![]);
    for c in 0..50_u32 {
        for i in 0..40_u32 {
            class.push(c);
            x.push(f64::from(i % 2));
            y.push(f64::from(u8::from(if i % 2 == 0 { i < 10 } else { i < 30 })));
        }
    }
    let rows = Rows {
        family: Family::Binomial,
        fixed: vec![Column::Number("x".into(), x)],
        y,
        size: None,
        levels: vec![class],
        labels: vec![],
    };
    let fit = rows.fit();
    assert!(fit.is_singular && fit.theta[0] == 0.0, "{:?}", fit.theta);
    assert!(fit.notes.iter().any(|n| n.code.as_str() == "singular" && n.at == "level 0"));
    let odds = |p: f64| (p / (1.0 - p)).ln();
    close(fit.beta[0], odds(0.25), 1e-6, "intercept");
    close(fit.beta[1], odds(0.75) - odds(0.25), 1e-6, "slope");
    close(fit.se[1], (2.0 / (1000.0 * 0.25 * 0.75_f64)).sqrt(), 1e-6, "se");
    assert!(fit.effects(0).unwrap().iter().all(|e| e.effect == 0.0 && e.reliability == 0.0));
}

fn simple(y: &[f64], size: Option<&[f64]>, x: &[f64], class: &[u32], family: Family) -> Rows {
    Rows {
        family,
        fixed: vec![Column::Number("x".into(), x.to_vec())],
        y: y.to_vec(),
        size: size.map(<[f64]>::to_vec),
        levels: vec![class.to_vec()],
        labels: vec![],
    }
}

#[test]
fn what_cannot_be_fitted_is_an_error() {
    let (x, class) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [0, 0, 0, 1, 1, 1]);
    let message = |rows: Rows| rows.data().unwrap_err().to_string();
    let (none, all) = ([0.0; 6], [1.0; 6]);
    assert!(message(simple(&none, None, &x, &class, Family::Binomial)).contains("0 in every row"));
    assert!(message(simple(&none, None, &x, &class, Family::Poisson)).contains("0 in every row"));
    assert!(message(simple(&all, None, &x, &class, Family::Binomial)).contains("every trial a success"));
    let half = [0.0, 0.5, 1.0, 0.0, 1.0, 1.0];
    assert!(message(simple(&half, None, &x, &class, Family::Binomial)).contains("0.5 in row 1"));
    let two = [0.0, 2.0, 1.0, 0.0, 1.0, 1.0];
    assert!(message(simple(&two, None, &x, &class, Family::Binomial)).contains("2 of 1 in row 1"));
    let y = [0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    assert!(
        message(simple(&y, Some(&[1.0, 1.0, 0.0, 1.0, 1.0, 1.0]), &x, &class, Family::Poisson)).contains("exposure")
    );
    assert!(
        message(simple(&y, Some(&[1.0, 1.5, 1.0, 1.0, 1.0, 1.0]), &x, &class, Family::Binomial))
            .contains("1.5 in row 1")
    );
    let single = simple(&y, None, &x, &[0, 1, 2, 3, 4, 5], Family::Binomial).data().unwrap();
    assert_eq!(brightspot::mixed::fit_glmm(&single, &on).unwrap_err().code(), "too_few");
    let data = simple(&y, None, &x, &class, Family::Binomial).data().unwrap();
    let stop = |_: usize, _: usize| Err(brightspot::Error::Interrupted);
    assert_eq!(brightspot::mixed::fit_glmm(&data, &stop).unwrap_err().code(), "interrupted");
    assert_eq!(GlmmFit::at(&data, &[-1.0], &[0.0, 0.0]).unwrap_err().code(), "invalid_option");
    assert_eq!(GlmmFit::at(&data, &[1.0], &[0.0]).unwrap_err().code(), "invalid_option");
}

#[test]
fn what_has_no_bound_is_said_and_finite() {
    // A covariate that separates the outcomes, and a level at which all pass.
    let n = 200;
    let class: Vec<u32> = (0..n).map(|i| i % 10).collect();
    let x: Vec<f64> = (0..n).map(|i| f64::from(i) / 10.0).collect();
    let y: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i >= 100))).collect();
    let fit = simple(&y, None, &x, &class, Family::Binomial).fit();
    let said = |fit: &GlmmFit, at: &str| fit.notes.iter().any(|n| n.code.as_str() == "separated" && n.at == at);
    assert!(said(&fit, "x"), "{fit:?}");
    let flag: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i % 7 == 0))).collect();
    let y: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i % 7 == 0 || (i * i / 3 + i / 11) % 3 == 0))).collect();
    let other = simple(&y, None, &flag, &class, Family::Binomial).fit();
    assert!(said(&other, "x"), "{other:?}");
    // Whole classes pass or fail.
    let y: Vec<f64> = class.iter().map(|c| f64::from(c % 2)).collect();
    let whole = simple(&y, None, &flag, &class, Family::Binomial).fit();
    assert!(said(&whole, "level 0"), "{whole:?}");
    for fit in [fit, other, whole] {
        let numbers = fit.beta.iter().chain(&fit.theta).chain([&fit.criterion]);
        assert!(numbers.clone().all(|v| v.is_finite()), "{fit:?}");
        assert!(fit.effects(0).unwrap().iter().all(|e| e.effect.is_finite() && e.sd.is_finite()), "{fit:?}");
    }
}
