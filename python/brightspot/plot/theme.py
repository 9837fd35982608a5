"""One look for all pictures: colours that survive grey print and colour blindness, always with a shape beside them."""

from __future__ import annotations

import hashlib
import html
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import altair as alt

from brightspot.plot.labels import text_width, wrapped

INK = "#1F2A30"
QUIET = "#56626B"
FAINT = "#D5DADD"
LINE = "#8A959C"
POINT = "#44545E"
BLUE = "#0072B2"
ORANGE = "#C14B00"
# Of one width wherever they are: Liberation Sans stands in for Arial where Arial is not.
SANS = "Arial, Helvetica, 'Liberation Sans', sans-serif"
LEAST_IN_LEGEND = 22
TITLE_SIZE, SUBTITLE_SIZE, LEGEND_SIZE, LABEL_SIZE = 15, 12, 12, 11


@dataclass(frozen=True, slots=True)
class State:
    """How one kind of point is drawn: never by colour alone."""

    code: str
    label: str
    color: str
    shape: str
    size: int


@dataclass(frozen=True, slots=True)
class States:
    """The kinds of point of one picture, as scales that agree with each other."""

    states: Sequence[State]

    def present(self, codes: set[str]) -> States:
        """Only the kinds that occur, so that a legend names nothing that is not there."""
        return States([state for state in self.states if state.code in codes])

    def scaled(self, factor: float, *, usual: str = "none", least: float = 0.4) -> States:
        """The same with smaller marks; all but the ``usual`` kind keep at least this share of their size."""
        return States(
            [
                State(
                    state.code,
                    state.label,
                    state.color,
                    state.shape,
                    max(5, round(state.size * (factor if state.code == usual else max(factor, least)))),
                )
                for state in self.states
            ]
        )

    def labels(self) -> dict[str, str]:
        """Code to label."""
        return {state.code: state.label for state in self.states}

    def _scale(self, attribute: str) -> alt.Scale:
        # Of itself Vega-Lite spreads sizes evenly between the first and the last: each state has a size of its own.
        return alt.Scale(
            type="ordinal",
            domain=[state.label for state in self.states],
            range=[getattr(state, attribute) for state in self.states],
        )

    def encode(self, field: str, width: float = math.inf) -> dict[str, Any]:
        """Colour, shape and size of a point by its label in ``field``; one legend, none for a single kind.

        Where its entries do not fit a line of this ``width`` they stand in columns.
        """
        if len(self.states) < 2:
            state = self.states[0] if self.states else State("none", "", POINT, "circle", 34)
            return {
                "color": alt.value(state.color),
                "shape": alt.value(state.shape),
                "size": alt.value(state.size),
            }
        widths = [text_width(state.label, LEGEND_SIZE) + 35 for state in self.states]
        fits = sum(widths) <= width
        columns: dict[str, Any] = {} if fits else {"columns": max(1, int(width / max(widths)))}
        # Marks that are tiny for being many are shown in the usual size beside their names.
        is_tiny = min(state.size for state in self.states) < LEAST_IN_LEGEND
        legend = alt.Legend(title=None, orient="bottom", symbolStrokeWidth=0, **columns)
        return {
            "color": alt.Color(f"{field}:N", scale=self._scale("color"), legend=legend),
            "shape": alt.Shape(f"{field}:N", scale=self._scale("shape"), legend=legend),
            "size": self._sizes(field) if is_tiny else alt.Size(f"{field}:N", scale=self._scale("size"), legend=legend),
        }

    def _sizes(self, field: str) -> alt.SizeValue:
        """Sizes as values by condition: a scale of sizes would reach into the legend."""
        cases = [{"test": f"datum.{field} === {json.dumps(state.label)}", "value": state.size} for state in self.states]
        return alt.SizeValue(self.states[0].size, condition=cases)


def rows(table: Any) -> alt.Data:  # noqa: ANN401 (a polars frame, or rows as mappings)
    """A small table as inline data, dates as ISO text: no limit on rows, no file beside the picture."""
    named: Iterable[Mapping[str, Any]] = table.iter_rows(named=True) if hasattr(table, "iter_rows") else table
    return alt.Data(values=[{key: _json(value) for key, value in row.items()} for row in named])  # type: ignore[arg-type]


def _json(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.isoformat() if isinstance(value, date) else value


def heading(title: str, lines: Sequence[str], width: float) -> dict[str, Any]:
    """A title and the lines under it, broken so that they fit the picture; as a keyword for ``properties``."""
    told = [part for line in lines for part in wrapped(line, width, SUBTITLE_SIZE)]
    if not title and not told:
        return {}
    named = wrapped(title, width, TITLE_SIZE, bold=True)
    if not named:
        # Without a title the lines stand in its place, in their own size.
        return {"title": alt.Title(told, fontSize=SUBTITLE_SIZE, fontWeight="normal", color=QUIET)}
    return {"title": alt.Title(named, subtitle=told)} if told else {"title": alt.Title(named)}


def finish(chart: Any, description: str = "") -> Any:  # noqa: ANN401
    """Give a picture the look, all in one call: a second ``configure`` would replace the first."""
    finished: Any = chart
    if description:
        finished = finished.properties(description=description)
    return finished.configure(
        font=SANS,
        background="white",
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            labelColor=QUIET,
            titleColor=QUIET,
            titleFontWeight="normal",
            titleFontSize=12,
            labelFontSize=LABEL_SIZE,
            domainColor=LINE,
            tickColor=LINE,
            grid=False,
        ),
        title=alt.TitleConfig(
            color=INK,
            fontSize=TITLE_SIZE,
            anchor="start",
            subtitleColor=QUIET,
            subtitleFontSize=SUBTITLE_SIZE,
            subtitlePadding=4,
            offset=10,
        ),
        header=alt.HeaderConfig(
            labelColor=INK, labelFontSize=12, labelAnchor="start", labelFontWeight="bold", title=None
        ),
        legend=alt.LegendConfig(labelColor=INK, labelFontSize=LEGEND_SIZE, symbolSize=90, labelLimit=320),
        text=alt.MarkConfig(font=SANS),
    )


def svg(chart: alt.TopLevelMixin, title: str = "") -> str:
    """A picture as SVG text to stand in a page: named and described for those who hear it.

    The outer element gets ``role="img"``, a ``<title>`` (``title``, or the picture's own heading) and a ``<desc>`` (the
    picture's ``description``), and shrinks with the page. Ids are made unique, so that several pictures in one page do
    not clip each other.

    Parameters
    ----------
    chart
        What a ``draw`` of this package or a ``.plot()`` returned; any Altair chart.
    title
        A short name for the picture.

    Examples
    --------
    >>> import altair as alt
    >>> from brightspot.plot.theme import svg
    >>> picture = alt.Chart(alt.Data(values=[{"x": 1}])).mark_point().encode(x="x:Q").properties(description="A point.")
    >>> text = svg(picture, "One point")
    >>> 'role="img"' in text, "<title" in text, ">A point.</desc>" in text
    (True, True, True)
    """
    import vl_convert

    spec: dict[str, Any] = chart.to_dict()
    drawn = vl_convert.vegalite_to_svg(spec)
    name = title or _title(spec) or "Chart"
    told = str(spec.get("description", ""))
    key = "b" + hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:10]
    drawn = re.sub(r'\bid="([^"]+)"', rf'id="{key}-\1"', drawn)
    drawn = re.sub(r"url\(#([^)]+)\)", rf"url(#{key}-\1)", drawn)
    drawn = re.sub(r'href="#([^"]+)"', rf'href="#{key}-\1"', drawn)
    labelled = f'role="img" aria-labelledby="{key}-title{f" {key}-desc" if told else ""}"'
    opening = re.match(r"\s*<svg\b", drawn)
    if opening is None:
        return drawn
    head, rest = drawn[opening.end() :].split(">", 1)
    words_in = f'<title id="{key}-title">{html.escape(name, quote=False)}</title>'
    words_in += f'<desc id="{key}-desc">{html.escape(told, quote=False)}</desc>' if told else ""
    return f'<svg {labelled} style="max-width:100%;height:auto"{head}>{words_in}{rest}'


def _title(spec: Mapping[str, Any]) -> str:
    title: Any = spec.get("title", "")
    text: Any = title.get("text", "") if isinstance(title, dict) else title  # type: ignore[reportUnknownMemberType]
    return " ".join(str(line) for line in text) if isinstance(text, list) else str(text)  # type: ignore[reportUnknownVariableType]
