//! Many writers, and killed writers.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use brightspot::cycle::{Choice, Move, State};
use brightspot::journal::Journal;
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::{attempt, is_file, places};
use crate::cycle::{plan, stamp};

#[test]
fn eight_writers_share_a_journal() {
    const WRITERS: usize = 8;
    const EACH: usize = 5;
    for (_folder, path) in places() {
        // All open a journal that does not exist yet, at the same time; each drafts and locks cycles of its own, and all
        // raise one number, again and again from what they saw.
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let path = &path;
                scope.spawn(move || {
                    let mut journal = Journal::open(path).unwrap();
                    for i in 0..EACH {
                        let id = format!("{writer}-{i}");
                        journal.draft(&id, plan(), &stamp("2026-09-01")).unwrap();
                        journal.lock(&id, &stamp("2026-09-02")).unwrap();
                        raise(&mut journal);
                    }
                });
            }
        });
        let journal = Journal::open(&path).unwrap();
        let n = WRITERS * EACH;
        assert_eq!(journal.verify().unwrap(), 3 * n as u64);
        assert_eq!(journal.cycles().unwrap().iter().filter(|cycle| cycle.state == State::Planned).count(), n);
        let last = journal.record("counter", None).unwrap();
        assert_eq!((last.version, &last.record["margin"]), (n as u64, &json!(n as f64)), "an update was lost");
    }
}

/// Adds one to a number that others raise too.
fn raise(journal: &mut Journal) {
    loop {
        let (version, number) = match journal.record("counter", None) {
            Ok(filed) => (filed.version, filed.record["margin"].as_f64().unwrap()),
            Err(_) => (0, 0.0),
        };
        let data = json!({"measure": {"name": "n"}, "margin": number + 1.0});
        match journal.add("counter", "Guard", data, &stamp("2026-09-01").expecting(version)) {
            Ok(_) => return,
            Err(error) => assert_eq!(error.code(), "conflict", "{error}"),
        }
    }
}

const CHILD: &str = "BRIGHTSPOT_TEST_JOURNAL";

/// Every kind of write, in an order that the states allow.
const KINDS: [&str; 10] = ["draft", "lock", "amend", "start", "do", "study", "decide", "add", "revise", "cancel"];

/// Makes every kind of write on the journal named in the environment, again and again, until it is killed; says before
/// each what it begins and after each what was acknowledged.
#[test]
#[ignore = "the child of survives_being_killed"]
fn writes_until_killed() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let mut journal = Journal::open(path).unwrap();
    let process = std::process::id();
    for i in 0.. {
        let (cycle, measure) = (format!("{process}-{i}"), format!("{process}-{i}-m"));
        for (kind, version) in KINDS.into_iter().zip([1, 2, 3, 4, 5, 6, 7, 1, 2, 2]) {
            // A decided cycle cannot be cancelled: another is.
            let id = match kind {
                "add" | "revise" => measure.clone(),
                "cancel" => format!("{cycle}-c"),
                _ => cycle.clone(),
            };
            if kind == "cancel" {
                println!("writing draft {id} 1");
                journal.draft(&id, plan(), &stamp("2026-09-01")).unwrap();
                println!("acknowledged draft {id} 1");
            }
            println!("writing {kind} {id} {version}");
            let data = json!({"name": "m", "value": kind});
            let at = stamp("2026-09-02");
            match kind {
                "draft" => journal.draft(&id, plan(), &at).map(drop),
                "lock" => attempt(&mut journal, &id, Move::Lock),
                "amend" => attempt(&mut journal, &id, Move::Amend),
                "start" => attempt(&mut journal, &id, Move::Start),
                "do" => attempt(&mut journal, &id, Move::Do),
                "study" => attempt(&mut journal, &id, Move::Study),
                "decide" => journal.decide(&id, Choice::Adapt, "because", &at).map(drop),
                "cancel" => attempt(&mut journal, &id, Move::Cancel),
                _ => journal.add(&id, "Measure", data, &at).map(drop),
            }
            .unwrap();
            println!("acknowledged {kind} {id} {version}");
        }
    }
}

fn child(place: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["journal::robust::writes_until_killed", "--exact", "--ignored", "--nocapture"])
        .env(CHILD, place)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// A line of the child: whether it begins or acknowledges, the kind of write, the id and the version. The harness
/// writes the name of the test before the first, and the last may be torn.
fn said(line: &str) -> Option<(bool, &str, String, u64)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().position(|word| matches!(*word, "writing" | "acknowledged"))?;
    let [what, kind, id, version] = words.get(at..at + 4)? else { return None };
    KINDS.contains(kind).then_some(())?;
    Some((*what == "acknowledged", kind, (*id).to_owned(), version.parse().ok()?))
}

/// How long each kind of write takes, from one child that is let go on for a while.
fn usual(place: &Path) -> BTreeMap<String, Duration> {
    let mut child = child(place);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut began = Instant::now();
    let mut longest = BTreeMap::new();
    let mut seen = 0;
    while seen < 3 * KINDS.len() {
        let line = lines.next().unwrap().unwrap();
        match said(&line) {
            Some((true, kind, ..)) => {
                seen += 1;
                let longest = longest.entry(kind.to_owned()).or_insert(Duration::ZERO);
                *longest = began.elapsed().max(*longest);
            }
            _ => began = Instant::now(),
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    longest
}

/// Kills a writer `rounds` times, at moments spread over each kind of write, and looks each time whether all that was
/// acknowledged is there, and nothing else than at most the write that was begun, whole. Returns how many of the writes
/// that were cut off had been kept and how many not.
fn kill(place: impl Fn() -> (tempfile::TempDir, PathBuf), rounds: usize, seed: u64) -> [usize; 3] {
    /// A journal that grows without end would make the checks slow.
    const PER_JOURNAL: usize = 40;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut counts = [0; 3];
    let mut current = place();
    let usual = usual(&current.1);
    for round in 0..rounds {
        if round % PER_JOURNAL == 0 {
            current = place();
        }
        let path = &current.1;
        let before = Journal::open(path).unwrap().verify().unwrap();
        let kind = KINDS[round % KINDS.len()];
        let mut child = child(path);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut heard = vec![];
        loop {
            let line = lines.next().unwrap().unwrap();
            let is_it = said(&line).is_some_and(|(is_done, begun, ..)| !is_done && begun == kind);
            heard.push(line);
            if is_it {
                break;
            }
        }
        let share: f64 = rng.random();
        let wait = usual[kind].mul_f64(1.3 * share);
        let began = Instant::now();
        while began.elapsed() < wait {
            std::hint::spin_loop();
        }
        // SIGKILL: no destructor runs. What is still in the pipe was said before.
        child.kill().unwrap();
        heard.extend(lines.map_while(std::result::Result::ok));
        child.wait().unwrap();

        let said: Vec<_> = heard.iter().filter_map(|line| said(line)).collect();
        let done: Vec<_> = said.iter().filter(|(is_done, ..)| *is_done).collect();
        let begun = said.len() - done.len();
        assert!(begun == done.len() || begun == done.len() + 1, "{heard:?}");
        let mut journal = Journal::open(path).unwrap();
        // It goes on; and whatever the server still had to do for the dead writer is done.
        journal.add(&format!("after-{round}"), "Measure", json!({"name": "m"}), &stamp("2026-09-01")).unwrap();
        let n = journal.verify().unwrap() - before - 1;
        let acknowledged = done.len() as u64;
        assert!(
            n == acknowledged || n == acknowledged + (begun - done.len()) as u64,
            "{n} of {acknowledged}: {heard:?}"
        );
        for (_, _, id, version) in &done {
            assert!(journal.history(id).unwrap().len() as u64 >= *version, "{id} {version} was acknowledged and lost");
        }
        assert!(!journal.cycles().unwrap().is_empty() || acknowledged == 0);
        let outcome = if begun == done.len() { 2 } else { usize::from(n == acknowledged) };
        counts[outcome] += 1;
    }
    counts
}

fn kill_in_each(rounds: usize) {
    for i in 0..places().len() {
        let counts = kill(|| places().swap_remove(i), rounds, 1);
        let place = places().swap_remove(i).1;
        let name = if is_file(&place) { "SQLite" } else { "PostgreSQL" };
        println!(
            "{name}: {rounds} writers killed; the write begun was kept whole {}, not at all {}, between two writes {}",
            counts[0], counts[1], counts[2]
        );
        assert!(counts[1] > 0, "no kill fell within a write");
    }
}

#[test]
fn survives_being_killed() {
    kill_in_each(60);
}

#[test]
#[ignore = "a simulation: minutes"]
fn survives_being_killed_a_thousand_times() {
    kill_in_each(1000);
}
