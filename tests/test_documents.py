"""What the README and CONTRIBUTING say to type works as it stands there."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

import corruptions
from corruptions.testing import check_corruption
from robench import datasets, models
from robench.cli import cli
from robench.cli._options import Renamed
from robench.models.testing import check_model

ROOT = Path(__file__).parent.parent
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))


def blocks(name, language):
    """The code blocks of a document that are marked with a language, or with none."""
    found, inside = [], None
    for line in (ROOT / name).read_text().splitlines(keepends=True):
        if not line.startswith("```"):
            if inside == language:
                found[-1] += line
            continue
        inside = line[3:].strip() if inside is None else None
        if inside == language:
            found.append("")
    return found


def command_lines():
    """Every `robench …` line of the documents."""
    for document in ("README.md", *PAGES, "robench/models/weights/README.md"):
        for block in blocks(document, ""):
            for line in block.splitlines():
                if line.startswith("robench "):
                    yield pytest.param(line, id=line[:60])


@pytest.mark.parametrize("line", list(command_lines()))
def test_command_lines_parse(line):
    command, words = cli, shlex.split(line)[1:]
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    command.make_context("it", words)


def test_the_python_of_the_readme_runs():
    [program] = blocks("README.md", "python")
    names = {}
    exec(program, names)
    assert names["noisy"].shape == (8, 32, 32, 3)
    assert names["noisy"].any()


def added_by_diff(number, **names):
    """Run the added lines of a diff in CONTRIBUTING."""
    diff = blocks("CONTRIBUTING.md", "diff")[number]
    exec("from __future__ import annotations\n" + re.sub(r"^\+", "", diff, flags=re.M), names)


def test_the_corruption_of_the_guide_passes_its_checks():
    added_by_diff(0, **vars(corruptions.noise))
    try:
        check_corruption("multiplicative_noise")
    finally:
        del corruptions._contract.registry._items["multiplicative_noise"]


def test_the_model_of_the_guide_passes_its_checks():
    added_by_diff(1, model=models.model)
    try:
        check_model("linear")
    finally:
        del models.registry._items["linear"]


def test_the_data_set_of_the_guide_loads():
    import numpy as np

    added_by_diff(2, dataset=datasets.dataset, RawDataset=datasets.RawDataset, np=np)
    try:
        assert datasets.load("ramps", view="side16").shape == (16, 16, 1)
    finally:
        del datasets.registry._items["ramps"]


def test_the_readme_states_the_bit_exact_corruptions_rightly():
    exact = [corruptions.get(name).bit_exact for name in corruptions.names()]
    count = f"All {len(exact)}" if all(exact) else f"{sum(exact)} of the {len(exact)}"
    assert f"{count} corruptions are bit-exact" in " ".join((ROOT / "README.md").read_text().split())


def test_the_changelog_names_every_corruption_model_and_command():
    text = (ROOT / "CHANGELOG.md").read_text()
    for name in (*corruptions.names(), *corruptions.suites(), *datasets.names(), *cli.commands):
        assert f"`{name}`" in text, name


@pytest.mark.parametrize(
    "document", ["README.md", "CONTRIBUTING.md", "leaderboards/README.md", "reports/README.md", *PAGES]
)
def test_links_and_pictures_are_there(document):
    text = (ROOT / document).read_text()
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith("http"):
            assert (ROOT / document).parent.joinpath(target).exists(), target


def steps(document):
    """The commands, programs and expected outputs of a page, in order: (language, text)."""
    text = (ROOT / document).read_text()
    return re.findall(r"^```(sh|python|text)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_tutorial_runs_as_it_stands(tmp_path):
    said = ""
    for language, text in steps("docs/tutorial.md"):
        if language == "text":
            for line in text.splitlines():
                assert line in said, line
            continue
        program = [sys.executable, "-c", text]
        for command in text.replace("\\\n", "").splitlines() if language == "sh" else [program]:
            words = command if language == "python" else [sys.executable, "-m", *shlex.split(command)]  # robench …
            done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
            said = done.stdout
    assert (tmp_path / "report" / "index.html").exists()


def test_the_corruption_of_the_how_to_page_passes_its_checks():
    [(_, program)] = steps("docs/how-to/my-corruption.md")
    try:
        exec(program, {})
    finally:
        del corruptions._contract.registry._items["speckles"]


@pytest.mark.slow
def test_the_pages_are_built_without_a_warning(tmp_path):
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    settings = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(words, cwd=ROOT, env=settings, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix("")
        built = tmp_path / (name.parent if name.name == "index" else name) / "index.html"
        assert built.exists(), page
    assert 'id="robench.leaderboard.check"' in (tmp_path / "api" / "leaderboard" / "index.html").read_text()
    told = (tmp_path / "commands" / "index.html").read_text()
    for name, command in cli.commands.items():
        assert f'id="robench-{name}"' in told
        shown = [option.opts[:1] if isinstance(option, Renamed) else option.opts for option in command.params]
        assert [flag for flags in shown for flag in flags if flag.startswith("--") and flag not in told] == []
