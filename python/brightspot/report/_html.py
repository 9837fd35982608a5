"""Filling the templates: everything that comes from outside is escaped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("brightspot.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def _css() -> Markup:
    # Our own file: it holds nothing from outside.
    return Markup(files("brightspot.report").joinpath("templates/page.css").read_text(encoding="utf-8"))


# The pixels of a sheet within its margins, and how low and how high a picture's plot may be.
SHEET, LOWEST, HIGHEST = 970, 110, 380


def lines(texts: Sequence[str], characters: int) -> int:
    """About how many lines texts take, each on its own, at so many characters a line."""
    return sum(max(1, math.ceil(len(text) / characters)) for text in texts)


def picture_height(taken: float) -> int:
    """The height of a plot where all else takes about so many pixels; the style sheet does the fine adjustment."""
    return round(min(HIGHEST, max(LOWEST, SHEET - taken)))


def filled(template: str, **values: object) -> str:
    """A template of this package with its values."""
    return _environment().get_template(template).render(css=_css(), **values)


def drawn(svg: str) -> Markup:
    """A picture made by this package, whose texts are escaped already, as part of a page."""
    return Markup(svg)
