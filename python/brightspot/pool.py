"""Effects of many sites as one: does it work elsewhere?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from brightspot import _core, words
from brightspot._frames import names, to_polars
from brightspot._result import Note, page
from brightspot.exceptions import InvalidOptionError

if TYPE_CHECKING:
    import altair as alt


@dataclass(frozen=True, slots=True, repr=False)
class Pool:
    """Effects of sites, pooled where there are enough of them: what :func:`pool` returns.

    All numbers but ``sites`` and ``groups`` are None for fewer than three sites.

    Attributes
    ----------
    finding
        ``likely_to_help`` (the prediction interval excludes 0 on the good side), ``works_on_average`` (only the
        interval of the mean does), ``not_distinguishable``, ``harms_on_average``, ``likely_to_harm``, ``one_site``,
        ``two_sites``.
    estimate
        The mean effect over sites.
    se
        Its standard error, as the interval takes it.
    lo, hi
        The interval of the mean effect.
    p_value
        Two-sided p of no mean effect.
    tau2
        The variance between sites.
    tau2_lo, tau2_hi
        Its interval, by inverting Q.
    i2
        The share of the variation between effects that is more than chance, 0 to 1.
    h2
        Total over chance variation.
    q, q_p_value
        Cochran's Q, and the probability of as high a one where sites do not differ.
    prediction_lo, prediction_hi
        The interval for the effect in a site that is not among these; None for ``method="ee"``.
    sites
        One row per site: its name, ``n_rows``, ``effect``, ``variance``, ``lo`` and ``hi`` (of its own effect),
        ``weight``, ``shrunken`` and ``shrunken_se`` (drawn towards the mean), ``estimate_without``, ``se_without``,
        ``tau2_without`` (what is found without it).
    groups
        One row per subgroup of ``by``: ``n_sites``, ``estimate``, ``se``, ``lo``, ``hi``, ``tau2``, ``i2``, ``q``,
        ``prediction_lo``, ``prediction_hi``, ``finding``; numbers only for three or more sites.
    notes
        Caveats, each with a code and a count.
    spec
        The arguments, as they were used.

    Examples
    --------
    >>> import brightspot as bs
    >>> p = bs.pool({"d": [0.3, 0.24, 0.41, 0.19], "v": [0.01, 0.014, 0.012, 0.009]}, effect="d", variance="v")
    >>> p
    Pool(4 sites; works_on_average)
    """

    finding: str
    estimate: float | None
    se: float | None
    lo: float | None
    hi: float | None
    p_value: float | None
    tau2: float | None
    tau2_lo: float | None
    tau2_hi: float | None
    i2: float | None
    h2: float | None
    q: float | None
    q_p_value: float | None
    prediction_lo: float | None
    prediction_hi: float | None
    sites: pl.DataFrame
    groups: pl.DataFrame
    notes: tuple[Note, ...]
    spec: dict[str, Any] = field(default_factory=dict[str, Any])

    def sentences(self) -> list[str]:
        """Say in plain words what was found: the finding first."""
        return words.pool(self)

    def plot(self, *, title: str = "", width: int | None = None, height: int | None = None) -> alt.TopLevelMixin:
        """Draw every site's effect with its interval, the mean, and what a new site may expect (a forest plot).

        Parameters
        ----------
        title
            A heading.
        width, height
            In pixels; the height follows from the number of sites where it is not given.
        """
        from brightspot.plot.pool import draw

        return draw(self, title=title, width=width, height=height)

    def __repr__(self) -> str:
        return f"Pool({words.counted(self.sites.height, 'site')}; {self.finding})"

    def _repr_html_(self) -> str:
        tables = [("sites", self.sites), *([("groups", self.groups)] if self.groups.width else [])]
        return page(f"{words.counted(self.sites.height, 'site')} pooled", self.sentences(), tables, self.notes)


def pool(
    df: object,
    *,
    effect: str,
    variance: str,
    by: str | Sequence[str] | None = None,
    site: str | None = None,
    method: Literal["reml", "dl", "pm", "he", "ml", "hs", "sj", "eb", "ee"] = "reml",
    interval: Literal["hksj", "hksj_plain", "z"] = "hksj",
    prediction: Literal["confidence", "plugin", "hts"] = "confidence",
    level: float = 0.95,
    correlation: float = 0.5,
    direction: Literal["up", "down"] = "up",
) -> Pool:
    """Pool effects over sites: the mean effect, how much sites differ, and what a new site may expect.

    ``y_i = mu + u_i + e_i`` with ``u ~ N(0, tau²)`` between sites and ``e_i ~ N(0, v_i)``, v known. With one or two
    sites nothing is pooled; with three or more the mean is weighted by ``1/(v_i + tau²)``.

    Parameters
    ----------
    df
        Any frame, one row per effect.
    effect
        The column of effects, all on one scale (one measure, or standardised).
    variance
        The column of their sampling variances: squares of their standard errors, in squared units of the effect.
    by
        Columns of subgroups to look at as well; those of fewer than three sites are counted, not pooled.
    site
        The column that names the sites. Several rows of one site become one, weighted by ``1/v``. Without it each row
        is a site.
    method
        How tau² is estimated: ``"reml"``, ``"dl"`` (DerSimonian-Laird), ``"pm"`` (Paule-Mandel), ``"he"`` (Hedges),
        ``"ml"``, ``"hs"`` (Hunter-Schmidt), ``"sj"`` (Sidik-Jonkman), ``"eb"`` (empirical Bayes); ``"ee"`` takes sites
        as equal.
    interval
        ``"hksj"``: Hartung-Knapp-Sidik-Jonkman, never narrower than the plain one; ``"hksj_plain"``: without that
        bound, as in other software; ``"z"``: normal, too narrow with few sites.
    prediction
        ``"confidence"``: by the confidence distribution of tau²; ``"plugin"``: ``mu ± quantile sqrt(se² + tau²)`` with
        the quantile of ``interval``; ``"hts"``: the same with t on k - 2 degrees of freedom.
    level
        The level of all intervals.
    correlation
        How alike the errors of rows of one site are taken to be, 0 to 1. At 1 more rows make a site no more certain.
    direction
        ``"up"`` where a higher effect is the better one, ``"down"`` where a lower one is.

    Returns
    -------
    Pool
        ``.estimate``, ``.lo``, ``.hi``, ``.prediction_lo``, ``.prediction_hi``, ``.finding``, ``.sites`` ...

    Raises
    ------
    BrightspotError
        For missing columns, effects that are no numbers, variances that are not positive, and no row at all.

    Notes
    -----
    A row without an effect, a variance or a site is left out and counted (``rows_left_out``). Other notes:
    ``too_few_sites``, ``few_sites``, ``collapsed_rows``, ``equal_effects_assumed``, ``exploratory_subgroups``.

    References
    ----------
    DerSimonian R, Laird N (1986). Controlled Clinical Trials 7: 177-188.
    Hartung J, Knapp G (2001). Statistics in Medicine 20: 3875-3889.
    Röver C, Knapp G, Friede T (2015). BMC Medical Research Methodology 15: 99.
    Viechtbauer W (2010). Journal of Statistical Software 36(3). doi:10.18637/jss.v036.i03.
    Nagashima K, Noma H, Furukawa TA (2019). Statistical Methods in Medical Research 28: 1689-1702.

    Examples
    --------
    Six schools tried the same change; effects are in points of the same exit ticket:

    >>> import brightspot as bs
    >>> tries = {
    ...     "school": ["A", "B", "C", "D", "E", "F"],
    ...     "gain": [4.1, 2.2, 5.0, 3.1, 3.8, 2.9],
    ...     "variance": [1.2, 0.8, 1.5, 0.9, 1.1, 1.0],
    ... }
    >>> p = bs.pool(tries, effect="gain", variance="variance", site="school")
    >>> print(p.sentences()[0])
    Likely to help at a site like these.
    >>> p.sites.select("school", "effect").row(0)
    ('A', 4.1)
    """
    if direction not in ("up", "down"):
        raise InvalidOptionError(
            f"direction = {direction!r} is not possible: it must be 'up' or 'down'",
            option="direction",
            value=repr(direction),
        )
    groups = [] if by is None else names("by", by)
    request: dict[str, Any] = {
        "effect": effect,
        "variance": variance,
        "by": groups,
        "site": site,
        "correlation": correlation,
        "spec": {
            "method": method,
            "interval": interval,
            "prediction": prediction,
            "level": level,
            "is_higher_better": direction == "up",
        },
    }
    summary, finding, sites, subgroups, notes = _core.pool(to_polars(df, [effect, variance, *groups, site]), request)
    found: dict[str, Any] = summary or {}
    tau2_lo, tau2_hi = found.get("tau2_interval") or (None, None)
    prediction_lo, prediction_hi = found.get("prediction") or (None, None)
    fields = ("estimate", "se", "lo", "hi", "p_value", "tau2", "i2", "h2", "q", "q_p_value")
    return Pool(
        finding=finding,
        **{name: found.get(name) for name in fields},
        tau2_lo=tau2_lo,
        tau2_hi=tau2_hi,
        prediction_lo=prediction_lo,
        prediction_hi=prediction_hi,
        sites=sites,
        groups=subgroups,
        notes=Note.all_from(notes),
        spec=request,
    )
