"""LeNet-5 as MatConvNet has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robench.models._registry import model

if TYPE_CHECKING:
    from torch import nn


@model(
    "lenet5",
    input_size=28,
    channels=1,
    mean=(0.1307,),
    std=(0.3081,),
    params=431_080,
    classes=10,
    source="LeCun et al. 1998 in MatConvNet's form, as in Zhou, Song, Cheung 2017 (ICASSP)",
)
def lenet5(classes: int) -> nn.Module:
    """Two bare convolutions, two linear layers with one ReLU: (N, 1, 28, 28) -> (N, classes).

    Weights are drawn as there, normal with deviation 0.01, which suits pixels on the 0 to 255 scale; biases are 0.
    """
    from torch import nn

    net = nn.Sequential(
        nn.Conv2d(1, 20, 5),
        nn.MaxPool2d(2),
        nn.Conv2d(20, 50, 5),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(800, 500),
        nn.ReLU(),
        nn.Linear(500, classes),
    )
    for name, values in net.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(values)
        else:
            nn.init.normal_(values, std=0.01)
    return net
