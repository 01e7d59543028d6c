"""Writing an array of numpy's own format piece by piece, its length known last."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

_HEADER: Final = 256  # bytes that are kept free for the header


@contextmanager
def written(file: Path, kind: np.dtype[Any]) -> Iterator[Callable[[npt.NDArray[Any]], None]]:
    """A .npy file of one dimension; yields what appends an array to it."""
    length = 0
    with file.open("wb") as out:
        out.write(bytes(_HEADER))

        def append(array: npt.NDArray[Any]) -> None:
            nonlocal length
            out.write(np.ascontiguousarray(array, dtype=kind).data)
            length += len(array)

        yield append
        out.seek(0)
        out.write(_header(kind, length))


def _header(kind: np.dtype[Any], length: int) -> bytes:
    """The header of version 1.0 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html)."""
    made = io.BytesIO()
    description = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": (length,)}
    np.lib.format.write_array_header_1_0(made, description)
    magic, text = made.getvalue()[:8], made.getvalue()[10:].rstrip()
    return magic + (_HEADER - 10).to_bytes(2, "little") + text.ljust(_HEADER - 11) + b"\n"
