"""Activations that damp large values, and the leaky one: `lp_relu1`, `lp_relu2`, `leaky_relu`.

The report whose networks these are for prints no starting values; those of the two low-pass ones are what the code of
Hossain et al. computes with (github.com/tahmid0007/Low_Pass_ReLU, LPrelu_1_Layer.m and LPrelu_2_Layer.m).
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

from robench.models._activations import activation

if TYPE_CHECKING:
    from torch import Tensor, nn

HOSSAIN = "Hossain et al. 2021 (IEEE Access 9, arXiv:2007.09453)"
FLOOR = 1e-3  # the smallest cut-off, and the smallest step between two of them relative to the lower


@activation("lp_relu1", params=2, source=HOSSAIN)
def lp_relu1() -> nn.Module:
    """0 up to 0, x up to A, then A + alpha (x - A); both trained, from A = 10 and alpha = 0.05.

    A stays positive whatever an optimizer does: A = 0.001 + softplus(raw_a).
    """
    return _classes()[0](10.0, 0.05)


@activation("lp_relu2", params=4, source=HOSSAIN)
def lp_relu2() -> nn.Module:
    """0 up to 0, x up to A, A + alpha (x - A) up to B, then M + beta (x - B) with M = A + alpha (B - A).

    All four are trained, from A = 5, B = 8, alpha = 0.05 and beta = 0.02. A < B whatever an optimizer does:
    B = A (1.001 + softplus(raw_step)). As printed, the last branch is M + beta (x - M), which jumps at B; here it goes
    on from M.
    """
    return _classes()[1](5.0, 8.0, 0.05, 0.02)


@activation("leaky_relu", params=0, source="Maas et al. 2013 (ICML workshop on deep learning), slope 0.01")
def leaky_relu() -> nn.Module:
    """x above 0, 0.01 x below; nothing of it is trained."""
    from torch import nn

    return nn.LeakyReLU(0.01)


@cache
def _classes() -> tuple[type[nn.Module], type[nn.Module]]:
    """The two, made on first use: listing activations needs no torch."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    class LPReLU1(nn.Module):
        def __init__(self, a: float, alpha: float) -> None:
            super().__init__()
            self.raw_a = nn.Parameter(torch.tensor(_before_softplus(a - FLOOR)))
            self.alpha = nn.Parameter(torch.tensor(alpha))

        @property
        def a(self) -> Tensor:
            return FLOOR + F.softplus(self.raw_a)

        def forward(self, x: Tensor) -> Tensor:
            a = self.a
            return F.relu(x).minimum(a) + self.alpha * F.relu(x - a)

    class LPReLU2(LPReLU1):
        def __init__(self, a: float, b: float, alpha: float, beta: float) -> None:
            super().__init__(a, alpha)
            self.raw_step = nn.Parameter(torch.tensor(_before_softplus(b / a - 1 - FLOOR)))
            self.beta = nn.Parameter(torch.tensor(beta))

        @property
        def b(self) -> Tensor:
            return self.a * (1 + FLOOR + F.softplus(self.raw_step))

        def forward(self, x: Tensor) -> Tensor:
            a, b = self.a, self.b
            return F.relu(x).minimum(a) + self.alpha * F.relu(x - a).minimum(b - a) + self.beta * F.relu(x - b)

    return LPReLU1, LPReLU2


def _before_softplus(value: float) -> float:
    return math.log(math.expm1(value))
