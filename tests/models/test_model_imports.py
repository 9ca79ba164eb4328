"""Cards are listed without torch, and the public names are those of `__all__`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import robench.models


def test_cards_are_listed_without_torch(tmp_path: Path) -> None:
    for poison in ("torch", "torchvision", "safetensors", "lightning"):
        (tmp_path / f"{poison}.py").write_text("raise ImportError('no torch here')")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from robench import models\n"
        "print([models.get(name).params for name in models.names()])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "269722" in done.stdout


def test_public_names_are_sorted_and_there() -> None:
    assert robench.models.__all__ == sorted(robench.models.__all__, key=lambda name: (not name.isupper(), name))
    assert all(getattr(robench.models, name) is not None for name in robench.models.__all__)
