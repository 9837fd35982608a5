//! The units of one random part, level by level, and the sums over the rows of each.

use serde::{Deserialize, Serialize};

use crate::mixed::groups::order_of_paths;
use crate::mixed::rows::GroupSums;

/// The groups of one level of nesting, in the order of their paths, so that the groups of one parent are neighbours.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Level {
    /// The group's own code, as the caller gave it.
    pub(crate) codes: Vec<u32>,
    /// The index of the parent in the level above; zeros in the outermost level.
    pub(crate) parents: Vec<u32>,
    /// Rows in the group.
    pub(crate) n: Vec<f64>,
}

/// One random part: its units, and the sums over the rows of each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Block {
    /// Outermost to innermost; a membership has one.
    pub(crate) levels: Vec<Level>,
    /// Z'WA for every innermost group, group by group; the first of each is its sum of weights.
    pub(crate) sums: Vec<f64>,
    pub(crate) is_membership: bool,
}

impl Block {
    /// The path of every innermost group, outermost code first.
    pub(crate) fn paths(&self) -> Vec<u32> {
        let groups = self.levels.last().map_or(0, |l| l.codes.len());
        (0..groups).flat_map(|group| path(&self.levels, group)).collect()
    }

    /// Lays groups, in any order and possibly repeated, out in the order of their paths; says where each went.
    pub(super) fn assemble(depth: usize, is_membership: bool, paths: &[u32], totals: GroupSums) -> (Self, Vec<u32>) {
        let order = order_of_paths(paths, depth);
        let mut place = vec![u32::MAX; order.len()];
        let mut levels = vec![Level::default(); depth];
        // As they stand, where nothing moves.
        let stays = paths.chunks_exact(depth).is_sorted_by(|a, b| a < b)
            && (0..).zip(&order).all(|(g, _)| totals.of(g).1 > 0.0);
        let mut sorted: Vec<f64> = Vec::with_capacity(if stays { 0 } else { totals.sums.len() });
        let mut last: Option<&[u32]> = None;
        for group in order {
            let (sum, n) = totals.of(group);
            if n == 0.0 {
                continue;
            }
            let from = group as usize * depth;
            let path = paths.get(from..from + depth).unwrap_or_default();
            let is_new = last != Some(path);
            if is_new {
                append(&mut levels, path, last);
                last = Some(path);
            }
            if !stays && is_new {
                sorted.extend_from_slice(sum);
            } else if !stays {
                let tail = sorted.len() - sum.len();
                for (total, s) in sorted.iter_mut().skip(tail).zip(sum) {
                    *total += s;
                }
            }
            for level in &mut levels {
                if let Some(rows) = level.n.last_mut() {
                    *rows += n;
                }
            }
            if let (Some(cell), Some(level)) = (place.get_mut(group as usize), levels.last()) {
                *cell = u32::try_from(level.codes.len() - 1).unwrap_or(u32::MAX);
            }
        }
        (Self { levels, sums: if stays { totals.sums } else { sorted }, is_membership }, place)
    }
}

/// The codes from the outermost level down to a group of the last of `levels`.
pub(crate) fn path<L: std::borrow::Borrow<Level>>(levels: &[L], group: usize) -> Vec<u32> {
    let mut codes = Vec::with_capacity(levels.len());
    let mut at = group;
    for level in levels.iter().map(std::borrow::Borrow::borrow).rev() {
        codes.push(level.codes.get(at).copied().unwrap_or(u32::MAX));
        at = level.parents.get(at).copied().unwrap_or(0) as usize;
    }
    codes.reverse();
    codes
}

/// Appends a group after the one with the path `last`: a new group at every level from the first difference on.
fn append(levels: &mut [Level], path: &[u32], last: Option<&[u32]>) {
    let shared = last.map_or(0, |last| path.iter().zip(last).take_while(|(a, b)| a == b).count());
    let mut parent = 0_usize;
    for (depth, (level, &code)) in levels.iter_mut().zip(path).enumerate() {
        if depth >= shared {
            level.codes.push(code);
            level.parents.push(u32::try_from(parent).unwrap_or(u32::MAX));
            level.n.push(0.0);
        }
        parent = level.codes.len() - 1;
    }
}
