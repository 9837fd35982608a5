"""The page of a study: what a team reads when it meets to decide."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from brightspot import words
from brightspot._records import Cycle, MeasureStudy, Study
from brightspot.report._html import drawn, filled, lines, picture_height

if TYPE_CHECKING:
    from brightspot.report import Report

# What fits on one sheet, with all of them at their longest.
MOST_CAUTIONS = 5
LONGEST_TITLE, LONGEST_AIM, LONGEST_CHANGE, LONGEST_DECISION, LONGEST_TEAM = 120, 400, 240, 420, 70
# A change that serves as heading is cut short, for it is given in full below.
ONE_LINE = 64
WIDTH = 720
# Pixels of what stands on every page besides text of varying length.
FIXED = 294

_TONES = {"improved": "good", "worsened": "bad", "no_signal": "even", "insufficient": "unknown"}


def page(study: Study, *, title: str = "", team: str = "", cycle: Cycle | None = None) -> Report:
    """Make the page of a study.

    Parameters
    ----------
    study
        The study.
    title
        A heading; where not given, the plan's title or the change.
    team
        Whose page it is; where not given, the plan's team.
    cycle
        The cycle it belongs to: adds when the plan was locked, the share of steps carried out, and the decision.

    Returns
    -------
    Report
        The page.
    """
    from brightspot.plot.theme import svg
    from brightspot.report import Report

    plan = study.plan
    heading = title or plan.title or plan.change
    locked_on = cycle.locked_at.date() if cycle is not None and cycle.locked_at is not None else None
    cautions = words.cautions(study)
    findings = words.findings(study, cycle.doing.fidelity if cycle is not None and cycle.doing is not None else None)
    shown = words.clipped(heading, LONGEST_TITLE if title or plan.title else ONE_LINE)
    facts = _facts(study, shown, locked_on)
    verdict = words.verdict(study, "date")
    decision = words.clipped(words.decided(cycle), LONGEST_DECISION) if cycle is not None else ""
    reasons = words.reasons(study)
    taken = (
        lines([shown], 62) * 26
        + lines([text for _, text in facts], 115) * 16
        + lines([verdict], 84) * 22
        + lines([max((finding.why for finding in findings), key=len)], 32) * 14
        + max(
            lines([f"{one.claim}: {one.why}" for one in cautions[:MOST_CAUTIONS]], 64) * 17,
            74 + lines(reasons, 47) * 17,
        )
        + (lines([decision], 100) * 19 + 34 if decision else 100)
    )
    chart: Any = study.plot(width=WIDTH, height=picture_height(taken + FIXED))
    # The verdict says what the picture's own heading would say.
    chart.title = words.study_heading(study)
    html = filled(
        "study.html.j2",
        title=shown,
        team=words.clipped(team or plan.team, LONGEST_TEAM),
        facts=facts,
        verdict=verdict,
        tone=_TONES[study.signal] if study.is_preregistered else "unknown",
        chart=drawn(svg(chart, f"{words.capital(study.outcome.measure)} before and after the change")),
        findings=findings,
        cautions=cautions[:MOST_CAUTIONS],
        n_more=len(cautions) - MOST_CAUTIONS,
        more=cautions[MOST_CAUTIONS:],
        recommendation=words.CHOICES[study.recommendation],
        reasons=reasons,
        decision=decision,
        choices=list(words.CHOICES.values()),
        tables=[_table(study, one) for one in words.judged(study)],
        provenance=words.study_provenance(study),
    )
    return Report(title=heading, html=html)


def _facts(study: Study, heading: str, locked_on: date | None) -> list[tuple[str, str]]:
    """The lines under the heading, each with its name; nothing is said twice."""
    plan = study.plan
    told = [("Aim", words.clipped(plan.aim, LONGEST_AIM))]
    if plan.change != heading:
        told.append(("Change", words.clipped(plan.change, LONGEST_CHANGE)))
    if where := words.cycle_place(study):
        told.append(("Where", words.clipped(where, LONGEST_CHANGE)))
    told.append(("When", words.cycle_dates(study, locked_on)))
    return told


def _table(study: Study, one: MeasureStudy) -> dict[str, object]:
    """The numbers behind one measure, as they were judged."""
    on = words.scale(study, one.measure)
    if one.classes:
        return {
            "name": one.measure,
            "key": "class",
            "value": on.unit if not on.is_share else "share",
            "has_size": True,
            "last": "tried the change",
            "rows": [
                {
                    "time": found.name,
                    "value": on.level(found.value, bare=True),
                    "size": words.number(found.n),
                    "window": "yes" if found.is_treated else "no",
                }
                for found in one.classes
            ],
        }
    has_size = any(point.size is not None for point in one.points)
    return {
        "name": one.measure,
        "key": "date",
        "value": on.unit if not on.is_share else "share",
        "has_size": has_size,
        "last": "window",
        "rows": [
            {
                "time": words.day(point.time),
                "value": on.level(point.value, bare=True),
                "size": words.number(point.size) if point.size is not None else "",
                "window": words.window(study, point.time),
            }
            for point in one.points
        ],
    }
