//! What is doubtful is said, with a code and a count.

use brightspot::bright::{BrightSpec, BrightSpots, Guard};
use brightspot::{Note, NoteCode};

use super::{PLAN, Plan, district, given, normal};

fn note(spots: &BrightSpots, code: NoteCode) -> Option<&Note> {
    spots.notes.iter().find(|note| note.code == code)
}

#[test]
fn a_ceiling_hides_who_does_best() {
    let mut d = district(50, &Plan { schools: 10, ..PLAN }, |rng| 0.2 * normal(rng));
    assert!(note(&d.spots(&given(0.1)), NoteCode::Ceiling).is_none());
    let mut sorted = d.outcome.clone();
    sorted.sort_by(f64::total_cmp);
    let top = sorted[sorted.len() * 3 / 4];
    d.outcome.iter_mut().for_each(|y| *y = y.min(top));
    let n_at_top = d.outcome.iter().filter(|y| **y == top).count();
    let spots = d.spots(&given(0.1));
    assert_eq!(note(&spots, NoteCode::Ceiling).map(|note| note.count), Some(n_at_top));
}

#[test]
fn effects_with_a_long_lower_tail_are_said_to_be() {
    // A few do much worse than all others: a law with a lower tail takes the others for better than they are.
    let plan = Plan { schools: 20, students: 40, school_sd: 0.0, ..PLAN };
    let spots = district(51, &plan, |rng| 0.4 * (1.0 - normal(rng).powi(2))).spots(&given(0.1));
    let skewed = note(&spots, NoteCode::SkewedEffects).unwrap();
    assert!(skewed.value.is_some_and(|skewness| skewness < -0.5), "{skewed:?}");
    let spots = district(51, &plan, |rng| 0.4 * normal(rng)).spots(&given(0.1));
    assert!(note(&spots, NoteCode::SkewedEffects).is_none());
}

#[test]
fn what_was_not_given_is_stated() {
    let d = district(52, &Plan { schools: 10, ..PLAN }, |rng| 0.2 * normal(rng));
    let late: Vec<f64> = d.outcome.iter().map(|y| 5.0 - 2.0 * y).collect();
    let guard = Guard { name: "late", values: &late, margin: None };
    let spots = d.with_guards(&BrightSpec::default(), true, true, &[guard]);
    let margin = note(&spots, NoteCode::DefaultMargin).unwrap();
    assert_eq!((margin.at.as_str(), margin.value), ("late", Some(spots.guards[0].margin)));
    let threshold = note(&spots, NoteCode::DefaultThreshold).unwrap();
    assert_eq!(threshold.value, Some(spots.threshold));
    // A tenth of the standard deviation within period, of the outcome and of what is twice as wide.
    assert!((spots.guards[0].margin - 2.0 * spots.threshold).abs() < 1e-9);
    assert!(
        note(&d.with_guards(&given(0.1), true, true, &[Guard { margin: Some(0.3), ..guard }]), NoteCode::DefaultMargin)
            .is_none()
    );
}
