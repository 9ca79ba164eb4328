"""The CIFAR ResNets of He et al.: 6n + 2 layers, 16-32-64 channels, shortcuts without parameters."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from robench.models._registry import model

if TYPE_CHECKING:
    from torch import Tensor, nn


def cifar_resnet(blocks: int, classes: int) -> nn.Module:
    """Three stages of that many blocks: (N, 3, 32, 32) -> (N, classes). Any side from 4 up works.

    Keys as in github.com/akamaster/pytorch_resnet_cifar10, so that its published weights fit.
    """
    from torch import nn

    net = _network()(blocks, classes)
    for part in net.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(part.weight)
    return net


for _layers, _params in ((20, 269_722), (32, 464_154), (44, 658_586), (56, 853_018), (110, 1_727_962)):
    model(
        f"resnet{_layers}",
        input_size=32,
        channels=3,
        mean=(0.4914, 0.4822, 0.4465),
        std=(0.2470, 0.2435, 0.2616),
        params=_params,
        classes=10,
        source="He et al. 2015 (arXiv:1512.03385) section 4.2, option A shortcuts",
    )(partial(cifar_resnet, _layers // 6))


@cache
def _network() -> type[nn.Module]:
    """The class, made on first use: listing models needs no torch."""
    from torch import nn

    block = _block()

    class CifarResNet(nn.Module):
        def __init__(self, blocks: int, classes: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(16)
            self.relu = nn.ReLU()
            self.layer1 = nn.Sequential(*(block(16, 16, 1) for _ in range(blocks)))
            self.layer2 = nn.Sequential(block(16, 32, 2), *(block(32, 32, 1) for _ in range(blocks - 1)))
            self.layer3 = nn.Sequential(block(32, 64, 2), *(block(64, 64, 1) for _ in range(blocks - 1)))
            self.linear = nn.Linear(64, classes)

        def forward(self, x: Tensor) -> Tensor:
            x = self.relu(self.bn1(self.conv1(x)))
            x = self.layer3(self.layer2(self.layer1(x)))
            logits: Tensor = self.linear(x.mean(dim=(2, 3)))
            return logits

    return CifarResNet


@cache
def _block() -> type[nn.Module]:
    import torch.nn.functional as F
    from torch import nn

    class BasicBlock(nn.Module):
        def __init__(self, inputs: int, outputs: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(outputs)
            self.relu1 = nn.ReLU()
            self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(outputs)
            self.relu2 = nn.ReLU()
            self.stride = stride
            self.added = outputs - inputs

        def forward(self, x: Tensor) -> Tensor:
            y = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
            out: Tensor = self.relu2(y + self.shortcut(x))
            return out

        def shortcut(self, x: Tensor) -> Tensor:
            """Option A: every `stride`-th pixel, zeros for the channels that are new, half on each side."""
            if self.stride == 1 and not self.added:
                return x
            half = self.added // 2
            return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, self.added - half))

    return BasicBlock
