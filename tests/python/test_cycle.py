"""Studies through Python: what was planted is found, what was not is not, and what may not be concluded is said."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

import brightspot as bs
from brightspot import exceptions as ex

MONDAYS = [date(2026, 8, 3) + timedelta(weeks=i) for i in range(14)]
BEFORE = [61.0, 64, 62, 63, 60, 62, 63, 61]
HIGHER = [66.0, 68, 65, 67, 69, 67]
LEVEL = [62.0, 63, 61, 62, 64, 60]
LOWER = [57.0, 58, 56, 57, 59, 56]
FAIR = {"locked_at": "2026-09-27", "doing": bs.Doing("fully")}


def weekly(after: list[float], before: list[float] = BEFORE) -> pl.DataFrame:
    return pl.DataFrame({"date": MONDAYS, "value": before + after})


def plan(**changes) -> bs.Plan:
    return bs.Plan(
        **{
            "aim": "Scores rise by 3 points",
            "change": "Begin with a worked example",
            "outcome": bs.Measure("score"),
            "predictions": [bs.Prediction("score", at_least=3.0, belief=0.7)],
            "baseline": ("2026-08-03", "2026-09-27"),
            "test": ("2026-09-28", "2026-11-08"),
            **changes,
        }
    )


def codes(study: bs.Study) -> set[str]:
    return {note.code for note in study.caveats}


# Two teams of the synthetic district tried the same change; for the first the exit tickets truly rise by 4 points.
TEAMS = {"S02-G5": True, "S04-G5": False}


@pytest.fixture(scope="module")
def district() -> bs.datasets.District:
    return bs.datasets.district(seed=1)


def team_plan(**changes) -> bs.Plan:
    return plan(
        **{
            "outcome": bs.Measure("exit ticket", value="score", unit_of_value="points"),
            "process": [bs.Measure("routine", value="n_used", size="n_lessons", kind="proportion")],
            "guards": [bs.Guard(bs.Measure("fluency", value="score"), margin=1.0)],
            "predictions": [bs.Prediction("exit ticket", at_least=3.0, belief=0.7, why="as in the pilot room")],
            "baseline": ("2026-09-01", "2026-10-25"),
            "test": ("2026-10-26", "2026-12-11"),
            **changes,
        }
    )


def team_frames(district: bs.datasets.District, team: str) -> dict[str, pl.DataFrame]:
    return {
        "exit ticket": district.exit_tickets.filter(plc_id=team),
        "routine": district.process.filter(plc_id=team),
        "fluency": district.fluency.filter(plc_id=team),
    }


def team_study(district: bs.datasets.District, team: str, **context) -> bs.Study:
    context = {"as_of": "2026-12-14", "locked_at": "2026-10-25", "doing": bs.Doing("fully"), **context}
    return bs.study(team_plan(), team_frames(district, team), **context)


def test_the_planted_shift_is_found_and_confirmed(district):
    study = team_study(district, "S02-G5")
    assert (study.signal, study.prediction, study.fidelity) == ("improved", "met", "fully")
    assert (study.guards, study.process) == ("not_worse", "improved")
    assert (study.recommendation, study.reasons) == ("adopt", ("confirmed_here",))
    assert study.is_preregistered
    truth = district.truth.series.row(
        by_predicate=(pl.col("series") == "exit_tickets") & (pl.col("unit_id") == "S02-G5"), named=True
    )
    assert study.outcome.lo <= truth["size"] <= study.outcome.hi
    assert study.outcome.effect == pytest.approx(study.outcome.mean_after - study.outcome.mean_before)
    assert codes(study) == {"no_comparison_group"}
    check = study.prediction_checks[0]
    assert (check.is_hit, check.brier) == (True, pytest.approx(0.09))
    told = " ".join(study.sentences())
    assert "more than chance explains" in told
    assert "caused" not in told
    assert "proves" not in told


def test_where_nothing_shifted_nothing_is_claimed(district):
    study = team_study(district, "S04-G5")
    assert study.signal == "no_signal"
    assert study.prediction != "met"
    assert study.recommendation != "adopt"
    # The routine was used and the outcome did not move: the theory is in doubt, not the teachers.
    assert (study.process, study.reasons) == ("improved", ("driver_moved_outcome_did_not",))
    assert study.outcome.lo < 0 < study.outcome.hi
    assert "no more than chance explains" in " ".join(study.sentences())


@pytest.mark.parametrize("team", TEAMS)
def test_a_plan_that_was_not_locked_is_exploration(district, team):
    for locked_at in (None, "2026-10-28"):
        study = team_study(district, team, locked_at=locked_at)
        assert not study.is_preregistered
        assert (study.recommendation, study.reasons) == ("continue_test", ("not_preregistered",))
        assert "not_preregistered" in codes(study)
    # The findings themselves do not depend on it.
    assert team_study(district, team, locked_at=None).outcome == team_study(district, team).outcome


def test_an_open_window_has_no_verdict(district):
    for as_of in ("2026-12-10", date(2026, 11, 20), "2026-10-26"):
        study = team_study(district, "S02-G5", as_of=as_of)
        assert (study.signal, study.prediction) == ("insufficient", "undecided")
        assert (study.recommendation, study.reasons) == ("continue_test", ("insufficient_evidence",))
        assert "interim" in codes(study)
        assert study.as_of == date.fromisoformat(str(as_of))
    assert team_study(district, "S02-G5", as_of="2026-12-11").signal == "improved"
    early = team_study(district, "S02-G5", as_of="2020-01-01")
    assert early.outcome.points == ()
    assert early.outcome.effect is None


def test_later_data_leave_no_trace(district):
    whole = team_frames(district, "S02-G5")
    seen = {name: frame.filter(pl.col("date") <= date(2026, 11, 13)) for name, frame in whole.items()}
    context = {"as_of": "2026-11-15", "locked_at": "2026-10-25", "doing": bs.Doing("fully")}
    assert bs.study(team_plan(), whole, **context) == bs.study(team_plan(), seen, **context)


def test_rows_that_give_no_point_are_counted(district):
    tickets = district.exit_tickets.filter(plc_id="S02-G5")
    holes = tickets.with_row_index().with_columns(
        score=pl.when(pl.col("index") == 3).then(None).when(pl.col("index") == 5).then(float("inf")).otherwise("score"),
        date=pl.when(pl.col("index") == 8).then(None).otherwise("date"),
    )
    late = tickets.head(4).with_columns(score=pl.lit(None, pl.Float64), date=pl.lit("2027-05-03").str.to_date())
    asked = {"as_of": "2026-12-14", "locked_at": "2026-10-23", "doing": bs.Doing(as_planned="fully")}
    plain_plan = team_plan(process=(), guards=())
    found = bs.study(plain_plan, holes.drop("index"), **asked)
    (note,) = [note for note in found.caveats if note.code == "no_point"]
    assert (note.count, note.at, found.outcome.n_left_out) == (3, "exit ticket", 3)
    # Rows of a later date are not read, and so not counted either.
    assert bs.study(plain_plan, pl.concat([holes.drop("index"), late]), **asked) == found
    assert "no_point" not in codes(bs.study(plain_plan, tickets, **asked))


def test_one_long_frame_a_mapping_and_every_kind_of_frame_agree(district, convert):
    by_measure = team_frames(district, "S02-G5")
    expected = team_study(district, "S02-G5")
    context = {"as_of": "2026-12-14", "locked_at": "2026-10-25", "doing": bs.Doing("fully")}
    converted = {name: convert(frame) for name, frame in by_measure.items()}
    assert bs.study(team_plan(), converted, **context) == expected
    parts = [frame.with_columns(measure=pl.lit(name)) for name, frame in by_measure.items()]
    long = pl.concat(parts, how="diagonal")
    assert bs.study(team_plan(), convert(long), **context) == expected


def test_a_wide_frame_has_a_column_for_each_measure():
    guard = bs.Guard(bs.Measure("pace", value="pace"), margin=5.0)
    wide = weekly(HIGHER).with_columns(pace=pl.lit(20.0) + pl.int_range(pl.len()) % 3)
    found = bs.study(plan(guards=[guard]), wide, "2026-11-20", **FAIR)
    assert (found.signal, found.guards) == ("improved", "not_worse")
    table = bs.study(plan(guards=[guard]), wide.to_dict(as_series=False), "2026-11-20", **FAIR)
    assert table == found


@pytest.mark.parametrize(
    ("after", "direction", "signal", "recommendation"),
    [
        (HIGHER, "up", "improved", "adopt"),
        (HIGHER, "down", "worsened", "abandon"),
        (LOWER, "up", "worsened", "abandon"),
        (LOWER, "down", "improved", "adopt"),
        (LEVEL, "up", "no_signal", "adapt"),
    ],
)
def test_the_verdict_follows_the_interval_and_the_direction(after, direction, signal, recommendation):
    better = {"at_least": 3.0} if direction == "up" else {"at_most": -3.0}
    a_plan = plan(
        outcome=bs.Measure("score", direction=direction), predictions=[bs.Prediction("score", belief=0.7, **better)]
    )
    study = bs.study(a_plan, weekly(after), "2026-11-20", **FAIR)
    assert (study.signal, study.recommendation) == (signal, recommendation)
    assert study.outcome.effect == pytest.approx(sum(after) / 6 - sum(BEFORE) / 8)
    inside = study.outcome.lo <= 0 <= study.outcome.hi
    assert inside == (signal == "no_signal")


def test_windows_decide_what_is_compared():
    study = bs.study(plan(), weekly(HIGHER), "2026-11-20", **FAIR)
    assert (study.outcome.n_before, study.outcome.n_after) == (8, 6)
    assert (study.baseline, study.test) == (
        (date(2026, 8, 3), date(2026, 9, 27)),
        (date(2026, 9, 28), date(2026, 11, 8)),
    )
    shorter = plan(baseline=("2026-08-03", "2026-09-13"), test=("2026-09-28", "2026-11-01"))
    between = bs.study(shorter, weekly(HIGHER), "2026-11-20", **FAIR)
    assert (between.outcome.n_before, between.outcome.n_after) == (6, 5)
    assert "outside_windows" in codes(between)
    few = bs.study(plan(test=("2026-09-28", "2026-10-05")), weekly(HIGHER), "2026-11-20", **FAIR)
    assert (few.signal, few.recommendation) == ("insufficient", "continue_test")
    assert "too_few_points" in codes(few)


def test_a_baseline_that_was_changing_forbids_a_verdict():
    rising = weekly([69.0, 70, 71, 72, 73, 74], before=[60.0, 61, 62, 63, 64, 65, 66, 67])
    study = bs.study(plan(), rising, "2026-11-20", **FAIR)
    assert (study.signal, study.recommendation) == ("insufficient", "continue_test")
    assert "unstable_baseline" in codes(study)
    assert study.outcome.baseline_trend_p < 0.05


def test_guards_and_process():
    guarded = plan(guards=[bs.Guard(bs.Measure("pace"), margin=1.0)], process=[bs.Measure("routine", direction="up")])
    ways = {
        (tuple(LEVEL), tuple(HIGHER)): ("adopt", "not_worse", "improved"),
        (tuple(LOWER), tuple(HIGHER)): ("adapt", "harmed", "improved"),
        (tuple(LEVEL), tuple(LEVEL)): ("adapt", "not_worse", "not_improved"),
    }
    for (pace, routine), (recommendation, guards, process) in ways.items():
        # A pace that is steadier than the score, so that a margin of 1 can be shown.
        steady = weekly([62 + (v - 62) / 4 for v in pace], before=[62 + (v - 62) / 4 for v in BEFORE])
        frames = {"score": weekly(HIGHER), "pace": steady, "routine": weekly(list(routine))}
        study = bs.study(guarded, frames, "2026-11-20", **FAIR)
        assert (study.guards, study.process) == (guards, process)
        assert study.guard_checks[0].margin == 1.0
        if routine != tuple(LEVEL):
            assert study.recommendation == recommendation
    silent = bs.study(guarded, {"score": weekly(HIGHER)}, "2026-11-20", **FAIR)
    assert (silent.guards, silent.process) == ("cannot_tell", "not_measured")
    assert "no_series" in codes(silent)
    bare = bs.study(plan(), weekly(HIGHER), "2026-11-20", **FAIR)
    assert {"no_guards", "no_process_measure"} <= codes(bare)
    assert bare.guards == "not_worse"


def test_fidelity_decides_what_a_miss_means():
    seen = {}
    for as_planned in ("fully", "partly", "not_done", "unknown"):
        doing = bs.Doing(as_planned)
        study = bs.study(plan(), weekly(LEVEL), "2026-11-20", locked_at="2026-09-27", doing=doing)
        assert study.fidelity == as_planned
        seen[as_planned] = study.reasons[0]
    assert seen["not_done"] == seen["unknown"] == "untested_idea"
    assert bs.study(plan(), weekly(LEVEL), "2026-11-20", locked_at="2026-09-27").fidelity == "unknown"


def test_an_idea_is_abandoned_only_after_fair_tries():
    big = plan(predictions=[bs.Prediction("score", at_least=8.0, belief=0.6)])
    first = bs.study(big, weekly(LEVEL), "2026-11-20", **FAIR)
    assert (first.prediction, first.n_tries, first.recommendation) == ("not_met", 1, "adapt")
    second = bs.study(big, weekly(LEVEL), "2026-11-20", earlier=[first], **FAIR)
    assert (second.n_tries, second.recommendation, second.reasons) == (2, "abandon", ("tried_fairly",))


@pytest.mark.parametrize(
    ("region", "finding"),
    [
        ({"at_least": 3.0}, "met"),
        ({"at_least": 9.0}, "not_met"),
        ({"at_most": 1.0}, "not_met"),
        ({"between": (3.0, 8.0)}, "met"),
        ({"direction": "improve"}, "met"),
        ({"direction": "worsen"}, "not_met"),
        ({"no_worse_than": 1.0}, "met"),
    ],
)
def test_predictions_of_every_kind(region, finding):
    a_plan = plan(predictions=[bs.Prediction("score", belief=0.8, **region)])
    study = bs.study(a_plan, weekly(HIGHER), "2026-11-20", **FAIR)
    assert study.prediction == finding
    check = study.prediction_checks[0]
    assert check.brier == pytest.approx((0.8 - check.is_hit) ** 2)


def test_several_rows_of_one_date_are_combined_as_the_measure_says():
    halves = pl.concat([weekly(HIGHER).with_columns(pl.col("value") + step) for step in (-1.0, 1.0)])
    combined = bs.study(plan(), halves, "2026-11-20", **FAIR).outcome
    single = bs.study(plan(), weekly(HIGHER), "2026-11-20", **FAIR).outcome
    assert [point.value for point in combined.points] == [point.value for point in single.points]
    assert (combined.effect, combined.lo, combined.hi) == (single.effect, single.lo, single.hi)
    late = bs.Measure("late", value="value", size="size", kind="proportion", direction="down")
    rows = pl.concat(
        [
            pl.DataFrame({"date": MONDAYS, "value": [4.0] * 8 + [1.0] * 6, "size": 10}),
            pl.DataFrame({"date": MONDAYS, "value": [10.0, 12] * 4 + [4.0, 5] * 3, "size": 30}),
        ]
    )
    a_plan = plan(outcome=late, predictions=[bs.Prediction("late", at_most=-0.1)])
    study = bs.study(a_plan, rows, "2026-11-20", **FAIR)
    assert study.outcome.points[0].value == pytest.approx(14 / 40)
    assert study.outcome.points[0].size == 40
    assert study.signal == "improved"


def test_poor_data_are_a_finding_not_a_crash():
    nothing = weekly(HIGHER).clear()
    holes = weekly(HIGHER).with_columns(value=pl.lit(None, pl.Float64))
    infinite = weekly(HIGHER).with_columns(value=pl.lit(float("inf")))
    constant = weekly(HIGHER).with_columns(value=pl.lit(5.0))
    for frame in (nothing, holes, infinite, constant, weekly(HIGHER).head(1), {}):
        study = bs.study(plan(), frame, "2026-11-20", **FAIR)
        assert study.signal == "insufficient"
        assert study.recommendation == "continue_test"
        assert isinstance(study._repr_html_(), str)
        assert study.sentences()


def test_times_of_every_kind():
    expected = bs.study(plan(), weekly(HIGHER), "2026-11-20", **FAIR)
    at_noon = weekly(HIGHER).with_columns(pl.col("date").cast(pl.Datetime) + pl.duration(hours=12))
    zoned = at_noon.with_columns(pl.col("date").dt.replace_time_zone("America/Chicago"))
    for frame in (at_noon, zoned):
        assert bs.study(plan(), frame, "2026-11-20", **FAIR) == expected
    for moment in (date(2026, 9, 27), datetime(2026, 9, 27, tzinfo=UTC), datetime(2026, 9, 26, 12)):
        assert bs.study(plan(), weekly(HIGHER), "2026-11-20", **{**FAIR, "locked_at": moment}) == expected


def test_the_order_of_rows_decides_nothing(district):
    # Several classes share a date: their mean must not depend on who stands first, not even in its last bit.
    frames = team_frames(district, "S02-G5")
    shuffled = {name: frame.sample(fraction=1.0, shuffle=True, seed=2) for name, frame in frames.items()}
    context = {"as_of": "2026-12-14", "locked_at": "2026-10-25", "doing": bs.Doing("fully")}
    one, other = bs.study(team_plan(), frames, **context), bs.study(team_plan(), shuffled, **context)
    assert other.outcome.effect == pytest.approx(one.outcome.effect)
    assert other.inputs_hash == one.inputs_hash
    assert other == one


def test_the_same_in_the_same_out():
    one = bs.study(plan(), weekly(HIGHER), "2026-11-20", learned="Start small", **FAIR)
    other = bs.study(plan(), weekly(HIGHER).reverse(), "2026-11-20", learned="Start small", **FAIR)
    assert one == other
    assert hash(one) == hash(other)
    assert one.learned == "Start small"
    assert bs.Study.from_dict(one.to_dict()) == one
    changed = bs.study(plan(), weekly([*HIGHER[:-1], 68.0]), "2026-11-20", **FAIR)
    assert changed.inputs_hash != one.inputs_hash
    assert changed.plan_hash == one.plan_hash
    assert one.engine_version == bs.__version__


@pytest.mark.parametrize(
    ("kind", "needle", "arguments"),
    [
        (ex.ColumnMissingError, "value", {"frames": weekly(HIGHER).rename({"value": "score"})}),
        (ex.ColumnMissingError, "date", {"frames": {"score": weekly(HIGHER).drop("date")}}),
        (ex.ColumnTypeError, "must hold numbers", {"frames": weekly(HIGHER).cast({"value": pl.String})}),
        (ex.ColumnTypeError, "date", {"frames": weekly(HIGHER).cast({"date": pl.String})}),
        (ex.ColumnTypeError, "data frame", {"frames": 3}),
        (ex.ColumnTypeError, "data frame", {"frames": None}),
        (ex.InvalidOptionError, "a measure of the plan", {"frames": {"scores": weekly(HIGHER)}}),
        (ex.InvalidOptionError, "as_of", {"as_of": "20 November"}),
        (ex.InvalidOptionError, "as_of", {"as_of": "2026-11-31"}),
        (ex.InvalidOptionError, "at = ", {"locked_at": "2026-09-27T12:00"}),
        (ex.InvalidOptionError, "bs.Plan", {"plan": plan().to_dict()}),
        (ex.InvalidRecordError, "exchange the dates", {"plan": plan(test=("2026-11-08", "2026-09-28"))}),
        (ex.InvalidRecordError, "end it earlier", {"plan": plan(baseline=("2026-08-03", "2026-10-04"))}),
        (ex.InvalidRecordError, "its own name", {"plan": plan(process=[bs.Measure("score")])}),
    ],
)
def test_errors_teach(kind, needle, arguments):
    with pytest.raises(kind, match=needle) as caught:
        bs.study(**{"plan": plan(), "frames": weekly(HIGHER), "as_of": "2026-11-20", **arguments})
    assert isinstance(caught.value, bs.BrightspotError)


def test_a_study_shows_itself():
    study = bs.study(plan(), weekly(HIGHER), "2026-11-20", **FAIR)
    shown = study._repr_html_()
    assert "What we may not conclude" in shown
    assert "no_comparison_group" in shown
    assert repr(study).startswith("Study(as_of=datetime.date(2026, 11, 20), signal='improved'")
