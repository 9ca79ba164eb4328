"""Training by recipe: `train("both", "digits", "tiny_cnn", "digits.safetensors")`.

    robench.training.names()     the recipes; `get(name)` says what each does
    robench.training.train(...)  writes the weights of the best epoch, with their history

Needs Lightning (`pip install 'robench[train]'`), which is imported when a training starts. Another package adds
recipes with `register(Recipe(...))` in a module named by the entry point `robench.recipes`.
"""

from robench.training import recipes as recipes
from robench.training._initial_weights import began_from
from robench.training._recipes import Recipe, get, names, register, registry, score_text
from robench.training._train import Trained, train

__all__ = ["Recipe", "Trained", "began_from", "get", "names", "register", "registry", "score_text", "train"]
