"""Bright spots through Python: nobody without an effect, the planted ones at the stated price, honest words."""

from __future__ import annotations

import random
from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import brightspot as bs
from brightspot import exceptions as ex

FINDINGS = {"bright", "promising", "one_period", "not_distinguishable", "suppressed"}
ASKED = {"outcome": "math", "unit": "teacher", "within": "school", "adjust": "prior"}


def classes(bright: str = "007", lift: float = 8.0) -> pl.DataFrame:
    """Ten schools of six teachers, 25 students each; one teacher far ahead."""
    draw = random.Random(3)
    rows = []
    for k in range(60):
        own = lift if f"{k:03d}" == bright else draw.gauss(0, 1)
        for student in range(25):
            prior = draw.gauss(0, 5)
            rows.append(
                {
                    "teacher": f"{k:03d}",
                    "school": f"S{k // 6}",
                    "year": 2024 + student % 2,
                    "prior": prior,
                    "math": 50 + prior + own + draw.gauss(0, 4),
                }
            )
    return pl.DataFrame(rows)


CLASSES = classes()


@pytest.fixture(scope="module")
def spots() -> bs.BrightSpots:
    return bs.bright_spots(CLASSES, **ASKED)


def codes(found: bs.BrightSpots) -> dict[str, int]:
    return {note.code: note.count for note in found.notes}


def star(grade: str) -> pl.DataFrame:
    """Pupils of one grade with a score; the teachers of a school share one pool of pupils."""
    return bs.datasets.star().filter(pl.col("math").is_not_null(), gr=grade)


@pytest.mark.parametrize("grade", ["K", "1"])
def test_pupils_shuffled_among_teachers_flag_nobody(grade):
    pupils = star(grade)
    arguments = {"outcome": "math", "unit": "tch", "adjust": "cltype"}
    assert bs.bright_spots(pupils, within="sch", **arguments).candidates.height > 10, "there is something to lose"
    within, overall = 0, 0
    for seed in range(30):
        inside = pupils.with_columns(pl.col("tch").shuffle(seed).over("sch"))
        within += bs.bright_spots(inside, within="sch", **arguments).candidates.height
        anywhere = bs.bright_spots(pupils.with_columns(pl.col("tch").shuffle(seed)), **arguments)
        overall += anywhere.candidates.height + anywhere.candidates_overall.height
    assert within / 30 <= 0.5
    assert overall / 30 <= 0.5


DISTRICTS = 40


@pytest.fixture(scope="module")
def planted() -> pl.DataFrame:
    """Every unit of many districts, with what is true about it."""
    tables = []
    for seed in range(1, DISTRICTS + 1):
        district = bs.datasets.district(seed=seed)
        found = bs.bright_spots(
            district.scores,
            outcome="spring",
            unit="teacher_id",
            within="school_id",
            adjust=["prior", "frl", "el"],
            period="year",
        )
        stated = pl.lit(found.false_share).alias("stated")
        tables.append(
            found.units.join(district.truth.teachers, on="teacher_id", validate="1:1").with_columns(
                stated, is_false=pl.col("true_effect") <= found.threshold
            )
        )
    return pl.concat(tables)


def test_planted_teachers_are_found(planted):
    bright = planted.filter("is_planted")
    assert bright.height == 15 * DISTRICTS
    assert bright["is_candidate"].mean() >= 0.85
    # Left out one year at a time, they still stand out.
    assert (bright.filter("is_candidate")["finding"] == "bright").mean() >= 0.95


def test_the_realised_false_share_is_the_stated_one(planted):
    found = planted.filter("is_candidate")
    # Two standard errors of a share among that many candidates.
    tolerance = 2 * (0.10 * 0.90 / found.height) ** 0.5
    assert found["is_false"].mean() <= 0.10 + tolerance, "the rate that was asked for"
    # The one teacher in each district with a single great year is a trap: no model of what lasts knows of it. For all
    # others the share that the result itself states is right, within two standard errors and a point for the law of
    # the planted effects, which is not normal.
    ordinary = found.filter(pl.col("kind") != "one_year")
    stated = (1 - ordinary["prob_exceeds"]).mean()
    tolerance = 0.01 + 2 * (stated * (1 - stated) / ordinary.height) ** 0.5
    assert ordinary["is_false"].mean() <= stated + tolerance


def test_intervals_hold_the_truth_of_candidates_too(planted):
    def covered(units: pl.DataFrame) -> float:
        return units.select(pl.col("true_effect").is_between("lo", "hi").mean()).item()

    candidates = planted.filter("is_candidate")
    assert 0.935 < covered(planted) < 0.965
    # Two standard errors among 800.
    assert 0.93 < covered(candidates) < 0.97
    # Who stands out is shrunk too far by a normal law of effects.
    normal = (candidates["true_effect"] - candidates["effect"]).abs() <= 1.96 * candidates["sd"]
    assert normal.mean() < 0.85


def test_one_great_year_is_told_from_lasting(planted):
    trapped = planted.filter((pl.col("prob_exceeds") >= 0.8) & pl.col("is_in_fdr_set"), kind="one_year")
    assert trapped.height > 0
    assert (trapped["finding"] == "one_period").mean() > 0.75
    assert not planted.filter(finding="one_period")["is_candidate"].any()
    bright = planted.filter(finding="bright")
    assert bright["is_false"].mean() <= 0.10


def test_ids_and_periods_that_are_no_number_are_missing():
    numbered = CLASSES.with_columns(pl.col("teacher").cast(pl.Float64), pl.col("year").cast(pl.Float64))
    whole = bs.bright_spots(numbered, **ASKED)
    first = pl.int_range(pl.len()) < 25
    for column in ("teacher", "year"):
        holed = numbered.with_columns(pl.when(first).then(float("nan")).otherwise(pl.col(column)).alias(column))
        asked = {**ASKED, "period": "year"}
        found = bs.bright_spots(holed, **asked)
        assert codes(found)["rows_left_out"] == 25
        assert found.units.height == whole.units.height - 1
        assert not found.units["teacher"].is_nan().any()


def test_columns_are_the_contract(spots):
    answers = [
        "prob_exceeds", "expected_percentile", "q_value", "prob_top", "effect_triple_goal", "prob_without_best",
        "prob_persists", "prob_above_peers",
    ]  # fmt: skip
    assert spots.units.columns == [
        "school", "teacher", "n", "n_periods", "raw",
        "effect", "sd", "reliability", "lo", "hi",
        "effect_overall", "sd_overall", "reliability_overall", "lo_overall", "hi_overall",
        *(name for answer in answers for name in (answer, f"{answer}_overall")),
        "n_matched", "has_min_n", "has_peers", "is_in_fdr_set", "has_prob", "is_consistent", "is_reliable",
        "is_persistent", "is_above_peers", "is_named_by_peers", "are_guards_kept",
        "is_candidate", "is_candidate_overall",
        "finding", "finding_overall",
    ]  # fmt: skip
    assert spots.candidates.columns == spots.units.columns
    assert spots.typical.columns == ["school", "teacher", "n", "matched_to"]
    assert set(spots.units["finding"]) <= FINDINGS
    assert spots.units.height == 60
    for name in ("prob_exceeds", "expected_percentile", "reliability"):
        assert spots.units[name].is_between(0, 1).all()


def test_intervals_follow_the_law_that_the_units_show(spots):
    # One teacher of sixty far ahead of all others: no normal law of effects has such a one.
    assert "effects_not_normal" in codes(spots)
    far = spots.units.row(by_predicate=pl.col("teacher") == "007", named=True)
    assert far["lo"] > far["effect"] - 1.96 * far["sd"]
    assert far["hi"] > far["effect"] + 1.96 * far["sd"]
    # Without that teacher they are those of normal effects, to the digit.
    others = bs.bright_spots(CLASSES.filter(pl.col("teacher") != "007"), **ASKED)
    assert "effects_not_normal" not in codes(others)
    half = 1.959964 * others.units["sd"]
    assert ((others.units["hi"] - others.units["effect"]) / half - 1).abs().max() < 1e-6
    assert ((others.units["effect"] - others.units["lo"]) / half - 1).abs().max() < 1e-6


def test_each_question_notes_its_own_law_of_effects():
    # Teachers differ normally within schools; every eighth school lies far below all others.
    draw = random.Random(11)
    rows = [
        {"teacher": f"{school}-{k}", "school": school, "math": around + own + draw.gauss(0, 1)}
        for school in range(60)
        for around in [-2.0 if school % 8 == 0 else draw.gauss(0, 0.1)]
        for k in range(3)
        for own in [draw.gauss(0, 0.3)]
        for _ in range(20)
    ]
    found = bs.bright_spots(pl.DataFrame(rows), outcome="math", unit="teacher", within="school")
    told = {(note.code, note.at) for note in found.notes}
    assert ("skewed_effects", "overall") in told
    assert ("effects_not_normal", "overall") in told
    assert not {code for code, at in told if at != "overall"} & {"skewed_effects", "effects_not_normal"}
    stands_out = found.units.filter("is_candidate_overall")
    assert found.false_share_overall == pytest.approx(2 * (1 - stands_out["prob_exceeds_overall"]).mean())
    half = 1.959964 * found.units["sd"]
    assert ((found.units["hi"] - found.units["effect"]) / half - 1).abs().max() < 1e-6


def test_the_planted_one_is_found(spots):
    candidates = spots.candidates
    assert "007" in candidates["teacher"].to_list()
    assert 0 < spots.false_share <= 0.10
    # The stated share is the mean doubt about the candidates.
    assert spots.false_share == pytest.approx((1 - candidates["prob_exceeds"]).mean())
    assert (candidates["prob_exceeds"] >= 0.80).all()
    # Names decide the order, not effects.
    assert candidates.select("school", "teacher").rows() == sorted(candidates.select("school", "teacher").rows())
    row = spots.units.row(by_predicate=pl.col("teacher") == "007", named=True)
    assert row["lo"] <= row["effect"] < row["hi"]
    assert row["raw"] == pytest.approx(CLASSES.filter(teacher="007")["math"].mean())
    assert row["finding"] == "promising"  # Without a period nothing is known about what lasts.


def test_ordinary_units_stand_beside_the_candidates(spots):
    typical = spots.typical
    assert set(typical["matched_to"]) <= set(spots.candidates["teacher"])
    assert not set(typical["teacher"]) & set(spots.candidates["teacher"])
    assert typical["teacher"].is_unique().all()
    middle = spots.units.join(typical, on=["school", "teacher"], how="semi")
    assert middle["expected_percentile"].is_between(0.35, 0.65).all()


def test_no_ranking_and_no_bottom_list(spots):
    assert not [name for name in spots.units.columns if "rank" in name]
    told = " ".join([*spots.sentences(), *(str(spots.explain(t)) for t in spots.units["teacher"])])
    for word in ("worst", "rank", "bottom", "weak", "caused", "because of"):
        assert word not in told.lower()


@pytest.mark.parametrize("period", [None, "year"])
def test_every_finding_is_explained(period):
    tiny = CLASSES.filter(teacher="012").head(4)
    frame = pl.concat([CLASSES, tiny.with_columns(teacher=pl.lit("tiny"))])
    # A single great year of an ordinary teacher.
    spike = pl.when((pl.col("teacher") == "031") & (pl.col("year") == 2025)).then(12.0).otherwise(0.0)
    found = bs.bright_spots(frame.with_columns(pl.col("math") + spike), period=period, **ASKED)
    seen = dict(found.units.select("teacher", "finding").rows())
    expected = {"promising", "not_distinguishable", "suppressed"}
    assert set(seen.values()) == (expected if period is None else expected - {"promising"} | {"bright", "one_period"})
    for teacher, finding in seen.items():
        told = found.explain(teacher)
        assert told.text.startswith(f"{teacher}: ")
        assert told.to_dict()["finding"] == finding
        assert str(told) == told.text
        assert told._repr_html_().startswith("<p>")
        trail = told.criteria
        assert trail.is_empty() == (finding == "suppressed")
        if finding in {"bright", "promising"}:
            assert trail.filter("is_gate")["is_met"].drop_nulls().all()
    assert "too few to judge" in found.explain("tiny").text
    assert found.explain("tiny").to_dict()["answer"] is None
    assert "do not tell it from ordinary units" in found.explain("012").text
    if period is not None:
        assert "still ahead whichever period is left out" in found.explain("007").text
        assert "not without its best period" in found.explain("031").text


def test_tiny_classes_never_enter():
    few = pl.DataFrame({"teacher": ["few"] * 9, "school": "S1", "year": 2024, "prior": 0.0, "math": 99.0})
    found = bs.bright_spots(pl.concat([CLASSES, few.cast({"year": pl.Int64})]), **ASKED)
    row = found.units.row(by_predicate=pl.col("teacher") == "few", named=True)
    assert (row["n"], row["finding"], row["finding_overall"]) == (9, "suppressed", "suppressed")
    assert (row["is_candidate"], row["is_candidate_overall"]) == (False, False)
    assert row["q_value"] is None
    assert codes(found)["small_units"] == 1
    assert "few" not in found.typical["teacher"].to_list()
    assert bs.bright_spots(CLASSES, min_n=26, **ASKED).units["finding"].unique().to_list() == ["suppressed"]


def test_every_kind_of_frame_gives_the_same(convert, spots):
    theirs = bs.bright_spots(convert(CLASSES), **ASKED)
    # Text comes back as whichever kind of text came in.
    assert_frame_equal(spots.units, theirs.units, check_dtypes=False)
    assert_frame_equal(spots.typical, theirs.typical, check_dtypes=False)
    assert (spots.false_share, spots.threshold) == (theirs.false_share, theirs.threshold)


def test_rows_in_any_order_give_the_same(spots):
    shuffled = bs.bright_spots(CLASSES.sample(fraction=1.0, shuffle=True, seed=5), **ASKED)
    assert_frame_equal(spots.units, shuffled.units, rel_tol=1e-4, abs_tol=1e-4)
    assert_frame_equal(spots.typical, shuffled.typical)


def test_scale_and_offset_decide_nothing(spots):
    moved = bs.bright_spots(CLASSES.with_columns(math=500 + 40 * pl.col("math"), prior=3 - pl.col("prior")), **ASKED)
    assert moved.threshold == pytest.approx(40 * spots.threshold)
    assert moved.candidates["teacher"].to_list() == spots.candidates["teacher"].to_list()
    assert moved.units["finding"].to_list() == spots.units["finding"].to_list()
    assert (moved.units["prob_exceeds"] - spots.units["prob_exceeds"]).abs().max() < 1e-4
    assert (moved.units["effect"] - 40 * spots.units["effect"]).abs().max() < 1e-2


NUMBERS = range(60)


@pytest.mark.parametrize(
    "ids",
    [
        pl.Series("id", [k + 1 for k in NUMBERS], dtype=pl.Int16),
        pl.Series("id", [2**63 + k for k in NUMBERS], dtype=pl.UInt64),
        pl.Series("id", [f"{k:05d}" for k in NUMBERS]),
        pl.Series("id", [f"t{k:02d}" for k in NUMBERS], dtype=pl.Categorical),
        pl.Series("id", [f"t{k:02d}" for k in NUMBERS], dtype=pl.Enum([f"t{k:02d}" for k in reversed(NUMBERS)])),
        pl.Series("id", [date(2026, 1 + k // 28, 1 + k % 28) for k in NUMBERS]),
    ],
    ids=lambda ids: str(ids.dtype).partition("(")[0],
)
def test_ids_keep_their_type_and_value(ids, spots):
    names = pl.DataFrame([CLASSES["teacher"].unique().sort(), ids])
    found = bs.bright_spots(CLASSES.join(names, on="teacher"), **{**ASKED, "unit": "id"})
    for table in (found.units, found.candidates, found.typical):
        assert table.schema["id"] == ids.dtype
    assert found.typical.schema["matched_to"] == ids.dtype
    assert sorted(map(str, found.units["id"])) == sorted(map(str, ids))
    planted = ids[7]
    assert planted in found.candidates["id"].to_list()
    assert found.explain(planted).to_dict()["finding"] == "promising"
    assert found.false_share == pytest.approx(spots.false_share)


def test_flags_are_ids_too():
    halves = CLASSES.with_columns(teacher=pl.col("teacher") < "030", school=pl.col("teacher").str.slice(2))
    found = bs.bright_spots(halves, **ASKED)
    assert found.explain(True, ["3"]).unit == "true"
    assert found.explain(False, "3").unit == "false"


def test_labels_that_repeat_from_school_to_school(spots):
    repeating = CLASSES.with_columns(teacher=pl.col("teacher").cast(pl.Int64) % 6)
    found = bs.bright_spots(repeating, **ASKED)
    assert found.units.height == 60
    assert found.candidates.select("school", "teacher").row(0) == ("S1", 1)
    assert found.false_share == pytest.approx(spots.false_share)
    with pytest.raises(ex.InvalidOptionError, match="give `within` too"):
        found.explain(1)
    assert "4.86" in found.explain(1, "S1").text
    assert found.explain(1, ["S2"]).text != found.explain(1, ["S1"]).text
    for unit, within in (("x", ()), (1, ["S77"]), (None, ())):
        with pytest.raises(ex.InvalidOptionError, match="one of the 60 units"):
            found.explain(unit, within)
    with pytest.raises(ex.InvalidOptionError, match="within"):
        found.explain(1, 3)


def test_without_groups_both_questions_are_one():
    found = bs.bright_spots(CLASSES, outcome="math", unit="teacher", adjust="prior")
    assert found.units["effect"].to_list() == pytest.approx(found.units["effect_overall"].to_list())
    assert_frame_equal(found.candidates, found.candidates_overall)


def test_nobody_stands_out():
    noise = CLASSES.with_columns(math=pl.int_range(pl.len()) * 7919 % 101)
    found = bs.bright_spots(noise, **ASKED)
    assert found.candidates.is_empty()
    assert found.candidates_overall.is_empty()
    assert found.typical.is_empty()
    assert found.false_share is None
    assert found.false_share_overall is None
    assert repr(found) == "BrightSpots(60 units, 0 candidates)"
    assert "0 candidates" in found._repr_html_()
    assert set(found.units["finding"]) == {"not_distinguishable"}


def test_the_threshold_is_stated(spots):
    # A tenth of the standard deviation within periods; without periods, of all.
    assert spots.threshold == pytest.approx(0.1 * CLASSES["math"].std())
    assert "default_threshold" in codes(spots)
    given = bs.bright_spots(CLASSES, threshold=2.0, **ASKED)
    assert given.threshold == 2.0
    assert "default_threshold" not in codes(given)
    assert given.units["prob_exceeds"].to_list() <= spots.units["prob_exceeds"].to_list()
    assert bs.bright_spots(CLASSES, threshold=50.0, **ASKED).candidates.is_empty()


def test_rows_that_lack_a_value_are_left_out_and_counted():
    holed = CLASSES.with_columns(
        math=pl.when(pl.int_range(pl.len()) % 10 == 0).then(None).otherwise("math"),
        prior=pl.when(pl.int_range(pl.len()) % 10 == 1).then(float("nan")).otherwise("prior"),
    )
    found = bs.bright_spots(holed, **ASKED)
    left_out = {note.at: note.count for note in found.notes if note.code == "rows_left_out"}
    assert left_out == {"math": 150, "prior": 150, "": 300}
    assert found.units["n"].sum() == 1200


def test_two_teachers_are_no_peers():
    pairs = CLASSES.filter(pl.col("teacher").cast(pl.Int64) % 6 < 2)
    found = bs.bright_spots(pairs, **ASKED)
    assert found.candidates.is_empty()
    assert found.units["q_value"].null_count() == 20
    assert found.units["q_value_overall"].null_count() == 0
    assert codes(found)["few_peers"] == 20
    assert "too few units to compare it with" in found.explain("007").text


@pytest.mark.parametrize(
    ("kind", "needle", "arguments"),
    [
        (ex.ColumnMissingError, 'did you mean "math"', {"outcome": "maths"}),
        (ex.ColumnMissingError, "room", {"unit": "room"}),
        (ex.ColumnMissingError, "campus", {"within": ["campus"]}),
        (ex.ColumnMissingError, "age", {"adjust": ["prior", "age"]}),
        (ex.ColumnMissingError, "term", {"period": "term"}),
        (ex.ColumnTypeError, "must hold numbers", {"outcome": "school"}),
        (ex.ColumnTypeError, "must be text", {"period": 3}),
        (ex.ColumnClashError, "rename", {"unit": "n"}),
        (ex.ColumnClashError, "rename", {"within": "finding"}),
        (ex.InvalidOptionError, "unit", {"unit": None}),
        (ex.InvalidOptionError, "within", {"within": None}),
        (ex.InvalidOptionError, "adjust", {"adjust": 3}),
        (ex.InvalidOptionError, "within = .*different columns", {"within": ["school", "school"]}),
        (ex.InvalidOptionError, "(unit|within) = .*different columns", {"unit": "school"}),
        (ex.InvalidOptionError, "threshold = -1", {"threshold": -1}),
        (ex.InvalidOptionError, "threshold = NaN", {"threshold": float("nan")}),
        (ex.InvalidOptionError, "fdr = 0 ", {"fdr": 0}),
        (ex.InvalidOptionError, "fdr = 1 ", {"fdr": 1}),
        (ex.InvalidOptionError, "min_prob", {"min_prob": 1.5}),
        (ex.InvalidOptionError, "min_n = 0", {"min_n": 0}),
        (ex.InvalidValueError, "among the covariates", {"adjust": "math"}),
        (ex.InvalidValueError, "the same for all rows of each teacher", {"outcome": "mean"}),
        (ex.ColumnTypeError, "different numbers written as text", {"adjust": "written"}),
        (ex.TooFewError, "2 rows", {"unit": "student"}),
    ],
)
def test_errors_teach(kind, needle, arguments):
    frame = CLASSES.with_columns(
        n=pl.lit("a"),
        finding=pl.lit("b"),
        student=pl.int_range(pl.len()),
        mean=pl.col("math").mean().over("teacher", "school"),
        written=pl.int_range(pl.len()).cast(pl.String),
    )
    with pytest.raises(kind, match=needle) as caught:
        bs.bright_spots(frame, **{**ASKED, **arguments})
    assert isinstance(caught.value, bs.BrightspotError)


@pytest.mark.parametrize(
    ("option", "value"), [("threshold", "big"), ("fdr", "x"), ("min_n", -1), ("min_n", 2.5), ("rows", 3)]
)
def test_errors_name_the_option_and_what_was_given(option, value):
    with pytest.raises(ex.InvalidOptionError) as caught:
        bs.bright_spots(CLASSES, **{**ASKED, option: value})
    message = str(caught.value)
    assert f"{option} = " in message
    assert "min_prob" not in message, "the other options are not to blame"
    assert "Error:" not in message


@pytest.mark.parametrize(
    "arguments",
    [{"adjust": "school"}, {"adjust": "teacher"}, {"period": "teacher"}, {"period": "school"}],
    ids=lambda arguments: " ".join(f"{name}={value}" for name, value in arguments.items()),
)
def test_a_column_plays_one_part(arguments):
    with pytest.raises(ex.InvalidOptionError, match=next(iter(arguments))):
        bs.bright_spots(CLASSES, **{**ASKED, **arguments})


@pytest.mark.parametrize(
    ("kind", "frame"),
    [
        (ex.TooFewError, CLASSES.clear()),
        (ex.TooFewError, CLASSES.head(2)),
        (ex.TooFewError, CLASSES.with_columns(math=pl.lit(None, pl.Float64))),
        (ex.TooFewError, CLASSES.with_columns(teacher=pl.lit(None, pl.String))),
        (ex.InvalidValueError, CLASSES.with_columns(math=pl.lit(5.0))),
    ],
    ids=["no rows", "two rows", "no outcome", "no unit", "constant"],
)
def test_frames_that_say_nothing(kind, frame):
    with pytest.raises(kind):
        bs.bright_spots(frame, **ASKED)


def test_one_unit_gives_a_result_not_a_crash():
    found = bs.bright_spots(CLASSES.filter(teacher="007"), **ASKED)
    assert found.candidates.is_empty()
    assert {"few_units", "few_peers"} <= set(codes(found))


def test_a_result_shows_itself(spots):
    assert repr(spots) == f"BrightSpots(60 units, {spots.candidates.height} candidates)"
    shown = spots._repr_html_()
    assert "to learn from, in no order" in shown
    assert "default_threshold" in shown
    assert spots.model["factors"] == ["school", "teacher"]
    assert spots.spec["unit"] == "teacher"


@pytest.fixture(scope="module")
def yearly() -> bs.BrightSpots:
    """Three years, a guard, and enough teachers for peers."""
    draw = random.Random(9)
    rows = [
        {
            "teacher": f"T{k:03d}",
            "year": year,
            "prior": (prior := draw.gauss(0, 5) + k % 7),
            "math": 50 + prior + (6.0 if k % 20 == 3 else 0.0) + draw.gauss(0, 4),
            "attendance": 90 + draw.gauss(0, 3) - (6.0 if k == 23 else 0.0),
        }
        for k in range(100)
        for year in (2023, 2024, 2025)
        for _ in range(15)
    ]
    return bs.bright_spots(
        pl.DataFrame(rows), outcome="math", unit="teacher", adjust="prior", period="year", guards={"attendance": 1.0}
    )


def test_a_guard_keeps_a_teacher_out(yearly):
    row = yearly.units.row(by_predicate=pl.col("teacher") == "T023", named=True)
    assert (row["guard_attendance"], row["are_guards_kept"], row["is_candidate"]) == ("harmed", False, False)
    assert row["prob_exceeds"] > 0.8
    assert yearly.candidates["teacher"].to_list() == ["T003", "T043", "T063", "T083"]
    assert (yearly.candidates["guard_attendance"] != "harmed").all()
    assert yearly.guards[0]["name"] == "attendance"
    assert yearly.guards[0]["margin"] == 1.0
    assert "a guard is not kept" in yearly.explain("T023").text


def test_what_lasts_is_stated(yearly):
    assert yearly.candidates["prob_persists"].min() > 0.9
    assert yearly.candidates["is_persistent"].all()
    lasting = yearly.persistence
    assert lasting is not None
    assert lasting["n_units"] == 100
    assert yearly.periods.columns == ["teacher", "year", "n", "effect", "sd", "prob_exceeds"]
    assert yearly.periods.height == 300


def test_peers_and_the_set_as_a_whole(yearly):
    peers = yearly.peers("T003")
    assert peers.columns == ["teacher", "n", "distance", "weight", "prior"]
    assert peers["distance"].is_sorted()
    assert peers["weight"].sum() == pytest.approx(1)
    row = yearly.units.row(by_predicate=pl.col("teacher") == "T003", named=True)
    assert row["n_matched"] == peers.height
    assert row["prob_above_peers"] > 0.95
    assert yearly.balance["condition"].to_list() == ["prior"]
    assert yearly.agreement is not None
    assert yearly.agreement["n_both"] >= 3
    checks = yearly.checks
    assert checks.columns == [
        "teacher",
        "p_value",
        "bh",
        "by",
        "storey",
        "prob_normal",
        "prob_ash",
        "prob_smooth",
        "lfdr",
        "lfsr",
    ]
    assert (checks["bh"] <= checks["by"]).all()
    with pytest.raises(ex.InvalidOptionError, match="one of the 100 units"):
        yearly.peers("nobody")


@pytest.mark.parametrize("kind", ["shrinkage", "periods"])
def test_pictures_name_nobody_but_candidates(yearly, kind):
    drawn = str(yearly.plot(kind=kind).to_dict())
    named = {name for name in yearly.units["teacher"] if name in drawn}
    assert named <= set(yearly.candidates["teacher"])


def test_the_picture_of_peers_names_the_unit_alone(yearly):
    drawn = str(yearly.plot(kind="peers", of="T007").to_dict())
    assert {name for name in yearly.units["teacher"] if name in drawn} == {"T007"}


def test_periods_need_periods(spots):
    assert spots.periods.is_empty()
    with pytest.raises(ex.InvalidOptionError, match="period"):
        spots.plot(kind="periods")


def test_values_that_some_units_lack_are_said_to_be():
    lost = pl.when((pl.col("teacher") < "010") & (pl.int_range(pl.len()) % 4 < 3)).then(None).otherwise("prior")
    found = bs.bright_spots(CLASSES.with_columns(prior=lost), **ASKED)
    note = next(note for note in found.notes if note.code == "missing_by_unit")
    assert (note.at, note.count) == ("prior", 10)
    at_random = pl.when(pl.int_range(pl.len()).hash(1) % 10 == 0).then(None).otherwise("prior")
    assert "missing_by_unit" not in codes(bs.bright_spots(CLASSES.with_columns(prior=at_random), **ASKED))


@pytest.mark.parametrize("guards", ["math", "prior", ["school"], {"year": -1.0}])
def test_guards_play_no_other_part(guards):
    with pytest.raises(ex.InvalidOptionError, match="guards"):
        bs.bright_spots(CLASSES, **ASKED, guards=guards)
