//! Fitting, and the fit.

use faer::Mat;

use super::data::GlmmData;
use super::family::Family;
use super::laplace::Mode;
use super::start::Start;
use crate::mixed::FEW_UNITS;
use crate::mixed::algebra::inverse;
use crate::mixed::minimise::{Limits, Minimum, minimise};
use crate::mixed::nested_effects::{NestedEffect, Parts};
use crate::{Error, Note, NoteCode, Result};

/// A fitted generalised linear mixed model.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GlmmFit {
    /// What was counted.
    pub family: Family,
    /// Minus twice the log-likelihood (Laplace) at `theta` and `beta`.
    pub criterion: f64,
    /// The names of the fixed terms that could be estimated, the intercept first.
    pub terms: Vec<String>,
    /// Their estimates, on the scale of the link (log odds; logarithms of rates).
    pub beta: Vec<f64>,
    /// Their standard errors, which allow for the estimated variances.
    pub se: Vec<f64>,
    /// Their covariance matrix, row by row.
    pub vcov: Vec<Vec<f64>>,
    /// The standard deviation of every factor on the scale of the link, outermost factor first.
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
    /// The largest derivative of the criterion by log theta^2 and by the coefficients of standardised covariates.
    pub gradient: f64,
    /// Caveats. `at` is the term, or the factor as "level 0", "level 1".
    pub notes: Vec<Note>,
    effects: Vec<Vec<NestedEffect>>,
}

/// A standard deviation below this is none.
const SINGULAR_THETA: f64 = 1e-4;
/// A variance that adds less than this share to what the rows say of a unit is given up for zero.
const VANISHING: f64 = 1e-5;
/// A standard deviation of the effects that no school has: the outcomes of whole units are all alike.
const BOUNDLESS_THETA: f64 = 12.0;
/// A standard error (for a covariate of unit spread) that no data leave but those in which a coefficient has no bound.
const BOUNDLESS_SE: f64 = 30.0;
const LIMITS: Limits = Limits { longest_step: 2.0, difference: 1e-4, smallest_decrease: 1e-8 };
const MOST_ROUNDS: usize = 6;

/// Fits by maximising Laplace's approximation to the likelihood over variances and coefficients together.
///
/// Starts from penalised quasi-likelihood and goes on by quasi-Newton steps in log theta^2 and beta with the analytic
/// gradient; a variance that vanishes is held at exactly zero as long as the likelihood does not rise from there.
/// Standard errors come from the second derivatives of the criterion by all parameters (as lme4's). `progress` is
/// called before every evaluation with how many there were, and may stop the search.
///
/// # Errors
/// [`Error::TooFew`] when every unit holds a single yes or no; [`Error::Numerical`] when the criterion cannot be
/// computed; what `progress` returns.
///
/// # Notes
/// `singular`, `few_units`, `confounded_levels`, `rank_deficient` (one per dropped term), `separated` (a coefficient or a
/// spread without bound), `not_converged`.
///
/// # References
/// Bates, Maechler, Bolker & Walker (2015), J. Stat. Softw. 67(1). Breslow & Clayton (1993), J. Am. Stat. Assoc. 88:9.
pub fn fit_glmm(data: &GlmmData, progress: &(dyn Fn(usize, usize) -> Result<()> + Sync)) -> Result<GlmmFit> {
    let groups = data.starts.len() - 1;
    if data.family == Family::Binomial && groups >= data.n_obs() && data.size.iter().all(|s| *s <= 1.0) {
        return Err(Error::TooFew {
            what: "the variance between units".into(),
            needed: "units with 2 rows".into(),
            found: groups,
            remedy: "give the factor whose units hold several rows".into(),
        });
    }
    let failed = || Error::Numerical { what: "the fit".into(), problem: "the likelihood cannot be computed".into() };
    let indistinct = data.indistinct();
    let start = data.start(&indistinct).ok_or_else(failed)?;
    let mut search = Search::new(data, start, indistinct, progress);
    let found = search.run();
    if let Some(error) = search.stopped {
        return Err(error);
    }
    let found = found.ok_or_else(failed)?;
    GlmmFit::assemble(data, &found, search.n_evaluations)
}

/// The end of a search.
struct Found {
    t: Vec<f64>,
    beta: Vec<f64>,
    mode: Mode,
    /// Of the coefficients in the basis; none where the second derivatives are of no use.
    covariance: Option<Mat<f64>>,
    has_converged: bool,
    gradient: f64,
}

struct Search<'a> {
    data: &'a GlmmData,
    start: Start,
    /// Levels whose variance cannot be told from another's: they stay at 0.
    indistinct: Vec<bool>,
    progress: &'a (dyn Fn(usize, usize) -> Result<()> + Sync),
    n_evaluations: usize,
    stopped: Option<Error>,
}

impl<'a> Search<'a> {
    fn new(
        data: &'a GlmmData,
        start: Start,
        indistinct: Vec<bool>,
        progress: &'a (dyn Fn(usize, usize) -> Result<()> + Sync),
    ) -> Self {
        Self { data, start, indistinct, progress, n_evaluations: 0, stopped: None }
    }

    /// The deviance and its gradient by every t and every coefficient.
    fn evaluate(&mut self, t: &[f64], beta: &[f64]) -> Option<(f64, Vec<f64>)> {
        if self.stopped.is_some() {
            return None;
        }
        if let Err(error) = (self.progress)(self.n_evaluations, 0) {
            self.stopped = Some(error);
            return None;
        }
        self.n_evaluations += 1;
        let mode = &mut self.start.mode;
        let point = self.data.evaluate(t, beta, mode).or_else(|| {
            // From a bad place the mode may be out of reach: once more from nothing.
            *mode = Mode::zero(self.data);
            self.data.evaluate(t, beta, mode)
        });
        let (point, fixed) = point?;
        Some((point.deviance, self.data.gradient(t, mode, &fixed, &point)))
    }

    fn run(&mut self) -> Option<Found> {
        let depth = self.data.nest.depth();
        let mut t = self.start.t.clone();
        let mut beta = self.start.beta.clone();
        let mut information = self.start.information.clone();
        let scale = self.information_of_groups(&t, &beta)?;
        let at = |values: &[f64], l: usize| values.get(l).copied().unwrap_or(0.0);
        let set = |values: &mut [f64], l: usize, value: f64| {
            if let Some(cell) = values.get_mut(l) {
                *cell = value;
            }
        };
        let mut last: Option<(Minimum, Vec<usize>)> = None;
        for _ in 0..MOST_ROUNDS {
            // Vanishing variances are zero, as long as the likelihood does not rise from there.
            for l in 0..depth {
                let small = if last.is_some() { VANISHING } else { 0.02 };
                if at(&t, l) > 0.0 && at(&t, l) * at(&scale, l) < small {
                    let mut without = t.clone();
                    set(&mut without, l, 0.0);
                    if self.evaluate(&without, &beta).is_some_and(|(_, g)| at(&g, l) >= 0.0) {
                        t = without;
                        last = None;
                    }
                }
            }
            if let Some((minimum, free)) = last.take() {
                let (_, g) = self.evaluate(&t, &beta)?;
                let rising = |l: &usize| at(&t, *l) == 0.0 && !self.indistinct.get(*l).copied().unwrap_or(true);
                let falls = (0..depth).filter(rising).find(|&l| at(&g, l) < -1e-6 * at(&scale, l));
                match falls {
                    None => return Some(self.finish(t, beta, &minimum, free.len())),
                    Some(l) => set(&mut t, l, 0.05 / at(&scale, l).max(1e-12)),
                }
            }
            let free: Vec<usize> = (0..depth).filter(|l| at(&t, *l) > 0.0).collect();
            let minimum = self.minimise(&t, &beta, &free, &information)?;
            for (&l, x) in free.iter().zip(&minimum.x) {
                set(&mut t, l, x.exp());
            }
            beta = minimum.x.iter().skip(free.len()).copied().collect();
            let p = beta.len();
            information = Mat::from_fn(p, p, |i, j| 0.5 * minimum.hessian[(free.len() + i, free.len() + j)]);
            last = Some((minimum, free));
        }
        let (mut minimum, free) = last?;
        minimum.has_converged = false;
        Some(self.finish(t, beta, &minimum, free.len()))
    }

    /// What the rows say of a unit of every level, on average: the sum of their weights.
    fn information_of_groups(&mut self, t: &[f64], beta: &[f64]) -> Option<Vec<f64>> {
        self.evaluate(t, beta)?;
        let pass = self.data.pass(&self.data.fixed_part(beta), &self.start.mode.total);
        let sum: f64 = pass.weight.iter().sum();
        Some(self.data.nest.levels.iter().map(|l| sum / l.codes.len() as f64).collect())
    }

    fn minimise(&mut self, t: &[f64], beta: &[f64], free: &[usize], information: &Mat<f64>) -> Option<Minimum> {
        let k = free.len();
        let logs = free.iter().map(|&l| t.get(l).copied().unwrap_or(1.0).ln());
        let x: Vec<f64> = logs.chain(beta.iter().copied()).collect();
        let (zeros, depth) = (vec![0.0; t.len()], t.len());
        // d2 dev / d (log t)^2 is about the sum of (t h)^2 over the groups.
        let curvature = self.curvature(t, beta)?;
        let hessian = Mat::from_fn(x.len(), x.len(), |i, j| match (i.checked_sub(k), j.checked_sub(k)) {
            (Some(i), Some(j)) => 2.0 * information[(i, j)],
            (None, None) if i == j => free.get(i).and_then(|&l| curvature.get(l)).copied().unwrap_or(1.0).max(1e-3),
            _ => 0.0,
        });
        let mut f = |x: &[f64]| {
            let mut t = zeros.clone();
            for (&l, log) in free.iter().zip(x) {
                if let Some(cell) = t.get_mut(l) {
                    *cell = log.exp();
                }
            }
            if t.iter().any(|t| *t > BOUNDLESS_THETA.powi(4)) {
                return None;
            }
            let beta = x.get(k..).unwrap_or_default();
            let (value, g) = self.evaluate(&t, beta)?;
            let slopes = free.iter().map(|&l| Some(t.get(l)? * g.get(l)?));
            let slopes: Option<Vec<f64>> = slopes.chain(g.iter().skip(depth).map(|g| Some(*g))).collect();
            Some((value, slopes?))
        };
        minimise(&mut f, &x, Some(hessian), LIMITS)
    }

    fn curvature(&mut self, t: &[f64], beta: &[f64]) -> Option<Vec<f64>> {
        let (point, _) = self.data.evaluate(t, beta, &mut self.start.mode)?;
        let variances = self.data.nest.variances(&point.eliminated, t);
        Some(variances.iter().zip(t).map(|(v, t)| v.h.iter().map(|h| (t * h) * (t * h)).sum()).collect())
    }

    fn finish(&self, t: Vec<f64>, beta: Vec<f64>, minimum: &Minimum, n_free: usize) -> Found {
        let p = beta.len();
        // Where the search found no end, its second derivatives are those of somewhere else.
        let hessian = if minimum.has_converged { inverse(&minimum.hessian) } else { None };
        let covariance = hessian.map(|m| Mat::from_fn(p, p, |i, j| 2.0 * m[(n_free + i, n_free + j)]));
        let gradient = minimum.gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
        Found { t, beta, mode: self.start.mode.clone(), covariance, has_converged: minimum.has_converged, gradient }
    }
}

impl GlmmData {
    /// Levels whose variance the data cannot tell from another's, or from nothing.
    fn indistinct(&self) -> Vec<bool> {
        (0..self.nest.depth()).map(|l| self.n_groups(l) == 1 || self.is_confounded(l)).collect()
    }

    fn n_groups(&self, level: usize) -> usize {
        self.nest.levels.get(level).map_or(0, |l| l.codes.len())
    }

    /// Whether the groups of a level are those of the level around it, one to one.
    fn is_confounded(&self, level: usize) -> bool {
        level.checked_sub(1).is_some_and(|outer| self.n_groups(outer) == self.n_groups(level))
            && self.n_groups(level) > 1
    }
}

impl GlmmFit {
    /// Evaluates the model at given standard deviations (outermost factor first) and coefficients, without optimising.
    ///
    /// Standard errors are then those for known variances.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] when `theta` has not one finite value >= 0 per factor or `beta` not one finite value per
    /// term; [`Error::Numerical`] where the likelihood cannot be computed.
    pub fn at(data: &GlmmData, theta: &[f64], beta: &[f64]) -> Result<Self> {
        let (t, beta) = checked(data, theta, beta)?;
        let found = Found { t, beta, mode: Mode::zero(data), covariance: None, has_converged: true, gradient: 0.0 };
        Self::assemble(data, &found, 1)
    }

    /// The criterion and its derivative by theta^2 of every factor, then by the coefficient of every kept covariate.
    ///
    /// # Errors
    /// As [`GlmmFit::at`].
    pub fn gradient_at(data: &GlmmData, theta: &[f64], beta: &[f64]) -> Result<(f64, Vec<f64>)> {
        let (t, beta) = checked(data, theta, beta)?;
        let mut mode = Mode::zero(data);
        let (point, fixed) = data.evaluate(&t, &beta, &mut mode).ok_or_else(not_computed)?;
        let all = data.gradient(&t, &mode, &fixed, &point);
        let (by_t, by_beta) = all.split_at(t.len().min(all.len()));
        // What moves in the basis when a coefficient as given moves: the columns of the inverse.
        let p = beta.len();
        let into = into(data);
        let by_given = (0..p).map(|j| by_beta.iter().enumerate().map(|(i, g)| g * into[(i, j)]).sum::<f64>());
        Ok((point.deviance, by_t.iter().copied().chain(by_given).collect()))
    }

    /// The units of a factor (0 is the outermost), in the order of their codes, on the scale of the link.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] when there is no such factor.
    pub fn effects(&self, level: usize) -> Result<&[NestedEffect]> {
        self.effects.get(level).map(Vec::as_slice).ok_or_else(|| {
            Error::option("factor", level, format!("one of the {} factors, counted from 0", self.effects.len()))
        })
    }

    fn assemble(data: &GlmmData, found: &Found, n_evaluations: usize) -> Result<Self> {
        let mut mode = found.mode.clone();
        let (point, fixed) = data.evaluate(&found.t, &found.beta, &mut mode).ok_or_else(not_computed)?;
        let (information, answers) = data.information(&found.t, &mode, &fixed);
        let covariance = match &found.covariance {
            Some(covariance) => covariance.clone(),
            None => known_variances(&information).ok_or_else(not_computed)?,
        };
        let (beta, vcov) = data.basis.undone(&found.beta, &covariance);
        let variances = data.nest.variances(&point.eliminated, &found.t);
        let parts = Parts {
            nest: &data.nest,
            t: &found.t,
            sigma2: 1.0,
            own: &mode.own,
            variances: &variances,
            answers: &answers,
            covariance: &covariance,
        };
        let (terms, dropped) = data.basis.names(&data.terms);
        let theta: Vec<f64> = found.t.iter().map(|t| t.sqrt()).collect();
        let mut fit = Self {
            family: data.family,
            criterion: point.deviance,
            terms,
            beta,
            se: vcov.iter().enumerate().map(|(k, row)| row.get(k).copied().unwrap_or(f64::NAN).sqrt()).collect(),
            vcov,
            is_singular: theta.iter().any(|t| *t < SINGULAR_THETA),
            theta,
            variances: found.t.clone(),
            n_groups: data.nest.levels.iter().map(|l| l.codes.len()).collect(),
            n_obs: data.n_obs(),
            has_converged: found.has_converged,
            n_evaluations,
            gradient: found.gradient,
            notes: vec![],
            effects: parts.effects(),
        };
        fit.notes = fit.caveats(data, &dropped, &covariance);
        Ok(fit)
    }

    fn caveats(&self, data: &GlmmData, dropped: &[String], covariance: &Mat<f64>) -> Vec<Note> {
        let mut notes = vec![];
        for (level, (&theta, &groups)) in self.theta.iter().zip(&self.n_groups).enumerate() {
            let mut say = |code: NoteCode| notes.push(Note::new(code, groups).at(format!("level {level}")));
            if theta < SINGULAR_THETA {
                say(NoteCode::Singular);
            }
            if groups < FEW_UNITS {
                say(NoteCode::FewUnits);
            }
            if data.is_confounded(level) {
                say(NoteCode::ConfoundedLevels);
            }
            if theta > BOUNDLESS_THETA {
                say(NoteCode::Separated);
            }
        }
        for (k, term) in self.terms.iter().enumerate() {
            let variance = covariance[(k, k)];
            if variance.is_nan() || variance > BOUNDLESS_SE * BOUNDLESS_SE {
                notes.push(Note::new(NoteCode::Separated, 1).at(term.as_str()));
            }
        }
        notes.extend(dropped.iter().map(|term| Note::new(NoteCode::RankDeficient, 1).at(term.as_str())));
        if !self.has_converged {
            notes.push(Note::new(NoteCode::NotConverged, self.n_evaluations).with_value(self.gradient));
        }
        notes
    }
}

/// The covariance of the coefficients for known variances; very large, not infinite, where there is no information.
fn known_variances(information: &Mat<f64>) -> Option<Mat<f64>> {
    let p = information.nrows();
    inverse(information).or_else(|| inverse(&(information + Mat::<f64>::identity(p, p) * 1e-10)))
}

fn not_computed() -> Error {
    Error::Numerical { what: "the likelihood".into(), problem: "the mode of the effects was not found".into() }
}

/// What takes coefficients as given to those of the basis.
fn into(data: &GlmmData) -> Mat<f64> {
    let basis = &data.basis;
    let at = |values: &[f64], k: usize| values.get(k).copied().unwrap_or(f64::NAN);
    let p = basis.n_terms();
    Mat::from_fn(p, p, |i, j| match (i, j) {
        _ if i == j => at(&basis.scale, i),
        (0, j) => at(&basis.shift, j),
        _ => 0.0,
    })
}

/// Variances, and coefficients in the basis.
fn checked(data: &GlmmData, theta: &[f64], beta: &[f64]) -> Result<(Vec<f64>, Vec<f64>)> {
    if theta.len() != data.nest.depth() || !theta.iter().all(|t| *t >= 0.0 && t.is_finite()) {
        let allowed = format!("{} finite values >= 0, one per factor", data.nest.depth());
        return Err(Error::option("theta", format!("{theta:?}"), allowed));
    }
    let p = data.n_terms();
    if beta.len() != p || !beta.iter().all(|b| b.is_finite()) {
        return Err(Error::option("beta", format!("{beta:?}"), format!("{p} finite values, one per term")));
    }
    let given = into(data) * Mat::from_fn(p, 1, |i, _| beta.get(i).copied().unwrap_or(f64::NAN));
    Ok((theta.iter().map(|t| t * t).collect(), (0..p).map(|i| given[(i, 0)]).collect()))
}
