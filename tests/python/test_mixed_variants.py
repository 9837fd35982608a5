"""Slopes that differ, passes and counts, and covariates measured with error, through the public surface."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest

import brightspot as bs

DATA = Path(__file__).parents[1] / "data" / "glmer"


def golden(case: str) -> list[dict[str, str]]:
    """What lme4 says of a case."""
    with (DATA / "lme4.csv").open() as file:
        return [row for row in csv.DictReader(file) if row["case"] == case]


def value(rows: list[dict[str, str]], kind: str, name: str = "") -> float:
    return next(float(row["value"]) for row in rows if row["kind"] == kind and name in row["name"])


def read(name: str) -> pl.DataFrame:
    return pl.read_csv(DATA / f"{name}.csv")


def codes(model: bs.MixedModel) -> set[str]:
    return {note.code for note in model.notes}


@pytest.mark.parametrize(
    ("case", "arguments"),
    [
        ("passed", {"outcome": "passed", "fixed": ["prior", "frl"], "random": "teacher", "family": "binomial"}),
        (
            "present",
            {"outcome": "present", "fixed": "prior", "random": "school/teacher", "family": "binomial", "size": "days"},
        ),
        (
            "referrals",
            {"outcome": "referrals", "fixed": "level", "random": "school", "family": "poisson", "exposure": "weeks"},
        ),
        ("late", {"outcome": "late", "fixed": "x", "random": "district/school/class", "family": "poisson"}),
    ],
)
def test_passes_and_counts_are_lme4s(case: str, arguments: dict[str, object]) -> None:
    model = bs.mixed_model(read(case), **arguments)  # pyright: ignore[reportArgumentType]
    rows = golden(case)
    assert model.criterion == pytest.approx(value(rows, "criterion"), abs=1e-6)
    for term, estimate, se in model.fixed.iter_rows():
        found = next(row for row in rows if row["kind"] == "fixed" and row["name"] == term)
        assert estimate == pytest.approx(float(found["value"]), abs=1e-5)
        assert se == pytest.approx(float(found["sd"]), rel=5e-3)
    # lme4 has the innermost factor first.
    thetas = [float(row["value"]) for row in rows if row["kind"] == "theta"]
    assert sorted(model.theta) == pytest.approx(sorted(thetas), abs=1e-5)
    assert model.variance["factor"].to_list() == model.factors
    assert model.sigma == 1.0
    assert model.has_converged
    assert not model.is_singular
    again = model.at(model.theta)
    assert again.criterion == pytest.approx(model.criterion, abs=1e-7)


def test_effects_bear_their_labels() -> None:
    model = bs.mixed_model(read("present"), outcome="present", random="school/teacher", family="binomial", size="days")
    teachers = model.effects()
    assert teachers.columns[:4] == ["school", "teacher", "n", "effect"]
    assert teachers.columns[-1] == "reliability_overall"
    assert teachers.height == 60
    assert (teachers["sd"] >= teachers["sd_conditional"]).all()
    assert model.effects("school").height == 12
    assert model._repr_html_()
    assert "laplace" in model.summary.route


def test_a_boolean_outcome_is_a_pass() -> None:
    frame = read("passed").with_columns(pl.col("passed") == 1)
    model = bs.mixed_model(frame, outcome="passed", fixed=["prior", "frl"], random="teacher", family="binomial")
    assert model.criterion == pytest.approx(value(golden("passed"), "criterion"), abs=1e-6)


def test_no_difference_between_classes_is_said() -> None:
    model = bs.mixed_model(read("alike"), outcome="passed", fixed="x", random="class", family="binomial")
    assert model.is_singular
    assert model.theta == [0.0]
    assert [note.at for note in model.notes if note.code == "singular"] == ["class"]
    assert model.summary.boundary == ("class",)


@pytest.mark.parametrize(("case", "correlated"), [("slopes_three", True), ("slopes_apart", False)])
def test_slopes_are_lme4s(case: str, correlated: bool) -> None:
    frame = read("slopes").with_columns(cprior=pl.col("prior") - 500)
    model = bs.mixed_model(
        frame,
        outcome="math",
        fixed=["cprior", "hours", "sex"],
        slopes={"teacher": ["cprior", "hours"]},
        correlated=correlated,
    )
    rows = golden(case)
    assert model.criterion == pytest.approx(value(rows, "criterion"), abs=1e-6)
    assert model.sigma == pytest.approx(value(rows, "sigma"), rel=1e-5)
    assert model.factors == ["teacher"]
    assert len(model.theta) == (6 if correlated else 3)
    assert model.variance.columns == ["factor", "term", "variance", "sd", "correlation"]
    assert model.variance["factor"].to_list()[-1] == "residual"
    assert model.variance["correlation"].count() == (3 if correlated else 0)
    effects = model.effects()
    assert effects.columns == ["teacher", "term", "n", "effect", "sd_conditional", "sd", "reliability"]
    assert effects.height == 3 * 36
    assert model.at(model.theta).criterion == pytest.approx(model.criterion, abs=1e-7)
    assert "teacher" in repr(model)
    assert model._repr_html_()
    assert model.summary.route == "slopes"


def test_the_random_factor_may_be_named_too() -> None:
    frame = read("slopes")
    one = bs.mixed_model(frame, outcome="math", fixed="prior", random="teacher", slopes={"teacher": "prior"})
    other = bs.mixed_model(frame, outcome="math", fixed="prior", slopes={"teacher": "prior"})
    assert one.criterion == other.criterion


def test_reliability_lifts_the_slope() -> None:
    frame = read("slopes")
    plain = bs.mixed_model(frame, outcome="math", fixed=["prior", "sex"], random="teacher")
    same = bs.mixed_model(frame, outcome="math", fixed=["prior", "sex"], random="teacher", reliability={"prior": 1.0})
    lifted = bs.mixed_model(
        frame, outcome="math", fixed=["prior", "sex"], random="teacher", reliability={"prior": 0.85}
    )
    slope = {
        m: dict(zip(t.fixed["term"], t.fixed["estimate"], strict=True))["prior"]
        for m, t in {"plain": plain, "same": same, "lifted": lifted}.items()
    }
    assert slope["same"] == pytest.approx(slope["plain"], rel=1e-6)
    assert same.criterion == pytest.approx(plain.criterion, abs=1e-6)
    assert slope["lifted"] == pytest.approx(slope["plain"] / 0.85, rel=0.05)
    assert lifted.variance["factor"].to_list() == ["teacher", "residual"]
    assert lifted.effects().columns == plain.effects().columns
    # Beside a covariate that says nearly the same there is little left that could be noise.
    twin = frame.with_columns(also=pl.col("prior") + pl.col("hours"))
    with pytest.raises(bs.BrightspotError, match="above"):
        bs.mixed_model(twin, outcome="math", fixed=["prior", "also"], random="teacher", reliability={"prior": 0.8})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"random": "teacher", "family": "normal"}, "family"),
        ({"random": "teacher", "size": "hours"}, "size"),
        ({"random": "teacher", "family": "binomial", "exposure": "hours"}, "exposure"),
        ({"random": "teacher", "family": "binomial", "slopes": {"teacher": "hours"}}, "slopes"),
        ({"random": "teacher", "family": "binomial", "reliability": {"hours": 0.8}}, "reliability"),
        ({"slopes": {"teacher": "hours"}, "reliability": {"hours": 0.8}}, "reliability"),
        ({"slopes": {"teacher": "hours", "sex": "hours"}}, "one factor"),
        ({"random": ["sex"], "slopes": {"teacher": "hours"}}, "random"),
        ({"random": "teacher", "slopes": {"teacher": "hours"}, "weights": "hours"}, "weights"),
        ({"random": ["teacher", "sex"], "family": "poisson"}, "nested"),
        ({"slopes": {"teacher": "sex"}}, "numbers"),
        ({"slopes": "hours"}, "slopes"),
        ({"random": "teacher", "reliability": {"hours": "high"}}, "reliability"),
        ({"random": "teacher", "reliability": {"hours": 1.5}, "fixed": "hours"}, "at most 1"),
        ({"random": "teacher", "reliability": {"sex": 0.9}, "fixed": "sex"}, "numeric"),
    ],
)
def test_what_cannot_be_is_an_error_that_says_so(arguments: dict[str, object], message: str) -> None:
    frame = read("slopes").with_columns(math=pl.col("math").round(0).cast(pl.Int64))
    with pytest.raises(bs.BrightspotError, match=message):
        bs.mixed_model(frame, outcome="math", **arguments)  # pyright: ignore[reportArgumentType]


def test_outcomes_that_are_no_counts_are_errors() -> None:
    frame = read("passed")
    with pytest.raises(bs.BrightspotError, match="in row"):
        bs.mixed_model(frame, outcome="prior", random="teacher", family="binomial")
    with pytest.raises(bs.BrightspotError, match="0 in every row"):
        bs.mixed_model(frame.with_columns(passed=0), outcome="passed", random="teacher", family="binomial")


def test_rows_without_a_size_are_left_out_and_counted() -> None:
    frame = read("present").with_columns(days=pl.when(pl.int_range(pl.len()) < 3).then(None).otherwise("days"))
    model = bs.mixed_model(frame, outcome="present", random="school", family="binomial", size="days")
    assert model.n_obs == frame.height - 3
    assert [(note.at, note.count) for note in model.notes if note.code == "rows_left_out"] == [("days", 3)]
