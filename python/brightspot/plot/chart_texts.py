"""The words of a chart as rows: names of phases and notes above the data, values at the ends of lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

import polars as pl

from brightspot import words
from brightspot.exceptions import InvalidOptionError
from brightspot.plot import chart_signals as signals
from brightspot.plot.axes import PAD, TimeAxis, ValueAxis
from brightspot.plot.chart_data import One, Overlay, Row, edges
from brightspot.plot.labels import rows_for, shortened, spread, text_width
from brightspot.plot.theme import INK, LABEL_SIZE, QUIET

LINE_HEIGHT = 13
# More rows of notes than this would leave no room for the data.
MOST_ROWS = 8


@dataclass(frozen=True, slots=True)
class Head:
    """A text above the data: its left pixel, its row, and the time of a note (no phase has one)."""

    text: str
    left: float
    row: int
    at: float | None = None


def times_of(annotations: Mapping[object, str] | None, times: pl.Series) -> list[tuple[float, str]]:
    """Notes with their times as numbers, in order; a time may be a date, a moment, ISO text of these, or a number."""
    found = [(_time(time, times), " ".join(str(text).split())) for time, text in (annotations or {}).items()]
    return sorted((at, text) for at, text in found if text)


def _time(time: object, times: pl.Series) -> float:
    axis = TimeAxis(times, 1.0)
    if axis.is_temporal:
        moment = _moment(time)
        if moment is not None:
            zone = getattr(times.dtype, "time_zone", None)
            series = pl.Series([moment])
            series = series.dt.convert_time_zone(zone) if zone and moment.tzinfo else series.dt.replace_time_zone(None)
            (number,) = axis.numbers(series)
            if number is not None:
                return number
    elif isinstance(time, int | float) and not isinstance(time, bool):
        return float(time)
    kind = "a date, a moment or their ISO text" if axis.is_temporal else "a number"
    raise InvalidOptionError(
        f"annotations names the time {time!r}, which does not fit the times of the chart: it must be {kind}",
        option="annotations",
        value=repr(time),
    )


def _moment(time: object) -> datetime | None:
    if isinstance(time, str):
        try:
            return datetime.fromisoformat(time)
        except ValueError:
            return None
    if isinstance(time, datetime):
        return time
    return datetime.combine(time, datetime.min.time()) if isinstance(time, date) else None


def heads(
    one: One, axis: TimeAxis, levels: Sequence[str], notes: Sequence[tuple[float, str]], *, short: bool
) -> list[Head]:
    """The texts above the data, in several rows where one would cover another; ``levels`` are those of phases."""
    placed = list(_phases(one, axis, levels, short=short))
    n_rows = max((head.row for head in placed), default=-1) + 1
    widest = axis.width if short else max(axis.width / 2, 200.0)
    texts = [shortened(text, min(widest, axis.width - 6), LABEL_SIZE) or text[:3] for _, text in notes]
    spans: list[tuple[float, float]] = []
    for (at, _), text in zip(notes, texts, strict=True):
        width = text_width(text, LABEL_SIZE)
        pixel = axis.pixel(at)
        # A text that would leave the picture at the right stands to the left of its line.
        left = pixel + 4 if pixel + 4 + width <= axis.width else max(0.0, pixel - 4 - width)
        spans.append((left, left + width))
    order = sorted(range(len(spans)), key=lambda place: spans[place])
    rows = rows_for([spans[place] for place in order], most=max(1, len(spans)))
    found = [
        Head(texts[place], spans[place][0], n_rows + (row or 0), notes[place][0])
        for place, row in zip(order, rows, strict=True)
    ]
    if any(head.row >= n_rows + MOST_ROWS for head in found):
        raise InvalidOptionError(
            f"{len(notes)} annotations need more than {MOST_ROWS} rows above the data: draw fewer or shorter ones",
            option="annotations",
            value=str(len(notes)),
        )
    return placed + found


def _phases(one: One, axis: TimeAxis, levels: Sequence[str], *, short: bool) -> Iterator[Head]:
    if len(one.phases) < 2:
        return
    lefts = [PAD / 2, *(axis.pixel(start) + 5 for start in edges(one))]
    texts: list[str] = []
    for place, (phase, level) in enumerate(zip(one.phases, levels, strict=True)):
        is_last = place == len(one.phases) - 1
        # The last phase's level stands at the end of its line.
        texts.append(phase.name if is_last or short or not level else f"{phase.name}: {level}")
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
            yield Head(text, left, row)


def head_room(found: Sequence[Head]) -> float:
    """The pixels that these texts need above the data."""
    n_rows = max((head.row for head in found), default=-1) + 1
    return n_rows * LINE_HEIGHT + 4 if n_rows else 0


def levels(one: One, center_name: str, show: Callable[[float | None], str]) -> list[str]:
    """For each phase its level, and whether its line as a whole signals."""
    return [
        "" if phase.center is None else f"{center_name} {show(phase.center)}{_remark(phase.line_codes)}"
        for phase in one.phases
    ]


def _remark(codes: set[str]) -> str:
    return f", {words.signal_names(codes).replace(' of the line', '')}" if codes else ""


def head_rows(found: Sequence[Head], axis: TimeAxis, values: ValueAxis) -> Iterator[Row]:
    """Texts above the data, and the lines of notes."""
    for head in found:
        top = 8 + head.row * LINE_HEIGHT
        mark = "phase" if head.at is None else "note"
        yield {"mark": mark, "x": axis.plain(axis.at(head.left)), "y": values.at(top), "text": head.text}
        if head.at is not None:
            yield {"mark": "noted", "x": axis.plain(head.at), "y": values.low, "y2": values.at(top - 6)}


def ends(
    one: One, axis: TimeAxis, values: ValueAxis, center_name: str, overlay: Overlay, *, short: bool
) -> Iterator[Row]:
    """Words at the ends of lines, moved apart where they would cover each other."""
    found: list[tuple[float, str, str]] = []
    last = one.phases[-1]
    if last.center is not None:
        remark = "" if short else _remark(last.line_codes)
        text = values.show(last.center)
        color = signals.meaning_color(last.line_meaning)
        found.append((last.center, text if short else f"{center_name} {text}{remark}", color))
    for key, name in (("ucl", "upper limit"), ("lcl", "lower limit")):
        height = last.last(key)
        if height is not None and height != last.center and values.low <= height <= values.data_high:
            found.append((height, values.show(height) if short else f"{name} {values.show(height)}", QUIET))
    targets = [point["target"] for point in one.points if point.get("target") is not None]
    if targets:
        found.append((targets[-1], f"target {values.show(targets[-1])}", QUIET))
    if not short:
        found += [
            (height, name, INK)
            for key, name in (("value", "upper sum"), ("value_lower", "lower sum"))
            if "value_lower" in one.points[0] and (height := last.last(key)) is not None
        ]
    found += overlay.ends
    pixels = spread([values.pixel(y) for y, *_ in found], LINE_HEIGHT, 4, values.height - 4)
    for (_, text, color), pixel in zip(found, pixels, strict=True):
        yield {"mark": "end", "x": axis.plain(axis.high), "y": values.at(pixel), "text": text, "color": color}
