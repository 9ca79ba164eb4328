"""Which layers are trained: all, or the first few with the others as they were."""

from __future__ import annotations

from torch import nn

from robench.errors import ConfigError

WEIGHTED = (nn.modules.conv._ConvNd, nn.Linear)


def freeze_after(network: nn.Module, first: int | None) -> list[nn.Module]:
    """Freeze what comes after the first so many layers with weights; the modules that have to stay in evaluation mode.

    A layer is a convolution or a linear map with what follows it up to the next, batch norm for instance, in the order
    in which the network names them. Batch norm of frozen layers keeps its statistics. None freezes nothing. Raises
    ConfigError where there are fewer layers.
    """
    if first is None:
        return []
    layer, frozen = 0, []
    for part in network.modules():
        layer += isinstance(part, WEIGHTED)
        own = [*part.parameters(recurse=False)]
        if layer > first and (own or isinstance(part, nn.modules.batchnorm._NormBase)):
            frozen.append(part)
            for parameter in own:
                parameter.requires_grad_(False)
    if layer < first:
        raise ConfigError(f"expected at most {layer} layers, as many as the network has, got {first}")
    return frozen
