"""robench and its peers, measured side by side: make benchmark

    python benchmarks/peers.py            images/s of every family at 32 and 224 pixels, severities 1, 3 and 5
    python benchmarks/peers.py --full     and the whole CIFAR-10-C really made, and `robench generate`
    python benchmarks/peers.py --page     only write docs/benchmarks.md again

Each peer gets an environment of its own under build/peers (or --work), and a process pinned to one core with one
thread. In every round the contestants take turns on the same images; a rate is images a second of the process's own CPU
time, warm, and the median over the rounds is kept. Needs Linux (taskset). Leave the machine alone while it runs.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import numpy as np
from peer_page import page
from peer_setup import PEERS, Contestant, made
from skimage import data, transform

import corruptions

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "peers.json"
PAGE = ROOT / "docs" / "benchmarks.md"
FAMILIES = (*corruptions.suite("cifar10-c/1").keys, *corruptions.suite("cifar10-c-extra/1").keys)
SEVERITIES = (1, 3, 5)
COUNTS = {32: 500, 224: 16}
CIFAR_COUNT = 10_000


def photographs(side: int, count: int) -> Any:
    """Windows of pictures that scikit-image ships, uint8 (count, side, side, 3)."""
    pictures = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]
    small = [transform.resize(picture, (256, 256), anti_aliasing=True) for picture in pictures]
    rng = np.random.default_rng(0)
    windows = []
    for number in range(count):
        top, left = rng.integers(0, 257 - side, 2)
        windows.append(small[number % 4][top : top + side, left : left + side])
    return np.rint(np.stack(windows) * 255).astype(np.uint8)


def machine() -> dict[str, Any]:
    """Processor, cores and system."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    system = f"{platform.system()} {platform.release().split('-')[0]}"
    return {"processor": model, "cores": os.cpu_count(), "system": system, "python": platform.python_version()}


def contestants(stack: ExitStack, work: Path, core: int) -> tuple[list[Contestant], dict[str, str]]:
    """The processes that could be started, robench first, and why the others could not."""
    found = [stack.enter_context(Contestant("robench", Path(sys.executable), core, work / "robench.log"))]
    absent = {}
    for peer in PEERS:
        try:
            python = made(peer, work)
            found.append(stack.enter_context(Contestant(peer.name, python, core, work / f"{peer.name}.log")))
        except (subprocess.CalledProcessError, RuntimeError) as fault:
            said = getattr(fault, "stderr", None) or str(fault)
            absent[peer.name] = said.strip().splitlines()[-1][:300]
            click.echo(f"{peer.name} is absent: {absent[peer.name]}", err=True)
    return found, absent


def one_cell(found: list[Contestant], family: str, severity: int, side: int, asked: dict[str, Any]) -> dict[str, Any]:
    """Alternating rounds of everyone who has the family: the median rate of each, or the fault."""
    chosen = corruptions.get(family)
    request = {"family": family, "severity": severity, "row": chosen.severities[side][severity - 1]}
    request |= {"images": str(asked["images"]), "seconds": asked["seconds"], "most": COUNTS[side]}
    rates: dict[str, list[float]] = {one.name: [] for one in found if family in one.operations}
    faults: dict[str, str] = {}
    for _ in range(asked["rounds"]):
        for one in found:
            if one.name in rates and one.name not in faults:
                answer = one.ask(**request)
                if "fault" in answer:
                    faults[one.name] = answer["fault"]
                else:
                    rates[one.name].append(answer["count"] / answer["cpu"])
    return {name: faults.get(name) or round(statistics.median(values), 2) for name, values in rates.items()}


def all_rates(found: list[Contestant], work: Path, seconds: float, rounds: int) -> tuple[dict[str, Any], list[float]]:
    """rates[side][family][severity][contestant], and the load seen on the way."""
    rates: dict[str, Any] = {}
    loads = []
    for side, count in COUNTS.items():
        asked = {"images": work / f"images{side}.npy", "seconds": seconds, "rounds": rounds}
        np.save(asked["images"], photographs(side, count))
        for family in FAMILIES:
            for severity in SEVERITIES:
                cell = one_cell(found, family, severity, side, asked)
                rates.setdefault(str(side), {}).setdefault(family, {})[str(severity)] = cell
                loads.append(os.getloadavg()[0])
            click.echo(f"{side} {family} {cell}", err=True)
    return rates, loads


def whole_set(work: Path) -> dict[str, Any]:
    """CIFAR-10-C in full: on one core, on two at once, first use, and `robench generate` with its files written."""
    images = np.tile(photographs(32, COUNTS[32]), (CIFAR_COUNT // COUNTS[32], 1, 1, 1))
    np.save(work / "cifar.npy", images)
    asked = {"job": "whole", "images": str(work / "cifar.npy"), "families": FAMILIES}
    half = CIFAR_COUNT // 2
    one_core, two_cores = [], []
    with ExitStack() as stack:
        runners = [stack.enter_context(Contestant("robench", Path(sys.executable), n, work / "log")) for n in (0, 1)]
        for _ in range(3):
            one_core.append(runners[0].ask(**asked, start=0, stop=CIFAR_COUNT))
            for number, runner in enumerate(runners):
                runner.send(**asked, start=number * half, stop=(number + 1) * half)
            halves = [runner.answer() for runner in runners]
            two_cores.append({clock: max(half[clock] for half in halves) for clock in ("cpu", "wall")})
            click.echo(f"whole CIFAR-10-C: {one_core[-1]['cpu']:.1f} s, on two cores {two_cores[-1]}", err=True)
    return {
        "one_core": sorted(one_core, key=lambda answer: answer["cpu"])[1],
        "two_cores": sorted(two_cores, key=lambda answer: answer["cpu"])[1],
        "first_use": first_use(work),
        "generate": generate(work, images),
    }


def first_use(work: Path) -> dict[str, float]:
    """Seconds until every family has run once: with nothing compiled, and with what the first use kept."""
    cache = work / "compiled"
    shutil.rmtree(cache, ignore_errors=True)
    seconds = {}
    for when in ("first", "later"):
        with Contestant("robench", Path(sys.executable), 0, work / "log", NUMBA_CACHE_DIR=str(cache)) as runner:
            seconds[when] = runner.ask(job="first_use", families=FAMILIES)["wall"]
    return seconds


def generate(work: Path, images: Any) -> dict[str, float]:
    """Wall seconds of `robench generate` for the whole set as .npy, start and files included, by number of workers."""
    np.savez(work / "cifar.npz", images=images, labels=np.arange(len(images)) % 10)
    words = [word for family in FAMILIES for word in ("-c", family)]
    seconds = {}
    for workers in (1, 2):
        out = work / "generated"
        shutil.rmtree(out, ignore_errors=True)
        command = [sys.executable, "-m", "robench", "generate", "-d", f"npz:{work / 'cifar.npz'}", *words]
        command += ["--severity", "1-5", "--workers", str(workers), "-o", str(out)]
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds[str(workers)] = time.perf_counter() - began
        click.echo(f"robench generate --workers {workers}: {seconds[str(workers)]:.1f} s", err=True)
        shutil.rmtree(out)
    return seconds


@click.command(help=__doc__)
@click.option("--work", type=click.Path(path_type=Path), default=ROOT / "build" / "peers", help="environments, images")
@click.option("--seconds", default=0.3, show_default=True, help="of every measurement")
@click.option("--rounds", default=3, show_default=True)
@click.option("--core", default=0, show_default=True, help="the core all contestants share")
@click.option("--full", is_flag=True, help="make the whole CIFAR-10-C too")
@click.option("--page", "only_page", is_flag=True, help="only write docs/benchmarks.md from the results")
def main(work: Path, seconds: float, rounds: int, core: int, full: bool, only_page: bool) -> None:
    """Measure, then write the results and the page."""
    if not only_page:
        work.mkdir(parents=True, exist_ok=True)
        before = os.getloadavg()[0]
        with ExitStack() as stack:
            found, absent = contestants(stack, work, core)
            rates, loads = all_rates(found, work, seconds, rounds)
            versions = {one.name: one.versions for one in found}
            operations = {one.name: one.operations for one in found[1:]}
        results = {
            "schema": "robench-benchmark/1",
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "machine": machine(),
            "load": {"before": before, "median": statistics.median(loads), "most": max(loads)},
            "rounds": rounds,
            "seconds": seconds,
            "versions": versions,
            "absent": absent,
            "operations": {
                name: {key: found[key] for key in FAMILIES if key in found} for name, found in operations.items()
            },
            "rates": rates,
            "full": whole_set(work) if full else None,
        }
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    PAGE.write_text(page(json.loads(RESULTS.read_text())))
    click.echo(f"{RESULTS.relative_to(ROOT)}\n{PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
