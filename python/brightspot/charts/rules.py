"""Rule sets: what they say, and how often each cries wolf."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from brightspot import _core
from brightspot.charts._arguments import Rules, rules_request


def rule_sets() -> dict[str, dict[str, Any]]:
    """Return the rule sets there are, as plain data: to read, to change, and to give back as ``rules=``.

    Returns
    -------
    dict
        Name to rule set: ``{"name": ..., "rules": [{"rule": "shift", "length": 8, ...}, ...]}``.

    Examples
    --------
    >>> import brightspot as bs
    >>> sorted(bs.rule_sets())[:3]
    ['anhoej', 'best_box', 'cut_box']
    >>> ours = {"name": "ours", "rules": [{"rule": "beyond_limits"}, {"rule": "shift", "length": 9}]}
    >>> weekly = {"week": range(1, 13), "score": [61, 64, 60, 63, 65, 62, 59, 64, 61, 63, 62, 61]}
    >>> bs.control_chart(weekly, kind="i", value="score", time="week", rules=ours).summary["has_signal"].item()
    False
    """
    return {rules["name"]: rules for rules in _core.rule_sets()}


def false_signals(
    rules: Sequence[Rules] = ("anhoej", "ihi", "shewhart", "nhs", "western_electric", "nelson"),
    *,
    n: int | Sequence[int] = (12, 24, 36, 60),
    baseline: int | None = None,
    kind: str = "i",
) -> pl.DataFrame:
    """How often a stable process signals: for each rule set and length of chart.

    Parameters
    ----------
    rules
        Names of rule sets, or rule sets as plain data.
    n
        Numbers of points.
    baseline
        The first points, on which centre and limits rest; ``None``: all.
    kind
        The kind of chart the rules judge; rule sets without limits are judged on a run chart.

    Returns
    -------
    polars.DataFrame
        ``rules``, ``n``, ``baseline``, ``signal`` (a code, or ``any``), ``prob_false_signal``, ``basis`` (``exact``, or
        ``simulated`` from independent normal values with a fixed seed).

    Examples
    --------
    >>> import brightspot as bs
    >>> rates = bs.false_signals(["anhoej", "ihi"], n=[36]).filter(signal="any")
    >>> [(row["rules"], round(row["prob_false_signal"], 2)) for row in rates.iter_rows(named=True)]
    [('anhoej', 0.04), ('ihi', 0.55)]
    """
    given = [rules] if isinstance(rules, str) else list(rules)
    request: dict[str, Any] = {
        "rules": [rules_request(one) for one in given],
        "n": [n] if isinstance(n, int) else list(n),
        "baseline": baseline,
        "kind": kind,
    }
    return _core.false_signals(request)
