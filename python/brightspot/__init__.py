"""Run improvement cycles in school systems: find what works, test what might, keep the evidence.

Six questions, each answered with a number, its uncertainty and a plain sentence:

1. Did this change lead to improvement, or was it luck? (:func:`study`, :class:`Journal`)
2. Who consistently does better than peers under the same conditions? (:func:`bright_spots`, :func:`funnel`)
3. What should this team do next: adopt, adapt, abandon, keep testing? (:func:`study`)
4. Are we on track, and is anything really changing? (:func:`run_chart`, :func:`control_chart`)
5. Which work serves which goal, and what should stop?
6. Does it work elsewhere: for whom, under what conditions, at what cost? (:func:`pool`)

Every function takes any data frame (polars, pandas, pyarrow, duckdb, anything with the Arrow capsule interface) and
returns polars frames inside a small result that shows itself in Jupyter.
"""

from brightspot import datasets, exceptions
from brightspot._core import __version__
from brightspot._records import (
    Adoption,
    Comparison,
    Cycle,
    Decision,
    Doing,
    FidelityRule,
    Guard,
    Measure,
    Origin,
    Plan,
    Practice,
    PracticeRules,
    PracticeStanding,
    Prediction,
    Retirement,
    Selection,
    Study,
    Task,
)
from brightspot._result import Note
from brightspot.bright import BrightSpots, Explanation, bright_spots
from brightspot.calibration import Calibration, calibration
from brightspot.charts import (
    Chart,
    Contrast,
    ControlChart,
    Proposals,
    RunChart,
    control_chart,
    false_signals,
    rule_sets,
    run_chart,
)
from brightspot.cycle import study
from brightspot.drift import ValueAdded, value_added
from brightspot.exceptions import BrightspotError
from brightspot.funnel import Funnel, funnel
from brightspot.growth import Growth, GrowthModel, growth_percentiles
from brightspot.journal import Event, Filed, History, Journal
from brightspot.mixed import MixedModel, Moments, mixed_model, mixed_moments
from brightspot.pool import Pool, pool
from brightspot.practice_life import practice_state
from brightspot.practices import Practices, practices
from brightspot.ramp import Ramp, ramp, size_of_test
from brightspot.report import Report, report

__all__ = [
    "Adoption",
    "BrightSpots",
    "BrightspotError",
    "Calibration",
    "Chart",
    "Comparison",
    "Contrast",
    "ControlChart",
    "Cycle",
    "Decision",
    "Doing",
    "Event",
    "Explanation",
    "FidelityRule",
    "Filed",
    "Funnel",
    "Growth",
    "GrowthModel",
    "Guard",
    "History",
    "Journal",
    "Measure",
    "MixedModel",
    "Moments",
    "Note",
    "Origin",
    "Plan",
    "Pool",
    "Practice",
    "PracticeRules",
    "PracticeStanding",
    "Practices",
    "Prediction",
    "Proposals",
    "Ramp",
    "Report",
    "Retirement",
    "RunChart",
    "Selection",
    "Study",
    "Task",
    "ValueAdded",
    "__version__",
    "bright_spots",
    "calibration",
    "control_chart",
    "datasets",
    "exceptions",
    "false_signals",
    "funnel",
    "growth_percentiles",
    "mixed_model",
    "mixed_moments",
    "pool",
    "practice_state",
    "practices",
    "ramp",
    "report",
    "rule_sets",
    "run_chart",
    "size_of_test",
    "study",
    "value_added",
]
