"""Words for numbers, and the sentences that go with results: meaning is computed below, words are made last, here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brightspot._records import MeasureStudy, Prediction, Study
    from brightspot.bright import BrightSpots


def number(value: float | None, digits: int = 3) -> str:
    """Write a number for people: ``digits`` significant digits, no exponent for everyday sizes.

    >>> number(12.3456), number(-0.5), number(1234.5), number(None)
    ('12.3', '−0.5', '1,234', 'unknown')
    """
    if value is None or math.isnan(value):
        return "unknown"
    if value == 0 or math.isinf(value):
        return "0" if value == 0 else ("∞" if value > 0 else "−∞")
    magnitude = math.floor(math.log10(abs(value)))
    if not -4 <= magnitude < 9:
        return f"{value:.{digits - 1}e}"
    text = f"{abs(value):,.{max(0, digits - 1 - magnitude)}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"−{text}" if value < 0 else text


def signed(value: float | None, digits: int = 3) -> str:
    """A number with its sign.

    >>> signed(4.1), signed(-2)
    ('+4.1', '−2')
    """
    text = number(value, digits)
    return f"+{text}" if value is not None and value > 0 else text


def percent(probability: float | None) -> str:
    """A probability or share as a percentage; never a false 0% or 100%.

    >>> percent(0.934), percent(0.0003), percent(0.9999), percent(0.034)
    ('93%', 'less than 0.1%', 'more than 99.9%', '3.4%')
    """
    if probability is None or math.isnan(probability):
        return "unknown"
    if 0 < probability < 0.001:
        return "less than 0.1%"
    if 0.999 < probability < 1:
        return "more than 99.9%"
    share = 100 * probability
    return f"{share:.1f}%".replace(".0%", "%") if share < 9.95 or share > 99 else f"{share:.0f}%"


def share(value: float | None) -> str:
    """A share that was observed, as a percentage.

    >>> share(0.0672), share(0.9512), share(0.12), share(None)
    ('6.7%', '95.1%', '12%', 'unknown')
    """
    if value is None or math.isnan(value):
        return "unknown"
    return f"{number(100 * value, 2 if abs(value) < 0.0995 else 3)}%"


def day(value: date) -> str:
    """A date.

    >>> day(date(2026, 1, 5))
    '5 Jan 2026'
    """
    return f"{value.day} {value:%b} {value.year}"


def counted(count: int, thing: str, plural: str | None = None) -> str:
    """A count with its noun.

    >>> counted(1, "point"), counted(1200, "pupil"), counted(2, "class", "classes")
    ('1 point', '1,200 pupils', '2 classes')
    """
    return f"{count:,} {thing if count == 1 else plural or thing + 's'}"


def noun(column: str) -> str:
    """A column's name as a word in a sentence.

    >>> noun("teacher_id"), noun("prior_score")
    ('teacher', 'prior score')
    """
    return column.removesuffix("_id").replace("_", " ")


def listed(items: Sequence[str]) -> str:
    """Join items as in a sentence.

    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    return ", ".join(items[:-1]) + " and " + items[-1] if len(items) > 1 else "".join(items)


def run_chart(row: Mapping[str, Any], name: str = "", show: Callable[[float | None], str] = number) -> str:
    """One row of a run chart's summary as a sentence or two; ``show`` writes its values."""
    who = f"{name}: " if name else ""
    if row["center"] is None:
        return f"{who}{counted(row['n_obs'], 'point')}, no value to draw a centre line from."
    start = f"{who}{counted(row['n_obs'], 'point')} around a median of {show(row['center'])}. "
    if row["longest_run"] is None:
        return start + "No point lies off the centre line, so there is nothing to judge."
    seen = (
        f"the longest run is {row['longest_run']} (a signal above {row['longest_run_max']}) and the line is crossed "
        f"{counted(row['n_crossings'], 'time')} (a signal below {row['n_crossings_min']})"
    )
    meaning = {"improvement": " towards improvement", "deterioration": " towards the worse"}.get(row["meaning"], "")
    verdict = f"Something changed{meaning}" if row["has_signal"] else "No sign of change"
    chance = (
        ""
        if row["prob_runs"] is None
        else f" A stable process would show as much in {percent(row['prob_runs'])} of charts."
    )
    return f"{start}{verdict}: {seen}.{chance}"


def run_chart_heading(row: Mapping[str, Any]) -> str:
    """One row of a run chart's summary as the line above its picture."""
    if row["center"] is None:
        return "No value to draw a centre line from"
    if row["longest_run"] is None:
        return "No point lies off the centre line, so there is nothing to judge"
    told = {"improvement": "Change for the better", "deterioration": "Change for the worse", "neutral": "Change"}
    verdict = told.get(row["meaning"], "Change") if row["has_signal"] else "No sign of change"
    chance = (
        f"; {percent(row['prob_runs'])} of stable processes show as much"
        if row["has_signal"] and row["prob_runs"] is not None
        else ""
    )
    return (
        f"{verdict}: longest run {row['longest_run']} (signal above {row['longest_run_max']}), "
        f"{counted(row['n_crossings'], 'crossing')} (signal below {row['n_crossings_min']}){chance}"
    )


def run_charts_heading(n_charts: int, n_signals: int, *, own_scales: bool) -> str:
    """The line above small multiples of run charts.

    >>> run_charts_heading(12, 1, own_scales=True)
    '12 charts, 1 with a signal; the figure beside each is its median. Each has its own scale.'
    """
    signals = f"{n_signals} with a signal" if n_signals else "none with a signal"
    own = " Each has its own scale." if own_scales else ""
    return f"{counted(n_charts, 'chart')}, {signals}; the figure beside each is its median.{own}"


def bright_spots(found: BrightSpots) -> list[str]:
    """What a search for bright spots found, in plain words."""
    spec = found.spec
    rows, values = spec["spec"]["words"]["rows"], spec["spec"]["words"]["values"]
    unit, groups = noun(spec["unit"]), [noun(group) for group in spec["within"]]
    judged = found.units.filter("has_min_n").height
    peers = f"others in the same {groups[-1]}" if groups else "all others"
    told = (
        f" after adjusting for {listed([noun(name) for name in spec['adjust']])}"
        if spec["adjust"]
        else ", with nothing adjusted for"
    )
    start = (
        f"{counted(judged, unit)} with at least {spec['spec']['min_n']} {rows} were compared with {peers}{told}; an "
        f"advantage of {number(found.threshold)} {values} is taken as worth learning from."
    )
    n = found.candidates.height
    if n == 0:
        return [
            start,
            "Nobody stands out clearly enough to be a candidate: the differences are no larger than chance explains.",
        ]
    share = found.false_share or 0.0
    false = (
        f"about {percent(share)} of them are expected to be false"
        if n > 1
        else f"with a chance of {percent(share)} it is a false one"
    )
    return [start, f"{counted(n, 'candidate')} to learn from, in no order; {false}."]


def region(prediction: Prediction, unit: str = "") -> str:
    """The region of a prediction in words: "at least +3 points"."""
    of = f" {unit}" if unit else ""
    if prediction.at_least is not None:
        return f"at least {signed(prediction.at_least)}{of}"
    if prediction.at_most is not None:
        return f"at most {signed(prediction.at_most)}{of}"
    if prediction.between is not None:
        low, high = prediction.between
        return f"between {signed(low)} and {signed(high)}{of}"
    if prediction.no_worse_than is not None:
        return f"a loss of no more than {number(prediction.no_worse_than)}{of}"
    return "a change for the better" if prediction.direction == "improve" else "a change for the worse"


MET = {"met": "met", "not_met": "not met", "undecided": "still open"}


def change(one: MeasureStudy) -> str:
    """What one measure did, with its interval: "rose by 4.1 points (likely between +1.2 and +7)"."""
    of = f" {one.unit_of_value}" if one.unit_of_value else ""
    if one.effect is None:
        return "could not be compared"
    moved = (
        "did not move"
        if one.effect == 0
        else f"{'rose' if one.effect > 0 else 'fell'} by {number(abs(one.effect))}{of}"
    )
    if one.lo is None:
        return f"{moved} (no interval can be given)"
    return f"{moved} (likely between {signed(one.lo)} and {signed(one.hi)})"


VERDICTS = {
    "improved": "more than chance explains, and for the better",
    "worsened": "more than chance explains, and for the worse",
    "no_signal": "no more than chance explains",
    "insufficient": "no verdict can be given",
}


def verdict(study: Study) -> str:
    """The verdict on the outcome in one sentence: what moved, how much, how sure, and what was predicted."""
    one = study.outcome
    points = f"{counted(one.n_before, 'point')} before, {one.n_after} after"
    start = f"{one.measure[:1].upper()}{one.measure[1:]} {change(one)}, from {points}: {VERDICTS[study.signal]}."
    checks = [check for check in study.prediction_checks if check.prediction.measure == one.measure]
    if not checks:
        return start
    said = listed([f"{region(check.prediction, one.unit_of_value)}: {MET[check.finding]}" for check in checks])
    return f"{start} You predicted {said}."


CHOICES = {
    "adopt": "Adopt it at this scale",
    "adapt": "Adapt it and test again",
    "abandon": "Abandon it",
    "continue_test": "Keep testing",
}

REASONS = {
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
    "driver_moved_outcome_did_not": "The process moved and the outcome did not: the idea of how one drives the other is in doubt.",
    "no_mechanism_yet": "Neither process nor outcome moved: change how the idea is carried out, and test again.",
    "tried_fairly": "The idea was tried fairly more than once, and its prediction failed each time.",
    "underpowered": "Tried fairly more than once without a signal, but too few data to rule out the predicted gain.",
}


def recommendation(study: Study) -> str:
    """What the evidence suggests, with the reason that decides; people decide."""
    return f"{CHOICES[study.recommendation]}. {' '.join(REASONS[reason] for reason in study.reasons)}"


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
