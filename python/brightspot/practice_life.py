"""How far a practice has come: from a suspicion to the usual way of working."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from brightspot import _core
from brightspot._frames import iso
from brightspot._record import plain
from brightspot._records import Adoption, Cycle, Practice, PracticeRules, PracticeStanding


def practice_state(
    practice: Practice,
    cycles: Sequence[Cycle] = (),
    adoptions: Sequence[Adoption] = (),
    as_of: str | date | None = None,
    *,
    rules: PracticeRules | None = None,
) -> PracticeStanding:
    """Say how far a practice has come, which gates it passes, and what is missing for the next step.

    A pure function of the practice, its cycles and its adoptions. Every closed cycle of the practice counts, whatever
    was decided: nothing stays in a drawer. ``confirmed`` needs three or more, adopted by two or more people other than
    the originator under two or more conditions, with one outcome measure, a pooled effect above nothing (random
    effects, 90% interval of Hartung and Knapp) and no harm; a failure under new conditions takes it back to ``testing``
    until it is adopted there.

    Parameters
    ----------
    practice
        The practice.
    cycles
        Cycles, of this and of other practices; those whose plan names this one are its own.
    adoptions
        Places that were offered it, and what became of it there.
    as_of
        The day; nothing later is read. None: today.
    rules
        How much each gate asks for.

    Returns
    -------
    PracticeStanding
        ``.state``, ``.missing`` (in plain words), ``.gates``, counts, the pooled effect, ``.steps`` (the states it has
        been in), ``.cycles`` (each as it counts), ``.plot()``.

    Raises
    ------
    InvalidRecordError
        For records that break their own rules.

    References
    ----------
    Hartung J, Knapp G (2001). A refined method for the meta-analysis of controlled clinical trials with binary outcome.
    Statistics in Medicine 20: 3875-3889.

    Examples
    --------
    >>> import brightspot as bs
    >>> practice = bs.Practice("retrieval practice", what="Three questions from last week, answered from memory.")
    >>> standing = bs.practice_state(practice, as_of="2026-11-02")
    >>> standing.state
    'suspected'
    >>> standing.missing[0]
    'its active ingredients'
    """
    return life([(None, practice)], cycles, adoptions, as_of, rules)


def life(
    versions: Sequence[tuple[date | None, Practice]],
    cycles: Iterable[Cycle],
    adoptions: Iterable[Adoption],
    as_of: str | date | None,
    rules: PracticeRules | None,
) -> PracticeStanding:
    """The same of a practice whose record was revised: each version with the day since when it holds."""
    found = _core.practice_life(
        [(None if since is None else since.isoformat(), plain(practice)) for since, practice in versions],
        [plain(cycle) for cycle in cycles],
        [plain(adoption) for adoption in adoptions],
        plain(rules or PracticeRules()),
        str(iso(date.today() if as_of is None else as_of)),
    )
    return PracticeStanding(**found)
