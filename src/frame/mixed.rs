//! Mixed models, frame to frame.

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::columns::{column, floats};
use super::factors::{Codes, MISSING, ModelData, retain};
use super::random::{Chain, chains, nested_by_labels};
use crate::mixed::{Contrast, Design, Fit, Labels, Members, Method, Moments, Random, fit_while};
use crate::{Error, Note, Result};

/// What is asked of a mixed model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MixedRequest {
    /// The column of outcomes.
    pub outcome: String,
    /// The columns of the fixed part.
    #[serde(default)]
    pub fixed: Vec<String>,
    /// The grouping factors: "teacher", nested "school/teacher", or several, which cross each other unless their labels
    /// say that they are nested.
    #[serde(default)]
    pub random: Vec<String>,
    /// Factors to several units of which a row may belong.
    #[serde(default)]
    pub members: Vec<Membership>,
    /// The column of weights: the error variance of a row is sigma^2 / weight.
    #[serde(default)]
    pub weights: Option<String>,
    /// The criterion.
    #[serde(default)]
    pub method: Method,
}

/// A factor to several units of which a row may belong.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// What the factor is called.
    pub name: String,
    /// The columns of units.
    pub units: Vec<String>,
    /// The columns of weights, one for each.
    pub weights: Vec<String>,
    /// Divide the weights of every row by their sum.
    #[serde(default)]
    pub normalize: bool,
}

/// One grouping factor: its name, and the columns that tell its levels apart, as places in a unit's path.
#[derive(Debug, Clone)]
struct Factor {
    name: String,
    /// Place in the path, and the column's values.
    columns: Vec<(usize, Series)>,
}

/// A fitted model with its labels.
#[derive(Debug, Clone)]
pub struct MixedModel {
    moments: Moments,
    fit: Fit,
    factors: Vec<Factor>,
    notes: Vec<Note>,
}

/// Fit a mixed model to a frame.
///
/// Rows with a missing value in any column of the model are left out and counted. Text, boolean and categorical columns
/// are coded by treatment contrasts, the first level in sort order (an enum's own order) being the reference. `proceed`
/// is asked before every evaluation of the criterion whether to go on.
///
/// # Errors
/// For columns that are missing or of the wrong type, weights and memberships that are none, and whatever `proceed` says.
///
/// # Examples
/// ```
/// use brightspot::frame::{MixedRequest, mixed_model};
/// use polars::prelude::*;
///
/// // Dyestuff: yields of six batches (Davies & Goldsmith 1972).
/// let frame = df!(
///     "batch" => ["A", "A", "A", "A", "A", "B", "B", "B", "B", "B", "C", "C", "C", "C", "C"],
///     "grams" => [1545.0, 1440.0, 1440.0, 1520.0, 1580.0, 1540.0, 1555.0, 1490.0, 1560.0, 1495.0, 1595.0, 1550.0, 1605.0,
///                 1510.0, 1560.0],
/// )?;
/// let request = MixedRequest { outcome: "grams".into(), random: vec!["batch".into()], ..Default::default() };
/// let model = mixed_model(&frame, &request, &|| Ok(()))?;
/// assert_eq!(model.effects("batch", None)?.height(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn mixed_model(df: &DataFrame, request: &MixedRequest, proceed: &dyn Fn() -> Result<()>) -> Result<MixedModel> {
    let Prepared { moments, factors, notes } = Prepared::new(df, request, nested_by_labels)?;
    let fit = fit_while(&moments, request.method, proceed)?;
    Ok(MixedModel { moments, fit, factors, notes })
}

/// The moments of a frame, which merge with those of other frames by the units' labels.
///
/// Factors in several columns cross: that one is nested in another within a part does not say that it is in the whole.
///
/// # Errors
/// As [`mixed_model`].
pub fn mixed_moments(df: &DataFrame, request: &MixedRequest) -> Result<(Moments, Vec<Note>)> {
    let Prepared { moments, factors, notes } = Prepared::new(df, request, |_, chains| chains)?;
    let mut labels = Vec::new();
    for factor in &factors {
        let Some((_, keys)) = factor.columns.last() else { continue };
        let text = keys.cast(&DataType::String)?;
        labels.push(Labels {
            column: keys.name().to_string(),
            factor: factor.name.clone(),
            kind: keys.dtype().to_string(),
            labels: text.str()?.iter().map(|l| l.unwrap_or_default().to_owned()).collect(),
        });
    }
    Ok((moments.with_labels(labels)?.with_outcome(&request.outcome), notes))
}

/// The sums of a frame's rows, and what their codes stand for.
struct Prepared {
    moments: Moments,
    factors: Vec<Factor>,
    notes: Vec<Note>,
}

impl Prepared {
    fn new(
        df: &DataFrame,
        request: &MixedRequest,
        arrange: impl Fn(&[Codes], Vec<Chain>) -> Vec<Chain>,
    ) -> Result<Self> {
        if request.random.is_empty() && request.members.is_empty() {
            return Err(Error::option("random", "[]", "at least one grouping factor, such as [\"teacher\"]"));
        }
        let (columns, chains) = chains(&request.random, &request.members)?;
        let mut shared = request.members.iter().map(|m| Shared::new(df, m)).collect::<Result<Vec<_>>>()?;
        let unusable: Vec<(String, Vec<bool>)> =
            request.members.iter().zip(&shared).map(|(m, s)| (m.name.clone(), s.is_empty())).collect();
        let data =
            ModelData::with(df, &request.outcome, &request.fixed, &columns, request.weights.as_deref(), &unusable)?;
        for shared in &mut shared {
            shared.keep(&data.kept);
        }
        let chains = arrange(&data.factors, chains);
        let codes: Vec<Vec<&[u32]>> = chains
            .iter()
            .map(|c| c.columns.iter().filter_map(|&i| data.factors.get(i)).map(|c| c.of_row.as_slice()).collect())
            .collect();
        #[allow(clippy::type_complexity)] // codes and weights of every place
        let places: Vec<(Vec<&[u32]>, Vec<&[f64]>)> = shared
            .iter()
            .map(|s| (s.codes.iter().map(Vec::as_slice).collect(), s.weights.iter().map(Vec::as_slice).collect()))
            .collect();
        let mut random: Vec<Random> = codes.iter().map(|c| Random::Nested(c)).collect();
        for ((codes, weights), asked) in places.iter().zip(&request.members) {
            random.push(Random::Members(Members { codes, weights, normalize: asked.normalize }));
        }
        let design = Design::new(data.y.len(), &data.covariates())?;
        let moments = Moments::of_model(&design, &data.y, &random, data.weights.as_deref())?;
        let mut factors = vec![];
        for chain in &chains {
            for (depth, name) in chain.names.iter().enumerate() {
                let from = if chain.is_path { 0 } else { depth };
                let columns = (from..=depth).filter_map(|place| {
                    let codes = data.factors.get(*chain.columns.get(place)?)?;
                    Some((place, codes.keys.clone().with_name(codes.name.as_str().into())))
                });
                factors.push(Factor { name: name.clone(), columns: columns.collect() });
            }
        }
        for shared in shared {
            factors.push(Factor { name: shared.name, columns: vec![(0, shared.keys)] });
        }
        Ok(Self { moments, factors, notes: data.notes })
    }
}

/// The columns of one membership, coded by one dictionary.
struct Shared {
    name: String,
    keys: Series,
    codes: Vec<Vec<u32>>,
    weights: Vec<Vec<f64>>,
}

impl Shared {
    fn new(df: &DataFrame, asked: &Membership) -> Result<Self> {
        if asked.units.is_empty() || asked.units.len() != asked.weights.len() {
            return Err(Error::option(
                "members",
                format!("{:?} of {:?} with {:?}", asked.name, asked.units, asked.weights),
                "a name with two lists of one length: the columns of units and those of their weights",
            ));
        }
        let mut stacked: Option<Series> = None;
        for name in &asked.units {
            let values = column(df, name)?.as_materialized_series().clone();
            match &mut stacked {
                None => stacked = Some(values.with_name(asked.name.as_str().into())),
                Some(all) => {
                    let expected = format!("units of the same type as in {:?}, {}", asked.units, all.dtype());
                    all.append(&values).map_err(|_| Error::ColumnType {
                        column: name.clone(),
                        expected,
                        found: values.dtype().to_string(),
                        remedy: "bring the columns of units to one type".into(),
                    })?;
                }
            }
        }
        let stacked = stacked.unwrap_or_default();
        let height = df.height();
        let all = Codes::new(&DataFrame::new(stacked.len(), vec![stacked.into_column()])?, &asked.name)?;
        let codes: Vec<Vec<u32>> = all.of_row.chunks(height.max(1)).map(<[u32]>::to_vec).collect();
        // No weight is a weight of nothing; NaN, infinite and negative ones are mistakes, which the core names.
        let mut weights = vec![];
        for name in &asked.weights {
            let is_null = column(df, name)?.as_materialized_series().is_null();
            let values = floats(df, name)?;
            let known = values.iter().zip(is_null.iter()).map(|(w, n)| if n == Some(true) { 0.0 } else { *w });
            weights.push(known.collect::<Vec<f64>>());
        }
        let shared = Self { name: asked.name.clone(), keys: all.keys, codes, weights };
        shared.check(height, asked.normalize)?;
        Ok(shared)
    }

    /// Here the rows are still numbered as in the frame.
    fn check(&self, height: usize, normalize: bool) -> Result<()> {
        let codes: Vec<&[u32]> = self.codes.iter().map(Vec::as_slice).collect();
        let weights: Vec<&[f64]> = self.weights.iter().map(Vec::as_slice).collect();
        let empty = self.is_empty();
        let members = Members { codes: &codes, weights: &weights, normalize };
        members.check(height, |row| empty.get(row) == Some(&false))
    }

    /// Which rows belong to no unit at all: neither a unit nor a weight is given.
    fn is_empty(&self) -> Vec<bool> {
        let rows = self.codes.first().map_or(0, Vec::len);
        let is_nothing = |row: usize| {
            let weights = self.weights.iter().all(|w| w.get(row) == Some(&0.0));
            let units = self.codes.iter().all(|c| c.get(row) == Some(&MISSING));
            weights || (units && self.weights.iter().all(|w| w.get(row).is_some_and(|w| w.is_finite())))
        };
        (0..rows).map(is_nothing).collect()
    }

    fn keep(&mut self, kept: &[bool]) {
        if !kept.is_empty() {
            self.codes.iter_mut().for_each(|c| retain(c, kept));
            self.weights.iter_mut().for_each(|w| retain(w, kept));
        }
    }
}

impl MixedModel {
    /// The fit.
    pub fn fit(&self) -> &Fit {
        &self.fit
    }

    /// Caveats: rows left out, then those of the fit.
    pub fn notes(&self) -> Vec<Note> {
        let named = self.fit.notes.iter().cloned().map(|note| match self.factor_of(&note) {
            Some(factor) => note.at(factor),
            None => note,
        });
        self.notes.iter().cloned().chain(named).collect()
    }

    /// The fit knows its factors by their level only.
    fn factor_of(&self, note: &Note) -> Option<&str> {
        let level: usize = note.at.strip_prefix("level ")?.parse().ok()?;
        self.factors.get(level).map(|factor| factor.name.as_str())
    }

    /// The names of the factors, in the order of `theta`.
    pub fn factors(&self) -> Vec<&str> {
        self.factors.iter().map(|factor| factor.name.as_str()).collect()
    }

    /// The same model at a given `theta`, without optimising.
    ///
    /// # Errors
    /// Where `theta` has the wrong length or a value that is negative or not finite.
    pub fn at(&self, theta: &[f64]) -> Result<Self> {
        Ok(Self { fit: Fit::at(&self.moments, theta, self.fit.method)?, ..self.clone() })
    }

    /// The model of moments, wherever they came from.
    ///
    /// # Errors
    /// As [`crate::mixed::fit`], and for moments without labels.
    pub fn of_moments(moments: &Moments, method: Method, proceed: &dyn Fn() -> Result<()>) -> Result<Self> {
        let mut factors: Vec<Factor> = vec![];
        for (level, labels) in moments.labels().iter().enumerate() {
            let text = Series::new(labels.column.as_str().into(), &labels.labels);
            let keys = match kind(&labels.kind) {
                Some(dtype) => text.strict_cast(&dtype)?,
                None => text,
            };
            let around = factors.last().filter(|_| moments.depth(level) > 0).map(|f| f.columns.clone());
            let mut columns = around.unwrap_or_default();
            columns.push((moments.depth(level), keys));
            factors.push(Factor { name: labels.factor.clone(), columns });
        }
        if factors.is_empty() {
            return Err(Error::InvalidValue {
                what: "moments".into(),
                found: "units without labels".into(),
                remedy: "make them with mixed_moments".into(),
            });
        }
        let fit = fit_while(moments, method, proceed)?;
        Ok(Self { moments: moments.clone(), fit, factors, notes: vec![] })
    }

    /// The fixed part: term, estimate, se.
    ///
    /// # Errors
    /// None in practice.
    pub fn fixed(&self) -> Result<DataFrame> {
        Ok(df!("term" => &self.fit.terms, "estimate" => &self.fit.beta, "se" => &self.fit.se)?)
    }

    /// The variance of each factor and, last, of the residual: factor, variance, sd.
    ///
    /// # Errors
    /// None in practice.
    pub fn variance(&self) -> Result<DataFrame> {
        let residual = self.fit.sigma * self.fit.sigma;
        let names = self.factors().into_iter().chain(["residual"]).collect::<Vec<_>>();
        let variances: Vec<f64> = self.fit.variances.iter().copied().chain([residual]).collect();
        let sds: Vec<f64> = variances.iter().map(|v| v.sqrt()).collect();
        Ok(df!("factor" => names, "variance" => variances, "sd" => sds)?)
    }

    /// One row per level of a factor: the factor's columns, n, effect, `sd_conditional`, sd, reliability; for a factor
    /// inside another also the effect together with those of the levels around it. With `sd` = `second_order` the
    /// prediction error allows for the estimated variances as well; null where a variance is zero.
    ///
    /// # Errors
    /// Where the model has no such factor, and as [`Fit::second_order`].
    pub fn effects(&self, factor: &str, sd: Option<&str>) -> Result<DataFrame> {
        let level = self.level(factor)?;
        let mut effects = self.fit.effects(level)?;
        let mut unknown = false;
        match sd {
            None | Some("prediction") => {}
            Some("second_order") => {
                let more = self.fit.second_order(&self.moments)?;
                for (effect, g3) in effects.iter_mut().zip(more.get(level).into_iter().flatten()) {
                    effect.sd = (effect.sd * effect.sd + 2.0 * g3).sqrt();
                    unknown |= effect.sd.is_nan();
                }
            }
            Some(other) => {
                return Err(Error::option("sd", format!("{other:?}"), "\"prediction\" or \"second_order\""));
            }
        }
        let mut columns = vec![];
        for (place, keys) in self.factors.get(level).map(|f| f.columns.as_slice()).unwrap_or_default() {
            let codes = effects.iter().map(|e| e.path.get(*place).copied().unwrap_or(0)).collect();
            columns.push(keys.take(&IdxCa::from_vec(PlSmallStr::EMPTY, codes))?.into_column());
        }
        let number = |name: &str, get: &dyn Fn(&crate::mixed::Effect) -> f64| {
            Column::new(name.into(), effects.iter().map(get).collect::<Vec<_>>())
        };
        columns.push(number("n", &|e| e.n).cast(&DataType::Int64)?);
        columns.push(number("effect", &|e| e.effect));
        columns.push(number("sd_conditional", &|e| e.sd_conditional));
        columns.push(if unknown {
            let known = effects.iter().map(|e| Some(e.sd).filter(|sd| sd.is_finite()));
            Column::new("sd".into(), known.collect::<Vec<Option<f64>>>())
        } else {
            number("sd", &|e| e.sd)
        });
        columns.push(number("reliability", &|e| e.reliability));
        if self.moments.depth(level) > 0 {
            columns.push(number("effect_overall", &|e| e.effect_overall));
            columns.push(number("sd_overall", &|e| e.sd_overall));
            columns.push(number("reliability_overall", &|e| e.reliability_overall));
        }
        Ok(DataFrame::new(effects.len(), columns)?)
    }

    /// The difference between two units of a factor, by their rows in [`MixedModel::effects`].
    ///
    /// # Errors
    /// Where the model has no such factor or unit.
    pub fn contrast(&self, factor: &str, first: usize, second: usize) -> Result<Contrast> {
        self.fit.contrast(self.level(factor)?, first, second)
    }

    fn level(&self, factor: &str) -> Result<usize> {
        self.factors
            .iter()
            .position(|f| f.name == factor)
            .ok_or_else(|| Error::option("factor", format!("{factor:?}"), format!("one of {:?}", self.factors())))
    }
}

/// The types of keys that text can be turned back into.
fn kind(name: &str) -> Option<DataType> {
    let all = [
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::UInt8,
        DataType::UInt16,
        DataType::UInt32,
        DataType::UInt64,
        DataType::Float64,
        DataType::Date,
    ];
    all.into_iter().find(|dtype| dtype.to_string() == name)
}
