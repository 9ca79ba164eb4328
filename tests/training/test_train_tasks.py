"""What is trained besides classifiers: restorers, estimators of fidelity, calibrated classifiers, heads on the side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from robench import datasets, models
from robench.datasets import Dataset
from robench.errors import ConfigError
from robench.files import sha256_file
from robench.models import Restorer, RestorerCard, restorers
from robench.models.fidelity import Estimator, distance
from robench.training import Trained, began_from, get, train
from robench.training._fit import Epoch, Fit
from robench.training._tasks import Classification, Estimation, Restoration

Pair = tuple[Dataset, Dataset]
Run = Callable[..., Trained]


@pytest.fixture(scope="module")
def few() -> Pair:
    return tuple(datasets.load(f"digits@{split}", view="side16", limit=n) for split, n in (("train", 40), ("val", 12)))


@pytest.fixture
def run(few: Pair, tmp_path: Path) -> Run:
    """run("fidelity-restorer", "cdncnn", "name", **options)"""

    def trained(recipe: Any, model: str, name: str, **options: Any) -> Trained:
        given = {"epochs": 1, "batch_size": 20, "device": "cpu", "progress": False, **options}
        return train(recipe, few, model, tmp_path / f"{name}.safetensors", **given)

    return trained


class Shift(nn.Module):
    """A restorer with one parameter, to be added to every pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(0.25))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.value


@pytest.fixture
def shift() -> RestorerCard:
    with restorers.with_entry("shift", RestorerCard("shift", 3, 1, "a test", build=Shift)) as card:
        yield card


def test_a_restorer_learns_and_stands_in_front_of_a_model(run: Run, shift: RestorerCard) -> None:
    recipe = replace(get("fidelity-restorer"), warmup_epochs=0, perturbations=("awgn@0.05",))
    first = run(recipe, "shift", "first", lr=1e-9)
    trained = run(recipe, "shift", "trained", lr=0.05, epochs=4)
    assert trained.score == "val_psnr"
    assert trained.val_score > first.val_score + 5
    metadata = models.metadata(trained.path)
    assert (metadata["model"], metadata["task"], metadata["train_n"]) == ("shift", "restore", "40")
    assert float(metadata["val_psnr"]) == pytest.approx(trained.val_score, abs=1e-5)
    assert "normalize" not in metadata or metadata["normalize"] == ""
    net = models.load(f"shift={trained.path}+tiny_cnn=digits-clean", classes=10)
    assert net.restorer is not None
    assert abs(float(net.restorer.module.value.detach())) < 0.1


def test_marks_of_a_restorer_by_hand(shift: RestorerCard) -> None:
    module = Shift()
    task = Restoration(Restorer(shift, "shift", module, ""), get("fidelity-restorer"))
    clean = torch.full((3, 4, 4, 1), 51, dtype=torch.uint8)
    images = torch.cat([clean, clean])
    marks = task.marks(images, torch.zeros(6))
    assert marks.n == 3
    assert marks.loss.item() == pytest.approx(3 * 0.25, rel=1e-5)
    assert marks.score.item() == pytest.approx(3 * 12.0412, rel=1e-4)
    step = task.step(images, torch.zeros(6))
    assert (step.loss.item(), step.n) == (pytest.approx(0.25, rel=1e-5), 3)
    assert torch.equal(step.score, marks.score)


def test_an_estimator_learns_the_map_of_its_restorer(run: Run, shift: RestorerCard, tmp_path: Path) -> None:
    module = Shift()
    restorer = Restorer(shift, "shift", module, "")
    task = Estimation(Estimator(), restorer, get("fidelity-estimator-l1"))
    clean = torch.full((2, 8, 8, 3), 51, dtype=torch.uint8)
    degraded, target = task._target(torch.cat([clean, clean]))
    assert torch.equal(degraded, torch.full((2, 3, 8, 8), 0.2))
    assert torch.equal(target, distance("l1", degraded + 0.25, degraded).detach())
    assert not target.requires_grad
    before = module.value.detach().clone()
    models.save(tmp_path / "shift.safetensors", module, {})
    trained = run("fidelity-estimator-l1", f"shift={tmp_path / 'shift.safetensors'}", "estimator")
    assert trained.score == "val_negative_l1"
    assert trained.val_score < 0
    assert models.metadata(trained.path)["fidelity_map"] == "l1"
    assert torch.equal(module.value, before)


def test_calibration_trains_what_is_new_and_leaves_the_classifier(run: Run, tmp_path: Path, few: Pair) -> None:
    classifier = run("clean", "resnet20", "classifier")
    restorer = models.load_restorer("cdncnn", random_weights=True)
    models.save(tmp_path / "restorer.safetensors", restorer.module, {})
    parts = f"cdncnn={tmp_path / 'restorer.safetensors'}+resnet20={classifier.path}"
    recipe = replace(get("fidelity-calibration"), warmup_epochs=0)
    trained = run(recipe, "fidelity:resnet20", "calibrated", parts=parts, lr=1e-3, epochs=2)
    net = models.load(f"fidelity:resnet20={trained.path}", classes=10)
    alone = models.load(f"resnet20={classifier.path}", classes=10)
    inner = {name.removeprefix("classifier."): value for name, value in net.module.state_dict().items()}
    assert all(torch.equal(value, inner[name]) for name, value in alone.module.state_dict().items())
    assert all(
        torch.equal(value, net.module.restorer.state_dict()[k]) for k, value in restorer.module.state_dict().items()
    )
    drawn = models.load("fidelity:resnet20", classes=10, random_weights=True).module.calibration.state_dict()
    moved = [name for name, value in net.module.calibration.state_dict().items() if not torch.equal(value, drawn[name])]
    assert moved
    oracle = run(recipe, "fidelity:resnet20,oracle", "oracle", parts=parts, lr=1e-3)
    assert models.metadata(oracle.path)["model"] == "fidelity:resnet20,oracle"


@pytest.mark.parametrize(
    ("word", "other", "said"),
    [("l2", False, "expected fidelity_map l2, got l1"), ("l1", True, "expected restorer .*, got ")],
)
def test_an_estimator_of_something_else_is_refused(
    word: str, other: bool, said: str, run: Run, shift: RestorerCard, tmp_path: Path
) -> None:
    start = Shift()
    models.save(tmp_path / "shift.safetensors", start, {})
    start.value.data.fill_(0.5)
    models.save(tmp_path / "another.safetensors", start, {})
    classifier = run("clean", "resnet20", "classifier")
    estimator = run("fidelity-estimator-l1", f"shift={tmp_path / 'shift.safetensors'}", "estimator")
    parts = f"shift={tmp_path / ('another' if other else 'shift')}.safetensors+resnet20={classifier.path}"
    with pytest.raises(ConfigError, match=rf"estimator .*estimator.safetensors: {said}"):
        run("fidelity-calibration", f"fidelity:resnet20,{word},pretrained", "x", parts=parts, estimator=estimator.path)


def test_a_checkpoint_has_the_digests_of_what_it_began_from(run: Run, shift: RestorerCard, tmp_path: Path) -> None:
    for name in ("shift", "other"):
        start = Shift()
        start.value.data.fill_(len(name) / 100)
        models.save(tmp_path / f"{name}.safetensors", start, {})
    spec = f"shift={tmp_path / 'shift.safetensors'}+tiny_cnn=digits-clean"
    metadata = models.metadata(run("fidelity-degraded", spec, "restored").path)
    assert metadata["restorer_sha256"] == sha256_file(tmp_path / "shift.safetensors")
    assert "start_sha256" not in metadata  # published weights are no file
    first = run("clean", "tiny_cnn", "first")
    metadata = models.metadata(run("clean", f"tiny_cnn={first.path}", "second").path)
    assert metadata["start_sha256"] == sha256_file(first.path)
    parts, estimator = f"shift={tmp_path / 'other.safetensors'}+tiny_cnn={first.path}", tmp_path / "shift.safetensors"
    assert began_from("fidelity:tiny_cnn", parts=parts, estimator=estimator) == {
        "restorer_sha256": sha256_file(tmp_path / "other.safetensors"),
        "classifier_sha256": sha256_file(first.path),
        "estimator_sha256": sha256_file(estimator),
    }


def test_the_best_epoch_of_a_restorer_has_the_least_loss(few: Pair, shift: RestorerCard) -> None:
    task = Restoration(models.load_restorer("shift", random_weights=True), get("fidelity-restorer"))
    fit = Fit(task, task.recipe, *few, seed=0)
    fit.history = [Epoch(1, 0, 0, 0.05, 32.0, 0), Epoch(2, 0, 0, 0.04, 30.0, 0), Epoch(3, 0, 0, 0.04, 31.0, 0)]
    assert fit.best.epoch == 2


def test_a_restorer_in_front_is_left_as_it_is(run: Run, tmp_path: Path) -> None:
    front = models.load_restorer("dncnn", random_weights=True)
    models.save(tmp_path / "front.safetensors", front.module, {})
    spec = f"dncnn={tmp_path / 'front.safetensors'}+tiny_cnn"
    trained = run("fidelity-degraded", spec, "restored")
    assert models.metadata(trained.path)["start"] == "dncnn=front+tiny_cnn"
    net = models.load(f"dncnn={tmp_path / 'front.safetensors'}+tiny_cnn={trained.path}", classes=10)
    assert net.restorer is not None
    assert net.restorer.weights_sha256 == front.weights_sha256
    task = Classification(models.load(spec, classes=10, random_weights=True), get("clean"))
    assert task.classifier.restorer is not None
    assert not any(value.requires_grad for value in task.classifier.restorer.module.parameters())


def test_heads_on_the_side_count_three_tenths(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from torch import nn\n"
        "class Two(nn.Module):\n"
        "    def __init__(self, classes):\n"
        "        super().__init__()\n"
        "        self.main, self.side = nn.Linear(64, classes), nn.Linear(64, classes)\n"
        "    def forward(self, x):\n"
        "        x = x.flatten(1)\n"
        "        return (self.main(x), self.side(x)) if self.training else self.main(x)\n"
        "def net(classes):\n"
        "    return Two(classes), {'side': 8, 'channels': 1}\n"
    )
    classifier = models.load(f"{file}:net", classes=10)
    task = Classification(classifier, get("clean"))
    images = torch.randint(0, 256, (5, 8, 8, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(5)
    classifier.module.train()
    x = classifier.prepare(images).flatten(1)
    entropy = nn.functional.cross_entropy
    expected = entropy(classifier.module.main(x), labels) + 0.3 * entropy(classifier.module.side(x), labels)
    assert task.step(images, labels).loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_restorer_goes_on_from_init(run: Run, shift: RestorerCard, tmp_path: Path) -> None:
    start = Shift()
    start.value.data.fill_(0.125)
    models.save(tmp_path / "start.safetensors", start, {})
    trained = run("fidelity-restorer", "shift", "on", lr=1e-9, init=str(tmp_path / "start.safetensors"))
    net = models.load_restorer(f"shift={trained.path}")
    assert float(net.module.value.detach()) == pytest.approx(0.125, abs=1e-4)


@pytest.mark.parametrize(
    ("recipe", "model", "options", "said"),
    [
        ("clean", "tiny_cnn", {"parts": "cdncnn=a+tiny_cnn=b"}, "parts and an estimator are for calibration alone"),
        ("fidelity-calibration", "resnet20", {}, "calibration needs a model fidelity:NAME that is new and parts"),
        ("fidelity-calibration", "fidelity:resnet20", {}, "got 'fidelity:resnet20' and 'none'"),
        ("clean", "net.onnx", {}, "model 'net.onnx': an archive cannot be trained"),
        ("clean", "fidelity:resnet20", {}, "expected a recipe that calibrates"),
        ("fidelity-restorer", "resnet20", {}, "unknown restorer 'resnet20'"),
        (
            "fidelity-restorer",
            "cdncnn",
            {"normalize": "imagenet"},
            r"'restore' takes images in \[0, 1\]; leave out norm",
        ),
        ("fidelity-estimator-l1", "cdncnn", {"normalize": "none"}, "'estimate' takes .*; leave out normalize 'none'"),
        ("fidelity-calibration", "fidelity:resnet20", {"normalize": "bytes"}, "leave out normalize 'bytes'"),
        ("fidelity-restorer", "cdncnn=a", {"init": "b"}, "'cdncnn=a' names its checkpoint already; leave out init 'b'"),
        ("fidelity-estimator-l1", "cdncnn", {"init": "b"}, "begins from the restorer in model, .*; leave out init 'b'"),
        ("fidelity-calibration", "fidelity:resnet20", {"init": "b"}, "begins from its parts and .* leave out init 'b'"),
        (
            "fidelity-calibration",
            "fidelity:resnet20,oracle",
            {"parts": "b", "estimator": "e.pt"},
            "model 'fidelity:resnet20,oracle': expected no estimator for an oracle, got 'e.pt'",
        ),
        (
            "fidelity-calibration",
            "fidelity:resnet20,pretrained",
            {"parts": "b"},
            "model 'fidelity:resnet20,pretrained': expected an estimator=CHECKPOINT, got none",
        ),
        (
            "fidelity-calibration",
            "fidelity:resnet20,dncnn,oracle",
            {"parts": "cdncnn=a+resnet20=b"},
            r"'fidelity:resnet20,dncnn,oracle': expected parts with dncnn, got cdncnn=a\+resnet20=b",
        ),
        ("fidelity-degraded", "cdncnn+tiny_cnn", {}, r"'cdncnn\+tiny_cnn': expected cdncnn=CHECKPOINT in front"),
        (
            "fidelity-estimator-l1",
            "cdncnn",
            {},
            "model 'cdncnn': expected the restorer with weights, cdncnn=CHECKPOINT",
        ),
        ("fine-tuning-mnist-first-2", "lenet5", {}, "trained network: expected lenet5=CHECKPOINT or init, got no weig"),
        ("clean", "tiny_cnn", {"precision": "fp16"}, "precision fp16: expected a GPU, got the CPU, which has bf16"),
        ("clean", "tiny_cnn", {"view": "side16"}, "view 'side16': is for a data set by its name"),
        ("fidelity-calibration", "fidelity:resnet20=a", {"parts": "b"}, "got 'fidelity:resnet20=a' and 'b'"),
        (
            "fidelity-calibration",
            "fidelity:resnet20@lp_relu1",
            {"parts": "b"},
            "'@lp_relu1' would replace the ReLUs of",
        ),
    ],
)
def test_what_cannot_be_trained_is_one_line(
    recipe: str, model: str, options: dict[str, Any], said: str, run: Run, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=said):
        run(recipe, model, "x", **options)
    assert not list(tmp_path.iterdir())
