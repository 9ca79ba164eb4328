"""Folders that robench fills: one process at a time, files whole or not at all; and what a run keeps in its own."""

from robench.store._cells import MOST_CLASSES_STORED, Cell, Predictions
from robench.store._fingerprints import LOWEST, difference, distinct
from robench.store._folder_lock import FolderLock, workplace
from robench.store._run import SCHEMA, Run, joined_versions, unlike

__all__ = [
    "LOWEST",
    "MOST_CLASSES_STORED",
    "SCHEMA",
    "Cell",
    "FolderLock",
    "Predictions",
    "Run",
    "difference",
    "distinct",
    "joined_versions",
    "unlike",
    "workplace",
]
