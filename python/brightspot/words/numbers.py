"""Words for numbers, dates and lists."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date


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


def about(probability: float | None) -> str:
    """A share that is estimated.

    >>> about(0.054), about(0.0003)
    ('about 5.4%', 'less than 0.1%')
    """
    text = percent(probability)
    return text if text.startswith(("less", "more")) else f"about {text}"


def odds(probability: float) -> str:
    """A probability as a count of cases, as people find it easiest to picture.

    >>> odds(0.041), odds(0.0066), odds(0.0002), odds(0.998)
    ('4 of 100', '7 of 1,000', 'fewer than 1 of 1,000', 'more than 99 of 100')
    """
    if not probability >= 0.001:
        return "fewer than 1 of 1,000"
    if probability < 0.0095:
        return f"{1000 * probability:.0f} of 1,000"
    return "more than 99 of 100" if probability > 0.995 else f"{100 * probability:.0f} of 100"


def share(value: float | None) -> str:
    """A share that was observed, as a percentage.

    >>> share(0.0672), share(0.9512), share(0.12), share(None)
    ('6.7%', '95.1%', '12%', 'unknown')
    """
    if value is None or math.isnan(value):
        return "unknown"
    return f"{number(100 * value, 2 if abs(value) < 0.0995 else 3)}%"


def day(value: date) -> str:
    """A date.

    >>> day(date(2026, 1, 5))
    '5 Jan 2026'
    """
    return f"{value.day} {value:%b} {value.year}"


def counted(count: int, thing: str, plural: str | None = None) -> str:
    """A count with its noun.

    >>> counted(1, "point"), counted(1200, "pupil"), counted(2, "class", "classes")
    ('1 point', '1,200 pupils', '2 classes')
    """
    return f"{count:,} {thing if count == 1 else plural or thing + 's'}"


def noun(column: str) -> str:
    """A column's name as a word in a sentence.

    >>> noun("teacher_id"), noun("prior_score")
    ('teacher', 'prior score')
    """
    return column.removesuffix("_id").replace("_", " ")


def listed(items: Sequence[str]) -> str:
    """Join items as in a sentence.

    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    return ", ".join(items[:-1]) + " and " + items[-1] if len(items) > 1 else "".join(items)


def span(days: tuple[date, date]) -> str:
    """From one day to another.

    >>> span((date(2026, 9, 1), date(2026, 10, 25))), span((date(2026, 12, 1), date(2027, 1, 8)))
    ('1 Sep to 25 Oct 2026', '1 Dec 2026 to 8 Jan 2027')
    """
    first, last = days
    start = f"{first.day} {first:%b}" if first.year == last.year else day(first)
    return f"{start} to {day(last)}"


def in_step(value: float, width: float, *, is_signed: bool = True) -> str:
    """A number with as many decimals as its interval of this ``width`` makes worth reading, zeros kept.

    >>> in_step(3.6912, 2.41), in_step(-0.0848, 0.93), in_step(5, 60), in_step(5.02, 5.9, is_signed=False)
    ('+3.7', '−0.08', '+5', '5.0')
    """
    decimals = min(6, max(0, 1 - math.floor(math.log10(width)))) if 0 < width < math.inf else 2
    text = f"{abs(value):,.{decimals}f}"
    is_zero = not text.strip("0.,")
    sign = "" if is_zero else ("−" if value < 0 else ("+" if is_signed else ""))
    return f"{sign}{text}"


LONG_NAME, LONG_IN_CARD = 48, 32
"""From here on a name is shortened within a sentence, or where there is less room."""


def clipped(text: str, limit: int) -> str:
    """Text of at most ``limit`` characters, cut between words, with an ellipsis where something is missing.

    >>> clipped("Number talks at the start", 18), clipped("Number talks", 18), clipped("a" * 9, 5)
    ('Number talks at …', 'Number talks', 'aaaa…')
    """
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    kept = text[: limit - 1]
    return f"{kept[: kept.rindex(' ')].rstrip(',;:.')} …" if " " in kept[limit // 2 :] else f"{kept}…"


def capital(text: str) -> str:
    """Text with a capital first letter, the others as they are.

    >>> capital("exit ticket")
    'Exit ticket'
    """
    return f"{text[:1].upper()}{text[1:]}"
