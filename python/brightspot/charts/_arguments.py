"""What all charts are asked: where it starts anew, what its line rests on, by which rules it is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal

import polars as pl

from brightspot._frames import iso, names, to_polars
from brightspot.exceptions import InvalidOptionError

Time = int | float | str | date | datetime
Baseline = int | tuple[Time, Time] | str | None
Phases = int | Sequence[int] | Mapping[str, Time] | str | None
# A name, several names (all their rules together), or a rule set as plain data.
Rules = str | Sequence[str] | Mapping[str, Any]
Aggregate = Literal["mean", "median", "sum"] | None
# A number, or the column that holds it.
Given = float | str | None


def read(df: object, by: str | Sequence[str], columns: Sequence[object], optional: object) -> pl.DataFrame:
    """The frame with the columns that are named; of the arguments that may be a number, those that are text."""
    named = [column if isinstance(column, str) else None for column in columns]
    return to_polars(df, [*names("by", by), *named], optional=[optional if isinstance(optional, str) else None])


def baseline_request(baseline: Baseline) -> dict[str, Any] | None:
    """A baseline as the core takes it."""
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


def phases_request(phases: Phases) -> dict[str, Any] | None:
    """Phases as the core takes them."""
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


def rules_request(rules: Rules) -> list[Any]:
    """Rules as the core takes them: a list of names and of rule sets."""
    match rules:
        case str() | Mapping():
            return [rules]
        case Sequence() if rules:
            return list(rules)
        case _:
            pass
    raise InvalidOptionError(
        f"rules = {rules!r} is not possible: it must be the name of a rule set, a list of names, or a rule set as "
        "plain data; brightspot.rule_sets() shows those there are",
        option="rules",
        value=repr(rules),
    )
