//! How often new phases are proposed on series whose truth was planted: three methods, at equal power.
// Figures are printed.
#![allow(clippy::print_stdout)]

use brightspot::charts::rebase::{RebaseEngine, RebaseMethod, RebaseSpec};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Exp1, StandardNormal};

/// What a series without any change is made of: neighbours that correlate by phi, normal or exponential shocks, and a
/// drift over the whole series in standard deviations.
#[derive(Debug, Clone, Copy)]
struct Noise {
    phi: f64,
    is_exponential: bool,
    drift: f64,
}

const INDEPENDENT: Noise = Noise { phi: 0.0, is_exponential: false, drift: 0.0 };
const EXPONENTIAL: Noise = Noise { is_exponential: true, ..INDEPENDENT };
const USUAL: Noise = Noise { phi: 0.3, ..INDEPENDENT };
const STRONG: Noise = Noise { phi: 0.5, ..INDEPENDENT };

/// `n` points of unit variance about a level that rises by `step` at a place.
fn series(rng: &mut ChaCha8Rng, n: usize, noise: Noise, (place, step): (usize, f64)) -> Vec<f64> {
    let innovation = (1.0 - noise.phi * noise.phi).sqrt();
    let mut shock = || -> f64 {
        if noise.is_exponential {
            let x: f64 = rng.sample(Exp1);
            x - 1.0
        } else {
            rng.sample(StandardNormal)
        }
    };
    let mut y = shock();
    // Long enough to forget the first shock.
    for _ in 0..20 {
        y = noise.phi * y + innovation * shock();
    }
    (0..n)
        .map(|t| {
            y = noise.phi * y + innovation * shock();
            y + noise.drift * t as f64 / n as f64 + if t >= place { step } else { 0.0 }
        })
        .collect()
}

/// Proposals this near to a change find it.
const NEAR: usize = 5;

/// Where the step is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Middle,
    /// Anywhere in the middle half.
    Anywhere,
}

/// How often a method proposes anything, and anything near the step.
fn shares(
    engine: &mut RebaseEngine,
    spec: &RebaseSpec,
    n: usize,
    noise: Noise,
    (place, step): (Place, f64),
    repeats: usize,
) -> (f64, f64) {
    let mut rng = ChaCha8Rng::seed_from_u64(n as u64);
    let (mut any, mut near) = (0_usize, 0_usize);
    for _ in 0..repeats {
        let edge = (n / 4).max(8);
        let place = if place == Place::Middle { n / 2 } else { rng.random_range(edge..=n - edge) };
        let found = engine.propose(&series(&mut rng, n, noise, (place, step)), &[], spec).unwrap();
        any += usize::from(!found.proposals.is_empty());
        near += usize::from(found.proposals.iter().any(|proposal| proposal.starts_at.abs_diff(place) <= NEAR));
    }
    (any as f64 / repeats as f64, near as f64 / repeats as f64)
}

fn false_share(engine: &mut RebaseEngine, spec: &RebaseSpec, n: usize, noise: Noise, repeats: usize) -> f64 {
    shares(engine, spec, n, noise, (Place::Middle, 0.0), repeats).0
}

fn power(
    engine: &mut RebaseEngine,
    spec: &RebaseSpec,
    n: usize,
    noise: Noise,
    change: (Place, f64),
    repeats: usize,
) -> f64 {
    shares(engine, spec, n, noise, change, repeats).1
}

fn fixed_run(run_length: usize) -> RebaseSpec {
    RebaseSpec { run_length, ..RebaseSpec::of(RebaseMethod::FixedRun) }
}

fn stable_shift(period_min: usize, shift_length: usize) -> RebaseSpec {
    RebaseSpec { period_min, shift_length, ..RebaseSpec::of(RebaseMethod::StableShift) }
}

/// 1,000 repeats have a standard error of .007 at .05 and .016 at one half: the bands are three of them wider than the
/// stated figures.
#[test]
fn false_proposals_and_power_in_brief() {
    let (mut engine, spec) = (RebaseEngine::new(), RebaseSpec::default());
    let share = false_share(&mut engine, &spec, 36, USUAL, 1_000);
    assert!(share <= 0.07, "{share}");
    let found = power(&mut engine, &spec, 36, INDEPENDENT, (Place::Middle, 2.0), 1_000);
    assert!(found >= 0.85, "{found}");
}

/// All three with their usual options (periods of 12 where 21 are too many), the step in the middle.
#[test]
#[ignore = "simulation: run by `make sim`"]
fn false_proposals_and_power() {
    const REPEATS: usize = 4_000;
    let mut engine = RebaseEngine::new();
    let drifting = Noise { drift: 2.0, ..INDEPENDENT };
    let steep = Noise { drift: 4.0, ..INDEPENDENT };
    println!(
        "n, method: false if iid, exponential, AR(.3), AR(.5); drift of 2, 4 SD; power for 1, 2 SD (iid), 1, 2 (AR .3)"
    );
    for n in [24, 36, 60, 100] {
        let methods = [
            ("change_point", RebaseSpec::default()),
            ("stable_shift", stable_shift(if n < 42 { 12 } else { 21 }, 8)),
            ("fixed_run", fixed_run(9)),
        ];
        let mut by_method = vec![];
        for (name, spec) in &methods {
            let mut of = |noise| false_share(&mut engine, spec, n, noise, REPEATS);
            let stable = [INDEPENDENT, EXPONENTIAL, USUAL, STRONG].map(&mut of);
            let drifts = [drifting, steep].map(&mut of);
            let mut of = |noise, step| power(&mut engine, spec, n, noise, (Place::Middle, step), REPEATS);
            let powers = [of(INDEPENDENT, 1.0), of(INDEPENDENT, 2.0), of(USUAL, 1.0), of(USUAL, 2.0)];
            println!("{n:3} {name:12}: {stable:.3?} | {drifts:.3?} | {powers:.3?}");
            by_method.push((stable, drifts, powers));
        }
        let (stable, drifts, _) = by_method[0];
        // Standard error .004 at .05.
        assert!(stable[0] <= 0.02 && stable[1] <= 0.025 && stable[2] <= 0.07 && stable[3] <= 0.115, "{n}: {stable:?}");
        assert!(drifts[0] <= 0.33 && drifts[1] <= 0.17, "{n}: {drifts:?}");
        // The others have no idea of a drift.
        assert!(n == 24 || by_method[1..].iter().all(|other| other.1[1] > 3.0 * drifts[1]), "{n}: {by_method:?}");
    }
}

/// The claim: where change points are searched for with the alpha that gives a comparator's power to find a step that
/// may be anywhere in the middle half, they are proposed falsely less often than its runs. In the same noise, of
/// normal values with 36 points or more.
#[test]
#[ignore = "simulation: run by `make sim`"]
fn fewer_false_proposals_at_equal_power() {
    const REPEATS: usize = 2_000;
    const ALPHAS: [f64; 10] = [0.0005, 0.002, 0.005, 0.01, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2];
    let mut engine = RebaseEngine::new();
    println!("n, phi, step: false share of a comparator and of change points at its power");
    for n in [24, 36, 60, 100] {
        for noise in [INDEPENDENT, USUAL, STRONG] {
            for step in [1.0, 2.0] {
                let change = (Place::Anywhere, step);
                // What the search gives by alpha: power and false share.
                let ours = ALPHAS.map(|alpha| {
                    let spec = RebaseSpec { alpha, ..RebaseSpec::default() };
                    let found = power(&mut engine, &spec, n, noise, change, REPEATS);
                    (found, false_share(&mut engine, &spec, n, noise, REPEATS))
                });
                let mut others = vec![("fixed_run 9", fixed_run(9)), ("stable_shift 12, 8", stable_shift(12, 8))];
                if n > 24 {
                    others.extend([("fixed_run 12", fixed_run(12)), ("stable_shift 12, 11", stable_shift(12, 11))]);
                }
                if n > 42 {
                    others.push(("stable_shift 21, 8", stable_shift(21, 8)));
                }
                for (name, spec) in others {
                    let goal = power(&mut engine, &spec, n, noise, change, REPEATS);
                    let theirs = false_share(&mut engine, &spec, n, noise, REPEATS);
                    // The first alpha whose power is no less: a little unfair to the search.
                    let here = ours.iter().find(|(found, _)| *found >= goal).map(|(_, share)| *share);
                    println!("{n:3} {:.1} {step} {name:20} power {goal:.2}: {theirs:.3} against {here:.3?}", noise.phi);
                    // Standard error .008 at .15. In 24 points two levels of correlated values cannot be told from chance.
                    if let (Some(here), 36..) = (here, n) {
                        assert!(here <= theirs + 0.015, "{n} {noise:?} {step} {name}: {here} {theirs}");
                    }
                    if noise.phi == 0.0 {
                        assert!(
                            here.is_some_and(|here| here <= theirs + 0.005),
                            "{n} {step} {name}: {here:?} {theirs}"
                        );
                    }
                }
            }
        }
    }
}

/// The intervals of proposals that find the one step there is: the place, in the middle, is to be covered in 9 of 10,
/// and so is the step.
#[test]
#[ignore = "simulation: run by `make sim`"]
fn intervals_cover() {
    const REPEATS: usize = 4_000;
    let (mut engine, spec) = (RebaseEngine::new(), RebaseSpec::default());
    println!("n, phi, step: found near; place covered, rows wide; step covered, mean estimate");
    for n in [24, 36, 60, 100] {
        for (noise, step) in
            [(INDEPENDENT, 1.0), (INDEPENDENT, 2.0), (EXPONENTIAL, 2.0), (USUAL, 1.0), (USUAL, 2.0), (STRONG, 2.0)]
        {
            let mut rng = ChaCha8Rng::seed_from_u64(n as u64 + 500);
            let (mut n_found, mut n_place, mut n_step, mut width, mut sum) = (0_usize, 0_usize, 0_usize, 0_usize, 0.0);
            for _ in 0..REPEATS {
                let found = engine.propose(&series(&mut rng, n, noise, (n / 2, step)), &[], &spec).unwrap();
                let [proposal] = found.proposals[..] else { continue };
                let (from, to) = (proposal.from.unwrap(), proposal.to.unwrap());
                n_found += 1;
                n_place += usize::from(from <= n / 2 && n / 2 <= to);
                n_step += usize::from(proposal.lo.unwrap() <= step && step <= proposal.hi.unwrap());
                width += to - from + 1;
                sum += proposal.estimate;
            }
            let of = |count: usize| count as f64 / n_found as f64;
            let (place, height) = (of(n_place), of(n_step));
            println!(
                "{n:3} {:.1} {step} {}: {:.2}; {place:.3}, {:.1}; {height:.3}, {:.2}",
                noise.phi,
                if noise.is_exponential { "exponential" } else { "normal" },
                n_found as f64 / REPEATS as f64,
                of(width),
                sum / n_found as f64
            );
            assert!(place >= 0.89, "{n} {noise:?} {step}: {place}");
            assert!(height >= 0.85, "{n} {noise:?} {step}: {height}");
        }
    }
}

/// Levels that come and go: up for the middle third.
#[test]
#[ignore = "simulation: run by `make sim`"]
fn levels_that_come_and_go() {
    const REPEATS: usize = 2_000;
    let (mut engine, spec) = (RebaseEngine::new(), RebaseSpec::default());
    for (n, step, least) in [(36, 2.0, 0.20), (36, 3.0, 0.55), (60, 2.0, 0.5), (60, 3.0, 0.9), (100, 2.0, 0.85)] {
        let mut rng = ChaCha8Rng::seed_from_u64(n as u64 + 900);
        let (mut both, mut none) = (0_usize, 0_usize);
        for _ in 0..REPEATS {
            let mut values = series(&mut rng, n, INDEPENDENT, (n / 3, step));
            values[2 * n / 3..].iter_mut().for_each(|value| *value -= step);
            let found = engine.propose(&values, &[], &spec).unwrap();
            let is_near =
                |place: usize| found.proposals.iter().any(|proposal| proposal.starts_at.abs_diff(place) <= NEAR);
            both += usize::from(is_near(n / 3) && is_near(2 * n / 3));
            none += usize::from(found.proposals.is_empty());
        }
        let (both, none) = (both as f64 / REPEATS as f64, none as f64 / REPEATS as f64);
        println!("n {n}, {step} SD for the middle third: both changes found {both:.2}, none {none:.2}");
        assert!(both >= least, "{n} {step}: {both}");
    }
}

/// A thousand charts of 36 points in less than a second, once their laws are known.
#[test]
#[ignore = "timing: run alone, in release"]
fn timing_of_a_thousand_series() {
    let (mut engine, spec) = (RebaseEngine::new(), RebaseSpec::default());
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let all: Vec<Vec<f64>> =
        (0..1_000).map(|index| series(&mut rng, 36, USUAL, (18, if index % 4 == 0 { 2.0 } else { 0.0 }))).collect();
    let mut seconds = || {
        let start = std::time::Instant::now();
        for values in &all {
            assert!(engine.propose(values, &[], &spec).is_ok());
        }
        start.elapsed().as_secs_f64()
    };
    let (cold, warm) = (seconds(), seconds());
    println!("1,000 series of 36 points: {cold:.3} s at first, {warm:.3} s with the laws known");
    assert!(warm < 1.0, "{warm}");
}
