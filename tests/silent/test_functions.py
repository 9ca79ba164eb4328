"""A model is a function of its image: not of chance, of the batch, or of what it was asked before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

NETS = """
import random
import torch
import torch.nn.functional as F
from torch import nn

class Base(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Conv2d(1, 8, 5, stride=4), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten())
        self.head = nn.Linear(8 * 7 * 7, 10)
        self.register_buffer("seen", torch.zeros(10))
        self.calls = 0

    def forward(self, x):
        return self.head(self.body(x))

class Dropout(Base):
    def forward(self, x):
        return self.head(F.dropout(self.body(x), 0.2))

class OwnChance(Base):
    def forward(self, x):
        return super().forward(x) + random.random()* torch.arange(10)

class TrainingNorm(Base):
    def train(self, mode=True):
        return super().train(True)

class NoStatistics(Base):
    def __init__(self):
        super().__init__()
        self.body[1] = nn.BatchNorm2d(8, track_running_stats=False)

class Buffer(Base):
    def forward(self, x):
        logits = super().forward(x)
        self.seen.mul_(0.999).add_(logits.mean(0), alpha=0.001)
        return logits + self.seen

class Attribute(Base):
    def forward(self, x):
        self.calls += 1
        return super().forward(x) * (1 + 0.1 * self.calls) + self.calls

class Late(Base):
    def forward(self, x):
        self.calls += len(x)
        return super().forward(x).roll(1 if self.calls > 160 else 0, dims=1)

class Place(Base):
    def forward(self, x):
        return super().forward(x) + torch.arange(len(x))[:, None] * torch.arange(10)

class Scaled(Base):
    def forward(self, x):
        return super().forward(x / x.max()) if len(x) > 1 else super().forward(x)

class Range(Base):
    def forward(self, x):
        return super().forward(x / x.max())

class Weights(Base):
    def forward(self, x):
        with torch.no_grad():
            self.head.bias.add_(0.001)
        return super().forward(x)

class Masked(Base):
    def forward(self, x):
        return self.head(F.dropout(self.body(x), 0.2)) + torch.tensor([0.0] * 9 + [-1e9])

class Counts(Base):
    def __init__(self):
        super().__init__()
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))
    def forward(self, x):
        self.steps += 1
        return super().forward(x)

class Crowd(Base):
    def forward(self, x):
        logits = super().forward(x)
        return logits.flip(1) if len(x) > 16 else logits

class Lazy(Base):
    def forward(self, x):
        if not hasattr(self, "mask"):
            self.register_buffer("mask", torch.ones(10))
        return super().forward(x) * self.mask

def make(kind): return lambda: (globals()[kind](), {"channels": 1, "side": 32})
"""

KINDS = {
    "Dropout": "chance",
    "Masked": "chance",
    "OwnChance": "chance",
    "TrainingNorm": "the batch",
    "NoStatistics": "the batch",
    "Place": "the batch",
    "Scaled": "the batch",
    "Buffer": "earlier calls",
    "Attribute": "earlier calls",
    "Weights": "earlier calls",
}


@pytest.fixture
def nets(tmp_path):
    kinds = (*KINDS, "Range", "Crowd", "Counts", "Lazy", "Base", "Late")
    path = tmp_path / "nets.py"
    path.write_text(NETS + "".join(f"{kind.lower()} = make('{kind}')\n" for kind in kinds))
    return path


@pytest.mark.parametrize(("kind", "on"), KINDS.items())
def test_what_depends_on_more_than_its_image_is_refused(sweep, nets, tmp_path, kind, on):
    said = sweep(f"{nets}:{kind.lower()}")
    assert said.code == 1
    assert f"expected answers that depend on the image alone, got answers that depend on {on}: " in said.line
    assert said.line.endswith("or --stateful to run it all the same")
    assert not (tmp_path / "run" / "manifest.json").exists()


@pytest.mark.parametrize("kind", ["base", "lazy", "counts"])
def test_what_is_a_function_of_its_image_is_swept(sweep, nets, kind):
    said = sweep(f"{nets}:{kind}")
    assert (said.code, "3 cells computed" in said.out) == (0, True), said.err


def test_what_changes_during_the_sweep_has_no_number_for_it(sweep, nets, tmp_path):
    said = sweep(f"{nets}:late")
    assert said.code == 1
    assert "answers depend on earlier calls: after this unit the same images are answered otherwise" in said.err


def test_one_image_at_a_time_is_a_way_on(sweep, nets, tmp_path):
    """As for dynamic quantisation, whose range is that of a whole batch."""
    assert sweep(f"{nets}:trainingnorm", also=("--batch-size", 1)).code == 1
    assert sweep(f"{nets}:range", also=("--batch-size", 16)).code == 1
    assert sweep(f"{nets}:range", also=("--batch-size", 1)).code == 0
    said = sweep(f"{nets}:range", out="devices", also=("--batch-size", 1, "--device", "cpu,cpu"))
    assert (said.code, "3 cells computed" in said.out) == (0, True), said.err


def test_the_batch_of_the_sweep_is_among_those_that_are_tried(sweep, nets):
    assert "in a batch of 40" in sweep(f"{nets}:crowd", also=("--batch-size", 40)).line
    assert sweep(f"{nets}:crowd", also=("--batch-size", 16)).code == 0


def test_a_network_exported_in_training_mode_is_refused(sweep, tmp_path):
    net = nn.Sequential(nn.Flatten(), nn.Linear(1024, 10), nn.BatchNorm1d(10, track_running_stats=False))
    batch = torch.export.Dim("batch", min=2, max=512)
    program = torch.export.export(net.train(), (torch.zeros(8, 1, 32, 32),), dynamic_shapes=({0: batch},))
    torch.export.save(program, tmp_path / "net.pt2")
    assert "depend on the batch" in sweep(tmp_path / "net.pt2").line


def manifest(folder: Path):
    return json.loads((folder / "manifest.json").read_text())


def test_stateful_runs_it_marks_it_and_gives_the_same_twice(sweep, robench, nets, tmp_path):
    mark = "Stateful: answers may depend on the batch (16 images), on earlier calls or on chance."
    for out in ("one", "two"):
        said = sweep(f"{nets}:dropout", f"{nets}:buffer", out=out, also=("--stateful",))
        assert said.code == 0, said.err
        assert mark in said.out
    assert manifest(tmp_path / "one") == manifest(tmp_path / "two")
    assert manifest(tmp_path / "one")["stateful"] == {"batch_size": 16, "models": ["nets:dropout", "nets:buffer"]}
    names = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.parquet")]
    assert len(names) == 6
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in names)
    assert robench("report", tmp_path / "one", "-o", tmp_path / "report").code == 0
    assert mark in (tmp_path / "report" / "report.md").read_text()
    assert mark in (tmp_path / "report" / "index.html").read_text()
    assert f"one: {mark}" in robench("compare", tmp_path / "one", tmp_path / "two").out


def test_a_stateful_run_is_whole_or_made_anew(sweep, nets, tmp_path):
    sweep(f"{nets}:buffer", out="one", also=("--stateful",))
    whole = {path.name: path.read_bytes() for path in (tmp_path / "one").rglob("*.parquet")}
    next((tmp_path / "one" / "predictions").rglob("*sigma*.parquet")).unlink()
    assert "3 cells computed, 0 found" in sweep(f"{nets}:buffer", out="one", also=("--stateful",)).out
    assert whole == {path.name: path.read_bytes() for path in (tmp_path / "one").rglob("*.parquet")}
    assert "0 cells computed, 3 found" in sweep(f"{nets}:buffer", out="one", also=("--stateful",)).out
    for also, line in (
        (("--stateful", "-c", "fog@1"), "a stateful run is made by one call"),
        (("--stateful", "--batch-size", 8), "batch_size 16, asked for 8"),
        ((), "holds a run with stateful"),
        (("--stateful", "--shard", "1/2"), "--stateful runs in one process on one device; got --shard"),
    ):
        assert line in sweep(f"{nets}:buffer", out="one", also=also).line


def test_a_board_takes_no_stateful_run(sweep, robench, nets, tmp_path):
    assert sweep(f"{nets}:base", also=("--stateful", "-s", "demo/1")).code == 0
    said = robench("leaderboard", "add", tmp_path / "run", "--board", tmp_path / "boards")
    assert "got those of a stateful network" in said.line
