//! The moments of two parts are those of the whole.

use super::Moments;
use super::block::Block;
use super::pairs::{Pairs, merged};
use crate::mixed::rows::GroupSums;
use crate::{Error, Result};

impl Moments {
    /// The moments of both parts together.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] when the parts have other terms or factors, or only one has labels.
    pub fn merge(&self, other: &Self) -> Result<Self> {
        let shape = |m: &Self| m.blocks.iter().map(|b| (b.levels.len(), b.is_membership)).collect::<Vec<_>>();
        let names = |m: &Self| m.labels.iter().map(|l| (l.factor.clone(), l.kind.clone())).collect::<Vec<_>>();
        if self.outcome != other.outcome
            || self.terms != other.terms
            || shape(self) != shape(other)
            || names(self) != names(other)
        {
            let told = |m: &Self| format!("{:?} by {:?} with factors {:?}", m.outcome, m.terms, names(m));
            return Err(Error::InvalidValue {
                what: "moments to be merged".into(),
                found: format!("{} and {}", told(self), told(other)),
                remedy: "give both parts the same covariates, levels and factors".into(),
            });
        }
        let (first, second) = self.with_shared_labels(other);
        let weight = |m: &Self| m.gram.first().copied().unwrap_or(0.0);
        let (n, m) = (weight(self), weight(other));
        let shift: Vec<f64> = self.shift.iter().zip(&other.shift).map(|(a, b)| (a * n + b * m) / (n + m)).collect();
        let (first, second) = (first.shifted(&shift), second.shifted(&shift));
        let gram = first.gram.iter().zip(&second.gram).map(|(a, b)| a + b).collect();
        let width = self.width();
        let mut blocks = Vec::new();
        let mut places = Vec::new();
        for (a, b) in first.blocks.iter().zip(&second.blocks) {
            let paths = [a.paths(), b.paths()].concat();
            let n = |block: &Block| block.levels.last().map(|l| l.n.clone()).unwrap_or_default();
            let sums = [a.sums.as_slice(), &b.sums].concat();
            let totals = GroupSums::of_sums(width, sums, [n(a), n(b)].concat());
            let (block, place) = Block::assemble(a.levels.len(), a.is_membership, &paths, totals);
            places.push((place, n(a).len()));
            blocks.push(block);
        }
        let pairs = first.pairs.iter().zip(&second.pairs).map(|(a, b)| {
            let place = |block: usize| places.get(block).map_or((&[][..], 0), |(p, n)| (p.as_slice(), *n));
            let ((to_first, n_first), (to_second, n_second)) = (place(a.first), place(a.second));
            let moved = |unit: u32, by: usize| unit + u32::try_from(by).unwrap_or(0);
            let others = b.entries.iter().map(|&(i, j, w)| (moved(i, n_first), moved(j, n_second), w));
            let entries = a.entries.iter().copied().chain(others).collect();
            Pairs { entries: merged(entries, a.first == a.second, to_first, to_second), ..*a }
        });
        Ok(Self {
            terms: self.terms.clone(),
            n_obs: self.n_obs + other.n_obs,
            log_weights: self.log_weights + other.log_weights,
            shift,
            gram,
            pairs: pairs.collect(),
            blocks,
            outcome: self.outcome.clone(),
            labels: first.labels.clone(),
        })
    }

    /// The same sums about another shift.
    fn shifted(&self, shift: &[f64]) -> Self {
        let width = self.width();
        // How far every component of A moves; the leading 1 stays.
        let step: Vec<f64> =
            std::iter::once(0.0).chain(self.shift.iter().zip(shift).map(|(old, new)| old - new)).collect();
        let totals: Vec<f64> = self.gram.iter().take(width).copied().collect();
        let n = totals.first().copied().unwrap_or(0.0);
        let mut moved = self.clone();
        shift.clone_into(&mut moved.shift);
        for ((row, &s), &t) in moved.gram.chunks_exact_mut(width).zip(&step).zip(&totals) {
            for ((cell, &s2), &t2) in row.iter_mut().zip(&step).zip(&totals) {
                *cell += s * t2 + t * s2 + n * s * s2;
            }
        }
        for block in &mut moved.blocks {
            for group in block.sums.chunks_exact_mut(width) {
                let count = group.first().copied().unwrap_or(0.0);
                for (sum, s) in group.iter_mut().zip(&step) {
                    *sum += count * s;
                }
            }
        }
        moved
    }
}
