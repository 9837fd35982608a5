//! Who uses what, from rows as people keep them: observations, surveys, coaches' logs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spec::PracticeUse;
use crate::{Error, Note, NoteCode, Result};

/// What several rows of one unit and practice that differ are together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// The highest: used if anybody saw it.
    Any,
    /// The mean: how often it was seen, or how faithfully on average.
    Mean,
}

/// Rows about the use of practices.
#[derive(Debug, Clone, Copy)]
pub struct UseRows<'a> {
    /// The position of the row's unit among those of the search; `None` for a unit that the search did not have.
    pub unit: &'a [Option<usize>],
    /// The row's practice, as an index into `practices`; `None` where the unit was asked or watched and no practice is
    /// named.
    pub practice: &'a [Option<u32>],
    /// The practices.
    pub practices: &'a [String],
    /// Whether it is used; `None` in a row where nobody knows. Without this column every row says "used", and a unit
    /// with at least one row does not use what is not listed for it.
    pub is_used: Option<&'a [Option<bool>]>,
    /// How faithfully, 0 to 1; `None` in a row where nobody knows.
    pub fidelity: Option<&'a [Option<f64>]>,
}

impl UseRows<'_> {
    /// How far every unit uses every practice: three-valued, because what nobody knows is not "does not use".
    ///
    /// A use whose fidelity is asked for and missing is not known. Rows of one unit and practice that agree are one;
    /// where they differ, `combine` says what they are together. Rows of which nothing is known give way to others.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for columns of different lengths, a fidelity outside of \[0, 1\] or of a practice that is
    /// not used, and rows that contradict each other where `combine` is `None`.
    ///
    /// # Notes
    /// `unlisted_not_used`, `repeated_uses`.
    ///
    /// ```
    /// use brightspot::bright::UseRows;
    ///
    /// // The first unit uses both practices, the second one of them, the third none; nobody asked the fourth.
    /// let rows = UseRows {
    ///     unit: &[Some(0), Some(0), Some(1), Some(2)],
    ///     practice: &[Some(0), Some(1), Some(0), None],
    ///     practices: &["exit tickets".into(), "number talks".into()],
    ///     is_used: None,
    ///     fidelity: None,
    /// };
    /// let (uses, _) = rows.uses(4, None)?;
    /// assert_eq!(uses[1].dose, [Some(1.0), Some(0.0), Some(0.0), None]);
    /// # Ok::<(), brightspot::Error>(())
    /// ```
    pub fn uses(&self, n_units: usize, combine: Option<Combine>) -> Result<(Vec<PracticeUse>, Vec<Note>)> {
        self.check_lengths()?;
        let mut is_observed = vec![false; n_units];
        let mut cells: BTreeMap<(u32, usize), Vec<Option<f64>>> = BTreeMap::new();
        for (row, (unit, practice)) in self.unit.iter().zip(self.practice).enumerate() {
            let dose = self.dose(row)?;
            let Some(unit) = unit.filter(|unit| *unit < n_units) else { continue };
            if let Some(flag) = is_observed.get_mut(unit) {
                *flag = true;
            }
            if let Some(practice) = practice {
                cells.entry((*practice, unit)).or_default().push(dose);
            }
        }
        let listed = self.is_used.is_none();
        let unlisted = |observed: &bool| (listed && *observed).then_some(0.0);
        let mut uses: Vec<PracticeUse> = self
            .practices
            .iter()
            .map(|name| PracticeUse { name: name.clone(), dose: is_observed.iter().map(unlisted).collect() })
            .collect();
        let mut n_repeated = 0;
        for ((practice, unit), doses) in &cells {
            n_repeated += doses.len() - 1;
            let Some(of) = uses.get_mut(*practice as usize) else { continue };
            let known: Vec<f64> = doses.iter().flatten().copied().collect();
            let dose = together(&of.name, &known, combine)?;
            if let Some(cell) = of.dose.get_mut(*unit) {
                *cell = dose;
            }
        }
        let mut notes = Vec::new();
        if listed {
            notes.push(Note::new(NoteCode::UnlistedNotUsed, is_observed.iter().filter(|o| **o).count()));
        }
        if n_repeated > 0 {
            notes.push(Note::new(NoteCode::RepeatedUses, n_repeated));
        }
        Ok((uses, notes))
    }

    fn check_lengths(&self) -> Result<()> {
        let n = self.unit.len();
        let others = [Some(self.practice.len()), self.is_used.map(<[_]>::len), self.fidelity.map(<[_]>::len)];
        match others.into_iter().flatten().find(|len| *len != n) {
            None => Ok(()),
            Some(len) => Err(Error::InvalidValue {
                what: "the rows of uses".into(),
                found: format!("columns of {n} and of {len} rows"),
                remedy: "give columns of one length".into(),
            }),
        }
    }

    /// What one row says.
    fn dose(&self, row: usize) -> Result<Option<f64>> {
        let is_used = self.is_used.map_or(Some(true), |used| used.get(row).copied().flatten());
        let Some(fidelity) = self.fidelity else { return Ok(is_used.map(|used| f64::from(u8::from(used)))) };
        let fidelity = fidelity.get(row).copied().flatten();
        let wrong = |found: String, remedy: &str| Error::InvalidValue {
            what: "the fidelity of a use".into(),
            found,
            remedy: remedy.into(),
        };
        if let Some(value) = fidelity.filter(|f| !(0.0..=1.0).contains(f)) {
            return Err(wrong(format!("{value} in row {row}"), "give shares from 0 to 1 (divide percentages by 100)"));
        }
        match (is_used, fidelity) {
            (Some(false), Some(value)) if value > 0.0 => {
                Err(wrong(format!("{value} in row {row}, which says that it is not used"), "correct one of the two"))
            }
            (Some(false), _) => Ok(Some(0.0)),
            (Some(true), fidelity) => Ok(fidelity),
            (None, _) => Ok(None),
        }
    }
}

/// The known rows of one unit and practice as one.
fn together(practice: &str, known: &[f64], combine: Option<Combine>) -> Result<Option<f64>> {
    let Some(&first) = known.first() else { return Ok(None) };
    let highest = known.iter().copied().fold(first, f64::max);
    let lowest = known.iter().copied().fold(first, f64::min);
    match combine {
        None if highest > lowest => Err(contradiction(practice, known)),
        None | Some(Combine::Any) => Ok(Some(highest)),
        Some(Combine::Mean) => Ok(Some(known.iter().sum::<f64>() / known.len() as f64)),
    }
}

fn contradiction(practice: &str, known: &[f64]) -> Error {
    Error::InvalidValue {
        what: format!("the use of {practice:?} by one unit"),
        found: format!("{} rows that differ ({known:?})", known.len()),
        remedy: "give combine=\"any\" or \"mean\", or one row for each unit and practice".into(),
    }
}
