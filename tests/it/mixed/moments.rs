//! Moments: parts merge into the whole by their labels, and travel as bytes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)] // helpers of tests

use brightspot::mixed::{Design, Fit, Labels, Method, Moments, fit};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::close;
use super::crossed::sample::{Shape, sample};

const CASES: [&[Shape]; 5] = [
    &[Shape::One(6)],
    &[Shape::Nested(3, 4)],
    &[Shape::One(7), Shape::One(4)],
    &[Shape::Members(6), Shape::One(4)],
    &[Shape::Nested(3, 3), Shape::One(5), Shape::Members(4)],
];

fn agree(a: &Moments, b: &Moments) {
    assert_eq!(a.n_obs(), b.n_obs());
    let theta: Vec<f64> = (0..a.n_levels()).map(|l| 0.4 + 0.2 * l as f64).collect();
    let (a, b) = (Fit::at(a, &theta, Method::Reml).unwrap(), Fit::at(b, &theta, Method::Reml).unwrap());
    close(a.criterion, b.criterion, 1e-9, "criterion");
    for level in 0..theta.len() {
        let (mine, theirs) = (a.effects(level).unwrap(), b.effects(level).unwrap());
        assert_eq!(mine.len(), theirs.len());
        for (a, b) in mine.iter().zip(theirs) {
            assert_eq!(a.path, b.path);
            close(a.n, b.n, 0.0, "n");
            close(a.effect, b.effect, 1e-9, "effect");
            close(a.sd, b.sd, 1e-9, "sd");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn parts_merge_into_the_whole(seed in 0_u64..1000, case in 0..CASES.len(), cut in 0.1..0.9, is_weighted: bool) {
        let s = sample(seed, 60, CASES[case], is_weighted);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (first, second): (Vec<usize>, Vec<usize>) = (0..60).partition(|&i| i == 0 || (i != 1 && rng.random::<f64>() < cut));
        let (a, b, whole) = (s.moments_of(&first), s.moments_of(&second), s.moments());
        agree(&a.merge(&b).unwrap(), &whole);
        agree(&b.merge(&a).unwrap(), &whole);
        let through = Moments::from_bytes(&a.to_bytes().unwrap()).unwrap();
        prop_assert_eq!(&through, &a);
        agree(&through.merge(&b).unwrap(), &whole);
    }
}

/// Moments whose codes stand for these labels, in this order.
fn labelled(units: &[&str], y: &[f64]) -> Moments {
    let (codes, labels) = brightspot::mixed::encode(units.iter().copied());
    let moments = Moments::new(&Design::new(y.len(), &[]).unwrap(), y, &[&codes]).unwrap();
    moments
        .with_labels(vec![Labels { column: "teacher".into(), factor: "teacher".into(), kind: "text".into(), labels }])
        .unwrap()
}

#[test]
fn labels_decide_what_is_the_same_and_codes_do_not() {
    // In the first part "b" has the code 1, in the second 0.
    let (first, second) = (
        labelled(&["a", "b", "b", "a"], &[1.0, 4.0, 5.0, 2.0]),
        labelled(&["b", "c", "b", "c"], &[6.0, 9.0, 4.5, 8.0]),
    );
    let whole = labelled(&["a", "b", "b", "a", "b", "c", "b", "c"], &[1.0, 4.0, 5.0, 2.0, 6.0, 9.0, 4.5, 8.0]);
    let merged = first.merge(&second).unwrap();
    assert_eq!(merged.labels()[0].labels, ["a", "b", "c"]);
    agree(&merged, &whole);
    close(
        fit(&merged, Method::Reml).unwrap().criterion,
        fit(&whole, Method::Reml).unwrap().criterion,
        1e-9,
        "criterion",
    );
    // Numbers keep their order: 9 before 10.
    let merged = labelled(&["10", "9"], &[1.0, 2.0]).merge(&labelled(&["11", "9"], &[3.0, 4.0])).unwrap();
    assert_eq!(merged.labels()[0].labels, ["9", "10", "11"]);
    // One with labels and one without do not mean the same.
    let plain = Moments::new(&Design::new(2, &[]).unwrap(), &[1.0, 2.0], &[&[0, 0]]).unwrap();
    assert_eq!(plain.merge(&whole).unwrap_err().code(), "invalid_value");
    assert_eq!(plain.clone().with_labels(vec![]).unwrap_err().code(), "invalid_value");
    let none = vec![Labels { column: "t".into(), factor: "t".into(), kind: "text".into(), labels: vec![] }];
    assert_eq!(plain.with_labels(none).unwrap_err().code(), "invalid_value");
}

#[test]
fn damaged_bytes_are_refused() {
    let bytes = labelled(&["a", "b", "b", "a"], &[1.0, 4.0, 5.0, 2.0]).to_bytes().unwrap();
    for cut in [0, 4, 9, 20, 44, bytes.len() - 1] {
        assert_eq!(Moments::from_bytes(&bytes[..cut]).unwrap_err().code(), "invalid_value", "{cut}");
    }
    for place in [0, 13, 60, bytes.len() - 2] {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1;
        assert_eq!(Moments::from_bytes(&damaged).unwrap_err().code(), "invalid_value", "{place}");
    }
    let mut newer = bytes;
    newer[8] = 200;
    assert_eq!(Moments::from_bytes(&newer).unwrap_err().code(), "newer_schema");
}
