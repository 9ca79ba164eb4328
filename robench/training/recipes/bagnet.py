"""The BagNet report on Tiny ImageNet: three optimizers, 5 or 15 epochs.

It tells of no augmentation and no normalisation: here none, and that of the network's card. Its numbers are the best
validation accuracies of all epochs, so the epoch is chosen on the images that are evaluated.
"""

from __future__ import annotations

from typing import Any

from robench.training._recipes import Recipe, register

SOURCE = "patch-based report on Tiny ImageNet, section 5"
EVERY_SEVEN: dict[str, Any] = {"schedule": "steps", "milestones": (7 / 15, 14 / 15)}
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"lr": 1e-3} | EVERY_SEVEN,
    "adam": {"lr": 1e-3} | EVERY_SEVEN,
    "adadelta": {"lr": 1.0, "schedule": "constant"},
}

for _optimizer, _settings in OPTIMIZERS.items():
    register(
        Recipe(
            f"bagnet-{_optimizer}",
            f"clean images with {_optimizer}",
            SOURCE,
            data="clean",
            optimizer=_optimizer,
            epochs=15,
            batch_size=100,
            chosen_on="evaluated",
            **_settings,
        )
    )
