"""The picture of drift: what share of a teacher's advantage is left after so many years."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from brightspot.plot import theme
from brightspot.plot.theme import BLUE, FAINT, INK, LABEL_SIZE

if TYPE_CHECKING:
    from brightspot.drift import ValueAdded


def draw(found: ValueAdded, *, title: str = "", width: int = 480, height: int = 260) -> alt.TopLevelMixin:
    """Draw the correlation of a teacher's true advantage with itself, by the years between."""
    table = found.autocovariance.drop_nulls("correlation")
    if table.height < 2:
        # One point at 1 would be taken for a finding.
        table = table.clear()
    lags, shares = table["lag"].to_list(), table["correlation"].to_list()
    low, high = min([0.0, *shares]), max([1.0, *shares])
    x = alt.X(
        "lag:Q",
        title="years between",
        scale=alt.Scale(domain=[-0.3, max([1, *lags]) + 0.3], nice=False),
        axis=alt.Axis(values=lags, format="d", grid=False),
    )
    y = alt.Y(
        "correlation:Q",
        title="correlation of a teacher's advantage",
        scale=alt.Scale(domain=[low, high * 1.08]),
        axis=alt.Axis(tickCount=5, gridColor=FAINT),
    )
    tooltip = ["lag:Q", alt.Tooltip("correlation:Q", format=".3~g"), "n_pairs:Q"]
    base = alt.Chart().encode(x=x, y=y)
    picture = alt.layer(
        base.mark_line(color=BLUE, strokeWidth=2),
        base.mark_point(filled=True, color=BLUE, opacity=1, size=60).encode(tooltip=tooltip),
        base.mark_text(color=INK, fontSize=LABEL_SIZE, dy=-12).encode(text=alt.Text("correlation:Q", format=".2f")),
    )
    told = found.sentences()
    picture = picture.properties(
        data=theme.rows(table), width=width, height=height, **theme.heading(title, told, width)
    )
    return theme.finish(picture, " ".join([title + "." if title else "", *told]).strip())
