"""What stands on a page about a study: the four findings, and what may not be concluded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from brightspot.words.numbers import (
    LONG_IN_CARD,
    capital,
    clipped,
    counted,
    day,
    in_step,
    listed,
    number,
    percent,
    share,
)
from brightspot.words.studies import MET, region, scale

if TYPE_CHECKING:
    from brightspot._records import MeasureStudy, Study
    from brightspot._result import Note


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


AGAINST = (
    "no_series",
    "no_direction",
    "interim",
    "selected_extreme",
    "few_classes",
    "too_few_points",
    "powerless",
    "zero_variance",
    "unstable_baseline",
)
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
        "selected_extreme": "Chosen because of bad figures, which come back in part by themselves.",
        "few_classes": f"Only {_classes(note)}; 2 and 3 are needed.",
        "powerless": "So few data that nothing could have been shown.",
        "no_direction": "The plan does not say which way is better.",
        "interim": f"The test runs until {day(study.test[1])}.",
        "too_few_points": f"Only {counted(note.count, 'date')} with data in one of the windows; 3 are needed.",
        "zero_variance": "The values do not vary, so chance cannot be judged.",
        "unstable_baseline": "It was already changing before the test.",
    }[note.code]


def _classes(note: Note) -> str:
    tried, others = note.count, int(note.value or 0)
    return f"{tried} {'class' if tried == 1 else 'classes'} with the change and {others} to compare with"


def _levels(study: Study, one: MeasureStudy) -> str:
    on = scale(study, one.measure)
    if one.standard is not None and one.mean_after is not None:
        return f"{on.level(one.mean_after)} where {on.level(one.standard)} is the standard."
    if one.regression is not None and one.mean_before is not None and one.mean_after is not None:
        expected = on.signed(one.regression.expected)
        levels = f"Mean {on.level(one.mean_before, bare=True)} before, {on.level(one.mean_after)} after"
        return f"{levels}; {expected} were to be expected."
    if one.mean_before is None or one.mean_after is None:
        seen = [("before", one.mean_before), ("after", one.mean_after)]
        return " ".join(f"Mean {on.level(mean)} {when}." for when, mean in seen if mean is not None)
    who = " in the classes that tried it" if one.classes else ""
    return f"Mean {on.level(one.mean_before, bare=True)} before, {on.level(one.mean_after)} after{who}."


def finding_signal(study: Study) -> Finding:
    """What the outcome did."""
    one = study.outcome
    word, tone = _SIGNALS[study.signal]
    if one.standard is not None and study.signal in ("improved", "worsened"):
        word = "Beyond the standard" if study.signal == "improved" else "Short of the standard"
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
        else f"anything from {on.likely(one.lo, one.hi)} fits these data"
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
    "selected_extreme": lambda study, notes: Caution(
        "That the gain is more than a return to the usual level",
        "the units were chosen because their figures were bad, and how far they come back by themselves is not known",
    ),
    "few_classes": lambda study, notes: Caution(
        f"Anything about {_at(notes)}",
        f"there are only {_classes(notes[0])}: a class cannot be told from its own year",
    ),
    "powerless": lambda study, notes: Caution(
        f"That {_at(notes)} did not move", "so few data could not have shown even the clearest change"
    ),
    "regression_to_mean": lambda study, notes: Caution(
        "That the whole change is owed to the test",
        f"chosen among {counted(notes[0].count, 'unit')} because of bad figures, a change of "
        f"{scale(study, notes[0].at).signed(notes[0].value or 0.0)} was to be expected by itself; it is taken off",
    ),
    "no_comparison_group": _comparison,
    "not_by_lot": lambda study, notes: Caution(
        "That the change caused the difference",
        "no lot decided which classes tried it, so they may have differed from the others beforehand",
    ),
    "baseline_after_choice": lambda study, notes: Caution(
        "That the whole baseline counts",
        f"chosen because of bad figures, only {counted(notes[0].count, 'point')} from after the choice "
        f"{'does' if notes[0].count == 1 else 'do'}",
    ),
    "fidelity_by_score": lambda study, notes: Caution(
        "That it was carried out as the team says", f"the checklist gives {share(notes[0].value)}, and that decides"
    ),
    "independence_assumed": lambda study, notes: Caution(
        "That the intervals are exact",
        f"what was counted for {_at(notes)} is taken as independent; if it comes in clumps, they are too narrow",
    ),
    "unpaired_students": lambda study, notes: Caution(
        "That it holds for every student", f"{counted(notes[0].count, 'student')} had no score before"
    ),
    "in_both_groups": lambda study, notes: Caution(
        "That it holds for students of several classes",
        f"{counted(notes[0].count, 'student')} were taught with the change and without it, and left out",
    ),
    "classes_left_out": lambda study, notes: Caution(
        "That it holds for every class",
        f"{notes[0].count} {'class' if notes[0].count == 1 else 'classes'} had no data in one of the windows",
    ),
    "checklist_incomplete": lambda study, notes: Caution(
        "That all of the change was watched", f"{counted(notes[0].count, 'item')} of the checklist got no score"
    ),
    "no_point": lambda study, notes: Caution(
        "That every row was counted",
        f"{counted(sum(note.count for note in notes), 'row')} of {_at(notes)} had no date, value or denominator",
    ),
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
