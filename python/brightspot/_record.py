"""What all records share: checked by the core when made, compared and hashed by value, plain data on demand."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NoReturn, Self, cast

from brightspot import _core
from brightspot._result import Note, escaped
from brightspot.exceptions import InvalidRecordError

Load = Callable[[Any], Any]


# What the core's whole numbers can hold.
SMALLEST, LARGEST = -(2**63), 2**64 - 1


def plain(value: object, at: str = "") -> Any:  # noqa: ANN401 (plain data are of many types)
    """Records, dates and tuples as what JSON knows.

    Parameters
    ----------
    value
        What a field holds.
    at
        Where it stands, as in ``"Guard.margin"``: for the error.

    Raises
    ------
    InvalidRecordError
        For what a record cannot hold: numbers that are not finite, text that is no Unicode, other kinds of objects.
    """
    match value:
        case None | bool():
            return value
        case Record() | Note():
            return value.to_dict()
        case str():
            return value if is_unicode(value) else _refuse(at, "the text is no valid Unicode; give it anew")
        case numbers.Integral():
            whole = int(value)
            return whole if SMALLEST <= whole <= LARGEST else _refuse(at, "the number is too large")
        case numbers.Real() | Decimal():
            number = float(value)
            if math.isfinite(number):
                return number
            _refuse(at, f"a record holds finite numbers, but this is {number}; leave it out where there is none")
        case date():  # date-times too
            return value.isoformat()
        case Mapping():
            items = cast("Mapping[object, object]", value).items()
            return {str(key): plain(item, f"{at}.{key}" if at else str(key)) for key, item in items}
        case list() | tuple():
            return [plain(item, f"{at}[{i}]") for i, item in enumerate(cast("list[object]", value))]
        case _:
            found = type(value).__name__
            _refuse(at, f"a record cannot hold {found}; give text, a number, a date, a list, a mapping or a record")


def _refuse(at: str, problem: str) -> NoReturn:
    record, _, path = at.partition(".")
    raise InvalidRecordError(f"{at}: {problem}" if at else problem, record=record, path=path, problem=problem)


def is_unicode(text: str) -> bool:
    """Whether text can be written at all: lone surrogates cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _hashable(data: Any) -> Any:  # noqa: ANN401
    """Plain data as something whose hash agrees with equality (0 and -0, 1 and 1.0 are equal)."""
    if isinstance(data, dict):
        return frozenset((key, _hashable(item)) for key, item in cast("dict[str, Any]", data).items())
    if isinstance(data, list):
        return tuple(_hashable(item) for item in cast("list[Any]", data))
    return data


class FrozenDict(dict[str, Any]):
    """A mapping of a record: it shows itself as a dict, and does not change."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a record does not change: make a new one with dataclasses.replace(record, ...)")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


class Record:
    """A record: immutable, typed, and valid from the moment it is made."""

    __slots__ = ()

    def __post_init__(self) -> None:
        kind = type(self).__name__
        given = {f.name: plain(getattr(self, f.name), f"{kind}.{f.name}") for f in fields(self)}  # type: ignore[arg-type]
        clean = _core.check(kind, given)
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
        if not isinstance(data, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] (what people give)
            _refuse(cls.__name__, f"is made of a mapping of its fields, but this is {type(data).__name__}")
        return cls(**_core.check(cls.__name__, plain(data, cls.__name__)))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.to_dict() == cast("Record", other).to_dict()

    def __hash__(self) -> int:
        return hash((type(self).__name__, _hashable(self.to_dict())))

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


def load_mapping(values: dict[str, Any]) -> FrozenDict:
    """A mapping, made immutable."""
    return FrozenDict(values)


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
