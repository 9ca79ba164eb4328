"""Pictures for frost in place of robench's own, from the command line to the pixels and the manifests."""

import json

import numpy as np
import pytest
from PIL import Image

import corruptions
from robench import datasets
from robench.errors import ConfigError, DatasetError, RunError, SetError
from robench.export import generate, verify
from robench.selection import select
from robench.sweep import SweepConfig, run


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, value in enumerate((40, 220)):
        Image.fromarray(np.full((60, 80, 3), value, np.uint8)).save(folder / f"{number}.png")
    (folder / "notes.txt").write_text("not a picture")
    return folder


def request(folder, pictures=None, dataset="digits", **options):
    return SweepConfig(
        ("tiny_cnn=digits-clean",), dataset, folder, corruptions=("frost@1",), frost_dir=pictures, **options
    )


def test_frost_takes_the_pictures(pictures):
    images = np.full((40, 32, 32, 3), 100, np.uint8)
    out = corruptions.apply(images, "frost", 2, textures=datasets.textures(pictures))
    assert sorted(np.unique(out)) == [100 + 12, 100 + 66]


def test_a_set_and_a_run_say_which_pictures(pictures, tmp_path):
    data, cells = datasets.load("digits", limit=20), select([], ["frost@1"])
    textures = datasets.textures(pictures)
    generate(data, cells, tmp_path / "set", textures=textures)
    manifest = json.loads((tmp_path / "set" / "manifest.json").read_text())
    assert manifest["textures"] == datasets.textures_digest(textures)
    assert verify(tmp_path / "set") == []
    with pytest.raises(SetError, match="textures"):
        generate(data, cells, tmp_path / "set")
    fly = run(request(tmp_path / "fly", pictures, limit=20)).cells
    stored = run(request(tmp_path / "stored", dataset=f"generated:{tmp_path / 'set'}")).cells
    assert fly["nll"].equals(stored["nll"])
    own = run(request(tmp_path / "own", limit=20)).cells
    assert not fly["nll"].equals(own["nll"])
    with pytest.raises(RunError, match="textures"):
        run(request(tmp_path / "fly", limit=20))


@pytest.mark.parametrize("place", ["nowhere", "empty"])
def test_a_folder_without_pictures_is_named(place, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=f"{place}: expected .*pictures for frost"):
        run(request(tmp_path / "run", tmp_path / place, limit=20))
    assert not (tmp_path / "run").exists()


def test_a_generated_set_has_its_frost(pictures, tmp_path):
    generate(datasets.load("digits", limit=20), select([], ["frost@1"]), tmp_path / "set")
    with pytest.raises(ConfigError, match="--frost-dir"):
        run(request(tmp_path / "run", pictures, f"generated:{tmp_path / 'set'}"))


def test_what_is_made_of_textures_that_cannot_be_written_is_made_once(monkeypatch):
    from corruptions import _panes

    textures = (np.full((300, 300, 3), 90, np.uint8),)
    images = np.full((2, 32, 32, 3), 40, np.uint8)
    made = []
    scaled = _panes.scaled_texture
    monkeypatch.setattr(_panes, "scaled_texture", lambda *given: made.append(1) or scaled(*given))
    for writeable, calls in ((True, 2), (False, 3)):
        textures[0].setflags(write=writeable)
        first = corruptions.apply(images, "frost", 3, textures=textures)
        assert np.array_equal(corruptions.apply(images, "frost", 3, textures=textures), first)
        assert len(made) == calls
