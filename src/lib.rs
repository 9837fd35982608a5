//! brightspot runs improvement cycles in school systems: it finds what already works (bright spots), tests whether a
//! change works (plan-do-study-act cycles on run charts) and keeps the evidence in one reproducible record.
//!
//! The map of the house, low to high; a module uses what stands before it, never after:
//!
//! | module | what it holds |
//! |---|---|
//! | [`error`], [`note`] | one error type with stable codes; notes are caveats on a result, not errors |
//! | [`stats`] | primitives on slices: laws of runs, intervals, multiplicity, robust summaries |
//! | [`mixed`] | mixed models: mergeable moments, fit, effects |
//! | [`growth`] | student growth percentiles: conditional quantiles by a table that serialises |
//! | [`measure`] | what is measured, in which direction, and the series that comes of it |
//! | [`rules`] | what a signal is, and what it means given a direction |
//! | [`charts`] | centre lines, phases and their signals |
//! | [`bright`] | bright spots: who does better than peers under the same conditions |
//! | [`record`] | what every record shares: ids, dates, schema |
//! | [`cycle`] | plan, prediction, study, decision |
//! | `journal` | the durable, append-only log of cycles (feature `journal`) |
//! | [`synthetic`] | a seeded district with planted truths |
//! | `frame` | polars data frames in and out (feature `frame`) |
//!
//! Numerical code takes slices and returns plain structs. Nothing here reads a clock or a global random generator.
#![forbid(unsafe_code)]

pub mod error;
pub mod note;

pub mod stats;

pub mod growth;
pub mod measure;
pub mod mixed;

pub mod rules;

pub mod charts;

pub mod bright;

pub mod record;

pub mod cycle;

#[cfg(feature = "journal")]
pub mod journal;

pub mod synthetic;

#[cfg(feature = "frame")]
pub mod frame;

pub use error::{Error, Result};
pub use note::{Note, NoteCode};

/// The README's examples are run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
