"""What corrects a frozen network's features by a map of confidence: over pixels, over channels, and their ensemble.

Left as they start, all of them together change nothing, to the last bit: the pre-trained network is where training
begins. The paper says nothing of the start of these layers. Here their weights are Xavier's and their biases 0, as of
the layers that it replaces when it fine-tunes; what reaches the features is scaled by a learned gain that starts at 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from robench.errors import ModelError
from robench.models.fidelity._options import Options
from robench.models.fidelity._places import Places

WIDTH = 16  # channels between the convolutions
Change = tuple[str, Callable[[Tensor], Tensor]]


@contextmanager
def changed(net: nn.Module, changes: Sequence[Change]) -> Iterator[None]:
    """Within the block, what passes a place is replaced by what its function makes of it; the first listed is first.

    The network itself stays as it is: hooks come with the block and go with it. A module that it does not have raises
    `ModelError`.
    """
    with ExitStack() as stack:
        for place, change in changes:
            side, _, name = place.partition(" ")
            try:
                module = net.get_submodule(name)
            except AttributeError:
                raise ModelError(f"fidelity: no place '{place}': {type(net).__name__} has no '{name}'") from None
            if side == "before":
                hook = module.register_forward_pre_hook(lambda _, given, change=change: change(given[0]))
            else:
                hook = module.register_forward_hook(lambda _, __, output, change=change: change(output))
            stack.callback(hook.remove)
        yield


def resized(fidelity: Tensor, size: tuple[int, ...], how: str) -> Tensor:
    """(N, C, H, W) to (N, C, *size), without a filter before it: what the paper's torch had.

    how: bilinear, bicubic or nearest.
    """
    if fidelity.shape[2:] == size:
        return fidelity
    return F.interpolate(fidelity, size=size, mode=how, align_corners=None if how == "nearest" else False)


def flattened(fidelity: Tensor, length: int, how: str) -> Tensor:
    """(N, 1, H, W) to (N, length): row after row in one half, column after column in the other, each shortened.

    The first half is the larger one. how: as for `resized`, along the one axis.
    """
    lines = (fidelity.flatten(1), fidelity.transpose(2, 3).flatten(1))
    sizes = (length - length // 2, length // 2)
    return torch.cat(
        [resized(line[:, None, None], (1, n), how)[:, 0, 0] for line, n in zip(lines, sizes, strict=True)], 1
    )


class Spatial(nn.Module):
    """The map on its way through the places, made anew before each by Conv-ReLU-Conv-ReLU-Conv.

    The layers of a place start from the map that those of the place before it left, brought to the features' size.
    With `residual` they learn what to add to it. Open in the paper: 16 channels between the convolutions, one before
    and after, kernels of 3x3, zeros around, biases.
    """

    def __init__(self, places: int, how: str, *, residual: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_convolutions() for _ in range(places))
        self.gains = nn.Parameter(torch.zeros(places))
        self.how, self.residual = how, residual

    def forward(self, place: int, fidelity: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """The map (N, 1, h, w) for the next place, and the features (N, C, h, w), corrected.

        fidelity: the map of the place before, (N, 1, H, W); of the first place, the map of confidence.
        """
        fidelity = resized(fidelity, features.shape[2:], self.how)
        learned = self.layers[place](fidelity)
        fidelity = fidelity + learned if self.residual else learned
        return fidelity, self.apply_to(features, self.gains[place] * fidelity)

    def apply_to(self, features: Tensor, signal: Tensor) -> Tensor:
        """Features (N, C, h, w) corrected by the signal (N, 1, h, w), the same for all channels."""
        raise NotImplementedError


class SpatialMultiplication(Spatial):
    """Section 4.3.1: features times 2 sigmoid(map), so between 0 and 2 times, 1 where the map is 0."""

    def apply_to(self, features: Tensor, signal: Tensor) -> Tensor:
        return features * (2 * torch.sigmoid(signal))


class SpatialAddition(Spatial):
    """Section 4.3.3: the same architecture without the sigmoid, added to the features, here after multiplication."""

    def apply_to(self, features: Tensor, signal: Tensor) -> Tensor:
        return features + signal


class ChannelMultiplication(nn.Module):
    """Section 4.3.4: features times 2 sigmoid(FC-ReLU-FC of the flattened map), one value for each channel.

    With `residual` the layers learn what to add to the flattened map. Open in the paper: the width between the layers,
    here that of the features, and whether the sigmoid is doubled, here as in spatial multiplication.
    """

    def __init__(self, channels: int, *, residual: bool) -> None:
        super().__init__()
        self.layers = _xavier(nn.Sequential(nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, channels)))
        self.gain = nn.Parameter(torch.zeros(()))
        self.residual = residual

    def forward(self, features: Tensor, fidelity: Tensor) -> Tensor:
        """Features (N, C, ...), the flattened map (N, C): the features, corrected."""
        learned = self.layers(fidelity)
        signal = self.gain * (fidelity + learned if self.residual else learned)
        return features * _at_channels(2 * torch.sigmoid(signal), features)


class ChannelConcatenation(nn.Module):
    """Section 4.3.5: FC-ReLU-FC of the features and the flattened map, side by side, of the features' own size.

    With `residual` the layers learn what to add to the features, from a last one of zeros. Without it they start as the
    identity, which features out of a ReLU pass unchanged. Features with positions, as AlexNet has them, are treated
    alike at each. Open in the paper: the width between the layers, here that of the features; which flattened map, here
    the one that channel multiplication is given too.
    """

    def __init__(self, channels: int, *, residual: bool) -> None:
        super().__init__()
        first, last = nn.Linear(2 * channels, channels), nn.Linear(channels, channels)
        self.layers = _xavier(nn.Sequential(first, nn.ReLU(), last))
        self.residual = residual
        if residual:
            nn.init.zeros_(last.weight)
        else:
            nn.init.eye_(first.weight)
            nn.init.eye_(last.weight)

    def forward(self, features: Tensor, fidelity: Tensor) -> Tensor:
        """Features (N, C, ...), the flattened map (N, C): the features, corrected."""
        fidelity = _at_channels(fidelity, features).expand_as(features)
        both = torch.cat([features, fidelity], dim=1).movedim(1, -1)
        learned: Tensor = self.layers(both).movedim(-1, 1)
        return features + learned if self.residual else learned


class Ensemble(nn.Module):
    """Section 4.3.6: corrected and original features, weighted for each channel by a learned sigmoid, 0.5 at the start.

    Open in the paper: what is done for each element of the two, and of which image the original features are; here
    they are those that the pre-trained network has of the restored image.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(channels))

    def forward(self, features: Tensor, original: Tensor) -> Tensor:
        """Both (N, C, ...)."""
        return original + _at_channels(torch.sigmoid(self.weights)[None], features) * (features - original)


class Calibration(nn.Module):
    """All modules that are switched on, and where they stand: everything that is trained beside an estimator."""

    def __init__(self, places: Places, options: Options) -> None:
        super().__init__()
        self.places, self.how = places, options.down
        channels, residual = places.channels, options.has("residual")
        spatial = {"multiplication": SpatialMultiplication, "addition": SpatialAddition}
        channel = {"multiplication": ChannelMultiplication, "concatenation": ChannelConcatenation}
        self.spatial = nn.ModuleDict(
            {
                name: kind(len(places.spatial), self.how, residual=residual)
                for name, kind in spatial.items()
                if options.has(f"spatial-{name}")
            }
        )
        self.channel = nn.ModuleDict(
            {
                name: kind(channels, residual=residual)
                for name, kind in channel.items()
                if options.has(f"channel-{name}")
            }
        )
        self.ensemble = Ensemble(channels) if options.has("ensemble") else None

    def changes(self, fidelity: Tensor, original: Tensor | None) -> list[Change]:
        """What is done at each place, for one pass through the network.

        fidelity: the map of confidence (N, 1, H, W). original: the features (N, C, ...) for the ensemble, where it is.
        """
        maps = dict.fromkeys(self.spatial, fidelity)

        def correct(place: int, features: Tensor) -> Tensor:
            for name, module in self.spatial.items():
                maps[name], features = module(place, maps[name], features)
            return features

        spatial = [(name, partial(correct, place)) for place, name in enumerate(self.places.spatial)]
        return [*spatial, (self.places.features, partial(self._correct_channels, fidelity, original))]

    def _correct_channels(self, fidelity: Tensor, original: Tensor | None, features: Tensor) -> Tensor:
        if features.shape[1] != self.places.channels:
            raise ModelError(
                f"fidelity: expected {self.places.channels} channels {self.places.features}, got {features.shape[1]}"
            )
        line = flattened(fidelity, self.places.channels, self.how)
        for module in self.channel.values():
            features = module(features, line)
        return features if self.ensemble is None or original is None else self.ensemble(features, original)


def _convolutions() -> nn.Sequential:
    first, second, third = (
        nn.Conv2d(inputs, outputs, 3, padding=1) for inputs, outputs in ((1, WIDTH), (WIDTH, WIDTH), (WIDTH, 1))
    )
    return _xavier(nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), third))


def _xavier(layers: nn.Sequential) -> nn.Sequential:
    for name, parameter in layers.named_parameters():
        (nn.init.xavier_uniform_ if name.endswith("weight") else nn.init.zeros_)(parameter)
    return layers


def _at_channels(values: Tensor, features: Tensor) -> Tensor:
    """(N, C) as (N, C, 1, ...), to be broadcast over whatever positions the features have."""
    return values.reshape(*values.shape, *(1,) * (features.ndim - 2))
