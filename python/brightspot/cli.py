"""The command line, for people who do not write Python."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.padding import Padding

from brightspot import __version__
from brightspot._chart_command import chart
from brightspot.exceptions import BrightspotError

if TYPE_CHECKING:
    from brightspot.journal import Journal

app = typer.Typer(
    help="Improvement cycles in school systems: find what works, test what might, keep the evidence.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False) -> None:
    """Improvement cycles in school systems: find what works, test what might, keep the evidence."""
    if show:
        print(__version__)
        raise typer.Exit


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="The folder for pages and pictures.")] = Path("demo"),
) -> None:
    """Run the whole loop on real and on synthetic data, and write pages and pictures."""
    from brightspot.demo import run

    console = Console(highlight=False)
    started = time.perf_counter()
    steps = run(out)
    number = 0
    while True:
        with console.status("working ..."):
            step = next(steps, None)
        if step is None:
            break
        number += 1
        heading, sentences = step
        console.print(f"\n[bold]{number}. {heading}[/bold]")
        for sentence in sentences:
            console.print(Padding(sentence, (0, 0, 0, 3)), markup=False)
    console.print(f"\nDone in {time.perf_counter() - started:.0f} s. Open the pages in {out.resolve()}.", markup=False)


app.command()(chart)
JournalPlace = Annotated[
    str,
    typer.Argument(
        metavar="JOURNAL",
        envvar="BRIGHTSPOT_JOURNAL",
        show_envvar=True,
        help="The journal's file, or the postgresql:// URL of its database. Others may read a password on a command "
        "line: better set it in the environment.",
    ),
]


@app.command()
def verify(journal: JournalPlace) -> None:
    """Check that a journal is what was written: every event, and the chain that binds them."""
    with _opened(journal) as opened:
        print(f"{opened.place}: {opened.verify()} events, all as they were written")


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="The folder: a new one, or one of an earlier export.")],
    journal: JournalPlace,
) -> None:
    """Write a journal to a folder of JSON that git can keep."""
    with _opened(journal) as opened:
        print(f"{opened.place}: {opened.export(folder)} events, now in {folder}")


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="The folder that an export wrote.")],
    journal: JournalPlace,
) -> None:
    """Read a folder of JSON into a journal, hash for hash."""
    from brightspot.journal import Journal

    with Journal.restore(folder, journal) as opened:
        print(f"{opened.place}: {opened.verify()} events, all as they were written in {folder}")


def _opened(place: str) -> Journal:
    """A journal that is there: a word mistyped makes no new file."""
    from brightspot.journal import Journal

    if "://" not in place and not Path(place).exists():
        raise typer.BadParameter(f"there is no file {place}")
    return Journal(place)


def main() -> None:
    """Run the command line; an error of ours is a sentence, not a trace."""
    try:
        app()
    except BrightspotError as error:
        print(f"brightspot: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
