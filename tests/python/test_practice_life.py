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
