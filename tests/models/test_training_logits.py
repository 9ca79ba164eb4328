"""Auxiliary heads, logits of patches, and a checkpoint with another head as the start of a training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from robench import models
from robench.errors import CheckpointError, ModelError
from robench.models import Classifier, TrainingLogits
from robench.models._label_map import LabelMap
from robench.models._normalize import Normalization

IMAGES = torch.randint(0, 256, (4, 8, 8, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


class Heads(nn.Module):
    """Three heads on the mean colour: all in training mode, the first one in evaluation mode."""

    def __init__(self, classes: int = 5) -> None:
        super().__init__()
        self.heads = nn.ModuleList(nn.Linear(3, classes) for _ in range(3))

    def forward(self, x: Tensor) -> Any:
        first, second, third = (head(x.mean(dim=(2, 3))) for head in self.heads)
        return (first, None, second, third) if self.training else first

    def patch_logits(self, x: Tensor) -> Tensor:
        return self.heads[0](x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Always(Heads):
    def forward(self, x: Tensor) -> Any:
        return self.heads[0](x.mean(dim=(2, 3))), None


class Nothing(Heads):
    def forward(self, x: Tensor) -> Any:
        return ()


class Narrow(Heads):
    def forward(self, x: Tensor) -> Any:
        return self.heads[0](x.mean(dim=(2, 3))), x[:, :, 0, 0]


def classifier(module: nn.Module, **fields: Any) -> Classifier:
    none = Normalization((0.0,) * 3, (1.0,) * 3)
    card = models.Card("heads", 8, 3, *none, 0, 5, "this test", build=lambda _: module)
    filled = {"label": "heads", "classes": 5, "weights_sha256": "", "normalization": none, **fields}
    return Classifier(card=card, module=module, **filled)


def test_auxiliary_logits_are_there_in_training_mode_and_only_there() -> None:
    net = classifier(Heads())
    net.module.train()
    answer = net.training_logits(IMAGES)
    assert isinstance(answer, TrainingLogits)
    x = net.prepare(IMAGES).mean(dim=(2, 3))
    expected = [head(x) for head in net.module.get_submodule("heads").children()]
    assert all(torch.equal(one, other) for one, other in zip((answer.main, *answer.auxiliary), expected, strict=True))
    assert torch.equal(net.forward(IMAGES), expected[0])
    net.module.eval()
    assert net.training_logits(IMAGES).auxiliary == ()
    assert torch.equal(net.logits(IMAGES), expected[0])


@pytest.mark.parametrize(
    ("net", "training", "got"),
    [(Always(), False, "tuple"), (Nothing(), True, "tuple"), (Narrow(), True, r"\(4, 3\)")],
)
def test_other_answers_are_refused(net: nn.Module, training: bool, got: str) -> None:
    held = classifier(net)
    held.module.train(training)
    with pytest.raises(ModelError, match=rf"heads: expected logits \(4, 5\), got {got}"):
        held.training_logits(IMAGES)


def test_a_label_map_chooses_among_all_heads_and_patches() -> None:
    whole = classifier(Heads())
    chosen = classifier(Heads(), classes=2, label_map=LabelMap(((3,), (0,)), "", Path("map.csv")), outputs=5)
    chosen.module.load_state_dict(whole.module.state_dict())
    for net in (whole, chosen):
        net.module.train()
    for one, other in zip(
        chosen.training_logits(IMAGES).auxiliary, whole.training_logits(IMAGES).auxiliary, strict=True
    ):
        assert torch.equal(one, other[:, [3, 0]])
    assert torch.equal(chosen.patch_logits(IMAGES), whole.patch_logits(IMAGES)[:, [3, 0]])


def test_logits_of_patches_come_in_evaluation_mode_without_gradients() -> None:
    net = classifier(Heads())
    net.module.train()
    patches = net.patch_logits(IMAGES)
    assert (patches.shape, patches.requires_grad, net.module.training) == ((4, 5, 8, 8), False, False)
    assert torch.allclose(patches.mean(dim=(2, 3)), net.logits(IMAGES), atol=1e-5)
    with pytest.raises(ModelError, match="tiny_cnn: expected a network with logits of patches, such as bagnet33"):
        models.load("tiny_cnn", classes=10, random_weights=True).patch_logits(IMAGES)


def test_another_head_is_a_start_and_no_network() -> None:
    with pytest.raises(CheckpointError, match="digits-clean: expected weights for 4 classes, got 10"):
        models.load("tiny_cnn=digits-clean", classes=4)
    started = models.load("tiny_cnn=digits-clean", classes=4, transfer=True, seed=3).module.state_dict()
    digits = models.load("tiny_cnn=digits-clean", classes=10).module.state_dict()
    assert {key for key, value in started.items() if not value.equal(digits[key])} == {"14.weight", "14.bias"}
    assert started["14.weight"].shape == (4, digits["14.weight"].shape[1])


def test_new_heads_are_drawn_after_glorot_from_the_seed_with_biases_of_0(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from torch import nn\n"
        "def net(classes):\n"
        "    body, head = nn.Conv2d(3, 64, 1), nn.Conv2d(64, classes, 3, padding=1)\n"
        "    pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())\n"
        "    return nn.Sequential(body, head, nn.BatchNorm2d(classes), pooled), {'side': 8}\n"
    )
    spec = f"{tmp_path / 'mine.py'}:net"
    before = models.load(spec, classes=10).module
    models.save(tmp_path / "w.safetensors", before, {})

    def started(seed: int) -> dict[str, Tensor]:
        loaded = models.load(f"{spec}={tmp_path / 'w.safetensors'}", classes=4, transfer=True, seed=seed)
        return dict(loaded.module.state_dict())

    generator = torch.random.get_rng_state()
    one, again, other = started(0), started(0), started(1)
    assert torch.equal(torch.random.get_rng_state(), generator)
    assert all(value.equal(again[name]) for name, value in one.items())
    assert one["0.weight"].equal(before.state_dict()["0.weight"])
    for seeded in (one, other):
        bound = (6 / (9 * (64 + 4))) ** 0.5
        assert 0.98 * bound < seeded["1.weight"].abs().max() <= bound
        assert seeded["1.weight"].std().item() == pytest.approx(bound / 3**0.5, rel=0.05)
        assert not seeded["1.bias"].any()
        assert (seeded["2.weight"] == 1).all()
    assert not one["1.weight"].equal(other["1.weight"])


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"0.weight": torch.zeros(16, 3, 3, 3)}, r"0\.weight expected \(16, 1, 3, 3\), got \(16, 3, 3, 3\)"),
        ({"99.weight": torch.zeros(1)}, r"unexpected 99\.weight"),
    ],
)
def test_weights_of_another_network_are_no_start(changes: dict[str, Tensor], fault: str, tmp_path: Path) -> None:
    state = models.load("tiny_cnn=digits-clean", classes=10).module.state_dict()
    torch.save({**state, **changes}, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match=f"not weights of tiny_cnn: {fault}"):
        models.load(f"tiny_cnn={tmp_path / 'w.pt'}", classes=10, transfer=True)
