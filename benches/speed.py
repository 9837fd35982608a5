"""How fast, beside what people use today: CPU seconds, the best of three, all in one run.

`make bench` runs it. Peers that are installed are measured (statprocon for charts, statsmodels for the model); others
are left out, and said to be.
"""

from __future__ import annotations

import importlib.util
import time

import numpy as np
import polars as pl

import brightspot as bs

N_CHARTS, N_POINTS = 10_000, 36


def cost(work, repeats=3):
    """CPU seconds of all threads."""
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def line(what, seconds, against=None):
    """One row of the table."""
    ratio = "" if against is None else f"{seconds / against:10.1f} x"
    print(f"{what:<66}{seconds:10.4f} s{ratio}", flush=True)


def charts():
    """Ten thousand run charts of 36 points, frame to frame."""
    rng = np.random.default_rng(1)
    frame = pl.DataFrame(
        {
            "unit": np.repeat([f"u{i:05d}" for i in range(N_CHARTS)], N_POINTS),
            "t": np.tile(np.arange(N_POINTS), N_CHARTS),
            "y": rng.normal(size=N_CHARTS * N_POINTS),
        }
    )
    print(f"{N_CHARTS:,} charts of {N_POINTS} points")
    ours = cost(lambda: bs.run_chart(frame, value="y", time="t", by="unit"))
    line("brightspot.run_chart, own median", ours)
    line(
        "brightspot.run_chart, baseline of 12",
        cost(lambda: bs.run_chart(frame, value="y", time="t", by="unit", baseline=12)),
        ours,
    )
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=1)
    line(
        "brightspot.run_chart, rows shuffled",
        cost(lambda: bs.run_chart(shuffled, value="y", time="t", by="unit")),
        ours,
    )
    line("polars, the grouped median alone", cost(lambda: frame.group_by("unit").agg(pl.col("y").median())), ours)
    if importlib.util.find_spec("statprocon"):
        from statprocon import XmR

        some = [group["y"].to_list() for _, group in frame.head(500 * N_POINTS).group_by("unit")]
        each = cost(lambda: [XmR(counts=values).to_dict() for values in some], 1) / len(some)
        line("statprocon.XmR, limits alone (500 charts, scaled up)", each * N_CHARTS, ours)
    else:
        print("statprocon is not installed: left out")


def models():
    """Students in classes: 200,000 in 8,000."""
    rng = np.random.default_rng(1)
    n, classes = 200_000, 8_000
    teacher = rng.integers(0, classes, n)
    prior = rng.normal(size=n)
    y = 0.7 * prior + rng.normal(0, 0.3, classes)[teacher] + rng.normal(0, 0.6, n)
    frame = pl.DataFrame({"teacher": [f"T{t:05d}" for t in teacher], "prior": prior, "y": y})
    print(f"\n{n:,} students of {classes:,} teachers")
    ours = cost(lambda: bs.mixed_model(frame, outcome="y", fixed="prior", random="teacher").effects())
    line("brightspot.mixed_model with effects and both their SDs", ours)
    spots = cost(lambda: bs.bright_spots(frame, outcome="y", unit="teacher", adjust="prior"), 1)
    line("brightspot.bright_spots", spots, ours)
    if importlib.util.find_spec("statsmodels"):
        import statsmodels.api as sm

        design = sm.add_constant(prior)
        theirs = cost(lambda: sm.MixedLM(y, design, groups=teacher).fit(), 1)
        line("statsmodels.MixedLM, without effects", theirs, ours)
    else:
        print("statsmodels is not installed: left out")


if __name__ == "__main__":
    charts()
    models()
