//! The criterion of a model by the cheapest way there is: the closed form where all variances in question belong to one
//! nested part, else the Cholesky factor of what crosses.

use std::cell::RefCell;

use super::criterion::{Part, Problem, rank_one};
use super::crossed::Crossed;
use super::fit::Method;
use super::optimise::Criterion;
use super::sizes::Sizes;
use crate::{Error, Result};

/// The criterion as the search sees it.
pub(super) struct Likelihood<'p> {
    problem: &'p Problem<'p>,
    crossed: Option<&'p Crossed>,
    method: Method,
    /// Every level of a nested part by itself: a search along one variance visits its own units only.
    alone: Vec<Option<Alone<'p>>>,
    proceed: &'p dyn Fn() -> Result<()>,
    stopped: RefCell<Option<Error>>,
}

/// A level whose variance is the only one.
enum Alone<'p> {
    Sizes(Sizes),
    Units(Part<'p>),
}

/// In what the criterion has a closed form, and which levels that holds.
enum Closed<'l, 'p> {
    One(&'l Sizes, usize),
    Nested(&'l Part<'p>, std::ops::Range<usize>),
}

impl<'p> Likelihood<'p> {
    pub(super) fn new(
        problem: &'p Problem<'p>,
        crossed: Option<&'p Crossed>,
        method: Method,
        proceed: &'p dyn Fn() -> Result<()>,
    ) -> Self {
        let alone = problem.parts.iter().flat_map(|part| {
            (0..part.levels.len())
                .map(move |level| (!part.is_membership).then(|| Alone::new(part, level, problem.width())))
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

    /// What holds these levels in closed form: one alone, or all of a part.
    fn closed(&self, t: &[f64], wanted: &[usize]) -> Option<Closed<'_, 'p>> {
        let positive = t.iter().enumerate().filter(|(_, t)| **t > 0.0).map(|(l, _)| l);
        let mut levels: Vec<usize> = positive.chain(wanted.iter().copied()).collect();
        levels.sort_unstable();
        levels.dedup();
        if let [level] = levels.as_slice()
            && let Some(Some(alone)) = self.alone.get(*level)
        {
            return Some(match alone {
                Alone::Sizes(sizes) => Closed::One(sizes, *level),
                Alone::Units(part) => Closed::Nested(part, *level..*level + 1),
            });
        }
        let part = self.problem.part_of(levels.into_iter())?;
        Some(Closed::Nested(part, part.offset..part.offset + part.levels.len()))
    }
}

impl<'p> Alone<'p> {
    fn new(part: &Part<'p>, level: usize, width: usize) -> Self {
        let alone = if part.levels.len() > 1 { part.alone(level) } else { part.clone() };
        Sizes::new(&alone, width).map_or_else(|| Self::Units(alone), Self::Sizes)
    }
}

impl Criterion for Likelihood<'_> {
    fn value(&self, t: &[f64]) -> Option<f64> {
        self.may_proceed()?;
        let point = match self.closed(t, &[]) {
            Some(Closed::One(sizes, level)) => sizes.evaluate(self.problem, *t.get(level)?, self.method),
            Some(Closed::Nested(part, levels)) => {
                let upward = part.ascend(&self.problem.gram, t.get(levels)?);
                self.problem.profile(&upward.m, upward.log_det, self.method)
            }
            None => self.crossed?.evaluate(self.problem, t, self.method),
        };
        point.ok().map(|point| point.deviance)
    }

    fn gradient(&self, t: &[f64], wanted: &[usize]) -> Option<(f64, Vec<f64>)> {
        self.may_proceed()?;
        let mut slopes = vec![f64::NAN; t.len()];
        let (part, levels) = match self.closed(t, wanted) {
            Some(Closed::Nested(part, levels)) => (part, levels),
            Some(Closed::One(sizes, level)) => {
                let (deviance, slope) = sizes.gradient(self.problem, *t.get(level)?, self.method).ok()?;
                *slopes.get_mut(level)? = slope;
                return Some((deviance, slopes));
            }
            None => return self.crossed?.gradient(self.problem, t, self.method).ok(),
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
        for (slope, (h, q)) in slopes.get_mut(levels)?.iter_mut().zip(&sums) {
            *slope = point.slope(*h, q, self.method);
        }
        Some((point.deviance, slopes))
    }

    fn is_cheap(&self, levels: &[usize]) -> bool {
        self.problem.part_of(levels.iter().copied()).is_some()
    }
}
