//! Slopes that differ between the units of one factor: against lme4, dense algebra and what must not matter.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::type_complexity,
    clippy::excessive_precision,
    clippy::print_stdout,
    clippy::cast_possible_wrap,
    clippy::float_cmp,
    clippy::unnecessary_wraps
)] // helpers of tests

use brightspot::mixed::{Covariate, Design, Method, SlopeCovariance, SlopeFit, SlopeMoments, encode, fit_slopes};
use faer::{Mat, Side};
use proptest::prelude::*;

use crate::lme4_files::{Golden, data, golden};
use crate::mixed::close;
use crate::tables::{numbers, reference, table};

fn on(_: usize, _: usize) -> brightspot::Result<()> {
    Ok(())
}

fn fitted(moments: &SlopeMoments, structure: SlopeCovariance, method: Method) -> SlopeFit {
    fit_slopes(moments, structure, method, &on).unwrap()
}

/// The pupils of `slopes.csv`: the prior score less 500 as in `golden.R`.
struct Pupils {
    cprior: Vec<f64>,
    hours: Vec<f64>,
    sex: Vec<u32>,
    sexes: Vec<String>,
    teacher: Vec<u32>,
    labels: Vec<String>,
    math: Vec<f64>,
    math0: Vec<f64>,
}

fn pupils() -> Pupils {
    let columns = data("slopes");
    let (sex, sexes) = encode(columns["sex"].iter().map(String::as_str));
    let (teacher, labels) = encode(columns["teacher"].iter().map(String::as_str));
    Pupils {
        cprior: numbers(&columns["prior"]).iter().map(|v| v - 500.0).collect(),
        hours: numbers(&columns["hours"]),
        sex,
        sexes,
        teacher,
        labels,
        math: numbers(&columns["math"]),
        math0: numbers(&columns["math0"]),
    }
}

impl Pupils {
    fn moments(&self, fixed: &[&str], slopes: &[&str], y: &[f64]) -> SlopeMoments {
        let values = |name: &str| if name == "cprior" { &self.cprior } else { &self.hours };
        let covariates: Vec<Covariate> = fixed
            .iter()
            .map(|&name| match name {
                "sex" => Covariate::Categorical { name, codes: &self.sex, levels: &self.sexes },
                _ => Covariate::Numeric { name, values: values(name) },
            })
            .collect();
        let slopes: Vec<(&str, &[f64])> = slopes.iter().map(|&n| (n, values(n).as_slice())).collect();
        SlopeMoments::new(&Design::new(y.len(), &covariates).unwrap(), &slopes, y, &self.teacher).unwrap()
    }
}

/// At lme4's theta everything agrees to rounding; after the search the criterion is never above lme4's.
fn against(
    case: &str,
    expected: &Golden,
    moments: &SlopeMoments,
    labels: &[String],
    structure: SlopeCovariance,
    method: Method,
) {
    let there = SlopeFit::at(moments, &expected.theta, structure, method).unwrap();
    let scale = expected.sigma;
    close(there.criterion, expected.criterion, 1e-9 * expected.criterion, case);
    close(there.sigma, expected.sigma, 1e-9 * scale, case);
    for ((term, estimate, se), (k, name)) in expected.fixed.iter().zip(there.terms.iter().enumerate()) {
        assert_eq!(term, name);
        close(there.beta[k], *estimate, 1e-8 * estimate.abs(), &format!("{case} {term}"));
        close(there.se[k], *se, 1e-8 * se, &format!("{case} se of {term}"));
    }
    let mut n_compared = 0;
    for unit in there.effects() {
        for (k, column) in there.columns.iter().enumerate() {
            let of =
                |name: &String| expected.effects.get(&(format!("{name} {column}"), labels[unit.code as usize].clone()));
            let Some((mode, sd)) =
                ["teacher", "teacher.1", "teacher.2", "Subject"].map(String::from).iter().find_map(of)
            else {
                continue;
            };
            n_compared += 1;
            close(unit.effect[k], *mode, 1e-9 * scale, &format!("{case} {column} of {}", unit.code));
            close(unit.sd_conditional()[k], *sd, 1e-9 * scale, &format!("{case} sd of {column} of {}", unit.code));
        }
    }
    assert_eq!(n_compared, there.effects().len() * there.columns.len(), "{case}");

    let own = fitted(moments, structure, method);
    println!(
        "{case}: {:.9} against {:.9}, {} evaluations, theta {:?}",
        own.criterion, expected.criterion, own.n_evaluations, own.theta
    );
    assert!(own.has_converged, "{case}: {own:?}");
    assert!(own.criterion <= expected.criterion + 1e-7, "{case}: {} > {}", own.criterion, expected.criterion);
    // By maximum likelihood lme4 stops 4e-6 above the minimum (its optimiser gives up near the boundary).
    close(own.criterion, expected.criterion, if case == "slopes_three_ml" { 5e-6 } else { 1e-6 }, case);
}

#[test]
fn the_sleep_study_is_lme4s() {
    let Some(folder) = reference() else { return };
    let columns = table(&folder.join("data/sleepstudy.csv"));
    let days = numbers(&columns["Days"]);
    let (subject, labels) = encode(columns["Subject"].iter().map(String::as_str));
    let reaction = numbers(&columns["Reaction"]);
    let design = Design::new(180, &[Covariate::Numeric { name: "Days", values: &days }]).unwrap();
    let moments = SlopeMoments::new(&design, &[("Days", &days)], &reaction, &subject).unwrap();

    let fixed = table(&folder.join("sleepstudy_slopes.fixef.csv"));
    let units = table(&folder.join("sleepstudy_slopes.ranef.csv"));
    let mut expected = Golden {
        criterion: 1_743.628_271_958_49,
        theta: vec![0.966_732_791_471_446, 0.015_169_059_880_368_3, 0.230_909_598_085_307],
        sigma: 25.591_815_892_624_1,
        ..Golden::default()
    };
    for (term, (estimate, se)) in
        fixed["name"].iter().zip(numbers(&fixed["estimate"]).into_iter().zip(numbers(&fixed["se"])))
    {
        expected.fixed.push((term.clone(), estimate, se));
    }
    let (modes, sds, errors) = (numbers(&units["blup"]), numbers(&units["cond_sd"]), numbers(&units["pev_sd"]));
    let at = SlopeFit::at(&moments, &expected.theta, SlopeCovariance::Correlated, Method::Reml).unwrap();
    for i in 0..modes.len() {
        let key = (format!("Subject {}", units["column"][i]), units["level"][i].clone());
        let unit = at.effects().iter().find(|e| labels[e.code as usize] == key.1).unwrap();
        let column = at.columns.iter().position(|c| *c == units["column"][i]).unwrap();
        close(unit.sd()[column], errors[i], 1e-9 * expected.sigma, "prediction error");
        expected.effects.insert(key, (modes[i], sds[i]));
    }
    assert_eq!(modes.len(), 36);
    close(at.covariance[0][1], 9.604_335_474_754_848, 1e-8, "covariance");
    close(at.correlation(0, 1), 0.065_551_342_853_464_228, 1e-10, "correlation");
    against("sleepstudy", &expected, &moments, &labels, SlopeCovariance::Correlated, Method::Reml);
    // Bates et al. (2015, table 2): SD 24.74 and 5.92, correlation .07.
    let own = fitted(&moments, SlopeCovariance::Correlated, Method::Reml);
    close(own.sds()[0], 24.740, 5e-3, "sd of intercepts");
    close(own.sds()[1], 5.922, 5e-3, "sd of slopes");
}

#[test]
fn our_pupils_are_lme4s() {
    let pupils = pupils();
    let three = pupils.moments(&["cprior", "hours", "sex"], &["cprior", "hours"], &pupils.math);
    let none = pupils.moments(&["cprior"], &["cprior"], &pupils.math0);
    let not_fixed = pupils.moments(&["hours"], &["cprior"], &pupils.math);
    let (correlated, apart) = (SlopeCovariance::Correlated, SlopeCovariance::Uncorrelated);
    for (case, moments, structure, method) in [
        ("slopes_three", &three, correlated, Method::Reml),
        ("slopes_three_ml", &three, correlated, Method::Ml),
        ("slopes_apart", &three, apart, Method::Reml),
        ("slopes_none", &none, correlated, Method::Reml),
        ("slopes_not_fixed", &not_fixed, correlated, Method::Reml),
    ] {
        against(case, &golden(case), moments, &pupils.labels, structure, method);
    }
}

#[test]
fn a_tie_between_intercept_and_slope_is_said() {
    let pupils = pupils();
    let fit =
        fitted(&pupils.moments(&["cprior"], &["cprior"], &pupils.math0), SlopeCovariance::Correlated, Method::Reml);
    assert!(fit.is_singular && fit.notes.iter().any(|n| n.code.as_str() == "singular_slopes"), "{:?}", fit.notes);
    close(fit.correlation(0, 1).abs(), 1.0, 1e-9, "correlation");
    // Where every unit holds the same rows, every column says that it does not differ.
    let (x, codes): (Vec<f64>, Vec<u32>) = (0..60).map(|i| (f64::from(i % 6), i / 6)).unzip();
    let y: Vec<f64> = (0..60).map(|i| x[i] + [3.0, -3.0, 1.0, -1.0, 2.0, -2.0][i % 6]).collect();
    let design = Design::new(60, &[Covariate::Numeric { name: "x", values: &x }]).unwrap();
    let moments = SlopeMoments::new(&design, &[("x", &x)], &y, &codes).unwrap();
    for structure in [SlopeCovariance::Correlated, SlopeCovariance::Uncorrelated] {
        let fit = fitted(&moments, structure, Method::Reml);
        let said: Vec<&str> =
            fit.notes.iter().filter(|n| n.code.as_str() == "singular").map(|n| n.at.as_str()).collect();
        assert_eq!(said, ["(Intercept)", "x"], "{structure:?}");
        assert!(fit.has_converged && fit.effects().iter().all(|e| e.reliability.iter().all(|r| *r < 1e-6)));
    }
}

/// Dense generalised least squares.
struct Dense {
    criterion: f64,
    beta: Vec<f64>,
    sigma: f64,
    effects: Vec<f64>,
    conditional: Vec<f64>,
    errors: Vec<f64>,
}

fn dense(x: &Mat<f64>, z: &Mat<f64>, relative: &Mat<f64>, y: &[f64], method: Method) -> Dense {
    let (n, p) = (x.nrows(), x.ncols());
    let y = Mat::from_fn(n, 1, |i, _| y[i]);
    let v = Mat::<f64>::identity(n, n) + z * relative * z.transpose();
    let inverse = |m: &Mat<f64>| {
        let eigen = m.self_adjoint_eigen(Side::Lower).unwrap();
        let d = m.nrows();
        let half = Mat::from_fn(d, d, |i, j| eigen.U()[(i, j)] / eigen.S()[j].sqrt());
        let log_det: f64 = (0..d).map(|i| eigen.S()[i].ln()).sum();
        (&half * half.transpose(), log_det)
    };
    let (v_inverse, log_det) = inverse(&v);
    let (xx, log_det_x) = inverse(&(x.transpose() * &v_inverse * x));
    let beta = &xx * x.transpose() * &v_inverse * &y;
    let residual = &y - x * &beta;
    let r2 = (residual.transpose() * &v_inverse * &residual)[(0, 0)];
    let freedom = n as f64 - if method == Method::Reml { p as f64 } else { 0.0 };
    let sigma2 = r2 / freedom;
    let fit = freedom * (1.0 + (2.0 * std::f64::consts::PI * sigma2).ln());
    let d = relative * z.transpose() * &v_inverse;
    let conditional = relative - &d * z * relative;
    let c = &d * x;
    let errors = &conditional + &c * &xx * c.transpose();
    let diagonal = |m: &Mat<f64>| (0..m.nrows()).map(|i| (sigma2 * m[(i, i)]).max(0.0).sqrt()).collect();
    Dense {
        criterion: log_det + fit + if method == Method::Reml { log_det_x } else { 0.0 },
        beta: (0..p).map(|i| beta[(i, 0)]).collect(),
        sigma: sigma2.sqrt(),
        effects: {
            let b = &d * &residual;
            (0..b.nrows()).map(|i| b[(i, 0)]).collect()
        },
        conditional: diagonal(&conditional),
        errors: diagonal(&errors),
    }
}

prop_compose! {
    fn designs()(
        rows in prop::collection::vec((0_u32..6, -3.0..3.0_f64, -1.0..4.0_f64, -10.0..10.0_f64), 25..45),
        theta in prop::collection::vec(0.05..1.5_f64, 6),
        signs in prop::collection::vec(-1.0..1.0_f64, 3),
        offset in -20.0..20.0_f64,
    ) -> (Vec<(u32, f64, f64, f64)>, Vec<f64>, Vec<f64>, f64) {
        (rows, theta, signs, offset)
    }
}

fn moments_of(rows: &[(u32, f64, f64, f64)], offset: f64) -> (SlopeMoments, Vec<f64>, Vec<f64>, Vec<f64>, Vec<u32>) {
    let (x, z, y): (Vec<f64>, Vec<f64>, Vec<f64>) = (
        rows.iter().map(|r| r.1 + offset).collect(),
        rows.iter().map(|r| r.2).collect(),
        rows.iter().map(|r| r.3 + 100.0).collect(),
    );
    let codes: Vec<u32> = rows.iter().map(|r| r.0).collect();
    let design = Design::new(rows.len(), &[Covariate::Numeric { name: "x", values: &x }]).unwrap();
    let moments = SlopeMoments::new(&design, &[("x", &x), ("z", &z)], &y, &codes).unwrap();
    (moments, x, z, y, codes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_design_agrees_with_dense_algebra((rows, mut theta, signs, offset) in designs()) {
        for (place, sign) in [1, 2, 4].into_iter().zip(&signs) {
            theta[place] *= sign;
        }
        let (moments, x, z, y, codes) = moments_of(&rows, offset);
        let n = rows.len();
        let mut units = codes.clone();
        units.sort_unstable();
        units.dedup();
        let wide = Mat::from_fn(n, 3 * units.len(), |i, j| {
            if units[j / 3] == codes[i] { [1.0, x[i], z[i]][j % 3] } else { 0.0 }
        });
        let design = Mat::from_fn(n, 2, |i, j| if j == 0 { 1.0 } else { x[i] });
        for (structure, method) in [
            (SlopeCovariance::Correlated, Method::Reml),
            (SlopeCovariance::Correlated, Method::Ml),
            (SlopeCovariance::Uncorrelated, Method::Reml),
        ] {
            let (theta, lambda) = if structure == SlopeCovariance::Correlated {
                let place = [[0, 9, 9], [1, 3, 9], [2, 4, 5]];
                (theta.clone(), Mat::from_fn(3, 3, |i, j| if j <= i { theta[place[i][j]] } else { 0.0 }))
            } else {
                let own = vec![theta[0], theta[3], theta[5]];
                (own.clone(), Mat::from_fn(3, 3, |i, j| if i == j { own[i] } else { 0.0 }))
            };
            let s = &lambda * lambda.transpose();
            let relative = Mat::from_fn(wide.ncols(), wide.ncols(), |i, j| if i / 3 == j / 3 { s[(i % 3, j % 3)] } else { 0.0 });
            let expected = dense(&design, &wide, &relative, &y, method);
            let fit = SlopeFit::at(&moments, &theta, structure, method).unwrap();
            close(fit.criterion, expected.criterion, 1e-8, "criterion");
            close(fit.sigma, expected.sigma, 1e-8, "sigma");
            for k in 0..2 {
                close(fit.beta[k], expected.beta[k], 1e-8 * (1.0 + expected.beta[k].abs()), "beta");
            }
            for (unit, effect) in fit.effects().iter().enumerate() {
                for k in 0..3 {
                    let scale = 1.0 + offset.abs();
                    close(effect.effect[k], expected.effects[3 * unit + k], 1e-8 * scale, "effect");
                    close(effect.sd_conditional()[k], expected.conditional[3 * unit + k], 1e-7 * scale, "conditional");
                    close(effect.sd()[k], expected.errors[3 * unit + k], 1e-7 * scale, "error");
                }
            }
            // The gradient is that of the criterion.
            let (_, gradient) = SlopeFit::gradient_at(&moments, &theta, structure, method).unwrap();
            for (k, g) in gradient.iter().enumerate() {
                let value = |by: f64| {
                    let mut near = theta.clone();
                    near[k] += by;
                    SlopeFit::at(&moments, &near, structure, method).map(|f| f.criterion)
                };
                if let (Ok(up), Ok(down)) = (value(1e-5), value(-1e-5)) {
                    close(*g, (up - down) / 2e-5, 1e-4 * (1.0 + g.abs()), "gradient");
                }
            }
        }
    }

    #[test]
    fn order_labels_parts_and_zeros_do_not_matter((rows, _, _, offset) in designs(), split in 5_usize..20) {
        let (whole, x, z, ..) = moments_of(&rows, 0.0);
        let fit = |m: &SlopeMoments| fitted(m, SlopeCovariance::Correlated, Method::Reml);
        let base = fit(&whole);
        let mut turned: Vec<_> = rows.iter().map(|r| (90 - 7 * r.0, r.1, r.2, r.3)).collect();
        turned.reverse();
        let tolerance = 1e-6 * (1.0 + base.criterion.abs());
        let other = fit(&moments_of(&turned, 0.0).0);
        close(other.criterion, base.criterion, tolerance, "order and labels");
        let parts = |m: &SlopeMoments| serde_json::from_str::<SlopeMoments>(&serde_json::to_string(m).unwrap()).unwrap();
        let (first, second) = (moments_of(&rows[..split], 0.0).0, moments_of(&rows[split..], 0.0).0);
        let merged = parts(&first).merge(&parts(&second)).unwrap();
        prop_assert_eq!(merged.n_obs(), whole.n_obs());
        prop_assert_eq!(merged.n_groups(), whole.n_groups());
        let theta = [0.5, 0.1, -0.2, 0.4, 0.1, 0.3];
        let at = |m: &SlopeMoments| SlopeFit::at(m, &theta, SlopeCovariance::Correlated, Method::Reml).unwrap();
        close(at(&merged).criterion, at(&whole).criterion, 1e-9 * (1.0 + at(&whole).criterion.abs()), "parts");
        // Correlated slopes do not depend on where a covariate has its zero; what a unit adds to a row does not either.
        let moved = fit(&moments_of(&rows, offset).0);
        close(moved.criterion, base.criterion, tolerance, "zero");
        if base.has_converged && moved.has_converged && !base.is_singular {
            let (here, there) = (base.effects()[0].at(&[1.0, x[0], z[0]]), moved.effects()[0].at(&[1.0, x[0] + offset, z[0]]));
            close(here.0, there.0, 2e-3 * base.sigma, "what a unit adds");
            close(here.1, there.1, 2e-3 * base.sigma, "its error");
        }
    }
}

#[test]
fn what_cannot_be_fitted_is_an_error() {
    let (x, y) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 2.5, 2.0, 4.0, 5.5, 5.0]);
    let design = Design::new(6, &[Covariate::Numeric { name: "x", values: &x }]).unwrap();
    let codes = [0, 0, 0, 1, 1, 1];
    assert_eq!(SlopeMoments::new(&design, &[], &y, &codes).unwrap_err().code(), "too_few");
    assert_eq!(SlopeMoments::new(&design, &[("x", &x), ("x", &x)], &y, &codes).unwrap_err().code(), "invalid_option");
    assert_eq!(SlopeMoments::new(&design, &[("x", &x[..4])], &y, &codes).unwrap_err().code(), "invalid_value");
    let constant = [3.0; 6];
    let moments = SlopeMoments::new(&design, &[("c", &constant)], &y, &codes).unwrap();
    let error = fit_slopes(&moments, SlopeCovariance::Correlated, Method::Reml, &on).unwrap_err();
    assert!(error.to_string().contains("without variation"), "{error}");
    let moments = SlopeMoments::new(&design, &[("x", &x)], &y, &[0; 6]).unwrap();
    assert_eq!(fit_slopes(&moments, SlopeCovariance::Correlated, Method::Reml, &on).unwrap_err().code(), "too_few");
    let moments = SlopeMoments::new(&design, &[("x", &x)], &y, &codes).unwrap();
    let stop = |_: usize, _: usize| Err(brightspot::Error::Interrupted);
    assert_eq!(
        fit_slopes(&moments, SlopeCovariance::Correlated, Method::Reml, &stop).unwrap_err().code(),
        "interrupted"
    );
    let wrong = SlopeFit::at(&moments, &[1.0, 0.0], SlopeCovariance::Correlated, Method::Reml).unwrap_err();
    assert_eq!(wrong.code(), "invalid_option");
    let exact: Vec<f64> = x.iter().map(|x| 2.0 * x + 1.0).collect();
    let moments = SlopeMoments::new(&design, &[("x", &x)], &exact, &codes).unwrap();
    assert_eq!(
        fit_slopes(&moments, SlopeCovariance::Correlated, Method::Reml, &on).unwrap_err().code(),
        "invalid_value"
    );
}
