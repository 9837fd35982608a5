"""What all records share: checked by the core when made, compared and hashed by value, plain data on demand."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import date, datetime
from typing import Any, Self, cast

from brightspot import _core
from brightspot._result import Note, escaped
from brightspot.exceptions import InvalidRecordError

Load = Callable[[Any], Any]


def plain(value: object) -> Any:  # noqa: ANN401 (plain data are of many types)
    """Records, dates and tuples as what JSON knows."""
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, Note):
        return value.to_dict()
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidRecordError(
            f"a record holds finite numbers, but this is {value}; leave it out where there is none"
        )
    if isinstance(value, date):  # date-times too
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in cast("list[object]", value)]
    return value


class Record:
    """A record: immutable, typed, and valid from the moment it is made."""

    __slots__ = ()

    def __post_init__(self) -> None:
        clean = _core.check(type(self).__name__, {f.name: plain(getattr(self, f.name)) for f in fields(self)})  # type: ignore[arg-type]
        for f in fields(self):  # type: ignore[arg-type]
            load: Load | None = f.metadata.get("load")
            value = clean.get(f.name)
            object.__setattr__(self, f.name, load(value) if load else value)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as they stand in JSON."""
        return {f.name: plain(getattr(self, f.name)) for f in fields(self)}  # type: ignore[arg-type]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make the record of plain data; what is missing gets its default, what is unknown is refused.

        Raises
        ------
        InvalidRecordError
            Which names the field, what is wrong with it, and what would be right.
        """
        return cls(**_core.check(cls.__name__, plain(data)))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.to_dict() == cast("Record", other).to_dict()

    def __hash__(self) -> int:
        return hash(json.dumps(self.to_dict(), sort_keys=True))

    def _told(self) -> list[tuple[str, Any]]:
        """The fields that say something: not those at their default."""
        told: list[tuple[str, Any]] = []
        for f in fields(self):  # type: ignore[arg-type]
            value = getattr(self, f.name)
            usual = (
                f.default
                if f.default is not MISSING
                else f.default_factory()
                if f.default_factory is not MISSING
                else MISSING
            )
            if usual is MISSING or value != usual:
                told.append((f.name, value))
        return told

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._told())})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{escaped(name)}</th><td style='text-align:left'>{_shown(value)}</td></tr>"
            for name, value in self._told()
        )
        return f"<p><strong>{type(self).__name__}</strong></p><table>{rows}</table>"


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return "<br>".join(_shown(item) for item in cast("tuple[object, ...]", value))
    return escaped(value)


def load_date(value: str) -> date:
    """An ISO date."""
    return date.fromisoformat(value)


def load_moment(value: str) -> datetime:
    """An ISO moment."""
    return datetime.fromisoformat(value)


def load_tuple(values: list[Any]) -> tuple[Any, ...]:
    """A list, made immutable."""
    return tuple(values)


def load_each(load: Load) -> Load:
    """Each of a list, made immutable."""
    return lambda values: tuple(load(value) for value in values)


def load_optional(load: Load) -> Load:
    """A value that may be missing."""
    return lambda value: None if value is None else load(value)


def load_note(data: Mapping[str, Any]) -> Note:
    """A note, with its words."""
    return Note.from_dict(data)


def load_record(name: str) -> Load:
    """A nested record; classes may be defined in any order."""

    def load(data: Mapping[str, Any]) -> Record:
        from brightspot import _records

        kind: type[Record] = getattr(_records, name)
        return kind(**data)

    return load
