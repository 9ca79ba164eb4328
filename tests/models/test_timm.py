"""`timm:NAME`: facts from timm's cards, weights by file or fetched by timm, and lines where something is missing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import timm
import torch

from robench import models
from robench.errors import CheckpointError, ConfigError, ModelError, RobenchError

NAME = "timm:test_resnet"


def test_the_card_is_timms_own() -> None:
    card = models.get(NAME)
    facts = timm.get_pretrained_cfg("test_resnet")
    assert (card.channels, card.input_size, card.input_size) == facts.input_size == (3, 160, 160)
    assert (card.mean, card.std, card.classes) == ((0.5,) * 3, (0.5,) * 3, 1000)
    assert models.get("timm:resnet10t").mean == (0.485, 0.456, 0.406)
    assert models.get("timm:test_resnet.r160_in1k").name == "timm:test_resnet.r160_in1k"


def test_the_network_has_the_classes_of_the_data_set(tmp_path: Path) -> None:
    fresh = models.load(NAME, classes=7, random_weights=True, seed=3)
    images = torch.randint(0, 256, (2, 20, 24, 1), dtype=torch.uint8)
    assert fresh.logits(images).shape == (2, 7)
    assert fresh.prepare(images).shape == (2, 3, 160, 160)
    models.save(tmp_path / "w.safetensors", fresh.module, {})
    loaded = models.load(f"{NAME}={tmp_path / 'w.safetensors'}", classes=7)
    assert torch.equal(loaded.logits(images), fresh.logits(images))
    assert loaded.label == f"{NAME}=w"


def test_pretrained_weights_are_those_that_timm_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    create = timm.create_model
    asked = []

    def made(name: str, pretrained: bool = False, **options: Any) -> torch.nn.Module:
        asked.append((name, pretrained, options))
        torch.manual_seed(5)
        return create(name, **options)

    with torch.random.fork_rng():
        monkeypatch.setattr(timm, "create_model", made)
        loaded = models.load(f"{NAME}=pretrained", classes=1000)
        torch.manual_seed(5)
        assert torch.equal(loaded.module.fc.weight, create("test_resnet").fc.weight)  # type: ignore[union-attr]
    assert asked[-1] == ("test_resnet", True, {})
    assert loaded.label == f"{NAME}=pretrained"
    with pytest.raises(CheckpointError, match="=pretrained: expected weights for 10 classes, got 1000"):
        models.load(f"{NAME}=pretrained", classes=10)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        (f"{NAME}=pretrained", "timm:test_resnet=pretrained: cannot be downloaded: "),
        ("timm:hf-hub:timm/test_resnet.r160_in1k", "timm:hf-hub:timm/.*: its card cannot be downloaded: "),
        ("timm:hf_hub:timm/test_resnet.r160_in1k", "timm:hf-hub:timm/.*: its card cannot be downloaded: "),
    ],
)
def test_without_a_network_it_is_one_line(offline: None, spec: str, fault: str) -> None:
    with pytest.raises(ModelError, match=fault) as caught:
        models.load(spec, classes=1000, random_weights=True)
    assert "\n" not in str(caught.value)


def test_a_card_of_the_hub_is_read_by_timm(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = timm.get_pretrained_cfg("test_resnet").to_dict() | {"input_size": (3, 64, 64), "num_classes": 5}
    monkeypatch.setattr(
        timm.models, "load_model_config_from_hf", lambda place: (facts, "test_resnet", {"place": place})
    )
    card = models.get("timm:hf-hub:ORG/NAME@main")
    assert (card.name, card.input_size, card.classes) == ("timm:hf-hub:ORG/NAME@main", 64, 5)


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ("timm:test_resnt", "unknown timm model 'test_resnt'; did you mean test_resnet"),
        ("timm:test_resnet.r160_in1", "unknown weights of timm:test_resnet 'r160_in1'; did you mean r160_in1k"),
        ("timm:hub:ORG/NAME", "expected timm:NAME or timm:hf-hub:ORG/NAME"),
        ("timm:hf-hub:", "expected timm:NAME or timm:hf-hub:ORG/NAME"),
        (NAME, r"timm:test_resnet=CHECKPOINT \(CHECKPOINT: a file or pretrained\)"),
        (f"{NAME}=pretraind", "no such file; unknown weights 'pretraind'; did you mean pretrained"),
        ("timm:vit_base_patch16_sapiens2", "expected a network for square images, got one for 1024x768"),
    ],
)
def test_a_wrong_argument_is_one_line(spec: str, fault: str) -> None:
    with pytest.raises(RobenchError, match=fault) as caught:
        models.load(spec, classes=10)
    assert "\n" not in str(caught.value)


def test_without_timm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ConfigError, match=r"timm: not installed; expected the extra: pip install 'robench\[timm\]'"):
        models.load(NAME, classes=10, random_weights=True)
