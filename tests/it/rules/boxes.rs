//! The best box and the cut box: against the published tables, the published probabilities, and lists of all series.

use brightspot::rules::{longest_run_max, n_crossings_min};
use brightspot::stats::runs::{Corner, MAX_BOX, RunLaw, RunLaws, RunLimits, Side, best_box, count_runs, cut_box};

use crate::chart_reference::csv;

/// Every cell of the published tables: n = 10 to 100, every number of crossings.
#[test]
fn boxes_match_the_published_tables() {
    let Some(rows) = csv(&["charts", "crossing_run_boxes.csv"]) else { return };
    let (mut n_cells, mut last) = (0, (0, String::new(), RunLimits::new(0, 0)));
    for row in &rows {
        let (n, method) = (row.int("n").unwrap(), row.text("method").unwrap());
        if (last.0, last.1.as_str()) != (n, method) {
            let limits = match method {
                "bestbox" => best_box(n).unwrap(),
                "cutbox" => cut_box(n).unwrap(),
                _ => RunLimits::new(longest_run_max(n), n_crossings_min(n)),
            };
            last = (n, method.to_owned(), limits);
        }
        let crossings = row.int("crossings").unwrap();
        // The tables say 0 where no run is short enough.
        let ours = if crossings < last.2.n_crossings_min { 0 } else { last.2.longest_run_max_at(crossings) };
        assert_eq!(Some(ours), row.int("max_longest_run_without_signal"), "{method} {n} {crossings}");
        for l in 1..=n {
            assert_eq!(last.2.has_signal(l, crossings), l > ours, "{method} {n} {crossings} {l}");
        }
        n_cells += 1;
    }
    assert_eq!(n_cells, 15_015);
}

/// Four decimals, printed with the method: (n, best box known and same points, cut box known and same points).
const PRINTED: [(usize, [f64; 4]); 7] = [
    (10, [0.0449, 0.0079, 0.0625, 0.0079]),
    (12, [0.0674, 0.0130, 0.0674, 0.0130]),
    (20, [0.0706, 0.0212, 0.0706, 0.0212]),
    (24, [0.0707, 0.0177, 0.0734, 0.0195]),
    (36, [0.0625, 0.0334, 0.0709, 0.0378]),
    (60, [0.0742, 0.0439, 0.0742, 0.0439]),
    (100, [0.0715, 0.0498, 0.0735, 0.0513]),
];

#[test]
fn false_signals_are_as_printed() {
    let mut laws = RunLaws::default();
    for (n, printed) in PRINTED {
        let known = RunLaw::Known { n_useful: n };
        let same = RunLaw::SamePoints { n_above: n / 2, n_below: n / 2 };
        let (best, cut) = (best_box(n).unwrap(), cut_box(n).unwrap());
        for ((limits, law), printed) in [(best, known), (best, same), (cut, known), (cut, same)].iter().zip(printed) {
            let prob = laws.false_signal_of(*law, limits);
            assert!((prob - printed).abs() < 5.1e-5, "{n} {law:?}: {prob} {printed}");
        }
    }
}

/// Where a box is the very box of Anhøj's rules, the exact reference for those is one for it, to 1e-12.
#[test]
fn false_signals_match_the_exact_reference() {
    let Some(rows) = csv(&["charts", "anhoej_exact_false_signal.csv"]) else { return };
    let mut laws = RunLaws::default();
    let (mut n_box, mut n_checked) = (0, 0);
    for row in &rows {
        let n = row.int("n").unwrap();
        let anhoej = RunLimits::new(longest_run_max(n), n_crossings_min(n));
        if best_box(n) != Some(anhoej) {
            continue;
        }
        n_box += 1;
        let known = RunLaw::Known { n_useful: n };
        let same = RunLaw::SamePoints { n_above: n / 2, n_below: n / 2 };
        for (law, column) in [(known, "fixed_either"), (same, "empmedian_either")] {
            let Some(expected) = row.float(column) else { continue };
            let prob = laws.false_signal_of(law, &best_box(n).unwrap());
            assert!((prob - expected).abs() < 1e-12, "{law:?}: {prob} {expected}");
            n_checked += 1;
        }
    }
    assert!(n_box >= 10 && n_checked > n_box, "{n_box} {n_checked}");
}

/// The definition on a list of all series, to 1e-12, for boxes of every shape and all four laws.
#[test]
fn false_signals_agree_with_a_list_of_all_series() {
    let choose = |n: usize, k: usize| (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product::<f64>();
    let mut laws = RunLaws::default();
    for n in 1..=14_usize {
        let corner = Corner { n_crossings: 4, longest_run_max: 3, n_crossings_below: 7, longest_run_below: 4 };
        let odd = RunLimits { corner: Some(corner), ..RunLimits::new(5, 3) };
        for limits in [best_box(n).unwrap(), cut_box(n).unwrap(), odd, RunLimits::new(n, 0)] {
            let mut known = 0.0;
            let mut same = vec![0.0; n + 1];
            for code in 0..1_usize << n {
                let sides: Vec<Side> =
                    (0..n).map(|i| if code >> i & 1 == 1 { Side::Above } else { Side::Below }).collect();
                let counts = count_runs(&sides);
                if limits.has_signal(counts.longest_run, counts.n_crossings) {
                    known += 1.0;
                    same[counts.n_above] += 1.0;
                }
            }
            let prob = laws.false_signal_of(RunLaw::Known { n_useful: n }, &limits);
            assert!((prob - known / 2_f64.powi(i32::try_from(n).unwrap())).abs() < 1e-12, "{n} {limits:?}");
            for (a, count) in same.iter().enumerate() {
                let law = RunLaw::SamePoints { n_above: a, n_below: n - a };
                let prob = laws.false_signal_of(law, &limits);
                assert!((prob - count / choose(n, a)).abs() < 1e-12, "{n} {a} {limits:?}");
            }
        }
    }
}

/// Frozen lines too: without a corner the older function gives the same, with one there are more signals.
#[test]
fn frozen_lines_have_their_false_signals() {
    let mut laws = RunLaws::default();
    let law = RunLaw::FrozenWhole { base_above: 6, base_below: 6, n_baseline: 12, n_after: 12 };
    let (best, cut) = (best_box(24).unwrap(), cut_box(24).unwrap());
    let known = laws.false_signal(law, best.longest_run_max, best.n_crossings_min);
    assert!((laws.false_signal_of(law, &best) - known).abs() < 1e-12);
    assert!(laws.false_signal_of(law, &cut) > known);
    let long = RunLaw::FrozenWhole { base_above: 12, base_below: 12, n_baseline: 24, n_after: 1100 };
    assert!((0.0..1.0).contains(&laws.false_signal_of(long, &best_box(1124).unwrap())));
    assert_eq!(laws.false_signal_of(RunLaw::Known { n_useful: 0 }, &best), 0.0);
}

/// Outside of the published tables the same definition holds: a stable series is left alone with .925 or more, the cut
/// box signals at least as often as the best box, and one cell more would be too many.
#[test]
fn boxes_go_on_outside_of_the_tables() {
    let mut laws = RunLaws::default();
    for n in (1..10).chain([101, 150, 365, 1000]) {
        let (best, cut) = (best_box(n).unwrap(), cut_box(n).unwrap());
        let law = RunLaw::Known { n_useful: n };
        let (few, more) = (laws.false_signal_of(law, &best), laws.false_signal_of(law, &cut));
        assert!(few <= more && more <= 0.075, "{n}: {few} {more}");
        // Of long series the box nearly uses up what it may.
        assert!(n < 100 || more > 0.07, "{n}: {more}");
    }
    // Two runs of five have the same 1/16 as the two smallest counts of crossings; four points never reach .075.
    assert_eq!(best_box(4), Some(RunLimits::new(4, 0)));
    assert_eq!((best_box(0), cut_box(0)), (None, None));
    assert_eq!((best_box(MAX_BOX + 1), cut_box(MAX_BOX + 1)), (None, None));
}

#[test]
#[ignore = "timing"]
fn timing() {
    for n in [24, 100, 365, 1000, MAX_BOX] {
        let start = std::time::Instant::now();
        let limits = cut_box(n);
        println!("{n}: {limits:?} in {:?}", start.elapsed());
    }
}
