"""The callback for Lightning: at the end of a test the module is evaluated as by `robench.evaluate`."""

import numpy as np
import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader, TensorDataset

import robench
from robench.errors import ConfigError
from robench.lightning import RobustnessCallback


class Module(LightningModule):
    def __init__(self):
        super().__init__()
        self.net = robench.load_model("tiny_cnn=digits-clean").module

    def forward(self, images):
        return self.net(images)

    def test_step(self, batch, index):
        self.log("accuracy", (self((batch[0] - 0.5) / 0.5).argmax(1) == batch[1]).float().mean())


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_test_ends_with_an_evaluation(tmp_path):
    digits = robench.load_dataset("digits", limit=40)
    images, labels = digits.images(0, 40), digits.labels
    data = robench.wrap_dataset(images, labels)
    callback = RobustnessCallback(data, {"awgn": [0.2]}, mean=0.5, std=0.5)
    logger = CSVLogger(tmp_path)
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu", "logger": logger}
    tensors = TensorDataset(torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255, torch.from_numpy(labels))
    Trainer(callbacks=[callback], **quiet).test(Module(), DataLoader(tensors, batch_size=20), verbose=False)
    expected = robench.evaluate("tiny_cnn=digits-clean", data, {"awgn": [0.2]}, progress=False)
    both = (callback.results.predictions("module", "awgn"), expected.predictions("tiny_cnn=digits-clean", "awgn"))
    assert np.array_equal(*(one.log_p_true for one in both))
    logged = (tmp_path / "lightning_logs" / "version_0" / "metrics.csv").read_text()
    assert "robustness/awgn" in logged
    assert "robustness/clean" in logged


def test_a_callback_without_corruptions_is_one_line():
    with pytest.raises(ConfigError, match="expected corruptions or a suite, got neither"):
        RobustnessCallback("digits")
