"""Weather and digital."""

import io

import cv2
import numpy as np
from PIL import Image
from scipy import ndimage
from skimage import color, filters

from reference.shared import quanta, smoothed, streak, to_bytes, zoomed


def snow(image, row, normals, degrees):
    """Flakes of the normals (H, W), enlarged, cut off below a threshold and streaked, over a whitened picture."""
    mean, sigma, zoom, threshold, radius, spread, share = row
    flakes = zoomed((mean + sigma * normals.astype(np.float64))[..., None], zoom)
    flakes[flakes < threshold] = 0
    layer = quanta(streak(to_bytes(flakes) / 255, radius, spread, degrees)) / 255
    picture = (image / 255).astype(np.float32)
    gray = picture @ np.array([0.299, 0.587, 0.114], np.float32) if image.shape[2] == 3 else picture[..., 0]
    whitened = np.maximum(picture, (gray * 1.5 + 0.5)[..., None])
    return share * picture + (1 - share) * whitened + layer + layer[::-1, ::-1]


def frost(image, row, texture, scale, top, left):
    """The picture plus a part of the texture, which is resized bilinearly; clipped and cut to whole levels."""
    small = texture if scale == 1 else cv2.resize(texture, (0, 0), fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    height, width = image.shape[:2]
    ice = small[top : top + height, left : left + width].astype(np.float64)
    assert ice.shape == image.shape
    return np.clip(row[0] * image + row[1] * ice, 0, 255) / 255


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
    return (image / 255 + amount * clouds) * largest / (largest + amount)


def spatter(image, row, normals):
    """Drops of water or mud where smoothed normals (H, W) pass a threshold, over a float32 picture."""
    mean, sigma, smoothing, threshold, amount, mode = row
    layer = (mean + sigma * normals.astype(np.float64))[..., None]
    layer = smoothed(layer, smoothing)[..., 0]
    layer[layer < threshold] = 0
    picture = (image / 255).astype(np.float32)
    if mode == 1:
        cover = smoothed((layer > threshold)[..., None].astype(np.float32), amount)
        cover[cover < 0.8] = 0
        return picture * (1 - cover) + cover * (np.array([63, 42, 20]) / 255).astype(np.float32)
    liquid = (np.floor(255 * layer) % 256).astype(np.uint8)
    distance = cv2.distanceTransform(255 - cv2.Canny(liquid, 50, 150), cv2.DIST_L2, 5)
    distance = cv2.blur(np.minimum(distance, 20), (3, 3)).astype(np.uint8)
    relief = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], np.float64)
    lit = cv2.blur(cv2.filter2D(cv2.equalizeHist(distance), cv2.CV_8U, relief), (3, 3))
    light = liquid * lit.astype(np.float32)
    if light.max() > 0:
        light /= light.max()
    return picture + np.float32(amount) * light[..., None] * (np.array([175, 238, 238]) / 255).astype(np.float32)


def brightness(image, row):
    """V of HSV plus a shift."""
    hsv = color.rgb2hsv(image / 255)
    hsv[..., 2] = np.clip(hsv[..., 2] + row, 0, 1)
    return color.hsv2rgb(hsv)


def saturate(image, row):
    """S of HSV times a factor plus an offset."""
    hsv = color.rgb2hsv(image / 255)
    hsv[..., 1] = np.clip(hsv[..., 1] * row[0] + row[1], 0, 1)
    return color.hsv2rgb(hsv)


def contrast(image, row):
    """About the mean of each channel."""
    unit = image / 255
    mean = unit.mean(axis=(0, 1))
    return (unit - mean) * row + mean


def three_points(side, moves):
    """The three points (x, y) of the affine part, and where they go."""
    centre, arm = side // 2, side // 3
    points = np.array([(centre + arm, centre + arm), (centre + arm, centre - arm), (centre - arm, centre - arm)])
    return points.astype(np.float64), points + moves


def elastic_transform(image, row, moves, right, down):
    """An affine motion, then a smoothed field. `moves` (3, 2) of the points; `right`, `down` (H, W) on [-1, 1).

    The affine part in exact arithmetic; OpenCV before 4.12 sampled at 32nds of a pixel.
    """
    factor, sigma, most = row
    assert np.abs(moves).max() <= most
    side = image.shape[0]
    points, targets = three_points(side, moves)
    back = np.linalg.solve(np.column_stack([targets, np.ones(3)]), points)
    y, x = np.indices((side, side)).astype(np.float64)
    from_x, from_y = (np.stack([x, y, np.ones_like(x)], axis=-1) @ back).transpose(2, 0, 1)
    levels = (image / 255).astype(np.float32)
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
    return np.asarray(small.resize((width, height), Image.Resampling.BOX)) / 255


def jpeg_turbo(image, quality):
    """Pillow's JPEG, its defaults but for the quality."""
    stored = io.BytesIO()
    Image.fromarray(image).save(stored, "JPEG", quality=quality)
    return np.asarray(Image.open(stored))
