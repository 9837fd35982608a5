//! Covariates measured with error: a prior score whose reliability is known.
//!
//! y = X beta + sum over levels of b + e, where W = X + noise is seen instead of X. Regression on W draws the slope
//! towards zero, and what is left of the prior then stands in the effects: units with weak pupils look worse than they
//! are. With var(noise) = (1 - reliability) var(W) the moment W'V^-1 W is too large by var(noise) tr(V^-1), which is
//! taken away (Fuller 1987, Measurement Error Models, sec. 2.2; for teachers' effects Lockwood & `McCaffrey` 2014, J.
//! Educ. Behav. Stat. 39:22, doi:10.3102/1076998613509405). Residuals y - W beta then have mean Zb, and the variance
//! of e and of the noise together; the variances between units are those that maximise their likelihood.

use faer::{Mat, Side};

use super::algebra::inverse;
use super::basis::Basis;
use super::design::{Design, check_finite, check_rows};
use super::minimise::{Limits, minimise};
use super::nest::{Eliminated, Nest, Solution};
use super::nested_effects::{NestedEffect, Parts};
use super::{FEW_UNITS, Method};
use crate::{Error, Note, NoteCode, Result};

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

const SINGULAR_THETA: f64 = 1e-4;
const LIMITS: Limits = Limits { longest_step: 1.0, difference: 1e-5, smallest_decrease: 1e-9 };
/// Rounds of coefficients and variances in turn.
const MOST_ROUNDS: usize = 100;
/// Where the search of a standard deviation ratio begins.
const FIRST_THETA: f64 = 0.3;

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

/// Sums over the rows.
struct Model {
    method: Method,
    basis: Basis,
    nest: Nest,
    n_obs: f64,
    shift_y: f64,
    /// Cross products of [x, y] in the basis.
    gram: Mat<f64>,
    /// Sums over the innermost groups, column by column: 1 (the rows), then [x, y].
    n: Vec<f64>,
    sums: Vec<Vec<f64>>,
    /// The variance of the noise of every kept term, in the basis.
    noise: Vec<f64>,
    is_fixed: Vec<bool>,
}

/// Everything at one t.
struct State {
    eliminated: Eliminated,
    answers: Vec<Solution>,
    /// A'V^-1 A.
    m: Mat<f64>,
    /// tr(V^-1).
    trace: f64,
    h: Vec<f64>,
}

/// The end of a search.
struct Found {
    theta: Vec<f64>,
    beta: Vec<f64>,
    deviance: f64,
    gradient: f64,
    has_converged: bool,
}

impl Model {
    fn new(design: &Design, y: &[f64], levels: &[&[u32]], reliability: &[(&str, f64)], method: Method) -> Result<Self> {
        let n_rows = design.n_rows();
        check_rows("outcome", y.len(), n_rows)?;
        check_finite("outcome", y)?;
        for codes in levels {
            check_rows("grouping factor", codes.len(), n_rows)?;
        }
        let basis = Basis::of_design(design);
        let p = basis.n_terms();
        let (nest, order, starts) = Nest::new(levels, n_rows);
        let innermost = starts.len() - 1;
        if levels.is_empty() || n_rows <= p || innermost >= n_rows {
            return Err(Error::TooFew {
                what: "a mixed model".into(),
                needed: format!("1 grouping factor whose units hold several rows, and {} rows", p + 1),
                found: n_rows,
                remedy: "name the factor whose units hold several rows, or leave out covariates".into(),
            });
        }
        let n = n_rows as f64;
        let shift_y = y.iter().sum::<f64>() / n;
        let mut gram = vec![0.0; (p + 1) * (p + 1)];
        let mut sums = vec![vec![0.0; innermost]; p + 1];
        let mut row = vec![0.0; p + 1];
        for (group, pair) in starts.windows(2).enumerate() {
            let [from, to] = pair else { continue };
            for &i in order.get(*from..*to).unwrap_or_default() {
                basis.row(design, i as usize, &mut row);
                if let Some(cell) = row.last_mut() {
                    *cell = y.get(i as usize).copied().unwrap_or(f64::NAN) - shift_y;
                }
                for ((line, column), &a) in gram.chunks_exact_mut(p + 1).zip(&mut sums).zip(&row) {
                    for (cell, &b) in line.iter_mut().zip(&row) {
                        *cell += a * b;
                    }
                    if let Some(cell) = column.get_mut(group) {
                        *cell += a;
                    }
                }
            }
        }
        let noise = noise(design, &basis, reliability)?;
        let counts: Vec<usize> = nest.levels.iter().map(|l| l.codes.len()).collect();
        let is_fixed = counts
            .iter()
            .enumerate()
            .map(|(l, n)| *n == 1 || l.checked_sub(1).and_then(|o| counts.get(o)).is_some_and(|outer| outer == n));
        Ok(Self {
            method,
            n: nest.levels.last().map(|l| l.n.clone()).unwrap_or_default(),
            is_fixed: is_fixed.collect(),
            basis,
            nest,
            n_obs: n,
            shift_y,
            gram: Mat::from_fn(p + 1, p + 1, |i, j| gram.get(i * (p + 1) + j).copied().unwrap_or(f64::NAN)),
            sums,
            noise,
        })
    }

    fn n_terms(&self) -> usize {
        self.basis.n_terms()
    }

    fn freedom(&self) -> f64 {
        match self.method {
            Method::Reml => self.n_obs - self.n_terms() as f64,
            Method::Ml => self.n_obs,
        }
    }

    fn state(&self, t: &[f64]) -> State {
        let eliminated = self.nest.eliminate(&self.n, t);
        let answers: Vec<Solution> = self.sums.iter().map(|c| self.nest.solve(&eliminated, t, c)).collect();
        let width = self.n_terms() + 1;
        let taken = |i: usize, j: usize| {
            let pair = self.sums.get(i).zip(answers.get(j));
            pair.map_or(f64::NAN, |(c, s)| c.iter().zip(&s.total).map(|(c, b)| c * b).sum())
        };
        let m = Mat::from_fn(width, width, |i, j| self.gram[(i, j)] - f64::midpoint(taken(i, j), taken(j, i)));
        let h: Vec<f64> = self.nest.variances(&eliminated, t).iter().map(|v| v.h.iter().sum()).collect();
        let trace = self.n_obs - h.iter().zip(t).map(|(h, t)| h * t).sum::<f64>();
        State { eliminated, answers, m, trace, h }
    }

    fn xx(&self, m: &Mat<f64>) -> Mat<f64> {
        let p = self.n_terms();
        Mat::from_fn(p, p, |i, j| m[(i, j)])
    }

    /// X'V^-1 X without what the noise adds, inverted.
    fn corrected(&self, state: &State) -> Option<Mat<f64>> {
        let p = self.n_terms();
        let noise = |k: usize| self.noise.get(k).copied().unwrap_or(0.0);
        let m = Mat::from_fn(p, p, |i, j| state.m[(i, j)] - if i == j { state.trace * noise(i) } else { 0.0 });
        inverse(&m)
    }

    /// Coefficients at t, and v = (-beta, 1).
    fn beta(&self, state: &State) -> Option<(Mat<f64>, Mat<f64>)> {
        let p = self.n_terms();
        let beta = self.corrected(state)? * Mat::from_fn(p, 1, |i, _| state.m[(i, p)]);
        let v = Mat::from_fn(p + 1, 1, |i, _| if i == p { 1.0 } else { -beta[(i, 0)] });
        Some((beta, v))
    }

    /// The criterion of residuals with known coefficients, and its derivative by theta.
    fn criterion(&self, theta: &[f64], v: &Mat<f64>) -> Option<(f64, Vec<f64>)> {
        let t: Vec<f64> = theta.iter().map(|t| t * t).collect();
        let state = self.state(&t);
        let p = self.n_terms();
        let xx = inverse(&self.xx(&state.m))?;
        let r2 = (v.transpose() * &state.m * v)[(0, 0)];
        let freedom = self.freedom();
        if r2.is_nan() || r2 <= 0.0 {
            return None;
        }
        let log_det_x = self.xx(&state.m).llt(Side::Lower).ok()?;
        let log_det_x: f64 = (0..p).map(|k| 2.0 * log_det_x.L()[(k, k)].ln()).sum::<f64>()
            + self.basis.scale.iter().map(|s| 2.0 * s.ln()).sum::<f64>();
        let fit = freedom * (1.0 + (2.0 * std::f64::consts::PI * r2 / freedom).ln());
        let is_reml = self.method == Method::Reml;
        let deviance = state.eliminated.log_det + fit + if is_reml { log_det_x } else { 0.0 };
        let slopes = theta.iter().enumerate().map(|(level, theta)| {
            let q = Self::square(&state, level);
            let trace: f64 =
                if is_reml { (0..p).map(|i| (0..p).map(|j| xx[(i, j)] * q[(j, i)]).sum::<f64>()).sum() } else { 0.0 };
            let loss = (v.transpose() * &q * v)[(0, 0)] * freedom / r2;
            2.0 * theta * (state.h.get(level).copied().unwrap_or(0.0) - trace - loss)
        });
        deviance.is_finite().then(|| (deviance, slopes.collect()))
    }

    /// The sum of u u' over the groups of a level, u = z'V^-1 A.
    fn square(state: &State, level: usize) -> Mat<f64> {
        let scores: Vec<&[f64]> =
            state.answers.iter().map(|a| a.score.get(level).map(Vec::as_slice).unwrap_or_default()).collect();
        let cell = |i: usize, j: usize| {
            let pair = scores.get(i).zip(scores.get(j));
            pair.map_or(0.0, |(a, b)| a.iter().zip(b.iter()).map(|(a, b)| a * b).sum())
        };
        Mat::from_fn(scores.len(), scores.len(), cell)
    }

    /// The smallest reliabilities that leave something: as given, but with all noise scaled alike.
    fn too_noisy(&self, state: &State, reliability: &[(&str, f64)]) -> Error {
        let p = self.n_terms();
        let noise = |k: usize| (self.noise.get(k).copied().unwrap_or(0.0) * state.trace).max(0.0).sqrt();
        // The noise may grow by 1 over the largest eigenvalue of D^1/2 M^-1 D^1/2.
        let largest = inverse(&self.xx(&state.m)).and_then(|m| {
            let scaled = Mat::from_fn(p, p, |i, j| noise(i) * m[(i, j)] * noise(j));
            scaled.self_adjoint_eigen(Side::Lower).ok().map(|e| e.S()[p - 1])
        });
        let room = 1.0 / largest.unwrap_or(f64::INFINITY);
        let smallest = reliability.iter().map(|(name, r)| {
            // Rounded upwards, so that what is said works.
            let smallest = ((1.0 - (1.0 - r) * room) * 1e3).floor() / 1e3 + 1e-3;
            format!("{name}: above {:.3}", smallest.min(1.0))
        });
        let given: Vec<String> = reliability.iter().map(|(name, r)| format!("{name}: {r}")).collect();
        Error::option(
            "reliability",
            format!("{{{}}}", given.join(", ")),
            format!(
                "higher: as much variance would be noise as the covariate has beside the other terms ({})",
                smallest.collect::<Vec<_>>().join(", ")
            ),
        )
    }

    fn assemble(
        &self,
        design: &Design,
        reliability: &[(&str, f64)],
        found: &Found,
        n_evaluations: usize,
    ) -> Result<ReliabilityFit> {
        let t: Vec<f64> = found.theta.iter().map(|t| t * t).collect();
        let state = self.state(&t);
        let p = self.n_terms();
        let inner = self.corrected(&state).ok_or_else(|| self.too_noisy(&state, reliability))?;
        let v = Mat::from_fn(p + 1, 1, |i, _| found.beta.get(i).map_or(1.0, |b| -b));
        let sigma2 = (v.transpose() * &state.m * &v)[(0, 0)] / self.freedom();
        let covariance = &inner * self.meat(&state, &t, &found.beta, sigma2) * &inner;
        let (mut beta, vcov) = self.basis.undone(&found.beta, &covariance);
        if let Some(intercept) = beta.first_mut() {
            *intercept += self.shift_y;
        }
        let (terms, dropped) = self.basis.names(design.terms());
        let own: Vec<Vec<f64>> = t
            .iter()
            .enumerate()
            .map(|(level, t)| {
                let groups = self.nest.levels.get(level).map_or(0, |l| l.codes.len());
                let score = |k: usize, g: usize| {
                    state.answers.get(k).and_then(|a| a.score.get(level)).and_then(|s| s.get(g)).copied().unwrap_or(0.0)
                };
                (0..groups).map(|g| t * (0..=p).map(|k| v[(k, 0)] * score(k, g)).sum::<f64>()).collect()
            })
            .collect();
        let variances = self.nest.variances(&state.eliminated, &t);
        let parts = Parts {
            nest: &self.nest,
            t: &t,
            sigma2,
            own: &own,
            variances: &variances,
            answers: state.answers.get(..p).unwrap_or_default(),
            covariance: &covariance,
        };
        let mut fit = ReliabilityFit {
            method: self.method,
            criterion: found.deviance,
            terms,
            beta,
            se: vcov
                .iter()
                .enumerate()
                .map(|(k, row)| row.get(k).copied().unwrap_or(f64::NAN).max(0.0).sqrt())
                .collect(),
            vcov,
            sigma: sigma2.sqrt(),
            noise: self.noise.iter().zip(&found.beta).map(|(d, b)| d * b * b).sum(),
            theta: found.theta.clone(),
            variances: t.iter().map(|t| t * sigma2).collect(),
            n_groups: self.nest.levels.iter().map(|l| l.codes.len()).collect(),
            n_obs: design.n_rows(),
            is_singular: found.theta.iter().any(|t| *t < SINGULAR_THETA),
            has_converged: found.has_converged,
            n_evaluations,
            gradient: found.gradient,
            notes: vec![],
            effects: parts.effects(),
        };
        fit.notes = fit.caveats(&dropped);
        Ok(fit)
    }

    /// The covariance of W'V^-1 r + (1 - reliability) var(W) tr(V^-1) beta, r = y - W beta: the noise is in W and in r.
    ///
    /// sigma^2 W'V^-1 W + tr(V^-2) s s', s = cov(W, r) = -D beta (Fuller 1987, theorem 2.2.1, with V); and what var(W)
    /// being estimated takes away again, for normal covariates.
    fn meat(&self, state: &State, t: &[f64], beta: &[f64], sigma2: f64) -> Mat<f64> {
        let p = self.n_terms();
        let at = |values: &[f64], k: usize| values.get(k).copied().unwrap_or(0.0);
        let trace = |share: f64| self.state(&t.iter().map(|t| t * share).collect::<Vec<_>>()).trace;
        let squares = state.trace + (trace(1.0 + 1e-4) - trace(1.0 - 1e-4)) / 2e-4;
        let s = |k: usize| -at(&self.noise, k) * at(beta, k);
        let covariance = |i: usize, j: usize| self.gram[(i, j)] / self.n_obs;
        let weight = state.trace * state.trace / self.n_obs;
        // Of the estimated correction of term i with that of j, and with the score of j.
        let both = |i: usize, j: usize| {
            let share = |k: usize| at(&self.noise, k) / covariance(k, k).max(f64::MIN_POSITIVE) * at(beta, k);
            2.0 * share(i) * share(j) * covariance(i, j).powi(2)
        };
        let cross = |i: usize, j: usize| {
            let share = at(&self.noise, i) / covariance(i, i).max(f64::MIN_POSITIVE) * at(beta, i);
            2.0 * share * covariance(i, j) * s(i)
        };
        Mat::from_fn(p, p, |i, j| {
            sigma2 * state.m[(i, j)] + squares * s(i) * s(j) + weight * (both(i, j) + cross(i, j) + cross(j, i))
        })
    }
}

/// The variance of the noise of every kept term, in the basis.
fn noise(design: &Design, basis: &Basis, reliability: &[(&str, f64)]) -> Result<Vec<f64>> {
    let mut noise = vec![0.0; basis.n_terms()];
    for &(name, value) in reliability {
        if !(value > 0.0 && value <= 1.0) {
            return Err(Error::option("reliability", format!("{name}: {value}"), "above 0 and at most 1"));
        }
        let numeric: Vec<&String> = design
            .terms()
            .iter()
            .skip(1)
            .zip(design.columns())
            .filter(|(_, c)| c.is_numeric())
            .map(|(t, _)| t)
            .collect();
        let place = design.terms().iter().position(|t| t == name && numeric.contains(&t));
        let Some(place) = place else {
            return Err(Error::option(
                "reliability",
                format!("{name:?}"),
                format!("of a numeric covariate: one of {numeric:?}"),
            ));
        };
        // The basis has columns of mean square 1.
        if let Some(cell) = basis.kept.iter().position(|k| *k == place).and_then(|k| noise.get_mut(k)) {
            *cell = 1.0 - value;
        }
    }
    Ok(noise)
}

struct Search<'a> {
    model: &'a Model,
    reliability: &'a [(&'a str, f64)],
    progress: &'a (dyn Fn(usize, usize) -> Result<()> + Sync),
    n_evaluations: usize,
    stopped: Option<Error>,
}

impl Search<'_> {
    /// Coefficients for the variances, variances for the coefficients, in turn until neither moves.
    fn run(&mut self) -> Result<Found> {
        let model = self.model;
        let mut theta: Vec<f64> = model.is_fixed.iter().map(|f| if *f { 0.0 } else { FIRST_THETA }).collect();
        let free: Vec<usize> = (0..theta.len()).filter(|l| !model.is_fixed.get(*l).copied().unwrap_or(true)).collect();
        let failed = || Error::Numerical { what: "the fit".into(), problem: "the criterion cannot be computed".into() };
        let mut found = None;
        for _ in 0..MOST_ROUNDS {
            let state = model.state(&theta.iter().map(|t| t * t).collect::<Vec<_>>());
            let (beta, v) = model.beta(&state).ok_or_else(|| model.too_noisy(&state, self.reliability))?;
            let start: Vec<f64> = free.iter().map(|&l| theta.get(l).copied().unwrap_or(0.0)).collect();
            let minimum = {
                let whole = theta.clone();
                let mut f = |x: &[f64]| {
                    self.may_proceed()?;
                    let mut theta = whole.clone();
                    for (&l, x) in free.iter().zip(x) {
                        if let Some(cell) = theta.get_mut(l) {
                            *cell = *x;
                        }
                    }
                    let (value, slopes) = model.criterion(&theta, &v)?;
                    Some((value, free.iter().filter_map(|&l| slopes.get(l).copied()).collect()))
                };
                minimise(&mut f, &start, None, LIMITS)
            };
            let minimum = minimum.ok_or_else(|| self.stopped.take().unwrap_or_else(failed))?;
            let moved = minimum.x.iter().zip(&start).fold(0.0_f64, |m, (a, b)| m.max((a.abs() - b.abs()).abs()));
            for (&l, x) in free.iter().zip(&minimum.x) {
                if let Some(cell) = theta.get_mut(l) {
                    *cell = x.abs();
                }
            }
            let is_done = moved < 1e-9;
            found = Some(Found {
                theta: theta.clone(),
                beta: (0..model.n_terms()).map(|k| beta[(k, 0)]).collect(),
                deviance: minimum.value,
                gradient: minimum.gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs())),
                has_converged: is_done && minimum.has_converged,
            });
            if is_done {
                break;
            }
        }
        found.ok_or_else(failed)
    }

    fn may_proceed(&mut self) -> Option<()> {
        if self.stopped.is_some() {
            return None;
        }
        match (self.progress)(self.n_evaluations, 0) {
            Ok(()) => {
                self.n_evaluations += 1;
                Some(())
            }
            Err(error) => {
                self.stopped = Some(error);
                None
            }
        }
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
