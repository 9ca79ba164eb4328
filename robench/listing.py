"""What there is, as rows of facts: the answer to `robench list`."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import corruptions
from corruptions import Level, unknown
from robench import datasets, models
from robench.errors import ConfigError

if TYPE_CHECKING:
    from robench.reproduce import PaperItem


OPEN_FORMS = {
    "torchvision:NAME[:SIZE]": "any classifier of torchvision, as in torchvision:resnet50=DEFAULT",
    "timm:NAME": "any classifier of timm, as in timm:resnet18.a1_in1k=pretrained",
    "fidelity:NAME": "a classifier corrected by fidelity maps, as in docs/models.md",
    "file.py:FACTORY": "a network that your code builds, as in nets.py:build=best.pt",
    "net.pt2": "an archive of torch.export",
    "net.onnx[#OUTPUT]": "an ONNX file",
    "best.safetensors": "a checkpoint of robench train, which names its network",
    "'nets/*.safetensors'": "every classifier among files that match a pattern",
    "all": "every registered model that has weights",
}
"""Models that are not registered by name, by the form of -m."""


def listing(kind: str, pattern: str = "*") -> list[dict[str, Any]]:
    """List what there is of a kind, with `name` and a line of `text` for each.

    Args:
        kind: corruptions, models, datasets, suites, recipes or papers.
        pattern: As of a shell, such as `resnet*`.

    Raises:
        ConfigError: Nothing matches.
    """
    rows = {
        "corruptions": _corruptions,
        "models": _models,
        "datasets": _datasets,
        "suites": _suites,
        "recipes": _recipes,
        "papers": _papers,
    }[kind]()
    chosen = [row for row in rows if pattern == "*" or fnmatchcase(row["name"], pattern)]
    if not chosen:
        raise ConfigError(
            f"list {kind}: no name matches '{pattern}'; {unknown('name', pattern, [r['name'] for r in rows])}"
        )
    return chosen


def _corruptions() -> list[dict[str, Any]]:
    rows = []
    for name in corruptions.names():
        chosen = corruptions.get(name)
        text = f"{chosen.group:10}  {_strengths(chosen.has_table, chosen.level):28}  {chosen.summary}"
        rows.append(chosen.to_dict() | {"text": text})
    return rows


def _strengths(has_table: bool, level: Level | None) -> str:
    parts = ["1-5"] if has_table else []
    if level is not None:
        parts.append(f"{level.name}={':'.join(['x'] * level.parts)}")
    return ", ".join(parts)


def _models() -> list[dict[str, Any]]:
    rows = []
    for name in models.names():
        card = models.get(name)
        weights = sorted(card.weights)
        size = f"{card.input_size}x{card.input_size}x{card.channels}"
        text = f"{size:9}  {card.params or 0:>11,} parameters  {card.source}"
        facts: dict[str, Any] = {
            "name": name,
            "side": card.input_size,
            "channels": card.channels,
            "parameters": card.params,
        }
        facts |= {"source": card.source, "weights": weights}
        rows.append(facts | {"text": text + (f"  weights: {', '.join(weights)}" if weights else "")})
    restorers = [_restorer(name) for name in models.restorers.names()]
    forms = [{"name": form, "text": f"open form  {text}"} for form, text in OPEN_FORMS.items()]
    return rows + restorers + [_activation(name) for name in models.activations.names()] + forms


def _restorer(name: str) -> dict[str, Any]:
    card = models.restorers.get(name)
    facts = {"name": f"{name}+", "channels": card.channels, "parameters": card.params, "source": card.source}
    return facts | {"text": f"restorer, {card.channels} channels  {card.params or 0:>11,} parameters  {card.source}"}


def _activation(name: str) -> dict[str, Any]:
    card = models.activations.get(name)
    facts = {"name": f"@{name}", "parameters": card.params, "source": card.source}
    return facts | {"text": f"activation, {card.params} parameters in place of each ReLU  {card.source}"}


def _datasets() -> list[dict[str, Any]]:
    rows = []
    for name in datasets.names():
        entry = datasets.get(name)
        form = f"{name}:PATH" if entry.needs_path else name
        facts: dict[str, Any] = {"name": name, "form": form, "splits": list(entry.splits), "view": entry.default_view}
        facts |= {"about": entry.about, "source": entry.source}
        rows.append(facts | {"text": f"{form:20}  {', '.join(entry.splits):18}  {entry.about}"})
    return rows


def _suites() -> list[dict[str, Any]]:
    rows = []
    for name in corruptions.suites():
        suite = corruptions.suite(name)
        cells = sum(map(len, suite.keys.values()))
        facts = {"name": name, "about": suite.about, "cells": {key: list(keys) for key, keys in suite.keys.items()}}
        rows.append(facts | {"text": f"{len(suite.keys):3} corruptions, {cells:3} cells  {suite.about}"})
    return rows


def _recipes() -> list[dict[str, Any]]:
    from robench import training

    rows = []
    for name in training.names():
        recipe = training.get(name)
        budget = f"{recipe.epochs:3} epochs, {recipe.optimizer} at {recipe.lr:g}, batches of {recipe.batch_size}"
        rows.append(recipe.to_dict() | {"text": f"{budget:43}  {recipe.about}  {recipe.source}"})
    return rows


def _papers() -> list[dict[str, Any]]:
    from robench import reproduce

    items = [
        one for paper in sorted({key.partition("/")[0] for key in reproduce.names()}) for one in reproduce.get(paper)
    ]
    return [_item(one) for one in items]


def _item(one: PaperItem) -> dict[str, Any]:
    data = ", ".join([*one.data, *(f"{name} (small)" for name in one.small_data)])
    facts = {"name": f"{one.paper} {one.name}", "data": list(one.data), "small_data": list(one.small_data)}
    return facts | {"about": one.about, "text": one.about + (f"  data: {data}" if data else "")}
