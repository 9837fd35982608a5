"""Words that would turn an association into a cause, and every text that a picture shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

CAUSAL = re.compile(
    r"\b(caus\w*|effects?|because|due to|leads? to|led to|results? in|improv\w*|rais\w*|boost\w*|increas\w*|works?|"
    r"makes? (a )?difference|impact\w*|thanks to|drives?|helps?|proves?|shows? that|evidence that)\b",
    re.IGNORECASE,
)


def shown(spec: Any) -> Iterator[str]:
    """Titles, captions, labels, tooltips, legends and the description of a picture; a field without a title shows."""
    if isinstance(spec, list):
        for part in spec:
            yield from shown(part)
    if not isinstance(spec, dict):
        return
    for key, value in spec.items():
        if key in ("title", "text", "subtitle", "description", "name", "state", "domain"):
            yield from ([value] if isinstance(value, str) else [part for part in _list(value) if isinstance(part, str)])
        if key == "tooltip":
            yield from (
                tip.get("title", tip["field"]) for tip in _list(value) if isinstance(tip, dict) and "field" in tip
            )
        yield from shown(value)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
