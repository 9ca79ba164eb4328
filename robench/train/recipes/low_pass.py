"""The report on low-pass activations: flowers, and CIFAR-10 with three activations in place of ReLU."""

from __future__ import annotations

from typing import Any

from robench.train._recipes import Recipe, register

SOURCE = "report on low-pass activations, sections 3 and 4"
SGD: dict[str, Any] = {"data": "clean", "optimizer": "sgd", "lr": 1e-3, "schedule": "constant", "epochs": 60}

register(Recipe("low-pass-cifar10", "clean images, for every activation", SOURCE, batch_size=16, **SGD))
register(Recipe("low-pass-flowers", "clean images with SGD", SOURCE, batch_size=64, augment="crop-flip", **SGD))
register(
    Recipe(
        "low-pass-flowers-adam",
        "clean images with Adam, for AlexNet",
        SOURCE,
        batch_size=64,
        augment="crop-flip",
        **SGD | {"optimizer": "adam", "lr": 1e-4},
    )
)
