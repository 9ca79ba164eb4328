"""Fidelity-calibrated classifiers: what is frozen, what each module does, what stands in a MODEL argument."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from robench import models
from robench.errors import CheckpointError, ConfigError, ModelError
from robench.models import fidelity
from robench.models.fidelity import Estimator, FidelityClassifier, Options, assemble, confidence, cosine, l1, l2
from robench.models.fidelity._calibration import flattened
from robench.models.fidelity._options import MODULES
from robench.models.testing import CHECKS, Sample

ABLATIONS = [*((name,) for name in MODULES), *((name, "ensemble") for name in MODULES[:-1]), ()]
SIDE = 16


class Blur(nn.Module):
    """A restorer with batch norm, so that there are statistics that could move."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + 0.1 * self.norm(self.convolution(x))


class Guess(nn.Module):
    """An estimator, as small and with batch norm too."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 1, 3, padding=1), nn.BatchNorm2d(1))

    def forward(self, x: Tensor) -> Tensor:
        return 0.07 + 0.05 * self.layers(x)


@pytest.fixture(autouse=True)
def toy() -> Iterator[None]:
    with (
        models.restorers.with_entry("toy", models.RestorerCard("toy", 3, 90, "tests", build=Blur)),
        models.restorers.with_entry("gray", models.RestorerCard("gray", 1, 12, "tests", build=lambda: Blur(1))),
        torch.random.fork_rng(devices=[]),
    ):
        torch.manual_seed(0)
        yield


def images(count: int = 4, seed: int = 1) -> Tensor:
    return torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


def parts(front: str = "toy") -> models.Classifier:
    return models.load(f"{front}+resnet20", classes=10, random_weights=True)


def made(*without: str, front: str = "toy", **fields: Any) -> FidelityClassifier:
    """A tiny one, an oracle where nothing else is said."""
    options = Options(**{"estimator": "oracle"} | fields, without=frozenset(without))
    net = assemble(parts(front), options, None if options.estimator == "oracle" else Guess()).module
    assert isinstance(net, FidelityClassifier)
    return net


def stirred(net: FidelityClassifier) -> FidelityClassifier:
    """With a calibration as training could leave it."""
    generator = torch.Generator().manual_seed(3)
    for parameter in net.calibration.parameters():
        parameter.data += 0.3 * torch.randn(parameter.shape, generator=generator)
    return net


def logits(net: FidelityClassifier) -> Tensor:
    with torch.inference_mode():
        return net.eval()(images(), clean=images(seed=2))


def state(net: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in net.state_dict().items()}


def moved(net: nn.Module, before: dict[str, Tensor]) -> set[str]:
    return {name for name, value in net.state_dict().items() if not torch.equal(value, before[name])}


def trained(net: FidelityClassifier, steps: int = 4) -> None:
    """As a careless loop does it: every parameter is given to an optimizer with weight decay."""
    net.train()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)
    for step in range(steps):
        answer = net(images(seed=step), clean=images(seed=step + 1))
        optimizer.zero_grad()
        nn.functional.cross_entropy(answer, torch.arange(4)).backward()
        optimizer.step()


@pytest.mark.parametrize("without", ABLATIONS)
def test_untrained_it_is_the_restored_classifier_to_the_last_bit(without: tuple[str, ...]) -> None:
    net = made(*without)
    whole = parts()
    whole = replace(whole, card=replace(whole.card, input_size=SIDE))
    assert torch.equal(logits(net), whole.logits(images()))


@pytest.mark.parametrize("estimator", ["oracle", "pretrained", "end-to-end"])
def test_training_moves_the_calibration_and_nothing_frozen(estimator: str) -> None:
    net = made(estimator=estimator)
    before = state(net)
    alone = copy.deepcopy(net.classifier).eval()
    trained(net)
    calibration = {name for name in before if name.startswith("calibration.")}
    of_estimator = {name for name in before if name.startswith("estimator.")}
    assert moved(net, before) == calibration | (of_estimator if estimator == "end-to-end" else set())
    assert bool(of_estimator) == (estimator != "oracle")
    assert torch.equal(net.classifier(images()), alone(images()))
    assert not any(parameter.grad is not None for parameter in net.classifier.parameters())


@pytest.mark.parametrize(("estimator", "learns"), [("pretrained", False), ("end-to-end", True)])
def test_train_leaves_frozen_parts_in_evaluation_mode(estimator: str, learns: bool) -> None:
    net = made(estimator=estimator)
    assert net.train().training
    assert not any(part.training for frozen in (net.classifier, net.restorer) for part in frozen.modules())
    assert net.estimator is not None
    assert {part.training for part in net.estimator.modules()} == {learns}
    assert all(part.training for part in net.calibration.modules())
    assert not any(part.training for part in net.eval().modules())
    wanted = ("calibration.", "estimator.") if learns else ("calibration.",)
    assert all(parameter.requires_grad == name.startswith(wanted) for name, parameter in net.named_parameters())


@pytest.mark.parametrize("without", ABLATIONS)
def test_every_parameter_that_is_there_gets_a_gradient(without: tuple[str, ...]) -> None:
    net = stirred(made(*without, estimator="end-to-end")).train()
    nn.functional.cross_entropy(net(images()), torch.arange(4)).backward()
    still = [
        name
        for name, parameter in net.named_parameters()
        if parameter.requires_grad and (parameter.grad is None or not parameter.grad.any())
    ]
    # Batch norm takes away what the bias before it adds.
    assert still in ([], ["estimator.layers.0.bias"])


def removals(net: FidelityClassifier) -> dict[str, Callable[[], Any]]:
    """How each module that is there is taken out of a network that stays the same otherwise."""
    calibration = net.calibration

    def without_residual() -> None:
        for module in (*calibration.spatial.values(), *calibration.channel.values()):
            module.residual = False  # type: ignore[assignment]

    return {
        "spatial-multiplication": lambda: calibration.spatial.pop("multiplication"),
        "spatial-addition": lambda: calibration.spatial.pop("addition"),
        "channel-multiplication": lambda: calibration.channel.pop("multiplication"),
        "channel-concatenation": lambda: calibration.channel.pop("concatenation"),
        "residual": without_residual,
        "ensemble": lambda: setattr(calibration, "ensemble", None),
    }


@pytest.mark.parametrize("without", ABLATIONS)
def test_each_module_that_is_there_changes_the_answer(without: tuple[str, ...]) -> None:
    net = stirred(made(*without))
    whole = logits(net)
    for name in (name for name in MODULES if name not in without):
        other = copy.deepcopy(net)
        removals(other)[name]()
        assert not torch.allclose(logits(other), whole, atol=1e-4), name
        assert torch.equal(logits(net), whole)


@pytest.mark.parametrize("name", MODULES)
def test_what_is_switched_off_is_not_there(name: str) -> None:
    less, whole = made(name), made()
    removals(whole)[name]()
    assert state(less).keys() == state(whole).keys()
    less.load_state_dict(stirred(whole).state_dict())
    assert torch.equal(logits(less), logits(whole))


@pytest.mark.parametrize("kind", [l1, l2, cosine])
def test_a_pass_is_what_its_parts_do_one_after_the_other(kind: Callable[[Tensor, Tensor], Tensor]) -> None:
    net = stirred(made(map=kind.__name__)).eval()
    inner, calibration = net.classifier, net.calibration
    restored, clean = net.restorer(images()).clamp(0, 1), images(seed=2)
    fidelity = confidence(kind.__name__, kind(restored, clean))
    multiplied = added = fidelity

    def corrected(place: int, features: Tensor) -> Tensor:
        nonlocal multiplied, added
        multiplied, features = calibration.spatial["multiplication"](place, multiplied, features)
        added, features = calibration.spatial["addition"](place, added, features)
        return features

    x = corrected(0, (restored - net.mean) / net.std)
    x = corrected(1, inner.layer1(inner.bn1(inner.conv1(x)).relu()))
    x = corrected(2, inner.layer2(x))
    x = corrected(3, inner.layer3(x)).mean(dim=(2, 3))
    x = calibration.channel["multiplication"](x, flattened(fidelity, 64, "bilinear"))
    x = calibration.channel["concatenation"](x, flattened(fidelity, 64, "bilinear"))
    x = calibration.ensemble(x, net.features((restored - net.mean) / net.std))
    torch.testing.assert_close(net(images(), clean=clean), inner.linear(x))


@pytest.mark.parametrize(("field", "words"), [("map", ("l1", "l2", "cosine")), ("down", ("bilinear", "bicubic"))])
def test_maps_and_down_sampling_change_the_answer(field: str, words: tuple[str, ...]) -> None:
    answers = [logits(stirred(made(**{field: word}))) for word in (*words, *(("nearest",) * (field == "down")))]
    assert all(not torch.allclose(a, b, atol=1e-4) for i, a in enumerate(answers) for b in answers[:i])


def test_the_ensemble_can_give_the_original_features_back() -> None:
    net, plain = stirred(made()), made()
    assert net.calibration.ensemble is not None
    net.calibration.ensemble.weights.data.fill_(-200.0)
    assert torch.equal(logits(net), logits(plain))


def test_the_oracle_measures_and_the_others_estimate() -> None:
    degraded, clean = images(), images(seed=2)
    oracle, other = made(), made(estimator="pretrained")
    restored = oracle.restore(degraded)
    assert torch.equal(oracle.fidelity_map(degraded, restored, clean), l1(restored, clean))
    assert other.estimator is not None
    assert torch.equal(other.fidelity_map(degraded, restored, clean), other.estimator(degraded))


@pytest.mark.parametrize("clean", [None, torch.zeros(4, 3, SIDE, SIDE - 1)])
def test_the_oracle_without_its_clean_images_is_one_line(clean: Tensor | None) -> None:
    with pytest.raises(ModelError, match=r"needs the clean images \(4, 3, 16, 16\) as clean=\.\.\., got") as caught:
        made()(images(), clean=clean)
    assert "\n" not in str(caught.value)


def test_what_is_restored_stays_in_range_and_gray_restorers_take_channels_one_by_one() -> None:
    net = made(front="gray")
    one_by_one = torch.cat([net.restorer(images()[:, channel, None]) for channel in range(3)], dim=1)
    torch.testing.assert_close(net.restore(images()), one_by_one.clamp(0, 1))
    assert net.restore(3 * images()).max() <= 1


def test_one_file_holds_everything(tmp_path: Path) -> None:
    whole = models.load("toy+resnet20", classes=10, random_weights=True, normalize="imagenet")
    net = assemble(whole, Options(map="l2", down="nearest", without=frozenset({"ensemble"})), Estimator())
    assert net.label == "fidelity:resnet20,l2,nearest,toy,no-ensemble"
    stirred(net.module)  # type: ignore[arg-type]
    models.save(tmp_path / "f.safetensors", net.module, {})
    loaded = models.load(f"fidelity:resnet20,no-ensemble,toy,l2,nearest={tmp_path / 'f.safetensors'}", classes=10)
    assert loaded.label == f"{net.label}=f"
    assert loaded.weights_sha256 == models.load(f"{net.label}={tmp_path / 'f.safetensors'}", classes=10).weights_sha256
    unchanged = images().repeat(1, 1, 2, 2)
    assert torch.equal(loaded.prepare(unchanged), unchanged)
    assert torch.equal(loaded.logits(images()), net.logits(images()))
    with pytest.raises(CheckpointError, match=r"not weights of fidelity:resnet20,l2,oracle,.*unexpected estimator\."):
        models.load(f"fidelity:resnet20,no-ensemble,toy,l2,oracle={tmp_path / 'f.safetensors'}", classes=10)


def test_a_normalisation_beside_the_one_inside_is_one_line() -> None:
    options: dict[str, Any] = {"classes": 10, "random_weights": True}
    fault = "model 'fidelity:resnet20,toy': its classifier's normalisation is inside; leave out normalize 'imagenet'"
    with pytest.raises(ConfigError, match=fault):
        models.load("fidelity:resnet20,toy", normalize="imagenet", **options)
    assert models.load("fidelity:resnet20,toy", normalize="none", **options).normalize == "none"


def test_assembling_follows_the_seed_and_leaves_the_generator() -> None:
    before = torch.random.get_rng_state()
    digests = [assemble(parts(), Options(estimator="oracle"), seed=seed).weights_sha256 for seed in (0, 0, 1)]
    assert digests[0] == digests[1] != digests[2]
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_copy_is_a_network_of_its_own() -> None:
    net = stirred(made())
    other = copy.deepcopy(net)
    for parameter in other.parameters():
        parameter.data.zero_()
    assert not torch.allclose(logits(net), logits(other))


@pytest.mark.parametrize("check", CHECKS)
def test_the_network_of_the_argument_passes_the_checks_of_all_networks(check: Callable[[Sample], None]) -> None:
    check(Sample(models.get("fidelity:resnet20")))


def test_the_estimator_is_dncnn_with_one_output() -> None:
    net = Estimator()
    assert net(images()).shape == (4, 1, SIDE, SIDE)
    assert sum(parameter.numel() for parameter in net.parameters()) == 669_376 - 2 * 64 * 9
    assert [part.out_channels for part in net.modules() if isinstance(part, nn.Conv2d)] == [64] * 19 + [1]


def test_the_card_is_the_networks_own_without_normalisation() -> None:
    card, inner = models.get("fidelity:torchvision:resnet50,cosine"), models.get("torchvision:resnet50")
    assert (card.input_size, card.classes, card.resize_policy) == (inner.input_size, 1000, "resize")
    assert (card.mean, card.std) == ((0.0,) * 3, (1.0,) * 3)
    assert card.name == "fidelity:torchvision:resnet50,cosine"


@pytest.mark.parametrize(
    ("spec", "kind", "fault"),
    [
        ("fidelity:resnet20,l3", ConfigError, "unknown option 'l3'; known: bicubic, bilinear, "),
        ("fidelity:resnet20,no-residul", ConfigError, "unknown option 'no-residul'; did you mean no-residual"),
        ("fidelity:resnet20,l1,l2", ConfigError, "expected one map, got 'l1' and 'l2'"),
        ("fidelity:resnt20", ConfigError, "unknown model 'resnt20'; did you mean resnet20"),
        ("fidelity:lenet5", ModelError, "no places to correct are known: unknown architecture 'lenet5'; "),
        ("fidelity:resnet20,toy", ConfigError, "expected weights, fidelity:resnet20,toy=CHECKPOINT"),
        (
            "fidelity:resnet20@lp_relu1",
            ConfigError,
            "'@lp_relu1' would replace the ReLUs of the restorer inside it too",
        ),
        ("fidelity:resnet20,l2@lp_relu1=a.pt", ConfigError, "'@lp_relu1' would replace the ReLUs of the restorer"),
    ],
)
def test_a_wrong_argument_is_one_line(spec: str, kind: type[Exception], fault: str) -> None:
    with pytest.raises(kind, match=fault) as caught:
        models.load(spec, classes=10)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"map": "l3"}, "map must be l1, l2, cosine, got 'l3'"),
        ({"down": "area"}, "down must be bilinear, bicubic, nearest, got 'area'"),
        ({"estimator": "none"}, "estimator must be end-to-end, pretrained, oracle, got 'none'"),
        ({"without": frozenset({"residuals"})}, "unknown module 'residuals'; did you mean residual"),
        ({"without": frozenset(MODULES)}, "expected at least one spatial or channel module"),
    ],
)
def test_impossible_options_are_one_line(fields: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        Options(**fields)


@pytest.mark.parametrize(
    ("front", "estimator", "given", "fault"),
    [
        ("toy+", "oracle", Guess, "'oracle': expected no estimator, got one"),
        ("toy+", "pretrained", lambda: None, "'pretrained': expected an estimator, got none"),
        ("", "oracle", lambda: None, r"expected a restorer in front, RESTORER\+MODEL, got resnet20"),
    ],
)
def test_parts_that_do_not_fit_are_one_line(front: str, estimator: str, given: Any, fault: str) -> None:
    whole = models.load(f"{front}resnet20", classes=10, random_weights=True)
    with pytest.raises(ModelError, match=fault):
        assemble(whole, Options(estimator=estimator), given())


def test_cards_are_made_without_torch(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('no torch here')")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from robench import models\n"
        "print(models.get('fidelity:resnet20,l2').name)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "fidelity:resnet20,l2", done.stderr


def test_public_names_are_sorted_and_there() -> None:
    assert fidelity.__all__ == sorted(fidelity.__all__, key=lambda name: (not name.isupper(), name))
    assert all(getattr(fidelity, name) is not None for name in fidelity.__all__)
