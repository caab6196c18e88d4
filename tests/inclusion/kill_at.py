"""Runs the command line and kills its own process, by SIGKILL, at a given point: `python kill_at.py N words`.

Points are before and after each call to a node, before and after each commit of the journal, and before and
after each file is put in its place. 0 kills nowhere. The number of points that were passed goes to the file
named in PENSTOCK_TEST_POINTS, where there is one.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.engine import RootTransaction

from penstock.cli import main
from penstock.reserve.node_rpc import NodeRpc

AT = int(sys.argv[1])
passed = 0


def point() -> None:
    global passed
    passed += 1
    if passed == AT:
        os.kill(os.getpid(), signal.SIGKILL)


def framed(call: Callable[..., Any]) -> Callable[..., Any]:
    def inner(*values: Any, **named: Any) -> Any:
        point()
        found = call(*values, **named)
        point()
        return found

    return inner


NodeRpc.call = framed(NodeRpc.call)  # type: ignore[method-assign]
RootTransaction.commit = framed(RootTransaction.commit)  # type: ignore[method-assign]
Path.replace = framed(Path.replace)  # type: ignore[method-assign]
code = main(sys.argv[2:])
if told := os.environ.get("PENSTOCK_TEST_POINTS"):
    Path(told).write_text(str(passed), "ascii")
sys.exit(code)
