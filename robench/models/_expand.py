"""From what is asked for on one line to its models: patterns, bare checkpoints, `all`, and names that differ."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from corruptions import unknown
from robench.errors import CheckpointError, ConfigError
from robench.files import at_home
from robench.models._model_config import ModelConfig
from robench.models._other_kinds import refuse_other_kinds
from robench.models._registry import Card, get, registry
from robench.models._spec import ARCHIVES, Spec, parse, stem_of, weights_file, with_stem

ALL = "all"
WEIGHTS = (".safetensors", ".pt", ".pth", ".th", ".ckpt", ".bin", ".tar")
SEPARATORS = "-.=_"
SHIPPED = Path(__file__).parent / "weights"
WILD = "*?["
MOST_FOLDERS = 20


def expand(asked: Sequence[ModelConfig], folder: Path | None = None) -> tuple[list[ModelConfig], list[str]]:
    """Replace patterns of files, `all` and checkpoints without a network's name by the models that they stand for.

    A checkpoint that robench wrote names its network. Models of a pattern and of `all` are optional: those that are no
    classifiers of a data set are skipped. Two checkpoints of one file name get their folders into their labels.

    Args:
        asked: Models as they are asked for.
        folder: Further weights for `all`: files that name their network, or whose name begins with that of a network.

    Returns:
        The models, and a line for each file of a pattern that is no classifier at all.

    Raises:
        ConfigError: A pattern has no match, or a file does not name its network.
    """
    if folder is not None and not any(model.spec == ALL for model in asked):
        raise ConfigError(f"--weights {folder}: expected -m all, whose weights it has")
    found = [one for model in asked for one in _expanded(model, folder)]
    first = {one.spec: number for number, one in reversed([*enumerate(found)])}
    once = [one for number, one in enumerate(found) if not one.is_optional or first[one.spec] == number]
    faults = {one.spec: fault for one in once if one.is_optional and (fault := _fault(str(one.spec)))}
    skipped = [f"skipped {spec}: {fault.partition('; known')[0]}" for spec, fault in faults.items()]
    return _apart([one for one in once if one.spec not in faults]), skipped


def _fault(spec: str) -> str:
    """Why a text stands for no classifier; empty where it may stand for one."""
    try:
        parsed = parse(spec)
        if not parsed.is_file:
            get(parsed.name)
    except ConfigError as fault:
        return str(fault)
    return ""


def _expanded(given: ModelConfig, folder: Path | None) -> Iterator[ModelConfig]:
    spec = given.spec
    if spec is None:
        yield given
    elif spec == ALL:
        yield from (replace(given, model=one, is_optional=True) for one in _every(folder))
    elif _is_pattern(spec):
        name, equals, pattern = spec.rpartition("=")
        files = sorted(glob.glob(os.fspath(at_home(pattern)), recursive=True))
        if not files:
            raise ConfigError(f"model '{spec}': no file matches {pattern}")
        if given.label and len(files) > 1:
            raise ConfigError(f"model '{given.label}': expected one file for one label, got {len(files)} by {pattern}")
        for file in files:
            yield replace(given, model=f"{name}={file}" if equals else _named(file) or file, is_optional=True)
    elif _is_bare(spec):
        yield replace(given, model=_named(spec) or _without_name(spec))
    else:
        yield given


def _is_pattern(spec: str) -> bool:
    """Whether it has signs of a pattern and is no file of that name; `@` and `:` forms keep theirs."""
    path = spec.rpartition("=")[2]
    return any(sign in path for sign in WILD) and not Path(path).exists()


def _is_bare(spec: str) -> bool:
    if any(archive in spec.lower() for archive in ARCHIVES):
        return False
    file, _ = weights_file(spec)
    return "=" not in spec and file.suffix.lower() in WEIGHTS and file.is_file()


def _named(file: str) -> str | None:
    """`NETWORK=FILE`, where the file says which network its weights are of."""
    from robench.models._checkpoints import metadata

    if file.lower().endswith(ARCHIVES):
        return file
    try:
        name = metadata(weights_file(file)[0]).get("model")
    except CheckpointError:
        return None
    return f"{name}={file}" if name else None


def _without_name(file: str) -> str:
    refuse_other_kinds(file)
    raise ConfigError(f"model '{file}': the file does not say which network it is of; expected NAME={file}")


def _every(folder: Path | None) -> list[str]:
    """Every registered model that has weights here: shipped, downloaded before, or in a folder."""
    found = [
        f"{name}={word}"
        for name in registry.names()
        for word in sorted(registry.get(name).weights)
        if _is_here(registry.get(name), word)
    ]
    if folder is not None:
        place = at_home(folder)
        if not place.is_dir():
            raise ConfigError(f"--weights {folder}: expected a folder of weights, found none")
        files = sorted(path for path in place.iterdir() if path.suffix.lower() in WEIGHTS)
        found += [spec for path in files if (spec := _named(os.fspath(path)) or _by_file_name(path))]
    if not found:
        raise ConfigError("model 'all': found no weights; give --weights DIR")
    return found


def _is_here(card: Card, word: str) -> bool:
    place = card.weights[word]
    address = place if isinstance(place, str) else getattr(place, "address", "")
    if not address.startswith("https://"):
        return bool(address) and (SHIPPED / address).is_file()
    home = os.environ.get("TORCH_HOME", os.path.join(os.environ.get("XDG_CACHE_HOME", "~/.cache"), "torch"))
    return (Path(home).expanduser() / "hub" / "checkpoints" / address.rpartition("/")[2]).is_file()


def _by_file_name(path: Path) -> str | None:
    """`resnet20-cifar10.th` is of resnet20: the longest name that the file's begins with."""
    fits = [
        name
        for name in registry.names()
        if path.stem == name or (path.stem.startswith(name) and path.stem[len(name)] in SEPARATORS)
    ]
    return f"{max(fits, key=len)}={path}" if fits else None


def label_of(model: ModelConfig, levels: int = 0) -> str:
    """What tables call a model by its argument; levels: how many folders of the checkpoint stand before its name."""
    return model.label if model.label or model.spec is None else _label(parse(model.spec), levels)


def _label(parsed: Spec, levels: int = 0) -> str:
    front = f"{_label(parsed.restorer)}+" if parsed.restorer else ""
    if parsed.is_archive:
        output = f"#{parsed.output}" if parsed.says_output else ""
        return f"{front}{stem_of(Path(str(parsed.file)), levels)}{output}"
    name = f"{parsed.name}@{parsed.activation}" if parsed.activation else parsed.name
    return front + with_stem(name, parsed.checkpoint, levels)


def _apart(chosen: Sequence[ModelConfig]) -> list[ModelConfig]:
    """Models whose files have one name, with as many folders in their labels as tell them apart."""
    by_label: dict[str, list[ModelConfig]] = {}
    for model in chosen:
        by_label.setdefault(label_of(model), []).append(model)
    levels = {label: _levels(alike) for label, alike in by_label.items()}
    return [replace(one, label=label_of(one, n)) if (n := levels[label_of(one)]) else one for one in chosen]


def _levels(alike: Sequence[ModelConfig]) -> int:
    """How many folders tell models of one label apart; 0 where they are one model, or nothing does."""
    if len({model.model for model in alike}) < len(alike) or len(alike) == 1:
        return 0
    return next((n for n in range(1, MOST_FOLDERS) if len({label_of(one, n) for one in alike}) == len(alike)), 0)


def read_models(values: object, path: Path) -> tuple[ModelConfig, ...]:
    """Models of a TOML file: texts, or tables with `model` and what else a `ModelConfig` has, also `checkpoint`.

    path: the file, for the lines of errors.
    """
    if not isinstance(values, list) or not values:
        raise ConfigError(f"{path}: expected models as a list, got {values!r:.40}")
    return tuple(_read_model(value, path) for value in values)


def _read_model(value: object, path: Path) -> ModelConfig:
    if isinstance(value, str):
        return ModelConfig.parse(value)
    known = ("model", "checkpoint", "label", "normalize", "label_map", "citation", "extra_data")
    if not isinstance(value, Mapping) or not isinstance(value.get("model"), str):
        raise ConfigError(f"{path}: expected a model as text or as a table with 'model', got {value!r:.60}")
    if wrong := [key for key in value if key not in known]:
        raise ConfigError(f"{path}: {unknown('field of a model', wrong[0], known)}")
    fields = {key: one for key, one in value.items() if key not in ("model", "checkpoint")}
    checkpoint = value.get("checkpoint")
    if checkpoint is not None and not isinstance(checkpoint, str):
        raise ConfigError(f"{path}: expected a checkpoint as text, got {checkpoint!r:.40}")
    model = value["model"] + (f"={checkpoint}" if checkpoint else "")
    return ModelConfig(model, **fields | ({"label_map": Path(fields["label_map"])} if "label_map" in fields else {}))
