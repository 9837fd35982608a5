"""The data that come with the package: one real data set, one district whose truths are known."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import brightspot as bs
from brightspot import exceptions as ex


@pytest.fixture(scope="module")
def district() -> bs.datasets.District:
    return bs.datasets.district(seed=1)


def test_star_is_typed_and_whole():
    star = bs.datasets.star()
    assert star.shape == (26_796, 18)
    assert star.schema["id"] == star.schema["tch"] == star.schema["sch"] == pl.String
    assert star.schema["math"].is_numeric()
    assert (star["tch"].n_unique(), star["sch"].n_unique()) == (1387, 80)
    # Missing values are nulls, not empty text.
    assert not [name for name in star.columns if star.schema[name] == pl.String and (star[name] == "").any()]
    for grade, n_rows in (("K", 5871), ("1", 6600)):
        assert star.filter(pl.col("math").is_not_null(), gr=grade).height == n_rows
    assert_frame_equal(star, bs.datasets.star())


def test_the_same_seed_gives_the_same_district(district):
    again, other = bs.datasets.district(seed=1), bs.datasets.district(seed=2)
    for name, table in district.tables.items():
        assert_frame_equal(table, again.tables[name])
    assert not district.scores.equals(other.scores)
    assert bs.datasets.district().seed == 1


def test_the_tables_hang_together(district):
    units, teachers = district.units, district.teachers
    schools, teams = units.filter(kind="school")["unit_id"], units.filter(kind="plc")["unit_id"]
    assert (schools.len(), teams.len(), teachers.height) == (12, 60, 300)
    assert set(units["parent_id"].drop_nulls()) <= set(units["unit_id"])
    assert teachers["teacher_id"].is_unique().all()
    assert set(teachers["plc_id"]) == set(teams)
    for table in (district.scores, district.exit_tickets, district.fluency, district.process):
        assert set(table["teacher_id"]) <= set(teachers["teacher_id"])
    for table in (district.attendance, district.incidents):
        assert set(table["school_id"]) == set(schools)
    scores = district.scores
    assert scores.group_by("student_id", "year").len()["len"].max() == 1
    assert 0.005 < scores["prior"].null_count() / scores.height < 0.05
    assert scores["spring"].null_count() == 0
    assert (district.process["n_used"] <= district.process["n_lessons"]).all()
    assert (district.attendance["days_absent"] <= district.attendance["days_enrolled"]).all()
    assert district.attendance["week"].dt.weekday().unique().to_list() == [1]


def test_the_truths_are_what_was_planted(district):
    teachers, series = district.truth.teachers, district.truth.series
    assert teachers["teacher_id"].to_list() == district.teachers["teacher_id"].to_list()
    assert teachers["kind"].value_counts().sort("kind").rows() == [("bright", 15), ("one_year", 1), ("ordinary", 284)]
    assert teachers.filter("is_planted")["true_effect"].min() > teachers["true_effect"].quantile(0.9)
    assert teachers["spike"].drop_nulls().len() == 1
    shifts = series.filter("has_shift")
    assert shifts["size"].abs().min() > 0
    assert shifts["shift_at"].null_count() == 0
    still = series.filter(~pl.col("has_shift"))
    assert still["size"].unique().to_list() == [0.0]
    assert still["direction"].unique().to_list() == ["none"]
    assert set(series["unit_id"]) <= set(district.units["unit_id"])


def test_the_planted_practices_go_with_what_teachers_add(district):
    uses, truth = district.practices, district.truth.practices
    assert sorted(uses["practice"].unique()) == truth["practice"].to_list()
    assert truth.filter("is_planted")["practice"].to_list() == ["retrieval practice", "worked examples"]
    assert not uses.select("teacher_id", "practice").is_duplicated().any()
    n_visited = uses["teacher_id"].n_unique()
    assert 260 < n_visited < 300, "some teachers were never visited"
    assert uses.height == 20 * n_visited
    assert 0.03 < uses["is_used"].null_count() / uses.height < 0.09
    assert uses.filter(pl.col("is_used"))["fidelity"].is_between(0.45, 1.0).all()
    assert (
        uses.filter(~pl.col("is_used").fill_null(value=False))["fidelity"].null_count()
        == uses.height - uses["is_used"].sum()
    )
    added = (
        uses.join(district.truth.teachers, on="teacher_id")
        .group_by("practice")
        .agg(
            gap=pl.col("true_effect_sd").filter(pl.col("is_used")).mean()
            - pl.col("true_effect_sd").filter(~pl.col("is_used")).mean()
        )
    )
    gaps = dict(added.rows())
    assert min(gaps["retrieval practice"], gaps["worked examples"]) > 0.05
    others = [gap for name, gap in gaps.items() if name not in ("retrieval practice", "worked examples")]
    assert max(abs(gap) for gap in others) < 0.07, "chance alone"


def test_the_planted_shift_is_in_the_data(district):
    tickets = district.exit_tickets.group_by("plc_id", after=pl.col("date") >= date(2026, 10, 26)).agg(
        pl.col("score").mean()
    )
    change = {
        team: tickets.filter(plc_id=team, after=True)["score"].item()
        - tickets.filter(plc_id=team, after=False)["score"].item()
        for team in tickets["plc_id"].unique()
    }
    truth = dict(district.truth.series.filter(series="exit_tickets").select("unit_id", "size").rows())
    assert set(change) == set(truth)
    for team, size in truth.items():
        # A team's mean errs by some 0.6 points: deviations of 1.5 on 12 and 16 dates, correlated.
        assert change[team] == pytest.approx(size, abs=2.0)


def test_absence_shifts_where_it_was_planted(district):
    charts = bs.run_chart(
        district.attendance, value="days_absent", size="days_enrolled", time="week", by="school_id", direction="down"
    )
    truth = district.truth.series.filter(series="attendance")
    signal = dict(charts.summary.select("school_id", "has_signal").rows())
    planted = truth.filter("has_shift")["unit_id"].to_list()
    assert len(planted) == 3
    assert all(signal[school] for school in planted)
    still = [school for school in signal if school not in planted]
    assert sum(signal[school] for school in still) <= len(still) / 3


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "1", None, True])
def test_a_seed_that_is_none(seed):
    with pytest.raises(ex.InvalidOptionError, match="seed"):
        bs.datasets.district(seed=seed)


def test_the_largest_seed():
    assert bs.datasets.district(seed=2**64 - 1).teachers.height == 300


def test_a_district_shows_itself(district):
    assert repr(district).startswith("District(seed=1)\n")
    shown = district._repr_html_()
    for name in district.tables:
        assert name in repr(district)
        assert name in shown
    assert "every name and number is made up" in shown
