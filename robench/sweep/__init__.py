"""Sweep models over a data set, its corruptions and their strengths, into a run folder."""

from robench.sweep._config import SweepConfig
from robench.sweep._config_file import read_config
from robench.sweep._plan import Condition, SweepPlan, planned_cells
from robench.sweep._run import run
from robench.sweep._sweep import SweepSummary, evaluate

__all__ = ["Condition", "SweepConfig", "SweepPlan", "SweepSummary", "evaluate", "planned_cells", "read_config", "run"]
