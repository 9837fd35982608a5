//! How often intervals of effects hold what was planted.

use brightspot::mixed::{Covariate, Design, Method, Moments, Random, fit};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

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
