"""The checks that every registered network passes, for third parties to run on theirs.

from robench.models.testing import check_model

def test_my_net():
    check_model("my_net")
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from robench.models._checkpoints import save, state_sha256
from robench.models._classifier import Classifier, unit
from robench.models._load import build_on_meta, load
from robench.models._registry import Card, get

CLASSES = 7  # not the 10 or 1000 that a network may have built in
TOLERANCE = 1e-3  # of logits, between a batch and its images one by one: kernels may sum in another order


def check_model(name: str) -> None:
    """Run every check on the registered network; the first that fails raises a one-line `AssertionError`."""
    card = get(name)
    card_matches_network(card)
    sample = Sample(card)
    for check in CHECKS:
        check(sample)


class Sample:
    """A card and networks built from it. Those of the checks that change nothing are built once: a large one takes
    seconds.
    """

    def __init__(self, card: Card) -> None:
        self.card = card
        self.input_size = card.input_size or 32

    def fresh(self, seed: int = 0) -> Classifier:
        """A network of its own, with the random weights of `seed`."""
        return load(self.card.name, classes=CLASSES, random_weights=True, seed=seed)

    @cached_property
    def first(self) -> Classifier:
        """The network of seed 0; its weights and statistics must stay."""
        return self.fresh()

    @cached_property
    def second(self) -> Classifier:
        """The network of seed 1; its weights and statistics must stay."""
        return self.fresh(seed=1)

    def expect(self, holds: bool, otherwise: str) -> None:
        _expect(self.card, holds, otherwise)


def card_matches_network(card: Card) -> None:
    """`card.params` counts `build(card.classes)`, whose input is (N, channels, side, side)."""
    classifier = load(card.name, classes=card.classes, random_weights=True, seed=0)
    params = sum(parameter.numel() for parameter in classifier.module.parameters())
    _expect(card, params == card.params, f"expected {card.params} parameters as on the card, got {params}")
    input_size = card.input_size or 32
    output = classifier.module(torch.zeros(2, card.channels, input_size, input_size))
    got = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
    _expect(card, got == (2, card.classes), f"expected {(2, card.classes)}, got {got}")


def card_on_paper(card: Card) -> None:
    """`card_matches_network` without numbers, on the meta device: for networks too large to be run in every test."""
    classifier = build_on_meta(card.name, classes=card.classes)
    params = sum(parameter.numel() for parameter in classifier.module.parameters())
    _expect(card, params == card.params, f"expected {card.params} parameters as on the card, got {params}")
    input_size = card.input_size or 32
    classifier.logits(torch.zeros(2, input_size, input_size, card.channels, dtype=torch.uint8))


def takes_any_images(sample: Sample) -> None:
    """Gray or colour, smaller, larger or not square: finite float32 logits of the classes asked for."""
    input_size = sample.input_size
    for height, width, channels in (
        (input_size, input_size, 1),
        (input_size, input_size, 3),
        (input_size + 4, input_size, 3),
        (input_size // 2, input_size // 2, 1),
    ):
        logits = sample.first.logits(_images(height, width, channels))
        sample.expect(logits.dtype == torch.float32, f"expected float32 logits, got {logits.dtype}")
        sample.expect(bool(logits.isfinite().all()), f"logits of {height}x{width} images are not finite")


def evaluation_is_a_function_of_each_image(sample: Sample) -> None:
    """The same logits twice, and for a batch as for its images one by one."""
    classifier, images = sample.first, _images(sample.input_size, sample.input_size, 3)
    whole = classifier.logits(images)
    sample.expect(torch.equal(whole, classifier.logits(images)), "two evaluations of one batch differ")
    single = torch.cat([classifier.logits(image[None]) for image in images])
    gap = _gap(whole, single)
    sample.expect(gap < TOLERANCE, f"logits depend on the other images of the batch, by {gap:.2g}")


def gradients_reach_everything(sample: Sample) -> None:
    """Training moves every parameter, those of auxiliary heads by their own logits, and the input has a gradient."""
    classifier = sample.fresh()
    classifier.module.train()
    images = unit(_images(sample.input_size, sample.input_size, sample.card.channels))
    images.requires_grad_()
    answer, labels = classifier.training_logits(images), torch.arange(len(images))
    losses = [torch.nn.functional.cross_entropy(logits, labels) for logits in (answer.main, *answer.auxiliary)]
    loss = torch.stack(losses).sum()
    trained = {key: value for key, value in classifier.module.named_parameters() if value.requires_grad}
    *gradients, of_input = torch.autograd.grad(loss, [*trained.values(), images], allow_unused=True)
    still = [key for key, gradient in zip(trained, gradients, strict=True) if gradient is None]
    sample.expect(not still, f"no gradient reaches {', '.join(still[:3])}")
    sample.expect(of_input is not None and bool(of_input.any()), "no gradient reaches the input")


def state_is_the_network(sample: Sample) -> None:
    """Saved and loaded into a network of other random weights, it gives equal logits and an equal digest."""
    trained, images = sample.second, _images(sample.input_size, sample.input_size, 3)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.safetensors"
        save(path, trained.module, {})
        loaded = load(f"{sample.card.name}={path}", classes=CLASSES)
    sample.expect(loaded.weights_sha256 == state_sha256(trained.module), "the state changes in a file")
    sample.expect(
        torch.equal(trained.logits(images), loaded.logits(images)),
        "the state is not all of the network",
    )


def weights_follow_the_seed(sample: Sample) -> None:
    """Equal for one seed, other for another, and the generator of the process is left alone."""
    before = torch.random.get_rng_state()
    digests = [net.weights_sha256 for net in (sample.first, sample.fresh(), sample.second)]
    sample.expect(digests[0] == digests[1], "weights of one seed differ")
    sample.expect(digests[0] != digests[2], "weights do not depend on the seed")
    sample.expect(torch.equal(before, torch.random.get_rng_state()), "building changes the global generator")


CHECKS: tuple[Callable[[Sample], None], ...] = (
    takes_any_images,
    evaluation_is_a_function_of_each_image,
    gradients_reach_everything,
    state_is_the_network,
    weights_follow_the_seed,
)


def _images(height: int, width: int, channels: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (3, height, width, channels), dtype=torch.uint8, generator=generator)


def _gap(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().max() / a.abs().max().clamp(min=1))


def _expect(card: Card, holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(f"{card.name}: {otherwise}")
