//! A journal as a folder of JSON that git can keep: one file for each record, which only grows at its end.
//!
//! The same journal gives the same bytes, whatever database it lies in, and reading the folder gives the same events,
//! hash for hash.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::event::{CYCLE, Chain, EVENT_SCHEMA, Stored};
use super::store::{Select, events_of, read, take_in, write};
use super::verify::Locks;
use super::{Journal, bytes_of, filed, fold};
use crate::record::hex;
use crate::{Error, Result};

/// The version of the folder's files.
const FOLDER: u32 = 1;

/// What the folder's first file says it is.
const FORMAT: &str = "brightspot journal";

const MANIFEST: &str = "journal.json";
const RECORDS: &str = "records";

/// The folder's first file (`journal.json`): how much there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// Always "brightspot journal".
    format: String,
    /// The version of the folder's files.
    version: u32,
    /// The number of events.
    events: u64,
    /// The hash of the last event; null where there is none.
    head: Option<String>,
}

/// The file of one record (`records/KIND/ID.json`): its events, the oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RecordFile {
    /// The id of the record.
    record: String,
    /// What happened to it.
    events: Vec<FiledEvent>,
}

/// One event of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FiledEvent {
    /// Its place in the journal, from 1.
    seq: u64,
    /// What kind of event, for example "cycle.locked".
    kind: String,
    /// The version of the record after it.
    version: u64,
    /// When it happened, as the writer said.
    at: String,
    /// Who did it.
    by: String,
    /// The hash of the event before it in the journal.
    previous_hash: String,
    /// SHA-256 over this event and the hash before it.
    hash: String,
    /// The event: with the version of its `schema`, an `event` of a cycle or a whole `record`. Its compact JSON, fields in
    /// this order, is what the hash covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload: Option<Value>,
    /// The event's bytes in hexadecimal, in place of `payload`, where their JSON was not written compactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload_hex: Option<String>,
}

/// The JSON Schemas of the files, as one document.
pub fn schema() -> Value {
    let mut generator = schemars::generate::SchemaSettings::draft2020_12().for_deserialize().into_generator();
    generator.subschema_for::<Manifest>();
    generator.subschema_for::<RecordFile>();
    generator.subschema_for::<crate::cycle::Event>();
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A journal of brightspot as a folder of JSON",
        "files": { MANIFEST: { "$ref": "#/$defs/Manifest" }, "records/*/*.json": { "$ref": "#/$defs/RecordFile" } },
        "$defs": generator.take_definitions(true),
    })
}

impl FiledEvent {
    fn of(stored: Stored) -> Self {
        let Stored { seq, kind, version, at, by, payload, hash, previous_hash, .. } = stored;
        let value = serde_json::from_slice(&payload)
            .ok()
            .filter(|value: &Value| bytes_of(value).is_ok_and(|bytes| bytes == payload));
        let payload_hex = value.is_none().then(|| hex(&payload));
        let (seq, version) = (seq.unsigned_abs(), version.unsigned_abs());
        Self { seq, kind, version, at, by, previous_hash, hash, payload: value, payload_hex }
    }

    fn stored(self, record: &str) -> Option<Stored> {
        let Self { seq, kind, version, at, by, previous_hash, hash, payload, payload_hex } = self;
        let payload = match (payload, payload_hex) {
            (Some(value), None) => bytes_of(&value).ok()?,
            (None, Some(text)) => unhex(&text)?,
            _ => return None,
        };
        let (seq, version) = (i64::try_from(seq).ok()?, i64::try_from(version).ok()?);
        Some(Stored { seq, record: record.to_owned(), kind, version, at, by, payload, hash, previous_hash })
    }
}

impl Journal {
    /// Writes the journal to a folder of JSON files, one for each record, and returns the number of events. Into a folder
    /// that holds an earlier state of the same journal it writes what has changed.
    ///
    /// # Errors
    /// [`Error::Store`] if the folder cannot be written, or holds something else; [`Error::Tampered`] if the journal is
    /// not what was written.
    pub fn export(&self, folder: impl AsRef<Path>) -> Result<u64> {
        let folder = folder.as_ref();
        read(&*self.store, |ledger| {
            let n = super::verify::verify(ledger, self.place())?;
            let head = ledger.tail()?.map(|(_, hash)| hash);
            let manifest = Manifest { format: FORMAT.into(), version: FOLDER, events: n, head };
            refuse_other(folder, |seq| {
                let mut found = None;
                ledger.each(Select::All, &mut |stored| {
                    if stored.seq.unsigned_abs() == seq {
                        found = Some(stored.hash);
                    }
                    Ok(())
                })?;
                Ok(found)
            })?;
            for record in ledger.records()? {
                let events = events_of(ledger, &record)?;
                let Some(path) = events.first().map(|first| folder.join(file_of(first))) else { continue };
                let events = events.into_iter().map(FiledEvent::of).collect();
                put(&path, &RecordFile { record, events })?;
            }
            // Last, so that a folder whose writing was broken off says less than it holds, and is refused.
            put(&folder.join(MANIFEST), &manifest)?;
            Ok(n)
        })
    }

    /// Reads a folder that [`Self::export`] wrote into a journal that is new, or that holds the beginning of the same
    /// events. Everything is checked before anything is written: every hash, the chain, and that every record can be read.
    ///
    /// # Errors
    /// [`Error::Tampered`] if the folder is not whole, or not what was written; [`Error::NewerSchema`] if a newer version
    /// wrote it; [`Error::InvalidRecord`] for events that make no record; [`Error::Store`], also if the journal at
    /// `place` holds other events.
    pub fn restore(folder: impl AsRef<Path>, place: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let events = events_in(folder)?;
        check_records(&events)?;
        let mut journal = Self::open(place)?;
        let path = journal.place().to_owned();
        write(&mut *journal.store, |ledger| {
            let (n, hash) = ledger.tail()?.unwrap_or_default();
            let n = usize::try_from(n).unwrap_or(usize::MAX);
            if n > 0 && events.get(n - 1).is_none_or(|stored| stored.hash != hash) {
                return Err(Error::Store {
                    path: path.clone(),
                    problem: format!("holds {n} events that are not those of {}", folder.display()),
                    remedy: "give a path where there is no journal yet".into(),
                });
            }
            events.iter().skip(n).try_for_each(|stored| take_in(ledger, stored))
        })?;
        Ok(journal)
    }
}

/// A folder that holds another journal, or records without a manifest, is not written over.
fn refuse_other(folder: &Path, hash_at: impl FnOnce(u64) -> Result<Option<String>>) -> Result<()> {
    let refused = |problem: &str| {
        let remedy = "give a new folder, or one that holds an earlier export of this journal".to_owned();
        Err(Error::Store { path: folder.display().to_string(), problem: problem.to_owned(), remedy })
    };
    if !folder.join(MANIFEST).exists() {
        // An export that was broken off left nothing that is not written anew.
        return if folder.join(RECORDS).exists()
            && fs::read_dir(folder.join(RECORDS)).is_ok_and(|mut all| all.next().is_some())
        {
            refused("holds records, but no journal.json")
        } else {
            Ok(())
        };
    }
    let manifest = manifest_of(folder)?;
    if manifest.head.is_some() && hash_at(manifest.events)? != manifest.head {
        return refused("holds another journal, or a later state of this one");
    }
    Ok(())
}

fn manifest_of(folder: &Path) -> Result<Manifest> {
    let path = folder.join(MANIFEST);
    if !path.exists() {
        return Err(Error::Store {
            path: folder.display().to_string(),
            problem: format!("there is no {MANIFEST} in it"),
            remedy: "give a folder that an export wrote".into(),
        });
    }
    let loose: Value = parsed(&path)?;
    let version = loose.get("version").and_then(Value::as_u64).unwrap_or_default();
    if version > u64::from(FOLDER) {
        let found = u32::try_from(version).unwrap_or(u32::MAX);
        return Err(Error::NewerSchema { what: format!("the folder {}", folder.display()), found, supported: FOLDER });
    }
    let manifest: Manifest = parsed(&path)?;
    if manifest.format == FORMAT { Ok(manifest) } else { Err(damaged(&path, "it is not that of a journal")) }
}

/// All events of a folder, in the order of the journal; their chain holds.
fn events_in(folder: &Path) -> Result<Vec<Stored>> {
    let manifest = manifest_of(folder)?;
    let mut events = vec![];
    for kind in listed(&folder.join(RECORDS))? {
        if !kind.is_dir() {
            continue;
        }
        for path in listed(&kind)?.into_iter().filter(|path| path.extension().is_some_and(|end| end == "json")) {
            let file: RecordFile = parsed(&path)?;
            for event in file.events {
                let seq = event.seq;
                events.push(
                    event.stored(&file.record).ok_or_else(|| damaged(&path, &format!("event {seq} has no payload")))?,
                );
            }
        }
    }
    events.sort_by_key(|stored| stored.seq);
    let name = folder.display().to_string();
    let (mut chain, mut locks) = (Chain::new(), Locks::default());
    for stored in &events {
        chain.follow(&name, stored)?;
        locks.follow(&name, stored)?;
    }
    let n = chain.end(&name, manifest.head.as_deref())?;
    if n != manifest.events {
        return Err(damaged(folder, &format!("it says that it holds {} events, but they are {n}", manifest.events)));
    }
    Ok(events)
}

/// Every record must be one, as far as this version can read it; those of a newer version are kept as they are.
fn check_records(events: &[Stored]) -> Result<()> {
    let ids: BTreeSet<&str> = events.iter().map(|stored| stored.record.as_str()).collect();
    let mut by_id: std::collections::BTreeMap<&str, Vec<Stored>> = ids.into_iter().map(|id| (id, vec![])).collect();
    for stored in events {
        if let Some(list) = by_id.get_mut(stored.record.as_str()) {
            list.push(stored.clone());
        }
    }
    for (id, events) in by_id {
        for (stored, version) in events.iter().zip(1..) {
            stored.moment()?;
            if stored.version != version {
                return Err(stored.unreadable(format!("it is version {} where {version} is due", stored.version)));
            }
        }
        let is_newer = |stored: &Stored| stored.envelope().is_ok_and(|(schema, _)| schema > EVENT_SCHEMA);
        if events.iter().any(is_newer) {
            continue;
        }
        if events.iter().any(|stored| stored.kind.starts_with(CYCLE)) {
            fold::cycle(id, &events)?;
        }
        events.iter().try_for_each(filed::check_filed)?;
    }
    Ok(())
}

/// Where the file of a record stands, by its first event. Ids may hold anything; file names may not, and on many disks "A" is "a".
fn file_of(first: &Stored) -> PathBuf {
    /// Most file systems take 255 bytes.
    const LONGEST: usize = 120;
    let kind = first.kind.split('.').next().unwrap_or_default();
    let mut name = escaped(&first.record);
    if name.len() > LONGEST {
        name.truncate(LONGEST);
        name = format!("{name}-{}", hex(&Sha256::digest(first.record.as_bytes())));
    }
    [RECORDS, &escaped(kind), &format!("{name}.json")].iter().collect()
}

fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut name, byte| {
        if byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_') {
            name.push(char::from(byte));
        } else {
            name.push('%');
            name += &hex(&[byte]);
        }
        name
    })
}

/// Writes a file whole or not at all, and only if it says something else than before.
fn put(path: &Path, data: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(data)
        .map_err(|problem| Error::Numerical { what: "the JSON of a file".into(), problem: problem.to_string() })?;
    text.push('\n');
    if fs::read(path).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(());
    }
    let written = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let beside = path.with_extension("json.part");
        let mut file = fs::File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    written().map_err(|problem| no_file(path, &problem))
}

fn parsed<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = fs::read(path).map_err(|problem| no_file(path, &problem))?;
    serde_json::from_slice(&bytes).map_err(|problem| damaged(path, &problem.to_string()))
}

/// What is in a folder, by name; nothing where there is none.
fn listed(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(vec![]);
    }
    let found = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<Vec<_>>>());
    let mut paths = found.map_err(|problem| no_file(folder, &problem))?;
    paths.sort();
    Ok(paths)
}

fn damaged(path: &Path, problem: &str) -> Error {
    Error::Tampered { path: path.display().to_string(), problem: problem.to_owned() }
}

fn no_file(path: &Path, problem: &std::io::Error) -> Error {
    Error::Store {
        path: path.display().to_string(),
        problem: problem.to_string(),
        remedy: "check that the folder exists, has room and may be written to, and repeat".into(),
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if digits.len() % 2 == 1 {
        return None;
    }
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
