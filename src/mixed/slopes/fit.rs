//! Fitting a model with slopes, and the fit.

use faer::{Mat, Side};

use super::SlopeCovariance;
use super::criterion::{Evaluation, Problem, Unit};
use super::moments::SlopeMoments;
use crate::mixed::minimise::{Limits, Minimum, Point, minimise};
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

/// What one unit's intercept and slopes are.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SlopeEffect {
    /// The code of the unit.
    pub code: u32,
    /// Rows in the unit.
    pub n: f64,
    /// The predicted deviations from the fixed part, in the order of the fit's columns.
    pub effect: Vec<f64>,
    /// Their conditional covariance, beta taken as known (lme4's `condVar`), row by row.
    pub conditional: Vec<Vec<f64>>,
    /// The covariance of their prediction errors, beta estimated (Henderson 1975), row by row.
    pub error: Vec<Vec<f64>>,
    /// 1 - error variance / variance between the units, within \[0, 1\]; 0 where that variance is zero.
    pub reliability: Vec<f64>,
}

impl SlopeEffect {
    /// The conditional standard deviation of every column.
    pub fn sd_conditional(&self) -> Vec<f64> {
        roots(&self.conditional)
    }

    /// The standard deviation of every column's prediction error.
    pub fn sd(&self) -> Vec<f64> {
        roots(&self.error)
    }

    /// What the unit adds for rows with these covariates (`1` first), and the standard deviation of its error.
    pub fn at(&self, z: &[f64]) -> (f64, f64) {
        let sum = |values: &[f64]| values.iter().zip(z).map(|(v, z)| v * z).sum::<f64>();
        let variance: f64 = self.error.iter().zip(z).map(|(row, z)| z * sum(row)).sum();
        (sum(&self.effect), variance.max(0.0).sqrt())
    }
}

fn roots(matrix: &[Vec<f64>]) -> Vec<f64> {
    matrix.iter().enumerate().map(|(i, row)| row.get(i).copied().unwrap_or(f64::NAN).max(0.0).sqrt()).collect()
}

/// A standard deviation ratio below this, every covariate in its standard deviations, is none.
const SINGULAR: f64 = 1e-4;
/// A direction in which the criterion falls by less than this share of what the data say about it is flat.
const FLAT: f64 = 1e-6;
const LIMITS: Limits = Limits { longest_step: 1.0, difference: 1e-5, smallest_decrease: 1e-8 };

/// Where the search starts: standard deviation ratios of the intercept, and of slopes for a covariate of unit spread.
const STARTS: ([f64; 5], [f64; 4]) = ([0.05, 0.2, 0.5, 1.0, 2.5], [0.02, 0.1, 0.3, 0.8]);

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

/// The matrices whose combinations are the square roots that are searched.
fn generators(problem: &Problem, structure: SlopeCovariance) -> Vec<Mat<f64>> {
    let k = problem.n_slopes();
    let unit = |i: usize, j: usize| Mat::from_fn(k, k, |r, c| f64::from(u8::from((r, c) == (i, j))));
    match structure {
        SlopeCovariance::Correlated => {
            (0..k).flat_map(|j| (j..k).map(move |i| (i, j))).map(|(i, j)| unit(i, j)).collect()
        }
        // Uncorrelated where the covariates are 0, not where this basis has its 0.
        SlopeCovariance::Uncorrelated => {
            (0..k).map(|j| &problem.into * unit(j, j) * (1.0 / problem.into[(j, j)])).collect()
        }
    }
}

fn combine(generators: &[Mat<f64>], phi: &[f64]) -> Mat<f64> {
    let k = generators.first().map_or(0, Mat::nrows);
    generators.iter().zip(phi).fold(Mat::zeros(k, k), |sum, (e, &phi)| sum + e * phi)
}

/// d dev/d phi = 2 (Gamma Lambda) : E.
fn slope(generators: &[Mat<f64>], lambda: &Mat<f64>, point: &Evaluation) -> Vec<f64> {
    let by = &point.gamma * lambda;
    let k = by.nrows();
    let inner = |e: &Mat<f64>| (0..k).map(|i| (0..k).map(|j| by[(i, j)] * e[(i, j)]).sum::<f64>()).sum::<f64>();
    generators.iter().map(|e| 2.0 * inner(e)).collect()
}

fn search(
    problem: &Problem,
    structure: SlopeCovariance,
    generators: &[Mat<f64>],
    method: Method,
    f: &mut dyn FnMut(&[f64]) -> Point,
) -> Option<Minimum> {
    let k = problem.n_slopes();
    let place = |i: usize| match structure {
        SlopeCovariance::Correlated => i * k - i * i.saturating_sub(1) / 2,
        SlopeCovariance::Uncorrelated => i,
    };
    let mut best: Option<(f64, Vec<f64>)> = None;
    for first in STARTS.0 {
        for other in STARTS.1 {
            let mut phi = vec![0.0; generators.len()];
            for i in 0..k {
                if let Some(cell) = phi.get_mut(place(i)) {
                    *cell = if i == 0 { first } else { other };
                }
            }
            if let Some((value, _)) = f(&phi)
                && best.as_ref().is_none_or(|(lowest, _)| value < *lowest)
            {
                best = Some((value, phi));
            }
        }
    }
    let mut found = minimise(f, &best?.1, None, LIMITS)?;
    for _ in 0..2 * k {
        let Some(start) = downhill(problem, structure, generators, method, &found) else { return Some(found) };
        let next = minimise(f, &start, None, LIMITS)?;
        if next.value >= found.value - 1e-12 * found.value.abs() {
            return Some(found);
        }
        found = next;
    }
    found.has_converged = false;
    Some(found)
}

/// A point from which the criterion falls into a direction in which the covariance is zero, if there is one.
fn downhill(
    problem: &Problem,
    structure: SlopeCovariance,
    generators: &[Mat<f64>],
    method: Method,
    found: &Minimum,
) -> Option<Vec<f64>> {
    let k = problem.n_slopes();
    let lambda = combine(generators, &found.x);
    let point = problem.evaluate(&lambda, method).ok()?;
    // Rows of an average unit: what a variance of 1 would add to the information.
    let size = problem.n_obs;
    match structure {
        SlopeCovariance::Uncorrelated => {
            let by = problem.into.transpose() * &point.gamma * &problem.into;
            let worst = (0..k).min_by(|&a, &b| {
                let scaled = |i: usize| by[(i, i)] / (problem.into[(i, i)] * problem.into[(i, i)]);
                scaled(a).total_cmp(&scaled(b))
            })?;
            let mut start = found.x.clone();
            let cell = start.get_mut(worst)?;
            let falls =
                by[(worst, worst)] / (problem.into[(worst, worst)] * problem.into[(worst, worst)]) < -FLAT * size;
            (falls && cell.abs() < 1e-3).then(|| *cell = 1e-2)?;
            Some(start)
        }
        SlopeCovariance::Correlated => {
            // Directions in which nothing differs; in all others Gamma vanishes with the gradient.
            let svd = lambda.svd().ok()?;
            let none: Vec<usize> = (0..k).filter(|i| svd.S()[*i] < 1e-3).collect();
            if none.is_empty() {
                return None;
            }
            let axes = Mat::from_fn(k, none.len(), |i, j| none.get(j).map_or(0.0, |&n| svd.U()[(i, n)]));
            let eigen = (axes.transpose() * &point.gamma * &axes).self_adjoint_eigen(Side::Lower).ok()?;
            if eigen.S()[0] > -FLAT * size {
                return None;
            }
            let falls = &axes * Mat::from_fn(none.len(), 1, |i, _| eigen.U()[(i, 0)]);
            let s = &lambda * lambda.transpose();
            let step = Mat::from_fn(k, k, |i, j| s[(i, j)] + 1e-4 * falls[(i, 0)] * falls[(j, 0)]);
            let eigen = step.self_adjoint_eigen(Side::Lower).ok()?;
            let root = Mat::from_fn(k, k, |i, j| eigen.U()[(i, j)] * eigen.S()[j].max(0.0).sqrt());
            let lower = lower_triangular(&root);
            Some((0..k).flat_map(|j| (j..k).map(move |i| (i, j))).map(|(i, j)| lower[(i, j)]).collect())
        }
    }
}

/// The lower triangular root L with L L' = R R', its diagonal not negative: Gram-Schmidt on the rows of R, twice.
fn lower_triangular(root: &Mat<f64>) -> Mat<f64> {
    let k = root.nrows();
    let mut directions: Vec<Mat<f64>> = vec![];
    let mut lower = Mat::zeros(k, k);
    for i in 0..k {
        let mut rest = Mat::from_fn(1, k, |_, j| root[(i, j)]);
        let whole = rest.norm_l2();
        for _ in 0..2 {
            for (j, direction) in directions.iter().enumerate() {
                let along = (&rest * direction.transpose())[(0, 0)];
                lower[(i, j)] += along;
                rest -= along * direction;
            }
        }
        let length = rest.norm_l2();
        if length > 1e-12 * whole && length > 0.0 {
            lower[(i, i)] = length;
            directions.push(rest * (1.0 / length));
        } else {
            directions.push(Mat::zeros(1, k));
        }
    }
    lower
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

impl Problem {
    /// Lambda of a `theta` as given: for the covariates as they are, not in this basis.
    fn given(&self, theta: &[f64], structure: SlopeCovariance) -> Result<Mat<f64>> {
        let k = self.n_slopes();
        let cells: Vec<(usize, usize)> = places(k, structure).collect();
        let is_possible = theta.len() == cells.len()
            && cells.iter().zip(theta).all(|((i, j), t)| t.is_finite() && (i != j || *t >= 0.0));
        if !is_possible {
            let allowed =
                format!("{} finite values, the lower triangle column by column, its diagonal >= 0", cells.len());
            return Err(Error::option("theta", format!("{theta:?}"), allowed));
        }
        let mut lambda = Mat::zeros(k, k);
        for (cell, &value) in cells.into_iter().zip(theta) {
            lambda[cell] = value;
        }
        Ok(lambda)
    }
}

/// Where the entries of theta stand.
fn places(k: usize, structure: SlopeCovariance) -> impl Iterator<Item = (usize, usize)> {
    let is_full = structure == SlopeCovariance::Correlated;
    (0..k).flat_map(move |j| (j..k).map(move |i| (i, j))).filter(move |(i, j)| is_full || i == j)
}

fn rows(matrix: &Mat<f64>) -> Vec<Vec<f64>> {
    (0..matrix.nrows()).map(|i| (0..matrix.ncols()).map(|j| matrix[(i, j)]).collect()).collect()
}

/// b = Lambda U^-1 Lambda' (Z'y - Z'X beta); conditional covariance sigma^2 Lambda U^-1 Lambda'; the prediction error adds
/// C Var(beta) C', C = Lambda U^-1 Lambda' Z'X.
fn effects(
    moments: &SlopeMoments,
    problem: &Problem,
    lambda: &Mat<f64>,
    point: &Evaluation,
    fixed: &Mat<f64>,
    sds: &[f64],
) -> Vec<SlopeEffect> {
    let (k, width) = (problem.n_slopes(), problem.width());
    let p = width - 1;
    let mut unit = Unit::new(lambda, width);
    let beta = Mat::from_fn(p, 1, |i, _| point.beta.get(i).copied().unwrap_or(f64::NAN));
    let one = |(&code, (g, b)): (&u32, (&[f64], &[f64]))| {
        unit.eliminate(g, b);
        let root = &problem.back * unit.root();
        let cell = |i: usize, j: usize| unit.r.get(i * width + j).copied().unwrap_or(f64::NAN);
        let x = Mat::from_fn(k, p, cell);
        let y = Mat::from_fn(k, 1, |i, _| cell(i, p));
        let c = &root * &x;
        let effect = &root * y - &c * &beta;
        let conditional = &root * root.transpose() * point.sigma2;
        let error = &conditional + &c * fixed * c.transpose();
        let reliability = sds
            .iter()
            .enumerate()
            .map(|(i, sd)| if *sd > 0.0 { (1.0 - error[(i, i)] / (sd * sd)).clamp(0.0, 1.0) } else { 0.0 });
        SlopeEffect {
            code,
            n: g.first().copied().unwrap_or(0.0),
            effect: (0..k).map(|i| effect[(i, 0)]).collect(),
            reliability: reliability.collect(),
            conditional: rows(&conditional),
            error: rows(&error),
        }
    };
    moments.codes.iter().zip(problem.units()).map(one).collect()
}
