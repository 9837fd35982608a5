"""The funnel of a search for bright spots: differences against size, and the band in which ordinary units lie."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from brightspot import words
from brightspot.plot import theme
from brightspot.plot.axes import nice_ticks
from brightspot.plot.bright import (
    STATES,
    Row,
    Side,
    rows_of,
    scaled,
    seen_units,
    signed_zero,
    sizes_on_axis,
    state_of,
    told_lines,
    told_numbers,
    tooltip,
)
from brightspot.plot.labels import MOST_AVOIDED, Box, around, beside
from brightspot.plot.theme import FAINT, INK, LABEL_SIZE, QUIET

if TYPE_CHECKING:
    from brightspot.bright import BrightSpots


def draw(
    result: BrightSpots, units: pl.DataFrame, overall: bool, title: str, width: int, height: int | None
) -> alt.TopLevelMixin:
    """Draw differences before they are shrunken, against the number of students, with the band of ordinary units.

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
    height = height or 360
    shown, n_unplaced = seen_units(units)
    # The variance of what is seen is that of the prediction error over the reliability.
    variances = (shown["sd"].pow(2) / shown["reliability"]).to_list()
    labels = STATES.labels()
    told = [
        *told_lines(result, units, shown.height, overall=overall, n_unplaced=n_unplaced),
        words.funnel_band(result.spec),
    ]
    sizes: list[float] = [float(n) for n in shown["n"]] or [1.0, 2.0]
    is_log = max(sizes) / max(1.0, min(sizes)) > 8
    forward = math.log if is_log else float
    start, end = forward(max(1.0, min(sizes))), forward(max(sizes))
    spare = (end - start) * 0.04 or (0.2 if is_log else 1.0)
    start, end = start - spare, end + spare
    back = math.exp if is_log else float
    least, slope = _variance_by_size(sizes, variances)
    band: list[Row] = []
    for step in range(81):
        n = back(start + (end - start) * step / 80)
        half = 1.96 * math.sqrt(least + slope / n)
        band.append({"mark": "band", "n": n, "lo": -half, "hi": half})
    edges = [*shown["seen"], *(row["hi"] for row in band), *(row["lo"] for row in band), 0.0]
    spare = (max(edges) - min(edges) or 1.0) * 0.05
    low, high = min(edges) - spare, max(edges) + spare
    points: list[Row] = [
        {
            "mark": "unit",
            "n": row["n"],
            "effect": row["seen"],
            "state": labels.get(row["finding"], labels["not_distinguishable"]),
            **({"name": row["name"]} if row["is_candidate"] else {}),
        }
        for row in shown.iter_rows(named=True)
    ]
    ticks = sizes_on_axis(back(start), back(end), is_log=is_log)
    kind: Any = "log" if is_log else "linear"
    x = alt.X(
        "n:Q",
        title=f"number of {result.spec['spec']['words']['rows']}",
        scale=alt.Scale(type=kind, domain=[back(start), back(end)], nice=False, zero=False),
        axis=alt.Axis(values=ticks, format=",d"),
    )
    values, decimals = nice_ticks(low, high, 7)

    def up(field: str) -> alt.Y:
        return alt.Y(
            f"{field}:Q",
            title=f"{result.spec['spec']['words']['values']} against peers, before shrinking",
            scale=alt.Scale(domain=[low, high], nice=False, zero=False),
            axis=alt.Axis(values=values, format=f"+.{decimals}f", labelExpr=signed_zero()),
        )

    y = up("effect")

    def place(row: Row) -> tuple[float, float]:
        return (
            (forward(row["n"]) - start) / (end - start) * width,
            (high - row["effect"]) / (high - low) * height,
        )

    named = [row for row in points if "name" in row]
    spots = [place(row) for row in named]
    names = [row["name"] for row in named]
    marks = [around(*spot, 4) for spot in spots]
    others = [around(*place(row), 3) for row in points] if len(points) <= MOST_AVOIDED else []
    boxes = beside(spots, names, Box(0, 0, width + 80, height), taken=marks, avoided=others)
    words_at: list[Row] = []
    for row, (left, top), box in zip(named, spots, boxes, strict=True):
        if box is None:
            continue
        middle, is_right = (box.top + box.bottom) / 2, box.left > left
        level = high - middle / height * (high - low)
        text_row = {"mark": "right" if is_right else "left", "n": row["n"], "effect": level, "text": row["name"]}
        words_at.append(text_row)
        if abs(middle - top) > LABEL_SIZE / 2:
            near = left + (7 if is_right else -7)
            n2 = back(start + near / width * (end - start))
            words_at.append({"mark": "leader", "n": row["n"], "effect": row["effect"], "n2": n2, "effect2": level})
    is_labelled = all(box is not None for box in boxes)
    if not is_labelled:
        # All or none: to name some would be to choose among them.
        words_at = []
        told[0] = told_lines(result, units, shown.height, overall=overall, is_labelled=False)[0]
    present = STATES.present({state_of(row) for row in shown.iter_rows(named=True)})
    text: dict[str, Any] = {"fontSize": LABEL_SIZE, "baseline": "middle", "color": INK}
    smaller = scaled(present, 1.0 if len(points) < 500 else 0.4, 0.8 if len(points) < 500 else 0.35)
    opacity = 0.9 if len(points) < 500 else 0.65
    layers = [
        rows_of("band").mark_area(color=FAINT, opacity=0.75).encode(x=x, y=up("lo"), y2="hi:Q"),
        rows_of("zero").mark_rule(color=INK, strokeWidth=1).encode(y=y),
        rows_of("unit")
        .mark_point(filled=True, opacity=opacity)
        .encode(x=x, y=y, **smaller.encode("state", width + 40), tooltip=[alt.Tooltip("n:Q"), *tooltip()[:2]]),
    ]
    if any(row["mark"] == "leader" for row in words_at):
        leader = rows_of("leader").mark_rule(color=QUIET, strokeWidth=0.7)
        layers.append(leader.encode(x=x, y=y, x2="n2:Q", y2="effect2:Q"))
    sides: tuple[tuple[str, Side, int], ...] = (("right", "left", 8), ("left", "right", -8))
    layers += [
        rows_of(mark).mark_text(align=align, dx=dx, **text).encode(x=x, y=y, text="text:N")
        for mark, align, dx in sides
        if any(row["mark"] == mark for row in words_at)
    ]
    rows: list[Row] = [*band, *points, *words_at, {"mark": "zero", "effect": 0.0}]
    picture = alt.layer(*layers).properties(
        data=theme.rows(rows), width=width, height=height, **theme.heading(title, told, width + 40)
    )
    return theme.finish(picture, " ".join([title + "." if title else "", *told, *told_numbers(result, shown)]).strip())


def _variance_by_size(sizes: Sequence[float], variances: Sequence[float | None]) -> tuple[float, float]:
    """The sampling variance of a difference as a + b/n, by least squares with neither part negative."""
    known = [(1 / n, v) for n, v in zip(sizes, variances, strict=False) if v is not None and math.isfinite(v)]
    if not known:
        return 0.0, 0.0
    mean_x = sum(x for x, _ in known) / len(known)
    mean_v = sum(v for _, v in known) / len(known)
    spread = sum((x - mean_x) ** 2 for x, _ in known)
    through_zero = sum(x * v for x, v in known) / sum(x * x for x, _ in known)
    if spread <= 1e-12:
        return 0.0, through_zero
    slope = sum((x - mean_x) * (v - mean_v) for x, v in known) / spread
    least = mean_v - slope * mean_x
    if slope < 0:
        return mean_v, 0.0
    return (least, slope) if least >= 0 else (0.0, through_zero)
