"""The pages: one sheet each, self-contained, escaped, with every finding in words."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import date
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest

import brightspot as bs
from brightspot import exceptions as ex
from brightspot import words
from brightspot.report.bright import MOST_CANDIDATES, chosen

VOID = {"meta", "br", "path", "circle", "rect", "line", "link", "img", "input", "hr", "col"}
SCORE = bs.Measure("exit ticket", value="score", unit_of_value="points")
FLUENCY = bs.Measure("fluency", value="score", unit_of_value="facts a minute")
USED = bs.Measure("number talks used", value="n_used", size="n_lessons", kind="proportion")
ABSENCE = bs.Measure(
    "absence", value="days_absent", size="days_enrolled", time="week", kind="proportion", direction="down"
)
DONE = bs.Doing(as_planned="fully")


class Outline(HTMLParser):
    """Elements with their attributes, and whether every one that was opened is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}>")

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


def text_of(html: str) -> str:
    body = re.sub(r"<style>.*?</style>|<svg.*?</svg>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.fixture(scope="module")
def district():
    return bs.datasets.district(seed=1)


def plan(**changes):
    usual = {
        "aim": "Fractions secure by winter",
        "change": "Number talks at the start of each lesson",
        "outcome": SCORE,
        "process": [USED],
        "guards": [bs.Guard(FLUENCY, margin=2.0)],
        "predictions": [bs.Prediction("exit ticket", at_least=3.0, belief=0.7)],
        "baseline": ("2026-09-01", "2026-10-25"),
        "test": ("2026-10-26", "2026-12-11"),
        "team": "Birch Elementary, grade 5",
    }
    return bs.Plan(**{**usual, **changes})


def frames(district, plc):
    return {
        "exit ticket": district.exit_tickets.filter(plc_id=plc),
        "fluency": district.fluency.filter(plc_id=plc),
        "number talks used": district.process.filter(plc_id=plc),
    }


@pytest.fixture(scope="module")
def studied(district):
    return bs.study(plan(), frames(district, "S02-G5"), "2026-12-14", locked_at="2026-10-25", doing=DONE)


LONG = "share of pupils who were at the secure level on the weekly fractions exit ticket (rubric B, scored anew by two)"


@pytest.fixture(scope="module")
def edges(district, studied):
    """Studies at the edge of what a page can hold, or of what can be said at all."""
    guards = [
        bs.Guard(
            bs.Measure(
                f"guard {k}: words a minute read aloud with accuracy", value="score", unit_of_value="words a minute"
            ),
            margin=0.01 * (k + 1),
        )
        for k in range(3)
    ]
    crowded = plan(
        aim=("Every fifth grader adds and subtracts fractions securely and explains why with a drawing. " * 5)[:400],
        change="Number talks with two prompts and wait time, " * 7,
        outcome=bs.Measure(LONG, value="score", unit_of_value="points on the twenty-point rubric"),
        process=[],
        guards=guards,
        predictions=[
            bs.Prediction(LONG, at_least=3.0, belief=0.7),
            bs.Prediction(guards[0].measure.name, no_worse_than=1.0),
            bs.Prediction(guards[1].measure.name, between=(-1, 4)),
        ],
        practice="Number talks with wait time",
        context={"grade": "5", "program": "dual language"},
        scale=5,
        team="Birch Elementary and Cedar Elementary, grade 5, learning community of both schools together",
    )
    uneven = district.fluency.filter(plc_id="S04-G5")
    few = district.exit_tickets.filter(pl.col("date") >= date(2026, 10, 5), plc_id="S02-G5")
    data = {LONG: few, **{guard.measure.name: uneven for guard in guards}}
    calls_home = plan(
        outcome=ABSENCE,
        process=[],
        guards=[],
        change="Calls home on the first day of absence",
        predictions=[bs.Prediction("absence", at_most=-0.01, belief=0.6)],
        baseline=("2025-08-25", "2025-12-14"),
        test=("2025-12-15", "2026-06-01"),
    )
    attendance = district.attendance.filter(school_id="S02")
    bare = plan(process=[], guards=[], predictions=[])
    flat = district.exit_tickets.filter(plc_id="S02-G5").with_columns(score=pl.lit(5.0))
    undirected = plan(outcome=bs.Measure("exit ticket", value="score", direction="neutral"))
    first = {
        name: frame.filter(pl.col("date") <= date(2026, 9, 1)) for name, frame in frames(district, "S02-G5").items()
    }
    return {
        "improved": studied,
        "no signal": bs.study(plan(), frames(district, "S04-G5"), "2026-12-14", locked_at="2026-10-25", doing=DONE),
        "crowded": bs.study(crowded, data, "2026-12-14", doing=bs.Doing(as_planned="partly")),
        "crowded, interim": bs.study(crowded, data, "2026-11-14", doing=bs.Doing(as_planned="partly")),
        "proportion": bs.study(calls_home, attendance, "2026-06-05", locked_at="2025-12-10", doing=DONE),
        "nothing planned": bs.study(bare, {"exit ticket": frames(district, "S02-G5")["exit ticket"]}, "2026-12-14"),
        "interim": bs.study(plan(), frames(district, "S02-G5"), "2026-11-01", locked_at="2026-10-25"),
        "no data": bs.study(plan(), {}, "2026-10-20", locked_at="2026-10-19"),
        "one date": bs.study(plan(), first, "2026-12-14", locked_at="2026-10-19"),
        "flat": bs.study(bare, {"exit ticket": flat}, "2026-12-14", locked_at="2026-10-25"),
        "no direction": bs.study(undirected, frames(district, "S02-G5"), "2026-12-14", locked_at="2026-10-25"),
    }


@pytest.fixture(scope="module")
def scores(district):
    return district.scores.rename({"teacher_id": "teacher", "school_id": "school"})


USUAL = {"outcome": "spring", "unit": "teacher", "within": "school", "adjust": ["prior", "frl", "el"], "period": "year"}


@pytest.fixture(scope="module")
def spots(scores):
    return bs.bright_spots(scores, **USUAL)


@pytest.fixture(scope="module")
def searches(scores, spots):
    long = scores.with_columns(
        teacher=pl.lit("Ms. Washington-Fernandez, Room ") + pl.col("teacher"),
        school=pl.lit("Alder Creek Elementary ") + pl.col("school"),
    )
    alone = scores.filter(school="S02").with_columns(place=pl.int_range(pl.len()).over("teacher"))
    small = alone.filter((pl.col("teacher") != "T031") | (pl.col("place") < 5))
    return {
        "many": spots,
        "long names": bs.bright_spots(long, **USUAL),
        "nobody": bs.bright_spots(scores, **{**USUAL, "threshold": 12.0}),
        "no spread": bs.bright_spots(
            scores.with_columns(spring=pl.col("spring").shuffle(seed=3)),
            outcome="spring",
            unit="teacher",
            within="school",
        ),
        "one school": bs.bright_spots(small, outcome="spring", unit="teacher", adjust=["prior"]),
    }


def pages(edges, searches):
    return {name: bs.report(result) for name, result in {**edges, **searches}.items()}


@pytest.fixture(scope="module")
def all_pages(edges, searches):
    return pages(edges, searches)


def test_a_page_is_one_well_formed_file_that_needs_nothing_else(all_pages):
    for name, page in all_pages.items():
        outline = Outline(page.html)
        assert not outline.faults, name
        assert not outline.open, name
        assert (
            len(outline.all("h1"))
            == len(outline.all("main"))
            == len(outline.all("title")) - len(outline.all("figure"))
            == 1
        )
        assert not outline.all("script"), name
        assert not outline.all("link"), name
        assert not outline.all("img"), name
        for _, attrs in outline.elements:
            for attribute in ("src", "href", "xlink:href", "srcset", "action"):
                assert (attrs.get(attribute) or "#").startswith("#"), (name, attrs)
            assert not [attribute for attribute in attrs if attribute.startswith("on")]
        assert not re.search(r"@import|@font-face|url\((?!#)", page.html), name
        ids = [attrs["id"] for _, attrs in outline.elements if "id" in attrs]
        assert len(ids) == len(set(ids)), name
        named = {attrs["aria-labelledby"] for tag, attrs in outline.elements if tag == "section"}
        assert named <= set(ids), name


def test_pictures_and_tables_are_named_for_those_who_hear_them(all_pages):
    for name, page in all_pages.items():
        outline = Outline(page.html)
        assert all(attrs.get("aria-label") for attrs in outline.all("figure")), name
        pictures = [
            attrs for attrs in outline.all("svg") if attrs.get("class") not in ("icon", None) or "role" in attrs
        ]
        assert len(pictures) == len(outline.all("figure")), name
        assert all(attrs["role"] == "img" and attrs["aria-labelledby"] for attrs in pictures), name
        assert all(attrs.get("aria-hidden") == "true" for attrs in outline.all("svg") if attrs.get("class") == "icon")
        assert len(outline.all("caption")) == len(outline.all("table")), name
        assert all(attrs.get("scope") in ("col", "row") for attrs in outline.all("th")), name


def test_colours_can_be_read():
    css = files("brightspot.report").joinpath("templates/page.css").read_text()
    colors = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", css))

    def luminance(color):
        parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for ink, ground in itertools.product(("ink", "quiet", "blue", "orange"), ("#ffffff", colors["wash"])):
        assert (luminance(ground) + 0.05) / (luminance(colors[ink]) + 0.05) >= 4.5, (ink, ground)


EVIL = '<script>alert("x")</script>&<b onclick=1>'


def test_what_comes_from_outside_is_escaped(district, scores):
    evil = plan(
        aim=EVIL,
        change=EVIL,
        title=EVIL,
        team=EVIL,
        practice=EVIL,
        context={EVIL: EVIL},
        outcome=bs.Measure(EVIL, value="score", unit_of_value=EVIL),
        predictions=[bs.Prediction(EVIL, at_least=3.0)],
        process=[],
        guards=[],
    )
    study = bs.study(evil, {EVIL: district.exit_tickets.filter(plc_id="S02-G5")}, "2026-12-14", locked_at="2026-10-25")
    renamed = scores.with_columns(teacher=pl.lit(EVIL) + pl.col("teacher"))
    page = bs.report(study, title=EVIL, team=EVIL)
    brief = bs.report(bs.bright_spots(renamed, **USUAL), title=EVIL, team=EVIL)
    for html in (page.html, brief.html):
        assert "<script" not in html
        assert "<b " not in html
        assert "&lt;script&gt;" in html
        assert not Outline(html).faults
    shown = page._repr_html_()
    assert [tag for tag, _ in Outline(shown).elements] == ["iframe"]
    assert Outline(shown).all("iframe")[0]["srcdoc"] == page.html


def test_the_same_result_gives_the_same_bytes(studied, spots):
    assert bs.report(studied).html == bs.report(bs.Study.from_dict(studied.to_dict())).html
    assert bs.report(spots).html == bs.report(spots).html


WORDS = {
    "improved": "Improved",
    "worsened": "Got worse",
    "no_signal": "No clear change",
    "insufficient": "No verdict",
    "met": "Met",
    "not_met": "Not met",
    "undecided": "Still open",
    "fully": "As planned",
    "partly": "In part",
    "not_done": "Not done",
    "unknown": "Not recorded",
    "not_worse": "Not worse",
    "harmed": "Got worse",
    "cannot_tell": "Cannot tell",
}


@pytest.mark.parametrize(
    ("signal", "prediction", "fidelity", "guards"),
    list(
        itertools.product(
            ("improved", "worsened", "no_signal", "insufficient"),
            ("met", "not_met", "undecided"),
            ("fully", "partly", "not_done", "unknown"),
            ("not_worse", "harmed", "cannot_tell"),
        )
    ),
)
def test_every_combination_of_findings_has_its_words(studied, signal, prediction, fidelity, guards):
    (check,), (guard,) = studied.prediction_checks, studied.guard_checks
    study = replace(
        studied,
        signal=signal,
        prediction=prediction,
        fidelity=fidelity,
        guards=guards,
        outcome=replace(studied.outcome, signal=signal),
        prediction_checks=(replace(check, finding=prediction),),
        guard_checks=(replace(guard, finding=guards),),
    )
    found = words.findings(study, 0.8)
    assert [one.word for one in found] == [WORDS[code] for code in (signal, prediction, fidelity, guards)]
    for one in found:
        assert one.why.endswith(".")
        assert "None" not in one.why
        assert one.tone in ("good", "bad", "even", "unknown")
        assert len(one.why) < 150
    # What is good and what is bad never looks alike.
    assert {one.word for one in found if one.tone == "good"} <= {"Improved", "Met", "As planned", "Not worse"}
    assert {one.word for one in found if one.tone == "bad"} <= {"Got worse", "Not met", "Not done"}
    assert words.cautions(study)[0].claim


def test_the_page_says_what_was_found(studied):
    told = text_of(bs.report(studied).html)
    for part in (
        words.verdict(studied, "date"),
        "Improved",
        "Met",
        "As planned",
        "Not worse",
        "What we may not conclude",
        "That the change caused the rise: there was no comparison group",
        "Adopt it at this scale",
        "The team decides",
        "plan locked before the data",
        "Data through 11 Dec 2026",
        f"plan {studied.plan_hash[:8]}, data {studied.inputs_hash[:8]}",
        "Internal: do not post",
        "Birch Elementary, grade 5",
    ):
        assert part in told
    table = Outline(bs.report(studied).html)
    n_points = sum(len(one.points) for one in words.judged(studied))
    assert sum(1 for attrs in table.all("th") if attrs["scope"] == "row") == n_points


def test_edges_are_said_and_not_hidden(edges, all_pages):
    told = {name: text_of(all_pages[name].html) for name in edges}
    assert "The test runs until 11 Dec 2026" in told["interim"]
    assert "That it works, or that it does not" in told["interim"]
    assert "could not be compared (0 dates before, 0 after): no verdict can be given" in told["no data"]
    assert "No data were given." in told["no data"]
    assert "The values do not vary" in told["flat"]
    assert "does not say which way is better" in told["no direction"]
    assert "anything from" in told["no signal"]
    assert {"None made", "Not recorded", "None planned"} <= set(
        re.findall("None made|Not recorded|None planned", told["nothing planned"])
    )
    assert "plan not locked in advance: exploratory" in told["nothing planned"]
    assert "2 more in the screen version" in told["crowded"]
    assert not re.search(r"\b(None|nan|null|inf)\b(?! (made|planned))", " ".join(told.values()))


def test_proportions_are_written_in_percent(edges, all_pages):
    told = text_of(all_pages["proportion"].html)
    assert "Absence fell by 1.69 percentage points" in told
    assert "You predicted a fall of at least 1 percentage point: met" in told
    assert "Mean 7.9% before, 6.2% after" in told
    assert "0.0" not in told.replace("less than 0.1%", "").split("brightspot")[0]


def test_one_kind_of_caution_is_said_once_and_harm_comes_before_form(edges):
    for study in edges.values():
        told = words.cautions(study)
        assert len({one.claim for one in told}) == len(told)
        codes = {note.code for note in study.caveats}
        assert len(told) >= len(codes)
        if not study.is_preregistered:
            assert told[0].claim == "That a prediction came true"
        assert any("no comparison group" in one.why for one in told[:3])


def test_every_caveat_that_a_study_can_bear_has_plain_words(studied):
    source = (Path(__file__).parents[2] / "src" / "cycle" / "study.rs").read_text()
    listed = source[source.index("/// In `caveats`") : source.index("pub fn study(")]
    codes = set(re.findall(r"`(\w+)`", listed)) - {"caveats"}
    assert len(codes) > 12
    for code in codes:
        caveat = bs.Note(code, "", count=4, value=0.04, at="exit ticket")
        (told,) = [
            one
            for one in words.cautions(replace(studied, caveats=(caveat,)))
            if not one.claim.startswith(("That the true change", "That it would do the same"))
        ]
        assert told.claim, code
        assert told.why, code


def test_a_cycle_shows_its_last_study_and_decision(district, tmp_path):
    with bs.Journal(tmp_path / "plc.db") as journal:
        cycle = journal.draft(plan(title="Number talks"), by="Ann", at="2026-10-20T09:00:00Z", id="one")
        cycle = journal.lock("one", by="Ann", at="2026-10-23T15:00:00Z")
        with pytest.raises(ex.InvalidOptionError, match="not studied"):
            bs.report(cycle)
        journal.start("one", by="Ann", at="2026-10-26T09:00:00Z")
        journal.do("one", by="Ann", as_planned="fully", fidelity=0.86, at="2026-12-11T09:00:00Z")
        journal.study("one", frames(district, "S02-G5"), "2026-12-14", at="2026-12-14T09:00:00Z")
        open_page = text_of(bs.report(journal.cycle("one")).html)
        cycle = journal.decide("one", "adapt", by="Ann", reason="Shorter prompts first.", at="2026-12-15T09:00:00Z")
    page = bs.report(cycle)
    told = text_of(page.html)
    assert page.title == "Number talks"
    assert "plan locked 23 Oct 2026, before the data" in told
    assert "86% of the planned steps" in told
    assert "Because" in open_page
    assert "Because" not in told
    assert "Adapt it and test again. Decided 15 Dec 2026, recorded by Ann. Reason: Shorter prompts first." in told
    assert "not what the evidence suggested" in told


def test_the_brief_mixes_candidates_with_typical_rooms_in_no_order(spots):
    told = text_of(bs.report(spots, team="Learning walk").html)
    assert "17 candidates to learn from, in no order; about 3.3% of them are expected to be false" in told
    assert f"{MOST_CANDIDATES} of 17 candidates are listed: one from each school in turn, by name, not by size" in told
    assert "of these 17, fewer than one is expected to be there by luck" in told
    assert "this finds rooms to learn from and is no evaluation" in told
    assert "254 left out" in told
    table = re.findall(r'<th scope="row">(T\d+)</th><td>(S\d+)</td><td>([^<]+)</td>', bs.report(spots).html)
    assert [(school, room) for room, school, _ in table] == sorted((school, room) for room, school, _ in table)
    shown = [row["teacher"] for row in chosen(spots)]
    assert {room for room, _, why in table if why.startswith("candidate")} == set(shown)
    typical = [(room, why.removeprefix("typical, like ")) for room, _, why in table if why.startswith("typical")]
    assert {like for _, like in typical} == set(shown)
    pairs = set(spots.typical.select("teacher", "matched_to").rows())
    assert set(typical) <= pairs


def test_which_candidates_are_listed_has_nothing_to_do_with_their_size(spots):
    turned = replace(spots, units=spots.units.with_columns(effect=-pl.col("effect")))
    assert [row["teacher"] for row in chosen(turned)] == [row["teacher"] for row in chosen(spots)]
    schools = [row["school"] for row in chosen(spots)]
    n_schools = spots.candidates["school"].n_unique()
    assert len(set(schools[:n_schools])) == n_schools


def test_nobody_stands_out_is_an_answer_with_something_to_do(all_pages):
    for name in ("nobody", "no spread"):
        told = text_of(all_pages[name].html)
        assert "Nobody stands out clearly enough to be a candidate. That is a normal answer" in told
        assert "What to do now" in told
        assert "Rooms to visit" not in told
    assert "nothing to draw" in text_of(all_pages["no spread"].html)
    assert "<figure" not in all_pages["no spread"].html
    assert "<figure" in all_pages["nobody"].html


def test_who_is_not_judged_is_counted(all_pages):
    told = text_of(all_pages["one school"].html)
    assert "1 teacher with fewer than 10 students, too few to judge" in told
    assert "only one period was looked at" in told


def test_no_page_claims_a_cause_or_ranks(all_pages):
    for name, page in all_pages.items():
        told = text_of(page.html).lower()
        for word in ("because of the change", "proves", "proven", "significant", "best teacher", "worst", "rank "):
            assert word not in told, (name, word)


def test_saving(studied, tmp_path):
    page = bs.report(studied)
    path = page.save(tmp_path / "page.html")
    assert path == tmp_path / "page.html"
    assert path.read_bytes().decode() == page.html
    assert page.save(str(tmp_path / "PAGE.HTM")).exists()
    with pytest.raises(ex.StoreError, match="folder"):
        page.save(tmp_path / "missing" / "page.html")
    with pytest.raises(OSError, match="cannot be written"):
        page.save(tmp_path / "missing" / "page.html")
    for name in ("page.pdf", "page"):
        with pytest.raises(ex.InvalidOptionError, match=r"must end in \.html"):
            page.save(tmp_path / name)
    assert not (tmp_path / "page.pdf").exists()


def test_what_has_no_page_is_said_to_have_none():
    with pytest.raises(ex.InvalidOptionError, match="no page for str"):
        bs.report("study")


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium, to print")
@pytest.mark.parametrize("paper", ["letter", "A4"])
def test_a_page_prints_on_one_sheet(all_pages, paper, tmp_path):
    fullest = ("improved", "crowded", "crowded, interim", "many", "long names", "one school")
    for number, page in enumerate(all_pages[name] for name in fullest):
        source, printed = tmp_path / f"{number}.html", tmp_path / f"{number}.pdf"
        source.write_text(page.html.replace("@page { margin: 0; }", f"@page {{ margin: 0; size: {paper}; }}"))
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
        subprocess.run(
            [*command, f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={printed}", source.as_uri()],
            check=True,
            capture_output=True,
            timeout=60,
        )
        assert len(re.findall(rb"/Type\s*/Page\b", printed.read_bytes())) == 1, page.title
