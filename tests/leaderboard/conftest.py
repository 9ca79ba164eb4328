"""A board of two networks on the embedded digits."""

from __future__ import annotations

import shutil

import pytest
from sweeps import sweep

from robench import leaderboard


@pytest.fixture(scope="session")
def measured(tmp_path_factory):
    """A run of a whole suite with two models."""
    return sweep(tmp_path_factory.mktemp("runs") / "pivot")


@pytest.fixture(scope="session")
def published(measured, tmp_path_factory):
    """A folder with a board and a README, all fresh."""
    folder = tmp_path_factory.mktemp("published")
    leaderboard.add(measured, folder / "boards", link="https://example.org/tiny")
    (folder / "README.md").write_text("# Mine\n\n<!-- board: digits pivot/1 -->\n<!-- /board -->\n\nThe end.\n")
    leaderboard.build(folder / "boards", folder / "README.md")
    return folder


@pytest.fixture
def copied(published, tmp_path):
    """The same, to be damaged."""
    return shutil.copytree(published, tmp_path / "copied")
