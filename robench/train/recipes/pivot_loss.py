"""Na, Ko, Mukhopadhyay 2018 (ICASSP): clean, perturbed, both, and both with the pivot loss.

Their budgets are in iterations of 128 images; an epoch here is a pass over the training images, of which "both" takes
64 a step with their 64 copies. They subtract the mean of every pixel, which here is the mean of every channel. With the
pivot loss the gradient's norm is clipped at 1, which they do not say: as printed, the loss lets the logits run away
from a start with He's weights and lr 0.1.
"""

from __future__ import annotations

from typing import Any

from robench.train._recipes import Recipe, register

SOURCE = "Na, Ko, Mukhopadhyay 2018 (ICASSP), section 3"
CIFAR_MEANS = "0.4914,0.4822,0.4465/1,1,1"
PERTURBATIONS = {
    "noise": ("awgn@0..0.15",),
    "lowres": tuple(f"low_resolution_{how}@{factor}" for how in ("nearest", "bicubic") for factor in (2, 4)),
    "mixed": ("low_resolution_nearest@4", "mixed_resolution@4"),
}
SGD: dict[str, Any] = {"optimizer": "sgd", "lr": 0.1, "weight_decay": 1e-4, "momentum": 0.9, "schedule": "steps"}
ON: dict[str, dict[str, Any]] = {
    "cifar10": SGD
    | {"epochs": 240, "milestones": (48 / 94, 72 / 94), "augment": "crop-flip", "normalize": CIFAR_MEANS},
    "mnist": SGD | {"epochs": 19, "milestones": (4 / 9, 6 / 9, 8 / 9), "normalize": "none"},
}


def _recipes(name: str, perturbed: str, settings: dict[str, Any]) -> None:
    """The three recipes that perturb: perturbed alone, beside clean images, and with the pivot loss."""
    shared = settings | {"perturbations": PERTURBATIONS[perturbed]}
    register(Recipe(f"{name}-{perturbed}", f"{perturbed} images only", SOURCE, data="perturbed", **shared))
    pairs = shared | {"data": "both", "batch_size": 64, "epochs": settings["epochs"] // 2, "perturbed_weight": 0.3}
    register(Recipe(f"{name}-clean-{perturbed}", f"clean and {perturbed} images, no pivot loss", SOURCE, **pairs))
    pivot = pairs | {"pivot_weight": 1e-4, "clip": 1.0}
    register(Recipe(f"{name}-{perturbed}-pivot", f"clean and {perturbed} images with the pivot loss", SOURCE, **pivot))


for _data, _settings in ON.items():
    _whole = _settings | {"batch_size": 128}
    register(Recipe(f"pivot-{_data}-clean", "clean images only", SOURCE, data="clean", **_whole))
    for _perturbed in ("noise", "lowres"):
        _recipes(f"pivot-{_data}", _perturbed, _whole)
