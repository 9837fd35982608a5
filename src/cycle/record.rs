//! A cycle as it stands: a view put together from its events, and the moves that make new ones.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lock::refuse_unlockable;
use super::study::study;
use super::{Choice, Doing, Event, Move, Plan, State, Study, StudyContext};
use crate::measure::Series;
use crate::record::{Record, Stamp, date_of, invalid, within};
use crate::{Error, Result};

/// A note beside the locked plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Amendment {
    /// What is different from the plan, and why.
    pub note: String,
    /// Who amended.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Whether it came after the first day of the test window, when data could have been seen.
    pub is_after_data: bool,
}

impl Record for Amendment {
    const KIND: &'static str = "Amendment";

    fn validate(&self) -> Result<()> {
        if self.note.trim().is_empty() {
            return Err(invalid(Self::KIND, "note", "must say what is different from the plan, and why"));
        }
        Ok(())
    }
}

/// What the team decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What the team chose.
    pub chosen: Choice,
    /// What the last study recommended.
    pub recommended: Choice,
    /// Whether the team chose otherwise than was recommended.
    pub is_override: bool,
    /// Why; an override needs a reason.
    #[serde(default)]
    pub reason: String,
    /// Who recorded the decision.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Record for Decision {
    const KIND: &'static str = "Decision";

    fn validate(&self) -> Result<()> {
        if self.is_override != (self.chosen != self.recommended) {
            return Err(invalid(Self::KIND, "is_override", "must say whether chosen differs from recommended"));
        }
        if self.is_override && self.reason.trim().is_empty() {
            let problem =
                format!("the study recommends {} and the team chose {}: say why", self.recommended, self.chosen);
            return Err(invalid(Self::KIND, "reason", problem));
        }
        Ok(())
    }
}

/// Why and when a cycle was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancellation {
    /// Why.
    pub reason: String,
    /// Who recorded it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Record for Cancellation {
    const KIND: &'static str = "Cancellation";

    fn validate(&self) -> Result<()> {
        if self.reason.trim().is_empty() {
            return Err(invalid(Self::KIND, "reason", "must say why the cycle is given up"));
        }
        Ok(())
    }
}

/// A cycle as it stands: plan, do, study, act.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cycle {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub state: State,
    /// How many events have made it.
    pub version: u64,
    /// The plan; from the lock on it does not change.
    pub plan: Plan,
    /// SHA-256 of the locked plan.
    #[serde(default)]
    pub plan_hash: Option<String>,
    /// When the plan was locked.
    #[serde(default)]
    pub locked_at: Option<Timestamp>,
    /// When the test was started.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// Notes beside the locked plan.
    #[serde(default)]
    pub amendments: Vec<Amendment>,
    /// What was done, as last recorded.
    #[serde(default)]
    pub doing: Option<Doing>,
    /// All studies, the oldest first.
    #[serde(default)]
    pub studies: Vec<Study>,
    /// What the team decided.
    #[serde(default)]
    pub decision: Option<Decision>,
    /// Why it was given up.
    #[serde(default)]
    pub cancelled: Option<Cancellation>,
    /// Who drafted it.
    pub created_by: String,
    /// When it was drafted.
    pub created_at: Timestamp,
}

impl Record for Cycle {
    const KIND: &'static str = "Cycle";

    fn validate(&self) -> Result<()> {
        if self.id.trim().is_empty() {
            return Err(invalid(Self::KIND, "id", "must not be empty"));
        }
        within(Self::KIND, "plan", self.plan.validate())
    }
}

impl Cycle {
    /// A cycle in draft, and the event that made it.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`] for a blank id or a plan that breaks its own rules.
    pub fn draft(id: &str, plan: Plan, stamp: &Stamp) -> Result<(Self, Event)> {
        let event = Event::Drafted { plan: Box::new(plan) };
        let cycle = Self::from_draft(id, &event, stamp)?;
        cycle.validate()?;
        Ok((cycle, event))
    }

    /// A cycle from all of its events, the oldest first.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`] if the first event is no draft; [`Error::IllegalTransition`] if an event does not fit.
    pub fn fold<'a>(id: &str, events: impl IntoIterator<Item = (&'a Event, &'a Stamp)>) -> Result<Self> {
        let mut events = events.into_iter();
        let Some((first, stamp)) = events.next() else { return Err(invalid(Self::KIND, "", "has no events")) };
        let mut cycle = Self::from_draft(id, first, stamp)?;
        for (event, stamp) in events {
            cycle.apply(event, stamp)?;
        }
        Ok(cycle)
    }

    fn from_draft(id: &str, event: &Event, stamp: &Stamp) -> Result<Self> {
        let Event::Drafted { plan } = event else {
            return Err(invalid(Self::KIND, "", format!("begins with {:?}, not with a draft", event.kind())));
        };
        Ok(Self {
            id: id.to_owned(),
            state: State::Draft,
            version: 1,
            plan: (**plan).clone(),
            plan_hash: None,
            locked_at: None,
            started_at: None,
            amendments: vec![],
            doing: None,
            studies: vec![],
            decision: None,
            cancelled: None,
            created_by: stamp.by.clone(),
            created_at: stamp.at,
        })
    }

    /// Takes an event in: checks that the state allows it, and nothing else, so that a record written under older
    /// rules can still be read.
    ///
    /// # Errors
    /// [`Error::IllegalTransition`], which names the moves that are allowed; [`Error::Conflict`] if the stamp expects
    /// another version. The cycle is then as it was.
    pub fn apply(&mut self, event: &Event, stamp: &Stamp) -> Result<()> {
        let action = match event {
            Event::Drafted { .. } => {
                return Err(self.illegal("draft"));
            }
            Event::Locked { .. } => Move::Lock,
            Event::Started => Move::Start,
            Event::Done { .. } => Move::Do,
            Event::Amended { .. } => Move::Amend,
            Event::Studied { .. } => Move::Study,
            Event::Decided { .. } => Move::Decide,
            Event::Cancelled { .. } => Move::Cancel,
        };
        let state = self.next_state(action, stamp)?;
        let (by, at) = (stamp.by.clone(), stamp.at);
        match event {
            Event::Drafted { .. } => {}
            Event::Locked { analysis, plan_hash } => {
                self.plan.analysis = *analysis;
                self.plan_hash = Some(plan_hash.clone());
                self.locked_at = Some(at);
            }
            Event::Started => self.started_at = Some(at),
            Event::Done { doing } => self.doing = Some(doing.clone()),
            Event::Amended { note } => {
                let is_after_data = stamp.date() > self.plan.test[0];
                self.amendments.push(Amendment { note: note.clone(), by, at, is_after_data });
            }
            Event::Studied { study } => self.studies.push((**study).clone()),
            Event::Decided { chosen, recommended, reason } => {
                self.decision = Some(Decision {
                    chosen: *chosen,
                    recommended: *recommended,
                    is_override: chosen != recommended,
                    reason: reason.clone(),
                    by,
                    at,
                });
            }
            Event::Cancelled { reason } => {
                self.cancelled = Some(Cancellation { reason: reason.clone(), by, at });
            }
        }
        self.state = state;
        self.version += 1;
        Ok(())
    }

    fn next_state(&self, action: Move, stamp: &Stamp) -> Result<State> {
        if let Some(expected) = stamp.expected.filter(|&expected| expected != self.version) {
            return Err(Error::Conflict { record: self.label(), expected, found: self.version });
        }
        self.state.after(action).ok_or_else(|| self.illegal(action.as_str()))
    }

    fn illegal(&self, action: &str) -> Error {
        Error::IllegalTransition {
            record: self.label(),
            from: self.state.to_string(),
            action: action.to_owned(),
            legal: self.state.moves().map(|action| action.to_string()).collect(),
        }
    }

    fn label(&self) -> String {
        format!("cycle {:?}", self.id)
    }

    fn make(&mut self, event: Event, stamp: &Stamp) -> Result<Event> {
        self.apply(&event, stamp)?;
        Ok(event)
    }

    /// Locks the plan: from now on it does not change, and its hash says so.
    ///
    /// # Errors
    /// [`Error::PlanNotLockable`] with everything that is missing; [`Error::IllegalTransition`]; [`Error::Conflict`].
    pub fn lock(&mut self, stamp: &Stamp) -> Result<Event> {
        self.next_state(Move::Lock, stamp)?;
        refuse_unlockable(&self.plan)?;
        let plan = self.plan.clone().resolved();
        self.make(Event::Locked { analysis: plan.analysis, plan_hash: plan.hash()? }, stamp)
    }

    /// Puts a note beside the locked plan. It is marked if it comes after the first day of the test window.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`] for a blank note; [`Error::IllegalTransition`]; [`Error::Conflict`].
    pub fn amend(&mut self, note: &str, stamp: &Stamp) -> Result<Event> {
        self.next_state(Move::Amend, stamp)?;
        let note = note.to_owned();
        Amendment { note: note.clone(), by: String::new(), at: stamp.at, is_after_data: false }.validate()?;
        self.make(Event::Amended { note }, stamp)
    }

    /// Starts the test.
    ///
    /// # Errors
    /// [`Error::IllegalTransition`]; [`Error::Conflict`].
    pub fn start(&mut self, stamp: &Stamp) -> Result<Event> {
        self.make(Event::Started, stamp)
    }

    /// Records what was done; again to correct it.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`], also for an item that the plan's checklist does not have (a plan without one takes any);
    /// [`Error::IllegalTransition`]; [`Error::Conflict`].
    pub fn do_(&mut self, doing: Doing, stamp: &Stamp) -> Result<Event> {
        self.next_state(Move::Do, stamp)?;
        doing.validate()?;
        refuse_unplanned(&self.plan, &doing)?;
        self.make(Event::Done { doing }, stamp)
    }

    /// Studies the data, and keeps the study beside the older ones: it is then the last of `studies`.
    ///
    /// # Arguments
    /// `earlier`: the last study of each earlier try of the same idea; `learned`: what the team learned, in its own
    /// words.
    ///
    /// # Errors
    /// As [`study`]; [`Error::IllegalTransition`]; [`Error::Conflict`].
    pub fn study(
        &mut self,
        series: &BTreeMap<String, Series>,
        as_of: Date,
        earlier: &[Study],
        learned: &str,
        stamp: &Stamp,
    ) -> Result<Event> {
        self.next_state(Move::Study, stamp)?;
        let context = StudyContext { earlier, learned: learned.to_owned(), ..self.context(as_of) };
        let mut found = study(&self.plan, series, &context)?;
        // That of the lock, which covers also what a newer version wrote into the plan and this one does not know.
        if let Some(hash) = &self.plan_hash {
            found.plan_hash.clone_from(hash);
        }
        self.make(Event::Studied { study: Box::new(found) }, stamp)
    }

    /// What a study of this cycle needs to know of it.
    pub fn context(&self, as_of: Date) -> StudyContext<'_> {
        StudyContext {
            locked_at: self.locked_at,
            doing: self.doing.as_ref(),
            amendments: &self.amendments,
            ..StudyContext::new(as_of)
        }
    }

    /// Records what the team decided. The cycle is then final.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`] for a choice other than the recommended one without a reason;
    /// [`Error::IllegalTransition`]; [`Error::Conflict`].
    pub fn decide(&mut self, chosen: Choice, reason: &str, stamp: &Stamp) -> Result<Event> {
        self.next_state(Move::Decide, stamp)?;
        let Some(recommended) = self.studies.last().map(|study| study.recommendation) else {
            return Err(self.illegal(Move::Decide.as_str()));
        };
        let decision = Decision {
            chosen,
            recommended,
            is_override: chosen != recommended,
            reason: reason.to_owned(),
            by: stamp.by.clone(),
            at: stamp.at,
        };
        decision.validate()?;
        self.make(Event::Decided { chosen, recommended, reason: decision.reason }, stamp)
    }

    /// Gives the cycle up. It stays on record.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`] without a reason; [`Error::IllegalTransition`]; [`Error::Conflict`].
    pub fn cancel(&mut self, reason: &str, stamp: &Stamp) -> Result<Event> {
        self.next_state(Move::Cancel, stamp)?;
        Cancellation { reason: reason.to_owned(), by: String::new(), at: stamp.at }.validate()?;
        self.make(Event::Cancelled { reason: reason.to_owned() }, stamp)
    }

    /// Whether two cycles try the same idea: the same practice, or, where neither names one, the same change.
    pub fn tries_same_idea_as(&self, other: &Self) -> bool {
        self.plan.idea() == other.plan.idea()
    }

    /// The last study of each decided cycle among `others` that tried the same idea: what counts as an earlier try.
    pub fn earlier_tries<'a>(&self, others: impl IntoIterator<Item = &'a Self>) -> Vec<Study> {
        let mut tries: Vec<(Timestamp, &Study)> = others
            .into_iter()
            .filter(|other| other.id != self.id && self.tries_same_idea_as(other))
            .filter_map(|other| Some((other.decision.as_ref()?.at, other.studies.last()?)))
            .collect();
        tries.sort_by_key(|(at, _)| *at);
        tries.into_iter().map(|(_, study)| study.clone()).collect()
    }

    /// The civil day, in UTC, on which the plan was locked.
    pub fn locked_on(&self) -> Option<Date> {
        self.locked_at.map(date_of)
    }
}

/// A checklist is filled in as it was planned: a word mistyped would count as an item of its own.
fn refuse_unplanned(plan: &Plan, doing: &Doing) -> Result<()> {
    let is_planned = |item: &&String| plan.checklist.is_empty() || plan.checklist.contains(*item);
    match doing.checklist.keys().find(|item| !is_planned(item)) {
        None => Ok(()),
        Some(item) => {
            let planned: Vec<_> = plan.checklist.iter().map(|item| format!("{item:?}")).collect();
            let problem = format!("is no item of the plan's checklist, which has {}", planned.join(", "));
            Err(invalid(Doing::KIND, &format!("checklist[{item:?}]"), problem))
        }
    }
}
