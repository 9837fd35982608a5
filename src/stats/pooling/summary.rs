//! The pooled effect and what may be said of it.

use serde::{Deserialize, Serialize};

use super::heterogeneity::{Effects, Method};
use super::interval::prediction;
use super::sites::{SiteRow, rows};
use super::spec::{MIN_SITES, PoolSpec};
use crate::stats::student::chi_square_above;
use crate::{Error, Note, NoteCode, Result};

/// The pooled effect in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Summary {
    /// How many sites.
    pub n_sites: usize,
    /// The mean effect over sites, mu.
    pub estimate: f64,
    /// Its standard error, as the interval takes it.
    pub se: f64,
    /// Lower end of its interval.
    pub lo: f64,
    /// Upper end of its interval.
    pub hi: f64,
    /// Two-sided p of no mean effect.
    pub p_value: f64,
    /// The variance between sites.
    pub tau2: f64,
    /// Its interval, by inverting Q; `None` where sites are taken as equal.
    pub tau2_interval: Option<(f64, f64)>,
    /// The share of the variation between effects that is not chance, 0 to 1.
    pub i2: f64,
    /// Total over chance variation.
    pub h2: f64,
    /// Cochran's Q.
    pub q: f64,
    /// P of as high a Q where sites do not differ.
    pub q_p_value: f64,
    /// The interval for the effect in a site that is not among these.
    pub prediction: Option<(f64, f64)>,
}

/// What pooling found, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// One site: its effect is shown.
    OneSite,
    /// Two sites: their effects are shown, not pooled.
    TwoSites,
    /// The prediction interval excludes 0 on the good side: likely to help at a site like these.
    LikelyToHelp,
    /// The interval of the mean excludes 0 on the good side, the prediction interval does not: works on average, not
    /// reliably everywhere.
    WorksOnAverage,
    /// The mean effect cannot be told from none.
    NotDistinguishable,
    /// The interval of the mean excludes 0 on the bad side, the prediction interval does not.
    HarmsOnAverage,
    /// The prediction interval excludes 0 on the bad side.
    LikelyToHarm,
}

impl Finding {
    /// The stable code, as in JSON and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OneSite => "one_site",
            Self::TwoSites => "two_sites",
            Self::LikelyToHelp => "likely_to_help",
            Self::WorksOnAverage => "works_on_average",
            Self::NotDistinguishable => "not_distinguishable",
            Self::HarmsOnAverage => "harms_on_average",
            Self::LikelyToHarm => "likely_to_harm",
        }
    }

    fn of(summary: &Summary, is_higher_better: bool) -> Self {
        let sign = if is_higher_better { 1.0 } else { -1.0 };
        // Both ends beyond zero: +1 on the good side, -1 on the bad, 0 where zero is inside.
        let side = |lo: f64, hi: f64| {
            if lo > 0.0 {
                sign
            } else if hi < 0.0 {
                -sign
            } else {
                0.0
            }
        };
        let average = side(summary.lo, summary.hi);
        let everywhere = summary.prediction.map_or(0.0, |(lo, hi)| side(lo, hi));
        match (average > 0.0, average < 0.0, everywhere * average > 0.0) {
            (true, _, true) => Self::LikelyToHelp,
            (true, _, false) => Self::WorksOnAverage,
            (_, true, true) => Self::LikelyToHarm,
            (_, true, false) => Self::HarmsOnAverage,
            _ => Self::NotDistinguishable,
        }
    }
}

/// The effects of sites, pooled where there are enough of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// The pooled effect; `None` for fewer than [`MIN_SITES`] sites.
    pub summary: Option<Summary>,
    /// One row per site, in the order given.
    pub sites: Vec<SiteRow>,
    /// What was found.
    pub finding: Finding,
    /// Caveats.
    pub notes: Vec<Note>,
}

/// Pool effects over sites: one effect and its sampling variance for each.
///
/// # Errors
/// [`Error::TooFew`] without any site; [`Error::InvalidValue`] for a value that is not finite and a variance that is not
/// positive; [`Error::InvalidOption`] for a level outside (0, 1).
pub fn pool(effect: &[f64], variance: &[f64], spec: &PoolSpec) -> Result<Pool> {
    let effects = checked(effect, variance, spec)?;
    let k = effect.len();
    if k == 0 {
        return Err(Error::TooFew {
            what: "pooling".into(),
            needed: "one site".into(),
            found: 0,
            remedy: "give rows with an effect and its variance".into(),
        });
    }
    let summary = (k >= MIN_SITES).then(|| summarise(effect, variance, spec)).transpose()?;
    let finding = match (&summary, k) {
        (Some(summary), _) => Finding::of(summary, spec.is_higher_better),
        (None, 1) => Finding::OneSite,
        (None, _) => Finding::TwoSites,
    };
    let mut notes = Vec::new();
    if summary.is_none() {
        notes.push(Note::new(NoteCode::TooFewSites, k));
    }
    if (MIN_SITES..FEW_SITES).contains(&k) {
        notes.push(Note::new(NoteCode::FewSites, k));
    }
    if spec.method == Method::Ee && summary.is_some() {
        notes.push(Note::new(NoteCode::EqualEffectsAssumed, k));
    }
    Ok(Pool { sites: rows(effects, summary.as_ref(), spec)?, summary, finding, notes })
}

/// Below this the variance between sites is hardly known.
const FEW_SITES: usize = 5;

/// The pooled effect of two or more sites, however few: what [`pool`] gives where there are enough.
///
/// # Errors
/// As [`pool`]; [`Error::TooFew`] for fewer than two sites.
pub fn summarise(effect: &[f64], variance: &[f64], spec: &PoolSpec) -> Result<Summary> {
    let effects = checked(effect, variance, spec)?;
    if effect.len() < 2 {
        return Err(Error::TooFew {
            what: "a variance between sites".into(),
            needed: "two sites".into(),
            found: effect.len(),
            remedy: "show the effect as it is".into(),
        });
    }
    let mut summary = summarise_effects(effects, spec)?;
    summary.prediction = prediction(effects, summary.tau2, spec);
    Ok(summary)
}

/// All but the interval for a new site, which costs most.
pub(super) fn summarise_effects(effects: Effects<'_>, spec: &PoolSpec) -> Result<Summary> {
    let k = effects.k();
    let tau2 = effects.tau2(spec.method)?;
    let sums = effects.at(tau2);
    let se = spec.interval.se(&sums, k);
    let half = spec.interval.quantile(1.0 - spec.tail(), k) * se;
    let q = effects.at(0.0).q;
    // The typical sampling variance (Higgins & Thompson 2002, Stat. Med. 21:1539, eq. 9).
    let typical = (k - 1.0) / effects.moment();
    let i2 = if spec.method == Method::Ee { (1.0 - (k - 1.0) / q).max(0.0) } else { tau2 / (tau2 + typical) };
    let h2 = if spec.method == Method::Ee { q / (k - 1.0) } else { tau2 / typical + 1.0 };
    Ok(Summary {
        n_sites: effects.y.len(),
        estimate: sums.mu,
        se,
        lo: sums.mu - half,
        hi: sums.mu + half,
        p_value: spec.interval.p_value(sums.mu / se, k),
        tau2,
        tau2_interval: (spec.method != Method::Ee).then(|| effects.profile(spec.level)),
        i2,
        h2,
        q,
        q_p_value: chi_square_above(q, k - 1.0),
        prediction: None,
    })
}

fn checked<'a>(effect: &'a [f64], variance: &'a [f64], spec: &PoolSpec) -> Result<Effects<'a>> {
    spec.check()?;
    if effect.len() != variance.len() {
        return Err(Error::InvalidValue {
            what: "effects and variances".into(),
            found: format!("{} effects and {} variances", effect.len(), variance.len()),
            remedy: "give one variance for each effect".into(),
        });
    }
    if let Some((row, value)) = effect.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        return Err(Error::InvalidValue {
            what: "an effect".into(),
            found: format!("{value} at position {row}"),
            remedy: "leave out what has no effect".into(),
        });
    }
    if let Some((row, value)) = variance.iter().enumerate().find(|(_, v)| !(**v > 0.0 && v.is_finite())) {
        return Err(Error::InvalidValue {
            what: "a sampling variance".into(),
            found: format!("{value} at position {row}"),
            remedy: "it must be positive: the square of the effect's standard error".into(),
        });
    }
    Ok(Effects { y: effect, v: variance })
}
