"""Sweep models over a data set, its corruptions and their strengths, into a run folder."""

from robench.evaluate._config import SweepConfig
from robench.evaluate._plan import SweepPlan, Unit, planned_cells
from robench.evaluate._run import run
from robench.evaluate._sweep import Outcome, evaluate

__all__ = ["Outcome", "SweepConfig", "SweepPlan", "Unit", "evaluate", "planned_cells", "run"]
