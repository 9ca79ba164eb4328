"""The PyTorch transform and data set: the pixels of `corruptions.apply`, whatever the type, order or workers."""

import copy
import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision import tv_tensors
from torchvision.transforms import v2

import corruptions
from corruptions import CorruptionError
from corruptions.testing import pictures
from corruptions.torch import Corrupt, CorruptedDataset, RandomCorrupt

COUNT, SIDE = 12, 16
IMAGES = pictures(SIDE, count=COUNT)
GRAY = pictures(SIDE, 1, count=COUNT)
EXPECTED = corruptions.apply(IMAGES, "gaussian_noise", 3, seed=2)
ONE = corruptions.apply(IMAGES[3], "gaussian_noise", 3, seed=2, ids=[3])
LOADER = "ignore:This DataLoader will create"


class Photos(Dataset):
    """A map-style data set of (image, label, path), as one finds them."""

    def __init__(self, form="pil", images=IMAGES):
        self.form = form
        self.images = images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = self.images[index]
        if self.form == "pil":
            image = Image.fromarray(image)
        elif self.form == "tensor":
            image = channels_first(image)
        return image, index % 3, f"{index}.png"


def ice():
    """Two pictures for frost, of other shapes than robench's."""
    return pictures(50, count=1)[0, :, :40], np.full((9, 12, 3), 200, np.uint8)


def channels_first(images):
    return torch.from_numpy(np.moveaxis(images, -1, -3).copy())


def noise():
    return Corrupt("gaussian_noise", 3, seed=2)


def in_order(loader):
    """The images of an epoch in the order of their paths, uint8 N x H x W x C."""
    found = {}
    for images, labels, paths in loader:
        for image, label, path in zip(images, labels, paths, strict=True):
            number = int(path.removesuffix(".png"))
            assert int(label) == number % 3
            found[number] = np.moveaxis(image.numpy(), 0, -1)
    return np.stack([found[number] for number in sorted(found)])


@pytest.mark.filterwarnings(LOADER)
@pytest.mark.parametrize("workers", [0, 2, 4])
@pytest.mark.parametrize("shuffle", [False, True])
def test_any_number_of_workers_and_any_order_gives_the_pixels_of_apply(workers, shuffle):
    data = CorruptedDataset(Photos("tensor"), "gaussian_noise", 3, seed=2)
    loader = DataLoader(data, batch_size=5, shuffle=shuffle, num_workers=workers)
    assert np.array_equal(in_order(loader), EXPECTED)


@pytest.mark.filterwarnings(LOADER)
@pytest.mark.parametrize("workers", [0, 2, 4])
def test_frost_of_other_textures_is_that_of_apply_with_any_number_of_workers(workers):
    wanted = corruptions.apply(IMAGES, "frost", 4, seed=2, textures=ice())
    assert not np.array_equal(wanted, corruptions.apply(IMAGES, "frost", 4, seed=2))
    data = CorruptedDataset(Photos("tensor"), "frost", 4, seed=2, textures=ice())
    loader = DataLoader(data, batch_size=5, shuffle=True, num_workers=workers)
    assert np.array_equal(in_order(loader), wanted)
    assert np.array_equal(Corrupt("frost", 4, seed=2, textures=ice())(IMAGES, ids=range(COUNT)), wanted)


@pytest.mark.filterwarnings(LOADER)
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_workers_started_either_way_see_the_next_epoch_as_they_live_on(start):
    data = CorruptedDataset(Photos("tensor"), "gaussian_noise", 3)
    loader = DataLoader(data, batch_size=6, num_workers=2, persistent_workers=True, multiprocessing_context=start)
    seen = {}
    for epoch in (0, 4, None):
        data.set_epoch(epoch)
        seen[epoch] = in_order(loader)
    for epoch, images in seen.items():
        stream = "test" if epoch is None else f"train/{epoch}"
        assert np.array_equal(images, corruptions.apply(IMAGES, "gaussian_noise", 3, stream=stream)), epoch


def test_a_pil_image_stays_one():
    made = noise()(Image.fromarray(IMAGES[3]), 3)
    assert (type(made), made.mode) == (Image.Image, "RGB")
    assert np.array_equal(np.asarray(made), ONE)
    gray = noise()(Image.fromarray(GRAY[3, ..., 0]), 3)
    assert gray.mode == "L"
    assert np.array_equal(np.asarray(gray)[..., None], corruptions.apply(GRAY, "gaussian_noise", 3, seed=2)[3])


def test_arrays_and_tensors_of_one_image_and_of_a_batch():
    ids = np.arange(COUNT)
    assert np.array_equal(noise()(IMAGES[3], 3), ONE)
    assert np.array_equal(noise()(IMAGES, ids=ids), EXPECTED)
    assert torch.equal(noise()(channels_first(IMAGES[3]), 3), channels_first(ONE))
    for given in (ids, ids.tolist(), torch.from_numpy(ids)):
        made = noise()(channels_first(IMAGES), ids=given)
        assert type(made) is torch.Tensor
        assert torch.equal(made, channels_first(EXPECTED))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_a_tv_tensor_stays_one(dtype):
    image = v2.functional.to_dtype(tv_tensors.Image(channels_first(IMAGES)), dtype, scale=True)
    made = noise()(image, ids=range(COUNT))
    assert (type(made), made.dtype) == (tv_tensors.Image, dtype)
    assert torch.equal(v2.functional.to_dtype(made, torch.uint8, scale=True), channels_first(EXPECTED))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_float_tensor_gives_the_uint8_result_converted(dtype):
    image = (channels_first(IMAGES).to(torch.float64) / 255).to(dtype)
    made = noise()(image, ids=range(COUNT))
    assert made.dtype == dtype
    assert torch.equal(made, v2.functional.to_dtype(channels_first(EXPECTED), dtype, scale=True))
    assert torch.equal((made.double() * 255).round(), channels_first(EXPECTED).double())


def test_floats_between_levels_are_rounded_to_the_nearest_first_halves_to_even():
    values = torch.tensor([0.0, 0.49, 0.5, 0.51, 1.5, 2.5, 254.4, 254.6, 255.0]).reshape(1, 3, 3) / 255
    levels = torch.tensor([0, 0, 0, 1, 2, 2, 254, 255, 255]).reshape(1, 3, 3) / 255
    assert torch.allclose(Corrupt("gaussian_noise", 0)(values, 0), levels, rtol=1e-6)


def test_the_input_is_left_alone_and_not_shared():
    for severity in (0, 3):
        for image in (IMAGES.copy(), channels_first(IMAGES), channels_first(IMAGES) / 255):
            before = copy.deepcopy(image)
            made = Corrupt("contrast", severity)(image, ids=range(COUNT))
            assert np.array_equal(np.asarray(image), np.asarray(before))
            assert not np.shares_memory(np.asarray(made), np.asarray(image))


def test_it_does_not_touch_a_gradient_and_takes_any_layout_of_memory():
    image = (channels_first(IMAGES) / 255).to(memory_format=torch.channels_last).requires_grad_()
    made = noise()(image, ids=range(COUNT))
    assert not made.requires_grad
    assert torch.equal((made * 255).round(), channels_first(EXPECTED).float())


@pytest.mark.parametrize("copied", [lambda thing: pickle.loads(pickle.dumps(thing)), copy.deepcopy])
def test_pickled_and_copied_it_is_the_same_and_keeps_its_own_epoch(copied):
    data = CorruptedDataset(Photos(), "awgn", level="0..0.2", seed=5, stream="val")
    data.epoch = 3
    again = copied(data)
    assert again.epoch == 3
    assert again[2][0] == data[2][0]
    data.epoch = 4
    assert again.epoch == 3
    assert again[2][0] != data[2][0]


def test_textures_go_with_it_when_pickled_and_are_left_alone():
    own = ice()
    again = pickle.loads(pickle.dumps(Corrupt("frost", 5, textures=own)))
    wanted = corruptions.apply(IMAGES, "frost", 5, textures=own)
    assert np.array_equal(again(IMAGES, ids=range(COUNT)), wanted)
    assert all(map(np.array_equal, own, ice()))


def test_without_textures_they_are_robench_s_own():
    made = Corrupt("frost", 5, textures=None)(IMAGES, ids=range(COUNT))
    assert np.array_equal(made, corruptions.apply(IMAGES, "frost", 5))


def test_an_empty_list_of_textures_is_refused():
    with pytest.raises(CorruptionError, match="textures"):
        Corrupt("frost", 5, textures=())(IMAGES, ids=range(COUNT))


def test_a_corruption_that_has_no_use_for_textures_leaves_them_out_as_apply_does():
    made = Corrupt("gaussian_noise", 3, seed=2, textures=ice())(IMAGES, ids=range(COUNT))
    assert np.array_equal(made, EXPECTED)


def test_epochs_and_streams_are_those_of_apply():
    transform = Corrupt("gaussian_noise", 2, stream="val")
    for epoch, stream in ((None, "val"), (0, "train/0"), (np.int64(7), "train/7"), (None, "val")):
        transform.epoch = epoch
        assert transform.stream == stream
        wanted = corruptions.apply(IMAGES, "gaussian_noise", 2, ids=range(COUNT), stream=stream)
        assert np.array_equal(transform(IMAGES, ids=range(COUNT)), wanted)


def test_ids_and_boxes_belong_to_the_items():
    ids = np.arange(COUNT)[::-1] * 10
    boxes = np.stack([np.array([i, 0, i + 4, 5]) for i in range(COUNT)])
    noisy = CorruptedDataset(Photos(), "gaussian_noise", 3, ids=ids)
    mixed = CorruptedDataset(Photos(), "mixed_resolution", level=4, boxes=boxes)
    wanted = corruptions.apply(IMAGES, "gaussian_noise", 3, ids=ids)
    sharp = corruptions.apply(IMAGES, "mixed_resolution", level=4, boxes=boxes)
    for i in range(COUNT):
        assert np.array_equal(np.asarray(noisy[i][0]), wanted[i])
        assert np.array_equal(np.asarray(mixed[i][0]), sharp[i])


def test_a_subset_of_a_corrupted_set_has_the_ids_of_the_whole():
    chosen = [7, 2]
    outside = Subset(CorruptedDataset(Photos(), "fog", 3), chosen)
    inside = CorruptedDataset(Subset(Photos(), chosen), "fog", 3, ids=chosen)
    for i in range(2):
        assert outside[i][0] == inside[i][0]
    assert CorruptedDataset(Subset(Photos(), chosen), "fog", 3)[0][0] != outside[0][0]


def test_it_ends_and_counts_from_the_end_as_a_list_does():
    data = CorruptedDataset(Photos(), "fog", 3)
    assert len(data) == len(list(data)) == COUNT
    assert data[-1] == data[COUNT - 1]
    with pytest.raises(IndexError, match=f"index {COUNT}"):
        data[COUNT]


def test_it_stands_in_a_pipeline_before_normalising():
    to_floats = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    image = Image.fromarray(IMAGES[3])
    after = noise()(to_floats(image), 3)
    assert torch.equal(after, to_floats(noise()(image, 3)))


def test_native_chooses_the_table():
    made = Corrupt("gaussian_noise", 5, severity_table=224)(IMAGES, ids=range(COUNT))
    assert np.array_equal(made, corruptions.apply(IMAGES, "gaussian_noise", 5, severity_table=224))


WRONG = {
    "no id": (lambda: noise()(IMAGES[0]), "give the sample id"),
    "one id for a batch": (lambda: noise()(IMAGES, 3), "ids must be 12 whole numbers"),
    "a fraction as id": (lambda: noise()(IMAGES[0], 0.5), "ids must be 1 whole number"),
    "a list": (lambda: noise()([1, 2], 0), "expected a PIL image, a tensor or a uint8 array, got list"),
    "a palette": (lambda: noise()(Image.new("P", (4, 4)), 0), "RGB or L, got P"),
    "floats in an array": (lambda: noise()(IMAGES[0] / 255, 0), "uint8 array, got float64"),
    "whole numbers": (lambda: noise()(torch.zeros(3, 4, 4, dtype=torch.int64), 0), "got torch.int64"),
    "two axes": (lambda: noise()(torch.zeros(4, 4), 0), r"got shape \(4, 4\)"),
    "channels last": (lambda: noise()(torch.zeros(8, 8, 3), 0), r"\(C, H, W\)"),
    "normalised": (lambda: noise()(torch.full((3, 4, 4), -2.0), 0), "corrupt before normalising"),
    "not a number": (lambda: noise()(torch.full((3, 4, 4), torch.nan), 0), r"must lie in \[0, 1\]"),
    "unknown": (lambda: Corrupt("gausian_noise", 3), "did you mean gaussian_noise"),
    "no strength": (lambda: Corrupt("gaussian_noise"), "a severity or a level, got neither"),
    "severity 6": (lambda: CorruptedDataset(Photos(), "gaussian_noise", 6), "severity must be"),
    "a stream": (lambda: CorruptedDataset(iter([]), "fog", 3), r"expected a data set with len\(\)"),
    "too few ids": (lambda: CorruptedDataset(Photos(), "fog", 3, ids=[1]), "expected ids for 12 samples, got 1"),
    "no pairs": (lambda: CorruptedDataset(IMAGES, "fog", 3)[0], r"expected samples \(image, label\), got ndarray at 0"),
    "epoch": (lambda: noise().set_epoch(-1), "epoch must be"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_input_is_one_clear_line(what):
    wrong, message = WRONG[what]
    with pytest.raises(CorruptionError, match=message) as caught:
        wrong()
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings(LOADER)
def test_ids_by_content_need_no_place():
    by_content = Corrupt("awgn", level=0.1, ids="content")
    pixels = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3)).astype(np.uint8)
    together = by_content(pixels)
    alone = np.stack([by_content(image) for image in pixels[::-1]])[::-1]
    assert np.array_equal(together, alone)
    flat = np.full((2, 16, 16, 3), 128, np.uint8)
    flat[1] += 1
    noise = by_content(flat).astype(int) - flat
    assert not np.array_equal(noise[0], noise[1])


@pytest.mark.parametrize("options", [{"p": 1.5}, {"severities": (0, 3)}, {"severities": (3, 2)}])
def test_a_random_corruption_outside_its_range_is_refused(options):
    with pytest.raises(CorruptionError, match="severities from 1 to 5 and p from 0 to 1"):
        RandomCorrupt("fog", **options)


def test_random_corruptions_come_as_often_as_asked():
    pixels = np.full((400, 8, 8, 1), 100, np.uint8)
    out = RandomCorrupt(["contrast", "brightness"], (2, 3), p=0.25)(torch.from_numpy(pixels).permute(0, 3, 1, 2))
    changed = (out.permute(0, 2, 3, 1).numpy() != pixels).any(axis=(1, 2, 3))
    assert 60 < changed.sum() < 140
    torch.manual_seed(1)
    first = RandomCorrupt("awgn", p=1.0)(pixels[0])
    torch.manual_seed(1)
    assert np.array_equal(first, RandomCorrupt("awgn", p=1.0)(pixels[0]))


def test_random_corruptions_by_id_depend_on_epoch_and_id_alone():
    augment = RandomCorrupt(["awgn", "contrast"], p=0.7, seed=3)
    pixels = np.random.default_rng(1).integers(0, 256, (6, 8, 8, 3)).astype(np.uint8)
    together = augment(pixels, range(6))
    assert np.array_equal(together[4], augment(pixels[4], 4))
    augment.set_epoch(1)
    assert not np.array_equal(together, augment(pixels, range(6)))
