"""Pictures of control charts: every kind of line, limit and signal is drawn, told and kept apart from the others."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest
import vl_convert
from hand_made import KINDS, Made, example, made, mean, moving_sigma, noise, several, weeks
from hypothesis import given, settings
from hypothesis import strategies as st

from brightspot import exceptions as ex
from brightspot import words
from brightspot.plot import chart_data, chart_signals, icons, labels, theme
from brightspot.plot.axes import TimeAxis
from brightspot.plot.chart import MOST_CHARTS, draw
from brightspot.plot.marks import ROWS_PER_PAGE, draw_marks
from brightspot.plot.proposals import draw_proposals

LONG_NAME = "tutoring in small groups of three after the last lesson of the day"
WEEKS = weeks(36)
CHARTS: dict[str, Made] = {
    **{kind: example(kind, step=3 if kind in "gt" else 1.2, baseline=24, direction="down") for kind in KINDS},
    "run": made("run", noise(24), without_limits=True),
    "phases": example("p", phases={"before": 0, LONG_NAME: 18}),
    "many phases": example("i", phases={f"{LONG_NAME} {i}": i for i in (0, 4, 9, 15, 30)}),
    "one-point phases": example("u", 4, phases={name: i for i, name in enumerate("abcd")}),
    "targets": example("i", target=[18 + 0.2 * i for i in range(36)]),
    "target in steps": example("p", target=[0.08] * 18 + [0.05] * 18),
    "target on the centre": made("i", noise(20), target=mean(noise(20))),
    "excluded": example("i", excluded=[4, 5, 20]),
    "gaps": made(
        "p",
        [None if i in (3, 4, 9) else 20.0 + i % 5 for i in range(20)],
        [None if i == 15 else 300.0 for i in range(20)],
    ),
    "one point": made("i", [4.0], target=5.0),
    "two points": made("c", [4.0, 7.0]),
    "no values": made("i", [None] * 12),
    "constant": made("i", [5.0] * 12),
    "zero": made("c", [0.0] * 12),
    "no limits": made("i", noise(12), without_limits=True),
    "huge": made("i", noise(24, 2e12, 3e11)),
    "tiny": made("i", noise(24, 2e-9, 3e-10)),
    "thousand points": made("i", noise(1000), times=weeks(1000, 1)),
    "every signal": made(
        "i",
        noise(36),
        codes={2 * i + 1: [code] for i, code in enumerate(words.RULES) if words.signal_family(code) != "line"}
        | {30: ["trend", "beyond_limits"]},
        line_codes=["few_runs"],
    ),
}  # fmt: skip


def drawn(chart: Made, **arguments: Any) -> dict[str, Any]:
    return draw(chart, **arguments).to_dict()


def marked(chart: Made, *arguments: Any, **options: Any) -> dict[str, Any]:
    return draw_marks(chart, *arguments, **options).to_dict()


def proposed(chart: Made, *arguments: Any, **options: Any) -> dict[str, Any]:
    return draw_proposals(chart, *arguments, **options).to_dict()


def text_of(picture: dict[str, Any]) -> str:
    return json.dumps(picture, ensure_ascii=False)


def rows_of(picture: dict[str, Any], *marks: str) -> list[dict[str, Any]]:
    return [row for row in picture["data"]["values"] if row["mark"] in marks]


def domain(spec: dict[str, Any]) -> tuple[float, float]:
    """The range of the vertical axis."""
    layers = spec["layer"] if "layer" in spec else spec["spec"]["layer"]
    scales = [layer["encoding"].get("y", {}).get("scale", {}) for layer in layers]
    return next(scale["domain"] for scale in scales if "domain" in scale)


def heights(spec: dict[str, Any]) -> Callable[[float], float]:
    """From a value of the vertical axis to its pixel from the top."""
    low, high = domain(spec)
    return lambda y: (high - y) / (high - low) * spec["height"]


def legends(picture: dict[str, Any]) -> set[str]:
    """What a legend names: the texts that stand beside symbols."""
    tree = ElementTree.fromstring(vl_convert.vegalite_to_svg(picture))
    groups = [node for node in tree.iter() if "role-legend-label" in (node.get("class") or "")]
    return {"".join(group.itertext()).strip() for group in groups}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_shows_every_point_keeps_its_words_apart_and_tells_its_numbers(name):
    chart = CHARTS[name]
    picture = drawn(chart, title="A heading so long that it does not stand in one line of the picture " * 2)
    spec = picture
    n_lines = 2 if "value_lower" in chart.points.columns else 1
    points = rows_of(picture, "point")
    assert len(points) == n_lines * chart.points.height
    assert sum(row["y"] is not None for row in points) == n_lines * chart.points["value"].count()
    pixel = heights(picture)
    ends = sorted(pixel(row["y"]) for row in rows_of(picture, "end"))
    assert all(below - above >= 12.99 for above, below in itertools.pairwise(ends))
    assert all(-1e-6 <= end <= spec["height"] + 1e-6 for end in ends)
    for row in rows_of(picture, "band", "limit", "step", "center", "target", "path", "point", "observed"):
        for key in ("y", "y2"):
            assert row.get(key) is None or -1e-6 <= pixel(row[key]) <= spec["height"] + 1e-6
    told = spec["description"]
    assert words.counted(chart.summary["n_obs"][0], "point") in told or "And more." in told
    symbols = [
        node
        for node in ElementTree.fromstring(vl_convert.vegalite_to_svg(spec)).iter()
        if node.get("aria-roledescription") == "point"
    ]
    assert len(symbols) >= n_lines * chart.points["value"].count()


@pytest.mark.parametrize("kind", KINDS)
def test_the_description_of_every_kind_states_centre_limits_signals_and_chance(kind):
    chart = CHARTS[kind]
    picture = drawn(chart)
    told = picture["description"]
    row = chart.summary.row(0, named=True)
    is_share = words.are_shares(chart.points["value"].to_list(), chart.spec)
    show = words.share if is_share else words.number
    assert words.chart_name(chart.spec) in told
    assert f"36 points around a {words.center_name(chart.spec)} of {show(row['center'])}" in told
    for key in ("lcl", "ucl"):
        known = chart.points[key].drop_nulls().to_list()
        assert {show(min(known)), show(max(known))} <= set(re.findall(r"[−\d.,]*\d%?", told))
    assert row["has_signal"]
    assert all(seen in told for seen in words.seen(row))
    assert "A stable chart of 36 points shows such a signal in 14 of 100." in told
    assert picture["layer"][0]["encoding"]["y"].get("title") in (None, words.drawn(chart.spec))
    assert words.drawn(chart.spec) in text_of(picture)


def test_limits_that_step_change_half_way_between_points_and_constant_ones_are_dashed():
    stepping, level = drawn(CHARTS["p"]), drawn(CHARTS["i"])
    assert rows_of(stepping, "step")
    assert not rows_of(stepping, "limit")
    assert rows_of(level, "limit")
    assert not rows_of(level, "step")
    points = CHARTS["p"].points
    axis = TimeAxis(points["time"], 620)
    times = axis.numbers(points["time"])
    upper = [row for row in rows_of(stepping, "step") if " ucl " in row["piece"]]
    assert [row["y"] for row in upper[::2]] == pytest.approx(points["ucl"].to_list())
    borders = [axis.plain((a + b) / 2) for a, b in itertools.pairwise(times)]
    assert [row["x"] for row in upper[1:-1:2]] == borders
    assert [row["x"] for row in upper[2::2]] == borders
    assert len(rows_of(level, "limit")) == 4
    dashes = [layer["mark"].get("strokeDash") for layer in level["layer"] if layer["mark"]["type"] == "line"]
    assert [3, 3] in dashes


def test_limits_break_where_a_point_has_none_and_belong_to_their_phase():
    gaps = rows_of(drawn(CHARTS["gaps"]), "step", "limit")
    assert len({row["piece"] for row in gaps}) == 4
    chart = CHARTS["phases"]
    picture = drawn(chart)
    edge = rows_of(picture, "edge")[0]["x"]
    first = [row["x"] for row in rows_of(picture, "band") if row["piece"].startswith("0")]
    second = [row["x"] for row in rows_of(picture, "band") if row["piece"].startswith("1")]
    assert max(first) < edge < min(second)


def test_limits_of_a_point_with_little_behind_it_do_not_flatten_the_data():
    sizes = [400.0] * 24
    usual = made("u", noise(24, 30, 5), sizes)
    sizes[10] = 0.5
    values = noise(24, 30, 5)
    values[10] = 0.0
    picture = drawn(made("u", values, sizes))
    low, high = domain(picture)
    usual_low, usual_high = domain(drawn(usual))
    assert high - low < 2 * (usual_high - usual_low)
    assert len({row["piece"] for row in rows_of(picture, "step") if " ucl " in row["piece"]}) == 2


def test_a_centre_that_steps_with_the_numbers_behind_is_drawn_as_steps():
    picture = drawn(CHARTS["np"])
    assert len({row["y"] for row in rows_of(picture, "center")}) > 10
    assert rows_of(picture, "riser")
    assert not rows_of(drawn(CHARTS["p"]), "riser")


def test_both_sums_are_drawn_and_the_signal_stands_on_the_one_outside_its_limit():
    for direction, step in (("up", 2.0), ("up", -2.0)):
        chart = example("cusum", step=step, baseline=24, direction=direction)
        picture = drawn(chart)
        signals = [row for row in rows_of(picture, "point") if row["state"] != "no signal"]
        assert signals
        assert all((row["y"] > 0) == (step > 0) for row in signals)
        assert {row["phase"] for row in rows_of(picture, "point")} == {"0 0", "0 1"}
        assert {"upper sum", "lower sum"} <= {row["text"] for row in rows_of(picture, "end")}


def test_single_values_stand_beside_their_moving_average():
    picture = drawn(CHARTS["ewma"])
    assert [row["y"] for row in rows_of(picture, "observed")] == CHARTS["ewma"].points["observed"].to_list()
    assert "single value" in legends(picture)
    assert not rows_of(drawn(CHARTS["mr"]), "observed")


def test_every_signal_has_a_mark_of_its_own_and_the_legend_names_only_what_occurs():
    picture = drawn(CHARTS["every signal"])
    states = {row["state"] for row in rows_of(picture, "point")}
    named = legends(picture)
    assert states <= named
    assert named - states == {row["line"] for row in rows_of(picture, "center")}
    assert any(state.startswith("outside the limits") for state in states)
    assert any(state.startswith("several signals") for state in states)
    plain = drawn(made("i", noise(12, seed=1)))
    assert legends(plain) == set()


def test_no_two_kinds_of_signal_look_alike_without_colour():
    shapes = [
        chart_signals.shape(family, meaning)[0] for family in chart_signals.FAMILIES for meaning in chart_data.MEANINGS
    ]
    assert len(set(shapes)) == len(shapes) == 12
    shown = [icon for table in (icons.VARIATION, icons.ASSURANCE) for icon in table.values()]
    assert len({(icon.path, icon.letter) for icon in shown}) == len(shown) == 10
    assert set(icons.VARIATION) == set(words.VARIATIONS)
    assert set(icons.ASSURANCE) == set(words.ASSURANCES)


@pytest.mark.parametrize("code", words.RULES)
@pytest.mark.parametrize("direction", ["up", "neutral"])
def test_every_code_has_a_mark_and_a_word(code, direction):
    is_line = words.signal_family(code) == "line"
    chart = made(
        "i",
        noise(12, seed=1),
        direction=direction,
        codes=None if is_line else {5: [code]},
        line_codes=[code] if is_line else [],
    )
    picture = drawn(chart)
    name = words.signal_name(code)
    if is_line:
        assert {row["state"] for row in rows_of(picture, "point")} == {"no signal"}
        assert all(row["line"].startswith(name) for row in rows_of(picture, "center"))
    else:
        (point,) = [row for row in rows_of(picture, "point") if row["state"] != "no signal"]
        assert point["state"].startswith(name)
        assert point["why"] == words.signal(code)
    assert any(label.startswith(name) for label in legends(picture))
    assert words.seen(chart.summary.row(0, named=True))[0] in picture["description"]


def test_a_target_is_a_line_a_slope_or_steps():
    assert rows_of(drawn(CHARTS["one point"]), "target")
    slope = rows_of(drawn(CHARTS["targets"]), "path")
    assert len(slope) == 36
    steps = rows_of(drawn(CHARTS["target in steps"]), "path")
    assert [row["y"] for row in steps] == [0.08, 0.08, 0.05, 0.05]
    assert steps[1]["x"] == steps[2]["x"]
    assert any(row["text"] == "target 5%" for row in rows_of(drawn(CHARTS["target in steps"]), "end"))


def boxes_of(picture: dict[str, Any], chart: Made) -> list[labels.Box]:
    spec, pixel = picture, heights(picture)
    points, marks = chart.points["time"], rows_of(picture, "phase", "note")
    noted = [datetime.fromisoformat(row["x"]).date() for row in rows_of(picture, "noted")]
    axis = TimeAxis(points, spec["width"], extra=noted)
    at = [axis.pixel((datetime.fromisoformat(row["x"]) - datetime(1970, 1, 1)).total_seconds()) for row in marks]
    return [
        labels.Box(x, pixel(row["y"]) - 6, x + labels.text_width(row["text"]), pixel(row["y"]) + 6)
        for x, row in zip(at, marks, strict=True)
    ]


@pytest.mark.parametrize("seed", range(8))
def test_notes_stand_above_the_data_and_cover_nothing(seed):
    chart = CHARTS["phases"]
    texts = [
        "storm",
        "new head of year starts and reorganises the whole timetable",
        "inspection",
        "exam week",
        "a" * 90,
    ]
    notes = {WEEKS[(7 * seed + 11 * i) % 36]: text for i, text in enumerate(texts)}
    picture = drawn(chart, annotations=notes)
    boxes = boxes_of(picture, chart)
    assert len(rows_of(picture, "note")) == len(notes)
    assert not [(a, b) for a, b in itertools.combinations(boxes, 2) if a.overlaps(b)]
    pixel = heights(picture)
    top = min(pixel(y) for y in (*chart.points["value"], *chart.points["ucl"]))
    assert max(box.bottom for box in boxes) <= top + 1
    assert all(box.left >= -1 and box.right <= picture["width"] + 10 for box in boxes)
    assert "Noted at" in picture["description"]


def test_a_note_finds_its_time_however_it_is_written():
    chart = CHARTS["i"]
    for time in (date(2026, 3, 2), datetime(2026, 3, 2), "2026-03-02", "2026-03-02T00:00:00"):
        (line,) = rows_of(drawn(chart, annotations={time: "fire drill"}), "noted")
        assert line["x"] == "2026-03-02T00:00:00"
    before = drawn(chart, annotations={date(2025, 11, 1): "planned"})
    assert rows_of(before, "noted")[0]["x"] == "2025-11-01T00:00:00"
    moments = made("i", noise(8), times=[datetime(2026, 3, 2, 8 + i, tzinfo=UTC) for i in range(8)])
    (line,) = rows_of(drawn(moments, annotations={"2026-03-02T12:30:00+02:00": "fire drill"}), "noted")
    assert line["x"] == "2026-03-02T10:30:00"
    counts = made("i", noise(8), times=list(range(8)))
    assert rows_of(drawn(counts, annotations={3: "x y"}), "noted")[0]["x"] == 3
    for one, time in ((chart, "in spring"), (chart, 3), (counts, "2026-03-02"), (counts, True)):
        with pytest.raises(ex.InvalidOptionError, match="annotations"):
            drawn(one, annotations={time: "x"})
    with pytest.raises(ex.InvalidOptionError, match="rows"):
        drawn(chart, annotations={WEEKS[i]: LONG_NAME for i in range(30)})


def facets(n: int, kind: str = "p", **arguments: object) -> Made:
    steps = (2.0, 0.0, 0.0, 0.0, -1.5, 0.0, 0.0)
    charts = [example(kind, 24, step=steps[k % 7], seed=k, unit=f"School {k:02}", **arguments) for k in range(n)]
    return several(charts, ["unit"])


@pytest.mark.parametrize(("n", "kind"), [(2, "i"), (5, "u"), (12, "p"), (40, "p"), (40, "cusum"), (40, "i")])
def test_small_multiples_show_all_charts_with_figures_apart(n, kind):
    chart = facets(n, kind, target=25.0 if kind == "i" else None)
    picture = drawn(chart, title="Schools")
    spec = picture
    rows = rows_of(picture, "end")
    assert {row["chart"] for row in rows} == set(range(n))
    height = spec["spec"]["height"]
    for chart, group in itertools.groupby(rows, lambda row: row["chart"]):
        own = [row["y"] for row in rows_of(picture, "range") if row["chart"] == chart]
        low, high = own or domain(spec)
        ends = sorted((high - row["y"]) / (high - low) * height for row in group)
        assert all(below - above >= 12.99 for above, below in itertools.pairwise(ends))
    assert f"{n} charts" in text_of(picture)
    assert "if all were stable" in text_of(picture)
    assert vl_convert.vegalite_to_png(spec).startswith(b"\x89PNG")


def test_a_scale_of_its_own_holds_the_limits_of_its_chart():
    charts = [
        made("i", noise(24, 10.0**k, 10.0**k / 8, seed=k), unit=f"S{k}", target=None if k else 1.0) for k in range(5)
    ]
    picture = drawn(several(charts, ["unit"]))
    assert picture["resolve"]["scale"]["y"] == "independent"
    for chart in range(5):
        low, high = (row["y"] for row in rows_of(picture, "range") if row["chart"] == chart)
        lines = [row for row in rows_of(picture, "limit", "band", "point") if row["chart"] == chart]
        assert all(low <= row["y"] <= high for row in lines)


def test_too_many_charts_are_refused_and_one_can_be_chosen():
    chart = facets(MOST_CHARTS + 1, "i")
    with pytest.raises(ex.InvalidOptionError, match="only="):
        drawn(chart)
    assert len(rows_of(drawn(chart, only={"unit": "School 07"}), "point")) == 24


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=30),
    st.sampled_from(["i", "mr", "ewma", "cusum", "run"]),
    st.data(),
)
def test_any_values_make_a_picture(values, kind, data):
    target = data.draw(st.one_of(st.none(), st.floats(-1e6, 1e6)))
    codes = data.draw(
        st.dictionaries(st.integers(0, len(values) - 1), st.lists(st.sampled_from(list(words.RULES)), max_size=3))
    )
    chart = made(kind, values, target=target, codes=codes, direction=data.draw(st.sampled_from(["up", "neutral"])))
    picture = drawn(chart)
    assert picture["description"]
    assert len(rows_of(picture, "point")) == len(values) * (2 if "value_lower" in chart.points.columns else 1)
    assert marked(chart)["description"]


def test_pictures_are_saved_as_png_svg_and_html_without_a_network(tmp_path):
    picture = draw(CHARTS["every signal"], annotations={WEEKS[4]: "storm"})
    for name in ("chart.png", "chart.svg", "chart.html"):
        path = tmp_path / name
        picture.save(str(path), **({"inline": True} if name.endswith("html") else {}))
        assert path.stat().st_size > 5000
    page = (tmp_path / "chart.html").read_text(encoding="utf-8")
    assert not re.search(r"<script[^>]+src=", page)
    svg = theme.svg(picture, "Scores")
    assert 'role="img"' in svg
    assert "few runs" in svg


# The table of marks


def many(n: int) -> Made:
    def one(k: int) -> Made:
        kind, step, direction = ("p", "i", "c", "u", "t", "xbar")[k % 6], (0, 3, -2)[k % 3], ("down", "up", "neutral")
        names = {"measure": f"Measure {k % 6}", "unit": f"School {k // 6}"}
        return example(kind, 24, step=step, seed=k, direction=direction[k % 3], target=10.0, **names)

    return several([one(k) for k in range(n)], ["measure", "unit"])


@pytest.mark.parametrize("n", [1, 5, 40])
def test_marks_show_every_chart_with_its_latest_value_and_its_icons(n):
    chart = many(n)
    picture = marked(chart, title="How are we doing?")
    spec = picture
    assert len({row["line"].split()[0] for row in rows_of(picture, "data")}) == n
    latest = [row["text"] for row in rows_of(picture, "text right")]
    found = chart.points.group_by("measure", "unit", maintain_order=True).agg(pl.col("value").last(), pl.len())
    assert found.height == n
    assert len(latest) == 2 * n + 2
    meanings = {words.VARIATIONS[code] for code in chart.summary["variation"]}
    goals = chart.summary["assurance"].drop_nulls()
    meanings |= {words.ASSURANCES[code] for code in goals}
    shown = rows_of(picture, "icon")
    assert {row["meaning"] for row in shown} == meanings
    assert len(shown) == n + goals.len() + len(meanings)
    named = {row["text"] for row in rows_of(picture, "text left")}
    assert meanings <= named
    width, height = spec["width"], spec["height"]
    for row in picture["data"]["values"]:
        assert -1 <= row["x"] <= width + 1
        assert -1 <= row["y"] <= height + 1
    assert words.counted(n, "chart") in spec["description"]
    assert vl_convert.vegalite_to_png(spec).startswith(b"\x89PNG")


def test_words_in_a_row_of_marks_do_not_touch():
    chart = many(12)
    longer = pl.concat_str("measure", pl.lit(LONG_NAME))
    chart.points, chart.summary = (table.with_columns(measure=longer) for table in (chart.points, chart.summary))
    picture = marked(chart)
    boxes = []
    for row in rows_of(picture, "text left", "text right", "text center"):
        width = labels.text_width(row["text"], row["size"])
        left = row["x"] - {"left": 0, "right": width, "center": width / 2}[row["mark"].split()[1]]
        boxes.append(labels.Box(left, row["y"] - 6, left + width, row["y"] + 6))
    boxes += [
        labels.Box(row["x"] - 10, row["y"] - 10, row["x"] + 10, row["y"] + 10) for row in rows_of(picture, "icon")
    ]
    assert not [(a, b) for a, b in itertools.combinations(boxes, 2) if a.overlaps(b)]
    sparks = [row["x"] for row in rows_of(picture, "data")]
    names = [row for row in rows_of(picture, "text left") if row.get("meaning")]
    assert len(names) == 24
    assert max(labels.text_width(row["text"], row["size"]) for row in names) < min(sparks)


def test_marks_beyond_one_page_say_which_page_it_is():
    chart = many(90)
    first, last = marked(chart), marked(chart, page=3)
    assert "Rows 1 to 40, page 1 of 3." in text_of(first)
    assert "Rows 81 to 90, page 3 of 3." in text_of(last)
    assert len({row["line"].split()[0] for row in rows_of(first, "data")}) == ROWS_PER_PAGE
    for page in (0, 4):
        with pytest.raises(ex.InvalidOptionError, match="page"):
            marked(chart, page=page)


def test_marks_of_charts_without_limits_targets_or_values():
    for name in ("run", "no limits", "no values", "one point", "constant"):
        picture = marked(CHARTS[name])
        assert vl_convert.vegalite_to_png(picture).startswith(b"\x89PNG")
    assert "no values" in {row["text"] for row in rows_of(marked(CHARTS["no values"]), "text right")}
    assert "target" not in {row["text"] for row in rows_of(marked(CHARTS["run"]), "text center")}
    bare = made("i", noise(12))
    bare.summary = bare.summary.drop("variation", "assurance", "prob_false_signal")
    assert "by chance" not in text_of(marked(bare))


# Proposals


def proposal(chart: Made, *starts: int, **by: object) -> pl.DataFrame:
    points = chart.points
    for key, value in by.items():
        points = points.filter(pl.col(key) == value)
    values, times = points["value"].to_list(), points["time"].to_list()
    rows = []
    for first, at, end in zip((0, *starts), starts, (*starts[1:], len(values)), strict=False):
        (a, s), (b, t) = ((mean(some), moving_sigma(some)) for some in (values[first:at], values[at:end]))
        rows.append(
            {
                **by,
                "starts": times[at],
                "from": times[at - 2],
                "to": times[at + 1],
                "before": a,
                "after": b,
                "estimate": b - a,
                "lo": b - a - 2,
                "hi": b - a + 2,
                "p": 0.004,
                "lcl_before": a - 3 * s,
                "ucl_before": a + 3 * s,
                "lcl_after": b - 3 * t,
                "ucl_after": b + 3 * t,
            }
        )
    return pl.DataFrame(rows)


def test_a_proposal_is_a_line_a_strip_and_the_limits_that_would_be():
    chart = example("i", step=3)
    table = proposal(chart, 24)
    picture = proposed(chart, table, title="Scores", annotations={WEEKS[24]: "tutoring"})
    (start,), (strip,) = rows_of(picture, "start"), rows_of(picture, "strip")
    assert "2026-06-15" < start["x"] < "2026-06-22T00:00:01"
    assert strip["x"] < start["x"] < strip["x2"]
    assert sorted(row["y"] for row in rows_of(picture, "would_center")) == sorted(
        [table["before"][0], table["after"][0]]
    )
    would = {row["y"] for row in rows_of(picture, "would_limit")}
    assert would == {table[key][0] for key in ("lcl_before", "ucl_before", "lcl_after", "ucl_after")}
    assert f"proposed {words.number(table['after'][0])}" in {row["text"] for row in rows_of(picture, "end")}
    assert "proposed start: 22 Jun 2026" in {row["text"] for row in rows_of(picture, "note")}
    assert words.capital(words.proposal(table.row(0, named=True))) in picture["description"]
    assert rows_of(picture, "limit") == rows_of(drawn(chart, annotations={WEEKS[24]: "tutoring"}), "limit")
    pixel = heights(picture)
    assert all(0 <= pixel(row["y"]) <= picture["height"] for row in rows_of(picture, "would_limit"))
    boxes = boxes_of(picture, chart)
    assert not [(a, b) for a, b in itertools.combinations(boxes, 2) if a.overlaps(b)]


def test_a_proposal_divides_its_own_phase_alone():
    chart = example("i", phases={"before": 0, "after": 12})
    table = proposal(chart, 24).with_columns(phase=pl.lit("after"))
    picture = proposed(chart, table)
    assert rows_of(picture, "start")
    edge = rows_of(picture, "edge")[0]["x"]
    assert all(row["x"] > edge for row in rows_of(picture, "would_center", "would_limit"))


@pytest.mark.parametrize("kind", ["mr", "cusum"])
def test_levels_of_single_values_are_not_drawn_among_ranges_or_sums(kind):
    chart = example(kind, step=3)
    table = proposal(example("i", step=3), 24)
    picture = proposed(chart, table)
    assert rows_of(picture, "start")
    assert not rows_of(picture, "would_center", "would_limit")
    assert "where a new phase would start" in text_of(picture)
    assert "new phase from 22 Jun 2026" in text_of(picture)


def test_proposals_stand_on_the_charts_that_they_are_of():
    chart = facets(6, "i")
    table = pl.concat([proposal(chart, 16, unit="School 00"), proposal(chart, 8, 16, unit="School 04")])
    picture = proposed(chart, table)
    assert [row["chart"] for row in rows_of(picture, "start")] == [0, 4, 4]
    assert "3 new phases proposed, in 2 of 6 charts." in text_of(picture)
    assert vl_convert.vegalite_to_png(picture).startswith(b"\x89PNG")
    none = proposed(chart, table.clear())
    assert "No new phase is proposed." in text_of(none)
    one = proposed(chart, table, only={"unit": "School 04"})
    assert len(rows_of(one, "start")) == 2
    assert rows_of(proposed(CHARTS["run"], proposal(CHARTS["run"], 12).drop("lcl_after", "ucl_after")), "start")
