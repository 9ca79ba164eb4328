"""The field's words: former names of rooms, classes, functions and options are gone, or answered by the new ones."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FORMER_DEFINITIONS = {
    *("Asked", "Way", "Request", "Outcome", "Unit", "Bench", "Scorer", "Remembering", "Workplace", "Begin", "Marks"),
    *("Workshop", "Net", "Item", "Answers", "Standing", "Measured", "Grid", "Drawing", "TradeOff", "Raw", "Definition"),
    *(
        "UsageError",
        "sketch",
        "fit",
        "chart",
        "told",
        "wants",
        "facts",
        "nearest_native",
        "native_side",
        "NATIVE_SIDES",
    ),
}
FORMER_MODULES = {
    *("_making", "_fields", "_reported", "_adapter", "_bench", "_scoring", "_workplace", "_begin", "_workshop", "_net"),
    *("_entry", "_answers", "_measured", "_sides", "evaluate", "generate", "train", "compare"),
}
FORMER_PARAMETERS = {"native"}
ENTRY = "robench/leaderboard/_board.py"
COMMANDS = "robench/cli"


def modules():
    for package in ("corruptions", "robench"):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def defined(tree):
    """Classes, functions and parameters that a module defines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name
        if isinstance(node, ast.arg):
            yield f"{node.arg}="


def test_former_names_are_gone():
    wrong = [
        f"{path}: {name}"
        for path, tree in modules()
        for name in defined(tree)
        if name in FORMER_DEFINITIONS
        or name.removesuffix("=") in FORMER_PARAMETERS
        or (name == "Entry" and path != ENTRY)
    ]
    assert wrong == []


def test_former_rooms_are_gone():
    names = {
        path
        for path, _ in modules()
        if not path.startswith(COMMANDS) and FORMER_MODULES & {part.removesuffix(".py") for part in Path(path).parts}
    }
    assert names == set()


@pytest.mark.parametrize("option", ["--severity-table", "--native"])
def test_the_former_option_is_understood(robench, tmp_path, option):
    limited = ("-d", "digits", "--limit", "20", "-c", "fog@1")
    done = robench("evaluate", "-m", "tiny_cnn=digits-clean", *limited, option, "64", "-o", tmp_path / "run")
    assert done.code == 0
    assert '"native": 64' in (tmp_path / "run" / "manifest.json").read_text()
    assert "--native" not in robench("evaluate", "--help").out
