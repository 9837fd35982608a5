"""Drift value added: what a teacher's other years say about this one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from brightspot import _core, words
from brightspot._frames import names, to_polars
from brightspot._result import Note, page

if TYPE_CHECKING:
    import altair as alt


@dataclass(frozen=True, slots=True, repr=False)
class ValueAdded:
    """What teachers' other years predict, and how fast an advantage fades: what :func:`value_added` returns.

    Attributes
    ----------
    teachers
        One row per teacher and year, in the order of their names (it is no ranking): the teacher, the year, ``n``
        (students), ``mean_residual`` (how far the classes lay above expectation), ``prediction`` (of this year from the
        teacher's other years; null where there is none), ``sd`` (of the true advantage about the prediction),
        ``n_years`` (how many other years). All in units of the outcome.
    autocovariance
        One row per distance between two years, 0 for the year itself: ``lag``, ``covariance``, ``correlation`` (what
        share of an advantage is left; null where years at one distance alone cannot tell), ``n_pairs`` (of years; for
        lag 0 of classes in one year).
    variance_total, variance_student, variance_teacher, variance_class
        Of all that is left after adjustment; of students within a class; of teachers within one year; of classes beyond
        their teacher.
    coefficients
        The terms that were adjusted for; None for a term that was dropped.
    notes
        Caveats, each with a code and a count.
    spec
        The arguments, as they were used.

    Examples
    --------
    >>> import brightspot as bs
    >>> scores = bs.datasets.district().scores
    >>> bs.value_added(scores, outcome="spring", teacher="teacher_id", year="year", adjust="prior").teachers.columns
    ['teacher_id', 'year', 'n', 'mean_residual', 'prediction', 'sd', 'n_years']
    """

    teachers: pl.DataFrame
    autocovariance: pl.DataFrame
    variance_total: float
    variance_student: float
    variance_teacher: float
    variance_class: float
    coefficients: dict[str, float | None]
    notes: tuple[Note, ...]
    spec: dict[str, Any] = field(default_factory=dict[str, Any])

    def sentences(self) -> list[str]:
        """Say in plain words how much teachers differ, and how fast an advantage fades."""
        return words.value_added(self)

    def plot(self, *, title: str = "", width: int | None = None, height: int | None = None) -> alt.TopLevelMixin:
        """Draw what share of a teacher's advantage is left after so many years.

        Parameters
        ----------
        title
            A heading.
        width, height
            In pixels.
        """
        from brightspot.plot.drift import draw

        return draw(self, title=title, width=width or 480, height=height or 260)

    def __repr__(self) -> str:
        teachers = words.counted(self.teachers[self.spec["teacher"]].n_unique(), "teacher")
        return f"ValueAdded({teachers}, {words.counted(self.teachers.height, 'year')} of teaching)"

    def _repr_html_(self) -> str:
        tables = [("autocovariance", self.autocovariance), ("teachers", self.teachers)]
        return page("Value added", self.sentences(), tables, self.notes)


def value_added(
    df: object,
    *,
    outcome: str,
    teacher: str,
    year: str,
    classroom: str | None = None,
    adjust: str | Sequence[str] = (),
    lags: int = 7,
) -> ValueAdded:
    """Predict every teacher's year from the teacher's other years, allowing for drift.

    The outcome is adjusted by differences within teachers. Covariances between the years of the same teachers say how
    fast an advantage fades; each year is then predicted from the others, years close by and large classes counting
    more, and drawn towards zero by as much as chance requires. The year itself is left out.

    Parameters
    ----------
    df
        Any frame, one row per student and year.
    outcome
        The column of scores.
    teacher
        The column that names the teachers.
    year
        The column of years: whole numbers, or names in the order of time with none left out.
    classroom
        The column that names classes within a teacher's year. Without it a teacher has one class a year, and the
        variance of teachers within a year is carried on from lags 1 to 3 (by a parabola; a line or lag 1 where fewer
        are known).
    adjust
        What is adjusted for: numbers linearly, text and categories by indicators.
    lags
        Years further apart are taken to be as alike as these.

    Returns
    -------
    ValueAdded
        ``.teachers``, ``.autocovariance``, ``.variance_teacher`` ..., ``.plot()`` ...

    Raises
    ------
    BrightspotError
        For missing columns, years that are no years, no two students in a class, fewer than 10 teachers seen twice.

    Notes
    -----
    A row with a missing value is left out and counted (``rows_left_out``). Other notes: ``single_year``, ``few_pairs``
    (lags with fewer than 10 pairs take the lag before), ``clipped_covariances``, ``fading_unknown``, ``singular``
    (teachers do not differ: nothing is predicted), ``rank_deficient``, ``sentinel``. Scores should be on one scale over
    years and grades, or the year be adjusted for (as text). A prediction is evidence about teaching under these
    conditions, and no cause by itself: whether students are sorted to teachers by what is not adjusted for is debated
    (Rothstein 2017).

    References
    ----------
    Chetty R, Friedman JN, Rockoff JE (2014). Measuring the impacts of teachers I. American Economic Review 104(9):
    2593-2632, and its online appendix A.
    Rothstein J (2017). Measuring the impacts of teachers: comment. American Economic Review 107(6): 1656-1684.

    Examples
    --------
    >>> import brightspot as bs
    >>> scores = bs.datasets.district().scores
    >>> va = bs.value_added(
    ...     scores, outcome="spring", teacher="teacher_id", year="year", adjust=["prior", "frl", "el"]
    ... )
    >>> va.autocovariance["lag"].to_list()
    [0, 1]
    """
    columns = names("adjust", adjust)
    request: dict[str, Any] = {
        "outcome": outcome,
        "teacher": teacher,
        "year": year,
        "classroom": classroom,
        "adjust": columns,
        "lags": lags,
    }
    frame = to_polars(df, [outcome, teacher, year, classroom, *columns])
    teachers, autocovariance, (total, student, own, room), coefficients, notes = _core.value_added(frame, request)
    return ValueAdded(
        teachers=teachers,
        autocovariance=autocovariance,
        variance_total=total,
        variance_student=student,
        variance_teacher=own,
        variance_class=room,
        coefficients=dict(coefficients),
        notes=Note.all_from(notes),
        spec=request,
    )
