"""Funnel charts: which units lie beyond what their size explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from brightspot import _core, words
from brightspot._frames import to_polars
from brightspot._result import Note, page
from brightspot.exceptions import InvalidOptionError

if TYPE_CHECKING:
    import altair as alt

Direction = Literal["up", "down", "neutral"]


@dataclass(frozen=True, slots=True, repr=False)
class Funnel:
    """Units against limits that grow as their size falls: what :func:`funnel` returns.

    Attributes
    ----------
    units
        One row per unit, in the order of their names (it is no ranking): the unit; ``n_rows``; ``value`` (a share, a
        ratio, a mean); ``size``; ``z`` (distance from the target in standard errors of chance alone); ``z_adjusted``
        (with overdispersion allowed for); ``p`` (two-sided); ``q_value`` (Benjamini-Hochberg over all units); and for
        every level ``lo_95``, ``hi_95``, ``is_outside_95`` (``lo_99_8`` ... for .998).
    limits
        The limits over the range of sizes: ``size``, ``lo_95``, ``hi_95`` ...
    target
        What units are compared with.
    phi
        How much units scatter, as a multiple of what their sizes explain, after trimming extremes.
    tau2
        The variance between units on the scale of comparison.
    is_overdispersed
        Whether ``phi`` is beyond ``1 + 2 sqrt(2/I)`` for I units.
    levels, level_names
        The levels, and how they stand in the names of columns.
    direction
        ``"up"`` where a higher value is the better one.
    notes
        Caveats, each with a code and a count.
    spec
        The arguments, as they were used.

    Examples
    --------
    >>> import brightspot as bs
    >>> schools = {"school": ["A", "B", "C"], "passed": [40, 45, 58], "pupils": [80, 88, 62]}
    >>> bs.funnel(schools, value="passed", size="pupils", unit="school")
    Funnel(3 units about 0.622)
    """

    units: pl.DataFrame
    limits: pl.DataFrame
    target: float
    phi: float
    tau2: float
    is_overdispersed: bool
    levels: tuple[float, ...]
    level_names: tuple[str, ...]
    direction: Direction
    notes: tuple[Note, ...]
    spec: dict[str, Any] = field(default_factory=dict[str, Any])

    def sentences(self) -> list[str]:
        """Say in plain words what the chart shows."""
        return words.funnel(self)

    def plot(self, *, title: str = "", width: int | None = None, height: int | None = None) -> alt.TopLevelMixin:
        """Draw the units against their size, with the limits.

        Only units beyond the widest limits on the good side are named; nobody is where ``direction`` is neutral.

        Parameters
        ----------
        title
            A heading.
        width, height
            In pixels.
        """
        from brightspot.plot.funnel import draw

        return draw(self, title=title, width=width or 620, height=height or 360)

    def __repr__(self) -> str:
        return f"Funnel({words.counted(self.units.height, 'unit')} about {words.number(self.target)})"

    def _repr_html_(self) -> str:
        return page("Funnel chart", self.sentences(), [("units", self.units)], self.notes)


def funnel(
    df: object,
    *,
    value: str,
    size: str | None = None,
    unit: str,
    kind: Literal["proportion", "ratio", "ratio_log", "count_ratio", "mean"] = "proportion",
    overdispersion: Literal["additive", "multiplicative"] | None = "additive",
    levels: float | Sequence[float] = (0.95, 0.998),
    target: float | None = None,
    sd: str | None = None,
    winsorise: float = 0.1,
    trim: Literal["winsorise", "truncate"] = "winsorise",
    direction: Direction = "up",
) -> Funnel:
    """Compare units of unlike size with limits that allow for it (a funnel chart).

    Values are brought to a scale on which their standard error s depends on the size alone; the limits are
    ``back(target ± z sqrt(s² + tau²))``.

    Parameters
    ----------
    df
        Any frame, one row per unit, or several that are added up.
    value
        The column of counts (of means for ``kind="mean"``).
    size
        The column of denominators; of expected counts for ``"ratio"``; of the other count for ``"count_ratio"``; of
        numbers of measurements for ``"mean"``. Without it each row is one pupil (0 or 1 for a proportion).
    unit
        The column that names the units.
    kind
        ``"proportion"``: angles ``asin sqrt(r/n)``, s = 1/(2 sqrt n). ``"ratio"``: ``sqrt(O/E)``, s = 1/(2 sqrt E);
        ``"ratio_log"``: ``log(O/E)``, s = 1/sqrt E. ``"count_ratio"``: ``log((a + ½)/(b + ½))``. ``"mean"``:
        s = sd/sqrt n with the standard deviation within units, pooled.
    overdispersion
        ``"additive"``: units truly differ, by a variance tau² (moments of winsorised z); ``"multiplicative"``: all
        variances times phi, where it is clearly above 1; None: limits of chance alone, exact for counts.
    levels
        One or more levels of limits, between 0 and 1.
    target
        What units are compared with; None for that of all units together (1 for ratios).
    sd
        For means that come with a ``size``: the column of standard deviations within units.
    winsorise
        The share of units on either side that counts as extreme when scatter is measured.
    trim
        Whether these are drawn in (``"winsorise"``) or left out by rank (``"truncate"``, as NHS England does).
    direction
        ``"up"`` where a higher value is the better one, ``"down"`` where a lower one is, ``"neutral"``.

    Returns
    -------
    Funnel
        ``.units``, ``.limits``, ``.phi``, ``.tau2``, ``.target``, ``.plot()`` ...

    Raises
    ------
    BrightspotError
        For missing columns, counts above their denominators, negative counts, levels out of range.

    Notes
    -----
    A row without a unit or a value is left out and counted (``rows_left_out``), one without a positive size as well
    (``no_size``). Other notes: ``overdispersed_units``, ``small_sizes``.

    References
    ----------
    Spiegelhalter DJ (2005). Funnel plots for comparing institutional performance. Statistics in Medicine 24: 1185-1202.
    Spiegelhalter DJ (2005). Handling over-dispersion of performance indicators. Quality and Safety in Health Care 14:
    347-351.

    Examples
    --------
    >>> import brightspot as bs
    >>> pupils = bs.datasets.star().filter(gr="K").drop_nulls("math")
    >>> f = bs.funnel(pupils, value="math", unit="sch", kind="mean")
    >>> f.is_overdispersed, round(f.target)
    (True, 485)
    >>> print(f.notes[0].code)
    overdispersed_units
    """
    if direction not in ("up", "down", "neutral"):
        raise InvalidOptionError(
            f"direction = {direction!r} is not possible: it must be 'up', 'down' or 'neutral'",
            option="direction",
            value=repr(direction),
        )
    chosen = [levels] if isinstance(levels, int | float) else list(levels)
    request: dict[str, Any] = {
        "value": value,
        "size": size,
        "unit": unit,
        "sd": sd,
        "spec": {
            "kind": kind,
            "overdispersion": "none" if overdispersion is None else overdispersion,
            "levels": chosen,
            "target": target,
            "trim_share": winsorise,
            "trim": trim,
        },
    }
    units, limits, center, scatter, level_names, notes = _core.funnel(to_polars(df, [unit, value, size, sd]), request)
    return Funnel(
        units=units,
        limits=limits,
        target=center,
        phi=scatter["phi"],
        tau2=scatter["tau2"],
        is_overdispersed=scatter["is_overdispersed"],
        levels=tuple(chosen),
        level_names=tuple(level_names),
        direction=direction,
        notes=Note.all_from(notes),
        spec=request,
    )
