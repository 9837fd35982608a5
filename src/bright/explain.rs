//! A unit in plain words, with the numbers beside them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Finding};
use super::spots::{BrightSpots, UnitRow};
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
    /// Plain sentences, to be read one after the other.
    pub sentences: Vec<String>,
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
            sentences: self.sentences(unit),
        })
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
            format!("; about {}% of the candidates are expected to be false", (100.0 * s).round())
        });
        match answer.finding {
            Finding::Bright => format!("Candidate, and still ahead whichever period is left out{share}."),
            Finding::OnePeriod => format!("Candidate, but not without its best period{share}."),
            Finding::Promising => format!("Candidate; whether it lasts is not known{share}."),
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
