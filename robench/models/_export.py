"""torch.export archives, read without unpickling or evaluating what they hold.

`torch.export.load` unpickles, evaluates the sizes in the graph as Python and looks up any name below `torch` as an
operator. So an archive is taken apart first: tensors as raw bytes, operators of aten, names that are names, sizes that
are arithmetic. What passes is written anew, and only that is loaded.
"""

from __future__ import annotations

import io
import json
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from robench.errors import CheckpointError, ConfigError, ModelError
from robench.files import one_line, sha256_file
from robench.models._foreign import SHAPE, Archive, Form, Wanted, forms, shape_text

MODEL, EXAMPLE = "models/model.json", "data/sample_inputs/model.pt"
CONFIGS = ("data/weights/model_weights_config.json", "data/constants/model_constants_config.json")
PLAIN_FILES = ("archive_format", "archive_version", "byteorder", ".data/version")
PAYLOAD = re.compile(r"(weight|tensor)_\d+")
NAME = re.compile(r"(?!__)\w*")
PATH = re.compile(r"((?!__)[\w-]+(\.(?!__)[\w-]+)*)?")
PATH_KEYS = ("fqn", "parameter_name", "buffer_name", "tensor_constant_name")
SYMBOL = re.compile(r"Symbol\('[a-z]+\d+'(, \w+=True)*\)")
SIZE = re.compile(r"([\s\d+\-*/(),]|Add|Mul|Integer|Max|Min|FloorDiv|CeilDiv|CleanDiv|Mod|PythonMod|[su]\d+)*")
ARITHMETIC = ("add", "sub", "mul", "floordiv", "mod", "neg", "getitem", "eq", "ne", "lt", "le", "gt", "ge")
SYMBOLIC = ("int", "float", "max", "min", "sum", "not")
OPERATORS = {f"_operator.{name}" for name in ARITHMETIC} | {f"torch.sym_{name}" for name in SYMBOLIC}
TREES = (None, "builtins.tuple", "builtins.list", "builtins.dict")


def read(path: Path, wanted: Wanted, where: torch.device) -> Archive:
    """The network of an archive that `torch.export.save` wrote, with one input and one output.

    weights_sha256 is the file's sha256, so it is over the graph too. Raises `CheckpointError` for what is no archive,
    or holds more than a graph of aten operators and tensors; `ModelError` for another input; `ConfigError` where an
    output is asked for by name.
    """
    if wanted.output is not None:
        raise ConfigError(f"{path}: expected no name of an output, since an archive has one, got '{wanted.output}'")
    try:
        parts = _parts(path)
        graph = json.loads(parts[MODEL])
        parts[MODEL] = json.dumps(_checked(path, graph)).encode()
        example = _example(path, parts)
        program = _loaded(parts)
        if where.type != "cpu":
            from torch.export.passes import move_to_device_pass

            program = move_to_device_pass(program, where)
        module = program.module()
    except (CheckpointError, ModelError):
        raise
    except Exception as fault:
        raise CheckpointError(f"{path}: not an archive of torch.export: {one_line(fault)}") from fault
    form = _form(path, _shape(path, graph, example))
    return Archive(module, form, sha256_file(path), "user's torch.export archive")


def _form(path: Path, shape: tuple[int | None, ...]) -> Form:
    possible = forms(shape)
    if len(possible) != 1:
        raise ModelError(f"{path}: expected an input of {SHAPE}, got {shape_text(shape)}")
    return possible[0]


def _parts(path: Path) -> dict[str, bytes]:
    """What a graph and its tensors need, by name without the top folder; what would be unpickled is refused."""
    with zipfile.ZipFile(path) as archive:
        entries = {info.filename.partition("/")[2]: info for info in archive.infolist()}
        if missing := [name for name in (MODEL, EXAMPLE, *CONFIGS) if name not in entries]:
            raise CheckpointError(
                f"{path}: expected what torch.export.save of a recent torch writes, {missing[0]} is missing"
            )
        wanted = [name for name in (MODEL, EXAMPLE, *CONFIGS, *PLAIN_FILES) if name in entries]
        parts = {name: _stored(path, archive, entries[name]) for name in wanted}
        for config in CONFIGS:
            for payload in json.loads(parts[config])["config"].values():
                file = str(payload["path_name"])
                if payload["use_pickle"] is not False or not PAYLOAD.fullmatch(file):
                    raise CheckpointError(f"{path}: refused: would run code: {file} is pickled")
                name = f"{config.rpartition('/')[0]}/{file}"
                parts[name] = _stored(path, archive, entries[name])
            parts[config] = json.dumps(_checked(path, json.loads(parts[config]))).encode()
    return parts


def _stored(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.compress_type != zipfile.ZIP_STORED:
        raise CheckpointError(f"{path}: expected an uncompressed archive, {info.filename} is compressed")
    return archive.read(info)


def _example(path: Path, parts: dict[str, bytes]) -> Tensor:
    """The example input, a single tensor; the part is replaced by what was read of it."""
    try:
        args, kwargs = torch.load(io.BytesIO(parts[EXAMPLE]), map_location="cpu", weights_only=True)
    except Exception as fault:
        raise CheckpointError(f"{path}: refused: would run code: its example input is no tensor") from fault
    if len(args) != 1 or kwargs or not isinstance(args[0], Tensor) or args[0].dtype != torch.float32:
        got = ", ".join(_kind(one) for one in (*args, *kwargs.values())) or "nothing"
        raise ModelError(f"{path}: expected one input of {SHAPE}, got {got}")
    content = io.BytesIO()
    torch.save(((args[0],), {}), content)
    parts[EXAMPLE] = content.getvalue()
    return args[0]


def _kind(value: Any) -> str:
    return str(value.dtype).removeprefix("torch.") if isinstance(value, Tensor) else type(value).__name__


def _loaded(parts: dict[str, bytes]) -> torch.export.ExportedProgram:
    anew = io.BytesIO()
    with zipfile.ZipFile(anew, "w") as archive:
        for name, content in parts.items():
            archive.writestr(f"net/{name}", content)
    anew.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what torch plans to change in its format
        return torch.export.load(anew)


def _shape(path: Path, graph: Any, example: Tensor) -> tuple[int | None, ...]:
    inner = graph["graph_module"]
    names = [
        spec["user_input"]["arg"]["as_tensor"]["name"]
        for spec in inner["signature"]["input_specs"]
        if "user_input" in spec
    ]
    sizes = inner["graph"]["tensor_values"][names[0]]["sizes"]
    if len(sizes) != example.ndim:
        raise CheckpointError(f"{path}: its example input has another rank than its graph")
    return tuple(size.get("as_int") for size in sizes)


def _checked(path: Path, content: Any) -> Any:
    """The same without the notes of where each operator came from; whatever could be more than data is refused."""
    kept = _without(content, "metadata")
    for key, text in _strings(kept):
        allowed = CHECKS.get(key, _is_name)
        if not allowed(text):
            raise CheckpointError(f"{path}: refused: would run code: {key} {text[:60]!r}")
    return kept


def _without(content: Any, key: str) -> Any:
    if isinstance(content, dict):
        return {name: {} if name == key else _without(value, key) for name, value in content.items()}
    return [_without(value, key) for value in content] if isinstance(content, list) else content


def _strings(content: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every string with the key it stands under, and every key as a path."""
    if isinstance(content, dict):
        for name, value in content.items():
            yield "fqn", name
            yield from _strings(value, name)
    elif isinstance(content, list):
        for value in content:
            yield from _strings(value, key)
    elif isinstance(content, str):
        yield key, content


def _is_name(text: str) -> bool:
    return NAME.fullmatch(text) is not None


def _is_path(text: str) -> bool:
    return PATH.fullmatch(text) is not None


def _is_size(text: str) -> bool:
    return "**" not in text and SIZE.fullmatch(SYMBOL.sub("1", text)) is not None


def _is_operator(text: str) -> bool:
    """Arithmetic, or an operator of aten that takes no file's name."""
    found = re.fullmatch(r"torch\.ops\.aten\.(\w+)\.(\w+)", text)
    if found is None:
        return text in OPERATORS
    chosen = getattr(getattr(torch.ops.aten, found[1], None), found[2], None)
    return isinstance(chosen, torch._ops.OpOverload) and not any("file" in one.name for one in chosen._schema.arguments)


def _is_tree(text: str) -> bool:
    def plain(tree: Any) -> bool:
        context = json.loads(tree["context"] or "null")
        names = context if isinstance(context, list) else []
        held = all(isinstance(name, str) and _is_name(name) for name in names) and context in (None, names)
        return tree["type"] in TREES and held and all(map(plain, tree["children_spec"]))

    return plain(json.loads(text)[1])


CHECKS: dict[str, Callable[[str], bool]] = {
    **dict.fromkeys(PATH_KEYS, _is_path),
    "expr_str": _is_size,
    "target": _is_operator,
    "in_spec": _is_tree,
    "out_spec": _is_tree,
    "torch_version": lambda text: re.fullmatch(r"[\w.+]*", text) is not None,
    "as_string": lambda text: re.fullmatch(r"[\w ,.\->]*", text) is not None,
}
