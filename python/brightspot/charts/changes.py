"""What changed between phases, and where a new phase might start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from brightspot import words
from brightspot._result import Note, page

if TYPE_CHECKING:
    import altair as alt

    from brightspot.charts._chart import Chart


@dataclass(frozen=True, slots=True, repr=False)
class Contrast:
    """One phase against another: what :meth:`Chart.contrast` returns.

    Attributes
    ----------
    table
        One row per chart and pair of phases: ``by...``, ``from_phase``, ``to_phase``, ``shape`` (``mean``, ``median``,
        ``proportion``, ``rate``, ``gap``), ``method``, ``n_before``, ``n_after``, ``before``, ``after``, ``estimate``
        (a difference; of rates and gaps a ratio), ``lo``, ``hi`` (90%), ``p_above``, ``p_below`` (one-sided), ``phi``
        (the autocorrelation allowed for), ``dispersion``. Where there is too little to tell, the numbers are null and a
        note says why.
    notes
        Caveats, each with a code and a count.
    by
        The columns that tell the charts apart.

    Examples
    --------
    >>> import brightspot as bs
    >>> weekly = {
    ...     "week": range(1, 19),
    ...     "absent": [14, 12, 15, 13, 16, 12, 14, 15, 13, 9, 10, 8, 11, 9, 8, 10, 9, 8],
    ...     "enrolled": [120] * 18,
    ... }
    >>> chart = bs.control_chart(
    ...     weekly, kind="p", value="absent", size="enrolled", time="week", phases={"calls home": 10}, direction="down"
    ... )
    >>> found = chart.contrast().table.row(0, named=True)
    >>> found["shape"], round(found["estimate"], 3), found["hi"] < 0
    ('proportion', -0.039, True)
    """

    table: pl.DataFrame
    notes: tuple[Note, ...]
    by: list[str]

    def sentences(self) -> Iterator[str]:
        """Say in plain words what changed."""
        for row in self.table.iter_rows(named=True):
            yield words.contrast(row, ", ".join(str(row[key]) for key in self.by))

    def __repr__(self) -> str:
        return f"Contrast({words.counted(self.table.height, 'comparison')})"

    def _repr_html_(self) -> str:
        told = [] if self.table.height > 3 else list(self.sentences())
        return page(words.counted(self.table.height, "comparison"), told, [("table", self.table)], self.notes)


@dataclass(frozen=True, slots=True, repr=False)
class Proposals:
    """Where charts might start anew: what :meth:`Chart.propose_phases` returns. Nothing is applied.

    Attributes
    ----------
    chart
        The chart that they are for.
    table
        One row per proposal: ``by...``, ``starts`` (the first time of the new phase), ``from``, ``to`` (an interval for
        it), ``before``, ``after`` (levels), ``estimate``, ``lo``, ``hi`` (the step), ``p`` (allowing for the search),
        and the limits ``lcl_before``, ``ucl_before``, ``lcl_after``, ``ucl_after``.
    log
        One row per place that was looked at: ``by...``, ``time``, ``decision`` (a code), ``p``.
    notes
        Caveats, each with a code and a count.

    Examples
    --------
    >>> import brightspot as bs
    >>> weekly = {
    ...     "week": range(1, 25),
    ...     "score": [61, 64, 60, 63, 65, 62, 59, 64, 61, 63, 62, 61, 70, 72, 69, 71, 73, 70, 72, 71, 69, 73, 71, 72],
    ... }
    >>> proposals = bs.control_chart(weekly, kind="i", value="score", time="week").propose_phases()
    >>> proposals.table["starts"].to_list()
    [13]
    """

    chart: Chart
    table: pl.DataFrame
    log: pl.DataFrame
    notes: tuple[Note, ...]

    def sentences(self) -> Iterator[str]:
        """Say in plain words what is proposed."""
        shares = words.are_shares(self.chart.points["value"], self.chart.spec)
        on = words.Scale("percentage points", is_share=True) if shares else words.Scale()
        for row in self.table.iter_rows(named=True):
            yield words.proposal(row, ", ".join(str(row[key]) for key in self.chart.by), on)

    def plot(self, *, title: str = "", only: Mapping[str, object] | None = None) -> alt.TopLevelMixin:
        """Draw the chart with the proposed starts, their intervals, and the limits as they would become.

        Parameters
        ----------
        title
            A heading.
        only
            Draw only the charts with these values in their ``by`` columns.
        """
        from brightspot.plot.proposals import draw_proposals

        return draw_proposals(self.chart, self.table, title=title, only=only)

    def __repr__(self) -> str:
        return f"Proposals({words.counted(self.table.height, 'proposal')})"

    def _repr_html_(self) -> str:
        told = [] if self.table.height > 3 else list(self.sentences())
        title = words.counted(self.table.height, "proposal") if self.table.height else "No new phase is proposed"
        return page(title, told, [("table", self.table), ("log", self.log)], self.notes)
