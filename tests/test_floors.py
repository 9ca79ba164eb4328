"""The house: a module imports from the floors below it, and what must be light is light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FRONT = ROOT / "robench" / "__init__.py"

# From the ground up. A floor is a list of rooms; a room is a module, or a package with all it holds.
FLOORS = (
    ["corruptions"],
    ["robench", "robench.errors"],
    ["robench.files", "robench.progress", "robench.engines", "robench.metrics", "robench.web", "robench.leftout"],
    ["robench.selection", "robench.precision"],
    ["robench.setformat", "robench.store", "robench.trackers"],
    ["robench.datasets", "robench.models", "robench.tables"],
    ["robench.plots", "robench.training", "robench.export", "robench.sweep", "robench.preview", "robench.analysis"],
    ["robench.report", "robench.reproduce", "robench.comparison", "robench.leaderboard"],
    ["robench.listing", "robench.results", "robench.gate"],
    ["robench.api"],
    ["robench.cli", "robench.lightning"],
    ["robench.__main__"],
)
INSIDE_CORRUPTIONS = (
    ["_errors", "_registry", "_jit", "_sources"],
    ["_repeats", "_strength", "_streams", "_jpeg", "_hsv", "_forms"],
    ["_contract"],
    ["_core"],
    ["_kernels"],
    ["_resample", "_warp", "_gaussian", "_disc", "_drops", "_plasma", "_ijg"],
    ["_panes"],
    ["textures", "textures.make", "noise", "blur", "weather", "digital", "resolution", "heldout"],
    ["_suites"],
    ["testing"],
    ["__init__"],
    ["torch"],
)


def modules():
    """Every module of both packages with its file."""
    for package in ("corruptions", "robench"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(path):
    """The project's modules that a file imports, at its top or in a function; the front names its types alone."""
    tree = ast.parse(path.read_text())
    if path == FRONT:
        tree.body = [node for node in tree.body if not isinstance(node, ast.If)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in ("corruptions", "robench"))


def room_of(module):
    """The longest room that holds the module, and its floor; None for a name that is no module."""
    rooms = [(room, floor) for floor, floor_rooms in enumerate(FLOORS) for room in floor_rooms]
    fitting = [(room, floor) for room, floor in rooms if module == room or module.startswith(room + ".")]
    room, floor = max(fitting, key=lambda pair: len(pair[0]))
    return room, floor


MODULES = dict(modules())


def is_module(name):
    """Whether a dotted name is a module, not something in one."""
    return name in MODULES


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module):
    room, floor = room_of(module)
    assert room != "robench" or module == "robench", f"{module} stands on no floor"
    for name in filter(is_module, imports(MODULES[module])):
        other, below = room_of(name)
        assert other == room or below < floor, f"{module} (floor {floor}) imports {name} (floor {below})"
        assert other == room or "._" not in name, f"{module} imports {name}, private there"


@pytest.mark.parametrize("module", [name for name in MODULES if name.split(".")[0] == "corruptions"])
def test_inside_corruptions_too(module):
    order = {name: floor for floor, names in enumerate(INSIDE_CORRUPTIONS) for name in names}

    def floor_of(name):
        return order[name.partition(".")[2] or "__init__"]

    for name in filter(is_module, imports(MODULES[module])):
        if name != "corruptions" or module == "corruptions":
            assert name == "corruptions" or floor_of(name) < floor_of(module), f"{module} imports {name}"


def test_no_import_cycles_among_modules():
    graph = {
        module: {
            name for name in imports(path) if is_module(name) and name != module and not module.startswith(name + ".")
        }
        for module, path in MODULES.items()
    }
    done, path = set(), []

    def visit(module):
        assert module not in path, " -> ".join([*path[path.index(module) :], module])
        if module in done:
            return
        path.append(module)
        for name in graph[module]:
            if not name.count(".") or MODULES[name].name != "__init__.py":
                visit(name)
        path.pop()
        done.add(module)

    for module in graph:
        visit(module)


HEAVY = ("torch", "numba", "numpy", "pandas", "cv2", "scipy", "matplotlib", "skimage", "sklearn", "lightning")


def loaded_by(program):
    """The heavy libraries that a fresh interpreter has loaded after `program`."""
    probe = f"import sys\n{program}\nprint(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True)
    return done.stdout.split()


def test_help_needs_no_heavy_library():
    assert loaded_by("import robench.cli") == []


@pytest.mark.parametrize("package", ["corruptions", "robench.datasets", "robench.models", "robench.tables"])
def test_these_need_no_torch(package):
    assert "torch" not in loaded_by(f"import {package}")


@pytest.mark.parametrize("module", MODULES)
def test_files_stay_readable(module):
    lines = MODULES[module].read_text().count("\n")
    assert lines <= 400, f"{MODULES[module]} has {lines} lines"
