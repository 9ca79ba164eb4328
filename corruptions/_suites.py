"""Suites: named, versioned lists of corruptions with their strengths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from corruptions._contract import Corruption, get
from corruptions._errors import UnknownName
from corruptions._registry import Registry
from corruptions._strength import Strength


@dataclass(frozen=True)
class Suite:
    """What a sweep runs: for each corruption the keys of its strengths. A changed list gets a new version.

    `views` are those in which the published set shows its images, `image_size` is their height and width; a suite that
    defines neither runs on images of any geometry.
    """

    name: str
    about: str
    keys: Mapping[str, tuple[str, ...]]
    views: tuple[str, ...] = ()
    image_size: int | None = None

    def cells(self) -> Iterator[tuple[Corruption, Strength]]:
        """Every corruption with every strength, in order; an unknown name or a wrong key raises."""
        for name, keys in self.keys.items():
            chosen = get(name)
            for key in keys:
                yield chosen, chosen.parse(key)


registry: Registry[Suite] = Registry("suite", "robench.suites", UnknownName)


def add(name: str, about: str, keys: Mapping[str, tuple[str, ...]], **geometry: Any) -> Suite:
    """Register a suite; the name ends in its version, as in `demo/1`. geometry: `views` and `image_size` of `Suite`."""
    suite = Suite(name, about, keys, **geometry)
    registry.add(name, suite)
    return suite


def suite(name: str) -> Suite:
    """The suite of that name; an unknown one raises with the nearest name."""
    return registry.get(name)


def names() -> tuple[str, ...]:
    """All suites."""
    return registry.names()


SEVERITIES = ("1", "2", "3", "4", "5")
SIGMAS = tuple(f"sigma={sigma}" for sigma in (0.1, 0.2, 0.3, 0.4, 0.5))

add(
    "demo/1",
    "one or two of each group, for a first look",
    {
        "awgn": SIGMAS,
        "salt_and_pepper": tuple(f"p={p}" for p in (0.05, 0.1, 0.2, 0.3, 0.5)),
        "gaussian_blur_13x13": tuple(f"sigma={sigma}" for sigma in (1, 2, 3, 4, 5)),
        "motion_blur_45": tuple(f"length={length}" for length in (3, 5, 7, 9, 13)),
        "low_resolution_nearest": ("factor=2", "factor=4", "factor=8"),
        "contrast": SEVERITIES,
        "jpeg_compression": SEVERITIES,
    },
)
add(
    "fidelity/1",
    "the degradations of Lin 2021: AWGN uniform and spatially varying, and appendix A",
    {
        "awgn": SIGMAS,
        "spatially_varying_noise_1d": ("sigma=0.5:0",),
        "spatially_varying_noise_2d": ("sigma=0:0.5",),
        "gaussian_blur_13x13": tuple(f"sigma={sigma}" for sigma in (1, 2, 3, 4, 5)),
        "motion_blur_45": tuple(f"length={length}" for length in (3, 5, 7, 9, 13)),
        "salt_and_pepper": tuple(f"p={p}" for p in (0.1, 0.2, 0.3, 0.4, 0.5)),
        "crop": tuple(f"ratio={ratio}" for ratio in (0.9, 0.7, 0.5, 0.3, 0.1)),
    },
)
add(
    "pivot/1",
    "the perturbations of Na, Ko, Mukhopadhyay 2018, tables 1 to 3",
    {
        "awgn": ("sigma=0.05", "sigma=0.15"),
        "low_resolution_nearest": ("factor=2", "factor=4"),
        "low_resolution_bicubic": ("factor=2", "factor=4"),
        "mixed_resolution": ("factor=2", "factor=4"),
    },
)

BENCHMARK = (
    *("gaussian_noise", "shot_noise", "impulse_noise", "defocus_blur", "glass_blur", "motion_blur", "zoom_blur"),
    *("snow", "frost", "fog", "brightness", "contrast", "elastic_transform", "pixelate", "jpeg_compression"),
)
EXTRA = ("speckle_noise", "gaussian_blur", "spatter", "saturate")

add(
    "cifar10-c/1",
    "the 15 benchmark corruptions of CIFAR-10-C, 5 severities, in memory",
    dict.fromkeys(BENCHMARK, SEVERITIES),
)
add(
    "cifar10-c-extra/1",
    "the 4 further corruptions of CIFAR-10-C, meant for validation, 5 severities",
    dict.fromkeys(EXTRA, SEVERITIES),
)

# The published generators of ImageNet-C and Tiny-ImageNet-C store each degraded image as JPEG, quality 85, 4:2:0.
AS_FILES = tuple(f"{severity}@jpeg85" for severity in SEVERITIES)

for published, geometry in (
    ("ImageNet-C", {"views": ("resize256-crop224",), "image_size": 224}),
    ("Tiny-ImageNet-C", {"views": ("native", "side64"), "image_size": 64}),
):
    add(
        f"{published.lower()}/1",
        f"the 15 benchmark corruptions of {published}, 5 severities, each image stored as JPEG of quality 85",
        dict.fromkeys(BENCHMARK, AS_FILES),
        **geometry,
    )
    add(
        f"{published.lower()}-extra/1",
        f"the 4 further corruptions of {published}, 5 severities, each image stored as JPEG of quality 85",
        dict.fromkeys(EXTRA, AS_FILES),
        **geometry,
    )

HELD_OUT = (
    *("blue_noise_sample", "brownish_noise", "checkerboard_cutout", "inverse_sparkles", "lines"),
    *("pinch_and_twirl", "ripple", "circular_motion_blur", "sparkles", "transverse_chromatic_abberation"),
)

add(
    "cifar10-c-bar/1",
    "the ten held-out corruptions of CIFAR-10-C-bar, 5 severities",
    dict.fromkeys(HELD_OUT, SEVERITIES),
)
add(
    "low-pass/1",
    "the corruptions of the HKU report on LP-ReLU: all 19 of CIFAR-10-C",
    dict.fromkeys((*BENCHMARK, *EXTRA), SEVERITIES),
)

ZHOU_PARTS = {"random_walk_blur": "size", "disc_blur": "radius", "gaussian_noise_255": "sigma"}
ZHOU_LEVELS = (1, 2, 3, 4)

add(
    "fine-tuning/1",
    "the distortions of Zhou, Song, Cheung 2017: motion and defocus blur, noise, and all three one after the other",
    {name: tuple(f"{level}={value}" for value in ZHOU_LEVELS) for name, level in ZHOU_PARTS.items()}
    | {
        "+".join(ZHOU_PARTS): tuple(
            "+".join(f"{level}={value}" for level in ZHOU_PARTS.values()) for value in ZHOU_LEVELS
        )
    },
)
