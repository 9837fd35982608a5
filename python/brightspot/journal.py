"""The journal: a team's cycles in one file that only grows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast
from uuid import uuid4

from brightspot import _core
from brightspot._frames import iso
from brightspot._record import is_unicode, plain
from brightspot._records import Choice, Cycle, Doing, Fidelity, Plan, Study
from brightspot._result import escaped
from brightspot.cycle import Day, Frames, Moment, a_plan, frames_for, moment
from brightspot.exceptions import InvalidOptionError, StoreError


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a cycle, as the journal keeps it.

    Attributes
    ----------
    seq
        Its place in the journal, from 1.
    kind
        What happened: ``cycle.drafted``, ``cycle.locked`` ...
    version
        The version of the cycle after it.
    at
        When it happened, as the writer said.
    by
        Who did it.
    payload
        The event as it was stored.
    hash
        SHA-256 over this event and the hash before it.

    Examples
    --------
    >>> import brightspot as bs, tempfile, pathlib
    >>> plan = bs.Plan(
    ...     aim="Fractions secure by winter", change="Number talks", outcome=bs.Measure("exit ticket"),
    ...     baseline=("2026-09-01", "2026-10-25"), test=("2026-10-26", "2026-12-11"),
    ... )
    >>> with tempfile.TemporaryDirectory() as folder, bs.Journal(pathlib.Path(folder) / "plc.db") as journal:
    ...     cycle = journal.draft(plan, by="Kim")
    ...     [(event.seq, event.kind, event.by) for event in journal.history(cycle.id)]
    [(1, 'cycle.drafted', 'Kim')]
    """

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
        self._path = _path(path)
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
        fresh = uuid4().hex if id is None else _text("id", id)
        return _cycle(self._journal.draft(fresh, plain(a_plan(plan)), _text("by", by), _at(at)))

    def lock(self, id: str, *, by: str, at: Moment | None = None, version: int | None = None) -> Cycle:
        """Lock the plan: from now on it does not change, and its predictions count.

        Raises
        ------
        PlanNotLockableError
            Which names everything that is missing.
        """
        return _cycle(self._journal.lock(_text("id", id), *_stamp(by, at, version)))

    def amend(self, id: str, note: str, *, by: str, at: Moment | None = None, version: int | None = None) -> Cycle:
        """Note an amendment beside the locked plan; it is marked where it came after the first data."""
        return _cycle(self._journal.amend(_text("id", id), _text("note", note), *_stamp(by, at, version)))

    def start(self, id: str, *, by: str, at: Moment | None = None, version: int | None = None) -> Cycle:
        """Start the test."""
        return _cycle(self._journal.start(_text("id", id), *_stamp(by, at, version)))

    def do(
        self,
        id: str,
        *,
        by: str,
        as_planned: Fidelity = "unknown",
        fidelity: float | None = None,
        observations: str | Sequence[str] = (),
        surprises: str | Sequence[str] = (),
        at: Moment | None = None,
        version: int | None = None,
    ) -> Cycle:
        """Record what was done: whether as planned, the share of planned steps, what was seen and what surprised."""
        doing = Doing(as_planned, fidelity=fidelity, observations=_each(observations), surprises=_each(surprises))
        return _cycle(self._journal.do(_text("id", id), plain(doing), *_stamp(by, at, version)))

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
        words = _text("learned", learned)
        result = self._journal.study(id, chosen, str(iso(as_of)), words, *_stamp(by, at, version))
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
        choice, why = _text("chosen", chosen), _text("reason", reason)
        return _cycle(self._journal.decide(_text("id", id), choice, why, *_stamp(by, at, version)))

    def cancel(self, id: str, *, by: str, reason: str, at: Moment | None = None, version: int | None = None) -> Cycle:
        """Give a cycle up; it stays on record."""
        return _cycle(self._journal.cancel(_text("id", id), _text("reason", reason), *_stamp(by, at, version)))

    def cycle(self, id: str) -> Cycle:
        """A cycle as it stands."""
        return _cycle(self._journal.cycle(_text("id", id)))

    def cycles(self) -> tuple[Cycle, ...]:
        """All cycles, in the order in which they were drafted."""
        return tuple(_cycle(data) for data in self._journal.cycles())

    def history(self, id: str) -> tuple[Event, ...]:
        """What happened to a cycle, the oldest first."""
        return tuple(
            Event(at=datetime.fromisoformat(event.pop("at")), **event)
            for event in self._journal.history(_text("id", id))
        )

    def verify(self) -> int:
        """Check the chain of hashes; returns the number of events.

        Raises
        ------
        TamperedError
            At the first event that is not what was written.
        """
        return self._journal.verify()

    def head(self) -> str | None:
        """The hash of the last event, which stands for the whole journal; None while it is empty.

        Keep it elsewhere (print it on a page) where somebody might rewrite the whole file.
        """
        return self._journal.head()

    def __repr__(self) -> str:
        return f"Journal({self._path!r})"

    def _repr_html_(self) -> str:
        try:
            cycles = self.cycles()
        except StoreError as error:
            return f"<p>{escaped(error)}</p>"
        rows = "".join(
            f"<tr><td>{escaped(cycle.id)}</td><td>{escaped(cycle.plan.title or cycle.plan.change)}</td>"
            f"<td>{escaped(cycle.state)}</td></tr>"
            for cycle in cycles
        )
        heads = "<tr><th>id</th><th>change</th><th>state</th></tr>"
        return f"<p><strong>{escaped(repr(self))}</strong></p><table>{heads}{rows}</table>"


def _path(path: object) -> str:
    given = repr(path)
    text = os.fspath(cast("os.PathLike[str]", path)) if isinstance(path, os.PathLike) else path
    # SQLite takes an empty name for a file that vanishes when it is closed.
    if isinstance(text, str) and text.strip() and is_unicode(text):
        return text
    raise InvalidOptionError(
        f"path = {given} is not possible: it must be the path of a file", option="path", value=given
    )


def _text(option: str, value: object) -> str:
    if isinstance(value, str) and is_unicode(value):
        return value
    raise InvalidOptionError(f"{option} = {value!r} is not possible: it must be text", option=option, value=repr(value))


def _each(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _stamp(by: str, at: Moment | None, version: int | None) -> tuple[str, str, int | None]:
    """Who, when, and the version that was seen."""
    if version is not None and not (type(version) is int and 0 <= version < 2**63):
        raise InvalidOptionError(
            f"version = {version!r} is not possible: it must be the version of the cycle that you have seen, as in "
            "cycle.version",
            option="version",
            value=repr(version),
        )
    return _text("by", by), _at(at), version


def _at(at: Moment | None) -> str:
    return moment(datetime.now(UTC) if at is None else at)


def _cycle(data: dict[str, Any]) -> Cycle:
    return Cycle(**data)
