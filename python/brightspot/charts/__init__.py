"""Charts over time: is anything changing, and would it look the same by chance?"""

from brightspot.charts._chart import Chart
from brightspot.charts.changes import Contrast, Proposals
from brightspot.charts.control import ControlChart, control_chart
from brightspot.charts.rules import false_signals, rule_sets
from brightspot.charts.run import RunChart, run_chart

__all__ = [
    "Chart",
    "Contrast",
    "ControlChart",
    "Proposals",
    "RunChart",
    "control_chart",
    "false_signals",
    "rule_sets",
    "run_chart",
]
