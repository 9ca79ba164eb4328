"""A sweep from a TOML file, which is also a zoo: equal to the same options, with models of their own settings."""

import json

import pytest

ZOO = """
dataset = "digits"
limit = 20
suite = "pivot/1"
seed = 3
[corruptions]
fog = [1, 3]
[[models]]
label = "mine"
model = "tiny_cnn"
checkpoint = "digits-clean"
citation = "A paper, 2026"
extra_data = "none"
[[models]]
label = "shifted"
model = "tiny_cnn=digits-clean"
normalize = "none"
"""


@pytest.fixture
def zoo(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text(ZOO)
    return path


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def test_a_file_is_the_same_as_its_options(robench, zoo, tmp_path):
    assert robench("evaluate", "--config", zoo, "-o", tmp_path / "file").code == 0
    options = ("-d", "digits", "--limit", "20", "-s", "pivot/1", "-c", "fog@1,3", "--seed", "3")
    assert robench("evaluate", "-m", "mine::tiny_cnn=digits-clean", *options, "-o", tmp_path / "options").code == 0
    cells = [
        [cell for cell in manifest(tmp_path / name)["cells"] if cell["model"] == "mine"] for name in ("file", "options")
    ]
    assert cells[0] == cells[1]
    assert manifest(tmp_path / "file")["configs"] == manifest(tmp_path / "options")["configs"]


def test_models_have_their_own_settings(robench, zoo, tmp_path):
    assert robench("evaluate", "--config", zoo, "-o", tmp_path / "run").code == 0
    mine, shifted = manifest(tmp_path / "run")["models"]
    assert (mine["normalize"], shifted["normalize"]) == ("0.5/0.5", "none")
    assert mine["about"] == {"citation": "A paper, 2026", "extra_data": "none"}
    assert "about" not in shifted


def test_options_take_the_place_of_the_file(robench, zoo, tmp_path):
    assert robench("evaluate", "--config", zoo, "--limit", "10", "--seed", "0", "-o", tmp_path / "run").code == 0
    assert manifest(tmp_path / "run")["dataset"]["n"] == 10
    assert manifest(tmp_path / "run")["configs"][0]["seeds"] == [0]


def test_a_second_call_with_other_options_is_recorded(robench, zoo, tmp_path):
    for more in ((), (), ("-c", "awgn@0.1")):
        assert robench("evaluate", "--config", zoo, *more, "-o", tmp_path / "run").code == 0
    first, second = manifest(tmp_path / "run")["configs"]
    assert (first["corruptions"], second["corruptions"]) == (["fog@1,3"], ["awgn@0.1"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("models = [", "expected a TOML file"),
        ("modells = []", "unknown option 'modells'; did you mean models"),
        ("models = 3", "expected models as a list, got 3"),
        ("models = [{label = 'a'}]", "expected a model as text or as a table with 'model'"),
        ("models = [{model = 'a', lable = 'b'}]", "unknown field of a model 'lable'; did you mean label"),
        ("dataset = 3", "expected dataset as text, got 3"),
        ("suite = 3", "suites: expected names, got 3"),
        ("seed = 1.5", "seeds must be a tuple of whole numbers"),
        ("[corruptions]\nfog = [9]", "severity must be 0"),
        ("", "expected a model (-m), on the command line or in the file of --config, got none"),
    ],
)
def test_a_mistake_in_the_file_is_one_line(robench, tmp_path, text, words):
    path = tmp_path / "sweep.toml"
    path.write_text(text if "model" in text or not text else f"models = ['tiny_cnn=digits-clean']\n{text}")
    data = () if "dataset" in text else ("-d", "digits")
    done = robench("evaluate", "--config", path, *data, "-o", tmp_path / "run")
    assert done.code == 2
    assert words in done.line
    assert not (tmp_path / "run").exists()


def test_a_file_that_is_not_there_is_one_line(robench, tmp_path):
    assert "cannot be read: No such file" in robench("evaluate", "--config", tmp_path / "no.toml").line
