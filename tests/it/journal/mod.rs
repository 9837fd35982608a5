//! The journal: durable, append-only, checked, and shared.

// Helpers of tests: a panic is a failed test.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

mod filed;
mod folder;
mod many;
mod robust;
mod schemas;
mod versions;

use std::path::{Path, PathBuf};

use brightspot::Result;
use brightspot::cycle::{Choice, Cycle, Doing, Fidelity, Move, Plan, Prediction, Reason, State};
use brightspot::journal::Journal;
use jiff::civil::date;
use proptest::prelude::*;
use rusqlite::Connection;
use sha2::Digest;

use crate::cycle::{data, moves, plan, stamp};

const LEVEL: [f64; 6] = [62., 63., 61., 62., 64., 60.];

/// The URL of a database in which the tests may make schemas; `tests/python/with_postgres.py` starts one and sets it.
const POSTGRES: &str = "BRIGHTSPOT_TEST_POSTGRES";

fn fresh() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plc.db");
    (folder, path)
}

/// A place for a new journal in each kind of database that is here. The folder goes when it is dropped.
fn places() -> Vec<(tempfile::TempDir, PathBuf)> {
    let mut places = vec![fresh()];
    if let (Ok(url), true) = (std::env::var(POSTGRES), cfg!(feature = "postgres")) {
        static N: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let n = N.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let sign = if url.contains('?') { '&' } else { '?' };
        let place = format!("{url}{sign}schema=t{}_{n}", std::process::id());
        places.push((tempfile::tempdir().unwrap(), place.into()));
    }
    places
}

fn is_file(place: &Path) -> bool {
    !place.to_str().unwrap().contains("://")
}

/// Runs SQL behind the journal's back: the number of rows, or what the database said.
fn behind(place: &Path, sql: &str) -> std::result::Result<u64, String> {
    if is_file(place) {
        let file = Connection::open(place).unwrap();
        return match file.execute(sql, []) {
            Ok(n) => Ok(n as u64),
            Err(problem) => Err(problem.to_string()),
        };
    }
    #[cfg(feature = "postgres")]
    {
        client(place).execute(sql, &[]).map_err(|error| error.as_db_error().unwrap().message().to_owned())
    }
    #[cfg(not(feature = "postgres"))]
    {
        unreachable!("no place is a URL")
    }
}

/// A connection to the tables of a journal.
#[cfg(feature = "postgres")]
fn client(place: &Path) -> postgres::Client {
    let (url, schema) = place.to_str().unwrap().rsplit_once("schema=").unwrap();
    let mut client = postgres::Client::connect(url.trim_end_matches(['?', '&']), postgres::NoTls).unwrap();
    client.batch_execute(&format!("SET search_path TO {schema}")).unwrap();
    client
}

/// Takes away what guards the events.
fn unguard(place: &Path) {
    if is_file(place) {
        behind(place, "DROP TRIGGER events_are_not_changed").unwrap();
        behind(place, "DROP TRIGGER events_are_not_deleted").unwrap();
    } else {
        behind(place, "DROP TRIGGER events_are_not_changed ON events").unwrap();
    }
}

fn attempt(journal: &mut Journal, id: &str, action: Move) -> Result<()> {
    attempt_at(journal, id, action, "2026-09-02")
}

fn attempt_at(journal: &mut Journal, id: &str, action: Move, day: &str) -> Result<()> {
    let at = stamp(day);
    match action {
        Move::Lock => journal.lock(id, &at).map(drop),
        Move::Start => journal.start(id, &at).map(drop),
        Move::Do => journal.do_(id, Doing::new(Fidelity::Fully), &at).map(drop),
        Move::Study => journal.study(id, &data(&LEVEL), date(2026, 11, 20), "", &at).map(drop),
        Move::Decide => journal.decide(id, Choice::Adapt, "because", &at).map(drop),
        Move::Amend => journal.amend(id, "a note", &at).map(drop),
        Move::Cancel => journal.cancel(id, "no time", &at).map(drop),
    }
}

const TO_THE_END: [Move; 5] = [Move::Lock, Move::Start, Move::Do, Move::Study, Move::Decide];

#[test]
fn what_is_written_is_read_again() {
    for (_folder, path) in places() {
        {
            let mut journal = Journal::open(&path).unwrap();
            assert_eq!(journal.verify().unwrap(), 0);
            assert_eq!(journal.head().unwrap(), None);
            journal.draft("b", plan(), &stamp("2026-09-01")).unwrap();
            journal.draft("a", plan(), &stamp("2026-09-01")).unwrap();
            for action in TO_THE_END {
                attempt(&mut journal, "b", action).unwrap();
            }
        }
        let mut journal = Journal::open(&path).unwrap();
        assert_eq!(journal.verify().unwrap(), 7);
        let cycles = journal.cycles().unwrap();
        assert_eq!(cycles.iter().map(|cycle| cycle.id.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(cycles[0], journal.cycle("b").unwrap());
        assert_eq!((cycles[0].state, cycles[0].version), (State::Decided, 6));
        let history = journal.history("b").unwrap();
        let kinds: Vec<&str> = history.iter().map(|entry| entry.kind.as_str()).collect();
        assert_eq!(
            kinds,
            ["cycle.drafted", "cycle.locked", "cycle.started", "cycle.done", "cycle.studied", "cycle.decided"]
        );
        assert_eq!(history[0].by, "Ms. Rivera");
        assert_eq!(journal.head().unwrap().as_deref(), Some(history[5].hash.as_str()));

        assert_eq!(journal.cycle("c").unwrap_err().code(), "not_found");
        assert_eq!(journal.history("c").unwrap_err().code(), "not_found");
        assert_eq!(journal.lock("c", &stamp("2026-09-01")).unwrap_err().code(), "not_found");
        assert_eq!(journal.draft("a", plan(), &stamp("2026-09-01")).unwrap_err().code(), "conflict");
        assert_eq!(journal.lock("a", &stamp("2026-09-01").expecting(4)).unwrap_err().code(), "conflict");
        assert_eq!(
            journal.decide("b", Choice::Adapt, "", &stamp("2026-09-01")).unwrap_err().code(),
            "illegal_transition"
        );
        assert_eq!(journal.verify().unwrap(), 7, "what is refused leaves no trace");
    }
}

/// A second try of the same idea knows the first, from the journal alone.
#[test]
fn earlier_tries_are_found() {
    for (_folder, path) in places() {
        let mut journal = Journal::open(&path).unwrap();
        let big = Plan { predictions: vec![Prediction::new("score").at_least(8.0)], ..plan() };
        for (id, reason) in [("1", Reason::NoMechanismYet), ("2", Reason::TriedFairly)] {
            journal.draft(id, big.clone(), &stamp("2026-09-01")).unwrap();
            for action in &TO_THE_END[..4] {
                attempt(&mut journal, id, *action).unwrap();
            }
            let cycle = journal.cycle(id).unwrap();
            assert_eq!(cycle.studies[0].reasons, [reason]);
            attempt(&mut journal, id, Move::Decide).unwrap();
        }
    }
}

#[test]
fn a_restudy_stands_beside_the_older_one() {
    for (_folder, path) in places() {
        let mut journal = Journal::open(&path).unwrap();
        journal.draft("a", plan(), &stamp("2026-09-01")).unwrap();
        for action in [Move::Lock, Move::Start, Move::Do] {
            attempt(&mut journal, "a", action).unwrap();
        }
        journal.study("a", &data(&LEVEL), date(2026, 10, 20), "early", &stamp("2026-10-20")).unwrap();
        journal.study("a", &data(&LEVEL), date(2026, 11, 20), "late", &stamp("2026-11-20")).unwrap();
        let studies = journal.cycle("a").unwrap().studies;
        assert_eq!(studies.iter().map(|study| study.learned.as_str()).collect::<Vec<_>>(), ["early", "late"]);
    }
}

fn written(path: &Path) {
    let mut journal = Journal::open(path).unwrap();
    journal.draft("a", plan(), &stamp("2026-09-01")).unwrap();
    for action in TO_THE_END {
        attempt(&mut journal, "a", action).unwrap();
    }
}

#[test]
fn events_can_be_neither_changed_nor_deleted() {
    for (_folder, path) in places() {
        written(&path);
        for sql in ["UPDATE events SET by = 'x'", "DELETE FROM events"] {
            let problem = behind(&path, sql).unwrap_err();
            assert!(problem.contains("events are never"), "{problem}");
        }
    }
}

/// Whoever gets around the triggers is found out, whatever column they touch.
#[test]
fn tampering_shows() {
    let changes = [
        ("UPDATE events SET by = 'Mr. Smith' WHERE seq = 3", "event 3 (cycle.started of \"a\") has been changed"),
        ("UPDATE events SET at = '2026-01-01T00:00:00Z' WHERE seq = 2", "event 2"),
        ("UPDATE events SET payload = (SELECT payload FROM events WHERE seq = 2) WHERE seq = 1", "event 1"),
        ("UPDATE events SET kind = 'cycle.started' WHERE seq = 4", "event 4"),
        ("UPDATE events SET version = 17 WHERE seq = 6", "event 6"),
        ("UPDATE events SET hash = previous_hash WHERE seq = 5", "event 5"),
        ("UPDATE events SET record = 'b' WHERE seq = 6", "event 6"),
        ("DELETE FROM events WHERE seq = 2", "event 2 is missing"),
        ("DELETE FROM events WHERE seq = 6", "events after event 5 are missing"),
        ("DELETE FROM events", "events after event 0 are missing"),
        (
            "INSERT INTO events SELECT 7, 'b', kind, version, at, by, payload, hash, previous_hash FROM events WHERE seq = 1",
            "event 7",
        ),
        ("DELETE FROM ideas", "its index of ideas"),
    ];
    for (sql, expected) in changes {
        for (_folder, path) in places() {
            written(&path);
            assert_eq!(Journal::open(&path).unwrap().verify().unwrap(), 6);
            unguard(&path);
            assert!(behind(&path, sql).unwrap() > 0, "{sql}");
            let error = Journal::open(&path).unwrap().verify().unwrap_err();
            assert_eq!(error.code(), "tampered", "{sql}: {error}");
            assert!(error.to_string().contains(expected), "{sql}: {error}");
        }
    }
}

/// Someone who changes a locked plan and writes the whole chain anew is betrayed by the lock, unless they forge it too.
#[test]
fn a_plan_changed_under_its_lock_shows() {
    type Row = (i64, String, String, i64, String, String, Vec<u8>);
    let (_folder, path) = fresh();
    written(&path);
    unguard(&path);
    let file = Connection::open(&path).unwrap();
    let mut statement = file.prepare("SELECT seq, record, kind, version, at, by, payload FROM events").unwrap();
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
    });
    let rows: Vec<Row> = rows.unwrap().map(std::result::Result::unwrap).collect();
    let mut previous = "0".repeat(64);
    for (seq, record, kind, version, at, by, payload) in rows {
        let payload = String::from_utf8(payload).unwrap().replacen("\"at_least\":3.0", "\"at_least\":1.0", 1);
        let hash = chained(&previous, (seq, &record, &kind, version, &at, &by, payload.as_bytes()));
        file.execute(
            "UPDATE events SET payload = ?1, hash = ?2, previous_hash = ?3 WHERE seq = ?4",
            rusqlite::params![payload.as_bytes(), hash, previous, seq],
        )
        .unwrap();
        previous = hash;
    }
    file.execute("UPDATE meta SET value = ?1 WHERE key = 'last_hash'", [&previous]).unwrap();
    let problem = Journal::open(&path).unwrap().verify().unwrap_err().to_string();
    assert!(problem.contains("event 2 (cycle.locked of \"a\") does not bear the hash of the plan"), "{problem}");
}

/// What the hash of an event covers: seq, record, kind, version, at, by and payload.
type Columns<'a> = (i64, &'a str, &'a str, i64, &'a str, &'a str, &'a [u8]);

/// The chain's own hash, over columns with their lengths in front.
fn chained(previous: &str, (seq, record, kind, version, at, by, payload): Columns<'_>) -> String {
    let (seq, version) = (seq.to_string(), version.to_string());
    let parts: [&[u8]; 8] = [
        previous.as_bytes(),
        seq.as_bytes(),
        record.as_bytes(),
        kind.as_bytes(),
        version.as_bytes(),
        at.as_bytes(),
        by.as_bytes(),
        payload,
    ];
    let mut hash = sha2::Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[test]
fn what_is_no_journal_is_refused() {
    let (folder, _) = fresh();
    let refused = |path: &Path, part: &str| {
        let error = Journal::open(path).unwrap_err();
        assert_eq!(error.code(), "store", "{error}");
        assert!(error.to_string().contains(part), "{error}");
    };
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "These are my notes. ".repeat(100)).unwrap();
    refused(&text, "give the path of a journal");
    assert!(std::fs::read_to_string(&text).unwrap().starts_with("These are my notes."));
    refused(&folder.path().join("nowhere").join("plc.db"), "check that the folder exists");
    refused(folder.path(), "check");
    #[cfg(not(feature = "postgres"))]
    refused(Path::new("postgresql://kim@host/db"), "knows no PostgreSQL");

    let foreign = folder.path().join("grades.db");
    Connection::open(&foreign)
        .unwrap()
        .execute_batch("CREATE TABLE grades (id); INSERT INTO grades VALUES (1)")
        .unwrap();
    refused(&foreign, "is a database of another program");
    let n: i64 = Connection::open(&foreign)
        .unwrap()
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .unwrap();
    assert_eq!(n, 1, "nothing was added to it");

    let error = Journal::open("mysql://kim:s3cret@host/db").unwrap_err();
    assert_eq!(error.code(), "invalid_option");
    assert!(!error.to_string().contains("s3cret"), "{error}");
}

/// Two who have seen the same state: one moves, the other is told.
#[test]
fn of_two_movers_one_wins() {
    for (_folder, path) in places() {
        let mut one = Journal::open(&path).unwrap();
        let mut other = Journal::open(&path).unwrap();
        let seen = one.draft("a", plan(), &stamp("2026-09-01")).unwrap().version;
        one.lock("a", &stamp("2026-09-02").expecting(seen)).unwrap();
        assert_eq!(other.cancel("a", "why", &stamp("2026-09-02").expecting(seen)).unwrap_err().code(), "conflict");
        assert_eq!(other.lock("a", &stamp("2026-09-02")).unwrap_err().code(), "illegal_transition");
        assert_eq!(other.cycle("a").unwrap().version, 2);
    }
}

proptest! {
    // Every move is a durable commit: few cases, many moves.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_journal_holds_what_the_cycle_is(moves in moves()) {
        let (_folder, path) = fresh();
        let mut journal = Journal::open(&path).unwrap();
        let mut cycle: Cycle = journal.draft("a", plan(), &stamp("2026-09-01")).unwrap();
        for action in moves {
            let is_legal = cycle.state.after(action).is_some();
            let found = attempt(&mut journal, "a", action);
            prop_assert_eq!(found.is_ok(), is_legal);
            if let Err(error) = found {
                prop_assert_eq!(error.code(), "illegal_transition");
            } else {
                crate::cycle::attempt_as_journal(&mut cycle, action);
            }
            prop_assert_eq!(&journal.cycle("a").unwrap(), &cycle);
        }
        prop_assert_eq!(journal.verify().unwrap(), cycle.version);
    }
}
