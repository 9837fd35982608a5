"""Mixed models: how much units differ, and what each adds, given who its students are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import polars as pl

from brightspot import _core
from brightspot._frames import names, to_polars
from brightspot._mixed_model import Contrast, FitSummary, MixedModel, fitted_model
from brightspot._mixed_moments import Moments, summed_moments
from brightspot._result import Note
from brightspot._variants import Family, Reliability, Slopes, variant
from brightspot.exceptions import InvalidOptionError

__all__ = ["Contrast", "FitSummary", "Members", "MixedModel", "Moments", "mixed_model", "mixed_moments"]

Members: TypeAlias = Mapping[str, tuple[Sequence[str], Sequence[str]]]
"""Factors to several units of which a row may belong: name -> (columns of units, columns of weights)."""


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
        return fitted_model(_core.mixed_variant(frame, request), request)
    return fitted_model(_core.mixed_model(frame, request), request)


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
    return summed_moments(core, Note.all_from(notes))


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
