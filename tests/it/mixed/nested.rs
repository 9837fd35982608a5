//! Mixed models against dense linear algebra, against print, and against themselves.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::print_stdout,
    clippy::float_cmp,
    clippy::type_complexity,
    clippy::unchecked_time_subtraction,
    clippy::excessive_precision
)] // helpers of tests

use std::collections::{BTreeMap, BTreeSet};

use brightspot::mixed::{Covariate, Design, Fit, Method, Moments, fit};
use faer::prelude::Solve;
use faer::{Mat, Side};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::{close, slow_minimum};

/// Rows with nested groups and two covariates, from a seed: unbalanced, and with labels used again in other parents.
struct Sample {
    y: Vec<f64>,
    x: Vec<f64>,
    kind: Vec<u32>,
    levels: Vec<Vec<u32>>,
}

const KINDS: [&str; 3] = ["a", "b", "c"];

fn sample(seed: u64, shape: &[u32], rows: u32, spread: &[f64]) -> Sample {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut normal = move || -> f64 { StandardNormal.sample(&mut rng) };
    let mut rng = ChaCha8Rng::seed_from_u64(seed + 1);
    let mut paths: Vec<(Vec<u32>, f64)> = vec![(vec![], 0.0)];
    for (&width, spread) in shape.iter().zip(spread) {
        let mut next = Vec::new();
        for (path, effect) in &paths {
            for code in 0..width + rng.random_range(0..2) {
                next.push(([path.as_slice(), &[code]].concat(), effect + spread * normal()));
            }
        }
        paths = next;
    }
    let mut s = Sample { y: vec![], x: vec![], kind: vec![], levels: vec![vec![]; shape.len()] };
    for (path, effect) in &paths {
        for _ in 0..=rng.random_range(0..rows) {
            let (x, kind) = (50.0 + 4.0 * normal() + effect, rng.random_range(0..3_u32));
            s.y.push(500.0 + 0.7 * x + 1.5 * f64::from(kind) + effect + 2.0 * normal());
            s.x.push(x);
            s.kind.push(kind);
            for (level, &code) in s.levels.iter_mut().zip(path) {
                level.push(code);
            }
        }
    }
    s
}

impl Sample {
    fn moments(&self) -> Moments {
        self.moments_of(&(0..self.y.len()).collect::<Vec<_>>())
    }

    fn moments_of(&self, rows: &[usize]) -> Moments {
        let pick = |v: &[f64]| rows.iter().map(|&i| v[i]).collect::<Vec<_>>();
        let codes = |v: &[u32]| rows.iter().map(|&i| v[i]).collect::<Vec<_>>();
        let (x, kind) = (pick(&self.x), codes(&self.kind));
        let labels: Vec<String> = KINDS.iter().map(|k| (*k).to_owned()).collect();
        let covariates = [
            Covariate::Numeric { name: "x", values: &x },
            Covariate::Categorical { name: "kind", codes: &kind, levels: &labels },
        ];
        let levels: Vec<Vec<u32>> = self.levels.iter().map(|l| codes(l)).collect();
        let levels: Vec<&[u32]> = levels.iter().map(Vec::as_slice).collect();
        Moments::new(&Design::new(rows.len(), &covariates).unwrap(), &pick(&self.y), &levels).unwrap()
    }

    /// The group of every row at every level, numbered in the order of paths.
    fn groups(&self) -> Vec<Vec<usize>> {
        (0..self.levels.len())
            .map(|depth| {
                let path = |i: usize| self.levels[..=depth].iter().map(|l| l[i]).collect::<Vec<_>>();
                let all: BTreeSet<Vec<u32>> = (0..self.y.len()).map(path).collect();
                let index: BTreeMap<Vec<u32>, usize> = all.into_iter().zip(0..).collect();
                (0..self.y.len()).map(|i| index[&path(i)]).collect()
            })
            .collect()
    }

    fn x_matrix(&self) -> Mat<f64> {
        Mat::from_fn(self.y.len(), 4, |i, j| match j {
            0 => 1.0,
            1 => self.x[i],
            j => f64::from(u8::from(self.kind[i] as usize == j - 1)),
        })
    }
}

/// The criterion by the definition: V laid out in full.
fn dense_criterion(s: &Sample, theta: &[f64], method: Method) -> f64 {
    let (n, groups, x) = (s.y.len(), s.groups(), s.x_matrix());
    let v = Mat::from_fn(n, n, |i, j| {
        let shared: f64 = groups.iter().zip(theta).map(|(g, t)| if g[i] == g[j] { t * t } else { 0.0 }).sum();
        shared + f64::from(u8::from(i == j))
    });
    let y = Mat::from_fn(n, 1, |i, _| s.y[i]);
    let v = v.llt(Side::Lower).unwrap();
    let (vx, vy) = (v.solve(&x), v.solve(&y));
    let xvx = (x.transpose() * &vx).llt(Side::Lower).unwrap();
    let beta = xvx.solve(&(x.transpose() * &vy));
    let r = &y - &x * &beta;
    let r2 = (r.transpose() * v.solve(&r))[(0, 0)];
    let log_det = |l: faer::MatRef<f64>| (0..l.nrows()).map(|k| 2.0 * l[(k, k)].ln()).sum::<f64>();
    let freedom = if method == Method::Reml { n - 4 } else { n } as f64;
    let fit = freedom * (1.0 + (2.0 * std::f64::consts::PI * r2 / freedom).ln());
    log_det(v.L()) + fit + if method == Method::Reml { log_det(xvx.L()) } else { 0.0 }
}

/// Henderson's mixed model equations, inverted in full: solution, C and Z'Z-only conditional covariance.
struct Henderson {
    solution: Mat<f64>,
    inverse: Mat<f64>,
    conditional: Mat<f64>,
    sigma2: f64,
    offsets: Vec<usize>,
}

fn henderson(s: &Sample, theta: &[f64], method: Method) -> Henderson {
    let (n, groups, x) = (s.y.len(), s.groups(), s.x_matrix());
    let mut offsets = vec![4];
    for g in &groups {
        offsets.push(offsets[offsets.len() - 1] + g.iter().max().unwrap() + 1);
    }
    let q = offsets[groups.len()];
    let mut w = Mat::<f64>::zeros(n, q);
    for i in 0..n {
        for j in 0..4 {
            w[(i, j)] = x[(i, j)];
        }
        for (g, offset) in groups.iter().zip(&offsets) {
            w[(i, offset + g[i])] = 1.0;
        }
    }
    let mut c = w.transpose() * &w;
    for (level, t) in theta.iter().enumerate() {
        for k in offsets[level]..offsets[level + 1] {
            c[(k, k)] += 1.0 / (t * t);
        }
    }
    let y = Mat::from_fn(n, 1, |i, _| s.y[i]);
    let wy = w.transpose() * &y;
    let llt = c.llt(Side::Lower).unwrap();
    let solution = llt.solve(&wy);
    let r2 = (y.transpose() * &y)[(0, 0)] - (solution.transpose() * &wy)[(0, 0)];
    let sigma2 = r2 / if method == Method::Reml { n - 4 } else { n } as f64;
    let inverse = llt.solve(Mat::<f64>::identity(q, q));
    let zz = c.submatrix(4, 4, q - 4, q - 4).to_owned();
    let conditional = zz.llt(Side::Lower).unwrap().solve(Mat::<f64>::identity(q - 4, q - 4));
    Henderson { solution, inverse, conditional, sigma2, offsets }
}

#[test]
fn closed_forms_are_those_of_dense_algebra() {
    let cases: [(&[u32], u32, &[f64], &[f64]); 4] = [
        (&[7], 6, &[1.5], &[0.8]),
        (&[4, 3], 5, &[1.0, 1.5], &[0.6, 1.1]),
        (&[3, 2, 3], 4, &[1.0, 0.7, 1.5], &[0.5, 0.3, 1.2]),
        (&[2, 2, 2, 2], 4, &[1.0, 0.7, 0.5, 1.0], &[1.3, 0.2, 0.7, 0.4]),
    ];
    for (seed, (shape, rows, spread, theta)) in (0..).zip(cases) {
        let s = sample(seed, shape, rows, spread);
        let (moments, groups) = (s.moments(), s.groups());
        for method in [Method::Reml, Method::Ml] {
            let at = Fit::at(&moments, theta, method).unwrap();
            close(at.criterion, dense_criterion(&s, theta, method), 1e-8, "criterion");
            let h = henderson(&s, theta, method);
            close(at.sigma.powi(2), h.sigma2, 1e-8 * h.sigma2, "sigma^2");
            for k in 0..4 {
                close(at.beta[k], h.solution[(k, 0)], 1e-8 * (1.0 + h.solution[(k, 0)].abs()), &at.terms[k]);
                for j in 0..4 {
                    let expected = h.sigma2 * h.inverse[(k, j)];
                    close(at.vcov[k][j], expected, 1e-8 * (1.0 + expected.abs()), "vcov");
                }
                close(at.se[k].powi(2), at.vcov[k][k], 1e-10 * at.vcov[k][k], "se");
            }
            for level in 0..theta.len() {
                let effects = at.effects(level).unwrap();
                assert_eq!(effects.len(), h.offsets[level + 1] - h.offsets[level]);
                for (unit, e) in effects.iter().enumerate() {
                    let me = h.offsets[level] + unit;
                    // The unit and everything around it, found through a row of the unit.
                    let row = groups[level].iter().position(|g| *g == unit).unwrap();
                    let line: Vec<usize> = (0..=level).map(|l| h.offsets[l] + groups[l][row]).collect();
                    assert_eq!(e.n, groups[level].iter().filter(|g| **g == unit).count() as f64);
                    assert_eq!(e.path, (0..=level).map(|l| s.levels[l][row]).collect::<Vec<_>>());
                    let sum = |m: &Mat<f64>, o: usize| {
                        line.iter().flat_map(|a| line.iter().map(move |b| (a, b))).map(|(a, b)| m[(a - o, b - o)]).sum()
                    };
                    let total: f64 = line.iter().map(|k| h.solution[(*k, 0)]).sum();
                    close(e.effect, h.solution[(me, 0)], 1e-8, "effect");
                    close(e.sd_conditional.powi(2), h.sigma2 * h.conditional[(me - 4, me - 4)], 1e-8, "conditional");
                    close(e.sd.powi(2), h.sigma2 * h.inverse[(me, me)], 1e-8, "prediction error");
                    close(e.effect_overall, total, 1e-8, "overall");
                    let overall: f64 = sum(&h.inverse, 0);
                    close(e.sd_overall.powi(2), h.sigma2 * overall, 1e-8, "overall prediction error");
                    let spread: f64 = theta[..=level].iter().map(|t| t * t).sum();
                    close(e.reliability_overall, (1.0 - overall / spread).clamp(0.0, 1.0), 1e-8, "reliability");
                    for (other, f) in effects.iter().enumerate() {
                        let (a, b) = (me, h.offsets[level] + other);
                        let variance = h.sigma2 * (h.inverse[(a, a)] + h.inverse[(b, b)] - 2.0 * h.inverse[(a, b)]);
                        let contrast = at.contrast(level, unit, other).unwrap();
                        close(contrast.difference, e.effect - f.effect, 1e-12, "contrast");
                        close(contrast.sd.powi(2), variance, 1e-8, "contrast's variance");
                    }
                }
            }
        }
    }
}

#[test]
fn the_gradient_is_that_of_finite_differences() {
    let s = sample(11, &[4, 3, 2], 5, &[1.0, 0.8, 1.2]);
    let moments = s.moments();
    for method in [Method::Reml, Method::Ml] {
        for theta in [[0.5, 0.3, 0.9], [1.5, 0.1, 0.2], [0.05, 2.0, 0.4]] {
            let (value, gradient) = Fit::gradient_at(&moments, &theta, method).unwrap();
            close(value, Fit::at(&moments, &theta, method).unwrap().criterion, 1e-10, "criterion");
            for level in 0..3 {
                let shifted = |step: f64| {
                    let mut theta = theta;
                    theta[level] = (theta[level].powi(2) + step).sqrt();
                    Fit::at(&moments, &theta, method).unwrap().criterion
                };
                // The five-point rule: its error is of the fourth order in the step.
                let e = 1e-3 * theta[level].powi(2);
                let expected =
                    (shifted(-2.0 * e) - 8.0 * shifted(-e) + 8.0 * shifted(e) - shifted(2.0 * e)) / (12.0 * e);
                close(gradient[level], expected, 1e-6 * (1.0 + expected.abs()), "derivative");
            }
        }
        // On the boundary: from the right only.
        let (value, gradient) = Fit::gradient_at(&moments, &[0.0, 0.4, 0.0], method).unwrap();
        for level in [0, 2] {
            let right = |t: f64| {
                let mut theta = [0.0, 0.4, 0.0];
                theta[level] = t.sqrt();
                Fit::at(&moments, &theta, method).unwrap().criterion
            };
            let e = 1e-5;
            let expected = (-3.0 * value + 4.0 * right(e) - right(2.0 * e)) / (2.0 * e);
            close(gradient[level], expected, 1e-4 * (1.0 + expected.abs()), "derivative at 0");
        }
    }
}

#[test]
fn no_plain_search_finds_a_lower_criterion() {
    for seed in 20..32 {
        let spread: &[f64] = if seed % 3 == 0 { &[0.0, 0.0] } else { &[0.8, 0.5] };
        let s = sample(seed, &[5, 3], 5, spread);
        let moments = s.moments();
        for method in [Method::Reml, Method::Ml] {
            let found = fit(&moments, method).unwrap();
            let slow = slow_minimum(&moments, method, &[0.0, 0.1, 0.7, 3.0], 1e-7);
            assert!(found.has_converged, "{seed}: {found:?}");
            assert!(found.criterion <= slow + 1e-8, "{seed}: {} above {slow}", found.criterion);
            assert!(found.criterion >= slow - 1e-6, "{seed}: {} below {slow}", found.criterion);
            assert!(found.gradient < 1e-4, "{seed}");
        }
    }
}

#[test]
fn dyestuff_is_that_of_the_book_and_of_lme4() {
    // Davies & Goldsmith (1972), table 6.3; balanced, so REML is the analysis of variance: residual mean square
    // 58830/24 = 2451.25, between batches 56357.5/5 = 11271.5, (11271.5 - 2451.25)/5 = 1764.05.
    let yields = [
        [1545.0, 1440.0, 1440.0, 1520.0, 1580.0],
        [1540.0, 1555.0, 1490.0, 1560.0, 1495.0],
        [1595.0, 1550.0, 1605.0, 1510.0, 1560.0],
        [1445.0, 1440.0, 1595.0, 1465.0, 1545.0],
        [1595.0, 1630.0, 1515.0, 1635.0, 1625.0],
        [1520.0, 1455.0, 1450.0, 1480.0, 1445.0],
    ];
    let batch: Vec<u32> = (0..30).map(|i| i / 5).collect();
    let moments = Moments::new(&Design::new(30, &[]).unwrap(), yields.as_flattened(), &[&batch]).unwrap();
    let found = fit(&moments, Method::Reml).unwrap();
    close(found.sigma.powi(2), 2451.25, 1e-3, "residual variance");
    close(found.variances[0], 1764.05, 1e-2, "variance between batches");
    // lme4 1.1-31.
    close(found.criterion, 319.654_276_842_257, 1e-9, "criterion");
    close(found.theta[0], 0.848_323_761_150_101, 1e-5, "theta");
    close(found.beta[0], 1527.5, 1e-9, "mean");
    close(found.se[0], 375.716_655_031_868_f64.sqrt(), 1e-4, "standard error");
    let a = &found.effects(0).unwrap()[0];
    close(a.effect, -17.606_851_167_658_085, 1e-4, "batch A");
    close(a.sd_conditional, 19.586_570_048_129_9, 1e-4, "its conditional deviation");
    close(a.sd, 24.773_031_567_546_319, 1e-4, "its prediction error");
    assert_eq!(found.notes.len(), 1, "six batches: {:?}", found.notes);
    assert!(!found.is_singular && found.has_converged && found.n_evaluations < 60);
}

#[test]
fn no_difference_between_units_is_a_variance_of_zero() {
    // Every unit has the same three values: the between-unit mean square is 0.
    let y: Vec<f64> = (0..30).map(|i| f64::from(i % 3)).collect();
    let units: Vec<u32> = (0..30).map(|i| i / 3).collect();
    let found = fit(&Moments::new(&Design::new(30, &[]).unwrap(), &y, &[&units]).unwrap(), Method::Reml).unwrap();
    assert_eq!(found.theta, [0.0]);
    assert!(found.is_singular && found.has_converged);
    assert_eq!(found.notes[0].code.as_str(), "singular");
    for e in found.effects(0).unwrap() {
        assert_eq!((e.effect, e.sd, e.sd_conditional, e.reliability), (0.0, 0.0, 0.0, 0.0));
        close(e.residual, 0.0, 1e-12, "residual");
    }
}

#[test]
fn what_cannot_be_told_apart_is_said() {
    let s = sample(40, &[6, 1], 6, &[1.0, 1.0]);
    // A school with one class each: the inner factor repeats the outer.
    let one: Vec<u32> = s.levels[0].clone();
    let design = Design::new(s.y.len(), &[]).unwrap();
    let nested = fit(&Moments::new(&design, &s.y, &[&one, &one]).unwrap(), Method::Reml).unwrap();
    let single = fit(&Moments::new(&design, &s.y, &[&one]).unwrap(), Method::Reml).unwrap();
    close(nested.criterion, single.criterion, 1e-9, "criterion");
    assert_eq!(nested.theta, [single.theta[0], 0.0]);
    assert!(nested.notes.iter().any(|n| n.code.as_str() == "confounded_levels" && n.at == "level 1"));
    // A single school around everything has no variance.
    let all = vec![3; s.y.len()];
    let inside = fit(&Moments::new(&design, &s.y, &[&all, &one]).unwrap(), Method::Reml).unwrap();
    close(inside.criterion, single.criterion, 1e-9, "criterion");
    assert_eq!(inside.theta[0], 0.0);
    // Each row a unit of its own; as many terms as rows; nothing to explain.
    let own: Vec<u32> = (0..).take(s.y.len()).collect();
    let error = |y: &[f64], levels: &[&[u32]]| {
        let design = Design::new(y.len(), &[]).unwrap();
        Moments::new(&design, y, levels).and_then(|m| fit(&m, Method::Reml)).unwrap_err().code()
    };
    assert_eq!(error(&s.y, &[&own]), "too_few");
    assert_eq!(error(&[1.0], &[&[0]]), "too_few");
    assert_eq!(error(&[], &[&[]]), "too_few");
    assert_eq!(error(&s.y, &[]), "too_few");
    assert_eq!(error(&vec![7.3; s.y.len()], &[&one]), "invalid_value");
    assert_eq!(error(&[1.0, f64::NAN, 2.0], &[&[0, 0, 1]]), "invalid_value");
    assert_eq!(error(&[1.0, 5.0, 2.0], &[&[0, 0]]), "invalid_value");
    let moments = s.moments();
    for theta in [vec![0.1], vec![0.1, -0.2], vec![f64::NAN, 0.1]] {
        assert_eq!(Fit::at(&moments, &theta, Method::Ml).unwrap_err().code(), "invalid_option");
    }
    assert_eq!(single.effects(1).unwrap_err().code(), "invalid_option");
    assert_eq!(single.contrast(0, 0, 99).unwrap_err().code(), "invalid_option");
}

#[test]
fn a_combination_of_terms_is_dropped_by_name() {
    let s = sample(41, &[8], 6, &[1.0]);
    let twice: Vec<f64> = s.x.iter().map(|x| 3.0 - 2.0 * x).collect();
    let flat = vec![5.1; s.y.len()];
    let labels: Vec<String> = ["a", "b", "c", "unused"].iter().map(|l| (*l).to_owned()).collect();
    let covariates = [
        Covariate::Numeric { name: "flat", values: &flat },
        Covariate::Numeric { name: "x", values: &s.x },
        Covariate::Numeric { name: "twice", values: &twice },
        Covariate::Categorical { name: "kind", codes: &s.kind, levels: &labels },
    ];
    let moments = Moments::new(&Design::new(s.y.len(), &covariates).unwrap(), &s.y, &[&s.levels[0]]).unwrap();
    let (found, plain) = (fit(&moments, Method::Reml).unwrap(), fit(&s.moments(), Method::Reml).unwrap());
    assert_eq!(found.terms, ["(Intercept)", "x", "kindb", "kindc"]);
    close(found.criterion, plain.criterion, 1e-8, "criterion");
    let dropped: Vec<&str> =
        found.notes.iter().filter(|n| n.code.as_str() == "rank_deficient").map(|n| n.at.as_str()).collect();
    assert_eq!(dropped, ["flat", "twice", "kindunused"]);
}

#[test]
fn scores_far_from_zero_keep_their_digits() {
    let mut s = sample(42, &[6, 3], 6, &[1.0, 1.0]);
    let near = fit(&s.moments(), Method::Reml).unwrap();
    s.y.iter_mut().for_each(|y| *y += 1e7);
    s.x.iter_mut().for_each(|x| *x -= 1e7);
    let far = fit(&s.moments(), Method::Reml).unwrap();
    close(far.criterion, near.criterion, 1e-5, "criterion");
    for (a, b) in far.effects(1).unwrap().iter().zip(near.effects(1).unwrap()) {
        close(a.effect, b.effect, 1e-5, "effect");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn parts_merge_into_the_whole(seed in 0_u64..1000, cut in 0.1..0.9) {
        let s = sample(seed, &[4, 3], 5, &[1.0, 1.0]);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut first, mut second): (Vec<usize>, Vec<usize>) = (0..s.y.len()).partition(|_| rng.random::<f64>() < cut);
        if first.is_empty() { first.extend(second.pop()); }
        if second.is_empty() { second.extend(first.pop()); }
        let whole = s.moments();
        let merged = s.moments_of(&first).merge(&s.moments_of(&second)).unwrap();
        prop_assert_eq!(merged.n_obs(), whole.n_obs());
        prop_assert_eq!(merged.n_groups(1), whole.n_groups(1));
        let (a, b) = (Fit::at(&merged, &[0.4, 0.7], Method::Reml).unwrap(), Fit::at(&whole, &[0.4, 0.7], Method::Reml).unwrap());
        close(a.criterion, b.criterion, 1e-8, "criterion");
        for (a, b) in a.effects(1).unwrap().iter().zip(b.effects(1).unwrap()) {
            prop_assert_eq!(&a.path, &b.path);
            close(a.effect, b.effect, 1e-8, "effect");
            close(a.sd, b.sd, 1e-8, "sd");
        }
    }

    #[test]
    fn order_shift_and_scale_change_what_they_should(seed in 0_u64..1000, shift in -50.0_f64..50.0, scale in 0.01_f64..100.0) {
        let mut s = sample(seed, &[5, 3], 5, &[1.0, 1.0]);
        let before = fit(&s.moments(), Method::Reml).unwrap();
        let mut order: Vec<usize> = (0..s.y.len()).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        order.sort_by_cached_key(|_| rng.random::<u64>());
        s.y.iter_mut().for_each(|y| *y = shift + scale * *y);
        s.x.iter_mut().for_each(|x| *x = shift - 0.1 * scale * *x);
        let after = fit(&s.moments_of(&order), Method::Reml).unwrap();
        // Scaling y moves the criterion by a constant, scaling x by the log of its factor.
        let freedom = s.y.len() as f64 - 4.0;
        let moved = freedom * (scale * scale).ln() + (0.01 * scale * scale).ln();
        close(after.criterion, before.criterion + moved, 1e-6, "criterion");
        close(after.beta[1], before.beta[1] / -0.1, 1e-4, "slope");
        for level in 0..2 {
            close(after.theta[level], before.theta[level], 1e-4, "theta");
            for (a, b) in after.effects(level).unwrap().iter().zip(before.effects(level).unwrap()) {
                prop_assert_eq!(&a.path, &b.path);
                close(a.effect, scale * b.effect, 1e-3 * scale, "effect");
                close(a.sd, scale * b.sd, 1e-3 * scale, "sd");
                close(a.reliability, b.reliability, 1e-3, "reliability");
            }
        }
    }
}

/// A state: a million students of 40,000 teachers in 1,500 schools.
#[test]
#[ignore = "a simulation with planted truth, run by `make sim`"]
fn a_state_is_fitted_in_a_blink() {
    let (rows, teachers, schools) = (1_000_000_usize, 40_000_usize, 1_500_usize);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut normal =
        |scale: f64| -> f64 { scale * <StandardNormal as Distribution<f64>>::sample(&StandardNormal, &mut rng) };
    let school_effect: Vec<f64> = (0..schools).map(|_| normal(0.20)).collect();
    let teacher_effect: Vec<f64> = (0..teachers).map(|_| normal(0.18)).collect();
    let teacher: Vec<u32> = (0..rows).map(|i| (i % teachers) as u32).collect();
    let school: Vec<u32> = teacher.iter().map(|t| t % schools as u32).collect();
    let prior: Vec<f64> = (0..rows).map(|_| normal(1.0)).collect();
    let lunch: Vec<f64> = (0..rows).map(|i| f64::from(u8::from(i % 7 < 3))).collect();
    let y: Vec<f64> = (0..rows)
        .map(|i| {
            let fixed = 0.1 + 0.65 * prior[i] - 0.15 * lunch[i];
            fixed + school_effect[school[i] as usize] + teacher_effect[teacher[i] as usize] + normal(0.60)
        })
        .collect();
    let covariates =
        [Covariate::Numeric { name: "prior", values: &prior }, Covariate::Numeric { name: "lunch", values: &lunch }];
    let design = Design::new(rows, &covariates).unwrap();
    let start = std::time::Instant::now();
    let moments = Moments::new(&design, &y, &[&school, &teacher]).unwrap();
    let summed = start.elapsed();
    let nested = fit(&moments, Method::Reml).unwrap();
    let (fitted, evaluations) = (start.elapsed() - summed, nested.n_evaluations);
    println!("sums {summed:?}, fit with all effects {fitted:?} in {evaluations} evaluations");
    let start = std::time::Instant::now();
    let single = fit(&Moments::new(&design, &y, &[&teacher]).unwrap(), Method::Reml).unwrap();
    println!("one factor, sums and fit: {:?} in {} evaluations", start.elapsed(), single.n_evaluations);
    assert!(nested.has_converged && single.has_converged);
    close(nested.variances[0].sqrt(), 0.20, 0.01, "schools");
    close(nested.variances[1].sqrt(), 0.18, 0.003, "teachers");
    close(nested.sigma, 0.60, 0.002, "students");
    // Prediction errors are as large as stated.
    let effects = nested.effects(1).unwrap();
    let z = effects.iter().map(|e| ((e.effect - teacher_effect[e.path[1] as usize]) / e.sd).powi(2));
    close(z.sum::<f64>() / teachers as f64, 1.0, 0.03, "mean square of standardised errors");
}
