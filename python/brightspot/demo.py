"""The whole loop on real and on synthetic data: what ``brightspot demo`` shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from brightspot import datasets, words
from brightspot._records import Cycle, Guard, Measure, Plan, Prediction
from brightspot.bright import BrightSpots, bright_spots
from brightspot.charts import control_chart, run_chart
from brightspot.journal import Journal
from brightspot.report import report

SEED = 1
"""The district of the demonstration."""

TEAMS = {"S02-G5": "the team whose change works", "S04-G5": "a team whose change does nothing"}
"""Two teams tried something on the same day; only one of the two changes has an effect."""


def run(out: Path) -> Iterator[tuple[str, list[str]]]:
    """Do the demonstration step by step; yields a heading and what was found, in plain words.

    Parameters
    ----------
    out
        The folder for pages and pictures; made where it is missing.
    """
    out.mkdir(parents=True, exist_ok=True)
    yield "Bright spots in Tennessee's kindergartens (real data: project STAR, maths)", _star(out)
    district = datasets.district(seed=SEED)
    yield "Is anything changing? Weekly absence in 12 schools (synthetic data)", _absence(district, out)
    yield "Bright spots in the synthetic district, where the truth is known", _planted(district)
    with _fresh(out / "plc.db") as journal:
        for team, told in TEAMS.items():
            yield f"One improvement cycle: {told} ({team})", _cycle(district, journal, team, out)


def kindergarten() -> pl.DataFrame:
    """STAR's kindergarten pupils, with column names that read well."""
    return (
        datasets.star()
        .filter(gr="K")
        .rename({"sch": "school", "tch": "teacher", "cltype": "class_type", "ses": "lunch"})
    )


def _star(out: Path) -> list[str]:
    found = bright_spots(
        kindergarten(),
        outcome="math",
        unit="teacher",
        within="school",
        adjust=["class_type", "lunch"],
        rows="pupils",
    )
    found.plot(title="Kindergarten maths: each teacher against the others of the same school").save(
        str(out / "star_effects.png"), scale_factor=2
    )
    found.plot(kind="funnel", title="The same teachers by number of pupils").save(
        str(out / "star_funnel.png"), scale_factor=2
    )
    report(found, title="Kindergarten maths: rooms worth a visit").save(out / "star_bright_spots.html")
    shown = found.candidates["teacher"].to_list()[:1]
    return [
        *found.sentences(),
        *(f"For example, teacher {found.explain(teacher)}" for teacher in shown),
        "One year of data only: a lead that lasts cannot be told from one that passes.",
        "Written: star_bright_spots.html, star_effects.png, star_funnel.png",
    ]


def _absence(district: datasets.District, out: Path) -> list[str]:
    charts = run_chart(
        district.attendance,
        value="days_absent",
        size="days_enrolled",
        time="week",
        by="school_id",
        baseline=12,
        direction="down",
    )
    charts.plot(title="Share of student-days absent, by week").save(str(out / "absence.png"), scale_factor=2)
    limits = control_chart(
        district.attendance,
        kind="pp",
        value="days_absent",
        size="days_enrolled",
        time="week",
        by="school_id",
        baseline=12,
        direction="down",
        rules=["shewhart", "anhoej"],
        target=0.07,
    )
    limits.plot_marks(title="Absence in twelve schools").save(str(out / "absence_marks.png"), scale_factor=2)
    truth = district.truth.series.filter(pl.col("series") == "attendance", pl.col("has_shift"))["unit_id"].to_list()
    seen = charts.summary.filter("has_signal")
    proposals = limits.propose_phases()
    proposals.plot(title="Where absence charts might start anew").save(str(out / "absence_phases.png"), scale_factor=2)
    return [
        f"{words.counted(charts.summary.height, 'chart')}, each with a median frozen after 12 weeks.",
        *(words.run_chart(row, row["school_id"], words.share) for row in seen.iter_rows(named=True)),
        f"The truth: absence really shifted in {words.listed(truth)}.",
        *proposals.sentences(),
        "Written: absence.png, absence_marks.png, absence_phases.png",
    ]


def _planted(district: datasets.District) -> list[str]:
    found: BrightSpots = bright_spots(
        district.scores.rename({"teacher_id": "teacher", "school_id": "school"}),
        outcome="spring",
        unit="teacher",
        within="school",
        adjust=["prior", "frl", "el"],
        period="year",
    )
    truth = district.truth.teachers.select(teacher="teacher_id", is_planted="is_planted", true_effect="true_effect")
    named = found.candidates.join(truth, on="teacher")
    n_planted = int(truth["is_planted"].sum())
    false = named.filter(pl.col("true_effect") <= found.threshold).height
    return [
        *found.sentences(),
        f"The truth: {named['is_planted'].sum()} of the {n_planted} planted teachers are among them, and {false} of "
        f"the {named.height} candidates truly {'lies' if false == 1 else 'lie'} below that advantage.",
    ]


def plan(team: str) -> Plan:
    """What both teams planned, before any data came."""
    return Plan(
        title="Number talks",
        team=f"Grade 5 team {team}",
        aim="By winter break, pupils leave fraction lessons with at least 3 points more on the exit ticket (of 20).",
        change="Ten minutes of number talks at the start of each fraction lesson",
        outcome=Measure("exit ticket", value="score", time="date", size="n_students", unit_of_value="points"),
        process=[Measure("number talks held", value="n_used", time="date", size="n_lessons", kind="proportion")],
        guards=[
            Guard(
                Measure("fact fluency", value="score", time="date", size="n_students", unit_of_value="facts a minute"),
                margin=1.5,
            )
        ],
        predictions=[
            Prediction("exit ticket", at_least=3.0, belief=0.7, why="The two rooms that do this already are ahead.")
        ],
        baseline=("2026-09-01", "2026-10-25"),
        test=("2026-10-26", "2026-12-13"),
    )


def _cycle(district: datasets.District, journal: Journal, team: str, out: Path) -> list[str]:
    frames = {
        "exit ticket": district.exit_tickets.filter(plc_id=team),
        "number talks held": district.process.filter(plc_id=team),
        "fact fluency": district.fluency.filter(plc_id=team),
    }
    cycle: Cycle = journal.draft(plan(team), by="facilitator", at="2026-10-20")
    cycle = journal.lock(cycle.id, by="facilitator", at="2026-10-23")
    cycle = journal.start(cycle.id, by="facilitator", at="2026-10-26")
    cycle = journal.do(
        cycle.id,
        by="facilitator",
        as_planned="fully",
        observations=["Pupils explain more than one way."],
        at="2026-12-11",
    )
    study = journal.study(cycle.id, frames, as_of="2026-12-14", at="2026-12-14")
    name = f"cycle_{team.lower()}"
    study.plot().save(str(out / f"{name}.png"), scale_factor=2)
    report(study).save(out / f"{name}.html")
    true = district.truth.series.filter(pl.col("series") == "exit_tickets", pl.col("unit_id") == team).row(
        0, named=True
    )
    truth = (
        f"a gain of {words.number(true['size'])} points"
        if true["has_shift"]
        else "no change at all: what moved is luck"
    )
    return [*study.sentences(), f"The truth: {truth}.", f"Written: {name}.html, {name}.png"]


def _fresh(path: Path) -> Journal:
    """A journal of this demonstration alone: cycles of an earlier one would count as earlier tries."""
    for old in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        old.unlink(missing_ok=True)
    return Journal(path)
