"""Engines run one function over many units of work."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import Any, TypeVar

Shared = TypeVar("Shared")
Unit = TypeVar("Unit")
Result = TypeVar("Result")

_shared: Any = None


def run_local(
    function: Callable[[Shared, Unit], Result], shared: Shared, units: Iterable[Unit], workers: int = 1
) -> Iterator[tuple[Unit, Result]]:
    """Each unit with function(shared, unit), as they finish.

    One worker is this process. More are fresh processes, which get `shared` once; at most four units a worker wait.
    An exception in a unit ends the run and is raised here.
    """
    if workers <= 1:
        for unit in units:
            yield unit, function(shared, unit)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_keep, initargs=(shared,)) as pool:
        waiting: dict[Future[Result], Unit] = {}
        try:
            for unit in units:
                waiting[pool.submit(_with_shared, function, unit)] = unit
                if len(waiting) >= 4 * workers:
                    yield from _finished(waiting)
            while waiting:
                yield from _finished(waiting)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _keep(shared: Any) -> None:
    global _shared
    _shared = shared


def _with_shared(function: Callable[[Any, Unit], Result], unit: Unit) -> Result:
    return function(_shared, unit)


def _finished(waiting: dict[Future[Result], Unit]) -> Iterator[tuple[Unit, Result]]:
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        yield waiting.pop(future), future.result()
