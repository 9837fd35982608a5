//! A journal as a folder of JSON: byte for byte, and refused where it is not whole.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use brightspot::journal::Journal;
use serde_json::json;

use super::{fresh, places, written};
use crate::cycle::{plan, stamp};

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(below, bytes)| (path.join(below), bytes)));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found.into_iter().map(|(path, bytes)| (path.strip_prefix(folder).unwrap_or(&path).to_owned(), bytes)).collect()
}

/// A journal with ids that no file system takes as they are.
fn full(place: &Path) -> Journal {
    written(place);
    let mut journal = Journal::open(place).unwrap();
    let long = "x".repeat(400);
    for id in ["A", "../up", "é/ü", "con ", &long] {
        journal.draft(id, plan(), &stamp("2026-09-01")).unwrap();
    }
    for value in ["a", "b"] {
        let data = json!({"name": "reading", "value": value});
        journal.add("reading", "Measure", data, &stamp("2026-09-01")).unwrap();
    }
    journal
}

#[test]
fn a_journal_goes_to_a_folder_and_comes_back() {
    for ((_a, from), (_b, to)) in places().into_iter().zip(places().into_iter().rev()) {
        let journal = full(&from);
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert_eq!(journal.export(one.path()).unwrap(), 13);
        let back = Journal::restore(one.path(), &to).unwrap();
        assert_eq!(back.verify().unwrap(), 13);
        assert_eq!(back.head().unwrap(), journal.head().unwrap());
        assert_eq!(back.events().unwrap(), journal.events().unwrap());
        assert_eq!(back.cycles().unwrap(), journal.cycles().unwrap());
        back.export(other.path()).unwrap();
        let written = files(one.path());
        assert_eq!(written, files(other.path()));
        assert_eq!(written.len(), 1 + 7, "a file for each record");
        assert!(written.keys().all(|path| path.to_str().unwrap().is_ascii()));
        // Again: the same events once more change nothing.
        assert_eq!(Journal::restore(one.path(), &to).unwrap().verify().unwrap(), 13);
    }
}

/// What is committed to git changes only where something happened.
#[test]
fn a_later_export_changes_only_what_changed() {
    let (_folder, path) = fresh();
    let mut journal = full(&path);
    let out = tempfile::tempdir().unwrap();
    journal.export(out.path()).unwrap();
    fs::write(out.path().join("README.md"), "Ours.").unwrap();
    let before = files(out.path());
    journal.cancel("A", "no time", &stamp("2026-10-01")).unwrap();
    journal.export(out.path()).unwrap();
    let after = files(out.path());
    let changed: Vec<&Path> = after
        .iter()
        .filter(|(path, bytes)| before.get(*path) != Some(*bytes))
        .map(|(path, _)| path.as_path())
        .collect();
    assert_eq!(changed.len(), 2, "{changed:?}");
    // And an older copy of the journal takes the rest in.
    let (_other, place) = fresh();
    let half = tempfile::tempdir().unwrap();
    for (path, bytes) in &before {
        fs::create_dir_all(half.path().join(path).parent().unwrap()).unwrap();
        fs::write(half.path().join(path), bytes).unwrap();
    }
    assert_eq!(Journal::restore(half.path(), &place).unwrap().verify().unwrap(), 13);
    assert_eq!(Journal::restore(out.path(), &place).unwrap().verify().unwrap(), 14);
    // The later folder is not written over with an earlier state, nor with another journal.
    let (_older, place) = fresh();
    let older = Journal::restore(half.path(), &place).unwrap();
    let (_third, place) = fresh();
    let mut foreign = Journal::open(&place).unwrap();
    for id in ["x", "y"] {
        foreign.draft(id, plan(), &stamp("2026-09-01")).unwrap();
    }
    for journal in [older, foreign] {
        let error = journal.export(out.path()).unwrap_err();
        assert!(error.to_string().contains("another journal, or a later state"), "{error}");
    }
    let error = Journal::restore(out.path(), &place).unwrap_err();
    assert!(error.to_string().contains("holds 2 events that are not those"), "{error}");
    assert_eq!(files(out.path()), after);
}

/// Whatever is missing, added or altered: a typed error, and no journal is made.
#[test]
fn a_damaged_folder_is_refused_and_nothing_is_written() {
    type Damage = Box<dyn Fn(&mut BTreeMap<PathBuf, Vec<u8>>)>;
    let (_folder, path) = fresh();
    let journal = full(&path);
    let whole = tempfile::tempdir().unwrap();
    journal.export(whole.path()).unwrap();
    let whole = files(whole.path());
    let record = whole.keys().find(|path| path.ends_with("a.json")).unwrap().clone();
    let replaced = |path: PathBuf, from: &'static str, to: &'static str| -> Damage {
        Box::new(move |files| {
            let text = String::from_utf8(files[&path].clone()).unwrap();
            assert!(text.contains(from), "{from}");
            files.insert(path.clone(), text.replacen(from, to, 1).into_bytes());
        })
    };
    let manifest = PathBuf::from("journal.json");
    let (a, b) = (record.clone(), record.clone());
    let damages: Vec<(&str, &str, Damage)> = vec![
        ("a file is missing", "tampered", Box::new(move |files| drop(files.remove(&a)))),
        ("a file is cut", "tampered", Box::new(move |files| files.get_mut(&b).unwrap().truncate(900))),
        ("a name is altered", "tampered", replaced(record.clone(), "Ms. Rivera", "Mr. Smith")),
        ("a number is altered", "tampered", replaced(record.clone(), "\"at_least\": 3.0", "\"at_least\": 1.0")),
        ("a hash is altered", "tampered", replaced(record.clone(), "\"hash\": \"", "\"hash\": \"0")),
        ("a field is unknown", "tampered", replaced(record.clone(), "\"kind\": ", "\"colour\": 1, \"kind\": ")),
        (
            "a payload is missing",
            "tampered",
            replaced(record, "\"payload\": ", "\"payload_hex\": \"zz\", \"payload\": "),
        ),
        ("the manifest counts otherwise", "tampered", replaced(manifest.clone(), "13", "12")),
        ("the manifest is of another program", "tampered", replaced(manifest.clone(), "brightspot journal", "x")),
        ("the manifest is newer", "newer_schema", replaced(manifest.clone(), "\"version\": 1", "\"version\": 2")),
        ("the manifest is missing", "store", Box::new(move |files| drop(files.remove(&manifest)))),
    ];
    for (what, code, damage) in damages {
        let (folder, place) = fresh();
        let mut files = whole.clone();
        damage(&mut files);
        let out = folder.path().join("out");
        for (path, bytes) in &files {
            fs::create_dir_all(out.join(path).parent().unwrap()).unwrap();
            fs::write(out.join(path), bytes).unwrap();
        }
        let error = Journal::restore(&out, &place).unwrap_err();
        assert_eq!(error.code(), code, "{what}: {error}");
        assert!(!place.exists(), "{what}");
    }
}

/// A chain that holds, over events that make no cycle.
#[test]
fn events_that_make_no_record_are_refused() {
    let (folder, path) = fresh();
    let mut journal = Journal::open(&path).unwrap();
    journal.draft("a", plan(), &stamp("2026-09-01")).unwrap();
    let payload = br#"{"schema":1,"event":{"kind":"started"}}"#;
    let previous = journal.head().unwrap().unwrap();
    let hash = super::chained(&previous, (2, "a", "cycle.started", 2, "2026-09-02T00:00:00Z", "Kim", payload));
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute(
        "INSERT INTO events VALUES (2, 'a', 'cycle.started', 2, '2026-09-02T00:00:00Z', 'Kim', ?1, ?2, ?3)",
        rusqlite::params![payload, hash, previous],
    )
    .unwrap();
    file.execute("UPDATE meta SET value = ?1 WHERE key = 'last_hash'", [&hash]).unwrap();
    let out = folder.path().join("out");
    journal.export(&out).unwrap();
    let (_other, place) = fresh();
    assert_eq!(Journal::restore(&out, &place).unwrap_err().code(), "illegal_transition");
    assert!(!place.exists());
}
