//! Columns that tell groups apart, as codes: grouping factors and categorical covariates.

use std::collections::BTreeSet;

use polars::prelude::*;

use super::codes::fast_codes;
use super::columns::{Numbers, column, numbers};
use super::groups::Groups;
use super::points::sentinel_note;
use crate::mixed::{Covariate, all_finite};
use crate::{Error, Note, NoteCode, Result};

/// What stands for a missing value among codes.
pub(super) const MISSING: u32 = u32::MAX;

/// Grades and years written as text are categories; scores come in more than so many kinds.
const MOST_NUMBERED: usize = 30;

/// A column as codes into its distinct values, which are in sort order (an enum's in its own).
#[derive(Debug, Clone)]
pub(super) struct Codes {
    pub(super) name: String,
    /// One per row; [`MISSING`] where the value is null or no number.
    pub(super) of_row: Vec<u32>,
    /// The distinct values, in the column's own type.
    pub(super) keys: Series,
}

impl Codes {
    pub(super) fn new(df: &DataFrame, name: &str) -> Result<Self> {
        let found = column(df, name)?;
        if found.dtype().is_nested() {
            return Err(Error::ColumnType {
                column: name.into(),
                expected: "names, numbers or dates that tell groups apart".into(),
                found: found.dtype().to_string(),
                remedy: "take one field of it".into(),
            });
        }
        let values = found.as_materialized_series();
        if let Some((of_row, firsts)) = fast_codes(values)? {
            let keys = values.take(&IdxCa::from_vec(PlSmallStr::EMPTY, firsts))?;
            return Ok(Self { name: name.into(), of_row, keys });
        }
        let single = df.select([name])?;
        let mut codes = vec![MISSING; df.height()];
        let mut firsts: Vec<IdxSize> = Vec::new();
        for group in Groups::new(&single, &[name.to_owned()])?.iter() {
            let Some(&first) = group.first() else { continue };
            // A float that is no number names nobody.
            match values.get(first as usize) {
                Ok(AnyValue::Null) => continue,
                Ok(AnyValue::Float64(value)) if value.is_nan() => continue,
                Ok(AnyValue::Float32(value)) if value.is_nan() => continue,
                _ => {}
            }
            let code = u32::try_from(firsts.len()).unwrap_or(MISSING);
            firsts.push(first);
            for &row in group {
                if let Some(slot) = codes.get_mut(row as usize) {
                    *slot = code;
                }
            }
        }
        let keys = values.take(&IdxCa::from_vec(PlSmallStr::EMPTY, firsts))?;
        Ok(Self { name: name.into(), of_row: codes, keys })
    }

    /// The distinct values as text.
    pub(super) fn labels(&self) -> Result<Vec<String>> {
        let text = self.keys.cast(&DataType::String)?;
        Ok(text.str()?.iter().map(|label| label.unwrap_or_default().to_owned()).collect())
    }

    /// The values that these codes stand for, as a column.
    pub(super) fn gather(&self, codes: impl Iterator<Item = u32>) -> Result<Column> {
        Ok(self.keys.take(&IdxCa::from_vec(PlSmallStr::EMPTY, codes.collect()))?.into_column())
    }

    /// Only these rows, and only the values that occur in them.
    fn keep(&mut self, kept: &[bool]) -> Result<()> {
        retain(&mut self.of_row, kept);
        let mut new = vec![MISSING; self.keys.len()];
        for &code in &self.of_row {
            if let Some(slot) = new.get_mut(code as usize) {
                *slot = 0;
            }
        }
        let mut occurring: Vec<IdxSize> = Vec::new();
        for (old, slot) in (0..).zip(&mut new) {
            if *slot == 0 {
                *slot = u32::try_from(occurring.len()).unwrap_or(MISSING);
                occurring.push(old);
            }
        }
        for code in &mut self.of_row {
            *code = new.get(*code as usize).copied().unwrap_or(MISSING);
        }
        self.keys = self.keys.take(&IdxCa::from_vec(PlSmallStr::EMPTY, occurring))?;
        Ok(())
    }
}

/// One column of the fixed part.
#[derive(Debug)]
enum Fixed {
    Numeric(String, Numbers),
    Categorical(Codes),
}

/// What a model is fitted to: the rows where everything is there, and how many were left out for which column.
#[derive(Debug)]
pub(super) struct ModelData {
    pub(super) y: Numbers,
    /// The weights of the rows, where they have any.
    pub(super) weights: Option<Numbers>,
    /// Which rows are used; empty where all are.
    pub(super) kept: Vec<bool>,
    fixed: Vec<Fixed>,
    levels: Vec<Vec<String>>,
    pub(super) factors: Vec<Codes>,
    pub(super) notes: Vec<Note>,
}

/// Text of which every value is a number is a category (a grade, a year) only while there are few of them.
fn check_no_numbers(column: &Column) -> Result<()> {
    let Ok(texts) = column.as_materialized_series().str() else { return Ok(()) };
    let mut different = BTreeSet::new();
    for text in texts.iter().flatten() {
        if text.trim().parse::<f64>().is_err() {
            return Ok(());
        }
        different.insert(text);
    }
    if different.len() <= MOST_NUMBERED {
        return Ok(());
    }
    Err(Error::ColumnType {
        column: column.name().to_string(),
        expected: "numbers, or the names of categories".into(),
        found: format!("str ({} different numbers written as text)", different.len()),
        remedy: "turn it into numbers first, or into a categorical column if they are names".into(),
    })
}

impl ModelData {
    /// Numbers enter linearly; text, booleans and categories as treatment contrasts.
    pub(super) fn new(df: &DataFrame, outcome: &str, fixed: &[String], factors: &[String]) -> Result<Self> {
        Self::with(df, outcome, fixed, factors, None, &[])
    }

    /// The same with a column of weights, and with rows that some other column makes unusable: its name, and which.
    pub(super) fn with(
        df: &DataFrame,
        outcome: &str,
        fixed: &[String],
        factors: &[String],
        weights: Option<&str>,
        unusable: &[(String, Vec<bool>)],
    ) -> Result<Self> {
        let mut y = numbers(df, outcome)?;
        let mut rows = Rows { kept: vec![true; y.len()], notes: vec![] };
        rows.leave_out_unless_finite(outcome, &y);
        let mut columns = vec![];
        for name in fixed {
            let dtype = column(df, name)?.dtype().clone();
            if dtype.is_primitive_numeric() {
                let values = numbers(df, name)?;
                rows.leave_out_unless_finite(name, &values);
                columns.push(Fixed::Numeric(name.clone(), values));
            } else {
                check_no_numbers(column(df, name)?)?;
                let codes = Codes::new(df, name)?;
                rows.leave_out_missing(&codes);
                columns.push(Fixed::Categorical(codes));
            }
        }
        let mut groups = vec![];
        for name in factors {
            let codes = Codes::new(df, name)?;
            rows.leave_out_missing(&codes);
            groups.push(codes);
        }
        for (name, missing) in unusable {
            rows.leave_out(name, missing.iter().copied());
        }
        let mut weights = weights.map(|name| rows.weights(df, name)).transpose()?;
        let n_left_out = rows.kept.iter().filter(|keep| !**keep).count();
        let Rows { kept, mut notes } = rows;
        if n_left_out > 0 {
            y.retain(&kept);
            if let Some(weights) = &mut weights {
                weights.retain(&kept);
            }
            for column in &mut columns {
                match column {
                    Fixed::Numeric(_, values) => values.retain(&kept),
                    Fixed::Categorical(codes) => codes.keep(&kept)?,
                }
            }
            for codes in &mut groups {
                codes.keep(&kept)?;
            }
            // One column's rows are all there is to say where only one column lacks values.
            if let [only] = notes.as_mut_slice() {
                only.count = n_left_out;
            } else {
                notes.push(Note::new(NoteCode::RowsLeftOut, n_left_out));
            }
        }
        notes.extend(sentinel_note(&y, outcome));
        for column in &columns {
            if let Fixed::Numeric(name, values) = column {
                notes.extend(sentinel_note(values, name));
            }
        }
        let levels = columns
            .iter()
            .map(|column| match column {
                Fixed::Numeric(..) => Ok(vec![]),
                Fixed::Categorical(codes) => codes.labels(),
            })
            .collect::<Result<_>>()?;
        let kept = if n_left_out > 0 { kept } else { vec![] };
        Ok(Self { y, weights, kept, fixed: columns, levels, factors: groups, notes })
    }

    /// The covariates, as the model takes them.
    pub(super) fn covariates(&self) -> Vec<Covariate<'_>> {
        self.fixed
            .iter()
            .zip(&self.levels)
            .map(|(column, levels)| match column {
                Fixed::Numeric(name, values) => Covariate::Numeric { name, values },
                Fixed::Categorical(codes) => Covariate::Categorical { name: &codes.name, codes: &codes.of_row, levels },
            })
            .collect()
    }
}

/// Which rows are still used, and why the others are not.
struct Rows {
    kept: Vec<bool>,
    notes: Vec<Note>,
}

impl Rows {
    fn leave_out(&mut self, name: &str, missing: impl Iterator<Item = bool>) {
        self.leave_out_as(NoteCode::RowsLeftOut, name, missing);
    }

    fn leave_out_as(&mut self, code: NoteCode, name: &str, missing: impl Iterator<Item = bool>) {
        let mut n = 0;
        for (keep, _) in self.kept.iter_mut().zip(missing).filter(|(_, missing)| *missing) {
            n += 1;
            *keep = false;
        }
        if n > 0 {
            self.notes.push(Note::new(code, n).at(name));
        }
    }

    fn leave_out_unless_finite(&mut self, name: &str, values: &[f64]) {
        if !all_finite(values) {
            self.leave_out(name, values.iter().map(|v| !v.is_finite()));
        }
    }

    fn leave_out_missing(&mut self, codes: &Codes) {
        if codes.of_row.contains(&MISSING) {
            self.leave_out(&codes.name, codes.of_row.iter().map(|c| *c == MISSING));
        }
    }

    /// Weights: a missing one leaves its row out like any missing value, a zero says that the row does not count.
    fn weights(&mut self, df: &DataFrame, name: &str) -> Result<Numbers> {
        let values = numbers(df, name)?;
        let is_null = column(df, name)?.as_materialized_series().is_null();
        let faulty = values
            .iter()
            .zip(is_null.iter())
            .enumerate()
            .find(|(_, (w, is_null))| *is_null != Some(true) && !(w.is_finite() && **w >= 0.0));
        if let Some((row, (weight, _))) = faulty {
            return Err(Error::InvalidValue {
                what: format!("the weights {name:?}"),
                found: format!("{weight} in row {row}"),
                remedy: "give finite weights of 0 or more: the error variance of a row is sigma^2 / weight".into(),
            });
        }
        self.leave_out(name, is_null.iter().map(|is_null| is_null == Some(true)));
        self.leave_out_as(NoteCode::ZeroWeight, name, values.iter().map(|w| *w == 0.0));
        Ok(values)
    }
}

pub(super) fn retain<T: Copy>(values: &mut Vec<T>, kept: &[bool]) {
    let mut keep = kept.iter();
    values.retain(|_| keep.next().copied().unwrap_or(false));
}
