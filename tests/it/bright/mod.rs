//! Bright spots: nobody without an effect, the planted ones at the stated price, and the same whatever the labels.
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

mod evidence;
mod found;
mod properties;
mod simulation;
mod warnings;

use brightspot::bright::{
    BrightInput, BrightSpec, BrightSpots, Factor, Guard, Threshold, bright_spots, guarded_bright_spots,
};
use brightspot::mixed::Covariate;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Students of teachers of schools over years, with what is true about every teacher.
#[derive(Clone)]
struct District {
    outcome: Vec<f64>,
    prior: Vec<f64>,
    teacher: Vec<u32>,
    school: Vec<u32>,
    year: Vec<u32>,
    /// By teacher.
    truth: Vec<f64>,
    /// By teacher, what each year adds: within the school, beyond the teacher.
    years: Vec<Vec<f64>>,
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

fn labels(n: usize, prefix: &str) -> Vec<String> {
    (0..n).map(|i| format!("{prefix}{i:03}")).collect()
}

/// How a district is made; effects in student standard deviations (the residual is 1).
struct Plan {
    schools: usize,
    teachers: usize,
    students: usize,
    years: usize,
    school_sd: f64,
    year_sd: f64,
}

const PLAN: Plan = Plan { schools: 20, teachers: 5, students: 20, years: 3, school_sd: 0.2, year_sd: 0.1 };

fn district(seed: u64, plan: &Plan, mut effect: impl FnMut(&mut ChaCha8Rng) -> f64) -> District {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let mut d = District {
        outcome: vec![],
        prior: vec![],
        teacher: vec![],
        school: vec![],
        year: vec![],
        truth: vec![],
        years: vec![],
    };
    for school in 0..plan.schools {
        let around = plan.school_sd * normal(rng);
        for _ in 0..plan.teachers {
            let teacher = d.truth.len() as u32;
            let own = effect(rng);
            d.truth.push(own);
            d.years.push(Vec::new());
            for year in 0..plan.years {
                let drawn = plan.year_sd * normal(rng);
                d.years[teacher as usize].push(drawn);
                let here = own + around + drawn;
                for _ in 0..plan.students {
                    let prior = normal(rng) + around;
                    d.prior.push(prior);
                    d.outcome.push(0.6 * prior + here + 0.3 * year as f64 + normal(rng));
                    d.teacher.push(teacher);
                    d.school.push(school as u32);
                    d.year.push(year as u32);
                }
            }
        }
    }
    d
}

impl District {
    fn spots(&self, spec: &BrightSpec) -> BrightSpots {
        self.spots_where(spec, true, true)
    }

    fn spots_where(&self, spec: &BrightSpec, is_within: bool, has_period: bool) -> BrightSpots {
        self.with_guards(spec, is_within, has_period, &[])
    }

    fn with_guards(&self, spec: &BrightSpec, is_within: bool, has_period: bool, guards: &[Guard]) -> BrightSpots {
        let (teachers, schools, years) = (labels(1000, "T"), labels(1000, "S"), labels(9, "Y"));
        let years = &years[..=*self.year.iter().max().unwrap() as usize];
        let within = [Factor { name: "school", codes: &self.school, labels: &schools }];
        let input = BrightInput {
            outcome: &self.outcome,
            adjust: &[Covariate::Numeric { name: "prior", values: &self.prior }],
            unit: Factor { name: "teacher", codes: &self.teacher, labels: &teachers },
            within: if is_within { &within } else { &[] },
            period: has_period.then_some(Factor { name: "year", codes: &self.year, labels: years }),
            context: &[],
        };
        if guards.is_empty() {
            return bright_spots(&input, spec).unwrap();
        }
        guarded_bright_spots(&input, guards, spec, &|_, _| Ok(())).unwrap()
    }

    /// Students change teachers within their school and year.
    fn shuffle(&mut self, rng: &mut ChaCha8Rng) {
        let mut rows: Vec<usize> = (0..self.outcome.len()).collect();
        let key = |i: &usize| (self.school[*i], self.year[*i]);
        rows.sort_by_key(key);
        let mut teacher = self.teacher.clone();
        for group in rows.chunk_by(|a, b| key(a) == key(b)) {
            let mut mixed: Vec<u32> = group.iter().map(|&i| self.teacher[i]).collect();
            mixed.shuffle(rng);
            for (&i, t) in group.iter().zip(mixed) {
                teacher[i] = t;
            }
        }
        self.teacher = teacher;
    }
}

fn given(threshold: f64) -> BrightSpec {
    BrightSpec { threshold: Threshold::Given(threshold), ..BrightSpec::default() }
}
