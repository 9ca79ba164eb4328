"""Shifts and crops of training images: functions of seed, epoch and position, the same for an image and its copy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torchvision.transforms import RandomResizedCrop

from robench.datasets import Dataset
from robench.training import Recipe, get
from robench.training._augment import DRAWS, crops, enlarged, mirrored, moved_boxes, shifted
from robench.training._data import CROPS, Batches

RECIPE = Recipe("toy", "", "", data="clean", batch_size=16, augment="resized-crop")
FIXED = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
Array = np.ndarray[Any, Any]


def draws(count: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(0, 2**64, (count, DRAWS), dtype=np.uint64)


def dataset(pixels: Array) -> Dataset:
    """Labels are positions."""
    count = len(pixels)
    return Dataset(
        name="toy",
        split="train",
        view="native",
        classes=tuple(map(str, range(count))),
        shape=pixels.shape[1:],
        ids=np.arange(count),
        labels=np.arange(count),
        read=lambda positions: pixels[positions],
    )


def noise(count: int, height: int, width: int, channels: int = 3) -> Array:
    return np.random.default_rng(1).integers(0, 256, (count, height, width, channels), dtype=np.uint8)


def by_position(batches: Batches, copies: int = 1) -> list[Array]:
    """The images of an epoch in the data set's order, the clean ones apart from their copies."""
    parts: list[list[Any]] = [[] for _ in range(copies)]
    order = []
    for images, labels in batches:
        order += labels.chunk(copies)[0].tolist()
        for part, some in zip(parts, images.chunk(copies), strict=True):
            part.append(some.numpy())
    return [np.concatenate(part)[np.argsort(order)] for part in parts]


@FIXED
@given(
    sides=st.tuples(st.integers(1, 80), st.integers(1, 80)),
    low=st.floats(0.01, 1),
    span=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_crops_lie_inside_and_keep_to_area_and_shape(
    sides: tuple[int, int], low: float, span: float, seed: int
) -> None:
    height, width = sides
    high = low + span * (1 - low)
    top, left, tall, wide = crops(draws(40, seed), sides, (low, high)).T
    assert min(top.min(), left.min()) >= 0
    assert min(tall.min(), wide.min()) >= 1
    assert (top + tall <= height).all()
    assert (left + wide <= width).all()
    in_the_middle = (top == (height - tall) // 2) & (left == (width - wide) // 2)
    most, least = (tall + 0.5) * (wide + 0.5), (tall - 0.5) * (wide - 0.5)
    of_that_area = (most >= low * height * width) & (least <= high * height * width * (1 + 1e-9))
    largest = (tall == height) | (wide == width)
    assert (of_that_area | (in_the_middle & largest)).all()
    assert ((wide + 0.5) / (tall - 0.5) >= 3 / 4).all()
    assert ((wide - 0.5) / (tall + 0.5) <= 4 / 3).all()


def test_crops_are_distributed_as_torchvisions() -> None:
    ours = crops(draws(3000), (300, 400), (0.08, 1.0))
    image = torch.zeros(3, 300, 400)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        theirs = np.array([RandomResizedCrop.get_params(image, [0.08, 1.0], [3 / 4, 4 / 3]) for _ in range(3000)])
    assert ours[:, 2:].min() > 0
    for of in (
        lambda box: box[:, 2] * box[:, 3] / 120_000,
        lambda box: np.log(box[:, 3] / box[:, 2]),
        lambda box: box[:, 0] / 300,
        lambda box: box[:, 1] / 400,
    ):
        spreads = [np.quantile(of(boxes), [0.1, 0.3, 0.5, 0.7, 0.9]) for boxes in (ours, theirs)]
        assert np.abs(spreads[0] - spreads[1]).max() < 0.04


@pytest.mark.parametrize(("sides", "box"), [((50, 50), (0, 0, 50, 50)), ((60, 30), (10, 0, 40, 30))])
def test_where_no_rectangle_fits_it_is_the_largest_in_the_middle(
    sides: tuple[int, int], box: tuple[int, int, int, int]
) -> None:
    outside = draws(5)
    outside[:, 10:20] = 2**64 - 1  # every try is wider than such an image
    assert crops(outside, sides, (1.0, 1.0)).tolist() == 5 * [list(box)]


def test_a_rectangle_is_enlarged_bilinearly() -> None:
    image = noise(1, 64, 48)
    boxes = np.array([[5, 7, 20, 30]])
    part = torch.from_numpy(image[:, 5:25, 7:37]).permute(0, 3, 1, 2).float()
    expected = F.interpolate(part, size=(64, 48), mode="bilinear", align_corners=False).permute(0, 2, 3, 1)
    assert np.abs(enlarged(image, boxes) - expected.numpy()).max() <= 1
    assert np.array_equal(enlarged(image, np.array([[0, 0, 64, 48]])), image)


@FIXED
@given(value=st.integers(0, 255), channels=st.sampled_from([1, 3]), seed=st.integers(0, 99))
def test_a_constant_image_stays_as_it_is(value: int, channels: int, seed: int) -> None:
    images = np.full((4, 17, 23, channels), value, np.uint8)
    out = enlarged(images, crops(draws(4, seed), (17, 23), (0.08, 1.0)))
    assert (out.shape, out.dtype) == (images.shape, np.uint8)
    assert (out == value).all()


def test_an_epoch_is_the_same_whatever_the_batch_and_other_than_the_next() -> None:
    data = dataset(noise(50, 24, 20))
    first, again = (by_position(Batches(data, replace(RECIPE, batch_size=size), 0, 0))[0] for size in (16, 9))
    assert first.shape == (50, 24, 20, 3)
    assert np.array_equal(first, again)
    for seed, epoch in ((0, 1), (1, 0)):
        other = by_position(Batches(data, RECIPE, seed, epoch))[0]
        assert not (other == first).all(axis=(1, 2, 3)).any()
    assert np.array_equal(by_position(Batches(data, RECIPE, 0))[0], data.images(0, 50))


def test_no_two_images_share_a_number() -> None:
    batches = Batches(dataset(noise(9, 4, 4)), RECIPE, 0, 3)
    every = batches._draw_each(CROPS, np.arange(9), DRAWS)
    assert every.shape == (9, DRAWS)
    assert len(np.unique(every)) == every.size
    assert np.array_equal(batches._draw_each(CROPS, np.array([7, 2]), DRAWS), every[[7, 2]])


def test_images_are_cut_each_by_its_own_draw_within_the_area_and_half_are_mirrored() -> None:
    rows, columns = np.mgrid[:100, :100]
    ramp = np.repeat(np.stack([rows, columns], axis=-1)[None].astype(np.uint8), 400, axis=0)
    found = by_position(Batches(dataset(np.concatenate([ramp, ramp[..., :1]], -1)), RECIPE, 0, 0))[0].astype(int)
    tall, wide = found[:, -1, 50, 0] - found[:, 0, 50, 0] + 1, found[:, 50, -1, 1] - found[:, 50, 0, 1]
    assert 160 < (wide < 0).sum() < 240
    area = tall * (abs(wide) + 1) / 10_000
    assert 0.07 < area.min() < 0.12
    assert 0.85 < area.max() <= 1
    assert len({one.tobytes() for one in found}) == 400
    assert len(np.unique(found[:, 0, 50, 0])) > 40
    small = by_position(
        Batches(dataset(np.concatenate([ramp, ramp[..., :1]], -1)), replace(RECIPE, crop_area=(0.1, 0.2)), 0, 0)
    )[0]
    sides = small[:, -1, 50, 0].astype(int) - small[:, 0, 50, 0] + 1
    assert 25 < sides.min() < sides.max() < 55


def test_the_same_rectangle_falls_on_an_image_and_its_copy() -> None:
    data = dataset(noise(20, 16, 16))
    clean, copies = by_position(Batches(data, replace(RECIPE, data="both", perturbations=("clean",)), 0, 0), copies=2)
    assert np.array_equal(clean, copies)
    assert np.array_equal(clean, by_position(Batches(data, RECIPE, 0, 0))[0])


def test_noise_falls_on_the_enlarged_image() -> None:
    data = dataset(np.full((60, 32, 32, 3), 128, np.uint8))
    noisy = by_position(Batches(data, replace(RECIPE, data="perturbed", perturbations=("awgn@0.1",)), 0, 0))[0]
    pixels = noisy.astype(float) - 128
    beside = (pixels[:, :, 1:] * pixels[:, :, :-1]).mean() / pixels.var()
    assert abs(beside) < 0.02
    assert pixels.std() == pytest.approx(25.5, rel=0.02)


def test_boxes_move_with_what_they_mark() -> None:
    boxes = np.array([[10, 20, 30, 40]] * 3 + [[0, 0, 5, 5]])
    cuts = np.array([[20, 10, 20, 20], [30, 20, 50, 25], [30, 20, 50, 25], [50, 50, 10, 10]])
    moved = moved_boxes(boxes, cuts, np.array([False, False, True, False]), (100, 50))
    assert moved.tolist() == [[0, 0, 50, 100], [0, 0, 20, 20], [30, 0, 50, 20], [0, 0, 0, 0]]
    assert np.array_equal(moved_boxes(boxes, np.array([[0, 0, 100, 50]] * 4), np.zeros(4, bool), (100, 50)), boxes)


def test_the_perturbation_sees_the_boxes_of_the_enlarged_image() -> None:
    pixels = np.zeros((200, 32, 32, 1), np.uint8)
    pixels[:, 12:24, 8:20] = 200
    boxes = np.tile([8, 12, 20, 24], (200, 1))
    recipe = replace(RECIPE, data="perturbed", perturbations=("mixed_resolution@8",))
    marked, wrong = (
        by_position(Batches(replace(dataset(pixels), boxes=some), recipe, 0, 0))[0].astype(int)
        for some in (boxes, boxes[:, [1, 0, 3, 2]])
    )
    sharp = by_position(Batches(dataset(pixels), RECIPE, 0, 0))[0].astype(int)
    inside = sharp == 200
    errors = [(found[inside] != 200).mean() for found in (marked, wrong)]
    assert errors[0] < 0.03
    assert errors[1] > 0.1


def test_patches_are_cut_from_the_enlarged_image() -> None:
    recipe = replace(RECIPE, data="both", perturbations=("clean",), patch=8)
    clean, copies = by_position(Batches(dataset(noise(20, 16, 16)), recipe, 0, 0), copies=2)
    assert clean.shape == (20, 8, 8, 3)
    assert np.array_equal(clean, copies)


@pytest.mark.parametrize("name", ["clean", "degraded", "restorer", "estimator-l1", "calibration"])
def test_the_fidelity_paper_cuts_and_enlarges(name: str) -> None:
    recipe = get(f"fidelity-{name}")
    assert (recipe.augment, recipe.crop_area) == ("resized-crop", (0.08, 1.0))


def test_shifted_and_mirrored_by_hand() -> None:
    image = np.arange(1, 5, dtype=np.uint8).reshape(1, 2, 2, 1)
    for (row, column), expected in {(1, 1): [1, 2, 3, 4], (0, 1): [0, 0, 1, 2], (1, 2): [2, 0, 4, 0]}.items():
        moved = shifted(image, np.array([[row, column]]), 1)
        assert moved.ravel().tolist() == expected
        assert np.array_equal(mirrored(moved, np.array([False])), moved)
    assert mirrored(moved, np.array([True])).ravel().tolist() == [0, 2, 0, 4]
