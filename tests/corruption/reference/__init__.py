"""The 19 families of CIFAR-10-C once more, one image at a time, slow and plain, on NumPy, SciPy, OpenCV and Pillow.

Each function takes a uint8 image (H, W, C), a row of the published table, and what the published generator would have
drawn. It returns values on [0, 1] in the published precision, not yet clipped and cut to 8 bits. JPEG has tests of
its own: the library that made the published files is no longer in Pillow.
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
    jpeg_turbo,
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
    "jpeg_turbo",
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
