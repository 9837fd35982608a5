"""How fast, beside what people use today: CPU seconds, the best of three, all in one run.

`make bench` runs it. Peers that are installed are measured (statprocon and pycontrolcharts for charts; qicharts2,
NHSRplotthedots and qcc where R has them; statsmodels for the model); others are left out, and said to be.
"""

from __future__ import annotations

import hashlib
import importlib.util
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

import brightspot as bs

N_CHARTS, N_POINTS = 10_000, 36
# Peers draw fewer charts; what they take is scaled up.
N_PEER = 500


def cost(work, repeats=3):
    """CPU seconds of all threads: the best of several, and the first."""
    best, first = float("inf"), None
    for _ in range(repeats):
        start = time.process_time()
        work()
        spent = time.process_time() - start
        first = spent if first is None else first
        best = min(best, spent)
    return best, first


def line(what, seconds, against=None, first=None):
    """One row of the table."""
    ratio = "" if against is None else f"{seconds / against:10.1f} x"
    told = "" if first is None else f"   (first call {first:.3f} s)"
    print(f"{what:<66}{seconds:10.4f} s{ratio}{told}", flush=True)


def charts():
    """Ten thousand charts of 36 points, frame to frame."""
    rng = np.random.default_rng(1)
    frame = pl.DataFrame(
        {
            "unit": np.repeat([f"u{i:05d}" for i in range(N_CHARTS)], N_POINTS),
            "t": np.tile(np.arange(N_POINTS), N_CHARTS),
            "y": rng.normal(size=N_CHARTS * N_POINTS),
            "absent": rng.binomial(100, 0.08, size=N_CHARTS * N_POINTS),
            "enrolled": rng.integers(90, 111, size=N_CHARTS * N_POINTS),
        }
    )
    print(f"{N_CHARTS:,} charts of {N_POINTS} points")
    keys = {"time": "t", "by": "unit"}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ours, first = cost(lambda: bs.run_chart(frame, value="y", **keys))
    line("brightspot.run_chart", ours, first=first)
    works = {
        "brightspot.control_chart, kind i": lambda: bs.control_chart(frame, kind="i", value="y", **keys),
        "brightspot.control_chart, kind i, nelson's eight rules": lambda: bs.control_chart(
            frame, kind="i", value="y", rules="nelson", **keys
        ),
        "brightspot.control_chart, kind i, baseline of 12": lambda: bs.control_chart(
            frame, kind="i", value="y", baseline=12, **keys
        ),
        "brightspot.control_chart, kind pp": lambda: bs.control_chart(
            frame, kind="pp", value="absent", size="enrolled", **keys
        ),
    }
    for what, work in works.items():
        spent, first = cost(work)
        line(what, spent, ours, first)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"peak memory beyond the input: {used / 1024:.0f} MB (the input takes {frame.estimated_size('mb'):.0f} MB)")
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=1)
    line("brightspot.run_chart, rows shuffled", cost(lambda: bs.run_chart(shuffled, value="y", **keys))[0], ours)
    median = cost(lambda: frame.group_by("unit").agg(pl.col("y").median()))[0]
    line("polars, the grouped median alone", median, ours)
    python_peers(frame.head(N_PEER * N_POINTS), ours)
    r_peers(frame.head(N_PEER * N_POINTS), ours)


def python_peers(some, ours):
    """What a Python user has: limits alone, one chart after another."""
    if importlib.util.find_spec("statprocon"):
        from statprocon import XmR

        values = [group["y"].to_list() for _, group in some.group_by("unit")]
        each = cost(lambda: [XmR(counts=one).to_dict() for one in values], 1)[0] / len(values)
        line(f"statprocon.XmR, limits alone ({N_PEER} charts, scaled up)", each * N_CHARTS, ours)
    else:
        print("statprocon is not installed: left out")
    if importlib.util.find_spec("pycontrolcharts"):
        from pycontrolcharts import calc_xmr

        frames = [group.select("t", "y").to_pandas() for _, group in some.group_by("unit")]
        each = cost(lambda: [calc_xmr(one, "y", "t") for one in frames], 1)[0] / len(frames)
        line(f"pycontrolcharts.calc_xmr ({N_PEER} charts, scaled up)", each * N_CHARTS, ours)
    else:
        print("pycontrolcharts is not installed: left out")


R_PEERS = {
    "qicharts2": "qicharts2::qic(t, y, data = d[d$unit == u, ], chart = 'i', return.data = TRUE)",
    "NHSRplotthedots": "NHSRplotthedots::ptd_spc(d[d$unit == u, ], value_field = y, date_field = day)",
    "qcc": "qcc::qcc(d$y[d$unit == u], type = 'xbar.one', plot = FALSE)",
}


def r_peers(some, ours):
    """What an R user has, where R is there: CPU seconds of R itself, without its start."""
    if shutil.which("Rscript") is None:
        print("R is not installed: qicharts2, NHSRplotthedots and qcc left out")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "charts.csv"
        some.select("unit", "t", "y").write_csv(path)
        for package, call in R_PEERS.items():
            script = (
                f"if (!requireNamespace('{package}', quietly = TRUE)) quit(status = 3);"
                f"d <- read.csv('{path}'); d$day <- as.Date('2020-01-01') + 7 * d$t; us <- head(unique(d$unit), 100);"
                f"s <- system.time(for (u in us) {call}); cat(s[['user.self']] / length(us))"
            )
            ran = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=False)
            if ran.returncode:
                print(f"{package} cannot be run: left out")
            else:
                line(f"{package} (100 charts, scaled up)", float(ran.stdout) * N_CHARTS, ours)


def models():
    """Students in classes: 200,000 in 8,000."""
    rng = np.random.default_rng(1)
    n, classes = 200_000, 8_000
    teacher = rng.integers(0, classes, n)
    prior = rng.normal(size=n)
    y = 0.7 * prior + rng.normal(0, 0.3, classes)[teacher] + rng.normal(0, 0.6, n)
    frame = pl.DataFrame({"teacher": [f"T{t:05d}" for t in teacher], "prior": prior, "y": y})
    print(f"\n{n:,} students of {classes:,} teachers")
    ours, _ = cost(lambda: bs.mixed_model(frame, outcome="y", fixed="prior", random="teacher").effects())
    line("brightspot.mixed_model with effects and both their SDs", ours)
    spots, _ = cost(lambda: bs.bright_spots(frame, outcome="y", unit="teacher", adjust="prior"), 1)
    line("brightspot.bright_spots", spots, ours)
    if importlib.util.find_spec("statsmodels"):
        import statsmodels.api as sm

        design = sm.add_constant(prior)
        theirs, _ = cost(lambda: sm.MixedLM(y, design, groups=teacher).fit(), 1)
        line("statsmodels.MixedLM, without effects", theirs, ours)
    else:
        print("statsmodels is not installed: left out")


N_EVENTS = 100_000


def journal():
    """Opening a journal of 100,000 events and reading one cycle: wall seconds, the best of several."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plc.db"
        id = large_journal(path)
        started = time.perf_counter()
        bs.Journal(path).close()
        line("brightspot.Journal, the index made on the first opening", time.perf_counter() - started)
        waits = []
        for _ in range(7):
            started = time.perf_counter()
            with bs.Journal(path) as opened:
                opened.cycle(id)
            waits.append(time.perf_counter() - started)
        print(f"{N_EVENTS:,} events in a file of {path.stat().st_size / 2**20:.0f} MB")
        line("brightspot.Journal, opened and one cycle read", min(waits))
        with bs.Journal(path) as opened:
            started = time.perf_counter()
            opened.verify()
            line("brightspot.Journal.verify, all events", time.perf_counter() - started)


def large_journal(path):
    """A journal of many cycles, as if one writer had written them in one go; the id of one in the middle."""
    plan = bs.Plan(
        aim="Fractions secure by winter",
        change="Number talks",
        outcome=bs.Measure("exit ticket", value="score"),
        predictions=[bs.Prediction("exit ticket", at_least=3.0, belief=0.7)],
        baseline=("2026-09-01", "2026-10-25"),
        test=("2026-10-26", "2026-12-11"),
    )
    tickets = bs.datasets.district(seed=1).exit_tickets.filter(plc_id="S02-G5")
    with bs.Journal(path) as opened:
        id = opened.draft(plan, by="Kim").id
        opened.lock(id, by="Kim", at="2026-10-25")
        opened.start(id, by="Kim")
        opened.do(id, as_planned="fully", by="Kim")
        opened.study(id, tickets, as_of="2026-12-14")
        opened.decide(id, "adopt", by="Kim")
    file = sqlite3.connect(path)
    model = file.execute("SELECT kind, version, at, by, payload FROM events ORDER BY seq").fetchall()
    rows, previous = [], "0" * 64
    for seq in range(1, N_EVENTS + 1):
        cycle, (kind, version, at, by, payload) = f"c{(seq - 1) // len(model)}", model[(seq - 1) % len(model)]
        parts = [previous, str(seq), cycle, kind, str(version), at, by]
        hash = hashlib.sha256()
        for part in [*(part.encode() for part in parts), payload]:
            hash.update(len(part).to_bytes(8, "big") + part)
        rows.append((seq, cycle, kind, version, at, by, payload, hash.hexdigest(), previous))
        previous = hash.hexdigest()
    # As version 1 of the tables had it: opening it brings it up to date.
    with file:
        file.executescript("DROP TRIGGER events_are_not_deleted; DELETE FROM events; DROP TABLE ideas")
        file.executescript("DROP INDEX events_by_kind; UPDATE meta SET value = '1' WHERE key = 'schema_version'")
        file.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        file.execute("UPDATE meta SET value = ? WHERE key = 'last_hash'", [previous])
    file.close()
    return f"c{N_EVENTS // len(model) // 2}"


if __name__ == "__main__":
    parts = {"charts": charts, "models": models, "journal": journal}
    for name in sys.argv[1:] or parts:
        parts[name]()
