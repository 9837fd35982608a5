"""Any data frame in: the one place where foreign tables become polars frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

import polars as pl

from brightspot.exceptions import (
    BrightspotError,
    ColumnMissingError,
    ColumnTypeError,
    InvalidOptionError,
    MissingDependencyError,
)

ACCEPTED = "a data frame: polars, pandas, pyarrow, duckdb, or anything with the Arrow capsule interface"


def to_polars(
    frame: object, columns: Iterable[str | None] | None = None, optional: Iterable[str | None] | None = ()
) -> pl.DataFrame:
    """Return ``frame`` as a polars frame, with only ``columns`` (all where None) and in types the core knows.

    Parameters
    ----------
    frame
        A polars DataFrame or LazyFrame (which is collected), a pandas DataFrame (needs pyarrow; its index is dropped),
        a pyarrow Table, a duckdb relation, a mapping of column names to sequences, or anything with the Arrow capsule
        interface.
    columns
        The columns that are needed; ``None`` entries and repeats are ignored. What is not named does not cross.
    optional
        Columns that cross where they are there; None: all others that hold numbers, names or times.

    Raises
    ------
    ColumnMissingError
        Where a named column is not there.
    ColumnTypeError
        Where ``frame`` is no data frame.
    """
    table = _convert(frame)
    if columns is not None:
        wanted: list[str] = []
        for name in columns:
            if name is None or name in wanted:
                continue
            if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance] (what people give)
                raise ColumnTypeError(
                    f"a column name must be text, but {name!r} is {type(name).__name__}; give the column's name",
                    column=repr(name),
                )
            if name not in table.columns:
                _missing(name, table)
            wanted.append(name)
        if optional is None:
            optional = [name for name, dtype in table.schema.items() if not _is_foreign(dtype)]
        named = dict.fromkeys(name for name in optional if isinstance(name, str))
        table = table.select([*wanted, *(name for name in named if name in table.columns and name not in wanted)])
    return _plain(table)


def names(option: str, given: object) -> list[str]:
    """Return the column names of an argument that takes one or several.

    Raises
    ------
    InvalidOptionError
        Where it is neither.
    """
    if isinstance(given, str):
        return [given]
    if isinstance(given, Iterable):
        return list(cast("Iterable[str]", given))
    raise InvalidOptionError(
        f"{option} = {given!r} is not possible: it must be the name of a column, or a list of names",
        option=option,
        value=repr(given),
    )


def _convert(frame: object) -> pl.DataFrame:
    if isinstance(frame, pl.DataFrame):
        return frame
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    if isinstance(frame, Mapping):
        return _attempt(pl.DataFrame, frame)
    module = type(frame).__module__.partition(".")[0]
    if module == "pandas":
        return _from_pandas(frame)
    if module == "duckdb" and hasattr(frame, "pl"):
        table: pl.DataFrame = cast("Any", frame).pl()
        return table
    if hasattr(frame, "__arrow_c_stream__"):
        return _attempt(pl.DataFrame, frame)
    raise ColumnTypeError(f"expected {ACCEPTED}; found {type(frame).__name__}", found=type(frame).__name__)


def _from_pandas(frame: Any) -> pl.DataFrame:  # noqa: ANN401 (pandas is not a dependency)
    if not hasattr(frame, "columns"):
        raise ColumnTypeError(
            "expected a data frame; found a pandas Series, which is one column: give .to_frame()", found="Series"
        )
    try:
        return cast("pl.DataFrame", pl.from_pandas(frame))
    except ImportError as error:
        raise MissingDependencyError(
            "a pandas frame comes in through pyarrow, which is not installed; install brightspot[pandas], or give "
            "polars.DataFrame(...)",
            package="pyarrow",
        ) from error
    except Exception as error:
        raise _unreadable(frame, error) from error


def _attempt(make: type[pl.DataFrame], frame: Any) -> pl.DataFrame:  # noqa: ANN401
    try:
        return make(frame)
    except BrightspotError:
        raise
    except Exception as error:
        raise _unreadable(frame, error) from error


def _unreadable(frame: object, error: Exception) -> ColumnTypeError:
    first = (str(error).splitlines() or [""])[0]
    return ColumnTypeError(
        f"this {type(frame).__module__.partition('.')[0]} object cannot be read as a table ({first}); give {ACCEPTED} "
        "whose columns each hold one type",
        found=type(frame).__name__,
    )


def _missing(name: str, table: pl.DataFrame) -> None:
    from brightspot import _core

    # The core words the message, so that Rust and Python say the same.
    _core.check_column(table.columns, name)
    raise ColumnMissingError(f"there is no column {name!r}", column=name)


def _plain(table: pl.DataFrame) -> pl.DataFrame:
    """Give columns the types that the core is built with; values stay as they are."""
    casts: list[pl.Expr] = []
    for name, dtype in table.schema.items():
        if _is_foreign(dtype):
            raise ColumnTypeError(
                f'column "{name}" must hold numbers, names or times, but it holds {dtype}; take one field of it',
                column=name,
                found=str(dtype),
            )
        if isinstance(dtype, pl.Int128 | pl.UInt128) and _fits(table[name]):
            casts.append(pl.col(name).cast(pl.Int64))
        elif isinstance(dtype, pl.Decimal | pl.Int128 | pl.UInt128 | pl.Float16):
            casts.append(pl.col(name).cast(pl.Float64))
        elif isinstance(dtype, pl.Time | pl.Duration):
            casts.append(pl.col(name).dt.to_string("iso"))
    return table.with_columns(casts) if casts else table


def _is_foreign(dtype: pl.DataType) -> bool:
    """Whether the core has no such type."""
    return dtype.is_nested() or isinstance(dtype, pl.Object)


def _fits(column: pl.Series) -> bool:
    """Whether whole numbers fit into 64 bits."""
    return column.cast(pl.Int64, strict=False).null_count() == column.null_count()


def iso(value: object) -> object:
    """Dates and date-times as ISO text, numbers as they are: how a time crosses into the core."""
    return value.isoformat() if hasattr(value, "isoformat") else value  # type: ignore[attr-defined]
