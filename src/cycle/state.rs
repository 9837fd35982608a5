//! The states of a cycle and the moves between them: the only table of transitions there is.

use super::codes::define_codes;

define_codes! {
    /// Where a cycle stands.
    State {
        /// The plan is being written.
        Draft = "draft",
        /// The plan is locked.
        Planned = "planned",
        /// The change is being tried.
        Doing = "doing",
        /// The data have been studied.
        Studied = "studied",
        /// The team has decided; final.
        Decided = "decided",
        /// Given up before a decision; final, and kept on record.
        Cancelled = "cancelled",
    }

    /// What can be done to a cycle.
    Move {
        /// Lock the plan.
        Lock = "lock",
        /// Start the test.
        Start = "start",
        /// Record what was done.
        Do = "do",
        /// Study the data.
        Study = "study",
        /// Decide what to do next.
        Decide = "decide",
        /// Put a note beside the locked plan.
        Amend = "amend",
        /// Give the cycle up.
        Cancel = "cancel",
    }
}

impl State {
    /// The state after a move, or `None` if the move is not allowed.
    pub fn after(self, action: Move) -> Option<Self> {
        match (self, action) {
            (Self::Draft, Move::Lock) | (Self::Planned, Move::Amend) => Some(Self::Planned),
            (Self::Planned, Move::Start) | (Self::Doing, Move::Do | Move::Amend) => Some(Self::Doing),
            (Self::Doing | Self::Studied, Move::Study) => Some(Self::Studied),
            (Self::Studied, Move::Decide) => Some(Self::Decided),
            (Self::Draft | Self::Planned | Self::Doing, Move::Cancel) => Some(Self::Cancelled),
            _ => None,
        }
    }

    /// The moves that this state allows.
    pub fn moves(self) -> impl Iterator<Item = Move> {
        Move::ALL.iter().copied().filter(move |&action| self.after(action).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_are_these_and_no_others() {
        let mut edges = vec![];
        for &from in State::ALL {
            for action in from.moves() {
                edges.push(format!("{from} {action} {}", from.after(action).unwrap()));
            }
        }
        assert_eq!(
            edges,
            [
                "draft lock planned",
                "draft cancel cancelled",
                "planned start doing",
                "planned amend planned",
                "planned cancel cancelled",
                "doing do doing",
                "doing study studied",
                "doing amend doing",
                "doing cancel cancelled",
                "studied study studied",
                "studied decide decided",
            ]
        );
    }
}
