"""What some records can do besides holding their fields."""

from __future__ import annotations

from brightspot._record import Record


class StudyFace(Record):
    """A study shows itself."""

    __slots__ = ()


class CycleFace(Record):
    """A cycle shows itself."""

    __slots__ = ()
