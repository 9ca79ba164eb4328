"""From a MODEL argument to a classifier: parse, build, fill, wrap."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from corruptions import unknown
from robench.errors import CheckpointError, ConfigError, ModelError
from robench.files import one_line
from robench.models import _checkpoints
from robench.models._activations import activations
from robench.models._archives import read_archive
from robench.models._class_names import (
    CLASS_NAMES,
    check_classes,
    mapped_text,
    names_in,
)
from robench.models._classifier import Classifier, Restorer, pick_device, placed
from robench.models._factory import made_by_file
from robench.models._foreign import Wanted
from robench.models._label_map import LabelMap, read_label_map
from robench.models._metadata import WEIGHTS, outputs_of, trained_with
from robench.models._normalize import Normalization, check_plausible, parse_normalize
from robench.models._registry import Card, get
from robench.models._relu import replace_relu
from robench.models._restorers import RestorerCard, restorers
from robench.models._spec import Spec, parse, weights_file, with_stem
from robench.models._user_code import with_code
from robench.models._weight_sets import State, chosen
from robench.models.fidelity import PREFIX as FIDELITY
from robench.models.fidelity import Estimator

WEIGHT_SET = "weight_set"
"""What the facts of a model call the set that was taken of several in its checkpoint."""
Made = TypeVar("Made")


def load(
    spec: str,
    *,
    classes: int,
    input_size: int | tuple[int, int] | None = None,
    normalize: str | None = None,
    random_weights: bool = False,
    seed: int = 0,
    device: str = "cpu",
    class_names: Sequence[str] | None = None,
    label_map: Path | None = None,
    transfer: bool = False,
    output: str | None = None,
) -> Classifier:
    """The classifier that a MODEL argument stands for.

    spec: `NAME[=CHECKPOINT]`, `path/to/file.py:factory[=CHECKPOINT]`, `path/to/net.pt2` or
        `path/to/net.onnx[#OUTPUT]`, and before any of them `RESTORER[=CHECKPOINT]+`; CHECKPOINT: a file, with `#SET`
        behind it to choose one of several sets of weights in it, or a card's word. NAME and factory may be followed by
        `@ACTIVATION`, which stands in for every ReLU.
    classes: of the data set, so the length of the logits.
    side: of the images that will come, or their (H, W); decides and records the fit.
    normalize: imagenet, cifar10, mnist, bytes, none or m,m,m/s,s,s, instead of what the checkpoint was trained with, as
        `robench train` notes it, or else the card's. Archives have none of their own.
    random_weights: allow a model of the zoo without a checkpoint; drawn from `seed`, without global state.
    class_names, label_map: the data set's classes, and a file that says which output of the network is whose: CSV
        with the header `class,index`, or JSON of indices or of names. The network keeps its own number of outputs, of
        which these make the logits. Without a map its outputs are the classes, and a checkpoint that says which classes
        it was trained on must have the same in the same order.
    transfer: take a checkpoint to train on from: a head for another number of classes is drawn anew from `seed`, and
        the activations' parameters are left as they start where the checkpoint has none. Otherwise both are refused.
        Of a new head's linear and convolutional layers the weights are Glorot's (uniform), the biases 0 (Lin 2021).
    output: of the outputs of an ONNX file the one that is meant, where spec does not say it.
    Raises `ConfigError`, `CheckpointError` or `ModelError`, one line each.
    """
    parsed = parse(spec, output)
    where = pick_device(device)
    size = (input_size, input_size) if isinstance(input_size, int) else input_size
    chosen = _label_map(label_map, class_names, classes)
    wanted = outputs_of(parsed) if chosen else classes
    made = (
        _archive(parsed, Wanted(wanted, size, parsed.output), where)
        if parsed.is_archive
        else _network(parsed, wanted, random_weights, seed, transfer)
    )
    front = _restorer(parsed.restorer, random_weights, seed, where) if parsed.restorer else None
    card, trained = made.card, names_in(made.training, made.label)
    if chosen is None and trained and class_names is not None:
        check_classes(trained, class_names, made.label)
    outputs = (wanted or card.classes) if chosen else None
    if chosen and outputs:
        chosen.check(outputs, made.label)
    normalization, source = _normalization(card, normalize, trained_with(made.training))
    return Classifier(
        card=card,
        label=f"{front.label}+{made.label}" if front else made.label,
        module=placed(made.module, where),
        classes=classes,
        normalization=normalization,
        normalize_from=source,
        weights_sha256=_both(front, made.weights_sha256),
        size=size,
        training={key: value for key, value in made.training.items() if key != CLASS_NAMES}
        | ({"random_weights": "yes"} if _is_drawn(parsed) else {}),
        class_names=trained,
        device=where,
        restorer=front,
        label_map=chosen,
        outputs=outputs,
        mapped=mapped_text(chosen.indices, outputs, trained, class_names or ()) if chosen and outputs else "",
    )


def _is_drawn(parsed: Spec) -> bool:
    """Whether a network, or the restorer in front of it, has the weights that it was drawn with."""
    own = parsed.is_file or parsed.is_archive or parsed.checkpoint
    return not own or bool(parsed.restorer and not parsed.restorer.checkpoint)


def load_restorer(spec: str, *, random_weights: bool = False, seed: int = 0, device: str = "cpu") -> Restorer:
    """The restorer that `NAME[=CHECKPOINT]` stands for; the options are those of `load`.

    Raises `ConfigError` or `CheckpointError`.
    """
    name, equals, checkpoint = spec.partition("=")
    parsed = Spec(name, checkpoint=checkpoint if equals else None)
    return _restorer(parsed, random_weights, seed, pick_device(device))


def load_estimator(checkpoint: str | Path | None = None, *, seed: int = 0, device: str = "cpu") -> Estimator:
    """An estimator of fidelity maps, as `robench.models.fidelity.assemble` takes one, in evaluation mode.

    checkpoint: a file, such as `robench train fidelity-estimator-l1` writes; without one it is drawn from `seed`,
        without global state. device: as for `load`. Raises `ConfigError` or `CheckpointError`.
    """
    where = pick_device(device)
    made = seeded(seed, Estimator)
    if checkpoint is not None:
        path, asked = weights_file(str(checkpoint))
        state, _ = chosen(_checkpoints.read(path), made.state_dict(), source=str(path), asked=asked, may_lack=None)
        _checkpoints.fill(made, state, classes=0, source=str(checkpoint), model="fidelity-estimator")
    return made.to(where).eval()


def build_on_meta(spec: str, *, classes: int, input_size: int | tuple[int, int] | None = None) -> Classifier:
    """The classifier of a MODEL argument without numbers, on the meta device: for shapes and for counts.

    A 143 M parameter network takes no memory and no time. classes, side: as for `load`. Its logits have a shape and no
    values; a checkpoint is not read. Raises `ConfigError` or `ModelError`; archives cannot be sketched.
    """
    parsed = parse(spec)
    if parsed.is_archive or parsed.restorer:
        raise ConfigError(f"model '{spec}': expected a network without restorer that is no archive, to sketch it")
    with torch.device("meta"):
        built = seeded(0, lambda: _built(parsed, classes))
    return Classifier(
        card=built.card,
        label=built.card.name,
        module=built.module.eval(),
        classes=classes,
        normalization=Normalization(built.card.mean, built.card.std),
        weights_sha256="",
        size=(input_size, input_size) if isinstance(input_size, int) else input_size,
        device=torch.device("meta"),
    )


@dataclass(frozen=True)
class Network:
    """A network with its weights, before it is placed and wrapped."""

    card: Card
    label: str
    module: nn.Module
    weights_sha256: str
    training: dict[str, str] = field(default_factory=dict)


def _network(parsed: Spec, classes: int | None, random_weights: bool, seed: int, transfer: bool) -> Network:
    """classes: of the data set; None keeps the network's own, of which a label map chooses."""
    if not (parsed.is_file or parsed.checkpoint or random_weights):
        raise ConfigError(_no_weights(get(parsed.name), "model", parsed.activation))
    built = seeded(seed, lambda: _built(parsed, classes))
    card, own = built.card, built.activations if transfer else None
    metadata = _filled(built.module, card, parsed.checkpoint, card.classes if classes is None else classes, own, seed)
    return Network(
        card, with_stem(card.name, parsed.checkpoint), built.module, _checkpoints.state_sha256(built.module), metadata
    )


def _normalization(card: Card, asked: str | None, trained: str | None) -> tuple[Normalization, str]:
    """The normalisation, and where it comes from: the option, the checkpoint, or else the card."""
    own = Normalization(card.mean, card.std)
    text = asked or trained
    chosen = parse_normalize(text, card.channels) if text else own
    if chosen != own and card.takes_bytes:
        raise ConfigError(f"model '{card.name}': takes bytes in 0..255 as they are; leave out normalize '{text}'")
    if chosen != own and card.name.startswith(FIDELITY):
        raise ConfigError(
            f"model '{card.name}': its classifier's normalisation is inside; leave out normalize '{text}'"
        )
    source = "the option normalize" if asked else "the checkpoint" if trained else "its card"
    if asked:
        check_plausible(chosen, f"normalize '{asked}'", ConfigError)
    else:
        check_plausible(chosen, f"model '{card.name}': normalisation of {source}", ModelError)
    return chosen, source


def _archive(parsed: Spec, wanted: Wanted, where: torch.device) -> Network:
    card, module, digest = read_archive(Path(str(parsed.file)), parsed.name, wanted, where)
    return Network(card, f"{parsed.name}#{parsed.output}" if parsed.says_output else parsed.name, module, digest)


@dataclass(frozen=True)
class Built:
    """A network with the weights that it was drawn with; activations: where they stand in it, by name."""

    card: Card
    module: nn.Module
    activations: tuple[str, ...] = ()


def _built(parsed: Spec, classes: int | None) -> Built:
    if parsed.is_file:
        card, module = made_by_file(parsed, classes)
    else:
        card = get(parsed.name)
        module = card.build(card.classes if classes is None else classes)
        card = with_code(card, module)
    return Built(card, module) if parsed.activation is None else _activated(card, module, parsed.activation)


def _activated(card: Card, module: nn.Module, name: str) -> Built:
    chosen = activations.get(name)
    label, input_size = f"{card.name}@{name}", card.input_size or 32
    places = replace_relu(module, chosen, label, torch.zeros(1, card.channels, input_size, input_size))
    params = sum(parameter.numel() for parameter in module.parameters())
    source = f"{card.source}; {name}: {chosen.source}"
    return Built(replace(card, name=label, params=params, source=source), module, places)


def _restorer(parsed: Spec, random_weights: bool, seed: int, where: torch.device) -> Restorer:
    card = restorers.get(parsed.name)
    if not (parsed.checkpoint or random_weights):
        raise ConfigError(_no_weights(card, "restorer"))
    module = seeded(seed, card.build)
    _filled(module, card, parsed.checkpoint, classes=0)
    label, digest = with_stem(card.name, parsed.checkpoint), _checkpoints.state_sha256(module)
    return Restorer(card, label, placed(module, where), digest, where)


def _filled(
    module: nn.Module,
    card: Card | RestorerCard,
    checkpoint: str | None,
    classes: int,
    own: Sequence[str] | None = None,
    seed: int = 0,
) -> dict[str, str]:
    """Put the checkpoint's weights into the network, and hand out its metadata, with the set's name if it has several.

    own: to train on from the checkpoint, the parts of the network that it may lack; the head may be another too, and
        is drawn from the seed then.
    """
    if checkpoint is None:
        return {}
    path, asked = weights_file(checkpoint)
    states, metadata, source = _read(card, checkpoint, path)
    state: State
    state, name = chosen(states, module.state_dict(), source=source, asked=asked, may_lack=own)
    if own is not None:
        head = _checkpoints.other_head(state, module, classes=classes)
        seeded(seed, lambda: _draw_head(module, head))
        state = _checkpoints.completed(state, module, head=head, parts=own)
    _checkpoints.fill(module, state, classes=classes, source=source, model=card.name)
    return metadata | ({WEIGHT_SET: name} if name else {})


def _draw_head(module: nn.Module, names: Sequence[str]) -> None:
    """Draw these tensors of linear and convolutional layers anew, as Lin 2021 does (section 3.1)."""
    for name in names:
        path, _, own_name = name.rpartition(".")
        layer = module.get_submodule(path)
        if not isinstance(layer, nn.Linear | nn.modules.conv._ConvNd):
            continue
        if own_name == "bias":
            nn.init.zeros_(layer.get_parameter(own_name))
        else:
            nn.init.xavier_uniform_(layer.get_parameter(own_name))


def _both(front: Restorer | None, digest: str) -> str:
    return hashlib.sha256(f"{front.weights_sha256}+{digest}".encode()).hexdigest() if front else digest


def _label_map(path: Path | None, names: Sequence[str] | None, classes: int) -> LabelMap | None:
    if path is None:
        return None
    if names is None or len(names) != classes:
        got = "none" if names is None else len(names)
        raise ConfigError(f"label map {path}: expected the names of the data set's {classes} classes, got {got}")
    return read_label_map(path, names)


def seeded(seed: int, make: Callable[[], Made]) -> Made:
    """What `make` makes, with weights drawn from the seed; the generator of the process is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return make()


def _read(card: Card | RestorerCard, checkpoint: str, path: Path) -> tuple[dict[str, State], dict[str, str], str]:
    """The tensors of a file or of one of the card's words, its metadata, and how to name it in a line."""
    source = str(path)
    if checkpoint in card.weights:
        source, place = f"{card.name}={checkpoint}", card.weights[checkpoint]
        if callable(place):
            return {"": _fetched(place, source)}, {}, source
        if place.startswith("https://"):
            return {"": _fetched(lambda: _download(place), source, f" from {place}")}, {}, source
        path = WEIGHTS / place
    elif card.weights and not path.exists():
        raise CheckpointError(f"{card.name}={checkpoint}: no such file; {unknown('weights', checkpoint, card.weights)}")
    return _checkpoints.read(path), _checkpoints.metadata(path), source


def _fetched(fetch: Callable[[], State], source: str, place: str = "") -> State:
    try:
        return fetch()
    except Exception as fault:
        raise CheckpointError(f"{source}: cannot be downloaded{place}: {one_line(fault)}") from fault


def _download(address: str) -> State:
    state: dict[str, torch.Tensor] = torch.hub.load_state_dict_from_url(
        address, map_location="cpu", progress=False, check_hash=True, weights_only=True
    )
    return state


def _no_weights(card: Card | RestorerCard, what: str, activation: str | None = None) -> str:
    name = f"{card.name}@{activation}" if activation else card.name
    known = f" (CHECKPOINT: a file or {', '.join(card.weights)})" if card.weights else ""
    return f"{what} '{name}': expected weights, {name}=CHECKPOINT{known}, or --random-weights for tests"
