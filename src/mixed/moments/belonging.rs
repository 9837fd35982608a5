//! Where the rows belong in one random part.

use std::borrow::Cow;

use super::Random;
use crate::Result;
use crate::mixed::design::check_rows;
use crate::mixed::groups::Groups;
use crate::mixed::members::Shares;
use crate::mixed::rows::{GroupSums, Tile};

/// The units of one random part, and those of every row.
pub(super) struct Belonging<'a> {
    units: Units<'a>,
    /// The codes of every unit, outermost first.
    pub(super) paths: Vec<u32>,
    pub(super) depth: usize,
}

enum Units<'a> {
    One(Cow<'a, [u32]>),
    Several(Shares),
}

impl<'a> Belonging<'a> {
    pub(super) fn new(part: &Random<'a>, n_rows: usize, counts: impl Fn(usize) -> bool) -> Result<Self> {
        match part {
            Random::Nested(levels) => {
                for codes in *levels {
                    check_rows("grouping factor", codes.len(), n_rows)?;
                }
                let Groups { of_row, paths } = Groups::new(n_rows, levels);
                Ok(Self { units: Units::One(of_row), paths, depth: levels.len() })
            }
            Random::Members(members) => {
                let mut shares = members.shares(n_rows, counts)?;
                let paths = shares.renumber();
                Ok(Self { units: Units::Several(shares), paths, depth: 1 })
            }
        }
    }

    pub(super) fn n_units(&self) -> usize {
        self.paths.len() / self.depth.max(1)
    }

    pub(super) fn is_membership(&self) -> bool {
        matches!(self.units, Units::Several(_))
    }

    /// Adds the rows of a tile to the sums of their units.
    #[inline]
    pub(super) fn add(&self, tile: &Tile, totals: &mut GroupSums) {
        match &self.units {
            Units::One(groups) => totals.add_tile(tile, groups),
            Units::Several(shares) => {
                for (place, &row) in tile.rows.iter().enumerate() {
                    for &(unit, share) in shares.of(row) {
                        totals.add(unit, share, tile, place);
                    }
                }
            }
        }
    }

    /// The units of a row with their shares.
    #[inline]
    pub(super) fn each(&self, row: usize, mut with: impl FnMut(u32, f64)) {
        match &self.units {
            Units::One(groups) => {
                if let Some(&group) = groups.get(row) {
                    with(group, 1.0);
                }
            }
            Units::Several(shares) => {
                for &(unit, share) in shares.of(row) {
                    with(unit, share);
                }
            }
        }
    }
}
