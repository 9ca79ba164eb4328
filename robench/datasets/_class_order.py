"""Class folders named by numbers have two orders: as text, which torchvision's networks learned, and as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

import numpy as np

from corruptions import unknown
from robench.datasets._contract import Dataset, Names
from robench.errors import ConfigError

TEXT, NUMBER = "text", "number"
ORDERS = (TEXT, NUMBER)
SHOWN = 5
DIGITS = "0123456789"


def check_order(asked: str | None) -> None:
    """Raise ConfigError for what is no order of classes."""
    if asked is not None and asked not in ORDERS:
        raise ConfigError(unknown("class order", asked, ORDERS))


def ordered(dataset: Dataset, asked: str | None, learned: Sequence[Names] = ()) -> Dataset:
    """The data set with its classes in the order asked for; ConfigError where there are two and nothing decides.

    learned: the class names of each network, in the order of its outputs, empty where they are unknown; they decide
        where nothing is asked and all of them are the classes in one of the orders. Ids, images and their order stay.
    """
    if not dataset.of_folders:
        _check_settled(dataset, asked)
        return dataset
    names = dataset.classes
    if asked == NUMBER and not _numbers(names):
        odd = next((name for name in names if not _is_number(name)), names[0])
        raise ConfigError(f"class order number: expected classes of {dataset.name} called by numbers, got '{odd}'")
    if not has_two_orders(names):
        return dataset
    orders = {TEXT: tuple(sorted(names)), NUMBER: _by_number(names)}
    chosen = asked or next((order for order, own in orders.items() if learned and {*learned} == {own}), None)
    if chosen is None:
        shown = {order: ", ".join(own[:SHOWN]) + ", …" for order, own in orders.items()}
        raise ConfigError(
            f"data set {dataset.name}: its {len(names)} class folders are numbers, whose order is not known; expected "
            f"--class-order {TEXT} ({shown[TEXT]}, as torchvision has it) or {NUMBER} ({shown[NUMBER]}), got none"
        )
    if dataset.class_order not in ("", chosen):
        raise ConfigError(
            f"data set {dataset.name} was generated with the class order {dataset.class_order}, got {chosen}; generate "
            f"it again with --class-order {chosen}"
        )
    return _relabelled(dataset, orders[chosen], chosen)


def has_two_orders(names: Sequence[str]) -> bool:
    """Whether all are numbers, or numbered alike, and their order as numbers is not that of their texts.

    >>> has_two_orders(["2", "10"]), has_two_orders(["02", "10"]), has_two_orders(["cat", "2", "10"])
    (True, False, False)
    >>> has_two_orders(["class_2", "class_10"]), has_two_orders(["n01440764", "n01443537"])
    (True, False)
    """
    return bool(_numbers(names)) and _by_number(names) != tuple(sorted(names))


def _numbers(names: Sequence[str]) -> dict[str, int]:
    """The number in each name, what stands before and behind it being the same in all; empty where it is not."""
    before = _shared(names).rstrip(DIGITS)
    behind = _shared([name[::-1] for name in names])[::-1].lstrip(DIGITS)
    middles = {name: name[len(before) : len(name) - len(behind)] for name in names}
    if not all(map(_is_number, middles.values())):
        return {}
    return {name: int(middle) for name, middle in middles.items()}


def _shared(names: Sequence[str]) -> str:
    """What all names begin with."""
    return "".join(some[0] for some in takewhile(lambda some: len(set(some)) == 1, zip(*names, strict=False)))


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal()


def _by_number(names: Sequence[str]) -> Names:
    numbers = _numbers(names)
    return tuple(sorted(names, key=lambda name: (numbers[name], name)))


def _check_settled(dataset: Dataset, asked: str | None) -> None:
    if asked in (None, dataset.class_order):
        return
    got = f"has the class order {dataset.class_order}" if dataset.class_order else "has one order of classes"
    raise ConfigError(f"data set {dataset.name} {got}; leave out --class-order {asked}")


def _relabelled(dataset: Dataset, classes: tuple[str, ...], order: str) -> Dataset:
    place = {name: label for label, name in enumerate(classes)}
    labels = np.array([place[name] for name in dataset.classes], dtype=np.int64)[dataset.labels]
    return replace(dataset, classes=classes, labels=labels, class_order=order, of_folders=False)
