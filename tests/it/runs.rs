//! The exact laws of runs: against reference tables, against lists of all series, and by simulation.
// Helpers outside of a test function are test code too.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::float_cmp,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap
)]

use brightspot::rules::{longest_run_max, n_crossings_min};
use brightspot::stats::runs::{
    Middle, RunLaw, RunLaws, Side, count_runs, count_runs_against, prob_count_above, prob_run_above,
};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use crate::chart_reference::csv;

#[test]
fn false_signals_match_the_exact_reference() {
    let Some(rows) = csv(&["charts", "anhoej_exact_false_signal.csv"]) else { return };
    let mut laws = RunLaws::default();
    let mut n_checked = 0;
    for row in &rows {
        let n = row.int("n").unwrap();
        let (c_min, l_max) = (n_crossings_min(n), longest_run_max(n));
        assert_eq!((c_min, l_max), (row.int("crossings_min").unwrap(), row.int("longest_max").unwrap()));
        let known = RunLaw::Known { n_useful: n };
        let halves = RunLaw::SamePoints { n_above: n / 2, n_below: n / 2 };
        for (law, name) in [(known, "fixed"), (halves, "empmedian")] {
            let Some(either) = row.float(&format!("{name}_either")) else { continue };
            let crossings = row.float(&format!("{name}_crossings")).unwrap();
            let run = row.float(&format!("{name}_run")).unwrap();
            assert!((laws.false_signal(law, l_max, c_min) - either).abs() < 1e-12, "{law:?}");
            assert!((laws.prob_longest_run(law, l_max + 1) - run).abs() < 1e-12, "{law:?}");
            let few = if c_min == 0 { 0.0 } else { laws.prob_crossings(law, c_min - 1) };
            assert!((few - crossings).abs() < 1e-12, "{law:?}");
            n_checked += 1;
        }
    }
    assert!(n_checked > rows.len());
}

#[test]
fn frozen_runs_match_the_reference() {
    let Some(rows) = csv(&["charts", "frozen_median_run_probability.csv"]) else { return };
    for row in &rows {
        let [b, n, r] = ["n_baseline", "n_after", "run_length"].map(|name| row.int(name).unwrap());
        let expected = row.float("prob_run_above_at_least").unwrap();
        assert!((prob_run_above(b, n, r).unwrap() - expected).abs() < 1e-9, "{b} {n} {r}");
    }
    assert_eq!(rows.len(), 1920);
}

#[test]
fn frozen_counts_match_the_reference() {
    let Some(rows) = csv(&["charts", "frozen_median_count_probability.csv"]) else { return };
    for row in &rows {
        let [b, n, k] = ["n_baseline", "n_after", "n_above"].map(|name| row.int(name).unwrap());
        let expected = row.float("prob_n_above_at_least").unwrap();
        assert!((prob_count_above(b, n, k).unwrap() - expected).abs() < 1e-9, "{b} {n} {k}");
    }
    assert_eq!(rows.len(), 1312);
}

/// Figures printed in the method's derivation: P(run >= 6 of 12) after 8 is .0839, and the fewest later points that
/// can reach .05.
#[test]
fn frozen_runs_hand_figures() {
    assert!((prob_run_above(8, 12, 6).unwrap() - 0.0839).abs() < 5e-5);
    assert!((prob_run_above(9, 12, 6).unwrap() - 0.1206).abs() < 5e-5);
    for (b, fewest) in [(5, 8), (6, 8), (7, 6), (15, 6), (20, 5), (36, 5)] {
        assert!(prob_count_above(b, fewest, fewest).unwrap() <= 0.05, "{b}");
    }
}

/// Every series of a small law with its probability.
fn all_series(law: RunLaw) -> Vec<(Vec<Side>, f64)> {
    fn orders(n: usize) -> impl Iterator<Item = Vec<Side>> {
        (0..1_usize << n)
            .map(move |code| (0..n).map(|i| if code >> i & 1 == 1 { Side::Above } else { Side::Below }).collect())
    }
    fn n_above(sides: &[Side]) -> usize {
        sides.iter().filter(|side| **side == Side::Above).count()
    }
    fn choose(n: usize, k: usize) -> f64 {
        (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product()
    }
    /// Polya's urn: the sequence of signs of exchangeable trials with a Beta(s, s) probability.
    fn urn(sides: &[Side], shape: f64) -> f64 {
        let (mut above, mut prob) = (0.0, 1.0);
        for (i, side) in sides.iter().enumerate() {
            let next = (shape + above) / (2.0 * shape + i as f64);
            if *side == Side::Above {
                prob *= next;
                above += 1.0;
            } else {
                prob *= 1.0 - next;
            }
        }
        prob
    }
    match law {
        RunLaw::Known { n_useful } => orders(n_useful).map(|s| (s, 0.5_f64.powi(n_useful as i32))).collect(),
        RunLaw::SamePoints { n_above: a, n_below: c } => {
            orders(a + c).filter(|s| n_above(s) == a).map(|s| (s, 1.0 / choose(a + c, a))).collect()
        }
        RunLaw::FrozenAfter { n_baseline, n_after } => orders(n_after)
            .map(|s| {
                let prob = urn(&s, f64::midpoint(n_baseline as f64, 1.0));
                (s, prob)
            })
            .collect(),
        RunLaw::FrozenWhole { base_above, base_below, n_baseline, n_after } => {
            let after = all_series(RunLaw::FrozenAfter { n_baseline, n_after });
            all_series(RunLaw::SamePoints { n_above: base_above, n_below: base_below })
                .into_iter()
                .flat_map(|(base, p)| {
                    after.iter().map(move |(later, q)| ([base.as_slice(), later].concat(), p * q)).collect::<Vec<_>>()
                })
                .collect()
        }
    }
}

/// Not a fraction that a small law attains, so that rounding does not decide.
const ALPHA: f64 = 0.2123;

/// The definition, word for word, on a list of all series.
fn check_by_listing(laws: &mut RunLaws, law: RunLaw, tolerance: f64) {
    let all: Vec<(usize, usize, f64)> = all_series(law)
        .into_iter()
        .map(|(sides, prob)| {
            let counts = count_runs(&sides);
            (counts.longest_run, counts.n_crossings, prob)
        })
        .collect();
    let n = all_series(law).first().map_or(0, |(sides, _)| sides.len());
    let sum = |is_so: &dyn Fn(usize, usize) -> bool| -> f64 {
        all.iter().filter(|(l, c, _)| is_so(*l, *c)).map(|(_, _, prob)| prob).sum()
    };
    let rarity = |l: usize, c: usize| sum(&|x, _| x >= l).min(sum(&|_, y| y <= c));
    let rarities: Vec<Vec<f64>> = (0..=n).map(|l| (0..=n).map(|c| rarity(l, c)).collect()).collect();
    let (mut size, mut attained) = (0.0_f64, std::collections::BTreeSet::new());
    for &(l, c, _) in &all {
        attained.insert((l, c));
    }
    for (l, c) in attained {
        let expected = sum(&|x, y| rarities[x][y] <= rarities[l][c] * (1.0 + 1e-9));
        let prob = laws.prob_runs(law, l, c);
        assert!((prob - expected).abs() <= tolerance * expected.max(1e-3), "{law:?} {l} {c}: {prob} {expected}");
        let either = sum(&|x, y| x > l || y < c);
        assert!((laws.false_signal(law, l, c) - either).abs() < 1e-13, "{law:?} {l} {c}");
        if expected <= ALPHA {
            size = size.max(expected);
        }
    }
    assert!((laws.size(law, ALPHA) - size).abs() < 1e-12, "{law:?}");
}

#[test]
fn laws_agree_with_a_list_of_all_series() {
    let mut laws = RunLaws::default();
    for n in 1..=11 {
        check_by_listing(&mut laws, RunLaw::Known { n_useful: n }, 1e-12);
        for a in 0..=n {
            check_by_listing(&mut laws, RunLaw::SamePoints { n_above: a, n_below: n - a }, 1e-12);
        }
    }
    for (b, n) in [(1, 4), (5, 8), (8, 10), (12, 3)] {
        check_by_listing(&mut laws, RunLaw::FrozenAfter { n_baseline: b, n_after: n }, 1e-12);
    }
    for (above, below, b, n) in [
        (3, 3, 6, 6),
        (3, 3, 7, 5),
        (2, 4, 8, 5),
        (0, 3, 4, 6),
        (4, 0, 4, 4),
        (0, 0, 3, 7),
        (5, 5, 11, 1),
        (3, 2, 6, 0),
    ] {
        let law = RunLaw::FrozenWhole { base_above: above, base_below: below, n_baseline: b, n_after: n };
        check_by_listing(&mut laws, law, 1e-11);
    }
}

#[test]
fn no_points_are_no_evidence() {
    let mut laws = RunLaws::default();
    for law in [
        RunLaw::Known { n_useful: 0 },
        RunLaw::SamePoints { n_above: 0, n_below: 0 },
        RunLaw::FrozenAfter { n_baseline: 5, n_after: 0 },
        RunLaw::FrozenWhole { base_above: 0, base_below: 0, n_baseline: 1, n_after: 0 },
    ] {
        assert_eq!(laws.prob_runs(law, 0, 0), 1.0);
        assert_eq!(laws.size(law, 0.05), 0.0);
    }
    assert_eq!(laws.prob_runs_simulated(&[], Middle::Median, 0, 0), 1.0);
    assert_eq!(laws.prob_runs_simulated(&[false; 4], Middle::Median, 4, 0), 1.0);
}

/// The sizes published for these laws (three decimals), computed exactly.
#[test]
fn sizes_are_as_published() {
    let mut laws = RunLaws::default();
    let mut near = |law, published: f64| {
        let size = laws.size(law, 0.05);
        assert!((size - published).abs() < 0.0006, "{law:?}: {size} {published}");
    };
    for (n, known, same) in [(12, 0.043, 0.013), (24, 0.043, 0.038), (36, 0.042, 0.043)] {
        near(RunLaw::Known { n_useful: n }, known);
        near(RunLaw::SamePoints { n_above: n / 2, n_below: n / 2 }, same);
    }
    for (b, n, size) in [(8, 12, 0.040), (12, 24, 0.047)] {
        near(RunLaw::FrozenAfter { n_baseline: b, n_after: n }, size);
    }
    for (b, n, size) in [(8, 12, 0.036), (12, 12, 0.043)] {
        near(RunLaw::FrozenWhole { base_above: b / 2, base_below: b / 2, n_baseline: b, n_after: n }, size);
    }
}

/// Sides of a stable series about its frozen median, as a chart finds them.
fn stable(rng: &mut ChaCha8Rng, b: usize, n: usize) -> Vec<Side> {
    let values: Vec<f64> = (0..b + n).map(|_| rng.sample(StandardNormal)).collect();
    let mut base = values[..b].to_vec();
    let center = brightspot::stats::summary::median(&mut base).unwrap();
    values.iter().map(|value| Side::of(*value, center)).collect()
}

/// How often `prob_runs` is at most .05 in simulated stable series: (whole chart, points after).
fn simulated_sizes(laws: &mut RunLaws, b: usize, n: usize, n_series: u32) -> (f64, f64) {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let (mut whole, mut after) = (0, 0);
    for _ in 0..n_series {
        let sides = stable(&mut rng, b, n);
        let useful: Vec<Side> = sides.iter().copied().filter(|side| *side != Side::On).collect();
        let counts = count_runs_against(&useful);
        let law = RunLaw::FrozenWhole { base_above: b / 2, base_below: b / 2, n_baseline: b, n_after: n };
        whole += u32::from(laws.prob_runs(law, counts.longest_run, counts.n_crossings) <= 0.05);
        let counts = count_runs_against(&sides[b..]);
        let law = RunLaw::FrozenAfter { n_baseline: b, n_after: n };
        after += u32::from(laws.prob_runs(law, counts.longest_run, counts.n_crossings) <= 0.05);
    }
    (f64::from(whole) / f64::from(n_series), f64::from(after) / f64::from(n_series))
}

/// With an odd baseline the law is exact whatever the distribution, so the simulated size must be the computed one.
#[test]
fn an_odd_baseline_has_its_exact_size() {
    let mut laws = RunLaws::default();
    let (whole, after) = simulated_sizes(&mut laws, 9, 12, 20_000);
    let exact = laws.size(RunLaw::FrozenWhole { base_above: 4, base_below: 4, n_baseline: 9, n_after: 12 }, 0.05);
    assert!((whole - exact).abs() < 0.006, "{whole} {exact}");
    let exact = laws.size(RunLaw::FrozenAfter { n_baseline: 9, n_after: 12 }, 0.05);
    assert!((after - exact).abs() < 0.006, "{after} {exact}");
}

/// 200,000 stable series for each pair; standard error .0005. With an odd baseline the laws are exact. With an even one
/// the mean of the two middle values is not quite free of the distribution: for normal values the laws then err on the
/// careful side, by less than .005.
#[test]
#[ignore = "simulation"]
fn simulated_sizes_are_the_computed_ones() {
    let mut laws = RunLaws::default();
    for (b, n) in [(8, 12), (12, 12), (12, 24), (24, 24), (9, 12), (15, 24), (21, 36)] {
        let (whole, after) = simulated_sizes(&mut laws, b, n, 200_000);
        let halves = RunLaw::FrozenWhole { base_above: b / 2, base_below: b / 2, n_baseline: b, n_after: n };
        let exact = (laws.size(halves, 0.05), laws.size(RunLaw::FrozenAfter { n_baseline: b, n_after: n }, 0.05));
        println!("({b},{n}): whole {whole} after {after}, computed {exact:?}");
        let careful = if b % 2 == 0 { 0.005 } else { 0.002 };
        for (simulated, computed) in [(whole, exact.0), (after, exact.1)] {
            assert!(simulated < computed + 0.002 && simulated > computed - careful, "{b} {n}: {simulated} {computed}");
        }
    }
}

/// Where the closed form exists, the simulation must give the same answer.
#[test]
fn simulation_and_closed_form_agree() {
    let mut laws = RunLaws::default();
    let is_baseline: Vec<bool> = (0..24).map(|row| row < 11).collect();
    let law = RunLaw::FrozenWhole { base_above: 5, base_below: 5, n_baseline: 11, n_after: 13 };
    for (l, c) in [(5, 9), (7, 7), (9, 6), (13, 4), (6, 5)] {
        let (exact, simulated) =
            (laws.prob_runs(law, l, c), laws.prob_runs_simulated(&is_baseline, Middle::Median, l, c));
        // Four standard errors, and the jump that a swap of two nearly equal tails makes.
        assert!((exact - simulated).abs() < 4.0 * (exact / 20_000.0).sqrt() + 0.004, "{l} {c}: {exact} {simulated}");
    }
    // Too long for the closed form: simulated, said, and not extreme for what is typical.
    let long = RunLaw::FrozenWhole { base_above: 12, base_below: 12, n_baseline: 24, n_after: 1100 };
    assert!(long.is_simulated() && !law.is_simulated());
    assert!(laws.prob_runs(long, 11, 555) > 0.2);
    assert!(laws.prob_runs(long, 200, 300) < 0.05);
}

/// Long series stay exact and finite; the figures are those of a sum in closed form for two runs.
#[test]
fn long_series() {
    let mut laws = RunLaws::default();
    let (a, c) = (1500, 1400);
    let law = RunLaw::SamePoints { n_above: a, n_below: c };
    let typical = laws.prob_runs(law, 12, 1450);
    assert!(typical > 0.2 && typical <= 1.0, "{typical}");
    assert!(laws.prob_runs(law, 1500, 1) >= 0.0);
    let unbalanced = RunLaw::SamePoints { n_above: 2990, n_below: 3 };
    // One crossing: the three below at either end, 2 of C(2993, 3) orders.
    let expected = 2.0 / (2993.0 * 2992.0 * 2991.0 / 6.0);
    assert!((laws.prob_crossings(unbalanced, 1) / expected - 1.0).abs() < 1e-9);
    let after = RunLaw::FrozenAfter { n_baseline: 24, n_after: 1500 };
    let typical = laws.prob_runs(after, 12, 750);
    assert!(typical > 0.1 && typical <= 1.0, "{typical}");
}

/// A Beta with a very large shape is a fair coin: points after a huge frozen baseline are nearly about a known line.
#[test]
fn a_huge_baseline_is_a_known_line() {
    let mut laws = RunLaws::default();
    let known = RunLaw::Known { n_useful: 30 };
    let frozen = RunLaw::FrozenAfter { n_baseline: 100_000_001, n_after: 30 };
    for (l, c) in [(6, 14), (9, 11), (12, 8)] {
        assert!((laws.prob_runs(known, l, c) - laws.prob_runs(frozen, l, c)).abs() < 1e-5);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn more_extreme_is_never_more_probable(a in 1_usize..25, c in 1_usize..25, l in 1_usize..25, k in 0_usize..50) {
        let mut laws = RunLaws::default();
        let law = RunLaw::SamePoints { n_above: a, n_below: c };
        let prob = laws.prob_runs(law, l, k);
        prop_assert!((0.0..=1.0).contains(&prob));
        prop_assert!(laws.prob_runs(law, l + 1, k) <= prob + 1e-12);
        if k > 0 {
            prop_assert!(laws.prob_runs(law, l, k - 1) <= prob + 1e-12);
        }
        let mirror = RunLaw::SamePoints { n_above: c, n_below: a };
        prop_assert_eq!(laws.prob_runs(mirror, l, k), prob);
    }

    #[test]
    fn frozen_laws_stay_probabilities(b in 1_usize..30, n in 1_usize..30, l in 1_usize..40, k in 0_usize..60) {
        let mut laws = RunLaws::default();
        let law = RunLaw::FrozenWhole { base_above: b / 2, base_below: b / 2, n_baseline: b, n_after: n };
        let prob = laws.prob_runs(law, l, k);
        prop_assert!((0.0..=1.0).contains(&prob));
        prop_assert!(laws.prob_runs(law, l + 1, k) <= prob + 1e-12);
        prop_assert!(prob_run_above(b, n, l + 1).unwrap() <= prob_run_above(b, n, l).unwrap() + 1e-12);
        prop_assert!(prob_run_above(b, n, l).unwrap() <= prob_count_above(b, n, l).unwrap() + 1e-12);
    }

    #[test]
    fn reversal_keeps_runs_and_crossings(codes in proptest::collection::vec(0_u8..3, 0..60)) {
        let sides: Vec<Side> = codes.iter().map(|code| [Side::Below, Side::On, Side::Above][usize::from(*code)]).collect();
        let reversed: Vec<Side> = sides.iter().rev().copied().collect();
        prop_assert_eq!(count_runs(&sides), count_runs(&reversed));
        prop_assert_eq!(count_runs_against(&sides), count_runs_against(&reversed));
        let (dropped, against) = (count_runs(&sides), count_runs_against(&sides));
        prop_assert!(against.n_crossings >= dropped.n_crossings);
        prop_assert!(against.longest_run <= dropped.longest_run.max(1));
    }
}

#[test]
fn anhoej_limits_match_the_reference() {
    let Some(rows) = csv(&["charts", "anhoej_limits.csv"]) else { return };
    for row in &rows {
        let n = row.int("n_useful").unwrap();
        assert_eq!(Some(longest_run_max(n)), row.int("longest_run_max"), "{n}");
        assert_eq!(Some(n_crossings_min(n)), row.int("n_crossings_min"), "{n}");
    }
    assert_eq!(rows.len(), 2000);
}

/// What one probability of a long series costs, nothing computed before; to be read, not asserted.
#[test]
#[ignore = "timing"]
fn timing() {
    for (law, l, c) in [
        (RunLaw::FrozenWhole { base_above: 12, base_below: 12, n_baseline: 24, n_after: 36 }, 9, 25),
        (RunLaw::FrozenWhole { base_above: 50, base_below: 50, n_baseline: 100, n_after: 300 }, 14, 180),
        (RunLaw::FrozenWhole { base_above: 50, base_below: 50, n_baseline: 100, n_after: 300 }, 100, 60),
        (RunLaw::FrozenWhole { base_above: 500, base_below: 500, n_baseline: 1000, n_after: 1000 }, 16, 960),
        (RunLaw::FrozenAfter { n_baseline: 24, n_after: 2000 }, 16, 960),
        (RunLaw::SamePoints { n_above: 1500, n_below: 1500 }, 16, 1450),
        (RunLaw::Known { n_useful: 3000 }, 16, 1450),
    ] {
        let start = std::time::Instant::now();
        let prob = RunLaws::default().prob_runs(law, l, c);
        println!("{law:?} {l} {c}: {prob:.6} in {:?}", start.elapsed());
    }
    let start = std::time::Instant::now();
    let is_baseline: Vec<bool> = (0..36).map(|row| (6..18).contains(&row)).collect();
    let prob = RunLaws::default().prob_runs_simulated(&is_baseline, Middle::Median, 8, 11);
    println!("simulated, 36 points: {prob:.6} in {:?}", start.elapsed());
}
