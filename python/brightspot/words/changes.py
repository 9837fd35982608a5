"""Sentences that go with comparisons of phases, and with proposals of new ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from brightspot.words.numbers import counted, day, in_step, number, odds
from brightspot.words.studies import Scale

Row = Mapping[str, Any]


def contrast(row: Row, name: str = "", on: Scale | None = None) -> str:
    """One phase against another: both levels, the change with its likely range, and how often chance would show it.

    Parameters
    ----------
    row
        A row of the table of contrasts: ``shape`` says whether levels are means, medians, proportions, rates or gaps
        between events; the estimate is a difference, for rates and gaps the ratio of the later rate to the earlier.
    name
        Whose chart it is.
    on
        How values are written; by default proportions in percent and all others as numbers.
    """
    shape = str(row["shape"])
    scale = on or Scale("percentage points" if shape == "proportion" else "", shape == "proportion")
    who = f"{name}: " if name else ""
    level = "rate of events" if shape == "gap" else shape
    phases = f"{row['from_phase']} against {row['to_phase']}"
    seen = [
        f"{level} {scale.level(row[side], bare=True)} over {counted(row[f'n_{side}'], 'point')} {when}"
        for side, when in (("before", "before"), ("after", "after"))
        if row[side] is not None
    ]
    levels = f"{who}{phases}: {', '.join(seen) or 'no values'}"
    if row["estimate"] is None:
        return f"{levels}. They could not be compared."
    moved, verb = (_ratio if shape in ("rate", "gap") else _difference)(row, scale)
    p = row["p_above" if verb == "rise" else "p_below"] if verb else None
    chance = "" if p is None else f" Chance alone would show as large a {verb} in {odds(p)}."
    return f"{levels}; {moved}.{chance}"


def _difference(row: Row, scale: Scale) -> tuple[str, str]:
    estimate, low, high = row["estimate"], row["lo"], row["hi"]
    verb = "rise" if estimate > 0 else "fall" if estimate < 0 else ""
    if low is None or high is None:
        return (f"a {verb} of {scale.size(estimate)}, with no likely range" if verb else "no difference"), verb
    if not verb:
        return f"no difference (likely {scale.likely(low, high)})", verb
    # As many decimals as the likely range makes worth reading.
    size = in_step(abs(scale.in_unit(estimate)), scale.in_unit(high) - scale.in_unit(low), is_signed=False)
    return f"a {verb} of {scale.with_unit(size)} (likely {scale.likely(low, high)})", verb


def _ratio(row: Row, scale: Scale) -> tuple[str, str]:
    del scale
    ratio, low, high = row["estimate"], row["lo"], row["hi"]
    verb = "rise" if ratio > 1 else "fall" if ratio < 1 else ""
    told = f"a {verb} of {_share_of_change(ratio)}" if verb else "no difference"
    if low is None or high is None:
        return f"{told}, with no likely range", verb
    ends = " to ".join(_signed_change(end) for end in (low, high))
    return f"{told} (likely {ends})", verb


def _share_of_change(ratio: float) -> str:
    if not math.isfinite(ratio):
        return "more than can be counted, from none"
    return f"{number(abs(100 * (ratio - 1)), 2)}%" if ratio < 10 else f"{number(ratio, 2)} times"


def _signed_change(ratio: float) -> str:
    if not math.isfinite(ratio):
        return "without bound"
    if ratio >= 10:
        return f"{number(ratio, 2)} times as many"
    text = number(100 * (ratio - 1), 2)
    return f"{'+' if ratio > 1 else ''}{text}%"


def proposal(row: Row, name: str = "", on: Scale | None = None) -> str:
    """A proposed start of a new phase: when, how sure that is, what changed, and how often chance would suggest it."""
    scale = on or Scale()
    who = f"{name}: " if name else ""
    first, last = row.get("from"), row.get("to")
    is_sure = first is None or last is None or first == last
    sure = "" if is_sure else f" (likely between {when(first)} and {when(last)})"
    levels = f"{scale.level(row['before'], bare=True)} to {scale.level(row['after'])}"
    told = f"{who}a new phase from {when(row['starts'])}{sure}: the level went from {levels}"
    low, high = row.get("lo"), row.get("hi")
    if low is not None and high is not None:
        moved = in_step(scale.in_unit(row["estimate"]), scale.in_unit(high - low))
        told += f" (by {moved}, likely {scale.likely(low, high)})"
    p = row.get("p")
    chance = "" if p is None else f" A stable process would suggest a new phase as clear as this in {odds(p)}."
    return f"{told}.{chance}"


PROPOSED_LOOK = "Blue: the centre and limits as they would become; the strip shows when the start may have been."
"""What is blue in a picture of proposals."""

PROPOSED_TIMES = "Blue: where a new phase would start; the strip shows when the start may have been."
"""The same where levels cannot be drawn."""


def proposed(start: object, *, short: bool = False) -> str:
    """The label of a proposed start.

    >>> proposed(date(2026, 2, 3)), proposed(17, short=True)
    ('proposed start: 3 Feb 2026', '17')
    """
    return when(start) if short else f"proposed start: {when(start)}"


def proposals_heading(n_proposals: int, n_charts: int, of: int) -> str:
    """The line above charts with proposals of phases.

    >>> proposals_heading(3, 2, 12), proposals_heading(0, 0, 1)
    ('3 new phases proposed, in 2 of 12 charts.', 'No new phase is proposed.')
    """
    if not n_proposals:
        return "No new phase is proposed."
    where = f", in {n_charts} of {counted(of, 'chart')}" if of > 1 else ""
    return f"{counted(n_proposals, 'new phase')} proposed{where}."


def when(time: object) -> str:
    """A time of a chart, in words: a date, a moment, or a number.

    >>> when(date(2026, 2, 3)), when(datetime(2026, 2, 3, 8, 30)), when(17)
    ('3 Feb 2026', '3 Feb 2026, 08:30', '17')
    """
    if isinstance(time, datetime):
        return day(time) if (time.hour, time.minute) == (0, 0) else f"{day(time)}, {time:%H:%M}"
    if isinstance(time, date):
        return day(time)
    return f"{time}" if isinstance(time, int) else number(time, 6) if isinstance(time, float) else str(time)
