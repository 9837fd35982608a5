"""The picture of a practice's life: its states over time, and under them each cycle, as it counts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from brightspot import words
from brightspot.plot.axes import TimeAxis
from brightspot.plot.labels import shortened, text_width
from brightspot.plot.theme import (
    BLUE,
    FAINT,
    INK,
    LABEL_SIZE,
    LINE,
    ORANGE,
    POINT,
    QUIET,
    State,
    States,
    finish,
    heading,
    rows,
)

if TYPE_CHECKING:
    from brightspot._records import PracticeCycle, PracticeStanding

STATES = States(
    [
        State("for", words.COUNTS["for"], BLUE, "circle", 110),
        State("against", words.COUNTS["against"], ORANGE, "cross", 130),
        State("neither", words.COUNTS["neither"], POINT, "square", 85),
        State("cancelled", words.COUNTS["cancelled"], QUIET, "triangle-down", 85),
        State("open", words.COUNTS["open"], LINE, "diamond", 85),
    ]
)
STATE_ROW, CYCLE_ROW = 17, 24
# More cycles than these would make a wall; the latest are shown, and what is left out is said.
MOST_CYCLES = 24
NAMES_MOST, EFFECTS = 190, 150

Row = dict[str, Any]


def draw(found: PracticeStanding, *, title: str, width: int, height: int | None) -> alt.TopLevelMixin:
    """Draw the states over time, and one line per cycle: its test window, with a mark for how it counts at its end."""
    cycles = found.cycles[-MOST_CYCLES:]
    n_hidden = len(found.cycles) - len(cycles)
    names = [shortened(_name(one), NAMES_MOST, LABEL_SIZE) or one.id for one in cycles]
    ladder = [*words.LADDER, *(["retired"] if any(step.state == "retired" for step in found.steps) else [])]
    label = 12 + max(text_width(name, LABEL_SIZE) for name in [*names, *ladder])
    inner = max(200, width - label - (EFFECTS if cycles else 10))
    days = [day for one in cycles for day in (one.starts, one.ends, one.closed_on) if day is not None]
    axis = TimeAxis(pl.Series([step.since for step in found.steps]), inner, extra=[*days, found.as_of])

    given = (height or 0) - STATE_ROW * len(ladder) - 60
    each = min(CYCLE_ROW, max(14, given / max(1, len(cycles)))) if height else CYCLE_ROW
    upper = _states(found, ladder, axis).properties(width=inner, height=STATE_ROW * len(ladder))
    parts: list[Any] = [upper]
    if cycles:
        parts.append(_cycles(cycles, names, axis, width).properties(width=inner, height=each * len(cycles)))
    told = words.standing(found)
    lines = told[:3] if n_hidden == 0 else [*told[:3], f"The latest {len(cycles)} of {len(found.cycles)} cycles."]
    # Altair's own types are partly unknown.
    above: Any = alt.vconcat(*parts, spacing=14)
    picture = above.resolve_scale(x="independent", y="independent")
    picture = picture.properties(**heading(title or words.capital(found.practice), lines, width))
    since = [f"{step.state} since {words.day(step.since)}" for step in found.steps]
    counted = [f"{_name(one)}, {words.COUNTS[one.counts]}{_effect(one, ', effect ')}" for one in found.cycles]
    history = f"{words.capital(', then '.join(since))}."
    return finish(picture, " ".join([*told, history, f"Cycles: {'; '.join(counted)}." if counted else ""]).strip())


def _states(found: PracticeStanding, ladder: list[str], axis: TimeAxis) -> Any:  # noqa: ANN401
    def plain(day: date) -> str | float:
        return axis.plain(axis.number(day))

    ends = [*(step.since for step in found.steps[1:]), found.as_of]
    spans: list[Row] = [
        {
            "x": plain(step.since),
            "x2": plain(max(end, step.since)),
            "line": ladder.index(step.state),
            "color": BLUE if step is found.steps[-1] else POINT,
            "since": words.day(step.since),
        }
        for step, end in zip(found.steps, ends, strict=True)
    ]
    moves = [{"x": span["x"], "line": before["line"], "line2": span["line"]} for before, span in pairwise(spans)]
    # The highest state on top.
    scale = alt.Scale(domain=[-0.6, len(ladder) - 0.4], nice=False)
    ticks = alt.Axis(
        values=list(range(len(ladder))),
        labelExpr=f"{json.dumps(ladder)}[datum.value]",
        ticks=False,
        domain=False,
        grid=True,
        gridColor=FAINT,
    )
    y = alt.Y("line:Q", title=None, scale=scale, axis=ticks)
    x = axis.encode().axis(None)
    base: Any = alt.Chart(rows(spans))
    now = base.mark_rule(strokeWidth=6, strokeCap="round").encode(
        x=x, x2="x2", y=y, color=alt.Color("color:N", scale=None), tooltip=[alt.Tooltip("since:N")]
    )
    # A state that began on the last day has no length; a dot shows it.
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(x=x, y=y, color=alt.Color("color:N", scale=None))
    steps: Any = alt.Chart(rows(moves))
    return alt.layer(steps.mark_rule(color=LINE).encode(x=x, y=y, y2="line2"), now, dots)


def _cycles(cycles: Sequence[PracticeCycle], names: list[str], axis: TimeAxis, width: int) -> Any:  # noqa: ANN401
    shown = STATES.present({one.counts for one in cycles})
    lines: list[Row] = [
        {
            "line": line,
            "x": axis.plain(axis.number(one.starts)),
            "x2": axis.plain(axis.number(one.ends)),
            "at": axis.plain(axis.number(one.closed_on or one.ends)),
            "counts": words.COUNTS[one.counts],
            "cycle": _name(one),
            "effect": _effect(one),
            "end": axis.plain(axis.high),
        }
        for line, one in enumerate(cycles)
    ]
    y = alt.Y(
        "line:O",
        title=None,
        scale=alt.Scale(domain=list(range(len(cycles)))),
        axis=alt.Axis(
            labelExpr=f"{json.dumps(names)}[datum.value]", labelLimit=NAMES_MOST + 10, ticks=False, domain=False
        ),
    )
    x, at = axis.encode(), axis.encode()
    at.shorthand = "at:T"
    base: Any = alt.Chart(rows(lines))
    windows = base.mark_rule(color=LINE, strokeWidth=3).encode(x=x, x2="x2", y=y)
    marks = base.mark_point(filled=True, opacity=1).encode(
        x=at, y=y, tooltip=["cycle:N", "counts:N", "effect:N"], **shown.encode("counts", width)
    )
    end = axis.encode()
    end.shorthand = "end:T"
    effects = base.mark_text(align="left", dx=10, fontSize=LABEL_SIZE, color=INK).encode(x=end, y=y, text="effect:N")
    return alt.layer(windows, marks, effects)


def _name(one: PracticeCycle) -> str:
    return ", ".join([one.by, *([one.context] if one.context else [])])


def _effect(one: PracticeCycle, lead: str = "") -> str:
    """The effect with its likely range, better being positive; empty where there is none."""
    if one.estimate is None or one.lo is None or one.hi is None:
        return ""
    width = one.hi - one.lo
    low, high = (words.in_step(end, width) for end in (one.lo, one.hi))
    return f"{lead}{words.in_step(one.estimate, width)} ({low} to {high})"
