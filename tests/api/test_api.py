"""`robench.evaluate` in Python: networks in memory, names, results, and one-line errors."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import robench
from robench import load_results
from robench.errors import ConfigError


@pytest.fixture(scope="module")
def digits():
    return robench.load_dataset("digits", limit=80)


@pytest.fixture(scope="module")
def data(digits):
    return robench.wrap_dataset(digits.images(0, 80), digits.labels)


@pytest.fixture(scope="module")
def net():
    return robench.load_model("tiny_cnn=digits-clean").module


@pytest.fixture(scope="module")
def results(net, data):
    mine = robench.wrap_model(net, num_classes=10, mean=0.5, std=0.5)
    chosen = {"awgn": [0.1, 0.2], "fog": [1, 3]}
    return robench.evaluate({"mine": mine, "raw": net}, data, chosen, progress=False)


def columns(predictions):
    return [getattr(predictions, name) for name in ("pred", "top5", "confidence", "log_p_true", "probabilities")]


def test_a_network_in_memory_predicts_as_the_command_does(robench, results, tmp_path, digits):
    np.savez(tmp_path / "data.npz", images=digits.images(0, 80), labels=digits.labels)
    asked = ("-d", f"npz:{tmp_path / 'data.npz'}", "-c", "awgn@0.1,0.2", "-c", "fog@1,3", "-o", tmp_path / "run")
    assert robench("evaluate", "-m", "tiny_cnn=digits-clean", *asked).code == 0
    command = load_results(tmp_path / "run")
    for place in (("clean", None), ("awgn", 0.1), ("awgn", 0.2), ("fog", 1), ("fog", 3)):
        both = (results.predictions("mine", *place), command.predictions("tiny_cnn=digits-clean", *place))
        for one, other in zip(*map(columns, both), strict=True):
            assert np.array_equal(one, other), place


def test_results_have_tables_and_a_summary(results):
    assert results.cells.shape[0] == 2 * 5
    assert set(results.metrics["model"]) == {"mine", "raw"}
    assert (results.computed, results.found, results.failed) == (10, 0, [])
    assert "mean over 2 corruptions" in results.summary()
    assert list(results.ranks()["model"]) == ["mine", "raw"]
    assert len(results.pairs()) > 0
    assert repr(results) == "Results(2 models, 10 cells, in memory)"


def test_figures_are_drawn_by_name(results, tmp_path):
    from matplotlib.figure import Figure

    results.plot("curves").savefig(tmp_path / "curves.pdf")
    figure = Figure()
    axes = figure.subplots()
    assert results.plot("fog", ax=axes) is figure
    assert len(axes.lines) >= 2
    with pytest.raises(ConfigError, match="unknown figure 'curve'; did you mean curves"):
        results.plot("curve")
    with pytest.raises(ConfigError, match="expected a figure of one panel"):
        results.plot("curves", ax=axes)


def test_results_are_saved_reported_and_loaded(results, tmp_path):
    place = results.save(tmp_path / "run")
    pd.testing.assert_frame_equal(robench.load_results(place).cells, results.cells)
    assert (tmp_path / "report" / "index.html") in results.report(tmp_path / "report")
    with pytest.raises(ConfigError, match="expected no such folder yet"):
        results.save(place)


def test_a_call_with_out_resumes_and_grows(net, data, tmp_path):
    first = robench.evaluate({"mine": net}, data, "contrast@1", out=tmp_path / "run", progress=False)
    again = robench.evaluate({"mine": net}, data, ["contrast@1", "fog@1"], out=tmp_path / "run", progress=False)
    assert (first.computed, again.computed, again.found) == (2, 1, 2)


def test_other_weights_of_one_name_are_refused(net, data, tmp_path):
    robench.evaluate({"mine": net}, data, "contrast@1", out=tmp_path / "run", progress=False)
    other = robench.load_model("tiny_cnn=digits-noise").module
    with pytest.raises(robench.RobenchError, match="'mine' of weights_sha256"):
        robench.evaluate({"mine": other}, data, "contrast@1", out=tmp_path / "run", progress=False)


def test_the_network_stays_as_it_is(net, data):
    net.train()
    strides = [weight.stride() for weight in net.parameters()]
    robench.evaluate({"mine": net}, data, "contrast@1", progress=False)
    assert net.training
    assert [weight.stride() for weight in net.parameters()] == strides


def test_a_function_is_a_model(net, data):
    module = net.eval()
    both = {"function": lambda images: module((images - 0.5) / 0.5), "other": lambda images: module(images)}
    cells = robench.evaluate(both, data, "contrast@1", progress=False).cells.set_index(["model", "corruption"])
    assert cells.loc[("function", "clean"), "top1"] > 0.9 > cells.loc[("other", "clean"), "top1"]


def test_a_suite_and_curves_come_in_one_call(data):
    suites = {"suite": "pivot/1", "corruptions": {"awgn": [0.3]}}
    results = robench.evaluate("tiny_cnn=digits-clean", data, **suites, progress=False)
    assert set(results.cells["suite"]) == {"", "pivot/1"}
    means = results.metrics[results.metrics["metric"] == "mean_corruption_accuracy"]
    assert list(means["n_corruptions"]) == [4, 1]


def wrong(net, data):
    linear = nn.Sequential(nn.Flatten(), nn.Linear(1024, 7))
    images, labels = data.images(0, 80), data.labels
    evaluate, wrap = robench.evaluate, robench.wrap_dataset
    return {
        "unknown suite 'cifar10/1'; did you mean cifar10-c/1": lambda: evaluate(net, data, suite="cifar10/1"),
        "unknown corruption 'fogg'; did you mean fog": lambda: evaluate(net, data, "fogg"),
        "severity must be 0": lambda: evaluate(net, data, {"fog": [9]}),
        "expected a suite .* or a corruption .*, got neither": lambda: evaluate(net, data),
        "unknown option 'batchsize'; did you mean batch_size": lambda: evaluate(net, data, "fog", batchsize=3),
        r"Sequential: expected logits \(1, 10\), got \(1, 7\)": lambda: evaluate(linear, data, "fog"),
        "expected 10 classes as data has, got 7": lambda: evaluate(
            robench.wrap_model(linear, num_classes=7), data, "fog"
        ),
        "fails on an image of 32 x 32 x 1": lambda: evaluate(nn.Linear(5, 10), data, "fog"),
        "expected num_classes as a whole number of at least 2, got None": lambda: robench.wrap_model(net),
        "expected mean as 1 numbers, got": lambda: robench.wrap_model(net, num_classes=10, mean=[0, 0, 0], channels=1),
        "the form for 0..255|expected mean": lambda: robench.wrap_model(net, num_classes=10, mean=123.0),
        "expected an nn.Module or a function, got the class Linear": lambda: evaluate(nn.Linear, data, "fog"),
        "two models are called 'tiny_cnn=digits-clean'": lambda: evaluate(["tiny_cnn=digits-clean"] * 2, data, "fog"),
        "shard: expected out": lambda: evaluate(net, data, "fog", shard=(1, 2)),
        "expected images .*C 1 or 3, got uint8": lambda: wrap(np.concatenate([images, images], axis=3), labels),
        "expected images as uint8 or floats": lambda: wrap(images.astype(np.int32), labels),
        "multiples of 1/255, got float32 in 0..2": lambda: wrap(images.astype(np.float32) / 127.5, labels),
        "expected labels as 80 whole numbers": lambda: wrap(images, labels[1:]),
        "got -1..": lambda: wrap(images, labels - 1),
        "expected labels below 3, one per class name, got 9": lambda: wrap(images, labels, class_names=["a", "b", "c"]),
        "expected labels beside images": lambda: wrap(images),
    }


@pytest.mark.parametrize("number", range(21))
def test_a_mistake_is_one_line(net, data, number):
    words, call = [*wrong(net, data).items()][number]
    with pytest.raises(ConfigError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_a_classifier_of_the_classes_in_another_order_is_refused(net, data, tmp_path):
    import json

    from robench import models

    names = [str(number) for number in (1, 0, *range(2, 10))]
    told = {"schema": models.SCHEMA, "model": "tiny_cnn", "class_names": json.dumps(names)}
    models.save(tmp_path / "net.safetensors", net, told)
    classifier = robench.load_model(f"tiny_cnn={tmp_path / 'net.safetensors'}")
    with pytest.raises(robench.RobenchError, match="expected the data set's classes in its order"):
        robench.evaluate(classifier, data, "contrast@1", progress=False)


def test_every_public_name_is_there():
    assert all(getattr(robench, name) is not None for name in robench.__all__)
    assert "resnet20" in robench.list_models("resnet*")
    assert "tiny_cnn" not in robench.list_models("resnet*")
    with pytest.raises(AttributeError, match="no attribute 'benchmark'"):
        robench.benchmark  # noqa: B018


def test_a_set_is_written(data, tmp_path):
    robench.generate_dataset(data, tmp_path / "set", {"awgn": [0.1]}, progress=False)
    stored = robench.evaluate("tiny_cnn=digits-clean", f"generated:{tmp_path / 'set'}", progress=False)
    flown = robench.evaluate("tiny_cnn=digits-clean", data, {"awgn": [0.1]}, progress=False)
    for one, other in zip(
        *(columns(r.predictions("tiny_cnn=digits-clean", "awgn")) for r in (stored, flown)), strict=True
    ):
        assert np.array_equal(one, other)


def test_two_runs_are_compared(results, net, data):
    other = robench.evaluate({"mine": net}, data, {"awgn": [0.1, 0.2]}, progress=False)
    [compared] = robench.compare(results, other, model_a="mine")
    assert "mine" in compared.text


@pytest.mark.slow
def test_a_network_in_memory_goes_through_ray(net, data, results):
    mine = robench.wrap_model(net, num_classes=10, mean=0.5, std=0.5)
    chosen = {"awgn": [0.1, 0.2]}
    spread = robench.evaluate({"mine": mine}, data, chosen, executor="ray", progress=False)
    for one, other in zip(*(columns(r.predictions("mine", "awgn", 0.2)) for r in (spread, results)), strict=True):
        assert np.array_equal(one, other)


def test_tensors_are_images_too(digits, net):
    tensors = torch.from_numpy(digits.images(0, 20)).permute(0, 3, 1, 2)
    data = robench.wrap_dataset(tensors, torch.from_numpy(digits.labels[:20]))
    assert np.array_equal(data.images(0, 20), digits.images(0, 20))
    floats = robench.wrap_dataset(tensors.float() / 255, digits.labels[:20])
    assert floats.digest == data.digest
