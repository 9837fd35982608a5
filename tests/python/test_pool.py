"""Pooling over sites through Python: metafor's numbers, findings, errors that teach."""

from __future__ import annotations

import json

import altair as alt
import polars as pl
import pytest

import brightspot as bs
from brightspot import exceptions as ex

TRIES = pl.DataFrame(
    {
        "school": ["A", "B", "C", "D", "E", "F"],
        "gain": [4.1, 2.2, 5.0, 3.1, 3.8, 2.9],
        "variance": [1.2, 0.8, 1.5, 0.9, 1.1, 1.0],
        "grade": [3, 3, 3, 4, 4, 5],
    }
)


def pool(frame: object = TRIES, **arguments: object) -> bs.Pool:
    return bs.pool(frame, effect="gain", variance="variance", **arguments)  # type: ignore[arg-type]


def test_metafor_is_reproduced(reference):
    folder = reference / "bright-spots"
    golden = json.loads((folder / "meta_bcg.json").read_text())
    frame = pl.read_csv(folder / "data" / "meta_bcg.csv")
    for method in ("dl", "pm", "he", "ml", "reml", "hs", "sj", "eb"):
        expected = golden[f"{method.upper()}_knha"]
        found = bs.pool(
            frame, effect="yi", variance="vi", site="site", method=method, interval="hksj_plain", prediction="plugin"
        )
        for name, theirs in (
            *(("estimate", "estimate"), ("se", "se"), ("lo", "ci_lb"), ("hi", "ci_ub"), ("tau2", "tau2"), ("q", "QE")),
            *(("prediction_lo", "pi_lb"), ("prediction_hi", "pi_ub"), ("p_value", "pval"), ("h2", "H2")),
        ):
            assert getattr(found, name) == pytest.approx(expected[theirs], rel=1e-8), (method, name)
        assert 100 * found.i2 == pytest.approx(expected["I2"], rel=1e-8)


def test_every_frame_gives_the_same(convert):
    found = pool(convert(TRIES), site="school")
    assert found.estimate == pytest.approx(pool().estimate)
    assert found.sites["school"].to_list() == list("ABCDEF")


def test_sites_and_what_they_weigh():
    found = pool(site="school")
    assert found.sites["weight"].sum() == pytest.approx(1)
    without = pool(TRIES.slice(1))
    assert found.sites["estimate_without"][0] == pytest.approx(without.estimate)
    low, high = sorted([found.sites["effect"][0], found.estimate])
    assert low <= found.sites["shrunken"][0] <= high
    assert pool().sites["row"].to_list() == [1, 2, 3, 4, 5, 6]


def test_several_rows_of_a_site_become_one():
    twice = pl.concat([TRIES, TRIES])
    for correlation, factor in ((0.0, 0.5), (1.0, 1.0), (0.5, 0.75)):
        found = pool(twice, site="school", correlation=correlation)
        assert found.sites["variance"].to_list() == pytest.approx([v * factor for v in TRIES["variance"]])
        assert found.sites["n_rows"].to_list() == [2] * 6
        note = next(note for note in found.notes if note.code == "collapsed_rows")
        assert (note.count, note.value) == (12, correlation)
    assert pool(twice, site="school", correlation=1.0).estimate == pytest.approx(pool().estimate)


def test_few_sites_are_shown():
    for n, finding in ((1, "one_site"), (2, "two_sites")):
        found = pool(TRIES.head(n))
        assert (found.finding, found.estimate, found.prediction_lo) == (finding, None, None)
        assert found.sites.height == n
        assert found.sites["weight"].null_count() == n
        assert [note.code for note in found.notes] == ["too_few_sites"]
        assert isinstance(found.plot(), alt.LayerChart)
        assert "not pooled" in found._repr_html_() or n == 1


def test_findings_and_their_words():
    assert pool().finding == "likely_to_help"
    assert pool(direction="down").finding == "likely_to_harm"
    none = pool(TRIES.with_columns(gain=pl.Series([1.0, -1, 0.5, -0.5, 0.2, -0.3])))
    assert none.finding == "not_distinguishable"
    assert none.sentences()[0] == "On average no effect that can be told from chance."
    assert pool(method="ee").prediction_lo is None
    assert "equal_effects_assumed" in {note.code for note in pool(method="ee").notes}


def test_subgroups_are_exploratory():
    found = pool(by="grade")
    assert found.groups["grade"].to_list() == [3, 4, 5]
    assert found.groups["n_sites"].to_list() == [3, 2, 1]
    assert found.groups["finding"].to_list()[1:] == ["two_sites", "one_site"]
    assert found.groups["estimate"].to_list()[0] == pytest.approx(pool(TRIES.head(3)).estimate)
    assert found.groups["estimate"].to_list()[1:] == [None, None]
    assert "exploratory_subgroups" in {note.code for note in found.notes}
    assert found.estimate == pytest.approx(pool().estimate)


def test_missing_values_are_left_out_and_counted():
    holes = TRIES.with_columns(gain=pl.when(pl.col("school") == "B").then(None).otherwise("gain"))
    found = pool(holes, site="school")
    assert found.estimate == pytest.approx(pool(TRIES.filter(pl.col("school") != "B")).estimate)
    assert [(note.code, note.count) for note in found.notes if note.code == "rows_left_out"] == [("rows_left_out", 1)]


def test_errors_say_what_to_do():
    with pytest.raises(ex.InvalidValueError, match="positive"):
        pool(TRIES.with_columns(variance=pl.lit(0.0)))
    with pytest.raises(ex.InvalidOptionError, match="reml"):
        pool(method="best")
    with pytest.raises(ex.InvalidOptionError, match="level"):
        pool(level=95)
    with pytest.raises(ex.InvalidOptionError, match="direction"):
        pool(direction="sideways")
    with pytest.raises(ex.InvalidOptionError, match="correlation"):
        pool(site="school", correlation=2)
    with pytest.raises(ex.ColumnMissingError):
        bs.pool(TRIES, effect="gian", variance="variance")
    with pytest.raises(ex.TooFewError):
        pool(TRIES.clear())
    with pytest.raises(ex.ColumnClashError):
        pool(TRIES.rename({"school": "effect"}), site="effect")


def test_the_forest_has_every_site_and_says_so():
    picture = pool(site="school").plot(title="Number talks")
    spec = picture.to_dict()
    rows = spec["data"]["values"]
    assert [row["name"] for row in rows if row["mark"] == "site"] == list("ABCDEF")
    assert {"whole", "new", "zero"} <= {row["mark"] for row in rows}
    assert "Likely to help" in spec["description"]
    many = pl.DataFrame({"gain": [0.1 * i for i in range(300)], "variance": [1.0] * 300})
    crowded = pool(many).plot().to_dict()
    assert not [row for row in crowded["data"]["values"] if row["mark"] == "site" and "name" in row]
