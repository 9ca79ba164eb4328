"""Na, Ko, Mukhopadhyay 2018 (ICASSP): clean, perturbed, both, and both with the pivot loss.

Their budgets are in iterations of 128 images; an epoch here is a pass over the training images, of which "both" takes
64 a step with their 64 copies. On CIFAR-10 they subtract the mean of every pixel, here that of every channel. On
ImageNet a trained network is tuned on clean, low and mixed resolution, 32 originals a step with 16 copies of each; here
low or mixed is drawn for each image, so it is 16 of each on average.

Equation 1 as printed lets the logits run away: the perturbed ones are drawn after clean ones that the same step moves
on. On MNIST at lr 0.1 their mean over the classes, which softmax does not see and nothing holds, went from -1 to -12 in
350 steps, and the rest grew too; on CIFAR-10 the training was lost in its fourth epoch of pairs. So with the pivot loss
the distance is between logits less that mean, lr is 0.03 on these two, and the gradient's norm is clipped at 1. The
code of their earlier paper (github.com/taesikna/cascade_adv_training, model.py) has half the weight, and does not stop
the gradient on the clean side as their text and these recipes do.

With another rate and a clip, the pivot loss and mixing differ in more than the loss. So there is a control, which the
paper does not have: mixing at the rate and clip of the pivot loss.
"""

from __future__ import annotations

from typing import Any

from robench.training._recipes import Recipe, register

SOURCE = "Na, Ko, Mukhopadhyay 2018 (ICASSP), section 3"
IMAGENET_MEANS = "0.485,0.456,0.406/1,1,1"
CIFAR_MEANS = "0.4914,0.4822,0.4465/1,1,1"
PERTURBATIONS = {
    "noise": ("awgn@0..0.15",),
    "lowres": tuple(f"low_resolution_{how}@{factor}" for how in ("nearest", "bicubic") for factor in (2, 4)),
    "mixed-resolution": ("low_resolution_nearest@4", "mixed_resolution@4"),
}
CLIPPED: dict[str, Any] = {"clip": 1.0}
SLOWER: dict[str, Any] = CLIPPED | {"lr": 0.03}
PIVOT: dict[str, Any] = {"pivot_weight": 1e-4, "pivot_centred": True}
SGD: dict[str, Any] = {"optimizer": "sgd", "lr": 0.1, "weight_decay": 1e-4, "momentum": 0.9, "schedule": "steps"}
ON: dict[str, dict[str, Any]] = {
    "cifar10": SGD
    | {"epochs": 240, "milestones": (48 / 94, 72 / 94), "augment": "crop-flip", "normalize": CIFAR_MEANS},
    "mnist": SGD | {"epochs": 19, "milestones": (4 / 9, 6 / 9, 8 / 9), "normalize": "none"},
}


def _both(name: str, perturbed: str, settings: dict[str, Any], needed: dict[str, Any]) -> None:
    """Beside clean images; that with the pivot loss and what it needs; and that with what it needs alone."""
    pairs = settings | {"data": "both", "perturbations": PERTURBATIONS[perturbed], "perturbed_weight": 0.3}
    register(Recipe(f"{name}-clean-{perturbed}", f"clean and {perturbed} images, no pivot loss", SOURCE, **pairs))
    pairs |= needed
    register(
        Recipe(
            f"{name}-{perturbed}-pivot", f"clean and {perturbed} images with the pivot loss", SOURCE, **pairs, **PIVOT
        )
    )
    about = f"clean and {perturbed} images, no pivot loss, but its rate and clip"
    register(Recipe(f"{name}-clean-{perturbed}-control", about, SOURCE, **pairs))


for _data, _settings in ON.items():
    _whole, _half = (_settings | {"batch_size": m, "epochs": _settings["epochs"] * m // 128} for m in (128, 64))
    register(Recipe(f"pivot-{_data}-clean", "clean images only", SOURCE, data="clean", **_whole))
    for _perturbed in ("noise", "lowres"):
        _only: dict[str, Any] = {"data": "perturbed", "perturbations": PERTURBATIONS[_perturbed]}
        register(Recipe(f"pivot-{_data}-{_perturbed}", f"{_perturbed} images only", SOURCE, **_only, **_whole))
        _both(f"pivot-{_data}", _perturbed, _half, SLOWER)
_IMAGENET = SGD | {"augment": "resized-crop", "crop_area": (0.5, 0.8), "normalize": IMAGENET_MEANS}
_TRAINED: dict[str, Any] = {"batch_size": 128, "epochs": 110, "milestones": (5 / 11, 8 / 11, 10 / 11)}
_TUNED: dict[str, Any] = {"batch_size": 32, "epochs": 10, "lr": 1e-5, "schedule": "constant"}
register(Recipe("pivot-imagenet-clean", "clean images only", SOURCE, data="clean", **_IMAGENET, **_TRAINED))
_both("pivot-imagenet", "mixed-resolution", _IMAGENET | _TUNED, CLIPPED)
