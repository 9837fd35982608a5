//! How the grouping factors of a request stand to each other.

use super::factors::Codes;
use super::mixed::Membership;
use crate::{Error, Result};

/// Factors nested in each other, outermost first.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    /// Which of the columns they are.
    pub(super) columns: Vec<usize>,
    /// What they are called.
    pub(super) names: Vec<String>,
    /// Whether it was given as a path ("school/teacher"): then a level is told by all columns down to it.
    pub(super) is_path: bool,
}

/// "a/b/c" is three factors: a, a/b and a/b/c. Returns the columns, and a chain for every term.
pub(super) fn chains(random: &[String], members: &[Membership]) -> Result<(Vec<String>, Vec<Chain>)> {
    let mut columns: Vec<String> = vec![];
    let mut chains: Vec<Chain> = vec![];
    for term in random {
        let parts: Vec<&str> = term.split('/').map(str::trim).collect();
        if parts.iter().any(|part| part.is_empty()) {
            return Err(Error::option(
                "random",
                format!("{random:?}"),
                "a nested term such as \"school/teacher\", or a plain column name",
            ));
        }
        let mut chain = Chain { columns: vec![], names: vec![], is_path: parts.len() > 1 };
        for part in parts {
            if columns.iter().any(|column| column == part) {
                return Err(Error::option("random", format!("{random:?}"), "made of different columns"));
            }
            let name = chain.names.last().map_or_else(|| part.to_owned(), |outer| format!("{outer}/{part}"));
            chain.columns.push(columns.len());
            chain.names.push(name);
            columns.push(part.to_owned());
        }
        chains.push(chain);
    }
    let names: Vec<&String> = chains.iter().flat_map(|c| &c.names).chain(members.iter().map(|m| &m.name)).collect();
    for (place, name) in names.iter().enumerate() {
        if names.iter().take(place).any(|earlier| earlier == name) {
            return Err(Error::option("members", format!("{name:?}"), "a name that no other factor has"));
        }
    }
    Ok((columns, chains))
}

/// Plain columns whose labels say that they are nested become one chain, coarser first; the others stay as they are.
pub(super) fn nested_by_labels(codes: &[Codes], chains: Vec<Chain>) -> Vec<Chain> {
    let size = |column: usize| codes.get(column).map_or(0, |c| c.keys.len());
    let holds = |outer: &Chain, inner: usize| outer.columns.iter().all(|&o| is_nested(codes, o, inner));
    let (mut found, mut plain): (Vec<Chain>, Vec<Chain>) = chains.into_iter().partition(|c| c.is_path);
    plain.sort_by_key(|c| c.columns.first().map_or(0, |&c| size(c)));
    for chain in plain {
        let Some(&column) = chain.columns.first() else { continue };
        // In the finest of those that hold it.
        let place = (0..found.len())
            .filter(|&k| found.get(k).is_some_and(|c| holds(c, column)))
            .max_by_key(|&k| found.get(k).and_then(|c| c.columns.last()).map_or(0, |&c| size(c)));
        match place.and_then(|k| found.get_mut(k)) {
            // A path goes on only where its own labels are told by all columns.
            Some(outer) if !outer.is_path => {
                outer.columns.extend(chain.columns);
                outer.names.extend(chain.names);
            }
            _ => found.push(chain),
        }
    }
    // In the order in which their first columns were given.
    found.sort_by_key(|c| c.columns.iter().min().copied());
    found
}

fn is_nested(codes: &[Codes], outer: usize, inner: usize) -> bool {
    let (Some(outer), Some(inner)) = (codes.get(outer), codes.get(inner)) else { return false };
    let mut parent: Vec<Option<u32>> = vec![None; inner.keys.len()];
    outer.of_row.iter().zip(&inner.of_row).all(|(&outer, &inner)| match parent.get_mut(inner as usize) {
        Some(slot) => *slot.get_or_insert(outer) == outer,
        None => true,
    })
}
