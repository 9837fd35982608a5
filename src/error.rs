//! One error type for the whole crate: variants by what the caller can do, fields rather than prose, and a stable code.
//!
//! A message says what was wrong, what was found, and what to do. Insufficient evidence is never an error: it is a
//! finding, or a [`crate::Note`] on a result.

use std::fmt::Write as _;

use serde::Serialize;

/// What every fallible function of the crate returns.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, by what the caller can do about it.
#[derive(Debug, Serialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Error {
    /// A named column is not in the frame.
    #[error("there is no column {column:?}{}; the columns are {}", did_you_mean(column, available), listed(available))]
    ColumnMissing {
        /// The name that was asked for.
        column: String,
        /// The columns that are there.
        available: Vec<String>,
    },
    /// A column is of a type that cannot serve.
    #[error("column {column:?} must hold {expected}, but it holds {found}; {remedy}")]
    ColumnType {
        /// The column.
        column: String,
        /// What it must hold.
        expected: String,
        /// What it holds.
        found: String,
        /// What to do.
        remedy: String,
    },
    /// A column of the caller's bears the name of a column of the result.
    #[error("column {column:?} has the name of a column of the result; rename it before the call")]
    ColumnClash {
        /// The column.
        column: String,
    },
    /// An argument is outside of what is allowed.
    #[error("{option} = {value} is not possible: it must be {allowed}")]
    InvalidOption {
        /// The argument.
        option: String,
        /// What was given.
        value: String,
        /// What is allowed, as words that follow "it must be".
        allowed: String,
    },
    /// Values in the data that the method cannot take.
    #[error("{what}: {found}; {remedy}")]
    InvalidValue {
        /// Which values.
        what: String,
        /// What was found there, with where.
        found: String,
        /// What to do.
        remedy: String,
    },
    /// Several rows stand for the same point of the same series.
    #[error(
        "{n} times occur more than once within a series (for example {}); give aggregate=\"mean\", \"median\" or \
         \"sum\", or make the rows distinct",
        examples.join(", ")
    )]
    DuplicateTimes {
        /// How many repeated (series, time) keys there are.
        n: usize,
        /// The first few of them.
        examples: Vec<String>,
    },
    /// There is too little to compute the thing at all (where a finding "insufficient" makes no sense).
    #[error("{what} needs at least {needed}, but there are {found}; {remedy}")]
    TooFew {
        /// What was to be computed.
        what: String,
        /// How many it needs, with the unit.
        needed: String,
        /// How many there are.
        found: usize,
        /// What to do.
        remedy: String,
    },
    /// A record breaks one of its own rules.
    #[error("{record}{}: {problem}", at_path(path))]
    InvalidRecord {
        /// The kind of record.
        record: String,
        /// The field, as a dotted path; empty for the record as a whole.
        path: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// A plan cannot be judged as it stands, so it cannot be locked.
    #[error("the plan cannot be locked: {}", missing.join("; "))]
    PlanNotLockable {
        /// Everything that is missing, each with what to do.
        missing: Vec<String>,
    },
    /// A record was asked to make a move that its state does not allow.
    #[error("{record} is {from}, so it cannot {action}; from here it can {}", legal_moves(legal))]
    IllegalTransition {
        /// The record's kind and id.
        record: String,
        /// The state it is in.
        from: String,
        /// The move that was asked for.
        action: String,
        /// The moves that its state allows.
        legal: Vec<String>,
    },
    /// No record bears this id.
    #[error("there is no {kind} {id:?} in this journal; {} lists those there are", listing(kind))]
    NotFound {
        /// The kind of record.
        kind: String,
        /// The id that was asked for.
        id: String,
    },
    /// Another writer came first.
    #[error("{record} has changed since it was read (version {found}, expected {expected}); read it again and repeat")]
    Conflict {
        /// The record's kind and id.
        record: String,
        /// The version that the caller had seen.
        expected: u64,
        /// The version there is.
        found: u64,
    },
    /// The journal's file cannot be opened, read or written.
    #[error("the journal {path}: {problem}; {remedy}")]
    Store {
        /// The file.
        path: String,
        /// What the database said.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// The journal's file has been altered outside of the program, or is damaged.
    #[error("the journal {path} is not what was written: {problem}; restore it from a copy")]
    Tampered {
        /// The file.
        path: String,
        /// Where the chain of hashes breaks.
        problem: String,
    },
    /// The file was written by a newer version.
    #[error(
        "{what} has schema version {found}, but this version of brightspot reads up to {supported}; upgrade brightspot"
    )]
    NewerSchema {
        /// The file or record.
        what: String,
        /// Its schema version.
        found: u32,
        /// The newest that this version reads.
        supported: u32,
    },
    /// A number could not be computed; a defect or an extreme input.
    #[error("{what} could not be computed: {problem}")]
    Numerical {
        /// The quantity.
        what: String,
        /// Why.
        problem: String,
    },
    /// The caller stopped the work.
    #[error("stopped before the work was done; nothing was written")]
    Interrupted,
}

impl Error {
    /// The stable, snake-case code of the error: it never changes, while messages may.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ColumnMissing { .. } => "column_missing",
            Self::ColumnType { .. } => "column_type",
            Self::ColumnClash { .. } => "column_clash",
            Self::InvalidOption { .. } => "invalid_option",
            Self::InvalidValue { .. } => "invalid_value",
            Self::DuplicateTimes { .. } => "duplicate_times",
            Self::TooFew { .. } => "too_few",
            Self::InvalidRecord { .. } => "invalid_record",
            Self::PlanNotLockable { .. } => "plan_not_lockable",
            Self::IllegalTransition { .. } => "illegal_transition",
            Self::NotFound { .. } => "not_found",
            Self::Conflict { .. } => "conflict",
            Self::Store { .. } => "store",
            Self::Tampered { .. } => "tampered",
            Self::NewerSchema { .. } => "newer_schema",
            Self::Numerical { .. } => "numerical",
            Self::Interrupted => "interrupted",
        }
    }

    /// An [`Error::InvalidOption`] from anything that prints.
    pub fn option(option: &str, value: impl std::fmt::Display, allowed: impl Into<String>) -> Self {
        Self::InvalidOption { option: option.into(), value: value.to_string(), allowed: allowed.into() }
    }
}

fn did_you_mean(column: &str, available: &[String]) -> String {
    let nearest = available
        .iter()
        .map(|name| (strsim::jaro_winkler(&column.to_lowercase(), &name.to_lowercase()), name))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((likeness, name)) if likeness > 0.8 => format!(" (did you mean {name:?}?)"),
        _ => String::new(),
    }
}

fn listed(names: &[String]) -> String {
    /// More names than this would bury the message.
    const SHOWN: usize = 20;
    let mut text = names.iter().take(SHOWN).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        // Writing to a String cannot fail.
        let _ = write!(text, " and {} more", names.len() - SHOWN);
    }
    if text.is_empty() { "none".into() } else { text }
}

fn at_path(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(".{path}") }
}

fn listing(kind: &str) -> &'static str {
    if kind == "record" { ".history()" } else { ".cycles()" }
}

fn legal_moves(legal: &[String]) -> String {
    if legal.is_empty() { "make no move: this state is final".into() } else { legal.join(" or ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_column_names_the_nearest() {
        let error = Error::ColumnMissing { column: "scores".into(), available: vec!["week".into(), "score".into()] };
        assert_eq!(
            error.to_string(),
            "there is no column \"scores\" (did you mean \"score\"?); the columns are \"week\", \"score\""
        );
        assert_eq!(error.code(), "column_missing");
    }

    #[test]
    fn the_code_is_what_serde_writes() {
        for error in [Error::Interrupted, Error::ColumnClash { column: "phase".into() }] {
            let written = serde_json::to_value(&error).unwrap();
            assert_eq!(written["code"], error.code());
        }
    }

    #[test]
    fn a_final_state_says_so() {
        let error = Error::IllegalTransition {
            record: "cycle \"a\"".into(),
            from: "decided".into(),
            action: "lock".into(),
            legal: vec![],
        };
        assert!(error.to_string().ends_with("from here it can make no move: this state is final"));
    }
}
