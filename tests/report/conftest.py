"""Runs to report on, and figures that cost nothing."""

import pytest
from sweeps import sweep

from robench import plots, tables
from robench.files import write_text
from robench.report import build


@pytest.fixture(scope="session")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "digits"
    sweep(folder, corruptions=("awgn@0.1,0.3", "contrast@1,3,5", "spatially_varying_noise_1d", "crop@0.5,0.3"))
    return folder


@pytest.fixture(scope="session")
def one_corruption(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "digits"
    sweep(folder, corruptions=("awgn@0.1",))
    return folder


@pytest.fixture
def unpainted(monkeypatch):
    """Figures are written as empty pictures beside their rows, for tests of everything else."""

    def save(figure, rows, stem, *, pdf=False):
        paths = [stem.with_name(stem.name + suffix) for suffix in (".svg", ".png", ".csv")]
        for path, text in zip(paths, ("<svg></svg>", "", tables.to_csv(rows)), strict=True):
            write_text(path, text)
        return paths

    monkeypatch.setattr(plots._look, "save", save)
    monkeypatch.setattr(plots.Figure, "drawn", lambda self, style: None)
    for kind in plots.Figure.__subclasses__():
        monkeypatch.setattr(kind, "drawn", lambda self, style: None)


@pytest.fixture(scope="session")
def report(measured, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    build([measured], folder)
    return folder
