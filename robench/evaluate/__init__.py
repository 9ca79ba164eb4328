"""Sweep models over a data set, its corruptions and their strengths, into a run folder."""

from robench.evaluate._plan import Asked, Unit, plan
from robench.evaluate._request import Request, run
from robench.evaluate._sweep import Outcome, evaluate

__all__ = ["Asked", "Outcome", "Request", "Unit", "evaluate", "plan", "run"]
