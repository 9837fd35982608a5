//! The model behind bright spots: groups, units within them, and the unit's periods within the unit.

use super::cells::{Cells, Places};
use super::input::{BrightInput, Factor};
use super::persistence::{Cell, Spread};
use super::result::ModelSummary;
use super::tree::{Sum, Tree};
use crate::mixed::{Covariate, Design, Effect, Fit, Method, Moments, fit};
use crate::{Note, NoteCode, Result};

/// The fitted model, and where everything stands in it.
pub(crate) struct Model<'a> {
    pub(crate) summary: ModelSummary,
    /// The standard deviation of every factor in units of sigma, outermost first.
    theta: Vec<f64>,
    /// What is adjusted for, the period included.
    covariates: Vec<Covariate<'a>>,
    period: Option<Factor<'a>>,
    /// Of every level around the units: the parent of each of its groups in the level outside.
    parents: Vec<Vec<usize>>,
    /// The level of the units.
    pub(crate) unit_level: usize,
    pub(crate) effects: Vec<Effect>,
    pub(crate) notes: Vec<Note>,
}

impl<'a> Model<'a> {
    /// The model of a search, and where its rows stand.
    pub(crate) fn new(input: &BrightInput<'a>) -> Result<(Self, Places)> {
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
    ) -> Result<(Self, Places)> {
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
        let places = Places::new(&units, period.map(|p| p.codes));
        let mut levels = units;
        if let Some(period) = period {
            levels.push(places.cell_of_row());
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
        let around = (0..unit_level).map(|level| Ok(fit.effects(level)?.iter().map(|e| e.parent).collect()));
        let parents = around.collect::<Result<_>>()?;
        let factors = names.iter().take(unit_level + 1).map(|name| (*name).to_owned());
        let inner = given.map(|period| format!("{} in {}", period.name, unit.name));
        let summary = summary(&fit, factors.chain(inner).take(levels.len()).collect(), unit_level);
        let theta = fit.theta;
        Ok((Self { summary, theta, covariates, period, parents, unit_level, effects, notes }, places))
    }

    /// The coefficient of a term; `None` where it is not in the model.
    pub(crate) fn coefficient(&self, term: &str) -> Option<f64> {
        self.summary.terms.iter().position(|t| t == term).and_then(|k| self.summary.beta.get(k).copied())
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

    /// The rows of every unit summed by period.
    pub(crate) fn cells(&self, outcome: &[f64], places: &Places) -> Cells {
        Cells::new(self.effects.len(), places, self.period.map(|p| p.codes), &self.residuals(outcome))
    }

    /// Whether there are periods.
    pub(crate) fn has_periods(&self) -> bool {
        self.period.is_some()
    }

    /// The variances of the unit, of its periods (`None` where there is no such level), of rows.
    pub(crate) fn spread(&self) -> (Spread, bool) {
        let at = |level: usize| self.summary.variances.get(level).copied();
        let period = at(self.unit_level + 1);
        let unit = at(self.unit_level).unwrap_or(0.0);
        (Spread { unit, period: period.unwrap_or(0.0), row: self.sigma2() }, period.is_some())
    }

    /// The variance of rows.
    pub(crate) fn sigma2(&self) -> f64 {
        self.summary.sigma * self.summary.sigma
    }

    /// The groups and units, for predictions from parts of the data at the fitted variances and coefficients.
    pub(crate) fn tree(&self) -> Tree {
        let mut parents = self.parents.clone();
        parents.push(self.effects.iter().map(|e| e.parent).collect());
        let t = self.theta.iter().take(self.unit_level + 1).map(|theta| theta * theta).collect();
        Tree { t, parents }
    }

    /// What the cells of a unit say together.
    pub(crate) fn sum<'c>(&self, cells: impl Iterator<Item = &'c Cell>) -> Sum {
        let t = self.theta.get(self.unit_level + 1).map_or(0.0, |theta| theta * theta);
        cells.fold(Sum::default(), |sum, cell| {
            let weight = cell.n / (1.0 + t * cell.n);
            Sum { a: sum.a + weight, c: sum.c + weight * cell.residual }
        })
    }
}

fn summary(fit: &Fit, factors: Vec<String>, unit_level: usize) -> ModelSummary {
    let own = fit.variances.get(unit_level).copied().unwrap_or(0.0);
    let inner = fit.variances.get(unit_level + 1);
    ModelSummary {
        terms: fit.terms.clone(),
        beta: fit.beta.clone(),
        se: fit.se.clone(),
        factors,
        variances: fit.variances.clone(),
        sigma: fit.sigma,
        criterion: fit.criterion,
        n_obs: fit.n_obs,
        is_singular: fit.is_singular,
        has_converged: fit.has_converged,
        stability: inner.filter(|d| own + **d > 0.0).map(|d| own / (own + d)),
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
