"""How fast, beside what people use today: CPU seconds, the best of three, all in one run.

`make bench` installs the peers of benches/requirements.txt (statprocon and pycontrolcharts for charts, statsmodels for
the model) and runs it. qicharts2, NHSRplotthedots and qcc are measured where R has them; what is not there is left out,
and said to be.
"""

from __future__ import annotations

import hashlib
import importlib.util
import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
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


def stable_charts(n_charts):
    """Charts on which nothing happens."""
    rng = np.random.default_rng(1)
    return pl.DataFrame(
        {
            "unit": np.repeat([f"u{i:06d}" for i in range(n_charts)], N_POINTS),
            "t": np.tile(np.arange(N_POINTS), n_charts),
            "y": rng.normal(size=n_charts * N_POINTS),
            "absent": rng.binomial(100, 0.08, size=n_charts * N_POINTS),
            "enrolled": rng.integers(90, 111, size=n_charts * N_POINTS),
        }
    )


def memory():
    """The peak beyond what is there before, in a process of its own that has drawn a chart (Linux)."""
    frame = stable_charts(N_CHARTS)
    keys = {"value": "y", "time": "t", "by": "unit"}
    bs.control_chart(frame.head(N_POINTS), kind="i", **keys)
    peak, chart = peak_of(lambda: bs.control_chart(frame, kind="i", **keys))
    result = sum(table.estimated_size("mb") for table in (chart.points, chart.summary, chart.signals))
    given = frame.estimated_size("mb")
    print(f"peak memory of kind i: {peak} MB beyond the input ({given:.0f} MB), the result {result:.0f} MB among it")


def peak_of(work):
    """The peak of memory beyond what is there before, in MB (Linux; else it is not told), and what came of the work."""
    status = Path("/proc/self/status")
    if not status.exists():
        return "an unknown number of", work()

    def now(what):
        return next(int(row.split()[1]) for row in status.read_text().splitlines() if row.startswith(what)) / 1024

    Path("/proc/self/clear_refs").write_text("5")
    before = now("VmRSS")
    result = work()
    return f"{now('VmHWM') - before:.0f}", result


def charts():
    """Ten thousand charts of 36 points, frame to frame."""
    frame = stable_charts(N_CHARTS)
    print(f"{N_CHARTS:,} charts of {N_POINTS} points")
    keys = {"time": "t", "by": "unit"}
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
    for n_charts in (1_000, 100_000):
        some = stable_charts(n_charts)
        spent, _ = cost(lambda some=some: bs.run_chart(some, value="y", **keys))
        line(f"brightspot.run_chart, {n_charts:,} charts", spent)
    subprocess.run([sys.executable, __file__, "memory"], check=True)
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
        each = cost(lambda: [calc_xmr(one, value_column="y", label="t") for one in frames], 1)[0] / len(frames)
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


def state(n, seed=1):
    """A state: n students of n / 25 teachers in n / 667 schools, with three covariates and text ids."""
    rng = np.random.default_rng(seed)
    teachers, schools = n // 25, max(n // 667, 2)
    teacher = rng.permutation(n) % teachers
    school = teacher % schools
    prior, lunch, grade = rng.normal(size=n), rng.integers(0, 2, n).astype(float), rng.normal(size=n)
    y = 0.1 + 0.65 * prior - 0.15 * lunch + 0.81 * grade + rng.normal(0, 0.6, n)
    y += rng.normal(0, 0.18, teachers)[teacher] + rng.normal(0, 0.2, schools)[school]
    ids = pl.DataFrame({"teacher": [f"T{t:06d}" for t in range(teachers)]})
    places = pl.DataFrame({"school": [f"S{s:05d}" for s in range(schools)]})
    frame = pl.DataFrame({"y": y, "prior": prior, "lunch": lunch, "grade": grade})
    return frame.with_columns(ids[teacher]["teacher"], places[school]["school"]).rechunk()


def ratings(n=73_421, students=2_972, lecturers=1_128, seed=2):
    """Ratings of lecturers by students, crossed, as large as InstEval (Bates et al. 2015)."""
    rng = np.random.default_rng(seed)
    student, lecturer = rng.integers(0, students, n), (lecturers * rng.beta(0.8, 1.4, n)).astype(int)
    y = 3.3 + rng.normal(0, 0.33, students)[student] + rng.normal(0, 0.52, lecturers)[lecturer] + rng.normal(0, 1.18, n)
    service = rng.integers(0, 2, n).astype(float)
    return pl.DataFrame({"y": y, "service": service, "s": [f"s{i}" for i in student], "d": [f"d{i}" for i in lecturer]})


def as_text(frame, *columns):
    """Ids as text, as files have them."""
    return frame.with_columns(pl.col(column).cast(pl.String) for column in columns)


def models():
    """Students in classes, schools and across lecturers: from a frame with text ids to effects with both their SDs."""
    covariates = ["prior", "lunch", "grade"]
    small, large = state(31_022, 3), state(1_000_000)
    folder = Path(os.environ.get("BRIGHTSPOT_REFERENCE", "")) / "bright-spots" / "data"
    cases = {
        "31,022 students in 1,240 classes": (small, "y", covariates, "teacher"),
        "1,000,000 students of 40,000 teachers": (large, "y", covariates, "teacher"),
        "the same nested in 1,499 schools": (large, "y", covariates, "school/teacher"),
        "the same without any difference between schools": (
            large.with_columns(y=pl.col("y") - pl.col("y").mean().over("school")),
            "y",
            covariates,
            "school/teacher",
        ),
        "73,421 ratings, crossed": (ratings(), "y", ["service"], ["s", "d"]),
    }
    if (folder / "Chem97.parquet").exists():
        chem = as_text(pl.read_parquet(folder / "Chem97.parquet"), "school")
        cases["Chem97: 31,022 students in 2,410 schools"] = (chem, "score", ["gcsecnt", "gender", "age"], "school")
        ratings_of = as_text(pl.read_parquet(folder / "InstEval.parquet"), "s", "d")
        cases["InstEval: 73,421 ratings, crossed"] = (ratings_of, "y", ["service"], ["s", "d"])
    for what, (frame, outcome, fixed, random) in cases.items():

        def work(frame=frame, outcome=outcome, fixed=fixed, random=random):
            model = bs.mixed_model(frame, outcome=outcome, fixed=fixed, random=random)
            return [model.effects(factor) for factor in model.factors], model.summary

        peak, summary = in_fresh_process(model_peak, frame, outcome, fixed, random), work()[1]
        ours, first = cost(work)
        print(f"\n{what}: {frame.estimated_size('mb'):.0f} MB, {peak} MB more at the peak; {summary}")
        line("brightspot.mixed_model with effects and both their SDs", ours, first=first)
        model_peers(frame, outcome, fixed, random, ours)


def in_fresh_process(what, frame, *more):
    """`what` on the frame where nothing was freed before, so that no memory is there to be used again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        frame.write_parquet(path)
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            return pool.submit(what, path, *more).result()


def model_peak(path, outcome, fixed, random):
    """The peak beyond the frame, in MB, of a model with its effects."""
    frame = pl.read_parquet(path)
    # What the first call takes, whatever its size, is not this frame's.
    bs.mixed_model(frame.head(1000), outcome=outcome, fixed=fixed, random=random).effects()

    def work():
        model = bs.mixed_model(frame, outcome=outcome, fixed=fixed, random=random)
        return [model.effects(factor) for factor in model.factors]

    return peak_of(work)[0]


def spots_peak(path, asked):
    """The peak beyond the frame, in MB, of a search for bright spots."""
    frame = pl.read_parquet(path)
    bs.bright_spots(frame.head(1000), **asked)
    return peak_of(lambda: bs.bright_spots(frame, **asked))[0]


def model_peers(frame, outcome, fixed, random, ours):
    """statsmodels for one factor (slow: small frames only) and lme-python (lme-rs), where they are installed."""
    is_single = isinstance(random, str) and "/" not in random
    if is_single and frame.height < 100_000 and importlib.util.find_spec("statsmodels"):
        import statsmodels.api as sm

        design = sm.add_constant(
            frame.select(fixed)
            .with_columns(pl.col(pl.String).cast(pl.Categorical).to_physical())
            .cast(pl.Float64)
            .to_numpy()
        )
        groups, y = frame[random].to_physical().to_numpy(), frame[outcome].to_numpy()
        line(
            "statsmodels.MixedLM, without effects", cost(lambda: sm.MixedLM(y, design, groups=groups).fit(), 1)[0], ours
        )
    if importlib.util.find_spec("lme_python"):
        import lme_python

        factors = [random] if isinstance(random, str) else random
        formula = f"{outcome} ~ {' + '.join(fixed)} + {' + '.join(f'(1 | {f})' for f in factors)}"
        line("lme-python, without SDs of effects", cost(lambda: lme_python.lmer(formula, frame).ranef, 1)[0], ours)


def growth():
    """Whether cost grows linearly to ten million rows."""
    for n in (100_000, 1_000_000, 10_000_000):
        frame = state(n)
        for random in ("teacher", "school/teacher"):
            spent, _ = cost(lambda: bs.mixed_model(frame, outcome="y", fixed="prior", random=random).effects(), 2)  # noqa: B023
            print(f"{n:>12,} rows, {random:<16}{spent:8.3f} s   {1e9 * spent / n:6.0f} ns a row", flush=True)


def spots():
    """Students in classes: 1,000,000 in 40,000, with three conditions; without years, and over three of them."""
    rng = np.random.default_rng(2)
    n, classes = 1_000_000, 40_000
    teacher, year = rng.integers(0, classes, n), rng.integers(2023, 2026, n)
    prior, frl, el = rng.normal(size=n), rng.integers(0, 2, n), rng.integers(0, 2, n)
    y = 0.7 * prior - 0.1 * frl - 0.1 * el + rng.normal(0, 0.3, classes)[teacher] + rng.normal(0, 0.6, n)
    names = [f"T{t:05d}" for t in teacher]
    frame = pl.DataFrame({"teacher": names, "year": year, "prior": prior, "frl": frl, "el": el, "y": y})
    adjust = ["prior", "frl", "el"]
    print(f"\n{n:,} students of {classes:,} teachers, three conditions")
    model, _ = cost(lambda: bs.mixed_model(frame, outcome="y", fixed=adjust, random="teacher").effects(), 1)
    line("brightspot.mixed_model with effects and both their SDs", model)
    asked = {"outcome": "y", "unit": "teacher", "adjust": adjust}
    line("brightspot.bright_spots", cost(lambda: bs.bright_spots(frame, **asked), 1)[0], model)
    line(
        "brightspot.bright_spots over 3 years",
        cost(lambda: bs.bright_spots(frame, **asked, period="year"), 1)[0],
        model,
    )
    for what, more in (("", {}), (" over 3 years", {"period": "year"})):
        peak = in_fresh_process(spots_peak, frame, {**asked, **more})
        print(f"peak memory{what}: {peak} MB beyond the input ({frame.estimated_size('mb'):.0f} MB)")


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
    parts = {"charts": charts, "models": models, "spots": spots, "growth": growth, "memory": memory, "journal": journal}
    for name in sys.argv[1:] or ("charts", "models", "spots", "journal"):
        parts[name]()
