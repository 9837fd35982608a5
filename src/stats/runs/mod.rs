//! Runs about a centre line: how many, how long, and how often chance alone does as much.
//!
//! A run is an unbroken stretch of points on one side of the centre line; where one run ends and the next begins the
//! series crosses the line. A process that shifts makes its longest run long and its crossings few. What counts as
//! long and few depends on where the line comes from, so there is one exact law for each origin ([`RunLaw`]).
//!
//! Everything here follows from one count: of all ways to write `s` as an ordered sum of `k` parts (a composition),
//! the share with a part longer than a limit. Points above form runs whose lengths are a composition of their number,
//! and so do points below; the two alternate.
//!
//! References: Wald & Wolfowitz (1940), Ann. Math. Stat. 11:147 (runs in a random order); Mood (1940), Ann. Math. Stat.
//! 11:367 (distribution theory of runs); Wentzel-Larsen & Anhøj (2019), PLOS ONE 14(10) e0223233 (joint law of the
//! longest run and the crossings); Anhøj & Wentzel-Larsen (2020), PLOS ONE 15(6) e0233920 (rules made from it); Mathisen (1943), Ann. Math. Stat. 14:188 (later points about an earlier median).

mod boxes;
mod compositions;
mod counts;
mod joined;
mod law;
mod one_sided;
mod simulated;
mod table;

pub use boxes::{Corner, MAX_BOX, RunLimits, best_box, cut_box};
pub use counts::{RunCounts, Side, count_runs, count_runs_against};
pub use law::{MAX_JOINED, RunLaw, RunLaws};
pub use one_sided::{prob_count_above, prob_run_above};
pub use simulated::{Middle, N_DRAWS};
