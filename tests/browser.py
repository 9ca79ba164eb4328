"""A page in headless Chromium, and what it did wrong."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class Opened:
    """A page, the messages of its console, and the addresses outside the disk that it asked for."""

    page: Any
    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def browser() -> Iterator[Any]:
    """Chromium as the machine has it; without one the test is skipped, but on CI it fails."""
    from playwright.sync_api import sync_playwright

    found = [path for path in map(shutil.which, NAMES) if path]
    if not found:
        if os.environ.get("CI"):
            pytest.fail(f"expected one of {', '.join(NAMES)} on PATH")
        pytest.skip(f"needs one of {', '.join(NAMES)} on PATH")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found[0], args=["--no-sandbox"])
        yield running
        running.close()


@contextmanager
def opened(running: Any, path: Path, **options: Any) -> Iterator[Opened]:
    """The page of a file, drawn. options: as for playwright's new_page."""
    page = running.new_page(**({"viewport": {"width": 1200, "height": 900}} | options))
    one = Opened(page)
    page.on("console", lambda message: one.console.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda fault: one.errors.append(str(fault)))
    page.on("request", lambda request: one.requests.append(request.url))
    page.goto(path.resolve().as_uri())
    page.wait_for_selector("body[data-drawn=yes]", timeout=60_000)
    yield one
    page.close()


def sorts(header: Any, direction: str) -> None:
    """Wait until the table is sorted by the column of a header, ascending or descending; it is not at once."""
    from playwright.sync_api import expect

    expect(header).to_have_attribute("aria-sort", direction)


def settled(page: Any) -> None:
    """Wait until what a script put off to its next turn, such as a filter's new rows, is done."""
    page.evaluate("new Promise(done => setTimeout(done))")


def luminance(colour: str) -> float:
    """The relative luminance of `rgb(r, g, b)` (WCAG 2)."""
    parts = [int(float(part)) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(page: Any, selector: str) -> float:
    """Of an element's text to the page behind it."""
    ink = page.eval_on_selector(selector, "one => getComputedStyle(one).color")
    paper = page.eval_on_selector("body", "one => getComputedStyle(one).backgroundColor")
    light, dark = sorted((luminance(ink), luminance(paper)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
