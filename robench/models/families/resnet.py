"""ResNet-18, -34, -50 and -101: `resnet18`, … for 224 pixels, with `_64` and `_32` for those sides.

They are not the CIFAR ResNets, `resnet20` to `resnet110`, which have three stages of 16 to 64 channels.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from robench.models._input_sizes import register

if TYPE_CHECKING:
    from torch import nn


def resnet(layers: int, input_size: int, classes: int) -> nn.Module:
    """(N, 3, side, side) -> (N, classes). For 224 torchvision's own.

    For 32 and 64 the first convolution, 7x7 with stride 2, becomes 3x3 with stride 1, and for 32 the pooling after it
    is left out, as is usual on CIFAR. For 64 it stays: either way the first stage sees 32x32 columns, as in the paper's
    own networks for CIFAR, the last leaves 4x4, and no weight has another shape. On Tiny ImageNet some leave it out as
    well, at four times the operations. All else, and the keys, are torchvision's.
    """
    from torch import nn
    from torchvision import models

    net: nn.Module = models.get_model(f"resnet{layers}", weights=None, num_classes=classes)
    if input_size == 224:
        return net
    net.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(net.conv1.weight, mode="fan_out", nonlinearity="relu")
    if input_size == 32:
        net.maxpool = nn.Identity()
    return net


for _layers, _words, _params in (
    (18, ("IMAGENET1K_V1",), {224: 11_689_512, 64: 11_271_432, 32: 11_173_962}),
    (34, ("IMAGENET1K_V1",), {224: 21_797_672, 64: 21_379_592, 32: 21_282_122}),
    (50, ("IMAGENET1K_V1", "IMAGENET1K_V2"), {224: 25_557_032, 64: 23_910_152, 32: 23_520_842}),
    (101, ("IMAGENET1K_V1", "IMAGENET1K_V2"), {224: 44_549_160, 64: 42_902_280, 32: 42_512_970}),
):
    register(
        f"resnet{_layers}",
        partial(resnet, _layers),
        params=_params,
        words=_words,
        source="He et al. 2015 (arXiv:1512.03385) table 1, as in torchvision",
    )
