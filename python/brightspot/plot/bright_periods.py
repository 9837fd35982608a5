"""The picture of persistence: candidates over the periods, before the band of all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from brightspot import words
from brightspot.exceptions import InvalidOptionError
from brightspot.plot import theme
from brightspot.plot.axes import nice_ticks
from brightspot.plot.bright import rows_of, signed_zero
from brightspot.plot.labels import Box, beside
from brightspot.plot.theme import BLUE, FAINT, INK, LABEL_SIZE

if TYPE_CHECKING:
    from brightspot.bright import BrightSpots

Row = dict[str, Any]
# More candidates than this are drawn without names: their lines would not be told apart.
MOST_NAMED = 12


def draw(
    result: BrightSpots, *, title: str = "", width: int | None = None, height: int | None = None
) -> alt.TopLevelMixin:
    """Draw the shrunken effect of every candidate in every period, and where the others lie.

    Parameters
    ----------
    result
        What :func:`brightspot.bright_spots` returned, asked with ``period``.
    title
        A heading.
    width, height
        In pixels.

    Raises
    ------
    InvalidOptionError
        Where there are no periods.
    """
    table = result.periods
    period, unit = result.spec["period"], result.spec["unit"]
    if table.is_empty() or period is None:
        raise InvalidOptionError(
            "kind = 'periods' needs two periods or more, with several rows of a unit in each: give `period`",
            option="kind",
            value="'periods'",
        )
    width, height = width or 560, height or 380
    keys = [*result.spec["within"], unit]
    told_apart = result.units.select(*keys, "is_candidate", "has_min_n")
    table = table.join(told_apart, on=keys, nulls_equal=True).filter("has_min_n")
    labels = [str(value) for value in table[period].unique().sort()]
    table = table.with_columns(pl.col(period).cast(pl.String).alias("_at"))
    candidates = table.filter("is_candidate")
    names = result.candidates.height
    rows: list[Row] = []
    for name, group in table.filter(~pl.col("is_candidate")).group_by("_at", maintain_order=True):
        effects = group["effect"]
        levels = [effects.quantile(q, "linear") for q in (0.05, 0.25, 0.5, 0.75, 0.95)]
        rows.append({"mark": "band", "at": name[0], **dict(zip(("a", "b", "c", "d", "e"), levels, strict=True))})
    rows.sort(key=lambda row: labels.index(row["at"]))
    lines: list[Row] = []
    for place, (_, group) in enumerate(candidates.group_by(keys, maintain_order=True)):
        lines += [
            {"mark": "line", "unit": place, "at": row["_at"], "effect": row["effect"], "name": str(row[unit])}
            for row in group.iter_rows(named=True)
        ]
    values = (
        [row[key] for row in rows for key in ("a", "e")] + [row["effect"] for row in lines] + [0.0, result.threshold]
    )
    pad = (max(values) - min(values) or 1.0) * 0.05
    low, high = min(values) - pad, max(values) + pad
    ticks, decimals = nice_ticks(low, high, 7)
    is_named = 0 < names <= MOST_NAMED
    x = alt.X("at:O", title=words.noun(period), sort=labels, axis=alt.Axis(labelAngle=0), scale=alt.Scale(padding=0.25))

    def up(field: str) -> alt.Y:
        return alt.Y(
            f"{field}:Q",
            title=f"{result.spec['spec']['words']['values']} against {words.peers(result.spec)}",
            scale=alt.Scale(domain=[low, high], nice=False, zero=False),
            axis=alt.Axis(values=ticks, format=f"+.{decimals}f", labelExpr=signed_zero()),
        )

    strength = 1.0 if names <= MOST_NAMED else max(0.15, (MOST_NAMED / names) ** 0.5)
    layers: list[Any] = [
        rows_of("band").mark_area(color=FAINT, opacity=0.55).encode(x=x, y=up("a"), y2="e:Q"),
        rows_of("band").mark_area(color="#B9C1C6", opacity=0.7).encode(x=x, y=up("b"), y2="d:Q"),
        rows_of("zero").mark_rule(color=INK, strokeWidth=1.2).encode(y=up("effect")),
        rows_of("threshold").mark_rule(color=BLUE, strokeDash=[5, 3]).encode(y=up("effect")),
        rows_of("line")
        .mark_line(color=BLUE, opacity=strength, strokeWidth=1.8 if is_named else 1.2)
        .encode(x=x, y=up("effect"), detail="unit:N"),
        rows_of("line")
        .mark_point(filled=True, color=BLUE, opacity=strength, size=34 if is_named else 16)
        .encode(
            x=x,
            y=up("effect"),
            tooltip=[alt.Tooltip("name:N"), alt.Tooltip("effect:Q", format="+.3~g", title="difference")],
        ),
    ]
    if is_named:
        last = labels[-1]
        ending = [row for row in lines if row["at"] == last]
        spots = [(0.0, (high - row["effect"]) / (high - low) * height) for row in ending]
        boxes = beside(spots, [row["name"] for row in ending], Box(0, 0, 160, height), taken=[], avoided=[])
        for row, box in zip(ending, boxes, strict=True):
            if box is not None:
                level = high - (box.top + box.bottom) / 2 / height * (high - low)
                rows.append({"mark": "name", "at": last, "effect": level, "text": row["name"]})
        # Who was not there in the last period is named where its line ends.
        ends = {row["unit"]: row for row in lines}
        rows += [
            {"mark": "name", "at": row["at"], "effect": row["effect"], "text": row["name"]}
            for row in ends.values()
            if row["at"] != last
        ]
        named = rows_of("name").mark_text(color=INK, align="left", dx=8, fontSize=LABEL_SIZE, baseline="middle")
        layers.append(named.encode(x=x, y=up("effect"), text="text:N"))
    rows += [*lines, {"mark": "zero", "effect": 0.0}, {"mark": "threshold", "effect": result.threshold}]
    told = words.periods_picture(result, names)
    picture = alt.layer(*layers).properties(
        data=theme.rows(rows), width=width, height=height, **theme.heading(title, told, width + 60)
    )
    return theme.finish(picture, " ".join([title + "." if title else "", *told]).strip())
