"""Recipes have the numbers that their papers print."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from robench.training import get, names

NAG: dict[str, Any] = {
    **{"optimizer": "nag", "lr": 1e-3, "batch_size": 64, "label_smoothing": 0.1, "warmup_epochs": 5},
    **{"schedule": "cosine", "augment": "resized-crop", "crop_area": (0.08, 1.0)},
}
RESTORERS: dict[str, Any] = {
    **{"optimizer": "adam", "lr": 1e-4, "batch_size": 128, "patch": 50, "epochs": 120, "warmup_epochs": 5},
    **{"schedule": "cosine", "data": "both", "label_smoothing": 0.0},
}
NOISE = ("clean", "awgn@0.1", "awgn@0.2", "awgn@0.3", "awgn@0.4", "awgn@0.5")
PIVOT_SGD: dict[str, Any] = {"optimizer": "sgd", "momentum": 0.9, "weight_decay": 1e-4, "decay": 0.1}
PAIRS: dict[str, Any] = {"data": "both", "perturbed_weight": 0.3, "batch_size": 64}
BLURS = ("random_walk_blur+disc_blur+gaussian_noise_255@size=0..4+radius=0..4+sigma=0..4",)
REPORT_SGD: dict[str, Any] = {"optimizer": "sgd", "lr": 1e-3, "epochs": 60, "schedule": "constant", "augment": "none"}
BAGNET: dict[str, Any] = {"batch_size": 100, "epochs": 15, "augment": "none", "chosen_on": "evaluated"}

PRINTED: dict[str, dict[str, Any]] = {
    # Lin 2021, sections 3.1, 3.2.1, 5.1
    "fidelity-clean": NAG | {"epochs": 120, "data": "clean"},
    "fidelity-degraded": NAG | {"epochs": 120, "perturbations": NOISE},
    "fidelity-calibration": NAG | {"epochs": 50, "perturbations": NOISE, "task": "calibrate"},
    "fidelity-restorer": RESTORERS | {"perturbations": NOISE, "task": "restore"},
    **{
        f"fidelity-estimator-{norm}": RESTORERS | {"fidelity_map": norm, "task": "estimate"}
        for norm in ("l1", "l2", "cosine")
    },
    # Zhou, Song, Cheung 2017, section 3
    "fine-tuning-mnist-clean": {"lr": 1e-3, "epochs": 20, "schedule": "constant"},
    "fine-tuning-mnist-retrain": {"lr": 1e-3, "epochs": 20, "perturbations": BLURS},
    "fine-tuning-cifar10-clean": {"lr": 5e-2, "epochs": 45, "schedule": "steps", "decay": 0.1},
    "fine-tuning-cifar10-retrain": {"lr": 5e-2, "epochs": 45, "perturbations": BLURS},
    **{
        f"fine-tuning-mnist-first-{n}": {"lr": 1e-5, "epochs": 15, "first_layers": n, "perturbations": BLURS}
        for n in range(1, 5)
    },
    **{
        f"fine-tuning-cifar10-first-{n}": {"lr": 5e-4, "epochs": 30, "first_layers": n, "perturbations": BLURS}
        for n in range(1, 6)
    },
    "fine-tuning-imagenet-first-3": {
        **{"lr": 1e-8 * (255 * 0.226) ** 2, "epochs": 20, "schedule": "geometric", "decay": 1e-2, "weight_decay": 5e-4},
        **{"first_layers": 3, "perturbations": BLURS},
    },
    # Na, Ko, Mukhopadhyay 2018, section 3; with the pivot loss, and in its control, rate and clip are ours
    **{
        f"pivot-{data}-{name}": PIVOT_SGD | {"lr": 0.1, "batch_size": 128}
        for data in ("mnist", "cifar10")
        for name in ("clean", "noise", "lowres")
    },
    **{
        f"pivot-{data}-clean-{name}": PIVOT_SGD | PAIRS | {"lr": 0.1, "pivot_weight": 0.0}
        for data in ("mnist", "cifar10")
        for name in ("noise", "lowres")
    },
    **{
        f"pivot-{data}-{name}-pivot": PIVOT_SGD | PAIRS | {"lr": 0.03, "pivot_weight": 1e-4, "clip": 1.0}
        for data in ("mnist", "cifar10")
        for name in ("noise", "lowres")
    },
    **{
        f"pivot-{data}-clean-{name}-control": PIVOT_SGD | PAIRS | {"lr": 0.03, "pivot_weight": 0.0, "clip": 1.0}
        for data in ("mnist", "cifar10")
        for name in ("noise", "lowres")
    },
    "pivot-imagenet-clean": PIVOT_SGD | {"lr": 0.1, "crop_area": (0.5, 0.8), "augment": "resized-crop"},
    "pivot-imagenet-clean-mixed-resolution": PIVOT_SGD | {"lr": 1e-5, "batch_size": 32, "perturbed_weight": 0.3},
    "pivot-imagenet-mixed-resolution-pivot": PIVOT_SGD | {"lr": 1e-5, "batch_size": 32, "pivot_weight": 1e-4},
    "pivot-imagenet-clean-mixed-resolution-control": PIVOT_SGD | {"lr": 1e-5, "pivot_weight": 0.0, "clip": 1.0},
    # the report on low-pass activations, sections 3 and 4.2
    "low-pass-cifar10": REPORT_SGD | {"batch_size": 16},
    "low-pass-flowers": REPORT_SGD | {"batch_size": 64},
    "low-pass-flowers-adam": REPORT_SGD | {"optimizer": "adam", "lr": 1e-4, "batch_size": 64},
    # the report on BagNets, section 5
    "bagnet-sgd": BAGNET | {"optimizer": "sgd", "lr": 1e-3, "decay": 0.1},
    "bagnet-adam": BAGNET | {"optimizer": "adam", "lr": 1e-3, "decay": 0.1},
    "bagnet-adadelta": BAGNET | {"optimizer": "adadelta"},
}
STEPS: dict[str, tuple[int, ...]] = {
    # of how many iterations or epochs in all, and after which of them the rate falls to a tenth
    "fine-tuning-cifar10-clean": (45, 30, 40),
    "fine-tuning-cifar10-first-3": (30, 25),
    "pivot-mnist-clean": (9, 4, 6, 8),
    "pivot-mnist-noise-pivot": (9, 4, 6, 8),
    "pivot-cifar10-clean": (94, 48, 72),
    "pivot-cifar10-clean-lowres": (94, 48, 72),
    "pivot-imagenet-clean": (11, 5, 8, 10),
    "bagnet-sgd": (15, 7, 14),
    "bagnet-adam": (15, 7, 14),
}
ITERATIONS = {"mnist": (9_000, 60_000), "cifar10": (94_000, 50_000)}


@pytest.mark.parametrize("name", PRINTED)
def test_a_recipe_has_what_its_paper_prints(name: str) -> None:
    recipe = get(name)
    assert {field: getattr(recipe, field) for field in PRINTED[name]} == PRINTED[name]


def test_every_recipe_of_a_paper_is_in_the_table() -> None:
    assert set(names()) - set(PRINTED) == {"clean", "perturbed", "both"}


@pytest.mark.parametrize("name", STEPS)
def test_the_rate_falls_where_the_paper_lets_it(name: str) -> None:
    last, *places = STEPS[name]
    recipe = get(name)
    assert (recipe.schedule, recipe.milestones) == ("steps", pytest.approx([place / last for place in places]))


@pytest.mark.parametrize("data", ITERATIONS)
def test_epochs_are_the_paper_s_iterations(data: str) -> None:
    iterations, n = ITERATIONS[data]
    whole, half = get(f"pivot-{data}-clean"), get(f"pivot-{data}-clean-noise")
    assert whole.epochs == pytest.approx(iterations * 128 / n, abs=1)
    assert half.epochs == pytest.approx(iterations * 64 / n, abs=1)


@pytest.mark.parametrize("kind", ["noise", "lowres"])
def test_perturbations_are_the_paper_s(kind: str) -> None:
    expected = {
        "noise": {"awgn@0..0.15"},
        "lowres": {f"low_resolution_{how}@{factor}" for how in ("nearest", "bicubic") for factor in (2, 4)},
    }
    for name in (kind, f"clean-{kind}", f"{kind}-pivot", f"clean-{kind}-control"):
        assert set(get(f"pivot-cifar10-{name}").perturbations) == expected[kind]


@pytest.mark.parametrize(
    ("data", "kind"), [*product(("mnist", "cifar10"), ("noise", "lowres")), ("imagenet", "mixed-resolution")]
)
def test_the_control_differs_from_the_pivot_loss_in_the_loss_alone(data: str, kind: str) -> None:
    pivot, control = (get(f"pivot-{data}-{name}").settings() for name in (f"{kind}-pivot", f"clean-{kind}-control"))
    assert {field for field in pivot if pivot[field] != control[field]} == {"pivot_weight", "pivot_centred"}
