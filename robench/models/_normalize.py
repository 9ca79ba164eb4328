"""The `--normalize` option and its canonical text."""

from __future__ import annotations

from typing import NamedTuple

from corruptions import read_number
from robench.errors import ConfigError, RobenchError

EXAMPLE = "imagenet, cifar10, mnist, bytes, none or m,m,m/s,s,s such as 0.5,0.5,0.5/0.25,0.25,0.25"


LEAST = 1e-3
"""Of a deviation; below 1/255, that of inputs in 0..255, nobody divides."""


class Normalization(NamedTuple):
    """(x - mean) / std per channel, for x in [0, 1]; `bytes` is the scale 0..255."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __str__(self) -> str:
        for name, known in NAMED.items():
            if self == known.spread(len(self.mean)):
                return name
        return "/".join(",".join(f"{value:g}" for value in values) for values in self)

    def spread(self, channels: int) -> Normalization:
        """The same for that many channels; one value serves all of them."""
        if len(self.mean) == channels:
            return self
        return Normalization(self.mean * channels, self.std * channels)


NAMED = {
    "imagenet": Normalization((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "cifar10": Normalization((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    "mnist": Normalization((0.1307,), (0.3081,)),
    "none": Normalization((0.0,), (1.0,)),
    "bytes": Normalization((0.0,), (1 / 255,)),
}


def parse_normalize(text: str, channels: int) -> Normalization:
    """What the option's text stands for on that many channels; anything else raises `ConfigError`."""
    chosen = NAMED.get(text) or _numbers(text)
    if len(chosen.mean) not in (1, channels):
        raise ConfigError(f"normalize '{text}': expected 1 or {channels} values for this model, got {len(chosen.mean)}")
    return chosen.spread(channels)


def check_plausible(chosen: Normalization, what: str, error: type[RobenchError]) -> None:
    """Raise `error` for a mean or deviation that pixels in [0, 1] cannot have; those of 0..255 are shown divided.

    what: whose they are.
    """
    if all(0 <= value <= 1 for value in chosen.mean) and all(LEAST <= value <= 1 for value in chosen.std):
        return
    as_bytes = Normalization(*(tuple(value / 255 for value in values) for values in chosen))
    advice = ""
    if all(0 <= value <= 1 for value in (*as_bytes.mean, *as_bytes.std)):
        texts = ("/".join(",".join(f"{value:.4g}" for value in values) for values in as_bytes),)
        advice = f"; those of pixels in 0..255 are written {texts[0]}"
    raise error(
        f"{what}: expected means and deviations of pixels in [0, 1], got "
        f"{'/'.join(','.join(f'{value:g}' for value in values) for values in chosen)}{advice}"
    )


def _numbers(text: str) -> Normalization:
    try:
        mean, std = (tuple(read_number(value) for value in half.split(",")) for half in text.split("/"))
    except ValueError:
        raise ConfigError(f"normalize '{text}': expected {EXAMPLE}") from None
    if len(mean) != len(std) or not all(value > 0 for value in std):
        raise ConfigError(f"normalize '{text}': expected as many positive deviations as means, e.g. {EXAMPLE}")
    return Normalization(mean, std)
