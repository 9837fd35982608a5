//! Rows by group, the groups in the order of their keys.

use polars::prelude::*;

use super::columns::names;
use crate::Result;

/// The rows of each group, group after group; within a group in the order of the input.
#[derive(Debug)]
pub(super) struct Groups {
    rows: Vec<IdxSize>,
    ends: Vec<usize>,
}

impl Groups {
    /// One pass over the frame; with no keys all rows are one group, and without rows there is none.
    pub(super) fn new(df: &DataFrame, by: &[String]) -> Result<Self> {
        let height = df.height();
        if height == 0 {
            return Ok(Self { rows: vec![], ends: vec![] });
        }
        if by.is_empty() {
            let all = IdxSize::try_from(height).unwrap_or(IdxSize::MAX);
            return Ok(Self { rows: (0..all).collect(), ends: vec![height] });
        }
        let positions = df.group_by_stable(by)?.into_groups();
        let groups: Vec<GroupsIndicator<'_>> = positions.iter().collect();
        let firsts: IdxCa = groups.iter().map(GroupsIndicator::first).collect::<Vec<_>>().into_inner_ca();

        // The index needs a name that no key has.
        let mut index = String::from("index");
        while by.contains(&index) {
            index.push('_');
        }
        let keys = df.select(by)?.take(&firsts)?;
        let sorted = keys.with_row_index(index.as_str().into(), None)?.sort(by, SortMultipleOptions::default())?;

        let mut rows = Vec::with_capacity(height);
        let mut ends = Vec::with_capacity(groups.len());
        for position in sorted.column(&index)?.idx()?.into_no_null_iter() {
            match groups.get(position as usize) {
                Some(GroupsIndicator::Idx((_, all))) => rows.extend(all.iter().copied()),
                Some(GroupsIndicator::Slice([first, len])) => rows.extend(*first..*first + *len),
                None => {}
            }
            ends.push(rows.len());
        }
        debug_assert_eq!(rows.len(), height, "every row is in one group of {:?}", names(df));
        Ok(Self { rows, ends })
    }

    /// The rows of each group.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[IdxSize]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| self.rows.get(start..end).unwrap_or(&[]))
    }
}

/// Indices as a column.
trait IntoIdx {
    fn into_inner_ca(self) -> IdxCa;
}

impl IntoIdx for Vec<IdxSize> {
    fn into_inner_ca(self) -> IdxCa {
        IdxCa::from_vec(PlSmallStr::EMPTY, self)
    }
}
