"""Engines run one function over many units of work."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from queue import Empty, Queue
from typing import Any, TypeVar

from robench.errors import RobenchError

Shared = TypeVar("Shared")
Task = TypeVar("Task")
Result = TypeVar("Result")
Given = TypeVar("Given")

Lane = Callable[[Iterable[Task], threading.Event], Iterator[Result]]

UNITS_A_WORKER = 4
LANE = "lane"
AGAIN = 2

_shared: Any = None
_END = object()


def run_local(
    function: Callable[[Shared, Task], Result], shared: Shared, units: Iterable[Task], workers: int = 1
) -> Generator[tuple[Task, Result]]:
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
        waiting: dict[Future[Result], Task] = {}
        try:
            for unit in units:
                with _interrupts_held():
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
    function: Callable[[Task], Result], units: Iterable[Task], workers: int = 1
) -> Generator[tuple[Task, Future[Result]]]:
    """Each unit with the future of function(unit), in order; threads work ahead of the caller, one unit more than them.

    An exception in a unit waits in its future. For functions that leave the interpreter to others while they work.
    """
    waiting: deque[tuple[Task, Future[Result]]] = deque()
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


def run_lanes(lanes: Sequence[Lane[Task, Result]], units: Iterable[Task]) -> Generator[Result]:
    """What the lanes make of the units, as it comes; every unit goes to the lane that is free.

    A lane is a function of (units, stop), such as what one of several GPUs does; `stop` is set when nobody waits for
    its results any more, and it may then raise what it likes. One lane works in the caller's thread, more have a thread
    each. An exception in a lane ends all and is raised here.
    """
    stop = threading.Event()
    if len(lanes) == 1:
        yield from lanes[0](units, stop)
        return
    shared = _taken_in_turn(units, stop)
    came: Queue[tuple[bool, Any]] = Queue(len(lanes))
    threads = [
        threading.Thread(target=_drive, args=(lane, shared, stop, came), name=LANE, daemon=True) for lane in lanes
    ]
    for thread in threads:
        thread.start()
    try:
        working = len(lanes)
        while working:
            is_result, what = came.get()
            if is_result:
                yield what
            elif what is not None:
                raise what
            else:
                working -= 1
    finally:
        stop.set()
        while any(thread.is_alive() for thread in threads):
            _make_room(came)


def _drive(lane: Lane[Any, Any], units: Iterator[Any], stop: threading.Event, came: Queue[tuple[bool, Any]]) -> None:
    """Run a lane to its end: its results, then None or the exception that ended it."""
    fault: BaseException | None = None
    try:
        for result in lane(units, stop):
            came.put((True, result))
    except BaseException as raised:
        fault = raised
    came.put((False, fault))


def _taken_in_turn(units: Iterable[Task], stop: threading.Event) -> Iterator[Task]:
    """The units, each handed to whichever thread asks next; none any more after `stop`."""
    left, lock = iter(units), threading.Lock()

    def take() -> Any:
        with lock:
            return _END if stop.is_set() else next(left, _END)

    return iter(take, _END)


def _make_room(came: Queue[tuple[bool, Any]]) -> None:
    with suppress(Empty):
        came.get(timeout=0.05)


class _Actor:
    """On a node of a Ray cluster: what all units share, made there once, and one unit after the other."""

    def __init__(self) -> None:
        self.shared: Any = None

    def ready(self, make: Callable[[Any], Any], given: Any) -> None:
        """Make what is shared. Not done at birth: an exception in a task comes back whole, one at birth not always."""
        self.shared = make(given)

    def work(self, function: Callable[[Any, Any], Any], unit: Any) -> Any:
        return function(self.shared, unit)


def run_ray(
    make: Callable[[Given], Shared],
    given: Given,
    function: Callable[[Shared, Task], Result],
    units: Iterable[Task],
    *,
    on_gpu: bool = False,
) -> Generator[tuple[Task, Result | Exception]]:
    """Each unit with function(make(given), unit), or with the exception it ended in, as they finish, on a Ray cluster.

    The cluster is the one at $RAY_ADDRESS, else one on this machine. There is one actor for every GPU, or for every
    core; it makes what units share once. A unit that is lost with its actor or its node is done again, twice at most,
    by another actor, which comes up where there is room. Raises RobenchError without ray, and where no actor can work.
    """
    ray = _ray()
    kind = "GPU" if on_gpu else "CPU"
    slots = int(ray.cluster_resources().get(kind, 0))
    if not slots:
        raise RobenchError(f"the Ray cluster has no {kind} to work on")
    actor = ray.remote(num_cpus=0 if on_gpu else 1, num_gpus=int(on_gpu))(_Actor)
    spread = _Spread(ray, actor, (make, given), function, deque(units))
    try:
        yield from spread.results(slots)
    finally:
        spread.end()


class _Spread:
    """Hands units to actors, each one at a time, and takes back what is lost."""

    def __init__(
        self, ray: Any, actor: Any, start: tuple[Any, Any], function: Callable[[Any, Any], Any], left: deque[Any]
    ) -> None:
        self._ray, self._actor, self._at_start, self._function, self._left = ray, actor, start, function, left
        self._busy: dict[Any, tuple[Any, Any]] = {}
        self._lost: Counter[Any] = Counter()
        self._fault: Exception | None = None

    def results(self, slots: int) -> Iterator[tuple[Any, Any]]:
        """Every unit with its result or its exception, by as many actors as there are slots."""
        for _ in range(min(slots, len(self._left))):
            self._start()
        while self._left or any(unit is not None for _, unit in self._busy.values()):
            if not self._busy:
                line = _last_line(self._fault)
                raise RobenchError(f"no worker of the Ray cluster can start: {line}") from self._fault
            (done, *_), _ = self._ray.wait([*self._busy], num_returns=1)
            worker, unit = self._busy.pop(done)
            try:
                result = self._ray.get(done)
            except self._ray.exceptions.RayTaskError as fault:
                if unit is None:
                    self._give_up(worker, fault.cause)
                    continue
                result = fault.cause
            except self._ray.exceptions.RayError as fault:
                yield from self._after_loss(worker, unit, fault)
                continue
            self._hand_out(worker)
            if unit is not None:
                yield unit, result

    def end(self) -> None:
        """Let go of the actors that are left."""
        for worker, _ in self._busy.values():
            self._ray.kill(worker)

    def _start(self) -> None:
        worker = self._actor.remote()
        self._busy[worker.ready.remote(*self._at_start)] = (worker, None)

    def _hand_out(self, worker: Any) -> None:
        if self._left:
            unit = self._left.popleft()
            self._busy[worker.work.remote(self._function, unit)] = (worker, unit)
        else:
            self._ray.kill(worker)  # its room is for those that lost theirs

    def _give_up(self, worker: Any, fault: Exception) -> None:
        self._fault = fault
        self._ray.kill(worker)

    def _after_loss(self, worker: Any, unit: Any, fault: Exception) -> Iterator[tuple[Any, Any]]:
        """The unit goes back to the others and a new actor is begun; a unit that was lost too often is given up."""
        self._give_up(worker, fault)
        if unit is None:
            return
        self._start()
        self._lost[unit] += 1
        if self._lost[unit] <= AGAIN:
            self._left.appendleft(unit)
        else:
            yield unit, RobenchError(f"lost with its worker {self._lost[unit]} times: {_last_line(fault)}")


def _last_line(fault: Exception | None) -> str:
    return str(fault).strip().splitlines()[-1] if str(fault).strip() else type(fault).__name__


def _ray() -> Any:
    """The library, connected."""
    try:
        import ray
    except ImportError:
        raise RobenchError("--engine ray needs Ray: pip install 'robench[ray]'") from None
    if not ray.is_initialized():
        ray.init(address=os.environ.get("RAY_ADDRESS"), log_to_driver=False, logging_level=logging.ERROR)
    return ray


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C waits until the block ends; a process that is started in it holds it for good and leaves it to its parent.

    Without this a worker that is still importing would print a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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


def _with_shared(function: Callable[[Any, Task], Result], unit: Task) -> Result:
    return function(_shared, unit)


def _finished(waiting: dict[Future[Result], Task]) -> Iterator[tuple[Task, Result]]:
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        yield waiting.pop(future), future.result()
