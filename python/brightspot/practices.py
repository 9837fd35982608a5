"""From rooms to practices: what do bright rooms share that matched ordinary rooms lack?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from brightspot import _core, words
from brightspot._frames import to_polars
from brightspot._result import Note, page
from brightspot.exceptions import ColumnTypeError, InvalidOptionError

if TYPE_CHECKING:
    import altair as alt

    from brightspot._records import Practice
    from brightspot.bright import BrightSpots


@dataclass(frozen=True, slots=True, repr=False)
class Practices:
    """Practices that bright rooms share, as hypotheses to test: what :func:`practices` returns.

    Attributes
    ----------
    table
        One row per practice, in the order of their names (it is no ranking): ``practice``; ``n_users``, ``n_others``,
        ``n_unknown`` units; ``n_groups`` with a user and ``n_groups_both`` with both kinds; ``mean_use`` (fidelity of
        users); ``estimate`` (by how much users are above others under the same conditions, for use in full, in the
        outcome's unit), ``se``, ``df``, ``p_value`` (one-sided); ``shrunken``, ``lo``, ``hi`` (95%) after shrinking
        over practices; ``prob_positive``, ``q_value`` (Bayesian), ``q_value_bh`` (Benjamini-Hochberg); ``n_bright``,
        ``share_bright``, ``n_typical``, ``share_typical``: use among candidates and among matched ordinary units;
        ``is_stable`` (the sign stays whichever period is left out; null without periods); ``inseparable_from``;
        ``is_candidate``; ``finding``: ``suspected``, ``one_period``, ``not_distinguishable``, ``insufficient``. Where
        it is ``insufficient`` there is no number to act upon.
    by_period
        One row per practice and period: ``estimate`` and ``se`` from it alone, ``estimate_without`` it.
    false_share
        The expected share of false ones among the candidates; None where there are none.
    notes
        Caveats, each with a code and a count.
    spec
        The arguments, as they were used; ``bright`` holds those of the search for bright spots.

    Examples
    --------
    >>> import brightspot as bs
    >>> district = bs.datasets.district(seed=1)
    >>> spots = bs.bright_spots(
    ...     district.scores, outcome="spring", unit="teacher_id", within="school_id",
    ...     adjust=["prior", "frl", "el"], period="year",
    ... )
    >>> found = bs.practices(spots, district.practices, use="is_used")
    >>> found
    Practices(20 practices, 2 to test)
    >>> found.candidates["practice"].to_list()
    ['retrieval practice', 'worked examples']
    """

    table: pl.DataFrame
    by_period: pl.DataFrame
    false_share: float | None
    notes: tuple[Note, ...]
    spec: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def candidates(self) -> pl.DataFrame:
        """The practices worth a test, in the order of their names."""
        return self.table.filter("is_candidate")

    def suspect(self, practice: str, *, what: str = "", originator: str = "") -> Practice:
        """Hand a practice on as a suspected one, with its origin recorded.

        Parameters
        ----------
        practice
            Its name in ``.table``. It need not be a candidate: people may suspect what the data do not show, and the
            record says what the data showed.
        what
            What it is, in a sentence.
        originator
            Who it was learned from; leave it empty until that person agrees to be named.

        Returns
        -------
        Practice
            Its state is ``suspected`` until it is described so that others can use it.

        Raises
        ------
        InvalidOptionError
            For a practice that is not in the table.
        """
        from brightspot._records import Origin, Practice

        rows = self.table.filter(pl.col("practice") == practice)
        if rows.height != 1:
            raise InvalidOptionError(
                f"practice = {practice!r} is not possible: it must be one of the {self.table.height} in .table",
                option="practice",
                value=repr(practice),
            )
        row = rows.row(0, named=True)
        bright = self.spec["bright"]
        origin = Origin(
            kind="data",
            outcome=bright["outcome"],
            adjusted_for=bright["adjust"],
            finding=row["finding"],
            **{
                name: row[name]
                for name in (
                    "n_users",
                    "n_others",
                    "estimate",
                    "se",
                    "prob_positive",
                    "q_value",
                    "share_bright",
                    "share_typical",
                )
            },
        )
        return Practice(practice, what=what, origin=origin, originator=originator)

    def sentences(self) -> list[str]:
        """Say in plain words what was found: associations, and what to do about them."""
        return words.practices(self)

    def plot(self, *, title: str = "", width: int | None = None, height: int | None = None) -> alt.TopLevelMixin:
        """Draw each practice's association with its interval, and who uses it, in the order of the names.

        Parameters
        ----------
        title
            A heading.
        width, height
            In pixels.
        """
        from brightspot.plot.practices import draw

        return draw(self, title=title, width=width, height=height)

    def __repr__(self) -> str:
        return f"Practices({words.counted(self.table.height, 'practice')}, {self.candidates.height} to test)"

    def _repr_html_(self) -> str:
        title = f"{words.counted(self.table.height, 'practice')}, {self.candidates.height} to test"
        return page(title, self.sentences(), [("table", self.table)], self.notes)


def practices(
    b: BrightSpots,
    uses: object,
    *,
    unit: str | None = None,
    practice: str = "practice",
    fidelity: str | None = None,
    use: str | None = None,
    combine: Literal["any", "mean"] | None = None,
    fdr: float = 0.10,
    min_prob: float = 0.80,
    min_units: int = 5,
    min_groups: int = 3,
) -> Practices:
    """Find what bright rooms share that ordinary rooms under the same conditions lack.

    For every practice the difference between units that use it and units that do not is estimated in the model of the
    search: same outcome, conditions, groups and periods, with an error that respects the groups (Satterthwaite's
    degrees of freedom). The estimates are shrunken over practices, and those that stand out are named at a stated share
    of false ones. They are associations found by looking: hypotheses for a test, whatever their size.

    Parameters
    ----------
    b
        What :func:`bright_spots` returned.
    uses
        Any frame of rows about who uses what: observed, surveyed, or logged by coaches. Columns that bear the names of
        the groups (``within``) are used to tell apart units of the same name.
    unit
        The column of ``uses`` that names the unit; None: the name it has in ``b``.
    practice
        The column that names the practice. A row without one says that the unit was asked or watched.
    fidelity
        The column that says how faithfully it is used, 0 to 1: the estimate is then for use in full. A use without it
        is not known.
    use
        The column that says whether it is used (true and false, or 1 and 0; null where nobody knows); a unit and
        practice without a row are then not known. None: every row says "used", and a unit with at least one row does
        not use what is not listed for it; a column of yes and no that says "no" somewhere is then an error, because it
        would be taken for its opposite.
    combine
        What rows of one unit and practice that differ are together: ``"any"``: the highest, ``"mean"``: their mean
        (the share of visits on which it was seen). None makes them an error; rows that agree are one.
    fdr
        The expected share of false ones among the practices named, at most.
    min_prob
        The probability that users are above others, at least.
    min_units
        Units that use a practice, and units that do not, at least; with fewer the finding is ``insufficient``.
    min_groups
        Groups with a unit that uses it, at least (where units stand in groups).

    Returns
    -------
    Practices
        ``.table``, ``.candidates``, ``.false_share``, ``.by_period``, ``.suspect(practice)``, ``.plot()``.

    Raises
    ------
    BrightspotError
        For missing columns, a column of yes and no that ``use`` does not name, fidelity outside of 0 to 1, rows that
        contradict each other, and units of which not one was in the search.

    Notes
    -----
    What nobody knows is not "does not use": such units are left out of that practice's comparison, and counted
    (``unknown_use``). Other notes: ``association_only`` (always), ``unlisted_not_used``, ``unmatched_units``,
    ``repeated_uses``, ``few_users``, ``confounded_use``, ``inseparable``, ``few_practices``.

    References
    ----------
    Bradley EH et al. (2009). Research in action: using positive deviance. Implementation Science 4: 25.
    Satterthwaite FE (1946). An approximate distribution of estimates of variance components. Biometrics Bulletin 2:
    110-114. Stephens M (2017). False discovery rates: a new deal. Biostatistics 18: 275-294.

    Examples
    --------
    >>> import brightspot as bs
    >>> district = bs.datasets.district(seed=1)
    >>> spots = bs.bright_spots(
    ...     district.scores, outcome="spring", unit="teacher_id", within="school_id",
    ...     adjust=["prior", "frl", "el"], period="year",
    ... )
    >>> found = bs.practices(spots, district.practices, use="is_used")
    >>> found.candidates.select("practice", "n_users", "finding").rows()
    [('retrieval practice', 69, 'suspected'), ('worked examples', 71, 'suspected')]
    >>> found.suspect("retrieval practice").origin.kind
    'data'
    """
    from brightspot.bright import BrightSpots

    if not isinstance(b, BrightSpots):  # pyright: ignore[reportUnnecessaryIsInstance] (what people give)
        raise ColumnTypeError(
            f"expected what bright_spots(...) returned; found {type(b).__name__}", found=type(b).__name__
        )
    named = unit or b.spec["unit"]
    request: dict[str, Any] = {
        "unit": named,
        "practice": practice,
        "use": use,
        "fidelity": fidelity,
        "combine": combine,
        "spec": {"fdr": fdr, "min_prob": min_prob, "min_units": min_units, "min_groups": min_groups},
    }
    # Without ``use`` the core looks whether another column says yes and no.
    optional = b.spec["within"] if use is not None else None
    frame = to_polars(uses, [named, practice, use, fidelity], optional=optional)
    found = _core.practices(b._core, frame, request)  # pyright: ignore[reportPrivateUsage] (of this package)
    return Practices(
        table=found.table(),
        by_period=found.by_period(),
        false_share=found.false_share,
        notes=Note.all_from(found.notes()),
        spec={**request, "bright": b.spec},
    )
