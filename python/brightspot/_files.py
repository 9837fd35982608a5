"""Tables in files, and what people who do not write Python say about them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl

from brightspot.exceptions import BrightspotError, InvalidOptionError, MissingDependencyError

SUFFIXES = (".csv", ".tsv", ".parquet", ".xlsx")


def read_table(path: Path) -> pl.DataFrame:
    """Return the table in a file: CSV, TSV, Parquet, or the first sheet of an Excel file.

    Text that is a date everywhere becomes dates. Columns of digits with a leading zero are names, not numbers, and stay
    text.

    Raises
    ------
    InvalidOptionError
        Where there is no such file, or its ending is none of those.
    MissingDependencyError
        For Excel, where fastexcel is not installed.
    """
    suffix = path.suffix.lower()
    if not path.is_file():
        raise InvalidOptionError(f"there is no file {path}", option="file", value=str(path))
    if suffix not in SUFFIXES:
        raise InvalidOptionError(
            f"{path} cannot be read by its ending; give one of {', '.join(SUFFIXES)}", option="file", value=str(path)
        )
    try:
        if suffix == ".parquet":
            return pl.read_parquet(path)
        if suffix == ".xlsx":
            return pl.read_excel(path)
        return _typed(pl.read_csv(path, separator="\t" if suffix == ".tsv" else ",", infer_schema=False))
    except (ImportError, ModuleNotFoundError) as error:
        raise MissingDependencyError(
            "an Excel file is read with fastexcel, which is not installed; install it (pip install fastexcel), or save "
            "the sheet as CSV",
            package="fastexcel",
        ) from error
    except BrightspotError:
        raise
    except Exception as error:
        first = (str(error).splitlines() or [""])[0]
        raise InvalidOptionError(
            f"{path} cannot be read as a table: {first}", option="file", value=str(path)
        ) from error


def given_time(text: str, times: pl.Series) -> int | float | str:
    """Return a time written on the command line as the type of the column it is held against."""
    if times.dtype.is_numeric():
        try:
            number = float(text)
        except ValueError:
            return text
        return int(number) if number.is_integer() else number
    return text


def _typed(table: pl.DataFrame) -> pl.DataFrame:
    """Give the columns of a file of text their types, each by all of its values."""
    return table.with_columns([_column(column) for column in table])


def _column(column: pl.Series) -> pl.Series:
    text = column.str.strip_chars()
    text = text.set(text == "", None) if text.dtype == pl.String else text
    there = text.drop_nulls()
    if not len(there):
        return text
    if there.str.contains(r"^0\d").any() and there.str.contains(r"^\d+$").all():
        return text
    for read in (_whole, _numbers, _dates, _moments):
        found = read(text)
        if found is not None:
            return found
    return text


def _whole(text: pl.Series) -> pl.Series | None:
    return _all(text, text.cast(pl.Int64, strict=False))


def _numbers(text: pl.Series) -> pl.Series | None:
    return _all(text, text.cast(pl.Float64, strict=False))


def _dates(text: pl.Series) -> pl.Series | None:
    return _all(text, text.str.to_date("%Y-%m-%d", strict=False))


def _moments(text: pl.Series) -> pl.Series | None:
    found = text.map_elements(_moment, return_dtype=pl.Datetime("us"), skip_nulls=True)
    return _all(text, found)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if found.tzinfo else found


def _all(text: pl.Series, found: pl.Series) -> pl.Series | None:
    """The values, if every text was one."""
    return found if found.null_count() == text.null_count() else None
