"""Images chosen by a list: which are taken, in which order, under which ids, and what is wrong with a list."""

from __future__ import annotations

import json

import numpy as np
import pytest

from robench import datasets
from robench.cli import main
from robench.errors import DatasetError
from robench.store import Run


@pytest.fixture
def listed(tmp_path):
    def write(*lines: str) -> str:
        (tmp_path / "list.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return str(tmp_path / "list.txt")

    return write


@pytest.fixture
def pets(class_folder):
    """Ids 0 to 4 are cat/00.png to cat/04.png, ids 5 to 9 dog/00.png to dog/04.png."""
    return f"folder:{class_folder(count=5)}"


def test_ids_keep_their_numbers_and_the_order_of_the_data_set(listed):
    whole = datasets.load("digits")
    wanted = [int(whole.ids[place]) for place in (7, 2, 100)]
    found = datasets.load("digits", ids=listed("# three digits", "", *map(str, wanted), "  "))
    assert found.ids.tolist() == sorted(wanted)
    assert np.array_equal(found.images(0, 3), whole.read(np.array([2, 7, 100])))
    assert found.labels.tolist() == whole.labels[[2, 7, 100]].tolist()
    assert datasets.load("digits", ids=wanted).ids_sha256 == found.ids_sha256


@pytest.mark.parametrize(
    "names",
    [
        ("dog/04.png", "cat/01.png"),
        ("./dog/04.png", "./cat/01.png"),
        ("cat/01", "dog/04"),
        ("pets/cat/01.png", "pets/dog/04"),
    ],
)
def test_names_are_of_files_with_their_class(pets, listed, names):
    assert datasets.load(pets, ids=listed(*names)).ids.tolist() == [1, 9]
    assert datasets.load(pets, ids=[name.removeprefix("./") for name in names]).ids.tolist() == [1, 9]


def test_a_name_alone_will_do_where_one_image_has_it(class_folder, write, listed):
    root = class_folder(count=2)
    write(root / "dog" / "rex.png", 7)
    assert datasets.load(f"folder:{root}", ids=listed("rex.png")).ids.tolist() == [4]
    assert datasets.load(f"folder:{root}", ids=["rex"]).ids.tolist() == [4]
    with pytest.raises(DatasetError) as caught:
        datasets.load(f"folder:{root}", ids=listed("rex.png", "00.png"))
    assert str(caught.value).endswith("list.txt:2: '00.png' fits 2 images, such as cat/00.png and dog/00.png; name one")


def test_nested_folders_are_part_of_a_name(class_folder, write):
    root = class_folder(count=1)
    write(root / "dog" / "deep" / "rex.png", 7)
    for name in ("dog/deep/rex.png", "deep/rex", "deep_rex"):
        assert datasets.load(f"folder:{root}", ids=[name]).stems == ("deep_rex",)


def test_robustbench_lists_name_imagenet_files(class_folder):
    root = class_folder("imagenet/val", ("n02", "n01"), 3, height=40, width=50).parent
    found = datasets.load(f"imagenet:{root}", view="side32", ids=["n02/01.png", "n01/02.png"])
    assert found.ids.tolist() == [2, 4]
    assert found.stems == ("02", "01")


def test_a_limit_is_spread_over_the_listed_images():
    ids = datasets.load("digits").ids[10:20].tolist()
    assert datasets.load("digits", ids=ids, limit=2).ids.tolist() == [ids[0], ids[5]]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["cat/00.png", "cat/1.png"], "list.txt:2: pets@test has no image 'cat/1.png'; did you mean cat/01.png"),
        (["dog/cat.png"], "list.txt:1: pets@test has no image 'dog/cat.png'; did you mean dog/0"),
        (["0001.png"], "list.txt:1: pets@test has no image '0001.png'; did you mean 01.png"),
        (["???"], "list.txt:1: pets@test has no image '???'; its images are called as in 00.png"),
        (["cat/00.png", "7"], "list.txt:2: pets@test has no image '7'"),
        (["3", "#", "12"], "list.txt:3: pets@test has no id 12; the nearest is 9"),
        (["3", "-1"], "list.txt:2: expected an id, a whole number as in the first entry, got '-1'"),
        (["3", "4", "03"], "list.txt:3: '03' is the image of "),
        (["cat/00", "dog/00", "cat/00.png"], "list.txt:3: 'cat/00.png' is the image of "),
        (["# nothing", ""], "list.txt: expected ids or file names, one a line, got none"),
    ],
)
def test_a_wrong_list_is_one_line(pets, listed, lines, words):
    with pytest.raises(DatasetError) as caught:
        datasets.load(pets, ids=listed(*lines))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_list_that_cannot_be_read_is_named(tmp_path, pets):
    with pytest.raises(DatasetError, match=r"gone\.txt: expected a text file of ids or file names: No such file"):
        datasets.load(pets, ids=tmp_path / "gone.txt")
    with pytest.raises(DatasetError, match=r"expected a text file of ids or file names: Is a directory"):
        datasets.load(pets, ids=tmp_path)
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(DatasetError, match=r"bytes\.txt: expected a text file of ids or file names: "):
        datasets.load(pets, ids=tmp_path / "bytes.txt")
    with pytest.raises(DatasetError, match="ids: expected ids or file names, one a line, got none"):
        datasets.load(pets, ids=[])
    with pytest.raises(DatasetError, match=r"ids\[1\]: digits@test has no id 1797; the nearest is 1794"):
        datasets.load("digits", ids=[int(datasets.load("digits").ids[0]), 1797])


def test_arrays_have_no_names(listed):
    with pytest.raises(DatasetError, match=r"list\.txt:1: digits@test has no file names; expected ids, got 'three'"):
        datasets.load("digits", ids=listed("three"))


def test_the_hint_is_found_among_very_many_names(tmp_path, write, monkeypatch):
    from robench.datasets import _choice

    monkeypatch.setattr(_choice, "MOST_COMPARED", 2)
    for number in range(40):
        write(tmp_path / "many" / "cat" / f"{number:03d}.png")
    with pytest.raises(DatasetError, match=r"did you mean cat/031\.png$"):
        datasets.load(f"folder:{tmp_path / 'many'}", ids=["cat/031x.png"])


def robench(*args):
    with pytest.raises(SystemExit) as ended:
        main([str(arg) for arg in args])
    return ended.value.code


def test_evaluate_and_generate_take_a_list(tmp_path, listed, capsys):
    ids = datasets.load("digits").ids[::50].tolist()
    path = listed(*map(str, ids))
    model = ("-m", "tiny_cnn=digits-clean", "--device", "cpu", "-c", "contrast@1")
    assert robench("evaluate", "-d", "digits", "--ids", path, *model, "-o", tmp_path / "run") == 0
    told = Run(tmp_path / "run").manifest()["dataset"]
    assert (told["n"], told["ids_sha256"]) == (len(ids), datasets.load("digits", ids=ids).ids_sha256)
    assert robench("generate", "-d", "digits", "--ids", path, "-c", "contrast@1", "-o", tmp_path / "set") == 0
    made = json.loads((tmp_path / "set" / "manifest.json").read_text())
    assert (made["n"], made["ids_sha256"]) == (told["n"], told["ids_sha256"])
    assert np.load(tmp_path / "set" / "ids.npy").tolist() == ids
    capsys.readouterr()
    other = listed(*map(str, ids[1:]))
    assert robench("evaluate", "-d", "digits", "--ids", other, *model, "-o", tmp_path / "run") == 1
    assert "holds a run with dataset n 10, asked for 9" in capsys.readouterr().err
    generated = f"generated:{tmp_path / 'set'}"
    assert robench("evaluate", "-d", generated, "--ids", other, *model, "-o", tmp_path / "other") == 2
    assert "a set that robench generate wrote has its images; got a limit or ids" in capsys.readouterr().err
    assert robench("evaluate", "-d", "digits", "--ids", listed("1", "x"), *model, "-o", tmp_path / "other") == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "other").exists()
