"""The rules that tell change from noise, each by a short name and by a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from brightspot.words.numbers import noun

Family = Literal["beyond", "run", "pattern", "line"]
"""What a signal is one of: points outside the limits, long stretches, other patterns, or the line as a whole."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its short name, its sentence, and what it is a signal of."""

    name: str
    sentence: str
    family: Family


RULES: dict[str, Rule] = {
    "beyond_limits": Rule(
        "outside the limits",
        "A point lies outside the limits, farther from the centre line than ordinary ups and downs reach.",
        "beyond",
    ),
    "longest_run": Rule(
        "long run", "More points in a row than chance makes likely lie on one side of the centre line.", "run"
    ),
    "shift": Rule("shift", "Many points in a row lie on one side of the centre line.", "run"),
    "trend": Rule("trend", "Many points in a row rise, or many in a row fall.", "run"),
    "two_of_three": Rule(
        "2 of 3 near a limit", "Two of three points in a row lie in the outer third towards the same limit.", "pattern"
    ),
    "four_of_five": Rule(
        "4 of 5 off the centre",
        "Four of five points in a row lie outside the inner third, on the same side of the centre line.",
        "pattern",
    ),
    "zone": Rule(
        "several far out", "Most of a few points in a row lie far from the centre line, on the same side.", "pattern"
    ),
    "hugging": Rule(
        "hugging the centre",
        "Many points in a row lie close to the centre line: they vary less than the limits suppose.",
        "pattern",
    ),
    "avoiding": Rule(
        "avoiding the centre",
        "Several points in a row lie away from the centre line, above it or below: two processes may be mixed.",
        "pattern",
    ),
    "alternating": Rule("up and down in turn", "Many points in a row go up and down in turn.", "pattern"),
    "few_crossings": Rule(
        "few crossings of the line", "The data cross the centre line less often than chance makes likely.", "line"
    ),
    "best_box": Rule(
        "runs and crossings of the line",
        "The longest run and the crossings of the centre line, taken together, are unlikely by chance (best box).",
        "line",
    ),
    "cut_box": Rule(
        "runs and crossings of the line",
        "The longest run and the crossings of the centre line, taken together, are unlikely by chance (cut box).",
        "line",
    ),
    "few_runs": Rule(
        "few runs", "The data change sides of the centre line less often than chance makes likely.", "line"
    ),
    "many_runs": Rule(
        "many runs", "The data change sides of the centre line more often than chance makes likely.", "line"
    ),
}

ODD = frozenset({"hugging", "avoiding", "alternating", "many_runs"})
"""Signals that tell of something odd in the data or their limits, and not of a change."""


def signal(code: str) -> str:
    """What a rule saw, in one sentence.

    >>> signal("trend")
    'Many points in a row rise, or many in a row fall.'
    """
    return RULES[code].sentence if code in RULES else f"A rule signals: {noun(code)}."


def signal_name(code: str) -> str:
    """The short name of a rule.

    >>> signal_name("longest_run"), signal_name("beyond_limits")
    ('long run', 'outside the limits')
    """
    return RULES[code].name if code in RULES else noun(code)


def signal_names(codes: Iterable[str], most: int = 2) -> str:
    """The short names of several rules, as the name of what any of them marks.

    >>> signal_names(["shift", "trend"]), signal_names(["hugging", "avoiding", "alternating"])
    ('shift or trend', 'pattern of points')
    """
    kept = set(codes)
    ordered: Sequence[str] = [code for code in RULES if code in kept] + sorted(kept - RULES.keys())
    names = list(dict.fromkeys(signal_name(code) for code in ordered))
    if len(names) <= most:
        return " or ".join(names)
    families = {signal_family(code) for code in kept}
    return "run, shift or trend" if families == {"run"} else "pattern of points"


def signal_family(code: str) -> Family:
    """Which of the four families a rule belongs to.

    >>> signal_family("shift"), signal_family("few_runs")
    ('run', 'line')
    """
    return RULES[code].family if code in RULES else "pattern"
