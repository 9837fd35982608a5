"""How signals look: the outline says what a signal means, as its colour does; the filling says of what kind it is.

Better is a triangle, worse a square, neither a diamond. A long stretch (run, shift, trend) is solid, a pattern near the
limits hollow, a point outside the limits ringed, several kinds at once an outline with a core: all of it survives grey
print.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from brightspot import words
from brightspot.plot.chart_data import MEANINGS, Row
from brightspot.plot.theme import BLUE, INK, LINE, ORANGE, POINT, State, States

_COLORS = {"improvement": BLUE, "deterioration": ORANGE, "neutral": INK}
_ENDINGS = {"improvement": ": better", "deterioration": ": worse", "neutral": ""}
_OUTLINES = {
    "improvement": [(0.0, -0.87), (1.0, 0.87), (-1.0, 0.87)],
    "deterioration": [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
    "neutral": [(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)],
}
_SOLID = {"improvement": ("triangle-up", 85), "deterioration": ("square", 70), "neutral": ("diamond", 85)}
# A triangle's middle is below the middle of its box.
_MIDDLES = {"improvement": 0.29, "deterioration": 0.0, "neutral": 0.0}
OBSERVED = State("observed", "single value", LINE, "circle", 14)
FAMILIES = ("beyond", "run", "pattern", "several")


def _outline(meaning: str, scale: float, middle: float | None = None, *, is_hole: bool = False) -> str:
    """A shape as a path; a hole runs the other way round."""
    own = _MIDDLES[meaning]
    at = own if middle is None else middle
    corners = [(x * scale, (y - own) * scale + at) for x, y in _OUTLINES[meaning]]
    corners = corners[::-1] if is_hole else corners
    return "M" + "L".join(f"{x:.3f},{y:.3f}" for x, y in corners) + "Z"


_RING = "M-1,0A1,1,0,1,1,1,0A1,1,0,1,1,-1,0ZM-0.8,0A0.8,0.8,0,1,0,0.8,0A0.8,0.8,0,1,0,-0.8,0Z"


def shape(family: str, meaning: str) -> tuple[str, int]:
    """The mark of a signal, and its size."""
    if family == "beyond":
        return _RING + _outline(meaning, 0.56, 0.02), 165
    if family == "pattern":
        return _outline(meaning, 1.0) + _outline(meaning, 0.52, is_hole=True), 90
    if family == "several":
        core = _outline(meaning, 0.42)
        return _outline(meaning, 1.0) + _outline(meaning, 0.74, is_hole=True) + core, 165
    return _SOLID[meaning]


def code(point: Row) -> str:
    """The state of a point: none, excluded, or the kind of its signals with what they mean."""
    if point["is_excluded"]:
        return "excluded"
    families = {words.signal_family(code) for code in point["signals"] or ()} - {"line"}
    if not families:
        return "none"
    meaning = point["meaning"] if point["meaning"] in MEANINGS else "neutral"
    return f"{families.pop() if len(families) == 1 else 'several'} {meaning}"


def states(points: Iterable[Row]) -> States:
    """The states that occur among points, named by the rules that occur; in the order of a legend."""
    codes: dict[str, set[str]] = {}
    for point in points:
        found = codes.setdefault(code(point), set())
        found |= {name for name in point["signals"] or () if words.signal_family(name) != "line"}
    known = [State("none", "no signal", POINT, "circle", 34)]
    for family in FAMILIES:
        for meaning in MEANINGS:
            state = f"{family} {meaning}"
            if state in codes:
                name = "several signals" if family == "several" else words.signal_names(codes[state])
                known.append(State(state, name + _ENDINGS[meaning], _COLORS[meaning], *shape(family, meaning)))
    known.append(State("excluded", "not counted", LINE, "cross", 60))
    return States([state for state in known if state.code in codes])


# Kinds of line: label in the legend, colour, dashes. A signal of the whole line is dotted.
BASELINE, PROJECTION = "computed from these points", "carried on"


def line_label(codes: Iterable[str], meaning: str) -> str:
    """What a dotted centre line means, in the legend."""
    return words.signal_names(codes) + _ENDINGS[meaning]


def line_kinds(labels: Mapping[str, str]) -> dict[str, tuple[str, list[int]]]:
    """Colour and dashes of each kind of line; ``labels`` gives the meaning of those with a signal."""
    plain = {BASELINE: (INK, [1, 0]), PROJECTION: (INK, [6, 4])}
    return plain | {label: (_COLORS[meaning], [2, 3]) for label, meaning in labels.items()}


def meaning_color(meaning: str | None) -> str:
    """The colour of a meaning; that of ordinary lines where there is none."""
    return _COLORS.get(meaning or "", INK)
