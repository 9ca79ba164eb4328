"""Every example in a docstring runs, and every public name has a docstring."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import corruptions
import robench

MODULES = sorted(
    info.name
    for package in (corruptions, robench)
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if not info.name.endswith("__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_run_and_public_things_are_described(name):
    module = importlib.import_module(name)
    result = doctest.testmod(module)
    assert result.failed == 0
    assert module.__doc__
    for public, thing in vars(module).items():
        if inspect.isfunction(thing) or inspect.isclass(thing):
            own = thing.__module__ == name and thing.__qualname__ == public and not public.startswith("_")
            if not own:
                continue
            assert inspect.getdoc(thing), f"{name}.{public} has no docstring"
