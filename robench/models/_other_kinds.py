"""Files that hold a network and are not read as one: what to do instead."""

from __future__ import annotations

import zipfile
from pathlib import Path

from robench.errors import ConfigError

READ = ".pt2 (torch.export) or .onnx"
PAGE = "docs/how-to/my-model.md"
OTHER_KINDS = {
    ".tflite": "LiteRT",
    ".keras": "Keras",
    ".h5": "Keras",
    ".hdf5": "Keras",
    ".mlmodel": "Core ML",
    ".mlpackage": "Core ML",
    ".engine": "TensorRT",
    ".plan": "TensorRT",
    ".pb": "TensorFlow",
}
"""What writes files with these suffixes."""
TORCH = (".pt", ".pth", ".ts", ".torchscript")


def refuse_other_kinds(model: str) -> None:
    """Raise ConfigError where a MODEL argument is a file that another program writes, or of TorchScript."""
    path = Path(model)
    suffix = path.suffix.lower()
    if suffix in OTHER_KINDS:
        raise ConfigError(
            f"model '{model}': expected a network as {READ}, got a file of {OTHER_KINDS[suffix]}; convert it to ONNX, "
            f"or call it from a factory as {PAGE} shows"
        )
    if suffix in TORCH and is_torchscript(path):
        raise ConfigError(
            f"model '{model}': expected a network as {READ}, got one of TorchScript; convert it, with the size of its "
            f"images: {to_onnx(path)}"
        )


def is_torchscript(path: Path) -> bool:
    """Whether a file is what torch.jit.save writes, an archive with code."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.partition("/")[2].startswith("code/") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def to_onnx(path: Path) -> str:
    """The command that makes an ONNX file of one of TorchScript, in its folder."""
    export = (
        f"torch.onnx.export(torch.jit.load('{path.name}'), (torch.zeros(1, 3, 224, 224),), '{path.stem}.onnx', "
        "dynamo=False, input_names=['x'], dynamic_axes={'x': {0: 'n'}})"
    )
    return f'python -c "import torch; {export}"'


def to_weights(path: Path) -> str:
    """The command that makes a checkpoint of a file of TorchScript, in its folder."""
    save = f"torch.save(torch.jit.load('{path.name}').state_dict(), '{path.stem}-weights.pt')"
    return f'python -c "import torch; {save}"'
