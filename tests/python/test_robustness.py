"""Whatever comes in, there is a result or an error that teaches: no panic, no error of another library."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing.parametric import dataframes

import brightspot as bs

# A few cases each, always the same: this is a net for whole kinds of mistakes, and simulations belong elsewhere.
quick = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)

DTYPES: list[Any] = [
    pl.Int8, pl.Int64, pl.UInt8, pl.UInt64, pl.Int128, pl.Float32, pl.Float64, pl.Decimal(12, 3), pl.Boolean,
    pl.String, pl.Binary, pl.Categorical, pl.Enum(["no", "yes", "x"]), pl.Date, pl.Datetime("ns"), pl.Datetime("ms"),
    pl.Datetime("us", "America/Chicago"), pl.Time, pl.Duration("us"), pl.List(pl.Int64), pl.Array(pl.Float64, 2),
    pl.Struct({"a": pl.Int64}), pl.Null,
]  # fmt: skip

frames = dataframes(cols=5, min_cols=5, max_size=12, allowed_dtypes=DTYPES, allow_null=True, allow_chunks=True).map(
    lambda frame: frame.rename(dict(zip(frame.columns, "abcde", strict=True)))
)
columns = st.sampled_from(["a", "b", "c", "d", "e"])
some_columns = st.lists(columns, max_size=3)


def attempt(call, *arguments, **options) -> object | None:
    """Call, and take an error of ours for an answer. A panic of the core is no Exception and would come through."""
    caught = None
    try:
        result = call(*arguments, **options)
    except bs.BrightspotError as error:
        caught = error
    if caught is not None:
        assert str(caught)
        assert type(caught) is not bs.BrightspotError, "an error that no class is made for"
        return None
    assert result._repr_html_()
    assert repr(result)
    return result


@quick
@given(frames, columns, columns, some_columns, st.data())
def test_run_charts_of_anything(frame, value, time, by, data):
    optional = st.none() | columns
    options = {
        "size": data.draw(optional),
        "exclude": data.draw(optional),
        "baseline": data.draw(st.none() | columns | st.integers(-2, 30)),
        "phases": data.draw(st.none() | columns | st.integers(-2, 30) | st.lists(st.integers(-2, 9), max_size=3)),
        "target": data.draw(st.none() | columns | st.floats()),
        "direction": data.draw(st.sampled_from(["up", "down", "neutral", "sideways", "e"])),
        "aggregate": data.draw(st.sampled_from([None, "mean", "median", "sum"])),
    }
    chart = attempt(bs.run_chart, frame, value=value, time=time, by=by, **options)
    if chart is not None:
        assert chart.points.height <= frame.height
        assert list(chart.sentences()) is not None


@quick
@given(frames, columns, some_columns, st.lists(columns, min_size=1, max_size=2), st.sampled_from(["reml", "ml"]))
def test_mixed_models_of_anything(frame, outcome, fixed, random, method):
    model = attempt(bs.mixed_model, frame, outcome=outcome, fixed=fixed, random=random, method=method)
    if model is not None:
        for factor in model.factors:
            assert model.effects(factor)["reliability"].is_between(0, 1).all()
        assert model.n_obs <= frame.height


@quick
@given(frames, columns, columns, some_columns, some_columns, st.none() | columns, st.none() | st.floats(0, 1e3))
def test_bright_spots_of_anything(frame, outcome, unit, within, adjust, period, threshold):
    found = attempt(
        bs.bright_spots,
        frame,
        outcome=outcome,
        unit=unit,
        within=within,
        adjust=adjust,
        period=period,
        threshold=threshold,
        min_n=1,
    )
    if found is not None:
        assert found.sentences()
        for row in found.units.iter_rows(named=True):
            assert found.explain(row[unit], [row[group] for group in within]).text


@quick
@given(
    frames, columns, columns, st.none() | columns, st.sampled_from(["mean", "proportion", "rate", "count", "median"])
)
def test_studies_of_anything(frame, value, time, size, kind):
    try:
        measure = bs.Measure("score", value=value, time=time, size=size, kind=kind)
    except bs.BrightspotError:
        return
    plan = bs.Plan(
        aim="Scores rise",
        change="Begin with a worked example",
        outcome=measure,
        predictions=[bs.Prediction("score", direction="improve", belief=0.6)],
        baseline=("0001-01-01", "1999-12-31"),
        test=("2000-01-01", "9999-12-30"),
    )
    study = attempt(bs.study, plan, frame, "9999-12-31", locked_at="1999-12-31", doing=bs.Doing("fully"))
    if study is not None:
        assert study.sentences()
        assert bs.Study.from_dict(study.to_dict()) == study


# Numbers that are hard on arithmetic, many at once.
hard = st.sampled_from([0.0, -0.0, 1.0, 1e-300, -1e300, 1.7e308, 5e-324, 1e16, 1e16 + 2, float("nan"), float("inf")])
rows = st.integers(3, 40)


@quick
@given(rows, st.data())
def test_numbers_that_are_hard_on_arithmetic(n, data):
    values = data.draw(st.lists(hard | st.none(), min_size=n, max_size=n))
    sizes = data.draw(st.lists(hard | st.none(), min_size=n, max_size=n))
    frame = pl.DataFrame(
        {
            "value": values,
            "size": sizes,
            "week": range(n),
            "date": [date(2026, 1, 1 + i % 28) for i in range(n)],
            "unit": [i % 5 for i in range(n)],
            "group": [i % 5 // 3 for i in range(n)],
        },
        schema_overrides={"value": pl.Float64, "size": pl.Float64},
    )
    attempt(bs.run_chart, frame, value="value", size="size", time="week")
    attempt(bs.run_chart, frame, value="value", time="week", target=data.draw(hard), baseline=3)
    attempt(bs.run_chart, frame, value="value", time="date", aggregate="mean")
    attempt(bs.mixed_model, frame, outcome="value", fixed="size", random="unit")
    attempt(bs.mixed_model, frame, outcome="value", random="group/unit")
    attempt(bs.bright_spots, frame, outcome="value", unit="unit", within="group", adjust="size", min_n=1)
    plan = bs.Plan(
        aim="Scores rise",
        change="Begin with a worked example",
        outcome=bs.Measure("score"),
        guards=[bs.Guard(bs.Measure("size", value="size"), margin=1.0)],
        predictions=[bs.Prediction("score", at_least=1.0)],
        baseline=("2026-01-01", "2026-01-14"),
        test=("2026-01-15", "2026-01-28"),
    )
    study = attempt(bs.study, plan, frame, "2026-02-01")
    if study is not None:
        assert bs.Study.from_dict(study.to_dict()) == study


times = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=12),
    st.dates(),
    st.datetimes(),
    st.sampled_from(["2026-01-05", "2026-02-30", "2026-01-05T08:00:00Z", ""]),
)
TIMES = {
    "whole": pl.Series("time", range(12)),
    "float": pl.Series("time", [i / 2 for i in range(12)]),
    "date": pl.Series("time", [date(2026, 1, 1 + i) for i in range(12)]),
    "moment": pl.Series("time", [datetime(2026, 1, 1 + i) for i in range(12)]),
    "extreme": pl.Series("time", [-(2**63), 2**63 - 1, *range(10)]),
    "old": pl.Series("time", [date(1, 1, 1), date(9999, 12, 31), *(date(2026, 1, 1 + i) for i in range(10))]),
}


@pytest.mark.parametrize("kind", TIMES)
@quick
@given(times, times)
def test_times_of_anything(kind, first, last):
    frame = pl.DataFrame([TIMES[kind], pl.Series("value", [float(i % 5) for i in range(12)])])
    attempt(bs.run_chart, frame, value="value", time="time", baseline=(first, last))
    attempt(bs.run_chart, frame, value="value", time="time", phases={"a": first, "b": last})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=6,
)


@quick
@given(
    st.sampled_from(["Measure", "Guard", "Prediction", "Task", "Plan", "Doing", "Decision", "Study", "Cycle"]),
    st.data(),
)
def test_records_of_anything(kind, data):
    record = getattr(bs, kind)
    names = list(record.__dataclass_fields__)
    given_fields = data.draw(st.dictionaries(st.sampled_from(names) | st.text(), anything, max_size=4))
    made = attempt(record.from_dict, given_fields)
    if made is not None:
        assert record.from_dict(made.to_dict()) == made
        assert hash(made) is not None
    attempt(record.from_dict, data.draw(anything))


arguments = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(columns, max_size=2)
)


@quick
@given(st.data())
def test_arguments_of_anything(data):
    frame = {"a": [1.0, 2.0, 4.0, 3.0] * 3, "b": list(range(12)), "c": ["x", "x", "y", "y"] * 3}

    def chosen(**usual: object) -> dict[str, Any]:
        broken = data.draw(st.sampled_from(sorted(usual)))
        return {**usual, broken: data.draw(arguments)}

    attempt(
        bs.run_chart,
        frame,
        **chosen(value="a", time="b", by=[], size=None, baseline=None, phases=None, exclude=None, target=None,
                 direction="up", aggregate=None, rules="anhoej"),
    )  # fmt: skip
    attempt(bs.mixed_model, frame, **chosen(outcome="a", fixed=[], random="c", method="reml"))
    attempt(
        bs.bright_spots,
        frame,
        **chosen(outcome="a", unit="c", within=[], adjust=[], period=None, threshold=None, fdr=0.1, min_n=1,
                 min_prob=0.8, rows="students", unit_of_value="points"),
    )  # fmt: skip
    attempt(bs.run_chart, data.draw(anything), value="a", time="b")
