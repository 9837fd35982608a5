"""The picture of one unit among those under the most similar conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from brightspot import words
from brightspot.plot import theme
from brightspot.plot.axes import nice_ticks
from brightspot.plot.bright import LEAST_RELIABILITY, rows_of, signed_zero
from brightspot.plot.theme import BLUE, INK

if TYPE_CHECKING:
    from brightspot.bright import BrightSpots

Row = dict[str, Any]


def draw(
    result: BrightSpots,
    unit: str,
    within: Sequence[str] = (),
    *,
    title: str = "",
    width: int | None = None,
    height: int | None = None,
) -> alt.TopLevelMixin:
    """Draw a unit's difference beside those of its peers, by how far their conditions are; its peers are not named.

    Parameters
    ----------
    result
        What :func:`brightspot.bright_spots` returned.
    unit
        The name of the unit.
    within
        The names of its groups, where its name occurs in several.
    title
        A heading.
    width, height
        In pixels.

    Raises
    ------
    InvalidOptionError
        Where no unit, or more than one, bears the name.
    """
    width, height = width or 560, height or 340
    keys = [*result.spec["within"], result.spec["unit"]]
    peers = result.peers(unit, within)
    own = pl.all_horizontal(
        pl.col(key).cast(pl.String) == name for key, name in zip(keys[::-1], [unit, *within[::-1]], strict=False)
    )
    table = pl.concat(
        [
            result.units.filter(own & pl.col("has_min_n")).select(*keys, distance=pl.lit(0.0), is_own=pl.lit(True)),
            peers.select(*keys, "distance", is_own=pl.lit(False)),
        ]
    ).join(result.units.select(*keys, "effect", "sd", "reliability"), on=keys, nulls_equal=True)
    table = table.filter(pl.col("reliability") > LEAST_RELIABILITY).with_columns(
        seen=pl.col("effect") / pl.col("reliability"), error=pl.col("sd") / pl.col("reliability").sqrt()
    )
    rows: list[Row] = [
        {
            "mark": "own" if row["is_own"] else "peer",
            "distance": row["distance"],
            "seen": row["seen"],
            "lo": row["seen"] - 1.96 * row["error"],
            "hi": row["seen"] + 1.96 * row["error"],
        }
        for row in table.iter_rows(named=True)
    ]
    values = [row[end] for row in rows for end in ("lo", "hi")] + [0.0]
    pad = (max(values) - min(values) or 1.0) * 0.05
    low, high = min(values) - pad, max(values) + pad
    ticks, decimals = nice_ticks(low, high, 7)
    far = max([row["distance"] for row in rows], default=0.0) or 1.0
    x = alt.X(
        "distance:Q",
        title="how far the conditions are (standard deviations of a condition)",
        scale=alt.Scale(domain=[-0.06 * far, 1.04 * far], nice=False, zero=False),
        axis=alt.Axis(values=nice_ticks(0.0, far, 6)[0]),
    )

    def up(field: str) -> alt.Y:
        return alt.Y(
            f"{field}:Q",
            title=f"{result.spec['spec']['words']['values']}, before shrinking",
            scale=alt.Scale(domain=[low, high], nice=False, zero=False),
            axis=alt.Axis(values=ticks, format=f"+.{decimals}f", labelExpr=signed_zero()),
        )

    hint = [alt.Tooltip("distance:Q", format=".2f"), alt.Tooltip("seen:Q", format="+.3~g")]
    layers: list[Any] = [rows_of("zero").mark_rule(color=INK, strokeWidth=1.0).encode(y=up("seen"))]
    for mark, color, stroke, shape, size in (
        ("peer", "#7C8890", 0.9, "circle", 34),
        ("own", BLUE, 2.0, "diamond", 110),
    ):
        layers += [
            rows_of(mark).mark_rule(color=color, strokeWidth=stroke).encode(x=x, y=up("lo"), y2="hi:Q"),
            rows_of(mark)
            .mark_point(filled=True, shape=shape, color=color, size=size, opacity=1)
            .encode(x=x, y=up("seen"), tooltip=hint),
        ]
    told = words.peers_picture(result.spec, unit, peers.height)
    rows.append({"mark": "zero", "seen": 0.0})
    picture = alt.layer(*layers).properties(
        data=theme.rows(rows), width=width, height=height, **theme.heading(title, told, width + 60)
    )
    return theme.finish(picture, " ".join([title + "." if title else "", *told]).strip())
