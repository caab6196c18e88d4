"""Where sampled years are kept, so that a run that stopped goes on: a folder, a file for each batch."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np

from penstock import __version__
from penstock.errors import Fault, InputError
from penstock.market.adequacy import BATCH, ExtraLoad, Kept, OutageModel
from penstock.market.system import FloatArray

__all__ = ["kept_in"]

#: Bytes of a SHA-256.
_SUM = 32
#: File that says whose years a folder holds.
_OWNER = "years-of"


def kept_in(folder: Path, model: OutageModel, cases: Mapping[str, ExtraLoad], seed: int) -> Kept:
    """Batches of sampled years in a folder, which is that of one model, loads, seed and version.

    Each batch is written whole or not at all, its SHA-256 before it; one that does not match is drawn again.

    Raises InputError where the folder cannot be used, or holds anything else.
    """
    _take(folder, _digest(model, cases, seed))
    return _batches(folder)


def _digest(model: OutageModel, cases: Mapping[str, ExtraLoad], seed: int) -> str:
    sha = hashlib.sha256(f"{__version__} {BATCH} {model.digest()} {seed}".encode())
    for name, case in cases.items():
        sha.update(repr(name).encode())
        for array in (case.firm, case.interruptible):
            sha.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
    return sha.hexdigest()


def _take(folder: Path, digest: str) -> None:
    """Makes the folder this run's, unless it is somebody else's."""
    owner = folder / _OWNER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if owner.exists():
            if owner.read_text("utf-8", errors="replace") != digest:
                raise _refused(
                    folder,
                    "holds the years of another study: other tables, stress year, programme, seed or version",
                    "name another folder, or give the options that it was made with",
                )
            return
        # A run that was killed may have left a file half written.
        if any(file.suffix != ".part" for file in folder.iterdir()):
            raise _refused(folder, "is no checkpoint and not empty", "name a folder of its own")
        _write_whole(owner, digest.encode())
    except OSError as error:
        raise _refused(folder, f"cannot be made: {error}", "name a folder that can be written") from error


def _refused(place: Path, problem: str, mend: str) -> InputError:
    return InputError(Fault("checkpoint", problem, mend, value=str(place)))


def _write_whole(path: Path, data: bytes) -> None:
    """Writes a file whole or not at all. Raises OSError."""
    handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(part).replace(path)
    except OSError:
        with suppress(OSError):
            Path(part).unlink()
        raise


def _batches(place: Path) -> Kept:
    def path(number: int) -> Path:
        return place / f"batch-{number:06d}.years"

    def find(number: int) -> FloatArray | None:
        try:
            data = path(number).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(data[_SUM:]).digest() != data[:_SUM]:
            return None
        found: FloatArray = np.load(io.BytesIO(data[_SUM:]), allow_pickle=False)
        return found

    def keep(number: int, batch: FloatArray) -> None:
        stream = io.BytesIO()
        np.save(stream, batch, allow_pickle=False)
        data = stream.getvalue()
        try:
            _write_whole(path(number), hashlib.sha256(data).digest() + data)
        except OSError as error:
            raise _refused(place, f"cannot be written: {error}", "free the disk") from error

    return find, keep
