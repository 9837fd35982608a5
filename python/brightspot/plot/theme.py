"""One look for all pictures: colours that survive grey print and colour blindness, always with a shape beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

INK = "#1F2A30"
QUIET = "#5B6770"
FAINT = "#D5DADD"
LINE = "#8A959C"
BLUE = "#0072B2"
ORANGE = "#C14B00"
SANS = "Helvetica Neue, Helvetica, Arial, sans-serif"


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

    def labels(self) -> dict[str, str]:
        """Code to label."""
        return {state.code: state.label for state in self.states}

    def _scale(self, attribute: str) -> alt.Scale:
        return alt.Scale(
            domain=[state.label for state in self.states], range=[getattr(state, attribute) for state in self.states]
        )

    def encode(self, field: str) -> dict[str, Any]:
        """Colour, shape and size of a point by its label in ``field``; one legend, none for a single kind."""
        legend = alt.Legend(title=None, orient="bottom", symbolStrokeWidth=0) if len(self.states) > 1 else None
        return {
            "color": alt.Color(f"{field}:N", scale=self._scale("color"), legend=legend),
            "shape": alt.Shape(f"{field}:N", scale=self._scale("shape"), legend=legend),
            "size": alt.Size(f"{field}:N", scale=self._scale("size"), legend=legend),
        }


def rows(table: Any) -> alt.Data:  # noqa: ANN401 (a polars frame; kept out of the signature for the laziness of stubs)
    """A small table as inline data, dates as ISO text: no limit on rows, no file beside the picture."""
    plain = [
        {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in row.items()}
        for row in table.iter_rows(named=True)
    ]
    return alt.Data(values=plain)


def finish(chart: alt.TopLevelMixin, description: str = "") -> Any:  # noqa: ANN401
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
            labelFontSize=11,
            domainColor=LINE,
            tickColor=LINE,
            grid=False,
        ),
        title=alt.TitleConfig(
            color=INK,
            fontSize=15,
            anchor="start",
            subtitleColor=QUIET,
            subtitleFontSize=12,
            subtitlePadding=4,
            offset=10,
        ),
        header=alt.HeaderConfig(
            labelColor=INK, labelFontSize=12, labelAnchor="start", labelFontWeight="bold", title=None
        ),
        legend=alt.LegendConfig(labelColor=INK, labelFontSize=12, symbolSize=90),
        text=alt.MarkConfig(font=SANS),
    )
