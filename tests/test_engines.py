"""The local engine: any number of workers gives the same results, and whatever goes wrong surfaces."""

import itertools
import os
import signal
import threading
import time
from functools import partial

import pytest

from robench.engines import LANE, UNITS_A_WORKER, run_ahead, run_lanes, run_local
from robench.errors import RobenchError, SetError


def times(factor, unit):
    return factor * unit


def fails_at_three(_, unit):
    if unit == 3:
        raise SetError(f"unit {unit} is broken")
    return unit


def dies_at_three(_, unit):
    if unit == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return unit


def where(_, unit):
    time.sleep(0.05)
    return os.getpid(), signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.mark.parametrize("workers", [1, 2])
def test_results_are_the_same_for_any_number_of_workers(workers):
    assert dict(run_local(times, 3, range(20), workers)) == {unit: 3 * unit for unit in range(20)}


def test_no_units_are_no_results():
    assert list(run_local(times, 3, [], 1)) == []
    assert list(run_local(times, 3, [], 2)) == []


def test_one_worker_is_this_process_and_more_are_others_that_leave_ctrl_c_to_it():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with it ignored
    try:
        assert {result for _, result in run_local(where, None, range(2), 1)} == {(os.getpid(), False)}
    finally:
        signal.signal(signal.SIGINT, before)
    found = {result for _, result in run_local(where, None, range(8), 2)}
    assert len({pid for pid, _ in found} - {os.getpid()}) == 2
    assert all(ignored for _, ignored in found)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_exception_in_a_unit_surfaces(workers):
    began = time.monotonic()
    with pytest.raises(SetError, match=r"^unit 3 is broken$"):
        list(run_local(fails_at_three, None, range(1000), workers))
    assert time.monotonic() - began < 30


def test_a_worker_that_dies_is_one_line():
    with pytest.raises(RobenchError, match=r"a worker process ended on its own; .* give fewer --workers"):
        list(run_local(dies_at_three, None, range(20), 2))


def test_an_unknown_shared_value_in_the_workers_surfaces_too():
    with pytest.raises(TypeError):
        list(run_local(times, None, [1, 2], 2))


def test_units_are_taken_as_they_are_needed():
    taken = []

    def units():
        for unit in range(1000):
            taken.append(unit)
            yield unit

    results = run_local(times, 1, units(), 2)
    next(results)
    assert len(taken) <= UNITS_A_WORKER * 2
    results.close()


@pytest.mark.parametrize("workers", [1, 3])
def test_threads_work_ahead_in_order(workers):
    started = []

    def square(unit):
        started.append(unit)
        return unit * unit

    seen = []
    for unit, future in run_ahead(square, range(10), workers):
        assert future.result() == unit * unit
        seen.append(unit)
        assert len(started) <= len(seen) + workers + 1
    assert seen == list(range(10))


def test_a_fault_waits_in_its_future_and_the_others_go_on():
    results = [future for _, future in run_ahead(partial(fails_at_three, None), range(5))]
    with pytest.raises(SetError, match="unit 3"):
        results[3].result()
    assert [results[unit].result() for unit in (0, 1, 2, 4)] == [0, 1, 2, 4]


def test_who_leaves_early_waits_for_no_more_units():
    done = []
    made = run_ahead(done.append, range(1000))
    next(made)
    made.close()
    assert len(done) <= 3


def lane(started, barrier=None):
    """A lane that squares, and notes which units it took; with a barrier it begins when all have begun."""

    def squares(units, stop):
        if barrier is not None:
            barrier.wait(timeout=30)
        for unit in units:
            started.append(unit)
            yield unit * unit

    return squares


@pytest.mark.parametrize("count", [1, 3])
def test_lanes_share_the_units(count):
    taken, barrier = [[] for _ in range(count)], threading.Barrier(count)
    results = list(run_lanes([lane(mine, barrier) for mine in taken], iter(range(20))))
    assert sorted(results) == [unit * unit for unit in range(20)]
    assert sorted(unit for mine in taken for unit in mine) == list(range(20))


def test_a_fault_in_a_lane_is_raised_and_ends_the_others():
    taken = []

    def fails(units, stop):
        yield next(iter(units))
        raise SetError("this lane is broken")

    with pytest.raises(SetError, match="this lane is broken"):
        list(run_lanes([lane(taken), fails], itertools.count()))
    assert LANE not in {thread.name for thread in threading.enumerate()}


def test_who_leaves_lanes_early_ends_them():
    taken = []
    results = run_lanes([lane(taken), lane(taken)], itertools.count())
    next(results)
    results.close()
    assert LANE not in {thread.name for thread in threading.enumerate()}
    assert len(taken) < 100


def test_lanes_are_told_to_stop_in_the_middle_of_a_unit():
    def endless(units, stop):
        for unit in units:
            yield unit
            stop.wait(timeout=30)
            raise KeyboardInterrupt

    results = run_lanes([endless, endless], itertools.count())
    next(results)
    began = time.monotonic()
    results.close()
    assert time.monotonic() - began < 10
