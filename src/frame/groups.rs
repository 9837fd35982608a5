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
        let keys = df.select(by)?;
        match Self::together(&keys, by)? {
            Some(groups) => Ok(groups),
            None => Self::scattered(df, &keys, by),
        }
    }

    /// Groups whose rows stand together, as in most tables that were written by a program: no key need be hashed.
    fn together(keys: &DataFrame, by: &[String]) -> Result<Option<Self>> {
        /// Below this many rows a group, tables are rather sorted by something else.
        const MIN_ROWS: usize = 3;
        let height = keys.height();
        let mut starts = vec![0];
        starts.extend((1..).zip(changes(keys, by)?).filter(|(_, differs)| *differs).map(|(row, _)| row));
        if starts.len() > 1 && height < MIN_ROWS * starts.len() {
            return Ok(None);
        }
        let firsts: Vec<IdxSize> = starts.iter().filter_map(|row| IdxSize::try_from(*row).ok()).collect();
        let (order, is_distinct) = sorted(&keys.take(&IdxCa::from_vec(PlSmallStr::EMPTY, firsts))?, by)?;
        if !is_distinct {
            return Ok(None);
        }
        let (mut rows, mut ends) = (Vec::with_capacity(height), Vec::with_capacity(starts.len()));
        for group in order {
            let start = starts.get(group as usize).copied().unwrap_or(height);
            let end = starts.get(group as usize + 1).copied().unwrap_or(height);
            rows.extend((start..end).filter_map(|row| IdxSize::try_from(row).ok()));
            ends.push(rows.len());
        }
        Ok(Some(Self { rows, ends }))
    }

    /// Groups whose rows stand anywhere.
    fn scattered(df: &DataFrame, keys: &DataFrame, by: &[String]) -> Result<Self> {
        let positions = df.group_by_stable(by)?.into_groups();
        let groups: Vec<GroupsIndicator<'_>> = positions.iter().collect();
        let firsts: Vec<IdxSize> = groups.iter().map(GroupsIndicator::first).collect();
        let (order, _) = sorted(&keys.take(&IdxCa::from_vec(PlSmallStr::EMPTY, firsts))?, by)?;
        let mut rows = Vec::with_capacity(df.height());
        let mut ends = Vec::with_capacity(groups.len());
        for position in order {
            match groups.get(position as usize) {
                Some(GroupsIndicator::Idx((_, all))) => rows.extend(all.iter().copied()),
                Some(GroupsIndicator::Slice([first, len])) => rows.extend(*first..*first + *len),
                None => {}
            }
            ends.push(rows.len());
        }
        debug_assert_eq!(rows.len(), df.height(), "every row is in one group of {:?}", names(df));
        Ok(Self { rows, ends })
    }

    /// The rows of each group.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[IdxSize]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| self.rows.get(start..end).unwrap_or(&[]))
    }
}

/// The places of keys in their order, and whether no key comes twice.
fn sorted(keys: &DataFrame, by: &[String]) -> Result<(Vec<IdxSize>, bool)> {
    // The index needs a name that no key has.
    let mut index = String::from("index");
    while by.contains(&index) {
        index.push('_');
    }
    let sorted = keys.clone().with_row_index(index.as_str().into(), None)?.sort(by, SortMultipleOptions::default())?;
    let order = sorted.column(&index)?.idx()?.into_no_null_iter().collect();
    Ok((order, changes(&sorted, by)?.into_iter().all(|differs| differs)))
}

/// Of each row but the first, whether its keys differ from those of the row before.
fn changes(table: &DataFrame, by: &[String]) -> Result<Vec<bool>> {
    let n = table.height().saturating_sub(1);
    let mut changes = vec![false; n];
    for name in by {
        let key = table.column(name)?.as_materialized_series();
        let differs = key.slice(1, n).not_equal_missing(&key.slice(0, n))?;
        changes.iter_mut().zip(differs.iter()).for_each(|(change, differs)| *change |= differs == Some(true));
    }
    Ok(changes)
}
