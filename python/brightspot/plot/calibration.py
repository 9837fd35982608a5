"""The picture of calibration: what came true against what was believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from brightspot import words
from brightspot.plot.theme import BLUE, FAINT, LINE, finish, heading, rows

if TYPE_CHECKING:
    from brightspot.calibration import Calibration


def draw(found: Calibration, *, title: str, width: int, height: int) -> alt.TopLevelMixin:
    """Draw one mark per stated belief, as large as its predictions are many, with its exact 90% interval."""
    data = rows(found.groups)
    axis = alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1])
    unit = alt.Scale(domain=[0, 1], nice=False)
    x = alt.X("belief:Q", title="how sure the team was", scale=unit, axis=axis)
    right = alt.Chart(rows([{"belief": 0, "hit_rate": 0}, {"belief": 1, "hit_rate": 1}]))
    y = alt.Y("hit_rate:Q", title="share that came true", scale=unit, axis=axis)
    diagonal: Any = right.mark_line(color=LINE, strokeDash=[4, 4]).encode(x=x, y=y)
    names = {"n": "predictions", "belief": "belief", "hit_rate": "came true", "lo": "from", "hi": "to"}
    tooltip = [alt.Tooltip(f"{key}:Q", title=name, format="d" if key == "n" else ".0%") for key, name in names.items()]
    base: Any = alt.Chart(data)
    intervals = base.mark_rule(color=FAINT, strokeWidth=5, strokeCap="round").encode(x=x, y="lo:Q", y2="hi:Q")
    # Areas are proportional to counts; a single prediction can still be seen.
    most = max(found.groups["n"].to_list(), default=1)
    size = alt.Size("n:Q", scale=alt.Scale(domain=[0, most], range=[0, 420]), legend=None)
    points = base.mark_point(filled=True, color=BLUE, opacity=1).encode(x=x, y=y, size=size, tooltip=tooltip)
    told = found.sentences()
    lines = [
        *told[:2],
        "On the dashed line beliefs are right. Bars: 90% intervals; a mark is as large as it has predictions.",
    ]
    picture = alt.layer(diagonal, intervals, points).properties(
        width=width, height=height, **heading(title or "What came true, against what was believed", lines, width)
    )
    groups = [
        f"believed {words.percent(row['belief'])}: {words.percent(row['hit_rate'])} of {row['n']} came true"
        for row in found.groups.iter_rows(named=True)
    ]
    return finish(picture, " ".join([*told, f"{words.capital('; '.join(groups))}."]))
