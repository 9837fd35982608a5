//! New phases as proposals: against autospc and runcharter cell by cell, by hand, by properties and by simulation.

// Helpers of tests: a panic is a failed test.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::float_cmp, clippy::panic)]

mod change_points;
mod properties;
mod reference;
mod runs;
mod simulation;

use std::cell::RefCell;

use brightspot::charts::rebase::{DecisionCode, Rebase, RebaseEngine, RebaseSpec};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

thread_local! {
    static ENGINE: RefCell<RebaseEngine> = RefCell::new(RebaseEngine::new());
}

/// With the laws that the thread has simulated so far.
fn proposed(values: &[f64], is_excluded: &[bool], spec: &RebaseSpec) -> Rebase {
    ENGINE.with_borrow_mut(|engine| engine.propose(values, is_excluded, spec)).unwrap()
}

fn change_points(values: &[f64]) -> Rebase {
    proposed(values, &[], &RebaseSpec::default())
}

fn codes(rebase: &Rebase) -> Vec<DecisionCode> {
    rebase.log.iter().map(|decision| decision.code).collect()
}

fn noise(seed: u64, n: usize) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| rng.sample(StandardNormal)).collect()
}

fn stepped(seed: u64, levels: &[(usize, f64)]) -> Vec<f64> {
    let level = levels.iter().flat_map(|&(n, level)| std::iter::repeat_n(level, n));
    let n = levels.iter().map(|(n, _)| n).sum();
    noise(seed, n).into_iter().zip(level).map(|(value, level)| value + level).collect()
}
