//! The rows of the two phases, as they can be compared.

use super::{Contrast, ContrastInput, Shape, note};
use crate::stats::step::{N_MIN, STABLE_FROM, UNEQUAL_SIZES};
use crate::stats::tally::Tally;
use crate::{Error, NoteCode, Result};

/// Which phase came first.
pub(super) enum Order {
    Forward,
    Backward,
}

/// The usable rows of each phase: values over 1, or numerators over denominators.
#[derive(Debug, Default)]
pub(super) struct Windows {
    pub(super) before: Vec<Tally>,
    pub(super) after: Vec<Tally>,
    /// First and last row of each.
    ends_before: Option<(usize, usize)>,
    ends_after: Option<(usize, usize)>,
    n_missing: usize,
    n_infinite: usize,
    n_without_denominator: usize,
    /// The largest over the smallest number of observations behind a value, and how many values have one.
    unequal: Option<(usize, f64)>,
}

impl Windows {
    pub(super) fn of(shape: Shape, input: &ContrastInput<'_>) -> Result<Self> {
        let n_rows = input.value.len();
        for (name, n) in [("is_before", input.is_before.len()), ("is_after", input.is_after.len())] {
            if n != n_rows {
                return Err(Error::option(
                    name,
                    format!("{n} flags"),
                    format!("one flag for each of the {n_rows} rows"),
                ));
            }
        }
        let has_size = !input.size.is_empty();
        if has_size && input.size.len() != n_rows {
            let found = format!("{} numbers", input.size.len());
            return Err(Error::option("size", found, format!("one for each of the {n_rows} rows, or empty")));
        }
        if !has_size && shape == Shape::Proportion {
            return Err(Error::option("size", "nothing", "the denominators of the proportions"));
        }
        let mut windows = Self::default();
        let (mut smallest, mut largest, mut n_sized) = (f64::INFINITY, 0.0_f64, 0);
        let flags = input.is_before.iter().zip(input.is_after);
        for (row, (&value, (&is_before, &is_after))) in input.value.iter().zip(flags).enumerate() {
            if is_before && is_after {
                return Err(Error::option("is_after", format!("row {row}"), "a row that is not also before"));
            }
            if !(is_before || is_after) {
                continue;
            }
            let size = input.size.get(row).copied();
            let Some(tally) = windows.usable(shape, value, size)? else { continue };
            if matches!(shape, Shape::Mean | Shape::Median)
                && let Some(size) = size.filter(|size| *size > 0.0)
            {
                (smallest, largest, n_sized) = (smallest.min(size), largest.max(size), n_sized + 1);
            }
            let (phase, ends) = if is_before {
                (&mut windows.before, &mut windows.ends_before)
            } else {
                (&mut windows.after, &mut windows.ends_after)
            };
            phase.push(tally);
            *ends = Some((ends.map_or(row, |(first, _)| first), row));
        }
        let ratio = largest / smallest;
        windows.unequal = (ratio.is_finite() && ratio > UNEQUAL_SIZES).then_some((n_sized, ratio));
        Ok(windows)
    }

    /// The row as it is compared; `None`, and counted, where it cannot be.
    fn usable(&mut self, shape: Shape, value: f64, size: Option<f64>) -> Result<Option<Tally>> {
        if value.is_nan() {
            self.n_missing += 1;
            return Ok(None);
        }
        if value.is_infinite() {
            self.n_infinite += 1;
            return Ok(None);
        }
        let denominator = match shape {
            Shape::Mean | Shape::Median => return Ok(Some(Tally::new(value, 1.0))),
            // One event in the cases that passed and its own.
            Shape::Gap if value >= 0.0 => return Ok(Some(Tally::new(1.0, value + 1.0))),
            Shape::Gap => return Err(below_zero("the cases between events", value)),
            Shape::Proportion | Shape::Rate => size.unwrap_or(1.0),
        };
        if !(denominator > 0.0 && denominator.is_finite()) {
            self.n_without_denominator += 1;
            return Ok(None);
        }
        if value < 0.0 {
            return Err(below_zero("the numerators", value));
        }
        let tally = Tally::new(value, denominator);
        if shape == Shape::Proportion {
            tally.require_share("the counts of a proportion")?;
        }
        Ok(Some(tally))
    }

    /// Which phase came first; a phase without a row came whenever.
    pub(super) fn order(&self) -> Result<Order> {
        let (Some((first_before, last_before)), Some((first_after, last_after))) = (self.ends_before, self.ends_after)
        else {
            return Ok(Order::Forward);
        };
        if last_before < first_after {
            Ok(Order::Forward)
        } else if last_after < first_before {
            Ok(Order::Backward)
        } else {
            let found = format!("rows {first_after} to {last_after}, where before is {first_before} to {last_before}");
            Err(Error::option("is_after", found, "rows that all follow those before, or all precede them"))
        }
    }

    /// The contrast with the notes on its rows.
    pub(super) fn noted(&self, mut found: Contrast) -> Contrast {
        if found.estimate.is_some() && (N_MIN..STABLE_FROM).contains(&found.n_before) {
            let n_before = found.n_before;
            note(&mut found, NoteCode::FewPoints, n_before, None);
        }
        if let Some((count, ratio)) = self.unequal {
            note(&mut found, NoteCode::UnequalSizes, count, Some(ratio));
        }
        for (code, count) in [
            (NoteCode::MissingValue, self.n_missing),
            (NoteCode::InfiniteValue, self.n_infinite),
            (NoteCode::InvalidDenominator, self.n_without_denominator),
        ] {
            if count > 0 {
                note(&mut found, code, count, None);
            }
        }
        found
    }
}

fn below_zero(what: &str, value: f64) -> Error {
    Error::InvalidValue {
        what: what.into(),
        found: format!("{value} among them"),
        remedy: "give counts of 0 or more, and leave missing ones empty".into(),
    }
}
