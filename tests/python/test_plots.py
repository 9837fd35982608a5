"""Pictures: they are drawn without a warning whatever the data, show every point, and keep their words apart."""

from __future__ import annotations

import itertools
import json
import random
import re
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from xml.etree import ElementTree

import altair as alt
import polars as pl
import pytest
import vl_convert
from hypothesis import given
from hypothesis import strategies as st

import brightspot as bs
from brightspot import exceptions as ex
from brightspot.plot import bright, labels, study, theme
from brightspot.plot.axes import TimeAxis, ValueAxis, nice_ticks
from brightspot.plot.chart import MOST_CHARTS


def days(n: int, step: int = 7, start: date = date(2026, 1, 5)) -> list[date]:
    return [start + timedelta(days=step * i) for i in range(n)]


def noise(n: int, mean: float = 10.0, seed: int = 3) -> list[float]:
    source = random.Random(seed)
    return [mean + source.gauss(0, 1.5) for _ in range(n)]


def long(n_charts: int, n: int = 24, apart: float = 0.0) -> pl.DataFrame:
    """One frame with several charts."""
    return pl.concat(
        [
            pl.DataFrame({"time": days(n), "value": noise(n, 10 + apart * k, seed=k), "unit": [f"S{k:02}"] * n})
            for k in range(n_charts)
        ]
    )


def series(times: object, values: object, **columns: object) -> pl.DataFrame:
    return pl.DataFrame({"time": times, "value": values, **columns}, strict=False)


WAVES = [10.0, 11, 12, 13, 12, 11.5, 10.5, 9, 8.5, 8, 9, 9.5, 11, 12, 13, 12.5, 12, 11.8, 11.5, 9, 8, 7, 8, 9]
STEP = [10.0 + i % 3 for i in range(12)] + [14.0 + i % 3 for i in range(12)]
GAPS = [None if i in (3, 9, 10, 23) else v for i, v in enumerate(noise(24))]
LONG_NAME = "tutoring in small groups of three after the last lesson of the day"
CHARTS: dict[str, tuple[pl.DataFrame, dict[str, object]]] = {
    "plain": (series(days(24), noise(24)), {"target": 10.5}),
    "signal": (series(days(24), STEP), {"baseline": 12, "target": 11}),
    "few crossings": (series(days(24), WAVES), {"baseline": 12}),
    "phases": (series(days(24), STEP), {"phases": {LONG_NAME: days(24)[12]}}),
    "many phases": (series(days(24), STEP), {"phases": {LONG_NAME + str(i): days(24)[i] for i in (2, 4, 5, 6, 9, 20)}}),
    "one-point phases": (series(days(6), noise(6)), {"phases": [1, 2, 3, 4, 5]}),
    "one point": (series(days(1), [3.0]), {"target": 4}),
    "two points": (series(days(2), [3.0, 4.0]), {}),
    "five points": (series(days(5), noise(5)), {}),
    "a year of days": (series(days(365, 1), noise(250) + noise(115, 12)), {"baseline": 250}),
    "fifty years": (series([date(1970 + i, 6, 30) for i in range(50)], noise(50)), {}),
    "integers": (series(range(1, 25), noise(24)), {}),
    "large integers": (series([20260101 + i for i in range(12)], noise(12)), {}),
    "decimals": (series([0.25 * i for i in range(24)], noise(24)), {}),
    "moments": (series([datetime(2026, 1, 5, 8) + timedelta(minutes=45 * i) for i in range(20)], noise(20)), {}),
    "zoned": (
        series(
            [datetime(2026, 3, 7, 8, tzinfo=UTC) + timedelta(hours=9 * i) for i in range(20)], noise(20)
        ).with_columns(pl.col("time").dt.convert_time_zone("America/Chicago")),
        {},
    ),
    "missing": (series(days(24), GAPS), {}),
    "excluded": (series(days(24), noise(24), skip=[i in (6, 7) for i in range(24)]), {"exclude": "skip"}),
    "constant": (series(days(24), [5.0] * 24), {}),
    "zero": (series(days(24), [0.0] * 24), {}),
    "all missing": (series(days(24), [None] * 24).cast({"value": pl.Float64}), {}),
    "huge": (series(days(24), [v * 1e12 for v in noise(24)]), {}),
    "tiny": (series(days(24), [v * 1e-9 for v in noise(24)]), {}),
    "share": (
        series(days(40), [random.Random(i).randint(20, 44) for i in range(40)], size=[480] * 40),
        {"size": "size"},
    ),
    "path": (series(days(24), STEP, goal=[9 + 0.3 * i for i in range(24)]), {"target": "goal"}),
    "two facets": (long(2), {"by": "unit", "target": 11}),
    "five facets, far apart": (long(5, apart=40), {"by": "unit", "target": 11}),
    "twelve facets": (long(12), {"by": "unit", "baseline": 12, "phases": 12}),
    "forty facets": (long(40, 12), {"by": "unit"}),
    "odd names": (
        long(2).with_columns(
            unit=pl.when(pl.col("unit") == "S00").then(None).otherwise(pl.lit('it\'s a "school" <b>'))
        ),
        {"by": "unit"},
    ),
}


def run_chart(name: str) -> bs.RunChart:
    frame, arguments = CHARTS[name]
    return bs.run_chart(frame, value="value", time="time", **arguments)


def rows_of(picture: alt.TopLevelMixin | dict, *marks: str) -> list[dict]:
    """The rows of a picture's data with one of these marks, of all its panels."""
    spec = picture if isinstance(picture, dict) else picture.to_dict()
    holders = [part for part in (spec, *spec.get("vconcat", ())) if "data" in part]
    return [row for part in holders for row in part["data"]["values"] if row["mark"] in marks]


def spec_text(picture: alt.TopLevelMixin | dict) -> str:
    return json.dumps(picture if isinstance(picture, dict) else picture.to_dict(), ensure_ascii=False)


def drawn_texts(picture: alt.TopLevelMixin | dict) -> list[str]:
    svg = vl_convert.vegalite_to_svg(picture if isinstance(picture, dict) else picture.to_dict())
    return [
        " ".join("".join(node.itertext()).split())
        for node in ElementTree.fromstring(svg).iter()
        if node.tag.endswith("}text")
    ]


@pytest.mark.parametrize("name", CHARTS)
def test_a_run_chart_shows_every_point_and_says_its_numbers(name):
    chart = run_chart(name)
    for title in ("", "A heading so long that it cannot stand in one line of the picture " * 3):
        picture = chart.plot(title=title)
        spec = picture.to_dict()
        points = rows_of(spec, "point")
        assert len(points) == chart.points.height
        assert sum(row["y"] is not None for row in points) == chart.points["value"].count()
        assert spec["description"]
    assert vl_convert.vegalite_to_png(spec).startswith(b"\x89PNG")
    svg = ElementTree.fromstring(theme.svg(picture))
    symbols = [node for node in svg.iter() if node.get("aria-roledescription") == "point"]
    assert len(symbols) >= chart.points["value"].count()


def test_points_are_drawn_where_there_is_only_one_kind():
    svg = theme.svg(run_chart("plain").plot())
    paths = [node for node in ElementTree.fromstring(svg).iter() if node.get("aria-roledescription") == "point"]
    assert len(paths) == 24
    assert all(node.get("fill") == theme.POINT for node in paths)


def test_few_crossings_mark_the_line_and_no_point():
    chart = run_chart("few crossings")
    assert set(chart.points["signals"].explode().drop_nulls()) == {"few_crossings"}
    picture = chart.plot()
    assert {row["state"] for row in rows_of(picture, "point")} == {"no signal"}
    assert [row["line"] for row in rows_of(picture, "center")] == ["few crossings of the line: worse"]
    assert any("few crossings" in row["text"] for row in rows_of(picture, "end"))
    assert "few crossings of the line: worse" in drawn_texts(picture)


def test_a_long_run_marks_its_points():
    chart = run_chart("signal")
    marked = chart.points["signals"].list.contains("longest_run").to_list()
    drawn = [row["state"] == "long run: better" for row in rows_of(chart.plot(), "point")]
    assert drawn == marked
    assert any(drawn)


def test_what_is_not_counted_is_a_mark_of_its_own_and_what_is_missing_breaks_the_line():
    excluded = rows_of(run_chart("excluded").plot(), "point")
    assert [row["is_excluded"] for row in excluded].count(True) == 2
    assert {row["state"] for row in excluded if row["is_excluded"]} == {"not counted"}
    svg = ElementTree.fromstring(theme.svg(run_chart("missing").plot()))
    lines = [node.get("d", "") for node in svg.iter() if node.get("aria-roledescription") == "line mark"]
    assert max(line.count("M") for line in lines) == 3


def test_shares_are_in_percent_everywhere():
    chart = run_chart("share")
    picture = chart.plot()
    (label,) = [row["text"] for row in rows_of(picture, "end")]
    assert re.fullmatch(r"median \d\.\d%(, few crossings)?", label)
    assert re.search(r"median of \d\.\d%", picture.to_dict()["description"])
    assert any(re.fullmatch(r"\d+%", text) for text in drawn_texts(picture))


def overlaps(boxes: list[labels.Box]) -> list[tuple[labels.Box, labels.Box]]:
    return [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]


@pytest.mark.parametrize("name", [name for name in CHARTS if "facets" not in name and name != "odd names"])
def test_words_of_a_run_chart_do_not_cover_each_other(name):
    chart = run_chart(name)
    picture = chart.plot().to_dict()
    low, high = next(
        layer["encoding"]["y"]["scale"]["domain"]
        for layer in picture["layer"]
        if "scale" in layer["encoding"].get("y", {})
    )

    def height(y: float) -> float:
        return (high - y) / (high - low) * picture["height"]

    ends = sorted(height(row["y"]) for row in rows_of(picture, "end"))
    assert all(below - above >= 12.99 for above, below in itertools.pairwise(ends))
    axis = TimeAxis(chart.points["time"], picture["width"])
    numbers = {axis.plain(axis.at(pixel / 4)): pixel / 4 for pixel in range(4 * picture["width"] + 1)}
    heads = [
        labels.Box(x, height(row["y"]) - 6, x + labels.text_width(row["text"]), height(row["y"]) + 6)
        for row in rows_of(picture, "phase")
        for x in [min(numbers.items(), key=lambda item: abs_distance(item[0], row["x"]))[1]]
    ]
    assert not overlaps(heads)
    known = chart.points["value"].drop_nulls()
    if heads:
        assert max(box.bottom for box in heads) <= height(max(known)) + 1


def abs_distance(a: object, b: object) -> float:
    if isinstance(a, str) and isinstance(b, str):
        return abs((datetime.fromisoformat(a) - datetime.fromisoformat(b)).total_seconds())
    return abs(float(a) - float(b))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name", ["plain", "a year of days", "fifty years", "integers", "large integers", "moments", "zoned", "one point"]
)
def test_the_time_axis_has_few_words_and_none_twice(name):
    chart = run_chart(name)
    for width in (170, 620):
        spec = chart.plot(width=width).to_dict()
        drawn = drawn_texts(spec)
        axis = spec["layer"][-1]["encoding"]["x"]["axis"]
        assert 1 <= len(axis["values"]) <= max(3, width / 45)
        if "labelExpr" in axis:
            shown = json.loads(re.match(r"\((.*)\)\[", axis["labelExpr"]).group(1))
            texts = [str(text) for text in shown.values()]
            assert len(shown) == len(axis["values"])
            # The same month may come back a year later: it then says the year, or stands after one that does.
            assert all(a != b for a, b in itertools.pairwise(texts))
            assert all(text in drawn for text in texts if "[" not in text)


def test_small_multiples_have_their_own_scales_only_where_they_must_and_say_so():
    apart, together = run_chart("five facets, far apart").plot(), run_chart("twelve facets").plot()
    assert "own scale" in spec_text(apart)
    assert apart.to_dict()["resolve"]["scale"]["y"] == "independent"
    assert "own scale" not in spec_text(together)
    names = [f"S{k:02}" for k in range(5)]
    assert [text for text in drawn_texts(apart) if text in names] == names


def test_too_many_charts_and_wrong_choices_are_errors_that_teach():
    with pytest.raises(ex.InvalidOptionError, match=r"only="):
        bs.run_chart(long(MOST_CHARTS + 1, 3), value="value", time="time", by="unit").plot()
    chart = run_chart("two facets")
    with pytest.raises(ex.InvalidOptionError, match="not a column"):
        chart.plot(only={"school": "S01"})
    with pytest.raises(ex.InvalidOptionError, match="no point"):
        chart.plot(only={"unit": "nobody"})
    assert len(rows_of(chart.plot(only={"unit": "S01"}), "point")) == 24
    assert len(rows_of(run_chart("odd names").plot(only={"unit": None}), "point")) == 24


def test_svg_for_a_page_is_named_described_and_apart_from_others():
    first, second = (theme.svg(run_chart(name).plot(title="A & B <c>")) for name in ("plain", "signal"))
    root = ElementTree.fromstring(first)
    assert root.get("role") == "img"
    children = {child.tag.rsplit("}", 1)[-1]: child for child in root}
    assert children["title"].text == "A & B <c>"
    assert "24 points around a median of" in children["desc"].text
    assert root.get("aria-labelledby").split() == [children["title"].get("id"), children["desc"].get("id")]
    ids = [set(re.findall(r'\bid="([^"]+)"', text)) for text in (first, second)]
    assert not ids[0] & ids[1]
    assert set(re.findall(r"url\(#([^)]+)\)", first)) <= ids[0]
    assert theme.svg(run_chart("plain").plot(), "Another name").count("Another name</title>") == 1
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", first)


# Words apart


@given(
    st.lists(st.floats(-1000, 1000), max_size=12),
    st.floats(1, 40),
    st.one_of(st.none(), st.tuples(st.floats(-500, 0), st.floats(600, 1500))),
)
def test_spread_keeps_distance_order_and_bounds(wanted, distance, bounds):
    low, high = bounds or (float("-inf"), float("inf"))
    placed = labels.spread(wanted, distance, low, high)
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    assert len(placed) == len(wanted)
    assert all(placed[b] - placed[a] >= distance - 1e-6 for a, b in itertools.pairwise(order))
    if bounds:
        assert all(low - 1e-6 <= position <= high + 1e-6 for position in placed)
    if not bounds and all(abs(a - b) >= distance for i, a in enumerate(wanted) for b in wanted[:i]):
        assert placed == pytest.approx(wanted)


@given(st.lists(st.tuples(st.floats(0, 300), st.sampled_from([14.0, 27.0, 40.0])), max_size=7))
def test_spread_gives_each_its_own_height(items):
    wanted, heights = [y for y, _ in items], [height for _, height in items]
    placed = labels.spread(wanted, heights, 0, 1000)
    order = sorted(range(len(items)), key=lambda i: placed[i])
    for a, b in itertools.pairwise(order):
        assert placed[b] - placed[a] >= (heights[a] + heights[b]) / 2 - 1e-6


@given(
    st.lists(
        st.tuples(st.floats(0, 500), st.floats(0, 300), st.text("abcXYZ 019", min_size=1, max_size=12)), max_size=30
    )
)
def test_texts_beside_points_touch_neither_each_other_nor_what_is_taken(items):
    frame = labels.Box(0, 0, 600, 300)
    taken = [labels.Box(200, 100, 260, 160)]
    found = labels.beside([(x, y) for x, y, _ in items], [text for *_, text in items], frame, taken=taken)
    boxes = [box for box in found if box is not None]
    assert not overlaps([*boxes, *taken])
    assert all(box.lies_within(frame) for box in boxes)


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=9), max_size=12), st.floats(80, 400))
def test_wrapped_texts_keep_their_words_and_fit(parts, width):
    lines = labels.wrapped(" ".join(parts), width, most=99)
    assert " ".join(lines).split() == parts
    assert all(labels.text_width(line) <= width for line in lines)


@given(st.text(max_size=60), st.floats(1, 400))
def test_shortened_texts_fit(text, width):
    cut = labels.shortened(text, width)
    assert labels.text_width(cut) <= width or cut == text == ""
    assert cut in ("", text) or cut.endswith("…")


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 10))
def test_ticks_are_round_within_and_few(low, span, count):
    values, decimals = nice_ticks(low, low + span, count)
    assert len(values) <= count + 1
    assert all(low - span * 1e-6 <= value <= low + span * (1 + 1e-6) for value in values)
    assert len({f"{value:.{decimals}f}" for value in values}) == len(values)


@given(st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), max_size=20), st.floats(60, 500), st.floats(0, 60))
def test_a_value_axis_holds_all_values_below_its_head(values, height, head):
    axis = ValueAxis(values, height, head=head)
    for value in values:
        if value is not None:
            assert min(head, height * 2 / 3) - 1e-6 <= axis.pixel(value) <= height + 1e-6


# Bright spots


def stand_in(n: int, n_candidates: int, n_suppressed: int = 0, seed: int = 5) -> SimpleNamespace:
    """What a search for bright spots returns, as far as pictures read it."""
    source = random.Random(seed)
    rows = []
    for i in range(n + n_suppressed):
        size = source.choice([12, 15, 20, 25, 30, 60, 110]) if i < n else 4
        reliability = 0.6 * size / (size + 10)
        sd = 3 * (1 - reliability) ** 0.5
        effect = reliability * source.gauss(0, 4) + (6 if i < n_candidates else 0)
        candidate = ("bright", "promising", "one_period")[i % 3]
        finding = "suppressed" if i >= n else candidate if i < n_candidates else "not_distinguishable"
        row = {
            "effect": effect,
            "sd": sd,
            "reliability": reliability,
            "lo": effect - 1.96 * sd,
            "hi": effect + 1.96 * sd,
            "is_candidate": i < n_candidates,
            "finding": finding,
        }
        rows.append(
            {"school": f"S{i % 9}", "teacher": f"Teacher-{i:04}", "n": size, "raw": 50 + effect}
            | row
            | {f"{key}_overall": value for key, value in row.items()}
        )
    spec = {
        "outcome": "math",
        "unit": "teacher",
        "within": ["school"],
        "spec": {"min_n": 10, "words": {"rows": "students", "values": "points"}},
    }
    units = pl.DataFrame(rows)
    return SimpleNamespace(units=units, threshold=1.5, false_share=0.06, false_share_overall=0.07, spec=spec)


@pytest.mark.parametrize(
    ("n", "n_candidates", "n_suppressed"), [(1, 0, 0), (5, 1, 0), (12, 0, 3), (60, 8, 2), (300, 18, 4), (2000, 150, 9)]
)
@pytest.mark.parametrize("kind", ["effects", "funnel"])
def test_bright_spots_name_the_candidates_and_nobody_else(n, n_candidates, n_suppressed, kind):
    result = stand_in(n, n_candidates, n_suppressed)
    picture = bright.draw(result, kind=kind, title="Teachers").to_dict()
    assert len(rows_of(picture, "candidate", "ordinary", "unit")) == n
    text = spec_text(picture)
    named = set(re.findall(r"Teacher-\d{4}", text))
    candidates = set(result.units.filter("is_candidate")["teacher"])
    assert named <= candidates
    shown = {name for name in drawn_texts(picture) if name.startswith("Teacher-")}
    assert shown in (candidates, set())
    if n_candidates <= 18:
        assert shown == candidates
    elif not shown:
        assert "too many to name here" in text
    if n_suppressed:
        assert f"{n_suppressed} teachers with fewer than 10 students" in text
    assert vl_convert.vegalite_to_png(picture).startswith(b"\x89PNG")


def test_each_kind_of_mark_has_a_size_and_a_shape_of_its_own():
    compiled = vl_convert.vegalite_to_vega(bright.draw(stand_in(60, 8)).to_dict())
    scales = {scale["name"]: scale for scale in compiled["scales"] if scale["name"] in ("size", "shape", "color")}
    assert {scale["type"] for scale in scales.values()} == {"ordinal"}
    assert len(set(scales["shape"]["range"])) == 4


def test_names_of_candidates_do_not_cover_each_other():
    for n, n_candidates in ((60, 8), (300, 18), (2000, 40)):
        rows = rows_of(bright.draw(stand_in(n, n_candidates)), "candidate")
        heights = sorted(row["y"] for row in rows)
        assert all(b - a >= bright.ROW - 1e-6 for a, b in itertools.pairwise(heights))


def test_named_candidates_stand_by_name_and_the_unnamed_by_effect():
    picture = bright.draw(stand_in(60, 8))
    rows = sorted(rows_of(picture, "candidate", "ordinary"), key=lambda row: row["y"])
    candidates, others = rows[:8], rows[8:]
    assert [row["name"] for row in candidates] == sorted(row["name"] for row in candidates)
    assert [row["effect"] for row in others] == sorted((row["effect"] for row in others), reverse=True)
    assert all(
        layer["encoding"]["y"].get("axis", None) is None
        for layer in picture.to_dict()["layer"]
        if "field" in layer["encoding"].get("y", {})
    )


def test_a_name_that_occurs_twice_says_its_group():
    result = stand_in(20, 4)
    result.units = result.units.with_columns(teacher=pl.lit("Teacher-0000"))
    names = [row["name"] for row in rows_of(bright.draw(result), "candidate")]
    assert len(set(names)) == 4
    assert "Teacher-0000 (S1)" in names


def test_units_whose_difference_cannot_be_had_are_counted_in_the_funnel():
    result = stand_in(30, 2)
    index = pl.int_range(pl.len())
    result.units = result.units.with_columns(reliability=pl.when(index >= 27).then(0.0).otherwise("reliability"))
    picture = bright.draw(result, kind="funnel")
    assert len(rows_of(picture, "unit")) == 27
    assert "3 teachers with too few peers" in spec_text(picture)


def test_the_funnel_narrows_with_size():
    band = rows_of(bright.draw(stand_in(300, 10), kind="funnel"), "band")
    widths = [row["hi"] - row["lo"] for row in band]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 1.3 * widths[-1]


def test_bright_spots_draw_themselves():
    district = bs.datasets.district(seed=1)
    spots = bs.bright_spots(
        district.scores, outcome="spring", unit="teacher_id", within="school_id", adjust=["prior"], period="year"
    )
    for kind in ("effects", "funnel"):
        for question, table in (("within", spots.candidates), ("overall", spots.candidates_overall)):
            picture = spots.plot(kind=kind, question=question)
            shown = {text for text in drawn_texts(picture) if re.fullmatch(r"T\d{3}", text)}
            assert shown == set(table["teacher_id"])
    with pytest.raises(ex.InvalidOptionError, match="effects"):
        spots.plot(kind="pie")


# Studies


def studied(**changes: object) -> bs.Study:
    district = bs.datasets.district(seed=1)
    tables = {"exit ticket": district.exit_tickets, "fluency": district.fluency, "routine used": district.process}
    arguments: dict[str, object] = {
        "aim": "Fractions secure by winter",
        "change": "Number talks at the start of each lesson",
        "outcome": bs.Measure("exit ticket", value="score", unit_of_value="points"),
        "process": [bs.Measure("routine used", value="n_used", size="n_lessons", kind="proportion")],
        "guards": [bs.Guard(bs.Measure("fluency", value="score", unit_of_value="facts a minute"), margin=1.0)],
        "predictions": [bs.Prediction("exit ticket", at_least=3.0, belief=0.7)],
        "baseline": ("2026-09-01", "2026-10-25"),
        "test": ("2026-10-26", "2026-12-11"),
    }
    plan = bs.Plan(**{**arguments, **changes})
    frames = {name: table.filter(plc_id="S02-G5") for name, table in tables.items()}
    return bs.study(plan, frames, as_of="2026-12-14", locked_at="2026-10-25")


def small(
    rows: list[tuple[date, float, float]], direction: str = "up", prediction: dict | None = None, **measure: object
) -> bs.Study:
    plan = bs.Plan(
        aim="In time",
        change="A change whose name is very long indeed and goes on beyond what one can read in one line of a picture",
        outcome=bs.Measure("late to class", value="v", time="d", direction=direction, **measure),
        predictions=[bs.Prediction("late to class", **(prediction or {"direction": "improve"}))],
        baseline=("2026-09-01", "2026-09-30"),
        test=("2026-10-01", "2026-10-31"),
    )
    frame = pl.DataFrame(rows, schema={"d": pl.Date, "v": pl.Float64, "n": pl.Float64}, orient="row")
    return bs.study(plan, frame, as_of="2026-11-02")


BEFORE = [(date(2026, 9, d), 5.0 + d % 3, 50.0) for d in range(1, 30, 3)]
AFTER = [(date(2026, 10, d), 2.0 + d % 2, 50.0) for d in range(1, 30, 3)]
STUDIES = {
    "nothing": ([], {}),
    "before only": (BEFORE, {}),
    "one point": (BEFORE[:1], {}),
    "one a side": ([BEFORE[0], AFTER[0]], {"direction": "down"}),
    "down": (BEFORE + AFTER, {"direction": "down", "prediction": {"at_most": -2}}),
    "between": (BEFORE + AFTER, {"direction": "down", "prediction": {"between": (-4, -2)}}),
    "no worse": (BEFORE + AFTER, {"prediction": {"no_worse_than": 1}}),
    "worse": (BEFORE + AFTER, {"prediction": {"direction": "worsen"}}),
    "share": (
        BEFORE + AFTER,
        {"direction": "down", "prediction": {"at_most": -0.03}, "kind": "proportion", "size": "n"},
    ),
    "constant": ([(day, 5.0, 50.0) for day, *_ in BEFORE + AFTER], {}),
    "two years of days": ([(day, 5.0, 1.0) for day in days(700, 1, date(2024, 12, 1))], {}),
}


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_shows_every_point_and_keeps_its_words_apart(name):
    rows, arguments = STUDIES[name]
    found = small(rows, **arguments)
    spec = study.draw(found).to_dict()
    for picture in (spec, study.draw(found, title="A heading", width=400).to_dict(), study.draw_all(found).to_dict()):
        assert len(rows_of(picture, "point")) == len(found.outcome.points)
    assert vl_convert.vegalite_to_png(spec).startswith(b"\x89PNG")
    low, high = spec["layer"][0]["encoding"]["y"]["scale"]["domain"]
    ends = sorted((high - row["y"]) / (high - low) * spec["height"] for row in rows_of(spec, "end"))
    assert all(below - above >= 12.99 for above, below in itertools.pairwise(ends))
    assert all(0 <= end <= spec["height"] for end in ends)


def test_a_study_shows_what_was_predicted_where_it_was_predicted():
    found = studied()
    picture = study.draw(found)
    (band,) = rows_of(picture, "band")
    assert band["y"] == pytest.approx(found.outcome.mean_before + 3)
    assert band["x"].startswith("2026-10-25T12")
    text = " ".join(row["text"] for row in rows_of(picture, "end"))
    assert "predicted: at least +3 points" in text
    assert "test mean 13.7" in text
    assert "baseline mean 10" in text
    assert "Predicted: at least +3 points." in picture.to_dict()["description"]
    assert any("Number talks" in row["text"] for row in rows_of(picture, "head"))
    assert found.plot().to_dict()["layer"]


def test_a_region_follows_the_direction():
    cases = [
        ({"at_most": -2}, "down", (None, -2)),
        ({"between": (-4, -2)}, "down", (-4, -2)),
        ({"no_worse_than": 1}, "up", (-1, None)),
        ({"no_worse_than": 1}, "down", (None, 1)),
        ({"direction": "improve"}, "down", (None, 0)),
        ({"direction": "worsen"}, "down", (0, None)),
        ({"direction": "improve"}, "up", (0, None)),
    ]
    for prediction, direction, (low, high) in cases:
        found = small(BEFORE + AFTER, direction, prediction)
        mean = found.outcome.mean_before
        spec = study.draw(found).to_dict()
        bottom, top = spec["layer"][0]["encoding"]["y"]["scale"]["domain"]
        (band,) = rows_of(spec, "band")
        assert band["y"] == pytest.approx(bottom if low is None else mean + low)
        assert band["y2"] == pytest.approx(top if high is None else mean + high)


def test_points_outside_of_the_windows_are_hollow_and_said_to_be():
    found = studied(test=("2026-11-05", "2026-11-27"))
    picture = study.draw(found)
    hollow = [row for row in rows_of(picture, "point") if not row["is_inside"]]
    assert hollow
    assert {row["fill"] for row in hollow} == {"white"}
    assert "Hollow points" in spec_text(picture)
    assert "Hollow points" not in spec_text(study.draw(studied()))


def test_all_measures_stand_on_one_time_axis():
    found = studied()
    spec = study.draw_all(found, title="Number talks").to_dict()
    domains = [panel["layer"][0]["encoding"]["x"]["scale"]["domain"] for panel in spec["vconcat"]]
    assert len(domains) == 3
    assert all(domain == domains[0] for domain in domains)
    assert {panel["width"] for panel in spec["vconcat"]} == {spec["vconcat"][0]["width"]}
    text = spec_text(study.draw_all(found))
    assert all(heading in text for heading in ("Outcome: Exit ticket", "Process: Routine used", "Guard: Fluency"))
    (margin,) = rows_of(study.draw_all(found), "margin")
    assert margin["y"] == pytest.approx(found.guard_checks[0].study.mean_before - 1.0)
