//! What must hold whatever the data.

use brightspot::charts::{ContrastInput, Shape, contrast};
use brightspot::stats::gaps::gaps_between_events;
use brightspot::stats::median_shift::median_shift;
use brightspot::stats::proportions::proportions_by_period;
use brightspot::stats::rates::rates_by_period;
use brightspot::stats::standard::{proportion_against, rate_against};
use brightspot::stats::tally::Tally;
use brightspot::stats::totals::two_totals;
use proptest::prelude::*;

use super::over;
use crate::step::close;

fn values() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-5.0..5.0_f64, 3..16)
}

fn counts() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((0..30_u32).prop_map(f64::from), 3..16)
}

/// Close, or the same infinity.
fn same(one: f64, other: f64, tolerance: f64) -> bool {
    one.total_cmp(&other).is_eq() || close(one, other, tolerance)
}

/// A chart of two phases, with the flags of each.
fn chart(before: &[f64], after: &[f64]) -> (Vec<f64>, Vec<bool>, Vec<bool>) {
    let first = |is: bool| std::iter::repeat_n(is, before.len()).chain(std::iter::repeat_n(!is, after.len())).collect();
    (before.iter().chain(after).copied().collect(), first(true), first(false))
}

proptest! {
    #[test]
    fn swapping_the_phases_mirrors_the_change(before in counts(), after in counts(), kind in 0..5_usize) {
        let shape = [Shape::Mean, Shape::Median, Shape::Proportion, Shape::Rate, Shape::Gap][kind];
        let (value, is_before, is_after) = chart(&before, &after);
        let size = vec![30.0; value.len()];
        let forward =
            contrast(shape, &ContrastInput { value: &value, size: &size, is_before: &is_before, is_after: &is_after }).unwrap();
        let backward =
            contrast(shape, &ContrastInput { value: &value, size: &size, is_before: &is_after, is_after: &is_before }).unwrap();
        prop_assert_eq!(forward.n_before, backward.n_after);
        prop_assert_eq!(forward.p_above, backward.p_below);
        prop_assert_eq!(forward.before, backward.after);
        let turned = |x: f64| if shape.no_change() > 0.0 { 1.0 / x } else { -x };
        for (one, other) in [(forward.estimate, backward.estimate), (forward.lo, backward.hi), (forward.hi, backward.lo)] {
            prop_assert_eq!(one.is_some(), other.is_some());
            if let (Some(one), Some(other)) = (one, other) {
                prop_assert!(same(one, turned(other), 1e-12), "{} {}", one, other);
            }
        }
        prop_assert_eq!(forward.excludes_no_change(), backward.excludes_no_change());
    }

    /// Seen in a mirror of time, with the phases changing places, everything is turned round.
    #[test]
    fn time_reversed(before in counts(), after in counts()) {
        let reversed = |values: &[f64]| values.iter().rev().copied().collect::<Vec<_>>();
        let (back, ahead) = (reversed(&before), reversed(&after));
        if before.iter().chain(&after).sum::<f64>() > 0.0 {
            let one = rates_by_period(&over(&before, 40.0), &over(&after, 40.0)).unwrap();
            let other = rates_by_period(&over(&ahead, 40.0), &over(&back, 40.0)).unwrap();
            prop_assert!(close(one.ratio.p_above, other.ratio.p_below, 1e-9));
            let one = proportions_by_period(&over(&before, 40.0), &over(&after, 40.0)).unwrap();
            let other = proportions_by_period(&over(&ahead, 40.0), &over(&back, 40.0)).unwrap();
            prop_assert!(close(one.lo, -other.hi, 1e-9) && close(one.p_above, other.p_below, 1e-9));
        }
        let plus_one = |values: &[f64]| values.iter().map(|v| v + 1.0).collect::<Vec<_>>();
        let one = gaps_between_events(&plus_one(&before), &plus_one(&after)).unwrap();
        let other = gaps_between_events(&plus_one(&ahead), &plus_one(&back)).unwrap();
        prop_assert!(close(one.ratio.p_above, other.ratio.p_below, 1e-9));
        prop_assert!(close(one.ratio.lo, 1.0 / other.ratio.hi, 1e-9));
    }

    #[test]
    fn shifts_move_and_stretch(before in values(), after in values(), shift in -50.0..50.0_f64, scale in 0.1..10.0_f64) {
        let found = median_shift(&before, &after).unwrap();
        let moved = |values: &[f64], by: f64| values.iter().map(|v| v * by + shift).collect::<Vec<_>>();
        let scaled = median_shift(&moved(&before, scale), &moved(&after, scale)).unwrap();
        prop_assert!(close(scaled.estimate, scale * found.estimate, 1e-9));
        prop_assert!(same(scaled.lo, scale * found.lo, 1e-9));
        prop_assert!(close(scaled.p_above, found.p_above, 1e-12));
        let mirrored = median_shift(&moved(&before, -1.0), &moved(&after, -1.0)).unwrap();
        prop_assert!(close(mirrored.estimate, -found.estimate, 1e-9));
        prop_assert!(same(mirrored.hi, -found.lo, 1e-9));
        prop_assert!(close(mirrored.p_below, found.p_above, 1e-12));
        // Any order-preserving change of the values leaves the probabilities where they are.
        let cubed = |values: &[f64]| values.iter().map(|v| v.powi(3)).collect::<Vec<_>>();
        prop_assert!(close(median_shift(&cubed(&before), &cubed(&after)).unwrap().p_above, found.p_above, 1e-12));
    }

    /// A shift of all later values moves the interval by as much, and is the surer the larger it is.
    #[test]
    fn a_bigger_shift_is_surer(before in values(), after in values(), by in 0.1..9.0_f64) {
        let found = median_shift(&before, &after).unwrap();
        let higher: Vec<f64> = after.iter().map(|v| v + by).collect();
        let higher = median_shift(&before, &higher).unwrap();
        prop_assert!(close(higher.estimate, found.estimate + by, 1e-9));
        prop_assert!(same(higher.lo, found.lo + by, 1e-9));
        prop_assert!(higher.p_above <= found.p_above && higher.p_below >= found.p_below);
        prop_assert!(found.lo <= found.estimate && found.estimate <= found.hi);
    }

    #[test]
    fn intervals_are_the_duals_of_their_tests(before in counts(), after in counts()) {
        let values = |counts: &[f64]| counts.iter().zip(0_u32..).map(|(x, i)| x + f64::from(i) / 64.0).collect::<Vec<_>>();
        let shift = median_shift(&values(&before), &values(&after)).unwrap();
        prop_assert_eq!(shift.lo > 0.0, shift.p_above <= 0.05);
        prop_assert_eq!(shift.hi < 0.0, shift.p_below <= 0.05);
        prop_assert_eq!(shift.lo.is_finite(), shift.p_smallest <= 0.05);
        if before.iter().chain(&after).sum::<f64>() > 0.0 {
            let ratio = rates_by_period(&over(&before, 35.0), &over(&after, 25.0)).unwrap().ratio;
            prop_assert_eq!(ratio.lo > 1.0, ratio.p_above < 0.05);
            prop_assert_eq!(ratio.hi < 1.0, ratio.p_below < 0.05);
            prop_assert!(ratio.lo <= ratio.estimate && ratio.estimate <= ratio.hi);
            prop_assert!(ratio.p_above >= ratio.p_smallest - 1e-12 || ratio.p_below >= ratio.p_smallest - 1e-12);
            let share = proportions_by_period(&over(&before, 30.0), &over(&after, 40.0)).unwrap();
            prop_assert_eq!(share.lo > 0.0, share.p_above < 0.05);
            prop_assert_eq!(share.hi < 0.0, share.p_below < 0.05);
            prop_assert!(share.lo <= share.estimate && share.estimate <= share.hi);
            prop_assert!(-1.0 <= share.lo && share.hi <= 1.0);
        }
        let gap = |counts: &[f64]| counts.iter().map(|x| x + 1.0).collect::<Vec<_>>();
        let ratio = gaps_between_events(&gap(&before), &gap(&after)).unwrap().ratio;
        prop_assert_eq!(ratio.lo > 1.0, ratio.p_above < 0.05);
        prop_assert_eq!(ratio.hi < 1.0, ratio.p_below < 0.05);
        prop_assert!(close(ratio.p_above + ratio.p_below, 1.0, 1e-9));
    }

    /// The unit of the exposure says nothing; a larger exposure after lowers the ratio by as much.
    #[test]
    fn exposures_scale(before in counts(), after in counts(), scale in 0.01..100.0_f64) {
        prop_assume!(before.iter().chain(&after).sum::<f64>() > 0.0);
        let one = rates_by_period(&over(&before, 7.0), &over(&after, 7.0)).unwrap();
        let other = rates_by_period(&over(&before, 7.0 * scale), &over(&after, 7.0 * scale)).unwrap();
        prop_assert!(close(one.ratio.p_above, other.ratio.p_above, 1e-9));
        prop_assert!(close(one.ratio.before, other.ratio.before * scale, 1e-9));
        let diluted = rates_by_period(&over(&before, 7.0), &over(&after, 7.0 * scale)).unwrap();
        prop_assert!(one.ratio.estimate.is_infinite() || close(one.ratio.estimate, diluted.ratio.estimate * scale, 1e-9));
        prop_assert!(close(one.spread.inflation, diluted.spread.inflation, 1e-9));
    }

    /// Two totals know nothing of the periods they are made of; the estimates by period neither.
    #[test]
    fn half_periods_merge(before in counts(), after in counts()) {
        prop_assume!(before.iter().chain(&after).sum::<f64>() > 0.0);
        let halves = |counts: &[f64]| -> Vec<Tally> {
            counts.iter().flat_map(|x| [Tally::new((x / 2.0).floor(), 10.0), Tally::new((x / 2.0).ceil(), 10.0)]).collect()
        };
        let (whole_before, whole_after) = (over(&before, 20.0), over(&after, 20.0));
        let (half_before, half_after) = (halves(&before), halves(&after));
        let of = |a: &[Tally], b: &[Tally]| two_totals(Tally::total(a), Tally::total(b), 1.0).unwrap();
        prop_assert_eq!(of(&whole_before, &whole_after), of(&half_before, &half_after));
        let one = rates_by_period(&whole_before, &whole_after).unwrap();
        let other = rates_by_period(&half_before, &half_after).unwrap();
        prop_assert!(same(one.ratio.estimate, other.ratio.estimate, 1e-15));
        prop_assert!(same(one.ratio.before, other.ratio.before, 1e-15));
    }

    #[test]
    fn more_events_after_are_a_higher_rate(x0 in 0..60_u32, x1 in 0..60_u32, e0 in 0.5..20.0_f64, e1 in 0.5..20.0_f64) {
        let of = |x1: u32| two_totals(Tally::new(f64::from(x0), e0), Tally::new(f64::from(x1), e1), 1.0);
        let more = of(x1 + 1).unwrap();
        if x0 + x1 > 0 {
            let found = of(x1).unwrap();
            prop_assert!(more.p_above <= found.p_above && more.p_below >= found.p_below);
            prop_assert!(more.lo > found.lo && (more.hi > found.hi || more.hi.is_infinite()));
        } else {
            prop_assert_eq!(of(x1).unwrap_err().code(), "invalid_value");
        }
    }

    #[test]
    fn more_successes_are_further_above_a_standard(x in 0..40_u32, more in 1..20_u32, standard in 0.02..0.98_f64) {
        let n = f64::from(x + more);
        let of = |x: u32| proportion_against(Tally::new(f64::from(x), n), standard).unwrap();
        let (found, higher) = (of(x), of(x + 1));
        prop_assert!(higher.p_above <= found.p_above && higher.p_below >= found.p_below);
        prop_assert!(higher.lo > found.lo && higher.hi >= found.hi);
        prop_assert_eq!(found.lo > standard, found.p_above < 0.05);
        prop_assert_eq!(found.hi < standard, found.p_below < 0.05);
        // One of the two tails holds what was seen, both together all and what was seen.
        prop_assert!(found.p_above + found.p_below >= 1.0 - 1e-9);
        // Failures against the standard of failures.
        let turned = proportion_against(Tally::new(n - f64::from(x), n), 1.0 - standard).unwrap();
        prop_assert!(close(turned.p_above, found.p_below, 1e-9) && close(turned.lo, 1.0 - found.hi, 1e-9));
        let rate = |x: u32| rate_against(Tally::new(f64::from(x), 12.0), standard).unwrap();
        let (found, higher) = (rate(x), rate(x + 1));
        prop_assert!(higher.p_above <= found.p_above && higher.p_below >= found.p_below && higher.lo > found.lo);
        prop_assert_eq!(found.lo > standard, found.p_above < 0.05);
        prop_assert_eq!(found.hi < standard, found.p_below < 0.05);
    }
}
