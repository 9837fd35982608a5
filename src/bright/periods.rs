//! A unit over its periods: what is left without one of them, whether it lasts, and how it stood in each.

use super::cells::Cells;
use super::model::Model;
use super::persistence::{Known, PeriodRow, Persistence, by_chance, in_period, prob_at_least, usual};
use super::spec::BrightSpec;
use super::tree::{Node, Sum, Tree};
use crate::stats::normal::prob_exceeds;
use crate::stats::normal_table::Phi;

/// All that periods tell, by unit.
pub(crate) struct Over {
    /// The smallest P(effect > threshold) when one period is left out, against peers and against all; `None` with fewer
    /// than two periods.
    pub(crate) without_best: Vec<Option<f64>>,
    pub(crate) without_best_overall: Vec<Option<f64>>,
    pub(crate) persists: Vec<Option<f64>>,
    pub(crate) persists_overall: Vec<Option<f64>>,
    /// Periods of every unit; empty without periods.
    pub(crate) counts: Vec<usize>,
    pub(crate) rows: Vec<PeriodRow>,
    pub(crate) persistence: Option<Persistence>,
}

/// What estimating the fixed part adds to the variance of a unit's own effect, and of its total.
type Fixed = (f64, f64);

pub(crate) fn over_periods(
    model: &Model,
    tree: &Tree,
    cells: &Cells,
    sums: &[Sum],
    threshold: f64,
    spec: &BrightSpec,
) -> Over {
    let n = sums.len();
    let mut over = Over {
        without_best: vec![None; n],
        without_best_overall: vec![None; n],
        persists: vec![None; n],
        persists_overall: vec![None; n],
        counts: Vec::new(),
        rows: Vec::new(),
        persistence: None,
    };
    if !model.has_periods() {
        return over;
    }
    over.counts = cells.by_unit().map(<[_]>::len).collect();
    let sigma2 = model.sigma2();
    let nodes = tree.predict(sums);
    let fixed: Vec<Fixed> = nodes
        .iter()
        .zip(&model.effects)
        .map(|(node, effect)| {
            let more = |sd: f64, variance: f64| (sd * sd - sigma2 * variance).max(0.0);
            (more(effect.sd, node.own_variance), more(effect.sd_overall, node.total_variance))
        })
        .collect();
    leave_out(model, tree, cells, &fixed, threshold, &mut over);
    let (_, has_level) = model.spread();
    if has_level {
        persist(model, &nodes, cells, &fixed, threshold, spec, &mut over);
    }
    over
}

/// Every period left out in turn, at the fitted variances and coefficients: sums without its cells.
fn leave_out(model: &Model, tree: &Tree, cells: &Cells, fixed: &[Fixed], threshold: f64, over: &mut Over) {
    let mut periods: Vec<u32> = cells.all().iter().map(|cell| cell.period).collect();
    periods.sort_unstable();
    periods.dedup();
    let sigma2 = model.sigma2();
    // Within no group the unit's own effect is all there is.
    let is_nested = model.unit_level > 0;
    for period in periods {
        let sums: Vec<Sum> =
            cells.by_unit().map(|own| model.sum(own.iter().filter(|cell| cell.period != period))).collect();
        let nodes = tree.predict(&sums);
        let units = cells.by_unit().zip(&nodes).zip(fixed);
        let places = over.without_best.iter_mut().zip(&mut over.without_best_overall);
        for (((own, node), (own_fixed, total_fixed)), (peers, overall)) in units.zip(places) {
            if own.len() < 2 || own.iter().all(|cell| cell.period != period) {
                continue;
            }
            let p = |mean: f64, variance: f64| prob_exceeds(mean, variance.max(0.0).sqrt(), threshold);
            let own = p(node.own, sigma2 * node.own_variance + own_fixed);
            let total = if is_nested { p(node.total, sigma2 * node.total_variance + total_fixed) } else { own };
            *peers = Some(peers.map_or(own, |p: f64| p.min(own)));
            *overall = Some(overall.map_or(total, |p: f64| p.min(total)));
        }
    }
}

fn persist(
    model: &Model,
    nodes: &[Node],
    cells: &Cells,
    fixed: &[Fixed],
    threshold: f64,
    spec: &BrightSpec,
    over: &mut Over,
) {
    let (spread, _) = model.spread();
    let sigma2 = spread.row;
    let phi = Phi::new();
    let needed = |m: usize| spec.min_periods.unwrap_or_else(|| usual(m));
    let is_asked = |m: usize| m >= 2 && needed(m) <= m;
    let is_nested = model.unit_level > 0;
    for (unit, ((node, own), (own_fixed, total_fixed))) in nodes.iter().zip(cells.by_unit()).zip(fixed).enumerate() {
        let known = Known {
            effect: node.own,
            variance: sigma2 * node.own_variance + own_fixed,
            total: node.total,
            total_variance: sigma2 * node.total_variance + total_fixed,
            // Within no group the two are one, what the fixed part adds included.
            covariance: sigma2 * node.covariance + if is_nested { 0.0 } else { *own_fixed },
        };
        over.rows.extend(own.iter().map(|cell| {
            let (effect, sd) = in_period(&known, cell, &spread);
            let prob_exceeds = phi.exceeds(effect, sd, threshold);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a count of rows
            let n = cell.n as usize;
            PeriodRow { unit, period: cell.period, n, effect, sd, prob_exceeds }
        }));
        if !is_asked(own.len()) {
            continue;
        }
        let k = needed(own.len());
        let peers = prob_at_least(k, &known, own, &spread, threshold);
        let total =
            Known { effect: known.total, variance: known.total_variance, covariance: known.total_variance, ..known };
        let all = if is_nested { prob_at_least(k, &total, own, &spread, threshold) } else { peers };
        for (cells, value) in [(&mut over.persists, peers), (&mut over.persists_overall, all)] {
            if let Some(cell) = cells.get_mut(unit) {
                *cell = Some(value);
            }
        }
    }
    let around: f64 = model.summary.variances.iter().take(model.unit_level).sum();
    let asked = || over.counts.iter().filter(|m| is_asked(**m)).map(|m| (needed(*m), *m));
    let of = |spread: f64| by_chance(asked(), spread.sqrt(), threshold);
    over.persistence = Some(Persistence {
        n_units: asked().count(),
        expected: over.persists.iter().flatten().sum(),
        by_chance: of(spread.unit + spread.period),
        expected_overall: over.persists_overall.iter().flatten().sum(),
        by_chance_overall: of(around + spread.unit + spread.period),
    });
}
