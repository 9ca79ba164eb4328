"""Where definitions come from, for the `source` field, and reasons that several definitions share."""

HENDRYCKS = "Hendrycks & Dietterich 2019, arXiv:1903.12261, generators of CIFAR-10-C, Tiny-ImageNet-C and ImageNet-C"
FIDELITY = "Lin 2021, Learning degraded image classification with restoration data fidelity"
ZHOU = "Zhou, Song, Cheung 2017, On classification of distorted images with deep convolutional neural networks"
CBAR = "Mintun, Kirillov, Xie 2021, arXiv:2102.11273, CIFAR-10-C-bar, rebuilt from its description"
THREED = "Kar, Yeo, Atanov, Zamir 2022, arXiv:2203.01441, 3D Common Corruptions, its two-dimensional part"
PIVOT = "Na, Ko, Mukhopadhyay 2018, Noise-robust and resolution-invariant classification by pixel-level regularization"

CUT = "values are cut to 8 bits as published, so a value just below a level becomes the one before"
