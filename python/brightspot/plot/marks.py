"""A table of marks: many measures at a glance, each with its line, its latest value and what it shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from brightspot import words
from brightspot.exceptions import InvalidOptionError
from brightspot.plot import theme
from brightspot.plot.axes import PAD, TimeAxis
from brightspot.plot.chart_data import Chart, One, Phase, Row, name_of, select, split
from brightspot.plot.icons import ASSURANCE, VARIATION, Icon
from brightspot.plot.labels import shortened, text_width, wrapped
from brightspot.plot.spark import spark, spark_layers
from brightspot.plot.theme import FAINT, INK, LABEL_SIZE, QUIET

# More rows than this cannot be read on one page.
ROWS_PER_PAGE = 40
ROW_HEIGHT, HEAD, LEGEND_ROW = 34, 24, 24
SPARK_WIDTH, SPARK_PAD = 170, 5
NAME_SIZE = 12
# Widths of columns, in pixels: the name takes what it needs within these bounds.
LEAST_NAME, MOST_NAME, GAP, LATEST, SHOWS, TARGET, CHANCE = 90, 230, 16, 92, 66, 66, 108
ICON_SIZE = 420


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the columns of the table stand, in pixels from the left."""

    name: float
    has_target: bool
    is_split: bool
    """Whether names of several parts stand in two lines."""

    @property
    def spark(self) -> float:
        """The left end of the lines."""
        return self.name + GAP

    @property
    def latest(self) -> float:
        """The right end of the latest values."""
        return self.spark + SPARK_WIDTH + LATEST

    @property
    def shows(self) -> float:
        """The middle of the first icons."""
        return self.latest + GAP + SHOWS / 2

    @property
    def target(self) -> float:
        """The middle of the second icons."""
        return self.shows + (SHOWS + TARGET) / 2

    @property
    def chance(self) -> float:
        """The right end of the last column."""
        return (self.target + TARGET / 2 if self.has_target else self.shows + SHOWS / 2) + CHANCE

    @property
    def width(self) -> int:
        """The whole table."""
        return round(self.chance) + 4


def draw_marks(
    chart: Chart, title: str = "", *, only: Mapping[str, object] | None = None, page: int = 1
) -> alt.TopLevelMixin:
    """Draw a table with one row per chart: its line with limits, the latest value, what it shows, and its target.

    The line has its own scale in every row, so measures of any unit stand together. The last column says how far to
    trust a signal: the q-value (of the charts as striking as this, so many are expected to be stable) where many
    charts were judged together, else how often a stable chart would show any signal.

    Parameters
    ----------
    chart
        What :func:`brightspot.run_chart` or ``brightspot.control_chart`` returned.
    title
        A heading.
    only
        Draw only the charts with these values in their ``by`` columns.
    page
        Which page of 40 rows; the picture says of how many.
    """
    points, summary = select(chart.points, only), select(chart.summary, only)
    charts = split(points, summary, chart)
    n_pages = max(1, -(-len(charts) // ROWS_PER_PAGE))
    if not charts:
        raise InvalidOptionError(
            "there is no chart to draw; check `only` and the frame", option="only", value=f"{only}"
        )
    if not 1 <= page <= n_pages:
        raise InvalidOptionError(
            f"page = {page} is not possible: it must be from 1 to {n_pages}", option="page", value=str(page)
        )
    first = (page - 1) * ROWS_PER_PAGE
    shown = charts[first : first + ROWS_PER_PAGE]
    kinds = _Kinds.of(charts)
    widest = max(text_width(one.name, NAME_SIZE) for one in shown)
    is_split = len(chart.by) > 1 and widest > MOST_NAME
    columns = Columns(min(MOST_NAME, max(LEAST_NAME, widest)), kinds.has_target, is_split)
    axis = TimeAxis(points["time"], SPARK_WIDTH)
    legend = _legend(shown, columns, kinds)
    height = HEAD + ROW_HEIGHT * len(shown)
    rows = [*_heads(columns, kinds)]
    for place, one in enumerate(shown):
        rows += _row(one, chart.spec, axis, columns, kinds, HEAD + ROW_HEIGHT * place)
    n_lines = max((line for line, *_ in legend), default=-1) + 1
    rows += _legend_rows(legend, height + 16)
    height += 16 + LEGEND_ROW * n_lines
    told = [_told(charts, shown, first, page, n_pages, kinds)]
    picture = alt.layer(*_layers(columns.width, height)).properties(
        data=theme.rows(rows), width=columns.width, height=height, **theme.heading(title, told, columns.width)
    )
    return theme.finish(picture, _description(shown, chart, title, told[0]))


@dataclass(frozen=True, slots=True)
class _Kinds:
    """Which columns the table has."""

    has_target: bool
    has_q: bool
    has_rate: bool

    @classmethod
    def of(cls, charts: Sequence[One]) -> _Kinds:
        found = [one.phases[-1].summary for one in charts]
        return cls(
            any(row.get("assurance") is not None for row in found),
            any(row.get("q_value") is not None for row in found),
            any(row.get("prob_false_signal") is not None for row in found),
        )


def _told(charts: Sequence[One], shown: Sequence[One], first: int, page: int, n_pages: int, kinds: _Kinds) -> str:
    n_signals = sum(_variation(one.phases[-1]) != "common_cause" for one in charts)
    told = f"{words.counted(len(charts), 'chart')}, {n_signals or 'none'} with a signal at the latest point."
    if kinds.has_q:
        told += " Share false (q): of charts as striking as this one, so many are expected to be stable."
    elif kinds.has_rate:
        told += " By chance: how often a stable chart shows a signal."
    pages = f" Rows {first + 1} to {first + len(shown)}, page {page} of {n_pages}." if n_pages > 1 else ""
    return f"{told}{pages}"


def _description(shown: Sequence[One], chart: Chart, title: str, told: str) -> str:
    text = f"Table of charts{f': {title}' if title else ''}. {told}"
    for one in shown:
        last = one.phases[-1]
        show = _show(one, chart.spec)
        parts = [f"latest {show(last.last('value'))}", words.VARIATIONS.get(_variation(last), "")]
        parts += [words.ASSURANCES[code]] if (code := last.summary.get("assurance")) in words.ASSURANCES else []
        text += f" {one.name or 'Chart'}: {'; '.join(part for part in parts if part)}."
        if len(text) > 3000:
            return f"{text} And more."
    return text


def _show(one: One, spec: Mapping[str, Any]) -> Any:  # noqa: ANN401 (a function that writes numbers)
    return words.share if words.are_shares([p["value"] for p in one.points], spec) else words.number


def _variation(phase: Phase) -> str:
    """The icon's code; a summary without one has only a meaning."""
    code: str | None = phase.summary.get("variation")
    return code if code is not None else "" if phase.summary.get("has_signal") else "common_cause"


def _heads(columns: Columns, kinds: _Kinds) -> Iterator[Row]:
    texts = [
        (columns.spark + PAD, "left", "over time, with limits"),
        (columns.latest, "right", "latest"),
        (columns.shows, "center", "shows"),
    ]
    texts += [(columns.target, "center", "target")] if kinds.has_target else []
    if kinds.has_q or kinds.has_rate:
        texts.append((columns.chance, "right", "share false (q)" if kinds.has_q else "by chance"))
    for x, align, text in texts:
        yield {"mark": f"text {align}", "x": x, "y": HEAD / 2 - 2, "text": text, "color": QUIET, "size": LABEL_SIZE}


def _row(
    one: One, spec: Mapping[str, Any], axis: TimeAxis, columns: Columns, kinds: _Kinds, top: float
) -> Iterator[Row]:
    """One row of the table; all places in pixels."""
    middle, last = top + ROW_HEIGHT / 2, one.phases[-1]
    show = _show(one, spec)

    def text(x: float, align: str, words_: str, color: str = INK, size: int = NAME_SIZE) -> Row:
        return {"mark": f"text {align}", "x": x, "y": middle, "text": words_, "color": color, "size": size}

    yield {"mark": "rule", "x": 0, "x2": columns.width, "y": top}
    lines = _names(one, columns.name, is_split=columns.is_split)
    for place, (line, color) in enumerate(lines):
        at = middle + (place - (len(lines) - 1) / 2) * 14
        yield text(0, "left", line, color) | {"y": at, "meaning": one.name}
    yield from spark(one, axis, columns.spark, top + SPARK_PAD, ROW_HEIGHT - 2 * SPARK_PAD)
    latest = last.last("value")
    yield text(
        columns.latest, "right", "no values" if latest is None else show(latest), INK if latest is not None else QUIET
    )
    if (icon := VARIATION.get(_variation(last))) is not None:
        yield from _icon(icon, columns.shows, middle)
    if kinds.has_target:
        found = ASSURANCE.get(str(last.summary.get("assurance")))
        yield from (
            [text(columns.target, "center", "–", QUIET)] if found is None else _icon(found, columns.target, middle)
        )
    if kinds.has_q:
        q = last.summary.get("q_value")
        yield text(columns.chance, "right", "–" if q is None else words.percent(q), _ink(q))
    elif kinds.has_rate:
        rate = last.summary.get("prob_false_signal")
        yield text(
            columns.chance, "right", "–" if rate is None else words.odds(rate), INK if rate is not None else QUIET
        )


def _ink(value: float | None) -> str:
    return QUIET if value is None else INK


def _names(one: One, width: float, *, is_split: bool) -> list[tuple[str, str]]:
    """The name of a chart in at most two lines: the first of several columns may have a line of its own."""
    if not is_split:
        return [(line, INK) for line in wrapped(one.name, width, NAME_SIZE, most=2)]
    parts = (name_of(one.key[:1]), name_of(one.key[1:]))
    lines = [shortened(part, width, NAME_SIZE) or part[:3] for part in parts]
    return list(zip(lines, (INK, QUIET), strict=True))


def _icon(icon: Icon, x: float, y: float) -> Iterator[Row]:
    yield {"mark": "icon", "x": x, "y": y, "path": icon.path, "color": icon.color, "meaning": icon.meaning}
    if icon.letter:
        color = icon.color if icon.is_open else "white"
        yield {"mark": "letter", "x": x, "y": y, "text": icon.letter, "color": color, "meaning": icon.meaning}


Entry = tuple[int, float, Icon]


def _legend(shown: Sequence[One], columns: Columns, kinds: _Kinds) -> list[Entry]:
    """The icons that occur, with the line and the place of each."""
    codes = {_variation(one.phases[-1]) for one in shown}
    icons = [icon for code, icon in VARIATION.items() if code in codes]
    if kinds.has_target:
        goals = {one.phases[-1].summary.get("assurance") for one in shown}
        icons += [icon for code, icon in ASSURANCE.items() if code in goals]
    entries: list[Entry] = []
    line, x = 0, 0.0
    for icon in icons:
        width = 28 + text_width(icon.meaning, LABEL_SIZE) + 18
        if x and x + width > columns.width:
            line, x = line + 1, 0.0
        entries.append((line, x, icon))
        x += width
    return entries


def _legend_rows(entries: Sequence[Entry], top: float) -> Iterator[Row]:
    for line, x, icon in entries:
        y = top + LEGEND_ROW * (line + 0.5)
        yield from _icon(icon, x + 11, y)
        yield {"mark": "text left", "x": x + 28, "y": y, "text": icon.meaning, "color": INK, "size": LABEL_SIZE}


def _layers(width: float, height: float) -> list[alt.Chart]:
    """Marks at pixels: there are no axes but those of the page."""
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, width], nice=False, zero=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, height], reverse=True, nice=False, zero=False))
    color, size = alt.Color("color:N", scale=None), alt.Size("size:Q", scale=None)
    shape = alt.Shape("path:N", scale=None)

    def of(mark: str) -> alt.Chart:
        return alt.Chart().transform_filter(f"datum.mark === '{mark}'")

    texts = [
        of(f"text {align}")
        .mark_text(align=align, baseline="middle")
        .encode(x=x, y=y, text="text:N", color=color, size=size)
        for align in ("left", "center", "right")
    ]
    meaning = [alt.Tooltip("meaning:N")]
    return [
        of("rule").mark_rule(color=FAINT, strokeWidth=1).encode(x=x, x2="x2", y=y),
        *spark_layers(x, y, color, size, shape),
        *texts,
        of("icon")
        .mark_point(filled=True, opacity=1, size=ICON_SIZE)
        .encode(x=x, y=y, shape=shape, color=color, tooltip=meaning),
        of("letter")
        .mark_text(fontSize=13, fontWeight="bold", baseline="middle", align="center", dy=0.5)
        .encode(x=x, y=y, text="text:N", color=color, tooltip=meaning),
    ]
