"""Calibration: are a team's predictions getting better?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import polars as pl

from brightspot import _core, words
from brightspot._record import plain
from brightspot._records import Cycle, Study
from brightspot._result import Note, page
from brightspot.exceptions import InvalidOptionError

if TYPE_CHECKING:
    import altair as alt


class _HasCycles(Protocol):
    def cycles(self) -> Iterable[Cycle]: ...


@dataclass(frozen=True, slots=True, repr=False)
class Calibration:
    """Stated beliefs held against what came: what :func:`calibration` returns.

    Attributes
    ----------
    n
        Predictions that stated a belief and have been judged.
    brier
        The mean of (belief - what came)², with 1 for a prediction that came true: 0 is perfect, .25 is what
        "fifty-fifty" always gets.
    reliability, resolution, uncertainty, within
        Its parts: ``brier = reliability - resolution + uncertainty + within``. Reliability is how far beliefs lie from
        the shares that came true; resolution how far those shares differ from each other; uncertainty what nobody can
        help; ``within`` what is left over where unequal beliefs are grouped.
    skill
        How much better than always stating the overall share; None where all or none came true.
    mean_belief, hit_rate
        The mean of the beliefs, and the share that came true.
    leaning
        ``overconfident`` or ``underconfident`` where the number that came true would be as far off in at most 5% of
        teams whose beliefs are right; else ``no_leaning``; ``insufficient`` where no outcome could have told.
    p_overconfident, p_underconfident
        The probabilities behind it, exact.
    learning
        ``improving`` or ``declining`` where the scores fall or rise over time more steadily than chance allows (5%);
        else ``no_trend``; ``insufficient`` below 8 predictions.
    p_learning
        The probability of as steady a fall in random order.
    brier_earlier, brier_later
        The scores of the earlier and the later half.
    groups
        One row per stated belief (per tenth, where there are more than ten): ``n``, ``belief``, ``hit_rate``, and the
        exact 90% interval ``lo`` to ``hi`` of that share.
    predictions
        One row per prediction, in the order of time: ``on``, ``of``, ``measure``, ``belief``, ``is_hit``, ``brier``.
    notes
        Caveats, each with a code and a count.

    Examples
    --------
    >>> import brightspot as bs
    >>> tickets = bs.datasets.district(seed=1).exit_tickets.filter(plc_id="S02-G5")
    >>> plan = bs.Plan(
    ...     aim="Fractions secure by winter", change="Number talks at the start of each lesson",
    ...     outcome=bs.Measure("exit ticket", value="score", unit_of_value="points"),
    ...     predictions=[
    ...         bs.Prediction("exit ticket", at_least=3.0, belief=0.7),
    ...         bs.Prediction("exit ticket", at_least=6.0, belief=0.2),
    ...     ],
    ...     baseline=("2026-09-01", "2026-10-25"), test=("2026-10-26", "2026-12-11"),
    ... )
    >>> study = bs.study(plan, tickets, as_of="2026-12-14", locked_at="2026-10-25", doing=bs.Doing(as_planned="fully"))
    >>> found = bs.calibration([study])
    >>> found
    Calibration(2 predictions, 1 came true; Brier score 0.065)
    >>> found.leaning
    'insufficient'
    """

    n: int
    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float
    skill: float | None
    mean_belief: float
    hit_rate: float
    leaning: Literal["overconfident", "underconfident", "no_leaning", "insufficient"]
    p_overconfident: float
    p_underconfident: float
    learning: Literal["improving", "declining", "no_trend", "insufficient"]
    p_learning: float
    brier_earlier: float | None
    brier_later: float | None
    groups: pl.DataFrame
    predictions: pl.DataFrame
    notes: tuple[Note, ...]

    def sentences(self) -> list[str]:
        """Say in plain words how well the team predicts."""
        return words.calibration(self)

    def plot(self, *, title: str = "", width: int | None = None, height: int | None = None) -> alt.TopLevelMixin:
        """Draw the share that came true against the stated belief; on the diagonal they agree.

        Parameters
        ----------
        title
            A heading.
        width, height
            In pixels.
        """
        from brightspot.plot.calibration import draw

        return draw(self, title=title, width=width or 360, height=height or 320)

    def __repr__(self) -> str:
        return f"Calibration({self._title()})"

    def _title(self) -> str:
        n_hits = round(self.n * self.hit_rate)
        return f"{words.counted(self.n, 'prediction')}, {n_hits} came true; Brier score {words.number(self.brier)}"

    def _repr_html_(self) -> str:
        return page(self._title(), self.sentences(), [("groups", self.groups)], self.notes)


def calibration(cycles: Iterable[Cycle | Study] | _HasCycles) -> Calibration:
    """Hold a team's stated beliefs against what came, over all of its cycles.

    Parameters
    ----------
    cycles
        A journal, or cycles, or studies. Of a cycle the last study counts; a cycle that has none yet is passed over.

    Returns
    -------
    Calibration
        ``.brier`` and its parts, ``.leaning``, ``.learning``, ``.groups``, ``.predictions``, ``.plot()``.

    Raises
    ------
    TooFewError
        Where no prediction stated a belief and has been judged.
    InvalidOptionError
        For anything that is neither cycles nor studies.

    Notes
    -----
    Predictions without a belief or without an outcome are counted in notes: ``no_belief``, ``no_outcome``. Others:
    ``few_predictions``, ``shared_luck`` (several predictions of one cycle).

    References
    ----------
    Brier GW (1950). Verification of forecasts expressed in terms of probability. Monthly Weather Review 78: 1-3.
    Murphy AH (1973). A new vector partition of the probability score. Journal of Applied Meteorology 12: 595-600.
    Stephenson DB, Coelho CAS, Jolliffe IT (2008). Two extra components in the Brier score decomposition. Weather and
    Forecasting 23: 752-757.

    Examples
    --------
    >>> import brightspot as bs
    >>> bs.calibration([])
    Traceback (most recent call last):
    ...
    brightspot.exceptions.TooFewError: the calibration of predictions needs at least 1 prediction with a belief ...
    """
    found: dict[str, Any] = _core.calibration([(name, plain(study)) for name, study in _studies(cycles)])
    forecasts, groups = found.pop("forecasts"), found.pop("groups")
    predictions = pl.DataFrame(
        [{**row, "on": date.fromisoformat(row["on"])} for row in forecasts],
        schema={
            "on": pl.Date,
            "of": pl.String,
            "measure": pl.String,
            "belief": pl.Float64,
            "is_hit": pl.Boolean,
        },
    ).with_columns(brier=(pl.col("belief") - pl.col("is_hit").cast(pl.Float64)) ** 2)
    columns = {"n": pl.Int64, "belief": pl.Float64, "hit_rate": pl.Float64, "lo": pl.Float64, "hi": pl.Float64}
    notes = tuple(Note.from_dict(note) for note in found.pop("notes"))
    return Calibration(**found, groups=pl.DataFrame(groups, schema=columns), predictions=predictions, notes=notes)


def _studies(cycles: object) -> Iterator[tuple[str, Study]]:
    """Each study, with the name of what it studied."""
    source = cast("_HasCycles", cycles).cycles() if hasattr(cycles, "cycles") else cycles
    if isinstance(source, Cycle | Study):
        source = [source]
    if not isinstance(source, Iterable):
        raise _refused(source)
    for one in cast("Iterable[object]", source):
        match one:
            case Study():
                yield one.plan.title or one.plan.change, one
            case Cycle():
                if one.study is not None:
                    yield one.id, one.study
            case _:
                raise _refused(one)


def _refused(given: object) -> InvalidOptionError:
    return InvalidOptionError(
        f"cycles = {given!r} is not possible: it must be a journal, or a list of cycles or studies",
        option="cycles",
        value=repr(given),
    )
