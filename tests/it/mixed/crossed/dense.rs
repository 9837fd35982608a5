//! Everything by its definition, with V laid out in full.

use brightspot::mixed::{Fit, Method};
use faer::prelude::Solve;
use faer::{Mat, Side};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::sample::{CASES, Sample, Shape, depths, sample};
use crate::mixed::close;

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
