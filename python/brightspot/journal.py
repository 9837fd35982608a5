"""The journal: a team's cycles in one file that only grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from brightspot import _core
from brightspot._frames import iso
from brightspot._record import plain
from brightspot._records import Choice, Cycle, Doing, Fidelity, Plan, Study
from brightspot._result import escaped
from brightspot.cycle import Day, Frames, Moment, a_plan, frames_for, moment


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a cycle, as the journal keeps it."""

    seq: int
    kind: str
    version: int
    at: datetime
    by: str
    payload: dict[str, Any]
    hash: str


class Journal:
    """Cycles in one SQLite file, made on first use; every move is an event, and events are never changed.

    Use it as a context manager. Several processes may write to one file; a network share is no place for it. A move
    that the state of a cycle does not allow is refused with the moves that are legal. The file's chain of hashes shows
    tampering (``verify``).

    Parameters
    ----------
    path
        The file.

    Examples
    --------
    >>> import brightspot as bs, tempfile, pathlib
    >>> plan = bs.Plan(
    ...     aim="Fractions secure by winter", change="Number talks",
    ...     outcome=bs.Measure("exit ticket", value="score"),
    ...     predictions=[bs.Prediction("exit ticket", at_least=3.0, belief=0.7)],
    ...     baseline=("2026-09-01", "2026-10-25"), test=("2026-10-26", "2026-12-11"),
    ... )
    >>> with tempfile.TemporaryDirectory() as folder, bs.Journal(pathlib.Path(folder) / "plc.db") as journal:
    ...     cycle = journal.draft(plan, by="Kim")
    ...     cycle = journal.lock(cycle.id, by="Kim", at="2026-10-25")
    ...     cycle.state
    'planned'
    """

    def __init__(self, path: str | Path) -> None:
        self._path = str(path)
        self._journal = _core.Journal(self._path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; further calls raise a StoreError."""
        self._journal.close()

    def draft(self, plan: Plan, *, by: str, at: Moment | None = None, id: str | None = None) -> Cycle:
        """Draft a cycle; it gets a fresh id where none is given."""
        return _cycle(self._journal.draft(id or uuid4().hex, plain(a_plan(plan)), by, _at(at)))

    def lock(self, id: str, *, by: str, at: Moment | None = None, version: int | None = None) -> Cycle:
        """Lock the plan: from now on it does not change, and its predictions count.

        Raises
        ------
        PlanNotLockableError
            Which names everything that is missing.
        """
        return _cycle(self._journal.lock(id, by, _at(at), version))

    def amend(self, id: str, note: str, *, by: str, at: Moment | None = None, version: int | None = None) -> Cycle:
        """Note an amendment beside the locked plan; it is marked where it came after the first data."""
        return _cycle(self._journal.amend(id, note, by, _at(at), version))

    def start(self, id: str, *, by: str, at: Moment | None = None, version: int | None = None) -> Cycle:
        """Start the test."""
        return _cycle(self._journal.start(id, by, _at(at), version))

    def do(
        self,
        id: str,
        *,
        by: str,
        as_planned: Fidelity = "unknown",
        fidelity: float | None = None,
        observations: Sequence[str] = (),
        surprises: Sequence[str] = (),
        at: Moment | None = None,
        version: int | None = None,
    ) -> Cycle:
        """Record what was done: whether as planned, the share of planned steps, what was seen and what surprised."""
        doing = Doing(
            as_planned=as_planned, fidelity=fidelity, observations=tuple(observations), surprises=tuple(surprises)
        )
        return _cycle(self._journal.do(id, plain(doing), by, _at(at), version))

    def study(
        self,
        id: str,
        frames: Frames,
        as_of: Day,
        *,
        learned: str = "",
        by: str = "brightspot",
        at: Moment | None = None,
        version: int | None = None,
    ) -> Study:
        """Study a cycle's data (:func:`brightspot.study`) and keep the study; again, it stands beside the older."""
        chosen = frames_for(self.cycle(id).plan, frames)
        result, _ = self._journal.study(id, chosen, str(iso(as_of)), learned, by, _at(at), version)
        return Study(**result)

    def decide(
        self,
        id: str,
        chosen: Choice,
        *,
        by: str,
        reason: str = "",
        at: Moment | None = None,
        version: int | None = None,
    ) -> Cycle:
        """Record what the team decided; a decision other than the recommendation needs a reason."""
        return _cycle(self._journal.decide(id, chosen, reason, by, _at(at), version))

    def cancel(self, id: str, *, by: str, reason: str, at: Moment | None = None, version: int | None = None) -> Cycle:
        """Give a cycle up; it stays on record."""
        return _cycle(self._journal.cancel(id, reason, by, _at(at), version))

    def cycle(self, id: str) -> Cycle:
        """A cycle as it stands."""
        return _cycle(self._journal.cycle(id))

    def cycles(self) -> tuple[Cycle, ...]:
        """All cycles, in the order in which they were drafted."""
        return tuple(_cycle(data) for data in self._journal.cycles())

    def history(self, id: str) -> tuple[Event, ...]:
        """What happened to a cycle, the oldest first."""
        return tuple(Event(at=datetime.fromisoformat(event.pop("at")), **event) for event in self._journal.history(id))

    def verify(self) -> int:
        """Check the chain of hashes; returns the number of events.

        Raises
        ------
        TamperedError
            At the first event that is not what was written.
        """
        return self._journal.verify()

    def __repr__(self) -> str:
        return f"Journal({self._path!r})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escaped(cycle.id)}</td><td>{escaped(cycle.plan.title or cycle.plan.change)}</td>"
            f"<td>{escaped(cycle.state)}</td></tr>"
            for cycle in self.cycles()
        )
        heads = "<tr><th>id</th><th>change</th><th>state</th></tr>"
        return f"<p><strong>{escaped(repr(self))}</strong></p><table>{heads}{rows}</table>"


def _at(at: Moment | None) -> str:
    return moment(datetime.now(UTC) if at is None else at)


def _cycle(data: dict[str, Any]) -> Cycle:
    return Cycle(**data)
