"""Durable files and folders."""

from __future__ import annotations

import os
from pathlib import Path


def fsync(path: Path) -> None:
    """Make the content of a file, or the entries of a folder, durable."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(path: Path) -> None:
    """Make a folder and its parents, each of them durable in the one above it."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    fsync(path.parent)


def replace_file(part: Path, target: Path, *, sync_folder: bool = True) -> None:
    """Give a finished file its name, in place of an older file: a crash leaves one of the two, and never half of one.

    `part` lies in the folder of `target`. Without `sync_folder` the caller syncs that folder, or can do without.
    """
    fsync(part)
    part.replace(target)
    if sync_folder:
        fsync(target.parent)
