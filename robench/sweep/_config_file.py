"""A sweep's configuration in a TOML file, which is also a zoo file: models with labels, checkpoints, normalisation."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corruptions import unknown
from robench.errors import ConfigError
from robench.files import at_home, reason
from robench.models import read_models
from robench.selection import corruption_texts, numbers_text, texts
from robench.sweep._config import SweepConfig

PATHS = ("out", "ids", "frost_dir", "label_map", "weights")
TEXTS = ("dataset", "view", "dataset_name", "class_order", "clean", "normalize", "baseline", "device", "executor")
OTHER_NAMES = {"suite": "suites", "seed": "seeds", "severity": "severities", "level": "levels"}


def read_config(path: Path) -> dict[str, Any]:
    """The fields of a `SweepConfig` that a TOML file gives; paths in it are relative to the working directory.

    Corruptions are a list of names or a table {name: strengths}, models a list of MODEL arguments or of tables with
    `model`, `checkpoint`, `label`, `normalize`, `label_map`, `citation` and `extra_data`. Raises ConfigError.
    """
    known = [name for name in SweepConfig.__dataclass_fields__ if name != "shard"]
    fields: dict[str, Any] = {}
    for given, value in _table(path).items():
        name = OTHER_NAMES.get(given, given)
        if name not in known:
            raise ConfigError(f"{path}: {unknown('option', given, known)}")
        fields[name] = _field(name, value, path)
    return fields


def _table(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(at_home(path).read_text(encoding="utf-8"))
    except OSError as fault:
        raise ConfigError(f"{path}: cannot be read: {reason(fault)}") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise ConfigError(f"{path}: expected a TOML file: {str(fault).splitlines()[0]}") from fault


def _field(name: str, value: Any, path: Path) -> Any:
    if name == "models":
        return read_models(value, path)
    if name == "corruptions":
        return corruption_texts(value)
    if name == "suites":
        return texts(value, f"{path}: suites")
    if name in ("severities", "levels"):
        return numbers_text(value, f"{path}: {name}")
    if name == "seeds":
        return tuple(value) if isinstance(value, list) else (value,)
    if name in (*PATHS, *TEXTS) and not isinstance(value, str):
        raise ConfigError(f"{path}: expected {name} as text, got {value!r:.40}")
    return Path(value) if name in PATHS else value
