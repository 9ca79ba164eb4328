"""The 19 families of CIFAR-10-C once more, one image at a time, slow and plain, on NumPy, SciPy, OpenCV and Pillow.

Each function takes a uint8 image (H, W, C), a row of the published table, and what the published generator would have
drawn. It returns levels on the 0-255 scale, exact and not yet clipped or rounded, or uint8 where the steps are 8-bit.
"""

import io
import math
from fractions import Fraction

import cv2
import numpy as np
from PIL import Image
from scipy import ndimage, stats
from skimage import color, filters

CIFAR_SNOW = [
    (0.1, 0.2, 1, 0.6, 8, 3, 0.95),
    (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
    (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
    (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
    (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
]
CIFAR_ZOOM = [(1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)]

# Severities 1-5 of make_cifar_c.py, make_tinyimagenet_c.py and make_imagenet_c.py, as published.
TABLES = {
    "gaussian_noise": {
        32: [0.04, 0.06, 0.08, 0.09, 0.10],
        64: [0.04, 0.08, 0.12, 0.15, 0.18],
        224: [0.08, 0.12, 0.18, 0.26, 0.38],
    },
    "shot_noise": {32: [500, 250, 100, 75, 50], 64: [250, 100, 50, 30, 15], 224: [60, 25, 12, 5, 3]},
    "impulse_noise": {
        32: [0.01, 0.02, 0.03, 0.05, 0.07],
        64: [0.01, 0.02, 0.05, 0.08, 0.14],
        224: [0.03, 0.06, 0.09, 0.17, 0.27],
    },
    "speckle_noise": {
        32: [0.06, 0.10, 0.12, 0.16, 0.20],
        64: [0.15, 0.20, 0.25, 0.30, 0.35],
        224: [0.15, 0.20, 0.35, 0.45, 0.60],
    },
    "gaussian_blur": {32: [0.4, 0.6, 0.7, 0.8, 1], 64: [0.5, 0.75, 1, 1.25, 1.5], 224: [1, 2, 3, 4, 6]},
    "glass_blur": {
        32: [(0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)],
        64: [(0.1, 1, 1), (0.5, 1, 1), (0.6, 1, 2), (0.7, 2, 1), (0.9, 2, 2)],
        224: [(0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)],
    },
    "defocus_blur": {
        32: [(0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)],
        64: [(0.5, 0.6), (1, 0.1), (1.5, 0.1), (2.5, 0.01), (3, 0.1)],
        224: [(3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)],
    },
    "motion_blur": {
        32: [(6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)],
        64: [(10, 1), (10, 1.5), (10, 2), (10, 2.5), (12, 3)],
        224: [(10, 3), (15, 5), (15, 8), (15, 12), (20, 15)],
    },
    "zoom_blur": {
        32: CIFAR_ZOOM,
        64: CIFAR_ZOOM,
        224: [(1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)],
    },
    "snow": {
        32: CIFAR_SNOW,
        64: [(*row[:6], share) for row, share in zip(CIFAR_SNOW, [0.8, 0.8, 0.7, 0.65, 0.6], strict=True)],
        224: [
            (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
            (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
            (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
            (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
            (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
        ],
    },
    "frost": {
        32: [(1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)],
        64: [(1, 0.3), (0.9, 0.4), (0.8, 0.45), (0.75, 0.5), (0.7, 0.55)],
        224: [(1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)],
    },
    "fog": {
        32: [(0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)],
        64: [(0.4, 3), (0.7, 3), (1, 2.5), (1.5, 2), (2, 1.75)],
        224: [(1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)],
    },
    "brightness": {
        32: [0.05, 0.1, 0.15, 0.2, 0.3],
        64: [0.1, 0.2, 0.3, 0.4, 0.5],
        224: [0.1, 0.2, 0.3, 0.4, 0.5],
    },
    "contrast": {
        32: [0.75, 0.5, 0.4, 0.3, 0.15],
        64: [0.4, 0.3, 0.2, 0.1, 0.05],
        224: [0.4, 0.3, 0.2, 0.1, 0.05],
    },
    "elastic_transform": {
        32: [(0, 0, 2.56), (1.6, 6.4, 2.24), (2.56, 1.92, 1.92), (3.2, 1.28, 1.6), (3.2, 0.96, 0.96)],
        64: [(0, 0, 5.12), (3.2, 19.2, 3.84), (6.4, 5.12, 3.84), (6.4, 1.92, 1.92), (10.24, 1.92, 1.28)],
        224: [
            (488, 170.8, 24.4),
            (488, 19.52, 48.8),
            (12.2, 2.44, 4.88),
            (17.08, 2.44, 4.88),
            (29.28, 2.44, 4.88),
        ],
    },
    "pixelate": {
        32: [0.95, 0.9, 0.85, 0.75, 0.65],
        64: [0.9, 0.8, 0.7, 0.6, 0.5],
        224: [0.6, 0.5, 0.4, 0.3, 0.25],
    },
    "jpeg_compression": {32: [80, 65, 58, 50, 40], 64: [65, 58, 50, 40, 25], 224: [25, 18, 15, 10, 7]},
    "spatter": {
        32: [
            (0.62, 0.1, 0.7, 0.7, 0.5, 0),
            (0.65, 0.1, 0.8, 0.7, 0.5, 0),
            (0.65, 0.3, 1, 0.69, 0.5, 0),
            (0.65, 0.1, 0.7, 0.69, 0.6, 1),
            (0.65, 0.1, 0.5, 0.68, 0.6, 1),
        ],
        64: [
            (0.62, 0.1, 0.7, 0.7, 0.6, 0),
            (0.65, 0.1, 0.8, 0.7, 0.6, 0),
            (0.65, 0.3, 1, 0.69, 0.6, 0),
            (0.65, 0.1, 0.7, 0.68, 0.6, 1),
            (0.65, 0.1, 0.5, 0.67, 0.6, 1),
        ],
        224: [
            (0.65, 0.3, 4, 0.69, 0.6, 0),
            (0.65, 0.3, 3, 0.68, 0.6, 0),
            (0.65, 0.3, 2, 0.68, 0.5, 0),
            (0.65, 0.3, 1, 0.65, 1.5, 1),
            (0.67, 0.4, 1, 0.65, 1.5, 1),
        ],
    },
    "saturate": {
        32: [(0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)],
        64: [(0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (30, 0.2)],
        224: [(0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)],
    },
}


def to_bytes(levels):
    """Rounded to nearest and clipped to 0-255."""
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def gaussian_noise(image, row, normals):
    """x + sigma z."""
    return image + 255 * row * normals.astype(np.float64)


def shot_noise(image, row, uniforms):
    """The Poisson quantile of a uniform number, with rate x photons, in units of one photon."""
    counts = np.zeros(image.shape)
    for value in np.unique(image):
        here = image == value
        rate = value / 255 * row
        ladder = stats.poisson.cdf(np.arange(int(rate + 12 * math.sqrt(rate) + 40)), rate)
        counts[here] = np.searchsorted(ladder, uniforms[here])
    return counts / row * 255


def impulse_noise(image, row, uniforms, salt):
    """255 or 0 where the uniform number is below the amount."""
    return np.where(uniforms < row, np.where(salt, 255, 0), image).astype(np.uint8)


def speckle_noise(image, row, normals):
    """x + x sigma z."""
    return image + image * (row * normals.astype(np.float64))


def smoothed(levels, sigma):
    """scikit-image's Gaussian of each channel: edges repeated, cut off at 4 sigma."""
    return filters.gaussian(levels.astype(np.float64), sigma, mode="nearest", truncate=4, channel_axis=-1)


def gaussian_blur(image, row):
    """A Gaussian of each channel."""
    return smoothed(image, row)


def glass_blur(image, row, passes):
    """Smoothed, scattered by copies in scan order, smoothed. `passes` are arrays (H, W, 2) of offsets (dx, dy)."""
    sigma, reach, times = row
    assert len(passes) == times
    height, width = image.shape[:2]
    pixels = [[tuple(pixel) for pixel in line] for line in to_bytes(smoothed(image, sigma)).tolist()]
    for offsets in passes:
        moves = offsets.tolist()
        for h in range(height - reach, reach, -1):
            for w in range(width - reach, reach, -1):
                dx, dy = moves[h][w]
                pixels[h][w] = pixels[h + dy][w + dx]
    return smoothed(np.array(pixels, np.uint8).reshape(image.shape), sigma)


def published_disc(radius, alias, pad=0):
    """The kernel as published, on `pad` more pixels at each side so that smoothing does not meet the array's edge."""
    reach = (8 if radius <= 8 else int(radius)) + pad
    axis = np.arange(-reach, reach + 1)
    disc = (axis[:, None] ** 2 + axis[None] ** 2 <= radius**2).astype(np.float64)
    disc /= disc.sum()
    size = 5 if radius > 8 else 3
    return cv2.GaussianBlur(disc, (size, size), alias, borderType=cv2.BORDER_REFLECT_101)


def defocus_blur(image, row):
    """Each channel filtered by the smoothed disc, mirrored about the edge pixels."""
    kernel = published_disc(*row, pad=4)
    assert abs(kernel.sum() - 1) < 1e-12
    planes = [
        cv2.filter2D(
            np.ascontiguousarray(image[..., channel], np.float64), -1, kernel, borderType=cv2.BORDER_REFLECT_101
        )
        for channel in range(image.shape[2])
    ]
    return np.stack(planes, axis=-1)


def streak(levels, radius, sigma, degrees):
    """ImageMagick's motion blur: a one-sided Gaussian along a line of whole pixels, edges repeated."""
    height, width = levels.shape[:2]
    taps = np.exp(-(np.arange(2 * math.ceil(radius) + 1) ** 2) / (2.0 * sigma**2))
    taps /= taps.sum()
    theta = math.radians(degrees)
    rows, columns = np.indices((height, width))
    total = np.zeros(levels.shape)
    for i, tap in enumerate(taps):
        x = np.clip(columns + math.ceil(i * math.cos(theta) - 0.5), 0, width - 1)
        y = np.clip(rows + math.ceil(i * math.sin(theta) - 0.5), 0, height - 1)
        total += tap * levels[y, x]
    return total


def motion_blur(image, row, degrees):
    """The image streaked."""
    return streak(image, *row, degrees)


def zoomed(levels, factor):
    """scipy's zoom, corners aligned, of the middle part, then trimmed to the middle. `factor` is a Fraction."""
    side = levels.shape[0]
    part = math.ceil(side / factor)
    top = (side - part) // 2
    large = round(part * factor)
    crop = levels[top : top + part, top : top + part].astype(np.float64)
    result = ndimage.zoom(crop, (large / part, large / part, 1), order=1, mode="nearest")
    assert result.shape[0] == large
    trim = (large - side) // 2
    return result[trim : trim + side, trim : trim + side]


def zoom_blur(image, row):
    """The mean of the image and its zooms, the factors as numpy's arange gives them, taken for hundredths."""
    factors = [Fraction(round(100 * factor), 100) for factor in np.arange(1, *row)]
    total = image.astype(np.float64)
    for factor in factors:
        total = total + zoomed(image, factor)
    return total / (len(factors) + 1)


def snow(image, row, normals, degrees):
    """Flakes of the normals (H, W), enlarged, cut off below a threshold and streaked, over a whitened picture."""
    mean, sigma, zoom, threshold, radius, spread, share = row
    flakes = zoomed((mean + sigma * normals.astype(np.float64))[..., None], Fraction(zoom))
    flakes[flakes < threshold] = 0
    layer = to_bytes(streak(to_bytes(255 * flakes), radius, spread, degrees)).astype(np.float64)
    picture = image / 255
    gray = picture @ [0.299, 0.587, 0.114] if image.shape[2] == 3 else picture[..., 0]
    whitened = np.maximum(picture, (1.5 * gray + 0.5)[..., None])
    return 255 * (share * picture + (1 - share) * whitened) + layer + layer[::-1, ::-1]


def frost(image, row, texture, scale, top, left):
    """The picture plus a part of the texture, which is resized bilinearly."""
    small = texture if scale == 1 else cv2.resize(texture, (0, 0), fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    height, width = image.shape[:2]
    ice = small[top : top + height, left : left + width].astype(np.float64)
    assert ice.shape == image.shape
    return row[0] * image + row[1] * ice


def plasma(size, decay, uniforms):
    """Diamond-square on a torus: `uniforms` (size, size) on [-1, 1) stand where they are added. From 0 to 1."""
    heights = np.zeros((size, size))
    step, wibble = size, 100.0
    while step >= 2:
        half = step // 2
        corners = heights[::step, ::step]
        around = corners + np.roll(corners, -1, 0) + np.roll(corners, -1, 1) + np.roll(corners, (-1, -1), (0, 1))
        heights[half::step, half::step] = around / 4 + wibble * wibble * uniforms[half::step, half::step]
        centres = heights[half::step, half::step]
        above_below = centres + np.roll(centres, 1, 0)
        left_right = corners + np.roll(corners, -1, 1)
        heights[::step, half::step] = (above_below + left_right) / 4 + wibble * wibble * uniforms[::step, half::step]
        left_right = centres + np.roll(centres, 1, 1)
        above_below = corners + np.roll(corners, -1, 0)
        heights[half::step, ::step] = (above_below + left_right) / 4 + wibble * wibble * uniforms[half::step, ::step]
        step, wibble = half, wibble / decay
    heights -= heights.min()
    return heights / heights.max()


def fog(image, row, uniforms):
    """The picture under a cloud map, darkened again by its largest value."""
    amount, decay = row
    clouds = plasma(len(uniforms), decay, uniforms.astype(np.float64))[: image.shape[0], : image.shape[1], None]
    largest = image.max() / 255
    return 255 * (image / 255 + amount * clouds) * largest / (largest + amount)


def brightness(image, row):
    """V of HSV plus a shift."""
    hsv = color.rgb2hsv(image)
    hsv[..., 2] = np.clip(hsv[..., 2] + row, 0, 1)
    return 255 * color.hsv2rgb(hsv)


def saturate(image, row):
    """S of HSV times a factor plus an offset."""
    hsv = color.rgb2hsv(image)
    hsv[..., 1] = np.clip(hsv[..., 1] * row[0] + row[1], 0, 1)
    return 255 * color.hsv2rgb(hsv)


def contrast(image, row):
    """About the mean of each channel."""
    mean = image.mean(axis=(0, 1))
    return (image - mean) * row + mean


def three_points(side, moves):
    """The three points (x, y) of the affine part, and where they go."""
    centre, arm = side // 2, side // 3
    points = np.array([(centre + arm, centre + arm), (centre + arm, centre - arm), (centre - arm, centre - arm)])
    return points.astype(np.float64), points + moves


def elastic_transform(image, row, moves, right, down):
    """An affine motion, then a smoothed field. `moves` (3, 2) of the points; `right`, `down` (H, W) on [-1, 1).

    The affine part in exact arithmetic, where OpenCV's may sample at 32nds of a pixel.
    """
    factor, sigma, most = row
    assert np.abs(moves).max() <= most
    side = image.shape[0]
    points, targets = three_points(side, moves)
    back = np.linalg.solve(np.column_stack([targets, np.ones(3)]), points)
    y, x = np.indices((side, side)).astype(np.float64)
    from_x, from_y = (np.stack([x, y, np.ones_like(x)], axis=-1) @ back).transpose(2, 0, 1)
    levels = image.astype(np.float64)
    moved = sampled(levels, from_y, from_x, "mirror")
    if sigma == 0:
        return moved
    dx, dy = (
        factor * filters.gaussian(field.astype(np.float64), sigma, mode="reflect", truncate=3)
        for field in (right, down)
    )
    return sampled(moved, y + dy, x + dx, "reflect")


def sampled(levels, y, x, mode):
    """Each channel between its pixels, linearly."""
    planes = [
        ndimage.map_coordinates(levels[..., channel], [y, x], order=1, mode=mode) for channel in range(levels.shape[2])
    ]
    return np.stack(planes, axis=-1)


def pixelate(image, row):
    """Pillow's BOX down and up."""
    height, width = image.shape[:2]
    small = Image.fromarray(image).resize((int(width * row), int(height * row)), Image.Resampling.BOX)
    return np.asarray(small.resize((width, height), Image.Resampling.BOX))


def jpeg_compression(image, row):
    """Pillow's JPEG, its defaults but for the quality."""
    stored = io.BytesIO()
    Image.fromarray(image).save(stored, "JPEG", quality=row)
    return np.asarray(Image.open(stored))


def spatter(image, row, normals):
    """Drops of water or mud where smoothed normals (H, W) pass a threshold."""
    mean, sigma, smoothing, threshold, amount, mode = row
    layer = (mean + sigma * normals.astype(np.float64))[..., None]
    layer = smoothed(layer, smoothing)[..., 0]
    layer[layer < threshold] = 0
    if mode == 1:
        cover = smoothed((layer > threshold)[..., None], amount)
        cover[cover < 0.8] = 0
        return image * (1 - cover) + cover * [63, 42, 20]
    liquid = to_bytes(255 * layer)
    distance = cv2.distanceTransform(255 - cv2.Canny(liquid, 50, 150), cv2.DIST_L2, 5)
    distance = cv2.blur(np.minimum(distance, 20), (3, 3)).astype(np.uint8)
    relief = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], np.float64)
    lit = cv2.blur(cv2.filter2D(cv2.equalizeHist(distance), cv2.CV_8U, relief), (3, 3))
    light = liquid.astype(np.float64) * lit
    if light.max() > 0:
        light /= light.max()
    return image + amount * light[..., None] * [175, 238, 238]
