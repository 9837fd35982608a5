//! The weights that units share, pair by pair: the rows of C, and `Z_R`'W `Z_R`.

// Indices come from the pattern they were built with.
#![allow(clippy::indexing_slicing)]

use super::index;
use crate::mixed::criterion::Problem;
use crate::mixed::factor::{Lists, Pattern};
use crate::mixed::moments::summed;

/// The weights that the units of the eliminated factor share with those of R, row by row.
pub(super) fn shared_with_eliminated(problem: &Problem, part: Option<usize>, lines: &[Lists]) -> (Lists, Vec<f64>) {
    let Some(part) = part else { return (Lists { starts: vec![0], columns: vec![] }, vec![]) };
    let width = problem.width();
    let n = lines[part].len();
    let mut entries: Vec<(u32, u32, f64)> = Vec::new();
    for unit in 0..n {
        let weight = problem.parts[part].sums[unit * width];
        for &column in &lines[part].columns[lines[part].range(unit)] {
            entries.push((index(unit), column, weight));
        }
    }
    for pairs in problem.pairs.iter().filter(|p| p.first != p.second) {
        if pairs.first == part || pairs.second == part {
            let other = if pairs.first == part { pairs.second } else { pairs.first };
            for &(i, j, w) in &pairs.entries {
                let (unit, over) = if pairs.first == part { (i, j) } else { (j, i) };
                for &column in &lines[other].columns[lines[other].range(over as usize)] {
                    entries.push((unit, column, w));
                }
            }
        }
    }
    let entries = summed(entries);
    let mut lists = Lists { starts: vec![0], columns: entries.iter().map(|e| e.1).collect() };
    let mut at = 0;
    for unit in 0..n {
        while entries.get(at).is_some_and(|e| e.0 as usize == unit) {
            at += 1;
        }
        lists.starts.push(at);
    }
    (lists, entries.iter().map(|e| e.2).collect())
}

/// The lower triangle of `Z_R`'W `Z_R`.
pub(super) fn base(problem: &Problem, lines: &[Lists], q: usize) -> (Pattern, Vec<f64>) {
    let width = problem.width();
    // Column first, so that sorting brings the columns together.
    let mut entries: Vec<(u32, u32, f64)> = Vec::new();
    for (k, part) in problem.parts.iter().enumerate().filter(|(_, p)| !p.is_membership) {
        for unit in 0..lines[k].len() {
            let weight = part.sums[unit * width];
            let line = &lines[k].columns[lines[k].range(unit)];
            for (place, &j) in line.iter().enumerate() {
                entries.extend(line[place..].iter().map(|&i| (j, i, weight)));
            }
        }
    }
    for pairs in problem.pairs {
        for &(first, second, w) in &pairs.entries {
            for &a in &lines[pairs.first].columns[lines[pairs.first].range(first as usize)] {
                for &b in &lines[pairs.second].columns[lines[pairs.second].range(second as usize)] {
                    entries.push((a.min(b), a.max(b), w));
                }
            }
        }
    }
    let entries = summed(entries);
    let mut pattern = Pattern { starts: vec![0], rows: entries.iter().map(|e| e.1 as usize).collect() };
    let mut at = 0;
    for column in 0..q {
        while entries.get(at).is_some_and(|e| e.0 as usize == column) {
            at += 1;
        }
        pattern.starts.push(at);
    }
    (pattern, entries.iter().map(|e| e.2).collect())
}
