"""What a training starts from: its networks, with the weights that they have then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from robench.datasets import Dataset, Names
from robench.errors import ConfigError
from robench.files import sha256_file
from robench.models import weights_file
from robench.models.fidelity import PREFIX as FIDELITY
from robench.training._recipes import Recipe

if TYPE_CHECKING:
    from torch import nn

    from robench.models import Classifier, Restorer
    from robench.training._tasks import Task

BEGINS_FROM = {"estimate": "the restorer in model, RESTORER=CHECKPOINT", "calibrate": "its parts and its estimator"}
"""Tasks that read no `init`."""


def began_from(
    model: str, init: str | None = None, parts: str | None = None, estimator: str | Path | None = None
) -> dict[str, str]:
    """sha256 of each file of weights that a training begins from or goes through, as its checkpoint notes them.

    model, init, parts, estimator: as for `train`. start_sha256: of the network itself; restorer_sha256: in front of it
    or among the parts; classifier_sha256: among the parts; estimator_sha256. Weights by a published name are no file.
    """
    own, front = _files_of(model)
    classifier, restorer = _files_of(parts) if parts else (None, None)
    files = {
        "start": init or own,
        "restorer": front or restorer,
        "classifier": classifier,
        "estimator": estimator,
    }
    paths = {name: weights_file(str(file))[0] for name, file in files.items() if file is not None}
    return {f"{name}_sha256": sha256_file(path) for name, path in paths.items() if path.is_file()}


def _files_of(spec: str) -> tuple[str | None, str | None]:
    """The checkpoint of a network, or of a restorer by itself, and that of a restorer in front."""
    from robench import models

    name, _, checkpoint = spec.partition("=")
    if name in models.restorers and "+" not in spec:
        return checkpoint or None, None
    parsed = models.parse(spec)
    return parsed.checkpoint, parsed.restorer.checkpoint if parsed.restorer else None


@dataclass(frozen=True)
class InitialWeights:
    """The options of `train` that say which networks there are."""

    model: str
    init: str | None
    parts: str | None
    estimator: str | Path | None
    normalize: str | None
    seed: int
    device: str

    def check(self, recipe: Recipe) -> None:
        """Refuse what the recipe's task would not read."""
        name, task = f"recipe '{recipe.name}'", recipe.task
        if task != "calibrate" and (self.parts or self.estimator):
            raise ConfigError(f"{name}: parts and an estimator are for calibration alone")
        if task != "classify" and self.normalize is not None:
            raise ConfigError(f"{name}: task '{task}' takes images in [0, 1]; leave out normalize '{self.normalize}'")
        if task in BEGINS_FROM and self.init is not None:
            raise ConfigError(f"{name}: task '{task}' begins from {BEGINS_FROM[task]}; leave out init '{self.init}'")

    def class_names(self, recipe: Recipe) -> list[Names]:
        """The classes of the trained classifiers that it begins from, empty names where they are unknown."""
        from robench import models

        if recipe.task == "calibrate":
            return [models.class_names(self.parts)] if self.parts else []
        if recipe.task != "classify":
            return []
        spec = self._with_init(models.parse(self.model).checkpoint)
        return [models.class_names(spec)]

    def task(self, recipe: Recipe, train_set: Dataset) -> Task:
        """The network to be trained, with what the recipe has it do."""
        from robench.training import _tasks

        if recipe.task == "restore":
            return _tasks.Restoration(self._restorer(trained=False), recipe)
        if recipe.task == "estimate":
            return _tasks.Estimation(self._estimator(), self._restorer(trained=True), recipe)
        if recipe.task == "calibrate":
            return _tasks.Calibration(self._calibrated(train_set), recipe)
        return _tasks.Classification(self._classifier(train_set, recipe), recipe)

    def _classifier(self, train_set: Dataset, recipe: Recipe) -> Classifier:
        from robench import models

        spec = models.parse(self.model)
        if spec.restorer is not None and spec.restorer.checkpoint is None:
            raise ConfigError(
                f"model '{self.model}': expected {spec.restorer.name}=CHECKPOINT in front, got no weights"
            )
        if recipe.first_layers and spec.checkpoint is None and self.init is None:
            raise ConfigError(
                f"recipe '{recipe.name}' tunes layers of a trained network: expected {self.model}=CHECKPOINT or init, "
                "got no weights"
            )
        if spec.is_archive:
            raise ConfigError(f"model '{self.model}': an archive cannot be trained")
        if spec.name.startswith(FIDELITY):
            raise ConfigError(f"model '{self.model}': expected a recipe that calibrates, such as fidelity-calibration")
        return models.load(
            self._with_init(spec.checkpoint),
            classes=len(train_set.classes),
            input_size=train_set.shape[:2],
            normalize=self.normalize or recipe.normalize,
            random_weights=True,
            seed=self.seed,
            device=self.device,
            transfer=True,
            class_names=train_set.classes if recipe.first_layers else None,
        )

    def _restorer(self, *, trained: bool) -> Restorer:
        """trained: it must have learned before."""
        from robench import models

        name, equals, checkpoint = self.model.partition("=")
        if trained and not equals:
            raise ConfigError(f"model '{self.model}': expected the restorer with weights, {name}=CHECKPOINT")
        spec = self._with_init(checkpoint if equals else None)
        return models.load_restorer(spec, random_weights=True, seed=self.seed, device=self.device)

    def _with_init(self, checkpoint: str | None) -> str:
        """The model and the checkpoint that it goes on from. checkpoint: the one that it names itself."""
        if self.init is None:
            return self.model
        if checkpoint is not None:
            raise ConfigError(f"model '{self.model}' names its checkpoint already; leave out init '{self.init}'")
        return f"{self.model}={self.init}"

    def _estimator(self) -> nn.Module:
        from robench import models

        return models.load_estimator(self.estimator, seed=self.seed, device=self.device)

    def _calibrated(self, train_set: Dataset) -> Classifier:
        from robench import models
        from robench.models.fidelity import Options, assemble

        spec = models.parse(self.model)
        name, *words = spec.name.removeprefix(FIDELITY).split(",")
        if not spec.name.startswith(FIDELITY) or spec.checkpoint is not None or not self.parts:
            raise ConfigError(
                f"calibration needs a model {FIDELITY}NAME that is new and parts RESTORER=CHECKPOINT+NAME=CHECKPOINT, "
                f"got '{self.model}' and '{self.parts or 'none'}'"
            )
        options = Options.of(words)
        self._check_estimator(options.estimator)
        self._check_restorer(words)
        parts = models.load(
            self.parts,
            classes=len(train_set.classes),
            input_size=train_set.shape[:2],
            device=self.device,
            class_names=train_set.classes,
        )
        if parts.card.name != name:
            raise ConfigError(f"model '{self.model}': expected parts with {name}, got {parts.label}")
        if self.estimator is not None and parts.restorer is not None:
            self._check_learned(Path(self.estimator), options.map, parts.restorer)
        estimator = None if options.estimator == "oracle" else self._estimator()
        return assemble(parts, options, estimator, seed=self.seed)

    def _check_restorer(self, words: Sequence[str]) -> None:
        """The parts decide on the restorer; an option may name the same."""
        from robench import models

        part = models.parse(str(self.parts)).restorer
        for word in words:
            if part is not None and word in models.restorers.names() and word != part.name:
                raise ConfigError(f"model '{self.model}': expected parts with {word}, got {self.parts}")

    @staticmethod
    def _check_learned(estimator: Path, kind: str, restorer: Restorer) -> None:
        """Where the estimator's file says so, that it learned this map of this restorer's images."""
        from robench import models

        metadata = models.metadata(models.weights_file(str(estimator))[0])
        for key, wanted in (("fidelity_map", kind), ("restorer", restorer.weights_sha256)):
            if metadata.get(key, wanted) != wanted:
                raise ConfigError(f"estimator {estimator}: expected {key} {wanted[:12]}, got {metadata[key][:12]}")

    def _check_estimator(self, kind: str) -> None:
        """An oracle would not read one, and one that is frozen has learned before."""
        if kind == "oracle" and self.estimator is not None:
            raise ConfigError(f"model '{self.model}': expected no estimator for an oracle, got '{self.estimator}'")
        if kind == "pretrained" and self.estimator is None:
            raise ConfigError(f"model '{self.model}': expected an estimator=CHECKPOINT, got none")
