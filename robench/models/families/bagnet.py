"""BagNets: ResNet-50 with most 3x3 convolutions made 1x1, so that each place of its last map sees one small patch.

`bagnet9`, `bagnet17` and `bagnet33`, for patches of that many pixels, for 224 pixels; with `_64` for 64.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from robench.models._input_sizes import DATA
from robench.models._registry import model

if TYPE_CHECKING:
    from torch import Tensor, nn

PUBLISHED = (
    "https://bitbucket.org/wielandbrendel/bag-of-feature-pretrained-models/raw/249e8fa82c0913623a807d9d35eeab9da7dcc2a8"
)
STAGES = ((64, 3, 2), (128, 4, 2), (256, 6, 2), (512, 3, 1))  # width, blocks, stride
GROWTH = 4  # of channels from a block's inner width to its output


def bagnet(wide: int, classes: int) -> nn.Module:
    """(N, 3, H, W) -> (N, classes), H and W at least the patch.

    wide: in how many stages the first block has a 3x3 convolution, without padding; 2, 3, 4 for patches of 9, 17, 33.
    `patch_logits` gives (N, classes, h, w), the logits of each patch, whose spatial mean are the logits; the place
    (i, j) sees the patch of `patch` pixels that begins at pixel (`step` i, `step` j), step 8. Keys are those
    of github.com/wielandbrendel/bag-of-local-features-models, so that its published weights fit. Its first batch norm
    has a momentum of 0.001, whose running statistics are half their initial values after 700 steps; here it is 0.1, as
    in the others, so that a short training is evaluated with its own statistics. Published weights are not touched.
    """
    from torch import nn

    net = _network()(wide, classes)
    for part in net.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
    return net


for _patch, _wide, _file, _params in (
    (9, 2, "bagnet8-34f4ccd2", {224: 15_688_744, 64: 14_049_544}),
    (17, 3, "bagnet16-105524de", {224: 16_213_032, 64: 14_573_832}),
    (33, 4, "bagnet32-2ddd53ed", {224: 18_310_184, 64: 16_670_984}),
):
    for _side, _count in _params.items():
        model(
            f"bagnet{_patch}" if _side == 224 else f"bagnet{_patch}_{_side}",
            input_size=_side,
            channels=3,
            **DATA[_side],
            params=_count,
            source="Brendel and Bethge 2019 (ICLR, arXiv:1904.00760)",
            weights={"imagenet": f"{PUBLISHED}/{_file}.pth.tar"},
        )(partial(bagnet, _wide))


@cache
def _network() -> type[nn.Module]:
    """The class, made on first use: listing models needs no torch."""
    from torch import nn

    class BagNet(nn.Module):
        def __init__(self, wide: int, classes: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(3, 64, 1, bias=False)
            self.conv2 = nn.Conv2d(64, 64, 3, bias=False)
            self.bn1 = nn.BatchNorm2d(64)
            self.relu = nn.ReLU(inplace=True)
            inputs = 64
            self.patch, self.step = 3, 1
            for number, (width, blocks, stride) in enumerate(STAGES, start=1):
                kernel = 3 if number <= wide else 1
                self.patch, self.step = self.patch + (kernel - 1) * self.step, self.step * stride
                self.add_module(f"layer{number}", _stage(inputs, width, blocks, stride, kernel))
                inputs = GROWTH * width
            self.fc = nn.Linear(inputs, classes)

        def forward(self, x: Tensor) -> Tensor:
            logits: Tensor = self.fc(self.features(x).mean(dim=(2, 3)))
            return logits

        def patch_logits(self, x: Tensor) -> Tensor:
            logits: Tensor = self.fc(self.features(x).permute(0, 2, 3, 1))
            return logits.permute(0, 3, 1, 2)

        def features(self, x: Tensor) -> Tensor:
            x = self.relu(self.bn1(self.conv2(self.conv1(x))))
            for number in range(1, len(STAGES) + 1):
                x = self.get_submodule(f"layer{number}")(x)
            return x

    return BagNet


def _stage(inputs: int, width: int, blocks: int, stride: int, kernel: int) -> nn.Module:
    from torch import nn

    block = _block()
    first = block(inputs, width, stride, kernel)
    return nn.Sequential(first, *(block(GROWTH * width, width, 1, 1) for _ in range(blocks - 1)))


@cache
def _block() -> type[nn.Module]:
    from torch import nn

    class Bottleneck(nn.Module):
        def __init__(self, inputs: int, width: int, stride: int, kernel: int) -> None:
            super().__init__()
            outputs = GROWTH * width
            self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(width)
            self.conv2 = nn.Conv2d(width, width, kernel, stride=stride, bias=False)
            self.bn2 = nn.BatchNorm2d(width)
            self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
            self.bn3 = nn.BatchNorm2d(outputs)
            self.relu = nn.ReLU(inplace=True)
            self.downsample: nn.Module = nn.Identity()
            if inputs != outputs:
                shortcut = nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)
                self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(outputs))

        def forward(self, x: Tensor) -> Tensor:
            """A 3x3 convolution without padding takes from the map's right and lower end; so does the shortcut."""
            y = self.relu(self.bn1(self.conv1(x)))
            y = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(y)))))
            shortcut = self.downsample(x)[:, :, : y.shape[2], : y.shape[3]]
            out: Tensor = self.relu(y + shortcut)
            return out

    return Bottleneck
