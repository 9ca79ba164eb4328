"""Where each architecture is calibrated."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Tensor, nn

from robench import models
from robench.errors import ModelError
from robench.models.fidelity import Options, Places, assemble
from robench.models.fidelity._calibration import Calibration, changed
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


@pytest.mark.parametrize("name", [*PAPER, "torchvision:resnet34"])
def test_the_places_of_torchvisions_networks_are_the_first_layer_and_every_pooling_layer(name: str) -> None:
    with torch.device("meta"):
        net = models.get(name).build(3)
    pooling = [f"before {place}" for place, part in net.named_modules() if isinstance(part, POOLING)]
    inside_blocks = re.compile(r"before (inception|aux)")
    first, *others = PLACES[name].spatial
    assert first in ("before conv1", "before features")
    assert others == [place for place in pooling if not inside_blocks.match(place)]


def test_cifar_resnets_are_calibrated_at_the_input_and_where_features_get_smaller() -> None:
    net = models.get("resnet20").build(10)
    passed: list[tuple[int, ...]] = []

    def note(features: Tensor) -> Tensor:
        passed.append(tuple(features.shape[1:]))
        return features

    places = PLACES["resnet20"]
    with changed(net, [(place, note) for place in (*places.spatial, places.features)]):
        net(torch.zeros(2, 3, 32, 32))
    assert passed == [(3, 32, 32), (16, 32, 32), (32, 16, 16), (64, 8, 8), (64,)]


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
