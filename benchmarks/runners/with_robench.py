"""robench's side of the benchmark: blocks of images through `corruptions.apply`."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from protocol import Run, serve

import corruptions

BLOCK = 500


def make(family: str, severity: int, row: Any) -> Run:
    """The family at its own published row for the image's side."""
    return lambda images: corruptions.apply(images, family, severity, seed=1)


def whole(asked: dict[str, Any]) -> dict[str, Any]:
    """Every family at all five severities on images start..stop-1, in blocks, as `robench generate` does it."""
    images = np.load(asked["images"], mmap_mode="r")[asked["start"] : asked["stop"]]
    images = np.ascontiguousarray(images)
    ids = np.arange(asked["start"], asked["stop"])
    for family in asked["families"]:
        corruptions.apply(images[:4], family, 3)
    cpu, wall = time.process_time(), time.perf_counter()
    seconds = {}
    for family in asked["families"]:
        began = time.process_time()
        for severity in range(1, 6):
            for start in range(0, len(images), BLOCK):
                part = slice(start, start + BLOCK)
                corruptions.apply(images[part], family, severity, ids=ids[part])
        seconds[family] = time.process_time() - began
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "families": seconds}


def first_use(asked: dict[str, Any]) -> dict[str, Any]:
    """Every family once, on one small image: what compiling costs, or reading what is compiled."""
    began = time.perf_counter()
    for family in asked["families"]:
        corruptions.apply(np.zeros((1, 32, 32, 3), np.uint8), family, 3)
    return {"wall": time.perf_counter() - began}


JOBS = {"whole": whole, "first_use": first_use}

if __name__ == "__main__":
    serve(
        ("robench", "numpy", "numba", "opencv-python-headless"),
        {name: name for name in corruptions.names()},
        make,
        batch=BLOCK,
        special=lambda asked: JOBS[asked["job"]](asked),
    )
