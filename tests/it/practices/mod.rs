//! From rooms to practices: the model of the search with one more term, an honest error, and a stated false share.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    clippy::float_cmp
)] // helpers of tests

mod by_hand;
mod golden;
mod planted;
mod properties;
mod simulation;

use brightspot::bright::{
    BrightInput, BrightSpec, BrightSpots, Factor, PracticeRow, PracticeSpec, PracticeUse, Practices, UnitMoments,
    bright_spots, practices,
};
use brightspot::mixed::Covariate;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

pub(crate) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

pub(crate) fn labels(n: usize, prefix: &str) -> Vec<String> {
    (0..n).map(|i| format!("{prefix}{i:03}")).collect()
}

/// How a district is made; effects in student standard deviations (the residual is 1).
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) schools: usize,
    pub(crate) teachers: usize,
    pub(crate) students: usize,
    pub(crate) years: usize,
    pub(crate) school_sd: f64,
    pub(crate) teacher_sd: f64,
    pub(crate) year_sd: f64,
}

pub(crate) const PLAN: Plan =
    Plan { schools: 20, teachers: 5, students: 20, years: 3, school_sd: 0.2, teacher_sd: 0.15, year_sd: 0.1 };

/// Students of teachers of schools over years.
pub(crate) struct District {
    pub(crate) outcome: Vec<f64>,
    pub(crate) prior: Vec<f64>,
    pub(crate) teacher: Vec<u32>,
    pub(crate) school: Vec<u32>,
    pub(crate) year: Vec<u32>,
    years: usize,
}

/// `added`: what every teacher adds by what they do, teachers of one school being neighbours.
pub(crate) fn district(rng: &mut ChaCha8Rng, plan: &Plan, added: &[f64]) -> District {
    let mut d =
        District { outcome: vec![], prior: vec![], teacher: vec![], school: vec![], year: vec![], years: plan.years };
    for school in 0..plan.schools {
        let around = plan.school_sd * normal(rng);
        for k in 0..plan.teachers {
            let teacher = school * plan.teachers + k;
            let own = around + plan.teacher_sd * normal(rng) + added.get(teacher).copied().unwrap_or(0.0);
            for year in 0..plan.years {
                let here = own + plan.year_sd * normal(rng);
                for _ in 0..plan.students {
                    let prior = normal(rng) + around;
                    d.prior.push(prior);
                    d.outcome.push(0.6 * prior + here + 0.3 * year as f64 + normal(rng));
                    d.teacher.push(teacher as u32);
                    d.school.push(school as u32);
                    d.year.push(year as u32);
                }
            }
        }
    }
    d
}

impl District {
    pub(crate) fn search(&self, spec: &BrightSpec) -> (BrightSpots, UnitMoments) {
        let (teachers, schools, years) = (labels(2000, "T"), labels(2000, "S"), labels(self.years, "Y"));
        let input = BrightInput {
            outcome: &self.outcome,
            adjust: &[Covariate::Numeric { name: "prior", values: &self.prior }],
            unit: Factor { name: "teacher", codes: &self.teacher, labels: &teachers },
            within: &[Factor { name: "school", codes: &self.school, labels: &schools }],
            period: Some(Factor { name: "year", codes: &self.year, labels: &years }),
            context: &[],
        };
        let spots = bright_spots(&input, spec).unwrap();
        let moments = UnitMoments::new(&input, &spots).unwrap();
        (spots, moments)
    }

    pub(crate) fn practices(&self, uses: &[PracticeUse]) -> Practices {
        let (spots, moments) = self.search(&BrightSpec::default());
        practices(&spots, &moments, uses, &PracticeSpec::default()).unwrap()
    }
}

/// A practice that each unit uses with the same chance.
pub(crate) fn by_chance(rng: &mut ChaCha8Rng, name: &str, n: usize, chance: f64) -> PracticeUse {
    PracticeUse {
        name: name.into(),
        dose: (0..n).map(|_| Some(f64::from(u8::from(rng.random::<f64>() < chance)))).collect(),
    }
}

pub(crate) fn twenty(rng: &mut ChaCha8Rng, n: usize) -> Vec<PracticeUse> {
    (0..20).map(|k| by_chance(rng, &format!("practice {k:02}"), n, 0.4)).collect()
}

/// What is added by the first `n` practices, each by so much for use in full.
pub(crate) fn planted(uses: &[PracticeUse], n: usize, by: f64) -> Vec<f64> {
    let units = uses[0].dose.len();
    (0..units).map(|u| uses[..n].iter().map(|p| by * p.dose[u].unwrap()).sum()).collect()
}

pub(crate) fn row<'a>(found: &'a Practices, name: &str) -> &'a PracticeRow {
    found.rows.iter().find(|r| r.practice == name).unwrap()
}

pub(crate) fn seeded(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}
