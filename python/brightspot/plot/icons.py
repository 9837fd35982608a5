"""Icons for what a chart shows and whether it will meet its target: a shape with a letter, drawn as lines and areas.

In the spirit of the NHS programme "Making Data Count": better is a disc, worse a square, a change that is neither a
diamond, ordinary ups and downs an open ring with a wave. H is for high and L for low values; P is for passing the
target every time, F for failing it, ? for now one, now the other. Each can be told in grey print.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from brightspot import words
from brightspot.plot.theme import BLUE, INK, ORANGE, QUIET


@dataclass(frozen=True, slots=True)
class Icon:
    """One icon: the path of its outline, its colour, its letter, and what it means."""

    path: str
    color: str
    letter: str
    meaning: str
    is_open: bool = False


def _ring(inner: float) -> str:
    outer = "M-1,0A1,1,0,1,1,1,0A1,1,0,1,1,-1,0Z"
    return f"{outer}M-{inner},0A{inner},{inner},0,1,0,{inner},0A{inner},{inner},0,1,0,-{inner},0Z"


_DISC = "M-1,0A1,1,0,1,1,1,0A1,1,0,1,1,-1,0Z"
_SQUARE = "M-0.88,-0.88L0.88,-0.88L0.88,0.88L-0.88,0.88Z"
_DIAMOND = "M0,-1.15L1.15,0L0,1.15L-1.15,0Z"


def _wave() -> str:
    """An open ring with a wave in it."""
    xs = [-0.55 + 1.1 * k / 16 for k in range(17)]
    above = [(x, -0.26 * math.sin(x / 0.55 * math.pi) - 0.08) for x in xs]
    below = [(x, y + 0.16) for x, y in reversed(above)]
    return _ring(0.82) + "M" + "L".join(f"{x:.3f},{y:.3f}" for x, y in [*above, *below]) + "Z"


VARIATION = {
    "improvement_high": Icon(_DISC, BLUE, "H", words.VARIATIONS["improvement_high"]),
    "improvement_low": Icon(_DISC, BLUE, "L", words.VARIATIONS["improvement_low"]),
    "concern_high": Icon(_SQUARE, ORANGE, "H", words.VARIATIONS["concern_high"]),
    "concern_low": Icon(_SQUARE, ORANGE, "L", words.VARIATIONS["concern_low"]),
    "neutral_high": Icon(_DIAMOND, INK, "H", words.VARIATIONS["neutral_high"]),
    "neutral_low": Icon(_DIAMOND, INK, "L", words.VARIATIONS["neutral_low"]),
    "common_cause": Icon(_wave(), QUIET, "", words.VARIATIONS["common_cause"], is_open=True),
}
ASSURANCE = {
    "passing": Icon(_DISC, BLUE, "P", words.ASSURANCES["passing"]),
    "failing": Icon(_SQUARE, ORANGE, "F", words.ASSURANCES["failing"]),
    "inconsistent": Icon(_ring(0.82), QUIET, "?", words.ASSURANCES["inconsistent"], is_open=True),
}
