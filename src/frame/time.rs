//! The time column: any type that has an order, as integer keys.

use jiff::{ToSpan, civil, tz::TimeZone};
use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::columns::column;
use crate::{Error, Result};

/// A time given by the caller: a number, or a date or date-time in ISO 8601.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TimeValue {
    /// For a time column of numbers (week 1, 2, 3 ...).
    Number(f64),
    /// For a time column of dates or date-times: "2026-10-05", "2026-10-05T08:00:00".
    Text(String),
}

impl std::fmt::Display for TimeValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

/// What a time column holds.
#[derive(Debug, Clone)]
enum Kind {
    Integer,
    Float,
    Date,
    Datetime(TimeUnit, Option<TimeZone>),
}

/// A time column as keys that sort as the times do; null where the time is missing.
#[derive(Debug)]
pub(super) struct Times {
    name: String,
    kind: Kind,
    /// In one chunk.
    keys: Int64Chunked,
}

impl Times {
    pub(super) fn new(df: &DataFrame, name: &str) -> Result<Self> {
        let found = column(df, name)?;
        let kind = match found.dtype() {
            DataType::Date => Kind::Date,
            DataType::Datetime(unit, zone) => {
                let zone = zone.as_ref().map(|zone| TimeZone::get(zone.as_str())).transpose().map_err(|e| {
                    Error::InvalidValue {
                        what: format!("the time zone of column {name:?}"),
                        found: e.to_string(),
                        remedy: "convert the times to a zone that this machine knows".into(),
                    }
                })?;
                Kind::Datetime(*unit, zone)
            }
            dtype if dtype.is_integer() => Kind::Integer,
            dtype if dtype.is_float() => Kind::Float,
            dtype => {
                return Err(Error::ColumnType {
                    column: name.into(),
                    expected: "dates, date-times or numbers".into(),
                    found: dtype.to_string(),
                    // Text sorts by its letters: "week 10" would come before "week 2".
                    remedy: "parse it (in polars: .str.to_date()) or number the periods".into(),
                });
            }
        };
        let series = found.as_materialized_series();
        let keys = if matches!(kind, Kind::Float) {
            let cast = series.cast(&DataType::Float64)?;
            cast.f64()?.iter().map(|time| time.filter(|t| !t.is_nan()).map(float_key)).collect()
        } else {
            series.to_physical_repr().cast(&DataType::Int64)?.i64()?.rechunk().into_owned()
        };
        Ok(Self { name: name.into(), kind, keys })
    }

    /// The key of a row.
    pub(super) fn at(&self, row: IdxSize) -> Option<i64> {
        // Where none is missing the keys are plain memory.
        match self.keys.cont_slice() {
            Ok(keys) => keys.get(row as usize).copied(),
            Err(_) => self.keys.get(row as usize),
        }
    }

    /// The civil days of the times, each in the column's own zone.
    pub(super) fn dates(&self) -> Result<Vec<Option<civil::Date>>> {
        if matches!(self.kind, Kind::Integer | Kind::Float) {
            return Err(Error::ColumnType {
                column: self.name.clone(),
                expected: "dates or date-times".into(),
                found: "numbers".into(),
                remedy: "the windows of a plan are dates: give the date that each value stands for".into(),
            });
        }
        Ok(self.keys.iter().map(|key| key.and_then(|key| self.date(key))).collect())
    }

    fn date(&self, key: i64) -> Option<civil::Date> {
        match &self.kind {
            Kind::Date => civil::date(1970, 1, 1).checked_add(i32::try_from(key).ok()?.days()).ok(),
            _ => self.moment(key).map(civil::DateTime::date),
        }
    }

    fn moment(&self, key: i64) -> Option<civil::DateTime> {
        let Kind::Datetime(unit, zone) = &self.kind else { return None };
        let per_second = per_second(*unit);
        let nanos = i32::try_from(key.rem_euclid(per_second) * (1_000_000_000 / per_second)).ok()?;
        let stamp = jiff::Timestamp::new(key.div_euclid(per_second), nanos).ok()?;
        Some(stamp.to_zoned(zone.clone().unwrap_or(TimeZone::UTC)).datetime())
    }

    /// The smallest and the largest time there is.
    pub(super) fn span(&self) -> Option<(i64, i64)> {
        Some((self.keys.min()?, self.keys.max()?))
    }

    /// The key of a given time; for a date against date-times its first moment.
    pub(super) fn key(&self, option: &str, value: &TimeValue) -> Result<i64> {
        self.bound(option, value, false)
    }

    /// The last key that a given time covers: for a date against date-times the day's last tick.
    pub(super) fn last_key(&self, option: &str, value: &TimeValue) -> Result<i64> {
        self.bound(option, value, true)
    }

    fn bound(&self, option: &str, value: &TimeValue, is_end: bool) -> Result<i64> {
        let wrong = |allowed: &str| Error::option(option, value, format!("{allowed}, as column {:?} is", self.name));
        match (&self.kind, value) {
            // A whole number of sensible size converts exactly; anything else is refused.
            #[allow(clippy::cast_possible_truncation)]
            (Kind::Integer, TimeValue::Number(number)) if number.fract() == 0.0 && number.abs() < 9e15 => {
                Ok(*number as i64)
            }
            (Kind::Integer, _) => Err(wrong("a whole number")),
            (Kind::Float, TimeValue::Number(number)) if !number.is_nan() => Ok(float_key(*number)),
            (Kind::Float, _) => Err(wrong("a number")),
            (Kind::Date, TimeValue::Text(text)) => {
                let date: civil::Date = text.parse().map_err(|_| wrong("a date like \"2026-10-05\""))?;
                Ok(days(date))
            }
            (Kind::Date, _) => Err(wrong("a date like \"2026-10-05\"")),
            (Kind::Datetime(unit, zone), TimeValue::Text(text)) => {
                let whole_day = text.parse::<civil::Date>().is_ok() && !text.contains(':');
                let moment: civil::DateTime =
                    text.parse().map_err(|_| wrong("a date or date-time like \"2026-10-05T08:00:00\""))?;
                if whole_day && is_end {
                    let next = moment.checked_add(1.day()).map_err(|_| wrong("a date within the calendar"))?;
                    Ok(ticks(next, *unit, zone.as_ref()).ok_or_else(|| wrong("a date within the calendar"))? - 1)
                } else {
                    ticks(moment, *unit, zone.as_ref()).ok_or_else(|| wrong("a date within the calendar"))
                }
            }
            (Kind::Datetime(..), _) => Err(wrong("a date or date-time like \"2026-10-05T08:00:00\"")),
        }
    }

    /// A key in words, for messages.
    pub(super) fn describe(&self, key: i64) -> String {
        match &self.kind {
            Kind::Integer => key.to_string(),
            Kind::Float => float_of(key).to_string(),
            Kind::Date => self.date(key).map_or_else(|| key.to_string(), |date| date.to_string()),
            Kind::Datetime(..) => self.moment(key).map_or_else(|| key.to_string(), |moment| moment.to_string()),
        }
    }

    /// Whether keys in order leave out periods: a step of more than one and a half times the usual one.
    pub(super) fn has_gaps(&self, sorted: &[i64], steps: &mut Vec<f64>) -> bool {
        /// Fewer steps than this have no usual size.
        const MIN_STEPS: usize = 4;
        steps.clear();
        steps.extend(sorted.windows(2).filter_map(|pair| match (pair, &self.kind) {
            ([a, b], Kind::Float) => Some(float_of(*b) - float_of(*a)),
            ([a, b], _) => Some((b - a) as f64),
            _ => None,
        }));
        if steps.len() < MIN_STEPS {
            return false;
        }
        let longest = steps.iter().copied().fold(0.0, f64::max);
        crate::stats::summary::median(steps).is_some_and(|usual| longest > 1.5 * usual)
    }
}

/// Days since 1970-01-01.
pub(super) fn days(date: civil::Date) -> i64 {
    i64::from((date - civil::date(1970, 1, 1)).get_days())
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Milliseconds => 1_000,
        TimeUnit::Microseconds => 1_000_000,
        TimeUnit::Nanoseconds => 1_000_000_000,
    }
}

fn ticks(moment: civil::DateTime, unit: TimeUnit, zone: Option<&TimeZone>) -> Option<i64> {
    let zone = zone.cloned().unwrap_or(TimeZone::UTC);
    let stamp = zone.to_zoned(moment).ok()?.timestamp();
    let per_second = per_second(unit);
    let part = i64::from(stamp.subsec_nanosecond()) / (1_000_000_000 / per_second);
    stamp.as_second().checked_mul(per_second)?.checked_add(part)
}

/// Floats as integers of the same order.
fn float_key(time: f64) -> i64 {
    // -0.0 and 0.0 are one time.
    let bits = (time + 0.0).to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

fn float_of(key: i64) -> f64 {
    f64::from_bits((key ^ ((key >> 63).cast_unsigned() >> 1).cast_signed()).cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn float_keys_keep_the_order_and_come_back() {
        let times = [f64::NEG_INFINITY, -2.5, -1e-300, 0.0, 1e-300, 3.0, f64::INFINITY];
        assert!(times.windows(2).all(|pair| float_key(pair[0]) < float_key(pair[1])));
        assert!(times.iter().all(|&t| float_of(float_key(t)) == t));
        assert_eq!(float_key(-0.0), float_key(0.0));
    }
}
