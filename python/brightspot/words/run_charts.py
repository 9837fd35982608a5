"""Sentences that go with run charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from brightspot.words.numbers import counted, number, percent


def run_chart(row: Mapping[str, Any], name: str = "", show: Callable[[float | None], str] = number) -> str:
    """One row of a run chart's summary as a sentence or two; ``show`` writes its values."""
    who = f"{name}: " if name else ""
    if row["center"] is None:
        return f"{who}{counted(row['n_obs'], 'point')}, no value to draw a centre line from."
    start = f"{who}{counted(row['n_obs'], 'point')} around a median of {show(row['center'])}. "
    if row["longest_run"] is None:
        return start + "No point lies off the centre line, so there is nothing to judge."
    seen = (
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
    return f"{start}{verdict}: {seen}.{chance}"


def run_chart_heading(row: Mapping[str, Any]) -> str:
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


def run_phases_heading(n_phases: int, n_signals: int) -> str:
    """The line above a run chart with many phases.

    >>> run_phases_heading(6, 0)
    '6 phases, none with a signal within it'
    """
    return f"{counted(n_phases, 'phase')}, {n_signals or 'none'} with a signal within it"


def run_charts_heading(n_charts: int, n_signals: int, *, own_scales: bool) -> str:
    """The line above small multiples of run charts.

    >>> run_charts_heading(12, 1, own_scales=True)
    '12 charts, 1 with a signal; the figure beside each is its median. Each has its own scale.'
    """
    signals = f"{n_signals} with a signal" if n_signals else "none with a signal"
    own = " Each has its own scale." if own_scales else ""
    return f"{counted(n_charts, 'chart')}, {signals}; the figure beside each is its median.{own}"
