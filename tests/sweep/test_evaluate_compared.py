"""What a sweep takes besides models and images: a baseline for its errors, and a map of labels."""

from __future__ import annotations

import pytest
import torch

from robench.errors import ConfigError, ModelError, RunError
from robench.store import Run
from robench.sweep import SweepConfig, run

NETS = ("tiny_cnn", "tiny_cnn=digits-noise")
"""The first is drawn at random and errs everywhere."""

WIDE = """
import torch

class Wide(torch.nn.Module):
    def forward(self, x):
        score = x.mean(dim=(1, 2, 3))
        return torch.stack([score * (k % 7) - (k % 5) for k in range(12)], dim=1)

def wide():
    return Wide(), {"input_size": None, "channels": 1, "classes": 12}
"""


def request(folder, **options):
    return SweepConfig(
        NETS, "digits", folder, limit=40, device="cpu", random_weights=True, **({"suites": ("cifar10-c/1",)} | options)
    )


def test_a_baseline_gives_errors_relative_to_it(tmp_path):
    metrics = run(request(tmp_path / "run", baseline=NETS[0])).metrics.set_index(["model", "metric"])
    assert metrics.loc[(NETS[0], "mce"), "value"] == pytest.approx(100)
    assert metrics.loc[(NETS[1], "mce"), "value"] < 100
    assert set(metrics.xs("mce", level="metric")["baseline"]) == {NETS[0]}


def test_without_a_baseline_there_are_no_relative_errors(tmp_path):
    assert not run(request(tmp_path / "run")).metrics["metric"].str.contains("ce").any()


def test_a_model_that_the_run_has_may_be_the_baseline_of_one_that_comes(tmp_path):
    run(SweepConfig(NETS[:1], "digits", tmp_path / "run", suites=("cifar10-c/1",), limit=40, random_weights=True))
    later = SweepConfig(NETS[1:], "digits", tmp_path / "run", suites=("cifar10-c/1",), limit=40, baseline=NETS[0])
    metrics = run(later).metrics
    assert set(metrics[metrics["metric"] == "mce"]["model"]) == set(NETS)


@pytest.mark.parametrize(
    ("baseline", "said"),
    [
        ("tiny_cnn=digits-nose", "unknown baseline 'tiny_cnn=digits-nose'; did you mean tiny_cnn=digits-noise"),
        ("alexnet", "published for imagenet, got data set digits"),
    ],
)
def test_a_wrong_baseline_is_named_before_the_sweep(tmp_path, baseline, said):
    with pytest.raises(ConfigError) as caught:
        run(request(tmp_path / "run", baseline=baseline))
    assert said in str(caught.value)
    assert not (tmp_path / "run").exists()


def mapped(tmp_path, places, name="run"):
    (tmp_path / "wide.py").write_text(WIDE)
    path = tmp_path / f"{name}.csv"
    path.write_text("class,index\n" + "".join(f"{label},{place}\n" for label, place in enumerate(places)))
    chosen = ("contrast@1",)
    return SweepConfig(
        (f"{tmp_path / 'wide.py'}:wide",), "digits", tmp_path / "run", corruptions=chosen, limit=20, label_map=path
    )


def test_a_label_map_chooses_outputs_and_its_digest_is_recorded(tmp_path):
    outcome = run(mapped(tmp_path, range(2, 12)))
    assert outcome.failed == []
    (model,) = Run(tmp_path / "run").manifest()["models"]
    assert len(model["label_map_sha256"]) == 64
    cell = Run(tmp_path / "run").cells()[0]
    probabilities = torch.tensor(Run(tmp_path / "run").read(cell).probabilities)
    assert probabilities.shape == (20, 10)
    assert torch.allclose(probabilities.double().sum(dim=1), torch.ones(20).double(), atol=1e-2)


def test_another_map_is_another_run(tmp_path):
    run(mapped(tmp_path, range(2, 12)))
    with pytest.raises(RunError, match="label_map_sha256"):
        run(mapped(tmp_path, range(10), "other"))


def test_without_a_map_the_number_of_classes_counts(tmp_path):
    (tmp_path / "wide.py").write_text(WIDE)
    net = (f"{tmp_path / 'wide.py'}:wide",)
    outcome = run(SweepConfig(net, "digits", tmp_path / "run", corruptions=("contrast@1",), limit=20))
    assert "expected logits (20, 10), got (20, 12)" in outcome.failed[0]
    with pytest.raises(ModelError, match=r"expected indices 0\.\.11"):
        run(mapped(tmp_path, range(5, 15), "beyond"))
