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
    "star_g2_teacher_in_school": Golden(
        "math", ("math_prior", "read_prior", "cltype", "sx", "ses"), (("sch", "sch"), ("tch", "tch"))
    ),
}


def as_in_r(frame: pl.DataFrame, columns: tuple[str, ...], terms: list[str]) -> pl.DataFrame:
    """Give text columns the order of R's factors: the reference is the level that no term is named after."""
    ordered = []
    for column in columns:
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

    # lme4 lists the factor with the most levels first, which is the innermost.
    theta = scalars["theta"][::-1] if isinstance(scalars["theta"], list) else [scalars["theta"]]
    assert own.theta == pytest.approx(theta, abs=1e-5)
    at = own.at(theta)
    # The file has 15 digits, and both programs add up some 10^4 rounded logarithms.
    assert at.criterion == pytest.approx(criterion, abs=max(1e-9, 1e-13 * abs(criterion)))
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
    with pytest.raises(ex.InvalidOptionError, match='give "school/teacher"'):
        bs.mixed_model(repeating, outcome="math", random=["school", "teacher"])


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
        (ex.InvalidOptionError, "crossed factors are not fitted", {"random": ["teacher", "frl"]}),
        (ex.InvalidOptionError, "at least one grouping factor", {"random": []}),
        (ex.InvalidOptionError, "one nested term", {"random": "school/"}),
        (ex.InvalidOptionError, "different columns", {"random": "school/school"}),
        (ex.InvalidOptionError, "reml", {"method": "MLE"}),
        (ex.InvalidOptionError, "fixed", {"fixed": 3}),
        (ex.InvalidOptionError, "random", {"random": None}),
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
