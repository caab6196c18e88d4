"""Files of a command: made in a hidden folder, then moved to their places, all or none.

A command does it so:

    with staging(folder) as staged:
        ...  # what takes long
        with disk_refusals(folder):
            (staged / "mine.json").write_text(...)
        paths = publish(staged, folder, {"mine": "mine.json"})
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from penstock.errors import Fault, InputError

__all__ = ["disk_refusals", "out_error", "publish", "staging"]


def out_error(folder: Path, problem: str) -> InputError:
    """What is refused where a folder named with --out, or a path in it, cannot be written."""
    mend = "name a folder that can be written, or one that can be made"
    return InputError(Fault(place="--out", value=str(folder), problem=problem, mend=mend))


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """An empty hidden folder inside `folder`; gone at the end, with the folders made for it if all failed.

    It lies inside, not beside, so that its files can be moved even where `folder` is a mount point.
    It is made before the long work: a folder that cannot be written is refused at once.

    Raises InputError where `folder` is a file or cannot be made or written.
    """
    missing = [path for path in (folder, *folder.parents) if not os.path.lexists(path)]
    staged = None
    try:
        try:
            if os.path.lexists(folder) and not folder.is_dir():
                raise out_error(folder, "is a file, not a folder")
            folder.mkdir(parents=True, exist_ok=True)
            staged = Path(tempfile.mkdtemp(prefix=".penstock-", dir=folder))
        except OSError as error:
            raise out_error(folder, f"cannot be written: {error}") from error
        yield staged
    finally:
        if staged is not None:
            shutil.rmtree(staged, ignore_errors=True)
        for path in missing:  # innermost first; a folder that now holds something stays
            with suppress(OSError):
                path.rmdir()


@contextmanager
def disk_refusals(folder: Path) -> Iterator[None]:
    """Turns what the disk refuses while files are made (it is full, say) into InputError about `folder`."""
    try:
        yield
    except OSError as error:
        raise out_error(folder, f"cannot be written: {error}") from error


def publish(staged: Path, folder: Path, files: Mapping[str, str]) -> dict[str, Path]:
    """Moves the files from `staged` into `folder`, all or none, and says where they are.

    files: name of each file, without a folder, by what it holds, e.g. {"summary": "summary.json"}.

    Files of an earlier run are put aside first and come back where one of the files cannot be moved.
    Raises InputError in that case, ValueError where a file was never made.
    """
    if unmade := [file for file in files.values() if not (staged / file).is_file()]:
        raise ValueError(f"never made in {staged}: {', '.join(unmade)}")
    paths = {name: folder / file for name, file in files.items()}
    aside = staged / "earlier"
    aside.mkdir()
    try:
        for path in paths.values():
            if path.is_dir():
                raise out_error(path, "is a folder, and a file of this name is to be written")
            if os.path.lexists(path):
                path.replace(aside / path.name)
            (staged / path.name).replace(path)
    except BaseException as error:
        for path in paths.values():
            if os.path.lexists(aside / path.name):
                (aside / path.name).replace(path)
            elif not os.path.lexists(staged / path.name):  # moved, and there was none before
                path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise out_error(folder, f"cannot be written: {error}") from error
        raise
    return paths
