"""Mixed models of another kind: the arguments that ask for slopes, passes and counts, or a correction for noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from brightspot._frames import names
from brightspot.exceptions import InvalidOptionError

Family: TypeAlias = Literal["binomial", "poisson"]
"""What is counted: successes of trials, or events."""
Slopes: TypeAlias = Mapping[str, str | Sequence[str]]
"""A factor, and the covariates whose slopes differ between its units."""
Reliability: TypeAlias = Mapping[str, float]
"""Covariates measured with error, each with the share of its variance that is not noise."""


def variant(
    *,
    family: Family | None,
    size: str | None,
    exposure: str | None,
    slopes: Slopes | None,
    correlated: bool,
    reliability: Reliability | None,
) -> tuple[dict[str, Any], list[str]]:
    """Return what of a request asks for another kind of model (empty where nothing does), and the columns it needs."""
    if family not in (None, "binomial", "poisson"):
        raise InvalidOptionError(
            f'family = {family!r} is not possible: it must be "binomial", "poisson" or None (a normal outcome)',
            option="family",
            value=repr(family),
        )
    request: dict[str, Any] = {"family": family, "size": size, "exposure": exposure}
    columns = [name for name in (size, exposure) if name is not None]
    if slopes is not None:
        factor, covariates = _slopes(slopes)
        structure = "correlated" if correlated else "uncorrelated"
        request["slopes"] = {"factor": factor, "columns": covariates, "structure": structure}
        columns += [factor, *covariates]
    if reliability is not None:
        request["reliability"] = _reliability(reliability)
    return {name: value for name, value in request.items() if value not in (None, [])}, columns


def _slopes(slopes: Slopes) -> tuple[str, list[str]]:
    try:
        ((factor, covariates),) = slopes.items()
        return str(factor), names("slopes", covariates)
    except (AttributeError, TypeError, ValueError) as error:
        raise InvalidOptionError(
            f"slopes = {slopes!r} is not possible: it must be one factor with its covariates, "
            'like {"teacher": ["prior"]}',
            option="slopes",
            value=repr(slopes),
        ) from error


def _reliability(reliability: Reliability) -> list[tuple[str, float]]:
    try:
        return [(str(name), float(value)) for name, value in reliability.items()]
    except (AttributeError, TypeError, ValueError) as error:
        raise InvalidOptionError(
            f'reliability = {reliability!r} is not possible: it must be like {{"prior": 0.85}}',
            option="reliability",
            value=repr(reliability),
        ) from error
