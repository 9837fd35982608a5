"""Sentences that go with the study of a cycle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from brightspot.words.numbers import (
    LONG_NAME,
    capital,
    clipped,
    counted,
    day,
    in_step,
    listed,
    noun,
    number,
    share,
    signed,
    span,
)

if TYPE_CHECKING:
    from brightspot._records import Cycle, Measure, MeasureStudy, Prediction, Study


@dataclass(frozen=True, slots=True)
class Scale:
    """How the values of a measure are written: proportions in percent, all others as they are.

    Attributes
    ----------
    unit
        The unit of a difference.
    is_share
        Whether the values are proportions.
    """

    unit: str = ""
    is_share: bool = False

    @classmethod
    def of(cls, measure: Measure) -> Scale:
        """The scale of a measure."""
        is_share = measure.kind == "proportion"
        return cls("percentage points" if is_share else measure.unit_of_value, is_share)

    def in_unit(self, value: float) -> float:
        """A difference in its unit."""
        return 100 * value if self.is_share else value

    def level(self, value: float | None, *, bare: bool = False) -> str:
        """A value: "6.7%", "9.9 points", or without its unit."""
        if self.is_share:
            return share(value)
        return number(value) if bare or value is None else self.with_unit(number(value))

    def size(self, value: float) -> str:
        """A difference without its sign: "1.5 percentage points"."""
        return self.with_unit(number(abs(self.in_unit(value))))

    def signed(self, value: float, *, bare: bool = False) -> str:
        """A difference with its sign: "−1.5 percentage points", or without its unit."""
        text = signed(self.in_unit(value))
        return text if bare else self.with_unit(text)

    def likely(self, low: float, high: float) -> str:
        """An interval of a difference: "−0.62 to +0.35 percentage points"."""
        ends = [self.in_unit(low), self.in_unit(high)]
        first, last = (in_step(end, ends[1] - ends[0]) for end in ends)
        return f"{first} to {self.with_unit(last)}"

    def with_unit(self, text: str) -> str:
        """A number that is already written, with the unit behind it."""
        unit = self.unit[:-1] if text.lstrip("+−") == "1" and self.unit.endswith("points") else self.unit
        return f"{text} {unit}" if unit else text


def scale(study: Study, measure: str) -> Scale:
    """How the values of one of the plan's measures are written."""
    return next((Scale.of(one) for one in measures(study) if one.name == measure), Scale())


def measures(study: Study) -> list[Measure]:
    """The plan's measures: the outcome, those of the process, the guards."""
    return [study.plan.outcome, *study.plan.process, *(guard.measure for guard in study.plan.guards)]


def region(prediction: Prediction, unit: str = "", on: Scale | None = None) -> str:
    """The region of a prediction in words: "at least +3 points"; ``on`` writes proportions in percent."""
    scale = on or Scale(unit)
    if prediction.at_least is not None:
        return f"at least {scale.signed(prediction.at_least)}"
    if prediction.at_most is not None:
        if prediction.at_most < 0:
            return f"a fall of at least {scale.size(prediction.at_most)}"
        return f"at most {scale.signed(prediction.at_most)}"
    if prediction.between is not None:
        low, high = prediction.between
        return f"between {scale.signed(low, bare=True)} and {scale.signed(high)}"
    if prediction.no_worse_than is not None:
        return f"a loss of no more than {scale.size(prediction.no_worse_than)}"
    return "a change for the better" if prediction.direction == "improve" else "a change for the worse"


MET = {"met": "met", "not_met": "not met", "undecided": "still open"}


def change(one: MeasureStudy, on: Scale | None = None) -> str:
    """What one measure did, with its interval: "rose by 4.1 points (likely between +1.2 and +7)"."""
    scale = on or Scale(one.unit_of_value)
    if one.effect is None:
        return "could not be compared"
    if one.lo is None or one.hi is None:
        return f"{_moved(one, scale, scale.size(one.effect))} (no interval can be given)"
    # As many decimals as the interval makes worth reading, the same for all three numbers.
    low, high = scale.in_unit(one.lo), scale.in_unit(one.hi)
    size = in_step(abs(scale.in_unit(one.effect)), high - low, is_signed=False)
    moved = _moved(one, scale, scale.with_unit(size))
    likely = f"likely between {in_step(low, high - low)} and {in_step(high, high - low)}"
    return f"{moved} ({likely}{_as_ratio(one)})"


def _moved(one: MeasureStudy, scale: Scale, size: str) -> str:
    effect = one.effect or 0.0
    if one.standard is not None:
        where = "above" if effect > 0 else "below"
        place = "on" if effect == 0 else f"{size} {where}"
        return f"was {scale.level(one.mean_after)}, {place} the standard of {scale.level(one.standard)}"
    if one.classes:
        tried = "in the classes that tried the change"
        if effect == 0:
            return f"gained as much {tried} as in the others"
        return f"gained {size} {'more' if effect > 0 else 'less'} {tried} than in the others"
    moved = "did not move" if effect == 0 else f"{'rose' if effect > 0 else 'fell'} by {size}"
    if one.regression is not None and one.regression.expected:
        return f"{moved} beyond what a return to the usual level would bring"
    return moved


def _as_ratio(one: MeasureStudy) -> str:
    """A change of a rate as a share of the rate before; empty where there was none, or something was taken off."""
    if one.ratio is None or one.ratio_lo is None or one.ratio_hi is None or one.regression is not None:
        return ""
    low, high = share(one.ratio_lo), share(one.ratio_hi)
    return f"; {share(one.ratio)} of the rate before, likely {low} to {high}"


def seen(one: MeasureStudy, thing: str = "point") -> str:
    """On what a verdict rests: "8 points before, 6 after"."""
    if one.classes:
        tried = sum(1 for found in one.classes if found.is_treated)
        others, students = len(one.classes) - tried, sum(found.n for found in one.classes)
        classes = f"{tried} {'class' if tried == 1 else 'classes'} and {others} to compare with"
        return f"{classes}, {counted(students, 'student')}"
    if one.standard is not None:
        return counted(one.n_after, thing)
    return f"{counted(one.n_before, thing)} before, {one.n_after} after"


def start(one: MeasureStudy) -> float | None:
    """The level from which a change is counted: what would have been expected without it."""
    if one.standard is not None:
        return one.standard
    if one.classes or one.regression is not None:
        return None if one.mean_after is None or one.effect is None else one.mean_after - one.effect
    return one.mean_before


METHODS = {
    "series": "Means of the two windows compared, with 90% intervals that allow for autocorrelation",
    "proportions": (
        "Proportions of the two windows compared, from counts by date, with 90% intervals that allow for "
        "overdispersion and autocorrelation (Agresti and Caffo)"
    ),
    "rates": (
        "Rates of the two windows compared, from counts by date, by the conditional test, with 90% intervals that "
        "allow for overdispersion and autocorrelation"
    ),
    "two_totals": "Two totals compared by the exact conditional test, with 90% intervals; events taken as independent",
    "standard": "All counts together held against the standard by the exact tail, with 90% intervals (Clopper-Pearson)",
    "ancova": (
        "Classes compared, each counted once: means after, less what the students' scores before explain, with 90% "
        "intervals (Bell and McCaffrey)"
    ),
    "difference_in_differences": (
        "Classes compared, each counted once: mean gains, with 90% intervals (Bell and McCaffrey)"
    ),
}
"""How a measure was judged."""


VERDICTS = {
    "improved": "more than chance explains, and for the better",
    "worsened": "more than chance explains, and for the worse",
    "no_signal": "no more than chance explains",
    "insufficient": "no verdict can be given",
}


SHORT_OF = {"improved": "beyond the standard by more than chance", "worsened": "short of it by more than chance"}
"""Verdicts on a measure with a standard."""


def _said(one: MeasureStudy) -> str:
    """The verdict on one measure, in words that follow a colon."""
    return SHORT_OF.get(one.signal, VERDICTS[one.signal]) if one.standard is not None else VERDICTS[one.signal]


def verdict(study: Study, thing: str = "point") -> str:
    """The verdict on the outcome in one sentence: what moved, how much, how sure, and what was predicted.

    ``thing`` is what one point is called, where "points" could be taken for those of the score.
    """
    one = study.outcome
    on = scale(study, one.measure)
    points = seen(one, thing)
    name = clipped(one.measure, LONG_NAME)
    rests = f" ({points})" if one.effect is None else f", from {points}"
    start = f"{capital(name)} {change(one, on)}{rests}: {_said(one)}."
    checks = [check for check in study.prediction_checks if check.prediction.measure == one.measure]
    if not checks:
        return start
    said = listed([f"{region(check.prediction, on=on)}: {MET[check.finding]}" for check in checks])
    return f"{start} You predicted {said}."


CHOICES = {
    "adopt": "Adopt it at this scale",
    "adapt": "Adapt it and test again",
    "abandon": "Abandon it",
    "continue_test": "Keep testing",
}


REASONS = {
    "interim": "The test is still running, and nothing has been recorded yet of what was done.",
    "not_preregistered": "The plan was not locked before the data came, so the findings can only suggest what to test.",
    "untested_idea": "The change was not carried out, or nobody said whether it was: the idea itself is untested.",
    "pause": "A guard measure got worse: pause and find out why before going on.",
    "harm_no_benefit": "A guard measure got worse and the outcome did not improve.",
    "benefit_with_harm": "The outcome improved, but a guard measure got worse.",
    "insufficient_evidence": "There is not enough evidence for a verdict yet.",
    "worse": "The outcome got worse.",
    "confirmed_here": "The outcome improved as predicted, and the change was carried out as planned.",
    "less_than_predicted": "The outcome improved, but the prediction was not clearly met.",
    "guard_unknown": "The outcome improved, but whether something else got worse cannot be told.",
    "partly_done": "The outcome improved, though the change was only partly carried out.",
    "too_early": "It is too early for the change to show.",
    "driver_moved_outcome_did_not": (
        "The process moved and the outcome did not: the idea of how one drives the other is in doubt."
    ),
    "no_mechanism_yet": "Neither process nor outcome moved: change how the idea is carried out, and test again.",
    "tried_fairly": "The idea was tried fairly more than once, and its prediction failed each time.",
    "underpowered": "Tried fairly more than once without a signal, but too few data to rule out the predicted gain.",
}


def reasons(study: Study) -> list[str]:
    """Why the evidence suggests what it does, the reason that decides first."""
    if study.outcome.standard is not None and study.signal == "worsened" and study.reasons[0] == "no_mechanism_yet":
        return ["The outcome falls short of its standard: change how the idea is carried out, and test again."]
    unseen = {
        "no_mechanism_yet": (
            "The outcome did not move, and no process measure tells whether the change reached the classroom: change "
            "how it is carried out, measure that too, and test again."
        )
    }
    told = {**REASONS, **unseen} if study.process == "not_measured" else REASONS
    return [told[reason] for reason in study.reasons]


def recommendation(study: Study) -> str:
    """What the evidence suggests, with the reason that decides; people decide."""
    return f"{CHOICES[study.recommendation]}. {' '.join(reasons(study))}"


def study(study: Study) -> list[str]:
    """A study in plain words: the verdict, the fidelity and the guards, what the evidence suggests."""
    done = {
        "fully": "The change was carried out as planned.",
        "partly": "The change was carried out in part.",
        "not_done": "The change was not carried out.",
        "unknown": "Nobody has said whether the change was carried out.",
    }[study.fidelity]
    guards = {
        "not_worse": "No guard measure got worse by more than its margin."
        if study.guard_checks
        else "No guard measure was planned.",
        "harmed": "A guard measure got worse.",
        "cannot_tell": "Whether a guard measure got worse cannot be told.",
    }[study.guards]
    return [verdict(study), f"{done} {guards}", f"The evidence suggests: {recommendation(study)}"]


def cycle_dates(study: Study, locked_on: date | None = None) -> str:
    """When a cycle took place, and whether its plan was locked before the data."""
    locked = (
        (f"plan locked {day(locked_on)}, before the data" if locked_on else "plan locked before the data")
        if study.is_preregistered
        else "plan not locked in advance: exploratory"
    )
    return f"Before: {span(study.baseline)}. Test: {span(study.test)}. Studied {day(study.as_of)}; {locked}."


def decided(cycle: Cycle) -> str:
    """What became of a cycle after its study; empty while nothing is decided."""
    if cycle.cancelled is not None:
        return f"The cycle was given up on {day(cycle.cancelled.at)}: {cycle.cancelled.reason}"
    decision = cycle.decision
    if decision is None:
        return ""
    reason = f" Reason: {decision.reason.rstrip('.')}." if decision.reason else ""
    against = " This is not what the evidence suggested." if decision.is_override else ""
    return f"{CHOICES[decision.chosen]}. Decided {day(decision.at)}, recorded by {decision.by}.{reason}{against}"


def study_provenance(study: Study) -> str:
    """Where the numbers of a study come from: how far the data reach, how they were judged, hashes."""
    last = max((point.time for one in _all_studies(study) for point in one.points), default=None)
    through = "No data." if last is None else f"Data through {day(last)}."
    return (
        f"{through} {METHODS[study.outcome.method]}; a verdict needs the whole interval on one side of no change. "
        f"brightspot {study.engine_version}, plan {study.plan_hash[:8]}, data {study.inputs_hash[:8]}."
    )


def _all_studies(study: Study) -> list[MeasureStudy]:
    return [study.outcome, *study.process_checks, *(check.study for check in study.guard_checks)]


def judged(study: Study) -> list[MeasureStudy]:
    """All measures of a study: the outcome, those of the process, the guards."""
    return _all_studies(study)


def window(study: Study, time: date) -> str:
    """In which window a day lies."""
    for name, (first, last) in (("before", study.baseline), ("test", study.test)):
        if first <= time <= last:
            return name
    return "outside both"


def study_heading(study: Study) -> str:
    """The line above the picture of a study where everything else is said elsewhere: the outcome and its unit."""
    unit = scale(study, study.outcome.measure)
    name = capital(clipped(study.outcome.measure, LONG_NAME))
    return f"{name} ({clipped(unit.unit, LONG_NAME)})" if unit.unit and not unit.is_share else name


def cycle_place(study: Study) -> str:
    """Where the change is tested, as far as the plan says: the practice, the scale, the conditions."""
    plan = study.plan
    told = [plan.practice] if plan.practice and plan.practice not in (plan.change, plan.title) else []
    if plan.scale > 1:
        told.append(counted(plan.scale, "place"))
    told += [f"{noun(name)} {value}" for name, value in plan.context.items()]
    if study.n_tries > 1:
        told.append(f"fair try {study.n_tries} of the same idea")
    return capital(", ".join(told))


def study_picture(study: Study, one: MeasureStudy) -> list[str]:
    """The lines above the picture of a study: what the measure did, and what its marks mean."""
    told = f"{capital(change(one, scale(study, one.measure)))}: {_said(one)}."
    if one.classes:
        return [told, "Each dot is a class; the bars are the means of the two groups."]
    windows = (study.baseline, study.test)
    is_outside = any(not any(first <= point.time <= last for first, last in windows) for point in one.points)
    return [told, "Hollow points lie outside of both windows and are not counted."] if is_outside else [told]


def study_numbers(study: Study, one: MeasureStudy) -> str:
    """One measure of a study in numbers, for those who cannot see its picture."""
    on = scale(study, one.measure)
    did = f"It {change(one, on)}: {_said(one)}."
    after = f"{counted(one.n_after, 'value')} from {span(study.test)} with a mean of {on.level(one.mean_after)}"
    if one.classes:
        return f"{capital(one.measure)} by class, from {seen(one)}. {did}"
    if one.standard is not None:
        return f"{capital(one.measure)} over time: {after}; the standard is {on.level(one.standard)}. {did}"
    before = f"{counted(one.n_before, 'value')} from {span(study.baseline)} with a mean of {on.level(one.mean_before)}"
    return f"{capital(one.measure)} over time: {before}; {after}. {did}"


def predicted(prediction: Prediction, on: Scale) -> str:
    """The label of a predicted region."""
    return f"predicted: {region(prediction, on=on)}"


def margin(value: float, on: Scale) -> str:
    """The label of a guard's margin."""
    return f"margin: a loss of {on.size(value)}"
