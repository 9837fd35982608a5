"""Sentences that go with bright spots."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from brightspot.words.caveats import Caution
from brightspot.words.numbers import about, capital, counted, in_step, listed, noun, number, percent, signed

if TYPE_CHECKING:
    from brightspot._result import Note
    from brightspot.bright import BrightSpots


def bright_spots(found: BrightSpots) -> list[str]:
    """What a search for bright spots found, in plain words."""
    spec = found.spec
    rows, values = spec["spec"]["words"]["rows"], spec["spec"]["words"]["values"]
    unit, groups = noun(spec["unit"]), [noun(group) for group in spec["within"]]
    judged = found.units.filter("has_min_n").height
    peers = f"others in the same {groups[-1]}" if groups else "all others"
    told = (
        f" after adjusting for {listed([noun(name) for name in spec['adjust']])}"
        if spec["adjust"]
        else ", with nothing adjusted for"
    )
    start = (
        f"{counted(judged, unit)} with at least {spec['spec']['min_n']} {rows} were compared with {peers}{told}; an "
        f"advantage of {number(found.threshold)} {values} is taken as worth learning from."
    )
    n = found.candidates.height
    if n == 0:
        return [
            start,
            "Nobody stands out clearly enough to be a candidate. That is a normal answer, and a finding.",
        ]
    share = found.false_share or 0.0
    false = (
        f"{about(share)} of them are expected to be false"
        if n > 1
        else f"with a chance of {percent(share)} it is a false one"
    )
    return [start, f"{counted(n, 'candidate')} to learn from, in no order; {false}."]


def peers(spec: Mapping[str, Any], *, overall: bool = False) -> str:
    """Whom a unit is compared with: "other teachers of the same school"."""
    others = f"other {noun(spec['unit'])}s"
    groups = [noun(group) for group in spec["within"]]
    return f"{others} of the same {groups[-1]}" if groups and not overall else f"all {others}"


FINDINGS = {
    "bright": "candidate whichever period is left out",
    "promising": "candidate, consistency not known",
    "one_period": "ahead by its best period only",
    "not_distinguishable": "not told apart from peers",
}


def bright_picture(
    spec: Mapping[str, Any],
    n_shown: int,
    n_candidates: int,
    n_suppressed: int,
    n_unplaced: int = 0,
    *,
    false_share: float | None = None,
    is_labelled: bool = True,
) -> list[str]:
    """The lines above a picture of bright spots: what is shown, what is named, what is left out."""
    unit, rows = noun(spec["unit"]), spec["spec"]["words"]["rows"]
    if n_candidates == 0:
        told = f"{counted(n_shown, unit)}; nobody stands out clearly enough to be a candidate."
    else:
        doubt = (
            f"{about(false_share)} of them are expected to be false"
            if n_candidates > 1
            else f"with a chance of {percent(false_share)} it is a false one"
        )
        false = "" if false_share is None else f"; {doubt}"
        named = "" if is_labelled else " (too many to name here: see the table of candidates)"
        told = f"{counted(n_shown, unit)}; {counted(n_candidates, 'candidate')} to learn from{named}{false}."
    lines = [told]
    if n_suppressed:
        lines.append(
            f"Not shown: {counted(n_suppressed, unit)} with fewer than {spec['spec']['min_n']} {rows}, too few to "
            "judge."
        )
    if n_unplaced:
        lines.append(f"Not shown: {counted(n_unplaced, unit)} with too few peers to compare with.")
    return lines


def funnel_band(spec: Mapping[str, Any]) -> str:
    """What the band of a funnel means."""
    return (
        f"Grey: where 95% of {noun(spec['unit'])}s would fall by chance if they did not differ; the fewer "
        f"{spec['spec']['words']['rows']}, the wider."
    )


def is_flat(found: BrightSpots) -> bool:
    """Whether no difference at all was found between the units."""
    effects: list[float | None] = found.units["effect"].to_list()
    return all(effect is None or math.isnan(effect) or abs(effect) <= 1e-9 * found.threshold for effect in effects)


def bright_verdict(found: BrightSpots) -> list[str]:
    """What a search for bright spots found, and how it was looked for."""
    start, verdict = bright_spots(found)
    if is_flat(found):
        start += f" The spread between {noun(found.spec['unit'])}s was estimated as zero, so there is nothing to draw."
    if found.candidates.height == 0:
        verdict = "Nobody stands out clearly enough to be a candidate. That is a normal answer, and a finding."
    return [verdict, start]


def bright_shown(n_shown: int, n_all: int, groups: Sequence[str]) -> str:
    """How the rooms in a table were chosen; empty where all are there."""
    if n_shown == n_all:
        return ""
    how = f"one from each {noun(groups[-1])} in turn, by name" if groups else "the first by name"
    return (
        f"{n_shown} of {n_all} candidates are listed: {how}, not by size. The analyst has the other "
        f"{n_all - n_shown} (.candidates)."
    )


HOW_TO_LOOK = (
    "Visit both kinds of room with the same questions: what both do cannot be what makes the difference.",
    "Go by invitation. Do not say who is a candidate, and tell nobody that there is a ranking: there is none.",
    "Ask what people do, when, how often, and what they stopped doing. Watch a lesson and look at pupils' work.",
    "Write a practice down so that someone else can do it, then test it in a cycle: until then it is a hunch.",
)
"""How to visit, where there are candidates."""


NOBODY = (
    "Do not lower the bar until somebody appears: whoever appears then is mostly luck.",
    "Choose rooms to learn from by what they do (a practice the team believes in), and test it in a cycle.",
    "Look again with another year of data, or with an outcome closer to what is taught.",
    "Larger differences may lie elsewhere: between schools, between groups of pupils, between subjects.",
)
"""What to do where nobody stands out."""


def bright_cautions(found: BrightSpots) -> list[Caution]:
    """What may not be concluded from bright spots, the most important first."""
    spec = found.spec
    unit, rows = noun(spec["unit"]), spec["spec"]["words"]["rows"]
    notes = {note.code: note for note in found.notes}
    n = found.candidates.height
    told: list[Caution] = []
    if n:
        expected = n * (found.false_share or 0.0)
        few = "fewer than one is" if expected < 1 else f"about {number(expected, 1 if expected < 10 else 2)} are"
        told.append(
            Caution(
                "That each of them is truly ahead",
                f"of these {n}, {few} expected to be there by luck"
                if n > 1
                else f"with a chance of {percent(found.false_share)} it is there by luck",
            )
        )
    else:
        told.append(
            Caution(f"That all {unit}s do equally well", "smaller differences may exist and cannot be told apart here")
        )
    told.append(
        Caution(f"That anybody is a good or a poor {unit}", "this finds rooms to learn from and is no evaluation")
    )
    if n:
        told.append(Caution("What the reason is", "the numbers find rooms; only visits and tests find practices"))
    if spec["adjust"]:
        told.append(
            Caution(
                "That conditions were the same",
                f"adjusted for {listed([noun(name) for name in spec['adjust']])}, and for nothing else",
            )
        )
    else:
        told.append(
            Caution("That conditions were the same", "nothing was adjusted for: who the pupils are may be all of it")
        )
    n_once = found.units.filter(found.units["finding"] == "one_period").height
    if not spec["period"]:
        told.append(Caution("That it lasts", "only one period was looked at"))
    elif n_once:
        told.append(
            Caution(
                "That one good period is enough",
                f"{counted(n_once, unit)} {'stands' if n_once == 1 else 'stand'} out by the best period only: no "
                f"{'candidate' if n_once == 1 else 'candidates'}",
            )
        )
    told += [Caution(claim, why(note, unit, rows)) for code, claim, why in _BRIGHT if (note := notes.get(code))]
    return told


_BRIGHT: tuple[tuple[str, str, Callable[[Note, str, str], str]], ...] = (
    ("not_converged", "That these numbers stand", lambda note, unit, rows: "the fit of the model did not converge"),
    (
        "ceiling",
        "That those at the top were seen",
        lambda note, unit, rows: f"{counted(note.count, 'score')} are the highest there is",
    ),
    (
        "easier_conditions",
        "That the adjustment was enough",
        lambda note, unit, rows: f"candidates have it easier than the others: {noun(note.at)}",
    ),
    (
        "missing_by_unit",
        "That all were looked at alike",
        lambda note, unit, rows: f"{noun(note.at)} is missing more often for some than for others",
    ),
    (
        "confounded_condition",
        "What the groups and their conditions each do",
        lambda note, unit, rows: f"{noun(note.at)} is the same throughout each group",
    ),
    (
        "skewed_effects",
        "That nobody else stands out",
        lambda note, unit, rows: "the differences are skewed, with few far above, so that it takes more to be named",
    ),
    (
        "small_units",
        "Anything about the smallest",
        lambda note, unit, rows: f"{counted(note.count, unit)} with too few {rows} were not judged",
    ),
    (
        "few_peers",
        "Anything about those with few peers",
        lambda note, unit, rows: f"{counted(note.count, unit)} had fewer than 3 to be compared with",
    ),
    (
        "few_units",
        "How large differences usually are",
        lambda note, unit, rows: f"there are only {counted(note.count, noun(note.at) or unit)}",
    ),
)


def bright_provenance(found: BrightSpots, version: str) -> str:
    """Where bright spots come from: the model in words, how many rows, the criteria, the version."""
    spec = found.spec
    rules, rows = spec["spec"], spec["spec"]["words"]["rows"]
    by = [noun(name) for name in (*spec["adjust"], *((spec["period"],) if spec["period"] else ()))]
    # One note for each column and, where several lack values, one for all of them together.
    n_out = max((note.count for note in found.notes if note.code == "rows_left_out"), default=0)
    factors = listed([noun(name).replace("_id", "") for name in found.model["factors"]])
    out = f"; {n_out:,} left out for a missing value" if n_out else ""
    given = f" given {listed(by)}" if by else ""
    is_default = rules["threshold"] == "tenth_of_sd"
    return (
        f"Mixed model of {noun(spec['outcome'])}{given}, with an effect of each {factors}: "
        f"{found.model['n_obs']:,} rows{out}. Worth learning from: {number(found.threshold)} {rules['words']['values']}"
        f"{' (a tenth of the standard deviation)' if is_default else ''}. A candidate has at least {rules['min_n']} "
        f"{rows}, a probability of at least {percent(rules['min_prob'])}, and belongs to a set of which at most "
        f"{percent(rules['fdr'])} are expected to be false. brightspot {version}."
    )


def audit_table(criteria: Sequence[Mapping[str, Any]]) -> str:
    """Every criterion of a unit, whether it is met and the number behind it, as an HTML table; empty without any."""
    if not criteria:
        return ""
    answers = {True: "yes", False: "no", None: "not asked"}

    def told(value: float | None) -> str:
        return "" if value is None else number(value)

    lines = "".join(
        f"<tr><td>{html.escape(one['asks'])}</td><td>{answers[one['is_met']]}</td><td>{told(one['value'])}</td>"
        f"<td>{told(one['bar'])}</td><td>{'needed' if one['is_gate'] else 'refines'}</td></tr>"
        for one in criteria
    )
    heads = "".join(f"<th>{head}</th>" for head in ("criterion", "met", "value", "bar", "for a candidate"))
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"


def shrinkage_picture(spec: Mapping[str, Any], threshold: float) -> str:
    """What an arrow of the picture of shrinkage means."""
    rows, values = spec["spec"]["words"]["rows"], spec["spec"]["words"]["values"]
    return (
        f"Each arrow leads from what was seen of one {noun(spec['unit'])} to what remains of it once luck is "
        f"allowed for: the fewer {rows}, the longer the arrow. Blue: candidates; dashed: what is worth learning from, "
        f"{signed(threshold)} {values}."
    )


def periods_picture(found: BrightSpots, n_candidates: int) -> list[str]:
    """The lines above the picture over periods."""
    unit = noun(found.spec["unit"])
    told = [
        f"Blue: {counted(n_candidates, 'candidate')}. Grey: the middle half and nine tenths of all other {unit}s."
        if n_candidates
        else f"Grey: the middle half and nine tenths of all {unit}s; there is no candidate."
    ]
    if (lasting := found.persistence) is not None:
        told.append(
            f"{number(lasting['expected'], 2)} {unit}s are expected to be ahead by more than {number(found.threshold)} "
            f"{found.spec['spec']['words']['values']} in most periods; {number(lasting['by_chance'], 2)} would be if "
            "nothing lasted."
        )
    return told


def peers_picture(spec: Mapping[str, Any], name: str, n_peers: int) -> list[str]:
    """The lines above the picture of one unit among its peers."""
    unit = noun(spec["unit"])
    if n_peers == 0:
        return [f"Fewer than 10 {unit}s work under conditions like those of {name}: it is compared with none."]
    return [f"{name} beside the {n_peers} {unit}s under the most similar conditions, before shrinking."]


def bright_title(found: BrightSpots) -> str:
    """What was looked for."""
    return f"{capital(noun(found.spec['unit']))}s to learn from: {noun(found.spec['outcome'])}"


def bright_effect(row: Mapping[str, Any]) -> str:
    """The estimate of a candidate's advantage, with its interval."""
    width = row["hi"] - row["lo"]
    low, high = (in_step(row[end], width, is_signed=False) for end in ("lo", "hi"))
    return f"{in_step(row['effect'], width)} ({low} to {high})"


def bright_why(row: Mapping[str, Any]) -> str:
    """Why a room is to be visited: it is a candidate."""
    return "candidate, every period counted" if row["finding"] == "bright" else "candidate"


def bright_caption(found: BrightSpots) -> str:
    """What stands under the picture of bright spots: what its band means, and who is not shown."""
    candidates = found.candidates.height
    band = [
        f"{funnel_band(found.spec)} The picture shows differences as they are; in the table they are drawn towards "
        f"zero, the more the fewer the {found.spec['spec']['words']['rows']}."
    ]
    n_suppressed = found.units.filter(found.units["finding"] == "suppressed").height
    left_out = bright_picture(found.spec, found.units.height - n_suppressed, candidates, n_suppressed)[1:]
    return " ".join([*(band if candidates else []), *left_out])
