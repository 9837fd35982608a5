"""Data to try things on: one real data set, and one synthetic district whose truths are known."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Any

import polars as pl

__all__ = ["District", "Truth", "district", "star"]


def star() -> pl.DataFrame:
    """Tennessee's class-size experiment (STAR): 26,796 pupil-grades, kindergarten to grade 3.

    Class types (regular, regular with an aide, small) and teachers were drawn by lot within 80 schools, 1985 to 1989.
    The file ``star.md`` beside the data tells its provenance, what was changed, and its limits. The gravest: each
    teacher is seen in one grade and one year only, so consistency from year to year cannot be studied with these data.

    Returns
    -------
    polars.DataFrame
        One row per pupil and grade, with the columns

        - ``id``, ``sch``, ``tch``: pupil, school, teacher (text);
        - ``gr``: grade, ``"K"``, ``"1"``, ``"2"``, ``"3"``; ``yrs``: the same as a number, 0 to 3;
        - ``cltype``: ``"reg"``, ``"reg+A"`` (with an aide), ``"small"``;
        - ``read``, ``math``: scale scores in points, null where the pupil was not tested;
        - ``hdeg``, ``clad``, ``exp``, ``trace``: the teacher's highest degree, place on the career ladder, years of
          experience, and race;
        - ``ses``: ``"F"`` (free or reduced-price lunch) or ``"N"``; ``sx``, ``eth``, ``birthq``, ``birthy``: the
          pupil's sex, race or ethnicity, quarter and year of birth;
        - ``schtype``: ``"inner"``, ``"suburb"``, ``"rural"``, ``"urban"``.

    References
    ----------
    Achilles, C.M., and others (2008). Tennessee's Student Teacher Achievement Ratio (STAR) project. Harvard Dataverse,
    doi:10.7910/DVN/SIWH9F. Released CC0.

    Examples
    --------
    >>> import polars as pl
    >>> from brightspot.datasets import star
    >>> pupils = star()
    >>> pupils.shape
    (26796, 18)
    >>> kindergarten = pupils.filter(pl.col("gr") == "K", pl.col("math").is_not_null())
    >>> kindergarten.height, kindergarten["tch"].n_unique(), kindergarten["sch"].n_unique()
    (5871, 337, 79)
    """
    with as_file(files(__name__) / "star.parquet") as path:
        return pl.read_parquet(path)


@dataclass(frozen=True, eq=False)
class Truth:
    """What was planted in a synthetic district.

    Attributes
    ----------
    teachers : polars.DataFrame
        What each teacher truly adds: ``true_effect`` (points), ``true_effect_sd``, ``true_effect_overall`` (with the
        school's), ``is_planted``, ``kind`` (``"bright"``, ``"one_year"``, ``"ordinary"``), and for the one-year teacher
        ``spike`` (points, in that year alone) and ``spike_year``.
    series : polars.DataFrame
        What truly happened in each series: ``series``, ``unit_id``, ``has_shift``, ``shift_at`` (first date after it),
        ``before`` (the level), ``size`` (the change of level), ``unit_of_value``, ``direction``.
    practices : polars.DataFrame
        ``practice`` and ``is_planted``: whether teachers who add more use it more often.

    Examples
    --------
    >>> from brightspot.datasets import district
    >>> truth = district(seed=1).truth
    >>> truth.series.filter(series="exit_tickets").select("unit_id", "has_shift", "size").rows()
    [('S02-G5', True, 4.0), ('S04-G5', False, 0.0)]
    """

    teachers: pl.DataFrame
    series: pl.DataFrame
    practices: pl.DataFrame


@dataclass(frozen=True, eq=False, repr=False)
class District:
    """A synthetic school district: its tables, and the truths that were planted in them.

    Attributes
    ----------
    seed : int
        The seed it was made from; the same seed gives the same district.
    units : polars.DataFrame
        The tree of places: ``unit_id``, ``kind`` (district, school, plc), ``name``, ``parent_id``.
    teachers : polars.DataFrame
        ``teacher_id``, ``plc_id``, ``school_id``, ``grade``.
    scores : polars.DataFrame
        One row per student and school year: ``student_id``, ``teacher_id``, ``plc_id``, ``school_id``, ``grade``,
        ``year`` (in which the school year began), ``frl`` (free or reduced-price lunch) and ``el`` (English learner),
        both ``"yes"`` or ``"no"``; scale scores in points: ``prior`` (last spring's) and ``fall``, about 2% null each,
        and ``spring``.
    attendance : polars.DataFrame
        One row per school and week: ``school_id``, ``week`` (its Monday), ``days_absent``, ``days_enrolled``.
    incidents : polars.DataFrame
        One row per school and week: ``school_id``, ``week``, ``n_incidents``, ``student_days``.
    exit_tickets : polars.DataFrame
        Two teams, each around a change of its own on 26 October 2026: ``plc_id``, ``teacher_id``, ``date``, ``score``
        (class mean, points of 20), ``n_students``.
    fluency : polars.DataFrame
        The guard measure of the same teams and dates: ``score`` is facts a minute.
    process : polars.DataFrame
        How often the routine was used: ``plc_id``, ``teacher_id``, ``date`` (Friday), ``n_used``,
        ``n_lessons``.
    practices : polars.DataFrame
        What coaches saw in classrooms: ``teacher_id``, ``practice``, ``is_used`` (null where the coach could not tell),
        ``fidelity`` (0 to 1, where it is used). Some teachers were never visited and have no row.
    truth : Truth
        What was planted: ``.teachers`` (who is really better, by how much) and ``.series`` (which series really
        shifted, when and by how much, and which did not) and ``.practices`` (which go with what teachers add).

    Examples
    --------
    >>> from brightspot.datasets import district
    >>> place = district(seed=1)
    >>> place.teachers.height, place.scores["year"].unique().to_list()
    (300, [2024, 2025])
    """

    seed: int
    units: pl.DataFrame
    teachers: pl.DataFrame
    scores: pl.DataFrame
    attendance: pl.DataFrame
    incidents: pl.DataFrame
    exit_tickets: pl.DataFrame
    fluency: pl.DataFrame
    process: pl.DataFrame
    practices: pl.DataFrame
    truth: Truth

    @property
    def tables(self) -> Mapping[str, pl.DataFrame]:
        """All tables by name, in the order of the documentation."""
        return {name: _at(self, name) for name in _CONTENTS}

    def __repr__(self) -> str:
        """One line per table."""
        lines = [f"District(seed={self.seed})"]
        lines += [f"  {name}: {frame.height:,} rows, {frame.width} columns" for name, frame in self.tables.items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The tables, with what each row is."""
        rows = "".join(
            f"<tr><th scope='row' style='text-align:left'><code>{html.escape(name)}</code></th>"
            f"<td style='text-align:right'>{frame.height:,}</td>"
            f"<td style='text-align:left'>{html.escape(', '.join(frame.columns))}</td>"
            f"<td style='text-align:left'>{html.escape(_CONTENTS[name])}</td></tr>"
            for name, frame in self.tables.items()
        )
        heads = "".join(
            f"<th scope='col' style='text-align:{side}'>{head}</th>"
            for head, side in (("table", "left"), ("rows", "right"), ("columns", "left"), ("what it holds", "left"))
        )
        return (
            f"<table><caption style='text-align:left'>Synthetic district, seed {self.seed}: every name and number is "
            f"made up</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        )


def _at(district: District, name: str) -> pl.DataFrame:
    place: object = district
    for part in name.split("."):
        place = getattr(place, part)
    assert isinstance(place, pl.DataFrame)
    return place


_CONTENTS = {
    "units": "the tree of places: district, schools, teams",
    "teachers": "who teaches in which team, school and grade",
    "scores": "a student's year: last spring's score, fall, spring",
    "attendance": "a school's week: days absent of days enrolled",
    "incidents": "a school's week: incidents, and the student-days they come from",
    "exit_tickets": "a class and date of two teams around a change: mean score of 20",
    "fluency": "the guard measure of the same classes: facts a minute",
    "process": "a class's week: lessons in which the routine was used",
    "practices": "a teacher and practice: whether a coach saw it in use, and how faithfully",
    "truth.teachers": "the truth: what each teacher adds, and who was planted",
    "truth.series": "the truth: which series changed, when and by how much",
    "truth.practices": "the truth: which practices go with what teachers add",
}


def district(*, seed: int = 1) -> District:
    """A synthetic district with planted truths, so that one can see whether a method finds them.

    Twelve elementary schools, 60 grade-level teams (professional learning communities), 300 teachers and some 7,000
    students in each of two school years. Planted are 15 bright teachers and one with a single good year; three schools
    whose attendance shifts; one school whose incidents truly fall, and one where only the number of student-days falls;
    one team whose exit tickets rise after its change, and one where nothing rises but luck; two of twenty practices,
    which teachers who add more use more often. All else is stable.

    Parameters
    ----------
    seed : int, default 1
        Not negative. The same seed gives the same tables.

    Returns
    -------
    District
        The tables as polars frames, and the truths.

    Raises
    ------
    InvalidOptionError
        For a seed that is not a whole number from 0 to 2**64 - 1.

    Examples
    --------
    >>> from brightspot.datasets import district
    >>> place = district(seed=1)
    >>> place.units["kind"].value_counts().sort("kind").rows()
    [('district', 1), ('plc', 60), ('school', 12)]
    >>> place.truth.teachers["is_planted"].sum()
    15
    """
    from brightspot import _core
    from brightspot.exceptions import InvalidOptionError

    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**64:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidOptionError(
            f"seed = {seed!r} is not possible: it must be a whole number from 0 to 2**64 - 1", option="seed", value=seed
        )
    tables: dict[str, Any] = _core.district(seed)
    truth = Truth(
        **{name: tables.pop(f"truth_{name}") for name in ("teachers", "series", "practices")},
    )
    return District(seed=seed, truth=truth, **tables)
