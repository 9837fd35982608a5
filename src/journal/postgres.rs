//! A journal in a `PostgreSQL` database: its tables stand in a schema of their own.

use std::cell::{RefCell, RefMut};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::error::SqlState;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::ToSql;
use postgres::{Client, Config, IsolationLevel, Row, Transaction};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::event::Stored;
use super::place::{known_schema, without_password};
use super::store::{COLUMNS, Ledger, SCHEMA, Select, Store, Work, stored};
use crate::{Error, Result};

/// "brsp" in ASCII: the first half of our advisory locks.
const LOCK: i32 = 0x6272_7370;

/// The option of the URL that names the schema, and what it is without one.
const OPTION: &str = "schema";
const DEFAULT_SCHEMA: &str = "brightspot";

/// How long the server is waited for when connecting.
const CONNECT: Duration = Duration::from_secs(30);

/// The tables, `{0}` standing for the schema. Texts that are compared are ordered by their bytes, as in `SQLite`.
const TABLES: &str = r#"
CREATE TABLE {0}.meta (key text PRIMARY KEY, value text NOT NULL);
CREATE TABLE {0}.events (
    seq bigint PRIMARY KEY,
    record text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    at text NOT NULL,
    by text NOT NULL,
    payload bytea NOT NULL,
    hash text NOT NULL,
    previous_hash text NOT NULL,
    UNIQUE (record, version)
);
CREATE INDEX events_by_kind ON {0}.events (kind);
CREATE TABLE {0}.ideas (record text COLLATE "C" PRIMARY KEY, idea text COLLATE "C" NOT NULL);
CREATE INDEX ideas_by_idea ON {0}.ideas (idea);
CREATE FUNCTION {0}.refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'events are never changed or deleted'; END $$;
CREATE TRIGGER events_are_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON {0}.events
FOR EACH STATEMENT EXECUTE FUNCTION {0}.refuse();
"#;

/// The database of a journal.
pub(super) struct Postgres {
    place: String,
    schema: String,
    config: Config,
    client: RefCell<Client>,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Postgres {
    pub(super) fn open(url: &str) -> Result<Self> {
        let place = without_password(url);
        let (config, schema) = configured(url, &place)?;
        let mut client = connect(&config, &place)?;
        prepare(&mut client, &schema, &place)?;
        Ok(Self { place, schema, config, client: RefCell::new(client) })
    }

    /// The connection; a new one where the server closed the old.
    fn client(&self) -> Result<RefMut<'_, Client>> {
        let mut client = self.client.borrow_mut();
        if client.is_closed() {
            *client = connect(&self.config, &self.place)?;
        }
        Ok(client)
    }

    fn tables<'a, 'c>(&'a self, transaction: Transaction<'c>) -> Tables<'a, 'c> {
        Tables { place: &self.place, schema: &self.schema, transaction }
    }
}

impl Store for Postgres {
    fn place(&self) -> &str {
        &self.place
    }

    fn read(&self, work: Work<'_>) -> Result<()> {
        let failed = |error| store_error(&self.place, &error);
        let mut client = self.client()?;
        let snapshot = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
        work(&mut self.tables(snapshot.start().map_err(failed)?))
    }

    fn write(&mut self, work: Work<'_>) -> Result<()> {
        let failed = |error| store_error(&self.place, &error);
        let mut client = self.client()?;
        // Each statement sees what was committed before it, and the lock lets one writer in after another: the chain
        // needs a total order.
        let level = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).read_only(false);
        let mut transaction = level.start().map_err(failed)?;
        transaction.batch_execute(&hold(&self.schema)).map_err(failed)?;
        let mut tables = self.tables(transaction);
        // On an error the transaction is dropped, and with it all that was done.
        work(&mut tables)?;
        tables.transaction.commit().map_err(failed)
    }
}

/// Waits for other writers of the same tables; and a commit counts only once it is on disk, whatever the server is set to.
fn hold(schema: &str) -> String {
    format!(
        "SET LOCAL lock_timeout = '30s';
         SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off';
         SELECT pg_advisory_xact_lock({LOCK}, '{schema}.events'::regclass::oid::int);"
    )
}

/// The tables within a transaction.
struct Tables<'a, 'c> {
    place: &'a str,
    schema: &'a str,
    transaction: Transaction<'c>,
}

type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

impl Tables<'_, '_> {
    fn execute(&mut self, sql: &str, values: Values<'_>) -> Result<()> {
        self.transaction.execute(sql, values).map(drop).map_err(|error| store_error(self.place, &error))
    }

    fn rows<T>(
        &mut self,
        sql: &str,
        values: Values<'_>,
        from: impl Fn(&Row) -> std::result::Result<T, postgres::Error>,
    ) -> Result<Vec<T>> {
        let found = self.transaction.query(sql, values).and_then(|rows| rows.iter().map(from).collect());
        found.map_err(|error| store_error(self.place, &error))
    }
}

impl Ledger for Tables<'_, '_> {
    fn each(&mut self, which: Select<'_>, take: &mut dyn FnMut(Stored) -> Result<()>) -> Result<()> {
        let place = self.place;
        let failed = |error| store_error(place, &error);
        let end;
        let (condition, values): (&str, Vec<&str>) = match which {
            Select::All => ("ORDER BY seq", vec![]),
            Select::Of(record) => ("WHERE record = $1 ORDER BY version", vec![record]),
            Select::Kind(start) => {
                end = format!("{start}\u{7f}");
                ("WHERE kind >= $1 AND kind < $2 ORDER BY seq", vec![start, &end])
            }
        };
        let sql = format!("SELECT {COLUMNS} FROM {}.events {condition}", self.schema);
        let mut rows = self.transaction.query_raw(&sql, values).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            take(stored(|i| row.try_get(i), |i| row.try_get(i), |i| row.try_get(i)).map_err(failed)?)?;
        }
        Ok(())
    }

    fn tail(&mut self) -> Result<Option<(i64, String)>> {
        let sql = format!("SELECT seq, hash FROM {}.events ORDER BY seq DESC LIMIT 1", self.schema);
        self.rows(&sql, &[], |row| Ok((row.try_get(0)?, row.try_get(1)?))).map(|mut rows| rows.pop())
    }

    fn seal(&mut self) -> Result<Option<String>> {
        let sql = format!("SELECT value FROM {}.meta WHERE key = 'last_hash'", self.schema);
        self.rows(&sql, &[], |row| row.try_get(0)).map(|mut rows| rows.pop())
    }

    fn insert(&mut self, stored: &Stored) -> Result<()> {
        let Stored { seq, record, kind, version, at, by, payload, hash, previous_hash } = stored;
        let schema = self.schema;
        self.execute(
            &format!("INSERT INTO {schema}.events ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"),
            &[seq, record, kind, version, at, by, payload, hash, previous_hash],
        )?;
        self.execute(
            &format!(
                "INSERT INTO {schema}.meta (key, value) VALUES ('last_hash', $1)
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value"
            ),
            &[hash],
        )
    }

    fn insert_idea(&mut self, idea: &str, record: &str) -> Result<()> {
        let sql = format!("INSERT INTO {}.ideas (record, idea) VALUES ($1, $2)", self.schema);
        self.execute(&sql, &[&record, &idea])
    }

    fn with_idea(&mut self, idea: &str) -> Result<Vec<String>> {
        let sql = format!("SELECT record FROM {}.ideas WHERE idea = $1 ORDER BY record", self.schema);
        self.rows(&sql, &[&idea], |row| row.try_get(0))
    }

    fn ideas(&mut self) -> Result<Vec<(String, String)>> {
        let sql = format!("SELECT record, idea FROM {}.ideas", self.schema);
        self.rows(&sql, &[], |row| Ok((row.try_get(0)?, row.try_get(1)?)))
    }

    fn records(&mut self) -> Result<Vec<String>> {
        let sql = format!("SELECT record FROM {}.events WHERE version = 1 ORDER BY seq", self.schema);
        self.rows(&sql, &[], |row| row.try_get(0))
    }
}

/// The settings of a URL, and the schema that it names.
fn configured(url: &str, place: &str) -> Result<(Config, String)> {
    let wrong = |allowed: &str| Error::option("path", format!("{place:?}"), allowed);
    let (address, options) = url.split_once('?').unwrap_or((url, ""));
    let (mut schema, mut kept, mut is_tls_said) = (DEFAULT_SCHEMA.to_owned(), vec![], false);
    for option in options.split('&').filter(|option| !option.is_empty()) {
        match option.split_once('=') {
            Some((OPTION, name)) => name.clone_into(&mut schema),
            // Whoever is connected to by TLS is always verified, so these ask for nothing more.
            Some(("sslmode", "verify-ca" | "verify-full")) => {
                is_tls_said = true;
                kept.push("sslmode=require");
            }
            Some(("sslmode", _)) => {
                is_tls_said = true;
                kept.push(option);
            }
            _ => kept.push(option),
        }
    }
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    if !schema.starts_with(is_plain) || schema.len() > 60 || !schema.chars().all(|c| is_plain(c) || c.is_ascii_digit())
    {
        return Err(wrong("a URL whose schema is named by small letters, digits and underscores"));
    }
    let clean = if kept.is_empty() { address.to_owned() } else { format!("{address}?{}", kept.join("&")) };
    // What the parser says may quote the URL, and with it the password.
    let mut config: Config = clean.parse().map_err(|_| {
        wrong("a URL like postgresql://user:password@host:5432/database?sslmode=require, with %40 for an @ in a part of it")
    })?;
    let is_here = |host: &Host| match host {
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
        Host::Unix(_) => true,
    };
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(wrong("a URL that names a host, as in postgresql://user@host/database"));
    }
    if !is_tls_said {
        let is_local = config.get_hostaddrs().is_empty() && config.get_hosts().iter().all(is_here);
        config.ssl_mode(if is_local { SslMode::Disable } else { SslMode::Require });
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_application_name().is_none() {
        config.application_name("brightspot");
    }
    Ok((config, schema))
}

fn connect(config: &Config, place: &str) -> Result<Client> {
    let failed = |error| store_error(place, &error);
    if config.get_ssl_mode() == SslMode::Disable {
        return config.connect(postgres::NoTls).map_err(failed);
    }
    config.connect(tls(place)?).map_err(failed)
}

/// TLS with the certificates that this machine trusts (or those of the file named in `SSL_CERT_FILE`).
fn tls(place: &str) -> Result<MakeRustlsConnect> {
    let no_tls = |problem: String| Error::Store {
        path: place.to_owned(),
        problem: format!("no encrypted connection can be made: {problem}"),
        remedy: "name a file of trusted certificates in the environment variable SSL_CERT_FILE".into(),
    };
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (n_taken, _) = roots.add_parsable_certificates(found.certs);
    if n_taken == 0 {
        return Err(no_tls("this machine trusts no certificates".into()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|problem| no_tls(problem.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// Makes the tables where there are none, in one transaction.
fn prepare(client: &mut Client, schema: &str, place: &str) -> Result<()> {
    let failed = |error| store_error(place, &error);
    if is_made(client, schema, place)? {
        return Ok(());
    }
    let mut transaction = client.transaction().map_err(failed)?;
    // Several may make the same journal at once.
    transaction.batch_execute(&format!("SELECT pg_advisory_xact_lock({LOCK}, 0)")).map_err(failed)?;
    if is_made(&mut transaction, schema, place)? {
        return Ok(());
    }
    let has_schema =
        transaction.query_opt("SELECT 1 FROM pg_namespace WHERE nspname = $1", &[&schema]).map_err(failed)?.is_some();
    if !has_schema {
        transaction.batch_execute(&format!("CREATE SCHEMA {schema}")).map_err(failed)?;
    }
    transaction.batch_execute(&TABLES.replace("{0}", schema)).map_err(failed)?;
    let sql = format!("INSERT INTO {schema}.meta (key, value) VALUES ('schema_version', $1)");
    transaction.execute(&sql, &[&SCHEMA.to_string()]).map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// Whether the tables are there, and ours, and of a version that is known.
fn is_made(client: &mut impl postgres::GenericClient, schema: &str, place: &str) -> Result<bool> {
    let failed = |error| store_error(place, &error);
    // From the catalogue itself: `to_regclass` may remember that there were none before another process made them.
    let sql = "SELECT coalesce(bool_or(relname = 'events'), false), coalesce(bool_or(relname = 'meta'), false)
               FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = $1";
    let row = client.query_one(sql, &[&schema]).map_err(failed)?;
    let there: (bool, bool) = (row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?);
    if there == (false, false) {
        return Ok(false);
    }
    let foreign = || Error::Store {
        path: place.to_owned(),
        problem: format!("the schema {schema} holds tables of another program"),
        remedy: "name another schema: postgresql://user@host/database?schema=NAME".into(),
    };
    if there != (true, true) {
        return Err(foreign());
    }
    let sql = format!("SELECT value FROM {schema}.meta WHERE key = 'schema_version'");
    let row = client.query_opt(&sql, &[]).map_err(failed)?.ok_or_else(foreign)?;
    known_schema(place, row.try_get(0).map_err(failed)?)?;
    Ok(true)
}

fn store_error(place: &str, error: &postgres::Error) -> Error {
    let code = error.code();
    let remedy = if code == Some(&SqlState::DISK_FULL) {
        "make room on the server's disk and repeat; nothing was written"
    } else if code == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) {
        "it takes no writes now: ask who runs it; nothing was written"
    } else if code == Some(&SqlState::LOCK_NOT_AVAILABLE) {
        "another program has held it for too long: close that program and repeat"
    } else if code == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
        "ask who runs it for the right to make a schema, or to read and add rows in that of the journal"
    } else if code.is_some_and(|code| code.code().starts_with("28") || code.code().starts_with("3D")) {
        "check the user, the password and the name of the database in the URL"
    } else if error.is_closed() || code.is_some_and(|code| code.code().starts_with("57P")) {
        "the connection broke: read the record again to see whether the last change was kept, and repeat if not"
    } else if code.is_none() {
        "check that the server runs and can be reached; without encryption, on a network that you trust, add \
         ?sslmode=disable to the URL"
    } else {
        "check the database, and repeat"
    };
    // The message of an error of the connection stands in its source.
    let problem = match error.as_db_error() {
        Some(told) => told.message().to_owned(),
        None => {
            std::error::Error::source(error).map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
        }
    };
    Error::Store { path: place.to_owned(), problem, remedy: remedy.to_owned() }
}
