"""The records, generated from their JSON Schemas by `make records`; do not edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from brightspot._faces import CycleFace, StandingFace, StudyFace
from brightspot._record import (
    Record,
    load_date,
    load_each,
    load_mapping,
    load_moment,
    load_note,
    load_optional,
    load_record,
    load_tuple,
)
from brightspot._result import Note

Day = date | str
"""A date, or its ISO text."""
Moment = datetime | date | str
"""A moment, or its ISO text."""

Direction = Literal["up", "down", "neutral"]
"""Which way a measure should move."""
MeasureKind = Literal["mean", "proportion", "rate", "count", "median"]
"""How the rows of one date become one value."""
MeasureRole = Literal["outcome", "process", "balancing", "context"]
"""What a measure is for, in the family of measures."""
Side = Literal["improve", "worsen"]
"""The side on which a change is expected."""
ChosenBecause = Literal["worst", "other"]
"""Why these units and no others."""
Analysis = Literal["auto", "series", "proportions", "rates", "two_totals", "standard", "ancova", "difference_in_differences"]
"""How the data of a cycle are judged."""
Fidelity = Literal["fully", "partly", "not_done", "unknown"]
"""Whether the change was carried out as planned."""
Signal = Literal["improved", "worsened", "no_signal", "insufficient"]
"""What the data say about one measure."""
GuardFinding = Literal["not_worse", "harmed", "cannot_tell"]
"""Whether a guard measure stayed within its margin."""
PredictionFinding = Literal["met", "not_met", "undecided"]
"""Whether a prediction came true."""
ProcessFinding = Literal["improved", "not_improved", "not_measured"]
"""Whether the change reached the classroom, by the process measures."""
Choice = Literal["adopt", "adapt", "abandon", "continue_test"]
"""What to do next."""
Reason = Literal["interim", "not_preregistered", "untested_idea", "pause", "harm_no_benefit", "benefit_with_harm", "insufficient_evidence", "worse", "confirmed_here", "less_than_predicted", "guard_unknown", "partly_done", "too_early", "driver_moved_outcome_did_not", "no_mechanism_yet", "tried_fairly", "underpowered"]
"""Why a choice is recommended."""
State = Literal["draft", "planned", "doing", "studied", "decided", "cancelled"]
"""Where a cycle stands."""
OriginKind = Literal["data", "person"]
"""Where a practice was first suspected."""
PracticeState = Literal["suspected", "described", "testing", "confirmed", "spreading", "standard", "retired"]
"""How far a practice has come."""
Gate = Literal["what", "ingredients", "not_this", "checklist", "locked_cycle", "closed_cycles", "other_adopters", "contexts", "shared_measure", "benefit", "no_harm", "holds_elsewhere", "tried_by_others", "consent", "kept", "one_term", "outcome_holds"]
"""What a practice must have, to count as having come so far."""
CountsAs = Literal["for", "against", "neither", "open", "cancelled"]
"""How a cycle counts for its practice."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Measure(Record):
    """What is measured: an operational definition with a direction, and the columns in which it arrives.

    Attributes
    ----------
    name
        Its name, by which predictions and data refer to it.
    value
        The column with the values; for a proportion or a rate, the counts above the line.
    time
        The column with the dates.
    size
        The column with the denominators; proportions and rates need one.
    student
        The column with the students' ids: it joins scores before and after where classes are compared, and shows counts
        that come in clumps (several incidents of one student).
    measure
        Where one long frame holds several measures, the column with their names.
    direction
        Which way is better.
    kind
        How the rows of one date become one value.
    role
        What it is for; where left open, its place in the plan says it.
    unit_of_value
        The unit of the value, as it should be written ("points", "minutes").
    per
        A rate counts events per so many (1000 student-days).
    standard
        What it should be, for a proportion (0 to 1), a rate or a count: the test window is then held against this
        standard and not against a baseline.
    definition
        The operational definition: who measures what, how and when.
    version
        The version of the definition; results of different versions are never pooled.

    Examples
    --------
    >>> import brightspot as bs
    >>> bs.Measure("absence", value="absent", size="enrolled", kind="proportion", direction="down")
    Measure(name='absence', value='absent', size='enrolled', direction='down', kind='proportion')
    """

    name: str
    _: KW_ONLY
    value: str = "value"
    time: str = "date"
    size: str | None = None
    student: str | None = None
    measure: str = "measure"
    direction: Direction = "up"
    kind: MeasureKind = "mean"
    role: MeasureRole | None = None
    unit_of_value: str = ""
    per: float = 1.0
    standard: float | None = None
    definition: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Guard(Record):
    """What must not get worse while the outcome improves.

    Attributes
    ----------
    measure
        The measure.
    margin
        The largest loss that would not matter, in the measure's unit: 0 or more.

    Examples
    --------
    >>> import brightspot as bs
    >>> bs.Guard(bs.Measure("fact fluency"), margin=1.5).margin
    1.5
    """

    measure: Measure = field(metadata={"load": load_record("Measure")})
    _: KW_ONLY
    margin: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Prediction(Record):
    """What the team expects to see, said before the data.

    A prediction is a region for the *change* of one measure: the mean of the test window minus the mean of the
    baseline, in the measure's own unit and with its own sign (a fall from 12% to 9% absent is -0.03). For a measure
    with a standard it is the distance from the standard; where classes are compared, what the classes that try the
    change gain beyond the others. Exactly one of `at_least`, `at_most`, `between`, `direction` and `no_worse_than` says
    which.

    Attributes
    ----------
    measure
        The name of the measure, one of the plan's.
    at_least
        The change will be this or more.
    at_most
        The change will be this or less (for a measure that should fall, a negative number).
    between
        The change will lie between these two, both included.
    direction
        The change will be on the good ("improve") or on the bad side ("worsen") of 0.
    no_worse_than
        The measure will lose no more than this (0 or more), whichever way is better.
    belief
        How sure the team is, from 0 to 1.
    why
        Why the team expects it.
    population
        For whom; empty for everyone whom the measure covers.
    by
        By when, as a day of the test window; the change is judged over the whole window.

    Examples
    --------
    >>> import brightspot as bs
    >>> bs.Prediction("exit ticket", at_least=3.0, belief=0.7, by="2026-12-11").by
    datetime.date(2026, 12, 11)
    """

    measure: str
    _: KW_ONLY
    at_least: float | None = None
    at_most: float | None = None
    between: tuple[float, float] | None = field(default=None, metadata={"load": load_optional(load_tuple)})
    direction: Side | None = None
    no_worse_than: float | None = None
    belief: float | None = None
    why: str = ""
    population: str = ""
    by: date | None = field(default=None, metadata={"load": load_optional(load_date)})

    if TYPE_CHECKING:

        def __init__(self, measure: str, *, at_least: float | None = ..., at_most: float | None = ..., between: tuple[float, float] | None = ..., direction: Side | None = ..., no_worse_than: float | None = ..., belief: float | None = ..., why: str = ..., population: str = ..., by: Day | None = ...) -> None: ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Task(Record):
    """Something to be done: a step of the test, or of collecting its data.

    Attributes
    ----------
    what
        What.
    who
        Who does it.
    when
        On or by which day.
    where
        Where.

    Examples
    --------
    >>> import brightspot as bs
    >>> bs.Task("Watch the lesson", who="Ann", when="2026-10-05").when
    datetime.date(2026, 10, 5)
    """

    what: str
    _: KW_ONLY
    who: str = ""
    when: date | None = field(default=None, metadata={"load": load_optional(load_date)})
    where: str = ""

    if TYPE_CHECKING:

        def __init__(self, what: str, *, who: str = ..., when: Day | None = ..., where: str = ...) -> None: ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comparison(Record):
    """Classes in which the change is tried and classes with which they are compared, as they stand in the data of the
    outcome: one row a student (or more).

    Attributes
    ----------
    treated
        The classes in which the change is tried; all others in the data are compared with. Leave empty where a column
        (`treated_column`) says it.
    treated_column
        The column that is true (or 1) for rows of classes in which the change is tried.
    group
        The column with the classes.
    prior
        The column with each student's earlier score, where it stands in the rows of the test window.
    by_lot
        Whether a lot decided which classes try the change.

    Examples
    --------
    >>> import brightspot as bs
    >>> bs.Comparison(["5a", "5b"], prior="fall").group
    'class'
    """

    treated: Sequence[str] = field(default=(), metadata={"load": load_tuple})
    _: KW_ONLY
    treated_column: str | None = None
    group: str = "class"
    prior: str | None = None
    by_lot: bool = False


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Selection(Record):
    """How the units of a test were chosen.

    What was chosen because it was bad comes back in part by itself. The study allows for it: estimated from all units
    among which the choice was made, or by counting only baseline points after the day of the choice.

    Attributes
    ----------
    chosen_because
        Why these units.
    chosen
        The chosen units, as they stand in the column `unit`; all units in the data of the outcome are candidates.
    unit
        The column with the units, in the data of the outcome.
    on
        The day of the choice.

    Examples
    --------
    >>> import brightspot as bs
    >>> bs.Selection("worst", unit="school", chosen=["S02"], on="2026-08-20").on
    datetime.date(2026, 8, 20)
    """

    chosen_because: ChosenBecause
    _: KW_ONLY
    chosen: Sequence[str] = field(default=(), metadata={"load": load_tuple})
    unit: str | None = None
    on: date | None = field(default=None, metadata={"load": load_optional(load_date)})

    if TYPE_CHECKING:

        def __init__(self, chosen_because: ChosenBecause, *, chosen: Sequence[str] = ..., unit: str | None = ..., on: Day | None = ...) -> None: ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FidelityRule(Record):
    """From which share of the plan on a change counts as carried out.

    Reference: Durlak & `DuPre` (2008), American Journal of Community Psychology 41:327: effects have been found from
    about 60% on, and few studies reach more than 80%.

    Attributes
    ----------
    fully
        From this share on it was carried out as planned.
    partly
        From this share on it was carried out in part; below, the idea was not tested.

    Examples
    --------
    >>> import brightspot as bs
    >>> bs.FidelityRule(fully=0.9)
    FidelityRule(fully=0.9)
    """

    fully: float = 0.8
    _: KW_ONLY
    partly: float = 0.6


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Plan(Record):
    """The plan of a cycle. Once locked it does not change: amendments stand beside it.

    Attributes
    ----------
    aim
        What is to be accomplished: for whom, how much, by when.
    change
        The change that is tested.
    outcome
        The measure that tells whether the change is an improvement.
    baseline
        First and last day of the baseline, both included.
    test
        First and last day of the test window, both included; after the baseline.
    process
        Measures that tell whether the change reaches the classroom.
    guards
        Measures that must not get worse, each with its margin.
    predictions
        What the team expects to see; at least one is needed to lock the plan.
    analysis
        How the outcome will be judged; "auto" is settled when the plan is locked, by the shape of the data: classes
        with a comparison, a standard, proportions, rates and counts, or a series. Other measures are judged by their
        own kind.
    lag_days
        Days from the first day of the test until the change can be expected to show in the outcome.
    fair_tries
        How many fair tries (carried out as planned) an idea gets before it can be abandoned for lack of a signal.
    title
        A short title.
    question
        The question that this cycle should answer.
    theory
        The driver or goal that the change serves, and why it should work.
    practice
        The practice that is tested, if it has a name: cycles of one practice count as tries of the same idea. Without
        it, cycles with the same `change` do.
    team
        The team that owns the cycle.
    follows
        The cycle that this one follows: its id, where the change was adapted and tested again.
    scale
        In how many classrooms (or other places) the change is tested: 1, 3, 5 ...
    context
        The conditions of the test ("grade": "5", "program": "dual language").
    tasks
        The steps of the test.
    data_plan
        How the data will be collected.
    comparison
        Classes with which those that try the change are compared; without it before is compared with after.
    selection
        How the units of the test were chosen, where their figures had to do with it.
    checklist
        What to look for to see whether the change is carried out.
    fidelity
        From which share of the checklist on the change counts as carried out: 80% as planned, 60% in part where left
        out.

    Examples
    --------
    >>> import brightspot as bs
    >>> plan = bs.Plan(
    ...     aim="Fractions secure by winter", change="Number talks", outcome=bs.Measure("exit ticket", value="score"),
    ...     predictions=[bs.Prediction("exit ticket", at_least=3.0, belief=0.7)],
    ...     baseline=("2026-09-01", "2026-10-25"), test=("2026-10-26", "2026-12-11"),
    ... )
    >>> plan.test[0]
    datetime.date(2026, 10, 26)
    """

    aim: str
    _: KW_ONLY
    change: str
    outcome: Measure = field(metadata={"load": load_record("Measure")})
    baseline: tuple[date, date] = field(metadata={"load": load_each(load_date)})
    test: tuple[date, date] = field(metadata={"load": load_each(load_date)})
    process: Sequence[Measure] = field(default=(), metadata={"load": load_each(load_record("Measure"))})
    guards: Sequence[Guard] = field(default=(), metadata={"load": load_each(load_record("Guard"))})
    predictions: Sequence[Prediction] = field(default=(), metadata={"load": load_each(load_record("Prediction"))})
    analysis: Analysis = "auto"
    lag_days: int = 0
    fair_tries: int = 2
    title: str = ""
    question: str = ""
    theory: str = ""
    practice: str | None = None
    team: str = ""
    follows: str | None = None
    scale: int = 1
    context: Mapping[str, str] = field(default_factory=dict[str, str], metadata={"load": load_mapping})
    tasks: Sequence[Task] = field(default=(), metadata={"load": load_each(load_record("Task"))})
    data_plan: Sequence[Task] = field(default=(), metadata={"load": load_each(load_record("Task"))})
    comparison: Comparison | None = field(default=None, metadata={"load": load_optional(load_record("Comparison"))})
    selection: Selection | None = field(default=None, metadata={"load": load_optional(load_record("Selection"))})
    checklist: Sequence[str] = field(default=(), metadata={"load": load_tuple})
    fidelity: FidelityRule | None = field(default=None, metadata={"load": load_optional(load_record("FidelityRule"))})

    if TYPE_CHECKING:

        def __init__(self, aim: str, *, change: str, outcome: Measure, baseline: tuple[Day, Day], test: tuple[Day, Day], process: Sequence[Measure] = ..., guards: Sequence[Guard] = ..., predictions: Sequence[Prediction] = ..., analysis: Analysis = ..., lag_days: int = ..., fair_tries: int = ..., title: str = ..., question: str = ..., theory: str = ..., practice: str | None = ..., team: str = ..., follows: str | None = ..., scale: int = ..., context: Mapping[str, str] = ..., tasks: Sequence[Task] = ..., data_plan: Sequence[Task] = ..., comparison: Comparison | None = ..., selection: Selection | None = ..., checklist: Sequence[str] = ..., fidelity: FidelityRule | None = ...) -> None: ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Doing(Record):
    """What was done, and what was seen while doing it.

    Attributes
    ----------
    as_planned
        Whether the change was carried out as planned.
    fidelity
        The share of the planned steps that were carried out, from 0 to 1, where it was counted.
    checklist
        The plan's checklist: for each item the share of occasions on which it was seen, from 0 to 1 (1 or 0 where it
        was looked at once).
    observations
        What was observed.
    surprises
        What nobody expected.

    Examples
    --------
    >>> import brightspot as bs
    >>> bs.Doing(as_planned="partly", fidelity=0.6, surprises=["Two lessons fell out."])
    Doing(as_planned='partly', fidelity=0.6, surprises=('Two lessons fell out.',))
    """

    as_planned: Fidelity = "unknown"
    _: KW_ONLY
    fidelity: float | None = None
    checklist: Mapping[str, float] = field(default_factory=dict[str, float], metadata={"load": load_mapping})
    observations: Sequence[str] = field(default=(), metadata={"load": load_tuple})
    surprises: Sequence[str] = field(default=(), metadata={"load": load_tuple})


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Point(Record):
    """One point of a series: a value on a date, with its denominator where it has one.

    Attributes
    ----------
    time
        The date the value stands for.
    value
        The value, in the measure's own unit (a proportion is 0 to 1).
    size
        How many observations (students, lessons, student-days) the value rests on, where that is known.
    """

    time: date = field(metadata={"load": load_date})
    _: KW_ONLY
    value: float
    size: float | None = None

    if TYPE_CHECKING:

        def __init__(self, time: Day, *, value: float, size: float | None = ...) -> None: ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ClassStudy(Record):
    """One class of a comparison, as it was judged.

    Attributes
    ----------
    name
        The class.
    is_treated
        Whether the change was tried in it.
    n
        Students that were counted.
    before
        Their mean before.
    after
        Their mean after.
    value
        The value that was compared: the mean after, less what the scores before explain (or less the mean before).
    """

    name: str
    _: KW_ONLY
    is_treated: bool
    n: int
    before: float | None
    after: float
    value: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RegressionToMean(Record):
    """What the chosen units were expected to do by themselves.

    Attributes
    ----------
    expected
        The expected change, in the measure's unit and with its own sign; `effect` is what is left after it.
    se
        Its standard error.
    lasting
        The share of the differences between units that lasts.
    mean_of_all
        Mean of all candidates in the baseline.
    n_units
        How many candidates there were.
    """

    expected: float
    _: KW_ONLY
    se: float
    lasting: float
    mean_of_all: float
    n_units: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MeasureStudy(Record):
    """What the data say about one measure, with everything needed to draw it and to compute it again.

    Attributes
    ----------
    measure
        The name of the measure.
    version
        The version of its definition.
    direction
        Which way is better.
    method
        How the data were judged.
    signal
        What they say.
    effect
        The change: mean of the test window minus mean of the baseline, with its own sign (a fall is negative, whichever
        way is better). Against a standard: what was observed minus the standard. Of classes: what those that try the
        change gained beyond the others. Of units chosen because they were bad: what is left after `regression`.
    lo
        Lower end of the 90% interval of the change.
    hi
        Upper end of the 90% interval of the change.
    se
        Standard error of the change.
    df
        Effective degrees of freedom.
    p_better
        One-sided p of a change for the better.
    p_worse
        One-sided p of a change for the worse.
    phi
        The autocorrelation that was allowed for.
    mean_before
        Mean of the baseline.
    mean_after
        Mean of the test window.
    n_before
        Points in the baseline (that count).
    n_after
        Points in the test window. Where classes are compared, the points are those of the classes that try the change.
    baseline_trend_p
        One-sided p (Mann-Kendall) of a drift of the baseline towards better; asked from 8 points on.
    baseline_prob_runs
        Probability, for a stable process, of runs as long or crossings as few as the baseline's; asked from 8 points
        on.
    points
        The points up to the end of the test window (or up to `as_of`, if that is earlier), those outside of the windows
        included.
    unit_of_value
        The unit of the values.
    dispersion
        How much more than chance the dates vary: 1 where counts vary as independent events do.
    ratio
        Rate after over rate before; none where there was no event before.
    ratio_lo
        Lower end of the 90% interval of the ratio.
    ratio_hi
        Upper end of the 90% interval of the ratio; none where it has no upper end.
    standard
        What it was held against, where the measure has a standard.
    regression
        What the units were expected to do by themselves, where they were chosen because they were bad.
    classes
        The classes that were compared, by name.
    n_left_out
        Rows that gave no point: without a date, a value or a needed denominator.
    """

    measure: str
    _: KW_ONLY
    version: int
    direction: Direction
    method: Analysis
    signal: Signal
    effect: float | None
    lo: float | None
    hi: float | None
    se: float | None
    df: float | None
    p_better: float | None
    p_worse: float | None
    phi: float | None
    mean_before: float | None
    mean_after: float | None
    n_before: int
    n_after: int
    baseline_trend_p: float | None
    baseline_prob_runs: float | None
    points: Sequence[Point] = field(metadata={"load": load_each(load_record("Point"))})
    unit_of_value: str = ""
    dispersion: float | None = None
    ratio: float | None = None
    ratio_lo: float | None = None
    ratio_hi: float | None = None
    standard: float | None = None
    regression: RegressionToMean | None = field(default=None, metadata={"load": load_optional(load_record("RegressionToMean"))})
    classes: Sequence[ClassStudy] = field(default=(), metadata={"load": load_each(load_record("ClassStudy"))})
    n_left_out: int = 0


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GuardCheck(Record):
    """What the data say about one guard.

    Attributes
    ----------
    finding
        Whether it stayed within its margin.
    margin
        The margin: the largest loss that would not matter.
    p_worse
        One-sided p of a loss.
    p_worse_adjusted
        The same, adjusted for the number of guards (Holm).
    study
        The measure's own study.
    """

    finding: GuardFinding
    _: KW_ONLY
    margin: float
    p_worse: float | None
    p_worse_adjusted: float | None
    study: MeasureStudy = field(metadata={"load": load_record("MeasureStudy")})


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PredictionCheck(Record):
    """A prediction, checked against what was found.

    Attributes
    ----------
    prediction
        The prediction.
    finding
        Whether it came true.
    is_certain
        Whether the whole 90% interval of the change lies in the predicted region.
    is_hit
        Whether the change itself lies in the region; empty without a change to compare or while the window is open.
    brier
        (belief - hit)^2: 0 for a sure and right prediction, 1 for a sure and wrong one.
    effect
        The change.
    lo
        Lower end of its 90% interval.
    hi
        Upper end of its 90% interval.
    """

    prediction: Prediction = field(metadata={"load": load_record("Prediction")})
    _: KW_ONLY
    finding: PredictionFinding
    is_certain: bool
    is_hit: bool | None
    brier: float | None
    effect: float | None
    lo: float | None
    hi: float | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Study(StudyFace):
    """What a study found: the findings, the recommendation, the caveats, and all that is needed to compute it again.

    Attributes
    ----------
    as_of
        The date of the study: no later data were read.
    signal
        The signal of the outcome.
    prediction
        The worst of the predictions.
    fidelity
        Whether the change was carried out as planned: by the team's word and by the checklist, the lesser of the two.
    guards
        The worst of the guards; `not_worse` if there are none, with a caveat.
    process
        The process measures.
    recommendation
        What the findings allow; people decide.
    reasons
        Why; the first reason is the one that decides.
    caveats
        What may not be concluded, and why; `at` names the measure.
    outcome
        The outcome in detail.
    process_checks
        The process measures in detail.
    guard_checks
        The guards in detail.
    prediction_checks
        The predictions in detail.
    plan
        The plan that was studied, as it was locked: with it a study can be read, drawn and computed again on its own.
    is_preregistered
        Whether the plan was locked before any point of the test window.
    has_lag_elapsed
        Whether the test lasted until the change could be expected to show.
    n_tries
        Fair tries of the same idea, this one included if it is one.
    plan_hash
        SHA-256 of the plan.
    inputs_hash
        SHA-256 of the points that were read.
    engine_version
        The version of brightspot that computed the study.
    fidelity_score
        The share of the plan that was carried out, where it was counted.
    learned
        What the team learned, in its own words.

    Examples
    --------
    >>> import brightspot as bs
    >>> plan = bs.Plan(
    ...     aim="Fractions secure by winter", change="Number talks", outcome=bs.Measure("exit ticket", value="score"),
    ...     predictions=[bs.Prediction("exit ticket", at_least=3.0, belief=0.7)],
    ...     baseline=("2026-09-01", "2026-10-25"), test=("2026-10-26", "2026-12-11"),
    ... )
    >>> tickets = bs.datasets.district(seed=1).exit_tickets.filter(plc_id="S02-G5")
    >>> study = bs.study(plan, tickets, as_of="2026-12-14")
    >>> study.signal, study.recommendation, study.reasons
    ('improved', 'continue_test', ('not_preregistered',))
    """

    as_of: date = field(metadata={"load": load_date})
    _: KW_ONLY
    signal: Signal
    prediction: PredictionFinding
    fidelity: Fidelity
    guards: GuardFinding
    process: ProcessFinding
    recommendation: Choice
    reasons: Sequence[Reason] = field(metadata={"load": load_tuple})
    caveats: Sequence[Note] = field(metadata={"load": load_each(load_note)})
    outcome: MeasureStudy = field(metadata={"load": load_record("MeasureStudy")})
    process_checks: Sequence[MeasureStudy] = field(metadata={"load": load_each(load_record("MeasureStudy"))})
    guard_checks: Sequence[GuardCheck] = field(metadata={"load": load_each(load_record("GuardCheck"))})
    prediction_checks: Sequence[PredictionCheck] = field(metadata={"load": load_each(load_record("PredictionCheck"))})
    plan: Plan = field(metadata={"load": load_record("Plan")})
    is_preregistered: bool
    has_lag_elapsed: bool
    n_tries: int
    plan_hash: str
    inputs_hash: str
    engine_version: str
    fidelity_score: float | None = None
    learned: str = ""

    if TYPE_CHECKING:

        def __init__(self, as_of: Day, *, signal: Signal, prediction: PredictionFinding, fidelity: Fidelity, guards: GuardFinding, process: ProcessFinding, recommendation: Choice, reasons: Sequence[Reason], caveats: Sequence[Note], outcome: MeasureStudy, process_checks: Sequence[MeasureStudy], guard_checks: Sequence[GuardCheck], prediction_checks: Sequence[PredictionCheck], plan: Plan, is_preregistered: bool, has_lag_elapsed: bool, n_tries: int, plan_hash: str, inputs_hash: str, engine_version: str, fidelity_score: float | None = ..., learned: str = ...) -> None: ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Amendment(Record):
    """A note beside the locked plan.

    Attributes
    ----------
    note
        What is different from the plan, and why.
    by
        Who amended.
    at
        When.
    is_after_data
        Whether it came after the first day of the test window, when data could have been seen.
    """

    note: str
    _: KW_ONLY
    by: str
    at: datetime = field(metadata={"load": load_moment})
    is_after_data: bool

    if TYPE_CHECKING:

        def __init__(self, note: str, *, by: str, at: Moment, is_after_data: bool) -> None: ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Decision(Record):
    """What the team decided.

    Attributes
    ----------
    chosen
        What the team chose.
    recommended
        What the last study recommended.
    is_override
        Whether the team chose otherwise than was recommended.
    by
        Who recorded the decision.
    at
        When.
    reason
        Why; an override needs a reason.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import brightspot as bs
    >>> plan = bs.Plan(
    ...     aim="Fractions secure by winter", change="Number talks", outcome=bs.Measure("exit ticket", value="score"),
    ...     predictions=[bs.Prediction("exit ticket", at_least=3.0, belief=0.7)],
    ...     baseline=("2026-09-01", "2026-10-25"), test=("2026-10-26", "2026-12-11"),
    ... )
    >>> with tempfile.TemporaryDirectory() as folder, bs.Journal(Path(folder) / "plc.db") as journal:
    ...     id = journal.draft(plan, by="Kim", at="2026-10-20").id
    ...     _ = journal.lock(id, by="Kim", at="2026-10-25"), journal.start(id, by="Kim", at="2026-10-26")
    ...     _ = journal.do(id, as_planned="fully", by="Kim", at="2026-12-11")
    ...     tickets = bs.datasets.district(seed=1).exit_tickets.filter(plc_id="S02-G5")
    ...     _ = journal.study(id, tickets, as_of="2026-12-14", at="2026-12-14")
    ...     cycle = journal.decide(id, "adopt", by="Kim", at="2026-12-15")
    >>> cycle.decision.chosen, cycle.decision.is_override
    ('adopt', False)
    """

    chosen: Choice
    _: KW_ONLY
    recommended: Choice
    is_override: bool
    by: str
    at: datetime = field(metadata={"load": load_moment})
    reason: str = ""

    if TYPE_CHECKING:

        def __init__(self, chosen: Choice, *, recommended: Choice, is_override: bool, by: str, at: Moment, reason: str = ...) -> None: ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Cancellation(Record):
    """Why and when a cycle was given up.

    Attributes
    ----------
    reason
        Why.
    by
        Who recorded it.
    at
        When.
    """

    reason: str
    _: KW_ONLY
    by: str
    at: datetime = field(metadata={"load": load_moment})

    if TYPE_CHECKING:

        def __init__(self, reason: str, *, by: str, at: Moment) -> None: ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Cycle(CycleFace):
    """A cycle as it stands: plan, do, study, act.

    Attributes
    ----------
    id
        Its id.
    state
        Where it stands.
    version
        How many events have made it.
    plan
        The plan; from the lock on it does not change.
    created_by
        Who drafted it.
    created_at
        When it was drafted.
    plan_hash
        SHA-256 of the locked plan.
    locked_at
        When the plan was locked.
    started_at
        When the test was started.
    amendments
        Notes beside the locked plan.
    doing
        What was done, as last recorded.
    studies
        All studies, the oldest first.
    decision
        What the team decided.
    cancelled
        Why it was given up.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import brightspot as bs
    >>> plan = bs.Plan(
    ...     aim="Fractions secure by winter", change="Number talks", outcome=bs.Measure("exit ticket", value="score"),
    ...     predictions=[bs.Prediction("exit ticket", at_least=3.0, belief=0.7)],
    ...     baseline=("2026-09-01", "2026-10-25"), test=("2026-10-26", "2026-12-11"),
    ... )
    >>> with tempfile.TemporaryDirectory() as folder, bs.Journal(Path(folder) / "plc.db") as journal:
    ...     id = journal.draft(plan, by="Kim", at="2026-10-20").id
    ...     _ = journal.lock(id, by="Kim", at="2026-10-25"), journal.start(id, by="Kim", at="2026-10-26")
    ...     _ = journal.do(id, as_planned="fully", by="Kim", at="2026-12-11")
    ...     tickets = bs.datasets.district(seed=1).exit_tickets.filter(plc_id="S02-G5")
    ...     _ = journal.study(id, tickets, as_of="2026-12-14", at="2026-12-14")
    ...     cycle = journal.decide(id, "adopt", by="Kim", at="2026-12-15")
    >>> cycle.state, cycle.study.recommendation
    ('decided', 'adopt')
    """

    id: str
    _: KW_ONLY
    state: State
    version: int
    plan: Plan = field(metadata={"load": load_record("Plan")})
    created_by: str
    created_at: datetime = field(metadata={"load": load_moment})
    plan_hash: str | None = None
    locked_at: datetime | None = field(default=None, metadata={"load": load_optional(load_moment)})
    started_at: datetime | None = field(default=None, metadata={"load": load_optional(load_moment)})
    amendments: Sequence[Amendment] = field(default=(), metadata={"load": load_each(load_record("Amendment"))})
    doing: Doing | None = field(default=None, metadata={"load": load_optional(load_record("Doing"))})
    studies: Sequence[Study] = field(default=(), metadata={"load": load_each(load_record("Study"))})
    decision: Decision | None = field(default=None, metadata={"load": load_optional(load_record("Decision"))})
    cancelled: Cancellation | None = field(default=None, metadata={"load": load_optional(load_record("Cancellation"))})

    if TYPE_CHECKING:

        def __init__(self, id: str, *, state: State, version: int, plan: Plan, created_by: str, created_at: Moment, plan_hash: str | None = ..., locked_at: Moment | None = ..., started_at: Moment | None = ..., amendments: Sequence[Amendment] = ..., doing: Doing | None = ..., studies: Sequence[Study] = ..., decision: Decision | None = ..., cancelled: Cancellation | None = ...) -> None: ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Origin(Record):
    """Where a practice comes from. What became of practices from data and from people can be compared later.

    Attributes
    ----------
    kind
        Data or a person.
    source
        Who suspected it, or which analysis.
    outcome
        The outcome with which it is associated.
    adjusted_for
        What the association is adjusted for.
    finding
        The finding of the analysis.
    n_users
        Units that used it.
    n_others
        Units that did not.
    estimate
        By how much users were above others under the same conditions, in the outcome's unit.
    se
        Its standard error.
    prob_positive
        The probability that users are above others.
    q_value
        The expected share of false ones among practices at least as probable.
    share_bright
        The share of bright rooms that used it.
    share_typical
        The share of matched ordinary rooms that used it.

    Examples
    --------
    >>> import brightspot as bs
    >>> bs.Origin(source="Ms. Rivera, room 4").kind
    'person'
    """

    kind: OriginKind = "person"
    _: KW_ONLY
    source: str = ""
    outcome: str = ""
    adjusted_for: Sequence[str] = field(default=(), metadata={"load": load_tuple})
    finding: str = ""
    n_users: int | None = None
    n_others: int | None = None
    estimate: float | None = None
    se: float | None = None
    prob_positive: float | None = None
    q_value: float | None = None
    share_bright: float | None = None
    share_typical: float | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Retirement(Record):
    """Why a practice is no longer worked on.

    Attributes
    ----------
    reason
        Why.
    on
        From which day on.
    by
        Who says so.

    Examples
    --------
    >>> import brightspot as bs
    >>> bs.Retirement("Replaced by number talks", on="2027-04-01").on
    datetime.date(2027, 4, 1)
    """

    reason: str
    _: KW_ONLY
    on: date = field(metadata={"load": load_date})
    by: str = ""

    if TYPE_CHECKING:

        def __init__(self, reason: str, *, on: Day, by: str = ...) -> None: ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Practice(Record):
    """Something people do, described so that others can do it. How far it has come is computed from its cycles and its
    adoptions, never stored.

    Attributes
    ----------
    title
        What it is called; the plans of its cycles name it so.
    what
        What people do, in a few sentences.
    active_ingredients
        What must be there for it to be this practice.
    not_this
        What is easily taken for it and is not.
    fidelity
        The items of the checklist by which an observer tells how faithfully it is used.
    origin
        Where it comes from.
    contexts
        The conditions in which it was seen or is meant ("grade": "5").
    originator
        Who it was learned from; cycles of this person or team do not count as those of others.
    consent
        Whether the originator agrees to be named where the practice is shared.
    retired
        Why and since when it is no longer worked on.

    Examples
    --------
    >>> import brightspot as bs
    >>> practice = bs.Practice("exit tickets", what="One question at the end, answered alone.")
    >>> practice.origin.kind, practice.consent
    ('person', False)
    """

    title: str
    _: KW_ONLY
    what: str = ""
    active_ingredients: Sequence[str] = field(default=(), metadata={"load": load_tuple})
    not_this: Sequence[str] = field(default=(), metadata={"load": load_tuple})
    fidelity: Sequence[str] = field(default=(), metadata={"load": load_tuple})
    origin: Origin = field(default_factory=Origin, metadata={"load": load_record("Origin")})
    contexts: Sequence[Mapping[str, str]] = field(default=(), metadata={"load": load_each(load_mapping)})
    originator: str = ""
    consent: bool = False
    retired: Retirement | None = field(default=None, metadata={"load": load_optional(load_record("Retirement"))})


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Adoption(Record):
    """A place that was offered a practice, and what became of it.

    Attributes
    ----------
    unit
        The classroom, team or school.
    offered
        The day on which it was offered.
    practice
        The title of the practice; to be given where adoptions of several practices lie together, as in a journal.
    tried
        The first day on which it was used.
    last_seen
        The last day on which it was seen in use.
    stopped
        The day on which it was given up.
    context
        The conditions there.

    Examples
    --------
    >>> import brightspot as bs
    >>> bs.Adoption("Room 12", offered="2026-10-05", tried="2026-10-12").tried
    datetime.date(2026, 10, 12)
    """

    unit: str
    _: KW_ONLY
    offered: date = field(metadata={"load": load_date})
    practice: str | None = None
    tried: date | None = field(default=None, metadata={"load": load_optional(load_date)})
    last_seen: date | None = field(default=None, metadata={"load": load_optional(load_date)})
    stopped: date | None = field(default=None, metadata={"load": load_optional(load_date)})
    context: Mapping[str, str] = field(default_factory=dict[str, str], metadata={"load": load_mapping})

    if TYPE_CHECKING:

        def __init__(self, unit: str, *, offered: Day, practice: str | None = ..., tried: Day | None = ..., last_seen: Day | None = ..., stopped: Day | None = ..., context: Mapping[str, str] = ...) -> None: ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PracticeRules(Record):
    """How much each gate asks for.

    Attributes
    ----------
    closed_cycles
        Closed cycles, at least.
    other_adopters
        People or teams other than the originator who adopted it, at least.
    contexts
        Different conditions under which it was adopted, at least.
    level
        The level of the interval of the pooled effect, whose lower end must be above 0.
    keep_days
        Days after which a place that tried it is asked whether it still uses it.
    keep_rate
        The share of those places that still do, at least.
    kept_units
        Places asked, at least.
    term_days
        Days of a term.

    Examples
    --------
    >>> import brightspot as bs
    >>> bs.PracticeRules(closed_cycles=4).other_adopters
    2
    """

    closed_cycles: int = 3
    _: KW_ONLY
    other_adopters: int = 2
    contexts: int = 2
    level: float = 0.9
    keep_days: int = 60
    keep_rate: float = 0.8
    kept_units: int = 5
    term_days: int = 90


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GateCheck(Record):
    """A gate, and whether the practice passes it.

    Attributes
    ----------
    state
        The state that it belongs to.
    gate
        The gate.
    is_passed
        Whether it is passed.
    missing
        What is missing, in plain words; empty where it is passed.
    """

    state: PracticeState
    _: KW_ONLY
    gate: Gate
    is_passed: bool
    missing: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PracticeStep(Record):
    """A state of a practice, and since when.

    Attributes
    ----------
    state
        The state.
    since
        The first day of it.
    """

    state: PracticeState
    _: KW_ONLY
    since: date = field(metadata={"load": load_date})

    if TYPE_CHECKING:

        def __init__(self, state: PracticeState, *, since: Day) -> None: ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PracticeCycle(Record):
    """A cycle of a practice, as it counts.

    Attributes
    ----------
    id
        The cycle.
    by
        The team that tested, or whoever drafted the cycle.
    is_by_originator
        Whether that is the originator of the practice, who does not count as another adopter.
    context
        The conditions, in words.
    starts
        First day of the test window.
    ends
        Last day of the test window.
    closed_on
        The day on which it was decided or given up.
    signal
        What the data said about the outcome.
    decision
        What was decided.
    is_harmful
        Whether a guard measure was harmed.
    estimate
        The effect, better being positive.
    lo
        The lower end of its 90% interval.
    hi
        The upper end.
    counts
        How it counts.
    """

    id: str
    _: KW_ONLY
    by: str
    is_by_originator: bool
    context: str
    starts: date = field(metadata={"load": load_date})
    ends: date = field(metadata={"load": load_date})
    closed_on: date | None = field(metadata={"load": load_optional(load_date)})
    signal: Signal | None
    decision: Choice | None
    is_harmful: bool
    estimate: float | None
    lo: float | None
    hi: float | None
    counts: CountsAs

    if TYPE_CHECKING:

        def __init__(self, id: str, *, by: str, is_by_originator: bool, context: str, starts: Day, ends: Day, closed_on: Day | None, signal: Signal | None, decision: Choice | None, is_harmful: bool, estimate: float | None, lo: float | None, hi: float | None, counts: CountsAs) -> None: ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PracticeStanding(StandingFace):
    """How far a practice has come, why, and what is missing for the next step.

    Attributes
    ----------
    practice
        The practice.
    as_of
        The day on which this holds; nothing later was read.
    state
        How far it has come.
    gates
        All gates.
    missing
        What is missing for the next state, in plain words.
    n_closed
        Closed cycles: all that were decided, whatever was decided.
    n_adopt
        Closed cycles by decision.
    n_adapt
        Closed cycles that were adapted.
    n_abandon
        Closed cycles that were abandoned.
    n_continue_test
        Closed cycles that continue the test.
    n_cancelled
        Cycles that were given up before a decision.
    n_without_estimate
        Closed cycles whose data gave no estimate; they count as closed and cannot be pooled.
    adopters
        People or teams other than the originator who adopted it.
    contexts
        Conditions under which it was adopted.
    failed_contexts
        Conditions under which it failed after it had been confirmed, and has not been adopted since.
    estimate
        The pooled effect, better being positive, in the unit of the shared measure; `None` with fewer than three.
    lo
        The lower end of its interval.
    hi
        The upper end.
    tau2
        The variance of true effects between cycles.
    n_offered
        Places that were offered it.
    n_tried
        Places that tried it.
    n_due
        Places that tried it long enough ago to say whether they keep it.
    n_kept
        Those of them that do.
    steps
        The states it has been in, the first one first; where it fell back, a state occurs again.
    cycles
        All of its cycles, in the order of their tests, each as it counts.

    Examples
    --------
    >>> import brightspot as bs
    >>> practice = bs.Practice("exit tickets", what="One question at the end, answered alone.")
    >>> standing = bs.practice_state(practice, as_of="2026-12-01")
    >>> standing.state, standing.n_closed
    ('suspected', 0)
    """

    practice: str
    _: KW_ONLY
    as_of: date = field(metadata={"load": load_date})
    state: PracticeState
    gates: Sequence[GateCheck] = field(metadata={"load": load_each(load_record("GateCheck"))})
    missing: Sequence[str] = field(metadata={"load": load_tuple})
    n_closed: int
    n_adopt: int
    n_adapt: int
    n_abandon: int
    n_continue_test: int
    n_cancelled: int
    n_without_estimate: int
    adopters: Sequence[str] = field(metadata={"load": load_tuple})
    contexts: Sequence[str] = field(metadata={"load": load_tuple})
    failed_contexts: Sequence[str] = field(metadata={"load": load_tuple})
    estimate: float | None
    lo: float | None
    hi: float | None
    tau2: float | None
    n_offered: int
    n_tried: int
    n_due: int
    n_kept: int
    steps: Sequence[PracticeStep] = field(default=(), metadata={"load": load_each(load_record("PracticeStep"))})
    cycles: Sequence[PracticeCycle] = field(default=(), metadata={"load": load_each(load_record("PracticeCycle"))})

    if TYPE_CHECKING:

        def __init__(self, practice: str, *, as_of: Day, state: PracticeState, gates: Sequence[GateCheck], missing: Sequence[str], n_closed: int, n_adopt: int, n_adapt: int, n_abandon: int, n_continue_test: int, n_cancelled: int, n_without_estimate: int, adopters: Sequence[str], contexts: Sequence[str], failed_contexts: Sequence[str], estimate: float | None, lo: float | None, hi: float | None, tau2: float | None, n_offered: int, n_tried: int, n_due: int, n_kept: int, steps: Sequence[PracticeStep] = ..., cycles: Sequence[PracticeCycle] = ...) -> None: ...


__all__ = [
    "Adoption",
    "Amendment",
    "Analysis",
    "Cancellation",
    "Choice",
    "ChosenBecause",
    "ClassStudy",
    "Comparison",
    "CountsAs",
    "Cycle",
    "Decision",
    "Direction",
    "Doing",
    "Fidelity",
    "FidelityRule",
    "Gate",
    "GateCheck",
    "Guard",
    "GuardCheck",
    "GuardFinding",
    "Measure",
    "MeasureKind",
    "MeasureRole",
    "MeasureStudy",
    "Origin",
    "OriginKind",
    "Plan",
    "Point",
    "Practice",
    "PracticeCycle",
    "PracticeRules",
    "PracticeStanding",
    "PracticeState",
    "PracticeStep",
    "Prediction",
    "PredictionCheck",
    "PredictionFinding",
    "ProcessFinding",
    "Reason",
    "RegressionToMean",
    "Retirement",
    "Selection",
    "Side",
    "Signal",
    "State",
    "Study",
    "Task",
]
