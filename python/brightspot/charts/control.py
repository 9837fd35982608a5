"""Control charts: values within limits, for every kind of data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

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

Kind = Literal["i", "mr", "ip", "xbar", "r", "s", "p", "pp", "u", "up", "c", "np", "g", "t", "ewma", "cusum"]


@dataclass(frozen=True, slots=True, repr=False)
class ControlChart(Chart):
    """One or many control charts: what :func:`control_chart` returns.

    Attributes
    ----------
    points
        One row per point, sorted by the ``by`` columns and time: ``by...``, ``time``, ``value`` (what is drawn),
        (``observed``: the value itself, where a moving range or a sum is drawn; ``value_lower``: the lower sum of a
        CUSUM; ``numerator``, ``denominator``; ``n`` and ``spread`` of subgroups,) ``center``, ``lcl``, ``ucl`` (null
        where there is no limit), ``phase``, ``is_baseline``, ``is_excluded``, (``target``,) ``signals`` (a list of
        codes), ``meaning``.
    summary
        One row per chart and phase: the columns of :class:`RunChart`, and ``sigma`` (the standard deviation the limits
        rest on), ``dispersion`` (Laney's sigma-z: how much wider the points scatter than their counts alone would),
        ``n_beyond_limits``, ``prob_beyond`` (how often a stable process has a point as far out), ``assurance``
        (``passing``, ``failing`` or ``inconsistent``: the target against the limits).
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
    >>> chart = bs.control_chart(
    ...     district.attendance, kind="pp", value="days_absent", size="days_enrolled", time="week", by="school_id",
    ...     direction="down",
    ... )
    >>> chart.summary.height
    12
    """

    _NAME: ClassVar[str] = "control chart"


def control_chart(
    df: object,
    *,
    kind: Kind,
    value: str,
    time: str,
    by: str | Sequence[str] = (),
    size: str | None = None,
    spread: str | None = None,
    baseline: Baseline = None,
    phases: Phases = None,
    exclude: str | None = None,
    target: Given = None,
    direction: str = "up",
    aggregate: Aggregate = None,
    rules: Rules = "shewhart",
    convention: Literal["exact", "qicharts2", "nhs"] = "exact",
    screening: Literal["off", "once", "repeated"] | None = None,
    sigmas: float = 3.0,
    center: Given = None,
    sigma: Given = None,
    lcl: Given = None,
    ucl: Given = None,
    allow_for: Literal["baseline", "autocorrelation"] | Sequence[Literal["baseline", "autocorrelation"]] = (),
    estimator: str | None = None,
    weight: float | None = None,
    reference: float | None = None,
    decision: float | None = None,
) -> ControlChart:
    """Draw control charts: values within limits that a stable process seldom leaves.

    ======== ============================================== =====================================================
    kind     what arrives                                   centre and limits
    ======== ============================================== =====================================================
    ``i``    one value a time (with ``size``: a ratio)      mean +- 3 sigma from the mean moving range
    ``mr``   the same                                       moving ranges, below 3.27 times their mean
    ``ip``   numerator and denominator                      as ``i``, narrower where the denominator is larger
    ``xbar`` several values a time, or mean, size, spread   mean of subgroups +- 3 standard errors
    ``r``    the same                                       ranges of subgroups
    ``s``    the same                                       standard deviations of subgroups
    ``p``    units out of ``size`` (or rows of 0 and 1)     binomial
    ``pp``   the same                                       Laney's p': binomial, widened by the dispersion found
    ``np``   the same                                       binomial, as a number
    ``u``    events over an exposure ``size``               Poisson
    ``up``   the same                                       Laney's u'
    ``c``    events                                         Poisson
    ``g``    cases between two events                       geometric
    ``t``    time between two events                        Nelson's transformation, then as ``i``
    ``ewma`` one value a time                               a weighted mean of the past: for small shifts
    ``cusum`` one value a time                              sums of deviations up and down: for small shifts
    ======== ============================================== =====================================================

    Parameters
    ----------
    df
        Any frame: polars, pandas, pyarrow, duckdb, or with the Arrow capsule interface. In any order.
    kind
        The kind of chart; see the table.
    value
        The column of values; of counts for p, pp, np, u, up, c.
    time
        The column of times: dates, date-times or numbers (not text: it sorts by its letters).
    by
        Column or columns that tell charts apart (unit, measure ...). They keep their type.
    size
        The column of denominators; for xbar, r and s with ``spread`` the size of each subgroup.
    spread
        For subgroups that arrive as one row each: their standard deviation (xbar, s) or range (r).
    baseline
        Which points make centre and limits: a count (the first points of each phase), ``(from, to)`` (inclusive dates),
        or the name of a boolean column. Points after it never move the limits. ``None``: all points of the phase.
    phases
        Where the chart starts anew: ``18`` or ``[6, 18]`` (after the n-th point), ``{"tutoring": date, ...}`` (names by
        first date; what comes before is called "before"), or the name of a column of labels.
    exclude
        A boolean column of ghost points: drawn and not counted.
    target
        A number, or a column (a trajectory): what the measure should reach; ``assurance`` holds it against the limits.
    direction
        Which way is better: ``"up"``, ``"down"`` or ``"neutral"``, or a column that says so for each row.
    aggregate
        What to do with several rows of one chart and time: ``None`` makes it an error that names them; ``"mean"``,
        ``"median"`` and ``"sum"`` combine them (with ``size``, numerators and denominators are summed). Rows of a
        subgroup (xbar, r, s), and rows of 0 and 1 (p without ``size``), belong together anyway.
    rules
        The rule set: ``"shewhart"`` (a point outside the limits), ``"anhoej"``, ``"nhs"``, ``"western_electric"``,
        ``"nelson"``, ``"ihi"``, a list of names (all their rules together), or your own as plain data; see
        :func:`rule_sets`.
    convention
        ``"exact"`` constants; ``"qicharts2"`` (1.128, moving ranges screened once) or ``"nhs"`` (kind i: 2.66,
        screened) reproduce those tools.
    screening
        Moving ranges above their own limit are left out of sigma: ``"off"``, ``"once"``, ``"repeated"``; ``None``
        follows the convention.
    sigmas
        How many standard errors from the centre the limits lie.
    center, sigma, lcl, ucl
        Known from elsewhere, in place of what would be estimated: numbers, or columns with one for each chart.
    allow_for
        ``"baseline"`` widens the limits after a frozen baseline for its own uncertainty; ``"autocorrelation"`` widens
        them for values that are like their neighbours (i, ip, pp, up, t).
    estimator
        Of sigma: ``"moving_range"`` or ``"sd"`` (i, pp, up, t); ``"pooled_sd"`` (default), ``"mean_sd"``,
        ``"weighted_sd"``, ``"mean_range"``, ``"weighted_range"`` (xbar; the first three for s, the last two for r).
    weight
        Of the newest value (ewma; 0.2).
    reference, decision
        The slack k (0.5) and the decision interval h (5), in sigma (cusum).

    Returns
    -------
    ControlChart
        ``.points``, ``.summary``, ``.signals``, ``.notes``, ``.plot()``, ``.contrast()``, ``.propose_phases()``.

    Raises
    ------
    BrightspotError
        ``ColumnMissingError``, ``ColumnTypeError``, ``ColumnClashError``, ``DuplicateTimesError``,
        ``InvalidOptionError`` (also for a phase that no point falls in, and an option that the kind does not take),
        ``InvalidValueError`` for counts below zero or above their denominator.

    Notes ----- A missing value keeps its row and is not counted; an infinite value, and a denominator that is missing,
    zero or negative, count as missing; a row without a time is left out. Each is counted in ``.notes``, as are short
    baselines, autocorrelation, gaps in time, limits that rest on a short frozen baseline (with the rate of false
    alarms), and plain limits on overdispersed counts. A moving range bridges a ghost point, not a missing value.

    References ---------- Montgomery DC (2009). Introduction to Statistical Quality Control, 6th ed. Laney DB (2002).
    Quality Engineering 14: 531-537. Taylor WA (2017), I' charts. Nelson LS (1994). J. Qual. Technol. 26: 239-240.
    Provost LP, Murray SK (2011). The Health Care Data Guide.

    Examples
    --------
    >>> import brightspot as bs
    >>> weekly = {
    ...     "week": range(1, 13),
    ...     "absent": [14, 12, 15, 13, 16, 12, 14, 15, 13, 30, 12, 14],
    ...     "enrolled": [120] * 12,
    ... }
    >>> chart = bs.control_chart(weekly, kind="p", value="absent", size="enrolled", time="week", direction="down")
    >>> chart.signals.select("signal", "first", "meaning").rows()
    [('beyond_limits', 10, 'deterioration')]
    """
    columns = [value, time, size, spread, baseline, phases, exclude, target, center, sigma, lcl, ucl]
    frame = read(df, by, columns, direction)
    request: dict[str, Any] = {
        "kind": kind,
        "value": value,
        "time": time,
        "by": names("by", by),
        "size": size,
        "spread": spread,
        "baseline": baseline_request(baseline),
        "phases": phases_request(phases),
        "exclude": exclude,
        "target": target,
        "direction": direction,
        "aggregate": aggregate,
        "rules": rules_request(rules),
        "convention": convention,
        "screening": screening,
        "sigmas": sigmas,
        "center": center,
        "sigma": sigma,
        "lcl": lcl,
        "ucl": ucl,
        "allow_for": [allow_for] if isinstance(allow_for, str) else list(allow_for),
        "estimator": estimator,
        "weight": weight,
        "reference": reference,
        "decision": decision,
    }
    points, summary, signals, notes = _core.chart(frame, request)
    return ControlChart(points, summary, signals, Note.all_from(notes), request)
