//! Many events: what is asked for one cycle is found by index.

use std::path::Path;
use std::time::{Duration, Instant};

use brightspot::cycle::{Plan, State};
use brightspot::journal::Journal;
use rusqlite::Connection;

use super::{TO_THE_END, attempt, chained, fresh, is_file, places, written};
use crate::cycle::{plan, stamp};

const EVENTS: i64 = 100_000;
const LIMIT: Duration = Duration::from_millis(50);

/// Opening and reading one cycle stay quick, and so do its earlier tries.
#[test]
fn a_hundred_thousand_events_are_no_burden() {
    let (_folder, full) = fresh();
    fill(&full);
    for (_folder, empty) in places() {
        let place = if is_file(&empty) { full.clone() } else { empty };
        #[cfg(feature = "postgres")]
        if !is_file(&place) {
            copy(&full, &place);
        }
        let name = if is_file(&place) { "SQLite" } else { "PostgreSQL" };
        let reading = best(|_| {
            let journal = Journal::open(&place).unwrap();
            assert_eq!(journal.cycle("c9000").unwrap().state, State::Decided);
        });
        println!("{name}: opened and one cycle read in {reading:?}");
        assert!(reading < LIMIT, "{name}: {reading:?}");

        let mut journal = Journal::open(&place).unwrap();
        let plan = Plan { change: "Begin Begin with a worked example".into(), ..plan() };
        let moving = best(|i| {
            let id = format!("{name}-{i}");
            journal.draft(&id, plan.clone(), &stamp("2026-09-01")).unwrap();
            for action in &TO_THE_END[..4] {
                attempt(&mut journal, &id, *action).unwrap();
            }
        });
        println!("{name}: a cycle of five moves in {moving:?}");
        assert!(moving < 5 * LIMIT, "{name}: {moving:?}");
    }
}

/// The best of several: other tests run beside this one.
fn best(mut work: impl FnMut(usize)) -> Duration {
    (0..7).fold(Duration::MAX, |best, i| {
        let began = Instant::now();
        work(i);
        began.elapsed().min(best)
    })
}

/// Makes a file of cycles, as if one writer had written them all.
fn fill(path: &Path) {
    let (_folder, model) = fresh();
    written(&model);
    let rows: Vec<(String, String, String, Vec<u8>)> = {
        let file = Connection::open(&model).unwrap();
        let mut statement = file.prepare("SELECT kind, at, by, payload FROM events ORDER BY seq").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap();
        rows.map(std::result::Result::unwrap).collect()
    };
    drop(Journal::open(path).unwrap());
    let mut file = Connection::open(path).unwrap();
    let all = file.transaction().unwrap();
    let mut previous = "0".repeat(64);
    {
        let mut insert = all.prepare("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)").unwrap();
        for seq in 1..=EVENTS {
            let (cycle, version) = ((seq - 1) / 6, (seq - 1) % 6 + 1);
            let (kind, at, by, payload) = &rows[usize::try_from(version - 1).unwrap()];
            let id = format!("c{cycle}");
            // Some cycles try one idea, the others each its own.
            let change = if cycle % 1000 == 0 { "Begin".into() } else { format!("Begin {cycle}") };
            let text = String::from_utf8(payload.clone()).unwrap();
            let payload = text.replacen("\"change\":\"", &format!("\"change\":\"{change} "), 1).into_bytes();
            let hash = chained(&previous, (seq, &id, kind, version, at, by, &payload));
            insert.execute(rusqlite::params![seq, id, kind, version, at, by, payload, hash, previous]).unwrap();
            previous = hash;
        }
    }
    all.execute("INSERT INTO meta VALUES ('last_hash', ?1)", [&previous]).unwrap();
    all.commit().unwrap();
    // As version 1 left it: opening it once fills the index.
    file.execute_batch(
        "DROP TABLE ideas; DROP INDEX events_by_kind; UPDATE meta SET value = '1' WHERE key = 'schema_version'",
    )
    .unwrap();
    drop(file);
    let began = Instant::now();
    drop(Journal::open(path).unwrap());
    println!("SQLite: brought up to date in {:?}", began.elapsed());
}

/// Copies the tables of a file into those of a new journal in `PostgreSQL`.
#[cfg(feature = "postgres")]
fn copy(file: &Path, place: &Path) {
    use std::io::Write as _;

    drop(Journal::open(place).unwrap());
    let file = Connection::open(file).unwrap();
    let mut client = super::client(place);
    // A payload's bytes in hexadecimal, as PostgreSQL reads them; the backslash is doubled for COPY.
    let event = r"seq, record, kind, version, at, by, '\\x' || hex(payload), hash, previous_hash";
    for (table, columns, n) in [("events", event, 9), ("ideas", "record, idea", 2), ("meta", "key, value", 2)] {
        let condition = if table == "meta" { "WHERE key = 'last_hash'" } else { "" };
        let lines = format!("SELECT concat_ws(char(9), {columns}) FROM {table} {condition}");
        let mut statement = file.prepare(&lines).unwrap();
        let mut rows = statement.query([]).unwrap();
        let mut writer = client.copy_in(&format!("COPY {table} FROM STDIN")).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let line: String = row.get(0).unwrap();
            assert_eq!(line.split('\t').count(), n);
            writeln!(writer, "{line}").unwrap();
        }
        writer.finish().unwrap();
    }
}
