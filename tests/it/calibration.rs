//! Stated beliefs against what came: the score, its parts, and what may be said of a team.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::float_cmp)]

use brightspot::NoteCode;
use brightspot::cycle::{Calibration, Forecast, Forecasts, Leaning, Learning, Prediction, calibration};
use jiff::civil::date;
use proptest::prelude::*;

use crate::cycle::{data, plan, studied};

fn forecasts(beliefs: &[f64], hits: &[bool]) -> Forecasts {
    let forecasts = (0..)
        .zip(beliefs.iter().zip(hits))
        .map(|(day, (&belief, &is_hit))| Forecast {
            on: date(2026, 1, 1) + jiff::Span::new().days(day),
            of: format!("cycle {day}"),
            measure: "score".into(),
            belief,
            is_hit,
        })
        .collect();
    Forecasts { forecasts, ..Forecasts::default() }
}

fn found(beliefs: &[f64], hits: &[bool]) -> Calibration {
    calibration(forecasts(beliefs, hits)).unwrap()
}

#[test]
fn the_score_is_briers() {
    // scikit-learn's documentation of brier_score_loss: 0.0375.
    let four = found(&[0.1, 0.9, 0.8, 0.3], &[false, true, true, false]);
    assert!((four.brier - 0.0375).abs() < 1e-12);
    // Perfect, and perfectly wrong.
    assert_eq!(found(&[1.0, 0.0], &[true, false]).brier, 0.0);
    assert_eq!(found(&[1.0, 0.0], &[false, true]).brier, 1.0);
}

#[test]
fn the_parts_by_hand() {
    // .9 five times (4 came true), .3 five times (2 came true): overall 6 of 10.
    let beliefs = [0.9, 0.9, 0.9, 0.9, 0.9, 0.3, 0.3, 0.3, 0.3, 0.3];
    let hits = [true, true, true, true, false, true, true, false, false, false];
    let found = found(&beliefs, &hits);
    assert!((found.reliability - (0.5 * 0.01 + 0.5 * 0.01)).abs() < 1e-12);
    assert!((found.resolution - 0.04).abs() < 1e-12);
    assert!((found.uncertainty - 0.24).abs() < 1e-12);
    assert!((found.brier - 0.21).abs() < 1e-12 && found.within == 0.0);
    assert!((found.skill.unwrap() - 0.125).abs() < 1e-12);
    assert_eq!(found.groups.iter().map(|g| (g.n, g.hit_rate)).collect::<Vec<_>>(), [(5, 0.4), (5, 0.8)]);
}

#[test]
fn leaning_follows_the_exact_law_of_hits() {
    // All .5: the binomial. P(at most 1 of 8) = 9/256; P(at most 2 of 8) = 37/256.
    let half = |n_hits: usize| found(&[0.5; 8], &(0..8).map(|k| k < n_hits).collect::<Vec<_>>());
    assert!((half(1).p_overconfident - 9.0 / 256.0).abs() < 1e-12);
    assert_eq!(half(1).leaning, Leaning::Overconfident);
    assert!((half(2).p_overconfident - 37.0 / 256.0).abs() < 1e-12);
    assert_eq!(half(2).leaning, Leaning::NoLeaning);
    assert_eq!(half(7).leaning, Leaning::Underconfident);
    // Unequal beliefs by hand: P(none of .2, .6) = .8 * .4.
    assert!((found(&[0.2, 0.6], &[false, false]).p_overconfident - 0.32).abs() < 1e-12);
    // Two predictions at .6 could not have told either way: .16 and .36.
    assert_eq!(found(&[0.6, 0.6], &[false, false]).leaning, Leaning::Insufficient);
}

#[test]
fn learning_is_a_steady_fall_of_the_scores() {
    // Ever surer, and right: 8 scores fall one after the other.
    let surer: Vec<f64> = (1..=8_i32).map(|k| 0.5 + 0.05 * f64::from(k)).collect();
    let found_learning = |beliefs: &[f64], hits: &[bool]| found(beliefs, hits).learning;
    assert_eq!(found_learning(&surer, &[true; 8]), Learning::Improving);
    assert_eq!(found_learning(&surer, &[false; 8]), Learning::Declining);
    assert_eq!(found_learning(&[0.7; 8], &[true, false, true, true, false, true, false, true]), Learning::NoTrend);
    assert_eq!(found_learning(&surer[..7], &[true; 7]), Learning::Insufficient);
    let halves = found(&[0.5, 0.5, 1.0, 1.0], &[true; 4]);
    assert_eq!((halves.brier_earlier, halves.brier_later), (Some(0.25), Some(0.0)));
}

#[test]
fn studies_give_their_predictions() {
    let mut plan = plan();
    plan.predictions.push(Prediction::new("score").at_least(1.0));
    plan.predictions.push(Prediction::new("score").at_most(9.0).believed(0.9));
    let study = studied(&plan, &data(&[66., 68., 65., 67., 69., 67.]));
    let found = Forecasts::of_studies([("a", &study)]);
    assert_eq!(found.n_without_belief, 1);
    // Beliefs .7 and .9; the rise is 5: at least 3, at most 9.
    assert_eq!(found.forecasts.iter().map(|f| (f.belief, f.is_hit)).collect::<Vec<_>>(), [(0.7, true), (0.9, true)]);
    let found = calibration(found).unwrap();
    let codes: Vec<_> = found.notes.iter().map(|n| (n.code, n.count)).collect();
    assert_eq!(codes, [(NoteCode::FewPredictions, 2), (NoteCode::NoBelief, 1), (NoteCode::SharedLuck, 2)]);
}

#[test]
fn nothing_to_hold_against_anything_is_an_error_that_says_so() {
    assert_eq!(calibration(Forecasts::default()).unwrap_err().code(), "too_few");
    let error = calibration(forecasts(&[1.2], &[true])).unwrap_err();
    assert!(error.to_string().contains("1.2"), "{error}");
}

fn any_forecasts() -> impl Strategy<Value = (Vec<f64>, Vec<bool>)> {
    proptest::collection::vec((0.0..=1.0_f64, any::<bool>()), 1..60).prop_map(|pairs| pairs.into_iter().unzip())
}

proptest! {
    #[test]
    fn the_parts_make_the_score((beliefs, hits) in any_forecasts()) {
        let found = found(&beliefs, &hits);
        let n = beliefs.len() as f64;
        // The terms within groups, directly: 2 cov and var of Stephenson et al. (2008).
        let group_of = |f: f64| found.groups.iter().min_by(|a, b| {
            let gap = |g: &brightspot::cycle::BeliefGroup| {
                if found.groups.len() <= 10 && beliefs.len() <= 10 { (g.belief - f).abs() }
                else { f64::from(u8::from((g.belief * 10.0).floor().min(9.0) != (f * 10.0).floor().min(9.0))) }
            };
            gap(a).total_cmp(&gap(b))
        }).unwrap();
        let within = beliefs.iter().zip(&hits).map(|(&f, &hit)| {
            let (g, o) = (group_of(f), f64::from(u8::from(hit)));
            (f - g.belief).powi(2) - 2.0 * (f - g.belief) * (o - g.hit_rate)
        }).sum::<f64>() / n;
        prop_assert!((found.within - within).abs() < 1e-9, "{} {}", found.within, within);
        prop_assert_eq!(found.groups.iter().map(|g| g.n).sum::<usize>(), beliefs.len());
    }

    #[test]
    fn a_mirrored_team_mirrors_its_leaning((beliefs, hits) in any_forecasts()) {
        let one = found(&beliefs, &hits);
        let mirrored: Vec<f64> = beliefs.iter().map(|f| 1.0 - f).collect();
        let other = found(&mirrored, &hits.iter().map(|h| !h).collect::<Vec<_>>());
        prop_assert!((one.brier - other.brier).abs() < 1e-9);
        prop_assert!((one.p_overconfident - other.p_underconfident).abs() < 1e-9);
        prop_assert!((one.p_learning - other.p_learning).abs() < 0.2);
    }

    #[test]
    fn the_order_within_a_team_changes_only_what_it_learns((beliefs, hits) in any_forecasts()) {
        let one = found(&beliefs, &hits);
        let turned = |v: &[f64]| v.iter().rev().copied().collect::<Vec<_>>();
        let other = found(&turned(&beliefs), &hits.iter().rev().copied().collect::<Vec<_>>());
        prop_assert!((one.reliability - other.reliability).abs() < 1e-12);
        prop_assert!((one.resolution - other.resolution).abs() < 1e-12);
        prop_assert_eq!(one.leaning, other.leaning);
    }
}

/// A team whose beliefs are right is said to lean, either way, in at most 10 of 100 cases.
#[test]
fn a_calibrated_team_is_seldom_said_to_lean() {
    use rand::{RngExt, SeedableRng};
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let (mut over, mut under, mut learns) = (0, 0, 0);
    let n_teams = 2_000;
    for _ in 0..n_teams {
        let beliefs: Vec<f64> = (0..15).map(|_| f64::from(rng.random_range(5..=9_u8)) / 10.0).collect();
        let hits: Vec<bool> = beliefs.iter().map(|p| rng.random::<f64>() < *p).collect();
        let found = found(&beliefs, &hits);
        over += usize::from(found.leaning == Leaning::Overconfident);
        under += usize::from(found.leaning == Leaning::Underconfident);
        learns += usize::from(found.learning == Learning::Improving);
    }
    let rate = |n: usize| n as f64 / f64::from(n_teams);
    // Exact tests: at most 5% each, less for lack of continuity; 3 standard errors are .015.
    assert!(rate(over) <= 0.065 && rate(under) <= 0.065, "{} {}", rate(over), rate(under));
    assert!(rate(over) > 0.005 && rate(under) > 0.005);
    assert!(rate(learns) <= 0.07, "{}", rate(learns));
}
