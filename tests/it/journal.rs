//! The journal: durable, append-only, checked, and shared.

// Helpers of tests: a panic is a failed test.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use brightspot::cycle::{Choice, Cycle, Doing, Fidelity, Move, Plan, Prediction, Reason, State};
use brightspot::journal::Journal;
use brightspot::{Error, Result};
use jiff::civil::date;
use proptest::prelude::*;
use rusqlite::Connection;
use sha2::Digest;

use crate::cycle::{data, moves, plan, stamp};

const LEVEL: [f64; 6] = [62., 63., 61., 62., 64., 60.];

fn fresh() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plc.db");
    (folder, path)
}

fn attempt(journal: &mut Journal, id: &str, action: Move) -> Result<()> {
    let at = stamp("2026-09-02");
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
    let (_folder, path) = fresh();
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
    assert_eq!(journal.decide("b", Choice::Adapt, "", &stamp("2026-09-01")).unwrap_err().code(), "illegal_transition");
    assert_eq!(journal.verify().unwrap(), 7, "what is refused leaves no trace");
}

/// A second try of the same idea knows the first, from the journal alone.
#[test]
fn earlier_tries_are_found() {
    let (_folder, path) = fresh();
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

#[test]
fn a_restudy_stands_beside_the_older_one() {
    let (_folder, path) = fresh();
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

fn written(path: &Path) {
    let mut journal = Journal::open(path).unwrap();
    journal.draft("a", plan(), &stamp("2026-09-01")).unwrap();
    for action in TO_THE_END {
        attempt(&mut journal, "a", action).unwrap();
    }
}

#[test]
fn events_can_be_neither_changed_nor_deleted() {
    let (_folder, path) = fresh();
    written(&path);
    let file = Connection::open(&path).unwrap();
    for sql in ["UPDATE events SET by = 'x'", "DELETE FROM events"] {
        let error = file.execute(sql, []).unwrap_err();
        assert!(error.to_string().contains("events are never"), "{error}");
    }
}

/// Whoever gets around the triggers is found out, whatever column they touch.
#[test]
fn tampering_shows() {
    let changes = [
        ("UPDATE events SET by = 'Mr. Smith' WHERE seq = 3", "event 3 (cycle.started of \"a\") has been changed"),
        ("UPDATE events SET at = '2026-01-01T00:00:00Z' WHERE seq = 2", "event 2"),
        ("UPDATE events SET payload = CAST(replace(CAST(payload AS TEXT), '8', '9') AS BLOB) WHERE seq = 1", "event 1"),
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
    ];
    for (sql, expected) in changes {
        let (_folder, path) = fresh();
        written(&path);
        assert_eq!(Journal::open(&path).unwrap().verify().unwrap(), 6);
        let file = Connection::open(&path).unwrap();
        file.execute_batch("DROP TRIGGER events_are_not_changed; DROP TRIGGER events_are_not_deleted;").unwrap();
        assert!(file.execute(sql, []).unwrap() > 0, "{sql}");
        drop(file);
        let error = Journal::open(&path).unwrap().verify().unwrap_err();
        assert_eq!(error.code(), "tampered", "{sql}: {error}");
        assert!(error.to_string().contains(expected), "{sql}: {error}");
    }
}

#[test]
fn what_is_no_journal_is_refused() {
    let (folder, path) = fresh();
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

    written(&path);
    Connection::open(&path).unwrap().execute("UPDATE meta SET value = '2' WHERE key = 'schema_version'", []).unwrap();
    let error = Journal::open(&path).unwrap_err();
    assert!(matches!(error, Error::NewerSchema { found: 2, supported: 1, .. }), "{error}");
}

/// An event of a newer version is kept to the last byte, shown in the history, and not guessed at.
#[test]
fn newer_events_are_kept_and_not_guessed_at() {
    let (_folder, path) = fresh();
    written(&path);
    let bytes = br#"{"schema":2,"event":{"kind":"started","data":{"colour":"green"}},"more":1}"#;
    // As a newer version would write it: the chain's own hash over length-prefixed columns.
    let file = Connection::open(&path).unwrap();
    let previous: String = file.query_row("SELECT hash FROM events WHERE seq = 6", [], |row| row.get(0)).unwrap();
    let parts: [&[u8]; 8] =
        [previous.as_bytes(), b"7", b"z", b"cycle.drafted", b"1", b"2026-12-01T00:00:00Z", b"kim", bytes];
    let mut all = vec![];
    for part in parts {
        all.extend((part.len() as u64).to_be_bytes());
        all.extend(part);
    }
    let hash: String =
        sha2::Sha256::digest(&all).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    file.execute(
        "INSERT INTO events VALUES (7, 'z', 'cycle.drafted', 1, '2026-12-01T00:00:00Z', 'kim', ?1, ?2, ?3)",
        rusqlite::params![bytes, hash, previous],
    )
    .unwrap();
    file.execute("UPDATE meta SET value = ?1 WHERE key = 'last_hash'", [&hash]).unwrap();
    drop(file);

    let journal = Journal::open(&path).unwrap();
    assert_eq!(journal.verify().unwrap(), 7);
    assert_eq!(journal.cycle("z").unwrap_err().code(), "newer_schema");
    assert_eq!(journal.history("z").unwrap()[0].payload["event"]["data"]["colour"], "green");
    assert_eq!(journal.cycle("a").unwrap().state, State::Decided);
}

#[test]
fn several_writers_share_a_journal() {
    const WRITERS: usize = 4;
    const EACH: usize = 6;
    let (_folder, path) = fresh();
    // All open a file that does not exist yet, at the same time.
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let path = &path;
            scope.spawn(move || {
                let mut journal = Journal::open(path).unwrap();
                for i in 0..EACH {
                    let id = format!("{writer}-{i}");
                    journal.draft(&id, plan(), &stamp("2026-09-01")).unwrap();
                    journal.lock(&id, &stamp("2026-09-02")).unwrap();
                }
            });
        }
    });
    let journal = Journal::open(&path).unwrap();
    assert_eq!(journal.verify().unwrap(), (2 * WRITERS * EACH) as u64);
    assert!(journal.cycles().unwrap().iter().all(|cycle| cycle.state == State::Planned));
}

/// Two who have seen the same state: one moves, the other is told.
#[test]
fn of_two_movers_one_wins() {
    let (_folder, path) = fresh();
    let mut one = Journal::open(&path).unwrap();
    let mut other = Journal::open(&path).unwrap();
    let seen = one.draft("a", plan(), &stamp("2026-09-01")).unwrap().version;
    one.lock("a", &stamp("2026-09-02").expecting(seen)).unwrap();
    assert_eq!(other.cancel("a", "why", &stamp("2026-09-02").expecting(seen)).unwrap_err().code(), "conflict");
    assert_eq!(other.lock("a", &stamp("2026-09-02")).unwrap_err().code(), "illegal_transition");
    assert_eq!(other.cycle("a").unwrap().version, 2);
}

const CHILD: &str = "BRIGHTSPOT_TEST_JOURNAL";

/// Writes to the journal named in the environment until it is killed; says what was acknowledged. Without the variable
/// it is not meant to be run.
#[test]
#[ignore = "the child of survives_being_killed"]
fn writes_until_killed() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let mut journal = Journal::open(path).unwrap();
    for i in 0.. {
        let id = i.to_string();
        journal.draft(&id, plan(), &stamp("2026-09-01")).unwrap();
        println!("acknowledged {id} 1");
        journal.lock(&id, &stamp("2026-09-02")).unwrap();
        println!("acknowledged {id} 2");
    }
}

#[test]
fn survives_being_killed() {
    let (_folder, path) = fresh();
    for round in 0..3 {
        if round > 0 {
            // A new file each time, so that the ids of the child are new.
            std::fs::remove_file(&path).unwrap();
            for suffix in ["-wal", "-shm"] {
                let _ = std::fs::remove_file(path.with_file_name(format!("plc.db{suffix}")));
            }
        }
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["journal::writes_until_killed", "--exact", "--ignored", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut acknowledged: Vec<(String, u64)> = vec![];
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines.map_while(std::result::Result::ok) {
            let words: Vec<&str> = line.split_whitespace().collect();
            // The harness writes the name of the test before the first line.
            if let [.., "acknowledged", id, version] = words[..] {
                acknowledged.push((id.to_owned(), version.parse().unwrap()));
            }
            if acknowledged.len() == 15 + 8 * round {
                // SIGKILL: no destructor runs. What is still in the pipe was acknowledged too.
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(acknowledged.len() >= 15 + 8 * round, "the child ended early");
        let journal = Journal::open(&path).unwrap();
        let n = journal.verify().unwrap();
        assert!(n >= acknowledged.len() as u64);
        for (id, version) in &acknowledged {
            assert!(journal.cycle(id).unwrap().version >= *version, "{id} {version} was acknowledged and lost");
        }
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
