//! Mixed models, frame to frame.

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::factors::{Codes, ModelData};
use crate::mixed::{Design, Fit, Method, Moments, fit};
use crate::{Error, Note, Result};

/// What is asked of a mixed model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MixedRequest {
    /// The column of outcomes.
    pub outcome: String,
    /// The columns of the fixed part.
    #[serde(default)]
    pub fixed: Vec<String>,
    /// The grouping factors: "teacher", nested "school/teacher", or several columns that are nested in each other.
    pub random: Vec<String>,
    /// The criterion.
    #[serde(default)]
    pub method: Method,
}

/// One grouping factor: its name, and the columns that tell its levels apart.
#[derive(Debug, Clone)]
struct Factor {
    name: String,
    columns: Vec<usize>,
}

/// A fitted model with its labels.
#[derive(Debug, Clone)]
pub struct MixedModel {
    moments: Moments,
    fit: Fit,
    factors: Vec<Factor>,
    codes: Vec<Codes>,
    notes: Vec<Note>,
}

/// Fit a mixed model to a frame.
///
/// Rows with a missing value in any column of the model are left out and counted. Text, boolean and categorical columns
/// are coded by treatment contrasts, the first level in sort order (an enum's own order) being the reference.
///
/// # Errors
/// For columns that are missing or of the wrong type, and factors that are not nested in each other.
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
/// let request = MixedRequest { outcome: "grams".into(), fixed: vec![], random: vec!["batch".into()], method: Default::default() };
/// let model = mixed_model(&frame, &request)?;
/// assert_eq!(model.effects("batch")?.height(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn mixed_model(df: &DataFrame, request: &MixedRequest) -> Result<MixedModel> {
    if request.random.is_empty() {
        return Err(Error::option("random", "[]", "at least one grouping factor, such as [\"teacher\"]"));
    }
    let (columns, factors) = factors(&request.random)?;
    let data = ModelData::new(df, &request.outcome, &request.fixed, &columns)?;
    let (codes, factors) = nested(&data.factors, factors)?;
    let design = Design::new(data.y.len(), &data.covariates())?;
    let levels: Vec<&[u32]> = codes.iter().map(|c| c.of_row.as_slice()).collect();
    let moments = Moments::new(&design, &data.y, &levels)?;
    let fit = fit(&moments, request.method)?;
    // The rows' codes are in the moments now; only the labels are still needed.
    let codes = codes.into_iter().map(|c| Codes { of_row: vec![], ..c }).collect();
    Ok(MixedModel { moments, fit, factors, codes, notes: data.notes })
}

/// "a/b/c" is three factors: a, a/b and a/b/c. Returns the columns, outermost first, and which of them each factor uses.
fn factors(random: &[String]) -> Result<(Vec<String>, Vec<Factor>)> {
    let mut columns: Vec<String> = vec![];
    let mut factors: Vec<Factor> = vec![];
    for term in random {
        let parts: Vec<&str> = term.split('/').map(str::trim).collect();
        if parts.iter().any(|part| part.is_empty()) || (parts.len() > 1 && random.len() > 1) {
            return Err(Error::option(
                "random",
                format!("{random:?}"),
                "one nested term such as [\"school/teacher\"], or plain column names such as [\"school\", \"teacher\"]",
            ));
        }
        let mut path = vec![];
        for part in parts {
            if columns.iter().any(|column| column == part) {
                return Err(Error::option("random", format!("{random:?}"), "made of different columns"));
            }
            path.push(columns.len());
            columns.push(part.to_owned());
            let name = path.iter().filter_map(|&i| columns.get(i)).map(String::as_str).collect::<Vec<_>>().join("/");
            factors.push(Factor { name, columns: path.clone() });
        }
    }
    Ok((columns, factors))
}

/// Plain columns must be nested in each other by their labels: put the coarser first.
fn nested(codes: &[Codes], factors: Vec<Factor>) -> Result<(Vec<Codes>, Vec<Factor>)> {
    let is_path = factors.iter().any(|factor| factor.columns.len() > 1);
    if is_path || codes.len() == 1 {
        return Ok((codes.to_vec(), factors));
    }
    let mut order: Vec<usize> = (0..codes.len()).collect();
    order.sort_by_key(|&i| codes.get(i).map_or(0, |c| c.keys.len()));
    let sorted: Vec<Codes> = order.iter().filter_map(|&i| codes.get(i).cloned()).collect();
    for pair in sorted.windows(2) {
        let [outer, inner] = pair else { continue };
        if !is_nested(outer, inner) {
            return Err(Error::option(
                "random",
                format!("[{:?}, {:?}]", outer.name, inner.name),
                format!(
                    "nested factors (each {} in one {}); crossed factors are not fitted. If {} labels repeat from {} to \
                     {}, give \"{}/{}\"",
                    inner.name, outer.name, inner.name, outer.name, outer.name, outer.name, inner.name
                ),
            ));
        }
    }
    let factors = sorted.iter().enumerate().map(|(i, c)| Factor { name: c.name.clone(), columns: vec![i] }).collect();
    Ok((sorted, factors))
}

fn is_nested(outer: &Codes, inner: &Codes) -> bool {
    let mut parent: Vec<Option<u32>> = vec![None; inner.keys.len()];
    outer.of_row.iter().zip(&inner.of_row).all(|(&outer, &inner)| match parent.get_mut(inner as usize) {
        Some(slot) => *slot.get_or_insert(outer) == outer,
        None => true,
    })
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
    /// inside another also the effect together with those of the levels around it.
    ///
    /// # Errors
    /// Where the model has no such factor.
    pub fn effects(&self, factor: &str) -> Result<DataFrame> {
        let level =
            self.factors.iter().position(|f| f.name == factor).ok_or_else(|| {
                Error::option("factor", format!("{factor:?}"), format!("one of {:?}", self.factors()))
            })?;
        let effects = self.fit.effects(level)?;
        let mut columns = vec![];
        for &position in self.factors.get(level).map(|f| f.columns.as_slice()).unwrap_or_default() {
            let Some(codes) = self.codes.get(position) else { continue };
            let mut column = codes.gather(effects.iter().map(|e| e.path.get(position).copied().unwrap_or(0)))?;
            column.rename(codes.name.as_str().into());
            columns.push(column);
        }
        let number = |name: &str, get: &dyn Fn(&crate::mixed::Effect) -> f64| {
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
}
