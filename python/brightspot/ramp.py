"""The ramp: from one classroom to all, a step at a time, on evidence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import polars as pl

from brightspot import _core, words
from brightspot._record import plain
from brightspot._records import Cycle
from brightspot._result import Note, page
from brightspot.exceptions import InvalidOptionError

if TYPE_CHECKING:
    import altair as alt

Belief = Literal["low", "high"]
FailureCost = Literal["large", "small"]
Readiness = Literal["not_ready", "indifferent", "ready"]
TestSize = Literal["very_small", "small", "large", "implement"]


class _HasCycles(Protocol):
    def cycles(self) -> Iterable[Cycle]: ...


@dataclass(frozen=True, slots=True, repr=False)
class Ramp:
    """A chain of cycles on one idea, and the next step: what :func:`ramp` returns.

    Attributes
    ----------
    cycles
        One row per cycle, in the order of their tests: ``id``, ``follows``, ``state``, ``scale`` (places), ``context``
        (in words), ``starts`` and ``ends`` (the test window), ``signal``, ``decision``, ``is_confirmed`` (adopted, as
        the study recommended).
    next_scale
        In how many places to test next; ``"all"`` for all there are; None where there is no next test.
    reason
        ``begin``, ``step_up``, ``same_scale``, ``held_back``, ``stopped``, ``finished``.
    confirmed_at
        The largest number of places in which the change was confirmed; None where it never was.
    confirmed_contexts
        Every condition of the confirmed cycles, with its values.
    belief
        How sure one may be: ``high`` after two confirmed cycles that met their predictions under different conditions
        with nothing abandoned since, else ``low``.
    test_size
        What the table of sizes says, where the cost of failure and readiness were given.
    notes
        Caveats: ``skipped_step``, ``adopted_against_evidence``.

    Examples
    --------
    >>> import brightspot as bs, tempfile, pathlib
    >>> plan = bs.Plan(
    ...     aim="Fractions secure by winter", change="Number talks", outcome=bs.Measure("exit ticket"),
    ...     baseline=("2026-09-01", "2026-10-25"), test=("2026-10-26", "2026-12-11"),
    ... )
    >>> with tempfile.TemporaryDirectory() as folder, bs.Journal(pathlib.Path(folder) / "plc.db") as journal:
    ...     cycle = journal.draft(plan, by="Kim")
    ...     bs.ramp(journal, cycle.id)
    Ramp(1 cycle; next: 1 place, to begin)
    """

    cycles: pl.DataFrame
    next_scale: int | Literal["all"] | None
    reason: Literal["begin", "step_up", "same_scale", "held_back", "stopped", "finished"]
    confirmed_at: int | None
    confirmed_contexts: dict[str, list[str]]
    belief: Belief
    test_size: TestSize | None
    notes: tuple[Note, ...]

    def sentences(self) -> list[str]:
        """Say in plain words where the change stands, and how large the next test should be."""
        return words.ramp(self)

    def plot(self, *, title: str = "", width: int | None = None, height: int | None = None) -> alt.TopLevelMixin:
        """Draw the cycles over time, one line each, marked by what was decided.

        Parameters
        ----------
        title
            A heading.
        width, height
            In pixels.
        """
        from brightspot.plot.ramp import draw

        return draw(self, title=title, width=width or 480, height=height)

    def __repr__(self) -> str:
        return f"Ramp({self._title()})"

    def _title(self) -> str:
        return f"{words.counted(self.cycles.height, 'cycle')}; {words.ramp_next(self)}"

    def _repr_html_(self) -> str:
        return page(self._title(), self.sentences(), [("cycles", self.cycles)], self.notes)


def ramp(
    cycles: Iterable[Cycle] | _HasCycles,
    of: Cycle | str,
    *,
    steps: Sequence[int] = (1, 3, 5, 25),
    n_places: int | None = None,
    belief: Belief | None = None,
    cost_of_failure: FailureCost | None = None,
    readiness: Readiness | None = None,
) -> Ramp:
    """Put the cycles of one idea in order, and say how large the next test should be.

    A larger scale needs a cycle that was confirmed at the present one: adopted, as its study recommended. A test under
    new conditions widens the contexts, not the scale. Where the cost of failure and the people's readiness are given,
    the next step is at most the one that Langley's table of sizes allows.

    Parameters
    ----------
    cycles
        A journal, or cycles of whatever ideas.
    of
        One cycle of the chain, or its id. The chain holds the cycles of the same practice (or, without one, of the same
        change) and those that a plan says it ``follows``, on and on.
    steps
        Rising numbers of places; after the last come all.
    n_places
        How many places there are in all, where that is known.
    belief
        How sure people are; None follows the evidence.
    cost_of_failure, readiness
        What a failure would cost, and whether the people concerned want the change; give both or neither.

    Returns
    -------
    Ramp
        ``.cycles``, ``.next_scale``, ``.reason``, ``.confirmed_at``, ``.confirmed_contexts``, ``.plot()``.

    Raises
    ------
    NotFoundError
        Where no cycle has that id.
    InvalidOptionError
        For steps that do not rise, unknown words, and one of cost and readiness without the other.

    References
    ----------
    Langley GJ et al. (2009). The improvement guide, 2nd edition. Jossey-Bass, table 7.1.

    Examples
    --------
    >>> import brightspot as bs
    >>> bs.ramp([], "number-talks-1")
    Traceback (most recent call last):
    ...
    brightspot.exceptions.NotFoundError: ...
    """
    if (cost_of_failure is None) != (readiness is None):
        missing = "readiness" if readiness is None else "cost_of_failure"
        raise InvalidOptionError(
            f"{missing} = None is not possible: it must be given with the other of cost_of_failure and readiness",
            option=missing,
            value="None",
        )
    every = list(cast("_HasCycles", cycles).cycles() if hasattr(cycles, "cycles") else cast("Iterable[Cycle]", cycles))
    outlook = {"belief": belief, "cost_of_failure": cost_of_failure, "readiness": readiness}
    request = {
        "of": of.id if isinstance(of, Cycle) else of,
        "steps": list(steps),
        "n_places": n_places,
        "outlook": None if cost_of_failure is None else outlook,
    }
    found: dict[str, Any] = _core.ramp([plain(cycle) for cycle in every], request)
    plans = {cycle.id: cycle.plan for cycle in every}
    # {"places": 3}, "all", or nothing.
    step: dict[str, int] | Literal["all"] | None = found["next"]
    return Ramp(
        cycles=_table(found["cycles"], plans),
        next_scale=step["places"] if isinstance(step, dict) else step,
        reason=found["reason"],
        confirmed_at=found["confirmed_at"],
        confirmed_contexts=found["confirmed_contexts"],
        belief=found["belief"],
        test_size=found["test_size"],
        notes=tuple(Note.from_dict(note) for note in found["notes"]),
    )


def _table(cycles: Sequence[dict[str, Any]], plans: dict[str, Any]) -> pl.DataFrame:
    rows = [
        {
            **cycle,
            "context": words.listed([f"{name} {value}" for name, value in cycle["context"].items()]),
            "starts": plans[cycle["id"]].test[0],
            "ends": plans[cycle["id"]].test[1],
        }
        for cycle in cycles
    ]
    schema = {
        "id": pl.String,
        "follows": pl.String,
        "state": pl.String,
        "scale": pl.Int64,
        "context": pl.String,
        "starts": pl.Date,
        "ends": pl.Date,
        "signal": pl.String,
        "decision": pl.String,
        "is_confirmed": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema)


def size_of_test(belief: Belief, cost_of_failure: FailureCost, readiness: Readiness) -> TestSize:
    """Say how large a test should be, by three things that people know.

    More belief, a smaller cost of failure or more readiness never make it smaller.

    Parameters
    ----------
    belief
        How sure people are that the change is an improvement: ``"low"`` or ``"high"``.
    cost_of_failure
        ``"large"`` where a failure does harm that is hard to undo, else ``"small"``.
    readiness
        Whether the people concerned want the change: ``"not_ready"``, ``"indifferent"`` or ``"ready"``.

    Returns
    -------
    str
        ``"very_small"`` (one classroom, one week), ``"small"``, ``"large"`` or ``"implement"``.

    Raises
    ------
    InvalidOptionError
        For any other word.

    References
    ----------
    Langley GJ et al. (2009). The improvement guide, 2nd edition. Jossey-Bass, table 7.1.

    Examples
    --------
    >>> import brightspot as bs
    >>> bs.size_of_test("low", "small", "ready")
    'small'
    """
    request = {"belief": belief, "cost_of_failure": cost_of_failure, "readiness": readiness}
    return cast("TestSize", _core.size_of_test(request))
