//! Values as codes in their sort order, fast for the two kinds that ids have: short text and whole numbers.

use polars::prelude::*;

use super::factors::MISSING;
use crate::Result;

/// Text of up to so many bytes lies in a column's views themselves.
const INLINE: u32 = 12;

/// A code per row ([`MISSING`] for null), in the order of the values, and the first row of every value; `None` for kinds
/// that have no fast way.
pub(super) fn fast_codes(values: &Series) -> Result<Option<(Vec<u32>, Vec<IdxSize>)>> {
    if let Ok(text) = values.str() {
        return Ok(Some(text_codes(text)));
    }
    if values.dtype().is_integer() && values.dtype() != &DataType::UInt64 {
        let cast = values.cast(&DataType::Int64)?;
        let numbers = cast.i64()?;
        if numbers.null_count() != values.null_count() {
            return Ok(None);
        }
        let (Some(least), Some(most)) = (numbers.min(), numbers.max()) else { return Ok(None) };
        // A table by value does for ids that are numbered; others are hashed.
        let room = 4 * values.len() + 1024;
        if let Some(range) = most.checked_sub(least).and_then(|r| usize::try_from(r).ok()).filter(|r| *r < room) {
            return Ok(Some(table_codes(numbers, least, range + 1)));
        }
        return Ok(Some(hashed(
            numbers.iter().map(|v| v.map(|v| v.wrapping_sub(least).cast_unsigned())),
            numbers.len(),
        )));
    }
    Ok(None)
}

/// Short text is compared as one number: its bytes, then its length.
fn text_codes(text: &StringChunked) -> (Vec<u32>, Vec<IdxSize>) {
    let is_short = text.downcast_iter().all(|chunk| chunk.views().iter().all(|view| view.length <= INLINE));
    if is_short && text.null_count() == 0 {
        let keys = text
            .downcast_iter()
            .flat_map(|chunk| chunk.views().iter().map(|view| Some(short_key(view.as_u128(), view.length))));
        return hashed(keys, text.len());
    }
    hashed(text.iter(), text.len())
}

/// The length stands first and little-endian in a view; last and big-endian it decides among texts that are otherwise
/// equal, as with a zero byte at the end.
fn short_key(view: u128, length: u32) -> u128 {
    (view.swap_bytes().rotate_left(32) & !u128::from(u32::MAX)) | u128::from(length)
}

/// Codes by way of a hash table; only the distinct values are sorted.
fn hashed<K: std::hash::Hash + Eq + Ord + Copy>(
    keys: impl Iterator<Item = Option<K>>,
    n_rows: usize,
) -> (Vec<u32>, Vec<IdxSize>) {
    let mut table: PlHashMap<K, u32> = PlHashMap::default();
    let mut found: Vec<(K, IdxSize)> = Vec::new();
    let mut codes = Vec::with_capacity(n_rows);
    let mut last: Option<(K, u32)> = None;
    for (row, key) in (0..).zip(keys) {
        let Some(key) = key else {
            codes.push(MISSING);
            continue;
        };
        let code = match last {
            Some((same, code)) if same == key => code,
            _ => *table.entry(key).or_insert_with(|| {
                found.push((key, row));
                u32::try_from(found.len() - 1).unwrap_or(MISSING)
            }),
        };
        last = Some((key, code));
        codes.push(code);
    }
    let mut order: Vec<(K, u32)> = found.iter().map(|f| f.0).zip(0..).collect();
    order.sort_unstable();
    let mut place = vec![MISSING; found.len()];
    let mut firsts = Vec::with_capacity(found.len());
    for ((_, old), new) in order.into_iter().zip(0..) {
        if let (Some(slot), Some((_, row))) = (place.get_mut(old as usize), found.get(old as usize)) {
            *slot = new;
            firsts.push(*row);
        }
    }
    for code in &mut codes {
        *code = place.get(*code as usize).copied().unwrap_or(MISSING);
    }
    (codes, firsts)
}

fn table_codes(numbers: &Int64Chunked, least: i64, range: usize) -> (Vec<u32>, Vec<IdxSize>) {
    let place = |value: i64| usize::try_from(value - least).unwrap_or(usize::MAX);
    let mut first = vec![IdxSize::MAX; range];
    for (row, value) in (0..).zip(numbers.iter()) {
        if let Some(slot) = value.and_then(|v| first.get_mut(place(v)))
            && *slot == IdxSize::MAX
        {
            *slot = row;
        }
    }
    let mut firsts = Vec::new();
    let mut code = vec![MISSING; range];
    for (slot, &row) in code.iter_mut().zip(&first) {
        if row != IdxSize::MAX {
            *slot = u32::try_from(firsts.len()).unwrap_or(MISSING);
            firsts.push(row);
        }
    }
    let of_row = numbers.iter().map(|v| v.and_then(|v| code.get(place(v)).copied()).unwrap_or(MISSING));
    (of_row.collect(), firsts)
}
