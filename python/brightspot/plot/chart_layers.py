"""The rows of a chart as layers of marks, from back to front; what does not occur makes no layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import altair as alt

from brightspot import words
from brightspot.plot import chart_lines as lines
from brightspot.plot import chart_signals as signals
from brightspot.plot.axes import TimeAxis, ValueAxis
from brightspot.plot.chart_data import One, Phase, Row
from brightspot.plot.labels import text_width
from brightspot.plot.theme import BLUE, FAINT, INK, LABEL_SIZE, LINE, QUIET, States

_BAND = "#EEF2F4"


def point_rows(
    one: One, axis: TimeAxis, values: ValueAxis, labels: Mapping[str, str], center_name: str
) -> Iterator[Row]:
    """Every point with all that its tooltip says; a cumulative sum has two, one above and one below."""
    for number, phase in enumerate(one.phases):
        for point in phase.points:
            told = _told(point, phase, axis, values, center_name)
            for line, (y, seen) in enumerate(_drawn(point)):
                state = signals.code(seen)
                yield {
                    **told,
                    "mark": "point",
                    "y": y,
                    "value": values.show(y),
                    "phase": f"{number} {line}",
                    "state": labels[state],
                    "is_excluded": state == "excluded",
                    "has_hole": y is not None and state.startswith(("beyond", "pattern", "several")),
                }
            if point["shows_observed"] and point["observed"] is not None:
                yield {**told, "mark": "observed", "y": point["observed"], "state": labels["observed"]}


def _drawn(point: Row) -> Iterator[tuple[float | None, Row]]:
    """What is drawn of a point, with the signals that belong there: of two sums, those of the one outside its limit."""
    if "value_lower" not in point:
        yield point["value"], point
        return
    upper, lower = point["value"], point["value_lower"]
    without: Row = {**point, "signals": ()}
    is_low = lower is not None and point["lcl"] is not None and lower < point["lcl"]
    is_high = upper is not None and point["ucl"] is not None and upper > point["ucl"]
    if not is_low and not is_high:
        is_low = lower is not None and upper is not None and -lower > upper
        is_high = not is_low
    yield upper, point if is_high else without
    yield lower, point if is_low else without


def seen_points(points: Sequence[Row]) -> Iterator[Row]:
    """Points as they are drawn, for the states that occur among them."""
    for point in points:
        yield from (seen for y, seen in _drawn(point) if y is not None)


def _told(point: Row, phase: Phase, axis: TimeAxis, values: ValueAxis, center_name: str) -> Row:
    codes: Sequence[str] = point["signals"] or ()
    both = [values.show(point[key]) for key in ("lcl", "ucl") if point.get(key) is not None]
    return {
        "x": axis.plain(point["x"]),
        "when": axis.text(point["x"]),
        center_name: values.show(point["center"]),
        "of_phase": phase.name,
        **({"limits": " and ".join(both)} if both else {}),
        **({"why": " ".join(words.signal(code) for code in codes)} if codes else {}),
        **{key: point[key] for key in ("numerator", "denominator", "observed", "n", "spread") if key in point},
    }


def line_rows(one: One, axis: TimeAxis, values: ValueAxis) -> Iterator[Row]:
    """All lines of a chart but the data's own."""
    yield from lines.limits(one, axis, values)
    for phase in one.phases:
        yield from lines.center(phase, axis)
    yield from lines.target(one, axis)


def _rows_of(mark: str) -> alt.Chart:
    return alt.Chart().transform_filter(f"datum.mark === '{mark}'")


def layers(
    rows: Sequence[Row],
    axis: TimeAxis,
    y: alt.Y,
    states: States,
    center_lines: Mapping[str, str],
    center_name: str,
    width: float,
) -> list[alt.Chart]:
    """All marks; ``states`` are the kinds of point that occur, ``center_lines`` what dotted lines mean.

    ``width`` is that of the whole picture, for its legend.
    """
    marks = {row["mark"] for row in rows}
    x, plain, second = axis.encode(), alt.Y("y:Q"), alt.Y2("y2:Q")
    text: dict[str, Any] = {"align": "left", "baseline": "middle", "fontSize": LABEL_SIZE}
    points = states.encode("state", width - sum(text_width(label, 12) + 50 for label in center_lines))

    def behind() -> Iterator[tuple[str, Any]]:
        yield (
            "band",
            _rows_of("band").mark_area(color=_BAND, opacity=1).encode(x=x, y=y, y2=second, detail="piece:N"),
        )
        yield "strip", _rows_of("strip").mark_rect(color=BLUE, opacity=0.13).encode(x=x, x2="x2")
        yield "edge", _rows_of("edge").mark_rule(color=FAINT, strokeWidth=1.5).encode(x=x, y=plain, y2=second)
        yield "noted", _rows_of("noted").mark_rule(color=LINE, strokeWidth=1).encode(x=x, y=plain, y2=second)
        yield "start", _rows_of("start").mark_rule(color=BLUE, strokeWidth=1.6).encode(x=x)
        for mark, stroke in (("limit", [3, 3]), ("step", [1, 0])):
            yield (
                mark,
                _rows_of(mark)
                .mark_line(color=LINE, strokeWidth=1, strokeDash=stroke)
                .encode(x=x, y=plain, detail="piece:N"),
            )
        path: dict[str, Any] = {"color": QUIET, "strokeDash": [8, 3, 2, 3], "strokeWidth": 1.2}
        yield "target", _rows_of("target").mark_rule(**path).encode(x=x, x2="x2", y=plain)
        yield "path", _rows_of("path").mark_line(**path).encode(x=x, y=plain)
        for mark, stroke, width in (("would_limit", [3, 3], 1.2), ("would_center", [1, 0], 1.6)):
            would = _rows_of(mark).mark_rule(color=BLUE, strokeWidth=width, strokeDash=stroke)
            yield mark, would.encode(x=x, x2="x2", y=plain)

    def before() -> Iterator[tuple[str, Any]]:
        look = _center_lines(rows, center_lines)
        yield "riser", _rows_of("riser").mark_rule(strokeWidth=1).encode(x=x, y=plain, y2=second, **look)
        yield (
            "center",
            _rows_of("center").mark_rule(strokeWidth=1.5).encode(x=x, x2="x2", y=plain, **look),
        )
        yield (
            "observed",
            _rows_of("observed").mark_point(filled=True, opacity=1).encode(x=x, y=plain, **points, tooltip=_when()),
        )

    found = [layer for mark, layer in behind() if mark in marks]
    found.append(
        _rows_of("point")
        .transform_filter("!datum.is_excluded")
        .mark_line(color=LINE, strokeWidth=1.3, invalid="break-paths-filter-domains")
        .encode(x=x, y=y, detail="phase:N")
    )
    found += [layer for mark, layer in before() if mark in marks]
    if any(row.get("has_hole") for row in rows):
        # A mark with a hole hides the line behind it.
        found.append(
            _rows_of("point")
            .transform_filter("datum.has_hole && isValid(datum.y)")
            .mark_point(filled=True, opacity=1, color="white", shape="circle", tooltip=None)
            .encode(x=x, y=y, size=alt.value(max(state.size for state in states.states) * 0.8))
        )
    found.append(
        _rows_of("point")
        .transform_filter("isValid(datum.y)")
        .mark_point(filled=True, opacity=1)
        .encode(x=x, y=y, **points, tooltip=_tooltip(rows, center_name))
    )
    for mark, color in (("phase", QUIET), ("note", INK)):
        if mark in marks:
            # A white rim keeps letters apart from lines that pass behind them.
            rim = _rows_of(mark).mark_text(color="white", stroke="white", strokeWidth=3, **text)
            found.append(rim.encode(x=x, y=plain, text="text:N"))
            found.append(_rows_of(mark).mark_text(color=color, **text).encode(x=x, y=plain, text="text:N"))
    if "end" in marks:
        colored = alt.Color("color:N", scale=None)
        found.append(_rows_of("end").mark_text(dx=4, **text).encode(x=x, y=plain, text="text:N", color=colored))
    if "nothing" in marks:
        centred: dict[str, Any] = {**text, "align": "center"}
        found.append(_rows_of("nothing").mark_text(color=QUIET, **centred).encode(x=x, y=plain, text="text:N"))
    return found


def _center_lines(rows: Sequence[Row], labels: Mapping[str, str]) -> dict[str, Any]:
    """Colour and dashes of centre lines; the legend explains only what is out of the ordinary."""
    used = {row["line"] for row in rows if row["mark"] == "center"}
    kinds = {name: look for name, look in signals.line_kinds(labels).items() if name in used}
    special = [name for name in kinds if name in labels]
    legend = alt.Legend(title=None, orient="bottom", values=special, symbolType="stroke", symbolSize=300)
    shown: Any = legend if special else None
    return {
        "stroke": alt.Stroke(
            "line:N", scale=alt.Scale(domain=list(kinds), range=[color for color, _ in kinds.values()]), legend=shown
        ),
        "strokeDash": alt.StrokeDash(
            "line:N", scale=alt.Scale(domain=list(kinds), range=[dash for _, dash in kinds.values()]), legend=shown
        ),
    }


def _when() -> list[alt.Tooltip]:
    return [alt.Tooltip("when:N", title="time"), alt.Tooltip("observed:Q", title="single value")]


def _tooltip(rows: Sequence[Row], center_name: str) -> list[alt.Tooltip]:
    keys = {key for row in rows if row["mark"] == "point" for key in row}
    optional = [(key, "Q") for key in ("numerator", "denominator", "observed", "n", "spread")]
    return [
        alt.Tooltip("when:N", title="time"),
        alt.Tooltip("value:N"),
        *(alt.Tooltip(f"{key}:{kind}") for key, kind in optional if key in keys),
        alt.Tooltip(f"{center_name}:N"),
        *([alt.Tooltip("limits:N")] if "limits" in keys else []),
        alt.Tooltip("state:N", title="signal"),
        *([alt.Tooltip("why:N", title="meaning")] if "why" in keys else []),
        alt.Tooltip("of_phase:N", title="phase"),
    ]
