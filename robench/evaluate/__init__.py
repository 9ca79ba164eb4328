"""Sweep models over a data set, its corruptions and their strengths, into a run folder."""

from robench.evaluate._plan import Asked, Unit, plan
from robench.evaluate._request import Request
from robench.evaluate._run import run
from robench.evaluate._sweep import Outcome, Way, evaluate

__all__ = ["Asked", "Outcome", "Request", "Unit", "Way", "evaluate", "plan", "run"]
