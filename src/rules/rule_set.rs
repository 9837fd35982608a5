//! Rule sets: lists of rules with a name, given by name or as data, alone or together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rule::{Rule, Ties, invalid};
use super::tables::RuleTables;
use crate::stats::runs::RunLimits;
use crate::{Error, Result};

/// A set of rules by which the points of a chart are judged.
///
/// ```
/// use brightspot::rules::{Line, RuleSet, RuleTables, Signals};
/// use brightspot::stats::runs::Side;
///
/// let own: RuleSet = serde_json::from_str(
///     r#"{"name": "ours", "rules": [{"rule": "shift", "length": 6}, {"rule": "trend", "length": 5, "flags": "completing"}]}"#,
/// ).unwrap();
/// own.validate()?;
///
/// let value = [2.0, 1.0, 3.0, 5.0, 6.0, 7.0, 9.0, 5.0, 6.0, 5.0];
/// let side = value.map(|value| Side::of(value, 4.0));
/// let line = Line { value: &value, side: &side, z: &[f64::NAN; 10], beyond: &[Side::On; 10] };
/// let mut signals = [Signals::NONE; 10];
/// let found = own.judge(&line, &mut signals, &mut RuleTables::default())?;
/// assert_eq!(found.codes().collect::<Vec<_>>(), ["shift", "trend"]);
/// assert!(signals[2].is_empty());
/// assert_eq!(signals[5].codes().collect::<Vec<_>>(), ["shift", "trend"]);
/// # Ok::<(), brightspot::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    /// What the set is called.
    pub name: String,
    /// The rules; each adds its signals.
    pub rules: Vec<Rule>,
}

impl RuleSet {
    /// The set of a name; see [`RuleSet::NAMES`].
    ///
    /// # Errors
    /// [`Error::InvalidOption`] with the names there are.
    ///
    /// ```
    /// use brightspot::rules::RuleSet;
    /// assert_eq!(RuleSet::named("nelson")?.rules.len(), 8);
    /// assert_eq!(
    ///     RuleSet::named("wester").unwrap_err().to_string(),
    ///     "rules = \"wester\" is not possible: it must be one of \"anhoej\", \"best_box\", \"cut_box\", \"ihi\", \"nhs\", \
    ///      \"shewhart\", \"western_electric\", \"nelson\""
    /// );
    /// # Ok::<(), brightspot::Error>(())
    /// ```
    pub fn named(name: &str) -> Result<Self> {
        let rules = super::named::rules_of(name).ok_or_else(|| {
            let names: Vec<String> = Self::NAMES.iter().map(|name| format!("{name:?}")).collect();
            Error::option("rules", format!("{name:?}"), format!("one of {}", names.join(", ")))
        })?;
        Ok(Self { name: name.to_owned(), rules })
    }

    /// Several sets as one: every rule of each, a rule that is in several once. The name joins theirs.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`] if there is no set, or if one of them is not valid.
    ///
    /// ```
    /// use brightspot::rules::RuleSet;
    /// let both = RuleSet::union(&[RuleSet::named("anhoej")?, RuleSet::named("shewhart")?])?;
    /// assert_eq!((both.name.as_str(), both.rules.len()), ("anhoej + shewhart", 3));
    /// # Ok::<(), brightspot::Error>(())
    /// ```
    pub fn union(sets: &[Self]) -> Result<Self> {
        let mut rules: Vec<Rule> = Vec::new();
        for set in sets {
            set.validate()?;
            for rule in &set.rules {
                if !rules.contains(rule) {
                    rules.push(*rule);
                }
            }
        }
        let names: Vec<&str> = sets.iter().map(|set| set.name.as_str()).collect();
        let all = Self { name: names.join(" + "), rules };
        all.validate()?;
        Ok(all)
    }

    /// Checks the set's own rules: it has a name and at least one rule, no rule twice, and lengths, counts, sigmas and
    /// probabilities that can be.
    ///
    /// # Errors
    /// [`Error::InvalidRecord`] with the path of the field, such as `rules[2].length`.
    pub fn validate(&self) -> Result<()> {
        if self.name.trim().is_empty() {
            return Err(invalid("", "name", "must not be empty"));
        }
        if self.rules.is_empty() {
            return Err(invalid("", "rules", "must hold at least one rule"));
        }
        for (i, rule) in self.rules.iter().enumerate() {
            let path = format!("rules[{i}]");
            rule.validate(&path)?;
            if let Some(first) = self.rules.iter().take(i).position(|other| other == rule) {
                return Err(invalid(&path, "", &format!("is the same as rules[{first}]; leave one of them out")));
            }
        }
        Ok(())
    }

    /// Whether a rule looks at the limits or at sigma: without them it finds nothing.
    pub fn needs_limits(&self) -> bool {
        self.rules.iter().any(Rule::needs_limits)
    }

    /// Whether every rule can judge a series of so many points that are not on the centre line: the boxes are computed up
    /// to [`crate::stats::runs::MAX_BOX`] points. A rule that cannot finds nothing, and a chart has to say so with the
    /// note `rules_not_applicable`.
    pub fn is_applicable(&self, n_useful: usize) -> bool {
        n_useful <= crate::stats::runs::MAX_BOX
            || !self.rules.iter().any(|rule| matches!(rule, Rule::BestBox {} | Rule::CutBox {}))
    }

    /// The longest run and the fewest crossings that are no signal by any rule of the set that looks at them, points on
    /// the centre line being passed over.
    ///
    /// A shift of `length` points allows a run of `length` - 1 where it skips points on the line; too few runs are too few
    /// crossings, of which there are one less. A limit that no rule of the set sets is what there can be at most: a run of
    /// all points, or no crossing.
    ///
    /// None without such a rule, for no points, and where a rule is not applicable.
    ///
    /// ```
    /// use brightspot::rules::{RuleSet, RuleTables, RunLimits};
    /// let limits = RuleSet::named("ihi")?.run_limits(20, &mut RuleTables::default());
    /// assert_eq!(limits, Some(RunLimits::new(5, 6)));
    /// # Ok::<(), brightspot::Error>(())
    /// ```
    pub fn run_limits(&self, n_useful: usize, tables: &mut RuleTables) -> Option<RunLimits> {
        const ANY: usize = usize::MAX;
        if n_useful == 0 || !self.is_applicable(n_useful) {
            return None;
        }
        let limits = self.rules.iter().filter_map(|rule| match *rule {
            Rule::LongestRun {} => Some(RunLimits::new(tables.anhoej(n_useful).longest_run_max, 0)),
            Rule::FewCrossings {} => Some(RunLimits::new(ANY, tables.anhoej(n_useful).n_crossings_min)),
            Rule::BestBox {} => tables.best_box(n_useful),
            Rule::CutBox {} => tables.cut_box(n_useful),
            Rule::FewRuns { prob } => Some(RunLimits::new(ANY, tables.n_runs(n_useful, prob).0.saturating_sub(1))),
            Rule::Shift { length, on_center: Ties::Skip, .. } => Some(RunLimits::new(length.saturating_sub(1), 0)),
            _ => None,
        });
        let limits = limits.reduce(RunLimits::and)?;
        Some(if limits.longest_run_max == ANY { RunLimits { longest_run_max: n_useful, ..limits } } else { limits })
    }
}

impl std::str::FromStr for RuleSet {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::named(name)
    }
}

impl Default for RuleSet {
    /// Anhøj's rules.
    fn default() -> Self {
        super::named::anhoej()
    }
}
