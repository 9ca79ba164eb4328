"""Which models may be swept, what their outputs are, and which stored cells are theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from robench.errors import ModelError, RunError
from robench.models import Classifier
from robench.store import Run, difference, distinct
from robench.sweep._config import AUTO, SweepConfig
from robench.sweep._fingerprint import basis_of, fingerprint
from robench.sweep._precision import mixed
from robench.sweep._probe import Probe
from robench.sweep._work import Fingerprints


@dataclass
class Admitted:
    """The models, those of `copies` on other devices, and a fingerprint of each that has cells to compute, by label."""

    classifiers: list[Classifier]
    copies: list[list[Classifier]]
    fingerprints: dict[str, dict[str, Any]] = field(default_factory=dict)


def admitted(
    run: Run,
    probe: Probe,
    config: SweepConfig,
    classifiers: Sequence[Classifier],
    copies: Sequence[Sequence[Classifier]],
    stored: Mapping[str, Fingerprints],
    wanted: set[str],
) -> Admitted:
    """The models that may be swept, checked by their answers to the probe.

    stored: of each model the fingerprints of its finished cells. wanted: labels of models with cells to compute.
    A model without a cell to compute is asked only where a stored fingerprint rests on other things than today's, or
    where a user's file builds it. Raises ModelError for a model that is no function of its image, or whose outputs are
    neither logits nor probabilities, RunError where stored cells are another network's.
    """
    made = Admitted([], [list(some) for some in copies])
    for number, classifier in enumerate(classifiers):
        label = classifier.label
        is_asked = label in wanted
        prints = distinct(stored.get(label, ()))
        if (
            not is_asked
            and (not prints or [one["basis"] for one in prints] == [basis_of(classifier)])
            and not classifier.is_users
        ):
            made.classifiers.append(classifier)
            continue
        its = with_outputs(classifier, probe, config.outputs)
        made.classifiers.append(its)
        for some in made.copies:
            some[number] = replace(some[number], answers=its.answers)
        if config.stateful:
            continue
        forward = probe.forward(its)
        if is_asked:
            probe.check(forward)
        logits = probe.answers_if_any(forward)
        if logits is None:
            if prints:
                raise RunError(
                    f"{run.folder} holds answers of '{label}', expected it to answer the probe images as then, "
                    "got none that are finite; choose another folder or name"
                )
            continue
        own = fingerprint(its, logits, probe.tolerance(logits))
        for one in prints:
            check_same_network(label, one, own, f"{run.folder} holds")
        _check_copies(label, [some[number] for some in made.copies], probe, logits)
        made.fingerprints[label] = own
    return made


def with_outputs(classifier: Classifier, probe: Probe, asked: str) -> Classifier:
    """The model with what its outputs are: what its answers to the probe show, or what is asked."""
    with mixed(probe.precision, classifier.device):
        clean = probe.images if classifier.needs_clean else None
        return classifier.recognised(probe.images, clean, None if asked == AUTO else asked)


def check_same_network(label: str, stored: Mapping[str, Any], own: Mapping[str, Any], where: str) -> None:
    """Raise RunError where two fingerprints are of different networks."""
    if fault := difference(stored, own):
        raise RunError(f"{where} answers of another network than '{label}' now: {fault}; choose another folder or name")


def fingerprint_of(probe: Probe, classifier: Classifier) -> dict[str, Any] | None:
    """A model's fingerprint; None for one that cannot be asked."""
    logits = probe.answers_if_any(probe.forward(classifier))
    return None if logits is None else fingerprint(classifier, logits, probe.tolerance(logits))


def _check_copies(label: str, copies: Sequence[Classifier], probe: Probe, logits: Tensor) -> None:
    for copy in copies:
        other = probe.answers_if_any(probe.forward(copy))
        if other is not None and not probe.same(logits, other):
            raise ModelError(f"model '{label}': expected the same answers on every device, got others on {copy.device}")


def with_held_outputs(run: Run, classifiers: Sequence[Classifier]) -> list[Classifier]:
    """The models with what their outputs are as far as the run knows it."""
    models = run.manifest()["models"] if run.manifest_path.exists() else []
    held = {model["label"]: model["outputs"] for model in models if "outputs" in model}
    return [replace(one, answers=held.get(one.label, one.answers)) for one in classifiers]
