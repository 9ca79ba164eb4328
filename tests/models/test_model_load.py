"""From MODEL arguments to classifiers: names, files, labels, errors, and no trace in the process."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from robench import models
from robench.errors import CheckpointError, ConfigError, ModelError
from robench.files import sha256_file
from robench.models import Spec

FACTORIES = """
import torch
from torch import nn

class Net(nn.Sequential):
    mean, std = [0.5], [0.2]  # its own, for itself

def net(classes):
    return Net(nn.Flatten(), nn.Linear(256, classes)), {"side": 16, "channels": 1}

def fixed():
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 10)), {"side": 8, "fit": "pad", "source": "me"}

def strange(classes):
    return net(classes)[0], {"sides": 8}

def wide(classes):
    return net(classes)[0], {"side": (16, 16)}

def deep(classes):
    return net(classes)[0], {"mean": 0.5}

def nothing(classes):
    return None

def broken(classes):
    raise RuntimeError("out of ideas")

def lookup(classes):
    return {}["key"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(FACTORIES)
    return path


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("resnet20", Spec("resnet20")),
        ("resnet20=a=b.th", Spec("resnet20", checkpoint="a=b.th")),
        ("torchvision:resnet50=DEFAULT", Spec("torchvision:resnet50", checkpoint="DEFAULT")),
        ("nets/mine.py:net", Spec("mine:net", "nets/mine.py", "net")),
        (r"C:\nets\mine.py:net=D:\w.pt", Spec("mine:net", r"C:\nets\mine.py", "net", r"D:\w.pt")),
        ("a=b/mine.py:net=w.pt", Spec("mine:net", "a=b/mine.py", "net", "w.pt")),
    ],
)
def test_arguments_are_taken_apart_in_one_place(text: str, spec: Spec) -> None:
    assert models.parse(text) == spec


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ("", "expected NAME, NAME=CHECKPOINT"),
        ("resnet20=", "expected NAME, NAME=CHECKPOINT"),
        ("=best.th", "expected NAME, NAME=CHECKPOINT"),
        ("resnt20", "unknown model 'resnt20'; did you mean resnet20"),
        ("tim:resnet18", "unknown model family 'tim'; did you mean timm"),
        ("torchvision:resnet5O", "unknown torchvision model 'resnet5O'; did you mean resnet50"),
        ("resnet20", "resnet20=CHECKPOINT, or --random-weights for tests"),
        ("nowhere.py:net", "nowhere.py: no such file"),
    ],
)
def test_a_wrong_argument_is_one_line(spec: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault) as caught:
        models.load(spec, classes=10)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("factory", "error", "fault"),
    [
        ("nett", ConfigError, "unknown factory 'nett'; did you mean net"),
        ("strange", ModelError, "unknown field 'sides'"),
        ("wide", ModelError, r"mine:wide: expected input_size as int or None, got \(16, 16\)"),
        ("deep", ModelError, "mine:deep: expected mean as tuple or list, got 0.5"),
        ("nothing", ModelError, "expected the factory to return an nn.Module"),
        ("broken", ModelError, "mine:broken: failed: RuntimeError: out of ideas"),
        ("lookup", ModelError, "mine:lookup: failed: KeyError: 'key'"),
    ],
)
def test_a_wrong_factory_is_one_line(file: Path, factory: str, error: type[Exception], fault: str) -> None:
    with pytest.raises(error, match=fault):
        models.load(f"{file}:{factory}", classes=10)


def test_factories_bring_their_card(file: Path) -> None:
    plain = models.load(f"{file}:net", classes=4, input_size=16)
    assert plain.logits(torch.zeros(2, 16, 16, 3, dtype=torch.uint8)).shape == (2, 4)
    assert (plain.label, plain.resize_policy, plain.normalize) == ("mine:net", "none", "none")
    assert plain.to_dict()["code_sha256"] == sha256_file(file)
    said = models.load(f"{file}:fixed", classes=10, input_size=6)
    assert (said.card.input_size, said.resize_policy, said.normalize, said.card.source) == (8, "pad8", "none", "me")


def test_a_factory_takes_a_checkpoint_and_its_label_is_no_path(file: Path, tmp_path: Path) -> None:
    other = models.load(f"{file}:net", classes=4, seed=5)
    models.save(tmp_path / "best.safetensors", other.module, {"epochs": "3"})
    loaded = models.load(f"{file}:net={tmp_path / 'best.safetensors'}", classes=4)
    assert loaded.label == "mine:net=best"
    assert (loaded.training, other.training) == ({"epochs": "3"}, {})
    assert loaded.weights_sha256 == other.weights_sha256


def test_random_weights_follow_the_seed_and_leave_no_trace() -> None:
    torch.manual_seed(123)
    expected = torch.rand(1)
    torch.manual_seed(123)
    first, again, other = (models.load("tiny_cnn", classes=10, random_weights=True, seed=s) for s in (0, 0, 1))
    assert torch.equal(torch.rand(1), expected)
    assert first.weights_sha256 == again.weights_sha256 != other.weights_sha256
    assert first.label == "tiny_cnn"


def test_unknown_weights_name_the_shipped_ones() -> None:
    card = models.Card(**{**vars(models.get("tiny_cnn")), "name": "toy", "weights": {"digits": "d.safetensors"}})
    with models.registry.with_entry("toy", card):
        with pytest.raises(
            CheckpointError, match="toy=digit: no such file; unknown weights 'digit'; did you mean digits"
        ):
            models.load("toy=digit", classes=10)
        with pytest.raises(ConfigError, match="a file or digits"):
            models.load("toy", classes=10)


def test_weights_at_an_address_are_fetched_when_used(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def fetch(address: str, **options: object) -> dict[str, torch.Tensor]:
        asked.append(address)
        assert options["weights_only"] is True
        raise OSError("no route")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", fetch)
    with pytest.raises(CheckpointError, match=r"resnet18=DEFAULT: cannot be downloaded from https://.*no route"):
        models.load("torchvision:resnet18=DEFAULT", classes=1000)
    assert asked == [models.get("torchvision:resnet18").weights["DEFAULT"]]


@pytest.mark.parametrize(
    ("name", "fault"), [("gpu", "must be auto, cpu, cuda or mps, got 'gpu'"), ("cuda:99", "is not available")]
)
def test_a_wrong_device_is_one_line(name: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        models.load("tiny_cnn", classes=10, random_weights=True, device=name)


def test_every_shipped_file_has_a_word_and_loads() -> None:
    folder = Path(models.__file__).parent / "weights"
    named = [(f"{name}={word}", place) for name in models.names() for word, place in models.get(name).weights.items()]
    words = {place: spec for spec, place in named if isinstance(place, str) and not place.startswith("https://")}
    assert {path.name for path in folder.glob("*.safetensors")} == set(words)
    for place, spec in words.items():
        assert models.load(spec, classes=10).label == spec
        assert (folder / place).stat().st_size < 200_000


def test_a_file_may_hold_dataclasses(tmp_path: Path) -> None:
    file = tmp_path / "modern.py"
    file.write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from torch import nn\n"
        "@dataclass\n"
        "class Shape:\n"
        "    size: int = 192\n"
        "def net(classes):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(Shape().size, classes))\n"
    )
    assert models.load(f"{file}:net", classes=4, input_size=8).classes == 4


def test_state_that_is_no_tensor_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "odd.py"
    file.write_text(
        "from torch import nn\n"
        "class Odd(nn.Linear):\n"
        "    def get_extra_state(self):\n"
        "        return (1, 2)\n"
        "    def set_extra_state(self, state):\n"
        "        pass\n"
        "def net(classes):\n"
        "    return Odd(3, classes)\n"
    )
    with pytest.raises(ModelError, match=r"state '_extra_state': expected a tensor, got tuple"):
        models.load(f"{file}:net", classes=4)
