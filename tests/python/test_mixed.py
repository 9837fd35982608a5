"""Mixed models through Python: lme4's numbers, types that survive, errors that teach."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import brightspot as bs
from brightspot import exceptions as ex

PUPILS = pl.DataFrame(
    {
        "math": [61.0, 64, 60, 63, 70, 66, 71, 69, 58, 55, 60, 54, 66, 61, 65, 67],
        "prior": [50.0, 55, 49, 52, 58, 51, 57, 54, 50, 47, 53, 46, 55, 50, 52, 56],
        "teacher": ["0a"] * 4 + ["0b"] * 4 + ["0c"] * 4 + ["0d"] * 4,
        "school": ["S1"] * 8 + ["S2"] * 8,
        "frl": ["yes", "no", "yes", "no"] * 4,
    }
)


def codes(model: bs.MixedModel) -> dict[tuple[str, str], int]:
    return {(note.code, note.at): note.count for note in model.notes}


@dataclass(frozen=True)
class Golden:
    """A fit by lme4: its outcome, covariates and factors (outermost first, each with lme4's name for it)."""

    outcome: str
    fixed: tuple[str, ...]
    factors: tuple[tuple[str, str], ...]
    method: str = "reml"

    @property
    def random(self) -> list[str]:
        # "cask:batch" are casks in batches, whose labels repeat.
        if any(":" in name for _, name in self.factors):
            return ["/".join(column for column, _ in self.factors)]
        return [column for column, _ in self.factors]


GOLDEN = {
    "dyestuff": Golden("Yield", (), (("Batch", "Batch"),)),
    "dyestuff2_singular": Golden("Yield", (), (("Batch", "Batch"),)),
    "exam_single": Golden("normexam", ("standLRT",), (("school", "school"),)),
    "exam_single_ml": Golden("normexam", ("standLRT",), (("school", "school"),), method="ml"),
    "exam_cov": Golden("normexam", ("standLRT", "schgend", "schavg", "sex", "vr"), (("school", "school"),)),
    "hsb82": Golden("mAch", ("ses", "meanses", "sector", "minrty"), (("school", "school"),)),
    "chem97_single": Golden("score", ("gcsecnt", "gender", "age"), (("school", "school"),)),
    "pastes_nested": Golden("strength", (), (("batch", "batch"), ("cask", "cask:batch"))),
    "star_single": Golden("mathk", ("stark", "gender", "lunchk"), (("schoolidk", "schoolidk"),)),
    "penicillin_crossed": Golden("diameter", (), (("plate", "plate"), ("sample", "sample"))),
    "insteval_crossed": Golden("y", ("service",), (("s", "s"), ("d", "d"))),
    "star_g2_teacher_in_school": Golden(
        "math", ("math_prior", "read_prior", "cltype", "sx", "ses"), (("sch", "sch"), ("tch", "tch"))
    ),
}


def as_in_r(frame: pl.DataFrame, columns: tuple[str, ...], terms: list[str]) -> pl.DataFrame:
    """Give text columns the order of R's factors: the reference is the level that no term is named after."""
    ordered = []
    for column in columns:
        if frame[column].dtype.is_numeric() and column not in terms:
            frame = frame.with_columns(pl.col(column).cast(pl.String))
        if frame[column].dtype == pl.String:
            levels = frame[column].drop_nulls().unique().sort().to_list()
            levels.sort(key=lambda level, column=column: f"{column}{level}" in terms)
            ordered.append(pl.col(column).cast(pl.Enum(levels)))
    return frame.with_columns(ordered)


@pytest.mark.parametrize("case", GOLDEN)
def test_lme4_is_reproduced(case, reference):
    golden, folder = GOLDEN[case], reference / "bright-spots"
    scalars = json.loads((folder / f"{case}.json").read_text())
    fixed = pl.read_csv(folder / f"{case}.fixef.csv").with_columns(pl.col("name").str.replace_all("`", ""))
    random = pl.read_csv(folder / f"{case}.ranef.csv", schema_overrides={"level": pl.String})
    data = pl.read_parquet((folder / scalars["data"]).with_suffix(".parquet"))
    data = as_in_r(data, golden.fixed, fixed["name"].to_list())
    sigma, criterion = scalars["sigma"], scalars["criterion"]

    own = bs.mixed_model(data, outcome=golden.outcome, fixed=golden.fixed, random=golden.random, method=golden.method)
    assert own.n_obs == scalars["nobs"]
    assert own.fixed["term"].to_list() == fixed["name"].to_list()
    assert own.is_singular is scalars["singular"]
    assert own.has_converged
    # The optimum: lme4's is not exact, so ours may be lower, and never higher by more than rounding.
    assert own.criterion == pytest.approx(criterion, abs=1e-6)
    assert own.criterion <= criterion + 1e-7
    assert own.sigma == pytest.approx(sigma, rel=1e-6)

    # lme4 lists the factor with the most levels first, which is the innermost; crossed ones stand as given here.
    theta = scalars["theta"] if isinstance(scalars["theta"], list) else [scalars["theta"]]
    if "crossed" not in case:
        theta = theta[::-1]
    assert own.theta == pytest.approx(theta, abs=1e-5)
    assert own.summary.route == ("dense" if "crossed" in case else "closed_form")
    at = own.at(theta)
    # The file has 15 digits: up to nine after the point.
    assert at.criterion == pytest.approx(criterion, rel=0, abs=1e-9)
    assert at.sigma == pytest.approx(sigma, rel=1e-9)
    for column in ("estimate", "se"):
        for ours, theirs in zip(at.fixed[column], fixed[column], strict=True):
            assert ours == pytest.approx(theirs, abs=1e-9 * (1 + abs(theirs)))
        for ours, theirs in zip(own.fixed[column], fixed[column], strict=True):
            assert ours == pytest.approx(theirs, abs=1e-6 * (1 + abs(theirs)))
    for row, theirs in zip(at.vcov, scalars.get("fixef_vcov", at.vcov), strict=True):
        largest = max(abs(number) for number in theirs)
        assert row == pytest.approx(theirs, abs=1e-9 * (1 + largest))

    for place, (column, name) in enumerate(golden.factors):
        parts = [column] if ":" not in name else [one for one, _ in golden.factors[place::-1]]
        level = pl.concat_str([pl.col(part).cast(pl.String) for part in parts], separator=":").alias("level")
        theirs = random.filter(pl.col("term") == name)
        for model, tolerance in ((at, 1e-9), (own, 2e-4)):
            ours = model.effects(model.factors[place]).with_columns(level)
            assert ours.height == theirs.height
            both = theirs.join(ours, on="level", validate="1:1")
            assert both.height == theirs.height
            pairs = [("effect", "blup"), ("sd_conditional", "cond_sd")]
            pairs += [("sd", "pev_sd")] if "pev_sd" in theirs.columns else []
            for mine, yours in pairs:
                assert (both[mine] - both[yours]).abs().max() <= tolerance * sigma, (name, mine)


def test_multiple_membership_is_that_of_a_replaced_z(reference):
    folder = reference / "bright-spots"
    scalars = json.loads((folder / "multimember.json").read_text())
    theirs = pl.read_csv(folder / "multimember.ranef.csv").rename({"level": "teacher"})
    data = pl.read_parquet(folder / "data/multimember.parquet")
    members = {"teacher": (["teacher1", "teacher2"], ["w1", "w2"])}
    own = bs.mixed_model(data, outcome="y", fixed="x", members=members)
    assert own.criterion == pytest.approx(scalars["criterion"], abs=1e-6)
    assert own.criterion <= scalars["criterion"] + 1e-7
    at = own.at([scalars["theta"]])
    assert at.criterion == pytest.approx(scalars["criterion"], abs=1e-9)
    both = theirs.join(at.effects("teacher"), on="teacher", validate="1:1")
    assert both.height == theirs.height
    assert (both["effect"] - both["blup"]).abs().max() < 1e-9
    assert (both["sd_conditional"] - both["cond_sd"]).abs().max() < 1e-9


# Tennessee's class-size experiment, `math ~ cltype + (1 | sch) + (1 | tch)`, REML, by lme4 1.1-31: rows, teachers,
# schools, criterion, the fixed part, the variances (school, teacher, residual), and the teachers whose 95% interval
# lies above 0 and below it.
STAR = {
    "K": (
        (5871, 337, 79, 60582.955849),
        {"cltypereg+A": (-0.143196, 2.679288), "cltypesmall": (8.026836, 2.594875)},
        (391.18532, 270.14136, 1611.07639),
        (17, 16),
    ),
    "1": (
        (6600, 368, 76, 66634.147356),
        {"cltypereg+A": (2.475312, 2.235427), "cltypesmall": (13.522667, 2.160740)},
        (350.15184, 201.72243, 1295.87781),
        (23, 13),
    ),
}


@pytest.mark.parametrize("grade", STAR)
@pytest.mark.parametrize("random", ["sch/tch", ("tch", "sch")], ids=["nested by name", "nested by labels"])
def test_tennessee_as_lme4_has_it(grade, random):
    (n_rows, n_teachers, n_schools, criterion), fixed, variances, outside = STAR[grade]
    model = bs.mixed_model(bs.datasets.star().filter(gr=grade), outcome="math", fixed="cltype", random=random)
    teachers = model.effects()
    assert (model.n_obs, teachers.height, model.effects("sch").height) == (n_rows, n_teachers, n_schools)
    # Six decimals are given; both programs stop near, not at, the optimum.
    assert model.criterion == pytest.approx(criterion, abs=1e-6)
    for term, estimate, se in model.fixed.filter(pl.col("term") != "(Intercept)").iter_rows():
        assert (estimate, se) == pytest.approx(fixed[term], abs=2e-6)
    assert model.variance["variance"].to_list() == pytest.approx(variances, rel=1e-6)
    assert model.variance["factor"].to_list()[-1] == "residual"
    reach = 1.959964 * teachers["sd_conditional"]
    assert ((teachers["effect"] > reach).sum(), (teachers["effect"] < -reach).sum()) == outside
    assert teachers["reliability"].is_between(0, 1).all()
    assert {"effect_overall", "sd_overall", "reliability_overall"} <= set(teachers.columns)


def test_every_kind_of_frame_gives_the_same(convert):
    arguments = {"outcome": "math", "fixed": ["prior", "frl"], "random": "school/teacher"}
    ours = bs.mixed_model(PUPILS, **arguments)
    theirs = bs.mixed_model(convert(PUPILS), **arguments)
    assert ours.criterion == theirs.criterion
    assert_frame_equal(ours.fixed, theirs.fixed)
    assert_frame_equal(ours.variance, theirs.variance)
    # Text comes back as whichever kind of text came in.
    assert_frame_equal(ours.effects(), theirs.effects(), check_dtypes=False)


def test_columns_are_the_contract():
    model = bs.mixed_model(PUPILS, outcome="math", fixed="prior", random="school/teacher")
    assert model.fixed.columns == ["term", "estimate", "se"]
    assert model.fixed["term"].to_list() == ["(Intercept)", "prior"]
    assert model.variance.columns == ["factor", "variance", "sd"]
    assert model.variance["factor"].to_list() == ["school", "school/teacher", "residual"]
    assert model.factors == ["school", "school/teacher"]
    plain = ["n", "effect", "sd_conditional", "sd", "reliability"]
    assert model.effects("school").columns == ["school", *plain]
    overall = ["effect_overall", "sd_overall", "reliability_overall"]
    assert model.effects().columns == ["school", "teacher", *plain, *overall]
    assert_frame_equal(model.effects(), model.effects("school/teacher"))


def test_rows_in_any_order_give_the_same():
    straight = bs.mixed_model(PUPILS, outcome="math", fixed=["prior", "frl"], random="teacher")
    shuffled = bs.mixed_model(
        PUPILS.sample(fraction=1.0, shuffle=True, seed=3), outcome="math", fixed=["prior", "frl"], random="teacher"
    )
    assert_frame_equal(straight.fixed, shuffled.fixed, rel_tol=1e-9)
    assert_frame_equal(straight.effects(), shuffled.effects(), rel_tol=1e-6, abs_tol=1e-9)


@pytest.mark.parametrize(
    "keys",
    [
        pl.Series("key", [7, 8, 9, 10], dtype=pl.Int16),
        pl.Series("key", ["007", "008", "009", "010"]),
        pl.Series("key", ["w", "x", "y", "z"], dtype=pl.Categorical),
        pl.Series("key", ["w", "x", "y", "z"], dtype=pl.Enum(["z", "y", "x", "w"])),
        pl.Series("key", [date(2026, 1, day) for day in (1, 2, 3, 4)]),
    ],
    ids=lambda keys: str(keys.dtype),
)
def test_keys_keep_their_type_and_value(keys):
    names = PUPILS["teacher"].unique().sort()
    frame = PUPILS.join(pl.DataFrame([names, keys]), on="teacher")
    effects = bs.mixed_model(frame, outcome="math", random="key").effects()
    assert effects.schema["key"] == keys.dtype
    assert sorted(map(str, effects["key"])) == sorted(map(str, keys))
    by_name = dict(bs.mixed_model(frame, outcome="math", random="teacher").effects().select("teacher", "effect").rows())
    for name, key in zip(names, keys, strict=True):
        assert effects.filter(pl.col("key").cast(pl.String) == str(key))["effect"].item() == pytest.approx(
            by_name[name]
        )


def test_labels_that_repeat_from_school_to_school():
    repeating = PUPILS.with_columns(teacher=pl.col("teacher").replace({"0c": "0a", "0d": "0b"}))
    ours = bs.mixed_model(repeating, outcome="math", random="school/teacher")
    unique = bs.mixed_model(PUPILS, outcome="math", random="school/teacher")
    assert ours.criterion == pytest.approx(unique.criterion)
    assert ours.effects().select("school", "teacher").rows() == [("S1", "0a"), ("S1", "0b"), ("S2", "0a"), ("S2", "0b")]
    # Named apart, a label is one unit wherever it occurs, and the two factors cross.
    crossed = bs.mixed_model(repeating, outcome="math", random=["school", "teacher"])
    assert crossed.summary.route == "dense"
    assert crossed.effects("teacher").select("teacher", "n").rows() == [("0a", 8), ("0b", 8)]


def test_categories_of_every_kind_have_the_same_contrast():
    frl = pl.col("frl")
    by_text = bs.mixed_model(PUPILS, outcome="math", fixed="frl", random="teacher").fixed
    assert by_text["term"].to_list() == ["(Intercept)", "frlyes"]
    slope = by_text["estimate"][1]
    for other in (
        frl.cast(pl.Categorical),
        frl.cast(pl.Enum(["no", "yes"])),
        frl == "yes",
        (frl == "yes").cast(pl.Int8),
    ):
        found = bs.mixed_model(PUPILS.with_columns(other), outcome="math", fixed="frl", random="teacher").fixed
        assert found["estimate"][1] == pytest.approx(slope)
        assert found["se"][1] == pytest.approx(by_text["se"][1])
    # An enum's own order decides which level is the reference.
    turned = bs.mixed_model(
        PUPILS.with_columns(frl.cast(pl.Enum(["yes", "no"]))), outcome="math", fixed="frl", random="teacher"
    ).fixed
    assert turned["term"].to_list() == ["(Intercept)", "frlno"]
    assert turned["estimate"][1] == pytest.approx(-slope)


def test_rows_that_lack_a_value_are_left_out_and_counted():
    math, prior = PUPILS["math"].to_list(), PUPILS["prior"].to_list()
    frl, teacher = PUPILS["frl"].to_list(), PUPILS["teacher"].to_list()
    math[0], math[1], math[2] = None, float("nan"), float("inf")
    prior[2], prior[5], frl[9], teacher[12] = None, float("-inf"), None, None
    holed = PUPILS.with_columns(
        math=pl.Series(math), prior=pl.Series(prior), frl=pl.Series(frl), teacher=pl.Series(teacher)
    )
    model = bs.mixed_model(holed, outcome="math", fixed=["prior", "frl"], random="teacher")
    assert model.n_obs == PUPILS.height - 6
    left_out = {place: n for (code, place), n in codes(model).items() if code == "rows_left_out"}
    assert left_out == {"math": 3, "prior": 2, "frl": 1, "teacher": 1, "": 6}
    whole = holed.filter(pl.col("math").is_finite(), pl.col("prior").is_finite()).drop_nulls()
    assert_frame_equal(
        bs.mixed_model(whole, outcome="math", fixed=["prior", "frl"], random="teacher").fixed, model.fixed
    )


def test_what_cannot_be_told_apart_is_said():
    model = bs.mixed_model(
        PUPILS.with_columns(twice=2 * pl.col("prior")), outcome="math", fixed=["prior", "twice"], random="teacher"
    )
    assert model.fixed["term"].to_list() == ["(Intercept)", "prior"]
    assert codes(model)["rank_deficient", "twice"] == 1
    one = bs.mixed_model(PUPILS.filter(teacher="0a"), outcome="math", random="teacher")
    assert one.is_singular
    assert one.variance["sd"][0] == 0
    assert one.effects()["effect"].to_list() == [0.0]
    assert {code for code, _ in codes(one)} >= {"singular", "few_units"}


def test_notes_name_the_factor_they_are_about():
    one = bs.mixed_model(PUPILS.filter(teacher="0a"), outcome="math", random="teacher")
    assert {note.at for note in one.notes if note.code in {"singular", "few_units"}} == {"teacher"}
    two = bs.mixed_model(PUPILS, outcome="math", random="school/teacher")
    assert {note.at for note in two.notes if note.code == "few_units"} == {"school", "school/teacher"}


def test_scale_and_offset_decide_nothing():
    before = bs.mixed_model(PUPILS, outcome="math", fixed="prior", random="teacher")
    after = bs.mixed_model(
        PUPILS.with_columns(math=400 - 50 * pl.col("math")), outcome="math", fixed="prior", random="teacher"
    )
    assert after.theta == pytest.approx(before.theta, rel=1e-5)
    assert (after.effects()["effect"] + 50 * before.effects()["effect"]).abs().max() < 1e-3
    assert after.effects()["reliability"].to_list() == pytest.approx(
        before.effects()["reliability"].to_list(), rel=1e-4
    )


@pytest.mark.parametrize(
    ("kind", "needle", "arguments"),
    [
        (ex.ColumnMissingError, 'did you mean "math"', {"outcome": "maths"}),
        (ex.ColumnMissingError, "there is no column", {"fixed": "age"}),
        (ex.ColumnMissingError, "there is no column", {"random": "school/room"}),
        (ex.ColumnTypeError, "must hold numbers", {"outcome": "frl"}),
        (ex.ColumnTypeError, "must be text", {"outcome": 3}),
        (ex.ColumnTypeError, "take one field", {"random": "pair"}),
        (ex.InvalidOptionError, "at least one grouping factor", {"random": []}),
        (ex.InvalidOptionError, "a nested term", {"random": "school/"}),
        (ex.InvalidOptionError, "different columns", {"random": "school/school"}),
        (ex.InvalidOptionError, "reml", {"method": "MLE"}),
        (ex.InvalidOptionError, "fixed", {"fixed": 3}),
        (ex.InvalidOptionError, "random", {"random": None}),
        (ex.InvalidOptionError, "members", {"members": {"t": "teacher"}}),
        (ex.InvalidOptionError, "two lists of one length", {"members": {"t": (["teacher"], [])}}),
        (ex.InvalidOptionError, "no other factor has", {"members": {"teacher": (["school"], ["prior"])}}),
        (ex.ColumnMissingError, "there is no column", {"weights": "heft"}),
        (ex.InvalidValueError, "name of its own", {"fixed": ["prior", "prior"]}),
        (ex.InvalidValueError, "no variation", {"fixed": "math"}),
        (ex.TooFewError, "2 rows", {"random": "pupil"}),
    ],
)
def test_errors_teach(kind, needle, arguments):
    frame = PUPILS.with_columns(pair=pl.concat_list("math", "prior"), pupil=pl.int_range(pl.len()))
    with pytest.raises(kind, match=needle) as caught:
        bs.mixed_model(frame, **{"outcome": "math", "random": "teacher", **arguments})
    assert isinstance(caught.value, bs.BrightspotError)


@pytest.mark.parametrize(
    ("kind", "needle", "frame"),
    [
        (ex.TooFewError, "there are 0", PUPILS.clear()),
        (ex.TooFewError, "there are 1", PUPILS.head(1)),
        (ex.TooFewError, "left out", PUPILS.with_columns(math=pl.lit(None, pl.Float64))),
        (ex.TooFewError, "left out", PUPILS.with_columns(prior=pl.lit(None))),
        (ex.TooFewError, "left out", PUPILS.with_columns(teacher=pl.lit(None, pl.String))),
        (ex.TooFewError, "left out", PUPILS.with_columns(math=pl.lit(float("inf")))),
        (ex.InvalidValueError, "not constant", PUPILS.with_columns(math=pl.lit(5.0))),
    ],
    ids=["no rows", "one row", "no outcome", "null type", "no unit", "infinite", "constant"],
)
def test_frames_that_no_model_fits(kind, needle, frame):
    with pytest.raises(kind, match=needle):
        bs.mixed_model(frame, outcome="math", fixed="prior", random="teacher")


@pytest.mark.parametrize("theta", [[], [1.0, 2.0], [-1.0], [float("nan")], [float("inf")], ["a"]])
def test_a_theta_that_cannot_be(theta):
    model = bs.mixed_model(PUPILS, outcome="math", random="teacher")
    with pytest.raises(ex.InvalidOptionError, match="theta"):
        model.at(theta)
    with pytest.raises(ex.InvalidOptionError, match="factor"):
        model.effects("room")


def test_a_model_shows_itself():
    model = bs.mixed_model(PUPILS, outcome="math", fixed="prior", random="school/teacher")
    assert repr(model).startswith("MixedModel(math: 16 rows; SD of school ")
    shown = model._repr_html_()
    assert "few_units" in shown
    assert "prior" in shown


@pytest.mark.parametrize(
    ("ids", "kept"),
    [
        (pl.Series("key", [2**60 + i for i in range(4)], dtype=pl.Int128), [2**60 + i for i in range(4)]),
        (pl.Series("key", [1, 2, 3, 4], dtype=pl.UInt128), [1, 2, 3, 4]),
        (pl.Series("key", [1.5, 2.5, 3.5, 4.5], dtype=pl.Decimal(9, 2)), [1.5, 2.5, 3.5, 4.5]),
        (pl.Series("key", [0, 60, 3600, 7200], dtype=pl.Duration("ms")), ["PT0S", "PT0.06S", "PT3.6S", "PT7.2S"]),
    ],
    ids=lambda value: str(getattr(value, "dtype", "")),
)
def test_types_that_the_core_does_not_have_keep_their_value(ids, kept):
    frame = PUPILS.join(pl.DataFrame([PUPILS["teacher"].unique().sort(), ids]), on="teacher")
    assert sorted(bs.mixed_model(frame, outcome="math", random="key").effects()["key"]) == sorted(kept)


PANEL = pl.DataFrame(
    {
        "score": [5.1, 4.2, 6.3, 5.5, 4.9, 6.8, 3.9, 5.0, 6.1, 5.7, 4.4, 6.9, 5.2, 4.1, 6.0, 5.9, 4.6, 7.1],
        "student": ["a", "b", "c", "d", "e", "f"] * 3,
        "teacher": ["T1"] * 3 + ["T2"] * 3 + ["T2", "T3"] * 3 + ["T3"] * 2 + ["T1"] * 4,
        "helper": ["T2", None, "T3", None, "T1", None] * 3,
        "share": [0.5, 1.0, 0.75, 1.0, 0.6, 1.0] * 3,
        "rest": [0.5, None, 0.25, 0.0, 0.4, None] * 3,
        "w": [1.0, 2.0, 0.5] * 6,
    }
)
SHARED = {"teacher": (["teacher", "helper"], ["share", "rest"])}


def test_students_across_years_by_teachers():
    model = bs.mixed_model(PANEL, outcome="score", random=["student", "teacher"])
    assert model.factors == ["student", "teacher"]
    assert model.effects("student")["student"].to_list() == list("abcdef")
    assert model.effects("teacher").columns == ["teacher", "n", "effect", "sd_conditional", "sd", "reliability"]
    # The order in which factors are named changes nothing but the order of theta.
    turned = bs.mixed_model(PANEL, outcome="score", random=["teacher", "student"])
    assert turned.criterion == pytest.approx(model.criterion, abs=1e-8)
    assert turned.theta == pytest.approx(model.theta[::-1], abs=1e-5)
    assert "dense Cholesky factor: converged" in str(model.summary)
    assert str(model.summary) in model._repr_html_()


def test_a_nested_factor_beside_a_crossed_one():
    frame = PANEL.with_columns(school=pl.col("teacher").replace({"T1": "S1", "T2": "S1", "T3": "S2"}))
    by_labels = bs.mixed_model(frame, outcome="score", random=["student", "school", "teacher"])
    by_name = bs.mixed_model(frame, outcome="score", random=["student", "school/teacher"])
    assert by_labels.factors == ["student", "school", "teacher"]
    assert by_name.factors == ["student", "school", "school/teacher"]
    assert by_labels.criterion == pytest.approx(by_name.criterion, abs=1e-8)
    assert "effect_overall" in by_labels.effects("teacher").columns
    assert by_name.effects("school/teacher").columns[:2] == ["school", "teacher"]


def test_shared_students():
    model = bs.mixed_model(PANEL, outcome="score", members=SHARED)
    assert model.factors == ["teacher"]
    assert model.effects()["teacher"].to_list() == ["T1", "T2", "T3"]
    doubled = PANEL.with_columns(share=2 * pl.col("share"), rest=2 * pl.col("rest"))
    with pytest.raises(ex.InvalidValueError, match="weights that sum to 2; rows 0, 1, 2, 3, 4 and 13 more"):
        bs.mixed_model(doubled, outcome="score", members=SHARED)
    again = bs.mixed_model(doubled, outcome="score", members=SHARED, normalize=True)
    assert again.criterion == pytest.approx(model.criterion, abs=1e-10)
    # A row that belongs to nobody is left out and counted; the rows in an error are those of the frame.
    holed = PANEL.with_columns(
        share=pl.when(pl.int_range(pl.len()) == 3).then(None).otherwise("share"),
        score=pl.when(pl.int_range(pl.len()) == 0).then(None).otherwise("score"),
    )
    left = bs.mixed_model(holed, outcome="score", members=SHARED)
    assert (left.n_obs, codes(left)["rows_left_out", "teacher"]) == (16, 1)
    with pytest.raises(ex.InvalidValueError, match="without a unit; rows 4"):
        bs.mixed_model(
            holed.with_columns(
                teacher=pl.when(pl.int_range(pl.len()) == 4).then(None).otherwise("teacher"),
                rest=pl.lit(1.0) - pl.col("share"),
            ),
            outcome="score",
            members=SHARED,
            normalize=True,
        )


def test_weights_of_rows():
    model = bs.mixed_model(PANEL, outcome="score", random="student", weights="w")
    # Precision weights: only their ratios matter for the effects.
    tripled = bs.mixed_model(PANEL.with_columns(pl.col("w") * 3), outcome="score", random="student", weights="w")
    assert (model.effects()["effect"] - tripled.effects()["effect"]).abs().max() < 1e-6
    assert tripled.sigma**2 == pytest.approx(3 * model.sigma**2, rel=1e-6)
    some = PANEL.with_columns(w=pl.when(pl.col("student") == "a").then(0.0).otherwise("w"))
    left = bs.mixed_model(some, outcome="score", random="student", weights="w")
    assert (left.n_obs, codes(left)["zero_weight", "w"]) == (15, 3)
    assert left.effects()["student"].to_list() == list("bcdef")
    for bad, needle in [(-1.0, "-1 in row 4"), (float("nan"), "NaN in row 4"), (float("inf"), "inf in row 4")]:
        frame = PANEL.with_columns(w=pl.when(pl.int_range(pl.len()) == 4).then(bad).otherwise("w"))
        with pytest.raises(ex.InvalidValueError, match=needle):
            bs.mixed_model(frame, outcome="score", random="student", weights="w")
    missing = PANEL.with_columns(w=pl.when(pl.int_range(pl.len()) == 4).then(None).otherwise("w"))
    assert codes(bs.mixed_model(missing, outcome="score", random="student", weights="w"))["rows_left_out", "w"] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {"random": "student"},
        {"random": ["student", "teacher"]},
        {"members": SHARED},
        {"random": "student", "members": SHARED, "weights": "w"},
    ],
    ids=["one", "crossed", "shared", "all"],
)
def test_moments_of_parts_are_those_of_the_whole(arguments):
    order = PANEL.sample(fraction=1.0, shuffle=True, seed=1)
    parts = [bs.mixed_moments(part, outcome="score", **arguments) for part in (order[:5], order[5:11], order[11:])]
    merged = sum(parts)
    whole = bs.mixed_moments(PANEL, outcome="score", **arguments)
    assert (merged.n_obs, merged.factors) == (whole.n_obs, whole.factors)
    rows = bs.mixed_model(PANEL, outcome="score", **arguments)
    for moments in (merged, whole, bs.Moments.from_bytes(merged.to_bytes())):
        fitted = moments.fit()
        assert fitted.criterion == pytest.approx(rows.criterion, abs=1e-9)
        assert fitted.factors == rows.factors
        at, same = fitted.at(rows.theta), rows.at(rows.theta)
        for factor in rows.factors:
            assert_frame_equal(at.effects(factor), same.effects(factor), abs_tol=1e-9)


def test_moments_know_units_by_their_labels():
    numbered = PANEL.with_columns(
        pl.col("student").replace_strict(dict(zip("abcdef", [9, 10, 11, 100, 7, 8], strict=True)))
    )
    first = bs.mixed_moments(numbered.filter(pl.col("student") > 9), outcome="score", random="student")
    second = bs.mixed_moments(numbered.filter(pl.col("student") <= 9), outcome="score", random="student")
    model = (first + second).fit(method="ml")
    assert model.effects()["student"].to_list() == [7, 8, 9, 10, 11, 100]
    assert model.effects().schema["student"] == pl.Int64
    assert repr(first + second) == "Moments(score: 18 rows; student 6)"
    with pytest.raises(ex.InvalidValueError, match="the same covariates"):
        first + bs.mixed_moments(PANEL, outcome="score", random="student")
    with pytest.raises(TypeError):
        first + 1
    for data in (b"", b"something else", first.to_bytes()[:-1], first.to_bytes()[:-1] + b"x"):
        with pytest.raises(ex.InvalidValueError, match="bytes"):
            bs.Moments.from_bytes(data)
    with pytest.raises(ex.ColumnTypeError, match="bytes"):
        bs.Moments.from_bytes("text")


def test_two_units_are_compared_by_name():
    model = bs.mixed_model(PUPILS, outcome="math", fixed="prior", random="school/teacher")
    effects = model.effects()
    found = model.contrast("school/teacher", ("S1", "0a"), "0c")
    assert found.difference == pytest.approx(effects["effect"][0] - effects["effect"][2])
    assert found.sd > 0
    assert model.contrast("school", "S1", "S1").sd == pytest.approx(0, abs=1e-6)
    crossed = bs.mixed_model(PANEL, outcome="score", random=["student", "teacher"])
    one, other = crossed.contrast("student", "a", "b"), crossed.contrast("student", "b", "a")
    assert one.difference == pytest.approx(-other.difference)
    assert one.sd == pytest.approx(other.sd)
    for unit, needle in [("S9", "no unit"), (("S1", "0a", 1), "is told by school, teacher"), (("S1", "0c"), "no unit")]:
        with pytest.raises(ex.InvalidOptionError, match=needle):
            model.contrast("school/teacher", unit, "0a")


def test_few_units_have_wider_intervals():
    model = bs.mixed_model(PUPILS, outcome="math", fixed="prior", random="teacher")
    plain, wider = model.effects("teacher"), model.effects("teacher", sd="second_order")
    assert (wider["sd"] > plain["sd"]).all()
    assert wider.drop("sd").equals(plain.drop("sd"))
    with pytest.raises(ex.InvalidOptionError, match="reml"):
        bs.mixed_model(PUPILS, outcome="math", random="teacher", method="ml").effects(sd="second_order")
    with pytest.raises(ex.InvalidOptionError, match="second_order"):
        model.effects(sd="third")
    same = pl.DataFrame({"same": ["p"] * 3 + ["q"] * 3 + ["r"] * 3, "y": [1.0, 2.0, 3.0] * 3})
    flat = bs.mixed_model(same, outcome="y", random="same")
    assert flat.summary.boundary == ("same",)
    assert flat.effects("same", sd="second_order")["sd"].null_count() == 3
    assert "no detectable difference between the units of same" in str(flat.summary)


def test_ids_of_every_length_keep_their_order():
    names = ["b", "a", "", "abcdefghijklm", "abcdefghijkl", "é", "a\0"]
    frame = pl.DataFrame({"id": names * 3, "y": [float(i * i % 11) for i in range(21)]})
    assert bs.mixed_model(frame, outcome="y", random="id").effects()["id"].to_list() == sorted(
        names, key=lambda name: name.encode()
    )
    short = frame.filter(pl.col("id").str.len_bytes() <= 12)
    assert bs.mixed_model(short, outcome="y", random="id").effects()["id"].to_list() == sorted(
        short["id"].unique(), key=lambda name: name.encode()
    )
    wide = frame.with_columns(
        pl.col("id").replace_strict(dict(zip(names, [-(2**62), 2**62, 0, 1, 5, 7, -3], strict=True)))
    )
    assert bs.mixed_model(wide, outcome="y", random="id").effects()["id"].to_list() == sorted(wide["id"].unique())
    tiny = short.filter(pl.col("id") != "a\0")
    assert bs.mixed_model(tiny, outcome="y", random="id").effects()["id"].to_list() == sorted(tiny["id"].unique())


@pytest.mark.parametrize("step", [1, 17])
@pytest.mark.parametrize("prefix", ["t", "teacher", "teacher of mathematics "])
def test_many_ids_are_those_of_their_numbers(prefix, step):
    number = [i * 7919 % 3989 * step for i in range(20_000)]
    frame = pl.DataFrame({"number": number, "y": [float(i * i % 101) for i in range(20_000)]})
    # Rows in several chunks, as files that were read one after another have them.
    frame = pl.concat([frame.head(77), frame.tail(-77)], rechunk=False)
    text = frame.with_columns(id=pl.lit(prefix) + pl.col("number").cast(pl.String).str.zfill(5))
    by_text = bs.mixed_model(text, outcome="y", random="id").effects()
    by_number = bs.mixed_model(frame, outcome="y", random="number").effects()
    assert by_text["id"].str.slice(len(prefix)).cast(pl.Int64).to_list() == by_number["number"].to_list()
    assert_frame_equal(by_text.drop("id"), by_number.drop("number"), abs_tol=1e-12)
