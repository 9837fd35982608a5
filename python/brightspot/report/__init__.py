"""Pages for people: one self-contained HTML file each, made for print, without a script or a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from brightspot._records import Study
from brightspot.bright import BrightSpots
from brightspot.exceptions import InvalidOptionError


@dataclass(frozen=True, slots=True)
class Report:
    """A page: ``.html`` holds it, ``.save(path)`` writes it."""

    title: str
    html: str

    def save(self, path: str | Path) -> Path:
        """Write the page to a file; returns where."""
        target = Path(path)
        target.write_text(self.html, encoding="utf-8")
        return target

    def __repr__(self) -> str:
        return f"Report({self.title!r}, {len(self.html) // 1024} kB of HTML)"


def report(result: Study | BrightSpots, *, title: str = "", team: str = "") -> Report:
    """Make the page of a result.

    Parameters
    ----------
    result
        A study (the one-page summary for the team) or bright spots (the brief for those who will visit).
    title
        A heading; where not given, the change that was tested, or what was looked for.
    team
        Whose page it is; where not given, the plan's team.

    Returns
    -------
    Report
        ``.save("page.html")`` writes one file that needs nothing else.
    """
    if isinstance(result, Study):
        from brightspot.report.study import page

        return page(result, title=title, team=team)
    if isinstance(result, BrightSpots):
        from brightspot.report.bright import page as brief

        return brief(result, title=title, team=team)
    raise InvalidOptionError(
        f"there is no page for {type(result).__name__}: it must be a Study or BrightSpots", option="result", value=repr(result)
    )
