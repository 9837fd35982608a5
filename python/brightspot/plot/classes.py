"""The picture of classes that try a change and classes that do not: a dot for each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from brightspot import words
from brightspot.plot import theme
from brightspot.plot.theme import BLUE, INK, LABEL_SIZE, ORANGE, POINT

if TYPE_CHECKING:
    from brightspot._records import Study

LABEL = 150
GROUPS = {True: "tried the change", False: "went on as before"}
COLORS = {"improved": BLUE, "worsened": ORANGE}
AXES = {"ancova": "mean after, adjusted for scores before", "difference_in_differences": "mean gain"}


def draw_classes(study: Study, *, title: str = "", width: int = 640, height: int = 260) -> alt.TopLevelMixin:
    """Draw the classes of a study's outcome: one dot a class, two rows, and the mean of each row.

    The dots are what was compared: means after the change, adjusted for the students' scores before, or mean gains. The
    names stand in the tooltips alone, for the picture compares two groups and ranks nobody.

    Parameters
    ----------
    study
        A study whose plan has a comparison.
    title
        A heading; empty for the measure's name.
    width
        About how wide the whole picture is, its words included, in pixels.
    height
        Of the plot, in pixels; at most 160 are needed.
    """
    one, on = study.outcome, words.scale(study, study.outcome.measure)
    inner = max(160, width - LABEL - 30)
    dots: list[dict[str, Any]] = [
        {
            "group": GROUPS[found.is_treated],
            "value": on.in_unit(found.value),
            "name": found.name,
            "students": found.n,
            "before": on.level(found.before),
            "after": on.level(found.after),
        }
        for found in one.classes
    ]
    means = [
        {
            "group": GROUPS[is_treated],
            "mean": sum(values) / len(values),
            "text": f"mean {words.number(sum(values) / len(values))}",
        }
        for is_treated in (True, False)
        if (values := [on.in_unit(found.value) for found in one.classes if found.is_treated == is_treated])
    ]
    unit = f" ({on.unit})" if on.unit else ""
    y = alt.Y(
        "group:N", sort=list(GROUPS.values()), title=None, axis=alt.Axis(labelLimit=LABEL, ticks=False, domain=False)
    )
    axis = alt.Axis(title=f"{AXES.get(one.method, 'value')}{unit}", tickCount=6)
    x = alt.X("value:Q", scale=alt.Scale(zero=False, nice=True, padding=14), axis=axis)
    color = COLORS.get(one.signal, INK)
    paint = alt.condition(f"datum.group === '{GROUPS[True]}'", alt.value(color), alt.value(INK))
    layers = [
        alt.Chart(theme.rows(dots))
        .mark_point(filled=True, shape="circle", size=60, opacity=0.75, color=POINT)
        .encode(x=x, y=y, tooltip=["name:N", "students:Q", "before:N", "after:N"]),
        alt.Chart(theme.rows(means)).mark_tick(thickness=3, size=44).encode(x="mean:Q", y=y, color=paint),
        alt.Chart(theme.rows(means))
        .mark_text(dy=-32, fontSize=LABEL_SIZE)
        .encode(x="mean:Q", y=y, text="text:N", color=paint),
    ]
    name = title or (f"{words.capital(one.measure)}{unit}" if not on.is_share else words.capital(one.measure))
    heading = theme.heading(name, words.study_picture(study, one), inner + LABEL)
    picture: Any = alt.layer(*layers).properties(width=inner, height=min(height, 160), **heading)
    return theme.finish(picture, words.study_numbers(study, one))
