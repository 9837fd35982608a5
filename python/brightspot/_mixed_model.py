"""A fitted mixed model: fixed part, variances, and what each unit adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import polars as pl

from brightspot import _core, words
from brightspot._result import Note, page
from brightspot.exceptions import InvalidOptionError


@dataclass(frozen=True, slots=True)
class FitSummary:
    """How a fit was reached: what :attr:`MixedModel.summary` returns.

    Attributes
    ----------
    method
        ``"reml"`` or ``"ml"``.
    route
        How the criterion was computed: ``"closed_form"`` for nested factors; ``"dense"`` or ``"sparse"`` where factors
        cross or rows belong to several units, after the Cholesky factor of what remains when the largest factor is
        eliminated; ``"slopes"``, from the sums of each unit; ``"laplace"``, for passes and counts; ``"corrected"``, for
        covariates measured with error.
    n_evaluations
        How often the criterion was evaluated.
    gradient
        The largest derivative of the criterion by the logarithm of a variance ratio, at the end.
    has_converged
        Whether the search met its criterion.
    boundary
        The factors whose variance is estimated as zero.
    """

    method: str
    route: str
    n_evaluations: int
    gradient: float
    has_converged: bool
    boundary: tuple[str, ...]

    def __str__(self) -> str:
        ways = {
            "closed_form": "in closed form",
            "dense": "by a dense Cholesky factor",
            "sparse": "by a sparse Cholesky factor",
            "slopes": "from the sums of each unit",
            "laplace": "by Laplace's approximation",
            "corrected": "corrected for measurement error",
        }
        end = "converged" if self.has_converged else "did not converge"
        text = (
            f"{self.method.upper()} {ways[self.route]}: {end} after {words.counted(self.n_evaluations, 'evaluation')}, "
            f"largest derivative {self.gradient:.1e}"
        )
        if self.boundary:
            text += f"; no detectable difference between the units of {', '.join(self.boundary)}"
        return text


@dataclass(frozen=True, slots=True)
class Contrast:
    """The difference between two units: what :meth:`MixedModel.contrast` returns.

    Attributes
    ----------
    difference
        The first unit's effect minus the second's, in the outcome's unit.
    sd
        The standard deviation of its prediction error, with what the two units share taken into account.
    """

    difference: float
    sd: float


@dataclass(frozen=True, slots=True, repr=False)
class MixedModel:
    """A fitted linear mixed model: what :func:`mixed_model` returns.

    Attributes
    ----------
    fixed
        ``term``, ``estimate``, ``se``; terms are named as in R: ``(Intercept)``, ``prior``, ``frlyes``.
    variance
        ``factor``, ``variance``, ``sd``; the last row is the residual (passes and counts have none). With slopes also
        ``term``, and rows of two terms with their covariance as ``variance`` and their ``correlation``.
    criterion
        The REML criterion, or minus twice the log-likelihood for ``method="ml"`` and for passes and counts.
    sigma
        The residual standard deviation; 1 for passes and counts, whose spread follows from their mean.
    theta
        The standard deviation of each factor relative to ``sigma``, in the order of ``factors``. With slopes the lower
        triangle, column by column, of the Cholesky factor of their covariance, as in lme4.
    factors
        The grouping factors in the order of ``theta``: those that cross as they were given, nested ones outermost
        first, then those of ``members``.
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

    def effects(
        self, factor: str | None = None, *, sd: Literal["prediction", "second_order"] = "prediction"
    ) -> pl.DataFrame:
        """Return one row per level of a factor (the last of ``factors`` where not given).

        Parameters
        ----------
        factor
            One of ``factors``.
        sd
            ``"second_order"`` lets ``sd`` allow for the estimated variances too (REML only, up to 2,000 units): the
            mean squared error g1 + g2 + 2 g3 of Prasad & Rao (1990). It matters with fewer than some 30 units. Null
            where the factor's variance is estimated as zero.

        Returns
        -------
        polars.DataFrame
            The factor's columns; ``n``; ``effect``, the best linear unbiased predictor, in the outcome's unit;
            ``sd_conditional``, its SD taking the fixed part as known (lme4's ``condVar``); ``sd``, its prediction-error
            SD, which allows for the estimated fixed part; ``reliability``, 1 - sd²/variance, between 0 and 1. For a
            factor inside another, ``effect_overall``, ``sd_overall`` and ``reliability_overall`` add the levels around
            it.
        """
        return self._core.effects(self.factors[-1] if factor is None else factor, sd)

    def contrast(self, factor: str, first: object, second: object) -> Contrast:
        """Compare two units of a factor by name.

        Parameters
        ----------
        factor
            One of ``factors``.
        first, second
            The units: the value of the factor's column, or a tuple of values where it has several (``("S1", "0a")`` for
            ``"school/teacher"``); the last value alone where it names one unit only.

        Raises
        ------
        InvalidOptionError
            For a factor that the model does not have, and a unit that is not there or not the only one of its name.

        Examples
        --------
        >>> import brightspot as bs
        >>> pupils = bs.datasets.star().filter(gr="K")
        >>> model = bs.mixed_model(pupils, outcome="math", random="sch/tch")
        >>> found = model.contrast("sch/tch", ("1", "1"), ("1", "2"))
        >>> round(found.difference, 1), round(found.sd, 1)
        (42.0, 12.8)
        """
        if self._core.route in ("slopes", "laplace", "corrected"):
            self._core.contrast(factor, 0, 0)  # raises: not offered for these models
        units = self.effects(factor)
        keys = units.columns[: units.columns.index("n")]
        places = [_place(units.select(keys), "first", first), _place(units.select(keys), "second", second)]
        return Contrast(*self._core.contrast(factor, *places))

    @property
    def summary(self) -> FitSummary:
        """How the fit was reached."""
        return FitSummary(
            method=self.spec["method"],
            route=self._core.route,
            n_evaluations=self._core.n_evaluations,
            gradient=self._core.gradient,
            has_converged=self.has_converged,
            boundary=tuple(note.at for note in self.notes if note.code == "singular"),
        )

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
        return fitted_model(self._core.at(values), self.spec)

    @property
    def vcov(self) -> list[list[float]]:
        """The covariance matrix of the fixed part, in the order of its terms."""
        return self._core.vcov

    def __repr__(self) -> str:
        return f"MixedModel({self._title()})"

    def _title(self) -> str:
        # With slopes a factor has several, and rows that correlate two of them.
        own = self.variance.filter(pl.col("sd").is_not_null())
        names = own["factor"] + (" " + own["term"]).fill_null("") if "term" in own.columns else own["factor"]
        spread = ", ".join(f"{name} {words.number(sd)}" for name, sd in zip(names, own["sd"], strict=True))
        return f"{self.spec.get('outcome', 'outcome')}: {words.counted(self.n_obs, 'row')}; SD of {spread}"

    def _repr_html_(self) -> str:
        return page(
            self._title(), [str(self.summary)], [("fixed", self.fixed), ("variance", self.variance)], self.notes
        )


def _place(units: pl.DataFrame, option: str, unit: object) -> int:
    """Where a unit stands among the levels of its factor."""
    parts: tuple[object, ...] = cast("tuple[object, ...]", unit) if isinstance(unit, tuple) else (unit,)
    told = repr(cast("object", unit))
    if len(parts) > units.width:
        raise InvalidOptionError(
            f"{option} = {told} is not possible: a unit of this factor is told by {', '.join(units.columns)}",
            option=option,
            value=told,
        )
    # One value of several columns is that of the innermost.
    columns = units.columns[units.width - len(parts) :]
    rows = [
        place
        for place, row in enumerate(units.select(columns).iter_rows())
        if all(mine == other or str(mine) == str(other) for mine, other in zip(row, parts, strict=True))
    ]
    if len(rows) != 1:
        found = "no unit has this name" if not rows else f"{len(rows)} units have this name"
        raise InvalidOptionError(
            f"{option} = {told} is not possible: {found}; give the values of {', '.join(units.columns)}",
            option=option,
            value=told,
        )
    return rows[0]


def fitted_model(fitted: _core.MixedModel | _core.VariantModel, spec: dict[str, Any]) -> MixedModel:
    """What the core fitted, with the request it was asked with."""
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
