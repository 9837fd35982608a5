"""The picture of a run chart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from brightspot import words
from brightspot.exceptions import InvalidOptionError
from brightspot.plot import theme
from brightspot.plot.theme import BLUE, FAINT, INK, LINE, ORANGE, QUIET, State, States

if TYPE_CHECKING:
    from brightspot.charts import RunChart

# More small multiples than this cannot be read on one screen or page.
MOST_CHARTS = 60

STATES = States(
    [
        State("none", "no signal", "#44545E", "circle", 34),
        State("improvement", "signal: improvement", BLUE, "triangle-up", 95),
        State("deterioration", "signal: worse", ORANGE, "square", 75),
        State("neutral", "signal", INK, "diamond", 80),
        State("excluded", "not counted", LINE, "cross", 60),
    ]
)


def draw(
    chart: RunChart,
    *,
    title: str = "",
    only: Mapping[str, object] | None = None,
    width: int | None = None,
    height: int | None = None,
    columns: int | None = None,
) -> alt.TopLevelMixin:
    """Draw one run chart, or small multiples of several."""
    points, summary = _select(chart.points, only), _select(chart.summary, only)
    if points.is_empty():
        raise InvalidOptionError(
            "there is no point to draw; check `only` and the frame", option="only", value=repr(only)
        )
    names = (
        pl.concat_str([pl.col(key).cast(pl.String).fill_null("(none)") for key in chart.by], separator=", ")
        if chart.by
        else pl.lit("")
    )
    points = points.with_columns(chart_name=names)
    n_charts = points["chart_name"].n_unique()
    if n_charts > MOST_CHARTS:
        raise InvalidOptionError(
            f"{n_charts} charts cannot be read in one picture: it must be at most {MOST_CHARTS}; draw some of them with "
            'only={"column": value}, or look at .summary first',
            option="only",
            value=repr(only),
        )
    single = n_charts == 1
    table, own_scale = _prepare(points, single=single)
    present = STATES.present(set(table["state"]))
    table = table.with_columns(state=pl.col("state").replace_strict(STATES.labels()))
    x = _time_axis(points["time"], single=single)
    low, high = _range(table)
    y_title = (
        f"{chart.spec['value']} / {chart.spec['size']}"
        if chart.spec.get("size")
        else str(chart.spec.get("value", "value"))
    )
    scale = alt.Scale(zero=False, nice=True) if own_scale else alt.Scale(domain=[low, high], nice=False, zero=False)
    axis = alt.Axis(tickCount=5, format="~%" if chart.spec.get("size") and high <= 1.2 else "~g")
    y = alt.Y("value:Q", title=y_title if single else None, scale=scale, axis=axis)

    base = alt.Chart().encode(x=x)
    layers: list[alt.Chart] = []
    if table["phase_mark"].is_not_null().any():
        marked = base.transform_filter("isValid(datum.phase_mark)")
        if table["is_first_phase"].not_().any():
            layers.append(
                marked.transform_filter("!datum.is_first_phase").mark_rule(color=FAINT, strokeWidth=1.5).encode()
            )
        layers.append(
            marked.mark_text(align="left", dx=4, dy=2, baseline="top", color=QUIET, fontSize=11).encode(
                y=alt.value(0), text="phase_mark:N"
            )
        )
    if table["target"].is_not_null().any():
        layers.append(
            base.mark_line(color=QUIET, strokeDash=[2, 3], strokeWidth=1.2).encode(y=alt.Y("target:Q", title=None))
        )
        layers.append(
            base.transform_filter("datum.is_last")
            .mark_text(align="left", dx=7, color=QUIET, fontSize=11)
            .encode(y="target:Q", text="target_label:N")
        )
    centre = base.encode(y=alt.Y("center:Q", title=None), detail="phase_id:N")
    layers += [
        centre.transform_filter("datum.in_baseline").mark_line(color=INK, strokeWidth=1.4),
        centre.transform_filter("datum.in_projection").mark_line(color=INK, strokeWidth=1.2, strokeDash=[6, 4]),
        base.transform_filter("isValid(datum.value)")
        .mark_line(color=LINE, strokeWidth=1.3)
        .encode(y=y, detail="phase_id:N"),
        base.transform_filter("isValid(datum.value)")
        .mark_point(filled=True, opacity=1)
        .encode(y=y, **present.encode("state"), tooltip=_tooltip(points)),
        base.transform_filter("isValid(datum.center_label)")
        .mark_text(align="left", dx=7, color=INK, fontSize=11)
        .encode(y="center:Q", text="center_label:N"),
    ]
    layered: Any = alt.layer(*layers)
    description = " ".join(_sentences(chart, summary))
    if single:
        heading = title or str(points["chart_name"][0])
        picture = layered.properties(
            data=theme.rows(table), width=width or 620, height=height or 280, **_heading(heading, summary)
        )
        return theme.finish(picture, description)
    picture = layered.properties(width=width or 210, height=height or 120).facet(
        data=theme.rows(table),
        facet=alt.Facet("chart_name:N", title=None),
        columns=columns or 3,
        **({"title": title} if title else {}),
    )
    if own_scale:
        picture = picture.resolve_scale(y="independent")
    return theme.finish(picture, description[:1000])


def _select(table: pl.DataFrame, only: Mapping[str, object] | None) -> pl.DataFrame:
    for key, value in (only or {}).items():
        if key not in table.columns:
            raise InvalidOptionError(
                f"only names {key!r}, which is not a column of the chart: {table.columns}",
                option="only",
                value=repr(only),
            )
        table = table.filter(pl.col(key) == value)
    return table


def _heading(title: str, summary: pl.DataFrame) -> dict[str, Any]:
    if summary.height != 1:
        return {"title": title} if title else {}
    row = summary.row(0, named=True)
    if row["center"] is None or row["longest_run"] is None:
        return {"title": title} if title else {}
    told = {"improvement": "Change for the better", "deterioration": "Change for the worse", "neutral": "Change"}.get(
        row["meaning"], "No sign of change"
    )
    chance = "" if row["prob_runs"] is None else f"; {words.percent(row['prob_runs'])} of stable processes show as much"
    line = f"{told}: longest run {row['longest_run']} (signal above {row['longest_run_max']}), {words.counted(row['n_crossings'], 'crossing')} (signal below {row['n_crossings_min']}){chance}"
    return {"title": alt.Title(title or " ", subtitle=line)}


def _sentences(chart: RunChart, summary: pl.DataFrame) -> list[str]:
    shown = summary.head(MOST_CHARTS)
    several = shown["phase"].n_unique() > 1
    return [
        words.run_chart(row, ", ".join([str(row[key]) for key in chart.by] + ([row["phase"]] if several else [])))
        for row in shown.iter_rows(named=True)
    ]


def _prepare(points: pl.DataFrame, *, single: bool) -> tuple[pl.DataFrame, bool]:
    """One table for all layers: what is drawn where, decided here and not in the marks."""
    if "target" not in points.columns:
        points = points.with_columns(target=pl.lit(None, pl.Float64))
    table = points.with_columns(
        phase_id=pl.struct("chart_name", "phase").rank("dense"),
        state=pl.when("is_excluded").then(pl.lit("excluded")).otherwise("meaning"),
    ).with_columns(
        is_first_of_phase=pl.int_range(pl.len()).over("phase_id") == 0,
        is_last_of_phase=pl.int_range(pl.len()).over("phase_id") == pl.len().over("phase_id") - 1,
        is_last=pl.int_range(pl.len()).over("chart_name") == pl.len().over("chart_name") - 1,
        is_first_phase=pl.col("phase_id") == pl.col("phase_id").first().over("chart_name"),
        n_phases=pl.col("phase_id").n_unique().over("chart_name"),
        position=pl.int_range(pl.len()),
    )
    # A centre line is drawn solid where it was computed and dashed where it is carried on.
    table = table.with_columns(
        last_baseline=pl.when("is_baseline").then("position").max().over("phase_id"),
    ).with_columns(
        in_baseline=pl.col("position") <= pl.col("last_baseline"),
        in_projection=pl.col("position") >= pl.col("last_baseline"),
        phase_mark=pl.when(pl.col("is_first_of_phase") & (pl.col("n_phases") > 1)).then("phase"),
        center_label=pl.when(pl.col("is_last_of_phase") & (pl.col("is_last") | pl.lit(single))).then(
            pl.format("median {}", pl.col("center").map_elements(words.number, return_dtype=pl.String))
        ),
        target_label=pl.format("target {}", pl.col("target").map_elements(words.number, return_dtype=pl.String)),
    )
    # Two labels at one height would cover each other: inner phases are labelled only where there is room.
    if single:
        inner = pl.col("is_last_of_phase") & ~pl.col("is_last")
        table = table.with_columns(center_label=pl.when(inner).then(None).otherwise("center_label"))
    spans = table.group_by("chart_name").agg(low=pl.col("value").min(), high=pl.col("value").max())
    overall = (spans["high"].max() or 0) - (spans["low"].min() or 0)  # type: ignore[operator]
    smallest = (spans["high"] - spans["low"]).min() or 0
    own_scale = not single and bool(overall > 4 * float(smallest))  # type: ignore[arg-type]
    keep = [
        "chart_name",
        "time",
        "value",
        "center",
        "target",
        "target_label",
        "state",
        "phase",
        "phase_id",
        "is_last",
        "is_first_phase",
        "in_baseline",
        "in_projection",
        "phase_mark",
        "center_label",
    ]
    return table.select([*keep, *(name for name in ("numerator", "denominator") if name in table.columns)]), own_scale


def _range(table: pl.DataFrame) -> tuple[float, float]:
    drawn = [table[name].drop_nulls().drop_nans() for name in ("value", "center", "target")]
    lows = [float(v.min()) for v in drawn if v.len()]  # type: ignore[arg-type]
    highs = [float(v.max()) for v in drawn if v.len()]  # type: ignore[arg-type]
    if not lows:
        return 0.0, 1.0
    low, high = min(lows), max(highs)
    pad = (high - low) * 0.08 or max(abs(high) * 0.1, 1.0)
    # Headroom above the data, for the names of phases.
    return low - pad, high + 2.2 * pad


def _time_axis(times: pl.Series, *, single: bool) -> alt.X:
    if times.dtype.is_temporal():
        return alt.X(
            "time:T",
            title=None,
            axis=alt.Axis(format="%-d %b %y" if single else "%b %y", labelOverlap=True, tickCount=8 if single else 3),
        )
    integers = times.dtype.is_integer()
    return alt.X(
        "time:Q",
        title=None,
        scale=alt.Scale(zero=False, nice=False, padding=8),
        axis=alt.Axis(
            format="d" if integers else "~g",
            tickMinStep=1 if integers else alt.Undefined,
            tickCount=10 if single else 4,
        ),
    )


def _tooltip(points: pl.DataFrame) -> list[alt.Tooltip]:
    kind = "T" if points["time"].dtype.is_temporal() else "Q"
    shown = [alt.Tooltip(f"time:{kind}"), alt.Tooltip("value:Q", format=".4~g")]
    if "numerator" in points.columns:
        shown += [alt.Tooltip("numerator:Q"), alt.Tooltip("denominator:Q")]
    return [
        *shown,
        alt.Tooltip("center:Q", format=".4~g"),
        alt.Tooltip("state:N", title="signal"),
        alt.Tooltip("phase:N"),
    ]
