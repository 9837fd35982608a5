"""Student growth percentiles: where a score stands among those of students who started alike."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from brightspot import _core, words
from brightspot._frames import names, to_polars
from brightspot._result import Note, page
from brightspot.exceptions import InvalidOptionError, InvalidRecordError
from brightspot.funnel import funnel

if TYPE_CHECKING:
    import altair as alt


@dataclass(frozen=True, slots=True, repr=False)
class GrowthModel:
    """A fitted table of conditional percentiles: plain data that places new students as it placed the old.

    Attributes
    ----------
    outcome
        The score whose growth is judged.
    priors
        The prior scores, each with its ``name``, ``knots`` and ``boundaries``.
    quantiles
        The 100 conditional quantiles, each with ``tau``, ``coefficients`` (the intercept, then the basis of every prior
        score) and ``check_loss``.
    n_students
        How many students it was fitted to.

    Examples
    --------
    >>> import brightspot as bs
    >>> star = bs.datasets.star()
    >>> pupils = star.filter(gr="1").join(star.filter(gr="K").select("id", start="math"), on="id")
    >>> g = bs.growth_percentiles(pupils, outcome="math", priors="start")
    >>> again = bs.GrowthModel.from_json(g.model.to_json())
    >>> again == g.model
    True
    """

    outcome: str
    priors: tuple[dict[str, Any], ...]
    quantiles: tuple[dict[str, Any], ...]
    n_students: int

    def to_dict(self) -> dict[str, Any]:
        """Return the table as plain data."""
        return {
            "outcome": self.outcome,
            "priors": list(self.priors),
            "quantiles": list(self.quantiles),
            "n_students": self.n_students,
        }

    def to_json(self) -> str:
        """Return the table as JSON, every number to its last digit."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> GrowthModel:
        """Make the table of plain data.

        Raises
        ------
        InvalidRecordError
            Where fields are missing or unknown.
        """
        wanted = {"outcome", "priors", "quantiles", "n_students"}
        try:
            found = set(data)
        except TypeError:
            raise InvalidRecordError(
                f"GrowthModel: is made of {sorted(wanted)}, but this is {data!r:.60}", record="GrowthModel"
            ) from None
        if found != wanted:
            raise InvalidRecordError(
                f"GrowthModel: is made of {sorted(wanted)}, but this has {sorted(found)}", record="GrowthModel"
            )
        # As JSON has it, so that a table that was kept equals the one that was fitted.
        plain: dict[str, Any] = json.loads(json.dumps(dict(data)))
        return cls(plain["outcome"], tuple(plain["priors"]), tuple(plain["quantiles"]), plain["n_students"])

    @classmethod
    def from_json(cls, text: str) -> GrowthModel:
        """Make the table of JSON.

        Raises
        ------
        InvalidRecordError
            Where the text is no JSON, or fields are missing or unknown.
        """
        try:
            data = json.loads(text)
        except (TypeError, ValueError) as error:
            raise InvalidRecordError(f"GrowthModel: is no JSON ({error})", record="GrowthModel") from None
        return cls.from_dict(data)

    def __repr__(self) -> str:
        priors = ", ".join(prior["name"] for prior in self.priors)
        return f"GrowthModel({self.outcome} given {priors}; {words.counted(self.n_students, 'student')})"


@dataclass(frozen=True, slots=True, repr=False)
class Growth:
    """Students and units with their growth percentiles: what :func:`growth_percentiles` returns.

    Attributes
    ----------
    students
        One row per row of the input, in its order: the prior scores, the outcome, the unit; ``percentile`` (1 to 99;
        null where a score is missing); ``typical_score`` (what half of the students with the same prior scores exceed).
    units
        One row per unit, in the order of their names (it is no ranking): ``n``, ``median_percentile``,
        ``mean_percentile``; null for fewer students than ``min_n``.
    model
        The table that placed them.
    notes
        Caveats, each with a code and a count.
    spec
        The arguments, as they were used.

    Examples
    --------
    >>> import brightspot as bs
    >>> star = bs.datasets.star()
    >>> pupils = star.filter(gr="1").join(star.filter(gr="K").select("id", start="math"), on="id")
    >>> bs.growth_percentiles(pupils, outcome="math", priors="start", unit="tch").units.columns
    ['tch', 'n', 'median_percentile', 'mean_percentile']
    """

    students: pl.DataFrame
    units: pl.DataFrame
    model: GrowthModel
    notes: tuple[Note, ...]
    spec: dict[str, Any] = field(default_factory=dict[str, Any])

    def sentences(self) -> list[str]:
        """Say in plain words what was done."""
        return words.growth(self)

    def plot(self, *, title: str = "", width: int | None = None, height: int | None = None) -> alt.TopLevelMixin:
        """Draw the mean growth percentile of every unit against its number of students (a funnel chart).

        Parameters
        ----------
        title
            A heading.
        width, height
            In pixels.

        Raises
        ------
        InvalidOptionError
            Where no ``unit`` was named.
        """
        unit = self.spec["unit"]
        if unit is None:
            raise InvalidOptionError(
                "unit = None is not possible: it must be a column, for a picture of units", option="unit", value="None"
            )
        placed = self.students.select(unit, "percentile")
        return funnel(placed, value="percentile", unit=unit, kind="mean").plot(title=title, width=width, height=height)

    def __repr__(self) -> str:
        return f"Growth({words.counted(self.students.height, 'student')}; {self.model!r})"

    def _repr_html_(self) -> str:
        tables = [("students", self.students), *([("units", self.units)] if self.units.width else [])]
        return page("Growth percentiles", self.sentences(), tables, self.notes)


def growth_percentiles(
    df: object,
    *,
    outcome: str,
    priors: str | Sequence[str],
    unit: str | None = None,
    model: GrowthModel | None = None,
    knots: Sequence[Sequence[float]] | None = None,
    boundaries: Sequence[tuple[float, float]] | None = None,
    knot_shares: Sequence[float] = (0.2, 0.4, 0.6, 0.8),
    min_n: int = 10,
) -> Growth:
    """Place every student among those with the same earlier scores (student growth percentiles).

    100 conditional quantiles (.005, .015 ... .995) of the outcome are fitted by quantile regression on cubic B-splines
    of the prior scores, put in order where they cross, and a student's percentile is how many of them lie below the
    score, from 1 to 99.

    Parameters
    ----------
    df
        Any frame, one row per student.
    outcome
        The column of scores whose growth is judged.
    priors
        One or more columns of earlier scores.
    unit
        A column of units (teachers, schools) to summarise by.
    model
        A table that was fitted before (``.model`` of an earlier result): nothing is fitted, students are placed by it.
    knots
        The inner knots of every prior score; None for its quantiles at ``knot_shares``.
    boundaries
        The boundaries of every prior score; None for its range and a tenth of it on either side. A score beyond them is
        taken as the nearer boundary, with a note.
    knot_shares
        Where the knots lie that are not given, as shares of the students.
    min_n
        Units with fewer students have no median and no mean.

    Returns
    -------
    Growth
        ``.students``, ``.units``, ``.model``, ``.notes`` ...

    Raises
    ------
    BrightspotError
        For missing columns, scores that are no numbers, too few students, knots out of order, a model of other scores.

    Notes
    -----
    A student without one of the scores is not placed and counted (``rows_left_out``). A percentile is no cause: it says
    how much was learnt, not why. Other notes: ``crossed_quantiles``, ``outside_boundaries``, ``small_units``,
    ``sentinel``.

    References
    ----------
    Betebenner D (2009). Norm- and criterion-referenced student growth. Educational Measurement: Issues and Practice
    28(4): 42-51.
    Koenker R, Bassett G (1978). Regression quantiles. Econometrica 46: 33-50.
    Portnoy S, Koenker R (1997). The Gaussian hare and the Laplacian tortoise. Statistical Science 12: 279-300.

    Examples
    --------
    >>> import brightspot as bs
    >>> star = bs.datasets.star()
    >>> pupils = star.filter(gr="1").join(star.filter(gr="K").select("id", start="math"), on="id")
    >>> g = bs.growth_percentiles(pupils, outcome="math", priors="start", unit="tch")
    >>> round(g.students["percentile"].mean())
    50
    """
    columns = names("priors", priors)
    request: dict[str, Any] = {
        "outcome": outcome,
        "priors": columns,
        "unit": unit,
        "min_n": min_n,
        "spec": {
            "knots": None if knots is None else [list(one) for one in knots],
            "boundaries": None if boundaries is None else [list(pair) for pair in boundaries],
            "knot_shares": list(knot_shares),
        },
        "model": None if model is None else model.to_dict(),
    }
    frame = to_polars(df, [outcome, *columns, unit])
    students, units, table, notes = _core.growth_percentiles(frame, request)
    return Growth(
        students=students,
        units=units,
        model=GrowthModel.from_dict(table),
        notes=Note.all_from(notes),
        spec={key: value for key, value in request.items() if key != "model"},
    )
