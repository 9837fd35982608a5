"""What a search for bright spots finds: candidates, everything they rest on, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from brightspot import words
from brightspot._frames import names
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
        The numbers behind them: ``finding``, ``answer`` and ``overall`` (None of a suppressed unit), and ``criteria``,
        the audit trail: of every criterion its ``name`` (the column in ``.units``), what it ``asks``, ``is_met`` (None
        where it cannot be asked), the ``value`` behind it, the ``bar`` it is held against, and whether it ``is_gate``:
        must be met by a candidate.

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

    @property
    def criteria(self) -> pl.DataFrame:
        """The audit trail as a table: one row per criterion."""
        columns = {
            "name": pl.String,
            "asks": pl.String,
            "is_met": pl.Boolean,
            "value": pl.Float64,
            "bar": pl.Float64,
            "is_gate": pl.Boolean,
        }
        return pl.DataFrame(self.details["criteria"], schema=columns)

    def _repr_html_(self) -> str:
        return f"<p>{escaped(self.text)}</p>{words.audit_table(self.details['criteria'])}"


@dataclass(frozen=True, slots=True, repr=False)
class BrightSpots:
    """Candidates, everything they rest on, and how many are probably false: what :func:`bright_spots` returns.

    Attributes
    ----------
    units
        One row per unit, in the order of the groups and names (it is no ranking): the columns of the groups and the
        unit; ``n``; ``n_periods``; ``raw`` (the mean outcome, neither adjusted nor shrunken); ``effect``, ``sd``
        (prediction error), ``reliability``, ``lo``, ``hi`` (95%; not of normal effects where the note
        ``effects_not_normal`` stands) against peers inside ``within``, and the same against all units with the ending
        ``_overall``. Each also ``_overall``: ``prob_exceeds`` (that the effect exceeds the
        threshold), ``expected_percentile``, ``q_value``, ``prob_top`` (that it is among the top tenth),
        ``effect_triple_goal`` (for histograms: such estimates spread as the true effects do), ``prob_without_best``
        (the smallest probability with one period left out), ``prob_persists`` (that the effect exceeds the threshold in
        most periods), ``prob_above_peers`` (among ``n_matched`` units under the most similar conditions). For each
        guard ``guard_<name>`` (``not_worse``, ``cannot_tell``, ``harmed``), ``guard_<name>_effect`` and
        ``guard_<name>_prob`` (that it is not worse by more than the margin). The criteria: ``has_min_n``,
        ``has_peers``, ``is_in_fdr_set``, ``has_prob``, ``is_consistent``, ``is_reliable``, ``is_persistent``,
        ``is_above_peers``, ``is_named_by_peers``, ``are_guards_kept`` (null where they cannot be asked),
        ``is_candidate``, ``is_candidate_overall``. ``finding`` and ``finding_overall``: ``bright``, ``promising``,
        ``one_period``, ``not_distinguishable``, ``suppressed``.
    candidates
        The units to learn from, in no order: enough students, in the false-discovery set, with a probability of at
        least ``min_prob``, not carried by one period alone, no guard worse. An empty table is a normal answer.
    typical
        Ordinary units to visit as well, under like conditions: without them one cannot tell what is special.
    periods
        One row per unit and period: ``n``, ``effect`` (shrunken), ``sd``, ``prob_exceeds``; empty without periods.
    checks
        One row per unit, by other methods: ``p_value`` (one-sided, of not exceeding the threshold), ``bh``, ``by``,
        ``storey``; ``prob_normal``, and with 50 units or more ``prob_ash`` and ``prob_smooth`` (under two laws of
        effects that need not be normal, the second less what its own uncertainty takes): ``prob_exceeds`` is the
        smallest; ``lfdr``, ``lfsr``.
    balance
        One row per condition: its mean over ``candidates`` and ``others``, the ``difference`` in standard deviations,
        ``z``, ``p_value`` (adjusted for their number), ``is_easier``: candidates who have it easier speak against the
        adjustment. Empty with fewer than three candidates.
    agreement
        How far a second route, the comparison with matched peers, names the same units: ``n_units``, ``n_model``,
        ``n_peers``, ``n_both``, ``n_either``, ``share``; None where it cannot be made.
    persistence
        What lasts: of ``n_units`` the number ``expected`` to exceed the threshold in most periods, and the number that
        would ``by_chance`` if every period were drawn anew; each also ``_overall``. None without periods.
    guards
        The guards: ``name``, ``margin``, ``n_obs``.
    threshold
        The smallest effect worth learning from, in the outcome's unit.
    false_share
        The expected share of false ones among the candidates: the mean of one less ``prob_exceeds``, twice that where
        the note ``skewed_effects`` stands (``q_value`` likewise); None where there are none.
    false_share_overall
        The same among the units that stand out against all (there notes of the law of effects stand at ``overall``).
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
    agreement: dict[str, Any] | None = None
    persistence: dict[str, Any] | None = None
    guards: tuple[dict[str, Any], ...] = ()
    _core: Any = None

    @property
    def periods(self) -> pl.DataFrame:
        """One row per unit and period."""
        return self._core.periods()

    @property
    def checks(self) -> pl.DataFrame:
        """One row per unit: the answer by other methods."""
        return self._core.checks()

    @property
    def balance(self) -> pl.DataFrame:
        """One row per condition: the candidates against the others."""
        return self._core.balance()

    def peers(self, unit: object, within: Sequence[object] = ()) -> pl.DataFrame:
        """List the units under the most similar conditions, the nearest first.

        Parameters
        ----------
        unit
            The name of a unit.
        within
            The names of its groups, outermost first; needed only where the name occurs in several groups.

        Returns
        -------
        polars.DataFrame
            The columns of the groups and the unit; ``n``; ``distance``, how far the conditions and the size are:
            Mahalanobis's distance over the root of the number of directions (at most eight, those in which units differ
            most), so that a unit one standard deviation between units off in each of them is at 1; ``weight`` in the
            comparison; the mean of every condition. Empty where fewer than ten units are within the caliper.

        Raises
        ------
        InvalidOptionError
            Where no unit, or more than one, bears the name.
        """
        return self._core.peers(_label(unit), [_label(group) for group in names("within", within)])

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
        kind: Literal["effects", "funnel", "shrinkage", "periods", "peers"] = "effects",
        question: Literal["within", "overall"] = "within",
        of: object = None,
        within: Sequence[object] = (),
        title: str = "",
        width: int | None = None,
        height: int | None = None,
    ) -> alt.TopLevelMixin:
        """Draw what was found. Nobody is named but candidates, and no rank can be read off.

        Parameters
        ----------
        kind
            ``"effects"``: shrunken effects with their intervals; ``"funnel"``: differences against the number of
            students; ``"shrinkage"``: from what is seen to what remains of it, an arrow for each unit; ``"periods"``:
            candidates over the periods, before the band of all others; ``"peers"``: one unit among those under like
            conditions.
        question
            ``"within"``: against peers in the same group; ``"overall"``: against all units. Of effects, funnel,
            shrinkage.
        of
            The unit whose peers are drawn.
        within
            The names of its groups, where its name occurs in several.
        title
            A heading.
        width, height
            In pixels.
        """
        if kind == "peers":
            from brightspot.plot.bright_peers import draw as draw_peers

            groups = [_label(group) for group in names("within", within)]
            return draw_peers(self, _label(of), groups, title=title, width=width, height=height)
        if kind == "periods":
            from brightspot.plot.bright_periods import draw as draw_periods

            return draw_periods(self, title=title, width=width, height=height)
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
