//! Twenty practices, some of them planted: how many are found, and how many of those that are named are false.

use brightspot::bright::PracticeUse;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{PLAN, Plan, by_chance, district, planted, seeded, twenty};

/// What came of many districts.
struct Seen {
    /// The mean share of false ones among those named (0 where none is).
    false_share: f64,
    /// What the results themselves say of it, over the districts in which one is named.
    stated: f64,
    /// The share of planted ones that are named.
    found: f64,
    /// The share of districts in which anything false is named.
    any_false: f64,
}

type Uses = fn(&mut ChaCha8Rng, &Plan) -> Vec<PracticeUse>;

fn independent(rng: &mut ChaCha8Rng, plan: &Plan) -> Vec<PracticeUse> {
    twenty(rng, plan.schools * plan.teachers)
}

/// Practices that schools take up as a whole, and teachers then use in most rooms.
fn by_school(rng: &mut ChaCha8Rng, plan: &Plan) -> Vec<PracticeUse> {
    (0..20)
        .map(|k| {
            let mut dose = Vec::new();
            for _ in 0..plan.schools {
                let chance = if rng.random::<f64>() < 0.5 { 0.9 } else { 0.1 };
                dose.extend(by_chance(rng, "", plan.teachers, chance).dose);
            }
            PracticeUse { name: format!("practice {k:02}"), dose }
        })
        .collect()
}

/// A third of the uses are not known.
fn holed(rng: &mut ChaCha8Rng, plan: &Plan) -> Vec<PracticeUse> {
    independent(rng, plan)
        .into_iter()
        .map(|p| PracticeUse { dose: p.dose.iter().map(|d| d.filter(|_| rng.random::<f64>() > 0.33)).collect(), ..p })
        .collect()
}

fn simulate(reps: u64, plan: &Plan, uses: Uses, n_planted: usize, by: f64) -> Seen {
    let mut seen = Seen { false_share: 0.0, stated: 0.0, found: 0.0, any_false: 0.0 };
    let mut n_named = 0.0;
    for seed in 0..reps {
        let rng = &mut seeded(1000 + seed);
        // What is planted is what rooms do; what is known of it may be less.
        let known = uses(rng, plan);
        let truly: Vec<PracticeUse> = known
            .iter()
            .map(|p| PracticeUse {
                name: p.name.clone(),
                dose: p.dose.iter().map(|d| Some(d.unwrap_or_else(|| f64::from(rng.random::<f64>() < 0.4)))).collect(),
            })
            .collect();
        let added = planted(&truly, n_planted, by);
        let found = district(rng, plan, &added).practices(&known);
        let hits = found.candidates.iter().filter(|k| **k < n_planted).count();
        let named = found.candidates.len();
        seen.found += hits as f64 / n_planted.max(1) as f64;
        seen.false_share += (named - hits) as f64 / named.max(1) as f64;
        seen.any_false += f64::from(u8::from(named > hits));
        if let Some(stated) = found.false_share {
            seen.stated += stated;
            n_named += 1.0;
        }
    }
    for value in [&mut seen.found, &mut seen.false_share, &mut seen.any_false] {
        *value /= reps as f64;
    }
    seen.stated /= f64::max(n_named, 1.0);
    seen
}

#[test]
fn nothing_planted_names_next_to_none() {
    let plan = Plan { schools: 12, years: 2, students: 10, ..PLAN };
    let seen = simulate(12, &plan, independent, 0, 0.0);
    // 10% of 12 are 1.2; 5 or more would happen in 4 of a thousand.
    assert!(seen.any_false <= 4.0 / 12.0, "{}", seen.any_false);
}

#[test]
#[ignore = "a simulation with planted truth, run by `make sim`"]
fn two_of_twenty_planted_practices() {
    println!("| use | teachers | planted | found | false share | stated | any false |");
    let large = Plan { schools: 40, ..PLAN };
    let cells: [(&str, Plan, Uses, usize, f64); 9] = [
        ("by room", PLAN, independent, 0, 0.0),
        ("by school", PLAN, by_school, 0, 0.0),
        ("a third unknown", PLAN, holed, 0, 0.0),
        ("by room", PLAN, independent, 2, 0.15),
        ("by room", PLAN, independent, 2, 0.25),
        ("by school", PLAN, by_school, 2, 0.25),
        ("a third unknown", PLAN, holed, 2, 0.25),
        ("by room", large, independent, 2, 0.15),
        ("by school", large, by_school, 2, 0.15),
    ];
    let reps = 100;
    for (name, plan, uses, n_planted, by) in cells {
        let seen = simulate(reps, &plan, uses, n_planted, by);
        println!(
            "| {name} | {} | {n_planted} x {by} | {:.2} | {:.3} | {:.3} | {:.3} |",
            plan.schools * plan.teachers,
            seen.found,
            seen.false_share,
            seen.stated,
            seen.any_false
        );
        // Three standard errors of a share of .10 among so many districts.
        let slack = 3.0 * (0.09 / reps as f64).sqrt();
        assert!(seen.false_share <= 0.10 + slack, "{name}: {}", seen.false_share);
        if n_planted == 0 {
            assert!(seen.any_false <= 0.10 + slack, "{name}: {}", seen.any_false);
        }
        if by >= 0.25 {
            assert!(seen.found >= 0.5, "{name}: {}", seen.found);
        }
    }
}
