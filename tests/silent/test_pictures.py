"""Pictures stand where their pixels are, words say what the boards say, and what is written runs as written."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sweeps import sweep

import corruptions
from robench import analysis, metrics, models, plots, reproduce
from robench.cli import main
from robench.errors import ModelError
from robench.reproduce import _claims
from robench.reproduce._maps import Maps
from robench.reproduce._page import Page
from robench.reproduce.papers import bagnet

ROOT = Path(__file__).parents[2]
SIDE = 64


@pytest.fixture(scope="module", params=[9, 17, 33])
def patches(request):
    """A BagNet for 64 pixels, its patch, and where it says that its patches lie."""
    net = models.load(f"bagnet{request.param}_64", classes=10, input_size=(SIDE, SIDE), random_weights=True)
    return net, request.param, analysis.patch_centres(net, np.zeros((SIDE, SIDE, 3), np.uint8))


def test_the_middles_are_those_of_the_pixels_that_a_place_sees(patches):
    net, patch, (rows, columns) = patches
    pixels = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)).requires_grad_()
    answers = net.module.eval().patch_logits(pixels)
    assert answers.shape[2:] == (len(rows), len(columns))
    for y, x in ((0, 0), (len(rows) - 1, 0), (1, len(columns) - 1)):
        [slopes] = torch.autograd.grad(answers[0, :, y, x].pow(2).sum(), pixels, retain_graph=True)
        seen = [np.flatnonzero(slopes[0].abs().sum((0, 2 - axis)).numpy()) for axis in (0, 1)]
        assert [len(some) for some in seen] == [patch, patch]
        assert [some.mean() for some in seen] == [rows[y], columns[x]]


def test_an_image_that_is_resized_has_its_middles_in_its_own_pixels():
    net = models.load("bagnet33_64", classes=10, input_size=(32, 32), random_weights=True)
    rows, _ = analysis.patch_centres(net, np.zeros((32, 32, 3), np.uint8))
    assert rows.tolist() == [7.75, 11.75, 15.75, 19.75]


def test_a_network_without_patches_says_so():
    net = models.load("tiny_cnn=digits-clean", classes=10, input_size=(32, 32))
    with pytest.raises(ModelError, match="expected a network that says its patch and step, such as bagnet33"):
        analysis.patch_centres(net, np.zeros((32, 32, 3), np.uint8))


def test_maps_are_drawn_where_their_patches_are_with_one_scale(patches, tmp_path):
    _, patch, (rows, columns) = patches
    images = np.full((1, SIDE, SIDE, 3), 200, np.uint8)
    maps = {"one": [np.eye(len(rows), dtype=np.float32)], "other": [np.full((len(rows),) * 2, -8, np.float32)]}
    drawing = Maps(images, ["cat"], maps, dict.fromkeys(maps, (rows, columns)), "logit")
    with plots.settings():
        axes = drawing._drawn().axes
    beneath, above = axes[1].get_images()
    assert beneath.get_extent() == [-0.5, SIDE - 0.5, SIDE - 0.5, -0.5]
    left, right, bottom, top = above.get_extent()
    width = (right - left) / len(columns)
    assert width == 8
    assert (left + width / 2, right - width / 2) == (columns[0], columns[-1]) == ((patch - 1) / 2, columns[-1])
    assert (top, bottom) == (left, right)
    assert (axes[1].get_xlim(), axes[1].get_ylim()) == ((-0.5, SIDE - 0.5), (SIDE - 0.5, -0.5))
    assert {one.get_images()[1].get_clim() for one in axes[1:3]} == {(-8, 8)}
    *_, path, _ = drawing.write(tmp_path / "maps", Page("Maps", "Someone"), {})
    assert pd.read_csv(path).loc[1, ["y", "x"]].tolist() == [rows[0], columns[1]]


def test_classes_have_the_names_of_words_txt(tmp_path):
    (tmp_path / "words.txt").write_text("n01\tgoldfish, Carassius auratus\nn02\tbus\n")
    assert bagnet._words(f"tiny-imagenet:{tmp_path}") == {"n01": "goldfish", "n02": "bus"}
    assert bagnet._words("digits") == {}


def test_the_published_heat_maps_have_names_and_places():
    rows = pd.read_csv(ROOT / "reports" / "bagnet" / "heat-maps.csv")
    assert list(rows["name"].unique()) == ["school bus", "triumphal arch", "Yorkshire terrier", "binoculars"]
    ends = rows.groupby("network")["x"].agg(["min", "max"])
    assert ends.to_dict("index") == {
        f"BagNet-{patch}": {"min": (patch - 1) / 2, "max": last} for patch, last in ((9, 52), (17, 48), (33, 40))
    }


ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh")
PLACE = re.compile(r"(\w+) in the (\w+) of\s`([\w-]+)/1`,\s+(\d+\.\d+) against\s(\d+\.\d+)")


def test_the_places_that_the_results_give_are_those_of_the_boards():
    found = PLACE.findall((ROOT / "docs" / "results.md").read_text())
    assert [suite for _, _, suite, _, _ in found] == ["fine-tuning", "fidelity"]
    for ordinal, group, suite, own, other in found:
        with (ROOT / "leaderboards" / "cifar10-jpeg" / f"{suite}-1.csv").open() as opened:
            rates = {row["model"]: float(row[group]) for row in csv.DictReader(opened)}
        lowres, noise = (rates[f"resnet20=pivot-cifar10-{name}"] for name in ("lowres", "noise"))
        place = sum(rate > lowres for rate in rates.values())
        assert (ordinal, own, other) == (ORDINALS[place], f"{lowres:.2f}", f"{noise:.2f}")


def test_equal_images_leave_an_interval_that_narrows_with_their_number():
    for n in (5, 100, 10_000):
        mean, low, high = _claims.paired(np.zeros(n), (-100, 100))
        share = 1 - 0.025 ** (1 / n)
        assert (mean, low, high) == pytest.approx((0, -100 * share, 100 * share))
        assert low < 0 < high
    assert _claims.paired(np.full(100, 100.0), (-100, 100))[1:] == pytest.approx((100 - 200 * metrics.unseen(100), 100))
    assert _claims.paired(np.full(100, 0.1 + 0.2)) == (pytest.approx(0.3), -np.inf, np.inf)


def test_the_share_of_what_was_not_seen_is_that_of_the_exact_interval():
    from statsmodels.stats.proportion import proportion_confint

    for n in (1, 7, 500):
        assert metrics.unseen(n) == pytest.approx(proportion_confint(0, n, method="beta")[1])


def line(*args):
    with pytest.raises(SystemExit) as ended:
        main([str(arg) for arg in args])
    assert not ended.value.code


def test_two_models_that_answer_alike_are_not_known_to_be_equal(tmp_path, capsys):
    run = sweep(tmp_path / "run", corruptions=("contrast@1",), limit=30)
    line("report", run, "-o", tmp_path / "report")
    pairs = pd.read_csv(tmp_path / "report" / "pairs.csv").set_index("corruption")
    share = metrics.unseen(30)
    assert pairs.loc["clean", ["n01", "n10"]].tolist() == [0, 0]
    assert pairs.loc["clean", ["ci_low", "ci_high"]].tolist() == pytest.approx([-share, share])
    capsys.readouterr()
    line("compare", run, run)
    assert f"{-100 * share:+.2f} to {100 * share:+.2f}    open" in capsys.readouterr().out


def test_a_mean_of_images_that_are_all_right_has_an_interval(tmp_path):
    run = sweep(tmp_path / "run", "tiny_cnn=digits-noise", corruptions=("awgn@0.05",), limit=30)
    row = pd.read_csv(run / "metrics.csv").set_index("metric").loc["mean_corruption_accuracy"]
    assert (row["value"], row["ci_high"], row["ci_method"]) == (1, 1, "exact, all images alike")
    assert row["ci_low"] == pytest.approx(1 - metrics.unseen(30))


@pytest.mark.parametrize("name", ["low_resolution_nearest", "low_resolution_bicubic"])
@pytest.mark.parametrize("factor", [2, 4])
def test_low_resolution_moves_the_picture_by_what_its_words_say(name, factor):
    across = np.arange(64)
    ramp = np.broadcast_to((2 * across).astype(np.uint8)[None, :, None], (64, 64, 3))
    out = corruptions.apply(ramp, name, level=factor)[32, 16:48, 0].astype(float)
    assert np.mean(out - 2 * across[16:48]) / -2 == pytest.approx((factor - 1) / 2, abs=0.26)
    assert "moves the picture by (factor - 1) / 2 pixels" in " ".join(corruptions.get(name).body.__doc__.split())


COMMAND = re.compile(r"^robench reproduce (\S+)( [a-z][\w-]*)?((?: --data \S+)+) -o", re.MULTILINE)


@pytest.mark.parametrize("page", ["README.md", "docs/papers.md"])
def test_every_reproduction_that_is_written_names_all_its_data(page):
    commands = COMMAND.findall((ROOT / page).read_text())
    assert commands
    for paper, item, options in commands:
        given = set(re.findall(r"--data (\S+?)=", options))
        items = reproduce.get(paper, item.strip() or None)
        assert given == {name for one in items for name in (*one.data, *one.small_data)}, (paper, item)


def test_the_tutorial_names_the_install_that_its_training_needs():
    text = (ROOT / "docs" / "tutorial.md").read_text()
    assert "pip install '.[train]'" in text[: text.index("robench train")]


def test_tuning_the_first_layers_at_the_recipe_s_rate_moves_the_accuracy(tmp_path):
    """A network that knows clean digits alone, under noise that costs it a quarter of them."""
    start = Path(models.__file__).parent / "weights" / "tiny_cnn-digits-clean.safetensors"
    options = ("-c", "awgn", "--level", "0.3", "--batch-size", "8", "--epochs", "2", "--device", "cpu")
    recipe, network = "fine-tuning-imagenet-first-3", f"tiny_cnn={start}"
    line("train", recipe, "-d", "digits", "-m", network, *options, "-o", tmp_path / "tuned.safetensors")
    log = pd.read_csv(tmp_path / "tuned.log.csv")
    assert log["lr"][0] == pytest.approx(1e-8 * (255 * 0.226) ** 2)
    assert log["val_accuracy"].max() > 0.8, "at the rate for inputs of 0..255 it stays at 0.74"
