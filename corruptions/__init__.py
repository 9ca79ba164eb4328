"""Corruptions: degraded images from clean ones, deterministically, a block at a time.

    apply(images, name, severity)    degrade uint8 images
    names(), get(name)               what there is, and one definition with its strengths, source and facts
    suite(name), suites()            named, versioned lists
    corruption(...)                  register your own

Needs numpy, numba and OpenCV; no PyTorch.
"""

from corruptions import blur, digital, heldout, noise, resolution, weather
from corruptions._contract import (
    Chain,
    Corruption,
    Textures,
    corruption,
    get,
    names,
    nearest_severity_table,
    superseded,
)
from corruptions._core import apply, apply_strength
from corruptions._errors import CorruptionError, RepeatedDraws, StrengthError, UnknownName
from corruptions._registry import Registry, unknown
from corruptions._streams import Draws
from corruptions._strength import CLEAN, Level, Strength, number_text, read_number, read_whole
from corruptions._suites import Suite, suite
from corruptions._suites import add as add_suite
from corruptions._suites import names as suites

__all__ = [
    "CLEAN",
    "Chain",
    "Corruption",
    "CorruptionError",
    "Draws",
    "Level",
    "Registry",
    "RepeatedDraws",
    "Strength",
    "StrengthError",
    "Suite",
    "Textures",
    "UnknownName",
    "add_suite",
    "apply",
    "apply_strength",
    "blur",
    "corruption",
    "digital",
    "get",
    "heldout",
    "names",
    "nearest_severity_table",
    "noise",
    "number_text",
    "read_number",
    "read_whole",
    "resolution",
    "suite",
    "suites",
    "superseded",
    "unknown",
    "weather",
]
