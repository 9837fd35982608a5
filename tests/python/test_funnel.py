"""Funnel charts through Python: FunnelPlotR's numbers, units added up, names only on the good side."""

from __future__ import annotations

import json

import polars as pl
import pytest

import brightspot as bs
from brightspot import exceptions as ex

SCHOOLS = pl.DataFrame(
    {"school": list("ABCDEF"), "passed": [40, 45, 58, 30, 70, 61], "pupils": [80, 88, 62, 75, 140, 120]}
)


def funnel(frame: object = SCHOOLS, **arguments: object) -> bs.Funnel:
    return bs.funnel(frame, value="passed", size="pupils", unit="school", **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("case", "kind", "trim"),
    [
        ("funnel_star_pass_PR", "proportion", "winsorise"),
        ("funnel_mmmec_SR_CQC", "ratio", "winsorise"),
        ("funnel_mmmec_SR_SHMI", "ratio_log", "truncate"),
    ],
)
def test_funnelplotr_is_reproduced(reference, case, kind, trim):
    folder = reference / "bright-spots"
    expected = json.loads((folder / f"{case}.json").read_text())
    table = pl.read_csv(folder / f"{case}.csv")
    # The raw rows: of the proportion one per pupil, which are added up.
    rows = pl.read_csv(folder / "data" / f"{case}.csv")
    found = bs.funnel(rows, value="numerator", size="denominator", unit="group", kind=kind, trim=trim)
    assert found.phi == pytest.approx(expected["phi"], rel=1e-12)
    assert found.tau2 == pytest.approx(expected["tau2"], rel=1e-12)
    assert found.target == pytest.approx(expected["target"] if kind == "proportion" else 1, rel=1e-12)
    joined = found.units.join(table, on="group")
    assert joined.height == table.height
    assert joined["z_adjusted"].to_list() == pytest.approx(joined["od_z"].to_list(), rel=1e-10)


def test_every_frame_gives_the_same(convert):
    assert funnel(convert(SCHOOLS)).units.equals(funnel().units)


def test_columns_are_named_for_their_levels():
    found = funnel(levels=[0.9, 0.995])
    assert found.level_names == ("90", "99_5")
    assert {"lo_90", "hi_90", "is_outside_90", "lo_99_5", "is_outside_99_5"} <= set(found.units.columns)
    assert found.limits.columns == ["size", "lo_90", "hi_90", "lo_99_5", "hi_99_5"]
    assert funnel(levels=0.8).levels == (0.8,)


def test_pupils_add_up_to_units():
    pupils = pl.DataFrame(
        {
            "school": [s for s, n in SCHOOLS.select("school", "pupils").iter_rows() for _ in range(n)],
            "passed": [int(i < k) for k, n in SCHOOLS.select("passed", "pupils").iter_rows() for i in range(n)],
        }
    )
    found = bs.funnel(pupils, value="passed", unit="school")
    assert found.units.drop("n_rows").equals(funnel().units.drop("n_rows"))
    assert found.units["n_rows"].to_list() == SCHOOLS["pupils"].to_list()


def test_means_of_pupils_and_means_that_were_made_before():
    pupils = bs.datasets.star().filter(gr="K").drop_nulls("math")
    raw = bs.funnel(pupils, value="math", unit="sch", kind="mean")
    made = pupils.group_by("sch").agg(mean=pl.col("math").mean(), n=pl.len(), sd=pl.col("math").std())
    again = bs.funnel(made, value="mean", size="n", sd="sd", unit="sch", kind="mean")
    assert again.phi == pytest.approx(raw.phi, rel=1e-9)
    assert again.units["z_adjusted"].to_list() == pytest.approx(raw.units["z_adjusted"].to_list(), rel=1e-9)


def test_what_is_left_out_is_counted():
    holes = pl.concat(
        [
            SCHOOLS.cast({"passed": pl.Float64, "pupils": pl.Float64}),
            pl.DataFrame({"school": ["G", "H"], "passed": [None, 3.0], "pupils": [10.0, 0.0]}),
        ]
    )
    found = funnel(holes)
    assert found.units.equals(funnel().units)
    assert {(note.code, note.count) for note in found.notes} >= {("rows_left_out", 1), ("no_size", 1)}


def test_errors_say_what_to_do():
    with pytest.raises(ex.InvalidValueError, match='"C"'):
        funnel(SCHOOLS.with_columns(passed=pl.when(pl.col("school") == "C").then(63).otherwise("passed")))
    with pytest.raises(ex.InvalidOptionError, match="levels"):
        funnel(levels=[95])
    with pytest.raises(ex.InvalidOptionError, match="kind"):
        funnel(kind="rate")
    with pytest.raises(ex.InvalidOptionError, match="sd"):
        funnel(kind="mean")
    with pytest.raises(ex.InvalidOptionError, match="size"):
        bs.funnel(SCHOOLS, value="passed", unit="school", kind="ratio")
    with pytest.raises(ex.InvalidOptionError, match="direction"):
        funnel(direction="left")
    with pytest.raises(ex.ColumnMissingError):
        bs.funnel(SCHOOLS, value="pased", size="pupils", unit="school")


def names(picture: object) -> list[str]:
    rows = picture.to_dict()["data"]["values"]  # type: ignore[attr-defined]
    return [row["name"] for row in rows if "name" in row]


def test_only_the_good_side_is_named():
    wide = pl.DataFrame(
        {
            "school": [f"S{i}" for i in range(40)],
            "passed": [50] * 38 + [5, 95],
            "pupils": [100] * 40,
        }
    )
    assert names(funnel(wide, overdispersion=None).plot()) == ["S39"]
    assert names(funnel(wide, overdispersion=None, direction="down").plot()) == ["S38"]
    assert names(funnel(wide, overdispersion=None, direction="neutral").plot()) == []
    assert "S38" not in json.dumps(funnel(wide, overdispersion=None).plot().to_dict())


def test_two_thousand_units_can_be_drawn():
    many = pl.DataFrame(
        {
            "school": [f"school {i}" for i in range(2000)],
            "passed": [(i * 37) % (20 + i % 300) for i in range(2000)],
            "pupils": [20 + i % 300 for i in range(2000)],
        }
    )
    spec = funnel(many).plot(title="Two thousand").to_dict()
    assert sum(row["mark"] == "unit" for row in spec["data"]["values"]) == 2000
