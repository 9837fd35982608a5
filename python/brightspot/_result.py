"""What all results share: notes, and how a result shows itself in Jupyter."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from brightspot import _core
from brightspot.exceptions import InvalidRecordError


@dataclass(frozen=True, slots=True)
class Note:
    """A caveat on a result: never an error, always counted.

    Attributes
    ----------
    code
        A stable word, for programs.
    message
        One plain sentence, for people.
    count
        How many rows, points, charts or units it concerns; 0 where counting makes no sense.
    value
        The number that matters (an estimate, a threshold), where there is one.
    at
        Where: a chart, a column, a unit, a measure; empty for the whole result.

    Examples
    --------
    >>> import brightspot as bs
    >>> pupils = bs.datasets.star().filter(gr="K")
    >>> model = bs.mixed_model(pupils, outcome="math", random="sch/tch")
    >>> for note in model.notes:
    ...     print(note)
    [rows_left_out] math: 454 rows left out: a value the model needs is missing
    """

    code: str
    message: str
    count: int = 0
    value: float | None = None
    at: str = ""

    def __str__(self) -> str:
        return f"[{self.code}] {self.message}"

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as they stand in JSON; the words are made anew."""
        return {"code": self.code, "count": self.count, "value": self.value, "at": self.at}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Note:
        """Make the note of plain data.

        Raises
        ------
        InvalidRecordError
            For a code that does not exist, and fields that a note does not have.
        """
        if not isinstance(data, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] (what people give)
            found = type(data).__name__
            raise InvalidRecordError(f"Note: is made of a mapping of its fields, but this is {found}", record="Note")
        return cls(**_core.note(_core.check("Note", dict(data))))

    @classmethod
    def all_from(cls, notes: Sequence[dict[str, Any]]) -> tuple[Note, ...]:
        """Make notes of what the core returns."""
        return tuple(cls(**note) for note in notes)


def escaped(text: object) -> str:
    """Text, made safe for HTML."""
    return html.escape(str(text))


def page(
    title: str, sentences: Sequence[str], tables: Sequence[tuple[str, pl.DataFrame]], notes: Sequence[Note]
) -> str:
    """A result as HTML for a notebook: title, sentences, tables (the first rows), caveats."""
    parts = [f"<p><strong>{escaped(title)}</strong></p>"]
    parts += [f"<p>{escaped(sentence)}</p>" for sentence in sentences]
    for name, table in tables:
        parts.append(f"<p style='margin-bottom:0'><code>.{escaped(name)}</code></p>")
        parts.append(table._repr_html_())  # pyright: ignore[reportPrivateUsage] (what Jupyter calls)
    if notes:
        items = "".join(f"<li><code>{escaped(note.code)}</code> {escaped(note.message)}</li>" for note in notes)
        parts.append(f"<p style='margin-bottom:0'>Notes</p><ul>{items}</ul>")
    return "\n".join(parts)
