//! Drift value added.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)] // helpers of tests

mod by_hand;
mod properties;
mod simulation;

use brightspot::bright::drift::{Drift, DriftInput, value_added};
use brightspot::mixed::Covariate;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Students of several teachers and years.
#[derive(Debug, Clone, Default)]
struct Panel {
    outcome: Vec<f64>,
    prior: Vec<f64>,
    teacher: Vec<u32>,
    year: Vec<i64>,
    classroom: Vec<u32>,
    /// What was planted, per row.
    truth: Vec<f64>,
}

impl Panel {
    fn found(&self) -> Drift {
        self.with_lags(7)
    }

    fn with_lags(&self, lags: usize) -> Drift {
        let covariates = [Covariate::Numeric { name: "prior", values: &self.prior }];
        value_added(&self.input(&covariates), lags).unwrap()
    }

    fn input<'a>(&'a self, covariates: &'a [Covariate<'a>]) -> DriftInput<'a> {
        DriftInput {
            outcome: &self.outcome,
            teacher: &self.teacher,
            year: &self.year,
            classroom: Some(&self.classroom),
            covariates,
        }
    }
}

/// Which students better teachers get.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Sorting {
    /// Those with higher prior scores, by the teacher's standing in the first year: the usual roster.
    Standing,
    /// The same by this year's advantage, so that prior scores move with it: an adjustment takes a part of it away.
    Drifting,
}

/// Teachers whose advantage (variance .04) keeps a share of .8 from year to year, with a class effect (variance .01),
/// students' variance .25, and students with higher prior scores going to better teachers.
fn planted(n_teachers: u32, n_years: i64, n_classes: u32, seed: u64) -> Panel {
    planted_where(Sorting::Standing, n_teachers, n_years, n_classes, seed)
}

fn planted_where(sorting: Sorting, n_teachers: u32, n_years: i64, n_classes: u32, seed: u64) -> Panel {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut normal = |sd: f64| -> f64 {
        let z: f64 = StandardNormal.sample(&mut rng);
        sd * z
    };
    let (sd, keep) = (0.2, 0.8_f64);
    let mut panel = Panel::default();
    for teacher in 0..n_teachers {
        let mut truth = normal(sd);
        let standing = truth;
        for year in 0..n_years {
            if year > 0 {
                truth = keep * truth + normal(sd * (1.0 - keep * keep).sqrt());
            }
            // Some years are missing.
            if normal(1.0) < -1.0 {
                continue;
            }
            for classroom in 0..n_classes {
                let class = normal(0.1);
                let n = 20 + (teacher + classroom) % 9;
                for _ in 0..n {
                    let prior = normal(1.0) + if sorting == Sorting::Standing { standing } else { truth };
                    panel.outcome.push(0.3 + 0.6 * prior + truth + class + normal(0.5));
                    panel.prior.push(prior);
                    panel.teacher.push(teacher);
                    panel.year.push(2015 + year);
                    panel.classroom.push(classroom);
                    panel.truth.push(truth);
                }
            }
        }
    }
    panel
}
