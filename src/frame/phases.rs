//! Where a chart starts anew, which points its centre lines rest on, and which way is better: read from a request.

use std::borrow::Cow;
use std::ops::Range;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::columns::labels;
use super::points::Points;
use super::time::{TimeValue, Times};
use crate::charts;
use crate::measure::Direction;
use crate::{Error, Result};

/// Which points make the centre line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Baseline {
    /// The first so many points of each phase.
    Count(usize),
    /// The points between two times, both inclusive.
    Dates(TimeValue, TimeValue),
    /// The points where a boolean column is true.
    Column(String),
}

/// Where a chart starts anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phases {
    /// After the n-th point, for each of these n.
    After(Vec<usize>),
    /// Names with the first time of each; what comes before is called "before".
    Starts(Vec<(String, TimeValue)>),
    /// Where the label in a column changes.
    Column(String),
}

/// The name of what comes before the first named phase.
const BEFORE: &str = "before";

/// The name of a phase, and its range among the points of its chart.
pub(super) type Split<'a> = (Cow<'a, str>, Range<usize>);

/// Where charts are split.
#[derive(Debug)]
pub(super) enum Splits {
    Whole,
    After(Vec<usize>),
    Starts(Vec<(String, i64)>),
    Labels(Vec<Option<String>>),
}

impl Splits {
    pub(super) fn new(df: &DataFrame, phases: Option<&Phases>, times: &Times) -> Result<Self> {
        match phases {
            None => Ok(Self::Whole),
            Some(Phases::Column(name)) => Ok(Self::Labels(labels(df, name)?)),
            Some(Phases::After(counts)) => {
                if counts.first().is_none_or(|&first| first == 0) || !counts.is_sorted_by(|a, b| a < b) {
                    return Err(Error::option(
                        "phases",
                        format!("{counts:?}"),
                        "counts of points, 1 or more, each larger than the one before",
                    ));
                }
                Ok(Self::After(counts.clone()))
            }
            Some(Phases::Starts(starts)) => {
                if starts.is_empty() {
                    return Err(Error::option("phases", "{}", "a mapping of at least one name to its first time"));
                }
                let mut keyed: Vec<(String, i64)> = vec![];
                for (name, start) in starts {
                    let key = times.key("phases", start)?;
                    // A mistyped year would otherwise pass unseen.
                    if let Some((first, last)) = times.span().filter(|&(first, last)| key < first || key > last) {
                        return Err(Error::option(
                            "phases",
                            format!("{{{name:?}: {start}}}"),
                            format!(
                                "between the first time of the data ({}) and the last ({})",
                                times.describe(first),
                                times.describe(last)
                            ),
                        ));
                    }
                    keyed.push((name.clone(), key));
                }
                keyed.sort_by_key(|(_, key)| *key);
                if keyed.windows(2).any(|pair| matches!(pair, [a, b] if a.1 == b.1)) {
                    return Err(Error::option("phases", format!("{starts:?}"), "names with different first times"));
                }
                Ok(Self::Starts(keyed))
            }
        }
    }

    /// A count beyond every chart would make a phase that no point falls in.
    pub(super) fn check(&self, points: &Points) -> Result<()> {
        let longest = points.charts.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
        match self {
            Self::After(counts) if longest > 0 && counts.last().is_some_and(|&last| last >= longest) => {
                Err(Error::option(
                    "phases",
                    format!("{counts:?}"),
                    format!("less than the number of points: the longest chart has {longest}"),
                ))
            }
            _ => Ok(()),
        }
    }

    /// The phases of one chart: names and ranges of its points, none empty.
    pub(super) fn put<'a>(&'a self, points: &Points, rows: Range<usize>, phases: &mut Vec<Split<'a>>) {
        phases.clear();
        let n = rows.len();
        match self {
            Self::Whole => phases.push((Cow::Borrowed("1"), 0..n)),
            Self::After(counts) => {
                let starts = std::iter::once(0).chain(counts.iter().copied());
                let ends = counts.iter().copied().chain([n]);
                phases.extend(
                    (1..)
                        .zip(starts.zip(ends))
                        .map(|(i, (start, end))| (Cow::Owned(format!("{i}")), start.min(n)..end.min(n)))
                        .filter(|(_, r)| !r.is_empty()),
                );
            }
            Self::Starts(starts) => {
                let keys = points.keys(rows);
                let at = |key: i64| keys.partition_point(|&k| k < key);
                let names = std::iter::once(BEFORE).chain(starts.iter().map(|(name, _)| name.as_str()));
                let from = std::iter::once(0).chain(starts.iter().map(|(_, key)| at(*key)));
                let to = starts.iter().map(|(_, key)| at(*key)).chain([n]);
                phases.extend(
                    names
                        .zip(from.zip(to))
                        .map(|(name, (start, end))| (Cow::Borrowed(name), start..end))
                        .filter(|(_, r)| !r.is_empty()),
                );
            }
            Self::Labels(labels) => {
                let label = |point: usize| {
                    let row = points.row.get(rows.start + point).map_or(usize::MAX, |&row| row as usize);
                    labels.get(row).and_then(Option::as_deref).unwrap_or("(none)")
                };
                let mut current = "";
                for point in 0..n {
                    let name = label(point);
                    match phases.last_mut() {
                        Some((_, range)) if current == name => range.end = point + 1,
                        _ => {
                            // A label that comes back is a phase of its own.
                            let earlier = phases
                                .iter()
                                .filter(|(old, _)| old == name || old.starts_with(&format!("{name} (")))
                                .count();
                            let unique = if earlier == 0 {
                                Cow::Borrowed(name)
                            } else {
                                Cow::Owned(format!("{name} ({})", earlier + 1))
                            };
                            phases.push((unique, point..point + 1));
                        }
                    }
                    current = name;
                }
            }
        }
    }

    /// Whether a chart has no point in one of the phases that were named.
    pub(super) fn lacks_a_phase(&self, split: &[Split<'_>]) -> bool {
        match self {
            Self::Whole | Self::Labels(_) => false,
            Self::After(counts) => split.len() <= counts.len(),
            Self::Starts(starts) => starts.iter().any(|(name, _)| !split.iter().any(|(there, _)| there == name)),
        }
    }
}

/// Which points the centre lines rest on.
#[derive(Debug)]
pub(super) enum BaselineRule {
    All,
    Count(usize),
    Keys(i64, i64),
    Column,
}

impl BaselineRule {
    pub(super) fn new(baseline: Option<&Baseline>, times: &Times) -> Result<Self> {
        match baseline {
            None => Ok(Self::All),
            Some(Baseline::Count(0)) => Err(Error::option("baseline", 0, "at least 1 point")),
            Some(Baseline::Count(count)) => Ok(Self::Count(*count)),
            Some(Baseline::Column(_)) => Ok(Self::Column),
            Some(Baseline::Dates(from, to)) => {
                let (first, last) = (times.key("baseline", from)?, times.last_key("baseline", to)?);
                let given = format!("({from}, {to})");
                if first > last {
                    return Err(Error::option("baseline", given, "(from, to) with from not after to"));
                }
                if let Some((start, end)) = times.span().filter(|&(start, end)| last < start || first > end) {
                    return Err(Error::option(
                        "baseline",
                        given,
                        format!(
                            "a window that overlaps the data, which go from {} to {}",
                            times.describe(start),
                            times.describe(end)
                        ),
                    ));
                }
                Ok(Self::Keys(first, last))
            }
        }
    }

    /// One flag a point of the chart; empty where the rule needs none.
    pub(super) fn flags(&self, points: &Points, rows: Range<usize>) -> Vec<bool> {
        match self {
            Self::All | Self::Count(_) => vec![],
            Self::Keys(first, last) => points.keys(rows).iter().map(|key| (first..=last).contains(&key)).collect(),
            Self::Column => points.is_baseline.get(rows).unwrap_or(&[]).to_vec(),
        }
    }

    /// The phases as the chart takes them. A phase that the baseline does not touch, in a chart that has one, rests on all
    /// of its points: it starts anew.
    pub(super) fn phases<'a>(
        &self,
        ranges: impl Iterator<Item = Range<usize>>,
        flags: &'a [bool],
    ) -> Vec<charts::Phase<'a>> {
        let has_any = flags.iter().any(|&flag| flag);
        ranges
            .map(|range| {
                let baseline = match self {
                    Self::All => charts::Baseline::All,
                    Self::Count(count) => charts::Baseline::First(*count),
                    Self::Keys(..) | Self::Column => {
                        let own = flags.get(range.clone()).unwrap_or(&[]);
                        if has_any && !own.contains(&true) {
                            charts::Baseline::All
                        } else {
                            charts::Baseline::Rows(own)
                        }
                    }
                };
                charts::Phase::new(range, baseline)
            })
            .collect()
    }
}

/// Which way is better, chart by chart.
#[derive(Debug)]
pub(super) enum Directions {
    All(Direction),
    Rows { name: String, words: Vec<Option<String>> },
}

impl Directions {
    pub(super) fn new(df: &DataFrame, direction: &str) -> Result<Self> {
        match direction.parse() {
            Ok(direction) => Ok(Self::All(direction)),
            Err(_) if df.get_column_index(direction).is_some() => {
                Ok(Self::Rows { name: direction.into(), words: labels(df, direction)? })
            }
            Err(_) => Err(Error::option(
                "direction",
                format!("{direction:?}"),
                format!("{} or the name of a column that holds them", Direction::WORDS),
            )),
        }
    }

    pub(super) fn of(&self, points: &Points, rows: Range<usize>) -> Result<Direction> {
        let (name, words) = match self {
            Self::All(direction) => return Ok(*direction),
            Self::Rows { name, words } => (name, words),
        };
        let mut found: Option<&str> = None;
        for &row in points.row.get(rows).unwrap_or(&[]) {
            let word = words.get(row as usize).and_then(Option::as_deref).unwrap_or("null");
            if found.is_some_and(|earlier| earlier != word) {
                return Err(Error::InvalidValue {
                    what: format!("column {name:?}"),
                    found: format!("{:?} and {word:?} within one chart", found.unwrap_or_default()),
                    remedy: "give each chart one direction, or tell the charts apart with `by`".into(),
                });
            }
            found = Some(word);
        }
        found.map_or(Ok(Direction::default()), str::parse)
    }
}
