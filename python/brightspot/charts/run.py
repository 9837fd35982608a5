"""Run charts: values around their median, with the rules that tell change from noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from brightspot import _core
from brightspot._frames import names
from brightspot._result import Note
from brightspot.charts._arguments import (
    Aggregate,
    Baseline,
    Given,
    Phases,
    Rules,
    baseline_request,
    phases_request,
    read,
    rules_request,
)
from brightspot.charts._chart import Chart


@dataclass(frozen=True, slots=True, repr=False)
class RunChart(Chart):
    """One or many run charts: what :func:`run_chart` returns.

    Attributes
    ----------
    points
        One row per point, sorted by the ``by`` columns and time: ``by...``, ``time``, ``value``, (``numerator``,
        ``denominator``,) ``center``, ``lcl`` and ``ucl`` (null: a run chart has no limits), ``phase``, ``is_baseline``,
        ``is_excluded``, (``target``,) ``signals`` (a list of codes), ``meaning`` (``improvement``, ``deterioration``,
        ``neutral``, ``none``).
    summary
        One row per chart and phase: ``by...``, ``phase``, ``n_obs``, ``n_useful``, ``n_baseline``, ``center``,
        ``longest_run``, ``longest_run_max``, ``n_crossings``, ``n_crossings_min`` (the two limits where the rule set
        has such rules), ``prob_runs`` (the exact probability that a stable process shows as much), ``prob_basis`` (the
        law behind it: ``same_points``, ``frozen``, ``known`` or ``simulated``), ``has_signal``, ``signals``,
        ``meaning``, ``prob_false_signal`` (how often a stable process of this length and baseline shows any signal of
        the rule set), ``variation`` (the last point: ``common_cause``, ``improvement_high`` ...), and ``q_value`` where
        there are several.
    signals
        One row per chart, phase and kind of signal: ``n_points``, ``first``, ``last``, ``meaning``,
        ``prob_false_signal`` (of this rule alone).
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

    _NAME: ClassVar[str] = "run chart"


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
    aggregate: Aggregate = None,
    rules: Rules = "anhoej",
    center: Given = None,
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
        The rule set: ``"anhoej"``, ``"ihi"``, ``"best_box"``, ``"cut_box"``, a list of names (all their rules
        together), or your own as plain data; see :func:`rule_sets`. ``prob_false_signal`` says how often each cries
        wolf.
    center
        A centre line that is known from elsewhere: a number, or a column that holds one for each chart.

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
    columns = [value, time, size, baseline, phases, exclude, target, center]
    frame = read(df, by, columns, direction)
    request: dict[str, Any] = {
        "kind": "run",
        "value": value,
        "time": time,
        "by": names("by", by),
        "size": size,
        "baseline": baseline_request(baseline),
        "phases": phases_request(phases),
        "exclude": exclude,
        "target": target,
        "direction": direction,
        "aggregate": aggregate,
        "rules": rules_request(rules),
        "center": center,
    }
    points, summary, signals, notes = _core.chart(frame, request)
    return RunChart(points, summary, signals, Note.all_from(notes), request)
