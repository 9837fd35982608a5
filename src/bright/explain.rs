//! A unit in plain words, with the numbers beside them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Finding};
use super::guards::GuardFinding;
use super::persistence::usual;
use super::result::{BrightSpots, UnitRow};
use super::spec::{ABOVE_PEERS_PROB, CONSISTENT_PROB, PERSISTENT_PROB, RELIABLE};
use crate::Result;
use crate::note::brief;

/// What is found about one unit, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Explanation {
    /// The unit's label.
    pub label: String,
    /// Rows.
    pub n: usize,
    /// Against whom the finding is: the name of the innermost group, or `None` for all units.
    pub within: Option<String>,
    /// The finding.
    pub finding: Finding,
    /// The answer behind the finding; `None` for a suppressed unit, of which no number is told.
    pub answer: Option<Answer>,
    /// The answer against all units, where the finding is against peers in a group.
    pub overall: Option<Answer>,
    /// The effect worth learning from.
    pub threshold: f64,
    /// The expected share of false ones among all candidates, where the unit is one.
    pub false_share: Option<f64>,
    /// Every criterion, with the number behind it; empty for a suppressed unit.
    pub criteria: Vec<Criterion>,
    /// Plain sentences, to be read one after the other.
    pub sentences: Vec<String>,
}

/// One line of the audit trail: what was asked of a unit, the number, and the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Criterion {
    /// The column, as in the table of units.
    pub name: String,
    /// What is asked, in words.
    pub asks: String,
    /// Whether it is met; `None` where it cannot be asked.
    pub is_met: Option<bool>,
    /// The number behind the answer.
    pub value: Option<f64>,
    /// What it is held against.
    pub bar: Option<f64>,
    /// Whether a candidate must meet it; the others refine the finding.
    pub is_gate: bool,
}

impl Explanation {
    /// The sentences as one text.
    pub fn text(&self) -> String {
        self.sentences.join(" ")
    }
}

impl BrightSpots {
    /// Explains what is found about a unit, by its position in `units`.
    ///
    /// # Errors
    /// [`crate::Error::InvalidOption`] when there is no such unit.
    pub fn explain(&self, position: usize) -> Result<Explanation> {
        let unit = self.unit(position)?;
        let is_told = unit.peers.finding != Finding::Suppressed;
        let within = self.within_names.last().cloned();
        Ok(Explanation {
            label: unit.label.clone(),
            n: unit.n,
            finding: unit.peers.finding,
            answer: is_told.then(|| unit.peers.clone()),
            overall: (is_told && within.is_some()).then(|| unit.overall.clone()),
            within,
            threshold: self.threshold,
            false_share: if unit.peers.is_candidate { self.false_share } else { None },
            criteria: if is_told { self.criteria(unit) } else { Vec::new() },
            sentences: self.sentences(unit),
        })
    }

    /// Every criterion of the finding, whether it is met, and the number behind it.
    fn criteria(&self, unit: &UnitRow) -> Vec<Criterion> {
        let (a, spec) = (&unit.peers, &self.spec);
        let rows = &spec.words.rows;
        let line =
            |name: &str, asks: String, is_met: Option<bool>, value: Option<f64>, bar: Option<f64>, is_gate: bool| {
                Criterion { name: name.into(), asks, is_met, value, bar, is_gate }
            };
        let worth = format!("{} {}", brief(self.threshold), spec.words.values);
        let mut found = vec![
            line(
                "has_min_n",
                format!("enough {rows}"),
                Some(unit.has_min_n),
                Some(unit.n as f64),
                Some(spec.min_n as f64),
                true,
            ),
            line("has_peers", "at least 3 units in the group".into(), Some(unit.has_peers), None, None, true),
            line(
                "has_prob",
                format!("probably ahead by more than {worth}"),
                Some(a.has_prob),
                Some(a.prob_exceeds),
                Some(spec.min_prob),
                true,
            ),
            line(
                "is_in_fdr_set",
                "in the set with few false ones".into(),
                Some(a.is_in_fdr_set),
                a.q_value,
                Some(spec.fdr),
                true,
            ),
            line(
                "is_consistent",
                "still ahead without its best period".into(),
                a.is_consistent,
                a.prob_without_best,
                Some(CONSISTENT_PROB),
                true,
            ),
        ];
        for (guard, answer) in self.guards.iter().zip(&a.guards) {
            let asks = format!("{} not worse by more than {}", noun(&guard.name), brief(guard.margin));
            let name = format!("guard_{}", guard.name);
            found.push(line(&name, asks, Some(answer.is_kept), answer.prob_not_worse, Some(spec.min_guard_prob), true));
        }
        found.extend([
            line(
                "is_persistent",
                "ahead by as much in most of its periods".into(),
                a.is_persistent,
                a.prob_persists,
                Some(PERSISTENT_PROB),
                false,
            ),
            line(
                "is_above_peers",
                "above the units under the most similar conditions".into(),
                a.is_above_peers,
                a.matched.map(|m| m.prob_above),
                Some(ABOVE_PEERS_PROB),
                false,
            ),
            line(
                "is_reliable",
                "half of what is seen is signal".into(),
                Some(a.is_reliable),
                Some(a.reliability),
                Some(RELIABLE),
                false,
            ),
        ]);
        found
    }

    /// What else is known of a unit that the question is asked of: whether it lasts, its peers, its guards.
    fn further(&self, unit: &UnitRow, answer: &Answer) -> Vec<String> {
        let mut told = Vec::new();
        if let (Some(p), Some(m)) = (answer.prob_persists, unit.n_periods) {
            let k = self.spec.min_periods.unwrap_or_else(|| usual(m));
            let most = if k >= m { "each".into() } else { format!("{k} or more") };
            told.push(format!(
                "The probability that it is ahead by as much in {most} of its {m} periods is {}.",
                probability(p)
            ));
        }
        if let Some(matched) = answer.matched {
            told.push(format!(
                "It is above the {} units under the most similar conditions with probability {}.",
                matched.n_peers,
                probability(matched.prob_above)
            ));
        }
        for (guard, own) in self.guards.iter().zip(&answer.guards) {
            let name = noun(&guard.name);
            told.push(match (own.finding, own.prob_not_worse) {
                (GuardFinding::Harmed, _) => format!("Its {name} is worse than that of comparable units."),
                (GuardFinding::NotWorse, Some(p)) => {
                    format!(
                        "Its {name} is not worse by more than {} (probability {}).",
                        brief(guard.margin),
                        probability(p)
                    )
                }
                (_, Some(p)) => format!(
                    "Whether its {name} is worse by more than {} cannot be told (probability that it is not: {}).",
                    brief(guard.margin),
                    probability(p)
                ),
                (_, None) => format!("Nothing is known of its {name}."),
            });
        }
        told
    }

    fn sentences(&self, unit: &UnitRow) -> Vec<String> {
        let words = &self.spec.words;
        if !unit.has_min_n {
            return vec![format!(
                "{}: fewer than {} {}, too few to judge. Nothing is said about it.",
                unit.label, self.spec.min_n, words.rows
            )];
        }
        let mut sentences = vec![format!("{}: {} {}{}.", unit.label, unit.n, words.rows, over_periods(unit))];
        if !unit.has_peers && !self.within_names.is_empty() {
            sentences.push(format!(
                "Its {} has too few units to compare it with; against all units: {}.",
                self.within_names.last().map_or_else(|| "group".to_owned(), |name| noun(name)),
                self.estimate(&unit.overall, "all comparable units")
            ));
            if unit.overall.is_candidate {
                sentences.push("It is a candidate against all units.".into());
            }
            return sentences;
        }
        let answer = &unit.peers;
        let peers = match self.within_names.last() {
            Some(group) => format!("comparable units in the same {}", noun(group)),
            None => "comparable units".into(),
        };
        sentences.push(format!("{}{}.", self.adjusted(), self.estimate(answer, &peers)));
        sentences.push(format!(
            "The probability that it is ahead by more than {} {} is {}.",
            brief(self.threshold),
            words.values,
            probability(answer.prob_exceeds)
        ));
        sentences.extend(self.further(unit, answer));
        sentences.push(self.verdict(answer));
        sentences
    }

    fn adjusted(&self) -> String {
        let names: Vec<String> = self.adjusted_for.iter().map(|name| noun(name)).collect();
        match names.split_last() {
            None => "Nothing is adjusted for; the estimate is ".into(),
            Some((last, [])) => format!("After adjusting for {last}, the estimate is "),
            Some((last, others)) => format!("After adjusting for {} and {last}, the estimate is ", others.join(", ")),
        }
    }

    fn estimate(&self, answer: &Answer, peers: &str) -> String {
        let side = if answer.effect < 0.0 { "below" } else { "above" };
        format!(
            "{} {} {side} {peers} (95% interval {} to {})",
            brief(answer.effect.abs()),
            self.spec.words.values,
            brief(answer.lo),
            brief(answer.hi)
        )
    }

    fn verdict(&self, answer: &Answer) -> String {
        let share = self.false_share.map_or(String::new(), |s| {
            let share = if s < 0.005 { "fewer than 1".into() } else { format!("about {}", (100.0 * s).round()) };
            format!("; {share}% of the candidates are expected to be false")
        });
        match answer.finding {
            Finding::Bright => format!("Candidate, and still ahead whichever period is left out{share}."),
            Finding::OnePeriod => "Ahead, but not without its best period: no candidate.".into(),
            Finding::Promising => format!("Candidate; whether it lasts is not known{share}."),
            Finding::NotDistinguishable if answer.are_guards_kept == Some(false) && answer.has_prob => {
                "Ahead, but not at no cost: a guard is not kept, so it is no candidate.".into()
            }
            Finding::NotDistinguishable => {
                "These data do not tell it from ordinary units, which does not show that it is one.".into()
            }
            Finding::Suppressed => String::new(),
        }
    }
}

/// A column's name as a word in a sentence: "`school_id`" is a school, "`class_type`" a class type.
fn noun(column: &str) -> String {
    column.strip_suffix("_id").unwrap_or(column).replace('_', " ")
}

fn over_periods(unit: &UnitRow) -> String {
    match unit.n_periods {
        Some(1) => " in one period".into(),
        Some(n) => format!(" over {n} periods"),
        None => String::new(),
    }
}

/// Two decimals, and never a certainty.
fn probability(p: f64) -> String {
    if p > 0.99 {
        "more than .99".into()
    } else if p < 0.01 {
        "less than .01".into()
    } else {
        format!("{p:.2}").trim_start_matches('0').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::probability;

    #[test]
    fn no_certainty() {
        assert_eq!(probability(1.0), "more than .99");
        assert_eq!(probability(0.0), "less than .01");
        assert_eq!(probability(0.956), ".96");
    }
}
