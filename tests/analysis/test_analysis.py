"""Features of layers and what is made of them, against values worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from robench import analysis, models
from robench.errors import ConfigError, ModelError

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 1), dtype=np.uint8)


@pytest.fixture(scope="module")
def net() -> models.Classifier:
    return models.load("tiny_cnn=digits-clean", classes=10)


def test_features_are_what_a_layer_answers_or_is_given(net: models.Classifier) -> None:
    first = net.module[0]
    answered = analysis.features(net, IMAGES, "0", batch_size=2)
    prepared = net.prepare(torch.from_numpy(IMAGES))
    with torch.inference_mode():
        expected = first(prepared)
    assert np.allclose(answered, expected.numpy(), atol=1e-6)
    assert np.array_equal(analysis.features(net, IMAGES, "0", given=True, batch_size=5), prepared.numpy())
    logits = net.logits(torch.from_numpy(IMAGES)).numpy()
    last = [name for name, part in net.module.named_modules() if isinstance(part, torch.nn.Linear)][-1]
    assert np.allclose(analysis.features(net, IMAGES, last), logits, atol=1e-5)
    assert not first._forward_hooks


def test_features_are_kept_from_what_works_in_place_behind_them() -> None:
    net = models.load("alexnet_32", classes=10, random_weights=True)
    images = np.random.default_rng(1).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    with torch.inference_mode():
        convolved = net.module.features[0](net.prepare(torch.from_numpy(images)))
    assert convolved.min() < 0
    assert np.allclose(analysis.features(net, images, "features.0"), convolved.numpy(), atol=1e-5)
    assert np.allclose(analysis.features(net, images, "features.1", given=True), convolved.numpy(), atol=1e-5)
    assert analysis.features(net, images, "features.1").min() == 0


def test_a_layer_that_is_not_there_is_one_line(net: models.Classifier) -> None:
    with pytest.raises(ConfigError, match="unknown layer of tiny_cnn=digits-clean 'layer1'"):
        analysis.features(net, IMAGES, "layer1")
    with pytest.raises(ConfigError, match="unknown layer"):
        analysis.features(net, IMAGES, "")


def test_gradients_by_hand() -> None:
    ramp = np.tile(3.0 * np.arange(5), (4, 1))
    assert np.array_equal(analysis.gradient_magnitude(ramp), np.full((2, 3), 6.0))
    assert np.array_equal(analysis.gradient_magnitude(ramp.T), np.full((3, 2), 6.0))
    assert np.allclose(analysis.gradient_magnitude(ramp[:, :4] + ramp[:, :4].T), np.full((2, 2), 6 * np.sqrt(2)))
    point = np.zeros((5, 5))
    point[2, 2] = 4
    root = np.sqrt(2)
    assert np.allclose(analysis.gradient_magnitude(point), [[root, 2, root], [2, 0, 2], [root, 2, root]])
    expected = np.var([root, 2, root, 2, 0, 2, root, 2, root])
    maps = np.stack([point, np.zeros((5, 5))])[None]
    assert analysis.mean_gradient_variance(maps) == pytest.approx(expected / 2)
    with pytest.raises(ConfigError, match=r"of at least 3x3, got \(2, 5\)"):
        analysis.gradient_magnitude(np.zeros((2, 5)))


class Halved(torch.nn.Module):
    def forward(self, x):
        return x / 2


def test_how_far_restoration_gets() -> None:
    restorer = replace(models.load_restorer("cdncnn", random_weights=True), module=Halved())
    clean = np.full((3, 4, 4, 3), 100, np.uint8)
    share = partial(analysis.noise_removed, restorer, batch_size=2)
    assert share(clean, np.full_like(clean, 200)) == pytest.approx(1)
    assert share(clean, np.full_like(clean, 180)) == pytest.approx(1 - 10 / 80)
    assert share(clean, np.full_like(clean, 120)) == pytest.approx(1 - 40 / 20)
    assert share(clean[..., :1], np.full_like(clean[..., :1], 180)) == pytest.approx(1 - 10 / 80)
    with pytest.raises(ConfigError, match="expected degraded images, got the clean ones"):
        share(clean, clean)
    with pytest.raises(ConfigError, match=r"got \(3, 4, 4, 3\) and \(2, 4, 4, 3\)"):
        share(clean, clean[:2])


def test_neurons_in_the_order_of_what_degradation_takes_from_them() -> None:
    clean = np.array([[1.0, 5.0, 2.0, 2.0], [3.0, 5.0, 2.0, 2.0]], dtype=np.float32)
    degraded = np.array([[2.0, 1.0, 4.0, 2.0]], dtype=np.float32)
    assert analysis.order_by_change(clean, degraded).tolist() == [1, 0, 3, 2]
    with pytest.raises(ConfigError, match=r"got \(2, 4\) and \(1, 3\)"):
        analysis.order_by_change(clean, degraded[:, :3])


def test_the_evidence_of_patches_makes_the_logit(net: models.Classifier) -> None:
    bagnet = models.load("bagnet9_64", classes=10, random_weights=True)
    image = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    evidence = analysis.patch_evidence(bagnet, image, 3)
    assert evidence.ndim == 2
    assert evidence.mean() == pytest.approx(
        float(bagnet.logits(torch.from_numpy(image[None]))[0, 3]), rel=1e-3, abs=1e-4
    )
    with pytest.raises(ConfigError, match="expected a class from 0 to 9, got 10"):
        analysis.patch_evidence(bagnet, image, 10)
    with pytest.raises(ModelError, match="expected a network with logits of patches"):
        analysis.patch_evidence(net, IMAGES[0], 0)


def test_public_names_are_there() -> None:
    assert analysis.__all__ == sorted(analysis.__all__)
    assert all(hasattr(analysis, name) for name in analysis.__all__)
