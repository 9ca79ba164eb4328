"""CIFAR10-quick as MatConvNet has it (examples/cifar/cnn_cifar_init.m)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robench.models._registry import model

if TYPE_CHECKING:
    from torch import nn


@model(
    "cifar10_quick",
    input_size=32,
    channels=3,
    mean=(0.4914, 0.4822, 0.4465),
    std=(0.2470, 0.2435, 0.2616),
    params=145_578,
    classes=10,
    source="MatConvNet's CIFAR10-quick, as in Zhou, Song, Cheung 2017 (ICASSP)",
)
def cifar10_quick(classes: int) -> nn.Module:
    """Three convolutions of 5x5 and two linear layers: (N, 3, 32, 32) -> (N, classes).

    They are 32, 32, 64, 64 and `classes` wide. A maximum, then two means halve the side; their windows end at the
    border, as MatConvNet's do. Weights are drawn as there, normal with deviation 0.01 in the first layer and 0.05 in
    the others, biases are 0. Its whitening of the images is left out: inputs are normalised by channel.
    """
    from torch import nn

    net = nn.Sequential(
        nn.Conv2d(3, 32, 5, padding=2),
        nn.MaxPool2d(3, stride=2, ceil_mode=True),
        nn.ReLU(),
        nn.Conv2d(32, 32, 5, padding=2),
        nn.ReLU(),
        nn.AvgPool2d(3, stride=2, ceil_mode=True),
        nn.Conv2d(32, 64, 5, padding=2),
        nn.ReLU(),
        nn.AvgPool2d(3, stride=2, ceil_mode=True),
        nn.Flatten(),
        nn.Linear(64 * 4 * 4, 64),
        nn.ReLU(),
        nn.Linear(64, classes),
    )
    for name, values in net.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(values)
        else:
            nn.init.normal_(values, std=0.01 if name == "0.weight" else 0.05)
    return net
