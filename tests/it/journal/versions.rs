//! Files of other versions: the older are brought up to date, the newer refused.

use brightspot::Error;
use brightspot::cycle::{Cycle, Move, State};
use brightspot::journal::Journal;
use rusqlite::Connection;

use super::{behind, chained, fresh, places, written};

/// A journal as version 1 of the tables made it, by that version's own statements.
const VERSION_1: &str = include_str!("v1.sql");

/// Its last hash, which that version printed.
const HEAD: &str = "5e0cb638aa55f168078d545fdc30c8d74431f5da0ca816fca496c81e331b7dd0";

fn of_version_1() -> (tempfile::TempDir, std::path::PathBuf) {
    let (folder, path) = fresh();
    Connection::open(&path).unwrap().execute_batch(VERSION_1).unwrap();
    (folder, path)
}

#[test]
fn a_file_of_version_1_is_brought_up_to_date() {
    let (_folder, path) = of_version_1();
    for _ in 0..2 {
        let journal = Journal::open(&path).unwrap();
        assert_eq!(journal.verify().unwrap(), 13);
        assert_eq!(journal.head().unwrap().as_deref(), Some(HEAD));
        let states: Vec<(String, State)> =
            journal.cycles().unwrap().into_iter().map(|Cycle { id, state, .. }| (id, state)).collect();
        let expected = [("decided", State::Decided), ("open", State::Studied), ("drafted", State::Draft)];
        assert_eq!(states, expected.map(|(id, state)| (id.to_owned(), state)));
    }
    let file = Connection::open(&path).unwrap();
    let one = |sql: &str| file.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(one("SELECT value FROM meta WHERE key = 'schema_version'"), "2");
    // Two cycles name one practice, with and without spaces around it; the third tries a change.
    assert_eq!(one("SELECT group_concat(n) FROM (SELECT count(*) n FROM ideas GROUP BY idea ORDER BY n)"), "1,2");
}

/// What breaks off on the way leaves a file of the old version.
#[test]
fn a_migration_is_whole_or_not_at_all() {
    let (_folder, path) = of_version_1();
    // Something is in the way of the new table.
    behind(&path, "CREATE TABLE ideas (x)").unwrap();
    assert_eq!(Journal::open(&path).unwrap_err().code(), "store");
    let file = Connection::open(&path).unwrap();
    let version: String =
        file.query_row("SELECT value FROM meta WHERE key = 'schema_version'", [], |row| row.get(0)).unwrap();
    let n: i64 = file
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'events_by_kind'", [], |row| row.get(0))
        .unwrap();
    assert_eq!((version.as_str(), n), ("1", 0));
    drop(file);
    behind(&path, "DROP TABLE ideas").unwrap();
    assert_eq!(Journal::open(&path).unwrap().verify().unwrap(), 13);
}

#[test]
fn a_newer_journal_is_refused() {
    for (_folder, path) in places() {
        written(&path);
        behind(&path, "UPDATE meta SET value = '3' WHERE key = 'schema_version'").unwrap();
        let error = Journal::open(&path).unwrap_err();
        assert!(matches!(error, Error::NewerSchema { found: 3, supported: 2, .. }), "{error}");
        behind(&path, "UPDATE meta SET value = 'x' WHERE key = 'schema_version'").unwrap();
        assert_eq!(Journal::open(&path).unwrap_err().code(), "tampered");
    }
}

/// An event of a newer version is kept to the last byte, shown in the history, and not guessed at.
#[test]
fn newer_events_are_kept_and_not_guessed_at() {
    let (_folder, path) = fresh();
    written(&path);
    let bytes = br#"{"schema":2,"event":{"kind":"started","data":{"colour":"green"}},"more":1}"#;
    let file = Connection::open(&path).unwrap();
    let previous: String = file.query_row("SELECT hash FROM events WHERE seq = 6", [], |row| row.get(0)).unwrap();
    let hash = chained(&previous, (7, "z", "cycle.drafted", 1, "2026-12-01T00:00:00Z", "kim", bytes));
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

    // And through a folder of JSON, to the last byte.
    let folder = tempfile::tempdir().unwrap();
    journal.export(folder.path()).unwrap();
    let (_other, place) = fresh();
    let again = Journal::restore(folder.path(), &place).unwrap();
    assert_eq!(again.events().unwrap(), journal.events().unwrap());
    let kept: Vec<u8> = Connection::open(&place)
        .unwrap()
        .query_row("SELECT payload FROM events WHERE seq = 7", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, bytes);
}

/// seq, record, kind, version, at, by, payload.
type Row = (i64, String, String, i64, String, String, Vec<u8>);

/// A newer version that adds a field raises no schema version: what it wrote can be read, studied again, exported and restored
/// here, and nothing of it is lost.
#[test]
fn unknown_fields_of_the_same_schema_survive() {
    let (_folder, path) = fresh();
    written(&path);
    let file = Connection::open(&path).unwrap();
    let rows: Vec<Row> = file
        .prepare("SELECT seq, record, kind, version, at, by, payload FROM events ORDER BY seq")
        .unwrap()
        .query_map([], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
        })
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    // Everything but the decision, as a newer version might have written it: with fields at every depth.
    file.execute_batch("DROP TRIGGER events_are_not_changed; DROP TRIGGER events_are_not_deleted; DELETE FROM events;")
        .unwrap();
    let mut previous = "0".repeat(64);
    let mut plan_hash = String::new();
    for (seq, record, kind, version, at, by, payload) in rows {
        if kind == "cycle.decided" {
            break;
        }
        let mut value: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        value["hue"] = "green".into();
        if kind == "cycle.drafted" && record == "a" {
            value["event"]["data"]["plan"]["colour"] = "blue".into();
            value["event"]["data"]["plan"]["outcome"]["shade"] = serde_json::json!({"deep": 1});
            let mut plan = value["event"]["data"]["plan"].clone();
            plan["analysis"] = "series".into();
            plan_hash = brightspot::record::hash_of(&plan).unwrap();
        }
        if kind == "cycle.locked" {
            value["event"]["data"]["plan_hash"] = plan_hash.clone().into();
        }
        let bytes = serde_json::to_vec(&value).unwrap();
        previous = {
            let hash = chained(&previous, (seq, &record, &kind, version, &at, &by, &bytes));
            file.execute(
                "INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                rusqlite::params![seq, record, kind, version, at, by, bytes, hash, previous],
            )
            .unwrap();
            hash
        };
    }
    file.execute("UPDATE meta SET value = ?1 WHERE key = 'last_hash'", [&previous]).unwrap();
    drop(file);

    let mut journal = Journal::open(&path).unwrap();
    journal.verify().unwrap();
    let cycle = journal.cycle("a").unwrap();
    assert_eq!((cycle.state, cycle.plan_hash.as_deref()), (State::Studied, Some(plan_hash.as_str())));
    super::attempt(&mut journal, "a", Move::Study).unwrap();
    assert_eq!(
        journal.cycle("a").unwrap().studies[1].plan_hash,
        plan_hash,
        "the study names the plan that was locked, all of it"
    );
    let n = journal.verify().unwrap();

    let folder = tempfile::tempdir().unwrap();
    assert_eq!(journal.export(folder.path()).unwrap(), n);
    let (_other, place) = fresh();
    let again = Journal::restore(folder.path(), &place).unwrap();
    assert_eq!(again.verify().unwrap(), n);
    assert_eq!(again.events().unwrap(), journal.events().unwrap());
    let first = &again.history("a").unwrap()[0].payload;
    assert_eq!(first["event"]["data"]["plan"]["colour"], "blue");
    assert_eq!(first["event"]["data"]["plan"]["outcome"]["shade"]["deep"], 1);
    assert_eq!(again.cycle("a").unwrap().studies.len(), 2);
}

/// As above, of a record that was filed whole.
#[test]
fn unknown_fields_of_a_filed_record_survive() {
    let (_folder, path) = fresh();
    drop(Journal::open(&path).unwrap());
    let bytes = br#"{"schema":1,"supersedes":null,"record":{"name":"reading","colour":"red"}}"#;
    let file = Connection::open(&path).unwrap();
    let previous = "0".repeat(64);
    let hash = chained(&previous, (1, "reading", "measure.added", 1, "2026-09-01T00:00:00Z", "kim", bytes));
    file.execute(
        "INSERT INTO events VALUES (1, 'reading', 'measure.added', 1, '2026-09-01T00:00:00Z', 'kim', ?1, ?2, ?3)",
        rusqlite::params![bytes, hash, previous],
    )
    .unwrap();
    file.execute("INSERT INTO meta VALUES ('last_hash', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1", [&hash])
        .unwrap();
    drop(file);
    let journal = Journal::open(&path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    journal.export(folder.path()).unwrap();
    let (_other, place) = fresh();
    let filed = Journal::restore(folder.path(), &place).unwrap().record("reading", None).unwrap();
    assert_eq!(filed.record["colour"], "red");
    assert_eq!(filed.known(), serde_json::json!({"name": "reading"}));
}
