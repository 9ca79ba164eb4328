"""Fidelity maps and what is made of them, against figures worked by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from robench import models
from robench.errors import CheckpointError
from robench.models.fidelity import confidence, distance
from robench.models.fidelity._calibration import (
    ChannelConcatenation,
    ChannelMultiplication,
    Ensemble,
    Spatial,
    SpatialAddition,
    SpatialMultiplication,
    flattened,
    resized,
)

KINDS = ("l1", "l2", "cosine")


class Times(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


def pixel(red: float, green: float, blue: float) -> Tensor:
    return torch.tensor([red, green, blue], dtype=torch.float32).view(1, 3, 1, 1)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("l1", (0.1 + 0.2 + 0) / 3),
        ("l2", (0.01 + 0.04 + 0) / 3),
        ("cosine", 1 - 1.07 / math.sqrt(1.01 * 1.18)),  # (0.02 + 0.24 + 0.81) of squares 0.04 + 0.16 + 0.81 and so on
    ],
)
def test_one_pixel_by_hand(kind: str, value: float) -> None:
    apart = distance(kind, pixel(0.2, 0.4, 0.9), pixel(0.1, 0.6, 0.9))
    assert apart.shape == (1, 1, 1, 1)
    assert apart.item() == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_map_is_0_where_nothing_differs_and_1_at_most(kind: str) -> None:
    images = torch.rand(4, 3, 9, 7, generator=torch.Generator().manual_seed(0))
    images[0, :, 0, 0] = 0
    assert not distance(kind, images, images).any()
    apart = distance(kind, images, images.flip(0))
    assert apart.shape == (4, 1, 9, 7)
    assert apart.min() >= 0
    assert distance(kind, torch.ones(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)).flatten().tolist() == [1.0] * 4


def test_the_cosine_is_blind_to_brightness_and_to_nothing_else() -> None:
    assert distance("cosine", pixel(0.2, 0.4, 0.6), pixel(0.1, 0.2, 0.3)).item() == pytest.approx(0, abs=1e-6)
    assert distance("cosine", pixel(1, 0, 0), pixel(0, 1, 0)).item() == 1


def test_the_constants_are_those_of_appendix_b() -> None:
    variance = 0.55 / 72  # 0.01 + 0.04 + 0.09 + 0.16 + 0.25, over 6 squared, halved
    assert confidence("l1", torch.tensor(0.069735)).item() == pytest.approx(0, abs=1e-4)
    assert confidence("l2", torch.tensor(0.0076389)).item() == pytest.approx(0, abs=1e-6)
    one_deviation = math.sqrt(variance * (1 - 2 / math.pi))
    assert one_deviation == pytest.approx(0.052686, abs=1e-6)
    assert confidence("l1", torch.tensor(0.069735 + 0.052686)).item() == pytest.approx(-1, abs=1e-4)
    assert math.sqrt(variance * math.sqrt(2)) == pytest.approx(0.103938, abs=1e-6)
    assert confidence("l2", torch.tensor(0.0076389 + 0.103938)).item() == pytest.approx(-1, abs=1e-5)
    assert confidence("cosine", torch.tensor([0.0, 0.25])).tolist() == [0.0, -0.25]


@pytest.mark.parametrize(("kind", "ends"), [("l1", (-17.66, 1.32)), ("l2", (-9.55, 0.07)), ("cosine", (-1, 0))])
def test_confidence_is_in_its_range(kind: str, ends: tuple[float, float]) -> None:
    assert confidence(kind, torch.tensor([1.0, 0.0])).tolist() == pytest.approx(ends, abs=0.005)


SQUARE = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).view(1, 1, 2, 2)


@pytest.mark.parametrize(
    ("how", "values"),
    [
        ("nearest", [1, 3, 1, 2]),
        ("bilinear", [1.5, 3.5, 2, 3]),
        ("bicubic", [1.40625, 3.59375, 2.09375, 2.90625]),  # weights -3/32, 19/32, 19/32, -3/32, ends repeated
    ],
)
def test_rows_then_columns_are_shortened(how: str, values: list[float]) -> None:
    assert flattened(SQUARE, 4, how).tolist() == [values]


def test_an_odd_length_has_one_more_of_the_rows() -> None:
    assert flattened(SQUARE, 3, "nearest").tolist() == [[1, 3, 1]]


@pytest.mark.parametrize("how", ["nearest", "bilinear", "bicubic"])
def test_a_map_of_the_right_size_stays(how: str) -> None:
    assert resized(SQUARE, (2, 2), how) is SQUARE
    assert resized(SQUARE, (1, 1), how).shape == (1, 1, 1, 1)


def test_bilinear_halving_is_the_mean_of_four() -> None:
    assert resized(SQUARE, (1, 1), "bilinear").item() == 2.5


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("kind", [SpatialMultiplication, SpatialAddition])
def test_the_map_goes_from_place_to_place(kind: type[Spatial], residual: bool) -> None:
    module = kind(2, "bilinear", residual=residual)
    module.layers = nn.ModuleList([Times(2.0), Times(-0.25)])
    module.gains.data = torch.tensor([0.5, 2.0])
    features = torch.tensor([10.0, 20.0]).view(1, 2, 1, 1)
    first = SQUARE * (3 if residual else 2)
    second = 2.5 * (3 * 0.75 if residual else 2 * -0.25)

    def applied(signal: Tensor | float, features: Tensor) -> Tensor:
        signal = torch.as_tensor(signal)
        return features * 2 / (1 + torch.exp(-signal)) if kind is SpatialMultiplication else features + signal

    fidelity, corrected = module(0, SQUARE, features.expand(1, 2, 2, 2))
    assert torch.equal(fidelity, first)
    torch.testing.assert_close(corrected, applied(0.5 * first, features.expand(1, 2, 2, 2)))
    fidelity, corrected = module(1, fidelity, features)
    assert fidelity.item() == second
    torch.testing.assert_close(corrected, applied(2 * second, features))


@pytest.mark.parametrize("residual", [True, False])
def test_channel_multiplication_by_hand(residual: bool) -> None:
    module = ChannelMultiplication(2, residual=residual)
    module.layers = nn.Sequential(Times(3.0))
    module.gain.data.fill_(0.5)
    features, line = torch.tensor([[4.0, 6.0]]), torch.tensor([[0.0, -1.0]])
    factor = 2 / (1 + math.exp(2.0 if residual else 1.5))
    torch.testing.assert_close(module(features, line), torch.tensor([[4.0, 6 * factor]]))
    spread = module(features[:, :, None, None].expand(1, 2, 3, 3), line)
    assert torch.equal(spread[..., 2, 1], module(features, line))


@pytest.mark.parametrize("residual", [True, False])
def test_channel_concatenation_by_hand(residual: bool) -> None:
    module = ChannelConcatenation(2, residual=residual)
    assert module.layers[0].weight.shape == (2, 4)
    for layer in (module.layers[0], module.layers[2]):
        nn.init.zeros_(layer.weight)
    module.layers[0].weight.data[0] = torch.tensor([1.0, 10.0, 100.0, 1000.0])
    module.layers[2].weight.data[1, 0] = 1.0
    features, line = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]])
    learned = torch.tensor([[0.0, 4321.0]])
    assert torch.equal(module(features, line), features + learned if residual else learned)
    spread = module(features[:, :, None, None].expand(1, 2, 3, 3), line)
    assert torch.equal(spread[..., 0, 2], module(features, line))


def test_the_ensemble_weighs_each_channel() -> None:
    module = Ensemble(3)
    corrected, original = torch.tensor([[8.0, 8.0, 8.0]]), torch.tensor([[4.0, 4.0, 4.0]])
    assert module(corrected, original).tolist() == [[6.0, 6.0, 6.0]]
    module.weights.data = torch.tensor([-200.0, math.log(3), 200.0])
    torch.testing.assert_close(module(corrected, original), torch.tensor([[4.0, 7.0, 8.0]]))


def test_an_estimator_is_loaded_or_drawn_from_the_seed(tmp_path: Path) -> None:
    before = torch.random.get_rng_state()
    drawn, again, other = (models.load_estimator(seed=seed) for seed in (3, 3, 4))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not drawn.training
    first = [net.dncnn[0].weight for net in (drawn, again, other)]
    assert first[0].equal(first[1])
    assert not first[0].equal(first[2])
    models.save(tmp_path / "e.safetensors", drawn, {})
    loaded = models.load_estimator(tmp_path / "e.safetensors", seed=4)
    assert all(value.equal(drawn.state_dict()[name]) for name, value in loaded.state_dict().items())
    models.save(tmp_path / "r.safetensors", models.load_restorer("cdncnn", random_weights=True).module, {})
    with pytest.raises(CheckpointError, match=r"r.safetensors: not weights of fidelity-estimator: .*expected \(1, 64"):
        models.load_estimator(tmp_path / "r.safetensors")
