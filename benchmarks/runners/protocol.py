"""What a contestant's process speaks: one JSON object a line, requests in, answers out. Needs numpy alone.

    {"images": FILE.npy, "family": …, "severity": 3, "row": …, "seconds": 0.3, "most": 500}
    {"count": 1200, "cpu": 0.31, "wall": 0.31}   or   {"fault": "…"}

The first line is {"versions": {…}, "operations": {family: what stands for it}}. Times are of the operation alone: the
images are read and converted before, and it has run once before the clock starts.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

Run = Callable[[Any], Any]
Make = Callable[[str, int, Any], Run]


def serve(
    packages: tuple[str, ...],
    operations: dict[str, str],
    make: Make,
    *,
    batch: int = 1,
    convert: Callable[[Any], Any] = lambda images: images,
    special: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> None:
    """Answer requests until the input ends.

    `make(family, severity, row)` gives the operation, called with `batch` converted images at a time. `special` answers
    requests that name a job of their own.
    """
    warnings.simplefilter("ignore")
    answers = sys.stdout
    print(json.dumps({"versions": {name: version(name) for name in packages}, "operations": operations}), flush=True)
    kept: dict[tuple[str, int], Any] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        with contextlib.redirect_stdout(sys.stderr):
            try:
                answer = special(asked) if special and "job" in asked else _rate(asked, make, batch, convert, kept)
            except Exception as fault:
                answer = {"fault": f"{type(fault).__name__}: {fault}"[:200]}
        print(json.dumps(answer), file=answers, flush=True)


def _rate(asked: dict[str, Any], make: Make, batch: int, convert: Any, kept: dict[Any, Any]) -> dict[str, Any]:
    at_once = min(batch, asked["most"])
    key = (asked["images"], at_once)
    if key not in kept:
        kept.clear()
        images = np.load(asked["images"])
        kept[key] = [convert(images[start : start + at_once]) for start in range(0, len(images), at_once)]
    blocks = kept[key]
    run = make(asked["family"], asked["severity"], asked["row"])
    run(blocks[0])
    count = at = 0
    cpu, wall = time.process_time(), time.perf_counter()
    while time.perf_counter() - wall < asked["seconds"]:
        run(blocks[at % len(blocks)])
        count += len(blocks[at % len(blocks)])
        at += 1
    return {"count": count, "cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
