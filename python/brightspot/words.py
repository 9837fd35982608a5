"""Words for numbers, and the sentences that go with results: meaning is computed below, words are made last, here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from brightspot._records import Cycle, Measure, MeasureStudy, Prediction, Study
    from brightspot._result import Note
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


def span(days: tuple[date, date]) -> str:
    """From one day to another.

    >>> span((date(2026, 9, 1), date(2026, 10, 25))), span((date(2026, 12, 1), date(2027, 1, 8)))
    ('1 Sep to 25 Oct 2026', '1 Dec 2026 to 8 Jan 2027')
    """
    first, last = days
    start = f"{first.day} {first:%b}" if first.year == last.year else day(first)
    return f"{start} to {day(last)}"


def in_step(value: float, width: float, *, is_signed: bool = True) -> str:
    """A number with as many decimals as its interval of this ``width`` makes worth reading, zeros kept.

    >>> in_step(3.6912, 2.41), in_step(-0.0848, 0.93), in_step(5, 60), in_step(5.02, 5.9, is_signed=False)
    ('+3.7', '−0.08', '+5', '5.0')
    """
    decimals = min(6, max(0, 1 - math.floor(math.log10(width)))) if 0 < width < math.inf else 2
    text = f"{abs(value):,.{decimals}f}"
    is_zero = not text.strip("0.,")
    sign = "" if is_zero else ("−" if value < 0 else ("+" if is_signed else ""))
    return f"{sign}{text}"


LONG_NAME, LONG_IN_CARD = 48, 32
"""From here on a name is shortened within a sentence, or where there is less room."""


def clipped(text: str, limit: int) -> str:
    """Text of at most ``limit`` characters, cut between words, with an ellipsis where something is missing.

    >>> clipped("Number talks at the start", 18), clipped("Number talks", 18), clipped("a" * 9, 5)
    ('Number talks at …', 'Number talks', 'aaaa…')
    """
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    kept = text[: limit - 1]
    return f"{kept[: kept.rindex(' ')].rstrip(',;:.')} …" if " " in kept[limit // 2 :] else f"{kept}…"


def capital(text: str) -> str:
    """Text with a capital first letter, the others as they are.

    >>> capital("exit ticket")
    'Exit ticket'
    """
    return f"{text[:1].upper()}{text[1:]}"


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


def run_phases_heading(n_phases: int, n_signals: int) -> str:
    """The line above a run chart with many phases.

    >>> run_phases_heading(6, 0)
    '6 phases, none with a signal within it'
    """
    return f"{counted(n_phases, 'phase')}, {n_signals or 'none'} with a signal within it"


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


def peers(spec: Mapping[str, Any], *, overall: bool = False) -> str:
    """Whom a unit is compared with: "other teachers of the same school"."""
    others = f"other {noun(spec['unit'])}s"
    groups = [noun(group) for group in spec["within"]]
    return f"{others} of the same {groups[-1]}" if groups and not overall else f"all {others}"


FINDINGS = {
    "bright": "candidate whichever period is left out",
    "promising": "candidate, consistency not known",
    "one_period": "candidate by its best period only",
    "not_distinguishable": "not told apart from peers",
}


def bright_picture(
    spec: Mapping[str, Any],
    n_shown: int,
    n_candidates: int,
    n_suppressed: int,
    n_unplaced: int = 0,
    *,
    false_share: float | None = None,
    is_labelled: bool = True,
) -> list[str]:
    """The lines above a picture of bright spots: what is shown, what is named, what is left out."""
    unit, rows = noun(spec["unit"]), spec["spec"]["words"]["rows"]
    if n_candidates == 0:
        told = f"{counted(n_shown, unit)}; nobody stands out clearly enough to be a candidate."
    else:
        doubt = (
            f"about {percent(false_share)} of them are expected to be false"
            if n_candidates > 1
            else f"with a chance of {percent(false_share)} it is a false one"
        )
        false = "" if false_share is None else f"; {doubt}"
        named = "" if is_labelled else " (too many to name here: see the table of candidates)"
        told = f"{counted(n_shown, unit)}; {counted(n_candidates, 'candidate')} to learn from{named}{false}."
    lines = [told]
    if n_suppressed:
        lines.append(
            f"Not shown: {counted(n_suppressed, unit)} with fewer than {spec['spec']['min_n']} {rows}, too few to "
            "judge."
        )
    if n_unplaced:
        lines.append(f"Not shown: {counted(n_unplaced, unit)} with too few peers to compare with.")
    return lines


def funnel_band(spec: Mapping[str, Any]) -> str:
    """What the band of a funnel means."""
    return (
        f"Grey: where 95% of {noun(spec['unit'])}s would fall by chance if they did not differ; the fewer "
        f"{spec['spec']['words']['rows']}, the wider."
    )


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
        return number(value) if bare or value is None else self._with_unit(number(value))

    def size(self, value: float) -> str:
        """A difference without its sign: "1.5 percentage points"."""
        return self._with_unit(number(abs(self.in_unit(value))))

    def signed(self, value: float, *, bare: bool = False) -> str:
        """A difference with its sign: "−1.5 percentage points", or without its unit."""
        text = signed(self.in_unit(value))
        return text if bare else self._with_unit(text)

    def _with_unit(self, text: str) -> str:
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
    moved = "did not move" if one.effect == 0 else f"{'rose' if one.effect > 0 else 'fell'} by {scale.size(one.effect)}"
    if one.lo is None or one.hi is None:
        return f"{moved} (no interval can be given)"
    return f"{moved} (likely between {scale.signed(one.lo, bare=True)} and {scale.signed(one.hi, bare=True)})"


VERDICTS = {
    "improved": "more than chance explains, and for the better",
    "worsened": "more than chance explains, and for the worse",
    "no_signal": "no more than chance explains",
    "insufficient": "no verdict can be given",
}


def verdict(study: Study, thing: str = "point") -> str:
    """The verdict on the outcome in one sentence: what moved, how much, how sure, and what was predicted.

    ``thing`` is what one point is called, where "points" could be taken for those of the score.
    """
    one = study.outcome
    on = scale(study, one.measure)
    points = f"{counted(one.n_before, thing)} before, {one.n_after} after"
    name = clipped(one.measure, LONG_NAME)
    seen = f" ({points})" if one.effect is None else f", from {points}"
    start = f"{capital(name)} {change(one, on)}{seen}: {VERDICTS[study.signal]}."
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


# What follows is written on pages: for those who read one sheet of paper and nothing else.

Tone = Literal["good", "bad", "even", "unknown"]
"""What a finding's shape and colour say; its word says it too."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding, as it stands on a page: what was asked, the answer in a word or two, and why."""

    name: str
    word: str
    tone: Tone
    why: str


@dataclass(frozen=True, slots=True)
class Caution:
    """What may not be concluded, and why not."""

    claim: str
    why: str


AGAINST = ("no_series", "no_direction", "interim", "too_few_points", "zero_variance", "unstable_baseline")
"""Caveats that stand against a verdict on a measure."""


def _short(name: str) -> str:
    return clipped(name, LONG_IN_CARD)


def no_verdict(study: Study, measure: str) -> str:
    """Why there is no verdict on a measure; empty where nothing stands against one."""
    notes = [note for note in study.caveats if note.at == measure and note.code in AGAINST]
    if not notes:
        return ""
    note = min(notes, key=lambda note: AGAINST.index(note.code))
    return {
        "no_series": "No data were given.",
        "no_direction": "The plan does not say which way is better.",
        "interim": f"The test runs until {day(study.test[1])}.",
        "too_few_points": f"Only {counted(note.count, 'date')} with data in one of the windows; 3 are needed.",
        "zero_variance": "The values do not vary, so chance cannot be judged.",
        "unstable_baseline": "It was already changing before the test.",
    }[note.code]


def _levels(study: Study, one: MeasureStudy) -> str:
    on = scale(study, one.measure)
    if one.mean_before is None or one.mean_after is None:
        seen = [("before", one.mean_before), ("after", one.mean_after)]
        return " ".join(f"Mean {on.level(mean)} {when}." for when, mean in seen if mean is not None)
    return f"Mean {on.level(one.mean_before, bare=True)} before, {on.level(one.mean_after)} after."


def finding_signal(study: Study) -> Finding:
    """What the outcome did."""
    one = study.outcome
    word, tone = _SIGNALS[study.signal]
    why = _levels(study, one)
    if study.signal == "insufficient":
        why = f"{no_verdict(study, one.measure)} {why}".strip()
    elif study.signal == "no_signal":
        why += " The likely range includes no change."
    else:
        p = one.p_better if study.signal == "improved" else one.p_worse
        why += "" if p is None else f" Chance alone would show as much in {percent(p)} of tests."
    return Finding("Signal", word, tone, why.strip())


_SIGNALS: dict[str, tuple[str, Tone]] = {
    "improved": ("Improved", "good"),
    "worsened": ("Got worse", "bad"),
    "no_signal": ("No clear change", "even"),
    "insufficient": ("No verdict", "unknown"),
}

_PREDICTIONS: dict[str, tuple[str, Tone]] = {
    "met": ("Met", "good"),
    "not_met": ("Not met", "bad"),
    "undecided": ("Still open", "unknown"),
}


def finding_prediction(study: Study) -> Finding:
    """Whether what was predicted came true."""
    checks = study.prediction_checks
    if not checks:
        return Finding("Prediction", "None made", "unknown", "Nobody said beforehand what to expect.")
    worst = min(checks, key=lambda check: ("not_met", "undecided", "met").index(check.finding))
    said = capital(region(worst.prediction, on=scale(study, worst.prediction.measure)))
    about = worst.prediction.measure
    of = "" if about == study.outcome.measure else f" ({_short(about)})"
    sure = "" if worst.prediction.belief is None else f", {percent(worst.prediction.belief)} sure"
    if worst.finding == "met":
        told = (
            "all of the likely range lies there"
            if worst.is_certain
            else "the estimate lies there, part of its range does not"
        )
    elif worst.finding == "not_met":
        told = "none of the likely range lies there"
    else:
        told = (
            "the likely range leaves it open" if worst.is_hit is not None and worst.lo is not None else "no verdict yet"
        )
        told = "no verdict" if no_verdict(study, about) else told
    others = [check.finding for check in checks if check is not worst]
    counts = [(sum(1 for finding in others if finding == code), MET[code]) for code in ("not_met", "undecided", "met")]
    rest = listed([f"{n} more {word}" for n, word in counts if n])
    word, tone = _PREDICTIONS[study.prediction]
    return Finding("Prediction", word, tone, f"{said}{of}{sure}: {told}.{f' {capital(rest)}.' if rest else ''}")


_FIDELITIES: dict[str, tuple[str, Tone, str]] = {
    "fully": ("As planned", "good", "The team says that the change was carried out as planned."),
    "partly": ("In part", "even", "The team says that the change was carried out in part."),
    "not_done": ("Not done", "bad", "The change was not carried out: the idea is untested."),
    "unknown": ("Not recorded", "unknown", "Nobody has said whether the change was carried out."),
}


def finding_fidelity(study: Study, share_done: float | None = None) -> Finding:
    """Whether the change was carried out, with the share of planned steps where it was counted."""
    word, tone, why = _FIDELITIES[study.fidelity]
    if share_done is not None:
        why = f"{share(share_done)} of the planned steps were carried out."
    if study.process_checks:
        order = ("worsened", "insufficient", "no_signal", "improved")
        one = min(study.process_checks, key=lambda one: order.index(one.signal))
        told = {"improved": "rose" if (one.effect or 0) > 0 else "fell", "worsened": "got worse"}.get(one.signal, "")
        told = told or ("no clear change" if one.signal == "no_signal" else "no verdict")
        on = scale(study, one.measure)
        levels = (
            ""
            if one.mean_before is None or one.mean_after is None
            else f", {on.level(one.mean_before, bare=True)} to {on.level(one.mean_after)}"
        )
        n = len(study.process_checks) - 1
        why += f" {capital(_short(one.measure))}: {told}{levels}{f'; {n} more measured' if n else ''}."
    return Finding("Fidelity", word, tone, why)


_GUARDS: dict[str, tuple[str, Tone]] = {
    "not_worse": ("Not worse", "good"),
    "cannot_tell": ("Cannot tell", "unknown"),
    "harmed": ("Got worse", "bad"),
}


def finding_guards(study: Study) -> Finding:
    """Whether what must not get worse did."""
    checks = study.guard_checks
    if not checks:
        return Finding("Guards", "None planned", "unknown", "What got worse elsewhere would not have been seen.")
    worst = min(checks, key=lambda check: ("harmed", "cannot_tell", "not_worse").index(check.finding))
    one, on = worst.study, scale(study, worst.study.measure)
    if one.effect is None or one.lo is None or one.hi is None:
        told = no_verdict(study, one.measure).rstrip(".") or "could not be compared"
        why = f"{capital(_short(one.measure))}: {told[:1].lower()}{told[1:]}."
    else:
        moved, low, high = (on.in_unit(value) for value in (one.effect, one.lo, one.hi))
        why = (
            f"{capital(_short(one.measure))}: {in_step(moved, high - low)}, likely {in_step(low, high - low)} to "
            f"{in_step(high, high - low)}; a loss of {on.size(worst.margin)} would matter."
        )
        if worst.finding == "cannot_tell" and (against := no_verdict(study, one.measure)):
            why += f" {against}"
    others = [check.finding for check in checks if check is not worst]
    said = {"harmed": "got worse", "cannot_tell": "cannot be told", "not_worse": "not worse"}
    rest = listed([f"{others.count(code)} more {word}" for code, word in said.items() if code in others])
    word, tone = _GUARDS[study.guards]
    return Finding("Guards", word, tone, f"{why}{f' {capital(rest)}.' if rest else ''}")


def findings(study: Study, share_done: float | None = None) -> list[Finding]:
    """The four findings of a study: signal, prediction, fidelity, guards."""
    return [
        finding_signal(study),
        finding_prediction(study),
        finding_fidelity(study, share_done),
        finding_guards(study),
    ]


def cautions(study: Study) -> list[Caution]:
    """What may not be concluded from a study, the most important first; one for each kind of caveat."""
    order = list(_CAUTIONS)
    outcome = study.outcome.measure
    kinds: dict[str, list[Note]] = {}
    for note in study.caveats:
        kinds.setdefault(note.code, []).append(note)

    def weight(code: str) -> tuple[int, int]:
        # What stands against the verdict on the outcome comes before the same about another measure.
        is_of_outcome = any(note.at == outcome for note in kinds[code])
        return (order.index(code) + (0 if is_of_outcome or code not in AGAINST else 8) if code in order else 99, 0)

    told = [
        _CAUTIONS[code](study, kinds[code]) if code in order else Caution("", kinds[code][0].message)
        for code in sorted(kinds, key=weight)
    ]
    if study.signal == "no_signal":
        told.insert(1 if "not_preregistered" in kinds else 0, _no_change(study))
    told += [
        Caution(f"That the true change is {region(check.prediction, on=on)}", "the likely range holds less as well")
        for check in study.prediction_checks[:1]
        if check.finding == "met" and not check.is_certain and (on := scale(study, check.prediction.measure))
    ]
    if study.signal == "improved":
        where = f"{study.plan.scale} places" if study.plan.scale > 1 else "one place"
        told.append(Caution("That it would do the same elsewhere", f"this is one test, in {where}"))
    return told


def _no_change(study: Study) -> Caution:
    one, on = study.outcome, scale(study, study.outcome.measure)
    fits = (
        "these data cannot rule it out"
        if one.lo is None or one.hi is None
        else f"anything from {on.signed(one.lo, bare=True)} to {on.signed(one.hi)} fits these data"
    )
    return Caution("That the change makes no difference", fits)


def _comparison(study: Study, notes: Sequence[Note]) -> Caution:
    effect = study.outcome.effect or 0
    moved = {"improved": "rise" if effect > 0 else "fall", "worsened": "fall" if effect < 0 else "rise"}
    what = f"the {moved[study.signal]}" if study.signal in moved else "what was seen"
    return Caution(
        f"That the change caused {what}",
        f"there was no comparison group, and other things happened after {day(study.test[0])} too",
    )


def _at(notes: Sequence[Note]) -> str:
    names = list(dict.fromkeys(_short(note.at) for note in notes if note.at))
    return listed(names) if len(names) < 3 else f"{names[0]} and {len(names) - 1} others"


def _margin_size(study: Study, notes: Sequence[Note]) -> str:
    if len(notes) > 1 or notes[0].value is None:
        return "as small as the plan's margins"
    return f"smaller than about {scale(study, notes[0].at).size(notes[0].value)}"


_CAUTIONS: dict[str, Callable[[Study, Sequence[Note]], Caution]] = {
    "not_preregistered": lambda study, notes: Caution(
        "That a prediction came true", "the plan was not locked before the data; take this as an idea to test"
    ),
    "interim": lambda study, notes: Caution(
        "That it works, or that it does not",
        f"the test runs until {day(study.test[1])}; who looks early and often sees improvements that are not there",
    ),
    "no_series": lambda study, notes: Caution(f"Anything about {_at(notes)}", "no data were given"),
    "too_few_points": lambda study, notes: Caution(
        f"Anything about {_at(notes)}",
        f"only {counted(min(note.count for note in notes), 'date')} with data in a window, and 3 are needed in each",
    ),
    "no_direction": lambda study, notes: Caution(
        f"That {_at(notes)} got better or worse", "the plan does not say which way is better"
    ),
    "zero_variance": lambda study, notes: Caution(
        f"That {_at(notes)} moved by more than chance", "the values do not vary, so chance cannot be judged"
    ),
    "unstable_baseline": lambda study, notes: Caution(
        f"That {_at(notes)} moved because the test began", "it was already changing before"
    ),
    "no_comparison_group": _comparison,
    "possible_harm": lambda study, notes: Caution(
        f"That {_at(notes)} is safe",
        "it may have got worse: with nothing changed, a loss like this comes up in "
        f"{listed([percent(note.value) for note in notes[:2]])} of tests",
    ),
    "amended_after_data": lambda study, notes: Caution(
        "That the plan stood as it was made",
        f"{counted(sum(note.count for note in notes), 'amendment')} came after the first data",
    ),
    "few_points": lambda study, notes: Caution(
        "That the usual level is well known",
        f"{_at(notes)} {'rests' if len(notes) == 1 else 'rest'} on only "
        f"{counted(min(note.count for note in notes), 'date')} before the change",
    ),
    "no_guards": lambda study, notes: Caution("That nothing else got worse", "no guard measure was planned"),
    "no_process_measure": lambda study, notes: Caution(
        "That the change reached the classroom", "no process measure was planned"
    ),
    "margin_too_small": lambda study, notes: Caution(
        f"That {_at(notes)} lost nothing that matters",
        f"a loss {_margin_size(study, notes)} can hardly be told from chance",
    ),
    "strong_autocorrelation": lambda study, notes: Caution(
        "That the intervals are exact",
        f"neighbouring dates of {_at(notes)} are much alike; 8 in 100 such verdicts may be false, not 5",
    ),
    "unequal_sizes": lambda study, notes: Caution(
        "That every date weighs the same",
        f"for {_at(notes)} some dates rest on {number(max(note.value or 1 for note in notes), 2)} times the numbers of "
        "others",
    ),
    "outside_windows": lambda study, notes: Caution(
        "Anything from the points outside both windows",
        f"{counted(sum(note.count for note in notes), 'point')} shown, not judged",
    ),
}
"""Caveats in plain words, the most important first."""


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
        f"{through} Means of the two windows compared, with 90% intervals that allow for autocorrelation; a verdict "
        "needs the whole interval on one side of no change. "
        f"brightspot {study.engine_version}, plan {study.plan_hash[:8]}, data {study.inputs_hash[:8]}."
    )


def _all_studies(study: Study) -> list[MeasureStudy]:
    return [study.outcome, *study.process_checks, *(check.study for check in study.guard_checks)]


def is_flat(found: BrightSpots) -> bool:
    """Whether no difference at all was found between the units."""
    effects: list[float | None] = found.units["effect"].to_list()
    return all(effect is None or math.isnan(effect) or abs(effect) <= 1e-9 * found.threshold for effect in effects)


def bright_verdict(found: BrightSpots) -> list[str]:
    """What a search for bright spots found, and how it was looked for."""
    start, verdict = bright_spots(found)
    if is_flat(found):
        start += f" The spread between {noun(found.spec['unit'])}s was estimated as zero, so there is nothing to draw."
    if found.candidates.height == 0:
        verdict = "Nobody stands out clearly enough to be a candidate. That is a normal answer, and a finding."
    return [verdict, start]


def bright_shown(n_shown: int, n_all: int, groups: Sequence[str]) -> str:
    """How the rooms in a table were chosen; empty where all are there."""
    if n_shown == n_all:
        return ""
    how = f"one from each {noun(groups[-1])} in turn, by name" if groups else "the first by name"
    return (
        f"{n_shown} of {n_all} candidates are listed: {how}, not by size. The analyst has the other "
        f"{n_all - n_shown} (.candidates)."
    )


HOW_TO_LOOK = (
    "Visit both kinds of room with the same questions: what both do cannot be what makes the difference.",
    "Go by invitation. Do not say who is a candidate, and tell nobody that there is a ranking: there is none.",
    "Ask what people do, when, how often, and what they stopped doing. Watch a lesson and look at pupils' work.",
    "Write a practice down so that someone else can do it, then test it in a cycle: until then it is a hunch.",
)
"""How to visit, where there are candidates."""

NOBODY = (
    "Do not lower the bar until somebody appears: whoever appears then is mostly luck.",
    "Choose rooms to learn from by what they do (a practice the team believes in), and test it in a cycle.",
    "Look again with another year of data, or with an outcome closer to what is taught.",
    "Larger differences may lie elsewhere: between schools, between groups of pupils, between subjects.",
)
"""What to do where nobody stands out."""


def bright_cautions(found: BrightSpots) -> list[Caution]:
    """What may not be concluded from bright spots, the most important first."""
    spec = found.spec
    unit, rows = noun(spec["unit"]), spec["spec"]["words"]["rows"]
    notes = {note.code: note for note in found.notes}
    n = found.candidates.height
    told: list[Caution] = []
    if n:
        expected = n * (found.false_share or 0.0)
        few = "fewer than one is" if expected < 1 else f"about {number(expected, 1 if expected < 10 else 2)} are"
        told.append(
            Caution(
                "That each of them is truly ahead",
                f"of these {n}, {few} expected to be there by luck"
                if n > 1
                else f"with a chance of {percent(found.false_share)} it is there by luck",
            )
        )
    else:
        told.append(
            Caution(f"That all {unit}s do equally well", "smaller differences may exist and cannot be told apart here")
        )
    told.append(
        Caution(f"That anybody is a good or a poor {unit}", "this finds rooms to learn from and is no evaluation")
    )
    if n:
        told.append(Caution("What the reason is", "the numbers find rooms; only visits and tests find practices"))
    if spec["adjust"]:
        told.append(
            Caution(
                "That conditions were the same",
                f"adjusted for {listed([noun(name) for name in spec['adjust']])}, and for nothing else",
            )
        )
    else:
        told.append(
            Caution("That conditions were the same", "nothing was adjusted for: who the pupils are may be all of it")
        )
    n_once = found.candidates.filter(found.candidates["finding"] == "one_period").height
    if not spec["period"]:
        told.append(Caution("That it lasts", "only one period was looked at"))
    elif n_once:
        told.append(
            Caution(
                "That it lasts for all",
                f"{n_once} of {n} {'stands' if n_once == 1 else 'stand'} out by the best period only",
            )
        )
    told += [Caution(claim, why(note, unit, rows)) for code, claim, why in _BRIGHT if (note := notes.get(code))]
    return told


_BRIGHT: tuple[tuple[str, str, Callable[[Note, str, str], str]], ...] = (
    ("not_converged", "That these numbers stand", lambda note, unit, rows: "the fit of the model did not converge"),
    (
        "ceiling",
        "That those at the top were seen",
        lambda note, unit, rows: f"{counted(note.count, 'score')} are the highest there is",
    ),
    (
        "skewed_effects",
        "That so few are false",
        lambda note, unit, rows: "the differences are skewed, so more may be false than stated",
    ),
    (
        "small_units",
        "Anything about the smallest",
        lambda note, unit, rows: f"{counted(note.count, unit)} with too few {rows} were not judged",
    ),
    (
        "few_peers",
        "Anything about those with few peers",
        lambda note, unit, rows: f"{counted(note.count, unit)} had fewer than 3 to be compared with",
    ),
    (
        "few_units",
        "How large differences usually are",
        lambda note, unit, rows: f"there are only {counted(note.count, noun(note.at) or unit)}",
    ),
)


def bright_provenance(found: BrightSpots, version: str) -> str:
    """Where bright spots come from: the model in words, how many rows, the criteria, the version."""
    spec = found.spec
    rules, rows = spec["spec"], spec["spec"]["words"]["rows"]
    by = [noun(name) for name in (*spec["adjust"], *((spec["period"],) if spec["period"] else ()))]
    # One note for each column and, where several lack values, one for all of them together.
    n_out = max((note.count for note in found.notes if note.code == "rows_left_out"), default=0)
    factors = listed([noun(name).replace("_id", "") for name in found.model["factors"]])
    out = f"; {n_out:,} left out for a missing value" if n_out else ""
    given = f" given {listed(by)}" if by else ""
    is_default = rules["threshold"] == "tenth_of_sd"
    return (
        f"Mixed model of {noun(spec['outcome'])}{given}, with an effect of each {factors}: "
        f"{found.model['n_obs']:,} rows{out}. Worth learning from: {number(found.threshold)} {rules['words']['values']}"
        f"{' (a tenth of the standard deviation)' if is_default else ''}. A candidate has at least {rules['min_n']} "
        f"{rows}, a probability of at least {percent(rules['min_prob'])}, and belongs to a set of which at most "
        f"{percent(rules['fdr'])} are expected to be false. brightspot {version}."
    )


def bright_title(found: BrightSpots) -> str:
    """What was looked for."""
    return f"{capital(noun(found.spec['unit']))}s to learn from: {noun(found.spec['outcome'])}"


def bright_effect(row: Mapping[str, Any]) -> str:
    """The estimate of a candidate's advantage, with its interval."""
    width = row["hi"] - row["lo"]
    low, high = (in_step(row[end], width, is_signed=False) for end in ("lo", "hi"))
    return f"{in_step(row['effect'], width)} ({low} to {high})"


def bright_why(row: Mapping[str, Any]) -> str:
    """Why a room is to be visited: it is a candidate."""
    return "candidate, best period only" if row["finding"] == "one_period" else "candidate"


def bright_caption(found: BrightSpots) -> str:
    """What stands under the picture of bright spots: what its band means, and who is not shown."""
    candidates = found.candidates.height
    band = [
        f"{funnel_band(found.spec)} The picture shows differences as they are; in the table they are drawn towards "
        f"zero, the more the fewer the {found.spec['spec']['words']['rows']}."
    ]
    n_suppressed = found.units.filter(found.units["finding"] == "suppressed").height
    left_out = bright_picture(found.spec, found.units.height - n_suppressed, candidates, n_suppressed)[1:]
    return " ".join([*(band if candidates else []), *left_out])


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
    start = f"{capital(change(one, scale(study, one.measure)))}: {VERDICTS[one.signal]}."
    windows = (study.baseline, study.test)
    is_outside = any(not any(first <= point.time <= last for first, last in windows) for point in one.points)
    return [start, "Hollow points lie outside of both windows and are not counted."] if is_outside else [start]


def study_numbers(study: Study, one: MeasureStudy) -> str:
    """One measure of a study in numbers, for those who cannot see its picture."""
    on = scale(study, one.measure)
    before = f"{counted(one.n_before, 'value')} from {span(study.baseline)} with a mean of {on.level(one.mean_before)}"
    after = f"{counted(one.n_after, 'value')} from {span(study.test)} with a mean of {on.level(one.mean_after)}"
    return f"{capital(one.measure)} over time: {before}; {after}. It {change(one, on)}: {VERDICTS[one.signal]}."


def predicted(prediction: Prediction, on: Scale) -> str:
    """The label of a predicted region."""
    return f"predicted: {region(prediction, on=on)}"


def margin(value: float, on: Scale) -> str:
    """The label of a guard's margin."""
    return f"margin: a loss of {on.size(value)}"
