//! Who did something, and when: always arguments, never read from a clock.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::{Error, Result};

/// Who makes a move and when, and which version of the record they have seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The version of the record that the mover has seen: if it has moved on since, the move is refused. `None` to
    /// move whatever the version.
    pub expected: Option<u64>,
}

impl Stamp {
    /// A stamp that expects no particular version.
    pub fn new(by: impl Into<String>, at: Timestamp) -> Self {
        Self { by: by.into(), at, expected: None }
    }

    /// The same stamp, for a record that must still be at `version`.
    #[must_use]
    pub fn expecting(mut self, version: u64) -> Self {
        self.expected = Some(version);
        self
    }

    /// The civil day of the stamp, in UTC.
    pub fn date(&self) -> Date {
        date_of(self.at)
    }
}

/// The civil day of a moment, in UTC.
pub(crate) fn date_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// A moment from text: RFC 3339 ("2026-10-05T14:30:00Z", "2026-10-05T09:30:00-05:00"), or a date alone, which stands
/// for the start of that day in UTC.
///
/// # Errors
/// [`Error::InvalidOption`] for anything else.
///
/// ```
/// use brightspot::record::parse_timestamp;
///
/// assert_eq!(parse_timestamp("2026-10-05")?.to_string(), "2026-10-05T00:00:00Z");
/// assert_eq!(parse_timestamp("2026-10-05T09:30:00-05:00")?.to_string(), "2026-10-05T14:30:00Z");
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn parse_timestamp(text: &str) -> Result<Timestamp> {
    let wrong = || {
        Error::option("at", format!("{text:?}"), "a date (2026-10-05) or a moment with its zone (2026-10-05T14:30:00Z)")
    };
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    // A date parser that also takes "2026-10-05T14:30" would drop the time without a word.
    let date: Date = if text.len() == 10 { text.parse().map_err(|_| wrong())? } else { return Err(wrong()) };
    date.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp()).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_zone_is_refused() {
        assert_eq!(parse_timestamp("2026-10-05T14:30").unwrap_err().code(), "invalid_option");
        assert!(parse_timestamp("05/10/2026").is_err());
        assert!(parse_timestamp("2026-13-05").is_err());
    }

    #[test]
    fn the_day_of_a_moment_is_in_utc() {
        let stamp = Stamp::new("kim", parse_timestamp("2026-10-05T22:00:00-05:00").unwrap());
        assert_eq!(stamp.date().to_string(), "2026-10-06");
    }
}
