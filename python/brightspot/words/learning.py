"""Sentences about what a team learns from its cycles: how good its predictions are, and how far a change has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brightspot.words.numbers import capital, counted, listed, number, odds, percent

if TYPE_CHECKING:
    from brightspot.calibration import Calibration
    from brightspot.ramp import Ramp

WHY_NEXT = {
    "begin": "to begin",
    "step_up": "confirmed at the present scale",
    "same_scale": "not confirmed at this scale yet",
    "held_back": "the evidence allows more, the risk does not",
    "stopped": "the change was abandoned",
    "finished": "confirmed everywhere",
}
"""Why the next step of a ramp is what it is."""

SIZES = {
    "very_small": "very small: one place, a short time",
    "small": "small: a few places",
    "large": "large: many places",
    "implement": "everywhere, as the new way of working",
}
"""How large a test should be."""


def calibration(found: Calibration) -> list[str]:
    """How well stated beliefs agree with what came."""
    n_hits = round(found.n * found.hit_rate)
    told = [
        f"{n_hits} of {counted(found.n, 'prediction')} came true ({percent(found.hit_rate)}); "
        f"the mean of the stated beliefs is {percent(found.mean_belief)}.",
        _leaning(found),
        f'The Brier score is {number(found.brier)} (0 is perfect; "fifty-fifty" always gets 0.25).',
        _learning(found),
    ]
    return [sentence for sentence in told if sentence]


def _leaning(found: Calibration) -> str:
    match found.leaning:
        case "overconfident":
            chance = odds(found.p_overconfident)
            return f"The team is too sure: were its beliefs right, so few would come true in {chance}."
        case "underconfident":
            chance = odds(found.p_underconfident)
            return f"The team is surer than it says: were its beliefs right, so many would come true in {chance}."
        case "no_leaning":
            return "That agrees with the beliefs, within chance."
        case "insufficient":
            return "These are too few to tell whether the team is too sure or too unsure."


def _learning(found: Calibration) -> str:
    if found.brier_earlier is None or found.brier_later is None:
        return ""
    halves = f"from {number(found.brier_earlier)} in the earlier half to {number(found.brier_later)} in the later"
    match found.learning:
        case "improving":
            return f"Predictions are getting better: the score went {halves}."
        case "declining":
            return f"Predictions are getting worse: the score went {halves}."
        case "no_trend":
            return f"Whether predictions get better cannot be told from chance: the score went {halves}."
        case "insufficient":
            return ""


def places(scale: int | str | None) -> str:
    """In how many places.

    >>> places(1), places(25), places("all"), places(None)
    ('1 place', '25 places', 'all places', 'none')
    """
    if scale is None:
        return "none"
    return "all places" if isinstance(scale, str) else counted(scale, "place")


def ramp_next(found: Ramp) -> str:
    """The next step of a ramp, in a few words."""
    return f"next: {places(found.next_scale)}, {WHY_NEXT[found.reason]}"


def ramp(found: Ramp) -> list[str]:
    """Where a change stands on its ramp, and how large the next test should be."""
    decided = found.cycles["decision"].count()
    told = [f"{counted(found.cycles.height, 'cycle')} on this idea, {decided} decided."]
    if found.confirmed_at is None:
        told.append("It has not been confirmed anywhere yet.")
    else:
        where = [f"{name} {listed(values)}" for name, values in found.confirmed_contexts.items()]
        under = f", under {listed(where)}" if where else ""
        told.append(f"Confirmed in up to {places(found.confirmed_at)}{under}.")
    if found.next_scale is None:
        told.append(f"No next test: {WHY_NEXT[found.reason]}.")
    else:
        told.append(f"Next, test in {places(found.next_scale)}: {WHY_NEXT[found.reason]}.")
    if found.test_size is not None:
        told.append(f"By belief, cost of failure and readiness the test should be {SIZES[found.test_size]}.")
    return [capital(sentence) for sentence in told]
