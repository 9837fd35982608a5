"""Run charts: is anything changing, and would it look the same by chance?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from brightspot import _core, words
from brightspot._frames import iso, names, to_polars
from brightspot._result import Note, page
from brightspot.exceptions import InvalidOptionError

if TYPE_CHECKING:
    import altair as alt

Time = int | float | str | date | datetime
Baseline = int | tuple[Time, Time] | str | None
Phases = int | Sequence[int] | Mapping[str, Time] | str | None


@dataclass(frozen=True, slots=True, repr=False)
class RunChart:
    """One or many run charts: what :func:`run_chart` returns.

    Attributes
    ----------
    points
        One row per point, sorted by the ``by`` columns and time: ``by...``, ``time``, ``value``, (``numerator``,
        ``denominator``,) ``center``, ``lcl`` and ``ucl`` (null: a run chart has no limits), ``phase``, ``is_baseline``,
        ``is_excluded``, (``target``,) ``signals`` (a list of codes: ``longest_run``, ``few_crossings``), ``meaning``
        (``improvement``, ``deterioration``, ``neutral``, ``none``).
    summary
        One row per chart and phase: ``by...``, ``phase``, ``n_obs``, ``n_useful``, ``center``, ``longest_run``,
        ``longest_run_max``, ``n_crossings``, ``n_crossings_min``, ``prob_runs`` (the exact probability that a stable
        process shows as much), ``prob_basis`` (the law behind it: ``same_points``, ``frozen`` or ``known``),
        ``n_beyond_limits`` (null), ``has_signal``, ``meaning``.
    notes
        Caveats, each with a code and a count.
    spec
        The arguments, as they were used.

    Examples
    --------
    >>> import brightspot as bs
    >>> district = bs.datasets.district(seed=1)
    >>> chart = bs.run_chart(
    ...     district.attendance, value="days_absent", size="days_enrolled", time="week", by="school_id",
    ...     direction="down",
    ... )
    >>> chart.summary.height, chart.points.height == district.attendance.height
    (12, True)
    """

    points: pl.DataFrame
    summary: pl.DataFrame
    notes: tuple[Note, ...]
    spec: dict[str, Any] = field(default_factory=dict[str, Any])

    def plot(
        self,
        *,
        title: str = "",
        only: Mapping[str, object] | None = None,
        width: int | None = None,
        height: int | None = None,
        columns: int | None = None,
    ) -> alt.TopLevelMixin:
        """Draw the charts with Altair: one, or small multiples where there are several.

        Parameters
        ----------
        title
            A heading.
        only
            Draw only the charts with these values in their ``by`` columns, for example ``{"school": "S03"}``.
        width, height
            Of one chart, in pixels.
        columns
            How many small multiples stand beside each other.

        Returns
        -------
        altair.Chart
            ``.save("chart.png")``, ``.save("chart.svg")`` and, for one HTML file without a network,
            ``.save("chart.html", inline=True)`` all work without a browser.
        """
        from brightspot.plot.run_chart import draw

        return draw(self, title=title, only=only, width=width, height=height, columns=columns)

    @property
    def by(self) -> list[str]:
        """The columns that tell the charts apart."""
        return list(self.spec.get("by", []))

    def sentences(self) -> Iterator[str]:
        """Say in plain words what each chart (and phase) shows."""
        several = self.summary["phase"].n_unique() > 1
        for row in self.summary.iter_rows(named=True):
            names = [str(row[key]) for key in self.by] + ([row["phase"]] if several else [])
            yield words.run_chart(row, ", ".join(names))

    def __repr__(self) -> str:
        return f"RunChart({self._title()})"

    def _title(self) -> str:
        n_charts = self.points.select(self.by).n_unique() if self.by else min(1, self.points.height)
        n_signals = int(self.summary["has_signal"].sum())
        what = words.counted(n_charts, "run chart")
        return f"{what}, {words.counted(self.points.height, 'point')}, {words.counted(n_signals, 'signal')}"

    def _repr_html_(self) -> str:
        told = [] if self.summary.height > 3 else list(self.sentences())
        return page(self._title(), told, [("summary", self.summary), ("points", self.points)], self.notes)


def run_chart(
    df: object,
    *,
    value: str,
    time: str,
    by: str | Sequence[str] = (),
    size: str | None = None,
    baseline: Baseline = None,
    phases: Phases = None,
    exclude: str | None = None,
    target: float | str | None = None,
    direction: str = "up",
    aggregate: Literal["mean", "median", "sum"] | None = None,
    rules: Literal["anhoej"] = "anhoej",
) -> RunChart:
    """Draw run charts: values around their median, with the rules that tell change from noise.

    The centre line is the median of the baseline. A chart signals where its longest run on one side of the line is
    longer than ``round(log2(n)) + 3`` or the line is crossed less often than the 5% quantile of Binomial(n - 1, 1/2), n
    being the points off the line. Beside the rule stands ``prob_runs``, the exact probability that a stable process of
    the same length and baseline shows as much.

    Parameters
    ----------
    df
        Any frame: polars, pandas, pyarrow, duckdb, or with the Arrow capsule interface. One row per point, in any
        order.
    value
        The column of values; with ``size`` the numerator, and what is drawn is ``value / size``.
    time
        The column of times: dates, date-times or numbers (not text: it sorts by its letters).
    by
        Column or columns that tell charts apart (unit, measure ...). They keep their type.
    size
        The column of denominators.
    baseline
        Which points make the centre line: a count (the first points of each phase), ``(from, to)`` (inclusive dates),
        or the name of a boolean column. ``None``: all points of the phase.
    phases
        Where the chart starts anew: ``18`` or ``[6, 18]`` (after the n-th point), ``{"tutoring": date, ...}`` (names by
        first date; what comes before is called "before"), or the name of a column of labels.
    exclude
        A boolean column of points that are drawn and not counted.
    target
        A number or a column: a line to compare with.
    direction
        Which way is better: ``"up"``, ``"down"`` or ``"neutral"``, or a column that says so for each row.
    aggregate
        What to do with several rows of one chart and time: ``None`` makes it an error that names them; ``"mean"``,
        ``"median"`` and ``"sum"`` combine them (with ``size``, numerators and denominators are summed).
    rules
        The rule set; ``"anhoej"``.

    Returns
    -------
    RunChart
        ``.points``, ``.summary``, ``.notes``, ``.plot()``.

    Raises
    ------
    BrightspotError
        ``ColumnMissingError``, ``ColumnTypeError``, ``ColumnClashError`` (a ``by`` column named like a column of the
        result), ``DuplicateTimesError``, ``InvalidOptionError`` (also for a phase that no point falls in).

    Notes
    -----
    A missing value (null, NaN) keeps its row and is not counted; an infinite value, and a denominator that is missing,
    zero or negative, count as missing; a row without a time is left out. Each is counted in ``.notes``, as are short
    baselines, autocorrelation, ties at the median and gaps in time.

    References
    ----------
    Anhøj J, Olesen AV (2014). Run charts revisited. PLoS ONE 9(11): e113825. doi:10.1371/journal.pone.0113825.
    Schilling MF (2012). The surprising predictability of long runs. Mathematics Magazine 85: 141-149.
    Chen Z (2010). A note on the runs test. Model Assisted Statistics and Applications 5: 73-77.

    Examples
    --------
    >>> import brightspot as bs
    >>> import polars as pl
    >>> weekly = pl.DataFrame({
    ...     "week": range(1, 21),
    ...     "score": [61, 64, 60, 63, 65, 62, 59, 64, 61, 63, 66, 68, 67, 70, 66, 69, 71, 68, 70, 69],
    ... })
    >>> chart = bs.run_chart(weekly, value="score", time="week", baseline=10)
    >>> chart.summary.select("center", "longest_run", "longest_run_max", "has_signal", "meaning").row(0)
    (62.5, 11, 7, True, 'improvement')
    """
    keys = names("by", by)
    frame = to_polars(
        df,
        [
            *keys,
            value,
            time,
            size,
            baseline if isinstance(baseline, str) else None,
            phases if isinstance(phases, str) else None,
            exclude,
            target if isinstance(target, str) else None,
        ],
        optional=[direction],
    )
    request: dict[str, Any] = {
        "value": value,
        "time": time,
        "by": keys,
        "size": size,
        "baseline": _baseline(baseline),
        "phases": _phases(phases),
        "exclude": exclude,
        "target": target,
        "direction": direction,
        "aggregate": aggregate,
        "rules": rules,
    }
    points, summary, notes = _core.run_chart(frame, request)
    return RunChart(points, summary, Note.all_from(notes), request)


def _baseline(baseline: Baseline) -> dict[str, Any] | None:
    match baseline:
        case None:
            return None
        case bool():
            pass
        case int():
            return {"count": baseline}
        case str():
            return {"column": baseline}
        case (start, end):
            return {"dates": [iso(start), iso(end)]}
        case _:
            pass
    raise InvalidOptionError(
        f"baseline = {baseline!r} is not possible: it must be a count of points, a pair of inclusive dates (from, to), "
        "or the name of a boolean column",
        option="baseline",
        value=repr(baseline),
    )


def _phases(phases: Phases) -> dict[str, Any] | None:
    match phases:
        case None:
            return None
        case bool():
            pass
        case int():
            return {"after": [phases]}
        case str():
            return {"column": phases}
        case Mapping():
            return {"starts": [[str(name), iso(start)] for name, start in phases.items()]}
        case Sequence() if all(type(n) is int for n in phases):
            return {"after": list(phases)}
        case _:
            pass
    raise InvalidOptionError(
        f"phases = {phases!r} is not possible: it must be a count of points or a list of counts, a mapping of names to "
        "first dates, or the name of a column of labels",
        option="phases",
        value=repr(phases),
    )
