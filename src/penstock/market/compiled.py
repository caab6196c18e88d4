"""How this room compiles: Numba without reference counts, which would cost more than the arithmetic.

What is compiled so must not allocate. Only `entry` points are called from Python and cached; the others
have no wrapper to build.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numba

__all__ = ["compiled", "drop_stale", "entry", "entry_summing", "summing"]


def drop_stale(folder: Path) -> None:
    """Delete the compiled code beside the sources of `folder` that is older than any of them.

    Numba compares an entry point with its own file alone, but its code holds what other files define.
    """
    newest = max(source.stat().st_mtime for source in folder.glob("*.py"))
    for index in (folder / "__pycache__").glob("*.nbi"):
        with suppress(OSError):  # another process may have been quicker
            if index.stat().st_mtime < newest:
                index.unlink()


drop_stale(Path(__file__).parent)

# Its types do not know the options below.
_njit: Any = numba.njit
_OPTIONS = {"nogil": True, "error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}

entry: Any = _njit(cache=True, **_OPTIONS)
compiled: Any = _njit(no_cpython_wrapper=True, **_OPTIONS)
#: The same with sums in any order, so that they vectorise.
entry_summing: Any = _njit(cache=True, fastmath={"reassoc", "contract"}, **_OPTIONS)
summing: Any = _njit(no_cpython_wrapper=True, fastmath={"reassoc"}, **_OPTIONS)
