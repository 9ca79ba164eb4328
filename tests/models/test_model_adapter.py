"""From uint8 images to logits: scale, channels, fit, normalisation, mode."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from robench import models
from robench.errors import ConfigError, ModelError
from robench.models._classifier import Classifier, match_channels, resized
from robench.models._normalize import Normalization, parse_normalize


class Keep(nn.Module):
    """Hands out its input, so that a test can see what a network gets."""

    seen: Tensor

    def forward(self, x: Tensor) -> Tensor:
        Keep.seen = x
        return x.mean(dim=(1, 2, 3))[:, None].expand(-1, 10)


def classifier(channels: int = 3, input_size: int | None = 4, how: str = "resize", **fields: Any) -> Classifier:
    none = Normalization((0.0,) * channels, (1.0,) * channels)
    card = models.Card("keep", input_size, channels, *none, 0, 10, "this test", how, build=lambda _: Keep())
    filled = {"normalization": none, "classes": 10, "weights_sha256": "", "label": "keep", **fields}
    return Classifier(card=card, module=Keep(), **filled)


def test_bytes_become_unit_floats_channels_first() -> None:
    images = torch.randint(0, 256, (2, 4, 4, 3), dtype=torch.uint8)
    classifier().logits(images)
    assert torch.equal(Keep.seen, images.permute(0, 3, 1, 2) / 255)
    assert Keep.seen.is_contiguous(memory_format=torch.channels_last)


def test_floats_are_taken_as_they_are_and_give_equal_logits() -> None:
    images = torch.randint(0, 256, (2, 4, 4, 3), dtype=torch.uint8)
    net = models.load("tiny_cnn", classes=10, random_weights=True)
    assert torch.allclose(net.logits(images), net.logits(images.permute(0, 3, 1, 2) / 255), atol=1e-6)


def test_normalisation_comes_last_so_that_padding_is_black() -> None:
    shift = Normalization((0.5, 0.25, 0.0), (0.5, 1.0, 2.0))
    classifier(how="pad", normalization=shift).logits(torch.full((1, 2, 2, 3), 255, dtype=torch.uint8))
    assert Keep.seen[0, :, 0, 0].tolist() == [-1.0, -0.25, 0.0]
    assert Keep.seen[0, :, 1, 1].tolist() == [1.0, 0.75, 0.5]


def test_gray_is_repeated_and_colour_becomes_luminance() -> None:
    gray, colour = torch.rand(2, 1, 3, 3), torch.rand(2, 3, 3, 3)
    assert torch.equal(match_channels(gray, 3), gray.repeat(1, 3, 1, 1))
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    assert torch.allclose(match_channels(colour, 1), (colour * weights).sum(1, keepdim=True))
    assert match_channels(colour, 3) is colour


def test_fit_resizes_pads_or_does_nothing() -> None:
    x = torch.rand(1, 1, 4, 6)
    assert resized(x, None, "resize") is x
    assert resized(x[..., :4], (4, 4), "resize").shape == (1, 1, 4, 4)
    padded = resized(x, (8, 8), "pad")
    assert torch.equal(padded[:, :, 2:6, 1:7], x)
    assert padded.sum() == pytest.approx(float(x.sum()))
    assert torch.equal(resized(x, (5, 5), "pad"), resized(x, (5, 5), "resize"))
    stripes = torch.tensor([1.0, 0.0, 0.0, 1.0]).repeat(8).expand(1, 1, 32, 32)
    assert (resized(stripes, (8, 8), "resize") - 0.5).abs().max() < 0.1


@pytest.mark.parametrize(
    ("how", "input_size", "size", "text"),
    [
        ("resize", 4, (4, 4), "none"),
        ("resize", 4, (8, 8), "resize4"),
        ("resize", 4, (4, 6), "resize4"),
        ("pad", 4, (2, 2), "pad4"),
        ("pad", 4, (8, 8), "resize4"),
        ("pad", 4, None, "pad4"),
        ("resize", None, (8, 8), "none"),
    ],
)
def test_fit_is_recorded(how: str, input_size: int | None, size: tuple[int, int] | None, text: str) -> None:
    assert classifier(input_size=input_size, how=how, size=size).resize_policy == text


@pytest.mark.parametrize(
    ("images", "got"),
    [
        (torch.zeros(4, 4, 3, dtype=torch.uint8), r"uint8 \(4, 4, 3\)"),
        (torch.zeros(1, 3, 4, 4, dtype=torch.uint8), r"uint8 \(1, 3, 4, 4\)"),
        (torch.zeros(1, 4, 4, 3), r"float32 \(1, 4, 4, 3\)"),
        (torch.zeros(1, 3, 4, 4, dtype=torch.int64), r"int64 \(1, 3, 4, 4\)"),
    ],
)
def test_other_images_are_refused(images: Tensor, got: str) -> None:
    with pytest.raises(ModelError, match=f"keep: expected uint8 .* got {got}"):
        classifier().logits(images)


def test_images_of_another_size_than_said_are_refused() -> None:
    with pytest.raises(ModelError, match="expected images of 8x8 pixels, got 4x4"):
        classifier(size=(8, 8)).logits(torch.zeros(1, 4, 4, 3, dtype=torch.uint8))


def test_logits_are_float32_in_evaluation_mode_without_gradients() -> None:
    net = models.load("tiny_cnn", classes=10, random_weights=True)
    net.module.train()
    before = net.module.state_dict()["1.running_mean"].clone()
    logits = net.logits(torch.randint(0, 256, (4, 8, 8, 1), dtype=torch.uint8))
    assert not net.module.training
    assert (logits.dtype, logits.requires_grad) == (torch.float32, False)
    assert torch.equal(before, net.module.state_dict()["1.running_mean"])


def test_what_a_network_answers_is_checked() -> None:
    with pytest.raises(ModelError, match=r"keep: expected logits \(2, 9\), got \(2, 10\)"):
        classifier(classes=9).logits(torch.zeros(2, 4, 4, 3, dtype=torch.uint8))


@pytest.mark.parametrize(
    ("text", "channels", "canonical"),
    [
        ("imagenet", 3, "imagenet"),
        ("0.485,0.456,0.406/0.229,0.224,0.225", 3, "imagenet"),
        ("mnist", 3, "mnist"),
        ("none", 1, "none"),
        ("0.50,0.5,0.5/.25,.25,.25", 3, "0.5,0.5,0.5/0.25,0.25,0.25"),
        ("0.5/0.25", 1, "0.5/0.25"),
    ],
)
def test_normalize_has_one_text_per_meaning(text: str, channels: int, canonical: str) -> None:
    chosen = parse_normalize(text, channels)
    assert str(chosen) == canonical
    assert parse_normalize(canonical, channels) == chosen


@pytest.mark.parametrize(
    "text", ["imagnet", "0.5", "0.5/0", "0.5/x", "0.5,0.5/0.5", "1/2/3", "0.5/-1", "0.5/nan", "0.5,0.5/1,1"]
)
def test_a_wrong_normalize_shows_an_example(text: str) -> None:
    with pytest.raises(ConfigError, match=r"normalize '.*': expected"):
        models.load("resnet20", classes=10, random_weights=True, normalize=text)


def test_normalize_overrides_the_card() -> None:
    net = models.load("resnet20", classes=10, random_weights=True, normalize="imagenet")
    assert net.normalize == "imagenet"
    assert net.prepare(torch.zeros(1, 3, 32, 32))[0, :, 0, 0].tolist() == pytest.approx(
        [-2.1179, -2.0357, -1.8044], abs=1e-4
    )
