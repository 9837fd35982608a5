"""Sentences for effects pooled over sites, and for funnel charts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from brightspot.words.numbers import capital, counted, in_step, noun, number, percent

if TYPE_CHECKING:
    from brightspot.funnel import Funnel
    from brightspot.growth import Growth
    from brightspot.pool import Pool

POOL_FINDINGS: Mapping[str, str] = {
    "one_site": "One site only: its effect is shown, and nothing is said about others.",
    "two_sites": "Two sites only: their effects are shown and not pooled.",
    "likely_to_help": "Likely to help at a site like these.",
    "works_on_average": "Works on average, not reliably everywhere: find the context in which it does.",
    "not_distinguishable": "On average no effect that can be told from chance.",
    "harms_on_average": "Harms on average, not everywhere: find the context in which it does.",
    "likely_to_harm": "Likely to harm at a site like these.",
}
"""What is found about a practice in many sites, by code."""


def pool(found: Pool) -> list[str]:
    """What was found about all sites together: the finding first, then the numbers it rests on."""
    told = [POOL_FINDINGS[found.finding]]
    if found.estimate is None or found.lo is None or found.hi is None:
        return told
    level = percent(found.spec["spec"]["level"])
    width = found.hi - found.lo
    told.append(
        f"Over {counted(found.sites.height, 'site')} the effect is {in_step(found.estimate, width)} on average "
        f"({level} interval {between(found.lo, found.hi)})."
    )
    if found.prediction_lo is not None and found.prediction_hi is not None:
        told.append(f"A site that is not among these may expect {between(found.prediction_lo, found.prediction_hi)}.")
    if found.i2 is not None:
        told.append(
            "What differs between the sites is no more than chance would make."
            if found.i2 <= 0
            else f"{capital(percent(found.i2))} of the variation between their effects is more than chance."
        )
    return told


def between(low: float, high: float) -> str:
    """An interval, with as many decimals as its width makes worth reading."""
    return f"{in_step(low, high - low)} to {in_step(high, high - low)}"


FUNNEL_VALUES: Mapping[str, str] = {
    "proportion": "share",
    "ratio": "observed over expected",
    "ratio_log": "observed over expected",
    "count_ratio": "ratio",
    "mean": "mean",
}
"""What the values of a funnel chart are called, by kind."""


def funnel(found: Funnel) -> list[str]:
    """What a funnel chart shows: how many units lie outside, and whether they scatter more than their sizes explain."""
    unit, n = noun(found.spec["unit"]), found.units.height
    kind = found.spec["spec"]["kind"]
    target = percent(found.target) if kind == "proportion" else number(found.target)
    parts = [
        f"{int(found.units[f'is_outside_{name}'].sum()):,} outside the {percent(level)} limits "
        f"({number(n * (1 - level), 2)} expected by chance)"
        for level, name in zip(found.levels, found.level_names, strict=True)
    ]
    told = [f"{counted(n, unit)} about {target}: {', '.join(parts)}."]
    how = found.spec["spec"]["overdispersion"]
    if found.is_overdispersed:
        allowed = {
            "additive": "the limits allow for true differences between them",
            "multiplicative": "the limits are widened for it",
            "none": "the limits do not allow for it and are too narrow",
        }[how]
        told.append(f"They scatter {number(found.phi)} times as much as their sizes explain: {allowed}.")
    return told


def funnel_levels(found: Funnel) -> str:
    """What the bands of the picture are."""
    shown: list[Any] = [percent(level) for level in sorted(found.levels)]
    return f"Grey: where {' and '.join(shown)} of units like these would fall."


def growth(found: Growth) -> list[str]:
    """Who was placed among whom, and what a percentile is."""
    priors = " and ".join(noun(prior["name"]) for prior in found.model.priors)
    placed = found.students["percentile"].drop_nulls().len()
    return [
        f"{counted(placed, 'student')} placed among {counted(found.model.n_students, 'student')} by {priors}.",
        "A percentile of 60 means: above 60 of 100 students with the same earlier scores.",
    ]
