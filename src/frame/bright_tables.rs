//! The tables of bright spots.

use polars::prelude::*;

use super::build::{counts, flags, numbers, texts};
use super::factors::Codes;
use crate::Result;
use crate::bright::{Answer, BrightSpots, Check, GuardAnswer, PeriodRow, UnitRow};

/// The columns that name units, groups and periods.
pub(super) struct Keys<'a> {
    pub(super) within: &'a [Codes],
    pub(super) unit: &'a Codes,
    pub(super) period: Option<&'a Codes>,
}

/// The columns that the tables add; a column of units or groups may not bear one of their names.
pub(super) const RESERVED: &[&str] = &[
    "n",
    "n_periods",
    "raw",
    "effect",
    "sd",
    "reliability",
    "lo",
    "hi",
    "effect_overall",
    "sd_overall",
    "reliability_overall",
    "lo_overall",
    "hi_overall",
    "prob_exceeds",
    "prob_exceeds_overall",
    "expected_percentile",
    "expected_percentile_overall",
    "q_value",
    "q_value_overall",
    "prob_top",
    "prob_top_overall",
    "effect_triple_goal",
    "effect_triple_goal_overall",
    "prob_without_best",
    "prob_without_best_overall",
    "prob_persists",
    "prob_persists_overall",
    "n_matched",
    "prob_above_peers",
    "prob_above_peers_overall",
    "has_min_n",
    "has_peers",
    "is_in_fdr_set",
    "has_prob",
    "is_consistent",
    "is_reliable",
    "is_persistent",
    "is_above_peers",
    "is_named_by_peers",
    "are_guards_kept",
    "is_candidate",
    "is_candidate_overall",
    "finding",
    "finding_overall",
    "matched_to",
    "distance",
    "weight",
    "p_value",
    "bh",
    "by",
    "storey",
    "prob_normal",
    "prob_ash",
    "prob_smooth",
    "lfdr",
    "lfsr",
];

impl Keys<'_> {
    fn columns<'r>(&self, rows: impl Iterator<Item = &'r UnitRow> + Clone) -> Result<Vec<Column>> {
        let mut columns = vec![];
        for (position, codes) in self.within.iter().enumerate() {
            let mut column = codes.gather(rows.clone().map(|row| row.within.get(position).copied().unwrap_or(0)))?;
            column.rename(codes.name.as_str().into());
            columns.push(column);
        }
        let mut column = self.unit.gather(rows.map(|row| row.unit))?;
        column.rename(self.unit.name.as_str().into());
        columns.push(column);
        Ok(columns)
    }
}

type Number = fn(&Answer) -> Option<f64>;
type Flag = fn(&Answer) -> Option<bool>;

const OWN: [(&str, Number); 5] = [
    ("effect", |a| Some(a.effect)),
    ("sd", |a| Some(a.sd)),
    ("reliability", |a| Some(a.reliability)),
    ("lo", |a| Some(a.lo)),
    ("hi", |a| Some(a.hi)),
];
const BOTH: [(&str, Number); 8] = [
    ("prob_exceeds", |a| Some(a.prob_exceeds)),
    ("expected_percentile", |a| Some(a.expected_percentile)),
    ("q_value", |a| a.q_value),
    ("prob_top", |a| Some(a.prob_top)),
    ("effect_triple_goal", |a| Some(a.triple_goal)),
    ("prob_without_best", |a| a.prob_without_best),
    ("prob_persists", |a| a.prob_persists),
    ("prob_above_peers", |a| a.matched.map(|m| m.prob_above)),
];
const CRITERIA: [(&str, Flag); 8] = [
    ("is_in_fdr_set", |a| Some(a.is_in_fdr_set)),
    ("has_prob", |a| Some(a.has_prob)),
    ("is_consistent", |a| a.is_consistent),
    ("is_reliable", |a| Some(a.is_reliable)),
    ("is_persistent", |a| a.is_persistent),
    ("is_above_peers", |a| a.is_above_peers),
    ("is_named_by_peers", |a| a.is_named_by_peers),
    ("are_guards_kept", |a| a.are_guards_kept),
];

pub(super) fn units(spots: &BrightSpots, keys: &Keys) -> Result<DataFrame> {
    let rows = &spots.units;
    let mut columns = keys.columns(rows.iter())?;
    columns.push(counts("n", rows.iter().map(|row| Some(row.n))));
    columns.push(counts("n_periods", rows.iter().map(|row| row.n_periods)));
    columns.push(numbers("raw", rows.iter().map(|row| Some(row.raw))));
    columns.extend(OWN.iter().map(|(name, get)| numbers(name, rows.iter().map(|row| get(&row.peers)))));
    let overall = |name: &str| format!("{name}_overall");
    columns.extend(OWN.iter().map(|(name, get)| numbers(&overall(name), rows.iter().map(|row| get(&row.overall)))));
    for (name, get) in BOTH {
        columns.push(numbers(name, rows.iter().map(|row| get(&row.peers))));
        columns.push(numbers(&overall(name), rows.iter().map(|row| get(&row.overall))));
    }
    columns.push(counts("n_matched", rows.iter().map(|row| row.peers.matched.map(|m| m.n_peers))));
    for (position, guard) in spots.guards.iter().enumerate() {
        let answer = |row: &UnitRow| -> Option<GuardAnswer> { row.peers.guards.get(position).copied() };
        let name = format!("guard_{}", guard.name);
        columns.push(numbers(&format!("{name}_effect"), rows.iter().map(|row| answer(row)?.effect)));
        columns.push(numbers(&format!("{name}_prob"), rows.iter().map(|row| answer(row)?.prob_not_worse)));
        columns.push(texts(&name, rows.iter().map(|row| Some(answer(row)?.finding.as_str()))));
    }
    columns.push(flags("has_min_n", rows.iter().map(|row| Some(row.has_min_n))));
    columns.push(flags("has_peers", rows.iter().map(|row| Some(row.has_peers))));
    columns.extend(CRITERIA.iter().map(|(name, get)| flags(name, rows.iter().map(|row| get(&row.peers)))));
    columns.push(flags("is_candidate", rows.iter().map(|row| Some(row.peers.is_candidate))));
    columns.push(flags("is_candidate_overall", rows.iter().map(|row| Some(row.overall.is_candidate))));
    columns.push(texts("finding", rows.iter().map(|row| Some(row.peers.finding.as_str()))));
    columns.push(texts("finding_overall", rows.iter().map(|row| Some(row.overall.finding.as_str()))));
    Ok(DataFrame::new(rows.len(), columns)?)
}

pub(super) fn typical(spots: &BrightSpots, keys: &Keys) -> Result<DataFrame> {
    let pairs: Vec<(&UnitRow, &UnitRow)> = spots
        .typical
        .iter()
        .filter_map(|pair| Some((spots.units.get(pair.unit)?, spots.units.get(pair.matched_to)?)))
        .collect();
    let mut columns = keys.columns(pairs.iter().map(|(unit, _)| *unit))?;
    columns.push(counts("n", pairs.iter().map(|(unit, _)| Some(unit.n))));
    let mut matched = keys.unit.gather(pairs.iter().map(|(_, candidate)| candidate.unit))?;
    matched.rename("matched_to".into());
    columns.push(matched);
    Ok(DataFrame::new(pairs.len(), columns)?)
}

pub(super) fn periods(spots: &BrightSpots, keys: &Keys) -> Result<DataFrame> {
    let rows: Vec<(&PeriodRow, &UnitRow)> =
        spots.periods.iter().filter_map(|row| Some((row, spots.units.get(row.unit)?))).collect();
    let mut columns = keys.columns(rows.iter().map(|(_, unit)| *unit))?;
    if let Some(period) = keys.period {
        let mut column = period.gather(rows.iter().map(|(row, _)| row.period))?;
        column.rename(period.name.as_str().into());
        columns.push(column);
    }
    columns.push(counts("n", rows.iter().map(|(row, _)| Some(row.n))));
    columns.push(numbers("effect", rows.iter().map(|(row, _)| Some(row.effect))));
    columns.push(numbers("sd", rows.iter().map(|(row, _)| Some(row.sd))));
    columns.push(numbers("prob_exceeds", rows.iter().map(|(row, _)| Some(row.prob_exceeds))));
    Ok(DataFrame::new(rows.len(), columns)?)
}

pub(super) fn checks(spots: &BrightSpots, keys: &Keys) -> Result<DataFrame> {
    type Part = fn(&Check) -> Option<f64>;
    let mut columns = keys.columns(spots.units.iter())?;
    let all: [(&str, Part); 9] = [
        ("p_value", |c| c.p_value),
        ("bh", |c| c.bh),
        ("by", |c| c.by),
        ("storey", |c| c.storey),
        ("prob_normal", |c| c.prob_normal),
        ("prob_ash", |c| c.prob_ash),
        ("prob_smooth", |c| c.prob_smooth),
        ("lfdr", |c| c.lfdr),
        ("lfsr", |c| c.lfsr),
    ];
    columns.extend(all.iter().map(|(name, get)| numbers(name, spots.checks.iter().map(get))));
    Ok(DataFrame::new(spots.units.len(), columns)?)
}

pub(super) fn balance(spots: &BrightSpots) -> Result<DataFrame> {
    let rows = &spots.balance;
    let columns = vec![
        texts("condition", rows.iter().map(|row| Some(row.condition.as_str()))),
        numbers("candidates", rows.iter().map(|row| Some(row.candidates))),
        numbers("others", rows.iter().map(|row| Some(row.others))),
        numbers("difference", rows.iter().map(|row| Some(row.difference))),
        numbers("z", rows.iter().map(|row| Some(row.z))),
        numbers("p_value", rows.iter().map(|row| Some(row.p_value))),
        flags("is_easier", rows.iter().map(|row| row.is_easier)),
    ];
    Ok(DataFrame::new(rows.len(), columns)?)
}

pub(super) fn peers(spots: &BrightSpots, keys: &Keys, position: usize) -> Result<DataFrame> {
    let found = spots.peers(position)?;
    let rows: Vec<&UnitRow> = found.iter().filter_map(|peer| spots.units.get(peer.unit)).collect();
    let mut columns = keys.columns(rows.iter().copied())?;
    columns.push(counts("n", rows.iter().map(|row| Some(row.n))));
    columns.push(numbers("distance", found.iter().map(|peer| Some(peer.distance))));
    columns.push(numbers("weight", found.iter().map(|peer| Some(peer.weight))));
    let known: Vec<String> = columns.iter().map(|c| c.name().to_string()).collect();
    for condition in spots.conditions.iter().filter(|c| !known.contains(&c.name)) {
        columns.push(numbers(&condition.name, found.iter().map(|peer| condition.means.get(peer.unit).copied())));
    }
    Ok(DataFrame::new(rows.len(), columns)?)
}
