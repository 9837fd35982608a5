//! The search: its derivatives, and what it finds, against plain means.

use brightspot::mixed::{Fit, Method, fit};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::sample::{CASES, sample};
use crate::mixed::{close, slow_minimum};

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
            let (found, slow) = (fit(&moments, method).unwrap(), slow_minimum(&moments, method, &[0.1, 1.0], 2e-5));
            assert!(found.has_converged, "{seed} {method:?}: {:?} {}", found.theta, found.gradient);
            assert!(found.criterion <= slow + 1e-8, "{seed}: {} above {slow}", found.criterion);
            assert!(found.criterion >= slow - 1e-5, "{seed}: {} below {slow}", found.criterion);
            assert!(found.gradient < 1e-4, "{seed} {}", found.gradient);
        }
    }
}
