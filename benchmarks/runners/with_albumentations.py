"""albumentations' side of the benchmark: the nearest transform to each family, one image at a time.

Near is not equal: the parameters follow robench's row where they mean the same, the pixels do not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import albumentations as A
import cv2
from protocol import Run, serve


def _defocus(row: Any) -> Any:
    radius = max(1, round(row[0]))
    return A.Defocus(radius=(radius, radius), alias_blur=(row[1], row[1]), p=1)


def _zoom(row: Any) -> Any:
    return A.ZoomBlur(max_factor=(row[0] / 100,) * 2, step_factor=(row[1] / 100,) * 2, p=1)


def _motion(row: Any) -> Any:
    return A.MotionBlur(blur_limit=(2 * row[0] + 1,) * 2, angle_range=(0, 45), direction_range=(1, 1), p=1)


def _spatter(row: Any) -> Any:
    mean, std, sigma, threshold, intensity, mud = row
    names = ("mean", "std", "gauss_sigma", "cutout_threshold", "intensity")
    values = (mean, std, sigma, threshold, min(intensity, 1))
    ends = {name: (value, value) for name, value in zip(names, values, strict=True)}
    return A.Spatter(**ends, mode="mud" if mud else "rain", p=1)


def _elastic(row: Any) -> Any:
    return A.ElasticTransform(alpha=max(1, row[0]), sigma=max(1, row[1]), p=1)


def _colour(**changed: tuple[float, float]) -> Any:
    return A.ColorJitter(
        **{"brightness": (1, 1), "contrast": (1, 1), "saturation": (1, 1), "hue": (0, 0)} | changed, p=1
    )


TRANSFORMS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "gaussian_noise": ("GaussNoise", lambda row: A.GaussNoise(std_range=(row, row), p=1)),
    "shot_noise": ("ShotNoise", lambda row: A.ShotNoise(scale_range=(1 / row, 1 / row), p=1)),
    "impulse_noise": (
        "SaltAndPepper",
        lambda row: A.SaltAndPepper(amount=(row, row), salt_vs_pepper=(0.5, 0.5), p=1),
    ),
    "speckle_noise": (
        "MultiplicativeNoise",
        lambda row: A.MultiplicativeNoise((1 - row, 1 + row), per_channel=True, elementwise=True, p=1),
    ),
    "gaussian_blur": ("GaussianBlur", lambda row: A.GaussianBlur(blur_limit=0, sigma_limit=(row, row), p=1)),
    "defocus_blur": ("Defocus", _defocus),
    "glass_blur": ("GlassBlur", lambda row: A.GlassBlur(sigma=row[0], max_delta=row[1], iterations=row[2], p=1)),
    "motion_blur": ("MotionBlur", _motion),
    "zoom_blur": ("ZoomBlur", _zoom),
    "snow": ("RandomSnow", lambda row: A.RandomSnow(snow_point_range=(0.3, 0.3), p=1)),
    "fog": ("RandomFog", lambda row: A.RandomFog(fog_coef_range=(min(row[0] / 3, 1),) * 2, p=1)),
    "spatter": ("Spatter", _spatter),
    "brightness": (
        "RandomBrightnessContrast",
        lambda row: A.RandomBrightnessContrast(brightness_limit=(row, row), contrast_limit=(0, 0), p=1),
    ),
    "contrast": (
        "RandomBrightnessContrast",
        lambda row: A.RandomBrightnessContrast(brightness_limit=(0, 0), contrast_limit=(row - 1, row - 1), p=1),
    ),
    "saturate": ("ColorJitter", lambda row: _colour(saturation=(row[0], row[0]))),
    "elastic_transform": ("ElasticTransform", _elastic),
    "pixelate": ("Downscale", lambda row: A.Downscale(scale_range=(row, row), p=1)),
    "jpeg_compression": ("ImageCompression", lambda row: A.ImageCompression("jpeg", (row, row), p=1)),
}


def make(family: str, severity: int, row: Any) -> Run:
    """The transform nearest to the family."""
    transform = TRANSFORMS[family][1](row)

    def run(images: Any) -> None:
        for image in images:
            transform(image=image)

    return run


if __name__ == "__main__":
    cv2.setNumThreads(1)
    serve(
        ("albumentations", "numpy", "opencv-python-headless"),
        {family: name for family, (name, _) in TRANSFORMS.items()},
        make,
    )
