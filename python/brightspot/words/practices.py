"""Sentences that go with practices: associations and what to do with them, never reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brightspot.words.numbers import about, capital, counted, listed, noun, number, percent

if TYPE_CHECKING:
    from brightspot._records import PracticeStanding
    from brightspot.practices import Practices

PRACTICE_FINDINGS = {
    "suspected": "users are ahead: worth a test",
    "one_period": "users are ahead, but not without one of the periods",
    "not_distinguishable": "users are not told apart from others",
    "insufficient": "too few units to say anything",
}

PRACTICE_CAUTION = (
    "Tick: before shrinking over practices. Associations found by looking: hypotheses to test, in no order."
)


def practices(found: Practices) -> list[str]:
    """What a search for practices found, in plain words."""
    bright = found.spec["bright"]
    unit = noun(bright["unit"])
    n_judged = found.table.filter(found.table["finding"] != "insufficient").height
    told = f", after adjusting for {listed([noun(name) for name in bright['adjust']])}" if bright["adjust"] else ""
    start = (
        f"{counted(n_judged, 'practice')} of {found.table.height} could be compared: {unit}s that use it with {unit}s "
        f"that do not{told}."
    )
    named = found.candidates
    if named.height == 0:
        return [
            start,
            "No practice stands out clearly enough to be named. That is a normal answer, and a finding.",
        ]
    doubt = (
        f"{about(found.false_share)} of them are expected to be false"
        if named.height > 1
        else f"with a chance of {percent(found.false_share)} it is a false one"
    )
    lines = [start, f"{counted(named.height, 'practice')} to test, in no order; {doubt}."]
    lines += [_one(row, unit, bright["spec"]["words"]["values"]) for row in named.iter_rows(named=True)]
    lines.append(
        "These are associations, found by looking: whoever uses a practice may differ in other ways too. Describe it, "
        f"then test it in a cycle with {unit}s that do not use it yet."
    )
    return lines


def practices_heading(found: Practices) -> str:
    """The line above a picture of practices."""
    n = found.candidates.height
    if n == 0:
        return "No practice stands out clearly enough to be named."
    return f"{counted(n, 'practice')} to test; {about(found.false_share)} expected to be false."


def _one(row: dict[str, Any], unit: str, values: str) -> str:
    seen = ""
    if row["n_bright"] and row["n_typical"]:
        bright, typical = (round(row[f"share_{kind}"] * row[f"n_{kind}"]) for kind in ("bright", "typical"))
        seen = (
            f" It is used in {bright} of {counted(row['n_bright'], 'bright room')} and in {typical} of "
            f"{counted(row['n_typical'], 'ordinary one')}."
        )
    together = (
        f" It goes together with {listed(row['inseparable_from'])}: these data cannot tell which of them it is."
        if row["inseparable_from"]
        else ""
    )
    return (
        f"{row['practice']}: the {row['n_users']} {unit}s that use it are {number(row['shrunken'], 2)} {values} above "
        f"the {row['n_others']} that do not, under the same conditions (likely between {number(row['lo'], 2)} and "
        f"{number(row['hi'], 2)}).{seen}{together} A hypothesis to test."
    )


LADDER = ("suspected", "described", "testing", "confirmed", "spreading", "standard")
"""The states of a practice, from the first to the last."""

COUNTS = {
    "for": "adopted: counts for it",
    "against": "worse, harm or abandoned: counts against it",
    "neither": "adapted or continued",
    "cancelled": "given up undecided",
    "open": "not decided yet",
}
"""How a cycle counts for its practice."""

STANDINGS = {
    "suspected": "is suspected: it is not yet described so that others can use it",
    "described": "is described, and not yet tested",
    "testing": "is being tested",
    "confirmed": "is confirmed",
    "spreading": "is confirmed and spreading",
    "standard": "has become the usual way of working",
    "retired": "is retired",
}


def standing(found: PracticeStanding) -> list[str]:
    """How far a practice has come, on what evidence, and what is missing for the next step."""
    lines = [f"{capital(found.practice)} {STANDINGS[found.state]}."]
    if found.n_closed:
        decided = [
            f"{n} {word}"
            for n, word in (
                (found.n_adopt, "adopted"),
                (found.n_adapt, "adapted"),
                (found.n_abandon, "abandoned"),
                (found.n_continue_test, "to be continued"),
            )
            if n
        ]
        lines.append(f"{counted(found.n_closed, 'closed cycle')}, all of them counted: {listed(decided)}.")
    if found.estimate is not None:
        told = (
            f"a change of {number(found.estimate)} for the better"
            if found.estimate > 0
            else f"no change for the better ({number(found.estimate)})"
        )
        lines.append(f"Together they show {told}, likely between {number(found.lo)} and {number(found.hi)}.")
    if found.n_offered:
        kept = f"; {found.n_kept} of {found.n_due} keep it" if found.n_due else ""
        lines.append(f"Offered to {counted(found.n_offered, 'place')}, tried by {found.n_tried}{kept}.")
    if found.missing and found.state != "retired":
        lines.append(f"Missing for the next step: {'; '.join(found.missing)}.")
    return lines
