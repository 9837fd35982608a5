"""A chart as small as a word: band, centre line, data and the signals among them, without axes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import altair as alt

from brightspot.plot import chart_signals
from brightspot.plot.axes import TimeAxis, ValueAxis
from brightspot.plot.chart_data import One, Row, both_limits
from brightspot.plot.theme import INK, LINE, POINT

_BAND = "#E3E9EC"


def spark(one: One, axis: TimeAxis, left: float, top: float, height: float) -> Iterator[Row]:
    """The rows of a small chart, at pixels of the page; it has its own scale of values."""
    values = ValueAxis(one.heights(has_target=False), height)

    def down(y: float) -> float:
        return top + values.pixel(min(max(y, values.low), values.high))

    for number, phase in enumerate(one.phases):
        name = f"{one.id} {number}"
        for place, limits in enumerate(phase.pieces(both_limits)):
            for piece in limits:
                low, high = (down(y) for y in piece.y)
                for x in (piece.start, max(piece.end, piece.start)):
                    yield {"mark": "band", "x": left + axis.pixel(x), "y": low, "y2": high, "line": f"{name} {place}"}
        for stretch in phase.pieces(lambda point: point["center"]):
            for piece in stretch:
                start, end = left + axis.pixel(piece.start), left + axis.pixel(piece.end)
                yield {"mark": "spark_center", "x": start, "x2": max(end, start + 3), "y": down(piece.y)}
        for column in ("value", "value_lower"):
            n_breaks = 0
            for point in phase.points:
                if point.get(column) is None:
                    n_breaks += 1
                elif not point["is_excluded"]:
                    line = f"{name} {column} {n_breaks}"
                    yield {"mark": "data", "x": left + axis.pixel(point["x"]), "y": down(point[column]), "line": line}
    yield from (row | {"x": left + row["x"], "y": down(row["y"])} for row in _dots(one, axis))


def _dots(one: One, axis: TimeAxis) -> Iterator[Row]:
    """Points with a signal, and the last one."""
    known = [point for point in one.points if point["value"] is not None and not point["is_excluded"]]
    for point in known:
        state = chart_signals.code(point)
        if state != "none":
            meaning = state.split()[1]
            path, size = chart_signals.shape("run", meaning)
            color = chart_signals.meaning_color(meaning)
            at = point["value"]
            if "value_lower" in point and -(point["value_lower"] or 0.0) > at:
                at = point["value_lower"]
            yield _dot(axis, point, at, path, color, size * 0.3)
        elif point is known[-1]:
            yield _dot(axis, point, point["value"], "circle", POINT, 16)


def _dot(axis: TimeAxis, point: Row, y: float, path: str, color: str, size: float) -> Row:
    return {"mark": "dot", "x": axis.pixel(point["x"]), "y": y, "path": path, "color": color, "size": size}


def spark_layers(x: Any, y: Any, color: Any, size: Any, shape: Any) -> list[alt.Chart]:  # noqa: ANN401 (altair's encodings)
    """The marks of small charts, from back to front."""

    def of(mark: str) -> alt.Chart:
        return alt.Chart().transform_filter(f"datum.mark === '{mark}'")

    return [
        of("band").mark_area(color=_BAND, opacity=1).encode(x=x, y=y, y2="y2", detail="line:N"),
        of("spark_center").mark_rule(color=INK, strokeWidth=1).encode(x=x, x2="x2", y=y),
        of("data").mark_line(color=LINE, strokeWidth=1.1).encode(x=x, y=y, detail="line:N"),
        of("dot").mark_point(filled=True, opacity=1).encode(x=x, y=y, shape=shape, color=color, size=size),
    ]
