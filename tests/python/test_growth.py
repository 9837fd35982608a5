"""Growth percentiles through Python: quantreg's numbers, a table that survives, errors that teach."""

from __future__ import annotations

import copy
import json

import polars as pl
import pytest

import brightspot as bs
from brightspot import exceptions as ex


@pytest.fixture(scope="module")
def pupils() -> pl.DataFrame:
    star = bs.datasets.star()
    return star.filter(gr="1").join(star.filter(gr="K").select("id", start="math"), on="id").head(900)


@pytest.fixture(scope="module")
def growth(pupils) -> bs.Growth:
    return bs.growth_percentiles(pupils, outcome="math", priors="start", unit="tch")


def test_quantreg_is_reproduced(reference):
    folder = reference / "bright-spots"
    rows = pl.read_csv(folder / "sgp_star_math_1prior.csv")
    golden = json.loads((folder / "sgp_star_math_1prior.json").read_text())
    found = bs.growth_percentiles(rows, outcome="y", priors="prior1", unit="tch", min_n=1)
    losses = [quantile["check_loss"] for quantile in found.model.quantiles]
    assert losses == pytest.approx(golden["check_loss"], rel=1e-9)
    gaps = (found.students["percentile"] - rows["sgp"]).abs()
    assert (gaps == 0).mean() > 0.9
    assert gaps.max() <= 5
    theirs = pl.read_csv(folder / "sgp_star_math_1prior.tch.csv")
    joined = found.units.join(theirs, on="tch", suffix="_theirs")
    assert joined["n"].to_list() == joined["n_theirs"].to_list()
    assert (joined["median_percentile"] - joined["mgp_median"]).abs().max() <= 3


def test_every_row_keeps_its_place(pupils, growth):
    assert growth.students["math"].equals(pupils["math"])
    placed = growth.students.drop_nulls("percentile")
    assert placed["percentile"].is_between(1, 99).all()
    n_missing = pupils.select(pl.any_horizontal(pl.col("math", "start").is_null())).sum().item()
    assert growth.students["percentile"].null_count() == n_missing
    counted = {note.code: note.count for note in growth.notes}
    assert counted.get("rows_left_out", 0) == n_missing


def test_small_units_have_no_median(growth):
    small = growth.units.filter(pl.col("n") < 10)
    assert small.height > 0
    assert small["median_percentile"].null_count() == small.height
    assert growth.units["tch"].to_list() == sorted(growth.units["tch"].to_list())


def test_a_table_that_was_kept_places_the_same(pupils, growth):
    model = bs.GrowthModel.from_json(growth.model.to_json())
    assert model == growth.model
    again = bs.growth_percentiles(pupils, outcome="math", priors="start", unit="tch", model=model)
    assert again.students.equals(growth.students)
    new = bs.growth_percentiles(
        {"start": [500.0, 9999.0], "math": [100.0, 900.0]}, outcome="math", priors="start", model=model
    )
    assert new.students["percentile"].to_list() == [1, 99]
    assert "outside_boundaries" in {note.code for note in new.notes}


def test_knots_can_be_given(pupils):
    found = bs.growth_percentiles(
        pupils, outcome="math", priors="start", knots=[[480.0, 520.0]], boundaries=[(200.0, 800.0)]
    )
    assert found.model.priors[0] == {"name": "start", "knots": [480.0, 520.0], "boundaries": [200.0, 800.0]}
    assert len(found.model.quantiles[0]["coefficients"]) == 6


def test_errors_say_what_to_do(pupils, growth):
    with pytest.raises(ex.TooFewError, match="students"):
        bs.growth_percentiles(pupils.head(20), outcome="math", priors="start")
    with pytest.raises(ex.TooFewError, match="there are 0"):
        bs.growth_percentiles(pupils.with_columns(start=pl.lit(None, dtype=pl.Float64)), outcome="math", priors="start")
    with pytest.raises(ex.InvalidOptionError, match="knots"):
        bs.growth_percentiles(pupils, outcome="math", priors="start", knots=[[520.0, 480.0]])
    with pytest.raises(ex.InvalidOptionError, match="as in the model"):
        bs.growth_percentiles(pupils, outcome="math", priors="read", model=growth.model)
    with pytest.raises(ex.InvalidOptionError, match="unit"):
        bs.growth_percentiles(pupils, outcome="math", priors="start").plot()
    with pytest.raises(ex.InvalidRecordError, match="GrowthModel"):
        bs.GrowthModel.from_dict({"outcome": "math"})


def test_the_picture_names_no_bottom(growth):
    spec = growth.plot().to_dict()
    rows = spec["data"]["values"]
    assert all(row["value"] > 40 for row in rows if "name" in row)
    assert any(row["mark"] == "unit" for row in rows)


@pytest.mark.parametrize(
    ("where", "damage"),
    [
        ("quantiles.7.coefficients", lambda table: table["quantiles"][7]["coefficients"].__setitem__(0, float("inf"))),
        ("quantiles.7.coefficients", lambda table: table["quantiles"][7]["coefficients"].pop()),
        ("quantiles", lambda table: table["quantiles"].pop()),
        ("quantiles.1.tau", lambda table: table["quantiles"].reverse()),
        ("priors.0.knots", lambda table: table["priors"][0]["knots"].reverse()),
    ],
)
def test_a_damaged_table_places_nobody(pupils, growth, where, damage):
    table = copy.deepcopy(growth.model.to_dict())
    damage(table)
    model = bs.GrowthModel.from_dict(table)
    with pytest.raises(ex.InvalidRecordError, match=where):
        bs.growth_percentiles(pupils, outcome="math", priors="start", model=model)
    with pytest.raises(ex.InvalidRecordError, match="no JSON"):
        bs.GrowthModel.from_json("a table")
    with pytest.raises(ex.InvalidRecordError, match="GrowthModel"):
        bs.GrowthModel.from_dict(5)
