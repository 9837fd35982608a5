"""From rooms to practices through Python: what is planted is named, honestly worded, and handed on with its origin."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from causal import CAUSAL
from polars.testing import assert_frame_equal

import brightspot as bs
from brightspot import exceptions as ex

FINDINGS = {"suspected", "one_period", "not_distinguishable", "insufficient"}


def search(seed: int = 1) -> tuple[bs.datasets.District, bs.BrightSpots]:
    district = bs.datasets.district(seed=seed)
    spots = bs.bright_spots(
        district.scores,
        outcome="spring",
        unit="teacher_id",
        within="school_id",
        adjust=["prior", "frl", "el"],
        period="year",
    )
    return district, spots


DISTRICT, SPOTS = search()
FOUND = bs.practices(SPOTS, DISTRICT.practices, use="is_used")


def codes(found: bs.Practices) -> dict[str, int]:
    return {note.code: note.count for note in found.notes}


def row(found: bs.Practices, practice: str) -> dict[str, Any]:
    return found.table.row(by_predicate=pl.col("practice") == practice, named=True)


def test_what_was_planted_is_named_and_nothing_else():
    planted = DISTRICT.truth.practices.filter("is_planted")["practice"].to_list()
    assert FOUND.candidates["practice"].to_list() == planted
    assert FOUND.false_share is not None
    assert FOUND.false_share <= 0.10
    assert FOUND.table["practice"].is_sorted(), "no ranking"
    assert set(FOUND.table["finding"]) <= FINDINGS
    assert FOUND.table.schema["inseparable_from"] == pl.List(pl.String)
    for name in planted:
        assert row(FOUND, name)["share_bright"] > row(FOUND, name)["share_typical"]
    assert FOUND.by_period.height == 40
    assert set(FOUND.by_period["period"]) == {"2024", "2025"}


def test_estimate_and_error_are_those_of_the_mixed_model():
    """The same model on the rows of the teachers whose use is known."""
    use = DISTRICT.practices.filter(pl.col("practice") == "cold call", pl.col("is_used").is_not_null())
    rows = DISTRICT.scores.join(use.select("teacher_id", used=pl.col("is_used").cast(pl.Float64)), on="teacher_id")
    rows = rows.with_columns(pl.col("year").cast(pl.String))
    model = bs.mixed_model(
        rows,
        outcome="spring",
        fixed=["prior", "frl", "el", "year", "used"],
        random=["school_id/teacher_id/year"],
    )
    term = model.fixed.row(by_predicate=pl.col("term") == "used", named=True)
    found = row(FOUND, "cold call")
    assert found["estimate"] == pytest.approx(term["estimate"], abs=1e-7)
    assert found["se"] == pytest.approx(term["se"], abs=1e-7)
    assert found["n_users"] + found["n_others"] == use.height


def test_not_known_is_not_unused():
    assert codes(FOUND)["unknown_use"] > 0
    known = DISTRICT.practices.filter(pl.col("is_used").is_not_null())
    # The table holds every unit of the search, and what no row says is not known.
    dropped = bs.practices(SPOTS, known, use="is_used")
    assert_frame_equal(dropped.table, FOUND.table)
    # A list of uses alone takes what is not listed as not used, and says so.
    listed = bs.practices(SPOTS, DISTRICT.practices.filter("is_used"))
    assert "unlisted_not_used" in codes(listed)
    assert row(listed, "cold call")["n_others"] > row(FOUND, "cold call")["n_others"]
    assert row(listed, "cold call")["n_users"] == row(FOUND, "cold call")["n_users"]


@pytest.mark.parametrize(
    "said",
    [
        pl.col("is_used"),
        pl.col("is_used").cast(pl.Int8),
        pl.col("is_used").cast(pl.Float64).fill_null(float("nan")),
        pl.when("is_used").then(pl.lit("Yes")).otherwise(pl.lit("no")),
    ],
    ids=["boolean", "whole", "float", "text"],
)
def test_a_column_of_yes_and_no_that_is_not_named_is_pointed_out(said: pl.Expr):
    """Every row would count as a use, those that say no as well."""
    rows = DISTRICT.practices.select("teacher_id", "practice", seen=said)
    with pytest.raises(ex.BrightspotError, match="every row would count as a use") as caught:
        bs.practices(SPOTS, rows)
    assert 'use="seen"' in str(caught.value)
    # What says yes everywhere changes nothing, and what is dropped is not asked about.
    uses = DISTRICT.practices.filter("is_used").select("teacher_id", "practice")
    listed = bs.practices(SPOTS, uses)
    yes = uses.with_columns(seen=pl.lit(True), visit=pl.int_range(pl.len()), by=pl.lit("coach"), tags=pl.lit([["a"]]))
    assert_frame_equal(bs.practices(SPOTS, yes).table, listed.table)
    with pytest.raises(ex.BrightspotError, match="leave it out"):
        bs.practices(SPOTS, yes.with_columns(is_new=pl.int_range(pl.len()) % 2 == 0))


def test_fidelity_is_a_dose():
    found = bs.practices(SPOTS, DISTRICT.practices, fidelity="fidelity", use="is_used")
    assert 0.45 < row(found, "cold call")["mean_use"] < 1.0
    assert row(found, "cold call")["n_users"] == row(FOUND, "cold call")["n_users"]
    assert found.candidates["practice"].to_list() == FOUND.candidates["practice"].to_list()
    percents = DISTRICT.practices.with_columns(pl.col("fidelity") * 100)
    with pytest.raises(ex.BrightspotError, match="divide percentages by 100"):
        bs.practices(SPOTS, percents, fidelity="fidelity", use="is_used")


def test_repeats_and_contradictions():
    twice = pl.concat([DISTRICT.practices, DISTRICT.practices])
    again = bs.practices(SPOTS, twice, use="is_used")
    assert_frame_equal(again.table, FOUND.table)
    assert codes(again)["repeated_uses"] == DISTRICT.practices.height - 0
    turned = pl.concat([DISTRICT.practices, DISTRICT.practices.with_columns(is_used=~pl.col("is_used"))])
    with pytest.raises(ex.BrightspotError, match="differ") as caught:
        bs.practices(SPOTS, turned, use="is_used")
    assert 'combine="any"' in str(caught.value)
    averaged = bs.practices(SPOTS, turned, use="is_used", combine="mean")
    assert set(averaged.table["finding"]) == {"insufficient"}, "everybody uses half of everything"


def test_units_that_were_not_searched_are_counted_and_none_at_all_is_an_error():
    extra = pl.DataFrame({"teacher_id": ["X1", "X2"], "practice": ["cold call"] * 2, "is_used": [True] * 2})
    uses = pl.concat([DISTRICT.practices.select(extra.columns), extra])
    found = bs.practices(SPOTS, uses, use="is_used")
    assert codes(found)["unmatched_units"] == 2
    assert_frame_equal(found.table, FOUND.table)
    with pytest.raises(ex.BrightspotError, match="none that was searched"):
        bs.practices(SPOTS, extra, use="is_used")


def test_names_that_several_groups_have_need_the_group():
    rows = [
        {"school": school, "teacher": f"T{teacher}", "score": float((school * 7 + teacher * 3 + pupil * 5) % 23)}
        for school in range(6)
        for teacher in range(4)
        for pupil in range(12)
    ]
    spots = bs.bright_spots(pl.DataFrame(rows), outcome="score", unit="teacher", within="school")
    uses = pl.DataFrame(rows).select("school", "teacher").unique(maintain_order=True)
    uses = uses.with_columns(practice=pl.lit("p"), seen=pl.col("teacher").is_in(["T1", "T2"]))
    found = bs.practices(spots, uses, use="seen")
    assert row(found, "p")["n_users"] == 12
    assert row(found, "p")["n_groups_both"] == 6
    with pytest.raises(ex.BrightspotError, match="several groups have"):
        bs.practices(spots, uses.drop("school"), use="seen")
    # Other names of columns, numbers for yes and no, any frame.
    renamed = uses.select("school", who="teacher", what="practice", seen=pl.col("seen").cast(pl.Int8))
    again = bs.practices(spots, renamed.to_dict(as_series=False), unit="who", practice="what", use="seen")
    assert_frame_equal(again.table, found.table)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"fdr": 0.0}, "fdr"),
        ({"min_units": 1}, "min_units"),
        ({"combine": "sum"}, "combine"),
        ({"use": "is_usd"}, "is_used"),
        ({"use": "practice"}, "true and false"),
        ({"practice": "nothing"}, "nothing"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: dict[str, Any], part: str):
    with pytest.raises(ex.BrightspotError, match=part):
        bs.practices(SPOTS, DISTRICT.practices, **{"use": "is_used", **arguments})
    with pytest.raises(ex.BrightspotError, match="bright_spots"):
        bs.practices(DISTRICT.practices, DISTRICT.practices)  # pyright: ignore[reportArgumentType]


def test_no_word_says_that_a_practice_is_the_cause():
    told = [*FOUND.sentences(), *(note.message for note in FOUND.notes), *bs.practices.__doc__.split("\n\n")[:2]]
    none = bs.practices(SPOTS, DISTRICT.practices.filter(practice="cold call"), use="is_used")
    told += none.sentences()
    for sentence in told:
        assert not CAUSAL.search(sentence), sentence
    assert any("hypothes" in sentence for sentence in FOUND.sentences())
    assert "No practice stands out" in none.sentences()[1]
    html = FOUND._repr_html_()
    assert "retrieval practice" in html
    assert repr(FOUND) == "Practices(20 practices, 2 to test)"


def test_a_practice_is_handed_on_with_its_origin():
    practice = FOUND.suspect("retrieval practice", what="Questions from last week.")
    assert isinstance(practice, bs.Practice)
    origin, seen = practice.origin, row(FOUND, "retrieval practice")
    assert (origin.kind, origin.outcome, origin.finding) == ("data", "spring", "suspected")
    assert (origin.n_users, origin.estimate, origin.q_value) == (seen["n_users"], seen["estimate"], seen["q_value"])
    assert origin.adjusted_for == ("prior", "frl", "el")
    assert bs.practice_state(practice, as_of="2026-11-02").state == "suspected"
    assert bs.Practice.from_dict(practice.to_dict()) == practice
    # People may suspect what the data do not show: the record says so.
    assert FOUND.suspect("cold call").origin.finding == "not_distinguishable"
    with pytest.raises(ex.InvalidOptionError, match="cold cal"):
        FOUND.suspect("cold cal")


def test_the_picture_ranks_nothing_and_says_its_numbers():
    picture = FOUND.plot(title="Practices").to_dict()
    text = str(picture)
    assert "hypotheses to test" in text
    assert "retrieval practice" in picture["description"]
    # With too few users nothing is drawn but the words.
    few = DISTRICT.practices.filter(pl.col("practice").is_in(["cold call", "do now"])).with_columns(
        is_used=pl.when(practice="do now").then(False).otherwise("is_used")
    )
    found = bs.practices(SPOTS, few, use="is_used")
    assert row(found, "do now")["finding"] == "insufficient"
    assert row(found, "do now")["estimate"] is None
    assert "too few to say" in str(found.plot().to_dict())
