"""Files that appear whole or not at all, and their digests."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from robench.errors import ConfigError, RobenchError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Write to the path given by `with`; the file gets its name only when the block ends well."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(path)
    except OSError as fault:
        raise RobenchError(f"{path}: cannot be written: {reason(fault)}") from fault
    finally:
        with suppress(OSError):
            partial.unlink()


@contextmanager
def reading(path: Path, expected: str, error: type[RobenchError], advice: str = "") -> Iterator[None]:
    """Read a file that others wrote: whatever its reader trips over in the block is one `error`.

    Its line has the file, what was `expected`, what came, and the `advice`. A pipe or a device is refused before it is
    opened. What robench raises on purpose passes, and so does FileNotFoundError.
    """
    tail = f"; {advice}" if advice else ""
    refuse_pipe(path, expected, error)
    try:
        yield
    except (RobenchError, FileNotFoundError):
        raise
    except Exception as fault:
        place = getattr(fault, "filename", None) or path
        raise error(f"{place}: cannot be read: expected {expected}, got {_said(fault)}{tail}") from fault


def _said(fault: Exception) -> str:
    """A fault in one line: what the system said, or what a library did, with its kind where it said no more."""
    line = " ".join(reason(fault).split())
    return line if line == type(fault).__name__ or isinstance(fault, OSError) else f"{type(fault).__name__}: {line}"


def at_home(path: str | os.PathLike[str]) -> Path:
    """The path with the home folder of `~` or `~user` in it; a user that the system does not know is a ConfigError."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ConfigError(
            f"{os.fspath(path)}: expected the home folder of a user, got none of '{Path(path).parts[0]}'; "
            "write ./~ for a folder of that name"
        ) from None


def read_json(path: Path, expected: str, error: type[RobenchError]) -> Any:
    """The value of a JSON file, as `reading`; texts that cannot be written again are refused too."""
    with reading(path, expected, error):
        text = path.read_text(encoding="utf-8")
        told = json.loads(text)
        if "\\ud" in text.lower():  # half of a pair that stands for one character
            json.dumps(told, ensure_ascii=False).encode()
        return told


def refuse_pipe(path: str | os.PathLike[str], expected: str, error: type[RobenchError]) -> None:
    """Raise `error` for a pipe, a socket or a device, from which a reader might wait for ever or read without end."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise error(f"{os.fspath(path)}: cannot be read: expected {expected}, got a pipe or a device")


def reason(fault: BaseException) -> str:
    """What the system said, without its number and path."""
    return getattr(fault, "strerror", None) or str(fault) or type(fault).__name__


def one_line(fault: BaseException) -> str:
    """What a library said, in one line."""
    return " ".join(str(fault).split()) or type(fault).__name__


def is_utf8(text: str) -> bool:
    """Whether a text can be written as UTF-8; one cannot that the system made of a name in other bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def file_name(text: str) -> str:
    """A text as the name of a file: no separators, nothing hidden."""
    return re.sub(r"[^\w=.@+-]+|^\.", "-", text)


def write_text(path: Path, text: str) -> None:
    """A whole text file in UTF-8 with \\n line ends."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """JSON with sorted keys, so that equal values are equal bytes."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def sha256_file(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def file_digests(path: Path, *algorithms: str) -> dict[str, str]:
    """Hex digests of a file's bytes, by the names that hashlib has for them; the file is read once."""
    hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
    with path.open("rb") as opened:
        while block := opened.read(1 << 20):
            for one in hashes.values():
                one.update(block)
    return {name: one.hexdigest() for name, one in hashes.items()}


def sha256_text(text: str) -> str:
    """Hex sha256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()
