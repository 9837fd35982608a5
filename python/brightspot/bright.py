"""Bright spots: who does better than peers under the same conditions, so that others can learn from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from brightspot import _core
from brightspot._bright_spots import BrightSpots, Explanation
from brightspot._frames import names, to_polars
from brightspot._result import Note

__all__ = ["BrightSpots", "Explanation", "bright_spots"]


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
    guards: str | Sequence[str] | Mapping[str, float | None] = (),
    min_guard_prob: float = 0.50,
    min_periods: int | None = None,
    n_peers: int = 30,
    caliper: float = 1.0,
    top: float = 0.10,
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
    guards
        Further columns that must not be worse, higher being better (where lower is, give their negative): names, or
        names with the margin that is tolerated, in the column's unit (None: a tenth of its standard deviation within
        period). Each is modelled as the outcome is; a missing value leaves the row out of that model only.
    min_guard_prob
        The probability that a guard is not worse by more than its margin, at least. With .95 a candidate must be shown
        to be no worse, which few students seldom can.
    min_periods
        In how many of its periods a unit must exceed the threshold to last (``prob_persists``); None: two thirds of
        them.
    n_peers, caliper
        How many units under the most similar conditions a unit is compared with, and how far they may be, as
        :meth:`BrightSpots.peers` measures it: 1 for a unit one standard deviation between units off in each direction.
    top
        The share of units that ``prob_top`` speaks of.
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
    ``one_period``, ``small_units``, ``few_peers``, ``few_matches``, ``ceiling``, ``skewed_effects``,
    ``effects_not_normal``, ``singular``,
    ``few_units``, ``confounded_levels``, ``confounded_condition``, ``missing_by_unit``, ``easier_conditions``,
    ``default_margin``, ``guard_missing``.

    References
    ----------
    Bradley EH et al. (2009). Research in action: using positive deviance. Implementation Science 4: 25.
    Newton MA et al. (2004). Detecting differential gene expression with a semiparametric hierarchical mixture method.
    Biostatistics 5: 155-176. Stephens M (2017). False discovery rates: a new deal. Biostatistics 18: 275-294.
    Efron B (2016). Empirical Bayes deconvolution estimates. Biometrika 103: 1-20.
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
    margins: dict[str, float | None] = (
        {str(name): margin for name, margin in guards.items()}
        if isinstance(guards, Mapping)
        else dict.fromkeys(names("guards", guards))
    )
    request: dict[str, Any] = {
        "outcome": outcome,
        "unit": unit,
        "within": groups,
        "adjust": conditions,
        "period": period,
        "guards": [{"column": name, "margin": margin} for name, margin in margins.items()],
        "spec": {
            "threshold": "tenth_of_sd" if threshold is None else {"given": threshold},
            "fdr": fdr,
            "min_prob": min_prob,
            "min_n": min_n,
            "min_guard_prob": min_guard_prob,
            "min_periods": min_periods,
            "n_peers": n_peers,
            "caliper": caliper,
            "top": top,
            "words": {"rows": rows, "values": unit_of_value},
        },
    }
    frame = to_polars(df, [outcome, unit, *groups, *conditions, period, *margins])
    found = _core.bright_spots(frame, request)
    agreement, persistence, guarded = found.summaries()
    return BrightSpots(
        units=found.units(),
        typical=found.typical(),
        threshold=found.threshold,
        false_share=found.false_share,
        false_share_overall=found.false_share_overall,
        model=found.model(),
        notes=Note.all_from(found.notes()),
        spec=request,
        agreement=agreement,
        persistence=persistence,
        guards=tuple(guarded),
        _core=found,
    )
