//! The states of a cycle and the moves between them.

use brightspot::Error;
use brightspot::cycle::{Choice, Cycle, Doing, Event, Fidelity, Move, Plan, State};
use brightspot::record::{Record, Stamp};
use proptest::prelude::*;

use super::{AS_OF, HIGHER, LEVEL, data, fully, plan, stamp};

#[test]
fn a_choice_other_than_the_recommended_needs_a_reason() {
    let (mut cycle, _) = Cycle::draft("a", plan(), &stamp("2026-09-01")).unwrap();
    cycle.lock(&stamp("2026-09-02")).unwrap();
    cycle.start(&stamp("2026-09-28")).unwrap();
    cycle.do_(fully(), &stamp("2026-11-08")).unwrap();
    cycle.study(&data(&HIGHER), AS_OF, &[], "Worked examples help", &stamp("2026-11-20")).unwrap();
    assert_eq!(cycle.studies[0].recommendation, Choice::Adopt);
    assert_eq!(cycle.studies[0].learned, "Worked examples help");
    let error = cycle.decide(Choice::Abandon, "  ", &stamp("2026-11-21")).unwrap_err();
    assert!(error.to_string().contains("the study recommends adopt and the team chose abandon: say why"), "{error}");
    assert_eq!(cycle.state, State::Studied);
    cycle.decide(Choice::Abandon, "No teacher wants it", &stamp("2026-11-21")).unwrap();
    let decision = cycle.decision.as_ref().unwrap();
    assert!(decision.is_override && decision.validate().is_ok());
    assert_eq!((decision.chosen, decision.recommended), (Choice::Abandon, Choice::Adopt));
    let error = cycle.cancel("Too late", &stamp("2026-11-22")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cycle \"a\" is decided, so it cannot cancel; from here it can make no move: this state is final"
    );
}

#[test]
fn a_stale_reader_is_told() {
    let (mut cycle, _) = Cycle::draft("a", plan(), &stamp("2026-09-01")).unwrap();
    cycle.lock(&stamp("2026-09-02").expecting(1)).unwrap();
    let error = cycle.start(&stamp("2026-09-28").expecting(1)).unwrap_err();
    assert!(matches!(error, Error::Conflict { expected: 1, found: 2, .. }), "{error}");
    assert!(cycle.start(&stamp("2026-09-28").expecting(2)).is_ok());
}

#[test]
fn tries_of_the_same_idea() {
    let cycle = |id: &str, change: &str, practice: Option<&str>| {
        let plan = Plan { change: change.into(), practice: practice.map(str::to_owned), ..plan() };
        Cycle::draft(id, plan, &stamp("2026-09-01")).unwrap().0
    };
    let one = cycle("a", "Worked example", None);
    assert!(one.tries_same_idea_as(&cycle("b", "Worked example ", None)));
    assert!(!one.tries_same_idea_as(&cycle("b", "Exit ticket", None)));
    assert!(!one.tries_same_idea_as(&cycle("b", "Worked example", Some("p1"))));
    assert!(cycle("a", "x", Some("p1")).tries_same_idea_as(&cycle("b", "y", Some("p1"))));
}

/// Makes a move; what it says does not matter here.
fn attempt(cycle: &mut Cycle, action: Move, stamp: &Stamp) -> brightspot::Result<Event> {
    match action {
        Move::Lock => cycle.lock(stamp),
        Move::Start => cycle.start(stamp),
        Move::Do => cycle.do_(Doing::new(Fidelity::Partly), stamp),
        Move::Study => cycle.study(&data(&LEVEL), AS_OF, &[], "", stamp),
        Move::Decide => cycle.decide(Choice::Adapt, "because", stamp),
        Move::Amend => cycle.amend("a note", stamp),
        Move::Cancel => cycle.cancel("no time", stamp),
    }
}

#[cfg(feature = "journal")]
/// The same move as the journal's tests make, on a cycle without a journal.
pub(crate) fn attempt_as_journal(cycle: &mut Cycle, action: Move) {
    let at = stamp("2026-09-02");
    match action {
        Move::Do => cycle.do_(fully(), &at).unwrap(),
        other => attempt(cycle, other, &at).unwrap(),
    };
}

pub(crate) fn moves() -> impl Strategy<Value = Vec<Move>> {
    prop::collection::vec(prop::sample::select(Move::ALL), 0..16)
}

proptest! {
    #[test]
    fn only_legal_moves_change_a_cycle(moves in moves()) {
        let at = stamp("2026-09-01");
        let (mut cycle, first) = Cycle::draft("a", plan(), &at).unwrap();
        let mut events = vec![first];
        for action in moves {
            let before = cycle.clone();
            match (before.state.after(action), attempt(&mut cycle, action, &at)) {
                (Some(state), Ok(event)) => {
                    prop_assert_eq!(cycle.state, state);
                    prop_assert_eq!(cycle.version, before.version + 1);
                    events.push(event);
                }
                (None, Err(Error::IllegalTransition { legal, .. })) => {
                    let expected: Vec<String> = before.state.moves().map(|m| m.to_string()).collect();
                    prop_assert_eq!(legal, expected);
                    prop_assert_eq!(&cycle, &before);
                }
                (expected, found) => prop_assert!(false, "{:?} from {:?}: {:?}, {:?}", action, before.state, expected, found),
            }
        }
        let folded = Cycle::fold("a", events.iter().map(|event| (event, &at))).unwrap();
        prop_assert_eq!(&folded, &cycle);
        let back: Cycle = serde_json::from_str(&serde_json::to_string(&cycle).unwrap()).unwrap();
        prop_assert_eq!(back, cycle);
    }
}
