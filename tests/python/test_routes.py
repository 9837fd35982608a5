"""Studies by every route, from frames: the numbers, the words, the pictures and the pages."""

from __future__ import annotations

import random
from datetime import date, timedelta

import polars as pl
import pytest

import brightspot as bs
from brightspot import exceptions as ex

MONDAYS = [date(2026, 8, 3) + timedelta(weeks=i) for i in range(14)]
FAIR = {"as_of": "2026-11-20", "locked_at": "2026-09-27", "doing": bs.Doing("fully")}


def plan(outcome: bs.Measure, **changes) -> bs.Plan:
    return bs.Plan(
        **{
            "aim": "Better by Thanksgiving",
            "change": "Greet every student at the door",
            "outcome": outcome,
            "predictions": [bs.Prediction(outcome.name, direction="improve", belief=0.7)],
            "baseline": ("2026-08-03", "2026-09-27"),
            "test": ("2026-09-28", "2026-11-08"),
            **changes,
        }
    )


def incidents() -> tuple[bs.Plan, pl.DataFrame]:
    outcome = bs.Measure(
        "incidents", value="n", size="days", kind="rate", per=1000, direction="down", unit_of_value="per 1,000 days"
    )
    counts = [9, 12, 8, 11, 10, 13, 9, 10, 5, 4, 6, 3, 5, 4]
    return plan(outcome), pl.DataFrame({"date": MONDAYS, "n": counts, "days": [2500] * 14})


def lessons() -> tuple[bs.Plan, pl.DataFrame]:
    outcome = bs.Measure("worked example shown", value="seen", size="lessons", kind="proportion", standard=0.8)
    return plan(outcome), pl.DataFrame({"date": MONDAYS[8:11], "seen": [2, 1, 3], "lessons": [4, 4, 4]})


def absences() -> tuple[bs.Plan, pl.DataFrame]:
    outcome = bs.Measure("absence", value="absent", size="enrolled", kind="proportion", direction="down")
    counts = [14, 16, 12, 15, 13, 16, 14, 15, 8, 9, 7, 10, 8, 7]
    return plan(outcome), pl.DataFrame({"date": MONDAYS, "absent": counts, "enrolled": [120] * 14})


def rooms(gain: float = 4.0, treated: int = 3) -> tuple[bs.Plan, pl.DataFrame]:
    draw = random.Random(5)
    rows = []
    for c in range(7):
        level, year = draw.gauss(50, 3), draw.gauss(0, 1)
        for s in range(20):
            ability = draw.gauss(0, 6)
            common = {"class": f"Room {c + 1}", "student": f"{c}-{s}"}
            more = gain if c < treated else 0.0
            rows += [
                {"date": MONDAYS[1], "score": level + ability + draw.gauss(0, 3), **common},
                {"date": MONDAYS[12], "score": level + ability + year + more + draw.gauss(0, 3), **common},
            ]
    outcome = bs.Measure("fractions", value="score", student="student", unit_of_value="points")
    comparison = bs.Comparison([f"Room {c + 1}" for c in range(treated)])
    return plan(outcome, comparison=comparison), pl.DataFrame(rows)


def worst_school() -> tuple[bs.Plan, pl.DataFrame]:
    draw = random.Random(3)
    rows = []
    for school in range(12):
        level = draw.gauss(60, 2)
        for i, day in enumerate(MONDAYS):
            value = level + draw.gauss(0, 2) + (6.0 if school == 4 and i >= 8 else 0.0) - (5.0 if school == 4 else 0.0)
            rows.append({"date": day, "school": f"S{school:02}", "value": value})
    selection = bs.Selection("worst", unit="school", chosen=["S04"])
    return plan(bs.Measure("reading", unit_of_value="points"), selection=selection), pl.DataFrame(rows)


ROUTES = {
    "rates": incidents,
    "standard": lessons,
    "proportions": absences,
    "ancova": rooms,
    "series": worst_school,
}


@pytest.mark.parametrize("method", ROUTES)
def test_each_route_reads_its_frame_and_says_how_it_judged(method):
    study = bs.study(*ROUTES[method](), **FAIR)
    assert study.outcome.method == method
    assert study.outcome.effect is not None
    assert study.outcome.lo < study.outcome.effect < study.outcome.hi
    assert bs.Study.from_dict(study.to_dict()) == study
    assert (study.signal, study.recommendation) == (
        ("worsened", "adapt") if method == "standard" else ("improved", "adopt")
    )


@pytest.mark.parametrize("method", ROUTES)
def test_each_route_is_told_and_drawn(method):
    study = bs.study(*ROUTES[method](), **FAIR)
    told = " ".join(study.sentences())
    assert study.outcome.measure in told.lower()
    page = bs.report(study)
    assert "<svg" in page.html
    assert {
        "rates": "of the rate before",
        "standard": "below the standard of 80%",
        "proportions": "percentage points",
        "ancova": "in the classes that tried the change than in the others",
        "series": "beyond what a return to the usual level would bring",
    }[method] in page.html
    assert study.plot().to_dict()["description"]


def test_the_numbers_of_a_small_sample():
    outcome = bs.study(*lessons(), **FAIR).outcome
    # pbinom(6, 12, .8) of R 4.2.2.
    assert outcome.p_worse == pytest.approx(0.01940527923, abs=1e-11)
    assert outcome.effect == pytest.approx(-0.3)
    assert outcome.standard == 0.8


def test_classes_come_from_columns():
    plan_of, frame = rooms()
    study = bs.study(plan_of, frame, **FAIR)
    assert [found.is_treated for found in study.outcome.classes] == [True] * 3 + [False] * 4
    assert all(found.n == 20 for found in study.outcome.classes)
    assert {note.code for note in study.caveats} >= {"not_by_lot"}
    # The same by a column that says it, and with the earlier score in the row.
    flagged = frame.with_columns(tried=pl.col("class").is_in(["Room 1", "Room 2", "Room 3"]))
    by_column = plan(plan_of.outcome, comparison=bs.Comparison(treated_column="tried"))
    assert bs.study(by_column, flagged, **FAIR).outcome.effect == pytest.approx(study.outcome.effect)
    before = frame.filter(pl.col("date") == MONDAYS[1]).select("student", fall="score")
    after = frame.filter(pl.col("date") == MONDAYS[12]).join(before, on="student")
    wide = plan(plan_of.outcome, comparison=bs.Comparison(["Room 1", "Room 2", "Room 3"], prior="fall"))
    assert bs.study(wide, after, **FAIR).outcome.effect == pytest.approx(study.outcome.effect)
    gains = plan(plan_of.outcome, comparison=plan_of.comparison, analysis="difference_in_differences")
    assert bs.study(gains, frame, **FAIR).outcome.method == "difference_in_differences"


def test_one_class_that_tries_it_is_no_test():
    plan_of, frame = rooms(treated=1)
    study = bs.study(plan_of, frame, **FAIR)
    assert (study.signal, study.recommendation) == ("insufficient", "continue_test")
    assert "few_classes" in {note.code for note in study.caveats}
    assert "cannot be told from its own year" in bs.report(study).html


def test_names_that_the_data_do_not_know():
    plan_of, frame = rooms()
    typo = plan(plan_of.outcome, comparison=bs.Comparison(["room 1"]))
    with pytest.raises(ex.InvalidOptionError, match=r"Plan\.comparison\.treated"):
        bs.study(typo, frame, **FAIR)
    with pytest.raises(ex.ColumnMissingError):
        bs.study(plan_of, frame.drop("class"), **FAIR)
    with pytest.raises(ex.InvalidRecordError, match="treated"):
        bs.Comparison()


def test_the_worst_is_expected_to_come_back():
    plan_of, frame = worst_school()
    study = bs.study(plan_of, frame, **FAIR)
    regression = study.outcome.regression
    assert regression is not None
    assert 0 < regression.lasting < 1
    assert regression.n_units == 12
    naive = study.outcome.mean_after - study.outcome.mean_before
    assert study.outcome.effect == pytest.approx(naive - regression.expected)
    alone = bs.study(plan_of, frame.filter(pl.col("school") == "S04"), **FAIR)
    assert alone.signal == "insufficient"
    assert "selected_extreme" in {note.code for note in alone.caveats}


def test_fidelity_by_checklist():
    plan_of, frame = absences()
    doing = bs.Doing(checklist={"greets at the door": 1.0, "uses the name": 0.3})
    study = bs.study(plan_of, frame, **{**FAIR, "doing": doing})
    assert (study.fidelity, study.fidelity_score) == ("partly", 0.65)
    strict = plan(plan_of.outcome, fidelity=bs.FidelityRule(partly=0.7))
    assert bs.study(strict, frame, **{**FAIR, "doing": doing}).reasons == ("untested_idea",)
