"""Where the features of each architecture are corrected: a new architecture is one entry. No torch here."""

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


def _alexnet(*last: str) -> Places:
    pools = ("before features.2", "before features.5", "before features.12")
    return Places(("before features", *pools, *last), "after avgpool" if last else "after features", channels=256)


def _vgg(*pools: int) -> Places:
    places = ("before features", *(f"before features.{pool}" for pool in pools), "before avgpool")
    return Places(places, "after avgpool", channels=512)


def _googlenet(*pools: int) -> Places:
    places = ("before conv1", *(f"before maxpool{pool}" for pool in pools), "before avgpool")
    return Places(places, "after avgpool", channels=1024)


def _resnet(channels: int, *inner: str) -> Places:
    return Places(("before conv1", *inner, "before avgpool"), "after avgpool", channels)


RESNETS = {18: 512, 34: 512, 50: 2048, 101: 2048}
AT_224: Mapping[str, Places] = {
    "alexnet": _alexnet("before avgpool"),
    "vgg16": _vgg(4, 9, 16, 23, 30),
    "vgg16_bn": _vgg(6, 13, 23, 33, 43),
    "vgg19": _vgg(4, 9, 18, 27, 36),
    "vgg19_bn": _vgg(6, 13, 26, 39, 52),
    "googlenet": _googlenet(1, 2, 3, 4),
    **{f"resnet{layers}": _resnet(channels, "before maxpool") for layers, channels in RESNETS.items()},
}
AT_64: Mapping[str, Places] = {**AT_224, "alexnet": _alexnet(), "googlenet": _googlenet(2, 3, 4)}
AT_32: Mapping[str, Places] = {
    **AT_64,
    "googlenet": _googlenet(3, 4),
    **{
        f"resnet{layers}": _resnet(channels, "before layer2", "before layer3", "before layer4")
        for layers, channels in RESNETS.items()
    },
}
PLACES: Mapping[str, Places] = {
    **AT_224,
    **{f"{name}_64": places for name, places in AT_64.items()},
    **{f"{name}_32": places for name, places in AT_32.items()},
    **{f"torchvision:{name}": places for name, places in AT_224.items()},
    **{
        f"resnet{layers}": Places(
            ("before conv1", "before layer2", "before layer3", "after layer3"), "before linear", channels=64
        )
        for layers in (20, 32, 44, 56, 110)
    },
}


def places_of(name: str) -> Places:
    """The places of the network of that name in MODEL; one without an entry raises `ModelError`.

    The paper: at the input and before every pooling layer in the feature extractor. The last pooling layer counts, as
    the 2048 channels of its ResNet-50 say. Those inside GoogLeNet's blocks do not: they have stride 1, and one branch
    of four sees them. ResNets for 32 pixels pool at their end only: the stages that halve the features stand for
    pooling layers. The features of AlexNet and VGG are channels too, since layers on all their 9216 and 25088 values,
    as the paper could be read, would be larger than the networks.
    """
    prefix, colon, rest = name.partition(":")
    known = f"{prefix}:{rest.partition(':')[0]}" if colon else name  # torchvision:NAME:SIDE is the network of NAME
    if known not in PLACES:
        raise ModelError(f"fidelity: no places to correct are known: {unknown('architecture', name, PLACES)}")
    return PLACES[known]
