"""The picture of shrinkage: an arrow for each unit, from what is seen to what remains of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from brightspot import words
from brightspot.plot import theme
from brightspot.plot.axes import nice_ticks
from brightspot.plot.bright import (
    rows_of,
    seen_units,
    signed_zero,
    sizes_on_axis,
    told_lines,
    told_numbers,
)
from brightspot.plot.theme import BLUE, INK

if TYPE_CHECKING:
    from brightspot.bright import BrightSpots

Row = dict[str, Any]
# Grey of an arrow of a unit that is no candidate.
ORDINARY = "#7C8890"
# Up to so many arrows are drawn in full strength.
FULL = 60


def draw(
    result: BrightSpots, units: pl.DataFrame, overall: bool, title: str, width: int, height: int | None
) -> alt.TopLevelMixin:
    """Draw the number of students upwards and differences across, each unit an arrow towards zero.

    Parameters
    ----------
    result
        What :func:`brightspot.bright_spots` returned.
    units
        Its units, with the columns of one question under plain names.
    overall
        Whether the question is about all units.
    title
        A heading.
    width, height
        In pixels.
    """
    height = height or 400
    shown, n_unplaced = seen_units(units)
    told = [
        *told_lines(result, units, shown.height, overall=overall, n_unplaced=n_unplaced, is_named=False),
        words.shrinkage_picture(result.spec, result.threshold),
    ]
    sizes: list[float] = [float(n) for n in shown["n"]] or [1.0, 2.0]
    low_n, high_n = min(sizes), max(sizes)
    is_log = high_n / max(1.0, low_n) > 8
    spare = 1.08 if is_log else 0.0
    bottom = low_n / spare if is_log else low_n - max(1.0, (high_n - low_n) * 0.06)
    top = high_n * spare if is_log else high_n + max(1.0, (high_n - low_n) * 0.06)
    rows: list[Row] = [
        {
            "mark": "candidate" if row["is_candidate"] else "ordinary",
            "n": row["n"] + _apart(place, shown.height),
            "size": row["n"],
            "seen": row["seen"],
            "effect": row["effect"],
            "side": 90 if row["seen"] < row["effect"] else -90,
        }
        for place, row in enumerate(shown.iter_rows(named=True))
    ]
    ends = [value for row in rows for value in (row["seen"], row["effect"])] + [0.0, result.threshold]
    pad = (max(ends) - min(ends) or 1.0) * 0.04
    low, high = min(ends) - pad, max(ends) + pad
    values, decimals = nice_ticks(low, high, 8)
    spec = result.spec["spec"]["words"]

    def across(field: str) -> alt.X:
        return alt.X(
            f"{field}:Q",
            title=f"{spec['values']} more or less than {words.peers(result.spec, overall=overall)}",
            scale=alt.Scale(domain=[low, high], nice=False, zero=False),
            axis=alt.Axis(values=values, format=f"+.{decimals}f", labelExpr=signed_zero()),
        )

    y = alt.Y(
        "n:Q",
        title=f"number of {spec['rows']}",
        scale=alt.Scale(type="log" if is_log else "linear", domain=[max(bottom, 0.5), top], nice=False, zero=False),
        axis=alt.Axis(values=sizes_on_axis(max(bottom, 0.5), top, is_log=is_log), format=",d"),
    )
    n_candidates = int(shown["is_candidate"].sum())
    strength = _strength(shown.height)
    candidate = (_strength(n_candidates), 1.8 if n_candidates <= FULL else 1.0, 55 if n_candidates <= FULL else 24)
    hint = [
        alt.Tooltip("seen:Q", format="+.3~g"),
        alt.Tooltip("effect:Q", format="+.3~g", title="remains"),
        alt.Tooltip("size:Q", title=spec["rows"]),
    ]
    layers: list[Any] = [rows_of("zero").mark_rule(color=INK, strokeWidth=1.2).encode(x=across("effect"))]
    layers.append(rows_of("threshold").mark_rule(color=BLUE, strokeDash=[5, 3]).encode(x=across("effect")))
    for mark, color, opacity, stroke, head in (
        ("ordinary", ORDINARY, strength, 1.0 if shown.height <= 500 else 0.7, 26 if shown.height <= 500 else 12),
        ("candidate", BLUE, *candidate),
    ):
        own = rows_of(mark)
        layers += [
            own.mark_rule(color=color, opacity=opacity, strokeWidth=stroke).encode(
                x=across("seen"), x2="effect:Q", y=y, tooltip=hint
            ),
            own.mark_point(shape="triangle", filled=True, color=color, opacity=opacity, size=head).encode(
                x=across("effect"), y=y, angle=alt.Angle("side:Q", scale=None), tooltip=hint
            ),
        ]
    rows += [{"mark": "zero", "effect": 0.0}, {"mark": "threshold", "effect": result.threshold}]
    picture = alt.layer(*layers).properties(
        data=theme.rows(rows), width=width, height=height, **theme.heading(title, told, width + 40)
    )
    said = " ".join([title + "." if title else "", *told, *told_numbers(result, shown)]).strip()
    return theme.finish(picture, said)


def _strength(n: int) -> float:
    """How opaque an arrow is among so many."""
    return 1.0 if n <= FULL else max(0.25, math.sqrt(FULL / n))


def _apart(place: int, n: int) -> float:
    """A little up or down, so that classes of one size do not lie on one line."""
    return 0.0 if n < 2 else ((place * 0.618034) % 1.0 - 0.5) * 0.8
