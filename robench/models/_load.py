"""From a MODEL argument to a classifier: parse, build, fill, wrap."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import torch
from torch import nn

from corruptions import unknown
from robench.errors import CheckpointError, ModelError, RobenchError, UsageError
from robench.models import _checkpoints
from robench.models._adapter import Classifier, pick_device
from robench.models._normalize import Normalization, parse_normalize
from robench.models._registry import Card, Spec, get, parse

WEIGHTS = Path(__file__).parent / "weights"
CARD_FIELDS = {one.name for one in fields(Card)} - {"name", "build", "params", "weights"}
Made = TypeVar("Made")


def load(
    spec: str,
    *,
    classes: int,
    side: int | tuple[int, int] | None = None,
    normalize: str | None = None,
    random_weights: bool = False,
    seed: int = 0,
    device: str = "cpu",
) -> Classifier:
    """The classifier that a MODEL argument stands for.

    spec: `NAME[=CHECKPOINT]` or `path/to/file.py:factory[=CHECKPOINT]`; CHECKPOINT: a file or a card's word.
    classes: of the data set, so the length of the logits.
    side: of the images that will come, or their (H, W); decides and records the fit.
    normalize: instead of the card's: imagenet, cifar10, mnist, none or m,m,m/s,s,s.
    random_weights: allow a model of the zoo without a checkpoint; drawn from `seed`, without global state.
    Raises `UsageError`, `CheckpointError` or `ModelError`, one line each.
    """
    parsed = parse(spec)
    where = pick_device(device)
    if not (parsed.is_file or parsed.checkpoint or random_weights):
        raise UsageError(_no_weights(get(parsed.name)))
    card, module = build(parsed, classes, seed)
    told: dict[str, str] = {}
    if parsed.checkpoint:
        state, told, source = _read(card, parsed.checkpoint)
        _checkpoints.fill(module, state, classes=classes, source=source, model=card.name)
    convolutional = any(isinstance(part, nn.Conv2d) for part in module.modules())
    module.to(where)
    if convolutional:
        module.to(memory_format=torch.channels_last)
    return Classifier(
        card=card,
        label=f"{card.name}={Path(parsed.checkpoint).stem}" if parsed.checkpoint else card.name,
        module=module.eval(),
        classes=classes,
        normalization=parse_normalize(normalize, card.channels) if normalize else Normalization(card.mean, card.std),
        weights_sha256=_checkpoints.state_sha256(module),
        size=(side, side) if isinstance(side, int) else side,
        training=told,
        device=where,
    )


def build(parsed: Spec, classes: int, seed: int) -> tuple[Card, nn.Module]:
    """Card and network, with weights drawn from the seed; the generator of the process is left as it was."""
    if not parsed.is_file:
        card = get(parsed.name)
        return card, _seeded(seed, lambda: card.build(classes))
    made = _seeded(seed, lambda: _run_factory(parsed, classes))
    module, said = made if isinstance(made, tuple) and len(made) == 2 else (made, {})
    if not isinstance(module, nn.Module) or not isinstance(said, dict):
        raise ModelError(
            f"{parsed.name}: expected the factory to return an nn.Module, or one and a dict, "
            f"got {type(module).__name__}, {type(said).__name__}"
        )
    return _card_of(parsed.name, module, said, classes), module


def _seeded(seed: int, make: Callable[[], Made]) -> Made:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return make()


def _run_factory(parsed: Spec, classes: int) -> Any:
    """What the factory returns; whatever goes wrong in the user's file is a `ModelError` that names it."""
    try:
        module = _import_file(Path(str(parsed.file)))
        factory = vars(module)[str(parsed.factory)]
        takes_classes = bool(inspect.signature(factory).parameters)
        return factory(classes) if takes_classes else factory()
    except RobenchError:
        raise
    except KeyError as fault:
        if fault.args != (parsed.factory,):
            raise ModelError(f"{parsed.name}: failed: KeyError: {fault}") from fault
        public = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        raise UsageError(f"{parsed.file}: {unknown('factory', str(parsed.factory), public)}") from None
    except Exception as fault:
        raise ModelError(f"{parsed.name}: failed: {type(fault).__name__}: {fault}") from fault


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise UsageError(f"{path}: no such file")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path}: expected a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _card_of(name: str, module: nn.Module, said: dict[str, Any], classes: int) -> Card:
    """The card of a user's network: from the factory's dict, its attributes, or else RGB as it comes."""
    if strange := sorted(said.keys() - CARD_FIELDS):
        raise ModelError(f"{name}: {unknown('field', strange[0], CARD_FIELDS)}")
    known = {field: getattr(module, field) for field in CARD_FIELDS if _is_plain(getattr(module, field, None))} | said
    channels = known.get("channels", 3)
    defaults = {"side": None, "channels": channels, "mean": (0.0,) * channels, "std": (1.0,) * channels}
    filled = {**defaults, "classes": classes, "source": "user's file", **known}
    filled["mean"], filled["std"] = tuple(filled["mean"]), tuple(filled["std"])
    params = sum(parameter.numel() for parameter in module.parameters())
    return Card(name=name, params=params, build=lambda _: module, **filled)


def _is_plain(value: Any) -> bool:
    return isinstance(value, int | str | tuple | list)


def _read(card: Card, checkpoint: str) -> tuple[_checkpoints.State, dict[str, str], str]:
    """The tensors of a file or of one of the card's words, its metadata, and how to name it in a line."""
    path, source = Path(checkpoint), checkpoint
    if checkpoint in card.weights:
        source = f"{card.name}={checkpoint}"
        if card.weights[checkpoint].startswith("https://"):
            return _download(card.weights[checkpoint], source), {}, source
        path = WEIGHTS / card.weights[checkpoint]
    elif card.weights and not path.exists():
        raise CheckpointError(f"{card.name}={checkpoint}: no such file; {unknown('weights', checkpoint, card.weights)}")
    return _checkpoints.read(path), _checkpoints.metadata(path), source


def _download(address: str, source: str) -> _checkpoints.State:
    try:
        state: dict[str, torch.Tensor] = torch.hub.load_state_dict_from_url(
            address, map_location="cpu", progress=False, check_hash=True, weights_only=True
        )
    except Exception as fault:
        raise CheckpointError(f"{source}: cannot be downloaded from {address}: {fault}") from fault
    return state


def _no_weights(card: Card) -> str:
    known = f" (CHECKPOINT: a file or {', '.join(card.weights)})" if card.weights else ""
    return f"model '{card.name}': expected weights, {card.name}=CHECKPOINT{known}, or --random-weights for tests"
