"""Blur: every pixel becomes a mean over its surroundings."""

from __future__ import annotations

import math

from corruptions._core import corruption
from corruptions._kernels import Floats, correlate, gaussian_taps, line_taps, separable
from corruptions._sources import FIDELITY
from corruptions._strength import Level

DIAGONAL = (-math.sqrt(0.5), math.sqrt(0.5))


@corruption(
    "blur",
    level=Level("sigma", "pixels", 0.0, math.inf, (1.0, 2.0, 3.0, 4.0, 5.0), identity=0.0),
    source=f"{FIDELITY}, appendix A.1; kernel size after Pei et al. 2019 and Flusser et al. 2015",
)
def gaussian_blur_13x13(images: Floats, sigma: float) -> Floats:
    """Gaussian blur with a kernel of 13 x 13 pixels, whatever sigma; large sigmas approach a 13 x 13 box.

    sigma is the standard deviation in pixels. The edge pixel is repeated outside the image.
    """
    return separable(images, gaussian_taps(sigma, 6))


@corruption(
    "blur",
    level=Level("length", "pixels along the line", 1.0, 1000.0, (3.0, 5.0, 7.0, 9.0, 13.0), identity=1.0),
    source=f"{FIDELITY}, appendix A.1; 45 degrees after Sun et al. 2015",
)
def motion_blur_45(images: Floats, length: float) -> Floats:
    """Motion blur: the mean along a line of `length` pixels at 45 degrees, rising to the right, centred on the pixel.

    The line is spread on the pixel grid bilinearly. The edge pixel is repeated outside the image.
    """
    return correlate(images, *line_taps(length, DIAGONAL))
