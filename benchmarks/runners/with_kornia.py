"""kornia's side of the benchmark: the nearest augmentation, on batches that are float tensors already.

Near is not equal: the parameters follow robench's row where they mean the same, the pixels do not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import kornia.augmentation as K
import torch
from protocol import Run, serve


def _blur(row: Any) -> Any:
    return K.RandomGaussianBlur(2 * int(4 * row + 0.5) + 1, (row, row), border_type="replicate", p=1)


def _elastic(row: Any) -> Any:
    return K.RandomElasticTransform(sigma=(max(1.0, row[1]),) * 2, alpha=(0.1, 0.1), p=1)


AUGMENTATIONS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "gaussian_noise": ("RandomGaussianNoise", lambda row: K.RandomGaussianNoise(std=row, p=1)),
    "impulse_noise": (
        "RandomSaltAndPepperNoise",
        lambda row: K.RandomSaltAndPepperNoise(amount=(row, row), salt_vs_pepper=(0.5, 0.5), p=1),
    ),
    "gaussian_blur": ("RandomGaussianBlur", _blur),
    "motion_blur": ("RandomMotionBlur", lambda row: K.RandomMotionBlur(2 * row[0] + 1, 45.0, 1.0, p=1)),
    "snow": ("RandomSnow", lambda row: K.RandomSnow(p=1)),
    "brightness": ("RandomBrightness", lambda row: K.RandomBrightness((1 + row, 1 + row), p=1)),
    "contrast": ("RandomContrast", lambda row: K.RandomContrast((row, row), p=1)),
    "saturate": ("RandomSaturation", lambda row: K.RandomSaturation((row[0], row[0]), p=1)),
    "elastic_transform": ("RandomElasticTransform", _elastic),
    "jpeg_compression": ("RandomJPEG", lambda row: K.RandomJPEG((float(row), float(row)), p=1)),
}


def convert(images: Any) -> torch.Tensor:
    """Float (N, C, H, W) in [0, 1]."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().float() / 255


def make(family: str, severity: int, row: Any) -> Run:
    """The augmentation nearest to the family."""
    return AUGMENTATIONS[family][1](row)  # type: ignore[no-any-return]


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    serve(
        ("kornia", "torch"),
        {family: name for family, (name, _) in AUGMENTATIONS.items()},
        make,
        batch=64,
        convert=convert,
    )
