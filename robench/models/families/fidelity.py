"""`fidelity:NAME[,OPTION...]`: fidelity-calibrated classifiers, of every network whose places are known."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from robench.models._registry import Card, family, get
from robench.models._restorers import restorers
from robench.models.fidelity import PREFIX, Options, places_of

if TYPE_CHECKING:
    from torch import nn


@family("fidelity")
def card(name: str) -> Card:
    """The card of a network with restorer, estimator and calibration: the network's own, for inputs in [0, 1].

    name: a network's name in MODEL, then options, as in `resnet20,l2,no-ensemble`. Raises `ConfigError` for an unknown
    name or option, `ModelError` for a network without known places.
    """
    known, *words = name.split(",")
    options = Options.of(words)
    inner = get(known)
    places_of(inner.name)
    restorers.get(options.restorer)
    return Card(
        name=",".join((f"{PREFIX}{inner.name}", *options.words)),
        input_size=inner.input_size,
        channels=inner.channels,
        mean=(0.0,) * inner.channels,
        std=(1.0,) * inner.channels,
        params=None,
        classes=inner.classes,
        source="Lin 2021, Learning degraded image classification with restoration data fidelity, chapter 4",
        resize_policy=inner.resize_policy,
        build=partial(_build, inner, options),
    )


def _build(inner: Card, options: Options, classes: int) -> nn.Module:
    from robench.models._classifier import Restorer
    from robench.models._normalize import Normalization
    from robench.models.fidelity import Estimator, FidelityClassifier

    front = restorers.get(options.restorer)
    return FidelityClassifier(
        inner.build(classes),
        Normalization(inner.mean, inner.std),
        places_of(inner.name),
        Restorer(front, front.name, front.build(), weights_sha256=""),
        None if options.estimator == "oracle" else Estimator(),
        options,
    )
