"""Cross-entropy on clean images, on perturbed ones, or on both."""

from __future__ import annotations

from robench.training._recipes import Recipe, register

SOURCE = "Na, Ko, Mukhopadhyay 2018 (ICASSP) for the three mixtures; Adam and its rate: Kingma & Ba 2015"

register(Recipe("clean", "cross-entropy on clean images", SOURCE, data="clean"))
register(
    Recipe(
        "perturbed",
        "cross-entropy on perturbed images",
        SOURCE,
        data="perturbed",
        perturbations=("awgn@0..0.5",),
    )
)
register(
    Recipe(
        "both",
        "cross-entropy on clean images and their perturbed copies",
        SOURCE,
        data="both",
        perturbations=("awgn@0..0.5",),
    )
)
