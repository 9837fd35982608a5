//! The rule sets that have a name, each as its source has it.

use super::rule::{Flags, Rule, Ties};
use super::rule_set::RuleSet;

impl RuleSet {
    /// The names that stand for a set.
    ///
    /// | name | rules | points on the centre line | marked | source |
    /// |---|---|---|---|---|
    /// | `anhoej` | longest run above round(log2 n) + 3; crossings below the 5% quantile of Binomial(n - 1, 1/2) | passed over | the run; all useful points | Anhøj & Olesen (2014), PLOS ONE 9(11) e113825 |
    /// | `best_box` | longest run or crossings outside of the best box | passed over | as above | Anhøj & Wentzel-Larsen (2020), PLOS ONE 15(6) e0233920 |
    /// | `cut_box` | longest run and crossings outside of the cut box | passed over | as above | the same |
    /// | `ihi` | shift of 6, trend of 5, too few or too many runs (2.5% in each tail) | passed over, as are repeated values in a trend | all | Perla, Provost & Murray (2011), BMJ Qual. Saf. 20:46; Swed & Eisenhart (1943), Ann. Math. Stat. 14:66 |
    /// | `nhs` | beyond the limits, shift of 7, trend of 7, 2 of 3 between 2 sigma and the limit with all three on that side | break, as do repeated values in a trend | all | NHS England, Making Data Count, as `NHSRplotthedots` 0.2.2 |
    /// | `shewhart` | beyond the limits | - | the point | Shewhart (1931), Economic Control of Quality of Manufactured Product |
    /// | `western_electric` | beyond the limits, 2 of 3 beyond 2 sigma, 4 of 5 beyond 1 sigma, shift of 8 | break | from the completing point | Western Electric (1956), Statistical Quality Control Handbook |
    /// | `nelson` | the eight tests: beyond the limits, shift of 9, trend of 6, 14 alternating, 2 of 3, 4 of 5, 15 within 1 sigma, 8 outside of it on both sides | break, as do repeated values | from the completing point | Nelson (1984), J. Qual. Technol. 16:237 |
    ///
    /// The fourth rule of Perla, Provost & Murray, an "astronomical point", is left to the eye there, and so is not part
    /// of `ihi`.
    pub const NAMES: &'static [&'static str] =
        &["anhoej", "best_box", "cut_box", "ihi", "nhs", "shewhart", "western_electric", "nelson"];
}

/// The rules of a named set.
pub(super) fn rules_of(name: &str) -> Option<Vec<Rule>> {
    Some(match name {
        "anhoej" => anhoej().rules,
        "best_box" => vec![Rule::BestBox {}],
        "cut_box" => vec![Rule::CutBox {}],
        "ihi" => ihi(),
        "nhs" => nhs(),
        "shewhart" => vec![Rule::BeyondLimits {}],
        "western_electric" => {
            let mut rules = vec![Rule::BeyondLimits {}];
            rules.extend(zones());
            rules.push(Rule::Shift { length: 8, on_center: Ties::Break, flags: Flags::Completing });
            rules
        }
        "nelson" => nelson(),
        _ => return None,
    })
}

pub(super) fn anhoej() -> RuleSet {
    RuleSet { name: "anhoej".into(), rules: vec![Rule::LongestRun {}, Rule::FewCrossings {}] }
}

fn ihi() -> Vec<Rule> {
    let prob = 0.025;
    vec![
        Rule::Shift { length: 6, on_center: Ties::Skip, flags: Flags::All },
        Rule::Trend { length: 5, ties: Ties::Skip, flags: Flags::All },
        Rule::FewRuns { prob },
        Rule::ManyRuns { prob },
    ]
}

fn nhs() -> Vec<Rule> {
    vec![
        Rule::BeyondLimits {},
        Rule::Shift { length: 7, on_center: Ties::Break, flags: Flags::All },
        Rule::Trend { length: 7, ties: Ties::Break, flags: Flags::All },
        Rule::Zone {
            count: 2,
            of: 3,
            sigmas: 2.0,
            is_one_sided: true,
            counts_beyond_limits: false,
            ends_in_zone: false,
            flags: Flags::All,
        },
    ]
}

/// Tests 2 and 3 of Western Electric, 5 and 6 of Nelson.
fn zones() -> [Rule; 2] {
    let zone = |count, of, sigmas| Rule::Zone {
        count,
        of,
        sigmas,
        is_one_sided: false,
        counts_beyond_limits: true,
        ends_in_zone: true,
        flags: Flags::Completing,
    };
    [zone(2, 3, 2.0), zone(4, 5, 1.0)]
}

fn nelson() -> Vec<Rule> {
    let flags = Flags::Completing;
    let mut rules = vec![
        Rule::BeyondLimits {},
        Rule::Shift { length: 9, on_center: Ties::Break, flags },
        Rule::Trend { length: 6, ties: Ties::Break, flags },
        Rule::Alternating { length: 14, flags },
    ];
    rules.extend(zones());
    rules.extend([
        Rule::Hugging { length: 15, sigmas: 1.0, flags },
        Rule::Avoiding { length: 8, sigmas: 1.0, both_sides: true, flags },
    ]);
    rules
}
