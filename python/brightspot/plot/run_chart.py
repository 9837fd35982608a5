"""The picture of a run chart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from brightspot import words
from brightspot.exceptions import InvalidOptionError
from brightspot.plot import theme
from brightspot.plot.axes import PAD, TimeAxis, ValueAxis, free_encode, is_share
from brightspot.plot.labels import rows_for, shortened, spread, text_width
from brightspot.plot.theme import BLUE, FAINT, INK, LABEL_SIZE, LINE, ORANGE, POINT, QUIET, State, States

if TYPE_CHECKING:
    from brightspot.charts import RunChart

# More small multiples than this cannot be read on one screen or page.
MOST_CHARTS = 60
# Charts whose own range is this many times smaller than the range of all get scales of their own.
OWN_SCALE = 4
LINE_HEIGHT = 13
MOST_PHASES_TOLD = 3

STATES = States(
    [
        State("none", "no signal", POINT, "circle", 34),
        State("improvement", "long run: better", BLUE, "triangle-up", 85),
        State("deterioration", "long run: worse", ORANGE, "square", 70),
        State("neutral", "long run", INK, "diamond", 85),
        State("excluded", "not counted", LINE, "cross", 60),
    ]
)
# Kinds of line: label in the legend, colour, dashes. The crossings are a property of the line, not of points.
LINES = {
    "baseline": ("median", INK, [1, 0]),
    "projection": ("median, carried on", INK, [6, 4]),
    "improvement": ("few crossings of the line: better", BLUE, [2, 3]),
    "deterioration": ("few crossings of the line: worse", ORANGE, [2, 3]),
    "neutral": ("few crossings of the line", INK, [2, 3]),
}
MEANINGS = ("improvement", "deterioration", "neutral")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Phase:
    """The points of one phase with what was found about them."""

    name: str
    points: list[Row]
    summary: Row

    @property
    def center(self) -> float | None:
        """The height of the centre line."""
        return next((point["center"] for point in self.points if point["center"] is not None), None)

    @property
    def crossings(self) -> str | None:
        """What too few crossings mean here; None where they are not too few."""
        if not any("few_crossings" in (point["signals"] or ()) for point in self.points):
            return None
        meaning = self.summary.get("meaning")
        return meaning if meaning in MEANINGS else "neutral"


@dataclass(frozen=True, slots=True)
class One:
    """One chart of several."""

    id: int
    name: str
    phases: list[Phase]

    @property
    def points(self) -> list[Row]:
        """All points, in order of time."""
        return [point for phase in self.phases for point in phase.points]

    @property
    def values(self) -> list[float | None]:
        """All heights that are drawn."""
        return [point[key] for point in self.points for key in ("value", "center", "target") if key in point]


def draw(
    chart: RunChart,
    *,
    title: str = "",
    only: Mapping[str, object] | None = None,
    width: int | None = None,
    height: int | None = None,
    columns: int | None = None,
) -> alt.TopLevelMixin:
    """Draw one run chart, or small multiples of several.

    Points of a run that is too long differ in shape and colour; where the line is crossed too seldom, the line itself
    is dotted and coloured. A missing value breaks the line; a point that is not counted is a cross that the line passes
    by.

    Parameters
    ----------
    chart
        What :func:`brightspot.run_chart` returned.
    title
        A heading.
    only
        Draw only the charts with these values in their ``by`` columns.
    width, height
        Of one chart, in pixels.
    columns
        How many small multiples stand beside each other.
    """
    points, summary = _select(chart.points, only), _select(chart.summary, only)
    if points.is_empty():
        raise InvalidOptionError(
            "there is no point to draw; check `only` and the frame", option="only", value=repr(only)
        )
    charts = _split(points, summary, chart.by)
    if len(charts) > MOST_CHARTS:
        raise InvalidOptionError(
            f"{len(charts)} charts cannot be read in one picture: it must be at most {MOST_CHARTS}; draw some of them "
            'with only={"column": value}, or look at .summary first',
            option="only",
            value=repr(only),
        )
    shares = is_share(points["value"].to_list(), chart.spec.get("size"))
    picture: Any = (
        _single(charts[0], points["time"], chart, title, shares, width or 620, height or 280)
        if len(charts) == 1
        else _several(charts, points["time"], chart, title, shares, (width, height, columns))
    )
    return theme.finish(picture, _description(chart, summary, title, shares))


def _select(table: pl.DataFrame, only: Mapping[str, object] | None) -> pl.DataFrame:
    for key, value in (only or {}).items():
        if key not in table.columns:
            raise InvalidOptionError(
                f"only names {key!r}, which is not a column of the chart: {table.columns}",
                option="only",
                value=repr(only),
            )
        table = table.filter(pl.col(key).eq_missing(pl.lit(value)))
    return table


def _split(points: pl.DataFrame, summary: pl.DataFrame, by: Sequence[str]) -> list[One]:
    """Charts and their phases, in the order of the table; times as numbers in ``x``."""
    numbers = TimeAxis(points["time"], 1.0).numbers(points["time"])
    rows = [{**row, "x": x} for row, x in zip(points.iter_rows(named=True), numbers, strict=True)]
    findings = {tuple(row[key] for key in (*by, "phase")): row for row in summary.iter_rows(named=True)}

    def key(row: Row) -> tuple[Any, ...]:
        return tuple(row[name] for name in by)

    charts: list[One] = []
    for place, (names, group) in enumerate(groupby(rows, key)):
        phases = [
            Phase(name, list(some), findings.get((*names, name), {}))
            for name, some in groupby(group, itemgetter("phase"))
        ]
        name = ", ".join("(none)" if part is None else str(part) for part in names)
        charts.append(One(place, name, phases))
    return charts


def _description(chart: RunChart, summary: pl.DataFrame, title: str, shares: bool) -> str:
    """The numbers in words, cut at the end of a sentence where there are very many."""
    several = summary["phase"].n_unique() > 1
    show = words.share if shares else words.number
    told = f"Run chart{f': {title}' if title else ''}."
    for row in summary.head(MOST_CHARTS).iter_rows(named=True):
        names = [str(row[key]) for key in chart.by] + ([str(row["phase"])] if several else [])
        sentence = words.run_chart(row, ", ".join(names), show)
        if len(told) + len(sentence) > 3000:
            return f"{told} And more."
        told = f"{told} {sentence}"
    return told


def _single(one: One, times: pl.Series, chart: RunChart, title: str, shares: bool, width: int, height: int) -> Any:  # noqa: ANN401 (altair's own types are partly unknown)
    axis = TimeAxis(times, width)
    n_rows = max((row for *_, row in _headers(one, axis, shares, short=False)), default=-1) + 1
    values = ValueAxis(one.values, height, head=_head(n_rows), is_share=shares)
    rows = list(_rows(one, axis, values, short=False))
    spec = chart.spec
    y_title = f"{spec['value']} / {spec['size']}" if spec.get("size") else str(spec.get("value", "value"))
    told = _told(one)
    layers = _layers(rows, axis, values.encode(y_title), width / max(1, len(one.points)), one.points)
    return alt.layer(*layers).properties(
        data=theme.rows(rows), width=width, height=height, **theme.heading(title or one.name, told, width + 70)
    )


def _told(one: One) -> list[str]:
    """What the chart shows, in a line or two: each of a few phases, or how many of many have a signal."""
    found = [phase for phase in one.phases if phase.summary]
    if len(found) > MOST_PHASES_TOLD:
        return [words.run_phases_heading(len(found), sum(bool(phase.summary["has_signal"]) for phase in found))]
    lines = [words.run_chart_heading(phase.summary) for phase in found]
    return [f"{phase.name}: {line}" for phase, line in zip(found, lines, strict=True)] if len(found) > 1 else lines


def _several(
    charts: list[One],
    times: pl.Series,
    chart: RunChart,
    title: str,
    shares: bool,
    size: tuple[int | None, int | None, int | None],
) -> Any:  # noqa: ANN401 (altair's own types are partly unknown)
    usual = (300, 160, 2) if len(charts) <= 4 else (210, 120, 3) if len(charts) <= 12 else (170, 90, 4)
    width, height, columns = (given or usual[place] for place, given in enumerate(size))
    axis = TimeAxis(times, width)
    n_rows = max((row for one in charts for *_, row in _headers(one, axis, shares, short=True)), default=-1) + 1
    head = _head(n_rows)
    shared = ValueAxis((v for one in charts for v in one.values), height, head=head, is_share=shares)
    own_scales = _need_own_scales(charts)
    rows: list[Row] = []
    for one in charts:
        values = ValueAxis(one.values, height, head=head, is_share=shares) if own_scales else shared
        rows += ({**row, "chart": one.id} for row in _rows(one, axis, values, short=True))
        if own_scales:
            # Vega takes the range of each scale from its data: these two rows, which are not drawn, say what it is.
            at = axis.plain(axis.first)
            rows += ({"mark": "range", "chart": one.id, "x": at, "y": y} for y in (values.low, values.high))
    y = free_encode(is_share=shares) if own_scales else shared.encode()
    most = max(len(one.points) for one in charts)
    layers = _layers(rows, axis, y, width / max(1, most), [point for one in charts for point in one.points])
    if own_scales:
        layers.append(_rows_of("range").mark_point(opacity=0, tooltip=None).encode(x=axis.encode(), y=y))
    names = [shortened(one.name, width, 12, bold=True) or one.name for one in charts]
    header = alt.Header(labelExpr=f"({json.dumps(names)})[datum.value]")
    n_signals = sum(any(phase.summary.get("has_signal") for phase in one.phases) for one in charts)
    told = words.run_charts_heading(len(charts), n_signals, own_scales=own_scales)
    layered: Any = alt.layer(*layers).properties(width=width, height=height)
    picture: Any = layered.facet(
        data=theme.rows(rows),
        facet=alt.Facet("chart:O", title=None, header=header),
        columns=columns,
        **theme.heading(title, [told], (width + 60) * min(columns, len(charts))),
    )
    return picture.resolve_scale(y="independent") if own_scales else picture


def _need_own_scales(charts: Sequence[One]) -> bool:
    """Whether on one scale most charts would be flat."""
    known = [[p["value"] for p in one.points if p["value"] is not None] for one in charts]
    spans = sorted(max(values) - min(values) for values in known if len(set(values)) > 1)
    if not spans:
        heights = {values[0] for values in known if values}
        return len(heights) > 1
    overall = max(max(values) for values in known if values) - min(min(values) for values in known if values)
    return overall > OWN_SCALE * spans[len(spans) // 2]


def _head(n_rows: int) -> float:
    return n_rows * LINE_HEIGHT + 4 if n_rows else 0


def _headers(one: One, axis: TimeAxis, shares: bool, *, short: bool) -> Iterator[tuple[float, str, int]]:
    """The names of phases above the data: where, what, and in which row, so that none covers another."""
    if len(one.phases) < 2:
        return
    show = words.share if shares else words.number
    starts = [_edge(before, after) for before, after in pairwise(one.phases)]
    lefts = [PAD / 2, *(axis.pixel(start) + 5 for start in starts)]
    texts: list[str] = []
    for place, phase in enumerate(one.phases):
        is_last = place == len(one.phases) - 1
        # The last phase's median stands at the end of its line.
        seldom = ", few crossings" if phase.crossings else ""
        center = phase.center
        text = phase.name if is_last or short or center is None else f"{phase.name}: median {show(center)}{seldom}"
        texts.append(text)
    room = [right - left for left, right in pairwise([*lefts, axis.width + 5])]
    if all(text_width(text, LABEL_SIZE) <= space - 4 for text, space in zip(texts, room, strict=True)):
        places: list[int | None] = [0] * len(texts)
    else:
        texts = [
            shortened(text, min(axis.width - left, max(space - 4, axis.width / 3)), LABEL_SIZE)
            for text, left, space in zip(texts, lefts, room, strict=True)
        ]
        places = rows_for(
            [(left, left + text_width(text, LABEL_SIZE)) for left, text in zip(lefts, texts, strict=True)]
        )
    for left, text, row in zip(lefts, texts, places, strict=True):
        if text and row is not None:
            yield left, text, row


def _edge(before: Phase, after: Phase) -> float:
    """Where one phase ends and the next begins."""
    return (before.points[-1]["x"] + after.points[0]["x"]) / 2


def _rows(one: One, axis: TimeAxis, values: ValueAxis, *, short: bool) -> Iterator[Row]:
    """Everything that is drawn of one chart, decided here and not in the marks: a row is a point, a line or a word."""
    labels = STATES.labels()
    for number, phase in enumerate(one.phases):
        yield from _segments(phase, axis)
        for point in phase.points:
            state = _state(point)
            yield {
                "mark": "point",
                "x": axis.plain(point["x"]),
                "y": point["value"],
                "phase": number,
                "state": labels[state],
                "is_excluded": state == "excluded",
                "when": axis.text(point["x"]),
                "value": values.show(point["value"]),
                "median": values.show(point["center"]),
                "of_phase": phase.name,
                **{key: point[key] for key in ("numerator", "denominator") if key in point},
            }
    for before, after in pairwise(one.phases):
        yield {"mark": "edge", "x": axis.plain(_edge(before, after))}
    for left, text, row in _headers(one, axis, values.is_share, short=short):
        y = values.at(8 + row * LINE_HEIGHT)
        yield {"mark": "phase", "x": axis.plain(axis.at(left)), "y": y, "text": text}
    if values.is_empty:
        middle, centre = values.at(values.height / 2), axis.plain(axis.at(axis.width / 2))
        yield {"mark": "nothing", "x": centre, "y": middle, "text": "no values"}
    yield from _target(one, axis)
    yield from _ends(one, axis, values, short=short)


def _state(point: Row) -> str:
    if point["is_excluded"]:
        return "excluded"
    # Too few crossings are a matter of the whole line; every other signal is one of points.
    if any(code != "few_crossings" for code in point["signals"] or ()):
        return point["meaning"] if point["meaning"] in MEANINGS else "neutral"
    return "none"


def _segments(phase: Phase, axis: TimeAxis) -> Iterator[Row]:
    """The centre line: solid where it was computed, dashed where carried on, dotted where too seldom crossed."""
    center = phase.center
    if center is None:
        return
    first, last = phase.points[0]["x"], phase.points[-1]["x"]
    crossings = phase.crossings
    base = [point["x"] for point in phase.points if point["is_baseline"]]
    if crossings or not base:
        parts = [(first, last, crossings or "projection")]
    else:
        parts = [(base[0], base[-1], "baseline")]
        parts += [(first, base[0], "projection")] if first < base[0] else []
        parts += [(base[-1], last, "projection")] if base[-1] < last else []
    for start, end, kind in parts:
        yield _segment(axis, start, end, center, LINES[kind][0])


def _segment(axis: TimeAxis, start: float, end: float, y: float, kind: str, mark: str = "center") -> Row:
    if start == end:
        # One point alone: a line as long as a mark is wide.
        start, end = axis.at(axis.pixel(start) - 8), axis.at(axis.pixel(start) + 8)
    return {"mark": mark, "x": axis.plain(start), "x2": axis.plain(end), "y": y, "line": kind}


def _target(one: One, axis: TimeAxis) -> Iterator[Row]:
    """A target as a straight line, or as the path that it is."""
    known = [(point["x"], point["target"]) for point in one.points if point.get("target") is not None]
    if not known:
        return
    if len({target for _, target in known}) == 1:
        yield _segment(axis, known[0][0], known[-1][0], known[0][1], "", "target")
    else:
        yield from ({"mark": "path", "x": axis.plain(x), "y": target} for x, target in known)


def _ends(one: One, axis: TimeAxis, values: ValueAxis, *, short: bool) -> Iterator[Row]:
    """Words at the ends of lines, moved apart where they would cover each other."""
    ends: list[tuple[float, str, str]] = []
    last = one.phases[-1]
    if last.center is not None:
        kind = LINES[last.crossings][1] if last.crossings else INK
        seldom = ", few crossings" if last.crossings and not short else ""
        text = values.show(last.center)
        ends.append((last.center, text if short else f"median {text}{seldom}", kind))
    targets = [point["target"] for point in one.points if point.get("target") is not None]
    if targets:
        ends.append((targets[-1], f"target {values.show(targets[-1])}", QUIET))
    pixels = spread([values.pixel(y) for y, *_ in ends], LINE_HEIGHT, 4, values.height - 4)
    for (_, text, color), pixel in zip(ends, pixels, strict=True):
        yield {"mark": "end", "x": axis.plain(axis.high), "y": values.at(pixel), "text": text, "color": color}


def _rows_of(mark: str) -> alt.Chart:
    return alt.Chart().transform_filter(f"datum.mark === '{mark}'")


def _layers(rows: Sequence[Row], axis: TimeAxis, y: alt.Y, spacing: float, points: Sequence[Row]) -> list[alt.Chart]:
    """The marks, from back to front; kinds that do not occur make no layer."""
    marks = {row["mark"] for row in rows}
    x, plain = axis.encode(), alt.Y("y:Q")
    present = STATES.present({_state(point) for point in points if point["value"] is not None})
    drawn = present.scaled(min(1.0, max(0.25, spacing / 9)))
    text: dict[str, Any] = {"align": "left", "baseline": "middle", "fontSize": LABEL_SIZE}
    layers: list[alt.Chart] = []
    if "edge" in marks:
        layers.append(_rows_of("edge").mark_rule(color=FAINT, strokeWidth=1.5).encode(x=x))
    if "target" in marks:
        layers.append(
            _rows_of("target")
            .mark_rule(color=QUIET, strokeDash=[8, 3, 2, 3], strokeWidth=1.2)
            .encode(x=x, x2="x2", y=plain)
        )
    if "path" in marks:
        layers.append(
            _rows_of("path").mark_line(color=QUIET, strokeDash=[8, 3, 2, 3], strokeWidth=1.2).encode(x=x, y=plain)
        )
    layers.append(
        _rows_of("point")
        .transform_filter("!datum.is_excluded")
        .mark_line(color=LINE, strokeWidth=1.3, invalid="break-paths-filter-domains")
        .encode(x=x, y=y, detail="phase:N")
    )
    if "center" in marks:
        layers.append(_rows_of("center").mark_rule(strokeWidth=1.5).encode(x=x, x2="x2", y=plain, **_lines(rows)))
    layers.append(
        _rows_of("point")
        .transform_filter("isValid(datum.y)")
        .mark_point(filled=True, opacity=1)
        .encode(x=x, y=y, **drawn.encode("state"), tooltip=_tooltip(rows))
    )
    if "phase" in marks:
        layers.append(_rows_of("phase").mark_text(color=QUIET, **text).encode(x=x, y=plain, text="text:N"))
    if "nothing" in marks:
        layers.append(
            _rows_of("nothing")
            .mark_text(color=QUIET, fontSize=LABEL_SIZE, align="center")
            .encode(x=x, y=plain, text="text:N")
        )
    if "end" in marks:
        layers.append(
            _rows_of("end")
            .mark_text(dx=4, **text)
            .encode(x=x, y=plain, text="text:N", color=alt.Color("color:N", scale=None))
        )
    return layers


def _lines(rows: Sequence[Row]) -> dict[str, Any]:
    """Colour and dashes of centre lines; the legend explains only what is out of the ordinary."""
    used = {row["line"] for row in rows if row["mark"] == "center"}
    kinds = [kind for kind in LINES.values() if kind[0] in used]
    seldom = [LINES[code][0] for code in MEANINGS if LINES[code][0] in used]
    legend = alt.Legend(title=None, orient="bottom", values=seldom, symbolType="stroke", symbolSize=300)
    names = [name for name, *_ in kinds]
    shown: Any = legend if seldom else None
    return {
        "stroke": alt.Stroke("line:N", scale=alt.Scale(domain=names, range=[c for _, c, _ in kinds]), legend=shown),
        "strokeDash": alt.StrokeDash(
            "line:N", scale=alt.Scale(domain=names, range=[d for *_, d in kinds]), legend=shown
        ),
    }


def _tooltip(rows: Sequence[Row]) -> list[alt.Tooltip]:
    sized = any("numerator" in row for row in rows)
    return [
        alt.Tooltip("when:N", title="time"),
        alt.Tooltip("value:N"),
        *([alt.Tooltip("numerator:Q"), alt.Tooltip("denominator:Q")] if sized else []),
        alt.Tooltip("median:N"),
        alt.Tooltip("state:N", title="signal"),
        alt.Tooltip("of_phase:N", title="phase"),
    ]
