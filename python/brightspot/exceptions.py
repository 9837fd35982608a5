"""What can go wrong, by what you can do about it.

Every error of this package is a :class:`BrightspotError`, and also the builtin that fits (``ValueError``,
``TypeError``, ``KeyError``, ``OSError``), so that existing handlers work. Its message says what was wrong, what was
found, and what to do; ``.code`` is a stable word that never changes, and ``.details`` holds the parts of the message as
data.
"""

from __future__ import annotations

from typing import Any


class BrightspotError(Exception):
    """The base of all errors of this package.

    Attributes
    ----------
    code
        A stable word, for programs.
    details
        The parts of the message as data.

    Examples
    --------
    >>> import brightspot as bs
    >>> try:
    ...     bs.run_chart({"week": [1, 2], "score": [60, 61]}, value="scores", time="week")
    ... except bs.BrightspotError as error:
    ...     print(error.code, isinstance(error, KeyError), error, sep="; ")
    column_missing; True; there is no column "scores" (did you mean "score"?); the columns are "week", "score"
    """

    code: str = "error"

    def __init__(self, message: str, **details: Any) -> None:  # noqa: ANN401 (details are plain data of many types)
        super().__init__(message)
        self.details: dict[str, Any] = details

    # A KeyError would print its message quoted.
    __str__ = Exception.__str__

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), str(self), self.details)


def _rebuild(kind: type[BrightspotError], message: str, details: dict[str, Any]) -> BrightspotError:
    return kind(message, **details)


class ColumnMissingError(BrightspotError, KeyError):
    """A named column is not in the frame."""

    code = "column_missing"


class ColumnTypeError(BrightspotError, TypeError):
    """A column, or the frame itself, is of a type that cannot serve."""

    code = "column_type"


class ColumnClashError(BrightspotError, ValueError):
    """A column of yours bears the name of a column of the result."""

    code = "column_clash"


class InvalidOptionError(BrightspotError, ValueError):
    """An argument is outside of what is allowed."""

    code = "invalid_option"


class InvalidValueError(BrightspotError, ValueError):
    """The data hold values that the method cannot take."""

    code = "invalid_value"


class DuplicateTimesError(BrightspotError, ValueError):
    """Several rows stand for the same point of the same series."""

    code = "duplicate_times"


class TooFewError(BrightspotError, ValueError):
    """There is too little to compute the thing at all."""

    code = "too_few"


class InvalidRecordError(BrightspotError, ValueError):
    """A record breaks one of its own rules."""

    code = "invalid_record"


class PlanNotLockableError(BrightspotError, ValueError):
    """A plan cannot be judged as it stands, so it cannot be locked."""

    code = "plan_not_lockable"


class IllegalTransitionError(BrightspotError, ValueError):
    """A record was asked to make a move that its state does not allow."""

    code = "illegal_transition"


class NotFoundError(BrightspotError, KeyError):
    """No record bears this id."""

    code = "not_found"


class ConflictError(BrightspotError, ValueError):
    """Another writer came first."""

    code = "conflict"


class StoreError(BrightspotError, OSError):
    """The journal's file cannot be opened, read or written."""

    code = "store"


class TamperedError(BrightspotError, ValueError):
    """The journal's file has been altered outside of the program, or is damaged."""

    code = "tampered"


class NewerSchemaError(BrightspotError, ValueError):
    """The file or record was written by a newer version of brightspot."""

    code = "newer_schema"


class NumericalError(BrightspotError, ArithmeticError):
    """A number could not be computed."""

    code = "numerical"


class MissingDependencyError(BrightspotError, ImportError):
    """A package that is needed for this, and only for this, is not installed."""

    code = "missing_dependency"


BY_CODE: dict[str, type[BrightspotError]] = {kind.code: kind for kind in BrightspotError.__subclasses__()}


def from_core(message: str, details: dict[str, Any]) -> BrightspotError:
    """Make the error that the compiled core reports; ``details`` holds its code and fields."""
    fields = dict(details)
    kind = BY_CODE.get(str(fields.pop("code", "")), BrightspotError)
    return kind(message, **fields)
