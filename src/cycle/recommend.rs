//! The table from findings to a recommendation. People decide; the table says what the evidence allows.

use super::{Choice, Fidelity, GuardFinding, PredictionFinding, ProcessFinding, Reason, Signal};

/// Whether the idea has had its fair tries: carried out as planned, locked before the data, with a verdict. The present
/// try counts as one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tries {
    /// Fewer than the plan asks for.
    Few,
    /// As many as the plan asks for, but in an earlier one the prediction was not clearly missed.
    Enough,
    /// As many as the plan asks for, and in every earlier one the prediction was clearly missed.
    EnoughAllMissed,
}

/// What a recommendation rests on: the findings of one study, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Findings {
    /// Whether the plan was locked before the data came.
    pub is_preregistered: bool,
    /// Whether the test window is still open.
    pub is_open: bool,
    /// Whether the change was carried out.
    pub fidelity: Fidelity,
    /// The signal of the outcome.
    pub outcome: Signal,
    /// The worst of the predictions.
    pub prediction: PredictionFinding,
    /// The worst of the guards.
    pub guards: GuardFinding,
    /// The process measures.
    pub process: ProcessFinding,
    /// Whether the test lasted until the change could be expected to show.
    pub has_lag_elapsed: bool,
    /// Whether the idea has had its fair tries.
    pub tries: Tries,
}

/// A recommendation, with the reasons for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recommendation {
    /// What to do.
    pub choice: Choice,
    /// Why; the first reason is the row of the table.
    pub reasons: Vec<Reason>,
}

/// The recommendation for a set of findings: the first row that matches.
///
/// | row | findings | recommendation | reason |
/// |---|---|---|---|
/// | 0 | plan not locked before the data | continue test | `not_preregistered` |
/// | 1 | not carried out; or unknown once the test is over | adapt (the doing) | `untested_idea` |
/// | 1 | unknown while the test is running | continue test | `interim` |
/// | 2 | a guard harmed, outcome not improved | abandon; adapt if partly done | `harm_no_benefit` |
/// | 3 | a guard harmed, outcome improved | adapt | `benefit_with_harm` |
/// | 4 | outcome insufficient | continue test | `insufficient_evidence` |
/// | 5 | outcome worsened | abandon; adapt if partly done | `worse` |
/// | 6 | improved, prediction met, guards not worse, fully done | adopt | `confirmed_here` |
/// | 7 | improved otherwise | adapt | `less_than_predicted`, `guard_unknown`, `partly_done` |
/// | 8 | no signal, lag not elapsed | continue test | `too_early` |
/// | 9 | no signal, process improved | adapt | `driver_moved_outcome_did_not` |
/// | 10 | no signal, few tries or partly done | adapt | `no_mechanism_yet` |
/// | 11 | no signal, enough tries, fully done | abandon if the prediction was missed in every try, `tried_fairly`; else adapt | `underpowered` |
///
/// What was done is recorded when it has been done: while the window is open a report that is not there yet says nothing
/// about the doing, and nobody needs to change it. Neither choice of row 1 abandons or adopts, so the order of the table
/// stays as it is.
///
/// In rows 0 and 1 a harmed guard adds the reason `pause`. The table is total; abandoning needs a change carried out
/// fully; adopting needs a locked plan, an improvement, a met prediction, guards not worse and full fidelity; and a
/// better outcome, prediction or guard never lowers the recommendation.
pub fn recommend(found: Findings) -> Recommendation {
    let choose = |choice, reasons: &[Reason]| Recommendation { choice, reasons: reasons.to_vec() };
    let unless_partly = |reason| {
        let choice = if found.fidelity == Fidelity::Partly { Choice::Adapt } else { Choice::Abandon };
        choose(choice, &[reason])
    };
    let with_pause = |choice, reason| match found.guards {
        GuardFinding::Harmed => choose(choice, &[reason, Reason::Pause]),
        GuardFinding::NotWorse | GuardFinding::CannotTell => choose(choice, &[reason]),
    };
    if !found.is_preregistered {
        return with_pause(Choice::ContinueTest, Reason::NotPreregistered); // row 0
    }
    if found.is_open && found.fidelity == Fidelity::Unknown {
        return with_pause(Choice::ContinueTest, Reason::Interim); // row 1
    }
    if matches!(found.fidelity, Fidelity::NotDone | Fidelity::Unknown) {
        return with_pause(Choice::Adapt, Reason::UntestedIdea); // row 1
    }
    match (found.guards, found.outcome) {
        (GuardFinding::Harmed, Signal::Improved) => choose(Choice::Adapt, &[Reason::BenefitWithHarm]), // row 3
        (GuardFinding::Harmed, _) => unless_partly(Reason::HarmNoBenefit),                             // row 2
        (_, Signal::Insufficient) => choose(Choice::ContinueTest, &[Reason::InsufficientEvidence]),    // row 4
        (_, Signal::Worsened) => unless_partly(Reason::Worse),                                         // row 5
        (_, Signal::Improved) => improved(found),
        (_, Signal::NoSignal) => no_signal(found),
    }
}

fn improved(found: Findings) -> Recommendation {
    let short_of: Vec<Reason> = [
        (found.prediction != PredictionFinding::Met, Reason::LessThanPredicted),
        (found.guards != GuardFinding::NotWorse, Reason::GuardUnknown),
        (found.fidelity != Fidelity::Fully, Reason::PartlyDone),
    ]
    .into_iter()
    .filter_map(|(applies, reason)| applies.then_some(reason))
    .collect();
    if short_of.is_empty() {
        Recommendation { choice: Choice::Adopt, reasons: vec![Reason::ConfirmedHere] } // row 6
    } else {
        Recommendation { choice: Choice::Adapt, reasons: short_of } // row 7
    }
}

fn no_signal(found: Findings) -> Recommendation {
    let is_missed = found.prediction == PredictionFinding::NotMet;
    let (choice, reason) = if !found.has_lag_elapsed {
        (Choice::ContinueTest, Reason::TooEarly) // row 8
    } else if found.process == ProcessFinding::Improved {
        (Choice::Adapt, Reason::DriverMovedOutcomeDidNot) // row 9
    } else {
        match (found.fidelity, found.tries) {
            (Fidelity::Fully, Tries::EnoughAllMissed) if is_missed => (Choice::Abandon, Reason::TriedFairly), // row 11
            (Fidelity::Fully, Tries::Enough | Tries::EnoughAllMissed) => (Choice::Adapt, Reason::Underpowered), // row 11
            _ => (Choice::Adapt, Reason::NoMechanismYet), // row 10
        }
    };
    Recommendation { choice, reasons: vec![reason] }
}
