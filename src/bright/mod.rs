//! Bright spots: who does consistently better than peers under the same conditions, so that others can learn from it.
//!
//! A mixed model adjusts for the conditions and shrinks what rests on few students; a probability says whether a
//! unit's effect exceeds a threshold worth learning from; a false discovery rate says how many of the candidates are
//! probably false. Candidates are a set, not a ranking, and there is no list of the others.
//!
//! Two questions are kept apart: against peers of the same group (`peers`), and against all units (`overall`).

mod answer;
mod balance;
mod cautions;
mod cells;
mod checks;
mod conditions;
pub mod drift;
mod explain;
pub mod funnel;
mod guards;
mod input;
mod laws;
mod matched;
mod model;
mod peers;
mod periods;
mod persistence;
mod practices;
mod result;
mod roll;
mod spec;
mod spots;
mod tree;
mod typical;

pub use answer::{Answer, Finding};
pub use balance::{Agreement, Balance};
pub use checks::Check;
pub use conditions::Condition;
pub use explain::{Criterion, Explanation};
pub use guards::{Guard, GuardAnswer, GuardFinding, GuardSummary};
pub use input::{BrightInput, Factor};
pub use matched::Matched;
pub use peers::Peer;
pub use persistence::{PeriodRow, Persistence};
pub use practices::{
    Combine, PracticeFinding, PracticePeriod, PracticeRow, PracticeSpec, PracticeUse, Practices, UnitMoments, UseRows,
    practices,
};
pub use result::{BrightSpots, ModelSummary, UnitRow};
pub use spec::{BrightSpec, Threshold, Words};
pub use spots::{bright_spots, guarded_bright_spots};
pub use typical::Typical;
