"""Drift value added through Python: a transcription of the paper's appendix, labels that stay, errors that teach."""

from __future__ import annotations

import json

import polars as pl
import pytest

import brightspot as bs
from brightspot import exceptions as ex

ARGUMENTS = {"outcome": "spring", "teacher": "teacher_id", "year": "year"}


@pytest.fixture(scope="module")
def scores() -> pl.DataFrame:
    return bs.datasets.district().scores


@pytest.fixture(scope="module")
def found(scores) -> bs.ValueAdded:
    return bs.value_added(scores, **ARGUMENTS, adjust=["prior", "frl", "el"])


def test_the_transcription_is_reproduced(reference):
    # It is no independent program: a check that nothing has moved. The reference has 15 digits.
    folder = reference / "bright-spots"
    golden = json.loads((folder / "va_drift.json").read_text())
    panel = pl.read_parquet(folder / "data" / "va_panel.parquet")
    va = bs.value_added(panel, outcome="score", teacher="teacher", year="year", adjust=["prior", "frl"])
    assert list(va.coefficients.values()) == pytest.approx(golden["beta"], rel=1e-9)
    assert va.variance_total == pytest.approx(golden["s2_total"], rel=1e-9)
    assert va.variance_student == pytest.approx(golden["s2_e"], rel=1e-9)
    assert va.variance_teacher == pytest.approx(golden["s2_A0"], rel=1e-9)
    assert va.variance_class == pytest.approx(golden["s2_theta"], rel=1e-9)
    lags = va.autocovariance.filter(pl.col("lag") > 0)
    assert lags["covariance"].to_list() == pytest.approx([lag["cov"] for lag in golden["autocov"]], rel=1e-9)
    assert lags["n_pairs"].to_list() == [lag["pairs"] for lag in golden["autocov"]]
    theirs = pl.read_csv(folder / "va_drift.csv").rename({"target_year": "year"})
    joined = va.teachers.join(theirs, on=["teacher", "year"], suffix="_theirs")
    assert joined.height == va.teachers.height == 551
    assert joined["prediction"].to_list() == pytest.approx(joined["va"].to_list(), rel=1e-9, abs=1e-12)
    assert (joined["sd"] ** 2).to_list() == pytest.approx(joined["pred_var"].to_list(), rel=1e-9)
    assert joined["n_years"].to_list() == joined["n_years_theirs"].to_list()


def test_rows_are_no_ranking(scores, found):
    keys = found.teachers.select("teacher_id", "year")
    assert keys.equals(keys.unique().sort("teacher_id", "year"))
    assert keys.schema == scores.select("teacher_id", "year").schema
    assert "rank" not in " ".join(found.teachers.columns)


def test_every_student_is_counted(scores, found):
    whole = scores.drop_nulls(["spring", "prior", "frl", "el", "teacher_id", "year"])
    assert found.teachers["n"].sum() == whole.height
    left_out = [note.count for note in found.notes if note.code == "rows_left_out"]
    assert scores.height - whole.height == (left_out[-1] if left_out else 0)


def test_a_single_year_has_no_prediction(found):
    single = found.teachers.filter(pl.col("n_years") == 0)
    assert found.teachers["prediction"].null_count() == single.height
    counted = {note.code: note.count for note in found.notes}
    assert counted.get("single_year", 0) == single.height


def test_years_may_be_names(scores, found):
    named = scores.with_columns(year=pl.col("year").cast(pl.String))
    again = bs.value_added(named, **ARGUMENTS, adjust=["prior", "frl", "el"])
    assert again.autocovariance.equals(found.autocovariance)
    assert again.teachers["prediction"].equals(found.teachers["prediction"])
    assert again.teachers["year"].to_list() == found.teachers["year"].cast(pl.String).to_list()


def test_every_kind_of_frame(scores, found, convert):
    again = bs.value_added(convert(scores), **ARGUMENTS, adjust=["prior", "frl", "el"])
    assert again.autocovariance.equals(found.autocovariance)


def test_what_does_not_change_within_teachers_is_dropped(scores):
    fixed = scores.with_columns(code=pl.col("teacher_id").rank("dense").cast(pl.Float64))
    va = bs.value_added(fixed, **ARGUMENTS, adjust=["prior", "code"])
    assert va.coefficients["code"] is None
    assert ("rank_deficient", "code") in {(note.code, note.at) for note in va.notes}


def test_words_and_picture(found):
    told = found.sentences()
    assert told[0].startswith("Within a year teachers differ by a standard deviation of ")
    # The district has two years and one class a year: that an advantage lasts is an assumption, and said to be one.
    assert "do not tell how fast an advantage fades" in told[1]
    assert found.autocovariance["correlation"].to_list() == [1.0, None]
    assert "fading_unknown" in {note.code for note in found.notes}
    assert told[-1].endswith("of teaching predicted from the same teacher's other years.")
    spec = found.plot(title="How advantages fade").to_dict()
    assert spec["data"]["values"] == [], "a single point at 1 would be taken for a finding"
    assert "How advantages fade" in json.dumps(spec)
    assert "prediction" in found._repr_html_()
    assert repr(found).startswith("ValueAdded(")


def test_errors_say_what_to_do(scores):
    with pytest.raises(ex.ColumnMissingError, match="teacher"):
        bs.value_added(scores, outcome="spring", teacher="teachr", year="year")
    with pytest.raises(ex.InvalidOptionError, match="lags"):
        bs.value_added(scores, **ARGUMENTS, lags=0)
    with pytest.raises(ex.TooFewError, match="two years"):
        bs.value_added(scores.filter(pl.col("year") == pl.col("year").min()), **ARGUMENTS)
    half = scores.with_columns(half=pl.col("prior") * 0 + 2020.5)
    with pytest.raises(ex.ColumnTypeError, match="whole numbers"):
        bs.value_added(half, outcome="spring", teacher="teacher_id", year="half")
    with pytest.raises(ex.ColumnClashError):
        bs.value_added(scores.rename({"teacher_id": "n"}), outcome="spring", teacher="n", year="year")
