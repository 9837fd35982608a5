//! Simulation with planted truth: for each route, how often a cycle without an effect is judged improved, and how often
//! one with an effect is.

// What a simulation finds is printed, to be published. Helpers of tests: a panic is a failed test.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::cast_possible_wrap)]

use brightspot::cycle::{
    Analysis, Comparison, Doing, Fidelity, Plan, Prediction, Selection, Side, Signal, StudyContext, study,
};
use brightspot::measure::{Candidate, Direction, Kind, Measure, Point, Series, StudentValue};
use brightspot::record::parse_timestamp;
use jiff::civil::{Date, date};
use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution, Exp1, Gamma, Poisson, StandardNormal};

use crate::cycle::Data;

const START: Date = date(2026, 1, 5);

fn week(i: usize) -> Date {
    START + jiff::Span::new().days(7 * i as i64)
}

/// A plan with `b` weeks before and `n` after.
fn plan(outcome: Measure, b: usize, n: usize) -> Plan {
    let prediction = Prediction { direction: Some(Side::Improve), ..Prediction::new("m") };
    Plan {
        predictions: vec![prediction],
        ..Plan::new("Aim", "Change", outcome, [week(0), week(b - 1)], [week(b), week(b + n - 1)])
    }
}

fn measure(kind: Kind) -> Measure {
    let size = matches!(kind, Kind::Proportion | Kind::Rate).then(|| "n".to_owned());
    Measure { kind, size, ..Measure::new("m") }
}

/// The shares of cycles judged improved, and of those judged at all.
struct Shares {
    improved: f64,
    worsened: f64,
    insufficient: f64,
}

/// How much is simulated: cycles a cell, and the first so many cells of each route.
#[derive(Clone, Copy)]
struct Run {
    repeats: usize,
    most: usize,
}

fn shares(repeats: usize, seed: u64, plan: &Plan, mut draw: impl FnMut(&mut ChaCha8Rng) -> Series) -> Shares {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let doing = Doing::new(Fidelity::Fully);
    let context = StudyContext {
        locked_at: Some(parse_timestamp("2026-01-01").unwrap()),
        doing: Some(&doing),
        ..StudyContext::new(date(2028, 1, 1))
    };
    let (mut improved, mut worsened, mut insufficient) = (0_usize, 0_usize, 0_usize);
    for _ in 0..repeats {
        let data = Data::from([("m".to_owned(), draw(&mut rng))]);
        match study(plan, &data, &context).unwrap().signal {
            Signal::Improved => improved += 1,
            Signal::Worsened => worsened += 1,
            Signal::Insufficient => insufficient += 1,
            Signal::NoSignal => {}
        }
    }
    let share = |count: usize| count as f64 / repeats as f64;
    Shares { improved: share(improved), worsened: share(worsened), insufficient: share(insufficient) }
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// A stationary series with mean 0, standard deviation 1 and first-order autocorrelation `phi`.
fn ar(rng: &mut ChaCha8Rng, n: usize, phi: f64) -> Vec<f64> {
    let mut y = normal(rng);
    (0..n)
        .map(|i| {
            if i > 0 {
                y = phi * y + (1.0 - phi * phi).sqrt() * normal(rng);
            }
            y
        })
        .collect()
}

fn points(values: impl IntoIterator<Item = (f64, Option<f64>)>) -> Series {
    let points = values.into_iter().enumerate().map(|(i, (value, size))| Point { time: week(i), value, size });
    Series::new(points).unwrap()
}

/// One route under one condition: the share judged improved without an effect, and with two sizes of effect.
struct Cell {
    route: &'static str,
    condition: String,
    sizes: &'static str,
    none: Shares,
    power: [f64; 2],
}

fn cell(
    route: &'static str,
    condition: impl Into<String>,
    sizes: &'static str,
    (run, place, plan): (Run, usize, &Plan),
    effects: [f64; 2],
    draw: impl Fn(&mut ChaCha8Rng, f64) -> Series,
) -> Option<Cell> {
    if place >= run.most {
        return None;
    }
    let none = shares(run.repeats, 11, plan, |rng| draw(rng, 0.0));
    let power = effects.map(|effect| shares(run.repeats / 10, 12, plan, |rng| draw(rng, effect)).improved);
    let found = Cell { route, condition: condition.into(), sizes, none, power };
    println!(
        "| {} | {} | {:.3} | {:.3} | {:.3} | {} | {:.2} / {:.2} |",
        found.route,
        found.condition,
        found.none.improved,
        found.none.worsened,
        found.none.insufficient,
        found.sizes,
        found.power[0],
        found.power[1]
    );
    Some(found)
}

/// Series: the engine with a frozen baseline, and with few points.
fn series(run: Run) -> Vec<Cell> {
    let mut cells = vec![];
    for (b, n, phi) in [(8, 6, 0.3), (3, 3, 0.3), (5, 5, 0.3), (8, 6, 0.0), (8, 12, 0.3), (24, 12, 0.3)] {
        let plan = plan(Measure::new("m"), b, n);
        let route = if b < 8 { "few points" } else { "series" };
        cells.extend(cell(
            route,
            format!("({b}, {n}), phi = {phi}"),
            "1 / 2 SD",
            (run, cells.len(), &plan),
            [1.0, 2.0],
            |rng, effect| {
                let values = ar(rng, b + n, phi);
                points(values.into_iter().enumerate().map(|(i, y)| (if i < b { y } else { y + effect }, None)))
            },
        ));
    }
    let plan = plan(Measure::new("m"), 8, 6);
    cells.extend(cell(
        "series",
        "(8, 6), exponential values",
        "1 / 2 SD",
        (run, cells.len(), &plan),
        [1.0, 2.0],
        |rng, effect| {
            points((0..14).map(|i| {
                let y: f64 = Exp1.sample(rng);
                (if i < 8 { y } else { y + effect }, None)
            }))
        },
    ));
    cells
}

/// Counts by date: Poisson, overdispersed, with a latent autocorrelated rate; and two totals.
fn counts(run: Run) -> Vec<Cell> {
    let mut cells = vec![];
    let outcome = Measure { direction: Direction::Down, ..measure(Kind::Count) };
    let drop = |effect: f64, i: usize, b: usize| if i < b { 1.0 } else { 1.0 - effect };
    for (b, n, level) in [(8, 6, 3.0), (12, 12, 10.0)] {
        let plan = plan(outcome.clone(), b, n);
        let poisson = move |rng: &mut ChaCha8Rng, effect: f64| {
            points((0..b + n).map(|i| (Poisson::new(level * drop(effect, i, b)).unwrap().sample(rng), None)))
        };
        let label = format!("({b}, {n}), {level} a date, independent");
        cells.extend(cell("counts by date", label, "30% / 50% fewer", (run, cells.len(), &plan), [0.3, 0.5], poisson));
        // Negative binomial with a variance three times its mean.
        let clumped = move |rng: &mut ChaCha8Rng, effect: f64| {
            points((0..b + n).map(|i| {
                let mean: f64 = level * drop(effect, i, b);
                let rate: f64 = Gamma::new(mean / 2.0, 2.0).unwrap().sample(rng);
                (if rate > 0.0 { Poisson::new(rate).unwrap().sample(rng) } else { 0.0 }, None)
            }))
        };
        let label = format!("({b}, {n}), {level} a date, dispersion 3");
        cells.extend(cell("counts by date", label, "30% / 50% fewer", (run, cells.len(), &plan), [0.3, 0.5], clumped));
        let latent = move |rng: &mut ChaCha8Rng, effect: f64| {
            let z = ar(rng, b + n, 0.3);
            points(z.into_iter().enumerate().map(|(i, z)| {
                let rate = level * drop(effect, i, b) * (0.4 * z - 0.08).exp();
                (Poisson::new(rate).unwrap().sample(rng), None)
            }))
        };
        let label = format!("({b}, {n}), {level} a date, rate with phi = 0.3");
        cells.extend(cell("counts by date", label, "30% / 50% fewer", (run, cells.len(), &plan), [0.3, 0.5], latent));
    }
    for level in [40.0, 80.0] {
        let plan = plan(outcome.clone(), 1, 1);
        let totals = move |rng: &mut ChaCha8Rng, effect: f64| {
            points((0..2).map(|i| (Poisson::new(level * drop(effect, i, 1)).unwrap().sample(rng), None)))
        };
        let label = format!("{level} before, independent");
        cells.extend(cell("two totals", label, "30% / 50% fewer", (run, cells.len(), &plan), [0.3, 0.5], totals));
    }
    // Half of the incidents come from students who have several: 1 to 6 each.
    let known = Measure { student: Some("student".into()), ..outcome };
    let plan = plan(known, 1, 1);
    cells.extend(cell(
        "two totals",
        "80 before, 1 to 6 a student, students known",
        "30% / 50% fewer",
        (run, cells.len(), &plan),
        [0.3, 0.5],
        |rng, effect| {
            let (mut students, mut totals) = (vec![], [0.0; 2]);
            for (window, total) in totals.iter_mut().enumerate() {
                let mean = 80.0 / 3.5 * if window == 0 { 1.0 } else { 1.0 - effect };
                let n: f64 = Poisson::new(mean).unwrap().sample(rng);
                let mut i = 0.0;
                while i < n {
                    let value = f64::from(rng.random_range(1..=6_u8));
                    *total += value;
                    let student = Some(format!("{window}-{i}"));
                    students.push(StudentValue {
                        time: week(window),
                        class: String::new(),
                        is_treated: true,
                        student,
                        value,
                        prior: None,
                    });
                    i += 1.0;
                }
            }
            let series = points(totals.map(|total| (total, None)));
            Series { students, ..series }
        },
    ));
    cells
}

/// Proportions by date: binomial, and with a probability of its own each date.
fn proportions(run: Run) -> Vec<Cell> {
    let mut cells = vec![];
    let outcome = measure(Kind::Proportion);
    for (b, n, trials, p) in [(8, 6, 25_u32, 0.5), (8, 3, 25, 0.1)] {
        let plan = plan(outcome.clone(), b, n);
        for spread in [0.0, 0.5] {
            let draw = move |rng: &mut ChaCha8Rng, effect: f64| {
                let z = ar(rng, b + n, 0.3);
                points(z.into_iter().enumerate().map(|(i, z)| {
                    let logit = (p / (1.0_f64 - p)).ln() + spread * z;
                    let share = 1.0 / (1.0 + (-logit).exp()) + if i < b { 0.0 } else { effect };
                    let x = Binomial::new(u64::from(trials), share.min(1.0)).unwrap().sample(rng) as f64;
                    (x / f64::from(trials), Some(f64::from(trials)))
                }))
            };
            let kind = if spread > 0.0 { "overdispersed, phi = 0.3" } else { "independent" };
            let label = format!("({b}, {n}), {p} of {trials} a date, {kind}");
            cells.extend(cell(
                "proportions by date",
                label,
                "10 / 20 points",
                (run, cells.len(), &plan),
                [0.1, 0.2],
                draw,
            ));
        }
    }
    cells
}

/// A small sample against a standard that is just met.
fn standard(run: Run) -> Vec<Cell> {
    let mut cells = vec![];
    for (n, standard) in [(6_u64, 0.5), (12, 0.8), (20, 0.8), (20, 0.5)] {
        let plan = plan(Measure { standard: Some(standard), ..measure(Kind::Proportion) }, 1, 1);
        let label = format!("{n} against {standard}");
        let draw = move |rng: &mut ChaCha8Rng, effect: f64| {
            let x = Binomial::new(n, (standard + effect).min(1.0)).unwrap().sample(rng) as f64;
            points([(0.0, Some(1.0)), (x / n as f64, Some(n as f64))])
        };
        cells.extend(cell("standard", label, "+15 / +20 points", (run, cells.len(), &plan), [0.15, 0.2], draw));
    }
    cells
}

/// Classes of 24 students, with a class effect that lasts and one of the year: between them a tenth of the variance.
fn classes(run: Run) -> Vec<Cell> {
    let mut cells = vec![];
    for (treated, others) in [(2_usize, 3_usize), (2, 8), (5, 5)] {
        for analysis in [Analysis::Ancova, Analysis::DifferenceInDifferences] {
            let names = (0..treated).map(|c| format!("{c:02}"));
            let outcome = Measure { student: Some("student".into()), ..Measure::new("m") };
            let plan = Plan { comparison: Some(Comparison::new(names)), analysis, ..plan(outcome, 1, 1) };
            let route = if analysis == Analysis::Ancova { "classes, ANCOVA" } else { "classes, gains" };
            let label = format!("{treated} against {others} classes");
            cells.extend(cell(
                route,
                label,
                ".3 / .5 SD",
                (run, cells.len(), &plan),
                [0.3, 0.5],
                move |rng, effect| {
                    let mut students = vec![];
                    for class in 0..treated + others {
                        let (lasting, year) = (0.3 * normal(rng), 0.15 * normal(rng));
                        for student in 0..24 {
                            let ability = 0.8 * normal(rng);
                            let is_treated = class < treated;
                            let row = |time, value| StudentValue {
                                time,
                                class: format!("{class:02}"),
                                is_treated,
                                student: Some(format!("{class}-{student}")),
                                value,
                                prior: None,
                            };
                            students.push(row(week(0), lasting + ability + 0.5 * normal(rng)));
                            let gain = if is_treated { effect } else { 0.0 };
                            students.push(row(week(1), lasting + year + gain + ability + 0.5 * normal(rng)));
                        }
                    }
                    let series = points([(0.0, None), (0.0, None)]);
                    Series { students, ..series }
                },
            ));
        }
    }
    cells
}

/// The worst of twelve teams: half of the variance between teams and weeks lasts.
fn chosen(run: Run) -> Vec<Cell> {
    let mut cells = vec![];
    for (b, n) in [(8, 6), (3, 6)] {
        for (phi, lasting) in [(0.3, 0.5), (0.0, 0.5), (0.3, 0.0)] {
            for is_told in [true, false] {
                let selection =
                    Selection { unit: Some("team".into()), chosen: vec!["worst".into()], ..Selection::worst() };
                let plan = Plan { selection: is_told.then_some(selection), ..plan(Measure::new("m"), b, n) };
                let route = if is_told { "worst of 12" } else { "worst of 12, not told" };
                let label = format!("({b}, {n}), phi = {phi}, teams differ by {lasting} SD");
                cells.extend(cell(
                    route,
                    label,
                    "1 / 2 SD",
                    (run, cells.len(), &plan),
                    [1.0, 2.0],
                    move |rng, effect| worst_of(rng, 12, b, n, phi, lasting, effect),
                ));
            }
        }
    }
    // Counts: the school with the most incidents of twelve.
    let outcome = Measure { direction: Direction::Down, ..measure(Kind::Count) };
    for is_told in [true, false] {
        let selection = Selection { unit: Some("school".into()), chosen: vec!["worst".into()], ..Selection::worst() };
        let plan = Plan { selection: is_told.then_some(selection), ..plan(outcome.clone(), 8, 6) };
        let route = if is_told { "most of 12, counts" } else { "most of 12, counts, not told" };
        cells.extend(cell(
            route,
            "(8, 6), 10 a date, schools differ by 10%",
            "30% / 50% fewer",
            (run, cells.len(), &plan),
            [0.3, 0.5],
            |rng, effect| {
                let schools: Vec<(f64, Vec<f64>)> = (0..12)
                    .map(|_| {
                        let rate = 10.0 * (0.1 * normal(rng)).exp();
                        (rate, (0..8).map(|_| Poisson::new(rate).unwrap().sample(rng)).collect())
                    })
                    .collect();
                let total = |school: &(f64, Vec<f64>)| school.1.iter().sum::<f64>();
                let worst = schools.iter().max_by(|a, b| total(a).total_cmp(&total(b))).unwrap();
                let after =
                    (0..6).map(|_| Poisson::new(worst.0 * (1.0 - effect)).unwrap().sample(rng)).collect::<Vec<f64>>();
                let series = points(worst.1.iter().copied().chain(after).map(|x| (x, None)));
                Series { candidates: candidates(schools.iter().map(|school| school.1.clone())), ..series }
            },
        ));
    }
    cells
}

fn candidates(units: impl Iterator<Item = Vec<f64>>) -> Vec<Candidate> {
    units
        .enumerate()
        .map(|(i, values)| Candidate {
            unit: format!("{i:02}"),
            points: points(values.into_iter().map(|y| (y, None))).points,
        })
        .collect()
}

fn worst_of(rng: &mut ChaCha8Rng, k: usize, b: usize, n: usize, phi: f64, lasting: f64, effect: f64) -> Series {
    let teams: Vec<Vec<f64>> = (0..k)
        .map(|_| {
            let level = lasting * normal(rng);
            ar(rng, b + n, phi).into_iter().map(|y| y + level).collect()
        })
        .collect();
    let before = |team: &Vec<f64>| team.iter().take(b).sum::<f64>();
    let worst = teams.iter().min_by(|a, c| before(a).total_cmp(&before(c))).unwrap();
    let series = points(worst.iter().enumerate().map(|(i, y)| (if i < b { *y } else { y + effect }, None)));
    Series { candidates: candidates(teams.iter().map(|team| team.iter().take(b).copied().collect())), ..series }
}

fn check(cells: Vec<Cell>, slack: f64) {
    for cell in cells.into_iter().filter(|cell| !cell.route.ends_with("not told")) {
        assert!(cell.none.improved <= 0.05 + slack, "{}, {}: {}", cell.route, cell.condition, cell.none.improved);
    }
}

const FULL: Run = Run { repeats: 10_000, most: usize::MAX };

/// 10,000 cycles a cell have a standard error of .0022 at 5%: two of them.
const SLACK: f64 = 0.0044;

/// 200 cycles a cell have a standard error of .015 at 5%: three of them.
#[test]
fn routes_in_brief() {
    for route in [series, counts, proportions, standard, classes, chosen] {
        check(route(Run { repeats: 200, most: 2 }), 0.046);
    }
}

/// A test for each route, so that they run beside each other. The columns: route, data, improved without an effect, got
/// worse, no verdict, the effects, improved with each.
macro_rules! full {
    ($($name:ident: $route:ident,)*) => {$(
        #[test]
        #[ignore = "simulation: run by `make sim`"]
        fn $name() {
            check($route(FULL), SLACK);
        }
    )*};
}

full! {
    errors_of_series: series,
    errors_of_counts: counts,
    errors_of_proportions: proportions,
    errors_of_standards: standard,
    errors_of_classes: classes,
    errors_of_the_worst: chosen,
}
