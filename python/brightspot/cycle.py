"""Studying a cycle: did the change lead to improvement, and what should the team do next?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import cast

import polars as pl

from brightspot import _core
from brightspot._frames import iso, to_polars
from brightspot._record import plain
from brightspot._records import Doing, Measure, Plan, Study
from brightspot.exceptions import InvalidOptionError

Day = str | date
Moment = str | date | datetime
Frames = Mapping[str, object] | object


def study(
    plan: Plan,
    frames: Frames,
    as_of: Day,
    *,
    locked_at: Moment | None = None,
    doing: Doing | None = None,
    earlier: Sequence[Study] = (),
    learned: str = "",
) -> Study:
    """Study a plan's data: four separate findings, what they allow, and what may not be concluded.

    The verdict is ``improved`` or ``worsened`` only if the whole 90% interval of the change lies on one side of no
    change. How the change is found follows the shape of the data (``plan.analysis``; ``.outcome.method`` says it):

    - ``series``: the mean of the test window against that of the baseline, with an interval that allows for
      autocorrelation and for a short baseline;
    - ``proportions``, ``rates``: counts over denominators by date, allowing for overdispersion and autocorrelation too
      (one total before and one after: the exact conditional test);
    - ``standard``: a small sample against ``Measure.standard``, by the exact tails;
    - ``ancova``, ``difference_in_differences``: students in classes against comparison classes (``Plan.comparison``),
      each class counted once; at least 2 classes that try the change and 3 others.

    Where units were chosen because their figures were bad (``Plan.selection``), what they would have done by themselves
    is estimated from all candidates and taken off. The study is a pure function: the same plan, data and dates give the
    same study.

    Parameters
    ----------
    plan
        The plan.
    frames
        The data: a mapping of measure names to frames, or one frame (in which a column named ``measure`` may tell the
        measures apart). Several rows of one date are combined as the measure says. Where classes are compared the
        frame of the outcome has one row a student (or more) with the class; where units were chosen, the rows of all
        candidates.
    as_of
        The date of the study; later data are not read.
    locked_at
        When the plan was locked. Without it the findings are exploratory, and the recommendation is to keep testing.
    doing
        What was done: whether as planned, and what was seen.
    earlier
        Studies of earlier tries of the same idea.
    learned
        What the team learned, in its own words.

    Returns
    -------
    Study
        ``.signal``, ``.prediction``, ``.fidelity``, ``.guards``, ``.process``, ``.recommendation``, ``.reasons``,
        ``.caveats``, ``.plot()``; ``bs.report(study)`` makes the page.

    Raises
    ------
    BrightspotError
        For a plan that contradicts itself, missing columns, values that are no numbers.

    References
    ----------
    Marriott FHC, Pope JA (1954). Bias in the estimation of autocorrelations. Biometrika 41: 390-402.
    Box GEP (1954). Some theorems on quadratic forms. Annals of Mathematical Statistics 25: 290-302.
    Przyborowski J, Wilenski H (1940). Homogeneity of results in testing samples from Poisson series. Biometrika 31:
    313-323.
    Agresti A, Caffo B (2000). Simple and effective confidence intervals for proportions. American Statistician 54:
    280-288.
    Clopper CJ, Pearson ES (1934). The use of confidence or fiducial limits. Biometrika 26: 404-413.
    Donald SG, Lang K (2007). Inference with difference-in-differences. Review of Economics and Statistics 89: 221-233.
    Davis CE (1976). The effect of regression to the mean. American Journal of Epidemiology 104: 493-498.
    Langley GJ et al. (2009). The improvement guide, 2nd edition. Jossey-Bass.

    Examples
    --------
    >>> import brightspot as bs
    >>> tickets = bs.datasets.district(seed=1).exit_tickets.filter(plc_id="S02-G5")
    >>> plan = bs.Plan(
    ...     aim="Fractions secure by winter", change="Number talks at the start of each lesson",
    ...     outcome=bs.Measure("exit ticket", value="score", unit_of_value="points"),
    ...     predictions=[bs.Prediction("exit ticket", at_least=3.0, belief=0.7)],
    ...     baseline=("2026-09-01", "2026-10-25"), test=("2026-10-26", "2026-12-11"),
    ... )
    >>> found = bs.study(plan, tickets, as_of="2026-12-14", locked_at="2026-10-25", doing=bs.Doing(as_planned="fully"))
    >>> found.signal, found.prediction, found.recommendation
    ('improved', 'met', 'adopt')
    """
    plan = a_plan(plan)
    result = _core.study(
        plain(plan),
        frames_for(plan, frames),
        str(iso(as_of)),
        locked_at=None if locked_at is None else moment(locked_at),
        doing=None if doing is None else plain(doing),
        earlier=[plain(one) for one in earlier],
        learned=learned,
    )
    return Study(**result)


def a_plan(plan: object) -> Plan:
    """The plan, or an error that says what was given instead."""
    if isinstance(plan, Plan):
        return plan
    raise InvalidOptionError(
        f"plan = {plan!r} is not possible: it must be a bs.Plan; make one of plain data with bs.Plan.from_dict",
        option="plan",
        value=repr(plan),
    )


def frames_for(plan: Plan, frames: Frames) -> list[tuple[str | None, pl.DataFrame]]:
    """The frames as the core takes them, with only the columns that the plan's measures name."""
    measures = {measure.name: measure for measure in [plan.outcome, *plan.process, *(g.measure for g in plan.guards)]}
    needed, optional = _finer(plan)
    if isinstance(frames, Mapping) and not _is_table(cast("Mapping[str, object]", frames)):
        named = cast("Mapping[str, object]", frames)
        each: list[tuple[str | None, pl.DataFrame]] = []
        for name, frame in named.items():
            # The core refuses the data of a measure that the plan does not have, and names those it has.
            measure = measures.get(name)
            more = needed if name == plan.outcome.name else []
            each.append((name, to_polars(frame, [*_columns(measure), *more], optional if measure else ())))
        return each
    wanted = [column for measure in measures.values() for column in _columns(measure)]
    names = [measure.measure for measure in measures.values()]
    return [(None, to_polars(cast("object", frames), [*wanted, *needed], [*names, *optional]))]


def _finer(plan: Plan) -> tuple[list[str | None], list[str | None]]:
    """The columns of classes and candidates: those that the outcome needs, and those that others may have as well."""
    comparison, selection = plan.comparison, plan.selection
    shared = [] if comparison is None else [comparison.group, comparison.treated_column]
    shared += [] if selection is None else [selection.unit]
    return [*shared, *([] if comparison is None else [comparison.prior])], shared


def _is_table(mapping: Mapping[str, object]) -> bool:
    """Whether a mapping is a table, names to sequences, and not frames by measure (a column may be called as one)."""
    return bool(mapping) and all(
        isinstance(values, list | tuple | pl.Series) or getattr(values, "ndim", None) == 1
        for values in mapping.values()
    )


def _columns(measure: Measure | None) -> list[str | None]:
    return [] if measure is None else [measure.value, measure.time, measure.size, measure.student]


def moment(at: Moment) -> str:
    """A moment as the core reads it; a date-time without a zone is the machine's own."""
    if isinstance(at, datetime) and at.tzinfo is None:
        at = at.astimezone()
    if isinstance(at, date):
        return at.isoformat()
    if isinstance(at, str):  # pyright: ignore[reportUnnecessaryIsInstance] (what people give)
        return at
    raise InvalidOptionError(f"at = {at!r} is not possible: it must be a date or a moment", option="at", value=repr(at))
