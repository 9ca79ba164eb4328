"""Stored cells are a network's own: of its weights, its code, the files beside it, and its answers."""

from __future__ import annotations

import json
import py_compile
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import save_file

from robench.store import _parquet

FACTORY = """
import json
from pathlib import Path
from layers import body
from torch import nn
import torch

def make(classes):
    import deep.settings
    torch.manual_seed(deep.settings.SEED)
    facts = json.loads((Path(__file__).parent / "cfg.json").read_text())
    return nn.Sequential(body(), nn.Linear(1024, classes), Scale(facts["scale"])), {"channels": 1, "side": 32}

class Scale(nn.Module):
    def __init__(self, by):
        super().__init__()
        self.by = by
    def forward(self, x):
        return x * self.by
"""
LAYERS = "from torch import nn\ndef body(): return nn.Flatten()\n"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "nets"
    (made / "deep").mkdir(parents=True)
    (made / "net.py").write_text(FACTORY)
    (made / "layers.py").write_text(LAYERS)
    (made / "deep" / "__init__.py").write_text("")
    (made / "deep" / "settings.py").write_text("SEED = 1\n")
    (made / "cfg.json").write_text('{"scale": 1.0}')
    (made / "notes.txt").write_text("nothing reads this")
    return made


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("layers.py", "from torch import nn\ndef body(): return nn.Sequential(nn.Flatten(), nn.Tanh())\n"),
        ("cfg.json", '{"scale": 9.0}'),
        ("deep/settings.py", "SEED = 2\n"),
        ("net.py", FACTORY.replace("x * self.by", "x * -self.by")),
    ],
)
def test_an_edit_beside_a_factory_makes_another_network(sweep, folder, name, text):
    assert sweep(f"{folder}/net.py:make").code == 0
    (folder / "notes.txt").write_text("nor this")
    assert "0 cells computed, 3 found" in sweep(f"{folder}/net.py:make").out
    (folder / name).write_text(text)
    said = sweep(f"{folder}/net.py:make")
    assert said.code == 1
    assert "choose another folder or name" in said.line


def test_two_factories_have_each_the_modules_of_their_folder(sweep, tmp_path):
    for number in (1, 2):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "width.py").write_text(f"WIDTH = {number}\n")
        (tmp_path / f"{number}" / f"net{number}.py").write_text(
            "from width import WIDTH\nfrom torch import nn\n"
            "def make(): return nn.Sequential(nn.Flatten(), nn.Linear(1024, WIDTH), nn.Linear(WIDTH, 10)), "
            "{'channels': 1}\n"
        )
    said = sweep(*(f"{tmp_path}/{number}/net{number}.py:make" for number in (1, 2)))
    assert said.code == 0, said.err
    models = json.loads((tmp_path / "run" / "manifest.json").read_text())["models"]
    assert [model["parameters"] for model in models] == [1025 + 20, 2050 + 30]
    assert models[0]["code_sha256"] != models[1]["code_sha256"]


def test_what_no_digest_sees_the_fingerprint_does(sweep, tmp_path, monkeypatch):
    """A network of the environment: code and weights stay as they are."""
    (tmp_path / "net.py").write_text(TURNED)
    monkeypatch.setenv("TURN", "0")
    assert sweep(f"{tmp_path}/net.py:make").code == 0
    monkeypatch.setenv("TURN", "1")
    said = sweep(f"{tmp_path}/net.py:make", also=("-c", "fog@1"))
    assert "holds answers of another network than 'net:make' now: 8 of 8 probe images have another class" in said.line


def test_a_network_that_answers_no_more_does_not_vouch_for_its_cells(sweep, tmp_path, monkeypatch):
    (tmp_path / "net.py").write_text(
        "import os\nfrom torch import nn\nclass Net(nn.Sequential):\n"
        "    def forward(self, x): return super().forward(x) / float(os.environ['BY'])\n"
        "def make(): return Net(nn.Flatten(), nn.Linear(1024, 10)), {'channels': 1}\n"
    )
    monkeypatch.setenv("BY", "1")
    assert sweep(f"{tmp_path}/net.py:make").code == 0
    monkeypatch.setenv("BY", "nan")
    assert "expected it to answer the probe images as then" in sweep(f"{tmp_path}/net.py:make").line


def parquets(run: Path) -> list[Path]:
    return sorted((run / "predictions").rglob("*.parquet"))


def without_fingerprint(path: Path) -> None:
    """The file as an older robench wrote it."""
    table = pq.read_table(path, partitioning=None)
    record = json.loads(table.schema.metadata[_parquet.RECORD])
    del record["fingerprint"]
    pq.write_table(table.replace_schema_metadata({_parquet.RECORD: json.dumps(record)}), path)


def test_cells_of_an_older_run_are_kept_and_marked(sweep, robench, tmp_path):
    model = "tiny_cnn=digits-clean"
    assert sweep(model).code == 0
    for path in parquets(tmp_path / "run"):
        without_fingerprint(path)
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    (tmp_path / "run" / "manifest.json").write_text(
        json.dumps({k: manifest[k] for k in manifest if k != "unfingerprinted"})
    )
    robench("report", tmp_path / "run", "-o", tmp_path / "report")
    assert "No cell has a fingerprint of its network" in (tmp_path / "report" / "report.md").read_text()
    said = sweep(model, also=("-c", "fog@1", "-c", "awgn@0.2"))
    mark = "Cells without a fingerprint of their network, which an older robench wrote: 3."
    assert ("1 cells computed, 2 found" in said.out, mark in said.out) == (True, True)
    robench("report", tmp_path / "run", "-o", tmp_path / "report")
    assert mark in (tmp_path / "report" / "report.md").read_text()


def test_every_cell_carries_the_fingerprint_of_its_network(sweep, tmp_path):
    sweep("tiny_cnn=digits-clean", "tiny_cnn=digits-noise")
    records = [json.loads(pq.read_schema(path).metadata[_parquet.RECORD]) for path in parquets(tmp_path / "run")]
    prints = {(record["model"], json.dumps(record["fingerprint"])) for record in records}
    assert len(records) == 6
    assert len(prints) == 2


def test_equal_digests_need_no_forward_pass(sweep, tmp_path, monkeypatch):
    from robench.sweep._probe import Probe

    sweep("tiny_cnn=digits-clean")
    monkeypatch.setattr(Probe, "forward", None)
    assert "3 found" in sweep("tiny_cnn=digits-clean").out


def test_other_weights_under_one_name_are_refused(sweep, tmp_path):
    net = "from torch import nn\ndef make(): return nn.Sequential(nn.Flatten(), nn.Linear(1024, 10)), {'channels': 1}\n"
    (tmp_path / "net.py").write_text(net)
    for seed in (0, 1):
        weights = {
            "1.weight": torch.rand(10, 1024, generator=torch.Generator().manual_seed(seed)),
            "1.bias": torch.ones(10),
        }
        save_file(weights, tmp_path / "best.safetensors")
        said = sweep(f"{tmp_path}/net.py:make={tmp_path}/best.safetensors")
        assert said.code == seed
    assert "of weights_sha256" in said.line


TURNED = (
    "import os\nfrom torch import nn\nimport torch\nclass Net(nn.Sequential):\n"
    "    def forward(self, x): return super().forward(x).roll(int(os.environ['TURN']), dims=1)\n"
    "def make():\n    torch.manual_seed(0)\n"
    "    return Net(nn.Flatten(), nn.Linear(1024, 10)), {'channels': 1}\n"
)


def test_shards_of_two_networks_are_no_run(sweep, robench, tmp_path, monkeypatch):
    """As where one machine of several has other libraries, which no digest of weights sees."""
    (tmp_path / "net.py").write_text(TURNED)
    for turn, shard in (("0", "1/2"), ("1", "2/2")):
        monkeypatch.setenv("TURN", turn)
        said = sweep(f"{tmp_path}/net.py:make", also=("--shard", shard))
        assert said.code == int(turn), said.err
    assert "holds answers of another network than 'net:make' now" in said.line


def test_cells_that_were_put_together_by_hand_are_no_run(sweep, robench, tmp_path, monkeypatch):
    (tmp_path / "net.py").write_text(TURNED)
    for turn in "01":
        monkeypatch.setenv("TURN", turn)
        assert sweep(f"{tmp_path}/net.py:make", out=turn, also=("-s", "demo/1")).code == 0
    for cell in (tmp_path / "1" / "predictions").rglob("*contrast*/*.parquet"):
        shutil.copy(cell, tmp_path / "0" / cell.relative_to(tmp_path / "1"))
    line = "expected the cells of 'net:make' from one network, got some of another: 8 of 8 probe images"
    assert line in robench("report", tmp_path / "0", "-o", tmp_path / "report").line
    assert line in robench("leaderboard", "add", tmp_path / "0", "--board", tmp_path / "boards").line
    for turn in "01":
        monkeypatch.setenv("TURN", turn)
        assert "another network" in sweep(f"{tmp_path}/net.py:make", out="0", also=("-s", "demo/1")).line


def test_a_class_that_is_masked_hides_no_other_network(sweep, tmp_path, monkeypatch):
    masked = TURNED.replace(".roll(int(os.environ['TURN']), dims=1)", ".roll(int(os.environ['TURN']), dims=1) + MASK")
    (tmp_path / "net.py").write_text(masked.replace("class Net", "MASK = torch.tensor([0.0] * 9 + [-1e9])\nclass Net"))
    monkeypatch.setenv("TURN", "0")
    assert sweep(f"{tmp_path}/net.py:make").code == 0
    monkeypatch.setenv("TURN", "1")
    assert "another network" in sweep(f"{tmp_path}/net.py:make", also=("-c", "fog@1")).line


def test_a_report_of_one_name_is_of_one_network(sweep, robench, tmp_path):
    weights = (
        "from torch import nn\nimport torch\nclass Net(nn.Sequential): pass\ndef make():\n    torch.manual_seed(0)\n"
    )
    for name, last in (
        ("a", ""),
        ("b", "    Net.forward = lambda self, x: nn.Sequential.forward(self, x).roll(3, 1)\n"),
    ):
        (tmp_path / name).mkdir()
        code = f"{weights}{last}    return Net(nn.Flatten(), nn.Linear(1024, 10)), {{'channels': 1}}\n"
        (tmp_path / name / "net.py").write_text(code)
        chosen = "contrast@3" if name == "a" else "fog@1"
        assert sweep(f"{tmp_path}/{name}/net.py:make", out=f"run-{name}", also=("-c", chosen)).code == 0
    said = robench("report", tmp_path / "run-a", tmp_path / "run-b", "-o", tmp_path / "report")
    assert "'net:make' has another code_sha256 than in" in said.line
    assert sweep("tiny_cnn=digits-clean", out="p", also=("-c", "fog@1", "--outputs", "logits")).code == 0
    assert sweep("tiny_cnn=digits-clean", out="q", also=("-c", "contrast@1", "--normalize", "none")).code == 0
    assert "another normalize" in robench("report", tmp_path / "p", tmp_path / "q", "-o", tmp_path / "report").line


def test_what_python_keeps_beside_the_files_is_no_code(sweep, folder):
    """A bytecode file is read in place of its source, if there is one."""
    assert sweep(f"{folder}/net.py:make").code == 0
    for name in ("layers.py", "deep/settings.py", "deep/__init__.py"):
        py_compile.compile(str(folder / name))
    assert "0 cells computed, 3 found" in sweep(f"{folder}/net.py:make").out
    moved = folder.parent / "deeper" / "nets"
    shutil.copytree(folder, moved)
    assert "0 cells computed, 3 found" in sweep(f"{moved}/net.py:make").out


def test_an_older_run_of_a_factory_goes_on_and_is_marked(sweep, folder, tmp_path):
    """Its code was known by the one file."""
    assert sweep(f"{folder}/net.py:make").code == 0
    path = tmp_path / "run" / "manifest.json"
    manifest = json.loads(path.read_text())
    [model] = manifest["models"]
    model["code_sha256"] = model.pop("file_sha256")
    del manifest["unfingerprinted"]
    path.write_text(json.dumps(manifest))
    for cell in parquets(tmp_path / "run"):
        without_fingerprint(cell)
    for _ in range(2):
        assert "0 cells computed, 3 found" in (said := sweep(f"{folder}/net.py:make")).out
        assert "which an older robench wrote: 3." in said.out
    (folder / "layers.py").write_text(LAYERS + "# edited\n")
    assert "of code_sha256" in sweep(f"{folder}/net.py:make").line
