//! The model behind bright spots: groups, units within them, and the unit's periods within the unit.

use super::input::{BrightInput, Factor};
use super::persistence::{Cell, Spread};
use super::tree::{Sum, Tree};
use crate::mixed::{Covariate, Design, Effect, Fit, Method, Moments, fit, sorted_groups};
use crate::{Note, NoteCode, Result};

/// The fitted model, and where everything stands in it.
pub(crate) struct Model<'a> {
    pub(crate) fit: Fit,
    /// What is adjusted for, the period included.
    covariates: Vec<Covariate<'a>>,
    units: Vec<&'a [u32]>,
    period: Option<Factor<'a>>,
    /// The level of the units.
    pub(crate) unit_level: usize,
    pub(crate) effects: Vec<Effect>,
    pub(crate) notes: Vec<Note>,
}

impl<'a> Model<'a> {
    pub(crate) fn new(input: &BrightInput<'a>) -> Result<Self> {
        input.check()?;
        Self::of(input.outcome, input.adjust, input.unit, input.within, input.period)
    }

    /// The model of these columns, which fit together.
    pub(crate) fn of(
        outcome: &[f64],
        adjust: &[Covariate<'a>],
        unit: Factor<'a>,
        within: &[Factor<'a>],
        given: Option<Factor<'a>>,
    ) -> Result<Self> {
        let n_rows = outcome.len();
        let mut notes = Vec::new();
        let period = given.filter(|period| {
            let is_one = period.codes.windows(2).all(|w| w.first() == w.last());
            if is_one {
                notes.push(Note::new(NoteCode::OnePeriod, 1).at(period.name));
            }
            !is_one
        });
        let covariates = covariates(adjust, period);
        let design = Design::new(n_rows, &covariates)?;
        let unit_level = within.len();
        let mut names: Vec<&str> = within.iter().map(|f| f.name).chain([unit.name]).collect();
        let units: Vec<&[u32]> = within.iter().map(|f| f.codes).chain([unit.codes]).collect();
        let mut levels = units.clone();
        if let Some(period) = period {
            levels.push(period.codes);
            names.push(period.name);
        }
        let mut moments = Moments::new(&design, outcome, &levels)?;
        if period.is_some() && moments.n_groups(levels.len() - 1) == n_rows {
            // One row per unit and period: what differs from period to period is the residual itself.
            levels.pop();
            moments = Moments::new(&design, outcome, &levels)?;
        }
        let fit = fit(&moments, Method::Reml)?;
        notes.extend(fit.notes.iter().map(|note| named(note, &names)).filter(|note| {
            // Two periods are two units of no factor: their number is no caveat.
            !(note.code == NoteCode::RankDeficient && is_unused_period(note, given.as_ref()))
        }));
        let effects = fit.effects(unit_level)?;
        Ok(Self { fit, covariates, units, period, unit_level, effects, notes })
    }

    /// The unit of every row.
    pub(crate) fn unit_of_row(&self) -> Vec<u32> {
        sorted_groups(self.units.first().map_or(0, |codes| codes.len()), &self.units)
    }

    /// The coefficient of a term; `None` where it is not in the model.
    pub(crate) fn coefficient(&self, term: &str) -> Option<f64> {
        self.fit.terms.iter().position(|t| t == term).and_then(|k| self.fit.beta.get(k).copied())
    }

    /// y - X beta of every row.
    fn residuals(&self, outcome: &[f64]) -> Vec<f64> {
        let level = self.coefficient(Design::INTERCEPT).unwrap_or(0.0);
        let mut residuals: Vec<f64> = outcome.iter().map(|y| y - level).collect();
        for covariate in &self.covariates {
            match *covariate {
                Covariate::Numeric { name, values } => {
                    let slope = self.coefficient(name).unwrap_or(0.0);
                    for (residual, value) in residuals.iter_mut().zip(values) {
                        *residual -= slope * value;
                    }
                }
                Covariate::Categorical { name, codes, levels } => {
                    let of_level: Vec<f64> = levels
                        .iter()
                        .map(|label| self.coefficient(&format!("{name}{label}")).unwrap_or(0.0))
                        .enumerate()
                        .map(|(level, effect)| if level == 0 { 0.0 } else { effect })
                        .collect();
                    for (residual, code) in residuals.iter_mut().zip(codes) {
                        *residual -= of_level.get(*code as usize).copied().unwrap_or(0.0);
                    }
                }
            }
        }
        residuals
    }

    /// The rows of every unit summed by period: one cell per unit where there is no period or only one.
    pub(crate) fn cells(&self, outcome: &[f64], unit_of_row: &[u32]) -> Vec<Vec<Cell>> {
        let mut cells: Vec<Vec<Cell>> = vec![Vec::new(); self.effects.len()];
        let codes = self.period.map(|p| p.codes);
        for (row, (unit, residual)) in unit_of_row.iter().zip(self.residuals(outcome)).enumerate() {
            let Some(own) = cells.get_mut(*unit as usize) else { continue };
            let period = codes.and_then(|codes| codes.get(row)).copied().unwrap_or(0);
            match own.iter_mut().find(|cell| cell.period == period) {
                Some(cell) => {
                    cell.n += 1.0;
                    cell.residual += residual;
                }
                None => own.push(Cell { period, n: 1.0, residual }),
            }
        }
        for own in &mut cells {
            own.sort_unstable_by_key(|cell| cell.period);
            for cell in own {
                cell.residual /= cell.n;
            }
        }
        cells
    }

    /// Whether there are periods.
    pub(crate) fn has_periods(&self) -> bool {
        self.period.is_some()
    }

    /// The variances of the unit, of its periods (`None` where there is no such level), of rows.
    pub(crate) fn spread(&self) -> (Spread, bool) {
        let at = |level: usize| self.fit.variances.get(level).copied();
        let period = at(self.unit_level + 1);
        let unit = at(self.unit_level).unwrap_or(0.0);
        (Spread { unit, period: period.unwrap_or(0.0), row: self.fit.sigma * self.fit.sigma }, period.is_some())
    }

    /// The groups and units, for predictions from parts of the data at the fitted variances and coefficients.
    pub(crate) fn tree(&self) -> Result<Tree> {
        let mut parents = Vec::with_capacity(self.unit_level + 1);
        for level in 0..self.unit_level {
            parents.push(self.fit.effects(level)?.iter().map(|e| e.parent).collect());
        }
        parents.push(self.effects.iter().map(|e| e.parent).collect());
        let t = self.fit.theta.iter().take(self.unit_level + 1).map(|theta| theta * theta).collect();
        Ok(Tree { t, parents })
    }

    /// What the cells of a unit say together.
    pub(crate) fn sum<'c>(&self, cells: impl Iterator<Item = &'c Cell>) -> Sum {
        let t = self.fit.theta.get(self.unit_level + 1).map_or(0.0, |theta| theta * theta);
        cells.fold(Sum::default(), |sum, cell| {
            let weight = cell.n / (1.0 + t * cell.n);
            Sum { a: sum.a + weight, c: sum.c + weight * cell.residual }
        })
    }
}

/// The conditions; the period is one of them, where there are several.
pub(crate) fn covariates<'a>(adjust: &[Covariate<'a>], period: Option<Factor<'a>>) -> Vec<Covariate<'a>> {
    let mut covariates = adjust.to_vec();
    if let Some(period) = period
        && !adjust.iter().any(|c| c.name() == period.name)
    {
        covariates.push(Covariate::Categorical { name: period.name, codes: period.codes, levels: period.labels });
    }
    covariates
}

/// A note with the factor's name where the fit says "level 0".
fn named(note: &Note, names: &[&str]) -> Note {
    let level = note.at.strip_prefix("level ").and_then(|l| l.parse::<usize>().ok());
    match level.and_then(|l| names.get(l)) {
        Some(name) => note.clone().at(*name),
        None => note.clone(),
    }
}

/// A label of the period that no row bears gives no column: nothing a reader should be told.
fn is_unused_period(note: &Note, period: Option<&Factor>) -> bool {
    period.is_some_and(|p| {
        p.labels.iter().zip(0_u32..).any(|(l, code)| note.at == format!("{}{l}", p.name) && !p.codes.contains(&code))
    })
}
