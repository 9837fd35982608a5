//! The model behind bright spots: groups, units within them, and the unit's periods within the unit.

use super::input::{BrightInput, Factor};
use crate::mixed::{Covariate, Design, Effect, Fit, Method, Moments, fit, sorted_groups};
use crate::{Note, NoteCode, Result};

/// The fitted model, and where everything stands in it.
pub(crate) struct Model<'a> {
    pub(crate) fit: Fit,
    pub(crate) design: Design<'a>,
    levels: Vec<&'a [u32]>,
    /// The level of the units.
    pub(crate) unit_level: usize,
    pub(crate) effects: Vec<Effect>,
    /// The unit of every row.
    pub(crate) unit_of_row: Vec<u32>,
    /// The distinct periods of every unit; empty where there is no period or only one.
    pub(crate) periods: Vec<Vec<u32>>,
    pub(crate) notes: Vec<Note>,
}

impl<'a> Model<'a> {
    pub(crate) fn new(input: &BrightInput<'a>) -> Result<Self> {
        input.check()?;
        let n_rows = input.n_rows();
        let mut notes = Vec::new();
        let period = input.period.filter(|period| {
            let is_one = period.codes.windows(2).all(|w| w.first() == w.last());
            if is_one {
                notes.push(Note::new(NoteCode::OnePeriod, 1).at(period.name));
            }
            !is_one
        });
        let design = Design::new(n_rows, &covariates(input, period))?;
        let unit_level = input.within.len();
        let mut names: Vec<&str> = input.within.iter().map(|f| f.name).chain([input.unit.name]).collect();
        let mut levels: Vec<&[u32]> = input.within.iter().map(|f| f.codes).chain([input.unit.codes]).collect();
        if let Some(period) = period {
            levels.push(period.codes);
            names.push(period.name);
        }
        let mut moments = Moments::new(&design, input.outcome, &levels)?;
        if period.is_some() && moments.n_groups(levels.len() - 1) == n_rows {
            // One row per unit and period: what differs from period to period is the residual itself.
            levels.pop();
            moments = Moments::new(&design, input.outcome, &levels)?;
        }
        let fit = fit(&moments, Method::Reml)?;
        notes.extend(fit.notes.iter().map(|note| named(note, &names)).filter(|note| {
            // Two periods are two units of no factor: their number is no caveat.
            !(note.code == NoteCode::RankDeficient && is_unused_period(note, input.period.as_ref()))
        }));
        let effects = fit.effects(unit_level)?;
        let units = levels.get(..=unit_level).unwrap_or_default();
        let unit_of_row = sorted_groups(n_rows, units);
        let periods = period.map_or_else(Vec::new, |p| periods_of(effects.len(), &unit_of_row, p.codes));
        Ok(Self { fit, design, levels, unit_level, effects, unit_of_row, periods, notes })
    }

    /// The units' effects without the rows of one period, at the fitted theta, in the order of their paths.
    pub(crate) fn without(&self, input: &BrightInput, period: u32) -> Result<Vec<Effect>> {
        let Some(periods) = &input.period else { return Ok(self.effects.clone()) };
        let is_kept = |row: usize| periods.codes.get(row) != Some(&period);
        let moments = Moments::of_rows(&self.design, input.outcome, &self.levels, is_kept)?;
        Fit::at(&moments, &self.fit.theta, Method::Reml)?.effects(self.unit_level)
    }
}

/// The conditions; the period is one of them, where there are several.
pub(crate) fn covariates<'a>(input: &BrightInput<'a>, period: Option<Factor<'a>>) -> Vec<Covariate<'a>> {
    let mut covariates = input.adjust.to_vec();
    if let Some(period) = period
        && !input.adjust.iter().any(|c| c.name() == period.name)
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

fn periods_of(n_units: usize, units: &[u32], periods: &[u32]) -> Vec<Vec<u32>> {
    let mut pairs: Vec<(u32, u32)> = units.iter().copied().zip(periods.iter().copied()).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let mut found = vec![Vec::new(); n_units];
    for (unit, period) in pairs {
        if let Some(list) = found.get_mut(unit as usize) {
            list.push(period);
        }
    }
    found
}
