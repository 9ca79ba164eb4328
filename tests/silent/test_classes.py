"""Which output is whose class, in which order folders of numbers stand, and which files are images."""

import json

import numpy as np
import pytest
from PIL import Image, features

from robench import datasets, models
from robench.datasets._files import decode
from robench.datasets._formats import suffixes
from robench.errors import ConfigError, DatasetError, ModelError
from robench.models import class_facts
from robench.models._class_names import check_classes
from robench.store import Run
from robench.tables import cells as cells_of
from robench.tables import run_notes

PETS = ("cat", "dog", "owl")
NUMBERS = tuple(str(number) for number in range(12))
AS_TEXT = tuple(sorted(NUMBERS))


def pixels(label, number):
    """Gray noise around a level of its class's own."""
    rng = np.random.default_rng(100 * label + number)
    return np.clip(20 * label + 10 + rng.integers(0, 30, (32, 32)), 0, 255).astype(np.uint8)


def folder(path, classes, count=4, suffix="png"):
    """The picture of a class depends on its name's place in the alphabet."""
    for label, name in enumerate(sorted(classes)):
        (path / name).mkdir(parents=True)
        for number in range(count):
            Image.fromarray(pixels(label, number)).save(path / name / f"{number}.{suffix}")
    return path


def array(path, classes, count=4):
    """The images of `folder` in an .npz whose classes stand in the order given."""
    places = [sorted(classes).index(name) for name in classes]
    images = np.stack([pixels(place, number) for place in places for number in range(count)])
    np.savez(path, images=images, labels=np.repeat(np.arange(len(classes)), count), classes=np.array(classes))
    return path


def checkpoint(path, names=None, count=None, order="", seed=1):
    module = models.load("tiny_cnn", classes=count or len(names), random_weights=True, seed=seed).module
    told = {"schema": models.SCHEMA, "normalize": "0.5/0.5"} | (class_facts(names, order) if names else {})
    models.save(path, module, told)
    return f"tiny_cnn={path}"


def clean_accuracy(run):
    cells = cells_of(Run(run))
    return float(cells[cells["corruption"] == "clean"]["top1"].iloc[0])


def predictions(run):
    found = Run(run)
    return found.read(found.cells()[0])


CORRUPT = ("-c", "contrast@3")


def test_training_notes_the_names_and_another_order_is_refused(robench, sweep, tmp_path):
    learned = folder(tmp_path / "pets", PETS, count=30)
    told = tmp_path / "pets.safetensors"
    args = ("-m", "tiny_cnn", "--epochs", 4, "--lr", 0.003, "--device", "cpu", "-o", told)
    assert robench("train", "clean", "-d", f"folder:{learned}", *args).code == 0
    assert json.loads(models.metadata(told)["class_names"]) == list(PETS)

    same = sweep(f"tiny_cnn={told}", out="same", also=("-d", f"folder:{learned}", *CORRUPT))
    assert same.code == 0
    right = clean_accuracy(tmp_path / "same")
    [model] = Run(tmp_path / "same").manifest()["models"]
    assert model["class_names"] == list(PETS)

    moved = array(tmp_path / "moved.npz", ("owl", "cat", "dog"), count=30)
    said = sweep(f"tiny_cnn={told}", out="moved", also=("-d", f"npz:{moved}", *CORRUPT))
    assert said.code != 0
    assert said.line == (
        "robench: tiny_cnn=pets: expected the data set's classes in its order, owl, cat, dog, got weights trained on "
        "cat, dog, owl; name the output of each class with --label-map CSV"
    )
    assert not (tmp_path / "moved").exists()

    (tmp_path / "map.csv").write_text("class,index\ncat,0\ndog,1\nowl,2\n")
    also = ("-d", f"npz:{moved}", "--label-map", tmp_path / "map.csv", *CORRUPT)
    assert sweep(f"tiny_cnn={told}", out="moved", also=also).code == 0
    assert clean_accuracy(tmp_path / "moved") == right > 0.5


def test_other_names_are_refused(sweep, tmp_path):
    spec = checkpoint(tmp_path / "w.safetensors", PETS)
    other = folder(tmp_path / "fruit", ("apple", "pear", "plum"))
    said = sweep(spec, also=("-d", f"folder:{other}", *CORRUPT))
    assert said.code != 0
    assert "expected the data set's classes, apple, pear, plum, got weights trained on cat, dog, owl" in said.line
    assert not (tmp_path / "run").exists()


def test_a_long_list_is_shortened_around_the_first_difference():
    names = tuple(f"n{number:04d}" for number in range(1000))
    moved = (*names[:417], names[418], names[417], *names[419:])
    with pytest.raises(ModelError) as caught:
        check_classes(moved, names, "net")
    assert "n0000, n0001, …, n0417 (class 417), …, n0999" in str(caught.value)
    assert "n0000, n0001, …, n0418 (class 417), …, n0999" in str(caught.value)


CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@pytest.mark.parametrize(
    ("trained", "names"),
    [
        (("Cat", "Polar Bear"), ("cat", "polar_bear")),
        (("polar-bear", "cat"), ("polar bear", "CAT")),
        (("plane", "car", *CIFAR10[2:]), CIFAR10),
        (PETS, ("0", "1", "2")),
        (("0", "1", "2"), PETS),
        (NUMBERS, NUMBERS),
        (("a b", "ab"), ("a b", "ab")),
    ],
)
def test_what_is_no_other_class_passes(trained, names):
    check_classes(trained, names, "net")


@pytest.mark.parametrize(
    ("trained", "names"),
    [
        (AS_TEXT, NUMBERS),
        (NUMBERS, AS_TEXT),
        (("ab", "a b"), ("a b", "ab")),
        (("Dog", "cat"), ("cat", "dog")),
        (("car", "truck"), ("truck", "automobile")),
    ],
)
def test_what_is_another_order_does_not(trained, names):
    with pytest.raises(ModelError, match="in its order"):
        check_classes(trained, names, "net")


def test_checkpoints_without_names_and_arrays_without_names_pass(sweep, tmp_path):
    pets = folder(tmp_path / "pets", PETS)
    unnamed = checkpoint(tmp_path / "old.safetensors", count=3)
    assert sweep(unnamed, out="old", also=("-d", f"folder:{pets}", *CORRUPT)).code == 0
    np.savez(tmp_path / "plain.npz", images=np.zeros((6, 32, 32), np.uint8), labels=np.arange(6) % 3)
    named = checkpoint(tmp_path / "named.safetensors", PETS)
    assert sweep(named, out="plain", also=("-d", f"npz:{tmp_path / 'plain.npz'}", *CORRUPT)).code == 0


def test_names_that_are_no_list_are_a_line(sweep, tmp_path):
    spec = checkpoint(tmp_path / "w.safetensors", PETS)
    module = models.load("tiny_cnn", classes=3, random_weights=True).module
    models.save(tmp_path / "w.safetensors", module, {"schema": models.SCHEMA, "class_names": "cat"})
    said = sweep(spec, also=("-d", f"folder:{folder(tmp_path / 'pets', PETS)}", *CORRUPT))
    assert said.code != 0
    assert "expected class_names as a JSON list of texts, got 'cat'" in said.line


def test_fine_tuning_takes_the_names_of_the_new_data_set(robench, tmp_path):
    spec = checkpoint(tmp_path / "old.safetensors", ("a", "b", "c", "d"))
    new = folder(tmp_path / "pets", PETS, count=10)
    args = ("-m", spec, "--epochs", 1, "--device", "cpu", "-o", tmp_path / "new.safetensors")
    assert robench("train", "clean", "-d", f"folder:{new}", *args).code == 0
    assert json.loads(models.metadata(tmp_path / "new.safetensors")["class_names"]) == list(PETS)


def test_folders_of_numbers_need_an_order(robench, sweep, tmp_path):
    numbers = folder(tmp_path / "numbers", NUMBERS)
    unnamed = checkpoint(tmp_path / "old.safetensors", count=12)
    data = ("-d", f"folder:{numbers}")
    line = (
        "robench: data set numbers: its 12 class folders are numbers, whose order is not known; expected --class-order "
        "text (0, 1, 10, 11, 2, …, as torchvision has it) or number (0, 1, 2, 3, 4, …), got none"
    )
    ends = {
        "evaluate": sweep(unnamed, also=(*data, *CORRUPT)),
        "generate": robench("generate", *data, *CORRUPT, "-o", tmp_path / "set"),
        "train": robench("train", "clean", *data, "-m", "tiny_cnn", "-o", tmp_path / "new.safetensors"),
    }
    assert {name: (said.code != 0, said.line) for name, said in ends.items()} == dict.fromkeys(ends, (True, line))
    assert not [*tmp_path.glob("run*"), *tmp_path.glob("set*"), *tmp_path.glob("new*")]


def test_the_order_decides_what_is_right_and_is_recorded(robench, sweep, tmp_path):
    numbers = folder(tmp_path / "numbers", NUMBERS)
    unnamed = checkpoint(tmp_path / "old.safetensors", count=12)
    for order, classes in (("text", AS_TEXT), ("number", NUMBERS)):
        also = ("-d", f"folder:{numbers}", "--class-order", order, *CORRUPT)
        said = sweep(unnamed, out=order, also=also)
        assert said.code == 0
        manifest = Run(tmp_path / order).manifest()
        assert (manifest["dataset"]["class_order"], tuple(manifest["dataset"]["classes"])) == (order, classes)
        note = f"numbers: class folders are numbers; class order: {order}."
        assert note in run_notes(manifest)
        assert note in said.out + said.err
        assert robench("report", tmp_path / order, "-o", tmp_path / f"{order}-page").code == 0
        assert note in (tmp_path / f"{order}-page" / "index.html").read_text()
    text, number = (predictions(tmp_path / order) for order in ("text", "number"))
    assert np.array_equal(text.ids, number.ids)
    assert np.array_equal(text.pred, number.pred)
    assert [AS_TEXT[label] for label in text.labels] == [NUMBERS[label] for label in number.labels]


@pytest.mark.parametrize(("names", "told"), [(AS_TEXT, ""), (AS_TEXT, "text"), (NUMBERS, "number")])
def test_the_names_of_a_checkpoint_decide(names, told, sweep, tmp_path):
    spec = checkpoint(tmp_path / "w.safetensors", names, order=told)
    data = ("-d", f"folder:{folder(tmp_path / 'numbers', NUMBERS)}", *CORRUPT)
    assert sweep(spec, also=data).code == 0
    assert tuple(Run(tmp_path / "run").manifest()["dataset"]["classes"]) == names
    other = "number" if names == AS_TEXT else "text"
    assert "in its order" in sweep(spec, out="other", also=(*data, "--class-order", other)).line
    beside = checkpoint(tmp_path / "unnamed.safetensors", count=12)
    assert "--class-order" in sweep(spec, beside, out="both", also=data).line


def test_names_that_are_no_more_than_places_do_not_decide(sweep, tmp_path):
    spec = checkpoint(tmp_path / "w.safetensors", NUMBERS)
    data = ("-d", f"folder:{folder(tmp_path / 'numbers', NUMBERS)}", *CORRUPT)
    assert "whose order is not known" in sweep(spec, also=data).line


def test_a_set_and_a_training_keep_their_order(robench, sweep, tmp_path):
    data = ("-d", f"folder:{folder(tmp_path / 'numbers', NUMBERS, count=10)}", "--class-order", "number")
    assert robench("generate", *data, *CORRUPT, "-o", tmp_path / "set").code == 0
    unnamed = checkpoint(tmp_path / "old.safetensors", count=12)
    assert sweep(unnamed, also=("-d", f"generated:{tmp_path / 'set'}")).code == 0
    facts = Run(tmp_path / "run").manifest()["dataset"]
    assert (facts["class_order"], tuple(facts["classes"])) == ("number", NUMBERS)
    said = sweep(unnamed, out="text", also=("-d", f"generated:{tmp_path / 'set'}", "--class-order", "text"))
    assert "has the class order number; leave out --class-order text" in said.line
    new = tmp_path / "new.safetensors"
    assert robench("train", "clean", *data, "-m", "tiny_cnn", "--epochs", 1, "--device", "cpu", "-o", new).code == 0
    assert models.class_names(f"tiny_cnn={new}") == NUMBERS


def test_a_set_of_an_older_robench_is_asked_about(robench, sweep, tmp_path):
    data = ("-d", f"folder:{folder(tmp_path / 'numbers', NUMBERS)}", "--class-order", "text")
    assert robench("generate", *data, *CORRUPT, "-o", tmp_path / "set").code == 0
    path = tmp_path / "set" / "manifest.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != "class_order"}))
    unnamed = checkpoint(tmp_path / "old.safetensors", count=12)
    source = ("-d", f"generated:{tmp_path / 'set'}")
    assert "whose order is not known" in sweep(unnamed, also=source).line
    with pytest.raises(ConfigError, match="whose order is not known"):
        datasets.load(source[1])
    said = sweep(unnamed, also=(*source, "--class-order", "number"))
    assert "was generated with the class order text, got number; generate it again" in said.line
    assert sweep(unnamed, also=(*source, "--class-order", "text")).code == 0
    facts = Run(tmp_path / "run").manifest()["dataset"]
    assert (facts["class_order"], tuple(facts["classes"])) == ("text", AS_TEXT)


def test_a_downloaded_tree_without_clean_images_is_asked_about(tmp_path):
    folder(tmp_path / "C" / "fog" / "1", NUMBERS)
    with pytest.raises(ConfigError, match="whose order is not known"):
        datasets.open_generated(tmp_path / "C")
    found = datasets.open_generated(tmp_path / "C", class_order="number").cell("fog", "1")
    images = found.images(0, len(found))
    for image, label, number in zip(images, found.labels, found.stems, strict=True):
        assert np.array_equal(image[..., 0], pixels(AS_TEXT.index(found.classes[label]), int(number)))


@pytest.mark.parametrize("form", ["class_{}", "{}-cat", "n{}x"])
def test_folders_that_are_numbered_alike_need_an_order_too(sweep, tmp_path, form):
    names = [form.format(number) for number in NUMBERS]
    unnamed = checkpoint(tmp_path / "old.safetensors", count=12)
    data = ("-d", f"folder:{folder(tmp_path / 'numbers', names)}")
    assert "expected --class-order text" in sweep(unnamed, also=(*data, *CORRUPT)).line
    found = datasets.load(data[1], class_order="number")
    assert list(found.classes) == names


def test_where_there_is_one_order_nothing_is_asked(tmp_path):
    padded = datasets.load(f"folder:{folder(tmp_path / 'padded', tuple(f'{one:02d}' for one in range(12)))}")
    ten = f"folder:{folder(tmp_path / 'ten', NUMBERS[:10])}"
    assert (padded.class_order, datasets.load(ten, class_order="number").class_order) == ("", "")
    pets = f"folder:{folder(tmp_path / 'pets', PETS)}"
    assert datasets.load(pets, class_order="text").classes == PETS
    for spec, order, line in (
        (pets, "number", "expected classes of pets called by numbers, got 'cat'"),
        (pets, "numbers", "class order 'numbers'"),
        ("digits", "text", "leave out --class-order text"),
    ):
        with pytest.raises(ConfigError, match=line):
            datasets.load(spec, class_order=order)


def litter(root):
    """Two pictures that Pillow cannot read, one without a suffix, and a class that holds nothing else."""
    (root / "cat" / "photo.HEIC").write_bytes(b"x")
    (root / "cat" / "scan").write_bytes((root / "cat" / "0.png").read_bytes())
    (root / "dog" / "b.heic").write_bytes(b"x")
    (root / "eel").mkdir()
    (root / "eel" / "c.heic").write_bytes(b"x")
    return root


LEFT_OUT = (
    "pets: 4 files were left out, which are no images by their names (3 .heic, 1 without suffix); no image is left of "
    "class eel."
)


def test_images_left_out_are_counted_said_and_recorded(robench, sweep, tmp_path):
    root = litter(folder(tmp_path / "pets", PETS, count=10))
    source = ("-d", f"folder:{root}", *CORRUPT)
    said = sweep(checkpoint(tmp_path / "w.safetensors", count=4), also=source)
    assert said.code == 0
    assert LEFT_OUT in said.out + said.err
    recorded = {"files": {".heic": 3, "": 1}, "empty": ["eel"]}
    assert Run(tmp_path / "run").manifest()["dataset"]["left_out"] == recorded
    assert robench("report", tmp_path / "run", "-o", tmp_path / "page").code == 0
    assert LEFT_OUT in (tmp_path / "page" / "index.html").read_text()
    made = robench("generate", *source, "-o", tmp_path / "set")
    assert LEFT_OUT in made.err
    assert json.loads((tmp_path / "set" / "manifest.json").read_text())["left_out"] == recorded
    assert datasets.load(f"generated:{tmp_path / 'set'}").left_out == recorded
    args = ("-m", "tiny_cnn", "--epochs", 1, "--device", "cpu", "-o", tmp_path / "new.safetensors")
    assert LEFT_OUT.replace("pets: ", "pets@train: ") in robench("train", "clean", "-d", f"folder:{root}", *args).err


def test_a_file_that_comes_later_and_is_no_image_makes_no_other_run(sweep, tmp_path):
    root = folder(tmp_path / "pets", PETS)
    spec = checkpoint(tmp_path / "w.safetensors", count=3)
    assert sweep(spec, also=("-d", f"folder:{root}", *CORRUPT)).code == 0
    (root / "cat" / "notes.txt").write_text("later")
    assert sweep(spec, also=("-d", f"folder:{root}", *CORRUPT)).code == 0


def test_a_folder_of_nothing_that_can_be_read_says_what_is_there(tmp_path):
    (tmp_path / "pets" / "cat").mkdir(parents=True)
    (tmp_path / "pets" / "cat" / "a.heic").write_bytes(b"x")
    with pytest.raises(DatasetError, match=r"got none; 1 file was left out, .* \(1 \.heic\)"):
        datasets.load(f"folder:{tmp_path / 'pets'}")


KINDS = {"jfif": "JPEG", "jpe": "JPEG", "avif": "AVIF", "jp2": "JPEG2000", "tga": "TGA", "pcx": "PCX", "qoi": "QOI"}


@pytest.mark.parametrize("suffix", KINDS)
def test_what_pillow_reads_is_read(suffix, tmp_path):
    codec = {"avif": "avif", "jp2": "jpg_2000"}.get(suffix)
    if codec and codec not in features.get_supported():
        pytest.skip(f"this Pillow has no {codec}")
    root = folder(tmp_path / "pets", PETS)
    Image.fromarray(pixels(0, 9)).convert("RGB").save(root / "dog" / f"9.{suffix}", KINDS[suffix], quality=95)
    data = datasets.load(f"folder:{root}")
    assert (len(data), data.stems[8], data.left_out) == (13, "9", {})
    wanted = np.asarray(Image.open(root / "dog" / f"9.{suffix}").convert("RGB"))
    assert np.array_equal(data.images(8, 9)[0], wanted)
    assert np.abs(wanted[..., 0].astype(int) - pixels(0, 9)).max() <= 25


def test_documents_films_and_icons_are_no_images():
    documents = {".pdf", ".eps", ".ps", ".psd", ".wmf", ".emf", ".icns", ".ico", ".cur"}
    others = {".mpg", ".mpeg", ".fli", ".flc", ".h5", ".hdf", ".grib", ".fits", ".pfm", ".rgb"}
    assert not (documents | others) & {*suffixes()}


@pytest.mark.parametrize("kind", ["EPS", "TGA", "ICO", "PDF"])
def test_a_name_opens_no_other_reader(kind, tmp_path):
    path = tmp_path / "x.png"
    Image.fromarray(pixels(0, 0)).convert("RGB").save(path, kind)
    with pytest.raises(DatasetError, match="not an image of a known format"):
        decode(str(path))


@pytest.mark.parametrize(("suffix", "codec", "name"), [("avif", "avif", "AVIF"), ("jp2", "jpg_2000", "JPEG 2000")])
def test_a_missing_codec_is_named(suffix, codec, name, monkeypatch, tmp_path):
    there = [one for one in features.get_supported() if one != codec]
    monkeypatch.setattr(features, "get_supported", lambda: there)
    root = folder(tmp_path / "pets", PETS)
    (root / "cat" / f"0.{suffix}").write_bytes(b"\0" * 64)
    with pytest.raises(DatasetError, match=rf"0\.{suffix}: cannot be decoded: this Pillow has no codec for {name}"):
        datasets.load(f"folder:{root}")


def test_a_label_map_is_said_where_it_stands(robench, tmp_path):
    (tmp_path / "map.csv").write_text("class,index\n" + "".join(f"{n},{(n + 1) % 10}\n" for n in range(10)))
    model = ("-m", "tiny_cnn=digits-clean", "-d", "digits", "--limit", "40", "--device", "cpu")
    said = robench("evaluate", *model, "-c", "fog@1", "--label-map", tmp_path / "map.csv", "-o", tmp_path / "run")
    note = "tiny_cnn=digits-clean: a label map chooses 10 of 10 outputs."
    assert note in said.out
    robench("report", tmp_path / "run", "-o", tmp_path / "report")
    assert note in (tmp_path / "report" / "report.md").read_text()
