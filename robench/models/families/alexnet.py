"""AlexNet in torchvision's form: `alexnet` for 224 pixels, `alexnet_64`, `alexnet_32`."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from robench.models._input_sizes import register

if TYPE_CHECKING:
    from torch import nn

FEATURES = 256 * 3 * 3  # what is left of 32 columns after three poolings


def alexnet(input_size: int, classes: int) -> nn.Module:
    """(N, 3, side, side) -> (N, classes). For 224 torchvision's own.

    For 32 and 64 the first convolution, 11x11 with stride 4, becomes 5x5 with stride 1 and 2, as in Krizhevsky's own
    networks for CIFAR-10 (cuda-convnet), so that the first pooling sees 32x32 columns; the last leaves 3x3, which the
    linear layers take as they are. All else, and the keys, are torchvision's.
    """
    from torch import nn
    from torchvision import models

    if input_size == 224:
        net: nn.Module = models.alexnet(weights=None, num_classes=classes)
        return net
    return nn.Sequential(
        OrderedDict(features=_features(input_size // 32), flatten=nn.Flatten(), classifier=_classifier(classes))
    )


def _features(stride: int) -> nn.Sequential:
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(3, 64, 5, stride=stride, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(64, 192, 5, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(192, 384, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(384, 256, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(256, 256, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, stride=2),
    )


def _classifier(classes: int) -> nn.Sequential:
    from torch import nn

    return nn.Sequential(
        nn.Dropout(),
        nn.Linear(FEATURES, 4096),
        nn.ReLU(inplace=True),
        nn.Dropout(),
        nn.Linear(4096, 4096),
        nn.ReLU(inplace=True),
        nn.Linear(4096, classes),
    )


register(
    "alexnet",
    alexnet,
    params={224: 61_100_840, 64: 29_493_256, 32: 28_714_826},
    words=("IMAGENET1K_V1",),
    source="Krizhevsky 2014 (arXiv:1404.5997), as in torchvision",
)
