"""Proposed phases on the chart as it is: where they would start, how sure that is, and what the limits would become."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import altair as alt
import polars as pl

from brightspot import words
from brightspot.plot.axes import TimeAxis
from brightspot.plot.chart import compose, prepare
from brightspot.plot.chart_data import Chart, One, Overlay, Row, select
from brightspot.plot.theme import BLUE
from brightspot.words import Scale

# From here on proposals are counted under the title, not told one by one.
MOST_TOLD = 3


def draw_proposals(
    chart: Chart,
    proposals: pl.DataFrame,
    *,
    title: str = "",
    only: Mapping[str, object] | None = None,
    width: int | None = None,
    height: int | None = None,
    columns: int | None = None,
    annotations: Mapping[object, str] | None = None,
) -> alt.TopLevelMixin:
    """Draw charts as they are, with the phases that were proposed.

    A blue line stands where a phase would start and a blue strip covers the times that its start may have; the centre
    and the limits that the chart would have are blue too. Nothing is changed: a person accepts a proposal or does not.

    Parameters
    ----------
    chart
        What :func:`brightspot.run_chart` or ``brightspot.control_chart`` returned.
    proposals
        The table of proposals of this chart: ``by...``, (``phase``,) ``starts``, ``from``, ``to``, ``before``,
        ``after``, ``estimate``, ``lo``, ``hi``, ``p``, ``lcl_before``, ``ucl_before``, ``lcl_after``, ``ucl_after``.
    title, only, width, height, columns, annotations
        As for a chart's own picture.
    """
    drawing = prepare(chart, title=title, only=only, annotations=annotations)
    table = select(proposals, only)
    times = drawing.points["time"]
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in _with_numbers(table, times):
        found.setdefault(tuple(row[name] for name in chart.by), []).append(row)

    def overlay(one: One, axis: TimeAxis) -> Overlay:
        own = sorted(found.get(one.key, ()), key=lambda row: row["starts_x"])
        return _overlay(one, own, axis, show, is_one=is_one, has_levels=has_levels)

    # Levels are those of single values: ranges and sums have another scale.
    has_levels = words.kind_of(chart.spec) not in ("mr", "cusum")
    show = words.share if drawing.is_share else words.number
    is_one = len(drawing.charts) == 1
    on = Scale("percentage points", is_share=True) if drawing.is_share else Scale()
    names = {one.key: one.name for one in drawing.charts}
    kept = [(names[key], row) for key, rows in found.items() if key in names for row in rows]
    told = [words.capital(words.proposal(row, "" if is_one else name, on)) for name, row in kept]
    lines = told if is_one and len(told) <= MOST_TOLD else []
    lines = lines or [words.proposals_heading(len(told), len({name for name, _ in kept}), len(names))]
    lines = [*lines, words.PROPOSED_LOOK if has_levels else words.PROPOSED_TIMES] if told else lines
    more = " ".join(told) or lines[0]
    drawing = replace(drawing, overlay=overlay, told=lines, more=more)
    return compose(drawing, width=width, height=height, columns=columns)


def _with_numbers(table: pl.DataFrame, times: pl.Series) -> list[Row]:
    """The proposals, with their times as numbers too."""
    axis = TimeAxis(times, 1.0)
    rows = list(table.iter_rows(named=True))
    for key in ("starts", "from", "to"):
        for row, number in zip(rows, axis.numbers(table[key]), strict=True):
            row[f"{key}_x"] = number
    return [row for row in rows if row["starts_x"] is not None]


def _overlay(
    one: One,
    proposals: Sequence[Row],
    axis: TimeAxis,
    show: Callable[[float | None], str],
    *,
    is_one: bool,
    has_levels: bool,
) -> Overlay:
    """What is drawn of the proposals of one chart: those of each phase divide that phase alone."""
    rows: list[Row] = []
    notes: list[tuple[float, str]] = []
    heights: list[float] = []
    ends: list[tuple[float, str, str]] = []
    for phase in one.phases:
        own = [row for row in proposals if row.get("phase", phase.name) == phase.name]
        if not own:
            continue
        times = [point["x"] for point in phase.points]
        borders = [_border(times, row["starts_x"]) for row in own]
        notes += [(at, words.proposed(row["starts"], short=not is_one)) for row, at in zip(own, borders, strict=True)]
        for row, border in zip(own, borders, strict=True):
            first, last = row["from_x"], row["to_x"]
            if first is not None and last is not None and first < last:
                strip = {"x": axis.plain(_border(times, first)), "x2": axis.plain(_border(times, last))}
                rows.append({"mark": "strip", **strip})
            rows.append({"mark": "start", "x": axis.plain(border)})
        if not has_levels:
            continue
        levels = [_levels(own[0], "before"), *(_levels(row, "after") for row in own)]
        for (start, end), level in zip(pairwise([times[0], *borders, times[-1]]), levels, strict=True):
            known = [(key, y) for key, y in level.items() if y is not None]
            heights += [y for _, y in known]
            for key, y in known:
                mark = "would_center" if key == "center" else "would_limit"
                rows.append({"mark": mark, "x": axis.plain(start), "x2": axis.plain(end), "y": y})
        after = levels[-1]["center"]
        if is_one and after is not None and phase is one.phases[-1]:
            ends.append((after, f"proposed {show(after)}", BLUE))
    return Overlay(notes=notes, rows=rows, heights=heights, ends=ends)


def _levels(row: Row, side: str) -> dict[str, float | None]:
    return {"center": row[side], "lcl": row.get(f"lcl_{side}"), "ucl": row.get(f"ucl_{side}")}


def _border(times: Sequence[float], start: float) -> float:
    """Half way between the last point of the old phase and the first of the new one."""
    before = [time for time in times if time < start]
    return (before[-1] + start) / 2 if before else start
