"""`robench.wrap_dataset`: data sets of other libraries, in a fixed order, read without change."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

import robench
from robench.errors import ConfigError

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (12, 8, 8, 3)).astype(np.uint8)
LABELS = np.arange(12) % 3


class Samples(Dataset):
    """As data sets of torchvision: PIL images, targets, classes, a transform."""

    def __init__(self, transform=None):
        self.targets, self.classes, self.transform = LABELS.tolist(), ["a", "b", "c"], transform

    def __len__(self):
        return len(PIXELS)

    def __getitem__(self, at):
        image = Image.fromarray(PIXELS[at])
        return (image if self.transform is None else self.transform(image)), int(LABELS[at])


class Split:
    """As a split of Hugging Face `datasets`."""

    column_names = ("img", "fine_label")

    def __init__(self, images=PIXELS):
        self.images = images
        self.features = {"img": object(), "fine_label": type("Label", (), {"names": ["a", "b", "c"]})()}

    def __len__(self):
        return len(self.images)

    def __getitem__(self, at):
        return {"img": Image.fromarray(self.images[at]), "fine_label": int(LABELS[at])}


class Stream(IterableDataset):
    def __iter__(self):
        return iter(zip(PIXELS, LABELS, strict=True))


def tensors(image):
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255


FORMS = {
    "PIL": lambda: Samples(),
    "tensors": lambda: Samples(tensors),
    "a subset": lambda: Subset(Samples(), range(12)),
    "a loader": lambda: DataLoader(Samples(tensors), batch_size=5),
    "TensorDataset": lambda: TensorDataset(torch.from_numpy(PIXELS).permute(0, 3, 1, 2), torch.from_numpy(LABELS)),
    "a split": lambda: Split(),
    "dicts": lambda: [{"image": image, "label": label} for image, label in zip(PIXELS, LABELS, strict=True)],
    "a stream": lambda: Stream(),
    "a list": lambda: list(zip(PIXELS, LABELS.tolist(), strict=True)),
}


@pytest.mark.parametrize("form", FORMS)
def test_images_and_labels_come_as_they_are(form):
    data = robench.wrap_dataset(FORMS[form]())
    assert np.array_equal(data.images(0, 12), PIXELS)
    assert np.array_equal(data.labels, LABELS)
    assert data.classes == (("a", "b", "c") if form in ("PIL", "tensors", "a loader", "a split") else ("0", "1", "2"))


def test_large_data_are_read_on_demand(monkeypatch):
    monkeypatch.setattr("robench.datasets._wrap.IN_MEMORY", 100)
    for form in ("PIL", "a split", "dicts"):
        data = robench.wrap_dataset(FORMS[form]())
        assert np.array_equal(data.images(3, 9), PIXELS[3:9])
        assert np.array_equal(data.labels, LABELS)


def noisy(image):
    return tensors(image) if torch.rand(()) < 0 else (tensors(image) * torch.rand(()) * 255).round() / 255


def normalized(image):
    return (tensors(image) - 0.5) / 0.5


def ragged():
    return [(np.zeros((8, 8 + at % 2, 3), np.uint8) + 9, 0) for at in range(4)]


WRONG = {
    "differs between two reads; remove random transforms": lambda: Samples(noisy),
    "give images before normalisation": lambda: Samples(normalized),
    "expected a DataLoader with shuffle=False, got RandomSampler": lambda: DataLoader(Samples(), shuffle=True),
    "expected images of one size, 8 x 8 x 3, got 9 x 8 x 3 at 1": ragged,
    "expected a sample with the key image or img": lambda: [{"picture": PIXELS[0], "label": 0}],
    "expected samples .* or dicts, got ndarray": lambda: list(PIXELS),
    "expected PIL images of mode RGB or L, got CMYK": lambda: [(Image.new("CMYK", (4, 4)), 0)],
    "expected at least one sample, got none": list,
    "expected one split, got train, test; choose one": lambda: {"train": Samples(), "test": Samples()},
    "got str": lambda: "abc",
    "got int": lambda: 3,
}


@pytest.mark.parametrize("words", WRONG)
def test_what_cannot_be_right_is_one_line(words):
    with pytest.raises(ConfigError, match=words):
        robench.wrap_dataset(WRONG[words]())


def test_gray_images_among_colour_ones_are_repeated():
    mixed = [(Image.fromarray(PIXELS[0]), 0), (Image.fromarray(PIXELS[1, ..., 0]), 1)]
    images = robench.wrap_dataset(mixed).images(0, 2)
    assert np.array_equal(images[1], np.repeat(PIXELS[1, ..., :1], 3, axis=2))
