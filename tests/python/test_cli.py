"""The command line: the demonstration writes what it says, and an error is a sentence."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import polars as pl
import pytest
from typer.testing import CliRunner

import brightspot as bs
from brightspot.cli import app, main

RUN = CliRunner()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    first = RUN.invoke(app, ["demo", "--out", str(folder)])
    assert first.exit_code == 0, first.output
    return folder, " ".join(first.output.split())


def test_the_demonstration_writes_what_it_says(demo):
    folder, said = demo
    written = {path.name for path in folder.iterdir()}
    assert {name for name in written if f" {name}" in said} >= {name for name in written if name != "plc.db"} - {
        f"plc.db-{end}" for end in ("wal", "shm")
    }
    for page in folder.glob("*.html"):
        assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    for picture in folder.glob("*.png"):
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_demonstration_finds_what_is_true(demo):
    _, said = demo
    assert "The truth: absence really shifted in S02, S08 and S10." in said
    assert "15 of the 15 planted teachers are among them" in said
    assert "Adopt it at this scale" in said
    assert "The truth: no change at all: what moved is luck." in said
    assert "no more than chance explains" in said


def test_a_second_demonstration_says_the_same(demo):
    folder, said = demo
    again = " ".join(RUN.invoke(app, ["demo", "--out", str(folder)]).output.split())
    assert again.split("Done in")[0] == said.split("Done in")[0]


def test_verify_says_what_it_found(demo, monkeypatch, capsys):
    folder, _ = demo
    journal = folder / "plc.db"
    assert "10 events, all as they were written" in RUN.invoke(app, ["verify", str(journal)]).output
    with sqlite3.connect(journal) as altered:
        altered.execute("DROP TRIGGER IF EXISTS events_are_never_changed")
        for (name,) in altered.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            altered.execute(f'DROP TRIGGER "{name}"')
        altered.execute("UPDATE events SET by = 'somebody else' WHERE seq = 3")
    altered.close()
    monkeypatch.setattr("sys.argv", ["brightspot", "verify", str(journal)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 1
    assert "is not what was written" in capsys.readouterr().err


def test_the_version_is_the_package_s():
    assert RUN.invoke(app, ["--version"]).output.strip() == bs.__version__


def test_a_journal_that_is_not_there_is_not_made(tmp_path):
    path = tmp_path / "none.db"
    assert RUN.invoke(app, ["verify", str(path)]).exit_code != 0
    assert not path.exists()


# --- brightspot chart -------------------------------------------------------------------------------------------------

ATTENDANCE = [
    (school, f"2026-{month:02}-{day:02}", absent, 100)
    for school, later in (("0012", 10), ("0107", 30))
    for i, (month, day) in enumerate([(m, d) for m in range(1, 7) for d in (5, 12, 19, 26)])
    for absent in [(10 if i < 12 else later) + i % 3]
]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "attendance.csv"
    frame = pl.DataFrame(ATTENDANCE, schema=["school", "week", "absent", "enrolled"], orient="row")
    frame.write_csv(path)
    return path


def chart(table, *more):
    named = ["--value", "absent", "--size", "enrolled", "--time", "week", "--by", "school", "--direction", "down"]
    return RUN.invoke(app, ["chart", str(table), *named, *more])


def test_a_chart_of_a_file_says_what_it_shows(table):
    said = chart(table, "--kind", "p", "--baseline", "12")
    assert said.exit_code == 0, said.output
    quiet, loud, *_ = said.output.splitlines()
    # Numbers of schools keep their zeros.
    assert quiet.startswith("0012: ")
    assert "No sign of change" in quiet
    assert loud.startswith("0107: ")
    assert "worse" in loud.lower()


@pytest.mark.parametrize("baseline", ["12", "2026-01-01..2026-03-26"])
def test_a_baseline_by_count_and_by_dates_is_the_same(table, tmp_path, baseline):
    assert chart(table, "--kind", "p", "--baseline", baseline, "--out", str(tmp_path / "all")).exit_code == 0
    points = pl.read_csv(tmp_path / "all" / "points.csv", schema_overrides={"school": pl.String})
    assert points.group_by("school").agg(pl.col("is_baseline").sum()).sort("school").rows() == [
        ("0012", 12),
        ("0107", 12),
    ]
    assert points.filter(school="0107")["signals"].str.contains("beyond_limits").sum() == 12
    frame = pl.read_csv(table, schema_overrides={"school": pl.String}, try_parse_dates=True)
    drawn = bs.control_chart(
        frame, kind="p", value="absent", size="enrolled", time="week", by="school", baseline=12, direction="down"
    )
    assert points["ucl"].to_list() == pytest.approx(drawn.points["ucl"].to_list(), rel=1e-12)


def test_pictures_and_tables_are_written(table, tmp_path):
    folder = tmp_path / "new" / "all"
    said = chart(table, "--annotate", "2026-04-05=tutoring starts", "--title", "Absence", "--out", str(folder))
    assert said.exit_code == 0, said.output
    assert {path.name for path in folder.iterdir()} == {
        "chart.png", "chart.svg", "chart.html", "summary.csv", "points.csv", "signals.csv",
    }  # fmt: skip
    assert (folder / "chart.png").read_bytes().startswith(b"\x89PNG")
    assert "tutoring starts" in (folder / "chart.svg").read_text(encoding="utf-8")
    assert "https://cdn" not in (folder / "chart.html").read_text(encoding="utf-8")


def test_phases_are_named_on_the_command_line(table, tmp_path):
    assert chart(table, "--phase", "tutoring=2026-04-05", "--out", str(tmp_path / "all")).exit_code == 0
    assert pl.read_csv(tmp_path / "all" / "summary.csv")["phase"].to_list() == ["before", "tutoring"] * 2


def test_other_files_are_read_as_well(table, tmp_path):
    frame = pl.read_csv(table, schema_overrides={"school": pl.String}, try_parse_dates=True)
    frame.write_parquet(tmp_path / "same.parquet")
    frame.write_csv(tmp_path / "same.tsv", separator="\t")
    expected = chart(table).output
    assert chart(tmp_path / "same.parquet").output == expected == chart(tmp_path / "same.tsv").output


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--kind", "xmr"], "kind = 'xmr' is not possible"),
        (["--by", "clas"], 'there is no column "clas"'),
        (["--out", "chart.pdf"], "it must end in .png, .svg, .html, or be a folder"),
        (["--phase", "tutoring"], "--phase tutoring is not possible"),
        (["--phase", "tutoring=2062-04-05"], "between the first time of the data (2026-01-05)"),
        (["--baseline", "0"], "baseline = 0 is not possible"),
    ],
)
def test_what_cannot_be_is_a_sentence(table, monkeypatch, capsys, more, words):
    named = ["--value", "absent", "--time", "week", "--by", "school"]
    monkeypatch.setattr("sys.argv", ["brightspot", "chart", str(table), *named, *more])
    with pytest.raises(SystemExit) as left:
        main()
    error = capsys.readouterr().err
    assert left.value.code == 1
    assert error.startswith("brightspot: ")
    assert words in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("name", "words"),
    [("none.csv", "there is no file"), ("data.pdf", "cannot be read by its ending"), ("data.parquet", "as a table")],
)
def test_files_that_are_no_tables(tmp_path, name, words):
    path = tmp_path / name
    if not name.startswith("none"):
        path.write_text("no table", encoding="utf-8")
    said = chart(path)
    assert said.exit_code != 0
    assert words in str(said.exception)


def test_excel_without_its_reader_is_a_sentence(tmp_path, monkeypatch):
    path = tmp_path / "data.xlsx"
    path.write_bytes(b"PK")
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    said = chart(path)
    assert isinstance(said.exception, bs.exceptions.MissingDependencyError), said.exception
    assert "pip install fastexcel" in str(said.exception)


def test_the_package_runs_as_a_module(tmp_path):
    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "brightspot", *arguments], capture_output=True, text=True, check=False
        )

    asked = run("--help")
    assert asked.returncode == 0
    assert "Usage: python -m brightspot" in asked.stdout
    assert "demo" in asked.stdout
    # An error is a sentence here as well.
    (tmp_path / "notes.txt").write_text("no journal", encoding="utf-8")
    failed = run("verify", str(tmp_path / "notes.txt"))
    assert failed.returncode == 1
    assert failed.stderr.startswith("brightspot: ")
    assert "Traceback" not in failed.stderr
