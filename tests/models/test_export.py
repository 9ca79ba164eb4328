"""`path/to/net.pt2`: the network of a torch.export archive, and that nothing in it is run that is not a network."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from robench import models
from robench.errors import CheckpointError, ModelError
from robench.files import sha256_file

CLASSES = 5
IMAGES = torch.randint(0, 256, (7, 16, 16, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
MODEL = "net/models/model.json"
WEIGHTS = "net/data/weights/model_weights_config.json"
Change = Callable[[dict[str, bytes]], None]


class Net(nn.Module):
    """Attention over patches, so that the graph computes with sizes."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.patches = nn.Conv2d(channels, 8, 4, stride=4)
        self.norm = nn.BatchNorm2d(8)
        self.head = nn.Linear(8, CLASSES)
        self.register_buffer("shift", torch.ones(8))

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.norm(self.patches(x)).flatten(2).transpose(1, 2)
        tokens = tokens.reshape(x.shape[0] * 2, -1, 8) + self.shift + torch.tensor([0.5] * 8)
        mixed = nn.functional.scaled_dot_product_attention(tokens, tokens, tokens)
        return self.head(mixed.reshape(x.shape[0], -1, 8).mean(dim=1))


@pytest.fixture(scope="module")
def net() -> Net:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Net().eval()


def saved(path: Path, net: nn.Module, *inputs: Tensor, dynamic: bool = True) -> Path:
    inputs = inputs or (torch.zeros(2, 3, 16, 16),)
    shapes = tuple({0: torch.export.Dim("batch")} for _ in inputs) if dynamic else None
    torch.export.save(torch.export.export(net, inputs, dynamic_shapes=shapes), path)
    return path


@pytest.mark.parametrize("batch", [None, 1, 3, 7, 9])
def test_any_batch_through_an_archive_of_any_batch(batch: int | None, net: Net, tmp_path: Path) -> None:
    example = torch.zeros(batch or 2, 3, 16, 16)
    loaded = models.load(str(saved(tmp_path / "net.pt2", net, example, dynamic=batch is None)), classes=CLASSES)
    with torch.inference_mode():
        expected = net(IMAGES.permute(0, 3, 1, 2) / 255)
    assert torch.allclose(loaded.logits(IMAGES), expected, atol=1e-5)
    assert (loaded.card.input_size, loaded.card.channels, loaded.normalize, loaded.label) == (16, 3, "none", "net")
    assert loaded.card.params == sum(parameter.numel() for parameter in net.parameters())


def test_the_digest_is_the_files_and_another_side_is_fitted(net: Net, tmp_path: Path) -> None:
    path = saved(tmp_path / "net.pt2", net)
    loaded = models.load(str(path), classes=CLASSES, input_size=20, normalize="imagenet")
    assert (loaded.weights_sha256, loaded.resize_policy, loaded.normalize) == (
        sha256_file(path),
        "resize16",
        "imagenet",
    )
    assert loaded.logits(torch.zeros(2, 20, 20, 1, dtype=torch.uint8)).shape == (2, CLASSES)


class Two(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return (x + y).mean(dim=(2, 3))


@pytest.mark.parametrize(
    ("module", "inputs", "fault"),
    [
        (Two(), [torch.zeros(2, 3, 8, 8)] * 2, "expected one input of float32 .*, got float32, float32"),
        (nn.Flatten(), [torch.zeros(2, 3, 8)], r"expected an input of float32 .*, got \(any, 3, 8\)"),
        (nn.Flatten(), [torch.zeros(2, 8, 8, 3)], r"got \(any, 8, 8, 3\)"),
        (nn.Flatten(), [torch.zeros(2, 3, 8, 8, dtype=torch.uint8)], "expected one input of .*, got uint8"),
        (nn.ReLU(), [torch.zeros(2, 3, 8, 8)], r"expected one output \(1, classes\), got \(1, 3, 8, 8\)"),
        (nn.Flatten(), [torch.zeros(2, 3, 8, 8)], "expected 5 outputs, the data set's classes, got 192"),
    ],
)
def test_a_wrong_form_is_one_line(module: nn.Module, inputs: list[Tensor], fault: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=fault) as caught:
        models.load(str(saved(tmp_path / "net.pt2", module, *inputs)), classes=CLASSES)
    assert "\n" not in str(caught.value)


class Code:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (self.command,)


def changed(path: Path, change: Change) -> Path:
    """The archive with some of its parts changed."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def pickled(command: str) -> bytes:
    content = io.BytesIO()
    torch.save(Code(command), content)
    return content.getvalue()


def in_graph(old: str, new: str) -> Callable[[str], Change]:
    def change(parts: dict[str, bytes]) -> None:
        text = parts[MODEL].decode()
        assert old in text
        parts[MODEL] = text.replace(old, new).encode()

    return lambda command: change


def in_example(command: str) -> Change:
    return lambda parts: parts.update({"net/data/sample_inputs/model.pt": pickled(command)})


def in_weight(command: str) -> Change:
    def change(parts: dict[str, bytes]) -> None:
        config = json.loads(parts[WEIGHTS])
        first = next(iter(config["config"].values()))
        first["use_pickle"] = True
        parts[WEIGHTS] = json.dumps(config).encode()
        parts[f"net/data/weights/{first['path_name']}"] = pickled(command)

    return change


def in_size(command: str) -> Change:
    size = json.dumps(f"__import__('os').system({command!r})")[1:-1]
    return in_graph("Symbol('", f"{size} or Symbol('")(command)


@pytest.mark.parametrize(
    "attack",
    [
        in_example,
        in_weight,
        in_size,
        in_graph("torch.ops.aten.linear.default", "torch.os.system"),
        in_graph("torch.ops.aten.linear.default", "torch.ops.aten.from_file.default"),
        in_graph("torch.ops.aten.linear.default", "_operator.methodcaller"),
        in_graph('"name": "linear"', '"name": "linear = exit() #"'),
        in_graph('"name": "linear"', '"name": "torch.relu"'),
        in_graph("head.weight", "__class__.weight"),
        in_graph(
            '\\"context\\": \\"[]\\"',
            '\\"context\\": \\"{\\\\\\"__enum__\\\\\\": true, \\\\\\"fqn\\\\\\": \\\\\\"os:x\\\\\\"}\\"',
        ),
    ],
)
def test_what_is_more_than_a_network_is_refused_and_not_run(
    attack: Callable[[str], Change], net: Net, tmp_path: Path
) -> None:
    witness = tmp_path / "ran"
    path = changed(saved(tmp_path / "net.pt2", net), attack(f"touch {witness}"))
    with pytest.raises(CheckpointError, match=r"net\.pt2: refused: would run code: ") as caught:
        models.load(str(path), classes=CLASSES)
    assert "\n" not in str(caught.value)
    assert not witness.exists()


def test_torch_alone_would_have_run_them(net: Net, tmp_path: Path) -> None:
    """The attacks are real: what is refused above runs in torch.export.load."""
    for attack in (in_weight, in_size):
        witness = tmp_path / attack.__name__
        path = changed(saved(tmp_path / "net.pt2", net), attack(f"touch {witness}"))
        with suppress(Exception):  # it has run, whatever torch makes of its answer
            torch.export.load(path)
        assert witness.exists()


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 torn"])
def test_other_files_are_refused_in_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "net.pt2").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"net\.pt2: not an archive of torch\.export: ") as caught:
        models.load(str(tmp_path / "net.pt2"), classes=CLASSES)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_is_no_archive(net: Net, tmp_path: Path) -> None:
    torch.save(net.state_dict(), tmp_path / "net.pt2")
    with pytest.raises(CheckpointError, match=r"models/model\.json is missing"):
        models.load(str(tmp_path / "net.pt2"), classes=CLASSES)
    with pytest.raises(CheckpointError, match="no such file"):
        models.load(str(tmp_path / "other.pt2"), classes=CLASSES)
