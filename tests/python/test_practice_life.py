"""Practices as records, and how far they have come, through Python."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, replace

import polars as pl
import pytest

import brightspot as bs
from brightspot import exceptions as ex

DESCRIBED = bs.Practice(
    "retrieval practice",
    what="Three questions from last week, answered from memory.",
    active_ingredients=["from memory", "checked at once"],
    not_this=["a graded quiz"],
    fidelity=["Books are closed."],
    originator="Ms. Rivera",
)


def closed(tmp_path, team: str, grade: str, lift: float, chosen: str = "adopt") -> bs.Cycle:
    """A cycle of the practice, from draft to decision."""
    weeks = pl.date_range(pl.date(2026, 8, 10), pl.date(2026, 11, 9), interval="1w", eager=True)
    waves = [0.6, -0.4, 0.2, -0.6, 0.5, -0.3, 0.1, -0.1, 0.4, -0.5, 0.3, -0.2, 0.6, -0.6]
    rows = pl.DataFrame({"date": weeks, "score": [60 + w + (lift if i >= 8 else 0) for i, w in enumerate(waves)]})
    plan = bs.Plan(
        aim="Exit tickets rise",
        change="Retrieval at the start",
        outcome=bs.Measure("exit ticket", value="score"),
        predictions=[bs.Prediction("exit ticket", at_least=2.0, belief=0.7)],
        baseline=("2026-08-10", "2026-10-04"),
        test=("2026-10-05", "2026-11-15"),
        practice=DESCRIBED.title,
        team=team,
        context={"grade": grade},
    )
    with bs.Journal(tmp_path / f"{team}.db") as journal:
        id = journal.draft(plan, by="Kim", at="2026-08-01").id
        journal.lock(id, by="Kim", at="2026-08-02")
        journal.start(id, by="Kim", at="2026-10-05")
        journal.do(id, as_planned="fully", by="Kim", at="2026-11-15")
        journal.study(id, rows, as_of="2026-11-20", at="2026-11-20")
        return journal.decide(id, chosen, by="Kim", reason="we say so", at="2026-11-21")


def test_from_described_to_confirmed_and_back(tmp_path):
    cycles = [
        closed(tmp_path, "PLC 1", "5", 4.0),
        closed(tmp_path, "PLC 2", "5", 3.5),
        closed(tmp_path, "PLC 3", "4", 4.5),
    ]
    assert bs.practice_state(DESCRIBED, as_of="2026-12-01").state == "described"
    assert bs.practice_state(DESCRIBED, cycles, as_of="2026-11-20").state == "testing", "not decided yet"
    standing = bs.practice_state(DESCRIBED, cycles, as_of="2026-12-01")
    assert (standing.state, standing.n_closed, standing.adopters) == ("confirmed", 3, ("PLC 1", "PLC 2", "PLC 3"))
    assert standing.lo is not None
    assert standing.lo > 0
    assert any("consent" in missing for missing in standing.missing)
    told = standing.sentences()
    assert told[0] == "Retrieval practice is confirmed."
    assert told[1] == "3 closed cycles, all of them counted: 3 adopted."
    assert "confirmed" in standing._repr_html_()
    strict = bs.PracticeRules(closed_cycles=4)
    assert bs.practice_state(DESCRIBED, cycles, as_of="2026-12-01", rules=strict).state == "testing"
    drawer = [closed(tmp_path, f"PLC {k}", "5", -6.0, "abandon") for k in (4, 5)]
    standing = bs.practice_state(DESCRIBED, [*cycles, *drawer], as_of="2026-12-01")
    assert (standing.state, standing.n_abandon) == ("testing", 2)


def test_adoptions_spread_it(tmp_path):
    cycles = [closed(tmp_path, f"PLC {k}", str(k), 4.0) for k in (1, 2, 3)]
    shared = replace(DESCRIBED, consent=True)
    adoptions = [
        bs.Adoption(f"Room {k}", offered="2026-11-23", tried="2026-11-30", last_seen="2027-02-15") for k in range(5)
    ]
    state = bs.practice_state(shared, cycles, adoptions[:1], "2026-12-10").state
    assert state == "spreading"
    standing = bs.practice_state(shared, cycles, adoptions, "2027-03-10")
    assert (standing.state, standing.n_due, standing.n_kept) == ("standard", 5, 5)
    assert "5 of 5 keep it" in " ".join(standing.sentences())
    retired = replace(shared, retired=bs.Retirement("Replaced", on="2027-04-01"))
    assert bs.practice_state(retired, cycles, adoptions, "2027-04-01").state == "retired"


def test_records_are_frozen_comparable_and_strict():
    assert pickle.loads(pickle.dumps(DESCRIBED)) == DESCRIBED
    assert bs.Practice.from_dict(DESCRIBED.to_dict()) == DESCRIBED
    assert hash(DESCRIBED) == hash(replace(DESCRIBED))
    with pytest.raises(FrozenInstanceError):
        DESCRIBED.title = "x"  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
    for make, part in [
        (lambda: bs.Practice(" "), "title"),
        (lambda: bs.Practice("x", consent=True), "originator"),
        (lambda: bs.Origin(kind="data"), "outcome"),
        (lambda: bs.Origin(kind="rumour"), "kind"),  # pyright: ignore[reportArgumentType]
        (lambda: bs.Adoption("R", offered="2026-11-23", tried="2026-11-20"), "tried"),
        (lambda: bs.PracticeRules(closed_cycles=1), "closed_cycles"),
        (lambda: bs.Retirement(" ", on="2026-11-23"), "reason"),
    ]:
        with pytest.raises(ex.InvalidRecordError, match=part):
            make()


def test_its_steps_and_cycles_are_drawn_with_what_counts_against_it(tmp_path):
    cycles = [closed(tmp_path, f"PLC {k}", str(k), 4.0) for k in (1, 2, 3)]
    standing = bs.practice_state(DESCRIBED, cycles, as_of="2026-12-01")
    assert [step.state for step in standing.steps] == ["described", "testing", "confirmed"]
    assert [str(step.since) for step in standing.steps] == ["2026-08-01", "2026-08-02", "2026-11-21"]
    failed = closed(tmp_path, "PLC 4", "3", -6.0, "abandon")
    standing = bs.practice_state(DESCRIBED, [*cycles, failed], as_of="2026-12-01")
    assert sorted((one.by, one.counts) for one in standing.cycles) == [
        ("PLC 1", "for"),
        ("PLC 2", "for"),
        ("PLC 3", "for"),
        ("PLC 4", "against"),
    ]
    before = bs.practice_state(DESCRIBED, [*cycles, failed], as_of="2026-11-20")
    assert {one.counts for one in before.cycles} == {"open"}, "nothing later is read"
    told = standing.plot().to_dict()["description"]
    assert "PLC 4, grade 3, worse, harm or abandoned: counts against it, effect −6.0" in told
    assert "Described since 1 Aug 2026, then testing since 2 Aug 2026" in told
    bs.practice_state(bs.Practice("new"), as_of="2026-12-01").plot(title="Nothing yet").to_dict()


def test_a_journal_knows_how_far_its_practices_have_come(tmp_path):
    with bs.Journal(tmp_path / "plc.db") as journal:
        filed = journal.add(bs.Practice(DESCRIBED.title), by="Kim", at="2026-08-01")
        journal.add(DESCRIBED, by="Kim", id=filed.id, at="2026-09-01")
        journal.add(bs.Adoption("Room 1", offered="2026-09-02"), by="Kim", at="2026-09-02")
        journal.add(bs.Adoption("Room 2", offered="2026-09-02", practice=DESCRIBED.title), by="Kim", at="2026-09-02")
        standing = journal.practice(DESCRIBED.title, as_of="2026-10-01")
        assert standing == journal.practice(filed.id, as_of="2026-10-01")
        assert [(step.state, str(step.since)) for step in standing.steps] == [
            ("suspected", "2026-08-01"),
            ("described", "2026-09-01"),
        ]
        assert standing.n_offered == 1, "an adoption that names no practice is nobody's here"
        assert journal.practice(filed.id, as_of="2026-08-15").state == "suspected"
        with pytest.raises(ex.NotFoundError, match="filed are: 'retrieval practice'"):
            journal.practice("retrieval", as_of="2026-10-01")
        twin = journal.add(bs.Practice(DESCRIBED.title), by="Lee", at="2026-09-10")
        with pytest.raises(ex.InvalidOptionError, match=f"2 practices are called .*{twin.id}"):
            journal.practice(DESCRIBED.title, as_of="2026-10-01")
        assert journal.practice(twin.id, as_of="2026-10-01").state == "suspected"
