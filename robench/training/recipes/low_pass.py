"""The report on low-pass activations: flowers, and CIFAR-10 with three activations in place of ReLU.

It resizes whole photographs of flowers to 64 x 64 and takes values in [0, 1]; here the view keeps their shape and cuts
the middle out, and inputs are normalised as the network's card says, as weights that are trained on ImageNet expect.
"""

from __future__ import annotations

from typing import Any

from robench.training._recipes import Recipe, register

SOURCE = "report on low-pass activations, sections 3 and 4"
SGD: dict[str, Any] = {"data": "clean", "optimizer": "sgd", "lr": 1e-3, "schedule": "constant", "epochs": 60}

register(Recipe("low-pass-cifar10", "clean images, for every activation", SOURCE, batch_size=16, **SGD))
register(Recipe("low-pass-flowers", "clean images with SGD", SOURCE, batch_size=64, **SGD))
register(
    Recipe(
        "low-pass-flowers-adam",
        "clean images with Adam, for VGG",
        SOURCE,
        batch_size=64,
        **SGD | {"optimizer": "adam", "lr": 1e-4},
    )
)
