"""GoogLeNet with its auxiliary heads and batch norm: `googlenet` for 224 pixels, `googlenet_64`, `googlenet_32`."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any

from robench.models._input_sizes import register

if TYPE_CHECKING:
    from torch import Tensor, nn

HALF = {"mean": (0.5,) * 3, "std": (0.5,) * 3}  # what the published weights were trained with


def googlenet(input_size: int, classes: int) -> nn.Module:
    """(N, 3, side, side) -> (N, classes); in training mode a tuple, the logits and those of two auxiliary heads.

    torchvision's, with ReLUs that are modules. The paper adds the heads' losses with weight 0.3. Inputs are in
    [-1, 1]. For 32 and 64 the first convolution, 7x7 with stride 2, becomes 3x3 with stride 1; the pooling after it is
    left out, and for 32 the next one too, so that the first inception block sees 32x32 columns.
    """
    from torch import nn
    from torchvision import models
    from torchvision.models.googlenet import Inception

    convolution, head = _blocks()
    blocks = [convolution, partial(Inception, conv_block=convolution), head]
    net: nn.Module = models.GoogLeNet(classes, aux_logits=True, init_weights=True, blocks=blocks)
    if input_size == 224:
        return net
    first = convolution(3, 64, kernel_size=3, padding=1)
    nn.init.trunc_normal_(next(first.parameters()), std=0.01)
    net.conv1, net.maxpool1 = first, nn.Identity()
    if input_size == 32:
        net.maxpool2 = nn.Identity()
    return net


register(
    "googlenet",
    googlenet,
    params={224: 13_004_888, 64: 10_537_208, 32: 9_952_958},
    words=("IMAGENET1K_V1",),
    source="Szegedy et al. 2014 (arXiv:1409.4842) with batch norm, as in torchvision",
    **HALF,
)


@cache
def _blocks() -> tuple[type[nn.Module], type[nn.Module]]:
    """A convolution and an auxiliary head, made on first use; keys as torchvision's."""
    from torch import nn

    class Convolution(nn.Module):
        def __init__(self, inputs: int, outputs: int, **options: Any) -> None:
            super().__init__()
            self.conv = nn.Conv2d(inputs, outputs, bias=False, **options)
            self.bn = nn.BatchNorm2d(outputs, eps=0.001)
            self.relu = nn.ReLU(inplace=True)

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.relu(self.bn(self.conv(x)))
            return out

    class Auxiliary(nn.Module):
        def __init__(self, inputs: int, classes: int, dropout: float) -> None:
            super().__init__()
            self.pool = nn.AdaptiveAvgPool2d(4)
            self.conv = Convolution(inputs, 128, kernel_size=1)
            self.fc1 = nn.Linear(2048, 1024)
            self.relu = nn.ReLU(inplace=True)
            self.dropout = nn.Dropout(dropout)
            self.fc2 = nn.Linear(1024, classes)

        def forward(self, x: Tensor) -> Tensor:
            x = self.conv(self.pool(x)).flatten(1)
            logits: Tensor = self.fc2(self.dropout(self.relu(self.fc1(x))))
            return logits

    return Convolution, Auxiliary
