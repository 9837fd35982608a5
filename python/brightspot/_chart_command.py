"""``brightspot chart``: charts of a file, for people who do not write Python."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import polars as pl
import typer

from brightspot._files import given_time, read_table
from brightspot.charts import Chart, control_chart, run_chart
from brightspot.exceptions import InvalidOptionError

PICTURES = (".png", ".svg", ".html")
# So many sentences say what the charts show; with more charts those without a signal are only counted.
MAX_SENTENCES = 12


def chart(
    file: Annotated[Path, typer.Argument(help="The table: .csv, .tsv, .parquet or .xlsx.")],
    value: Annotated[str, typer.Option(help="The column of values; with --size the numerator.")],
    time: Annotated[str, typer.Option(help="The column of dates or period numbers.")],
    by: Annotated[list[str] | None, typer.Option(help="A column that tells charts apart (repeat for several).")] = None,
    size: Annotated[str | None, typer.Option(help="The column of denominators.")] = None,
    kind: Annotated[
        str, typer.Option(help="run, i, mr, ip, xbar, r, s, p, pp, u, up, c, np, g, t, ewma or cusum.")
    ] = "run",
    baseline: Annotated[
        str | None, typer.Option(help="The first so many points, FROM..TO (dates), or a column of true and false.")
    ] = None,
    phase: Annotated[
        list[str] | None, typer.Option(help="NAME=START: where the chart starts anew (repeat for several).")
    ] = None,
    exclude: Annotated[str | None, typer.Option(help="A column of true and false: points that do not count.")] = None,
    target: Annotated[str | None, typer.Option(help="What the measure should reach: a number or a column.")] = None,
    direction: Annotated[str, typer.Option(help="Which way is better: up, down or neutral.")] = "up",
    aggregate: Annotated[
        str | None, typer.Option(help="What to do with several rows of one time: mean, median or sum.")
    ] = None,
    rules: Annotated[list[str] | None, typer.Option(help="A rule set (repeat for several).")] = None,
    title: Annotated[str, typer.Option(help="A heading.")] = "",
    annotate: Annotated[
        list[str] | None, typer.Option(help="TIME=WORDS: words at a time of the chart (repeat for several).")
    ] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option(help="A picture or page (.png, .svg, .html), or a folder for all of them and the tables."),
    ] = None,
) -> None:
    """Draw run charts and control charts of a table, and say in sentences what they show."""
    table = read_table(file)
    times = table[time] if time in table.columns else pl.Series([0])
    asked: dict[str, Any] = {
        "value": value,
        "time": time,
        "by": by or [],
        "size": size,
        "baseline": _baseline(baseline, times),
        "phases": {name: given_time(start, times) for name, start in _pairs("phase", phase)} or None,
        "exclude": exclude,
        "target": _number_or_column(target),
        "direction": direction,
        "aggregate": aggregate,
    }
    if rules:
        asked["rules"] = rules
    drawn = run_chart(table, **asked) if kind == "run" else control_chart(table, kind=cast("Any", kind), **asked)
    _say(drawn)
    notes = {given_time(at, times): words for at, words in _pairs("annotate", annotate)}
    for path in out or []:
        for written in _write(drawn, path, title, notes):
            print(f"Written: {written}")


def _say(drawn: Chart) -> None:
    sentences = list(drawn.sentences())
    signals = drawn.summary["has_signal"].to_list()
    if len(sentences) > MAX_SENTENCES:
        with_signal = [sentence for sentence, has in zip(sentences, signals, strict=True) if has]
        print(f"{len(with_signal)} of {len(sentences)} charts show a signal.")
        more = len(with_signal) - MAX_SENTENCES
        sentences = with_signal[:MAX_SENTENCES] + (
            [f"... and {more} more: see summary.csv (--out)."] if more > 0 else []
        )
    for sentence in sentences:
        print(sentence)
    if drawn.notes:
        print("\nNotes")
    for note in drawn.notes:
        print(f"- {note.message}")


def _write(drawn: Chart, path: Path, title: str, notes: dict[Any, str]) -> list[Path]:
    """Write a picture, or everything into a folder."""
    suffix = path.suffix.lower()
    if suffix and suffix not in PICTURES:
        raise InvalidOptionError(
            f"--out {path} is not possible: it must end in {', '.join(PICTURES)}, or be a folder",
            option="out",
            value=str(path),
        )
    pictures = [path] if suffix else [path / f"chart{ending}" for ending in PICTURES]
    pictures[0].parent.mkdir(parents=True, exist_ok=True)
    picture = drawn.plot(title=title, annotations=notes or None)
    for one in pictures:
        if one.suffix.lower() == ".html":
            picture.save(str(one), inline=True)
        else:
            picture.save(str(one))
    if suffix:
        return pictures
    tables = {"summary": drawn.summary, "points": drawn.points, "signals": drawn.signals}
    for name, table in tables.items():
        _flat(table).write_csv(path / f"{name}.csv")
    return pictures + [path / f"{name}.csv" for name in tables]


def _flat(table: pl.DataFrame) -> pl.DataFrame:
    """Lists of codes as text, for files that know no lists."""
    lists = [name for name, dtype in table.schema.items() if isinstance(dtype, pl.List)]
    return table.with_columns(pl.col(name).list.join("; ") for name in lists)


def _baseline(given: str | None, times: pl.Series) -> int | str | tuple[Any, Any] | None:
    if given is None:
        return None
    start, dots, end = given.partition("..")
    if dots:
        return given_time(start, times), given_time(end, times)
    return int(given) if given.isdecimal() else given


def _pairs(option: str, given: list[str] | None) -> list[tuple[str, str]]:
    pairs = [tuple(one.split("=", 1)) for one in given or []]
    for pair in pairs:
        if len(pair) != 2 or not all(pair):
            raise InvalidOptionError(
                f'--{option} {"=".join(pair)} is not possible: it must be two words with "=" between them',
                option=option,
                value="=".join(pair),
            )
    return cast("list[tuple[str, str]]", pairs)


def _number_or_column(given: str | None) -> float | str | None:
    if given is None:
        return None
    try:
        return float(given)
    except ValueError:
        return given
