"""What charts do with data that are not what they should be: a test for each line of docs/input.md."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

import brightspot as bs
from brightspot import exceptions as ex

WEEKS = [date(2026, 1, 5) + timedelta(weeks=i) for i in range(20)]
VALUES = [3, 5, 4, 6, 2, 5, 3, 6, 4, 5, 3, 4, 6, 5, 3, 4, 5, 6, 4, 3]
ROW = {"value": "value", "time": "time"}
KINDS_OF_VALUES = ["run", "i", "mr", "ewma", "cusum", "c", "g", "t"]
KINDS_OF_RATIOS = ["p", "pp", "u", "up", "np", "ip"]


def draw(frame, kind="run", **more):
    if kind == "run":
        return bs.run_chart(frame, **ROW, **more)
    return bs.control_chart(frame, kind=kind, **ROW, **more)


def codes(chart):
    return {note.code: note.count for note in chart.notes}


@pytest.mark.parametrize("kind", KINDS_OF_VALUES)
def test_a_gap_in_time_is_noted(kind):
    frame = pl.DataFrame({"time": WEEKS, "value": VALUES})
    assert "gaps" not in codes(draw(frame, kind))
    kept = frame.filter(~pl.col("time").is_in(WEEKS[8:10]))
    chart = draw(kept, kind)
    assert codes(chart)["gaps"] == 1
    assert chart.points.height == 18


def test_a_holiday_left_out_and_a_holiday_kept():
    frame = pl.DataFrame({"time": WEEKS, "value": VALUES})
    left_out = draw(frame.filter(~pl.col("time").is_in(WEEKS[8:10])), "i")
    kept = draw(frame.with_columns(value=pl.when(pl.col("time").is_in(WEEKS[8:10])).then(None).otherwise("value")), "i")
    assert codes(kept)["missing_value"] == 2
    assert "gaps" not in codes(kept)
    assert (left_out.points.height, kept.points.height) == (18, 20)
    assert left_out.summary["center"][0] == kept.summary["center"][0]
    # Left out, the weeks beside the break are neighbours; kept, no moving range bridges it.
    ranges = [abs(a - b) for a, b in pairwise(VALUES)]
    bridged = [*ranges[:7], abs(VALUES[7] - VALUES[10]), *ranges[10:]]
    unbridged = ranges[:7] + ranges[10:]
    ratio = (sum(bridged) / len(bridged)) / (sum(unbridged) / len(unbridged))
    assert left_out.summary["sigma"][0] / kept.summary["sigma"][0] == pytest.approx(ratio)


def test_months_and_daylight_saving_are_no_gaps():
    months = [date(2026, month, 1) for month in range(1, 13)]
    assert "gaps" not in codes(draw({"time": months, "value": VALUES[:12]}))
    days = pl.DataFrame({"time": [datetime(2026, 3, 20, 8) + timedelta(days=i) for i in range(20)], "value": VALUES})
    assert "gaps" not in codes(draw(days.with_columns(pl.col("time").dt.replace_time_zone("Europe/Berlin"))))


def test_shares_and_percentages_in_one_series():
    chart = draw({"time": WEEKS, "value": [0.93] * 10 + [94.0, 91.0] * 5})
    assert codes(chart)["mixed_scales"] == 1


def test_another_change_of_the_unit_shows_as_a_shift():
    minutes = [61.0, 58.0, 63.0, 60.0, 59.0, 62.0, 57.0, 64.0, 60.0, 61.0]
    chart = draw({"time": WEEKS, "value": minutes + [m / 60 for m in minutes]}, baseline=10)
    assert chart.summary["has_signal"].all()
    apart = pl.DataFrame(
        {"time": WEEKS, "value": minutes + [m / 60 for m in minutes], "unit": ["min"] * 10 + ["h"] * 10}
    )
    assert not draw(apart, by="unit").summary["has_signal"].any()


def test_a_code_for_missing_is_noted():
    assert codes(draw({"time": WEEKS, "value": [*VALUES[:-1], -999]}))["sentinel"] == 1


def test_a_place_that_closes_has_a_shorter_chart():
    frame = pl.DataFrame({"time": WEEKS + WEEKS[:6], "value": VALUES + VALUES[:6], "school": ["A"] * 20 + ["B"] * 6})
    chart = draw(frame, by="school")
    assert chart.summary["n_obs"].to_list() == [20, 6]
    assert codes(chart)["short_baseline"] == 1


def test_moments_of_several_zones():
    utc = [datetime(2026, 3, 1, 8, tzinfo=timezone.utc) + timedelta(days=i) for i in range(20)]  # noqa: UP017
    mixed = [moment.astimezone(timezone(timedelta(hours=i % 3))) for i, moment in enumerate(utc)]
    same = draw({"time": utc, "value": VALUES}).points
    assert draw({"time": mixed, "value": VALUES}).points.equals(same)
    with pytest.raises(ex.ColumnTypeError, match="dates, date-times or numbers"):
        draw({"time": [moment.isoformat() for moment in mixed], "value": VALUES})


def test_a_date_is_a_day_of_the_column_s_zone():
    # Eleven in the evening in New York is the next day in UTC.
    times = pl.Series([datetime(2026, 3, 10, 23) + timedelta(days=i) for i in range(20)])
    frame = pl.DataFrame({"time": times.dt.replace_time_zone("America/New_York"), "value": VALUES})
    chart = draw(frame, baseline=(date(2026, 3, 10), date(2026, 3, 14)))
    assert chart.points["is_baseline"].to_list() == [True] * 5 + [False] * 15


def test_periods_as_text_are_refused():
    with pytest.raises(ex.ColumnTypeError, match="number the periods"):
        draw({"time": [f"week {i}" for i in range(20)], "value": VALUES})


def test_ids_keep_their_zeros_and_their_type():
    frame = pl.DataFrame({"time": WEEKS * 2, "value": VALUES * 2, "school": ["007"] * 20 + ["0101"] * 20})
    assert draw(frame, by="school").summary["school"].to_list() == ["007", "0101"]


def test_categories_keep_their_type_and_order():
    names = ["low", "high"] * 20
    frame = pl.DataFrame({"time": sorted(WEEKS * 2), "value": VALUES * 2, "level": names})
    enum = draw(frame.cast({"level": pl.Enum(["low", "high"])}), by="level").summary["level"]
    assert (enum.to_list(), enum.dtype) == (["low", "high"], pl.Enum(["low", "high"]))
    category = draw(frame.cast({"level": pl.Categorical}), by="level").summary["level"]
    assert (category.cast(pl.String).to_list(), category.dtype) == (["high", "low"], pl.Categorical)


@pytest.mark.parametrize("kind", ["p", "pp", "np"])
def test_a_count_above_its_denominator_is_no_share(kind):
    frame = {"time": WEEKS, "value": [3] * 19 + [30], "size": [20] * 20}
    with pytest.raises(ex.InvalidValueError, match="30 of 20, at 2026-05-18"):
        draw(frame, kind, size="size")


def test_a_count_above_its_denominator_may_be_a_rate():
    frame = {"time": WEEKS, "value": [3] * 19 + [30], "size": [20] * 20}
    assert codes(draw(frame, size="size"))["exceeded_denominator"] == 1
    assert "exceeded_denominator" not in codes(draw(frame, "u", size="size"))


@pytest.mark.parametrize("kind", ["c", "g", "t"])
def test_a_count_below_zero_is_refused(kind):
    with pytest.raises(ex.InvalidValueError, match="below zero"):
        draw({"time": WEEKS, "value": [-1, *VALUES[1:]]}, kind)


@pytest.mark.parametrize("kind", KINDS_OF_RATIOS)
@pytest.mark.parametrize("size", [0, None, -5])
def test_a_denominator_that_is_none_leaves_its_count_out(kind, size):
    frame = pl.DataFrame({"time": WEEKS, "value": VALUES, "size": [size] + [50 + i for i in range(19)]})
    chart = draw(frame, kind, size="size")
    assert codes(chart)["invalid_denominator"] == 1
    assert chart.points["value"][0] is None
    rest = draw(frame.slice(1), kind, size="size")
    assert chart.points["ucl"][-1] == pytest.approx(rest.points["ucl"][-1], rel=1e-12)


def test_infinity_is_missing_and_a_row_without_a_time_is_left_out():
    times = [*WEEKS[:-1], None]
    chart = draw({"time": times, "value": [float("inf"), *VALUES[1:]]})
    assert (codes(chart)["infinite_value"], codes(chart)["missing_time"]) == (1, 1)
    assert (chart.points.height, chart.points["value"][0]) == (19, None)


def test_times_out_of_order_are_sorted_and_twice_is_refused():
    frame = pl.DataFrame({"time": WEEKS, "value": VALUES})
    chart = draw(frame.reverse())
    assert chart.points.equals(draw(frame).points)
    assert codes(chart)["sorted_by_time"] == 1
    with pytest.raises(ex.DuplicateTimesError, match="2026-01-05"):
        draw(pl.concat([frame, frame.head(1)]))


@pytest.mark.parametrize("kind", KINDS_OF_VALUES + KINDS_OF_RATIOS + ["xbar"])
def test_a_constant_series_has_no_signal(kind):
    frame = pl.DataFrame({"time": WEEKS, "value": [5] * 20, "size": [50] * 20})
    if kind == "xbar":
        frame = pl.concat([frame] * 3)
    chart = draw(frame, kind, size="size" if kind in KINDS_OF_RATIOS else None)
    assert codes(chart)["constant_series"] == 1
    assert not chart.summary["has_signal"][0]
    assert chart.summary["center"][0] is not None
    if kind in {"i", "mr", "ewma", "t", "ip", "pp", "up", "xbar"}:
        center, lower, upper = chart.points.select("center", "lcl", "ucl").row(-1)
        assert lower == center == upper
    assert all("None" not in sentence and "nan" not in sentence for sentence in chart.sentences())


def test_points_on_the_centre_line_are_on_neither_side():
    chart = draw({"time": WEEKS, "value": [5] * 18 + [4, 6]})
    assert (codes(chart)["ties_at_center"], chart.summary["n_useful"][0]) == (1, 2)
    assert not chart.summary["has_signal"][0]
    none = draw({"time": WEEKS, "value": [5] * 20}, center=5)
    assert (none.summary["n_useful"][0], none.summary["prob_runs"][0]) == (0, None)
    assert "nothing to judge" in next(none.sentences())


def test_the_page_names_notes_and_errors_that_exist():
    page = Path(__file__).parents[2] / "docs" / "input.md"
    named = set(re.findall(r"`(\w+)`", page.read_text(encoding="utf-8")))
    errors = {name for name in named if name.endswith("Error")}
    assert errors <= set(dir(ex))
    for code in named & {"gaps", "missing_value", "mixed_scales", "sentinel", "ties_at_center", "constant_series"}:
        assert bs.Note.from_dict({"code": code, "count": 1, "value": None, "at": ""}).message
