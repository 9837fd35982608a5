"""Run charts are drawn as every chart is: see :mod:`brightspot.plot.chart`."""

from brightspot.plot.chart import MOST_CHARTS, draw

__all__ = ["MOST_CHARTS", "draw"]
