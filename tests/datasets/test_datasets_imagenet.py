"""ImageNet's layouts and the boxes of its annotations."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

from robench import datasets
from robench.datasets._annotations import read_annotation
from robench.errors import DatasetError

WIDTH, HEIGHT = 60, 40


def xml(path: Path, *boxes: tuple[int, ...], wnid: str = "n01", size: tuple[int, int] = (WIDTH, HEIGHT)) -> Path:
    """An annotation in the form of ILSVRC."""
    objects = "".join(
        f"<object><name>{wnid}</name><pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>"
        + "<bndbox>"
        + "".join(
            f"<{edge}>{value}</{edge}>" for edge, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
        )
        + "</bndbox></object>\n"
        for box in boxes
    )
    text = f"<annotation><folder>val</folder><filename>{path.stem}</filename><source><database>ILSVRC_2012</database>"
    text += f"</source><size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}<segmented>0</segmented>\n{objects}</annotation>\n")
    return path


BOXES = {"n01/00": (3, 4, 9, 11), "n01/01": (0, 0, 59, 39), "n02/00": (30, 20, 59, 39), "n02/01": (10, 0, 20, 39)}
HALF_OPEN = [[3, 4, 10, 12], [0, 0, 60, 40], [30, 20, 60, 40], [10, 0, 21, 40]]


@pytest.fixture
def root(class_folder) -> Path:
    """Two classes of two images, val/WNID/NN.png, 60x40 pixels."""
    return class_folder("imagenet/val", ("n01", "n02"), 2, height=HEIGHT, width=WIDTH).parent


@pytest.mark.parametrize("place", ["Annotations/CLS-LOC/val", "Annotations/val", "bbox/val"])
@pytest.mark.parametrize("by_class", [True, False])
def test_boxes_are_read_from_beside_the_images(root, place, by_class):
    if not by_class:  # as ILSVRC has them: names are unique in the whole split
        for path in sorted(root.glob("val/n02/*.png")):
            path.rename(path.with_stem(f"1{path.stem}"))
    for name, box in BOXES.items():
        wnid, stem = name.split("/")
        stem = stem if by_class or wnid == "n01" else f"1{stem}"
        xml(root / place / (f"{wnid}/{stem}.xml" if by_class else f"{stem}.xml"), box)
    assert datasets.load(f"imagenet:{root}", view="native").boxes.tolist() == HALF_OPEN
    half = datasets.load(f"imagenet:{root}", view="side20")
    assert half.boxes.tolist() == [[0, 0, 0, 0], [0, 0, 20, 20], [10, 10, 20, 20], [0, 0, 6, 20]]


def official(root: Path) -> Path:
    """The same images as ILSVRC2012 is packed: val has no class folders."""
    data = root.parent / "official" / "ILSVRC"
    images = data / "Data" / "CLS-LOC" / "val"
    images.mkdir(parents=True)
    for name, box in BOXES.items():
        wnid, stem = name.split("/")
        shutil.copy(root / "val" / f"{name}.png", images / f"{stem}_{wnid}.png")
        xml(data / "Annotations" / "CLS-LOC" / "val" / f"{stem}_{wnid}.xml", box, wnid=wnid)
    return data.parent


@pytest.mark.parametrize("inner", ["", "ILSVRC", "ILSVRC/Data/CLS-LOC"])
def test_the_official_layout_gives_the_same_data_set(root, inner):
    for name, box in BOXES.items():
        xml(root / "bbox" / "val" / f"{name}.xml", box)
    sorted_in = datasets.load(f"imagenet:{root}", view="side20")
    found = datasets.load(f"imagenet:{official(root) / inner}", view="side20")
    assert found.classes == sorted_in.classes == ("n01", "n02")
    assert found.stems == ("00_n01", "01_n01", "00_n02", "01_n02")
    assert found.digest == sorted_in.digest


def test_a_list_with_class_folders_fits_the_official_val(root):
    assert datasets.load(f"imagenet:{official(root)}", view="side20", ids=["n02/00_n02.png"]).ids.tolist() == [2]


def test_an_image_of_the_official_val_needs_an_annotation_for_its_class(root):
    folder = official(root)
    (folder / "ILSVRC/Annotations/CLS-LOC/val/00_n02.xml").unlink()
    with pytest.raises(DatasetError, match=r"00_n02\.png: expected its class in .*00_n02\.xml, got none"):
        datasets.load(f"imagenet:{folder}")


def test_without_annotations_there_are_no_boxes(root):
    assert datasets.load(f"imagenet:{root}").boxes is None


def test_one_image_without_a_box_leaves_all_without_and_is_named(root):
    for name, box in list(BOXES.items())[:3]:
        xml(root / "bbox" / "val" / f"{name}.xml", box)
    with pytest.warns(
        UserWarning, match=r"1 of 4 images have no box in .*bbox/val, the first is 01\.png; no image gets"
    ):
        assert datasets.load(f"imagenet:{root}").boxes is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        some = datasets.load(f"imagenet:{root}", view="native", ids=["n01/00", "n02/00"])
    assert some.boxes.tolist() == [HALF_OPEN[0], HALF_OPEN[2]]
    xml(root / "bbox" / "val" / "n02" / "01.xml")
    with pytest.warns(UserWarning, match="1 of 4 images have no box"):
        assert datasets.load(f"imagenet:{root}").boxes is None


def test_boxes_of_other_images_are_not_read(root):
    for name, box in BOXES.items():
        xml(root / "bbox" / "val" / f"{name}.xml", box)
    (root / "bbox" / "val" / "n02" / "01.xml").write_text("<annotation>")
    assert len(datasets.load(f"imagenet:{root}", limit=2).boxes) == 2
    with pytest.raises(DatasetError, match=r"n02/01\.xml: .*expected an annotation of ILSVRC, "):
        datasets.load(f"imagenet:{root}")


def test_a_box_goes_around_all_objects_and_stays_inside_the_image(tmp_path):
    found = read_annotation(xml(tmp_path / "a.xml", (10, 5, 19, 9), (2, 7, 12, 30), wnid="n09"))
    assert (found.size, found.name, found.box) == ((HEIGHT, WIDTH), "n09", (2, 5, 20, 31))
    assert read_annotation(xml(tmp_path / "a.xml", (-3, 2, 60, 47))).box == (0, 2, WIDTH, HEIGHT)
    assert read_annotation(xml(tmp_path / "a.xml")).box is None


def test_boxes_of_images_that_were_made_smaller_are_scaled(root):
    for name, (x0, y0, x1, y1) in BOXES.items():
        box = (2 * x0, 2 * y0, 2 * x1 + 1, 2 * y1 + 1)
        xml(root / "bbox" / "val" / f"{name}.xml", box, size=(2 * WIDTH, 2 * HEIGHT))
    assert datasets.load(f"imagenet:{root}", view="native").boxes.tolist() == HALF_OPEN


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("<width>60</width>", ""), "no size/width"),
        (("<xmin>3</xmin>", "<xmin>x</xmin>"), "expected a whole number"),
        (("<ymax>11</ymax>", ""), "no bndbox/ymax"),
        (("<xmin>3</xmin>", "<xmin>30</xmin>"), "got boxes [[30, 4, 9, 11]] in 60x40 pixels"),
        (("<height>40</height>", "<height>0</height>"), "in 60x0 pixels"),
        (("</annotation>", ""), "no element found"),
        (("<annotation>", '<!DOCTYPE a [<!ENTITY e SYSTEM "secret">]><annotation>&e;'), "undefined entity"),
    ],
)
def test_a_wrong_annotation_is_one_line(tmp_path, change, words):
    path = xml(tmp_path / "a.xml", BOXES["n01/00"])
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(DatasetError) as caught:
        read_annotation(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "expected an annotation of ILSVRC, got " in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_mixed_resolution_uses_the_boxes(root):
    import corruptions

    for name, box in BOXES.items():
        xml(root / "bbox" / "val" / f"{name}.xml", box)
    found = datasets.load(f"imagenet:{root}", view="native")
    noise = np.random.default_rng(0).integers(0, 256, (4, HEIGHT, WIDTH, 3), dtype=np.uint8)
    seen = corruptions.apply(noise, "mixed_resolution", level=4, boxes=found.boxes)
    x0, y0, x1, y1 = found.boxes[0]
    assert np.array_equal(seen[0, y0:y1, x0:x1], noise[0, y0:y1, x0:x1])
    assert not np.array_equal(seen[0, :, : x0 - 1], noise[0, :, : x0 - 1])
