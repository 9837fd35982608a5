//! The criterion of a model by the cheapest way there is: the closed form where all variances in question belong to one
//! nested part, else the Cholesky factor of what crosses.

use std::cell::RefCell;

use super::criterion::{Part, Problem, rank_one};
use super::crossed::Crossed;
use super::fit::Method;
use super::optimise::Criterion;
use crate::{Error, Result};

/// The criterion as the search sees it.
pub(super) struct Likelihood<'p> {
    problem: &'p Problem<'p>,
    crossed: Option<&'p Crossed>,
    method: Method,
    /// Every level of a nested part with several by itself: a search along one variance visits its own units only.
    alone: Vec<Option<Part<'p>>>,
    proceed: &'p dyn Fn() -> Result<()>,
    stopped: RefCell<Option<Error>>,
}

impl<'p> Likelihood<'p> {
    pub(super) fn new(
        problem: &'p Problem<'p>,
        crossed: Option<&'p Crossed>,
        method: Method,
        proceed: &'p dyn Fn() -> Result<()>,
    ) -> Self {
        let alone = problem.parts.iter().flat_map(|part| {
            let is_split = part.levels.len() > 1 && !part.is_membership;
            (0..part.levels.len()).map(move |level| is_split.then(|| part.alone(level)))
        });
        let alone = alone.collect();
        Self { problem, crossed, method, alone, proceed, stopped: RefCell::new(None) }
    }

    /// Why the search was stopped, if it was.
    pub(super) fn stopped(&self) -> Option<Error> {
        self.stopped.borrow_mut().take()
    }

    fn may_proceed(&self) -> Option<()> {
        if self.stopped.borrow().is_some() {
            return None;
        }
        match (self.proceed)() {
            Ok(()) => Some(()),
            Err(error) => {
                *self.stopped.borrow_mut() = Some(error);
                None
            }
        }
    }

    /// The part in which these levels can be handled in closed form, and its levels: the whole, or one alone.
    fn closed(&self, t: &[f64], wanted: &[usize]) -> Option<(&Part<'p>, std::ops::Range<usize>)> {
        let positive = t.iter().enumerate().filter(|(_, t)| **t > 0.0).map(|(l, _)| l);
        let mut levels: Vec<usize> = positive.chain(wanted.iter().copied()).collect();
        levels.sort_unstable();
        levels.dedup();
        if let [level] = levels.as_slice()
            && let Some(Some(alone)) = self.alone.get(*level)
        {
            return Some((alone, *level..*level + 1));
        }
        let part = self.problem.part_of(levels.into_iter())?;
        Some((part, part.offset..part.offset + part.levels.len()))
    }
}

impl Criterion for Likelihood<'_> {
    fn value(&self, t: &[f64]) -> Option<f64> {
        self.may_proceed()?;
        if let Some((part, levels)) = self.closed(t, &[]) {
            let upward = part.ascend(&self.problem.gram, t.get(levels)?);
            return self.problem.profile(&upward.m, upward.log_det, self.method).ok().map(|e| e.deviance);
        }
        self.crossed?.state(self.problem, t, self.method).ok().map(|s| s.point.deviance)
    }

    fn gradient(&self, t: &[f64], wanted: &[usize]) -> Option<(f64, Vec<f64>)> {
        self.may_proceed()?;
        let Some((part, levels)) = self.closed(t, wanted) else {
            return self.crossed?.gradient(self.problem, t, self.method).ok();
        };
        let own = t.get(levels.clone())?;
        let upward = part.ascend(&self.problem.gram, own);
        let point = self.problem.profile(&upward.m, upward.log_det, self.method).ok()?;
        let width = self.problem.width();
        let mut sums: Vec<(f64, Vec<f64>)> = vec![(0.0, vec![0.0; width * width]); own.len()];
        part.descend(&upward, own, |step| {
            if let Some((h, q)) = sums.get_mut(step.level) {
                *h += step.h;
                rank_one(q, step.u, 1.0);
            }
        });
        let mut slopes = vec![f64::NAN; t.len()];
        for (slope, (h, q)) in slopes.get_mut(levels)?.iter_mut().zip(&sums) {
            *slope = point.slope(*h, q, self.method);
        }
        Some((point.deviance, slopes))
    }

    fn is_cheap(&self, levels: &[usize]) -> bool {
        self.problem.part_of(levels.iter().copied()).is_some()
    }
}
