"""Add the canonical digests that are missing: robench/export/canonical.json and canonical.npz.

    python benchmarks/make_canonical.py -d cifar10:DIR

DIR holds the official CIFAR-10. A corruption whose installed version has an entry is not generated, and no entry is
changed or removed. Where CIFAR-10-C has a published file that depends on the image alone, an array with another md5 is
refused.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np

import corruptions
from robench import datasets, setformat
from robench.errors import RobenchError
from robench.export import _canonical, generate
from robench.files import file_digests, whole_file, write_json
from robench.selection import select

FOLDER = Path(_canonical.__file__).parent
DIGESTS, SAMPLES = FOLDER / _canonical.DIGESTS, FOLDER / _canonical.SAMPLES
PUBLISHED_SET = "CIFAR-10-C"


def missing(suites: dict[str, dict[str, dict[str, str]]]) -> Iterator[tuple[str, str, str]]:
    """Suite, corruption and version of what has no entry."""
    for suite in _canonical.SUITES:
        for name in corruptions.suite(suite).keys:
            version = str(corruptions.get(name).version)
            if version not in suites.get(suite, {}).get(name, {}):
                yield suite, name, version


def facts_of(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    """What a set was generated from."""
    return {key: manifest[key] for key in _canonical.FACTS} | {"strengths": manifest["corruptions"][name]["strengths"]}


def check_published(path: Path) -> None:
    """RobenchError where the published file of the same name is another one, though it draws nothing."""
    published = datasets.published_md5s()[PUBLISHED_SET].get(path.stem)
    if published is None or corruptions.get(path.stem).stochastic:
        return
    if (md5 := file_digests(path, "md5")["md5"]) != published:
        raise RobenchError(f"{path.name}: expected the published md5 {published}, got {md5}")


def write(content: dict[str, Any], samples: dict[str, np.ndarray]) -> None:
    """Both files."""
    write_json(DIGESTS, content)
    with whole_file(SAMPLES) as partial, partial.open("wb") as opened:
        np.savez_compressed(opened, **samples)


def add_missing(data: datasets.Dataset) -> Iterator[str]:
    """Generate what has no entry, one corruption at a time, and add it; a line for each."""
    content = json.loads(DIGESTS.read_text(encoding="utf-8")) if DIGESTS.exists() else {"suites": {}}
    samples = dict(_canonical.samples()) if SAMPLES.exists() else {}
    for suite, name, version in list(missing(content["suites"])):
        with tempfile.TemporaryDirectory() as folder:
            [path] = generate(data, {name: select([suite])[name]}, Path(folder) / "set")
            manifest = setformat.read_manifest(path.parent)
            facts = facts_of(manifest, name)
            if content.setdefault("set", facts) != facts:
                raise RobenchError(f"{DIGESTS.name}: expected the images {content['set']}, got {facts}")
            check_published(path)
            content["suites"].setdefault(suite, {}).setdefault(name, {})[version] = manifest["corruptions"][name][
                "sha256"
            ]
            if not corruptions.get(name).bit_exact:
                samples[f"{name}-{version}"] = _canonical.sample(path)
        write(content, samples)
        yield f"added {name}, version {version}"


@click.command()
@click.option("-d", "--dataset", "spec", required=True, metavar="cifar10:DIR", help="the official CIFAR-10")
def main(spec: str) -> None:
    """Add what is missing."""
    try:
        for line in add_missing(datasets.load(spec)):
            click.echo(line)
    except RobenchError as fault:
        raise click.ClickException(str(fault)) from fault


if __name__ == "__main__":
    main()
