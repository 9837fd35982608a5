//! Files of other versions: the older are brought up to date, the newer refused.

use brightspot::Error;
use brightspot::cycle::{Cycle, State};
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
