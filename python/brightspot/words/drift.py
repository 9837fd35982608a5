"""Sentences for drift value added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brightspot.words.numbers import counted, number, percent

if TYPE_CHECKING:
    from brightspot.drift import ValueAdded


def value_added(found: ValueAdded) -> list[str]:
    """How much teachers differ, how fast an advantage fades, and for how many years anything is predicted."""
    if found.variance_teacher <= 0:
        return ["Teachers' years are no more alike than chance would make them: nothing is predicted."]
    spread = number(found.variance_teacher**0.5)
    of_all = percent(found.variance_teacher / found.variance_total)
    told = [f"Within a year teachers differ by a standard deviation of {spread}: {of_all} of the adjusted variance."]
    later = found.autocovariance.filter(lag=1)["correlation"].drop_nulls().to_list()
    last = found.autocovariance.row(-1, named=True)
    if any(note.code == "fading_unknown" for note in found.notes):
        told.append("Years at one distance alone do not tell how fast an advantage fades: it is taken as lasting.")
    elif later:
        fades = f"The advantage of one year and of the next correlate by {number(later[0], 2)}"
        if last["lag"] > 1:
            fades += f", of years {last['lag']} apart by {number(last['correlation'], 2)}"
        told.append(fades + ".")
    n_told = found.teachers["prediction"].drop_nulls().len()
    told.append(f"{counted(n_told, 'year')} of teaching predicted from the same teacher's other years.")
    return told
