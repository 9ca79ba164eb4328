"""Files beside a data set's images that are none, counted: what is recorded of them and said."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MOST_KINDS = 8
OTHER = "other"
MOST_SAID = 4
MOST_CLASSES = 5


def left_out_facts(names: Iterable[str], empty: Sequence[str] = ()) -> dict[str, Any]:
    """What a run records of files that are no images: `files` by suffix, and the classes that are `empty` thereby.

    names: the files. Suffixes are in lower case, "" of names without one; the rarest of many count as "other". Without
    files the facts are empty.

    >>> left_out_facts(["a.HEIC", "b.heic", "c"], ["cat"])
    {'files': {'.heic': 2, '': 1}, 'empty': ['cat']}
    """
    kinds = Counter(os.path.splitext(name)[1].lower() for name in names)
    if not kinds:
        return {}
    ordered = _most_first(kinds)
    files = dict(ordered[:MOST_KINDS])
    if rest := sum(count for _, count in ordered[MOST_KINDS:]):
        files[OTHER] = rest
    return {"files": files, "empty": list(empty)}


def left_out_note(facts: Mapping[str, Any]) -> str:
    """The recorded facts as a sentence; empty where there are none.

    >>> left_out_note({"files": {".heic": 2, "": 1}, "empty": []})
    '3 files were left out, which are no images by their names (2 .heic, 1 without suffix).'
    """
    if not facts:
        return ""
    kinds = [f"{count} {kind or 'without suffix'}" for kind, count in _most_first(facts["files"])]
    total, empty = sum(facts["files"].values()), facts["empty"]
    subject = (
        "1 file was left out, which is no image by its name"
        if total == 1
        else (f"{total} files were left out, which are no images by their names")
    )
    lost = f"; no image is left of class {_some(empty, MOST_CLASSES)}" if empty else ""
    return f"{subject} ({_some(kinds, MOST_SAID)}){lost}."


def _most_first(kinds: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(kinds.items(), key=lambda one: (one[0] == OTHER, -one[1], one[0]))


def _some(texts: Sequence[str], most: int) -> str:
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more
