"""How this room compiles: Numba without reference counts, which would cost more than the arithmetic.

What is compiled so must not allocate. Only `entry` points are called from Python and cached; the others
have no wrapper to build.
"""

from __future__ import annotations

from typing import Any

import numba

__all__ = ["compiled", "entry", "summing"]

# Its types do not know the options below.
_njit: Any = numba.njit
_OPTIONS = {"nogil": True, "error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}

entry: Any = _njit(cache=True, **_OPTIONS)
compiled: Any = _njit(no_cpython_wrapper=True, **_OPTIONS)
#: Sums in any order, so that they vectorise.
summing: Any = _njit(no_cpython_wrapper=True, fastmath={"reassoc"}, **_OPTIONS)
