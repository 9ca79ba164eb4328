"""Where definitions come from, for the `source` field."""

HENDRYCKS = "Hendrycks & Dietterich 2019, arXiv:1903.12261, generators of CIFAR-10-C, Tiny-ImageNet-C and ImageNet-C"
FIDELITY = "Lin 2021, Learning degraded image classification with restoration data fidelity"
PIVOT = "Na, Ko, Mukhopadhyay 2018, Noise-robust and resolution-invariant classification by pixel-level regularization"
