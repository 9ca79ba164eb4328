"""From a finished run to entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock

import corruptions
from robench import tables
from robench.errors import BoardError, ConfigError
from robench.files import file_name, sha256_file, write_text
from robench.leaderboard import _cells
from robench.leaderboard._board import Board, Entry, check_link, entry_id, read
from robench.leaderboard._correct_counts import CorrectCounts, facts_of
from robench.store import Run
from robench.tables import CLEAN, Scored

LOCK = ".lock"
NO_SEED = 0
STATEFUL = "stateful"
"""Of a run or a model, that its answers depend on the images before."""
FILES = "files_sha256"
ONE_NETWORK = ("name", "weights_sha256", "normalize", "fit", "label_map_sha256", "code_sha256", "output")


def add(
    folder: Path, root: Path, *, suites: Sequence[str] = (), models: Sequence[str] = (), link: str = ""
) -> list[Path]:
    """Put every model of a run on the boards of the run's suites, below `root`; the files of the entries.

    suites, models: of the run, by suite and label, these alone. link: where the models come from, empty or an address
    on the web. An entry that is there already stays as it is. Raises ConfigError for a suite or model that the run has
    not, BoardError for a run without a suite or clean images, with missing or failed cells, of a stateful network, or
    that a board does not take: other images, versions, seeds, or other weights under a name that is there.
    """
    check_link(f"{folder}: link", link)
    run, found = Run(folder), tables.scored(Run(folder))
    tables.check_networks(found)
    there = dict.fromkeys(one.cell.suite for one in found if one.cell.suite)
    if not there:
        raise BoardError(f"{folder}: expected a run of a suite, got cells of none; see: robench list suites")
    if note := tables.clean_note(one.cell.corruption for one in found):
        raise BoardError(f"{folder}: expected a run with clean images, which a board shows. {note}")
    chosen = _chosen(run, "suite", suites, there)
    labels = _chosen(run, "model", models, dict.fromkeys(one.cell.model for one in found))
    _check_asked(run, models, chosen, found)
    made = []
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / LOCK):
        checked = []
        for suite in chosen:
            offers = [offer for offer in (_offer(run, suite, label, found) for label in labels) if offer]
            board = _board(run, root, suite, [one for one in found if one.cell.suite == suite])
            checked.append((board, [offer for offer in offers if _is_new(run, board, offer)]))
        for board, offers in checked:
            for offer in offers:
                board, file = _put(board, offer, link)
                made.append(file)
    return made


def _chosen(run: Run, what: str, names: Sequence[str], there: Mapping[str, Any]) -> list[str]:
    """These of what the run has, or all of it."""
    for name in names:
        if name not in there:
            raise ConfigError(f"{run.folder}: {corruptions.unknown(f'{what} of the run', name, there)}")
    return list(dict.fromkeys(names) or there)


def _check_asked(run: Run, models: Sequence[str], suites: Sequence[str], found: Sequence[Scored]) -> None:
    """A model that was named has cells of one of these suites at least."""
    for label in models:
        its = dict.fromkeys(one.cell.suite for one in found if one.cell.model == label and one.cell.suite)
        if not set(its) & set(suites):
            got = " and ".join(its) or "no suite"
            raise BoardError(f"{run.folder}: {label}: expected cells of {' or '.join(suites)}, got those of {got}")


@dataclass(frozen=True)
class Offer:
    """A model that asks for a place. rows: of its cells, as in the file; members: the same cells in the same order."""

    id: str
    model: Mapping[str, Any]
    precision: str
    environment: Mapping[str, str]
    notes: tuple[str, ...]
    rows: pd.DataFrame
    members: Sequence[Scored]


def _offer(run: Run, suite: str, label: str, found: Sequence[Scored]) -> Offer | None:
    """A model's cells in the order of the suite, all there; None where it was not asked for this suite."""
    own = tables.by_place([one for one in found if (one.cell.model, one.cell.suite) == (label, suite)])
    if not own:
        return None
    asked = {(CLEAN, CLEAN), *((name, key) for name, keys in corruptions.suite(suite).keys.items() for key in keys)}
    lacking = asked - {(name, key) for name, key, _ in own}
    failed = [one for one in own.values() if one.correct is None]
    if lacking or failed:
        name, key = sorted(lacking)[0] if lacking else (failed[0].cell.corruption, failed[0].cell.strength)
        why = str(failed[0].row["error"] or failed[0].row["status"]) if failed and not lacking else "not asked for"
        raise BoardError(
            f"{run.folder}: {label}: {suite} is incomplete: {len(lacking) + len(failed)} of {len(asked)} cells are "
            f"missing or failed, the first {name} {key}: {why}"
        )
    order = {name: number for number, name in enumerate([CLEAN, *corruptions.suite(suite).keys])}
    keys = {name: list(some) for name, some in corruptions.suite(suite).keys.items()} | {CLEAN: [CLEAN]}
    members = sorted(
        (one for one in own.values() if (one.cell.corruption, one.cell.strength) in asked),
        key=lambda one: (order[one.cell.corruption], keys[one.cell.corruption].index(one.cell.strength), one.cell.seed),
    )
    manifest = run.manifest()
    [model] = [one for one in manifest["models"] if one["label"] == label]
    if "random_weights" in (model.get("training") or {}):
        raise BoardError(f"{run.folder}: {label}: expected a network with weights, got one of --random-weights")
    if manifest.get(STATEFUL) or model.get(STATEFUL):
        raise BoardError(
            f"{run.folder}: {label}: expected answers that depend on the image alone, got those of a stateful network, "
            "which change with the order of the images; a board takes none"
        )
    name = entry_id(model)
    rows = _cells.table([asdict(one.cell) | one.row | {"entry": name} for one in members])
    notes = tuple(tables.entry_notes(manifest, model))
    return Offer(name, model, manifest["precision"], manifest["environment"], notes, rows, members)


def _board(run: Run, root: Path, suite: str, found: Sequence[Scored]) -> Board:
    """The board of a suite as the run would begin it, or the one that is there, to which the run must fit."""
    manifest = run.manifest()
    dataset = manifest["dataset"]
    facts = {name: manifest["corruptions"].get(name, {}) for name in corruptions.suite(suite).keys}
    for name, keys in corruptions.suite(suite).keys.items():
        cells = [one.cell for one in found if one.cell.corruption == name]
        more = {"version": cells[0].corruption_version, "native": cells[0].native, "group": cells[0].group}
        facts[name] = facts[name] | more | {"strengths": list(keys)} | _file_facts(manifest, name)
    seeds = _seeds(run, facts, found)
    wanted = Board(root / file_name(dataset["name"]), dataset, suite, facts, seeds, manifest["textures"])
    path = wanted.path(".json")
    if not path.exists():
        return wanted
    held = read(path)
    for what in ("digest", "split", "view", "n", "classes"):
        _agree(run, path, f"data {what}", held.dataset[what], dataset[what])
    _agree(run, path, "seeds", list(held.seeds), list(wanted.seeds))
    _agree(run, path, "textures", held.textures, wanted.textures)
    _check_superseded(run, held, facts)
    for name, fact in facts.items():
        for what in ("version", "native", "group", "strengths"):
            _agree(run, path, f"{name} of {what}", held.corruptions.get(name, {}).get(what), fact[what])
        if files := held.corruptions.get(name, {}).get(FILES):
            _agree(run, path, f"{name} with files of sha256", files, fact.get(FILES))
    if not held.is_as_written:
        raise BoardError(f"{path}: edited by hand; see: robench leaderboard check --board {root}")
    return held


def _check_superseded(run: Run, held: Board, facts: Mapping[str, Any]) -> None:
    """Raise BoardError for a run of newer versions than a superseded board has, with how to begin a new board."""
    for name, (version, _) in held.superseded.items():
        if facts[name]["version"] > version:
            raise BoardError(
                f"{run.folder}: expected version {version} of {name} as {held.path('.json')} has, which is superseded, "
                f"got {facts[name]['version']}; to begin a new board, move {held.stem}.* and "
                f"entries/{held.stem}-*.npz out of {held.folder}"
            )


def _file_facts(manifest: Mapping[str, Any], name: str) -> dict[str, str]:
    """Of a downloaded set what the files of a corruption are known by, and whether they are the published ones."""
    if name not in manifest.get(FILES, {}):
        return {}
    published = manifest.get("published", {})
    state = published.get("arrays", {}).get(name)
    return {FILES: manifest[FILES][name]} | ({"published_set": published["set"], "published": state} if state else {})


def _agree(run: Run, path: Path, what: str, held: Any, wanted: Any) -> None:
    if held != wanted:
        raise BoardError(f"{run.folder}: expected {what} {held} as {path} has, got {wanted}")


def _seeds(run: Run, facts: Mapping[str, Any], found: Sequence[Scored]) -> tuple[int, ...]:
    """The seeds of what draws, which must be the same for every model, corruption and strength that does."""
    by_place: dict[tuple[str, str, str], set[int]] = {}
    for one in found:
        by_place.setdefault((one.cell.model, one.cell.corruption, one.cell.strength), set()).add(one.cell.seed)
    policies = {
        tuple(sorted(seeds))
        for (_, name, key), seeds in by_place.items()
        if _draws(facts.get(name, {}), name, key) or seeds != {NO_SEED}
    }
    if len(policies) > 1:
        raise BoardError(f"{run.folder}: expected the same seeds for every cell that draws, got {sorted(policies)}")
    return policies.pop() if policies else (NO_SEED,)


def _draws(fact: Mapping[str, Any], name: str, key: str) -> bool:
    """Whether these images depend on the seed; those that were made elsewhere do not."""
    return "stochastic" in fact and (fact["stochastic"] or corruptions.get(name).parse(key).is_drawn)


def _rows(board: Board) -> pd.DataFrame:
    """The rows of the entries that the board names; a killed `add` may have left others."""
    if not board.entries:
        return _cells.table([])
    there = _cells.read(board.path(".cells.csv"))
    return there[there["entry"].isin([entry.id for entry in board.entries])]


def _is_new(run: Run, board: Board, offer: Offer) -> bool:
    """Whether the board lacks the model; one of its name must be the same weights with the same answers."""
    label, path = offer.model["label"], board.path(".json")
    for entry in board.entries:
        if entry.label != label:
            if _same_network(entry, offer):
                raise BoardError(f"{run.folder}: '{label}' is the network of '{entry.label}' on {path}: equal weights")
            continue
        if entry.model["weights_sha256"] != offer.model["weights_sha256"]:
            raise BoardError(
                f"{run.folder}: '{label}' is on {path} with other weights; give the checkpoint another name"
            )
        held = _rows(board)
        if not _cells.agree(held[held["entry"] == entry.id], offer.rows):
            raise BoardError(f"{run.folder}: '{label}' is on {path} with other counts; remove that entry to replace it")
        return False
    return True


def _same_network(entry: Entry, offer: Offer) -> bool:
    """Whether two entries would be one network, fed and computed alike."""
    alike = all(entry.model.get(name, "") == offer.model.get(name, "") for name in ONE_NETWORK)
    return alike and entry.precision == offer.precision


def _put(board: Board, offer: Offer, link: str) -> tuple[Board, Path]:
    """Write one entry: answers first, then counts, then the board that names them; the board with it, and its file."""
    relative = board.file_of(offer.id)
    file = board.folder / relative
    _correct_counts(board, offer).write(file)
    held = _rows(board)
    new = offer.rows.assign(**dict.fromkeys(_cells.further(held), ""))
    parts = sorted([*held.groupby("entry"), (offer.id, new)], key=lambda part: str(part[0]))
    write_text(board.path(".cells.csv"), _cells.text(pd.concat([frame for _, frame in parts])))
    record = (offer.model, offer.precision, offer.environment, link, offer.notes)
    grown = board.with_entry(Entry(offer.id, relative, sha256_file(file), *record))
    grown.write()
    return grown, file


def _correct_counts(board: Board, offer: Offer) -> CorrectCounts:
    names = tuple(dict.fromkeys(one.cell.corruption for one in offer.members))
    by_name = [
        [one.correct for one in offer.members if one.cell.corruption == name and one.correct is not None]
        for name in names
    ]
    right = np.stack([np.sum(some, axis=0, dtype=np.uint16) for some in by_name], axis=1)
    of = np.array([len(some) for some in by_name])
    rows = _cells.fields(_cells.text(offer.rows))[list(_cells.OWN)]
    facts = facts_of(board, offer.model, offer.precision, offer.environment, offer.notes)
    return CorrectCounts(names, of, right, rows, facts)
