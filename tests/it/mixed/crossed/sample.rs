//! Rows of any design, drawn at random.

use std::collections::BTreeMap;

use brightspot::mixed::{Covariate, Design, Members, Moments, Random};
use faer::Mat;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Designs, and whether their rows have weights.
pub(super) const CASES: [(&[Shape], bool); 11] = [
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
pub(super) fn depths(shapes: &[Shape]) -> Vec<usize> {
    shapes.iter().flat_map(|s| if matches!(s, Shape::Nested(..)) { vec![0, 1] } else { vec![0] }).collect()
}

/// Rows of a model with any random parts.
pub(in crate::mixed) struct Sample {
    pub(in crate::mixed) y: Vec<f64>,
    pub(in crate::mixed) x: Vec<f64>,
    pub(in crate::mixed) weights: Option<Vec<f64>>,
    pub(in crate::mixed) parts: Vec<Part>,
}

pub(in crate::mixed) enum Part {
    Nested(Vec<Vec<u32>>),
    Members(Vec<Vec<u32>>, Vec<Vec<f64>>),
}

/// What a random part is drawn as.
#[derive(Debug, Clone, Copy)]
pub(in crate::mixed) enum Shape {
    /// One factor with so many units.
    One(u32),
    /// Units in groups, the labels used again in every group.
    Nested(u32, u32),
    /// One to three of so many units in every row.
    Members(u32),
}

pub(in crate::mixed) fn sample(seed: u64, n: usize, shapes: &[Shape], is_weighted: bool) -> Sample {
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
    pub(in crate::mixed) fn moments(&self) -> Moments {
        self.moments_of(&(0..self.y.len()).collect::<Vec<_>>())
    }

    pub(in crate::mixed) fn moments_of(&self, rows: &[usize]) -> Moments {
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
    pub(super) fn z(&self) -> Vec<(Vec<Vec<u32>>, Mat<f64>)> {
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
