"""The lines of a chart as rows: centre lines, limits with the band between them, targets."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from operator import itemgetter

from brightspot.plot import chart_signals as signals
from brightspot.plot.axes import TimeAxis, ValueAxis
from brightspot.plot.chart_data import One, Phase, Piece, Row, both_limits

# Half the length of a line that belongs to one point alone, in pixels.
_ALONE = 8


def center_labels(one: One) -> dict[str, str]:
    """The labels of dotted centre lines, each with what it means."""
    return {
        signals.line_label(phase.line_codes, phase.line_meaning): phase.line_meaning
        for phase in one.phases
        if phase.line_meaning
    }


def center(phase: Phase, axis: TimeAxis) -> Iterator[Row]:
    """The centre line: solid where it was computed, dashed where carried on, dotted where the whole line signals."""
    meaning = phase.line_meaning
    special = signals.line_label(phase.line_codes, meaning) if meaning else None
    base = [point["x"] for point in phase.points if point["is_baseline"]]
    for stretch in phase.pieces(itemgetter("center")):
        for piece in stretch:
            if special or not base:
                parts = [(piece.start, piece.end, special or signals.PROJECTION)]
            else:
                parts = list(_parts(piece, base[0], base[-1]))
            for start, end, kind in parts:
                yield _rule(axis, start, end, piece.y, "center") | {"line": kind}
        for piece, after in pairwise(stretch):
            at = axis.plain(piece.end)
            kind = special or (signals.BASELINE if base and piece.end < base[-1] else signals.PROJECTION)
            yield {"mark": "riser", "x": at, "y": piece.y, "y2": after.y, "line": kind}


def _parts(piece: Piece[float], first: float, last: float) -> Iterator[tuple[float, float, str]]:
    """A piece before, within and after the baseline."""
    start, end = max(piece.start, first), min(piece.end, last)
    if start > end or (start == end and piece.start < piece.end):
        yield piece.start, piece.end, signals.PROJECTION
        return
    yield start, end, signals.BASELINE
    if piece.start < start:
        yield piece.start, start, signals.PROJECTION
    if end < piece.end:
        yield end, piece.end, signals.PROJECTION


def _rule(axis: TimeAxis, start: float, end: float, y: float, mark: str) -> Row:
    start, end = _widened(axis, start, end)
    return {"mark": mark, "x": axis.plain(start), "x2": axis.plain(end), "y": y}


def _widened(axis: TimeAxis, start: float, end: float) -> tuple[float, float]:
    """One point alone: a line somewhat longer than a mark is wide."""
    if start < end:
        return start, end
    return axis.at(axis.pixel(start) - _ALONE), axis.at(axis.pixel(start) + _ALONE)


def limits(one: One, axis: TimeAxis, values: ValueAxis) -> Iterator[Row]:
    """Limits as lines that step between points, and the band between them; beyond the picture they break off."""
    for number, phase in enumerate(one.phases):
        for place, stretch in enumerate(phase.pieces(both_limits)):
            for piece in stretch:
                low, high = (min(max(y, values.low), values.data_high) for y in piece.y)
                for x in _widened(axis, piece.start, piece.end):
                    yield {"mark": "band", "x": axis.plain(x), "y": low, "y2": high, "piece": f"{number} {place}"}
        for key in ("lcl", "ucl"):
            mark = "limit" if phase.is_level(key) else "step"
            for place, stretch in enumerate(phase.pieces(itemgetter(key))):
                yield from _corners(stretch, axis, values, mark, f"{number} {key} {place}")


def _corners(stretch: list[Piece[float]], axis: TimeAxis, values: ValueAxis, mark: str, name: str) -> Iterator[Row]:
    """The corners of a line; where it leaves the picture it breaks."""
    n_breaks = 0
    for piece in stretch:
        if not values.low <= piece.y <= values.data_high:
            n_breaks += 1
            continue
        for x in _widened(axis, piece.start, piece.end):
            yield {"mark": mark, "x": axis.plain(x), "y": piece.y, "piece": f"{name} {n_breaks}"}


def target(one: One, axis: TimeAxis) -> Iterator[Row]:
    """A target as a straight line, as the steps it goes in, or as the slope that it follows."""
    points = [point for point in one.points if point.get("target") is not None]
    if not points:
        return
    heights = [point["target"] for point in points]
    if len(set(heights)) == 1:
        yield _rule(axis, points[0]["x"], points[-1]["x"], heights[0], "target")
        return
    n_changes = sum(a != b for a, b in pairwise(heights))
    if 2 * n_changes > len(heights) - 1:
        yield from ({"mark": "path", "x": axis.plain(point["x"]), "y": point["target"]} for point in points)
        return
    for stretch in Phase("", points, {}).pieces(itemgetter("target")):
        for piece in stretch:
            yield from ({"mark": "path", "x": axis.plain(x), "y": piece.y} for x in (piece.start, piece.end))
