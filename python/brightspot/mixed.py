"""Mixed models: how much units differ, and what each adds, given who its students are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from brightspot import _core, words
from brightspot._frames import names, to_polars
from brightspot._result import Note, page
from brightspot.exceptions import InvalidOptionError


@dataclass(frozen=True, slots=True, repr=False)
class MixedModel:
    """A fitted linear mixed model: what :func:`mixed_model` returns.

    Attributes
    ----------
    fixed
        ``term``, ``estimate``, ``se``; terms are named as in R: ``(Intercept)``, ``prior``, ``frlyes``.
    variance
        ``factor``, ``variance``, ``sd``; the last row is the residual.
    criterion
        The REML criterion, or minus twice the log-likelihood for ``method="ml"``.
    sigma
        The residual standard deviation.
    theta
        The standard deviation of each factor relative to ``sigma``, in the order of ``factors``.
    factors
        The grouping factors, outermost first.
    is_singular
        Whether a variance was estimated as zero: no detectable difference between the units of that factor.
    has_converged
        Whether the optimiser met its criterion.
    n_obs
        The rows used.
    notes
        Caveats, each with a code and a count.
    spec
        The arguments, as they were used.

    Examples
    --------
    >>> import brightspot as bs
    >>> pupils = bs.datasets.star().filter(gr="K")
    >>> model = bs.mixed_model(pupils, outcome="math", fixed="cltype", random="sch/tch")
    >>> model
    MixedModel(math: 5,871 rows; SD of sch 19.8, sch/tch 16.4, residual 40.1)
    >>> model.effects().select("sch", "tch", "n").row(0)
    ('1', '1', 13)
    """

    fixed: pl.DataFrame
    variance: pl.DataFrame
    criterion: float
    sigma: float
    theta: list[float]
    factors: list[str]
    is_singular: bool
    has_converged: bool
    n_obs: int
    notes: tuple[Note, ...]
    spec: dict[str, Any] = field(default_factory=dict[str, Any])
    _core: Any = None

    def effects(self, factor: str | None = None) -> pl.DataFrame:
        """Return one row per level of a factor (the innermost where not given).

        Returns
        -------
        polars.DataFrame
            The factor's columns; ``n``; ``effect``, the best linear unbiased predictor, in the outcome's unit;
            ``sd_conditional``, its SD taking the fixed part as known (lme4's ``condVar``); ``sd``, its prediction-error
            SD, which allows for the estimated fixed part; ``reliability``, 1 - sd²/variance, between 0 and 1. For a
            factor inside another, ``effect_overall``, ``sd_overall`` and ``reliability_overall`` add the levels around
            it.
        """
        return self._core.effects(self.factors[-1] if factor is None else factor)

    def at(self, theta: Sequence[float]) -> MixedModel:
        """Evaluate the same model at a given ``theta``, without optimising."""
        try:
            values = [float(t) for t in theta]
        except (TypeError, ValueError) as error:
            raise InvalidOptionError(
                f"theta = {theta!r} is not possible: it must be a list of {len(self.factors)} numbers, one per factor",
                option="theta",
                value=repr(theta),
            ) from error
        return _model(self._core.at(values), self.spec)

    @property
    def vcov(self) -> list[list[float]]:
        """The covariance matrix of the fixed part, in the order of its terms."""
        return self._core.vcov

    def __repr__(self) -> str:
        return f"MixedModel({self._title()})"

    def _title(self) -> str:
        spread = ", ".join(
            f"{name} {words.number(sd)}" for name, sd in self.variance.select("factor", "sd").iter_rows()
        )
        return f"{self.spec.get('outcome', 'outcome')}: {words.counted(self.n_obs, 'row')}; SD of {spread}"

    def _repr_html_(self) -> str:
        return page(self._title(), [], [("fixed", self.fixed), ("variance", self.variance)], self.notes)


def mixed_model(
    df: object,
    *,
    outcome: str,
    fixed: str | Sequence[str] = (),
    random: str | Sequence[str],
    method: Literal["reml", "ml"] = "reml",
) -> MixedModel:
    """Fit a linear mixed model with random intercepts for one grouping factor or for factors nested in each other.

    ``y = X beta + b_outer + ... + b_inner + e``, with independent normal effects. The criterion is evaluated in closed
    form from the sums of each group, so a fit costs one pass over the data.

    Parameters
    ----------
    df
        Any frame, one row per observation (student).
    outcome
        The column of outcomes.
    fixed
        Columns of the fixed part. Numbers enter linearly; text, boolean and categorical columns by treatment contrasts,
        the first level in sort order (an enum's own order) being the reference.
    random
        The grouping factor: ``"teacher"``; ``"school/teacher"`` (teachers in schools, also where labels repeat from
        school to school); or ``["school", "teacher"]`` where labels are unique, which is checked.
    method
        ``"reml"`` or ``"ml"``.

    Returns
    -------
    MixedModel
        ``.fixed``, ``.variance``, ``.effects()``, ``.criterion``, ``.notes`` ...

    Raises
    ------
    BrightspotError
        For missing columns, outcomes that are no numbers, and factors that are not nested in each other.

    Notes
    -----
    A row with a missing (or infinite) value in any column of the model is left out and counted (``rows_left_out``).
    Other notes: ``singular``, ``rank_deficient``, ``few_units``, ``not_converged``.

    References
    ----------
    Bates D, Mächler M, Bolker B, Walker S (2015). Fitting linear mixed-effects models using lme4. Journal of
    Statistical Software 67(1). doi:10.18637/jss.v067.i01.
    Henderson CR (1975). Best linear unbiased estimation and prediction under a selection model. Biometrics 31: 423-447.

    Examples
    --------
    >>> import brightspot as bs
    >>> import polars as pl
    >>> pupils = bs.datasets.star().filter(gr="K")
    >>> model = bs.mixed_model(pupils, outcome="math", fixed=["cltype"], random=["sch/tch"])
    >>> model.variance.with_columns(pl.col("variance").round(1))["variance"].to_list()
    [391.2, 270.1, 1611.1]
    """
    terms, factors = names("fixed", fixed), names("random", random)
    columns = [part.strip() for factor in factors for part in str(factor).split("/") if part.strip()]
    request: dict[str, Any] = {"outcome": outcome, "fixed": terms, "random": factors, "method": method}
    frame = to_polars(df, [outcome, *terms, *columns])
    return _model(_core.mixed_model(frame, request), request)


def _model(fitted: _core.MixedModel, spec: dict[str, Any]) -> MixedModel:
    return MixedModel(
        fixed=fitted.fixed(),
        variance=fitted.variance(),
        criterion=fitted.criterion,
        sigma=fitted.sigma,
        theta=fitted.theta,
        factors=fitted.factors,
        is_singular=fitted.is_singular,
        has_converged=fitted.has_converged,
        n_obs=fitted.n_obs,
        notes=Note.all_from(fitted.notes()),
        spec=spec,
        _core=fitted,
    )
