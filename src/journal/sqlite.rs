//! A journal in one `SQLite` file.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Params, Row, TransactionBehavior, params};

use super::event::{DRAFTED, Stored};
use super::place::network_share;
use super::store::{COLUMNS, Ledger, SCHEMA, Select, Store, Work, idea_of, stored};
use crate::{Error, Result};

/// "brsp" in ASCII: marks the file as a journal for `file` and for us.
const APPLICATION_ID: i64 = 0x6272_7370;

/// How long a writer waits for another.
const BUSY: Duration = Duration::from_secs(30);

/// The tables of version 1.
const EVENTS: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    record TEXT NOT NULL,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    at TEXT NOT NULL,
    by TEXT NOT NULL,
    payload BLOB NOT NULL,
    hash TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    UNIQUE (record, version)
) STRICT;
CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
";

/// What version 2 adds: events of a kind, and the cycles that try an idea, are found without reading the rest.
const INDEXES: &str = "
CREATE INDEX events_by_kind ON events (kind);
CREATE TABLE ideas (record TEXT PRIMARY KEY, idea TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX ideas_by_idea ON ideas (idea);
";

/// The file of a journal.
pub(super) struct Sqlite {
    path: String,
    connection: Connection,
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Sqlite {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let failed = |error: rusqlite::Error| store_error(&name, &error);
        if let Some(share) = network_share(path) {
            return Err(Error::Store {
                path: name,
                problem: format!("lies on a network share ({share}), where SQLite cannot keep writers apart"),
                remedy: "put it on a local disk, or where many write use a PostgreSQL database by its URL".into(),
            });
        }
        let mut connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        // Both of one moment: another process may be making the tables now.
        let (id, n_tables) = seen(&mut connection).map_err(failed)?;
        if id != APPLICATION_ID && (id != 0 || n_tables > 0) {
            return Err(Error::Store {
                path: name.clone(),
                problem: "is a database of another program".into(),
                remedy: "give the path of a journal, or of a file that does not exist yet".into(),
            });
        }
        if id == APPLICATION_ID {
            schema_of(&connection, &name)?;
        }
        // WAL lets readers read while one writes; FULL makes every commit durable before it is acknowledged.
        switch_to_wal(&connection).map_err(failed)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        prepare(&mut connection, &name)?;
        Ok(Self { path: name, connection })
    }
}

impl Store for Sqlite {
    fn place(&self) -> &str {
        &self.path
    }

    fn read(&self, work: Work<'_>) -> Result<()> {
        let failed = |error: rusqlite::Error| store_error(&self.path, &error);
        let transaction = self.connection.unchecked_transaction().map_err(failed)?;
        work(&mut Tables { path: &self.path, connection: &transaction })
    }

    fn write(&mut self, work: Work<'_>) -> Result<()> {
        let path = &self.path;
        let failed = |error: rusqlite::Error| store_error(path, &error);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        // On an error the transaction is dropped, and with it all that was done.
        work(&mut Tables { path, connection: &transaction })?;
        transaction.commit().map_err(failed)
    }
}

/// The file within a transaction.
struct Tables<'a> {
    path: &'a str,
    connection: &'a Connection,
}

impl Tables<'_> {
    fn failed<T>(&self, done: rusqlite::Result<T>) -> Result<T> {
        done.map_err(|error| store_error(self.path, &error))
    }

    fn execute(&self, sql: &str, values: impl Params) -> Result<()> {
        self.failed(self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute(values))).map(drop)
    }

    fn rows<T>(
        &self,
        sql: &str,
        values: impl Params,
        from: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        self.failed(
            self.connection
                .prepare_cached(sql)
                .and_then(|mut statement| statement.query_map(values, from)?.collect::<rusqlite::Result<_>>()),
        )
    }

    fn stored(&self, condition: &str, values: impl Params, take: &mut dyn FnMut(Stored) -> Result<()>) -> Result<()> {
        let sql = format!("SELECT {COLUMNS} FROM events {condition}");
        let mut statement = self.failed(self.connection.prepare_cached(&sql))?;
        let mut rows = self.failed(statement.query(values))?;
        while let Some(row) = self.failed(rows.next())? {
            take(self.failed(stored(|i| row.get(i), |i| row.get(i), |i| row.get(i)))?)?;
        }
        Ok(())
    }
}

impl Ledger for Tables<'_> {
    fn each(&mut self, which: Select<'_>, take: &mut dyn FnMut(Stored) -> Result<()>) -> Result<()> {
        match which {
            Select::All => self.stored("ORDER BY seq", [], take),
            Select::Of(record) => self.stored("WHERE record = ?1 ORDER BY version", [record], take),
            Select::Kind(start) => {
                self.stored("WHERE kind >= ?1 AND kind < ?1 || char(127) ORDER BY seq", [start], take)
            }
        }
    }

    fn tail(&mut self) -> Result<Option<(i64, String)>> {
        let sql = "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1";
        self.rows(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).map(|mut rows| rows.pop())
    }

    fn seal(&mut self) -> Result<Option<String>> {
        self.rows("SELECT value FROM meta WHERE key = 'last_hash'", [], |row| row.get(0)).map(|mut rows| rows.pop())
    }

    fn insert(&mut self, stored: &Stored) -> Result<()> {
        let Stored { seq, record, kind, version, at, by, payload, hash, previous_hash } = stored;
        self.execute(
            &format!("INSERT INTO events ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"),
            params![seq, record, kind, version, at, by, payload, hash, previous_hash],
        )?;
        self.execute(
            "INSERT INTO meta (key, value) VALUES ('last_hash', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1",
            [hash],
        )
    }

    fn insert_idea(&mut self, idea: &str, record: &str) -> Result<()> {
        self.execute("INSERT INTO ideas (record, idea) VALUES (?1, ?2)", [record, idea])
    }

    fn with_idea(&mut self, idea: &str) -> Result<Vec<String>> {
        self.rows("SELECT record FROM ideas WHERE idea = ?1 ORDER BY record", [idea], |row| row.get(0))
    }

    fn ideas(&mut self) -> Result<Vec<(String, String)>> {
        self.rows("SELECT record, idea FROM ideas", [], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn records(&mut self) -> Result<Vec<String>> {
        self.rows("SELECT record FROM events WHERE version = 1 ORDER BY seq", [], |row| row.get(0))
    }
}

/// Makes the tables of a new file, or brings those of an older version up to date: in one transaction, so that the file
/// is of one version at any moment.
fn prepare(connection: &mut Connection, name: &str) -> Result<()> {
    let failed = |error: rusqlite::Error| store_error(name, &error);
    let is_made = |connection: &Connection| {
        connection.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'events')", [], |row| row.get(0))
    };
    if is_made(connection).map_err(failed)? && schema_of(connection, name)? == SCHEMA {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Another process may have done it meanwhile.
    let mut version = if is_made(&transaction).map_err(failed)? { schema_of(&transaction, name)? } else { 0 };
    if version == 0 {
        transaction.execute_batch(EVENTS).map_err(failed)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        version = 1;
    }
    if version == 1 {
        transaction.execute_batch(INDEXES).map_err(failed)?;
        let mut tables = Tables { path: name, connection: &transaction };
        let mut drafts = vec![];
        tables.each(Select::Kind(DRAFTED), &mut |stored| {
            drafts.extend(idea_of(&stored)?.map(|idea| (idea, stored.record)));
            Ok(())
        })?;
        drafts.iter().try_for_each(|(idea, record)| tables.insert_idea(idea, record))?;
    }
    transaction
        .execute(
            "INSERT INTO meta (key, value) VALUES ('schema_version', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1",
            [SCHEMA.to_string()],
        )
        .map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// The version of the file's tables; an error if it is newer than this library.
fn schema_of(connection: &Connection, path: &str) -> Result<u32> {
    let version: Option<String> = connection
        .query_row("SELECT value FROM meta WHERE key = 'schema_version'", [], |row| row.get(0))
        .optional()
        .map_err(|error| store_error(path, &error))?;
    super::place::known_schema(path, version.as_deref().unwrap_or_default())
}

/// The file's mark and its number of tables, indexes and triggers.
fn seen(connection: &mut Connection) -> rusqlite::Result<(i64, i64)> {
    let transaction = connection.transaction()?;
    // The first read begins the snapshot.
    let n_tables = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let id = transaction.pragma_query_value(None, "application_id", |row| row.get(0))?;
    transaction.commit()?;
    Ok((id, n_tables))
}

/// Switches the file to write-ahead logging. The switch needs the file for itself and, unlike other statements, does
/// not wait for it: two processes that make the same journal at once would fail.
fn switch_to_wal(connection: &Connection) -> rusqlite::Result<()> {
    const PAUSE: Duration = Duration::from_millis(20);
    let mut attempts = BUSY.as_millis() / PAUSE.as_millis();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if attempts > 0 && error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                attempts -= 1;
                std::thread::sleep(PAUSE);
            }
            done => return done,
        }
    }
}

fn store_error(path: &str, error: &rusqlite::Error) -> Error {
    let remedy = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "give the path of a journal, or of a file that does not exist yet",
        Some(ErrorCode::CannotOpen) => "check that the folder exists and may be written to",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "check that the file and its folder may be written to, or copy the journal elsewhere"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program has held it for too long: close that program and repeat"
        }
        Some(ErrorCode::DiskFull) => "make room on the disk and repeat; nothing was written",
        Some(ErrorCode::SystemIoFailure) => "check that the disk has room and works, and repeat; nothing was written",
        Some(ErrorCode::DatabaseCorrupt) => "the file is damaged: restore it from a copy",
        _ => "check the file and its folder, and repeat",
    };
    Error::Store { path: path.to_owned(), problem: error.to_string(), remedy: remedy.to_owned() }
}
