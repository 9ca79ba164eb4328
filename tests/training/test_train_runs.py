"""Trainings from end to end: they learn, repeat to the byte, and leave nothing behind."""

from __future__ import annotations

import csv
import importlib.util
import logging
import random
import signal
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from corruptions import CorruptionError
from robench import models
from robench.datasets import Dataset
from robench.errors import ConfigError, TrainError
from robench.training import Recipe, Trained, get, train
from robench.training import _fit as loop
from robench.training._losses import classification_loss, pivot_loss

Quick = Callable[..., Trained]
Pair = tuple[Dataset, Dataset]


def rows(trained: Trained) -> list[dict[str, str]]:
    with trained.log.open(newline="") as opened:
        return list(csv.DictReader(opened))


def accuracy(spec: str, dataset: Dataset) -> float:
    classifier = models.load(spec, classes=10)
    guesses = classifier.logits(torch.from_numpy(dataset.images(0, len(dataset)))).argmax(1)
    return float((guesses.numpy() == dataset.labels).mean())


def test_it_learns_and_writes_what_it_reports(quick: Quick, digits: Pair) -> None:
    trained = quick("clean", "a", epochs=4)
    assert trained.val_score > 0.6
    assert accuracy(f"tiny_cnn={trained.path}", digits[1]) == pytest.approx(trained.val_score)
    assert models.load(f"tiny_cnn={trained.path}", classes=10).weights_sha256 == trained.weights_sha256
    log = rows(trained)
    assert list(log[0]) == ["epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr"]
    assert [row["epoch"] for row in log] == ["1", "2", "3", "4"]
    assert float(log[trained.best_epoch - 1]["val_accuracy"]) == pytest.approx(trained.val_score, abs=1e-5)
    assert (trained.epochs, trained.train_n, trained.val_n) == (4, 200, 60)


@pytest.mark.parametrize("recipe", ["clean", "both"])
def test_the_same_call_gives_the_same_bytes_and_no_litter(
    recipe: str, quick: Quick, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = quick(recipe, "a")
    torch.rand(7)
    np.random.rand(7)
    second = quick(recipe, "b")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.log.read_bytes() == second.log.read_bytes()
    names = ["a.log.csv", "a.safetensors", "b.log.csv", "b.safetensors"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert quick(recipe, "c", seed=1).weights_sha256 != first.weights_sha256


def state_of_the_process() -> list[Any]:
    return [
        torch.random.get_rng_state().tolist(),
        np.random.get_state()[1].tolist(),
        random.getstate(),
        torch.are_deterministic_algorithms_enabled(),
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        logging.getLogger("lightning.pytorch").level,
        list(warnings.filters),
        signal.getsignal(signal.SIGINT),
        signal.getsignal(signal.SIGTERM),
    ]


def test_the_process_is_left_as_it_was_found(quick: Quick, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("lightning.pytorch"), "level", 17)
    before = state_of_the_process()
    quick("both", "a", epochs=1)
    assert state_of_the_process() == before


def test_ctrl_c_stays_ctrl_c_and_writes_nothing(quick: Quick, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(loop.Fit, "training_step", interrupt)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        quick("clean", "a")
    assert signal.getsignal(signal.SIGINT) == before
    assert not list(tmp_path.iterdir())


def test_recipes_and_strengths_make_different_networks(quick: Quick) -> None:
    runs = [
        quick("clean", "a"),
        quick("perturbed", "b"),
        quick("both", "c"),
        quick("perturbed", "d", strength=0.1),
        quick("perturbed", "e", corruption="gaussian_blur_13x13", strength=1),
    ]
    assert len({run.weights_sha256 for run in runs}) == 5
    nothing = quick("perturbed", "f", strength="0..0")
    assert nothing.weights_sha256 == runs[0].weights_sha256


def test_the_best_epoch_is_what_is_written(quick: Quick, digits: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    constant = replace(get("clean"), schedule="constant")
    short = quick(constant, "short", epochs=1)
    _, val_set = digits
    wrong = replace(val_set, labels=(val_set.labels + 1) % 10)

    def after_the_first_epoch_all_is_wrong(fit: loop.Fit) -> loop.Batches:
        return loop.Batches(wrong if fit.current_epoch else val_set, fit.recipe, fit.seed)

    monkeypatch.setattr(loop.Fit, "val_dataloader", after_the_first_epoch_all_is_wrong)
    long = quick(constant, "long", epochs=3)
    assert (long.best_epoch, long.epochs) == (1, 3)
    assert long.weights_sha256 == short.weights_sha256


def test_metadata_tells_how_to_train_it_again(quick: Quick, digits: Pair) -> None:
    trained = quick("perturbed", "a", strength="0..0.2", epochs=1, seed=3, train_n=100, normalize="mnist")
    metadata = models.metadata(trained.path)
    expected = {
        "model": "tiny_cnn",
        "start": "tiny_cnn",
        "classes": "10",
        "dataset": "digits",
        "view": "side16",
        "train_n": "100",
        "val_n": "60",
        "val_digest": digits[1].digest,
        "recipe": "perturbed",
        "data": "perturbed",
        "perturbations": "awgn@sigma=0..0.2",
        "epochs": "1",
        "recipe_epochs": "20",
        "precision": "fp32",
        "epochs_run": "1",
        "best_epoch": "1",
        "lr": "0.003",
        "batch_size": "20",
        "seed": "3",
        "fit": "resize32",
        "normalize": "mnist",
        "torch": torch.__version__,
    }
    assert {key: metadata[key] for key in expected} == expected
    assert float(metadata["val_accuracy"]) == pytest.approx(trained.val_score, abs=1e-6)
    assert metadata["train_digest"] == digits[0].limited(100).digest


def test_training_goes_on_from_init(quick: Quick) -> None:
    start = quick("clean", "start", epochs=4)
    on = quick("clean", "on", epochs=1, lr=1e-9, init=str(start.path))
    assert on.val_score == pytest.approx(start.val_score, abs=0.1)
    assert models.metadata(on.path)["start"] == "tiny_cnn=start"
    with pytest.raises(ConfigError, match="names its checkpoint already"):
        train("clean", "digits", f"tiny_cnn={start.path}", "x.safetensors", init="y")


def test_every_optimizer_trains_in_its_own_way(quick: Quick) -> None:
    names = ("adam", "adamw", "sgd", "nag", "adadelta")
    recipe = replace(get("clean"), weight_decay=0.01)
    trained = {name: quick(replace(recipe, optimizer=name), name, lr=0.02, epochs=3) for name in names}
    losses = {name: [float(row["train_loss"]) for row in rows(one)] for name, one in trained.items()}
    assert [name for name in names if losses[name][2] >= losses[name][0]] == []
    assert len({one.weights_sha256 for one in trained.values()}) == len(names)


def test_label_smoothing_changes_the_loss(quick: Quick) -> None:
    losses = [
        float(
            rows(quick(replace(get("clean"), label_smoothing=smoothing), f"s{smoothing}", lr=1e-9, epochs=1))[0][
                "train_loss"
            ]
        )
        for smoothing in (0.0, 0.5)
    ]
    assert losses[0] != losses[1]


def test_the_seed_is_that_of_the_first_weights_too(quick: Quick) -> None:
    still = [quick("clean", f"seed{seed}", seed=seed, lr=1e-9, epochs=1) for seed in (0, 1)]
    drawn = [models.load("tiny_cnn", classes=10, random_weights=True, seed=seed).module[0].weight for seed in (0, 1)]
    for trained, expected in zip(still, drawn, strict=True):
        assert torch.allclose(models.load(f"tiny_cnn={trained.path}", classes=10).module[0].weight, expected, atol=1e-6)


def test_draws_inside_the_network_repeat(digits: Pair, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from torch import nn\n"
        "def net(classes):\n"
        "    net = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(256, classes))\n"
        "    return net, {'side': 16, 'channels': 1}\n"
    )
    options: dict[str, Any] = {"epochs": 1, "device": "cpu", "progress": False}
    runs = []
    for i in range(2):
        torch.rand(3)
        runs.append(train("clean", digits, f"{file}:net", tmp_path / f"{i}.safetensors", **options))
    assert runs[0].path.read_bytes() == runs[1].path.read_bytes()
    assert models.metadata(runs[0].path)["model"] == "mine:net"


def test_schedules(quick: Quick) -> None:
    cosine = [float(row["lr"]) for row in rows(quick("clean", "a"))]
    constant = [float(row["lr"]) for row in rows(quick(replace(get("clean"), schedule="constant"), "b"))]
    assert cosine == pytest.approx([3e-3, 1.5e-3])
    assert constant == pytest.approx([3e-3, 3e-3])


def test_a_diverged_training_is_an_error_and_writes_nothing(quick: Quick, tmp_path: Path) -> None:
    with pytest.raises(TrainError, match=r"diverged: the loss of epoch \d is (nan|inf); try a lower lr than 1e\+30"):
        quick("clean", "a", lr=1e30)
    assert not list(tmp_path.iterdir())


def test_a_training_that_its_last_step_lost_is_one_too(quick: Quick, tmp_path: Path) -> None:
    with pytest.raises(TrainError, match=r"diverged: the validation loss of epoch 1 is (nan|inf)"):
        quick("clean", "a", lr=1e30, epochs=1, batch_size=512)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_compiled_training_learns_the_same_and_says_so(quick: Quick) -> None:
    compiled, plain = quick("clean", "a", compiled=True), quick("clean", "b")
    losses = [[float(row["train_loss"]) for row in rows(one)] for one in (compiled, plain)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    assert [models.metadata(one.path)["precision"] for one in (compiled, plain)] == ["fp32+compile", "fp32"]


def test_bf16_trains(quick: Quick) -> None:
    assert quick("clean", "a", precision="bf16").weights_sha256 != quick("clean", "b").weights_sha256


def test_progress_is_a_line_an_epoch_where_no_bar_can_move(quick: Quick, capsys: pytest.CaptureFixture[str]) -> None:
    quick("clean", "a", progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(":")[0] for line in err.splitlines()] == ["epoch 1/2", "epoch 2/2"]


def test_named_data_sets_are_split_into_train_and_val(tmp_path: Path) -> None:
    options: dict[str, Any] = {"epochs": 1, "device": "cpu", "progress": False}
    trained = train("clean", "digits", "tiny_cnn", tmp_path / "a.safetensors", train_n=64, **options)
    assert (trained.train_n, trained.val_n) == (64, 136)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"recipe": "claen"}, "unknown recipe 'claen'; did you mean clean"),
        ({"model": "tiny_cn"}, "unknown model 'tiny_cn'; did you mean tiny_cnn"),
        ({"data": "digits@test"}, "reads the splits train and val; leave out @test"),
        ({"out": "a.pt"}, "must be a file that ends in .safetensors, got 'a.pt'"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"precision": "fp8"}, "precision must be fp32, bf16, fp16, got 'fp8'"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"lr": 0.0}, "lr must be a positive number"),
        ({"corruption": "awgn"}, "'clean' trains on clean images and takes no corruption"),
        (
            {"recipe": "both", "corruption": "gaussian_blur_13x13"},
            "e.g. -c awgn --level 0..0.5, got gaussian_blur_13x13 and no level",
        ),
    ],
)
def test_a_wrong_request_is_one_line(change: dict[str, Any], fault: str) -> None:
    request = {"recipe": "clean", "data": "digits", "model": "tiny_cnn", "out": "x.safetensors", **change}
    with pytest.raises(ConfigError, match=fault):
        train(**request)


def test_a_wrong_corruption_is_found_before_anything_is_read() -> None:
    with pytest.raises(CorruptionError, match="did you mean awgn"):
        train("both", "nowhere", "tiny_cnn", "x.safetensors", corruption="awgnn", strength=0.1)
    with pytest.raises(CorruptionError, match="awgn"):
        train("both", "nowhere", "tiny_cnn", "x.safetensors", strength=-1)


def test_splits_that_do_not_match_are_refused(digits: Pair) -> None:
    with pytest.raises(TrainError, match="digits: classes of train and val differ"):
        train("clean", (digits[0], replace(digits[1], classes=(*digits[1].classes, "x"))), "tiny_cnn", "x.safetensors")


def test_a_place_that_cannot_be_written_is_found_first(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainError, match="cannot be written"):
        train("clean", "nowhere", "tiny_cnn", tmp_path / "file" / "x.safetensors")


def test_without_lightning_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(TrainError, match=r"pip install 'robench\[train\]'"):
        train("clean", "digits", "tiny_cnn", "x.safetensors")


def test_a_checkpoint_is_used_with_the_normalisation_that_it_was_trained_with(quick: Quick) -> None:
    trained = quick(replace(get("clean"), normalize="bytes"), "a", epochs=1, lr=1e-4)
    spec = f"tiny_cnn={trained.path}"
    assert models.load(spec, classes=10).normalize == "bytes"
    assert models.load(spec, classes=10, normalize="none").normalize == "none"
    assert quick("clean", "b", epochs=1, init=str(trained.path)).path
    assert models.metadata(trained.path.with_name("b.safetensors"))["normalize"] == "bytes"
    assert quick("clean", "c", epochs=1, normalize="mnist").path
    assert models.metadata(trained.path.with_name("c.safetensors"))["normalize"] == "mnist"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"schedule": "steps", "milestones": (0.5, 0.75), "decay": 0.1}, [1, 1, 0.1, 0.01]),
        ({"schedule": "geometric", "decay": 1e-4}, [1, 0.1, 1e-2, 1e-3]),
        ({"schedule": "constant", "warmup_epochs": 2}, [0.05, 0.55, 1, 1]),
        ({"schedule": "cosine", "warmup_epochs": 2}, [0.05, 0.55, 1, 0.5]),
    ],
)
def test_learning_rates_follow_the_schedule(changes: dict[str, Any], expected: list[float], quick: Quick) -> None:
    recipe = replace(get("clean"), epochs=4, **changes)
    assert [float(row["lr"]) / 3e-3 for row in rows(quick(recipe, "a", epochs=4))] == pytest.approx(expected)


def test_a_clipped_gradient_takes_small_steps(quick: Quick) -> None:
    recipe = replace(get("clean"), optimizer="sgd", momentum=0.0, schedule="constant")
    start = models.load("tiny_cnn", classes=10, random_weights=True).module
    moved = []
    for clip in (None, 1e-3):
        trained = quick(replace(recipe, clip=clip), f"clip-{clip}", epochs=1, lr=0.1)
        net = models.load(f"tiny_cnn={trained.path}", classes=10).module
        pairs = zip(start.parameters(), net.parameters(), strict=True)
        moved.append(sum((one - other).detach().square().sum().item() for one, other in pairs) ** 0.5)
    steps = 10
    assert moved[1] <= 0.1 * 1e-3 * steps * 1.01
    assert moved[0] > 10 * moved[1]


def test_only_the_first_layers_are_trained(quick: Quick) -> None:
    start = quick("clean", "start", epochs=1)
    on = quick(replace(get("clean"), first_layers=1), "on", init=str(start.path))
    before, after = (models.load(f"tiny_cnn={one.path}", classes=10).module.state_dict() for one in (start, on))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {name for name in before if name.startswith(("0.", "1."))}
    with pytest.raises(ConfigError, match="expected at most 4 layers, as many as the network has, got 9"):
        quick(replace(get("clean"), first_layers=9), "x", init=str(start.path))


def test_the_loss_of_pairs_by_hand() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 3.0]], requires_grad=True)
    labels = torch.tensor([0, 1, 0, 1])
    recipe = Recipe("toy", "", "", "both", ("awgn@0.1",), perturbed_weight=0.3, pivot_weight=0.01)
    entropy = [float(torch.log1p(torch.exp(torch.tensor(-margin)))) for margin in (2.0, 1.0, 1.0, 3.0)]
    expected = (entropy[0] + entropy[1] + 0.3 * (entropy[2] + entropy[3])) / 2.6 + 0.01 * (1 + 4)
    assert classification_loss(recipe, logits, labels).item() == pytest.approx(expected)
    centred = replace(recipe, pivot_centred=True)
    assert classification_loss(centred, logits, labels).item() == pytest.approx(expected - 0.01 * 5 / 2)
    pivot_loss(logits[2:], logits[:2]).backward()
    assert logits.grad is not None
    assert logits.grad.tolist() == [[0, 0], [0, 0], [-2, 0], [0, 4]]
    plain = replace(recipe, perturbed_weight=1.0, pivot_weight=0.0)
    assert classification_loss(plain, logits, labels).item() == pytest.approx(sum(entropy) / 4)


def test_tensorboard_hears_of_every_epoch(quick: Quick, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    plain, trained = quick("clean", "plain"), quick("clean", "a", log=f"tensorboard={tmp_path / 'board'}")
    seen = EventAccumulator(str(tmp_path / "board" / "a")).Reload().Scalars("val_score")
    assert [one.value for one in seen] == pytest.approx([float(row["val_accuracy"]) for row in rows(trained)], abs=1e-5)
    assert trained.path.read_bytes() == plain.path.read_bytes()
