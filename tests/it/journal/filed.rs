//! Records that are filed whole, and records as they stood.

use brightspot::Error;
use brightspot::cycle::State;
use brightspot::journal::Journal;
use brightspot::record::parse_timestamp;
use serde_json::{Value, json};

use super::{TO_THE_END, attempt, places};
use crate::cycle::{plan, stamp};

fn measure(value: &str) -> Value {
    json!({"name": "reading", "value": value})
}

#[test]
fn a_record_is_filed_in_versions() {
    for (_folder, path) in places() {
        let mut journal = Journal::open(&path).unwrap();
        let first = journal.add("reading", "Measure", measure("a"), &stamp("2026-09-01")).unwrap();
        assert_eq!((first.version, first.supersedes), (1, None));
        let second = journal.add("reading", "Measure", measure("b"), &stamp("2026-10-01").expecting(1)).unwrap();
        assert_eq!((second.version, second.supersedes), (2, Some(1)));
        journal.add("task", "Task", json!({"what": "Watch"}), &stamp("2026-09-01").expecting(0)).unwrap();
        journal.draft("cycle", plan(), &stamp("2026-09-01")).unwrap();

        assert_eq!(journal.record("reading", None).unwrap(), second);
        assert_eq!(journal.records("Measure", None).unwrap(), std::slice::from_ref(&second));
        assert_eq!(journal.records("Guard", None).unwrap(), []);
        let then = Some(parse_timestamp("2026-09-15").unwrap());
        assert_eq!(journal.record("reading", then).unwrap(), first);
        assert_eq!(journal.records("Measure", then).unwrap(), [first]);
        let before = Some(parse_timestamp("2026-08-15").unwrap());
        assert_eq!(journal.record("reading", before).unwrap_err().code(), "not_found");
        assert_eq!(journal.records("Measure", before).unwrap(), []);
        let kinds: Vec<String> = journal.history("reading").unwrap().into_iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds, ["measure.added", "measure.revised"]);
        assert_eq!(journal.cycles().unwrap().len(), 1, "a filed record is no cycle");
        assert_eq!(journal.events().unwrap().len(), 4);
        assert_eq!(journal.verify().unwrap(), 4);
    }
}

#[test]
fn what_cannot_be_filed_is_refused() {
    for (_folder, path) in places() {
        let mut journal = Journal::open(&path).unwrap();
        let at = stamp("2026-09-01");
        journal.draft("cycle", plan(), &at).unwrap();
        journal.add("reading", "Measure", measure("a"), &at).unwrap();
        let mut code = |id: &str, kind: &str, data: Value| journal.add(id, kind, data, &at).unwrap_err().code();
        assert_eq!(code("x", "Cycle", json!({})), "invalid_option");
        assert_eq!(code("x", "Mesure", measure("a")), "invalid_option");
        assert_eq!(code(" ", "Measure", measure("a")), "invalid_option");
        assert_eq!(code("x\0", "Measure", measure("a")), "invalid_option");
        assert_eq!(code("cycle", "Measure", measure("a")), "invalid_option");
        assert_eq!(code("reading", "Task", json!({"what": "Watch"})), "invalid_option");
        assert_eq!(code("x", "Measure", json!({"name": "reading", "colour": "red"})), "invalid_record");
        assert_eq!(journal.draft("reading", plan(), &at).unwrap_err().code(), "conflict");
        assert_eq!(journal.lock("reading", &at).unwrap_err().code(), "not_found");
        assert_eq!(journal.record("cycle", None).unwrap_err().code(), "not_found");
        assert_eq!(journal.records("Mesure", None).unwrap_err().code(), "invalid_option");
        let error = journal.add("reading", "Measure", measure("b"), &at.expecting(2)).unwrap_err();
        assert!(matches!(error, Error::Conflict { expected: 2, found: 1, .. }), "{error}");
        assert_eq!(journal.verify().unwrap(), 2, "what is refused leaves no trace");
    }
}

/// The state at each moment is the state after each event: nothing that came later shows.
#[test]
fn a_cycle_stands_as_it_stood() {
    for (_folder, path) in places() {
        let mut journal = Journal::open(&path).unwrap();
        journal.draft("a", plan(), &stamp("2026-09-01")).unwrap();
        let mut stood = vec![journal.cycle("a").unwrap()];
        for (action, day) in
            TO_THE_END.into_iter().zip(["2026-09-02", "2026-09-28", "2026-11-08", "2026-11-20", "2026-11-21"])
        {
            super::attempt_at(&mut journal, "a", action, day).unwrap();
            stood.push(journal.cycle("a").unwrap());
        }
        let days = ["2026-09-01", "2026-09-02", "2026-09-28", "2026-11-08", "2026-11-20", "2026-11-21"];
        for (day, cycle) in days.into_iter().zip(&stood) {
            let as_of = Some(parse_timestamp(day).unwrap());
            assert_eq!(&journal.cycle_at("a", as_of).unwrap(), cycle);
            assert_eq!(&journal.cycles_at(as_of).unwrap(), std::slice::from_ref(cycle));
        }
        let before = Some(parse_timestamp("2026-08-31T23:59:59Z").unwrap());
        assert_eq!(journal.cycle_at("a", before).unwrap_err().code(), "not_found");
        assert_eq!(journal.cycles_at(before).unwrap(), []);
    }
}

/// An event that bears an earlier date than the one before it counts only with that one.
#[test]
fn a_backdated_event_does_not_overtake() {
    for (_folder, path) in places() {
        let mut journal = Journal::open(&path).unwrap();
        journal.draft("a", plan(), &stamp("2026-09-10")).unwrap();
        attempt(&mut journal, "a", TO_THE_END[0]).unwrap(); // on 2026-09-02
        let at = |day: &str| journal.cycle_at("a", Some(parse_timestamp(day).unwrap()));
        assert_eq!(at("2026-09-05").unwrap_err().code(), "not_found");
        assert_eq!(at("2026-09-10").unwrap().state, State::Planned);
    }
}
