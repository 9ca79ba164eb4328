"""The classes that a checkpoint was trained on, in the order of its outputs, against those of a data set."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from robench.errors import CheckpointError, ModelError
from robench.models._checkpoints import SCHEMA

CLASS_NAMES, CLASS_ORDER = "class_names", "class_order"
"""What `robench train` notes beside the weights: the names as a JSON list, and the order of folders of numbers."""
ALL_SHOWN = 10
Names = tuple[str, ...]
SPELLINGS = {"aeroplane": "airplane", "plane": "airplane", "car": "automobile"}
"""Other words for classes of CIFAR-10."""


def class_facts(classes: Sequence[str], order: str = "") -> dict[str, str]:
    """What to note beside the weights of a network with these classes. order: text or number, where one was chosen."""
    metadata = {CLASS_NAMES: json.dumps(list(classes), ensure_ascii=False)}
    return metadata | ({CLASS_ORDER: order} if order else {})


def names_in(metadata: Mapping[str, str], source: str) -> Names:
    """The names in the metadata that robench wrote, empty where there are none; CheckpointError for what are no names.

    source: for the line of the error.
    """
    text = metadata.get(CLASS_NAMES)
    if text is None or metadata.get("schema") != SCHEMA:
        return ()
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise CheckpointError(f"{source}: expected {CLASS_NAMES} as a JSON list of texts, got {text[:40]!r}")
    return tuple(names)


def are_numbers(names: Sequence[str]) -> bool:
    """Whether the names say no more than the places: 0, 1, 2, … in this order."""
    return list(names) == [str(place) for place in range(len(names))]


def check_classes(trained: Sequence[str], names: Sequence[str], source: str) -> None:
    """That a checkpoint has the classes of a data set, in the same order; else a ModelError.

    trained, names: of the checkpoint and of the data set, as many. Case, spaces, `_` and `-` do not count, nor do other
    words for the classes of CIFAR-10. Names that are plain places, 0, 1, 2, …, fit every name.
    """
    ours, theirs = _plain(names, trained)
    if ours == theirs:
        return
    moved = sorted(ours) == sorted(theirs)
    if not moved and (are_numbers(names) or are_numbers(trained)):
        return
    first = next((place for place, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), 0)
    what = "the data set's classes in its order" if moved else "the data set's classes"
    raise ModelError(
        f"{source}: expected {what}, {_listed(names, first)}, got weights trained on {_listed(trained, first)}; "
        "name the output of each class with --label-map CSV"
    )


def mapped_text(indices: Sequence[tuple[int, ...]], outputs: int, trained: Sequence[str], names: Sequence[str]) -> str:
    """What a label map does, to record: how many outputs it takes, and the first that the weights call otherwise.

    indices: the outputs of each class. Of a class with several the weights' names are not looked at.
    """
    count = sum(map(len, indices))
    text = f"{count} of {outputs} outputs"
    if count > len(indices):
        text += f" for {len(indices)} classes, and sums the probabilities of a class"
    if not trained or are_numbers(trained) or are_numbers(names):
        return text
    alone = [(name, group[0]) for name, group in zip(names, indices, strict=True) if len(group) == 1]
    pairs = [(name, trained[index]) for name, index in alone if index < len(trained)]
    other = next((pair for pair in pairs if _key(pair[0]) != _key(pair[1])), None)
    return text + (f"; the checkpoint calls the output of '{other[0]}' '{other[1]}'" if other else "")


def _plain(names: Sequence[str], trained: Sequence[str]) -> tuple[list[str], list[str]]:
    """Both lists without what does not count, or as they are where that makes two names of one list the same."""
    plain = [[_key(name) for name in one] for one in (names, trained)]
    if any(len(set(one)) < len(one) for one in plain):
        return list(names), list(trained)
    return plain[0], plain[1]


def _key(name: str) -> str:
    word = "".join(character for character in name.casefold() if character not in " _-")
    return SPELLINGS.get(word, word)


def _listed(names: Sequence[str], first: int) -> str:
    """All of a short list; of a long one the ends, and what stands at the place where two lists first differ."""
    if len(names) <= ALL_SHOWN:
        return ", ".join(names)
    shown = sorted({0, 1, min(first, len(names) - 1), len(names) - 1})
    parts = [
        ("" if place == 0 or place - 1 in shown else "…, ")
        + names[place]
        + (f" (class {place})" if place == first and first > 1 else "")
        for place in shown
    ]
    return ", ".join(parts)
