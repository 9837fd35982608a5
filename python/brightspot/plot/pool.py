"""The picture of effects pooled over sites: a forest plot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from brightspot import words
from brightspot.plot import theme
from brightspot.plot.axes import nice_ticks
from brightspot.plot.labels import shortened, text_width
from brightspot.plot.theme import BLUE, INK, LABEL_SIZE, LINE, ORANGE, POINT

if TYPE_CHECKING:
    from brightspot.pool import Pool

Row = dict[str, Any]
# A site with its name needs so many pixels; more sites than this are drawn closer and not named.
ROW, MOST_NAMED, MOST_HEIGHT = 18.0, 60, 700.0
NAME_WIDTH = 180.0


def draw(found: Pool, *, title: str = "", width: int | None = None, height: int | None = None) -> alt.TopLevelMixin:
    """Draw every site's effect with its interval, the mean effect, and what a new site may expect.

    Sites stand in the order of the table. Areas of points are their weights; a small bar marks each effect drawn
    towards the mean.
    """
    width = width or 560
    sites = found.sites
    key = sites.columns[0]
    is_named = sites.height <= MOST_NAMED
    row = ROW if is_named else min(ROW, MOST_HEIGHT / max(1, sites.height))
    below = 2.6 * ROW if found.estimate is not None else 0.4 * ROW
    full = height or round(sites.height * row + below + 8)
    row = (full - below - 8) / max(1, sites.height)
    rows: list[Row] = []
    highest = max((w for w in sites["weight"] if w is not None), default=None)
    for place, site in enumerate(sites.iter_rows(named=True)):
        name = f"row {site[key]}" if key == "row" else str(site[key] if site[key] is not None else "(none)")
        share = 0.5 if highest is None else site["weight"] / highest
        rows.append(
            {
                "mark": "site",
                "y": (place + 0.5) * row,
                "effect": site["effect"],
                "lo": site["lo"],
                "hi": site["hi"],
                "shrunken": site["shrunken"],
                "size": max(8.0, min(110.0, row * 6) * share),
                **({"name": shortened(name, NAME_WIDTH, LABEL_SIZE)} if is_named else {}),
            }
        )
    told = found.sentences()
    rows += _whole(found, sites.height * row + 10)
    ends = [v for r in rows for v in (r.get("lo"), r.get("hi")) if v is not None] + [0.0]
    pad = (max(ends) - min(ends) or 1.0) * 0.04
    low, high = min(ends) - pad, max(ends) + pad
    values, decimals = nice_ticks(low, high, 8)

    def across(field: str) -> alt.X:
        return alt.X(
            f"{field}:Q",
            title=words.noun(found.spec["effect"]),
            scale=alt.Scale(domain=[low, high], nice=False, zero=False),
            axis=alt.Axis(values=values, format=f"+.{decimals}f", labelExpr="datum.value === 0 ? '0' : datum.label"),
        )

    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, full], reverse=True, nice=False))
    rows.append({"mark": "zero", "effect": 0.0})
    if found.estimate is not None:
        rows.append({"mark": "mean", "effect": found.estimate})
    text: dict[str, Any] = {"fontSize": LABEL_SIZE, "baseline": "middle", "align": "right", "dx": -10}
    tooltip = [alt.Tooltip(f"{name}:Q", format="+.3~g") for name in ("effect", "lo", "hi", "shrunken")]
    layers = [
        _of("zero").mark_rule(color=INK, strokeWidth=1.2).encode(x=across("effect")),
        _of("mean").mark_rule(color=BLUE, strokeWidth=1, strokeDash=[4, 3]).encode(x=across("effect")),
        _of("site").mark_rule(color=LINE, strokeWidth=1.3).encode(x=across("lo"), x2="hi:Q", y=y),
        _of("site")
        .mark_tick(color=ORANGE, thickness=2, size=min(10.0, row * 0.7), orient="vertical")
        .encode(x=across("shrunken"), y=y),
        _of("site")
        .mark_point(filled=True, color=POINT, opacity=1, shape="square")
        .encode(x=across("effect"), y=y, size=alt.Size("size:Q", scale=None, legend=None), tooltip=tooltip),
        _of("new").mark_rule(color=BLUE, strokeWidth=2).encode(x=across("lo"), x2="hi:Q", y=y),
        _of("whole").mark_rule(color=BLUE, strokeWidth=5).encode(x=across("lo"), x2="hi:Q", y=y),
        _of("whole")
        .mark_point(filled=True, color=BLUE, opacity=1, shape="diamond", size=130)
        .encode(x=across("effect"), y=y),
        alt.Chart()
        .transform_filter("isValid(datum.name)")
        .mark_text(color=INK, **text)
        .encode(x=alt.value(0), y=y, text="name:N"),
    ]
    if found.estimate is not None:
        told.append("Squares: sites, the larger the more they count; orange bars: drawn towards the mean.")
    if not is_named:
        told.append(f"{words.counted(sites.height, 'site')} are too many to name here: see the table of sites.")
    names = [r["name"] for r in rows if "name" in r]
    margin = max((text_width(name, LABEL_SIZE) for name in names), default=0.0)
    picture = alt.layer(*layers).properties(
        data=theme.rows(rows), width=width, height=full, **theme.heading(title, told, width + margin)
    )
    return theme.finish(picture, " ".join([title + "." if title else "", *told]).strip())


def _whole(found: Pool, top: float) -> list[Row]:
    """The rows beneath the sites: the mean effect, and a new site."""
    if found.estimate is None:
        return []
    rows: list[Row] = [
        {
            "mark": "whole",
            "y": top + 0.5 * ROW,
            "effect": found.estimate,
            "lo": found.lo,
            "hi": found.hi,
            "name": "mean of sites",
        }
    ]
    if found.prediction_lo is not None:
        ends = {"lo": found.prediction_lo, "hi": found.prediction_hi}
        rows.append({"mark": "new", "y": top + 1.6 * ROW, **ends, "name": "a new site"})
    return rows


def _of(mark: str) -> alt.Chart:
    return alt.Chart().transform_filter(f"datum.mark === '{mark}'")
