//! Mixed models other than random intercepts of a normal outcome, frame to frame: slopes that differ, passes and counts,
//! covariates measured with error.

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::factors::{Codes, ModelData};
use super::mixed::Membership;
use super::random::{Chain, chains, nested_by_labels};
use crate::mixed::{
    Covariate, Design, Family, GlmmData, GlmmFit, Method, NestedEffect, ReliabilityFit, SlopeCovariance, SlopeFit,
    SlopeMoments, fit_glmm, fit_reliability, fit_slopes,
};
use crate::{Error, Note, Result};

/// What is asked of one of these models; the fields of [`super::MixedRequest`] mean the same here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantRequest {
    /// The column of outcomes.
    pub outcome: String,
    /// The columns of the fixed part.
    #[serde(default)]
    pub fixed: Vec<String>,
    /// The grouping factors, which must be nested in each other.
    #[serde(default)]
    pub random: Vec<String>,
    /// Not possible here.
    #[serde(default)]
    pub members: Vec<Membership>,
    /// Not possible here.
    #[serde(default)]
    pub weights: Option<String>,
    /// The criterion (passes and counts: always maximum likelihood).
    #[serde(default)]
    pub method: Method,
    /// The law of passes or counts.
    #[serde(default)]
    pub family: Option<Family>,
    /// Binomial: the column of trials.
    #[serde(default)]
    pub size: Option<String>,
    /// Poisson: the column of exposures.
    #[serde(default)]
    pub exposure: Option<String>,
    /// Slopes that differ between the units of one factor.
    #[serde(default)]
    pub slopes: Option<SlopesRequest>,
    /// Covariates measured with error: name and reliability.
    #[serde(default)]
    pub reliability: Vec<(String, f64)>,
}

/// Slopes that differ between the units of a factor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlopesRequest {
    /// The factor.
    pub factor: String,
    /// The covariates, which are numbers.
    pub columns: Vec<String>,
    /// Whether intercept and slopes may be correlated.
    #[serde(default)]
    pub structure: SlopeCovariance,
}

#[derive(Debug, Clone)]
enum Kind {
    Slopes(Box<SlopeMoments>, SlopeFit),
    Counts(Box<GlmmData>, GlmmFit),
    Reliability(ReliabilityFit),
}

/// A factor: its name, and the columns that tell its levels apart, each with its place in a unit's path.
#[derive(Debug, Clone)]
struct Factor {
    name: String,
    columns: Vec<(usize, Series)>,
}

/// One of these models, fitted, with its labels.
#[derive(Debug, Clone)]
pub struct VariantModel {
    kind: Kind,
    factors: Vec<Factor>,
    notes: Vec<Note>,
}

/// Fit a mixed model with slopes that differ, of passes or counts, or with covariates measured with error.
///
/// Rows with a missing value in any column of the model are left out and counted. `progress` is called before every
/// evaluation of the criterion and may stop the fit.
///
/// # Errors
/// For columns that are missing or of the wrong type, combinations that cannot be fitted (each says which), those of
/// [`fit_slopes`], [`fit_glmm`] and [`fit_reliability`], and whatever `progress` says.
pub fn mixed_variant(
    df: &DataFrame,
    request: &VariantRequest,
    progress: &(dyn Fn(usize, usize) -> Result<()> + Sync),
) -> Result<VariantModel> {
    check(request)?;
    let random = match &request.slopes {
        Some(slopes) => vec![slopes.factor.clone()],
        None => request.random.clone(),
    };
    let (columns, chains) = chains(&random, &[])?;
    // Whatever else is read must be there in every row: it stands among the covariates until the rows are known.
    let mut read = request.fixed.clone();
    let slope_columns = request.slopes.as_ref().map(|s| s.columns.as_slice()).unwrap_or_default();
    for name in request.size.iter().chain(&request.exposure).chain(slope_columns) {
        if !read.contains(name) {
            read.push(name.clone());
        }
    }
    let data = ModelData::new(df, &request.outcome, &read, &columns)?;
    let chains = nested_by_labels(&data.factors, chains);
    let [chain] = chains.as_slice() else {
        return Err(Error::option(
            "random",
            format!("{random:?}"),
            "one factor, or factors nested in each other, with family= or reliability=; factors that cross are fitted \
             for a normal outcome only",
        ));
    };
    let levels: Vec<&[u32]> =
        chain.columns.iter().filter_map(|&i| data.factors.get(i)).map(|c| c.of_row.as_slice()).collect();
    let all = data.covariates();
    let fixed: Vec<Covariate> = all.iter().filter(|c| request.fixed.iter().any(|f| f == c.name())).copied().collect();
    let design = Design::new(data.y.len(), &fixed)?;
    let kind = if let Some(family) = request.family {
        let size = request.size.as_ref().or(request.exposure.as_ref()).map(|name| values(&all, name)).transpose()?;
        let counts = GlmmData::new(&design, family, &data.y, size, &levels)?;
        let fit = fit_glmm(&counts, progress)?;
        Kind::Counts(Box::new(counts), fit)
    } else if let Some(slopes) = &request.slopes {
        let named = slopes.columns.iter().map(|n| Ok::<_, Error>((n.as_str(), values(&all, n)?)));
        let named = named.collect::<Result<Vec<_>>>()?;
        let moments = SlopeMoments::new(&design, &named, &data.y, levels.first().copied().unwrap_or_default())?;
        let fit = fit_slopes(&moments, slopes.structure, request.method, progress)?;
        Kind::Slopes(Box::new(moments), fit)
    } else {
        let known: Vec<(&str, f64)> = request.reliability.iter().map(|(n, r)| (n.as_str(), *r)).collect();
        Kind::Reliability(fit_reliability(&design, &data.y, &levels, &known, request.method, progress)?)
    };
    Ok(VariantModel { kind, factors: factors(chain, &data.factors), notes: data.notes })
}

/// Combinations that cannot be.
fn check(request: &VariantRequest) -> Result<()> {
    let slopes = request.slopes.as_ref();
    let asked: Vec<&str> = [
        request.family.map(|_| "family"),
        slopes.map(|_| "slopes"),
        (!request.reliability.is_empty()).then_some("reliability"),
        (!request.members.is_empty()).then_some("members"),
        request.weights.as_ref().map(|_| "weights"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if let [first, second, ..] = asked.as_slice() {
        return Err(Error::option(
            second,
            format!("given together with {first}"),
            format!("left out where {first} is given"),
        ));
    }
    if request.size.is_some() && request.family != Some(Family::Binomial) {
        return Err(Error::option("size", "given", "left out, or given with family=\"binomial\""));
    }
    if request.exposure.is_some() && request.family != Some(Family::Poisson) {
        return Err(Error::option("exposure", "given", "left out, or given with family=\"poisson\""));
    }
    if let Some(slopes) = slopes
        && !(request.random.is_empty() || request.random == [slopes.factor.clone()])
    {
        return Err(Error::option(
            "random",
            format!("{:?}", request.random),
            format!("[{:?}], the one factor whose slopes differ", slopes.factor),
        ));
    }
    if slopes.is_some_and(|s| s.factor.contains('/')) {
        return Err(Error::option("slopes", "of a nested factor", "of one column, such as {\"teacher\": [\"prior\"]}"));
    }
    if slopes.is_none() && request.random.is_empty() {
        return Err(Error::option("random", "[]", "at least one grouping factor, such as [\"teacher\"]"));
    }
    Ok(())
}

/// The numbers of a column that was read.
fn values<'a>(covariates: &[Covariate<'a>], name: &str) -> Result<&'a [f64]> {
    let found = covariates.iter().find(|c| c.name() == name);
    match found {
        Some(Covariate::Numeric { values, .. }) => Ok(values),
        _ => Err(Error::ColumnType {
            column: name.into(),
            expected: "numbers".into(),
            found: "categories".into(),
            remedy: "turn it into numbers first (0 and 1 for no and yes)".into(),
        }),
    }
}

fn factors(chain: &Chain, codes: &[Codes]) -> Vec<Factor> {
    let of = |(depth, name): (usize, &String)| {
        let from = if chain.is_path { 0 } else { depth };
        let columns = (from..=depth).filter_map(|place| {
            let codes = codes.get(*chain.columns.get(place)?)?;
            Some((place, codes.keys.clone().with_name(codes.name.as_str().into())))
        });
        Factor { name: name.clone(), columns: columns.collect() }
    };
    chain.names.iter().enumerate().map(of).collect()
}

/// The same field of whichever fit there is.
macro_rules! of_fit {
    ($self:ident, $fit:ident => $value:expr) => {
        match &$self.kind {
            Kind::Slopes(_, $fit) => $value,
            Kind::Counts(_, $fit) => $value,
            Kind::Reliability($fit) => $value,
        }
    };
}

impl VariantModel {
    /// The criterion at its minimum.
    pub fn criterion(&self) -> f64 {
        of_fit!(self, fit => fit.criterion)
    }

    /// The residual standard deviation; 1 for passes and counts, whose spread follows from their mean.
    pub fn sigma(&self) -> f64 {
        match &self.kind {
            Kind::Slopes(_, fit) => fit.sigma,
            Kind::Reliability(fit) => fit.sigma,
            Kind::Counts(..) => 1.0,
        }
    }

    /// The parameters of the random part.
    pub fn theta(&self) -> &[f64] {
        of_fit!(self, fit => &fit.theta)
    }

    /// The covariance matrix of the coefficients.
    pub fn vcov(&self) -> &[Vec<f64>] {
        of_fit!(self, fit => &fit.vcov)
    }

    /// Whether a variance is estimated as zero.
    pub fn is_singular(&self) -> bool {
        of_fit!(self, fit => fit.is_singular)
    }

    /// Whether the search met its criterion.
    pub fn has_converged(&self) -> bool {
        of_fit!(self, fit => fit.has_converged)
    }

    /// The rows used.
    pub fn n_obs(&self) -> usize {
        of_fit!(self, fit => fit.n_obs)
    }

    /// How often the criterion was evaluated.
    pub fn n_evaluations(&self) -> usize {
        of_fit!(self, fit => fit.n_evaluations)
    }

    /// The largest derivative of the criterion at the end of the search.
    pub fn gradient(&self) -> f64 {
        of_fit!(self, fit => fit.gradient)
    }

    /// How the criterion was computed.
    pub fn route(&self) -> &'static str {
        match &self.kind {
            Kind::Slopes(..) => "slopes",
            Kind::Counts(..) => "laplace",
            Kind::Reliability(_) => "corrected",
        }
    }

    /// The names of the factors, outermost first.
    pub fn factors(&self) -> Vec<&str> {
        self.factors.iter().map(|factor| factor.name.as_str()).collect()
    }

    /// Caveats: rows left out, then those of the fit, each with the factor it concerns.
    pub fn notes(&self) -> Vec<Note> {
        let own = of_fit!(self, fit => fit.notes.clone());
        let named = own.into_iter().map(|note| {
            let level: Option<usize> = note.at.strip_prefix("level ").and_then(|l| l.parse().ok());
            let factor = self.factors.first().map_or("", |f| f.name.as_str());
            match (level.and_then(|l| self.factors.get(l)), &self.kind) {
                (Some(factor), _) => note.at(factor.name.as_str()),
                (None, Kind::Slopes(..)) if note.at.is_empty() => note.at(factor),
                (None, Kind::Slopes(_, fit))
                    if fit.columns.contains(&note.at) && note.code == crate::NoteCode::Singular =>
                {
                    let at = format!("{factor}, {}", note.at);
                    note.at(at)
                }
                _ => note,
            }
        });
        self.notes.iter().cloned().chain(named).collect()
    }

    /// The same model at a given `theta` (passes and counts: with the coefficients as estimated), without optimising.
    ///
    /// # Errors
    /// Where `theta` has the wrong length or values that cannot be; always where covariates are measured with error.
    pub fn at(&self, theta: &[f64]) -> Result<Self> {
        let kind = match &self.kind {
            Kind::Slopes(moments, fit) => {
                Kind::Slopes(moments.clone(), SlopeFit::at(moments, theta, fit.structure, fit.method)?)
            }
            Kind::Counts(data, fit) => Kind::Counts(data.clone(), GlmmFit::at(data, theta, &fit.beta)?),
            Kind::Reliability(_) => {
                return Err(Error::option("theta", format!("{theta:?}"), "left to the fit where reliability is given"));
            }
        };
        Ok(Self { kind, ..self.clone() })
    }

    /// The fixed part: term, estimate, se.
    ///
    /// # Errors
    /// None in practice.
    pub fn fixed(&self) -> Result<DataFrame> {
        let (terms, beta, se) = of_fit!(self, fit => (&fit.terms, &fit.beta, &fit.se));
        Ok(df!("term" => terms, "estimate" => beta, "se" => se)?)
    }

    /// The variances: factor, variance, sd; with slopes also the term, and rows of two terms with their covariance and
    /// correlation. The residual comes last; passes and counts have none.
    ///
    /// # Errors
    /// None in practice.
    pub fn variance(&self) -> Result<DataFrame> {
        let mut rows: Vec<(String, f64)> = vec![];
        match &self.kind {
            Kind::Slopes(_, fit) => return self.covariance(fit),
            Kind::Counts(_, fit) => rows.extend(self.factors.iter().map(|f| f.name.clone()).zip(fit.variances.clone())),
            Kind::Reliability(fit) => {
                rows.extend(self.factors.iter().map(|f| f.name.clone()).zip(fit.variances.clone()));
                rows.push(("residual".into(), fit.sigma * fit.sigma));
            }
        }
        let (names, variances): (Vec<String>, Vec<f64>) = rows.into_iter().unzip();
        let sds: Vec<f64> = variances.iter().map(|v| v.sqrt()).collect();
        Ok(df!("factor" => names, "variance" => variances, "sd" => sds)?)
    }

    fn covariance(&self, fit: &SlopeFit) -> Result<DataFrame> {
        let factor = self.factors.first().map_or("", |f| f.name.as_str());
        let (mut names, mut terms, mut variances, mut sds, mut correlations) = (vec![], vec![], vec![], vec![], vec![]);
        let mut push = |name: &str, term: Option<String>, variance: f64, sd: Option<f64>, correlation: Option<f64>| {
            names.push(name.to_owned());
            terms.push(term);
            variances.push(variance);
            sds.push(sd);
            correlations.push(correlation.filter(|c| c.is_finite()));
        };
        for (column, sd) in fit.columns.iter().zip(fit.sds()) {
            push(factor, Some(column.clone()), sd * sd, Some(sd), None);
        }
        if fit.structure == SlopeCovariance::Correlated {
            for (i, (first, row)) in fit.columns.iter().zip(&fit.covariance).enumerate() {
                for (j, (second, covariance)) in fit.columns.iter().zip(row).enumerate().skip(i + 1) {
                    push(factor, Some(format!("{first}, {second}")), *covariance, None, Some(fit.correlation(i, j)));
                }
            }
        }
        push("residual", None, fit.sigma * fit.sigma, Some(fit.sigma), None);
        Ok(
            df!("factor" => names, "term" => terms, "variance" => variances, "sd" => sds, "correlation" => correlations)?,
        )
    }

    /// One row per level of a factor, as for other mixed models; with slopes one per level and term.
    ///
    /// # Errors
    /// Where the model has no such factor, and where `sd` asks for more than the prediction error.
    pub fn effects(&self, factor: &str, sd: Option<&str>) -> Result<DataFrame> {
        if let Some(other) = sd.filter(|sd| *sd != "prediction") {
            return Err(Error::option(
                "sd",
                format!("{other:?}"),
                "\"prediction\" with family=, slopes= or reliability=",
            ));
        }
        let level = self.factors.iter().position(|f| f.name == factor);
        let level = level
            .ok_or_else(|| Error::option("factor", format!("{factor:?}"), format!("one of {:?}", self.factors())))?;
        match &self.kind {
            Kind::Slopes(_, fit) => self.slopes(fit),
            Kind::Counts(_, fit) => self.nested(level, fit.effects(level)?),
            Kind::Reliability(fit) => self.nested(level, fit.effects(level)?),
        }
    }

    /// The difference between two units is not offered for these models.
    ///
    /// # Errors
    /// Always.
    pub fn contrast(&self, factor: &str) -> Result<(f64, f64)> {
        Err(Error::option("contrast", format!("of {factor:?}"), "of a model without family=, slopes= and reliability="))
    }

    /// The columns that tell the levels of a factor apart.
    fn keys(&self, level: usize, path: impl Fn(usize) -> Vec<u32>) -> Result<Vec<Column>> {
        let columns = self.factors.get(level).map(|f| f.columns.as_slice()).unwrap_or_default();
        let taken = columns.iter().map(|(place, keys)| {
            Ok::<Column, Error>(keys.take(&IdxCa::from_vec(PlSmallStr::EMPTY, path(*place)))?.into_column())
        });
        taken.collect()
    }

    fn nested(&self, level: usize, effects: &[NestedEffect]) -> Result<DataFrame> {
        let at = |place: usize| effects.iter().map(|e| e.path.get(place).copied().unwrap_or(0)).collect();
        let mut columns = self.keys(level, at)?;
        let number = |name: &str, get: &dyn Fn(&NestedEffect) -> f64| {
            Column::new(name.into(), effects.iter().map(get).collect::<Vec<_>>())
        };
        columns.push(number("n", &|e| e.n).cast(&DataType::Int64)?);
        columns.push(number("effect", &|e| e.effect));
        columns.push(number("sd_conditional", &|e| e.sd_conditional));
        columns.push(number("sd", &|e| e.sd));
        columns.push(number("reliability", &|e| e.reliability));
        if level > 0 {
            columns.push(number("effect_overall", &|e| e.effect_overall));
            columns.push(number("sd_overall", &|e| e.sd_overall));
            columns.push(number("reliability_overall", &|e| e.reliability_overall));
        }
        Ok(DataFrame::new(effects.len(), columns)?)
    }

    fn slopes(&self, fit: &SlopeFit) -> Result<DataFrame> {
        let k = fit.columns.len();
        let units = fit.effects();
        let mut columns = self.keys(0, |_| units.iter().flat_map(|e| std::iter::repeat_n(e.code, k)).collect())?;
        let terms: Vec<&str> = units.iter().flat_map(|_| fit.columns.iter().map(String::as_str)).collect();
        columns.push(Column::new("term".into(), terms));
        let rows: Vec<f64> = units.iter().flat_map(|e| std::iter::repeat_n(e.n, k)).collect();
        columns.push(Column::new("n".into(), rows).cast(&DataType::Int64)?);
        let numbers = |name: &str, get: &dyn Fn(&crate::mixed::SlopeEffect) -> Vec<f64>| {
            Column::new(name.into(), units.iter().flat_map(get).collect::<Vec<f64>>())
        };
        columns.push(numbers("effect", &|e| e.effect.clone()));
        columns.push(numbers("sd_conditional", &|e| e.sd_conditional()));
        columns.push(numbers("sd", &|e| e.sd()));
        columns.push(numbers("reliability", &|e| e.reliability.clone()));
        Ok(DataFrame::new(units.len() * k, columns)?)
    }
}
