"""Where words go in a picture: how wide they are, how to shorten or wrap them, how to keep them apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

# Widths of Arial's (and Helvetica's and Liberation Sans') letters, in thousandths of the font size.
_WIDTHS = {
    width: letters
    for letters, width in (
        ("ijl'|", 222),
        (" ftI.,:;/!\\[]·", 278),
        ("r-()`{}°", 333),
        ("*", 389),
        ("ckJsvxyz", 500),
        ("abdeghnopqu_?$#L0123456789–", 556),
        ("+=<>~−", 584),
        ("FTZ", 611),
        ("ABEKPSVXY&", 667),
        ("CDHNRUw", 722),
        ("GOQ", 778),
        ("mM", 833),
        ("%", 889),
        ("W", 944),
        ("…—", 1000),
        ("@", 1015),
    )
}
_WIDTH = {letter: width for width, letters in _WIDTHS.items() for letter in letters}
_UNKNOWN, _WIDE = 600, 1000
# Other machines' fonts are somewhat wider.
_SAFETY = 1.06


class Box(NamedTuple):
    """A rectangle, in pixels from the top left."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        """Whether the two share some area."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def lies_within(self, other: Box) -> bool:
        """Whether it lies within ``other``."""
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.top >= other.top
            and self.bottom <= other.bottom
        )


def text_width(text: str, size: float = 11, *, bold: bool = False) -> float:
    """Roughly how wide a text is, in pixels; rather too wide than too narrow.

    >>> 50 < text_width("median 62.5") < 70
    True
    """
    thousandths = sum(_WIDTH.get(letter, _UNKNOWN if ord(letter) < 0x2E80 else _WIDE) for letter in text)
    return thousandths / 1000 * size * _SAFETY * (1.08 if bold else 1)


def shortened(text: str, width: float, size: float = 11, *, bold: bool = False) -> str:
    """Cut a text with an ellipsis so that it fits; empty where not even three letters would.

    >>> shortened("before", 200), shortened("tutoring in small groups", 70), shortened("before", 4)
    ('before', 'tutoring in…', '')
    """
    if text_width(text, size, bold=bold) <= width:
        return text
    for end in range(len(text) - 1, 2, -1):
        cut = text[:end].rstrip(" :;,.-") + "…"
        if text_width(cut, size, bold=bold) <= width:
            return cut
    return ""


def wrapped(text: str, width: float, size: float = 11, *, bold: bool = False, most: int = 3) -> list[str]:
    """Break a text into at most ``most`` lines between words; what does not fit is cut with an ellipsis.

    No word is left alone on a last line if a line before can give it company.

    >>> wrapped("Absences in the four middle schools", 130)
    ['Absences in the four', 'middle schools']
    """
    lines = _broken(text, width, size, bold=bold, most=most)
    for share in (0.9, 0.8, 0.7):
        if len(lines) < 2 or text_width(lines[-1], size, bold=bold) > 0.25 * width:
            break
        tighter = _broken(text, share * width, size, bold=bold, most=most)
        if len(tighter) == len(lines) and not tighter[-1].endswith("…"):
            lines = tighter
    return lines


def _broken(text: str, width: float, size: float, *, bold: bool, most: int) -> list[str]:
    lines: list[str] = []
    left = text.split()
    while left and len(lines) < most:
        taken = 1
        while taken < len(left) and text_width(" ".join(left[: taken + 1]), size, bold=bold) <= width:
            taken += 1
        if len(lines) == most - 1:
            taken = len(left)
        lines.append(shortened(" ".join(left[:taken]), width, size, bold=bold) or left[0])
        left = left[taken:]
    return lines


def spread(
    wanted: Sequence[float], distance: float | Sequence[float], low: float = -math.inf, high: float = math.inf
) -> list[float]:
    """Move positions apart so that no two are nearer than ``distance``, as little as possible and keeping their order.

    The sum of squared moves is the least that is possible. Positions stay within ``low`` and ``high`` if all of them
    have room there; if not, they start at ``low`` and run over.

    Parameters
    ----------
    wanted
        Where they would best stand.
    distance
        How far apart two must be; or how high each is, so that neighbours are half the one and half the other apart.
    low, high
        Bounds for the positions.

    Examples
    --------
    >>> spread([10, 12, 40], 14)
    [4.0, 18.0, 40.0]
    >>> spread([1, 2], 14, low=0, high=100)
    [0.0, 14.0]
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    sizes = [float(distance)] * len(wanted) if isinstance(distance, int | float) else [float(d) for d in distance]
    offsets = [0.0] if order else []
    for before, after in pairwise(order):
        offsets.append(offsets[-1] + (sizes[before] + sizes[after]) / 2)
    # Less the room that those before need, positions must not fall: pool neighbours that do (isotonic regression).
    pools: list[tuple[float, int]] = []
    for i, offset in zip(order, offsets, strict=True):
        mean, count = float(wanted[i]) - offset, 1
        while pools and pools[-1][0] > mean:
            before_mean, n = pools.pop()
            mean, count = (before_mean * n + mean * count) / (n + count), n + count
        pools.append((mean, count))
    ceiling = max(float(low), high - (offsets[-1] if offsets else 0.0))
    flat = [min(max(mean, float(low)), ceiling) for mean, count in pools for _ in range(count)]
    placed = [0.0] * len(wanted)
    for i, base, offset in zip(order, flat, offsets, strict=True):
        placed[i] = base + offset
    return placed


def rows_for(spans: Sequence[tuple[float, float]], gap: float = 6, most: int = 3) -> list[int | None]:
    """Give each text, from left to right, the first row where it touches no earlier one; None where there is none.

    >>> rows_for([(0, 50), (30, 80), (60, 90)])
    [0, 1, 0]
    """
    ends: list[float] = []
    rows: list[int | None] = []
    for start, end in spans:
        row = next((r for r, last in enumerate(ends) if start >= last + gap), len(ends))
        if row == len(ends):
            if row == most:
                rows.append(None)
                continue
            ends.append(end)
        ends[row] = end
        rows.append(row)
    return rows


MOST_AVOIDED = 1000
"""With more points than this, labels avoid only those that are named."""


def around(x: float, y: float, radius: float) -> Box:
    """The box of a mark about its middle."""
    return Box(x - radius, y - radius, x + radius, y + radius)


def beside(
    points: Sequence[tuple[float, float]],
    texts: Sequence[str],
    within: Box,
    *,
    size: float = 11,
    taken: Sequence[Box] = (),
    avoided: Sequence[Box] = (),
) -> list[Box | None]:
    """Place each text near its point, over no other text and no ``taken`` box; None where there is no room.

    What is ``avoided`` is covered only where nothing near the point is free of it.
    """
    height, placed = size + 2, list(taken)
    result: list[Box | None] = []
    for (x, y), text in zip(points, texts, strict=True):
        width = text_width(text, size) + 3
        boxes = [
            Box(left, y + (step - 1) * height / 2, left + width, y + (step + 1) * height / 2)
            for step in (0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5, -6, 6)
            for left in (x + 8, x - 8 - width)
        ]
        free = [box for box in boxes if box.lies_within(within) and not any(box.overlaps(other) for other in placed)]
        clear = (box for box in free if not any(box.overlaps(other) for other in avoided))
        chosen = next(clear, free[0] if free else None)
        result.append(chosen)
        if chosen:
            placed.append(chosen)
    return result
