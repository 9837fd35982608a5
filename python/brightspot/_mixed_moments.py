"""The sums of a frame's rows from which a mixed model is fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from brightspot import _core, words
from brightspot._mixed_model import MixedModel, fitted_model
from brightspot._result import Note
from brightspot.exceptions import ColumnTypeError


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
        return summed_moments(self._core.merge(other._core), (*self.notes, *other.notes))

    def __radd__(self, other: object) -> Moments:
        # So that sum() works, which begins with 0.
        return self if other == 0 else NotImplemented

    def fit(self, *, method: Literal["reml", "ml"] = "reml") -> MixedModel:
        """Fit the model; the same as :func:`mixed_model` of the rows themselves."""
        spec: dict[str, Any] = {"outcome": self._core.outcome, "method": method}
        return fitted_model(self._core.fit(spec), spec)

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
        return summed_moments(_core.Moments.from_bytes(bytes(data)), ())

    def __repr__(self) -> str:
        units = ", ".join(f"{name} {n:,}" for name, n in self.factors.items())
        return f"Moments({self._core.outcome}: {words.counted(self.n_obs, 'row')}; {units})"


def summed_moments(core: _core.Moments, notes: tuple[Note, ...]) -> Moments:
    """What the core summed up, with the caveats on the rows."""
    return Moments(n_obs=core.n_obs, terms=core.terms, factors=dict(core.factors()), notes=notes, _core=core)
