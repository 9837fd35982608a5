"""Bright spots: who does better than peers under the same conditions, so that others can learn from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from brightspot import _core, words
from brightspot._frames import names, to_polars
from brightspot._result import Note, escaped, page

if TYPE_CHECKING:
    import altair as alt


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is found about one unit, and why: as text, as data, as HTML.

    Attributes
    ----------
    unit
        Its name.
    text
        Plain sentences.
    details
        The numbers behind them.

    Examples
    --------
    >>> import brightspot as bs
    >>> pupils = bs.datasets.star().filter(gr="K")
    >>> spots = bs.bright_spots(pupils, outcome="math", unit="tch", within="sch", adjust="cltype")
    >>> print(spots.explain("1").text.split(". ")[-1])
    Candidate; whether it lasts is not known; about 5% of the candidates are expected to be false.
    """

    unit: str
    text: str
    details: dict[str, Any]

    def __str__(self) -> str:
        return self.text

    def to_dict(self) -> dict[str, Any]:
        """The numbers behind the text."""
        return dict(self.details)

    def _repr_html_(self) -> str:
        return f"<p>{escaped(self.text)}</p>"


@dataclass(frozen=True, slots=True, repr=False)
class BrightSpots:
    """Candidates, everything they rest on, and how many are probably false: what :func:`bright_spots` returns.

    Attributes
    ----------
    units
        One row per unit, in the order of the groups and names (it is no ranking): the columns of the groups and the
        unit; ``n``; ``n_periods``; ``raw`` (the mean outcome, neither adjusted nor shrunken); ``effect``, ``sd``
        (prediction error), ``reliability``, ``lo``, ``hi`` (95%) against peers inside ``within``, and the same against
        all units with the ending ``_overall``; ``prob_exceeds`` (that the effect exceeds the threshold),
        ``expected_percentile``, ``q_value``, each also ``_overall``; the criteria ``has_min_n``, ``has_peers``,
        ``is_in_fdr_set``, ``has_prob``, ``is_consistent`` (null without periods), ``is_candidate``,
        ``is_candidate_overall``; ``finding`` and ``finding_overall``: ``bright``, ``promising``, ``one_period``,
        ``not_distinguishable``, ``suppressed``.
    candidates
        The units to learn from, in no order: enough students, in the false-discovery set, and with a probability of at
        least ``min_prob``. An empty table is a normal answer.
    typical
        Ordinary units to visit as well, under like conditions: without them one cannot tell what is special.
    threshold
        The smallest effect worth learning from, in the outcome's unit.
    false_share
        The expected share of false ones among the candidates; None where there are none.
    false_share_overall
        The same among the units that stand out against all.
    model
        The model behind it in numbers: fixed terms, variances, and ``stability``, the correlation of a unit's true
        effects from one period to another.
    notes
        Caveats, each with a code and a count.
    spec
        The arguments, as they were used.

    Examples
    --------
    Every teacher of this experiment is seen in one year only, so nobody is more than promising:

    >>> import brightspot as bs
    >>> pupils = bs.datasets.star().filter(gr="K")
    >>> spots = bs.bright_spots(pupils, outcome="math", unit="tch", within="sch", adjust="cltype")
    >>> spots
    BrightSpots(337 units, 17 candidates)
    >>> set(spots.candidates["finding"])
    {'promising'}
    >>> round(spots.false_share, 2)
    0.05
    """

    units: pl.DataFrame
    typical: pl.DataFrame
    threshold: float
    false_share: float | None
    false_share_overall: float | None
    model: dict[str, Any]
    notes: tuple[Note, ...]
    spec: dict[str, Any] = field(default_factory=dict[str, Any])
    _core: Any = None

    @property
    def candidates(self) -> pl.DataFrame:
        """The units to learn from, in no order."""
        return self.units.filter("is_candidate")

    @property
    def candidates_overall(self) -> pl.DataFrame:
        """The units that stand out against all units, not only against peers in their group."""
        return self.units.filter("is_candidate_overall")

    def explain(self, unit: object, within: Sequence[object] = ()) -> Explanation:
        """Say what is found about one unit, and why.

        Parameters
        ----------
        unit
            Its name.
        within
            The names of its groups, outermost first; needed only where the name occurs in several groups.

        Raises
        ------
        InvalidOptionError
            Where no unit, or more than one, bears the name.
        """
        name = _label(unit)
        details = self._core.explain(name, [_label(group) for group in names("within", within)])
        return Explanation(name, " ".join(details.pop("sentences")), details)

    def plot(
        self,
        *,
        kind: Literal["effects", "funnel"] = "effects",
        question: Literal["within", "overall"] = "within",
        title: str = "",
        width: int | None = None,
        height: int | None = None,
    ) -> alt.TopLevelMixin:
        """Draw the effects with their intervals, or differences against the number of students (a funnel).

        Parameters
        ----------
        kind
            ``"effects"`` or ``"funnel"``.
        question
            ``"within"``: against peers in the same group; ``"overall"``: against all units.
        title
            A heading.
        width, height
            In pixels.
        """
        from brightspot.plot.bright import draw

        return draw(self, kind=kind, question=question, title=title, width=width, height=height)

    def sentences(self) -> list[str]:
        """Say in plain words what was found."""
        return words.bright_spots(self)

    def __repr__(self) -> str:
        n_candidates = self.candidates.height
        return f"BrightSpots({words.counted(self.units.height, 'unit')}, {words.counted(n_candidates, 'candidate')})"

    def _repr_html_(self) -> str:
        title = f"{self.spec.get('unit', 'unit')}: {words.counted(self.candidates.height, 'candidate')}"
        return page(title, self.sentences(), [("candidates", self.candidates), ("typical", self.typical)], self.notes)


def _label(name: object) -> str:
    """A unit's name as text, as the core has it: ids may be numbers, dates or flags."""
    if isinstance(name, bool | int | float | date):
        return str(pl.Series([name]).cast(pl.String).item())
    return str(name)


def bright_spots(
    df: object,
    *,
    outcome: str,
    unit: str,
    within: str | Sequence[str] = (),
    adjust: str | Sequence[str] = (),
    period: str | None = None,
    threshold: float | None = None,
    fdr: float = 0.10,
    min_n: int = 10,
    min_prob: float = 0.80,
    rows: str = "students",
    unit_of_value: str = "points",
) -> BrightSpots:
    """Find units (teachers, PLCs, schools) that do better than peers under the same conditions.

    A mixed model adjusts for the conditions and shrinks what rests on few students. For each unit it gives the
    probability that its effect exceeds a threshold worth learning from; the candidates are the largest set whose
    expected share of false ones is at most ``fdr``, each with a probability of at least ``min_prob``. They are a set,
    not a ranking, and there is no list of the others.

    Parameters
    ----------
    df
        Any frame, one row per student (and period).
    outcome
        The column of outcomes; higher is better (where lower is, give its negative).
    unit
        The column that names the units.
    within
        The groups around the units, outermost first: with ``["school"]`` a teacher is compared with the others of the
        same school. Both questions are answered, against these peers and against all.
    adjust
        The conditions to adjust for: prior score, family income ... Numbers enter linearly, text as categories.
    period
        The column of periods (school years). The effect is then what lasts over them, and a unit is ``bright`` only if
        it stands out whichever period is left out. Without it a unit is at best ``promising``.
    threshold
        The smallest effect worth learning from, in the outcome's unit; None: a tenth of the outcome's standard
        deviation within period.
    fdr
        The expected share of false ones among the candidates, at most.
    min_n
        Students of a unit, at least; units with fewer are not judged.
    min_prob
        The probability that the effect exceeds the threshold, at least.
    rows, unit_of_value
        What one row and the outcome's unit are called in sentences, in the plural.

    Returns
    -------
    BrightSpots
        ``.units``, ``.candidates``, ``.typical``, ``.false_share``, ``.explain(unit)``, ``.plot()``.

    Raises
    ------
    BrightspotError
        For missing columns, outcomes that are no numbers, and criteria out of range.

    Notes
    -----
    A row with a missing value in any column of the model is left out and counted. Other notes: ``default_threshold``,
    ``one_period``, ``small_units``, ``few_peers``, ``ceiling``, ``skewed_effects``, ``singular``, ``few_units``.

    References
    ----------
    Bradley EH et al. (2009). Research in action: using positive deviance. Implementation Science 4: 25.
    Newton MA et al. (2004). Detecting differential gene expression with a semiparametric hierarchical mixture method.
    Biostatistics 5: 155-176. Stephens M (2017). False discovery rates: a new deal. Biostatistics 18: 275-294.
    Kraft MA (2020). Interpreting effect sizes of education interventions. Educational Researcher 49: 241-253.

    Examples
    --------
    >>> import brightspot as bs
    >>> district = bs.datasets.district(seed=1)
    >>> spots = bs.bright_spots(
    ...     district.scores, outcome="spring", unit="teacher_id", within="school_id",
    ...     adjust=["prior", "frl", "el"], period="year",
    ... )
    >>> spots.false_share <= 0.10
    True
    """
    groups, conditions = names("within", within), names("adjust", adjust)
    request: dict[str, Any] = {
        "outcome": outcome,
        "unit": unit,
        "within": groups,
        "adjust": conditions,
        "period": period,
        "spec": {
            "threshold": "tenth_of_sd" if threshold is None else {"given": threshold},
            "fdr": fdr,
            "min_prob": min_prob,
            "min_n": min_n,
            "words": {"rows": rows, "values": unit_of_value},
        },
    }
    frame = to_polars(df, [outcome, unit, *groups, *conditions, period])
    found = _core.bright_spots(frame, request)
    return BrightSpots(
        units=found.units(),
        typical=found.typical(),
        threshold=found.threshold,
        false_share=found.false_share,
        false_share_overall=found.false_share_overall,
        model=found.model(),
        notes=Note.all_from(found.notes()),
        spec=request,
        _core=found,
    )
