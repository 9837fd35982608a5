"""The picture of a study: a measure before and after a change, with the prediction that was made before the data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from brightspot import words
from brightspot.plot import theme
from brightspot.plot.axes import TimeAxis, ValueAxis
from brightspot.plot.labels import shortened, spread, wrapped
from brightspot.plot.theme import BLUE, INK, LABEL_SIZE, LINE, ORANGE, POINT, QUIET

if TYPE_CHECKING:
    from brightspot._records import MeasureStudy, Prediction, Study

Row = dict[str, Any]

LINE_HEIGHT, HEAD = 13, 20
# Room for the words at the right, and for the numbers at the left.
MARGIN, LEFT = 134, 52
SHADE, BAND = "#EEF1F2", "#CFE3F0"
COLORS = {"improved": BLUE, "worsened": ORANGE}


@dataclass(frozen=True, slots=True)
class Region:
    """Values between which something was predicted to lie, or must lie; an open side is None."""

    low: float | None
    high: float | None
    label: str

    @property
    def edges(self) -> list[float]:
        """The finite edges."""
        return [edge for edge in (self.low, self.high) if edge is not None]


@dataclass(frozen=True, slots=True)
class Panel:
    """One measure with what is drawn around it."""

    study: Study
    one: MeasureStudy
    predicted: list[Region] = field(default_factory=list[Region])
    margin: tuple[float, str] | None = None
    has_heads: bool = True

    @property
    def edges(self) -> list[float]:
        """All heights besides the points."""
        one = self.one
        edges = [edge for region in self.predicted for edge in region.edges]
        edges += [mean for mean in (one.mean_before, one.mean_after, words.start(one)) if mean is not None]
        return [*edges, self.margin[0]] if self.margin else edges


def draw(study: Study, *, title: str = "", width: int = 640, height: int = 260) -> alt.TopLevelMixin:
    """Draw the outcome of a study over time.

    The baseline window is shaded; its mean is a line that is carried on, dashed, to compare with. A rule marks the
    first day of the test; the band over the test window is the predicted region: the baseline's mean and the predicted
    change. The mean of the test window has its own line. Points outside of both windows are hollow. Where classes are
    compared, each class is a dot: :func:`brightspot.plot.classes.draw_classes`.

    Parameters
    ----------
    study
        What :func:`brightspot.study` returned.
    title
        A heading; empty for the measure's name.
    width
        About how wide the whole picture is, its words included, in pixels.
    height
        Of the plot, in pixels.
    """
    if study.outcome.classes:
        from brightspot.plot.classes import draw_classes

        return draw_classes(study, title=title, width=width, height=height)
    panel = _outcome(study)
    inner = max(160, width - MARGIN - LEFT)
    axis = _time_axis(study, [panel.one], inner)
    lines = words.study_picture(study, panel.one)
    picture = _draw(panel, axis, height, theme.heading(title or _name(panel), lines, inner + MARGIN))
    return theme.finish(picture, _description([panel], title))


def draw_all(study: Study, *, title: str = "", width: int = 640, height: int = 220) -> alt.TopLevelMixin:
    """Draw all measures of a study, one below the other on one time axis: outcome, process, guards.

    Parameters
    ----------
    study
        What :func:`brightspot.study` returned.
    title
        A heading.
    width
        About how wide the whole picture is, its words included, in pixels.
    height
        Of the outcome's plot, in pixels; the others are half as high.
    """
    panels = [_outcome(study), *_others(study)]
    inner = max(160, width - MARGIN - LEFT)
    axis = _time_axis(study, [panel.one for panel in panels], inner)
    roles = ["Outcome", *["Process"] * len(study.process_checks), *["Guard"] * len(study.guard_checks)]
    pictures: list[Any] = []
    for place, (panel, role) in enumerate(zip(panels, roles, strict=True)):
        lines = words.study_picture(study, panel.one)[: 2 if place == 0 else 1]
        heading = theme.heading(f"{role}: {_name(panel)}", lines, inner + MARGIN)
        pictures.append(_draw(panel, axis, height if place == 0 else max(90, height // 2), heading))
    stacked: Any = alt.vconcat(*pictures, spacing=16, **({"title": title} if title else {}))
    return theme.finish(stacked, _description(panels, title))


def _name(panel: Panel) -> str:
    unit = words.scale(panel.study, panel.one.measure)
    name = words.capital(panel.one.measure)
    return f"{name} ({unit.unit})" if unit.unit and not unit.is_share else name


def _description(panels: Sequence[Panel], title: str) -> str:
    told = [f"{title}."] if title else []
    for panel in panels:
        told.append(words.study_numbers(panel.study, panel.one))
        told += [f"{words.capital(region.label)}." for region in panel.predicted]
        if panel.margin:
            told.append(f"{words.capital(panel.margin[1])}.")
    return " ".join(told)


def _outcome(study: Study) -> Panel:
    return Panel(study, study.outcome, _regions(study, study.outcome))


def _others(study: Study) -> Iterator[Panel]:
    for one in study.process_checks:
        yield Panel(study, one, _regions(study, one), has_heads=False)
    for check in study.guard_checks:
        one, on = check.study, words.scale(study, check.study.measure)
        before = words.start(one)
        sign = {"up": -1.0, "down": 1.0}.get(one.direction)
        margin = (
            None if before is None or sign is None else (before + sign * check.margin, words.margin(check.margin, on))
        )
        yield Panel(study, one, _regions(study, one), margin, has_heads=False)


def _regions(study: Study, one: MeasureStudy) -> list[Region]:
    """What was predicted for a measure, as heights; none without a baseline to start from."""
    on = words.scale(study, one.measure)
    found = [
        _region(check.prediction, one, words.predicted(check.prediction, on))
        for check in study.prediction_checks
        if check.prediction.measure == one.measure
    ]
    return [region for region in found if region is not None]


def _region(prediction: Prediction, one: MeasureStudy, label: str) -> Region | None:
    before, sign = words.start(one), {"up": 1, "down": -1}.get(one.direction, 0)
    if before is None:
        return None
    if prediction.at_least is not None:
        return Region(before + prediction.at_least, None, label)
    if prediction.at_most is not None:
        return Region(None, before + prediction.at_most, label)
    if prediction.between is not None:
        return Region(before + prediction.between[0], before + prediction.between[1], label)
    if sign == 0:
        return None
    if prediction.no_worse_than is not None:
        edge = before - sign * prediction.no_worse_than
        return Region(edge, None, label) if sign > 0 else Region(None, edge, label)
    is_upwards = (sign > 0) == (prediction.direction == "improve")
    return Region(before, None, label) if is_upwards else Region(None, before, label)


def _time_axis(study: Study, measures: Sequence[MeasureStudy], width: float) -> TimeAxis:
    days: list[date] = [point.time for one in measures for point in one.points]
    return TimeAxis(pl.Series(days, dtype=pl.Date), width, extra=[*study.baseline, *study.test])


def _draw(panel: Panel, axis: TimeAxis, height: float, heading: dict[str, Any]) -> Any:  # noqa: ANN401
    is_share = words.scale(panel.study, panel.one.measure).is_share
    values = ValueAxis(
        [*(point.value for point in panel.one.points), *panel.edges],
        height,
        head=HEAD if panel.has_heads else 0,
        is_share=is_share,
    )
    rows = list(_rows(panel, axis, values))
    marks = {row["mark"] for row in rows}
    x, y, plain = axis.encode(), values.encode(extent=LEFT - 8), alt.Y("y:Q")
    text: dict[str, Any] = {"baseline": "middle", "fontSize": LABEL_SIZE}
    ink = alt.Color("color:N", scale=None)
    layers: list[alt.Chart] = [_rows_of("window").mark_rect(color=SHADE).encode(x=x, x2="x2", y=y, y2="y2")]
    if "band" in marks:
        layers.append(_rows_of("band").mark_rect(color=BAND, opacity=0.6).encode(x=x, x2="x2", y=y, y2="y2"))
    if "edge" in marks:
        layers.append(
            _rows_of("edge").mark_rule(color=BLUE, strokeWidth=1, strokeDash=[2, 2]).encode(x=x, x2="x2", y=plain)
        )
    if "margin" in marks:
        layers.append(
            _rows_of("margin")
            .mark_rule(color=ORANGE, strokeWidth=1.2, strokeDash=[8, 3, 2, 3])
            .encode(x=x, x2="x2", y=plain)
        )
    layers += [
        _rows_of("change").mark_rule(color=INK, strokeWidth=1.2).encode(x=x),
        _rows_of("carried").mark_rule(color=INK, strokeWidth=1.3, strokeDash=[6, 4]).encode(x=x, x2="x2", y=plain),
        _rows_of("mean").mark_rule(strokeWidth=2.2).encode(x=x, x2="x2", y=plain, color=ink),
        _rows_of("point").mark_line(color=LINE, strokeWidth=1.3).encode(x=x, y=y),
        _rows_of("point")
        .mark_point(filled=True, opacity=1, shape="circle", strokeWidth=1.3, size=_size(panel, axis), stroke=POINT)
        .encode(x=x, y=y, fill=alt.Fill("fill:N", scale=None), tooltip=_tooltip(panel)),
        _rows_of("end").mark_text(align="left", dx=5, **text).encode(x=x, y=plain, text="text:N", color=ink),
    ]
    if "nothing" in marks:
        layers.append(_rows_of("nothing").mark_text(color=QUIET, **text).encode(x=x, y=plain, text="text:N"))
    if "head" in marks:
        layers.append(_rows_of("head").mark_text(color=QUIET, align="left", **text).encode(x=x, y=plain, text="text:N"))
    return alt.layer(*layers).properties(data=theme.rows(rows), width=axis.width, height=height, **heading)


def _size(panel: Panel, axis: TimeAxis) -> float:
    return min(36.0, max(10.0, 36.0 * axis.width / max(1, len(panel.one.points)) / 9))


def _rows(panel: Panel, axis: TimeAxis, values: ValueAxis) -> Iterator[Row]:
    """Everything that is drawn of one measure: a row is a window, a band, a line, a point or a word."""
    study, one = panel.study, panel.one
    (start, base), (change, end) = ((_pair(axis, window)) for window in (study.baseline, study.test))
    if one.standard is None:
        yield {"mark": "window", "x": axis.plain(start), "x2": axis.plain(base), "y": values.low, "y2": values.high}
    for region in panel.predicted:
        low = values.low if region.low is None else region.low
        high = values.high if region.high is None else region.high
        yield {"mark": "band", "x": axis.plain(change), "x2": axis.plain(end), "y": low, "y2": high}
        yield from (_line("edge", axis, change, end, edge) for edge in region.edges)
    if panel.margin:
        yield _line("margin", axis, change, end, panel.margin[0])
    yield {"mark": "change", "x": axis.plain(change)}
    if one.mean_before is not None:
        yield {**_line("mean", axis, start, base, one.mean_before), "color": INK}
        if one.regression is None:
            yield _line("carried", axis, base, end, one.mean_before)
    level = words.start(one)
    if level is not None and (one.standard is not None or one.regression is not None):
        yield _line("carried", axis, change, end, level)
    if one.mean_after is not None:
        yield {**_line("mean", axis, change, end, one.mean_after), "color": COLORS.get(one.signal, INK)}
    on = words.scale(study, one.measure)
    windows = (study.baseline, study.test)
    for point in sorted(one.points, key=lambda point: point.time):
        is_inside = any(first <= point.time <= last for first, last in windows)
        yield {
            "mark": "point",
            "x": axis.plain(axis.number(point.time)),
            "y": point.value,
            "fill": POINT if is_inside else "white",
            "is_inside": is_inside,
            "when": words.day(point.time),
            "value": on.level(point.value),
            "size": point.size,
        }
    if not one.points:
        middle = axis.pixel(start) / 2 + axis.pixel(base) / 2
        yield {
            "mark": "nothing",
            "x": axis.plain(axis.at(middle)),
            "y": values.at(values.height / 2),
            "text": "no values",
        }
    if panel.has_heads:
        yield from _heads(panel, axis, values, start, change)
    yield from _ends(panel, axis, values)


def _pair(axis: TimeAxis, window: tuple[date, date]) -> tuple[float, float]:
    """A window from the morning of its first day to the night of its last, within the axis."""
    first, last = axis.number(window[0]), axis.number(window[1] + timedelta(days=1))
    return max(first - 43200, axis.low), min(last - 43200, axis.high)


def _line(mark: str, axis: TimeAxis, start: float, end: float, y: float) -> Row:
    return {"mark": mark, "x": axis.plain(start), "x2": axis.plain(end), "y": y}


def _heads(panel: Panel, axis: TimeAxis, values: ValueAxis, start: float, change: float) -> Iterator[Row]:
    """Above the data: which window is the baseline, and what was changed."""
    left, middle = axis.pixel(start) + 5, axis.pixel(change) + 5
    texts = [
        (left, "" if panel.one.standard is not None else shortened("baseline", middle - left - 6, LABEL_SIZE)),
        (middle, shortened(panel.study.plan.title or panel.study.plan.change, axis.width - middle - 4, LABEL_SIZE)),
    ]
    for pixel, text in texts:
        if text:
            yield {"mark": "head", "x": axis.plain(axis.at(pixel)), "y": values.at(HEAD / 2), "text": text}


def _ends(panel: Panel, axis: TimeAxis, values: ValueAxis) -> Iterator[Row]:
    """Words at the right, moved apart where they would cover each other."""
    one, on = panel.one, words.scale(panel.study, panel.one.measure)
    ends: list[tuple[float, str, str]] = []
    if one.mean_before is not None:
        ends.append((one.mean_before, f"baseline mean {on.level(one.mean_before, bare=True)}", INK))
    level = words.start(one)
    if level is not None and one.standard is not None:
        ends.append((level, f"standard {on.level(level, bare=True)}", INK))
    if level is not None and one.regression is not None:
        ends.append((level, f"expected without it {on.level(level, bare=True)}", INK))
    if one.mean_after is not None:
        ends.append((one.mean_after, f"test mean {on.level(one.mean_after, bare=True)}", COLORS.get(one.signal, INK)))
    for region in panel.predicted:
        low = values.low if region.low is None else region.low
        high = values.high if region.high is None else region.high
        # An open region is labelled at its edge, a closed one in its middle.
        at = region.edges[0] if len(region.edges) == 1 else (low + high) / 2
        ends.append((at, region.label, BLUE))
    if panel.margin:
        ends.append((panel.margin[0], panel.margin[1], ORANGE))
    texts = [wrapped(text, MARGIN - 8, LABEL_SIZE) for _, text, _ in ends]
    heights = [LINE_HEIGHT * len(lines) + 1.0 for lines in texts]
    half, top = max(heights, default=0.0) / 2, HEAD if panel.has_heads else 0
    middles = spread([values.pixel(y) for y, *_ in ends], heights, top + half, values.height - half)
    for (_, _, color), lines, middle in zip(ends, texts, middles, strict=True):
        for place, line in enumerate(lines):
            pixel = middle + (place - (len(lines) - 1) / 2) * LINE_HEIGHT
            if math.isfinite(pixel):
                at = axis.plain(axis.high)
                yield {"mark": "end", "x": at, "y": values.at(pixel), "text": line, "color": color}


def _rows_of(mark: str) -> alt.Chart:
    return alt.Chart().transform_filter(f"datum.mark === '{mark}'")


def _tooltip(panel: Panel) -> list[alt.Tooltip]:
    sized = any(point.size is not None for point in panel.one.points)
    return [
        alt.Tooltip("when:N", title="date"),
        alt.Tooltip("value:N"),
        *([alt.Tooltip("size:Q", title="resting on")] if sized else []),
    ]
