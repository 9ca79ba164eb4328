"""Where each architecture is calibrated."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from robench import models
from robench.errors import ModelError
from robench.models.fidelity import Options, Places, assemble, places_of
from robench.models.fidelity._calibration import Calibration, Change, changed
from robench.models.fidelity._places import PLACES

PAPER = [f"torchvision:{name}" for name in ("alexnet", "googlenet", "resnet50", "vgg16")]
POOLING = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)


@pytest.mark.parametrize("name", [*PAPER, "torchvision:resnet18", "resnet110"])
def test_calibration_reaches_every_place(name: str) -> None:
    """Untrained it changes nothing; each place, pushed alone, changes the answer."""
    parts = models.load(f"dncnn+{name}", classes=3, random_weights=True)
    net = assemble(parts, Options(estimator="oracle", without=frozenset({"ensemble"}))).module.train()
    for part in net.classifier.modules():
        if isinstance(part, nn.Conv2d):  # GoogLeNet's own weights let the image fade before the end
            nn.init.kaiming_normal_(part.weight)
    places = PLACES[name]
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    spatial = net.calibration.spatial["multiplication"]
    with torch.inference_mode():
        plain = net.classifier((net.restore(x) - net.mean) / net.std)
        assert torch.equal(net(x, clean=1 - x), plain)
        for place in range(len(places.spatial)):
            spatial.gains.data.zero_()[place] = 1.0
            assert not torch.equal(net(x, clean=1 - x), plain), places.spatial[place]
        spatial.gains.data.zero_()
        net.calibration.channel["multiplication"].gain.fill_(1.0)
        assert not torch.equal(net(x, clean=1 - x), plain)


@pytest.mark.parametrize("name", PLACES)
def test_the_places_are_passed_in_order_and_every_pooling_layer_is_one(name: str) -> None:
    """On the meta device, where the largest network takes no memory."""
    card, places = models.get(name), PLACES[name]
    with torch.device("meta"):
        net = card.build(3).eval()
        x = torch.zeros(2, 3, card.input_size or 32, card.input_size or 32)
    passed: list[tuple[str, torch.Size]] = []

    def note(place: str) -> Change:
        return place, lambda features: passed.append((place, features.shape)) or features  # type: ignore[func-returns-value]

    with changed(net, [note(place) for place in (*places.spatial, places.features)]):
        net(x)
    assert [place for place, _ in passed] == [*places.spatial, places.features]
    assert passed[0][1] == x.shape
    assert passed[-1][1][:2] == (2, places.channels)
    heights = [shape[2] for place, shape in passed if place in places.spatial]
    assert heights == sorted(heights, reverse=True)
    pooling = {f"before {place}" for place, part in net.named_modules() if isinstance(part, POOLING)}
    assert {place for place in pooling if not re.match(r"before (inception|aux)", place)} <= set(places.spatial)


def test_places_are_first_layers_pooling_layers_or_stages_that_halve() -> None:
    stages = {f"{input_size} layer{stage}" for input_size in ("before", "after") for stage in (2, 3, 4)}
    for name in PLACES:
        with torch.device("meta"):
            net = models.get(name).build(3)
        first, *others = PLACES[name].spatial
        assert first in ("before conv1", "before features")
        pools = [place for place in others if isinstance(net.get_submodule(place.partition(" ")[2]), POOLING)]
        assert set(others) - set(pools) <= (stages if pools in ([], ["before avgpool"]) else set()), name


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("resnet20", [(3, 32, 32), (16, 32, 32), (32, 16, 16), (64, 8, 8), (64,)]),
        ("resnet18_32", [(3, 32, 32), (64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4), (512, 1, 1)]),
    ],
)
def test_resnets_for_32_pixels_are_corrected_where_features_get_smaller(name: str, shapes: list[Any]) -> None:
    net, passed = models.get(name).build(10).eval(), []

    def note(features: Tensor) -> Tensor:
        passed.append(tuple(features.shape[1:]))
        return features

    places = PLACES[name]
    with changed(net, [(place, note) for place in (*places.spatial, places.features)]):
        net(torch.zeros(2, 3, 32, 32))
    assert passed == shapes


def test_the_side_after_a_name_of_torchvision_is_no_part_of_the_architecture() -> None:
    assert places_of("torchvision:resnet50:64") == PLACES["torchvision:resnet50"]


def test_hooks_go_with_the_block_and_come_in_order() -> None:
    net = nn.Sequential(nn.Identity(), nn.Identity())
    changes = [("before 0", lambda x: x + 1), ("before 0", lambda x: 10 * x), ("after 1", lambda x: -x)]
    with changed(net, changes):
        assert net(torch.tensor(2.0)).item() == -30
    assert net(torch.tensor(2.0)).item() == 2
    with pytest.raises(ZeroDivisionError), changed(net, changes):
        _ = 1 / 0
    assert net(torch.tensor(2.0)).item() == 2


def test_a_network_without_the_named_module_is_one_line() -> None:
    net = nn.Sequential(nn.Identity())
    places = [("before 0", torch.neg), ("before layer2", torch.neg)]
    with pytest.raises(ModelError, match="place 'before layer2': Sequential has no 'layer2'"), changed(net, places):
        pass
    assert net(torch.tensor(2.0)).item() == 2


def test_features_of_another_width_are_one_line() -> None:
    places = Places(("before conv1",), "before linear", channels=32)
    [*_, (_, correct)] = Calibration(places, Options()).changes(torch.zeros(2, 1, 8, 8), None)
    with pytest.raises(ModelError, match="expected 32 channels before linear, got 64"):
        correct(torch.zeros(2, 64))
