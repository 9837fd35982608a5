//! Reading the reference outputs for charts, where the folder that `BRIGHTSPOT_REFERENCE` names is there.
// Helpers outside of a test function are test code too.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::collections::HashMap;
use std::path::PathBuf;

/// One row of a table, by column.
pub(crate) struct Row(HashMap<String, String>);

impl Row {
    /// The text of a cell; `None` for NA, NaN and a column that is not there.
    pub(crate) fn text(&self, column: &str) -> Option<&str> {
        self.0.get(column).map(String::as_str).filter(|text| !matches!(*text, "" | "NA" | "NaN"))
    }

    pub(crate) fn float(&self, column: &str) -> Option<f64> {
        self.text(column).map(|text| match text {
            "Inf" => f64::INFINITY,
            "-Inf" => f64::NEG_INFINITY,
            number => number.parse().unwrap(),
        })
    }

    pub(crate) fn int(&self, column: &str) -> Option<usize> {
        self.float(column).map(|number| number as usize)
    }

    pub(crate) fn is_true(&self, column: &str) -> bool {
        self.text(column) == Some("TRUE")
    }
}

/// The folder, or `None` with a word on why the test does nothing.
pub(crate) fn reference() -> Option<PathBuf> {
    let folder = std::env::var_os("BRIGHTSPOT_REFERENCE").map(PathBuf::from).filter(|folder| folder.is_dir());
    if folder.is_none() {
        println!("skipped: BRIGHTSPOT_REFERENCE names no folder of reference outputs");
    }
    folder
}

/// The rows of a table below the reference folder. No cell of these tables holds a comma.
pub(crate) fn csv(path: &[&str]) -> Option<Vec<Row>> {
    let text = std::fs::read_to_string(path.iter().fold(reference()?, |at, part| at.join(part))).unwrap();
    let cells = |line: &str| line.split(',').map(|cell| cell.trim_matches('"').to_owned()).collect::<Vec<_>>();
    let mut lines = text.lines();
    let header = cells(lines.next().unwrap());
    Some(
        lines
            .filter(|line| !line.is_empty())
            .map(|line| {
                let row = cells(line);
                assert_eq!(row.len(), header.len(), "{line}");
                Row(header.iter().cloned().zip(row).collect())
            })
            .collect(),
    )
}
