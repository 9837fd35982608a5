"""The picture of a search for practices: associations with their intervals, and who uses what.

Practices stand in the order of their names: the picture ranks nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from brightspot import words
from brightspot.plot import theme
from brightspot.plot.axes import nice_ticks
from brightspot.plot.labels import text_width
from brightspot.plot.theme import BLUE, FAINT, INK, LABEL_SIZE, LINE, ORANGE, POINT, QUIET, State, States

if TYPE_CHECKING:
    from brightspot.practices import Practices

STATES = States(
    [
        State("not_distinguishable", words.PRACTICE_FINDINGS["not_distinguishable"], POINT, "circle", 45),
        State("suspected", words.PRACTICE_FINDINGS["suspected"], BLUE, "diamond", 95),
        State("one_period", words.PRACTICE_FINDINGS["one_period"], ORANGE, "square", 60),
    ]
)
ROW = 20
NAMES_MOST = 240

Row = dict[str, Any]


def draw(
    result: Practices, *, title: str = "", width: int | None = None, height: int | None = None
) -> alt.TopLevelMixin:
    """Draw every practice's association with its interval, and beside it the use among bright and ordinary rooms.

    Parameters
    ----------
    result
        What :func:`brightspot.practices` returned.
    title
        A heading.
    width, height
        Of the whole, in pixels; the height grows with the practices where it is not given.
    """
    table = result.table
    whole = width or 720
    height = height or max(60, ROW * table.height)
    names: list[str] = table["practice"].to_list()
    label = min(NAMES_MOST, 8 + max((text_width(name, LABEL_SIZE) for name in names), default=0))
    room = max(200, whole - label - 40)
    left = alt.layer(*_associations(result, names)).properties(width=room * 0.62, height=height)
    right = alt.layer(*_uses(result, names)).properties(width=room * 0.38, height=height)
    told = [words.practices_heading(result), words.PRACTICE_CAUTION]
    # Altair's own types are partly unknown.
    beside: Any = alt.hconcat(left, right, spacing=18)
    picture = beside.properties(**theme.heading(title, told, whole))
    picture = picture.resolve_scale(color="independent", shape="independent", size="independent")
    return theme.finish(picture, " ".join([f"{title}." if title else "", *told, *_numbers(result)]).strip())


def _y(names: list[str], *, is_labelled: bool) -> alt.Y:
    axis = alt.Axis(title=None, ticks=False, domain=False, labelLimit=NAMES_MOST) if is_labelled else None
    return alt.Y("practice:N", sort=names, scale=alt.Scale(domain=names), axis=axis)


def _associations(result: Practices, names: list[str]) -> list[alt.Chart]:
    values = result.spec["bright"]["spec"]["words"]["values"]
    labels = STATES.labels()
    rows: list[Row] = [
        {**row, "state": labels[row["finding"]]}
        for row in result.table.iter_rows(named=True)
        if row["finding"] in labels
    ]
    ends: list[float] = [row[end] for row in rows for end in ("lo", "hi", "estimate")] + [0.0]
    pad = (max(ends) - min(ends) or 1.0) * 0.05
    low, high = min(ends) - pad, max(ends) + pad
    ticks, decimals = nice_ticks(low, high, 6)

    def across(field: str) -> alt.X:
        return alt.X(
            f"{field}:Q",
            title=f"{values}: users above others, same conditions",
            scale=alt.Scale(domain=[low, high], nice=False, zero=False),
            axis=alt.Axis(values=ticks, format=f"+.{decimals}f", labelExpr="datum.value === 0 ? '0' : datum.label"),
        )

    y = _y(names, is_labelled=True)
    present = STATES.present({row["finding"] for row in rows})
    told = alt.Chart(theme.rows(rows))
    hollow = alt.Chart(theme.rows([{"practice": name, "lo": low, "hi": high} for name in names]))
    tooltip = [
        alt.Tooltip("practice:N"),
        alt.Tooltip("state:N", title="finding"),
        alt.Tooltip("n_users:Q", title="users"),
        alt.Tooltip("n_others:Q", title="others"),
        alt.Tooltip("shrunken:Q", format="+.3~g"),
        alt.Tooltip("estimate:Q", format="+.3~g", title="before shrinking"),
        alt.Tooltip("prob_positive:Q", format=".2f"),
    ]
    layers = [
        hollow.mark_rule(color=FAINT, strokeWidth=0.7).encode(y=y, x=across("lo"), x2="hi:Q"),
        alt.Chart(theme.rows([{"at": 0.0}])).mark_rule(color=INK, strokeWidth=1.1).encode(x=across("at")),
        told.mark_rule(strokeWidth=2).encode(y=y, x=across("lo"), x2="hi:Q", color=present.encode("state")["color"]),
        told.mark_tick(color=QUIET, thickness=1.4, size=9).encode(y=y, x=across("estimate"), tooltip=tooltip),
        told.mark_point(filled=True, opacity=1).encode(
            y=y, x=across("shrunken"), tooltip=tooltip, **present.encode("state", 560)
        ),
    ]
    few: list[Row] = [
        {"practice": row["practice"], "at": 0.0, "text": f"too few to say (used by {row['n_users']})"}
        for row in result.table.iter_rows(named=True)
        if row["finding"] == "insufficient"
    ]
    if few:
        layers.append(
            alt.Chart(theme.rows(few))
            .mark_text(color=QUIET, fontSize=LABEL_SIZE, align="left", dx=5)
            .encode(y=y, x=across("at"), text="text:N")
        )
    return layers


def _uses(result: Practices, names: list[str]) -> list[alt.Chart]:
    rooms = States(
        [
            State("bright", "bright rooms", BLUE, "diamond", 80),
            State("typical", "ordinary rooms, same conditions", LINE, "circle", 55),
        ]
    )
    labels = rooms.labels()
    both: list[Row] = [
        {"practice": row["practice"], "lo": row["share_bright"], "hi": row["share_typical"]}
        for row in result.table.iter_rows(named=True)
        if row["share_bright"] is not None and row["share_typical"] is not None
    ]
    points: list[Row] = [
        {"practice": row["practice"], "share": row[f"share_{kind}"], "n": row[f"n_{kind}"], "rooms": labels[kind]}
        for row in result.table.iter_rows(named=True)
        for kind in ("typical", "bright")
        if row[f"share_{kind}"] is not None
    ]

    def across(field: str) -> alt.X:
        return alt.X(
            f"{field}:Q",
            title="share of rooms that use it",
            scale=alt.Scale(domain=[0, 1], nice=False),
            axis=alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".0%"),
        )

    y = _y(names, is_labelled=False)
    lines = [{"practice": name, "lo": 0.0, "hi": 1.0} for name in names]
    grid = alt.Chart(theme.rows(lines)).mark_rule(color=FAINT, strokeWidth=0.7).encode(y=y, x=across("lo"), x2="hi:Q")
    joined = alt.Chart(theme.rows(both)).mark_rule(color=LINE, strokeWidth=1.5).encode(y=y, x=across("lo"), x2="hi:Q")
    tooltip = [
        alt.Tooltip("practice:N"),
        alt.Tooltip("rooms:N"),
        alt.Tooltip("share:Q", format=".0%"),
        alt.Tooltip("n:Q", title="rooms"),
    ]
    marks = (
        alt.Chart(theme.rows(points))
        .mark_point(filled=True, opacity=1)
        .encode(y=y, x=across("share"), tooltip=tooltip, **rooms.encode("rooms", 200))
    )
    return [grid, joined, marks]


def _numbers(result: Practices) -> list[str]:
    """The numbers of the practices to test, for those who cannot see the picture."""
    return words.practices(result)[2:-1]
