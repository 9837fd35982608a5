"""The picture of a chart of any kind: run charts and control charts, one or many."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from brightspot import words
from brightspot.exceptions import InvalidOptionError
from brightspot.plot import chart_layers, chart_lines, chart_signals, chart_texts, theme
from brightspot.plot.axes import TimeAxis, ValueAxis, free_encode
from brightspot.plot.chart_data import Chart, Drawing, One, Overlay, Row, edges, select, split
from brightspot.plot.labels import shortened
from brightspot.plot.theme import States

# More small multiples than this cannot be read on one screen or page.
MOST_CHARTS = 60
# Charts whose own range is this many times smaller than the range of all get scales of their own.
OWN_SCALE = 4
MOST_PHASES_TOLD = 3
# A description longer than this is not listened to.
MOST_TOLD = 3000


def draw(
    chart: Chart,
    *,
    title: str = "",
    only: Mapping[str, object] | None = None,
    width: int | None = None,
    height: int | None = None,
    columns: int | None = None,
    annotations: Mapping[object, str] | None = None,
) -> alt.TopLevelMixin:
    """Draw one chart, or small multiples of several.

    Limits are fine lines with a light band between them, dashed where they are constant and stepping at the middle
    between points where they change with the numbers behind each point. Points with a signal differ in shape and
    colour: better is a triangle, worse a square, neither a diamond; a long run, shift or trend is solid, a pattern near
    the limits hollow, a point outside the limits ringed, several at once an outline with a core. Where the whole line
    signals (it is crossed too seldom, say), the centre line itself is dotted and coloured. A missing value breaks the
    line; a point that is not counted is a cross that the line passes by.

    Parameters
    ----------
    chart
        What :func:`brightspot.run_chart` or ``brightspot.control_chart`` returned.
    title
        A heading.
    only
        Draw only the charts with these values in their ``by`` columns.
    width, height
        Of one chart, in pixels.
    columns
        How many small multiples stand beside each other.
    annotations
        Notes above the data: ``{time: text}``.
    """
    drawing = prepare(chart, title=title, only=only, annotations=annotations)
    return compose(drawing, width=width, height=height, columns=columns)


def prepare(
    chart: Chart,
    *,
    title: str = "",
    only: Mapping[str, object] | None = None,
    annotations: Mapping[object, str] | None = None,
) -> Drawing:
    """Choose what is drawn of a chart and check that it can be."""
    points, summary = select(chart.points, only), select(chart.summary, only)
    if points.is_empty():
        raise InvalidOptionError(
            "there is no point to draw; check `only` and the frame", option="only", value=repr(only)
        )
    charts = split(points, summary, chart)
    if len(charts) > MOST_CHARTS:
        raise InvalidOptionError(
            f"{len(charts)} charts cannot be read in one picture: it must be at most {MOST_CHARTS}; draw some of them "
            'with only={"column": value}, or look at .summary first',
            option="only",
            value=repr(only),
        )
    notes = chart_texts.times_of(annotations, points["time"])
    return Drawing(chart, points, summary, charts, title, notes)


def compose(drawing: Drawing, *, width: int | None, height: int | None, columns: int | None) -> alt.TopLevelMixin:
    """Put a picture together: of one chart, or of several."""
    picture: Any = (
        _single(drawing, width or 620, height)
        if len(drawing.charts) == 1
        else _several(drawing, (width, height, columns))
    )
    return theme.finish(picture, describe(drawing))


def describe(drawing: Drawing) -> str:
    """The numbers in words, cut at the end of a sentence where there are very many."""
    show = words.share if drawing.is_share else words.number
    title = f": {drawing.title}" if drawing.title else ""
    told = f"{words.chart_name(drawing.spec)}{title}."
    several = drawing.summary["phase"].n_unique() > 1
    sentences: list[str] = []
    for one in drawing.charts:
        for phase in one.phases:
            if phase.summary:
                names = ([one.name] if drawing.chart.by else []) + ([str(phase.name)] if several else [])
                bounds = words.limits(phase.column("lcl"), phase.column("ucl"), show)
                sentences.append(words.chart(phase.summary, ", ".join(names), show, drawing.spec, bounds))
    if drawing.more:
        sentences.append(drawing.more)
    axis = TimeAxis(drawing.points["time"], 1.0)
    sentences += [f"Noted at {axis.text(at)}: {text}." for at, text in drawing.annotations]
    for sentence in sentences:
        if len(told) + len(sentence) > MOST_TOLD:
            return f"{told} And more."
        told = f"{told} {sentence}"
    return told


def _single(drawing: Drawing, width: int, height: int | None) -> Any:  # noqa: ANN401 (altair's own types are partly unknown)
    (one,) = drawing.charts
    axis = _axis(drawing, width)
    overlay = drawing.overlay(one, axis)
    found = _heads(drawing, one, axis, overlay, short=False)
    height = height or 280 + _note_room(found)
    values = ValueAxis(
        one.heights(overlay.heights), height, head=chart_texts.head_room(found), is_share=drawing.is_share
    )
    states = _states(one.points, width / max(1, len(one.points)))
    rows = _rows(drawing, one, axis, values, overlay, found, states, short=False)
    layers = chart_layers.layers(
        rows,
        axis,
        values.encode(words.drawn(drawing.spec)),
        states,
        chart_lines.center_labels(one),
        drawing.center_name,
        width + 70,
    )
    told = [*_told(drawing, one), *drawing.told]
    return alt.layer(*layers).properties(
        data=theme.rows(rows), width=width, height=height, **theme.heading(drawing.title or one.name, told, width + 70)
    )


def _axis(drawing: Drawing, width: float) -> TimeAxis:
    return TimeAxis(drawing.points["time"], width, also=[at for at, _ in drawing.annotations])


def _heads(drawing: Drawing, one: One, axis: TimeAxis, overlay: Overlay, *, short: bool) -> list[chart_texts.Head]:
    show = words.share if drawing.is_share else words.number
    levels = chart_texts.levels(one, drawing.center_name, show)
    return chart_texts.heads(one, axis, levels, [*overlay.notes, *drawing.annotations], short=short)


def _note_room(found: Sequence[chart_texts.Head]) -> int:
    """Notes make a picture higher, rather than its data lower."""
    return chart_texts.LINE_HEIGHT * len({head.row for head in found if head.at is not None})


def _states(points: Sequence[Row], spacing: float) -> States:
    """The kinds of point that occur, as large as the distance between points allows."""
    present = list(chart_signals.states(chart_layers.seen_points(points)).states)
    if any(point["shows_observed"] and point["observed"] is not None for point in points):
        present.append(chart_signals.OBSERVED)
    return States(present).scaled(min(1.0, max(0.25, spacing / 9)))


def _told(drawing: Drawing, one: One) -> list[str]:
    """What the chart shows, in a line or two: each of a few phases, or how many of many have a signal."""
    found = [phase for phase in one.phases if phase.summary]
    if len(found) > MOST_PHASES_TOLD:
        return [words.phases_heading(len(found), sum(bool(phase.summary["has_signal"]) for phase in found))]
    show = words.share if drawing.is_share else words.number
    lines = [words.chart_heading(phase.summary, drawing.spec) for phase in found]
    lines = [f"{phase.name}: {line}" for phase, line in zip(found, lines, strict=True)] if len(found) > 1 else lines
    if found and found[-1].summary.get("assurance") is not None:
        target = one.phases[-1].last("target")
        of = "" if target is None else show(target)
        lines.append(words.assurance(found[-1].summary["assurance"], of).rstrip("."))
    return lines


def _rows(
    drawing: Drawing,
    one: One,
    axis: TimeAxis,
    values: ValueAxis,
    overlay: Overlay,
    found: Sequence[chart_texts.Head],
    states: States,
    *,
    short: bool,
) -> list[Row]:
    """Everything that is drawn of one chart, decided here and not in the marks: a row is a point, a line or a word."""
    labels = _all_labels(states)
    rows = [*chart_layers.line_rows(one, axis, values), *overlay.rows]
    rows += chart_layers.point_rows(one, axis, values, labels, drawing.center_name)
    rows += ({"mark": "edge", "x": axis.plain(at), "y": values.low, "y2": values.at(1)} for at in edges(one))
    rows += chart_texts.head_rows(found, axis, values)
    if values.is_empty:
        middle, centre = values.at(values.height / 2), axis.plain(axis.at(axis.width / 2))
        rows.append({"mark": "nothing", "x": centre, "y": middle, "text": "no values"})
    rows += chart_texts.ends(one, axis, values, drawing.center_name, overlay, short=short)
    return rows


def _all_labels(states: States) -> Mapping[str, str]:
    """Code to label, also for points without a value, which are not drawn and have no kind in the legend."""
    return _Labels(states.labels())


class _Labels(dict[str, str]):
    def __missing__(self, code: str) -> str:
        return ""


def _several(drawing: Drawing, size: tuple[int | None, int | None, int | None]) -> Any:  # noqa: ANN401 (altair's own types are partly unknown)
    charts = drawing.charts
    usual = (300, 160, 2) if len(charts) <= 4 else (210, 120, 3) if len(charts) <= 12 else (170, 90, 4)
    width, height, columns = (given or usual[place] for place, given in enumerate(size))
    axis = _axis(drawing, width)
    overlays = [drawing.overlay(one, axis) for one in charts]
    found = [_heads(drawing, one, axis, overlay, short=True) for one, overlay in zip(charts, overlays, strict=True)]
    head = max(chart_texts.head_room(some) for some in found)
    height = height if size[1] else height + max(_note_room(some) for some in found)
    shared_heights = [y for one, overlay in zip(charts, overlays, strict=True) for y in one.heights(overlay.heights)]
    shared = ValueAxis(shared_heights, height, head=head, is_share=drawing.is_share)
    own_scales = _need_own_scales(charts)
    points = [point for one in charts for point in one.points]
    states = _states(points, width / max(1, *(len(one.points) for one in charts)))
    rows: list[Row] = []
    for one, overlay, some in zip(charts, overlays, found, strict=True):
        values = (
            ValueAxis(one.heights(overlay.heights), height, head=head, is_share=drawing.is_share)
            if own_scales
            else shared
        )
        drawn = _rows(drawing, one, axis, values, overlay, some, states, short=True)
        rows += ({**row, "chart": one.id} for row in drawn)
        if own_scales:
            # Vega takes the range of each scale from its data: these two rows, which are not drawn, say what it is.
            at = axis.plain(axis.first)
            rows += ({"mark": "range", "chart": one.id, "x": at, "y": y} for y in (values.low, values.high))
    y = free_encode(is_share=drawing.is_share) if own_scales else shared.encode()
    center_lines = {label: meaning for one in charts for label, meaning in chart_lines.center_labels(one).items()}
    whole = (width + 60) * min(columns, len(charts))
    layers = chart_layers.layers(rows, axis, y, states, center_lines, drawing.center_name, whole)
    if own_scales:
        invisible = alt.Chart().transform_filter("datum.mark === 'range'").mark_point(opacity=0, tooltip=None)
        layers.append(invisible.encode(x=axis.encode(), y=y))
    names = [shortened(one.name, width, 12, bold=True) or one.name for one in charts]
    header = alt.Header(labelExpr=f"({json.dumps(names)})[datum.value]")
    told = [_told_of_several(drawing, own_scales=own_scales), *drawing.told]
    layered: Any = alt.layer(*layers).properties(width=width, height=height)
    picture: Any = layered.facet(
        data=theme.rows(rows),
        facet=alt.Facet("chart:O", title=None, header=header),
        columns=columns,
        **theme.heading(drawing.title, told, whole),
    )
    return picture.resolve_scale(y="independent") if own_scales else picture


def _told_of_several(drawing: Drawing, *, own_scales: bool) -> str:
    charts = drawing.charts
    n_signals = sum(any(phase.summary.get("has_signal") for phase in one.phases) for one in charts)
    rates = [[phase.summary.get("prob_false_signal") for phase in one.phases] for one in charts]
    known = [rate for some in rates for rate in some if rate is not None]
    # A chart of several phases signals where any of them does.
    n_expected = sum(1 - _none_of([rate for rate in some if rate is not None]) for some in rates) if known else None
    return words.charts_heading(
        len(charts),
        n_signals,
        own_scales=own_scales,
        center=drawing.center_name,
        has_limits=any(point["ucl"] is not None or point["lcl"] is not None for one in charts for point in one.points),
        n_expected=n_expected,
    )


def _none_of(rates: Sequence[float]) -> float:
    remaining = 1.0
    for rate in rates:
        remaining *= 1 - rate
    return remaining


def _need_own_scales(charts: Sequence[One]) -> bool:
    """Whether on one scale most charts would be flat."""
    known = [[p["value"] for p in one.points if p["value"] is not None] for one in charts]
    spans = sorted(max(values) - min(values) for values in known if len(set(values)) > 1)
    if not spans:
        heights = {values[0] for values in known if values}
        return len(heights) > 1
    overall = max(max(values) for values in known if values) - min(min(values) for values in known if values)
    return overall > OWN_SCALE * spans[len(spans) // 2]
