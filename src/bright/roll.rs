//! Of whom the questions are asked.

use super::answer::group_sizes;
use super::spec::{BrightSpec, PEERS};
use crate::mixed::Effect;
use crate::{Note, NoteCode};

/// Of whom the questions are asked.
pub(super) struct Roll {
    pub(super) has_min_n: Vec<bool>,
    pub(super) has_peers: Vec<bool>,
    /// Against peers: both.
    pub(super) is_asked: Vec<bool>,
}

impl Roll {
    pub(super) fn new(effects: &[Effect], spec: &BrightSpec, notes: &mut Vec<Note>) -> Self {
        let has_min_n: Vec<bool> = effects.iter().map(|e| e.n >= spec.min_n as f64).collect();
        let sizes = group_sizes(effects.iter().map(|e| e.parent));
        let has_peers: Vec<bool> =
            effects.iter().map(|e| sizes.get(e.parent).is_some_and(|size| *size >= PEERS)).collect();
        let is_asked = has_min_n.iter().zip(&has_peers).map(|(n, p)| *n && *p).collect();
        let count = |flags: &[bool]| flags.iter().filter(|f| !**f).count();
        if count(&has_min_n) > 0 {
            notes.push(Note::new(NoteCode::SmallUnits, count(&has_min_n)).with_value(spec.min_n as f64));
        }
        if count(&has_peers) > 0 {
            notes.push(Note::new(NoteCode::FewPeers, count(&has_peers)));
        }
        Self { has_min_n, has_peers, is_asked }
    }
}
