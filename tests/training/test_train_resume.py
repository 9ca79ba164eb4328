"""A training that was killed goes on from its last epoch, and from no other training's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from robench.errors import TrainError
from robench.training import Trained
from robench.training import _fit as loop

Quick = Callable[..., Trained]


@pytest.mark.parametrize("stops", [1, 2, 3])
def test_killed_after_any_epoch_it_goes_on_to_the_same_bytes(
    stops: int, quick: Quick, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = quick("both", "whole", epochs=4)
    initial = loop.Fit.on_train_epoch_start
    began: list[int] = []

    def killed(fit: loop.Fit) -> None:
        began.append(fit.current_epoch)
        if len(began) == stops + 1:
            raise KeyboardInterrupt
        initial(fit)

    monkeypatch.setattr(loop.Fit, "on_train_epoch_start", killed)
    with pytest.raises(KeyboardInterrupt):
        quick("both", "part", epochs=4)
    assert (tmp_path / "part.ckpt").exists()
    assert not (tmp_path / "part.safetensors").exists()
    on = quick("both", "part", epochs=4)
    assert began == [*range(stops), stops, *range(stops, 4)]
    assert on.path.read_bytes() == whole.path.read_bytes()
    assert on.log.read_bytes() == whole.log.read_bytes()
    assert not (tmp_path / "part.ckpt").exists()


def test_the_state_of_another_training_is_refused(
    quick: Quick, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(loop.Fit, "validation_step", fails_in_epoch(1))
        with pytest.raises(ZeroDivisionError):
            quick("clean", "a")
    state = (tmp_path / "a.ckpt").read_bytes()
    with pytest.raises(TrainError, match=r"a.ckpt: holds the state of another training; remove it"):
        quick("clean", "a", seed=1)
    assert (tmp_path / "a.ckpt").read_bytes() == state
    (tmp_path / "a.ckpt").write_bytes(state[:1000])
    with pytest.raises(TrainError, match=r"a.ckpt: not the state of a training"):
        quick("clean", "a")


def fails_in_epoch(number: int) -> Callable[..., None]:
    step = loop.Fit.validation_step

    def fails(fit: loop.Fit, *batch: Any) -> None:
        if fit.current_epoch == number:
            raise ZeroDivisionError
        step(fit, *batch)

    return fails
