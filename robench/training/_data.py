"""Batches of one epoch: order, perturbation and augmentation are functions of (seed, epoch) and of nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import corruptions
from corruptions import Corruption, Strength
from robench.datasets import Dataset
from robench.training._augment import DRAWS, Images, Ints, crops, enlarged, mirrored, moved_boxes, shifted
from robench.training._recipes import CROP, Recipe, parsed

ORDER, OFFSETS, MIRRORS, CHOICE, PATCHES, CROPS = range(6)  # an epoch's draws, each from its own range of the counter


@dataclass(frozen=True)
class Batches:
    """The batches of one epoch as (uint8 (n, H, W, C), int64 (n,)); n doubles where the recipe trains on both.

    epoch: from 0; None for validation, which is in order, not augmented, and perturbed with draws of its own.
    A last training batch of one image is left out: batch norm cannot learn from it.
    """

    dataset: Dataset
    recipe: Recipe
    seed: int
    epoch: int | None = None

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        count = len(self.dataset)
        order = np.arange(count) if self.epoch is None else np.argsort(self._draw(ORDER, count), kind="stable")
        for start in self._starts:
            positions = order[start : start + self.recipe.batch_size].astype(np.int64)
            variants = self._variants(positions)
            labels = np.tile(self.dataset.labels[positions], len(variants))
            yield torch.from_numpy(np.concatenate(variants)), torch.from_numpy(labels)

    @property
    def _starts(self) -> range:
        count, size = len(self.dataset), self.recipe.batch_size
        leaves_one = self.epoch is not None and count > size > 1 and count % size == 1
        return range(0, count - leaves_one, size)

    def _variants(self, positions: Ints) -> list[Images]:
        clean, boxes = self._cropped(positions)
        variants = [] if self.recipe.data == "perturbed" else [clean]
        if self.recipe.data != "clean":
            variants.append(self._perturbed(clean, boxes, positions))
        return [self._cut(self._augmented(images, positions), positions) for images in variants]

    def _cut(self, images: Images, positions: Ints) -> Images:
        """Each image's patch at its own place of the grid; in validation the one in the middle."""
        patch = self.recipe.patch
        height, width = images.shape[1:3]
        if patch is None or max(height, width) <= patch:
            return images
        drawn = self._draw(PATCHES, 2 * len(self.dataset)).reshape(-1, 2)[positions]
        tops, lefts = (self._corners(side, patch, drawn[:, axis]) for axis, side in enumerate((height, width)))
        return np.stack([one[y : y + patch, x : x + patch] for one, y, x in zip(images, tops, lefts, strict=True)])

    def _corners(self, side: int, patch: int, drawn: NDArray[np.uint64]) -> Ints:
        """Where patches begin along a side: on a grid of half patches."""
        last = max(side - patch, 0)
        if self.epoch is None:
            return np.full(len(drawn), last // 2)
        grid = np.arange(0, last + 1, max(patch // 2, 1), dtype=np.int64)
        return grid[(drawn % np.uint64(len(grid))).astype(np.int64)]

    def _perturbed(self, images: Images, boxes: Ints | None, positions: Ints) -> Images:
        """Each image by the one of the perturbations that it drew."""
        kinds = self.recipe.perturbations
        drawn = self._draw(CHOICE, len(self.dataset))[positions] % np.uint64(len(kinds))
        out = images.copy()
        for number, kind in enumerate(kinds):
            places = np.flatnonzero(drawn == number)
            what = parsed(kind)
            if what is not None and len(places):
                its_boxes = None if boxes is None else boxes[places]
                out[places] = self._by(what, images[places], its_boxes, positions[places])
        return out

    def _by(self, what: tuple[Corruption, Strength], images: Images, boxes: Ints | None, positions: Ints) -> Images:
        return corruptions.apply_strength(
            images,
            *what,
            seed=self.seed,
            ids=self.dataset.ids[positions],
            boxes=boxes,
            stream="val" if self.epoch is None else f"train/{self.epoch}",
        )

    def _cropped(self, positions: Ints) -> tuple[Images, Ints | None]:
        """Images and their boxes, with what is augmented before the perturbation, which is not enlarged with them."""
        images = self.dataset.read(positions)
        boxes = None if self.dataset.boxes is None else self.dataset.boxes[positions]
        if self.recipe.augment != CROP or self.epoch is None:
            return images, boxes
        _, height, width, _ = images.shape
        cuts = crops(self._draw_each(CROPS, positions, DRAWS), (height, width), self.recipe.crop_area)
        mirrors = self._mirrors(positions)
        return (
            mirrored(enlarged(images, cuts), mirrors),
            None if boxes is None else moved_boxes(boxes, cuts, mirrors, (height, width)),
        )

    def _augmented(self, images: Images, positions: Ints) -> Images:
        """With what is augmented after the perturbation, which the border does not get."""
        if self.recipe.augment in ("none", CROP) or self.epoch is None:
            return images
        margin = max(1, min(self.dataset.shape[:2]) // 8)
        count = len(self.dataset)
        offsets = self._draw(OFFSETS, 2 * count).reshape(count, 2)[positions] % np.uint64(2 * margin + 1)
        moved = shifted(images, offsets.astype(np.int64), margin)
        return moved if self.recipe.augment == "shift" else mirrored(moved, self._mirrors(positions))

    def _mirrors(self, positions: Ints) -> NDArray[np.bool_]:
        drawn: NDArray[np.bool_] = self._draw(MIRRORS, len(self.dataset))[positions] % np.uint64(2) == 1
        return drawn

    def _draw(self, what: int, count: int, first: int = 0) -> NDArray[np.uint64]:
        """first: where in the range of the counter to begin; each of its steps gives four numbers."""
        key = np.array([self.seed, self.epoch or 0], dtype=np.uint64)
        return np.random.Philox(key=key, counter=[first, 0, 0, what]).random_raw(count)

    def _draw_each(self, what: int, positions: Ints, count: int) -> NDArray[np.uint64]:
        """So many numbers for each image, (n, count), without drawing those of the others."""
        steps = -(-count // 4)
        return np.stack([self._draw(what, count, steps * position) for position in positions.tolist()])
