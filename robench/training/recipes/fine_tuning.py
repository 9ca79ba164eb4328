"""Zhou, Song, Cheung 2017 (ICASSP): re-training on distorted images, and fine-tuning of the first layers.

What the paper does not print is that of MatConvNet's examples, which it used: momentum, weight decay and batch. Their
CIFAR-10 also multiplies the rate layer by layer, that of weights by 0.1 and of biases by 2 (in the last layer 0.01 and
0.2); here all layers have the rate that the paper prints.

Its rate for ImageNet, 1e-8, is for inputs of 0..255. Inputs that are s times smaller need weights that are s times
larger in the first layer, whose gradients are s times smaller: the same step takes s² times the rate. The recipe has
that rate, 3.3e-5, for torchvision's inputs and so for its published weights; at 1e-8 nothing would move.
"""

from __future__ import annotations

from typing import Any

from robench.training._recipes import Recipe, register

SOURCE = "Zhou, Song, Cheung 2017 (ICASSP), section 3; MatConvNet's examples"
ALL = "random_walk_blur+disc_blur+gaussian_noise_255@size=0..4+radius=0..4+sigma=0..4"
SGD: dict[str, Any] = {"optimizer": "sgd", "momentum": 0.9, "batch_size": 100}
MNIST: dict[str, Any] = SGD | {"weight_decay": 5e-4, "normalize": "0.1307/0.00392157"}
CIFAR: dict[str, Any] = SGD | {"weight_decay": 1e-4}
TRAINED: dict[str, dict[str, Any]] = {
    "mnist": MNIST | {"lr": 1e-3, "epochs": 20, "schedule": "constant"},
    "cifar10": CIFAR | {"lr": 5e-2, "epochs": 45, "schedule": "steps", "milestones": (30 / 45, 40 / 45)},
}
TUNED: dict[str, dict[str, Any]] = {
    "mnist": MNIST | {"lr": 1e-5, "epochs": 15, "schedule": "constant"},
    "cifar10": CIFAR | {"lr": 5e-4, "epochs": 30, "schedule": "steps", "milestones": (25 / 30,)},
}
LAYERS = {"mnist": 4, "cifar10": 5}
SCALE = 255 * 0.226
"""How many times larger the inputs of MatConvNet's AlexNet are than ours.

They are 0..255 less the mean; ours are divided by 255 and by ImageNet's deviation, 0.226 in the mean of its channels.
"""

for _data, _settings in TRAINED.items():
    _name = f"fine-tuning-{_data}"
    _distorted: dict[str, Any] = {"data": "perturbed", "perturbations": (ALL,)}
    register(Recipe(f"{_name}-clean", "clean images", SOURCE, data="clean", **_settings))
    register(Recipe(f"{_name}-retrain", "distorted images, from scratch", SOURCE, **_distorted, **_settings))
    for _first in range(1, LAYERS[_data] + 1):
        register(
            Recipe(
                f"{_name}-first-{_first}",
                f"distorted images, the first {_first} layers of a trained network",
                SOURCE,
                first_layers=_first,
                **_distorted,
                **TUNED[_data],
            )
        )
register(
    Recipe(
        "fine-tuning-imagenet-first-3",
        "distorted images, the first 3 layers of a trained AlexNet",
        SOURCE,
        data="perturbed",
        perturbations=(ALL,),
        first_layers=3,
        optimizer="sgd",
        batch_size=256,
        lr=1e-8 * SCALE**2,
        schedule="geometric",
        decay=1e-2,
        weight_decay=5e-4,
        epochs=20,
    )
)
