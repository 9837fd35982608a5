"""The command line: the demonstration writes what it says, and an error is a sentence."""

from __future__ import annotations

import sqlite3

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
