"""What holds for charts of any data, frame to frame.

Order does not matter, groups know nothing of one another, and what comes after the baseline moves nothing.
"""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import brightspot as bs

KINDS = ["run", "i", "mr", "ip", "xbar", "r", "s", "p", "pp", "u", "up", "c", "np", "g", "t", "ewma", "cusum"]
SIZED = {"ip", "p", "pp", "u", "up", "np"}
SUBGROUPS = {"xbar", "r", "s"}
# Few examples for each of many kinds: every first chart of a length draws its law.
FEW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def tables(draw, kind):
    """Rows of up to four schools; several rows a time for kinds of subgroups; some without a value."""
    n_times = draw(st.integers(3, 14))
    schools = draw(st.lists(st.sampled_from(["007", "010", "9", "A", ""]), min_size=1, max_size=4, unique=True))
    per_time = 3 if kind in SUBGROUPS else 1
    rows = []
    for school in schools:
        for time in range(n_times):
            for _ in range(per_time):
                value = draw(st.one_of(st.none(), st.integers(0, 20))) if per_time == 1 else draw(st.integers(0, 20))
                rows.append((school, time, value, draw(st.integers(20, 60))))
    return pl.DataFrame(rows, schema={"school": pl.String, "t": pl.Int64, "y": pl.Int64, "n": pl.Int64}, orient="row")


def chart(frame, kind, **more):
    named = {"value": "y", "time": "t", "by": "school", "size": "n" if kind in SIZED else None, **more}
    if kind == "run":
        return bs.run_chart(frame, **named)
    return bs.control_chart(frame, kind=kind, rules=["shewhart", "anhoej"], **named)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@FEW
def test_the_order_of_rows_and_groups_does_not_matter(kind, data):
    frame = data.draw(tables(kind))
    mixed = frame[data.draw(st.permutations(range(frame.height)))]
    one, other = chart(frame, kind), chart(mixed, kind)
    # Sums are taken in the order of the rows of a subgroup.
    for ours, theirs in [(one.points, other.points), (one.summary, other.summary), (one.signals, other.signals)]:
        assert_frame_equal(ours, theirs, rel_tol=1e-9, abs_tol=1e-9)
    notes = [{note.code: note.count for note in made.notes} for made in (one, other)]
    assert {**notes[0], "sorted_by_time": 0} == {**notes[1], "sorted_by_time": 0}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@FEW
def test_each_group_alone_equals_all_together(kind, data):
    frame = data.draw(tables(kind))
    baseline = data.draw(st.one_of(st.none(), st.integers(2, 10)))
    together = chart(frame, kind, baseline=baseline)
    alone = [chart(part, kind, baseline=baseline) for _, part in sorted(frame.group_by("school"))]
    assert_frame_equal(together.points, pl.concat([one.points for one in alone]))
    # The q-value is of all charts by its nature, and a column of none has no type of its own.
    summary = together.summary.drop("q_value", strict=False)
    assert_frame_equal(summary, pl.concat([one.summary for one in alone]))
    assert_frame_equal(together.signals, pl.concat([one.signals for one in alone]))


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@FEW
def test_what_follows_the_baseline_never_moves_the_lines(kind, data):
    frame = data.draw(tables(kind))
    b = data.draw(st.integers(2, 12))
    is_later = pl.col("t") >= b
    changed = frame.with_columns(y=pl.when(is_later & pl.col("y").is_not_null()).then(20 - pl.col("y")).otherwise("y"))
    ours, theirs = chart(frame, kind, baseline=b).points, chart(changed, kind, baseline=b).points
    assert_frame_equal(ours.select("center", "lcl", "ucl"), theirs.select("center", "lcl", "ucl"))


@pytest.mark.parametrize("kind", ["run", "i", "xbar", "ewma"])
@given(data=st.data())
@FEW
def test_shift_scale_and_mirror(kind, data):
    frame = data.draw(tables(kind))
    shift, scale = data.draw(st.integers(-64, 64)), data.draw(st.sampled_from([-4, -1, 2]))
    moved = frame.with_columns(y=pl.col("y") * scale + shift)
    ours, theirs = chart(frame, kind).points, chart(moved, kind).points
    lower, upper = ("lcl", "ucl") if scale > 0 else ("ucl", "lcl")
    expected = ours.select(
        value=pl.col("value") * scale + shift,
        center=pl.col("center") * scale + shift,
        lcl=pl.col(lower) * scale + shift,
        ucl=pl.col(upper) * scale + shift,
    )
    assert_frame_equal(theirs.select("value", "center", "lcl", "ucl"), expected, rel_tol=1e-9, abs_tol=1e-7)
