//! Columns of results, from iterators.

use polars::prelude::*;

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
