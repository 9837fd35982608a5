//! The words of a cycle: findings, choices and reasons, each a closed list of stable codes.

macro_rules! define_codes {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
            schemars::JsonSchema,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every code there is, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable code, as in JSON and in columns.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::Error;

            fn from_str(word: &str) -> crate::Result<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == word).ok_or_else(|| {
                    let words: Vec<_> = Self::ALL.iter().map(|code| code.as_str()).collect();
                    crate::Error::option(stringify!($name), format!("{word:?}"), format!("one of {}", words.join(", ")))
                })
            }
        }
    )*};
}

pub(super) use define_codes;

define_codes! {
    /// What the data say about one measure.
    Signal {
        /// The whole interval of the change lies on the good side of 0.
        Improved = "improved",
        /// The whole interval of the change lies on the bad side of 0.
        Worsened = "worsened",
        /// The interval holds 0: no change can be told from chance.
        NoSignal = "no_signal",
        /// No verdict can be given, and the caveats say why.
        Insufficient = "insufficient",
    }

    /// Whether a prediction came true.
    PredictionFinding {
        /// The change lies in the predicted region.
        Met = "met",
        /// The whole interval of the change lies outside of the predicted region.
        NotMet = "not_met",
        /// The change lies outside of the region, but its interval reaches into it; or there is no verdict.
        Undecided = "undecided",
    }

    /// Whether the change was carried out as planned.
    Fidelity {
        /// As planned.
        Fully = "fully",
        /// In part.
        Partly = "partly",
        /// Not carried out.
        NotDone = "not_done",
        /// Nobody said.
        Unknown = "unknown",
    }

    /// Whether a guard measure stayed within its margin.
    GuardFinding {
        /// A loss as large as the margin is ruled out.
        NotWorse = "not_worse",
        /// It got worse, beyond chance.
        Harmed = "harmed",
        /// Neither can be shown.
        CannotTell = "cannot_tell",
    }

    /// Whether the change reached the classroom, by the process measures.
    ProcessFinding {
        /// At least one process measure improved, and every other that could be judged did too.
        Improved = "improved",
        /// A process measure that could be judged did not improve.
        NotImproved = "not_improved",
        /// No process measure was planned, or none could be judged.
        NotMeasured = "not_measured",
    }

    /// What to do next.
    Choice {
        /// Keep the change, at this scale.
        Adopt = "adopt",
        /// Change the idea or its delivery, and test again.
        Adapt = "adapt",
        /// Stop.
        Abandon = "abandon",
        /// Keep testing: nothing can be said yet.
        ContinueTest = "continue_test",
    }

    /// Why a choice is recommended.
    Reason {
        /// The test is still running, and nobody has said yet what was done.
        Interim = "interim",
        /// The plan was not locked before the data came.
        NotPreregistered = "not_preregistered",
        /// The change was not carried out, or nobody said whether it was: the idea is untested.
        UntestedIdea = "untested_idea",
        /// Something got worse that must not: stop doing it while this is sorted out.
        Pause = "pause",
        /// Harm, and no benefit to set against it.
        HarmNoBenefit = "harm_no_benefit",
        /// A benefit that comes with harm.
        BenefitWithHarm = "benefit_with_harm",
        /// No verdict can be given on the outcome.
        InsufficientEvidence = "insufficient_evidence",
        /// The outcome got worse.
        Worse = "worse",
        /// Improved, as predicted, without harm, and as planned.
        ConfirmedHere = "confirmed_here",
        /// Improved, but not as was predicted.
        LessThanPredicted = "less_than_predicted",
        /// Improved, but harm to a guard measure is not ruled out.
        GuardUnknown = "guard_unknown",
        /// Improved, though carried out only in part.
        PartlyDone = "partly_done",
        /// The test ended before the change could be expected to show.
        TooEarly = "too_early",
        /// The process improved and the outcome did not: the theory that links them is in doubt.
        DriverMovedOutcomeDidNot = "driver_moved_outcome_did_not",
        /// No sign of a change in the process or in the outcome.
        NoMechanismYet = "no_mechanism_yet",
        /// Tried often enough and as planned, and never near the prediction.
        TriedFairly = "tried_fairly",
        /// Tried often enough, but a change as large as predicted is not ruled out.
        Underpowered = "underpowered",
    }

    /// How the data of a cycle are judged.
    Analysis {
        /// To be settled when the plan is locked.
        Auto = "auto",
        /// The step between the baseline and the test window of a series.
        Series = "series",
        /// Proportions of the two windows, from counts by date.
        Proportions = "proportions",
        /// Rates of the two windows, from counts by date; of one total before and one after, as two totals.
        Rates = "rates",
        /// All that was counted before against all that was counted after, taken as independent events.
        TwoTotals = "two_totals",
        /// The test window against the measure's standard.
        Standard = "standard",
        /// Classes that try the change against classes that do not, allowing for the students' scores before.
        Ancova = "ancova",
        /// The gain of classes that try the change against the gain of classes that do not.
        DifferenceInDifferences = "difference_in_differences",
    }
}

impl Reason {
    /// The reason as one plain sentence.
    pub fn message(self) -> &'static str {
        match self {
            Self::Interim => "The test is still running, and nothing has been recorded yet of what was done.",
            Self::NotPreregistered => {
                "The plan was not locked before the data came, so this is exploration, not a test."
            }
            Self::UntestedIdea => {
                "The change was not carried out (or nobody said whether it was): fix the doing, the idea is untested."
            }
            Self::Pause => "Pause: a guard measure got worse.",
            Self::HarmNoBenefit => "A guard measure got worse and the outcome did not improve.",
            Self::BenefitWithHarm => {
                "The outcome improved, but a guard measure got worse: find a way to have the one without the other."
            }
            Self::InsufficientEvidence => "The data do not allow a verdict on the outcome.",
            Self::Worse => "The outcome got worse.",
            Self::ConfirmedHere => {
                "The outcome improved as predicted, nothing guarded got worse, and the change was carried out as planned."
            }
            Self::LessThanPredicted => "The outcome improved, but not as was predicted.",
            Self::GuardUnknown => "The outcome improved, but it cannot be told whether a guard measure got worse.",
            Self::PartlyDone => "The outcome improved although the change was carried out only in part.",
            Self::TooEarly => "The test ended before the change could be expected to show.",
            Self::DriverMovedOutcomeDidNot => {
                "The process improved and the outcome did not: the theory that links them is in doubt."
            }
            Self::NoMechanismYet => "Neither the process nor the outcome shows a change yet.",
            Self::TriedFairly => "Tried as planned, often enough, and every time short of the prediction.",
            Self::Underpowered => {
                "Tried as planned, often enough, but with data too few to rule out the predicted change."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip<T>(all: &[T])
    where
        T: serde::Serialize
            + Copy
            + std::fmt::Display
            + std::str::FromStr<Err = crate::Error>
            + PartialEq
            + std::fmt::Debug,
    {
        for &code in all {
            assert_eq!(serde_json::to_string(&code).unwrap(), format!("\"{code}\""));
            assert_eq!(code.to_string().parse::<T>().unwrap(), code);
        }
    }

    #[test]
    fn codes_are_what_serde_writes() {
        round_trip(Signal::ALL);
        round_trip(PredictionFinding::ALL);
        round_trip(Fidelity::ALL);
        round_trip(GuardFinding::ALL);
        round_trip(ProcessFinding::ALL);
        round_trip(Choice::ALL);
        round_trip(Reason::ALL);
        round_trip(Analysis::ALL);
        assert_eq!("adpot".parse::<Choice>().unwrap_err().code(), "invalid_option");
    }
}
