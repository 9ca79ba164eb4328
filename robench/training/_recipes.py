"""What a recipe is, and the ones that are known. No torch and no Lightning here."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, get_args

import corruptions
from corruptions import Corruption, Registry, Strength
from robench.datasets import ChosenOn
from robench.errors import ConfigError

CHOICES = {
    "task": ("classify", "restore", "estimate", "calibrate"),
    "fidelity_map": ("l1", "l2", "cosine"),
    "data": ("clean", "perturbed", "both"),
    "optimizer": ("adam", "adamw", "sgd", "nag", "adadelta"),
    "schedule": ("cosine", "constant", "steps", "geometric"),
    "augment": ("none", "shift", "crop-flip", "resized-crop"),
    "chosen_on": get_args(ChosenOn),
}
CLEAN = "clean"
CROP = "resized-crop"
CROP_AREA = (0.08, 1.0)


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    task: "classify"; "restore", a restorer on pairs of clean and perturbed images; "estimate", the fidelity map of a
        restorer; "calibrate", a fidelity-calibrated classifier. The last three need data "both" and learn from the
        perturbed images.
    data: "clean" images, "perturbed" ones, or "both": each step sees the clean images and their perturbed copies.
    perturbations: each NAME@STRENGTH, or "clean"; every image of every epoch gets one of them, drawn evenly. A
        strength `a..b` is drawn too.
    perturbed_weight, pivot_weight: of the perturbed copies' cross-entropy and of the squared distance of their logits
        to those of their originals, for "both"; lambda and lambda_2 in equation 1 of Na, Ko, Mukhopadhyay 2018.
    pivot_centred: take that distance between logits less their mean over the classes, which softmax does not see.
    optimizer: adam, adamw, sgd, nag (Nesterov) or adadelta; momentum is that of sgd and nag.
    schedule: "cosine" from lr to 0 over all steps, "constant", "steps": times `decay` after each of `milestones`,
        which are fractions of the training, or "geometric" from lr to lr times `decay`.
    warmup_epochs: at the beginning lr grows in equal steps, and the schedule follows; fewer than epochs. A training
        that is asked to be shorter than its recipe warms up for the same share of it.
    clip: the largest norm of a step's gradient; a longer one is shortened to it. None leaves it.
    augment: "shift" by up to an eighth of the side, zeros at the border; "crop-flip" also mirrors half of the images.
        Both after the perturbation, so that it falls on images as the test set has them. "resized-crop" enlarges a
        rectangle of random area, place and shape (3/4 to 4/3) to the image's size, bilinear, and mirrors half of them;
        before the perturbation, whose noise is not enlarged.
    crop_area: the smallest and the largest area of that rectangle, as fractions of the image's.
    normalize: of a classifier's inputs, as for `robench.models.load`; None is the card's.
    first_layers: only the first so many layers with weights are trained; None trains all.
    patch: images with larger sides are cut to squares of this side, from a grid of half of it; None takes them whole.
    fidelity_map: what "estimate" learns: l1, l2 or cosine.
    chosen_on: what the best epoch is chosen on, where a data set's validation images are those that networks are
        evaluated on: images "held-back" from train, or those "evaluated", as in a paper that prints its best epoch.
    """

    name: str
    about: str
    source: str
    data: str
    perturbations: tuple[str, ...] = ()
    perturbed_weight: float = 1.0
    pivot_weight: float = 0.0
    pivot_centred: bool = False
    optimizer: str = "adam"
    lr: float = 1e-3
    weight_decay: float = 0.0
    momentum: float = 0.9
    schedule: str = "cosine"
    milestones: tuple[float, ...] = ()
    decay: float = 0.1
    warmup_epochs: float = 0.0
    clip: float | None = None
    epochs: int = 20
    batch_size: int = 64
    label_smoothing: float = 0.0
    augment: str = "none"
    crop_area: tuple[float, float] = CROP_AREA
    normalize: str | None = None
    first_layers: int | None = None
    task: str = "classify"
    patch: int | None = None
    fidelity_map: str = "l1"
    chosen_on: ChosenOn = "held-back"

    def __post_init__(self) -> None:
        for field, allowed in CHOICES.items():
            if getattr(self, field) not in allowed:
                raise ConfigError(f"{self.name}: {field} must be {', '.join(allowed)}, got '{getattr(self, field)}'")
        for field in ("epochs", "batch_size", "first_layers", "patch"):
            if getattr(self, field) is not None and getattr(self, field) < 1:
                raise ConfigError(f"{self.name}: {field} must be at least 1, got {getattr(self, field)}")
        for field in ("lr", "clip"):
            value = getattr(self, field)
            if value is not None and not 0 < value < float("inf"):
                raise ConfigError(f"{self.name}: {field} must be a positive number, got {value}")
        if not 0 <= self.warmup_epochs < self.epochs:
            raise ConfigError(
                f"{self.name}: expected a warm-up shorter than the {self.epochs} epochs, got {self.warmup_epochs:g}"
            )
        if bool(self.milestones) != (self.schedule == "steps") or not all(0 < at < 1 for at in self.milestones):
            raise ConfigError(
                f"{self.name}: expected milestones between 0 and 1 with the schedule 'steps' and with no other, "
                f"got {self.milestones} with '{self.schedule}'"
            )
        if self.data != "both" and (self.perturbed_weight != 1 or self.pivot_weight):
            raise ConfigError(f"{self.name}: perturbed_weight and pivot_weight are for data 'both', got '{self.data}'")
        self._check_task()
        self._check_perturbations()
        self._check_crop()

    def with_changes(
        self, *, corruption: str | None = None, strength: float | str | None = None, **changes: Any
    ) -> Recipe:
        """The recipe with those fields that are not None; corruption and strength stand for one perturbation.

        Fewer epochs shorten the warm-up in proportion, unless that is given too.
        """
        given = {field: value for field, value in changes.items() if value is not None}
        if given.get("epochs", self.epochs) < self.epochs:
            given.setdefault("warmup_epochs", self.warmup_epochs * given["epochs"] / self.epochs)
        if corruption is not None or strength is not None:
            given["perturbations"] = (self._perturbation(corruption, strength),)
        return replace(self, **given)

    def to_dict(self) -> dict[str, str]:
        """All fields as texts, to be recorded."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: _text(value) for name, value in values.items()}

    def settings(self) -> dict[str, str]:
        """The fields that decide on a training, as texts; without normalize where the network's own is taken."""
        beside = {"name", "about", "source"} | ({"normalize"} if self.normalize is None else set())
        return {name: text for name, text in self.to_dict().items() if name not in beside}

    def _perturbation(self, corruption: str | None, strength: float | str | None) -> str:
        if self.data == "clean":
            raise ConfigError(
                f"recipe '{self.name}' trains on clean images and takes no corruption; see perturbed, both"
            )
        here = [text.partition("@")[0] for text in self.perturbations]
        if corruption is None and len(here) == 1:
            corruption = here[0]
        if corruption is None or strength is None:
            there = f"{corruption or 'no corruption'} and {'no level' if strength is None else f'level {strength}'}"
            raise ConfigError(
                f"recipe '{self.name}': expected a corruption and its level, e.g. -c awgn --level 0..0.5, got {there}"
            )
        return f"{corruption}@{corruptions.get(corruption).strength(None, strength)}"

    def _check_task(self) -> None:
        if self.task == "classify":
            return
        if self.data != "both" or self.pivot_weight or self.perturbed_weight != 1:
            raise ConfigError(f"{self.name}: task '{self.task}' needs data 'both' without weights, got '{self.data}'")
        if self.normalize is not None:
            raise ConfigError(f"{self.name}: normalize is for task 'classify', got '{self.normalize}'")

    def _check_perturbations(self) -> None:
        if self.data == "clean" and self.perturbations:
            raise ConfigError(f"recipe '{self.name}' trains on clean images, got {', '.join(self.perturbations)}")
        if self.data != "clean" and not self.perturbations:
            raise ConfigError(f"recipe '{self.name}': data '{self.data}' needs perturbations, got none")
        for text in self.perturbations:
            parsed(text)

    def _check_crop(self) -> None:
        area = self.crop_area
        if len(area) != 2 or not 0 < area[0] <= area[1] <= 1:
            raise ConfigError(f"{self.name}: crop_area must be two fractions, 0 < low <= high <= 1, got {area}")
        if self.augment != CROP and area != CROP_AREA:
            raise ConfigError(f"{self.name}: crop_area is for augment '{CROP}', got {area} with '{self.augment}'")


def parsed(perturbation: str) -> tuple[Corruption, Strength] | None:
    """`NAME@STRENGTH` taken apart, None for "clean"; raises ConfigError or CorruptionError for what it cannot be."""
    if perturbation == CLEAN:
        return None
    name, at, strength = perturbation.partition("@")
    chosen = corruptions.get(name)
    if not at:
        raise ConfigError(f"perturbation '{perturbation}': expected NAME@STRENGTH, such as awgn@0..0.5")
    return chosen, chosen.parse(strength)


def score_text(score: str, value: float) -> str:
    """A score in words: fractions in percent."""
    words = score.replace("_", " ")
    return f"{words} {100 * value:.2f} %" if score == "val_accuracy" else f"{words} {value:.4g}"


def _text(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(map(_text, value)) if isinstance(value, tuple) else str(value)


registry: Registry[Recipe] = Registry("recipe", "robench.recipes", ConfigError)


def register(recipe: Recipe) -> Recipe:
    """Make the recipe known under its name; a name taken already raises `ConfigError`."""
    registry.add(recipe.name, recipe)
    return recipe


def names() -> tuple[str, ...]:
    """The registered recipes, those of robench first."""
    return registry.names()


def get(name: str) -> Recipe:
    """The recipe of that name; an unknown one raises `ConfigError` with the nearest."""
    return registry.get(name)
