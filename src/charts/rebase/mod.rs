//! Where a chart should start anew: proposals with their evidence, for a person to accept. Nothing here changes a chart.

mod change_point;
mod fixed_run;
mod law;
mod line;
mod result;
mod spec;
mod split;
mod stable_shift;

use crate::stats::runs::Side;
use crate::{Error, Note, NoteCode, Result};

pub use law::{FULL_DRAWS_UP_TO, N_DRAWS, N_DRAWS_MIN};
pub use result::{Decision, DecisionCode, Limits, Proposal, Rebase};
pub use spec::{RebaseMethod, RebaseSpec, RunSide};
pub use stable_shift::{Period, StableShift, individuals, stable_shift};

use law::SplitLaws;

/// An autocorrelation from which on false proposals come more often than stated.
const STRONG_PHI: f64 = 0.5;

/// Proposes where charts should start anew; keeps the laws it has simulated, so that many series cost little more than
/// one.
#[derive(Debug, Default)]
pub struct RebaseEngine {
    laws: SplitLaws,
}

/// Proposes where one series should start anew: see [`RebaseEngine::propose`].
///
/// # Errors
/// As there.
pub fn propose(values: &[f64], is_excluded: &[bool], spec: &RebaseSpec) -> Result<Rebase> {
    RebaseEngine::new().propose(values, is_excluded, spec)
}

impl RebaseEngine {
    /// An engine that has simulated nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Proposes where a series should start anew, with the evidence; never applies it.
    ///
    /// [`RebaseMethod::ChangePoint`] (the default) looks for changes of level among the ranks of the values, so that a wild
    /// point counts for no more than one point and the shape of the distribution for nothing. Of all cuts of N ranks with
    /// at least `min_length` on each side it takes the one that leaves the least sum of squares SS about two means, and
    /// compares
    ///
    /// ```text
    /// phi* = clip((N phi^ + 4)/(N - 6), .30, .90), phi^ the lag-1 autocorrelation about the two means
    /// T = |mean after - mean before| / sqrt(SS v / e), v = c' Omega c and e = tr(Q Omega) as in stats::step
    /// p = P(T' >= T), T' the same of a stable normal AR(phi*) series of N points
    /// ```
    ///
    /// with the largest T of simulated series, searched in the same way (20,000 of them, with a fixed seed; fewer for
    /// more than 500 points). Where p <= `alpha` each part is cut again; where it is not, shorter stretches are tried,
    /// because levels that come and go hide behind the autocorrelation that they make. Every cut then moves to its best
    /// place between its neighbours and must be significant there. A cut is proposed only if two levels describe the
    /// ranks between its neighbours better than a straight line:
    ///
    /// ```text
    /// N ln(SS of the line / SS) - ln N > 0
    /// ```
    ///
    /// The interval of its place holds every cut with (SS of that cut - SS) <= 5.94 (SS/e) (1 + phi*)/(1 - phi*). The
    /// levels are means of the values. The interval of the step is estimate +- T.10 SE, with the standard error of
    /// [`crate::stats::step::step`] and the T that one stable series in ten exceeds: it holds for all cuts together, and
    /// so for the one that was picked.
    ///
    /// [`RebaseMethod::StableShift`] is the algorithm of [`stable_shift`] with the limits of [`individuals`];
    /// [`RebaseMethod::FixedRun`] proposes a new median wherever `run_length` points lie on one side of the last one.
    /// Neither states a probability.
    ///
    /// # Arguments
    /// `values`: one number a row, in the order of time and in the measure's unit; `is_excluded`: rows that count for
    /// nothing, one flag a row, or empty for none.
    ///
    /// # Missing values
    /// A row whose value is NaN or infinite, or that is excluded, is as if it were not there; rows are still counted
    /// with it, so that a proposal's row is a row of `values`.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for an impossible `spec`, or if `is_excluded` is not as long as `values`.
    ///
    /// # Notes
    /// `missing_value`; `steady_trend` where a straight line explains better what looks like new levels, or
    /// where nothing is proposed and the line's slope is significant at `alpha`;
    /// `strong_autocorrelation` where a proposal rests on an autocorrelation of .5 or more; `zero_variance` where both
    /// levels are constant.
    ///
    /// # Reference
    /// Pettitt (1979), Appl. Stat. 28:126 (a change point by ranks); Worsley (1986), Biometrika 73:91 (test and interval
    /// for a change point, the place searched for); Bai (1997), Econometric Theory 13:315
    /// (several changes); Siegmund (1988), Int. Stat. Rev. 56:31 (interval).
    ///
    /// ```
    /// use brightspot::charts::rebase::{RebaseEngine, RebaseSpec};
    ///
    /// let level = [61.0, 64.0, 62.0, 63.0, 60.0, 62.0, 63.0, 61.0, 64.0, 62.0];
    /// let values: Vec<f64> = level.iter().copied().chain(level.iter().map(|value| value + 5.0)).collect();
    /// let rebase = RebaseEngine::new().propose(&values, &[], &RebaseSpec::default())?;
    /// let proposal = &rebase.proposals[0];
    /// assert_eq!((proposal.starts_at, proposal.estimate), (10, 5.0));
    /// assert!(proposal.p.unwrap() < 0.01 && proposal.lo.unwrap() > 0.0);
    /// # Ok::<(), brightspot::Error>(())
    /// ```
    pub fn propose(&mut self, values: &[f64], is_excluded: &[bool], spec: &RebaseSpec) -> Result<Rebase> {
        spec.validate()?;
        let points = Points::of(values, is_excluded)?;
        let mut rebase = match spec.method {
            RebaseMethod::ChangePoint => self.change_points(&points, spec),
            RebaseMethod::StableShift => stable_shift::run(&points, spec, &mut |basis, drawn| {
                individuals(values, basis).map(|limits| vec![limits; drawn.len()])
            })
            .into_rebase(),
            RebaseMethod::FixedRun => fixed_run::search(&points, spec),
        };
        let n_missing = values.iter().filter(|value| !value.is_finite()).count();
        if n_missing > 0 {
            rebase.notes.insert(0, Note::new(NoteCode::MissingValue, n_missing));
        }
        Ok(rebase)
    }

    fn change_points(&mut self, points: &Points, spec: &RebaseSpec) -> Rebase {
        if points.len() < 2 * spec.min_length {
            return Rebase::without(Decision::new(None, DecisionCode::TooFewPoints));
        }
        if points.is_constant() {
            return Rebase::without(Decision::new(None, DecisionCode::NoVariation));
        }
        let found = change_point::search(points, spec, &mut self.laws);
        let mut notes = Vec::new();
        let n_constant = found.proposals.iter().filter(|proposal| proposal.lo.is_none()).count();
        if n_constant > 0 {
            notes.push(Note::new(NoteCode::ZeroVariance, n_constant));
        }
        let strongest = found.proposals.iter().filter_map(|proposal| proposal.phi).fold(0.0, f64::max);
        if strongest >= STRONG_PHI {
            notes.push(Note::new(NoteCode::StrongAutocorrelation, 1).with_value(strongest));
        }
        if let Some(slope) = found.drift {
            notes.push(Note::new(NoteCode::SteadyTrend, 1).with_value(slope));
        }
        Rebase { proposals: found.proposals, log: found.log, notes }
    }
}

/// The points that count, with the rows they stand in.
#[derive(Debug, Clone)]
struct Points {
    rows: Vec<usize>,
    y: Vec<f64>,
}

impl Points {
    fn of(values: &[f64], is_excluded: &[bool]) -> Result<Self> {
        if !is_excluded.is_empty() && is_excluded.len() != values.len() {
            let allowed = format!("one flag for each of the {} rows, or empty", values.len());
            return Err(Error::option("exclude", format!("{} flags", is_excluded.len()), allowed));
        }
        let excluded = is_excluded.iter().copied().chain(std::iter::repeat(false));
        let (rows, y) = values
            .iter()
            .enumerate()
            .zip(excluded)
            .filter(|((_, value), is_excluded)| value.is_finite() && !is_excluded)
            .map(|((row, value), _)| (row, *value))
            .unzip();
        Ok(Self { rows, y })
    }

    fn len(&self) -> usize {
        self.y.len()
    }

    fn row(&self, point: usize) -> Option<usize> {
        self.rows.get(point).copied()
    }

    fn is_constant(&self) -> bool {
        crate::stats::step::is_constant(&self.y)
    }

    /// The side of each point of a line, a point within rounding of it lying on it.
    fn side(value: f64, center: f64) -> Side {
        if (value - center).abs() <= 1e-12 * value.abs().max(center.abs()) { Side::On } else { Side::of(value, center) }
    }
}
