"""ImageNet-C as it is stored: a tree of JPEG files, equal to what a sweep degrades on the fly."""

import numpy as np
import pytest
from PIL import Image
from processes import tree

import corruptions
from corruptions.testing import pictures
from robench import datasets
from robench.cli import main
from robench.errors import ConfigError, RunError
from robench.export import generate, verify
from robench.selection import check_geometry, select
from robench.sweep._config import SweepConfig
from robench.sweep._run import run

CHOSEN = ["gaussian_noise@1,5@jpeg85", "contrast@3@jpeg85", "jpeg_compression@2@jpeg85"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Twelve pictures of 64 x 64 in two classes, as files."""
    root = tmp_path_factory.mktemp("photos")
    for number, pixels in enumerate(pictures(64, count=12)):
        path = root / ("cat", "dog")[number % 2] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(path)
    return root


@pytest.fixture
def made(photos, tmp_path):
    generate(datasets.load(f"folder:{photos}"), select([], CHOSEN), tmp_path / "set", form="imagenet-c")
    return tmp_path / "set"


def test_the_tree_is_that_of_imagenet_c(made):
    names = tree(made)
    files = [name for name in names if name.endswith(".JPEG")]
    assert len(files) == 4 * 12
    assert {name.rpartition("/")[0] for name in files} == {
        f"{place}/{kind}"
        for place in ("gaussian_noise/1", "gaussian_noise/5", "contrast/3", "jpeg_compression/2")
        for kind in ("cat", "dog")
    }
    assert sum(name.endswith(".png") for name in names) == 12
    with Image.open(made / "contrast/3/cat/0.JPEG") as stored:
        assert stored.layer == [(1, 2, 2, 0), (2, 1, 1, 1), (3, 1, 1, 1)]
        assert stored.quantization[0][0] == 5


def test_files_are_what_a_sweep_degrades_on_the_fly(made, photos):
    opened, clean = datasets.open_generated(made), datasets.load(f"folder:{photos}")
    assert len(opened.cells) == 4
    for name, _, key in opened.cells:
        chosen = corruptions.get(name)
        on_the_fly = corruptions.apply_strength(clean.images(0, 12), chosen, chosen.parse(key), ids=clean.ids)
        assert np.array_equal(opened.cell(name, key).images(0, 12), on_the_fly), (name, key)
        in_memory = corruptions.apply(clean.images(0, 12), name, int(key[0]), ids=clean.ids)
        assert not np.array_equal(on_the_fly, in_memory)


@pytest.mark.parametrize("form", ["npy", "folder", "imagenet-c"])
def test_predictions_of_files_and_on_the_fly_are_the_same(form, photos, tmp_path):
    model = ("resnet20",)
    options = {"random_weights": True, "view": "side32"}
    run(SweepConfig(model, f"folder:{photos}", tmp_path / "fly", corruptions=tuple(CHOSEN), **options))
    generate(datasets.load(f"folder:{photos}", view="side32"), select([], CHOSEN), tmp_path / "set", form=form)
    run(SweepConfig(model, f"generated:{tmp_path / 'set'}", tmp_path / "files", random_weights=True))
    tables = [(tmp_path / name / "cells.csv").read_text().splitlines() for name in ("fly", "files")]
    assert sorted(tables[0]) == sorted(tables[1])
    assert tree(tmp_path / "fly" / "predictions") == tree(tmp_path / "files" / "predictions")


def test_verify_finds_a_file_that_was_stored_again(made):
    assert verify(made) == []
    path = made / "contrast/3/cat/0.JPEG"
    with Image.open(path) as stored:
        stored.copy().save(path, quality=50)
    assert f"{path}: its pixels are not those of contrast.parquet" in verify(made)


def test_workers_and_a_second_call_change_no_byte(made, photos, tmp_path):
    data = datasets.load(f"folder:{photos}")
    generate(data, select([], CHOSEN[:1]), tmp_path / "again", form="imagenet-c", workers=2)
    generate(data, select([], CHOSEN), tmp_path / "again", form="imagenet-c")
    assert tree(tmp_path / "again") == tree(made)


@pytest.mark.parametrize("chosen", ["contrast@3", "jpeg_turbo@50@jpeg85"])
def test_strengths_that_have_no_folder_there_are_refused(chosen, photos, tmp_path):
    with pytest.raises(
        ConfigError, match=r"^\w+: the format imagenet-c holds severities stored as JPEG, such as 3@jpeg"
    ):
        generate(datasets.load(f"folder:{photos}"), select([], [chosen]), tmp_path / "set", form="imagenet-c")
    assert not (tmp_path / "set").exists()


def test_a_downloaded_tree_of_jpeg_files_has_the_strengths_of_the_suite(made, photos):
    (made / "manifest.json").unlink()
    opened = datasets.open_generated(made, clean=datasets.load(f"folder:{photos}"))
    assert ("contrast", None, "3@jpeg85") in opened.cells
    with Image.open(made / "contrast/3/cat/0.JPEG") as stored:
        assert np.array_equal(opened.cell("contrast", "3@jpeg85").images(0, 1)[0], np.asarray(stored))


def test_a_suite_of_another_view_or_size_is_refused(tmp_path, capsys):
    with pytest.raises(
        ConfigError, match=r"^suite imagenet-c/1 is defined on images of view resize256-crop224, got side6"
    ):
        check_geometry(["imagenet-c/1"], "photos", "side64", (64, 64, 3))
    with pytest.raises(ConfigError, match="is defined on images of 64 x 64 pixels, got 32 x 32 of digits"):
        check_geometry(["tiny-imagenet-c/1"], "digits", "native", (32, 32, 1))
    check_geometry(["tiny-imagenet-c/1", "cifar10-c/1"], "photos", "native", (64, 64, 3))
    for command in (["generate", "-o"], ["evaluate", "-m", "resnet20", "--random-weights", "-o"]):
        words = [*command, str(tmp_path / "out"), "-d", "digits", "-s", "imagenet-c/1"]
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2
        assert "suite imagenet-c/1 is defined on images of view resize256-crop224" in capsys.readouterr().err
        assert not (tmp_path / "out").exists()


def test_two_qualities_of_one_severity_are_refused(photos, tmp_path):
    cells = select([], ["fog@1@jpeg85", "fog@1@jpeg50"])
    with pytest.raises(ConfigError, match=r"one folder for each severity, got 1@jpeg85, 1@jpeg50"):
        generate(datasets.load(f"folder:{photos}"), cells, tmp_path / "set", form="imagenet-c")
    assert not (tmp_path / "set").exists()


def test_a_run_holds_a_corruption_in_memory_or_in_one_stored_form(photos, tmp_path):
    options = {"random_weights": True, "view": "side32"}
    run(SweepConfig(("resnet20",), f"folder:{photos}", tmp_path / "run", corruptions=("fog@3",), **options))
    before = tree(tmp_path / "run")
    with pytest.raises(RunError, match=r"^fog: expected images in memory or of one stored form, got strengths 3"):
        run(SweepConfig(("resnet20",), f"folder:{photos}", tmp_path / "run", corruptions=("fog@3@jpeg85",), **options))
    assert tree(tmp_path / "run") == before
