//! Planted truth, many times: what is stated and what happens.

use brightspot::bright::{BrightSpots, Finding, Guard};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StudentT};

use super::{District, Plan, district, given, normal};

/// One school, so that all are peers; 20 students in each of 3 years as in the trials the criteria come from.
const TRIAL: Plan = Plan { schools: 1, teachers: 200, students: 20, years: 3, school_sd: 0.0, year_sd: 0.1 };
const THRESHOLD: f64 = 0.10;

/// Counts over repetitions; shares at the end.
#[derive(Default)]
struct Tally {
    n_found: f64,
    n_false: f64,
    stated: f64,
    n_bright: f64,
    n_bright_false: f64,
    n_true: f64,
    n_units: f64,
    n_covered: f64,
    /// True ones among as many units with the largest raw means, and with the largest shrunken effects less doubt.
    by_raw: f64,
    by_effect: f64,
}

impl Tally {
    fn add(&mut self, d: &District, spots: &BrightSpots) {
        let truth = |unit: usize| d.truth[spots.units[unit].unit as usize];
        self.n_true += d.truth.iter().filter(|t| **t > THRESHOLD).count() as f64;
        for (place, unit) in spots.units.iter().enumerate() {
            let a = &unit.peers;
            self.n_units += 1.0;
            self.n_covered += f64::from(u8::from(a.lo <= truth(place) && truth(place) <= a.hi));
        }
        for &i in &spots.candidates {
            let is_false = f64::from(u8::from(truth(i) <= THRESHOLD));
            self.n_found += 1.0;
            self.stated += spots.false_share.unwrap();
            self.n_false += is_false;
            if spots.units[i].peers.finding == Finding::Bright {
                self.n_bright += 1.0;
                self.n_bright_false += is_false;
            }
        }
        let best = |get: &dyn Fn(usize) -> f64| {
            let mut order: Vec<usize> = (0..spots.units.len()).collect();
            order.sort_by(|a, b| get(*b).total_cmp(&get(*a)));
            order.iter().take(spots.candidates.len()).filter(|&&i| truth(i) > THRESHOLD).count() as f64
        };
        self.by_raw += best(&|i| spots.units[i].raw);
        self.by_effect += best(&|i| spots.units[i].peers.effect);
    }

    fn false_share(&self) -> f64 {
        self.n_false / self.n_found.max(1.0)
    }

    fn stated(&self) -> f64 {
        self.stated / self.n_found.max(1.0)
    }

    fn recall(&self) -> f64 {
        (self.n_found - self.n_false) / self.n_true
    }
}

fn repeated(plan: &Plan, reps: u64, law: impl Fn(&mut ChaCha8Rng) -> f64) -> Tally {
    let mut tally = Tally::default();
    for seed in 0..reps {
        let d = district(1000 + seed, plan, &law);
        tally.add(&d, &d.spots_where(&given(THRESHOLD), false, true));
    }
    tally
}

fn planted(rng: &mut ChaCha8Rng) -> f64 {
    if rng.random::<f64>() < 0.10 { 0.5 } else { 0.0 }
}

fn heavy(rng: &mut ChaCha8Rng) -> f64 {
    0.2 / 3_f64.sqrt() * StudentT::new(3.0).unwrap().sample(rng)
}

fn left_skewed(rng: &mut ChaCha8Rng) -> f64 {
    // 1 - an exponential: skewness -2, mean 0, sd 1.
    0.2 * (1.0 + rng.random::<f64>().ln())
}

#[test]
fn planted_effects_are_found_at_the_stated_price() {
    let t = repeated(&TRIAL, 6, planted);
    let (share, stated, recall) = (t.false_share(), t.stated(), t.recall());
    assert!(share <= 0.10 && stated <= 0.10 && recall > 0.5, "{share} {stated} {recall}");
}

/// Four of five a little above, with half the spread; the fifth far below, scattered.
fn few_far_below(rng: &mut ChaCha8Rng) -> f64 {
    let is_below = rng.random::<f64>() < 0.2;
    0.2 / 1.062 * if is_below { -1.6 + 1.2 * normal(rng) } else { 0.4 + 0.5 * normal(rng) }
}

#[test]
#[ignore = "a simulation with planted truth, run by `make sim`"]
fn the_realised_false_share_by_law_of_effects() {
    println!(
        "units, law of effects, sd .2    false  stated  recall  bright: false  95% interval covers  recall: raw  effect"
    );
    let laws: [(&str, fn(&mut ChaCha8Rng) -> f64); 6] = [
        ("normal", |rng| 0.2 * normal(rng)),
        ("10% planted at +.5", planted),
        ("t with 3 degrees", heavy),
        ("right-skewed", |rng| -left_skewed(rng)),
        ("left-skewed", left_skewed),
        ("a fifth far below", few_far_below),
    ];
    for (teachers, reps) in [(60, 400), (200, 400), (1000, 60)] {
        for (name, law) in laws {
            let t = repeated(&Plan { teachers, ..TRIAL }, reps, law);
            let (share, stated, covered) = (t.false_share(), t.stated(), t.n_covered / t.n_units);
            println!(
                "{teachers:5} {name:24}  {share:.3}  {stated:.3}   {:.3}   {:.3}          {covered:.3}                {:.3}        {:.3}",
                t.recall(),
                t.n_bright_false / t.n_bright.max(1.0),
                t.by_raw / t.n_true,
                t.by_effect / t.n_true,
            );
            assert!(stated <= 0.10);
            // As many units by raw means or by shrunken effects hold no more true ones.
            let found = t.n_found - t.n_false;
            // Where effects are skewed a handful of units are named in all.
            let is_skewed = name == "left-skewed" || name == "a fifth far below";
            let slack = if is_skewed && teachers != 200 { 0.1 * t.n_found } else { 0.0 };
            assert!(found >= t.by_raw - slack && found >= t.by_effect - 0.01 * t.n_found, "{name}");
            // Sixty units do not show how skewed their effects are.
            if teachers > 60 || !is_skewed {
                let chance = (stated * (1.0 - stated) / t.n_found.max(1.0)).sqrt();
                assert!(share <= stated + 2.0 * chance, "{teachers} {name}: {share} {stated}");
            } else {
                assert!(share < 0.20, "{teachers} {name}: {share}");
            }
            let least = if teachers > 60 { 0.935 } else { 0.92 };
            assert!((least..0.965).contains(&covered), "{teachers} {name}: {covered}");
        }
    }
}

#[test]
#[ignore = "a simulation with planted truth, run by `make sim`"]
fn one_year_spikes_are_set_apart() {
    println!("teachers with one spiked year of +.8   false  stated | one_period: number, false");
    for share in [0.0, 0.03] {
        let mut t = Tally::default();
        let (mut n_once, mut n_once_false) = (0.0, 0.0);
        for seed in 0..60 {
            let mut d = district(3000 + seed, &TRIAL, |rng| 0.2 * normal(rng));
            let rng = &mut ChaCha8Rng::seed_from_u64(seed);
            let spiked: Vec<Option<u32>> =
                d.truth.iter().map(|_| (rng.random::<f64>() < share).then(|| rng.random_range(0..3))).collect();
            for i in 0..d.outcome.len() {
                if spiked[d.teacher[i] as usize] == Some(d.year[i]) {
                    d.outcome[i] += 0.8;
                }
            }
            let spots = d.spots_where(&given(THRESHOLD), false, true);
            t.add(&d, &spots);
            for unit in spots.units.iter().filter(|u| u.peers.finding == Finding::OnePeriod) {
                n_once += 1.0;
                n_once_false += f64::from(u8::from(d.truth[unit.unit as usize] <= THRESHOLD));
            }
        }
        let once = n_once_false / f64::max(n_once, 1.0);
        println!("{share:.2}   {:.3}  {:.3}  | {n_once} {once:.3}", t.false_share(), t.stated());
        assert!(t.false_share() <= 0.10, "{share}: {}", t.false_share());
    }
}

#[test]
#[ignore = "a simulation with planted truth, run by `make sim`"]
fn persistence_is_calibrated() {
    println!("stability  prob_persists: stated  happened | where >= .80: stated  happened");
    for (unit_sd, year_sd) in [(0.2, 0.1), (0.15, 0.2), (0.0, 0.25)] {
        let plan = Plan { year_sd, ..TRIAL };
        let (mut all, mut high) = ([0.0; 3], [0.0; 3]);
        for seed in 0..40 {
            let d = district(4000 + seed, &plan, |rng| unit_sd * normal(rng));
            for unit in d.spots_where(&given(THRESHOLD), false, true).units {
                let Some(p) = unit.peers.prob_persists else { continue };
                let own = d.truth[unit.unit as usize];
                let above = d.years[unit.unit as usize].iter().filter(|y| own + **y > THRESHOLD).count();
                for sums in [Some(&mut all), (p >= 0.8).then_some(&mut high)].into_iter().flatten() {
                    *sums = [sums[0] + 1.0, sums[1] + p, sums[2] + f64::from(u8::from(above >= 2))];
                }
            }
        }
        let share = |s: [f64; 3]| (s[1] / s[0].max(1.0), s[2] / s[0].max(1.0));
        let ((a, b), (c, e)) = (share(all), share(high));
        let stability = unit_sd * unit_sd / (unit_sd * unit_sd + year_sd * year_sd);
        println!("{stability:.2}       {a:.3}  {b:.3} | {c:.3}  {e:.3}  ({} units)", high[0]);
        assert!((a - b).abs() < 0.02, "{a} {b}");
        assert!(e >= c - 0.06 || high[0] < 30.0, "{c} {e}");
    }
}

#[test]
#[ignore = "a simulation with planted truth, run by `make sim`"]
fn peers_are_calibrated() {
    println!("conditions enter   above peers with .80: n, stated false, false | model: candidates, false");
    for (name, bend) in [("linearly", 0.0), ("bent", 0.15)] {
        let plan = Plan { schools: 100, teachers: 5, students: 20, years: 1, school_sd: 0.5, year_sd: 0.0 };
        let (mut n, mut stated, mut n_false, mut n_model, mut n_model_false) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for seed in 0..20 {
            // The school's part of prior scores is a condition alone: it adds nothing by itself.
            let mut d = district(5000 + seed, &plan, |rng| 0.2 * normal(rng));
            let mut sums = vec![(0.0, 0.0); 500];
            for i in 0..d.outcome.len() {
                let sum = &mut sums[d.teacher[i] as usize];
                *sum = (sum.0 + d.prior[i], sum.1 + 1.0);
            }
            let rng = &mut ChaCha8Rng::seed_from_u64(seed);
            for i in 0..d.outcome.len() {
                let teacher = d.teacher[i] as usize;
                let mean = sums[teacher].0 / sums[teacher].1;
                d.outcome[i] = d.truth[teacher] + 0.6 * d.prior[i] + bend * (mean * mean - 0.25) + normal(rng);
            }
            let spots = d.spots_where(&given(THRESHOLD), false, false);
            for unit in &spots.units {
                let is_false = f64::from(u8::from(d.truth[unit.unit as usize] <= 0.0));
                if let Some(m) = unit.peers.matched.filter(|m| m.prob_above >= 0.80) {
                    n += 1.0;
                    stated += 1.0 - m.prob_above;
                    n_false += is_false;
                }
                if unit.peers.is_candidate {
                    n_model += 1.0;
                    n_model_false += f64::from(u8::from(d.truth[unit.unit as usize] <= THRESHOLD));
                }
            }
        }
        println!(
            "{name:10} {n} {:.3} {:.3} | {n_model} {:.3}",
            stated / n,
            n_false / n,
            n_model_false / f64::max(n_model, 1.0)
        );
        assert!((n_false / n - stated / n).abs() < 0.03, "{name}");
    }
}

#[test]
#[ignore = "a simulation with planted truth, run by `make sim`"]
fn guards_cost_little_unless_they_are_worse() {
    println!("guard of a true candidate   kept by the default   shown not worse");
    for (name, harm) in [("no different", 0.0), ("worse by .5", -0.5)] {
        let (mut n, mut kept, mut shown) = (0.0, 0.0, 0.0);
        for seed in 0..20 {
            let d = district(6000 + seed, &TRIAL, planted);
            let rng = &mut ChaCha8Rng::seed_from_u64(seed);
            let own: Vec<f64> =
                d.truth.iter().map(|t| 0.2 * normal(rng) + if *t > THRESHOLD { harm } else { 0.0 }).collect();
            let values: Vec<f64> = d.teacher.iter().map(|t| own[*t as usize] + normal(rng)).collect();
            let guard = Guard { name: "guard", values: &values, margin: Some(0.1) };
            let spots = d.with_guards(&given(THRESHOLD), false, true, &[guard]);
            for unit in spots.units.iter().filter(|u| d.truth[u.unit as usize] > THRESHOLD && u.peers.has_prob) {
                let answer = &unit.peers.guards[0];
                n += 1.0;
                kept += f64::from(u8::from(answer.is_kept));
                shown += f64::from(u8::from(answer.finding == brightspot::bright::GuardFinding::NotWorse));
            }
        }
        println!("{name:14} {:.3} {:.3}", kept / n, shown / n);
        assert!(if harm < 0.0 { kept / n < 0.2 } else { kept / n > 0.6 }, "{name}: {}", kept / n);
    }
}
