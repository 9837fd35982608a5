"""Mixed models: how much units differ, and what each adds, given who its students are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, cast

import polars as pl

from brightspot import _core, words
from brightspot._frames import names, to_polars
from brightspot._result import Note, page
from brightspot._variants import Family, Reliability, Slopes, variant
from brightspot.exceptions import ColumnTypeError, InvalidOptionError

Members: TypeAlias = Mapping[str, tuple[Sequence[str], Sequence[str]]]
"""Factors to several units of which a row may belong: name -> (columns of units, columns of weights)."""


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
        return _model(self._core.at(values), self.spec)

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


@dataclass(frozen=True, slots=True, repr=False)
class Moments:
    """The sums of a frame's rows from which a mixed model is fitted: what :func:`mixed_moments` returns.

    They are small (one row of sums per unit, one number per pair of units that share rows), hold no pupil, and add up:
    ``a + b`` are the moments of both frames together. Units are the same where their labels are.

    Attributes
    ----------
    n_obs
        The rows used.
    terms
        The fixed terms, as in :attr:`MixedModel.fixed`.
    factors
        The grouping factors, each with the number of its units.
    notes
        Caveats on the rows: those left out, counted.

    Examples
    --------
    >>> import brightspot as bs
    >>> pupils = bs.datasets.star().filter(gr="K")
    >>> parts = [bs.mixed_moments(part, outcome="math", random="sch/tch") for part in (pupils[:3000], pupils[3000:])]
    >>> both = parts[0] + parts[1]
    >>> both
    Moments(math: 5,871 rows; sch 79, sch/tch 337)
    >>> bs.Moments.from_bytes(both.to_bytes()).fit()
    MixedModel(math: 5,871 rows; SD of sch 19.6, sch/tch 17, residual 40.1)
    """

    n_obs: int
    terms: list[str]
    factors: dict[str, int]
    notes: tuple[Note, ...]
    _core: Any = None

    def __add__(self, other: object) -> Moments:
        """Return the moments of both frames together.

        Raises
        ------
        InvalidValueError
            Where outcome, terms or factors differ.
        """
        if not isinstance(other, Moments):
            return NotImplemented
        return _moments(self._core.merge(other._core), (*self.notes, *other.notes))

    def __radd__(self, other: object) -> Moments:
        # So that sum() works, which begins with 0.
        return self if other == 0 else NotImplemented

    def fit(self, *, method: Literal["reml", "ml"] = "reml") -> MixedModel:
        """Fit the model; the same as :func:`mixed_model` of the rows themselves."""
        spec: dict[str, Any] = {"outcome": self._core.outcome, "method": method}
        return _model(self._core.fit(spec), spec)

    def to_bytes(self) -> bytes:
        """Return the moments for a file or another machine: versioned, with a checksum. Notes stay behind."""
        return self._core.to_bytes()

    @staticmethod
    def from_bytes(data: bytes) -> Moments:
        """Return the moments that :meth:`to_bytes` wrote.

        Raises
        ------
        InvalidValueError
            For bytes that are something else, cut short or damaged.
        """
        # What people give is not always what the type says.
        if not isinstance(data, bytes | bytearray | memoryview):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ColumnTypeError(
                f"expected the bytes that .to_bytes() wrote; found {type(data).__name__}", found=type(data).__name__
            )
        return _moments(_core.Moments.from_bytes(bytes(data)), ())

    def __repr__(self) -> str:
        units = ", ".join(f"{name} {n:,}" for name, n in self.factors.items())
        return f"Moments({self._core.outcome}: {words.counted(self.n_obs, 'row')}; {units})"


def _moments(core: _core.Moments, notes: tuple[Note, ...]) -> Moments:
    return Moments(n_obs=core.n_obs, terms=core.terms, factors=dict(core.factors()), notes=notes, _core=core)


def mixed_model(
    df: object,
    *,
    outcome: str,
    fixed: str | Sequence[str] = (),
    random: str | Sequence[str] = (),
    members: Members | None = None,
    weights: str | None = None,
    normalize: bool = False,
    method: Literal["reml", "ml"] = "reml",
    family: Family | None = None,
    size: str | None = None,
    exposure: str | None = None,
    slopes: Slopes | None = None,
    correlated: bool = True,
    reliability: Reliability | None = None,
) -> MixedModel:
    """Fit a mixed model with random intercepts of nested and crossed factors, and of shared membership.

    ``y = X beta + sum over factors of Z b + e``, with independent normal effects. The criterion is evaluated from the
    sums of each unit (in closed form where factors are nested; with a Cholesky factor of all but the largest where
    they cross), so a fit costs one pass over the data. Ctrl-C stops it.

    Three other kinds are asked for by name, one at a time, each without ``members`` and ``weights``: passes and counts
    (``family``), slopes that differ between units (``slopes``), covariates measured with error (``reliability``).

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
        The grouping factors: ``"teacher"``; ``"school/teacher"`` (teachers in schools, also where labels repeat from
        school to school); ``["student", "lecturer"]``, which cross: a label is one unit wherever it occurs. Columns
        whose labels lie in one label of another each are taken as nested in it (the same model, in less time).
    members
        Factors to several units of which a row may belong, by shares: ``{"teacher": (["teacher1", "teacher2"],
        ["share1", "share2"])}``. A second unit may be missing with a weight of 0 or none. Rows that belong to no unit
        are left out and counted.
    weights
        A column of precision weights, as in lme4: the error variance of a row is ``sigma² / weight``. Rows of weight
        0 do not count (``zero_weight``).
    normalize
        Divide the weights of each membership by their sum; otherwise they must sum to 1 in every row.
    method
        ``"reml"`` or ``"ml"`` (passes and counts: always maximum likelihood).
    family
        ``"binomial"`` for a pass (true or false, 0 or 1) or a number of successes among ``size`` trials, such as days
        present; ``"poisson"`` for counts, such as referrals. The likelihood is Laplace's approximation, as lme4's
        ``glmer``. Coefficients and effects are differences of log odds, or of logarithms of rates. ``random`` must be
        one factor or factors nested in each other.
    size
        The column of trials; 1 in every row where not given.
    exposure
        The column of exposures (weeks, pupils) that a count is proportional to; 1 where not given.
    slopes
        One factor, and the covariates (numbers) whose slopes differ between its units: ``{"teacher": ["prior"]}``,
        which is lme4's ``(1 + prior | teacher)``. The intercept is where every covariate is 0: centre them.
    correlated
        Whether a unit's intercept and slopes may be correlated; otherwise ``(1 + prior || teacher)``.
    reliability
        Covariates measured with error, and the share of their variance over all rows that is not noise:
        ``{"prior": 0.85}``. Otherwise their slope is drawn towards zero, and units with a weak start look worse than
        they are. ``sigma`` then includes what the noise adds to the residuals.

    Returns
    -------
    MixedModel
        ``.fixed``, ``.variance``, ``.effects()``, ``.criterion``, ``.notes`` ...

    Raises
    ------
    BrightspotError
        For missing columns, outcomes that are no numbers, weights that are negative or no numbers, and memberships
        whose weights do not sum to 1 (the rows are named); for counts that are none, or all alike; for a reliability
        so low that nothing of its covariate would be left (the smallest that works is named); for kinds that do not
        go together.

    Notes
    -----
    A row with a missing (or infinite) value in any column of the model is left out and counted (``rows_left_out``).
    Other notes: ``separated`` (a coefficient without bound: one outcome only), ``singular_slopes``, ``zero_weight``,
    ``singular``, ``rank_deficient``, ``few_units``, ``confounded_levels``, ``not_converged``.

    References
    ----------
    Bates D, Mächler M, Bolker B, Walker S (2015). Fitting linear mixed-effects models using lme4. Journal of
    Statistical Software 67(1). doi:10.18637/jss.v067.i01.
    Henderson CR (1975). Best linear unbiased estimation and prediction under a selection model. Biometrics 31: 423-447.
    Breslow NE, Clayton DG (1993). Approximate inference in generalized linear mixed models. Journal of the American
    Statistical Association 88: 9-25.
    Fuller WA (1987). Measurement Error Models. Wiley, section 2.2.
    Lockwood JR, McCaffrey DF (2014). Correcting for test score measurement error in ANCOVA models for estimating
    treatment effects. Journal of Educational and Behavioral Statistics 39: 22-52. doi:10.3102/1076998613509405.

    Examples
    --------
    >>> import brightspot as bs
    >>> import polars as pl
    >>> pupils = bs.datasets.star().filter(gr="K")
    >>> model = bs.mixed_model(pupils, outcome="math", fixed=["cltype"], random=["sch/tch"])
    >>> model.variance.with_columns(pl.col("variance").round(1))["variance"].to_list()
    [391.2, 270.1, 1611.1]

    Who passed, by teacher; the slope of experience by school; a prior score with noise:

    >>> passed = pupils.with_columns(passed=pl.col("math") >= 480)
    >>> bs.mixed_model(passed, outcome="passed", fixed="cltype", random="sch/tch", family="binomial").factors
    ['sch', 'sch/tch']
    >>> centred = pupils.with_columns(years=pl.col("exp") - 9)
    >>> bs.mixed_model(centred, outcome="math", fixed="years", slopes={"sch": "years"}).effects()["term"].unique(
    ...     maintain_order=True
    ... ).to_list()
    ['(Intercept)', 'years']
    >>> noisy = bs.mixed_model(pupils, outcome="math", fixed="read", random="tch", reliability={"read": 0.9})
    >>> noisy.summary.route
    'corrected'
    """
    kind, more = variant(
        family=family, size=size, exposure=exposure, slopes=slopes, correlated=correlated, reliability=reliability
    )
    frame, request = _request(df, outcome, fixed, random, members, weights, normalize, more)
    request["method"] = "ml" if family is not None else method
    if kind:
        request |= kind
        return _model(_core.mixed_variant(frame, request), request)
    return _model(_core.mixed_model(frame, request), request)


def mixed_moments(
    df: object,
    *,
    outcome: str,
    fixed: str | Sequence[str] = (),
    random: str | Sequence[str] = (),
    members: Members | None = None,
    weights: str | None = None,
    normalize: bool = False,
) -> Moments:
    """Sum up a frame for a mixed model: parts of data too large for one machine, or kept apart, are fitted together.

    Parameters
    ----------
    df, outcome, fixed, random, members, weights, normalize
        As for :func:`mixed_model`. Columns named apart in ``random`` always cross: that teachers lie in schools
        within one part does not say so of the whole. Where they are nested, ``"school/teacher"`` says it. Parts merge
        where their terms are the same: every part needs all levels of a text column in ``fixed``, or numbers instead.

    Returns
    -------
    Moments
        ``a + b``, ``.fit()``, ``.to_bytes()``.

    Raises
    ------
    BrightspotError
        As for :func:`mixed_model`.

    References
    ----------
    Chan TF, Golub GH, LeVeque RJ (1983). Algorithms for computing the sample variance. The American Statistician 37:
    242-247.

    Examples
    --------
    >>> import brightspot as bs
    >>> pupils = bs.datasets.star().filter(gr="K")
    >>> bs.mixed_moments(pupils, outcome="math", random="sch/tch").n_obs
    5871
    """
    frame, request = _request(df, outcome, fixed, random, members, weights, normalize)
    core, notes = _core.mixed_moments(frame, request)
    return _moments(core, Note.all_from(notes))


def _request(
    df: object,
    outcome: str,
    fixed: str | Sequence[str],
    random: str | Sequence[str],
    members: Members | None,
    weights: str | None,
    normalize: bool,
    more: Sequence[str] = (),
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The columns that are needed, and the request as the core takes it."""
    terms, factors = names("fixed", fixed), names("random", random)
    columns = [part.strip() for factor in factors for part in str(factor).split("/") if part.strip()]
    shared = _members(members, normalize)
    for one in shared:
        columns += [*one["units"], *one["weights"]]
    request: dict[str, Any] = {"outcome": outcome, "fixed": terms, "random": factors}
    if shared:
        request["members"] = shared
    if weights is not None:
        request["weights"] = weights
    return to_polars(df, [outcome, *terms, *columns, *more, weights]), request


def _members(members: Members | None, normalize: bool) -> list[dict[str, Any]]:
    """Memberships as plain data."""
    if members is None:
        return []
    shared: list[dict[str, Any]] = []
    try:
        for name, (units, shares) in members.items():
            shared.append(
                {
                    "name": name,
                    "units": names("members", units),
                    "weights": names("members", shares),
                    "normalize": normalize,
                }
            )
    except (AttributeError, TypeError, ValueError) as error:
        raise InvalidOptionError(
            f"members = {members!r} is not possible: it must be like "
            '{"teacher": (["teacher1", "teacher2"], ["share1", "share2"])}',
            option="members",
            value=repr(members),
        ) from error
    return shared


def _model(fitted: _core.MixedModel | _core.VariantModel, spec: dict[str, Any]) -> MixedModel:
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
