"""One bar for long work, with the rate and the time left; plain lines where stderr is not a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int, str], None]
SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def tracked(total: int, what: str, *, show: bool, unit: str = "images") -> Iterator[Advance]:
    """Give the block a function advance(count, note) that counts up to `total` units; silent unless `show`."""
    if not show:
        yield lambda count, note: None
    elif sys.stderr.isatty():
        yield from _bar(total, what, unit)
    else:
        yield _Lines(total, what, unit)


def _bar(total: int, what: str, unit: str) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        *(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit)),
        *(TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), TextColumn("{task.fields[note]}")),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total, rate="", note="")

        def advance(count: int, note: str) -> None:
            speed = bar.tasks[0].speed
            bar.update(task, advance=count, note=note, rate=f"{speed:,.0f}/s" if speed else "")

        yield advance


class _Lines:
    """A line at the end, and one every ten seconds on the way."""

    def __init__(self, total: int, what: str, unit: str) -> None:
        self._total, self._what, self._unit = total, what, unit
        self._done = 0
        self._began = self._spoke = time.monotonic()

    def __call__(self, count: int, note: str) -> None:
        self._done += count
        now = time.monotonic()
        if self._done < self._total and now - self._spoke < SECONDS_BETWEEN_LINES:
            return
        self._spoke = now
        rate = self._done / max(now - self._began, 1e-9)
        left = (self._total - self._done) / rate if rate else 0
        tail = f", {left:.0f} s left" if self._done < self._total else f" in {now - self._began:.1f} s"
        text = f"{self._what}: {self._done} of {self._total} {self._unit}, {rate:,.0f}/s{tail}  {note}"
        print(text.rstrip(), file=sys.stderr, flush=True)
