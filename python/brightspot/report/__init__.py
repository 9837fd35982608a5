"""Pages for people: one self-contained HTML file each, made for print, without a script or a network."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path

from brightspot._records import Cycle, Study
from brightspot.bright import BrightSpots
from brightspot.exceptions import InvalidOptionError, StoreError

SUFFIXES = (".html", ".htm")


@dataclass(frozen=True, slots=True)
class Report:
    """A page: ``.html`` holds it, ``.save(path)`` writes it, a notebook shows it.

    Attributes
    ----------
    title
        The page's heading.
    html
        The page: one file that needs nothing else, made to be printed on one sheet of Letter or A4.

    Examples
    --------
    >>> import brightspot as bs
    >>> pupils = bs.datasets.star().filter(gr="K")
    >>> page = bs.report(bs.bright_spots(pupils, outcome="math", unit="tch", within="sch"), title="Rooms to visit")
    >>> page.title, page.html.count("<h1>")
    ('Rooms to visit', 1)
    """

    title: str
    html: str

    def save(self, path: str | Path) -> Path:
        """Write the page to a file; returns where.

        Parameters
        ----------
        path
            Where to; a name that ends in ``.html``, for that is what a browser opens. To make a PDF, print the page.

        Raises
        ------
        InvalidOptionError
            For a name with another ending.
        StoreError
            Where the file cannot be written.
        """
        target = Path(path)
        if target.suffix.lower() not in SUFFIXES:
            raise InvalidOptionError(
                f"path = {str(path)!r} is not possible: a page is HTML, so its name must end in .html; for a PDF, open "
                "the page in a browser and print it",
                option="path",
                value=str(path),
            )
        try:
            target.write_text(self.html, encoding="utf-8", newline="\n")
        except OSError as error:
            raise StoreError(
                f"the page cannot be written to {str(target)!r}: {error.strerror or error}; give a file in a "
                "folder that exists and may be written to",
                path=str(target),
            ) from error
        return target

    def __repr__(self) -> str:
        return f"Report({self.title!r}, {len(self.html) // 1024} kB of HTML)"

    def _repr_html_(self) -> str:
        # In a frame of its own, so that neither the page's style nor the notebook's reaches the other.
        return (
            f'<iframe title="{html.escape(self.title)}" srcdoc="{html.escape(self.html)}" '
            'style="width:100%;height:700px;border:1px solid #d5dadd"></iframe>'
        )


def report(result: Study | Cycle | BrightSpots, *, title: str = "", team: str = "") -> Report:
    """Make the page of a result: one sheet of paper, for people who read nothing else.

    Parameters
    ----------
    result
        A study or a cycle (the one-page summary for the team; a cycle adds its last study's decision), or bright spots
        (the brief for those who will visit).
    title
        A heading; where not given, the plan's title or the change that was tested, or what was looked for.
    team
        Whose page it is; where not given, the plan's team.

    Returns
    -------
    Report
        ``.save("page.html")`` writes one file that needs nothing else; in a notebook it shows itself.

    Raises
    ------
    InvalidOptionError
        For a result that has no page: another object, or a cycle that was not studied yet.

    Examples
    --------
    >>> import brightspot as bs
    >>> district = bs.datasets.district(seed=1)
    >>> plan = bs.Plan(
    ...     aim="Fractions secure by winter", change="Number talks at the start of each lesson",
    ...     outcome=bs.Measure("exit ticket", value="score", unit_of_value="points"),
    ...     predictions=[bs.Prediction("exit ticket", at_least=3.0, belief=0.7)],
    ...     baseline=("2026-09-01", "2026-10-25"), test=("2026-10-26", "2026-12-11"),
    ... )
    >>> tickets = district.exit_tickets.filter(plc_id="S02-G5")
    >>> study = bs.study(plan, tickets, as_of="2026-12-14", locked_at="2026-10-25", doing=bs.Doing(as_planned="fully"))
    >>> page = bs.report(study, team="Birch Elementary, grade 5")
    >>> page.title
    'Number talks at the start of each lesson'
    >>> page.html[:15]
    '<!doctype html>'
    """
    if isinstance(result, Study):
        from brightspot.report.study import page

        return page(result, title=title, team=team)
    if isinstance(result, Cycle):
        from brightspot.report.study import page

        if result.study is None:
            raise InvalidOptionError(
                f"there is no page for cycle {result.id!r} yet: it was not studied (its state is {result.state!r})",
                option="result",
                value=result.id,
            )
        return page(result.study, title=title, team=team, cycle=result)
    if isinstance(result, BrightSpots):  # pyright: ignore[reportUnnecessaryIsInstance]
        from brightspot.report.bright import page as brief

        return brief(result, title=title, team=team)
    raise InvalidOptionError(
        f"there is no page for {type(result).__name__}: it must be a Study, a Cycle or BrightSpots",
        option="result",
        value=type(result).__name__,
    )
