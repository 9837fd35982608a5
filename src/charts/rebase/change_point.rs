//! Changes of level that stand against autocorrelation, against the search for their place, and against a trend.

use super::law::SplitLaws;
use super::line::Line;
use super::split::{self, Ranker, Split, centre, squares};
use super::{Decision, DecisionCode, Points, Proposal, RebaseSpec};
use crate::stats::step::step;

/// Twice the log-likelihood that a place may lose against the best one, for an interval that covers 9 in 10.
///
/// About the true place the loss is the largest of two independent random walks with drift; in the limit of small
/// steps P(loss <= x) = (1 - exp(-x/2))^2, and 5.94 solves it for .9 (Siegmund 1988, Int. Stat. Rev. 56:31;
/// Hansen 2000, Econometrica 68:575, table I). For large steps it is too wide rather than too narrow.
const LOSS_90: f64 = 5.939_5;

/// How often an interval of a step may miss.
const NOT_COVERED: f64 = 0.1;

/// More moves of the cuts than this are not made. Some few are enough; since each window has ranks of its own, nothing
/// else would keep two cuts from changing places for ever.
const MOVES_MAX: usize = 100;

/// What a search comes to.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) proposals: Vec<Proposal>,
    pub(super) log: Vec<Decision>,
    /// The slope per point, where the series drifts rather than steps.
    pub(super) drift: Option<f64>,
}

/// Searches by binary segmentation (Vostrikova 1981, Soviet Math. Dokl. 24:55), lets each cut find its best place
/// between its neighbours (Bai 1997, Econometric Theory 13:315), and takes back what does not stand there.
pub(super) fn search(points: &Points, spec: &RebaseSpec, laws: &mut SplitLaws) -> Found {
    let mut search = Search { points, spec, laws, cuts: Vec::new(), log: Vec::new() };
    search.segment(0, points.len());
    search.settle();
    let has_trend = search.drop_trends() > 0;
    let proposals: Vec<Proposal> = (0..search.cuts.len()).filter_map(|index| search.proposal(index)).collect();
    let mut log = search.log;
    log.sort_by_key(|decision| decision.row);
    let line = Line::of(&points.y);
    let drifts = has_trend || (proposals.is_empty() && line.p <= spec.alpha);
    Found { proposals, log, drift: drifts.then_some(line.slope) }
}

/// A cut and how significant it is.
#[derive(Clone, Copy)]
struct Cut {
    at: usize,
    p: f64,
    t: f64,
}

struct Search<'a> {
    points: &'a Points,
    spec: &'a RebaseSpec,
    laws: &'a mut SplitLaws,
    /// The first point of each new level, ascending.
    cuts: Vec<usize>,
    log: Vec<Decision>,
}

impl Search<'_> {
    fn values(&self, from: usize, to: usize) -> &[f64] {
        self.points.y.get(from..to).unwrap_or(&[])
    }

    /// The ranks of some points among themselves.
    fn ranks(&self, from: usize, to: usize) -> Vec<f64> {
        let mut ranker = Ranker::default();
        ranker.ranks(self.values(from, to)).to_vec()
    }

    fn prob(&mut self, n: usize, split: &Split) -> f64 {
        self.laws.prob(n, self.spec.min_length, split.phi, split.t)
    }

    fn record(&mut self, cut: usize, code: DecisionCode, p: f64, step_over_line: Option<f64>) {
        let row = self.points.row(cut);
        self.log.push(Decision { row, code, p: Some(p), step_over_line });
    }

    /// Cuts the points from `from` to before `to` in two, and each part again, until no cut is significant.
    fn segment(&mut self, from: usize, to: usize) {
        let mut parts = vec![(from, to)];
        while let Some((from, to)) = parts.pop() {
            let Some(whole) = self.cut(from, to) else { continue };
            let found = if whole.p <= self.spec.alpha { Some(whole) } else { self.hidden(from, to) };
            if let Some(Cut { at, .. }) = found {
                self.cuts.push(at);
                parts.extend([(from, at), (at, to)]);
            } else {
                self.record(whole.at, DecisionCode::NotSignificant, whole.p, None);
            }
        }
        self.cuts.sort_unstable();
    }

    /// The best cut of the points from `from` to before `to`, with its p.
    fn cut(&mut self, from: usize, to: usize) -> Option<Cut> {
        let split = split::best(&self.ranks(from, to), self.spec.min_length)?;
        Some(Cut { at: from + split.n_before, p: self.prob(to - from, &split), t: split.t })
    }

    /// The most significant cut of a shorter stretch. Levels that come and go pass for autocorrelation when they are
    /// cut only once; a stretch that holds one change does not. What is found here must still be significant between
    /// its neighbours in the end, which it is only beside further changes.
    fn hidden(&mut self, from: usize, to: usize) -> Option<Cut> {
        let stretches = shorter_stretches(from, to, 2 * self.spec.min_length);
        let alpha = self.spec.alpha / stretches.len() as f64;
        let cuts = stretches.into_iter().filter_map(|(from, to)| self.cut(from, to));
        cuts.min_by(|one, other| one.p.total_cmp(&other.p).then(other.t.total_cmp(&one.t))).filter(|cut| cut.p <= alpha)
    }

    /// The points between the neighbours of a cut.
    fn window(&self, index: usize) -> (usize, usize) {
        let from = index.checked_sub(1).and_then(|before| self.cuts.get(before)).copied().unwrap_or(0);
        (from, self.cuts.get(index + 1).copied().unwrap_or(self.points.len()))
    }

    /// The best cut between the neighbours of a cut.
    fn local(&self, index: usize) -> Option<Split> {
        let (from, to) = self.window(index);
        split::best(&self.ranks(from, to), self.spec.min_length)
    }

    /// Moves the cuts to their best places and drops the least significant, until all of them are significant where
    /// they stand.
    fn settle(&mut self) {
        loop {
            self.improve();
            let mut weakest: Option<(usize, f64)> = None;
            for index in 0..self.cuts.len() {
                let (from, to) = self.window(index);
                let p = self.local(index).map_or(1.0, |split| self.prob(to - from, &split));
                if weakest.is_none_or(|(_, least)| p > least) {
                    weakest = Some((index, p));
                }
            }
            let Some((index, p)) = weakest.filter(|(_, p)| *p > self.spec.alpha) else { return };
            let cut = self.cuts.remove(index);
            self.record(cut, DecisionCode::NotSustained, p, None);
        }
    }

    /// Moves one cut at a time, always the one that gains most, so that the order of time plays no part.
    fn improve(&mut self) {
        for _ in 0..MOVES_MAX {
            let mut best: Option<(usize, usize, f64)> = None;
            for (index, &cut) in self.cuts.iter().enumerate() {
                let (from, to) = self.window(index);
                let Some(split) = self.local(index) else { continue };
                let gain = split.between - self.explained(from, cut, to);
                let is_more = gain > 1e-9 * (split.between + split.within);
                if is_more && best.is_none_or(|(_, _, most)| gain > most) {
                    best = Some((index, from + split.n_before, gain));
                }
            }
            let Some((index, cut, _)) = best else { return };
            if let Some(place) = self.cuts.get_mut(index) {
                *place = cut;
            }
        }
    }

    /// What a cut explains of the points between `from` and `to`.
    fn explained(&self, from: usize, cut: usize, to: usize) -> f64 {
        let window = self.ranks(from, to);
        let mean = centre(&window);
        let before: f64 = window.iter().take(cut - from).map(|value| value - mean).sum();
        split::explained(before, cut - from, to - from)
    }

    /// Drops the cuts that a straight line explains better: all of them if one line does as well as all the levels,
    /// otherwise one at a time, each within the points between its neighbours.
    fn drop_trends(&mut self) -> usize {
        let n_found = self.cuts.len();
        let together = self.levels_over_line();
        if n_found > 1 && together <= 0.0 {
            for index in 0..n_found {
                self.record_trend(index, together);
            }
            self.cuts.clear();
        }
        let mut n_dropped = n_found - self.cuts.len();
        loop {
            let weakest = (0..self.cuts.len())
                .filter_map(|index| Some((index, self.step_over_line(index)?)))
                .min_by(|one, other| one.1.total_cmp(&other.1));
            let Some((index, evidence)) = weakest.filter(|(_, evidence)| *evidence <= 0.0) else { return n_dropped };
            self.record_trend(index, evidence);
            self.cuts.remove(index);
            n_dropped += 1;
            self.settle();
        }
    }

    fn record_trend(&mut self, index: usize, evidence: f64) {
        let (from, to) = self.window(index);
        let p = self.local(index).map_or(1.0, |split| self.prob(to - from, &split));
        if let Some(&cut) = self.cuts.get(index) {
            self.record(cut, DecisionCode::Trend, p, Some(evidence));
        }
    }

    /// Twice the log-likelihood by which two levels beat a straight line between the neighbours of a cut, less ln n for
    /// the place that was searched for (Schwarz 1978, Ann. Stat. 6:461).
    fn step_over_line(&self, index: usize) -> Option<f64> {
        let (from, to) = self.window(index);
        let cut = self.cuts.get(index)?;
        Some(self.levels_beat_line(&[from, *cut, to], 1.0))
    }

    /// The same for all levels together: k cuts have k heights and k places, a line has one slope.
    fn levels_over_line(&self) -> f64 {
        let bounds: Vec<usize> = [0].into_iter().chain(self.cuts.iter().copied()).chain([self.points.len()]).collect();
        self.levels_beat_line(&bounds, 2.0 * self.cuts.len() as f64 - 1.0)
    }

    /// Levels between bounds against one line, with so many parameters more: the better of what ranks and values say.
    /// Ranks pull levels that are far apart together until they look like a line; among values a wild point drowns
    /// both.
    fn levels_beat_line(&self, bounds: &[usize], n_more: f64) -> f64 {
        let (from, to) = (bounds.first().copied().unwrap_or(0), bounds.last().copied().unwrap_or(0));
        let evidence = |y: &[f64]| {
            let levels = bounds.iter().zip(bounds.iter().skip(1));
            let within = levels
                .filter_map(|(start, end)| y.get(start - from..end - from))
                .map(|level| squares(level, centre(level)))
                .sum();
            over_line(y, within, n_more)
        };
        evidence(&self.ranks(from, to)).max(evidence(self.values(from, to)))
    }

    fn proposal(&mut self, index: usize) -> Option<Proposal> {
        let (from, to) = self.window(index);
        let split = self.local(index)?;
        let cut = from + split.n_before;
        let p = self.prob(to - from, &split);
        let evidence = self.step_over_line(index);
        self.record(cut, DecisionCode::Proposed, p, evidence);
        let (first, last) = self.interval(from, to, &split);
        let y = &self.points.y;
        let (before, after) = (y.get(from..cut)?, y.get(cut..to)?);
        // Simultaneous for all cuts, so that it holds for the one that was picked because it is large.
        let known = step(before, after).ok();
        let reach =
            known.map(|known| self.laws.quantile(to - from, self.spec.min_length, known.phi, NOT_COVERED) * known.se);
        let (level_before, level_after) = (centre(before), centre(after));
        Some(Proposal {
            from: self.points.row(first),
            to: self.points.row(last),
            n_before: before.len(),
            n_after: after.len(),
            lo: reach.map(|reach| level_after - level_before - reach),
            hi: reach.map(|reach| level_after - level_before + reach),
            p: Some(p),
            phi: Some(split.phi),
            sd_before: deviation(before),
            sd_after: deviation(after),
            step_over_line: evidence,
            ..Proposal::new(self.points.row(cut)?, level_before, level_after)
        })
    }

    /// The first and last place that loses no more than [`LOSS_90`] against the best.
    fn interval(&self, from: usize, to: usize, split: &Split) -> (usize, usize) {
        let window = self.ranks(from, to);
        let (n, mean) = (window.len(), centre(&window));
        let cut = from + split.n_before;
        // The drift of the walk is that of independent points; its variance is that of sums of correlated ones.
        let scale = split.variance * (1.0 + split.phi) / (1.0 - split.phi);
        let (mut sum, mut first, mut last) = (0.0, cut, cut);
        for (value, n_before) in window.iter().zip(1..).take(n - self.spec.min_length) {
            sum += value - mean;
            if n_before < self.spec.min_length {
                continue;
            }
            let loss = split.between - split::explained(sum, n_before, n);
            if loss <= LOSS_90 * scale {
                first = first.min(from + n_before);
                last = last.max(from + n_before);
            }
        }
        (first, last)
    }
}

/// Overlapping stretches of a series, each scale shorter than the last by the root of 2 and moved by half its length at
/// most (Kovács et al. 2023, Biometrika 110:249), down to `least` points; in mirrored order they are the same.
fn shorter_stretches(from: usize, to: usize, least: usize) -> Vec<(usize, usize)> {
    let n = to - from;
    let mut stretches = Vec::new();
    let mut length = n;
    loop {
        // At most the length before it.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let shorter = (length as f64 / std::f64::consts::SQRT_2).ceil() as usize;
        if shorter < least || shorter >= length {
            stretches.sort_unstable();
            stretches.dedup();
            return stretches;
        }
        length = shorter;
        let (room, step) = (n - length, (length / 2).max(1));
        // Starts are placed from both ends, so that a series read backwards has the same stretches.
        for start in (0..=room).step_by(step) {
            stretches.extend([(from + start, from + start + length), (to - start - length, to - start)]);
        }
    }
}

fn over_line(y: &[f64], within: f64, n_more: f64) -> f64 {
    let (n, line) = (y.len() as f64, Line::of(y).within);
    // Constant levels: nothing can be better, and the logarithm has no end.
    if within <= 0.0 { f64::MAX } else { n * (line / within).ln() - n_more * n.ln() }
}

/// The standard deviation of one level.
fn deviation(level: &[f64]) -> Option<f64> {
    (level.len() > 1).then(|| (squares(level, centre(level)) / (level.len() - 1) as f64).sqrt())
}
