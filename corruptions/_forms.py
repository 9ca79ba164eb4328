"""Images in the forms that users have: arrays of bytes or floats, tensors; and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corruptions._errors import CorruptionError

Images = NDArray[np.uint8]


def is_tensor(images: object) -> bool:
    """Whether it is a tensor of PyTorch, which need not be installed."""
    return type(images).__module__.partition(".")[0] in ("torch", "torchvision") and hasattr(images, "detach")


def pixels_of(images: Any) -> tuple[Images, Callable[[Images], Any]]:
    """The images as uint8 (N, H, W, C) or (H, W, C), and what gives such an array their own form again.

    Floats in [0, 1] are rounded to the nearest of the 256 levels k / 255, halves to even.

    >>> pixels, restore = pixels_of(np.full((2, 2, 1), 0.5, np.float32))
    >>> int(pixels.max()), restore(pixels).dtype
    (128, dtype('float32'))
    """
    if is_tensor(images):
        return tensor_pixels(images.detach()), lambda out: tensor_like(images, out)
    if isinstance(images, np.ndarray) and images.dtype.kind == "f":
        kind: Any = images.dtype.type
        _check_range(bool(np.all((images >= 0) & (images <= 1))), images)
        wide = images.astype(np.promote_types(images.dtype, np.float32))
        return np.rint(wide * 255).astype(np.uint8), lambda out: (
            out / np.promote_types(kind, np.float32).type(255)
        ).astype(kind)
    return images, lambda out: out


def tensor_pixels(image: Any) -> Images:
    """A tensor (C, H, W) or (N, C, H, W), uint8 or floating point in [0, 1], as uint8 with the channels last."""
    import torch

    if image.ndim not in (3, 4) or image.shape[-3] not in (1, 3):
        shape = tuple(image.shape)
        raise CorruptionError(f"a tensor must be (C, H, W) or (N, C, H, W) with C 1 or 3, got shape {shape}")
    if image.is_floating_point():
        _check_range(bool(((image >= 0) & (image <= 1)).all()), image)
        image = (image.to(torch.promote_types(image.dtype, torch.float32)) * 255).round().to(torch.uint8)
    elif image.dtype != torch.uint8:
        raise CorruptionError(f"a tensor must be uint8 or floating point, got {image.dtype}")
    pixels: Images = image.movedim(-3, -1).cpu().numpy()
    return pixels


def tensor_like(image: Any, out: Images) -> Any:
    """Pixels as a tensor of the type, dtype and device of `image`."""
    import torch

    made = torch.from_numpy(out).movedim(-1, -3).contiguous().to(image.device)
    if image.is_floating_point():
        from torchvision.transforms.v2.functional import to_dtype

        made = to_dtype(made, image.dtype, scale=True)
    if type(image) is torch.Tensor:
        return made
    from torchvision import tv_tensors

    return tv_tensors.wrap(made, like=image) if isinstance(image, tv_tensors.Image) else made


def _check_range(fits: bool, images: Any) -> None:
    if not fits:
        ends = f"{float(images.min()):g}..{float(images.max()):g}"
        raise CorruptionError(f"floating-point images must lie in [0, 1], got {ends}; corrupt before normalising")
