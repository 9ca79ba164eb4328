"""Odd and broken image files: converted as documented, or named in an error; and which files count."""

from __future__ import annotations

import struct
import threading
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from robench import datasets
from robench.datasets._files import class_tree, decode, scan
from robench.errors import DatasetError


def test_gray_and_colour_come_as_they_are(tmp_path, write):
    colour = write(tmp_path / "c.png", 1)
    gray = write(tmp_path / "g.png", 2, channels=1)
    assert np.array_equal(decode(str(tmp_path / "c.png")), colour)
    assert np.array_equal(decode(str(tmp_path / "g.png"), 1), gray)
    assert np.array_equal(decode(str(tmp_path / "g.png"), 3), np.repeat(gray, 3, axis=2))


def test_sixteen_bit_gray_is_scaled_and_rounded_not_clipped(tmp_path):
    deep = np.array([[0, 128, 129, 257, 386, 32768, 65406, 65535]], np.uint16)
    Image.fromarray(deep).save(tmp_path / "d.png")
    assert decode(str(tmp_path / "d.png"), 1)[0, :, 0].tolist() == [0, 0, 1, 1, 2, 128, 254, 255]
    assert scan([str(tmp_path / "d.png")])[1] is True


def test_alpha_is_dropped(tmp_path, picture):
    colour = picture(5)
    see_through = np.dstack([colour, np.zeros(colour.shape[:2], np.uint8)])
    Image.fromarray(see_through).save(tmp_path / "rgba.png")
    Image.fromarray(see_through[:, :, 2:]).save(tmp_path / "la.png")
    assert np.array_equal(decode(str(tmp_path / "rgba.png")), colour)
    assert np.array_equal(decode(str(tmp_path / "la.png"), 1), colour[:, :, 2:])


@pytest.mark.parametrize("transparency", [None, 1, bytes([0, 128, 255])])
def test_palettes_become_their_colours(tmp_path, transparency):
    picture = Image.fromarray(np.array([[0, 1, 2]], np.uint8))
    picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    form = {} if transparency is None else {"transparency": transparency}
    picture.save(tmp_path / "p.png", **form)
    seen = decode(str(tmp_path / "p.png"))
    assert seen.tolist() == [[[255, 0, 0], [0, 255, 0], [0, 0, 255]]]


def test_one_bit_becomes_black_and_white(tmp_path):
    Image.fromarray(np.array([[True, False]])).save(tmp_path / "b.png")
    assert decode(str(tmp_path / "b.png"), 1).tolist() == [[[255], [0]]]


def test_cmyk_becomes_rgb(tmp_path, picture):
    Image.fromarray(picture(6)).convert("CMYK").save(tmp_path / "k.jpg", quality=95)
    seen = decode(str(tmp_path / "k.jpg"))
    assert np.abs(seen.astype(int) - picture(6)).max() < 12


def test_exif_orientation_is_not_applied(tmp_path, picture):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture(7, 4, 9)).save(tmp_path / "turned.jpg", exif=exif)
    assert decode(str(tmp_path / "turned.jpg")).shape == (4, 9, 3)


def test_float_pixels_have_no_range(tmp_path):
    Image.fromarray(np.ones((2, 2), np.float32)).save(tmp_path / "f.tif")
    with pytest.raises(DatasetError, match=r"f\.tif: cannot be decoded: pixels of mode F have no agreed range"):
        decode(str(tmp_path / "f.tif"))


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_truncated_file_is_named(tmp_path, write, suffix):
    path = tmp_path / f"cut.{suffix}"
    write(path, 1, 64, 64)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(DatasetError, match=rf"cut\.{suffix}: cannot be decoded: "):
        decode(str(path))


def test_broken_files_are_named_when_they_are_read(tmp_path, class_folder):
    folder = class_folder()
    (folder / "dog" / "01.png").write_bytes(b"text")
    with pytest.raises(DatasetError, match=r"01\.png: cannot be decoded: not an image of a known format"):
        datasets.load(f"folder:{folder}")
    with pytest.raises(DatasetError, match=r"gone\.png: no such file"):
        decode(str(tmp_path / "gone.png"))


def _claims_to_be(side: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [10_000, 20_000])
@pytest.mark.parametrize("reading", [decode, lambda path: scan([path])])
def test_a_file_of_absurd_size_is_an_error_and_no_warning(tmp_path, side, reading):
    path = tmp_path / "bomb.png"
    path.write_bytes(_claims_to_be(side))
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with pytest.raises(DatasetError, match=r"bomb\.png: cannot be decoded: Image size"):
            reading(str(path))


def test_threads_leave_the_warning_filters_alone(tmp_path, write):
    write(tmp_path / "x.png")
    before = list(warnings.filters)

    def work() -> None:
        for _ in range(100):
            decode(str(tmp_path / "x.png"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before


def test_what_counts_as_an_image_and_in_which_order(tmp_path, write):
    root = tmp_path / "set"
    for name in ("b/2.PNG", "b/10.png", "a/x.JPG", "a/deep/y.png", "a/.hidden.png", ".git/z.png", "a/.thumbs/t.png"):
        write(root / name)
    (root / "a" / "notes.txt").write_text("no image")
    write(root / "beside.png")
    tree = class_tree(root)
    assert tree.classes == ("a", "b")
    assert [path[len(str(root)) + 1 :] for path in tree.paths] == ["a/deep/y.png", "a/x.JPG", "b/10.png", "b/2.PNG"]
    assert tree.labels.tolist() == [0, 0, 1, 1]
    assert tree.stems == ("deep_y", "x", "10", "2")
    assert class_tree(root, nested=False).stems == ("x", "10", "2")


def test_stems_of_a_class_never_meet(tmp_path, write):
    for name in ("a/x.png", "a/X.jpg", "b/x.png"):
        write(tmp_path / "set" / name)
    stems = class_tree(tmp_path / "set").stems
    assert len({stem.casefold() for stem in stems[:2]}) == 2
    assert stems[2].endswith("x")


def test_a_folder_without_classes_says_what_is_expected(tmp_path, write):
    write(tmp_path / "flat" / "x.png")
    with pytest.raises(DatasetError, match=r"flat: expected a sub-folder per class with images \(\.bmp, "):
        datasets.load(f"folder:{tmp_path / 'flat'}")


def test_reading_checks_the_shape_that_the_headers_promised(tmp_path, class_folder, write):
    folder = class_folder()
    found = datasets.load(f"folder:{folder}")
    write(folder / "cat" / "01.png", height=9)
    with pytest.raises(DatasetError, match=r"01\.png: expected height, width, channels \(8, 8, 3\), got \(9, 8, 3\)"):
        found.images(0, 3)


def test_a_colour_file_among_gray_ones_is_named(tmp_path, class_folder, write):
    folder = class_folder(channels=1)
    found = datasets.load(f"folder:{folder}")
    write(folder / "cat" / "01.png")
    with pytest.raises(DatasetError, match=r"01\.png: expected a gray image as all others are"):
        found.images(0, 3)
