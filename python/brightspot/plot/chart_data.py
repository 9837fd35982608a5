"""A chart's tables as what is drawn of them: charts, their phases, and the pieces of their lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from operator import itemgetter
from statistics import median
from typing import Any, Generic, Protocol, TypeVar, cast

import polars as pl

from brightspot import words
from brightspot.exceptions import InvalidOptionError
from brightspot.plot.axes import TimeAxis

Row = dict[str, Any]
MEANINGS = ("improvement", "deterioration", "neutral")
# Limits this many times as far from the centre as most, of points with little behind them, are not shown whole: the
# data must be read.
MOST_ROOM = 2.5


class Chart(Protocol):
    """What pictures read of a chart: its tables and how it was asked for."""

    @property
    def points(self) -> pl.DataFrame:
        """One row per point."""
        ...

    @property
    def summary(self) -> pl.DataFrame:
        """One row per chart and phase."""
        ...

    @property
    def by(self) -> list[str]:
        """The columns that tell the charts apart."""
        ...

    @property
    def spec(self) -> dict[str, Any]:
        """The arguments, as they were used."""
        ...


Height = TypeVar("Height")


@dataclass(frozen=True, slots=True)
class Piece(Generic[Height]):
    """A level part of a line: from, to, and how high."""

    start: float
    end: float
    y: Height


@dataclass(frozen=True, slots=True)
class Phase:
    """The points of one phase with what was found about them."""

    name: str
    points: list[Row]
    summary: Row

    @property
    def center(self) -> float | None:
        """The height of the centre line, at its last point where it steps."""
        return self.last("center")

    def column(self, key: str) -> list[float | None]:
        """The values of a column, point by point."""
        return [point.get(key) for point in self.points]

    def last(self, key: str) -> float | None:
        """The last value that is known of a column."""
        return next((point[key] for point in reversed(self.points) if point.get(key) is not None), None)

    @property
    def line_codes(self) -> set[str]:
        """Signals of the line as a whole and not of points."""
        codes = {code for point in self.points for code in point["signals"] or ()}
        return {code for code in codes if words.signal_family(code) == "line"}

    @property
    def line_meaning(self) -> str | None:
        """What the signals of the whole line mean; None where there are none."""
        if not self.line_codes:
            return None
        meaning = self.summary.get("meaning")
        return meaning if meaning in MEANINGS else "neutral"

    def pieces(self, height: Callable[[Row], Height | None]) -> list[list[Piece[Height]]]:
        """A line in its unbroken stretches, each of level pieces that change at the middle between two points."""
        stretches: list[list[Piece[Height]]] = []
        heights = [height(point) for point in self.points]
        times = [point["x"] for point in self.points]
        for place, (x, y) in enumerate(zip(times, heights, strict=True)):
            if y is None:
                continue
            is_first = place == 0 or heights[place - 1] is None
            is_last = place + 1 == len(times) or heights[place + 1] is None
            start = x if is_first else (times[place - 1] + x) / 2
            end = x if is_last else (x + times[place + 1]) / 2
            if is_first:
                stretches.append([])
            elif stretches[-1][-1].y == y:
                start = stretches[-1].pop().start
            stretches[-1].append(Piece(start, end, y))
        return stretches

    def is_level(self, key: str) -> bool:
        """Whether a line has the same height at every point where it has one."""
        return len({point[key] for point in self.points if point.get(key) is not None}) <= 1


@dataclass(frozen=True, slots=True)
class One:
    """One chart of several."""

    id: int
    name: str
    key: tuple[Any, ...]
    phases: list[Phase]

    @property
    def points(self) -> list[Row]:
        """All points, in order of time."""
        return [point for phase in self.phases for point in phase.points]

    def heights(self, extra: Iterable[float | None] = (), *, has_target: bool = True) -> list[float | None]:
        """All heights that the picture must have room for: those of limits as far as the data stay readable."""
        keys = ("value", "value_lower", "center", *(("target",) if has_target else ()))
        shown = [point[key] for point in self.points for key in keys if key in point]
        shown += [point["observed"] for point in self.points if _has_observed(point)]
        known = [value for value in shown if value is not None]
        bounds = [
            (point[key], abs(point[key] - point["center"]))
            for point in self.points
            for key in ("lcl", "ucl")
            if point.get(key) is not None and point["center"] is not None
        ]
        most = MOST_ROOM * median(distance for _, distance in bounds) if bounds else 0.0
        low, high = min(known, default=0.0), max(known, default=0.0)
        kept = [bound for bound, distance in bounds if distance <= most or low <= bound <= high]
        return [*shown, *kept, *extra]


def _has_observed(point: Row) -> bool:
    """Whether the single value behind a point is on the same scale as what is drawn, and drawn too."""
    return bool(point.get("shows_observed")) and point["observed"] is not None


@dataclass(frozen=True, slots=True)
class Overlay:
    """What a picture shows beside the chart itself: notes above the data, further rows, and words at the right."""

    notes: Sequence[tuple[float, str]] = ()
    rows: Sequence[Row] = ()
    heights: Sequence[float] = ()
    ends: Sequence[tuple[float, str, str]] = ()


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart that is to be drawn, with what all its parts need to know."""

    chart: Chart
    points: pl.DataFrame
    summary: pl.DataFrame
    charts: list[One]
    title: str = ""
    annotations: Sequence[tuple[float, str]] = ()
    overlay: Callable[[One, TimeAxis], Overlay] = field(default=lambda _one, _axis: Overlay())
    told: Sequence[str] = ()
    """Lines under the title that follow those of the chart."""
    more: str = ""
    """What the description says beyond the chart."""

    @property
    def spec(self) -> dict[str, Any]:
        """The arguments, as they were used."""
        return self.chart.spec

    @property
    def is_share(self) -> bool:
        """Whether values are written in percent."""
        return words.are_shares(self.points["value"].to_list(), self.spec)

    @property
    def center_name(self) -> str:
        """What the centre line is called."""
        return words.center_name(self.spec)


def select(table: pl.DataFrame, only: Mapping[str, object] | None) -> pl.DataFrame:
    """The rows of some charts: of one value in a column, or of several."""
    for key, value in (only or {}).items():
        if key not in table.columns:
            raise InvalidOptionError(
                f"only names {key!r}, which is not a column of the chart: {table.columns}",
                option="only",
                value=repr(only),
            )
        several = isinstance(value, list | tuple | set | frozenset)
        values = list(cast("Iterable[object]", value)) if several else [value]
        table = table.filter(pl.any_horizontal(pl.lit(False), *(pl.col(key).eq_missing(pl.lit(v)) for v in values)))
    return table


def split(points: pl.DataFrame, summary: pl.DataFrame, chart: Chart) -> list[One]:
    """Charts and their phases, in the order of the table; times as numbers in ``x``."""
    by = chart.by
    shows_observed = words.kind_of(chart.spec) == "ewma" and "observed" in points.columns
    numbers = TimeAxis(points["time"], 1.0).numbers(points["time"])
    rows = [
        {**row, "x": x, "shows_observed": shows_observed}
        for row, x in zip(points.iter_rows(named=True), numbers, strict=True)
    ]
    findings = {tuple(row[key] for key in (*by, "phase")): row for row in summary.iter_rows(named=True)}

    def key(row: Row) -> tuple[Any, ...]:
        return tuple(row[name] for name in by)

    charts: list[One] = []
    for place, (names, group) in enumerate(groupby(rows, key)):
        phases = [
            Phase(name, list(some), findings.get((*names, name), {}))
            for name, some in groupby(group, itemgetter("phase"))
        ]
        charts.append(One(place, name_of(names), names, phases))
    return charts


def name_of(names: Sequence[object]) -> str:
    """The name of a chart: the values of its ``by`` columns."""
    return ", ".join("(none)" if part is None else str(part) for part in names)


def both_limits(point: Row) -> tuple[float, float] | None:
    """The limits of a point that has both."""
    return None if point["lcl"] is None or point["ucl"] is None else (point["lcl"], point["ucl"])


def edges(one: One) -> Iterator[float]:
    """Where one phase ends and the next begins."""
    for before, after in pairwise(one.phases):
        yield (before.points[-1]["x"] + after.points[0]["x"]) / 2
