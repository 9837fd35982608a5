//! The table of conditional percentiles, and how it is fitted.

use serde::{Deserialize, Serialize};

use crate::stats::quantile_regression::{self, Rows};
use crate::stats::spline;
use crate::stats::summary::quantile;
use crate::{Error, Result};

/// How the percentiles are modelled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GrowthSpec {
    /// The inner knots of every prior score, in the order of these; `None` for knots at `knot_shares`.
    pub knots: Option<Vec<Vec<f64>>>,
    /// The boundaries of every prior score; `None` for its range and a tenth of it on either side.
    pub boundaries: Option<Vec<(f64, f64)>>,
    /// At which quantiles of a prior score its knots lie where they are not given.
    pub knot_shares: Vec<f64>,
}

impl Default for GrowthSpec {
    fn default() -> Self {
        Self { knots: None, boundaries: None, knot_shares: vec![0.2, 0.4, 0.6, 0.8] }
    }
}

/// The spline of one prior score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriorBasis {
    /// The prior score.
    pub name: String,
    /// Its inner knots.
    pub knots: Vec<f64>,
    /// Its boundaries; a score beyond them is taken as the nearer one.
    pub boundaries: (f64, f64),
}

/// One conditional quantile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantile {
    /// Which one, between 0 and 1.
    pub tau: f64,
    /// The intercept, then the basis of every prior score.
    pub coefficients: Vec<f64>,
    /// The check loss over the students it was fitted to.
    pub check_loss: f64,
}

/// A fitted table: everything that is needed to place a student.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrowthModel {
    /// The score whose growth is judged.
    pub outcome: String,
    /// The prior scores.
    pub priors: Vec<PriorBasis>,
    /// The conditional quantiles, upwards.
    pub quantiles: Vec<Quantile>,
    /// How many students it was fitted to.
    pub n_students: usize,
}

/// How many quantiles there are: at .005, .015 ... .995, between the whole percentiles.
pub(super) const QUANTILES: usize = 100;

/// Fit the table to students: 100 quantile regressions on cubic B-splines of the prior scores.
///
/// Betebenner (2009, Educ. Meas.: Issues and Practice 28(4):42). `progress` is called before each quantile with how many
/// are done; an error of it stops the work.
///
/// # Errors
/// [`Error::TooFew`] for fewer students than five for each column; [`Error::InvalidValue`] for scores that are not finite;
/// [`Error::InvalidOption`] for knots that do not lie within boundaries; what `progress` returns.
pub fn fit(
    outcome: (&str, &[f64]),
    priors: &[(&str, &[f64])],
    spec: &GrowthSpec,
    progress: &dyn Fn(usize, usize) -> Result<()>,
) -> Result<GrowthModel> {
    let (name, y) = outcome;
    if priors.is_empty() {
        return Err(Error::option("priors", "[]", "one or more columns of prior scores"));
    }
    for (name, values) in [outcome].iter().chain(priors) {
        if values.len() != y.len() || values.iter().any(|value| !value.is_finite()) {
            return Err(Error::InvalidValue {
                what: format!("the scores {name:?}"),
                found: format!("{} of {}, or some that are not finite", values.len(), y.len()),
                remedy: "give one finite score for each student".into(),
            });
        }
    }
    // Knots are quantiles, and without students there are none.
    check_students(y.len(), 1 + 3 * priors.len())?;
    let bases = priors
        .iter()
        .enumerate()
        .map(|(place, (name, values))| PriorBasis::new(name, values, spec, place))
        .collect::<Result<Vec<_>>>()?;
    let width = 1 + bases.iter().map(PriorBasis::width).sum::<usize>();
    check_students(y.len(), width)?;
    let mut x = Vec::with_capacity(y.len() * width);
    for row in 0..y.len() {
        let scores = priors.iter().map(|(_, values)| values.get(row).copied().unwrap_or(f64::NAN));
        design_row(&bases, scores, &mut x);
    }
    let rows = Rows { x: &x, width, y };
    let quantiles = (0..QUANTILES)
        .map(|i| {
            progress(i, QUANTILES)?;
            let tau = (i as f64 + 0.5) / QUANTILES as f64;
            let coefficients = quantile_regression::fit(&rows, tau)?;
            let check_loss = quantile_regression::check_loss(&rows, &coefficients, tau);
            Ok(Quantile { tau, coefficients, check_loss })
        })
        .collect::<Result<_>>()?;
    Ok(GrowthModel { outcome: name.into(), priors: bases, quantiles, n_students: y.len() })
}

/// An intercept and the bases of one student's prior scores, added to `x`.
pub(super) fn design_row(bases: &[PriorBasis], scores: impl Iterator<Item = f64>, x: &mut Vec<f64>) {
    x.push(1.0);
    for (basis, score) in bases.iter().zip(scores) {
        x.extend(spline::basis(score, &basis.knots, basis.boundaries));
    }
}

fn check_students(n: usize, width: usize) -> Result<()> {
    if n >= 5 * width {
        return Ok(());
    }
    Err(Error::TooFew {
        what: "a table of growth percentiles".into(),
        needed: format!("{} students (five for each of its {width} columns)", 5 * width),
        found: n,
        remedy: "pool grades or years, or use fewer knots".into(),
    })
}

impl PriorBasis {
    fn new(name: &str, values: &[f64], spec: &GrowthSpec, place: usize) -> Result<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (sorted.first().copied().unwrap_or(f64::NAN), sorted.last().copied().unwrap_or(f64::NAN));
        if low >= high {
            return Err(Error::InvalidValue {
                what: format!("the prior score {name:?}"),
                found: "the same for all students".into(),
                remedy: "leave it out".into(),
            });
        }
        let spare = 0.1 * (high - low);
        let given = |lists: &Option<Vec<Vec<f64>>>| lists.as_ref().and_then(|lists| lists.get(place)).cloned();
        let mut knots = given(&spec.knots)
            .unwrap_or_else(|| spec.knot_shares.iter().map(|share| quantile(&sorted, *share)).collect());
        // Scores of few values give the same knot several times: a break rather than a bend.
        knots.dedup();
        let boundaries =
            spec.boundaries.as_ref().and_then(|all| all.get(place)).copied().unwrap_or((low - spare, high + spare));
        let basis = Self { name: name.into(), knots, boundaries };
        if !basis.rises() {
            let given = format!("{:?} within {:?} for {name:?}", basis.knots, basis.boundaries);
            return Err(Error::option("knots", given, "rising numbers between the boundaries"));
        }
        Ok(basis)
    }

    /// Whether the knots rise between the boundaries, and all of them are finite.
    pub(super) fn rises(&self) -> bool {
        let (low, high) = self.boundaries;
        let all: Vec<f64> = std::iter::once(low).chain(self.knots.iter().copied()).chain([high]).collect();
        all.iter().all(|value| value.is_finite()) && all.windows(2).all(|pair| matches!(pair, [a, b] if a < b))
    }

    pub(super) fn width(&self) -> usize {
        self.knots.len() + 3
    }
}
