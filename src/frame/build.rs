//! Columns of results: from iterators, or from memory that becomes the column's own.

use polars::prelude::*;

use crate::Result;

/// NaN and infinity stand for "none" inside; outside they are null.
pub(super) fn numbers(name: &str, values: impl Iterator<Item = Option<f64>>) -> Column {
    let column: Float64Chunked = values.map(|value| value.filter(|value| value.is_finite())).collect();
    column.with_name(name.into()).into_column()
}

pub(super) fn counts(name: &str, values: impl Iterator<Item = Option<usize>>) -> Column {
    let column: Int64Chunked = values.map(|value| value.and_then(|value| i64::try_from(value).ok())).collect();
    column.with_name(name.into()).into_column()
}

pub(super) fn flags(name: &str, values: impl Iterator<Item = Option<bool>>) -> Column {
    let column: BooleanChunked = values.collect();
    column.with_name(name.into()).into_column()
}

pub(super) fn texts<'a>(name: &str, values: impl Iterator<Item = Option<&'a str>>) -> Column {
    let column: StringChunked = values.collect();
    column.with_name(name.into()).into_column()
}

/// As [`numbers`], of values that are all there in memory.
pub(super) fn all_numbers(name: &str, values: Vec<f64>) -> Column {
    let name = PlSmallStr::from(name);
    if values.iter().all(|value| value.is_finite()) {
        return Float64Chunked::from_vec(name, values).into_column();
    }
    let is_there = BooleanChunked::from_iter_values(PlSmallStr::EMPTY, values.iter().map(|value| value.is_finite()));
    let validity = is_there.downcast_iter().next().map(|flags| flags.values().clone());
    Float64Chunked::from_vec_validity(name, values, validity).into_column()
}

pub(super) fn all_flags(name: &str, values: &[bool]) -> Column {
    BooleanChunked::from_iter_values(name.into(), values.iter().copied()).into_column()
}

/// Texts that are few words, each many times: every row says which of `words` stands there.
pub(super) fn few_words(name: &str, words: &[&str], which: impl Iterator<Item = usize> + Clone) -> Result<Column> {
    let n_rows = which.clone().count();
    let mut others = which.clone();
    let first = others.next().unwrap_or_default();
    if let Some(word) = words.get(first).filter(|_| others.all(|other| other == first)) {
        return Ok(StringChunked::full(name.into(), word, n_rows).into_column());
    }
    let which: Vec<IdxSize> = which.filter_map(|word| IdxSize::try_from(word).ok()).collect();
    let words = StringChunked::from_slice(name.into(), words);
    Ok(words.take(&IdxCa::from_vec(PlSmallStr::EMPTY, which))?.into_column())
}
