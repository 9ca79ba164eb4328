"""A paper's table or figure: trains what is missing, evaluates, and sets the paper's numbers beside those measured.

    robench.reproduce.names()                                     the papers' tables and figures
    robench.reproduce.reproduce("pivot-loss", out, data={...})    writes them

A paper is one file in `robench/reproduce/papers/`, or a module of another package under the entry point
`robench.papers`, whose functions are registered with `@item(...)`.
"""

from robench.reproduce import papers as papers
from robench.reproduce._claims import Claim, Floor
from robench.reproduce._experiments import BUDGETS, ExperimentRunner
from robench.reproduce._figure import Bars, Lines, Point
from robench.reproduce._items import PaperItem, get, item, names
from robench.reproduce._measurement import Measurement
from robench.reproduce._page import Page
from robench.reproduce._run import reproduce
from robench.reproduce._table import Table
from robench.reproduce._trained_network import TrainedNetwork

__all__ = [
    "BUDGETS",
    "Bars",
    "Claim",
    "ExperimentRunner",
    "Floor",
    "Lines",
    "Measurement",
    "Page",
    "PaperItem",
    "Point",
    "Table",
    "TrainedNetwork",
    "get",
    "item",
    "names",
    "reproduce",
]
