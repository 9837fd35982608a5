"""The two axes, laid out here and not in the browser: ticks, their words, and the pixel at which a value stands.

Vega would choose ticks itself, but labels can only be kept apart by one who knows where everything is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import altair as alt
import polars as pl

from brightspot import words

# Times of the wall clock: pictures know no time zones.
_EPOCH = datetime(1970, 1, 1)
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_MONTH = 30.44 * _DAY
# Steps of time, in seconds up to weeks and in months from there.
_SECONDS = [
    *(_MINUTE * k for k in (1, 5, 15, 30)),
    *(_HOUR * k for k in (1, 3, 6, 12)),
    *(_DAY * k for k in (1, 2, 7, 14)),
]
_MONTHS = [1, 2, 3, 6, *(12 * k for k in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000))]
PAD = 10


def nice_ticks(low: float, high: float, count: int) -> tuple[list[float], int]:
    """Round numbers between two, at most about ``count``, and the decimals they need.

    >>> nice_ticks(0.3, 24.2, 6)
    ([5.0, 10.0, 15.0, 20.0], 0)
    >>> nice_ticks(0.031, 0.117, 4)
    ([0.05, 0.1], 2)
    """
    span = high - low
    if not (span > 0 and math.isfinite(span)):
        return [low], 0
    rough = span / max(1, count)
    power = math.floor(math.log10(rough))
    factor = next(f for f in (1, 2, 5, 10) if f * 10.0**power >= rough * (1 - 1e-9))
    if factor == 10:
        factor, power = 1, power + 1
    step = factor * 10.0**power
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    decimals = max(0, -power)
    return [round(k * step, decimals) if decimals < 300 else k * step for k in range(first, last + 1)], decimals


class TimeAxis:
    """The horizontal axis: dates, moments or numbers over ``width`` pixels."""

    def __init__(
        self, times: pl.Series, width: float, *, extra: Iterable[date] = (), also: Iterable[float] = ()
    ) -> None:
        self.width = width
        self.is_temporal = times.dtype.is_temporal()
        self.is_date = times.dtype == pl.Date
        self.is_integer = times.dtype.is_integer()
        known = [number for number in self.numbers(times) if number is not None]
        known += [*(self.number(day) for day in extra), *also]
        self.first, self.last = (min(known), max(known)) if known else (0.0, 1.0)
        span = self.last - self.first
        if span <= 0:
            span = 2 * (_DAY if self.is_temporal else 1.0)
            self.low, self.high = self.first - span / 2, self.last + span / 2
        else:
            pad = PAD * span / max(1.0, width - 2 * PAD)
            self.low, self.high = self.first - pad, self.last + pad

    def numbers(self, times: pl.Series) -> list[float | None]:
        """Times as numbers: seconds of the wall clock, or what they are."""
        if not times.dtype.is_temporal():
            return times.cast(pl.Float64).to_list()
        moments = times.cast(pl.Datetime("us")) if times.dtype == pl.Date else times.dt.replace_time_zone(None)
        return (moments.dt.epoch("us").cast(pl.Float64) / 1e6).to_list()

    def number(self, day: date) -> float:
        """One day as a number."""
        return (datetime.combine(day, datetime.min.time()) - _EPOCH).total_seconds()

    def pixel(self, number: float) -> float:
        """How far from the left a time stands."""
        return (number - self.low) / (self.high - self.low) * self.width

    def at(self, pixel: float) -> float:
        """The time at a pixel."""
        return self.low + pixel / self.width * (self.high - self.low)

    def plain(self, number: float) -> str | float:
        """A time as it goes into the picture's data: without a zone, so that every browser shows the same day."""
        return _moment(number).strftime("%Y-%m-%dT%H:%M:%S") if self.is_temporal else number

    def text(self, number: float) -> str:
        """A time in words."""
        if not self.is_temporal:
            return f"{number:.0f}" if self.is_integer else words.number(number, 6)
        return words.day(_moment(number)) if self.is_date else f"{words.day(_moment(number))}, {_moment(number):%H:%M}"

    def encode(self) -> alt.X:
        """The encoding of the field ``x``."""
        if self.is_temporal:
            ticks = self._moments()
            labels = {moment.strftime("%Y-%m-%dT%H:%M"): label for moment, label in ticks}
            axis = alt.Axis(
                values=[_vega(moment) for moment, _ in ticks],
                labelExpr=f"({json.dumps(labels)})[timeFormat(datum.value, '%Y-%m-%dT%H:%M')]",
                labelOverlap=False,
            )
            domain = [_vega(_moment(self.low)), _vega(_moment(self.high))]
            return alt.X("x:T", title=None, axis=axis, scale=alt.Scale(domain=domain, nice=False))
        values, decimals = self._round_numbers()
        axis = alt.Axis(values=values, format=f".{decimals}f", labelOverlap=False)
        return alt.X(
            "x:Q", title=None, axis=axis, scale=alt.Scale(domain=[self.low, self.high], nice=False, zero=False)
        )

    def _round_numbers(self) -> tuple[list[float], int]:
        if self.first == self.last:
            return [self.first], 0 if self.first == round(self.first) else 2
        widest = max(len(f"{self.first:.0f}"), len(f"{self.last:.0f}"), 2)
        count = max(1, int(self.width / (9.0 * widest + 26)))
        if self.is_integer and self.last - self.first <= count:
            return [float(k) for k in range(round(self.first), round(self.last) + 1)], 0
        values, decimals = nice_ticks(self.first, self.last, count)
        if len(values) < 2 or (self.is_integer and decimals):
            ends = [self.first, self.last]
            return ends, 0 if all(end == round(end) for end in ends) else decimals + 1
        return values, decimals

    def _moments(self) -> list[tuple[datetime, str | list[str]]]:
        """Ticks with their words: the day or month, and below it the year where it begins or changes."""
        span, most = self.last - self.first, max(2, int(self.width / 62))
        if span <= 0:
            return _with_years([_moment(self.first)], "day")
        # Up to about five months a step of days is counted from the first point; from there on people think in months.
        steps = [step for step in _SECONDS if not self.is_date or step >= _DAY]
        step = next((step for step in steps if span / step + 1 <= most), None)
        if step is None or (step >= 7 * _DAY and span > 5 * _MONTH):
            for months in _MONTHS:
                ticks = [t for t in _months(_moment(self.first), _moment(self.last), months) if self._is_inside(t)]
                if 2 <= len(ticks) <= most:
                    yearly = months % 12 == 0
                    return [(tick, str(tick.year)) for tick in ticks] if yearly else _with_years(ticks, "month")
            return _with_years([_moment(self.first), _moment(self.last)], "day")
        start = self.first if step >= _DAY else math.ceil(self.first / step) * step
        ticks = [_moment(start + k * step) for k in range(int((self.last - start) / step + 1e-9) + 1)]
        return _with_years(ticks or [_moment(self.first)], "day" if step >= _DAY else "hour")

    def _is_inside(self, tick: datetime) -> bool:
        return self.low <= (tick - _EPOCH).total_seconds() <= self.high


def _moment(number: float) -> datetime:
    return _EPOCH + timedelta(seconds=round(number))


def _vega(moment: datetime) -> alt.DateTime:
    return alt.DateTime(
        year=moment.year,
        month=moment.month,
        date=moment.day,
        hours=moment.hour,
        minutes=moment.minute,
        seconds=moment.second,
    )


def _months(first: datetime, last: datetime, step: int) -> Iterator[datetime]:
    """The first days of every ``step``-th month."""
    start, end = first.year * 12 + first.month - 1, last.year * 12 + last.month
    for index in range(math.ceil(start / step) * step, end, step):
        yield datetime(index // 12, index % 12 + 1, 1)


def _with_years(ticks: Sequence[datetime], unit: str) -> list[tuple[datetime, str | list[str]]]:
    def above(tick: datetime) -> str:
        return {"month": f"{tick:%b}", "day": f"{tick.day} {tick:%b}", "hour": f"{tick:%H:%M}"}[unit]

    def below(tick: datetime) -> str:
        return words.day(tick) if unit == "hour" else str(tick.year)

    if not ticks:
        return []
    labelled: list[tuple[datetime, str | list[str]]] = [(ticks[0], [above(ticks[0]), below(ticks[0])])]
    labelled += [
        (tick, [above(tick), below(tick)] if below(tick) != below(before) else above(tick))
        for before, tick in pairwise(ticks)
    ]
    return labelled


class ValueAxis:
    """The vertical axis over ``height`` pixels, with ``head`` pixels kept free of data for words."""

    def __init__(
        self, values: Iterable[float | None], height: float, *, head: float = 0, is_share: bool = False
    ) -> None:
        known = [float(v) for v in values if v is not None and math.isfinite(v)]
        self.is_empty = not known
        self.height, self.is_share = height, is_share
        self.least, self.most = (min(known), max(known)) if known else (0.0, 1.0)
        span = self.most - self.least
        if span <= abs(self.most) * 1e-9:
            span = abs(self.most) * 0.2 or 1.0
            middle = (self.most + self.least) / 2
            bottom, top = middle - span / 2, middle + span / 2
        else:
            bottom, top = self.least, self.most
        free = max(height - head, height / 3)
        pad = (top - bottom) * 0.07
        self.low, self.data_high = bottom - pad, top + pad
        self.high = self.low + (self.data_high - self.low) * height / free

    def pixel(self, value: float) -> float:
        """How far from the top a value stands."""
        return (self.high - value) / (self.high - self.low) * self.height

    def at(self, pixel: float) -> float:
        """The value at a pixel from the top."""
        return self.high - pixel / self.height * (self.high - self.low)

    def show(self, value: float | None) -> str:
        """A value in words: in percent where the axis is."""
        return words.share(value) if self.is_share else words.number(value)

    def encode(self, title: str | None = None, *, extent: float | None = None) -> alt.Y:
        """The encoding of the field ``y``; with ``extent`` the numbers take so many pixels, however long they are."""
        low, high = self._shown()
        wanted = max(2, min(6, int(self.height / 42)))
        values, decimals = nice_ticks(low, high, wanted)
        while len(values) < 2 and wanted < 8:
            wanted += 1
            values, decimals = nice_ticks(low, high, wanted)
        if self.is_share:
            form = f".{max(0, decimals - 2)}%"
        else:
            form = f",.{decimals}f" if decimals <= 6 and abs(high) < 1e9 else ".2~e"
        fixed: dict[str, Any] = {} if extent is None else {"minExtent": extent, "maxExtent": extent}
        axis = alt.Axis(values=values, format=form, labels=not self.is_empty, ticks=not self.is_empty, **fixed)
        scale = alt.Scale(domain=[self.low, self.high], nice=False, zero=False)
        return alt.Y("y:Q", title=title, axis=axis, scale=scale)

    def _shown(self) -> tuple[float, float]:
        """Where ticks make sense: no share below 0 or above 1, nothing below 0 where no value is."""
        low = max(self.low, 0.0) if self.least >= 0 else self.low
        high = min(self.high, 1.0) if self.is_share else self.high
        return low, high


def free_encode(*, is_share: bool) -> alt.Y:
    """The encoding of ``y`` where each small multiple has its own scale: Vega chooses ticks."""
    axis = alt.Axis(tickCount=3, format=".2~%" if is_share else ",.6~r")
    return alt.Y("y:Q", title=None, axis=axis, scale=alt.Scale(zero=False, nice=False))
