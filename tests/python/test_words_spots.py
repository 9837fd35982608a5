"""No picture of bright spots, practices, growth or pooled tries says that something is a cause, or ranks anybody."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from causal import CAUSAL, shown

import brightspot as bs

DISTRICT = bs.datasets.district(seed=1)
SPOTS = bs.bright_spots(
    DISTRICT.scores,
    outcome="spring",
    unit="teacher_id",
    within="school_id",
    adjust=["prior", "frl", "el"],
    period="year",
)
TRIES = pl.DataFrame(
    {"school": list("ABCDE"), "gain": [4.1, 2.2, 5.0, 3.1, 3.8], "variance": [1.2, 0.8, 1.5, 0.9, 1.1]}
)
PASSES = pl.DataFrame({"school": list("ABCDE"), "passed": [40, 45, 58, 30, 70], "pupils": [80, 88, 62, 75, 140]})
RANKED = re.compile(r"\b(rank\w*|league|best|worst|top|bottom|first|last|place[sd]?)\b", re.IGNORECASE)


def growth() -> bs.Growth:
    scores = DISTRICT.scores.drop_nulls(["spring", "prior"])
    return bs.growth_percentiles(scores, outcome="spring", priors="prior", unit="teacher_id")


PICTURES: dict[str, Callable[[], Any]] = {
    **{
        f"{kind}, {question}": lambda kind=kind, question=question: SPOTS.plot(kind=kind, question=question)
        for kind in ("effects", "funnel", "shrinkage")
        for question in ("within", "overall")
    },
    "periods": lambda: SPOTS.plot(kind="periods"),
    "peers": lambda: SPOTS.plot(kind="peers", of=SPOTS.candidates["teacher_id"][0]),
    "practices": lambda: bs.practices(SPOTS, DISTRICT.practices, use="is_used").plot(),
    "value added": lambda: bs.value_added(
        DISTRICT.scores, outcome="spring", teacher="teacher_id", year="year", adjust="prior"
    ).plot(),
    "growth": lambda: growth().plot(),
    "pool": lambda: bs.pool(TRIES, effect="gain", variance="variance", site="school").plot(),
    "funnel of passes": lambda: bs.funnel(PASSES, value="passed", size="pupils", unit="school").plot(),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_name_no_cause_and_no_rank(name: str):
    texts = [text for text in shown(PICTURES[name]().to_dict()) if text]
    assert texts, "a picture that says nothing cannot be checked"
    for text in texts:
        # What is pooled are effects of tests: the one picture that may say so.
        assert name == "pool" or not CAUSAL.search(text), text
        assert not RANKED.search(text.replace("best period", "")), text


def test_the_check_sees_titles_captions_labels_and_tooltips():
    seen = set(shown(SPOTS.plot(title="A heading").to_dict()))
    assert {"A heading", "finding", "likely from"} <= seen
    assert any("candidate" in text for text in seen)
    assert any("worth learning from" in text for text in seen)


def test_explanations_name_no_cause():
    for finding in SPOTS.units["finding"].unique():
        unit = SPOTS.units.filter(finding=finding)["teacher_id"][0]
        told = SPOTS.explain(unit)
        for text in (told.text, told._repr_html_()):
            assert not CAUSAL.search(text.replace("does not show that", "")), text


def many() -> bs.BrightSpots:
    """Two thousand teachers in 100 schools over two years, of whom far more stand out than a picture can name."""
    pupils = pl.DataFrame({"pupil": range(48_000)}).with_columns(
        teacher=pl.format("T{}", pl.col("pupil") % 2000), year=2024 + pl.col("pupil") // 2000 % 2
    )
    own = (pl.col("pupil") % 2000 * 7919 % 101 / 101 - 0.5) * 16
    luck = (pl.col("pupil") * 104_729 % 1009 / 1009 - 0.5) * 20
    pupils = pupils.with_columns(school=pl.format("S{}", pl.col("pupil") % 2000 % 100), score=50 + own + luck)
    return bs.bright_spots(pupils, outcome="score", unit="teacher", within="school", period="year")


def test_pictures_of_two_thousand_units_stay_readable():
    found = many()
    assert found.units.height == 2000
    assert found.candidates.height > 100
    for kind in ("effects", "funnel", "shrinkage", "periods"):
        spec = found.plot(kind=kind).to_dict()
        assert spec["width"] <= 620
        assert spec["height"] <= 500
        # To name some of them would be to choose among them.
        assert not [row for row in spec["data"]["values"] if row.get("text", "").startswith("T")], kind
        marks = [layer["mark"] for layer in spec["layer"] if isinstance(layer["mark"], dict)]
        points = [mark for mark in marks if mark["type"] == "point"]
        assert points
        strokes = [mark["strokeWidth"] for mark in marks if mark["type"] == "rule" and "strokeWidth" in mark]
        assert max([1.2, *strokes]) <= 1.2, "thick lines would cover what lies beside them"
    effects = found.plot().to_dict()
    drawn = [layer["encoding"] for layer in effects["layer"] if layer["encoding"].get("shape", {}).get("legend")]
    assert drawn
    # A scale of sizes would make marks in the legend as tiny as they are in the picture.
    assert all("scale" not in encoding["size"] for encoding in drawn)
