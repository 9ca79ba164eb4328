"""A port of ImageNet-C: makes degraded images and says what it can do. The module's name is in the variable PORT.

    {"job": "make", "images": FILE.npy, "family": …, "severity": 3, "seed": 0, "out": FILE.npy}
    {"job": "probe", "family": …, "shape": [32, 32, 3]}

`make` sets NumPy's global seed to seed + i before image i, as a user of the port would. With "shared", scikit-image's
`random_noise`, which has a generator of its own, gets that seed too, and so does an argument `seed` of the port. So
ports that draw in the same order have the same draws.
"""

from __future__ import annotations

import importlib
import inspect
import os
from importlib.metadata import distributions
from typing import Any

import numpy as np
import skimage.util
from protocol import serve

PORT = os.environ["PORT"]
PACKAGES = {"numpy", "scipy", "scikit-image", "opencv-python-headless", "pillow", "numba", "setuptools", "wand"}
port = importlib.import_module(PORT)
families = importlib.import_module(f"{PORT}.corruptions")
random_noise = skimage.util.random_noise
seed_argument = {"seed", "rng"} & set(inspect.signature(random_noise).parameters)


def gaussian(image: Any, sigma: float = 1, multichannel: bool = False, **rest: Any) -> Any:
    """scikit-image's filter with the argument that it lost."""
    return skimage.filters.gaussian(image, sigma=sigma, channel_axis=-1 if multichannel else None, **rest)


def share_draws(seed: int | None) -> None:
    """`random_noise` with this seed, or as it was."""

    def seeded(image: Any, mode: str, given: Any = None, **rest: Any) -> Any:
        return random_noise(image, mode, **{min(seed_argument): seed}, **rest)

    skimage.util.random_noise = random_noise if seed is None else seeded
    if hasattr(families, "random_noise"):
        families.random_noise = skimage.util.random_noise


def make(asked: dict[str, Any]) -> dict[str, Any]:
    """Write the degraded images, cut to 8 bits where the port returns other numbers."""
    made, kinds = [], set()
    own_seed = "seed" in inspect.signature(getattr(families, asked["family"])).parameters
    for number, image in enumerate(np.load(asked["images"])):
        seed = asked["seed"] + number
        np.random.seed(seed)
        share_draws(seed if asked.get("shared") else None)
        extra = {"seed": seed} if own_seed and asked.get("shared") else {}
        out = port.corrupt(image, severity=asked["severity"], corruption_name=asked["family"], **extra)
        kinds.add(str(out.dtype))
        made.append(out.astype(np.uint8))
    np.save(asked["out"], np.stack(made))
    return {"dtypes": sorted(kinds)}


def probe(asked: dict[str, Any]) -> dict[str, Any]:
    """The shape that comes back for one of these."""
    np.random.seed(0)
    image = np.random.default_rng(0).integers(0, 256, asked["shape"]).astype(np.uint8)
    return {"shape": list(port.corrupt(image, severity=3, corruption_name=asked["family"]).shape)}


JOBS = {"make": make, "probe": probe}

if __name__ == "__main__":
    if os.environ.get("STAND_IN"):
        families.gaussian = gaussian
    wanted = {PORT.replace("_", "-"), *PACKAGES, "imagecorruptions-imaug"}
    names = sorted({found.metadata["Name"].lower().replace("_", "-") for found in distributions()} & wanted)
    serve(
        tuple(names),
        {name: name for name in port.corruption_dict},
        lambda *_: lambda _: None,
        special=lambda asked: JOBS[asked["job"]](asked),
    )
