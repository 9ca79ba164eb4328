"""Parts that several models of a sweep have in common: each is asked once a batch, not once a model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from robench.models import Classifier, state_sha256
from robench.models.fidelity import FidelityClassifier


class CachedModule(nn.Module):
    """A network with its last answer, for the next model that shows it the same images."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self._last: tuple[Tensor, Tensor] | None = None

    def forward(self, images: Tensor) -> Tensor:
        """The network's answer; computed where the images differ from those before."""
        if self._last is None or not _same(images, self._last[0]):
            self._last = images, self.network(images)
        return self._last[1]


@dataclass(frozen=True)
class Place:
    """Where a part stands: the restorer in front of a model, or a named part within its module; kind: what built it."""

    number: int
    name: str | None
    kind: str
    network: nn.Module


def with_shared_parts(classifiers: Sequence[Classifier]) -> list[Classifier]:
    """The same models, those with equal restorers or estimators holding one of them; they answer as before."""
    found = list(classifiers)
    alike: dict[object, list[Place]] = defaultdict(list)
    for place in _places(found):
        device = found[place.number].device
        alike[place.kind, state_sha256(place.network), device].append(place)
    for places in alike.values():
        if len(places) > 1:
            one = CachedModule(places[0].network)
            for place in places:
                found[place.number] = _put(found[place.number], place.name, one)
    return found


def _places(classifiers: Sequence[Classifier]) -> Iterator[Place]:
    for number, classifier in enumerate(classifiers):
        if classifier.restorer is not None:
            yield Place(number, None, classifier.restorer.card.name, classifier.restorer.module)
        if isinstance(whole := classifier.module, FidelityClassifier):
            yield Place(number, "restorer", whole.options.restorer, whole.restorer)
            if whole.estimator is not None:
                yield Place(number, "estimator", "the estimator", whole.estimator)


def _put(classifier: Classifier, name: str | None, one: nn.Module) -> Classifier:
    if name is None:
        assert classifier.restorer is not None
        return replace(classifier, restorer=replace(classifier.restorer, module=one))
    setattr(classifier.module, name, one)
    return classifier


def _same(images: Tensor, others: Tensor) -> bool:
    return images.shape == others.shape and images.dtype == others.dtype and torch.equal(images, others)
