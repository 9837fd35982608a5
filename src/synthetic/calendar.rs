//! The school calendar of the synthetic district, as data.

use jiff::civil::{Date, date};
use jiff::{Span, ToSpan as _};

/// The year in which the last school year with scores, attendance and incidents begins.
pub(super) const LAST_YEAR: u32 = 2025;

/// The Monday of the first week of that school year.
const FIRST_WEEK: Date = date(2025, 8, 25);

/// Mondays of weeks without school: the winter break and the spring break.
const NO_SCHOOL: [Date; 3] = [date(2025, 12, 22), date(2025, 12, 29), date(2026, 3, 23)];

/// Mondays of weeks with holidays, and the days of school that are left: Labor Day, Thanksgiving, Martin Luther King Day,
/// Presidents' Day, Memorial Day.
const SHORT_WEEKS: [(Date, u32); 5] = [
    (date(2025, 9, 1), 4),
    (date(2025, 11, 24), 3),
    (date(2026, 1, 19), 4),
    (date(2026, 2, 16), 4),
    (date(2026, 5, 25), 4),
];

/// A week of school.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Week {
    /// Its Monday.
    pub(super) monday: Date,
    /// Days of school in it.
    pub(super) days: u32,
}

/// The first `n` weeks of school of the last year.
pub(super) fn school_weeks(n: u32) -> Vec<Week> {
    mondays(FIRST_WEEK)
        .filter(|monday| !NO_SCHOOL.contains(monday))
        .take(n as usize)
        .map(|monday| {
            let short = SHORT_WEEKS.iter().find(|(week, _)| *week == monday);
            Week { monday, days: short.map_or(5, |(_, days)| *days) }
        })
        .collect()
}

/// The first day of the teams' new way, in the autumn after the last school year. Their data before it begin on Tuesday,
/// 1 September 2026.
pub(super) const CHANGE: Date = date(2026, 10, 26);

/// Weeks of the teams' data: their Mondays, from that of 31 August to that of 7 December 2026, without Thanksgiving week.
pub(super) fn team_weeks() -> Vec<Week> {
    /// The last of them.
    const LAST: Date = date(2026, 12, 7);
    mondays(date(2026, 8, 31))
        .take_while(|monday| *monday <= LAST)
        .filter(|monday| *monday != date(2026, 11, 23))
        .map(|monday| {
            // School starts on the Tuesday of the first week; the second has Labor Day.
            Week { monday, days: if monday <= date(2026, 9, 7) { 4 } else { 5 } }
        })
        .collect()
}

/// A day of a week: 0 is Monday.
pub(super) fn day(week: Week, weekday: i64) -> Date {
    week.monday.saturating_add(weekday.days())
}

fn mondays(first: Date) -> impl Iterator<Item = Date> {
    let step = Span::new().days(7);
    std::iter::successors(Some(first), move |monday| monday.checked_add(step).ok())
}

#[cfg(test)]
mod tests {
    use jiff::civil::Weekday;

    use super::*;

    #[test]
    fn weeks_are_mondays_in_order_with_gaps_for_the_breaks() {
        let weeks = school_weeks(36);
        assert_eq!(weeks.len(), 36);
        assert!(weeks.iter().all(|week| week.monday.weekday() == Weekday::Monday));
        let gaps: Vec<i32> =
            weeks.windows(2).map(|pair| pair[0].monday.until(pair[1].monday).unwrap().get_days()).collect();
        assert_eq!(gaps.iter().filter(|gap| **gap == 21).count(), 1);
        assert_eq!(gaps.iter().filter(|gap| **gap == 14).count(), 1);
        assert_eq!(gaps.iter().filter(|gap| **gap == 7).count(), 33);
        assert_eq!(weeks[0].monday, date(2025, 8, 25));
        assert_eq!(weeks[35].monday, date(2026, 5, 18));
        // 36 weeks of 5 days, less Labor Day, two days at Thanksgiving, and two Mondays in winter.
        assert_eq!(weeks.iter().map(|week| week.days).sum::<u32>(), 175);
    }

    #[test]
    fn the_teams_weeks_surround_the_change() {
        let weeks = team_weeks();
        assert_eq!(weeks.iter().filter(|week| week.monday < CHANGE).count(), 8);
        assert_eq!(weeks.iter().filter(|week| week.monday >= CHANGE).count(), 6);
        assert_eq!(CHANGE.weekday(), Weekday::Monday);
        assert_eq!(day(weeks[0], 1), date(2026, 9, 1));
    }
}
