//! Tables in CSV files, and the folder of reference outputs for bright spots, where `BRIGHTSPOT_REFERENCE` names one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // helpers of tests

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Columns of text by name.
pub(crate) type Table = BTreeMap<String, Vec<String>>;

/// The folder of reference outputs; without it a test says so and is skipped.
pub(crate) fn reference() -> Option<PathBuf> {
    let folder = std::env::var_os("BRIGHTSPOT_REFERENCE").map(|folder| PathBuf::from(folder).join("bright-spots"));
    let found = folder.filter(|folder| folder.is_dir());
    if found.is_none() {
        println!("skipped: BRIGHTSPOT_REFERENCE names no folder with bright-spots/");
    }
    found
}

/// A CSV without quoted commas.
pub(crate) fn table(path: &Path) -> Table {
    let text = read(path);
    let mut lines = text.lines().map(|l| l.split(',').map(|c| c.trim_matches('"').to_owned()).collect::<Vec<_>>());
    let names = lines.next().unwrap();
    let mut columns: Table = names.iter().map(|n| (n.clone(), vec![])).collect();
    for line in lines {
        for (name, value) in names.iter().zip(line) {
            columns.get_mut(name).unwrap().push(value);
        }
    }
    columns
}

/// A column as numbers; what is none is NaN.
pub(crate) fn numbers(column: &[String]) -> Vec<f64> {
    column.iter().map(|v| v.parse().unwrap_or(f64::NAN)).collect()
}

/// The rows of a CSV as numbers, for those that are read by position.
pub(crate) fn rows(path: &Path) -> Vec<Vec<f64>> {
    let row = |line: &str| line.split(',').map(|v| v.parse().unwrap_or(f64::NAN)).collect();
    read(path).lines().skip(1).map(row).collect()
}

/// A file of JSON.
pub(crate) fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&read(path)).unwrap()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
