"""What networks do inside: features of any layer on given images, and numbers and pictures of them.

robench.analysis.features(classifier, images, "layer3")           what a layer answers, or is given
robench.analysis.last_linear(classifier)                           the layer that decides
robench.analysis.mean_gradient_variance(maps)                      how much edge and texture feature maps hold
robench.analysis.noise_removed(restorer, clean, degraded)          how far restoration gets
robench.analysis.order_by_change(clean, degraded)                  neurons by how much degradation changes them
robench.analysis.patch_centres(classifier, image)                  where the patches of a BagNet lie
robench.analysis.patch_evidence(classifier, image, label)          where a BagNet sees the evidence for a class
"""

from robench.analysis._evidence import patch_centres, patch_evidence
from robench.analysis._features import features, last_linear, order_by_change
from robench.analysis._gradients import gradient_magnitude, gradient_variance, mean_gradient_variance
from robench.analysis._restoration import noise_removed

__all__ = [
    "features",
    "gradient_magnitude",
    "gradient_variance",
    "last_linear",
    "mean_gradient_variance",
    "noise_removed",
    "order_by_change",
    "patch_centres",
    "patch_evidence",
]
