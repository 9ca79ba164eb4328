"""A model of a sweep: what it is, what tables call it, and what is done to its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robench.errors import ConfigError

MARK = "::"
FIELDS = {"model": str, "label": str, "normalize": str, "label_map": (str, Path), "citation": str, "extra_data": str}


@dataclass(frozen=True)
class ModelConfig:
    """One model of a sweep.

    Attributes:
        model: A MODEL argument such as `resnet20=best.pt`, a `Classifier`, an `nn.Module` or a callable from images
            float32 (N, C, H, W) in [0, 1] to logits (N, classes).
        label: The name in tables, figures and on boards; empty for the model's own.
        normalize: As `--normalize`, for this model alone; None for the sweep's.
        label_map: As `--label-map`, for this model alone; None for the sweep's.
        citation: Paper or address, for boards.
        extra_data: Training data beside the data set's own, for boards.
        is_optional: Whether it is skipped, with a line, where it is no classifier of the data set.
    """

    model: Any
    label: str = ""
    normalize: str | None = None
    label_map: Path | None = None
    citation: str = ""
    extra_data: str = ""
    is_optional: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.model, str) and not self.model:
            raise ConfigError("model: expected a name, a file or a network, got an empty text")
        for name, kind in FIELDS.items():
            value = getattr(self, name)
            if name != "model" and value is not None and not isinstance(value, kind):  # type: ignore[arg-type]
                raise ConfigError(f"model '{self.model}': expected {name} as text, got {value!r}")

    @classmethod
    def parse(cls, text: str) -> ModelConfig:
        """Take `LABEL::MODEL` or `MODEL` apart.

        >>> ModelConfig.parse("baseline::resnet20=best.pt").label
        'baseline'
        """
        label, mark, model = text.partition(MARK)
        if mark and not (label and model):
            raise ConfigError(f"model '{text}': expected LABEL::MODEL, got an empty part")
        return cls(model, label) if mark else cls(text)

    @property
    def about(self) -> dict[str, str]:
        """What a manifest records beside the model's own facts."""
        return {name: value for name in ("citation", "extra_data") if (value := getattr(self, name))}

    @property
    def spec(self) -> str | None:
        """The MODEL argument; None for a network that is in memory."""
        return self.model if isinstance(self.model, str) else None
