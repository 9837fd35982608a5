//! What holds for every series.

use brightspot::charts::rebase::{Decision, DecisionCode, Rebase, RebaseMethod, RebaseSpec};
use proptest::prelude::*;

use super::{proposed, stepped};

/// A series of two or three levels, or one.
fn any_series() -> impl Strategy<Value = Vec<f64>> {
    let level = (4_usize..30, -4.0_f64..4.0);
    (0_u64..10_000, prop::collection::vec(level, 1..4)).prop_map(|(seed, levels)| stepped(seed, &levels))
}

/// Places, and what does not depend on the unit.
fn places(found: &Rebase) -> Vec<(usize, Option<usize>, Option<usize>)> {
    found.proposals.iter().map(|proposal| (proposal.starts_at, proposal.from, proposal.to)).collect()
}

fn logged(found: &Rebase) -> Vec<(Option<usize>, DecisionCode)> {
    found.log.iter().map(|decision| (decision.row, decision.code)).collect()
}

/// Whether in the whole series, or in a stretch between proposals, two places explain equally much of the ranks.
fn has_ties(values: &[f64], places: &[(usize, Option<usize>, Option<usize>)]) -> bool {
    let inner = places.iter().map(|place| place.0);
    let ends: Vec<usize> = std::iter::once(0).chain(inner).chain([values.len()]).collect();
    let stretches = ends.windows(2).map(|ends| &values[ends[0]..ends[1]]);
    let pairs = ends.windows(3).map(|ends| &values[ends[0]..ends[2]]);
    std::iter::once(values).chain(stretches).chain(pairs).any(|stretch| {
        let rank = |value: &f64| {
            stretch.iter().filter(|other| *other < value).count()
                + stretch.iter().filter(|other| *other <= value).count()
        };
        let (n, mut sum) = (stretch.len() as f64, 0.0);
        let mut explained: Vec<f64> = (1..stretch.len())
            .map(|cut| {
                sum += rank(&stretch[cut - 1]) as f64 - n;
                sum * sum / (cut as f64 * (n - cut as f64))
            })
            .collect();
        explained.sort_by(f64::total_cmp);
        matches!(explained.as_slice(), [.., second, first] if first - second < 1e-6 * first)
    })
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-7 * (1.0 + one.abs().max(other.abs()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn unit_origin_and_sign_make_no_difference(values in any_series(), scale in 0.1_f64..10.0, shift in -50.0_f64..50.0) {
        for method in [RebaseMethod::ChangePoint, RebaseMethod::StableShift, RebaseMethod::FixedRun] {
            let spec = RebaseSpec::of(method);
            let found = proposed(&values, &[], &spec);
            for scale in [scale, -scale] {
                let moved: Vec<f64> = values.iter().map(|value| value * scale + shift).collect();
                let again = proposed(&moved, &[], &spec);
                prop_assert_eq!(places(&found), places(&again));
                prop_assert_eq!(logged(&found), logged(&again));
                for (one, other) in found.proposals.iter().zip(&again.proposals) {
                    prop_assert!(close(one.estimate * scale, other.estimate));
                    prop_assert!(close(one.before * scale + shift, other.before));
                    let (lo, hi) = if scale < 0.0 { (one.hi, one.lo) } else { (one.lo, one.hi) };
                    prop_assert!(lo.is_none_or(|lo| close(lo * scale, other.lo.unwrap())));
                    prop_assert!(hi.is_none_or(|hi| close(hi * scale, other.hi.unwrap())));
                    prop_assert!(one.p.is_none_or(|p| (p - other.p.unwrap()).abs() < 1e-3));
                }
            }
        }
    }

    #[test]
    fn backwards_in_time_the_places_are_mirrored(values in any_series()) {
        let found = proposed(&values, &[], &RebaseSpec::default());
        let reversed: Vec<f64> = values.iter().rev().copied().collect();
        let again = proposed(&reversed, &[], &RebaseSpec::default());
        // Of places that explain equally much the earlier is taken, which backwards is the later: no such series.
        prop_assume!(!has_ties(&values, &places(&found)) && !has_ties(&reversed, &places(&again)));
        let n = values.len();
        let mut mirrored: Vec<_> = places(&again)
            .into_iter()
            .map(|(at, from, to)| (n - at, to.map(|to| n - to), from.map(|from| n - from)))
            .collect();
        mirrored.reverse();
        prop_assert_eq!(places(&found), mirrored);
        for (one, other) in found.proposals.iter().zip(again.proposals.iter().rev()) {
            prop_assert!(close(one.estimate, -other.estimate) && close(one.before, other.after));
        }
    }

    #[test]
    fn an_excluded_point_is_as_if_absent(values in any_series(), flags in prop::collection::vec(0_u8..4, 90)) {
        let is_excluded: Vec<bool> = flags[..values.len()].iter().map(|flag| *flag == 0).collect();
        let kept: Vec<usize> = (0..values.len()).filter(|&row| !is_excluded[row]).collect();
        let rest: Vec<f64> = kept.iter().map(|&row| values[row]).collect();
        let with_gaps: Vec<f64> =
            values.iter().zip(&is_excluded).map(|(value, out)| if *out { f64::NAN } else { *value }).collect();
        for method in [RebaseMethod::ChangePoint, RebaseMethod::StableShift, RebaseMethod::FixedRun] {
            let spec = RebaseSpec::of(method);
            let found = proposed(&values, &is_excluded, &spec);
            let short = proposed(&rest, &[], &spec);
            let placed: Vec<_> = places(&short)
                .into_iter()
                .map(|(at, from, to)| (kept[at], from.map(|from| kept[from]), to.map(|to| kept[to])))
                .collect();
            prop_assert_eq!(places(&found), placed);
            let gaps = proposed(&with_gaps, &[], &spec);
            prop_assert_eq!(&gaps.proposals, &found.proposals);
            prop_assert_eq!(gaps.notes.iter().any(|note| note.code.as_str() == "missing_value"), is_excluded.contains(&true));
        }
    }

    #[test]
    fn what_is_proposed_is_possible(values in any_series(), alpha in 0.01_f64..0.5, min_length in prop::sample::select(vec![4_usize, 11])) {
        let spec = RebaseSpec { alpha, min_length, ..RebaseSpec::default() };
        let found = proposed(&values, &[], &spec);
        let mut last = 0;
        for proposal in &found.proposals {
            prop_assert!(proposal.starts_at >= last + min_length);
            prop_assert!(proposal.starts_at + min_length <= values.len());
            prop_assert!(proposal.p.unwrap() <= alpha && proposal.step_over_line.unwrap() > 0.0);
            prop_assert!(proposal.from.unwrap() <= proposal.starts_at && proposal.starts_at <= proposal.to.unwrap());
            prop_assert!(proposal.lo.unwrap() <= proposal.estimate && proposal.estimate <= proposal.hi.unwrap());
            last = proposal.starts_at;
        }
        let n_logged = found.log.iter().filter(|decision| decision.code == DecisionCode::Proposed).count();
        prop_assert_eq!(n_logged, found.proposals.len());
        let is_reasoned = |decision: &Decision| decision.row.is_none() == decision.p.is_none();
        prop_assert!(found.log.iter().all(is_reasoned) && !found.log.is_empty());
    }
}
