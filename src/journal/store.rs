//! The file: a table of events that only grows, and the chain of hashes over it.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use crate::record::{Stamp, hex};
use crate::{Error, Result};

/// The version of the tables.
const SCHEMA: u32 = 1;

/// "brsp" in ASCII: marks the file as a journal for `file` and for us.
const APPLICATION_ID: i64 = 0x6272_7370;

/// How long a writer waits for another.
const BUSY: Duration = Duration::from_secs(30);

/// What stands before the first event.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS events (
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
CREATE TRIGGER IF NOT EXISTS events_are_not_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER IF NOT EXISTS events_are_not_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
";

const COLUMNS: &str = "seq, record, kind, version, at, by, payload, hash, previous_hash";

/// One row of the table of events.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) seq: i64,
    pub(super) record: String,
    pub(super) kind: String,
    pub(super) version: i64,
    pub(super) at: String,
    pub(super) by: String,
    pub(super) payload: Vec<u8>,
    pub(super) hash: String,
    previous_hash: String,
}

impl Stored {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            record: row.get(1)?,
            kind: row.get(2)?,
            version: row.get(3)?,
            at: row.get(4)?,
            by: row.get(5)?,
            payload: row.get(6)?,
            hash: row.get(7)?,
            previous_hash: row.get(8)?,
        })
    }

    /// The hash over all columns: each with its length in front, so that nothing can move from one to the next.
    fn computed_hash(&self) -> String {
        let (seq, version) = (self.seq.to_string(), self.version.to_string());
        let mut hash = Sha256::new();
        for part in [
            self.previous_hash.as_bytes(),
            seq.as_bytes(),
            self.record.as_bytes(),
            self.kind.as_bytes(),
            version.as_bytes(),
            self.at.as_bytes(),
            self.by.as_bytes(),
            &self.payload,
        ] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hex(&hash.finalize())
    }
}

/// The file of a journal.
pub(super) struct Store {
    path: String,
    connection: Connection,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Store {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let failed = |error: rusqlite::Error| store_error(&name, &error);
        let mut connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        let foreign = || Error::Store {
            path: name.clone(),
            problem: "is a database of another program".into(),
            remedy: "give the path of a journal, or of a file that does not exist yet".into(),
        };
        // Both of one moment: another process may be making the tables now.
        let (id, n_tables) = seen(&mut connection).map_err(failed)?;
        if id != APPLICATION_ID && (id != 0 || n_tables > 0) {
            return Err(foreign());
        }
        if id == APPLICATION_ID {
            refuse_newer(&connection, &name)?;
        }
        // WAL lets readers read while one writes; FULL makes every commit durable before it is acknowledged.
        switch_to_wal(&connection).map_err(failed)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let is_made: bool = transaction
            .query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'events')", [], |row| row.get(0))
            .map_err(failed)?;
        if !is_made {
            transaction.execute_batch(TABLES).map_err(failed)?;
            transaction
                .execute("INSERT INTO meta (key, value) VALUES ('schema_version', ?1)", [SCHEMA.to_string()])
                .map_err(failed)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
        refuse_newer(&connection, &name)?;
        Ok(Self { path: name, connection })
    }

    /// Runs `work` in one transaction that holds the file for writing from its start.
    pub(super) fn write<T>(&mut self, work: impl FnOnce(&Write<'_>) -> Result<T>) -> Result<T> {
        let path = self.path.clone();
        let failed = |error: rusqlite::Error| store_error(&path, &error);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let write = Write { path: &path, connection: &transaction };
        // On an error the transaction is dropped, and with it all that was done.
        let done = work(&write)?;
        transaction.commit().map_err(failed)?;
        Ok(done)
    }

    pub(super) fn events_of(&self, record: &str) -> Result<Vec<Stored>> {
        events_of(&self.connection, &self.path, record)
    }

    pub(super) fn all_events(&self) -> Result<Vec<Stored>> {
        all_events(&self.connection, &self.path)
    }

    pub(super) fn head(&self) -> Result<Option<String>> {
        head(&self.connection).map(|head| head.map(|(_, hash)| hash)).map_err(|error| store_error(&self.path, &error))
    }

    /// Walks the chain: every event must follow the one before it, and be what its hash says; and the last must be the one that
    /// was written last.
    pub(super) fn verify(&self) -> Result<u64> {
        let tampered = |problem: String| Error::Tampered { path: self.path.clone(), problem };
        let failed = |error: rusqlite::Error| store_error(&self.path, &error);
        let mut previous = GENESIS.to_owned();
        let mut n = 0_i64;
        // One transaction, so that the events and the record of the last one are of the same moment.
        let transaction = self.connection.unchecked_transaction().map_err(failed)?;
        for stored in all_events(&transaction, &self.path)? {
            n += 1;
            let place = format!("event {} ({} of {:?})", stored.seq, stored.kind, stored.record);
            if stored.seq != n {
                return Err(tampered(format!("event {n} is missing before {place}")));
            }
            if stored.previous_hash != previous {
                return Err(tampered(format!("{place} does not follow the event before it")));
            }
            if stored.computed_hash() != stored.hash {
                return Err(tampered(format!("{place} has been changed")));
            }
            previous = stored.hash;
        }
        let last: Option<String> = transaction
            .query_row("SELECT value FROM meta WHERE key = 'last_hash'", [], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        if last.as_deref().unwrap_or(GENESIS) != previous {
            return Err(tampered(format!("events after event {n} are missing")));
        }
        Ok(n.unsigned_abs())
    }
}

/// The file within a transaction.
pub(super) struct Write<'a> {
    path: &'a str,
    connection: &'a Connection,
}

impl Write<'_> {
    pub(super) fn events_of(&self, record: &str) -> Result<Vec<Stored>> {
        events_of(self.connection, self.path, record)
    }

    pub(super) fn all_events(&self) -> Result<Vec<Stored>> {
        all_events(self.connection, self.path)
    }

    /// Appends an event to the chain.
    pub(super) fn append(&self, record: &str, kind: &str, version: u64, stamp: &Stamp, payload: &[u8]) -> Result<()> {
        let failed = |error: rusqlite::Error| store_error(self.path, &error);
        let (last, previous_hash) = head(self.connection).map_err(failed)?.unwrap_or((0, GENESIS.to_owned()));
        let mut stored = Stored {
            seq: last + 1,
            record: record.to_owned(),
            kind: kind.to_owned(),
            version: i64::try_from(version).unwrap_or(i64::MAX),
            at: stamp.at.to_string(),
            by: stamp.by.clone(),
            payload: payload.to_vec(),
            hash: String::new(),
            previous_hash,
        };
        stored.hash = stored.computed_hash();
        self.connection
            .execute(
                &format!("INSERT INTO events ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"),
                params![
                    stored.seq,
                    stored.record,
                    stored.kind,
                    stored.version,
                    stored.at,
                    stored.by,
                    stored.payload,
                    stored.hash,
                    stored.previous_hash
                ],
            )
            .map_err(failed)?;
        self.connection
            .execute(
                "INSERT INTO meta (key, value) VALUES ('last_hash', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1",
                [&stored.hash],
            )
            .map_err(failed)?;
        Ok(())
    }
}

fn events_of(connection: &Connection, path: &str, record: &str) -> Result<Vec<Stored>> {
    let sql = format!("SELECT {COLUMNS} FROM events WHERE record = ?1 ORDER BY version");
    let found = connection.prepare_cached(&sql).and_then(|mut statement| {
        statement.query_map([record], Stored::from_row)?.collect::<rusqlite::Result<Vec<_>>>()
    });
    found.map_err(|error| store_error(path, &error))
}

fn all_events(connection: &Connection, path: &str) -> Result<Vec<Stored>> {
    let sql = format!("SELECT {COLUMNS} FROM events ORDER BY seq");
    let found = connection
        .prepare_cached(&sql)
        .and_then(|mut statement| statement.query_map([], Stored::from_row)?.collect::<rusqlite::Result<Vec<_>>>());
    found.map_err(|error| store_error(path, &error))
}

fn head(connection: &Connection) -> rusqlite::Result<Option<(i64, String)>> {
    connection
        .query_row("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
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

fn refuse_newer(connection: &Connection, path: &str) -> Result<()> {
    let version: String = connection
        .query_row("SELECT value FROM meta WHERE key = 'schema_version'", [], |row| row.get(0))
        .map_err(|error| store_error(path, &error))?;
    match version.parse::<u32>() {
        Ok(found) if found > SCHEMA => {
            Err(Error::NewerSchema { what: format!("the journal {path}"), found, supported: SCHEMA })
        }
        Ok(_) => Ok(()),
        Err(_) => Err(Error::Tampered {
            path: path.to_owned(),
            problem: format!("its schema version is {version:?}, which is no number"),
        }),
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
        Some(ErrorCode::DatabaseCorrupt) => "the file is damaged: restore it from a copy",
        _ => "check the file and its folder, and repeat",
    };
    Error::Store { path: path.to_owned(), problem: error.to_string(), remedy: remedy.to_owned() }
}
