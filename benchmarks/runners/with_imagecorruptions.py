"""imagecorruptions' side of the benchmark: one image at a time through `corrupt`, the only way it has.

The published package does not run on current libraries. It is installed with the last ones it runs with
(`peer_setup.py`), and one name is put in its place here: scikit-image's `gaussian` lost the argument `multichannel`,
which `glass_blur` and `gaussian_blur` pass, before it had wheels for Python 3.11.
"""

from __future__ import annotations

from typing import Any

import cv2
import imagecorruptions
import imagecorruptions.corruptions
from protocol import Run, serve
from skimage.filters import gaussian


def _gaussian(image: Any, sigma: float, multichannel: bool = False, **rest: Any) -> Any:
    return gaussian(image, sigma=sigma, channel_axis=-1 if multichannel else None, **rest)


def make(family: str, severity: int, row: Any) -> Run:
    """The family at its row for 224 pixels, which it uses at every size."""

    def run(images: Any) -> None:
        for image in images:
            imagecorruptions.corrupt(image, severity=severity, corruption_name=family)

    return run


if __name__ == "__main__":
    cv2.setNumThreads(1)
    imagecorruptions.corruptions.gaussian = _gaussian
    serve(
        ("imagecorruptions", "numpy", "scipy", "scikit-image", "numba", "opencv-python-headless", "pillow"),
        {name: name for name in imagecorruptions.get_corruption_names("all")},
        make,
    )
