//! Notes: caveats that stand on a result. A note is data with a stable code; its words are made last.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A caveat on a result: a code, how many things it concerns, the number that matters, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// What kind of caveat.
    pub code: NoteCode,
    /// How many rows, points, charts or units it concerns; 0 where counting makes no sense.
    #[serde(default)]
    pub count: usize,
    /// The number that matters (an estimate, a threshold), where there is one.
    #[serde(default)]
    pub value: Option<f64>,
    /// Where: a chart, a column, a unit, a measure; empty for the whole result.
    #[serde(default)]
    pub at: String,
}

impl Note {
    /// A note on `count` things.
    pub fn new(code: NoteCode, count: usize) -> Self {
        Self { code, count, value: None, at: String::new() }
    }

    /// The same note with the number that matters.
    #[must_use]
    pub fn with_value(mut self, value: f64) -> Self {
        self.value = Some(value);
        self
    }

    /// The same note, placed.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.at = place.into();
        self
    }

    /// The note as one plain sentence.
    pub fn message(&self) -> String {
        let place = if self.at.is_empty() { String::new() } else { format!("{}: ", self.at) };
        let value = self.value.map_or_else(String::new, |v| format!(" ({})", brief(v)));
        format!("{place}{}", self.code.sentence(self.count, &value))
    }
}

/// A number for a sentence: three significant digits, no exponent for everyday sizes, a minus sign rather than a hyphen.
pub(crate) fn brief(value: f64) -> String {
    let text = significant(value.abs());
    if value < 0.0 { format!("\u{2212}{text}") } else { text }
}

/// Three significant digits of a number that is not negative.
fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let magnitude = value.log10().floor();
    if !(-4.0..7.0).contains(&magnitude) {
        return format!("{value:.2e}");
    }
    // Between 0 and 6 after the test above.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let decimals = (2.0 - magnitude).max(0.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

macro_rules! note_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal : |$count:ident, $value:ident| $sentence:expr;)*) => {
        /// The kinds of caveat, each with a stable snake-case code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum NoteCode {
            $($(#[$doc])* $name,)*
        }

        impl NoteCode {
            /// Every code there is, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable code, as in JSON and in columns.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            fn sentence(self, count: usize, value: &str) -> String {
                match self { $(Self::$name => { let ($count, $value) = (count, value); let _ = ($count, $value); $sentence })* }
            }
        }
    };
}

/// "1 row", "2 rows".
fn counted(count: usize, thing: &str) -> String {
    let ending = if thing.ends_with('s') { "es" } else { "s" };
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}{ending}") }
}

note_codes! {
    /// Rows without a time cannot be placed on a chart and were left out.
    MissingTime = "missing_time": |n, _v| format!("{} without a time left out", counted(n, "row"));
    /// Points without a value keep their row and are not counted.
    MissingValue = "missing_value": |n, _v| format!("{} without a value: kept in the table, not counted", counted(n, "point"));
    /// Infinite values are no measurements: treated as missing.
    InfiniteValue = "infinite_value": |n, _v| format!("{} infinite: treated as missing", counted(n, "value"));
    /// Points whose denominator is missing, zero or negative have no value.
    InvalidDenominator = "invalid_denominator": |n, _v| format!("{} with a denominator that is missing, zero or negative: no value", counted(n, "point"));
    /// Points whose numerator exceeds the denominator: right for a rate, impossible for a proportion.
    ExceededDenominator = "exceeded_denominator": |n, _v| format!("{} with a count above the denominator: possible for a rate, an error in a proportion", counted(n, "point"));
    /// Repeated rows of one time were combined.
    Aggregated = "aggregated": |n, _v| format!("{} combined into points", counted(n, "row"));
    /// The input was not in the order of time and was sorted.
    SortedByTime = "sorted_by_time": |n, _v| format!("{} not in the order of time: sorted", counted(n, "chart"));
    /// Values that look like codes for "missing" (-999 and the like).
    Sentinel = "sentinel": |n, v| format!("{} look like a code for a missing value{v}: make them null", counted(n, "value"));
    /// The centre line rests on few points.
    ShortBaseline = "short_baseline": |n, v| format!("{} whose centre line rests on fewer than 10 points{v}", counted(n, "chart"));
    /// The asked-for baseline is longer than the phase: the whole phase was used.
    BaselineLongerThanPhase = "baseline_longer_than_phase": |n, _v| format!("{} shorter than the baseline asked for: the whole phase is the baseline", counted(n, "phase"));
    /// A phase has no baseline point with a value: it has no centre line.
    NoBaseline = "no_baseline": |n, _v| format!("{} without a single baseline value: no centre line", counted(n, "phase"));
    /// A phase named by date has no point in some charts.
    EmptyPhase = "empty_phase": |n, _v| format!("{} without any point of one of the phases", counted(n, "chart"));
    /// Neighbouring points are alike: rules cry wolf more often than stated.
    Autocorrelation = "autocorrelation": |n, v| format!("{} with autocorrelation{v}: signals come more often by chance than stated", counted(n, "chart"));
    /// Many points lie on the centre line and are not counted by the rules.
    TiesAtCenter = "ties_at_center": |n, v| format!("{} with many points on the centre line{v}: they are not counted by the rules", counted(n, "chart"));
    /// The times are unevenly spaced: some points are missing altogether.
    Gaps = "gaps": |n, _v| format!("{} with gaps in time: the rules take points as evenly spaced", counted(n, "chart"));
    /// All values are the same.
    ConstantSeries = "constant_series": |n, _v| format!("{} in which all values are the same", counted(n, "chart"));
    /// Counts scatter more than their own law allows: plain limits are too narrow.
    Overdispersion = "overdispersion": |n, v| format!("{} whose points scatter more than their sizes explain{v}: plain limits are too narrow; kind=\"pp\" or \"up\" (of subgroups kind=\"i\") allows for it", counted(n, "chart"));
    /// Counts scatter less than their own law allows.
    Underdispersion = "underdispersion": |n, v| format!("{} whose points scatter less than their sizes explain{v}: are the points independent, and the sizes right?", counted(n, "chart"));
    /// Limits of a short frozen baseline: later points leave them more often than they should.
    EstimatedLimits = "estimated_limits": |n, v| format!("{} with limits from a short baseline: a stable process puts a later point outside that often{v}; allow_for=\"baseline\" widens them", counted(n, "chart"));
    /// The rule set cries wolf.
    FrequentFalseSignals = "frequent_false_signals": |n, v| format!("{} with a signal by rules that signal on as many stable charts of this length{v}", counted(n, "chart"));
    /// Many charts at once: some of them signal by chance.
    ManyCharts = "many_charts": |n, v| format!("{} judged at once: of stable ones so many would signal{v}; q_value allows for their number", counted(n, "chart"));
    /// Counts that are not whole numbers.
    FractionalCount = "fractional_count": |n, _v| format!("{} not whole: counts of events or of units should be", counted(n, "count"));
    /// Percentages among shares.
    MixedScales = "mixed_scales": |n, _v| format!("{} with both shares (0.93) and percentages (94): bring them to one scale", counted(n, "chart"));
    /// The rule signals, but what was seen is not rare for a stable process.
    SignalNotRare = "signal_not_rare": |n, _v| format!("{} where the rule signals, yet a stable process would show as much more than once in 20", counted(n, "chart"));
    /// A rule has no limits for so many points: it did not judge the chart.
    RulesNotApplicable = "rules_not_applicable": |n, v| format!("{} with more points than a rule of the set has limits for{v}: not judged by it", counted(n, "chart"));
    /// The exact probability has no closed form here and was simulated with a fixed seed.
    SimulatedProbability = "simulated_probability": |n, _v| format!("{} whose probability was simulated with a fixed seed (the baseline is not the first part, or the chart is very long)", counted(n, "chart"));
    /// The series drifts rather than steps, so that no new phase is proposed there.
    SteadyTrend = "steady_trend": |n, v| format!("{} with a steady drift{v} a point: a straight line is a better account of it than new levels", counted(n, "chart"));

    /// Rows with a missing outcome, covariate or unit were left out of the model.
    RowsLeftOut = "rows_left_out": |n, _v| format!("{} left out: a value the model needs is missing", counted(n, "row"));
    /// Rows of weight zero do not count.
    ZeroWeight = "zero_weight": |n, _v| format!("{} left out: their weight is zero", counted(n, "row"));
    /// The estimated variance of a factor is zero.
    Singular = "singular": |_n, _v| "no detectable difference between the units of this factor (its estimated variance is zero)".to_owned();
    /// A coefficient or a spread without bound: some group of rows has one outcome only.
    Separated = "separated": |_n, _v| "no bound to its estimate: the rows it stands for have all but one outcome only; take the estimate and its standard error as \"very large\", or join levels".to_owned();
    /// Intercepts and slopes of the units differ along fewer directions than there are columns: a correlation of -1 or 1.
    SingularSlopes = "singular_slopes": |n, _v| format!("intercepts and slopes of {} are tied to each other by the estimate (a correlation of -1 or 1): the data do not show that they differ separately", counted(n, "unit"));
    /// A covariate is a combination of others and was dropped.
    RankDeficient = "rank_deficient": |_n, _v| "a combination of the other terms: dropped from the model".to_owned();
    /// A factor has few levels: its variance is poorly known.
    FewUnits = "few_units": |n, _v| format!("only {}: the spread between them is poorly known", counted(n, "unit"));
    /// The units of a factor are those of the factor around it, one to one: only one variance can be told.
    ConfoundedLevels = "confounded_levels": |n, _v| format!("each of the {} is the only one in its group: the spread between them cannot be told from that between the groups", counted(n, "unit"));
    /// The optimiser stopped without meeting its criterion.
    NotConverged = "not_converged": |_n, _v| "the fit did not converge".to_owned();
    /// The effects are skewed to the left: few units are far above, and it is hard to say which.
    SkewedEffects = "skewed_effects": |_n, v| format!("the effects are skewed{v}, with few far above: every doubt of a candidate counts twice, so that few or none are named");
    /// The effects are not normal: intervals follow the law that the units themselves show.
    EffectsNotNormal = "effects_not_normal": |_n, v| format!("the effects of the units are not normal, by the likelihood-ratio statistic{v}: intervals follow the distribution that the units themselves show");
    /// Units below the minimum number of students are not judged.
    SmallUnits = "small_units": |n, _v| format!("{} with too few students to judge: suppressed", counted(n, "unit"));
    /// Units whose group has too few members for a within-group question.
    FewPeers = "few_peers": |n, _v| format!("{} with fewer than 3 peers in the same group: the question within the group is not asked", counted(n, "unit"));
    /// The outcome bunches at its maximum.
    Ceiling = "ceiling": |n, _v| format!("{} at the highest score there is: a ceiling hides who does best", counted(n, "row"));
    /// The threshold was not given and was set from the data.
    DefaultThreshold = "default_threshold": |_n, v| format!("the threshold is a tenth of the outcome's standard deviation{v}");
    /// Only one period: nothing can be said about consistency.
    OnePeriod = "one_period": |_n, _v| "only one period: nothing can be said about consistency from year to year".to_owned();
    /// Many quantities were approximated on a grid.
    GridApproximation = "grid_approximation": |n, _v| format!("expected percentiles of {} computed on a grid", counted(n, "unit"));
    /// The candidates work under easier conditions than the others: what is left of the conditions may have named them.
    EasierConditions = "easier_conditions": |n, v| format!("the {} have it easier than the others{v} standard deviations: the adjustment may fall short, and their advantage may be their conditions", counted(n, "candidate"));
    /// Units without enough others under like conditions.
    FewMatches = "few_matches": |n, _v| format!("{} with fewer than 10 others under like conditions: not compared with peers", counted(n, "unit"));
    /// A condition does not differ within the groups, so that it cannot be told from them.
    ConfoundedCondition = "confounded_condition": |n, _v| format!("the same throughout each of {}: what it does cannot be told from the groups themselves", counted(n, "group"));
    /// Whether a value is missing depends on the unit.
    MissingByUnit = "missing_by_unit": |n, v| format!("missing more often in some units than in others: {} lost more than half of their rows, twice the usual share or more{v}", counted(n, "unit"));
    /// The margin of a guard was not given and was set from the data.
    DefaultMargin = "default_margin": |_n, v| format!("the margin is a tenth of the guard's standard deviation{v}");
    /// Rows without a value of a guard.
    GuardMissing = "guard_missing": |n, _v| format!("{} without this guard: left out of its model only", counted(n, "row"));

    /// Fewer than eight baseline points: the verdict rests on little.
    FewPoints = "few_points": |n, _v| format!("only {} before the change", counted(n, "point"));
    /// The test window is still open: no verdict before its end.
    Interim = "interim": |_n, _v| "the test window is still open: looking early and often would find improvements that are not there".to_owned();
    /// The baseline is not stable, so before and after cannot be compared.
    UnstableBaseline = "unstable_baseline": |_n, v| format!("the baseline itself was changing{v}");
    /// No variation in the data.
    ZeroVariance = "zero_variance": |_n, _v| "the values do not vary: no error of the difference can be estimated".to_owned();
    /// Too few points in one of the windows.
    TooFewPoints = "too_few_points": |n, _v| format!("only {} in one of the windows; at least 3 are needed in each", counted(n, "point"));
    /// Neighbouring points are more alike than the method allows for.
    StrongAutocorrelation = "strong_autocorrelation": |_n, v| format!("strong autocorrelation{v}: the chance of a false verdict may reach 8% instead of 5%");
    /// The method takes the counts as independent: nothing in them can tell otherwise.
    IndependenceAssumed = "independence_assumed": |_n, _v| "what was counted is taken as independent: if it comes in clumps, the interval is too narrow".to_owned();
    /// So few data that even the clearest difference could not be told from chance.
    Powerless = "powerless": |_n, v| format!("so few data that even the clearest difference could not be told from chance{v}");
    /// A guard measure may have got worse.
    PossibleHarm = "possible_harm": |_n, v| format!("a guard measure may have got worse{v}");
    /// The margin of a guard is too small to be shown with these data.
    MarginTooSmall = "margin_too_small": |_n, v| format!("the margin is less than 3 standard errors of the baseline{v}: \"not worse\" can hardly be shown");
    /// There is no comparison group.
    NoComparisonGroup = "no_comparison_group": |_n, _v| "no comparison group: something else that happened at the same time may be the cause".to_owned();
    /// No guard measure was planned.
    NoGuards = "no_guards": |_n, _v| "no guard measure: what got worse elsewhere would not have been seen".to_owned();
    /// No process measure was planned.
    NoProcessMeasure = "no_process_measure": |_n, _v| "no process measure: whether the change reached the classroom was not measured".to_owned();
    /// The plan was not locked before the data came: findings are exploratory.
    NotPreregistered = "not_preregistered": |_n, _v| "the plan was not locked before the data came: the findings are exploratory".to_owned();
    /// The plan was amended after data had come.
    AmendedAfterData = "amended_after_data": |n, _v| format!("{} to the plan after the first data had come", counted(n, "amendment"));
    /// Points outside both windows were not used.
    OutsideWindows = "outside_windows": |n, _v| format!("{} outside the baseline and test windows: shown, not judged", counted(n, "point"));
    /// Rows of the input that gave no point of a series.
    NoPoint = "no_point": |n, _v| format!("{} without a date, a value or a needed denominator: left out", counted(n, "row"));
    /// A planned measure came without any data.
    NoSeries = "no_series": |_n, _v| "no data were given for this measure".to_owned();
    /// The measure has no good side, so that nothing can be called better or worse.
    NoDirection = "no_direction": |_n, _v| "the measure has no direction, so nothing can be called better or worse: set direction to \"up\" or \"down\"".to_owned();
    /// The points of a series rest on very different numbers of observations and yet count the same.
    UnequalSizes = "unequal_sizes": |n, v| format!("{} that count the same although their sizes differ{v}-fold", counted(n, "point"));
    /// A team's calibration rests on few predictions.
    FewPredictions = "few_predictions": |n, _v| format!("only {} with a belief: a sketch, not yet a picture", counted(n, "prediction"));
    /// Predictions that state no belief.
    NoBelief = "no_belief": |n, _v| format!("{} without a belief: left out", counted(n, "prediction"));
    /// Predictions that could not be measured, or not yet.
    NoOutcome = "no_outcome": |n, _v| format!("{} that could not be measured, or not yet: left out", counted(n, "prediction"));
    /// Predictions of one cycle share its luck.
    SharedLuck = "shared_luck": |n, _v| format!("{} share a cycle with another: they share its luck, so the chances are rougher than stated", counted(n, "prediction"));
    /// A cycle skipped a step of the ramp.
    SkippedStep = "skipped_step": |n, _v| format!("{} larger than the next step without an adoption on the evidence before it", counted(n, "cycle"));
    /// A change was adopted although the study did not recommend it.
    AdoptedAgainstEvidence = "adopted_against_evidence": |n, _v| format!("{} adopted although the study recommended otherwise: no reason to go larger", counted(n, "cycle"));

    /// Fewer than three sites: their effects are shown and not pooled.
    TooFewSites = "too_few_sites": |n, _v| format!("only {}: shown, not pooled; 3 or more are needed to say how sites differ", counted(n, "site"));
    /// Few sites: how much they differ is hardly known.
    FewSites = "few_sites": |n, _v| format!("only {}: how much sites differ is hardly known, and the intervals are wide for that reason", counted(n, "site"));
    /// Several rows of one site were combined into one.
    CollapsedRows = "collapsed_rows": |n, v| format!("{} of sites with several: combined into one effect per site, taking their errors as correlated{v}", counted(n, "row"));
    /// Sites are taken as equal by assumption.
    EqualEffectsAssumed = "equal_effects_assumed": |_n, _v| "sites are taken as equal: nothing is said about a new site, and the interval is too narrow where they differ".to_owned();
    /// Subgroups were looked at after the fact.
    ExploratorySubgroups = "exploratory_subgroups": |n, _v| format!("{}: exploratory, and to be tested on new sites", counted(n, "subgroup"));

    /// Units scatter more than their sizes explain.
    OverdispersedUnits = "overdispersed_units": |n, v| format!("{} that scatter more than their sizes explain{v} times: limits without overdispersion would be too narrow", counted(n, "unit"));
    /// Units of so small a size that limits are rough.
    SmallSizes = "small_sizes": |n, v| format!("{} with a size below{v}: judged, but limits of so few are rough", counted(n, "unit"));
    /// Units without a size.
    NoSize = "no_size": |n, _v| format!("{} whose size is missing, zero or negative: left out", counted(n, "unit"));

    /// Rows of scores outside of the range that growth was fitted to.
    OutsideBoundaries = "outside_boundaries": |n, _v| format!("{} with a prior score beyond those the model was fitted to: taken as the nearest it knows", counted(n, "row"));
    /// Fitted percentiles crossed and were put in order.
    CrossedQuantiles = "crossed_quantiles": |n, _v| format!("{} whose fitted percentiles crossed: put in order", counted(n, "row"));
    /// Lags at which too few pairs of years are known.
    FewPairs = "few_pairs": |n, _v| format!("{} too few teachers seen at that distance: the last covariance that is known stands for them", counted(n, "lag"));
    /// The covariances by lag were no possible ones and were moved to the nearest that are.
    ClippedCovariances = "clipped_covariances": |n, _v| format!("{} moved to the nearest that are possible together", counted(n, "covariance"));
    /// One distance between years alone does not tell how fast an advantage fades.
    FadingUnknown = "fading_unknown": |_n, _v| "years at one distance alone do not tell how fast an advantage fades: it is taken as lasting".into();

    /// Associations of practices: hypotheses for a test, whatever their size.
    AssociationOnly = "association_only": |n, _v| format!("associations found by looking at {}: hypotheses to test, not findings of a test", counted(n, "practice"));
    /// Uses of practices that are not known.
    UnknownUse = "unknown_use": |n, _v| format!("of {} of unit and practice it is not known whether the unit uses it: left out of that practice's comparison", counted(n, "pair"));
    /// A practice rests on too few units or groups.
    FewUsers = "few_users": |n, v| format!("only {} on one side of the comparison, or users in too few groups{v}: nothing is said about it", counted(n, "unit"));
    /// The use of a practice cannot be told from the conditions that are adjusted for.
    ConfoundedUse = "confounded_use": |n, _v| format!("{} use it, but use cannot be told from the conditions that are adjusted for", counted(n, "unit"));
    /// Two practices are used by the same units.
    Inseparable = "inseparable": |n, v| format!("used by the same ones among {}{v}: these data cannot tell which of them it is", counted(n, "unit"));
    /// Few practices: how far associations are shrunken rests on little.
    FewPractices = "few_practices": |n, _v| format!("only {} to learn from how far associations should be shrunken", counted(n, "practice"));
    /// Units in the table of uses that the search did not have.
    UnmatchedUnits = "unmatched_units": |n, _v| format!("{} with known uses that the search for bright spots did not have: ignored", counted(n, "unit"));
    /// A unit with some use counts as not using what is not listed for it.
    UnlistedNotUsed = "unlisted_not_used": |n, _v| format!("{} with at least one row: practices not listed for them count as not used", counted(n, "unit"));
    /// Repeated rows of one unit and practice.
    RepeatedUses = "repeated_uses": |n, _v| format!("{} that repeat a unit and practice were combined", counted(n, "row"));
    /// Too few classes on one side of a comparison.
    FewClasses = "few_classes": |n, v| format!("{} that try the change and{v} to compare them with; at least 2 and 3 are needed", counted(n, "class"));
    /// Nobody drew lots: classes that try a change may differ from the others.
    NotByLot = "not_by_lot": |_n, _v| "the classes were not chosen by lot: those that try the change may have differed from the others beforehand".to_owned();
    /// Students whose score before is missing.
    UnpairedStudents = "unpaired_students": |n, _v| format!("{} without a score before: left out", counted(n, "student"));
    /// Students taught in both kinds of classes.
    InBothGroups = "in_both_groups": |n, _v| format!("{} in classes that try the change and in others too: left out", counted(n, "student"));
    /// Classes without data in one of the windows.
    ClassesLeftOut = "classes_left_out": |n, _v| format!("{} without data in one of the windows: left out", counted(n, "class"));
    /// The units were chosen because they were bad, and what they would have done by themselves is not known.
    SelectedExtreme = "selected_extreme": |_n, _v| "the units were chosen because their figures were bad: they would have come back in part by themselves, and how far cannot be estimated".to_owned();
    /// The units were chosen because they were bad; what they would have done by themselves is taken off.
    RegressionToMean = "regression_to_mean": |n, v| format!("chosen among {} because of bad figures: a change{v} was to be expected without doing anything, and is taken off", counted(n, "unit"));
    /// The units were chosen because they were bad: only points after the choice count.
    BaselineAfterChoice = "baseline_after_choice": |n, _v| format!("chosen because of bad figures: only the {} after the choice count as baseline", counted(n, "point"));
    /// The team's own word and the checklist disagree.
    FidelityByScore = "fidelity_by_score": |_n, v| format!("less was carried out by the checklist{v} than the team says: the checklist decides");
    /// Items of the plan's checklist that nobody scored.
    ChecklistIncomplete = "checklist_incomplete": |n, _v| format!("{} of the checklist not scored: the score is of the others", counted(n, "item"));
    /// Teachers seen in one year only: no other year predicts it.
    SingleYear = "single_year": |n, _v| format!("{} seen in one year only: no other year from which to predict it", counted(n, "teacher"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_what_serde_writes() {
        for code in NoteCode::ALL {
            assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{}\"", code.as_str()));
        }
    }

    #[test]
    fn a_note_reads_as_a_sentence() {
        let note = Note::new(NoteCode::MissingTime, 2);
        assert_eq!(note.message(), "2 rows without a time left out");
    }

    #[test]
    fn brief_numbers() {
        for (value, text) in
            [(0.0, "0"), (0.04567, "0.0457"), (12.34, "12.3"), (1234.5, "1234"), (2.0, "2"), (1e-9, "1.00e-9")]
        {
            assert_eq!(brief(value), text);
            if value > 0.0 {
                assert_eq!(brief(-value), format!("\u{2212}{text}"));
            }
        }
        assert_eq!((brief(-0.0).as_str(), brief(f64::NEG_INFINITY).as_str()), ("0", "\u{2212}inf"));
    }
}
