"""What the log says of the training batches: their score as they were seen, from the pass that is learned from."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from robench import models
from robench.datasets import Dataset
from robench.models import Restorer, restorers
from robench.models.fidelity import Estimator, Options, assemble
from robench.training import Recipe, get, train
from robench.training import _fit as loop
from robench.training._data import Batches
from robench.training._tasks import Calibration, Classification, Estimation, Restoration, Task

Pair = tuple[Dataset, Dataset]
LABELS = torch.tensor([3, 1, 4, 3, 1, 4])
PAIRS = torch.randint(0, 256, (6, 16, 16, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))


def classification() -> Task:
    return Classification(models.load("resnet20", classes=10, random_weights=True), get("pivot-cifar10-noise-pivot"))


def calibration() -> Task:
    parts = models.load("cdncnn+resnet20", classes=10, random_weights=True)
    return Calibration(assemble(parts, Options(estimator="oracle")), get("fidelity-calibration"))


def restorer() -> Restorer:
    return models.load_restorer("cdncnn", random_weights=True)


def restoration() -> Task:
    return Restoration(restorer(), get("fidelity-restorer"))


def estimation() -> Task:
    return Estimation(Estimator(), restorer(), get("fidelity-estimator-l1"))


@pytest.mark.parametrize(("make", "n"), [(classification, 6), (calibration, 3), (restoration, 3), (estimation, 3)])
def test_a_step_is_one_pass_and_scores_as_validation_does(make: Callable[[], Task], n: int) -> None:
    task = make()
    task.network.eval()
    passes: list[int] = []
    task.network.register_forward_hook(lambda *_: passes.append(1))
    step = task.step(PAIRS, LABELS)
    assert (len(passes), step.n) == (1, n)
    assert (step.loss.requires_grad, step.score.requires_grad) == (True, False)
    marks = task.marks(PAIRS, LABELS)
    assert (step.score.item(), step.n) == (pytest.approx(marks.score.item(), rel=1e-5), marks.n)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"label_smoothing": 0.2, "augment": "crop-flip"},
        {"data": "both", "perturbations": ("awgn@0.3",)},
        {"data": "both", "perturbations": ("awgn@0.3",), "pivot_weight": 1e-4},
    ],
)
def test_the_accuracy_of_an_epoch_is_over_all_images_as_they_were_seen(
    changes: dict[str, Any], digits: Pair, tmp_path: Path
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from torch import nn\n"
        "def net(classes):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(256, classes)), {'side': 16, 'channels': 1}\n"
    )
    recipe = Recipe("toy", "", "", **{"data": "clean", **changes}, epochs=1, batch_size=30, optimizer="sgd", lr=1e-9)
    trained = train(recipe, digits, f"{file}:net", tmp_path / "a.safetensors", device="cpu", progress=False)
    net = models.load(f"{file}:net={trained.path}", classes=10)
    seen = [(net.logits(images).argmax(1) == labels).float() for images, labels in Batches(digits[0], recipe, 0, 0)]
    with trained.log.open(newline="") as opened:
        (row,) = csv.DictReader(opened)
    assert float(row["train_accuracy"]) == pytest.approx(torch.cat(seen).mean().item(), abs=1e-6)
    assert 0 < float(row["train_accuracy"]) < 0.5


@pytest.mark.parametrize(("recipe", "name"), [("fidelity-restorer", "psnr"), ("fidelity-estimator-l1", "negative_l1")])
def test_other_scores_have_their_own_names(recipe: str, name: str, digits: Pair, tmp_path: Path) -> None:
    few = digits[0].limited(8), digits[1].limited(4)

    class Same(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gain = nn.Parameter(torch.ones(1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.gain

    with restorers.with_entry("same", models.RestorerCard("same", 1, 1, "a test", build=Same)):
        models.save(tmp_path / "same.safetensors", Same(), {})
        spec = f"same={tmp_path / 'same.safetensors'}"
        given = replace(get(recipe), perturbations=("awgn@0.1",))
        trained = train(given, few, spec, tmp_path / "a.safetensors", epochs=1, device="cpu", progress=False)
    header, line = trained.log.read_text().splitlines()
    assert header == f"epoch,train_loss,train_{name},val_loss,val_{name},lr"
    values = dict(zip(header.split(","), map(float, line.split(",")), strict=True))
    if name == "psnr":
        assert 20 <= values["train_psnr"] < 26
    else:
        assert values["train_negative_l1"] == -values["train_loss"]


def test_the_sums_of_an_epoch_are_read_once_at_its_end() -> None:
    mean = loop.Mean()
    for total, count in ((torch.tensor(3), 4), (torch.tensor(1), 2)):
        mean.add(total, count)
    assert isinstance(mean.total, torch.Tensor)
    assert mean.value() == pytest.approx(4 / 6)
