"""The picture of a funnel chart: units against their size, with limits.

Only units beyond the widest limits on the good side are named: there is no bottom list to be read off.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import altair as alt
import polars as pl

from brightspot import words
from brightspot.plot import theme
from brightspot.plot.axes import nice_ticks
from brightspot.plot.labels import MOST_AVOIDED, Box, around, beside
from brightspot.plot.theme import BLUE, INK, LABEL_SIZE, QUIET, State, States

if TYPE_CHECKING:
    from brightspot.funnel import Funnel

Row = dict[str, Any]
Side = Literal["left", "right"]
STATES = States(
    [
        State("inside", "within the limits", "#6E7A82", "circle", 30),
        State("outside", "outside", "#3A464E", "square", 42),
        State("good", "beyond the widest limits, on the good side", BLUE, "diamond", 90),
    ]
)
BANDS = ("#EDF0F1", "#DDE2E5", "#CCD3D7")


def draw(found: Funnel, *, title: str = "", width: int = 620, height: int = 360) -> alt.TopLevelMixin:
    """Draw the units of a funnel chart against their size."""
    points, told = _points(found), [*found.sentences(), words.funnel_levels(found)]
    axis = _Sizes([row["size"] for row in points], width)
    curve = found.limits.sort("size")
    widest, ordered = found.level_names[_widest(found)], _by_width(found)
    ends = [row["value"] for row in points] + [found.target]
    shown = curve.select(pl.col(f"lo_{widest}"), pl.col(f"hi_{widest}"))
    # The funnel's mouth may be far wider than any unit: it is cut, so that the units fill the picture.
    reach = max(abs(value - found.target) for value in ends) or 1.0
    low = max(min(ends, default=0.0) - 0.06 * reach, -math.inf)
    high = max(ends) + 0.06 * reach
    low = min(low, max(_least(shown.to_series(0)), found.target - 1.35 * reach))
    high = max(high, min(_most(shown.to_series(1)), found.target + 1.35 * reach))
    kind = found.spec["spec"]["kind"]
    is_share = kind == "proportion"
    values, decimals = nice_ticks(low, high, 7)
    if is_share:
        number_format, decimals = f".{max(0, decimals - 2)}%", max(0, decimals - 2)
    else:
        number_format = f".{decimals}f"
    scale = alt.Scale(domain=[low, high], nice=False, zero=False, clamp=True)

    def up(field: str) -> alt.Y:
        return alt.Y(
            f"{field}:Q",
            title=f"{words.FUNNEL_VALUES[kind]} of {words.noun(found.spec['value'])}",
            scale=scale,
            axis=alt.Axis(values=values, format=number_format),
        )

    def place(row: Row) -> tuple[float, float]:
        return axis.pixel(row["size"]), (high - row["value"]) / (high - low) * height

    named = [row for row in points if "name" in row]
    spots = [place(row) for row in named]
    others = [around(*place(row), 3) for row in points] if len(points) <= MOST_AVOIDED else []
    boxes = beside(
        spots,
        [row["name"] for row in named],
        Box(0, 0, width + 60, height),
        taken=[around(*spot, 4) for spot in spots],
        avoided=others,
    )
    labels: list[Row] = []
    for row, (left, top), box in zip(named, spots, boxes, strict=True):
        if box is None:
            # All or none: to name some would be to choose among them.
            labels = []
            told.append(
                f"{words.counted(len(named), 'unit')} beyond the widest limits on the good side, too many to name "
                "here: see the table of units."
            )
            break
        middle, is_right = (box.top + box.bottom) / 2, box.left > left
        level = high - middle / height * (high - low)
        mark = "right" if is_right else "left"
        labels.append({"mark": mark, "size": row["size"], "value": level, "text": row["name"]})
        if abs(middle - top) > LABEL_SIZE / 2:
            near = axis.at(left + (7 if is_right else -7))
            labels.append({"mark": "leader", **_spot(row), "size2": near, "value2": level})
    bands = [
        {"mark": f"band{i}", "size": row["size"], "lo": row[f"lo_{name}"], "hi": row[f"hi_{name}"]}
        for i, name in enumerate(ordered)
        for row in curve.iter_rows(named=True)
    ]
    present = STATES.present({row["code"] for row in points})
    present = present.scaled(1.0 if len(points) < 500 else 0.45, usual="inside", least=0.8)
    x, y = axis.encode(words.noun(found.spec["size"] or "rows")), up("value")
    text: dict[str, Any] = {"fontSize": LABEL_SIZE, "baseline": "middle", "color": INK}
    tooltip = [alt.Tooltip("size:Q"), alt.Tooltip("value:Q", format=".3~g"), alt.Tooltip("state:N")]
    layers: list[alt.Chart] = [
        *(
            _of(f"band{i}").mark_area(color=BANDS[min(i, len(BANDS) - 1)], clip=True).encode(x=x, y=up("lo"), y2="hi:Q")
            for i in range(len(ordered))
        ),
        _of("target").mark_rule(color=INK, strokeWidth=1).encode(y=y),
        _of("unit").mark_point(filled=True, opacity=0.9).encode(x=x, y=y, **present.encode("state"), tooltip=tooltip),
    ]
    if any(row["mark"] == "leader" for row in labels):
        leader = _of("leader").mark_rule(color=QUIET, strokeWidth=0.7)
        layers.append(leader.encode(x=x, y=y, x2="size2:Q", y2="value2:Q"))
    sides: tuple[tuple[str, Side, int], ...] = (("right", "left", 8), ("left", "right", -8))
    layers += [
        _of(mark).mark_text(align=align, dx=dx, **text).encode(x=x, y=y, text="text:N")
        for mark, align, dx in sides
        if any(row["mark"] == mark for row in labels)
    ]
    rows: list[Row] = [*bands, *points, *labels, {"mark": "target", "value": found.target}]
    picture = alt.layer(*layers).properties(
        data=theme.rows(rows), width=width, height=height, **theme.heading(title, told, width + 40)
    )
    return theme.finish(picture, " ".join([title + "." if title else "", *told]).strip())


class _Sizes:
    """The horizontal axis: sizes, on a logarithmic scale where they differ much."""

    def __init__(self, sizes: list[float], width: float) -> None:
        low, high = min(sizes), max(sizes)
        self.is_log, self.width = high / low > 8, width
        start, end = self._forward(low), self._forward(high)
        spare = (end - start) * 0.03 or (0.2 if self.is_log else max(1.0, low * 0.1))
        self.start, self.end = start - spare, end + spare

    def _forward(self, size: float) -> float:
        return math.log(size) if self.is_log else size

    def _back(self, place: float) -> float:
        return math.exp(place) if self.is_log else place

    def pixel(self, size: float) -> float:
        return (self._forward(size) - self.start) / (self.end - self.start) * self.width

    def at(self, pixel: float) -> float:
        return self._back(self.start + pixel / self.width * (self.end - self.start))

    def encode(self, title: str) -> alt.X:
        low, high = self._back(self.start), self._back(self.end)
        values = nice_ticks(low, high, 8)[0]
        if self.is_log:
            powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            values = [f * 10.0**power for power in powers for f in (1, 2, 5) if low <= f * 10.0**power <= high]
        kind: Any = "log" if self.is_log else "linear"
        return alt.X(
            "size:Q",
            title=title,
            scale=alt.Scale(type=kind, domain=[low, high], nice=False, zero=False),
            axis=alt.Axis(values=values, format=",~g"),
        )


def _points(found: Funnel) -> list[Row]:
    key, widest = found.units.columns[0], found.level_names[_widest(found)]
    narrow = found.level_names[min(range(len(found.levels)), key=lambda i: found.levels[i])]
    sign = {"up": 1, "down": -1, "neutral": 0}[found.direction]
    labels = STATES.labels()
    rows: list[Row] = []
    for row in found.units.iter_rows(named=True):
        if row["value"] is None or row["size"] is None or row["size"] <= 0:
            continue
        is_good = row[f"is_outside_{widest}"] and sign * (row["value"] - found.target) > 0
        code = "good" if is_good else ("outside" if row[f"is_outside_{narrow}"] else "inside")
        named = {"name": str(row[key])} if is_good else {}
        rows.append({"mark": "unit", **_spot(row), "code": code, "state": labels[code], **named})
    return rows


def _spot(row: Row) -> Row:
    return {"size": row["size"], "value": row["value"]}


def _widest(found: Funnel) -> int:
    return max(range(len(found.levels)), key=lambda i: found.levels[i])


def _by_width(found: Funnel) -> list[str]:
    """The names of the levels, the widest first: it is drawn beneath."""
    order = sorted(range(len(found.levels)), key=lambda i: -found.levels[i])
    return [found.level_names[i] for i in order]


def _least(values: pl.Series) -> float:
    return min((float(v) for v in values if v is not None), default=-math.inf)


def _most(values: pl.Series) -> float:
    return max((float(v) for v in values if v is not None), default=math.inf)


def _of(mark: str) -> alt.Chart:
    return alt.Chart().transform_filter(f"datum.mark === '{mark}'")
