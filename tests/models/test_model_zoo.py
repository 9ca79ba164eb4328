"""Every registered network against its card; and the checks themselves against networks made to fail them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from robench import models
from robench.errors import ConfigError, ModelError
from robench.models.testing import card_matches_network, card_on_paper, check_model

TOY = {
    "input_size": 8,
    "channels": 3,
    "mean": (0.5,) * 3,
    "std": (0.25,) * 3,
    "params": 40,
    "classes": 10,
    "source": "this test",
}


class Toy(nn.Module):
    """A linear net on the mean colour."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.head = nn.Linear(3, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.colour(x))

    def colour(self, x: Tensor) -> Tensor:
        return x.mean(dim=(2, 3))


class Branched(Toy):
    """With an auxiliary head in training mode."""

    def __init__(self, classes: int) -> None:
        super().__init__(classes)
        self.branch = nn.Linear(3, classes)

    def forward(self, x: Tensor) -> Any:
        logits = super().forward(x)
        return (logits, self.branch(self.colour(x))) if self.training else logits


class CutBranch(Branched):
    def forward(self, x: Tensor) -> Any:
        answer = super().forward(x)
        return (answer[0], answer[1].detach()) if self.training else answer


class AlwaysBranched(Branched):
    def forward(self, x: Tensor) -> Any:
        return self.head(self.colour(x)), self.branch(self.colour(x))


class Noisy(Toy):
    def colour(self, x: Tensor) -> Tensor:
        colour = super().colour(x)
        return colour + torch.rand_like(colour)


class LooksAtTheBatch(Toy):
    def colour(self, x: Tensor) -> Tensor:
        return super().colour(x - x.mean(dim=0))


class Cut(Toy):
    def colour(self, x: Tensor) -> Tensor:
        return super().colour(x).detach()


class Idle(Toy):
    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            logits = self.head(self.colour(x))
        return logits + x.mean(dim=(1, 2, 3))[:, None]


class Hidden(Toy):
    def __init__(self, classes: int) -> None:
        super().__init__(classes)
        self.shift = torch.randn(3)

    def colour(self, x: Tensor) -> Tensor:
        return super().colour(x) + self.shift


class Infinite(Toy):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) / 0


class Fixed(Toy):
    def __init__(self, classes: int) -> None:
        super().__init__(classes)
        nn.init.ones_(self.head.weight)
        nn.init.zeros_(self.head.bias)


class TenAlways(Toy):
    def __init__(self, classes: int) -> None:
        super().__init__(10)


def unseeded(classes: int) -> nn.Module:
    generator = torch.Generator()
    generator.seed()
    net = Toy(classes)
    nn.init.normal_(net.head.weight, generator=generator)
    return net


LARGE = 5_000_000  # parameters


def cost(name: str) -> tuple[pytest.MarkDecorator, ...]:
    """Large networks are run by the longer tests only; their cards are checked on paper by all."""
    return (pytest.mark.slow,) if (models.get(name).params or 0) > LARGE else ()


@pytest.mark.parametrize("name", [pytest.param(name, marks=cost(name)) for name in models.names()])
def test_every_network_keeps_its_card(name: str) -> None:
    check_model(name)


@pytest.mark.parametrize("name", models.names())
def test_every_network_is_its_card_on_paper(name: str) -> None:
    card_on_paper(models.get(name))


@pytest.mark.parametrize("name", ["googlenet", "mobilenet_v3_small", "resnet18"])
def test_torchvision_cards_come_from_its_own_facts(name: str) -> None:
    card = models.get(f"torchvision:{name}")
    card_matches_network(card)
    assert (card.input_size, card.mean) == (224, (0.485, 0.456, 0.406))
    assert card.weights["DEFAULT"].startswith("https://")


def test_a_network_of_a_third_party_passes_by_being_registered() -> None:
    models.model("toy", **TOY)(Toy)
    try:
        check_model("toy")
        with pytest.raises(ConfigError, match="'toy' is registered already"):
            models.model("toy", **TOY)(Toy)
    finally:
        del models.registry._items["toy"]


def test_auxiliary_heads_belong_to_training() -> None:
    def card(build: Callable[[int], nn.Module]) -> models.Card:
        return models.Card(name="toy", build=build, **{**TOY, "params": 80})

    with models.registry.with_entry("toy", card(Branched)):
        check_model("toy")
    with (
        models.registry.with_entry("toy", card(CutBranch)),
        pytest.raises(AssertionError, match=r"no gradient reaches branch\.weight"),
    ):
        check_model("toy")
    with (
        models.registry.with_entry("toy", card(AlwaysBranched)),
        pytest.raises(AssertionError, match=r"expected \(2, 10\), got tuple"),
    ):
        check_model("toy")


@pytest.mark.parametrize(
    ("build", "fault"),
    [
        (Noisy, "two evaluations of one batch differ"),
        (LooksAtTheBatch, "depend on the other images"),
        (Cut, "no gradient reaches the input"),
        (Idle, "no gradient reaches head.weight, head.bias"),
        (Hidden, "the state is not all of the network"),
        (Infinite, "are not finite"),
        (Fixed, "weights do not depend on the seed"),
        (unseeded, "weights of one seed differ"),
    ],
)
def test_the_checks_reject(build: Callable[[int], nn.Module], fault: str) -> None:
    with (
        models.registry.with_entry("toy", models.Card(name="toy", build=build, **TOY)),
        pytest.raises(AssertionError, match=f"toy: .*{fault}"),
    ):
        check_model("toy")


def test_the_checks_reject_a_head_that_ignores_the_classes() -> None:
    card = models.Card(name="toy", build=TenAlways, **TOY)
    with models.registry.with_entry("toy", card), pytest.raises(ModelError, match=r"\(3, 7\), got \(3, 10\)"):
        check_model("toy")


@pytest.mark.parametrize("check", [card_matches_network, card_on_paper])
@pytest.mark.parametrize(("field", "value"), [("params", 41), ("classes", 9)])
def test_the_checks_reject_a_card_that_is_wrong(field: str, value: int, check: Callable[[models.Card], None]) -> None:
    card = replace(models.Card(name="toy", build=Toy, **TOY), **{field: value})
    with (
        models.registry.with_entry("toy", card),
        pytest.raises(AssertionError, match="parameters as on the card"),
    ):
        check(card)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"channels": 2}, "channels must be 1 or 3, got 2"),
        ({"mean": (0.5,)}, "expected 3 means and positive deviations"),
        ({"std": (0.0, 1.0, 1.0)}, "positive deviations"),
        ({"input_size": 0}, "input_size must be at least 1 pixel, got 0"),
        ({"resize_policy": "crop"}, "resize_policy must be resize or pad, got 'crop'"),
        ({"name": "a=b"}, "a name holds no '='"),
    ],
)
def test_an_impossible_card_is_refused(fields: dict[str, Any], fault: str) -> None:
    with pytest.raises(ModelError, match=fault):
        models.Card(**{"name": "toy", "build": Toy, **TOY, **fields})


def test_published_sizes() -> None:
    counts = {name: models.get(name).params for name in models.names()}
    assert counts["lenet5"] == 520 + 25_050 + 400_500 + 5_010
    assert [round(counts[f"resnet{n}"] / 1e6, 2) for n in (20, 32, 44, 56, 110)] == [
        0.27,
        0.46,
        0.66,
        0.85,
        1.73,
    ]
    assert 10_000 <= counts["tiny_cnn"] <= 25_000
