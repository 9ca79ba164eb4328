"""Networks that a function in a user's Python file builds."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn
from torch.nn.parameter import is_lazy

from corruptions import unknown
from robench.errors import ConfigError, ModelError, RobenchError
from robench.files import sha256_file
from robench.models._registry import Card
from robench.models._spec import Spec
from robench.models._user_code import digest, import_file, recorded

KINDS: dict[str, tuple[type, ...]] = {
    "input_size": (int, type(None)),
    "channels": (int,),
    "mean": (tuple, list),
    "std": (tuple, list),
    "classes": (int,),
    "source": (str,),
    "resize_policy": (str,),
}
"""What a factory's dict may say, as on a card."""
FORMER_NAMES = {"side": "input_size", "fit": "resize_policy"}
"""Keys that factories written for earlier versions may use."""
COUNTS = ("classes", "num_classes")
"""What a factory calls the parameter that is the number of classes."""
VARARGS, VARKEYWORDS = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD


def made_by_file(parsed: Spec, classes: int | None) -> tuple[Card, nn.Module]:
    """Card and network of `path/to/file.py:factory`.

    classes: of the data set; None where a label map chooses among the network's own, which the factory then says.
    """
    path = Path(str(parsed.file))
    with recorded(path.parent) as read:
        file, made = _run_factory(parsed, classes)
    module, said = made if isinstance(made, tuple) and len(made) == 2 else (made, {})
    if not isinstance(module, nn.Module) or not isinstance(said, dict):
        raise ModelError(
            f"{parsed.name}: expected the factory to return an nn.Module, or one and a dict, "
            f"got {type(module).__name__}, {type(said).__name__}"
        )
    card = _card_of(parsed, module, said, classes)
    code = digest(path, file, module.modules(), read)
    return replace(card, code_sha256=code, file_sha256=sha256_file(path)), module


def _run_factory(parsed: Spec, classes: int | None) -> tuple[ModuleType, Any]:
    """The file's module, and what the factory returns; what goes wrong in the file is a `ModelError` that names it."""
    try:
        module = import_file(Path(str(parsed.file)))
        factory = vars(module)[str(parsed.factory)]
        arguments, named = _class_count(factory, parsed.name, classes)
        return module, factory(*arguments, **named)
    except RobenchError:
        raise
    except KeyError as fault:
        if fault.args != (parsed.factory,):
            raise ModelError(f"{parsed.name}: failed: KeyError: {fault}") from fault
        public = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        raise ConfigError(f"{parsed.file}: {unknown('factory', str(parsed.factory), public)}") from None
    except (Exception, SystemExit) as fault:
        raise ModelError(f"{parsed.name}: failed: {type(fault).__name__}: {fault}") from fault


def _class_count(factory: Any, name: str, classes: int | None) -> tuple[list[int], dict[str, int]]:
    """The arguments that hand the class count to a factory: by place and by name.

    It goes to the parameter called as in COUNTS, else to the one parameter without a default. A parameter with a
    default and another name is the factory's own. classes: None where the network's own count stays.
    """
    values = [one for one in inspect.signature(factory).parameters.values() if one.kind not in (VARARGS, VARKEYWORDS)]
    needed = [one for one in values if one.default is one.empty]
    called = [one for one in values if one.name in COUNTS]
    count = next(iter(called or needed), None)
    if others := [one.name for one in needed if one is not count]:
        raise ModelError(
            f"{name}: expected a factory with at most one parameter without a default, 'classes', "
            f"got also '{others[0]}'; give it a default"
        )
    if count is None or (classes is None and count not in needed):
        return [], {}
    if classes is None:
        raise ModelError(
            f"{name}: with a label map, expected a factory without arguments, got the parameter '{count.name}'"
        )
    if count.kind is count.POSITIONAL_ONLY:
        return [classes], {}
    return [], {count.name: classes}


def _card_of(parsed: Spec, module: nn.Module, said: dict[str, Any], classes: int | None) -> Card:
    """The card of a user's network: from the factory's dict, or else RGB as it comes."""
    name = parsed.name
    said = {FORMER_NAMES.get(key, key): value for key, value in said.items()}
    if strange := sorted(said.keys() - KINDS.keys()):
        raise ModelError(f"{name}: {unknown('field', strange[0], KINDS)}")
    for field, value in said.items():
        if not isinstance(value, KINDS[field]) or isinstance(value, bool):
            raise ModelError(f"{name}: expected {field} as {_kind_text(KINDS[field])}, got {value!r}")
    if classes is None and "classes" not in said:
        raise ModelError(f"{name}: with a label map, expected the factory's dict to say 'classes', the outputs it has")
    channels = said.get("channels", 3)
    defaults = {"input_size": None, "channels": channels, "mean": (0.0,) * channels, "std": (1.0,) * channels}
    filled = {**defaults, "classes": classes, "source": "user's file", **said}
    filled["mean"], filled["std"] = tuple(filled["mean"]), tuple(filled["std"])
    if unborn := [one for one, value in module.named_parameters() if is_lazy(value)]:
        raise ModelError(f"{name}: expected parameters with a shape, got '{unborn[0]}' without; call the network once")
    params = sum(parameter.numel() for parameter in module.parameters())
    return Card(name=parsed.name, params=params, build=lambda _: module, **filled)


def _kind_text(kinds: tuple[type, ...]) -> str:
    return " or ".join("None" if kind is type(None) else kind.__name__ for kind in kinds)
