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

use std::collections::BTreeMap;

use brightspot::mixed::{Covariate, Design, Fit, Members, Method, Moments, Random, Route, fit, fit_while};
use faer::prelude::Solve;
use faer::{Mat, Side};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::close;

/// Rows of a model with any random parts.
pub(super) struct Sample {
    pub(super) y: Vec<f64>,
    pub(super) x: Vec<f64>,
    pub(super) weights: Option<Vec<f64>>,
    pub(super) parts: Vec<Part>,
}

pub(super) enum Part {
    Nested(Vec<Vec<u32>>),
    Members(Vec<Vec<u32>>, Vec<Vec<f64>>),
}

/// What a random part is drawn as.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// One factor with so many units.
    One(u32),
    /// Units in groups, the labels used again in every group.
    Nested(u32, u32),
    /// One to three of so many units in every row.
    Members(u32),
}

pub(super) fn sample(seed: u64, n: usize, shapes: &[Shape], is_weighted: bool) -> Sample {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut effects: BTreeMap<(usize, u32, u32), f64> = BTreeMap::new();
    let (mut y, mut x, mut weights) = (vec![], vec![], vec![]);
    let normal = |rng: &mut ChaCha8Rng| -> f64 { StandardNormal.sample(rng) };
    let mut parts: Vec<Part> = shapes
        .iter()
        .map(|shape| match shape {
            Shape::One(_) => Part::Nested(vec![vec![]]),
            Shape::Nested(..) => Part::Nested(vec![vec![], vec![]]),
            Shape::Members(_) => Part::Members(vec![vec![]; 3], vec![vec![]; 3]),
        })
        .collect();
    for _ in 0..n {
        let mut sum = 0.0;
        let mut effect = |rng: &mut ChaCha8Rng, part: usize, outer: u32, inner: u32| {
            *effects.entry((part, outer, inner)).or_insert_with(|| 0.7 * normal(rng))
        };
        for (k, (shape, part)) in shapes.iter().zip(&mut parts).enumerate() {
            match (shape, part) {
                (Shape::One(units), Part::Nested(levels)) => {
                    let unit = rng.random_range(0..*units);
                    levels[0].push(unit);
                    sum += effect(&mut rng, k, u32::MAX, unit);
                }
                (Shape::Nested(groups, units), Part::Nested(levels)) => {
                    let (group, unit) = (rng.random_range(0..*groups), rng.random_range(0..*units));
                    levels[0].push(group);
                    levels[1].push(unit);
                    sum += effect(&mut rng, k, group, u32::MAX) + effect(&mut rng, k, group, unit);
                }
                (Shape::Members(units), Part::Members(codes, shares)) => {
                    let places = rng.random_range(1..=3_usize);
                    let raw: Vec<f64> = (0..places).map(|_| rng.random_range(0.2..1.0)).collect();
                    let total: f64 = raw.iter().sum();
                    for place in 0..3 {
                        let (unit, share) = if place < places {
                            (rng.random_range(0..*units), raw[place] / total)
                        } else {
                            (Members::NONE, 0.0)
                        };
                        codes[place].push(unit);
                        shares[place].push(share);
                        if share > 0.0 {
                            sum += share * effect(&mut rng, k, u32::MAX, unit);
                        }
                    }
                }
                _ => unreachable!(),
            }
        }
        let covariate = 20.0 + normal(&mut rng) + 0.3 * sum;
        let weight: f64 = if is_weighted { rng.random_range(0.3..3.0) } else { 1.0 };
        y.push(100.0 + 0.5 * covariate + sum + normal(&mut rng) / weight.sqrt());
        x.push(covariate);
        weights.push(weight);
    }
    Sample { y, x, weights: is_weighted.then_some(weights), parts }
}

impl Sample {
    pub(super) fn moments(&self) -> Moments {
        self.moments_of(&(0..self.y.len()).collect::<Vec<_>>())
    }

    pub(super) fn moments_of(&self, rows: &[usize]) -> Moments {
        fn pick<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().map(|&i| values[i]).collect()
        }
        let (x, y) = (pick(&self.x, rows), pick(&self.y, rows));
        let weights = self.weights.as_ref().map(|w| pick(w, rows));
        let codes: Vec<Vec<Vec<u32>>> = self
            .parts
            .iter()
            .map(|p| match p {
                Part::Nested(codes) | Part::Members(codes, _) => codes.iter().map(|c| pick(c, rows)).collect(),
            })
            .collect();
        let shares: Vec<Vec<Vec<f64>>> = self
            .parts
            .iter()
            .map(|p| match p {
                Part::Nested(_) => vec![],
                Part::Members(_, shares) => shares.iter().map(|s| pick(s, rows)).collect(),
            })
            .collect();
        let codes: Vec<Vec<&[u32]>> = codes.iter().map(|c| c.iter().map(Vec::as_slice).collect()).collect();
        let shares: Vec<Vec<&[f64]>> = shares.iter().map(|s| s.iter().map(Vec::as_slice).collect()).collect();
        let random: Vec<Random> = self
            .parts
            .iter()
            .zip(&codes)
            .zip(&shares)
            .map(|((part, codes), weights)| match part {
                Part::Nested(_) => Random::Nested(codes),
                Part::Members(..) => Random::Members(Members { codes, weights, normalize: false }),
            })
            .collect();
        let design = Design::new(rows.len(), &[Covariate::Numeric { name: "x", values: &x }]).unwrap();
        Moments::of_model(&design, &y, &random, weights.as_deref()).unwrap()
    }

    /// Z of every level, laid out in full, in the order of theta; units by their paths.
    fn z(&self) -> Vec<(Vec<Vec<u32>>, Mat<f64>)> {
        let n = self.y.len();
        let mut found = vec![];
        let mut add = |paths: Vec<Vec<(Vec<u32>, f64)>>| {
            let mut units: Vec<Vec<u32>> = paths.iter().flatten().map(|(p, _)| p.clone()).collect();
            units.sort();
            units.dedup();
            let mut z = Mat::zeros(n, units.len());
            for (i, row) in paths.iter().enumerate() {
                for (path, share) in row {
                    z[(i, units.binary_search(path).unwrap())] += share;
                }
            }
            found.push((units, z));
        };
        for part in &self.parts {
            match part {
                Part::Nested(levels) => {
                    for depth in 1..=levels.len() {
                        let path = |i: usize| levels[..depth].iter().map(|l| l[i]).collect::<Vec<_>>();
                        add((0..n).map(|i| vec![(path(i), 1.0)]).collect());
                    }
                }
                Part::Members(codes, shares) => add((0..n)
                    .map(|i| {
                        (0..codes.len())
                            .filter(|&l| shares[l][i] > 0.0)
                            .map(|l| (vec![codes[l][i]], shares[l][i]))
                            .collect()
                    })
                    .collect()),
            }
        }
        found
    }
}

/// Everything by its definition: generalised least squares with V laid out in full.
struct Dense {
    criterion: f64,
    sigma2: f64,
    beta: Mat<f64>,
    vcov: Mat<f64>,
    /// All effects, their conditional and prediction-error covariance; where the units of every level begin.
    effects: Mat<f64>,
    conditional: Mat<f64>,
    prediction: Mat<f64>,
    offsets: Vec<usize>,
}

fn dense(s: &Sample, theta: &[f64], method: Method) -> Dense {
    let n = s.y.len();
    let zs = s.z();
    let mut offsets = vec![0];
    for (units, _) in &zs {
        offsets.push(offsets[offsets.len() - 1] + units.len());
    }
    let q = offsets[zs.len()];
    let weight = |i: usize| s.weights.as_ref().map_or(1.0, |w| w[i]);
    let (mut z, mut t) = (Mat::<f64>::zeros(n, q), vec![0.0; q]);
    for (level, (units, own)) in zs.iter().enumerate() {
        for k in 0..units.len() {
            t[offsets[level] + k] = theta[level] * theta[level];
            for i in 0..n {
                z[(i, offsets[level] + k)] = own[(i, k)];
            }
        }
    }
    let tz = Mat::from_fn(q, n, |k, i| t[k] * z[(i, k)]);
    let mut v = &z * &tz;
    for i in 0..n {
        v[(i, i)] += 1.0 / weight(i);
    }
    let (x, y) = (Mat::from_fn(n, 2, |i, j| if j == 0 { 1.0 } else { s.x[i] }), Mat::from_fn(n, 1, |i, _| s.y[i]));
    let llt = v.llt(Side::Lower).unwrap();
    let (vx, vy, vz) = (llt.solve(&x), llt.solve(&y), llt.solve(&z));
    let xvx = (x.transpose() * &vx).llt(Side::Lower).unwrap();
    let beta = xvx.solve(&(x.transpose() * &vy));
    let r = &y - &x * &beta;
    let vr = llt.solve(&r);
    let r2 = (r.transpose() * &vr)[(0, 0)];
    let log_det = |l: faer::MatRef<f64>| (0..l.nrows()).map(|k| 2.0 * l[(k, k)].ln()).sum::<f64>();
    let freedom = if method == Method::Reml { n - 2 } else { n } as f64;
    let sigma2 = r2 / freedom;
    let fit = freedom * (1.0 + (2.0 * std::f64::consts::PI * sigma2).ln());
    let criterion = log_det(llt.L()) + fit + if method == Method::Reml { log_det(xvx.L()) } else { 0.0 };
    let effects = &tz * &vr;
    let conditional = Mat::from_fn(q, q, |i, j| if i == j { t[i] } else { 0.0 })
        - &tz * &vz * Mat::from_fn(q, q, |i, j| if i == j { t[i] } else { 0.0 });
    let c = &tz * &vx;
    let inverse = xvx.solve(Mat::<f64>::identity(2, 2));
    let prediction = &conditional + &c * &inverse * c.transpose();
    let scale = |m: Mat<f64>| Mat::from_fn(m.nrows(), m.ncols(), |i, j| sigma2 * m[(i, j)]);
    Dense {
        criterion,
        sigma2,
        beta,
        vcov: scale(inverse),
        effects,
        conditional: scale(conditional),
        prediction: scale(prediction),
        offsets,
    }
}

const CASES: [(&[Shape], bool); 11] = [
    (&[Shape::One(6), Shape::One(4)], false),
    (&[Shape::One(5), Shape::One(9)], true),
    (&[Shape::One(8), Shape::One(4), Shape::One(3)], false),
    (&[Shape::Nested(3, 4), Shape::One(5)], true),
    (&[Shape::One(15), Shape::Nested(3, 3)], false),
    (&[Shape::Nested(3, 3), Shape::Nested(2, 4)], true),
    (&[Shape::Members(7)], false),
    (&[Shape::Members(7)], true),
    (&[Shape::Members(6), Shape::One(5)], true),
    (&[Shape::Nested(3, 3), Shape::Members(6), Shape::Members(4)], false),
    (&[Shape::Nested(4, 3)], true),
];

/// The levels of each factor's own chain down to it, as offsets back from it.
fn depths(shapes: &[Shape]) -> Vec<usize> {
    shapes.iter().flat_map(|s| if matches!(s, Shape::Nested(..)) { vec![0, 1] } else { vec![0] }).collect()
}

fn compare(s: &Sample, shapes: &[Shape], theta: &[f64], method: Method) {
    let (at, d, zs) = (Fit::at(&s.moments(), theta, method).unwrap(), dense(s, theta, method), s.z());
    close(at.criterion, d.criterion, 1e-8, "criterion");
    close(at.sigma.powi(2), d.sigma2, 1e-8 * d.sigma2, "sigma^2");
    for k in 0..2 {
        close(at.beta[k], d.beta[(k, 0)], 1e-8 * (1.0 + d.beta[(k, 0)].abs()), "beta");
        for j in 0..2 {
            close(at.vcov[k][j], d.vcov[(k, j)], 1e-8 * (1.0 + d.vcov[(k, j)].abs()), "vcov");
        }
    }
    for (level, depth) in depths(shapes).into_iter().enumerate() {
        let effects = at.effects(level).unwrap();
        assert_eq!(effects.len(), zs[level].0.len());
        for (unit, e) in effects.iter().enumerate() {
            assert_eq!(e.path, zs[level].0[unit]);
            let me = d.offsets[level] + unit;
            close(e.effect, d.effects[(me, 0)], 1e-8, "effect");
            close(e.sd_conditional.powi(2), d.conditional[(me, me)], 1e-8, "conditional variance");
            close(e.sd.powi(2), d.prediction[(me, me)], 1e-8, "prediction error");
            let mut line = vec![me];
            if depth == 1 {
                let outer = zs[level - 1].0.binary_search(&e.path[..1].to_vec()).unwrap();
                assert_eq!(e.parent, outer);
                line.push(d.offsets[level - 1] + outer);
            }
            let overall: f64 = line.iter().map(|k| d.effects[(*k, 0)]).sum();
            let spread: f64 = line.iter().flat_map(|a| line.iter().map(|b| d.prediction[(*a, *b)])).sum();
            close(e.effect_overall, overall, 1e-8, "overall effect");
            close(e.sd_overall.powi(2), spread, 1e-8, "its prediction error");
            let other = (unit + 1) % effects.len();
            let (a, b) = (me, d.offsets[level] + other);
            let contrast = at.contrast(level, unit, other).unwrap();
            let variance = d.prediction[(a, a)] + d.prediction[(b, b)] - 2.0 * d.prediction[(a, b)];
            close(contrast.difference, d.effects[(a, 0)] - d.effects[(b, 0)], 1e-8, "contrast");
            close(contrast.sd.powi(2), variance, 1e-8, "its variance");
        }
    }
}

#[test]
fn every_design_is_that_of_dense_algebra() {
    for (seed, (shapes, is_weighted)) in (0..).zip(CASES) {
        let s = sample(seed, 60, shapes, is_weighted);
        let n_levels = depths(shapes).len();
        for method in [Method::Reml, Method::Ml] {
            for seed in 0..3 {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let mut theta: Vec<f64> = (0..n_levels).map(|_| rng.random_range(0.1..1.5)).collect();
                compare(&s, shapes, &theta, method);
                theta[seed as usize % n_levels] = 0.0;
                compare(&s, shapes, &theta, method);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn random_small_designs_are_those_of_dense_algebra(
        seed in 0_u64..100_000, n in 20_usize..70, is_weighted: bool, is_reml: bool,
        case in 0..CASES.len(), theta in proptest::collection::vec(0.0_f64..2.0, 4),
    ) {
        let shapes = CASES[case].0;
        let s = sample(seed, n, shapes, is_weighted);
        let method = if is_reml { Method::Reml } else { Method::Ml };
        compare(&s, shapes, &theta[..depths(shapes).len()], method);
    }
}

#[test]
fn the_gradient_is_that_of_finite_differences() {
    for (seed, (shapes, is_weighted)) in (50..).zip(CASES) {
        let moments = sample(seed, 80, shapes, is_weighted).moments();
        let n_levels = moments.n_levels();
        for method in [Method::Reml, Method::Ml] {
            for scale in [0.3, 1.2] {
                let theta: Vec<f64> = (0..n_levels).map(|l| scale * (1.0 + 0.3 * l as f64)).collect();
                let (value, gradient) = Fit::gradient_at(&moments, &theta, method).unwrap();
                close(value, Fit::at(&moments, &theta, method).unwrap().criterion, 1e-9, "criterion");
                for level in 0..n_levels {
                    let at = |step: f64| {
                        let mut theta = theta.clone();
                        theta[level] = (theta[level].powi(2) + step).sqrt();
                        Fit::at(&moments, &theta, method).unwrap().criterion
                    };
                    // The five-point rule: its error is of the fourth order in the step.
                    let e = 1e-3 * theta[level].powi(2);
                    let expected = (at(-2.0 * e) - 8.0 * at(-e) + 8.0 * at(e) - at(2.0 * e)) / (12.0 * e);
                    close(gradient[level], expected, 1e-6 * (1.0 + expected.abs()), "derivative");
                }
                // On the boundary: from the right only.
                for level in 0..n_levels {
                    let at = |t: f64| {
                        let mut theta = theta.clone();
                        theta[level] = t.sqrt();
                        theta
                    };
                    let (value, gradient) = Fit::gradient_at(&moments, &at(0.0), method).unwrap();
                    let right = |t: f64| Fit::at(&moments, &at(t), method).unwrap().criterion;
                    close(value, right(0.0), 1e-9, "criterion at 0");
                    let e = 1e-5;
                    let expected = (-3.0 * value + 4.0 * right(e) - right(2.0 * e)) / (2.0 * e);
                    close(gradient[level], expected, 1e-4 * (1.0 + expected.abs()), "derivative at 0");
                }
            }
        }
    }
}

/// A plain search by halving steps along every axis, from several starts.
fn slow_minimum(moments: &Moments, method: Method) -> f64 {
    let value = |t: &[f64]| Fit::at(moments, t, method).map_or(f64::INFINITY, |f| f.criterion);
    let mut best = f64::INFINITY;
    for start in [0.1, 1.0] {
        let mut theta = vec![start; moments.n_levels()];
        let (mut here, mut step) = (value(&theta), 0.5);
        while step > 2e-5 {
            let mut moved = false;
            for level in 0..theta.len() {
                for sign in [-1.0, 1.0] {
                    let mut next = theta.clone();
                    next[level] = (next[level] + sign * step).max(0.0);
                    let there = value(&next);
                    if there < here {
                        (theta, here, moved) = (next, there, true);
                    }
                }
            }
            if !moved {
                step *= 0.5;
            }
        }
        best = best.min(here);
    }
    best
}

#[test]
fn no_plain_search_finds_a_lower_criterion() {
    for (seed, (shapes, is_weighted)) in (90..).zip(CASES) {
        // Every third sample has no effects at all, so that the optimum lies on the boundary.
        let mut s = sample(seed, 70, shapes, is_weighted);
        if seed % 3 == 0 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            s.y.iter_mut().for_each(|y| *y = StandardNormal.sample(&mut rng));
        }
        let moments = s.moments();
        for method in [Method::Reml, Method::Ml] {
            let (found, slow) = (fit(&moments, method).unwrap(), slow_minimum(&moments, method));
            assert!(found.has_converged, "{seed} {method:?}: {:?} {}", found.theta, found.gradient);
            assert!(found.criterion <= slow + 1e-8, "{seed}: {} above {slow}", found.criterion);
            assert!(found.criterion >= slow - 1e-5, "{seed}: {} below {slow}", found.criterion);
            assert!(found.gradient < 1e-4, "{seed} {}", found.gradient);
        }
    }
}

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

/// Intervals of 95% and truth planted, nested and crossed: 60 schools of 4 to 8 classes; 250 students by 40 teachers.
#[test]
#[ignore = "a simulation with planted truth, run by `make sim`"]
#[allow(clippy::print_stdout)] // the figures are published
fn intervals_cover_what_was_planted() {
    let mut rng = ChaCha8Rng::seed_from_u64(2026);
    let normal = |rng: &mut ChaCha8Rng, sd: f64| -> f64 {
        sd * <StandardNormal as Distribution<f64>>::sample(&StandardNormal, rng)
    };
    let mut told = vec![];
    for design in ["nested", "crossed"] {
        let (mut inside, mut total) = (vec![0.0; 2], vec![0.0; 2]);
        for _ in 0..200 {
            let (mut outer, mut inner) = (vec![], vec![]);
            if design == "nested" {
                let mut class = 0;
                for school in 0..60_u32 {
                    for _ in 0..rng.random_range(4..=8) {
                        let size = rng.random_range(10..=30);
                        outer.extend(std::iter::repeat_n(school, size));
                        inner.extend(std::iter::repeat_n(class, size));
                        class += 1;
                    }
                }
            } else {
                for student in 0..250_u32 {
                    for _ in 0..rng.random_range(3..=8) {
                        outer.push(rng.random_range(0..40_u32));
                        inner.push(student);
                    }
                }
            }
            let draw = |rng: &mut ChaCha8Rng, codes: &[u32], sd: f64| -> Vec<f64> {
                (0..=*codes.iter().max().unwrap()).map(|_| normal(rng, sd)).collect()
            };
            let truth = [draw(&mut rng, &outer, 0.3), draw(&mut rng, &inner, 0.25)];
            let x: Vec<f64> = outer.iter().map(|_| normal(&mut rng, 1.0)).collect();
            let y: Vec<f64> = (0..x.len())
                .map(|i| 0.6 * x[i] + truth[0][outer[i] as usize] + truth[1][inner[i] as usize] + normal(&mut rng, 0.8))
                .collect();
            let design_x = Design::new(y.len(), &[Covariate::Numeric { name: "x", values: &x }]).unwrap();
            let (chain, first, second): ([&[u32]; 2], [&[u32]; 1], [&[u32]; 1]) =
                ([&outer, &inner], [&outer], [&inner]);
            let nested = [Random::Nested(&chain)];
            let crossed = [Random::Nested(&first), Random::Nested(&second)];
            let random: &[Random] = if design == "nested" { &nested } else { &crossed };
            let found = fit(&Moments::of_model(&design_x, &y, random, None).unwrap(), Method::Reml).unwrap();
            for level in 0..2 {
                for e in found.effects(level).unwrap() {
                    let planted = truth[level][*e.path.last().unwrap() as usize];
                    inside[level] += f64::from(u8::from((e.effect - planted).abs() <= 1.959_964 * e.sd));
                    total[level] += 1.0;
                }
            }
        }
        for level in 0..2 {
            told.push((design, level, inside[level] / total[level]));
        }
    }
    println!("{told:?}");
    for (design, level, share) in told {
        assert!((0.935..=0.965).contains(&share), "{design}, level {level}: {share}");
    }
}
