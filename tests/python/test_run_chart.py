"""Run charts through Python: the input policy, types that survive, errors that teach."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import brightspot as bs
from brightspot import exceptions as ex

WEEKS = 24
SERIES = pl.DataFrame(
    {
        "week": range(1, WEEKS + 1),
        "score": [float(50 + i * 7919 % 13) for i in range(WEEKS)],
        "plc": ["007"] * WEEKS,
    }
)
MONDAYS = [date(2026, 1, 5) + timedelta(weeks=i) for i in range(WEEKS)]
STEP = pl.DataFrame({"day": MONDAYS, "score": [10.0 + i % 3 for i in range(12)] + [14.0 + i % 3 for i in range(12)]})


def codes(chart: bs.RunChart) -> dict[str, int]:
    return {note.code: note.count for note in chart.notes}


def test_every_kind_of_frame_gives_the_same(convert):
    ours = bs.run_chart(SERIES, value="score", time="week", by=["plc"])
    theirs = bs.run_chart(convert(SERIES), value="score", time="week", by=["plc"])
    assert_frame_equal(ours.points, theirs.points)
    assert_frame_equal(ours.summary, theirs.summary)


def test_columns_are_the_contract():
    chart = bs.run_chart(SERIES, value="score", time="week", by="plc")
    assert chart.points.columns == [
        "plc", "time", "value", "center", "lcl", "ucl", "phase", "is_baseline", "is_excluded", "signals", "meaning",
    ]  # fmt: skip
    assert chart.summary.columns == [
        "plc", "phase", "n_obs", "n_useful", "n_baseline", "center", "sigma", "dispersion", "longest_run",
        "longest_run_max", "n_crossings", "n_crossings_min", "prob_runs", "prob_basis", "n_beyond_limits",
        "prob_beyond", "has_signal", "signals", "meaning", "prob_false_signal", "variation", "assurance",
    ]  # fmt: skip
    assert chart.points.schema["signals"] == pl.List(pl.String)


def test_a_shift_is_seen_named_and_improbable():
    chart = bs.run_chart(STEP, value="score", time="day", baseline=12)
    row = chart.summary.row(0, named=True)
    assert row["center"] == 11.0
    assert row["has_signal"]
    assert row["meaning"] == "improvement"
    assert row["prob_basis"] == "frozen"
    assert row["prob_runs"] < 0.02
    worse = bs.run_chart(STEP, value="score", time="day", baseline=12, direction="down").summary
    assert worse["meaning"].to_list() == ["deterioration"]
    flagged = chart.points.filter(pl.col("signals").list.contains("longest_run"))
    assert flagged["time"].min() == MONDAYS[11]
    assert set(flagged["meaning"]) == {"improvement"}


def test_rows_and_groups_in_any_order_give_the_same():
    frame = pl.concat(
        [SERIES.with_columns(plc=pl.lit(name), score=pl.col("score") * k) for k, name in enumerate("cab", 1)]
    )
    straight = bs.run_chart(frame, value="score", time="week", by=["plc"])
    shuffled = bs.run_chart(frame.sample(fraction=1.0, shuffle=True, seed=4), value="score", time="week", by=["plc"])
    assert_frame_equal(straight.points, shuffled.points)
    assert_frame_equal(straight.summary, shuffled.summary)
    assert straight.summary["plc"].to_list() == ["a", "b", "c"]
    assert codes(shuffled)["sorted_by_time"] == 3
    alone = bs.run_chart(frame.filter(plc="b"), value="score", time="week", by=["plc"])
    assert_frame_equal(alone.summary, straight.summary.filter(plc="b").drop("q_value"))


@pytest.mark.parametrize(
    "keys",
    [
        pl.Series("key", [1, 2], dtype=pl.Int8),
        pl.Series("key", ["x", "y"], dtype=pl.Categorical),
        pl.Series("key", ["x", "y"], dtype=pl.Enum(["x", "y"])),
        pl.Series("key", [date(2026, 1, 1), date(2026, 1, 2)]),
        pl.Series("key", [True, False]),
        pl.Series("key", [None, "x"]),
    ],
    ids=lambda keys: str(keys.dtype),
)
def test_keys_keep_their_type_and_value(keys):
    frame = SERIES.drop("plc").join(keys.to_frame(), how="cross")
    chart = bs.run_chart(frame, value="score", time="week", by=["key"])
    assert chart.points.schema["key"] == keys.dtype
    assert chart.summary.height == 2
    assert set(chart.summary["key"].to_list()) == set(keys.to_list())


def test_what_is_missing_is_counted_and_keeps_its_row():
    values = SERIES["score"].to_list()
    values[2], values[4], values[6] = None, float("nan"), float("inf")
    chart = bs.run_chart(SERIES.with_columns(score=pl.Series(values)), value="score", time="week")
    assert chart.points.height == WEEKS
    assert chart.points["value"].null_count() == 3
    assert codes(chart)["missing_value"] == 3
    assert codes(chart)["infinite_value"] == 1
    assert chart.summary["n_useful"].item() <= WEEKS - 3


def test_a_row_without_a_time_is_left_out_and_counted():
    frame = SERIES.with_columns(week=pl.when(pl.col("week") == 3).then(None).otherwise("week"))
    chart = bs.run_chart(frame, value="score", time="week")
    assert chart.points.height == WEEKS - 1
    assert codes(chart)["missing_time"] == 1


def test_codes_for_missing_are_counted():
    frame = SERIES.with_columns(score=pl.when(pl.col("week").is_in([4, 9])).then(-999.0).otherwise("score"))
    assert codes(bs.run_chart(frame, value="score", time="week"))["sentinel"] == 2
    assert "sentinel" not in codes(bs.run_chart(SERIES, value="score", time="week"))
    model = bs.mixed_model(frame.with_columns(unit=pl.col("week") % 4), outcome="score", random="unit")
    assert [(note.at, note.count) for note in model.notes if note.code == "sentinel"] == [("score", 2)]


def test_denominators():
    frame = SERIES.select("week", absent=pl.col("score") - 45, enrolled=pl.lit(20.0)).with_columns(
        enrolled=pl.when(pl.col("week") == 1)
        .then(0)
        .when(pl.col("week") == 2)
        .then(None)
        .when(pl.col("week") == 3)
        .then(2)
        .otherwise("enrolled")
    )
    chart = bs.run_chart(frame, value="absent", size="enrolled", time="week", direction="down")
    assert codes(chart)["invalid_denominator"] == 2
    assert codes(chart)["exceeded_denominator"] == 1
    assert chart.points["value"][3] == pytest.approx(frame["absent"][3] / 20)
    assert chart.points["value"].null_count() == 2
    assert {"numerator", "denominator"} <= set(chart.points.columns)


def test_repeated_times_are_named_or_combined():
    twice = pl.concat([SERIES, SERIES.with_columns(score=pl.col("score") + 2)])
    with pytest.raises(ex.DuplicateTimesError, match="24 times") as caught:
        bs.run_chart(twice, value="score", time="week", by=["plc"])
    assert caught.value.details["examples"] == ["1", "2", "3"]
    mean = bs.run_chart(twice, value="score", time="week", aggregate="mean")
    assert mean.points["value"].to_list() == [v + 1 for v in SERIES["score"]]
    assert codes(mean)["aggregated"] == 2 * WEEKS
    total = bs.run_chart(twice, value="score", time="week", aggregate="sum")
    assert total.points["value"].to_list() == [2 * v + 2 for v in SERIES["score"]]
    sized = twice.with_columns(size=pl.when(pl.int_range(pl.len()) < WEEKS).then(100.0).otherwise(300.0))
    pooled = bs.run_chart(sized, value="score", size="size", time="week", aggregate="mean")
    assert pooled.points["value"].to_list() == pytest.approx([(2 * v + 2) / 400 for v in SERIES["score"]])


def test_phases_by_count_date_and_label_agree():
    by_count = bs.run_chart(STEP, value="score", time="day", phases=12)
    by_date = bs.run_chart(STEP, value="score", time="day", phases={"tutoring": MONDAYS[12]})
    labelled = STEP.with_columns(
        stage=pl.when(pl.col("day") < MONDAYS[12]).then(pl.lit("before")).otherwise(pl.lit("tutoring"))
    )
    by_label = bs.run_chart(labelled, value="score", time="day", phases="stage")
    assert by_count.summary["phase"].to_list() == ["1", "2"]
    assert by_date.summary["phase"].to_list() == ["before", "tutoring"]
    assert_frame_equal(by_date.summary, by_label.summary)
    assert_frame_equal(by_date.summary.drop("phase"), by_count.summary.drop("phase"))
    assert by_date.summary["center"].to_list() == [11.0, 15.0]
    several = bs.run_chart(STEP, value="score", time="day", phases=[6, 18], baseline=4)
    assert several.points.group_by("phase", maintain_order=True).agg(pl.col("is_baseline").sum())[
        "is_baseline"
    ].to_list() == [4, 4, 4]


def test_baselines_by_count_date_and_column_agree():
    marked = STEP.with_columns(base=pl.col("day") <= MONDAYS[11])
    by_count = bs.run_chart(STEP, value="score", time="day", baseline=12)
    by_date = bs.run_chart(STEP, value="score", time="day", baseline=(MONDAYS[0], MONDAYS[11]))
    by_text = bs.run_chart(STEP, value="score", time="day", baseline=(str(MONDAYS[0]), str(MONDAYS[11])))
    by_column = bs.run_chart(marked, value="score", time="day", baseline="base")
    for other in (by_date, by_text, by_column):
        assert_frame_equal(by_count.points, other.points)
        assert_frame_equal(by_count.summary, other.summary)


def test_a_baseline_longer_than_the_phase_is_the_phase_with_a_note():
    chart = bs.run_chart(STEP, value="score", time="day", baseline=1000)
    assert chart.points["is_baseline"].all()
    assert codes(chart)["baseline_longer_than_phase"] == 1


def test_a_day_covers_all_of_its_moments():
    moments = STEP.with_columns(pl.col("day").cast(pl.Datetime("us", "America/Chicago")) + pl.duration(hours=15))
    chart = bs.run_chart(moments, value="score", time="day", baseline=(MONDAYS[0], MONDAYS[11]))
    assert chart.points["is_baseline"].sum() == 12
    late = bs.run_chart(moments, value="score", time="day", phases={"late": datetime(2026, 3, 30, tzinfo=UTC)})
    assert late.summary["phase"].to_list() == ["before", "late"]


def test_excluded_points_are_drawn_and_not_counted():
    frame = STEP.with_columns(skip=pl.col("day").is_in([MONDAYS[2], MONDAYS[20]]))
    chart = bs.run_chart(frame, value="score", time="day", exclude="skip")
    assert chart.points["is_excluded"].sum() == 2
    assert chart.summary["n_obs"].item() == 22
    assert chart.points["value"].null_count() == 0


def test_direction_and_target_by_column():
    frame = pl.concat(
        [
            STEP.with_columns(measure=pl.lit("score"), good=pl.lit("up"), goal=pl.lit(14.0)),
            STEP.with_columns(measure=pl.lit("wait"), good=pl.lit("down"), goal=pl.lit(9.0)),
        ]
    )
    chart = bs.run_chart(frame, value="score", time="day", by=["measure"], direction="good", target="goal", baseline=12)
    assert chart.summary["meaning"].to_list() == ["improvement", "deterioration"]
    assert chart.points["target"].unique().sort().to_list() == [9.0, 14.0]


@pytest.mark.parametrize(
    ("kind", "needle", "arguments"),
    [
        (ex.ColumnMissingError, 'did you mean "score"', {"value": "scores"}),
        (ex.ColumnTypeError, "must hold numbers", {"value": "plc"}),
        (ex.ColumnTypeError, "sorts|parse it", {"time": "plc"}),
        (ex.ColumnTypeError, "true and false", {"exclude": "score"}),
        (ex.InvalidOptionError, "rules", {"rules": "nonsense"}),
        (ex.InvalidOptionError, "direction", {"direction": "sideways"}),
        (ex.InvalidOptionError, "phase", {"phases": {"late": 4000}}),
        (ex.InvalidOptionError, "phases", {"phases": [24]}),
        (ex.InvalidOptionError, "phases", {"phases": [9, 9]}),
        (ex.InvalidOptionError, "phases", {"phases": {"late": "2026-01-01"}}),
        (ex.InvalidOptionError, "baseline", {"baseline": 0}),
        (ex.InvalidOptionError, "baseline", {"baseline": (9, 3)}),
        (ex.InvalidOptionError, "baseline", {"baseline": 2.5}),
        (ex.InvalidOptionError, "aggregate", {"aggregate": "mode"}),
        (ex.ColumnClashError, "rename", {"by": ["phase"]}),
    ],
)
def test_errors_teach(kind, needle, arguments):
    frame = SERIES.with_columns(phase=pl.lit("a"))
    with pytest.raises(kind, match=needle) as caught:
        bs.run_chart(frame, **{"value": "score", "time": "week", **arguments})
    assert isinstance(caught.value, bs.BrightspotError)
    assert not str(caught.value).startswith("'")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("frame", [3, "score", [1, 2], None, object()])
def test_what_is_no_frame_is_said_to_be_none(frame):
    with pytest.raises(ex.ColumnTypeError, match="data frame"):
        bs.run_chart(frame, value="score", time="week")


@pytest.mark.parametrize(
    "frame",
    [
        SERIES.clear(),
        SERIES.head(1),
        SERIES.with_columns(score=pl.lit(None, pl.Float64)),
        SERIES.with_columns(score=pl.lit(None)),
        SERIES.with_columns(score=pl.lit(5.0)),
        SERIES.with_columns(score=pl.lit(float("inf"))),
        SERIES.with_columns(week=pl.lit(None, pl.Int64)),
        SERIES.with_columns(pl.col("score").cast(pl.Decimal(10, 2))),
        SERIES.with_columns(pl.col("score").cast(pl.Int128)),
    ],
    ids=["no rows", "one row", "all null", "null type", "constant", "infinite", "no times", "decimal", "wide"],
)
def test_poor_frames_give_results_not_crashes(frame):
    chart = bs.run_chart(frame, value="score", time="week", by=["plc"])
    assert chart.points.height <= WEEKS
    assert not chart.summary["has_signal"].any() or frame["score"].dtype in (pl.Decimal, pl.Int128)
    assert isinstance(chart._repr_html_(), str)


def test_a_result_shows_itself():
    chart = bs.run_chart(STEP, value="score", time="day", baseline=12)
    shown = chart._repr_html_()
    assert "towards improvement" in shown
    assert "median of 11" in shown
    assert repr(chart) == "RunChart(1 run chart, 24 points, 1 signal)"
