"""A restorer in front of a classifier: RESTORER[=CHECKPOINT]+MODEL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from robench import models
from robench.errors import CheckpointError, ConfigError, ModelError
from robench.models import Spec

IMAGES = torch.randint(0, 256, (3, 24, 20, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


class Brighter(nn.Module):
    """Adds a learned amount, and keeps what it was given."""

    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.amount = nn.Parameter(torch.rand(1))

    def forward(self, x: Tensor) -> Tensor:
        Brighter.seen = x
        return x + self.amount


class Shrinks(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[..., 1:]


def card(build: Any = Brighter, channels: int = 3, **fields: Any) -> models.RestorerCard:
    return models.RestorerCard(
        **{"name": "toy", "channels": channels, "params": 1, "source": "tests"} | fields, build=build
    )


@pytest.fixture
def toy() -> Iterator[models.RestorerCard]:
    with models.restorers.with_entry("toy", card()) as entry:
        yield entry


def saved(path: Path, amount: float) -> Path:
    net = Brighter()
    net.amount.data.fill_(amount)
    models.save(path, net, {})
    return path


def alone(images: Tensor) -> Tensor:
    return models.load("resnet20", classes=10, random_weights=True).logits(images)


def test_images_pass_the_restorer_before_fit_and_normalisation(toy: models.RestorerCard, tmp_path: Path) -> None:
    spec = f"toy={saved(tmp_path / 'up.safetensors', 0.25)}+resnet20"
    both = models.load(spec, classes=10, random_weights=True, input_size=(24, 20))
    unit = IMAGES.permute(0, 3, 1, 2) / 255
    assert torch.equal(both.logits(IMAGES), alone((unit + 0.25).clamp(0, 1)))
    assert torch.equal(Brighter.seen, unit)
    assert both.label == "toy=up+resnet20"
    assert (both.resize_policy, both.normalize) == ("resize32", "cifar10")


def test_what_leaves_the_range_is_clipped(toy: models.RestorerCard, tmp_path: Path) -> None:
    spec = f"toy={saved(tmp_path / 'up.safetensors', 2.0)}+resnet20"
    white = torch.full((3, 24, 20, 3), 255, dtype=torch.uint8)
    assert torch.equal(models.load(spec, classes=10, random_weights=True).logits(IMAGES), alone(white))


def test_the_digest_is_over_both(toy: models.RestorerCard, tmp_path: Path) -> None:
    one, other = (saved(tmp_path / f"{amount}.safetensors", amount) for amount in (0.1, 0.2))
    digests = {
        models.load(spec, classes=10, random_weights=True, seed=seed).weights_sha256
        for spec in (f"toy={one}+resnet20", f"toy={other}+resnet20", "resnet20")
        for seed in (0, 1)
    }
    assert len(digests) == 6
    loaded = models.load(f"toy={one}+resnet20", classes=10, random_weights=True)
    assert loaded.restorer is not None
    assert loaded.to_dict()["restorer"] == {
        "name": "toy",
        "source": "tests",
        "weights_sha256": loaded.restorer.weights_sha256,
    }
    assert loaded.to_dict()["parameters"] == 269_722 + 1
    assert models.load("resnet20", classes=10, random_weights=True).to_dict()["restorer"] is None


@pytest.mark.parametrize("name", ["dncnn", "cdncnn"])
def test_training_begins_with_the_image_itself(name: str) -> None:
    restorer = models.load_restorer(name, random_weights=True, seed=3)
    x = torch.rand(2, 3, 9, 7, generator=torch.Generator().manual_seed(0))
    assert torch.equal(restorer.restore(x), x)
    restorer.module.dncnn[-1].weight.data.fill_(0.1)
    assert not torch.equal(restorer.restore(x), x)


def test_gray_restorers_take_the_channels_one_by_one() -> None:
    with models.restorers.with_entry("toy", card(channels=1)):
        net = models.load("toy+resnet20", classes=10, random_weights=True)
    net.logits(IMAGES)
    assert torch.equal(Brighter.seen.reshape(3, 3, 24, 20), IMAGES.permute(0, 3, 1, 2) / 255)


def test_colour_restorers_take_gray_images_as_rgb_and_gray_classifiers_take_their_luminance(
    toy: models.RestorerCard,
) -> None:
    net = models.load("toy+lenet5", classes=10, random_weights=True)
    assert net.logits(IMAGES[..., :1]).shape == (3, 10)
    assert Brighter.seen.shape == (3, 3, 24, 20)


def test_images_of_another_shape_are_refused() -> None:
    with models.restorers.with_entry("toy", card(Shrinks)):
        net = models.load("toy+resnet20", classes=10, random_weights=True)
    with pytest.raises(
        ModelError, match=r"toy: expected images \(3, 3, 24, 20\) as it was given, got \(3, 3, 24, 19\)"
    ):
        net.logits(IMAGES)


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("toy=a.pt+resnet20=b.pt", Spec("resnet20", checkpoint="b.pt", restorer=Spec("toy", checkpoint="a.pt"))),
        ("toy+mine.py:net", Spec("mine:net", "mine.py", "net", restorer=Spec("toy"))),
        ("resnet20=run+3/b.pt", Spec("resnet20", checkpoint="run+3/b.pt")),
        ("run+3/mine.py:net", Spec("mine:net", "run+3/mine.py", "net")),
        ("torchvision:resnet18=a+b", Spec("torchvision:resnet18", checkpoint="a+b")),
    ],
)
def test_the_first_plus_after_a_restorer_parts_the_two(text: str, spec: Spec, toy: models.RestorerCard) -> None:
    assert models.parse(text) == spec


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ("toi=a.pt+resnet20", "unknown restorer 'toi'; did you mean toy"),
        ("toy=a.pt", r"'toy' is a restorer, expected toy\[=CHECKPOINT\]\+MODEL"),
        ("toy=+resnet20", "'toy' is a restorer, expected"),
        ("toy+", "'toy' is a restorer, expected"),
        ("toy+toy+resnet20", "expected one restorer, got 'toy' and 'toy'"),
        ("toy+resnt20", "unknown model 'resnt20'; did you mean resnet20"),
        ("toy+tiny_cnn=digits-clean", "restorer 'toy': expected weights, toy=CHECKPOINT, or --random-weights"),
    ],
)
def test_a_wrong_argument_is_one_line(spec: str, fault: str, toy: models.RestorerCard) -> None:
    with pytest.raises(ConfigError, match=fault) as caught:
        models.load(spec, classes=10)
    assert "\n" not in str(caught.value)


def test_weights_of_another_network_are_refused(toy: models.RestorerCard, tmp_path: Path) -> None:
    path = saved(tmp_path / "up.safetensors", 0.1)
    with pytest.raises(CheckpointError, match=r"up.safetensors: not weights of dncnn: missing dncnn\.0\.weight"):
        models.load(f"dncnn={path}+resnet20", classes=10, random_weights=True)


@pytest.mark.parametrize(
    ("fields", "fault"), [({"channels": 2}, "channels must be 1 or 3"), ({"name": "a+b"}, r"'\+'")]
)
def test_an_impossible_card_is_refused(fields: dict[str, Any], fault: str) -> None:
    with pytest.raises(ModelError, match=fault):
        card(**fields)


@pytest.mark.parametrize(("name", "depth"), [("dncnn", 17), ("cdncnn", 20)])
def test_dncnn_is_its_card(name: str, depth: int) -> None:
    chosen = models.restorers.get(name)
    net = chosen.build()
    assert sum(parameter.numel() for parameter in net.parameters()) == chosen.params
    convolutions = [part for part in net.modules() if isinstance(part, nn.Conv2d)]
    assert len(convolutions) == depth
    assert sum(isinstance(part, nn.BatchNorm2d) for part in net.modules()) == depth - 2
    x = torch.rand(2, chosen.channels, 9, 12)
    assert net.eval()(x).shape == x.shape
    nn.init.zeros_(convolutions[-1].weight)
    assert torch.equal(net(x), x), "what the network predicts is the noise"
    nn.init.constant_(convolutions[-1].weight, 0.01)
    noise = net.dncnn(x)
    assert noise.abs().max() > 0.01
    assert torch.equal(net(x), x - noise), "and it is taken away"


def test_dncnn_before_a_classifier() -> None:
    net = models.load("dncnn+tiny_cnn=digits-clean", classes=10, random_weights=True)
    assert net.label == "dncnn+tiny_cnn=digits-clean"
    assert net.logits(IMAGES).isfinite().all()
