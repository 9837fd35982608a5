//! What happens to a cycle: the facts that the journal keeps, and from which a cycle is put together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Analysis, Choice, Doing, Plan, Study};

/// Something that happened to a cycle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "data", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// The plan was written.
    Drafted {
        /// The plan.
        plan: Box<Plan>,
    },
    /// The plan was locked.
    Locked {
        /// How the data will be judged, settled.
        analysis: Analysis,
        /// SHA-256 of the locked plan.
        plan_hash: String,
    },
    /// The test was started.
    Started,
    /// What was done was recorded.
    Done {
        /// What was done.
        doing: Doing,
    },
    /// A note was put beside the locked plan.
    Amended {
        /// The note.
        note: String,
    },
    /// The data were studied.
    Studied {
        /// The study.
        study: Box<Study>,
    },
    /// The team decided.
    Decided {
        /// What the team chose.
        chosen: Choice,
        /// What the last study recommended.
        recommended: Choice,
        /// Why.
        #[serde(default)]
        reason: String,
    },
    /// The cycle was given up.
    Cancelled {
        /// Why.
        reason: String,
    },
}

impl Event {
    /// The code of the kind of event, as in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Drafted { .. } => "drafted",
            Self::Locked { .. } => "locked",
            Self::Started => "started",
            Self::Done { .. } => "done",
            Self::Amended { .. } => "amended",
            Self::Studied { .. } => "studied",
            Self::Decided { .. } => "decided",
            Self::Cancelled { .. } => "cancelled",
        }
    }
}
