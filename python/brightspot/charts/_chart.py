"""What run charts and control charts have in common: their tables, their words and their pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import polars as pl

from brightspot import _core, words
from brightspot._result import Note, page
from brightspot.charts.changes import Contrast, Proposals

if TYPE_CHECKING:
    import altair as alt


@dataclass(frozen=True, slots=True, repr=False)
class Chart:
    """One or many charts over time; see :class:`RunChart` and :class:`ControlChart`.

    Examples
    --------
    >>> import brightspot as bs
    >>> weekly = {"week": range(1, 13), "score": [61, 64, 60, 63, 65, 62, 59, 64, 61, 63, 62, 61]}
    >>> isinstance(bs.run_chart(weekly, value="score", time="week"), bs.Chart)
    True
    """

    points: pl.DataFrame
    summary: pl.DataFrame
    signals: pl.DataFrame
    notes: tuple[Note, ...]
    spec: dict[str, Any] = field(default_factory=dict[str, Any])

    _NAME: ClassVar[str] = "chart"

    @property
    def by(self) -> list[str]:
        """The columns that tell the charts apart."""
        return list(self.spec.get("by", []))

    def plot(
        self,
        *,
        title: str = "",
        only: Mapping[str, object] | None = None,
        width: int | None = None,
        height: int | None = None,
        columns: int | None = None,
        annotations: Mapping[Any, str] | None = None,
    ) -> alt.TopLevelMixin:
        """Draw the charts with Altair: one, or small multiples where there are several.

        Parameters
        ----------
        title
            A heading.
        only
            Draw only the charts with these values in their ``by`` columns: ``{"school": "S03"}``, or
            ``{"school": ["S03", "S07"]}``.
        width, height
            Of one chart, in pixels.
        columns
            How many small multiples stand beside each other.
        annotations
            Words at times of the chart: ``{date(2026, 10, 5): "tutoring starts"}``.

        Returns
        -------
        altair.Chart
            ``.save("chart.png")``, ``.save("chart.svg")`` and, for one HTML file without a network,
            ``.save("chart.html", inline=True)`` all work without a browser.
        """
        from brightspot.plot.chart import draw

        return draw(self, title=title, only=only, width=width, height=height, columns=columns, annotations=annotations)

    def plot_marks(
        self, *, title: str = "", only: Mapping[str, object] | None = None, page: int = 1
    ) -> alt.TopLevelMixin:
        """Draw one line per chart: a small chart, the latest value, and marks for variation and assurance.

        Parameters
        ----------
        title
            A heading.
        only
            Draw only the charts with these values in their ``by`` columns.
        page
            Which page, where there are more charts than one holds.
        """
        from brightspot.plot.marks import draw_marks

        return draw_marks(self, title, only=only, page=page)

    def contrast(
        self,
        *,
        before: str | None = None,
        after: str | None = None,
        shape: Literal["mean", "median", "proportion", "rate", "gap"] | None = None,
    ) -> Contrast:
        """Estimate what changed from one phase to the next: an effect with an interval, for the kind of data.

        Without names each phase is held against the one before it; in a chart of one phase with a frozen baseline, what
        follows the baseline against the baseline. The interval (90%: its ends are one-sided 5% tests) carries the
        uncertainty of the baseline, autocorrelation and, for counts, overdispersion.

        Parameters
        ----------
        before, after
            The names of two phases.
        shape
            What is compared: means, medians, proportions (a difference), rates or gaps between events (a ratio).
            ``None`` follows the kind of chart: medians for run charts, proportions for p, pp and np, rates for u, up
            and c, gaps for g, else means.

        Returns
        -------
        Contrast
            ``.table`` with one row per chart and pair of phases; ``.notes``.

        Raises
        ------
        InvalidOptionError
            For a phase that no chart has, and a shape that the data do not have.
        """
        request = {"kind": self.spec["kind"], "by": self.by, "before": before, "after": after, "shape": shape}
        table, notes = _core.contrast(self.points, request)
        return Contrast(table, Note.all_from(notes), self.by)

    def propose_phases(
        self,
        *,
        method: Literal["change_point", "stable_shift", "fixed_run"] = "change_point",
        alpha: float = 0.05,
        min_length: int | None = None,
    ) -> Proposals:
        """Propose where a chart might start anew, with the evidence; nothing is applied.

        Parameters
        ----------
        method
            ``"change_point"`` looks for steps that autocorrelation and the search itself do not explain. The others
            reproduce what other tools do, for comparison: ``"stable_shift"`` (the Stable Shift Algorithm of autospc)
            and ``"fixed_run"`` (runcharter).
        alpha
            How often a stable chart may be given a proposal (``"change_point"``).
        min_length
            The fewest points of a phase; ``None`` is the method's own.

        Returns
        -------
        Proposals
            ``.table``: where each new phase would start, an interval for that, the step, and the limits before and
            after. ``.log``: every place that was looked at, and why it was kept or not. ``.plot()``. To accept one,
            give ``phases={"name": start}`` to the chart.
        """
        request = {"method": method, "alpha": alpha, "min_length": min_length}
        table, log, notes = _core.propose_phases(self.points, self.spec, request)
        return Proposals(self, table, log, Note.all_from(notes))

    def sentences(self) -> Iterator[str]:
        """Say in plain words what each chart (and phase) shows."""
        several = self.summary["phase"].n_unique() > 1
        show = words.share if words.are_shares(self.points["value"], self.spec) else words.number
        keys = [*self.by, "phase"]
        limits = {
            tuple(row[key] for key in keys): words.limits(row["lcl"], row["ucl"], show)
            for row in self.points.group_by(keys).agg("lcl", "ucl").iter_rows(named=True)
        }
        for row in self.summary.iter_rows(named=True):
            names = [str(row[key]) for key in self.by] + ([row["phase"]] if several else [])
            bounds = limits.get(tuple(row[key] for key in keys), "")
            yield words.chart(row, ", ".join(names), show, self.spec, bounds)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._title()})"

    def _title(self) -> str:
        n_charts = self.points.select(self.by).n_unique() if self.by else min(1, self.points.height)
        n_signals = int(self.summary["has_signal"].sum())
        what = words.counted(n_charts, self._NAME)
        return f"{what}, {words.counted(self.points.height, 'point')}, {words.counted(n_signals, 'signal')}"

    def _repr_html_(self) -> str:
        told = [] if self.summary.height > 3 else list(self.sentences())
        return page(self._title(), told, [("summary", self.summary), ("points", self.points)], self.notes)
