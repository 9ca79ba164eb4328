"""The 19 families of CIFAR-10-C once more, one image at a time, slow and plain, on NumPy, SciPy, OpenCV and Pillow.

Each function takes a uint8 image (H, W, C), a row of the published table, and what the published generator would have
drawn. It returns levels on the 0-255 scale, exact and not yet clipped or rounded, or uint8 where the steps are 8-bit.
"""

from reference.noise_blur import (
    defocus_blur,
    gaussian_blur,
    gaussian_noise,
    glass_blur,
    impulse_noise,
    motion_blur,
    published_disc,
    shot_noise,
    speckle_noise,
    zoom_blur,
)
from reference.shared import to_bytes
from reference.tables import TABLES
from reference.weather_digital import (
    brightness,
    contrast,
    elastic_transform,
    fog,
    frost,
    jpeg_compression,
    pixelate,
    plasma,
    saturate,
    snow,
    spatter,
    three_points,
)

__all__ = [
    "TABLES",
    "brightness",
    "contrast",
    "defocus_blur",
    "elastic_transform",
    "fog",
    "frost",
    "gaussian_blur",
    "gaussian_noise",
    "glass_blur",
    "impulse_noise",
    "jpeg_compression",
    "motion_blur",
    "pixelate",
    "plasma",
    "published_disc",
    "saturate",
    "shot_noise",
    "snow",
    "spatter",
    "speckle_noise",
    "three_points",
    "to_bytes",
    "zoom_blur",
]
