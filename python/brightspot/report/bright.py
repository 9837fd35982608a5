"""The page of a search for bright spots: the brief for those who will visit."""

from __future__ import annotations

from collections import defaultdict
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from brightspot import words
from brightspot._core import __version__
from brightspot.report._html import drawn, filled, lines, picture_height

if TYPE_CHECKING:
    from brightspot.bright import BrightSpots
    from brightspot.report import Report

# What fits on one sheet: candidates, each with one typical room; fewer where names are long.
MOST_CANDIDATES, MOST_WITH_LONG_NAMES = 10, 4
LONG_ROOM = 16
LONGEST_TITLE, LONGEST_TEAM, LONGEST_ROOM, LONGEST_GROUPS = 110, 70, 64, 44
MOST_CAUTIONS = 5
WIDTH = 680
# Pixels of what stands on every page besides text of varying length.
FIXED = 212

Room = dict[str, Any]


def page(found: BrightSpots, *, title: str = "", team: str = "") -> Report:
    """Make the brief of bright spots.

    Parameters
    ----------
    found
        What :func:`brightspot.bright_spots` returned.
    title
        A heading; where not given, what was looked for.
    team
        Who will visit.

    Returns
    -------
    Report
        The page.
    """
    import altair as alt

    from brightspot.plot.theme import svg
    from brightspot.report import Report

    heading = title or words.bright_title(found)
    n_candidates = found.candidates.height
    shown = chosen(found)
    rooms = sorted(_rooms(found, shown), key=lambda room: (room["within"], room["room"]))
    is_long = any(len(str(room["room"])) > LONG_ROOM or len(room["within"]) > LONG_ROOM for room in rooms)
    # Two columns of short names, one of long ones.
    half = len(rooms) if is_long else -(-len(rooms) // 2)
    verdict, basis = words.bright_verdict(found)
    cautions = words.bright_cautions(found)
    steps = words.HOW_TO_LOOK if n_candidates else words.NOBODY
    chosen_how = words.bright_shown(len(shown), n_candidates, found.spec["within"])
    caption = words.bright_caption(found)
    taken = (
        lines([verdict], 84) * 22
        + lines([basis, caption], 118) * 16
        + (half * (32 if is_long else 18) + 58 if rooms else 0)
        + max(lines([f"{one.claim}: {one.why}" for one in cautions[:MOST_CAUTIONS]], 57), lines(steps, 57)) * 17
    )
    # With candidates a picture that names them without putting them in order; without, one that shows why.
    picture: Any = found.plot(
        kind="funnel" if n_candidates else "effects", width=WIDTH, height=picture_height(taken + FIXED)
    )
    picture.title = alt.Undefined
    html = filled(
        "bright.html.j2",
        title=words.clipped(heading, LONGEST_TITLE),
        team=words.clipped(team, LONGEST_TEAM),
        facts=[],
        verdict=verdict,
        basis=basis,
        tone="good" if n_candidates else "even",
        chart="" if words.is_flat(found) else drawn(svg(picture, words.bright_title(found))),
        caption=caption,
        columns=[part for part in (rooms[:half], rooms[half:]) if part],
        unit=words.noun(found.spec["unit"]),
        groups=" / ".join(words.noun(group) for group in found.spec["within"]),
        rows=found.spec["spec"]["words"]["rows"],
        values=found.spec["spec"]["words"]["values"],
        chosen=chosen_how,
        heading_steps="How to look" if n_candidates else "What to do now",
        steps=steps,
        cautions=cautions[:MOST_CAUTIONS],
        more=cautions[MOST_CAUTIONS:],
        n_more=len(cautions) - MOST_CAUTIONS,
        provenance=words.bright_provenance(found, __version__),
    )
    return Report(title=heading, html=html)


def chosen(found: BrightSpots) -> list[Room]:
    """The candidates that a page lists: one from each group in turn, by name, until it is full; never by size."""
    groups: dict[tuple[str, ...], list[Room]] = defaultdict(list)
    for row in found.candidates.iter_rows(named=True):
        groups[tuple(str(row[group]) for group in found.spec["within"])].append(row)
    unit = found.spec["unit"]
    ordered = [sorted(groups[group], key=lambda row: str(row[unit])) for group in sorted(groups)]
    in_turn = [row for turn in zip_longest(*ordered) for row in turn if row is not None]
    is_long = any(len(str(row[name])) > LONG_ROOM for row in in_turn for name in (unit, *found.spec["within"]))
    return in_turn[: MOST_WITH_LONG_NAMES if is_long else MOST_CANDIDATES]


def _rooms(found: BrightSpots, shown: list[Room]) -> list[Room]:
    """Candidates and, for each, one typical room under like conditions."""
    unit, within = found.spec["unit"], found.spec["within"]
    typical: dict[str, list[Room]] = defaultdict(list)
    for row in found.typical.iter_rows(named=True):
        typical[str(row["matched_to"])].append(row)

    def room(row: Room, why: str, told: str) -> Room:
        return {
            "room": words.clipped(str(row[unit]), LONGEST_ROOM),
            "within": words.clipped(" / ".join(str(row[group]) for group in within), LONGEST_GROUPS),
            "why": why,
            "is_candidate": bool(told),
            "n": words.number(row["n"], 6),
            "effect": told,
        }

    rooms: list[Room] = []
    for row in shown:
        rooms.append(room(row, words.bright_why(row), words.bright_effect(row)))
        if like := typical[str(row[unit])]:
            name = words.clipped(str(row[unit]), LONGEST_ROOM)
            rooms.append(room(like.pop(0), f"typical, like {name}", ""))
    return rooms
