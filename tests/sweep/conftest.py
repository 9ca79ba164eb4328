"""A small sweep: digits, the shipped nets, and nets that fail."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from robench import datasets, models
from robench.datasets import Dataset
from robench.models import Classifier
from robench.models._normalize import Normalization
from robench.models._registry import Card
from robench.selection import select
from robench.sweep import SweepConfig, SweepPlan, SweepSummary, _admission, evaluate
from robench.sweep._probe import Probe
from robench.sweep._runner import Runner

TESTS = Path(__file__).parent.parent
sys.path.append(str(TESTS / "export"))
from processes import disk  # noqa: E402

small_disk = pytest.fixture(disk)


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return datasets.load("digits", limit=60)


@pytest.fixture(scope="session")
def net() -> Classifier:
    return models.load("tiny_cnn=digits-clean", classes=10, input_size=32)


@pytest.fixture(scope="session")
def robust() -> Classifier:
    return models.load("tiny_cnn=digits-noise", classes=10, input_size=32)


@pytest.fixture
def sweep(digits: Dataset, net: Classifier, tmp_path: Path) -> Callable[..., SweepSummary]:
    """sweep("run", "awgn@0.1", "contrast@1", …) evaluates the clean digits and these, as all of `suites`, if any.

    how: options of the configuration.
    """

    def run(
        name: str, *chosen: str, data: Any = digits, nets: Any = (net,), suites: Any = (), copies: Any = (),
        how: Any = (), **plan: Any,
    ) -> SweepSummary:  # fmt: skip
        cells = select([], chosen)
        wanted = SweepPlan(cells, suites=dict.fromkeys(suites, cells), **plan)
        config = SweepConfig((), "", tmp_path / name, **({"batch_size": 16} | dict(how)))
        return evaluate(data, nets, wanted, config, copies=copies)

    return run


@pytest.fixture
def unprobed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models see the images of the sweep alone, for tests that count calls."""
    monkeypatch.setattr(Probe, "check", lambda self, forward: None)
    monkeypatch.setattr(Probe, "answers_if_any", lambda self, forward, images=None: None)
    monkeypatch.setattr(_admission, "with_outputs", lambda classifier, probe, asked: classifier)
    monkeypatch.setattr(Runner, "_watch", lambda self, number, todo: {})


@pytest.fixture(scope="session")
def boxed(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """40 images of 32x32 in ten classes with boxes, and with ids that run backwards."""
    rng = np.random.default_rng(5)
    corner = rng.integers(0, 16, (40, 2))
    path = tmp_path_factory.mktemp("npz") / "boxed.npz"
    np.savez(
        path,
        images=rng.integers(0, 256, (40, 32, 32, 3), dtype=np.uint8),
        labels=np.arange(40) % 10,
        boxes=np.concatenate([corner, corner + rng.integers(4, 16, (40, 2))], axis=1),
        ids=np.arange(40)[::-1] * 3,
    )
    return datasets.load(f"npz:{path}")


class Failing(nn.Module):
    """Answers class 0, until it fails at a call: raises, or gives NaN."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.how, self.calls, self.fails_at = how, 0, range(0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        logits = torch.zeros(len(x), 10)
        if self.calls - 1 in self.fails_at:
            if self.how == "raises":
                raise ValueError("the third batch is too much\nfor this net")
            logits[0, 0] = float("nan")
        return logits


@pytest.fixture(params=["raises", "gives NaN"])
def failing(request: pytest.FixtureRequest) -> Classifier:
    module = Failing(request.param)
    card = Card(
        name="failing", input_size=None, channels=1, mean=(0.0,), std=(1.0,), classes=10, params=1, source="tests",
        build=lambda classes: module,
    )  # fmt: skip
    return Classifier(card, "failing", module, 10, Normalization((0.0,), (1.0,)), "0" * 64)
