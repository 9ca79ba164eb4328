"""VGG-16 and VGG-19: `vgg16` and `vgg19` as in the paper, `vgg16_bn` and `vgg19_bn` with batch norm.

For 224 pixels; with `_64` and `_32` for those sides.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING

from robench.models._input_sizes import register

if TYPE_CHECKING:
    from torch import nn

CONFIGURATION = {16: "D", 19: "E"}  # columns of the paper's table 1
WIDTH = 512


def vgg(layers: int, batch_norm: bool, input_size: int, classes: int) -> nn.Module:
    """(N, 3, side, side) -> (N, classes); `batch_norm` after every convolution. For 224 torchvision's own.

    For 32 and 64 the convolutions, which begin with 3x3 at stride 1, are the same. Five poolings leave 1x1 and 2x2 of
    512 channels; their mean goes to linear layers of 512, 512 and `classes`, in place of 4096, 4096 and 1000, which is
    how VGG is used on CIFAR (Liu and Deng 2015). Keys are torchvision's. Weights are drawn after He et al. 2015, in the
    linear layers too: torchvision's deviation of 0.01 is for 4096 columns and leaves 512 hardly a gradient. Layers so
    narrow have no dropout: with it, and without batch norm, training from nothing stays at chance for long.
    """
    from torch import nn
    from torchvision import models
    from torchvision.models.vgg import cfgs, make_layers

    if input_size == 224:
        net: nn.Module = models.get_model(_name(layers, batch_norm), weights=None, num_classes=classes)
        return net
    small = nn.Sequential(
        OrderedDict(
            features=make_layers(cfgs[CONFIGURATION[layers]], batch_norm=batch_norm),
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            classifier=_classifier(classes),
        )
    )
    _draw(small)
    return small


def _name(layers: int, batch_norm: bool) -> str:
    return f"vgg{layers}_bn" if batch_norm else f"vgg{layers}"


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
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
        if isinstance(part, nn.Conv2d | nn.Linear) and part.bias is not None:
            nn.init.zeros_(part.bias)


for _layers, _batch_norm, _params in (
    (16, False, {224: 138_357_544, 64: 15_342_600, 32: 15_245_130}),
    (16, True, {224: 138_365_992, 64: 15_351_048, 32: 15_253_578}),
    (19, False, {224: 143_667_240, 64: 20_652_296, 32: 20_554_826}),
    (19, True, {224: 143_678_248, 64: 20_663_304, 32: 20_565_834}),
):
    register(
        _name(_layers, _batch_norm),
        partial(vgg, _layers, _batch_norm),
        params=_params,
        words=("IMAGENET1K_V1",),
        source=f"Simonyan and Zisserman 2015 (arXiv:1409.1556) table 1, {CONFIGURATION[_layers]}, "
        + ("with batch norm (Ioffe and Szegedy 2015), " if _batch_norm else "")
        + "as in torchvision",
    )
