"""NAME[@SPLIT][:PATH]: what it means, and the one line that a mistake is answered with."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import robench.datasets
from robench import datasets
from robench.datasets._spec import label_of, parse
from robench.errors import ConfigError, DatasetError, RobenchError

BUILT_IN = (
    *("digits", "mnist", "cifar10", "cifar100", "cifar100-coarse", "tiny-imagenet", "imagenet", "caltech256"),
    *("flowers17", "folder", "npz", "generated"),
)
every = pytest.mark.parametrize("name", BUILT_IN)
with_path = pytest.mark.parametrize("name", [name for name in BUILT_IN if name != "digits"])


def test_the_built_in_data_sets_are_there_by_being_files_here():
    assert datasets.names() == tuple(sorted(BUILT_IN))


def test_public_names_are_sorted_and_there():
    assert sorted(datasets.__all__) == datasets.__all__
    assert all(hasattr(datasets, name) for name in datasets.__all__)


@every
def test_a_definition_says_what_a_user_must_know(name):
    entry = datasets.get(name)
    assert entry.about
    assert entry.source
    assert "\n" not in entry.about + entry.source
    assert bool(entry.layout) == entry.needs_path
    assert entry.default_split in (None, *entry.splits)
    assert entry.example.startswith(name)


def test_a_spec_is_taken_apart():
    spec = parse("cifar10@val:a:b@c")
    assert (spec.entry.name, spec.split, spec.path) == ("cifar10", "val", Path("a:b@c"))
    assert parse("mnist:~/m").path == Path.home() / "m"
    assert parse("digits").path is None


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        ("cifar", "unknown data set 'cifar'; did you mean cifar10 or cifar100?"),
        ("mnist", "mnist needs a path, e.g. mnist:path/to/mnist (a folder with t10k-images"),
        ("digits:here", "digits takes no path: write 'digits', got 'digits:here'"),
        ("digits@dev", "digits has the splits train, val, test, got 'dev'"),
        ("tiny-imagenet@test:x", "tiny-imagenet has the splits train, val, got 'test'"),
        ("generated@val:x", "generated has no splits to choose from, got 'val'"),
        ("", "must be NAME[@SPLIT][:PATH], e.g. cifar10@val:path/to/cifar10, got ''"),
        ("digits@", "must be NAME[@SPLIT][:PATH]"),
        ("mnist:", "must be NAME[@SPLIT][:PATH]"),
        (":x", "must be NAME[@SPLIT][:PATH]"),
    ],
)
def test_a_wrong_spec_is_a_usage_error_that_shows_the_right_one(spec, line):
    with pytest.raises(ConfigError) as caught:
        datasets.load(spec)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


@with_path
def test_a_path_that_is_not_there_says_what_is_expected_and_where_it_comes_from(name, tmp_path):
    with pytest.raises(DatasetError) as caught:
        datasets.load(f"{name}:{tmp_path / 'nowhere'}")
    line = str(caught.value)
    entry = datasets.get(name)
    assert f"{tmp_path / 'nowhere'} does not exist" in line
    assert "\n" not in line
    assert entry.layout in line
    assert entry.source in line


@with_path
@pytest.mark.parametrize("what", ["empty folder", "text file"])
def test_a_path_to_something_else_is_one_line(name, what, tmp_path):
    path = tmp_path / "odd"
    if what == "empty folder":
        path.mkdir()
    else:
        path.write_text("not a data set")
    with pytest.raises(DatasetError) as caught:
        datasets.load(f"{name}:{path}")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_a_usage_error(limit):
    with pytest.raises(ConfigError, match=f"limit must be a whole number of at least 1, got {limit}"):
        datasets.load("digits", limit=limit)


def test_labels_are_names_and_never_paths(tmp_path):
    for inner in ("photos/test", "photos/validation", "plain"):
        (tmp_path / inner).mkdir(parents=True)
    assert label_of(tmp_path / "photos" / "test") == ("photos", "test")
    assert label_of(tmp_path / "photos" / "validation") == ("photos", "val")
    assert label_of(tmp_path / "plain" / ".." / "plain") == ("plain", None)
    assert label_of(tmp_path / "arrays.v2.npz") == ("arrays.v2", None)


def test_another_package_can_add_a_data_set():
    entry = datasets.DatasetSpec(
        "stripes",
        lambda split: datasets.RawDataset(("a", "b"), np.array([0, 1]), np.zeros((2, 4, 4, 1), np.uint8)),
        needs_path=False,
        splits=("test",),
        default_split="test",
        default_view="native",
        about="two images",
        layout="",
        source="this test",
    )
    with datasets.registry.with_entry("stripes", entry):
        found = datasets.load("stripes")
        assert (found.name, found.split, len(found)) == ("stripes", "test", 2)
        with pytest.raises(RobenchError, match="registered already"):
            datasets.registry.add("stripes", entry)
    with pytest.raises(ConfigError, match="unknown data set 'stripes'"):
        datasets.load("stripes")


def test_importing_is_light():
    heavy = "{'torch', 'torchvision', 'sklearn', 'matplotlib', 'pandas'}"
    program = f"import sys, robench.datasets as d; d.names(); print(sorted({heavy} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_modules_import_only_from_below():
    allowed = sys.stdlib_module_names | {"numpy"}
    below = ("robench.errors", "robench.files", "robench.leftout", "robench.progress", "robench.setformat")
    inner = ("robench.datasets", *below)
    for path in Path(robench.datasets.__file__).parent.glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for name in names:
                own = name == "corruptions" or name.startswith(inner)
                assert own or name.split(".")[0] in allowed, f"{path.name} imports {name}"
