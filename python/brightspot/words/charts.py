"""Sentences that go with run charts and control charts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from brightspot.words.numbers import capital, counted, listed, number, odds, percent
from brightspot.words.signals import ODD, RULES, signal_name

Show = Callable[[float | None], str]
Row = Mapping[str, Any]

# Kinds of chart: what is drawn, the letter that the field knows it by, and what its centre line is.
KINDS: dict[str, tuple[str, str, str]] = {
    "run": ("", "", "median"),
    "i": ("single values", "I", "mean"),
    "mr": ("moving ranges", "MR", "mean"),
    "ip": ("values that rest on different numbers", "I′", "mean"),
    "xbar": ("means of groups", "X-bar", "mean"),
    "r": ("ranges within groups", "R", "mean"),
    "s": ("spreads within groups", "S", "mean"),
    "p": ("shares", "P", "mean"),
    "pp": ("shares, allowing for extra variation", "P′", "mean"),
    "u": ("rates", "U", "mean"),
    "up": ("rates, allowing for extra variation", "U′", "mean"),
    "c": ("counts", "C", "mean"),
    "np": ("counts out of a number", "NP", "mean"),
    "g": ("cases between events", "G", "median"),
    "t": ("times between events", "T", "centre"),
    "cusum": ("cumulative sums", "CUSUM", "centre"),
    "ewma": ("moving averages that weigh the latest most", "EWMA", "mean"),
}


# Kinds that draw counts, rates, times or sums.
_NO_SHARES = frozenset({"u", "up", "c", "np", "g", "t", "cusum"})


def kind_of(spec: Mapping[str, Any]) -> str:
    """The kind of chart that was asked for; a spec that says none is a run chart's."""
    return str(spec.get("kind") or "run")


def are_shares(values: Iterable[float | None], spec: Mapping[str, Any]) -> bool:
    """Whether a chart's values are shares: of something, within 0 and 1, and of a kind of chart that draws shares."""
    if kind_of(spec) in _NO_SHARES or not (spec.get("size") or kind_of(spec) in {"p", "pp"}):
        return False
    return all(value is None or 0 <= value <= 1 for value in values)


def chart_name(spec: Mapping[str, Any]) -> str:
    """What kind of chart it is, in plain words and with the name that the field has for it.

    >>> chart_name({"kind": "p"}), chart_name({})
    ('Control chart of shares (P chart)', 'Run chart')
    """
    what, letter, _ = KINDS.get(kind_of(spec), (kind_of(spec), "", ""))
    return f"Control chart of {what} ({letter} chart)" if letter else "Run chart"


def center_name(spec: Mapping[str, Any]) -> str:
    """What the centre line is: a median, a mean, or a centre that is neither.

    >>> center_name({"kind": "i"}), center_name({"kind": "run"}), center_name({"kind": "t"})
    ('mean', 'median', 'centre')
    """
    return KINDS.get(kind_of(spec), ("", "", "centre"))[2]


def drawn(spec: Mapping[str, Any]) -> str:
    """What the vertical axis shows.

    >>> drawn({"kind": "p", "value": "days_absent", "size": "days_enrolled"}), drawn({"kind": "mr", "value": "score"})
    ('days_absent / days_enrolled', 'moving range of score')
    >>> drawn({"kind": "t", "value": "days"}), drawn({"kind": "t", "value": "days_between"})
    ('days between events', 'days_between')
    """
    kind, value, size = kind_of(spec), str(spec.get("value", "value")), spec.get("size")
    of = f"{value} / {size}" if size and kind not in ("np", "xbar", "r", "s") else value
    if kind in ("g", "t"):
        return of if "between" in value.lower() else f"{of} between events"
    what = {
        "mr": "moving range",
        "xbar": "mean",
        "r": "range",
        "s": "standard deviation",
        "ewma": "EWMA",
        "cusum": "CUSUM",
    }.get(kind)
    return f"{what} of {of}" if what else of


def limits(lower: Sequence[float | None], upper: Sequence[float | None], show: Show = number) -> str:
    """The limits of some points, or their range where they step with the numbers behind each point.

    >>> limits([4, 4], [9, 9]), limits([4, 5], [9, 8]), limits([None], [9.5]), limits([None], [None])
    ('limits 4 and 9', 'lower limits 4 to 5, upper limits 8 to 9', 'upper limit 9.5', '')
    """
    sides = [("lower limit", [v for v in lower if v is not None]), ("upper limit", [v for v in upper if v is not None])]
    known = [(name, show(min(values)), show(max(values))) for name, values in sides if values]
    if len(known) == 2 and all(least == most for _, least, most in known):
        return f"limits {known[0][1]} and {known[1][1]}"
    return ", ".join(
        f"{name} {least}" if least == most else f"{name}s {least} to {most}" for name, least, most in known
    )


def chart(
    row: Row, name: str = "", show: Show = number, spec: Mapping[str, Any] | None = None, bounds: str = ""
) -> str:
    """One row of the summary of any kind of chart, in a few plain sentences.

    What was seen, what it means given the direction, and how often a stable process would show it; then the target.

    Parameters
    ----------
    row
        A row of ``.summary``.
    name
        Whose chart it is.
    show
        How its values are written.
    spec
        The chart's ``.spec``: its kind, its rules, its target.
    bounds
        The limits in words, as :func:`limits` gives them.
    """
    spec = spec or {}
    who = f"{name}: " if name else ""
    if row["center"] is None:
        return f"{who}{counted(row['n_obs'], 'point')}, no value to draw a centre line from."
    if _is_plain_run_chart(row, spec):
        return f"{run_chart(row, name, show)}{_about_target(row, spec, show)}"
    around = f"{counted(row['n_obs'], 'point')} around a {center_name(spec)} of {show(row['center'])}"
    told = f"{who}{around}{f', {bounds}' if bounds else ''}. {_verdict(row)}: {listed(seen(row))}."
    if row["has_signal"]:
        told += f"{_chance(row)}{_among_many(row)}"
    return f"{told}{_about_target(row, spec, show)}"


def chart_heading(row: Row, spec: Mapping[str, Any] | None = None, show: Show = number) -> str:
    """One row of a summary as the line above its picture."""
    spec = spec or {}
    if row["center"] is None or _is_plain_run_chart(row, spec):
        return run_chart_heading(row)
    told = {"improvement": "Change for the better", "deterioration": "Change for the worse"}
    verdict = told.get(row["meaning"], _verdict(row)) if row["has_signal"] else _verdict(row)
    verdict = "Change" if verdict == "Something changed" else verdict
    chance = _chance(row).strip().rstrip(".") if row["has_signal"] else ""
    return f"{verdict}: {listed(seen(row, 2))}{f'; {chance[:1].lower()}{chance[1:]}' if chance else ''}"


def _is_plain_run_chart(row: Row, spec: Mapping[str, Any]) -> bool:
    """Whether a chart was judged by its longest run and its crossings alone."""
    return kind_of(spec) == "run" and (row.get("longest_run_max") is not None or row.get("longest_run") is None)


def _verdict(row: Row) -> str:
    if not row["has_signal"]:
        return "No sign of change"
    if set(row.get("signals") or ()) and set(row["signals"]) <= ODD:
        return "Something is out of the ordinary"
    meaning = {"improvement": " towards improvement", "deterioration": " towards the worse"}.get(row["meaning"], "")
    return f"Something changed{meaning}"


def seen(row: Row, most: int = 99) -> list[str]:
    """What the rules saw in a chart, or that they saw nothing; with its counts, and beyond so many kinds summed up."""
    codes: list[str] = list(row.get("signals") or ())
    n_beyond: int | None = row.get("n_beyond_limits")
    if not row["has_signal"]:
        return ["all points lie within the limits", "no rule signals"] if n_beyond == 0 else ["no rule signals"]
    ordered = sorted(codes, key=lambda code: list(RULES).index(code) if code in RULES else len(RULES))
    told = [_seen(code, row) for code in ordered] or ["a rule signals"]
    n_more = len(told) - most
    return told if n_more < 2 else [*told[:most], f"{n_more} more kinds of signal"]


def _seen(code: str, row: Row) -> str:
    run, crossings = row.get("longest_run_max"), row.get("n_crossings_min")
    n_beyond: int | None = row.get("n_beyond_limits")
    if code == "beyond_limits" and n_beyond:
        return f"{counted(n_beyond, 'point')} outside the limits"
    if code == "longest_run" and run is not None:
        return f"a longest run of {row['longest_run']} (a signal above {run})"
    if code == "few_crossings" and crossings is not None:
        return f"{counted(row['n_crossings'], 'crossing')} of the line (a signal below {crossings})"
    return {
        "beyond_limits": "points outside the limits",
        "longest_run": "a long run on one side of the line",
        "few_crossings": "few crossings of the line",
        "shift": "a shift (many points in a row on one side of the line)",
        "trend": "a trend (many points in a row that rise or fall)",
        "two_of_three": "2 of 3 points near a limit",
        "four_of_five": "4 of 5 points off the centre on one side",
        "zone": "several points in a row far from the centre",
        "hugging": "points that hug the centre line",
        "avoiding": "points that avoid the centre line",
        "alternating": "points that go up and down in turn",
        "best_box": "runs and crossings unlikely together (best box)",
        "cut_box": "runs and crossings unlikely together (cut box)",
        "few_runs": "few runs (seldom a change of sides)",
        "many_runs": "many runs (a change of sides too often)",
    }.get(code, signal_name(code))


def _chance(row: Row) -> str:
    """How often a stable process would signal."""
    rate: float | None = row.get("prob_false_signal")
    if rate is None:
        rate = row.get("prob_runs")
        return "" if rate is None else f" A stable process would show as much in {odds(rate)}."
    return f" A stable chart of {counted(row['n_obs'], 'point')} shows such a signal in {odds(rate)}."


def _among_many(row: Row) -> str:
    q: float | None = row.get("q_value")
    return "" if q is None else f" Of charts as striking as this one, {percent(q)} are expected to be stable (q-value)."


VARIATIONS = {
    "improvement_high": "change for the better, values are high",
    "improvement_low": "change for the better, values are low",
    "concern_high": "change for the worse, values are high",
    "concern_low": "change for the worse, values are low",
    "neutral_high": "change, values are high",
    "neutral_low": "change, values are low",
    "common_cause": "ordinary ups and downs",
}

ASSURANCES = {
    "passing": "meets the target every time",
    "failing": "misses the target every time",
    "inconsistent": "meets the target at times, misses it at times",
}


def variation(code: str) -> str:
    """What the last point shows, in one sentence.

    >>> variation("concern_low")
    'Change for the worse, values are low.'
    """
    return f"{capital(VARIATIONS.get(code, code.replace('_', ' ')))}."


def assurance(code: str, target: str = "") -> str:
    """Whether a process that stays as it is will meet its target, in one sentence.

    >>> assurance("failing", "95%")
    'Left as it is, this misses the target of 95% every time: the target lies beyond the limits.'
    >>> assurance("inconsistent")
    'Left as it is, this meets the target at times and misses it at others: the target lies within the limits.'
    """
    of = f" of {target}" if target else ""
    if code == "inconsistent":
        return (
            f"Left as it is, this meets the target{of} at times and misses it at others: the target lies within the "
            "limits."
        )
    verb = "meets" if code == "passing" else "misses"
    return f"Left as it is, this {verb} the target{of} every time: the target lies beyond the limits."


def _about_target(row: Row, spec: Mapping[str, Any], show: Show) -> str:
    if row.get("assurance") is None:
        return ""
    target = spec.get("target")
    return f" {assurance(row['assurance'], show(target) if isinstance(target, int | float) else '')}"


def run_chart(row: Row, name: str = "", show: Show = number) -> str:
    """One row of a run chart's summary as a sentence or two; ``show`` writes its values."""
    who = f"{name}: " if name else ""
    if row["center"] is None:
        return f"{who}{counted(row['n_obs'], 'point')}, no value to draw a centre line from."
    start = f"{who}{counted(row['n_obs'], 'point')} around a median of {show(row['center'])}. "
    if row["longest_run"] is None:
        return start + "No point lies off the centre line, so there is nothing to judge."
    found = (
        f"the longest run is {row['longest_run']} (a signal above {row['longest_run_max']}) and the line is crossed "
        f"{counted(row['n_crossings'], 'time')} (a signal below {row['n_crossings_min']})"
    )
    meaning = {"improvement": " towards improvement", "deterioration": " towards the worse"}.get(row["meaning"], "")
    verdict = f"Something changed{meaning}" if row["has_signal"] else "No sign of change"
    chance = (
        ""
        if row["prob_runs"] is None
        else f" A stable process would show as much in {percent(row['prob_runs'])} of charts."
    )
    return f"{start}{verdict}: {found}.{chance}"


def run_chart_heading(row: Row) -> str:
    """One row of a run chart's summary as the line above its picture."""
    if row["center"] is None:
        return "No value to draw a centre line from"
    if row["longest_run"] is None:
        return "No point lies off the centre line, so there is nothing to judge"
    told = {"improvement": "Change for the better", "deterioration": "Change for the worse", "neutral": "Change"}
    verdict = told.get(row["meaning"], "Change") if row["has_signal"] else "No sign of change"
    chance = (
        f"; {percent(row['prob_runs'])} of stable processes show as much"
        if row["has_signal"] and row["prob_runs"] is not None
        else ""
    )
    return (
        f"{verdict}: longest run {row['longest_run']} (signal above {row['longest_run_max']}), "
        f"{counted(row['n_crossings'], 'crossing')} (signal below {row['n_crossings_min']}){chance}"
    )


def phases_heading(n_phases: int, n_signals: int) -> str:
    """The line above a chart with many phases.

    >>> phases_heading(6, 0)
    '6 phases, none with a signal within it'
    """
    return f"{counted(n_phases, 'phase')}, {n_signals or 'none'} with a signal within it"


def charts_heading(
    n_charts: int,
    n_signals: int,
    *,
    own_scales: bool,
    center: str = "median",
    has_limits: bool = False,
    n_expected: float | None = None,
) -> str:
    """The line above small multiples; ``n_expected`` would signal if all were stable.

    >>> charts_heading(12, 1, own_scales=True)
    '12 charts, 1 with a signal; the figure beside each is its median. Each has its own scale.'
    >>> charts_heading(40, 3, own_scales=False, center="mean", has_limits=True, n_expected=1.62)
    '40 charts, 3 with a signal (if all were stable, about 1.6); the figures beside each are its mean and limits.'
    """
    signals = f"{n_signals} with a signal" if n_signals else "none with a signal"
    expected = "" if n_expected is None else f" (if all were stable, about {number(n_expected, 2)})"
    own = " Each has its own scale." if own_scales else ""
    beside = (
        f"the figures beside each are its {center} and limits"
        if has_limits
        else f"the figure beside each is its {center}"
    )
    return f"{counted(n_charts, 'chart')}, {signals}{expected}; {beside}.{own}"
