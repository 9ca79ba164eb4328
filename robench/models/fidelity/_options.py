"""The choices that a fidelity-calibrated classifier leaves, and their words in MODEL. No torch here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from corruptions import unknown
from robench.errors import ConfigError
from robench.models._restorers import restorers

PREFIX = "fidelity:"
"""Of MODEL, before the network's name and its options."""
MODULES = (
    "spatial-multiplication",
    "residual",
    "spatial-addition",
    "channel-multiplication",
    "channel-concatenation",
    "ensemble",
)
CALIBRATING = {name for name in MODULES if name.startswith(("spatial", "channel"))}
CHOICES = {
    "map": ("l1", "l2", "cosine"),
    "down": ("bilinear", "bicubic", "nearest"),
    "estimator": ("end-to-end", "pretrained", "oracle"),
}


@dataclass(frozen=True)
class Options:
    """How a fidelity-calibrated classifier is made; the defaults are the paper's full model.

    map: of restored and clean image, l1, l2 or cosine.
    down: how the map is brought to the features' size, bilinear, bicubic or nearest.
    estimator: where the map comes from: an estimator trained with the calibration ("end-to-end") or before it and
        frozen ("pretrained"), or the clean image ("oracle").
    restorer: a name of `robench.models.restorers`.
    without: the modules left out, of `spatial-multiplication`, `residual`, `spatial-addition`,
        `channel-multiplication`, `channel-concatenation` and `ensemble`. Section 4.3.2 does not say where the residual
        connections are; here each stands around one stack of trained layers.
    Impossible values raise `ConfigError`.
    """

    map: str = "l1"
    down: str = "bilinear"
    estimator: str = "end-to-end"
    restorer: str = "cdncnn"
    without: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for field, allowed in CHOICES.items():
            if getattr(self, field) not in allowed:
                raise ConfigError(f"fidelity: {field} must be {', '.join(allowed)}, got '{getattr(self, field)}'")
        for name in sorted(self.without - set(MODULES)):
            raise ConfigError(f"fidelity: {unknown('module', name, MODULES)}")
        if self.without >= CALIBRATING:
            raise ConfigError("fidelity: expected at least one spatial or channel module, all are left out")

    @classmethod
    def of(cls, words: Iterable[str]) -> Options:
        """The options of a MODEL argument, each a word that says itself what it sets; wrong ones raise `ConfigError`.

        >>> Options.of(["nearest", "no-residual"])
        Options(map='l1', down='nearest', estimator='end-to-end', restorer='cdncnn', without=frozenset({'residual'}))
        """
        given: dict[str, str] = {}
        without = set()
        fields = {word: field for field, words in _words().items() for word in words}
        for word in words:
            field = fields.get(word)
            if field is None:
                raise ConfigError(f"fidelity: {unknown('option', word, fields)}")
            if field == "without":
                without.add(word.removeprefix("no-"))
            elif field in given:
                raise ConfigError(f"fidelity: expected one {field}, got '{given[field]}' and '{word}'")
            else:
                given[field] = word
        return cls(**given, without=frozenset(without))

    @property
    def words(self) -> tuple[str, ...]:
        """The options that are not the default, as `of` takes them, in one order.

        >>> Options(down="nearest", map="l2", without=frozenset({"ensemble"})).words
        ('l2', 'nearest', 'no-ensemble')
        """
        chosen = [getattr(self, field) for field in _words() if field != "without"]
        usual = [getattr(DEFAULT, field) for field in _words() if field != "without"]
        changed = [word for word, default in zip(chosen, usual, strict=True) if word != default]
        return (*changed, *(f"no-{name}" for name in MODULES if name in self.without))

    def has(self, module: str) -> bool:
        """Whether the module of that name is there."""
        return module not in self.without


DEFAULT = Options()


def _words() -> dict[str, tuple[str, ...]]:
    return {**CHOICES, "restorer": restorers.names(), "without": tuple(f"no-{name}" for name in MODULES)}
