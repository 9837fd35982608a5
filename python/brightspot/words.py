"""Words for numbers, and the sentences that go with results: meaning is computed below, words are made last, here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any


def number(value: float | None, digits: int = 3) -> str:
    """Write a number for people: ``digits`` significant digits, no exponent for everyday sizes.

    >>> number(12.3456), number(-0.5), number(1234.5), number(None)
    ('12.3', '−0.5', '1,234', 'unknown')
    """
    if value is None or math.isnan(value):
        return "unknown"
    if value == 0 or math.isinf(value):
        return "0" if value == 0 else ("∞" if value > 0 else "−∞")
    magnitude = math.floor(math.log10(abs(value)))
    if not -4 <= magnitude < 9:
        return f"{value:.{digits - 1}e}"
    text = f"{abs(value):,.{max(0, digits - 1 - magnitude)}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"−{text}" if value < 0 else text


def signed(value: float | None, digits: int = 3) -> str:
    """A number with its sign.

    >>> signed(4.1), signed(-2)
    ('+4.1', '−2')
    """
    text = number(value, digits)
    return f"+{text}" if value is not None and value > 0 else text


def percent(probability: float | None) -> str:
    """A probability or share as a percentage; never a false 0% or 100%.

    >>> percent(0.934), percent(0.0003), percent(0.9999), percent(0.034)
    ('93%', 'less than 0.1%', 'more than 99.9%', '3.4%')
    """
    if probability is None or math.isnan(probability):
        return "unknown"
    if 0 < probability < 0.001:
        return "less than 0.1%"
    if 0.999 < probability < 1:
        return "more than 99.9%"
    share = 100 * probability
    return f"{share:.1f}%".replace(".0%", "%") if share < 9.95 or share > 99 else f"{share:.0f}%"


def counted(count: int, thing: str, plural: str | None = None) -> str:
    """A count with its noun.

    >>> counted(1, "point"), counted(1200, "pupil"), counted(2, "class", "classes")
    ('1 point', '1,200 pupils', '2 classes')
    """
    return f"{count:,} {thing if count == 1 else plural or thing + 's'}"


def listed(items: Sequence[str]) -> str:
    """Join items as in a sentence.

    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    return ", ".join(items[:-1]) + " and " + items[-1] if len(items) > 1 else "".join(items)


def run_chart(row: Mapping[str, Any], name: str = "") -> str:
    """One row of a run chart's summary as a sentence or two."""
    who = f"{name}: " if name else ""
    if row["center"] is None:
        return f"{who}{counted(row['n_obs'], 'point')}, no value to draw a centre line from."
    start = f"{who}{counted(row['n_obs'], 'point')} around a median of {number(row['center'])}. "
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
