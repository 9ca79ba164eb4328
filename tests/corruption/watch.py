"""A corruption run under the eyes of a test."""

import dataclasses
import functools
import warnings

import numpy as np

import corruptions
from corruptions import Chain


def watched(chosen):
    """The corruption with a look at what its function returns, since rounding hides what is no number."""
    if isinstance(chosen, Chain):
        return dataclasses.replace(chosen, parts=tuple(map(watched, chosen.parts)))

    @functools.wraps(chosen.body)
    def body(*given, **extras):
        result = chosen.body(*given, **extras)
        assert result.dtype == np.uint8 or not np.isnan(result).any(), f"{chosen.name} made what is no number"
        return result

    return dataclasses.replace(chosen, body=body)


def applied(images, chosen, strength, **options):
    """The corrupted images; any warning and any result that is no number is an error."""
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        return corruptions.apply_strength(images, watched(chosen), strength, **options)
