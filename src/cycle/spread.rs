//! How a practice spreads: places that were offered it, tried it, and keep it.

use jiff::civil::Date;

use super::{Adoption, Gate, PracticeRules};

/// The adoptions of a practice by a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spread {
    pub(super) n_offered: u32,
    pub(super) n_tried: u32,
    /// Places that tried it so long ago that they either keep it or do not.
    pub(super) n_due: u32,
    pub(super) n_kept: u32,
    first_tried: Option<Date>,
}

/// Counts adoptions, reading nothing later than `as_of`. Kept: seen in use `keep_days` after the first try or later. A
/// place that is due and was not seen since counts as not kept: nobody looking is no sign of use.
pub(super) fn spread(adoptions: &[&Adoption], rules: &PracticeRules, as_of: Date) -> Spread {
    let mut found = Spread { n_offered: 0, n_tried: 0, n_due: 0, n_kept: 0, first_tried: None };
    for adoption in adoptions.iter().filter(|a| a.offered <= as_of) {
        found.n_offered += 1;
        let Some(tried) = adoption.tried.filter(|day| *day <= as_of) else { continue };
        found.n_tried += 1;
        found.first_tried = Some(found.first_tried.map_or(tried, |first| first.min(tried)));
        let due = tried.saturating_add(jiff::Span::new().days(i64::from(rules.keep_days)));
        if due <= as_of {
            found.n_due += 1;
            found.n_kept += u32::from(adoption.last_seen.is_some_and(|seen| due <= seen && seen <= as_of));
        }
    }
    found
}

/// The days on which what [`spread`] says may change.
pub(super) fn days<'a>(adoptions: &'a [&Adoption], rules: &'a PracticeRules) -> impl Iterator<Item = Date> + 'a {
    let later = |day: Date, days: u32| day.saturating_add(jiff::Span::new().days(i64::from(days)));
    adoptions.iter().flat_map(move |adoption| {
        let kept = adoption.tried.map(|tried| later(tried, rules.keep_days));
        let term = adoption.tried.map(|tried| later(tried, rules.term_days));
        [Some(adoption.offered), adoption.tried, kept, term, adoption.last_seen].into_iter().flatten()
    })
}

impl Spread {
    /// What is missing for a gate that adoptions decide; `None` where it is passed.
    pub(super) fn missing(&self, gate: Gate, rules: &PracticeRules, as_of: Date) -> Option<String> {
        match gate {
            Gate::TriedByOthers => (self.n_tried == 0).then(|| {
                if self.n_offered == 0 {
                    "a place to which it was offered and which tried it".to_owned()
                } else {
                    format!("a place that tried it: it was offered to {}", self.n_offered)
                }
            }),
            Gate::Kept if self.n_due < rules.kept_units => Some(format!(
                "{} of {} places that tried it {} days ago or earlier",
                self.n_due, rules.kept_units, rules.keep_days
            )),
            Gate::Kept => (f64::from(self.n_kept) < rules.keep_rate * f64::from(self.n_due)).then(|| {
                format!(
                    "{:.0}% of places that keep it after {} days: {} of {} do",
                    100.0 * rules.keep_rate,
                    rules.keep_days,
                    self.n_kept,
                    self.n_due
                )
            }),
            Gate::OneTerm => {
                let from = as_of.saturating_sub(jiff::Span::new().days(i64::from(rules.term_days)));
                let is_old = self.first_tried.is_some_and(|first| first <= from);
                (!is_old).then(|| format!("a term ({} days) of use by others", rules.term_days))
            }
            _ => None,
        }
    }
}
