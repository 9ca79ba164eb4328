"""Equal restorers and estimators of several models are asked once a batch, and every answer stays as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch
from processes import tree
from torch import Tensor, nn

from robench import models
from robench.models import Classifier
from robench.models.fidelity import Estimator, Options, assemble
from robench.sweep import SweepConfig, run
from robench.sweep._cached import with_shared_parts

NETS = ("tiny_cnn=digits-clean", "tiny_cnn=digits-noise")
IMAGES = torch.randint(0, 256, (4, 32, 32, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


class Counting(nn.Module):
    """Brighter by an amount, or a negative; `asked` are the batches that every such network got."""

    asked: list[Tensor] = []  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.amount = nn.Parameter(torch.zeros(()))
        self.sign = 1

    def forward(self, x: Tensor) -> Tensor:
        self.asked.append(x)
        return self.sign * x + self.amount


@pytest.fixture(autouse=True)
def toy() -> Iterator[models.RestorerCard]:
    Counting.asked = []
    card = models.RestorerCard(name="toy", channels=3, params=1, source="tests", build=Counting)
    with models.restorers.with_entry("toy", card) as entry:
        yield entry


def restorer(path: Path, amount: float) -> str:
    net = Counting()
    net.amount.data.fill_(amount)
    models.save(path, net, {})
    return f"toy={path}"


def loaded(front: str, nets: Sequence[str] = NETS) -> list[Classifier]:
    return [models.load(f"{front}+{net}", classes=10, input_size=32) for net in nets]


def predictions(folder: Path) -> dict[str, str]:
    """The digest of every cell; the tables beside them are in the order of the calls."""
    return {name: digest for name, digest in tree(folder).items() if name.startswith("predictions/")}


def logits(classifiers: Sequence[Classifier], images: Tensor = IMAGES) -> list[Tensor]:
    return [one.logits(images, images) for one in classifiers]


def test_equal_restorers_are_asked_once_for_the_same_images(tmp_path: Path) -> None:
    front = restorer(tmp_path / "a.safetensors", 0.2)
    before = logits(loaded(front))
    assert len(Counting.asked) == 2
    shared = with_shared_parts(loaded(front))
    for images in (IMAGES, IMAGES.flip(0), IMAGES[:2]):
        Counting.asked = []
        answers = logits(shared, images)
        assert len(Counting.asked) == 1
        assert torch.equal(answers[0], loaded(front)[0].logits(images))
    assert all(map(torch.equal, logits(shared), before))
    assert [one.to_dict() for one in shared] == [one.to_dict() for one in loaded(front)]


def test_restorers_that_differ_stay_apart(tmp_path: Path) -> None:
    fronts = [restorer(tmp_path / f"{amount}.safetensors", amount) for amount in (0.1, 0.2)]
    apart = [loaded(front, NETS[:1])[0] for front in fronts]
    shared = with_shared_parts(apart)
    assert all(map(torch.equal, logits(shared), logits(apart)))
    assert [one.restorer.module for one in shared] == [one.restorer.module for one in apart]


def test_restorers_of_other_names_stay_apart_though_their_weights_are_equal(tmp_path: Path) -> None:
    def negative() -> Counting:
        net = Counting()
        net.sign = -1
        return net

    card = models.RestorerCard(name="negative", channels=3, params=1, source="tests", build=negative)
    front = restorer(tmp_path / "a.safetensors", 0.9)
    with models.restorers.with_entry("negative", card):
        apart = [loaded(one, NETS[:1])[0] for one in (front, front.replace("toy=", "negative="))]
    before = logits(apart)
    assert not torch.equal(*before)
    assert all(map(torch.equal, logits(with_shared_parts(apart)), before))


def test_parts_within_a_fidelity_classifier_are_shared_with_those_in_front(tmp_path: Path) -> None:
    front = restorer(tmp_path / "a.safetensors", 0.2)
    estimator = Estimator()
    parts = [models.load(f"{front}+resnet20", classes=10, input_size=32, random_weights=True) for _ in range(3)]
    made = [assemble(parts[number], Options(estimator="pretrained"), estimator, seed=number) for number in (0, 1)]
    before = logits([*made, parts[2]])
    shared = with_shared_parts([*made, parts[2]])
    asked = []
    hook = estimator.register_forward_hook(lambda *_: asked.append(1))
    Counting.asked = []
    assert all(map(torch.equal, logits(shared), before))
    hook.remove()
    assert (len(Counting.asked), len(asked)) == (1, 1)


@pytest.mark.usefixtures("unprobed")
def test_a_sweep_of_models_that_share_is_each_of_them_alone(tmp_path: Path) -> None:
    front = restorer(tmp_path / "a.safetensors", 0.2)
    specs = tuple(f"{front}+{net}" for net in NETS)
    for name, chosen in (("both", specs), ("one by one", specs[:1]), ("one by one", specs[1:])):
        Counting.asked = []
        run(SweepConfig(chosen, "digits", tmp_path / name, corruptions=("awgn@0.1",), limit=40, batch_size=16))
        assert len(Counting.asked) == 2 * 3
    both, apart = (predictions(tmp_path / name) for name in ("both", "one by one"))
    assert len(both) == 4
    assert both == apart
