"""The words of charts: every kind, rule and finding has a sentence, and it says the numbers."""

from __future__ import annotations

import itertools

import pytest
from hand_made import KINDS, example, made, noise
from hypothesis import given
from hypothesis import strategies as st

from brightspot import words

CODES = [
    "longest_run",
    "few_crossings",
    "beyond_limits",
    "shift",
    "trend",
    "two_of_three",
    "four_of_five",
    "zone",
    "hugging",
    "avoiding",
    "alternating",
    "best_box",
    "cut_box",
    "few_runs",
    "many_runs",
]


def row(kind: str = "i", **changes: object) -> dict:
    return example(kind, step=1.2, baseline=24).summary.row(0, named=True) | changes


def test_every_rule_has_a_name_and_a_sentence():
    assert set(words.RULES) == set(CODES)
    for code in CODES:
        sentence = words.signal(code)
        assert sentence.endswith(".")
        assert sentence[0].isupper()
        assert words.signal_name(code) == words.RULES[code].name
        (seen,) = words.seen(row(has_signal=True, signals=[code]))
        assert seen
    assert len({words.signal(code) for code in CODES}) == len(CODES)
    assert words.signal("new_rule") == "A rule signals: new rule."
    assert words.seen(row(has_signal=True, signals=["new_rule"])) == ["new rule"]


@pytest.mark.parametrize("kind", [*KINDS, "run"])
def test_every_kind_has_a_name_a_centre_and_a_title(kind):
    spec = {"kind": kind, "value": "score", "size": None}
    assert words.chart_name(spec).endswith("chart)" if kind != "run" else "chart")
    assert words.center_name(spec) in ("mean", "median", "centre")
    assert "score" in words.drawn(spec)
    told = words.chart(row("i"), "S1", words.number, spec)
    assert told.startswith(f"S1: 36 points around a {words.center_name(spec)} of 20.2. ")


def test_the_sentence_says_what_was_seen_what_it_means_and_how_often_chance_shows_it():
    told = words.chart(row(), "", words.number, {"kind": "i"}, "limits 12.1 and 28.3")
    assert told == (
        "36 points around a mean of 20.2, limits 12.1 and 28.3. Something changed towards improvement: 1 point outside "
        "the limits and a shift (many points in a row on one side of the line). A stable chart of 36 points shows "
        "such a signal in 14 of 100."
    )
    worse = words.chart(row(meaning="deterioration", q_value=0.031), "", words.number, {"kind": "i"})
    assert "towards the worse" in worse
    assert worse.endswith("Of charts as striking as this one, 3.1% are expected to be stable (q-value).")
    calm = words.chart(row(has_signal=False, signals=[], n_beyond_limits=0), "", words.number, {"kind": "i"})
    assert calm.endswith("No sign of change: all points lie within the limits and no rule signals.")
    odd = words.chart(row(signals=["hugging"]), "", words.number, {"kind": "i"})
    assert "Something is out of the ordinary: points that hug the centre line." in odd


def test_charts_with_nothing_to_judge_say_so():
    empty = made("i", [None] * 5).summary.row(0, named=True)
    assert words.chart(empty, "S1") == "S1: 5 points, no value to draw a centre line from."
    assert words.chart_heading(empty) == "No value to draw a centre line from"


def test_a_run_chart_is_told_as_ever():
    runs = row(longest_run=9, longest_run_max=8, n_crossings=12, n_crossings_min=11, prob_runs=0.034)
    assert words.chart(runs, "S1", words.number, {}) == words.run_chart(runs, "S1")
    assert words.chart_heading(runs, {}) == words.run_chart_heading(runs)
    other = row(signals=["trend"], longest_run=4)
    assert "a trend" in words.chart(other, "", words.number, {"kind": "run", "rules": "ihi"})
    assert "a trend" in words.chart_heading(other, {"kind": "run", "rules": "ihi"})


def test_the_target_has_a_sentence_of_its_own():
    for code, word in (("passing", "meets"), ("failing", "misses"), ("inconsistent", "at times")):
        told = words.chart(row(assurance=code), "", words.number, {"kind": "i", "target": 25})
        assert word in told
        assert "25" in told.split("Left as it is")[1]
    assert "target" not in words.chart(row(), "", words.number, {"kind": "i", "target": 25})


@pytest.mark.parametrize("code", words.VARIATIONS)
def test_every_variation_has_a_sentence(code):
    assert words.variation(code).endswith(".")
    assert ("high" in words.variation(code)) == code.endswith("high")


def contrast(**changes: object) -> dict:
    return {
        "from_phase": "before",
        "to_phase": "tutoring",
        "shape": "mean",
        "n_before": 12,
        "n_after": 10,
        "before": 20.0,
        "after": 25.0,
        "estimate": 5.0,
        "lo": 2.0,
        "hi": 8.0,
        "p_above": 0.006,
        "p_below": 0.994,
        "method": "step",
    } | changes


def test_contrasts_say_both_levels_the_change_and_its_likely_range():
    assert words.contrast(contrast()) == (
        "before against tutoring: mean 20 over 12 points before, mean 25 over 10 points after; a rise of 5.0 (likely "
        "+2.0 to +8.0). Chance alone would show as large a rise in 6 of 1,000."
    )
    share = words.contrast(
        contrast(shape="proportion", before=0.067, after=0.052, estimate=-0.015, lo=-0.023, hi=-0.007, p_below=0.002)
    )
    assert "proportion 6.7% over 12 points before, proportion 5.2% over 10 points after" in share
    assert "a fall of 1.5 percentage points (likely −2.3 to −0.7 percentage points)" in share
    assert share.endswith("as large a fall in 2 of 1,000.")
    rate = words.contrast(contrast(shape="rate", before=4.0, after=3.0, estimate=0.75, lo=0.5, hi=1.1, p_below=0.08))
    assert "a fall of 25% (likely −50% to +10%)" in rate
    assert rate.endswith("in 8 of 100.")
    gap = words.contrast(contrast(shape="gap", before=0.05, after=0.1, estimate=2.0, lo=1.1, hi=3.5, p_above=0.03))
    assert "rate of events 0.05 over 12 points before" in gap
    assert "a rise of 100% (likely +10% to +250%)" in gap
    none = words.contrast(contrast(shape="rate", before=0.0, after=0.1, estimate=float("inf"), lo=1.4, hi=float("inf")))
    assert "a rise of more than can be counted, from none (likely +40% to without bound)" in none


def test_a_contrast_that_could_not_be_made_says_so():
    told = words.contrast(contrast(estimate=None, lo=None, hi=None, p_above=None, p_below=None, after=None, n_after=0))
    assert told == "before against tutoring: mean 20 over 12 points before. They could not be compared."
    assert "no likely range" in words.contrast(contrast(lo=None, hi=None))
    assert "no difference" in words.contrast(contrast(estimate=0.0, lo=-1.0, hi=1.0))
    assert "without bound" in words.contrast(contrast(shape="rate", estimate=2.0, lo=1.1, hi=float("inf")))


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e6), st.sampled_from(["mean", "median", "proportion"]))
def test_no_contrast_shows_a_bare_float(estimate, half, shape):
    told = words.contrast(contrast(shape=shape, estimate=estimate, lo=estimate - half, hi=estimate + half))
    assert "nan" not in told
    assert "e+" not in told or abs(estimate) > 1e5


def test_limits_are_told_as_two_numbers_or_as_ranges():
    lower, upper = noise(5, 10, 1), noise(5, 20, 1)
    told = words.limits(lower, upper)
    assert told == (
        f"lower limits {words.number(min(lower))} to {words.number(max(lower))}, "
        f"upper limits {words.number(min(upper))} to {words.number(max(upper))}"
    )
    assert words.limits([None, 0.043], [0.091, None], words.share) == "limits 4.3% and 9.1%"


def test_odds_are_never_zero_nor_certain():
    for p in (0.0, 1e-9, 0.0009, 0.00099, 0.0094, 0.0096, 0.5, 0.9951, 1.0):
        text = words.odds(p)
        assert not text.startswith("0 ")
        assert text != "100 of 100"
    assert [words.odds(p) for p in (0.01, 0.25)] == ["1 of 100", "25 of 100"]


def test_headings_and_sentences_agree_in_what_they_see():
    for codes in itertools.combinations(CODES[:6], 2):
        found = row(signals=list(codes))
        assert all(seen in words.chart(found, "", words.number, {"kind": "i"}) for seen in words.seen(found))
        assert words.listed(words.seen(found)) in words.chart_heading(found, {"kind": "i"})
