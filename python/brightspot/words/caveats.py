"""Caveats on a study in plain words: why there is no verdict, and what may not be concluded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from brightspot.words.numbers import LONG_IN_CARD, clipped, counted, day, listed, number, percent, share
from brightspot.words.studies import region, scale

if TYPE_CHECKING:
    from brightspot._records import Study
    from brightspot._result import Note


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


def short_name(name: str) -> str:
    """A measure's name where there is little room."""
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
    names = list(dict.fromkeys(short_name(note.at) for note in notes if note.at))
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
