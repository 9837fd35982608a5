"""Charts made by hand: tables as a control chart has them, with limits computed here from the textbook's formulas."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby, pairwise
from typing import Any

import polars as pl

Value = float | None
LISTS = pl.List(pl.String)
KINDS = ["i", "mr", "ip", "xbar", "r", "s", "p", "pp", "u", "up", "c", "np", "g", "t", "cusum", "ewma"]
SIZED = ["ip", "p", "pp", "u", "up", "np"]


@dataclass
class Made:
    """A chart with the tables and the spec of a control chart."""

    points: pl.DataFrame
    summary: pl.DataFrame
    signals: pl.DataFrame
    spec: dict[str, Any]
    notes: tuple[object, ...] = ()
    by: list[str] = field(default_factory=list)


def weeks(n: int, step: int = 7, start: date = date(2026, 1, 5)) -> list[date]:
    return [start + timedelta(days=step * i) for i in range(n)]


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def moving_sigma(values: Sequence[Value]) -> float:
    ranges = [abs(b - a) for a, b in pairwise(values) if a is not None and b is not None]
    return mean(ranges) / (2 / math.sqrt(math.pi)) if ranges else 0.0


def limited(kind: str, values: Sequence[Value], sizes: Sequence[Value], base: int) -> dict[str, list[Value]]:
    """What is drawn, its centre and its limits, from the first ``base`` points."""
    n = len(values)
    out: dict[str, list[Value]] = {key: [None] * n for key in ("value", "center", "lcl", "ucl")}
    pairs = zip(values[:base], sizes[:base], strict=True)
    known = [(v, s or 0.0) for v, s in pairs if v is not None and (s or kind not in SIZED)]
    out["value"] = list(values)
    if kind in SIZED and kind != "np":
        out["value"] = [None if v is None or not s else v / s for v, s in zip(values, sizes, strict=True)]
    if not known:
        return out
    sigma = moving_sigma(values[:base])
    center = mean([v for v, _ in known])
    lcl: Callable[[float], Value] = lambda _s: center - 3 * sigma  # noqa: E731
    ucl: Callable[[float], Value] = lambda _s: center + 3 * sigma  # noqa: E731
    if kind in SIZED:
        center = rate = sum(v for v, _ in known) / sum(s for _, s in known)
        spread = rate * (1 - rate) if kind in ("p", "pp", "np") else rate
        wide = 1.6 if kind in ("pp", "up", "ip") else 1.0
        if kind == "np":
            out["center"] = [None if s is None else rate * s for s in sizes]
            out["lcl"] = [None if s is None else max(0.0, rate * s - 3 * math.sqrt(s * spread)) for s in sizes]
            out["ucl"] = [None if s is None else rate * s + 3 * math.sqrt(s * spread) for s in sizes]
            return out
        lcl = lambda s: max(0.0, rate - 3 * wide * math.sqrt(spread / s)) if s else None  # noqa: E731
        ucl = lambda s: rate + 3 * wide * math.sqrt(spread / s) if s else None  # noqa: E731
    elif kind == "mr":
        out["value"] = [None, *(None if a is None or b is None else abs(b - a) for a, b in pairwise(values))]
        center = sigma * 2 / math.sqrt(math.pi)
        lcl, ucl = lambda _s: 0.0, lambda _s: 3.2665 * center
    elif kind == "c":
        lcl, ucl = lambda _s: max(0.0, center - 3 * math.sqrt(center)), lambda _s: center + 3 * math.sqrt(center)
    elif kind in ("g", "t"):
        top = center + 3 * math.sqrt(center * (center + 1))
        center = sorted(v for v, _ in known)[len(known) // 2]
        lcl, ucl = lambda _s: 0.0, lambda _s: top
    elif kind == "ewma":
        level = center
        smooth: list[Value] = []
        for v in values:
            level = level if v is None else 0.2 * v + 0.8 * level
            smooth.append(level)
        wide = [3 * sigma * math.sqrt(0.2 / 1.8 * (1 - 0.8 ** (2 * i + 2))) for i in range(n)]
        return {
            "value": smooth,
            "observed": list(values),
            "center": [center] * n,
            "lcl": [center - w for w in wide],
            "ucl": [center + w for w in wide],
        }
    elif kind == "cusum":
        up = low = 0.0
        upper: list[Value] = []
        lower: list[Value] = []
        for v in values:
            if v is not None:
                up, low = max(0.0, up + v - center - sigma / 2), min(0.0, low + v - center + sigma / 2)
            upper.append(up)
            lower.append(low)
        flat = {"center": 0.0, "lcl": -5 * sigma, "ucl": 5 * sigma}
        return {"value": upper, "value_lower": lower, "observed": list(values)} | {k: [v] * n for k, v in flat.items()}
    out["center"] = [center] * n
    out["lcl"], out["ucl"] = [lcl(s or 0) for s in sizes], [ucl(s or 0) for s in sizes]
    if kind == "mr":
        out["observed"] = list(values)
    return out


def judged(lines: Mapping[str, Sequence[Value]], is_excluded: Sequence[bool]) -> list[list[str]]:
    """Points outside the limits, runs of eight on one side, and two of three near a limit."""
    n = len(lines["value"])
    found: list[list[str]] = [[] for _ in range(n)]
    low = lines.get("value_lower", lines["value"])
    sides: list[tuple[int, int]] = []
    for i in range(n):
        value, center, lcl, ucl = (lines[key][i] for key in ("value", "center", "lcl", "ucl"))
        if value is None or center is None or is_excluded[i]:
            continue
        if ucl is not None and lcl is not None and (value > ucl or (low[i] is not None and low[i] < lcl)):
            found[i].append("beyond_limits")
        far = (
            0
            if ucl is None or lcl is None
            else (value > center + (ucl - center) * 2 / 3) - (value < center - (center - lcl) * 2 / 3)
        )
        sides.append((i, (value > center) - (value < center)))
        last = sides[-3:]
        if far and "value_lower" not in lines and len(last) == 3 and sum(side == far for _, side in last) == 3:
            before = [j for j, _ in last[:2] if "two_of_three" in found[j] or "beyond_limits" in found[j]]
            if before:
                found[i].append("two_of_three")
    for side, group in groupby(sides, lambda item: item[1]):
        run = [i for i, _ in group]
        if side and len(run) >= 8 and "value_lower" not in lines:
            for i in run:
                found[i].append("shift")
    return found


def made(
    kind: str,
    values: Sequence[Value],
    sizes: Sequence[Value] | None = None,
    *,
    times: Sequence[object] | None = None,
    phases: Mapping[str, int] | None = None,
    baseline: int | None = None,
    direction: str = "up",
    target: Value | Sequence[Value] = None,
    excluded: Sequence[int] = (),
    codes: Mapping[int, Sequence[str]] | None = None,
    line_codes: Sequence[str] = (),
    without_limits: bool = False,
    **columns: object,
) -> Made:
    """One chart; ``codes`` adds signals to points, ``line_codes`` to all of them."""
    n = len(values)
    sizes = sizes or [None] * n
    times = times or weeks(n)
    starts = [*(phases or {"all": 0}).values(), n]
    points: list[dict[str, Any]] = []
    summary: list[dict[str, Any]] = []
    signals: list[dict[str, Any]] = []
    for name, (first, end) in zip(phases or {"all": 0}, pairwise(starts), strict=True):
        base = min(baseline or end - first, end - first)
        lines = limited(kind, values[first:end], sizes[first:end], base)
        if without_limits:
            lines |= {"lcl": [None] * (end - first), "ucl": [None] * (end - first)}
        is_excluded = [i in excluded for i in range(first, end)]
        found = judged(lines, is_excluded)
        for i, some in enumerate(found):
            some += [code for code in (codes or {}).get(first + i, ()) if code not in some]
            some += [code for code in line_codes if code not in some]
        rows = [
            {
                **columns,
                "time": times[first + i],
                **{key: line[i] for key, line in lines.items()},
                "phase": name,
                "is_baseline": i < base,
                "is_excluded": is_excluded[i],
                "signals": found[i],
                "meaning": _meaning(lines, i, direction) if found[i] else "none",
                **({"numerator": values[first + i], "denominator": sizes[first + i]} if kind in SIZED else {}),
                **({} if target is None else {"target": target[first + i] if isinstance(target, Sequence) else target}),
            }
            for i in range(end - first)
        ]
        points += rows
        all_codes = sorted({code for some in found for code in some})
        last = next((row for row in reversed(rows) if row["value"] is not None), rows[-1])
        goal = last.get("target")
        meaning = next((row["meaning"] for row in reversed(rows) if row["signals"]), "none")
        summary.append(
            {
                **columns,
                "phase": name,
                "n_obs": end - first,
                "n_useful": sum(row["value"] is not None for row in rows),
                "n_baseline": base,
                "center": last["center"],
                "sigma": None,
                "dispersion": None,
                "longest_run": None,
                "longest_run_max": None,
                "n_crossings": None,
                "n_crossings_min": None,
                "prob_runs": None,
                "prob_basis": None,
                "n_beyond_limits": sum("beyond_limits" in some for some in found),
                "prob_beyond": None,
                "has_signal": bool(all_codes),
                "signals": all_codes,
                "meaning": meaning,
                "prob_false_signal": 0.004 * (end - first),
                "variation": _variation(last, direction),
                "assurance": _assurance(last, goal, direction),
            }
        )
        signals += [
            {
                **columns,
                "phase": name,
                "signal": code,
                "n_points": sum(code in some for some in found),
                "first": next(times[first + i] for i, some in enumerate(found) if code in some),
                "last": next(times[first + i] for i, some in reversed(list(enumerate(found))) if code in some),
                "meaning": meaning,
                "prob_false_signal": 0.01,
            }
            for code in all_codes
        ]
    lists = {"signals": LISTS, "value": pl.Float64, "center": pl.Float64, "lcl": pl.Float64, "ucl": pl.Float64}
    spec = {
        "kind": kind,
        "value": "count" if kind in SIZED else "score",
        "size": "enrolled" if kind in SIZED else None,
        "rules": "nhs",
        "direction": direction,
        "target": target if isinstance(target, float | int) else None,
        "sigmas": 3.0,
    }
    if kind == "run":
        spec.pop("kind")
    frames = [
        pl.DataFrame(points, schema_overrides=lists, infer_schema_length=None),
        pl.DataFrame(
            summary,
            schema_overrides={"signals": LISTS, "center": pl.Float64, "assurance": pl.String},
            infer_schema_length=None,
        ),
        pl.DataFrame(signals, infer_schema_length=None),
    ]
    return Made(*frames, spec, by=list(columns))


def _meaning(lines: Mapping[str, Sequence[Value]], i: int, direction: str) -> str:
    value, center = lines["value"][i], lines["center"][i]
    if direction == "neutral" or value is None or center is None:
        return "neutral"
    is_high = value > center if "value_lower" not in lines else value > -(lines["value_lower"][i] or 0)
    return "improvement" if is_high == (direction == "up") else "deterioration"


def _variation(last: Mapping[str, Any], direction: str) -> str:
    if not last["signals"] or last["value"] is None:
        return "common_cause"
    side = "high" if last["value"] > last["center"] else "low"
    name = {"improvement": "improvement", "deterioration": "concern"}.get(last["meaning"], "neutral")
    return f"{name}_{side}" if direction != "neutral" else f"neutral_{side}"


def _assurance(last: Mapping[str, Any], target: Value, direction: str) -> str | None:
    if target is None or last["lcl"] is None or last["ucl"] is None or direction == "neutral":
        return None
    if last["lcl"] <= target <= last["ucl"]:
        return "inconsistent"
    return "passing" if (target < last["lcl"]) == (direction == "up") else "failing"


def several(charts: Sequence[Made], by: Sequence[str]) -> Made:
    """Charts under each other, with q-values."""
    tables = [pl.concat([getattr(one, key) for one in charts], how="diagonal_relaxed") for key in ("points", "summary")]
    known = [one.signals for one in charts if one.signals.height]
    q = pl.when("has_signal").then(pl.col("prob_false_signal") * 0.4).otherwise(0.6).alias("q_value")
    signals = pl.concat(known, how="diagonal_relaxed") if known else pl.DataFrame()
    return Made(tables[0], tables[1].with_columns(q), signals, charts[0].spec, by=list(by))


def noise(n: int, level: float = 20.0, sd: float = 3.0, seed: int = 4) -> list[float]:
    source = random.Random(seed)
    return [level + source.gauss(0, sd) for _ in range(n)]


def example(kind: str, n: int = 36, *, step: float = 0.0, seed: int = 4, **arguments: Any) -> Made:
    """A chart of a kind, with a step of so many standard deviations at two thirds."""
    source = random.Random(seed)
    late = [step * (i >= 2 * n // 3) for i in range(n)]
    if kind in SIZED:
        sizes = [float(source.randint(180, 520)) for _ in range(n)]
        shares = [max(0.005, 0.067 + 0.012 * s + source.gauss(0, 0.008)) for s in late]
        counts = [float(round(size * share)) for size, share in zip(sizes, shares, strict=True)]
        return made(kind, counts, sizes, **arguments)
    if kind in ("c", "g", "t"):
        counts = [float(max(0, round(9 + 3 * s + source.gauss(0, 3)))) for s in late]
        return made(kind, counts, **arguments)
    values = [max(0.5, 20 + 3 * s + source.gauss(0, 3)) for s in late]
    return made(kind, values, **arguments)
