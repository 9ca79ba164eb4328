"""Where the features of each architecture are calibrated: a new architecture is one entry. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from corruptions import unknown
from robench.errors import ModelError


@dataclass(frozen=True)
class Places:
    """Places in a network for RGB images: `before M` is what comes into its module M, `after M` what comes out.

    spatial: in the order in which they are passed, the input of the feature extractor first; (N, any, H, W) each.
    features: where the feature extractor ends and the classifier begins; (N, channels, ...).
    """

    spatial: tuple[str, ...]
    features: str
    channels: int


def _torchvision_resnet(channels: int) -> Places:
    return Places(("before conv1", "before maxpool", "before avgpool"), "after avgpool", channels)


# The pooling layers inside GoogLeNet's blocks have stride 1 and see one branch of four: they are no places.
# CIFAR ResNets pool at their end only. What halves the features there is the first block of a stage.
PLACES: Mapping[str, Places] = {
    "torchvision:alexnet": Places(
        ("before features", "before features.2", "before features.5", "before features.12", "before avgpool"),
        "after avgpool",
        256,
    ),
    "torchvision:vgg16": Places(
        ("before features", *(f"before features.{pool}" for pool in (4, 9, 16, 23, 30)), "before avgpool"),
        "after avgpool",
        512,
    ),
    "torchvision:googlenet": Places(
        ("before conv1", *(f"before maxpool{pool}" for pool in (1, 2, 3, 4)), "before avgpool"),
        "after avgpool",
        1024,
    ),
    **{f"torchvision:resnet{layers}": _torchvision_resnet(512) for layers in (18, 34)},
    **{f"torchvision:resnet{layers}": _torchvision_resnet(2048) for layers in (50, 101, 152)},
    **{
        f"resnet{layers}": Places(
            ("before conv1", "before layer2", "before layer3", "after layer3"), "before linear", channels=64
        )
        for layers in (20, 32, 44, 56, 110)
    },
}


def places_of(name: str) -> Places:
    """The places of the network of that name in MODEL; one without an entry raises `ModelError`.

    The paper: at the input and before every pooling layer in the feature extractor; the last pooling layer counts, as
    the 2048 channels of its ResNet-50 say. The features of AlexNet and VGG-16 are channels there too, since the paper's
    layers on all their 9216 and 25088 values would be larger than the networks.
    """
    if name not in PLACES:
        raise ModelError(f"fidelity: no places to calibrate are known: {unknown('architecture', name, PLACES)}")
    return PLACES[name]
