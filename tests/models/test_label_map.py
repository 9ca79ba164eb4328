"""A network with more outputs than the data set has classes: a file says which are whose."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch

from robench import models
from robench.errors import CheckpointError, ConfigError, ModelError, RobenchError

CLASSES = ("cat", "dog", "owl")
GOOD = "class,index\nowl,0\ndog,7\nbee,3\ncat,9\n"
IMAGES = torch.randint(0, 256, (4, 32, 32, 1), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def mapped(path: Path, text: str, spec: str = "tiny_cnn", **options: object) -> models.Classifier:
    path.write_text(text)
    metadata = {"classes": 3, "class_names": CLASSES, "random_weights": True} | options
    return models.load(spec, label_map=path, **metadata)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["map.csv", "map.json"])
def test_the_logits_are_those_of_the_mapped_outputs(name: str, tmp_path: Path) -> None:
    text = GOOD if name.endswith("csv") else json.dumps({"cat": 9, "dog": 7, "owl": 0})
    chosen = mapped(tmp_path / name, text)
    whole = models.load("tiny_cnn", classes=10, random_weights=True)
    assert torch.equal(chosen.logits(IMAGES), whole.logits(IMAGES)[:, [9, 7, 0]])
    assert (chosen.classes, chosen.weights_sha256) == (3, whole.weights_sha256)
    assert chosen.label_map_sha256 == chosen.to_dict()["label_map_sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert whole.label_map_sha256 == whole.to_dict()["label_map_sha256"] == ""


def test_weights_of_the_whole_network_fit_with_a_map_only(tmp_path: Path) -> None:
    models.save(tmp_path / "w.safetensors", models.load("tiny_cnn", classes=10, random_weights=True).module, {})
    spec = f"tiny_cnn={tmp_path / 'w.safetensors'}"
    assert mapped(tmp_path / "map.csv", GOOD, spec).logits(IMAGES).shape == (4, 3)
    with pytest.raises(CheckpointError, match="expected weights for 3 classes, got 10"):
        models.load(spec, classes=3)


def test_a_factory_says_how_many_outputs_it_has(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from torch import nn\n"
        "def net():\n    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 12))\n"
        "def said():\n    return net(), {'classes': 12}\n"
        "def asks(classes):\n    return net()\n"
    )
    file = tmp_path / "mine.py"
    assert mapped(tmp_path / "map.csv", GOOD, f"{file}:said").logits(IMAGES).shape == (4, 3)
    for factory, fault in (("net", "expected the factory's dict to say 'classes'"), ("asks", "without arguments")):
        with pytest.raises(ModelError, match=f"mine:{factory}: with a label map, expected .*{fault}|{fault}"):
            mapped(tmp_path / "map.csv", GOOD, f"{file}:{factory}")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("class,index\ncat,1\nowl,2\ndogs,3\n", "expected an index for class 'dog' .* the nearest is 'dogs'"),
        (GOOD.replace("cat,9", "cat,10"), r"expected indices 0\.\.9, the outputs of tiny_cnn, got 10"),
        (GOOD.replace("cat,9", "cat,7"), "expected one class for an index, got 7 for 'dog' and 'cat'"),
        (GOOD + "cat,9\n", "index 9 of class 'cat' is there twice"),
        (GOOD.replace("cat,9", "cat,-1"), "cat: expected an index from 0 up, got '-1'"),
        (GOOD.replace("cat,9", "cat,9.0"), "expected an index from 0 up, got '9.0'"),
        (GOOD.replace("cat,9", "cat"), "expected a class and an index, got 'cat'"),
        (GOOD.removeprefix("class,index\n"), "expected the header 'class,index', got 'owl,0'"),
        ("", "expected the header 'class,index', got 'nothing'"),
    ],
)
def test_a_wrong_map_is_one_line(text: str, fault: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=fault) as caught:
        mapped(tmp_path / "map.csv", text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[1, 2]", "expected an object of classes and indices, got list"),
        ('{"cat": 1', "expected a label map, .* got JSONDecodeError"),
        ('{"cat": 1, "cat": 2}', "'cat' is there twice"),
        ('{"cat": {"a": 1}}', "cat: expected an index from 0 up"),
    ],
)
def test_wrong_json_is_one_line(text: str, fault: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=fault) as caught:
        mapped(tmp_path / "map.json", text)
    assert "\n" not in str(caught.value)


def test_a_map_needs_the_names_of_the_classes(tmp_path: Path) -> None:
    for names in (None, CLASSES[:2]):
        with pytest.raises(ConfigError, match=r"expected the names of the data set's 3 classes, got (none|2)"):
            mapped(tmp_path / "map.csv", GOOD, class_names=names)


def test_a_missing_map_is_named(tmp_path: Path) -> None:
    with pytest.raises(RobenchError, match="cannot be read: No such file"):
        models.load("tiny_cnn", classes=3, class_names=CLASSES, label_map=tmp_path / "no.csv", random_weights=True)
