//! Fitting a model with slopes, and the fit.

use faer::Mat;

use super::SlopeCovariance;
use super::criterion::Problem;
use super::effects::{SlopeEffect, effects, roots, rows};
use super::moments::SlopeMoments;
use super::root::{combine, generators, lower_triangular, places, slope};
use super::search::search;
use crate::mixed::{FEW_UNITS, Method};
use crate::{Error, Note, NoteCode, Result};

/// A fitted model whose intercept and slopes differ between the units of one factor.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SlopeFit {
    /// What was maximised.
    pub method: Method,
    /// Whether intercept and slopes may be correlated.
    pub structure: SlopeCovariance,
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
    /// What differs between the units: the intercept (where every covariate is 0), then the slopes.
    pub columns: Vec<String>,
    /// The lower triangle, column by column, of the Cholesky factor of `covariance` over sigma^2 (as lme4's theta); of
    /// uncorrelated columns its diagonal.
    pub theta: Vec<f64>,
    /// The covariance matrix of a unit's intercept and slopes, row by row.
    pub covariance: Vec<Vec<f64>>,
    /// The codes of the units, ascending.
    pub units: Vec<u32>,
    /// Rows behind the fit.
    pub n_obs: usize,
    /// Whether some combination of intercept and slopes does not differ between the units.
    pub is_singular: bool,
    /// Whether the search met its criterion (always true where nothing was searched).
    pub has_converged: bool,
    /// How often the criterion was evaluated.
    pub n_evaluations: usize,
    /// The largest derivative of the criterion at the end of the search, every covariate in its standard deviations.
    pub gradient: f64,
    /// Caveats. `at` is a fixed term or one of `columns`.
    pub notes: Vec<Note>,
    effects: Vec<SlopeEffect>,
}

/// A standard deviation ratio below this, every covariate in its standard deviations, is none.
const SINGULAR: f64 = 1e-4;
/// Fits by maximising the (restricted) likelihood over the covariance of intercept and slopes.
///
/// Quasi-Newton steps in the Cholesky factor with the analytic gradient, from the best point of a coarse grid. The end
/// is a minimum over all covariance matrices, also singular ones: where the criterion falls in a direction in which the
/// covariance is zero, the search goes on from there. `progress` is called before every evaluation with how many there
/// were, and may stop the search.
///
/// # Errors
/// [`Error::TooFew`] when there are no more rows than fixed terms, fewer than two units, or no unit with two rows;
/// [`Error::InvalidValue`] for an outcome or a slope's covariate without variation; what `progress` returns.
///
/// # Notes
/// `singular` (at the columns that do not differ), `singular_slopes` (intercept and slopes differ along fewer directions
/// than columns), `few_units`, `rank_deficient`, `not_converged`.
pub fn fit_slopes(
    moments: &SlopeMoments,
    structure: SlopeCovariance,
    method: Method,
    progress: &(dyn Fn(usize, usize) -> Result<()> + Sync),
) -> Result<SlopeFit> {
    let problem = Problem::new(moments)?;
    if problem.n_groups < 2 || problem.n_groups >= moments.n_obs() {
        return Err(Error::TooFew {
            what: "the variance of slopes between units".into(),
            needed: "2 units, and units with several rows".into(),
            found: problem.n_groups,
            remedy: "give the factor whose units hold several rows".into(),
        });
    }
    let generators = generators(&problem, structure);
    let (mut n_evaluations, mut stopped) = (0, None);
    let mut f = |phi: &[f64]| {
        if stopped.is_some() {
            return None;
        }
        if let Err(error) = progress(n_evaluations, 0) {
            stopped = Some(error);
            return None;
        }
        n_evaluations += 1;
        let lambda = combine(&generators, phi);
        match problem.evaluate(&lambda, method) {
            Ok(point) => Some((point.deviance, slope(&generators, &lambda, &point))),
            Err(error) => {
                // Only an outcome that nothing is left of cannot be searched for at all.
                if matches!(error, Error::InvalidValue { .. }) {
                    stopped = Some(error);
                }
                None
            }
        }
    };
    let found = search(&problem, structure, &generators, method, &mut f);
    if let Some(error) = stopped {
        return Err(error);
    }
    let found = found.ok_or_else(|| Error::Numerical {
        what: "the fit".into(),
        problem: "the criterion cannot be computed even without random effects".into(),
    })?;
    let lambda = combine(&generators, &found.x);
    let gradient = found.gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
    SlopeFit::assemble(moments, &problem, structure, method, &lambda, (found.has_converged, n_evaluations, gradient))
}

impl SlopeFit {
    /// Evaluates the model at a given `theta`, without optimising.
    ///
    /// # Errors
    /// As [`fit_slopes`], and [`Error::InvalidOption`] when `theta` has another length, a value that is not finite or a
    /// diagonal below 0.
    pub fn at(moments: &SlopeMoments, theta: &[f64], structure: SlopeCovariance, method: Method) -> Result<Self> {
        let problem = Problem::new(moments)?;
        let lambda = problem.given(theta, structure)?;
        Self::assemble(moments, &problem, structure, method, &(&problem.into * lambda), (true, 1, 0.0))
    }

    /// The criterion and its derivative by every entry of `theta`.
    ///
    /// # Errors
    /// As [`SlopeFit::at`].
    pub fn gradient_at(
        moments: &SlopeMoments,
        theta: &[f64],
        structure: SlopeCovariance,
        method: Method,
    ) -> Result<(f64, Vec<f64>)> {
        let problem = Problem::new(moments)?;
        let lambda = &problem.into * problem.given(theta, structure)?;
        let k = problem.n_slopes();
        let units = places(k, structure)
            .map(|cell| &problem.into * Mat::from_fn(k, k, |i, j| f64::from(u8::from((i, j) == cell))));
        let point = problem.evaluate(&lambda, method)?;
        Ok((point.deviance, slope(&units.collect::<Vec<_>>(), &lambda, &point)))
    }

    /// The units in the order of their codes.
    pub fn effects(&self) -> &[SlopeEffect] {
        &self.effects
    }

    /// The number of units.
    pub fn n_groups(&self) -> usize {
        self.units.len()
    }

    /// The standard deviation of every column between the units.
    pub fn sds(&self) -> Vec<f64> {
        roots(&self.covariance)
    }

    /// The correlation of two columns; NaN where one of them does not differ.
    pub fn correlation(&self, first: usize, second: usize) -> f64 {
        let cell = |i: usize, j: usize| self.covariance.get(i).and_then(|r| r.get(j)).copied().unwrap_or(f64::NAN);
        (cell(first, second) / (cell(first, first) * cell(second, second)).sqrt()).clamp(-1.0, 1.0)
    }

    fn assemble(
        moments: &SlopeMoments,
        problem: &Problem,
        structure: SlopeCovariance,
        method: Method,
        lambda: &Mat<f64>,
        (has_converged, n_evaluations, gradient): (bool, usize, f64),
    ) -> Result<Self> {
        let point = problem.evaluate(lambda, method)?;
        let k = problem.n_slopes();
        let fixed = &point.inverse * point.sigma2;
        let (mut beta, vcov) = problem.basis.undone(&point.beta, &fixed);
        if let (Some(intercept), Some(shift)) = (beta.first_mut(), moments.shift.last()) {
            *intercept += shift;
        }
        let root = &problem.back * lambda;
        let covariance = rows(&(&root * root.transpose() * point.sigma2));
        let lower = match structure {
            SlopeCovariance::Correlated => lower_triangular(&root),
            SlopeCovariance::Uncorrelated => Mat::from_fn(k, k, |i, j| root[(i, j)].abs()),
        };
        let singular = lambda.svd().map_err(|_| Error::Numerical {
            what: "the covariance of the slopes".into(),
            problem: "its singular values were not found".into(),
        })?;
        let smallest = (0..k).map(|i| singular.S()[i]).fold(f64::INFINITY, f64::min);
        let (terms, dropped) = problem.basis.names(&moments.terms);
        let mut fit = Self {
            method,
            structure,
            criterion: point.deviance,
            terms,
            beta,
            se: roots(&vcov),
            vcov,
            sigma: point.sigma2.sqrt(),
            columns: moments.columns.clone(),
            theta: places(k, structure).map(|(i, j)| lower[(i, j)]).collect(),
            effects: effects(moments, problem, lambda, &point, &fixed, &roots(&covariance)),
            covariance,
            units: moments.codes.clone(),
            n_obs: moments.n_obs,
            is_singular: smallest < SINGULAR,
            has_converged,
            n_evaluations,
            gradient,
            notes: vec![],
        };
        // How far each column differs on its own, for a covariate of unit spread.
        let alone: Vec<f64> = (0..k)
            .map(|i| (0..k).map(|j| root[(i, j)] * root[(i, j)]).sum::<f64>().sqrt() * problem.into[(i, i)])
            .collect();
        fit.notes = fit.caveats(&alone, &dropped);
        Ok(fit)
    }

    fn caveats(&self, alone: &[f64], dropped: &[String]) -> Vec<Note> {
        let groups = self.units.len();
        let constant: Vec<&String> =
            self.columns.iter().zip(alone).filter(|(_, s)| **s < SINGULAR).map(|(c, _)| c).collect();
        let mut notes: Vec<Note> =
            constant.iter().map(|column| Note::new(NoteCode::Singular, groups).at(column.as_str())).collect();
        if self.is_singular && constant.is_empty() {
            notes.push(Note::new(NoteCode::SingularSlopes, groups));
        }
        if groups < FEW_UNITS {
            notes.push(Note::new(NoteCode::FewUnits, groups));
        }
        notes.extend(dropped.iter().map(|term| Note::new(NoteCode::RankDeficient, 1).at(term.as_str())));
        if !self.has_converged {
            notes.push(Note::new(NoteCode::NotConverged, self.n_evaluations).with_value(self.gradient));
        }
        notes
    }
}
