//! Fitting, and the fit.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::criterion::{Evaluation, Problem, quadratic};
use super::crossed::Crossed;
use super::effects::{LevelEffects, Solved};
use super::likelihood::Likelihood;
use super::moments::Moments;
use super::optimise::{Criterion, Optimum, Search};
use crate::{Error, Note, NoteCode, Result};

/// What is maximised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Restricted maximum likelihood: variances as they are after the fixed terms have taken their degrees of freedom.
    #[default]
    Reml,
    /// Maximum likelihood: for comparing models that differ in their fixed terms.
    Ml,
}

/// How the criterion is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// Nested factors: a closed form, linear in the number of units.
    ClosedForm,
    /// The largest factor is eliminated by its diagonal, the others by a dense Cholesky factor.
    Dense,
    /// The same by a sparse Cholesky factor.
    Sparse,
}

impl Route {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClosedForm => "closed_form",
            Self::Dense => "dense",
            Self::Sparse => "sparse",
        }
    }
}

/// With fewer units than this a factor's variance is poorly known, and the fit says so: even if ten units were measured
/// without error, the standard deviation between them would be off by up to 45% either way in 95 of 100 cases
/// (chi-square with 9 degrees of freedom).
pub const FEW_UNITS: usize = 10;
/// A standard deviation ratio below this is a variance of zero for the flag `is_singular` (lme4's own tolerance).
const SINGULAR_THETA: f64 = 1e-4;

/// A fitted model of random intercepts.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Fit {
    /// What was maximised.
    pub method: Method,
    /// Minus twice the (restricted) log-likelihood at `theta`.
    pub criterion: f64,
    /// The names of the fixed terms that could be estimated, the intercept first.
    pub terms: Vec<String>,
    /// Their estimates.
    pub beta: Vec<f64>,
    /// Their standard errors.
    pub se: Vec<f64>,
    /// Their covariance matrix, row by row.
    pub vcov: Vec<Vec<f64>>,
    /// The residual standard deviation.
    pub sigma: f64,
    /// The standard deviation of every factor divided by sigma, as the random parts were given, each outermost first.
    pub theta: Vec<f64>,
    /// The variance of every factor, in the same order.
    pub variances: Vec<f64>,
    /// The number of units of every factor, in the same order.
    pub n_groups: Vec<usize>,
    /// Rows behind the fit.
    pub n_obs: usize,
    /// Whether some factor's variance is estimated as zero: no detectable difference between its units.
    pub is_singular: bool,
    /// Whether the search met its criterion (always true where nothing was searched).
    pub has_converged: bool,
    /// How often the criterion was evaluated.
    pub n_evaluations: usize,
    /// The largest derivative of the criterion by log theta^2 of a factor with theta > 0, at the end of the search.
    pub gradient: f64,
    /// How the criterion was computed.
    pub route: Route,
    /// Caveats: a variance of zero, few units, dropped terms. `at` is the term, or the factor as "level 0", "level 1".
    pub notes: Vec<Note>,
    pub(super) levels: Vec<LevelEffects>,
    /// What contrasts of units of crossed factors need.
    pub(super) solved: Option<Arc<Solved>>,
    /// Covariance of beta in the shifted basis that the effects' coefficients refer to.
    pub(super) covariance: Vec<f64>,
}

/// Fits by maximising the (restricted) likelihood over the factors' variances.
///
/// The criterion of Bates et al. (2015, J. Stat. Softw. 67(1), eq. 34 and 41) in closed form from the moments, by
/// Newton steps in log theta^2 with the analytic gradient; every face of the boundary (some variances zero) is
/// compared, so that of two minima the lower is found.
///
/// A factor with a single unit, or whose units are those of the factor around it one to one, has no variance of
/// its own to estimate: it is kept at zero, with the note `few_units` or `confounded_levels`.
///
/// # Errors
/// [`Error::TooFew`] when there are no more rows than fixed terms, or no innermost group has two rows;
/// [`Error::InvalidValue`] for an outcome without variation; [`Error::Numerical`] when the criterion cannot be
/// computed.
///
/// # Notes
/// `singular`, `few_units`, `confounded_levels`, `rank_deficient` (one per dropped term), `not_converged`.
pub fn fit(moments: &Moments, method: Method) -> Result<Fit> {
    fit_while(moments, method, &|| Ok(()))
}

/// [`fit`], asking before every evaluation of the criterion whether to go on.
///
/// # Errors
/// As [`fit`], and whatever error `proceed` gives.
pub fn fit_while(moments: &Moments, method: Method, proceed: &dyn Fn() -> Result<()>) -> Result<Fit> {
    let problem = Problem::new(moments)?;
    for part in problem.parts.iter().filter(|p| !p.is_membership) {
        if part.levels.last().map_or(0, |l| l.codes.len()) >= moments.n_obs() {
            return Err(Error::TooFew {
                what: "the variance between units".into(),
                needed: "a unit with 2 rows".into(),
                found: 1,
                remedy: "give the factor whose units hold several rows".into(),
            });
        }
    }
    let crossed = crossed(&problem)?;
    let likelihood = Likelihood::new(&problem, crossed.as_ref(), method, proceed);
    let groups = problem.n_groups();
    let total = problem.gram.first().copied().unwrap_or(problem.n_obs);
    let mut search = Search {
        criterion: &likelihood,
        scale: groups.iter().map(|&n| total / n as f64).collect(),
        is_fixed: indistinct(&problem),
        part: problem.parts.iter().enumerate().flat_map(|(k, p)| p.levels.iter().map(move |_| k)).collect(),
        n_evaluations: 0,
    };
    let optimum = search.minimise();
    if let Some(error) = likelihood.stopped() {
        return Err(error);
    }
    let optimum = optimum.ok_or_else(|| Error::Numerical {
        what: "the fit".into(),
        problem: "the criterion cannot be computed even without random effects".into(),
    })?;
    Fit::assemble(moments, &problem, crossed, method, &optimum)
}

/// The crossed structure, where the closed form does not do.
fn crossed(problem: &Problem) -> Result<Option<Crossed>> {
    let is_closed = matches!(problem.parts.as_slice(), [only] if !only.is_membership);
    if is_closed { Ok(None) } else { Crossed::new(problem).map(Some) }
}

impl Fit {
    /// Evaluates the model at given standard deviation ratios, outermost factor first, without optimising.
    ///
    /// # Errors
    /// As [`fit`], and [`Error::InvalidOption`] when `theta` has not one finite value >= 0 per factor.
    pub fn at(moments: &Moments, theta: &[f64], method: Method) -> Result<Self> {
        let t = squares(moments, theta)?;
        let problem = Problem::new(moments)?;
        let optimum = Optimum { t, deviance: 0.0, gradient: 0.0, has_converged: true, n_evaluations: 1 };
        Self::assemble(moments, &problem, crossed(&problem)?, method, &optimum)
    }

    /// The criterion and its derivative by theta^2 of every factor, outermost first.
    ///
    /// # Errors
    /// As [`Fit::at`].
    pub fn gradient_at(moments: &Moments, theta: &[f64], method: Method) -> Result<(f64, Vec<f64>)> {
        let t = squares(moments, theta)?;
        let problem = Problem::new(moments)?;
        let crossed = crossed(&problem)?;
        let all: Vec<usize> = (0..t.len()).collect();
        let likelihood = Likelihood::new(&problem, crossed.as_ref(), method, &|| Ok(()));
        likelihood.gradient(&t, &all).ok_or_else(|| Error::Numerical {
            what: "the gradient of the criterion".into(),
            problem: format!("at theta = {theta:?}"),
        })
    }

    fn assemble(
        moments: &Moments,
        problem: &Problem,
        crossed: Option<Crossed>,
        method: Method,
        optimum: &Optimum,
    ) -> Result<Self> {
        let t = optimum.t.as_slice();
        let (solved, nested, route) = match (crossed, problem.parts.first()) {
            (Some(crossed), _) => {
                let route = if crossed.is_dense() { Route::Dense } else { Route::Sparse };
                let state = crossed.state(problem, t, method)?;
                (Some(Arc::new(Solved { crossed, state })), None, route)
            }
            (None, Some(part)) => {
                let upward = part.ascend(&problem.gram, t);
                let point = problem.profile(&upward.m, upward.log_det, method)?;
                (None, Some((part, upward, point)), Route::ClosedForm)
            }
            (None, None) => return Err(Error::option("random", "[]", "at least one grouping factor")),
        };
        let (levels, point) = match (&solved, &nested) {
            (Some(solved), _) => (LevelEffects::of_crossed(problem, solved, t)?, &solved.state.point),
            (None, Some((part, upward, point))) => (LevelEffects::of_nested(part, upward, t, point), point),
            (None, None) => return Err(Error::option("random", "[]", "at least one grouping factor")),
        };
        let covariance: Vec<f64> = point.inverse.iter().map(|v| v * point.sigma2).collect();
        let (beta, vcov) = unshift(moments, problem, point, &covariance);
        let n_groups = problem.n_groups();
        let theta: Vec<f64> = optimum.t.iter().map(|t| t.sqrt()).collect();
        let mut fit = Self {
            method,
            criterion: point.deviance,
            terms: problem.kept.iter().filter_map(|&k| moments.terms.get(k).cloned()).collect(),
            beta,
            se: vcov.iter().enumerate().map(|(k, row)| row.get(k).copied().unwrap_or(f64::NAN).sqrt()).collect(),
            vcov,
            sigma: point.sigma2.sqrt(),
            variances: optimum.t.iter().map(|t| t * point.sigma2).collect(),
            is_singular: theta.iter().any(|t| *t < SINGULAR_THETA),
            theta,
            n_groups,
            n_obs: moments.n_obs,
            has_converged: optimum.has_converged,
            n_evaluations: optimum.n_evaluations,
            gradient: optimum.gradient,
            route,
            notes: Vec::new(),
            levels,
            solved,
            covariance,
        };
        fit.notes = fit.caveats(moments, problem);
        Ok(fit)
    }

    fn caveats(&self, moments: &Moments, problem: &Problem) -> Vec<Note> {
        let mut notes = Vec::new();
        for (level, (theta, &groups)) in self.theta.iter().zip(&self.n_groups).enumerate() {
            let place = format!("level {level}");
            if *theta < SINGULAR_THETA {
                notes.push(Note::new(NoteCode::Singular, groups).at(place.clone()));
            }
            if groups < FEW_UNITS {
                notes.push(Note::new(NoteCode::FewUnits, groups).at(place.clone()));
            }
            if is_confounded(problem, level) {
                notes.push(Note::new(NoteCode::ConfoundedLevels, groups).at(place));
            }
        }
        for term in problem.dropped.iter().filter_map(|&k| moments.terms.get(k)) {
            notes.push(Note::new(NoteCode::RankDeficient, 1).at(term.clone()));
        }
        if !self.has_converged {
            notes.push(Note::new(NoteCode::NotConverged, self.n_evaluations).with_value(self.gradient));
        }
        notes
    }
}

fn squares(moments: &Moments, theta: &[f64]) -> Result<Vec<f64>> {
    if theta.len() == moments.n_levels() && theta.iter().all(|t| *t >= 0.0 && t.is_finite()) {
        return Ok(theta.iter().map(|t| t * t).collect());
    }
    let allowed = format!("{} finite values >= 0, one per factor", moments.n_levels());
    Err(Error::option("theta", format!("{theta:?}"), allowed))
}

/// Levels whose variance the data cannot tell from another's.
fn indistinct(problem: &Problem) -> Vec<bool> {
    let groups = problem.n_groups();
    (0..groups.len()).map(|level| groups.get(level) == Some(&1) || is_confounded(problem, level)).collect()
}

/// Whether the groups of a level are those of the level around it, or of an earlier factor, one to one.
fn is_confounded(problem: &Problem, level: usize) -> bool {
    let groups = problem.n_groups();
    let n = groups.get(level).copied().unwrap_or(0);
    let place = problem.parts.iter().position(|p| (p.offset..p.offset + p.levels.len()).contains(&level));
    let Some((place, part)) = place.and_then(|k| Some((k, problem.parts.get(k)?))) else { return false };
    let outer = level.checked_sub(1).filter(|_| level > part.offset);
    if n > 1 && outer.is_some_and(|outer| groups.get(outer) == Some(&n)) {
        return true;
    }
    let is_innermost = level + 1 == part.offset + part.levels.len();
    let units = |k: usize| problem.parts.get(k).and_then(|p| p.levels.last()).map(|l| l.codes.len());
    // Each unit shares rows with one unit of the other factor only, and they are as many.
    n > 1
        && is_innermost
        && problem.pairs.iter().any(|pairs| {
            let is_plain = |k: usize| problem.parts.get(k).is_some_and(|p| !p.is_membership);
            pairs.second == place
                && pairs.first != place
                && is_plain(pairs.first)
                && is_plain(place)
                && pairs.entries.len() == n
                && units(pairs.first) == Some(n)
        })
}

/// Coefficients and their covariance for the covariates as they were given: the intercept takes the shift back.
fn unshift(moments: &Moments, problem: &Problem, point: &Evaluation, covariance: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let p = problem.n_terms;
    let shift_y = moments.shift.last().copied().unwrap_or(0.0);
    // The coefficients of the intercept in terms of the shifted ones: 1, then minus the shift of every column.
    let weights: Vec<f64> = problem
        .kept
        .iter()
        .map(|&k| k.checked_sub(1).map_or(1.0, |k| -moments.shift.get(k).copied().unwrap_or(0.0)))
        .collect();
    let mut beta: Vec<f64> = point.beta.iter().take(p).copied().collect();
    let intercept = shift_y + super::criterion::dot(&beta, &weights);
    let mut vcov: Vec<Vec<f64>> = covariance.chunks_exact(p).map(<[f64]>::to_vec).collect();
    let with_intercept: Vec<f64> = vcov.iter().map(|row| super::criterion::dot(row, &weights)).collect();
    for (row, value) in vcov.iter_mut().zip(&with_intercept) {
        if let Some(cell) = row.first_mut() {
            *cell = *value;
        }
    }
    if let Some(row) = vcov.first_mut() {
        row.clone_from(&with_intercept);
        if let Some(cell) = row.first_mut() {
            *cell = quadratic(covariance, &weights);
        }
    }
    if let Some(cell) = beta.first_mut() {
        *cell = intercept;
    }
    (beta, vcov)
}
