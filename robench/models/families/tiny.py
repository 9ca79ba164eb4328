"""The net of the tests and the first steps: small enough to ship with its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robench.models._registry import model

if TYPE_CHECKING:
    from torch import nn


@model(
    "tiny_cnn",
    input_size=32,
    channels=1,
    mean=(0.5,),
    std=(0.5,),
    params=20_698,
    classes=10,
    source="robench; three convolutions with batch norm, for the embedded digits",
    weights={
        "digits-clean": "tiny_cnn-digits-clean.safetensors",
        "digits-noise": "tiny_cnn-digits-noise.safetensors",
    },
)
def tiny_cnn(classes: int) -> nn.Module:
    """Three blocks of convolution, batch norm, ReLU and pooling: (N, 1, 32, 32) -> (N, classes)."""
    from torch import nn

    def block(inputs: int, outputs: int) -> list[nn.Module]:
        convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]

    return nn.Sequential(
        *block(1, 16), *block(16, 32), *block(32, 48), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(192, classes)
    )
