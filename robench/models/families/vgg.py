"""VGG-16 and VGG-19 without batch norm: `vgg16` and `vgg19` for 224 pixels, with `_64` and `_32` for those sides."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING

from robench.models._sides import register

if TYPE_CHECKING:
    from torch import nn

CONFIGURATION = {16: "D", 19: "E"}  # columns of the paper's table 1
WIDTH = 512


def vgg(layers: int, side: int, classes: int) -> nn.Module:
    """(N, 3, side, side) -> (N, classes). For 224 torchvision's own.

    For 32 and 64 the convolutions, which begin with 3x3 at stride 1, are the same. Five poolings leave 1x1 and 2x2 of
    512 channels; their mean goes to linear layers of 512, 512 and `classes`, in place of 4096, 4096 and 1000, which is
    how VGG is used on CIFAR (Liu and Deng 2015). Weights are drawn, and keys are named, as torchvision does.
    There is no dropout between layers so narrow: with it, and without batch norm, a network that is trained from
    nothing stays at chance for long.
    """
    from torch import nn
    from torchvision import models
    from torchvision.models.vgg import cfgs, make_layers

    if side == 224:
        net: nn.Module = models.get_model(f"vgg{layers}", weights=None, num_classes=classes)
        return net
    small = nn.Sequential(
        OrderedDict(
            features=make_layers(cfgs[CONFIGURATION[layers]]),
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            classifier=_classifier(classes),
        )
    )
    _draw(small)
    return small


def _classifier(classes: int) -> nn.Sequential:
    from torch import nn

    return nn.Sequential(
        nn.Linear(WIDTH, WIDTH),
        nn.ReLU(inplace=True),
        nn.Identity(),  # for the keys, where torchvision has dropout
        nn.Linear(WIDTH, WIDTH),
        nn.ReLU(inplace=True),
        nn.Identity(),
        nn.Linear(WIDTH, classes),
    )


def _draw(net: nn.Module) -> None:
    from torch import nn

    for part in net.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=0.01)
        if isinstance(part, nn.Conv2d | nn.Linear) and part.bias is not None:
            nn.init.zeros_(part.bias)


for _layers, _params in (
    (16, {224: 138_357_544, 64: 15_342_600, 32: 15_245_130}),
    (19, {224: 143_667_240, 64: 20_652_296, 32: 20_554_826}),
):
    register(
        f"vgg{_layers}",
        partial(vgg, _layers),
        params=_params,
        words=("IMAGENET1K_V1",),
        source=f"Simonyan and Zisserman 2015 (arXiv:1409.1556) table 1, {CONFIGURATION[_layers]}, as in torchvision",
    )
