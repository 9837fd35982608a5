//! The caveats of one measure, as they come up.

use crate::{Note, NoteCode};

/// Notes of one measure, counting those that stand against a verdict.
pub(super) struct Notes<'a> {
    pub(super) at: &'a str,
    pub(super) found: Vec<Note>,
    pub(super) n_against: usize,
}

impl<'a> Notes<'a> {
    pub(super) fn new(at: &'a str) -> Self {
        Self { at, found: vec![], n_against: 0 }
    }

    pub(super) fn add(&mut self, code: NoteCode, count: usize, value: Option<f64>) {
        self.found.push(Note { value, ..Note::new(code, count).at(self.at) });
    }

    pub(super) fn against(&mut self, code: NoteCode, count: usize, value: Option<f64>) {
        self.n_against += 1;
        self.add(code, count, value);
    }
}
