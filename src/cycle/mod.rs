//! The improvement cycle: a plan with predictions, locked before the data; what was done; a computed study; a decision.
//!
//! The study is a pure function of the plan, the data and the date. A cycle is put together from its events; the
//! [`State`] table says which moves are allowed. Whatever keeps the events ([`crate::journal`] does) keeps the cycle.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use brightspot::cycle::{Choice, Cycle, Doing, Fidelity, Guard, Plan, Prediction, Reason, Signal};
//! use brightspot::measure::{Measure, Series};
//! use brightspot::record::{Stamp, parse_timestamp};
//! use jiff::civil::date;
//!
//! // Plan: what is tried, what it should do, how it will be judged.
//! let score = Measure { unit_of_value: "points".into(), ..Measure::new("exit ticket") };
//! let fluency = Measure::new("fluency");
//! let plan = Plan {
//!     guards: vec![Guard::new(fluency, 3.0)],
//!     predictions: vec![Prediction::new("exit ticket").at_least(3.0).believed(0.7)],
//!     ..Plan::new(
//!         "Exit tickets in grade 5 rise by 3 points by Thanksgiving",
//!         "Start each lesson with a worked example",
//!         score,
//!         [date(2026, 8, 10), date(2026, 10, 4)],
//!         [date(2026, 10, 5), date(2026, 11, 15)],
//!     )
//! };
//! let by = |at: &str| parse_timestamp(at).map(|at| Stamp::new("Ms. Rivera", at));
//! let (mut cycle, _) = Cycle::draft("plc-5-1", plan, &by("2026-10-01")?)?;
//! cycle.lock(&by("2026-10-02")?)?;
//!
//! // Do.
//! cycle.start(&by("2026-10-05")?)?;
//! cycle.do_(Doing::new(Fidelity::Fully), &by("2026-11-15")?)?;
//!
//! // Study: one value a week, before and after.
//! let weekly = |values: &[f64]| {
//!     let weeks = (0..).map(|week| date(2026, 8, 10) + jiff::Span::new().days(7 * week));
//!     Series::of(weeks.zip(values.iter().copied()))
//! };
//! let data = BTreeMap::from([
//!     ("exit ticket".to_owned(), weekly(&[61., 64., 62., 63., 60., 62., 63., 61., 66., 68., 65., 67., 69., 67.])?),
//!     ("fluency".to_owned(), weekly(&[40., 42., 41., 40., 43., 41., 42., 40., 42., 41., 43., 40., 42., 41.])?),
//! ]);
//! cycle.study(&data, date(2026, 11, 20), &[], "", &by("2026-11-20")?)?;
//! let study = &cycle.studies[0];
//! assert_eq!(study.signal, Signal::Improved);
//! assert_eq!(study.outcome.effect, Some(5.0));
//! assert_eq!(study.reasons, [Reason::ConfirmedHere]);
//!
//! // Act.
//! cycle.decide(Choice::Adopt, "", &by("2026-11-21")?)?;
//! # Ok::<(), brightspot::Error>(())
//! ```

mod calibration;
mod chosen;
mod classes;
mod codes;
mod comparison;
mod doing;
mod estimate;
mod event;
mod guards;
mod lock;
mod notes;
mod plan;
mod practice;
mod practice_evidence;
mod practice_gates;
mod practice_life;
mod prediction;
mod predictions;
mod ramp;
mod recommend;
mod record;
mod registry;
mod selection;
mod spread;
mod state;
mod study;
mod verdict;

pub use calibration::{BeliefGroup, Calibration, Forecast, Forecasts, Leaning, Learning, calibration};
pub use codes::{Analysis, Choice, Fidelity, GuardFinding, PredictionFinding, ProcessFinding, Reason, Signal};
pub use comparison::{ClassStudy, Comparison};
pub use doing::{Doing, FidelityRule};
pub use event::Event;
pub use guards::GuardCheck;
pub use plan::{Guard, Plan, Task};
pub use practice::{Adoption, Origin, OriginKind, Practice, Retirement};
pub use practice_gates::{GATES, Gate, GateCheck, PracticeRules, PracticeState};
pub use practice_life::{CountsAs, PracticeCycle, PracticeStanding, PracticeStep, practice_life, practice_state};
pub use prediction::{Prediction, Region, Side};
pub use predictions::PredictionCheck;
pub use ramp::{
    Belief, FailureCost, Outlook, Ramp, RampCycle, RampReason, Readiness, Scale, Steps, TestSize, ramp, size_of_test,
};
pub use recommend::{Findings, Recommendation, Tries, recommend};
pub use record::{Amendment, Cancellation, Cycle, Decision};
pub use registry::{RECORDS, check, schemas};
pub use selection::{ChosenBecause, RegressionToMean, Selection};
pub use state::{Move, State};
pub use study::{Study, StudyContext, margin_notes, study};
pub use verdict::MeasureStudy;
