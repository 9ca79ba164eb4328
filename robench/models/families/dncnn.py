"""DnCNN (Zhang et al. 2017): a restorer that predicts the noise and takes it away."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from robench.models._restorers import restorer

if TYPE_CHECKING:
    from torch import Tensor, nn

WIDTH = 64


def dncnn(channels: int, depth: int) -> nn.Module:
    """`depth` convolutions, batch norm in all but the first and last: (N, channels, H, W) to the same, any H and W.

    Keys as in github.com/cszn/DnCNN (TrainingCodes/dncnn_pytorch), so that weights trained there fit. The last layer
    starts as zeros, so training begins with the image itself; the others are drawn after He et al., as in the paper.
    Batch norm has torch's momentum, where that code's lets the newest batch count 0.95.
    """
    from torch import nn

    net = _network()(channels, depth)
    convolutions = [part for part in net.modules() if isinstance(part, nn.Conv2d)]
    for part in convolutions:
        nn.init.kaiming_normal_(part.weight)
    nn.init.zeros_(convolutions[-1].weight)
    return net


for _name, _channels, _depth, _params in (("dncnn", 1, 17, 556_096), ("cdncnn", 3, 20, 669_376)):
    restorer(
        _name,
        channels=_channels,
        params=_params,
        source=f"Zhang et al. 2017 (IEEE TIP 26(7), arXiv:1608.03981) section III, depth {_depth}",
    )(partial(dncnn, _channels, _depth))


@cache
def _network() -> type[nn.Module]:
    """The class, made on first use: listing models needs no torch."""
    from torch import nn

    class DnCNN(nn.Module):
        def __init__(self, channels: int, depth: int) -> None:
            super().__init__()
            layers: list[nn.Module] = [nn.Conv2d(channels, WIDTH, 3, padding=1), nn.ReLU()]
            for _ in range(depth - 2):
                convolution = nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=False)
                layers += [convolution, nn.BatchNorm2d(WIDTH, eps=1e-4), nn.ReLU()]
            self.dncnn = nn.Sequential(*layers, nn.Conv2d(WIDTH, channels, 3, padding=1, bias=False))

        def forward(self, x: Tensor) -> Tensor:
            noise: Tensor = self.dncnn(x)
            return x - noise

    return DnCNN
