"""Lin 2021 (semester project, EPFL IVRL): the three setups, restorer, estimator and calibration.

Section 3.1 cuts its random rectangles out of whole photographs; these recipes, out of the data set's view of them.
"""

from __future__ import annotations

from typing import Any

from robench.training._recipes import Recipe, register

SOURCE = "Lin 2021, Learning degraded image classification with restoration data fidelity, sections 3.1, 3.2, 5.1"
LEVELS = ("clean", *(f"awgn@0.{tenth}" for tenth in range(1, 6)))
SHARED: dict[str, Any] = {"warmup_epochs": 5, "augment": "resized-crop"}
NAG: dict[str, Any] = SHARED | {"optimizer": "nag", "lr": 1e-3, "batch_size": 64, "label_smoothing": 0.1}
PATCHES: dict[str, Any] = SHARED | {"lr": 1e-4, "batch_size": 128, "patch": 50, "epochs": 120}
PAIRS: dict[str, Any] = {"data": "both", "perturbations": LEVELS}

register(Recipe("fidelity-clean", "setup 1: clean images", SOURCE, data="clean", epochs=120, **NAG))
register(
    Recipe(
        "fidelity-degraded",
        "setup 2: all levels of AWGN and clean; with RESTORER=CHECKPOINT+NAME as model setup 3, restored images",
        SOURCE,
        data="perturbed",
        perturbations=LEVELS,
        epochs=120,
        **NAG,
    )
)
register(Recipe("fidelity-restorer", "DnCNN on patches, l1 loss", SOURCE, task="restore", **PAIRS, **PATCHES))
for _map in ("l1", "l2", "cosine"):
    register(
        Recipe(
            f"fidelity-estimator-{_map}",
            f"the {_map} map of a restorer's images, on patches",
            SOURCE,
            task="estimate",
            fidelity_map=_map,
            **PAIRS,
            **PATCHES,
        )
    )
register(
    Recipe(
        "fidelity-calibration",
        "calibration of a frozen classifier",
        SOURCE,
        task="calibrate",
        epochs=50,
        **PAIRS,
        **NAG,
    )
)
