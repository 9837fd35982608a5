//! The recommendation table: every combination of findings.

use std::collections::BTreeMap;

use brightspot::cycle::{
    Choice, Fidelity, Findings, GuardFinding, PredictionFinding, ProcessFinding, Reason, Signal, Tries, recommend,
};

fn all() -> Vec<Findings> {
    let mut out = vec![];
    for is_preregistered in [false, true] {
        for &fidelity in Fidelity::ALL {
            for &outcome in Signal::ALL {
                for &prediction in PredictionFinding::ALL {
                    for &guards in GuardFinding::ALL {
                        for &process in ProcessFinding::ALL {
                            for has_lag_elapsed in [false, true] {
                                for tries in [Tries::Few, Tries::Enough, Tries::EnoughAllMissed] {
                                    out.extend([false, true].map(|is_open| Findings {
                                        is_preregistered,
                                        is_open,
                                        fidelity,
                                        outcome,
                                        prediction,
                                        guards,
                                        process,
                                        has_lag_elapsed,
                                        tries,
                                    }));
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    out
}

/// 2 x 4 x 4 x 3 x 3 x 3 x 2 x 2 combinations of the table's inputs, with the window closed and open, and those with
/// enough tries a second time for whether every earlier one missed its prediction.
#[test]
fn every_combination_is_there() {
    let all = all();
    for is_open in [false, true] {
        let one = || all.iter().filter(|f| f.is_open == is_open);
        assert_eq!(one().filter(|f| f.tries != Tries::EnoughAllMissed).count(), 3_456);
        assert_eq!(one().filter(|f| f.tries != Tries::Enough).count(), 3_456);
        assert_eq!(one().count(), 3_456 * 3 / 2);
    }
    assert!(all.iter().all(|&f| !recommend(f).reasons.is_empty()));
}

/// An open window changes nothing but what is said where nobody has reported yet.
#[test]
fn an_open_window_excuses_a_report_that_is_not_there_yet() {
    for f in all().into_iter().filter(|f| f.is_open) {
        let (open, closed) = (recommend(f), recommend(Findings { is_open: false, ..f }));
        if f.is_preregistered && f.fidelity == Fidelity::Unknown {
            assert_eq!((open.choice, open.reasons[0]), (Choice::ContinueTest, Reason::Interim));
            assert_eq!((closed.choice, closed.reasons[0]), (Choice::Adapt, Reason::UntestedIdea));
        } else {
            assert_eq!(open, closed);
        }
    }
}

/// The table written a second time, as rows with a condition, and the first that holds.
#[test]
fn the_first_row_that_matches() {
    use {Choice as C, Fidelity as F, GuardFinding as G, PredictionFinding as P, ProcessFinding as R, Signal as O};
    type Row = (u8, fn(Findings) -> bool, fn(Findings) -> Choice, Reason);
    fn abandon_unless_partly(f: Findings) -> Choice {
        if f.fidelity == F::Partly { C::Adapt } else { C::Abandon }
    }
    let rows: [Row; 16] = [
        (0, |f| !f.is_preregistered, |_| C::ContinueTest, Reason::NotPreregistered),
        (1, |f| f.is_open && f.fidelity == F::Unknown, |_| C::ContinueTest, Reason::Interim),
        (1, |f| f.fidelity == F::NotDone || f.fidelity == F::Unknown, |_| C::Adapt, Reason::UntestedIdea),
        (2, |f| f.guards == G::Harmed && f.outcome != O::Improved, abandon_unless_partly, Reason::HarmNoBenefit),
        (3, |f| f.guards == G::Harmed && f.outcome == O::Improved, |_| C::Adapt, Reason::BenefitWithHarm),
        (4, |f| f.outcome == O::Insufficient, |_| C::ContinueTest, Reason::InsufficientEvidence),
        (5, |f| f.outcome == O::Worsened, abandon_unless_partly, Reason::Worse),
        (
            6,
            |f| f.outcome == O::Improved && f.prediction == P::Met && f.guards == G::NotWorse && f.fidelity == F::Fully,
            |_| C::Adopt,
            Reason::ConfirmedHere,
        ),
        (7, |f| f.outcome == O::Improved && f.prediction != P::Met, |_| C::Adapt, Reason::LessThanPredicted),
        (7, |f| f.outcome == O::Improved && f.guards == G::CannotTell, |_| C::Adapt, Reason::GuardUnknown),
        (7, |f| f.outcome == O::Improved, |_| C::Adapt, Reason::PartlyDone),
        (8, |f| f.outcome == O::NoSignal && !f.has_lag_elapsed, |_| C::ContinueTest, Reason::TooEarly),
        (9, |f| f.process == R::Improved, |_| C::Adapt, Reason::DriverMovedOutcomeDidNot),
        (10, |f| f.tries == Tries::Few || f.fidelity == F::Partly, |_| C::Adapt, Reason::NoMechanismYet),
        (11, |f| f.tries == Tries::EnoughAllMissed && f.prediction == P::NotMet, |_| C::Abandon, Reason::TriedFairly),
        (11, |_| true, |_| C::Adapt, Reason::Underpowered),
    ];
    let mut used = BTreeMap::new();
    for f in all() {
        let (number, _, choice, reason) = rows.iter().find(|row| row.1(f)).unwrap();
        let found = recommend(f);
        assert_eq!((found.choice, found.reasons[0]), (choice(f), *reason), "row {number}: {f:?}");
        let has_pause = found.reasons.contains(&Reason::Pause);
        assert_eq!(has_pause, *number <= 1 && f.guards == G::Harmed, "{f:?}");
        *used.entry(*number).or_insert(0) += 1;
    }
    assert_eq!(used.into_keys().collect::<Vec<_>>(), (0..=11).collect::<Vec<u8>>());
}

#[test]
fn abandoning_and_adopting_are_hard_to_reach() {
    let (mut adopted, mut abandoned) = (0, 0);
    for f in all() {
        match recommend(f).choice {
            Choice::Adopt => {
                adopted += 1;
                assert!(f.is_preregistered && f.fidelity == Fidelity::Fully && f.outcome == Signal::Improved);
                assert!(f.prediction == PredictionFinding::Met && f.guards == GuardFinding::NotWorse);
            }
            Choice::Abandon => {
                abandoned += 1;
                assert!(f.is_preregistered && f.fidelity == Fidelity::Fully, "{f:?}");
                let is_bad = f.guards == GuardFinding::Harmed || f.outcome == Signal::Worsened;
                let is_tried = f.tries == Tries::EnoughAllMissed && f.prediction == PredictionFinding::NotMet;
                assert!(is_bad || is_tried, "{f:?}");
            }
            Choice::Adapt | Choice::ContinueTest => {}
        }
    }
    assert!(adopted > 0 && abandoned > 0);
}

fn rank(choice: Choice) -> u8 {
    match choice {
        Choice::Abandon => 0,
        Choice::Adapt | Choice::ContinueTest => 1,
        Choice::Adopt => 2,
    }
}

#[test]
fn better_findings_never_lower_the_recommendation() {
    let outcomes = [Signal::Worsened, Signal::NoSignal, Signal::Improved];
    let predictions = [PredictionFinding::NotMet, PredictionFinding::Undecided, PredictionFinding::Met];
    let guards = [GuardFinding::Harmed, GuardFinding::CannotTell, GuardFinding::NotWorse];
    for f in all() {
        let rises = |variants: [Findings; 3]| {
            let ranks = variants.map(|f| rank(recommend(f).choice));
            assert!(ranks.is_sorted(), "{variants:?}: {ranks:?}");
        };
        rises(outcomes.map(|outcome| Findings { outcome, ..f }));
        rises(predictions.map(|prediction| Findings { prediction, ..f }));
        rises(guards.map(|guards| Findings { guards, ..f }));
    }
}
