"""robench benchmarks the corruption robustness of image classifiers.

    results = robench.evaluate({"mine": net}, robench.wrap_dataset(images, labels), {"awgn": [0.1, 0.2]})
    print(results.summary())

The functions are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from robench.api import (
        compare,
        evaluate,
        generate_dataset,
        list_corruptions,
        list_datasets,
        list_models,
        list_recipes,
        list_suites,
        load_dataset,
        load_model,
        load_results,
        register_corruption,
        register_dataset,
        register_model,
        register_suite,
        train,
        wrap_dataset,
        wrap_model,
    )
    from robench.errors import ConfigError, RobenchError
    from robench.results import Results

__all__ = [
    "ConfigError",
    "Results",
    "RobenchError",
    "__version__",
    "compare",
    "evaluate",
    "generate_dataset",
    "list_corruptions",
    "list_datasets",
    "list_models",
    "list_recipes",
    "list_suites",
    "load_dataset",
    "load_model",
    "load_results",
    "register_corruption",
    "register_dataset",
    "register_model",
    "register_suite",
    "train",
    "wrap_dataset",
    "wrap_model",
]
_ELSEWHERE = {"ConfigError": "errors", "RobenchError": "errors", "Results": "results"}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in __all__:
        return getattr(import_module(f"{__name__}.{_ELSEWHERE.get(name, 'api')}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
