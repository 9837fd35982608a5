"""What a team learns from its cycles: calibration, and the ramp."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import brightspot as bs

BASELINE, TEST = ("2026-08-03", "2026-09-27"), ("2026-09-28", "2026-11-08")
BEFORE, HIGHER, LEVEL = (
    [61, 64, 62, 63, 60, 62, 63, 61],
    [66, 68, 65, 67, 69, 67],
    [62, 63, 61, 62, 64, 60],
)


def frame(after):
    weeks = [date(2026, 8, 3) + timedelta(days=7 * week) for week in range(14)]
    return {"date": weeks, "score": [*BEFORE, *after]}


def plan(belief=0.7, **fields):
    return bs.Plan(
        aim="Scores rise by 3 points",
        change="Begin with a worked example",
        outcome=bs.Measure("score", value="score"),
        predictions=[bs.Prediction("score", at_least=3.0, belief=belief)],
        baseline=BASELINE,
        test=TEST,
        **fields,
    )


def studied(after, belief=0.7):
    return bs.study(
        plan(belief), frame(after), "2026-11-20", locked_at="2026-09-20", doing=bs.Doing(as_planned="fully")
    )


def run(journal, after, chosen, reason="", **fields):
    cycle = journal.draft(plan(**fields), by="Kim", at="2026-09-20")
    journal.lock(cycle.id, by="Kim", at="2026-09-21")
    journal.start(cycle.id, by="Kim", at="2026-09-28")
    journal.do(cycle.id, as_planned="fully", by="Kim", at="2026-11-08")
    journal.study(cycle.id, frame(after), as_of="2026-11-20", by="Kim", at="2026-11-20")
    return journal.decide(cycle.id, chosen, by="Kim", reason=reason, at="2026-11-21")


@pytest.fixture
def journal(tmp_path):
    with bs.Journal(tmp_path / "plc.db") as opened:
        yield opened


def test_studies_cycles_and_a_journal_say_the_same(journal):
    run(journal, HIGHER, "adopt")
    run(journal, LEVEL, "adapt")
    by_journal = bs.calibration(journal)
    assert by_journal.predictions["is_hit"].to_list() == [True, False]
    assert by_journal.brier == pytest.approx((0.09 + 0.49) / 2)
    by_cycles = bs.calibration(journal.cycles())
    assert by_cycles.predictions.equals(by_journal.predictions)
    by_studies = bs.calibration([cycle.study for cycle in journal.cycles()])
    assert by_studies.predictions.drop("of").equals(by_journal.predictions.drop("of"))
    assert by_studies.predictions["of"].to_list() == ["Begin with a worked example"] * 2


def test_the_words_follow_the_findings():
    right = [studied(HIGHER, belief) for belief in (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0)]
    found = bs.calibration(right)
    assert (found.learning, found.hit_rate) == ("no_trend", 1.0) or found.learning == "improving"
    too_sure = bs.calibration([studied(LEVEL, 0.9)] * 2)
    assert too_sure.leaning == "overconfident"
    assert any("too sure" in sentence for sentence in too_sure.sentences())
    assert {note.code for note in too_sure.notes} == {"few_predictions", "shared_luck"}
    assert "0 came true" in repr(too_sure)
    assert "Calibration" not in too_sure._repr_html_()


def test_cycles_without_a_study_are_passed_over(journal):
    journal.draft(plan(), by="Kim", at="2026-09-20")
    with pytest.raises(bs.exceptions.TooFewError, match="state a belief"):
        bs.calibration(journal)


@pytest.mark.parametrize("given_", [3, ["a"], None])
def test_what_is_no_cycle_is_refused(given_):
    with pytest.raises(bs.exceptions.InvalidOptionError, match="a journal, or a list of cycles or studies"):
        bs.calibration(given_)


def test_the_picture_of_calibration_tells_its_numbers(tmp_path):
    found = bs.calibration([studied(HIGHER, 0.7), studied(LEVEL, 0.7), studied(HIGHER, 0.9)])
    picture = found.plot()
    picture.save(tmp_path / "calibration.png")
    assert (tmp_path / "calibration.png").stat().st_size > 5_000
    told = picture.to_dict()["description"]
    assert "believed 70%: 50% of 2 came true".capitalize() in told or "elieved 70%: 50% of 2 came true" in told


def test_a_ramp_goes_up_on_evidence(journal, tmp_path):
    first = run(journal, HIGHER, "adopt", scale=1, context={"grade": "5"})
    assert bs.ramp(journal, first).next_scale == 3
    second = run(journal, HIGHER, "adopt", scale=3, context={"grade": "4"}, follows=first.id)
    found = bs.ramp(journal, second)
    assert (found.next_scale, found.reason, found.belief, found.confirmed_at) == (5, "step_up", "high", 3)
    assert found.confirmed_contexts == {"grade": ["4", "5"]}
    assert found.cycles["follows"].to_list() == [None, first.id]
    held = bs.ramp(journal, second.id, cost_of_failure="large", readiness="not_ready")
    assert (held.next_scale, held.reason, held.test_size) == (1, "held_back", "very_small")
    assert bs.ramp(journal, first, n_places=4).next_scale == "all"
    assert bs.ramp(journal, first, n_places=3).next_scale is None
    told = " ".join(found.sentences())
    assert "Confirmed in up to 3 places, under grade 4 and 5." in told
    assert "Next, test in 5 places" in told
    picture = found.plot()
    picture.save(tmp_path / "ramp.png")
    assert "adopted on the evidence" in picture.to_dict()["description"]


def test_an_adoption_against_the_study_opens_no_larger_scale(journal):
    willed = run(journal, LEVEL, "adopt", reason="we like it", scale=3)
    found = bs.ramp(journal, willed)
    assert (found.next_scale, found.reason) == (3, "same_scale")
    # Nobody had confirmed it in one place before.
    assert [note.code for note in found.notes] == ["skipped_step", "adopted_against_evidence"]


def test_bad_arguments_say_what_is_possible(journal):
    cycle = journal.draft(plan(), by="Kim", at="2026-09-20")
    with pytest.raises(bs.exceptions.InvalidOptionError, match="rising numbers of places"):
        bs.ramp(journal, cycle, steps=[3, 1])
    with pytest.raises(bs.exceptions.InvalidOptionError, match="readiness"):
        bs.ramp(journal, cycle, cost_of_failure="large")
    with pytest.raises(bs.exceptions.InvalidOptionError, match="indifferent"):
        bs.ramp(journal, cycle, cost_of_failure="large", readiness="eager")
    with pytest.raises(bs.exceptions.InvalidOptionError, match="low"):
        bs.size_of_test("medium", "large", "ready")
    with pytest.raises(bs.exceptions.NotFoundError):
        bs.ramp(journal, "nobody")


@given(st.sampled_from(["low", "high"]), st.sampled_from(["large", "small"]))
def test_readiness_never_makes_a_test_smaller(belief, cost):
    order = ["very_small", "small", "large", "implement"]
    sizes = [order.index(bs.size_of_test(belief, cost, r)) for r in ("not_ready", "indifferent", "ready")]
    assert sizes == sorted(sizes)
