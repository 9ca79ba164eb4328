"""Data sets and networks in memory, as a sweep takes them."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import torch

from robench.datasets import Dataset
from robench.errors import ConfigError, RobenchError
from robench.models import Classifier, channels_of, check_classes, pick_device, wrap_model
from robench.sweep._config import SweepConfig


def in_memory(data: Dataset, config: SweepConfig) -> Dataset:
    """The data set with the name and the number of images that are asked for; ConfigError for another view."""
    if config.view not in (None, data.view):
        raise ConfigError(f"data set {data.name} has view {data.view}, got view '{config.view}'; resize its images")
    if config.ids is not None:
        raise ConfigError(f"data set {data.name}: expected ids with a data set by name alone")
    return replace(data, name=config.dataset_name or data.name).limited(config.limit)


def live(model: Any, clean: Dataset, device: str) -> Classifier:
    """The classifier of a network in memory for the images of a data set, on a device.

    Raises ConfigError for another number of classes, or outputs that are no logits of these images, ModelError for a
    classifier that was trained on other classes or on these in another order.
    """
    if isinstance(model, Classifier):
        made = _moved(model, device)
    else:
        channels = channels_of(model) or clean.shape[2]
        made = wrap_model(model, num_classes=len(clean.classes), channels=channels, device=device)
    made = replace(made, size=(clean.shape[0], clean.shape[1]))
    if made.classes != len(clean.classes):
        raise ConfigError(
            f"model '{made.label}': expected {len(clean.classes)} classes as {clean.name} has, got {made.classes}"
        )
    if made.class_names and made.label_map is None:
        check_classes(made.class_names, clean.classes, made.label)
    if made.is_live and clean.has_images:
        _check_answer(made, clean)
    return made


def _moved(model: Classifier, device: str) -> Classifier:
    """The classifier on a device; the one that was given stays where it is."""
    where = pick_device(device)
    if where == model.device:
        return model
    front = model.restorer
    moved = replace(front, module=copy.deepcopy(front.module).to(where), device=where) if front else None
    return replace(model, module=copy.deepcopy(model.module).to(where), device=where, restorer=moved)


def _check_answer(model: Classifier, clean: Dataset) -> None:
    """One image must give one row of as many outputs as there are classes."""
    try:
        model.logits(torch.from_numpy(clean.images(0, 1).copy()))
    except RobenchError as fault:
        raise ConfigError(str(fault)) from fault
    except Exception as fault:
        shape = " x ".join(map(str, clean.shape))
        raise ConfigError(f"model '{model.label}': fails on an image of {shape}: {_line(fault)}") from fault


def _line(fault: Exception) -> str:
    return (str(fault).strip() or type(fault).__name__).splitlines()[0]
