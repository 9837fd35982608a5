"""Control charts through Python: what arrives, what is refused, what the tables hold."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import brightspot as bs
from brightspot import exceptions as ex

RNG = np.random.default_rng(7)
WEEKS = 30
VALUES = pl.DataFrame({"week": range(1, WEEKS + 1), "score": RNG.normal(60, 4, WEEKS).round(1)})
COUNTS = pl.DataFrame(
    {
        "week": range(1, WEEKS + 1),
        "absent": RNG.binomial(120, 0.1, WEEKS),
        "enrolled": RNG.integers(110, 131, WEEKS),
    }
)
ROOMS = pl.DataFrame(
    {"week": np.repeat(np.arange(1, 21), 5), "score": RNG.normal(60, 4, 100), "room": list("abcde") * 20}
)
KINDS = ["i", "mr", "ip", "xbar", "r", "s", "p", "pp", "u", "up", "c", "np", "g", "t", "ewma", "cusum"]
SIZED = {"ip", "p", "pp", "u", "up", "np"}
POINTS = ["time", "value", "center", "lcl", "ucl", "phase", "is_baseline", "is_excluded", "signals", "meaning"]
SUMMARY = [
    "phase", "n_obs", "n_useful", "n_baseline", "center", "sigma", "dispersion", "longest_run", "longest_run_max",
    "n_crossings", "n_crossings_min", "prob_runs", "prob_basis", "n_beyond_limits", "prob_beyond", "has_signal",
    "signals", "meaning", "prob_false_signal", "variation", "assurance",
]  # fmt: skip


def codes(chart: bs.Chart) -> dict[str, int]:
    return {note.code: note.count for note in chart.notes}


def draw(kind: str, frame: pl.DataFrame | None = None, **options) -> bs.ControlChart:
    """A chart of this kind, of data that suit it."""
    if kind in {"xbar", "r", "s"}:
        data, columns = ROOMS, {"value": "score"}
    elif kind in SIZED:
        data, columns = COUNTS, {"value": "absent", "size": "enrolled"}
    elif kind in {"c", "g"}:
        data, columns = COUNTS, {"value": "absent"}
    else:
        data, columns = VALUES, {"value": "score"}
    return bs.control_chart(data if frame is None else frame, kind=kind, time="week", **columns, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_the_columns_of_the_contract(kind):
    chart = draw(kind)
    assert [column for column in chart.points.columns if column in POINTS] == POINTS
    assert chart.summary.columns == SUMMARY
    assert chart.points["value"].null_count() <= 1
    assert chart.points["ucl"].null_count() <= 1
    row = chart.summary.row(0, named=True)
    assert row["center"] is not None
    assert row["n_beyond_limits"] is not None
    assert 0 <= row["prob_false_signal"] < 0.6


@pytest.mark.parametrize("kind", KINDS)
def test_points_after_the_baseline_never_move_the_limits(kind):
    whole = draw(kind, baseline=12)
    data = ROOMS if kind in {"xbar", "r", "s"} else COUNTS if kind in SIZED or kind in {"c", "g"} else VALUES
    column = "score" if "score" in data.columns else "absent"
    moved = data.with_columns(
        pl.when(pl.col("week") > 12).then(pl.col(column) + (30 if column == "score" else 15)).otherwise(pl.col(column))
        .alias(column)
    )  # fmt: skip
    later = draw(kind, moved, baseline=12)
    columns = ["center", "lcl", "ucl"]
    assert_frame_equal(whole.points.select(columns), later.points.select(columns))


@pytest.mark.parametrize("kind", ["i", "pp", "xbar", "u"])
def test_groups_together_are_the_groups_apart(kind):
    frames = {
        name: (ROOMS if kind == "xbar" else COUNTS if kind in SIZED else VALUES).sample(
            fraction=0.8, seed=place, shuffle=True
        )
        for place, name in enumerate("abc")
    }
    long = pl.concat([frame.with_columns(school=pl.lit(name)) for name, frame in frames.items()]).sample(
        fraction=1.0, shuffle=True, seed=3
    )
    together = draw(kind, long, by="school")
    for name, frame in frames.items():
        alone = draw(kind, frame)
        some = together.points.filter(school=name).drop("school")
        assert_frame_equal(some, alone.points)
    assert together.summary["q_value"].null_count() == 0


def test_subgroups_arrive_as_rows_or_summarised():
    rows = draw("xbar")
    summarised = ROOMS.group_by("week").agg(mean=pl.col("score").mean(), n=pl.len(), sd=pl.col("score").std())
    same = bs.control_chart(summarised, kind="xbar", value="mean", size="n", spread="sd", time="week")
    assert_frame_equal(rows.points, same.points, check_dtypes=False)
    assert rows.points["n"].to_list() == [5.0] * 20


def test_rows_of_zero_and_one_are_a_proportion():
    rows = pl.DataFrame({"week": np.repeat(np.arange(12), 40), "late": RNG.binomial(1, 0.2, 480)})
    chart = bs.control_chart(rows, kind="p", value="late", time="week")
    assert chart.points["denominator"].to_list() == [40.0] * 12
    summed = rows.group_by("week").agg(late=pl.col("late").sum(), n=pl.len())
    assert_frame_equal(chart.points, bs.control_chart(summed, kind="p", value="late", size="n", time="week").points)


def test_counts_that_cannot_be_are_refused_with_where_they_are():
    over = COUNTS.with_columns(absent=pl.when(pl.col("week") == 4).then(200).otherwise("absent"))
    with pytest.raises(ex.InvalidValueError, match=r"1 above their denominator \(the first is 200 of \d+, at 4\)"):
        draw("p", over)
    assert draw("u", over).points.height == WEEKS
    below = COUNTS.with_columns(absent=pl.when(pl.col("week") == 4).then(-3).otherwise("absent"))
    for kind in ("p", "u", "c", "g"):
        with pytest.raises(ex.InvalidValueError, match=r"below zero \(the first is -3, at 4\)"):
            draw(kind, below)


def test_what_is_odd_is_counted():
    zero = COUNTS.with_columns(enrolled=pl.when(pl.col("week") == 2).then(0).otherwise("enrolled"))
    chart = draw("p", zero)
    assert codes(chart)["invalid_denominator"] == 1
    assert chart.points.filter(time=2)["value"].item() is None
    half = COUNTS.with_columns(absent=pl.col("absent") + 0.5)
    assert codes(draw("c", half))["fractional_count"] == WEEKS
    percent = VALUES.with_columns(score=pl.when(pl.col("week") < 5).then(0.9 + pl.col("week") / 100).otherwise(93.5))
    assert codes(draw("i", percent))["mixed_scales"] == 1


def test_constant_values_have_limits_of_no_width_and_say_so():
    chart = draw("i", VALUES.with_columns(score=5.0))
    row = chart.points.row(0, named=True)
    assert (row["lcl"], row["center"], row["ucl"]) == (5.0, 5.0, 5.0)
    assert codes(chart)["constant_series"] == 1
    assert not chart.summary["has_signal"].item()


def test_a_known_centre_and_sigma_replace_what_would_be_estimated():
    chart = draw("i", center=60, sigma=4)
    assert chart.points.row(0, named=True)["ucl"] == pytest.approx(72)
    own = draw("i", lcl=50, ucl=70)
    assert own.points["ucl"].to_list() == [70.0] * WEEKS
    assert own.summary["prob_false_signal"].item() is None
    by_column = pl.concat(
        [VALUES.with_columns(school=pl.lit(n), norm=pl.lit(float(c))) for n, c in (("a", 60), ("b", 55))]
    )
    both = draw("i", by_column, by="school", center="norm")
    assert both.summary["center"].to_list() == [60.0, 55.0]
    with pytest.raises(ex.InvalidValueError, match="within one phase"):
        draw("i", by_column.filter(school="a").with_columns(norm=pl.col("week").cast(pl.Float64)), center="norm")


def test_signal_meaning_and_assurance_are_three_answers():
    high = VALUES.with_columns(score=pl.when(pl.col("week") == WEEKS).then(90.0).otherwise("score"))
    chart = draw("i", high, target=70.0)
    row = chart.summary.row(0, named=True)
    assert (row["meaning"], row["variation"], row["assurance"]) == ("improvement", "improvement_high", "inconsistent")
    worse = draw("i", high, target=70.0, direction="down").summary.row(0, named=True)
    assert (worse["meaning"], worse["variation"]) == ("deterioration", "concern_high")
    assert draw("i", high, target=20.0).summary["assurance"].item() == "passing"
    assert draw("i", high, target=200.0).summary["assurance"].item() == "failing"
    assert chart.signals.select("signal", "n_points", "first", "last", "meaning").rows() == [
        ("beyond_limits", 1, WEEKS, WEEKS, "improvement")
    ]
    assert 0.05 < chart.signals["prob_false_signal"].item() < 0.1


def test_rule_sets_are_data():
    sets = bs.rule_sets()
    assert {"anhoej", "best_box", "cut_box", "ihi", "nhs", "shewhart", "western_electric", "nelson"} <= set(sets)
    for name, rules in sets.items():
        if name in {"shewhart", "nhs", "western_electric", "nelson"}:
            named, given = draw("i", rules=name), draw("i", rules=rules)
            assert_frame_equal(named.points, given.points)
    both = draw("i", rules=["shewhart", "anhoej"])
    assert both.summary["longest_run_max"].item() is not None
    for wrong in ("westinghouse", {"name": "mine", "rules": [{"rule": "shift", "lenght": 8}]}, []):
        with pytest.raises(ex.BrightspotError):
            draw("i", rules=wrong)
    with pytest.raises(ex.InvalidOptionError, match="no limits"):
        bs.run_chart(VALUES, value="score", time="week", rules="nelson")


def test_rule_sets_cry_wolf_as_often_as_stated():
    rates = bs.false_signals(n=[36]).filter(signal="any")
    found = {row["rules"]: row["prob_false_signal"] for row in rates.iter_rows(named=True)}
    assert found["anhoej"] == pytest.approx(0.0425, abs=5e-4)
    assert found["ihi"] == pytest.approx(0.56, abs=0.015)
    assert found["shewhart"] == pytest.approx(0.087, abs=0.01)
    assert found["western_electric"] == pytest.approx(0.246, abs=0.015)


def test_thousand_stable_charts_raise_no_alarm_by_their_q_values():
    frame = pl.DataFrame(
        {
            "unit": np.repeat(np.arange(1000), 36),
            "week": np.tile(np.arange(36), 1000),
            "score": np.random.default_rng(3).normal(size=36_000),
        }
    )
    chart = bs.control_chart(frame, kind="i", value="score", time="week", by="unit", rules="nhs")
    assert 230 < chart.summary["has_signal"].sum() < 350
    assert (chart.summary["q_value"] < 0.05).sum() <= 2
    assert "many_charts" in codes(chart)
    shifted = frame.with_columns(
        score=pl.col("score") + pl.when((pl.col("unit") < 50) & (pl.col("week") >= 18)).then(4.0).otherwise(0.0)
    )
    found = bs.control_chart(shifted, kind="i", value="score", time="week", by="unit").summary
    hits = found.filter(pl.col("q_value") < 0.05)["unit"]
    assert (hits < 50).sum() >= 40
    assert (hits >= 50).sum() <= 6


def test_overdispersed_counts_say_so_and_laney_helps():
    rng = np.random.default_rng(5)
    n = np.full(40, 20_000)
    frame = pl.DataFrame({"week": range(40), "absent": rng.binomial(n, rng.normal(0.06, 0.006, 40)), "enrolled": n})
    plain, laney = draw("p", frame), draw("pp", frame)
    assert "overdispersion" in codes(plain)
    assert "overdispersion" not in codes(laney)
    assert plain.summary["n_beyond_limits"].item() > 8 > laney.summary["n_beyond_limits"].item()
    assert "overdispersion" not in codes(draw("p"))


def test_a_short_frozen_baseline_is_noted_with_its_rate_or_allowed_for():
    chart = draw("i", VALUES.head(24), baseline=12)
    note = next(note for note in chart.notes if note.code == "estimated_limits")
    assert 0.12 < note.value < 0.20
    wide = draw("i", VALUES.head(24), baseline=12, allow_for="baseline")
    assert "estimated_limits" not in codes(wide)
    width = [c.points["ucl"][20] - c.points["center"][20] for c in (chart, wide)]
    assert width[1] > 1.2 * width[0]
    assert chart.points["ucl"][5] == wide.points["ucl"][5]


def test_contrast_follows_the_kind():
    shifted = COUNTS.with_columns(absent=pl.when(pl.col("week") > 15).then(pl.col("absent") // 2).otherwise("absent"))
    table = draw("p", shifted, phases={"calls": 16}).contrast().table
    row = table.row(0, named=True)
    assert (row["from_phase"], row["to_phase"], row["shape"]) == ("before", "calls", "proportion")
    assert row["lo"] < row["estimate"] < row["hi"] < 0
    rate = draw("u", shifted, phases={"calls": 16}).contrast().table.row(0, named=True)
    assert rate["shape"] == "rate"
    assert rate["hi"] < 1
    frozen = draw("i", baseline=12).contrast().table.row(0, named=True)
    assert frozen["shape"] == "mean"
    assert frozen["n_before"] == 12
    run = bs.run_chart(VALUES, value="score", time="week", phases=15).contrast()
    assert run.table["shape"].to_list() == ["median"]
    few = bs.run_chart(VALUES.head(4), value="score", time="week", phases=2).contrast()
    assert few.table["estimate"].to_list() == [None]
    assert any(note.code == "too_few_points" for note in few.notes)
    with pytest.raises(ex.InvalidOptionError, match="tutoring"):
        draw("i", phases=15).contrast(before="1", after="tutoring")


def test_phases_are_proposed_and_never_applied():
    step = VALUES.with_columns(score=pl.col("score") + pl.when(pl.col("week") > 16).then(14).otherwise(0))
    chart = draw("i", step)
    proposals = chart.propose_phases()
    row = proposals.table.row(0, named=True)
    assert proposals.table.height == 1
    assert row["from"] <= row["starts"] <= row["to"]
    assert abs(row["starts"] - 17) <= 1
    assert row["after"] - row["before"] == pytest.approx(14, abs=4)
    assert row["lcl_after"] > row["before"]
    assert chart.points["phase"].unique().to_list() == ["1"]
    assert draw("i").propose_phases().table.is_empty()
    accepted = draw("i", step, phases={"new room": row["starts"]})
    last = accepted.points.row(-1, named=True)
    assert (last["lcl"], last["ucl"]) == pytest.approx((row["lcl_after"], row["ucl_after"]))
    assert {"time", "decision", "p"} <= set(proposals.log.columns)


def test_dates_and_windows():
    days = VALUES.with_columns(day=pl.lit(date(2026, 1, 5)) + pl.duration(days=7) * (pl.col("week") - 1))
    chart = bs.control_chart(
        days, kind="i", value="score", time="day", baseline=(date(2026, 1, 5), date(2026, 1, 5) + timedelta(weeks=11))
    )
    assert chart.summary["n_baseline"].item() == 12
    with pytest.raises(ex.InvalidOptionError, match="between the first time"):
        bs.control_chart(days, kind="i", value="score", time="day", phases={"x": date(2031, 1, 1)})


@pytest.mark.parametrize(
    ("kind", "options", "match"),
    [
        ("p", {"spread": "score"}, "spread"),
        ("c", {"size": "week"}, "size"),
        ("i", {"weight": 0.3}, "weight"),
        ("i", {"sigmas": math.nan}, "sigmas"),
        ("g", {"allow_for": "baseline"}, "no normal law"),
        ("p", {"convention": "nhs"}, "convention"),
        ("x", {}, "kind"),
    ],
)
def test_options_that_do_not_fit_are_refused(kind, options, match):
    frame = VALUES.join(COUNTS, on="week")
    with pytest.raises(ex.InvalidOptionError, match=match):
        bs.control_chart(frame, kind=kind, value="absent", time="week", **options)


def test_conventions_reproduce_other_tools():
    spike = VALUES.with_columns(score=pl.when(pl.col("week") == 10).then(120.0).otherwise("score"))
    exact, theirs, nhs = (draw("i", spike, convention=c).points["ucl"][0] for c in ("exact", "qicharts2", "nhs"))
    assert theirs < exact
    assert nhs == pytest.approx(theirs, rel=2e-3)
    assert draw("i", spike, screening="once").points["ucl"][0] == pytest.approx(theirs, rel=2e-3)
