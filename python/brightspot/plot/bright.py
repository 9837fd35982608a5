"""The pictures of a search for bright spots: effects with their intervals, and differences against size.

No unit is named but the candidates, and no axis gives a rank: there is no league table to be read off.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import altair as alt
import polars as pl

from brightspot import words
from brightspot.exceptions import InvalidOptionError
from brightspot.plot import theme
from brightspot.plot.axes import nice_ticks
from brightspot.plot.theme import BLUE, INK, LABEL_SIZE, ORANGE, QUIET, State, States

if TYPE_CHECKING:
    from brightspot.bright import BrightSpots

STATES = States(
    [
        State("not_distinguishable", words.FINDINGS["not_distinguishable"], "#6E7A82", "circle", 28),
        State("bright", words.FINDINGS["bright"], BLUE, "diamond", 90),
        State("promising", words.FINDINGS["promising"], BLUE, "triangle-up", 75),
        State("one_period", words.FINDINGS["one_period"], ORANGE, "square", 55),
    ]
)
# A label needs so many pixels; where candidates would take more than a picture has, none is named.
ROW, MOST_HEIGHT, HEAD = 14.0, 1000, 20
UNLABELLED_HEIGHT = 440
PALE_BLUE = "#A9D0E8"
# Below this reliability nothing but the prior is in an effect, and no difference can be had from it.
LEAST_RELIABILITY = 0.02

Row = dict[str, Any]
Kind = Literal["effects", "funnel", "shrinkage"]
Question = Literal["within", "overall"]
Side = Literal["left", "right"]


def draw(
    result: BrightSpots,
    *,
    kind: Kind = "effects",
    question: Question = "within",
    title: str = "",
    width: int | None = None,
    height: int | None = None,
) -> alt.TopLevelMixin:
    """Draw the effects of all units with their 95% intervals, or their differences against their size (a funnel).

    Parameters
    ----------
    result
        What :func:`brightspot.bright_spots` returned.
    kind
        ``"effects"``: shrunken effects in order, with intervals, no effect and the threshold; ``"funnel"``: differences
        before they are shrunk, against the number of students, with the band in which ordinary units lie.
    question
        ``"within"``: against peers in the same group; ``"overall"``: against all units.
    title
        A heading.
    width, height
        In pixels; the height of effects grows with the candidates where it is not given.
    """
    for option, value, allowed in (
        ("kind", kind, ("effects", "funnel", "shrinkage", "periods", "peers")),
        ("question", question, ("within", "overall")),
    ):
        if value not in allowed:
            choices = " or ".join(repr(choice) for choice in allowed)
            raise InvalidOptionError(
                f"{option} = {value!r} is not possible: it must be {choices}",
                option=option,
                value=repr(value),
            )
    ending = "_overall" if question == "overall" else ""
    units = shown_columns(result, ending)
    if kind == "shrinkage":
        from brightspot.plot.bright_shrinkage import draw as draw_shrinkage

        return draw_shrinkage(result, units, question == "overall", title, width or 620, height)
    if kind == "funnel":
        from brightspot.plot.bright_funnel import draw as draw_funnel

        return draw_funnel(result, units, question == "overall", title, width or 620, height)
    return _effects(result, units, question == "overall", title, width or 620, height)


def shown_columns(result: BrightSpots, ending: str) -> pl.DataFrame:
    """The units that may be shown, with the columns of one question under plain names."""
    unit, within = result.spec["unit"], list(result.spec.get("within", ()))
    columns = ["effect", "sd", "reliability", "lo", "hi", "is_candidate", "finding"]
    table = result.units.select(
        pl.col(unit).cast(pl.String).fill_null("(none)").alias("name"),
        (pl.concat_str([pl.col(group).cast(pl.String).fill_null("(none)") for group in within], separator=", "))
        if within
        else pl.lit("").alias("group"),
        pl.col("n"),
        *(pl.col(column + ending).alias(column) for column in columns),
    )
    table = table.rename({table.columns[1]: "group"})
    # A name that occurs in several groups is told apart by its group.
    is_twice = pl.len().over("name") > 1
    return table.with_columns(
        name=pl.when(is_twice & (pl.col("group") != "")).then(pl.format("{} ({})", "name", "group")).otherwise("name")
    )


def shown_units(units: pl.DataFrame) -> pl.DataFrame:
    """Only the units that were judged."""
    return units.filter((pl.col("finding") != "suppressed") & pl.col("effect").is_finite())


def seen_units(units: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The judged units of which the data say something, with ``seen``, what the shrunken effect was made from.

    That is the effect over its reliability. The second value counts the judged units that are left out.
    """
    known = shown_units(units)
    told = known.filter(pl.col("reliability") > LEAST_RELIABILITY)
    return told.with_columns(seen=pl.col("effect") / pl.col("reliability")), known.height - told.height


def _effects(
    result: BrightSpots, units: pl.DataFrame, overall: bool, title: str, width: int, height: int | None
) -> Any:  # noqa: ANN401 (altair's own types are partly unknown)
    # Named candidates stand in the order of their names, so that no rank can be read off; the unnamed by their effect.
    shown = pl.concat(
        [
            shown_units(units).filter("is_candidate").sort("group", "name"),
            shown_units(units).filter(~pl.col("is_candidate")).sort("effect", descending=True),
        ]
    )
    wanted = height
    flags: list[bool] = shown["is_candidate"].to_list()
    middles, height, is_labelled = _layout(flags, wanted)
    if not is_labelled:
        shown = shown.sort("effect", descending=True)
        flags = shown["is_candidate"].to_list()
        middles, height, is_labelled = _layout(flags, wanted)
    labels = STATES.labels()
    rows: list[Row] = [
        {
            "mark": "candidate" if row["is_candidate"] else "ordinary",
            "y": y,
            "effect": row["effect"],
            "lo": row["lo"],
            "hi": row["hi"],
            "state": labels.get(row["finding"], labels["not_distinguishable"]),
            **({"name": row["name"]} if row["is_candidate"] else {}),
        }
        for row, y in zip(shown.iter_rows(named=True), middles, strict=True)
    ]
    ends = [value for row in rows for value in (row["lo"], row["hi"])] + [0.0, result.threshold]
    pad = (max(ends) - min(ends) or 1.0) * 0.03
    low, high = min(ends) - pad, max(ends) + pad
    values, decimals = nice_ticks(low, high, 8)
    unit_of_value = result.spec["spec"]["words"]["values"]

    def across(field: str) -> alt.X:
        return alt.X(
            f"{field}:Q",
            title=f"{unit_of_value} more or less than {words.peers(result.spec, overall=overall)}",
            scale=alt.Scale(domain=[low, high], nice=False, zero=False),
            axis=alt.Axis(values=values, format=f"+.{decimals}f", labelExpr=signed_zero()),
        )

    x = across("effect")
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[0, height], reverse=True, nice=False))
    least = (height - HEAD) / max(1, len(rows))
    present = STATES.present({state_of(row) for row in shown.iter_rows(named=True)})
    stroke = min(1.6, max(0.4, least * 0.45))
    rows += _references(result.threshold)
    text: dict[str, Any] = {"fontSize": LABEL_SIZE, "baseline": "middle"}
    # Intervals so close that they are one area are pale, so that points and lines can be seen before them.
    own = rows_of("candidate")
    candidate = own.mark_rule(strokeWidth=1.8) if is_labelled else own.mark_rule(color=PALE_BLUE, strokeWidth=stroke)
    colored = {"color": _color(present)} if is_labelled else {}
    layers = [
        rows_of("ordinary").mark_rule(color="#B9C1C6", strokeWidth=stroke).encode(x=across("lo"), x2="hi:Q", y=y),
        candidate.encode(x=across("lo"), x2="hi:Q", y=y, **colored),
        rows_of("zero").mark_rule(color=INK, strokeWidth=1.2).encode(x=x),
        rows_of("threshold").mark_rule(color=BLUE, strokeWidth=1.2, strokeDash=[5, 3]).encode(x=x),
        alt.Chart()
        .transform_filter("datum.mark === 'ordinary' || datum.mark === 'candidate'")
        .mark_point(filled=True, opacity=1)
        .encode(
            x=x,
            y=y,
            **scaled(present, min(1.0, least / 5), 0.9 if is_labelled else 0.2).encode("state", width + 40),
            tooltip=tooltip(),
        ),
        *(
            rows_of(mark).mark_text(color=color, align=align, dx=dx, **text).encode(x=x, y=alt.value(8), text="text:N")
            for mark, color, align, dx in _reference_labels(result.threshold)
        ),
    ]
    if is_labelled and any(flags):
        layers.append(
            rows_of("candidate")
            .mark_text(color=INK, align="left", dx=6, **text)
            .encode(x=across("hi"), y=y, text="name:N")
        )
    told = told_lines(result, units, shown.height, overall=overall, is_labelled=is_labelled)
    picture = alt.layer(*layers).properties(
        data=theme.rows(rows), width=width, height=height, **theme.heading(title, told, width + 40)
    )
    return theme.finish(picture, " ".join([title + "." if title else "", *told, *told_numbers(result, shown)]).strip())


def _layout(flags: Sequence[bool], height: int | None) -> tuple[list[float], int, bool]:
    """The pixel of every unit from the top, the height, and whether there is room to name the candidates.

    The vertical axis has no meaning but the order: a candidate gets the room of its label, the others share the rest.
    """
    n_candidates, n_others = sum(flags), len(flags) - sum(flags)
    needed = n_candidates * ROW
    if height is None:
        wanted = round(HEAD + needed + min(max(90.0, n_others * 7.0), 320.0))
        height = wanted if wanted <= MOST_HEIGHT else UNLABELLED_HEIGHT
    room = max(1.0, height - HEAD - 6.0)
    is_labelled = needed <= room * (0.8 if n_others else 1.0)
    own = ROW if is_labelled else room / max(1, len(flags))
    others = min((room - n_candidates * own) / max(1, n_others), 2 * ROW)
    middles: list[float] = []
    top = float(HEAD)
    for flag in flags:
        taken = own if flag else others
        middles.append(top + taken / 2)
        top += taken
    return middles, height, is_labelled


def sizes_on_axis(low: float, high: float, *, is_log: bool) -> list[float]:
    """Where an axis of sizes has its ticks."""
    if not is_log:
        return [tick for tick in nice_ticks(low, high, 8)[0] if tick == round(tick)]
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [factor * 10.0**power for power in powers for factor in (1, 2, 5) if low <= factor * 10.0**power <= high]


def state_of(row: Row) -> str:
    """The kind of mark of a unit."""
    return row["finding"] if row["finding"] in words.FINDINGS else "not_distinguishable"


def scaled(present: States, factor: float, least: float) -> States:
    """Smaller marks where there are many, candidates' less so."""
    return present.scaled(factor, usual="not_distinguishable", least=least)


def _color(present: States) -> Any:  # noqa: ANN401
    return present.encode("state")["color"]


def signed_zero() -> str:
    """Signs on an axis of differences, with the true minus and none on nothing."""
    return "datum.value === 0 ? '0' : datum.label"


def _references(threshold: float) -> list[Row]:
    return [
        {"mark": "zero", "effect": 0.0, "text": "no different from peers"},
        {"mark": "threshold", "effect": threshold, "text": f"worth learning from: {words.signed(threshold)}"},
    ]


def _reference_labels(threshold: float) -> list[tuple[str, str, Side, int]]:
    """The words at the two lines stand on the sides that face away from each other."""
    if threshold >= 0:
        return [("zero", QUIET, "right", -5), ("threshold", BLUE, "left", 5)]
    return [("zero", QUIET, "left", 5), ("threshold", BLUE, "right", -5)]


def rows_of(mark: str) -> alt.Chart:
    """The rows of one mark of a layered picture."""
    return alt.Chart().transform_filter(f"datum.mark === '{mark}'")


def tooltip() -> list[alt.Tooltip]:
    """What a pointer shows: no name but those of candidates."""
    return [
        alt.Tooltip("effect:Q", format="+.3~g", title="difference"),
        alt.Tooltip("state:N", title="finding"),
        alt.Tooltip("lo:Q", format="+.3~g", title="likely from"),
        alt.Tooltip("hi:Q", format="+.3~g", title="to"),
    ]


def told_lines(
    result: BrightSpots,
    units: pl.DataFrame,
    n_shown: int,
    *,
    overall: bool,
    is_labelled: bool = True,
    n_unplaced: int = 0,
    is_named: bool = True,
) -> list[str]:
    """The lines above a picture; in a picture that names nobody nothing is said of names."""
    return words.bright_picture(
        result.spec,
        n_shown,
        int(units["is_candidate"].sum()),
        units.filter(pl.col("finding") == "suppressed").height,
        n_unplaced,
        false_share=result.false_share_overall if overall else result.false_share,
        is_labelled=is_labelled or not is_named,
    )


def told_numbers(result: BrightSpots, shown: pl.DataFrame) -> list[str]:
    """The numbers of the picture for those who cannot see it; candidates only, in the order of the table."""
    candidates = shown.filter("is_candidate").sort("group", "name")
    values = result.spec["spec"]["words"]["values"]
    told = [f"Threshold: {words.signed(result.threshold)} {values}."]
    told += [
        f"{row['name']}: {words.signed(row['effect'])} {values}, likely between {words.signed(row['lo'])} and "
        f"{words.signed(row['hi'])}."
        for row in candidates.head(30).iter_rows(named=True)
    ]
    return [*told, "And more."] if candidates.height > 30 else told
