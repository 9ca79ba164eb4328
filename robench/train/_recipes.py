"""What a recipe is, and the ones that are known. No torch and no Lightning here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import corruptions
from corruptions import Registry
from robench.errors import UsageError

CHOICES = {
    "data": ("clean", "perturbed", "both"),
    "optimizer": ("adam", "adamw", "sgd", "nag"),
    "schedule": ("cosine", "constant"),
    "augment": ("none", "shift", "crop-flip"),
}


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    data: "clean" images, "perturbed" ones, or "both": each step sees the clean images and their perturbed copies.
    corruption, strength: of the perturbation; the strength is a level, a number or `a..b`, drawn per image and epoch.
    optimizer: adam, adamw, sgd or nag (Nesterov); momentum is that of the last two.
    schedule: "cosine" from lr to 0 over all steps, or "constant".
    augment: "shift" by up to an eighth of the side, zeros at the border; "crop-flip" also mirrors half of the images.
        After the perturbation, so that it falls on images as the test set has them.
    """

    name: str
    about: str
    source: str
    data: str
    corruption: str | None = None
    strength: float | str | None = None
    optimizer: str = "adam"
    lr: float = 1e-3
    weight_decay: float = 0.0
    momentum: float = 0.9
    schedule: str = "cosine"
    epochs: int = 20
    batch_size: int = 64
    label_smoothing: float = 0.0
    augment: str = "none"

    def __post_init__(self) -> None:
        for field, allowed in CHOICES.items():
            if getattr(self, field) not in allowed:
                raise UsageError(f"{self.name}: {field} must be {', '.join(allowed)}, got '{getattr(self, field)}'")
        for field in ("epochs", "batch_size"):
            if getattr(self, field) < 1:
                raise UsageError(f"{self.name}: {field} must be at least 1, got {getattr(self, field)}")
        if not 0 < self.lr < float("inf"):
            raise UsageError(f"{self.name}: lr must be a positive number, got {self.lr}")
        if self.data == "clean" and (self.corruption is not None or self.strength is not None):
            raise UsageError(
                f"recipe '{self.name}' trains on clean images and takes no corruption; see perturbed, both"
            )
        if self.data != "clean":
            self._check_perturbation()

    def with_changes(self, **changes: Any) -> Recipe:
        """The recipe with those fields that are not None; another corruption needs its own strength."""
        given = {field: value for field, value in changes.items() if value is not None}
        if given.get("corruption", self.corruption) != self.corruption and "strength" not in given:
            given["strength"] = None
        return replace(self, **given)

    def _check_perturbation(self) -> None:
        if self.corruption is None or self.strength is None:
            raise UsageError(
                f"recipe '{self.name}': expected a corruption and its level, e.g. -c awgn --level 0..0.5, "
                f"got {self.corruption or 'none'} and {'no level' if self.strength is None else self.strength}"
            )
        corruptions.get(self.corruption).strength(None, self.strength)


registry: Registry[Recipe] = Registry("recipe", "robench.recipes", UsageError)


def register(recipe: Recipe) -> Recipe:
    """Make the recipe known under its name; a name taken already raises `UsageError`."""
    registry.add(recipe.name, recipe)
    return recipe


def names() -> tuple[str, ...]:
    """The registered recipes, those of robench first."""
    return registry.names()


def get(name: str) -> Recipe:
    """The recipe of that name; an unknown one raises `UsageError` with the nearest."""
    return registry.get(name)
