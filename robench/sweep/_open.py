"""What the names of a configuration stand for: data set, models and cells, loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import corruptions
from corruptions import Strength
from robench import datasets, models
from robench.datasets import Dataset, GeneratedSet
from robench.errors import ConfigError, ModelError, RobenchError
from robench.models import Classifier, ModelConfig
from robench.precision import precision_text
from robench.selection import Cells, check_geometry, select
from robench.sweep._cached import with_shared_parts
from robench.sweep._config import SweepConfig
from robench.sweep._live import in_memory, live
from robench.sweep._plan import SweepPlan
from robench.sweep._precision import compiled
from robench.sweep._runner import clean_of

Loaded = list[tuple[ModelConfig, Classifier]]


class Opened(NamedTuple):
    """What a config names, loaded; copies: the classifiers on each device but the first; said: lines for the screen."""

    data: Dataset | GeneratedSet
    classifiers: list[Classifier]
    plan: SweepPlan
    copies: list[list[Classifier]]
    said: list[str]


def opened(config: SweepConfig) -> Opened:
    """Load the data and the models. Whatever does not fit raises RobenchError or CorruptionError."""
    asked, strange = models.expand(config.model_configs, config.weights)
    config = replace(config, models=tuple(asked), weights=None)
    cells = select(config.suites, config.corruptions, config.severities, config.levels)
    precision = precision_text(config.precision, config.compile)
    data: Dataset | GeneratedSet
    views: list[str] = []
    if isinstance(config.dataset, GeneratedSet) or str(config.dataset).startswith("generated:"):
        data = config.dataset if isinstance(config.dataset, GeneratedSet) else _open(config)
        plan = replace(_plan_of(data, config, cells), precision=precision)
    else:
        if config.clean is not None:
            raise ConfigError(f"--clean is for a generated set; got it with '{config.dataset}'")
        views = _views(config)
        photo_view = views[0] if len(views) == 1 else None
        data = _loaded(config.dataset, config, name=config.dataset_name, photo_view=photo_view)
        check_geometry(config.suites, data.name, data.view, data.shape)
        pictures = None if config.frost_dir is None else datasets.textures(config.frost_dir)
        digest = datasets.textures_digest(pictures)
        plan = SweepPlan(
            cells,
            config.seeds,
            _suites(config),
            config.severity_table,
            precision,
            textures=pictures,
            textures_digest=digest,
        )
        if not cells:
            raise ConfigError("expected a suite (-s) or a corruption (-c), got neither")
    clean = clean_of(data)
    device, *further = config.device.split(",")
    loaded, skipped = _loaded_models(config, clean, device)
    every = [[one for _, one in loaded]]
    every += [[_classifier(config, model, clean, other) for model, _ in loaded] for other in further]
    first, *others = (with_shared_parts([_as_asked(config, one) for one in some]) for some in every)
    for classifier in first:
        if classifier.needs_clean and not clean.has_images:
            raise ConfigError(f"model '{classifier.label}' needs the clean images of {config.dataset}: --clean DATASET")
    return Opened(
        data, first, plan, others, [*strange, *skipped, *_about_view(config, views, clean), *map(_about, first)]
    )


def _loaded(spec: str | Dataset, config: SweepConfig, **more: Any) -> Dataset:
    """A data set with the view, the choice of images and the order of classes that are asked for."""
    if isinstance(spec, Dataset):
        return in_memory(spec, config)
    return datasets.load(spec, view=config.view, **_choice(config), **more)


def _choice(config: SweepConfig) -> dict[str, Any]:
    """Which images are meant, and the order of their classes."""
    return {
        "limit": config.limit,
        "ids": config.ids,
        "class_order": config.class_order,
        "learned": _learned(config),
    }


def _learned(config: SweepConfig) -> list[datasets.Names]:
    """The class names of each model, where they count: a label map goes by the names of the data set alone."""
    specs = [model.spec for model in config.model_configs if not (model.label_map or config.label_map)]
    return [models.class_names(spec) if spec else () for spec in specs]


def _views(config: SweepConfig) -> list[str]:
    """The views that the models' cards want for photographs, each once; none where a suite has a view of its own."""
    if any(corruptions.suite(name).views for name in config.suites):
        return []
    parsed = [models.parse(model.spec) for model in config.model_configs if model.spec]
    cards = [(models.get(one.name), one.checkpoint) for one in parsed if not one.is_file]
    return list(dict.fromkeys(view for card, word in cards if (view := card.views.get(word or "", card.view))))


def _about_view(config: SweepConfig, views: Sequence[str], clean: Dataset) -> list[str]:
    """The view of the images, where models have a word in it by their cards' views."""
    if config.view or not views or clean.view == "native":
        return []
    if [clean.view] == [*views]:
        return [f"{clean.name}: view {clean.view}, of the models' cards"]
    why = "models differ" if len(views) > 1 else "the suite or the data set has its own"
    return [f"{clean.name}: view {clean.view}, not {' or '.join(views)} of the models' cards: {why}; choose by --view"]


def _about(classifier: Classifier) -> str:
    line = f"{classifier.label}: {classifier.preprocessing()}"
    side, shorter = max(classifier.card.size or (0,)), min(classifier.size or (0,))
    if classifier.resize_policy.startswith("resize") and 0 < shorter <= side // 2:
        name = classifier.card.name
        other = f"{name}:{shorter}" if name.startswith("torchvision:") else f"{name}_{shorter}"
        way = f"; {other} takes them as they are" if other.startswith("torchvision:") or other in models.names() else ""
        line += f"\nwarning: {classifier.label}: images of {shorter} pixels are enlarged to {side}{way}"
    return line


def _suites(config: SweepConfig) -> dict[str, Cells]:
    return {name: select([name]) for name in config.suites}


def _loaded_models(config: SweepConfig, clean: Dataset, device: str) -> tuple[Loaded, list[str]]:
    """The classifier of each model, and a line for each optional model that is no classifier of the data set."""
    models.pick_device(device)
    loaded: Loaded = []
    skipped = []
    for model in config.model_configs:
        try:
            if model.is_optional:
                _check_trained_on(str(model.spec), clean)
            loaded.append((model, _classifier(config, model, clean, device)))
        except RobenchError as fault:
            if not model.is_optional:
                raise
            skipped.append(f"skipped {model.label or model.spec}: {fault}")
    if not loaded:
        raise ConfigError(f"no model is a classifier of {clean.name}; {'; '.join(skipped[:3])}")
    return loaded, skipped


def _check_trained_on(spec: str, clean: Dataset) -> None:
    """Raise ModelError where a checkpoint without class names was trained on another of the data sets by name."""
    trained = models.trained_on(spec)
    families = {_registered(trained), _registered(clean.name)} - {""}
    if len(families) == 2 and not models.class_names(spec):
        raise ModelError(f"trained on {trained}")


def _registered(name: str) -> str:
    """The registered data set that a data set's name begins with, as cifar10 for cifar10-jpeg; empty where none is."""
    return max((known for known in datasets.names() if name.startswith(known)), key=len, default="")


def _classifier(config: SweepConfig, model: ModelConfig, clean: Dataset, device: str) -> Classifier:
    """The classifier that a model is for the images of a data set."""
    if model.spec:
        made = models.load(
            model.spec,
            classes=len(clean.classes),
            input_size=clean.shape[:2],
            normalize=model.normalize or config.normalize,
            random_weights=config.random_weights,
            device=device,
            class_names=clean.classes,
            label_map=model.label_map or config.label_map,
            output=config.output,
        )
    else:
        made = live(model.model, clean, device)
    return replace(made, label=model.label or made.label, about=model.about)


def _as_asked(config: SweepConfig, classifier: Classifier) -> Classifier:
    """Compiled where that is asked; what torch does not compute takes neither that nor a precision."""
    if not classifier.is_of_torch and (config.compile or config.precision != "fp32"):
        asked = "--compile" if config.compile else f"--precision {config.precision}"
        raise ConfigError(f"model '{classifier.label}': an ONNX file is computed as it stands, got {asked}")
    return replace(classifier, module=compiled(classifier.module)) if config.compile else classifier


def _open(config: SweepConfig) -> GeneratedSet:
    """The generated set; a downloaded one gets its clean images from --clean, in its view."""
    folder = Path(config.dataset.partition(":")[2])
    if config.clean is None:
        if config.view is not None:
            raise ConfigError(f"a generated set has its view; got --view {config.view}")
        return datasets.open_generated(folder, name=config.dataset_name, **_choice(config))
    clean = _loaded(config.clean, config)
    return datasets.open_generated(folder, clean=clean, name=config.dataset_name)


def _published_strength(key: str) -> Strength:
    """The strength of a downloaded set's cell, `3` or `3@jpeg85`, of a corruption that need not be known here."""
    severity, _, stored = key.partition("@")
    return Strength(severity=int(severity), stored=stored)


def _plan_of(opened: GeneratedSet, config: SweepConfig, cells: Cells) -> SweepPlan:
    """The cells asked of a set, or all it has; one that it lacks, or another seed, is a ConfigError."""
    there: Cells = {}
    downloaded = not opened.manifest
    for name, _, key in opened.cells:
        strength = _published_strength(key) if downloaded else corruptions.get(name).parse(key)
        there.setdefault(name, []).append(strength)
    for name, strengths in cells.items():
        for strength in strengths:
            if strength not in there.get(name, []):
                known = f"{name} {', '.join(map(str, there[name]))}" if name in there else ", ".join(there)
                raise ConfigError(f"{opened.path} holds no {name} {strength}; it has {known}")
    if config.frost_dir is not None:
        raise ConfigError("a generated set has its frost; got --frost-dir")
    if config.severity_table not in (None, opened.severity_table):
        raise ConfigError(
            f"{opened.path} was made with native {opened.severity_table}, asked for {config.severity_table}"
        )
    seed = opened.seed or 0
    if config.seeds not in ((0,), (seed,)):
        raise ConfigError(f"{opened.path} was made with seed {seed}, asked for {','.join(map(str, config.seeds))}")
    versions = {name: version for name, version, _ in opened.cells if version is not None}
    names = [*(cells or there)] if downloaded else []
    return SweepPlan(
        cells or there,
        (seed,),
        _suites(config),
        opened.severity_table,
        files_sha256={name: opened.files_sha256(name) for name in names},
        published=datasets.published_facts(opened.published_set, {name: opened.published(name) for name in names}),
        versions=versions,
        textures_digest=str(opened.manifest.get("textures", "")),
    )
