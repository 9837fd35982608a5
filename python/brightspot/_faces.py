"""What some records can do besides holding their fields."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, cast

from brightspot import words
from brightspot._record import Record
from brightspot._result import escaped

if TYPE_CHECKING:
    import altair as alt

    from brightspot._records import Cycle, PracticeStanding, Study


class StudyFace(Record):
    """A study draws itself and says what it found."""

    __slots__ = ()

    @property
    def baseline(self) -> tuple[date, date]:
        """First and last day of the baseline."""
        return cast("Study", self).plan.baseline

    @property
    def test(self) -> tuple[date, date]:
        """First and last day of the test window."""
        return cast("Study", self).plan.test

    def sentences(self) -> list[str]:
        """Say in plain words what was found: the verdict first."""
        return words.study(cast("Study", self))

    def plot(self, *, title: str = "", width: int | None = None, height: int | None = None) -> alt.TopLevelMixin:
        """Draw the outcome before and after the change, with the prediction that was made.

        Parameters
        ----------
        title
            A heading.
        width, height
            In pixels.
        """
        from brightspot.plot.study import draw

        return draw(cast("Study", self), title=title, width=width or 640, height=height or 260)

    def _repr_html_(self) -> str:
        told = "".join(f"<p>{escaped(sentence)}</p>" for sentence in self.sentences())
        caveats = "".join(
            f"<li><code>{escaped(note.code)}</code> {escaped(note.message)}</li>"
            for note in cast("Study", self).caveats
        )
        conclude = f"<p style='margin-bottom:0'>What we may not conclude</p><ul>{caveats}</ul>"
        return f"<p><strong>Study</strong></p>{told}{conclude}"


class CycleFace(Record):
    """A cycle names its last study."""

    __slots__ = ()

    @property
    def study(self) -> Study | None:
        """The latest study; None before the first."""
        studies = cast("Cycle", self).studies
        return studies[-1] if studies else None


class StandingFace(Record):
    """How far a practice has come, in words."""

    __slots__ = ()

    def sentences(self) -> list[str]:
        """Say in plain words how far the practice has come, on what evidence, and what is missing."""
        return words.standing(cast("PracticeStanding", self))

    def plot(self, *, title: str = "", width: int | None = None, height: int | None = None) -> alt.TopLevelMixin:
        """Draw the states over time, and under them each cycle with its team and conditions, as it counts.

        Parameters
        ----------
        title
            A heading; where not given, the practice's title.
        width, height
            In pixels, of the whole; the height grows with the cycles where it is not given.
        """
        from brightspot.plot.practice_life import draw

        return draw(cast("PracticeStanding", self), title=title, width=width or 720, height=height)

    def _repr_html_(self) -> str:
        standing = cast("PracticeStanding", self)
        told = "".join(f"<p>{escaped(sentence)}</p>" for sentence in self.sentences())
        gates = "".join(
            f"<li>{'&#10003;' if gate.is_passed else '&#9675;'} <code>{escaped(gate.gate)}</code> "
            f"{escaped(gate.missing)}</li>"
            for gate in standing.gates
        )
        return f"<p><strong>PracticeStanding: {escaped(standing.practice)}</strong></p>{told}<ul>{gates}</ul>"
