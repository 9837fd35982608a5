"""The journal through Python: the whole loop, what is refused, and that nothing acknowledged is ever lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from uuid import uuid4

import polars as pl
import pytest

import brightspot as bs
from brightspot import exceptions as ex

WEEKS = [date(2026, 8, 3) + timedelta(weeks=i) for i in range(14)]
BEFORE = [61.0, 64, 62, 63, 60, 62, 63, 61]
HIGHER = pl.DataFrame({"date": WEEKS, "value": [*BEFORE, 66.0, 68, 65, 67, 69, 67]})
LEVEL = pl.DataFrame({"date": WEEKS, "value": [*BEFORE, 62.0, 63, 61, 62, 64, 60]})


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


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "plc.db"


@pytest.fixture(params=["sqlite", "postgres"])
def path(request, tmp_path) -> Path | str:
    """A new journal's place, in each kind of database."""
    if request.param == "sqlite":
        return tmp_path / "plc.db"
    return in_schema(request.getfixturevalue("server"))


def in_schema(url: str) -> str:
    """A schema of its own in the database at a URL."""
    return f"{url}{'&' if '?' in url else '?'}schema=t{uuid4().hex}"


@pytest.fixture
def journal(path):
    with bs.Journal(path) as opened:
        yield opened


MOVES: dict[str, Callable[[bs.Journal, str], object]] = {
    "lock": lambda journal, id: journal.lock(id, by="Kim", at="2026-09-27"),
    "start": lambda journal, id: journal.start(id, by="Kim", at="2026-09-28"),
    "do": lambda journal, id: journal.do(id, as_planned="fully", by="Kim", at="2026-11-08"),
    "study": lambda journal, id: journal.study(id, HIGHER, "2026-11-20", at="2026-11-20"),
    "decide": lambda journal, id: journal.decide(id, "adopt", by="Ana", at="2026-11-21"),
    "amend": lambda journal, id: journal.amend(id, "one room more", by="Ana", at="2026-10-01"),
    "cancel": lambda journal, id: journal.cancel(id, reason="no time", by="Ana", at="2026-10-01"),
}
LOOP = ["lock", "start", "do", "study", "decide"]


def at_state(journal: bs.Journal, state: str, **changes) -> str:
    """A cycle in this state."""
    cycle = journal.draft(plan(**changes), by="Kim", at="2026-09-01")
    if state == "cancelled":
        MOVES["cancel"](journal, cycle.id)
    else:
        path = {"draft": 0, "planned": 1, "doing": 2, "studied": 4, "decided": 5}
        for move in LOOP[: path[state]]:
            MOVES[move](journal, cycle.id)
    assert journal.cycle(cycle.id).state == state
    return cycle.id


@pytest.mark.parametrize(("team", "is_real"), [("S02-G5", True), ("S04-G5", False)])
def test_the_whole_loop_with_the_district(journal, team, is_real):
    district = bs.datasets.district(seed=1)
    frames = {
        "exit ticket": district.exit_tickets.filter(plc_id=team),
        "routine": district.process.filter(plc_id=team),
        "fluency": district.fluency.filter(plc_id=team),
    }
    cycle = journal.draft(
        plan(
            outcome=bs.Measure("exit ticket", value="score", unit_of_value="points"),
            process=[bs.Measure("routine", value="n_used", size="n_lessons", kind="proportion")],
            guards=[bs.Guard(bs.Measure("fluency", value="score"), margin=1.0)],
            predictions=[bs.Prediction("exit ticket", at_least=3.0, belief=0.7)],
            baseline=("2026-09-01", "2026-10-25"),
            test=("2026-10-26", "2026-12-11"),
            team=team,
        ),
        by="Kim",
        at="2026-10-20",
    )
    assert (cycle.state, cycle.version, cycle.created_by) == ("draft", 1, "Kim")
    cycle = journal.lock(cycle.id, by="Kim", at="2026-10-25")
    assert cycle.state == "planned"
    assert cycle.plan_hash
    assert cycle.plan.analysis == "series", "settled when the plan is locked"
    cycle = journal.start(cycle.id, by="Kim", at="2026-10-26")
    cycle = journal.do(cycle.id, as_planned="fully", observations=["they like it"], by="Ana", at="2026-12-11")
    assert cycle.doing.observations == ("they like it",)
    study = journal.study(cycle.id, frames, as_of="2026-12-14", learned="Short is better")
    assert (study.is_preregistered, study.learned) == (True, "Short is better")
    if is_real:
        assert (study.signal, study.prediction, study.recommendation) == ("improved", "met", "adopt")
    else:
        assert study.signal == "no_signal"
        assert study.recommendation != "adopt"
    cycle = journal.decide(cycle.id, study.recommendation, by="Ana")
    assert cycle.state == "decided"
    assert (cycle.decision.chosen, cycle.decision.is_override) == (study.recommendation, False)
    assert cycle.study == study
    # The journal's study is the pure function's, with what the journal knows.
    alone = bs.study(
        cycle.plan, frames, "2026-12-14", locked_at=cycle.locked_at, doing=cycle.doing, learned="Short is better"
    )
    assert alone == study


def test_an_unlocked_plan_does_not_reach_the_study(journal):
    id = at_state(journal, "draft")
    with pytest.raises(ex.IllegalTransitionError, match="lock or cancel"):
        journal.study(id, HIGHER, "2026-11-20")
    # Locked after the data had come: exploration.
    journal.lock(id, by="Kim", at="2026-10-20")
    journal.start(id, by="Kim")
    journal.do(id, as_planned="fully", by="Kim")
    study = journal.study(id, HIGHER, "2026-11-20")
    assert (study.recommendation, study.reasons) == ("continue_test", ("not_preregistered",))


def test_an_open_window_has_no_verdict_and_a_restudy_stands_beside(journal):
    id = at_state(journal, "doing")
    journal.do(id, as_planned="fully", by="Kim")
    early = journal.study(id, HIGHER, "2026-10-20", learned="early")
    assert (early.signal, early.recommendation) == ("insufficient", "continue_test")
    assert "interim" in {note.code for note in early.caveats}
    late = journal.study(id, HIGHER, "2026-11-20", learned="late")
    cycle = journal.cycle(id)
    assert cycle.studies == (early, late)
    assert cycle.study == late
    assert journal.decide(id, "adopt", by="Ana").decision.recommended == "adopt"


def test_a_choice_other_than_the_recommended_needs_a_reason(journal):
    id = at_state(journal, "studied")
    for reason in ("", "  "):
        with pytest.raises(ex.InvalidRecordError, match="say why"):
            journal.decide(id, "abandon", reason=reason, by="Ana")
    with pytest.raises(ex.InvalidOptionError, match="adopt, adapt, abandon, continue_test"):
        journal.decide(id, "maybe", by="Ana")
    assert journal.cycle(id).state == "studied"
    decision = journal.decide(id, "abandon", reason="The room closes", by="Ana").decision
    assert (decision.is_override, decision.recommended, decision.reason) == (True, "adopt", "The room closes")


LEGAL = {
    "draft": {"lock", "cancel"},
    "planned": {"start", "amend", "cancel"},
    "doing": {"do", "study", "amend", "cancel"},
    "studied": {"study", "decide"},
    "decided": set(),
    "cancelled": set(),
}


@pytest.mark.parametrize("state", LEGAL)
def test_illegal_moves_name_the_legal_ones(journal, state):
    for move in set(MOVES) - LEGAL[state]:
        id = at_state(journal, state)
        before = journal.cycle(id)
        with pytest.raises(ex.IllegalTransitionError) as caught:
            MOVES[move](journal, id)
        assert set(caught.value.details["legal"]) == LEGAL[state]
        assert caught.value.details["from"] == state
        for legal in LEGAL[state] or {"this state is final"}:
            assert legal in str(caught.value)
        assert journal.cycle(id) == before, "what is refused leaves no trace"
    for move in LEGAL[state]:
        MOVES[move](journal, at_state(journal, state))


def test_the_lock_lists_all_that_is_missing(journal):
    poor = plan(
        outcome=bs.Measure("score", direction="neutral"),
        predictions=[bs.Prediction("scores", at_least=1)],
        baseline=("2026-08-03", "2026-10-01"),
    )
    id = journal.draft(poor, by="Kim").id
    with pytest.raises(ex.PlanNotLockableError) as caught:
        journal.lock(id, by="Kim")
    assert len(caught.value.details["missing"]) == 3
    for part in ("end it earlier", "no good side", "the plan's measures are"):
        assert part in str(caught.value)
    with pytest.raises(ex.PlanNotLockableError, match="no prediction"):
        journal.lock(journal.draft(plan(predictions=[]), by="Kim").id, by="Kim")


def test_amendments_stand_beside_the_locked_plan(journal):
    id = at_state(journal, "planned")
    locked = journal.cycle(id)
    journal.amend(id, "Start on a Tuesday", by="Ana", at="2026-09-28")
    journal.start(id, by="Kim", at="2026-09-28")
    cycle = journal.amend(id, "Room 3 as well", by="Ana", at="2026-10-20")
    assert [amendment.is_after_data for amendment in cycle.amendments] == [False, True]
    assert (cycle.plan, cycle.plan_hash) == (locked.plan, locked.plan_hash)
    journal.do(id, as_planned="fully", by="Kim")
    study = journal.study(id, HIGHER, "2026-11-20")
    assert "amended_after_data" in {note.code for note in study.caveats}
    with pytest.raises(ex.InvalidRecordError, match=r"Amendment\.note"):
        journal.amend(at_state(journal, "planned"), " ", by="Ana")


def test_earlier_tries_of_the_same_idea_are_found(journal):
    big = {"predictions": [bs.Prediction("score", at_least=8.0)], "practice": "worked examples"}
    seen = []
    for _ in range(2):
        id = at_state(journal, "doing", **big)
        journal.do(id, as_planned="fully", by="Kim")
        seen.append(journal.study(id, LEVEL, "2026-11-20"))
        journal.decide(id, seen[-1].recommendation, by="Ana")
    assert [study.n_tries for study in seen] == [1, 2]
    assert [study.recommendation for study in seen] == ["adapt", "abandon"]


def test_what_was_done_may_be_corrected(journal):
    id = at_state(journal, "doing")
    journal.do(id, as_planned="partly", observations="only one thing", surprises=("a", "b"), by="Kim")
    cycle = journal.cycle(id)
    assert (cycle.doing.observations, cycle.doing.surprises) == (("only one thing",), ("a", "b"))
    assert journal.do(id, as_planned="fully", fidelity=0.95, by="Kim").doing == bs.Doing("fully", fidelity=0.95)
    assert journal.cycle(id).state == "doing"


def test_of_two_movers_one_wins(journal, path):
    id = journal.draft(plan(), by="Kim").id
    seen = journal.cycle(id).version
    with bs.Journal(path) as other:
        other.lock(id, by="Ana", at="2026-09-27", version=seen)
        with pytest.raises(ex.ConflictError, match="read it again") as caught:
            journal.cancel(id, by="Kim", reason="no time", version=seen)
        assert (caught.value.details["expected"], caught.value.details["found"]) == (1, 2)
        assert other.cycle(id) == journal.cycle(id)
        assert journal.start(id, by="Kim", version=2).version == 3


def test_an_id_is_taken_once(journal):
    journal.draft(plan(), by="Kim", id="late-1")
    with pytest.raises(ex.ConflictError, match="late-1"):
        journal.draft(plan(), by="Kim", id="late-1")
    assert len({journal.draft(plan(), by="Kim").id for _ in range(5)}) == 5


def test_what_was_written_is_read_again(path):
    with bs.Journal(path) as journal:
        first, second = at_state(journal, "decided"), at_state(journal, "draft")
        cycles = journal.cycles()
    assert [cycle.id for cycle in cycles] == [first, second]
    with bs.Journal(str(path)) as again:  # as text too
        assert again.cycles() == cycles
        assert again.cycle(first) == cycles[0]
        assert again.verify() == 7
        assert again.head() == again.history(second)[-1].hash
        history = again.history(first)
        assert [event.kind for event in history] == [
            f"cycle.{kind}" for kind in ("drafted", "locked", "started", "done", "studied", "decided")
        ]
        assert [event.version for event in history] == [1, 2, 3, 4, 5, 6]
        assert history[1].at == datetime(2026, 9, 27, tzinfo=UTC)
        assert [event.by for event in history] == ["Kim", "Kim", "Kim", "Kim", "brightspot", "Ana"]
        assert history[0].payload["event"]["kind"] == "drafted"
        assert len({event.hash for event in history}) == 6
        assert bs.Plan.from_dict(history[0].payload["event"]["data"]["plan"]) == plan()


def test_moments_of_every_kind(journal):
    east = datetime(2026, 9, 27, 9, tzinfo=timezone(timedelta(hours=-5)))
    for at, kept in (
        ("2026-09-27", datetime(2026, 9, 27, tzinfo=UTC)),
        (date(2026, 9, 27), datetime(2026, 9, 27, tzinfo=UTC)),
        (east, east),
        ("2026-09-27T09:00:00-05:00", east),
        (datetime(2026, 9, 27, 9), datetime(2026, 9, 27, 9).astimezone()),
    ):
        assert journal.draft(plan(), by="Kim", at=at).created_at == kept
    before = datetime.now(UTC)
    assert before <= journal.draft(plan(), by="Kim").created_at <= datetime.now(UTC)


def test_a_closed_journal_says_so(path):
    journal = bs.Journal(path)
    id = journal.draft(plan(), by="Kim").id
    journal.close()
    journal.close()
    for use in (
        journal.cycles,
        journal.verify,
        lambda: journal.cycle(id),
        lambda: journal.history(id),
        lambda: journal.draft(plan(), by="Kim"),
        lambda: journal.lock(id, by="Kim"),
    ):
        with pytest.raises(ex.StoreError, match="it is closed"):
            use()
    assert "it is closed" in journal._repr_html_()
    assert isinstance(ex.StoreError("x"), OSError)


def test_a_journal_shows_itself(journal, path):
    at_state(journal, "decided", title="Worked <examples>")
    shown = str(path).replace("postgres:@", "postgres:***@")
    assert repr(journal) == f"Journal({shown!r})"
    assert journal.place == shown
    shown = journal._repr_html_()
    assert "Worked &lt;examples&gt;" in shown
    assert "decided" in shown


def test_what_is_no_journal_is_refused(tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("These are my notes. " * 100)
    foreign = tmp_path / "grades.db"
    with sqlite3.connect(foreign) as file:
        file.execute("CREATE TABLE grades (id)")
    file.close()
    for path, part in (
        (notes, "give the path of a journal"),
        (foreign, "is a database of another program"),
        (tmp_path, "check that the folder exists"),
        (tmp_path / "nowhere" / "plc.db", "check that the folder exists"),
        ("/proc/plc.db" if Path("/proc").is_dir() else tmp_path, "check that the folder exists"),
    ):
        with pytest.raises(ex.StoreError, match=part) as caught:
            bs.Journal(path)
        assert str(path) in str(caught.value)
    assert notes.read_text().startswith("These are my notes.")
    file = sqlite3.connect(foreign)
    assert file.execute("SELECT name FROM sqlite_schema").fetchall() == [("grades",)]
    file.close()


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="no file's mode holds this user back")
def test_a_read_only_file_can_not_be_written(file):
    bs.Journal(file).close()
    file.chmod(0o444)
    file.parent.chmod(0o555)
    try:
        with pytest.raises(ex.StoreError, match="may be written to"):
            bs.Journal(file)
    finally:
        file.parent.chmod(0o755)
        file.chmod(0o644)


@pytest.mark.parametrize("path", ["", "  ", None, 3, b"plc.db", "\ud800.db"])
def test_a_path_that_is_none(path):
    with pytest.raises(ex.InvalidOptionError, match="path"):
        bs.Journal(path)


@pytest.mark.parametrize(
    ("option", "call"),
    [
        ("by", lambda journal, id: journal.lock(id, by=None)),
        ("by", lambda journal, id: journal.lock(id, by="\ud800")),
        ("id", lambda journal, id: journal.lock(3, by="Kim")),
        ("id", lambda journal, id: journal.cycle(None)),
        ("at", lambda journal, id: journal.lock(id, by="Kim", at=3)),
        ("at", lambda journal, id: journal.lock(id, by="Kim", at="today")),
        ("at", lambda journal, id: journal.lock(id, by="Kim", at="2026-09-27T12:00")),
        ("version", lambda journal, id: journal.lock(id, by="Kim", version=-1)),
        ("version", lambda journal, id: journal.lock(id, by="Kim", version="1")),
        ("version", lambda journal, id: journal.lock(id, by="Kim", version=True)),
        ("note", lambda journal, id: journal.amend(id, None, by="Kim")),
        ("reason", lambda journal, id: journal.cancel(id, by="Kim", reason=3)),
        ("chosen", lambda journal, id: journal.decide(id, None, by="Kim")),
        ("plan", lambda journal, id: journal.draft(plan().to_dict(), by="Kim")),
        ("frames", lambda journal, id: journal.study(id, {"scores": HIGHER}, "2026-11-20")),
        ("as_of", lambda journal, id: journal.study(id, HIGHER, "soon")),
        ("as_of", lambda journal, id: journal.study(id, HIGHER, None)),
    ],
)
def test_arguments_that_can_not_be(journal, option, call):
    id = at_state(journal, "doing" if option in ("frames", "as_of") else "draft")
    before = journal.verify()
    with pytest.raises(ex.InvalidOptionError, match=f"{option} = "):
        call(journal, id)
    assert journal.verify() == before


def test_records_that_break_their_rules_are_not_kept(journal):
    id = at_state(journal, "doing")
    before = journal.verify()
    for move, path in (
        (lambda: journal.draft(plan(), by="Kim", id=""), r"Cycle\.id"),
        (lambda: journal.draft(plan(), by="Kim", id="  "), r"Cycle\.id"),
        (lambda: journal.do(id, as_planned="mostly", by="Kim"), r"Doing\.as_planned"),
        (lambda: journal.do(id, fidelity=1.5, by="Kim"), r"Doing\.fidelity"),
        (lambda: journal.cancel(id, reason=" ", by="Kim"), r"Cancellation\.reason"),
    ):
        with pytest.raises(ex.InvalidRecordError, match=path):
            move()
    for missing in ("nope", ""):
        with pytest.raises(ex.NotFoundError, match="lists those there are"):
            journal.lock(missing, by="Kim")
    with pytest.raises(ex.NotFoundError):
        journal.history("nope")
    assert isinstance(ex.NotFoundError("x"), KeyError)
    assert journal.verify() == before


@pytest.mark.parametrize(
    ("sql", "where"),
    [
        ("UPDATE events SET by = 'Mr. Smith' WHERE seq = 3", "event 3"),
        ("UPDATE events SET at = '2026-01-01T00:00:00Z' WHERE seq = 2", "event 2"),
        ("UPDATE events SET payload = CAST(replace(CAST(payload AS TEXT), '3', '2') AS BLOB) WHERE seq = 1", "event 1"),
        ("DELETE FROM events WHERE seq = 2", "event 2 is missing"),
        ("DELETE FROM events WHERE seq = 6", "events after event 5 are missing"),
        ("DELETE FROM events", "events after event 0 are missing"),
    ],
)
def test_tampering_shows(file, sql, where):
    with bs.Journal(file) as journal:
        at_state(journal, "decided")
        assert journal.verify() == 6
    altered = sqlite3.connect(file)
    with pytest.raises(sqlite3.IntegrityError, match="events are never"):
        altered.execute(sql)
    altered.executescript("DROP TRIGGER events_are_not_changed; DROP TRIGGER events_are_not_deleted;")
    with altered:
        assert altered.execute(sql).rowcount > 0
    altered.close()
    with bs.Journal(file) as journal, pytest.raises(ex.TamperedError, match=where) as caught:
        journal.verify()
    assert caught.value.code == "tampered"


def test_a_newer_journal_is_not_guessed_at(file):
    bs.Journal(file).close()
    altered = sqlite3.connect(file)
    with altered:
        altered.execute("UPDATE meta SET value = '3' WHERE key = 'schema_version'")
    altered.close()
    with pytest.raises(ex.NewerSchemaError, match="upgrade brightspot"):
        bs.Journal(file)


# A process that drafts and locks cycles, and says what was acknowledged.
WRITER = """
import sys
import brightspot as bs

path, name, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
plan = bs.Plan(
    aim="Scores rise by 3 points", change="Begin with a worked example", outcome=bs.Measure("score"),
    predictions=[bs.Prediction("score", at_least=3.0)],
    baseline=("2026-08-03", "2026-09-27"), test=("2026-09-28", "2026-11-08"),
)
with bs.Journal(path) as journal:
    for i in range(n):
        journal.draft(plan, by=name, id=f"{name}-{i}")
        print(f"{name}-{i} 1", flush=True)
        journal.lock(f"{name}-{i}", by=name, version=1)
        print(f"{name}-{i} 2", flush=True)
"""


def writer(path: Path | str, name: str, n: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(path), name, str(n)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_eight_processes_write_one_journal(path):
    # All open a journal that does not exist yet.
    names = [f"writer-{i}" for i in range(8)]
    writers = [writer(path, name, 4) for name in names]
    for process in writers:
        told, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
        assert len(told.splitlines()) == 8
    with bs.Journal(path) as journal:
        assert journal.verify() == 64
        cycles = journal.cycles()
    assert len(cycles) == 32
    assert {cycle.state for cycle in cycles} == {"planned"}
    assert {cycle.created_by for cycle in cycles} == set(names)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("n_seen", [1, 14, 31])
def test_a_killed_process_loses_nothing_that_was_acknowledged(path, n_seen):
    process = writer(path, "one", 100_000)
    assert process.stdout is not None
    acknowledged = [process.stdout.readline().split() for _ in range(n_seen)]
    process.kill()
    # What is still in the pipe was acknowledged too; a line may be torn.
    rest, _ = process.communicate(timeout=60)
    acknowledged += [line.split() for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    assert process.returncode == -signal.SIGKILL
    with bs.Journal(path) as journal:
        assert journal.verify() >= len(acknowledged) >= n_seen
        for id, version in acknowledged:
            assert journal.cycle(id).version >= int(version)
        # And it goes on.
        assert journal.draft(plan(), by="Kim").state == "draft"


def test_a_checklist_is_recorded_with_what_was_done(tmp_path):
    plan = bs.Plan(
        aim="Fractions secure by winter",
        change="Number talks",
        outcome=bs.Measure("exit ticket"),
        predictions=[bs.Prediction("exit ticket", at_least=3.0)],
        baseline=("2026-09-01", "2026-10-25"),
        test=("2026-10-26", "2026-12-11"),
        checklist=["Books are closed.", "Two ways are compared."],
    )
    with bs.Journal(tmp_path / "plc.db") as journal:
        id = journal.draft(plan, by="Kim", at="2026-09-01").id
        journal.lock(id, by="Kim", at="2026-10-25")
        journal.start(id, by="Kim", at="2026-10-26")
        seen = {"Books are closed.": True, "Two ways are compared.": 0.4}
        doing = journal.do(id, as_planned="fully", checklist=seen, by="Kim", at="2026-12-11").doing
        assert doing is not None
        assert dict(doing.checklist) == {"Books are closed.": 1.0, "Two ways are compared.": 0.4}
        study = journal.study(id, {}, as_of="2026-12-14", at="2026-12-14")
        assert (study.fidelity, study.fidelity_score) == ("partly", 0.7), "the lesser of word and checklist"
        assert "fidelity_by_score" in [note.code for note in study.caveats]
    with bs.Journal(tmp_path / "other.db") as journal:
        id = journal.draft(plan, by="Kim", at="2026-09-01").id
        journal.lock(id, by="Kim", at="2026-10-25")
        journal.start(id, by="Kim", at="2026-10-26")
        for wrong, told in [
            ({"Books closed": 1.0}, "no item of the plan's checklist"),
            ({"Books are closed.": 3}, "between 0 and 1"),
        ]:
            with pytest.raises(ex.InvalidRecordError, match=told):
                journal.do(id, checklist=wrong, by="Kim", at="2026-12-11")
