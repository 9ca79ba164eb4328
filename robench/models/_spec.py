"""The MODEL argument, taken apart."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from corruptions import unknown
from robench.errors import ConfigError
from robench.models._activations import activations
from robench.models._other_kinds import refuse_other_kinds
from robench.models._registry import registry
from robench.models._restorers import restorers
from robench.models.fidelity import PREFIX as FIDELITY

FORMS = (
    "NAME, NAME=CHECKPOINT, NAME@ACTIVATION[=CHECKPOINT], path/to/file.py:factory[=CHECKPOINT], path/to/net.pt2 "
    "or path/to/net.onnx[#OUTPUT]"
)
ARCHIVES = (".pt2", ".onnx")
OUTPUT = re.compile(r"(?P<file>.+?\.onnx)#(?P<output>.*)", re.IGNORECASE)


@dataclass(frozen=True)
class Spec:
    """One of the forms of MODEL, taken apart.

    name: NAME, `file:factory` without the folder, or the stem of an archive; file: the file's path, else None.
    restorer: what stands before the model, as in `NAME[=CHECKPOINT]+MODEL`.
    activation: what stands in for every ReLU, as in `NAME@ACTIVATION` or `file.py:factory@ACTIVATION`.
    output: of the outputs of an archive the one that is meant; says_output: whether MODEL says so, as in
        `net.onnx#OUTPUT`, so that it belongs to the model's name.
    """

    name: str
    file: str | None = None
    factory: str | None = None
    checkpoint: str | None = None
    restorer: Spec | None = None
    activation: str | None = None
    output: str | None = None
    says_output: bool = False

    @property
    def is_file(self) -> bool:
        """Whether a file brings the network, so that it needs no weights of its own."""
        return self.file is not None

    @property
    def is_archive(self) -> bool:
        """Whether that file is a network with its weights, of torch.export or ONNX."""
        return self.is_file and self.factory is None


def parse(spec: str, output: str | None = None) -> Spec:
    """Take a MODEL argument apart.

    output: of an archive, where MODEL names none. One for another model raises `ConfigError`, and so does a MODEL
    without a name, with an empty checkpoint or with an unknown activation.

    >>> parse("torchvision:resnet50=run=3/best.pt").checkpoint
    'run=3/best.pt'
    >>> parse("resnet50@lp_relu1=best.safetensors").activation
    'lp_relu1'
    >>> parse(r"C:\\nets\\mine.py:build").name
    'mine:build'
    >>> parse("dncnn=noise.pt+nets/street.onnx").restorer.checkpoint
    'noise.pt'
    >>> parse("nets/street.onnx#probabilities").output
    'probabilities'
    """
    parsed = _parsed(spec)
    if output is None or parsed.output is not None:
        return parsed
    if not parsed.is_archive:
        raise ConfigError(
            f"model '{spec}': expected an ONNX file for the output '{output}', got a network with one output"
        )
    return replace(parsed, output=output)


def _parsed(spec: str) -> Spec:
    first, plus, rest = spec.partition("+")
    name = first.partition("=")[0]
    if name in restorers:
        return _restored(first, rest, spec)
    parsed = _archive(spec) or _factory(spec)
    if parsed is None:
        refuse_other_kinds(spec)
    if parsed is None and plus and name not in registry and re.fullmatch(r"\w+", name):
        raise ConfigError(f"model '{spec}': {unknown('restorer', name, restorers.names())}")
    parsed = parsed or _named(spec)
    if not parsed.name or parsed.checkpoint == "":
        raise ConfigError(f"model '{spec}': expected {FORMS}")
    return parsed


def weights_file(checkpoint: str) -> tuple[Path, str | None]:
    """The file of a CHECKPOINT, and the set of weights that is chosen in it; a file that has the sign # is itself.

    >>> weights_file("best.pt#state_dict_ema")
    (PosixPath('best.pt'), 'state_dict_ema')
    """
    file, sign, name = checkpoint.rpartition("#")
    if sign and not name and not Path(checkpoint).exists():
        raise ConfigError(f"{checkpoint}: expected the name of a set of weights after '#', got none")
    return (Path(file), name) if sign and not Path(checkpoint).exists() else (Path(checkpoint), None)


def with_stem(name: str, checkpoint: str | None, levels: int = 0) -> str:
    """What a model of that name with a checkpoint is called; levels: how many folders stand before the file's stem.

    >>> with_stem("resnet20", "nets/a/best.pt#ema"), with_stem("resnet20", "nets/a/best.pt", 1)
    ('resnet20=best#ema', 'resnet20=a/best')
    """
    if not checkpoint:
        return name
    file, chosen = weights_file(checkpoint)
    return f"{name}={stem_of(file, levels)}" + (f"#{chosen}" if chosen is not None else "")


def stem_of(file: Path, levels: int = 0) -> str:
    """The stem of a file, with so many of its folders before it."""
    return "/".join([*Path(os.path.abspath(file)).parts[-1 - levels : -1], file.stem])


def _restored(first: str, rest: str, spec: str) -> Spec:
    front = _named(first)
    if not rest or front.checkpoint == "":
        raise ConfigError(f"model '{spec}': '{front.name}' is a restorer, expected {front.name}[=CHECKPOINT]+MODEL")
    behind = _parsed(rest)
    if behind.restorer is not None:
        raise ConfigError(f"model '{spec}': expected one restorer, got '{front.name}' and '{behind.restorer.name}'")
    return replace(behind, restorer=front)


def _named(spec: str) -> Spec:
    whole, equals, checkpoint = spec.partition("=")
    name, activation = _without_activation(whole)
    if activation and name.lower().endswith(ARCHIVES):
        raise ConfigError(f"model '{spec}': an archive is a finished graph, whose ReLUs cannot be replaced")
    if activation and name.startswith(FIDELITY):
        raise ConfigError(f"model '{spec}': '@{activation}' would replace the ReLUs of the restorer inside it too")
    return Spec(name, checkpoint=checkpoint if equals else None, activation=activation)


def _without_activation(name: str) -> tuple[str, str | None]:
    """The two of `NAME@ACTIVATION`; in a hub's `ORG/NAME@REVISION` what is no activation belongs to the name."""
    before, at, last = name.rpartition("@")
    if not at or ("/" in before and last not in activations):
        return name, None
    return before, activations.get(last).name


def _archive(spec: str) -> Spec | None:
    if spec.lower().endswith(ARCHIVES):
        return Spec(_last(spec).rpartition(".")[0], spec)
    found = OUTPUT.fullmatch(spec)
    if found is None:
        return None
    file, output = found.group("file", "output")
    if not output:
        raise ConfigError(f"model '{spec}': expected the name of an output after '#', got none")
    return Spec(_last(file).rpartition(".")[0], file, output=output, says_output=True)


def _factory(spec: str) -> Spec | None:
    form = r"(?P<file>.+?\.py):(?P<factory>\w+)(?:@(?P<activation>\w+))?(?:=(?P<checkpoint>.*))?"
    found = re.fullmatch(form, spec)
    if not found:
        return None
    file, factory, checkpoint, asked = found.group("file", "factory", "checkpoint", "activation")
    activation = activations.get(asked).name if asked else None
    return Spec(f"{_last(file).removesuffix('.py')}:{factory}", file, factory, checkpoint, activation=activation)


def _last(path: str) -> str:
    return re.split(r"[/\\]", path)[-1]
