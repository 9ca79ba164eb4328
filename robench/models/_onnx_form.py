"""What an ONNX file takes and which of its outputs are meant: as it says, and where it leaves that open, by trial."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from corruptions import unknown
from robench.errors import ConfigError, ModelError
from robench.files import one_line
from robench.models._foreign import Form, Wanted, forms, shape_text

TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
}
IMAGES = "images (N, 1 or 3, height, width) or (N, height, width, 1 or 3) of float32, float16, float64 or uint8"
ANY = (None, None, None, None)
Answers = Mapping[str, Any]
Run = Callable[[Form], Answers]


class Trial(NamedTuple):
    """A form in which the file can be run, and the output that is meant."""

    form: Form
    output: str


def forms_of(path: Path, inputs: Sequence[Any]) -> list[Form]:
    """What the inputs of a session leave open; a ModelError where they are not one batch of images."""
    if len(inputs) == 1 and inputs[0].type in TYPES:
        shape = [length if isinstance(length, int) else None for length in inputs[0].shape] or ANY
        if made := forms(shape, TYPES[inputs[0].type], last=(False, True)):
            return made
        raise ModelError(f"{path}: expected one input of {IMAGES}, got {TYPES[inputs[0].type]} {shape_text(shape)}")
    got = ", ".join(f"{given.name} {given.type}" for given in inputs) or "none"
    raise ModelError(f"{path}: expected one input of {IMAGES}, got {got}")


def tried(path: Path, possible: Sequence[Form], run: Run, wanted: Wanted, name: str) -> Trial:
    """The one form of the possible ones in which the file runs and answers a matrix.

    run: the file's answers by name to black images of a form. name: of the input.
    A file that runs in several forms is a ModelError that says how to settle it.
    """
    faults: list[Exception] = []
    trials: list[Trial] = []
    for form in possible:
        try:
            answers = run(form)
        except Exception as fault:  # of onnxruntime, whose errors have no common class
            faults.append(ModelError(f"{path}: cannot be run on {_shape(form, wanted)}: {one_line(fault)}"))
            continue
        try:
            trials.append(Trial(form, _output(path, answers, form.batch or 1, wanted)))
        except ModelError as fault:
            faults.insert(0, fault)
    if not trials:
        raise faults[0]
    if len(trials) > 1:
        shapes = [shape_text(_shape(trial.form, wanted)) for trial in trials]
        raise ModelError(
            f"{path}: expected one form of input {name}, got one that runs on {' and '.join(shapes)}; fix its shape: "
            f"python -m onnxruntime.tools.make_dynamic_shape_fixed --input_name {name} --input_shape "
            f"{','.join(map(str, _shape(trials[0].form, wanted)))} {path.name} fixed.onnx"
        )
    return trials[0]


def check_output(path: Path, known: Sequence[str], asked: str | None) -> None:
    """Raise ConfigError where the output that is asked for is none of those known."""
    if asked is not None and asked not in known:
        raise ConfigError(f"{path}: {unknown('output', asked, known)}")


def black(form: Form, wanted: Wanted) -> NDArray[Any]:
    """The smallest batch of black images in a form."""
    return np.zeros(_shape(form, wanted), dtype=form.pixels)


def _shape(form: Form, wanted: Wanted) -> tuple[int, ...]:
    batch, channels, height, width = form.shape(wanted)
    return (batch, height, width, channels) if form.channels_last else (batch, channels, height, width)


def _output(path: Path, answers: Answers, batch: int, wanted: Wanted) -> str:
    """The output that is asked for, or the only matrix, or the only one of the right number of classes."""
    matrices = {name: answer for name, answer in answers.items() if _is_matrix(answer, batch)}
    fitting = [name for name, answer in matrices.items() if answer.shape[1] == wanted.classes] or [*matrices]
    if len(fitting) == 1:
        return fitting[0]
    got = ", ".join(f"'{name}' {_kind(answer)}" for name, answer in answers.items())
    if fitting:
        raise ModelError(
            f"{path}: expected one output of float (N, classes), got {got}; choose one, as in "
            f"{path.name}#{fitting[0]} or --output {fitting[0]}"
        )
    advice = "; export without ZipMap, in skl2onnx by options={'zipmap': False}" if _has_maps(answers) else ""
    raise ModelError(f"{path}: expected an output of float ({batch}, classes), got {got}{advice}")


def _is_matrix(answer: Any, batch: int) -> bool:
    return isinstance(answer, np.ndarray) and answer.dtype.kind == "f" and answer.ndim == 2 and len(answer) == batch


def _has_maps(answers: Answers) -> bool:
    return any(isinstance(answer, list) and answer and isinstance(answer[0], dict) for answer in answers.values())


def _kind(answer: Any) -> str:
    if isinstance(answer, np.ndarray):
        return f"{answer.dtype} {answer.shape}"
    return "a sequence of maps" if _has_maps({"": answer}) else f"a {type(answer).__name__}"
