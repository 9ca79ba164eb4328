"""NAME@ACTIVATION: what stands in for ReLU, its equations, what training does to it, and where it cannot stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from robench import listing, models
from robench.errors import CheckpointError, ConfigError, ModelError, RobenchError
from robench.models import Spec

IMAGES = torch.randint(0, 256, (3, 32, 32, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def made(name: str, **values: float) -> Any:
    """The activation, with trained values in place of its starting ones."""
    built = models.activations.get(name).build()
    with torch.no_grad():
        for parameter, value in values.items():
            getattr(built, parameter).fill_(value)
    return built


def part(net: models.Classifier, name: str) -> Any:
    return net.module.get_submodule(name)


def swapped(net: nn.Module, name: str = "lp_relu1") -> models.Classifier:
    mean, std = (0.0,) * 3, (1.0,) * 3
    card = models.Card("toy", 8, 3, mean, std, 0, 4, "this test", build=lambda _: net)
    with models.registry.with_entry("toy", card):
        return models.load(f"toy@{name}", classes=4, random_weights=True)


def test_lp_relu1_is_equation_2() -> None:
    x = torch.tensor([-3.0, 0.0, 4.0, 10.0, 12.0])
    assert made("lp_relu1")(x).tolist() == pytest.approx([0, 0, 4, 10, 10 + 0.05 * 2])
    assert made("lp_relu1", alpha=0.5)(x).tolist() == pytest.approx([0, 0, 4, 10, 11])


def test_lp_relu2_is_equation_3_going_on_from_the_value_at_b() -> None:
    x = torch.tensor([-3.0, 0.0, 4.0, 5.0, 7.0, 8.0, 8.0001, 18.0])
    at_b = 5 + 0.05 * 3
    expected = [0, 0, 4, 5, 5 + 0.05 * 2, at_b, at_b, at_b + 0.02 * 10]
    assert made("lp_relu2")(x).tolist() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("x", "gradients"),
    [
        (-3.0, {"x": 0, "a": 0, "alpha": 0}),
        (4.0, {"x": 1, "a": 0, "alpha": 0}),
        (12.0, {"x": 0.05, "a": 1 - 0.05, "alpha": 12 - 10}),
    ],
)
def test_gradients_of_lp_relu1_are_those_of_equation_2(x: float, gradients: dict[str, float]) -> None:
    built, place = made("lp_relu1"), torch.tensor(x, requires_grad=True)
    found = torch.autograd.grad(built(place), [place, built.raw_a, built.alpha])
    of_raw = torch.sigmoid(built.raw_a.detach())  # A = 0.001 + softplus(raw_a)
    expected = [gradients["x"], gradients["a"] * of_raw, gradients["alpha"]]
    assert [float(one) for one in found] == pytest.approx([float(one) for one in expected], abs=1e-6)


@pytest.mark.parametrize(
    ("x", "gradients"),
    [
        (4.0, {"x": 1, "a": 0, "b": 0, "alpha": 0, "beta": 0}),
        (7.0, {"x": 0.05, "a": 1 - 0.05, "b": 0, "alpha": 7 - 5, "beta": 0}),
        (18.0, {"x": 0.02, "a": 1 - 0.05, "b": 0.05 - 0.02, "alpha": 8 - 5, "beta": 18 - 8}),
    ],
)
def test_gradients_of_lp_relu2_are_those_of_equation_3(x: float, gradients: dict[str, float]) -> None:
    built, place = made("lp_relu2"), torch.tensor(x, requires_grad=True)
    values = [built.raw_a, built.raw_step, built.alpha, built.beta]
    found = torch.autograd.grad(built(place), [place, *values])
    raw_a, raw_step = (torch.sigmoid(one.detach()) for one in values[:2])
    # B = A (1.001 + softplus(raw_step)) = 8 moves with A = 5, too
    expected = [gradients["x"], (gradients["a"] + gradients["b"] * 8 / 5) * raw_a, gradients["b"] * 5 * raw_step]
    expected += [gradients["alpha"], gradients["beta"]]
    assert [float(one) for one in found] == pytest.approx([float(one) for one in expected], abs=1e-5)


def test_leaky_relu_has_slope_a_hundredth_and_nothing_to_train() -> None:
    built = made("leaky_relu")
    assert built(torch.tensor([-3.0, 4.0])).tolist() == pytest.approx([-0.03, 4])
    assert not list(built.parameters())


@pytest.mark.parametrize("name", models.activations.names())
def test_an_activation_is_its_card(name: str) -> None:
    built, x = made(name), torch.linspace(-20, 20, 24).reshape(2, 3, 2, 2)
    assert sum(value.numel() for value in built.parameters()) == models.activations.get(name).params
    y = built(x)
    assert (y.shape, y.dtype) == (x.shape, x.dtype)
    assert built(x.half()).dtype == torch.float16
    assert torch.equal(y[x > 0] > 0, torch.ones(12, dtype=torch.bool))
    gradients = torch.autograd.grad(y.sum(), list(built.parameters())) if models.activations.get(name).params else ()
    assert all(gradient != 0 for gradient in gradients)


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam])
@pytest.mark.parametrize("lr", [1.0, 1e4])
def test_a_stays_positive_and_below_b_whatever_an_optimizer_does(optimizer: Any, lr: float) -> None:
    for towards_each_other in (1, -1):
        built = made("lp_relu2")
        steps = optimizer(built.parameters(), lr=lr)
        for _ in range(50):
            steps.zero_grad()
            (towards_each_other * (built.b - 2 * built.a)).backward()
            steps.step()
            assert 0 < built.a < built.b < float("inf")


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("resnet20@lp_relu1", Spec("resnet20", activation="lp_relu1")),
        ("resnet20@lp_relu2=run@3/b.pt", Spec("resnet20", checkpoint="run@3/b.pt", activation="lp_relu2")),
        ("torchvision:resnet18@leaky_relu", Spec("torchvision:resnet18", activation="leaky_relu")),
        ("at@home/mine.py:net@lp_relu1=w.pt", Spec("mine:net", "at@home/mine.py", "net", "w.pt", None, "lp_relu1")),
        (
            "dncnn=n.pt+resnet20@lp_relu1",
            Spec("resnet20", None, None, None, Spec("dncnn", None, None, "n.pt"), "lp_relu1"),
        ),
        ("timm:hf-hub:ORG/NAME@main", Spec("timm:hf-hub:ORG/NAME@main")),
        ("timm:hf-hub:ORG/NAME@main@lp_relu1", Spec("timm:hf-hub:ORG/NAME@main", activation="lp_relu1")),
    ],
)
def test_the_activation_is_taken_off_the_name(text: str, spec: Spec) -> None:
    assert models.parse(text) == spec


@pytest.mark.parametrize("name", ["resnet20", "lenet5", "torchvision:resnet18:32", "timm:test_resnet"])
def test_every_relu_is_replaced_and_the_weights_stay_as_drawn(name: str) -> None:
    plain = models.load(name, classes=10, random_weights=True)
    other = models.load(f"{name}@lp_relu2", classes=10, random_weights=True)
    relus = sum(isinstance(part, nn.ReLU) for part in plain.module.modules())
    assert relus > 0
    assert not any(isinstance(part, nn.ReLU) for part in other.module.modules())
    assert other.card.params == plain.to_dict()["parameters"] + 4 * relus == other.to_dict()["parameters"]
    state = other.module.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in plain.module.state_dict().items())
    assert (other.label, other.card.name) == (f"{name}@lp_relu2",) * 2
    assert other.logits(IMAGES).isfinite().all()


def test_small_values_pass_as_through_relu_and_large_ones_do_not() -> None:
    plain, other = (models.load(name, classes=10, random_weights=True) for name in ("tiny_cnn", "tiny_cnn@lp_relu1"))
    assert torch.equal(plain.logits(IMAGES), other.logits(IMAGES))
    with torch.no_grad():
        part(other, "2").raw_a.fill_(-9)
    assert not torch.allclose(plain.logits(IMAGES), other.logits(IMAGES), atol=0.01)


def test_a_checkpoint_brings_the_trained_activations(tmp_path: Path) -> None:
    trained = models.load("tiny_cnn@lp_relu2", classes=10, random_weights=True, seed=1)
    with torch.no_grad():
        part(trained, "6").beta.fill_(0.5)
    models.save(tmp_path / "best.safetensors", trained.module, {})
    loaded = models.load(f"tiny_cnn@lp_relu2={tmp_path / 'best.safetensors'}", classes=10)
    assert loaded.label == "tiny_cnn@lp_relu2=best"
    assert part(loaded, "6").beta.detach() == 0.5
    assert torch.equal(loaded.logits(IMAGES), trained.logits(IMAGES))
    with pytest.raises(CheckpointError, match=r"not weights of tiny_cnn: unexpected 10\.alpha, "):
        models.load(f"tiny_cnn={tmp_path / 'best.safetensors'}", classes=10)


def test_weights_trained_with_relu_are_a_start_and_no_network() -> None:
    with pytest.raises(CheckpointError, match=r"not weights of tiny_cnn@lp_relu1: missing 2\.raw_a, 2\.alpha"):
        models.load("tiny_cnn@lp_relu1=digits-clean", classes=10)
    started = models.load("tiny_cnn@lp_relu1=digits-clean", classes=10, transfer=True)
    digits = models.load("tiny_cnn=digits-clean", classes=10)
    assert torch.equal(started.module.state_dict()["0.weight"], digits.module.state_dict()["0.weight"])
    assert part(started, "2").a.detach() == pytest.approx(10)
    assert models.load("tiny_cnn@leaky_relu=digits-clean", classes=10).label == "tiny_cnn@leaky_relu=digits-clean"


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.head = nn.Linear(3, 4)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu_(self.head(self.relu(x).mean(dim=(2, 3))))


class Shared(nn.Sequential):
    def __init__(self) -> None:
        once = nn.ReLU()
        super().__init__(once, nn.Conv2d(3, 3, 1), once, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 4))


def test_a_module_in_two_places_is_one_activation() -> None:
    net = swapped(Shared()).module
    assert net.get_submodule("0") is net.get_submodule("2")
    assert len({name.split(".")[0] for name, _ in net.named_parameters()}) == 3


def test_what_is_no_module_is_not_left_behind_in_silence() -> None:
    with pytest.raises(ConfigError, match=r"toy@lp_relu1: expected every ReLU to be a module, nn\.ReLU, got 1"):
        swapped(Functional())
    with pytest.raises(ModelError, match=r"toy@lp_relu1: cannot be run on \(1, 3, 8, 8\): mat1"):
        swapped(nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(3, 4)))


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ("resnet20@lp_relu", "unknown activation 'lp_relu'; did you mean lp_relu"),
        ("resnet20@leaky", "unknown activation 'leaky'; did you mean leaky_relu"),
        ("mine.py:net@leaky", "unknown activation 'leaky'; did you mean leaky_relu"),
        ("resnet20@", "unknown activation ''; known: leaky_relu, lp_relu1, lp_relu2"),
        ("@lp_relu1", "expected NAME, NAME=CHECKPOINT, NAME@ACTIVATION"),
        ("resnet20@lp_relu1", "'resnet20@lp_relu1': expected weights, resnet20@lp_relu1=CHECKPOINT, or --random"),
        ("nets/street.onnx@lp_relu1", "an archive is a finished graph, whose ReLUs cannot be replaced"),
        ("timm:test_vit@lp_relu1=no.pt", "timm:test_vit@lp_relu1: expected a network with ReLU modules, nn.ReLU"),
        ("torchvision:densenet121:32@lp_relu1=no.pt", "expected every ReLU to be a module, nn.ReLU, got 1 called"),
    ],
)
def test_a_wrong_argument_is_one_line(spec: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault) as caught:
        models.load(spec, classes=10)
    assert "\n" not in str(caught.value)


def test_factories_take_one_too(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from torch import nn\n"
        "def net(n):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(192, 9), nn.ReLU(), nn.Linear(9, n)), {'side': 8}\n"
    )
    loaded = models.load(f"{tmp_path / 'mine.py'}:net@lp_relu2", classes=5)
    assert (loaded.label, loaded.card.params) == ("mine:net@lp_relu2", 193 * 9 + 4 + 50)
    assert loaded.logits(IMAGES).shape == (3, 5)


def test_a_third_party_registers_one_and_it_is_listed() -> None:
    @models.activation("squared", params=0, source="this test")
    def squared() -> nn.Module:
        class Squared(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return nn.functional.relu(x) ** 2

        return Squared()

    try:
        assert models.load("tiny_cnn@squared", classes=10, random_weights=True).logits(IMAGES).shape == (3, 10)
        rows = {row["name"]: row["text"] for row in listing.listing("models")}
        assert rows["@squared"].startswith("activation, 0 parameters")
        assert rows["@lp_relu2"].startswith("activation, 4 parameters")
        with pytest.raises(ConfigError, match="'squared' is registered already"):
            models.activation("squared", params=0, source="this test")(squared)
    finally:
        del models.activations._items["squared"]
    with pytest.raises(RobenchError, match=r"activation 'a\.b': a name holds letters, digits and '_' only"):
        models.activation("a.b", params=0, source="this test")(squared)
    with pytest.raises(ModelError, match="model 'a@b': a name holds no '@', which sets off the activation"):
        models.model("a@b")
