//! What decides nothing about practices.

use brightspot::bright::{Combine, PracticeUse, UseRows};
use proptest::prelude::*;
use rand::RngExt;
use rand::seq::SliceRandom;

use super::{PLAN, Plan, district, planted, row, seeded, twenty};

type UseRow = (Option<usize>, Option<u32>, Option<bool>);

/// Rows of uses of three practices by six units.
fn said() -> impl Strategy<Value = Vec<UseRow>> {
    let row = (prop::option::of(0..6_usize), prop::option::of(0..3_u32), prop::option::of(any::<bool>()));
    prop::collection::vec(row, 1..40)
}

fn doses(rows: &[UseRow], combine: Combine) -> Vec<PracticeUse> {
    let practices = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
    let unit: Vec<_> = rows.iter().map(|r| r.0).collect();
    let practice: Vec<_> = rows.iter().map(|r| r.1).collect();
    let is_used: Vec<_> = rows.iter().map(|r| r.2).collect();
    let rows =
        UseRows { unit: &unit, practice: &practice, practices: &practices, is_used: Some(&is_used), fidelity: None };
    rows.uses(6, Some(combine)).unwrap().0
}

proptest! {
    /// Neither the order of rows nor a part that is there twice says anything new; to be seen at all, once is enough.
    #[test]
    fn rows_in_any_order_and_twice(rows in said(), seed in any::<u64>()) {
        let mut mixed = rows.clone();
        mixed.shuffle(&mut seeded(seed));
        let twice = [rows.clone(), mixed.clone()].concat();
        for combine in [Combine::Any, Combine::Mean] {
            let once = doses(&rows, combine);
            for (a, b) in once.iter().zip(doses(&mixed, combine)).chain(once.iter().zip(doses(&twice, combine))) {
                for (a, b) in a.dose.iter().zip(&b.dose) {
                    prop_assert_eq!(a.is_some(), b.is_some());
                    prop_assert!((a.unwrap_or(0.0) - b.unwrap_or(0.0)).abs() < 1e-12);
                }
            }
        }
        // One more row can turn "does not use" into "uses", never the other way.
        let more = [rows.clone(), vec![(Some(0), Some(0), Some(true))]].concat();
        for (a, b) in doses(&rows, Combine::Any).iter().zip(doses(&more, Combine::Any)) {
            prop_assert!(a.dose.iter().zip(&b.dose).all(|(a, b)| b >= a));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// The order in which practices are given decides nothing; a scale of the outcome scales estimates alone.
    #[test]
    fn order_and_scale_decide_nothing(seed in 0_u64..1000, scale in 0.01_f64..100.0) {
        let plan = Plan { schools: 8, ..PLAN };
        let n = plan.schools * plan.teachers;
        let rng = &mut seeded(seed);
        let uses: Vec<PracticeUse> = twenty(rng, n).into_iter().take(6).collect();
        let mut d = district(rng, &plan, &planted(&uses, 1, 0.4));
        let first = d.practices(&uses);
        let mut mixed = uses.clone();
        mixed.shuffle(rng);
        prop_assert_eq!(&d.practices(&mixed), &first);
        for y in &mut d.outcome {
            *y *= scale;
        }
        let scaled = d.practices(&uses);
        for (a, b) in first.rows.iter().zip(&scaled.rows) {
            prop_assert_eq!(a.finding, b.finding);
            if let (Some(a), Some(b)) = (a.estimate, b.estimate) {
                prop_assert!((a * scale - b).abs() < 1e-5 * scale);
            }
            if let (Some(a), Some(b)) = (a.prob_positive, b.prob_positive) {
                prop_assert!((a - b).abs() < 1e-4);
            }
        }
    }

    /// Which code a unit bears decides nothing; a practice that is there twice says so of both and moves no estimate.
    #[test]
    fn codes_of_units_and_a_practice_twice(seed in 0_u64..1000) {
        let plan = Plan { schools: 8, ..PLAN };
        let n = plan.schools * plan.teachers;
        let rng = &mut seeded(seed);
        let uses: Vec<PracticeUse> = twenty(rng, n).into_iter().take(5).collect();
        let d = district(rng, &plan, &planted(&uses, 1, 0.4));
        let first = d.practices(&uses);
        // Schools in the opposite order, and so the teachers in them.
        let mut turned = d;
        let last = (n - 1) as u32;
        turned.teacher.iter_mut().for_each(|t| *t = last - *t);
        turned.school.iter_mut().for_each(|s| *s = plan.schools as u32 - 1 - *s);
        let mut reversed = uses;
        for of in &mut reversed {
            of.dose.reverse();
        }
        let again = turned.practices(&reversed);
        for (a, b) in first.rows.iter().zip(&again.rows) {
            prop_assert_eq!((a.finding, a.n_users, a.n_bright, a.n_groups_both), (b.finding, b.n_users, b.n_bright, b.n_groups_both));
            for (a, b) in [(a.estimate, b.estimate), (a.se, b.se), (a.prob_positive, b.prob_positive)] {
                prop_assert!((a.unwrap_or(0.0) - b.unwrap_or(0.0)).abs() < 1e-5, "{:?} {:?}", a, b);
            }
        }
        let mut doubled = reversed.clone();
        doubled.push(PracticeUse { name: "the last again".into(), ..reversed[4].clone() });
        // And one that nobody knows anything of.
        let nothing = (0..n).map(|_| (rng.random::<f64>() < 0.0).then_some(1.0)).collect();
        doubled.push(PracticeUse { name: "unheard of".into(), dose: nothing });
        let more = turned.practices(&doubled);
        for a in &again.rows {
            let b = row(&more, &a.practice);
            prop_assert_eq!((a.estimate, a.se, a.df, a.p_value), (b.estimate, b.se, b.df, b.p_value));
        }
        prop_assert_eq!(&row(&more, "the last again").inseparable_from, &vec![reversed[4].name.clone()]);
        prop_assert_eq!(row(&more, "unheard of").estimate, None);
    }
}
