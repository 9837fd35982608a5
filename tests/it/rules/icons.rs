//! Where signals point to, and the icons made from them.

use brightspot::measure::Direction;
use brightspot::rules::{Assurance, RuleSet, Variation, assurance, signal_sides, variation};
use brightspot::stats::runs::Side::{self, Above, Below, On};

use super::Points;

fn sides(values: &[f64], rules: &str) -> Vec<Side> {
    let points = Points::about(values, 5.0, 1.0);
    let (signals, _) = points.judged(&RuleSet::named(rules).unwrap());
    let mut sides = vec![On; 99];
    signal_sides(&points.line(), &signals, &mut sides);
    sides
}

#[test]
fn a_trend_points_to_where_it_goes() {
    // Seven points rise from below the line; the last is beyond a limit and points to its own side all the same.
    let up = [4.0, 4.2, 4.4, 4.6, 4.8, 5.2, 8.5, 4.0];
    assert_eq!(sides(&up, "nhs"), [Above, Above, Above, Above, Above, Above, Above, On]);
    let below = [4.0, 4.1, 4.2, 4.3, 4.4, 4.5, 4.6];
    assert_eq!(sides(&below, "nhs"), [Above; 7]);
    // At the turn the next trend counts.
    let peak = [5.1, 5.2, 5.3, 5.4, 5.5, 5.6, 5.7, 5.6, 5.5, 5.4, 5.3, 5.2, 5.1];
    let mut expected = [Below; 13];
    expected[..6].fill(Above);
    assert_eq!(sides(&peak, "nhs"), expected);
    // A rising stretch and, after a repeated value, a falling one of too few points.
    let plateau = [4.0, 4.2, 4.4, 4.6, 4.8, 5.2, 5.4, 5.4, 5.1];
    assert_eq!(sides(&plateau, "nhs")[..7], [Above; 7]);
    // A long way below the line, rising all along: the icon says high, as the reference does.
    let points = Points::about(&below, 5.0, 1.0);
    let (signals, _) = points.judged(&RuleSet::named("nhs").unwrap());
    assert_eq!(variation(&points.line(), &signals, Direction::Up), Variation::ImprovementHigh);
}

#[test]
fn a_point_on_the_line_points_to_the_side_it_came_from() {
    let hugging = [5.2, 4.9, 5.1, 5.0, 4.8, 5.1, 4.9, 5.0, 5.2, 5.0, 4.9, 5.1, 5.0, 4.8, 5.0];
    assert_eq!(sides(&hugging, "nelson")[14], Below);
    // No point off the line: no side.
    assert_eq!(sides(&[5.0; 15], "nelson"), [On; 15]);
    let points = Points::about(&[5.0; 15], 5.0, 1.0);
    let (signals, _) = points.judged(&RuleSet::named("nelson").unwrap());
    assert!(!signals[14].is_empty());
    assert_eq!(variation(&points.line(), &signals, Direction::Up), Variation::CommonCause);
    assert_eq!(sides(&[], "nhs"), []);
}

#[test]
fn only_the_last_point_decides() {
    let find = |values: &[f64], direction| {
        let points = Points::about(values, 5.0, 1.0);
        let (signals, _) = points.judged(&RuleSet::named("nhs").unwrap());
        variation(&points.line(), &signals, direction)
    };
    for (value, up, down, neutral) in [
        (9.0, Variation::ImprovementHigh, Variation::ConcernHigh, Variation::NeutralHigh),
        (1.0, Variation::ConcernLow, Variation::ImprovementLow, Variation::NeutralLow),
        (5.5, Variation::CommonCause, Variation::CommonCause, Variation::CommonCause),
    ] {
        let values = [9.0, 4.0, 6.0, value];
        assert_eq!(find(&values, Direction::Up), up);
        assert_eq!(find(&values, Direction::Down), down);
        assert_eq!(find(&values, Direction::Neutral), neutral);
    }
    assert_eq!(find(&[], Direction::Up), Variation::CommonCause);
}

#[test]
fn assurance_is_strict_and_needs_its_limit() {
    use Assurance::*;
    let nan = f64::NAN;
    for (lcl, ucl, target, up) in [
        (1.0, 3.0, 3.5, Some(Failing)),
        (1.0, 3.0, 0.5, Some(Passing)),
        (1.0, 3.0, 2.0, Some(Inconsistent)),
        (1.0, 3.0, 1.0, Some(Inconsistent)),
        (1.0, 3.0, 3.0, Some(Inconsistent)),
        (3.0, 3.0, 3.0, Some(Inconsistent)),
        (1.0, 3.0, nan, None),
        (nan, nan, 2.0, None),
        (nan, 3.0, 2.0, None),
        (nan, 3.0, 4.0, Some(Failing)),
        (1.0, nan, 0.0, Some(Passing)),
    ] {
        let turned = up.map(|one| match one {
            Passing => Failing,
            Failing => Passing,
            Inconsistent => Inconsistent,
        });
        assert_eq!(assurance(lcl, ucl, target, Direction::Up), up, "{lcl} {ucl} {target}");
        assert_eq!(assurance(lcl, ucl, target, Direction::Down), turned, "{lcl} {ucl} {target}");
        assert_eq!(assurance(lcl, ucl, target, Direction::Neutral), None);
    }
}

#[test]
fn codes_are_what_serde_writes() {
    let variations = [
        Variation::ImprovementHigh,
        Variation::ImprovementLow,
        Variation::ConcernHigh,
        Variation::ConcernLow,
        Variation::NeutralHigh,
        Variation::NeutralLow,
        Variation::CommonCause,
    ];
    for one in variations {
        assert_eq!(serde_json::to_string(&one).unwrap(), format!("\"{}\"", one.as_str()));
    }
    for one in [Assurance::Passing, Assurance::Failing, Assurance::Inconsistent] {
        assert_eq!(serde_json::to_string(&one).unwrap(), format!("\"{}\"", one.as_str()));
    }
}
