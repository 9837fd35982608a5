//! Covariates measured with error: a prior score whose reliability is known.
//!
//! y = X beta + sum over levels of b + e, where W = X + noise is seen instead of X. Regression on W draws the slope
//! towards zero, and what is left of the prior then stands in the effects: units with weak pupils look worse than they
//! are. With var(noise) = (1 - reliability) var(W) the moment W'V^-1 W is too large by var(noise) tr(V^-1), which is
//! taken away (Fuller 1987, Measurement Error Models, sec. 2.2; for teachers' effects Lockwood & `McCaffrey` 2014, J.
//! Educ. Behav. Stat. 39:22, doi:10.3102/1076998613509405). Residuals y - W beta then have mean Zb, and the variance
//! of e and of the noise together; the variances between units are those that maximise their likelihood.

mod estimates;
mod model;
mod search;

use super::design::Design;
use super::nested_effects::NestedEffect;
use super::{FEW_UNITS, Method};
use crate::{Error, Note, NoteCode, Result};
use model::Model;
use search::Search;

/// A fitted model whose covariates are measured with error.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReliabilityFit {
    /// How the variances are estimated.
    pub method: Method,
    /// Minus twice the (restricted) log-likelihood of the residuals y - W beta. Not to be compared with models without a
    /// correction: beta does not maximise it.
    pub criterion: f64,
    /// The names of the fixed terms that could be estimated, the intercept first.
    pub terms: Vec<String>,
    /// Their estimates.
    pub beta: Vec<f64>,
    /// Their standard errors, which allow for the measurement error.
    pub se: Vec<f64>,
    /// Their covariance matrix, row by row.
    pub vcov: Vec<Vec<f64>>,
    /// The standard deviation of residuals y - W beta within units: what pupils differ by and what the noise of W adds.
    pub sigma: f64,
    /// The part of sigma^2 that the noise of the covariates adds.
    pub noise: f64,
    /// The standard deviation of every factor divided by sigma, outermost factor first.
    pub theta: Vec<f64>,
    /// The variance of every factor, in the same order.
    pub variances: Vec<f64>,
    /// The number of units of every factor, in the same order.
    pub n_groups: Vec<usize>,
    /// Rows behind the fit.
    pub n_obs: usize,
    /// Whether some factor's variance is estimated as zero.
    pub is_singular: bool,
    /// Whether the search met its criterion.
    pub has_converged: bool,
    /// How often the criterion was evaluated.
    pub n_evaluations: usize,
    /// The largest derivative of the criterion by theta at the end of the search.
    pub gradient: f64,
    /// Caveats. `at` is the term, or the factor as "level 0", "level 1".
    pub notes: Vec<Note>,
    effects: Vec<Vec<NestedEffect>>,
}

/// A standard deviation ratio below this is a variance of zero.
const SINGULAR_THETA: f64 = 1e-4;

/// Fits a model of nested random intercepts with covariates of known reliability.
///
/// `reliability` names numeric covariates with a value in (0, 1]: the share of the variance over all rows that is not
/// noise (what test publishers call the reliability of a score). `levels` are the codes of the grouping factors,
/// outermost first; `progress` is called before every evaluation with how many there were, and may stop the fit.
///
/// # Errors
/// [`Error::InvalidOption`] for a reliability outside (0, 1], of a term that is no numeric covariate, or so low that
/// more variance would be noise than there is within the other terms (it says the smallest that works); those of
/// [`super::fit`]; what `progress` returns.
///
/// # Notes
/// `singular`, `few_units`, `rank_deficient`, `not_converged`.
pub fn fit_reliability(
    design: &Design,
    y: &[f64],
    levels: &[&[u32]],
    reliability: &[(&str, f64)],
    method: Method,
    progress: &(dyn Fn(usize, usize) -> Result<()> + Sync),
) -> Result<ReliabilityFit> {
    let model = Model::new(design, y, levels, reliability, method)?;
    let mut search = Search { model: &model, reliability, progress, n_evaluations: 0, stopped: None };
    let found = search.run();
    match search.stopped {
        Some(error) => Err(error),
        None => model.assemble(design, reliability, &found?, search.n_evaluations),
    }
}

impl ReliabilityFit {
    /// The units of a factor (0 is the outermost), in the order of their codes.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] when there is no such factor.
    pub fn effects(&self, level: usize) -> Result<&[NestedEffect]> {
        self.effects.get(level).map(Vec::as_slice).ok_or_else(|| {
            Error::option("factor", level, format!("one of the {} factors, counted from 0", self.effects.len()))
        })
    }

    fn caveats(&self, dropped: &[String]) -> Vec<Note> {
        let mut notes = vec![];
        for (level, (&theta, &groups)) in self.theta.iter().zip(&self.n_groups).enumerate() {
            let mut say = |code: NoteCode| notes.push(Note::new(code, groups).at(format!("level {level}")));
            if theta < SINGULAR_THETA {
                say(NoteCode::Singular);
            }
            if groups < FEW_UNITS {
                say(NoteCode::FewUnits);
            }
        }
        notes.extend(dropped.iter().map(|term| Note::new(NoteCode::RankDeficient, 1).at(term.as_str())));
        if !self.has_converged {
            notes.push(Note::new(NoteCode::NotConverged, self.n_evaluations).with_value(self.gradient));
        }
        notes
    }
}
