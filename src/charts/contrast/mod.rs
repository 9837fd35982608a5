//! What changed from one phase of a chart to another: an estimate with an interval, by the shape of the data.

mod method;
mod windows;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats::step::LEVEL;
use crate::{Error, Note, NoteCode, Result};
use windows::{Order, Windows};

/// What a chart's values are, and so what is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A measurement: the difference of means.
    Mean,
    /// A measurement that a few wild values must not decide: the shift of the median.
    Median,
    /// Successes of trials: the difference of proportions.
    Proportion,
    /// Events in an exposure: the ratio of rates.
    Rate,
    /// Cases between rare events: the ratio of the events' rates, each the reciprocal of what passes until an event.
    Gap,
}

impl Shape {
    /// The shape that belongs to a kind of chart, by its word: `run` has medians; `p`, `pp`, `np` proportions; `u`, `up`,
    /// `c` rates (a `c` chart with an exposure of 1); `g` gaps; all others (`i`, `mr`, `ip`, `xbar`, `r`, `s`, `t`,
    /// `ewma`, `cusum`) means.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a word that is no kind of chart.
    ///
    /// ```
    /// use brightspot::charts::Shape;
    ///
    /// assert_eq!(Shape::of_chart("run")?, Shape::Median);
    /// assert_eq!(Shape::of_chart("up")?, Shape::Rate);
    /// assert!(Shape::of_chart("pie").is_err());
    /// # Ok::<(), brightspot::Error>(())
    /// ```
    pub fn of_chart(kind: &str) -> Result<Self> {
        match kind {
            "run" => Ok(Self::Median),
            "p" | "pp" | "np" => Ok(Self::Proportion),
            "u" | "up" | "c" => Ok(Self::Rate),
            "g" => Ok(Self::Gap),
            "i" | "mr" | "ip" | "xbar" | "r" | "s" | "t" | "ewma" | "cusum" => Ok(Self::Mean),
            other => Err(Error::option(
                "kind",
                format!("{other:?}"),
                "run, i, mr, ip, xbar, r, s, p, pp, u, up, c, np, g, t, cusum or ewma",
            )),
        }
    }

    /// The estimate that means "no change": 0 for a difference, 1 for a ratio.
    pub fn no_change(self) -> f64 {
        if self.is_ratio() { 1.0 } else { 0.0 }
    }

    fn is_ratio(self) -> bool {
        matches!(self, Self::Rate | Self::Gap)
    }
}

/// How a contrast was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContrastMethod {
    /// [`crate::stats::step::step`].
    Step,
    /// [`crate::stats::median_shift::median_shift`].
    MedianShift,
    /// [`crate::stats::proportions::proportions_by_period`].
    ProportionsByPeriod,
    /// [`crate::stats::rates::rates_by_period`].
    RatesByPeriod,
    /// [`crate::stats::gaps::gaps_between_events`].
    GapsBetweenEvents,
    /// [`crate::stats::totals::two_totals`].
    TwoTotals,
    /// [`crate::stats::standard::proportion_against`].
    ProportionAgainst,
    /// [`crate::stats::standard::rate_against`].
    RateAgainst,
}

/// The rows of a chart, and which of them are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ContrastInput<'a> {
    /// One entry a row, in the order of time, NaN where there is none. For a mean or a median the value as it is drawn;
    /// for a proportion or a rate the numerator; for gaps the cases between two events, the event's own not counted.
    pub value: &'a [f64],
    /// The denominators of proportions and rates, one a row; empty for an exposure of 1 in each. For a mean or a median
    /// the number of observations behind each value, or empty: they do not weigh, but are noted where they differ much.
    pub size: &'a [f64],
    /// Which rows are before: a phase, or a baseline. One flag a row.
    pub is_before: &'a [bool],
    /// Which rows are after. One flag a row.
    pub is_after: &'a [bool],
}

/// What changed from one phase to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contrast {
    /// What was compared.
    pub shape: Shape,
    /// How.
    pub method: ContrastMethod,
    /// Points before; 0 against a standard.
    pub n_before: usize,
    /// Points after.
    pub n_after: usize,
    /// The mean, median, proportion or rate before (or the standard).
    pub before: Option<f64>,
    /// The same after.
    pub after: Option<f64>,
    /// The change: a difference, or for rates and gaps a ratio. None where the data are too few or do not vary, and a note
    /// says which. Infinite for a rate that was 0 before (JSON has no infinity and writes null).
    pub estimate: Option<f64>,
    /// Lower end of the interval.
    pub lo: Option<f64>,
    /// Upper end of the interval.
    pub hi: Option<f64>,
    /// How often such intervals cover the truth.
    pub level: f64,
    /// One-sided p of a change upwards.
    pub p_above: Option<f64>,
    /// One-sided p of a change downwards.
    pub p_below: Option<f64>,
    /// The first-order autocorrelation that was allowed for.
    pub phi: Option<f64>,
    /// How much more than chance the periods vary (1: as independent trials, events or waits do).
    pub dispersion: Option<f64>,
    /// What stands against the numbers, or in their place.
    pub notes: Vec<Note>,
}

impl Contrast {
    /// Whether the whole interval lies on one side of "no change"; `None` without an interval.
    pub fn excludes_no_change(&self) -> Option<bool> {
        let none = self.shape.no_change();
        Some(self.lo? > none || self.hi? < none)
    }

    /// A contrast without numbers.
    fn empty(shape: Shape, method: ContrastMethod, n_before: usize, n_after: usize) -> Self {
        Self {
            shape,
            method,
            n_before,
            n_after,
            before: None,
            after: None,
            estimate: None,
            lo: None,
            hi: None,
            level: LEVEL,
            p_above: None,
            p_below: None,
            phi: None,
            dispersion: None,
            notes: vec![],
        }
    }

    /// The same change seen from its other end.
    fn mirrored(self) -> Self {
        let is_ratio = self.shape.is_ratio();
        // 0 - x has no minus zero for a difference of 0.
        let turned = |number: Option<f64>| number.map(|x| if is_ratio { 1.0 / x } else { 0.0 - x });
        Self {
            n_before: self.n_after,
            n_after: self.n_before,
            before: self.after,
            after: self.before,
            estimate: turned(self.estimate),
            lo: turned(self.hi),
            hi: turned(self.lo),
            p_above: self.p_below,
            p_below: self.p_above,
            ..self
        }
    }
}

/// The change between two phases of a chart, or from a baseline to what follows.
///
/// The method follows the shape of the data: [`crate::stats::step::step`] for means,
/// [`crate::stats::median_shift::median_shift`] for medians, [`crate::stats::proportions::proportions_by_period`],
/// [`crate::stats::rates::rates_by_period`] (with one period on each side [`crate::stats::totals::two_totals`]) and
/// [`crate::stats::gaps::gaps_between_events`]. Each interval carries the uncertainty of the baseline and allows for
/// autocorrelation, and for counts for overdispersion; it covers 90%, so that a one-sided question is asked at 5%.
///
/// # Arguments
/// `shape`: see [`Shape::of_chart`]. `input`: see [`ContrastInput`]. All rows before must precede all rows after, or
/// follow them; the change is always that from before to after.
///
/// # Missing values
/// A flagged row without a value, with an infinite one, or with a denominator that is missing, zero or negative is left
/// out and noted (`missing_value`, `infinite_value`, `invalid_denominator`).
///
/// # Errors
/// [`Error::InvalidOption`] for columns of different length, rows that are both before and after, rows of one phase
/// among those of the other, and a proportion without `size`; [`Error::InvalidValue`] for a numerator below 0, and for a
/// proportion above 1.
///
/// # Notes
/// In place of numbers `too_few_points` (fewer than 3 in a phase) and `zero_variance` (no variation within either phase;
/// no event, or nothing but events, in both). Beside them `few_points`, `strong_autocorrelation`, `independence_assumed`,
/// `powerless` and `unequal_sizes`.
///
/// # Reference
/// At each method.
///
/// ```
/// use brightspot::charts::{ContrastInput, Shape, contrast};
///
/// let value = [9.0, 12.0, 8.0, 11.0, 10.0, 13.0, 9.0, 10.0, 5.0, 4.0, 6.0, 3.0, 5.0, 4.0];
/// let is_before: Vec<bool> = (0..14).map(|week| week < 8).collect();
/// let is_after: Vec<bool> = (0..14).map(|week| week >= 8).collect();
/// let input = ContrastInput { value: &value, size: &[], is_before: &is_before, is_after: &is_after };
/// let found = contrast(Shape::of_chart("c")?, &input)?;
/// assert_eq!((found.n_before, found.n_after), (8, 6));
/// assert!(found.hi.unwrap() < 1.0 && found.excludes_no_change() == Some(true));
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn contrast(shape: Shape, input: &ContrastInput<'_>) -> Result<Contrast> {
    let windows = Windows::of(shape, input)?;
    let found = match windows.order()? {
        Order::Forward => method::between(shape, &windows.before, &windows.after)?,
        Order::Backward => method::between(shape, &windows.after, &windows.before)?.mirrored(),
    };
    Ok(windows.noted(found))
}

/// A proportion or a rate against a standard: `before` is the standard, and the estimate the difference of the proportion
/// from it or the ratio of the rate to it.
///
/// All rows flagged as after are counted together, by [`crate::stats::standard::proportion_against`] or
/// [`crate::stats::standard::rate_against`]; those flagged as before are not used.
///
/// # Arguments
/// `shape`: a proportion or a rate. `standard`: what it should be, per unit of `size`.
///
/// # Missing values
/// As in [`contrast`].
///
/// # Errors
/// As in [`contrast`]; [`Error::InvalidOption`] for another shape and for a standard that is none.
///
/// # Notes
/// `too_few_points` without any count, `independence_assumed`, `powerless`, and those on rows left out.
///
/// # Reference
/// At each method.
///
/// ```
/// use brightspot::charts::{ContrastInput, Shape, contrast_with_standard};
///
/// let after = [true; 3];
/// let input = ContrastInput { value: &[2.0, 1.0, 3.0], size: &[4.0; 3], is_before: &[false; 3], is_after: &after };
/// let found = contrast_with_standard(Shape::Proportion, 0.8, &input)?;
/// assert!((found.estimate.unwrap() - (0.5 - 0.8)).abs() < 1e-12);
/// assert!((found.p_below.unwrap() - 0.0194).abs() < 5e-5);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn contrast_with_standard(shape: Shape, standard: f64, input: &ContrastInput<'_>) -> Result<Contrast> {
    let windows = Windows::of(shape, input)?;
    let found = method::against(shape, standard, &windows.after)?;
    Ok(windows.noted(found))
}

/// A note in place of the numbers, or beside them.
fn note(contrast: &mut Contrast, code: NoteCode, count: usize, value: Option<f64>) {
    contrast.notes.push(Note { value, ..Note::new(code, count) });
}
