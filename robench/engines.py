"""Engines run one function over many units of work."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from robench.errors import RobenchError

Shared = TypeVar("Shared")
Unit = TypeVar("Unit")
Result = TypeVar("Result")

UNITS_A_WORKER = 4

_shared: Any = None


def run_local(
    function: Callable[[Shared, Unit], Result], shared: Shared, units: Iterable[Unit], workers: int = 1
) -> Generator[tuple[Unit, Result]]:
    """Each unit with function(shared, unit), as they finish.

    One worker is this process. More are fresh processes, which get `shared` once and end with this one, however it
    ends; at most four units a worker wait. An exception in a unit ends the run and is raised here; a worker that dies
    raises RobenchError.
    """
    if workers <= 1:
        for unit in units:
            yield unit, function(shared, unit)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(shared,)) as pool:
        waiting: dict[Future[Result], Unit] = {}
        try:
            for unit in units:
                waiting[pool.submit(_with_shared, function, unit)] = unit
                if len(waiting) >= UNITS_A_WORKER * workers:
                    yield from _finished(waiting)
            while waiting:
                yield from _finished(waiting)
        except BrokenProcessPool as fault:
            raise RobenchError(
                "a worker process ended on its own; where memory is short, give fewer --workers"
            ) from fault
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def run_ahead(
    function: Callable[[Unit], Result], units: Iterable[Unit], workers: int = 1
) -> Generator[tuple[Unit, Future[Result]]]:
    """Each unit with the future of function(unit), in order; threads work ahead of the caller, one unit more than them.

    An exception in a unit waits in its future. For functions that leave the interpreter to others while they work.
    """
    waiting: deque[tuple[Unit, Future[Result]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for unit in units:
                waiting.append((unit, pool.submit(function, unit)))
                if len(waiting) > workers:
                    yield waiting.popleft()
            while waiting:
                yield waiting.popleft()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _begin(shared: Any) -> None:
    """Start a worker: keep what all units share, leave Ctrl-C to the parent, and do not outlive it."""
    global _shared
    _shared = shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _with_shared(function: Callable[[Any, Unit], Result], unit: Unit) -> Result:
    return function(_shared, unit)


def _finished(waiting: dict[Future[Result], Unit]) -> Iterator[tuple[Unit, Result]]:
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        yield waiting.pop(future), future.result()
