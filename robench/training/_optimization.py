"""The optimizer of a recipe, and its learning rate over the steps."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn

from robench.training._recipes import Recipe


def make_optimizer(recipe: Recipe, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """The recipe's optimizer over these parameters."""
    lr, decay = recipe.lr, recipe.weight_decay
    if recipe.optimizer in ("sgd", "nag"):
        nesterov = recipe.optimizer == "nag"
        return torch.optim.SGD(parameters, lr=lr, weight_decay=decay, momentum=recipe.momentum, nesterov=nesterov)
    if recipe.optimizer == "adadelta":
        return torch.optim.Adadelta(parameters, lr=lr, weight_decay=decay)
    adam = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    return adam(parameters, lr=lr, weight_decay=decay)


def lr_factor(recipe: Recipe, steps_an_epoch: int) -> Callable[[int], float]:
    """What lr is multiplied by in each step, from 0."""
    warmup = round(recipe.warmup_epochs * steps_an_epoch)
    steps = max(1, recipe.epochs * steps_an_epoch - warmup)

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return _scheduled(recipe, min(1.0, (step - warmup) / steps))

    return factor


def _scheduled(recipe: Recipe, done: float) -> float:
    """The factor when that fraction of the training is done."""
    if recipe.schedule == "cosine":
        return (1 + math.cos(math.pi * done)) / 2
    if recipe.schedule == "steps":
        return recipe.decay ** sum(done >= at for at in recipe.milestones)
    return float(recipe.decay**done) if recipe.schedule == "geometric" else 1.0
