"""A set that somebody else made, in the form of CIFAR-10-C, swept like any other; its files are held to account."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from robench import comparison, datasets
from robench.errors import RunError
from robench.files import sha256_file
from robench.store import Run
from robench.sweep import SweepConfig, run
from robench.sweep import _plan as plan_module
from robench.sweep import _run as run_module
from robench.sweep._open import opened
from robench.sweep._runner import Runner

N = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The first digits, darker with each severity, under two names."""
    clean = datasets.load("digits", limit=N)
    folder = tmp_path / "DIGITS-C"
    folder.mkdir()
    blocks = np.concatenate([clean.images(0, N) // (severity + 1) for severity in range(1, 6)])
    for name in ("fog", "contrast"):
        np.save(folder / f"{name}.npy", blocks)
    np.save(folder / "labels.npy", np.tile(clean.labels, 5))
    np.savez(tmp_path / "digits.npz", images=clean.images(0, N), labels=clean.labels)
    return folder


def request(folder: Path, name: str = "run", chosen: tuple[str, ...] = ()) -> SweepConfig:
    return SweepConfig(
        ("tiny_cnn=digits-clean",),
        f"generated:{folder}",
        folder.parent / name,
        corruptions=chosen,
        clean=f"npz:{folder.parent / 'digits.npz'}",
        device="cpu",
    )


def change(folder: Path, name: str) -> None:
    np.save(folder / f"{name}.npy", np.load(folder / f"{name}.npy") // 2)


def test_its_files_are_in_the_manifest_and_no_version_of_ours(folder):
    outcome = run(request(folder))
    manifest = Run(folder.parent / "run").manifest()
    assert outcome.failed == []
    assert len(outcome.cells) == 11
    assert set(outcome.cells["corruption_version"]) == {0}
    assert manifest["files_sha256"] == {name: sha256_file(folder / f"{name}.npy") for name in ("contrast", "fog")}


def test_other_images_under_the_same_name_are_refused(folder):
    run(request(folder, chosen=("fog@1",)))
    change(folder, "contrast")
    assert run(request(folder, chosen=("contrast@1",))).computed == 1
    change(folder, "fog")
    held = (folder.parent / "run" / "manifest.json").read_bytes()
    with pytest.raises(RunError, match=r"holds a run with fog with files of sha256 .*; choose another folder"):
        run(request(folder, chosen=("fog@2",)))
    assert (folder.parent / "run" / "manifest.json").read_bytes() == held


def test_runs_over_other_images_are_not_compared(folder):
    run(request(folder, "one", chosen=("fog@1",)))
    change(folder, "fog")
    run(request(folder, "other", chosen=("fog@1",)))
    with pytest.raises(RunError, match=r"expected the files of fog of .*one, sha256 [0-9a-f]{12}, got [0-9a-f]{12}"):
        comparison.compare(folder.parent / "one", folder.parent / "other")


def test_another_process_must_find_the_same_files(folder):
    found = opened(request(folder, chosen=("fog@1",)))
    bench = Runner(found.data, found.data.clean(), found.classifiers, found.plan)
    change(folder, "fog")
    later = opened(request(folder, chosen=("fog@1",)))
    facts, others = run_module._facts(bench), run_module._facts(replace(bench, plan=later.plan))
    assert {what for what in facts if facts[what] != others[what]} == {"files of fog"}


def test_versions_under_which_a_run_goes_on_stand_beside_the_first(folder, monkeypatch):
    run(request(folder, chosen=("fog@1",)))
    held = Run(folder.parent / "run").manifest()["environment"]
    monkeypatch.setattr(plan_module, "environment", lambda: held | {"torch": "9.9"})
    assert run(request(folder, chosen=("fog@1",))).computed == 0
    assert Run(folder.parent / "run").manifest()["environment"] == held
    for _ in range(2):
        run(request(folder, chosen=("contrast@1",)))
        assert Run(folder.parent / "run").manifest()["environment"] == held | {"torch": f"{held['torch']}, 9.9"}
