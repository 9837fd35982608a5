"""The journal: a team's cycles and other records in one log that only grows."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast
from uuid import uuid4

import polars as pl

from brightspot import _core, _records, words
from brightspot._frames import iso
from brightspot._record import Record, is_unicode, plain
from brightspot._records import (
    Adoption,
    Choice,
    Cycle,
    Doing,
    Fidelity,
    Plan,
    Practice,
    PracticeRules,
    PracticeStanding,
    Study,
)
from brightspot._result import escaped
from brightspot.cycle import Day, Frames, Moment, a_plan, frames_for, moment
from brightspot.exceptions import InvalidOptionError, NotFoundError, StoreError
from brightspot.practice_life import life


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a record, as the journal keeps it.

    Attributes
    ----------
    seq
        Its place in the journal, from 1.
    record
        The id of the record.
    kind
        What happened: ``cycle.drafted``, ``cycle.locked``, ``measure.added`` ...
    version
        The version of the record after it.
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
    record: str
    kind: str
    version: int
    at: datetime
    by: str
    payload: dict[str, Any]
    hash: str


class History(tuple[Event, ...]):
    """What happened to a record, the oldest first: a tuple of events that shows itself as a table.

    Examples
    --------
    >>> import brightspot as bs, tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder, bs.Journal(pathlib.Path(folder) / "plc.db") as journal:
    ...     _ = journal.add(bs.Measure("fluency"), by="Kim", id="fluency", at="2026-09-01")
    ...     _ = journal.add(bs.Measure("fluency", value="score"), by="Ana", id="fluency", at="2026-09-08")
    ...     history = journal.history("fluency")
    >>> history.frame.select("seq", "kind", "version", "by").rows()
    [(1, 'measure.added', 1, 'Kim'), (2, 'measure.revised', 2, 'Ana')]
    """

    __slots__ = ()

    @property
    def frame(self) -> pl.DataFrame:
        """One row per event: seq, record, kind, version, at (UTC), by, hash."""
        columns = {
            "seq": pl.UInt64,
            "record": pl.String,
            "kind": pl.String,
            "version": pl.UInt64,
            "at": pl.Datetime("us", "UTC"),
            "by": pl.String,
            "hash": pl.String,
        }
        return pl.DataFrame([[getattr(event, name) for name in columns] for event in self], columns, orient="row")

    def _repr_html_(self) -> str:
        return self.frame._repr_html_()  # pyright: ignore[reportPrivateUsage] (what Jupyter calls)


@dataclass(frozen=True, slots=True)
class Filed:
    """A record as it is filed in a journal.

    Attributes
    ----------
    id
        Its id.
    version
        Its version, from 1.
    supersedes
        The version that this one stands for from now on; None for the first.
    by
        Who filed this version.
    at
        When.
    record
        The record.

    Examples
    --------
    >>> import brightspot as bs, tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder, bs.Journal(pathlib.Path(folder) / "plc.db") as journal:
    ...     filed = journal.add(bs.Measure("fluency", value="score"), by="Kim")
    ...     journal.record(filed.id).record
    Measure(name='fluency', value='score')
    """

    id: str
    version: int
    supersedes: int | None
    by: str
    at: datetime
    record: Record

    @property
    def kind(self) -> str:
        """The kind of record: ``Measure``, ``Plan`` ..."""
        return type(self.record).__name__


class Journal:
    """Cycles and other records, made on first use; every move is an event, and events are never changed.

    A journal is one SQLite file, or the tables of a PostgreSQL database for a district where many write at once. Use it
    as a context manager. Several processes of one machine may write to one file; a network share is no place for it. A
    move that the state of a cycle does not allow is refused with the moves that are legal. The chain of hashes shows
    tampering (``verify``).

    Parameters
    ----------
    path
        The file; or the URL of a database, ``postgresql://user:password@host:5432/name``. ``?schema=name`` chooses the
        schema in which the journal's tables stand (``brightspot`` otherwise). A server elsewhere is connected to with
        TLS and its certificate verified, unless the URL says ``sslmode=disable``. The password is never shown.

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
        self._journal = _core.Journal(_path(path))

    @classmethod
    def restore(cls, folder: str | Path, path: str | Path) -> Self:
        """Read a folder of JSON that :meth:`export` wrote into a journal, and open it.

        Parameters
        ----------
        folder
            The folder.
        path
            The file or URL of the journal: a new one, or one that holds the beginning of the same events.

        Raises
        ------
        TamperedError
            If the folder is not whole, or not what was written: then nothing is written.
        StoreError
            If the folder or the journal cannot be read or written, or the journal holds other events.
        """
        journal = cls.__new__(cls)
        journal._journal = _core.Journal.restore(_path(folder, "folder"), _path(path))
        return journal

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def place(self) -> str:
        """The path of the file, or the URL of the database without its password."""
        return self._journal.place

    def close(self) -> None:
        """Close the journal; further calls raise a StoreError."""
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
        checklist: Mapping[str, float] | None = None,
        observations: str | Sequence[str] = (),
        surprises: str | Sequence[str] = (),
        at: Moment | None = None,
        version: int | None = None,
    ) -> Cycle:
        """Record what was done; again, to correct it.

        Parameters
        ----------
        as_planned
            Whether the change was carried out as planned, as the team sees it.
        fidelity
            The share of the planned steps that were carried out, from 0 to 1, where it was counted.
        checklist
            For the items of the plan's ``checklist`` the share of occasions on which each was seen, 0 to 1; True or
            False where it was looked at once. Their mean stands for ``fidelity`` where that is not given. What a study
            takes is the lesser of ``as_planned`` and what the score says (``Plan.fidelity``: 80% and 60%).
        observations, surprises
            What was seen, and what nobody expected.

        Raises
        ------
        InvalidRecordError
            For a share outside of 0 to 1, and an item that the plan's checklist does not have.
        """
        shares = {item: float(share) if isinstance(share, bool) else share for item, share in (checklist or {}).items()}
        doing = Doing(
            as_planned,
            fidelity=fidelity,
            checklist=shares,
            observations=_each(observations),
            surprises=_each(surprises),
        )
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
        told = _text("learned", learned)
        result = self._journal.study(id, chosen, str(iso(as_of)), told, *_stamp(by, at, version))
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

    def add(
        self,
        record: Record,
        *,
        by: str,
        at: Moment | None = None,
        id: str | None = None,
        version: int | None = None,
    ) -> Filed:
        """File a record of any kind but a cycle; under the id of a filed record it supersedes that.

        Parameters
        ----------
        record
            The record.
        by
            Who files it.
        at
            When; now where it is left out.
        id
            Its id; where none is given, the record's own, or else a fresh one.
        version
            The version that you have seen (0: there is none yet): if another writer came first, a ConflictError.
        """
        if not isinstance(record, Record):  # pyright: ignore[reportUnnecessaryIsInstance] (what people give)
            raise InvalidOptionError(
                f"record = {record!r} is not possible: it must be a record, like a bs.Measure",
                option="record",
                value=repr(record),
            )
        own = getattr(record, "id", None)
        fresh = (own if isinstance(own, str) else uuid4().hex) if id is None else _text("id", id)
        return _filed(self._journal.add(fresh, type(record).__name__, plain(record), *_stamp(by, at, version)))

    def record(self, id: str, *, as_of: Moment | None = None) -> Filed:
        """A filed record as it stands, or as it stood (``as_of`` as for :meth:`cycle`)."""
        return _filed(self._journal.record(_text("id", id), _as_of(as_of)))

    def records(self, kind: str | type[Record], *, as_of: Moment | None = None) -> tuple[Filed, ...]:
        """All filed records of a kind (``bs.Measure`` or its name), in the order in which they began."""
        name = kind.__name__ if isinstance(kind, type) else _text("kind", kind)
        return tuple(_filed(data) for data in self._journal.records(name, _as_of(as_of)))

    def practice(
        self, id: str, *, as_of: str | date | None = None, rules: PracticeRules | None = None
    ) -> PracticeStanding:
        """How far a practice that is filed here has come, from the cycles and adoptions that are here too.

        Every day is judged by the version of the practice's record that stood then. Cycles belong to it whose plan
        names it; adoptions (``journal.add(bs.Adoption(...))``) whose ``practice`` does.

        Parameters
        ----------
        id
            The id under which the practice is filed, or its title.
        as_of
            The day; nothing later is read. None: today (UTC).
        rules
            How much each gate asks for.

        Raises
        ------
        NotFoundError
            Where no practice of that id or title is filed.
        InvalidOptionError
            Where several bear the title.
        """
        day = datetime.now(UTC).date() if as_of is None else date.fromisoformat(str(iso(as_of)))
        filed = self.records(Practice, as_of=day)
        found = [one for one in filed if one.id == id] or [
            one for one in filed if _title(one) == _text("id", id).strip()
        ]
        if not found:
            titles = ", ".join(repr(_title(one)) for one in filed) or "none"
            raise NotFoundError(
                f"no practice {id!r} is filed here by {words.day(day)}; filed are: {titles}", kind="practice", id=id
            )
        if len(found) > 1:
            ids = ", ".join(one.id for one in found)
            raise InvalidOptionError(
                f"{len(found)} practices are called {id!r}; give the id of one: {ids}",
                option="id",
                value=id,
                expected=f"one of {ids}",
            )
        events = [event for event in self.history(found[0].id) if event.at.date() <= day]
        versions = [
            (event.at.date(), cast("Practice", self.record(event.record, as_of=event.at).record)) for event in events
        ]
        adoptions = [cast("Adoption", one.record) for one in self.records(Adoption, as_of=day)]
        named = [one for one in adoptions if one.practice is not None]
        return life(versions, self.cycles(as_of=day), named, day, rules)

    def cycle(self, id: str, *, as_of: Moment | None = None) -> Cycle:
        """A cycle as it stands, or as it stood.

        Parameters
        ----------
        id
            The cycle.
        as_of
            A moment, or a date for the end of that day in UTC. What counts is when events happened by their own ``at``,
            not when they were written; from the first event that came later on, none counts.
        """
        return _cycle(self._journal.cycle(_text("id", id), _as_of(as_of)))

    def cycles(self, *, as_of: Moment | None = None) -> tuple[Cycle, ...]:
        """All cycles, in the order in which they were drafted; with ``as_of`` those there were, as they stood."""
        return tuple(_cycle(data) for data in self._journal.cycles(_as_of(as_of)))

    def history(self, id: str | None = None) -> History:
        """What happened to a record, the oldest first; without an id, everything that happened."""
        events = self._journal.history(None if id is None else _text("id", id))
        return History(Event(at=datetime.fromisoformat(event.pop("at")), **event) for event in events)

    def export(self, folder: str | Path) -> int:
        """Write the journal to a folder of JSON that git can keep, one file for each record; the number of events.

        The same journal gives the same bytes. Into a folder that holds an earlier state of it, what has changed is
        written.
        """
        return self._journal.export(_path(folder, "folder"))

    def verify(self) -> int:
        """Check the chain of hashes, and every locked plan against its lock; returns the number of events.

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
        return f"Journal({self.place!r})"

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


def _title(filed: Filed) -> str:
    return cast("Practice", filed.record).title.strip()


def _path(path: object, option: str = "path") -> str:
    text = os.fspath(cast("os.PathLike[str]", path)) if isinstance(path, os.PathLike) else path
    # SQLite takes an empty name for a file that vanishes when it is closed.
    if isinstance(text, str) and text.strip() and is_unicode(text):
        return text
    # What is no Unicode may be a URL with a password.
    given = "this text" if isinstance(text, str) and text.strip() else repr(cast("object", path))
    allowed = "the path of a file or the URL of a database" if option == "path" else "the path of a folder"
    raise InvalidOptionError(f"{option} = {given} is not possible: it must be {allowed}", option=option, value=given)


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


def _as_of(as_of: Moment | None) -> str | None:
    """The last moment that counts: that of a date is the end of its day."""
    if as_of is None:
        return None
    if isinstance(as_of, date) and not isinstance(as_of, datetime):
        as_of = datetime.combine(as_of, time.max, UTC)
    if isinstance(as_of, datetime):
        return moment(as_of)
    if isinstance(as_of, str):  # pyright: ignore[reportUnnecessaryIsInstance] (what people give)
        try:
            return _as_of(date.fromisoformat(as_of))
        except ValueError:
            return as_of
    raise InvalidOptionError(
        f"as_of = {as_of!r} is not possible: it must be a date or a moment", option="as_of", value=repr(as_of)
    )


def _filed(data: dict[str, Any]) -> Filed:
    kind: type[Record] = getattr(_records, data.pop("kind"))
    return Filed(at=datetime.fromisoformat(data.pop("at")), record=kind(**data.pop("record")), **data)


def _cycle(data: dict[str, Any]) -> Cycle:
    return Cycle(**data)
