"""The picture of a ramp: one line per cycle, over time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import altair as alt

from brightspot import words
from brightspot.plot.theme import BLUE, LINE, ORANGE, POINT, QUIET, State, States, finish, heading, rows

if TYPE_CHECKING:
    from brightspot.ramp import Ramp

LINE_HEIGHT = 30

STATES = States(
    [
        State("confirmed", "adopted on the evidence", BLUE, "circle", 130),
        State("adopt", "adopted otherwise", POINT, "diamond", 120),
        State("adapt", "adapted", POINT, "square", 100),
        State("continue_test", "to be tested further", POINT, "triangle-up", 100),
        State("abandon", "abandoned", ORANGE, "cross", 130),
        State("cancelled", "cancelled", QUIET, "triangle-down", 100),
        State("open", "not decided yet", LINE, "circle", 90),
    ]
)


def draw(found: Ramp, *, title: str, width: int, height: int | None) -> alt.TopLevelMixin:
    """Draw one line per cycle: its test window, with a mark for the decision at its end."""
    # Cycles overlap in time and repeat scales, so each has a line of its own; equal names need not be equal lines.
    cycles: list[dict[str, Any]] = [
        {**row, "mark": _mark(row), "line": line} for line, row in enumerate(found.cycles.iter_rows(named=True))
    ]
    shown = STATES.present({row["mark"] for row in cycles})
    labels = shown.labels()
    data = rows([{**row, "label": labels[row["mark"]]} for row in cycles])
    names = {row["line"]: _name(row) for row in cycles}
    y = alt.Y(
        "line:O",
        title=None,
        scale=alt.Scale(domain=list(names)),
        axis=alt.Axis(labelExpr=f"{json.dumps(list(names.values()))}[datum.value]", labelLimit=260, ticks=False),
    )
    base: Any = alt.Chart(data)
    windows = base.mark_rule(color=LINE, strokeWidth=3).encode(x=alt.X("starts:T", title=None), x2="ends:T", y=y)
    tooltip = [alt.Tooltip(f"{key}:N") for key in ("id", "context", "signal", "decision")]
    points = base.mark_point(filled=True, opacity=1).encode(
        x=alt.X("ends:T", title=None), y=y, tooltip=tooltip, **shown.encode("label", width)
    )
    told = found.sentences()
    picture = alt.layer(windows, points).properties(
        width=width,
        height=height or LINE_HEIGHT * len(cycles),
        **heading(title or "From one place to many", told[:3], width),
    )
    each = [f"{words.day(row['starts'])}: {_name(row)}, {labels[row['mark']]}" for row in cycles]
    return finish(picture, " ".join([*told, f"{'; '.join(each)}."]))


def _name(row: dict[str, Any]) -> str:
    context = f", {row['context']}" if row["context"] else ""
    return f"{words.places(row['scale'])}{context}"


def _mark(row: dict[str, Any]) -> str:
    if row["state"] == "cancelled":
        return "cancelled"
    if row["is_confirmed"]:
        return "confirmed"
    return row["decision"] or "open"
