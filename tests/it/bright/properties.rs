//! What decides nothing, and what can only go one way.

use brightspot::bright::{Answer, BrightSpec, BrightSpots, Guard};
use proptest::prelude::*;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{District, Plan, district, given, normal};

const SMALL: Plan = Plan { schools: 10, teachers: 6, students: 8, years: 3, school_sd: 0.2, year_sd: 0.15 };

fn small(seed: u64) -> District {
    district(seed, &SMALL, |rng| 0.35 * normal(rng))
}

/// A guard of which one row in ten is missing.
fn attendance(d: &District, seed: u64) -> Vec<f64> {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let mut value = |t: &u32| normal(rng) - if t.is_multiple_of(7) { 0.8 } else { 0.0 };
    let mut values: Vec<f64> = d.teacher.iter().map(&mut value).collect();
    values.iter_mut().step_by(10).for_each(|v| *v = f64::NAN);
    values
}

/// Everything that is a probability or a share, by name; what cannot be asked stays `None`.
fn shares(a: &Answer) -> [(&'static str, Option<f64>); 9] {
    [
        ("prob_exceeds", Some(a.prob_exceeds)),
        ("expected_percentile", Some(a.expected_percentile)),
        ("prob_top", Some(a.prob_top)),
        ("reliability", Some(a.reliability)),
        ("q_value", a.q_value),
        ("prob_without_best", a.prob_without_best),
        ("prob_persists", a.prob_persists),
        ("prob_above_peers", a.matched.as_ref().map(|m| m.prob_exceeds)),
        ("prob_not_worse", a.guards.first().and_then(|g| g.prob_not_worse)),
    ]
}

fn close(name: &str, a: Option<f64>, b: Option<f64>, within: f64) -> Result<(), TestCaseError> {
    prop_assert_eq!(a.is_none(), b.is_none(), "{}", name);
    if let (Some(a), Some(b)) = (a, b) {
        prop_assert!((a - b).abs() < within, "{name}: {a} {b}");
    }
    Ok(())
}

fn answers(spots: &BrightSpots) -> impl Iterator<Item = &Answer> {
    spots.units.iter().flat_map(|unit| [&unit.peers, &unit.overall])
}

fn with_guard(d: &District, spec: &BrightSpec, values: &[f64], margin: f64) -> BrightSpots {
    d.with_guards(spec, true, true, &[Guard { name: "attendance", values, margin: Some(margin) }])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// The order of rows (so also a file that comes in two parts), codes, and the scale of the outcome decide nothing;
    /// fits on another scale stop at another digit, so that probabilities agree to 1e-4.
    #[test]
    fn order_codes_and_scale(seed in 0_u64..1000, shift in -500.0_f64..500.0, scale in 0.05_f64..50.0) {
        let d = small(seed);
        let guard = attendance(&d, seed);
        let before = with_guard(&d, &given(0.1), &guard, 0.3);
        let rng = &mut ChaCha8Rng::seed_from_u64(seed + 1);
        let mut order: Vec<usize> = (0..d.outcome.len()).collect();
        order.shuffle(rng);
        let mut codes: Vec<u32> = (0..60).collect();
        codes.shuffle(rng);
        let moved = District {
            outcome: order.iter().map(|&i| shift + scale * d.outcome[i]).collect(),
            prior: order.iter().map(|&i| d.prior[i]).collect(),
            teacher: order.iter().map(|&i| codes[d.teacher[i] as usize]).collect(),
            school: order.iter().map(|&i| 9 - d.school[i]).collect(),
            year: order.iter().map(|&i| d.year[i]).collect(),
            truth: vec![],
            years: vec![],
        };
        let guard: Vec<f64> = order.iter().map(|&i| guard[i]).collect();
        let after = with_guard(&moved, &given(0.1 * scale), &guard, 0.3);
        for unit in &before.units {
            let twin = after.units.iter().find(|u| u.unit == codes[unit.unit as usize]).unwrap();
            for (a, b) in [(&unit.peers, &twin.peers), (&unit.overall, &twin.overall)] {
                for ((name, a), (_, b)) in shares(a).into_iter().zip(shares(b)) {
                    close(name, a, b, 1e-4)?;
                }
                close("effect", Some(a.effect), Some(b.effect / scale), 1e-4)?;
                close("triple_goal", Some(a.triple_goal), Some(b.triple_goal / scale), 1e-4)?;
                prop_assert_eq!(a.finding, b.finding);
            }
        }
        let lasting = |spots: &BrightSpots| spots.persistence.as_ref().map(|p| p.expected);
        close("persistence", lasting(&before), lasting(&after), 1e-2)?;
        prop_assert_eq!(before.agreement.map(|a| a.n_both), after.agreement.map(|a| a.n_both));
    }

    /// The more is asked of an effect, the less probable it is, whatever is looked at; nothing else moves.
    #[test]
    fn a_higher_threshold_is_never_easier(seed in 0_u64..1000, low in 0.0_f64..0.3, step in 0.01_f64..0.3) {
        let d = small(seed);
        let (below, above) = (d.spots(&given(low)), d.spots(&given(low + step)));
        for (a, b) in answers(&below).zip(answers(&above)) {
            prop_assert_eq!((a.effect, a.sd, a.prob_top, a.triple_goal), (b.effect, b.sd, b.prob_top, b.triple_goal));
            prop_assert!(b.prob_exceeds <= a.prob_exceeds + 1e-9);
            for ((name, a), (_, b)) in shares(a).into_iter().zip(shares(b)).filter(|((n, _), _)| n.starts_with("prob_")) {
                prop_assert!(b.unwrap_or(0.0) <= a.unwrap_or(0.0) + 1e-9, "{}: {:?} {:?}", name, a, b);
            }
        }
        let n_in_set = |s: &BrightSpots| s.units.iter().filter(|u| u.peers.is_in_fdr_set).count();
        prop_assert!(n_in_set(&above) <= n_in_set(&below));
    }

    /// A stricter criterion names a part of the same units; what is named keeps what is stated.
    #[test]
    fn stricter_criteria_name_fewer(seed in 0_u64..1000, fdr in 0.01_f64..0.2, min_prob in 0.5_f64..0.95) {
        let d = small(seed);
        let wide = d.spots(&BrightSpec { fdr: 0.2, min_prob: 0.5, ..given(0.05) });
        let strict = d.spots(&BrightSpec { fdr, min_prob, ..given(0.05) });
        prop_assert!(strict.candidates.iter().all(|i| wide.candidates.contains(i)));
        prop_assert!(strict.false_share.is_none_or(|share| share <= fdr + 1e-12));
        for &i in &strict.candidates {
            let unit = &strict.units[i];
            prop_assert!(unit.has_min_n && unit.has_peers && unit.peers.prob_exceeds >= min_prob);
            prop_assert!(unit.peers.is_consistent != Some(false));
        }
    }

    /// A wider margin is never harder to keep, one without end keeps nobody out, and guards have no order.
    #[test]
    fn guards_only_take_away(seed in 0_u64..1000, margin in 0.0_f64..0.5, step in 0.01_f64..0.5) {
        let d = small(seed);
        let values = attendance(&d, seed);
        let (free, spec) = (d.spots(&given(0.05)), given(0.05));
        let (narrow, wide) = (with_guard(&d, &spec, &values, margin), with_guard(&d, &spec, &values, margin + step));
        for (a, b) in answers(&narrow).zip(answers(&wide)) {
            prop_assert!(b.guards[0].prob_not_worse >= a.guards[0].prob_not_worse);
        }
        prop_assert!(wide.candidates.iter().all(|i| free.candidates.contains(i)));
        prop_assert_eq!(&with_guard(&d, &spec, &values, 1e6).candidates, &free.candidates);
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let other: Vec<f64> = values.iter().map(|_| rng.random::<f64>()).collect();
        let one = Guard { name: "attendance", values: &values, margin: Some(margin) };
        let two = Guard { name: "homework", values: &other, margin: Some(0.1) };
        let (there, back) = (d.with_guards(&spec, true, true, &[one, two]), d.with_guards(&spec, true, true, &[two, one]));
        for (a, b) in answers(&there).zip(answers(&back)) {
            prop_assert_eq!(a.finding, b.finding);
            prop_assert_eq!((&a.guards[0], &a.guards[1]), (&b.guards[1], &b.guards[0]));
        }
    }
}
