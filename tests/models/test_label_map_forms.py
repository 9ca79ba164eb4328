"""Label maps as Keras and Hugging Face write them, several outputs to a class, and a background output."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from robench import models
from robench.errors import ModelError
from robench.models._label_map import LabelMap
from robench.store import Run

NETS = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, outputs, last=lambda x: x):
        super().__init__()
        torch.manual_seed(0)
        self.linear, self.last = nn.Linear(192, outputs), last
    def forward(self, x):
        return self.last(4 * self.linear(x.flatten(1)))

def six(): return Net(6), {"classes": 6}
def seven(): return Net(7), {"classes": 7}
def six_softmax(): return Net(6, lambda x: x.softmax(1)), {"classes": 6}
def summed(classes): return Net(6, lambda x: x.softmax(1)[:, [[3, 0], [1, 5]]].sum(2).log()), {"classes": 2}
"""
CLASSES = ("cat", "dog", "owl")
WORDS = ("owl", "bee", "dog", "crane", "cat", "crane")
CSV = "class,index\nowl,0\ndog,2\ncat,4\n"
KERAS = {str(n): [f"n0{n}", word] for n, word in enumerate(WORDS)}
ID2LABEL = {str(n): word for n, word in enumerate(WORDS)}
CONFIG = {"architectures": ["Net"], "id2label": ID2LABEL, "label2id": {word: n for n, word in enumerate(WORDS)}}
Robench = Callable[..., Any]


@pytest.fixture
def sweep(robench: Robench, tmp_path: Path) -> Robench:
    """sweep("six", file="map.json", text=…) evaluates functions of NETS on 30 images of three classes."""
    (tmp_path / "nets.py").write_text(NETS)

    def run(
        *names: str, file: str = "", text: object = "", classes: tuple[str, ...] = CLASSES, out: str = "run"
    ) -> Any:
        images = np.random.default_rng(0).integers(0, 256, (30, 8, 8, 3), dtype=np.uint8)
        labels = np.arange(30) % len(classes)
        np.savez(tmp_path / "images.npz", images=images, labels=labels, classes=classes)
        specs = [word for name in names for word in ("-m", f"{tmp_path / 'nets.py'}:{name}")]
        if file:
            (tmp_path / file).write_text(text if isinstance(text, str) else json.dumps(text))
        chosen = ("--label-map", tmp_path / file) if file else ()
        data = ("-d", f"npz:{tmp_path / 'images.npz'}", "-c", "awgn@0.1", "--device", "cpu")
        return robench("evaluate", *specs, *data, *chosen, "-o", tmp_path / out)

    return run


def scores(said: Any, folder: Path) -> pd.DataFrame:
    assert said.code == 0, said.err
    return pd.read_csv(folder / "cells.csv").set_index(["model", "corruption"])[["n_correct", "nll", "brier"]]


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        (KERAS, CLASSES),
        (KERAS, ("n04", "n02", "n00")),
        (ID2LABEL, CLASSES),
        (CONFIG, CLASSES),
        ({"cat": [4], "dog": 2, "owl": [0]}, CLASSES),
    ],
    ids=["keras words", "keras wnids", "id2label", "config", "lists"],
)
def test_a_map_of_names_scores_as_the_csv_does(
    sweep: Robench, tmp_path: Path, text: object, classes: tuple[str, ...]
) -> None:
    own = scores(sweep("six", file="map.json", text=text, classes=classes), tmp_path / "run")
    plain = scores(sweep("six", file="map.csv", text=CSV, out="csv"), tmp_path / "csv")
    np.testing.assert_array_equal(own.to_numpy(), plain.to_numpy())


def test_probabilities_of_several_outputs_are_summed(sweep: Robench, tmp_path: Path) -> None:
    rows = "class,index\ncat,3\ndog,1\ncat,0\ndog,5\n"
    said = sweep("six", "six_softmax", file="map.csv", text=rows, classes=("cat", "dog"))
    found = scores(said, tmp_path / "run")
    plain = scores(sweep("summed", classes=("cat", "dog"), out="plain"), tmp_path / "plain")
    for name in ("six", "six_softmax"):
        np.testing.assert_allclose(found.loc[f"nets:{name}"], plain.loc["nets:summed"], rtol=1e-4)
    mapped = "4 of 6 outputs for 2 classes, and sums the probabilities of a class"
    assert [model["mapped"] for model in Run(tmp_path / "run").manifest()["models"]] == [mapped, mapped]
    assert f"nets:six: a label map chooses {mapped}." in said.out


def test_a_background_output_is_left_out_by_the_indices(sweep: Robench, tmp_path: Path) -> None:
    said = sweep("seven", file="map.json", text=ID2LABEL)
    assert "expected names of the 7 outputs of nets:seven, got 6; if output 0 is the background, add 1" in said.line
    assert not (tmp_path / "run").exists()
    moved = {str(n + 1): word for n, word in enumerate(WORDS)}
    own = scores(sweep("seven", file="map.json", text=moved), tmp_path / "run")
    rows = "class,index\nowl,1\ndog,3\ncat,5\n"
    plain = scores(sweep("seven", file="map.csv", text=rows, out="csv"), tmp_path / "csv")
    np.testing.assert_array_equal(own.to_numpy(), plain.to_numpy())
    also = {"0": "background"} | moved
    assert sweep("seven", file="named.json", text=also, out="named").code == 0


@pytest.mark.parametrize(
    ("text", "classes", "line"),
    [
        (KERAS, ("cat", "crane"), "expected one output called 'crane', got 3 and 5; choose one, or both, as CSV"),
        (ID2LABEL, ("cat", "dogs"), "expected an index for class 'dogs' of the data set, got none; the nearest is"),
        (ID2LABEL | {"6": "fly", "7": "ant"}, CLASSES, "expected names of the 6 outputs of nets:six, got 8; give the"),
        ({"4": "cat", "2": "dog", "9": "owl"}, CLASSES, "expected indices 0..5, the outputs of nets:six, got 9"),
        ({"0": ["cat"], "1": [7]}, CLASSES, "expected an index and the name of its class, got '1' and [7]"),
        ({"0": "1", "1": "0"}, ("0", "1"), "expected indices as numbers"),
        ('{"0": "cat", "0": "dog"}', CLASSES, "index '0' is there twice"),
        ({"cat": [1, 2], "dog": [2]}, ("cat", "dog"), "expected one class for an index, got 2 for 'cat' and 'dog'"),
        ({"id2label": {"cat": "0"}}, CLASSES, "expected an index and the name of its class, got 'cat' and '0'"),
    ],
)
def test_a_wrong_map_is_one_line(
    sweep: Robench, tmp_path: Path, text: object, classes: tuple[str, ...], line: str
) -> None:
    said = sweep("six", file="map.json", text=text, classes=classes)
    assert said.code != 0
    assert line in said.line
    assert not (tmp_path / "run").exists()


def test_logits_of_patches_are_not_summed() -> None:
    whole = models.load("bagnet9_64", classes=3, random_weights=True)
    net = replace(whole, label_map=LabelMap(((0, 1), (2,)), "", Path("map.csv")), outputs=3)
    with pytest.raises(ModelError, match="expected a label map with one output for each class"):
        net.patch_logits(torch.zeros(1, 64, 64, 3, dtype=torch.uint8))
