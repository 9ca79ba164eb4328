"""Several sets of weights in a checkpoint, things beside them, numbers of other kinds: named, chosen or refused."""

import argparse
import datetime
import json
import os
import pathlib
from collections import OrderedDict, defaultdict, deque

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from robench import models
from robench.errors import CheckpointError, ConfigError
from robench.models import state_sha256

SWEEP = ("-d", "digits", "--limit", "8", "-c", "awgn@0.1", "--device", "cpu")


def network(seed):
    return models.load("tiny_cnn", classes=10, random_weights=True, seed=seed).module


ONE, OTHER = network(1), network(2)
DIGESTS = {"one": state_sha256(ONE), "other": state_sha256(OTHER)}


def prefixed(module, prefix):
    return {f"{prefix}.{name}": value for name, value in module.state_dict().items()}


def averaged():
    return AveragedModel(OTHER).state_dict()


LAYOUTS = {
    # content, and of two sets of weights the name of each
    "timm": ({"state_dict": ONE.state_dict(), "state_dict_ema": OTHER.state_dict()}, "state_dict", "state_dict_ema"),
    "model": ({"model": ONE.state_dict(), "model_ema": prefixed(OTHER, "module")}, "model", "model_ema"),
    "ema": ({"net": ONE.state_dict(), "ema": {"state_dict": OTHER.state_dict(), "decay": 0.9}}, "net", "ema"),
    "dino": ({"student": prefixed(ONE, "module"), "teacher": OTHER.state_dict()}, "student", "teacher"),
    "flat": ({**prefixed(ONE, "student"), **prefixed(OTHER, "teacher")}, "student", "teacher"),
    "lightning": (
        {
            "state_dict": {
                **prefixed(ONE, "model"),
                **prefixed(OTHER, "model_ema.module"),
                "model_ema.n_averaged": torch.tensor(3),
            }
        },
        "model",
        "model_ema",
    ),
    "averaged": ({"model": ONE.state_dict(), "swa_model": averaged()}, "model", "swa_model"),
    "bare": ({**ONE.state_dict(), **prefixed(OTHER, "ema")}, ".", "ema"),
    "list": ({"epoch": 2, "folds": [ONE.state_dict(), OTHER.state_dict()]}, "folds.0", "1"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_of_several_sets_is_chosen_by_its_name_and_none_by_luck(layout, tmp_path):
    content, one, other = LAYOUTS[layout]
    path = tmp_path / "best.pt"
    torch.save(content, path)
    for name, expected in ((one, "one"), (other, "other")):
        loaded = models.load(f"tiny_cnn={path}#{name}", classes=10)
        assert loaded.weights_sha256 == DIGESTS[expected]
        assert loaded.label == f"tiny_cnn=best#{name}"
    with pytest.raises(CheckpointError, match=r"best\.pt: expected one set of weights .* got 2: .*; choose one"):
        models.load(f"tiny_cnn={path}", classes=10)


def test_the_command_line_chooses_a_set_and_records_it(robench, tmp_path):
    path = tmp_path / "best.pt"
    torch.save(LAYOUTS["timm"][0], path)
    said = robench("evaluate", "-m", f"tiny_cnn={path}", *SWEEP, "-o", tmp_path / "run")
    assert said.code == 1
    assert "got 2: state_dict, state_dict_ema; choose one" in said.err
    assert not (tmp_path / "run").exists()
    both = ("-m", f"tiny_cnn={path}#state_dict", "-m", f"tiny_cnn={path}#state_dict_ema")
    said = robench("evaluate", *both, *SWEEP, "-o", tmp_path / "run")
    assert said.code == 0
    facts = {one["label"]: one for one in json.loads((tmp_path / "run" / "manifest.json").read_text())["models"]}
    for name, expected in (("state_dict", "one"), ("state_dict_ema", "other")):
        model = facts[f"tiny_cnn=best#{name}"]
        assert (model["training"]["weight_set"], model["weights_sha256"]) == (name, DIGESTS[expected])
        assert f"tiny_cnn=best#{name}" in said.out
    assert robench("report", tmp_path / "run", "-o", tmp_path / "report").code == 0
    assert "tiny_cnn=best#state_dict_ema" in (tmp_path / "report" / "index.html").read_text()


def test_an_unknown_set_is_refused_with_those_that_are_there(tmp_path):
    path = tmp_path / "best.pt"
    torch.save({**LAYOUTS["timm"][0], "loss": {"weight": torch.ones(3)}}, path)
    with pytest.raises(CheckpointError, match=r"'state_dict_eam'.* did you mean state_dict_ema.*it holds state_dict, "):
        models.load(f"tiny_cnn={path}#state_dict_eam", classes=10)
    with pytest.raises(CheckpointError, match="not weights of tiny_cnn: missing"):
        models.load(f"tiny_cnn={path}#loss", classes=10)


def test_sets_that_are_equal_need_no_choice(tmp_path):
    torch.save({"state_dict": ONE.state_dict(), "ema": prefixed(ONE, "module")}, tmp_path / "best.pt")
    loaded = models.load(f"tiny_cnn={tmp_path / 'best.pt'}", classes=10)
    assert (loaded.weights_sha256, loaded.training["weight_set"]) == (DIGESTS["one"], "state_dict")


def test_only_one_that_fits_needs_no_choice_and_is_recorded(tmp_path):
    hundred = models.load("tiny_cnn", classes=100, random_weights=True).module
    torch.save({"model": hundred.state_dict(), "model_ema": OTHER.state_dict()}, tmp_path / "best.pt")
    loaded = models.load(f"tiny_cnn={tmp_path / 'best.pt'}", classes=10)
    assert (loaded.weights_sha256, loaded.training["weight_set"]) == (DIGESTS["other"], "model_ema")


def test_an_averaged_model_alone_is_its_average(tmp_path):
    torch.save(averaged(), tmp_path / "best.pt")
    assert models.load(f"tiny_cnn={tmp_path / 'best.pt'}", classes=10).weights_sha256 == DIGESTS["other"]


def test_what_stands_beside_a_wrapped_network_is_not_dropped(tmp_path):
    """A wrapper's own normalisation is part of what was trained."""
    torch.save({"normalize.mean": torch.ones(3), **prefixed(ONE, "model")}, tmp_path / "best.pt")
    with pytest.raises(CheckpointError, match=r"unexpected normalize\.mean"):
        models.load(f"tiny_cnn={tmp_path / 'best.pt'}", classes=10)


def test_a_training_goes_on_from_a_chosen_set(robench, tmp_path):
    path = tmp_path / "best.pt"
    torch.save(LAYOUTS["dino"][0], path)
    train = ("train", "clean", "-d", "digits", "--epochs", "1", "--train-n", "20", "--device", "cpu")
    said = robench(*train, "-m", f"tiny_cnn={path}", "-o", tmp_path / "w.safetensors")
    assert (said.code, "got 2: student, teacher" in said.err) == (1, True)
    assert robench(*train, "-m", f"tiny_cnn={path}#teacher", "-o", tmp_path / "w.safetensors").code == 0
    assert len(models.metadata(tmp_path / "w.safetensors")["start_sha256"]) == 64


def test_a_file_whose_name_has_the_sign_is_itself(tmp_path):
    torch.save(ONE.state_dict(), tmp_path / "a#b.pt")
    assert models.load(f"tiny_cnn={tmp_path / 'a#b.pt'}", classes=10).weights_sha256 == DIGESTS["one"]


SETTINGS = {
    "args": argparse.Namespace(lr=0.1, out=pathlib.Path("runs/a"), windows=pathlib.PureWindowsPath("c:/a")),
    "path": pathlib.Path("runs") / "a",
    "when": datetime.datetime(2024, 5, 17, 12, tzinfo=datetime.UTC),
    "took": datetime.timedelta(minutes=3),
    "meters": defaultdict(list, {"loss": [0.1, 0.2]}),
    "counts": defaultdict(int),
    "recent": deque([1, 2], maxlen=3),
    "best": np.float64(91.7),
    "curve": np.arange(3.0),
    "names": np.array(["a", "b"]),
    "hyper_parameters": OrderedDict(width=np.int64(3), optimizer=defaultdict(dict, {"lr": {"first": 0.1}})),
}


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("name", SETTINGS)
def test_settings_beside_the_weights_are_read_over(name, legacy, tmp_path):
    content = {"state_dict": ONE.state_dict(), name: SETTINGS[name]}
    torch.save(content, tmp_path / "w.pt", _use_new_zipfile_serialization=not legacy)
    assert models.load(f"tiny_cnn={tmp_path / 'w.pt'}", classes=10).weights_sha256 == DIGESTS["one"]


def test_hyper_parameters_of_lightning_are_read_over(tmp_path):
    data = pytest.importorskip("lightning.fabric.utilities.data")
    torch.save(
        {"state_dict": prefixed(ONE, "net"), "hyper_parameters": data.AttributeDict(lr=0.1)}, tmp_path / "w.ckpt"
    )
    assert models.load(f"tiny_cnn={tmp_path / 'w.ckpt'}", classes=10).weights_sha256 == DIGESTS["one"]


def test_weights_in_a_default_dict_are_found(tmp_path):
    content = defaultdict(dict)
    content["state_dict"].update(ONE.state_dict())
    torch.save(content, tmp_path / "w.pt")
    assert models.load(f"tiny_cnn={tmp_path / 'w.pt'}", classes=10).weights_sha256 == DIGESTS["one"]


class Calls:
    """Names a function of a package whose things are read over."""

    def __init__(self, function, *arguments):
        self.made_of = function, arguments

    def __reduce__(self):
        return self.made_of


def test_nothing_of_the_settings_is_run(tmp_path):
    witness = tmp_path / "ran.npy"
    torch.save({"state_dict": ONE.state_dict(), "x": Calls(np.save, str(witness), 1)}, tmp_path / "w.pt")
    assert models.load(f"tiny_cnn={tmp_path / 'w.pt'}", classes=10).weights_sha256 == DIGESTS["one"]
    assert not witness.exists()
    for function in (os.mkdir, exec, getattr):
        torch.save({"state_dict": ONE.state_dict(), "x": Calls(function, str(witness))}, tmp_path / "w.pt")
        with pytest.raises(CheckpointError, match=f"refused: would run code: .*{function.__name__}$"):
            models.load(f"tiny_cnn={tmp_path / 'w.pt'}", classes=10)
    assert not witness.exists()


@pytest.mark.parametrize("name", ["weights.bin", "model.pt", "ema"])
def test_safetensors_are_known_by_their_content(name, tmp_path):
    models.save(tmp_path / name, ONE, {"schema": models.SCHEMA, "normalize": "mnist"})
    loaded = models.load(f"tiny_cnn={tmp_path / name}", classes=10)
    assert (loaded.weights_sha256, loaded.normalize) == (DIGESTS["one"], "mnist")


def test_a_torch_file_is_known_by_its_content_too(tmp_path):
    torch.save(ONE.state_dict(), tmp_path / "w.safetensors")
    assert models.load(f"tiny_cnn={tmp_path / 'w.safetensors'}", classes=10).weights_sha256 == DIGESTS["one"]


def changed(change):
    state = dict(ONE.state_dict())
    name = next(name for name, value in state.items() if value.ndim == 4)
    state[name] = change(state[name])
    return state


KINDS = {
    "int8": (lambda value: (value * 100).to(torch.int8), "expected float32, got int8"),
    "complex": (lambda value: value.to(torch.complex64), "expected float32, got complex64"),
    "int64": (lambda value: value.long(), "expected float32, got int64"),
    "bool": (lambda value: value > 0, "expected float32, got bool"),
    "float8": (lambda value: value.to(torch.float8_e4m3fn), "expected float32, got float8_e4m3fn"),
    "quantised": (
        lambda value: torch.quantize_per_tensor(value, 0.1, 0, torch.qint8),
        "expected a dense tensor, got a quantised one",
    ),
    "sparse": (lambda value: value.to_sparse(), "expected a dense tensor, got a sparse_coo one"),
    "meta": (lambda value: value.to("meta"), "expected a dense tensor, got one without numbers"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_numbers_of_another_kind_are_a_line(kind, robench, tmp_path):
    change, fault = KINDS[kind]
    torch.save({"state_dict": changed(change)}, tmp_path / "w.pt")
    said = robench("evaluate", "-m", f"tiny_cnn={tmp_path / 'w.pt'}", *SWEEP, "-o", tmp_path / "run")
    assert (said.code, len(said.err.splitlines())) == (1, 1)
    assert fault in said.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_floats_of_another_width_are_rounded(dtype, tmp_path):
    torch.save({name: value.to(dtype) for name, value in ONE.state_dict().items()}, tmp_path / "w.pt")
    state = models.load(f"tiny_cnn={tmp_path / 'w.pt'}", classes=10).module.state_dict()
    assert all(torch.equal(state[name], value.to(dtype).to(value.dtype)) for name, value in ONE.state_dict().items())


def test_a_checkpoint_that_holds_itself_is_read(tmp_path):
    content = {"weights": ONE.state_dict()}
    content["state_dict"] = content
    torch.save(content, tmp_path / "w.pt")
    assert models.load(f"tiny_cnn={tmp_path / 'w.pt'}", classes=10).weights_sha256 == DIGESTS["one"]
    del content["weights"]
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match="expected named tensors, got dict"):
        models.load(f"tiny_cnn={tmp_path / 'w.pt'}", classes=10)


def test_a_tensor_that_holds_itself_is_a_line(tmp_path):
    weight = nn.Parameter(torch.ones(3))
    weight.again = weight
    torch.save({"state_dict": {"weight": weight}}, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match=r"w\.pt: not a checkpoint: .* what torch refuses to read"):
        models.load(f"tiny_cnn={tmp_path / 'w.pt'}", classes=10)


@pytest.mark.filterwarnings("ignore")
def test_no_line_says_how_to_switch_safety_off(tmp_path):
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2)), tmp_path / "script.pt")
    torch.save(ONE, tmp_path / "whole.pt")
    (tmp_path / "text.pt").write_text("no checkpoint")
    (tmp_path / "torn.pt").write_bytes((tmp_path / "whole.pt").read_bytes()[:2000])
    (tmp_path / "opcode.pt").write_bytes(b"\x80\x02(i.")
    for path in sorted(tmp_path.glob("*.pt")):
        with pytest.raises(CheckpointError) as caught:
            models.load(f"tiny_cnn={path}", classes=10)
        said = str(caught.value)
        assert path.name in said
        assert "\n" not in said
        assert not any(word in said.lower() for word in ("weights_only", "weights only", "safe_globals", "trust"))


def test_an_average_of_parameters_alone_is_a_set_too(tmp_path):
    """Moving averages are often kept without the statistics of batch norm."""
    nets = [models.load("resnet20", classes=10, random_weights=True, seed=seed).module for seed in (1, 2)]
    path = tmp_path / "best.pt"
    torch.save({"model": nets[0].state_dict(), "ema": dict(nets[1].named_parameters())}, path)
    line = r"got model, and ema without statistics of batch norm; choose one, as in .*best\.pt#model"
    with pytest.raises(CheckpointError, match=line):
        models.load(f"resnet20={path}", classes=10)
    assert models.load(f"resnet20={path}#model", classes=10).weights_sha256 == state_sha256(nets[0])
    with pytest.raises(CheckpointError, match="running_mean"):
        models.load(f"resnet20={path}#ema", classes=10)
    torch.save({"model": nets[0].state_dict(), "start": dict(nets[0].named_parameters())}, path)
    assert models.load(f"resnet20={path}", classes=10).weights_sha256 == state_sha256(nets[0])


def test_a_set_without_a_name_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="expected the name of a set of weights after '#', got none"):
        models.load(f"tiny_cnn={tmp_path / 'best.pt'}#", classes=10)
