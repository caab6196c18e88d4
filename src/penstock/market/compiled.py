"""How this room compiles: Numba without reference counts, which would cost more than the arithmetic.

What is compiled so must not allocate. Only `entry` points are called from Python and cached; the others
have no wrapper to build.
"""

from __future__ import annotations

from typing import Any

import numba

__all__ = ["compiled", "entry", "entry_summing", "summing"]

# Its types do not know the options below.
_njit: Any = numba.njit
_OPTIONS = {"nogil": True, "error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}

entry: Any = _njit(cache=True, **_OPTIONS)
compiled: Any = _njit(no_cpython_wrapper=True, **_OPTIONS)
#: The same with sums in any order, so that they vectorise.
entry_summing: Any = _njit(cache=True, fastmath={"reassoc", "contract"}, **_OPTIONS)
summing: Any = _njit(no_cpython_wrapper=True, fastmath={"reassoc"}, **_OPTIONS)
